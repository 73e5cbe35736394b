"""Establishment and permits of switched units: ours in the place of what was delivered. Pure.

LEDGER is ours. A delivered number that differs from our copy of its kind stands in that copy's place, a delivered LEDGER
that differs in the place of DATABASE: so Q07 shows it, and no quota rests on it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from core.types import CopyKind, PostType
from night.own_difference import Difference, DifferenceKind

Row = dict[str, Any]
Cell = tuple[str, str, str]
LEDGER, CERTIFICATE, DATABASE = (copy.value for copy in (CopyKind.LEDGER, CopyKind.CERTIFICATE, CopyKind.DATABASE))
LEADERS = ("leaders_chief", "leaders_deputy", "leaders_inner_chief", "leaders_inner_deputy")
OURS = "用编登记"
CONTROL = PostType.CONTROL_NUMBER.value


def _cell(row: Row) -> Cell:
    return (row["unit_code"], row["post_type"], row["fund_form"])


def merge_establishment(
    delivered: list[Row], own: list[Row], starts: dict[str, date], homes: dict[str, str]
) -> tuple[list[Row], list[Difference]]:
    """Rows of the switched units as the rules read them, and what was delivered otherwise.

    Control numbers are in no ledger of ours: they stay as delivered. So do leader posts, on our LEDGER row of the cell.
    """
    merged = [row for row in delivered if row["post_type"] == CONTROL]
    given: dict[Cell, dict[str, int]] = defaultdict(dict)
    leaders: dict[Cell, Row] = defaultdict(lambda: dict.fromkeys(LEADERS))
    places: dict[Cell, Row] = {}
    for row in delivered:
        if row["post_type"] == CONTROL:
            continue
        cell = _cell(row)
        given[cell][row["copy"]] = given[cell].get(row["copy"], 0) + row["quota"]
        places.setdefault(cell, row)
        if row["copy"] == LEDGER:
            for name in LEADERS:
                if row[name] is not None:
                    leaders[cell][name] = (leaders[cell][name] or 0) + row[name]
    ours = {_cell(row): row for row in own}
    certified = {row["unit_code"] for row in own if row["certified"]}
    found = []
    for cell in sorted({*given, *ours}):
        mine = {
            LEDGER: (ours.get(cell) or {}).get("ledger") or 0,
            CERTIFICATE: (ours.get(cell) or {}).get("certificate") or 0,
            DATABASE: (ours.get(cell) or {}).get("database") or 0,
        }
        said, differing = _seen(mine, given.get(cell, {}), cell[0] in certified)
        for copy in differing:
            place = places[cell]
            found.append(
                Difference(
                    DifferenceKind.QUOTA_DIFFERS.value, homes[cell[0]], *cell, f"{copy}={given[cell][copy]}",
                    f"{copy}={mine[copy]}", file=place["file"], row=place["row"],
                )
            )  # fmt: skip
        merged += _rows(cell, said, leaders.get(cell, {}), homes[cell[0]])
    return merged, found


def _seen(mine: dict[str, int], given: dict[str, int], certified: bool) -> tuple[dict[str, int], list[str]]:
    """The copies as Q07 compares them, and the delivered ones that differ. Without a certificate that copy is absent,
    unless somebody delivered one."""
    differing = [copy for copy in (LEDGER, CERTIFICATE, DATABASE) if copy in given and given[copy] != mine[copy]]
    if not certified and given.get(CERTIFICATE) == mine[LEDGER] and CERTIFICATE in differing:
        differing.remove(CERTIFICATE)
    said = dict(mine)
    if LEDGER in differing:
        said[DATABASE] = given[LEDGER]
    said |= {copy: given[copy] for copy in differing if copy != LEDGER}
    if not certified and CERTIFICATE not in differing:
        del said[CERTIFICATE]
    return said, differing


def _rows(cell: Cell, said: dict[str, int], leaders: Row, home: str) -> list[Row]:
    if not any(said.values()) and not any(leaders.values()):
        return []
    place = {"delivered_by": home, "file": OURS, "row": 0}
    named = dict(zip(("unit_code", "post_type", "fund_form"), cell, strict=True))
    return [
        named | place | {"copy": copy, "quota": posts} | (leaders if copy == LEDGER else {})
        for copy, posts in said.items()
    ]


def merge_permits(
    delivered: list[Row], own: list[Row], starts: dict[str, date], homes: dict[str, str]
) -> tuple[list[Row], list[Difference]]:
    """Delivered permits approved before the switch, unless the number is ours; and all of ours."""
    numbers = {row["permit_no"]: row for row in own}
    kept, found = [], []
    for row in delivered:
        if row["permit_no"] not in numbers and row["approved_on"] < starts[row["unit_code"]]:
            kept.append(row)
        elif (mine := numbers.get(row["permit_no"])) is None or _spelled(mine) != _spelled(row):
            found.append(
                Difference(
                    DifferenceKind.PERMIT_NOT_OURS.value, homes[row["unit_code"]], *_cell(row), _spelled(row),
                    _spelled(mine) if mine else None, day=row["approved_on"], file=row["file"], row=row["row"],
                )
            )  # fmt: skip
    place = lambda row: {"delivered_by": homes[row["unit_code"]], "file": OURS, "row": 0}
    return kept + [row | place(row) for row in own], found


def _spelled(row: Row) -> str:
    return " ".join(str(row[name]) for name in ("permit_no", "unit_code", "post_type", "fund_form", "posts"))
