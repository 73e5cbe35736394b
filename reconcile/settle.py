"""Settling a night: its findings become rows, and the flags take one step each. One transaction, opened by the edge.

Settling twice changes nothing. A night older than the newest settled one is a backfill: its findings and figures are
kept, no flag moves. A jump of new flags parks the night until a person releases it (decision 0001 no. 38).

Every count shown of a night leaves leads on people out, and so does the jump: a difference would betray them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Table, case, delete, func, insert, or_, select, text, update
from sqlalchemy.orm import Session

from core.audit import record
from core.errors import Forbidden, InvariantViolated, NotFound, Refused
from core.parameters import parameter_value
from core.permissions import Permission, Scope
from core.types import BookVerdict
from core.units import UnitVersion
from reconcile.catalog import RESTRICTED
from reconcile.facts import NightFacts, read_batches, read_facts, read_units
from reconcile.findings import FINDING_SCHEMA, NOT_EVALUABLE_SCHEMA
from reconcile.lifecycle import NIGHT, TRANSITIONS, Move
from reconcile.models import (
    CellFigure,
    FindingRow,
    Flag,
    FlagEvent,
    FlagStatus,
    NightRun,
    NightState,
    NotEvaluable,
    PresenceFigure,
    Verdict,
)
from reconcile.plan import COMPARED, Change, Coverage, Seen, Standing, concerned_units, plan_settle
from reconcile.trends import count_findings
from reconcile.visibility import note_concerns

FLAGS_LOCK = 0x666C6167
CHUNK = 5_000
GOOD = (BookVerdict.ACCEPTED, BookVerdict.ACCEPTED_WITH_QUARANTINE)
SEEN_COLUMNS = tuple(column.name for column in fields(Seen))
CELL_COLUMNS = (
    "division_code", "unit_code", "post_type", "fund_form", "quota", "allowed", "in_post", "paid", "part_of",
)  # fmt: skip
PRESENCE_COLUMNS = ("unit_code", "bits", "people")
NO_EXPLANATION = {
    "explanation": None,
    "explanation_evidence": None,
    "explanation_until": None,
    "explained_by_login": None,
    "confirmed_by_login": None,
}
NOTED = {"severity": "级别", "expected": "应为", "found": "实为", "cause": "原因", "unit_code": "单位"}


class Outcome(StrEnum):
    """How settling ended: done, waiting for a person, or done before."""

    SETTLED = "SETTLED"
    PARKED = "PARKED"
    ALREADY = "ALREADY"


@dataclass(frozen=True)
class Settled:
    """What settling did, leads on people aside. `moves`: flags per move, SEE included; empty for a backfill, a parked or a
    settled night."""

    outcome: Outcome
    findings: int = 0
    backfill: bool = False
    moves: dict[str, int] = field(default_factory=dict)


def settle(session: Session, run_id: int, folder: Path, now: datetime) -> Settled:
    """Settle a run from its snapshot folder (books, quarantine, findings, not_evaluable, cells, presence).

    Its verdicts must be recorded. Errors: NotFound for an unknown run; InvariantViolated when findings repeat a key.
    """
    run = _locked(session, run_id)
    if run.state == NightState.SETTLED:
        return Settled(Outcome.ALREADY, backfill=run.backfill)
    if run.state == NightState.PARKED:
        return Settled(Outcome.PARKED)
    _store(session, run, folder)
    facts = read_facts(folder)
    run.backfill = _newer_night(session, run)
    if run.backfill:
        return _finish(session, run, NIGHT, [], now)
    changes = _changes(session, run, facts)
    run.new_flag_count = _moves(changes)[Move.OPEN.value]
    if _jumps(session, run):
        run.state = NightState.PARKED
        _trail(session, run, "night_parked", NIGHT, now, new_flags=run.new_flag_count)
        return Settled(Outcome.PARKED, _finding_count(session, run.id))
    _apply(session, run, changes, now)
    _write_register(session, run, folder)
    return _finish(session, run, NIGHT, changes, now)


def release_night(session: Session, run_id: int, folder: Path, by: Scope, now: datetime) -> Settled:
    """Settle a parked night as a person's decision.

    Errors: NotFound; Forbidden without the permission; Refused when it is not parked, or a later run replaces it.
    """
    if not by.may(Permission.RELEASE_NIGHT):
        raise Forbidden("只有编办审核人员或系统管理员可以放行。")
    run = _locked(session, run_id)
    if run.state != NightState.PARKED:
        raise Refused("这一夜没有待放行。", state=run.state)
    if session.scalar(select(NightRun.id).where(*_later_run(run)).limit(1)) is not None:
        raise Refused("这一夜已有更新的一次，请放行最新的一次。")
    run.released_by = by.login
    run.backfill = _newer_night(session, run)
    changes = [] if run.backfill else _changes(session, run, read_facts(folder))
    run.new_flag_count = _moves(changes)[Move.OPEN.value]
    if not run.backfill:
        _apply(session, run, changes, now)
        _write_register(session, run, folder)
    return _finish(session, run, by.login, changes, now)


def lock_flags(session: Session, *, whole: bool) -> None:
    """Keep nights (`whole`) and people's moves apart until commit. SQLite's writers are alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        call = "pg_advisory_xact_lock" if whole else "pg_advisory_xact_lock_shared"
        session.execute(text(f"SELECT {call}(:key)"), {"key": FLAGS_LOCK})


