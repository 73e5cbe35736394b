"""F05 一人多薪: two or more payers in M.

定义：一人本月由两个以上单位在编发薪。
Flagged when somebody is in P with two or more payers in M, across divisions and levels too.
无法判定：发薪缺报、退回；只报数字的单位。
Not evaluable: payroll absent; units that deliver counts.
"""

from tests.spec.spec import check


def test_the_roster_unit_that_pays_owns_it_else_the_smallest_payer():
    check(
        "F05",
        {
            "units": "unit | by\n U1 |\n U2 |\n U3 | 370103\n U4 |",
            "roster": """
            person | unit | type           | status
            p1     | U2   | SUPPORT        |
            p2     | U4   |                |
            p3     | U2   | CONTROL_NUMBER |
            p4     | U2   |                | RETIRED
            null   | U1   |                |
            """,
            "payroll": """
            person | payer | on_behalf_of | amount | by     | state
            p1     | U1    |              |        |        |
            p1     | U2    |              |        |        |
            p2     | U3    |              |        | 370103 |
            p2     | U1    |              |        |        |
            p3     | U1    |              |        |        |
            p3     | U1    | U2           |        |        |
            p4     | U2    |              | -100   |        |
            p4     | U1    |              | 100    |        |
            p5     | U1    |              |        |        |
            p5     | U1    |              | 0      |        |
            p6     | U1    |              |        |        |
            p6     | U2    |              |        |        | RETIRED
            p7     | U2    |              | 0      |        |
            p7     | U3    |              | null   | 370103 |
            p7     | U1    |              | 1      |        |
            null   | U1    |              |        |        |
            null   | U2    |              |        |        |
            """,
        },
        """
        person | unit | type           | fund | expected | found | severity
        p1     | U2   | SUPPORT        | FULL | 1        | 2     | S1
        p2     | U1   | ADMIN          | FULL | 1        | 2     | S1
        p3     | U2   | CONTROL_NUMBER | FULL | 1        | 2     | S1
        p7     | U1   |                |      | 1        | 3     | S1
        """,
    )
