"""Tables of nights, verdicts, findings and flags. A run is never changed once settled; a newer one supersedes it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, column_property, mapped_column

from core.db import Base, Instant
from core.person_identity import PersonIdentity  # noqa: F401  (the table findings fill; the gate fills it too)


class NightState(StrEnum):
    """Where a run stands: running, waiting for a person, or settled."""

    OPEN = "OPEN"
    PARKED = "PARKED"
    SETTLED = "SETTLED"


class FlagStatus(StrEnum):
    """Where a flag stands in its life (docs/flags.md)."""

    OPEN = "OPEN"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    EXPLAINED = "EXPLAINED"
    RECTIFYING = "RECTIFYING"
    REFERRED = "REFERRED"
    CLOSED = "CLOSED"


class ClosedBy(StrEnum):
    """What closed a flag."""

    DATA = "DATA"
    DECISION = "DECISION"


class NightRun(Base):
    """One run of one night. `fingerprint` covers files, parameters and rules: equal means nothing changes."""

    __tablename__ = "night_run"
    __table_args__ = (UniqueConstraint("as_of", "run_no"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    as_of: Mapped[date] = mapped_column(Date)
    run_no: Mapped[int]
    fingerprint: Mapped[str] = mapped_column(String(64))
    key_mark: Mapped[str | None] = mapped_column(String(32))  # of the PERSON_KEY its files were made with
    inbox: Mapped[str] = mapped_column(String(1000))
    state: Mapped[str] = mapped_column(String(16), default=NightState.OPEN)
    backfill: Mapped[bool] = mapped_column(default=False)
    superseded_by: Mapped[int | None] = mapped_column(ForeignKey("night_run.id"))
    opened_at: Mapped[datetime] = mapped_column(Instant)
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    concluded_at: Mapped[datetime | None] = mapped_column(Instant)
    red_reasons: Mapped[str | None] = mapped_column(Text)  # JSON list of sentences; null until concluded, [] = green
    new_flag_count: Mapped[int | None]
    released_by: Mapped[str | None] = mapped_column(String(200))
    pruned_at: Mapped[datetime | None] = mapped_column(Instant)  # its files and rows were let go; its counts were not


class Delivery(Base):
    """One delivered file as landed. `taken_over`: the gate did not read it again; null until the gate came to it."""

    __tablename__ = "delivery"
    __table_args__ = (UniqueConstraint("run_id", "division_code", "file"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("night_run.id"))
    division_code: Mapped[str] = mapped_column(String(32))
    book: Mapped[str | None] = mapped_column(String(24))
    file: Mapped[str] = mapped_column(String(400))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    control_rows: Mapped[int | None]
    control_sha256: Mapped[str | None] = mapped_column(String(64))
    taken_over: Mapped[bool | None]
    remark: Mapped[str | None] = mapped_column(Text)


class Verdict(Base):
    """What the gate said of one book of one division: rows_in = accepted + duplicates + quarantined, always."""

    __tablename__ = "verdict"
    __table_args__ = (UniqueConstraint("run_id", "division_code", "book"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("night_run.id"))
    division_code: Mapped[str] = mapped_column(String(32))
    book: Mapped[str] = mapped_column(String(24))
    verdict: Mapped[str] = mapped_column(String(32))
    expected: Mapped[bool]
    rows_in: Mapped[int]
    accepted: Mapped[int]
    duplicates: Mapped[int]
    quarantined: Mapped[int]
    reasons: Mapped[str] = mapped_column(Text)  # JSON list of {code, file, row, column, message}


class NotEvaluable(Base):
    """A rule that could not judge: (rule, division, unit or *, missing book)."""

    __tablename__ = "not_evaluable"
    __table_args__ = (UniqueConstraint("run_id", "rule", "division_code", "unit_code", "book"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("night_run.id"))
    rule: Mapped[str] = mapped_column(String(8))
    division_code: Mapped[str] = mapped_column(String(32))
    unit_code: Mapped[str] = mapped_column(String(64))
    book: Mapped[str] = mapped_column(String(24))


class FindingRow(Base):
    """What one rule saw in one run. Columns as `reconcile.findings.FINDING_SCHEMA`."""

    __tablename__ = "finding"
    __table_args__ = (UniqueConstraint("run_id", "key"), Index("ix_finding_key", "key"))
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("night_run.id"))
    key: Mapped[str] = mapped_column(String(32))
    rule: Mapped[str] = mapped_column(String(8))
    grain: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(String(2))
    division_code: Mapped[str | None] = mapped_column(String(32))
    unit_code: Mapped[str | None] = mapped_column(String(64))
    post_type: Mapped[str | None] = mapped_column(String(24))
    fund_form: Mapped[str | None] = mapped_column(String(8))
    person_key: Mapped[str | None] = mapped_column(String(32))
    person_mask: Mapped[str | None] = mapped_column(String(40))
    expected: Mapped[str | None] = mapped_column(Text)
    found: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(String(24))
    explained_by: Mapped[str | None] = mapped_column(Text)
    evidence: Mapped[str | None] = mapped_column(Text)


class Concern(Base):
    """A unit that a finding concerns besides the one that owns it."""

    __tablename__ = "concern"
    __table_args__ = (Index("ix_concern_unit", "unit_code"),)
    finding_id: Mapped[int] = mapped_column(ForeignKey("finding.id", ondelete="CASCADE"), primary_key=True)
    unit_code: Mapped[str] = mapped_column(String(64), primary_key=True)


class FindingCount(Base):
    """How many findings of a rule one run had per unit: what trends read, and what stays when a night is pruned."""

    __tablename__ = "finding_count"
    __table_args__ = (Index("ix_finding_count_run", "run_id", "rule"), Index("ix_finding_count_unit", "unit_code"))
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("night_run.id"))
    rule: Mapped[str] = mapped_column(String(8))
    severity: Mapped[str] = mapped_column(String(2))
    division_code: Mapped[str | None] = mapped_column(String(32))
    unit_code: Mapped[str | None] = mapped_column(String(64))
    findings: Mapped[int]


class Flag(Base):
    """A mismatch with a life of its own. Its columns mirror the newest night's finding; history is in FlagEvent."""

    __tablename__ = "flag"
    __table_args__ = (
        Index("ix_flag_status", "status", "rule"),
        Index("ix_flag_unit", "unit_code"),
        Index("ix_flag_division", "division_code"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(32), unique=True)
    # Doors and files name a flag by its key, its history by its number: rotating the PERSON_KEY changes the key alone.
    __mapper_args__ = {"primary_key": [key]}  # noqa: RUF012 (SQLAlchemy reads it from the class)
    rule: Mapped[str] = mapped_column(String(8))
    grain: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    closed_by: Mapped[str | None] = mapped_column(String(16))
    severity: Mapped[str] = mapped_column(String(2))
    division_code: Mapped[str | None] = mapped_column(String(32))
    unit_code: Mapped[str | None] = mapped_column(String(64))
    post_type: Mapped[str | None] = mapped_column(String(24))
    fund_form: Mapped[str | None] = mapped_column(String(8))
    person_mask: Mapped[str | None] = mapped_column(String(40))
    expected: Mapped[str | None] = mapped_column(Text)
    found: Mapped[str | None] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(String(24))
    first_seen: Mapped[date] = mapped_column(Date)
    last_seen: Mapped[date] = mapped_column(Date)
    last_run_id: Mapped[int] = mapped_column(ForeignKey("night_run.id"))
    version: Mapped[int] = mapped_column(default=1)
    # The explanation a first person has written and a second has not yet confirmed, or the one in force.
    explanation: Mapped[str | None] = mapped_column(Text)
    explanation_evidence: Mapped[str | None] = mapped_column(Text)
    explanation_until: Mapped[date | None] = mapped_column(Date)
    explained_by_login: Mapped[str | None] = mapped_column(String(64))
    confirmed_by_login: Mapped[str | None] = mapped_column(String(64))


# By another name, so that a query may join the flag itself as well.
_NAMED = Flag.__table__.alias("named")


class FlagEvent(Base):
    """One step in a flag's life: by a night (actor `night`) or by a person."""

    __tablename__ = "flag_event"
    __table_args__ = (Index("ix_flag_event_flag", "flag_id", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    flag_id: Mapped[int] = mapped_column(ForeignKey("flag.id"))
    flag_key: Mapped[str] = column_property(select(_NAMED.c.key).where(_NAMED.c.id == flag_id).scalar_subquery())
    at: Mapped[datetime] = mapped_column(Instant)
    as_of: Mapped[date | None] = mapped_column(Date)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("night_run.id"))
    actor: Mapped[str] = mapped_column(String(64))
    move: Mapped[str] = mapped_column(String(24))
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str] = mapped_column(String(16))
    note: Mapped[str | None] = mapped_column(Text)


class CellFigure(Base):
    """The three numbers of one cell in one run; post_type and fund_form '' = the unit's total."""

    __tablename__ = "cell_figure"
    __table_args__ = (
        UniqueConstraint("run_id", "unit_code", "post_type", "fund_form"),
        Index("ix_cell_figure_division", "run_id", "division_code"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("night_run.id"))
    division_code: Mapped[str | None] = mapped_column(String(32))
    unit_code: Mapped[str] = mapped_column(String(64))
    post_type: Mapped[str] = mapped_column(String(24))
    fund_form: Mapped[str] = mapped_column(String(8))
    quota: Mapped[int | None]
    allowed: Mapped[int | None]
    in_post: Mapped[int | None]
    paid: Mapped[int | None]
    part_of: Mapped[str | None] = mapped_column(String(64))


class PresenceFigure(Base):
    """People of a unit by the three bits quota, roster, pay ('101'), in one run."""

    __tablename__ = "presence_figure"
    __table_args__ = (UniqueConstraint("run_id", "unit_code", "bits"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("night_run.id"))
    unit_code: Mapped[str] = mapped_column(String(64))
    bits: Mapped[str] = mapped_column(String(3))
    people: Mapped[int]


class Artefact(Base):
    """A file a night left behind: workbook, Data Docs, manifest. `path` is relative to the reports folder."""

    __tablename__ = "artefact"
    __table_args__ = (UniqueConstraint("run_id", "kind", "level"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("night_run.id"))
    kind: Mapped[str] = mapped_column(String(24))
    level: Mapped[str] = mapped_column(String(16), default="")
    path: Mapped[str] = mapped_column(String(1000))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
