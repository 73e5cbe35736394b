"""Any delivered file → one text table under the canonical column names of its book (DOMAIN §3).

Text from the first byte: nothing is a number, a date or a missing value before expectations.values says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd

from core.identity import strip_spaces
from expectations.bodies import GRAND_TOTAL
from expectations.books import Book, Column, Kind
from expectations.columnar import read_parquet
from expectations.delimited import no_header, open_delimited
from expectations.grids import Grid, rejected
from expectations.headers import Header
from expectations.tables import SheetReader, TotalRow, is_complete, locate, whole_sum
from expectations.values import parse_count
from expectations.workbooks import read_workbook

SUFFIXES = (".csv", ".xlsx", ".parquet")
# No list of one authority is anywhere near; beyond it the machine, not the file, would answer.
MAX_FILE_BYTES = 2 << 30
CONTROL_NAME = "control.csv"
# So many rows are in memory at once: enough that judging a piece costs more than Great Expectations' own overhead.
PIECE_ROWS = 500_000


@dataclass(frozen=True)
class TextTable:
    """One delivered file of a book, as text.

    frame     one row per record, index 0..n-1: the known columns in file order (dtype str, '' = blank, outer spaces
              stripped, otherwise as delivered), then `row` (int64): 1-based row in its sheet as a spreadsheet counts;
              in Parquet the first record is 1.
    numeric   column → numpy bool array aligned with frame: True where the source cell was a number (xlsx, Parquet).
              Columns without any such cell are absent; see is_numeric.
    missing   required columns whose header is absent. Not empty: the book cannot be judged from this file.
    unknown   headers that name no column of the book, as they may be shown; ignored.
    totals    小计 and 合计 rows, one TotalRow per total column with something stated.
    cutoffs   distinct cut-off dates the file states in titles and notes, earliest first.
    remarks   what was skipped or united, as sentences without any cell's content.
    encoding  of a delimited file, else None.
    sheets    names of the worksheets read ([] for csv and Parquet).
    sheet     numpy object array aligned with frame: the worksheet of a record, '' where one sheet at most was read
              (rows are then unique; with several sheets (sheet, row) is).
    """

    frame: pd.DataFrame
    numeric: dict[str, np.ndarray]
    missing: list[str]
    unknown: list[str]
    totals: list[TotalRow]
    cutoffs: list[date]
    remarks: list[str]
    encoding: str | None = None
    sheets: list[str] = field(default_factory=list)
    sheet: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=object))

    def is_numeric(self, column: str) -> np.ndarray:
        """True per record where the source cell of this column was a number."""
        found = self.numeric.get(column)
        return np.zeros(len(self.frame), dtype=bool) if found is None else found


@dataclass(frozen=True)
class ControlLine:
    """One line of control.csv: what the sender says of one file. `sha256` in lower case."""

    file: str
    rows: int | None
    sha256: str | None


def read_file(path: Path, book: Book, name: str | None = None) -> TextTable:
    """Read one delivered file as a whole. Arguments and errors: as Reading."""
    reading = Reading(path, book, name)
    pieces = list(reading.pieces())
    names = [column for column in reading.names if any(column in piece.frame for piece in pieces)]
    frame = pd.concat([piece.frame for piece in pieces], ignore_index=True)[[*names, "row"]]
    numeric = {}
    for column in names:
        if any(column in piece.numeric for piece in pieces):
            numeric[column] = np.concatenate([piece.is_numeric(column) for piece in pieces])
    frame[names] = frame[names].fillna("")
    return replace(
        reading.result(), frame=frame, numeric=numeric, sheet=np.concatenate([piece.sheet for piece in pieces])
    )


class Reading:
    """One delivered file, read piece by piece, by its extension: .csv, .xlsx or .parquet.

    A piece is a TextTable of some of its records (a worksheet, or so many rows); `result` is whole after the last one.
    """

    def __init__(self, path: Path, book: Book, name: str | None = None, rows: int = PIECE_ROWS) -> None:
        """`name` is what messages call the file (default: its own). `rows`: at most so many rows in a piece.

        Here and in `pieces`: raises InputRejected (message in Chinese naming file, sheet, row, column and remedy where
        they are known, never a cell's content) for a file that is empty, damaged, unsafe, not what its extension says,
        without a header, or with two columns for one name that disagree. A required column without a header is not an
        error here: see TextTable.missing.
        """
        self.book, self.file = book, name or path.name
        self.encoding: str | None = None
        self.passed: list[str] = []
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES:
            raise rejected(self.file, "只接受 .csv、.xlsx 和 .parquet 文件")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise rejected(self.file, f"文件超过 {MAX_FILE_BYTES >> 30} GB；请拆分后再报")
        if suffix == ".xlsx":
            self._sheets = self._workbook(read_workbook(path, self.file))
        elif suffix == ".csv":
            delimited = open_delimited(path, book, self.file)
            self.encoding = delimited.source.encoding
            self._sheets = [self._one_table(delimited.grids(rows))]
        else:
            self._sheets = [self._one_table(read_parquet(path, self.file, rows))]
        self.names = list(dict.fromkeys(name for reader, _ in self._sheets for name in reader.header.columns))

    def _one_table(self, grids: Iterator[Grid]) -> tuple[SheetReader, Iterator[Grid]]:
        first = next(grids)
        header = locate(self.book, first, self.file)
        if header is None:
            raise rejected(self.file, no_header(self.book))
        return SheetReader(self.book, header, self.file, first.sheet, first.first_row), chain([first], grids)

    def _workbook(self, grids: Sequence[Grid]) -> list[tuple[SheetReader, Iterator[Grid]]]:
        """The sheets that hold this book. A sheet with less than half of the required headers is some other list."""
        found = [(grid, header) for grid in grids if (header := locate(self.book, grid, self.file))]
        if not found:
            raise rejected(self.file, no_header(self.book))
        needed = (sum(column.required for column in self.book.columns) + 1) // 2
        chosen = [(grid, header) for grid, header in found if header.score[0] >= needed]
        if not chosen:
            chosen = [max(found, key=lambda pair: pair[1].score)]
        names = {grid.sheet for grid, _ in chosen}
        self.passed = [grid.sheet for grid in grids if grid.sheet not in names]
        return [
            (SheetReader(self.book, header, self.file, grid.sheet, grid.first_row), iter([grid]))
            for grid, header in chosen
        ]

    @property
    def missing(self) -> list[str]:
        """As TextTable.missing."""
        return _missing(self.book, [reader.header for reader, _ in self._sheets])

    def pieces(self) -> Iterator[TextTable]:
        """The records in order, once; at least one piece, which may be empty."""
        several = len(self._sheets) > 1
        for reader, grids in self._sheets:
            label = reader.sheet if several else ""
            for grid, last in with_last(grids):
                frame, numeric = reader.read(grid, last)
                place = np.full(len(frame), label, dtype=object)
                yield TextTable(frame, numeric, [], [], [], [], [], self.encoding, sheet=place)

    def result(self) -> TextTable:
        """What the file says beside its records, once all pieces are read; `frame` is empty."""
        readers = [reader for reader, _ in self._sheets]
        several = len(readers) > 1
        sheets = [reader.sheet for reader in readers if reader.sheet]
        remarks = [
            f"工作表“{reader.sheet}”：{text}" if several else text
            for place, reader in enumerate(readers)
            for text in [*reader.remarks, *(self._passed_remark() if place == 0 else ())]
        ]
        if several:
            remarks.append(f"合并读取的工作表：{'、'.join(sheets)}")
        return TextTable(
            frame=pd.DataFrame(),
            numeric={},
            missing=self.missing,
            unknown=list(dict.fromkeys(_unknown(readers))),
            totals=_file_totals(readers),
            cutoffs=sorted({day for reader in readers for day in reader.cutoffs}),
            remarks=remarks,
            encoding=self.encoding,
            sheets=sheets,
        )

    def _passed_remark(self) -> list[str]:
        return [f"没有“{self.book.label}”表头、未读取的工作表：{'、'.join(self.passed)}"] if self.passed else []


def _unknown(readers: Sequence[SheetReader]) -> Iterator[str]:
    """Headings that name no column; where several sheets were read, one told by its place says on which."""
    for reader in readers:
        for heading in reader.header.unknown:
            yield f"工作表“{reader.sheet}”的{heading}" if len(readers) > 1 and heading[-1] == "）" else heading


def with_last(grids: Iterator[Grid]) -> Iterator[tuple[Grid, bool]]:
    """Each grid, and whether nothing comes after it."""
    before = next(grids)
    for grid in grids:
        yield before, False
        before = grid
    yield before, True


def _missing(book: Book, headers: Sequence[Header]) -> list[str]:
    """Required columns that some sheet lacks, in the book's order."""
    if all(is_complete(book, header) for header in headers):
        return []
    return [
        column.name
        for column in book.columns
        if column.required and any(column.name not in header.columns for header in headers)
    ]


def _file_totals(readers: Sequence[SheetReader]) -> list[TotalRow]:
    """The totals of every sheet, labelled with it. A 合计 that states the sum of the whole file is right by that sum."""
    totals = [total for reader in readers for total in reader.totals.rows()]
    if len(readers) == 1:
        return [replace(total, sheet="") for total in totals]
    whole = {name: whole_sum(name, [reader.totals for reader in readers]) for name in {t.column for t in totals}}
    return [
        replace(total, computed=whole[total.column])
        if total.kind == GRAND_TOTAL and whole[total.column] is not None and total.stated_number == whole[total.column]
        else total
        for total in totals
    ]


_CONTROL = Book(
    "control",
    "控制数",
    "",
    (
        Column("file", Kind.TEXT, "文件名", ("文件", "文件名称", "WJM"), required=True),
        Column("rows", Kind.COUNT, "行数", ("记录数", "记录条数", "条数", "HS", "JLS")),
        Column("sha256", Kind.TEXT, "校验值", ("SHA-256", "哈希值", "校验码", "摘要", "JYZ")),
    ),
)


def read_control(path: Path, name: str = CONTROL_NAME) -> list[ControlLine]:
    """The sender's control totals (`file,rows,sha256`, or the Chinese headers), in any encoding read_file knows.

    `rows` counts records only; blank means not stated. `name` is what messages call it. Raises InputRejected where a line
    cannot be read or two lines name one file.
    """
    if path.suffix.lower() != ".csv":
        raise rejected(name, "只接受 .csv 文件")
    table = read_file(path, _CONTROL, name)
    if "file" in table.missing:
        raise rejected(name, no_header(_CONTROL))
    lines: dict[str, ControlLine] = {}
    for record in table.frame.to_dict("records"):
        line = _control_line(record, name)
        if line.file in lines:
            raise rejected(name, "同一个文件写了两次；请只留一行", row=record["row"], column="文件名")
        lines[line.file] = line
    return list(lines.values())


def _control_line(record: dict, name: str) -> ControlLine:
    row = record["row"]
    file = re.split(r"[/\\]", record["file"])[-1].strip()
    if not file:
        raise rejected(name, "没有写文件名", row=row, column="文件名")
    rows, problem = parse_count(record.get("rows", ""))
    if problem:
        raise rejected(name, "行数不是整数", row=row, column="行数")
    digest = strip_spaces(record.get("sha256", "")).lower() or None
    if digest and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise rejected(name, "校验值须为 64 位十六进制的 SHA-256", row=row, column="校验值")
    return ControlLine(file, rows, digest)
