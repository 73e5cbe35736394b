"""What certificates stand on and what became of them, read from rows: facts of units, versions, states, what is due."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.parameters import parameter_value
from core.permissions import is_current
from core.units import UnitVersion
from pool.acting import NOT_HERE
from pool.ledger import Kind
from pool.models import PoolDocument, PoolEntry, PoolMovement, PoolNode
from pool.store import cell_figures
from staffing.certificate_content import CheckLine, DocumentLine, Facts, QuotaLine
from staffing.determination_store import determined_facts
from staffing.duty_models import Determination
from staffing.paper_models import (
    Certificate,
    CertificateCheck,
    CertificateEvent,
    CertificateFact,
    CertificateKey,
    Document,
    DocumentUnit,
)

CHUNK = 500
# What opening balances rest on (pool.service_opening): no document of the office, and nobody registers it.
OPENING, OPENING_TITLE = "开账", "建账时结转的原核定编制"
# Movements by which the approved quota of a holder changes, each by its document.
QUOTA_KINDS = (Kind.GRANT, Kind.CUT, Kind.TRANSFER, Kind.CONVERSION, Kind.DEPOSIT, Kind.WITHDRAW, Kind.REVERSE)


class FactKind(StrEnum):
    """What the office records by hand, with its document."""

    DUTIES = "DUTIES"
    INNER_BODIES = "INNER_BODIES"
    LEADER_POSTS = "LEADER_POSTS"


class State(StrEnum):
    """What a version is worth on a day."""

    VALID = "VALID"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"
    REVOKED = "REVOKED"


class Due(StrEnum):
    """Why a new version is due; CLOSED: the unit was merged or abolished, and its certificate ends."""

    CHANGED = "CHANGED"
    EXPIRED = "EXPIRED"
    CLOSED = "CLOSED"


def facts_of(session: Session, codes: Collection[str], on: date) -> dict[str, Facts]:
    """The facts of units with an open ledger on a day, by unit code; others are left out."""
    found: dict[str, Facts] = {}
    wanted = sorted(set(codes))
    for start in range(0, len(wanted), CHUNK):
        found |= _facts(session, wanted[start : start + CHUNK], on)
    return found


def _facts(session: Session, codes: Sequence[str], on: date) -> dict[str, Facts]:
    holders = [f"U:{code}" for code in codes]
    rows = session.scalars(select(UnitVersion).where(is_current(), UnitVersion.unit_code.in_(codes)))
    units = {row.unit_code: row for row in rows}
    quotas = _quotas(session, holders, on)
    recorded, documents = _recorded(session, codes, on), _documents(session, codes, on)
    return {
        code: _one(units[code], quotas[f"U:{code}"], recorded[code], documents[code])
        for code in codes
        if code in units and f"U:{code}" in quotas
    }


def _one(unit: UnitVersion, quotas, recorded: dict[str, Any], documents) -> Facts:
    return Facts(
        unit_code=unit.unit_code, unit_name=unit.unit_name, uscc=unit.uscc, unit_kind=unit.unit_kind, level=unit.level,
        division_code=unit.division_code, org_rank=unit.org_rank, approval_doc=unit.approval_doc,
        duties=recorded.get(FactKind.DUTIES), inner_bodies=tuple(recorded.get(FactKind.INNER_BODIES, ())),
        leader_posts=recorded.get(FactKind.LEADER_POSTS, {}), quotas=tuple(sorted(quotas)),
        documents=tuple(sorted(documents, key=lambda line: (line.doc_date or "", line.doc_no))),
    )  # fmt: skip


def _quotas(session: Session, holders: Sequence[str], on: date) -> dict[str, list[QuotaLine]]:
    """Lines of the cells with an entry on or before the day; a cell whose figures are all 0 is closed."""
    opened = {
        tuple(row)
        for row in session.execute(
            select(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form)
            .where(PoolEntry.holder.in_(holders), PoolEntry.effective_date <= on)
            .distinct()
        )
    }
    found: dict[str, list[QuotaLine]] = defaultdict(list)
    for holder, _, _ in sorted(opened):
        found[holder] = []
    for cell, held in cell_figures(session, holders, on).items():
        figures = (held.quota, held.borrowed, held.lent, held.in_post)
        if tuple(cell) in opened and any(figures):
            found[cell.holder].append(QuotaLine(cell.post_type, cell.fund_form, *figures))
    return found


def _recorded(session: Session, codes: Sequence[str], on: date) -> dict[str, dict[str, Any]]:
    """Per unit and kind what the 三定 in force says, else the value recorded last among those that hold on the day."""
    rows = session.scalars(
        select(CertificateFact)
        .where(CertificateFact.unit_code.in_(codes), CertificateFact.valid_from <= on)
        .order_by(CertificateFact.valid_from, CertificateFact.id)
    )
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        found[row.unit_code][row.kind] = json.loads(row.value)
    found |= determined_facts(session, codes, on)
    return found


def _documents(session: Session, codes: Sequence[str], on: date) -> dict[str, set[DocumentLine]]:
    """Documents of quota movements effective by the day, of recorded facts, and those registered as concerning the unit."""
    numbers: dict[str, set[str]] = defaultdict(set)
    holders = [f"U:{code}" for code in codes]
    moved = session.execute(
        select(PoolMovement.from_holder, PoolMovement.to_holder, PoolMovement.document_no).where(
            PoolMovement.document_no.is_not(None), PoolMovement.effective_date <= on, PoolMovement.kind.in_(QUOTA_KINDS),
            PoolMovement.from_holder.in_(holders) | PoolMovement.to_holder.in_(holders),
        )
    )  # fmt: skip
    for giver, taker, number in moved:
        for holder in {giver, taker} & set(holders):
            numbers[holder.removeprefix("U:")].add(number)
    for source in (CertificateFact, Determination):
        stated = select(source.unit_code, source.doc_no).where(source.unit_code.in_(codes), source.valid_from <= on)
        for code, number in session.execute(stated):
            numbers[code].add(number)
    for code, number in session.execute(
        select(DocumentUnit.unit_code, DocumentUnit.doc_no)
        .join(Document, Document.doc_no == DocumentUnit.doc_no)
        .where(DocumentUnit.unit_code.in_(codes), Document.doc_date <= on)
    ):
        numbers[code].add(number)
    lines = _lines(session, set().union(*numbers.values()) if numbers else set())
    return defaultdict(set, {code: {lines[number] for number in held} for code, held in numbers.items()})


def _lines(session: Session, numbers: set[str]) -> dict[str, DocumentLine]:
    iso = lambda day: day.isoformat() if day else None
    found = {number: DocumentLine(number) for number in numbers}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        for row in session.scalars(select(PoolDocument).where(PoolDocument.doc_no.in_(part))):
            title = OPENING_TITLE if row.doc_no.startswith(OPENING) else None
            found[row.doc_no] = DocumentLine(row.doc_no, iso(row.doc_date), title)
        for row in session.scalars(select(Document).where(Document.doc_no.in_(part))):
            found[row.doc_no] = DocumentLine(row.doc_no, iso(row.doc_date), row.title)
    return found


def checks_of(session: Session, unit_code: str) -> list[CertificateCheck]:
    """Yearly checks of a unit, the newest first; of several in a year the first listed counts."""
    query = select(CertificateCheck).where(CertificateCheck.unit_code == unit_code)
    return list(session.scalars(query.order_by(CertificateCheck.year.desc(), CertificateCheck.id.desc())))


def check_lines(checks: Iterable[CertificateCheck]) -> list[CheckLine]:
    """The one that counts of each year, oldest year first."""
    last: dict[int, CheckLine] = {}
    for check in checks:
        last.setdefault(check.year, CheckLine(check.year, check.result, check.checked_on.isoformat()))
    return sorted(last.values())


def version_of(session: Session, unit_code: str, version: int | None = None) -> Certificate:
    """A version, the newest when none is named. Errors: NotFound."""
    row = newest_of(session, unit_code) if version is None else session.get(Certificate, (unit_code, version))
    if row is None:
        raise NotFound(NOT_HERE)
    return row


def newest_of(session: Session, unit_code: str) -> Certificate | None:
    """The newest version as it stands in the database now; None before the first."""
    query = select(Certificate).where(Certificate.unit_code == unit_code).order_by(Certificate.version.desc()).limit(1)
    return session.scalar(query.execution_options(populate_existing=True))


def versions_of(session: Session, unit_code: str) -> list[Certificate]:
    """Every version, the newest first."""
    query = select(Certificate).where(Certificate.unit_code == unit_code)
    return list(session.scalars(query.order_by(Certificate.version.desc())))


def events_of(session: Session, unit_code: str) -> list[CertificateEvent]:
    """What happened to the versions of a unit, in order."""
    query = select(CertificateEvent).where(CertificateEvent.unit_code == unit_code)
    return list(session.scalars(query.order_by(CertificateEvent.id)))


def state_of(session: Session, row: Certificate, on: date) -> State:
    """What a version is worth on a day: SUPERSEDED and REVOKED for ever, EXPIRED after its last good day."""
    query = select(CertificateEvent.kind).where(
        CertificateEvent.unit_code == row.unit_code, CertificateEvent.version == row.version
    )
    return _state(set(session.scalars(query)), row, on)


def _state(kinds: Collection[str], row: Certificate, on: date) -> State:
    for state in (State.REVOKED, State.SUPERSEDED):
        if state in kinds:
            return state
    return State.EXPIRED if on > row.valid_until else State.VALID


def newest_versions(
    session: Session, codes: Collection[str] | None = None, on: date | None = None
) -> dict[str, Certificate]:
    """The newest version per unit (of those issued by a day), revoked ones too; codes None: all units."""
    last = select(Certificate.unit_code, func.max(Certificate.version).label("version")).group_by(Certificate.unit_code)
    if on is not None:
        last = last.where(Certificate.issued_on <= on)
    if codes is not None and len(codes) <= CHUNK:
        last = last.where(Certificate.unit_code.in_(codes))
    top = last.subquery()
    query = select(Certificate).join(
        top, (top.c.unit_code == Certificate.unit_code) & (top.c.version == Certificate.version)
    )
    found = {row.unit_code: row for row in session.scalars(query.order_by(Certificate.unit_code))}
    return found if codes is None else {code: row for code, row in found.items() if code in set(codes)}


def revoked(session: Session, on: date | None = None) -> set[tuple[str, int]]:
    """Versions revoked (by a day)."""
    query = select(CertificateEvent.unit_code, CertificateEvent.version).where(CertificateEvent.kind == State.REVOKED)
    if on is not None:
        query = query.where(CertificateEvent.on <= on)
    return {tuple(row) for row in session.execute(query)}


def certificate_due(session: Session, units: Collection[str] | None, on: date) -> dict[str, Due]:
    """Units whose newest version, unless a person revoked it, no longer says what ledger and register say, or has expired.

    units: codes to look at; None: every unit that has a certificate. A unit without one is not due: the first is issued
    by a person. A unit merged or abolished is due to lose its own. Source: DOMAIN §6, "any change renews all three".
    """
    held = newest_versions(session, units)
    gone = revoked(session)
    live = {code: row for code, row in held.items() if (code, row.version) not in gone}
    facts = facts_of(session, live, on)
    found: dict[str, Due] = {}
    closed = set(session.scalars(select(PoolNode.unit_code).where(PoolNode.closed_on <= on)))
    for code, row in sorted(live.items()):
        if code in closed:
            found[code] = Due.CLOSED
        elif code not in facts:
            continue
        elif facts[code].plain() != json.loads(row.content)["facts"]:
            found[code] = Due.CHANGED
        elif on > row.valid_until:
            found[code] = Due.EXPIRED
    return found


def check_year(month: int, on: date) -> tuple[int, date]:
    """The year whose check must be done by now, and the first day after its last. month: the last of each year for it."""
    year = on.year if on.month > month else on.year - 1
    return year, date(year + (month == 12), month % 12 + 1, 1)


def checks_missing(session: Session, codes: Collection[str], on: date) -> set[str]:
    """Units certified before the last deadline of the yearly check and not checked for its year.

    A year's check is due by the end of the month `certificate_check_month`‡ of that year.
    """
    year, deadline = check_year(parameter_value(session, "certificate_check_month", on), on)
    first = session.execute(
        select(Certificate.unit_code, func.min(Certificate.issued_on).label("since")).group_by(Certificate.unit_code)
    )
    since = {row.unit_code: row.since for row in first}
    done = set(session.scalars(select(CertificateCheck.unit_code).where(CertificateCheck.year == year)))
    return {code for code in codes if code in since and since[code] < deadline and code not in done}


def public_keys(session: Session) -> list[bytes]:
    """Every public key certificates were ever signed with, the oldest first."""
    rows = session.scalars(select(CertificateKey).order_by(CertificateKey.since, CertificateKey.key_id))
    return [bytes.fromhex(row.public) for row in rows]
