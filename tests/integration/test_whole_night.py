"""Whole nights over small inboxes: what a sender may do wrong, and what must come of it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.accounts import GrantSpec, create_user
from core.db import engine_for, reading, writing
from core.errors import Refused
from core.outbox import OutboxMail
from core.parameters import set_parameter
from night.inbox import sha256_of
from night.proof import proofs
from night.steps import release
from reconcile.models import Artefact, Flag, NightRun, Verdict
from reconcile.report import sign_manifest
from tests.homes import SavedHome, settings_in
from tests.nightkit import A, House, deliver, good_books, member, pay, person_id, quota, reasons_of, unit

NEXT = A + timedelta(days=1)


@pytest.fixture
def house(settings):
    return House(settings)


def night_on(home: Path, paid: int) -> SavedHome:
    """A HOME after the night of A, on which so many of four people were paid."""
    house = House(settings_in(home))
    books = good_books()
    deliver(house.inbox, A, "990102", **{**books, "payroll": books["payroll"][:paid]})
    assert house.night() == 0
    return SavedHome(home, house.settings.database_url)


@pytest.fixture(scope="module")
def good_home(tmp_path_factory) -> SavedHome:
    return night_on(tmp_path_factory.mktemp("good") / "home", 4)


@pytest.fixture(scope="module")
def short_home(tmp_path_factory) -> SavedHome:
    return night_on(tmp_path_factory.mktemp("short") / "home", 3)


@pytest.fixture
def after_good(good_home) -> House:
    """After a night on which every rule was content."""
    good_home.put_back()
    return House(settings_in(good_home.home))


@pytest.fixture
def after_short(short_home) -> House:
    """After a night on which one person was not paid."""
    short_home.put_back()
    return House(settings_in(short_home.home))


def test_a_good_night_is_green_and_finds_nothing(after_good):
    assert after_good.flags() == []
    assert after_good.query(select(NightRun.state, NightRun.red_reasons)) == [("SETTLED", "[]")]


def test_unit_code_007_and_a_person_called_NA_are_kept_as_they_are(house):
    books = good_books()
    for rows in (books["roster"], books["payroll"]):
        rows[0]["person_name"] = "NA"
        rows[1]["person_name"] = "null"
    deliver(house.inbox, A, "990102", **books)
    assert house.night() == 0
    assert house.flags() == []


def test_ids_that_differ_in_the_18th_digit_are_two_people(house):
    books = good_books(3)
    good = person_id(2)
    wrong = good[:17] + ("1" if good[17] != "1" else "2")
    books["roster"].append(member(9, person_id=wrong))
    books["establishment"] = [quota(posts=4)]
    deliver(house.inbox, A, "990102", **books)
    assert house.night() == 0
    found = {(flag["rule"], flag["cause"]) for flag in house.flags()}
    assert ("F02", None) in found
    assert ("D02", None) in found


def test_one_blank_id_in_a_thousand_rows_joins_nobody(house):
    books = good_books(1000 - 1)
    books["establishment"] = [quota(posts=1000)]
    books["roster"].append(member(999, person_id=""))
    books["payroll"].append(pay(999))
    deliver(house.inbox, A, "990102", **books)
    assert house.night() == 0
    flags = {flag["rule"]: flag for flag in house.flags()}
    assert set(flags) == {"D02", "F01"}
    assert (flags["F01"]["severity"], flags["F01"]["cause"]) == ("S4", "BLANK_ID")
    assert flags["D02"]["person"] is None


def test_float_ids_are_quarantined_with_their_reason(house):
    books = good_books()
    books["roster"][0]["person_id"] = "9.90102E+17"
    books["roster"][1]["person_id"] = person_id(1)[:15] + "000"
    deliver(house.inbox, A, "990102", **books)
    assert house.night() == 0
    [roster] = house.query(
        select(Verdict.rows_in, Verdict.accepted, Verdict.quarantined).where(Verdict.book == "roster")
    )
    assert tuple(roster) == (4, 2, 2)
    flags = house.flags()
    assert {(flag["rule"], flag["cause"], flag["severity"]) for flag in flags if flag["rule"] == "F01"} == {
        ("F01", "QUARANTINE", "S4")
    }
    assert not [flag for flag in flags if flag["rule"] == "F09" and flag["severity"] == "S1"]


@pytest.mark.parametrize("count", [201, 432])
def test_every_failing_row_is_listed_however_many(house, count):
    books = good_books(500)
    books["establishment"] = [quota(posts=500)]
    for row in books["payroll"][:count]:
        row["person_state"] = "？"
    deliver(house.inbox, A, "990102", **books)
    assert house.night() == 0
    [payroll] = house.query(select(Verdict.quarantined).where(Verdict.book == "payroll"))
    assert payroll.quarantined == count
    assert len([flag for flag in house.flags() if flag["rule"] == "F02"]) == count


def truncated_xlsx() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>" * 1000)
    return buffer.getvalue()[: len(buffer.getvalue()) // 2]


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (300 << 20))
    return buffer.getvalue()


BAD_PAYROLLS: dict[str, Callable[[list[dict]], dict]] = {
    "empty": lambda _: {
        "payroll": "month,person_id,person_name,paying_unit_code,fund_mode,person_state,on_establishment\n"
    },
    "nothing in the file": lambda _: {"payroll": ""},
    "missing": lambda _: {},
    "truncated xlsx": lambda _: {"payroll__xlsx": truncated_xlsx()},
    "wrong header": lambda _: {"payroll": "a,b,c\n1,2,3\n"},
    "zip bomb": lambda _: {"payroll__xlsx": bomb()},
    "other month": lambda rows: {"payroll": [row | {"month": "2026-09"} for row in rows]},
    "control disagrees": lambda rows: {"payroll": rows, "control": "file,rows,sha256\npayroll.csv,5,\n"},
}
BAD_CONTROLS = {
    "no number": ("file,rows,sha256\npayroll.csv,四,\n", "第 2 行，“行数”列：行数不是整数"),
    "no header": ("a,b\n1,2\n", "找不到“控制数”的表头"),
    "nothing": ("", "文件是空的"),
}
# Every sender is a division of one unit, whose people are nobody else's.
SENDERS = {name: (f"9901{number:02d}", f"{number}07") for number, name in enumerate([*BAD_PAYROLLS, *BAD_CONTROLS], 11)}


def books_of(name: str) -> dict[str, list[dict]]:
    division, code = SENDERS[name]
    people = range(int(code), int(code) + 4)
    return {
        "units": [unit(code, division)],
        "establishment": [quota(code, 4)],
        "roster": [member(n % 1000, code, person_id=person_id(n % 1000, place=division)) for n in people],
        "payroll": [pay(n % 1000, code, person_id=person_id(n % 1000, place=division)) for n in people],
    }


@pytest.fixture(scope="module")
def many_senders(tmp_path_factory) -> House:
    """Two nights, the second red: each sender of BAD_PAYROLLS pays one person too few, then delivers its bad payroll; those
    of BAD_CONTROLS deliver on the second night only, each with its own control.csv and without `establishment`."""
    house = House(settings_in(tmp_path_factory.mktemp("senders") / "home"))
    for name, bad in BAD_PAYROLLS.items():
        division, books = SENDERS[name][0], books_of(name)
        deliver(house.inbox, A, division, **{**books, "payroll": books["payroll"][:3]})
        paid = books.pop("payroll")
        deliver(house.inbox, NEXT, division, **books, **bad(paid))
    for name, (content, _) in BAD_CONTROLS.items():
        books = books_of(name)
        del books["establishment"]
        deliver(house.inbox, NEXT, SENDERS[name][0], **books, control=content)
    assert house.night() == 0
    assert house.night(NEXT) == 11
    return house


def said_of(house: House, name: str) -> dict[str, tuple[str, list[dict]]]:
    """Verdict and reasons by book, of a sender on the second night."""
    query = select(Verdict.book, Verdict.verdict, Verdict.reasons).join(NightRun)
    rows = house.query(query.where(NightRun.as_of == NEXT, Verdict.division_code == SENDERS[name][0]))
    return {row.book: (row.verdict, json.loads(row.reasons)) for row in rows}


@pytest.mark.parametrize("name", BAD_PAYROLLS)
def test_a_bad_payroll_closes_no_flag_and_turns_the_night_red(many_senders, name):
    house, (division, code) = many_senders, SENDERS[name]
    assert {flag["rule"] for flag in house.flags() if flag["unit_code"] == code} == {"F02", "F09"}
    assert said_of(house, name)["payroll"][0] in ("REJECTED", "MISSING")
    [reasons] = house.query(select(NightRun.red_reasons).where(NightRun.as_of == NEXT))
    assert [why for why in json.loads(reasons.red_reasons) if division in why and "payroll" in why]
    assert {row.status for row in house.query(select(Flag.status).where(Flag.unit_code == code))} == {"OPEN"}
    assert house.flags(NEXT, "F02") == []
    gaps = {(r["division_code"], r["rule"], r["unit_code"], r["book"]) for r in house.not_evaluable(NEXT)}
    assert (division, "F02", "*", "payroll") in gaps


@pytest.mark.parametrize("name", BAD_CONTROLS)
def test_a_control_csv_that_cannot_be_read_says_so_and_names_no_file_that_is_there(many_senders, name):
    said = said_of(many_senders, name)
    assert set(said) == {"units", "roster", "payroll"}, "of what was not delivered there is nothing to say"
    for verdict, reasons in said.values():
        assert verdict == "REJECTED"
        [reason] = reasons
        assert reason["code"] == "CONTROL_UNREADABLE"
        assert reason["message"].startswith("control.csv：无法读取，各批次无从核对（control.csv")
        assert BAD_CONTROLS[name][1] in reason["message"]
        assert reason["message"].endswith("；请改正后整批重报")
        assert "未收到" not in reason["message"]


def test_a_corrected_payroll_supersedes_the_red_night_and_keeps_it(after_good):
    house = after_good
    books = good_books()
    deliver(house.inbox, NEXT, "990102", **{**books, "payroll": ""})
    assert house.night(NEXT) == 11
    deliver(house.inbox, NEXT, "990102", **books)
    assert house.night(NEXT) == 0
    runs = house.query(select(NightRun.run_no, NightRun.superseded_by).where(NightRun.as_of == NEXT))
    assert sorted((run.run_no, run.superseded_by is None) for run in runs) == [(1, False), (2, True)]


def test_a_rerun_changes_nothing(after_short):
    house = after_short
    before = (house.flags(), house.query(select(NightRun.id)), house.query(select(OutboxMail.message_id)))
    assert house.night() == 0
    assert (house.flags(), house.query(select(NightRun.id)), house.query(select(OutboxMail.message_id))) == before


def test_a_mismatch_gone_from_accepted_books_closes_its_flag_and_returning_reopens_the_same(after_short):
    house, short = after_short, good_books()
    short["payroll"] = short["payroll"][:3]
    for day, books in ((NEXT, good_books()), (NEXT + timedelta(days=1), short)):
        deliver(house.inbox, day, "990102", **books)
        assert house.night(day) == 0
    states = {
        row.rule: (row.status, row.first_seen) for row in house.query(select(Flag.rule, Flag.status, Flag.first_seen))
    }
    assert states == {"F02": ("OPEN", A), "F09": ("OPEN", A)}


def test_a_backfill_touches_no_flag_of_today(after_good):
    house, before = after_good, A - timedelta(days=1)
    late = good_books()
    late["payroll"] = late["payroll"][:3]
    deliver(house.inbox, before, "990102", **late)
    assert house.night(before) == 0
    assert house.query(select(Flag.key)) == []
    assert {(flag["rule"], flag["status"]) for flag in house.flags(before)} == {
        ("F02", "UNTRACKED"),
        ("F09", "UNTRACKED"),
    }


def test_the_same_unit_code_in_two_divisions_is_quarantined_in_both(house):
    books = good_books()
    books["units"].append(unit("009"))
    deliver(house.inbox, A, "990102", **books)
    deliver(house.inbox, A, "990103", units=[unit("007", "990103"), unit("008", "990103")])
    assert house.night() == 0
    units = house.query(
        select(Verdict.division_code, Verdict.accepted, Verdict.quarantined, Verdict.verdict).where(
            Verdict.book == "units"
        )
    )
    assert [(u.division_code, u.quarantined) for u in units] == [("990102", 1), ("990103", 1)]


def test_lost_leading_zeros_are_quarantined_not_joined(house):
    books = good_books()
    books["roster"][0]["unit_code"] = "7"
    deliver(house.inbox, A, "990102", **books)
    assert house.night() == 0
    [roster] = house.query(select(Verdict.quarantined, Verdict.reasons).where(Verdict.book == "roster"))
    assert roster.quarantined == 1
    assert "CODE_PRECISION_LOST" in reasons_of(roster.reasons)


def test_a_night_nobody_delivered_says_so(house):
    assert house.night(date(2026, 1, 1)) == 11


REAL_LIKE = {
    "530103": (
        [unit("PL-RD", "530103", approval_doc="")],
        [("PL-RD", "QUOTA", "ADMIN", 34, ""), ("PL-RD", "IN_POST", "ADMIN", 32, "")],
    ),
    "360724": (
        [unit("SY-LGB", "360724", unit_kind="事业单位", approval_doc="")],
        [
            ("SY-LGB", "QUOTA", "ADMIN", 0, ""), ("SY-LGB", "QUOTA", "INSTITUTION", 5, ""),
            ("SY-LGB", "IN_POST", "ADMIN", 3, ""), ("SY-LGB", "IN_POST", "INSTITUTION", 5, ""),
        ],
    ),
    "430981": (
        [unit(code, "430981", level="乡", approval_doc="") for code in ("XW", "XW-在职", "XW-离退休")],
        [("XW", "PAID", "", 128, ""), ("XW-在职", "PAID", "", 66, "XW"), ("XW-离退休", "PAID", "", 38, "XW")],
    ),
}  # fmt: skip


def test_published_figures_say_what_they_must(house):
    for division, (units, counts) in REAL_LIKE.items():
        scope = "YEAR_END_ALL" if division == "430981" else "ON_ESTABLISHMENT"
        rows = [
            {"unit_code": u, "measure": m, "post_type": p, "fund_form": "FULL" if p else "", "scope": scope, "count": n,
             "part_of": part, "source": "页"}
            for u, m, p, n, part in counts
        ]  # fmt: skip
        deliver(house.inbox, A, division, units=units, headcount=rows)
    assert house.night() == 0
    found = {(f["rule"], f["unit_code"], f["post_type"], f["expected"], f["found"]) for f in house.flags()}
    assert {row[:2] for row in found} == {
        ("Q06", "PL-RD"), ("Q06", "SY-LGB"), ("Q01", "SY-LGB"), ("Q02", "SY-LGB"), ("D06", "XW")
    }  # fmt: skip
    assert ("Q01", "SY-LGB", None, 5, 8) in found
    assert ("Q02", "SY-LGB", "ADMIN", 0, 3) in found
    assert ("D06", "XW", None, 128, 104) in {(*row[:2], None, *row[3:]) for row in found}
    rules = {row["rule"] for row in house.not_evaluable()}
    assert {"F01", "F02", "F09", "D01", "Q03"} <= rules


def test_a_jump_of_new_flags_parks_the_night_until_a_person_releases_it(after_good):
    house, now = after_good, datetime.now(UTC)
    with writing(engine_for(house.settings.database_url)) as session:
        set_parameter(session, "jump_floor", "1", "*", date(2000, 1, 1), actor="test", now=now)
        user = create_user(
            session, login="shenhe", email="shenhe@example.org", display_name="审核", actor="test", now=now,
            grants=[GrantSpec("REVIEWER", "990102", "COUNTY")],
        )  # fmt: skip
    books = good_books()
    deliver(house.inbox, NEXT, "990102", **{**books, "payroll": books["payroll"][:1]})
    assert house.night(NEXT) == 10
    assert house.query(select(Flag.key)) == []
    assert [mail.digest for mail in house.query(select(OutboxMail.digest).where(OutboxMail.as_of == NEXT))] == [
        "parked"
    ]
    release(house.settings, NEXT, user)
    assert {row.rule for row in house.query(select(Flag.rule))} == {"F02", "F09"}
    run = house.query(select(NightRun.state, NightRun.red_reasons, NightRun.released_by).where(NightRun.as_of == NEXT))
    assert [tuple(row) for row in run] == [("SETTLED", "[]", "shenhe")]
    with pytest.raises(Refused):
        release(house.settings, NEXT, user)


def test_a_manifest_somebody_wrote_anew_holds_no_more_than_one_that_was_changed(after_good):
    house = after_good

    def outputs() -> bool:
        with reading(engine_for(house.settings.database_url)) as session:
            return next(proof for proof in proofs(session, house.settings) if "报表文件" in proof.name).holds

    assert outputs()
    (manifest,) = house.settings.reports_dir.rglob("manifest.json")
    content = json.loads(manifest.read_text(encoding="utf-8"))
    del content["signature"]
    manifest.write_text(sign_manifest(content, "somebody else's secret" * 3), encoding="utf-8")
    assert not outputs()
    with writing(engine_for(house.settings.database_url)) as session:
        # Whoever writes into HOME may write into its database too; the key is elsewhere.
        listed = session.scalars(select(Artefact).where(Artefact.kind == "manifest")).one()
        listed.sha256 = sha256_of(manifest)
    assert not outputs()
