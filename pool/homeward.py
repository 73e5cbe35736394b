"""Posts that came back after a recall and wait to go home to their lender: kept out of the stock (R14), read from rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, Row, func, insert, select
from sqlalchemy.orm import Session

from pool.acting import Act
from pool.approvals import Move
from pool.ledger import Source
from pool.models import PoolLot, PoolSlot, PoolSlotEvent


def lender_keeps(session: Session, slot: PoolSlot) -> bool:
    """Whether the slot's post is of a lot whose giver keeps its quota: recalled, it goes home to that lender."""
    return session.get(PoolLot, slot.lot_no).source == Source.USE_RIGHT_LENT


def goes_home() -> ColumnElement[bool]:
    """SQL, over slots joined with their lots: recalled, of a lender that keeps its quota."""
    return PoolSlot.recalled_on.is_not(None) & (PoolLot.source == Source.USE_RIGHT_LENT)


def awaiting_home(session: Session, *where: ColumnElement[bool]) -> Sequence[Row]:
    """(PoolSlot, movement by which the post came back) of slots whose last step is AWAIT, the first back first.

    where: more about the slots.
    """
    return _last_step(session, Move.AWAIT, *where)


def taken_home(session: Session, movement: int) -> list[PoolSlot]:
    """Slots whose last step is that a movement took their post home."""
    return [row.PoolSlot for row in _last_step(session, Move.HOME, PoolSlotEvent.movement_seq == movement)]


def _last_step(session: Session, move: Move, *where: ColumnElement[bool]) -> Sequence[Row]:
    last = (
        select(func.max(PoolSlotEvent.id))
        .where(PoolSlotEvent.slot_no == PoolSlot.slot_no)
        .correlate(PoolSlot)
        .scalar_subquery()
    )
    query = (
        select(PoolSlot, PoolSlotEvent.movement_seq)
        .join(PoolSlotEvent, PoolSlotEvent.slot_no == PoolSlot.slot_no)
        .where(PoolSlotEvent.move == move, PoolSlotEvent.id == last, *where)
        .order_by(PoolSlotEvent.id)
    )
    return session.execute(query.execution_options(populate_existing=True)).all()


def kept_posts(session: Session, lots: Collection[int]) -> Counter[int]:
    """Per lot, how many of its idle posts nobody else is served: their lender is to have them."""
    mine = PoolSlot.lot_no.in_(sorted(lots)), PoolSlot.recalled_on.is_not(None), PoolSlot.ended_on.is_not(None)
    return Counter(row.PoolSlot.lot_no for row in awaiting_home(session, *mine)) if lots else Counter()


def never_back(session: Session, post_type: str, fund_form: str, purpose: str) -> int:
    """Posts of a pool that nobody will be served: called back by their lender, still lent or on the way home."""
    mine = (
        goes_home(), PoolSlot.post_type == post_type, PoolSlot.fund_form == fund_form, PoolSlot.purpose == purpose,
    )  # fmt: skip
    lent = select(func.count()).select_from(PoolSlot).join(PoolLot, PoolLot.lot_no == PoolSlot.lot_no)
    waiting = awaiting_home(session, PoolSlot.recalled_on.is_not(None), *mine[1:])
    return int(session.scalar(lent.where(PoolSlot.ended_on.is_(None), *mine))) + len(waiting)


def note_life(session: Session, act: Act, slots: Iterable[PoolSlot], move: Move, movement: int) -> None:
    """A step of posts on their way home (HOME, AWAIT, UNHOME) in the lives of slots that have ended; their status stays."""
    rows = [
        {"slot_no": slot.slot_no, "at": act.now, "actor": act.login, "move": move.value, "from_status": slot.status,
         "to_status": slot.status, "movement_seq": movement, "note": None}
        for slot in slots
    ]  # fmt: skip
    if rows:
        session.execute(insert(PoolSlotEvent.__table__), rows)


def note_withdrawn(session: Session, act: Act, lot_no: int, posts: int, movement: int) -> None:
    """A WITHDRAW of a lot takes home first what waits for it."""
    waiting = awaiting_home(session, PoolSlot.lot_no == lot_no)
    note_life(session, act, (row.PoolSlot for row in waiting[:posts]), Move.HOME, movement)
