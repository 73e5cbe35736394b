"""What a person sees of the gate: plans, consultations, applications and permits, slots, exits, blocks, each limited to a
scope; what may be done next with the sentence when not; and the work list of a role."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select, true
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.permissions import Permission, Scope
from core.types import FundForm
from pool.acting import NOT_HERE, Act
from pool.models import PoolNode
from staffing import principles
from staffing.chain import IN_POST, WAITING, Move, Status, Subject, decide_link, moves_from
from staffing.gathering import decide_now
from staffing.models import (
    StaffApplication,
    StaffBlock,
    StaffConsultation,
    StaffNotice,
    StaffPlan,
    StaffPlanLine,
    StaffSlot,
    StaffStep,
    StaffWaiver,
)  # fmt: skip
from staffing.notices import QUEUED, ROLE_OF, SENT
from staffing.store import Row, hands_on, place_of, roles_at, row_of, staff_slot

Table = type[StaffPlan | StaffConsultation | StaffApplication | StaffSlot | StaffBlock | StaffNotice | StaffWaiver]
# What of a subject waits, for whom: the move that somebody with its permission must make.
WAITS: dict[Subject, dict[Status, tuple[Move, ...]]] = {
    Subject.PLAN: {Status.SUBMITTED: (Move.REVIEW_PLAN,), Status.REVIEWED: (Move.PASS_PLAN,)},
    Subject.CONSULTATION: {Status.ASKED: (Move.AGREE,)},
    Subject.APPLICATION: {
        Status.DRAFT: (Move.SUBMIT,), Status.SUBMITTED: (Move.CONFIRM_COST, Move.REVIEW),
        Status.REVIEWED: (Move.CONFIRM_COST, Move.GRANT),
    },
    Subject.SLOT: {
        Status.ISSUED: (Move.ENTER,), Status.FILLED: (Move.FINISH_PAPERS,), Status.PAPERS: (Move.NOTE_PAY,),
        Status.LEFT: (Move.CANCEL,),
    },
}  # fmt: skip
ORDERS = {
    Subject.PLAN: (StaffPlan, StaffPlan.number), Subject.CONSULTATION: (StaffConsultation, StaffConsultation.number),
    Subject.APPLICATION: (StaffApplication, StaffApplication.number), Subject.SLOT: (StaffSlot, StaffSlot.slot_no),
}  # fmt: skip


def seen(scope: Scope | None, table: Table) -> ColumnElement[bool]:
    """SQL: rows of units a scope reaches; None: of every unit, for who holds the database itself."""
    if scope is None:
        return true()
    reach = select(PoolNode.unit_code).where(
        PoolNode.kind == "UNIT", scope.condition(PoolNode.unit_code, PoolNode.division_code)
    )
    return table.unit_code.in_(reach)


def _page(session: Session, query: Select, order: Sequence, limit: int | None, offset: int) -> tuple[list, int]:
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    return list(session.scalars(query.order_by(*order).limit(limit).offset(offset))), int(total or 0)


def staff_page(
    session: Session, scope: Scope | None, subject: Subject, statuses: Sequence[str] = (), unit_code: str | None = None,
    limit: int | None = None, offset: int = 0,
) -> tuple[list, int]:  # fmt: skip
    """Plans, consultations, applications or slots of a scope, the newest number first, and how many there are.

    Permits are applications of status GRANTED, EXECUTED or EXPIRED; exits are slots of status LEFT, MOVED or CANCELLED.
    """
    table, order = ORDERS[subject]
    query = select(table).where(seen(scope, table))
    if statuses:
        query = query.where(table.status.in_([str(status) for status in statuses]))
    if unit_code is not None:
        query = query.where(table.unit_code == unit_code)
    last = (order.desc(), table.id.desc()) if table is StaffSlot else (order.desc(),)
    return _page(session, query, last, limit, offset)


def coming_exits(session: Session, scope: Scope | None, unit_code: str | None = None) -> list[StaffSlot]:
    """Announced exits nobody has registered yet, the next first: what a permit may be bound to."""
    query = select(StaffSlot).where(
        seen(scope, StaffSlot), StaffSlot.status.in_(IN_POST), StaffSlot.planned_exit.is_not(None)
    )
    if unit_code is not None:
        query = query.where(StaffSlot.unit_code == unit_code)
    return list(session.scalars(query.order_by(StaffSlot.planned_exit, StaffSlot.slot_no)))


def seen_one(session: Session, scope: Scope, subject: Subject, number: str) -> Row:
    """A plan, consultation, application or slot within the scope. Errors: NotFound, the same for unknown and unseen."""
    row = staff_slot(session, number) if subject is Subject.SLOT else row_of(session, subject, number)
    node = place_of(session, row)
    if not scope.roles_for(node.unit_code if node.closed_on is None else None, node.division_code):
        raise NotFound(NOT_HERE)
    return row


def plan_lines(session: Session, number: str) -> list[StaffPlanLine]:
    """A plan's cells."""
    query = select(StaffPlanLine).where(StaffPlanLine.plan_no == number)
    return list(session.scalars(query.order_by(StaffPlanLine.post_type, StaffPlanLine.fund_form)))


