"""D05 统计不实: a delivered figure against ours.

定义：报送的在职在编数字与我方从人员名册数出的不同；由分项相加的合计行不在此比对（见 D06），各分项与本单位的数字比对。
Flagged when a delivered figure of scope ON_ESTABLISHMENT differs from ours, for units that deliver persons. The total of parts is not one unit's
figure and is left to D06; each part is held against its own unit.
无法判定：所比的人员名册或编制缺报、退回；编制数不明。
Not evaluable: the book ours comes from absent; the quota unknown.
"""

from tests.spec.spec import check

BOOKS = {
    "units": "unit | delivers\n U1 |\n U2 | COUNTS\n U3 |\n U4 |",
    "roster": """
    person | unit | type           | fund
    p1     | U1   | ADMIN          | FULL
    null   | U1   | SUPPORT        | PART
    p2     | U1   | CONTROL_NUMBER | FULL
    p3     | U3   | ADMIN          | FULL
    """,
    "payroll": """
    person | payer | mode
    p1     | U1    | FULL
    p1     | U1    | FULL
    p2     | U1    | FULL
    p4     | U1    | SELF
    null   | U1    | PART
    """,
    "establishment": """
    unit | type           | fund | quota | copy
    U1   | ADMIN          | FULL | 5     |
    U1   | SUPPORT        | PART | 0     |
    U1   | CONTROL_NUMBER | FULL | 7     |
    U4   | ADMIN          | FULL | 7     | CERTIFICATE
    """,
}


def test_blank_type_or_form_means_all_and_unlike_scopes_are_never_compared():
    check(
        "D05",
        BOOKS
        | {
            "headcount": """
            unit | measure | type           | fund | count | scope      | source | part_of
            U1   | QUOTA   | null           | null | 5     |            | 年报   |
            U1   | QUOTA   | null           | null | 6     |            | 快报   |
            U1   | QUOTA   | CONTROL_NUMBER | null | 6     |            |        |
            U1   | QUOTA   | SUPPORT        | PART | 0     |            |        |
            U1   | IN_POST | null           | FULL | 2     |            |        |
            U1   | IN_POST | null           | null | 2     |            |        |
            U1   | IN_POST | ADMIN          | FULL | 1     |            |        | U9
            U1   | IN_POST | ADMIN          | FULL | 3     | IN_SERVICE |        |
            U1   | IN_POST | SUPPORT        | null | null  |            |        |
            U1   | PAID    | null           | null | 2     |            |        |
            U1   | PAID    | null           | PART | 0     |            |        |
            U1   | PAID    | null           | SELF | 9     |            |        |
            U1   | PAID    | ADMIN          | FULL | 9     |            |        |
            U2   | IN_POST | ADMIN          | FULL | 9     |            |        |
            U3   | IN_POST | ADMIN          | FULL | 9     |            |        |
            U3   | IN_POST | ADMIN          | FULL | 8     |            |        |
            U4   | QUOTA   | ADMIN          | FULL | 7     |            |        |
            U9   | IN_POST | null           | null | 1     |            |        |
            """
        },
        """
        unit | measure | type           | fund | source | expected | found | severity | cause
        U1   | QUOTA   |                |      | 快报   | 5        | 6     | S2       |
        U1   | QUOTA   | CONTROL_NUMBER |      |        | 7        | 6     | S2       |
        U1   | IN_POST |                | FULL |        | 1        | 2     | S2       |
        U1   | PAID    |                | PART |        | 1        | 0     | S2       |
        U1   | PAID    |                | SELF |        | 1        | 9     | S2       |
        U3   | IN_POST | ADMIN          | FULL |        | 1        | 8     | S4       | QUARANTINE
        U9   | IN_POST |                |      |        | 0        | 1     | S2       |
        """,
        quarantine="book | unit\n roster | U3\n payroll | U3",
        not_evaluable="division | unit | book\n 370102 | U4 | establishment\n 370102 | U1 | headcount",
    )


def test_each_measure_needs_its_own_book():
    check(
        "D05",
        {
            "roster": BOOKS["roster"],
            "headcount": "unit | measure | type | count\n U1 | IN_POST | ADMIN | 9\n U1 | PAID | null | 9",
        },
        "unit | measure | expected | found\n U1 | IN_POST | 1 | 9",
        verdicts="book | state\n payroll | missing",
        not_evaluable="division | unit | book\n 370102 | * | payroll",
    )


def test_a_part_is_held_against_its_own_unit_and_the_total_of_parts_is_not():
    check(
        "D05",
        {
            "roster": "person | unit\n p1 | U1\n p2 | U2\n p3 | U2\n p4 | U3\n p5 | U6",
            "payroll": "person | payer\n p1 | U1\n p2 | U2\n p3 | U2\n p4 | U3\n p5 | U6",
            "headcount": """
            unit | measure | type  | fund | count | part_of | source
            U2   | IN_POST | ADMIN | FULL | 50    | U9      | 月报
            U1   | PAID    |       |      | 3     |         | 月报
            U1   | PAID    |       |      | 1     | U1      | 月报
            U2   | PAID    |       |      | 2     | U1      | 月报
            U1   | IN_POST | ADMIN |      | 3     |         | 月报
            U1   | IN_POST | ADMIN |      | 2     | U1      | 月报
            U3   | IN_POST | ADMIN |      | 1     | U1      | 月报
            U3   | IN_POST |       |      | 7     |         | 月报
            U6   | IN_POST |       |      | 2     | U3      | 年报
            U6   | IN_POST |       |      | 3     |         | 年报
            """,
        },
        """
        unit | measure | type  | fund | source | expected | found | severity
        U2   | IN_POST | ADMIN | FULL | 月报   | 2        | 50    | S2
        U1   | IN_POST | ADMIN |      | 月报   | 1        | 2     | S2
        U3   | IN_POST |       |      | 月报   | 1        | 7     | S2
        U6   | IN_POST |       |      | 年报   | 1        | 2     | S2
        """,
    )


def test_totals_are_of_one_scope_measure_type_and_form_and_a_part_may_be_a_total_itself():
    check(
        "D05",
        {
            "roster": "person | unit\n p1 | U1\n p2 | U2\n p3 | U3",
            "headcount": """
            unit | measure | type  | fund | scope        | count | part_of
            U1   | IN_POST |       |      |              | 4     |
            U2   | QUOTA   |       |      |              | 99    | U1
            U2   | IN_POST | ADMIN |      |              | 1     | U1
            U2   | IN_POST |       | FULL |              | 1     | U1
            U2   | IN_POST |       |      | YEAR_END_ALL | 3     | U1
            U2   | IN_POST |       |      |              | 2     | U9
            U3   | IN_POST |       |      |              | 1     | U2
            U3   | IN_POST |       |      |              | null  | U3
            """,
        },
        "unit | measure | expected | found\n U1 | IN_POST | 1 | 4",
        not_evaluable="division | unit | book\n 370102 | U3 | headcount",
    )
