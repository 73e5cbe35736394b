"""What the API of the pool takes, as its document says it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from core.types import FundForm, PostType
from pool.approvals import Status
from pool.foresight import KINDS
from pool.ledger import MOST_POSTS, Source
from web.api.models import PAGE_MAX, Strict
from web.pool_moves import LOAN_STEPS, REQUEST_STEPS, SLOT_STEPS


def _whole(value: object) -> object:
    """JSON knows no integers: 3.0 is 3. What is not whole stays as it is, to be refused."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
# Numbers of posts are parsed by the pool itself, which has a sentence for everything that is none.
Posts = Annotated[
    Any, WHOLE, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": MOST_POSTS, "title": "Posts"})
]
Count = Annotated[int, Field(ge=0, le=MOST_POSTS, strict=True), WHOLE]
Limit = Count | Literal["unlimited"]
# No \s: what counts as a space differs between the readers of a pattern.
Node = Annotated[str, Field(min_length=3, max_length=80, pattern=r"^[A-Z]+:[^\x00-\x20\x7f-\xa0/]+$")]
Document = Annotated[str, Field(min_length=1, max_length=200)]
Number = Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[A-Z0-9-]+$")]
Purpose = Annotated[str, Field(min_length=1, max_length=32)]
Months = Annotated[int, Field(ge=1, le=1200, strict=True), WHOLE]
Seq = Annotated[int, Field(ge=1, le=2**53), WHOLE]
_named = lambda name, steps: StrEnum(name, {step.upper().replace("-", "_"): step for step in steps})
RequestStep = _named("RequestStep", REQUEST_STEPS)
LoanStep = _named("LoanStep", LOAN_STEPS)
SlotStep = _named("SlotStep", SLOT_STEPS)
RequestStatus = StrEnum("RequestStatus", {status.value: status.value for status in Status})
SuggestionKind = StrEnum("SuggestionKind", {kind: kind for kind in ("SWAP", "WITHDRAW", "RETURN")})
SupposedKind = StrEnum("SupposedKind", {kind: kind for kind in KINDS})
SourceName = StrEnum("SourceName", {source.value: source.value for source in Source})


class Keyed(BaseModel):
    """The headers of everything that changes the pool."""

    model_config = ConfigDict(extra="ignore")
    idempotency_key: str = Field(
        alias="Idempotency-Key", pattern=r"^[!-~]{1,100}$",
        description="Chosen by the caller, one for each act. The same key with the same body answers the same again; "
        "with another body 409.",
    )  # fmt: skip
    acting_for: str = Field(
        "", alias="Acting-For", pattern=r"^[!-~]{0,64}$", description="Login of the person acted for, by delegation."
    )


class NodePath(BaseModel):
    """One node: a unit (`U:3701001`) or a division at its level (`CITY:370100`)."""

    node: Node


class RequestPath(BaseModel):
    """One request."""

    number: Number


class RequestStepPath(RequestPath):
    """A step on one request."""

    step: RequestStep


class LoanPath(BaseModel):
    """One loan."""

    loan_no: Number


class LoanStepPath(LoanPath):
    """A step on one loan."""

    step: LoanStep


class SlotStepPath(BaseModel):
    """A step on one slot."""

    slot_no: Number
    step: SlotStep


class MovementPath(BaseModel):
    """One movement."""

    seq: Seq


class DelegationPath(BaseModel):
    """One delegation of one's own."""

    delegation_id: Seq


class CellQuery(Strict):
    """One cell of the node."""

    post_type: PostType
    fund_form: FundForm


class PageQuery(Strict):
    """Which page."""

    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(100, ge=1, le=PAGE_MAX)


class RequestQuery(PageQuery):
    """Which requests."""

    status: RequestStatus | None = None
    unit: str | None = Field(None, min_length=1, max_length=64)


class LoanQuery(PageQuery):
    """Which loans. live: only those with posts not yet given back."""

    unit: str | None = Field(None, min_length=1, max_length=64)
    live: bool = True


class SuggestionQuery(PageQuery):
    """Which proposals of the night."""

    kind: SuggestionKind | None = None
    unit: str | None = Field(None, min_length=1, max_length=64)


class DelegationQuery(PageQuery):
    """Which delegations. live: only those in force or still to come."""

    live: bool = True


class WishBody(Strict):
    """What a unit asks for. Documents: the central approval number, the one for an exception upwards, the one that
    waives the vacancy in another fund form."""

    unit_code: str = Field(min_length=1, max_length=64)
    post_type: PostType
    fund_form: FundForm
    purpose: Purpose
    posts: Posts
    months: Months
    reason: str = Field(min_length=1, max_length=4000)
    central_no: Document | None = None
    exception_doc: Document | None = None
    other_waiver: Document | None = None


