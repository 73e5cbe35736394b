"""Tables of the pool. Movements, entries, lots and steps are append-only (triggers refuse UPDATE and DELETE);
balances and sums are caches that must equal what the entries say, which the proof recomputes every night."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant

NODE, TYPE, FORM, PURPOSE = String(80), String(24), String(8), String(32)
NUMBER, DOCUMENT, LOGIN = String(24), String(200), String(64)
APPEND_ONLY = (
    "pool_movement", "pool_entry", "pool_lot", "pool_request_step", "pool_slot_event", "pool_reorganisation",
)  # fmt: skip


class PoolNode(Base):
    """A holder of posts: a unit (`U:code`), or a division at a level (`CITY:370100`). No parent: a root."""

    __tablename__ = "pool_node"
    __table_args__ = (
        CheckConstraint("(kind = 'UNIT') = (unit_code IS NOT NULL)", name="unit"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="parent"),
        Index("ix_pool_node_parent", "parent_id"),
        Index("ix_pool_node_division", "division_code", "level"),
    )
    id: Mapped[str] = mapped_column(NODE, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    unit_code: Mapped[str | None] = mapped_column(String(64), unique=True)
    level: Mapped[str] = mapped_column(String(16))
    division_code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(400))
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("pool_node.id"))
    created_on: Mapped[date] = mapped_column(Date)
    switched_on: Mapped[date | None] = mapped_column(Date)  # from this day our ledger is the unit's LEDGER copy
    closed_on: Mapped[date | None] = mapped_column(Date)


class PoolLimit(Base):
    """A division node's limits in one partition; purpose '' = all purposes. No row: unlimited, floor 0."""

    __tablename__ = "pool_limit"
    __table_args__ = (
        CheckConstraint("lend_unlimited = (lend_posts IS NULL) AND coalesce(lend_posts, 0) >= 0", name="lend"),
        CheckConstraint("borrow_unlimited = (borrow_posts IS NULL) AND coalesce(borrow_posts, 0) >= 0", name="borrow"),
        CheckConstraint("floor_posts >= 0", name="floor"),
    )
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"), primary_key=True)
    post_type: Mapped[str] = mapped_column(TYPE, primary_key=True)
    fund_form: Mapped[str] = mapped_column(FORM, primary_key=True)
    purpose: Mapped[str] = mapped_column(PURPOSE, primary_key=True)
    lend_unlimited: Mapped[bool]
    lend_posts: Mapped[int | None]
    borrow_unlimited: Mapped[bool]
    borrow_posts: Mapped[int | None]
    floor_posts: Mapped[int]
    set_after: Mapped[int] = mapped_column(BigInteger)  # the last movement when they were set: what was over already


class PoolDocument(Base):
    """A document a movement rests on."""

    __tablename__ = "pool_document"
    doc_no: Mapped[str] = mapped_column(DOCUMENT, primary_key=True)
    doc_date: Mapped[date | None] = mapped_column(Date)
    registered_by: Mapped[str] = mapped_column(LOGIN)
    registered_at: Mapped[datetime] = mapped_column(Instant)


class PoolMovement(Base):
    """One movement. seq is the place in the hash chain; the hash covers every column here and all entries.

    to_holder: the borrower of ASK, DROP, LEND, RETURN, SWAP, else who gets the posts. rests_on: the movement without
    which this one would not be.
    """

    __tablename__ = "pool_movement"
    __table_args__ = (
        CheckConstraint("posts > 0", name="posts"),
        Index("ix_pool_movement_request", "request_no"),
        Index("ix_pool_movement_rests", "rests_on"),
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16))
    effective_date: Mapped[date] = mapped_column(Date)
    booked_at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(LOGIN)
    post_type: Mapped[str] = mapped_column(TYPE)
    fund_form: Mapped[str] = mapped_column(FORM)
    purpose: Mapped[str] = mapped_column(PURPOSE)
    posts: Mapped[int]
    from_holder: Mapped[str | None] = mapped_column(ForeignKey("pool_node.id"))
    to_holder: Mapped[str | None] = mapped_column(ForeignKey("pool_node.id"))
    document_no: Mapped[str | None] = mapped_column(ForeignKey("pool_document.doc_no"))
    central_no: Mapped[str | None] = mapped_column(DOCUMENT)
    source: Mapped[str | None] = mapped_column(String(16))
    request_no: Mapped[str | None] = mapped_column(ForeignKey("pool_request.number"))
    loan_no: Mapped[str | None] = mapped_column(NUMBER)
    slot_no: Mapped[str | None] = mapped_column(NUMBER)
    rests_on: Mapped[int | None] = mapped_column(ForeignKey("pool_movement.seq"))
    reverses: Mapped[int | None] = mapped_column(ForeignKey("pool_movement.seq"), unique=True)
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)


