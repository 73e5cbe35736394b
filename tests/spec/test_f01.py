"""F01 有薪无编: in P and in no roster of the night.

定义：本月在编发薪的人，不在任何一份实名制名册里。
Flagged when somebody in P is in no roster of the night.
无法判定：任何一份应报的实名制缺报、退回；发薪缺报、退回；只报数字的单位。
Not evaluable: any expected roster absent anywhere; payroll absent; units that deliver counts.
"""

from tests.spec.spec import check


def test_whoever_is_in_any_roster_in_whatever_state_is_not_f01():
    check(
        "F01",
        {
            "units": "unit | delivers\n U1 |\n U2 |\n U3 |\n U4 |\n U5 | COUNTS",
            "roster": """
            person | unit | type           | status
            p1     | U1   |                |
            p2     | U1   |                | OFF_QUOTA
            p3     | U1   | CONTROL_NUMBER | LEFT
            p4     | U5   |                |
            p0     | U1   |                |
            null   | U3   |                |
            """,
            "payroll": """
            person | payer | amount | state     | est | on_behalf_of | month
            p1     | U1    |        |           |     |              |
            p2     | U1    |        |           |     |              |
            p3     | U1    |        |           |     |              |
            p4     | U1    |        |           |     |              |
            p5     | U2    | null   |           |     | U1           |
            p5     | U4    |        |           |     |              |
            p5     | U4    |        |           |     |              |
            p6     | U2    | 0      |           |     |              |
            p7     | U2    |        | TEMPORARY |     |              |
            p8     | U2    |        |           | NO  |              |
            p9     | U2    |        |           |     |              | 2026-09
            pa     | U3    |        |           |     |              |
            pb     | U4    |        |           |     |              |
            pc     | U5    |        |           |     |              |
            null   | U2    |        |           |     |              |
            """,
        },
        """
        person | unit | type | fund | expected | found | severity | cause
        p5     | U1   |      |      | 0        | 1     | S1       |
        pa     | U3   |      |      | 0        | 1     | S4       | BLANK_ID
        pb     | U4   |      |      | 0        | 1     | S4       | QUARANTINE
        """,
        quarantine="book | unit\n roster | U4\n payroll | U1",
        not_evaluable="division | unit | book\n 370102 | U5 | roster",
    )


def test_while_any_expected_roster_is_missing_nobody_is_accused():
    check(
        "F01",
        {"payroll": "person | payer\n p1 | U1"},
        None,
        verdicts="division | book | state\n 370103 | roster | missing\n 370103 | payroll | accepted",
        not_evaluable="division | unit | book\n 370102 | * | roster\n 370103 | * | roster",
    )


def test_the_dead_and_the_departed_are_named_by_the_graver_rule_alone():
    check(
        "F01",
        {
            "payroll": "person | payer\n p1 | U1\n p2 | U1",
            "leads": "person | date\n p1 | 2026-09-30\n p2 | 2026-10-01",
        },
        "person | unit | severity\n p2 | U1 | S1",
    )
