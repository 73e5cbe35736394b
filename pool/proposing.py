"""The allocation proposal over the ledger: its situation read from the tables (docs/decisions/0008-pool-commands.md).

Reads only. What is accepted is made by `approve_request`, request by request, each checked again by the ledger.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.types import FundForm, PostType
from pool.acting import path_up
from pool.forest import limits_of, tree_node
from pool.homeward import awaiting_home
from pool.ledger import HELD, NO_PURPOSE, Source
from pool.ledger import Cell as LedgerCell
from pool.models import (
    DivisionTotal,
    PoolBalance,
    PoolLoan,
    PoolLot,
    PoolNode,
    PoolRequest,
    PoolSlot,
    PoolSum,
    Strength,
)
from pool.policies import FIRST_PURPOSE
from pool.proposal_input import (
    Cap,
    Cell,
    DivisionLimit,
    Holding,
    Loan,
    Need,
    Node,
    PoolKey,
    Request,
    Retirement,
    Situation,
)
from pool.store import cell_figures, held_lots, over_quota, terms_on, waiting_requests

Parents = Mapping[str, str | None]


def situation_of(session: Session, as_of: date, words: Mapping[str, str] | None = None) -> Situation:
    """Everything a proposal looks at, as booked now. as_of: the day it counts from.

    words: labels for sentences; purposes are named by their parameter.
    """
    nodes = list(session.scalars(select(PoolNode).where(PoolNode.closed_on.is_(None)).order_by(PoolNode.id)))
    parent_of = {node.id: node.parent_id for node in nodes}
    waiting = [request for request in waiting_requests(session) if request.node_id in parent_of]
    pools = _pools(session, waiting)
    units = sorted({request.node_id for request in waiting})
    terms = terms_on(session, as_of, "*")
    return Situation(
        as_of,
        tuple(Node(node.id, node.name, node.parent_id, node.kind == "UNIT") for node in nodes),
        tuple(_holdings(session, parent_of, pools, _asked(session, waiting))),
        tuple(_request(request, parent_of) for request in waiting),
        loans=tuple(_loans(session, parent_of)),
        cells=tuple(_cells(session, as_of, waiting)),
        caps=tuple(_caps(session, as_of, [node for node in nodes if node.id in units])),
        division_limits=tuple(_division_limits(session, nodes, parent_of)),
        skip_days=terms.skip_days,
        words={**(words or {}), **terms.purposes},
    )


def key_of(row) -> PoolKey:
    """The pool of a row with post type, fund form and purpose."""
    return PoolKey(PostType(row.post_type), FundForm(row.fund_form), row.purpose)


def _pools(session: Session, waiting: Sequence[PoolRequest]) -> set[PoolKey]:
    lots = session.execute(select(PoolLot.post_type, PoolLot.fund_form, PoolLot.purpose).distinct())
    return {key_of(row) for row in lots} | {key_of(request) for request in waiting}


def _asked(session: Session, waiting: Sequence[PoolRequest]) -> dict[tuple[str, PoolKey], int]:
    """Posts the waiting requests hold as pending: they must not compete with themselves."""
    asked: dict[tuple[str, PoolKey], int] = defaultdict(int)
    for request in waiting:
        asked[request.node_id, key_of(request)] += sum(posts for _, posts in held_lots(session, request.number))
    return asked


def _holdings(session: Session, parent_of: Parents, pools: set[PoolKey], asked) -> list[Holding]:
    """Own posts and limits per pool: the tree of each purpose as the ledger keeps it, pending asks given back, and what
    waits to go home to its lender taken out."""
    waiting = Counter((row.PoolSlot.lender_id, key_of(row.PoolSlot)) for row in awaiting_home(session))
    sums = {
        (row.node_id, key_of(row)): row
        for row in session.execute(
            select(
                PoolSum.node_id, PoolSum.post_type, PoolSum.fund_form, PoolSum.purpose, PoolSum.own, PoolSum.lends
            ).where(PoolSum.purpose != NO_PURPOSE)
        )
    }
    found = []
    for pool in sorted(pools):
        limits = limits_of(session, (pool.post_type, pool.fund_form), pool.purpose)
        for node_id, parent in parent_of.items():
            held = sums.get((node_id, pool))
            if held is None and node_id.startswith("U:"):
                continue
            own, lends = (held.own - waiting[node_id, pool], held.lends - waiting[node_id, pool]) if held else (0, 0)
            node = tree_node(node_id, parent, own + asked.get((node_id, pool), 0), lends, limits.get(node_id))
            found.append(Holding(node.id, pool, node.own, node.lend_limit, node.borrow_limit, node.floor))
    return found


def _request(row: PoolRequest, parent_of: Parents) -> Request:
    """backing_waived: the director who decides stands above the unit's own node, or none stands above it (R06)."""
    own_node = parent_of[row.node_id]
    upper = row.decision_node != own_node or parent_of[own_node] is None
    need = Need.PLACEMENT if row.purpose == FIRST_PURPOSE else Need.ORDINARY
    return Request(
        row.number, row.node_id, key_of(row), row.posts, row.submitted_on, need, row.months, backing_waived=upper
    )


