"""调编带人: posts move with the people on them, as one dated transaction: TRANSFER, slot, roster row and notices together;
and a merger of units, which carries everybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from core.identity import normalise_code
from core.permissions import Permission
from core.types import EntryForm
from pool.acting import Act, Receipt, check_place, node_of, note_document, once
from pool.crossing import check_crossing
from pool.foresight import Supposed, suppose
from pool.ledger import Cell, Kind
from pool.models import PoolMovement, PoolNode
from pool.service import book_transfer, parse_day
from pool.service_nodes import merge_nodes
from pool.whatif import Trials
from staffing.chain import IN_POST, WAITING, Move, Status
from staffing.deadlines import first_unpaid_month
from staffing.flow import FlowDecision, Way, decide_flow
from staffing.gathering import terms_of, waiver_of
from staffing.models import StaffApplication, StaffSlot
from staffing.notices import ENTRY, EXIT, SENT, queue_notices, send_notices
from staffing.principles import TYPE_LABELS
from staffing.service_permits import bound_to
from staffing.store import (
    cell_of,
    check_move,
    check_opened,
    gate_node,
    make,
    place_of,
    staff_slot,
    step,
)  # fmt: skip
from staffing.telling import trail

REASON = "调编带人"


def carry_posts(
    session: Session, act: Act, slot_nos: Sequence[str], unit_code: str, document_no: str, *,
    effective: date | None = None, central_no: str | None = None, waiver_no: str | None = None,
) -> Receipt:  # fmt: skip
    """Posts of one unit go to another (also of another level) with the people on them, by a document, from a day on.

    The numbers stay; each has a row per unit. → slots, movements, unit. Refused: TYPE_NOT_ALLOWED, REVERSE_FLOW (upwards,
    without waiver), NEEDS_CENTRAL_NUMBER, EXIT_ANNOUNCED, ENTRY_DAY, NOT_ENOUGH.
    """
    numbers = [normalise_code(number) for number in slot_nos]
    if not numbers or len(set(numbers)) != len(numbers):
        raise InputRejected("请选择要划转的用编序号，每个一次。", field="slots")
    slots = [staff_slot(session, number) for number in numbers]
    if len({slot.node_id for slot in slots}) != 1:
        raise InputRejected("一次只能划转一个单位的编制。", field="slots")
    giver, taker = place_of(session, slots[0]), gate_node(session, act, Permission.CARRY_POST, unit_code)
    check_place(session, act, Permission.CARRY_POST, giver)
    day, waiver_no = parse_day(effective, act), normalise_code(waiver_no or "") or None
    if giver.id == taker.id:
        raise Refused("划出和划入是同一个单位。", answer="SAME_NODE")

    def do() -> Receipt:
        check_opened(session, giver)
        check_opened(session, taker)
        document = note_document(session, act, document_no)
        movements = [
            carry_one(session, act, staff_slot(session, number), giver, taker, day, document, central_no, waiver_no)
            for number in numbers
        ]
        trail(session, act, "carried", f"slot {numbers[0]}", slots=numbers, unit=unit_code, document_no=document)
        return {"slots": numbers, "movements": movements, "unit": unit_code}

    body = {
        "slots": numbers, "unit": unit_code, "document_no": document_no, "effective": effective,
        "central_no": central_no, "waiver": waiver_no,
    }  # fmt: skip
    return once(session, act, "carry_posts", body, [giver.id, taker.id], do)


def check_carry(
    session: Session, act: Act, slot: StaffSlot, giver: PoolNode, taker: PoolNode, day: date,
    central_no: str | None, waiver_no: str | None,
) -> None:  # fmt: skip
    """Errors: Refused when this person on this post cannot go along to that unit on that day."""
    check_move(session, act, Move.CARRY, slot, giver)
    if day > act.today or (slot.entry_date is not None and day <= slot.entry_date):
        raise Refused("划转时间须在入编之后、今天以前。", answer="ENTRY_DAY")
    check_nothing_waits(session, slot)
    check_type(session, act, slot.post_type, giver, taker, central_no)
    decision = _flow(session, slot, giver, taker, day, waiver_no)
    if not decision.allowed:
        raise Refused(decision.sentence, answer="REVERSE_FLOW", flow=decision.answer.value)


def check_type(
    session: Session, act: Act, post_type: str, giver: PoolNode, taker: PoolNode, central_no: str | None
) -> None:
    """Errors: Refused when a unit may not use posts of a type, or they cross levels without the central office."""
    allowed = terms_of(session, taker, act.today).allowed_types
    if post_type not in allowed:
        words = "、".join(TYPE_LABELS.get(kind, kind) for kind in allowed)
        raise Refused(f"{taker.name}按机构类别只能使用：{words}。", answer="TYPE_NOT_ALLOWED")
    check_crossing(giver, taker, post_type, central_no)


def carry_one(
    session: Session, act: Act, slot: StaffSlot, giver: PoolNode, taker: PoolNode, day: date, document: str,
    central_no: str | None = None, waiver_no: str | None = None,
) -> int:  # fmt: skip
    """One post with its person: checked, TRANSFER booked, the slot's row ended and begun anew. → the movement."""
    check_carry(session, act, slot, giver, taker, day, central_no, waiver_no)
    given, taken = cell_of(slot), Cell(taker.id, slot.post_type, slot.fund_form)
    seq = book_transfer(session, act, given, taken, 1, 1, day, document, central_no, slot.slot_no)
    arrive(session, act, slot, giver, taker, day, seq, waiver_no)
    return seq


