"""Missing, refused and unexpected books, count-only units, the division above: which pay rules answer for whom."""

import pytest

from tests.spec.spec import Result, check

TWO_DIVISIONS = {
    "roster": "person | unit | by\nunpaid | U1 | 370102\nunpaid-too | V1 | 370103",
    "payroll": "person | payer | by\nnobody | U1 | 370102\nnobody-too | V1 | 370103",
    "units": "unit | by\nU1 | 370102\nV1 | 370103",
}
PAY_RULES = {"F01", "F02", "F03", "F04", "F05", "F07", "F08", "F09"}


def silent(result: Result, folder: str, book: str, unit: str = "*") -> set[str]:
    """Pay rules that could not judge for want of the book."""
    wanted = (folder, unit, book)
    gaps = {g["rule"] for g in result.not_evaluable if (g["division_code"], g["unit_code"], g["book"]) == wanted}
    return gaps & PAY_RULES


@pytest.mark.parametrize("state", ["missing", "refused"])
def test_an_expected_roster_that_is_absent_silences_f01_f03_and_f09_everywhere(state):
    books = TWO_DIVISIONS | {"roster": "person\nunpaid"}
    result = check("F02", books, "person\nunpaid", verdicts=f"division | book | state\n370103 | roster | {state}")
    assert silent(result, "370102", "roster") == {"F01", "F03", "F09"}
    assert silent(result, "370103", "roster") == {"F01", "F02", "F03", "F07", "F08", "F09"}
    assert {row["rule"] for row in result.findings} & {"F01", "F03", "F09"} == set()


def test_an_unexpected_roster_that_is_refused_silences_its_own_division_only():
    books = TWO_DIVISIONS | {"roster": "person\nunpaid"}
    verdicts = "division | book | state\n370103 | roster | unasked"
    result = check("F01", books, "person\nnobody", verdicts=verdicts)
    assert silent(result, "370102", "roster") == set()
    assert silent(result, "370103", "roster") == {"F01", "F02", "F03", "F07", "F08", "F09"}


@pytest.mark.parametrize("state", ["missing", "refused", "unasked"])
def test_a_payroll_that_is_absent_silences_its_own_division_only(state):
    books = TWO_DIVISIONS | {"payroll": "person\nnobody"}
    result = check("F02", books, "person\nunpaid", verdicts=f"division | book | state\n370103 | payroll | {state}")
    assert silent(result, "370103", "payroll") == PAY_RULES
    assert silent(result, "370102", "payroll") == set()


def test_a_count_only_unit_among_others_answers_no_person_rule():
    result = check(
        "F05",
        {
            "units": "unit | delivers\nU1 | PERSONS\nA9 | COUNTS",
            "roster": "person | unit\nunpaid | A9\nstranger | A9",
            "payroll": "person | payer | mode\nnobody | A9 |\ntwo | A9 |\ntwo | U1 |\nstranger | U1 | SELF",
        },
        None,
    )
    assert silent(result, "370102", "roster", "A9") == PAY_RULES - {"F09"}
    assert silent(result, "370102", "headcount", "A9") == {"F09"}
    assert {row["person_key"] for row in result.findings if row["unit_code"] == "A9"} == set()


def test_a_division_that_neither_delivers_nor_owes_persons_is_count_only():
    result = check(
        "F09",
        {
            "units": "unit | by\nC1 | 370104",
            "headcount": "unit | measure | count | by\nC1 | IN_POST | 3 | 370104\nC1 | PAID | 2 | 370104",
        },
        "unit | expected | found | severity | cause\nC1 | 3 | 2 | S2 | PERSONS_NOT_DELIVERED",
    )
    assert silent(result, "370104", "roster") == PAY_RULES - {"F09"}


@pytest.mark.parametrize("book", ["roster", "payroll"])
def test_a_division_whose_people_fail_to_arrive_is_not_judged_by_its_headcount(book):
    check(
        "F09",
        {
            "units": "unit | by\nC1 | 370104",
            "headcount": "unit | measure | count | by\nC1 | IN_POST | 3 | 370104\nC1 | PAID | 2 | 370104",
        },
        None,
        verdicts=f"division | book | state\n370104 | {book} | missing",
    )


def test_the_books_of_the_division_above_serve_only_the_units_they_name():
    result = check(
        "F01",
        {
            "units": "unit | by\nT1 | 370102001\nT2 | 370102001",
            "roster": "person | unit | by\nx | T1 | 370102",
            "payroll": "person | payer | by\np | T1 | 370102001\nq | T2 | 370102001",
        },
        "person | unit | division | found\np | T1 | 370102001 | 1",
        not_evaluable="division | unit | book\n370102001 | T2 | roster",
    )
    assert silent(result, "370102001", "roster", "T2") >= {"F01", "F02", "F03"}


def test_leads_of_the_division_above_are_enough_and_those_of_a_neighbour_are_not():
    check(
        "F04",
        {
            "payroll": "person | payer | by\np | U1 | 370102\nq | V1 | 370202",
            "leads": "person | date | by\np | 2026-01-01 | 370100\nq | 2026-01-01 | 370100",
        },
        "person | found\np | 2026-01-01",
        not_evaluable="division | unit | book\n370202 | * | leads\n370100 | * | roster",
    )


def test_a_payer_unknown_to_units_belongs_to_the_folder_that_names_it():
    check(
        "F01",
        {"units": "unit\nU1", "payroll": "person | payer\np | U7\np | U7\nnull | U7"},
        "person | unit | division | found\np | U7 | 370102 | 1",
    )
