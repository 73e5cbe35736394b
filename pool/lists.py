"""What a person sees of the pool: stock, requests, loans, ledgers and the matrix, each limited to a scope."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from core.errors import NotFound
from core.permissions import Scope
from core.types import Level
from pool.acting import NOT_HERE
from pool.approvals import Status, most_urgent
from pool.ledger import HELD, NO_PURPOSE, POOLED, Account, Cell
from pool.models import (
    PoolBalance,
    PoolDelegation,
    PoolEntry,
    PoolLoan,
    PoolLot,
    PoolMovement,
    PoolNode,
    PoolRequest,
    PoolRequestStep,
    PoolSlot,
    PoolSlotEvent,
    PoolSuggestion,
)  # fmt: skip
from pool.terms import TermsByPlace

SOON, OVER = "SOON", "OVER"


def seen_nodes(scope: Scope) -> Select:
    """SQL: ids of the nodes a scope reaches, its units and its divisions."""
    return select(PoolNode.id).where(scope.condition(PoolNode.unit_code, PoolNode.division_code))


def seen_node(session: Session, scope: Scope, node_id: str) -> PoolNode:
    """A node within the scope. Errors: NotFound, the same for unknown and unseen."""
    return _one(session, select(PoolNode).where(PoolNode.id == node_id, PoolNode.id.in_(seen_nodes(scope))))


def seen_requests(scope: Scope) -> ColumnElement[bool]:
    """SQL: requests of units seen, and those decided at a node seen."""
    reach = seen_nodes(scope)
    return or_(PoolRequest.node_id.in_(reach), PoolRequest.decision_node.in_(reach))


def seen_request(session: Session, scope: Scope, number: str) -> PoolRequest:
    """A request within the scope. Errors: NotFound."""
    return _one(session, select(PoolRequest).where(PoolRequest.number == number, seen_requests(scope)))


def seen_loans(scope: Scope) -> ColumnElement[bool]:
    """SQL: loans of units seen, of lenders seen, and those decided at a node seen."""
    reach = seen_nodes(scope)
    held, asked = aliased(PoolSlot), aliased(PoolRequest)  # aliases: the query around may read slots and requests too
    lends = exists().where(held.loan_no == PoolLoan.loan_no, held.lender_id.in_(reach))
    decided = exists().where(asked.number == PoolLoan.request_no, asked.decision_node.in_(reach))
    return or_(PoolLoan.node_id.in_(reach), lends, decided)


def seen_loan(session: Session, scope: Scope, loan_no: str) -> PoolLoan:
    """A loan within the scope. Errors: NotFound."""
    return _one(session, select(PoolLoan).where(PoolLoan.loan_no == loan_no, seen_loans(scope)))


def seen_slot(session: Session, scope: Scope, slot_no: str) -> PoolSlot:
    """A slot of a loan within the scope. Errors: NotFound."""
    query = select(PoolSlot).join(PoolLoan, PoolLoan.loan_no == PoolSlot.loan_no)
    return _one(session, query.where(PoolSlot.slot_no == slot_no, seen_loans(scope)))


def seen_movement(session: Session, scope: Scope, seq: int) -> PoolMovement:
    """A movement to or from a node seen. Errors: NotFound."""
    reach = seen_nodes(scope)
    ends = or_(PoolMovement.from_holder.in_(reach), PoolMovement.to_holder.in_(reach))
    return _one(session, select(PoolMovement).where(PoolMovement.seq == seq, ends))


def _one(session: Session, query: Select):
    row = session.scalar(query)
    if row is None:
        raise NotFound(NOT_HERE)
    return row


def nodes_named(session: Session, ids: Iterable[str | None]) -> dict[str, PoolNode]:
    """Nodes by id."""
    wanted = sorted({node_id for node_id in ids if node_id})
    return {node.id: node for node in session.scalars(select(PoolNode).where(PoolNode.id.in_(wanted)))}


def nodes_in_reach(session: Session, scope: Scope, most: int) -> list[PoolNode]:
    """Nodes that stand within the scope, divisions first, at most so many: what a form offers."""
    query = select(PoolNode).where(PoolNode.id.in_(seen_nodes(scope)), PoolNode.closed_on.is_(None))
    return list(session.scalars(query.order_by(PoolNode.kind, PoolNode.division_code, PoolNode.id).limit(most)))


def divisions_in_reach(session: Session, scope: Scope) -> list[PoolNode]:
    """Division nodes that stand within the scope."""
    query = select(PoolNode).where(
        PoolNode.id.in_(seen_nodes(scope)), PoolNode.kind == "DIVISION", PoolNode.closed_on.is_(None)
    )
    return list(session.scalars(query.order_by(PoolNode.division_code, PoolNode.id)))


def delegations(session: Session, login: str) -> tuple[list[PoolDelegation], list[PoolDelegation]]:
    """What a person has given and received, the latest first; what is past or revoked too."""
    rows = session.scalars(
        select(PoolDelegation)
        .where(or_(PoolDelegation.giver == login, PoolDelegation.taker == login))
        .order_by(PoolDelegation.valid_from.desc(), PoolDelegation.id.desc())
    ).all()
    return [row for row in rows if row.giver == login], [row for row in rows if row.taker == login]


def places_around(session: Session, scope: Scope) -> list[PoolNode]:
    """Division nodes the scope reaches or that stand above what it reaches: where its units may borrow."""
    divisions = {node.id: node for node in session.scalars(select(PoolNode).where(PoolNode.kind == "DIVISION"))}
    reach = seen_nodes(scope)
    start = set(session.scalars(select(PoolNode.parent_id).where(PoolNode.id.in_(reach)).distinct()))
    start |= set(session.scalars(select(PoolNode.id).where(PoolNode.id.in_(reach), PoolNode.kind == "DIVISION")))
    found: set[str] = set()
    for node_id in start - {None}:
        while node_id in divisions and node_id not in found:
            found.add(node_id)
            node_id = divisions[node_id].parent_id
    return sorted((divisions[node_id] for node_id in found), key=lambda node: (node.division_code, node.id))


@dataclass(frozen=True)
class StockRow:
    """Posts in one node's pool, of one partition and purpose: idle, asked for, lent out."""

    node: PoolNode
    post_type: str
    fund_form: str
    purpose: str
    idle: int
    pending: int
    lent: int


