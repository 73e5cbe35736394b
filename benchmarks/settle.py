"""How long settling takes: a first night of new flags, the same flags a night later, and their closing; on SQLite, and on
a PostgreSQL of its own that waits for the disk. `python -m benchmarks.settle [--flags 100000]`"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Engine

from core.db import engine_for
from core.migrate import upgrade
from tests.postgres_server import administrate, running_server
from tests.settlekit import Nights, finding, unit, write_night

FIRST = date(2026, 10, 15)
UNITS = 500


def findings(count: int) -> list[dict[str, object]]:
    return [finding("F02", f"U{number % UNITS}", person=f"{number:032x}") for number in range(count)]


def measure(engine: Engine, folder: Path, count: int) -> dict[str, float]:
    """Seconds of each night."""
    upgrade(engine)
    nights = Nights(engine, folder)
    rows = findings(count)
    changed = [row | {"found": "7"} for row in rows]
    plan = {"opened": rows, "seen again": rows, "seen, figures changed": changed, "closed by data": []}
    seconds = {}
    for day, (name, found) in enumerate(plan.items()):
        run_id = nights.begin(FIRST + timedelta(days=day))
        write_night(nights.place(run_id), found, units=[unit(f"U{number}") for number in range(UNITS)])
        start = time.perf_counter()
        result = nights.settle(run_id)
        seconds[name] = time.perf_counter() - start
        assert sum(result.moves.values()) == count, result
    return seconds


def main() -> None:
    """Measure both databases and print one line per night."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flags", type=int, default=100_000)
    count = parser.parse_args().flags
    with tempfile.TemporaryDirectory() as name, running_server("-c listen_addresses=''") as server:
        administrate(server, "CREATE DATABASE bench")
        for kind, url in {"SQLite": f"sqlite:///{name}/bench.db", "PostgreSQL": server.url("bench")}.items():
            for night, seconds in measure(engine_for(url), Path(name) / kind, count).items():
                sys.stdout.write(f"{kind:12} {count:>8} flags {night:24} {seconds:6.1f} s\n")
                sys.stdout.flush()
        engine_for(server.url("bench")).dispose()


if __name__ == "__main__":
    main()
