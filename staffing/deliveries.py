"""Handing entry and exit notices to the neighbours: to whom, how often, with whose number in full, and their answers.

A notice is handed over until its receiver acknowledges it, each time as an attempt of its own; between attempts the wait
doubles, up to `notice_days`‡. What was handed over and withdrawn afterwards is handed over once more, as withdrawn.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, insert, select, true
from sqlalchemy.orm import Session

from core.errors import InputRejected, InvariantViolated
from core.permissions import Permission, may
from core.person_identity import numbers_of
from pool.acting import Act, lock_paths
from pool.letters import Letter, queue_letter
from pool.models import PoolNode
from staffing.delivery_models import StaffDelivery
from staffing.models import StaffNotice, StaffSlot
from staffing.notices import (
    ACKNOWLEDGED,
    FINANCE,
    INSURANCE,
    KIND_LABELS,
    QUEUED,
    RECEIVER_LABELS,
    RECEIVERS,
    ROLE_OF,
    SENT,
    WITHDRAWN,
    acknowledge,
    next_attempt,
    officers_at,
)
from staffing.store import gate_parameters
from staffing.telling import PAGE, trail

FILE, API = "FILE", "API"
# Who pays and who insures cannot act on a mask. Personnel entered the number itself and knows it by the slot.
NEEDS_NUMBER = frozenset({FINANCE, INSURANCE})
# The reason a number leaves in full: the notice itself, which its receiver cannot act on by a mask (decision 0016 no. 11).
WHY_IN_FULL = "NOTICE"
LETTER_LINES = 30


@dataclass(frozen=True)
class Delivered:
    """A notice as handed over. person: the full number for who needs it, else the mask. attempt: how often by now."""

    notice_id: int
    kind: str
    receiver: str
    status: str
    slot_no: str
    unit_code: str
    unit_name: str
    division_code: str
    post_type: str
    fund_form: str
    person: str
    effective: date
    month: str
    sent_on: date
    attempt: int


@dataclass(frozen=True)
class Waiting:
    """A notice that waits for its receiver, with what was tried so far."""

    notice: StaffNotice
    slot: StaffSlot
    node: PoolNode
    attempts: int
    last: datetime | None
    told: str | None

    def due(self, now: datetime, longest: int) -> bool:
        """Whether it is time to hand it over (again)."""
        if self.notice.status == WITHDRAWN:
            return True
        return self.last is None or next_attempt(self.attempts, self.last, longest) <= now


def waiting_notices(session: Session, act: Act, receiver: str, everybody: bool = False) -> list[Waiting]:
    """Notices addressed to a receiver that wait for it, of the units where the person acts for it, or sees numbers.

    everybody: of all units, for the night, which hands over what the settings say.

    Errors: InputRejected for an unknown receiver.
    """
    if receiver not in RECEIVERS:
        raise InputRejected(f"收件方须为 {'、'.join(RECEIVERS)} 之一。", field="receiver")
    tried = (
        select(StaffDelivery.notice_id, func.count().label("attempts"), func.max(StaffDelivery.at).label("last"))
        .group_by(StaffDelivery.notice_id)
        .subquery()
    )
    rows = session.execute(
        select(StaffNotice, StaffSlot, PoolNode, tried.c.attempts, tried.c.last)
        .join(StaffSlot, StaffSlot.id == StaffNotice.slot_id)
        .join(PoolNode, PoolNode.unit_code == StaffNotice.unit_code)
        .outerjoin(tried, tried.c.notice_id == StaffNotice.id)
        .where(
            StaffNotice.receiver == receiver, StaffNotice.status.in_([SENT, WITHDRAWN]),
            true() if everybody else act.scope.condition(PoolNode.unit_code, PoolNode.division_code),
        )
        .order_by(StaffNotice.id)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    told = _last_told(session, [row.StaffNotice.id for row in rows])
    found = [
        Waiting(row.StaffNotice, row.StaffSlot, row.PoolNode, row.attempts or 0, row.last, told.get(row.StaffNotice.id))
        for row in rows
    ]
    mine = (
        {}
        if everybody
        else {node.id: _acts_for(act, node, receiver) for node in {each.node.id: each.node for each in found}.values()}
    )
    # Who never heard of a notice need not hear that it was taken back.
    open_ = lambda each: each.notice.status == SENT or each.told == SENT
    return [each for each in found if (everybody or mine[each.node.id]) and open_(each)]


def _acts_for(act: Act, node: PoolNode, receiver: str) -> bool:
    roles = act.scope.roles_for(node.unit_code, node.division_code)
    return ROLE_OF[receiver] in roles or may(roles, Permission.SEE_IDENTITY)


def _last_told(session: Session, ids: list[int]) -> dict[int, str]:
    rows = session.execute(
        select(StaffDelivery.notice_id, StaffDelivery.status)
        .where(StaffDelivery.notice_id.in_(ids))
        .order_by(StaffDelivery.attempt)
    )
    return {row.notice_id: row.status for row in rows}


def hand_over(
    session: Session, act: Act, receiver: str, channel: str, batch: str, person_key: str, *, due_only: bool = True,
    everybody: bool = False,
) -> list[Delivered]:  # fmt: skip
    """Record an attempt for what waits (due_only: and is due), and answer with it, numbers in full for who needs them.

    One audit event says who, how many, to whom, by which batch (whose deliveries name each notice), and why in full. Nothing waits: nothing is recorded. Errors: InputRejected;
    InvariantViolated when a number is not kept.
    """
    lock_paths(session, sorted({each.node.id for each in waiting_notices(session, act, receiver, everybody)}))
    chosen = waiting_notices(session, act, receiver, everybody)
    if due_only:
        longest = gate_parameters(session, act.today, "")["notice_days"]
        chosen = [each for each in chosen if each.due(act.now, longest)]
    if not chosen:
        return []
    numbers = _full_numbers(session, chosen, person_key) if receiver in NEEDS_NUMBER else {}
    session.execute(insert(StaffDelivery), [
        {"notice_id": each.notice.id, "attempt": each.attempts + 1, "channel": channel, "batch": batch,
         "status": each.notice.status, "at": act.now, "actor": act.login}
        for each in chosen
    ])  # fmt: skip
    trail(
        session, act, "notices_handed_over", f"receiver {receiver}", channel=channel, batch=batch, notices=len(chosen),
        numbers=len(numbers), **({"why": WHY_IN_FULL} if numbers else {}),
    )  # fmt: skip
    return [_delivered(each, numbers) for each in chosen]


def _full_numbers(session: Session, chosen: list[Waiting], person_key: str) -> dict[str, str]:
    keys = {each.slot.person_key for each in chosen}
    numbers = numbers_of(session, keys, person_key)
    if len(numbers) < len(keys):
        raise InvariantViolated(f"{len(keys) - len(numbers)} people with notices have no number kept")
    return numbers


def _delivered(each: Waiting, numbers: dict[str, str]) -> Delivered:
    notice, slot, node = each.notice, each.slot, each.node
    return Delivered(
        notice.id, notice.kind, notice.receiver, notice.status, notice.slot_no, notice.unit_code, node.name,
        node.division_code, slot.post_type, slot.fund_form, numbers.get(slot.person_key, slot.person_mask),
        notice.effective, notice.month, notice.sent_on or notice.queued_on, each.attempts + 1,
    )  # fmt: skip


def next_batch(session: Session, receiver: str, day: date) -> str:
    """The name of the next file to a receiver on a day; the same until a delivery under it is committed."""
    head = f"notices-{receiver.lower()}-{day:%Y%m%d}-"
    used = session.scalars(
        select(StaffDelivery.batch).where(StaffDelivery.batch.startswith(head, autoescape=True)).distinct()
    )
    numbers = [int(name.removeprefix(head)) for name in used]
    return f"{head}{max(numbers, default=0) + 1:03d}"


@dataclass(frozen=True)
class Answer:
    """One line of an acknowledgement. place: what an error names, beside the column."""

    notice_id: int
    receiver: str
    place: str = ""
    details: tuple[tuple[str, object], ...] = ()


def acknowledge_all(session: Session, act: Act, answers: Iterable[Answer]) -> dict[str, int]:
    """Take a receiver's answers, all or none. → acknowledged, already (acknowledged before), withdrawn (taken back since).

    Errors: InputRejected names the line, the column and what to do: a notice that is not there or not the receiver's, one
    never sent, a line twice.
    """
    lines = list(answers)
    wanted = {line.notice_id for line in lines}
    nodes = session.scalars(
        select(StaffSlot.node_id)
        .join(StaffNotice, StaffNotice.slot_id == StaffSlot.id)
        .where(StaffNotice.id.in_(wanted))
    )
    lock_paths(session, sorted(set(nodes)))
    rows = {
        row.StaffNotice.id: row
        for row in session.execute(
            select(StaffNotice, PoolNode)
            .join(PoolNode, PoolNode.unit_code == StaffNotice.unit_code)
            .where(StaffNotice.id.in_(wanted), act.scope.condition(PoolNode.unit_code, PoolNode.division_code))
            .execution_options(populate_existing=True)
        )
    }
    counts: Counter[str] = Counter(acknowledged=0, already=0, withdrawn=0)
    taken: dict[str, list[StaffNotice]] = defaultdict(list)
    seen: set[int] = set()
    for line in lines:
        notice = _answered(act, line, rows.get(line.notice_id), seen)
        seen.add(line.notice_id)
        if notice.status == SENT:
            taken[notice.slot_no].append(notice)
        counts[{SENT: "acknowledged", ACKNOWLEDGED: "already", WITHDRAWN: "withdrawn"}[notice.status]] += 1
    for slot_no in sorted(taken):
        acknowledge(session, act, taken[slot_no])
    return dict(counts)


def _answered(act: Act, line: Answer, row, seen: Collection[int]) -> StaffNotice:
    """The notice a line answers. Errors: InputRejected, the same for one unseen as for one that is not there."""
    if line.notice_id in seen:
        raise _wrong(line, "notice_id", f"通知单 {line.notice_id} 出现了两次，请删去一行")
    if row is None or not may(
        act.scope.roles_for(row.PoolNode.unit_code, row.PoolNode.division_code), Permission.ACKNOWLEDGE_NOTICE
    ):
        raise _wrong(
            line, "notice_id", f"没有编号为 {line.notice_id} 的通知单，或者不在您的管辖范围内，请按收到的文件核对编号"
        )
    notice = row.StaffNotice
    if notice.receiver != line.receiver:
        raise _wrong(line, "receiver", f"通知单 {notice.id} 的收件方是 {notice.receiver}，请只回执发给本单位的通知单")
    if ROLE_OF[notice.receiver] not in act.scope.roles_for(row.PoolNode.unit_code, row.PoolNode.division_code):
        raise _wrong(line, "receiver", f"通知单 {notice.id} 由{RECEIVER_LABELS[notice.receiver]}签收，请由其办理")
    if notice.status == QUEUED:
        raise _wrong(line, "notice_id", f"通知单 {notice.id} 尚未发送，不能签收，请核对编号")
    return notice


def _wrong(line: Answer, column: str, sentence: str) -> InputRejected:
    return InputRejected(f"{line.place}{sentence}。", column=column, **dict(line.details))


def remind_waiting(session: Session, as_of: date, now: datetime, portal: str) -> int:
    """Mail each receiver what it has not acknowledged for longer than `notice_days`‡, once per night; returns how many."""
    rows = session.execute(
        select(StaffNotice, PoolNode)
        .join(PoolNode, PoolNode.unit_code == StaffNotice.unit_code)
        .where(StaffNotice.status == SENT, StaffNotice.queued_on < as_of)
        .order_by(StaffNotice.queued_on, StaffNotice.id)
    )
    lines: dict[str, list[str]] = defaultdict(list)
    officers: dict[tuple, list[str]] = {}
    days: dict[str, int] = {}
    for notice, node in rows:
        age, place = (as_of - notice.queued_on).days, node.division_code
        if place not in days:
            days[place] = gate_parameters(session, as_of, place)["notice_days"]
        if age <= days[place]:
            continue
        role = ROLE_OF[notice.receiver]
        if (node.id, role) not in officers:
            officers[node.id, role] = officers_at(session, node, role)
        text = f"{KIND_LABELS[notice.kind]} {notice.slot_no}（{node.name}）：{RECEIVER_LABELS[notice.receiver]}已 {age} 天未签收"
        for email in set(officers[node.id, role]):
            lines[email].append(text)
    queued = 0
    for email, mine in sorted(lines.items()):
        more = [f"另有 {len(mine) - LETTER_LINES} 份"] if len(mine) > LETTER_LINES else []
        letter = Letter("staff_waiting", f"{len(mine)} 份通知单逾期未签收", (*mine[:LETTER_LINES], *more))
        queued += queue_letter(session, letter, [email], as_of, portal, now, f"{PAGE}/notices")
    return queued
