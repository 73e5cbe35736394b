"""The gate's part of a night: permits past their last good day give their posts back; announced exits nobody registered
block the next plan; reform tasks near their deadline are reminded of, once. The same again for the same day changes nothing. The caller commits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.permissions import Scope
from pool.acting import Act, lock_paths, node_of
from pool.approvals import NIGHT
from pool.service_people import roots
from staffing.blocks import EXIT, block_if_late
from staffing.chain import IN_POST, Move, Status
from staffing.models import StaffApplication, StaffBlock, StaffSlot
from staffing.reforms import remind_tasks
from staffing.service_permits import close_permit
from staffing.store import gate_parameters
from staffing.telling import tell, trail


@dataclass
class Kept:
    """What a night did, in counts."""

    expired: int = 0
    blocked: int = 0
    reminded: int = 0


def keep_staffing(session: Session, as_of: date, now: datetime, portal: str = "") -> Kept:
    """One night's housekeeping as of a day: expire permits (RELEASE from the day after their last), open blocks."""
    act = Act(Scope(0, NIGHT, frozenset(), (), frozenset()), now, f"night-staffing-{as_of}", portal=portal)
    lock_paths(session, roots(session))
    kept = Kept(
        expire_permits(session, act, as_of), _block_unregistered(session, act, as_of),
        remind_tasks(session, as_of, now, portal),
    )  # fmt: skip
    if any(vars(kept).values()):
        trail(session, act, "kept", f"night {as_of}", **vars(kept))
    return kept


def expire_permits(session: Session, act: Act, as_of: date) -> int:
    """Open permits whose last good day is before a day: slots EXPIRED, posts released; returns how many permits."""
    query = select(StaffApplication).where(
        StaffApplication.status == Status.GRANTED, StaffApplication.valid_until < as_of
    )
    rows = list(session.scalars(query.order_by(StaffApplication.number).execution_options(populate_existing=True)))
    for row in rows:
        until = row.valid_until
        close_permit(session, act, row, Move.EXPIRE, Move.SLOT_EXPIRE, until + timedelta(days=1), f"有效期至 {until}")
        lines = [f"有效期至 {until}，未入编的编制已退回。在有效期内已入编的，请补办登记。"]
        tell(session, act, row.applicant, f"use_{row.number}_expired", f"用编通知单 {row.permit_no}：过期", lines)
    return len(rows)


def _block_unregistered(session: Session, act: Act, as_of: date) -> int:
    """Announced exits whose time to be registered is over."""
    query = select(StaffSlot).where(StaffSlot.status.in_(IN_POST), StaffSlot.planned_exit < as_of)
    known = set(session.scalars(select(StaffBlock.id)))
    count = 0
    for slot in session.scalars(query.order_by(StaffSlot.slot_no).execution_options(populate_existing=True)):
        division = node_of(session, slot.node_id).division_code
        limit = gate_parameters(session, as_of, division)["exit_days"]
        block = block_if_late(session, act, slot, EXIT, slot.planned_exit, limit, registered=False)
        count += block is not None and block.id not in known
    return count
