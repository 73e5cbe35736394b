"""What whole divisions may have: base and limits as the city issues them, exactly at the limit unless planted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from demo.atlas import CITY, STREET
from demo.histories import CONTROL
from demo.stage import FUNDED, Row, Stage

TYPES_WITH_BASE = ("ADMIN", "POLITICAL_LEGAL", "CIVIL_SERVICE_REF", "INSTITUTION", "SUPPORT")
FULL_PAY = 600_000  # who earns so much is nobody whose payments a plant takes back
Books = dict[str, dict[str, list[Row]]]


@dataclass
class Figures:
    """Of tonight's good rows: finance-paid people per division, units per (division, kind), division of a unit."""

    paid: Counter[str]
    units: Counter[tuple[str, str]]
    division: dict[str, str]


def division_figures(stage: Stage, k: int, rows: Books) -> Figures:
    """Counted from the rows of M alone, before those of other months are added."""
    units: Counter[tuple[str, str]] = Counter()
    division = {}
    for row in _good(rows["units"]):
        division[row["unit_code"]] = row["division_code"]
        valid = row.get("valid_to") is None or row["valid_to"] >= stage.nights[k]
        units[row["division_code"], row["unit_kind"]] += valid
    types: dict[str, bool] = {}
    for row in _good(rows["roster"]):
        if row["person_key"]:
            key = row["person_key"]
            types[key] = types.get(key, True) and row["post_type"] == CONTROL
    amounts: Counter[str] = Counter()
    at: set[tuple[str, object]] = set()
    for n, row in enumerate(_good(rows["payroll"])):
        if row["person_state"] != "IN_SERVICE" or row["on_establishment"] != "YES":
            continue
        who = row["person_key"] or n
        amounts[who] += row["amount"]
        if row["fund_mode"] in FUNDED:
            at.add((payer_of(row), who))
    paid = Counter(
        division[payer] for payer, who in at if payer in division and amounts[who] > 0 and not types.get(who, False)
    )
    return Figures(paid, units, division)


def _good(folders: dict[str, list[Row]]):
    return (row for _, rows in sorted(folders.items()) for row in rows if "_bad" not in row)


def payer_of(row: Row) -> str:
    return row.get("on_behalf_of") or row["paying_unit_code"]


def base_rows(stage: Stage, k: int, figures: Figures) -> list[Row]:
    """Per division and type: posts with room to spare, and finance-paid people exactly as many as there are."""
    paid_here = _years_divisions(stage, figures)
    made = []
    for division in sorted({*stage.atlas.folders, *figures.division.values()}):
        whole = division in stage.atlas.folders and division != STREET
        mine = [
            _base_row(stage, k, division, post_type)
            for post_type in TYPES_WITH_BASE
            if whole or any(sums.get((division, post_type)) for sums in stage.quota_sums)
        ]
        # Where a month of last year is in the payroll, that is the limit; the others have a base, in two parts and zeros: a
        # blank would leave the sum unknown.
        if division not in paid_here and mine:
            limit = figures.paid[division] - (stage.paid_cut.get(division, 0) >> k & 1)
            for row in mine:
                row["base_paid"] = 0
            mine[0]["base_paid"] = limit // 2
            mine[-1]["base_paid"] = limit - (limit // 2 if len(mine) > 1 else 0)
        made += mine
    return made


def _base_row(stage: Stage, k: int, division: str, post_type: str) -> Row:
    most = max(sums[division, post_type] for sums in stage.quota_sums)
    room = stage.counted_room[post_type]
    issued = most + 40 + room
    if stage.limit_cut.get((division, post_type), 0) >> k & 1:
        issued = stage.quota_sums[k][division, post_type] - 1
    return {
        "division_code": division, "post_type": post_type, "base_2012": most + 60 + room, "issued_total": issued,
        "base_paid": None, "delivered_by": CITY,
    }  # fmt: skip


def limit_rows(stage: Stage, k: int, figures: Figures) -> list[Row]:
    """As many units of a kind as there are; one division states a larger number too, of which the smaller counts."""
    made = []
    for place, count in sorted(figures.units.items()):
        row = {"division_code": place[0], "unit_kind": place[1], "delivered_by": CITY}
        made.append(row | {"max_units": count - (stage.unit_limit_cut.get(place, 0) >> k & 1)})
        if place[0] == CITY:
            made.append(row | {"max_units": count + 5})
    return made


def folder_of_years(stage: Stage) -> str:
    """The folder whose payroll goes back to the same month last year."""
    return stage.atlas.folders[3]


def _years_divisions(stage: Stage, figures: Figures) -> set[str]:
    folder = folder_of_years(stage)
    return {figures.division[u.code] for u in stage.atlas.units if u.folder == folder and u.code in figures.division}


def year_ago_rows(stage: Stage, k: int, rows: Books) -> list[Row]:
    """The same people were paid a year ago: rows of that month, one person fewer where that is planted."""
    night = stage.nights[k]
    month = f"{night.year - 1}-{night.month:02d}"
    cut = {division for division, mask in stage.year_ago_cut.items() if mask >> k & 1}
    left_out: dict[str, str] = {}
    made = []
    for row in rows["payroll"][folder_of_years(stage)]:
        if "_bad" in row or row["month"] != stage.months[k] or row["person_state"] != "IN_SERVICE":
            continue
        unit = stage.unit_by_code.get(payer_of(row))
        fits = unit is not None and unit.division in cut and unit.trade == "bureau" and row["amount"] >= FULL_PAY
        if not (fits and left_out.setdefault(unit.division, row["person_key"]) == row["person_key"]):
            made.append(row | {"month": month})
    return made
