"""Histories of a ledger written in bulk: every kind of movement, valid in every proof, in a mix like an office's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from pool import entries
from pool.ledger import Cell, Lot
from pool.models import PoolLoan, PoolLot, PoolRequest, PoolRequestStep, PoolSlot, PoolSlotEvent

PURPOSE, DOCUMENT = "HEALTH", "编委1"
TYPE, FORM, OTHER_FORM = "INSTITUTION", "FULL", "PART"


@dataclass(frozen=True)
class Life:
    """One turn: a unit, another one beside it, the lot it borrows from, the day. bulk: pool_at_size.Bulk."""

    bulk: object
    turn: int
    holder: str
    other: str
    lot: Lot
    day: date
    at: datetime

    @property
    def cell(self) -> Cell:
        return Cell(self.holder, TYPE, FORM)

    def move(self, kind: str, legs, **columns: object) -> int:
        """One movement of one post on this day."""
        return self.bulk.move(kind, legs, 1, self.day, **columns)


def permit(life: Life) -> None:
    """Reserve, enter, leave."""
    number = _reserve(life)
    life.move(
        "FILL", entries.fill(life.cell, 1, number), from_holder=life.holder, to_holder=life.holder, rests_on=number
    )
    life.move("VACATE", entries.vacate(life.cell, 1), from_holder=life.holder)


def unused_permit(life: Life) -> None:
    """Reserve, let go."""
    number = _reserve(life)
    ends = {"from_holder": life.holder, "to_holder": life.holder, "rests_on": number}
    life.move("RELEASE", entries.release(life.cell, 1, number), **ends)


def _reserve(life: Life) -> int:
    number = life.bulk.seq + 1
    return life.move("RESERVE", entries.reserve(life.cell, 1, number), to_holder=life.holder, source="PERMIT")


def by_document(life: Life) -> None:
    """Grant and cut; posts to a neighbour and back; to another fund form and back; a grant undone."""
    paper, here, other = {"document_no": DOCUMENT}, life.cell, Cell(life.other, TYPE, FORM)
    part = Cell(life.holder, TYPE, OTHER_FORM)
    life.move("GRANT", entries.grant(here, 1), to_holder=life.holder, **paper)
    life.move("CUT", entries.cut(here, 1), from_holder=life.holder, **paper)
    for giver, taker in ((here, other), (other, here)):
        ends = {"from_holder": giver.holder, "to_holder": taker.holder}
        life.move("TRANSFER", entries.transfer(giver, taker, 1), **ends, **paper)
    for giver, taker in ((here, part), (part, here)):
        life.move(
            "CONVERSION", entries.convert(giver, taker, 1), from_holder=life.holder, to_holder=life.holder, **paper
        )
    first = life.move("GRANT", entries.grant(here, 1), to_holder=life.holder, **paper)
    back = entries.reversed_entries(entries.grant(here, 1))
    life.move("REVERSE", back, to_holder=life.holder, rests_on=first, reverses=first, **paper)


def own_lot(life: Life) -> None:
    """A post into the county's pool and home again."""
    lot = Lot(life.bulk.seq + 1, life.cell, PURPOSE)
    ends = {"purpose": PURPOSE, "document_no": DOCUMENT}
    node = life.lot.owner.holder
    life.move("DEPOSIT", entries.deposit(life.cell, lot, 1), from_holder=life.holder, to_holder=node,
              source="USE_RIGHT_LENT", **ends)  # fmt: skip
    life.bulk.rows[PoolLot].append(lot_row(lot, node, "USE_RIGHT_LENT", life.day))
    life.move(
        "WITHDRAW", entries.withdraw(lot, 1), from_holder=node, to_holder=life.holder, rests_on=lot.lot_no, **ends
    )


def lot_row(lot: Lot, node: str, source: str, day: date) -> dict[str, object]:
    """A row of pool_lot."""
    return {
        "lot_no": lot.lot_no, "owner_id": lot.owner.holder, "node_id": node, "post_type": TYPE, "fund_form": FORM,
        "purpose": lot.purpose, "source": source, "since": day,
    }  # fmt: skip


def refused_request(life: Life) -> None:
    """Asked for, and given back undecided."""
    steps = (("SUBMIT", "a", "SUBMITTED"), ("WITHDRAW", "a", "WITHDRAWN"))
    number, common = _request(life, steps, status="WITHDRAWN")
    life.move("ASK", entries.ask([(life.lot, 1)]), **common)
    life.move("DROP", entries.drop([(life.lot, 1)]), **common)
    life.bulk.trail("pool_request_submitted", f"pool request {number}")
    life.bulk.trail("pool_request_withdraw", f"pool request {number}")


def unused_loan(life: Life) -> None:
    """Lent, extended and returned without anybody on it; every fifth stays out."""
    loan = _Loan(life)
    loan.extend()
    if life.turn % 100 < 80:
        loan.give_back(loan.seq)
    loan.write()


def loan_of_a_person(life: Life) -> None:
    """Lent, filled, left and returned."""
    loan = _Loan(life)
    filled = loan.fill()
    if life.turn % 100 < 80:
        left = life.move("VACATE", entries.vacate_slot(life.cell, PURPOSE), rests_on=filled, **loan.slot)
        loan.give_back(left)
    loan.write()


def swapped_loan(life: Life) -> None:
    """Lent, filled, and its person moved onto an own post, which is left later."""
    loan = _Loan(life)
    filled = loan.fill()
    loan.end("SWAP", life.move("SWAP", entries.swap(life.cell, life.lot), rests_on=filled, **loan.slot))
    life.move("VACATE", entries.vacate(life.cell, 1), from_holder=life.holder)
    loan.write()


