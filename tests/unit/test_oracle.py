"""The oracle itself, on cases small enough to work out by hand from DOMAIN §4."""

from __future__ import annotations

import json
from datetime import date

import pytest

from tests.oraclekit import A, D, lacking, night, pay, person, post, rules, seen, stated, unit, verdicts


def test_a_consistent_night_has_no_findings():
    quiet = night({"roster": [person("p1")], "payroll": [pay("p1")]})
    assert quiet.findings == []
    assert {"unit_code": "U1", "bits": "111", "people": 1} in quiet.presence


def test_more_people_than_posts_is_q01_q02_and_f09():
    people = [person(f"p{n}") for n in range(3)]
    over = night({"establishment": [post("U1", 2)], "roster": people, "payroll": [pay(f"p{n}") for n in range(3)]})
    assert seen(over, "Q01") == [("S2", None, "U1", "2", "3")]
    assert seen(over, "Q02") == [("S2", None, "U1", "2", "3")]
    assert seen(over, "F09") == [("S2", None, "U1", "2", "3")]
    assert seen(over, "Q12") == []


def test_borrowed_posts_raise_allowed_and_lent_posts_lower_it():
    books = {"establishment": [post("U1", 1)], "roster": [person("p1")], "payroll": [pay("p1")]}
    loan = {"unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL", "borrowed": 0, "lent": 1}
    assert seen(night(books, position=[loan]), "Q01") == [("S2", None, "U1", "0", "1")]
    both = [loan, loan | {"borrowed": 1, "lent": 0}]
    assert seen(night(books, position=both), "Q01") == []


def test_q02_fires_inside_a_unit_that_is_within_its_total():
    books = {
        "establishment": [post("U1", 5), post("U1", 0, "SUPPORT")],
        "roster": [person("p1", post_type="SUPPORT")],
        "payroll": [pay("p1")],
    }
    assert rules(night(books)) == ["Q02"]


def test_q12_fires_inside_a_type_that_is_within():
    books = {
        "units": [unit("U1", "INSTITUTION")],
        "establishment": [post("U1", 1, "INSTITUTION", "FULL"), post("U1", 5, "INSTITUTION", "PART")],
        "roster": [person(f"p{n}", post_type="INSTITUTION") for n in range(2)],
        "payroll": [pay(f"p{n}") for n in range(2)],
    }
    found = night(books)
    assert rules(found) == ["Q12"]
    assert seen(found, "Q12") == [("S3", None, "U1", "1", "2")]


def test_control_numbers_count_in_no_total_but_against_their_own_number():
    books = {
        "units": [unit("U1", "INSTITUTION")],
        "establishment": [post("U1", 1, "CONTROL_NUMBER", "PART")],
        "roster": [person(f"p{n}", post_type="CONTROL_NUMBER", fund_form="PART") for n in range(2)],
        "payroll": [pay("p0", mode="PART")],
    }
    assert rules(night(books)) == ["Q02"]


def test_a_cell_without_a_ledger_row_is_q07_and_the_others_cannot_judge():
    rows = [post("U1", 1, copy="CERTIFICATE"), post("U2", 3), post("U2", 3, copy="CERTIFICATE")]
    found = night({"establishment": rows, "roster": [person("p1"), person("p2")]})
    assert seen(found, "Q07") == [("S3", None, "U1", None, "CERTIFICATE=1")]
    assert seen(found, "Q01") == []
    assert {(rule, D, "U1", "establishment") for rule in ("Q01", "Q02", "Q12", "F09")} <= lacking(found)


def test_q07_names_the_copies_that_differ():
    rows = [post("U1", 3), post("U1", 4, copy="CERTIFICATE"), post("U2", 3), post("U2", 3, copy="DATABASE")]
    found = night({"establishment": [*rows, post("U2", 3, copy="CERTIFICATE")]})
    assert seen(found, "Q07") == [("S3", None, "U1", "3", "CERTIFICATE=4;DATABASE=-")]


def test_a_quarantined_quota_row_closes_its_cell():
    shut = {"book": "establishment", "unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL"}
    found = night(
        {"establishment": [post("U1", 0)], "roster": [person("p1")], "payroll": [pay("p1")]}, quarantine=[shut]
    )
    assert rules(found) == []
    assert {(rule, D, "U1", "establishment") for rule in ("Q01", "Q02", "Q12", "Q07", "F09")} <= lacking(found)


