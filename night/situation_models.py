"""Tables of situation reports 机构编制情况报告: a period, a report per unit, a line per figure."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.calendar import weekday_note
from core.db import Base, Instant


class ReportPeriod(Base):
    """A period the office opened for the units of one division at one level. as_of: the night its figures came from."""

    __tablename__ = "report_period"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="days"),
        UniqueConstraint("code", "division_code", "level"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(24))
    division_code: Mapped[str] = mapped_column(String(32))
    level: Mapped[str] = mapped_column(String(16))
    first_day: Mapped[date] = mapped_column(Date)
    last_day: Mapped[date] = mapped_column(Date)
    deadline: Mapped[date] = mapped_column(Date)
    # Years counted Monday to Friday on the way there (core.calendar.weekday_years).
    weekday_years: Mapped[str] = mapped_column(String(60), default="")
    as_of: Mapped[date] = mapped_column(Date)
    opened_by: Mapped[str] = mapped_column(String(64))
    opened_at: Mapped[datetime] = mapped_column(Instant)

    @property
    def deadline_note(self) -> str | None:
        """How the deadline was counted, where a year on the way had no published holidays; a day a person named: None."""
        return weekday_note(self.weekday_years, self.deadline)


class SituationReport(Base):
    """What one unit is asked to confirm. Frozen once confirmed: `hash` covers figures, answers, who and when."""

    __tablename__ = "situation_report"
    __table_args__ = (
        UniqueConstraint("period_id", "unit_code"),
        CheckConstraint(
            "(status = 'CONFIRMED') = (hash IS NOT NULL AND confirmed_by IS NOT NULL AND confirmed_at IS NOT NULL)",
            name="frozen",
        ),
        Index("ix_situation_report_unit", "unit_code"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    period_id: Mapped[int] = mapped_column(ForeignKey("report_period.id"))
    unit_code: Mapped[str] = mapped_column(String(64))
    unit_name: Mapped[str] = mapped_column(String(400))
    division_code: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    as_of: Mapped[date] = mapped_column(Date)
    version: Mapped[int] = mapped_column(default=1)
    answered_by: Mapped[str | None] = mapped_column(String(64))
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_by: Mapped[str | None] = mapped_column(String(64))
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    hash: Mapped[str | None] = mapped_column(String(64))


class SituationLine(Base):
    """One figure proposed to a unit (null: the night does not know it) and what the unit said of it."""

    __tablename__ = "situation_line"
    __table_args__ = (UniqueConstraint("report_id", "place"), UniqueConstraint("report_id", "measure", "part"))
    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("situation_report.id"))
    place: Mapped[int]
    measure: Mapped[str] = mapped_column(String(24))
    part: Mapped[str] = mapped_column(String(40))  # `POST_TYPE/FUND_FORM`, a leader tier, or '' for the whole unit
    figure: Mapped[int | None]
    answer: Mapped[str | None] = mapped_column(String(16))
    stated: Mapped[int | None]
    remark: Mapped[str | None] = mapped_column(Text)
