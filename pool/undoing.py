"""What a reversal does to slots, loans and requests, and which later facts of theirs rest on what it undoes."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import InvariantViolated, Refused
from pool.acting import OFFICE_TIME, REVERSED, Act, node_of
from pool.approvals import REQUEST_MOVES, SLOT_MOVES, Move, Status
from pool.holding import idle_by_day
from pool.homeward import awaiting_home, lender_keeps, note_life, note_withdrawn, taken_home
from pool.ledger import KINDS, Account, Kind
from pool.letters import (
    address_of,
    holders_of,
    not_back_letter,
    officers_of,
    queue_letter,
    reopened_letter,
    restored_letter,
    unhomed_letter,
    unrenewed_letter,
)
from pool.models import PoolEntry, PoolLoan, PoolMovement, PoolSlot, PoolSlotEvent
from pool.policies import add_months
from pool.service_loans import step, turn
from pool.service_slots import check_no_other_slot, turn_slot
from pool.store import loan_of, movement_of, request_of, slot_of, slots_of_loan, terms_on

BACK = (Kind.RETURN, Kind.SWAP)  # a slot's post goes back to its lot
AFTER_THE_END = (Move.HOME, Move.AWAIT, Move.UNHOME)
MOVES_THE_TERM = (Move.RENEW, Move.RECALL, Move.UNRENEW)


def check_life(session: Session, act: Act, movement: PoolMovement) -> None:
    """Whether a slot or loan can be again what it was before the movement. Errors: Refused RESTED_ON, PERSON_HOLDS_ONE."""
    if movement.kind in BACK:
        slot = slot_of(session, movement.slot_no)
        _check_not_used(session, movement, slot)
        if slot.person_key is not None:
            check_no_other_slot(session, slot.person_key)
    if movement.kind == Kind.EXTEND:
        _check_term(session, movement)


def undo_life(session: Session, act: Act, movement: PoolMovement, undone: int) -> None:
    """Slots, loan and request as they were before the movement, and the mails. undone: the REVERSE."""
    if movement.kind == Kind.FILL and movement.slot_no:
        _unfill(session, act, slot_of(session, movement.slot_no), undone)
    if movement.kind == Kind.LEND:
        _reopen(session, act, movement, undone)
    if movement.kind in BACK:
        _restore(session, act, slot_of(session, movement.slot_no), undone)
    if movement.kind == Kind.EXTEND:
        _unrenew(session, act, movement, undone)
    if movement.kind == Kind.WITHDRAW:
        _unhome(session, act, movement, undone)
    if movement.kind == Kind.DEPOSIT:  # all of the lot goes back to its giver, what waited to go home with it
        note_withdrawn(session, act, movement.seq, movement.posts, undone)


def _unfill(session: Session, act: Act, slot: PoolSlot, undone: int) -> None:
    turn_slot(
        session, act, slot, Move.UNFILL, undone, to=_unfilled(slot), person_key=None, person_mask=None, filled_on=None,
        fill_seq=None,
    )  # fmt: skip


def _unfilled(slot: PoolSlot) -> Status:
    """What a slot is without its person: a recall and a term that ran out stand."""
    if slot.status == Status.OVERDUE:
        return Status.OVERDUE
    return Status.RECALLED if slot.recalled_on is not None else Status.ISSUED


def _reopen(session: Session, act: Act, movement: PoolMovement, undone: int) -> None:
    for slot in slots_of_loan(session, movement.loan_no):
        row = SLOT_MOVES[Move.REVERSE]
        turn_slot(session, act, slot, Move.REVERSE, undone, to=row.target, ended_on=act.today)
    request = request_of(session, movement.request_no)
    step(session, act, request, Move.REOPEN, REQUEST_MOVES[Move.REOPEN].target)
    turn(
        session, request, status=REQUEST_MOVES[Move.REOPEN].target, granted=None, loan_no=None, decided_by=None,
        decided_on=None,
    )  # fmt: skip
    letter = reopened_letter(request.number, undone)
    queue_letter(session, letter, address_of(session, request.applicant), act.today, act.portal, act.now)


def _check_not_used(session: Session, movement: PoolMovement, slot: PoolSlot) -> None:
    """The lot still has an idle post on every day from the return on; posts of a lot are one like the other.

    What waits to go home to its lender (R14) is kept for that from its own return on, unless it is this very post.
    """
    idle_on = idle_by_day(session, slot.lot_no, movement.effective_date)
    kept = _kept_beside(session, slot)
    if min(posts - sum(back <= on for back in kept.values()) for on, posts in idle_on) > 0:
        return
    if min(posts for _, posts in idle_on) > 0:
        raise Refused(
            f"归还的编制为出借方保留，等待退回（{'、'.join(kept)}），不能冲正归还。",
            answer="RESTED_ON", awaiting=list(kept), holder=slot.lender_id,
        )  # fmt: skip
    taker = session.scalar(
        select(PoolMovement)
        .join(PoolEntry, PoolEntry.movement_seq == PoolMovement.seq)
        .where(
            PoolEntry.lot == slot.lot_no,
            PoolEntry.account == Account.IDLE,
            PoolEntry.posts < 0,
            PoolMovement.seq > movement.seq,
            PoolMovement.seq.not_in(REVERSED),
        )
        .order_by(PoolMovement.seq.desc())
        .limit(1)
    )
    if taker is not None:
        name = node_of(session, taker.to_holder).name
        label = KINDS[Kind(taker.kind)].label
        raise Refused(
            f"归还的编制已另有用途（后来的第 {taker.seq} 笔“{label}”，{name}），不能冲正归还。",
            answer="RESTED_ON", movement=taker.seq, kind=taker.kind, holder=taker.to_holder,
            **({"request": taker.request_no} if taker.request_no else {}),
        )  # fmt: skip


def _kept_beside(session: Session, slot: PoolSlot) -> dict[str, date]:
    """Other slots of the lot whose post waits to go home, each with the day it came back."""
    waiting = awaiting_home(session, PoolSlot.lot_no == slot.lot_no, PoolSlot.slot_no != slot.slot_no)
    return {row.PoolSlot.slot_no: movement_of(session, row.movement_seq).effective_date for row in waiting}


def _restore(session: Session, act: Act, slot: PoolSlot, undone: int) -> None:
    turn_slot(
        session, act, slot, Move.RESTORE, undone, to=_by_dates(session, act, slot, slot.due_date), ended_on=None,
        own_slot_no=None,
    )  # fmt: skip
    letter = restored_letter(slot.slot_no, slot.due_date, act.today, undone)
    queue_letter(session, letter, officers_of(session, slot.unit_code), act.today, act.portal, act.now)
    if slot.recalled_on is not None and lender_keeps(session, slot):
        lender = holders_of(session, node_of(session, slot.lender_id))
        queue_letter(session, not_back_letter(slot.slot_no, undone), lender, act.today, act.portal, act.now)


def _unhome(session: Session, act: Act, movement: PoolMovement, undone: int) -> None:
    """What the withdrawal took home stays in the pool; no night takes it home again, and the lender is told."""
    slots = taken_home(session, movement.seq)
    note_life(session, act, slots, Move.UNHOME, undone)
    if slots:
        letter = unhomed_letter([slot.slot_no for slot in slots], undone)
        lender = holders_of(session, node_of(session, slots[0].lender_id))
        queue_letter(session, letter, lender, act.today, act.portal, act.now)


def _by_dates(session: Session, act: Act, slot: PoolSlot, due: date) -> Status:
    """The status of a live slot today, by its person, its recall and a due date."""
    if due < act.today:
        return Status.OVERDUE
    if slot.recalled_on is not None:
        return Status.RECALLED
    soon = terms_on(session, act.today, node_of(session, slot.node_id).division_code).due_soon_days
    if due <= act.today + timedelta(days=soon):
        return Status.DUE_SOON
    return Status.FILLED if slot.person_key is not None else Status.ISSUED


def _renewed(session: Session, movement: PoolMovement) -> list[tuple[PoolSlot, date]]:
    """The slots an EXTEND renewed, each with its last good day before. Errors: Refused where that was not kept."""
    rows = session.execute(
        select(PoolSlotEvent.slot_no, PoolSlotEvent.due_before)
        .where(PoolSlotEvent.movement_seq == movement.seq, PoolSlotEvent.move == Move.RENEW)
        .order_by(PoolSlotEvent.slot_no)
    ).all()
    due = _due_without(session, movement)
    return [(slot_of(session, row.slot_no), row.due_before or due) for row in rows]


def _due_without(session: Session, movement: PoolMovement) -> date:
    """The loan's due date before an EXTEND: what the renewal before it set, or what the loan was granted with.

    What a renewal set is what its slots' next change of term found. Errors: Refused where that was not kept.
    """
    loan = loan_of(session, movement.loan_no)
    earlier = session.scalar(
        select(PoolMovement.seq)
        .where(*_extends(loan.loan_no), PoolMovement.seq < movement.seq)
        .order_by(PoolMovement.seq.desc())
        .limit(1)
    )
    if earlier is None:
        return add_months(loan.start_date, loan.months)
    event = PoolSlotEvent
    renewed = select(event.id, event.slot_no).where(event.movement_seq == earlier, event.move == Move.RENEW)
    for number, slot_no in session.execute(renewed).all():
        changed = event.move.in_(MOVES_THE_TERM), event.slot_no == slot_no, event.id > number
        later = session.execute(select(event.due_before).where(*changed).order_by(event.id).limit(1)).one_or_none()
        due = slot_of(session, slot_no).due_date if later is None else later.due_before
        if due is not None:
            return due
    raise Refused("当时没有记下续借前的到期日，不能冲正。", answer="NOT_REVERSIBLE")


def _extends(loan_no: str):
    """Renewals of a loan that stand."""
    return PoolMovement.loan_no == loan_no, PoolMovement.kind == Kind.EXTEND, PoolMovement.seq.not_in(REVERSED)


def _check_term(session: Session, movement: PoolMovement) -> None:
    """Nothing came about within the renewed term alone: no later renewal, return, recall or entry rests on it."""
    later = select(PoolMovement.seq).where(*_extends(movement.loan_no), PoolMovement.seq > movement.seq)
    again = session.scalar(later.limit(1))
    if again is not None:
        raise Refused(f"后来的第 {again} 笔以这笔为依据，不能冲正。", answer="RESTED_ON", movement=again)
    for slot, before in _renewed(session, movement):
        _check_slot_term(session, movement, slot, before)


def _check_slot_term(session: Session, movement: PoolMovement, slot: PoolSlot, before: date) -> None:
    if slot.ended_on is not None:
        ended = session.scalar(
            select(PoolSlotEvent.movement_seq)
            .where(PoolSlotEvent.slot_no == slot.slot_no, PoolSlotEvent.move.not_in(AFTER_THE_END))
            .order_by(PoolSlotEvent.id.desc())
            .limit(1)
        )
        raise Refused(
            f"用编序号 {slot.slot_no} 续借后已归还（第 {ended} 笔），不能冲正续借。", answer="RESTED_ON", movement=ended
        )
    if slot.recalled_on is not None and slot.due_date > before:
        raise Refused(
            f"用编序号 {slot.slot_no} 续借后已发收回通知，到期日 {slot.due_date} 以续借为依据，不能冲正续借。",
            answer="RESTED_ON", slot=slot.slot_no,
        )  # fmt: skip
    if slot.fill_seq is not None and slot.fill_seq > movement.seq:
        entered = movement_of(session, slot.fill_seq).booked_at.astimezone(OFFICE_TIME).date()
        if entered > before:
            raise Refused(
                f"用编序号 {slot.slot_no} 在原到期日 {before} 之后入编（第 {slot.fill_seq} 笔），不能冲正续借。",
                answer="RESTED_ON", movement=slot.fill_seq,
            )  # fmt: skip


def _unrenew(session: Session, act: Act, movement: PoolMovement, undone: int) -> None:
    """The due date as it was, for slots under a recall too soon to rest on the renewal as it is; it may be decided again."""
    back, loan, due = [], loan_of(session, movement.loan_no), _due_without(session, movement)
    for slot, before in _renewed(session, movement):
        if slot.recalled_on is None:
            to = _by_dates(session, act, slot, before)
            turn_slot(session, act, slot, Move.UNRENEW, undone, to=to, due_date=before)
            back.append((slot.slot_no, before))
    done = session.execute(
        update(PoolLoan)
        .where(PoolLoan.loan_no == loan.loan_no, PoolLoan.renewals == loan.renewals)
        .values(due_date=due, renewals=loan.renewals - 1)
        .execution_options(synchronize_session=False)
    )
    if done.rowcount != 1:
        raise InvariantViolated("a loan changed while it was held")
    session.refresh(loan)
    if back:
        letter = unrenewed_letter(loan.loan_no, back, act.today, undone)
        queue_letter(session, letter, officers_of(session, loan.unit_code), act.today, act.portal, act.now)
