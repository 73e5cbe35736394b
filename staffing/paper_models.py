"""Tables of documents and certificates. All append-only (triggers refuse UPDATE and DELETE): what a certificate said
once it said for ever, and its state is read off the events after it."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant

DOCUMENT, UNIT, LOGIN, HASH = String(200), String(64), String(64), String(64)
APPEND_ONLY = (
    "document", "document_unit", "document_file", "certificate", "certificate_event", "certificate_fact",
    "certificate_check", "certificate_key",
)  # fmt: skip


class Document(Base):
    """A document as the office registered it. The division is the registering office's."""

    __tablename__ = "document"
    __table_args__ = (Index("ix_document_division", "division_code"),)
    doc_no: Mapped[str] = mapped_column(DOCUMENT, primary_key=True)
    doc_date: Mapped[date] = mapped_column(Date)
    meeting: Mapped[str | None] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(400))
    division_code: Mapped[str] = mapped_column(String(32))
    registered_by: Mapped[str] = mapped_column(LOGIN)
    registered_at: Mapped[datetime] = mapped_column(Instant)


class DocumentUnit(Base):
    """A unit the document concerns by what it says; units of movements that name it concern it anyway."""

    __tablename__ = "document_unit"
    __table_args__ = (Index("ix_document_unit_unit", "unit_code"),)
    doc_no: Mapped[str] = mapped_column(ForeignKey("document.doc_no"), primary_key=True)
    unit_code: Mapped[str] = mapped_column(UNIT, primary_key=True)


class DocumentFile(Base):
    """One file of a document; the bytes lie in HOME under their SHA-256."""

    __tablename__ = "document_file"
    __table_args__ = (UniqueConstraint("doc_no", "sha256"), CheckConstraint("size > 0", name="size"))
    id: Mapped[int] = mapped_column(primary_key=True)
    doc_no: Mapped[str] = mapped_column(ForeignKey("document.doc_no"))
    sha256: Mapped[str] = mapped_column(HASH)
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    added_by: Mapped[str] = mapped_column(LOGIN)
    added_at: Mapped[datetime] = mapped_column(Instant)


class Certificate(Base):
    """One version. content is canonical JSON; content_hash its SHA-256; signature that of the claim (hex)."""

    __tablename__ = "certificate"
    __table_args__ = (
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("valid_until >= issued_on", name="dates"),
    )
    unit_code: Mapped[str] = mapped_column(UNIT, primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(String(24), unique=True)
    content: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(HASH)
    previous_hash: Mapped[str | None] = mapped_column(HASH)
    issued_on: Mapped[date] = mapped_column(Date)
    issued_at: Mapped[datetime] = mapped_column(Instant)
    issued_by: Mapped[str] = mapped_column(LOGIN)
    valid_until: Mapped[date] = mapped_column(Date)  # last good day
    key_id: Mapped[str] = mapped_column(ForeignKey("certificate_key.key_id"))
    signature: Mapped[str] = mapped_column(String(128))
    file_sha256: Mapped[str] = mapped_column(HASH)


class CertificateEvent(Base):
    """ISSUED, SUPERSEDED (by the next version) or REVOKED, with the reason of a person."""

    __tablename__ = "certificate_event"
    __table_args__ = (
        ForeignKeyConstraint(
            ["unit_code", "version"],
            ["certificate.unit_code", "certificate.version"],
            name="fk_certificate_event_version",
        ),
        UniqueConstraint("unit_code", "version", "kind"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(UNIT)
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(Instant)
    on: Mapped[date] = mapped_column("on_date", Date)
    actor: Mapped[str] = mapped_column(LOGIN)
    reason: Mapped[str | None] = mapped_column(Text)


class CertificateFact(Base):
    """What the office records of a unit from a day on: DUTIES, INNER_BODIES or LEADER_POSTS (value: JSON)."""

    __tablename__ = "certificate_fact"
    __table_args__ = (Index("ix_certificate_fact_unit", "unit_code", "kind"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(UNIT)
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(Text)
    doc_no: Mapped[str] = mapped_column(ForeignKey("pool_document.doc_no"))
    valid_from: Mapped[date] = mapped_column(Date)
    recorded_by: Mapped[str] = mapped_column(LOGIN)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class CertificateCheck(Base):
    """A yearly check (年检): PASSED or RECTIFY. Of several in a year the last counts."""

    __tablename__ = "certificate_check"
    __table_args__ = (Index("ix_certificate_check_unit", "unit_code", "year"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(UNIT)
    year: Mapped[int]
    result: Mapped[str] = mapped_column(String(16))
    note: Mapped[str | None] = mapped_column(String(400))
    checked_on: Mapped[date] = mapped_column(Date)
    checked_by: Mapped[str] = mapped_column(LOGIN)
    checked_at: Mapped[datetime] = mapped_column(Instant)


class CertificateKey(Base):
    """A public key certificates were signed with, kept for ever (hex): old ones verify after a change of key."""

    __tablename__ = "certificate_key"
    key_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    public: Mapped[str] = mapped_column(HASH)
    since: Mapped[datetime] = mapped_column(Instant)
