"""Lists of the pool as plain rows: stock, cells, loans, requests, due dates, who lent to whom, the ledger of a cell.

Every row is a dict of values that can be written as JSON; a door shows it as a table. Whoever asks is the door's matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pool.approvals import LIVE, Status, most_urgent
from pool.ledger import POOLED, Account, Cell
from pool.lists import ledger_lines
from pool.models import (
    PoolBalance,
    PoolLot,
    PoolMovement,
    PoolNode,
    PoolRequest,
    PoolSlot,
    PoolSum,
)
from pool.store import cell_figures, live_loans
from pool.terms import TermsByPlace

Row = dict[str, object]
CHUNK = 500
BADGES = {"SOON": "预", "OVER": "超"}


def stock_rows(session: Session, node_id: str | None = None) -> list[Row]:
    """Per node with a pool, cell kind and purpose: posts idle, pending, lent, and T of the node for that purpose."""
    rows = session.execute(
        select(
            PoolLot.node_id, PoolLot.post_type, PoolLot.fund_form, PoolLot.purpose, PoolBalance.account,
            func.sum(PoolBalance.posts).label("posts"),
        )
        .join(PoolBalance, PoolBalance.lot == PoolLot.lot_no)
        .where(PoolBalance.account.in_(POOLED))
        .group_by(PoolLot.node_id, PoolLot.post_type, PoolLot.fund_form, PoolLot.purpose, PoolBalance.account)
    )  # fmt: skip
    held: dict[tuple[str, str, str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(POOLED, 0))
    for row in rows:
        held[row.node_id, row.post_type, row.fund_form, row.purpose][row.account] = int(row.posts)
    names, surplus = _names(session), _surpluses(session)
    return [
        {
            "node": node, "name": names[node], "post_type": post_type, "fund_form": fund_form, "purpose": purpose,
            "idle": posts[Account.IDLE], "pending": posts[Account.PENDING], "lent": posts[Account.LENT],
            "surplus": surplus.get((node, post_type, fund_form, purpose), 0),
        }
        for (node, post_type, fund_form, purpose), posts in sorted(held.items())
        if node_id in (None, node) and any(posts.values())
    ]  # fmt: skip


def _names(session: Session) -> dict[str, str]:
    return dict(session.execute(select(PoolNode.id, PoolNode.name)).all())


def _surpluses(session: Session) -> dict[tuple[str, str, str, str], int]:
    rows = session.execute(
        select(PoolSum.node_id, PoolSum.post_type, PoolSum.fund_form, PoolSum.purpose, PoolSum.surplus)
    )
    return {(row.node_id, row.post_type, row.fund_form, row.purpose): row.surplus for row in rows}


def cell_rows(session: Session, on: date, units: Collection[str] | None = None) -> list[Row]:
    """Every cell of the units (None: all), with the figures of a day; usable and allowed as everywhere."""
    query = select(PoolNode.id, PoolNode.name).where(PoolNode.unit_code.is_not(None))
    if units is not None:
        query = query.where(PoolNode.unit_code.in_(sorted(units)))
    names = dict(session.execute(query).all())
    found: list[Row] = []
    holders = sorted(names)
    for start in range(0, len(holders), CHUNK):
        for cell, held in sorted(cell_figures(session, holders[start : start + CHUNK], on).items()):
            found.append({
                "unit_code": cell.holder.removeprefix("U:"), "name": names[cell.holder], "post_type": cell.post_type,
                "fund_form": cell.fund_form, "quota": held.quota, "in_post": held.in_post, "borrowed": held.borrowed,
                "lent": held.lent, "deposited": held.deposited, "open_permits": held.open_permits,
                "other_reserves": held.other_reserves, "usable": held.usable, "allowed": held.allowed,
            })  # fmt: skip
    return found


def loan_rows(session: Session, unit_code: str | None = None) -> list[Row]:
    """Loans with live slots: the most urgent status, the nearest due date, who lends."""
    return [
        {
            "loan": loan.loan_no, "unit_code": loan.unit_code, "post_type": loan.post_type, "fund_form": loan.fund_form,
            "purpose": loan.purpose, "live": len(slots), "filled": sum(slot.person_key is not None for slot in slots),
            "status": most_urgent(Status(slot.status) for slot in slots).value, "start": loan.start_date,
            "due": min(slot.due_date for slot in slots), "renewals": loan.renewals,
            "lenders": sorted({slot.lender_id for slot in slots}), "slots": [slot.slot_no for slot in slots],
            "document_no": loan.document_no, "request": loan.request_no,
        }
        for loan, slots in live_loans(session, unit_code)
    ]  # fmt: skip


def request_rows(session: Session, unit_code: str | None = None, statuses: Collection[str] | None = None) -> list[Row]:
    """Requests, the oldest first; statuses None: all. The reason stays with those who decide."""
    query = select(PoolRequest).order_by(PoolRequest.submitted_on, PoolRequest.number)
    if unit_code is not None:
        query = query.where(PoolRequest.unit_code == unit_code)
    if statuses is not None:
        query = query.where(PoolRequest.status.in_(sorted(statuses)))
    return [
        {
            "request": row.number, "unit_code": row.unit_code, "post_type": row.post_type, "fund_form": row.fund_form,
            "purpose": row.purpose, "posts": row.posts, "months": row.months, "status": row.status,
            "submitted": row.submitted_on, "applicant": row.applicant, "decision_node": row.decision_node,
            "decided_by": row.decided_by, "decided": row.decided_on, "granted": row.granted, "loan": row.loan_no,
        }
        for row in session.scalars(query)
    ]  # fmt: skip


def due_rows(session: Session, on: date, days: int | None = None) -> list[Row]:
    """Live slots due within so many days (None: the parameter's, per division) or overdue, the first due first."""
    slots = session.scalars(
        select(PoolSlot).where(PoolSlot.status.in_([status.value for status in LIVE])).order_by(PoolSlot.due_date)
    )
    terms = TermsByPlace(session, on)
    found: list[Row] = []
    for slot in slots:
        left = (slot.due_date - on).days
        if left <= (terms.soon_days(slot.node_id) if days is None else days):
            found.append({
                "slot": slot.slot_no, "badge": BADGES["OVER" if left < 0 else "SOON"], "due": slot.due_date,
                "days_left": left, "unit_code": slot.unit_code, "loan": slot.loan_no, "purpose": slot.purpose,
                "lender": slot.lender_id, "status": slot.status, "person": slot.person_mask,
            })  # fmt: skip
    return sorted(found, key=lambda row: (row["due"], row["slot"]))


def lent_rows(session: Session) -> list[Row]:
    """Who lent to whom: live posts per lender, borrower, cell kind and purpose."""
    rows = session.execute(
        select(
            PoolSlot.lender_id, PoolSlot.node_id, PoolSlot.post_type, PoolSlot.fund_form, PoolSlot.purpose,
            func.count().label("posts"), func.min(PoolSlot.due_date).label("due"),
        )
        .where(PoolSlot.ended_on.is_(None))
        .group_by(PoolSlot.lender_id, PoolSlot.node_id, PoolSlot.post_type, PoolSlot.fund_form, PoolSlot.purpose)
        .order_by(PoolSlot.lender_id, PoolSlot.node_id, PoolSlot.post_type, PoolSlot.fund_form, PoolSlot.purpose)
    )  # fmt: skip
    names = _names(session)
    return [
        {
            "lender": row.lender_id, "lender_name": names[row.lender_id], "borrower": row.node_id,
            "borrower_name": names[row.node_id], "post_type": row.post_type, "fund_form": row.fund_form,
            "purpose": row.purpose, "posts": row.posts, "first_due": row.due,
        }
        for row in rows
    ]  # fmt: skip


def ledger_rows(session: Session, cell: Cell) -> list[Row]:
    """Movements that touched a cell, by effective date, with what it held after: quota, own vacancies, in use, borrowed;
    and the document each rests on."""
    figures = ("quota", "vacant", "in_use", "borrowed")
    return [
        _ledger_line(line.movement) | {name: line.after[name] for name in figures}
        for line in ledger_lines(session, cell)
    ]


def _ledger_line(movement: PoolMovement) -> Row:
    return {
        "movement": movement.seq, "effective": movement.effective_date, "kind": movement.kind, "posts": movement.posts,
        "from": movement.from_holder, "to": movement.to_holder, "purpose": movement.purpose,
        "document_no": movement.document_no, "request": movement.request_no, "loan": movement.loan_no,
        "slot": movement.slot_no, "reverses": movement.reverses, "by": movement.actor,
    }  # fmt: skip