def _loans(session: Session, parent_of: Parents) -> list[Loan]:
    """Live slots, together where lender, due date and recall are the same; the first `backed` of a loan rest on
    coming retirements (R06). recalled: the post goes home to its lender, not to the pool."""
    rows = session.execute(
        select(PoolSlot, PoolLoan.backed, PoolLot.source)
        .join(PoolLoan, PoolLoan.loan_no == PoolSlot.loan_no)
        .join(PoolLot, PoolLot.lot_no == PoolSlot.lot_no)
        .where(PoolSlot.ended_on.is_(None))
        .order_by(PoolSlot.loan_no, PoolSlot.slot_no)
    ).all()
    alike: dict[tuple, int] = defaultdict(int)
    for loan_no, slots in groupby(rows, key=lambda row: row.PoolSlot.loan_no):
        for place, (slot, backed, source) in enumerate(slots):
            if slot.node_id in parent_of and slot.lender_id in parent_of:
                key = (loan_no, slot.node_id, slot.lender_id, key_of(slot), slot.due_date, place < backed)
                alike[*key, slot.recalled_on is not None and source == Source.USE_RIGHT_LENT] += 1
    return [
        Loan(f"{loan_no}/{part}", borrower, lender, pool, posts, due, backed=backed, recalled=recalled)
        for part, ((loan_no, borrower, lender, pool, due, backed, recalled), posts) in enumerate(alike.items(), 1)
    ]


def _cells(session: Session, as_of: date, waiting: Sequence[PoolRequest]) -> list[Cell]:
    """Over-quota and coming retirements of the cells that ask, and of those that have loans.

    A retirement is known by its month, and counts from that month's first day, as in pool.store.backing.
    """
    slots = session.execute(
        select(PoolSlot.node_id, PoolSlot.post_type, PoolSlot.fund_form).where(PoolSlot.ended_on.is_(None)).distinct()
    )
    cells = {LedgerCell(*row) for row in slots}
    cells |= {LedgerCell(request.node_id, request.post_type, request.fund_form) for request in waiting}
    holders = sorted({cell.holder for cell in cells})
    figures = cell_figures(session, holders, as_of)
    retiring: dict[LedgerCell, list[Retirement]] = defaultdict(list)
    for row in session.scalars(select(Strength).where(Strength.month != "", Strength.people > 0)):
        cell = LedgerCell(f"U:{row.unit_code}", row.post_type, row.fund_form)
        if cell in cells:
            retiring[cell].append(Retirement(date.fromisoformat(f"{row.month}-01"), row.people))
    found = []
    for cell in sorted(cells):
        over = over_quota(session, cell, figures.get(cell), as_of)
        parts = tuple(sorted(retiring[cell], key=lambda part: part.on))
        found.append(Cell(cell.holder, PostType(cell.post_type), FundForm(cell.fund_form), over, parts))
    return found


def _caps(session: Session, as_of: date, units: Sequence[PoolNode]) -> list[Cap]:
    found = []
    for node in units:
        terms = terms_on(session, as_of, node.division_code)
        if terms.unit_cap is not None:
            found.append(Cap(node.id, None, terms.unit_cap))
        found += [Cap(node.id, purpose, most) for purpose, most in sorted(terms.purpose_caps.items())]
    return found


def _division_limits(session: Session, nodes: Sequence[PoolNode], parent_of: Parents) -> list[DivisionLimit]:
    """R17 at the topmost node of each division that has a total; quota is all its nodes hold."""
    divisions = {node.id: node.division_code for node in nodes}
    topmost = {
        divisions[node_id]: node_id
        for node_id, parent in parent_of.items()
        if not node_id.startswith("U:") and (parent is None or divisions[parent] != divisions[node_id])
    }
    quota: dict[tuple[str, str], int] = defaultdict(int)
    rows = session.execute(
        select(PoolBalance.holder, PoolBalance.post_type, func.sum(PoolBalance.posts).label("posts"))
        .where(PoolBalance.account.in_(HELD))
        .group_by(PoolBalance.holder, PoolBalance.post_type)
    )
    for row in rows:
        for node_id in path_up(parent_of, row.holder) if row.holder in parent_of else []:
            quota[node_id, row.post_type] += int(row.posts)
    return [
        DivisionLimit(topmost[total.division_code], PostType(total.post_type), total.posts, max(0, quota[key]))
        for total in session.scalars(select(DivisionTotal).order_by(DivisionTotal.division_code))
        if total.division_code in topmost and (key := (topmost[total.division_code], total.post_type))
    ]
