"""A delivered sheet as text cells, before anybody knows what its columns mean. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputRejected
from core.identity import SPACES

OUTER_SPACES = "".join(map(chr, SPACES))
# Titles and header rows are looked for in this many rows at the top.
TOP_ROWS = 40


@dataclass
class Grid:
    """One sheet. Cells are text without outer spaces; '' is blank. Row i of every column is row `first_row + i` there.

    sheet      its name; '' where the format has none.
    columns    large_string arrays of one length, left to right.
    numeric    column position → True where the source cell was a number.
    merged     ((row, column), (row, column)) of merged areas, 0-based, both ends included.
    first_row  0 where the format keeps its header apart from the rows (Parquet): the first record is row 1.
    """

    sheet: str
    columns: list[pa.ChunkedArray]
    numeric: dict[int, np.ndarray] = field(default_factory=dict)
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=list)
    first_row: int = 1
    remarks: list[str] = field(default_factory=list)

    @property
    def height(self) -> int:
        return len(self.columns[0]) if self.columns else 0

    def taken(self, positions: np.ndarray) -> Grid:
        """Some of its rows, without what is merged."""
        wanted = pa.array(positions, pa.int64())
        columns = [column.take(wanted) for column in self.columns]
        return Grid(self.sheet, columns, {place: mask[positions] for place, mask in self.numeric.items()})

    def above(self, other: Grid) -> Grid:
        """Its rows, then those of the other."""
        columns = [
            pa.chunked_array([*a.chunks, *b.chunks], a.type) for a, b in zip(self.columns, other.columns, strict=True)
        ]
        numeric = {}
        for place in {*self.numeric, *other.numeric}:
            parts = [grid.numeric.get(place, np.zeros(grid.height, dtype=bool)) for grid in (self, other)]
            numeric[place] = np.concatenate(parts)
        return Grid(self.sheet, columns, numeric, [], self.first_row, self.remarks)

    def rows(self, positions: np.ndarray) -> list[list[str]]:
        """The cells of the rows at these 0-based positions."""
        wanted = pa.array(positions, pa.int64())
        taken = [column.take(wanted).to_pylist() for column in self.columns]
        return [list(row) for row in zip(*taken, strict=True)]

    def top(self) -> list[list[str]]:
        """The first TOP_ROWS rows."""
        return self.rows(np.arange(min(TOP_ROWS, self.height)))


def regrouped(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """The same rows, `rows` at a time; the first time a header may be looked for among them."""
    waiting: list[pa.Table] = []
    count, size = 0, max(rows, TOP_ROWS)
    for table in tables:
        while count + table.num_rows >= size:
            head = size - count
            yield pa.concat_tables([*waiting, table.slice(0, head)])
            waiting, count, size, table = [], 0, rows, table.slice(head)
        waiting.append(table)
        count += table.num_rows
    if count:
        yield pa.concat_tables(waiting)


def text_array(cells: list[str]) -> pa.ChunkedArray:
    """Texts as one Arrow column, outer spaces stripped."""
    return trimmed(pa.chunked_array([pa.array(cells, pa.large_string())]))


def trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Every kind of outer space off every cell."""
    return pc.utf8_trim(column, characters=OUTER_SPACES)


def as_series(column: pa.ChunkedArray) -> pd.Series:
    """An Arrow column as a pandas `str` series, without copying."""
    return pd.Series(pd.StringDtype(na_value=np.nan).__from_arrow__(column))


def mask_of(condition: pa.ChunkedArray) -> np.ndarray:
    """An Arrow boolean column as a numpy one."""
    return np.asarray(condition.to_numpy(zero_copy_only=False), dtype=bool)


def rejected(
    file: str, reason: str, *, row: int | None = None, column: str | None = None, sheet: str = ""
) -> InputRejected:
    """The refusal of a file in one sentence: file, sheet, row, column, reason and remedy; never a cell's content."""
    place = file
    place += f"，工作表“{sheet}”" if sheet else ""
    place += f"，第 {row} 行" if row is not None else ""
    place += f"，“{column}”列" if column else ""
    details = {"file": file, "row": row, "column": column, "sheet": sheet or None}
    return InputRejected(f"{place}：{reason}", **{key: value for key, value in details.items() if value is not None})


def plain_number(value: float) -> str:
    """A number as people see it in a sheet: 12 for 12.0, no exponent, 15 significant digits for fractions.

    Spreadsheets show no more than 15; the rest is the noise of binary fractions (1234.5600000000001).
    """
    if value != value or value in (float("inf"), float("-inf")):
        return ""
    if value == int(value):
        return str(int(value))
    return format(Decimal(format(value, ".15g")), "f")
