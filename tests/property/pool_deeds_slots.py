"""What happens to lent posts: people enter and leave, posts go back, are swapped, recalled, renewed; and delegations."""

from __future__ import annotations

from datetime import date, timedelta

from pool.service_people import delegate
from pool.service_slots import (
    fill_slot,
    recall_loan,
    renew_loan,
    return_posts,
    return_slots,
    swap_slot,
    take_back_slot,
    vacate_slot,
)
from tests.property.pool_deed import Deed, Sim, key
from tests.property.pool_deeds_posts import limits_deed
from tests.property.pool_desk import (
    FILL_MONTHS,
    GRACE_DAYS,
    LONGEST,
    LONGEST_SCHOOL,
    RIGHT_TO_RENEW,
    Slot,
    months_on,
    pooled_key,
)
from tests.property.pool_model import Movement

Moves = list[tuple[tuple, int]]


def _seat(sim: Sim, slot: Slot, sign: int) -> Moves:
    loan = sim.desk.loans[slot.loan]
    return [
        (key("home", loan.unit, loan.partition, loan.purpose), -sign),
        (key("in_use", loan.unit, loan.partition, loan.purpose), sign),
    ]  # fmt: skip


def _back(sim: Sim, slot: Slot) -> Moves:
    loan, lot = sim.desk.loans[slot.loan], sim.desk.lots[slot.lot]
    return [
        (pooled_key("lent", lot), -1), (pooled_key("idle", lot), 1),
        (key("borrowed", loan.unit, lot.partition, lot.purpose, lot.number), -1),
        (key("borrowed", lot.owner, lot.partition, lot.purpose, lot.number), 1),
    ]  # fmt: skip


def _movement(sim: Sim, slot: Slot, kind: str, moves: Moves, day: date, rests_on: int | None) -> Movement:
    unit = sim.desk.loans[slot.loan].unit
    return Movement(
        kind, day, moves, claimant=unit, holders=(unit,), rests_on=rests_on, slot=slot.number, loan=slot.loan
    )


def _end(sim: Sim, slot: Slot, status: str, day: date) -> None:
    """The slot's life; `go_home` comes when all that go back together are back."""
    slot.status, slot.ended = status, day
    sim.desk.live.pop(slot.number)
    sim.desk.people.pop(slot.person, None)
    sim.touch_slots.add(slot.number)


def go_home(sim: Sim, back: list[tuple[Slot, int]]) -> tuple[list[int], list[str]]:
    """(movements, slots that wait): recalled posts whose owner only lent the use go to its own vacant ones, one by one,
    where the tree bears it; the others stay idle, for nobody else. back: slots with what brought each back."""
    book, home, waits = sim.desk.book, [], []
    for slot, seq in back:
        lot = sim.desk.lots[slot.lot]
        if slot.recalled is None or not lot.lent_by_owner:
            continue
        moves = [(pooled_key("idle", lot), -1), (key("home", lot.owner, lot.partition), 1)]
        movement = Movement("WITHDRAW", sim.today, moves, holders=(lot.node, lot.owner), rests_on=seq,
                            slot=slot.number, loan=slot.loan)  # fmt: skip
        if book.refuses(movement):
            waits.append(slot.number)
            sim.desk.homeward[slot.number] = seq
        else:
            home.append(book.post(movement))
            sim.desk.homeward.pop(slot.number, None)
    sim.gone_home += len(home)
    sim.waited_for_home += len(waits)
    return home, waits


def homeward_by_night(sim: Sim) -> int:
    """What waits, in the order in which it began to wait."""
    return len(go_home(sim, [(sim.desk.slots[number], seq) for number, seq in sim.desk.homeward.items()])[0])


def _homed(sim: Sim, receipt: dict, back: list[tuple[Slot, int]]) -> None:
    ours = go_home(sim, back)
    sim.same("posts gone home, and waiting", (receipt.get("home", []), receipt.get("awaiting", [])), ours)


def _unit(sim: Sim, slot: Slot) -> str:
    return sim.desk.loans[slot.loan].unit


