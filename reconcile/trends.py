"""How things went over the nights that count: findings per rule, the three numbers per level and unit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, func, insert, literal, select
from sqlalchemy.orm import Session

from core.errors import InputRejected
from core.permissions import Scope, is_current
from core.units import UnitVersion
from reconcile.catalog import RESTRICTED
from reconcile.models import CellFigure, FindingCount, FindingRow, NightRun, NightState

NIGHTS = 60
# A range of days may hold more nights than a page can draw; the newest of them are shown.
MOST_NIGHTS = 400


@dataclass(frozen=True)
class LevelPoint:
    """The three numbers of a level in one night: known figures of its units added up, parts of a total left out.

    None: no unit of the level has the figure. `unknown`: units lacking one of the three. `findings`: about its units.
    """

    as_of: date
    level: str | None
    units: int
    quota: int | None
    in_post: int | None
    paid: int | None
    unknown: int
    findings: int


@dataclass(frozen=True)
class UnitPoint:
    """A unit's totals in one night, and its findings per rule, leads aside."""

    run: NightRun
    quota: int | None
    in_post: int | None
    paid: int | None
    by_rule: dict[str, int]

    @property
    def findings(self) -> int:
        return sum(self.by_rule.values())


def counting_runs(session: Session, since: date | None = None, until: date | None = None) -> list[NightRun]:
    """The settled runs that nothing has superseded, oldest first: the newest sixty, or the newest MOST_NIGHTS since a day.

    Errors: InputRejected when the range ends before it begins.
    """
    if since and until and until < since:
        raise InputRejected("止日早于起日，请改后重试", since=since, until=until)
    query = select(NightRun).where(NightRun.state == NightState.SETTLED, NightRun.superseded_by.is_(None))
    if since is not None:
        query = query.where(NightRun.as_of >= since)
    if until is not None:
        query = query.where(NightRun.as_of <= until)
    limit = NIGHTS if since is None else MOST_NIGHTS
    return list(session.scalars(query.order_by(NightRun.as_of.desc()).limit(limit)))[::-1]


def count_findings(session: Session, run_id: int) -> None:
    """Write the counts of a run from its findings; they stay when the findings are pruned."""
    columns = (FindingRow.rule, FindingRow.severity, FindingRow.division_code, FindingRow.unit_code)
    counted = select(literal(run_id), *columns, func.count()).where(FindingRow.run_id == run_id).group_by(*columns)
    names = ["run_id", "rule", "severity", "division_code", "unit_code", "findings"]
    session.execute(insert(FindingCount).from_select(names, counted))


def finding_trend(
    session: Session, runs: Sequence[NightRun], scope: Scope | None = None
) -> dict[int, dict[tuple[str, str], int]]:
    """Run id → (rule, severity) → findings, within the scope. Every run has an entry. Restricted leads are in no trend."""
    found: dict[int, dict[tuple[str, str], int]] = {run.id: {} for run in runs}
    columns = (FindingCount.run_id, FindingCount.rule, FindingCount.severity)
    query = (
        select(*columns, func.sum(FindingCount.findings))
        .where(FindingCount.run_id.in_(list(found)), FindingCount.rule.not_in(RESTRICTED))
        .group_by(*columns)
    )
    if scope is not None:
        query = query.where(scope.condition(FindingCount.unit_code, FindingCount.division_code))
    for run_id, rule, severity, findings in session.execute(query):
        found[run_id][rule, severity] = int(findings)
    return found


def level_trend(session: Session, runs: Sequence[NightRun], scope: Scope | None = None) -> list[LevelPoint]:
    """A point per night and level, by date; levels as the register has them today."""
    days = {run.id: run.as_of for run in runs}
    held = select(UnitVersion.unit_code, UnitVersion.level).where(is_current()).subquery()
    figures = (CellFigure.quota, CellFigure.in_post, CellFigure.paid)
    whole = and_(*(figure.is_not(None) for figure in figures))
    query = (
        select(
            CellFigure.run_id,
            held.c.level,
            func.count(),
            *(func.sum(figure) for figure in figures),
            func.count().filter(whole),
        )
        .outerjoin(held, held.c.unit_code == CellFigure.unit_code)
        .where(CellFigure.run_id.in_(list(days)), CellFigure.post_type == "", CellFigure.part_of.is_(None))
        .group_by(CellFigure.run_id, held.c.level)
    )
    if scope is not None:
        query = query.where(scope.condition(CellFigure.unit_code, CellFigure.division_code))
    number = lambda value: None if value is None else int(value)
    findings = _level_findings(session, list(days), scope)
    points = [
        LevelPoint(
            days[run_id], level, units, number(quota), number(in_post), number(paid), units - known,
            findings[run_id, level],
        )
        for run_id, level, units, quota, in_post, paid, known in session.execute(query)
    ]  # fmt: skip
    return sorted(points, key=lambda point: (point.as_of, point.level or ""))


def _level_findings(session: Session, run_ids: list[int], scope: Scope | None) -> dict[tuple[int, str | None], int]:
    """(run, level) → findings about units of that level."""
    held = select(UnitVersion.unit_code, UnitVersion.level).where(is_current()).subquery()
    query = (
        select(FindingCount.run_id, held.c.level, func.sum(FindingCount.findings))
        .outerjoin(held, held.c.unit_code == FindingCount.unit_code)
        .where(
            FindingCount.run_id.in_(run_ids),
            FindingCount.rule.not_in(RESTRICTED),
            FindingCount.unit_code.is_not(None),
        )
        .group_by(FindingCount.run_id, held.c.level)
    )
    if scope is not None:
        query = query.where(scope.condition(FindingCount.unit_code, FindingCount.division_code))
    found: dict[tuple[int, str | None], int] = defaultdict(int)
    for run_id, level, count in session.execute(query):
        found[run_id, level] = int(count)
    return found


def unit_trend(session: Session, runs: Sequence[NightRun], unit_code: str) -> list[UnitPoint]:
    """The nights in which the unit has figures, in the order of `runs`."""
    ids = [run.id for run in runs]
    columns = (FindingCount.run_id, FindingCount.rule)
    query = select(*columns, func.sum(FindingCount.findings)).where(
        FindingCount.run_id.in_(ids), FindingCount.unit_code == unit_code, FindingCount.rule.not_in(RESTRICTED)
    )
    findings: dict[int, dict[str, int]] = defaultdict(dict)
    for run_id, rule, count in session.execute(query.group_by(*columns).order_by(FindingCount.rule)):
        findings[run_id][rule] = int(count)
    totals = {
        figure.run_id: figure
        for figure in session.scalars(
            select(CellFigure).where(
                CellFigure.run_id.in_(ids), CellFigure.unit_code == unit_code, CellFigure.post_type == ""
            )
        )
    }
    return [
        UnitPoint(run, totals[run.id].quota, totals[run.id].in_post, totals[run.id].paid, findings[run.id])
        for run in runs
        if run.id in totals
    ]
