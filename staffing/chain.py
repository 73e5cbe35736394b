"""The chain 申请用编 → 用编许可 → 用编执行 → 办理手续 → 核发工资: the one table of moves and who may make each (DOMAIN §6). Pure.

An application becomes a permit when the director signs; the permit issues one slot number per post, and each slot lives
on its own: `ISSUED → FILLED → PAPERS → PAID → LEFT → CANCELLED`. Annual plans and prior consultations go before.
Three persons (applicant, reviewer, director) are the pool's rule, kept by the pool's own decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from core.accounts import Role
from core.permissions import Permission
from pool import approvals
from pool.approvals import Answer, Decision, Hands, Transition


class Subject(StrEnum):
    """What a move is made on."""

    PLAN = "PLAN"
    CONSULTATION = "CONSULTATION"
    APPLICATION = "APPLICATION"
    SLOT = "SLOT"


class Status(StrEnum):
    """Where a plan, a consultation, an application or a slot stands."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    REVIEWED = "REVIEWED"
    PASSED = "PASSED"
    ASKED = "ASKED"
    AGREED = "AGREED"
    OBJECTED = "OBJECTED"
    GRANTED = "GRANTED"
    EXECUTED = "EXECUTED"
    ISSUED = "ISSUED"
    FILLED = "FILLED"
    PAPERS = "PAPERS"
    PAID = "PAID"
    LEFT = "LEFT"
    MOVED = "MOVED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    EXPIRED = "EXPIRED"
    DEAD = "DEAD"
    CANCELLED = "CANCELLED"


S = Status
WAITING = (S.SUBMITTED, S.REVIEWED)
IN_POST = (S.FILLED, S.PAPERS, S.PAID)
STATUS_LABELS: dict[Status, str] = {
    S.DRAFT: "草稿",
    S.SUBMITTED: "已提交",
    S.REVIEWED: "已审核",
    S.PASSED: "编委已通过",
    S.ASKED: "待沟通意见",
    S.AGREED: "同意",
    S.OBJECTED: "不同意",
    S.GRANTED: "已许可",
    S.EXECUTED: "已执行",
    S.ISSUED: "已下达，待入编",
    S.FILLED: "已入编，待办手续",
    S.PAPERS: "手续已办，待核发工资",
    S.PAID: "已核发工资",
    S.LEFT: "已减编，待注销",
    S.MOVED: "已随编划转",
    S.REFUSED: "不予许可",
    S.WITHDRAWN: "已撤回",
    S.EXPIRED: "已过有效期",
    S.DEAD: "减编撤销，许可失效",
    S.CANCELLED: "已注销",
}


class Move(StrEnum):
    """Every step of the chain, in the order of the subjects."""

    SUBMIT_PLAN = "SUBMIT_PLAN"
    REVIEW_PLAN = "REVIEW_PLAN"
    PASS_PLAN = "PASS_PLAN"
    REFUSE_PLAN = "REFUSE_PLAN"
    WITHDRAW_PLAN = "WITHDRAW_PLAN"
    ASK = "ASK"
    AGREE = "AGREE"
    OBJECT = "OBJECT"
    SAVE = "SAVE"
    SUBMIT = "SUBMIT"
    CONFIRM_COST = "CONFIRM_COST"
    REVIEW = "REVIEW"
    GRANT = "GRANT"
    REFUSE = "REFUSE"
    WITHDRAW = "WITHDRAW"
    REVOKE = "REVOKE"
    EXPIRE = "EXPIRE"
    DIE = "DIE"
    EXECUTE = "EXECUTE"
    ISSUE = "ISSUE"
    RECORD = "RECORD"
    ENTER = "ENTER"
    FINISH_PAPERS = "FINISH_PAPERS"
    NOTE_PAY = "NOTE_PAY"
    ANNOUNCE_EXIT = "ANNOUNCE_EXIT"
    RECANT_EXIT = "RECANT_EXIT"
    EXIT = "EXIT"
    UNDO_EXIT = "UNDO_EXIT"
    CARRY = "CARRY"
    ARRIVE = "ARRIVE"
    CANCEL = "CANCEL"
    SLOT_REVOKE = "SLOT_REVOKE"
    SLOT_EXPIRE = "SLOT_EXPIRE"
    SLOT_DIE = "SLOT_DIE"


