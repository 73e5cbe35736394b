"""Documents: every change of quota, permit and certificate hangs on one (DOMAIN §6). The office registers it once, adds
its files, and sees what hangs on it; those who see a unit concerned see it too."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlalchemy import ColumnElement, String, cast, func, insert, not_, null, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.audit import record
from core.errors import Forbidden, InputRejected, NotFound, Refused
from core.identity import normalise_code
from core.parameters import parameter_value
from core.permissions import Permission, Scope, may
from pool.acting import NOT_HERE, Act, Receipt, lock_paths, note_document, unit_node
from pool.homing import NOTICE
from pool.lists import seen_nodes
from pool.models import PoolDocument, PoolMovement, PoolNode
from staffing import shelf
from staffing.certificate_store import OPENING
from staffing.duty_models import Determination
from staffing.file_types import clean_name, file_type
from staffing.paper_models import Certificate, CertificateFact, Document, DocumentFile, DocumentUnit

FIRST_DAY = date(1949, 10, 1)
MOST_UNITS = 500
NOTHING = cast(null(), String)  # "about no unit" or "about no division", for a scope's condition


@dataclass(frozen=True)
class Registration:
    """What the office states of a document. units: codes it concerns beside those of movements that name it."""

    doc_no: str
    doc_date: date
    title: str
    meeting: str = ""
    units: tuple[str, ...] = ()


def register_document(session: Session, act: Act, given: Registration, division_code: str | None = None) -> Receipt:
    """Register a document once; the same statement again changes nothing, another one is refused.

    division_code: the registering office's, where it has several. → doc_no, registered.
    Errors: InputRejected, NotFound for a unit unseen, Forbidden, Refused (a day to come; another statement before).
    """
    checked = _checked(given, act)
    division = _office(act, division_code)
    nodes = [unit_node(session, code) for code in checked.units]
    for node in nodes:
        act.by.check(Permission.REGISTER_DOCUMENT, node.unit_code, node.division_code)
    lock_paths(session, [node.id for node in nodes])
    held = session.get(Document, checked.doc_no)
    if held is not None:
        return _again(session, held, checked)
    try:
        _register(session, act, checked, division)
    except IntegrityError:
        raise Refused("这个文号正由另一人登记，请刷新后查看。", answer="REGISTERED") from None
    return {"doc_no": checked.doc_no, "registered": True}


def _register(session: Session, act: Act, checked: Registration, division: str) -> None:
    note_document(session, act, checked.doc_no, checked.doc_date)
    row = Document(
        doc_no=checked.doc_no, doc_date=checked.doc_date, meeting=checked.meeting or None, title=checked.title,
        division_code=division, registered_by=act.login, registered_at=act.now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    if checked.units:
        session.execute(insert(DocumentUnit), [{"doc_no": row.doc_no, "unit_code": code} for code in checked.units])
    record(
        session, actor=act.login, action="document_registered", subject=f"document {row.doc_no}"[:200], now=act.now,
        doc_date=row.doc_date, division=division, units=list(checked.units),
    )  # fmt: skip


def _checked(given: Registration, act: Act) -> Registration:
    number, title, meeting = normalise_code(given.doc_no), given.title.strip(), given.meeting.strip()
    if not 1 <= len(number) <= 200 or any(unicodedata.category(c) == "Cc" or c in "\\/?#%" for c in number):
        raise InputRejected("须填写文号（1 至 200 个字）。", field="doc_no")
    if not 1 <= len(title) <= 400:
        raise InputRejected("须填写标题（1 至 400 个字）。", field="title")
    if len(meeting) > 200:
        raise InputRejected("会议名称不得超过 200 个字。", field="meeting")
    if not FIRST_DAY <= given.doc_date <= act.today:
        raise Refused("文件日期不得晚于今天。", field="doc_date")
    units = tuple(sorted({code for code in map(normalise_code, given.units) if code}))
    if len(units) > MOST_UNITS:
        raise InputRejected("所涉单位至多 500 个。", field="units")
    return Registration(number, given.doc_date, title, meeting, units)


def _office(act: Act, division_code: str | None) -> str:
    """The division of the registering office. Errors: Forbidden for anybody who is none."""
    offices = sorted(offices_of(act.by))
    chosen = division_code or (offices[0] if offices else None)
    if chosen is None or chosen not in offices:
        raise Forbidden("只有机构编制部门可以登记文件。")
    return chosen


def offices_of(scope: Scope) -> set[str]:
    """Divisions whose office this person is."""
    return {
        reach.division for reach in scope.reaches if reach.division and may(reach.role, Permission.REGISTER_DOCUMENT)
    }


def _again(session: Session, held: Document, given: Registration) -> Receipt:
    units = set(session.scalars(select(DocumentUnit.unit_code).where(DocumentUnit.doc_no == held.doc_no)))
    same = (held.doc_date, held.title, held.meeting or "") == (given.doc_date, given.title, given.meeting)
    if not same or units != set(given.units):
        raise Refused("这个文号已登记，内容不同；已登记的文件不得改写。", answer="REGISTERED")
    return {"doc_no": held.doc_no, "registered": False}


def add_file(session: Session, act: Act, doc_no: str, name: str, content: bytes, folder: Path) -> Receipt:
    """Keep a file with its document. The same bytes again change nothing. → file, sha256, added.

    Errors: NotFound; Forbidden but for the office; InputRejected for type, content or size.
    """
    row = seen_document(session, act.by, doc_no)
    if not may_add_file(act.by, row):
        raise Forbidden("只有登记这份文件的机构编制部门可以添加文件。")
    most = parameter_value(session, "document_megabytes", act.today, row.division_code)
    if len(content) > most * 2**20:
        raise InputRejected(f"单个文件不得超过 {most} MB。", field="file")
    shown = clean_name(name)
    kind = file_type(shown, content)
    digest = shelf.put(folder, content)
    # Two at once: the second waits here and finds what the first added. (SQLite: the transaction itself waits.)
    session.execute(select(Document.doc_no).where(Document.doc_no == row.doc_no).with_for_update())
    held = session.scalar(select(DocumentFile).where(DocumentFile.doc_no == row.doc_no, DocumentFile.sha256 == digest))
    if held is not None:
        return {"file": held.id, "sha256": digest, "added": False}
    file = DocumentFile(
        doc_no=row.doc_no, sha256=digest, name=shown, media_type=kind.media_type, size=len(content), added_by=act.login,
        added_at=act.now,
    )  # fmt: skip
    session.add(file)
    session.flush()
    record(
        session, actor=act.login, action="document_file_added", subject=f"document {row.doc_no}"[:200], now=act.now,
        sha256=digest, size=len(content), media_type=kind.media_type,
    )  # fmt: skip
    return {"file": file.id, "sha256": digest, "added": True}


def may_add_file(scope: Scope, row: Document) -> bool:
    """Whether this person's office registered the document."""
    return row.division_code in offices_of(scope)