def stock_rows(session: Session, scope: Scope) -> list[StockRow]:
    """The pools of `places_around`, by level, node, type, fund form and purpose."""
    places = {node.id: node for node in places_around(session, scope)}
    at = lambda account: func.sum(case((PoolBalance.account == account, PoolBalance.posts), else_=0))
    keys = (PoolLot.node_id, PoolLot.post_type, PoolLot.fund_form, PoolLot.purpose)
    rows = session.execute(
        select(
            *keys, at(Account.IDLE).label("idle"), at(Account.PENDING).label("pending"), at(Account.LENT).label("lent")
        )
        .join(PoolBalance, PoolBalance.lot == PoolLot.lot_no)
        .where(PoolBalance.account.in_(POOLED), PoolBalance.posts != 0)
        .group_by(*keys)
        .order_by(*keys)
    )  # fmt: skip
    levels = list(Level)
    found = [
        StockRow(
            places[row.node_id], row.post_type, row.fund_form, row.purpose, int(row.idle), int(row.pending),
            int(row.lent),
        )
        for row in rows
        if row.node_id in places
    ]  # fmt: skip
    return sorted(found, key=lambda row: levels.index(Level(row.node.level)))


def switched_on(session: Session, node_id: str) -> date | None:
    """From which day our ledger and gate are a unit's source; None while they are not."""
    return session.scalar(select(PoolNode.switched_on).where(PoolNode.id == node_id))


def unit_nodes(session: Session, scope: Scope, limit: int | None, offset: int = 0) -> tuple[list[PoolNode], int]:
    """A page of the unit nodes of a scope that still stand, and how many there are."""
    query = select(PoolNode).where(
        PoolNode.id.in_(seen_nodes(scope)), PoolNode.kind == "UNIT", PoolNode.closed_on.is_(None)
    )
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    return list(session.scalars(query.order_by(PoolNode.unit_code).limit(limit).offset(offset))), int(total or 0)


