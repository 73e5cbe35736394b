"""Use-cases on slots: fill, vacate, return, swap, renew, recall, take back. One post, one number, one named person (R08)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NoReturn

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Forbidden, InputRejected, Refused
from core.permissions import Permission
from pool import entries
from pool.acting import Act, Receipt, check_place, next_number, node_of, once
from pool.approvals import SLOT_MOVES, STATUS_LABELS, Move, Status, check_move
from pool.homeward import lender_keeps
from pool.homing import send_home
from pool.ledger import Cell, Kind, Lot, parse_posts
from pool.letters import officers_of, queue_letter, recall_letter, renewal_letter
from pool.models import PoolLoan, PoolLot, PoolMovement, PoolNode, PoolSlot, PoolSlotEvent
from pool.policies import add_months
from pool.posting import Booking, book
from pool.service import parse_day, trail
from pool.store import loan_of, request_of, slot_of, slots_of_loan, terms_on


def turn_slot(
    session: Session, act: Act, slot: PoolSlot, move: Move, movement: int | None, to: Status, note: str | None = None,
    **values: object,
) -> None:  # fmt: skip
    """Change a slot as it was read, with its event. Errors: Refused when another was first, at this slot or, in another
    tree at the same time, with this person (the schema lets nobody hold two)."""
    change = (
        update(PoolSlot)
        .where(PoolSlot.slot_no == slot.slot_no, PoolSlot.status == slot.status, PoolSlot.version == slot.version)
        .values(version=slot.version + 1, status=to.value, **values)
        .execution_options(synchronize_session=False)
    )
    try:
        done = session.execute(change)
    except IntegrityError as error:
        if "person" not in str(error.orig):  # the name of the index, or of its column
            raise
        refuse_second_slot()
    if done.rowcount != 1:
        raise Refused("这个周转编制刚刚有了变化，请刷新后再办理。", answer="CHANGED")
    session.execute(
        insert(PoolSlotEvent.__table__),
        [{"slot_no": slot.slot_no, "at": act.now, "actor": act.login, "move": move.value, "from_status": slot.status,
          "to_status": to.value, "movement_seq": movement, "note": note,
          "due_before": slot.due_date if "due_date" in values else None}],
    )  # fmt: skip
    session.refresh(slot)


def check_no_other_slot(session: Session, person_key: str) -> None:
    """One person, one live slot (R08). Errors: Refused."""
    holds = select(PoolSlot.slot_no).where(PoolSlot.person_key == person_key, PoolSlot.ended_on.is_(None))
    if session.scalar(holds.limit(1)) is not None:
        refuse_second_slot()


def refuse_second_slot() -> NoReturn:
    """The person sits on another live slot. Errors: Refused."""
    raise Refused("该人员已占用另一个周转编制。", answer="PERSON_HOLDS_ONE")


def lot_of(session: Session, slot: PoolSlot) -> Lot:
    """The lot a slot's post came from."""
    row = session.get(PoolLot, slot.lot_no)
    return Lot(row.lot_no, Cell(row.owner_id, row.post_type, row.fund_form), row.purpose)


def cell_of(slot: PoolSlot) -> Cell:
    """The borrower's cell."""
    return Cell(slot.node_id, slot.post_type, slot.fund_form)


def _lend_seq(session: Session, slot: PoolSlot) -> int:
    return session.scalar(select(PoolLoan.movement_seq).where(PoolLoan.loan_no == slot.loan_no))


def place_of_renewal(session: Session, loan: PoolLoan) -> PoolNode:
    """Who granted a term grants the next: the place of decision, the borrower's own node where that was it (R07, R12)."""
    node, place = node_of(session, loan.node_id), request_of(session, loan.request_no).decision_node
    return node if place in (None, node.parent_id) else node_of(session, place)


def _check(session: Session, act: Act, slot: PoolSlot, move: Move, node: PoolNode | None = None) -> Status:
    """The table's answer for this person, towards the borrower's unit or the node given. → the status it leads to."""
    node = node or node_of(session, slot.node_id)
    unit = node.unit_code if node.kind == "UNIT" else None
    roles = act.scope.roles_for(unit, node.division_code)
    status = Status(slot.status)
    row = check_move(SLOT_MOVES[move], status, roles=roles, actors=act.actors)
    return row.target or status


