"""Every spec runs twice beside the oracle, on DuckDB and on Spark, on each with the nights of all specs of the run in one
batch; a few specs are judged night by night on DuckDB.

A night costs an engine planning, not work, so nobody waits for it spec by spec: before the first spec of an engine, all
of its specs are read once to collect their nights; each spec is then held against its own answer and fails under its own
name.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.batches import stacked_on_duckdb
from tests.spec.spec import ENGINE, Judge, Night, Result, on_oracle

Answers = dict[str, Result]
FEW = 12  # specs for which spelling the plan of many nights does not pay


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if hasattr(metafunc.module, "check"):
        on_spark = pytest.param("spark", marks=pytest.mark.spark)
        metafunc.parametrize("engine", ["duckdb", on_spark], indirect=True)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """The engine of a spec; tests that are no specs choose their own."""
    name = getattr(request, "param", None)
    if name is None or (name == "duckdb" and request.getfixturevalue("few_on_duckdb")):
        yield
        return
    answers: Answers = request.getfixturevalue(f"{name}_answers")
    with judged_by(Judge(name, lambda night: answers[_known_by(night)])):
        yield


@pytest.fixture(scope="session")
def few_on_duckdb(request: pytest.FixtureRequest) -> bool:
    """Whether so few specs of this run are judged on DuckDB that each is judged alone."""
    return sum(_engine_of(item) == "duckdb" for item in request.session.items) <= FEW


@pytest.fixture(scope="session")
def spark_answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What Spark says of every night of the Spark specs of this run."""

    def ask(nights: list[Night]) -> list[Result]:
        from tests.sparkkit import stacked_on_spark

        return stacked_on_spark(nights)

    return _answers(request, tmp_path_factory, "spark", ask)


@pytest.fixture(scope="session")
def duckdb_answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What DuckDB says of every night of the DuckDB specs of this run."""
    return _answers(request, tmp_path_factory, "duckdb", stacked_on_duckdb)


def _answers(request, tmp_path_factory, engine: str, ask: Callable[[list[Night]], list[Result]]) -> Answers:
    """Of several pytest workers the first asks, the others wait for what it was told."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    kept = shared / f"{engine}-answers.pickle"
    with (shared / f"{engine}-answers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            nights = _nights(request.session.items, engine)
            _keep(dict(zip(nights, ask(list(nights.values())), strict=True)), kept)
    return pickle.loads(kept.read_bytes())


def _engine_of(item: pytest.Item) -> str | None:
    return item.callspec.params.get("engine") if hasattr(item, "callspec") else None


def _nights(items: list[pytest.Item], engine: str) -> dict[str, Night]:
    nights: dict[str, Night] = {}

    def collect(night: Night) -> Result:
        nights[_known_by(night)] = night
        return on_oracle(night)

    for item in items:
        # What is wrong with a spec is said when its own turn comes.
        if _engine_of(item) == engine:
            arguments = {name: value for name, value in item.callspec.params.items() if name != "engine"}
            with judged_by(Judge("collecting", collect)), suppress(Exception):
                item.function(**arguments)
    return nights


def _keep(answers: Answers, path: Path) -> None:
    part = path.with_suffix(".part")
    part.write_bytes(pickle.dumps(answers))
    part.replace(path)


@contextmanager
def judged_by(judge: Judge) -> Iterator[None]:
    token = ENGINE.set(judge)
    try:
        yield
    finally:
        ENGINE.reset(token)


def _known_by(night: Night) -> str:
    whole = repr((night.as_of, night.books, night.facts, night.verdicts))
    return hashlib.sha256(whole.encode()).hexdigest()