def _request(life: Life, steps, **values: object) -> tuple[str, dict[str, object]]:
    number = f"JB-{life.turn:08d}"
    life.bulk.rows[PoolRequest].append({
        "number": number, "node_id": life.holder, "unit_code": life.holder[2:], "post_type": TYPE, "fund_form": FORM,
        "purpose": PURPOSE, "posts": 1, "months": 240, "reason": "急需", "applicant": "a", "submitted_on": life.day,
        "decided_by": None, "decided_on": None, "granted": None, "loan_no": None, "version": 1,
    } | values)  # fmt: skip
    for move, actor, status in steps:
        life.bulk.rows[PoolRequestStep].append(
            {"request_no": number, "at": life.at, "actor": actor, "move": move, "to_status": status}
        )
    return number, {"request_no": number, "to_holder": life.holder, "purpose": PURPOSE}


class _Loan:
    """A loan of one post: asked for and lent at once; its slot's row is written last, as it then stands."""

    def __init__(self, life: Life) -> None:
        self.life, self.status, self.ended, self.person = life, "ISSUED", None, {}
        self.loan_no, self.slot_no = f"JY-{life.turn:08d}", f"ZZ-{life.turn:08d}"
        steps = (("SUBMIT", "a", "SUBMITTED"), ("REVIEW", "b", "REVIEWED"), ("APPROVE", "c", "APPROVED"))
        granted = {
            "status": "APPROVED",
            "decided_by": "c",
            "decided_on": life.day,
            "granted": 1,
            "loan_no": self.loan_no,
        }
        self.request, common = _request(life, steps, **granted)
        life.move("ASK", entries.ask([(life.lot, 1)]), **common)
        self.seq = life.move("LEND", entries.lend(life.cell, [(life.lot, 1)]), loan_no=self.loan_no, **common)
        for action in ("pool_request_submitted", "pool_request_review", "pool_request_approved"):
            life.bulk.trail(action, f"pool request {self.request}")
        self.slot = {"to_holder": life.holder, "purpose": PURPOSE, "loan_no": self.loan_no, "slot_no": self.slot_no}
        self.event("ISSUE", None, "ISSUED", self.seq)

    def event(self, move: str, before: str | None, after: str, movement: int) -> None:
        self.status = after
        self.life.bulk.rows[PoolSlotEvent].append({
            "slot_no": self.slot_no, "at": self.life.at, "actor": "bulk", "move": move, "from_status": before,
            "to_status": after, "movement_seq": movement,
        })  # fmt: skip

    def fill(self) -> int:
        filled = self.life.move("FILL", entries.fill_slot(self.life.cell, PURPOSE), rests_on=self.seq, **self.slot)
        turn = self.life.turn
        self.person = {"person_key": f"{turn:032d}", "person_mask": "370104********1234", "filled_on": self.life.day}
        self.person["fill_seq"] = filled
        self.event("FILL", self.status, "FILLED", filled)
        return filled

    def extend(self) -> None:
        values = {name: value for name, value in self.slot.items() if name != "slot_no"}
        self.event("RENEW", self.status, self.status, self.life.move("EXTEND", [], rests_on=self.seq, **values))

    def give_back(self, rests_on: int) -> None:
        legs = entries.give_back(self.life.cell, [(self.life.lot, 1)])
        self.end("RETURN", self.life.move("RETURN", legs, rests_on=rests_on, **self.slot))

    def end(self, move: str, movement: int) -> None:
        self.event(move, self.status, "RETURNED", movement)
        self.ended = self.life.day

    def write(self) -> None:
        day, life = self.life.day, self.life
        same = {"node_id": life.holder, "unit_code": life.holder[2:], "post_type": TYPE, "fund_form": FORM,
                "purpose": PURPOSE, "due_date": day.replace(year=day.year + 20, day=min(day.day, 28))}  # fmt: skip
        life.bulk.rows[PoolLoan].append(same | {
            "loan_no": self.loan_no, "request_no": self.request, "movement_seq": self.seq, "posts": 1,
            "document_no": self.request, "start_date": day, "months": 240, "renewals": 0, "backed": 0,
        })  # fmt: skip
        person = {"person_key": None, "person_mask": None, "filled_on": None, "fill_seq": None} | self.person
        life.bulk.rows[PoolSlot].append(same | person | {
            "slot_no": self.slot_no, "loan_no": self.loan_no, "lot_no": life.lot.lot_no,
            "lender_id": life.lot.owner.holder, "status": self.status, "issued_on": day, "ended_on": self.ended,
            "version": 1,
        })  # fmt: skip


# Of twenty turns: most are permits, as in an office; every kind of movement occurs.
MIX: tuple[Callable[[Life], None], ...] = (
    *[permit] * 11, unused_permit, unused_permit, by_document, own_lot, refused_request, unused_loan, loan_of_a_person,
    loan_of_a_person, swapped_loan,
)  # fmt: skip


def live(bulk, holders: list[str], lots: dict[str, Lot], movements: int, first: datetime) -> Iterator[None]:
    """Turn after turn until there are so many movements, over some six years of days."""
    turn, start = 0, bulk.seq
    while bulk.seq < movements:
        day = (first + timedelta(days=2000 * (bulk.seq - start) // movements)).date()
        holder, other = (holders[(turn + step) % len(holders)] for step in (0, 1))
        MIX[turn % len(MIX)](Life(bulk, turn, holder, other, lots[holder], day, first))
        turn += 1
        yield