def test_q03_asks_the_kind_of_the_unit():
    found = night(
        {
            "establishment": [post("U1", 1, "INSTITUTION")],
            "roster": [person("p1", post_type="INSTITUTION")],
            "payroll": [pay("p1")],
        }
    )
    assert rules(found) == ["Q03"]
    assert seen(found, "Q03") == [("S2", None, "U1", "ADMIN;POLITICAL_LEGAL;SUPPORT", "INSTITUTION")]


def test_q04_counts_leaders_against_posts_and_is_silent_when_all_are_blank():
    people = {
        "roster": [person("p1", leader_tier="CHIEF"), person("p2", leader_tier="CHIEF")],
        "payroll": [pay("p1"), pay("p2")],
    }
    found = night(people | {"establishment": [post("U1", 5, leaders_chief=1)]})
    assert seen(found, "Q04") == [("S2", None, "U1", "1", "2")]
    blank = night(people | {"establishment": [post("U1", 5)]})
    assert seen(blank, "Q04") == []
    assert ("Q04", D, "U1", "establishment") in lacking(blank)


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        ([], "NOT_REGISTERED"),
        ([unit("U1", approval_doc=None)], "NO_APPROVAL_DOC"),
        ([unit("U1", valid_to=date(2026, 10, 19))], "OUTSIDE_VALIDITY"),
    ],
)
def test_q06_gives_the_first_reason(units, reason):
    found = night({"units": [*units, unit("U2")], "roster": [person("p1")], "payroll": [pay("p1")]})
    assert seen(found, "Q06") == [("S2", None, "U1", None, reason)]


def test_q06_of_a_unit_with_quarantined_rows_is_quality_only():
    found = night({"units": [unit("U2")]}, quarantine=[{"book": "units", "unit_code": "U1"}])
    assert seen(found, "Q06") == [("S4", "QUARANTINE", "U1", None, "NOT_REGISTERED")]


def test_q08_adds_the_division_and_all_below_it():
    units = [unit("U1"), unit("U2", division_code="990102001")]
    base = [{"division_code": D, "post_type": "ADMIN", "base_2012": 11, "issued_total": 20, "delivered_by": D}]
    found = night({"units": units, "establishment": [post("U1", 7), post("U2", 5)], "base": base})
    assert seen(found, "Q08") == [("S1", None, None, "11", "12")]


def test_f01_is_fraud_unless_rows_were_lost_or_blank():
    assert seen(night({"payroll": [pay("p1")]}), "F01") == [("S1", None, "U1", "0", "1")]
    lost = night({"payroll": [pay("p1")]}, quarantine=[{"book": "roster", "unit_code": "U1"}])
    assert seen(lost, "F01") == [("S4", "QUARANTINE", "U1", "0", "1")]
    blank = night({"roster": [person(None)], "payroll": [pay("p1")]})
    assert seen(blank, "F01") == [("S4", "BLANK_ID", "U1", "0", "1")]
    assert seen(blank, "F09") == []


def test_f01_f03_and_f09_wait_while_an_expected_roster_is_out():
    other = verdicts(folder="990103", refused=("roster",))
    found = night({"payroll": [pay("p1")]}, verdict=verdicts() + other)
    assert rules(found) == []
    assert {(rule, D, "*", "roster") for rule in ("F01", "F03", "F09")} <= lacking(found)


@pytest.mark.parametrize(
    ("roster", "payroll", "severity", "cause"),
    [
        ({}, [], "S3", None),
        ({"entry_date": date(2026, 10, 1)}, [], "S4", "TIMING"),
        ({"status": "ON_LEAVE"}, [], "S4", "LEAVE"),
        ({}, [pay("p1", on="NO")], "S3", "PAID_AS_OTHER"),
        ({}, [pay("p1", amount=500), pay("p1", amount=-500)], "S3", None),
        ({}, [pay(None)], "S4", "BLANK_ID"),
    ],
)
def test_f02_and_its_causes(roster, payroll, severity, cause):
    found = night({"roster": [person("p1", **roster)], "payroll": payroll})
    assert seen(found, "F02") == [(severity, cause, "U1", "1", "0")]


@pytest.mark.parametrize(
    ("row", "severity", "cause", "last_day"),
    [
        ({"status": "LEFT", "exit_date": date(2026, 10, 1)}, "S1", "EXITED", "2026-09-30"),
        ({"status": "LEFT", "exit_date": date(2026, 10, 2)}, "S4", "TIMING", "2026-10-01"),
        ({"status": "OFF_QUOTA"}, "S1", "OFF_QUOTA", None),
        ({"entry_date": date(2026, 11, 1)}, "S1", "NOT_YET_ENTERED", None),
        ({"status": "RETIRED"}, "S1", "NO_EXIT_DATE", None),
    ],
)
def test_f03_and_its_causes(row, severity, cause, last_day):
    found = night({"roster": [person("p1", **row)], "payroll": [pay("p1")]})
    assert seen(found, "F03") == [(severity, cause, "U1", "0", last_day)]


