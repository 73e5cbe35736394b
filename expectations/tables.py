"""One sheet → records under their canonical column names, and the totals it states. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from expectations.bodies import GRAND_TOTAL, SUBTOTAL, Body, BodyReader
from expectations.books import Book, Column, Kind, fold
from expectations.cutoffs import cutoffs
from expectations.grids import Grid, as_series, mask_of, rejected
from expectations.headers import Header, find_header, other_money_unit
from expectations.shown_words import heading_or_letter
from expectations.values import is_blank_mark, parse_column, parse_count, parse_money

# A value merged over several rows holds for each of them; a figure merged over several rows is one figure.
_NOT_SPREAD = (Kind.COUNT, Kind.MONEY)


@dataclass(frozen=True)
class TotalRow:
    """What a 小计 or 合计 row states for one column, beside what the records add up to.

    row       1-based in its sheet; `sheet` '' where the file has one table.
    kind      '小计' (records since the previous total row of the sheet) or '合计' (all records; 累计: all so far).
    stated    the raw text.
    computed  canonical decimal ("12", "1234.5"; money in yuan), None when a value in it cannot be read as a number.
    stated_number  `stated` in the same spelling, None when it is no number.
    """

    row: int
    kind: str
    column: str
    stated: str | None
    computed: str | None
    stated_number: str | None = None
    sheet: str = ""


def is_complete(book: Book, header: Header) -> bool:
    """True when the header names every required column."""
    return all(column.name in header.columns for column in book.columns if column.required)


def locate(book: Book, grid: Grid, file: str) -> Header | None:
    """The header of a sheet, or None. Raises InputRejected where its money is not in yuan."""
    top = grid.top()
    header = find_header(book, top)
    if header is not None and (label := other_money_unit(book, header, top)):
        raise rejected(file, "金额须以元为单位，请换算后重报", column=label, sheet=grid.sheet)
    return header


class SheetReader:
    """One sheet, read in one piece or in several: together they give what the whole sheet would give at once.

    `totals`, `cutoffs` and `remarks` are whole once the last piece has been read.
    """

    def __init__(self, book: Book, header: Header, file: str, sheet: str, first_row: int) -> None:
        self.book, self.header, self.file, self.sheet, self.first_row = book, header, file, sheet, first_row
        self.totals = Totals(book, header, sheet, first_row)
        self._body: BodyReader | None = None
        self._left: Grid | None = None
        self._numbers = np.empty(0, dtype=np.int64)
        self._current = self._numbers
        self._rows = 0
        self._days = set(cutoffs([sheet]))
        self._remarks: list[str] = []

    @property
    def cutoffs(self) -> list[date]:
        return sorted(self._days)

    @property
    def remarks(self) -> list[str]:
        return [*self._remarks, *(self._body.remarks if self._body else ())]

    def read(self, grid: Grid, last: bool) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        """(frame with `row`, numeric) of the records of the next piece. The first one holds the header.

        Raises InputRejected where two columns of one name disagree.
        """
        numbers = np.concatenate([self._numbers, np.arange(self._rows, self._rows + grid.height)])
        self._rows += grid.height
        first = 0
        if self._body is None:
            first = self.header.end + 1
            titles = grid.rows(np.arange(min(first, grid.height)))
            self._body = BodyReader(self.book, self.header, titles)
            self._days |= set(cutoffs("　".join(filter(None, row)) for row in titles[: self.header.start]))
            self._remarks += grid.remarks
        whole = grid if self._left is None else self._left.above(grid)
        self._current = numbers
        body = self._body.read(whole, first, last)
        self._days |= set(cutoffs(body.texts))
        self._left, self._numbers = whole.taken(body.left) if len(body.left) else None, numbers[body.left]
        frame, numeric = self._records(whole, body)
        frame["row"] = numbers[body.records] + self.first_row
        self.totals.add(frame, body, whole, numbers)
        return frame, numeric

    def row_of(self, position: int) -> int:
        """The row, as a spreadsheet counts, of a position in the piece being read."""
        return int(self._current[position]) + self.first_row

    def _records(self, grid: Grid, body: Body) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
        data: dict[str, pd.Series] = {}
        numeric: dict[str, np.ndarray] = {}
        # A slice costs nothing, and records mostly lie in one piece.
        start, count = (int(body.records[0]), len(body.records)) if len(body.records) else (0, 0)
        together = count == 0 or int(body.records[-1]) == start + count - 1
        taken = None if together else pa.array(body.records, pa.int64())
        for name, places in self.header.columns.items():
            column, mask = _united(self.book, name, places, grid, body, self)
            data[name] = as_series(column.slice(start, count) if taken is None else column.take(taken))
            if mask is not None and (chosen := mask[body.records]).any():
                numeric[name] = chosen
        return pd.DataFrame(data), numeric


def _united(
    book: Book, name: str, places: Sequence[int], grid: Grid, body: Body, reader: SheetReader
) -> tuple[pa.ChunkedArray, np.ndarray | None]:
    """The cells of one known column, from as many positions as carry it: the first filled one of each row."""
    header = reader.header
    merged = () if book.column(name).kind in _NOT_SPREAD else grid.merged
    column, mask = _spread(grid, places[0], merged, header.end)
    for place in places[1:]:
        other, other_mask = _spread(grid, place, merged, header.end)
        differ = mask_of(
            pc.and_(pc.and_(pc.not_equal(column, ""), pc.not_equal(other, "")), pc.not_equal(column, other))
        )
        for position in np.intersect1d(np.flatnonzero(differ), body.records):
            if fold(column[position].as_py()) != fold(other[position].as_py()):
                label, first = (heading_or_letter(header.labels[at], at) for at in (place, places[0]))
                reason = f"与“{first}”列都表示“{book.column(name).label}”，内容却不同；请只留一列"
                row = reader.row_of(int(position))
                raise rejected(reader.file, reason, row=row, column=label, sheet=reader.sheet)
        empty = mask_of(pc.equal(column, ""))
        column = pc.if_else(pc.equal(column, ""), other, column)
        if mask is not None or other_mask is not None:
            zero = np.zeros(len(empty), dtype=bool)
            mask = np.where(empty, zero if other_mask is None else other_mask, zero if mask is None else mask)
    return column, mask


def _spread(
    grid: Grid, place: int, merged: Sequence[tuple[tuple[int, int], tuple[int, int]]], end: int
) -> tuple[pa.ChunkedArray, np.ndarray | None]:
    """One column with cells merged downwards filled, below the header only."""
    column, mask = grid.columns[place], grid.numeric.get(place)
    areas = [(top, low) for (top, left), (low, right) in merged if left == place == right and end < top < low]
    if not areas:
        return column, mask
    source = np.arange(len(column))
    for top, low in areas:
        source[top : low + 1] = top
    return column.take(pa.array(source)), None if mask is None else mask[source]


def canonical(kind: Kind, value: int) -> str:
    """A whole number, or integer cents as yuan, in the one spelling of totals: "12", "1234.5"."""
    if kind is Kind.MONEY:
        return format(Decimal(value).scaleb(-2).normalize() + 0, "f")
    return str(value)


def _stated_number(kind: Kind, text: str) -> str | None:
    value, _ = parse_money(text) if kind is Kind.MONEY else parse_count(text)
    return None if value is None else canonical(kind, value)


@dataclass
class _Sum:
    """The sum of one total column so far, and how many values in it are no numbers: exact, of any size."""

    value: int = 0
    bad: int = 0

    def since(self, before: _Sum) -> int | None:
        return None if self.bad > before.bad else self.value - before.value


class Totals:
    """What the total rows of a sheet state, beside the sums of its records, piece by piece."""

    def __init__(self, book: Book, header: Header, sheet: str, first_row: int) -> None:
        self.book, self.header, self.sheet, self.first_row = book, header, sheet, first_row
        self.sums = {name: _Sum() for name in book.total_columns if name in header.columns}
        self._previous = {name: _Sum() for name in self.sums}
        # The place of each 合计 among those found: it states the sum of all records, those below it too.
        self._grand: list[int] = []
        self._found: list[TotalRow] = []

    def add(self, frame: pd.DataFrame, body: Body, grid: Grid, numbers: np.ndarray) -> None:
        """The records and total rows of the next piece. numbers: the 0-based row in the sheet of each of the grid's."""
        cells = grid.rows(np.array([position for position, _ in body.totals], dtype=np.int64))
        stops = [int(np.searchsorted(body.records, position)) for position, _ in body.totals]
        for name in self.sums:
            column = self.book.column(name)
            parsed = parse_column(frame[name], column)
            values, bad = parsed.value.fillna(0).tolist(), parsed.problem.notna().to_numpy()
            done = 0
            for (position, kind), row, stop in zip(body.totals, cells, stops, strict=True):
                self._count(name, values[done:stop], bad[done:stop])
                self._state(column, kind, row, int(numbers[position]) + self.first_row)
                done = stop
            self._count(name, values[done:], bad[done:])

    def _count(self, name: str, values: list[int], bad: np.ndarray) -> None:
        # Plain integers: a million of the largest amounts would not fit into 64 bits.
        now = self.sums[name]
        self.sums[name] = _Sum(now.value + sum(values), now.bad + int(np.count_nonzero(bad)))

    def _state(self, column: Column, kind: str, row: Sequence[str], number: int) -> None:
        name = column.name
        before = self._previous[name] if kind == SUBTOTAL else _Sum()
        self._previous[name] = self.sums[name]
        stated = next((row[place] for place in self.header.columns[name] if row[place]), "")
        if not stated or is_blank_mark(stated):
            return
        if kind == GRAND_TOTAL:
            self._grand.append(len(self._found))
        value = self.sums[name].since(before)
        computed = None if value is None else canonical(column.kind, value)
        shown = SUBTOTAL if kind == SUBTOTAL else GRAND_TOTAL
        found = TotalRow(number, shown, name, stated, computed, _stated_number(column.kind, stated), self.sheet)
        self._found.append(found)

    def whole(self, name: str) -> str | None:
        """What a column adds up to over all records, canonical; None when a value in it is no number."""
        value = self.sums[name].since(_Sum())
        return None if value is None else canonical(self.book.column(name).kind, value)

    def rows(self) -> list[TotalRow]:
        """Every total found, by row, once the sheet is read."""
        for place in self._grand:
            total = self._found[place]
            self._found[place] = replace(total, computed=self.whole(total.column))
        order = list(self.sums)
        return sorted(self._found, key=lambda total: (total.row, order.index(total.column)))


def whole_sum(name: str, sheets: Sequence[Totals]) -> str | None:
    """What one column adds up to over some sheets, canonical; None when a value in it is no number."""
    here = [totals for totals in sheets if name in totals.sums]
    if any(totals.sums[name].bad for totals in here):
        return None
    return canonical(here[0].book.column(name).kind, sum(totals.sums[name].value for totals in here))
