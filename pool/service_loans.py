"""Use-cases on a request: submit, endorse, review, approve, refuse, withdraw. Two steps: pending first, posted later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.errors import InputRejected, NotFound, Refused
from core.permissions import Permission, is_current
from core.units import UnitVersion
from pool import entries
from pool.acting import (
    Act,
    Receipt,
    check_place,
    next_number,
    node_of,
    once,
    open_node,
    unit_node,
)  # fmt: skip
from pool.approvals import (
    REQUEST_MOVES,
    STATUS_LABELS,
    Hands,
    Move,
    Status,
    check_move,
)  # fmt: skip
from pool.deciding import decide_taken, decision_node, gather_facts, lacking, refuse_unless
from pool.ledger import Cell, Kind, parse_cell, parse_posts
from pool.letters import address_of, decision_letter, queue_letter
from pool.models import PoolNode, PoolRequest, PoolRequestStep
from pool.policies import Decision, decide_request
from pool.posting import Booking, book
from pool.service import trail
from pool.store import (
    Stock,
    held_lots,
    request_of,
    stock_for,
    take_stock,
)  # fmt: skip
from pool.waiting_list import waiting_before


@dataclass(frozen=True)
class Wish:
    """What a unit asks for."""

    unit_code: str
    post_type: str
    fund_form: str
    purpose: str
    posts: object
    months: int
    reason: str
    central_no: str | None = None
    exception_doc: str | None = None
    other_waiver: str | None = None


def request_loan(session: Session, act: Act, wish: Wish, *, draft: bool = False, wait: bool = False) -> Receipt:
    """SUBMIT (or SAVE a draft): posts are pending at once. → request, status, lots, decision_node.

    wait: where there is no stock, or others wait for it, register the request all the same; it holds nothing until the
    night finds it posts in R15's order (pool.waiting). → waiting instead of movement. Refused by a rule (details:
    answer, rule), for want of stock (NO_STOCK: has, needs; QUEUED: ahead, asked, idle), or by a node's limit (LIMIT).
    """
    wish = checked_wish(wish)
    node = unit_node(session, wish.unit_code)
    check_place(session, act, Permission.REQUEST_LOAN, node)

    def do() -> Receipt:
        session.refresh(node)
        open_node(node)
        (number,) = next_number(session, f"request:{act.today.year}", f"JB{act.today.year}")
        session.execute(insert(PoolRequest.__table__), [_new_request(number, node, wish, act)])
        request = request_of(session, number)
        if draft:
            step(session, act, request, Move.SAVE, Status.DRAFT)
            trail(session, act, "request_saved", f"request {number}")
            return {"request": number, "status": Status.DRAFT}
        return _submit(session, act, node, request, wait)

    body = {**wish.__dict__, "draft": draft} | ({"wait": True} if wait else {})
    return once(session, act, "request_loan", body, [node.id], do)


def submit_request(session: Session, act: Act, number: str, *, wait: bool = False) -> Receipt:
    """SUBMIT a draft. → as `request_loan`."""
    request, node = seen_request(session, act, number, Permission.REQUEST_LOAN)

    def do() -> Receipt:
        fresh = request_of(session, number)
        roles = act.scope.roles_for(node.unit_code, node.division_code)
        check_move(REQUEST_MOVES[Move.SUBMIT], Status(fresh.status), roles=roles, actors=act.actors)
        open_node(node)
        return _submit(session, act, node, fresh, wait)

    body = {"request": number} | ({"wait": True} if wait else {})
    return once(session, act, "submit_request", body, [request.node_id], do)


def checked_wish(wish: Wish) -> Wish:
    """The wish as it may be kept. Errors: InputRejected."""
    parse_cell("", wish.post_type, wish.fund_form)
    if not 1 <= len(wish.purpose) <= 32:
        raise InputRejected("没有这种用途。", field="purpose")
    if isinstance(wish.months, bool) or not isinstance(wish.months, int) or not 1 <= wish.months <= 1200:
        raise InputRejected("借用期限须为整月数。", field="months")
    if not 1 <= len(wish.reason.strip()) <= 4000:
        raise InputRejected("请填写借用理由（至多 4000 字）。", field="reason")
    papers = {
        name: (getattr(wish, name) or "").strip() or None for name in ("central_no", "exception_doc", "other_waiver")
    }
    if any(len(paper) > 200 for paper in papers.values() if paper):
        raise InputRejected("文号至多 200 个字。", field="document_no")
    return replace(wish, posts=parse_posts(wish.posts), reason=wish.reason.strip(), **papers)


def _new_request(number: str, node: PoolNode, wish: Wish, act: Act) -> dict[str, object]:
    return {
        **wish.__dict__, "number": number, "node_id": node.id, "status": Status.DRAFT, "applicant": act.login,
        "version": 1,
    }  # fmt: skip


def _submit(session: Session, act: Act, node: PoolNode, request: PoolRequest, wait: bool) -> Receipt:
    facts, terms = gather_facts(session, act, node, request, request.posts)
    decision = refuse_unless(decide_request(facts, terms))
    taken, lack = _choose(session, act, node, request, waiting_before(session, node, request))
    if lack is not None and not wait:
        raise lack
    if lack is None:
        asked = _ask(session, act, node, request, taken, decide_taken(session, act, node, facts, terms, taken))
    else:
        asked = {"movement": None, "decision_node": decision_node(session, node, [], decision), "waiting": True}
    step(session, act, request, Move.SUBMIT, Status.SUBMITTED, posts=request.posts)
    turn(session, request, status=Status.SUBMITTED, submitted_on=act.today, decision_node=asked["decision_node"])
    trail(
        session, act, "request_submitted", f"request {request.number}", movement=asked["movement"], posts=request.posts
    )
    return {"request": request.number, "status": Status.SUBMITTED, "rule": decision.answer, "lots": [], **asked}


def claim_posts(session: Session, act: Act, node: PoolNode, request: PoolRequest, *, told: bool = True) -> Receipt:
    """CLAIM: ASK for a request that waits, by the rules, the stock and the limits of today. → movement, decision_node,
    rule, lots. Errors: Refused as `request_loan`, nothing changed; told: with the figures of a want of stock."""
    facts, terms = gather_facts(session, act, node, request, request.posts)
    refuse_unless(decide_request(facts, terms))
    taken, lack = _choose(session, act, node, request, {}, told)
    if lack is not None:
        raise lack
    decision = decide_taken(session, act, node, facts, terms, taken, told=told)
    asked = _ask(session, act, node, request, taken, decision)
    step(session, act, request, Move.CLAIM, Status(request.status), posts=request.posts)
    turn(session, request, decision_node=asked["decision_node"])
    trail(session, act, "request_claim", f"request {request.number}", movement=asked["movement"], posts=request.posts)
    return asked


def _choose(
    session, act, node, request, before: Mapping[str, int], told: bool = True
) -> tuple[list[tuple[Stock, int]], Refused | None]:
    """The lots a request would be given, and why it cannot be. before: posts of the requests that wait for the same, by
    number; told: somebody reads why."""
    cell = Cell(node.id, request.post_type, request.fund_form)
    stock = stock_for(session, node, cell, request.purpose, act.today)
    if before:
        ahead, asked, idle = len(before), sum(before.values()), sum(lot.posts for lot in stock)
        return [], Refused(
            f"已有 {ahead} 件申请共 {asked} 个在等候这种编制，现有闲置 {idle} 个，须排队等候。",
            answer="QUEUED", ahead=ahead, asked=asked, idle=idle,
        )  # fmt: skip
    taken, missing = take_stock(stock, request.posts)
    if not missing:
        return taken, None
    return [], Refused(
        f"可借的闲置周转编制只有 {request.posts - missing} 个，不够 {request.posts} 个。",
        answer="NO_STOCK", **(lacking(session, act, cell, request, taken, missing) if told else {}),
    )  # fmt: skip


def _ask(session, act, node, request, taken, decision: Decision) -> Receipt:
    """Book the ASK. → movement, decision_node, rule, lots."""
    lots = [(stock.lot, posts) for stock, posts in taken]
    seq = book(session, Booking(
        Kind.ASK, lambda _: entries.ask(lots), request.posts, (request.post_type, request.fund_form), act.today,
        purpose=request.purpose, to_holder=node.id, request_no=request.number,
    ), act.login, act.now)  # fmt: skip
    return {
        "movement": seq, "decision_node": decision_node(session, node, taken, decision), "rule": decision.answer,
        "lots": [[lot.lot_no, lot.owner.holder, posts] for lot, posts in lots],
    }  # fmt: skip


def seen_request(
    session: Session, act: Act, number: str, permission: Permission, *, upper: bool = False
) -> tuple[PoolRequest, PoolNode]:
    """A request and its unit's node, if this person may do that to it. upper: the place of decision counts instead.

    Errors: NotFound, Forbidden.
    """
    request = request_of(session, number)
    node = node_of(session, request.node_id)
    place = node
    if upper and request.decision_node and request.decision_node != node.parent_id:
        place = node_of(session, request.decision_node)
    check_place(session, act, permission, place)
    return request, node


def hands_on(session: Session, request: PoolRequest) -> Hands:
    """Who applied and who decided, with those they acted for; a reversed approval leaves its decider a decider."""
    rows = session.execute(
        select(PoolRequestStep.move, PoolRequestStep.actor, PoolRequestStep.acting_for).where(
            PoolRequestStep.request_no == request.number
        )
    ).all()
    people = lambda moves: frozenset(
        login for row in rows if row.move in moves for login in (row.actor, row.acting_for) if login
    )
    deciders = {move for move, row in REQUEST_MOVES.items() if row.decides}
    return Hands(people({Move.SAVE, Move.SUBMIT}), people(deciders))


def endorsed(session: Session, request: PoolRequest) -> bool:
    """Whether the supervising department agreed, or the unit has none in the register now."""
    supervised = session.scalar(
        select(UnitVersion.supervising_code)
        .where(is_current(), UnitVersion.unit_code == request.unit_code, UnitVersion.supervising_code.is_not(None))
        .limit(1)
    )
    if supervised is None:
        return True
    done = select(PoolRequestStep.id).where(
        PoolRequestStep.request_no == request.number, PoolRequestStep.move == Move.ENDORSE
    )
    return session.scalar(done.limit(1)) is not None


def check_request_move(session: Session, act: Act, request: PoolRequest, move: Move, place: PoolNode) -> None:
    """The table's answer for this person. Errors: Forbidden; Refused, which says who decided when somebody has."""
    row, status = REQUEST_MOVES[move], Status(request.status)
    if row.decides and request.decided_by is not None and status not in row.sources:
        raise Refused(
            f"这件申请已由 {request.decided_by} 办理，现为“{STATUS_LABELS[status]}”。",
            answer="ALREADY_DECIDED", decided_by=request.decided_by, status=status.value,
        )  # fmt: skip
    roles = act.scope.roles_for(place.unit_code, place.division_code)  # a division node has no unit_code
    check_move(
        row, status, roles=roles, actors=act.actors, hands=hands_on(session, request),
        endorsed=endorsed(session, request),
    )  # fmt: skip


