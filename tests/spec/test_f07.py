"""F07 经费形式不符: a fund mode of the pay that is none of the person's fund forms.

定义：在编且发薪的人，发薪行的保障方式不是其任何一个编制的经费形式。
Flagged when somebody active and paid has a fund mode in P that is none of the person's fund forms.
无法判定：实名制或发薪缺报、退回；只报数字的单位。
Not evaluable: roster or payroll absent; units that deliver counts.
"""

from tests.spec.spec import check


def test_an_answer_for_every_unit_the_person_is_active_in():
    check(
        "F07",
        {
            "roster": """
            person | unit | type           | fund | status
            p1     | U1   |                | FULL |
            p1     | U2   |                | SELF |
            p2     | U1   |                | PART |
            p2     | U1   | SUPPORT        | FULL |
            p3     | U1   |                | FULL | RETIRED
            p4     | U1   | CONTROL_NUMBER | FULL |
            p5     | U1   |                | FULL |
            null   | U1   |                | SELF |
            p6     | U1   |                | FULL |
            p7     | U1   |                | FULL |
            """,
            "payroll": """
            person | payer | mode | amount
            p1     | U1    | PART |
            p1     | U1    | FULL |
            p2     | U1    | FULL |
            p2     | U1    | PART |
            p3     | U1    | SELF |
            p4     | U1    | SELF |
            p5     | U1    | SELF | 0
            p6     | U1    | FULL |
            p6     | U3    | SELF |
            p6     | U3    | SELF |
            px     | U1    | PART |
            null   | U1    | FULL |
            """,
        },
        """
        person | unit | type  | fund | expected  | found     | severity
        p1     | U1   | ADMIN | FULL | FULL;SELF | FULL;PART | S2
        p1     | U2   | ADMIN | SELF | FULL;SELF | FULL;PART | S2
        p6     | U1   | ADMIN | FULL | FULL      | FULL;SELF | S2
        """,
    )