def _locked(session: Session, run_id: int) -> NightRun:
    lock_flags(session, whole=True)
    run = session.get(NightRun, run_id, populate_existing=True)
    if run is None:
        raise NotFound("没有这一夜的这一次。")
    return run


def _later_run(run: NightRun) -> tuple:
    return (
        NightRun.as_of == run.as_of,
        NightRun.run_no > run.run_no,
        NightRun.state.in_([NightState.PARKED, NightState.SETTLED]),
    )


def _newer_night(session: Session, run: NightRun) -> bool:
    """Whether a later date, or a later run of this date, has already settled."""
    later = or_(NightRun.as_of > run.as_of, (NightRun.as_of == run.as_of) & (NightRun.run_no > run.run_no))
    settled = select(NightRun.id).where(NightRun.state == NightState.SETTLED, later)
    return session.scalar(settled.limit(1)) is not None


def _store(session: Session, run: NightRun, folder: Path) -> None:
    keys = pq.read_table(folder / "findings.parquet", columns=["key"])["key"]
    if pc.count_distinct(keys).as_py() != len(keys):
        raise InvariantViolated("two findings of one night have one key", findings=len(keys))
    for model, name, columns in (
        (FindingRow, "findings", FINDING_SCHEMA),
        (NotEvaluable, "not_evaluable", NOT_EVALUABLE_SCHEMA),
        (CellFigure, "cells", CELL_COLUMNS),
        (PresenceFigure, "presence", PRESENCE_COLUMNS),
    ):
        for rows in read_batches(folder / f"{name}.parquet", columns):
            _insert(session, model.__table__, ({**row, "run_id": run.id} for row in rows))
    count_findings(session, run.id)
    note_concerns(session, run)


