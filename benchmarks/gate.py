"""How long the gate takes on one book, beside plain Great Expectations on the same table.

    python -m benchmarks.gate [--rows 1000000] [--book roster]

plain   as many expectations, all of them Great Expectations' own, on the delivered text: not null, in a set, matches a
        pattern, one compound key; COMPLETE results, as the gate asks for.
gate    everything between the read table and the written snapshot: normalising, keying ids and names, the suites,
        duplicates, quarantine, Parquet. Reading the file is the same for both and is shown on a line of its own.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.identity import CHECK_DIGITS, WEIGHTS
from expectations.books import BOOKS, WORDS, Kind
from expectations.gate import DeliveredFile, GateSetting, gate_book
from expectations.readers import read_file

AS_OF = date(2026, 10, 31)
PATTERNS = {
    Kind.ID: r"^[0-9]{17}[0-9X]$",
    Kind.DATE: r"^[12][0-9]{3}-[01][0-9]-[0-3][0-9]$",
    Kind.MONTH: r"^[12][0-9]{3}-[01][0-9]$",
    Kind.COUNT: r"^[0-9]+$",
    Kind.MONEY: r"^-?[0-9]+(\.[0-9]+)?$",
}
SURNAMES, GIVEN = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂"


def delivered(book: str, rows: int, seed: int = 1) -> pd.DataFrame:
    """A book as text, one person per row, one row in a thousand damaged."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for column in BOOKS[book].columns:
        if column.words is not None:
            columns[column.name] = rng.choice(list(WORDS[column.words]), rows)
        elif column.kind is Kind.ID:
            columns[column.name] = _ids(rng, rows)
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


def _ids(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Valid ids, all different."""
    days = (np.datetime64("1962-01-01") + np.arange(rows) % 15_000).astype(str)
    order = np.char.zfill((np.arange(rows) // 15_000 % 1000).astype(str), 3)
    areas = rng.integers(370_102, 370_199, rows).astype(str)
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


def timed(work: Callable[[], Any]) -> tuple[np.ndarray, Any]:
    """(wall seconds, processor seconds), and what the work gave."""
    start = np.array([time.perf_counter(), time.process_time()])
    result = work()
    return np.array([time.perf_counter(), time.process_time()]) - start, result


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


def main() -> None:
    """Print the times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--book", choices=("roster", "payroll"), default="roster")
    chosen = parser.parse_args()
    import expectations.validation  # noqa: F401  (loading Great Expectations is not measured)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{chosen.book}.parquet"
        delivered(chosen.book, chosen.rows).to_parquet(path, index=False)
        file = DeliveredFile("370100", path.name, path, hashlib.sha256(path.read_bytes()).hexdigest())
        codes = frozenset(f"{number:09d}" for number in range(1, 20_000))
        setting = GateSetting(AS_OF, "benchmark-key-" * 3, unit_codes=codes, docs_dir=Path(folder) / "docs")
        reading, table = timed(lambda: read_file(path, BOOKS[chosen.book]))
        frame = table.frame.drop(columns="row")
        plainly, count = timed(lambda: plain(chosen.book, frame))
        whole, result = timed(lambda: gate_book(chosen.book, [file], setting, Path(folder) / "out"))
    verdict = result.verdicts[0]
    size = f"{chosen.rows:,} rows x {frame.shape[1]} columns"
    print(f"{chosen.book}: {size}; accepted {verdict.accepted:,}, quarantined {verdict.quarantined:,}")
    ratio = (whole - reading) / plainly
    print(f"{'':38} {'wall s':>8} {'cpu s':>8}")
    for label, (wall, processor) in (
        ("reading", reading),
        (f"plain Great Expectations ({count} checks)", plainly),
        ("gate without reading", whole - reading),
        ("ratio (aim: at most 2)", ratio),
    ):
        print(f"{label:38} {wall:8.2f} {processor:8.2f}")


if __name__ == "__main__":
    main()