class PoolEntry(Base):
    """Signed posts on one balance. effective_date repeats the movement's, for balances by day."""

    __tablename__ = "pool_entry"
    __table_args__ = (
        CheckConstraint("posts <> 0", name="posts"),
        UniqueConstraint("movement_seq", "account", "holder", "post_type", "fund_form", "purpose", "lot"),
        Index("ix_pool_entry_key", "holder", "post_type", "fund_form", "effective_date"),
        Index("ix_pool_entry_day", "post_type", "fund_form", "effective_date"),
    )
    movement_seq: Mapped[int] = mapped_column(ForeignKey("pool_movement.seq"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(String(12))
    holder: Mapped[str] = mapped_column(NODE)
    post_type: Mapped[str] = mapped_column(TYPE)
    fund_form: Mapped[str] = mapped_column(FORM)
    purpose: Mapped[str] = mapped_column(PURPOSE)
    lot: Mapped[int] = mapped_column(BigInteger)
    posts: Mapped[int]
    effective_date: Mapped[date] = mapped_column(Date)


class PoolLot(Base):
    """Posts that entered the pool together: number of their DEPOSIT, owner, the node whose pool it is."""

    __tablename__ = "pool_lot"
    __table_args__ = (Index("ix_pool_lot_stock", "post_type", "fund_form", "purpose", "node_id"),)
    lot_no: Mapped[int] = mapped_column(ForeignKey("pool_movement.seq"), primary_key=True, autoincrement=False)
    owner_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    post_type: Mapped[str] = mapped_column(TYPE)
    fund_form: Mapped[str] = mapped_column(FORM)
    purpose: Mapped[str] = mapped_column(PURPOSE)
    source: Mapped[str] = mapped_column(String(16))
    since: Mapped[date] = mapped_column(Date)


class PoolBalance(Base):
    """What all booked entries of a key add up to."""

    __tablename__ = "pool_balance"
    __table_args__ = (
        CheckConstraint("posts >= 0 OR account IN ('authority', 'home', 'borrowed')", name="posts"),
        Index("ix_pool_balance_holder", "holder", "post_type", "fund_form"),
        Index("ix_pool_balance_lot", "lot"),
    )
    account: Mapped[str] = mapped_column(String(12), primary_key=True)
    holder: Mapped[str] = mapped_column(NODE, primary_key=True)
    post_type: Mapped[str] = mapped_column(TYPE, primary_key=True)
    fund_form: Mapped[str] = mapped_column(FORM, primary_key=True)
    purpose: Mapped[str] = mapped_column(PURPOSE, primary_key=True)
    lot: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    posts: Mapped[int]


class PoolSum(Base):
    """own and T of a node in one partition, of all booked entries; purpose '' = all purposes."""

    __tablename__ = "pool_sum"
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"), primary_key=True)
    post_type: Mapped[str] = mapped_column(TYPE, primary_key=True)
    fund_form: Mapped[str] = mapped_column(FORM, primary_key=True)
    purpose: Mapped[str] = mapped_column(PURPOSE, primary_key=True)
    own: Mapped[int]
    lends: Mapped[int]  # posts deposited: a unit's lending limit
    surplus: Mapped[int]


class PoolRequest(Base):
    """A unit's request. decided_at/_level/_division: whose director decides, once posts were chosen."""

    __tablename__ = "pool_request"
    __table_args__ = (
        CheckConstraint("posts > 0 AND months > 0", name="numbers"),
        CheckConstraint("granted IS NULL OR (granted > 0 AND granted <= posts)", name="granted"),
        Index("ix_pool_request_status", "status", "unit_code"),
    )
    number: Mapped[str] = mapped_column(NUMBER, primary_key=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    unit_code: Mapped[str] = mapped_column(String(64))
    post_type: Mapped[str] = mapped_column(TYPE)
    fund_form: Mapped[str] = mapped_column(FORM)
    purpose: Mapped[str] = mapped_column(PURPOSE)
    posts: Mapped[int]
    months: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)
    central_no: Mapped[str | None] = mapped_column(DOCUMENT)
    exception_doc: Mapped[str | None] = mapped_column(DOCUMENT)
    other_waiver: Mapped[str | None] = mapped_column(DOCUMENT)
    status: Mapped[str] = mapped_column(String(16))
    applicant: Mapped[str] = mapped_column(LOGIN)
    submitted_on: Mapped[date | None] = mapped_column(Date)
    decision_node: Mapped[str | None] = mapped_column(ForeignKey("pool_node.id"))  # whose director decides
    decided_by: Mapped[str | None] = mapped_column(LOGIN)
    decided_on: Mapped[date | None] = mapped_column(Date)
    granted: Mapped[int | None]
    loan_no: Mapped[str | None] = mapped_column(NUMBER)
    version: Mapped[int] = mapped_column(default=1)


class PoolRequestStep(Base):
    """One step on a request, by a person (for another by delegation) or by the night."""

    __tablename__ = "pool_request_step"
    __table_args__ = (Index("ix_pool_request_step", "request_no", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    request_no: Mapped[str] = mapped_column(ForeignKey("pool_request.number"))
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(LOGIN)
    acting_for: Mapped[str | None] = mapped_column(LOGIN)
    move: Mapped[str] = mapped_column(String(16))
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str] = mapped_column(String(16))
    posts: Mapped[int | None]
    note: Mapped[str | None] = mapped_column(Text)


class PoolLoan(Base):
    """What an approval granted: borrower, document, term. Its state is that of its slots."""

    __tablename__ = "pool_loan"
    __table_args__ = (CheckConstraint("posts > 0 AND months > 0 AND renewals >= 0", name="numbers"),)
    loan_no: Mapped[str] = mapped_column(NUMBER, primary_key=True)
    request_no: Mapped[str] = mapped_column(ForeignKey("pool_request.number"))
    movement_seq: Mapped[int] = mapped_column(ForeignKey("pool_movement.seq"), unique=True)
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    unit_code: Mapped[str] = mapped_column(String(64))
    post_type: Mapped[str] = mapped_column(TYPE)
    fund_form: Mapped[str] = mapped_column(FORM)
    purpose: Mapped[str] = mapped_column(PURPOSE)
    posts: Mapped[int]
    document_no: Mapped[str] = mapped_column(DOCUMENT)
    start_date: Mapped[date] = mapped_column(Date)
    months: Mapped[int]
    due_date: Mapped[date] = mapped_column(Date)
    renewals: Mapped[int]
    backed: Mapped[int]  # posts covered by coming retirements (R06)


class PoolSlot(Base):
    """One lent post: one number, one named person (key and mask only), one lender."""

    __tablename__ = "pool_slot"
    __table_args__ = (
        CheckConstraint("(person_key IS NULL) = (filled_on IS NULL)", name="person"),
        CheckConstraint("(ended_on IS NULL) = (status NOT IN ('RETURNED', 'LAPSED'))", name="ended"),
        CheckConstraint("due_date >= issued_on", name="dates"),
        Index("ix_pool_slot_unit", "unit_code", "status"),
        Index("ix_pool_slot_loan", "loan_no"),
        Index("ix_pool_slot_lot", "lot_no"),
        Index("ix_pool_slot_due", "status", "due_date"),
        Index("ix_pool_slot_person", "person_key"),
        Index(
            "uq_pool_slot_live_person",
            "person_key",
            unique=True,
            sqlite_where=text("ended_on IS NULL"),
            postgresql_where=text("ended_on IS NULL"),
        ),
    )
    slot_no: Mapped[str] = mapped_column(NUMBER, primary_key=True)
    loan_no: Mapped[str] = mapped_column(ForeignKey("pool_loan.loan_no"))
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    unit_code: Mapped[str] = mapped_column(String(64))
    post_type: Mapped[str] = mapped_column(TYPE)
    fund_form: Mapped[str] = mapped_column(FORM)
    purpose: Mapped[str] = mapped_column(PURPOSE)
    lot_no: Mapped[int] = mapped_column(ForeignKey("pool_lot.lot_no"))
    lender_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    status: Mapped[str] = mapped_column(String(16))
    issued_on: Mapped[date] = mapped_column(Date)
    due_date: Mapped[date] = mapped_column(Date)
    person_key: Mapped[str | None] = mapped_column(String(32))
    person_mask: Mapped[str | None] = mapped_column(String(40))
    filled_on: Mapped[date | None] = mapped_column(Date)
    fill_seq: Mapped[int | None] = mapped_column(ForeignKey("pool_movement.seq"))
    recalled_on: Mapped[date | None] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)
    own_slot_no: Mapped[str | None] = mapped_column(NUMBER)  # after a swap: the person's number on an own post
    version: Mapped[int] = mapped_column(default=1)


class PoolSlotEvent(Base):
    """One step in a slot's life."""

    __tablename__ = "pool_slot_event"
    __table_args__ = (Index("ix_pool_slot_event", "slot_no", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    slot_no: Mapped[str] = mapped_column(ForeignKey("pool_slot.slot_no"))
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(LOGIN)
    move: Mapped[str] = mapped_column(String(16))
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str] = mapped_column(String(16))
    movement_seq: Mapped[int | None] = mapped_column(ForeignKey("pool_movement.seq"))
    note: Mapped[str | None] = mapped_column(Text)
    due_before: Mapped[date | None] = mapped_column(Date)  # where the step moved it: the last good day before


class PoolSuggestion(Base):
    """What a night proposes for a slot: SWAP, WITHDRAW (never filled) or RETURN (an exit seen in a roster)."""

    __tablename__ = "pool_suggestion"
    __table_args__ = (Index("ix_pool_suggestion_slot", "slot_no"),)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    slot_no: Mapped[str] = mapped_column(ForeignKey("pool_slot.slot_no"), primary_key=True)
    as_of: Mapped[date] = mapped_column(Date, primary_key=True)
    closed_on: Mapped[date | None] = mapped_column(Date)


class PoolDelegation(Base):
    """Who may act for whom, from a day to a day."""

    __tablename__ = "pool_delegation"
    __table_args__ = (
        CheckConstraint("valid_to >= valid_from", name="dates"),
        CheckConstraint("giver <> taker", name="people"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    giver: Mapped[str] = mapped_column(LOGIN)
    taker: Mapped[str] = mapped_column(LOGIN)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date] = mapped_column(Date)  # last good day
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)


class PoolReorganisation(Base):
    """A change of the tree, with T of every node before and after (JSON)."""

    __tablename__ = "pool_reorganisation"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(LOGIN)
    kind: Mapped[str] = mapped_column(String(16))
    node_id: Mapped[str] = mapped_column(ForeignKey("pool_node.id"))
    target_id: Mapped[str | None] = mapped_column(ForeignKey("pool_node.id"))
    document_no: Mapped[str] = mapped_column(ForeignKey("pool_document.doc_no"))
    effective_date: Mapped[date] = mapped_column(Date)
    proof: Mapped[str] = mapped_column(Text)


class PoolCommand(Base):
    """An idempotency key, what was asked under it, and the answer to replay."""

    __tablename__ = "pool_command"
    actor: Mapped[str] = mapped_column(LOGIN, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(100), primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    body_hash: Mapped[str] = mapped_column(String(64))
    answer: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class PoolCounter(Base):
    """The last number given of a series."""

    __tablename__ = "pool_counter"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[int]


class Strength(Base):
    """In post per cell on the newest settled night (`strength`, DOMAIN §3); month '' . Other months: retirements due."""

    __tablename__ = "strength"
    unit_code: Mapped[str] = mapped_column(String(64), primary_key=True)
    post_type: Mapped[str] = mapped_column(TYPE, primary_key=True)
    fund_form: Mapped[str] = mapped_column(FORM, primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    people: Mapped[int]
    as_of: Mapped[date] = mapped_column(Date)


class DivisionTotal(Base):
    """Q08's limit of a division and type, from the newest settled night's base book (R17)."""

    __tablename__ = "division_total"
    division_code: Mapped[str] = mapped_column(String(32), primary_key=True)
    post_type: Mapped[str] = mapped_column(TYPE, primary_key=True)
    posts: Mapped[int]
