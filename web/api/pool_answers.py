"""What the API of the pool gives, as its document says it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel


class ReceiptOut(BaseModel):
    """What was done, as it is answered again for the same Idempotency-Key; only what applies is there."""

    request: str | None = None
    status: str | None = None
    waiting: bool | None = None
    decision_node: str | None = None
    rule: str | None = None
    lots: list[list[int | str]] | None = None
    loan: str | None = None
    granted: int | None = None
    given_back: int | None = None
    slot: str | None = None
    slots: list[str] | None = None
    own_slot: str | None = None
    due_date: date | None = None
    movement: int | None = None
    movements: list[int] | None = None
    home: list[int] | None = None
    awaiting: list[str] | None = None
    reverses: int | None = None
    also: list[int] | None = None
    document_no: str | None = None
    node: str | None = None
    kind: str | None = None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    delegation: int | None = None
    switched_on: date | None = None


class NodeOut(BaseModel):
    """A node. For a unit `unit_code`; parent null: a root."""

    id: str
    kind: str
    name: str
    level: str
    division_code: str
    unit_code: str | None
    parent_id: str | None
    switched_on: date | None


class NodeList(BaseModel):
    """Nodes of the scope."""

    total: int
    page: int
    page_size: int
    items: list[NodeOut]


class StockOut(BaseModel):
    """Posts in a node's pool, of one partition and purpose."""

    node: str
    name: str
    level: str
    post_type: str
    fund_form: str
    purpose: str
    idle: int
    pending: int
    lent: int


class StockList(BaseModel):
    """The pools the person's units may borrow from."""

    items: list[StockOut]


class PoolCellOut(BaseModel):
    """A cell today. usable: posts a person may still be put on; allowed: posts its people may fill (decision 0005)."""

    post_type: str
    fund_form: str
    quota: int
    in_post: int
    borrowed: int
    lent: int
    deposited: int
    open_permits: int
    other_reserves: int
    usable: int
    allowed: int


class CellList(BaseModel):
    """The cells of a node as of a day of the office's calendar."""

    node: str
    as_of: date
    items: list[PoolCellOut]


class MovementOut(BaseModel):
    """A movement."""

    seq: int
    kind: str
    effective_date: date
    booked_at: datetime
    actor: str
    post_type: str
    fund_form: str
    purpose: str
    posts: int
    from_holder: str | None
    to_holder: str | None
    document_no: str | None
    central_no: str | None
    source: str | None
    request_no: str | None
    loan_no: str | None
    slot_no: str | None
    rests_on: int | None
    reverses: int | None


class LedgerLineOut(BaseModel):
    """A movement in one cell's ledger: what it changed there, and where the cell stands after it, by column."""

    movement: MovementOut
    changes: dict[str, int]
    after: dict[str, int]


class LedgerOut(BaseModel):
    """A cell's ledger by effective date."""

    node: str
    post_type: str
    fund_form: str
    items: list[LedgerLineOut]


class RequestOut(BaseModel):
    """A request. decision_node: whose director decides."""

    number: str
    node_id: str
    unit_code: str
    post_type: str
    fund_form: str
    purpose: str
    posts: int
    months: int
    reason: str
    central_no: str | None
    exception_doc: str | None
    other_waiver: str | None
    status: str
    applicant: str
    submitted_on: date | None
    decision_node: str | None
    decided_by: str | None
    decided_on: date | None
    granted: int | None
    loan_no: str | None


class RequestList(BaseModel):
    """One page of requests, the newest first."""

    total: int
    page: int
    page_size: int
    items: list[RequestOut]


class StepOut(BaseModel):
    """One step of a request's life."""

    at: datetime
    actor: str
    acting_for: str | None
    move: str
    from_status: str | None
    to_status: str
    posts: int | None
    note: str | None


class OfferOut(BaseModel):
    """A step, whether the token's person may take it now, and the sentence that says why not."""

    step: str
    allowed: bool
    sentence: str


