"""Flags the newest night did not see: still live because nothing proved them gone, or closed. The night's own list
cannot hold them, and a list that hid them would call missing data good news."""

from __future__ import annotations

import json

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from core.permissions import Scope, is_current
from core.units import UnitVersion
from reconcile.catalog import RULES
from reconcile.models import FindingRow, Flag, FlagStatus, NightRun
from reconcile.store import FlagFilter, FlagItem, as_number, shown_people, unit_names
from reconcile.visibility import flags_seen


def unseen_flags(
    db: Session, run: NightRun, scope: Scope, chosen: FlagFilter, closed: bool, limit: int | None, offset: int = 0
) -> list[FlagItem]:
    """Flags without a finding in this run, live or closed, most severe first, then oldest."""
    query = _query(run, scope, chosen, closed).order_by(Flag.severity, Flag.first_seen, Flag.key)
    found = db.scalars(query.limit(limit).offset(offset)).all()
    names = unit_names(db, {flag.unit_code for flag in found} - {None})
    people = shown_people(db, found)
    return [_item(flag, names, people[flag.key]) for flag in found]


def unseen_count(db: Session, run: NightRun, scope: Scope, chosen: FlagFilter, closed: bool) -> int:
    """How many `unseen_flags` there are in all."""
    query = _query(run, scope, chosen, closed).with_only_columns(func.count(), maintain_column_froms=True)
    return db.scalar(query) or 0


def _query(run: NightRun, scope: Scope, chosen: FlagFilter, closed: bool) -> Select:
    seen = exists().where(FindingRow.run_id == run.id, FindingRow.key == Flag.key)
    query = select(Flag).where(~seen, flags_seen(scope))
    query = query.where((Flag.status == FlagStatus.CLOSED) if closed else (Flag.status != FlagStatus.CLOSED))
    for column, values in (
        (Flag.rule, chosen.rules),
        (Flag.severity, chosen.severities),
        (Flag.status, chosen.statuses),
    ):
        if values:
            query = query.where(column.in_(list(values)))
    if chosen.unit_code is not None:
        query = query.where(Flag.unit_code == chosen.unit_code)
    if chosen.division_code is not None:
        query = query.where(Flag.division_code == chosen.division_code)
    if chosen.search:
        columns = (Flag.key, Flag.unit_code, Flag.person_mask)
        named = select(UnitVersion.unit_code).where(
            is_current(), UnitVersion.unit_name.contains(chosen.search, autoescape=True)
        )
        hits = [column.contains(chosen.search, autoescape=True) for column in columns]
        query = query.where(or_(*hits, Flag.unit_code.in_(named)))
    return query


def _item(flag: Flag, names: dict[str, str], person: str | None) -> FlagItem:
    rule = RULES.get(flag.rule)
    countable = rule.countable if rule else (False, False)
    return FlagItem(
        key=flag.key, rule=flag.rule, severity=flag.severity, status=flag.status, unit_code=flag.unit_code,
        unit_name=names.get(flag.unit_code or ""), division_code=flag.division_code, post_type=flag.post_type,
        fund_form=flag.fund_form, person=person, expected=as_number(flag.expected, countable[0]),
        found=as_number(flag.found, countable[1]), cause=flag.cause, explained_by=None, first_seen=flag.first_seen,
        last_seen=flag.last_seen, grain=json.loads(flag.grain), evidence=None, version=flag.version,
    )  # fmt: skip
