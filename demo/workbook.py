"""Spreadsheets as offices make them: a title, two header rows with merged groups, notes under the table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import xlsxwriter

from demo.stage import Row
from demo.writing import NUMBERS, Task, header, stamp, title_of
from expectations.books import Column, Kind

GROUPS = {
    Kind.ID: "人员", Kind.NAME: "人员", Kind.CODE: "编码", Kind.DATE: "时间", Kind.WORD: "类别", Kind.COUNT: "数字",
    Kind.MONEY: "数字", Kind.TEXT: "文字", Kind.MONTH: "时间", Kind.SECRET: "其他",
}  # fmt: skip


def write_workbook(
    path: Path, task: Task, columns: Sequence[Column], rows: Sequence[Row], records: Iterable[list[str]]
) -> None:
    """One sheet. Counts and money are numbers, all else is text; damaged ids are numbers where the row says so."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": False, "strings_to_numbers": False})
    book.set_properties({"created": stamp(task.as_of).replace(tzinfo=None)})
    sheet = book.add_worksheet("Sheet1")
    top = 0
    if task.style.title:
        sheet.merge_range(0, 0, 0, len(columns) - 1, title_of(task))
        _write_groups(sheet, columns)
        top = 2
    for place, column in enumerate(columns):
        sheet.write_string(top, place, header(task.book, column, task.style))
    line = top
    for line, (row, record) in enumerate(zip(rows, records, strict=True), start=top + 1):
        for place, (column, text) in enumerate(zip(columns, record, strict=True)):
            if not text:
                continue
            value = row.get(column.name)
            if column.kind in NUMBERS and value is not None and not (row.get("_raw") or {}).get(column.name):
                sheet.write_number(line, place, value / 100 if column.kind is Kind.MONEY else value)
            elif row.get("_number_cell") == column.name:
                sheet.write_number(line, place, float(row["person_key"][:17] + "0"))
            else:
                sheet.write_string(line, place, text)
    if task.style.title:
        sheet.write_string(line + 2, 0, "注：本表由各单位填报，人员均为虚构。")
        sheet.write_string(line + 3, 0, "填表人：甲　审核人：乙")
    book.close()


def _write_groups(sheet, columns: Sequence[Column]) -> None:
    start = 0
    for place in range(1, len(columns) + 1):
        label = GROUPS[columns[start].kind]
        if place == len(columns) or GROUPS[columns[place].kind] != label:
            if place - start > 1:
                sheet.merge_range(1, start, 1, place - 1, label)
            else:
                sheet.write_string(1, start, label)
            start = place
