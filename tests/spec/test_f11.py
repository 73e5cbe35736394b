"""F11 只减不增: finance-paid people of a division against a year ago and against the base.

定义：区划的财政供养人数（全额、差额）多于去年同月，或多于供养基数。
Flagged when the finance-paid people of a division exceed those of the same month last year, or the sum of its base.
无法判定：发薪缺报、退回；去年同月和基数都不知道。有一类编制（控制数除外）的供养基数空白，合计的基数就不知道。
Not evaluable: payroll absent; neither last year's figure nor a base known. A blank base of one type (control numbers aside) leaves their sum unknown.
"""

from __future__ import annotations

import json

from tests.spec.spec import check

# Five people on the budget at units of the division, and one at a unit that belongs to another.
PAID = {
    "units": "unit | division \n U1 | 370102 \n U2 | 370102 \n T1 | 370102001",
    "roster": "person | unit | type \n k | U1 | CONTROL_NUMBER \n m | U1 | CONTROL_NUMBER \n m | U2 | ADMIN",
    "payroll": """
    person | payer | mode | month   | state   | est | amount | on_behalf_of
    a      | U1    | FULL |         |         |     |        |
    a      | U1    | PART |         |         |     |        |
    a      | U9    | PART |         |         |     |        | U2
    b      | U1    | SELF |         |         |     |        |
    c      | U1    | FULL |         | RETIRED |     |        |
    d      | U1    | FULL |         |         | NO  |        |
    e      | U1    | FULL |         |         |     | 0      |
    f      | U1    | FULL | 2026-09 |         |     |        |
    k      | U1    | FULL |         |         |     |        |
    m      | U1    | FULL |         |         |     |        |
    null   | U1    | FULL |         |         |     |        |
    null   | U1    | PART |         |         |     | -      |
    null   | U1    | SELF |         |         |     |        |
    t      | T1    | FULL |         |         |     |        |
    x      | X1    | FULL |         |         |     |        |
    """,
}
TOWN_HAS_NONE = "division | unit | book \n 370102001 | * | base"


def _paid(result) -> dict[str, int]:
    return {row["division_code"]: row["paid"] for row in result.division_paid}


def test_the_night_of_a_year_ago_is_the_limit_and_equal_is_within():
    result = check(
        "F11",
        PAID,
        "division | unit | expected | found | severity \n 370102 | - | 4 | 5 | S2",
        year_ago="division | paid \n 370102 | 4 \n 370102001 | 1 \n 370199 | 0",
        not_evaluable="",
    )
    assert _paid(result) == {"370102": 5, "370102001": 1}
    check("F11", PAID, None, year_ago="division | paid \n 370102 | 5", not_evaluable=TOWN_HAS_NONE)
    check("F11", PAID, "expected | found \n 0 | 5", year_ago="division | paid \n 370102 | 0")


def test_the_base_is_a_limit_too_and_the_smaller_binds():
    base = "type | base_paid | base_2012 \n ADMIN | 3 | 0 \n SUPPORT | 1 | 0 \n INSTITUTION | 0 | 0"
    check("F11", PAID | {"base": base}, "expected | found \n 4 | 5", not_evaluable=TOWN_HAS_NONE)
    check("F11", PAID | {"base": base}, "expected | found \n 3 | 5", year_ago="division | paid \n 370102 | 3")
    check("F11", PAID | {"base": base}, "expected | found \n 4 | 5", year_ago="division | paid \n 370102 | 9")
    check("F11", PAID | {"base": "base_paid \n 5"}, None, not_evaluable=TOWN_HAS_NONE)
    unknown = "division | unit | book \n 370102 | * | base \n 370102001 | * | base"
    check("F11", PAID | {"base": "base_paid \n -"}, None, not_evaluable=unknown)


def _ceilings(result) -> list[dict]:
    (row,) = (row for row in result.findings if row["rule"] == "F11")
    return json.loads(row["evidence"])["ceilings"]


def test_a_type_without_a_figure_leaves_the_base_unknown_and_no_limit():
    base = {"base": "type | base_paid \n ADMIN | 1 \n SUPPORT | -"}
    unknown = "division | unit | book \n 370102 | * | base \n 370102001 | * | base"
    check("F11", PAID | base, None, not_evaluable=unknown)
    # Last year's limit stands by itself; the base is then no limit beside it.
    result = check("F11", PAID | base, "expected | found \n 4 | 5", year_ago="division | paid \n 370102 | 4")
    assert _ceilings(result) == [{"limit": "NIGHT_A_YEAR_AGO", "figure": 4, "month": "2025-10"}]
    check("F11", PAID | base, None, year_ago="division | paid \n 370102 | 5", not_evaluable=TOWN_HAS_NONE)


