"""The files the gate writes per book: whole or not at all, so that a killed task leaves nothing half-written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

GROUP_ROWS = 500_000
PARTS = ("", ".quarantine", ".totals", ".cutoffs", ".identities")
RETIRING = ".retiring"


def parts_of(book: str) -> tuple[str, ...]:
    """The files of a book: PARTS, and of the roster who retires when."""
    return (*PARTS, RETIRING) if book == "roster" else PARTS


def snapshot_path(folder: Path, book: str, part: str = "") -> Path:
    """Where one of the files of a book lies in a snapshot folder. part: '' (accepted rows) or one of parts_of."""
    return folder / f"{book}{part}.parquet"


def read_path(folder: Path, book: str) -> Path:
    """The rows of a book as the rules read them: with our own gate's in the place of delivered ones, where it is in use."""
    merged = snapshot_path(folder, book, ".read")
    return merged if merged.exists() else snapshot_path(folder, book)


def write_table(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Write tables of these columns, one below the other, as one Parquet file.

    Texts may come as dictionaries, which saves looking for what repeats; whoever reads the file reads texts.
    """
    groups = _grouped(tables)
    first = next(groups, schema.empty_table()).select(schema.names)
    repeating = [field.name for field in first.schema if pa.types.is_dictionary(field.type)]
    options = {"store_schema": False, "write_statistics": False, "use_dictionary": repeating}
    with pq.ParquetWriter(path, first.schema, **options) as writer:
        for table in chain([first], groups):
            # A column has one dictionary per row group.
            whole = table.select(schema.names).unify_dictionaries().combine_chunks()
            writer.write_table(whole.cast(first.schema), row_group_size=max(whole.num_rows, 1))


def _grouped(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    for table in tables:
        if waiting and sum(map(len, waiting)) + len(table) > GROUP_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
        if table.num_rows:
            waiting.append(table)
    if waiting:
        yield pa.concat_tables(waiting)


def replace_file(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `target`, then put it in its place."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        write(fresh)
        os.replace(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)
