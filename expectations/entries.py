"""What one delivered file comes to by itself, kept in one file: read, normalised and judged column by column.

An entry is a zip without compression: `outcome.json`, and per piece of the delivered file

    rows      the rows that passed: the snapshot's columns, texts as dictionaries, and what comparing them needs
    marks     of each of these rows three numbers: its place among the file's records, digest, group
    held      the rows held back, as they go into the quarantine, with their places
    sealed    the identity numbers, sealed (expectations.identity_blocks)
    births    birth dates and sexes of the rows that passed, sealed (expectations.births); empty but for the roster

No identity number, name, birth date or account is in it that is not sealed, masked or keyed. Its checksums tell a whole
entry from a damaged one.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

POSITION = "position"
SHOWN = "shown:"
SECRET = "__secret"
_OUTCOME = "outcome.json"
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass
class Outcome:
    """What a file says of itself, and what its columns' suite said of it; plain values.

    error     what it was refused for: message, row, column; everything else is then empty.
    records   how many rows it has; of these `held` are held back.
    missing   required columns without a header: its rows are then counted only.
    kinds     code, column, file label and row of the first row held back for it, how many of them.
    months    payroll month → rows of it that passed.
    document  Great Expectations' result, as JSON.
    """

    error: dict | None = None
    records: int = 0
    held: int = 0
    pieces: int = 0
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    totals: list[list] = field(default_factory=list)
    cutoffs: list[str] = field(default_factory=list)
    kinds: list[list] = field(default_factory=list)
    months: dict[str, int] = field(default_factory=dict)
    document: dict | None = None


class EntryWriter:
    """Writes an entry piece by piece."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._pieces = 0

    def add(self, rows: pa.Table, marks: np.ndarray, held: pa.Table, sealed: list[bytes], births: bytes) -> None:
        """One piece. marks: 3 × n; `rows` has n rows."""
        blocks = pa.table({"sealed": pa.array(sealed, pa.binary())})
        for name, table in (("rows", rows), ("held", held), ("sealed", blocks)):
            with (
                self._member(f"{name}-{self._pieces}") as target,
                pa.ipc.new_stream(target, table.schema, options=_OPTIONS) as writer,
            ):
                writer.write_table(table)
        for name, content in (("marks", np.ascontiguousarray(marks, dtype=np.int64).tobytes()), ("births", births)):
            with self._member(f"{name}-{self._pieces}") as target:
                target.write(content)
        self._pieces += 1

    def _member(self, name: str):
        # A fixed time: the same file gives the same entry.
        return self._zip.open(zipfile.ZipInfo(name), "w", force_zip64=True)

    def finish(self, outcome: Outcome) -> None:
        """The last thing written: an entry without it is no entry."""
        outcome.pieces = self._pieces
        with self._member(_OUTCOME) as target:
            target.write(json.dumps(asdict(outcome), ensure_ascii=False).encode())
        self.close()

    def close(self) -> None:
        self._zip.close()


class Entry:
    """A finished entry. Errors: ValueError when it is damaged, which is looked for unless it is `fresh`."""

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                if not fresh and (damaged := archive.testzip()) is not None:
                    raise ValueError(f"{damaged} is damaged")
                self.outcome = Outcome(**json.loads(archive.read(_OUTCOME)))
        except (zipfile.BadZipFile, KeyError, TypeError, EOFError, OSError, RuntimeError, zlib.error) as error:
            raise ValueError(f"no entry: {type(error).__name__}") from None

    def marks(self) -> np.ndarray:
        """3 × n numbers of all its rows: place, digest, group."""
        parts = [np.frombuffer(data, dtype=np.int64).reshape(3, -1) for data in self._read("marks")]
        return np.concatenate([np.empty((3, 0), dtype=np.int64), *parts], axis=1)

    def rows(self) -> Iterator[pa.Table]:
        """The rows that passed, piece by piece."""
        return map(_table, self._read("rows"))

    def held(self) -> Iterator[pa.Table]:
        """The rows held back, piece by piece."""
        return map(_table, self._read("held"))

    def sealed(self) -> Iterator[bytes]:
        """The sealed blocks."""
        for data in self._read("sealed"):
            yield from _table(data)["sealed"].to_pylist()

    def births(self) -> Iterator[bytes]:
        """The sealed birth dates, piece by piece, of what `rows` gives."""
        return self._read("births")

    def _read(self, name: str) -> Iterator[bytes]:
        with zipfile.ZipFile(self.path) as archive:
            for piece in range(self.outcome.pieces):
                yield archive.read(f"{name}-{piece}")


def _table(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        return reader.read_all()
