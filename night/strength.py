"""The `strength` book: what the newest settled night says of every cell, handed to the pool (DOMAIN §3)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from core.identity import birth_date, sex
from core.parameters import parameter_value
from core.person_identity import numbers_of
from core.retirement import Retirement
from core.types import ACTIVE_STATUSES
from expectations.births import births_sealer, retiring, sealed_births
from expectations.snapshot_files import RETIRING, read_path, snapshot_path
from night.opening import read_cells
from night.own_difference import DifferenceKind
from night.own_gate import read_differences
from pool.service_opening import take_strength
from reconcile.models import NightRun

RETIREMENT = "退休"
ROSTER = ["unit_code", "post_type", "fund_form", "status", "entry_date", "exit_date", "exit_reason", "person_key"]


def write_strength(session: Session, run: NightRun, folder: Path, person_key: str) -> int:
    """Write the book of a night that has just settled as the newest, in its own transaction; returns its rows.

    A cell whose people tonight does not know has no row: the pool then counts what it booked itself.
    """
    in_post = [
        (unit, kind, form, people) for unit, kind, form, _, people in read_cells(folder) if people is not None
    ]  # fmt: skip
    retiring = coming_retirements(folder, run.as_of, left_by_our_gate(session, run, folder, person_key))
    return take_strength(session, run.as_of, in_post, retiring, division_totals(folder))


def left_by_our_gate(session: Session, run: NightRun, folder: Path, person_key: str) -> Counter:
    """Of the people counted as coming retirements, those whose exit our gate has registered though the delivered roster still
    has them in service (D07): (unit, post_type, fund_form, YYYY-MM) → people. person_key: the secret that opens numbers."""
    gone = {
        (row["person_key"], row["unit_code"])
        for row in read_differences(folder)
        if row["kind"] == DifferenceKind.EXIT_MISSING
    }
    if not gone:
        return Counter()
    roster = pq.read_table(snapshot_path(folder, "roster"))
    mine = pc.is_in(roster["person_key"], pa.array(sorted({key for key, _ in gone}), pa.string()))
    rows = roster.filter(mine)
    rows = rows.filter(pa.array([place in gone for place in _places(rows)], pa.bool_()))
    numbers = numbers_of(session, {key for key, _ in gone}, person_key)
    people = [numbers.get(key) for key in rows["person_key"].to_pylist()]
    born = pa.array([number and birth_date(number) for number in people], pa.date32())
    sexes = pa.array([number and sex(number) for number in people], pa.string())
    sealer = births_sealer(person_key)
    ages = Retirement.of(parameter_value(session, "retirement_ages", run.as_of))
    months = retiring(rows, sealed_births(born, sexes, sealer), sealer, run.as_of, ages)
    cells = zip(*(rows[name].to_pylist() for name in ROSTER[:3]), months.tolist(), strict=True)
    return Counter((*cell, f"{month // 12:04}-{month % 12 + 1:02}") for *cell, month in cells if month >= 0)


def _places(rows: pa.Table) -> list[tuple[str, str]]:
    return list(zip(rows["person_key"].to_pylist(), rows["unit_code"].to_pylist(), strict=True))


def coming_retirements(folder: Path, as_of: date, gone: Counter | None = None) -> list[tuple[str, str, str, str, int]]:
    """(unit, post_type, fund_form, YYYY-MM, people): active people whose retirement the roster dates after as_of, and
    those it does not date who reach the statutory age in that month or a later one, as the gate has counted them.

    gone: of the latter, those who have left by our own gate.
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
    counted.subtract(gone or {})
    return [(*cell, count) for cell, count in sorted(counted.items()) if count > 0]


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
