"""A movement undone where the gate has people: who was given back a pool post may not sit on a post of ours meanwhile."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from pool.acting import Act, Receipt
from pool.ledger import Kind
from pool.models import PoolMovement, PoolSlot
from pool.service_reversal import reverse_movement
from pool.store import movement_of, slot_of
from staffing.chain import IN_POST
from staffing.models import StaffSlot

GIVEN_BACK = (Kind.RETURN, Kind.VACATE, Kind.SWAP)


def undo_movement(session: Session, act: Act, seq: int, document_no: str) -> Receipt:
    """`pool.service_reversal.reverse_movement`, refused also where the person of a slot that comes back sits on a post of
    the gate (PERSON_HOLDS_ONE), or a swap's own number is in use there (RESTED_ON)."""
    movement = movement_of(session, seq)
    if session.scalar(select(PoolMovement.seq).where(PoolMovement.reverses == seq)) is not None:
        return reverse_movement(session, act, seq, document_no)  # replayed or refused; what came since is none of its
    slot = slot_of(session, movement.slot_no) if movement.kind in GIVEN_BACK and movement.loan_no else None
    own = slot.own_slot_no if slot is not None else None
    answer = reverse_movement(session, act, seq, document_no)
    if slot is not None:
        session.refresh(slot)
        _check_gate(session, slot, own)
    return answer


def _check_gate(session: Session, slot: PoolSlot, own: str | None) -> None:
    """A replay finds what it did; whoever sits on a live pool slot was let in nowhere else since."""
    if own is not None and session.scalar(select(StaffSlot.id).where(StaffSlot.slot_no == own).limit(1)) is not None:
        raise Refused(f"置换后的用编序号 {own} 已登记在用编执行中，不能冲正置换。", answer="RESTED_ON", slot=own)
    if slot.ended_on is not None or slot.person_key is None:
        return
    held = select(StaffSlot.slot_no).where(
        StaffSlot.person_key == slot.person_key, StaffSlot.status.in_(IN_POST)
    )  # fmt: skip
    if (number := session.scalar(held.limit(1))) is not None:
        raise Refused(f"该人员已在用编序号 {number} 上，须先减编，才能冲正。", answer="PERSON_HOLDS_ONE", slot=number)