@dataclass(frozen=True)
class Link(Transition):
    """One row of the chain. `subject`: what it moves; the rest as the pool's table has it."""

    subject: Subject = Subject.APPLICATION


def _links(subject: Subject, *rows: tuple) -> list[Link]:
    return [Link(*row[:5], decides=len(row) > 5, subject=subject) for row in rows]


P, DECIDES = Permission, True
_ROWS = [
    *_links(
        Subject.PLAN,
        (Move.SUBMIT_PLAN, "申报年度用编计划", (None,), S.SUBMITTED, P.APPLY_POSTS),
        (Move.REVIEW_PLAN, "审核计划", (S.SUBMITTED,), S.REVIEWED, P.REVIEW_POSTS, DECIDES),
        (Move.PASS_PLAN, "编委通过计划", (S.REVIEWED,), S.PASSED, P.GRANT_PERMIT, DECIDES),
        (Move.REFUSE_PLAN, "退回计划", WAITING, S.REFUSED, P.REFUSE_POSTS, DECIDES),
        (Move.WITHDRAW_PLAN, "撤回计划", WAITING, S.WITHDRAWN, P.APPLY_POSTS),
    ),
    *_links(
        Subject.CONSULTATION,
        (Move.ASK, "增人事先沟通", (None,), S.ASKED, P.APPLY_POSTS),
        (Move.AGREE, "沟通意见：同意", (S.ASKED,), S.AGREED, P.REVIEW_POSTS, DECIDES),
        (Move.OBJECT, "沟通意见：不同意", (S.ASKED,), S.OBJECTED, P.REVIEW_POSTS, DECIDES),
    ),
    *_links(
        Subject.APPLICATION,
        (Move.SAVE, "起草", (None, S.DRAFT), S.DRAFT, P.APPLY_POSTS),
        (Move.SUBMIT, "申请用编", (None, S.DRAFT), S.SUBMITTED, P.APPLY_POSTS),
        (Move.CONFIRM_COST, "财政确认经费", WAITING, None, P.CONFIRM_COST),
        (Move.REVIEW, "审核盖章", (S.SUBMITTED,), S.REVIEWED, P.REVIEW_POSTS, DECIDES),
        (Move.GRANT, "签发用编许可", (S.REVIEWED,), S.GRANTED, P.GRANT_PERMIT, DECIDES),
        (Move.REFUSE, "不予许可", WAITING, S.REFUSED, P.REFUSE_POSTS, DECIDES),
        (Move.WITHDRAW, "撤回", (S.DRAFT, *WAITING), S.WITHDRAWN, P.APPLY_POSTS),
        (Move.REVOKE, "撤销许可", (S.GRANTED,), S.CANCELLED, P.GRANT_PERMIT),
        (Move.EXPIRE, "过有效期", (S.GRANTED,), S.EXPIRED, None),
        (Move.DIE, "减编撤销后失效", (*WAITING, S.GRANTED), S.DEAD, P.UNDO_EXIT),
        (Move.EXECUTE, "执行完毕", (S.GRANTED, S.EXPIRED), S.EXECUTED, P.REGISTER_ENTRY),
    ),
    *_links(
        Subject.SLOT,
        (Move.ISSUE, "下达用编序号", (None,), S.ISSUED, P.GRANT_PERMIT),
        (Move.RECORD, "补登原有人员", (None,), S.PAID, P.REGISTER_ENTRY),
        # A late registration: the day of entry, not of registration, decides whether the permit was still valid.
        (Move.ENTER, "入编", (S.ISSUED, S.EXPIRED), S.FILLED, P.REGISTER_ENTRY),
        (Move.FINISH_PAPERS, "办理手续", (S.FILLED,), S.PAPERS, P.REGISTER_ENTRY),
        (Move.NOTE_PAY, "核发工资", (S.PAPERS,), S.PAID, P.NOTE_PAY),
        (Move.ANNOUNCE_EXIT, "预报减编", IN_POST, None, P.ANNOUNCE_EXIT),
        (Move.RECANT_EXIT, "撤销预报", IN_POST, None, P.ANNOUNCE_EXIT),
        (Move.EXIT, "减编", IN_POST, S.LEFT, P.REGISTER_EXIT),
        (Move.UNDO_EXIT, "撤销减编", (S.LEFT,), None, P.UNDO_EXIT),
        (Move.CARRY, "调编带人（划出）", IN_POST, S.MOVED, P.CARRY_POST),
        (Move.ARRIVE, "调编带人（划入）", (None,), S.FILLED, P.CARRY_POST),
        (Move.CANCEL, "注销用编序号", (S.LEFT,), S.CANCELLED, P.CANCEL_SLOT),
        (Move.SLOT_REVOKE, "随许可撤销", (S.ISSUED,), S.CANCELLED, P.GRANT_PERMIT),
        (Move.SLOT_EXPIRE, "随许可过期", (S.ISSUED,), S.EXPIRED, None),
        (Move.SLOT_DIE, "随许可失效", (S.ISSUED,), S.DEAD, P.UNDO_EXIT),
    ),
]
CHAIN: dict[Move, Link] = {row.move: row for row in _ROWS}


