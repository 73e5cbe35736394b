"""What follows a flag: the two tables of moves, of notices and of referrals, and who may make each (DOMAIN §4). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.accounts import Role
from core.errors import Forbidden, Refused
from core.permissions import ALLOWED, Permission


class NoticeStatus(StrEnum):
    """Where a notice stands."""

    ISSUED = "ISSUED"
    REPORTED = "REPORTED"
    PASSED = "PASSED"


class ReferralStatus(StrEnum):
    """Where a referral stands."""

    SENT = "SENT"
    RECEIVED = "RECEIVED"
    ANSWERED = "ANSWERED"


class Office(StrEnum):
    """To whom a flag is referred."""

    DISCIPLINE = "DISCIPLINE"
    AUDIT = "AUDIT"
    ORGANISATION = "ORGANISATION"
    PERSONNEL = "PERSONNEL"
    OTHER = "OTHER"


class Step(StrEnum):
    """What can be done with a notice or a referral."""

    ISSUE = "ISSUE"
    REPORT = "REPORT"
    PASS = "PASS"
    FAIL = "FAIL"
    RECEIVE = "RECEIVE"
    ANSWER = "ANSWER"


@dataclass(frozen=True)
class StepRow:
    """One row of a table. `second_person`: who reported may not judge. `needs`: what must be filled in.

    `after_flag`: may be made although the flag is no longer in that state; an answer of another office always counts.
    """

    step: Step
    label: str
    sources: tuple[StrEnum | None, ...]
    target: StrEnum
    permission: Permission
    needs: tuple[str, ...]
    second_person: bool = False
    after_flag: bool = False


N, F = NoticeStatus, ReferralStatus
NOTICE_STEPS: dict[Step, StepRow] = {
    row.step: row
    for row in (
        StepRow(Step.ISSUE, "补发通知", (None,), N.ISSUED, Permission.RECTIFY_FLAG, ("note", "deadline")),
        StepRow(Step.REPORT, "报告整改完成", (N.ISSUED,), N.REPORTED, Permission.REPORT_RECTIFIED, ("note",)),
        StepRow(Step.PASS, "复核通过", (N.REPORTED,), N.PASSED, Permission.RECTIFY_FLAG, ("note",), second_person=True),
        StepRow(Step.FAIL, "复核不通过", (N.REPORTED,), N.ISSUED, Permission.RECTIFY_FLAG, ("note", "deadline"),
                second_person=True),
    )
}  # fmt: skip
REFERRAL_STEPS: dict[Step, StepRow] = {
    row.step: row
    for row in (
        StepRow(Step.RECEIVE, "登记回执", (F.SENT,), F.RECEIVED, Permission.ANSWER_REFERRAL, ("note",), after_flag=True),
        StepRow(Step.ANSWER, "登记答复", (F.RECEIVED,), F.ANSWERED, Permission.ANSWER_REFERRAL, ("note",),
                after_flag=True),
    )
}  # fmt: skip
NOTICE_LABELS = {N.ISSUED: "整改中", N.REPORTED: "待复核", N.PASSED: "已复核"}
REFERRAL_LABELS = {F.SENT: "待回执", F.RECEIVED: "待答复", F.ANSWERED: "已答复"}
OFFICE_LABELS = {
    Office.DISCIPLINE: "纪检监察",
    Office.AUDIT: "审计",
    Office.ORGANISATION: "组织",
    Office.PERSONNEL: "人社",
    Office.OTHER: "其他部门",
}
# Offices that have an account role here answer for themselves; for the others the reviewer enters what came on paper.
ROLE_OF_OFFICE = {Office.DISCIPLINE: Role.AUDITOR, Office.AUDIT: Role.AUDITOR, Office.PERSONNEL: Role.PERSONNEL}
_WORDS = (
    (Office.DISCIPLINE, ("纪检", "纪委", "监委", "监察", "discipline")),
    (Office.AUDIT, ("审计", "審計", "audit")),
    (Office.ORGANISATION, ("组织", "組織", "organisation")),
    (Office.PERSONNEL, ("人社", "人事", "人力资源", "personnel")),
)
SENTENCES = {
    "WRONG_ROLE": "您的角色不能办理这一步。",
    "WRONG_STATUS": "这一件现在的状态不能办理这一步。",
    "FLAG_MOVED": "这条不符项已不在整改中，通知随之终结。",
    "SAME_PERSON": "整改由您本人报告，须由另一人复核。",
    "NOTE_MISSING": "请填写内容。",
    "DEADLINE_MISSING": "请填写期限。",
}


def office_of(addressee: str) -> Office:
    """Which of the offices an addressee written by hand is; OTHER when its name says none of them."""
    text = addressee.lower()
    return next((office for office, words in _WORDS if any(word in text for word in words)), Office.OTHER)


def offices_answered(roles: set[Role]) -> frozenset[Office]:
    """For which offices these roles may receive and answer: a reviewer for all, the others for their own."""
    if Role.REVIEWER in roles:
        return frozenset(Office)
    return frozenset(office for office, role in ROLE_OF_OFFICE.items() if role in roles)


def offices_seen(roles: set[Role]) -> frozenset[Office]:
    """Whose referrals these roles see: the office all, an auditor all (reads everything), personnel its own."""
    if roles & {Role.REVIEWER, Role.DIRECTOR, Role.AUDITOR}:
        return frozenset(Office)
    return frozenset(office for office, role in ROLE_OF_OFFICE.items() if role in roles)


def step_barred(
    row: StepRow, status: StrEnum | None, *, roles: set[Role], login: str, reporter: str | None = None,
    flag_live: bool = True, office: Office | None = None,
) -> str | None:  # fmt: skip
    """Why the step may not be made now: a key of SENTENCES, the earlier ones winning; None when it may."""
    if not roles & ALLOWED[row.permission] or (office is not None and office not in offices_answered(roles)):
        return "WRONG_ROLE"
    if status not in row.sources:
        return "WRONG_STATUS"
    if not flag_live and not row.after_flag:
        return "FLAG_MOVED"
    if row.second_person and reporter == login:
        return "SAME_PERSON"
    return None


def check_step(why: str | None) -> None:
    """Errors: Forbidden for a wrong role, Refused for the rest, with the sentence of the table."""
    if why == "WRONG_ROLE":
        raise Forbidden(SENTENCES[why], answer=why)
    if why is not None:
        raise Refused(SENTENCES[why], answer=why)