def fill(sim: Sim) -> Deed | None:
    slot = sim.live_slot(lambda one: one.person is None) or sim.ended_slot()
    if slot is None:
        return None
    desk, dice = sim.desk, sim.dice
    held = [person for person in list(desk.people)[:1] if dice.random() < 0.05]
    person = held[0] if held else f"{sim.persons:032x}"
    sim.persons += 1
    day = sim.today - timedelta(days=dice.choice([0, 0, 0, 1, 3, 30]))
    movement = _movement(sim, slot, "FILL", _seat(sim, slot, 1), day, desk.loans[slot.loan].seq)
    answers = (
        (slot.person is not None, "FILLED_BEFORE"), (slot.status not in ("ISSUED", "DUE_SOON"), "WRONG_STATUS"),
        (slot.due < sim.today, "PAST_DUE"), (not slot.issued <= day <= sim.today, "ENTRY_DAY"), (person in desk.people, "PERSON_HOLDS_ONE"),
    )  # fmt: skip
    expect = next((answer for holds, answer in answers if holds), None) or desk.book.refuses(movement)

    def happen(receipt) -> None:
        seq = desk.book.post(movement)
        sim.same("movement", receipt["movement"], seq)
        slot.status, slot.person, slot.filled, slot.fill_seq = "FILLED", person, day, seq
        slot.entered = sim.today
        desk.people[person] = slot.number
        sim.touch_slots.add(slot.number)

    login = sim.clerk("reviewer", _unit(sim, slot))
    return Deed("fill", fill_slot, login, (slot.number, person, "99********1234", day), expect, happen)


def leave(sim: Sim, slot: Slot | None = None) -> Deed | None:
    """The person leaves through our gate; the post goes back the same day."""
    slot = (
        slot
        or (sim.live_slot(lambda one: one.person is not None) if sim.dice.random() < 0.9 else None)
        or sim.ended_slot()
    )
    if slot is None:
        return None
    book = sim.desk.book
    day = sim.today - timedelta(days=sim.dice.choice([0, 0, 0, 2, 30]))
    left = _movement(sim, slot, "VACATE", _seat(sim, slot, -1), day, slot.fill_seq)
    back = _movement(sim, slot, "RETURN", _back(sim, slot), day, None)
    answers = (
        (slot.ended is not None, "ENDED"), (slot.person is None, "NOBODY"),
        (slot.filled is not None and not slot.filled <= day <= sim.today, "EXIT_DAY"),
    )  # fmt: skip
    expect = next((answer for holds, answer in answers if holds), None)
    expect = expect or book.refuses(left) or book.refuses(back)

    def happen(receipt) -> None:
        back.rests_on = first = book.post(left)
        second = book.post(back)
        sim.same("movements", receipt["movements"], [first, second])
        _end(sim, slot, "RETURNED", day)
        _homed(sim, receipt, [(slot, second)])

    return Deed("leave", vacate_slot, sim.clerk("reviewer", _unit(sim, slot)), (slot.number, day), expect, happen)


def _giving_back(sim: Sim, slot: Slot) -> Movement:
    return _movement(sim, slot, "RETURN", _back(sim, slot), sim.today, sim.desk.loans[slot.loan].seq)


def _cannot_go_back(slot: Slot) -> str | None:
    if slot.ended is not None:
        return "ENDED"
    return "OCCUPIED" if slot.person is not None else None


def give_back(sim: Sim) -> Deed | None:
    """RETURN of one or several slots of a unit, whole or not at all; some that ended, some with people on them."""
    slot = (sim.live_slot(lambda one: one.person is None) if sim.dice.random() < 0.8 else None) or sim.ended_slot()
    if slot is None:
        return None
    unit = _unit(sim, slot)
    others = [one for one in sim.desk.live_of(unit) if one is not slot and sim.dice.random() < 0.2]
    return _several_back(sim, [slot, *others], unit, return_slots, ([slot.number, *(one.number for one in others)],))


def _several_back(sim: Sim, slots: list[Slot], unit: str, use_case, args) -> Deed:
    book = sim.desk.book
    # Each goes back by itself; what gives back never breaks a limit of the tree but is asked all the same.
    expect = None
    for one in slots:
        expect = expect or _cannot_go_back(one) or book.refuses(_giving_back(sim, one))

    def happen(receipt) -> None:
        ours = [book.post(_giving_back(sim, one)) for one in slots]
        sim.same("movements", receipt["movements"], ours)
        for one in slots:
            _end(sim, one, "RETURNED", sim.today)
        _homed(sim, receipt, list(zip(slots, ours, strict=True)))

    login = sim.clerk(sim.dice.choice(["officer", "reviewer"]), unit)
    if login.startswith("officer"):
        expect = sim.closed_to(login, unit) or expect
    return Deed("give_back", use_case, login, args, expect, happen)


