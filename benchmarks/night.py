"""How long a night takes: `detect` with all rules, beside a bare join and the same comparison in pandas.

    python -m benchmarks.night [--people 1000000] [--repeat 1]

Each is a fresh process on the same files, so that its peak memory is its own. *Bare join*: DuckDB's full outer join of all
columns of the two person books on person_key, written to Parquet. Aims: detect ≤ 4 × bare join, ≥ 5 × faster than pandas.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.city_night import AS_OF, FOLDERS, write_night


def run_detect(folder: Path) -> dict:
    """All rules, findings and figures written."""
    from core.parameters import DEFINITIONS
    from expectations.books import BOOKS
    from reconcile.engine import DetectSetting, VerdictFact, detect
    from reconcile.rules.tables import Night

    present = ("units", "establishment", "roster", "payroll")
    verdicts = [
        VerdictFact(str(370102 + n), book, book in present, book in present, book in present)
        for n in range(FOLDERS)
        for book in BOOKS
    ]
    setting = DetectSetting(Night.of(AS_OF, DEFINITIONS["allowed_post_types"].default), verdicts)
    result = detect(folder, setting, folder / "out")
    return {"findings": result.by_rule}


def run_join(folder: Path) -> dict:
    """The bare join."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"preserve_insertion_order": False})
    connection.execute(
        f"COPY (SELECT * FROM read_parquet('{folder}/roster.parquet') r"
        f" FULL OUTER JOIN read_parquet('{folder}/payroll.parquet') p ON r.person_key = p.person_key)"
        f" TO '{folder}/join.parquet' (FORMAT parquet)"
    )
    return {}


def run_pandas(folder: Path) -> dict:
    from benchmarks.night_pandas import judge

    return {"findings": judge(folder, AS_OF)}


RUNS: dict[str, Callable[[Path], dict]] = {"detect": run_detect, "bare join": run_join, "pandas": run_pandas}


def measure(name: str, folder: Path) -> dict:
    """Seconds and peak memory (MB) of one run in a process of its own; loading the libraries is not counted."""
    command = [sys.executable, "-m", "benchmarks.night", "--run", name, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def run_here(name: str, folder: Path) -> None:
    import duckdb
    import ibis
    import pandas

    loaded = [module.__name__ for module in (duckdb, ibis, pandas)]
    start = time.perf_counter()
    said = RUNS[name](folder)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": round(seconds, 2), "peak_mb": round(peak), "loaded": loaded} | said))


def report(people: int, repeat: int) -> dict[str, dict]:
    """Measure all three, print them and their ratios, return the best run of each."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        write_night(folder, people)
        best: dict[str, dict] = {}
        for _ in range(repeat):
            for run in RUNS:
                result = measure(run, folder)
                if run not in best or result["seconds"] < best[run]["seconds"]:
                    best[run] = result
    print(f"{people:,} people, {people:,} pay rows, best of {repeat}")
    for run, result in best.items():
        print(f"  {run:10} {result['seconds']:8.2f} s {result['peak_mb']:8,} MB")
    print(f"  detect / bare join  {best['detect']['seconds'] / best['bare join']['seconds']:.2f}  (aim: at most 4)")
    print(f"  pandas / detect     {best['pandas']['seconds'] / best['detect']['seconds']:.2f}  (aim: at least 5)")
    for rule, number in best["pandas"]["findings"].items():
        ours = best["detect"]["findings"].get(rule, 0)
        print(f"  {rule}: detect {ours}, pandas {number}{'' if ours == number else '  DIFFER'}")
    return best


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--run", choices=list(RUNS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run:
        run_here(options.run, options.folder)
    else:
        report(options.people, options.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
