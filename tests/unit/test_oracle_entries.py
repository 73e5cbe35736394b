"""The oracle on entries and exits since the gate started: P01 to P07 and the quota half of F09, worked out by hand."""

from __future__ import annotations

import json
from datetime import date

import pytest

from tests.oraclekit import A, D, lacking, night, pay, person, post, rules, seen, unit, verdicts

START = date(2026, 3, 2)
GATE = [{"division_code": D, "starts": START}]
FORMS = "EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT"
WITH_PERMITS = ("units", "establishment", "roster", "payroll", "headcount", "permits", "leads", "base")
# A Monday a fortnight after the gate's start; registered the next day.
ENTRY = {
    "entry_date": date(2026, 3, 16),
    "entry_registered": date(2026, 3, 17),
    "entry_form": "EXAM",
    "permit_no": "N1",
}


def entered(key="p1", unit_code="U1", **more):
    return person(key, unit_code, **ENTRY | more)


def permit(number="N1", unit_code="U1", **more):
    row = {"permit_no": number, "unit_code": unit_code, "post_type": "ADMIN", "fund_form": "FULL", "posts": 9}
    row |= {"approved_on": date(2026, 1, 5), "valid_until": date(2026, 12, 31), "source_of_people": "EXAM"}
    return row | {"delivered_by": D} | more


def gate_night(roster, permits=None, *, started=GATE, given=WITH_PERMITS, books=None, **facts):
    """People paid where they are; `given` are the books expected and delivered."""
    payroll = [pay(row["person_key"], row["unit_code"], row["fund_form"]) for row in roster]
    whole = {"roster": roster, "permits": [permit()] if permits is None else permits, "payroll": payroll} | (
        books or {}
    )
    return night(whole, verdict=verdicts(given, given), gate_start=started, **facts)


def p_rules(judgement):
    return [rule for rule in rules(judgement) if rule.startswith("P")]


def test_an_entry_in_order_is_no_finding():
    assert p_rules(gate_night([entered()])) == []


@pytest.mark.parametrize(
    ("row", "permits", "cause", "expected", "found"),
    [
        ({"permit_no": None}, [permit()], "NO_PERMIT", "-", "-"),
        ({"permit_no": "N7"}, [permit()], "UNKNOWN_PERMIT", "-", "N7"),
        ({}, [permit(unit_code="U2")], "OTHER_CELL", "U2 ADMIN FULL 2026-01-05", "N1"),
        ({}, [permit(fund_form="PART")], "OTHER_CELL", "U1 ADMIN PART 2026-01-05", "N1"),
        ({}, [permit(approved_on=date(2026, 3, 17))], "APPROVED_LATER", "U1 ADMIN FULL 2026-03-17", "N1"),
    ],
)
def test_p01_and_its_causes(row, permits, cause, expected, found):
    assert seen(gate_night([entered(**row)], permits), "P01") == [("S2", cause, "U1", expected, found)]


def test_p01_is_content_with_any_row_that_fits_and_with_approval_on_the_day():
    rows = [permit(unit_code="U2"), permit(approved_on=ENTRY["entry_date"])]
    assert seen(gate_night([entered()], rows), "P01") == []


def test_p01_without_the_permits_book_flags_only_the_blank():
    books = tuple(book for book in WITH_PERMITS if book != "permits")
    found = gate_night([entered(), entered("p2", permit_no=None)], [], given=books)
    assert seen(found, "P01") == [("S2", "NO_PERMIT", "U1", "-", "-")]
    assert {(rule, D, "*", "permits") for rule in ("P01", "P03", "P06")} <= lacking(found)


def test_rules_of_the_gate_wait_for_its_start():
    late = entered(permit_no=None, entry_form=None, entry_date=date(2026, 3, 1), entry_registered=None)
    assert p_rules(gate_night([late])) == []
    first_day = late | {"entry_date": START}
    assert p_rules(gate_night([first_day])) == ["P01", "P04", "P06"]
    unstarted = gate_night([first_day], started=[])
    assert p_rules(unstarted) == []
    assert {(f"P0{n}", D, "*", "gate_start") for n in range(1, 8)} <= lacking(unstarted)


def test_a_unit_of_another_division_may_have_no_start_of_its_own():
    units = [unit("U1"), unit("U2", division_code="990102001")]
    found = gate_night([entered()], books={"units": units})
    assert ("P04", D, "U2", "gate_start") in lacking(found)
    assert ("P04", D, "*", "gate_start") not in lacking(found)


@pytest.mark.parametrize("more", [{"status": "OFF_QUOTA"}, {"post_type": "CONTROL_NUMBER"}, {"person_key": None}])
def test_nobody_else_is_judged_entry_by_entry(more):
    row = entered() | {"permit_no": None, "entry_form": None, "entry_registered": None} | more
    assert p_rules(gate_night([row])) == []