def test_nobody_is_flagged_who_enters_later_within_the_month():
    found = night({"roster": [person("p1", entry_date=date(2026, 10, 25))], "payroll": [pay("p1")]})
    assert found.findings == []


def test_f04_takes_any_payroll_row_and_goes_before_f03():
    leads = [{"kind": "DEATH", "person_key": "p1", "date": date(2026, 9, 30), "source": "民政", "delivered_by": D}]
    left = person("p1", status="LEFT", exit_date=date(2026, 9, 30))
    found = night({"roster": [left], "payroll": [pay("p1")], "leads": leads})
    assert rules(found) == ["F04", "F09"]
    assert seen(found, "F04") == [("S1", None, "U1", "0", "2026-09-30")]
    pension = night({"payroll": [pay("p1", state="RETIRED")], "leads": leads})
    assert rules(pension) == ["F04"]
    in_month = [leads[0] | {"date": date(2026, 10, 1)}]
    assert rules(night({"payroll": [pay("p1", state="RETIRED")], "leads": in_month})) == []


def test_f05_belongs_to_the_roster_unit_that_pays():
    found = night({"roster": [person("p1", "U2")], "payroll": [pay("p1", "U1"), pay("p1", "U2")]})
    assert seen(found, "F05") == [("S1", None, "U2", "1", "2")]
    assert seen(found, "F09") == [("S2", None, "U1", "0", "1")]


def test_f07_and_f08_compare_money_and_payer():
    found = night({"roster": [person("p1")], "payroll": [pay("p1", "U2", mode="PART")]})
    assert seen(found, "F07") == [("S2", None, "U1", "FULL", "PART")]
    assert seen(found, "F08") == [("S3", None, "U1", "U1", "U2")]


def test_the_unit_paid_for_is_the_payer():
    found = night({"roster": [person("p1")], "payroll": [pay("p1", "CASHIER", on_behalf_of="U1")]})
    assert found.findings == []


def test_a_secondment_and_a_move_within_the_month_are_no_mismatch():
    lent = night({"roster": [person("p1", status="SECONDED_OUT", seconded_to="U2")], "payroll": [pay("p1", "U2")]})
    assert lent.findings == []
    rows = [
        person("p1", "U1", status="LEFT", exit_date=date(2026, 10, 10)),
        person("p1", "U2", entry_date=date(2026, 10, 10)),
    ]
    assert night({"roster": rows, "payroll": [pay("p1", "U1")]}).findings == []


def test_f09_is_explained_by_named_findings_to_residual_zero():
    books = {"roster": [person("p1"), person("p2")], "payroll": [pay("p1"), pay("p3"), pay("p4")]}
    found = night(books)
    assert seen(found, "F09") == [("S2", None, "U1", "2", "3")]
    naming = sorted(row["key"] for row in found.findings if row["rule"] in ("F01", "F02"))
    assert json.loads(next(r for r in found.findings if r["rule"] == "F09")["explained_by"]) == naming


def test_f09_without_a_name_is_unexplained():
    rows = [
        person("p1", post_type="CONTROL_NUMBER", fund_form="PART"),
        person("p1", status="LEFT", exit_date=date(2020, 1, 1)),
    ]
    books = {"units": [unit("U1", "INSTITUTION")], "roster": rows, "payroll": [pay("p1", mode="PART")]}
    found = night(books | {"establishment": [post("U1", 1, "CONTROL_NUMBER", "PART"), post("U1", 1)]})
    assert seen(found, "F09") == [("S1", "UNEXPLAINED", "U1", "0", "1")]


def test_d01_counts_places_once_each():
    found = night({"roster": [person("p1", "U2"), person("p1", "U1")], "payroll": [pay("p1")]})
    assert seen(found, "D01") == [("S2", None, "U1", "1", "2")]


