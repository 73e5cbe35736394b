"""How often a public door was tried: counted in the database, so that neither a restart nor a second process forgets.

What is counted is kept as a keyed mark, never as an address or a person.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Index, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Instant
from core.identity import keyed
from core.keys import derived
from core.numbering import one_at_a_time

KEEP = timedelta(days=1)
LOCK = 0x74726965


class PublicTry(Base):
    """One try at a public door by whoever the mark stands for."""

    __tablename__ = "public_try"
    __table_args__ = (Index("ix_public_try_mark", "mark", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(Instant)


def mark_of(secret: str, door: str, who: str) -> str:
    """A keyed mark of somebody at a door: equal for equal ones, and nothing can be read off it without the secret."""
    return keyed(derived(secret, f"tries {door}").hex(), who)


def count_try(session: Session, mark: str, most: int, window: timedelta, now: datetime) -> bool:
    """Count one more try; False when it is more than `most` within the window. Tries beyond are not counted: who waits
    for the window's end is admitted again."""
    one_at_a_time(session, LOCK)
    session.execute(delete(PublicTry).where(PublicTry.at < now - KEEP))
    tried = session.scalar(select(func.count()).where(PublicTry.mark == mark, PublicTry.at > now - window)) or 0
    if tried >= most:
        return False
    session.add(PublicTry(mark=mark, at=now))
    session.flush()
    return True
