"""Which PERSON_KEY the person keys in the database were made with: one row, changed in the transaction that re-keys."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String, inspect, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Instant, engine_for, reading
from core.errors import Misconfigured
from core.keys import key_mark

THE_ROW = 1


class KeyMark(Base):
    """The one row. `mark` is `core.keys.key_mark` of the key in force."""

    __tablename__ = "key_mark"
    id: Mapped[int] = mapped_column(primary_key=True)
    mark: Mapped[str] = mapped_column(String(32))
    since: Mapped[datetime] = mapped_column(Instant)


def mark_in_force(session: Session) -> str | None:
    """The mark in the database; None before the first night."""
    return session.scalar(select(KeyMark.mark).where(KeyMark.id == THE_ROW))


def database_mark(database_url: str) -> str | None:
    """The mark in the database of a URL; None where it has no such table yet."""
    engine = engine_for(database_url)
    if not inspect(engine).has_table(KeyMark.__tablename__):
        return None
    with reading(engine) as session:
        return mark_in_force(session)


def hold_key(session: Session, person_key: str, now: datetime) -> str:
    """The mark of this key, noted at its first use.

    Errors: Misconfigured for another key than the database's: every flag about a person would be opened anew.
    """
    mark, held = key_mark(person_key), mark_in_force(session)
    if held is None:
        session.add(KeyMark(id=THE_ROW, mark=mark, since=now))
        session.flush()
    elif held != mark:
        raise Misconfigured(
            "PERSON_KEY is not the one this database was made with; set the right one (BIANZHI_KEYS or "
            "BIANZHI_PERSON_KEY). To change it, run: bianzhi keys rotate"
        )
    return mark


def put_mark(session: Session, person_key: str, now: datetime) -> None:
    """Note another key as the one in force."""
    session.merge(KeyMark(id=THE_ROW, mark=key_mark(person_key), since=now))
