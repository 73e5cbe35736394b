"""Open data: the published units and pools as csv (UTF-8 with BOM, codes quoted as text) and json, and their schema."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO

from night.published import Picture
from web.exports import harmless

KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json; charset=utf-8"}
Row = dict[str, str | int | None]


@dataclass(frozen=True)
class OpenColumn:
    """One column: its name in files, its label, whether it counts, and whether it may be blank (unknown, never 0)."""

    name: str
    label: str
    counts: bool = False
    blank: bool = False


_PLACE = (OpenColumn("division_code", "区划代码"), OpenColumn("level", "层级"))
_CELL = (OpenColumn("post_type", "编制类型"), OpenColumn("fund_form", "经费形式"))
COLUMNS: dict[str, tuple[OpenColumn, ...]] = {
    "units": (
        OpenColumn("as_of", "数字日期"), OpenColumn("unit_code", "单位编码"), OpenColumn("unit_name", "单位名称"), *_PLACE,
        OpenColumn("unit_kind", "机构类别"), OpenColumn("part_of", "已含在此单位合计中", blank=True), *_CELL,
        OpenColumn("quota", "编制数", counts=True, blank=True), OpenColumn("in_post", "实有人数", counts=True, blank=True),
        OpenColumn("source", "编制数来源"),
    ),
    "pool": (
        *_PLACE, *_CELL, OpenColumn("idle", "闲置", counts=True), OpenColumn("pending", "预占", counts=True),
        OpenColumn("lent", "借出", counts=True),
    ),
}  # fmt: skip


def rows_of(held: Picture, book: str) -> list[Row]:
    """The rows of a file, a dict per cell. Units without a figure have one row with blanks, so that none is lost."""
    return _units(held) if book == "units" else _pool(held)


def _units(held: Picture) -> list[Row]:
    day = held.state.as_of.isoformat() if held.state.as_of else None
    rows: list[Row] = []
    for unit in held.units:
        same: Row = {
            "as_of": day, "unit_code": unit.unit_code, "unit_name": unit.unit_name, "division_code": unit.division_code,
            "level": unit.level, "unit_kind": unit.unit_kind, "part_of": unit.part_of,
        }  # fmt: skip
        cells: list[Row] = [
            {"post_type": cell.post_type, "fund_form": cell.fund_form, "quota": cell.quota, "in_post": cell.in_post,
             "source": cell.source}
            for cell in unit.cells
        ]  # fmt: skip
        none: Row = {"post_type": "", "fund_form": "", "quota": unit.quota, "in_post": unit.in_post, "source": "NIGHT"}
        rows += [{**same, **cell} for cell in cells or [none]]
    return rows


def _pool(held: Picture) -> list[Row]:
    return [{column.name: getattr(pool, column.name) for column in COLUMNS["pool"]} for pool in held.pool]


def open_file(held: Picture, book: str, form: str) -> bytes:
    """The whole file."""
    writers: dict[str, Callable[[Picture, str], bytes]] = {"csv": _csv, "json": _json}
    return writers[form](held, book)


def _csv(held: Picture, book: str) -> bytes:
    text = StringIO(newline="")
    # Everything that is no count is quoted: a reader that minds quotes keeps leading zeros.
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([column.name for column in COLUMNS[book]])
    for row in rows_of(held, book):
        cells = [row[column.name] for column in COLUMNS[book]]
        writer.writerow(["" if cell is None else harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def _json(held: Picture, book: str) -> bytes:
    body = {
        "schema": "/public/data/schema.json",
        "as_of": held.state.as_of.isoformat() if held.state.as_of else None,
        "updated_at": held.state.moved_at.isoformat() if held.state.moved_at else None,
        book: rows_of(held, book),
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode()


def schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of both files; column names are those of the csv, too."""

    def row(book: str) -> dict[str, object]:
        kinds = {
            column.name: {
                "type": ["integer" if column.counts else "string", *(["null"] if column.blank else [])],
                "title": column.label,
            }
            for column in COLUMNS[book]
        }
        return {"type": "object", "properties": kinds, "required": list(kinds), "additionalProperties": False}

    nullable = {"type": ["string", "null"]}
    book = lambda name: {
        "type": "object",
        "required": ["as_of", name],
        "properties": {
            "schema": {"type": "string"}, "as_of": nullable, "updated_at": nullable,
            name: {"type": "array", "items": row(name)},
        },
    }  # fmt: skip
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {name: book(name) for name in COLUMNS}}
