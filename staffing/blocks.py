"""Late entries and exits: what blocks a unit's next plan until it is registered and the director has released it †."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.calendar import weekday_years
from core.errors import NotFound, Refused
from core.permissions import Permission
from pool.acting import NOT_HERE, Act, Receipt, check_place, node_of, once
from staffing.deadlines import last_working_day, working_days_late
from staffing.models import StaffBlock, StaffSlot
from staffing.store import text_of
from staffing.telling import tell_unit, trail

ENTRY, EXIT = "ENTRY", "EXIT"
WORDS = {ENTRY: "入编", EXIT: "减编"}


def open_blocks(session: Session, unit_code: str) -> list[StaffBlock]:
    """Blocks of a unit that still stand, oldest first."""
    query = select(StaffBlock).where(StaffBlock.unit_code == unit_code, StaffBlock.released_on.is_(None))
    return list(session.scalars(query.order_by(StaffBlock.id).execution_options(populate_existing=True)))


def block_if_late(
    session: Session, act: Act, slot: StaffSlot, kind: str, changed: date, limit: int, *, registered: bool = True
) -> StaffBlock | None:
    """Note a change registered today (or still not registered) later than so many working days after it, once."""
    late = working_days_late(changed, act.today, limit)
    query = select(StaffBlock).where(
        StaffBlock.slot_id == slot.id, StaffBlock.kind == kind, StaffBlock.released_on.is_(None),
        StaffBlock.registered_on.is_(None),
    )  # fmt: skip
    block = session.scalar(query.order_by(StaffBlock.id).limit(1).execution_options(populate_existing=True))
    if block is None and not late:
        return None
    if block is None:
        known = select(StaffBlock).where(
            StaffBlock.slot_id == slot.id, StaffBlock.kind == kind, StaffBlock.changed_on == changed
        )
        if (before := session.scalar(known)) is not None:
            return before
        due = last_working_day(changed, limit)
        block = StaffBlock(
            slot_id=slot.id, slot_no=slot.slot_no, unit_code=slot.unit_code, node_id=slot.node_id, kind=kind,
            changed_on=changed, due_on=due, weekday_years=weekday_years(changed, due), opened_on=act.today,
        )  # fmt: skip
        session.add(block)
        session.flush()
        trail(session, act, "blocked", f"slot {slot.slot_no}", kind=kind, unit=slot.unit_code, days=late)
        subject = f"{WORDS[kind]}逾期登记：{slot.slot_no}"
        lines = [f"应于 {block.due_on} 前登记。登记并经编委主任同意解除之前，本单位不能申报用编计划。"]
        lines += [block.due_note] if block.due_note else []
        tell_unit(session, act, slot.unit_code, f"block_{block.id}", subject, lines)
    if registered:
        block.registered_on = act.today
        session.flush()
    return block


def release_block(session: Session, act: Act, block_id: int, reason: str) -> Receipt:
    """The director lets the unit plan again after a late registration. → block, slot. Refused: NOT_REGISTERED, RELEASED."""
    block = session.get(StaffBlock, block_id)
    if block is None:
        raise NotFound(NOT_HERE)
    check_place(session, act, Permission.RELEASE_BLOCK, node_of(session, block.node_id))
    reason = text_of(reason, "reason", "请填写同意解除的理由。")

    def do() -> Receipt:
        session.refresh(block)
        if block.released_on is not None:
            raise Refused("已经解除。", answer="RELEASED")
        if block.registered_on is None:
            raise Refused(f"{block.slot_no} 的{WORDS[block.kind]}尚未登记，先登记再解除。", answer="NOT_REGISTERED")
        block.released_on, block.released_by, block.reason = act.today, act.login, reason
        session.flush()
        trail(session, act, "block_released", f"slot {block.slot_no}", kind=block.kind, unit=block.unit_code)
        return {"block": block.id, "slot": block.slot_no}

    return once(session, act, "release_block", {"block": block_id, "reason": reason}, [block.node_id], do)
