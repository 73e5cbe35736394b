"""Whether everybody the gate had put on a post stands in the roster the rules read, recounted from the files of a run."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations.snapshot_files import read_path, snapshot_path

CELL = ("person_key", "unit_code", "post_type", "fund_form")


def missing_people(folder: Path, as_of: date) -> tuple[list[str], int]:
    """Units where somebody is missing, or counted twice, and how many people were asked for; 0 where no unit is switched."""
    paths = [folder / f"{name}.parquet" for name in ("own_unit", "own_stay", "own_difference")]
    if not all(path.exists() for path in paths):
        return [], 0
    starts = {row["unit_code"]: row["starts"] for row in pq.read_table(paths[0]).to_pylist()}
    homes = _homes(folder)
    asked = [
        row
        for row in pq.read_table(paths[1]).to_pylist()
        if row["unit_code"] in homes
        and row["entry_date"] is not None
        and starts[row["unit_code"]] <= row["entry_date"] <= as_of
        and (row["exit_date"] is None or row["exit_date"] > as_of)
    ]
    told = {(row["person_key"], row["unit_code"]) for row in pq.read_table(paths[2]).to_pylist()}
    roster = pq.read_table(read_path(folder, "roster"), columns=list(CELL))
    mine = roster.filter(pc.is_in(roster["person_key"], pc.unique(pq.read_table(paths[1])["person_key"])))
    seen = Counter(tuple(row[name] for name in CELL) for row in mine.to_pylist())
    return [
        row["unit_code"]
        for row in asked
        if seen[tuple(row[name] for name in CELL)] != 1 and (row["person_key"], row["unit_code"]) not in told
    ], len(asked)


def _homes(folder: Path) -> set[str]:
    """Units registered by a folder that has a roster."""
    rosters = set(pq.read_table(snapshot_path(folder, "roster"), columns=["delivered_by"])["delivered_by"].to_pylist())
    units = pq.read_table(snapshot_path(folder, "units"), columns=["unit_code", "delivered_by"]).to_pylist()
    return {row["unit_code"] for row in units if row["delivered_by"] in rosters}
