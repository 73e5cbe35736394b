"""Queries over settled nights: plain functions of a session. `scope` limits them to what a person sees; None = all.

A night's flags are the findings of its run that counts (the newest settled one, else a parked one), each with its
flag's state now; a backfill's finding without a flag has the status UNTRACKED (decision 0001 no. 10).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, case, func, null, or_, select
from sqlalchemy.orm import Session

from core.errors import InputRejected, NotFound
from core.permissions import Scope, is_current
from core.units import UnitVersion
from reconcile.catalog import RESTRICTED, RULES
from reconcile.findings import FlagItem
from reconcile.models import (
    CellFigure,
    FindingRow,
    Flag,
    FlagEvent,
    FlagStatus,
    NightRun,
    NightState,
    NotEvaluable,
    PresenceFigure,
    Verdict,
)
from reconcile.visibility import findings_seen, flags_seen, sees_flag

UNTRACKED = "UNTRACKED"
KEY_HINT = 4
PAGE = 50
CHUNK = 5_000
# (among all findings or among those that are no leads, mask)
Collisions = frozenset[tuple[bool, str | None]]


@dataclass(frozen=True)
class FlagFilter:
    """Which flags: empty = all. `unit_code` and `division_code` are exact; `search` is part of a key, unit code, unit name or mask."""

    rules: Sequence[str] = ()
    severities: Sequence[str] = ()
    statuses: Sequence[str] = ()
    causes: Sequence[str] = ()
    unit_code: str | None = None
    division_code: str | None = None
    search: str | None = None
    new_only: bool = False


SORTS: dict[str, tuple[ColumnElement, ...]] = {
    "severity": (FindingRow.severity, FindingRow.rule, FindingRow.unit_code, FindingRow.key),
    "rule": (FindingRow.rule, FindingRow.severity, FindingRow.unit_code, FindingRow.key),
    "unit": (FindingRow.unit_code, FindingRow.severity, FindingRow.rule, FindingRow.key),
    "age": (Flag.first_seen, FindingRow.severity, FindingRow.key),
    "status": (Flag.status, FindingRow.severity, FindingRow.rule, FindingRow.key),
}


def night_run(session: Session, as_of: date) -> NightRun | None:
    """The run of a night that counts: settled and not superseded; else the newest parked one."""
    return session.scalars(_counting().where(NightRun.as_of == as_of).limit(1)).one_or_none()


def newest_run(session: Session) -> NightRun | None:
    """The newest night's run that counts, parked ones aside."""
    runs = _counting().where(NightRun.state == NightState.SETTLED)
    return session.scalars(runs.order_by(None).order_by(NightRun.as_of.desc()).limit(1)).one_or_none()


def nights(session: Session, limit: int = PAGE, offset: int = 0) -> list[NightRun]:
    """Runs of all nights, newest first, superseded ones too."""
    order = (NightRun.as_of.desc(), NightRun.run_no.desc())
    return list(session.scalars(select(NightRun).order_by(*order).limit(limit).offset(offset)))


def _counting() -> Select:
    settled_first = case((NightRun.state == NightState.SETTLED, 0), else_=1)
    return (
        select(NightRun)
        .where(NightRun.state.in_([NightState.SETTLED, NightState.PARKED]), NightRun.superseded_by.is_(None))
        .order_by(settled_first, NightRun.run_no.desc())
    )


def night_flags(
    session: Session, run: NightRun, scope: Scope | None = None, chosen: FlagFilter | None = None,
    sort: str = "severity", limit: int | None = PAGE, offset: int = 0,
) -> list[FlagItem]:  # fmt: skip
    """Flags with a finding in this run and their state now. Errors: InputRejected for an unknown sort."""
    if sort.removeprefix("-") not in SORTS:
        raise InputRejected(f"不能按 {sort} 排序", sort=sort)
    order = SORTS[sort.removeprefix("-")]
    first = order[0].desc() if sort.startswith("-") else order[0]
    query = _night_flags(run, scope, chosen).order_by(first, *order[1:]).limit(limit).offset(offset)
    rows = session.execute(query).all()
    names = unit_names(session, {row.FindingRow.unit_code for row in rows} - {None})
    collisions = colliding_masks(session, run.id)
    return [_item(row.FindingRow, row.Flag, names, collisions) for row in rows]