def seen_documents(scope: Scope) -> ColumnElement[bool]:
    """SQL: documents registered in a division seen as a whole, and those that concern a unit or node seen."""
    concerned = select(DocumentUnit.doc_no).where(scope.condition(DocumentUnit.unit_code, NOTHING))
    facts = select(CertificateFact.doc_no).where(scope.condition(CertificateFact.unit_code, NOTHING))
    return or_(
        scope.condition(NOTHING, Document.division_code),
        Document.doc_no.in_(concerned),
        Document.doc_no.in_(facts),
        Document.doc_no.in_(select(Determination.doc_no).where(scope.condition(Determination.unit_code, NOTHING))),
        Document.doc_no.in_(_moved(scope)),
    )


def _moved(scope: Scope):
    reach = seen_nodes(scope)
    ends = or_(PoolMovement.from_holder.in_(reach), PoolMovement.to_holder.in_(reach))
    return select(PoolMovement.document_no).where(ends, PoolMovement.document_no.is_not(None))


def seen_document(session: Session, scope: Scope, doc_no: str) -> Document:
    """A registered document within the scope. Errors: NotFound, the same for unknown and unseen."""
    row = session.scalar(select(Document).where(Document.doc_no == normalise_code(doc_no), seen_documents(scope)))
    if row is None:
        raise NotFound(NOT_HERE)
    return row


def seen_file(session: Session, scope: Scope, file_id: int) -> DocumentFile:
    """A file of a document within the scope. Errors: NotFound."""
    query = select(DocumentFile).join(Document, Document.doc_no == DocumentFile.doc_no)
    row = session.scalar(query.where(DocumentFile.id == file_id, seen_documents(scope)))
    if row is None:
        raise NotFound(NOT_HERE)
    return row