def test_control_numbers_are_in_no_limit_as_they_are_in_no_total():
    numbers = {"base": "type | base_paid \n ADMIN | 1 \n CONTROL_NUMBER | 5"}
    result = check("F11", PAID | numbers, "expected | found \n 1 | 5", not_evaluable=TOWN_HAS_NONE)
    assert _ceilings(result) == [{"limit": "BASE", "figure": 1, "rows": 1}]
    blank = {"base": "type | base_paid \n ADMIN | 1 \n CONTROL_NUMBER | -"}
    check("F11", PAID | blank, "expected | found \n 1 | 5", not_evaluable=TOWN_HAS_NONE)
    alone = {"base": "type | base_paid \n CONTROL_NUMBER | 1"}
    unknown = "division | unit | book \n 370102 | * | base \n 370102001 | * | base"
    check("F11", PAID | alone, None, not_evaluable=unknown)


def test_of_several_rows_of_one_type_the_smallest_known_counts_once():
    base = """
        type    | base_paid | base_2012 | by
        ADMIN   | 3         | 7         | 370102
        ADMIN   | 4         | 7         | 370102
        ADMIN   | -         | 8         | 370102
        SUPPORT | 1         | 7         | 370102
    """
    result = check("F11", PAID | {"base": base}, "expected | found \n 4 | 5", not_evaluable=TOWN_HAS_NONE)
    assert _ceilings(result) == [{"limit": "BASE", "figure": 4, "rows": 2}]


def test_without_a_night_of_then_the_book_itself_is_counted_the_same_way():
    then = """
    a      | U1    | FULL | 2025-10 | | | | \n a | U1 | FULL | 2025-10 | | | | \n b | U1 | SELF | 2025-10 | | | |
    k      | U1    | FULL | 2025-10 | | | | \n null | U2 | PART | 2025-10 | | | | \n null | U2 | SELF | 2025-10 | | | |
    e      | U1    | FULL | 2025-10 | | | 0 | \n c | U1 | FULL | 2025-10 | RETIRED | | | \n f | U1 | FULL | 2025-09 | | | |
    """
    books = PAID | {"payroll": PAID["payroll"] + then}
    check("F11", books, "division | expected | found \n 370102 | 2 | 5", not_evaluable=TOWN_HAS_NONE)
    check("F11", books, "expected | found \n 4 | 5", year_ago="division | paid \n 370102 | 4")
    nobody = PAID | {
        "payroll": PAID["payroll"] + "z | U1 | FULL | 2025-10 | RETIRED | | | \n z | X1 | FULL | 2025-10 | | | |"
    }
    check("F11", nobody, "division | expected | found \n 370102 | 0 | 5", not_evaluable=TOWN_HAS_NONE)


def test_a_division_whose_payroll_did_not_come_is_not_evaluable_and_has_no_figure():
    books = {
        "units": "unit | by | division \n U1 | 370102 | 370102 \n N1 | 370103 | 370103 \n N2 | 370103 | 370103001",
        "roster": "person | unit | by \n a | U1 | 370102 \n b | N1 | 370103",
        "payroll": "person | payer | by \n a | U1 | 370102 \n b | N1 | 370102",
    }
    result = check(
        "F11",
        books,
        "division | expected | found \n 370102 | 0 | 1",
        year_ago="division | paid \n 370102 | 0 \n 370103 | 0 \n 370103001 | 0",
        verdicts="division | book | state \n 370103 | payroll | refused",
        not_evaluable="division | unit | book \n 370103 | * | payroll \n 370103001 | * | payroll",
    )
    assert _paid(result) == {"370102": 1}


def test_a_division_of_counts_is_not_evaluable_and_a_unit_of_counts_among_persons_is_counted_by_its_pay():
    result = check(
        "F11",
        {
            "units": "unit | by | delivers \n U1 | 370102 | \n C1 | 370102 | COUNTS \n N1 | 370103 |",
            "payroll": "person | payer \n a | U1 \n b | C1",
            "headcount": "unit | by | measure | count \n N1 | 370103 | PAID | 9 \n C1 | 370102 | PAID | 9",
        },
        "division | found \n 370102 | 2",
        year_ago="division | paid \n 370102 | 0 \n 370103 | 0",
        not_evaluable="division | unit | book \n 370103 | * | payroll",
    )
    assert _paid(result) == {"370102": 2}


def test_without_its_register_nobody_is_known_to_belong_to_a_division():
    books = {"units": "unit | by | division \n C1 | 370100 | 370102", "payroll": "person | payer \n a | U1 \n b | C1"}
    limits = "division | paid \n 370102 | 0 \n 370103 | 0"
    result = check(
        "F11",
        books,
        None,
        year_ago=limits,
        verdicts="division | book | state \n 370102 | units | missing \n 370103 | payroll | accepted",
        not_evaluable="division | unit | book \n 370100 | * | payroll \n 370102 | * | units \n 370103 | * | units",
    )
    assert result.division_paid == []


def test_a_folder_none_of_whose_units_is_of_its_own_division_has_no_figure():
    result = check(
        "F11",
        {"units": "unit | division \n T1 | 370102001", "payroll": "person | payer \n a | T1 \n b | X1"},
        "division | found \n 370102001 | 1",
        year_ago="division | paid \n 370102 | 0 \n 370102001 | 0",
        not_evaluable="",
    )
    assert _paid(result) == {"370102001": 1}
