"""What the simulated director undoes: any movement, and of loans the approval, the return, the exit, the swap, the renewal."""

from __future__ import annotations

from datetime import timedelta

from pool.service_reversal import reverse_movement
from tests.property.pool_deed import Deed, Sim
from tests.property.pool_desk import Loan, Slot, pooled_key
from tests.property.pool_model import MEMORY_DAYS, Movement
from tests.property.pool_province import TOP_DIRECTOR

REVERSIBLE = (
    "GRANT", "CUT", "TRANSFER", "DEPOSIT", "WITHDRAW", "LEND", "RESERVE", "FILL", "VACATE", "CONVERSION", "RETURN", "SWAP",
    "EXTEND",
)  # fmt: skip
LATE = 400  # movements back, among which one of a loan is looked for


def reverse(sim: Sim) -> Deed:
    book, dice = sim.desk.book, sim.dice
    lends = [slot.loan for slot in list(sim.desk.live.values())[-40:]]
    if lends and dice.random() < 0.4:
        seq = sim.desk.loans[dice.choice(lends)].seq
    else:
        seq = dice.randint(max(1, book.seq - 150), book.seq)
    return _undoing(sim, seq, "reverse")


def take_return_back(sim: Sim) -> Deed | None:
    """A return, a taking back or an exit of late; of an exit either of its movements."""
    return _of_kinds(sim, ("RETURN", "VACATE"), "reverse a return")


def take_swap_back(sim: Sim) -> Deed | None:
    return _of_kinds(sim, ("SWAP",), "reverse a swap")


def take_renewal_back(sim: Sim) -> Deed | None:
    return _of_kinds(sim, ("EXTEND",), "reverse a renewal")


def _of_kinds(sim: Sim, kinds: tuple[str, ...], name: str) -> Deed | None:
    book = sim.desk.book
    found = [
        seq for seq in range(max(1, book.seq - LATE), book.seq + 1)
        if book.movements[seq].kind in kinds and book.movements[seq].loan
        and (seq not in book.reversed or sim.dice.random() < 0.1)
    ]  # fmt: skip
    return _undoing(sim, sim.dice.choice(found), name) if found else None


def _undoing(sim: Sim, seq: int, name: str) -> Deed | None:
    book = sim.desk.book
    first = book.movements[seq]
    several = _together(sim, seq)
    if first.day <= sim.today - timedelta(days=MEMORY_DAYS - 1) and first.moves:
        # What is refused whatever the days is foreseen all the same.
        expect = _refused_anyway(sim, seq, several)
        if expect is None:
            return None
    else:
        expect = _refused_anyway(sim, seq, several) or _refused_now(sim, several)

    def happen(receipt) -> None:
        done = {number: book.post(_back(sim, number)) for number in several}
        sim.same("movement", receipt["movement"], done[seq])
        sim.same("also", receipt.get("also", []), [number for number in several if number != seq])
        for number in several:
            _undo_life(sim, number)

    return Deed(name, reverse_movement, TOP_DIRECTOR, (seq, "编委8"), expect, happen)


def _together(sim: Sim, seq: int) -> list[int]:
    """An exit's two movements, the later first; else the one."""
    book = sim.desk.book
    first = book.movements[seq]
    if first.kind == "RETURN" and book.movements[first.rests_on].kind == "VACATE":
        return [seq, first.rests_on]
    if first.kind == "VACATE" and first.loan:
        backs = [n for n in book.rested[seq] if book.movements[n].kind == "RETURN" and n not in book.reversed]
        return [*backs, seq]
    return [seq]


def _back(sim: Sim, seq: int) -> Movement:
    first = sim.desk.book.movements[seq]
    moves = [(at, -posts) for at, posts in first.moves]
    return Movement("REVERSE", first.day, moves, first.claimant, first.holders, rests_on=seq, reverses=seq,
                    slot=first.slot, loan=first.loan)  # fmt: skip


