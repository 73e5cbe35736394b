"""Notices and referrals: written with the flag's own move, and worked off by the offices concerned (DOMAIN §4).

Every step locks its row, checks scope, version and table in that order, and writes an audit event. The edge commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import Role
from core.audit import record
from core.calendar import due_after, weekday_note, weekday_years
from core.errors import InputRejected, NotFound, Refused
from core.numbering import next_number
from core.parameters import parameter_values
from core.permissions import Scope
from reconcile.models import Flag, FlagStatus
from reconcile.visibility import flags_seen
from reconcile.worklist_life import (
    NOTICE_STEPS,
    REFERRAL_STEPS,
    NoticeStatus,
    Office,
    ReferralStatus,
    Step,
    StepRow,
    check_step,
    office_of,
    offices_seen,
    step_barred,
)
from reconcile.worklist_models import Rectification, Referral

OFFICE_TIME = ZoneInfo("Asia/Shanghai")
NOTE_MOST = 3_000
NOT_HERE = "没有这一件，或者不在您的管辖范围内。"


@dataclass(frozen=True)
class Paper:
    """What is handed in with a step. receipt_no: the receiving office's own number."""

    note: str = ""
    deadline: date | None = None
    receipt_no: str = ""


@dataclass(frozen=True)
class NoticeItem:
    """A flag being put right, and its newest notice (None: the flag was sent to rectifying before notices were kept)."""

    flag: Flag
    notice: Rectification | None

    @property
    def live(self) -> bool:
        """Whether something is still to be done: the flag is being put right, and the notice has not passed."""
        return self.flag.status == FlagStatus.RECTIFYING and (
            self.notice is None or self.notice.status != NoticeStatus.PASSED
        )

    def overdue(self, today: date) -> bool:
        """Past its deadline with nothing reported."""
        held = self.notice
        return self.live and held is not None and held.status == NoticeStatus.ISSUED and held.deadline < today


@dataclass(frozen=True)
class ReferralItem:
    """A referral with its flag."""

    flag: Flag
    referral: Referral

    @property
    def live(self) -> bool:
        return self.referral.status != ReferralStatus.ANSWERED

    @property
    def due(self) -> date:
        """The deadline of what comes next."""
        return self.referral.receipt_by if self.referral.status == ReferralStatus.SENT else self.referral.answer_by

    @property
    def due_note(self) -> str | None:
        """How that deadline was counted, where a year on the way had no published holidays."""
        return weekday_note(self.referral.weekday_years, self.due)

    def overdue(self, today: date) -> bool:
        """Past the deadline of what comes next."""
        return self.live and self.due < today


def write_notice(
    session: Session, flag: Flag, requirement: str, deadline: date, login: str, today: date
) -> Rectification:
    """A notice with its number, in the transaction that sends the flag to rectifying."""
    notice = Rectification(
        number=next_number(session, Rectification.number, f"ZG{today.year}-"), flag_id=flag.id,
        status=NoticeStatus.ISSUED.value, requirement=requirement.strip(), deadline=deadline, issued_by=login,
        issued_on=today, failed_count=0, version=1,
    )  # fmt: skip
    session.add(notice)
    session.flush()
    return notice


def write_referral(session: Session, flag: Flag, addressee: str, reason: str, login: str, today: date) -> Referral:
    """A referral with its number and deadlines, in the transaction that refers the flag."""
    names = ["referral_receipt_days", "referral_answer_days"]
    days = parameter_values(session, names, today, flag.division_code or "*")
    receipt_by, answer_by = (due_after(today, days[name]) for name in names)
    referral = Referral(
        number=next_number(session, Referral.number, f"YS{today.year}-"), flag_id=flag.id,
        office=office_of(addressee).value, addressee=addressee.strip()[:400], reason=reason.strip(),
        status=ReferralStatus.SENT.value, receipt_by=receipt_by, answer_by=answer_by,
        weekday_years=weekday_years(today, max(receipt_by, answer_by)), sent_by=login, sent_on=today, version=1,
    )  # fmt: skip
    session.add(referral)
    session.flush()
    return referral


def notices_seen(session: Session, by: Scope, unit_code: str | None = None) -> list[NoticeItem]:
    """Every flag being put right within the scope, and every notice ever issued there: the newest of each flag."""
    newest: dict[int, Rectification] = {}
    query = select(Rectification).join(Flag, Flag.id == Rectification.flag_id).where(flags_seen(by))
    for notice in session.scalars(query.order_by(Rectification.id)):
        newest[notice.flag_id] = notice
    chosen = Flag.status == FlagStatus.RECTIFYING
    flags = list(session.scalars(select(Flag).where(flags_seen(by), chosen | Flag.id.in_(list(newest)))))
    items = [NoticeItem(flag, newest.get(flag.id)) for flag in flags if unit_code in (None, flag.unit_code)]
    # Overdue first by itself: the earliest deadline stands on top; a flag without a notice has none, and waits longest.
    return sorted(items, key=lambda item: (item.notice.deadline if item.notice else date.min, item.flag.key))


def notice_of(session: Session, flag: Flag) -> Rectification | None:
    """The newest notice of a flag, locked for the step that may follow."""
    query = select(Rectification).where(Rectification.flag_id == flag.id).order_by(Rectification.id.desc()).limit(1)
    return session.scalar(query.with_for_update().execution_options(populate_existing=True))


