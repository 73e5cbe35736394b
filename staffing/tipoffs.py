"""Tip-offs 举报: what anybody sends in, what an officer does with it, what the sender reads (DOMAIN §6).

What was written, every note and the contact are sealed; only the handler of a case opens them, the contact with an
audit event of its own. Mails and the trail hold the number of a case and nothing of its content. The edge commits.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import User, hash_secret
from core.audit import record
from core.calendar import due_after, weekday_years
from core.errors import Forbidden, InputRejected, NotFound, Refused
from core.mail import message_id, queue_mail
from core.numbering import next_number
from core.outbox import OutboxMail
from core.parameters import parameter_values
from core.permissions import Permission, Scope, is_current, may, scope_of
from core.sealing import Sealer
from core.units import UnitVersion
from staffing.tipoff_life import (
    SENDER,
    SENTENCES,
    TURNS,
    Outcome,
    TipOffKind,
    TipOffMove,
    TipOffStatus,
    check_turn,
    target_of,
)
from staffing.tipoff_models import TipOff, TipOffStep

OFFICE_TIME = ZoneInfo("Asia/Shanghai")
TEXT_LEAST, TEXT_MOST, CONTACT_MOST, NOTE_MOST = 10, 4_000, 200, 2_000
SECRET_BYTES = 15
NOT_HERE = "没有这件举报，或者不在您的管辖范围内。"
NO_CASE = "受理编号或查询密码不对。"
LIVE_STATUSES = tuple(status.value for status in TipOffStatus if status is not TipOffStatus.CLOSED)


@dataclass(frozen=True)
class Seals:
    """What seals the words of tip-offs and what seals contacts: two keys out of one secret, for two kinds of reader."""

    words: Sealer
    contacts: Sealer

    @classmethod
    def of(cls, secret: str) -> Seals:
        return cls(Sealer(secret, "tip-off words"), Sealer(secret, "tip-off contacts"))


@dataclass(frozen=True)
class Report:
    """What was sent in. division_code: whose matter it is; unit_code None: no unit of the register was named."""

    kind: TipOffKind
    division_code: str
    unit_code: str | None
    text: str = field(repr=False)
    contact: str = field(repr=False, default="")


@dataclass(frozen=True)
class Hand:
    """Who acts, with what reach, when (UTC), and what opens the seals."""

    by: Scope
    now: datetime
    seals: Seals = field(repr=False)
    version: int | None = None


def send_tip_off(session: Session, report: Report, seals: Seals, now: datetime, portal: str) -> tuple[TipOff, str]:
    """A new case and the secret that opens it to its sender, shown this once. Errors: InputRejected."""
    text, contact = report.text.strip(), report.contact.strip()
    if not TEXT_LEAST <= len(text) <= TEXT_MOST:
        raise InputRejected("请写明情况（10 至 4000 字）。", field="text")
    if len(contact) > CONTACT_MOST:
        raise InputRejected("联系方式不得超过 200 字。", field="contact")
    today = now.astimezone(OFFICE_TIME).date()
    days = parameter_values(session, ["tip_off_take_days", "tip_off_answer_days"], today, report.division_code)
    take_by, answer_by = (due_after(today, days[f"tip_off_{what}_days"]) for what in ("take", "answer"))
    secret = secrets.token_hex(SECRET_BYTES)
    number = next_number(session, TipOff.number, f"SL{today.year}-")
    case = TipOff(
        number=number, secret_hash=hash_secret(secret), kind=report.kind.value, unit_code=report.unit_code,
        division_code=report.division_code, status=TipOffStatus.RECEIVED.value, received_at=now, received_on=today,
        sealed_text=seals.words.seal(text.encode(), number),
        sealed_contact=seals.contacts.seal(contact.encode(), number) if contact else None,
        take_by=take_by, answer_by=answer_by, weekday_years=weekday_years(today, max(take_by, answer_by)), version=1,
    )  # fmt: skip
    session.add(case)
    session.flush()
    _step(session, case, TipOffMove.SEND, SENDER, None, None, True, now)
    record(session, actor=SENDER, action="tip_off_sent", subject=f"tip-off {number}", now=now, kind=case.kind)
    _tell(session, case, "new", f"收到一件新举报：{number}", today, now, portal)
    return case, secret


def case_of_sender(session: Session, number: str, secret: str) -> TipOff:
    """The case a receipt opens. Errors: NotFound, the same for an unknown number and a wrong secret."""
    case = session.scalar(select(TipOff).where(TipOff.number == number.strip().upper()))
    held = case.secret_hash if case is not None else hash_secret("-")
    given = hash_secret(secret.strip().lower().replace("-", "").replace(" ", ""))
    if not hmac.compare_digest(held, given) or case is None:
        raise NotFound(NO_CASE)
    return case


def reply(session: Session, case: TipOff, text: str, seals: Seals, now: datetime) -> None:
    """The sender adds something. Errors: Refused when the case is answered; InputRejected for too much."""
    status = TipOffStatus(case.status)
    check_turn(TipOffMove.REPLY, status, case.handler, None, set(), text)
    _checked_note(text)
    _move(session, case, TipOffMove.REPLY, SENDER, text, seals, now)


def seen_cases(session: Session, by: Scope, closed: bool = False) -> list[TipOff]:
    """The cases of a person's area, the most urgent first; unplaced units fall to their division's."""
    live = TipOff.status.in_(LIVE_STATUSES)
    query = select(TipOff).where(_reached(by), ~live if closed else live)
    return list(session.scalars(query.order_by(TipOff.answer_by, TipOff.id)))


def _reached(by: Scope):
    return by.condition(TipOff.unit_code, TipOff.division_code)


def seen_case(session: Session, number: str, by: Scope) -> TipOff:
    """One case of a person's area. Errors: NotFound for unknown and unseen alike."""
    case = session.scalar(select(TipOff).where(TipOff.number == number, _reached(by)))
    if case is None or not may(roles_on(case, by), Permission.SEE_TIP_OFFS):
        raise NotFound(NOT_HERE)
    return case


