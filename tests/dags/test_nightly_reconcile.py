"""The DAG as Airflow sees it, and whole nights through it, in a process of its own as an operator would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from core.outbox import OutboxMail
from core.settings import Settings
from reconcile.models import NightRun
from tests.homes import SavedHome, settings_in
from tests.nightkit import A, House, deliver, good_books

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag("dags")
dag = bag.dags["nightly_reconcile"]
print("FOUND" + json.dumps({
    "errors": list(bag.import_errors), "tasks": sorted(dag.task_ids), "doc": dag.doc_md,
    "timetable": dag.timetable.summary, "params": sorted(dag.params),
    "bare": [t.task_id for t in dag.tasks if t.execution_timeout is None],
    "retries": {t.task_id: t.retries for t in dag.tasks},
}))
"""


def airflow_environment(settings: Settings) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "BIANZHI_HOME": str(settings.home),
        "BIANZHI_SECRET_KEY": settings.secret_key,
        "BIANZHI_PERSON_KEY": settings.person_key,
        "HOME_DIR": str(settings.home),
        "PYTHONWARNINGS": "ignore",
    }


def airflow(settings: Settings, *command: str, timeout: int = 600) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", "deploy/airflow.sh", *command],
        cwd=ROOT, env=airflow_environment(settings), capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip


@pytest.fixture(scope="module")
def migrated(tmp_path_factory) -> SavedHome:
    """A HOME with both databases, and with the plan of the rules spelled, which would take a new process seconds."""
    settings = settings_in(tmp_path_factory.mktemp("airflow") / "home")
    house = House(settings)
    made = airflow(settings, "airflow", "db", "migrate")
    assert made.returncode == 0, made.stderr[-2000:]
    house.spell_ahead()
    return SavedHome(settings.home, settings.database_url)


@pytest.fixture
def house(migrated) -> House:
    migrated.put_back()
    return House(settings_in(migrated.home))


def test_the_dag_is_what_the_operator_was_promised(house):
    result = airflow(house.settings, sys.executable, "-c", LOOK)
    seen = json.loads(result.stdout.split("FOUND")[1])
    assert seen["errors"] == []
    assert seen["tasks"] == sorted(
        [
            "open_night", "position", "land", "gate_units", "gate", "detect", "settle", "housekeeping", "alert", "report",
            "prove", "conclude",
        ]
    )  # fmt: skip
    assert seen["params"] == ["as_of", "inbox"]
    assert "0 2 * * *" in seen["timetable"]
    assert not seen["bare"]
    assert set(seen["retries"].values()) == {2}
    for task in seen["tasks"]:
        assert task in seen["doc"]


def test_nights_through_airflow_are_the_nights_of_the_command(house, tmp_path):
    """Three nights, the second rightly red, the third given twice: states, flags and mails as `bianzhi night` leaves them."""
    days = [A + timedelta(days=n) for n in range(3)]
    for day in days:
        books = good_books()
        books["payroll"] = books["payroll"][:3]
        deliver(house.inbox, day, "990102", **(books if day != days[1] else {**books, "payroll": ""}))
    nights = [day.isoformat() for day in [*days, days[2]]]
    ran = airflow(house.settings, sys.executable, "dags/nightly_reconcile.py", str(house.inbox), *nights)
    assert ran.returncode == 0, ran.stderr[-3000:]
    runs = house.query(select(NightRun.as_of, NightRun.state, NightRun.red_reasons).order_by(NightRun.as_of))
    assert [(run.as_of, run.state, run.red_reasons == "[]") for run in runs] == [
        (days[0], "SETTLED", True), (days[1], "SETTLED", False), (days[2], "SETTLED", True)
    ]  # fmt: skip
    flags = house.flags(days[2])
    mails = len(house.query(select(OutboxMail.id)))
    house.night(days[2])
    assert house.flags(days[2]) == flags
    assert {flag["rule"] for flag in flags} == {"F02", "F09"}
    assert {flag["first_seen"] for flag in flags} == {days[0].isoformat()}
    assert len(house.query(select(OutboxMail.id))) == mails


def test_a_date_that_is_none_is_refused(house):
    ran = airflow(house.settings, sys.executable, "dags/nightly_reconcile.py", str(house.inbox), "2026-13-40")
    assert ran.returncode != 0
    assert house.query(select(NightRun.id)) == []
