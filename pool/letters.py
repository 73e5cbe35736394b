"""What the pool mails: decision, due soon, overdue, recall; queued in the transaction of the change that causes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import Grant, Role, User
from core.mail import message_id, queue_mail
from core.outbox import OutboxMail
from pool.models import PoolNode


@dataclass(frozen=True)
class Letter:
    """digest: with recipient and day what makes a mail one and the same."""

    digest: str
    subject: str
    lines: tuple[str, ...]


def decision_letter(number: str, outcome: str, lines: Iterable[str]) -> Letter:
    """To the applicant: what was decided."""
    return Letter(f"pool_decision_{number}", f"周转编制申请 {number}：{outcome}", tuple(lines))


def claim_letter(number: str, posts: int) -> Letter:
    """To the applicant: a request that waited has its posts now."""
    return Letter(
        f"pool_claim_{number}", f"周转编制申请 {number}：已占到编制", (f"等候的 {posts} 个编制已经占到，转入审批。",)
    )


def recall_letter(loan_no: str, slots: list[tuple[str, date]], goes_home: bool) -> Letter:
    """To the borrower: these posts are called back, each by its own last good day. goes_home: to a lender that keeps its
    quota, else they stay in the pool."""
    where = "归还或置换后，编制退回出借方。" if goes_home else "归还或置换后，编制回到周转池。"
    return Letter(
        f"pool_recall_{slots[0][0]}", f"周转编制收回通知：{loan_no}",
        (f"以下 {len(slots)} 个周转编制须按期归还或置换，逾期按逾期未还处理：",
         *(f"{number}：{due} 到期" for number, due in slots), where),
    )  # fmt: skip


def home_letter(came: list[tuple[str, int]], waiting: list[tuple[str, int]]) -> Letter:
    """To the lender: posts it called back are its own again; others came back and cannot leave the pool yet. Each with its
    movement: the same slot may come back again on the same day, its first return undone."""
    lines: list[str] = []
    if came:
        lines += [f"以下 {len(came)} 个收回的周转编制已归还并退回本单位，可以自用：", *(number for number, _ in came)]
    if waiting:
        lines += [
            f"以下 {len(waiting)} 个收回的周转编制已归还，因周转池限额暂不能退回，为本单位保留，每夜再办：",
            *(number for number, _ in waiting),
        ]
    subject = f"{len(came)} 个收回的周转编制已退回" if came else f"{len(waiting)} 个收回的周转编制已归还，待退回"
    mark = _mark(f"{number} {movement}" for number, movement in (*came, *waiting))
    return Letter(f"pool_home_{mark}_{len(came)}", subject, tuple(lines))


def renewal_letter(loan_no: str, posts: int, due: date, movement: int) -> Letter:
    """To the borrower: the term was renewed."""
    return Letter(
        f"pool_renewed_{loan_no}_{movement}",
        f"周转编制续借：{loan_no}",
        (f"{posts} 个周转编制续借，新的到期日 {due}。",),
    )


def reopened_letter(number: str, movement: int) -> Letter:
    """To the applicant: the approval was undone, and a decision is to come."""
    return Letter(
        f"pool_reopened_{number}_{movement}", f"周转编制申请 {number}：批准已冲正",
        ("原批准已冲正，所借编制收回预占，申请重新待批。",),
    )  # fmt: skip


def restored_letter(slot_no: str, due: date, today: date, movement: int) -> Letter:
    """To the borrower: a return was undone, and the post is the unit's again."""
    over = ("已逾期未还，归还、置换或续借之前，本单位不能新办用编和借用。",) if due < today else ()
    return Letter(
        f"pool_restored_{movement}", f"周转编制归还已冲正：{slot_no}",
        (f"{slot_no} 的归还已冲正，编制仍由本单位借用，{due} 到期。", *over),
    )  # fmt: skip


def unhomed_letter(slots: list[str], movement: int) -> Letter:
    """To the lender: posts it was told are its own again stay in the pool after all."""
    return Letter(
        f"pool_unhomed_{movement}", f"{len(slots)} 个周转编制的退回已冲正",
        ("以下周转编制的退回已冲正，编制仍在周转池中，可借给其他单位；本单位需要自用的，须另行出池：", *slots),
    )  # fmt: skip


