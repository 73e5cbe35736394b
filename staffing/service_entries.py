"""Use-cases of an entry: 用编执行 (a named person on a numbered post), 办理手续 (the notices), 核发工资."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from core.identity import normalise_code
from core.permissions import Permission
from core.person_identity import Person, keep_person
from pool.acting import Act, Receipt, check_place, once
from pool.ledger import Kind
from pool.models import PoolNode, PoolSlot
from pool.service import book_from_reserve, book_reserve, parse_day
from pool.store import PERMIT
from staffing.blocks import ENTRY, block_if_late
from staffing.chain import IN_POST, Move, Status
from staffing.flow import decide_flow
from staffing.gathering import way_of
from staffing.models import StaffApplication, StaffSlot
from staffing.notices import FINANCE, SENT, acknowledge, notices_of, queue_notices, send_notices
from staffing.store import (
    cell_of,
    check_move,
    check_opened,
    gate_parameters,
    make,
    permit_of,
    permit_slots,
    place_of,
    staff_slot,
    turn,
)  # fmt: skip
from staffing.telling import trail


@dataclass(frozen=True)
class Entry:
    """Who enters where, on which permit. slot_no: one of the permit's, else its first open one. from_*, waiver_no: where
    they are known better than the application says; of somebody who comes by TRANSFER."""

    permit_no: str
    unit_code: str
    post_type: str
    fund_form: str
    person: Person
    entry_date: date | None = None
    slot_no: str | None = None
    from_unit: str | None = None
    from_level: str | None = None
    from_fund_form: str | None = None
    waiver_no: str | None = None


def enter(session: Session, act: Act, entry: Entry) -> Receipt:
    """入编: the person is bound to a slot of the permit; FILL out of its RESERVE, on the day of entry.

    The day of entry decides whether the permit was valid, not the day of registration. → slot, status, movement,
    permit_no, late (the block's number, or None). Refused: OTHER_UNIT, OTHER_CELL, USED, ENTRY_DAY, PERMIT_EXPIRED,
    EXIT_FIRST, PERSON_HOLDS_ONE, REVERSE_FLOW and `chain.Answer`.
    """
    permit = permit_of(session, normalise_code(entry.permit_no))
    node = place_of(session, permit)
    check_place(session, act, Permission.REGISTER_ENTRY, node)
    day = parse_day(entry.entry_date, act)

    def do() -> Receipt:
        fresh = permit_of(session, permit.permit_no)
        check_opened(session, node)
        _check_cell(fresh, entry)
        slot = _open_slot(session, fresh, entry)
        status = check_move(session, act, Move.ENTER, slot, node)
        _check_days(session, act, fresh, slot, day)
        check_person(session, entry.person.key, day)
        _check_way(session, fresh, node, entry, day)
        seq = _fill(session, act, fresh, slot, day)
        keep_person(session, entry.person)
        make(session, act, Move.ENTER, slot, movement=seq, person_key=entry.person.key, person_mask=entry.person.mask,
             entry_form=fresh.entry_form, entry_date=day, entry_registered=act.today, fill_seq=seq,
             from_unit=entry.from_unit or fresh.from_unit, from_level=entry.from_level or fresh.from_level,
             from_fund_form=entry.from_fund_form or fresh.from_fund_form,
             waiver_no=entry.waiver_no or fresh.waiver_no, cancelled_on=None)  # fmt: skip
        if not permit_slots(session, fresh.number, Status.ISSUED, Status.EXPIRED):
            make(session, act, Move.EXECUTE, fresh, ended_on=act.today)
        trail(session, act, "entered", f"slot {slot.slot_no}", movement=seq, permit_no=fresh.permit_no)
        queue_notices(session, act, node, slot, ENTRY, day, f"{day:%Y-%m}")
        limit = gate_parameters(session, act.today, node.division_code)["entry_days"]
        late = block_if_late(session, act, slot, ENTRY, day, limit)
        return {
            "slot": slot.slot_no, "status": status, "movement": seq, "permit_no": fresh.permit_no,
            "late": late.id if late else None,
        }  # fmt: skip

    body = {**{name: value for name, value in vars(entry).items() if name != "person"}, "person": entry.person.key}
    return once(session, act, "enter", body, [node.id], do)


def _check_cell(permit: StaffApplication, entry: Entry) -> None:
    if entry.unit_code != permit.unit_code:
        raise Refused(f"用编通知单 {permit.permit_no} 是另一个单位的，不能在本单位入编。", answer="OTHER_UNIT")
    if (entry.post_type, entry.fund_form) != (permit.post_type, permit.fund_form):
        raise Refused(
            f"用编通知单 {permit.permit_no} 许可的编制类型或经费形式不同，不能据以入编。", answer="OTHER_CELL",
            post_type=permit.post_type, fund_form=permit.fund_form,
        )  # fmt: skip


def _open_slot(session: Session, permit: StaffApplication, entry: Entry) -> StaffSlot:
    if entry.slot_no is not None:
        slot = staff_slot(session, normalise_code(entry.slot_no))
        if slot.application_no != permit.number:
            raise Refused("这个用编序号不属于这件用编通知单。", answer="OTHER_UNIT")
        if slot.person_key is not None:
            raise Refused(f"用编序号 {slot.slot_no} 已有人入编，一编一人。", answer="USED", slot=slot.slot_no)
        return slot
    slots = permit_slots(session, permit.number)
    open_slots = [slot for slot in slots if slot.status in (Status.ISSUED, Status.EXPIRED)]
    if not open_slots and any(slot.person_key for slot in slots):
        raise Refused(f"用编通知单 {permit.permit_no} 的 {permit.posts} 个编制已全部用完。", answer="USED")
    return (open_slots or slots)[0]


def _check_days(session: Session, act: Act, permit: StaffApplication, slot: StaffSlot, day: date) -> None:
    if not permit.granted_on <= day <= act.today:
        raise Refused(
            f"入编时间须在许可之日（{permit.granted_on}）以后、今天以前。", answer="ENTRY_DAY",
            granted_on=permit.granted_on.isoformat(),
        )  # fmt: skip
    if day > permit.valid_until:
        raise Refused(
            f"用编通知单 {permit.permit_no} 有效期至 {permit.valid_until}，{day} 入编已过期。", answer="PERMIT_EXPIRED",
            valid_until=permit.valid_until.isoformat(),
        )  # fmt: skip
    if permit.bound_slot is not None:
        bound = staff_slot(session, permit.bound_slot)
        if bound.exit_date is None or bound.exit_date > day:
            raise Refused(
                f"出一进一：{bound.slot_no} 减编之后才能入编{f'（减编日 {bound.exit_date}）' if bound.exit_date else ''}。",
                answer="EXIT_FIRST", slot=bound.slot_no,
            )  # fmt: skip


def check_person(session: Session, person_key: str, day: date) -> None:
    """One person, one post, here and in the pool, on every day. Errors: Refused PERSON_HOLDS_ONE."""
    held = select(StaffSlot).where(StaffSlot.person_key == person_key, StaffSlot.status.in_(IN_POST))
    other = session.scalar(held.limit(1))
    pooled = session.scalar(
        select(PoolSlot.slot_no).where(PoolSlot.person_key == person_key, PoolSlot.ended_on.is_(None)).limit(1)
    )
    if other is not None or pooled is not None:
        raise Refused("该人员已占用另一个编制，须先减编。", answer="PERSON_HOLDS_ONE")
    later = select(StaffSlot.exit_date).where(StaffSlot.person_key == person_key, StaffSlot.exit_date > day)
    if (until := session.scalar(later.order_by(StaffSlot.exit_date.desc()).limit(1))) is not None:
        raise Refused(f"该人员在原编制上至 {until} 才减编，入编不能更早。", answer="PERSON_HOLDS_ONE")


def _check_way(session: Session, permit: StaffApplication, node: PoolNode, entry: Entry, day: date) -> None:
    way = way_of(
        session, permit, node, day, from_level=entry.from_level, from_form=entry.from_fund_form,
        waiver_no=entry.waiver_no,
    )  # fmt: skip
    decision = decide_flow(way)
    if not decision.allowed:
        raise Refused(decision.sentence, answer="REVERSE_FLOW", flow=decision.answer.value)


def _fill(session: Session, act: Act, permit: StaffApplication, slot: StaffSlot, day: date) -> int:
    """FILL; before it, what the permit no longer holds (expired), or not yet (an exit that made room later), is reserved."""
    cell, reserve = cell_of(permit), permit.reserve_seq
    if reserve is None:
        reserve = book_reserve(session, act, cell, 1, PERMIT, day, slot.slot_no)
        turn(session, permit, reserve_seq=reserve)
    elif slot.status == Status.EXPIRED:
        released = permit.valid_until + timedelta(days=1)
        book_reserve(session, act, cell, 1, PERMIT, released, slot.slot_no, again=reserve)
    return book_from_reserve(session, act, Kind.FILL, cell, reserve, 1, day, slot.slot_no)


def finish_papers(session: Session, act: Act, slot_no: str, note: str = "") -> Receipt:
    """办理手续: the entry notice goes to personnel, finance and medical insurance. → slot, status, notices (sent)."""
    slot = staff_slot(session, slot_no)
    node = place_of(session, slot)
    check_place(session, act, Permission.REGISTER_ENTRY, node)

    def do() -> Receipt:
        fresh = staff_slot(session, slot_no)
        status = check_move(session, act, Move.FINISH_PAPERS, fresh, node)
        sent = send_notices(session, act, node, fresh, ENTRY)
        make(session, act, Move.FINISH_PAPERS, fresh, note=note, papers_on=act.today)
        trail(session, act, "papers_finished", f"slot {slot_no}", notices=sent)
        return {"slot": slot_no, "status": status, "notices": sent}

    return once(session, act, "finish_papers", {"slot": slot_no, "note": note}, [slot.node_id], do)


def note_pay(session: Session, act: Act, slot_no: str, month: str) -> Receipt:
    """核发工资: finance says from which month (YYYY-MM) the person is paid; its notice counts as received.

    → slot, status, pay_from. Refused: PAY_BEFORE_ENTRY.
    """
    slot = staff_slot(session, slot_no)
    node = place_of(session, slot)
    check_place(session, act, Permission.NOTE_PAY, node)
    if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", month or "", re.ASCII):
        raise InputRejected("月份须写作 YYYY-MM。", field="month")

    def do() -> Receipt:
        fresh = staff_slot(session, slot_no)
        status = check_move(session, act, Move.NOTE_PAY, fresh, node)
        if month < f"{fresh.entry_date:%Y-%m}":
            raise Refused(f"{fresh.entry_date} 入编，不能从 {month} 起核发工资。", answer="PAY_BEFORE_ENTRY")
        mine = [notice for notice in notices_of(session, fresh, ENTRY, SENT) if notice.receiver == FINANCE]
        acknowledge(session, act, mine)
        make(session, act, Move.NOTE_PAY, fresh, note=month, pay_from=month)
        trail(session, act, "pay_noted", f"slot {slot_no}", month=month)
        return {"slot": slot_no, "status": status, "pay_from": month}

    return once(session, act, "note_pay", {"slot": slot_no, "month": month}, [slot.node_id], do)