def give_back_some(sim: Sim) -> Deed | None:
    """RETURN of so many posts of a loan: of the empty ones those with the highest numbers."""
    slot = sim.live_slot()
    if slot is None:
        return None
    loan = sim.desk.loans[slot.loan]
    free = sorted(n for n in loan.slots if n in sim.desk.live and sim.desk.live[n].person is None)
    posts = sim.dice.randint(1, 3)
    chosen = [sim.desk.live[number] for number in free[len(free) - posts :]] if posts <= len(free) else []
    deed = _several_back(sim, chosen, loan.unit, return_posts, (loan.number, posts))
    if posts > len(free):
        deed.expect = "MORE_THAN_BORROWED"
    return deed


def take_back(sim: Sim) -> Deed | None:
    slot = sim.live_slot(lambda one: one.person is None) or sim.ended_slot()
    if slot is None:
        return None
    movement = _giving_back(sim, slot)
    early = sim.today <= min(months_on(slot.issued, FILL_MONTHS), slot.due)
    expect = _cannot_go_back(slot) or ("NOT_YET" if early else None) or sim.desk.book.refuses(movement)

    def happen(receipt) -> None:
        seq = sim.desk.book.post(movement)
        sim.same("movement", receipt["movement"], seq)
        _end(sim, slot, "LAPSED", sim.today)
        _homed(sim, receipt, [(slot, seq)])

    return Deed("take_back", take_back_slot, sim.clerk("reviewer", _unit(sim, slot)), (slot.number,), expect, happen)


def swap(sim: Sim, slot: Slot | None = None) -> Deed | None:
    """The person moves onto an own vacant post."""
    desk = sim.desk
    ripe = lambda one: one.person is not None and desk.usable(_unit(sim, one), desk.loans[one.loan].partition) > 0
    slot = slot or sim.live_slot(ripe) or sim.live_slot() or sim.ended_slot()
    if slot is None:
        return None
    loan = desk.loans[slot.loan]
    moves = [
        *_seat(sim, slot, -1), *_back(sim, slot), (key("home", loan.unit, loan.partition), -1),
        (key("in_use", loan.unit, loan.partition), 1),
    ]  # fmt: skip
    movement = _movement(sim, slot, "SWAP", moves, sim.today, slot.fill_seq)
    answers = (
        (slot.ended is not None, "ENDED"), (slot.person is None, "NOBODY"),
    )  # fmt: skip
    expect = next((answer for holds, answer in answers if holds), None) or desk.book.refuses(movement)

    def happen(receipt) -> None:
        seq = desk.book.post(movement)
        sim.same("movement", receipt["movement"], seq)
        _end(sim, slot, "RETURNED", sim.today)
        _homed(sim, receipt, [(slot, seq)])

    return Deed("swap", swap_slot, sim.clerk("reviewer", loan.unit), (slot.number,), expect, happen)


def renew(sim: Sim) -> Deed | None:
    slot = sim.live_slot()
    if slot is None:
        return None
    desk = sim.desk
    loan, months = desk.loans[slot.loan], sim.dice.choice([1, 2, 12, 36, 61])
    slots = [desk.live[n] for n in loan.slots if n in desk.live and desk.live[n].recalled is None]
    due = months_on(loan.due, months)
    longest = LONGEST_SCHOOL if loan.purpose == "EDUCATION" else LONGEST
    answers = (
        (loan.renewals >= RIGHT_TO_RENEW, "RENEWED_BEFORE"), (months > longest, "TERM_TOO_LONG"),
        (not slots, "NOTHING_LIVE"), (due < sim.today, "STILL_PAST"),
    )  # fmt: skip
    expect = next((answer for holds, answer in answers if holds), None)
    movement = Movement("EXTEND", sim.today, [], holders=(loan.unit,), rests_on=loan.seq, loan=loan.number)

    def happen(receipt) -> None:
        seq = desk.book.post(movement)
        sim.same("movement", receipt["movement"], seq)
        loan.terms[seq] = loan.due, {one.number: one.due for one in slots}
        loan.due, loan.renewals = due, loan.renewals + 1
        for one in slots:
            one.due, one.status = due, "FILLED" if one.person else "ISSUED"
            sim.touch_slots.add(one.number)

    place = desk.requests[loan.request].place
    own = place in (None, desk.book.parent.get(loan.unit))
    login = sim.clerk_of("director", sim.office(loan.unit) if own else sim.province.drawn.offices[place])
    return Deed("renew", renew_loan, login, (loan.number, months, "还需要"), expect, happen)


