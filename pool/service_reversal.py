"""Undoing a mistake: REVERSE points at the movement it undoes, and is refused while later ones rest on it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Forbidden, Refused
from core.permissions import Permission
from pool import entries
from pool.acting import REVERSED, Act, Receipt, check_place, node_of, note_document, once, open_node
from pool.ledger import KINDS, Entry, Key, Kind
from pool.models import PoolEntry, PoolMovement, PoolNode, PoolRequest
from pool.posting import Booking, book
from pool.service import trail
from pool.service_slots import place_of_renewal
from pool.store import loan_of, movement_of, request_of
from pool.undoing import check_life, undo_life

# What gives posts back to their lender, or keeps them longer: undone where the loan was decided.
OF_A_LOAN = (Kind.RETURN, Kind.SWAP, Kind.EXTEND, Kind.VACATE)


def reverse_movement(session: Session, act: Act, seq: int, document_no: str) -> Receipt:
    """REVERSE by the director under a document, effective on the day of the first. → movement, reverses, also (other
    movements undone with it, by another REVERSE each).

    A reversed LEND takes its slots away and puts the request back to REVIEWED, its posts pending again; a reversed FILL
    of a slot leaves the slot issued, recalled or overdue, as it would be without its person. A reversed RETURN or SWAP
    gives the slot back as it was, with the person where an exit returned it (VACATE and RETURN are undone together); a
    reversed EXTEND puts the due date back. Refused: NOT_REVERSIBLE, REVERSED, RESTED_ON, PERSON_HOLDS_ONE, or a balance
    too small on some day.
    """
    movement = movement_of(session, seq)
    nodes = [node_of(session, holder) for holder in _holders(movement)]
    for place in _places(session, movement) or nodes:
        if any(act.scope.sees(node.unit_code, node.division_code) for node in nodes) and not act.scope.sees(
            place.unit_code, place.division_code
        ):
            raise Forbidden("由批准这笔借用的一级冲正。")
        check_place(session, act, Permission.REVERSE_MOVEMENT, place)

    def do() -> Receipt:
        for node in nodes:
            session.refresh(node)
            open_node(node)
        undone = {}
        for each in _of_one_exit(session, movement):
            check_reversible(session, each)
            check_life(session, act, each)
            number = note_document(session, act, document_no)
            undone[each.seq] = book(session, reverse_booking(session, each, number), act.login, act.now)
            undo_life(session, act, each, undone[each.seq])
            trail(session, act, "reverse", f"movement {undone[each.seq]}", reverses=each.seq, document_no=number)
        also = [number for number in undone if number != seq]
        return {"movement": undone[seq], "reverses": seq} | ({"also": also} if also else {})

    ids = [node.id for node in nodes]
    return once(session, act, Kind.REVERSE, {"movement": seq, "document_no": document_no}, ids, do)


def _of_one_exit(session: Session, movement: PoolMovement) -> Iterator[PoolMovement]:
    """The movement; of an exit through our gate both of its movements, the last booked first (R08: one day, one act)."""
    if movement.kind == Kind.RETURN and movement.rests_on is not None:
        yield movement
        left = movement_of(session, movement.rests_on)
        if left.kind == Kind.VACATE:
            yield left
    elif movement.kind == Kind.VACATE and movement.loan_no:
        back = select(PoolMovement).where(
            PoolMovement.rests_on == movement.seq, PoolMovement.kind == Kind.RETURN,
            PoolMovement.seq.not_in(REVERSED),
        )  # fmt: skip
        yield from session.scalars(back).all()
        yield movement
    else:
        yield movement


def _holders(movement: PoolMovement) -> list[str]:
    return sorted({movement.from_holder, movement.to_holder} - {None})


def _places(session: Session, movement: PoolMovement) -> list[PoolNode]:
    """What is of a loan is undone where the loan was decided; every other movement by the director of its holders."""
    if movement.kind in OF_A_LOAN and movement.loan_no:
        return [place_of_renewal(session, loan_of(session, movement.loan_no))]
    if movement.kind != Kind.LEND:
        return []
    request = request_of(session, movement.request_no)
    return [node_of(session, request.decision_node)] if request.decision_node != _parent(session, request) else []


def _parent(session: Session, request: PoolRequest) -> str | None:
    return node_of(session, request.node_id).parent_id


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
    if not row.reversible:
        raise Refused(f"“{row.label}”不能冲正。", answer="NOT_REVERSIBLE")
    if session.scalar(select(PoolMovement.seq).where(PoolMovement.reverses == movement.seq)) is not None:
        raise Refused("这笔已冲正过。", answer="REVERSED")
    later = session.scalar(
        select(PoolMovement.seq)
        .where(
            PoolMovement.rests_on == movement.seq, PoolMovement.kind != Kind.REVERSE, PoolMovement.seq.not_in(REVERSED)
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
