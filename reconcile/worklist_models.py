"""Tables of what follows a flag: notices to put things right 整改通知, and referrals to other offices 移送函.

Both refer to a flag by its number, which rotating the PERSON_KEY does not change.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.calendar import weekday_note
from core.db import Base


class Rectification(Base):
    """One notice to one unit about one flag. A failed recheck sends it back with a new deadline."""

    __tablename__ = "rectification"
    __table_args__ = (
        CheckConstraint("(status = 'ISSUED') OR (reported_by IS NOT NULL)", name="reported"),
        CheckConstraint("(status = 'PASSED') = (passed_on IS NOT NULL)", name="passed"),
        Index("ix_rectification_flag", "flag_id"),
        Index("ix_rectification_status", "status", "deadline"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    flag_id: Mapped[int] = mapped_column(ForeignKey("flag.id"))
    status: Mapped[str] = mapped_column(String(16))
    requirement: Mapped[str] = mapped_column(Text)
    deadline: Mapped[date] = mapped_column(Date)
    issued_by: Mapped[str] = mapped_column(String(64))
    issued_on: Mapped[date] = mapped_column(Date)
    reported_by: Mapped[str | None] = mapped_column(String(64))
    reported_on: Mapped[date | None] = mapped_column(Date)
    measures: Mapped[str | None] = mapped_column(Text)
    rechecked_by: Mapped[str | None] = mapped_column(String(64))
    passed_on: Mapped[date | None] = mapped_column(Date)
    recheck_note: Mapped[str | None] = mapped_column(Text)
    failed_count: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)


class Referral(Base):
    """One referral of one flag to one office: sent, received (their number), answered."""

    __tablename__ = "referral"
    __table_args__ = (
        CheckConstraint("(status = 'SENT') = (received_on IS NULL)", name="received"),
        CheckConstraint("(status = 'ANSWERED') = (answered_on IS NOT NULL)", name="answered"),
        Index("ix_referral_flag", "flag_id"),
        Index("ix_referral_office", "office", "status"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    flag_id: Mapped[int] = mapped_column(ForeignKey("flag.id"))
    office: Mapped[str] = mapped_column(String(16))
    addressee: Mapped[str] = mapped_column(String(400))
    reason: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    receipt_by: Mapped[date] = mapped_column(Date)
    answer_by: Mapped[date] = mapped_column(Date)
    # Years counted Monday to Friday on the way there (core.calendar.weekday_years).
    weekday_years: Mapped[str] = mapped_column(String(60), default="")
    sent_by: Mapped[str] = mapped_column(String(64))
    sent_on: Mapped[date] = mapped_column(Date)
    received_by: Mapped[str | None] = mapped_column(String(64))
    received_on: Mapped[date | None] = mapped_column(Date)
    receipt_no: Mapped[str | None] = mapped_column(String(200))
    answered_by: Mapped[str | None] = mapped_column(String(64))
    answered_on: Mapped[date | None] = mapped_column(Date)
    answer: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)

    @property
    def receipt_note(self) -> str | None:
        """How the day of the receipt was counted, where a year on the way had no published holidays."""
        return weekday_note(self.weekday_years, self.receipt_by)

    @property
    def answer_note(self) -> str | None:
        """The same of the day of the answer."""
        return weekday_note(self.weekday_years, self.answer_by)
