"""Looking for people in what a night leaves behind: identity numbers and names, in whatever a file wraps them.

A file is looked through as bytes, as text in the encodings people use, with JSON's escapes undone, and unwrapped: the
members of a zip (xlsx; what the gate keeps: Arrow streams), the parts of a mail, the rows of an SQLite database, the
values of a Parquet file.

A name of two letters is looked for in text only that is text: bytes read in an encoding they were not written in make such
pairs by chance. One that Bianzhi's own words contain (`own_words`) cannot be told from them: `unfindable` says which.
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
from functools import cache, cached_property
from html import unescape
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from core.errors import InputRejected
from core.identity import birth_date, normalise_id, normalise_name
from expectations.books import BOOKS, Kind, book_of, fold
from expectations.readers import SUFFIXES, read_file

SHORT, LONG = 15, 18
SHORT_NAME = 2
ROOT = Path(__file__).resolve().parents[1]
# What pages, mails, reports and notices are made of.
OWN = ("core", "expectations", "pool", "staffing", "reconcile", "night", "web", "dags", "docs", "deploy")
OWN_SUFFIXES = (".py", ".html", ".md", ".po", ".js", ".css", ".typ", ".sh")
DIGITS = re.compile(r"[0-9]{14,}[0-9Xx]?")
ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
WORDS = re.compile(r"[^\W\d_](?:[^\W\d_]|·)+")
ENCODINGS = ("utf-8", "gb18030", "utf-16-le")


@cache
def own_words() -> str:
    """Every text file of Bianzhi that its output may quote."""
    files = [path for folder in OWN for path in sorted((ROOT / folder).rglob("*")) if path.suffix in OWN_SUFFIXES]
    files += sorted(ROOT.glob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@dataclass(frozen=True)
class Planted:
    """People as they were delivered: every form of their numbers, and their names of two characters and more.

    unfindable: names of two characters that our own words contain; not among `names`.
    """

    ids: frozenset[str] = field(repr=False)
    names: frozenset[str] = field(repr=False)
    unfindable: frozenset[str] = field(default=frozenset(), repr=False)

    @classmethod
    def of(cls, numbers: Iterable[str], names: Iterable[str]) -> Planted:
        whole = {normalise_id(number) for number in numbers}
        whole = {number for number in whole if re.fullmatch(r"\d{17}[\dX]", number, re.ASCII)}
        short = {number[:6] + number[8:17] for number in whole if number[6:8] == "19"}
        written = {name for raw in names for name in (raw.strip(), normalise_name(raw))}
        names = {name for name in written if len(name) > SHORT_NAME}
        pairs = {name for name in written if len(name) == SHORT_NAME and not name.isascii()}
        unfindable = {name for name in pairs if name in own_words()}
        return cls(frozenset(whole | short), frozenset(names | pairs - unfindable), frozenset(unfindable))

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

    def within(self, text: str, is_text: bool = True) -> set[str]:
        """The planted numbers and names in a text; without names of two characters where it may be no text."""
        text = ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        found = set()
        for run in set(DIGITS.findall(text)):
            run = run.upper()
            found |= {
                part for size in (SHORT, LONG) for at in range(len(run) - size + 1)
                if (part := run[at : at + size]) in self.ids
            }  # fmt: skip
        lengths = self.lengths if is_text else [size for size in self.lengths if size > SHORT_NAME]
        for word in set(WORDS.findall(text)):
            found |= {
                part for size in lengths for at in range(len(word) - size + 1)
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
                if seen := planted.within(path.name):
                    found.setdefault(f"the name of one {path.suffix}", set()).update(seen)
                for place, text, is_text in texts(path):
                    if seen := planted.within(text, is_text):
                        found.setdefault(f"{path.name} {place}".strip(), set()).update(seen)
    return found


def texts(path: Path) -> Iterator[tuple[str, str, bool]]:
    """Everything readable in a file: (where in it, text, whether it was text in that encoding)."""
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


def _decoded(place: str, content: bytes) -> Iterator[tuple[str, str, bool]]:
    # UTF-8 is what bytes are that can be; only of others the other encodings may make text.
    settled = False
    for encoding in ENCODINGS:
        text = content.decode(encoding, errors="replace")
        sound = not settled and "\ufffd" not in text and "\0" not in text
        settled = settled or sound
        # UTF-8 within what is no text as a whole is still no chance: six bytes make a pair.
        yield place, text, sound or encoding == "utf-8"
        if "&" in text and encoding == "utf-8":
            yield place, unescape(text), True


def _rows(path: Path) -> Iterator[tuple[str, str, bool]]:
    """The rows as text: in the file itself a long value lies in pieces."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        connection.text_factory = lambda content: content.decode("utf-8", errors="replace")
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    yield table, cell.decode("utf-8", errors="replace") if isinstance(cell, bytes) else str(cell), True


def _streamed(place: str, content: bytes) -> Iterator[tuple[str, str, bool]]:
    """The values of an Arrow stream, whose bytes may be compressed."""
    try:
        table = pa.ipc.open_stream(content).read_all()
    except (pa.ArrowInvalid, OSError):
        return
    for name, value, is_text in _values(table):
        yield f"{place} {name}", value, is_text


def _values(table: pa.Table) -> Iterator[tuple[str, str, bool]]:
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_binary(column.type):
            yield name, " ".join(value.decode("utf-8", errors="replace") for value in column.to_pylist() if value), True
        else:
            yield name, " ".join(map(str, column.to_pylist())), True


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
