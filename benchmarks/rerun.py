"""What a night run again after one corrected file costs, beside the same night run afresh in a HOME that kept nothing.

    python -m benchmarks.rerun [--people 100000] [--seed 1]

A synthetic city as `bianzhi demo` writes it. Its newest night runs; then one division delivers its payroll again, ten rows
of it withdrawn, and the night runs once more over the corrected inbox: in the same HOME, and in a new one. Per step:
processor seconds, children included; at the end what was read, how many files of the snapshot are those of the first run
(the same inode), and whether both wrote the same bytes.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from benchmarks.gate import clock
from core.db import engine_for, reading
from core.errors import BianzhiError
from core.settings import Settings, load_settings
from demo.city import make_city
from night.places import run_of, snapshot_dir
from night.steps import ORDER, begin, perform
from tests.databases import migrate

AS_OF = date(2026, 10, 31)
KEYS = {"BIANZHI_SECRET_KEY": "rerun-secret-key" * 3, "BIANZHI_PERSON_KEY": "rerun-person-key" * 3}
STEPS = list(dict.fromkeys(name for name, _ in ORDER))


class Walk:
    """One run of the night: processor seconds of each step, wall seconds of all, files read and taken over, flags moved."""

    def __init__(self, settings: Settings, inbox: Path) -> None:
        self.settings = settings
        self.cpu: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        begun = mark = clock()
        self.run_id = begin(AS_OF, inbox, settings)
        self.cpu["begin"] = (clock() - mark)[1]
        for name, book in ORDER:
            mark = clock()
            try:
                answer = perform(name, self.run_id, book, settings)
            except BianzhiError:
                assert name == "conclude", "a red night ends red after all its work"
                answer = {}
            self.cpu[name] += (clock() - mark)[1]
            if name == "gate":
                self.counts.update({key: answer[key] for key in ("read", "taken_over", "rows_in")})
            if name == "settle":
                self.counts.update({f"flags {key}": value for key, value in answer.items()})
        self.wall = (clock() - begun)[0]

    def files(self) -> dict[str, Path]:
        """Every file of the snapshot by its path in it."""
        with reading(engine_for(self.settings.database_url)) as session:
            top = snapshot_dir(self.settings, run_of(session, self.run_id))
        return {str(path.relative_to(top)): path for path in sorted(top.rglob("*")) if path.is_file()}


def settings_in(home: Path) -> Settings:
    settings = load_settings({"BIANZHI_HOME": str(home), **KEYS})
    migrate(settings.database_url)
    return settings


WITHDRAWN = 10


def withdraw_rows(inbox: Path) -> Path:
    """Take the last rows out of the largest payroll that is a csv file; returns the file."""
    path = max((inbox / AS_OF.isoformat()).glob("*/payroll*.csv"), key=lambda path: path.stat().st_size)
    data = path.read_bytes()
    code = next(code for code in ("utf-8-sig", "gb18030") if _decodes(data, code))
    rows = list(csv.reader(io.StringIO(data.decode(code))))
    text = io.StringIO()
    csv.writer(text).writerows(rows[:-WITHDRAWN])
    path.write_bytes(text.getvalue().encode(code))
    (path.parent / "control.csv").unlink(missing_ok=True)
    return path


def _decodes(data: bytes, code: str) -> bool:
    try:
        data.decode(code)
    except UnicodeDecodeError:
        return False
    return True


def same(first: dict[str, Path], second: dict[str, Path]) -> list[str]:
    """The files that differ."""
    both = first.keys() & second.keys()
    changed = {name for name in both if first[name].read_bytes() != second[name].read_bytes()}
    return sorted((first.keys() ^ second.keys()) | changed)


def show(walks: dict[str, Walk]) -> None:
    print(f"{'processor s':14}" + "".join(f"{name:>14}" for name in walks))
    for step in ("begin", *STEPS):
        print(f"{step:14}" + "".join(f"{walk.cpu[step]:14.2f}" for walk in walks.values()))
    print(f"{'all':14}" + "".join(f"{walk.cpu.total():14.2f}" for walk in walks.values()))
    print(f"{'wall s':14}" + "".join(f"{walk.wall:14.2f}" for walk in walks.values()))
    for key in sorted(set().union(*(walk.counts for walk in walks.values()))):
        print(f"{key:22}" + "".join(f"{walk.counts[key]:>13,}" for walk in walks.values()))


def main() -> int:
    """Run the three nights and print them side by side; 1 when the run again differs from the run afresh."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    import expectations.validation  # noqa: F401  (loading Great Expectations is not measured)

    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            pool.submit(make_city, top / "city", given.people, given.seed, AS_OF, 1).result()
        inbox = top / "city" / "inbox"
        kept, new = settings_in(top / "kept"), settings_in(top / "new")
        walks = {"first": Walk(kept, inbox)}
        corrected = withdraw_rows(inbox)
        print(f"{given.people:,} people; corrected: {corrected.name}, {corrected.stat().st_size:,} bytes")
        walks["again"], walks["afresh"] = Walk(kept, inbox), Walk(new, inbox)
        show(walks)
        first, again, afresh = (walk.files() for walk in walks.values())
        inodes = {os.stat(path).st_ino for path in first.values()}
        shared = sum(os.stat(path).st_ino in inodes for path in again.values())
        print(f"files of the snapshot: {len(again)}; of the first run: {shared}")
        wrong = same(again, afresh)
        print(f"again against afresh: {wrong or 'the same bytes'}")
        print(f"again of afresh: {walks['again'].cpu.total() / walks['afresh'].cpu.total():.2f} of the processor time")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
