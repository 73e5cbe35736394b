"""Delimited text files → grids: delimiters, quotes, rows of another width (DOMAIN §3, Dirt). Text from the first byte."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv

from expectations.bodies import opens_like_a_note
from expectations.books import Book
from expectations.encodings import Encoded, encoded
from expectations.grids import OUTER_SPACES, TOP_ROWS, Grid, regrouped, rejected, trimmed
from expectations.headers import Header, find_header

DELIMITERS = (",", "\t", ";")
# Where the sniffer looks; a header lies far above.
_SNIFFED_CHARS = 262_144
_CHUNK_ROWS = 20_000
_FAST_BYTES = 1 << 24
# Past so many rows of another width all are read one by one.
_MAX_ODD_ROWS = 5_000


def sniff(book: Book, text: str) -> tuple[str, Header | None]:
    """(delimiter, header): the delimiter under which the header names most columns; without a header the most cells."""
    best: tuple[tuple[int, ...], str, Header | None] | None = None
    for delimiter in DELIMITERS:
        top = _top_rows(text, delimiter)
        header = find_header(book, top)
        score = (*(header.score if header else (0, 0)), max(map(len, top), default=0))
        if best is None or score > best[0]:
            best = (score, delimiter, header)
    assert best is not None
    return best[1], best[2]


def _top_rows(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text[:_SNIFFED_CHARS], newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    # The reading proper names a broken row; the rows before it are enough to find the header.
    with suppress(csv.Error):
        rows.extend(islice(reader, TOP_ROWS))
    return [[cell.strip(OUTER_SPACES) for cell in row] for row in rows]


@dataclass(frozen=True)
class Delimited:
    """A delimited file with its header found; `grids` reads it."""

    source: Encoded
    delimiter: str
    header: Header
    file: str

    def grids(self, rows: int) -> Iterator[Grid]:
        """Its rows in order, at most `rows` at a time; raises InputRejected naming file, row and remedy.

        Rows are counted as a spreadsheet counts them: a quoted line break does not start a row, an empty line is one.
        A shorter row is filled with blanks; a longer one with something in the surplus cells is refused.
        """
        for table in regrouped(self._tables(), rows):
            yield Grid("", [trimmed(column) for column in table.columns])

    def _tables(self) -> Iterator[pa.Table]:
        done = 0
        if not self.source.quoted:
            try:
                for table in _fast(self):
                    done += table.num_rows
                    yield table
                return
            except pa.ArrowInvalid:
                # What is left is read row by row.
                pass
        yield from _careful(self, done)


def open_delimited(path: Path, book: Book, file: str) -> Delimited:
    """A delimited file, looked through once; raises InputRejected naming file, row and remedy."""
    source = encoded(path, file)
    with io.TextIOWrapper(io.BufferedReader(source.stream()), "utf-8", newline="") as text:
        delimiter, header = sniff(book, text.read(_SNIFFED_CHARS))
    if header is None:
        raise rejected(file, no_header(book))
    return Delimited(source, delimiter, header, file)


def no_header(book: Book) -> str:
    """The sentence for a file without a recognisable header."""
    labels = "、".join(column.label for column in book.columns if column.required)
    return f"找不到“{book.label}”的表头；至少要有这些列：{labels}"


def _fast(delimited: Delimited) -> Iterator[pa.Table]:
    """The file by Arrow's parser, where no quote makes it differ from the careful reading.

    Rows of another width come back from it as text and are put in their places by hand. Raises ArrowInvalid where it
    cannot go on, or would have to do too much by hand.
    """
    odd: list[tuple[int, str]] = []
    seen = 0

    def note_odd(row: arrow_csv.InvalidRow) -> str:
        nonlocal seen
        seen += 1
        odd.append((row.number, row.text))
        return "skip" if seen <= _MAX_ODD_ROWS else "error"

    header = delimited.header
    names = [str(place) for place in range(header.width)]
    reader = arrow_csv.open_csv(
        pa.PythonFile(delimited.source.stream(), mode="r"),
        read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=_FAST_BYTES),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimited.delimiter, quote_char=False, ignore_empty_lines=False, invalid_row_handler=note_odd
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False, null_values=[]
        ),
    )
    done = 0
    for batch in reader:
        ready = _rows_within(odd, done, batch.num_rows)
        del odd[: len(ready)]
        yield _spliced(pa.table(batch), ready, done, delimited)
        done += batch.num_rows + len(ready)
    if odd:
        yield _spliced(pa.table({name: pa.array([], pa.large_string()) for name in names}), odd, done, delimited)


def _rows_within(odd: list[tuple[int, str]], done: int, count: int) -> list[tuple[int, str]]:
    """The odd rows (1-based numbers, ascending) that stand before, between or right below the next `count` rows."""
    return [row for already, row in enumerate(odd) if row[0] - 1 - already - done <= count]


def _spliced(table: pa.Table, odd: list[tuple[int, str]], done: int, delimited: Delimited) -> pa.Table:
    """A table with odd rows put in; `done` rows stand above it."""
    parts: list[pa.Table] = []
    upto = 0
    for already, (number, line) in enumerate(odd):
        here = number - 1 - already - done
        row = _fitted(line.rstrip("\r\n").split(delimited.delimiter), delimited, number)
        cells = [pa.array([cell], pa.large_string()) for cell in row]
        parts += [table.slice(upto, here - upto), pa.table(cells, names=table.column_names)]
        upto = here
    return pa.concat_tables([*parts, table.slice(upto)]) if parts else table


def _careful(delimited: Delimited, done: int) -> Iterator[pa.Table]:
    """The rows below the first `done`, one by one: quotes, line breaks in cells, short and long rows."""
    width = delimited.header.width
    names = [str(place) for place in range(width)]
    for first, rows in _records(delimited, done):
        for offset, row in enumerate(rows):
            if len(row) != width:
                rows[offset] = _fitted(row, delimited, first + offset)
        yield pa.table([pa.array(cells, pa.large_string()) for cells in zip(*rows, strict=True)], names=names)


def _fitted(row: list[str], delimited: Delimited, number: int) -> list[str]:
    """A row cut or filled to the header's width.

    Raises InputRejected for a filled cell beyond the header: the row has slipped, and every value after the slip would be
    another column's. Titles and notes may be wider.
    """
    header = delimited.header
    surplus = len(row) > header.width and any(cell.strip(OUTER_SPACES) for cell in row[header.named :])
    if surplus and number > header.end + 1 and not opens_like_a_note(row):
        reason = f"有 {len(row)} 格，多于表头的 {header.width} 格；含分隔符的内容请加双引号"
        raise rejected(delimited.file, reason, row=number)
    return [*row[: header.width], *[""] * (header.width - len(row))]


def _records(delimited: Delimited, done: int) -> Iterator[tuple[int, list[list[str]]]]:
    """(number of the first row, rows), some at a time. An unclosed quote is refused, with the row where it opens."""
    text = io.TextIOWrapper(io.BufferedReader(delimited.source.stream()), "utf-8", newline="")
    reader = csv.reader(text, delimiter=delimited.delimiter, strict=True)
    for _ in islice(reader, done):
        pass
    while True:
        rows: list[list[str]] = []
        try:
            while len(rows) < _CHUNK_ROWS and (row := next(reader, None)) is not None:
                rows.append(row)
        except csv.Error:
            reason = "双引号不成对，或结束的双引号后还有文字；请检查这一行的引号"
            raise rejected(delimited.file, reason, row=done + len(rows) + 1) from None
        if not rows:
            return
        yield done + 1, rows
        done += len(rows)
