"""One night of the stage as rows per book and folder: what is delivered, and what the gate must make of it.

Marks on a row, none of which is delivered: `_bad` (the column that shuts it out), `_raw` (texts as delivered),
`_copy` (an exact duplicate of an earlier row), `_even` (written in no odd spelling: a duplicate must stay one).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from demo.atlas import CITY, Cell, Unit
from demo.divisions import base_rows, division_figures, folder_of_years, limit_rows, year_ago_rows
from demo.stage import COPIES, Row, Stage

BOOKS = ("units", "establishment", "roster", "payroll", "headcount", "permits", "leads", "base", "limits")
TIER_COLUMNS = {
    "CHIEF": "leaders_chief", "DEPUTY": "leaders_deputy", "INNER_CHIEF": "leaders_inner_chief",
    "INNER_DEPUTY": "leaders_inner_deputy",
}  # fmt: skip
COPIED_EVERY = 50


@dataclass
class NightBooks:
    """rows[book][folder]: every record delivered, in file order. missing and refused are (folder, book)."""

    as_of: date
    rows: dict[str, dict[str, list[Row]]]
    missing: set[tuple[str, str]] = field(default_factory=set)
    refused: set[tuple[str, str]] = field(default_factory=set)
    totals: list[Row] = field(default_factory=list)
    cutoffs: list[Row] = field(default_factory=list)

    def accepted_rows(self, book: str) -> list[Row]:
        """What every rule reads: no refused book, no quarantined row, no duplicate."""
        return [
            row
            for folder, rows in sorted(self.rows[book].items())
            if (folder, book) not in self.refused
            for row in rows
            if "_bad" not in row and "_copy" not in row
        ]


def assemble(stage: Stage, k: int) -> NightBooks:
    """All records of night k. Sets the month of shared payroll rows: one night at a time."""
    rows: dict[str, dict[str, list[Row]]] = {book: defaultdict(list) for book in BOOKS}
    for book, lines in stage.rows.items():
        target = rows[book]
        for mask, row in lines:
            if mask >> k & 1:
                target[row["delivered_by"]].append(row)
    for folder_rows in rows["payroll"].values():
        for row in folder_rows:
            row["month"] = stage.months[k]
    for row in _unit_rows(stage, k):
        rows["units"][row["delivered_by"]].append(row)
    for row in _quota_rows(stage, k):
        rows["establishment"][row["delivered_by"]].append(row)
    for first, row in stage.histories.permit_rows():
        if first <= k:
            rows["permits"][row["delivered_by"]].append(row)
    for row in stage.elder_rows:
        past = stage.registry.past(row["person_key"], row["post_type"], row.get("rank"), stage.nights[k])
        row["age"], row["statutory_age"] = past or (None, None)
    for book in ("roster", "payroll"):
        for folder_rows in rows[book].values():
            folder_rows.sort(key=_place)
    figures = division_figures(stage, k, rows)
    rows["base"][CITY] = base_rows(stage, k, figures)
    rows["limits"][CITY] = limit_rows(stage, k, figures)
    _last_month_rows(stage, k, rows)
    rows["payroll"][folder_of_years(stage)] += year_ago_rows(stage, k, rows)
    _copies(stage, rows)
    night = NightBooks(stage.nights[k], rows)
    for place, why in stage.red.get(k, {}).items():
        (night.missing if why == "MISSING" else night.refused).add(place)
    for folder, book in night.missing:
        rows[book].pop(folder)
    return night


def _place(row: Row) -> str:
    return row.get("unit_code") or row.get("on_behalf_of") or row["paying_unit_code"]


def _unit_rows(stage: Stage, k: int) -> list[Row]:
    rows = []
    for n, unit in enumerate(stage.atlas.every_unit, start=1):
        row = _unit_row(unit, n)
        changes = [change for mask, change in stage.unit_set.get(unit.code, ()) if mask >> k & 1]
        if any(change is None for change in changes):
            continue
        for change in changes:
            row |= change
        rows.append(row)
        for mask, change in stage.second_unit_row.get(unit.code, ()):
            if mask >> k & 1:
                rows.append(row | change)
    return rows


def _unit_row(unit: Unit, n: int) -> Row:
    row = {
        "unit_code": unit.code, "unit_name": unit.name, "aliases": f"{unit.name[-4:]};{unit.trade}",
        "supervising_code": unit.supervising, "parent_code": unit.parent, "division_code": unit.division,
        "level": unit.level, "unit_kind": unit.kind, "approval_doc": f"云编〔2010〕{n}号", "valid_from": date(2010, 3, 1),
        "org_rank": "正处级" if unit.level == "CITY" else "正科级", "delivered_by": unit.folder,
    }  # fmt: skip
    if unit.heads:
        row["fund_form"] = unit.first_cell[1]
    return row


def _quota_rows(stage: Stage, k: int) -> list[Row]:
    rows: list[Row] = []
    for n, unit in enumerate(stage.atlas.units, start=1):
        for cell in stage.cells(unit):
            quota = stage.quota(unit, cell, k)
            for copy in COPIES:
                rows += _copy_rows(stage, k, unit, cell, copy, quota, n)
    return rows


def _copy_rows(stage: Stage, k: int, unit: Unit, cell: Cell, copy: str, quota: int, n: int) -> list[Row]:
    changed = stage.copy_set.get((unit.code, cell, copy), {})
    number = changed.get(k, quota)
    if number is None:
        return []
    row = {
        "unit_code": unit.code, "post_type": cell[0], "fund_form": cell[1], "quota": number, "copy": copy,
        "doc_no": f"云编〔2019〕{n}号", "doc_date": date(2019, 5, 20), "delivered_by": unit.folder,
    }  # fmt: skip
    if cell == unit.first_cell:
        row |= {column: stage.leaders[unit.code].get(tier, 0) for tier, column in TIER_COLUMNS.items()}
    if copy == "LEDGER" and stage.doc_twice.get((unit.code, cell), 0) >> k & 1:
        return [row | {"_bad": "doc_no"}, row | {"_bad": "doc_no", "quota": number + 1}]
    if n % 3 == 0 and number > 4 and not changed:
        # Two documents of one cell: their quotas add up, and nobody's leaders count twice.
        later = {**row, "quota": 2, "doc_no": f"云编〔2023〕{n}号", "doc_date": date(2023, 8, 1)}
        later |= {column: None for column in TIER_COLUMNS.values() if column in row}
        return [row | {"quota": number - 2}, later]
    return [row]


def _last_month_rows(stage: Stage, k: int, rows: dict[str, dict[str, list[Row]]]) -> None:
    """One division's payroll goes back a month: rows outside M that no rule here may read as pay of M."""
    folder = stage.atlas.folders[3]
    month = (stage.firsts[k] - timedelta(days=1)).strftime("%Y-%m")
    book = rows["payroll"][folder]
    book += [row | {"month": month} for row in book[::20] if "_bad" not in row and row["person_key"]]


