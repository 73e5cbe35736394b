"""The facts an application is decided on, gathered; the decision itself is pure (staffing.principles)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.errors import NotFound, Refused
from core.types import UnitKind
from pool.acting import Act
from pool.ledger import Cell
from pool.models import PoolNode
from pool.store import Figures, overdue_count
from staffing.chain import IN_POST, WAITING, Status
from staffing.flow import Waiver, Way
from staffing.models import (
    StaffApplication,
    StaffConsultation,
    StaffPlan,
    StaffPlanLine,
    StaffSlot,
    StaffWaiver,
)  # fmt: skip
from staffing.principles import Answer, Decision, Facts, Terms, decide_use
from staffing.store import (
    figures_of,
    gate_parameters,
    live_kind_count,
    spelled,
    staff_slot,
    unit_facts,
    unit_quota,
)  # fmt: skip

HOLDS_EXIT = (*WAITING, Status.GRANTED, Status.EXECUTED)


def terms_of(session: Session, node: PoolNode, on: date) -> Terms:
    """What the parameters allow this unit. A unit whose kind the register does not know may use every type."""
    values = gate_parameters(session, on, node.division_code)
    kind = unit_facts(session, node).kind
    if kind is None:
        return Terms(tuple(sorted({post for types in values["allowed_post_types"].values() for post in types})))
    kind = UnitKind(kind)
    return Terms(tuple(values["allowed_post_types"].get(kind, ())), values["work_shares"].get(kind, {}))


def facts_of(session: Session, node: PoolNode, row: StaffApplication, on: date) -> Facts:
    """What the principles look at on a day, this application aside."""
    cell = Cell(node.id, row.post_type, row.fund_form)
    figures = figures_of(session, cell, on)
    bound, fault = _bound(session, row)
    consultation = _consultation(session, row)
    return Facts(
        row.post_type, row.fund_form, row.posts, row.entry_form, on.year, quota=figures.quota,
        in_post=figures.in_post, open_permits=figures.open_permits, room=room_of(figures),
        overdue=overdue_count(session, node.unit_code, on), bound=bound, bound_fault=fault, work_kind=row.work_kind,
        kind_now=live_kind_count(session, node, row.work_kind), kind_base=unit_quota(session, node, on),
        plan=planned(session, cell, on.year), plan_used=plan_used(session, cell, on.year),
        outside_plan=row.outside_document is not None, leader_tier=row.leader_tier,
        consulted=consultation.posts if consultation else None,
        consulted_used=_consulted_used(session, row) if consultation else 0,
        leader_posts=consultation.leader_posts if consultation else None,
        leaders=consultation.leaders if consultation else None,
        way=way_of(session, row, node, on),
    )  # fmt: skip


def room_of(figures: Figures) -> int:
    """Own posts a permit may take: usable by everybody's figures, and vacant by the ledger."""
    return min(figures.usable, figures.vacant)


def figures_now(session: Session, facts: Facts, row: StaffApplication, on: date) -> dict:
    """The figures of this moment, as the 编制使用审批表 shows them."""
    figures = spelled(figures_of(session, Cell(row.node_id, row.post_type, row.fund_form), on))
    return figures | {
        "on": on.isoformat(), "plan": facts.plan, "plan_used": facts.plan_used, "consulted": facts.consulted,
        "work_kind_now": facts.kind_now, "unit_quota": facts.kind_base,
    }  # fmt: skip


def decide_now(session: Session, node: PoolNode, row: StaffApplication, on: date) -> tuple[Decision, Facts]:
    """The principles' answer for an application on a day, with its facts: what pages show and use-cases ask."""
    facts = facts_of(session, node, row, on)
    return decide_use(facts, terms_of(session, node, on)), facts


def check_use(session: Session, act: Act, node: PoolNode, row: StaffApplication) -> Facts:
    """`decide_now`, raising its sentence. Errors: Refused with principle, answer, figures, remedy and how many."""
    decision, facts = decide_now(session, node, row, act.today)
    if not decision.allowed:
        figures = {name: value for name, value in decision.values.items() if value is not None}
        raise Refused(
            decision.sentence, answer=decision.answer.value, principle=decision.principle, figures=figures,
            remedy=decision.remedy.value, need=decision.need,
        )  # fmt: skip
    return facts


