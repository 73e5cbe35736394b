"""What settling reads from a night's snapshot: who speaks for each unit, where rows were quarantined, and the units."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.books import BOOKS

BATCH = 20_000
# The books that may name a unit its own folder did not register, and the columns that do.
NAMING = {
    "payroll": ("on_behalf_of", "paying_unit_code"),
    "roster": ("unit_code",),
    "establishment": ("unit_code",),
    "headcount": ("unit_code",),
}
UNIT_COLUMNS = (
    "unit_code", "unit_name", "aliases", "uscc", "parent_code", "supervising_code", "division_code", "level",
    "unit_kind", "org_rank", "approval_doc", "delivers", "valid_from", "valid_to", "delivered_by",
)  # fmt: skip


@dataclass(frozen=True)
class NightFacts:
    """homes: unit → the folders that speak for it. quarantined: units with quarantined rows in any book. unplaced:
    (folder, book) with quarantined rows whose unit cannot be read."""

    homes: dict[str, frozenset[str]]
    quarantined: frozenset[str]
    unplaced: frozenset[tuple[str, str]]


def read_facts(folder: Path) -> NightFacts:
    """The facts of one snapshot folder (nine books and their quarantine)."""
    homes = _homes(folder)
    codes: set[str] = set()
    unplaced: set[tuple[str, str]] = set()
    for book in BOOKS:
        lost = pq.read_table(folder / f"{book}.quarantine.parquet", columns=["division_code", "unit_code"])
        for division, unit in _pairs(lost, "division_code", "unit_code"):
            if unit:
                codes.add(unit)
            else:
                unplaced.add((division, book))
    return NightFacts(homes, _with_lost_zeros(codes, homes), frozenset(unplaced))


def read_units(folder: Path) -> list[dict[str, Any]]:
    """The accepted units of the night, one dict per version, columns UNIT_COLUMNS."""
    return pq.read_table(folder / "units.parquet", columns=list(UNIT_COLUMNS)).to_pylist()


def newest_versions(units: Iterable[dict[str, Any]], as_of: date) -> dict[str, dict[str, Any]]:
    """Unit code → its newest version already begun on `as_of`, else its first."""
    versions: dict[str, dict[str, Any]] = {}
    rank = lambda unit: (
        unit["valid_from"] is None or unit["valid_from"] <= as_of,
        unit["valid_from"] or date.min,
    )
    for unit in units:
        held = versions.get(unit["unit_code"])
        if held is None or rank(unit) > rank(held):
            versions[unit["unit_code"]] = unit
    return versions


def read_batches(path: Path, columns: Iterable[str]) -> Iterator[list[dict[str, Any]]]:
    """The rows of a Parquet file in batches of dicts."""
    for batch in pq.ParquetFile(path).iter_batches(batch_size=BATCH, columns=list(columns)):
        yield batch.to_pylist()


def _homes(folder: Path) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    units = pq.read_table(folder / "units.parquet", columns=["unit_code", "delivered_by"])
    for unit, place in _pairs(units, "unit_code", "delivered_by"):
        found[unit].add(place)
    registered = set(found)
    for book, columns in NAMING.items():
        table = pq.read_table(folder / f"{book}.parquet", columns=[*columns, "delivered_by"])
        named = pc.coalesce(*(table[column] for column in columns))
        for unit, place in _pairs(pa.table({"unit": named, "place": table["delivered_by"]}), "unit", "place"):
            if unit and unit not in registered:
                found[unit].add(place)
    return {unit: frozenset(places) for unit, places in found.items()}


def _pairs(table: pa.Table, first: str, second: str) -> list[tuple[Any, Any]]:
    distinct = table.group_by([first, second]).aggregate([])
    return list(zip(distinct[first].to_pylist(), distinct[second].to_pylist(), strict=True))


def _with_lost_zeros(codes: set[str], homes: Iterable[str]) -> frozenset[str]:
    """A quarantined code that lost its leading zeros stands for the unit that has them."""
    bare = {code.lstrip("0") for code in codes}
    return frozenset(codes) | {unit for unit in homes if unit.lstrip("0") in bare}
