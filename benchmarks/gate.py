"""How long the gate takes on one book, beside plain Great Expectations on the same table.

    python -m benchmarks.gate [--rows 1000000] [--book roster] [--repeat 3]

plain     as many expectations, all of them Great Expectations' own, on the delivered text: not null, in a set, matches a
          pattern, one compound key; COMPLETE results, as the gate asks for.
gate      everything between the read table and the written snapshot: normalising, keying ids and names, the suites,
          duplicates, quarantine, Parquet. Reading the file is the same for both and is shown on a line of its own.
parallel  the same rows as four csv files, by one process and by two.
again     the same four files once more with what the gate kept, one of them corrected.

Times are wall and processor seconds, children included. Everything is done `--repeat` times in turn and the least is
shown: what other work on the machine adds is no part of it.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.identity import CHECK_DIGITS, WEIGHTS
from expectations.books import BOOKS, WORDS, Kind
from expectations.gate import BookResult, DeliveredFile, GateSetting, gate_book
from expectations.readers import read_file

AS_OF = date(2026, 10, 31)
PERSON_KEY = "benchmark-key-" * 3
FILES = 4
PATTERNS = {
    Kind.ID: r"^[0-9]{17}[0-9X]$",
    Kind.DATE: r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$",
    Kind.MONTH: r"^[12][0-9]{3}-[01][0-9]$",
    Kind.COUNT: r"^[0-9]+$",
    Kind.MONEY: r"^-?[0-9]+(\.[0-9]+)?$",
}
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂"


def delivered(book: str, rows: int, seed: int = 1, first: int = 0) -> pd.DataFrame:
    """A book as text, one person per row from the `first` on, one row in a thousand damaged."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for column in BOOKS[book].columns:
        if column.words is not None:
            columns[column.name] = rng.choice(list(WORDS[column.words]), rows)
        elif column.kind is Kind.ID:
            columns[column.name] = _ids(rng, first + np.arange(rows))
        elif column.kind is Kind.NAME:
            given = list(GIVEN)
            columns[column.name] = rng.choice(list(SURNAMES), rows) + rng.choice(given, rows) + rng.choice(given, rows)
        elif column.kind is Kind.DATE:
            days = np.datetime64("1985-01-01") + rng.integers(0, 14_000, rows)
            columns[column.name] = np.where(rng.random(rows) < 0.5, days.astype(str), "")
        elif column.kind is Kind.MONTH:
            columns[column.name] = np.repeat("2026-10", rows)
        elif column.kind in (Kind.MONEY, Kind.COUNT):
            columns[column.name] = rng.integers(3_000, 20_000, rows).astype(str)
        else:
            columns[column.name] = np.char.zfill(rng.integers(1, 20_000, rows).astype(str), 9)
    table = pd.DataFrame(columns, dtype="str")
    words = next(column.name for column in BOOKS[book].columns if column.words is not None and column.required)
    table.loc[rng.random(rows) < 0.001, words] = "?"
    return table


