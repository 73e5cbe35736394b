"""The tree of divisions, read off their codes (DOMAIN §3), and the register of units written by settled nights."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from core.types import Level


def parent_division(code: str) -> str | None:
    """9 digits → 6 → 4 and 00 → 2 and 0000 → None."""
    if len(code) > 6:
        return code[:6]
    if not code.endswith("00"):
        return code[:4] + "00"
    if not code.endswith("0000"):
        return code[:2] + "0000"
    return None


def division_lineage(code: str) -> list[str]:
    """The code itself and all above it, nearest first."""
    lineage: list[str] = []
    at: str | None = code
    while at is not None and at not in lineage:
        lineage.append(at)
        at = parent_division(at)
    return lineage


def division_level(code: str) -> Level:
    """The level a division code stands for by itself; a TOWNSHIP unit may still carry its county's six digits."""
    if len(code) > 6:
        return Level.TOWNSHIP
    if code.endswith("0000"):
        return Level.PROVINCE
    if code.endswith("00"):
        return Level.CITY
    return Level.COUNTY


class UnitVersion(Base):
    """One dated version of a unit, as the newest settled night's accepted `units` book gave it."""

    __tablename__ = "unit_version"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from", name="dates"),
        Index("ix_unit_version_code", "unit_code"),
        Index("ix_unit_version_division", "division_code", "level"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(String(64))
    unit_name: Mapped[str] = mapped_column(String(400))
    aliases: Mapped[str | None] = mapped_column(String(1000))
    uscc: Mapped[str | None] = mapped_column(String(64))
    parent_code: Mapped[str | None] = mapped_column(String(64))
    supervising_code: Mapped[str | None] = mapped_column(String(64))
    division_code: Mapped[str] = mapped_column(String(32))
    level: Mapped[str] = mapped_column(String(16))
    unit_kind: Mapped[str] = mapped_column(String(16))
    org_rank: Mapped[str | None] = mapped_column(String(64))
    approval_doc: Mapped[str | None] = mapped_column(String(200))
    delivers: Mapped[str] = mapped_column(String(16))
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    delivered_by: Mapped[str] = mapped_column(String(32))
    seen_on: Mapped[date] = mapped_column(Date)
