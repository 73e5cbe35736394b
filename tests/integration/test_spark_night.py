"""A whole night on Spark from the door: the command, its settings, a city of 400, and the same answer as on DuckDB."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import select

from demo.city import make_city
from night.places import snapshot_dir
from reconcile.engine import OUTPUTS
from reconcile.models import NightRun
from tests.integration.test_truth import KEYS, LAST, house_in
from tests.nightkit import House
from tests.sparkkit import BRIEF

ROOT = Path(__file__).resolve().parents[2]


def by_command(house: House, inbox: Path, **settings: str) -> int:
    """The exit code of `bianzhi night` in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BIANZHI_")}
    environment |= KEYS | settings | {"BIANZHI_HOME": str(house.settings.home), "SPARK_SUBMIT_OPTS": BRIEF}
    command = [
        sys.executable,
        "-c",
        "from cli import main; main()",
        "night",
        "--inbox",
        str(inbox),
        "--as-of",
        str(LAST),
    ]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
    return done.returncode


def answers(house: House) -> dict[str, list[dict]]:
    """What the engine wrote of the newest night."""
    [(run,)] = house.query(select(NightRun).where(NightRun.as_of == LAST))
    folder = snapshot_dir(house.settings, run)
    return {name: pq.read_table(folder / f"{name}.parquet").to_pylist() for name in OUTPUTS}


def test_a_night_by_the_command_on_spark_ends_as_on_duckdb_with_the_same_files_and_flags(tmp_path):
    city = tmp_path / "city"
    make_city(city, 400, 7, LAST)
    ours, theirs = (house_in(tmp_path / name, city) for name in ("duckdb", "spark"))
    code = ours.night(LAST, city / "inbox")
    limits = {"BIANZHI_ENGINE": "spark", "BIANZHI_SPARK_MASTER": "local[1]", "BIANZHI_MEMORY_LIMIT": "1GB"}
    assert by_command(theirs, city / "inbox", **limits) == code
    assert answers(theirs) == answers(ours)
    assert len({flag["rule"] for flag in ours.flags(LAST)}) > 20
    assert theirs.flags(LAST) == ours.flags(LAST)
    assert theirs.not_evaluable(LAST) == ours.not_evaluable(LAST)
