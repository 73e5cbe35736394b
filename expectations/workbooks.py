"""xlsx → grids, one per sheet: saved values only, no formula or macro ever runs (DOMAIN §3, Dirt)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from python_calamine import CalamineError, CalamineWorkbook, SheetMetadata, SheetTypeEnum, SheetVisibleEnum

from expectations.archives import SheetFacts, cell_place, inspect
from expectations.grids import Grid, plain_number, rejected, text_array
from expectations.shown_words import sheet_shown

# What stands for an Excel error or a formula without a saved result: a blank would pass for "unknown".
BROKEN = "#VALUE!"


def read_workbook(path: Path, file: str) -> list[Grid]:
    """Every worksheet with anything in it, in the order of the workbook.

    Numbers become plain text and are marked in `numeric`; dates become ISO text, booleans TRUE and FALSE, errors and
    formulas without a saved result `#VALUE!`. Raises InputRejected for a file that is unsafe, damaged or protected.
    """
    facts = inspect(path, file)
    try:
        book = CalamineWorkbook.from_path(str(path))
        grids = [
            _grid(book, sheet, sheet_shown(sheet.name, number), facts.get(sheet.name))
            for number, sheet in enumerate(book.sheets_metadata, 1)
            if sheet.typ is SheetTypeEnum.WorkSheet
        ]
    except CalamineError:
        raise rejected(file, "工作簿已损坏，无法读取；请在 Excel 中重新保存再报") from None
    grids = [grid for grid in grids if grid.height]
    if not grids:
        raise rejected(file, "工作簿里没有内容；请重新导出")
    return grids


def _grid(book: CalamineWorkbook, metadata: SheetMetadata, name: str, facts: SheetFacts | None) -> Grid:
    sheet = book.get_sheet_by_name(metadata.name)
    rows = sheet.to_python(skip_empty_area=False)
    for address in facts.broken if facts else ():
        row, column = cell_place(address)
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = BROKEN
    grid = Grid(name, [])
    for place, cells in enumerate(zip(*rows, strict=True)):
        texts, numeric = _texts(cells)
        grid.columns.append(text_array(texts))
        if numeric is not None:
            grid.numeric[place] = numeric
    if grid.columns:
        grid.merged = list(sheet.merged_cell_ranges or ())
    if metadata.visible is not SheetVisibleEnum.Visible:
        grid.remarks.append(f"工作表“{name}”是隐藏的，也已读取")
    return grid


def _texts(cells: Sequence[Any]) -> tuple[list[str], np.ndarray | None]:
    """One column as texts, and where it held numbers (None: nowhere)."""
    kinds = set(map(type, cells))
    if kinds == {str}:
        return list(cells), None
    texts = [cell if type(cell) is str else as_text(cell) for cell in cells]
    if kinds & {int, float}:
        return texts, np.fromiter((type(cell) in (int, float) for cell in cells), dtype=bool, count=len(cells))
    return texts, None


def as_text(cell: Any) -> str:
    """One typed cell as the text people see: 12 for 12.0, ISO dates, TRUE and FALSE."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return plain_number(cell)
    if isinstance(cell, datetime):
        midnight = cell.time() == time(0)
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return "" if cell is None else str(cell)
