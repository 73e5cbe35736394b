"""What the pool knows, read from rows: terms in force, figures of cells, stock, requests, loans, slots."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.parameters import parameter_values
from core.quota import allowed, usable
from pool.acting import NOT_HERE, parents, path_up
from pool.approvals import PENDING, Status
from pool.homeward import kept_posts
from pool.ledger import HELD, NO_PURPOSE, POOLED, Account, Cell, Lot, balances_by_day
from pool.models import (
    PoolBalance,
    PoolEntry,
    PoolLoan,
    PoolLot,
    PoolMovement,
    PoolNode,
    PoolRequest,
    PoolSlot,
    Strength,
)  # fmt: skip
from pool.policies import PARAMETER_OF, Terms

PERMIT = "PERMIT"  # a RESERVE of this source is an open permit; every other names its reason


def terms_on(session: Session, on: date, division_code: str) -> Terms:
    """The pool's parameters in force on a day for a division."""
    values = parameter_values(session, PARAMETER_OF.values(), on, division_code)
    return Terms(**{term: values[parameter] for term, parameter in PARAMETER_OF.items()})


@dataclass(frozen=True)
class Figures:
    """A cell on a day. in_post: the newest night's strength and our own movements since; vacant: own posts free by our
    ledger, negative = excess; filled: people on pool posts."""

    quota: int = 0
    in_post: int = 0
    borrowed: int = 0
    lent: int = 0
    deposited: int = 0
    open_permits: int = 0
    other_reserves: int = 0
    vacant: int = 0
    filled: int = 0

    @property
    def usable(self) -> int:
        return usable(
            quota=self.quota, borrowed=self.borrowed, deposited=self.deposited, in_post=self.in_post,
            open_permits=self.open_permits, other_reserves=self.other_reserves,
        )  # fmt: skip

    @property
    def allowed(self) -> int:
        return allowed(quota=self.quota, borrowed=self.borrowed, lent=self.lent)


