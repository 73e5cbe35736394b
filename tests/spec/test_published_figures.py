"""Five real units that publish counts and no persons: what a night over their figures must say, and must not say."""

from functools import cache

import pytest

from tests.spec.spec import ENGINE, Judge, Result, check

PERSON_RULES = ("Q03", "Q04", "F01", "F02", "F03", "F04", "F05", "F07", "F08", "D01", "D02", "D07")

UNITS = """
    unit      | by     | level    | kind        | doc | parent_code
    PL-RD     | 530103 | COUNTY   | ORGAN       | null   | null
    SY-LGB    | 360724 | COUNTY   | INSTITUTION | null   | null
    DQ-TJ     | 533422 | COUNTY   | ORGAN       | null   | null
    YG        | 532503 | TOWNSHIP | ORGAN       | null   | null
    YG-01     | 532503 | TOWNSHIP | ORGAN       | null   | YG
    YG-02     | 532503 | TOWNSHIP | ORGAN       | null   | YG
    YG-03     | 532503 | TOWNSHIP | ORGAN       | null   | YG
    YG-04     | 532503 | TOWNSHIP | ORGAN       | null   | YG
    YG-05     | 532503 | TOWNSHIP | ORGAN       | null   | YG
    XW        | 430981 | TOWNSHIP | ORGAN       | null   | null
    XW-在职   | 430981 | TOWNSHIP | ORGAN       | null   | XW
    XW-离退休 | 430981 | TOWNSHIP | ORGAN       | null   | XW
    XW-遗属   | 430981 | TOWNSHIP | ORGAN       | null   | XW"""

FIGURES = """
    unit      | by     | measure | type              | fund | scope            | count | part_of | source
    PL-RD     | 530103 | QUOTA   | ADMIN             | FULL | ON_ESTABLISHMENT | 34    | null       | 2017
    PL-RD     | 530103 | IN_POST | ADMIN             | FULL | ON_ESTABLISHMENT | 32    | null       | 2017
    SY-LGB    | 360724 | QUOTA   | ADMIN             | FULL | ON_ESTABLISHMENT | 0     | null       | 2025
    SY-LGB    | 360724 | QUOTA   | CIVIL_SERVICE_REF | FULL | ON_ESTABLISHMENT | 0     | null       | 2025
    SY-LGB    | 360724 | QUOTA   | INSTITUTION       | FULL | ON_ESTABLISHMENT | 5     | null       | 2025
    SY-LGB    | 360724 | IN_POST | ADMIN             | FULL | ON_ESTABLISHMENT | 3     | null       | 2025
    SY-LGB    | 360724 | IN_POST | CIVIL_SERVICE_REF | FULL | ON_ESTABLISHMENT | 0     | null       | 2025
    SY-LGB    | 360724 | IN_POST | INSTITUTION       | FULL | ON_ESTABLISHMENT | 5     | null       | 2025
    DQ-TJ     | 533422 | QUOTA   | ADMIN             | FULL | ON_ESTABLISHMENT | 7     | null       | 2018
    DQ-TJ     | 533422 | QUOTA   | SUPPORT           | FULL | ON_ESTABLISHMENT | 1     | null       | 2018
    DQ-TJ     | 533422 | QUOTA   | INSTITUTION       | FULL | ON_ESTABLISHMENT | 8     | null       | 2018
    DQ-TJ     | 533422 | IN_POST | ADMIN             | FULL | ON_ESTABLISHMENT | 7     | null       | 2018
    DQ-TJ     | 533422 | IN_POST | SUPPORT           | FULL | ON_ESTABLISHMENT | 1     | null       | 2018
    DQ-TJ     | 533422 | IN_POST | INSTITUTION       | FULL | ON_ESTABLISHMENT | 7     | null       | 2018
    YG        | 532503 | QUOTA   | ADMIN             | FULL | ON_ESTABLISHMENT | 24    | null       | 2019
    YG        | 532503 | QUOTA   | SUPPORT           | FULL | ON_ESTABLISHMENT | 3     | null       | 2019
    YG        | 532503 | IN_POST | ADMIN             | FULL | ON_ESTABLISHMENT | 23    | null       | 2019
    YG        | 532503 | IN_POST | SUPPORT           | FULL | ON_ESTABLISHMENT | 3     | null       | 2019
    YG-01     | 532503 | QUOTA   | ADMIN             | FULL | ON_ESTABLISHMENT | 8     | YG      | 2019
    YG-01     | 532503 | IN_POST | ADMIN             | FULL | ON_ESTABLISHMENT | 8     | YG      | 2019
    YG-02     | 532503 | QUOTA   | ADMIN             | FULL | ON_ESTABLISHMENT | 10    | YG      | 2019
    YG-02     | 532503 | IN_POST | ADMIN             | FULL | ON_ESTABLISHMENT | 9     | YG      | 2019
    YG-03     | 532503 | QUOTA   | ADMIN             | FULL | ON_ESTABLISHMENT | 3     | YG      | 2019
    YG-03     | 532503 | IN_POST | ADMIN             | FULL | ON_ESTABLISHMENT | 3     | YG      | 2019
    YG-04     | 532503 | QUOTA   | ADMIN             | FULL | ON_ESTABLISHMENT | 2     | YG      | 2019
    YG-04     | 532503 | IN_POST | ADMIN             | FULL | ON_ESTABLISHMENT | 2     | YG      | 2019
    YG-05     | 532503 | QUOTA   | ADMIN             | FULL | ON_ESTABLISHMENT | 1     | YG      | 2019
    YG-05     | 532503 | IN_POST | ADMIN             | FULL | ON_ESTABLISHMENT | 1     | YG      | 2019
    XW        | 430981 | PAID    | null                 | null    | YEAR_END_ALL     | 128   | null       | 2020
    XW-在职   | 430981 | PAID    | null                 | null    | YEAR_END_ALL     | 66    | XW      | 2020
    XW-离退休 | 430981 | PAID    | null                 | null    | YEAR_END_ALL     | 38    | XW      | 2020
    XW-遗属   | 430981 | PAID    | null                 | null    | YEAR_END_ALL     | 14    | XW      | 2020"""

