"""Q11 机构限额: valid units of a division and kind against the limit.

定义：区划内某机构类别在时点有效的机构数大于限额。
Flagged when the units of a kind valid on A exceed the division's limit.
无法判定：没有限额名册；机构缺报、退回；时点当月成立或撤销、不知哪天的机构算不算数决定结论的。
Not evaluable: no limits book speaks for the folder; units absent; where units founded or closed in the month of A, no day known, decide.
"""

from __future__ import annotations

from tests.spec.spec import check

SOMEBODY = {"roster": "person \n a"}


def test_valid_units_of_a_kind_are_counted_and_equal_is_within():
    check(
        "Q11",
        SOMEBODY
        | {
            "units": """
            unit | kind        | from       | to
            U1   | ORGAN       |            |
            U2   | ORGAN       | 2026-10-20 |
            U3   | ORGAN       |            | 2026-10-20
            U4   | ORGAN       | 2026-10-21 |
            U5   | ORGAN       |            | 2026-10-19
            U6   | ORGAN       | 2001-01-01 | 2026-10-20
            U6   | ORGAN       | 2026-10-21 |
            I1   | INSTITUTION |            |
            I2   | INSTITUTION |            |
            R1   | REF_UNIT    |            |
            """,
            "limits": """
            kind        | max_units
            ORGAN       | 3
            INSTITUTION | 2
            REF_UNIT    | 0
            """,
        },
        """
        division | unit_kind | expected | found | severity | unit
        370102   | ORGAN     | 3        | 4     | S2       |
        370102   | REF_UNIT  | 0        | 1     | S2       |
        """,
        not_evaluable="",
    )


def test_a_kind_on_one_side_only_breaks_nothing_and_of_two_limits_the_smaller_counts():
    check(
        "Q11",
        SOMEBODY
        | {
            "units": "unit | kind \n U1 | ORGAN \n U2 | ORGAN \n I1 | INSTITUTION",
            "limits": "kind | max_units \n ORGAN | 1 \n ORGAN | 1 \n ORGAN | 5 \n REF_UNIT | 0",
        },
        "unit_kind | expected | found \n ORGAN | 1 | 2",
        not_evaluable="",
    )


def test_a_division_has_its_own_limit_and_units_count_whoever_delivered_them():
    check(
        "Q11",
        SOMEBODY
        | {
            "units": """
            unit | by     | division
            C1   | 370100 | 370100
            U1   | 370100 | 370102
            U2   | 370102 | 370102
            T1   | 370102 | 370102001
            T2   | 370102 | 370102001
            """,
            "limits": """
            division  | max_units | by
            370100    | 1         | 370100
            370102    | 1         | 370100
            370102001 | 1         | 370100
            370199    | 0         | 370100
            """,
        },
        """
        division  | expected | found
        370102    | 1        | 2
        370102001 | 1        | 2
        """,
        not_evaluable="",
    )


def test_a_folder_for_which_no_limits_speak_is_not_evaluable():
    units = "unit | by \n C1 | 370100 \n U1 | 370102 \n N1 | 370103 \n S1 | 370104"
    limits = "division | max_units | by \n 370100 | 0 | 370100 \n 370104 | 0 | 370100"
    check(
        "Q11",
        SOMEBODY | {"units": units, "limits": limits},
        "division | expected | found \n 370100 | 0 | 1 \n 370104 | 0 | 1",
        verdicts="division | book | state \n 370103 | limits | missing \n"
        " 370104 | limits | refused \n 371300 | limits | unasked",
        not_evaluable="division | unit | book \n 370103 | * | limits \n 371300 | * | limits",
    )
    check("Q11", SOMEBODY, None, not_evaluable="division | unit | book \n 370102 | * | limits")


def test_without_the_register_of_the_division_its_units_cannot_be_counted():
    units = "unit | by | division \n C1 | 370100 | 370100 \n U1 | 370100 | 370102 \n N1 | 370100 | 370103 \n S1 | 370100 | 370104"
    limits = "\n".join(
        ["division | max_units | by", *(f"{d} | 0 | 370100" for d in ("370102", "370103", "370104", "370100"))]
    )
    check(
        "Q11",
        SOMEBODY | {"units": units, "limits": limits},
        "division | found \n 370100 | 1 \n 370104 | 1",
        verdicts="""
        division | book  | state
        370102   | units | missing
        370103   | units | unasked
        370104   | units | absent
        """,
        not_evaluable="division | unit | book \n 370102 | * | units \n 370103 | * | units",
    )


def test_units_that_may_be_valid_break_no_limit_and_leave_it_open():
    check(
        "Q11",
        SOMEBODY
        | {
            "units": """
            unit | kind        | from       | valid_from_exact
            U1   | ORGAN       |            |
            U2   | ORGAN       | 2026-10-01 | no
            I1   | INSTITUTION |            |
            I2   | INSTITUTION |            |
            I3   | INSTITUTION | 2026-10-01 | no
            R1   | REF_UNIT    | 2026-10-01 | no
            """,
            "limits": "kind | max_units \n ORGAN | 1 \n INSTITUTION | 1 \n REF_UNIT | 1",
        },
        "unit_kind | expected | found \n INSTITUTION | 1 | 2",
        not_evaluable="division | unit | book \n 370102 | * | units",
    )
