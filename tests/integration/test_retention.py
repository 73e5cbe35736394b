"""What is kept and what goes: prune with a dry run, killed between rows and files, and everything else still standing."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.parameters import set_parameter
from night import retention
from night.places import report_dir, snapshot_dir
from night.proof import proofs
from night.steps import begin, perform
from reconcile.models import CellFigure, FindingCount, FindingRow, Flag, NightRun
from tests.homes import SavedHome, settings_in
from tests.nightkit import House, deliver, good_books

NOW = datetime(2026, 12, 20, tzinfo=UTC)
TODAY = NOW.date()
NIGHTS = (date(2026, 9, 20), date(2026, 9, 30), date(2026, 10, 15), date(2026, 10, 31), date(2026, 11, 30))


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory) -> SavedHome:
    """Five nights, one of them run twice; nobody is paid for one person, whom the last night no longer has."""
    settings = settings_in(tmp_path_factory.mktemp("nights") / "home")
    house = House(settings)
    for night in NIGHTS:
        books = good_books()
        for row in books["payroll"]:
            row["month"] = f"{night:%Y-%m}"
        if night != NIGHTS[-1]:
            books["payroll"] = books["payroll"][:3]
        deliver(house.inbox, night, "990102", **books)
        house.night(night)
        if night == NIGHTS[2]:
            books["roster"] = books["roster"][::-1]
            deliver(house.inbox, night, "990102", **books)
            house.night(night)
    with writing(engine_for(settings.database_url)) as session:
        for name, days in (("keep_days", 60), ("keep_superseded_days", 20), ("keep_month_days", 75)):
            set_parameter(session, name, str(days), "*", date(2000, 1, 1), actor="test", now=NOW)
    return SavedHome(settings.home, settings.database_url)


@pytest.fixture
def house(lived_in) -> House:
    lived_in.put_back()
    return House(settings_in(lived_in.home))


def prune(house: House, dry_run: bool = False) -> retention.Pruning:
    with writing(engine_for(house.settings.database_url)) as session:
        return retention.prune(session, house.settings, TODAY, NOW, actor="test", dry_run=dry_run)


def sweep(house: House) -> int:
    with reading(engine_for(house.settings.database_url)) as session:
        return retention.sweep(session, house.settings)


def counts(house: House) -> dict[str, int]:
    return {
        model.__tablename__: house.query(select(func.count()).select_from(model))[0][0]
        for model in (FindingRow, CellFigure, FindingCount, Flag, AuditEvent)
    }


def test_a_dry_run_says_what_goes_and_touches_nothing(house):
    before = counts(house)
    said = prune(house, dry_run=True)
    # Kept: the newest night, October's last (50 days old, kept 75). Gone: the rest that is older than its time.
    assert said.runs == [
        (NIGHTS[0], 1, False), (NIGHTS[1], 1, False), (NIGHTS[2], 1, True), (NIGHTS[2], 2, False)
    ]  # fmt: skip
    assert said.files > 0
    assert said.bytes > 0
    assert counts(house) == before
    assert sweep(house) == 0
    real = prune(house)
    assert (real.runs, real.rows, real.files, real.bytes) == (said.runs, said.rows, said.files, said.bytes)


def test_what_was_counted_decided_and_seen_last_stays_and_verify_still_holds(house):
    before = counts(house)
    flags = house.query(select(Flag.key, Flag.status))
    prune(house)
    sweep(house)
    after = counts(house)
    assert after["finding_count"] == before["finding_count"] > 0
    assert after["flag"] == before["flag"] > 0
    assert after["audit_event"] == before["audit_event"] + 4
    assert 0 < after["finding"] < before["finding"]
    assert house.query(select(Flag.key, Flag.status)) == flags
    totals = house.query(select(CellFigure.run_id).where(CellFigure.post_type == "").distinct())
    assert len(totals) == 6
    with reading(engine_for(house.settings.database_url)) as session:
        assert [proof for proof in proofs(session, house.settings) if not proof.holds] == []
        for run in session.scalars(select(NightRun)):
            there = [snapshot_dir(house.settings, run).exists(), report_dir(house.settings, run).exists()]
            assert there == [run.pruned_at is None] * 2
    assert prune(house).runs == []


def test_killed_between_rows_and_files_the_next_sweep_ends_it(house, monkeypatch):
    prune(house)
    with monkeypatch.context() as broken:
        broken.setattr(retention.shutil, "rmtree", lambda *_args, **_named: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            sweep(house)
    sweep(house)
    assert sorted(path.name for path in house.settings.snapshots_dir.iterdir()) == ["2026-10-31", "2026-11-30"]
    assert sweep(house) == 0


def test_a_file_a_kept_night_names_too_is_kept(house):
    raw = {path for path in house.settings.raw_dir.rglob("*") if path.is_file()}
    prune(house)
    sweep(house)
    left = {path for path in house.settings.raw_dir.rglob("*") if path.is_file()}
    assert left < raw
    with reading(engine_for(house.settings.database_url)) as session:
        assert all(proof.holds for proof in proofs(session, house.settings))


def test_what_the_gate_keeps_goes_once_no_night_has_used_it_for_long(house):
    kept = lambda: {path for path in house.settings.cache_dir.rglob("*") if path.is_file()}
    before, old = kept(), (NOW - timedelta(days=100)).timestamp()
    for path in before:
        os.utime(path, (old, old))
    assert house.night(NIGHTS[-1]) == 0
    with reading(engine_for(house.settings.database_url)) as session:
        now = datetime.now(UTC).date()
        unused = retention.drop_unused(session, house.settings, now)
        assert retention.drop_unused(session, house.settings, now) == 0
    assert 0 < unused < len(before)
    assert len(kept()) == len(before) - unused
    # What is left is what the last night needs: it is not read again.
    assert house.night(NIGHTS[-1]) == 0
    run_id = begin(NIGHTS[-1], house.inbox, house.settings)
    for book in ("units", "establishment", "roster", "payroll"):
        assert perform("gate", run_id, book, house.settings)["read"] == 0


def test_the_newest_night_stays_however_old(house):
    with writing(engine_for(house.settings.database_url)) as session:
        due = retention.due_runs(session, TODAY + timedelta(days=20_000))
    assert len(due) == 5
    assert NIGHTS[-1] not in {run.as_of for run in due}
