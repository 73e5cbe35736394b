"""Our own book: posts borrowed and lent, quota in force by date, movements, usable posts by month. Stored with the night."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import engine_for, reading
from core.errors import InputRejected
from core.settings import Settings
from expectations.snapshot_files import replace_file
from night.places import run_of, snapshot_dir
from reconcile.models import NightRun
from reconcile.rules.tables import POSITION

_ARROW = {"string": pa.string(), "int64": pa.int64(), "date": pa.date32()}


def take_position(settings: Settings, run_id: int) -> dict[str, int]:
    """Write the four tables of `position` into the run's snapshot folder; answers with their rows.

    The first run of a night takes them from HOME/position/<as_of>/<table>.parquet (one that is not there is empty). A
    later run takes those of the newest run before it, so that a night corrected later still rests on that day's ledger.
    All four are always written: a run that has them took this step. Errors: InputRejected names the file and the
    column that is missing or of another type.
    """
    with reading(engine_for(settings.database_url)) as session:
        run = run_of(session, run_id)
        source = _earlier(session, settings, run) or settings.home / "position" / run.as_of.isoformat()
        folder = snapshot_dir(settings, run)
    # Everything is read before anything is written: a wrong file leaves nothing half taken.
    tables = {name: _table(source / f"{name}.parquet", schema) for name, schema in POSITION.items()}
    for name, table in tables.items():
        replace_file(
            folder / f"{name}.parquet",
            lambda path, table=table: pq.write_table(table, path, write_statistics=False),
        )
    return {name: table.num_rows for name, table in tables.items()}


def _earlier(session: Session, settings: Settings, run: NightRun) -> Path | None:
    """The folder of the newest earlier run of this night that took the step."""
    runs = session.scalars(
        select(NightRun)
        .where(NightRun.as_of == run.as_of, NightRun.run_no < run.run_no)
        .order_by(NightRun.run_no.desc())
    )
    folders = (snapshot_dir(settings, earlier) for earlier in runs)
    return next((f for f in folders if all((f / f"{name}.parquet").exists() for name in POSITION)), None)


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
