"""The steps on a request, a loan and a slot as both doors offer them: name in the address, fields, use-case, and
whether this person may take the step now, with the sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from core.errors import Forbidden, InputRejected, NotFound, Refused
from core.identity import id_problem, keyed, mask_id, normalise_id
from core.permissions import Permission
from pool.acting import Act, Receipt, check_place, node_of
from pool.approvals import REQUEST_MOVES, SLOT_MOVES, Answer, Move, Status, decide_move
from pool.models import PoolNode, PoolRequest, PoolSlot
from pool.service_approvals import approve_request
from pool.service_loans import (
    check_request_move,
    endorse_request,
    refuse_request,
    review_request,
    submit_request,
    withdraw_request,
)  # fmt: skip
from pool.service_slots import (
    fill_slot,
    place_of_renewal,
    recall_loan,
    renew_loan,
    return_posts,
    return_slots,
    swap_slot,
    take_back_slot,
    vacate_slot,
)  # fmt: skip
from pool.store import loan_of, slots_of_loan
from web.moves import Field

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One step. `name` is its word in addresses. also: what it takes beside the fields a page asks for."""

    name: str
    move: Move
    fields: tuple[Field, ...]
    call: Callable[[Session, Act, str, Values], Receipt]
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Offer:
    """A step, whether it may be taken now, and the sentence (Chinese, filled in) that says why not.

    theirs: whether a role of this person ever takes it.
    """

    step: Step
    allowed: bool
    why: str
    theirs: bool


_NOTE = Field("note", "意见", "text", required=False)
_REASON = Field("reason", "理由", "text")

REQUEST_STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step("submit", Move.SUBMIT, (Field("wait", "没有闲置编制时，登记等候", "check", required=False),),
             lambda db, act, number, v: submit_request(db, act, number, wait=bool(v.get("wait")))),
        Step("endorse", Move.ENDORSE, (_NOTE,),
             lambda db, act, number, v: endorse_request(db, act, number, v.get("note") or "")),
        Step("review", Move.REVIEW, (_NOTE,),
             lambda db, act, number, v: review_request(db, act, number, v.get("note") or "")),
        Step("approve", Move.APPROVE,
             (Field("posts", "批准数", "number", required=False, hint="不填即全部批准；批准一部分的，其余退回池中。"),
              Field("document_no", "批准文号", "line", required=False, hint="不填即以申请编号为凭。"), _NOTE),
             lambda db, act, number, v: approve_request(
                 db, act, number, posts=v.get("posts"), document_no=v.get("document_no"), note=v.get("note") or "")),
        Step("refuse", Move.REFUSE, (_REASON,),
             lambda db, act, number, v: refuse_request(db, act, number, v.get("reason") or "")),
        Step("withdraw", Move.WITHDRAW, (Field("reason", "理由", "text", required=False),),
             lambda db, act, number, v: withdraw_request(db, act, number, v.get("reason") or "")),
    )
}  # fmt: skip


def _return(db: Session, act: Act, loan_no: str, values: Values) -> Receipt:
    slots = values.get("slots")
    if slots and values.get("posts") is not None:
        raise InputRejected("归还时写明用编序号或者个数，不能两样都写。", field="posts")
    if slots:
        return return_slots(db, act, _of_loan(db, loan_no, slots))
    return return_posts(db, act, loan_no, values.get("posts"))


def _recall(db: Session, act: Act, loan_no: str, values: Values) -> Receipt:
    return recall_loan(db, act, _of_loan(db, loan_no, values.get("slots") or []), values.get("reason") or "")


def _of_loan(db: Session, loan_no: str, slots: Sequence[str]) -> list[str]:
    known = {slot.slot_no for slot in slots_of_loan(db, loan_no, live=False)}
    if not set(slots) <= known:
        raise NotFound("这笔借用没有这个用编序号。")
    return list(slots)


LOAN_STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step("return", Move.RETURN, (), _return, also=("slots", "posts")),
        Step("recall", Move.RECALL, (_REASON,), _recall, also=("slots",)),
        Step("renew", Move.RENEW, (Field("months", "续借月数", "number"), _REASON),
             lambda db, act, loan_no, v: renew_loan(db, act, loan_no, v.get("months"), v.get("reason") or "")),
    )
}  # fmt: skip


def enter_slot(db: Session, act: Act, slot_no: str, identity: str, day: date | None, person_key: str) -> Receipt:
    """FILL by the number of an identity card: only its keyed hash and its mask are kept. Errors: InputRejected."""
    number = normalise_id(identity)
    if id_problem(number) is not None:
        raise InputRejected("证件号不正确。", field="identity")
    return fill_slot(db, act, slot_no, keyed(person_key, number), mask_id(number), day)


