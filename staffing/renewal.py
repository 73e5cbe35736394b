"""Any change renews all three copies (DOMAIN §6): a certificate whose unit the ledger moved is renewed in the transaction
that moved it, so that none is current that says something else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pool.acting import Receipt
from pool.models import PoolEntry, PoolMovement
from staffing.certificate_pdf import Press
from staffing.certificates import renew_due


def last_movement(session: Session) -> int:
    """Number of the newest movement; 0 before the first."""
    return session.scalar(select(func.coalesce(func.max(PoolMovement.seq), 0)))


def renew_moved(session: Session, press: Press, now: datetime, actor: str, since: int) -> list[Receipt]:
    """Renew the certificates of units that movements after number `since`, booked by this actor, changed: those that have
    one and whose content is another now. → a receipt each. What takes effect later is renewed by the night of that day.

    A certificate states and grants nothing (decision 0013), so whoever may move the ledger thereby renews it.
    """
    if last_movement(session) == since:
        return []
    holders = session.scalars(
        select(PoolEntry.holder)
        .join(PoolMovement, PoolMovement.seq == PoolEntry.movement_seq)
        .where(PoolMovement.seq > since, PoolMovement.actor == actor, PoolEntry.holder.startswith("U:"))
        .distinct()
    )
    codes = sorted(holder.removeprefix("U:") for holder in holders)
    return renew_due(session, press, now, codes, actor) if codes else []
