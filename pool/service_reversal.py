"""Undoing a mistake: REVERSE points at the movement it undoes, and is refused while later ones rest on it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from core.permissions import Permission
from pool import entries
from pool.acting import Act, Receipt, check_place, node_of, note_document, once, open_node
from pool.approvals import REQUEST_MOVES, SLOT_MOVES, Move, Status
from pool.ledger import KINDS, Entry, Key, Kind
from pool.letters import address_of, queue_letter, reopened_letter
from pool.models import PoolEntry, PoolMovement, PoolNode, PoolRequest, PoolSlot
from pool.posting import Booking, book
from pool.service import trail
from pool.service_loans import step, turn
from pool.service_slots import turn_slot
from pool.store import movement_of, request_of, slot_of, slots_of_loan


def reverse_movement(session: Session, act: Act, seq: int, document_no: str) -> Receipt:
    """REVERSE by the director under a document, effective on the day of the first. → movement, reverses.

    A reversed LEND takes its slots away and puts the request back to REVIEWED, its posts pending again; a reversed FILL
    of a slot leaves the slot issued, recalled or overdue, as it would be without its person. Refused: NOT_REVERSIBLE, REVERSED, RESTED_ON, or a balance too small on some day.
    """
    movement = movement_of(session, seq)
    nodes = [node_of(session, holder) for holder in _holders(movement)]
    for place in _places(session, movement) or nodes:
        check_place(session, act, Permission.REVERSE_MOVEMENT, place)

    def do() -> Receipt:
        for node in nodes:
            session.refresh(node)
            open_node(node)
        check_reversible(session, movement)
        number = note_document(session, act, document_no)
        undone = book(session, reverse_booking(session, movement, number), act.login, act.now)
        _undo_life(session, act, movement, undone)
        trail(session, act, "reverse", f"movement {undone}", reverses=seq, document_no=number)
        return {"movement": undone, "reverses": seq}

    ids = [node.id for node in nodes]
    return once(session, act, Kind.REVERSE, {"movement": seq, "document_no": document_no}, ids, do)


def _holders(movement: PoolMovement) -> list[str]:
    return sorted({movement.from_holder, movement.to_holder} - {None})


def _places(session: Session, movement: PoolMovement) -> list[PoolNode]:
    """A LEND is undone where it was decided; every other movement by the director of its holders."""
    if movement.kind != Kind.LEND:
        return []
    request = request_of(session, movement.request_no)
    return [node_of(session, request.decision_node)] if request.decision_node != _parent(session, request) else []


def _parent(session: Session, request: PoolRequest) -> str | None:
    return node_of(session, request.node_id).parent_id


def _undo_life(session: Session, act: Act, movement: PoolMovement, undone: int) -> None:
    if movement.kind == Kind.FILL and movement.slot_no:
        slot = slot_of(session, movement.slot_no)
        turn_slot(
            session, act, slot, Move.UNFILL, undone, to=_unfilled(slot), person_key=None, person_mask=None, filled_on=None,
            fill_seq=None,
        )  # fmt: skip
    if movement.kind == Kind.LEND:
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


def _unfilled(slot: PoolSlot) -> Status:
    """What a slot is without its person: a recall and a term that ran out stand."""
    if slot.status == Status.OVERDUE:
        return Status.OVERDUE
    return Status.RECALLED if slot.recalled_on is not None else Status.ISSUED


def entries_of(session: Session, seq: int) -> list[Entry]:
    """The entries of a movement, in order."""
    rows = session.scalars(select(PoolEntry).where(PoolEntry.movement_seq == seq).order_by(PoolEntry.line))
    return [
        Entry(Key(row.account, row.holder, row.post_type, row.fund_form, row.purpose, row.lot), row.posts)
        for row in rows
    ]


def check_reversible(session: Session, movement: PoolMovement) -> None:
    """Errors: Refused for a kind that is undone another way, one reversed before, or one that others rest on."""
    row = KINDS[Kind(movement.kind)]
    if movement.slot_no and not movement.loan_no:
        raise Refused("这笔由用编执行生成，请在用编执行中撤销。", answer="OF_THE_GATE")
    if not row.reversible or (movement.kind == Kind.VACATE and movement.slot_no):
        raise Refused(f"“{row.label}”不能冲正。", answer="NOT_REVERSIBLE")
    if session.scalar(select(PoolMovement.seq).where(PoolMovement.reverses == movement.seq)) is not None:
        raise Refused("这笔已冲正过。", answer="REVERSED")
    undone = select(PoolMovement.reverses).where(PoolMovement.reverses.is_not(None))
    later = session.scalar(
        select(PoolMovement.seq)
        .where(
            PoolMovement.rests_on == movement.seq, PoolMovement.kind != Kind.REVERSE, PoolMovement.seq.not_in(undone)
        )
        .order_by(PoolMovement.seq)
        .limit(1)
    )
    if later is not None:
        raise Refused(f"后来的第 {later} 笔以这笔为依据，不能冲正。", answer="RESTED_ON", movement=later)


def reverse_booking(session: Session, movement: PoolMovement, number: str) -> Booking:
    """The same entries the other way, on the same day."""
    legs = entries.reversed_entries(entries_of(session, movement.seq))
    return Booking(
        Kind.REVERSE, lambda _: legs, movement.posts, (movement.post_type, movement.fund_form),
        movement.effective_date, purpose=movement.purpose, from_holder=movement.from_holder,
        to_holder=movement.to_holder, document_no=number, request_no=movement.request_no, loan_no=movement.loan_no,
        slot_no=movement.slot_no, reverses=movement.seq, rests_on=movement.seq,
    )  # fmt: skip
