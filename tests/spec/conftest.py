"""Every spec runs twice beside the oracle: on DuckDB alone, and on Spark with the nights of all specs of the run in one batch.

A night costs Spark planning, not work, so nobody waits for it spec by spec: before the first Spark spec, all of them are
read once to collect their nights; each spec is then held against its own answer and fails under its own name.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.spec.spec import ENGINE, Judge, Night, Result, on_oracle

Answers = dict[str, Result]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if hasattr(metafunc.module, "check"):
        on_spark = pytest.param("spark", marks=pytest.mark.spark)
        metafunc.parametrize("engine", ["duckdb", on_spark], indirect=True)


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[None]:
    """The engine of a spec; tests that are no specs choose their own."""
    if getattr(request, "param", "duckdb") == "duckdb":
        yield
        return
    answers: Answers = request.getfixturevalue("spark_answers")
    with judged_by(Judge("spark", lambda night: answers[_known_by(night)])):
        yield


@pytest.fixture(scope="session")
def spark_answers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What Spark says of every night of the Spark specs of this run; of several pytest workers the first asks it."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    kept = shared / "spark-answers.pickle"
    with (shared / "spark-answers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            _keep(_asked(_nights(request.session.items)), kept)
    return pickle.loads(kept.read_bytes())


def _nights(items: list[pytest.Item]) -> dict[str, Night]:
    nights: dict[str, Night] = {}

    def collect(night: Night) -> Result:
        nights[_known_by(night)] = night
        return on_oracle(night)

    for item in items:
        arguments = dict(item.callspec.params) if hasattr(item, "callspec") else {}
        # What is wrong with a spec is said when its own turn comes.
        if arguments.pop("engine", None) == "spark":
            with judged_by(Judge("collecting", collect)), suppress(Exception):
                item.function(**arguments)
    return nights


def _asked(nights: dict[str, Night]) -> Answers:
    from tests.sparkkit import stacked_on_spark

    return dict(zip(nights, stacked_on_spark(list(nights.values())), strict=True))


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