def roles_on(case: TipOff, by: Scope) -> set:
    """The roles a person has towards a case."""
    return by.roles_for(case.unit_code, case.division_code)


def turn_case(
    session: Session, number: str, move: TipOffMove, hand: Hand, note: str = "", outcome: str | None = None
) -> TipOff:
    """One move of an officer. Errors: NotFound unseen; Forbidden; Refused with the sentence of the table, or when the
    case changed since it was read; InputRejected for a note too long or an unknown outcome."""
    case = _locked(session, number, hand)
    row = check_turn(move, TipOffStatus(case.status), case.handler, hand.by.login, roles_on(case, hand.by), note)
    _checked_note(note)
    if move is TipOffMove.CLOSE:
        if outcome not in set(Outcome):
            raise InputRejected("请选择办理结果。", field="outcome")
        case.outcome = outcome
    _move(session, case, row.move, hand.by.login, note, hand.seals, hand.now)
    return case


def link_case(session: Session, number: str, hand: Hand, unit_code: str | None, flag_ref: int | None) -> TipOff:
    """Name the unit or the flag a case is about; both were checked to lie in the person's scope by the caller.

    Errors: as `turn_case`; Refused when the unit would take the case out of the handler's own area.
    """
    case = _locked(session, number, hand)
    check_turn(TipOffMove.LINK, TipOffStatus(case.status), case.handler, hand.by.login, roles_on(case, hand.by), "")
    if unit_code is not None:
        found = session.scalar(select(UnitVersion).where(UnitVersion.unit_code == unit_code, is_current()))
        if found is None or not hand.by.sees_unit(unit_code):
            raise NotFound("没有这个单位，或者不在您的管辖范围内。")
        case.unit_code, case.division_code = unit_code, found.division_code
    if flag_ref is not None:
        case.flag_ref = flag_ref
    _move(session, case, TipOffMove.LINK, hand.by.login, "", hand.seals, hand.now)
    return case


def _locked(session: Session, number: str, hand: Hand) -> TipOff:
    found = select(TipOff).where(TipOff.number == number).with_for_update().execution_options(populate_existing=True)
    session.scalar(found)
    case = seen_case(session, number, hand.by)
    if hand.version is not None and case.version != hand.version:
        raise Refused("这件举报刚刚有了变化，请刷新后再办理。", answer="CHANGED")
    return case


def _checked_note(note: str) -> None:
    if len(note) > NOTE_MOST:
        raise InputRejected("内容不得超过 2000 字。", field="note")


def _move(session: Session, case: TipOff, move: TipOffMove, actor: str, note: str, seals: Seals, now: datetime) -> None:
    before = TipOffStatus(case.status)
    after = target_of(move, before)
    if move is TipOffMove.TAKE:
        case.handler = actor
    elif after is TipOffStatus.RECEIVED and move is not TipOffMove.REPLY:
        case.handler = None
    case.status, case.version = after.value, case.version + 1
    sealed = seals.words.seal(note.strip().encode(), case.number) if note.strip() else None
    _step(session, case, move, actor, before, sealed, TURNS[move].shown, now)
    record(
        session, actor=actor, action=f"tip_off_{move.value.lower()}", subject=f"tip-off {case.number}", now=now,
        before=before.value, after=after.value,
    )  # fmt: skip


