"""Settling nights into flags, on both databases: identity, ageing, coverage, supersession, backfill, parking."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.accounts import Role
from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.errors import Forbidden, InvariantViolated, NotFound, Refused
from core.parameters import set_parameter
from core.types import BookVerdict
from core.units import UnitVersion
from reconcile.flags import (
    acknowledge_flag,
)
from reconcile.models import CellFigure, FindingRow, Flag, FlagEvent, NightRun, NightState
from reconcile.settle import Outcome, release_night, settle
from reconcile.store import FlagFilter, counts_by_rule, night_flag_count, night_flags, night_run
from tests.settlekit import (
    HOME,
    KEY,
    NOW,
    OFFICER,
    REVIEWER,
    Nights,
    do,
    finding,
    flag,
    moves,
    scope,
    statuses,
    unit,
    write_night,
)

D1 = date(2026, 10, 15)
D2, D3, D4 = (D1 + timedelta(days=days) for days in (1, 2, 3))
BLIND = [("Q01", HOME, "*", "roster")]


@pytest.fixture
def nights(database_url: str, tmp_path: Path) -> Nights:
    return Nights(engine_for(database_url), tmp_path / "snapshots")


def test_a_finding_opens_a_flag_and_the_next_night_only_sees_it(nights):
    assert nights.night(D1, [finding()]).moves == {"OPEN": 1}
    assert nights.night(D2, [finding()]).moves == {"SEE": 1}
    seen = flag(nights)
    assert (seen.status, seen.first_seen, seen.last_seen, seen.version) == ("OPEN", D1, D2, 1)
    assert moves(nights) == ["OPEN"]


def test_changed_figures_are_mirrored_noted_and_make_an_older_view_stale(nights):
    nights.night(D1, [finding()])
    nights.night(D2, [finding(found="9", severity="S1")])
    seen = flag(nights)
    assert (seen.found, seen.severity, seen.version) == ("9", "S1", 2)
    with reading(nights.engine) as session:
        note = session.scalar(select(FlagEvent.note).where(FlagEvent.move == "SEE"))
    assert note == "级别 S2 → S1；实为 6 → 9"
    with pytest.raises(Refused, match="已由 每夜核对 办理“再次发现”"):
        do(nights, acknowledge_flag, OFFICER, version=1)


def test_settling_twice_changes_nothing(nights):
    run_id = nights.begin(D1)
    write_night(nights.place(run_id), [finding()], units=[unit("U1")])
    assert nights.settle(run_id).outcome is Outcome.SETTLED
    with reading(nights.engine) as session:
        before = [
            session.scalar(select(func.count()).select_from(table))
            for table in (FindingRow, Flag, FlagEvent, AuditEvent)
        ]
    assert nights.settle(run_id).outcome is Outcome.ALREADY
    with reading(nights.engine) as session:
        after = [
            session.scalar(select(func.count()).select_from(table))
            for table in (FindingRow, Flag, FlagEvent, AuditEvent)
        ]
    assert before == after == [1, 1, 1, 1]


def test_an_error_midway_leaves_nothing_behind(nights):
    run_id = nights.begin(D1)
    write_night(nights.place(run_id), [finding(), finding()], units=[unit("U1")])
    with pytest.raises(InvariantViolated):
        nights.settle(run_id)
    with reading(nights.engine) as session:
        assert session.scalar(select(func.count()).select_from(FindingRow)) == 0
        assert session.get(NightRun, run_id).state == NightState.OPEN


def test_a_flag_not_seen_closes_by_data_when_its_unit_was_covered(nights):
    nights.night(D1, [finding()])
    assert nights.night(D2).moves == {"CLOSE_BY_DATA": 1}
    assert statuses(nights) == {KEY: ("CLOSED", "DATA")}


@pytest.mark.parametrize(
    "files",
    [
        {"not_evaluable": BLIND},
        {"not_evaluable": [("Q01", HOME, "U1", "roster")]},
        {"quarantined": [("roster", HOME, "U1")]},
        {"quarantined": [("permits", HOME, "U1")]},
        {"quarantined": [("roster", HOME, None)]},
        {"units": [], "verdicts": {(HOME, "units"): BookVerdict.REJECTED}},
    ],
    ids=["division blind", "unit blind", "roster row", "any book's row", "row of an unreadable unit", "home unknown"],
)
def test_what_was_not_covered_closes_nothing(nights, files):
    nights.night(D1, [finding()])
    assert nights.night(D2, **files).moves == {}
    assert statuses(nights) == {KEY: ("OPEN", None)}
    assert flag(nights).last_seen == D1


def test_another_unit_in_quarantine_or_another_rule_blind_does_not_keep_a_flag_open(nights):
    nights.night(D1, [finding()])
    nights.night(D2, quarantined=[("roster", HOME, "U2")], not_evaluable=[("F01", HOME, "*", "payroll")])
    assert statuses(nights)[KEY] == ("CLOSED", "DATA")


def test_a_quarantined_code_without_its_zeros_protects_the_unit_that_has_them(nights):
    zero = finding(unit="007")
    nights.night(D1, [zero])
    nights.night(D2, units=[unit("007")], quarantined=[("roster", HOME, "7")])
    assert statuses(nights)[zero["key"]] == ("OPEN", None)


def test_a_unit_nothing_names_any_more_closes_when_its_folder_came_in_whole(nights):
    ghost = finding("Q06", "X9")
    nights.night(D1, [ghost], units=[unit("U1")])
    assert nights.night(D2, units=[unit("U1")], verdicts={(HOME, "roster"): BookVerdict.REJECTED}).moves == {}
    assert nights.night(D3, units=[unit("U1")]).moves == {"CLOSE_BY_DATA": 1}


def test_a_double_post_waits_while_any_roster_is_refused(nights):
    double = finding("D01", person="p1")
    nights.night(D1, [double])
    refused = {("990103", "roster"): BookVerdict.REJECTED}
    assert nights.night(D2, verdicts=refused).moves == {}
    assert nights.night(D3).moves == {"CLOSE_BY_DATA": 1}


def test_every_unit_the_evidence_names_must_be_covered(nights):
    double = finding(
        "D01", person="p1", evidence=json.dumps({"roster": [{"unit": "U1"}, {"unit": "U2"}], "payroll": []})
    )
    nights.night(D1, [double])
    assert nights.night(D2, quarantined=[("roster", HOME, "U2")]).moves == {}
    assert nights.night(D3).moves == {"CLOSE_BY_DATA": 1}


DIVISION_FLAGS = {
    "total": (finding("Q08", None, grain='{"division_code":"990102","post_type":"ADMIN"}'), "base"),
    "subtotal": (
        finding(
            "D06", None, grain='{"total":{"division_code":"990102","book":"payroll","column":"amount","stated":"9"}}'
        ),
        "payroll",
    ),
    "cut-offs": (finding("D08", None, division_code=None, grain='{"book":"roster"}'), "roster"),
}


@pytest.mark.parametrize("name", DIVISION_FLAGS)
def test_a_flag_of_a_whole_division_closes_only_with_its_own_book(nights, name):
    row, book = DIVISION_FLAGS[name]
    nights.night(D1, [row])
    assert nights.night(D2, verdicts={(HOME, book): BookVerdict.REJECTED}).moves == {}
    assert nights.night(D3).moves == {"CLOSE_BY_DATA": 1}


def test_sums_of_a_headcount_that_did_not_come_stay_open_and_those_of_another_book_close(nights):
    lost = [("D06", HOME, "*", "headcount")]
    nights.night(D1, [finding("D06", grain='{"unit_code":"U1","measure":"QUOTA"}')])
    assert nights.night(D2, not_evaluable=lost).moves == {}
    assert nights.night(D3, [DIVISION_FLAGS["subtotal"][0]]).moves == {"CLOSE_BY_DATA": 1, "OPEN": 1}
    assert nights.night(date(2026, 12, 1), not_evaluable=lost).moves == {"CLOSE_BY_DATA": 1}


def test_a_mismatch_seen_again_reopens_the_same_flag_with_its_age(nights):
    nights.night(D1, [finding()])
    nights.night(D2)
    assert nights.night(D3, [finding(found="7")]).moves == {"REOPEN": 1}
    again = flag(nights)
    assert (again.status, again.closed_by, again.first_seen, again.last_seen, again.found) == (
        "OPEN",
        None,
        D1,
        D3,
        "7",
    )
    assert moves(nights) == ["OPEN", "CLOSE_BY_DATA", "REOPEN"]


def test_a_night_run_again_supersedes_the_old_one_and_keeps_it(nights):
    nights.night(D1, [finding(), finding(unit="U2")])
    nights.night(D1, [finding()])
    with reading(nights.engine) as session:
        first, second = session.scalars(select(NightRun).order_by(NightRun.run_no))
        assert (first.superseded_by, second.superseded_by) == (second.id, None)
        assert night_run(session, D1).id == second.id
        assert [item.key for item in night_flags(session, second)] == [KEY]
        assert session.scalar(select(func.count()).select_from(FindingRow)) == 3
    assert statuses(nights)[finding(unit="U2")["key"]] == ("CLOSED", "DATA")


def test_a_backfill_neither_opens_closes_nor_ages_anything(nights):
    nights.night(D3, [finding()])
    done = nights.night(D1, [finding(unit="U2")])
    assert (done.outcome, done.backfill, done.moves, done.findings) == (Outcome.SETTLED, True, {}, 1)
    kept = flag(nights)
    assert (kept.status, kept.first_seen, kept.last_seen) == ("OPEN", D3, D3)
    with reading(nights.engine) as session:
        [item] = night_flags(session, night_run(session, D1))
        assert (item.status, item.first_seen) == ("UNTRACKED", None)


def test_only_the_newest_night_writes_the_unit_register(nights):
    nights.night(D2, [], units=[unit("U1"), unit("U2")])
    nights.night(D1, [], units=[unit("U3")])
    nights.night(D3, [], units=[unit("U1", unit_name="新名称")])
    with reading(nights.engine) as session:
        rows = session.execute(select(UnitVersion.unit_code, UnitVersion.unit_name, UnitVersion.seen_on)).all()
    assert [tuple(row) for row in rows] == [("U1", "新名称", D3)]


def test_the_register_keeps_a_division_whose_units_were_refused(nights):
    nights.night(D1, [], units=[unit("U1"), unit("V1", "990103")])
    nights.night(D2, [], units=[unit("V1", "990103")])
    with reading(nights.engine) as session:
        rows = {tuple(row) for row in session.execute(select(UnitVersion.unit_code, UnitVersion.seen_on))}
    assert rows == {("U1", D1), ("V1", D2)}


def many(count: int) -> list[dict[str, object]]:
    return [finding(unit=f"U{number}") for number in range(count)]


@pytest.fixture
def low_bar(nights):
    with writing(nights.engine) as session:
        for name, value in (("jump_floor", "3"), ("jump_ratio", "2")):
            set_parameter(session, name, value, "*", date(2020, 1, 1), actor="test", now=NOW)


def parked_night(nights: Nights) -> int:
    run_id = nights.begin(D2)
    write_night(nights.place(run_id), many(5), units=[unit(f"U{number}") for number in range(5)])
    assert nights.settle(run_id).outcome is Outcome.PARKED
    return run_id


@pytest.mark.usefixtures("low_bar")
def test_a_first_night_never_parks(nights):
    assert nights.night(D1, many(50)).outcome is Outcome.SETTLED


@pytest.mark.usefixtures("low_bar")
def test_a_jump_parks_the_night_and_moves_no_flag(nights):
    nights.night(D1, many(1))
    run_id = parked_night(nights)
    assert nights.settle(run_id).outcome is Outcome.PARKED
    assert len(statuses(nights)) == 1
    with reading(nights.engine) as session:
        run = session.get(NightRun, run_id)
        assert (run.state, run.new_flag_count) == (NightState.PARKED, 4)
        assert night_flag_count(session, run) == 5
        assert night_run(session, D2).id == run_id


@pytest.mark.usefixtures("low_bar")
def test_both_the_floor_and_the_ratio_must_be_passed(nights):
    nights.night(D1, many(1))
    assert nights.night(D2, many(4)).outcome is Outcome.SETTLED  # 3 new: not more than the floor
    assert nights.night(D3, many(12)).outcome is Outcome.SETTLED  # 8 new: not more than twice 4


@pytest.mark.usefixtures("low_bar")
def test_a_reviewer_releases_a_parked_night_once(nights):
    nights.night(D1, many(1))
    run_id = parked_night(nights)
    with writing(nights.engine) as session:
        done = release_night(session, run_id, nights.place(run_id), REVIEWER, NOW)
    assert done.moves == {"OPEN": 4, "SEE": 1}
    assert len(statuses(nights)) == 5
    with reading(nights.engine) as session:
        assert session.get(NightRun, run_id).released_by == "reviewer"
        assert session.scalar(select(AuditEvent.actor).where(AuditEvent.action == "night_released")) == "reviewer"
    with pytest.raises(Refused), writing(nights.engine) as session:
        release_night(session, run_id, nights.place(run_id), REVIEWER, NOW)


@pytest.mark.usefixtures("low_bar")
def test_an_officer_cannot_release_and_a_replaced_run_cannot_be_released(nights):
    nights.night(D1, many(1))
    run_id = parked_night(nights)
    with pytest.raises(Forbidden), writing(nights.engine) as session:
        release_night(session, run_id, nights.place(run_id), OFFICER, NOW)
    parked_night(nights)
    with pytest.raises(Refused, match="更新的一次"), writing(nights.engine) as session:
        release_night(session, run_id, nights.place(run_id), REVIEWER, NOW)


@pytest.mark.usefixtures("low_bar")
def test_a_night_released_after_a_newer_one_settled_is_a_backfill(nights):
    nights.night(D1, many(1))
    run_id = parked_night(nights)
    nights.night(D3, many(2))
    with writing(nights.engine) as session:
        done = release_night(session, run_id, nights.place(run_id), REVIEWER, NOW)
    assert (done.backfill, done.moves) == (True, {})
    assert len(statuses(nights)) == 2


def test_figures_are_kept_and_lists_filter_sort_and_count(nights):
    cell = {"division_code": HOME, "unit_code": "U1", "post_type": "", "fund_form": "", "quota": 5, "in_post": 6}
    rows = [
        finding(),
        finding("F02", "U2", person="p1", severity="S3"),
        finding("F02", "U2", person="p2", severity="S4", cause="TIMING"),
    ]
    nights.night(D1, rows, cells=[cell], presence=[{"unit_code": "U1", "bits": "111", "people": 6}])
    with reading(nights.engine) as session:
        run = night_run(session, D1)
        assert session.scalar(select(CellFigure.in_post)) == 6
        assert counts_by_rule(session, run) == {("Q01", "S2"): 1, ("F02", "S3"): 1, ("F02", "S4"): 1}
        assert counts_by_rule(session, run, OFFICER)[("Q01", "S2")] == 1
        assert night_flag_count(session, run, scope("x", Role.UNIT_OFFICER, "U2")) == 2
        assert [i.severity for i in night_flags(session, run, sort="-severity", limit=2)] == ["S4", "S3"]
        [timing] = night_flags(session, run, chosen=FlagFilter(causes=["TIMING"], statuses=["OPEN"]))
        assert (timing.expected, timing.found, timing.unit_name) == (5, 6, "单位U2")
        assert timing.person == "990102********0019(p2)"


def test_a_run_unknown_to_the_database_is_not_found(nights, tmp_path):
    with pytest.raises(NotFound), writing(nights.engine) as session:
        settle(session, 99, tmp_path, NOW)


def test_sessions_are_the_callers(nights):
    run_id = nights.begin(D1)
    write_night(nights.place(run_id), [finding()], units=[unit("U1")])
    with Session(nights.engine) as session:
        settle(session, run_id, nights.place(run_id), NOW)
        session.rollback()
    assert statuses(nights) == {}
