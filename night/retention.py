"""How long what is kept: old nights let go of rows and files, and say so. What was counted, decided or mailed stays.

A pruned night keeps its verdicts, its control totals, its counts of findings, the totals of its units and every flag
with its history; it loses its single findings and cells, its snapshot, its reports and raw copies. Never pruned: the
newest night, the last night of each month that is young enough, a night that is open or parked, and the findings a flag
was last seen by. What the gate keeps between nights goes once no night has used it for as long as a superseded run is
kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from core.audit import record
from core.parameters import parameter_value
from core.settings import Settings
from expectations.keeping import unused
from night.places import raw_path, report_dir, snapshot_dir
from reconcile.identities import forget_identities
from reconcile.models import (
    Artefact,
    CellFigure,
    Delivery,
    FindingRow,
    Flag,
    NightRun,
    NightState,
    NotEvaluable,
    PresenceFigure,
)
from staffing.people import people_on_posts

ROWS = (FindingRow, CellFigure, PresenceFigure, NotEvaluable)


@dataclass
class Pruning:
    """What goes. `runs`: (date, run number, superseded); rows per table; files and bytes on disk."""

    runs: list[tuple[date, int, bool]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    bytes: int = 0


def due_runs(session: Session, today: date) -> list[NightRun]:
    """The runs whose time is over: superseded ones first of all, then nights that are no month's last."""
    days = {
        name: parameter_value(session, name, today) for name in ("keep_days", "keep_superseded_days", "keep_month_days")
    }
    runs = session.scalars(
        select(NightRun)
        .where(NightRun.state == NightState.SETTLED, NightRun.pruned_at.is_(None))
        .order_by(NightRun.as_of, NightRun.run_no)
    ).all()
    counting = [run for run in runs if run.superseded_by is None]
    if not counting:
        return []
    month_ends = {run.as_of.strftime("%Y-%m"): run.id for run in counting}
    due = []
    for run in runs:
        if run.id == counting[-1].id:
            continue
        if run.superseded_by is not None:
            keep = days["keep_superseded_days"]
        elif run.id in month_ends.values():
            keep = days["keep_month_days"]
        else:
            keep = days["keep_days"]
        if run.as_of < today - timedelta(days=keep):
            due.append(run)
    return due


def prune(session: Session, settings: Settings, today: date, now: datetime, *, actor: str, dry_run: bool) -> Pruning:
    """Let go of the rows of what is due, in the caller's transaction; `sweep` and `drop_unused` remove the files after it.

    dry_run: only count. Errors: none of its own.
    """
    due = due_runs(session, today)
    ids = [run.id for run in due]
    found = Pruning([(run.as_of, run.run_no, run.superseded_by is not None) for run in due])
    for model in ROWS:
        going = _going(model, ids)
        found.rows[model.__tablename__] = session.scalar(select(func.count()).select_from(model).where(*going)) or 0
        if not dry_run:
            session.execute(delete(model).where(*going))
    for path in [*_files(session, settings, [*_pruned(session), *due]), *_unused(session, settings, today)]:
        found.files += 1
        found.bytes += path.stat().st_size
    if not dry_run:
        session.execute(delete(Artefact).where(Artefact.run_id.in_(ids)))
        forget_identities(session, people_on_posts(session))
        for run in due:
            run.pruned_at = now
            record(
                session, actor=actor, action="night_pruned", subject=f"night {run.as_of} run {run.run_no}", now=now,
                superseded=run.superseded_by is not None,
            )  # fmt: skip
    return found


def _going(model, ids: list[int]) -> list:
    """Which rows of a table go: unit totals stay for trends, and so does the finding a flag was last seen by."""
    where = [model.run_id.in_(ids)]
    if model is CellFigure:
        where.append(CellFigure.post_type != "")
    if model is FindingRow:
        where.append(~exists().where(Flag.key == FindingRow.key, Flag.last_run_id == FindingRow.run_id))
    return where


def sweep(session: Session, settings: Settings) -> int:
    """Remove the files of every pruned run, also what a killed sweep left; returns how many. Raw copies that a kept run
    names stay."""
    gone = _pruned(session)
    count = 0
    for path in list(_files(session, settings, gone)):
        path.unlink(missing_ok=True)
        count += 1
    for run in gone:
        for folder in (snapshot_dir(settings, run), report_dir(settings, run)):
            shutil.rmtree(folder, ignore_errors=True)
            if folder.parent.is_dir() and not any(folder.parent.iterdir()):
                folder.parent.rmdir()
    return count


def drop_unused(session: Session, settings: Settings, today: date) -> int:
    """Remove what the gate keeps and no night has used for long; returns how many files."""
    paths = _unused(session, settings, today)
    for path in paths:
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()
    return len(paths)


def _unused(session: Session, settings: Settings, today: date) -> list[Path]:
    keep = timedelta(days=parameter_value(session, "keep_superseded_days", today))
    before = (datetime.combine(today, time(), UTC) - keep).timestamp()
    plans = (path for path in settings.cache_dir.glob("plan-*.json") if path.stat().st_mtime < before)
    return [*unused(settings.cache_dir, before), *sorted(plans)]


def _pruned(session: Session) -> list[NightRun]:
    return list(session.scalars(select(NightRun).where(NightRun.pruned_at.is_not(None)).order_by(NightRun.id)))


def _files(session: Session, settings: Settings, runs: Iterable[NightRun]) -> Iterable[Path]:
    """Every file that only these runs need."""
    runs = list(runs)
    ids = [run.id for run in runs]
    kept = set(session.scalars(select(Delivery.sha256).where(Delivery.run_id.not_in(ids))))
    names = session.execute(select(Delivery.sha256, Delivery.file).where(Delivery.run_id.in_(ids)).distinct()).all()
    raw = {raw_path(settings, sha256, name) for sha256, name in names if sha256 not in kept}
    for path in sorted(raw):
        if path.is_file():
            yield path
    for run in runs:
        for folder in (snapshot_dir(settings, run), report_dir(settings, run)):
            yield from sorted(path for path in folder.rglob("*") if path.is_file())