SLOT_STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step("fill", Move.FILL, (Field("identity", "证件号", "line"), Field("day", "入编时间", "date", required=False)),
             lambda db, act, slot_no, v: enter_slot(
                 db, act, slot_no, v.get("identity") or "", v.get("day"), v["person_key"])),
        Step("vacate", Move.RETURN, (Field("day", "出编时间", "date", required=False),),
             lambda db, act, slot_no, v: vacate_slot(db, act, slot_no, v.get("day"))),
        Step("swap", Move.SWAP, (), lambda db, act, slot_no, v: swap_slot(db, act, slot_no)),
        Step("take-back", Move.TAKE_BACK, (), lambda db, act, slot_no, v: take_back_slot(db, act, slot_no)),
    )
}  # fmt: skip


def take_step(steps: Mapping[str, Step], db: Session, act: Act, name: str, key: str, values: Values) -> Receipt:
    """Take the step of that name on a request, loan or slot. Errors: NotFound for an unknown one; the use-case's own."""
    step = steps.get(name)
    if step is None:
        raise NotFound("没有这一种办理。")
    return step.call(db, act, key, values)


def only_taken(steps: Mapping[str, Step], name: str, given: dict[str, Any]) -> dict[str, Any]:
    """What was given for a step. Errors: InputRejected for what the step does not take: whoever said it meant something."""
    step = steps.get(name)
    strange = sorted(set(given) - {*(one.name for one in step.fields), *step.also}) if step else []
    if strange:
        raise InputRejected("提交了这一步用不到的内容，请去掉。", field=strange[0])
    return given


def request_offers(db: Session, act: Act, row: PoolRequest) -> list[Offer]:
    """Every step on a request for this person; possible ones first."""
    offers = [_offer(step, _request_refusal(db, act, row, step.move)) for step in REQUEST_STEPS.values()]
    return sorted(offers, key=lambda offer: not offer.allowed)


def _offer(step: Step, refusal: Refused | None) -> Offer:
    if refusal is None:
        return Offer(step, True, "", True)
    theirs = refusal.details.get("answer") != Answer.WRONG_ROLE and not isinstance(refusal, NotFound | Forbidden)
    return Offer(step, False, refusal.message, theirs)


def _request_refusal(db: Session, act: Act, row: PoolRequest, move: Move) -> Refused | None:
    """What the use-case would say before it looks at posts and limits; None: it would go on."""
    found: Refused | None = None
    for place in _places(db, row, move):
        try:
            check_place(db, act, REQUEST_MOVES[move].permission, place)
            check_request_move(db, act, row, move, place)
        except Refused as error:
            # Of two places the one where the person has a say gives the sentence.
            found = error if found is None or isinstance(found, NotFound | Forbidden) else found
        else:
            return None
    return found


def _places(db: Session, row: PoolRequest, move: Move) -> list[PoolNode]:
    node = node_of(db, row.node_id)
    if move not in (Move.APPROVE, Move.REFUSE) or not row.decision_node or row.decision_node == node.parent_id:
        return [node]
    upper = node_of(db, row.decision_node)
    return [upper] if move is Move.APPROVE else [node, upper]


def waits_for(db: Session, act: Act, row: PoolRequest) -> bool:
    """Whether a decision on this request waits for this person: the inbox."""
    decisions = [step for step in REQUEST_STEPS.values() if REQUEST_MOVES[step.move].decides]
    return any(_request_refusal(db, act, row, step.move) is None for step in decisions)


# Who sees a loan may stand far from where its steps are taken.
ELSEWHERE = "这一步由当地办理，不在您的管辖范围内。"


def slot_refusal(db: Session, act: Act, slot: PoolSlot, move: Move, permission: Permission | None = None) -> str | None:
    """Why this person may not make the move on a slot now; None: they may. A recall is the
    lender's, a renewal of whoever granted the term."""
    row = SLOT_MOVES[move]
    node = node_of(db, slot.lender_id if move is Move.RECALL else slot.node_id)
    if move is Move.RENEW:
        node = place_of_renewal(db, loan_of(db, slot.loan_no))
    try:
        roles = check_place(db, act, permission or row.permission, node)
    except NotFound:
        return ELSEWHERE
    except Refused as error:
        return error.message
    if permission is not None:
        return (
            None
            if slot.ended_on is None
            else decide_move(row, Status(slot.status), roles=roles, actors=act.actors).sentence
        )
    decision = decide_move(row, Status(slot.status), roles=roles, actors=act.actors)
    return None if decision.allowed else decision.sentence