def step(
    session: Session, act: Act, request: PoolRequest, move: Move, to: Status, posts: int | None = None,
    note: str | None = None,
) -> None:  # fmt: skip
    """Append one step to a request's life."""
    acting_for = act.acting_for.login if act.acting_for else None
    first = move in (Move.SAVE, Move.SUBMIT) and request.submitted_on is None and request.version == 1
    before = None if first else request.status
    session.execute(
        insert(PoolRequestStep.__table__),
        [{"request_no": request.number, "at": act.now, "actor": act.login, "acting_for": acting_for, "move": move.value,
          "from_status": before, "to_status": to.value, "posts": posts, "note": (note or "").strip()[:4000] or None}],
    )  # fmt: skip


def turn(session: Session, request: PoolRequest, **values: object) -> None:
    """Change a request as it was read, or not at all. Errors: Refused when another was first."""
    done = session.execute(
        update(PoolRequest)
        .where(
            PoolRequest.number == request.number, PoolRequest.status == request.status,
            PoolRequest.version == request.version,
        )
        .values(version=request.version + 1, **values)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    if done.rowcount != 1:
        raise Refused("这件申请刚刚有了变化，请刷新后再办理。", answer="CHANGED")
    session.refresh(request)


def endorse_request(session: Session, act: Act, number: str, note: str = "") -> Receipt:
    """ENDORSE by the supervising department; the status stays. → request, status."""
    return _opinion(session, act, number, Move.ENDORSE, Permission.ENDORSE_LOAN, note)


def review_request(session: Session, act: Act, number: str, note: str = "") -> Receipt:
    """REVIEW by the office. → request, status."""
    return _opinion(session, act, number, Move.REVIEW, Permission.REVIEW_LOAN, note)


def _opinion(session, act, number, move, permission, note) -> Receipt:
    request, node = seen_request(session, act, number, permission)

    def do() -> Receipt:
        fresh = request_of(session, number)
        check_request_move(session, act, fresh, move, node)
        status = REQUEST_MOVES[move].target or Status(fresh.status)
        step(session, act, fresh, move, status, note=note)
        turn(session, fresh, status=status)
        trail(session, act, f"request_{move.value.lower()}", f"request {number}", status=status.value)
        return {"request": number, "status": status}

    return once(session, act, move.value, {"request": number, "note": note}, [request.node_id], do)


def refuse_request(session: Session, act: Act, number: str, reason: str) -> Receipt:
    """REFUSE by the supervising department or the office, with a reason; the pending posts go back. → request, status."""
    if not reason.strip():
        raise InputRejected("请填写不予批准的理由。", field="reason")
    try:
        request, node = seen_request(session, act, number, Permission.REFUSE_LOAN)
        place = node
    except NotFound:
        request, node = seen_request(session, act, number, Permission.REFUSE_LOAN, upper=True)
        place = node_of(session, request.decision_node or node.id)
    return _end(session, act, request, node, place, Move.REFUSE, reason)


def withdraw_request(session: Session, act: Act, number: str, reason: str = "") -> Receipt:
    """WITHDRAW by the applicant's unit before a decision; the pending posts go back. → request, status."""
    request, node = seen_request(session, act, number, Permission.REQUEST_LOAN)
    return _end(session, act, request, node, node, Move.WITHDRAW, reason)


def _end(session, act, request, node, place, move: Move, reason: str) -> Receipt:
    number = request.number

    def do() -> Receipt:
        fresh = request_of(session, number)
        if move is Move.WITHDRAW and fresh.decided_by is not None:
            raise Refused(
                f"这件申请已由 {fresh.decided_by} 办理，现为“{STATUS_LABELS[Status(fresh.status)]}”。",
                answer="ALREADY_DECIDED", decided_by=fresh.decided_by, status=fresh.status,
            )  # fmt: skip
        check_request_move(session, act, fresh, move, place)
        return end_request(session, act, fresh, node, move, reason)

    return once(session, act, move.value, {"request": number, "reason": reason}, [request.node_id], do)


def end_request(session: Session, act: Act, request: PoolRequest, node: PoolNode, move: Move, reason: str) -> Receipt:
    """Void what is pending and close the request; the caller has checked the move."""
    status = REQUEST_MOVES[move].target
    pending = held_lots(session, request.number)
    seq = drop_lots(session, act, request, node, pending) if pending else None
    step(session, act, request, move, status, note=reason)
    decided = {"decided_by": act.login, "decided_on": act.today} if move is Move.REFUSE else {}
    turn(session, request, status=status, **decided)
    trail(session, act, f"request_{move.value.lower()}", f"request {request.number}", movement=seq)
    if move is not Move.WITHDRAW:
        tell_applicant(session, act, request, STATUS_LABELS[status], [reason])
    return {"request": request.number, "status": status, "movement": seq}


def tell_applicant(session: Session, act: Act, request: PoolRequest, outcome: str, lines: list[str]) -> None:
    """Queue the mail about a decision; one undone and taken anew on the same day is told anew."""
    letter, to = decision_letter(request.number, outcome, lines), address_of(session, request.applicant)
    if to and not queue_letter(session, letter, to, act.today, act.portal, act.now):
        again = replace(letter, digest=f"pool_redecided_{request.number}_{request.version}")
        queue_letter(session, again, to, act.today, act.portal, act.now)


def drop_lots(session: Session, act: Act, request: PoolRequest, node: PoolNode, lots) -> int:
    """DROP: pending posts of a request go back to their lots; returns the movement."""
    return book(session, Booking(
        Kind.DROP, lambda _: entries.drop(lots), sum(posts for _, posts in lots),
        (request.post_type, request.fund_form), act.today, purpose=request.purpose, to_holder=node.id,
        request_no=request.number,
    ), act.login, act.now)  # fmt: skip
