"""What the API of the gate takes and gives. Bodies are made from `staffing.acts`, so that they name what the commands do."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from core.types import EntryForm, FundForm, IdType, LeaderTier, Level, PostType, WorkKind
from pool.acts import Deed
from staffing.chain import Status
from web.api.models import PAGE_MAX, Strict
from web.api.pool_models import WHOLE, Count, Number, PageQuery, Posts

MOST_YUAN = 10**11
GateStatus = StrEnum("GateStatus", {status.value: status.value for status in Status})
Text = Annotated[str, Field(min_length=1, max_length=4000)]
Short = Annotated[str, Field(min_length=1, max_length=200)]
Money = Annotated[int, Field(ge=0, le=MOST_YUAN, strict=True), WHOLE]
RowId = Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]


class PlanLine(Strict):
    """Posts of one cell."""

    post_type: PostType
    fund_form: FundForm
    posts: Annotated[int, Field(ge=0, le=1_000_000, strict=True), WHOLE]


# Types of arguments by name; what is not here is a short text.
KINDS: dict[str, Any] = {
    "post_type": PostType, "fund_form": FundForm, "entry_form": EntryForm, "work_kind": WorkKind, "id_type": IdType,
    "leader_tier": LeaderTier, "from_level": Level, "from_fund_form": FundForm, "posts": Posts, "yearly_cost": Money,
    "leader_posts": Count, "leaders": Count, "agrees": bool, "draft": bool,
    "year": Annotated[int, Field(ge=1000, le=2999, strict=True), WHOLE], "lines": PlanLine,
    "month": Annotated[str, Field(pattern=r"^[12][0-9]{3}-(0[1-9]|1[0-2])$")],
    **dict.fromkeys(("planned", "exit_date", "entry_date", "effective", "valid_from", "valid_until"), date),
    **dict.fromkeys(("reason", "note", "opinion"), Text),
}  # fmt: skip


def body_of(deed: Deed, *named: str) -> type[BaseModel]:
    """The body of a deed; named: arguments the address has already."""
    fields: dict[str, Any] = {}
    for argument in deed.arguments:
        if argument.name in named:
            continue
        kind = list[PlanLine] if argument.name == "passed" else KINDS.get(argument.name, Short)
        if argument.many:
            kind = Annotated[list[kind], Field(min_length=1, max_length=500)]
        about = Field(description=argument.help) if argument.required else Field(None, description=argument.help)
        fields[argument.name] = (kind if argument.required else kind | None, about)
    name = "".join(part.title() for part in deed.name.split("-"))
    return create_model(f"Gate{name}Body", __base__=Strict, __doc__=deed.help, **fields)


class PlanPath(BaseModel):
    """One plan."""

    plan_no: Number


class TalkPath(BaseModel):
    """One consultation."""

    talk_no: Number


class UsePath(BaseModel):
    """One application."""

    use_no: Number


class UseFormPath(UsePath):
    """approval: 编制使用审批表; notice: 用编通知单."""

    form: Literal["approval", "notice"]


class PostPath(BaseModel):
    """One slot number."""

    post_no: Number


class PostFormPath(PostPath):
    """entry: 入编通知单; exit: 减编通知单; the person masked."""

    form: Literal["entry", "exit"]


class NoticePath(BaseModel):
    """One notice."""

    notice_id: RowId


class BlockPath(BaseModel):
    """One block."""

    block_id: RowId


class RowsQuery(PageQuery):
    """Which rows."""

    status: GateStatus | None = None
    unit: str | None = Field(None, min_length=1, max_length=64)


class UnitQuery(Strict):
    """Of one unit alone."""

    unit: str | None = Field(None, min_length=1, max_length=64)


class NoticeQuery(UnitQuery):
    """Which notices: open_only leaves out those acknowledged and withdrawn."""

    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(100, ge=1, le=PAGE_MAX)
    open_only: bool = False
    receiver: Literal["PERSONNEL", "FINANCE", "INSURANCE"] | None = None


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
    waiver: str | None = None
    notice: int | None = None
    block: int | None = None
    node: str | None = None
    kind: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


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


class NoticeOut(BaseModel):
    """入编 or 减编通知单 to one receiver. age: days it has waited, null once acknowledged or withdrawn."""

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


class BlockOut(BaseModel):
    """A late entry or exit. registered_on null: still not registered."""

    id: int
    slot_no: str
    unit_code: str
    kind: str
    changed_on: date
    due_on: date
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
PostList, NoticeList = page_of("PostList", PostOut), page_of("NoticeList", NoticeOut)
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
