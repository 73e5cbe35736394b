"""Our own book: posts borrowed and lent, quota in force by date, movements, usable posts by month, and what the gate knows
of units switched over. Stored with the night."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import engine_for, reading
from core.errors import InputRejected
from core.settings import Settings
from expectations.snapshot_files import replace_file
from night.own_gate import has_own_books, own_tables
from night.places import run_of, snapshot_dir
from pool.position import position_tables
from reconcile.models import NightRun
from reconcile.rules.tables import POSITION

Row = dict[str, Any]
Cell = tuple[str, str, str]
OWN_UNIT = "own_unit"
_ARROW = {"string": pa.string(), "int64": pa.int64(), "date": pa.date32()}


def take_position(settings: Settings, run_id: int) -> dict[str, int]:
    """Write the tables of `position`, and the gate's own books, into the run's snapshot folder; answers with their rows.

    The first run of a night takes them from the ledger, and for what the ledger does not know from
    HOME/position/<as_of>/<table>.parquet (one that is not there is empty). A later run takes those of the newest run
    before it, so that a night corrected later still rests on that day's ledger. All are always written: a run that
    has them took this step, and keeps them, for the ledger goes on while a night is tried again. Errors: InputRejected
    names the file and the column that is missing or of another type.
    """
    with reading(engine_for(settings.database_url)) as session:
        run = run_of(session, run_id)
        folder = snapshot_dir(settings, run)
        earlier = folder if _taken(folder) else _earlier(session, settings, run)
        source = earlier or settings.home / "position" / run.as_of.isoformat()
        # Everything is read before anything is written: a wrong file leaves nothing half taken.
        tables = {name: _table(source / f"{name}.parquet", schema) for name, schema in POSITION.items()}
        if earlier is None:
            # Which units are switched over the ledger alone says: a file has no gate to speak for.
            ledger = position_tables(session, run.as_of)
            own = pa.Table.from_pylist(ledger[OWN_UNIT], schema=tables[OWN_UNIT].schema)
            tables = beside_ledger(tables, ledger) | {OWN_UNIT: own}
        units = tables[OWN_UNIT]["unit_code"].to_pylist()
        tables |= own_tables(session, run, units, _earlier_own(session, settings, run, earlier))
    for name, table in tables.items():
        replace_file(
            folder / f"{name}.parquet",
            lambda path, table=table: pq.write_table(table, path, write_statistics=False),
        )
    return {name: tables[name].num_rows for name in POSITION}


def _earlier(session: Session, settings: Settings, run: NightRun) -> Path | None:
    """The folder of the newest earlier run of this night that took the step."""
    runs = session.scalars(
        select(NightRun)
        .where(NightRun.as_of == run.as_of, NightRun.run_no < run.run_no)
        .order_by(NightRun.run_no.desc())
    )
    folders = (snapshot_dir(settings, earlier) for earlier in runs)
    return next((f for f in folders if _taken(f)), None)


def _taken(folder: Path) -> bool:
    # Runs from before units could be switched over have no `own_unit`: none was.
    return all((folder / f"{name}.parquet").exists() for name in POSITION if name != OWN_UNIT)


def _earlier_own(session: Session, settings: Settings, run: NightRun, earlier: Path | None) -> Path | None:
    """Where the own books of people are taken over from: not from before a rotation of the key that people go by."""
    if earlier is None or not has_own_books(earlier):
        return None
    marks = session.execute(select(NightRun).where(NightRun.as_of == run.as_of)).scalars()
    same = next((each for each in marks if snapshot_dir(settings, each) == earlier), run)
    return earlier if same.key_mark == run.key_mark else None


def beside_ledger(files: dict[str, pa.Table], ledger: dict[str, list[Row]]) -> dict[str, pa.Table]:
    """The ledger's rows, and of the files' those of cells it does not know; of those it knows, what was before it.

    A cell's history begins in the ledger on the first day it has a quota there: quota in force, movements and usable
    months from before that day stand in the files alone.
    """
    known = {_cell(row) for name in ("position", "position_quota") for row in ledger[name]}
    begins: dict[Cell, date] = {}
    for row in ledger["position_quota"]:
        begins[_cell(row)] = min(row["valid_from"], begins.get(_cell(row), row["valid_from"]))
    months = {(row["month"], _cell(row)) for row in ledger["usable_month"]}
    kept = {
        "position": [row for row in files["position"].to_pylist() if _cell(row) not in known],
        "position_quota": [
            cut for row in files["position_quota"].to_pylist() if (cut := _until(row, begins.get(_cell(row))))
        ],
        "movement": [row for row in files["movement"].to_pylist() if not _since(row, begins)],
        "usable_month": [
            row for row in files["usable_month"].to_pylist() if (row["month"], _cell(row)) not in months
        ],
    }  # fmt: skip
    if not known and not any(ledger.values()):
        return files
    return {name: pa.Table.from_pylist(ledger[name] + rows, schema=files[name].schema) for name, rows in kept.items()}


def _cell(row: Row, unit: str = "unit_code") -> Cell:
    return (row[unit], row["post_type"], row["fund_form"])


def _until(row: Row, begins: date | None) -> Row | None:
    """A quota row of a file, up to the day before the ledger's first in its cell; None: nothing is left of it."""
    if begins is None or (row["valid_to"] is not None and row["valid_to"] < begins):
        return row
    if row["valid_from"] is not None and row["valid_from"] >= begins:
        return None
    return row | {"valid_to": begins - timedelta(days=1)}


def _since(row: Row, begins: dict[Cell, date]) -> bool:
    """Whether the ledger knew one of a movement's two cells when it took effect: then it has that movement itself."""
    days = [begins[cell] for unit in ("from_unit", "to_unit") if (cell := _cell(row, unit)) in begins]
    return row["effective_date"] is not None and any(row["effective_date"] >= day for day in days)


def _table(path: Path, schema: dict[str, str]) -> pa.Table:
    """A file in exactly the columns of its schema; other columns are ignored."""
    wanted = pa.schema([(column, _ARROW[kind]) for column, kind in schema.items()])
    if not path.exists():
        return wanted.empty_table()
    name = f"position/{path.parent.name}/{path.name}"
    try:
        given = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputRejected(f"{name} is no readable Parquet file ({type(error).__name__})", file=name) from None
    columns = []
    for field in wanted:
        if field.name not in given.column_names:
            raise InputRejected(f"{name} lacks the column {field.name}", file=name, column=field.name)
        columns.append(_typed(given[field.name], field, name))
    return pa.table(columns, schema=wanted)


def _typed(column: pa.ChunkedArray, field: pa.Field, name: str) -> pa.ChunkedArray:
    """The column in its type; only widths may differ, for a code read from a number has lost its zeros."""
    same_kind = {
        pa.string(): lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_null(t),
        pa.int64(): lambda t: pa.types.is_integer(t) or pa.types.is_null(t),
        pa.date32(): lambda t: pa.types.is_date(t) or pa.types.is_null(t),
    }[field.type]
    try:
        if same_kind(column.type):
            return column.cast(field.type)
    except pa.ArrowInvalid:
        pass
    raise InputRejected(
        f"{name}: the column {field.name} must be {field.type}, it is {column.type}", file=name, column=field.name
    )
