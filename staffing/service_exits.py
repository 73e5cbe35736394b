"""Use-cases of an exit: record who was there before the gate, announce, register, undo, cancel the slot number."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from core.errors import Refused
from core.permissions import Permission
from core.person_identity import Person, keep_person
from core.types import WorkKind
from pool.acting import Act, Receipt, check_place, next_number, note_document, once
from pool.ledger import NO_PURPOSE, Account, Cell, parse_cell
from pool.models import PoolBalance, PoolMovement, PoolNode, PoolSlot
from pool.posting import book
from pool.service import book_vacate, parse_day
from pool.service_reversal import reverse_booking
from pool.store import movement_of
from staffing.blocks import EXIT, block_if_late
from staffing.chain import IN_POST, Move, Status
from staffing.deadlines import first_unpaid_month
from staffing.models import StaffSlot
from staffing.notices import (
    ACKNOWLEDGED,
    ENTRY,
    FINANCE,
    SENT,
    notices_of,
    queue_notices,
    send_notices,
    withdraw_notices,
)  # fmt: skip
from staffing.service_entries import check_person
from staffing.service_permits import kill_bound, reserve_bound
from staffing.store import (
    cell_of,
    check_move,
    check_opened,
    gate_node,
    gate_parameters,
    make,
    place_of,
    staff_slot,
    step,
    text_of,
)  # fmt: skip
from staffing.telling import trail

REASON_MOST = 200


def record_person(
    session: Session, act: Act, unit_code: str, post_type: str, fund_form: str, person: Person, *,
    work_kind: str | None = None,
) -> Receipt:  # fmt: skip
    """Somebody who was in post when the ledger opened gets a slot number; nothing moves. → slot, status.

    A person swapped off a pool post keeps the number the swap gave. Refused: NOBODY_MORE when the ledger has no more
    people in the cell than are recorded, PERSON_HOLDS_ONE.
    """
    node = gate_node(session, act, Permission.REGISTER_ENTRY, unit_code)
    cell = parse_cell(node.id, post_type, fund_form)
    if work_kind is not None:
        work_kind = WorkKind(work_kind).value if work_kind in set(WorkKind) else None

    def do() -> Receipt:
        check_opened(session, node)
        check_move(session, act, Move.RECORD, None, node)
        slot = record_opening(session, act, node, cell, person, work_kind)
        return {"slot": slot.slot_no, "status": slot.status}

    body = {**cell._asdict(), "person": person.key, "work_kind": work_kind}
    return once(session, act, "record_person", body, [node.id], do)


def record_opening(
    session: Session, act: Act, node: PoolNode, cell: Cell, person: Person, work_kind: str | None = None
) -> StaffSlot:
    """The row of somebody the ledger counts and the gate has not named yet. Errors: Refused."""
    check_person(session, person.key, act.today)
    known = recorded_count(session, cell)
    if known >= (people := in_use_count(session, cell)):
        raise Refused(
            f"账上该类编制在编 {people} 人，已登记 {known} 人，没有未登记的人员。", answer="NOBODY_MORE", has=people
        )
    swapped = select(PoolSlot.own_slot_no).where(
        PoolSlot.person_key == person.key, PoolSlot.node_id == node.id, PoolSlot.own_slot_no.is_not(None)
    )
    number = session.scalar(swapped.order_by(PoolSlot.ended_on.desc()).limit(1))
    if number is None or session.scalar(select(StaffSlot.id).where(StaffSlot.slot_no == number)) is not None:
        (number,) = next_number(session, f"own:{act.today.year}", f"BZ{act.today.year}")
    keep_person(session, person)
    session.execute(insert(StaffSlot.__table__), [{
        "slot_no": number, "source": "OPENING", "node_id": node.id, "unit_code": node.unit_code,
        "post_type": cell.post_type, "fund_form": cell.fund_form, "work_kind": work_kind, "status": Status.PAID.value,
        "issued_on": act.today, "person_key": person.key, "person_mask": person.mask, "version": 1,
    }])  # fmt: skip
    step(session, act, Move.RECORD, number, None, Status.PAID)
    trail(session, act, "person_recorded", f"slot {number}", unit=node.unit_code)
    return staff_slot(session, number)


def in_use_count(session: Session, cell: Cell) -> int:
    """People on own posts of a cell by the ledger, whatever the day."""
    posts = session.scalar(
        select(func.sum(PoolBalance.posts)).where(
            PoolBalance.account == Account.IN_USE, PoolBalance.holder == cell.holder, PoolBalance.purpose == NO_PURPOSE,
            PoolBalance.post_type == cell.post_type, PoolBalance.fund_form == cell.fund_form,
        )
    )  # fmt: skip
    return int(posts or 0)


def recorded_count(session: Session, cell: Cell) -> int:
    """People in post of a cell whom the gate has named."""
    return session.scalar(
        select(func.count())
        .select_from(StaffSlot)
        .where(
            StaffSlot.node_id == cell.holder, StaffSlot.post_type == cell.post_type,
            StaffSlot.fund_form == cell.fund_form, StaffSlot.status.in_(IN_POST),
        )
    )  # fmt: skip


def announce_exit(session: Session, act: Act, slot_no: str, planned: date, reason: str) -> Receipt:
    """预报减编: a named exit to come, to which a permit may be bound. planned: first day no longer in post. → slot, planned."""
    slot = staff_slot(session, slot_no)
    node = place_of(session, slot)
    check_place(session, act, Permission.ANNOUNCE_EXIT, node)
    reason, day = text_of(reason, "reason", "请填写减编原因。", REASON_MOST), parse_day(planned, act)

    def do() -> Receipt:
        fresh = staff_slot(session, slot_no)
        check_move(session, act, Move.ANNOUNCE_EXIT, fresh, node)
        if fresh.entry_date is not None and day <= fresh.entry_date:
            raise Refused("减编须在入编之后。", answer="EXIT_DAY")
        make(session, act, Move.ANNOUNCE_EXIT, fresh, note=reason, planned_exit=day, planned_reason=reason)
        trail(session, act, "exit_announced", f"slot {slot_no}", planned=day)
        return {"slot": slot_no, "planned": day}

    body = {"slot": slot_no, "planned": planned, "reason": reason}
    return once(session, act, "announce_exit", body, [slot.node_id], do)


def recant_exit(session: Session, act: Act, slot_no: str, reason: str) -> Receipt:
    """The announced exit does not come: what was bound to it is dead. → slot, dead (numbers of applications)."""
    slot = staff_slot(session, slot_no)
    node = place_of(session, slot)
    check_place(session, act, Permission.ANNOUNCE_EXIT, node)
    reason = text_of(reason, "reason", "请填写撤销预报的理由。", REASON_MOST)

    def do() -> Receipt:
        fresh = staff_slot(session, slot_no)
        check_move(session, act, Move.RECANT_EXIT, fresh, node)
        if fresh.planned_exit is None:
            raise Refused("没有预报减编。", answer="NOT_ANNOUNCED")
        dead = kill_bound(session, act, slot_no, "预报减编已撤销")
        make(session, act, Move.RECANT_EXIT, fresh, note=reason, planned_exit=None, planned_reason=None)
        block_if_late(session, act, fresh, EXIT, act.today, 0)  # an exit awaited too long is settled by not coming
        trail(session, act, "exit_recanted", f"slot {slot_no}", dead=dead)
        return {"slot": slot_no, "dead": dead}

    return once(session, act, "recant_exit", {"slot": slot_no, "reason": reason}, [slot.node_id], do)


def register_exit(session: Session, act: Act, slot_no: str, exit_date: date | None, reason: str) -> Receipt:
    """减编: VACATE, the notices with the first month without pay, and the permits that waited for it are open.

    exit_date: first day no longer in post. → slot, status, movement, first_unpaid (YYYY-MM), late (the block's number, or
    None), opened (applications). Refused: EXIT_DAY.
    """
    slot = staff_slot(session, slot_no)
    node = place_of(session, slot)
    check_place(session, act, Permission.REGISTER_EXIT, node)
    reason = text_of(reason, "reason", "请填写减编原因。", REASON_MOST)

    def do() -> Receipt:
        return _leave(session, act, node, staff_slot(session, slot_no), parse_day(exit_date, act), reason)

    body = {"slot": slot_no, "exit_date": exit_date, "reason": reason}
    return once(session, act, "register_exit", body, [slot.node_id], do)


def register_exit_of(
    session: Session, act: Act, unit_code: str, post_type: str, fund_form: str, person: Person,
    exit_date: date | None, reason: str,
) -> Receipt:  # fmt: skip
    """The same by name: of somebody in post since before the ledger opened the row is made on the way out. → as
    `register_exit`. Refused: NOBODY_MORE, OTHER_CELL."""
    node = gate_node(session, act, Permission.REGISTER_EXIT, unit_code)
    cell = parse_cell(node.id, post_type, fund_form)
    reason = text_of(reason, "reason", "请填写减编原因。", REASON_MOST)

    def do() -> Receipt:
        check_opened(session, node)
        held = select(StaffSlot).where(StaffSlot.person_key == person.key, StaffSlot.status.in_(IN_POST))
        slot = session.scalar(held.execution_options(populate_existing=True))
        if slot is not None and cell_of(slot) != cell:
            raise Refused("该人员不在本单位这一类编制上。", answer="OTHER_CELL")
        if slot is None:
            slot = record_opening(session, act, node, cell, person)
        return _leave(session, act, node, slot, parse_day(exit_date, act), reason)

    body = {**cell._asdict(), "person": person.key, "exit_date": exit_date, "reason": reason}
    return once(session, act, "register_exit_of", body, [node.id], do)


def _leave(session: Session, act: Act, node: PoolNode, slot: StaffSlot, day: date, reason: str) -> Receipt:
    status = check_move(session, act, Move.EXIT, slot, node)
    if day > act.today or (slot.entry_date is not None and day <= slot.entry_date):
        raise Refused("减编时间须在入编之后、今天以前。", answer="EXIT_DAY")
    seq = book_vacate(session, act, cell_of(slot), 1, day, slot.slot_no, slot.fill_seq)
    month = first_unpaid_month(day)
    make(session, act, Move.EXIT, slot, movement=seq, note=reason, status_before=slot.status, exit_date=day,
         exit_reason=reason, exit_registered=act.today, first_unpaid=month, vacate_seq=seq)  # fmt: skip
    trail(session, act, "left", f"slot {slot.slot_no}", movement=seq, first_unpaid=month)
    send_notices(session, act, node, slot, ENTRY)  # who leaves before the papers were done was still there
    queue_notices(session, act, node, slot, EXIT, day, month, SENT)
    limit = gate_parameters(session, act.today, node.division_code)["exit_days"]
    late = block_if_late(session, act, slot, EXIT, day, limit)
    opened = reserve_bound(session, act, slot.slot_no, day)
    return {
        "slot": slot.slot_no, "status": status, "movement": seq, "first_unpaid": month,
        "late": late.id if late else None, "opened": opened,
    }  # fmt: skip


def undo_exit(session: Session, act: Act, slot_no: str, document_no: str, reason: str) -> Receipt:
    """The director undoes an exit, under a document: REVERSE of the VACATE, the notices are taken back, and a permit bound
    to it dies. → slot, status, movement, dead (applications). Refused: BOUND_EXECUTED, PERSON_HOLDS_ONE, NOT_ENOUGH."""
    slot = staff_slot(session, slot_no)
    node = place_of(session, slot)
    check_place(session, act, Permission.UNDO_EXIT, node)
    reason = text_of(reason, "reason", "请填写撤销减编的理由。", REASON_MOST)

    def do() -> Receipt:
        fresh = staff_slot(session, slot_no)
        check_move(session, act, Move.UNDO_EXIT, fresh, node)
        number = note_document(session, act, document_no)
        check_person(session, fresh.person_key, fresh.exit_date)
        dead = kill_bound(session, act, slot_no, "减编已撤销")
        back = Status(fresh.status_before)
        movement = movement_of(session, fresh.vacate_seq)
        _check_reversed_once(session, movement)
        seq = book(session, reverse_booking(session, movement, number), act.login, act.now)
        make(session, act, Move.UNDO_EXIT, fresh, to=back, movement=seq, note=reason, exit_date=None, exit_reason=None,
             exit_registered=None, first_unpaid=None, vacate_seq=None, status_before=None, planned_exit=None,
             planned_reason=None)  # fmt: skip
        withdraw_notices(session, act, node, fresh, EXIT)
        trail(session, act, "exit_undone", f"slot {slot_no}", movement=seq, dead=dead, document_no=number)
        return {"slot": slot_no, "status": back, "movement": seq, "dead": dead}

    body = {"slot": slot_no, "document_no": document_no, "reason": reason}
    return once(session, act, "undo_exit", body, [slot.node_id], do)


def _check_reversed_once(session: Session, movement: PoolMovement) -> None:
    if session.scalar(select(PoolMovement.seq).where(PoolMovement.reverses == movement.seq)) is not None:
        raise Refused("这次减编已撤销过。", answer="REVERSED")


def cancel_slot(session: Session, act: Act, slot_no: str) -> Receipt:
    """The number of somebody who left is cancelled, once finance has acknowledged that pay stops. → slot, status.

    Refused: PAY_NOT_STOPPED.
    """
    slot = staff_slot(session, slot_no)
    node = place_of(session, slot)
    check_place(session, act, Permission.CANCEL_SLOT, node)

    def do() -> Receipt:
        fresh = staff_slot(session, slot_no)
        status = check_move(session, act, Move.CANCEL, fresh, node)
        stopped = [n for n in notices_of(session, fresh, EXIT, ACKNOWLEDGED) if n.receiver == FINANCE]
        if not stopped:
            raise Refused("财政尚未签收减编通知单（停薪），不能注销用编序号。", answer="PAY_NOT_STOPPED")
        make(session, act, Move.CANCEL, fresh, cancelled_on=act.today)
        trail(session, act, "slot_cancelled", f"slot {slot_no}")
        return {"slot": slot_no, "status": status}

    return once(session, act, "cancel_slot", {"slot": slot_no}, [slot.node_id], do)
