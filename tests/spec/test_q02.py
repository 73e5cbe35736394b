"""Q02 分类超编: the same per type, control numbers against their own number.

定义：单位某一编制类型的实有人数多于该类型的允许数，哪怕单位合计未超；控制数与自己的控制数比。
Flagged when in post of a post type exceeds what it is allowed, even where the unit's total is within; control numbers against their own number.
无法判定：实名制或编制缺报、退回；该类型有编制数不明的单元格；只报数字的单位没有按类型报送。
Not evaluable: roster or establishment absent; a cell of the type of unknown quota; a counted unit that does not state people by type.
"""

from tests.spec.spec import check


def test_each_type_is_held_against_its_own_posts_even_where_the_unit_is_within():
    check(
        "Q02",
        {
            "roster": """
            person | unit | type           | fund
            p1     | U1   | SUPPORT        |
            p2     | U1   | SUPPORT        | PART
            p3     | U1   | ADMIN          |
            p3     | U1   | ADMIN          |
            null   | U2   | ADMIN          |
            p4     | U2   | CONTROL_NUMBER |
            p5     | U3   | ADMIN          |
            """,
            "establishment": """
            unit | type    | quota | copy
            U1   | SUPPORT | 1     |
            U1   | ADMIN   | 9     |
            U2   | ADMIN   | 0     |
            U3   | ADMIN   | 1     | CERTIFICATE
            U3   | SUPPORT | 0     |
            U4   | ADMIN   | 5     |
            """,
        },
        """
        unit | type           | fund | expected | found | severity
        U1   | SUPPORT        |      | 1        | 2     | S2
        U2   | ADMIN          |      | 0        | 1     | S2
        U2   | CONTROL_NUMBER |      | 0        | 1     | S2
        """,
        not_evaluable="division | unit | book\n 370102 | U3 | establishment",
    )


def test_a_type_without_a_row_beside_a_bare_total_is_unknown_and_beside_types_it_is_zero():
    check(
        "Q02",
        {
            "units": "unit | delivers\n C1 | COUNTS\n C2 | COUNTS",
            "headcount": """
            unit | measure | type    | fund | count
            C1   | QUOTA   | null    | null | 5
            C1   | IN_POST | ADMIN   | FULL | 3
            C2   | QUOTA   | ADMIN   | FULL | 0
            C2   | IN_POST | ADMIN   | FULL | 0
            C2   | IN_POST | SUPPORT | null | 2
            """,
        },
        "unit | type | expected | found\n C2 | SUPPORT | 0 | 2",
        not_evaluable="division | unit | book\n 370102 | C1 | establishment",
    )
