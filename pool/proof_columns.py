"""Columns of a table with a million rows, read fast: words as numbers into a list of words, numbers as they are.

SQLite hands over one row at a time, cell by cell, which costs more than everything the proof does with them. So it joins
many rows into one text per column, and Arrow takes that apart again; what such a text cannot carry is read row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import Column, LargeBinary, Select, String, Table, cast, func, select, true
from sqlalchemy.orm import Session

BATCH = 10_000
MISSING, NO_WORD = "\x1e", "\x1f"


@dataclass
class Coded:
    """A column of words: the row's word is words[codes[row]]; None is a word like others."""

    codes: np.ndarray
    words: list[str | None]


@dataclass
class Columns:
    """Columns by name; a number that is missing is 0."""

    numbers: dict[str, np.ndarray]
    words: dict[str, Coded]


def batches(session: Session, query: Select) -> Iterator[list[tuple]]:
    """Rows as the driver gives them: converting a million of them costs more than proving them. On SQLite a date is its
    ISO text and an instant its text in UTC, which sort and spell alike."""
    connection = session.connection()
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    cursor = connection.connection.cursor()
    try:
        cursor.execute(str(compiled))
        while rows := cursor.fetchmany(2 * BATCH):
            yield rows
    finally:
        cursor.close()


def is_sqlite(session: Session) -> bool:
    """Whether rows come from SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def joined_columns(session: Session, cells: Sequence, within) -> list[bytes | None]:
    """Each column as one text, a line per row, all in the same order; None: no rows."""
    texts = [cast(func.group_concat(cell, "\n"), LargeBinary) for cell in cells]
    ((*found,),) = next(batches(session, select(*texts).where(within)))
    return found


def or_missing(column: Column):
    """SQL: a column of words for `joined_columns`."""
    return func.coalesce(cast(column, String), MISSING) if column.nullable else column


def columns_in(texts: Sequence[Sequence[bytes]], numbers: Sequence[str], words: Sequence[str]) -> Columns | None:
    """The texts of `joined_columns`, one list of them per column, taken apart. None where they are of different lengths,
    or hold what is no number or no text."""
    try:
        many = {name: _parsed(text, pa.int64()).to_numpy() for name, text in zip(numbers, texts, strict=False)}
        coded = {name: _words(text) for name, text in zip(words, texts[len(numbers) :], strict=True)}
    except pa.ArrowInvalid:
        return None
    lengths = {*map(len, many.values()), *(len(one.codes) for one in coded.values())}
    return Columns(many, coded) if len(lengths) == 1 else None


def read_table(session: Session, table: Table, numbers: Sequence[str], words: Sequence[str]) -> Columns:
    """Columns of a whole table, in no order."""
    if is_sqlite(session):
        cells = [*(func.coalesce(table.c[name], 0) for name in numbers), *(or_missing(table.c[name]) for name in words)]
        texts = joined_columns(session, cells, true())
        found = None if None in texts else columns_in([[text] for text in texts], numbers, words)
        if found is not None:
            return found
    return read_columns(session, table, true(), [], numbers, words)


def _words(texts: Sequence[bytes]) -> Coded:
    column = _parsed(texts, pa.dictionary(pa.int32(), pa.string())).unify_dictionaries().combine_chunks()
    known = [None if word == MISSING else word for word in column.dictionary.to_pylist()]
    return Coded(column.indices.to_numpy(zero_copy_only=False).astype("int64"), known)


def _parsed(texts: Sequence[bytes], kind: pa.DataType) -> pa.ChunkedArray:
    """A word that holds a line's end makes two, which whoever counts the rows finds out."""
    read = pyarrow.csv.ReadOptions(column_names=["word"], block_size=1 << 24, use_threads=False)
    parse = pyarrow.csv.ParseOptions(
        delimiter=NO_WORD, quote_char=False, escape_char=False, newlines_in_values=False, ignore_empty_lines=False
    )
    convert = pyarrow.csv.ConvertOptions(column_types={"word": kind}, null_values=[], strings_can_be_null=False)
    tables = [
        pyarrow.csv.read_csv(
            pa.py_buffer(text + b"\n"), read_options=read, parse_options=parse, convert_options=convert
        )
        for text in texts
    ]
    return pa.concat_tables(tables)["word"]


class _Codes(dict):
    """Values → 0, 1, 2 … in the order first met."""

    def __missing__(self, value: object) -> int:
        self[value] = code = len(self)
        return code


def read_columns(
    session: Session, table: Table, within, order: Sequence[str], numbers: Sequence[str], words: Sequence[str]
) -> Columns:
    """Columns row by row, whatever they hold."""
    columns = [table.c[name] for name in (*numbers, *words)]
    codes = {name: _Codes() for name in words}
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*numbers, *words)}
    query = select(*columns).where(within).order_by(*(table.c[name] for name in order))
    for rows in batches(session, query):
        for name, values in zip(parts, zip(*rows, strict=True), strict=True):
            if name in codes:
                parts[name].append(np.fromiter(map(codes[name].__getitem__, values), "int64", len(values)))
            else:
                parts[name].append(np.array([value or 0 for value in values], "int64"))
    whole = {name: np.concatenate(found) if found else np.zeros(0, "int64") for name, found in parts.items()}
    spelled = lambda name: [None if word is None else str(word) for word in codes[name]]
    return Columns({name: whole[name] for name in numbers}, {name: Coded(whole[name], spelled(name)) for name in words})


def stacked(parts: Sequence[Columns]) -> Columns:
    """One below the other."""
    first = parts[0]
    words = {}
    for name in first.words:
        known, codes = _Codes(), []
        for part in parts:
            coded = part.words[name]
            place = np.fromiter(map(known.__getitem__, coded.words), "int64", len(coded.words))
            codes.append(place[coded.codes])
        words[name] = Coded(np.concatenate(codes), list(known))
    numbers = {name: np.concatenate([part.numbers[name] for part in parts]) for name in first.numbers}
    return Columns(numbers, words)
