"""Trees read from rows: of all that is booked, and of every later day with a booking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Row, bindparam, select
from sqlalchemy.orm import Session

from core.db import run
from pool.ledger import NO_PURPOSE, POOLED, Account
from pool.models import PoolBalance, PoolEntry, PoolLimit, PoolMovement, PoolNode, PoolSum
from pool.tree import Node

Partition = tuple[str, str]


@dataclass
class OwnChange:
    """What a set of entries does to one holder: posts deposited, vacant own posts, borrowed, asked for."""

    deposited: int = 0
    vacant: int = 0
    borrowed: int = 0
    asked: int = 0

    def own(self, vacant_before: int) -> int:
        """By how much own(x) changes; only the negative part of vacant counts (pool.tree.own_posts)."""
        excess = min(vacant_before + self.vacant, 0) - min(vacant_before, 0)
        return self.deposited + excess - self.borrowed - self.asked


def own_changes(
    entries: Iterable[tuple[str, str, str, int]], borrower: str | None, purpose: str
) -> dict[str, OwnChange]:
    """Per holder, from (account, holder, purpose, posts) of one movement.

    borrower: whose request or loan it is; posts asked for are pending under the lender's name but count at the
    borrower. purpose '' = all purposes together; own vacancies count there alone.
    """
    changes: dict[str, OwnChange] = defaultdict(OwnChange)
    for account, holder, of_purpose, posts in entries:
        if account == Account.HOME and of_purpose == purpose == NO_PURPOSE:
            changes[holder].vacant += posts
        if purpose not in (NO_PURPOSE, of_purpose):
            continue
        if account in POOLED:
            changes[holder].deposited += posts
        if account == Account.PENDING and borrower is not None:
            changes[borrower].asked += posts
        if account == Account.BORROWED and holder == borrower:
            changes[holder].borrowed += posts
    return dict(changes)


def limits_of(session: Session, partition: Partition, purpose: str) -> dict[str, Row]:
    """Limit rows of a partition and purpose by node."""
    rows = run(session, _LIMITS, {"type": partition[0], "form": partition[1], "purpose": purpose})
    return {row.node_id: row for row in rows}


_LIMIT = PoolLimit.__table__
_LIMITS = select(_LIMIT).where(
    _LIMIT.c.post_type == bindparam("type"), _LIMIT.c.fund_form == bindparam("form"),
    _LIMIT.c.purpose == bindparam("purpose"),
)  # fmt: skip


def tree_node(node_id: str, parent: str | None, own: int, lends: int, limit: Row | None) -> Node:
    """A node of the pure tree. A unit lends what it has deposited; a division without a limit row is unlimited."""
    if node_id.startswith("U:"):
        return Node(node_id, parent, own, lends, limit.borrow_posts if limit else None)
    if limit is None:
        return Node(node_id, parent, own)
    return Node(node_id, parent, own, limit.lend_posts, limit.borrow_posts, limit.floor_posts)


def load_tree(session: Session, partition: Partition, purpose: str = NO_PURPOSE) -> dict[str, Node]:
    """The tree of all that is booked, whatever its day."""
    limits = limits_of(session, partition, purpose)
    sums = {
        row.node_id: row
        for row in session.execute(
            select(PoolSum.node_id, PoolSum.own, PoolSum.lends).where(
                PoolSum.post_type == partition[0], PoolSum.fund_form == partition[1], PoolSum.purpose == purpose
            )
        )
    }
    tree = {}
    for node_id, parent in session.execute(
        select(PoolNode.id, PoolNode.parent_id).where(PoolNode.closed_on.is_(None)).order_by(PoolNode.id)
    ):
        held = sums.get(node_id)
        tree[node_id] = tree_node(
            node_id, parent, held.own if held else 0, held.lends if held else 0, limits.get(node_id)
        )
    return tree


def vacancies(session: Session, partition: Partition) -> dict[str, int]:
    """Own posts vacant per holder (negative: excess), of all that is booked."""
    rows = session.execute(
        select(PoolBalance.holder, PoolBalance.posts).where(
            PoolBalance.account == Account.HOME, PoolBalance.purpose == NO_PURPOSE,
            PoolBalance.post_type == partition[0], PoolBalance.fund_form == partition[1],
        )
    )  # fmt: skip
    return dict(rows.all())


def trees_by_day(
    session: Session, partition: Partition, purpose: str, days: Iterable[date]
) -> list[tuple[dict[str, Node], Mapping[str, int]]]:
    """(tree, vacancies) as they stand at the end of each day given."""
    tree, vacant = load_tree(session, partition, purpose), vacancies(session, partition)
    days = sorted(days)
    later = session.execute(
        select(
            PoolEntry.effective_date, PoolEntry.movement_seq, PoolEntry.account, PoolEntry.holder, PoolEntry.purpose,
            PoolEntry.posts, PoolMovement.to_holder,
        )
        .join(PoolMovement, PoolMovement.seq == PoolEntry.movement_seq)
        .where(
            PoolEntry.post_type == partition[0], PoolEntry.fund_form == partition[1],
            PoolEntry.effective_date > days[0],
        )
    ).all()  # fmt: skip
    return [_as_of(tree, vacant, [row for row in later if row.effective_date > day], purpose) for day in days]


def _as_of(tree, vacant, undone, purpose) -> tuple[dict[str, Node], dict[str, int]]:
    """The tree without the entries given."""
    total: dict[str, OwnChange] = defaultdict(OwnChange)
    for row in undone:
        entry = (row.account, row.holder, row.purpose, row.posts)
        for holder, change in own_changes([entry], row.to_holder, purpose).items():
            for name in ("deposited", "vacant", "borrowed", "asked"):
                setattr(total[holder], name, getattr(total[holder], name) - getattr(change, name))
    before, vacant = dict(tree), dict(vacant)
    for holder, change in total.items():
        if holder not in before:
            continue
        node = before[holder]
        lends = node.lend_limit + change.deposited if holder.startswith("U:") else node.lend_limit
        before[holder] = Node(
            node.id, node.parent, node.own + change.own(vacant.get(holder, 0)), lends, node.borrow_limit, node.floor
        )
        vacant[holder] = vacant.get(holder, 0) + change.vacant
    return before, vacant
