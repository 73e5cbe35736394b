"""Columns of a table with a million rows, read fast: words as numbers into a list of words, numbers as they are.

SQLite hands over one row at a time, cell by cell, which costs more than everything the proof does with them. So it joins
many rows into one text, and Arrow takes that apart again; what that text cannot carry is read row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import Select, String, Table, cast, func, literal, select
from sqlalchemy.orm import Session

BATCH = 20_000
CELL_END, ROW_END, NOTHING = "\x1f", "\n", "\x1e"


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


def read_columns(
    session: Session, table: Table, order: Sequence[str], numbers: Sequence[str], words: Sequence[str], last: int
) -> Columns:
    """Columns of a whole table in the order of those given; the first of them is the movement's number, up to the last."""
    packed = _packed(session, table, order, numbers, words, last) if is_sqlite(session) else None
    return packed or _plain(session, table, order, numbers, words, last)


def batches(session: Session, query: Select) -> Iterator[list[tuple]]:
    """Rows as the driver gives them: converting a million of them costs more than proving them. On SQLite a date is its
    ISO text and an instant its text in UTC, which sort and spell alike."""
    connection = session.connection()
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    cursor = connection.connection.cursor()
    try:
        cursor.execute(str(compiled))
        while rows := cursor.fetchmany(BATCH):
            yield rows
    finally:
        cursor.close()


def is_sqlite(session: Session) -> bool:
    """Whether rows come from SQLite."""
    return session.get_bind().dialect.name == "sqlite"


def _packed(session, table, order, numbers, words, last) -> Columns | None:
    """None where the text cannot be taken apart again for certain: a separator within a word, or numbers far apart."""
    by = table.c[order[0]]
    ((count, first, end),) = next(batches(session, select(func.count(), func.min(by), func.max(by)).where(by <= last)))
    if not count or end - first > 10 * count + BATCH:
        return None
    line = _line(table, numbers, words)
    parts = []
    for start in range(first, end + 1, BATCH):
        rows = select(line.label("line")).where(by >= start, by < start + BATCH, by <= last)
        rows = rows.order_by(*(table.c[name] for name in order)).subquery()
        ((text,),) = next(batches(session, select(func.group_concat(rows.c.line, ROW_END))))
        if text:
            parts.append(text)
    try:
        found = _parsed(parts, numbers, words)
    except pa.ArrowInvalid:
        return None
    return _of_arrow(found, numbers, words) if found.num_rows == count else None


def _line(table: Table, numbers: Sequence[str], words: Sequence[str]):
    cells = [func.coalesce(table.c[name], 0) if table.c[name].nullable else table.c[name] for name in numbers]
    cells += [
        func.coalesce(cast(table.c[name], String), literal(NOTHING)) if table.c[name].nullable else table.c[name]
        for name in words
    ]
    line = cast(cells[0], String)
    for cell in cells[1:]:
        line = line.op("||")(literal(CELL_END)).op("||")(cell)
    return line


def _parsed(parts: list[str], numbers: Sequence[str], words: Sequence[str]) -> pa.Table:
    types = dict.fromkeys(numbers, pa.int64()) | dict.fromkeys(words, pa.dictionary(pa.int32(), pa.string()))
    read = pyarrow.csv.ReadOptions(column_names=[*numbers, *words], block_size=1 << 24)
    parse = pyarrow.csv.ParseOptions(
        delimiter=CELL_END, quote_char=False, escape_char=False, newlines_in_values=False, ignore_empty_lines=False
    )
    convert = pyarrow.csv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False)
    tables = [
        pyarrow.csv.read_csv(
            pa.py_buffer(part.encode()), read_options=read, parse_options=parse, convert_options=convert
        )
        for part in parts
    ]
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _of_arrow(found: pa.Table, numbers: Sequence[str], words: Sequence[str]) -> Columns:
    coded = {}
    for name in words:
        column = found[name].combine_chunks()
        known = [None if word == NOTHING else word for word in column.dictionary.to_pylist()]
        coded[name] = Coded(column.indices.to_numpy(zero_copy_only=False).astype("int64"), known)
    return Columns({name: found[name].to_numpy() for name in numbers}, coded)


class _Codes(dict):
    """Values → 0, 1, 2 … in the order first met."""

    def __missing__(self, value: object) -> int:
        self[value] = code = len(self)
        return code


def _plain(session, table, order, numbers, words, last) -> Columns:
    columns = [table.c[name] for name in (*numbers, *words)]
    codes = {name: _Codes() for name in words}
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*numbers, *words)}
    query = select(*columns).where(table.c[order[0]] <= last).order_by(*(table.c[name] for name in order))
    for rows in batches(session, query):
        for name, values in zip(parts, zip(*rows, strict=True), strict=True):
            if name in codes:
                parts[name].append(np.fromiter(map(codes[name].__getitem__, values), "int64", len(values)))
            else:
                parts[name].append(np.array([value or 0 for value in values], "int64"))
    whole = {name: np.concatenate(found) if found else np.zeros(0, "int64") for name, found in parts.items()}
    spelled = lambda name: [None if word is None else str(word) for word in codes[name]]
    return Columns({name: whole[name] for name in numbers}, {name: Coded(whole[name], spelled(name)) for name in words})
