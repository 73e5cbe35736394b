"""What the rules are told beside the books: dated parameters and the night of a year ago, as rows."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import working_days
from core.parameters import parameter_value
from core.settings import Settings
from core.units import division_lineage
from night.places import snapshot_dir
from reconcile.models import NightRun, NightState
from reconcile.rules.tables import Night

NUMBERS = ("entry_days", "exit_days", "idle_months")


def rule_night(session: Session, as_of: date) -> Night:
    """The day judged with its parameters in force."""
    numbers = {name: parameter_value(session, name, as_of) for name in NUMBERS}
    return Night.of(as_of, parameter_value(session, "allowed_post_types", as_of), **numbers)


def looked_up(session: Session, settings: Settings, run: NightRun, divisions: set[str]) -> dict[str, list[tuple]]:
    """Rows of `rules.tables.LOOKED_UP` for a run. divisions: every folder of the night; its units may name more."""
    units = pq.read_table(snapshot_dir(settings, run) / "units.parquet", columns=["division_code"])
    codes = {code for code in units["division_code"].to_pylist() if code} | divisions
    codes |= {above for code in codes for above in division_lineage(code)}
    starts = {code: parameter_value(session, "gate_start", run.as_of, code) for code in sorted(codes)}
    gate_start = [(code, date.fromisoformat(start)) for code, start in starts.items() if start is not None]
    ranks = parameter_value(session, "rank_order", run.as_of)
    return {
        "gate_start": gate_start,
        "workday": working_days(min(start for _, start in gate_start), run.as_of) if gate_start else [],
        "rank_order": [(word, place) for place, words in enumerate(ranks, 1) for word in words],
        "year_ago": _year_ago(session, settings, run.as_of),
    }


def _year_ago(session: Session, settings: Settings, as_of: date) -> list[tuple]:
    """(division_code, paid) as the newest night of the same month last year has it on which the division's payroll was
    accepted; a division without such a night has no row."""
    first = as_of.replace(year=as_of.year - 1, day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    newest_first = session.scalars(
        select(NightRun)
        .where(
            NightRun.state == NightState.SETTLED,
            NightRun.superseded_by.is_(None),
            NightRun.as_of >= first,
            NightRun.as_of < after,
        )
        .order_by(NightRun.as_of.desc(), NightRun.run_no.desc())
    )
    then: dict[str, int] = {}
    for run in newest_first:
        for division, paid in _paid_on(snapshot_dir(settings, run) / "division_paid.parquet"):
            then.setdefault(division, paid)
    return sorted(then.items())


def _paid_on(path: Path) -> list[tuple[str, int]]:
    """What a night knows of the divisions it could count; nothing where its files are no longer kept."""
    if not path.exists():
        return []
    table = pq.read_table(path, columns=["division_code", "paid"])
    return list(zip(table["division_code"].to_pylist(), table["paid"].to_pylist(), strict=True))