class RequestDetail(BaseModel):
    """A request with its life and the steps on it."""

    request: RequestOut
    waits_for_posts: bool
    history: list[StepOut]
    steps: list[OfferOut]


class SlotOut(BaseModel):
    """One lent post. person: masked, and only for who sees the borrower. badge: SOON, OVER or null."""

    slot_no: str
    status: str
    lender_id: str
    issued_on: date
    due_date: date
    badge: str | None
    person: str | None
    filled_on: date | None
    recalled_on: date | None
    ended_on: date | None
    own_slot_no: str | None


class LoanOut(BaseModel):
    """A loan; status and due date are those of its most urgent live posts. badge: SOON, OVER or null."""

    loan_no: str
    request_no: str
    node_id: str
    unit_code: str
    post_type: str
    fund_form: str
    purpose: str
    posts: int
    live: int
    document_no: str
    start_date: date
    due_date: date
    months: int
    renewals: int
    status: str
    badge: str | None


class LoanList(BaseModel):
    """One page of loans, the newest first."""

    total: int
    page: int
    page_size: int
    items: list[LoanOut]


class SlotEventOut(BaseModel):
    """One step of a slot's life."""

    slot_no: str
    at: datetime
    actor: str
    move: str
    from_status: str | None
    to_status: str
    movement_seq: int | None
    note: str | None


class LoanDetail(BaseModel):
    """A loan with its slots, their lives, and its movements."""

    loan: LoanOut
    slots: list[SlotOut]
    history: list[SlotEventOut]
    movements: list[MovementOut]


class SuggestionOut(BaseModel):
    """A post the night proposes to swap (R09), take back as never filled (R16), or return, its person gone; people sign."""

    kind: str
    as_of: date
    slot_no: str
    loan_no: str
    unit_code: str
    lender_id: str
    post_type: str
    fund_form: str
    purpose: str
    status: str
    due_date: date


class SuggestionList(BaseModel):
    """One page of open proposals, the oldest first."""

    total: int
    page: int
    page_size: int
    items: list[SuggestionOut]


class DelegationOut(BaseModel):
    """Who may act for whom, from a day to a day, the last good one."""

    id: int
    giver: str
    taker: str
    valid_from: date
    valid_to: date
    revoked_at: datetime | None
    in_force: bool


class DelegationList(BaseModel):
    """One page of what the person gave and received, the latest first."""

    total: int
    page: int
    page_size: int
    items: list[DelegationOut]


class PairOut(BaseModel):
    """Live posts from one lender with one borrower."""

    lender: str
    borrower: str
    posts: int
    overdue: int


class PairList(BaseModel):
    """Who lent to whom."""

    items: list[PairOut]


class LevelOut(BaseModel):
    """A node on the way up: idle posts of the purpose in its pool, and T, before and after. borrow_limit null: unlimited."""

    node: str
    name: str
    level: str
    idle_before: int
    idle_after: int
    surplus_before: int
    surplus_after: int
    borrow_limit: int | None


class CheckOut(BaseModel):
    """What a request would answer now; nothing was written. refusal: the sentence and the figures, or null."""

    passes: bool
    levels: list[LevelOut]
    decision_node: str | None
    rule: str | None
    lots: list[list[int | str]]
    refusal: str | None
    details: dict[str, Any]


class TreeOut(BaseModel):
    """One tree before and after a supposed change: T and deficits of the nodes where one of them changes. purpose '': all
    together. binds: by how many posts whose deficit grows; opens_debt: the act is allowed it, and it may then only shrink."""

    post_type: str
    fund_form: str
    purpose: str
    passes: bool
    before: dict[str, int]
    after: dict[str, int]
    deficits_before: dict[str, int]
    deficits_after: dict[str, int]
    binds: dict[str, int]
    opens_debt: bool


class WhatIfOut(BaseModel):
    """What a change would do; nothing was written."""

    passes: bool
    trees: list[TreeOut]
