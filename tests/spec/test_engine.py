"""The engine: whole files or none, limits, the same answer however the rows lie, and a plan that other engines can run."""

import random
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.errors import Unavailable
from reconcile import engine
from reconcile.engine import on_duckdb as duckdb_engine
from reconcile.engine.spelling import Kept
from reconcile.findings import FINDING_SCHEMA, NOT_EVALUABLE_SCHEMA
from reconcile.rules.plan import OUTPUTS, plan
from reconcile.rules.tables import Night
from tests.property.drawn_nights import drawn_nights
from tests.spec.spec import ALLOWED, AS_OF, night, on_duckdb, write_snapshot

ROOT = Path(__file__).parents[2]
BOOKS = {
    "roster": "person | unit\n p1 | U1\n p2 | U1\n - | U2",
    "payroll": "person | payer\n p1 | U2\n p3 | U1",
    "establishment": "unit | quota\n U1 | 1\n U2 | 1",
}


def _setting(whole, **limits):
    return engine.DetectSetting(Night.of(AS_OF, ALLOWED), [engine.VerdictFact(**v) for v in whole.verdicts], **limits)


def test_detect_writes_sorted_files_of_known_columns_and_counts_them(tmp_path):
    whole = night(BOOKS)
    write_snapshot(whole, tmp_path)
    result = engine.detect(tmp_path, _setting(whole, memory_limit="500MB", threads=2), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(f"{name}.parquet" for name in OUTPUTS)
    findings = pq.read_table(tmp_path / "out" / "findings.parquet")
    assert findings.column_names == list(FINDING_SCHEMA)
    assert pq.read_table(tmp_path / "out" / "not_evaluable.parquet").column_names == list(NOT_EVALUABLE_SCHEMA)
    cells = pq.read_table(tmp_path / "out" / "cells.parquet").schema
    assert {cells.field(name).type for name in ("quota", "allowed", "in_post", "paid")} == {pa.int64()}
    assert result.findings == findings.num_rows == sum(result.by_severity.values())
    assert result.not_evaluable == pq.read_metadata(tmp_path / "out" / "not_evaluable.parquet").num_rows > 0


def test_running_again_replaces_the_files_and_says_the_same(tmp_path):
    whole = night(BOOKS)
    write_snapshot(whole, tmp_path)
    first = engine.detect(tmp_path, _setting(whole), tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "findings.parquet").to_pylist()
    assert engine.detect(tmp_path, _setting(whole), tmp_path / "out") == first
    assert pq.read_table(tmp_path / "out" / "findings.parquet").to_pylist() == rows


def test_a_damaged_snapshot_is_unavailable_and_leaves_nothing_behind(tmp_path):
    whole = night(BOOKS)
    write_snapshot(whole, tmp_path)
    (tmp_path / "roster.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(Unavailable):
        engine.detect(tmp_path, _setting(whole), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_stage_that_fails_ends_the_plan_with_its_own_error_whatever_waits_for_it(tmp_path):
    stages = [["one", "SELECT 1 AS n"], ["two", "SELECT error('broken') AS n FROM one"], ["three", "SELECT n FROM two"]]
    stages += [[f"later_{number}", "SELECT n FROM one, three"] for number in range(20)]
    with duckdb.connect(":memory:") as connection, pytest.raises(duckdb.InvalidInputException, match="broken"):
        duckdb_engine.answer(
            connection, Kept(stages, {"out": "SELECT n FROM three"}), {"out": ({"n": "int64"}, ("n",))}, tmp_path
        )
    assert list(tmp_path.iterdir()) == []


def test_a_worker_without_a_script_draws_no_progress_bar():
    code = (
        "from pathlib import Path; from reconcile.engine.on_duckdb import answer, connect; from reconcile.engine.spelling import Kept;"
        "c = connect(None, Path('.')); said = \"SELECT current_setting('enable_progress_bar') AS said\";"
        "answer(c, Kept([['one', said]], {}), {}, Path('.')); print(c.execute(said).fetchall(), c.execute('FROM one').fetchall())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[(False,)] [(False,)]\n"


def test_the_order_of_rows_changes_nothing():
    whole = drawn_nights(7, 5)[-1]
    shuffled = replace(
        whole, books={book: random.Random(1).sample(rows, len(rows)) for book, rows in whole.books.items()}
    )
    assert on_duckdb(shuffled) == on_duckdb(whole)


def test_every_stage_and_answer_can_be_said_to_spark_too():
    ready = plan(Night.of(date(2026, 10, 20), ALLOWED))
    for _, expression in [*ready.stages, *ready.outputs.items()]:
        assert ibis.to_sql(expression, dialect="pyspark")
