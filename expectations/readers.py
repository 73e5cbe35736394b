"""Any delivered file → one text table under the canonical column names of its book (DOMAIN §3).

Text from the first byte: nothing is a number, a date or a missing value before expectations.values says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from core.identity import strip_spaces
from expectations.bodies import GRAND_TOTAL
from expectations.books import Book, Column, Kind
from expectations.columnar import read_parquet
from expectations.delimited import no_header, read_delimited
from expectations.grids import Grid, rejected
from expectations.headers import Header
from expectations.tables import RunningSums, SheetTable, TotalRow, canonical, is_complete, locate, read_table
from expectations.values import parse_count
from expectations.workbooks import read_workbook

SUFFIXES = (".csv", ".xlsx", ".parquet")
# No list of one authority is anywhere near; beyond it the machine, not the file, would answer.
MAX_FILE_BYTES = 2 << 30
CONTROL_NAME = "control.csv"


@dataclass(frozen=True)
class TextTable:
    """One delivered file of a book, as text.

    frame     one row per record, index 0..n-1: the known columns in file order (dtype str, '' = blank, outer spaces
              stripped, otherwise as delivered), then `row` (int64): 1-based row in its sheet as a spreadsheet counts;
              in Parquet the first record is 1.
    numeric   column → numpy bool array aligned with frame: True where the source cell was a number (xlsx, Parquet).
              Columns without any such cell are absent; see is_numeric.
    missing   required columns whose header is absent. Not empty: the book cannot be judged from this file.
    unknown   headers that name no column of the book; ignored.
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
    """Read one delivered file, by its extension: .csv, .xlsx or .parquet.

    `name` is what messages call the file (default: its own). Raises InputRejected (message in Chinese naming file, sheet,
    row, column and remedy where they are known, never a cell's content) for a file that is empty, damaged, unsafe, not
    what its extension says, without a header, or with two columns for one name that disagree. A required column without
    a header is not an error here: see TextTable.missing.
    """
    file = name or path.name
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise rejected(file, "只接受 .csv、.xlsx 和 .parquet 文件")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise rejected(file, f"文件超过 {MAX_FILE_BYTES >> 30} GB；请拆分后再报")
    encoding: str | None = None
    if suffix == ".csv":
        grid, encoding = read_delimited(path.read_bytes(), book, file)
        grids = [grid]
    else:
        grids = read_workbook(path, file) if suffix == ".xlsx" else [read_parquet(path, file)]
    return _unite(book, _read_sheets(book, grids, file), encoding)


def _read_sheets(book: Book, grids: Sequence[Grid], file: str) -> list[SheetTable]:
    """The sheets that hold this book. A sheet with less than half of the required headers is some other list."""
    found = [(grid, header) for grid in grids if (header := locate(book, grid, file))]
    if not found:
        raise rejected(file, no_header(book))
    needed = (sum(column.required for column in book.columns) + 1) // 2
    chosen = [(grid, header) for grid, header in found if header.score[0] >= needed]
    if not chosen:
        chosen = [max(found, key=lambda pair: pair[1].score)]
    tables = [read_table(book, header, grid, file) for grid, header in chosen]
    names = {grid.sheet for grid, _ in chosen}
    passed = [grid.sheet for grid in grids if grid.sheet not in names]
    if passed:
        tables[0].remarks.append(f"没有“{book.label}”表头、未读取的工作表：{'、'.join(passed)}")
    return tables


def _unite(book: Book, tables: list[SheetTable], encoding: str | None) -> TextTable:
    several = len(tables) > 1
    names = list(dict.fromkeys(name for table in tables for name in table.header.columns))
    frame = pd.concat([table.frame for table in tables], ignore_index=True) if several else tables[0].frame
    frame = frame[[*names, "row"]]
    if several:
        frame[names] = frame[names].fillna("")
    sheets = [table.sheet for table in tables if table.sheet]
    labels = [table.sheet if several else "" for table in tables]
    place = np.repeat(np.array(labels, dtype=object), [len(table.frame) for table in tables])
    remarks = [f"工作表“{table.sheet}”：{text}" if several else text for table in tables for text in table.remarks]
    if several:
        remarks.append(f"合并读取的工作表：{'、'.join(sheets)}")
    return TextTable(
        frame=frame,
        numeric=_numeric(tables, names),
        missing=_missing(book, [table.header for table in tables]),
        unknown=list(dict.fromkeys(label for table in tables for label in table.header.unknown)),
        totals=_file_totals(book, tables),
        cutoffs=sorted({day for table in tables for day in table.cutoffs}),
        remarks=remarks,
        encoding=encoding,
        sheets=sheets,
        sheet=place,
    )


def _missing(book: Book, headers: Sequence[Header]) -> list[str]:
    """Required columns that some sheet lacks, in the book's order."""
    if all(is_complete(book, header) for header in headers):
        return []
    return [
        column.name
        for column in book.columns
        if column.required and any(column.name not in header.columns for header in headers)
    ]


def _numeric(tables: Sequence[SheetTable], names: Sequence[str]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name in names:
        if any(name in table.numeric for table in tables):
            parts = [table.numeric.get(name, np.zeros(len(table.frame), dtype=bool)) for table in tables]
            found[name] = np.concatenate(parts)
    return found


def _file_totals(book: Book, tables: Sequence[SheetTable]) -> list[TotalRow]:
    """The totals of every sheet, labelled with it. A 合计 that states the sum of the whole file is right by that sum."""
    if len(tables) == 1:
        return [replace(total, sheet="") for total in tables[0].totals]
    totals = [total for table in tables for total in table.totals]
    whole = {name: _file_sum(book, name, tables) for name in {total.column for total in totals}}
    return [
        replace(total, computed=whole[total.column])
        if total.kind == GRAND_TOTAL and whole[total.column] is not None and total.stated_number == whole[total.column]
        else total
        for total in totals
    ]


def _file_sum(book: Book, name: str, tables: Sequence[SheetTable]) -> str | None:
    """What one column adds up to over all sheets, canonical; None when a value in it is no number."""
    parts = [
        RunningSums(book, name, table.frame).between(0, len(table.frame)) for table in tables if name in table.frame
    ]
    known = [part for part in parts if part is not None]
    return canonical(book.column(name).kind, sum(known)) if len(known) == len(parts) else None


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


def read_control(path: Path) -> list[ControlLine]:
    """The sender's control totals (`file,rows,sha256`, or the Chinese headers), in any encoding read_file knows.

    `rows` counts records only; blank means not stated. Raises InputRejected where a line cannot be read or two lines
    name one file.
    """
    grid, _ = read_delimited(path.read_bytes(), _CONTROL, path.name)
    header = locate(_CONTROL, grid, path.name)
    if header is None or "file" not in header.columns:
        raise rejected(path.name, no_header(_CONTROL))
    table = read_table(_CONTROL, header, grid, path.name).frame
    lines: dict[str, ControlLine] = {}
    for record in table.to_dict("records"):
        line = _control_line(record, path.name)
        if line.file in lines:
            raise rejected(path.name, "同一个文件写了两次；请只留一行", row=record["row"], column="文件名")
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