def way_of(session: Session, row: StaffApplication, node: PoolNode, on: date, **changes: str | None) -> Way:
    """How somebody comes into a unit; changes: what is known better at entry."""
    given = {
        "entry_form": row.entry_form, "from_level": row.from_level, "from_form": row.from_fund_form,
        "waiver_no": row.waiver_no,
    }  # fmt: skip
    given |= {name: value for name, value in changes.items() if value is not None}
    waiver = waiver_of(session, given.pop("waiver_no"))
    return Way(
        given["entry_form"], node.unit_code, node.level, row.fund_form, on, given["from_level"], given["from_form"],
        waiver,
    )  # fmt: skip


def waiver_of(session: Session, number: str | None) -> Waiver | None:
    """A waiver by its number. Errors: Refused for a number nobody granted."""
    if number is None:
        return None
    row = session.get(StaffWaiver, number)
    if row is None:
        raise Refused(f"没有文号为 {number} 的豁免。", answer="NO_WAIVER")
    return Waiver(row.number, row.unit_code, row.valid_from, row.valid_until)


def _bound(session: Session, row: StaffApplication) -> tuple[int, Answer | None]:
    """Whether the named exit may be counted: 1 while it is to come, 0 once it made room in the ledger; and its fault."""
    if row.bound_slot is None:
        return 0, None
    try:
        slot = staff_slot(session, row.bound_slot)
    except NotFound:
        return 0, Answer.EXIT_OF_ANOTHER
    here = (slot.node_id, slot.post_type, slot.fund_form) == (row.node_id, row.post_type, row.fund_form)
    leaves = slot.status in IN_POST and slot.planned_exit is not None
    if not here or not (leaves or slot.status == Status.LEFT):
        return 0, Answer.EXIT_OF_ANOTHER
    others = select(StaffApplication.number).where(
        StaffApplication.bound_slot == row.bound_slot, StaffApplication.number != row.number,
        StaffApplication.status.in_(HOLDS_EXIT),
    )  # fmt: skip
    if session.scalar(others.limit(1)) is not None:
        return 0, Answer.EXIT_TAKEN
    return int(leaves), None


def planned(session: Session, cell: Cell, year: int) -> int | None:
    """Posts the commission passed for a cell and year, over all its plans; None = no plan has passed."""
    return session.scalar(
        select(func.sum(StaffPlanLine.passed))
        .join(StaffPlan, StaffPlan.number == StaffPlanLine.plan_no)
        .where(
            StaffPlan.node_id == cell.holder, StaffPlan.year == year, StaffPlan.status == Status.PASSED,
            StaffPlanLine.post_type == cell.post_type, StaffPlanLine.fund_form == cell.fund_form,
        )
    )  # fmt: skip


def plan_used(session: Session, cell: Cell, year: int) -> int:
    """Posts of a plan that permits have taken: issued, or entered whatever came after. Outside the plan counts not."""
    return _taken(
        session, StaffApplication.node_id == cell.holder, StaffApplication.post_type == cell.post_type,
        StaffApplication.fund_form == cell.fund_form, StaffApplication.year == year,
        StaffApplication.outside_document.is_(None),
    )  # fmt: skip


def _taken(session: Session, *where) -> int:
    return session.scalar(
        select(func.count())
        .select_from(StaffSlot)
        .join(StaffApplication, StaffApplication.number == StaffSlot.application_no)
        .where(
            StaffSlot.source == "PERMIT", or_(StaffSlot.status == Status.ISSUED, StaffSlot.person_key.is_not(None)),
            *where,
        )
    )  # fmt: skip


def _consultation(session: Session, row: StaffApplication) -> StaffConsultation | None:
    """The consultation an application names, if it agreed to this cell, way and tier."""
    if row.consultation_no is None:
        return None
    held = session.get(StaffConsultation, row.consultation_no, populate_existing=True)
    same = held is not None and (
        held.node_id, held.post_type, held.fund_form, held.entry_form, held.leader_tier, held.status
    ) == (row.node_id, row.post_type, row.fund_form, row.entry_form, row.leader_tier, Status.AGREED)  # fmt: skip
    return held if same else None


def _consulted_used(session: Session, row: StaffApplication) -> int:
    """Posts of the consultation that other applications wait for or permits have taken."""
    waiting = session.scalar(
        select(func.coalesce(func.sum(StaffApplication.posts), 0)).where(
            StaffApplication.consultation_no == row.consultation_no, StaffApplication.number != row.number,
            StaffApplication.status.in_(WAITING),
        )
    )  # fmt: skip
    taken = _taken(
        session, StaffApplication.consultation_no == row.consultation_no, StaffApplication.number != row.number
    )
    return int(waiting) + taken
