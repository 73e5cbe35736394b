"""What the night reminds of: reports not confirmed, notices and referrals past their day, tip-offs nobody took up.

One mail per person, thing and occasion, through the outbox, dated by the deadline it speaks of: however often a night
is run, nobody is told twice. No mail names a person or says what a tip-off or a flag is about; of a lead on a person there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from html import escape

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import Role, User
from core.mail import message_id, queue_mail
from core.outbox import OutboxMail
from core.parameters import parameter_value
from core.permissions import Scope, scope_of
from night.situation import ReportStatus
from night.situation_models import ReportPeriod, SituationReport
from reconcile.catalog import RESTRICTED
from reconcile.models import Flag, FlagStatus
from reconcile.visibility import sees_flag
from reconcile.worklist_life import ROLE_OF_OFFICE, NoticeStatus, Office, ReferralStatus
from reconcile.worklist_models import Rectification, Referral
from staffing.tipoffs import remind_of_tip_offs

UNIT = frozenset({Role.UNIT_OFFICER})
OVERSEERS = frozenset({Role.UNIT_OFFICER, Role.SUPERVISOR})
Tell = Callable[..., int]


@dataclass(frozen=True)
class Place:
    """Where a thing belongs; `flag`: told only to those who see it."""

    unit_code: str | None
    division_code: str | None
    flag: Flag | None = None


def remind(session: Session, today: date, now: datetime, portal: str) -> int:
    """Queue what is due on a day; returns how many mails are new. Caller's transaction."""
    people = _people(session)

    def tell(
        digest: str, subject: str, path: str, on: date, roles: frozenset[Role], place: Place, note: str | None = None
    ) -> int:
        told = [
            user.email
            for user, scope in people()
            if roles & scope.roles_for(place.unit_code, place.division_code)
            and (place.flag is None or sees_flag(session, scope, place.flag))
        ]
        return sum(_queue(session, email, digest, subject, path, on, now, portal, note) for email in told)

    return (
        _reports(session, today, tell)
        + _notices(session, today, tell)
        + _referrals(session, today, tell)
        + remind_of_tip_offs(session, today, now, portal)
    )


def tell_of_period(session: Session, period: ReportPeriod, now: datetime, portal: str) -> int:
    """To every unit of a period just opened: figures wait for confirmation."""
    people = _people(session)
    queued = 0
    for report in session.scalars(select(SituationReport).where(SituationReport.period_id == period.id)):
        told = [
            user.email for user, scope in people() if UNIT & scope.roles_for(report.unit_code, report.division_code)
        ]
        subject = f"{period.code} 机构编制情况报告待确认：{report.unit_code}，{period.deadline} 前"
        path, digest = f"/reports/{period.id}/{report.unit_code}", f"report_open_{report.id}"
        on, note = period.deadline, period.deadline_note
        queued += sum(_queue(session, email, digest, subject, path, on, now, portal, note) for email in told)
    return queued


def _people(session: Session) -> Callable[[], list[tuple[User, Scope]]]:
    """Everybody who wants mail, with the own reach: read once, and only when there is something to tell."""

    @lru_cache(maxsize=1)
    def read() -> list[tuple[User, Scope]]:
        users = session.scalars(select(User).where(User.active, User.wants_mail).order_by(User.id))
        return [(user, scope_of(session, user)) for user in users]

    return read


def _queue(
    session: Session, email: str, digest: str, subject: str, path: str, on: date, now: datetime, portal: str,
    note: str | None,
) -> bool:  # fmt: skip
    """note: how the deadline was counted, where a year on the way had no published holidays."""
    lines = [subject, *([note] if note else []), f"{portal.rstrip('/')}{path}"]
    mail = OutboxMail(
        recipient=email, digest=digest, as_of=on, subject=subject, text="".join(f"{line}\n" for line in lines),
        html="".join(f"<p>{escape(line)}</p>" for line in lines),
        message_id=message_id(email, digest, on, portal), queued_at=now,
    )  # fmt: skip
    return queue_mail(session, mail)


def _reports(session: Session, today: date, tell: Tell) -> int:
    soon = timedelta(days=parameter_value(session, "report_remind_days", today))
    query = (
        select(SituationReport, ReportPeriod)
        .join(ReportPeriod, ReportPeriod.id == SituationReport.period_id)
        .where(SituationReport.status != ReportStatus.CONFIRMED, ReportPeriod.deadline <= today + soon)
    )
    queued = 0
    for report, period in session.execute(query):
        late = period.deadline < today
        state = "逾期未确认" if late else f"{period.deadline} 到期，尚未确认"
        subject = f"{period.code} 机构编制情况报告{state}：{report.unit_code}"
        digest = f"report_{'late' if late else 'soon'}_{report.id}"
        path, roles = f"/reports/{period.id}/{report.unit_code}", OVERSEERS if late else UNIT
        place = Place(report.unit_code, report.division_code)
        queued += tell(digest, subject, path, period.deadline, roles, place, period.deadline_note)
    return queued


def _notices(session: Session, today: date, tell: Tell) -> int:
    query = (
        select(Rectification, Flag)
        .join(Flag, Flag.id == Rectification.flag_id)
        .where(
            Rectification.status == NoticeStatus.ISSUED, Rectification.deadline < today,
            Flag.status == FlagStatus.RECTIFYING, Flag.rule.not_in(RESTRICTED),
        )
    )  # fmt: skip
    return sum(
        tell(f"rectify_late_{notice.number}", f"整改逾期：{notice.number}", f"/desk/rectifications/{flag.key}",
             notice.deadline, OVERSEERS | {Role.REVIEWER}, Place(flag.unit_code, flag.division_code, flag))
        for notice, flag in session.execute(query)
    )  # fmt: skip


def _referrals(session: Session, today: date, tell: Tell) -> int:
    query = select(Referral, Flag).join(Flag, Flag.id == Referral.flag_id).where(Flag.rule.not_in(RESTRICTED))
    queued = 0
    for held, flag in session.execute(query.where(Referral.status != ReferralStatus.ANSWERED)):
        sent = held.status == ReferralStatus.SENT
        due = held.receipt_by if sent else held.answer_by
        if due < today:
            subject = f"移送{'回执' if sent else '答复'}逾期：{held.number}"
            roles: Iterable[Role] = {Role.REVIEWER, ROLE_OF_OFFICE.get(Office(held.office), Role.REVIEWER)}
            digest = f"referral_{'receipt' if sent else 'answer'}_{held.number}"
            path = f"/desk/referrals/{held.number}"
            place = Place(flag.unit_code, flag.division_code, flag)
            note = held.receipt_note if sent else held.answer_note
            queued += tell(digest, subject, path, due, frozenset(roles), place, note)
    return queued
