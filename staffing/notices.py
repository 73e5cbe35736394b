"""入编通知单, 减编通知单: to personnel, finance and medical insurance; queued, sent, acknowledged; unanswered ones age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, insert, or_, select, true, update
from sqlalchemy.orm import Session

from core.accounts import Grant, Role, User
from core.errors import Forbidden, NotFound, Refused
from core.permissions import Permission, Scope
from core.units import division_lineage
from pool.acting import NOT_HERE, OFFICE_TIME, Act, Receipt, check_place, node_of, once
from pool.letters import Letter, queue_letter
from pool.models import PoolNode
from staffing.delivery_models import StaffDelivery
from staffing.models import StaffNotice, StaffSlot
from staffing.telling import PAGE, trail

ENTRY, EXIT = "ENTRY", "EXIT"
PERSONNEL, FINANCE, INSURANCE = "PERSONNEL", "FINANCE", "INSURANCE"
RECEIVERS = (PERSONNEL, FINANCE, INSURANCE)
QUEUED, SENT, ACKNOWLEDGED, WITHDRAWN = "QUEUED", "SENT", "ACKNOWLEDGED", "WITHDRAWN"
# Medical insurance has no account of its own: the personnel office hands its notice on and answers for it.
ROLE_OF = {PERSONNEL: Role.PERSONNEL, FINANCE: Role.FINANCE, INSURANCE: Role.PERSONNEL}
RECEIVER_LABELS = {PERSONNEL: "人社", FINANCE: "财政", INSURANCE: "医保"}
KIND_LABELS = {ENTRY: "入编通知单", EXIT: "减编通知单"}
STATUS_LABELS = {QUEUED: "待发送", SENT: "已发送", ACKNOWLEDGED: "已签收", WITHDRAWN: "已撤回"}


def queue_notices(
    session: Session, act: Act, node: PoolNode, slot: StaffSlot, kind: str, effective: date, month: str,
    status: str = QUEUED,
) -> None:  # fmt: skip
    """A notice per receiver about one entry or exit. month: YYYY-MM, the first with pay, or the first without."""
    before = select(func.coalesce(func.max(StaffNotice.round), 0)).where(
        StaffNotice.slot_id == slot.id, StaffNotice.kind == kind
    )
    number = session.scalar(before) + 1
    session.execute(insert(StaffNotice.__table__), [{
        "slot_id": slot.id, "slot_no": slot.slot_no, "unit_code": slot.unit_code, "kind": kind, "receiver": receiver,
        "round": number, "status": status, "effective": effective, "month": month, "queued_on": act.today,
        "sent_on": act.today if status == SENT else None,
    } for receiver in RECEIVERS])  # fmt: skip
    if status == SENT:
        _mail(session, act, node, slot, kind, month, number)


def send_notices(session: Session, act: Act, node: PoolNode, slot: StaffSlot, kind: str) -> int:
    """Send what is queued about a slot; returns how many notices."""
    queued = notices_of(session, slot, kind, QUEUED)
    if queued:
        _turn(session, queued, status=SENT, sent_on=act.today)
        _mail(session, act, node, slot, kind, queued[0].month, queued[0].round)
    return len(queued)


def withdraw_notices(session: Session, act: Act, node: PoolNode, slot: StaffSlot, kind: str) -> int:
    """Take notices back whose cause was undone, acknowledged ones too, and tell those who got them; returns how many."""
    held = [notice for notice in notices_of(session, slot, kind) if notice.status != WITHDRAWN]
    if held:
        _turn(session, held, status=WITHDRAWN)
        _mail(session, act, node, slot, kind, held[0].month, held[0].round, "撤回")
    return len(held)


def notices_of(session: Session, slot: StaffSlot, kind: str, *statuses: str) -> list[StaffNotice]:
    """Notices about one row of a slot, of these statuses alone when some are given."""
    query = select(StaffNotice).where(StaffNotice.slot_id == slot.id, StaffNotice.kind == kind)
    if statuses:
        query = query.where(StaffNotice.status.in_(statuses))
    return list(session.scalars(query.order_by(StaffNotice.id).execution_options(populate_existing=True)))


def _turn(session: Session, notices: list[StaffNotice], **values: object) -> None:
    session.execute(
        update(StaffNotice)
        .where(StaffNotice.id.in_([notice.id for notice in notices]))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _mail(
    session: Session, act: Act, node: PoolNode, slot: StaffSlot, kind: str, month: str, number: int, word: str = ""
) -> None:
    what = "起薪" if kind == ENTRY else "停薪"
    subject = f"{word}{KIND_LABELS[kind]} {slot.slot_no}（{node.name}）"
    letter = Letter(
        f"staff_{kind}_{slot.id}_{number}{'_back' if word else ''}".lower()[:64],
        subject,
        (subject, f"{what}月份：{month}"),
    )
    emails = [email for role in sorted({*ROLE_OF.values()}) for email in officers_at(session, node, role)]
    queue_letter(session, letter, emails, act.today, act.portal, act.now, PAGE)


def officers_at(session: Session, node: PoolNode, role: Role) -> list[str]:
    """Addresses of the people of a role whose grant reaches the unit: by its division and level, or the unit itself."""
    lineage = division_lineage(node.division_code)
    by_division = Grant.division_code.in_(lineage) & or_(Grant.level.is_(None), Grant.level == node.level)
    query = (
        select(User.email)
        .join(Grant, Grant.user_id == User.id)
        .where(
            Grant.role == role, User.active, User.wants_mail, or_(by_division, Grant.unit_code == node.unit_code)
        )
    )  # fmt: skip
    return list(session.scalars(query))


def acknowledge_notice(session: Session, act: Act, notice_id: int) -> Receipt:
    """The receiver says it has got the notice: finance its own, personnel its own and insurance's. → notice, status.

    Refused: NOT_SENT, ACKNOWLEDGED, WITHDRAWN.
    """
    notice = session.get(StaffNotice, notice_id)
    if notice is None:
        raise NotFound(NOT_HERE)
    node = node_of(session, f"U:{notice.unit_code}")
    roles = check_place(session, act, Permission.ACKNOWLEDGE_NOTICE, node)
    if ROLE_OF[notice.receiver] not in roles:
        raise Forbidden(f"这份通知单由{RECEIVER_LABELS[notice.receiver]}签收。", answer="WRONG_ROLE")

    def do() -> Receipt:
        session.refresh(notice)
        if notice.status != SENT:
            answer = {QUEUED: "NOT_SENT"}.get(notice.status, notice.status)
            raise Refused(f"通知单{STATUS_LABELS[notice.status]}，不能签收。", answer=answer)
        acknowledge(session, act, [notice])
        return {"notice": notice.id, "status": ACKNOWLEDGED}

    return once(session, act, "acknowledge_notice", {"notice": notice_id}, [node.id], do)


def acknowledge(session: Session, act: Act, notices: list[StaffNotice]) -> None:
    """Mark notices as received, with the audit event."""
    if notices:
        _turn(session, notices, status=ACKNOWLEDGED, acknowledged_on=act.today, acknowledged_by=act.login)
        numbers = [notice.id for notice in notices]
        trail(session, act, "notice_acknowledged", f"slot {notices[0].slot_no}", notices=numbers)
        for notice in notices:
            session.refresh(notice)


def next_attempt(attempts: int, last: datetime, longest: int) -> datetime:
    """When a notice handed over so often is due again: 1, 2, 4 … days after the last time, `longest` at most."""
    return last + timedelta(days=min(2 ** (attempts - 1), longest))


@dataclass(frozen=True)
class NoticeView:
    """A notice with its age: days since it was queued, while nobody has acknowledged it. attempts: how often it was handed
    over to the receiver's program, last and next: when; all of that empty while only its page shows it."""

    notice: StaffNotice
    unit_name: str
    age: int | None
    overdue: bool
    attempts: int = 0
    last: date | None = None
    next: date | None = None


