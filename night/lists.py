"""The lists machines read: flags and not-evaluable rows of a night, in the shapes of the contract (docs/lists.md)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import xlsxwriter
from sqlalchemy.orm import Session

from core.errors import InputRejected, NotFound
from reconcile.catalog import RULES
from reconcile.models import NightRun
from reconcile.store import FlagFilter, FlagItem, night_flags, night_run, not_evaluable

COLUMNS = (
    "key", "rule", "severity", "status", "unit_code", "post_type", "fund_form", "person", "expected", "found", "cause",
    "explained_by", "first_seen", "last_seen", "division_code", "grain",
)  # fmt: skip
# Text that begins so is a formula to a spreadsheet.
RUNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def the_night(session: Session, as_of: date) -> NightRun:
    """The run of a night that counts. Errors: NotFound names the command that makes it."""
    run = night_run(session, as_of)
    if run is None:
        raise NotFound(f"{as_of} has no settled night; run: bianzhi night --inbox … --as-of {as_of}")
    return run


def flag_rows(session: Session, as_of: date, rules: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Flags with a finding that night and their state now, one dict each with COLUMNS, in a fixed order.

    expected and found are numbers where the rule counts, else text; person is the masked id; grain is a dict.
    Errors: InputRejected for an unknown rule; NotFound for a night that has not settled.
    """
    unknown = [rule for rule in rules if rule not in RULES]
    if unknown:
        raise InputRejected(f"no rule {', '.join(unknown)}; there are {', '.join(RULES)}")
    run = the_night(session, as_of)
    return [_row(item) for item in night_flags(session, run, None, FlagFilter(rules=list(rules)), "rule", None)]


def _row(item: FlagItem) -> dict[str, Any]:
    row = {name: getattr(item, name) for name in COLUMNS}
    row["explained_by"] = json.loads(item.explained_by) if item.explained_by else None
    for name in ("first_seen", "last_seen"):
        row[name] = row[name].isoformat() if row[name] else None
    return row


def not_evaluable_rows(session: Session, as_of: date) -> list[dict[str, str]]:
    """rule, division_code, unit_code (or *), book: what could not be judged that night."""
    rows = not_evaluable(session, the_night(session, as_of).id)
    return [
        {"rule": row.rule, "division_code": row.division_code, "unit_code": row.unit_code, "book": row.book}
        for row in rows
    ]


def export_flags(rows: Iterable[dict[str, Any]], form: str, out: Path | None, standard: BinaryIO) -> None:
    """Write flag rows as json, csv (UTF-8 with BOM) or xlsx, to a file or standard output."""
    if form == "xlsx" and out is None:
        raise InputRejected("xlsx needs a file: --out flags.xlsx")
    content = {"json": _json, "csv": _csv, "xlsx": _xlsx}[form](list(rows))
    if out is not None:
        out.write_bytes(content)
    else:
        standard.write(content)


def _json(rows: list[dict[str, Any]]) -> bytes:
    return (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode()


def _flat(row: dict[str, Any]) -> list[Any]:
    values = (row[name] for name in COLUMNS)
    return [json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else v for v in values]


def _csv(rows: list[dict[str, Any]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([f"'{v}" if isinstance(v, str) and v.lstrip().startswith(RUNS) else v for v in _flat(row)])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _xlsx(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("不符项")
    sheet.write_row(0, 0, COLUMNS, book.add_format({"bold": True}))
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(_flat(row)):
            write = sheet.write_number if isinstance(value, int | float) else sheet.write_string
            write(number, column, "" if value is None else value)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), len(COLUMNS) - 1)
    book.close()
    return buffer.getvalue()