def night_flag_count(
    session: Session, run: NightRun, scope: Scope | None = None, chosen: FlagFilter | None = None
) -> int:
    """How many `night_flags` there are in all."""
    query = _night_flags(run, scope, chosen).with_only_columns(func.count(), maintain_column_froms=True)
    return session.scalar(query) or 0


def counts_by_rule(
    session: Session, run: NightRun, scope: Scope | None = None, chosen: FlagFilter | None = None
) -> dict[tuple[str, str], int]:
    """(rule, severity) → number of flags of the night."""
    columns = (FindingRow.rule, FindingRow.severity, func.count())
    query = _night_flags(run, scope, chosen).with_only_columns(*columns, maintain_column_froms=True)
    rows = session.execute(query.group_by(FindingRow.rule, FindingRow.severity)).all()
    return {(rule, severity): count for rule, severity, count in rows}


def _night_flags(run: NightRun, scope: Scope | None, chosen: FlagFilter | None) -> Select:
    query = select(FindingRow, Flag).outerjoin(Flag, Flag.key == FindingRow.key).where(FindingRow.run_id == run.id)
    if scope is not None:
        query = query.where(findings_seen(scope))
    return query.where(*_conditions(chosen, run)) if chosen else query


def _conditions(chosen: FlagFilter, run: NightRun) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    lists = (
        (FindingRow.rule, chosen.rules),
        (FindingRow.severity, chosen.severities),
        (FindingRow.cause, chosen.causes),
    )
    found += [column.in_(list(values)) for column, values in lists if values]
    if chosen.statuses:
        tracked = Flag.status.in_([status for status in chosen.statuses if status != UNTRACKED])
        found.append(or_(tracked, Flag.key.is_(None)) if UNTRACKED in chosen.statuses else tracked)
    if chosen.unit_code is not None:
        found.append(FindingRow.unit_code == chosen.unit_code)
    if chosen.division_code is not None:
        found.append(FindingRow.division_code == chosen.division_code)
    if chosen.new_only:
        found.append(Flag.first_seen == run.as_of)
    if chosen.search:
        columns = (FindingRow.key, FindingRow.unit_code, FindingRow.person_mask)
        named = select(UnitVersion.unit_code).where(
            is_current(), UnitVersion.unit_name.contains(chosen.search, autoescape=True)
        )
        hits = (column.contains(chosen.search, autoescape=True) for column in columns)
        found.append(or_(*hits, FindingRow.unit_code.in_(named)))
    return found


def _item(finding: FindingRow, flag: Flag | None, names: dict[str, str], collisions: Collisions) -> FlagItem:
    rule = RULES.get(finding.rule)
    countable = rule.countable if rule else (False, False)
    return FlagItem(
        key=finding.key, rule=finding.rule, severity=finding.severity, status=flag.status if flag else UNTRACKED,
        unit_code=finding.unit_code, unit_name=names.get(finding.unit_code or ""),
        division_code=finding.division_code, post_type=finding.post_type, fund_form=finding.fund_form,
        person=shown_person(finding, collisions), expected=as_number(finding.expected, countable[0]),
        found=as_number(finding.found, countable[1]), cause=finding.cause, explained_by=finding.explained_by,
        first_seen=flag.first_seen if flag else None, last_seen=flag.last_seen if flag else None,
        grain=json.loads(finding.grain), evidence=finding.evidence, version=flag.version if flag else None,
    )  # fmt: skip