def _slot_booking(session, slot: PoolSlot, kind: Kind, legs, day: date, rests_on: int | None) -> Booking:
    return Booking(
        kind, lambda _: legs, 1, (slot.post_type, slot.fund_form), day, purpose=slot.purpose, to_holder=slot.node_id,
        loan_no=slot.loan_no, slot_no=slot.slot_no, rests_on=rests_on,
    )  # fmt: skip


def fill_slot(
    session: Session, act: Act, slot_no: str, person_key: str, person_mask: str, entry_date: date | None = None
) -> Receipt:
    """FILL: the named person enters on the slot; it is never filled again. → slot, status, movement.

    person_key: the keyed hash; person_mask: what people see. Refused: a second person, one with a live slot, a post past
    its day.
    """
    slot = slot_of(session, slot_no)
    node, day = node_of(session, slot.node_id), parse_day(entry_date, act)
    check_place(session, act, Permission.FILL_SLOT, node)
    if not 1 <= len(person_key) <= 32 or not 1 <= len(person_mask) <= 40:
        raise InputRejected("须写明入编人员。", field="person")

    def do() -> Receipt:
        fresh = slot_of(session, slot_no)
        if fresh.person_key is not None:
            raise Refused("这个用编序号已有人，一编一人，不得再次入编。", answer="FILLED_BEFORE")
        to = _check(session, act, fresh, Move.FILL)
        if fresh.due_date < act.today:  # by dates: the night may not have turned it yet
            raise Refused(f"这个用编序号已于 {fresh.due_date} 到期，不能入编。", answer="PAST_DUE", due=fresh.due_date)
        if not fresh.issued_on <= day <= act.today:
            raise Refused("入编时间须在下达之后、今天以前。", answer="ENTRY_DAY")
        check_no_other_slot(session, person_key)
        legs = entries.fill_slot(cell_of(fresh), fresh.purpose)
        booking = _slot_booking(session, fresh, Kind.FILL, legs, day, _lend_seq(session, fresh))
        seq = book(session, booking, act.login, act.now)
        turn_slot(session, act, fresh, Move.FILL, seq, to, person_key=person_key, person_mask=person_mask,
                  filled_on=day, fill_seq=seq)  # fmt: skip
        trail(session, act, "slot_filled", f"slot {slot_no}", movement=seq)
        return {"slot": slot_no, "status": to, "movement": seq}

    body = {"slot": slot_no, "person": person_key, "entry_date": entry_date}
    return once(session, act, "fill_slot", body, [slot.node_id], do)


def vacate_slot(session: Session, act: Act, slot_no: str, exit_date: date | None = None) -> Receipt:
    """VACATE and RETURN: the person leaves through our gate, and the post goes back the same day (R08).

    exit_date: first day no longer in post. → slot, status, movements; of a recalled post home or awaiting (pool.homing).
    """
    slot = slot_of(session, slot_no)
    node, day = node_of(session, slot.node_id), parse_day(exit_date, act)
    check_place(session, act, Permission.FILL_SLOT, node)

    def do() -> Receipt:
        fresh = slot_of(session, slot_no)
        if fresh.ended_on is not None:
            raise _ended(fresh)
        if fresh.person_key is None:
            raise Refused("这个用编序号没有人，直接归还即可。", answer="NOBODY")
        if not fresh.filled_on <= day <= act.today:
            raise Refused("出编时间须在入编之后、今天以前。", answer="EXIT_DAY")
        legs = entries.vacate_slot(cell_of(fresh), fresh.purpose)
        left = book(session, _slot_booking(session, fresh, Kind.VACATE, legs, day, fresh.fill_seq), act.login, act.now)
        legs = entries.give_back(cell_of(fresh), [(lot_of(session, fresh), 1)])
        back = book(session, _slot_booking(session, fresh, Kind.RETURN, legs, day, left), act.login, act.now)
        turn_slot(session, act, fresh, Move.RETURN, back, Status.RETURNED, ended_on=day)
        trail(session, act, "slot_vacated", f"slot {slot_no}", movement=back)
        home = send_home(session, act, [(fresh, back)])
        return {"slot": slot_no, "status": Status.RETURNED, "movements": [left, back], **home}

    body = {"slot": slot_no, "exit_date": exit_date}
    return once(session, act, "vacate_slot", body, [slot.node_id, slot.lender_id], do)