def test_d02_has_one_finding_per_book_and_unit():
    roster = [person("bad", id_problem="CHECK_DIGIT"), person(None), person(None)]
    found = night({"roster": roster, "payroll": [pay("bad", id_problem="CHECK_DIGIT"), pay(None), pay(None)]})
    assert rules(found) == ["D02"]
    assert sorted(seen(found, "D02"), key=str) == [
        ("S4", None, "U1", None, "BLANK"),
        ("S4", None, "U1", None, "BLANK"),
        ("S4", None, "U1", None, "CHECK_DIGIT"),
        ("S4", None, "U1", None, "CHECK_DIGIT"),
    ]


def test_d05_compares_like_scopes_only():
    books = {"roster": [person("p1")], "payroll": [pay("p1")]}
    rows = [stated("U1", "QUOTA", 8), stated("U1", "IN_POST", 1), stated("U1", "PAID", 2)]
    rows += [stated("U1", "IN_POST", 7, scope="YEAR_END_ALL"), stated("U1", "IN_POST", None)]
    found = night(books | {"headcount": rows})
    assert sorted(seen(found, "D05")) == [("S2", None, "U1", "1", "2"), ("S2", None, "U1", "9", "8")]


def test_d06_adds_parts_and_total_rows():
    rows = [stated("U1", "IN_POST", 7, scope="YEAR_END_ALL")]
    rows += [stated(f"U1-{n}", "IN_POST", n, scope="YEAR_END_ALL", part_of="U1") for n in (2, 4)]
    total = {"division_code": D, "book": "establishment", "file": "f", "row": 9, "kind": "合计", "column": "quota"}
    found = night({"headcount": rows}, totals=[total | {"stated": "20", "computed": "18"}])
    assert sorted(seen(found, "D06"), key=str) == [("S4", None, "U1", "7", "6"), ("S4", None, None, "20", "18")]


@pytest.mark.parametrize(
    ("row", "codes"),
    [
        ({"status": "LEFT"}, "EXIT_MISSING"),
        ({"status": "RETIRED", "exit_date": date(2026, 10, 21)}, "EXIT_FUTURE"),
        ({"exit_date": A}, "EXITED_BUT_ACTIVE"),
        ({"exit_date": date(2020, 1, 1), "entry_date": date(2020, 1, 2)}, "EXITED_BUT_ACTIVE;EXIT_BEFORE_ENTRY"),
    ],
)
def test_d07_names_what_contradicts(row, codes):
    assert seen(night({"roster": [person("p1", **row)]}), "D07") == [("S4", None, "U1", None, codes)]


def test_d07_does_not_guess_a_day():
    row = person("p1", exit_date=date(2026, 10, 1), exit_date_exact=False)
    found = night({"roster": [row]})
    assert seen(found, "D07") == []
    assert ("D07", D, "U1", "roster") in lacking(found)


def test_d08_compares_the_cut_offs_files_state():
    rows = [{"division_code": D, "book": "roster", "cutoff": day} for day in (A, date(2026, 9, 30), A)]
    assert seen(night(cutoffs=rows), "D08") == [("S4", None, None, None, "2026-09-30;2026-10-20")]


def test_a_division_of_counts_is_judged_by_its_headcount_and_people_are_not_evaluable():
    rows = [stated("U1", "QUOTA", 5, post_type="ADMIN", fund_form="FULL")]
    rows += [stated("U1", "IN_POST", 8, post_type="ADMIN", fund_form="FULL")]
    given = verdicts(delivered=("units", "headcount"), expected=("units", "headcount"))
    found = night({"units": [unit("U1")], "establishment": [], "headcount": rows}, verdict=given)
    assert seen(found, "Q01") == seen(found, "Q02") == [("S2", None, "U1", "5", "8")]
    assert rules(found) == ["Q01", "Q02"]
    assert {("F01", D, "*", "roster"), ("Q04", D, "*", "roster"), ("F09", D, "*", "payroll")} <= lacking(found)
    paid = night(
        {"units": [unit("U1")], "establishment": [], "headcount": [*rows, stated("U1", "PAID", 7)]}, verdict=given
    )
    assert seen(paid, "F09") == [("S2", "PERSONS_NOT_DELIVERED", "U1", "8", "7")]


def test_a_refused_payroll_closes_nothing_and_says_so():
    found = night({"roster": [person("p1")]}, verdict=verdicts(refused=("payroll",)))
    assert found.findings == []
    assert {("F02", D, "*", "payroll"), ("F09", D, "*", "payroll"), ("Q06", D, "*", "payroll")} <= lacking(found)
    figure = next(row for row in found.cells if row["unit_code"] == "U1" and row["post_type"] == "")
    assert (figure["quota"], figure["in_post"], figure["paid"]) == (9, 1, None)
