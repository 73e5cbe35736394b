"""Tables of tip-offs. What a person wrote and how to reach them is sealed; a step's note too. Steps are append-only."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from core.calendar import weekday_note
from core.db import Base, Instant


class TipOff(Base):
    """One tip-off. `secret_hash`: SHA-256 of the random secret shown once; only with it does the sender see the case.

    flag_ref: the number (`flag.id`) of the flag it was linked to; no foreign key, for this room does not know flags.
    """

    __tablename__ = "tip_off"
    __table_args__ = (
        CheckConstraint("(handler IS NULL) = (status = 'RECEIVED')", name="handler"),
        CheckConstraint("(outcome IS NULL) = (status <> 'CLOSED')", name="outcome"),
        Index("ix_tip_off_status", "status", "answer_by"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(24))
    unit_code: Mapped[str | None] = mapped_column(String(64))
    division_code: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str | None] = mapped_column(String(24))
    handler: Mapped[str | None] = mapped_column(String(64))
    flag_ref: Mapped[int | None]
    sealed_text: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_contact: Mapped[bytes | None] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(Instant)
    received_on: Mapped[date] = mapped_column(Date)
    take_by: Mapped[date] = mapped_column(Date)
    answer_by: Mapped[date] = mapped_column(Date)
    # Years counted Monday to Friday on the way there (core.calendar.weekday_years).
    weekday_years: Mapped[str] = mapped_column(String(60), default="")
    version: Mapped[int] = mapped_column(default=1)

    @property
    def take_note(self) -> str | None:
        """How the day to take it by was counted, where a year on the way had no published holidays."""
        return weekday_note(self.weekday_years, self.take_by)

    @property
    def answer_note(self) -> str | None:
        """The same of the day to answer by."""
        return weekday_note(self.weekday_years, self.answer_by)


class TipOffStep(Base):
    """One step of a case. `shown`: the sender reads the note too. Actor `sender`: whoever holds the secret."""

    __tablename__ = "tip_off_step"
    __table_args__ = (Index("ix_tip_off_step_case", "tip_off_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    tip_off_id: Mapped[int] = mapped_column(ForeignKey("tip_off.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(64))
    move: Mapped[str] = mapped_column(String(24))
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str] = mapped_column(String(16))
    sealed_note: Mapped[bytes | None] = mapped_column(LargeBinary)
    shown: Mapped[bool]