def cell_figures(session: Session, holders: Sequence[str], on: date) -> dict[Cell, Figures]:
    """Figures of every cell of the holders, of bookings effective on or before the day. Six queries, however many.

    Of a unit the ledger holds nothing of there is no cell: its quota is unknown here, not 0, whoever is in post.
    """
    held: dict[Cell, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    permits = _permit_numbers(session, holders)
    rows = [*_balances(session, holders), *_later(session, holders, on)]
    for row in rows:
        _add(held[Cell(row.holder, row.post_type, row.fund_form)], row, permits)
    people = _in_post(session, holders, on)
    unknown = without_ledger(session, {cell.holder for cell in people} - {cell.holder for cell in held})
    for cell in people:
        if cell.holder not in unknown:
            held[cell]["in_post"] = people[cell]
    return {cell: Figures(**figures) for cell, figures in held.items()}


def without_ledger(session: Session, holders: Collection[str]) -> set[str]:
    """Those of whom nothing was ever booked."""
    if not holders:
        return set()
    booked = session.scalars(select(PoolBalance.holder).where(PoolBalance.holder.in_(holders)).distinct())
    return set(holders) - set(booked)


def over_quota(session: Session, cell: Cell, figures: Figures | None, on: date) -> int:
    """People in post beyond a cell's quota, those on pool posts aside; all of them where the ledger holds nothing of the unit."""
    if figures is not None:
        return max(0, figures.in_post - figures.filled - figures.quota)
    unknown = without_ledger(session, {cell.holder})
    return _in_post(session, [cell.holder], on).get(cell, 0) if unknown else 0


def _balances(session: Session, holders: Sequence[str]):
    return session.execute(
        select(
            PoolBalance.account, PoolBalance.holder, PoolBalance.post_type, PoolBalance.fund_form,
            PoolBalance.purpose, PoolBalance.lot, PoolBalance.posts, PoolLot.owner_id,
        )
        .outerjoin(PoolLot, PoolLot.lot_no == PoolBalance.lot)
        .where(PoolBalance.holder.in_(holders), PoolBalance.posts != 0)
    )  # fmt: skip


def _later(session: Session, holders: Sequence[str], on: date):
    """Entries after the day, negated: what is booked and not yet so."""
    return session.execute(
        select(
            PoolEntry.account, PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form, PoolEntry.purpose,
            PoolEntry.lot, (-PoolEntry.posts).label("posts"), PoolLot.owner_id,
        )
        .outerjoin(PoolLot, PoolLot.lot_no == PoolEntry.lot)
        .where(PoolEntry.holder.in_(holders), PoolEntry.effective_date > on)
    )  # fmt: skip


def _permit_numbers(session: Session, holders: Sequence[str]) -> set[int]:
    return set(
        session.scalars(
            select(PoolMovement.seq)
            .join(PoolBalance, PoolBalance.lot == PoolMovement.seq)
            .where(
                PoolBalance.holder.in_(holders), PoolBalance.account == Account.RESERVED,
                PoolMovement.source == PERMIT,
            )
        )
    )  # fmt: skip


def _add(figures: dict[str, int], row, permits: set[int]) -> None:
    if row.account in HELD:
        figures["quota"] += row.posts
    if row.account == Account.HOME and row.purpose == NO_PURPOSE:
        figures["vacant"] += row.posts
    if row.account == Account.IN_USE:
        figures["in_post"] += row.posts
        if row.purpose != NO_PURPOSE:
            figures["filled"] += row.posts
    if row.account in POOLED:
        figures["deposited"] += row.posts
    if row.account == Account.LENT:
        figures["lent"] += row.posts
    if row.account == Account.BORROWED and row.holder != row.owner_id:
        figures["borrowed"] += row.posts
    if row.account == Account.RESERVED:
        figures["open_permits" if row.lot in permits else "other_reserves"] += row.posts


def _in_post(session: Session, holders: Sequence[str], on: date) -> dict[Cell, int]:
    """Strength of the newest settled night ± our FILL and VACATE effective after it; cells it names only."""
    codes = [holder.removeprefix("U:") for holder in holders if holder.startswith("U:")]
    rows = session.execute(
        select(Strength.unit_code, Strength.post_type, Strength.fund_form, Strength.people, Strength.as_of).where(
            Strength.unit_code.in_(codes), Strength.month == "", Strength.as_of <= on
        )
    ).all()
    people = {Cell(f"U:{row.unit_code}", row.post_type, row.fund_form): row.people for row in rows}
    if not rows:
        return people
    since = rows[0].as_of
    moved = session.execute(
        select(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form, func.sum(PoolEntry.posts).label("posts"))
        .where(
            PoolEntry.holder.in_(holders), PoolEntry.account == Account.IN_USE, PoolEntry.effective_date > since,
            PoolEntry.effective_date <= on,
        )
        .group_by(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form)
    )  # fmt: skip
    for row in moved:
        cell = Cell(row.holder, row.post_type, row.fund_form)
        if cell in people:
            people[cell] += int(row.posts)
    return people


@dataclass(frozen=True)
class Stock:
    """Idle posts of a lot, where a borrower would take them. rank: steps up from the borrower to the node that has them
    at or below it; meet: that node."""

    lot: Lot
    node_id: str
    posts: int
    since: date
    rank: int
    meet: str


def stock_for(session: Session, borrower: PoolNode, cell: Cell, purpose: str, on: date) -> list[Stock]:
    """Idle posts the borrower could be lent from a day on, in the order they are taken: nearest node upward, oldest deposit, owner."""
    rows = session.execute(
        select(PoolLot.lot_no, PoolLot.owner_id, PoolLot.node_id, PoolLot.since, PoolBalance.posts)
        .join(PoolBalance, PoolBalance.lot == PoolLot.lot_no)
        .where(
            PoolLot.post_type == cell.post_type, PoolLot.fund_form == cell.fund_form, PoolLot.purpose == purpose,
            PoolLot.owner_id != borrower.id, PoolBalance.account == Account.IDLE, PoolBalance.posts > 0,
        )
    ).all()  # fmt: skip
    parent_of = parents(session, {borrower.id, *(row.node_id for row in rows)})
    up = {node_id: rank for rank, node_id in enumerate(path_up(parent_of, borrower.id))}
    later, kept = _idle_later(session, cell, purpose, on), kept_posts(session, [row.lot_no for row in rows])
    found = []
    for row in rows:
        meet = next((node_id for node_id in path_up(parent_of, row.node_id) if node_id in up), None)
        here = row.posts - max(0, later.get(row.lot_no, 0)) - kept[row.lot_no]
        if meet is not None and here > 0:
            lot = Lot(row.lot_no, Cell(row.owner_id, *cell.partition), purpose)
            found.append(Stock(lot, row.node_id, here, row.since, up[meet], meet))
    return sorted(found, key=lambda stock: (stock.rank, stock.since, stock.lot.owner.holder, stock.lot.lot_no))


def _idle_later(session: Session, cell: Cell, purpose: str, on: date) -> dict[int, int]:
    """Posts that lots get (or lose, negative) by bookings after the day."""
    rows = session.execute(
        select(PoolEntry.lot, func.sum(PoolEntry.posts))
        .where(
            PoolEntry.post_type == cell.post_type, PoolEntry.fund_form == cell.fund_form,
            PoolEntry.effective_date > on, PoolEntry.account == Account.IDLE, PoolEntry.purpose == purpose,
        )
        .group_by(PoolEntry.lot)
    )  # fmt: skip
    return {lot: int(posts) for lot, posts in rows}


def take_stock(stock: Iterable[Stock], posts: int) -> tuple[list[tuple[Stock, int]], int]:
    """What is taken of each, in order, and how many posts could not be found."""
    taken = []
    for lot in stock:
        here = min(lot.posts, posts)
        if here:
            taken.append((lot, here))
            posts -= here
    return taken, posts


def held_lots(session: Session, number: str, account: Account = Account.PENDING) -> list[tuple[Lot, int]]:
    """Posts pending for a request, lot by lot, oldest first."""
    entry = PoolEntry
    total = func.sum(entry.posts)
    rows = session.execute(
        select(entry.lot, entry.holder, entry.post_type, entry.fund_form, entry.purpose, total.label("posts"))
        .join(PoolMovement, PoolMovement.seq == entry.movement_seq)
        .where(PoolMovement.request_no == number, entry.account == account)
        .group_by(entry.lot, entry.holder, entry.post_type, entry.fund_form, entry.purpose)
        .having(total > 0)
    )
    found = [
        (Lot(row.lot, Cell(row.holder, row.post_type, row.fund_form), row.purpose), int(row.posts)) for row in rows
    ]
    return sorted(found, key=lambda held: held[0].lot_no)


def least_quota(session: Session, cell: Cell, on: date) -> int:
    """The smallest approved quota of a cell on any day from one on, future bookings included."""
    held = PoolEntry.holder == cell.holder, PoolEntry.post_type == cell.post_type, PoolEntry.fund_form == cell.fund_form
    rows = session.execute(
        select(PoolEntry.effective_date, func.sum(PoolEntry.posts).label("posts"))
        .where(*held, PoolEntry.account.in_(HELD))
        .group_by(PoolEntry.effective_date)
    ).all()  # fmt: skip
    total = sum(int(row.posts) for row in rows)
    later = [(row.effective_date, int(row.posts)) for row in rows if row.effective_date > on]
    return min(posts for _, posts in balances_by_day(total, later, on))


def request_of(session: Session, number: str) -> PoolRequest:
    """A request as it stands in the database now. Errors: NotFound."""
    return _fresh(session, PoolRequest, number)


def loan_of(session: Session, loan_no: str) -> PoolLoan:
    """A loan as it stands now. Errors: NotFound."""
    return _fresh(session, PoolLoan, loan_no)


def slot_of(session: Session, slot_no: str) -> PoolSlot:
    """A slot as it stands now. Errors: NotFound."""
    return _fresh(session, PoolSlot, slot_no)


def movement_of(session: Session, seq: int) -> PoolMovement:
    """A movement. Errors: NotFound."""
    return _fresh(session, PoolMovement, seq)


def _fresh(session: Session, table, key):
    row = session.get(table, key, populate_existing=True)
    if row is None:
        raise NotFound(NOT_HERE)
    return row


def slots_of_loan(session: Session, loan_no: str, live: bool = True) -> list[PoolSlot]:
    """Slots of a loan, by number."""
    query = select(PoolSlot).where(PoolSlot.loan_no == loan_no).order_by(PoolSlot.slot_no)
    if live:
        query = query.where(PoolSlot.ended_on.is_(None))
    return list(session.scalars(query.execution_options(populate_existing=True)))


def overdue_count(session: Session, unit_code: str, on: date) -> int:
    """Live slots of a unit past their due date: while there are any, no new permit or loan (R10)."""
    return session.scalar(
        select(func.count())
        .select_from(PoolSlot)
        .where(PoolSlot.unit_code == unit_code, PoolSlot.ended_on.is_(None), PoolSlot.due_date < on)
    )


def live_counts(session: Session, unit_code: str, but: str | None = None) -> dict[str, int]:
    """Posts a unit has borrowed or asked for, per purpose, one request aside."""
    counts: dict[str, int] = defaultdict(int)
    slots = (
        select(PoolSlot.purpose, func.count())
        .where(PoolSlot.unit_code == unit_code, PoolSlot.ended_on.is_(None))
        .group_by(PoolSlot.purpose)
    )
    asked = (
        select(PoolRequest.purpose, func.sum(PoolRequest.posts))
        .where(PoolRequest.unit_code == unit_code, PoolRequest.status.in_(PENDING), PoolRequest.number != (but or ""))
        .group_by(PoolRequest.purpose)
    )
    for query in (slots, asked):
        for purpose, posts in session.execute(query):
            counts[purpose] += int(posts)
    return dict(counts)


def backing(session, cell: Cell, figures: Figures | None, start: date, due: date, number: str | None = None) -> int:
    """Retirements of the cell within (start, due] − its over-quota − live loans already backed by them (R06) − posts
    other requests of the cell asked for before this one (number; None: what is pending is not looked at).

    Retirements are known by month: those of the months after the start's, up to the due date's.
    """
    retiring = session.scalar(
        select(func.coalesce(func.sum(Strength.people), 0)).where(
            Strength.unit_code == cell.holder.removeprefix("U:"), Strength.post_type == cell.post_type,
            Strength.fund_form == cell.fund_form, Strength.month > f"{start:%Y-%m}",
            Strength.month <= f"{due:%Y-%m}",
        )
    )  # fmt: skip
    live = (
        select(PoolLoan.loan_no, PoolLoan.backed, func.count().label("slots"))
        .join(PoolSlot, PoolSlot.loan_no == PoolLoan.loan_no)
        .where(
            PoolLoan.node_id == cell.holder, PoolLoan.post_type == cell.post_type,
            PoolLoan.fund_form == cell.fund_form, PoolSlot.ended_on.is_(None),
        )
        .group_by(PoolLoan.loan_no, PoolLoan.backed)
    )  # fmt: skip
    backed = sum(min(row.backed, row.slots) for row in session.execute(live))
    free = int(retiring) - over_quota(session, cell, figures, start) - backed
    return free if number is None else free - min(max(free, 0), _asked_before(session, cell, number))


def _asked_before(session: Session, cell: Cell, number: str) -> int:
    """Posts of the cell's earlier requests still to be decided: what retires backs them first."""
    posts = session.scalar(
        select(func.sum(PoolRequest.posts)).where(
            PoolRequest.node_id == cell.holder, PoolRequest.post_type == cell.post_type,
            PoolRequest.fund_form == cell.fund_form, PoolRequest.status.in_(PENDING), PoolRequest.number < number,
        )
    )  # fmt: skip
    return int(posts or 0)


def live_loans(session: Session, unit_code: str | None = None) -> list[tuple[PoolLoan, list[PoolSlot]]]:
    """Loans with live slots, each with them."""
    query = (
        select(PoolLoan, PoolSlot)
        .join(PoolSlot, PoolSlot.loan_no == PoolLoan.loan_no)
        .where(PoolSlot.ended_on.is_(None))
        .order_by(PoolLoan.loan_no, PoolSlot.slot_no)
    )
    if unit_code is not None:
        query = query.where(PoolLoan.unit_code == unit_code)
    found: dict[str, tuple[PoolLoan, list[PoolSlot]]] = {}
    for loan, slot in session.execute(query):
        found.setdefault(loan.loan_no, (loan, []))[1].append(slot)
    return list(found.values())


def waiting_requests(session: Session) -> list[PoolRequest]:
    """Requests that wait for a decision, the longest waiting first."""
    return list(
        session.scalars(
            select(PoolRequest)
            .where(PoolRequest.status.in_([Status.SUBMITTED, Status.REVIEWED]))
            .order_by(PoolRequest.submitted_on, PoolRequest.unit_code, PoolRequest.number)
        )
    )
