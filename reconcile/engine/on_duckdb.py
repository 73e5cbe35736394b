"""The plan of a night on DuckDB: one machine, a memory limit, spill."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import duckdb

from core.errors import Unavailable
from reconcile.engine.setting import (
    DetectResult,
    DetectSetting,
    counts,
    files_read,
    given_tables,
)
from reconcile.engine.spelling import Compiled, Dated, Kept, compiled_plan
from reconcile.rules.plan import OUTPUTS

_SQL = {"string": "VARCHAR", "int64": "BIGINT", "boolean": "BOOLEAN", "date": "DATE"}
# Two work, the third waits for one of them.
LANES = 3
_WORD = re.compile(r"\w+")


def detect(snapshot: Path, setting: DetectSetting, out: Path) -> DetectResult:
    """`reconcile.engine.detect` on a connection of its own."""
    out.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="detect-", dir=setting.scratch or out))
    try:
        connection = connect(setting.memory_limit, scratch, setting.threads)
        try:
            return run(connection, snapshot, setting, out)
        finally:
            connection.close()
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        # The engine's own text may quote a value; its kind is enough to act on.
        raise Unavailable(
            "the engine could not read the snapshot or ran out of room", kind=type(error).__name__
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def run(connection: duckdb.DuckDBPyConnection, snapshot: Path, setting: DetectSetting, out: Path) -> DetectResult:
    """`detect` on an open connection, which may be used again for another night."""
    offer(connection, files_read(snapshot))
    divisions = "SELECT division_code FROM units UNION SELECT division_code FROM base"
    named = [code for (code,) in connection.execute(divisions).fetchall()]
    for name, table in given_tables(setting, named).items():
        connection.register(f"given_{name}", table)
        connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM "given_{name}"')
        connection.unregister(f"given_{name}")
    answer(connection, compiled_plan(setting.night, keep=setting.cache), OUTPUTS, out)
    return counts(out)


def connect(memory_limit: str | None, scratch: Path, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills into `scratch`."""
    config: dict[str, str | int | bool] = {
        "temp_directory": str(scratch),
        # Every output is sorted, so rows may meet in any order on the way and memory stays small.
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if memory_limit:
        config["memory_limit"] = memory_limit
    if threads:
        config["threads"] = threads
    return _quiet(duckdb.connect(":memory:", config=config))


def _quiet(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    # In a process without a script of its own, such as a worker, the engine takes its log for somebody's screen.
    connection.execute("SET enable_progress_bar = false")
    return connection


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def offer(connection: duckdb.DuckDBPyConnection, read: Mapping[str, tuple[Sequence[Path], Mapping[str, str]]]) -> None:
    """Views on files, by name: (files, columns); only the columns a rule names are read.

    Errors: Unavailable when a file is damaged or lacks a column.
    """
    try:
        for name, (paths, schema) in read.items():
            _view(connection, name, paths, schema)
    except (duckdb.InvalidInputException, duckdb.BinderException) as error:
        raise Unavailable("a snapshot file is damaged or lacks a column", kind=type(error).__name__) from None


def answer(
    connection: duckdb.DuckDBPyConnection, compiled: Compiled | Kept | Dated, outputs: Mapping[str, tuple], out: Path
) -> None:
    """Every stage of a plan, then its outputs as files in `out`. `outputs`: (columns, order of rows) by name.

    A query of the engine leaves cores idle while it ends, so several run side by side; each waits for the stages it names.
    """
    made: dict[str, Future] = {}
    with ThreadPoolExecutor(LANES) as lanes:
        for name, query in compiled.stages:
            lane = _quiet(connection.cursor())
            made[name] = lanes.submit(_after, _named_in(query, made), _make, lane, name, query)
        written = []
        for name, (schema, order) in outputs.items():
            query = _typed(compiled.outputs[name], schema, order)
            lane, file = _quiet(connection.cursor()), out / f"{name}.parquet"
            written.append(lanes.submit(_after, _named_in(query, made), _write, lane, query, file))
    for done in (*made.values(), *written):
        done.result()


def _named_in(query: str, made: Mapping[str, Future]) -> list[Future]:
    return [made[word] for word in set(_WORD.findall(query)) if word in made]


def _after(needed: Iterable[Future], act: Callable, *arguments: object) -> None:
    """Lanes take what they are given in order, so whatever is needed has begun: nobody waits for ever."""
    for done in needed:
        done.result()
    act(*arguments)


def _make(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> None:
    connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS {query}')


def _view(connection: duckdb.DuckDBPyConnection, name: str, paths: Iterable[Path], schema: Mapping[str, str]) -> None:
    columns = ", ".join(f'"{column}"::{_SQL[kind]} AS "{column}"' for column, kind in schema.items())
    files = ", ".join(_quoted(path) for path in paths)
    if files:
        source = f"read_parquet([{files}], union_by_name=true)"
    else:
        empty = ", ".join(f'NULL::{_SQL[kind]} AS "{column}"' for column, kind in schema.items())
        source = f"(SELECT {empty} WHERE false)"
    connection.execute(f'CREATE OR REPLACE VIEW "{name}" AS SELECT {columns} FROM {source}')


def _typed(query: str, schema: Mapping[str, str], order: Sequence[str]) -> str:
    """An output in its exact types and order: a sum of int64 is a wider number here, which Parquet keeps as a float."""
    columns = ", ".join(f'"{column}"::{_SQL[kind]} AS "{column}"' for column, kind in schema.items())
    return f"SELECT {columns} FROM ({query}) ORDER BY {', '.join(order)}"


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Straight from the engine to Parquet, then into place: a killed run leaves no half file under the name."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        connection.execute(f"COPY ({query}) TO {_quoted(part)} (FORMAT parquet, COMPRESSION zstd)")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
