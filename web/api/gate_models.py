"""What the API of the gate takes. Bodies are made from `staffing.acts`, so that they name what the commands do."""

from __future__ import annotations

from datetime import date
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


class SplitPart(Strict):
    """What one unit gets: posts with the people on them by slot number, and vacant posts."""

    unit_code: Annotated[str, Field(min_length=1, max_length=64)]
    slot_nos: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=24)]], Field(default_factory=list, max_length=500)
    ]
    vacant: Annotated[list[PlanLine], Field(default_factory=list, max_length=50)]


# Types of arguments by name; what is not here is a short text.
KINDS: dict[str, Any] = {
    "post_type": PostType, "fund_form": FundForm, "entry_form": EntryForm, "work_kind": WorkKind, "id_type": IdType,
    "leader_tier": LeaderTier, "from_level": Level, "from_fund_form": FundForm, "posts": Posts, "yearly_cost": Money,
    "leader_posts": Count, "leaders": Count, "agrees": bool, "draft": bool, "closes": bool, "parts": SplitPart,
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


class StaffNoticePath(BaseModel):
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


class StaffNoticeQuery(UnitQuery):
    """Which notices: open_only leaves out those acknowledged and withdrawn."""

    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(100, ge=1, le=PAGE_MAX)
    open_only: bool = False
    receiver: Literal["PERSONNEL", "FINANCE", "INSURANCE"] | None = None
