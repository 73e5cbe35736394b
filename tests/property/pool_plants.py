"""Ten known bugs, planted one at a time by swapping one function of the service: each must be found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from sqlalchemy import select

import pool.entries
import pool.forest
import pool.posting
import pool.service_approvals
import pool.service_loans
import pool.service_reversal
import pool.store
import pool.tree
from core.errors import Refused
from pool.models import PoolSlot
from tests.property.pool_province import PURPOSES

Plant = tuple[object, str, Callable]


def limit_off_by_one() -> Plant:
    right = pool.tree.shortfall

    def lenient(node, surplus):
        limit = None if node.borrow_limit is None else node.borrow_limit + 1
        return right(replace(node, borrow_limit=limit, floor=node.floor - 1), surplus)

    return pool.tree, "shortfall", lenient


def nearest_ancestor_only() -> Plant:
    """T is kept right everywhere; only what binds above the holders' own nodes is overlooked."""
    right = pool.posting.climb_many

    def short_sighted(steps, moves):
        reached, found = right(steps, moves)
        near = {node for path, _, _ in moves for node in path[:2]}
        return reached, [binding for binding in found if binding.node in near]

    return pool.posting, "climb_many", short_sighted


def released_twice() -> Plant:
    right = pool.entries.release
    return pool.entries, "release", lambda cell, posts, number: right(cell, 2 * posts, number)


def pending_not_counted() -> Plant:
    right = pool.posting.own_changes

    def forgetful(*facts):
        return {holder: replace(change, asked=0) for holder, change in right(*facts).items()}

    return pool.posting, "own_changes", forgetful


def negative_clipped() -> Plant:
    right = pool.tree.passed_up
    return pool.tree, "passed_up", lambda limit, surplus: max(0, right(limit, surplus))


def partial_not_given_back() -> Plant:
    return pool.service_approvals, "drop_lots", lambda *_facts: None


def reversed_after_filling() -> Plant:
    right = pool.service_reversal.check_reversible

    def blind(session, movement):
        try:
            right(session, movement)
        except Refused as error:
            if error.details["answer"] != "RESTED_ON":
                raise

    return pool.service_reversal, "check_reversible", blind


def retained_lent() -> Plant:
    def generous(change, _vacant_before):
        return change.deposited + change.vacant - change.borrowed - change.asked

    return pool.forest.OwnChange, "own", generous


def across_purposes() -> Plant:
    right = pool.service_loans.stock_for

    def lavish(session, node, cell, _purpose, on):
        found = [stock for wanted in PURPOSES for stock in right(session, node, cell, wanted, on)]
        return sorted(found, key=lambda stock: (stock.rank, stock.since, stock.lot.lot_no))

    return pool.service_loans, "stock_for", lavish


def overdue_not_borrowed() -> Plant:
    right = pool.store._balances

    def evicting(session, holders):
        over = set(map(tuple, session.execute(
            select(PoolSlot.node_id, PoolSlot.lot_no).where(PoolSlot.status == "OVERDUE", PoolSlot.ended_on.is_(None))
        ).all()))  # fmt: skip
        rows = right(session, holders)
        return [row for row in rows if not (row.account == "borrowed" and (row.holder, row.lot) in over)]

    return pool.store, "_balances", evicting


PLANTS: dict[str, Callable[[], Plant]] = {
    plant.__name__: plant
    for plant in (
        limit_off_by_one, nearest_ancestor_only, released_twice, pending_not_counted, negative_clipped,
        partial_not_given_back, reversed_after_filling, retained_lent, across_purposes, overdue_not_borrowed,
    )
}  # fmt: skip


@contextmanager
def planted(name: str | None):
    """The service with that bug, or without any."""
    if name is None:
        yield
        return
    place, function, wrong = PLANTS[name]()
    with patch.object(place, function, wrong):
        yield