def as_number(text: str | None, countable: bool) -> int | str | None:
    """A countable text as a number; anything else as it is."""
    if countable and text is not None and text.lstrip("-").isdecimal() and text.isascii():
        return int(text)
    return text


def shown_person(finding: FindingRow, collisions: Collisions) -> str | None:
    """The masked id; where two people of the night share a mask, the first characters of person_key follow."""
    if (finding.rule in RESTRICTED, finding.person_mask) in collisions and finding.person_key:
        return f"{finding.person_mask}({finding.person_key[:KEY_HINT]})"
    return finding.person_mask


def shown_people(session: Session, flags: Sequence[Flag]) -> dict[str, str | None]:
    """Flag key → the masked id as `shown_person` gives it for the night that saw the flag last."""
    found: dict[str, str | None] = {flag.key: flag.person_mask for flag in flags}
    masked = sorted(flag.key for flag in flags if flag.person_mask is not None)
    collisions: dict[int, Collisions] = {}
    for start in range(0, len(masked), CHUNK):
        query = (
            select(FindingRow)
            .join(Flag, (Flag.key == FindingRow.key) & (Flag.last_run_id == FindingRow.run_id))
            .where(Flag.key.in_(masked[start : start + CHUNK]))
        )
        for finding in session.scalars(query):
            if finding.run_id not in collisions:
                collisions[finding.run_id] = colliding_masks(session, finding.run_id)
            found[finding.key] = shown_person(finding, collisions[finding.run_id])
    return found


def colliding_masks(session: Session, run_id: int) -> Collisions:
    """Masks that stand for more than one person among the run's findings, leads counted or not: who does not see a lead
    must not learn from another person's mask that there is one."""
    people = FindingRow.person_key.distinct()
    told = func.count(case((FindingRow.rule.not_in(RESTRICTED), FindingRow.person_key)).distinct())
    query = (
        select(FindingRow.person_mask, told > 1)
        .where(FindingRow.run_id == run_id, FindingRow.person_mask.is_not(None))
        .group_by(FindingRow.person_mask)
        .having(func.count(people) > 1)
    )
    found = session.execute(query).all()
    return frozenset({(True, mask) for mask, _ in found} | {(False, mask) for mask, without in found if without})


def flag_of(session: Session, key: str, scope: Scope | None = None) -> Flag:
    """One flag. Errors: NotFound when unknown or outside the scope, alike."""
    flag = session.get(Flag, key)
    if flag is None or (scope is not None and not sees_flag(session, scope, flag)):
        raise NotFound("没有这条不符项，或者不在您的管辖范围内。")
    return flag


def flags_seen_of(session: Session, keys: Sequence[str], scope: Scope) -> list[Flag]:
    """Of some flags those a person sees, by rule."""
    query = select(Flag).where(Flag.key.in_(keys), flags_seen(scope))
    return list(session.scalars(query.order_by(Flag.rule, Flag.key)))


def last_finding(session: Session, flag: Flag) -> FindingRow | None:
    """What the rule saw the last time: evidence, explanation, grain."""
    query = select(FindingRow).where(FindingRow.run_id == flag.last_run_id, FindingRow.key == flag.key)
    return session.scalars(query).one_or_none()


def flag_history(session: Session, key: str) -> list[FlagEvent]:
    """Every step of a flag's life, oldest first."""
    events = select(FlagEvent).join(Flag, Flag.id == FlagEvent.flag_id).where(Flag.key == key)
    return list(session.scalars(events.order_by(FlagEvent.id)))


def live_flag_count(session: Session, scope: Scope | None = None) -> int:
    """Flags that are not closed, seen tonight or not."""
    query = select(func.count()).select_from(Flag).where(Flag.status != FlagStatus.CLOSED)
    if scope is not None:
        query = query.where(flags_seen(scope))
    return session.scalar(query) or 0


