"""What the API of the gate gives, as its document says it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, create_model


class GateReceipt(BaseModel):
    """What was done, as it is answered again for the same Idempotency-Key; only what applies is there."""

    plan: str | None = None
    consultation: str | None = None
    application: str | None = None
    status: str | None = None
    passed: int | None = None
    figures: dict[str, Any] | None = None
    yearly_cost: int | None = None
    permit_no: str | None = None
    slot: str | None = None
    slots: list[str] | None = None
    valid_until: date | None = None
    movement: int | None = None
    movements: list[int] | None = None
    late: int | None = None
    notices: int | None = None
    pay_from: str | None = None
    planned: date | None = None
    dead: list[str] | None = None
    first_unpaid: str | None = None
    opened: list[str] | None = None
    unit: str | None = None
    node: str | None = None
    units: list[str] | None = None
    waiver: str | None = None
    notice: int | None = None
    block: int | None = None


class WorkOut(BaseModel):
    """Something that waits for the token's person. subject: PLAN, CONSULTATION, APPLICATION, SLOT, NOTICE or BLOCK."""

    subject: str
    number: str
    unit_code: str
    move: str
    since: date | None


class WorkList(BaseModel):
    """The longest waiting first."""

    items: list[WorkOut]


class GateStepOut(BaseModel):
    """One step of a life."""

    at: datetime
    actor: str
    acting_for: str | None
    move: str
    from_status: str | None
    to_status: str
    movement_seq: int | None
    note: str | None


class GateOfferOut(BaseModel):
    """A move, whether the token's person may make it now, and the sentence that says why not."""

    move: str
    allowed: bool
    sentence: str


class PlanOut(BaseModel):
    """年度用编计划."""

    number: str
    unit_code: str
    year: int
    reason: str
    status: str
    applicant: str
    submitted_on: date
    decided_by: str | None
    decided_on: date | None
    document_no: str | None


class PlanLineOut(BaseModel):
    """A cell of a plan: asked for, passed, and the figures when it was asked."""

    post_type: str
    fund_form: str
    posts: int
    passed: int | None
    figures: dict[str, Any]


class TalkOut(BaseModel):
    """增人事先沟通."""

    number: str
    unit_code: str
    post_type: str
    fund_form: str
    entry_form: str
    leader_tier: str | None
    posts: int
    reason: str
    status: str
    applicant: str
    asked_on: date
    leader_posts: int | None
    leaders: int | None
    opinion: str | None
    decided_by: str | None
    decided_on: date | None
    figures: dict[str, Any]


class UseOut(BaseModel):
    """申请用编; once signed also the permit. yearly_cost: yuan. figures: of the moment of each step."""

    number: str
    unit_code: str
    post_type: str
    fund_form: str
    posts: int
    year: int
    entry_form: str
    work_kind: str
    leader_tier: str | None
    from_unit: str | None
    from_level: str | None
    from_fund_form: str | None
    waiver_no: str | None
    consultation_no: str | None
    outside_document: str | None
    bound_slot: str | None
    reason: str
    status: str
    applicant: str
    submitted_on: date | None
    yearly_cost: int
    cost_confirmed_by: str | None
    cost_confirmed_on: date | None
    reviewed_by: str | None
    reviewed_on: date | None
    decided_by: str | None
    granted_on: date | None
    permit_no: str | None
    valid_until: date | None
    ended_on: date | None
    figures: dict[str, Any]


class PostOut(BaseModel):
    """A slot: one post, one number, one person (masked). exit_date: first day no longer in post."""

    slot_no: str
    source: str
    application_no: str | None
    permit_no: str | None
    unit_code: str
    post_type: str
    fund_form: str
    work_kind: str | None
    leader_tier: str | None
    status: str
    issued_on: date
    person: str | None
    entry_form: str | None
    entry_date: date | None
    entry_registered: date | None
    from_unit: str | None
    waiver_no: str | None
    papers_on: date | None
    pay_from: str | None
    planned_exit: date | None
    exit_date: date | None
    exit_reason: str | None
    exit_registered: date | None
    first_unpaid: str | None
    cancelled_on: date | None


class StaffNoticeOut(BaseModel):
    """入编 or 减编通知单 to one receiver. age: days it has waited, null once acknowledged or withdrawn. attempts: how often a
    program was handed it; last and next: the days of it."""

    id: int
    slot_no: str
    unit_code: str
    unit_name: str
    kind: str
    receiver: str
    status: str
    effective: date
    month: str
    queued_on: date
    sent_on: date | None
    acknowledged_on: date | None
    acknowledged_by: str | None
    age: int | None
    overdue: bool
    attempts: int
    last: date | None
    next: date | None


class BlockOut(BaseModel):
    """A late entry or exit. registered_on null: still not registered. due_note: how due_on was counted where the holidays
    of a year on the way were not published."""

    id: int
    slot_no: str
    unit_code: str
    kind: str
    changed_on: date
    due_on: date
    due_note: str | None
    registered_on: date | None
    released_on: date | None
    released_by: str | None
    reason: str | None


class WaiverOut(BaseModel):
    """豁免."""

    number: str
    unit_code: str
    reason: str
    valid_from: date
    valid_until: date
    granted_by: str


class CheckLineOut(BaseModel):
    """One check by itself. need: how much of `remedy` would make it pass."""

    check: str
    allowed: bool
    answer: str
    sentence: str
    remedy: str | None
    need: int


class UseCheckOut(BaseModel):
    """What an application would be told now; nothing was written."""

    passes: bool
    checks: list[CheckLineOut]
    figures: dict[str, Any]
    yearly_cost: int


def page_of(name: str, item: type[BaseModel]) -> type[BaseModel]:
    """The model of one page of a list."""
    return create_model(name, __doc__="One page, and how many there are.", total=(int, ...), page=(int, ...),
                        page_size=(int, ...), items=(list[item], ...))  # fmt: skip


def life_of(name: str, row: type[BaseModel], **more: Any) -> type[BaseModel]:
    """The model of a row with its life and the moves on it."""
    return create_model(name, __doc__="With its life, and what the token's person may do.", row=(row, ...),
                        history=(list[GateStepOut], ...), moves=(list[GateOfferOut], ...), **more)  # fmt: skip


PlanList, TalkList, UseList = page_of("PlanList", PlanOut), page_of("TalkList", TalkOut), page_of("UseList", UseOut)
PostList, StaffNoticeList = page_of("PostList", PostOut), page_of("StaffNoticeList", StaffNoticeOut)
BlockList, WaiverList = page_of("BlockList", BlockOut), page_of("WaiverList", WaiverOut)
PlanDetail = life_of("PlanDetail", PlanOut, lines=(list[PlanLineOut], ...))
TalkDetail = life_of("TalkDetail", TalkOut)
UseDetail = life_of("UseDetail", UseOut, slots=(list[PostOut], ...))
PostDetail = life_of("PostDetail", PostOut, units=(list[PostOut], ...))


class ExitList(BaseModel):
    """Announced exits nobody registered yet, the next first: what a permit may be bound to."""

    items: list[PostOut]


class GateUnitOut(BaseModel):
    """One unit's gate at a glance. certificate_due: why its certificate is due, null: it is not."""

    unit_code: str
    applications: int
    permits: int
    open_slots: int
    coming_exits: int
    unanswered: int
    blocks: int
    certificate_due: str | None
    slots: list[PostOut]
