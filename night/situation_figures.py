"""The figures of a situation report: per unit, what the newest settled night and the ledger say."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.settings import Settings
from core.types import LeaderTier
from expectations.snapshot_files import read_path
from night.parts import parts_of
from night.places import snapshot_dir
from night.strength import is_active
from pool.listing import cell_rows
from reconcile.models import CellFigure, NightRun

MEASURES = ("QUOTA", "IN_POST", "PAID", "LEADER_POSTS", "LEADERS", "BORROWED", "LENT")
TIER_COLUMNS = {
    LeaderTier.CHIEF: "leaders_chief", LeaderTier.DEPUTY: "leaders_deputy",
    LeaderTier.INNER_CHIEF: "leaders_inner_chief", LeaderTier.INNER_DEPUTY: "leaders_inner_deputy",
}  # fmt: skip
Figure = tuple[str, str, int | None]  # measure, part, posts or people


def figures_of(session: Session, settings: Settings, run: NightRun, units: Collection[str]) -> dict[str, list[Figure]]:
    """unit_code → its figures in order: cells and total, leaders per tier, loans. A figure the night does not know is
    None, never 0; a unit the night has no figure of has the three totals, unknown."""
    found: dict[str, list[Figure]] = {unit: [] for unit in units}
    for figure in _cells(session, run, sorted(units)):
        part = f"{figure.post_type}/{figure.fund_form}" if figure.post_type else ""
        for measure, value in (("QUOTA", figure.quota), ("IN_POST", figure.in_post), ("PAID", figure.paid)):
            found[figure.unit_code].append((measure, part, value))
    posts, leaders = _leaders(settings, run)
    loans = _loans(session, run, units)
    for unit, rows in found.items():
        if not rows:
            rows += [(measure, "", None) for measure in MEASURES[:3]]
        rows.sort(key=lambda row: (row[1] == "", row[1], MEASURES.index(row[0])))
        for tier in LeaderTier:
            here = (posts.get((unit, tier.value)), leaders.get((unit, tier.value)))
            if here != (None, None):
                rows += [("LEADER_POSTS", tier.value, here[0]), ("LEADERS", tier.value, here[1] or 0)]
        rows += [("BORROWED", "", loans[unit][0]), ("LENT", "", loans[unit][1])]
    return found


def _cells(session: Session, run: NightRun, units: list[str]) -> list[CellFigure]:
    found: list[CellFigure] = []
    for part in parts_of(units):
        here = CellFigure.unit_code.in_(part)
        found += session.scalars(select(CellFigure).where(CellFigure.run_id == run.id, here))
    return found


def _leaders(settings: Settings, run: NightRun) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """(leader posts in the LEDGER rows, active leaders) per unit and tier; what no row states is in neither."""
    folder = snapshot_dir(settings, run)
    posts: dict[tuple[str, str], int] = defaultdict(int)
    if (folder / "establishment.parquet").exists():
        columns = ["unit_code", "copy", *TIER_COLUMNS.values()]
        for row in pq.read_table(read_path(folder, "establishment"), columns=columns).to_pylist():
            for tier, column in TIER_COLUMNS.items():
                if row["copy"] == "LEDGER" and row[column] is not None:
                    posts[row["unit_code"], tier.value] += row[column]
    return dict(posts), dict(_active_leaders(read_path(folder, "roster"), pd.Timestamp(run.as_of)))


def _active_leaders(path: Path, day: pd.Timestamp) -> Counter[tuple[str, str]]:
    if not path.exists():
        return Counter()
    columns = ["unit_code", "leader_tier", "status", "entry_date", "exit_date"]
    roster = pq.read_table(path, columns=columns).to_pandas()
    for column in ("entry_date", "exit_date"):
        roster[column] = pd.to_datetime(roster[column])
    led = roster[is_active(roster, day) & roster["leader_tier"].notna()]
    return Counter(zip(led["unit_code"], led["leader_tier"], strict=True))


def _loans(session: Session, run: NightRun, units: Collection[str]) -> dict[str, tuple[int, int]]:
    """(borrowed, lent) per unit by the ledger, of bookings effective on or before the night's day."""
    sums: dict[str, list[int]] = {unit: [0, 0] for unit in units}
    for row in cell_rows(session, run.as_of, units):
        sums[str(row["unit_code"])][0] += int(str(row["borrowed"]))
        sums[str(row["unit_code"])][1] += int(str(row["lent"]))
    return {unit: (borrowed, lent) for unit, (borrowed, lent) in sums.items()}