def test_p02_flags_those_who_no_longer_fit_in_the_order_of_registration():
    rows = [
        person("old", entry_date=date(2001, 3, 1)),
        person("gone", entry_date=date(2001, 3, 1), status="LEFT", exit_date=ENTRY["entry_date"], exit_registered=A),
        entered("p1", entry_registered=date(2026, 3, 20)),
        entered("p2", entry_registered=date(2026, 3, 17)),
        entered("p3", entry_registered=None),
    ]
    found = gate_night(rows, books={"establishment": [post("U1", 2)]})
    flagged = {(row["person_key"], row["expected"], row["found"]) for row in found.findings if row["rule"] == "P02"}
    assert flagged == {("p1", "2", "3"), ("p3", "2", "4")}


def test_p02_counts_blank_ids_as_holders_and_judges_none_of_them():
    rows = [person(None, entry_date=date(2001, 3, 1)), entered("p1"), entered(None, permit_no="N2")]
    found = gate_night(rows, [permit(), permit("N2")], books={"establishment": [post("U1", 1)]})
    assert seen(found, "P02") == [("S2", None, "U1", "1", "2")]


def test_p02_takes_the_type_where_the_cell_has_no_quota_row_and_no_posts_where_neither_has():
    rows = [person("old", entry_date=date(2001, 3, 1)), entered("p1", fund_form="PART")]
    permits = [permit(fund_form="PART")]
    of_type = gate_night(rows, permits, books={"establishment": [post("U1", 1)]})
    assert seen(of_type, "P02") == [("S2", None, "U1", "1", "2")]
    assert seen(gate_night(rows, permits, books={"establishment": [post("U1", 2)]}), "P02") == []
    nothing = gate_night(rows, permits, books={"establishment": [post("U1", 9, "SUPPORT")]})
    assert seen(nothing, "P02") == [("S2", None, "U1", "0", "1")]


def test_p02_asks_the_quota_in_force_on_the_day_and_tonights_loans():
    cell = {"unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL"}
    dated = [cell | {"quota": 0, "valid_from": date(2020, 1, 1), "valid_to": date(2026, 3, 31)}]
    dated += [cell | {"quota": 5, "valid_from": date(2026, 4, 1), "valid_to": None}]
    assert seen(gate_night([entered()], position_quota=dated), "P02") == [("S2", None, "U1", "0", "1")]
    loan = [cell | {"borrowed": 1, "lent": 0}]
    assert seen(gate_night([entered()], position_quota=dated, position=loan), "P02") == []
    later = entered(entry_date=date(2026, 4, 1), entry_registered=date(2026, 4, 2))
    assert seen(gate_night([later], position_quota=dated), "P02") == []


def test_p02_of_an_unknown_quota_or_an_unknown_day_is_not_evaluable():
    unknown = gate_night([entered()], books={"establishment": [post("U1", 0, copy="CERTIFICATE"), post("U2", 1)]})
    assert ("P02", D, "U1", "establishment") in lacking(unknown)
    row = entered(entry_date=date(2026, 4, 1), entry_date_exact=False, entry_registered=None)
    vague = gate_night([row], books={"establishment": [post("U1", 0)]})
    assert "P02" not in rules(vague)
    assert {("P02", D, "U1", "roster"), ("P04", D, "U1", "roster")} <= lacking(vague)


def test_p02_lets_go_who_left_on_the_day_of_entry():
    row = entered(status="LEFT", exit_date=ENTRY["entry_date"], exit_registered=ENTRY["entry_date"])
    assert seen(gate_night([row], books={"establishment": [post("U1", 0)]}), "P02") == []


def test_the_quota_half_of_f09_is_explained_by_those_who_entered_a_full_cell():
    books = {"establishment": [post("U1", 1)]}
    found = gate_night([person("old", entry_date=date(2001, 3, 1)), entered("p1")], books=books)
    explained = [row["explained_by"] for row in found.findings if row["rule"] == "F09"]
    assert [json.loads(text) for text in explained] == [[row["key"] for row in found.findings if row["rule"] == "P02"]]
    before = gate_night([person(f"p{n}", entry_date=date(2001, 3, 1)) for n in range(2)], books=books)
    assert [json.loads(row["explained_by"]) for row in before.findings if row["rule"] == "F09"] == [
        ["entered before the gate"]
    ]


def test_p03_counts_every_entry_that_cites_the_permit_of_whichever_unit():
    rows = [entered("p1"), entered("p1", "U2"), entered("p2", "U2"), entered(None)]
    found = gate_night(rows, [permit(posts=1), permit(posts=1, valid_until=date(2026, 1, 31))])
    assert seen(found, "P03") == [("S3", "OVERUSED", "U1", "2", "4")]
    assert seen(gate_night(rows, [permit(posts=4)]), "P03") == []


def test_p03_looks_at_the_last_good_day():
    rows = [permit(posts=1, valid_until=date(2026, 3, 15)), permit(posts=0, valid_until=date(2026, 3, 15))]
    assert seen(gate_night([entered()], rows), "P03") == [("S3", "EXPIRED", "U1", "1", "1")]
    assert seen(gate_night([entered()], [permit(valid_until=date(2026, 3, 16))]), "P03") == []


