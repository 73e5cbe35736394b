"""The work list a night leaves to the gate: entries and exits seen in a roster alone, or at the gate alone; copies."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.permissions import Scope
from core.settings import Settings
from night.own_difference import KIND_LABELS, DifferenceKind
from night.own_gate import read_differences
from night.places import snapshot_dir
from reconcile.store import newest_run, night_run

# What somebody has to register at the gate, and what the roster has to catch up with.
TO_REGISTER = (DifferenceKind.EXIT_UNREGISTERED, DifferenceKind.ENTRY_UNKNOWN)
SHOWN = (
    "kind", "unit_code", "post_type", "fund_form", "person_mask", "day", "delivered", "ours", "file", "row",
)  # fmt: skip


def gate_differences(
    session: Session, settings: Settings, scope: Scope | None = None, *, as_of: date | None = None,
    kinds: tuple[DifferenceKind, ...] = (), unit_code: str | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Differences of a night (the newest) between books and gate, of the units a scope sees (None: all, at the command
    line), in the order of the work list: columns SHOWN and `label`. People by their mask alone; none when there was no
    such night."""
    run = night_run(session, as_of) if as_of else newest_run(session)
    if run is None:
        return []
    return [
        {name: row[name] for name in SHOWN} | {"label": KIND_LABELS[DifferenceKind(row["kind"])]}
        for row in read_differences(snapshot_dir(settings, run))
        if (not kinds or row["kind"] in kinds)
        and (unit_code is None or row["unit_code"] == unit_code)
        and (scope is None or scope.sees_unit(row["unit_code"]))
    ]