def referrals_seen(session: Session, by: Scope, unit_code: str | None = None) -> list[ReferralItem]:
    """Referrals of flags in the scope, to offices whose referrals this person sees there; the nearest deadline first."""
    query = select(Flag, Referral).join(Referral, Referral.flag_id == Flag.id).where(flags_seen(by))
    items = [
        ReferralItem(flag, referral)
        for flag, referral in session.execute(query)
        if Office(referral.office) in offices_seen(_roles(flag, by)) and unit_code in (None, flag.unit_code)
    ]
    return sorted(items, key=lambda item: (not item.live, item.due, item.referral.id))


def referral_seen(session: Session, number: str, by: Scope) -> ReferralItem:
    """One referral, locked. Errors: NotFound for unknown and unseen alike."""
    query = select(Referral).where(Referral.number == number)
    held = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    flag = session.scalar(select(Flag).where(Flag.id == held.flag_id, flags_seen(by))) if held is not None else None
    if held is None or flag is None or Office(held.office) not in offices_seen(_roles(flag, by)):
        raise NotFound(NOT_HERE)
    return ReferralItem(flag, held)


def _roles(flag: Flag, by: Scope) -> set[Role]:
    return by.roles_for(flag.unit_code, flag.division_code)


def notice_answers(item: NoticeItem, by: Scope) -> dict[Step, str | None]:
    """For every step on a notice: why this person may not make it now, or None."""
    status = NoticeStatus(item.notice.status) if item.notice else None
    reporter = item.notice.reported_by if item.notice else None
    return {
        step: step_barred(
            row, status, roles=_roles(item.flag, by), login=by.login, reporter=reporter,
            flag_live=item.flag.status == FlagStatus.RECTIFYING,
        )
        for step, row in NOTICE_STEPS.items()
    }  # fmt: skip


def referral_answers(item: ReferralItem, by: Scope) -> dict[Step, str | None]:
    """The same for a referral."""
    status, office = ReferralStatus(item.referral.status), Office(item.referral.office)
    return {
        step: step_barred(row, status, roles=_roles(item.flag, by), login=by.login, office=office)
        for step, row in REFERRAL_STEPS.items()
    }


def step_notice(
    session: Session, flag: Flag, step: Step, version: int, paper: Paper, by: Scope, now: datetime
) -> Rectification:
    """One step on a flag's notice. Version 0: there is none yet. The flag was checked to lie in the scope.

    Errors: NotFound for no such step; Forbidden; Refused with the sentence of the table, or when it changed since it was
    read; InputRejected.
    """
    row = NOTICE_STEPS.get(step)
    if row is None:
        raise NotFound("没有这一种办理。")
    today = now.astimezone(OFFICE_TIME).date()
    item = NoticeItem(flag, notice_of(session, flag))
    _checked(row, notice_answers(item, by)[step], version, item.notice.version if item.notice else 0, paper, today)
    if step is Step.ISSUE:
        notice = write_notice(session, flag, paper.note, paper.deadline or today, by.login, today)
        return _noted(session, notice, row, flag, by, now)
    notice = item.notice
    if step is Step.REPORT:
        notice.reported_by, notice.reported_on, notice.measures = by.login, today, paper.note.strip()
    else:
        notice.rechecked_by, notice.recheck_note = by.login, paper.note.strip()
    if step is Step.PASS:
        notice.passed_on = today
    if step is Step.FAIL:
        notice.deadline, notice.failed_count = paper.deadline or notice.deadline, notice.failed_count + 1
    return _noted(session, notice, row, flag, by, now)


def step_referral(
    session: Session, number: str, step: Step, version: int, paper: Paper, by: Scope, now: datetime
) -> Referral:
    """One step on a referral. Errors: as `step_notice`, and NotFound outside the scope."""
    row = REFERRAL_STEPS.get(step)
    if row is None:
        raise NotFound("没有这一种办理。")
    today = now.astimezone(OFFICE_TIME).date()
    item = referral_seen(session, number, by)
    held = item.referral
    _checked(row, referral_answers(item, by)[step], version, held.version, paper, today)
    if step is Step.RECEIVE:
        held.received_by, held.received_on, held.receipt_no = by.login, today, paper.note.strip()[:200]
    else:
        held.answered_by, held.answered_on, held.answer = by.login, today, paper.note.strip()
    return _noted(session, held, row, item.flag, by, now)


def _checked(row: StepRow, why: str | None, version: int, held: int, paper: Paper, today: date) -> None:
    if why != "WRONG_ROLE" and version != held:
        raise Refused("这一件刚刚有了变化，请刷新后再办理。", answer="CHANGED", version=held)
    check_step(why)
    if not paper.note.strip():
        check_step("NOTE_MISSING")
    if len(paper.note) > NOTE_MOST:
        raise InputRejected("内容不得超过 3000 字。", field="note")
    if "deadline" in row.needs and paper.deadline is None:
        check_step("DEADLINE_MISSING")
    if "deadline" in row.needs and paper.deadline is not None and paper.deadline <= today:
        raise Refused("期限须晚于今天。", answer="DEADLINE_PAST")


def _noted(session: Session, held, row: StepRow, flag: Flag, by: Scope, now: datetime):
    before, held.status = held.status, row.target.value
    if row.step is not Step.ISSUE:
        held.version += 1
    session.flush()
    kind = "rectification" if isinstance(held, Rectification) else "referral"
    # What was written may name a person; the trail keeps what happened.
    record(
        session, actor=by.login, action=f"{kind}_{row.step.value.lower()}", subject=f"{kind} {held.number}", now=now,
        flag=flag.id, rule=flag.rule, before=before, after=held.status, version=held.version,
    )  # fmt: skip
    return held
