"""Use-cases before an application: the annual plan (年度用编计划) and the prior consultation (增人事先沟通).

As in the pool: a use-case locks, looks at its idempotency key, decides, leaves step, audit event and mail; the edge
commits. They answer with a Receipt. Errors: InputRejected, NotFound, Forbidden, Refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from core.permissions import Permission
from core.types import EntryForm, LeaderTier
from pool.acting import Act, Receipt, check_place, next_number, note_document, once
from pool.ledger import Cell, parse_cell, parse_posts
from staffing.blocks import open_blocks
from staffing.chain import WAITING, Move, Status, Subject
from staffing.models import StaffConsultation, StaffPlan, StaffPlanLine
from staffing.store import (
    check_move,
    check_opened,
    figures_of,
    gate_node,
    make,
    place_of,
    row_of,
    spelled,
    step,
    text_of,
)  # fmt: skip
from staffing.telling import tell, trail

Line = tuple[str, str, object]


def submit_plan(
    session: Session, act: Act, unit_code: str, year: int, lines: Sequence[Line], reason: str = ""
) -> Receipt:
    """The unit's plan for a year: (post_type, fund_form, posts) per cell. → plan, status.

    Refused: BLOCKED while a late entry or exit is unregistered or not released; PLAN_WAITS for another one undecided.
    """
    node = gate_node(session, act, Permission.APPLY_POSTS, unit_code)
    wanted = _checked_lines(node.id, lines)
    if isinstance(year, bool) or not isinstance(year, int) or not act.today.year <= year <= act.today.year + 1:
        raise InputRejected("计划年度须为今年或明年。", field="year")

    def do() -> Receipt:
        check_opened(session, node)
        check_move(session, act, Move.SUBMIT_PLAN, None, node)
        _check_no_blocks(session, unit_code)
        waits = select(StaffPlan.number).where(
            StaffPlan.unit_code == unit_code, StaffPlan.year == year, StaffPlan.status.in_(WAITING)
        )
        if (other := session.scalar(waits.limit(1))) is not None:
            raise Refused(f"{year} 年计划 {other} 尚未决定，请先撤回或等待。", answer="PLAN_WAITS", plan=other)
        (number,) = next_number(session, f"staffplan:{act.today.year}", f"JH{act.today.year}")
        session.execute(insert(StaffPlan.__table__), [{
            "number": number, "node_id": node.id, "unit_code": unit_code, "year": year, "reason": reason.strip(),
            "status": Status.SUBMITTED.value, "applicant": act.login, "submitted_on": act.today, "version": 1,
        }])  # fmt: skip
        session.execute(insert(StaffPlanLine.__table__), [
            {"plan_no": number, "post_type": cell.post_type, "fund_form": cell.fund_form, "posts": posts,
             "figures": json.dumps(spelled(figures_of(session, cell, act.today)))}
            for cell, posts in wanted.items()
        ])  # fmt: skip
        step(session, act, Move.SUBMIT_PLAN, number, None, Status.SUBMITTED)
        trail(session, act, "plan_submitted", f"plan {number}", unit=unit_code, year=year, posts=sum(wanted.values()))
        return {"plan": number, "status": Status.SUBMITTED}

    body = {"unit": unit_code, "year": year, "lines": [list(line) for line in lines], "reason": reason}
    return once(session, act, "submit_plan", body, [node.id], do)


def _checked_lines(node_id: str, lines: Sequence[Line]) -> dict[Cell, int]:
    wanted = {parse_cell(node_id, post_type, fund_form): parse_posts(posts) for post_type, fund_form, posts in lines}
    if not wanted or len(wanted) != len(lines):
        raise InputRejected("计划须逐类填写，每类编制一行。", field="lines")
    return wanted


def _check_no_blocks(session: Session, unit_code: str) -> None:
    blocks = open_blocks(session, unit_code)
    unregistered = [block for block in blocks if block.registered_on is None]
    if unregistered:
        first = unregistered[0]
        raise Refused(
            f"本单位有 {len(unregistered)} 件入编或减编逾期未登记（{first.slot_no} 应于 {first.due_on} 前登记），登记之前不能申报计划。"
            + (first.due_note or ""),
            answer="BLOCKED", slots=[block.slot_no for block in unregistered],
        )  # fmt: skip
    if blocks:
        raise Refused(
            f"本单位有 {len(blocks)} 件入编或减编逾期登记，须经编委主任同意解除后才能申报计划。", answer="NOT_RELEASED",
            slots=[block.slot_no for block in blocks],
        )  # fmt: skip


def review_plan(session: Session, act: Act, number: str, note: str = "") -> Receipt:
    """REVIEW by the office. → plan, status."""
    return _decide_plan(session, act, Move.REVIEW_PLAN, Permission.REVIEW_POSTS, number, note)


def refuse_plan(session: Session, act: Act, number: str, reason: str) -> Receipt:
    """Send a plan back, with a reason. → plan, status."""
    reason = text_of(reason, "reason", "请填写退回的理由。")
    return _decide_plan(session, act, Move.REFUSE_PLAN, Permission.REFUSE_POSTS, number, reason)


def withdraw_plan(session: Session, act: Act, number: str) -> Receipt:
    """The unit takes its plan back before it is decided. → plan, status."""
    return _decide_plan(session, act, Move.WITHDRAW_PLAN, Permission.APPLY_POSTS, number, "")


def pass_plan(
    session: Session, act: Act, number: str, document_no: str, passed: Mapping[tuple[str, str], int] | None = None
) -> Receipt:
    """The commission passes a plan, by a document; the director signs. passed: posts per (post_type, fund_form), where
    fewer than asked; a cell left out is passed as asked. → plan, status, passed (posts in all). Refused: MORE_THAN_ASKED.
    """
    plan = row_of(session, Subject.PLAN, number)
    node = place_of(session, plan)
    check_place(session, act, Permission.GRANT_PERMIT, node)

    def do() -> Receipt:
        fresh = row_of(session, Subject.PLAN, number)
        check_move(session, act, Move.PASS_PLAN, fresh, node)
        document = note_document(session, act, document_no)
        total = 0
        for line in session.scalars(select(StaffPlanLine).where(StaffPlanLine.plan_no == number)):
            posts = (passed or {}).get((line.post_type, line.fund_form), line.posts)
            if isinstance(posts, bool) or not isinstance(posts, int) or not 0 <= posts <= line.posts:
                raise Refused(f"通过数须在 0 与申报数 {line.posts} 之间。", answer="MORE_THAN_ASKED", has=line.posts)
            total += posts
            session.execute(
                update(StaffPlanLine)
                .where(
                    StaffPlanLine.plan_no == number, StaffPlanLine.post_type == line.post_type,
                    StaffPlanLine.fund_form == line.fund_form,
                )
                .values(passed=posts)
                .execution_options(synchronize_session=False)
            )  # fmt: skip
        make(session, act, Move.PASS_PLAN, fresh, document_no=document, decided_by=act.login, decided_on=act.today)
        trail(session, act, "plan_passed", f"plan {number}", posts=total, document_no=document)
        tell(session, act, fresh.applicant, f"plan_{number}", f"年度用编计划 {number}：编委通过 {total} 个", [])
        return {"plan": number, "status": Status.PASSED, "passed": total}

    given = [[*cell, posts] for cell, posts in sorted((passed or {}).items())]
    body = {"plan": number, "document_no": document_no, "passed": given}
    return once(session, act, "pass_plan", body, [plan.node_id], do)


def _decide_plan(session: Session, act: Act, move: Move, permission: Permission, number: str, note: str) -> Receipt:
    plan = row_of(session, Subject.PLAN, number)
    node = place_of(session, plan)
    check_place(session, act, permission, node)

    def do() -> Receipt:
        fresh = row_of(session, Subject.PLAN, number)
        status = check_move(session, act, move, fresh, node)
        decided = {"decided_by": act.login, "decided_on": act.today} if move is Move.REFUSE_PLAN else {}
        make(session, act, move, fresh, note=note, **decided)
        trail(session, act, move.value.lower(), f"plan {number}", status=status.value)
        if move is Move.REFUSE_PLAN:
            tell(session, act, fresh.applicant, f"plan_{number}", f"年度用编计划 {number}：退回", [note])
        return {"plan": number, "status": status}

    return once(session, act, move.value, {"plan": number, "note": note}, [plan.node_id], do)


def ask_consultation(
    session: Session, act: Act, unit_code: str, post_type: str, fund_form: str, posts: object, entry_form: str,
    reason: str, *, leader_tier: str | None = None,
) -> Receipt:  # fmt: skip
    """The unit asks before it takes people on: what, how many, which way. → consultation, status, figures."""
    node = gate_node(session, act, Permission.APPLY_POSTS, unit_code)
    cell, count = parse_cell(node.id, post_type, fund_form), parse_posts(posts)
    if entry_form not in set(EntryForm) or (leader_tier is not None and leader_tier not in set(LeaderTier)):
        raise InputRejected("没有这种增人方式或领导职务层次。", field="entry_form")
    reason = text_of(reason, "reason", "请填写增人理由。")

    def do() -> Receipt:
        check_opened(session, node)
        check_move(session, act, Move.ASK, None, node)
        (number,) = next_number(session, f"consultation:{act.today.year}", f"GT{act.today.year}")
        figures = spelled(figures_of(session, cell, act.today))
        session.execute(insert(StaffConsultation.__table__), [{
            "number": number, "node_id": node.id, "unit_code": unit_code, "post_type": post_type,
            "fund_form": fund_form, "entry_form": entry_form, "leader_tier": leader_tier, "posts": count,
            "reason": reason, "figures": json.dumps(figures), "status": Status.ASKED.value, "applicant": act.login,
            "asked_on": act.today, "version": 1,
        }])  # fmt: skip
        step(session, act, Move.ASK, number, None, Status.ASKED)
        trail(session, act, "consultation_asked", f"consultation {number}", unit=unit_code, posts=count)
        return {"consultation": number, "status": Status.ASKED, "figures": figures}

    body = {**cell._asdict(), "posts": count, "entry_form": entry_form, "leader_tier": leader_tier, "reason": reason}
    return once(session, act, "ask_consultation", body, [node.id], do)


def give_opinion(
    session: Session, act: Act, number: str, agrees: bool, opinion: str, *, leader_posts: int | None = None,
    leaders: int | None = None,
) -> Receipt:  # fmt: skip
    """The office's opinion, after a look at quota, leader posts and fund form. leader_posts, leaders: posts of the tier and
    who holds them, stated when a leader is to be appointed. → consultation, status, figures (of now).

    Refused: LEADERS_EXCEEDED when it agrees to more leaders than there are posts.
    """
    held = row_of(session, Subject.CONSULTATION, number)
    node = place_of(session, held)
    check_place(session, act, Permission.REVIEW_POSTS, node)
    opinion = text_of(opinion, "opinion", "请填写沟通意见。")
    move = Move.AGREE if agrees else Move.OBJECT

    def do() -> Receipt:
        fresh = row_of(session, Subject.CONSULTATION, number)
        status = check_move(session, act, move, fresh, node)
        if agrees and fresh.leader_tier is not None:
            _check_leaders(fresh.posts, leader_posts, leaders)
        figures = spelled(figures_of(session, Cell(node.id, fresh.post_type, fresh.fund_form), act.today))
        both = {"asked": json.loads(fresh.figures), "answered": figures}
        make(session, act, move, fresh, note=opinion, opinion=opinion, leader_posts=leader_posts, leaders=leaders,
             decided_by=act.login, decided_on=act.today, figures=json.dumps(both))  # fmt: skip
        trail(session, act, "opinion_given", f"consultation {number}", status=status.value)
        outcome = "同意" if agrees else "不同意"
        tell(session, act, fresh.applicant, f"talk_{number}", f"增人事先沟通 {number}：{outcome}", [opinion])
        return {"consultation": number, "status": status, "figures": figures}

    body = {
        "consultation": number,
        "agrees": agrees,
        "opinion": opinion,
        "leader_posts": leader_posts,
        "leaders": leaders,
    }
    return once(session, act, "give_opinion", body, [held.node_id], do)


def _check_leaders(posts: int, leader_posts: int | None, leaders: int | None) -> None:
    for value in (leader_posts, leaders):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InputRejected("配备领导职务须写明该层次的领导职数和现有人数。", field="leader_posts")
    if leaders + posts > leader_posts:
        over = leaders + posts - leader_posts
        raise Refused(
            f"该层次领导职数 {leader_posts} 个，现有 {leaders} 人，再配 {posts} 人超出 {over} 个，不能同意。",
            answer="LEADERS_EXCEEDED", has=leader_posts, needs=leaders + posts,
        )  # fmt: skip
