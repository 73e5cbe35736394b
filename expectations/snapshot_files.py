"""The four files the gate writes per book: whole or not at all, so that a killed task leaves nothing half-written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PARTS = ("", ".quarantine", ".totals", ".cutoffs")


def snapshot_path(folder: Path, book: str, part: str = "") -> Path:
    """Where one of the four files of a book lies in a snapshot folder. part: '' (accepted rows) or one of PARTS."""
    return folder / f"{book}{part}.parquet"


def write_snapshot(folder: Path, book: str, tables: Mapping[str, pa.Table]) -> None:
    """Write the files of a book (part → table). Each replaces the former one in a single step."""
    for part in PARTS:
        table = tables[part]
        replace_file(
            snapshot_path(folder, book, part),
            lambda path, table=table: pq.write_table(table, path, write_statistics=False),
        )


def replace_file(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `target`, then put it in its place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        write(fresh)
        os.replace(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)