def not_back_letter(slot_no: str, movement: int) -> Letter:
    """To the lender: a post it called back and was told is given back is lent again."""
    return Letter(
        f"pool_not_back_{movement}", f"收回的周转编制归还已冲正：{slot_no}",
        (f"{slot_no} 的归还已冲正，编制仍由借入方借用；收回通知仍然有效，再次归还后退回本单位。",),
    )  # fmt: skip


def unrenewed_letter(loan_no: str, slots: list[tuple[str, date]], today: date, movement: int) -> Letter:
    """To the borrower: a renewal was undone, and the posts are due when they were before it."""
    over = [number for number, due in slots if due < today]
    lines = [f"{number}：{due} 到期" for number, due in slots]
    if over:
        lines.append(f"其中 {len(over)} 个已逾期未还，归还、置换或续借之前，本单位不能新办用编和借用。")
    return Letter(
        f"pool_unrenewed_{loan_no}_{movement}", f"周转编制续借已冲正：{loan_no}",
        (f"{len(slots)} 个周转编制的续借已冲正，到期日恢复如下，续借须重新决定：", *lines),
    )  # fmt: skip


def due_letter(soon: list[tuple[str, date]], over: list[tuple[str, date]]) -> list[Letter]:
    """To the borrower: what is due soon, what is overdue; one letter each, of those that turned so in this run: what
    turns in a later run of the same day has a letter of its own."""
    letters = []
    if soon:
        lines = tuple(f"{number}：{due} 到期" for number, due in soon)
        letters.append(
            Letter(f"pool_due_soon_{_mark(number for number, _ in soon)}", f"{len(soon)} 个周转编制即将到期", lines)
        )
    if over:
        lines = (
            *(f"{number}：{due} 到期，逾期未还" for number, due in over),
            "归还、置换或续借之前，本单位不能新办用编和借用。",
        )
        letters.append(
            Letter(f"pool_overdue_{_mark(number for number, _ in over)}", f"{len(over)} 个周转编制逾期未还", lines)
        )
    return letters


def _mark(what: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(what).encode()).hexdigest()[:32]


def queue_letter(
    session: Session,
    letter: Letter,
    recipients: Iterable[str],
    on: date,
    portal: str,
    now: datetime,
    page: str = "pool",
) -> int:
    """Queue a letter to each address; returns how many are new. page: where the portal shows what it is about."""
    lines = [*letter.lines, *([f"{portal.rstrip('/')}/{page}"] if portal else [])]
    queued = 0
    for email in sorted(set(recipients)):
        mail = OutboxMail(
            recipient=email, digest=letter.digest, as_of=on, subject=letter.subject[:400], text="\n".join(lines) + "\n",
            html="".join(f"<p>{escape(line)}</p>" for line in lines),
            message_id=message_id(email, letter.digest, on, portal), queued_at=now,
        )  # fmt: skip
        queued += queue_mail(session, mail)
    return queued


def address_of(session: Session, login: str) -> list[str]:
    """The person's address, if mail is wanted."""
    return list(session.scalars(select(User.email).where(User.login == login, User.active, User.wants_mail)))


def officers_of(session: Session, unit_code: str) -> list[str]:
    """Addresses of a unit's officers."""
    return list(
        session.scalars(
            select(User.email)
            .join(Grant, Grant.user_id == User.id)
            .where(Grant.unit_code == unit_code, Grant.role == Role.UNIT_OFFICER, User.active, User.wants_mail)
        )
    )


def holders_of(session: Session, node: PoolNode) -> list[str]:
    """Addresses of who answers for a node's posts: a unit's officers, a division's reviewers."""
    if node.unit_code:
        return officers_of(session, node.unit_code)
    return reviewers_of(session, node.division_code, node.level)


def reviewers_of(session: Session, division_code: str, level: str) -> list[str]:
    """Addresses of the office's reviewers of a division at a level."""
    return list(
        session.scalars(
            select(User.email)
            .join(Grant, Grant.user_id == User.id)
            .where(
                Grant.division_code == division_code, Grant.level == level, Grant.role == Role.REVIEWER, User.active,
                User.wants_mail,
            )
        )
    )  # fmt: skip