FOLDERS = ("360724", "430981", "530103", "532503", "533422")
# The harness has one folder of its own; here nothing of it is due and nothing is there.
NO_OTHER_FOLDER = "division | book | state\n370102 | * | absent"


def said(rule: str, expect: str | None, units: str = UNITS, figures: str = FIGURES) -> Result:
    """What both judges say of the published figures."""
    return check(rule, {"units": units, "headcount": figures}, expect, verdicts=NO_OTHER_FOLDER)


def the_night() -> Result:
    """Judged once by each engine for all tests that only look at it."""
    return _judged(ENGINE.get())


@cache
def _judged(engine: Judge) -> Result:
    return said("Q01", "unit | division | expected | found | severity\nSY-LGB | 360724 | 5 | 8 | S2")


def rows(result: Result, rule: str, *columns: str) -> list[tuple]:
    return sorted(tuple(row[c] for c in columns) for row in result.findings if row["rule"] == rule)


def test_only_the_activity_centre_is_over_its_quota_and_only_in_administrative_posts():
    columns = ("unit_code", "post_type", "expected", "found", "severity")
    assert rows(the_night(), "Q01", *columns) == [("SY-LGB", None, "5", "8", "S2")]
    assert rows(the_night(), "Q02", *columns) == [("SY-LGB", "ADMIN", "0", "3", "S2")]


def test_every_unit_with_a_quota_row_lacks_an_approval_document():
    found = rows(the_night(), "Q06", "unit_code", "found", "severity")
    quota = ["DQ-TJ", "PL-RD", "SY-LGB", "YG", "YG-01", "YG-02", "YG-03", "YG-04", "YG-05"]
    assert found == [(unit, "NO_APPROVAL_DOC", "S2") for unit in quota]


def test_the_published_parts_of_the_township_do_not_add_up():
    found = rows(the_night(), "D06", "unit_code", "division_code", "expected", "found", "severity")
    assert found == [("XW", "430981", "128", "118", "S4")]


