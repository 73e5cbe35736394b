"""Nights judged by the engines, one by one or stacked: a thousand run as one batch."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.books import snapshot_schema
from reconcile.engine import OUTPUTS, on_duckdb
from reconcile.engine.setting import SNAPSHOT_FACTS, given_tables
from reconcile.engine.spelling import STAND_IN, Compiled, Dated
from reconcile.rules.plan import plan
from reconcile.rules.tables import BOOKS_READ, FACTS, POSITION
from reconcile.rules.tables import Night as RuleNight
from tests.spec.spec import PARAMETERS, Night, Result, setting_of
from tests.stacking import NIGHT, stacked

_ARROW = {"string": pa.string(), "int64": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}
STACKED_OUTPUTS = {name: ({NIGHT: "int64", **schema}, (NIGHT, *order)) for name, (schema, order) in OUTPUTS.items()}
Run = Callable[[Mapping, Dated, Path], None]


def run_stacked(nights: Sequence[Night], run: Run, dialect: str) -> list[Result]:
    """Judge many nights, one batch for each `as_of` among them; the answers in the order of the nights."""
    by_day: dict[date, list[int]] = {}
    for number, night in enumerate(nights):
        by_day.setdefault(night.as_of, []).append(number)
    answers: dict[int, Result] = {}
    for as_of, numbers in by_day.items():
        home = Path(tempfile.mkdtemp(prefix="batch-"))
        try:
            read = _write_inputs([nights[number] for number in numbers], home)
            run(read, _compiled(as_of, dialect), home / "out")
            answers |= dict(zip(numbers, _answers(home / "out", len(numbers)), strict=True))
        finally:
            shutil.rmtree(home)
    return [answers[number] for number in range(len(nights))]


def stacked_on_duckdb(nights: Sequence[Night]) -> list[Result]:
    """All nights in one DuckDB."""

    def run(read: Mapping, ready: Dated, out: Path) -> None:
        out.mkdir()
        with duckdb.connect(":memory:", config={"threads": 2}) as connection:
            on_duckdb.offer(connection, read)
            on_duckdb.answer(connection, ready, STACKED_OUTPUTS, out)

    return run_stacked(nights, run, "duckdb")


def _compiled(as_of: date, dialect: str) -> Dated:
    return Dated(_spelled(dialect), RuleNight.of(as_of, **PARAMETERS))


@cache
def _spelled(dialect: str) -> Compiled:
    """Once for all days, as the engines do."""
    return Compiled(stacked(plan(RuleNight.of(STAND_IN, **PARAMETERS))), dialect)


def _write_inputs(nights: Iterable[Night], home: Path) -> dict[str, tuple[list[Path], dict[str, str]]]:
    rows: dict[str, list[dict]] = {name: [] for name in (*BOOKS_READ, *FACTS)}
    for number, night in enumerate(nights):
        named = [row["division_code"] for book in ("units", "base") for row in night.books[book]]
        tables = {book: night.books[book] for book in BOOKS_READ}
        tables |= {name: night.facts[name] for name in (*SNAPSHOT_FACTS, *POSITION)}
        tables |= {name: table.to_pylist() for name, table in given_tables(setting_of(night), named).items()}
        for name, own in tables.items():
            rows[name] += [{NIGHT: number, **row} for row in own]
    read = {}
    for name, own in rows.items():
        schema = {NIGHT: "int64", **(snapshot_schema(name) if name in BOOKS_READ else FACTS[name])}
        arrow = pa.schema([(column, _ARROW[kind]) for column, kind in schema.items()])
        pq.write_table(pa.Table.from_pylist(own, schema=arrow), home / f"{name}.parquet")
        read[name] = ([home / f"{name}.parquet"], schema)
    return read


def _answers(out: Path, count: int) -> list[Result]:
    found: list[dict[str, list[dict]]] = [{name: [] for name in OUTPUTS} for _ in range(count)]
    for name in OUTPUTS:
        for row in pq.read_table(out / f"{name}.parquet").to_pylist():
            found[row.pop(NIGHT)][name].append(row)
    return [Result(**answer) for answer in found]
