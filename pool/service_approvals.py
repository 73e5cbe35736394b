"""The director's decision: pending posts are lent, one slot per post, and what was not granted goes back."""

from __future__ import annotations

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from core.permissions import Permission
from pool import entries
from pool.acting import Act, Receipt, next_number, node_of, once, open_node, parents, path_up
from pool.approvals import Move, Status
from pool.deciding import decide_taken, gather_facts
from pool.ledger import Cell, Kind, Lot, parse_posts
from pool.models import PoolLoan, PoolLot, PoolSlot, PoolSlotEvent
from pool.policies import Decision, add_months
from pool.posting import Booking, book
from pool.service import trail
from pool.service_loans import (
    check_request_move,
    claim_posts,
    drop_lots,
    seen_request,
    step,
    tell_applicant,
    turn,
)  # fmt: skip
from pool.store import Stock, held_lots, request_of


def approve_request(
    session: Session, act: Act, number: str, *, posts: object = None, document_no: str | None = None, note: str = ""
) -> Receipt:
    """APPROVE by the director of the place of decision: pending posts are lent, a partial grant gives the rest back.

    posts None: all. One that waits for posts is given them first. → request, loan, slots (numbers), due_date, granted, given_back. The rules are asked once more.
    """
    request, node = seen_request(session, act, number, Permission.DECIDE_LOAN, upper=True)
    wanted = None if posts is None else parse_posts(posts)
    if len(document_no or "") > 200:
        raise InputRejected("文号至多 200 个字。", field="document_no")
    body = {"request": number, "posts": wanted, "document_no": document_no, "note": note}

    def do() -> Receipt:
        fresh = request_of(session, number)
        place = node if fresh.decision_node in (None, node.parent_id) else node_of(session, fresh.decision_node)
        check_request_move(session, act, fresh, Move.APPROVE, place)
        open_node(node)
        return _grant(session, act, fresh, node, wanted, document_no, note)

    return once(session, act, "approve_request", body, [request.node_id], do)


def _grant(session, act, request, node, wanted, document_no, note) -> Receipt:
    pending = held_lots(session, request.number) or _claimed(session, act, request, node)
    held = sum(posts for _, posts in pending)
    granted = held if wanted is None else wanted
    if granted > held:
        raise Refused(f"申请待批的只有 {held} 个，不能批准 {granted} 个。", answer="MORE_THAN_ASKED", has=held)
    lent, back = split_lots(pending, granted)
    facts, terms = gather_facts(session, act, node, request, granted)
    lenders = _as_stock(session, node, lent)
    decision = decide_taken(session, act, node, facts, terms, lenders, pending=True)
    (loan_no,) = next_number(session, f"loan:{act.today.year}", f"JY{act.today.year}")
    cell = Cell(node.id, request.post_type, request.fund_form)
    common = {
        "partition": cell.partition, "effective": act.today, "purpose": request.purpose, "to_holder": node.id,
        "request_no": request.number,
    }  # fmt: skip
    seq = book(session, Booking(
        Kind.LEND, lambda _: entries.lend(cell, lent), granted, loan_no=loan_no, central_no=request.central_no, **common
    ), act.login, act.now)  # fmt: skip
    if back:
        drop_lots(session, act, request, node, back)
    loan = _new_loan(session, act, request, loan_no, seq, granted, decision, document_no)
    slots = _issue(session, act, loan, lent, seq)
    step(session, act, request, Move.APPROVE, Status.APPROVED, posts=granted, note=note)
    turn(session, request, status=Status.APPROVED, granted=granted, loan_no=loan_no, decided_by=act.login,
         decided_on=act.today)  # fmt: skip
    trail(session, act, "request_approved", f"request {request.number}", loan=loan_no, movement=seq, granted=granted)
    tell_applicant(session, act, request, f"批准 {granted} 个", [f"借用号 {loan_no}，{loan['due_date']} 到期", *slots])
    return {
        "request": request.number, "status": Status.APPROVED, "loan": loan_no, "movement": seq, "granted": granted,
        "given_back": held - granted, "slots": slots, "due_date": loan["due_date"].isoformat(),
    }  # fmt: skip


def _claimed(session, act, request, node) -> list[tuple[Lot, int]]:
    """Posts for a request that waited for some, when those found are this director's to lend."""
    place = request.decision_node
    if claim_posts(session, act, node, request)["decision_node"] != place:
        raise Refused("这件申请能占到的编制须由另一级的编委主任决定，今夜占到后转去。", answer="OTHER_PLACE")
    return held_lots(session, request.number)


def split_lots(pending: list[tuple[Lot, int]], granted: int) -> tuple[list[tuple[Lot, int]], list[tuple[Lot, int]]]:
    """The first `granted` posts, and the rest, lot by lot."""
    lent, back = [], []
    for lot, posts in pending:
        here = min(posts, granted)
        granted -= here
        lent += [(lot, here)] if here else []
        back += [(lot, posts - here)] if posts > here else []
    return lent, back


def _as_stock(session, node, lots) -> list[tuple[Stock, int]]:
    """Lots already chosen, as the rules of levels look at them."""
    rows = {lot.lot_no: session.get(PoolLot, lot.lot_no) for lot, _ in lots}
    parent_of = parents(session, {node.id, *(row.node_id for row in rows.values())})
    up = {node_id: rank for rank, node_id in enumerate(path_up(parent_of, node.id))}
    found = []
    for lot, posts in lots:
        row = rows[lot.lot_no]
        meet = next(node_id for node_id in path_up(parent_of, row.node_id) if node_id in up)
        found.append((Stock(lot, row.node_id, posts, row.since, up[meet], meet), posts))
    return found


def _new_loan(session, act, request, loan_no, seq, granted, decision: Decision, document_no) -> dict[str, object]:
    row = {
        "loan_no": loan_no, "request_no": request.number, "movement_seq": seq, "node_id": request.node_id,
        "unit_code": request.unit_code, "post_type": request.post_type, "fund_form": request.fund_form,
        "purpose": request.purpose, "posts": granted, "document_no": (document_no or "").strip() or request.number,
        "start_date": act.today, "months": request.months, "due_date": add_months(act.today, request.months),
        "renewals": 0, "backed": min(granted, int(decision.values["backing"])),
    }  # fmt: skip
    session.execute(insert(PoolLoan.__table__), [row])
    return row


def _issue(session, act: Act, loan: dict[str, object], lots, seq: int) -> list[str]:
    posts = [lot for lot, count in lots for _ in range(count)]
    numbers = next_number(session, f"slot:{act.today.year}", f"ZZ{act.today.year}", len(posts))
    same = ("loan_no", "node_id", "unit_code", "post_type", "fund_form", "purpose", "due_date")
    session.execute(
        insert(PoolSlot.__table__),
        [{**{name: loan[name] for name in same}, "slot_no": number, "lot_no": lot.lot_no, "lender_id": lot.owner.holder,
          "status": Status.ISSUED.value, "issued_on": act.today, "version": 1}
         for number, lot in zip(numbers, posts, strict=True)],
    )  # fmt: skip
    session.execute(
        insert(PoolSlotEvent.__table__),
        [{"slot_no": number, "at": act.now, "actor": act.login, "move": Move.ISSUE.value, "from_status": None,
          "to_status": Status.ISSUED.value, "movement_seq": seq} for number in numbers],
    )  # fmt: skip
    return numbers
