"""One sheet → records under their canonical column names, and the totals it states. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import accumulate

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from expectations.bodies import GRAND_TOTAL, RUNNING_TOTAL, SUBTOTAL, Body, read_body
from expectations.books import Book, Kind, fold
from expectations.cutoffs import cutoffs
from expectations.grids import Grid, as_series, mask_of, rejected
from expectations.headers import Header, find_header, other_money_unit
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


@dataclass
class SheetTable:
    """One sheet read: `frame`, `numeric`, `totals` and `cutoffs` as in TextTable."""

    sheet: str
    header: Header
    frame: pd.DataFrame
    numeric: dict[str, np.ndarray]
    totals: list[TotalRow]
    cutoffs: list[date]
    remarks: list[str] = field(default_factory=list)


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


def read_table(book: Book, header: Header, grid: Grid, file: str) -> SheetTable:
    """The records of one sheet. Raises InputRejected where two columns of one name disagree."""
    body = read_body(book, header, grid)
    data: dict[str, pd.Series] = {}
    numeric: dict[str, np.ndarray] = {}
    taken = pa.array(body.records, pa.int64())
    for name, places in header.columns.items():
        column, mask = _united(book, name, places, grid, body, file, header)
        data[name] = as_series(column.take(taken))
        if mask is not None and (chosen := mask[body.records]).any():
            numeric[name] = chosen
    frame = pd.DataFrame(data)
    frame["row"] = body.records + grid.first_row
    remarks = [*grid.remarks, *body.remarks]
    totals = _totals(book, header, grid, body, frame)
    return SheetTable(grid.sheet, header, frame, numeric, totals, cutoffs([grid.sheet, *body.texts]), remarks)


def _united(
    book: Book, name: str, places: Sequence[int], grid: Grid, body: Body, file: str, header: Header
) -> tuple[pa.ChunkedArray, np.ndarray | None]:
    """The cells of one known column, from as many positions as carry it: the first filled one of each row."""
    merged = () if book.column(name).kind in _NOT_SPREAD else grid.merged
    column, mask = _spread(grid, places[0], merged, header.end)
    for place in places[1:]:
        other, other_mask = _spread(grid, place, merged, header.end)
        differ = mask_of(
            pc.and_(pc.and_(pc.not_equal(column, ""), pc.not_equal(other, "")), pc.not_equal(column, other))
        )
        for position in np.intersect1d(np.flatnonzero(differ), body.records):
            if fold(column[position].as_py()) != fold(other[position].as_py()):
                label = header.labels[place]
                reason = f"与“{header.labels[places[0]]}”列都表示“{book.column(name).label}”，内容却不同；请只留一列"
                raise rejected(file, reason, row=int(position) + grid.first_row, column=label, sheet=grid.sheet)
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


class RunningSums:
    """Running sums of one total column over the records: exact, and None over any value that is no number."""

    def __init__(self, book: Book, name: str, frame: pd.DataFrame) -> None:
        self.column = book.column(name)
        parsed = parse_column(frame[name], self.column)
        # Plain integers: a million of the largest amounts would not fit into 64 bits.
        self.sums = [0, *accumulate(parsed.value.fillna(0).tolist())]
        self.bad = [0, *accumulate(parsed.problem.notna().tolist())]

    def between(self, start: int, stop: int) -> int | None:
        return None if self.bad[stop] > self.bad[start] else self.sums[stop] - self.sums[start]


def _totals(book: Book, header: Header, grid: Grid, body: Body, frame: pd.DataFrame) -> list[TotalRow]:
    if not body.totals:
        return []
    names = [name for name in book.total_columns if name in header.columns]
    sums = {name: RunningSums(book, name, frame) for name in names}
    count = len(frame)
    found: list[TotalRow] = []
    previous = 0
    cells = grid.rows(np.array([position for position, _ in body.totals], dtype=np.int64))
    for (position, kind), row in zip(body.totals, cells, strict=True):
        here = int(np.searchsorted(body.records, position))
        start, stop = {SUBTOTAL: (previous, here), GRAND_TOTAL: (0, count), RUNNING_TOTAL: (0, here)}[kind]
        previous = here
        for name in names:
            stated = next((row[place] for place in header.columns[name] if row[place]), "")
            if not stated or is_blank_mark(stated):
                continue
            column = sums[name].column
            value = sums[name].between(start, stop)
            computed = None if value is None else canonical(column.kind, value)
            shown = SUBTOTAL if kind == SUBTOTAL else GRAND_TOTAL
            number = _stated_number(column.kind, stated)
            found.append(TotalRow(position + grid.first_row, shown, name, stated, computed, number, grid.sheet))
    return found