class RequestBody(WishBody):
    """A request; a draft holds no posts. wait: where there are none, wait for some in the order of R15."""

    draft: bool = False
    wait: bool = False


class RequestStepBody(Strict):
    """What a step needs: `reason` to refuse, `posts` (none: all) and `document_no` to approve, `wait` to submit where
    there is no stock."""

    wait: bool = False
    posts: Posts | None = None
    document_no: Document | None = None
    note: str | None = Field(None, max_length=4000)
    reason: str | None = Field(None, max_length=4000)


class LoanStepBody(Strict):
    """What a step needs: `slots` or `posts` to return, `slots` and `reason` to recall, `months` and `reason` to renew."""

    slots: list[Number] | None = Field(None, max_length=500)
    posts: Posts | None = None
    months: Months | None = None
    reason: str | None = Field(None, max_length=4000)


class SlotStepBody(Strict):
    """What a step needs: `identity` (the full number, of which only a keyed hash and a mask are kept) to fill;
    `day` of entry or exit, today by default."""

    identity: str | None = Field(None, min_length=1, max_length=40)
    day: date | None = None


class CellBody(Strict):
    """Posts of one cell. effective: today by default."""

    post_type: PostType
    fund_form: FundForm
    posts: Posts
    effective: date | None = None


class GrantBody(CellBody):
    """GRANT or CUT, by a document."""

    holder: Node
    document_no: Document


class TransferBody(CellBody):
    """TRANSFER of ownership; `people` of the posts move with the person on them."""

    giver: Node
    taker: Node
    document_no: Document
    people: Count = 0
    central_no: Document | None = None


class DepositBody(CellBody):
    """DEPOSIT into a division's pool. giver: none for TOTAL_SLICE alone."""

    pool_node: Node
    purpose: Purpose
    source: SourceName
    document_no: Document
    giver: Node | None = None
    central_no: Document | None = None


class WithdrawalBody(Strict):
    """WITHDRAW idle posts of a lot; lot_no is the number of its DEPOSIT."""

    lot_no: Seq
    posts: Posts
    document_no: Document
    effective: date | None = None


class PartitionBody(Strict):
    """A post type in a fund form."""

    post_type: PostType
    fund_form: FundForm


class ConversionBody(Strict):
    """CONVERSION of vacant posts into another type or fund form."""

    holder: Node
    source: PartitionBody
    target: PartitionBody
    posts: Posts
    document_no: Document
    effective: date | None = None


class ReserveBody(CellBody):
    """RESERVE of vacant posts, with the word that says why (`PERMIT`: an open permit)."""

    holder: Node
    reason: str = Field(min_length=1, max_length=16)


class ReservePath(BaseModel):
    """One reserve, by the number of its RESERVE."""

    seq: Seq


class ReserveStepPath(ReservePath):
    """What becomes of a reserve."""

    step: Literal["release", "fill"]


class CountBody(Strict):
    """So many posts. effective: today by default."""

    posts: Posts
    effective: date | None = None


class VacancyBody(CellBody):
    """VACATE: people leave own posts."""

    holder: Node


class ReverseBody(Strict):
    """The document a REVERSE rests on."""

    document_no: Document


class LimitsBody(Strict):
    """Limits of a node in one partition; `purpose` empty: all purposes together. floor: only where no node stands above."""

    post_type: PostType
    fund_form: FundForm
    purpose: str = Field("", max_length=32)
    lend: Limit
    borrow: Limit
    floor: Count = 0


class ReorganiseBody(Strict):
    """REPARENT under or MERGE into `target`, RENAME to `name`, or ABOLISH. A split is POST /staffing/splits. central_no:
    of a merger between levels."""

    kind: Literal["REPARENT", "MERGE", "RENAME", "ABOLISH"]
    target: Node | None = None
    name: str | None = Field(None, min_length=2, max_length=200)
    document_no: Document
    central_no: Document | None = None
    effective: date | None = None


class SwitchBody(Strict):
    """From this day on the unit's ledger and gate are the source."""

    on: date


class WhatIfBody(Strict):
    """CUT and RECALL need a partition and posts; MERGE, REPARENT and RECALL a target (into, parent, borrower)."""

    kind: SupposedKind
    node: Node
    target: Node | None = None
    post_type: PostType | None = None
    fund_form: FundForm | None = None
    posts: Posts | None = None


class DelegationBody(Strict):
    """Who may act for the token's person, from a day to the last good day."""

    taker: str = Field(min_length=1, max_length=64)
    valid_from: date
    valid_to: date
