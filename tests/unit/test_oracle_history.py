"""The oracle on our own book, limits and last year: Q09, Q10, Q11, F11, worked out by hand."""

from __future__ import annotations

from datetime import date

import pytest

from tests.oraclekit import PERSON_BOOKS, D, lacking, night, pay, person, seen, unit, verdicts

CELL = {"unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL"}
MONTHS = ["2025-11", "2025-12", *(f"2026-{n:02d}" for n in range(1, 11))]
WITH_LIMITS = (*PERSON_BOOKS, "limits")


def movement(**more):
    row = {
        "movement_no": "M1",
        "post_type": "ADMIN",
        "fund_form": "FULL",
        "posts": 1,
        "from_unit": "U1",
        "to_unit": "U2",
    }
    row |= {
        "from_level": "CITY",
        "to_level": "COUNTY",
        "effective_date": date(2026, 10, 1),
        "doc_no": "云编〔2026〕3号",
    }
    return row | more


def test_q09_wants_a_central_number_for_posts_that_change_level():
    found = night(movement=[movement()])
    assert seen(found, "Q09") == [("S1", None, "U2", "-", "云编〔2026〕3号")]


@pytest.mark.parametrize(
    "more",
    [
        {"central_no": "央编〔2026〕1号"},
        {"post_type": "INSTITUTION"},
        {"from_level": "COUNTY"},
        {"effective_date": date(2026, 10, 21)},
    ],
)
def test_q09_leaves_other_movements_alone(more):
    assert seen(night(movement=[movement(**more)]), "Q09") == []


def test_without_our_own_book_q09_and_q10_cannot_judge():
    assert {("Q09", D, "*", "position"), ("Q10", D, "*", "position")} <= lacking(night())
    assert ("Q09", D, "*", "position") not in lacking(night(movement=[movement()]))


def idle(**numbers):
    return [CELL | {"month": month, "usable": numbers.get(month.replace("-", "_"), 2)} for month in MONTHS]


def test_q10_wants_twelve_months_running():
    whole = night(usable_month=idle())
    assert seen(whole, "Q10") == [("S4", None, "U1", "0", "2")]
    assert ("Q10", D, "*", "position") not in lacking(whole)
    used_once = idle()
    used_once[3] |= {"usable": 0}
    assert seen(night(usable_month=used_once), "Q10") == []


def test_q10_of_a_short_history_is_not_evaluable():
    short = night(usable_month=idle()[1:])
    assert seen(short, "Q10") == []
    assert ("Q10", D, "*", "position") in lacking(short)


def limit(kind, most, division=D):
    return {"division_code": division, "unit_kind": kind, "max_units": most, "delivered_by": D}


def test_q11_counts_the_valid_units_of_a_division_and_kind():
    units = [unit("U1"), unit("U2"), unit("U3", valid_to=date(2026, 10, 19)), unit("U4", "REF_UNIT")]
    units += [unit("U5", division_code="990102001")]
    books = {"units": units, "limits": [limit("ORGAN", 5), limit("ORGAN", 1), limit("REF_UNIT", 1)]}
    found = night(books, verdict=verdicts(WITH_LIMITS, WITH_LIMITS))
    assert seen(found, "Q11") == [("S2", None, None, "1", "2")]


def test_q11_says_where_it_has_no_limits_or_no_units():
    assert ("Q11", D, "*", "limits") in lacking(night())
    given = verdicts(WITH_LIMITS, WITH_LIMITS, refused=("units",))
    found = night({"units": [], "limits": [limit("ORGAN", 0)]}, verdict=given)
    assert seen(found, "Q11") == []
    assert ("Q11", D, "*", "units") in lacking(found)
    assert ("Q11", D, "*", "limits") not in lacking(found)


def paid_people(*keys, **more):
    return [pay(key, **more) for key in keys]


def test_f11_compares_with_the_accepted_night_of_a_year_ago():
    books = {"roster": [person(f"p{n}") for n in range(3)], "payroll": paid_people("p0", "p1", "p2")}
    found = night(books, year_ago=[{"division_code": D, "paid": 2}])
    assert seen(found, "F11") == [("S2", None, None, "2", "3")]
    assert found.division_paid == [{"division_code": D, "paid": 3}]
    assert seen(night(books, year_ago=[{"division_code": D, "paid": 3}]), "F11") == []


def test_f11_else_takes_last_years_rows_of_the_book_and_the_base():
    books = {"roster": [person("p0"), person("p1")], "payroll": paid_people("p0", "p1")}
    then = paid_people("p0", month="2025-10") + paid_people("p9", month="2025-10", mode="SELF")
    assert seen(night(books | {"payroll": books["payroll"] + then}), "F11") == [("S2", None, None, "1", "2")]
    base = [{"division_code": D, "post_type": t, "base_paid": n, "delivered_by": D} for t, n in (("A", 1), ("B", 0))]
    found = night(books | {"base": base}, year_ago=[{"division_code": D, "paid": 2}])
    assert seen(found, "F11") == [("S2", None, None, "1", "2")]


def test_f11_without_limit_or_payroll_is_not_evaluable():
    books = {"roster": [person("p0")], "payroll": paid_people("p0")}
    assert ("F11", D, "*", "base") in lacking(night(books))
    out = night({"roster": [person("p0")]}, verdict=verdicts(refused=("payroll",)))
    assert ("F11", D, "*", "payroll") in lacking(out)
    assert out.division_paid == []


def test_f11_counts_full_and_part_and_no_control_numbers():
    rows = [person("p0"), person("p1", fund_form="SELF"), person("p2", post_type="CONTROL_NUMBER")]
    payroll = [pay("p0", mode="PART"), pay("p1", mode="SELF"), pay("p2")]
    assert night({"roster": rows, "payroll": payroll}).division_paid == [{"division_code": D, "paid": 1}]
