"""A list of flags as a file for people: csv, xlsx or json. Nothing in it is a formula: xlsx cells are written as text,
csv cells that a spreadsheet would run get an apostrophe."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import date
from io import BytesIO, StringIO

import xlsxwriter
from flask_babel import gettext as _

from night.held import HeldRow
from night.lists import RUNS
from reconcile.store import FlagItem
from web.words import spelled, word

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
HEADERS = (
    "编号", "规则", "名称", "等级", "状态", "单位编码", "单位名称", "区划", "编制类型", "经费形式", "证件号（掩码）",
    "应为", "实为", "原因", "首次发现", "最近发现",
)  # fmt: skip


def harmless(text: str) -> str:
    """The same text, with an apostrophe before it if a spreadsheet might run it as a formula."""
    return "'" + text if text.lstrip().startswith(RUNS) or text.startswith(RUNS) else text


def flags_file(items: Iterable[FlagItem], form: str) -> bytes:
    """The file's content; csv has a BOM for spreadsheets, ids are text everywhere."""
    if form == "json":
        return json.dumps([_machine(item) for item in items], ensure_ascii=False, indent=1, default=str).encode()
    rows = (_row(item) for item in items)
    return _csv(rows) if form == "csv" else _xlsx(rows)


def _machine(item: FlagItem) -> dict[str, object]:
    row = asdict(item)
    for name in ("explained_by", "evidence"):
        row[name] = json.loads(row[name]) if row[name] else None
    return row


def _row(item: FlagItem) -> list[str | int]:
    return [
        item.key, item.rule, word("rule", item.rule), item.severity, word("status", item.status),
        item.unit_code or "", item.unit_name or "", item.division_code or "",
        word("post_type", item.post_type) if item.post_type else "",
        word("fund_form", item.fund_form) if item.fund_form else "",
        item.person or "", _figure(item.expected, item.rule), _figure(item.found, item.rule),
        word("cause", item.cause) if item.cause else "", _day(item.first_seen), _day(item.last_seen),
    ]  # fmt: skip


def _figure(value: int | str | None, rule: str) -> str | int:
    if isinstance(value, int):
        return value
    return spelled(value, rule) if value else ""


def _day(value: date | None) -> str:
    return value.isoformat() if value else ""


def _csv(rows: Iterable[Sequence[str | int]]) -> bytes:
    return "".join([_line([_(header) for header in HEADERS]), *map(_line, rows)]).encode("utf-8-sig")


def held_lines(rows: Iterable[HeldRow]) -> Iterator[str]:
    """Rows the gate held back, as lines of csv, one by one; the first with a BOM for spreadsheets."""
    headers = [_("区划"), _("名册"), _("文件"), _("行"), _("列"), _("原因")]
    yield "\ufeff" + _line(headers)
    for row in rows:
        words = (word("book", row.book), row.file, row.row, word("field", row.column), word("remedy", row.reason))
        yield _line([row.division_code, *words])


def _line(cells: Sequence[str | int]) -> str:
    text = StringIO(newline="")
    csv.writer(text).writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return text.getvalue()


def _xlsx(rows: Iterable[Sequence[str | int]]) -> bytes:
    data = BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(_("不符项"))
        bold = book.add_format({"bold": True})
        for column, header in enumerate(HEADERS):
            sheet.write_string(0, column, _(header), bold)
        for number, row in enumerate(rows, start=1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                else:
                    sheet.write_number(number, column, cell)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(HEADERS) - 1, 16)
    return data.getvalue()