def test_p04_counts_working_days_from_the_next_day():
    # From Monday 2026-08-03: 30 working days run to Monday 2026-09-14 (no holiday between), 31 to the Tuesday.
    in_time = entered(entry_date=date(2026, 8, 3), entry_registered=date(2026, 9, 14))
    assert seen(gate_night([in_time]), "P04") == []
    late = in_time | {"entry_registered": date(2026, 9, 15)}
    assert seen(gate_night([late]), "P04") == [("S3", None, "U1", "30", "31")]
    before = in_time | {"entry_registered": date(2026, 7, 1)}
    assert seen(gate_night([before]), "P04") == []


def test_p04_counts_to_tonight_when_nothing_is_registered_yet():
    # 2026-08-03 to A (Tuesday 2026-10-20), National Day and Mid-Autumn aside: as many as the calendar says.
    found = gate_night([entered(entry_date=date(2026, 8, 3), entry_registered=None)])
    later = gate_night([entered(entry_date=date(2026, 8, 3), entry_registered=date(2026, 12, 1))])
    assert seen(found, "P04") == seen(later, "P04")
    assert int(seen(found, "P04")[0][4]) > 45


def test_p05_is_grave_while_the_unit_goes_on_paying():
    # From Monday 2026-08-03: 15 working days run to Monday 2026-08-24, 16 to the Tuesday.
    row = person("p1", status="LEFT", exit_date=date(2026, 8, 3), exit_registered=date(2026, 8, 25))
    assert seen(gate_night([row]), "P05") == [("S1", None, "U1", "15", "16")]
    stopped = {"payroll": [pay("p2", "U2")]}
    assert seen(gate_night([row], books=stopped), "P05") == [("S3", None, "U1", "15", "16")]
    elsewhere = {"payroll": [pay("p1", "U2")]}
    assert seen(gate_night([row], books=elsewhere), "P05") == [("S3", None, "U1", "15", "16")]
    shut = [{"book": "roster", "unit_code": "U1"}]
    assert seen(gate_night([row], quarantine=shut), "P05") == [("S4", "QUARANTINE", "U1", "15", "16")]
    in_time = row | {"exit_registered": date(2026, 8, 24)}
    assert seen(gate_night([in_time]), "P05") == []


@pytest.mark.parametrize(
    ("row", "source", "found"),
    [
        ({"entry_form": None}, "EXAM", "-"),
        ({"entry_form": "OTHER"}, "OTHER", "OTHER"),
        ({"entry_form": "PLACEMENT"}, "EXAM", "PLACEMENT"),
        ({"entry_form": "APPOINT"}, "PLACEMENT", "APPOINT"),
        ({"entry_form": "PLACEMENT"}, "PLACEMENT", None),
        ({"entry_form": "EXAM"}, None, None),
        ({"entry_form": None, "post_type": "SUPPORT"}, "EXAM", None),
    ],
)
def test_p06_asks_how_somebody_came(row, source, found):
    said = gate_night([entered(**row)], [permit(source_of_people=source)])
    assert seen(said, "P06") == ([("S3", None, "U1", FORMS, found)] if found else [])


def moved(**more):
    return entered(entry_form="TRANSFER", **more)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"from_level": "TOWNSHIP", "from_fund_form": "FULL"}, "TOWNSHIP→COUNTY"),
        ({"from_level": "CITY", "from_fund_form": "FULL"}, None),
        ({"from_level": "COUNTY", "from_fund_form": "PART"}, "PART→FULL"),
        ({"from_level": "TOWNSHIP", "from_fund_form": "SELF"}, "TOWNSHIP→COUNTY;SELF→FULL"),
        ({"from_level": "TOWNSHIP", "from_fund_form": "SELF", "waiver_no": "豁1"}, None),
    ],
)
def test_p07_sees_moves_up_and_to_fuller_funds(row, found):
    said = gate_night([moved(**row)])
    assert seen(said, "P07") == ([("S3", None, "U1", "-", found)] if found else [])


def test_p07_asks_units_and_the_row_left_behind():
    left = person("p1", "U2", fund_form="SELF", status="LEFT", exit_date=date(2026, 3, 16), exit_registered=A)
    units = [unit("U1"), unit("U2", level="TOWNSHIP")]
    said = gate_night([moved(from_unit="U2"), left], books={"units": units})
    assert seen(said, "P07") == [("S3", None, "U1", "-", "TOWNSHIP→COUNTY;SELF→FULL")]


def test_p07_of_an_unknown_place_is_not_evaluable_unless_what_is_known_is_enough():
    unknown = gate_night([moved(from_level="COUNTY")])
    assert seen(unknown, "P07") == []
    assert ("P07", D, "U1", "roster") in lacking(unknown)
    enough = gate_night([moved(from_level="TOWNSHIP")])
    assert seen(enough, "P07") == [("S3", None, "U1", "-", "TOWNSHIP→COUNTY")]
    assert ("P07", D, "U1", "roster") not in lacking(enough)


def test_two_cells_entered_on_one_day_are_one_finding():
    rows = [entered(permit_no=None), entered(permit_no=None, post_type="SUPPORT")]
    said = gate_night(rows)
    assert [(row["post_type"], row["fund_form"]) for row in said.findings if row["rule"] == "P01"] == [
        ("ADMIN", "FULL")
    ]
