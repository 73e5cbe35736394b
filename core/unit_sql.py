"""The register of units in SQL: which version is current, and what lies below a division."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_
from sqlalchemy.orm import aliased

from core.types import Level
from core.units import UnitVersion


def is_current(version=UnitVersion) -> ColumnElement[bool]:
    """SQL: this UnitVersion (or alias of it) is its unit's newest one already begun. One row per unit code."""
    newer = aliased(UnitVersion)
    begun = or_(newer.valid_from.is_(None), newer.valid_from <= newer.seen_on)
    later = or_(
        and_(newer.valid_from.is_not(None), version.valid_from.is_(None)),
        newer.valid_from > version.valid_from,
        and_(newer.valid_from.is_not_distinct_from(version.valid_from), newer.id > version.id),
    )
    return and_(
        or_(version.valid_from.is_(None), version.valid_from <= version.seen_on),
        ~exists().where(newer.unit_code == version.unit_code, begun, later),
    )


def below(column: ColumnElement, division: str) -> ColumnElement[bool]:
    """SQL: the column's division code is this one or under it; the twin of `core.units.division_lineage`."""
    if len(division) != 6:
        return column == division
    stem = division[:2] if division.endswith("0000") else division[:4] if division.endswith("00") else division
    return column.startswith(stem, autoescape=True)


def at_level(column: ColumnElement, level: Level) -> ColumnElement[bool]:
    """SQL twin of `core.units.division_level`."""
    long = func.length(column) > 6
    if level is Level.TOWNSHIP:
        return long
    if level is Level.PROVINCE:
        return and_(not_(long), column.endswith("0000"))
    if level is Level.CITY:
        return and_(not_(long), column.endswith("00"), not_(column.endswith("0000")))
    return and_(not_(long), not_(column.endswith("00")))
