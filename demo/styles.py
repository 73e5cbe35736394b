"""How each authority writes its files: format, encoding, headers, titles, totals. The dirt of whole files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from demo.atlas import COUNTED, STREET, Atlas
from expectations.books import BOOKS, Column

XLSX_LIMIT = 60_000  # people; above it spreadsheets would take longer than the city


@dataclass(frozen=True)
class Style:
    """One book of one folder. headers: 'labels' | 'identifiers' | 'pinyin'. codes: words by their code number."""

    format: str = "csv"
    encoding: str = "utf-8"
    headers: str = "labels"
    parts: int = 1
    title: bool = False
    totals: bool = False
    codes: bool = False
    shuffled: bool = False
    strange_column: bool = False
    twice: bool = False
    control: bool = False


def style_of(atlas: Atlas, folder: str, book: str, people: int) -> Style:
    """The habits of a division's offices."""
    place = atlas.folders.index(folder)
    spreadsheet = "xlsx" if people <= XLSX_LIMIT else "csv"
    if folder == STREET:
        return Style(format="parquet" if book == "roster" else "csv", headers="identifiers")
    if folder == COUNTED[0]:
        return Style(format=spreadsheet if book == "units" else "csv", encoding="gb18030", control=True)
    if place == 0:
        return Style(encoding="utf-8-sig", strange_column=book == "roster")
    if place == 1:
        totals = book in ("establishment", "payroll")
        return Style(encoding="gb18030", totals=totals, title=book == "roster", control=True)
    if place == 2:
        tabular = book in ("units", "roster", "payroll", "establishment")
        made = Style(format=spreadsheet if tabular else "csv", title=tabular, control=True)
        return replace(made, parts=2) if book == "roster" else made
    if place == 3:
        made = Style(encoding="utf-16", headers="pinyin", codes=True, shuffled=True, strange_column=True)
        return replace(made, parts=3 if book in ("roster", "payroll") else 1, twice=book == "permits")
    if place == 4:
        return Style(headers="identifiers", shuffled=True)
    return Style(encoding=("utf-8", "gb18030", "utf-8-sig")[place % 3], headers=("labels", "pinyin")[place % 2])


# Columns each book is delivered with; what is missing here the authorities do not keep.
DELIVERED = {
    "roster": (
        "id_type", "person_id", "person_name", "unit_code", "post_type", "fund_form", "status", "seconded_to", "leader_tier",
        "rank", "entry_form", "from_unit", "from_level", "from_fund_form", "waiver_no", "entry_date", "entry_registered",
        "permit_no", "slot_no", "exit_date", "exit_reason", "exit_registered",
    ),
    "payroll": (
        "month", "id_type", "person_id", "person_name", "paying_unit_code", "on_behalf_of", "fund_mode", "person_state",
        "on_establishment", "amount",
    ),
}  # fmt: skip


def delivered_columns(book: str) -> list[Column]:
    names = DELIVERED.get(book) or BOOKS[book].names
    return [BOOKS[book].column(name) for name in names]


def header(book: str, column: Column, style: Style) -> str:
    """The header of a column: its label, its identifier, or the initials clerks use."""
    if style.headers == "identifiers":
        return column.name
    if style.headers == "pinyin":
        return next((alias for alias in column.aliases if alias.isascii()), column.label)
    return column.label