def notice_page(
    session: Session, scope: Scope | None, today: date, overdue_days: int, *, open_only: bool = False,
    unit_code: str | None = None, receiver: str | None = None, limit: int | None = None, offset: int = 0,
) -> tuple[list[NoticeView], int]:  # fmt: skip
    """Notices of the units of a scope (None: of all), the longest waiting first, and how many there are."""
    tried = (
        select(StaffDelivery.notice_id, func.count().label("attempts"), func.max(StaffDelivery.at).label("last"))
        .group_by(StaffDelivery.notice_id)
        .subquery()
    )
    query = (
        select(StaffNotice, PoolNode.name, tried.c.attempts, tried.c.last)
        .join(PoolNode, PoolNode.unit_code == StaffNotice.unit_code)
        .outerjoin(tried, tried.c.notice_id == StaffNotice.id)
        .where(true() if scope is None else scope.condition(PoolNode.unit_code, PoolNode.division_code))
    )
    if open_only:
        query = query.where(StaffNotice.status.in_([QUEUED, SENT]))
    if unit_code is not None:
        query = query.where(StaffNotice.unit_code == unit_code)
    if receiver is not None:
        query = query.where(StaffNotice.receiver == receiver)
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    rows = session.execute(query.order_by(StaffNotice.queued_on, StaffNotice.id).limit(limit).offset(offset))
    return [_view(*row, today, overdue_days) for row in rows], int(total or 0)


def _view(
    notice: StaffNotice, name: str, attempts: int | None, last: datetime | None, today: date, longest: int
) -> NoticeView:
    waits = notice.status in (QUEUED, SENT)
    age = (today - notice.queued_on).days if waits else None
    day = lambda moment: moment.astimezone(OFFICE_TIME).date()
    again = day(next_attempt(attempts, last, longest)) if waits and attempts else None
    return NoticeView(notice, name, age, waits and age > longest, attempts or 0, day(last) if last else None, again)
