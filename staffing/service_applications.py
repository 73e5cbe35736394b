"""Use-cases on an application: apply (or draft and submit), confirm the cost, review, refuse, withdraw."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.errors import InputRejected
from core.identity import normalise_code
from core.permissions import Permission
from core.types import EntryForm, FundForm, LeaderTier, Level, PostType, WorkKind
from pool.acting import Act, Receipt, check_place, next_number, once
from pool.ledger import parse_cell, parse_posts
from pool.models import PoolNode
from staffing.chain import Move, Status, Subject
from staffing.gathering import check_use, facts_of, figures_now, terms_of
from staffing.models import StaffApplication
from staffing.principles import Decision, decide_each
from staffing.store import (
    check_move,
    check_opened,
    gate_node,
    gate_parameters,
    make,
    place_of,
    row_of,
    step,
    text_of,
    turn,
    with_figures,
)  # fmt: skip
from staffing.telling import tell, trail


@dataclass(frozen=True)
class UseWish:
    """What a unit applies for. from_*: of somebody who comes by TRANSFER. bound_slot: the slot whose coming exit makes
    room (出一进一). outside_document: PLACEMENT outside the plan. yearly_cost: yuan for all posts, None = by parameter."""

    unit_code: str
    post_type: str
    fund_form: str
    posts: object
    entry_form: str
    reason: str
    work_kind: str = WorkKind.TECHNICAL
    leader_tier: str | None = None
    from_unit: str | None = None
    from_level: str | None = None
    from_fund_form: str | None = None
    waiver_no: str | None = None
    consultation_no: str | None = None
    outside_document: str | None = None
    bound_slot: str | None = None
    yearly_cost: int | None = None


CODES = ("from_unit", "waiver_no", "consultation_no", "outside_document", "bound_slot")
VOCABULARIES = (
    ("entry_form", EntryForm, "没有这种增人方式。"), ("work_kind", WorkKind, "没有这种岗位类别。"),
    ("leader_tier", LeaderTier, "没有这种领导职务层次。"), ("from_level", Level, "没有这种层级。"),
    ("from_fund_form", FundForm, "没有这种经费形式。"),
)  # fmt: skip


def _checked(wish: UseWish) -> UseWish:
    parse_cell("", wish.post_type, wish.fund_form)
    wish = replace(
        wish, **{name: getattr(wish, name) or None for name in ("leader_tier", "from_level", "from_fund_form")}
    )
    for name, words, sentence in VOCABULARIES:
        value = getattr(wish, name)
        if value is not None and value not in set(words):
            raise InputRejected(sentence, field=name)
    codes = {name: normalise_code(getattr(wish, name) or "") or None for name in CODES}
    if any(len(code) > 200 for code in codes.values() if code):
        raise InputRejected("编号或文号至多 200 个字。", field="document_no")
    kind = WorkKind.WORKER if wish.post_type == PostType.SUPPORT else WorkKind(wish.work_kind)
    cost = wish.yearly_cost
    if cost is not None and (isinstance(cost, bool) or not isinstance(cost, int) or not 0 <= cost <= 10**11):
        raise InputRejected("年度经费须为不小于 0 的整数（元）。", field="yearly_cost")
    posts = parse_posts(wish.posts)
    if codes["bound_slot"] and posts != 1:
        raise InputRejected("出一进一每件只用 1 个编制。", field="posts")
    if codes["outside_document"] and wish.entry_form != EntryForm.PLACEMENT:
        raise InputRejected("只有政策性安置可以凭文件在计划外用编。", field="outside_document")
    reason = text_of(wish.reason, "reason", "请填写用编理由（至多 4000 字）。")
    return replace(wish, posts=posts, reason=reason, work_kind=kind.value, **codes)


def apply_for_posts(session: Session, act: Act, wish: UseWish, *, draft: bool = False) -> Receipt:
    """申请用编: SUBMIT (or SAVE a draft), with the figures of this moment. → application, status, figures, yearly_cost.

    Refused by a principle: details answer, principle, figures, remedy, need (the smallest change that would pass).
    """
    wish = _checked(wish)
    node = gate_node(session, act, Permission.APPLY_POSTS, wish.unit_code)

    def do() -> Receipt:
        check_opened(session, node)
        check_move(session, act, Move.SAVE if draft else Move.SUBMIT, None, node)
        (number,) = next_number(session, f"application:{act.today.year}", f"YB{act.today.year}")
        session.execute(insert(StaffApplication.__table__), [_new(session, act, node, number, wish)])
        row = row_of(session, Subject.APPLICATION, number)
        if draft:
            step(session, act, Move.SAVE, number, None, Status.DRAFT)
            trail(session, act, "application_saved", f"application {number}")
            return {"application": number, "status": Status.DRAFT, "yearly_cost": row.yearly_cost}
        return _submit(session, act, node, row, None)

    return once(session, act, "apply_for_posts", {**asdict(wish), "draft": draft}, [node.id], do)


@dataclass(frozen=True)
class Foreseen:
    """What an application would be told if it were sent now: every check by itself, figures of the moment, yearly cost."""

    checks: list[tuple[str, Decision]]
    figures: dict
    yearly_cost: int

    @property
    def passes(self) -> bool:
        return all(decision.allowed for _, decision in self.checks)


def foresee_use(session: Session, act: Act, wish: UseWish) -> Foreseen:
    """The principles' answers before anything is sent; nothing is written.

    Errors: as `apply_for_posts`, but a principle's refusal is an answer.
    """
    wish = _checked(wish)
    node = gate_node(session, act, Permission.APPLY_POSTS, wish.unit_code)
    check_opened(session, node)
    given = _new(session, act, node, "", wish)
    row = StaffApplication(**given)
    facts = facts_of(session, node, row, act.today)
    checks = decide_each(facts, terms_of(session, node, act.today))
    return Foreseen(checks, figures_now(session, facts, row, act.today), row.yearly_cost)


def _new(session: Session, act: Act, node: PoolNode, number: str, wish: UseWish) -> dict[str, object]:
    cost = gate_parameters(session, act.today, node.division_code)["post_cost"].get(wish.fund_form, 0) * wish.posts
    given = asdict(wish) | {"yearly_cost": cost if wish.yearly_cost is None else wish.yearly_cost}
    return given | {
        "number": number, "node_id": node.id, "year": act.today.year, "status": Status.DRAFT.value,
        "applicant": act.login, "figures": "{}", "version": 1,
    }  # fmt: skip


def submit_application(session: Session, act: Act, number: str) -> Receipt:
    """SUBMIT a draft. → as `apply_for_posts`."""
    row = row_of(session, Subject.APPLICATION, number)
    node = gate_node(session, act, Permission.APPLY_POSTS, row.unit_code)

    def do() -> Receipt:
        fresh = row_of(session, Subject.APPLICATION, number)
        check_move(session, act, Move.SUBMIT, fresh, node)
        check_opened(session, node)
        return _submit(session, act, node, fresh, Status.DRAFT)

    return once(session, act, "submit_application", {"application": number}, [node.id], do)


def _submit(session: Session, act: Act, node: PoolNode, row: StaffApplication, before: Status | None) -> Receipt:
    facts = check_use(session, act, node, row)
    figures = figures_now(session, facts, row, act.today)
    if before is None:
        # No step says DRAFT: this application never was one.
        step(session, act, Move.SUBMIT, row.number, None, Status.SUBMITTED)
        turn(session, row, status=Status.SUBMITTED.value, submitted_on=act.today,
             figures=json.dumps({"submitted": figures}, ensure_ascii=False))  # fmt: skip
    else:
        make(session, act, Move.SUBMIT, row, submitted_on=act.today, year=act.today.year,
             figures=with_figures(row, "submitted", figures))  # fmt: skip
    trail(session, act, "application_submitted", f"application {row.number}", unit=row.unit_code, posts=row.posts)
    return {
        "application": row.number, "status": Status.SUBMITTED, "figures": figures, "yearly_cost": row.yearly_cost,
    }  # fmt: skip


def confirm_cost(session: Session, act: Act, number: str, yearly_cost: int | None = None) -> Receipt:
    """Finance confirms the yearly cost in yuan, or states another. → application, status, yearly_cost."""
    row = row_of(session, Subject.APPLICATION, number)
    node = place_of(session, row)
    check_place(session, act, Permission.CONFIRM_COST, node)
    bad = isinstance(yearly_cost, bool) or not isinstance(yearly_cost, int) or not 0 <= yearly_cost <= 10**11
    if yearly_cost is not None and bad:
        raise InputRejected("年度经费须为不小于 0 的整数（元）。", field="yearly_cost")

    def do() -> Receipt:
        fresh = row_of(session, Subject.APPLICATION, number)
        status = check_move(session, act, Move.CONFIRM_COST, fresh, node)
        cost = fresh.yearly_cost if yearly_cost is None else yearly_cost
        make(session, act, Move.CONFIRM_COST, fresh, note=f"{cost} 元/年", yearly_cost=cost,
             cost_confirmed_by=act.login, cost_confirmed_on=act.today)  # fmt: skip
        trail(session, act, "cost_confirmed", f"application {number}", yearly_cost=cost)
        return {"application": number, "status": status, "yearly_cost": cost}

    body = {"application": number, "yearly_cost": yearly_cost}
    return once(session, act, "confirm_cost", body, [row.node_id], do)


def review_application(session: Session, act: Act, number: str, note: str = "") -> Receipt:
    """REVIEW and seal by the office, with the figures of this moment. → application, status, figures."""
    row = row_of(session, Subject.APPLICATION, number)
    node = place_of(session, row)
    check_place(session, act, Permission.REVIEW_POSTS, node)

    def do() -> Receipt:
        fresh = row_of(session, Subject.APPLICATION, number)
        status = check_move(session, act, Move.REVIEW, fresh, node)
        check_opened(session, node)
        figures = figures_now(session, check_use(session, act, node, fresh), fresh, act.today)
        make(session, act, Move.REVIEW, fresh, note=note, reviewed_by=act.login, reviewed_on=act.today,
             figures=with_figures(fresh, "reviewed", figures))  # fmt: skip
        trail(session, act, "application_reviewed", f"application {number}")
        return {"application": number, "status": status, "figures": figures}

    return once(session, act, "review_application", {"application": number, "note": note}, [row.node_id], do)


def refuse_application(session: Session, act: Act, number: str, reason: str) -> Receipt:
    """REFUSE by the office, with a reason the applicant reads. → application, status."""
    reason = text_of(reason, "reason", "请填写不予许可的理由。")
    return _end(session, act, number, Move.REFUSE, Permission.REFUSE_POSTS, reason)


def withdraw_application(session: Session, act: Act, number: str, reason: str = "") -> Receipt:
    """WITHDRAW by the unit before it is decided. → application, status."""
    return _end(session, act, number, Move.WITHDRAW, Permission.APPLY_POSTS, reason)


def _end(session: Session, act: Act, number: str, move: Move, permission: Permission, reason: str) -> Receipt:
    row = row_of(session, Subject.APPLICATION, number)
    node = place_of(session, row)
    check_place(session, act, permission, node)

    def do() -> Receipt:
        fresh = row_of(session, Subject.APPLICATION, number)
        status = check_move(session, act, move, fresh, node)
        decided = {"decided_by": act.login} if move is Move.REFUSE else {}
        make(session, act, move, fresh, note=reason, ended_on=act.today, **decided)
        trail(session, act, f"application_{status.value.lower()}", f"application {number}")
        if move is Move.REFUSE:
            tell(session, act, fresh.applicant, f"use_{number}", f"用编申请 {number}：不予许可", [reason])
        return {"application": number, "status": status}

    return once(session, act, move.value, {"application": number, "reason": reason}, [row.node_id], do)
