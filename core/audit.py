"""The trail: one append-only row per change, each holding the hash of the one before. Written in the change's own
transaction, so that no change is without its row and no row without its change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, String, Text, insert, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.db import Base, Instant, run

GENESIS = "0" * 64
ADVISORY_LOCK = 0x6269616E


class AuditEvent(Base):
    """Who did what to what, and the chain. Triggers refuse UPDATE and DELETE in the database itself."""

    __tablename__ = "audit_event"
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(200))
    details: Mapped[str] = mapped_column(Text)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


def record(session: Session, *, actor: str, action: str, subject: str, now: datetime, **details: Any) -> None:
    """Append one event. `details` are JSON values without names, ids or secrets. Serialised by the writers' lock."""
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        run(session, _LOCK, {"key": ADVISORY_LOCK})
    last = run(session, _LAST).one_or_none()
    row = {
        "seq": (last.seq + 1) if last else 1, "at": now, "actor": actor, "action": action, "subject": subject,
        "details": json.dumps(details, ensure_ascii=False, sort_keys=True, default=str),
        "previous_hash": last.hash if last else GENESIS,
    }  # fmt: skip
    run(session, _INSERT, row | {"hash": _digest(row)})


_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_EVENT = AuditEvent.__table__
_LAST = select(_EVENT.c.seq, _EVENT.c.hash).order_by(_EVENT.c.seq.desc()).limit(1)
_INSERT = insert(_EVENT)
_FIELDS = ("previous_hash", "seq", "at", "actor", "action", "subject", "details")


def event_hash(event: AuditEvent) -> str:
    """SHA-256 over the previous hash and every field, in a fixed spelling."""
    return _digest({name: getattr(event, name) for name in _FIELDS})


def _digest(row: Mapping[str, Any]) -> str:
    instant = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    body = [instant if name == "at" else row[name] for name in _FIELDS]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()


def broken_link(session: Session) -> int | None:
    """The seq of the first event that does not follow from the one before, or None when the chain is whole."""
    previous, expected_seq = GENESIS, 1
    for event in session.scalars(select(AuditEvent).order_by(AuditEvent.seq).execution_options(yield_per=1000)):
        if (event.seq, event.previous_hash) != (expected_seq, previous) or event.hash != event_hash(event):
            return event.seq
        previous, expected_seq = event.hash, expected_seq + 1
    return None