def _insert(session: Session, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    for part in _chunks(list(rows)):
        session.execute(insert(table), part)


def _chunks(items: Sequence) -> Iterator[Sequence]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


def _changes(session: Session, run: NightRun, facts: NightFacts) -> list[Change]:
    columns = [getattr(FindingRow, name) for name in SEEN_COLUMNS]
    findings = {row.key: Seen(*row) for row in session.execute(select(*columns).where(FindingRow.run_id == run.id))}
    return plan_settle(_standing(session, run), findings, _coverage(session, run, facts), run.as_of)


def _standing(session: Session, run: NightRun) -> list[Standing]:
    """Live flags, and closed ones seen tonight. Only those not seen tonight need to know whom they concern."""
    tonight = select(FindingRow.key).where(FindingRow.run_id == run.id)
    live = Flag.status != FlagStatus.CLOSED
    concerned = {
        key: concerned_units(evidence)
        for key, evidence in session.execute(
            select(FindingRow.key, FindingRow.evidence)
            .join(Flag, (Flag.key == FindingRow.key) & (Flag.last_run_id == FindingRow.run_id))
            .where(live, Flag.key.not_in(tonight))
        )
    }
    columns = [getattr(Flag, name) for name in SEEN_COLUMNS]
    rows = session.execute(
        select(*columns, Flag.status, Flag.explanation_until).where(or_(live, Flag.key.in_(tonight)))
    )
    return [
        Standing(Seen(*row[:-2]), FlagStatus(row.status), row.explanation_until, concerned.get(row.key, frozenset()))
        for row in rows
    ]


def _coverage(session: Session, run: NightRun, facts: NightFacts) -> Coverage:
    blind = session.execute(
        select(NotEvaluable.rule, NotEvaluable.division_code, NotEvaluable.unit_code).where(
            NotEvaluable.run_id == run.id
        )
    )
    verdicts = session.execute(
        select(Verdict.division_code, Verdict.book, Verdict.verdict, Verdict.expected).where(Verdict.run_id == run.id)
    ).all()
    return Coverage(
        blind=frozenset((row.rule, row.division_code, row.unit_code) for row in blind),
        homes=facts.homes,
        accepted=frozenset((row.division_code, row.book) for row in verdicts if row.verdict in GOOD),
        absent=frozenset(
            row.book
            for row in verdicts
            if row.verdict == BookVerdict.REJECTED or (row.expected and row.verdict == BookVerdict.MISSING)
        ),
        quarantined=facts.quarantined,
        unplaced=facts.unplaced,
    )


def _jumps(session: Session, run: NightRun) -> bool:
    """More new flags than both the floor and the ratio of the last settled night's findings; never a first night."""
    last = session.scalar(
        select(NightRun.id)
        .where(NightRun.as_of < run.as_of, NightRun.state == NightState.SETTLED, NightRun.superseded_by.is_(None))
        .order_by(NightRun.as_of.desc())
        .limit(1)
    )
    if last is None:
        return False
    floor = parameter_value(session, "jump_floor", run.as_of)
    ratio = parameter_value(session, "jump_ratio", run.as_of)
    new = run.new_flag_count or 0
    return new > floor and new > ratio * _finding_count(session, last)


def _finding_count(session: Session, run_id: int) -> int:
    mine = select(func.count()).select_from(FindingRow).where(FindingRow.run_id == run_id)
    return session.scalar(mine.where(FindingRow.rule.not_in(RESTRICTED))) or 0


def _moves(changes: list[Change]) -> Counter[str]:
    return Counter(change.move.value for change in changes if change.rule not in RESTRICTED)


def _apply(session: Session, run: NightRun, changes: list[Change], now: datetime) -> None:
    _open(session, run, [change for change in changes if change.move is Move.OPEN])
    for move in (Move.REOPEN, Move.EXPIRE, Move.CLOSE_BY_DATA):
        _turn(session, move, [change.key for change in changes if change.move is move])
    before = _mirrored(session, [change.key for change in changes if change.move is Move.SEE and change.noted])
    numbers = _numbers(session, [change.key for change in changes if change.noted])
    _mirror(session, run)
    stamp = {"at": now, "as_of": run.as_of, "run_id": run.id, "actor": NIGHT}
    _insert(
        session,
        FlagEvent.__table__,
        (
            stamp
            | {
                "flag_id": numbers[change.key],
                "move": change.move.value,
                "from_status": change.before.value if change.before else None,
                "to_status": change.after.value,
                "note": _what_changed(before.get(change.key), change.finding),
            }
            for change in changes
            if change.noted
        ),
    )
    session.expire_all()


def _open(session: Session, run: NightRun, changes: list[Change]) -> None:
    born = {
        "status": FlagStatus.OPEN.value, "first_seen": run.as_of, "last_seen": run.as_of, "last_run_id": run.id,
        "version": 1,
    }  # fmt: skip
    _insert(session, Flag.__table__, (asdict(change.finding) | born for change in changes if change.finding))


def _turn(session: Session, move: Move, keys: list[str]) -> None:
    row = TRANSITIONS[move]
    values: dict[str, Any] = {"status": row.target.value, "closed_by": row.closed_by, "version": Flag.version + 1}
    if move is not Move.CLOSE_BY_DATA:
        values |= NO_EXPLANATION
    for part in _chunks(keys):
        session.execute(
            update(Flag).where(Flag.key.in_(part)).values(**values).execution_options(synchronize_session=False)
        )


def _numbers(session: Session, keys: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for part in _chunks(keys):
        found |= dict(session.execute(select(Flag.key, Flag.id).where(Flag.key.in_(part))).all())
    return found


def _mirrored(session: Session, keys: list[str]) -> dict[str, dict[str, str | None]]:
    columns = [getattr(Flag, name) for name in ("key", *NOTED)]
    return {
        row.key: dict(row._mapping)
        for part in _chunks(keys)
        for row in session.execute(select(*columns).where(Flag.key.in_(part)))
    }


def _mirror(session: Session, run: NightRun) -> None:
    """Every live flag seen tonight takes over the finding's figures; its version grows where they differ."""
    flag, finding = Flag.__table__, FindingRow.__table__
    differs = or_(*(flag.c[name].is_distinct_from(finding.c[name]) for name in COMPARED))
    session.execute(
        update(flag)
        .where(finding.c.run_id == run.id, finding.c.key == flag.c.key, flag.c.status != FlagStatus.CLOSED)
        .values(
            {name: finding.c[name] for name in COMPARED}
            | {
                "last_seen": run.as_of,
                "last_run_id": run.id,
                "version": flag.c.version + case((differs, 1), else_=0),
            }
        )
    )


def _what_changed(before: dict[str, str | None] | None, finding: Seen | None) -> str | None:
    if before is None or finding is None:
        return None
    parts = [
        f"{label} {before[name] or '—'} → {getattr(finding, name) or '—'}"
        for name, label in NOTED.items()
        if before[name] != getattr(finding, name)
    ]
    return "；".join(parts) or None


def _write_register(session: Session, run: NightRun, folder: Path) -> None:
    """The unit register from tonight's accepted `units`: each delivering folder's part is replaced as a whole."""
    units = read_units(folder)
    folders = sorted({unit["delivered_by"] for unit in units})
    for part in _chunks(folders):
        session.execute(delete(UnitVersion).where(UnitVersion.delivered_by.in_(part)))
    for part in _chunks(sorted({unit["unit_code"] for unit in units})):
        session.execute(delete(UnitVersion).where(UnitVersion.unit_code.in_(part)))
    # A version that ends before it begins was never in force.
    sound = [
        unit
        for unit in units
        if not (unit["valid_from"] and unit["valid_to"] and unit["valid_to"] < unit["valid_from"])
    ]
    _insert(session, UnitVersion.__table__, ({**unit, "seen_on": run.as_of} for unit in sound))


def _finish(session: Session, run: NightRun, actor: str, changes: list[Change], now: datetime) -> Settled:
    """Mark the run settled and those of its date it replaces; leave one audit event with the counts."""
    older = update(NightRun).where(
        NightRun.as_of == run.as_of, NightRun.run_no < run.run_no, NightRun.superseded_by.is_(None)
    )
    session.execute(older.values(superseded_by=run.id).execution_options(synchronize_session=False))
    run.superseded_by = session.scalar(
        select(NightRun.id)
        .where(NightRun.as_of == run.as_of, NightRun.run_no > run.run_no, NightRun.state == NightState.SETTLED)
        .order_by(NightRun.run_no.desc())
        .limit(1)
    )
    run.state = NightState.SETTLED
    run.settled_at = now
    moves = dict(sorted(_moves(changes).items()))
    result = Settled(Outcome.SETTLED, _finding_count(session, run.id), run.backfill, moves)
    action = "night_settled" if actor == NIGHT else "night_released"
    _trail(session, run, action, actor, now, findings=result.findings, backfill=run.backfill, moves=moves)
    return result


def _trail(session: Session, run: NightRun, action: str, actor: str, now: datetime, **counts: Any) -> None:
    record(session, actor=actor, action=action, subject=f"night {run.as_of} run {run.run_no}", now=now, **counts)
