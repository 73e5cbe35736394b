"""What the API of documents and certificates takes and gives, as its document says it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field

from staffing.certificate_lists import Listing
from staffing.certificate_store import Due, FactKind, State
from staffing.labels import CHECK_RESULTS
from web.api.models import PAGE_MAX, Strict, UnitPath
from web.api.pool_models import WHOLE, PageQuery
from web.papers import CERTIFICATE_STEPS

StepName = StrEnum("StepName", {step.upper(): step for step in CERTIFICATE_STEPS})
CheckResult = StrEnum("CheckResult", {name: name for name in CHECK_RESULTS})
# A letter, digit or Chinese character at least; nothing that would be part of an address.
_SOLID = r"[0-9A-Za-z\u4e00-\u9fff]"
_PLAIN = r"[^\x00-\x20\x7f-\xa0/\\?#%／＼？＃％]"
BINARY = {"schema": {"type": "string", "format": "binary"}}


class CertificateStepPath(UnitPath):
    """A step on a unit's certificate."""

    step: StepName


class VersionQuery(Strict):
    """Which version; the newest when none is named."""

    version: int | None = Field(None, ge=1, le=1_000_000)


class CertificateStepBody(Strict):
    """check: year, result, note. record: kind, value (DUTIES: text; INNER_BODIES: a name per line), or the four tiers
    (LEADER_POSTS, null = unknown), document_no, valid_from. revoke: reason. renew: nothing."""

    year: Annotated[int | None, Field(ge=1, le=9999, strict=True), WHOLE] = None
    result: CheckResult | None = None
    note: str | None = Field(None, max_length=400)
    kind: FactKind | None = None
    value: str | None = Field(None, max_length=10_000)
    CHIEF: Annotated[int | None, Field(ge=0, le=1000, strict=True), WHOLE] = None
    DEPUTY: Annotated[int | None, Field(ge=0, le=1000, strict=True), WHOLE] = None
    INNER_CHIEF: Annotated[int | None, Field(ge=0, le=1000, strict=True), WHOLE] = None
    INNER_DEPUTY: Annotated[int | None, Field(ge=0, le=1000, strict=True), WHOLE] = None
    document_no: str | None = Field(None, max_length=200)
    valid_from: date | None = None
    reason: str | None = Field(None, max_length=1000)


class PaperStepOut(BaseModel):
    """What a step did. renewed, recorded: false when nothing had changed."""

    unit_code: str
    version: int | None = None
    code: str | None = None
    renewed: bool | None = None
    recorded: bool | None = None


class CertificateRow(BaseModel):
    """A unit's newest version: state, why a new one is due, whether the yearly check is missing."""

    unit_code: str
    unit_name: str
    version: int | None
    code: str | None
    state: State | None
    due: Due | None
    check_missing: bool
    issued_on: date | None
    valid_until: date | None


class CertificateQuery(PageQuery):
    """Which units: by state of their certificate (DUE takes as long as the scope is large), by part of name or code."""

    state: Listing | None = None
    q: str | None = Field(None, max_length=64)


class CertificateList(BaseModel):
    """Units of the scope with a ledger or a certificate, by code."""

    total: int
    page: int
    page_size: int
    items: list[CertificateRow]


class ChangeOut(BaseModel):
    """A difference between two versions, or between the newest and the ledger."""

    what: str
    before: Any
    after: Any
    post_type: str | None
    fund_form: str | None
    tier: str | None


class CertificateVersionOut(BaseModel):
    """One version and what it changed."""

    version: int
    code: str
    state: State
    issued_on: date
    valid_until: date
    content_hash: str
    previous_hash: str | None
    changes: list[ChangeOut]


class CopyOut(BaseModel):
    """The three copies of a cell's quota; null: that copy has no such cell."""

    post_type: str
    fund_form: str
    ledger: int | None
    certificate: int | None
    database: int | None
    agree: bool


class CertificateOut(BaseModel):
    """A unit's certificate. content: that of the newest version; pending: what a new one would change."""

    unit_code: str
    unit_name: str
    due: Due | None
    check_missing: bool
    content: dict[str, Any] | None
    versions: list[CertificateVersionOut]
    pending: list[ChangeOut]
    copies: list[CopyOut]


class DocumentPath(BaseModel):
    """One document, by its number."""

    doc_no: str = Field(min_length=1, max_length=200)


class FilePath(BaseModel):
    """One file."""

    file_id: int = Field(ge=1, le=2_000_000_000)


class DocumentQuery(Strict):
    """Which documents."""

    q: str | None = Field(None, min_length=1, max_length=64)
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(50, ge=1, le=PAGE_MAX)


class DocumentBody(Strict):
    """A document to register. division_code: the registering office's, where you have several."""

    doc_no: str = Field(min_length=1, max_length=200, pattern=f"^{_PLAIN}*{_SOLID}{_PLAIN}*$")
    doc_date: date
    title: str = Field(min_length=1, max_length=400, pattern=_SOLID)
    meeting: str = Field("", max_length=200)
    units: list[str] = Field(default_factory=list, max_length=500)
    division_code: str | None = Field(None, min_length=1, max_length=9)


class DocumentFileBody(Strict):
    """A file to add: its name, and its bytes in base64."""

    name: str = Field(min_length=1, max_length=255)
    content: str = Field(min_length=1, json_schema_extra={"format": "byte"})


class FileOut(BaseModel):
    """A file of a document."""

    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    added_at: datetime


class DocumentRow(BaseModel):
    """A registered document with its files."""

    doc_no: str
    doc_date: date
    meeting: str | None
    title: str
    division_code: str
    registered_at: datetime
    files: list[FileOut]


class DocumentList(BaseModel):
    """A page of documents. unregistered: numbers movements rest on that nobody registered."""

    total: int
    page: int
    page_size: int
    items: list[DocumentRow]
    unregistered: list[str]


class DocumentOut(BaseModel):
    """A document and what hangs on it. permits: their notice numbers. reorganisations: kind and node."""

    document: DocumentRow
    units: list[str]
    movements: list[int]
    certificates: list[str]
    plans: list[str]
    permits: list[str]
    reorganisations: list[str]


class RegisteredOut(BaseModel):
    """registered: false when the same document was registered before."""

    doc_no: str
    registered: bool


class AddedOut(BaseModel):
    """added: false when the document had the same bytes already."""

    file: int
    sha256: str
    added: bool
