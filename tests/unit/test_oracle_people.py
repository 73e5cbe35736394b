"""The oracle on ranks, ages, names and leads: Q05, D04, D03, F06, worked out by hand."""

from __future__ import annotations

import json
from datetime import date

import pytest

from tests.oraclekit import A, D, lacking, night, pay, person, rules, seen, unit

RANK_ORDER = [
    {"word": word, "place": place} for word, place in (("正处级", 1), ("副处级", 2), ("调研员", 2), ("正科级", 3))
]


def ranked(rank, org_rank="副处级", **more):
    books = {"units": [unit("U1", org_rank=org_rank), unit("U2")], "roster": [person("p1", rank=rank, **more)]}
    return night(books | {"payroll": [pay("p1")]}, rank_order=RANK_ORDER)


def test_q05_is_a_rank_above_the_units_own():
    assert seen(ranked("正处级"), "Q05") == [("S2", None, "U1", "副处级", "正处级")]
    assert seen(ranked("正 处级"), "Q05") == [("S2", None, "U1", "副处级", "正 处级")]


@pytest.mark.parametrize("rank", ["调研员", "正科级", "一级科员", None])
def test_q05_claims_nothing_of_equal_lower_and_unknown_ranks(rank):
    quiet = ranked(rank)
    assert seen(quiet, "Q05") == []
    assert ("Q05", D, "U1", "units") not in lacking(quiet)


@pytest.mark.parametrize("org_rank", [None, "相当正处"])
def test_q05_needs_the_rank_of_the_unit(org_rank):
    found = ranked("正科级", org_rank)
    assert seen(found, "Q05") == []
    assert ("Q05", D, "U1", "units") in lacking(found)


def test_q05_shows_the_highest_rank_of_a_person():
    rows = [person("p1", rank="副处级"), person("p1", post_type="SUPPORT", rank="正处级")]
    books = {"units": [unit("U1", org_rank="正科级")], "roster": rows, "payroll": [pay("p1")]}
    assert seen(night(books, rank_order=RANK_ORDER), "Q05") == [("S2", None, "U1", "正科级", "正处级")]


def test_d04_is_somebody_active_past_the_statutory_age():
    row = person("p1", age="61岁", statutory_age="60岁3个月")
    assert seen(night({"roster": [row], "payroll": [pay("p1")]}), "D04") == [("S4", None, "U1", "60岁3个月", "61岁")]
    gone = row | {"status": "RETIRED", "exit_date": date(2026, 9, 1)}
    assert seen(night({"roster": [gone]}), "D04") == []


def named(row, name, mask):
    return row | {"name_key": name, "name_mask": mask}


def test_d03_is_one_id_with_two_names():
    books = {"roster": [named(person("p1"), "a", "王*")], "payroll": [named(pay("p1"), "b", "李*")]}
    assert seen(night(books), "D03") == [("S3", None, "U1", "王*", "李*")]
    same = books | {"payroll": [named(pay("p1"), "a", "王*")]}
    assert seen(night(same), "D03") == []


def test_d03_of_one_book_alone_gives_the_first_name_and_the_rest():
    rows = [named(person("p1", "U2"), "a", "王*"), named(person("p1", "U1"), "b", "李*")]
    assert seen(night({"roster": rows, "payroll": [named(pay("p1"), "a", "王*")]}), "D03") == [
        ("S3", None, "U1", "李*", "王*")
    ]
    off_quota = [rows[0], rows[1] | {"status": "OFF_QUOTA"}]
    assert seen(night({"roster": off_quota, "payroll": []}), "D03") == []


def two_ids(**more):
    here = named(person("p2"), "a", "王*") | {"name_birth_key": "x"}
    there = named(pay("p1"), "a", "王*") | {"name_birth_key": "x"}
    return night({"roster": [here], "payroll": [there, *more.pop("payroll", [])]}, **more)


def test_d03_suggests_that_two_ids_are_one_person_and_says_so_in_f01_and_f02():
    found = two_ids()
    assert seen(found, "D03") == [("S4", None, "U1", "王*", "王*")]
    suggestion = next(row for row in found.findings if row["rule"] == "D03")
    assert json.loads(suggestion["grain"]) == {"person_key": "p1;p2"}
    assert suggestion["person_key"] == "p2"
    explained = {row["rule"]: row["explained_by"] for row in found.findings if row["rule"] in ("F01", "F02")}
    assert explained == {"F01": json.dumps([suggestion["key"]]), "F02": json.dumps([suggestion["key"]])}


def test_d03_suggests_nothing_where_two_could_be_meant():
    third = named(pay("p3"), "a", "王*") | {"name_birth_key": "x"}
    assert seen(two_ids(payroll=[third]), "D03") == []


def test_d03_of_a_unit_with_quarantined_rows_says_so():
    found = two_ids(quarantine=[{"book": "payroll", "unit_code": "U1"}])
    assert seen(found, "D03") == [("S4", "QUARANTINE", "U1", "王*", "王*")]


def lead(kind, day):
    return {"kind": kind, "person_key": "p1", "date": day, "source": "社保", "delivered_by": D}


def test_f06_lists_the_kinds_of_leads_on_somebody_in_pay():
    leads = [lead("PRISON", A), lead("BUSINESS", date(2020, 1, 1)), lead("PRISON", date(2026, 1, 1))]
    found = night({"roster": [person("p1")], "payroll": [pay("p1")], "leads": leads})
    assert seen(found, "F06") == [("S1", None, "U1", "-", "BUSINESS;PRISON")]


@pytest.mark.parametrize(
    "row",
    [
        lead("ABROAD", date(2026, 10, 21)),
        lead("OTHER_EMPLOYER", None),
        lead("RETIREMENT", date(2026, 10, 1)),
        lead("DEATH", date(2026, 9, 1)),
    ],
)
def test_f06_says_nothing_of_what_is_later_undated_or_f04(row):
    found = night({"roster": [person("p1")], "payroll": [pay("p1")], "leads": [row]})
    assert "F06" not in rules(found)


def test_f06_gives_way_to_f03():
    left = person("p1", status="LEFT", exit_date=date(2026, 5, 1))
    found = night({"roster": [left], "payroll": [pay("p1")], "leads": [lead("RETIREMENT", date(2026, 4, 30))]})
    assert seen(found, "F06") == []
    assert seen(found, "F03") == [("S1", "EXITED", "U1", "0", "2026-04-30")]