def _ended(slot: PoolSlot) -> Refused:
    label = STATUS_LABELS[Status(slot.status)]
    return Refused(
        f"用编序号 {slot.slot_no} {label}（{slot.ended_on}），不能再次归还。", answer="ENDED", slot=slot.slot_no
    )


def return_slots(session: Session, act: Act, slot_nos: Sequence[str]) -> Receipt:
    """RETURN posts nobody sits on, of one unit; the rest of the loan lives on. → slots, status, movements; home, awaiting.

    Refused as a whole when one is filled (OCCUPIED: vacate or swap it), or has ended (ENDED: returned twice).
    """
    numbers = list(slot_nos)
    if not numbers or len(set(numbers)) != len(numbers):
        raise InputRejected("请选择要归还的用编序号，每个一次。", field="slots")
    slots = [slot_of(session, number) for number in numbers]
    if len({slot.node_id for slot in slots}) != 1:
        raise InputRejected("一次只能归还一个单位的周转编制。", field="slots")
    check_place(session, act, Permission.RETURN_POSTS, node_of(session, slots[0].node_id))

    def do() -> Receipt:
        answer = _several_back(session, act, [slot_of(session, number) for number in numbers])
        trail(session, act, "slots_returned", f"slot {numbers[0]}", slots=numbers, movements=answer["movements"])
        return answer

    nodes = [slots[0].node_id, *(slot.lender_id for slot in slots)]
    return once(session, act, "return_slots", {"slots": numbers}, nodes, do)


def _several_back(session: Session, act: Act, slots: Sequence[PoolSlot]) -> Receipt:
    """All of them, and only then home: what one gives back may make room for another's lender."""
    back = [(slot, _return_one(session, act, slot, Move.RETURN)) for slot in slots]
    answer = {"slots": [slot.slot_no for slot in slots], "status": Status.RETURNED}
    return {**answer, "movements": [seq for _, seq in back], **send_home(session, act, back)}


def _return_one(session: Session, act: Act, slot: PoolSlot, move: Move) -> int:
    if slot.ended_on is not None:
        raise _ended(slot)
    if slot.person_key is not None:
        raise Refused(f"用编序号 {slot.slot_no} 还有人，须先减编或置换。", answer="OCCUPIED", slot=slot.slot_no)
    to = _check(session, act, slot, move)
    legs = entries.give_back(cell_of(slot), [(lot_of(session, slot), 1)])
    booking = _slot_booking(session, slot, Kind.RETURN, legs, act.today, _lend_seq(session, slot))
    seq = book(session, booking, act.login, act.now)
    turn_slot(session, act, slot, move, seq, to, ended_on=act.today)
    return seq


def return_posts(session: Session, act: Act, loan_no: str, posts: int) -> Receipt:
    """RETURN so many posts of a loan, of those nobody sits on, the highest numbers first. → as `return_slots`.

    Refused: MORE_THAN_BORROWED (has, needs).
    """
    count, loan = parse_posts(posts), loan_of(session, loan_no)
    check_place(session, act, Permission.RETURN_POSTS, node_of(session, loan.node_id))

    def do() -> Receipt:
        free = [slot for slot in slots_of_loan(session, loan_no) if slot.person_key is None]
        if count > len(free):
            raise Refused(
                f"这笔借用可归还的空额只有 {len(free)} 个，不能归还 {count} 个。",
                answer="MORE_THAN_BORROWED", has=len(free), needs=count,
            )  # fmt: skip
        chosen = free[len(free) - count :]
        answer = _several_back(session, act, chosen)
        numbers, movements = answer["slots"], answer["movements"]
        trail(session, act, "slots_returned", f"loan {loan_no}", slots=numbers, movements=movements)
        return answer

    nodes = [loan.node_id, *(slot.lender_id for slot in slots_of_loan(session, loan_no))]
    return once(session, act, "return_posts", {"loan": loan_no, "posts": count}, nodes, do)


