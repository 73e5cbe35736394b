"""Tables of duties and reform: versions of the 三定, the list of powers and duties, reform plans with their tasks.

Versions, what they hold and steps are append-only (triggers refuse UPDATE and DELETE)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant
from pool.models import DOCUMENT, FORM, LOGIN, NUMBER, TYPE

UNIT = String(64)
APPEND_ONLY = (
    "determination", "determination_duty", "determination_body", "determination_quota", "reform_plan", "reform_effect",
    "reform_link", "reform_step",
)  # fmt: skip


class Determination(Base):
    """One version of a unit's 三定, by a registered document, from a day on. Leader posts: blank is unknown."""

    __tablename__ = "determination"
    __table_args__ = (Index("ix_determination_unit", "unit_code", "valid_from"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(UNIT)
    doc_no: Mapped[str] = mapped_column(ForeignKey("document.doc_no"))
    valid_from: Mapped[date] = mapped_column(Date)
    chief: Mapped[int | None]
    deputy: Mapped[int | None]
    recorded_by: Mapped[str] = mapped_column(LOGIN)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class DeterminationDuty(Base):
    """One numbered duty of a version."""

    __tablename__ = "determination_duty"
    determination_id: Mapped[int] = mapped_column(ForeignKey("determination.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class DeterminationBody(Base):
    """One inner body (内设机构) of a version with its leader posts."""

    __tablename__ = "determination_body"
    determination_id: Mapped[int] = mapped_column(ForeignKey("determination.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    chief: Mapped[int | None]
    deputy: Mapped[int | None]


class DeterminationQuota(Base):
    """Posts of a cell as a version determined them."""

    __tablename__ = "determination_quota"
    __table_args__ = (CheckConstraint("posts >= 0", name="posts"),)
    determination_id: Mapped[int] = mapped_column(ForeignKey("determination.id"), primary_key=True)
    post_type: Mapped[str] = mapped_column(TYPE, primary_key=True)
    fund_form: Mapped[str] = mapped_column(FORM, primary_key=True)
    posts: Mapped[int]


class DutyItem(Base):
    """One item of a unit's list of powers and duties (权责清单). duty: number of the 三定 duty it carries out.

    valid_to: last good day. An item that goes to another unit ends here and begins there under the same code.
    """

    __tablename__ = "duty_item"
    __table_args__ = (
        UniqueConstraint("unit_code", "code", "valid_from"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates"),
        Index("ix_duty_item_code", "code"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_code: Mapped[str] = mapped_column(UNIT)
    code: Mapped[str] = mapped_column(UNIT)
    name: Mapped[str] = mapped_column(String(400))
    kind: Mapped[str] = mapped_column(String(16))
    legal_basis: Mapped[str] = mapped_column(Text)
    inner_body: Mapped[str | None] = mapped_column(String(200))
    duty: Mapped[int | None]
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    recorded_by: Mapped[str] = mapped_column(LOGIN)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class DutyItemPosts(Base):
    """Posts of a cell that work on an item."""

    __tablename__ = "duty_item_posts"
    __table_args__ = (CheckConstraint("posts > 0", name="posts"),)
    item_id: Mapped[int] = mapped_column(ForeignKey("duty_item.id"), primary_key=True)
    post_type: Mapped[str] = mapped_column(TYPE, primary_key=True)
    fund_form: Mapped[str] = mapped_column(FORM, primary_key=True)
    posts: Mapped[int]


class ReformPlan(Base):
    """A reform plan (改革方案), by a registered document."""

    __tablename__ = "reform_plan"
    number: Mapped[str] = mapped_column(NUMBER, primary_key=True)
    doc_no: Mapped[str] = mapped_column(ForeignKey("document.doc_no"), unique=True)
    title: Mapped[str] = mapped_column(String(400))
    recorded_by: Mapped[str] = mapped_column(LOGIN)
    recorded_at: Mapped[datetime] = mapped_column(Instant)


class ReformTask(Base):
    """What one unit has to do of a plan. leader_posts: signed change of its chief and deputy posts together."""

    __tablename__ = "reform_task"
    __table_args__ = (Index("ix_reform_task_unit", "unit_code"), Index("ix_reform_task_due", "status", "deadline"))
    number: Mapped[str] = mapped_column(NUMBER, primary_key=True)
    plan_no: Mapped[str] = mapped_column(ForeignKey("reform_plan.number"))
    unit_code: Mapped[str] = mapped_column(UNIT)
    what: Mapped[str] = mapped_column(Text)
    leader_posts: Mapped[int]
    deadline: Mapped[date] = mapped_column(Date)
    responsible: Mapped[str] = mapped_column(LOGIN)
    status: Mapped[str] = mapped_column(String(16))
    reminded_on: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(default=1)


class ReformEffect(Base):
    """The change of a cell's quota a task is to bring."""

    __tablename__ = "reform_effect"
    __table_args__ = (CheckConstraint("posts <> 0", name="posts"),)
    task_no: Mapped[str] = mapped_column(ForeignKey("reform_task.number"), primary_key=True)
    post_type: Mapped[str] = mapped_column(TYPE, primary_key=True)
    fund_form: Mapped[str] = mapped_column(FORM, primary_key=True)
    posts: Mapped[int]


class ReformLink(Base):
    """A document by which a task was carried out: its movements of the unit's posts, its 三定 version, count."""

    __tablename__ = "reform_link"
    task_no: Mapped[str] = mapped_column(ForeignKey("reform_task.number"), primary_key=True)
    doc_no: Mapped[str] = mapped_column(DOCUMENT, primary_key=True)
    linked_by: Mapped[str] = mapped_column(LOGIN)
    linked_at: Mapped[datetime] = mapped_column(Instant)


class ReformStep(Base):
    """One step of a task."""

    __tablename__ = "reform_step"
    __table_args__ = (Index("ix_reform_step_task", "task_no", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    task_no: Mapped[str] = mapped_column(ForeignKey("reform_task.number"))
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(LOGIN)
    move: Mapped[str] = mapped_column(String(16))
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str] = mapped_column(String(16))
    note: Mapped[str | None] = mapped_column(Text)