def _refused_anyway(sim: Sim, seq: int, several: list[int]) -> str | None:
    book = sim.desk.book
    first = book.movements[seq]
    if any(holder in sim.desk.closed for holder in first.holders):
        return "CLOSED"
    if first.kind not in REVERSIBLE:
        return "NOT_REVERSIBLE"
    if any(number in book.reversed for number in several):
        return "REVERSED"
    resting = [
        n for number in several for n in book.rested[number]
        if book.movements[n].kind != "REVERSE" and n not in book.reversed and n not in several
    ]  # fmt: skip
    if resting:
        return "RESTED_ON"
    return _term_rested_on(sim, seq) if first.kind == "EXTEND" else None


def _refused_now(sim: Sim, several: list[int]) -> str | None:
    desk, book = sim.desk, sim.desk.book
    first = book.movements[several[0]]
    if first.kind in ("RETURN", "SWAP"):
        slot = desk.slots[first.slot]
        kept = [
            book.movements[back].day for number, back in desk.homeward.items()
            if desk.slots[number].lot == slot.lot and number != slot.number
        ]  # fmt: skip
        if book.least(pooled_key("idle", desk.lots[slot.lot]), first.day, kept) < 1:
            return "RESTED_ON"
        if slot.person is not None and slot.person in desk.people:
            return "PERSON_HOLDS_ONE"
    # Of an exit the post and the person go back to different balances: each is judged by itself.
    return next((answer for number in several if (answer := book.refuses(_back(sim, number)))), None)


def _term_rested_on(sim: Sim, seq: int) -> str | None:
    """Whether something came about within the renewed term alone."""
    desk = sim.desk
    loan = desk.loans[desk.book.movements[seq].loan]
    if max(loan.terms) != seq:
        return "RESTED_ON"
    for number, before in loan.terms[seq][1].items():
        slot = desk.slots[number]
        late = slot.fill_seq is not None and slot.fill_seq > seq and slot.entered > before
        if slot.ended is not None or (slot.recalled is not None and slot.due > before) or late:
            return "RESTED_ON"
    return None


def _undo_life(sim: Sim, seq: int) -> None:
    """What hangs on the movement goes back with it."""
    desk, first = sim.desk, sim.desk.book.movements[seq]
    if first.kind == "FILL" and first.slot:
        _unfill(sim, desk.slots[first.slot])
    if first.kind == "LEND":
        _reopen(sim, desk.loans[first.loan], first)
    if first.kind == "DEPOSIT":
        for number in [number for number in desk.homeward if desk.slots[number].lot == seq]:
            del desk.homeward[number]
    if first.kind in ("RETURN", "SWAP"):
        slot = desk.slots[first.slot]
        desk.homeward.pop(slot.number, None)
        slot.ended = None
        slot.status = desk.by_dates(slot, slot.due)
        desk.live[slot.number] = slot
        if slot.person is not None:
            desk.people[slot.person] = slot.number
        sim.touch_slots.add(slot.number)
    if first.kind == "EXTEND":
        loan = desk.loans[first.loan]
        loan.due, days = loan.terms.pop(seq)
        loan.renewals -= 1
        for number, before in days.items():
            slot = desk.slots[number]
            if slot.recalled is None:
                slot.due, slot.status = before, desk.by_dates(slot, before)
            sim.touch_slots.add(number)


def _unfill(sim: Sim, slot: Slot) -> None:
    sim.desk.people.pop(slot.person, None)
    if slot.status != "OVERDUE":
        slot.status = "RECALLED" if slot.recalled else "ISSUED"
    slot.person, slot.filled, slot.fill_seq = None, None, None
    sim.touch_slots.add(slot.number)


def _reopen(sim: Sim, loan: Loan, first: Movement) -> None:
    """A whole approval goes back: its slots end, its posts are pending again."""
    desk = sim.desk
    request = desk.requests[loan.request]
    for number in loan.slots:
        desk.live.pop(number)
        desk.slots[number].status, desk.slots[number].ended = "LAPSED", sim.today
    request.pending = sorted((at[5], -posts) for at, posts in first.moves if at[0] == "pending")
    request.status, request.granted, request.loan, request.decided_by = "REVIEWED", None, None, None
    desk.waiting[request.number] = request
    sim.touch_requests.add(request.number)
    sim.touch_slots |= set(loan.slots)
