"""Looking for people in what a night leaves behind: identity numbers and names, in whatever a file wraps them.

A file is looked through as bytes, as text in the encodings people use, with JSON's escapes undone, and unwrapped: the
members of a zip (xlsx; what the gate keeps: Arrow streams), the parts of a mail, the rows of an SQLite database, the
values of a Parquet file.
"""

from __future__ import annotations

import io
import re
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from email import message_from_bytes
from email.policy import default
from functools import cached_property
from html import unescape
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputRejected
from core.identity import birth_date, normalise_id, normalise_name
from expectations.books import BOOKS, Kind, book_of, fold
from expectations.readers import SUFFIXES, read_file

SHORT, LONG = 15, 18
# Shorter names are words: 王伟 stands in many a heading.
NAME_LENGTH = 3
DIGITS = re.compile(r"[0-9]{14,}[0-9Xx]?")
ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
WORDS = re.compile(r"[^\W\d_](?:[^\W\d_]|·)+")
ENCODINGS = ("utf-8", "gb18030", "utf-16-le")


@dataclass(frozen=True)
class Planted:
    """People as they were delivered: every form of their numbers, and their names of NAME_LENGTH characters and more."""

    ids: frozenset[str] = field(repr=False)
    names: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, numbers: Iterable[str], names: Iterable[str]) -> Planted:
        whole = {normalise_id(number) for number in numbers}
        whole = {number for number in whole if re.fullmatch(r"\d{17}[\dX]", number, re.ASCII)}
        short = {number[:6] + number[8:17] for number in whole if number[6:8] == "19"}
        written = {name for raw in names for name in (raw.strip(), normalise_name(raw))}
        return cls(frozenset(whole | short), frozenset(name for name in written if len(name) >= NAME_LENGTH))

    @classmethod
    def delivered(cls, inbox: Path) -> Planted:
        """Everybody in the readable files of an inbox."""
        numbers: set[str] = set()
        names: set[str] = set()
        for path in sorted(inbox.rglob("*")):
            book = book_of(path.stem) if path.suffix in SUFFIXES and fold(path.stem) != "control" else None
            if book is None:
                continue
            try:
                frame = read_file(path, BOOKS[book]).frame
            except InputRejected:
                continue
            for column in BOOKS[book].columns:
                if column.name in frame and column.kind in (Kind.ID, Kind.NAME):
                    (numbers if column.kind is Kind.ID else names).update(frame[column.name])
        return cls.of(numbers, names)

    @cached_property
    def lengths(self) -> list[int]:
        return sorted({len(name) for name in self.names})

    @cached_property
    def births(self) -> frozenset[date]:
        return frozenset(filter(None, (birth_date(number) for number in self.ids if len(number) == LONG)))

    def within(self, text: str) -> set[str]:
        """The planted numbers and names in a text."""
        text = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        found = set()
        for run in set(DIGITS.findall(text)):
            run = run.upper()
            found |= {
                part for size in (SHORT, LONG) for at in range(len(run) - size + 1)
                if (part := run[at : at + size]) in self.ids
            }  # fmt: skip
        for word in set(WORDS.findall(text)):
            found |= {
                part for size in self.lengths for at in range(len(word) - size + 1)
                if (part := word[at : at + size]) in self.names
            }  # fmt: skip
        return found


def leaks(folders: Iterable[Path], planted: Planted, spared: Iterable[Path] = ()) -> dict[str, set[str]]:
    """File (and what in it) → whom it gives away. Nothing of `spared` is looked at."""
    left_out = tuple(spared)
    found: dict[str, set[str]] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(path.is_relative_to(place) for place in left_out):
                for place, text in texts(path):
                    if seen := planted.within(text):
                        found.setdefault(f"{path.name} {place}".strip(), set()).update(seen)
    return found


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Everything readable in a file: (where in it, text)."""
    content = path.read_bytes()
    yield from _decoded("", content)
    if content[:4] == b"PK\x03\x04" and zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from _decoded(name, content := archive.read(name))
                yield from _streamed(name, content)
    if path.suffix == ".eml":
        for part in message_from_bytes(content, policy=default).walk():
            if not part.is_multipart():
                yield from _decoded(part.get_content_type(), part.get_payload(decode=True))
    if content[:15] == b"SQLite format 3":
        yield from _rows(path)
    if content[:4] == b"PAR1":
        yield from _values(pq.read_table(path))


def _decoded(place: str, content: bytes) -> Iterator[tuple[str, str]]:
    for encoding in ENCODINGS:
        text = content.decode(encoding, errors="replace")
        yield place, text
        if "&" in text and encoding == "utf-8":
            yield place, unescape(text)


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """The rows as text: in the file itself a long value lies in pieces."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        connection.text_factory = lambda content: content.decode("utf-8", errors="replace")
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    yield table, cell.decode("utf-8", errors="replace") if isinstance(cell, bytes) else str(cell)


def _streamed(place: str, content: bytes) -> Iterator[tuple[str, str]]:
    """The values of an Arrow stream, whose bytes may be compressed."""
    try:
        table = pa.ipc.open_stream(content).read_all()
    except (pa.ArrowInvalid, OSError):
        return
    for name, value in _values(table):
        yield f"{place} {name}", value


def _values(table: pa.Table) -> Iterator[tuple[str, str]]:
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_binary(column.type):
            yield name, " ".join(value.decode("utf-8", errors="replace") for value in column.to_pylist() if value)
        else:
            yield name, " ".join(map(str, column.to_pylist()))


def birth_columns(folder: Path, births_by_key: dict[str, date]) -> list[str]:
    """Parquet columns that hold somebody's own birth date, in any spelling: 'book column'."""
    found = []
    for path in sorted(folder.rglob("*.parquet")):
        table = pq.read_table(path)
        if "person_key" not in table.column_names:
            continue
        births = [births_by_key.get(key) for key in table["person_key"].to_pylist()]
        for name in table.column_names:
            for value, birth in zip(table[name].to_pylist(), births, strict=True):
                if birth is not None and value is not None and _spells(str(value), birth):
                    found.append(f"{path.stem} {name}")
                    break
    return found


def _spells(text: str, birth: date) -> bool:
    return any(f"{birth:{form}}" in text for form in ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d", "%Y年%m月%d日"))
