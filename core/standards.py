"""Staffing standards and workloads as dated, append-only tables, and which of them hold for a unit on a day (DOMAIN §6).

A standard is set by a division and holds for its units and those below, of one level; the nearest division's wins, of its
standards the newest. A workload is a unit's figure as of a day; of several the newest counts, of one day the last recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Instant
from core.standard_posts import Line
from core.unit_sql import is_current
from core.units import UnitVersion, division_lineage

TRADE = String(64)
APPEND_ONLY = ("staffing_standard", "unit_workload")
CHUNK = 500


class StaffingStandard(Base):
    """One row of a table of standards: `posts` posts of a type per `per_hundredths` / 100 served."""

    __tablename__ = "staffing_standard"
    __table_args__ = (
        CheckConstraint("per_hundredths > 0 AND posts > 0", name="ratio"),
        Index("ix_staffing_standard_trade", "trade", "level"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    division_code: Mapped[str] = mapped_column(String(32))
    trade: Mapped[str] = mapped_column(TRADE)
    level: Mapped[str] = mapped_column(String(16))
    measure: Mapped[str] = mapped_column(String(16))
    post_type: Mapped[str] = mapped_column(String(24))
    per_hundredths: Mapped[int]
    posts: Mapped[int]
    rounding: Mapped[str] = mapped_column(String(8))
    valid_from: Mapped[date] = mapped_column(Date)
    doc_no: Mapped[str] = mapped_column(String(200))
    recorded_by: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class UnitWorkload(Base):
    """What a unit serves as of a day, in one trade and measure."""

    __tablename__ = "unit_workload"
    __table_args__ = (CheckConstraint("served >= 0", name="served"), Index("ix_unit_workload_unit", "unit_code"))
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(String(64))
    trade: Mapped[str] = mapped_column(TRADE)
    measure: Mapped[str] = mapped_column(String(16))
    served: Mapped[int]
    as_of: Mapped[date] = mapped_column(Date)
    source: Mapped[str] = mapped_column(String(200))
    recorded_by: Mapped[str] = mapped_column(String(64))
    recorded_at: Mapped[datetime] = mapped_column(Instant)


def workloads_of(session: Session, codes: Collection[str] | None, on: date) -> dict[str, list[UnitWorkload]]:
    """Per unit the workload of each trade and measure that counts on a day; codes None: every unit that has one."""
    found: dict[str, dict[tuple[str, str], UnitWorkload]] = defaultdict(dict)
    for part in [None] if codes is None else _chunks(codes):
        query = select(UnitWorkload).where(UnitWorkload.as_of <= on).order_by(UnitWorkload.as_of, UnitWorkload.id)
        if part is not None:
            query = query.where(UnitWorkload.unit_code.in_(part))
        for row in session.scalars(query):
            found[row.unit_code][row.trade, row.measure] = row
    return {code: [held[key] for key in sorted(held)] for code, held in found.items()}


def standards_on(session: Session, on: date) -> list[StaffingStandard]:
    """Every standard begun by a day, a later one after the one it replaces."""
    query = select(StaffingStandard).where(StaffingStandard.valid_from <= on)
    return list(session.scalars(query.order_by(StaffingStandard.valid_from, StaffingStandard.id)))


def standard_lines(session: Session, codes: Collection[str] | None, on: date) -> dict[str, list[Line]]:
    """Per unit the lines of its standard; units without workload, or whose trade and level have no standard, are left out."""
    loads = workloads_of(session, codes, on)
    if not loads:
        return {}
    table: dict[tuple[str, str, str, str], dict[str, StaffingStandard]] = defaultdict(dict)
    for row in standards_on(session, on):
        table[row.division_code, row.level, row.trade, row.measure][row.post_type] = row
    found: dict[str, list[Line]] = {}
    for part in _chunks(loads):
        for unit in session.scalars(select(UnitVersion).where(is_current(), UnitVersion.unit_code.in_(part))):
            lines = [line for load in loads[unit.unit_code] for line in _lines(table, unit, load)]
            if lines:
                found[unit.unit_code] = lines
    return found


def _lines(table, unit: UnitVersion, load: UnitWorkload) -> list[Line]:
    for division in division_lineage(unit.division_code):
        rows = table.get((division, unit.level, load.trade, load.measure))
        if rows:
            return [
                Line(row.trade, row.measure, row.post_type, load.served, row.per_hundredths, row.posts, row.rounding)
                for _, row in sorted(rows.items())
            ]
    return []


def _chunks(codes: Iterable[str]) -> list[list[str]]:
    wanted = sorted(set(codes))
    return [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
