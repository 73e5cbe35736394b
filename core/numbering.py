"""Numbers of papers: one after the other within a year, with no two alike however many ask at once."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

LOCK = 0x6E756D62


def one_at_a_time(session: Session, key: int) -> None:
    """The others wait for the end of the caller's transaction. On SQLite every writer is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def next_number(session: Session, column: InstrumentedAttribute[str], stem: str, digits: int = 6) -> str:
    """`stem` and the next free number, in the caller's transaction."""
    one_at_a_time(session, LOCK)
    last = session.scalar(select(func.max(column)).where(column.startswith(stem, autoescape=True)))
    return f"{stem}{int(last[len(stem) :]) + 1 if last else 1:0{digits}d}"