def _copies(stage: Stage, rows: dict[str, dict[str, list[Row]]]) -> None:
    """Exact duplicates: within one division's books, and one pension both the city and a county deliver."""
    folders = stage.atlas.folders
    for book in ("roster", "payroll", "headcount"):
        mine = rows[book].get(folders[3], [])
        doubled = []
        for n, row in enumerate(mine):
            if n % COPIED_EVERY == 7 and "_bad" not in row and row.get("person_key", "-"):
                doubled += [row | {"_even": True}, row | {"_even": True, "_copy": True}]
            else:
                doubled.append(row)
        mine[:] = doubled
    county = rows["payroll"][folders[1]]
    shared = {unit.code for unit in stage.shared_units}
    for n, row in enumerate(county):
        if row["person_state"] == "RETIRED" and "_bad" not in row and _place(row) in shared:
            rows["payroll"][CITY].append(row | {"delivered_by": CITY, "_even": True})
            county[n] = row | {"_even": True, "_copy": True}
            return


def quarantine_rows(night: NightBooks) -> list[Row]:
    """The quarantine as rules see it. A shut-out unit code is what was delivered, never what it may have been."""
    found = []
    for book, folders in night.rows.items():
        for folder, rows in sorted(folders.items()):
            if (folder, book) in night.refused:
                continue
            for row in rows:
                if "_bad" in row:
                    found.append(_quarantined(book, folder, row))
    return found


def _quarantined(book: str, folder: str, row: Row) -> Row:
    raw = row.get("_raw", {})
    if book == "payroll":
        unit = row.get("on_behalf_of") or raw.get("paying_unit_code") or row["paying_unit_code"]
    else:
        unit = row.get("unit_code")
    place = {"book": book, "division_code": folder, "unit_code": unit, "column": row["_bad"]}
    return place | {"post_type": row.get("post_type"), "fund_form": row.get("fund_form")}
