"""Our side of the `position` book: the four tables the reconciliation reads, of bookings effective on or before A."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pool.acting import REVERSED
from pool.ledger import HELD, Account, Kind
from pool.models import PoolEntry, PoolLot, PoolMovement, PoolNode
from pool.store import cell_figures

Row = dict[str, object]
# Kinds by which posts go from one unit or node to another; a loan lends a right of use and is shown as such.
BETWEEN = (Kind.TRANSFER, Kind.DEPOSIT, Kind.LEND)
CHUNK = 500


def position_tables(session: Session, as_of: date, months: int = 12) -> dict[str, list[Row]]:
    """`position`, `position_quota`, `movement`, `usable_month`, `own_unit` (columns: reconcile.rules.tables.POSITION).

    months: how many months `usable_month` shows, that of A and those before it. Empty lists while the ledger is unused.
    """
    units = dict(session.execute(select(PoolNode.id, PoolNode.unit_code).where(PoolNode.unit_code.is_not(None))).all())
    return {
        "position": _positions(session, units, as_of),
        "position_quota": _quotas(session, units, as_of),
        "movement": _movements(session, as_of),
        "usable_month": _months(session, units, as_of, months),
        "own_unit": own_units(session, as_of),
    }


def own_units(session: Session, as_of: date) -> list[Row]:
    """Units whose ledger and gate are the source on a day: switched over by it, with an open ledger (unit_code, starts)."""
    opened = select(PoolEntry.holder).where(PoolEntry.effective_date <= as_of).distinct()
    query = select(PoolNode.unit_code, PoolNode.switched_on).where(
        PoolNode.unit_code.is_not(None), PoolNode.switched_on <= as_of, PoolNode.id.in_(opened)
    )
    rows = session.execute(query.order_by(PoolNode.unit_code))
    return [{"unit_code": unit, "starts": starts} for unit, starts in rows]


def _cell(units: dict[str, str], holder: str, post_type: str, fund_form: str) -> Row:
    return {"unit_code": units[holder], "post_type": post_type, "fund_form": fund_form}


def _figures(session: Session, units: dict[str, str], on: date):
    """Figures of the cells with an entry on or before a day: of a cell whose ledger is not open nothing is known but its
    people, and an unknown quota is not zero."""
    entries = select(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form).where(PoolEntry.effective_date <= on)
    opened = {tuple(row) for row in session.execute(entries.distinct()) if row.holder in units}
    holders = sorted({holder for holder, _, _ in opened})
    for start in range(0, len(holders), CHUNK):
        figures = cell_figures(session, holders[start : start + CHUNK], on)
        yield from sorted((cell, held) for cell, held in figures.items() if tuple(cell) in opened)


def _positions(session: Session, units: dict[str, str], as_of: date) -> list[Row]:
    return [
        _cell(units, *cell)
        | {
            "borrowed": held.borrowed, "lent": held.lent, "reserved": held.other_reserves,
            "open_permits": held.open_permits, "usable": held.usable,
        }
        for cell, held in _figures(session, units, as_of)
    ]  # fmt: skip


def _quotas(session: Session, units: dict[str, str], as_of: date) -> list[Row]:
    """Quota in force by date: a row from each day it changed to the day before the next change, naming the document."""
    rows = session.execute(
        select(
            PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form, PoolEntry.effective_date,
            func.sum(PoolEntry.posts).label("posts"), func.max(PoolMovement.document_no).label("doc_no"),
        )
        .join(PoolMovement, PoolMovement.seq == PoolEntry.movement_seq)
        .where(PoolEntry.account.in_(HELD), PoolEntry.effective_date <= as_of)
        .group_by(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form, PoolEntry.effective_date)
        .order_by(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form, PoolEntry.effective_date)
    )  # fmt: skip
    found: list[Row] = []
    total: dict[tuple[str, str, str], int] = defaultdict(int)
    last: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        cell = (row.holder, row.post_type, row.fund_form)
        if row.holder not in units or (not row.posts and cell in last):
            continue
        total[cell] += int(row.posts)
        if cell in last:
            last[cell]["valid_to"] = row.effective_date - timedelta(days=1)
        last[cell] = _cell(units, *cell) | {
            "quota": total[cell], "valid_from": row.effective_date, "valid_to": None, "doc_no": row.doc_no,
        }  # fmt: skip
        found.append(last[cell])
    return found


def _movements(session: Session, as_of: date) -> list[Row]:
    """Posts moved between units or nodes, effective on or before A; what was reversed did not move."""
    nodes = {node.id: node for node in session.scalars(select(PoolNode))}
    rows = session.scalars(
        select(PoolMovement)
        .where(
            PoolMovement.kind.in_(BETWEEN), PoolMovement.effective_date <= as_of, PoolMovement.seq.not_in(REVERSED)
        )
        .order_by(PoolMovement.seq)
    ).all()  # fmt: skip
    lenders = _lenders(session, as_of)
    found = []
    for row in rows:
        givers = lenders.get(row.seq, {}) if row.kind == Kind.LEND else {row.from_holder: row.posts}
        for giver, posts in sorted(givers.items(), key=lambda item: item[0] or ""):
            if giver is not None and row.to_holder is not None:
                found.append(_movement(row, nodes[giver], nodes[row.to_holder], posts))
    return found


def _lenders(session: Session, as_of: date) -> dict[int, dict[str, int]]:
    """Per LEND: posts by the node whose pool they came from."""
    rows = session.execute(
        select(PoolEntry.movement_seq, PoolLot.node_id, PoolEntry.posts)
        .join(PoolLot, PoolLot.lot_no == PoolEntry.lot)
        .join(PoolMovement, PoolMovement.seq == PoolEntry.movement_seq)
        .where(
            PoolMovement.kind == Kind.LEND, PoolEntry.account == Account.LENT, PoolEntry.effective_date <= as_of
        )
    )  # fmt: skip
    found: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        found[row.movement_seq][row.node_id] += row.posts
    return found


def _movement(row: PoolMovement, giver: PoolNode, taker: PoolNode, posts: int) -> Row:
    return {
        "movement_no": f"{row.kind}-{row.seq}", "post_type": row.post_type,
        "fund_form": row.fund_form, "posts": posts, "from_unit": giver.unit_code or giver.id,
        "from_level": giver.level, "to_unit": taker.unit_code or taker.id, "to_level": taker.level,
        "effective_date": row.effective_date, "doc_no": row.document_no or row.request_no,
        "central_no": row.central_no,
    }  # fmt: skip


def month_ends(as_of: date, months: int) -> list[date]:
    """A, and the last day of each of the months before its own, the newest first."""
    ends, first = [as_of], as_of.replace(day=1)
    for _ in range(months - 1):
        ends.append(first - timedelta(days=1))
        first = ends[-1].replace(day=1)
    return ends


def _months(session: Session, units: dict[str, str], as_of: date, months: int) -> list[Row]:
    """Usable posts at each month's end; a month before the ledger's first day has no row."""
    first = session.scalar(select(func.min(PoolEntry.effective_date)))
    if first is None:
        return []
    return [
        {"month": f"{end:%Y-%m}"} | _cell(units, *cell) | {"usable": held.usable}
        for end in month_ends(as_of, months)
        if end >= first
        for cell, held in _figures(session, units, end)
    ]
