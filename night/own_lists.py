"""The work list a night leaves to the gate: entries and exits seen in a roster alone, or at the gate alone; copies."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.permissions import Scope
from core.settings import Settings
from night.own_difference import KIND_LABELS, TO_DO, DifferenceKind
from night.own_gate import read_differences
from night.places import snapshot_dir
from reconcile.models import NightRun, NightState
from reconcile.store import newest_run, night_run

Row = dict[str, Any]
# What somebody has to register at the gate, and what the roster has to catch up with.
TO_REGISTER = (DifferenceKind.EXIT_UNREGISTERED, DifferenceKind.ENTRY_UNKNOWN)
SHOWN = (
    "kind", "unit_code", "post_type", "fund_form", "person_mask", "day", "delivered", "ours", "file", "row",
)  # fmt: skip
# What makes a difference of one night the same as that of another: where it stood in a file does not.
SAME = ("kind", "unit_code", "post_type", "fund_form", "person_key", "day", "delivered", "ours")
# How many earlier nights are looked at for the first that saw a difference.
NIGHTS_BACK = 62


def gate_differences(
    session: Session, settings: Settings, scope: Scope | None = None, *, as_of: date | None = None,
    kinds: tuple[DifferenceKind, ...] = (), unit_code: str | None = None,
) -> list[Row]:  # fmt: skip
    """Differences of a night (the newest) between books and gate, of the units a scope sees (None: all, at the command
    line), in the order of the work list: columns SHOWN, `label`, `to_do`, and `since`, the first of the nights without a
    gap that saw it. People by their mask alone; none when there was no such night."""
    run = night_run(session, as_of) if as_of else newest_run(session)
    if run is None:
        return []
    found = [
        row
        for row in read_differences(snapshot_dir(settings, run))
        if (not kinds or row["kind"] in kinds)
        and (unit_code is None or row["unit_code"] == unit_code)
        and (scope is None or scope.sees_unit(row["unit_code"]))
    ]
    since = _since(session, settings, run, {_same(row) for row in found})
    return [
        {name: row[name] for name in SHOWN}
        | {"label": KIND_LABELS[kind], "to_do": TO_DO[kind], "since": since[_same(row)]}
        for row in found
        for kind in (DifferenceKind(row["kind"]),)
    ]


def _same(row: Row) -> tuple:
    return tuple(row[name] for name in SAME)


def _since(session: Session, settings: Settings, run: NightRun, wanted: set[tuple]) -> dict[tuple, date]:
    """The first night of each difference, as far back as nights without a gap, and their files, go."""
    since = dict.fromkeys(wanted, run.as_of)
    query = select(NightRun).where(
        NightRun.as_of < run.as_of, NightRun.state == NightState.SETTLED, NightRun.superseded_by.is_(None)
    )
    for earlier in session.scalars(query.order_by(NightRun.as_of.desc()).limit(NIGHTS_BACK)):
        if not wanted:
            break
        wanted = wanted & {_same(row) for row in read_differences(snapshot_dir(settings, earlier))}
        since |= dict.fromkeys(wanted, earlier.as_of)
    return since
