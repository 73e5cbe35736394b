"""Reform tasks, read: those of a scope, what each is to change and what was booked by the documents linked to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import String, cast, null, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.permissions import Scope
from pool.acting import NOT_HERE, REVERSED
from pool.ledger import Kind
from pool.models import PoolMovement
from staffing.determination_store import Version, determinations_of
from staffing.duty_models import ReformEffect, ReformLink, ReformPlan, ReformStep, ReformTask
from staffing.reform_life import Effect

NOTHING = cast(null(), String)
BOOKED = (Kind.GRANT, Kind.CUT, Kind.TRANSFER)


def tasks_seen(session: Session, scope: Scope) -> list[ReformTask]:
    """Tasks of units in the scope, by deadline."""
    query = select(ReformTask).where(scope.condition(ReformTask.unit_code, NOTHING))
    return list(session.scalars(query.order_by(ReformTask.deadline, ReformTask.number)))


def seen_task(session: Session, scope: Scope, number: str) -> ReformTask:
    """A task within the scope. Errors: NotFound, the same for unknown and unseen."""
    query = select(ReformTask).where(ReformTask.number == number, scope.condition(ReformTask.unit_code, NOTHING))
    row = session.scalar(query)
    if row is None:
        raise NotFound(NOT_HERE)
    return row


def plans_of(session: Session, rows: Iterable[ReformTask]) -> dict[str, ReformPlan]:
    """The plans of tasks, by number."""
    wanted = sorted({row.plan_no for row in rows})
    return {plan.number: plan for plan in session.scalars(select(ReformPlan).where(ReformPlan.number.in_(wanted)))}


def steps_of(session: Session, number: str) -> list[ReformStep]:
    """Steps of a task, in order."""
    return list(session.scalars(select(ReformStep).where(ReformStep.task_no == number).order_by(ReformStep.id)))


def links_of(session: Session, numbers: Iterable[str]) -> dict[str, list[str]]:
    """Documents linked, per task."""
    found: dict[str, list[str]] = defaultdict(list)
    query = select(ReformLink).where(ReformLink.task_no.in_(sorted(numbers))).order_by(ReformLink.doc_no)
    for row in session.scalars(query):
        found[row.task_no].append(row.doc_no)
    return found


def effects_of(session: Session, rows: Sequence[ReformTask]) -> dict[str, tuple[Effect, Effect]]:
    """Per task what was planned and what is booked: movements of its unit by its documents, those undone left out."""
    numbers = [row.number for row in rows]
    planned: dict[str, dict] = defaultdict(dict)
    for one in session.scalars(select(ReformEffect).where(ReformEffect.task_no.in_(numbers))):
        planned[one.task_no][one.post_type, one.fund_form] = one.posts
    links = links_of(session, numbers)
    moved = _movements(session, {number for held in links.values() for number in held})
    versions = determinations_of(session, {row.unit_code for row in rows if links.get(row.number)})
    return {
        row.number: (
            Effect(planned[row.number], row.leader_posts),
            Effect(
                _booked(row.unit_code, moved, links.get(row.number, [])),
                _leaders(versions.get(row.unit_code, []), links.get(row.number, [])),
            ),
        )
        for row in rows
    }


def _movements(session: Session, documents: set[str]) -> list[PoolMovement]:
    query = select(PoolMovement).where(
        PoolMovement.document_no.in_(sorted(documents)),
        PoolMovement.kind.in_(BOOKED),
        PoolMovement.seq.not_in(REVERSED),
    )
    return list(session.scalars(query.order_by(PoolMovement.seq)))


def _booked(unit_code: str, moved: Iterable[PoolMovement], documents: Sequence[str]) -> dict[tuple[str, str], int]:
    holder = f"U:{unit_code}"
    found: dict[tuple[str, str], int] = defaultdict(int)
    for row in moved:
        if row.document_no in documents:
            sign = (row.to_holder == holder) - (row.from_holder == holder)
            found[row.post_type, row.fund_form] += sign * row.posts
    return {cell: posts for cell, posts in found.items() if posts}


def _leaders(versions: Sequence[Version], documents: Sequence[str]) -> int | None:
    """What versions by these documents changed, each against the one before; None where a number is unknown,
    as it is before the first version."""
    total = 0
    for place, version in enumerate(versions):
        if version.row.doc_no not in documents:
            continue
        before = versions[place + 1].leaders if place + 1 < len(versions) else None
        if before is None or version.leaders is None:
            return None
        total += version.leaders - before
    return total