def slots_of_permit(session: Session, number: str) -> list[StaffSlot]:
    """Every row of every slot an application issued: also where a carried post is now."""
    query = select(StaffSlot).where(StaffSlot.application_no == number)
    return list(session.scalars(query.order_by(StaffSlot.slot_no, StaffSlot.id)))


def slot_history(session: Session, slot_no: str, scope: Scope | None = None) -> list[StaffSlot]:
    """Rows of one slot number, the oldest first: one per unit it was carried to. scope: at units it reaches alone."""
    query = select(StaffSlot).where(StaffSlot.slot_no == slot_no).order_by(StaffSlot.id)
    if scope is not None:
        query = query.where(seen(scope, StaffSlot))
    return list(session.scalars(query))


def steps_of(session: Session, subject: Subject, number: str) -> list[StaffStep]:
    """A life, oldest step first."""
    query = select(StaffStep).where(StaffStep.subject == subject, StaffStep.number == number)
    return list(session.scalars(query.order_by(StaffStep.id)))


def block_page(
    session: Session, scope: Scope | None, *, open_only: bool = True, limit: int | None = None, offset: int = 0
) -> tuple[list[StaffBlock], int]:
    """Late entries and exits of a scope, the oldest first, and how many there are."""
    query = select(StaffBlock).where(seen(scope, StaffBlock))
    if open_only:
        query = query.where(StaffBlock.released_on.is_(None))
    return _page(session, query, (StaffBlock.id,), limit, offset)


def waiver_page(
    session: Session, scope: Scope | None, limit: int | None = None, offset: int = 0
) -> tuple[list[StaffWaiver], int]:
    """Waivers of a scope, the newest first, and how many there are."""
    order = (StaffWaiver.granted_on.desc(), StaffWaiver.number)
    return _page(session, select(StaffWaiver).where(seen(scope, StaffWaiver)), order, limit, offset)


def figures_shown(row: StaffApplication | StaffConsultation | StaffPlanLine) -> dict:
    """The figures a row kept, as they were at its steps."""
    return json.loads(row.figures)


@dataclass(frozen=True)
class NextMove:
    """A move a page offers: allowed, or the sentence on the disabled button."""

    move: Move
    label: str
    allowed: bool
    sentence: str


def next_moves(session: Session, act: Act, subject: Subject, row: Row) -> list[NextMove]:
    """What people may do with a row in its status, for this person: by role, three persons, and the principles."""
    node, number = place_of(session, row), row.slot_no if subject is Subject.SLOT else row.number
    roles, hands = roles_at(act, node), hands_on(session, subject, number)
    found = []
    for move in moves_from(subject, Status(row.status)):
        if move in (Move.DIE, Move.EXECUTE, Move.SLOT_DIE, Move.SLOT_REVOKE):
            continue  # they follow from another move, nobody makes them by themselves
        decision = decide_link(move, Status(row.status), roles=roles, actors=act.actors, hands=hands)
        sentence = decision.sentence
        if decision.allowed and (why := _why_not(session, act, move, row, node)):
            found.append(NextMove(move, decision.move, False, why))
        else:
            found.append(NextMove(move, decision.move, decision.allowed, sentence))
    return found


