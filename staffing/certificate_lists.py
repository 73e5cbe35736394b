"""The list of certificates, a page at a time: filtered and counted by the database, so that a nation's units are no burden."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from core.parameters import parameter_value
from core.permissions import Scope, is_current
from core.units import UnitVersion
from pool.models import PoolEntry
from staffing.certificate_store import Due, State, certificate_due, check_year
from staffing.paper_models import Certificate, CertificateCheck, CertificateEvent

FIRST = aliased(Certificate)


class Listing(StrEnum):
    """Which of the list."""

    DUE = "DUE"
    EXPIRED = "EXPIRED"
    CHECK = "CHECK"
    NONE = "NONE"
    REVOKED = "REVOKED"


# What the database counts; what is due needs the facts of each unit, and is worked out for the units shown.
COUNTED = (Listing.EXPIRED, Listing.CHECK, Listing.NONE, Listing.REVOKED)


@dataclass(frozen=True)
class Listed:
    """A unit of the list: its newest version (None: none yet), state, why a new one is due, whether a check is missing."""

    unit: UnitVersion
    newest: Certificate | None
    state: State | None
    due: Due | None
    check_missing: bool


def certificate_page(
    session: Session, scope: Scope, on: date, *, which: Listing | None = None, text: str = "", limit: int | None = None,
    offset: int = 0,
) -> tuple[list[Listed], int]:  # fmt: skip
    """Units of the scope with an open ledger or a certificate, by code: a page of them, and how many there are.

    which DUE asks for every certified unit's facts, and takes as long.
    """
    query = _units(session, scope, on, text)
    if which is Listing.DUE:
        certified = session.scalars(
            query.where(Certificate.version.is_not(None)).with_only_columns(UnitVersion.unit_code)
        )
        query = query.where(UnitVersion.unit_code.in_(sorted(certificate_due(session, list(certified), on))))
    elif which is not None:
        query = query.where(_passes(session, which, on))
    total = session.scalar(select(func.count()).select_from(query.with_only_columns(UnitVersion.id).subquery())) or 0
    rows = session.execute(
        query.add_columns(_passes(session, Listing.REVOKED, on), _passes(session, Listing.CHECK, on))
        .order_by(UnitVersion.unit_code)
        .limit(limit)
        .offset(offset)
    ).all()
    due = certificate_due(session, [row[1].unit_code for row in rows if row[1] is not None], on)
    return [_listed(*row, due, on) for row in rows], total


def _listed(
    unit: UnitVersion, newest: Certificate | None, revoked: bool, missing: bool, due: dict[str, Due], on: date
) -> Listed:
    if newest is None:
        return Listed(unit, None, None, None, False)
    expired = State.EXPIRED if on > newest.valid_until else State.VALID
    return Listed(unit, newest, State.REVOKED if revoked else expired, due.get(unit.unit_code), bool(missing))


def certificate_counts(session: Session, scope: Scope, on: date) -> dict[Listing, int]:
    """How many of the scope are expired, unchecked, without one, revoked."""
    query = _units(session, scope, on, "")
    return {
        which: session.scalar(
            select(func.count()).select_from(
                query.where(_passes(session, which, on)).with_only_columns(UnitVersion.id).subquery()
            )
        )
        or 0
        for which in COUNTED
    }


def _units(session: Session, scope: Scope, on: date, text: str) -> Select:
    last = (
        select(Certificate.unit_code, func.max(Certificate.version).label("version"))
        .group_by(Certificate.unit_code)
        .subquery()
    )
    opened = exists().where(PoolEntry.holder == literal("U:") + UnitVersion.unit_code)
    query = (
        select(UnitVersion, Certificate)
        .outerjoin(last, last.c.unit_code == UnitVersion.unit_code)
        .outerjoin(Certificate, and_(Certificate.unit_code == last.c.unit_code, Certificate.version == last.c.version))
        .where(
            is_current(), scope.condition(UnitVersion.unit_code, UnitVersion.division_code),
            or_(Certificate.version.is_not(None), opened),
        )
    )  # fmt: skip
    if text:
        like = [column.contains(text, autoescape=True) for column in (UnitVersion.unit_name, UnitVersion.unit_code)]
        query = query.where(or_(*like))
    return query


def _passes(session: Session, which: Listing, on: date) -> ColumnElement[bool]:
    """SQL over the rows of `_units`."""
    revoked = exists().where(
        CertificateEvent.unit_code == Certificate.unit_code, CertificateEvent.version == Certificate.version,
        CertificateEvent.kind == State.REVOKED,
    )  # fmt: skip
    if which is Listing.REVOKED:
        return revoked
    if which is Listing.NONE:
        return Certificate.version.is_(None)
    if which is Listing.EXPIRED:
        return and_(Certificate.valid_until < on, ~revoked)
    year, deadline = check_year(parameter_value(session, "certificate_check_month", on), on)
    since = exists().where(FIRST.unit_code == Certificate.unit_code, FIRST.issued_on < deadline)
    done = exists().where(CertificateCheck.unit_code == Certificate.unit_code, CertificateCheck.year == year)
    return and_(since, ~done)
