"""D01 一人占两编: active in two units, or in two cells of one.

定义：一人在两个单位、或一个单位的两个单元格在编。
Flagged when somebody is active in two units, or in two cells of one.
无法判定：实名制缺报、退回；只报数字的单位。
Not evaluable: roster absent; units that deliver counts.
"""

from tests.spec.spec import check


def test_two_places_are_one_finding_owned_by_the_smallest_unit():
    check(
        "D01",
        {
            "units": "unit | delivers\n U1 |\n U2 |\n U3 | COUNTS",
            "roster": """
            person | unit | type           | fund | status    | exit
            p1     | U2   |                |      |           |
            p1     | U1   | SUPPORT        | PART |           |
            p2     | U1   |                |      |           |
            p2     | U1   | CONTROL_NUMBER |      |           |
            p3     | U1   |                |      |           |
            p3     | U1   |                |      |           |
            p4     | U1   |                |      |           |
            p4     | U2   |                |      | OFF_QUOTA |
            p5     | U1   |                |      |           |
            p5     | U2   |                |      | LEFT      | 2026-10-20
            p6     | U1   |                |      |           |
            p6     | U3   |                |      |           |
            null   | U1   |                |      |           |
            null   | U2   |                |      |           |
            """,
            "payroll": "person | payer\n px | U1",
        },
        """
        person | unit | type           | fund | expected | found | severity
        p1     | U1   | SUPPORT        | PART | 1        | 2     | S2
        p2     | U1   | ADMIN          | FULL | 1        | 2     | S2
        """,
        not_evaluable="division | unit | book\n 370102 | U3 | roster",
    )
