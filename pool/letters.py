"""What the pool mails: decision, due soon, overdue, recall; queued in the transaction of the change that causes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import Grant, Role, User
from core.mail import message_id, queue_mail
from core.outbox import OutboxMail


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


def recall_letter(loan_no: str, slots: list[str], until: date) -> Letter:
    """To the borrower: these posts are called back."""
    return Letter(
        f"pool_recall_{slots[0]}", f"周转编制收回通知：{loan_no}",
        (f"以下 {len(slots)} 个周转编制须在 {until} 前归还或置换，逾期按逾期未还处理：", "、".join(slots)),
    )  # fmt: skip


def due_letter(unit_code: str, soon: list[tuple[str, date]], over: list[tuple[str, date]]) -> list[Letter]:
    """To the borrower: what is due soon, what is overdue; one letter each, of those that turned so tonight."""
    letters = []
    if soon:
        lines = tuple(f"{number}：{due} 到期" for number, due in soon)
        letters.append(Letter(f"pool_due_soon_{unit_code}"[:64], f"{len(soon)} 个周转编制即将到期", lines))
    if over:
        lines = (
            *(f"{number}：{due} 到期，逾期未还" for number, due in over),
            "归还、置换或续借之前，本单位不能新办用编和借用。",
        )
        letters.append(Letter(f"pool_overdue_{unit_code}"[:64], f"{len(over)} 个周转编制逾期未还", lines))
    return letters


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
