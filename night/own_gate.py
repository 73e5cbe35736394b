"""The gate's own books in a night: taken from ledger and gate when the night begins, kept in its folder, reused by whoever
runs the night again; and put in the place of what was delivered for units switched over (DOMAIN §6, decision 0016).

The delivered books stay as they are. Beside them, for the rules alone, stand `<book>.read.parquet`: the same rows, those
of switched units as the gate knows them; and `own_difference.parquet`, one row per thing the two say otherwise.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from expectations.books import snapshot_schema
from expectations.snapshot_files import replace_file, snapshot_path
from night.expected import GOOD
from night.own_difference import SCHEMA, Difference
from night.own_quota import merge_establishment, merge_permits
from night.own_roster import RosterMerge
from pool.acting import OFFICE_TIME
from reconcile.models import NightRun, Verdict
from staffing.own_books import own_copies, own_permits, own_stays

Row = dict[str, Any]
CELL = {"unit_code": "string", "post_type": "string", "fund_form": "string"}
_DATES = ("entry_date", "entry_registered", "exit_date", "exit_registered")
_TEXTS = (
    "person_key", "person_mask", "status", "leader_tier", "entry_form", "from_unit", "from_level", "from_fund_form",
    "waiver_no", "permit_no", "slot_no", "loan_no", "exit_reason", "source",
)  # fmt: skip
OWN_BOOKS: dict[str, dict[str, str]] = {
    "own_copy": CELL
    | {"ledger": "int64", "certificate": "int64", "database": "int64", "certified": "boolean"},
    "own_stay": CELL | dict.fromkeys(_TEXTS, "string") | dict.fromkeys(_DATES, "date"),
    "own_permit": CELL
    | {
        "permit_no": "string", "posts": "int64", "approved_on": "date", "valid_until": "date", "purpose": "string",
        "source_of_people": "string",
    },
}  # fmt: skip
DIFFERENCES = "own_difference"
MERGED = ("establishment", "permits", "roster")
_ARROW = {"string": pa.string(), "int64": pa.int64(), "date": pa.date32(), "boolean": pa.bool_()}


def own_tables(session: Session, run: NightRun, units: list[str], earlier: Path | None) -> dict[str, pa.Table]:
    """The three own books: those of an earlier run of the night, else as ledger and gate stood on A."""
    if earlier is not None:
        return {name: pq.read_table(earlier / f"{name}.parquet") for name in OWN_BOOKS}
    made = {
        "own_copy": own_copies(session, run.as_of, units, None if run.backfill else office_day(run.opened_at)),
        "own_stay": own_stays(session, run.as_of, units),
        "own_permit": own_permits(session, run.as_of, units),
    }
    return {name: _table(made[name], schema) for name, schema in OWN_BOOKS.items()}


def office_day(moment: datetime) -> date:
    """The office's day of a moment."""
    return moment.astimezone(OFFICE_TIME).date()


def has_own_books(folder: Path) -> bool:
    """Whether a run took its own books."""
    return all((folder / f"{name}.parquet").exists() for name in OWN_BOOKS)


def _table(rows: list[Row], schema: dict[str, str]) -> pa.Table:
    arrow = pa.schema([(name, _ARROW[kind]) for name, kind in schema.items()])
    return pa.Table.from_pylist([{name: row[name] for name in schema} for row in rows], schema=arrow)


