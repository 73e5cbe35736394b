"""F02 有编无薪: active in a FULL or PART cell and not in P.

定义：全额或差额编制的在编人员，本月不在在编发薪之列。
Flagged when somebody active in a FULL or PART cell is not in P.
无法判定：实名制或发薪缺报、退回；只报数字的单位。
Not evaluable: roster or payroll absent; units that deliver counts.
"""

from tests.spec.spec import check

BOOKS = {
    "units": "unit | delivers\n U1 |\n U2 |\n U3 |\n U4 |\n U5 | COUNTS",
    "roster": """
    person | unit | type           | fund | status       | entry      | exit
    p1     | U1   |                |      |              |            |
    p2     | U1   |                | SELF |              |            |
    p3     | U1   | CONTROL_NUMBER |      |              |            |
    p4     | U1   |                |      | ON_LEAVE     |            |
    p5     | U1   |                |      |              | 2026-10-01 |
    p6     | U1   |                |      | SECONDED_OUT |            |
    p7     | U1   |                | PART |              |            |
    p7     | U1   |                |      |              |            |
    p7     | U2   | SUPPORT        |      |              |            |
    p8     | U1   |                |      | LEFT         |            | 2026-10-19
    p9     | U2   |                |      |              |            |
    pa     | U3   |                |      | ON_LEAVE     | 2026-10-20 |
    pb     | U4   |                |      |              | 2026-10-05 |
    pc     | U5   |                |      |              |            |
    pd     | U1   |                |      |              |            |
    pe     | U1   |                |      |              |            |
    null   | U1   |                |      |              |            |
    """,
    "payroll": """
    person | payer | amount | state   | est
    p6     | U1    |        | OTHER   |
    p9     | U2    | -5     |         |
    p9     | U2    | 5      |         |
    pd     | U2    |        |         |
    pe     | U2    |        |         | NO
    pz     | U9    |        |         |
    null   | U4    |        | RETIRED |
    """,
}


def test_every_cause_in_its_order():
    check(
        "F02",
        BOOKS,
        """
        person | unit | type    | fund | expected | found | severity | cause
        p1     | U1   | ADMIN   | FULL | 1        | 0     | S3       |
        p4     | U1   | ADMIN   | FULL | 1        | 0     | S4       | LEAVE
        p5     | U1   | ADMIN   | FULL | 1        | 0     | S4       | TIMING
        p6     | U1   | ADMIN   | FULL | 1        | 0     | S3       | PAID_AS_OTHER
        p7     | U1   | ADMIN   | FULL | 1        | 0     | S3       |
        p7     | U2   | SUPPORT | FULL | 1        | 0     | S3       |
        p9     | U2   | ADMIN   | FULL | 1        | 0     | S3       |
        pa     | U3   | ADMIN   | FULL | 1        | 0     | S4       | QUARANTINE
        pb     | U4   | ADMIN   | FULL | 1        | 0     | S4       | BLANK_ID
        pe     | U1   | ADMIN   | FULL | 1        | 0     | S3       | PAID_AS_OTHER
        """,
        quarantine="book | unit\n payroll | U3\n roster | U1",
        not_evaluable="division | unit | book\n 370102 | U5 | roster",
    )


def test_a_missing_payroll_says_nothing_about_anybody():
    check(
        "F02",
        {"roster": BOOKS["roster"]},
        None,
        verdicts="book | state\n payroll | missing",
        not_evaluable="division | unit | book\n 370102 | * | payroll",
    )


def test_a_township_is_served_by_the_county_s_payroll_where_that_names_its_unit():
    check(
        "F02",
        {
            "units": "unit | by\n U1 | 370102001\n U2 | 370102001",
            "roster": "person | unit | by\n p1 | U1 | 370102001\n p2 | U2 | 370102001",
            "payroll": "person | payer\n p3 | U1",
        },
        "person | unit\n p1 | U1",
        not_evaluable="division | unit | book\n 370102001 | U2 | payroll",
    )