def decide_link(
    move: Move, status: Status | None, *, roles: Iterable[Role], actors: frozenset[str], hands: Hands | None = None
) -> Decision:
    """Whether these hands may make the move: role, status, three persons, in this order (`pool.approvals`)."""
    return approvals.decide_move(CHAIN[move], status, roles=roles, actors=actors, hands=hands, labels=STATUS_LABELS)


def check_link(
    move: Move, status: Status | None, *, roles: Iterable[Role], actors: frozenset[str], hands: Hands | None = None
) -> Link:
    """`decide_link`, raising its sentence. Errors: Forbidden for a wrong role, else Refused."""
    row = CHAIN[move]
    approvals.check_move(row, status, roles=roles, actors=actors, hands=hands, labels=STATUS_LABELS)
    return row


def moves_from(subject: Subject, status: Status) -> list[Move]:
    """Moves people may make on a subject in this status, in the order of the table; the night's are left out."""
    return [row.move for row in _ROWS if row.subject is subject and status in row.sources and row.permission]


def table_markdown() -> str:
    """The table for people, subject by subject."""
    parts = []
    for subject in Subject:
        rows = [row for row in _ROWS if row.subject is subject]
        parts.append(f"### {SUBJECT_LABELS[subject]}\n\n{approvals.table_markdown(rows)}")
    return "\n".join(parts)


def mermaid() -> str:
    """The life of an application and of its slots as one Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for row in _ROWS:
        if row.subject not in (Subject.APPLICATION, Subject.SLOT):
            continue
        for source in row.sources:
            start = "[*]" if source is None else source.value
            if row.move is Move.ISSUE:
                start = S.GRANTED.value
            lines.append(f"    {start} --> {row.target or source} : {row.label}")
    return "\n".join(lines) + "\n"


SUBJECT_LABELS: dict[Subject, str] = {
    Subject.PLAN: "年度用编计划",
    Subject.CONSULTATION: "增人事先沟通",
    Subject.APPLICATION: "申请与许可",
    Subject.SLOT: "用编序号",
}
__all__ = ["CHAIN", "Answer", "Decision", "Hands", "Link", "Move", "Status", "Subject"]
