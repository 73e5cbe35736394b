"""Runs the plan of a night on DuckDB: snapshot in, findings, cells and presence out. The only file that names duckdb."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa

from core.errors import Unavailable
from core.units import division_lineage
from expectations.books import snapshot_schema
from reconcile.rules.not_evaluable import needs
from reconcile.rules.plan import OUTPUTS, Plan, plan
from reconcile.rules.tables import BOOKS_READ, FACTS, LOOKED_UP, POSITION, Night

SNAPSHOT_FACTS = ("quarantine", "totals", "cutoffs")
_ARROW = {"string": pa.string(), "int64": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}
_SQL = {"string": "VARCHAR", "int64": "BIGINT", "boolean": "BOOLEAN", "date": "DATE"}


@dataclass(frozen=True)
class VerdictFact:
    """What the gate said of one book of one division, as far as the rules care."""

    division_code: str
    book: str
    expected: bool
    delivered: bool
    accepted: bool


@dataclass(frozen=True)
class DetectSetting:
    """The night judged, the gate's verdicts (all books of every division), and limits.

    `looked_up`: rows of the tables of `rules.tables.LOOKED_UP`, by name; one that is not given is empty. `memory_limit` as DuckDB spells it ("2GB"); null: DuckDB's own choice. `scratch`: where it may spill.
    """

    night: Night
    verdicts: Sequence[VerdictFact]
    looked_up: Mapping[str, Sequence[tuple]] = field(default_factory=dict)
    memory_limit: str | None = None
    threads: int | None = None
    scratch: Path | None = None


@dataclass(frozen=True)
class DetectResult:
    """Counts only: findings by rule and by severity, and rules that could not judge."""

    by_rule: dict[str, int] = field(default_factory=dict)
    by_severity: dict[str, int] = field(default_factory=dict)
    not_evaluable: int = 0

    @property
    def findings(self) -> int:
        return sum(self.by_rule.values())


def detect(snapshot: Path, setting: DetectSetting, out: Path) -> DetectResult:
    """Judge one night. Reads the snapshot's parquet files, writes findings, not_evaluable, cells and presence into `out`.

    Each file appears whole or not at all; running it again gives the same bytes' worth of rows. Errors: Unavailable
    when a snapshot file cannot be read or the engine runs out of memory or disk.
    """
    out.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="detect-", dir=setting.scratch or out))
    try:
        connection = _connect(setting, scratch)
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
    _offer_books(connection, snapshot)
    _offer_facts(connection, snapshot, setting)
    compiled = compiled_plan(setting.night)
    for name, query in compiled.stages:
        connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {query}')
    for name in OUTPUTS:
        _write(connection, _typed(name, compiled.outputs[name]), out / f"{name}.parquet")
    return _counts(connection, out)


@dataclass(frozen=True)
class Compiled:
    """A plan as the SQL of one engine."""

    stages: tuple[tuple[str, str], ...]
    outputs: dict[str, str]


@lru_cache(maxsize=8)
def compiled_plan(night: Night) -> Compiled:
    """The plan of a night in DuckDB's SQL; kept, because a night is often judged again."""
    ready: Plan = plan(night)
    return Compiled(
        tuple((name, ibis.to_sql(expression, dialect="duckdb")) for name, expression in ready.stages),
        {name: ibis.to_sql(expression, dialect="duckdb") for name, expression in ready.outputs.items()},
    )


def _connect(setting: DetectSetting, scratch: Path) -> duckdb.DuckDBPyConnection:
    config: dict[str, str | int | bool] = {
        "temp_directory": str(scratch),
        # Every output is sorted, so rows may meet in any order on the way and memory stays small.
        "preserve_insertion_order": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if setting.memory_limit:
        config["memory_limit"] = setting.memory_limit
    if setting.threads:
        config["threads"] = setting.threads
    return duckdb.connect(":memory:", config=config)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _offer_books(connection: duckdb.DuckDBPyConnection, snapshot: Path) -> None:
    """Views on the books: only the columns a rule names are read."""
    try:
        for book in BOOKS_READ:
            _view(connection, book, [snapshot / f"{book}.parquet"], snapshot_schema(book))
        for fact in SNAPSHOT_FACTS:
            paths = sorted(snapshot.glob(f"*.{fact}.parquet"))
            _view(connection, fact, paths, FACTS[fact])
    except (duckdb.InvalidInputException, duckdb.BinderException) as error:
        raise Unavailable("a snapshot file is damaged or lacks a column", kind=type(error).__name__) from None


def _view(connection: duckdb.DuckDBPyConnection, name: str, paths: Iterable[Path], schema: Mapping[str, str]) -> None:
    columns = ", ".join(f'"{column}"::{_SQL[kind]} AS "{column}"' for column, kind in schema.items())
    files = ", ".join(_quoted(path) for path in paths)
    if files:
        source = f"read_parquet([{files}], union_by_name=true)"
    else:
        empty = ", ".join(f'NULL::{_SQL[kind]} AS "{column}"' for column, kind in schema.items())
        source = f"(SELECT {empty} WHERE false)"
    connection.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT {columns} FROM {source}')


def _offer_facts(connection: duckdb.DuckDBPyConnection, snapshot: Path, setting: DetectSetting) -> None:
    """The small tables beside the books: verdicts, lineage, what rules need, and our own position when there is one."""
    verdicts = [(v.division_code, v.book, v.expected, v.delivered, v.accepted) for v in setting.verdicts]
    _table(connection, "verdict", verdicts)
    _table(connection, "lineage", _lineage(connection, setting))
    _table(connection, "need", needs())
    for name in LOOKED_UP:
        _table(connection, name, setting.looked_up.get(name, ()))
    for name, schema in POSITION.items():
        own = snapshot / f"{name}.parquet"
        _view(connection, name, [own] if own.exists() else [], schema)


def _lineage(connection: duckdb.DuckDBPyConnection, setting: DetectSetting) -> list[tuple[str, str, int]]:
    # Every folder has its verdicts; the two books name divisions without a folder.
    rows = connection.execute("SELECT division_code FROM units UNION SELECT division_code FROM base").fetchall()
    codes = {code for (code,) in rows if code is not None} | {v.division_code for v in setting.verdicts}
    return [(code, above, distance) for code in sorted(codes) for distance, above in enumerate(division_lineage(code))]


def _table(connection: duckdb.DuckDBPyConnection, name: str, rows: Sequence[tuple]) -> None:
    schema = FACTS[name]
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [pa.array(values, _ARROW[kind]) for values, kind in zip(columns, schema.values(), strict=True)]
    table = pa.table(arrays, names=list(schema))
    connection.register(f"given_{name}", table)
    connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" AS SELECT * FROM "given_{name}"')
    connection.unregister(f"given_{name}")


def _typed(name: str, query: str) -> str:
    """An output in its exact types and order: a sum of int64 is a wider number here, which Parquet keeps as a float."""
    schema, order = OUTPUTS[name]
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


def _counts(connection: duckdb.DuckDBPyConnection, out: Path) -> DetectResult:
    def grouped(column: str) -> dict[str, int]:
        source = f"read_parquet({_quoted(out / 'findings.parquet')})"
        return dict(connection.execute(f"SELECT {column}, count(*) FROM {source} GROUP BY 1 ORDER BY 1").fetchall())

    source = f"read_parquet({_quoted(out / 'not_evaluable.parquet')})"
    (missing,) = connection.execute(f"SELECT count(*) FROM {source}").fetchone() or (0,)
    return DetectResult(grouped("rule"), grouped("severity"), missing)