def _step(
    session: Session, case: TipOff, move: TipOffMove, actor: str, before: TipOffStatus | None, sealed: bytes | None,
    shown: bool, now: datetime,
) -> None:  # fmt: skip
    session.add(
        TipOffStep(
            tip_off_id=case.id, at=now, actor=actor, move=move.value, from_status=before.value if before else None,
            to_status=case.status, sealed_note=sealed, shown=shown,
        )
    )  # fmt: skip
    session.flush()


@dataclass(frozen=True)
class Line:
    """A step as it is read: `note` None where there is none, or where this reader may not open it."""

    move: str
    at: datetime
    actor: str
    to_status: str
    note: str | None = field(repr=False)


def words_of(case: TipOff, seals: Seals, login: str | None) -> str | None:
    """What was sent in, for the handler (or, `login` None, its sender); None for everybody else."""
    if login is not None and login != case.handler:
        return None
    return seals.words.open(case.sealed_text, case.number).decode()


def lines_of(session: Session, case: TipOff, seals: Seals, login: str | None) -> list[Line]:
    """The steps of a case. The sender sees those meant for the sender; notes open for the handler and the sender alone."""
    steps = session.scalars(select(TipOffStep).where(TipOffStep.tip_off_id == case.id).order_by(TipOffStep.id))
    return [
        Line(
            step.move, step.at, step.actor if login is not None else "", step.to_status,
            seals.words.open(step.sealed_note, case.number).decode()
            if step.sealed_note is not None and (login is None or login == case.handler) else None,
        )
        for step in steps
        if login is not None or step.shown or step.move in (TipOffMove.TAKE, TipOffMove.CLOSE)
    ]  # fmt: skip


def show_contact(session: Session, number: str, hand: Hand) -> str:
    """How to reach the sender, for the handler; one audit event each time. Errors: NotFound; Forbidden."""
    case = _locked(session, number, hand)
    if case.handler != hand.by.login:
        raise Forbidden(SENTENCES["NOT_HANDLER"], answer="NOT_HANDLER")
    if case.sealed_contact is None:
        raise NotFound("举报人没有留下联系方式。")
    record(session, actor=hand.by.login, action="tip_off_contact_shown", subject=f"tip-off {number}", now=hand.now)
    return hand.seals.contacts.open(case.sealed_contact, case.number).decode()


def remind_of_tip_offs(session: Session, today: date, now: datetime, portal: str) -> int:
    """One mail to the hand (or to all who may take it) when a case passes a deadline; returns how many are new."""
    queued = 0
    for case in session.scalars(select(TipOff).where(TipOff.status.in_(LIVE_STATUSES)).order_by(TipOff.id)):
        if case.status == TipOffStatus.RECEIVED and case.take_by < today:
            subject = f"举报逾期未受理：{case.number}"
            queued += _tell(session, case, "untaken", subject, case.take_by, now, portal, case.take_note)
        elif case.status in (TipOffStatus.TAKEN, TipOffStatus.ASKED) and case.answer_by < today:
            subject = f"举报逾期未答复：{case.number}"
            queued += _tell(session, case, "late", subject, case.answer_by, now, portal, case.answer_note)
    return queued


def _tell(
    session: Session, case: TipOff, what: str, subject: str, on: date, now: datetime, portal: str,
    note: str | None = None,
) -> int:  # fmt: skip
    """Number and link, and how the deadline was counted where that is uncertain; nothing else. The same (case, occasion)
    mails a person once."""
    if case.handler is not None:
        told = list(session.scalars(select(User).where(User.login == case.handler, User.active, User.wants_mail)))
    else:
        told = [user for user in _handlers(session) if _may_take(session, user, case)]
    address = f"{portal.rstrip('/')}/desk/tip-offs/{case.number}"
    digest = f"tip_off_{what}_{case.number}"
    lines = [subject, *([note] if note else []), address]
    return sum(
        queue_mail(
            session,
            OutboxMail(
                recipient=user.email, digest=digest, as_of=on, subject=subject, text="".join(f"{line}\n" for line in lines),
                html="".join(f"<p>{line}</p>" for line in lines),
                message_id=message_id(user.email, digest, on, portal), queued_at=now,
            ),
        )
        for user in told
    )  # fmt: skip


def _handlers(session: Session) -> list[User]:
    people = session.scalars(select(User).where(User.active, User.wants_mail).order_by(User.id))
    return [user for user in people if may({grant.role for grant in user.grants}, Permission.HANDLE_TIP_OFF)]


def _may_take(session: Session, user: User, case: TipOff) -> bool:
    return may(roles_on(case, scope_of(session, user)), Permission.HANDLE_TIP_OFF)
