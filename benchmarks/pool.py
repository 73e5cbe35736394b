"""The pool's speed: posted movements a second with eight writers, beside the same statements by hand; the proof and
usable() of 5,000 units and 1,000,000 movements. `python -m benchmarks.pool [--seconds 5] [--movements 1000000]`"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine

from benchmarks.pool_at_size import measure_size
from benchmarks.pool_by_hand import grant_by_hand, through_core, through_driver
from core.accounts import GrantSpec, Role, create_user, get_user
from core.db import WRITE, engine_for, reading, writing
from core.migrate import upgrade
from core.permissions import Scope, scope_of
from core.units import UnitVersion
from pool.acting import Act
from pool.service import grant_posts
from pool.service_opening import plant_tree
from tests.postgres_server import administrate, running_server

WRITERS = 8
NOW, DAY = datetime(2026, 10, 20, 2, 0, tzinfo=UTC), date(2026, 10, 20)
CELL = ("INSTITUTION", "FULL")
DOCUMENT = "编委1"
Writer = Callable[[str, int, str], None]  # (database URL, number of the writer, key)


def found(url: str) -> None:
    """A county with a unit per writer, each cell opened, and a director of the whole."""
    engine = engine_for(url)
    upgrade(engine)
    with writing(engine) as session:
        for number in range(WRITERS):
            session.add(UnitVersion(
                unit_code=f"B{number}", unit_name=f"单位{number}", division_code="990101", level="COUNTY",
                unit_kind="INSTITUTION", delivers="PERSONS", delivered_by="990101", seen_on=DAY,
            ))  # fmt: skip
        create_user(
            session, login="bench", email="bench@example.org", display_name="bench", actor="bench", now=NOW,
            grants=[GrantSpec(Role.DIRECTOR, "990101", "COUNTY")],
        )  # fmt: skip
    with writing(engine) as session:
        plant_tree(session, Act(scope(url), NOW, "plant"))
    for number in range(WRITERS):
        by_service(url, number, f"first-{number}")
    engine.dispose()


SCOPES: dict[str, Scope] = {}


def scope(url: str) -> Scope:
    """The director's, read once per process as a session would keep it."""
    if url not in SCOPES:
        with reading(engine_for(url)) as session:
            SCOPES[url] = scope_of(session, get_user(session, "bench"))
    return SCOPES[url]


def by_service(url: str, number: int, key: str) -> None:
    """One GRANT through pool.service."""
    with writing(engine_for(url)) as session:
        grant_posts(session, Act(scope(url), NOW, key), f"U:B{number}", *CELL, 1, DOCUMENT)


def _script(url: str, number: int, key: str):
    server = url.startswith("postgresql")
    day, now = (DAY, NOW) if server else (DAY.isoformat(), NOW.isoformat(" "))
    return grant_by_hand(f"U:B{number}", "bench", key, DOCUMENT, now, day, server)


def by_core(url: str, number: int, key: str) -> None:
    """The same statements through SQLAlchemy Core."""
    with engine_for(url).execution_options(**{WRITE: True}).begin() as connection:
        through_core(connection, _script(url, number, key))


def by_driver(url: str, number: int, key: str) -> None:
    """The same statements through the driver."""
    server = url.startswith("postgresql")
    connection = _bare(url)
    cursor = connection.cursor()
    if not server:
        cursor.execute("BEGIN IMMEDIATE")
    through_driver(cursor, _script(url, number, key), server)
    connection.commit()
    cursor.close()


HELD = threading.local()


def _bare(url: str):
    """A connection of this thread's own, from the engine's driver, with the engine's settings."""
    if getattr(HELD, "url", None) != (url, os.getpid()):
        HELD.url, HELD.connection = (url, os.getpid()), engine_for(url).raw_connection()
    return HELD.connection


def _writes(url: str, writer: Writer, number: int, begin, seconds: float, name: str, counts) -> None:
    """Reports how many it wrote in so many seconds after all writers have loaded their code and written once."""
    if writer is by_service:
        scope(url)
    writer(url, number, f"{name}-{number}-first")
    begin.wait(timeout=120)
    until, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        writer(url, number, f"{name}-{number}-{count}")
        count += 1
    counts.put(count)


def rate(url: str, writer: Writer, how: str, seconds: float) -> float:
    """Movements a second of eight writers at once, each on its own unit."""
    name = f"{writer.__name__}-{how}-{time.time():.3f}"
    engine_for(url).dispose()
    spawned = multiprocessing.get_context("spawn")
    begin, counts, worker = (
        (threading.Barrier(WRITERS), queue.Queue(), threading.Thread)
        if how == "threads"
        else (spawned.Barrier(WRITERS), spawned.Queue(), spawned.Process)
    )
    workers = [
        worker(target=_writes, args=(url, writer, number, begin, seconds, name, counts)) for number in range(WRITERS)
    ]
    for each in workers:
        each.start()
    done = sum(counts.get(timeout=seconds + 240) for _ in workers)
    for each in workers:
        each.join()
    engine_for(url).dispose()
    return done / seconds


def calibration() -> float:
    """Thousands of small JSON bodies hashed a second: how fast this machine is just now."""
    body, start, count = list(range(20)), time.perf_counter(), 0
    while time.perf_counter() - start < 0.5:
        hashlib.sha256(json.dumps(body).encode()).hexdigest()
        count += 1
    return count / 500


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """A URL per kind: SQLite as the product opens it, and a PostgreSQL of its own that waits for the disk."""
    with tempfile.TemporaryDirectory() as folder, running_server("-c listen_addresses=''") as server:
        administrate(server, "CREATE DATABASE bench")
        yield {"SQLite": f"sqlite:///{Path(folder) / 'bench.db'}", "PostgreSQL": server.url("bench")}
        engine_for(server.url("bench")).dispose()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def measure_rates(seconds: float) -> None:
    """Service, Core and driver in turn, twice, so that a noisy neighbour hits all three."""
    with databases() as urls:
        for kind, url in urls.items():
            found(url)
            for how in ("threads", "processes"):
                turns = [{writer: rate(url, writer, how, seconds) for writer in (by_service, by_core, by_driver)}
                         for _ in range(2)]  # fmt: skip
                service, core, driver = (sum(turn[w] for turn in turns) / 2 for w in (by_service, by_core, by_driver))
                say(f"{kind:10} {WRITERS} {how:9} service {service:6.0f}/s  Core {core:6.0f}/s  driver {driver:6.0f}/s  "
                    f"service/Core {service / core:.2f}  service/driver {service / driver:.2f}  "
                    f"calibration {calibration():.0f} k/s")  # fmt: skip


def at_size(units: int, movements: int) -> None:
    """The proof and a page of usable() on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        engine: Engine = engine_for(f"sqlite:///{Path(folder) / 'size.db'}")
        for line in measure_size(engine, units, movements):
            say(f"{line}  calibration {calibration():.0f} k/s")
        engine.dispose()


def main() -> None:
    """Everything, one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--units", type=int, default=5_000)
    parser.add_argument("--movements", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["rates", "size"])
    given = parser.parse_args()
    if given.only != "size":
        measure_rates(given.seconds)
    if given.only != "rates":
        at_size(given.units, given.movements)


if __name__ == "__main__":
    main()