def take_back_slot(session: Session, act: Act, slot_no: str) -> Receipt:
    """TAKE_BACK by the office: a post nobody was put on within the time (R16), or whose term or recall ran out. → slot,
    status. Refused: NOT_YET (until); before that the lender recalls, with notice and grace (R14)."""
    slot = slot_of(session, slot_no)
    node = node_of(session, slot.node_id)
    check_place(session, act, Permission.SWAP_SLOT, node)
    months = terms_on(session, act.today, node.division_code).fill_months

    def do() -> Receipt:
        fresh = slot_of(session, slot_no)
        last = min(add_months(fresh.issued_on, months), fresh.due_date)
        if fresh.ended_on is None and fresh.person_key is None and act.today <= last:
            raise Refused(
                f"{last} 以前仍可入编，不能收回；需提前收回的，由出借方发收回通知。",
                answer="NOT_YET",
                until=last.isoformat(),
            )
        seq = _return_one(session, act, fresh, Move.TAKE_BACK)
        trail(session, act, "slot_taken_back", f"slot {slot_no}", movement=seq)
        return {"slot": slot_no, "status": Status.LAPSED, "movement": seq, **send_home(session, act, [(fresh, seq)])}

    return once(session, act, "take_back_slot", {"slot": slot_no}, [slot.node_id, slot.lender_id], do)


def swap_slot(session: Session, act: Act, slot_no: str) -> Receipt:
    """SWAP, signed by the office reviewer: the person moves onto an own vacant post and gets an own slot number (R09).

    → slot, status, movement, own_slot. Refused where the cell has no own vacancy (NOT_ENOUGH).
    """
    slot = slot_of(session, slot_no)
    check_place(session, act, Permission.SWAP_SLOT, node_of(session, slot.node_id))

    def do() -> Receipt:
        fresh = slot_of(session, slot_no)
        if fresh.ended_on is not None:
            raise _ended(fresh)
        if fresh.person_key is None:
            raise Refused("这个用编序号没有人，直接归还即可。", answer="NOBODY")
        to = _check(session, act, fresh, Move.SWAP)
        legs = entries.swap(cell_of(fresh), lot_of(session, fresh))
        seq = book(
            session, _slot_booking(session, fresh, Kind.SWAP, legs, act.today, fresh.fill_seq), act.login, act.now
        )
        (own,) = next_number(session, f"own:{act.today.year}", f"BZ{act.today.year}")
        turn_slot(session, act, fresh, Move.SWAP, seq, to, ended_on=act.today, own_slot_no=own)
        trail(session, act, "slot_swapped", f"slot {slot_no}", movement=seq, own_slot=own)
        home = send_home(session, act, [(fresh, seq)])
        return {"slot": slot_no, "status": to, "movement": seq, "own_slot": own, **home}

    return once(session, act, "swap_slot", {"slot": slot_no}, [slot.node_id, slot.lender_id], do)