def document_page(
    session: Session, scope: Scope, text: str = "", limit: int = 50, offset: int = 0
) -> tuple[list[Document], int]:
    """Documents of the scope, the newest first, found by number, title or meeting; and how many there are."""
    query = select(Document).where(seen_documents(scope))
    if text:
        like = f"%{text.replace('%', '').replace('_', '')}%"
        number = f"%{normalise_code(text).replace('%', '').replace('_', '')}%"
        query = query.where(or_(Document.doc_no.like(number), Document.title.like(like), Document.meeting.like(like)))
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.scalars(query.order_by(Document.doc_date.desc(), Document.doc_no).limit(limit).offset(offset))
    return list(rows), total


def unregistered(session: Session, scope: Scope, limit: int = 50) -> list[PoolDocument]:
    """Numbers that movements within the scope rest on and nobody has registered yet, the newest first."""
    query = select(PoolDocument).where(
        PoolDocument.doc_no.in_(_moved(scope)),
        PoolDocument.doc_no.not_in(select(Document.doc_no)),
        not_(PoolDocument.doc_no.startswith(OPENING)),
        not_(PoolDocument.doc_no.startswith(NOTICE)),
    )
    return list(session.scalars(query.order_by(PoolDocument.registered_at.desc(), PoolDocument.doc_no).limit(limit)))


def registered_among(session: Session, scope: Scope, numbers: Iterable[str | None]) -> set[str]:
    """Those of the numbers that are registered and seen."""
    wanted = sorted({number for number in numbers if number})
    return set(session.scalars(select(Document.doc_no).where(Document.doc_no.in_(wanted), seen_documents(scope))))


def files_of(session: Session, numbers: Collection[str]) -> dict[str, list[DocumentFile]]:
    """Files per document, in the order they were added."""
    found: dict[str, list[DocumentFile]] = {number: [] for number in numbers}
    query = select(DocumentFile).where(DocumentFile.doc_no.in_(sorted(found))).order_by(DocumentFile.id)
    for row in session.scalars(query):
        found[row.doc_no].append(row)
    return found


@dataclass(frozen=True)
class Hanging:
    """What hangs on a document, as far as the scope sees it."""

    units: list[str]
    movements: list[PoolMovement]
    facts: list[CertificateFact]
    certificates: list[Certificate]
    determinations: list[Determination]


def hanging_on(session: Session, scope: Scope, doc_no: str) -> Hanging:
    """Movements of posts, recorded facts, versions of certificates and of the 三定 that name the document."""
    reach = seen_nodes(scope)
    movements = session.scalars(
        select(PoolMovement)
        .where(
            PoolMovement.document_no == doc_no,
            or_(PoolMovement.from_holder.in_(reach), PoolMovement.to_holder.in_(reach)),
        )
        .order_by(PoolMovement.seq.desc())
    ).all()
    units = session.scalars(
        select(DocumentUnit.unit_code).where(
            DocumentUnit.doc_no == doc_no, scope.condition(DocumentUnit.unit_code, NOTHING)
        )
    )
    facts = session.scalars(
        select(CertificateFact)
        .where(CertificateFact.doc_no == doc_no, scope.condition(CertificateFact.unit_code, NOTHING))
        .order_by(CertificateFact.id.desc())
    ).all()
    listed = sorted(set(units))
    concerned = {*listed, *(fact.unit_code for fact in facts), *_units_of(session, movements)}
    determinations = session.scalars(
        select(Determination)
        .where(Determination.doc_no == doc_no, scope.condition(Determination.unit_code, NOTHING))
        .order_by(Determination.unit_code, Determination.id)
    ).all()
    concerned |= {version.unit_code for version in determinations}
    certificates = _naming(session, scope, concerned, doc_no)
    return Hanging(listed, list(movements), list(facts), certificates, list(determinations))


def _units_of(session: Session, movements: Iterable[PoolMovement]) -> set[str]:
    ends = {end for row in movements for end in (row.from_holder, row.to_holder) if end}
    codes = session.scalars(select(PoolNode.unit_code).where(PoolNode.id.in_(ends), PoolNode.unit_code.is_not(None)))
    return {code for code in codes if code}


def _naming(session: Session, scope: Scope, units: set[str], doc_no: str) -> list[Certificate]:
    """Versions of the units' certificates that list the document, the newest first."""
    rows = session.scalars(
        select(Certificate)
        .where(Certificate.unit_code.in_(sorted(code for code in units if scope.sees_unit(code))))
        .order_by(Certificate.unit_code, Certificate.version.desc())
    )
    return [
        row for row in rows if any(line["doc_no"] == doc_no for line in json.loads(row.content)["facts"]["documents"])
    ]
