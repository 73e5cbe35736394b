"""Every row the gate held back in a run, one by one, however many: what the workbooks and the portal list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from expectations.books import BOOKS
from expectations.snapshot_files import snapshot_path


class HeldRow(NamedTuple):
    """Where a row stands, and why it was held back (a ReasonCode). Nothing of what it says."""

    division_code: str
    book: str
    file: str
    row: int
    column: str
    reason: str
    unit_code: str | None


def held_rows(folder: Path) -> Iterator[HeldRow]:
    """The rows of a snapshot folder by book, division, file and row; none where it was pruned."""
    for book in BOOKS:
        path = snapshot_path(folder, book, ".quarantine")
        if path.exists():
            for batch in pq.ParquetFile(path).iter_batches(columns=list(HeldRow._fields)):
                columns = [batch[name].to_pylist() for name in HeldRow._fields]
                yield from map(HeldRow, *columns)