def _why_not(session: Session, act: Act, move: Move, row: Row, node: PoolNode) -> str | None:
    """What besides role and status stands in the way of a move now, as `check_…` would say it."""
    if move is Move.GRANT and row.fund_form != FundForm.SELF and row.cost_confirmed_on is None:
        return "财政尚未确认年度经费，不能签发。"
    if move in (Move.SUBMIT, Move.REVIEW, Move.GRANT):
        decision: principles.Decision = decide_now(session, node, row, act.today)[0]
        return None if decision.allowed else decision.sentence
    if move is Move.RECANT_EXIT and row.planned_exit is None:
        return "没有预报减编。"
    if move is Move.CARRY and row.planned_exit is not None:
        return f"{row.slot_no} 已预报减编，须先撤销预报才能划转。"
    return None


@dataclass(frozen=True)
class Work:
    """Something that waits for this person. subject: of the chain, or NOTICE, BLOCK; number: its own, or its slot's."""

    subject: str
    number: str
    unit_code: str
    move: str
    since: date | None


def work_list(session: Session, act: Act, limit: int = 200) -> list[Work]:
    """What this person must do next, the longest waiting first: rows whose next move is allowed to these hands."""
    found: list[Work] = []
    for subject, waits in WAITS.items():
        rows, _ = staff_page(session, act.scope, subject, list(waits), limit=limit)
        for row in rows:
            found += _work(session, act, subject, row, waits[Status(row.status)])
    found += _notices(session, act, limit) + _blocks(session, act, limit)
    return sorted(found, key=lambda work: (work.since or act.today, work.number))[:limit]


def _work(session: Session, act: Act, subject: Subject, row: Row, moves: Sequence[Move]) -> list[Work]:
    if subject is Subject.APPLICATION and row.cost_confirmed_on is not None:
        moves = [move for move in moves if move is not Move.CONFIRM_COST]
    number = row.slot_no if subject is Subject.SLOT else row.number
    roles, hands = roles_at(act, place_of(session, row)), hands_on(session, subject, number)
    since = next(
        (day for name in ("exit_registered", "entry_registered", "reviewed_on", "submitted_on", "asked_on", "issued_on")
         if (day := getattr(row, name, None))), None
    )  # fmt: skip
    may = lambda move: decide_link(move, Status(row.status), roles=roles, actors=act.actors, hands=hands).allowed
    return [Work(subject.value, number, row.unit_code, move.value, since) for move in moves if may(move)]


def _notices(session: Session, act: Act, limit: int) -> list[Work]:
    receivers = [receiver for receiver, role in ROLE_OF.items() if role in act.scope.roles]
    query = select(StaffNotice).where(
        seen(act.scope, StaffNotice), StaffNotice.receiver.in_(receivers), StaffNotice.status == SENT
    )
    rows = session.scalars(query.order_by(StaffNotice.queued_on).limit(limit))
    return [Work("NOTICE", str(row.id), row.unit_code, "ACKNOWLEDGE", row.queued_on) for row in rows]


def _blocks(session: Session, act: Act, limit: int) -> list[Work]:
    if not act.scope.may(Permission.RELEASE_BLOCK):
        return []
    query = select(StaffBlock).where(
        seen(act.scope, StaffBlock), StaffBlock.released_on.is_(None), StaffBlock.registered_on.is_not(None)
    )
    rows = session.scalars(query.order_by(StaffBlock.id).limit(limit))
    return [Work("BLOCK", str(row.id), row.unit_code, "RELEASE", row.registered_on) for row in rows]


@dataclass(frozen=True)
class UnitBoard:
    """The gate of one unit at a glance: counts of what is under way."""

    applications: int
    permits: int
    open_slots: int
    coming_exits: int
    unanswered: int
    blocks: int


def unit_board(session: Session, unit_code: str, today: date, notice_days: int) -> UnitBoard:
    """Counts for a unit's page; unanswered: notices older than so many days."""
    count = lambda table, *where: session.scalar(
        select(func.count()).select_from(table).where(table.unit_code == unit_code, *where)
    )
    old = StaffNotice.queued_on < today - timedelta(days=notice_days)
    return UnitBoard(
        count(StaffApplication, StaffApplication.status.in_(WAITING)),
        count(StaffApplication, StaffApplication.status == Status.GRANTED),
        count(StaffSlot, StaffSlot.status == Status.ISSUED),
        count(StaffSlot, StaffSlot.status.in_(IN_POST), StaffSlot.planned_exit.is_not(None)),
        count(StaffNotice, or_(StaffNotice.status == QUEUED, StaffNotice.status == SENT), old),
        count(StaffBlock, StaffBlock.released_on.is_(None)),
    )