def merge_own_books(session: Session, run: NightRun, folder: Path) -> int:
    """Write what the rules read for switched units; returns the number of differences. The same again writes the same.

    Without a switched unit the rules read what was delivered. A unit the night's register does not name is left alone.
    """
    switched = _switched(folder)
    if not switched:
        for book in MERGED:
            snapshot_path(folder, book, ".read").unlink(missing_ok=True)
        _write(folder / f"{DIFFERENCES}.parquet", [pa.Table.from_pylist([], schema=SCHEMA)], SCHEMA)
        return 0
    homes = _homes(folder, set(switched))
    starts = {unit: day for unit, day in switched.items() if unit in homes}
    own = {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in OWN_BOOKS}
    own = {name: [row for row in rows if row["unit_code"] in starts] for name, rows in own.items()}
    found: list[Difference] = []
    for book, merge, mine in (
        ("establishment", merge_establishment, own["own_copy"]),
        ("permits", merge_permits, own["own_permit"]),
    ):
        delivered = pq.read_table(snapshot_path(folder, book))
        kept, rows = _apart(delivered, set(starts))
        merged, differences = merge(rows, mine, starts, homes)
        found += differences
        _write(snapshot_path(folder, book, ".read"), [kept, _like(merged, book, kept.schema)], kept.schema)
    roster = RosterMerge(own["own_stay"], own["own_permit"], starts, homes, _delivered(session, run), run.as_of)
    _merge_roster(folder, roster)
    found += roster.differences
    rows = [vars(row) for row in sorted(found, key=lambda row: row.order)]
    _write(folder / f"{DIFFERENCES}.parquet", [pa.Table.from_pylist(rows, schema=SCHEMA)], SCHEMA)
    return len(found)


def _switched(folder: Path) -> dict[str, Any]:
    path = folder / "own_unit.parquet"
    rows = pq.read_table(path).to_pylist() if path.exists() and has_own_books(folder) else []
    return {row["unit_code"]: row["starts"] for row in rows}


def _homes(folder: Path, units: set[str]) -> dict[str, str]:
    """Unit → the folder that registers it."""
    table = pq.read_table(snapshot_path(folder, "units"), columns=["unit_code", "delivered_by"]).to_pylist()
    return {row["unit_code"]: row["delivered_by"] for row in table if row["unit_code"] in units}


def _delivered(session: Session, run: NightRun) -> set[str]:
    """Folders whose roster was accepted: elsewhere nobody is missing from it."""
    query = select(Verdict.division_code).where(
        Verdict.run_id == run.id, Verdict.book == "roster", Verdict.verdict.in_(GOOD)
    )
    return set(session.scalars(query))


def _apart(table: pa.Table, units: set[str]) -> tuple[pa.Table, list[Row]]:
    """The rows of other units as they are, and those of these units as dicts."""
    mine = pc.is_in(table["unit_code"], pa.array(sorted(units), pa.string()))
    return table.filter(pc.invert(mine)), table.filter(mine).to_pylist()


def _like(rows: list[Row], book: str, schema: pa.Schema) -> pa.Table:
    """Rows in the columns of a snapshot; a date of ours is known to the day."""
    exact = {name: True for name in snapshot_schema(book) if name.endswith("_exact")}
    blank = dict.fromkeys(schema.names) | dict.fromkeys(exact, True)
    return pa.Table.from_pylist([blank | row for row in rows], schema=schema)


def _merge_roster(folder: Path, merge: RosterMerge) -> None:
    """Batch by batch: a city's roster is not held in memory for the sake of one unit."""
    source = pq.ParquetFile(snapshot_path(folder, "roster"))
    schema = source.schema_arrow

    def tables():
        for batch in source.iter_batches(batch_size=65_536):
            table = pa.Table.from_batches([batch], schema=schema)
            kept, rows = _apart(table, merge.units)
            yield kept
            yield _like([merge.row(row) for row in rows], "roster", schema)
        yield _like(merge.missing(), "roster", schema)

    _write(snapshot_path(folder, "roster", ".read"), tables(), schema)


def _write(path: Path, tables, schema: pa.Schema) -> None:
    def write(fresh: Path) -> None:
        with pq.ParquetWriter(fresh, schema, compression="zstd", write_statistics=False) as writer:
            for table in tables:
                if table.num_rows:
                    writer.write_table(table)

    replace_file(path, write)


def read_differences(folder: Path) -> list[Row]:
    """What books and gate said otherwise that night, in order; none before a night of this kind."""
    path = folder / f"{DIFFERENCES}.parquet"
    return pq.read_table(path).to_pylist() if path.exists() else []


def merged_files(folder: Path) -> list[str]:
    """Names of the files of a run that this step and the taking of the own books left, for its manifest."""
    names = [*OWN_BOOKS, "own_unit", *(f"{book}.read" for book in MERGED), DIFFERENCES]
    return [name for name in names if (folder / f"{name}.parquet").exists()]