def request_page(
    session: Session, scope: Scope, statuses: Sequence[str] = (), unit_code: str | None = None,
    limit: int | None = None, offset: int = 0,
) -> tuple[list[PoolRequest], int]:  # fmt: skip
    """Requests of a scope, the newest number first, and how many there are."""
    query = select(PoolRequest).where(seen_requests(scope))
    if statuses:
        query = query.where(PoolRequest.status.in_(statuses))
    if unit_code is not None:
        query = query.where(PoolRequest.unit_code == unit_code)
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    rows = session.scalars(query.order_by(PoolRequest.number.desc()).limit(limit).offset(offset))
    return list(rows), int(total or 0)


def request_steps(session: Session, number: str) -> list[PoolRequestStep]:
    """The life of a request, oldest step first."""
    query = select(PoolRequestStep).where(PoolRequestStep.request_no == number).order_by(PoolRequestStep.id)
    return list(session.scalars(query))


def slot_events(session: Session, loan_no: str) -> list[PoolSlotEvent]:
    """What happened to a loan's slots, oldest first."""
    query = select(PoolSlotEvent).join(PoolSlot, PoolSlot.slot_no == PoolSlotEvent.slot_no)
    return list(session.scalars(query.where(PoolSlot.loan_no == loan_no).order_by(PoolSlotEvent.id)))


@dataclass(frozen=True)
class LoanView:
    """A loan with its slots as of a day. status: the most urgent; due: the first due date of what is live."""

    loan: PoolLoan
    slots: tuple[PoolSlot, ...]
    today: date
    soon_days: int

    @property
    def live(self) -> tuple[PoolSlot, ...]:
        return tuple(slot for slot in self.slots if slot.ended_on is None)

    @property
    def status(self) -> Status:
        return most_urgent(Status(slot.status) for slot in (self.live or self.slots))

    @property
    def due(self) -> date:
        return min((slot.due_date for slot in self.live), default=self.loan.due_date)

    @property
    def badge(self) -> str | None:
        """SOON (预), OVER (超) or None (R10)."""
        found = {badge_of(slot, self.today, self.soon_days) for slot in self.live}
        return OVER if OVER in found else SOON if SOON in found else None


def badge_of(slot: PoolSlot, today: date, soon_days: int) -> str | None:
    """SOON from so many days before the due date, OVER from the day after it; None for what has ended (R10)."""
    if slot.ended_on is not None:
        return None
    if slot.due_date < today:
        return OVER
    return SOON if slot.due_date <= today + timedelta(days=soon_days) else None


def loan_views(
    session: Session, scope: Scope, today: date, *, live_only: bool = False, unit_code: str | None = None,
    limit: int | None = None, offset: int = 0,
) -> tuple[list[LoanView], int]:  # fmt: skip
    """Loans of a scope, the newest first, each with all its slots, and how many there are."""
    query = select(PoolLoan).where(seen_loans(scope))
    if live_only:
        query = query.where(exists().where(PoolSlot.loan_no == PoolLoan.loan_no, PoolSlot.ended_on.is_(None)))
    if unit_code is not None:
        query = query.where(PoolLoan.unit_code == unit_code)
    total = session.scalar(select(func.count()).select_from(query.subquery()))
    loans = list(session.scalars(query.order_by(PoolLoan.loan_no.desc()).limit(limit).offset(offset)))
    slots: dict[str, list[PoolSlot]] = defaultdict(list)
    numbers = [loan.loan_no for loan in loans]
    for slot in session.scalars(select(PoolSlot).where(PoolSlot.loan_no.in_(numbers)).order_by(PoolSlot.slot_no)):
        slots[slot.loan_no].append(slot)
    terms = TermsByPlace(session, today)
    views = [LoanView(loan, tuple(slots[loan.loan_no]), today, terms.soon_days(loan.node_id)) for loan in loans]
    return views, int(total or 0)


def due_slots(session: Session, scope: Scope) -> list[PoolSlot]:
    """Live slots of the loans of a scope, the one due first before the others."""
    query = (
        select(PoolSlot)
        .join(PoolLoan, PoolLoan.loan_no == PoolSlot.loan_no)
        .where(PoolSlot.ended_on.is_(None), seen_loans(scope))
        .order_by(PoolSlot.due_date, PoolSlot.slot_no)
    )
    return list(session.scalars(query))


@dataclass(frozen=True)
class Pair:
    """Live posts from one lender with one borrower."""

    lender: str
    borrower: str
    posts: int
    overdue: int


