"""Every task of the DAG killed with SIGKILL once while Airflow's own scheduler runs it; its retries do the rest.

`python -m tests.dags.kill_under_airflow [SEED]` starts scheduler, API and DAG processor on 127.0.0.1, runs one night
undisturbed and one with every task instance killed, and compares states, flags and mails. Some minutes; part of
`make prove`.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from demo.sink import Sink
from tests.dags.test_nightly_reconcile import ROOT, airflow_environment
from tests.integration.kill_drill import make_house, outcome
from tests.nightkit import A, House

PATIENCE = 900
WORKER = b"airflow worker -- "


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def airflow_running(house: House, sink: Sink):
    """Scheduler, API and DAG processor on the house, with short retry delays; all stopped at the end."""
    dags = house.settings.home / "dags"
    dags.mkdir()
    text = (ROOT / "dags/nightly_reconcile.py").read_text(encoding="utf-8")
    (dags / "nightly_reconcile.py").write_text(text.replace("timedelta(seconds=30)", "timedelta(seconds=1)"), "utf-8")
    port = free_port()
    environment = airflow_environment(house.settings) | {
        "BIANZHI_SMTP_URL": f"smtp://127.0.0.1:{sink.port}", "PYTHONPATH": str(ROOT),
        "AIRFLOW__API__PORT": str(port), "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API_AUTH__JWT_SECRET": "drill-jwt-secret-" * 4,
    }  # fmt: skip
    # deploy/airflow.sh points Airflow at our dags folder: the copy is put there once it has set everything else.
    shell = lambda *words: [
        "bash", "deploy/airflow.sh", "env", f"AIRFLOW__CORE__DAGS_FOLDER={dags}", *words,
    ]  # fmt: skip
    run = lambda *words: (
        subprocess.run(
            shell(*words), cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=True
        ).stdout
    )
    run("airflow", "db", "migrate")
    log = (house.settings.home / "airflow.log").open("wb")
    parts = [
        subprocess.Popen(
            shell("airflow", part), cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        for part in ("api-server", "scheduler", "dag-processor")
    ]
    try:
        yield run
    finally:
        for part in parts:
            os.killpg(part.pid, signal.SIGTERM)
        for part in parts:
            try:
                part.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(part.pid, signal.SIGKILL)
        log.close()


def running_tasks() -> dict[str, int]:
    """Task instance id → process id of its runner."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                title = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if title.startswith(WORKER) and b"LocalExecutor" not in title:
                found[title.removeprefix(WORKER).split(b"\0")[0].decode().strip()] = int(folder.name)
    return found


def instances(house: House) -> dict[str, tuple[str, int, str | None]]:
    """Task instance id → (task, map index, state), from Airflow's own database."""
    path = house.settings.home / "airflow" / "airflow.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
        rows = connection.execute("SELECT id, task_id, map_index, state FROM task_instance").fetchall()
    return {str(row[0]).replace("-", ""): (row[1], row[2], row[3]) for row in rows}


def run_state(house: House) -> str | None:
    path = house.settings.home / "airflow" / "airflow.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
        row = connection.execute("SELECT state FROM dag_run ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else None


def watch(house: House, chance: random.Random | None) -> set[tuple[str, int]]:
    """Wait for the run to end; with `chance`, kill every task instance's first runner after a moment of its own."""
    killed: set[tuple[str, int]] = set()
    due: dict[int, tuple[float, tuple[str, int]]] = {}
    start = time.monotonic()
    while time.monotonic() - start < PATIENCE:
        if run_state(house) in ("success", "failed"):
            return killed
        if chance is not None:
            known = instances(house)
            for name, pid in running_tasks().items():
                place = known.get(name.replace("-", ""))
                if place and place[:2] not in killed and pid not in due:
                    due[pid] = (time.monotonic() + chance.uniform(0.1, 2.5), place[:2])
            for pid, (moment, place) in list(due.items()):
                if time.monotonic() >= moment:
                    del due[pid]
                    if pid in running_tasks().values():
                        os.kill(pid, signal.SIGKILL)
                        killed.add(place)
        time.sleep(0.05)
    raise AssertionError(f"the run did not end in {PATIENCE} s: {sorted(map(str, instances(house).values()))}")


def one_night(folder: Path, chance: random.Random | None) -> tuple[House, int, set[tuple[str, int]]]:
    with Sink(folder / "mails") as sink:
        house = make_house(folder, sink)
        with airflow_running(house, sink) as run:
            deadline = time.monotonic() + 120
            while "nightly_reconcile" not in run("airflow", "dags", "list"):
                assert time.monotonic() < deadline, "Airflow did not read the DAG"
                time.sleep(1)
            run("airflow", "dags", "unpause", "nightly_reconcile")
            conf = json.dumps({"inbox": str(house.inbox), "as_of": A.isoformat()})
            run("airflow", "dags", "trigger", "nightly_reconcile", "--conf", conf)
            killed = watch(house, chance)
        return house, len(sink.mails()), killed


def drill(folder: Path, seed: int) -> int:
    """Both nights; returns how many task instances were killed. Errors: AssertionError when anything differs."""
    calm, calm_mails, _ = one_night(folder / "calm", None)
    hard, hard_mails, killed = one_night(folder / "hard", random.Random(seed))
    every = {place[:2] for place in instances(hard).values()}
    assert {task for task, _ in killed} == {task for task, _ in every}, f"never killed: {sorted(every - killed)}"
    assert outcome(hard) == outcome(calm)
    assert hard_mails == calm_mails > 0
    return len(killed)


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1_000_000)
    with tempfile.TemporaryDirectory() as name:
        count = drill(Path(name), number)
    print(f"seed {number}: {count} task instances killed under Airflow, as an undisturbed night")
