"""Posts a lender called back go home to it when they are given back (R14, docs/decisions/0022-recalled-and-central.md).

The WITHDRAW can be refused: posts are fungible and limits are judged net, so somebody else below the same node may have
borrowed on the strength of the lender's deposit. The return stands all the same: the post then waits, kept out of the
stock, and every night tries again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.orm import Session

from core.errors import Refused
from pool import entries
from pool.acting import Act, Receipt, node_of, note_document
from pool.approvals import Move
from pool.homeward import awaiting_home, lender_keeps, note_life
from pool.ledger import Cell, Kind, Lot
from pool.letters import holders_of, home_letter, queue_letter
from pool.models import PoolLot, PoolSlot
from pool.posting import Booking, book
from pool.service import trail

Back = tuple[PoolSlot, int]  # a slot that ended, and the movement by which its post came back
NOT_NOW = ("LIMIT", "NOT_ENOUGH")
NOTICE = "收回通知"  # our own notice of recall is the document; nobody registers it


def send_home(session: Session, act: Act, back: Sequence[Back]) -> Receipt:
    """What came back after a recall goes to its lender, where that keeps its quota, and the lender is told. Posts of a
    node's own are idle in its pool, its stock. → home (movements), awaiting (slots), each where there is any."""
    recalled = [(slot, seq) for slot, seq in back if slot.recalled_on is not None and lender_keeps(session, slot)]
    home, waits = _tried(session, act, recalled)
    for slot, seq in waits:
        note_life(session, act, [slot], Move.AWAIT, seq)
        trail(session, act, "slot_awaits_home", f"slot {slot.slot_no}", rests_on=seq)
    _tell(session, act, home, waits)
    answer = {"home": [seq for _, seq in home], "awaiting": [slot.slot_no for slot, _ in waits]}
    return {name: found for name, found in answer.items() if found}


def send_waiting_home(session: Session, act: Act) -> int:
    """The night's try for what waits. Returns how many posts went home."""
    home, _ = _tried(session, act, [(row.PoolSlot, row.movement_seq) for row in awaiting_home(session)])
    _tell(session, act, home, [])
    return len(home)


def _tried(session: Session, act: Act, back: Sequence[Back]) -> tuple[list[Back], list[Back]]:
    """Those that went home, each with its WITHDRAW, and those that could not."""
    home, waits = [], []
    for slot, seq in back:
        try:
            withdrawn = _withdraw(session, act, slot, seq)
        except Refused as error:  # nothing of it was written: a booking is judged as a whole before it is
            if error.details.get("answer") not in NOT_NOW:
                raise
            waits.append((slot, seq))
            continue
        note_life(session, act, [slot], Move.HOME, withdrawn)
        trail(session, act, "slot_home", f"slot {slot.slot_no}", movement=withdrawn)
        home.append((slot, withdrawn))
    return home, waits


def _withdraw(session: Session, act: Act, slot: PoolSlot, seq: int) -> int:
    """WITHDRAW of the one post, resting on what brought it back; its document is the notice of recall."""
    row = session.get(PoolLot, slot.lot_no)
    lot = Lot(row.lot_no, Cell(row.owner_id, row.post_type, row.fund_form), row.purpose)
    number = note_document(session, act, notice_no(slot), slot.recalled_on)
    return book(session, Booking(
        Kind.WITHDRAW, lambda _: entries.withdraw(lot, 1), 1, lot.owner.partition, act.today, purpose=lot.purpose,
        from_holder=row.node_id, to_holder=row.owner_id, document_no=number, loan_no=slot.loan_no,
        slot_no=slot.slot_no, rests_on=seq,
    ), act.login, act.now)  # fmt: skip


def notice_no(slot: PoolSlot) -> str:
    """How the ledger names the notice by which a lender called a post back."""
    return f"{NOTICE}{slot.slot_no}（{slot.recalled_on}）"


def _tell(session: Session, act: Act, home: Sequence[Back], waits: Sequence[Back]) -> None:
    """One letter per lender, to its officers (of a division: to the office)."""
    by_lender: dict[str, tuple[list[tuple[str, int]], list[tuple[str, int]]]] = defaultdict(lambda: ([], []))
    for place, back in enumerate((home, waits)):
        for slot, seq in back:
            by_lender[slot.lender_id][place].append((slot.slot_no, seq))
    for lender_id, (came, waiting) in sorted(by_lender.items()):
        to = holders_of(session, node_of(session, lender_id))
        queue_letter(session, home_letter(came, waiting), to, act.today, act.portal, act.now)