def _ids(rng: np.random.Generator, numbers: np.ndarray) -> np.ndarray:
    """Valid ids, different for different numbers below fifteen million."""
    days = (np.datetime64("1962-01-01") + numbers % 15_000).astype(str)
    order = np.char.zfill((numbers // 15_000 % 1000).astype(str), 3)
    areas = rng.integers(370_102, 370_199, len(numbers)).astype(str)
    first = areas.astype(object) + np.char.replace(days, "-", "").astype(object) + order.astype(object)
    digits = np.array([list(map(int, text)) for text in first])
    return first + np.array(list(CHECK_DIGITS), dtype=object)[digits @ WEIGHTS % 11]


def plain_expectations(book: str) -> list:
    """Great Expectations' own checks, as many as the gate's suites have."""
    from great_expectations import expectations as gxe

    from expectations.suites import book_suites

    found: list = []
    for column in BOOKS[book].columns:
        if column.required:
            found.append(gxe.ExpectColumnValuesToNotBeNull(column=column.name))
        if column.words is not None:
            found.append(gxe.ExpectColumnValuesToBeInSet(column=column.name, value_set=[*WORDS[column.words], ""]))
        if column.kind in PATTERNS:
            found.append(gxe.ExpectColumnValuesToMatchRegex(column=column.name, regex=f"{PATTERNS[column.kind]}|^$"))
        if column.kind is Kind.CODE:
            found.append(gxe.ExpectColumnValuesToMatchRegex(column=column.name, regex=r"^\S*$"))
    key = ["person_id", "unit_code" if book == "roster" else "paying_unit_code"]
    suites = book_suites(book)
    size = len(suites.columns) + len(suites.rows) - 1
    return [*found[:size], gxe.ExpectCompoundColumnsToBeUnique(column_list=key)]


def plain(book: str, frame: pd.DataFrame) -> int:
    """Validate the delivered text; gives the number of expectations."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("plain").add_dataframe_asset("book")
    batch = asset.add_batch_definition_whole_dataframe("batch").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name="plain", expectations=plain_expectations(book))
    format_ = {"result_format": "COMPLETE", "return_unexpected_index_query": False}
    return len(batch.validate(suite, result_format=format_).results)


class Book:
    """A book as one Parquet file and as four csv files, and what is timed on them."""

    def __init__(self, name: str, rows: int, top: Path) -> None:
        self.name, self.top = name, top
        frame = delivered(name, rows)
        whole = top / f"{name}.parquet"
        frame.to_parquet(whole, index=False)
        self.whole = [file_at(whole)]
        self.parts = []
        for number in range(FILES):
            path = top / f"{name}-{number}.csv"
            frame.iloc[number::FILES].to_csv(path, index=False)
            self.parts.append(file_at(path))
        self.corrected = top / f"{name}-corrected.csv"
        frame.iloc[FILES::FILES].to_csv(self.corrected, index=False)
        self.frame = read_file(whole, BOOKS[name]).frame.drop(columns="row")

    def gate(self, files: list[DeliveredFile], processes: int = 1, cache: str | None = None) -> BookResult:
        codes = frozenset(f"{number:09d}" for number in range(1, 20_000))
        kept = None if cache is None else self.top / cache
        setting = GateSetting(AS_OF, PERSON_KEY, unit_codes=codes, docs_dir=self.top / "docs", cache_dir=kept)
        return gate_book(self.name, files, setting, self.top / "out", processes=processes)

    def again(self) -> BookResult:
        """One of the four files corrected, the others as before."""
        first = replace(file_at(self.corrected), name=self.parts[0].name)
        return self.gate([first, *self.parts[1:]], cache="kept")

    def work(self) -> dict[str, Callable[[], Any]]:
        """What is timed, in this order."""
        return {
            "reading": lambda: read_file(self.whole[0].path, BOOKS[self.name]),
            "plain": lambda: plain(self.name, self.frame),
            "gate": lambda: self.gate(self.whole),
            "one process": lambda: self.gate(self.parts),
            "two processes": lambda: self.gate(self.parts, processes=2),
            "again": self.again,
        }


def file_at(path: Path) -> DeliveredFile:
    """A file as it would have been delivered."""
    with path.open("rb") as handle:
        return DeliveredFile("370100", path.name, path, hashlib.file_digest(handle, "sha256").hexdigest())


def clock() -> np.ndarray:
    """Wall seconds and processor seconds so far, children included."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return np.array([time.perf_counter(), sum(one.ru_utime + one.ru_stime for one in used)])


def measured(book: Book, repeat: int) -> dict[str, np.ndarray]:
    """The least (wall seconds, processor seconds) of each piece of work."""
    found: dict[str, list[np.ndarray]] = {}
    for _ in range(repeat):
        # What is kept is made afresh: the corrected file is read each time.
        shutil.rmtree(book.top / "kept", ignore_errors=True)
        book.gate(book.parts, cache="kept")
        for name, work in book.work().items():
            start = clock()
            work()
            found.setdefault(name, []).append(clock() - start)
    return {name: np.min(times, axis=0) for name, times in found.items()}


def peak(book: str, rows: int) -> str:
    """What gating one csv file takes, in a process that does nothing else."""
    command = [sys.executable, "-m", "benchmarks.gate_memory", "--book", book, "--rows", str(rows)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]


def show(name: str, rows: int, times: dict[str, np.ndarray], memory: str) -> None:
    """Print the times and their ratios."""
    checks = len(plain_expectations(name))
    own = times["gate"] - times["reading"]
    print(f"{name}: {rows:,} rows x {len(BOOKS[name].columns)} columns")
    print(f"{'':38} {'wall s':>8} {'cpu s':>8}")
    for label, (wall, processor) in (
        ("reading", times["reading"]),
        (f"plain Great Expectations ({checks} checks)", times["plain"]),
        ("gate without reading", own),
        ("ratio (aim: at most 2)", own / times["plain"]),
        ("gate with reading, thousand rows/s", rows / 1000 / times["gate"]),
        (f"{FILES} csv files, one process", times["one process"]),
        (f"{FILES} csv files, two processes", times["two processes"]),
        ("one of them corrected, the rest kept", times["again"]),
    ):
        print(f"{label:38} {wall:8.2f} {processor:8.2f}")
    print(f"one csv file by itself: {memory}")


def main() -> None:
    """Print the times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--book", choices=("roster", "payroll"), action="append")
    parser.add_argument("--repeat", type=int, default=3)
    chosen = parser.parse_args()
    import expectations.validation  # noqa: F401  (loading Great Expectations is not measured)

    for name in chosen.book or ("roster", "payroll"):
        with tempfile.TemporaryDirectory() as folder:
            times = measured(Book(name, chosen.rows, Path(folder)), chosen.repeat)
        show(name, chosen.rows, times, peak(name, chosen.rows))


if __name__ == "__main__":
    main()
