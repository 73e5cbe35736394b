"""The `strength` book: what the newest settled night says of every cell, handed to the pool (DOMAIN §3)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from core.types import ACTIVE_STATUSES
from expectations.snapshot_files import RETIRING, read_path, snapshot_path
from night.opening import read_cells
from pool.service_opening import take_strength
from reconcile.models import NightRun

RETIREMENT = "退休"
ROSTER = ["unit_code", "post_type", "fund_form", "status", "entry_date", "exit_date", "exit_reason", "person_key"]


def write_strength(session: Session, run: NightRun, folder: Path) -> int:
    """Write the book of a night that has just settled as the newest, in its own transaction; returns its rows.

    A cell whose people tonight does not know has no row: the pool then counts what it booked itself.
    """
    in_post = [
        (unit, kind, form, people) for unit, kind, form, _, people in read_cells(folder) if people is not None
    ]  # fmt: skip
    return take_strength(session, run.as_of, in_post, coming_retirements(folder, run.as_of), division_totals(folder))


def coming_retirements(folder: Path, as_of: date) -> list[tuple[str, str, str, str, int]]:
    """(unit, post_type, fund_form, YYYY-MM, people): active people whose retirement the roster dates after as_of, and
    those it does not date who reach the statutory age in that month or a later one, as the gate has counted them.
    """
    roster = people_of(folder)
    day = pd.Timestamp(as_of)
    due = roster[
        is_active(roster, day)
        & (roster["exit_date"] > day)
        & roster["exit_reason"].fillna("").str.contains(RETIREMENT, regex=False)
    ]
    somebody = due["person_key"].where(due["person_key"].notna(), "row " + due.index.astype(str))
    months = due["exit_date"].dt.strftime("%Y-%m")
    people = set(zip(due["unit_code"], due["post_type"], due["fund_form"], months, somebody, strict=True))
    counted = Counter(person[:4] for person in people)
    for *cell, count in pq.read_table(snapshot_path(folder, "roster", RETIRING)).to_pandas().itertuples(index=False):
        counted[tuple(cell)] += count
    return [(*cell, count) for cell, count in sorted(counted.items())]


def people_of(folder: Path) -> pd.DataFrame:
    """The roster as the rules read it, dates as timestamps."""
    roster = pq.read_table(read_path(folder, "roster"), columns=ROSTER).to_pandas()
    for column in ("entry_date", "exit_date"):
        roster[column] = pd.to_datetime(roster[column])
    return roster


def is_active(roster: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Who is in post on a day (DOMAIN §4, Active)."""
    entry, leave = roster["entry_date"], roster["exit_date"]
    held = roster["status"].isin([status.value for status in ACTIVE_STATUSES])
    return held & (entry.isna() | (entry <= day)) & (leave.isna() | (leave > day))


def division_totals(folder: Path) -> list[tuple[str, str, int]]:
    """(division, post_type, posts): Q08's limit, the smaller of what is known of issued_total and base_2012."""
    base = pq.read_table(folder / "base.parquet", columns=["division_code", "post_type", "issued_total", "base_2012"])
    limits: dict[tuple[str, str], int] = {}
    for row in base.to_pylist():
        key = (row["division_code"], row["post_type"])
        known = [posts for posts in (row["issued_total"], row["base_2012"], limits.get(key)) if posts is not None]
        if known:
            limits[key] = min(known)
    return [(*key, posts) for key, posts in sorted(limits.items())]
