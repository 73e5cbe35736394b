"""Who sees a flag: the scope that reaches its unit, or a unit it concerns; leads on people only the two named for them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, func, insert, not_, null, or_, select
from sqlalchemy.orm import Session

from core.accounts import User
from core.parameters import parameter_value
from core.permissions import Scope, scope_of
from reconcile.catalog import RESTRICTED
from reconcile.concern import COMPARING, units_concerned
from reconcile.models import Concern, FindingRow, Flag, FlagStatus, NightRun

CHUNK = 5_000


def findings_seen(scope: Scope) -> ColumnElement[bool]:
    """SQL over FindingRow."""
    concerned = select(Concern.finding_id).where(scope.condition(Concern.unit_code, null()))
    near = or_(scope.condition(FindingRow.unit_code, FindingRow.division_code), FindingRow.id.in_(concerned))
    return and_(near, _leads(scope, FindingRow.rule))


def flags_seen(scope: Scope) -> ColumnElement[bool]:
    """SQL over Flag, by what its rule saw the last time."""
    concerned = other_units().where(scope.condition(Concern.unit_code, null()))
    near = or_(scope.condition(Flag.unit_code, Flag.division_code), concerned.exists())
    return and_(near, _leads(scope, Flag.rule))


def sees_flag(session: Session, scope: Scope, flag: Flag) -> bool:
    """The same answer for one flag."""
    if flag.rule in RESTRICTED and not scope.leads:
        return False
    if scope.sees(flag.unit_code, flag.division_code):
        return True
    concerned = (
        select(Concern.unit_code)
        .join(FindingRow, FindingRow.id == Concern.finding_id)
        .where(FindingRow.run_id == flag.last_run_id, FindingRow.key == flag.key)
    )
    return any(scope.sees_unit(unit) for unit in session.scalars(concerned))


def leads_seen_by_nobody(session: Session, today: date) -> int:
    """Live flags of restricted rules that lie beyond the reach of the reviewers named for them today."""
    named = session.scalars(select(User).where(User.login.in_(parameter_value(session, "lead_reviewers", today))))
    scopes = [scope for user in named if (scope := scope_of(session, user, today)).leads]
    unseen = (not_(flags_seen(scope)) for scope in scopes)
    leads = select(func.count()).select_from(Flag).where(Flag.status != FlagStatus.CLOSED, Flag.rule.in_(RESTRICTED))
    return session.scalar(leads.where(*unseen)) or 0


def other_units() -> Select:
    """The other units concerned by the last finding of a flag: a query to stand inside one over Flag."""
    return (
        select(Concern.unit_code)
        .join(FindingRow, FindingRow.id == Concern.finding_id)
        .where(FindingRow.run_id == Flag.last_run_id, FindingRow.key == Flag.key)
    )


def flags_with_other_units(session: Session, *chosen: ColumnElement[bool]) -> list[tuple[Flag, frozenset[str]]]:
    """The chosen flags that concern more units than their own, each with those units."""
    found: dict[Flag, set[str]] = defaultdict(set)
    query = select(Flag, Concern.unit_code).join(
        FindingRow, and_(FindingRow.run_id == Flag.last_run_id, FindingRow.key == Flag.key)
    )
    for flag, unit in session.execute(query.join(Concern, Concern.finding_id == FindingRow.id).where(*chosen)):
        found[flag].add(unit)
    return [(flag, frozenset(units)) for flag, units in found.items()]


def note_concerns(session: Session, run: NightRun) -> None:
    """Keep whom the findings of a run concern besides their own units."""
    found = select(FindingRow.id, FindingRow.rule, FindingRow.unit_code, FindingRow.evidence).where(
        FindingRow.run_id == run.id, FindingRow.rule.in_(sorted(COMPARING)), FindingRow.evidence.is_not(None)
    )
    rows = [
        {"finding_id": row.id, "unit_code": unit}
        for row in session.execute(found)
        for unit in sorted(units_concerned(row.rule, row.unit_code, row.evidence, run.as_of))
    ]
    for start in range(0, len(rows), CHUNK):
        session.execute(insert(Concern.__table__), rows[start : start + CHUNK])


def _leads(scope: Scope, rule: ColumnElement[str]) -> ColumnElement[bool]:
    return null().is_(None) if scope.leads else rule.not_in(RESTRICTED)