def lending_pairs(session: Session, scope: Scope, today: date) -> list[Pair]:
    """Who has lent how many posts to whom, of the loans seen."""
    over = func.sum(case((PoolSlot.due_date < today, 1), else_=0))
    rows = session.execute(
        select(PoolSlot.lender_id, PoolSlot.node_id, func.count().label("posts"), over.label("overdue"))
        .join(PoolLoan, PoolLoan.loan_no == PoolSlot.loan_no)
        .where(PoolSlot.ended_on.is_(None), seen_loans(scope))
        .group_by(PoolSlot.lender_id, PoolSlot.node_id)
        .order_by(PoolSlot.lender_id, PoolSlot.node_id)
    )
    return [Pair(row.lender_id, row.node_id, row.posts, int(row.overdue)) for row in rows]


@dataclass(frozen=True)
class LedgerLine:
    """A movement as one cell's ledger shows it: what it changed there, and where the cell stands after it.

    changes, after: posts by column (quota, in_use, vacant, reserved, pooled, borrowed).
    """

    movement: PoolMovement
    changes: dict[str, int]
    after: dict[str, int]


COLUMNS = ("quota", "in_use", "vacant", "reserved", "pooled", "borrowed")


def ledger_lines(session: Session, cell: Cell) -> list[LedgerLine]:
    """Every movement of a cell by effective date, then number, with the running balances."""
    rows = session.execute(
        select(PoolMovement, PoolEntry.account, PoolEntry.purpose, PoolEntry.posts, PoolLot.owner_id)
        .join(PoolEntry, PoolEntry.movement_seq == PoolMovement.seq)
        .outerjoin(PoolLot, PoolLot.lot_no == PoolEntry.lot)
        .where(
            PoolEntry.holder == cell.holder, PoolEntry.post_type == cell.post_type,
            PoolEntry.fund_form == cell.fund_form,
        )
        .order_by(PoolMovement.effective_date, PoolMovement.seq, PoolEntry.line)
    )  # fmt: skip
    found: dict[int, tuple[PoolMovement, dict[str, int]]] = {}
    for movement, account, purpose, posts, owner in rows:
        changes = found.setdefault(movement.seq, (movement, dict.fromkeys(COLUMNS, 0)))[1]
        for column in _columns(account, purpose, owner == cell.holder):
            changes[column] += posts
    at, lines = dict.fromkeys(COLUMNS, 0), []
    for movement, changes in found.values():
        at = {column: at[column] + changes[column] for column in COLUMNS}
        lines.append(LedgerLine(movement, changes, at))
    return lines


def _columns(account: str, purpose: str, own_lot: bool) -> list[str]:
    found = ["quota"] if account in HELD else []
    if account in POOLED:
        found.append("pooled")
    if account == Account.IN_USE:
        found.append("in_use")
    if account == Account.RESERVED:
        found.append("reserved")
    if account == Account.HOME and purpose == NO_PURPOSE:
        found.append("vacant")
    # At the lender `borrowed` mirrors what `lent` already says.
    if account == Account.BORROWED and not own_lot:
        found.append("borrowed")
    return found


def ledger_cells(session: Session, holder: str) -> list[Cell]:
    """Cells of a holder with any booking."""
    rows = session.execute(
        select(PoolEntry.post_type, PoolEntry.fund_form)
        .where(PoolEntry.holder == holder)
        .distinct()
        .order_by(PoolEntry.post_type, PoolEntry.fund_form)
    )
    return [Cell(holder, *row) for row in rows]


def seen_suggestions(
    session: Session, scope: Scope, loan_no: str | None = None
) -> list[tuple[PoolSuggestion, PoolSlot]]:
    """Open proposals of the night on slots of the loans seen, oldest first."""
    query = (
        select(PoolSuggestion, PoolSlot)
        .join(PoolSlot, PoolSlot.slot_no == PoolSuggestion.slot_no)
        .join(PoolLoan, PoolLoan.loan_no == PoolSlot.loan_no)
        .where(PoolSuggestion.closed_on.is_(None), PoolSlot.ended_on.is_(None), seen_loans(scope))
        .order_by(PoolSuggestion.as_of, PoolSuggestion.kind, PoolSuggestion.slot_no)
    )
    if loan_no is not None:
        query = query.where(PoolSlot.loan_no == loan_no)
    return [(row[0], row[1]) for row in session.execute(query)]
