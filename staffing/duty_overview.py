"""Duties as lists: units with a 三定 or a list of duties, and one unit with all that is known of its duties and posts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import String, cast, func, null, select
from sqlalchemy.orm import Session

from core.permissions import Scope
from core.unit_sql import is_current
from core.units import UnitVersion
from pool.standards import Measured, measured
from pool.store import cell_figures
from staffing.determination_store import Version, determinations_of, in_force
from staffing.duties_check import Finding
from staffing.duty_items import item_rows, posts_of
from staffing.duty_models import Determination, DutyItem

NOTHING = cast(null(), String)


@dataclass(frozen=True)
class Listed:
    """A unit of the list: the version in force (None: none), items in force."""

    unit: UnitVersion
    version: Version | None
    items: int


@dataclass(frozen=True)
class CellLine:
    """A cell: as the version in force determined it, as the ledger has it, in post, and posts items use."""

    post_type: str
    fund_form: str
    determined: int | None
    quota: int
    in_post: int
    assigned: int


@dataclass(frozen=True)
class Shown:
    """One unit. items: those in force first; posts: per item id and cell."""

    versions: list[Version]
    current: Version | None
    items: list[DutyItem]
    posts: dict[int, dict[tuple[str, str], int]]
    cells: list[CellLine]
    measured: list[Measured]


def duty_list(session: Session, scope: Scope, on: date) -> tuple[list[Listed], int]:
    """Units of the scope with a 三定 or an item, by code; and how many units of the scope have neither."""
    seen = scope.condition(UnitVersion.unit_code, UnitVersion.division_code)
    total = session.scalar(select(func.count()).select_from(UnitVersion).where(is_current(), seen)) or 0
    started = select(Determination.unit_code).union(select(DutyItem.unit_code))
    query = select(UnitVersion).where(is_current(), seen, UnitVersion.unit_code.in_(started))
    units = list(session.scalars(query.order_by(UnitVersion.unit_code)))
    codes = [unit.unit_code for unit in units]
    versions = in_force(session, codes, on)
    held = DutyItem.valid_to.is_(None) | (DutyItem.valid_to >= on)
    counted = (
        select(DutyItem.unit_code, func.count()).where(DutyItem.valid_from <= on, held).group_by(DutyItem.unit_code)
    )
    items: dict[str, int] = dict(session.execute(counted).all())
    listed = [Listed(unit, versions.get(unit.unit_code), items.get(unit.unit_code, 0)) for unit in units]
    return listed, total - len(listed)


def gaps_by_unit(found: Iterable[Finding]) -> Counter[str]:
    """How many findings speak of each unit."""
    return Counter(code for each in found for code in {each.unit_code, each.other_code} if code)


def is_in_force(row: DutyItem, on: date) -> bool:
    """Whether an item holds on a day."""
    return row.valid_from <= on and (row.valid_to is None or row.valid_to >= on)


def shown_unit(session: Session, unit_code: str, on: date) -> Shown:
    """All of one unit's duties. Whoever calls has checked that the unit is seen."""
    versions = determinations_of(session, [unit_code]).get(unit_code, [])
    current = next((version for version in versions if version.row.valid_from <= on), None)
    rows = item_rows(session, [unit_code])
    items = sorted(rows, key=lambda row: (not is_in_force(row, on), row.code, row.valid_from))
    posts = posts_of(session, [row.id for row in rows])
    return Shown(
        versions, current, items, posts, _cells(session, unit_code, on, current, items, posts),
        measured(session, [unit_code], on),
    )  # fmt: skip


def _cells(session: Session, unit_code: str, on: date, current: Version | None, items, posts) -> list[CellLine]:
    figures = {cell.partition: held for cell, held in cell_figures(session, [f"U:{unit_code}"], on).items()}
    assigned: Counter[tuple[str, str]] = Counter()
    for row in items:
        if is_in_force(row, on):
            assigned.update(posts.get(row.id, {}))
    determined = current.quotas if current else {}
    lines = []
    for cell in sorted({*figures, *assigned, *determined}):
        held = figures.get(cell)
        quota, in_post = (held.quota, held.in_post) if held else (0, 0)
        line = CellLine(*cell, determined.get(cell), quota, in_post, assigned[cell])
        if any((line.determined, quota, in_post, line.assigned)):
            lines.append(line)
    return lines