def verdicts(session: Session, run_id: int, scope: Scope | None = None) -> list[Verdict]:
    """What the gate said of every book, by division and book."""
    query = select(Verdict).where(Verdict.run_id == run_id).order_by(Verdict.division_code, Verdict.book)
    if scope is not None:
        query = query.where(scope.condition(null(), Verdict.division_code))
    return list(session.scalars(query))


def not_evaluable(session: Session, run_id: int, scope: Scope | None = None) -> list[NotEvaluable]:
    """What could not be judged. A whole division's rows are seen by those who see it, or a unit it speaks for; what tells of
    a lead (reconcile.catalog.tells_of_lead) by the two named reviewers."""
    query = select(NotEvaluable).where(NotEvaluable.run_id == run_id)
    if scope is not None and not scope.leads:
        plain = NotEvaluable.rule.not_in(RESTRICTED) | (NotEvaluable.book != "leads")
        query = query.where(plain | (NotEvaluable.unit_code == "*"))
    if scope is not None:
        unit = func.nullif(NotEvaluable.unit_code, "*")
        speaks = select(UnitVersion.delivered_by).where(
            is_current(), scope.condition(UnitVersion.unit_code, UnitVersion.division_code)
        )
        whole = (NotEvaluable.unit_code == "*") & NotEvaluable.division_code.in_(speaks)
        query = query.where(or_(scope.condition(unit, NotEvaluable.division_code), whole))
    order = (NotEvaluable.rule, NotEvaluable.division_code, NotEvaluable.unit_code, NotEvaluable.book)
    return list(session.scalars(query.order_by(*order)))


def cells(
    session: Session, run_id: int, scope: Scope | None = None, unit_code: str | None = None, totals_only: bool = False
) -> list[CellFigure]:
    """The three numbers per cell; post_type and fund_form '' = the unit's total."""
    query = select(CellFigure).where(CellFigure.run_id == run_id)
    if scope is not None:
        query = query.where(scope.condition(CellFigure.unit_code, CellFigure.division_code))
    if unit_code is not None:
        query = query.where(CellFigure.unit_code == unit_code)
    if totals_only:
        query = query.where(CellFigure.post_type == "")
    order = (CellFigure.unit_code, CellFigure.post_type, CellFigure.fund_form)
    return list(session.scalars(query.order_by(*order)))


def presence(session: Session, run_id: int, unit_code: str | None = None) -> list[PresenceFigure]:
    """People per unit and presence class."""
    query = select(PresenceFigure).where(PresenceFigure.run_id == run_id)
    if unit_code is not None:
        query = query.where(PresenceFigure.unit_code == unit_code)
    return list(session.scalars(query.order_by(PresenceFigure.unit_code, PresenceFigure.bits.desc())))


def units(session: Session, scope: Scope | None = None) -> list[UnitVersion]:
    """The register's current version of every unit seen, by code."""
    query = select(UnitVersion).where(is_current()).order_by(UnitVersion.unit_code)
    if scope is not None:
        query = query.where(scope.condition(UnitVersion.unit_code, UnitVersion.division_code))
    return list(session.scalars(query))


def unit_of(session: Session, unit_code: str, scope: Scope | None = None) -> UnitVersion:
    """The register's current version of one unit. Errors: NotFound when unknown or unseen, alike."""
    unit = session.scalars(select(UnitVersion).where(is_current(), UnitVersion.unit_code == unit_code)).one_or_none()
    if unit is None or (scope is not None and not scope.sees_unit(unit_code)):
        raise NotFound("没有这个单位，或者不在您的管辖范围内。")
    return unit


def unit_names(session: Session, codes: set[str]) -> dict[str, str]:
    """Unit code → name, for the codes the register knows."""
    found: dict[str, str] = {}
    ordered = sorted(codes)
    for start in range(0, len(ordered), 5_000):
        part = ordered[start : start + 5_000]
        query = select(UnitVersion.unit_code, UnitVersion.unit_name).where(
            is_current(), UnitVersion.unit_code.in_(part)
        )
        found |= dict(session.execute(query).all())
    return found
