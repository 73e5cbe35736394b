"""核定编制通知单 out of the ledger: what a movement of ownership changed, unit by unit."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Refused
from core.parameters import parameter_value
from pool.acting import OFFICE_TIME
from pool.ledger import HELD, KINDS, Kind
from pool.models import PoolDocument, PoolEntry, PoolMovement, PoolNode
from staffing.forms import QuotaLine, QuotaNotice
from staffing.paper_models import Document

NOTICED = {Kind.GRANT: "核定编制", Kind.CUT: "核减编制", Kind.TRANSFER: "划转编制"}


def has_notice(movement: PoolMovement) -> bool:
    """Whether a movement is one a notice is made of; opening balances only took over what stood."""
    return movement.kind in NOTICED and movement.source != "OPENING"


def quota_notice_of(session: Session, movement: PoolMovement) -> QuotaNotice:
    """The notice of a GRANT, CUT or TRANSFER, with the quota before and after it on its effective day.

    Errors: Refused for any other movement.
    """
    if not has_notice(movement):
        label = KINDS[Kind(movement.kind)].label
        raise Refused(f"“{label}”不出核定编制通知单。", answer="NO_NOTICE")
    held = session.get(Document, movement.document_no)
    noted = session.get(PoolDocument, movement.document_no)
    booked = movement.booked_at.astimezone(OFFICE_TIME).date()
    lines = tuple(_line(session, movement, holder, change) for holder, change in _changes(session, movement))
    division = session.get(PoolNode, movement.to_holder or movement.from_holder).division_code
    return QuotaNotice(
        notice_no=f"核编〔{booked.year}〕{movement.seq:06d}", kind=NOTICED[Kind(movement.kind)], lines=lines,
        office=parameter_value(session, "certificate_office", booked, division), document_no=movement.document_no or "—",
        document_date=held.doc_date if held else noted.doc_date if noted else None, effective=movement.effective_date,
        booked_on=booked, document_title=held.title if held else "",
    )  # fmt: skip


def _changes(session: Session, movement: PoolMovement) -> list[tuple[str, int]]:
    """(holder, change of its quota) of a movement, takers first."""
    rows = session.execute(
        select(PoolEntry.holder, func.sum(PoolEntry.posts))
        .where(PoolEntry.movement_seq == movement.seq, PoolEntry.account.in_(HELD))
        .group_by(PoolEntry.holder)
    )
    found = [(holder, int(posts)) for holder, posts in rows if posts]
    return sorted(found, key=lambda item: (item[1] < 0, item[0]))


def _line(session: Session, movement: PoolMovement, holder: str, change: int) -> QuotaLine:
    node = session.get(PoolNode, holder)
    after = _quota_after(session, movement, holder, movement.effective_date)
    return QuotaLine(
        node.name, node.unit_code or node.division_code, movement.post_type, movement.fund_form, after - change, after
    )


def _quota_after(session: Session, movement: PoolMovement, holder: str, on: date) -> int:
    """Quota of the cell on the day, of the movements up to and with this one: later bookings change no notice."""
    total = session.scalar(
        select(func.coalesce(func.sum(PoolEntry.posts), 0)).where(
            PoolEntry.holder == holder, PoolEntry.post_type == movement.post_type,
            PoolEntry.fund_form == movement.fund_form, PoolEntry.account.in_(HELD), PoolEntry.effective_date <= on,
            PoolEntry.movement_seq <= movement.seq,
        )
    )  # fmt: skip
    return int(total)
