"""The table of deliveries: every time a notice was handed to its receiver, as a file or by the API. Append-only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant
from pool.models import LOGIN

CHANNEL, BATCH, STATUS = String(8), String(100), String(16)
APPEND_ONLY = ("staff_delivery",)


class StaffDelivery(Base):
    """One attempt: attempt: 1, 2, …; status: what the notice was then (SENT, WITHDRAWN); batch: the file, or API."""

    __tablename__ = "staff_delivery"
    __table_args__ = (
        UniqueConstraint("notice_id", "attempt", name="uq_staff_delivery"),
        CheckConstraint("attempt > 0", name="attempt"),
        Index("ix_staff_delivery_batch", "batch"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("staff_notice.id"))
    attempt: Mapped[int]
    channel: Mapped[str] = mapped_column(CHANNEL)
    batch: Mapped[str] = mapped_column(BATCH)
    status: Mapped[str] = mapped_column(STATUS)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(LOGIN)
