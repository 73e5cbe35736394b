"""What of the gate hangs on a document: plans the commission passed by it, the permits under them or by it alone, and
reorganisations, as far as a scope sees them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.permissions import Scope
from pool.lists import seen_nodes
from pool.models import PoolReorganisation
from staffing.lists import seen
from staffing.models import StaffApplication, StaffPlan


@dataclass(frozen=True)
class GateHanging:
    """Rows that rest on the document, each in the order of its number."""

    plans: list[StaffPlan]
    permits: list[StaffApplication]
    reorganisations: list[PoolReorganisation]


def hanging_at_the_gate(session: Session, scope: Scope, doc_no: str) -> GateHanging:
    """A permit rests on the plan of its unit and year, or on the document that placed somebody outside the plan."""
    plans = session.scalars(
        select(StaffPlan).where(StaffPlan.document_no == doc_no, seen(scope, StaffPlan)).order_by(StaffPlan.number)
    ).all()
    years = {(plan.unit_code, plan.year) for plan in plans}
    granted = session.scalars(
        select(StaffApplication)
        .where(
            StaffApplication.permit_no.is_not(None), seen(scope, StaffApplication),
            or_(
                StaffApplication.outside_document == doc_no,
                StaffApplication.unit_code.in_(sorted({unit for unit, _ in years})),
            ),
        )
        .order_by(StaffApplication.number)
    )  # fmt: skip
    permits = [
        row for row in granted
        if row.outside_document == doc_no
        or (row.outside_document is None and (row.unit_code, row.granted_on.year) in years)
    ]  # fmt: skip
    reorganisations = session.scalars(
        select(PoolReorganisation)
        .where(PoolReorganisation.document_no == doc_no, PoolReorganisation.node_id.in_(seen_nodes(scope)))
        .order_by(PoolReorganisation.id)
    ).all()
    return GateHanging(list(plans), permits, list(reorganisations))
