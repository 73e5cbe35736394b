"""Tables of the gate. Steps are append-only (triggers refuse UPDATE and DELETE); people are a key and a mask, their
sealed number is in `person_identity` and nowhere else."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.calendar import weekday_note
from core.db import Base, Instant
from pool.models import DOCUMENT, FORM, LOGIN, NUMBER, TYPE

CODE, STATUS, WORD, MONTH = String(64), String(16), String(16), String(7)
APPEND_ONLY = ("staff_step",)


class StaffPlan(Base):
    """年度用编计划: what a unit wants to use in a year, per cell in its lines. document_no: what the commission passed."""

    __tablename__ = "staff_plan"
    __table_args__ = (
        CheckConstraint("(status = 'PASSED') = (document_no IS NOT NULL)", name="passed"),
        Index("ix_staff_plan_unit", "unit_code", "year"),
    )
    number: Mapped[str] = mapped_column(NUMBER, primary_key=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    unit_code: Mapped[str] = mapped_column(CODE)
    year: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(STATUS)
    applicant: Mapped[str] = mapped_column(LOGIN)
    submitted_on: Mapped[date] = mapped_column(Date)
    decided_by: Mapped[str | None] = mapped_column(LOGIN)
    decided_on: Mapped[date | None] = mapped_column(Date)
    document_no: Mapped[str | None] = mapped_column(ForeignKey("pool_document.doc_no"))
    version: Mapped[int] = mapped_column(default=1)


class StaffPlanLine(Base):
    """Posts of one cell in a plan: asked for, and passed by the commission. figures: the cell when it was asked (JSON)."""

    __tablename__ = "staff_plan_line"
    __table_args__ = (CheckConstraint("posts > 0 AND (passed IS NULL OR passed >= 0)", name="posts"),)
    plan_no: Mapped[str] = mapped_column(ForeignKey("staff_plan.number"), primary_key=True)
    post_type: Mapped[str] = mapped_column(TYPE, primary_key=True)
    fund_form: Mapped[str] = mapped_column(FORM, primary_key=True)
    posts: Mapped[int]
    passed: Mapped[int | None]
    figures: Mapped[str] = mapped_column(Text)


class StaffConsultation(Base):
    """增人事先沟通: what was asked, the figures of that moment (JSON), the office's opinion."""

    __tablename__ = "staff_consultation"
    __table_args__ = (
        CheckConstraint("posts > 0", name="posts"),
        CheckConstraint("(status = 'ASKED') = (opinion IS NULL)", name="opinion"),
        Index("ix_staff_consultation_unit", "unit_code", "status"),
    )
    number: Mapped[str] = mapped_column(NUMBER, primary_key=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    unit_code: Mapped[str] = mapped_column(CODE)
    post_type: Mapped[str] = mapped_column(TYPE)
    fund_form: Mapped[str] = mapped_column(FORM)
    entry_form: Mapped[str] = mapped_column(WORD)
    leader_tier: Mapped[str | None] = mapped_column(WORD)
    posts: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    figures: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(STATUS)
    applicant: Mapped[str] = mapped_column(LOGIN)
    asked_on: Mapped[date] = mapped_column(Date)
    leader_posts: Mapped[int | None]  # stated by the office: posts of the tier, and who holds them
    leaders: Mapped[int | None]
    opinion: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(LOGIN)
    decided_on: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(default=1)


class StaffWaiver(Base):
    """豁免: a reverse flow allowed by a number, with a reason and an expiry (last good day)."""

    __tablename__ = "staff_waiver"
    __table_args__ = (CheckConstraint("valid_until >= valid_from", name="dates"),)
    number: Mapped[str] = mapped_column(DOCUMENT, primary_key=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    unit_code: Mapped[str] = mapped_column(CODE)
    reason: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date] = mapped_column(Date)
    granted_by: Mapped[str] = mapped_column(LOGIN)
    granted_on: Mapped[date] = mapped_column(Date)


class StaffApplication(Base):
    """申请用编 and, once signed, 用编许可. figures: the cell when it was submitted, reviewed and granted (JSON, by step).

    bound_slot: the slot whose coming exit makes room; such a permit has no RESERVE until that exit.
    """

    __tablename__ = "staff_application"
    __table_args__ = (
        CheckConstraint("posts > 0 AND yearly_cost >= 0", name="numbers"),
        CheckConstraint("bound_slot IS NULL OR posts = 1", name="bound"),
        CheckConstraint("(permit_no IS NULL) = (granted_on IS NULL)", name="granted"),
        CheckConstraint("valid_until IS NULL OR valid_until >= granted_on", name="dates"),
        Index("ix_staff_application_unit", "unit_code", "status"),
        Index("ix_staff_application_bound", "bound_slot"),
    )
    number: Mapped[str] = mapped_column(NUMBER, primary_key=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    unit_code: Mapped[str] = mapped_column(CODE)
    post_type: Mapped[str] = mapped_column(TYPE)
    fund_form: Mapped[str] = mapped_column(FORM)
    posts: Mapped[int]
    year: Mapped[int]
    entry_form: Mapped[str] = mapped_column(WORD)
    work_kind: Mapped[str] = mapped_column(WORD)
    leader_tier: Mapped[str | None] = mapped_column(WORD)
    from_unit: Mapped[str | None] = mapped_column(CODE)
    from_level: Mapped[str | None] = mapped_column(WORD)
    from_fund_form: Mapped[str | None] = mapped_column(FORM)
    waiver_no: Mapped[str | None] = mapped_column(ForeignKey("staff_waiver.number"))
    consultation_no: Mapped[str | None] = mapped_column(ForeignKey("staff_consultation.number"))
    outside_document: Mapped[str | None] = mapped_column(DOCUMENT)
    bound_slot: Mapped[str | None] = mapped_column(NUMBER)
    reason: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(STATUS)
    applicant: Mapped[str] = mapped_column(LOGIN)
    submitted_on: Mapped[date | None] = mapped_column(Date)
    figures: Mapped[str] = mapped_column(Text)
    yearly_cost: Mapped[int]  # yuan, all posts
    cost_confirmed_by: Mapped[str | None] = mapped_column(LOGIN)
    cost_confirmed_on: Mapped[date | None] = mapped_column(Date)
    reviewed_by: Mapped[str | None] = mapped_column(LOGIN)
    reviewed_on: Mapped[date | None] = mapped_column(Date)
    decided_by: Mapped[str | None] = mapped_column(LOGIN)
    granted_on: Mapped[date | None] = mapped_column(Date)
    permit_no: Mapped[str | None] = mapped_column(DOCUMENT, unique=True)
    valid_until: Mapped[date | None] = mapped_column(Date)
    reserve_seq: Mapped[int | None] = mapped_column(ForeignKey("pool_movement.seq"))
    ended_on: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(default=1)


class StaffSlot(Base):
    """One post: one number from permit to cancellation, one person. A carried post has a row per unit, the last one live.

    source: PERMIT, OPENING (in post before the gate), CARRIED. exit_date: first day no longer in post. status_before:
    where an undone exit goes back to.
    """

    __tablename__ = "staff_slot"
    __table_args__ = (
        CheckConstraint("(person_key IS NULL) = (person_mask IS NULL)", name="person"),
        CheckConstraint("exit_date IS NULL OR entry_date IS NULL OR exit_date > entry_date", name="dates"),
        CheckConstraint("(exit_date IS NULL) = (exit_registered IS NULL)", name="exit"),
        CheckConstraint(
            "status IN ('ISSUED', 'EXPIRED', 'DEAD', 'CANCELLED') OR person_key IS NOT NULL", name="filled"
        ),
        Index("ix_staff_slot_unit", "unit_code", "status"),
        Index("ix_staff_slot_person", "person_key"),
        Index("ix_staff_slot_permit", "permit_no"),
        Index(
            "uq_staff_slot_live", "slot_no", unique=True, sqlite_where=text("status <> 'MOVED'"),
            postgresql_where=text("status <> 'MOVED'"),
        ),
        Index(
            "uq_staff_slot_holder", "person_key", unique=True,
            sqlite_where=text("status IN ('FILLED', 'PAPERS', 'PAID')"),
            postgresql_where=text("status IN ('FILLED', 'PAPERS', 'PAID')"),
        ),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(primary_key=True)
    slot_no: Mapped[str] = mapped_column(NUMBER)
    source: Mapped[str] = mapped_column(WORD)
    application_no: Mapped[str | None] = mapped_column(ForeignKey("staff_application.number"))
    permit_no: Mapped[str | None] = mapped_column(DOCUMENT)
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    unit_code: Mapped[str] = mapped_column(CODE)
    post_type: Mapped[str] = mapped_column(TYPE)
    fund_form: Mapped[str] = mapped_column(FORM)
    work_kind: Mapped[str | None] = mapped_column(WORD)
    leader_tier: Mapped[str | None] = mapped_column(WORD)
    status: Mapped[str] = mapped_column(STATUS)
    status_before: Mapped[str | None] = mapped_column(STATUS)
    issued_on: Mapped[date] = mapped_column(Date)
    person_key: Mapped[str | None] = mapped_column(String(32))
    person_mask: Mapped[str | None] = mapped_column(String(40))
    entry_form: Mapped[str | None] = mapped_column(WORD)
    entry_date: Mapped[date | None] = mapped_column(Date)
    entry_registered: Mapped[date | None] = mapped_column(Date)
    from_unit: Mapped[str | None] = mapped_column(CODE)
    from_level: Mapped[str | None] = mapped_column(WORD)
    from_fund_form: Mapped[str | None] = mapped_column(FORM)
    waiver_no: Mapped[str | None] = mapped_column(ForeignKey("staff_waiver.number"))
    papers_on: Mapped[date | None] = mapped_column(Date)
    pay_from: Mapped[str | None] = mapped_column(MONTH)
    planned_exit: Mapped[date | None] = mapped_column(Date)
    planned_reason: Mapped[str | None] = mapped_column(String(200))
    exit_date: Mapped[date | None] = mapped_column(Date)
    exit_reason: Mapped[str | None] = mapped_column(String(200))
    exit_registered: Mapped[date | None] = mapped_column(Date)
    first_unpaid: Mapped[str | None] = mapped_column(MONTH)
    cancelled_on: Mapped[date | None] = mapped_column(Date)
    fill_seq: Mapped[int | None] = mapped_column(ForeignKey("pool_movement.seq"))
    vacate_seq: Mapped[int | None] = mapped_column(ForeignKey("pool_movement.seq"))
    version: Mapped[int] = mapped_column(default=1)


class StaffNotice(Base):
    """入编/减编通知单 to one receiver: queued, sent, acknowledged; WITHDRAWN when the exit was undone."""

    __tablename__ = "staff_notice"
    __table_args__ = (
        UniqueConstraint("slot_id", "kind", "receiver", "round", name="uq_staff_notice"),
        CheckConstraint("(acknowledged_on IS NULL) = (acknowledged_by IS NULL)", name="acknowledged"),
        Index("ix_staff_notice_status", "status", "receiver"),
        Index("ix_staff_notice_unit", "unit_code"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("staff_slot.id"))
    slot_no: Mapped[str] = mapped_column(NUMBER)
    unit_code: Mapped[str] = mapped_column(CODE)
    kind: Mapped[str] = mapped_column(WORD)
    receiver: Mapped[str] = mapped_column(WORD)
    round: Mapped[int]  # an exit undone and registered again is another round
    status: Mapped[str] = mapped_column(STATUS)
    effective: Mapped[date] = mapped_column(Date)  # the entry, or the first day no longer in post
    month: Mapped[str] = mapped_column(MONTH)  # first month with pay, or first month without
    queued_on: Mapped[date] = mapped_column(Date)
    sent_on: Mapped[date | None] = mapped_column(Date)
    acknowledged_on: Mapped[date | None] = mapped_column(Date)
    acknowledged_by: Mapped[str | None] = mapped_column(LOGIN)


class StaffBlock(Base):
    """A late entry or exit: the unit's next plan waits until it is registered and the director has released it."""

    __tablename__ = "staff_block"
    __table_args__ = (
        UniqueConstraint("slot_id", "kind", "changed_on", name="uq_staff_block"),
        CheckConstraint("released_on IS NULL OR registered_on IS NOT NULL", name="released"),
        Index("ix_staff_block_unit", "unit_code", "released_on"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("staff_slot.id"))
    slot_no: Mapped[str] = mapped_column(NUMBER)
    unit_code: Mapped[str] = mapped_column(CODE)
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    kind: Mapped[str] = mapped_column(WORD)
    changed_on: Mapped[date] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    # Years counted Monday to Friday on the way there (core.calendar.weekday_years).
    weekday_years: Mapped[str] = mapped_column(String(60), default="")
    opened_on: Mapped[date] = mapped_column(Date)
    registered_on: Mapped[date | None] = mapped_column(Date)
    released_on: Mapped[date | None] = mapped_column(Date)
    released_by: Mapped[str | None] = mapped_column(LOGIN)
    reason: Mapped[str | None] = mapped_column(Text)

    @property
    def due_note(self) -> str | None:
        """How the day was counted, where a year on the way had no published holidays."""
        return weekday_note(self.weekday_years, self.due_on)


class StaffStep(Base):
    """One step on a plan, consultation, application or slot, by a person (for another by delegation) or by the night."""

    __tablename__ = "staff_step"
    __table_args__ = (Index("ix_staff_step_number", "subject", "number", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(WORD)
    number: Mapped[str] = mapped_column(NUMBER)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(LOGIN)
    acting_for: Mapped[str | None] = mapped_column(LOGIN)
    move: Mapped[str] = mapped_column(WORD)
    from_status: Mapped[str | None] = mapped_column(STATUS)
    to_status: Mapped[str] = mapped_column(STATUS)
    movement_seq: Mapped[int | None] = mapped_column(ForeignKey("pool_movement.seq"))
    note: Mapped[str | None] = mapped_column(Text)
