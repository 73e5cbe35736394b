"""F08 发薪单位不符: no payer is a unit of the person.

定义：在编且发薪的人，没有一个发薪单位是其在编单位、借调单位或本月内离开的单位。
Flagged when somebody active and paid has no payer that is a unit the person is active in, seconded out to, or left within M.
无法判定：实名制或发薪缺报、退回；只报数字的单位。
Not evaluable: roster or payroll absent; units that deliver counts.
"""

from tests.spec.spec import check


def test_the_own_unit_secondment_and_a_move_within_the_month_excuse_the_payer():
    check(
        "F08",
        {
            "roster": """
            person | unit | type           | status       | seconded_to | exit
            p1     | U1   |                |              |             |
            p2     | U1   |                | SECONDED_OUT | U2          |
            p3     | U1   |                | SECONDED_OUT | null        |
            p4     | U1   |                |              |             |
            p4     | U2   |                | LEFT         |             | 2026-10-15
            p5     | U1   |                |              |             |
            p5     | U2   |                | LEFT         |             | 2026-10-01
            p6     | U1   |                |              |             |
            p6     | U3   |                |              |             |
            p7     | U1   | CONTROL_NUMBER |              |             |
            p8     | U1   |                |              |             |
            p9     | U1   |                |              | U2          |
            null   | U1   |                |              |             |
            """,
            "payroll": """
            person | payer | on_behalf_of | amount
            p1     | U2    | U1           |
            p2     | U2    |              |
            p3     | U2    |              |
            p4     | U2    |              |
            p5     | U2    |              |
            p6     | U2    |              |
            p6     | U4    |              |
            p6     | U4    |              |
            p7     | U2    |              |
            p8     | U2    |              | 0
            p9     | U2    |              |
            px     | U2    |              |
            null   | U2    |              |
            """,
        },
        """
        person | unit | expected | found | severity
        p3     | U1   | U1       | U2    | S3
        p5     | U1   | U1       | U2    | S3
        p6     | U1   | U1       | U2;U4 | S3
        p6     | U3   | U3       | U2;U4 | S3
        p9     | U1   | U1       | U2    | S3
        """,
    )


def test_who_was_outside_the_quota_of_the_payer_left_nothing_there():
    check(
        "F08",
        {
            "roster": """
            person | unit | status    | exit
            p1     | U1   |           |
            p1     | U2   | OFF_QUOTA | 2026-10-10
            p2     | U1   |           |
            p2     | U2   | LEFT      | 2026-10-10
            """,
            "payroll": "person | payer\n p1 | U2\n p2 | U2",
        },
        "person | unit | expected | found | severity\n p1 | U1 | U1 | U2 | S3",
    )
