"""Our own book of the demo: what was lent before the ledger came, movements between levels, quota in force by date, usable by month."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from demo.atlas import Cell, Unit
from demo.stage import Row, Stage

EVERY = 3  # one unit in so many has its cells in our ledger; the first of every folder always
MONTHS = 12
SINCE = date(2010, 3, 1)
_TEXT, _NUMBER, _DAY = pa.string(), pa.int64(), pa.date32()
_CELL = {"unit_code": _TEXT, "post_type": _TEXT, "fund_form": _TEXT}
TABLES: dict[str, dict[str, pa.DataType]] = {
    "position": _CELL | dict.fromkeys(("borrowed", "lent", "reserved", "open_permits", "usable"), _NUMBER),
    "position_quota": _CELL | {"quota": _NUMBER, "valid_from": _DAY, "valid_to": _DAY, "doc_no": _TEXT},
    "movement": {
        "movement_no": _TEXT, "post_type": _TEXT, "fund_form": _TEXT, "posts": _NUMBER, "from_unit": _TEXT,
        "from_level": _TEXT, "to_unit": _TEXT, "to_level": _TEXT, "effective_date": _DAY, "doc_no": _TEXT,
        "central_no": _TEXT,
    },
    "usable_month": {"month": _TEXT} | _CELL | {"usable": _NUMBER},
}  # fmt: skip


def lawful_movements(stage: Stage) -> None:
    """Movements no rule minds: with the central number, of types that need none, within a level, and later."""
    city, county = _at_level(stage, "CITY"), _at_level(stage, "COUNTY")
    day = stage.firsts[0] - timedelta(days=300)
    move(stage, "ADMIN", city, county, day, central_no="中编办函〔2025〕1号")
    move(stage, "INSTITUTION", county, city, day)
    move(stage, "ADMIN", city, city, day)
    move(stage, "POLITICAL_LEGAL", city, county, stage.nights[-1] + timedelta(days=1))


def _at_level(stage: Stage, level: str) -> Unit:
    return next(unit for unit in stage.atlas.units if unit.level == level)


def move(stage: Stage, post_type: str, giver: Unit, taker: Unit, day: date, central_no: str | None = None) -> Row:
    """Note a movement of one post; its number follows from its place."""
    number = len(stage.movements) + 1
    row = {
        "movement_no": f"HZ{number:06d}", "post_type": post_type, "fund_form": "FULL", "posts": 1,
        "from_unit": giver.code, "from_level": giver.level, "to_unit": taker.code, "to_level": taker.level,
        "effective_date": day, "doc_no": f"云编〔{day.year}〕{number}号", "central_no": central_no,
    }  # fmt: skip
    stage.movements.append(row)
    return row


def position_tables(stage: Stage, k: int) -> dict[str, list[Row]]:
    """The four tables of night k, by name."""
    tables: dict[str, list[Row]] = {name: [] for name in TABLES}
    tables["movement"] = stage.movements
    months = _months_back(stage.firsts[k])
    seen: set[str] = set()
    for n, unit in enumerate(stage.atlas.every_unit):
        chosen = n % EVERY == 0 or unit.folder not in seen
        seen.add(unit.folder)
        for cell in unit.heads:
            place = (unit.code, cell)
            if chosen or place in stage.loans or place in stage.quota_past or place in stage.full_months:
                _cell_rows(stage, k, unit, cell, months, tables)
    return tables


def _cell_rows(stage: Stage, k: int, unit: Unit, cell: Cell, months: list[str], tables: dict[str, list[Row]]) -> None:
    place = (unit.code, cell)
    named = {"unit_code": unit.code, "post_type": cell[0], "fund_form": cell[1]}
    # A unit that delivers counts has no people here; its history of usable posts is all our ledger says of it.
    usable = 1
    if place in stage.heads:
        borrowed, lent = stage.loans.get(place, (0, 0))
        quota = stage.quota(unit, cell, k)
        usable = quota + borrowed - lent - stage.heads[place][k]
        figures = {"borrowed": borrowed, "lent": lent, "reserved": 0, "open_permits": 0, "usable": usable}
        tables["position"].append(named | figures)
        tables["position_quota"] += [
            named | {"quota": number, "valid_from": first, "valid_to": last, "doc_no": f"云编〔{first.year}〕3号"}
            for number, first, last in stage.quota_past.get(place, ((quota, SINCE, None),))
        ]
    # An ordinary cell is full in one month of the year, an idle one in none or in those that are planted.
    full = stage.full_months.get(place, (f"-{1 + sum(map(ord, unit.code + cell[0])) % 12:02d}",))
    for month in months:
        filled = month.endswith(full)
        tables["usable_month"].append({"month": month} | named | {"usable": 0 if filled else max(usable, 1)})


def _months_back(first: date) -> list[str]:
    """YYYY-MM of the month and the eleven before it."""
    months = []
    for _ in range(MONTHS):
        months.append(f"{first:%Y-%m}")
        first = (first - timedelta(days=1)).replace(day=1)
    return months


def write_position(folder: Path, tables: dict[str, list[Row]]) -> None:
    """folder/<table>.parquet each, as a night takes them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, kinds in TABLES.items():
        schema = pa.schema([(column, kind) for column, kind in kinds.items()])
        pq.write_table(pa.Table.from_pylist(tables[name], schema=schema), folder / f"{name}.parquet")