def recall(sim: Sim) -> Deed | None:
    """By the lender's office: all live posts of the loan that came from one lender."""
    slot = sim.live_slot() if sim.dice.random() < 0.9 else sim.ended_slot()
    return None if slot is None else _recall_of(sim, slot)


def _recall_of(sim: Sim, slot: Slot) -> Deed:
    desk, drawn = sim.desk, sim.province.drawn
    mates = [desk.slots[n] for n in desk.loans[slot.loan].slots]
    slots = [one for one in mates if one.lender == slot.lender and (one is slot or one.number in desk.live)]
    expect = None
    for one in slots:
        wrong = "WRONG_STATUS" if one.status not in ("ISSUED", "FILLED", "DUE_SOON") else None
        expect = expect or ("ENDED" if one.ended else wrong)
    office = drawn.units[slot.lender[2:]] if slot.lender.startswith("U:") else drawn.offices[slot.lender]

    def happen(_receipt) -> None:
        for one in slots:
            one.status, one.recalled = "RECALLED", sim.today
            one.due = min(one.due, sim.today + timedelta(days=GRACE_DAYS))
            sim.touch_slots.add(one.number)

    login = sim.clerk_of("reviewer", office)
    return Deed("recall", recall_loan, login, ([one.number for one in slots], "急用"), expect, happen)


def recalled_back(sim: Sim) -> Deed | None:
    """Posts on which R14 turns: called back by who lent the use, given back in every way; now and then short of room."""
    lent = [slot for slot in sim.desk.live.values() if sim.desk.lots[slot.lot].lent_by_owner]
    if not lent:
        return None
    called = [slot for slot in lent if slot.recalled]
    if not called or sim.patience.random() < 0.25:
        return _recall_of(sim, sim.patience.choice(lent))
    slot = sim.patience.choice(called)
    if sim.patience.random() < 0.4 and (pinched := _pinch(sim, slot)) is not None:
        return pinched
    if slot.person is None:
        return _several_back(sim, [slot], _unit(sim, slot), return_slots, ([slot.number],))
    return (leave if sim.patience.random() < 0.6 else swap)(sim, slot)


def _pinch(sim: Sim, slot: Slot) -> Deed | None:
    """A node above the lender alone that owes, and may owe no more."""
    book, lot = sim.desk.book, sim.desk.lots[slot.lot]
    outside = set(book.path(_unit(sim, slot))) if _unit(sim, slot) in book.parent else set()
    for node in book.path(lot.owner)[1:]:
        for purpose in ("", lot.purpose):
            at = book.surplus(lot.partition, purpose)[node]
            if node not in outside and at <= 0:
                return limits_deed(sim, node, lot.partition, purpose, None, -at)
    return None


def entrust(sim: Sim) -> Deed:
    """A director gives another of the same office the right to act, for some days."""
    office = sim.dice.choice(list(sim.province.drawn.offices.values()))
    giver, taker = office.login("director", 1), office.login("director", 2)
    if sim.dice.random() < 0.3:
        giver, taker = taker, giver
    start = sim.today + timedelta(days=sim.dice.choice([0, 0, 1, -1]))
    end = start + timedelta(days=sim.dice.choice([3, 20, 400]))
    back = any(one[:2] == (taker, giver) and one[2] <= end and one[3] >= start for one in sim.desk.giving)
    answers = ((start < sim.today, "DATES"), ((end - start).days > 366, "TOO_LONG"), (back, "CYCLE"))
    expect = next((answer for holds, answer in answers if holds), None)

    def happen(_receipt) -> None:
        sim.desk.giving.append((giver, taker, start, end))

    return Deed("entrust", delegate, giver, (taker, start, end), expect, happen)
