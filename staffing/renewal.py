"""Any change renews all three copies (DOMAIN §6): a certificate whose unit the ledger moved is renewed in the transaction
that moved it, so that none is current that says something else."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pool.acting import Receipt, node_of
from pool.models import PoolEntry, PoolMovement, PoolNode, PoolReorganisation
from staffing.certificate_pdf import Press
from staffing.certificate_store import newest_versions
from staffing.certificates import issue, renew_due
from staffing.service_split import SPLIT


class Mark(NamedTuple):
    """How far ledger and tree had come: the newest movement and the newest reorganisation, 0 before the first."""

    movement: int
    reorganisation: int


def mark_of(session: Session) -> Mark:
    """Where ledger and tree stand now."""
    last = lambda number: session.scalar(select(func.coalesce(func.max(number), 0)))
    return Mark(last(PoolMovement.seq), last(PoolReorganisation.id))


def renew_moved(session: Session, press: Press, now: datetime, actor: str, since: Mark) -> list[Receipt]:
    """Renew the certificates of units that movements and reorganisations after a mark, made by this actor, changed: those
    that have one and whose content is another now; that of a unit merged away or abolished is revoked. → a receipt each.
    What takes effect later is renewed by the night of that day.

    A certificate states and grants nothing (decision 0013), so whoever may move the ledger thereby renews it.
    """
    if mark_of(session) == since:
        return []
    moved = session.scalars(
        select(PoolEntry.holder)
        .join(PoolMovement, PoolMovement.seq == PoolEntry.movement_seq)
        .where(PoolMovement.seq > since.movement, PoolMovement.actor == actor, PoolEntry.holder.startswith("U:"))
        .distinct()
    )
    # A unit may be closed, or named otherwise, without a single post moving.
    changed = session.scalars(
        select(PoolNode.id)
        .join(PoolReorganisation, PoolNode.id.in_((PoolReorganisation.node_id, PoolReorganisation.target_id)))
        .where(
            PoolReorganisation.id > since.reorganisation, PoolReorganisation.actor == actor, PoolNode.kind == "UNIT"
        )
    )  # fmt: skip
    codes = sorted({holder.removeprefix("U:") for holder in (*moved, *changed)})
    renewed = renew_due(session, press, now, codes, actor) if codes else []
    return renewed + _begin_split(session, press, now, actor, since)


def _begin_split(session: Session, press: Press, now: datetime, actor: str, since: Mark) -> list[Receipt]:
    """The first certificates of units that a split made, where the unit they came from has one."""
    rows = session.execute(
        select(PoolReorganisation.node_id, PoolReorganisation.target_id)
        .where(PoolReorganisation.id > since.reorganisation, PoolReorganisation.actor == actor)
        .where(PoolReorganisation.kind == SPLIT)
        .order_by(PoolReorganisation.id)
    ).all()
    code_of = lambda node_id: node_id.removeprefix("U:")
    held = newest_versions(session, {code_of(node_id) for row in rows for node_id in row})
    begun = [row.target_id for row in rows if code_of(row.node_id) in held and code_of(row.target_id) not in held]
    return [issue(session, node_of(session, node_id), press, actor, now) for node_id in begun]