def _flow(session, slot: StaffSlot, giver: PoolNode, taker: PoolNode, day: date, waiver_no) -> FlowDecision:
    return decide_flow(Way(
        EntryForm.TRANSFER, taker.unit_code, taker.level, slot.fund_form, day, giver.level, slot.fund_form,
        waiver_of(session, waiver_no),
    ))  # fmt: skip


def check_nothing_waits(session: Session, slot: StaffSlot) -> None:
    """Errors: Refused while an exit is announced: a permit may rest on it, and a carried post makes no room."""
    if slot.planned_exit is not None or bound_to(session, slot.slot_no, *WAITING, Status.GRANTED):
        raise Refused(f"{slot.slot_no} 已预报减编，须先撤销预报才能划转。", answer="EXIT_ANNOUNCED")


def arrive(
    session: Session, act: Act, slot: StaffSlot, giver: PoolNode, taker: PoolNode, day: date, seq: int,
    waiver_no: str | None = None,
) -> None:  # fmt: skip
    """End the row at the old unit and begin one at the new, same number, same person, with the notices of both."""
    same = (
        "slot_no",
        "application_no",
        "permit_no",
        "post_type",
        "fund_form",
        "work_kind",
        "leader_tier",
        "person_key",
        "person_mask",
    )
    kept = {name: getattr(slot, name) for name in same}
    make(session, act, Move.CARRY, slot, movement=seq, exit_date=day, exit_reason=REASON, exit_registered=act.today,
         first_unpaid=first_unpaid_month(day), vacate_seq=seq)  # fmt: skip
    session.execute(insert(StaffSlot.__table__), [kept | {
        "source": "CARRIED", "node_id": taker.id, "unit_code": taker.unit_code, "status": Status.FILLED.value,
        "issued_on": act.today, "entry_form": EntryForm.TRANSFER.value, "entry_date": day, "entry_registered": act.today,
        "from_unit": giver.unit_code, "from_level": giver.level, "from_fund_form": slot.fund_form,
        "waiver_no": waiver_no, "fill_seq": seq, "version": 1,
    }])  # fmt: skip
    step(session, act, Move.ARRIVE, slot.slot_no, None, Status.FILLED, movement=seq)
    send_notices(session, act, giver, slot, ENTRY)
    queue_notices(session, act, giver, slot, EXIT, day, first_unpaid_month(day), SENT)
    queue_notices(session, act, taker, staff_slot(session, slot.slot_no), ENTRY, day, f"{day:%Y-%m}")


def merge_units(
    session: Session, act: Act, node_id: str, into_id: str, document_no: str, effective: date | None = None,
    central_no: str | None = None,
) -> Receipt:  # fmt: skip
    """Merge a unit (`U:code`) into another with posts, people and slots in one transaction: what every door calls.

    → as `pool.service_nodes.merge_nodes`. Refused: PERMITS_OPEN while applications or permits are under way there, and as
    `merge_nodes`.
    """
    node, into = node_of(session, node_id), node_of(session, into_id)
    if node.closed_on is None:
        check_place(session, act, Permission.REORGANISE, node)
        check_none_under_way(session, node)
    answer = merge_nodes(session, act, node_id, into_id, document_no, effective, central_no)
    follow_merger(session, act, node, into, parse_day(effective, act))
    return answer


def suppose_change(session: Session, change: Supposed, on: date) -> Trials:
    """`pool.foresight.suppose`, refused also where `merge_units` is: what every door's what-if calls."""
    if change.kind == "MERGE":
        check_none_under_way(session, node_of(session, change.node))
    return suppose(session, change, on)


def check_none_under_way(session: Session, node: PoolNode) -> None:
    """Errors: Refused while a unit has applications or permits that are not at their end."""
    under_way = select(StaffApplication.number).where(
        StaffApplication.node_id == node.id, StaffApplication.status.in_([*WAITING, Status.GRANTED])
    )
    if (number := session.scalar(under_way.limit(1))) is not None:
        raise Refused(f"还有在办的用编申请或许可（{number}），须先办结或撤销。", answer="PERMITS_OPEN")


def follow_merger(session: Session, act: Act, node: PoolNode, into: PoolNode, day: date) -> int:
    """Slots and roster of a unit that was merged go along; done already they are left alone. Returns how many."""
    query = select(StaffSlot).where(StaffSlot.node_id == node.id, StaffSlot.status.in_(IN_POST))
    slots = list(session.scalars(query.order_by(StaffSlot.slot_no).execution_options(populate_existing=True)))
    moved = _transfers(session, node, into) if slots else {}
    for slot in slots:
        start = day if slot.entry_date is None or slot.entry_date < day else act.today
        arrive(session, act, slot, node, into, start, moved[slot.post_type, slot.fund_form])
    if slots:
        trail(session, act, "followed", f"unit {node.unit_code}", into=into.unit_code, slots=len(slots))
    return len(slots)


def _transfers(session: Session, node: PoolNode, into: PoolNode) -> dict[tuple[str, str], int]:
    """The merger's movement per partition."""
    rows = session.execute(
        select(PoolMovement.post_type, PoolMovement.fund_form, PoolMovement.seq)
        .where(
            PoolMovement.kind == Kind.TRANSFER, PoolMovement.source == "MERGER", PoolMovement.from_holder == node.id,
            PoolMovement.to_holder == into.id,
        )
        .order_by(PoolMovement.seq)
    )  # fmt: skip
    return {(row.post_type, row.fund_form): row.seq for row in rows}