def renew_loan(session: Session, act: Act, loan_no: str, months: int, reason: str) -> Receipt:
    """EXTEND by the director of the place of decision: the term grows from the old due date, once‡ (R07). → loan, due_date, slots.

    Slots under recall keep their day. Refused: RENEWED_BEFORE, TERM_TOO_LONG, NOTHING_LIVE.
    """
    loan = loan_of(session, loan_no)
    node, place = node_of(session, loan.node_id), place_of_renewal(session, loan)
    if act.scope.sees(node.unit_code, node.division_code) and not act.scope.sees(None, place.division_code):
        raise Forbidden("续借由批准这笔借用的一级决定。")
    check_place(session, act, Permission.RENEW_LOAN, place)
    if not reason.strip():
        raise InputRejected("请填写续借理由。", field="reason")

    def do() -> Receipt:
        fresh, terms = loan_of(session, loan_no), terms_on(session, act.today, node.division_code)
        if fresh.renewals >= terms.renewals:
            raise Refused(f"这笔借用已续借 {fresh.renewals} 次，不能再续。", answer="RENEWED_BEFORE")
        if isinstance(months, bool) or not isinstance(months, int) or not 1 <= months <= terms.longest(fresh.purpose):
            raise Refused(f"续借期限须为 1 至 {terms.longest(fresh.purpose)} 个月。", answer="TERM_TOO_LONG")
        slots = [slot for slot in slots_of_loan(session, loan_no) if slot.recalled_on is None]
        if not slots:
            raise Refused("这笔借用没有可以续借的编制。", answer="NOTHING_LIVE")
        due = add_months(fresh.due_date, months)
        if due < act.today:
            raise Refused("续借后仍已到期。", answer="STILL_PAST")
        seq = book(session, Booking(
            Kind.EXTEND, lambda _: [], len(slots), (fresh.post_type, fresh.fund_form), act.today,
            purpose=fresh.purpose, to_holder=fresh.node_id, loan_no=loan_no, rests_on=fresh.movement_seq,
        ), act.login, act.now)  # fmt: skip
        for slot in slots:
            _check(session, act, slot, Move.RENEW, place)
            to = Status.FILLED if slot.person_key else Status.ISSUED
            turn_slot(session, act, slot, Move.RENEW, seq, to, note=reason.strip(), due_date=due)
        session.execute(
            update(PoolLoan)
            .where(PoolLoan.loan_no == loan_no)
            .values(due_date=due, renewals=fresh.renewals + 1)
            .execution_options(synchronize_session=False)
        )
        trail(session, act, "loan_renewed", f"loan {loan_no}", movement=seq, due=due)
        letter = renewal_letter(loan_no, len(slots), due, seq)
        queue_letter(session, letter, officers_of(session, fresh.unit_code), act.today, act.portal, act.now)
        return {"loan": loan_no, "due_date": due, "slots": [slot.slot_no for slot in slots], "movement": seq}

    body = {"loan": loan_no, "months": months, "reason": reason}
    return once(session, act, "renew_loan", body, [loan.node_id], do)


def recall_loan(session: Session, act: Act, slot_nos: Sequence[str], reason: str) -> Receipt:
    """RECALL by the lender or its office: notice today, due when the grace ends, then debt (R14). → slots, due_date
    (the first of them, where the term ends before the grace).

    All slots of one loan and one lender. Nobody is evicted: the post comes back by return, exit or swap, and goes home to
    a lender that keeps its quota.
    """
    numbers = list(slot_nos)
    if not numbers or len(set(numbers)) != len(numbers) or not reason.strip():
        raise InputRejected("请选择要收回的用编序号并填写理由。", field="slots")
    slots = [slot_of(session, number) for number in numbers]
    if len({(slot.loan_no, slot.lender_id) for slot in slots}) != 1:
        raise InputRejected("一次只能收回一笔借用中同一出借方的编制。", field="slots")
    lender = node_of(session, slots[0].lender_id)
    check_place(session, act, Permission.RECALL_LOAN, lender)
    terms = terms_on(session, act.today, lender.division_code)

    def do() -> Receipt:
        until, due = act.today + timedelta(days=terms.grace_days), []
        for number in numbers:
            slot = slot_of(session, number)
            if slot.ended_on is not None:
                raise _ended(slot)
            to = _check(session, act, slot, Move.RECALL, lender)
            due.append((number, min(slot.due_date, until)))
            turn_slot(session, act, slot, Move.RECALL, None, to, note=reason.strip(), recalled_on=act.today,
                      due_date=due[-1][1])  # fmt: skip
        first = min(day for _, day in due)
        trail(session, act, "loan_recalled", f"loan {slots[0].loan_no}", slots=numbers, until=first)
        letter = recall_letter(slots[0].loan_no, due, all(lender_keeps(session, slot) for slot in slots))
        queue_letter(session, letter, officers_of(session, slots[0].unit_code), act.today, act.portal, act.now)
        return {"slots": numbers, "status": Status.RECALLED, "due_date": first}

    body = {"slots": numbers, "reason": reason}
    return once(session, act, "recall_loan", body, [slots[0].node_id, lender.id], do)


def loan_movements(session: Session, loan_no: str) -> list[PoolMovement]:
    """All movements of a loan, in order: who lent to whom, and what came back when."""
    return list(session.scalars(select(PoolMovement).where(PoolMovement.loan_no == loan_no).order_by(PoolMovement.seq)))