def test_nothing_else_is_said():
    assert {row["rule"] for row in the_night().findings} == {"Q01", "Q02", "Q06", "D06"}


@pytest.mark.parametrize(
    ("unit", "post_type", "quota", "in_post"),
    [
        ("PL-RD", "", 34, 32),
        ("SY-LGB", "", 5, 8),
        ("DQ-TJ", "", 16, 15),
        ("DQ-TJ", "INSTITUTION", 8, 7),
        ("DQ-TJ", "ADMIN", 7, 7),
        ("YG", "", 27, 26),
        ("YG", "ADMIN", 24, 23),
        ("YG-02", "ADMIN", 10, 9),
        ("YG-01", "ADMIN", 8, 8),
    ],
)
def test_the_figures_and_vacancies_are_the_published_ones(unit, post_type, quota, in_post):
    cells = [c for c in the_night().cells if (c["unit_code"], c["post_type"]) == (unit, post_type)]
    assert [(c["quota"], c["allowed"], c["in_post"], c["paid"]) for c in cells] == [(quota, quota, in_post, None)]


def test_the_parts_know_their_total():
    part_of = {c["unit_code"]: c["part_of"] for c in the_night().cells}
    assert (part_of["YG-02"], part_of["XW-在职"]) == ("YG", "XW")
    assert part_of["YG"] is None


def test_the_control_rate_of_the_office_is_94_12_percent():
    [cell] = [c for c in the_night().cells if (c["unit_code"], c["post_type"]) == ("PL-RD", "")]
    assert round(100 * cell["in_post"] / cell["quota"], 2) == 94.12
    assert cell["quota"] - cell["in_post"] == 2


def test_year_end_figures_of_all_kinds_are_compared_with_nothing():
    [cell] = [c for c in the_night().cells if c["unit_code"] == "XW"]
    assert (cell["quota"], cell["in_post"], cell["paid"]) == (None, None, None)


def test_person_rules_and_f09_answer_not_evaluable_in_every_division():
    gaps = {(g["rule"], g["division_code"]) for g in the_night().not_evaluable}
    assert {(rule, folder) for rule in (*PERSON_RULES, "F09") for folder in FOLDERS} <= gaps


def test_a_unit_without_any_quota_figure_is_not_evaluable_rather_than_over():
    gaps = {(g["rule"], g["unit_code"]) for g in the_night().not_evaluable if g["division_code"] == "430981"}
    assert ("Q01", "XW") in gaps or ("Q01", "*") in gaps
    assert ("Q01", "YG-01") not in {(g["rule"], g["unit_code"]) for g in the_night().not_evaluable}


def test_equal_figures_given_twice_change_nothing():
    twice = FIGURES + "\n" + "\n".join(line for line in FIGURES.splitlines() if "SY-LGB" in line)
    again = said("Q01", "unit | expected | found\nSY-LGB | 5 | 8", figures=twice)
    assert rows(again, "Q02", "unit_code", "expected", "found") == [("SY-LGB", "0", "3")]


def test_a_blank_figure_is_unknown_and_never_zero():
    lines = [line.replace("| 34 ", "| null ").replace("| 38 ", "| null ") for line in FIGURES.splitlines()]
    night = said("Q01", "unit\nSY-LGB", figures="\n".join(lines))
    assert rows(night, "D06", "unit_code") == []
    [cell] = [c for c in night.cells if (c["unit_code"], c["post_type"]) == ("PL-RD", "")]
    assert (cell["quota"], cell["in_post"]) == (None, 32)


def test_people_of_another_division_with_blank_ids_change_nothing():
    people = {"roster": "person | unit | by\nnull | U1 | 370102", "payroll": "person | payer | by\nnull | U1 | 370102"}
    units = UNITS + "\n    U1 | 370102 | COUNTY | ORGAN | D1 | null"
    night = check("Q01", {"units": units, "headcount": FIGURES, **people}, "unit\nSY-LGB")
    assert {row["unit_code"] for row in night.findings if row["rule"] == "D02"} == {"U1"}
