"""How much memory the gate takes on one very large csv file, which is made as it is written and deleted afterwards.

python -m benchmarks.gate_memory [--rows 10000000] [--book payroll]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.gate import AS_OF, PERSON_KEY, delivered, file_at
from expectations.gate import GateSetting, gate_book

CHUNK = 250_000


def write_csv(path: Path, book: str, rows: int) -> None:
    """The delivered book, a chunk at a time."""
    with path.open("w", encoding="utf-8", newline="") as target:
        for first in range(0, rows, CHUNK):
            chunk = delivered(book, min(CHUNK, rows - first), seed=first + 1, first=first)
            chunk.to_csv(target, index=False, header=first == 0)


def weigh(book: str, path: Path) -> None:
    """Gate a file in this process, and print how long it took and the most memory it had."""
    codes = frozenset(f"{number:09d}" for number in range(1, 20_000))
    start = time.perf_counter()
    setting = GateSetting(AS_OF, PERSON_KEY, unit_codes=codes, docs_dir=path.parent / "docs")
    [verdict] = gate_book(book, [file_at(path)], setting, path.parent / "out", processes=1).verdicts
    seconds, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    print(f"accepted {verdict.accepted:,}, quarantined {verdict.quarantined:,}, duplicates {verdict.duplicates:,}")
    print(f"{seconds:.0f} s wall, {used.ru_utime + used.ru_stime:.0f} s cpu, peak memory {used.ru_maxrss / 1e6:.2f} GB")


def main() -> None:
    """Write the file, and weigh the gate on it in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--book", choices=("roster", "payroll"), default="payroll")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{chosen.book}.csv"
        write_csv(path, chosen.book, chosen.rows)
        print(f"{chosen.book}: {chosen.rows:,} rows, {path.stat().st_size / 1e9:.2f} GB of csv")
        program = f"from pathlib import Path; from benchmarks.gate_memory import weigh; weigh({chosen.book!r}, Path({str(path)!r}))"
        subprocess.run([sys.executable, "-c", program], check=True)


if __name__ == "__main__":
    main()
