"""What if: a change tried on copies of the trees as they stand, with T and deficits of every node before and after.

What the act itself refuses is refused here by the same checks; every tree the act looks at is tried, by partition and
purpose ('': all purposes together).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from pool.acting import node_of, open_node
from pool.approvals import SLOT_MOVES, Move
from pool.forest import Partition, load_tree, vacancies
from pool.homeward import lender_keeps
from pool.ledger import NO_PURPOSE, Cell, parse_cell, parse_posts
from pool.models import PoolSlot
from pool.service import check_cut
from pool.service_nodes import check_empty, check_merge, check_reparent, partitions
from pool.tree import (
    Node,
    WhatIf,
    bindings,
    if_abolished,
    if_cut,
    if_home,
    if_merged,
    if_recalled,
    if_reparented,
    what_if,
)

TreeKey = tuple[str, str, str]
Trials = dict[TreeKey, WhatIf]


def what_if_cut(session: Session, cell: Cell, posts: object, on: date) -> Trials:
    """Quota of a cell falls: vacant posts go first, what is more becomes excess; debt may open, as with the act.

    Errors: NotFound, InputRejected; Refused (MORE_THAN_QUOTA).
    """
    count = parse_posts(posts)
    open_node(node_of(session, cell.holder))
    check_cut(session, cell, count, on)
    tree, vacant = load_tree(session, cell.partition), vacancies(session, cell.partition).get(cell.holder, 0)
    # Own vacancies count in the tree of all purposes alone.
    return {(*cell.partition, NO_PURPOSE): what_if(tree, if_cut(tree, cell.holder, count, vacant), opens_debt=True)}


def what_if_recalled(session: Session, partition: Partition, lender: str, borrower: str, posts: object) -> Trials:
    """So many lent posts, those due first, are recalled, given back and, where the lender keeps its quota, home. Errors: as `what_if_cut`; Refused
    (MORE_THAN_LENT: has, needs)."""
    count = parse_posts(posts)
    for node_id in (lender, borrower):
        parse_cell(node_id, *partition)
        open_node(node_of(session, node_id))
    slots = session.scalars(
        select(PoolSlot)
        .where(
            PoolSlot.lender_id == lender, PoolSlot.node_id == borrower, PoolSlot.post_type == partition[0],
            PoolSlot.fund_form == partition[1], PoolSlot.ended_on.is_(None),
            PoolSlot.status.in_(SLOT_MOVES[Move.RECALL].sources),
        )
        .order_by(PoolSlot.due_date, PoolSlot.slot_no)
    ).all()  # fmt: skip
    if count > len(slots):
        raise Refused(
            f"出借方借给该单位、可以收回的编制只有 {len(slots)} 个，不能收回 {count} 个。",
            answer="MORE_THAN_LENT", has=len(slots), needs=count,
        )  # fmt: skip
    return what_if_slots_recalled(session, slots[:count])


def what_if_slots_recalled(session: Session, slots: Sequence[PoolSlot]) -> Trials:
    """Slots of one borrower and partition are given back: in the tree of all purposes, and of each slot's own.

    Then, as `pool.homing`, each goes home by itself where the trees bear it; else it waits in the pool.
    """
    first, partition = slots[0], (slots[0].post_type, slots[0].fund_form)
    before, after = {}, {}
    for purpose in sorted({NO_PURPOSE, *(slot.purpose for slot in slots)}):
        before[purpose] = load_tree(session, partition, purpose)
        posts = sum(purpose in (NO_PURPOSE, slot.purpose) for slot in slots)
        after[purpose] = if_recalled(before[purpose], first.node_id, posts)
    vacant = vacancies(session, partition)
    for slot in slots:
        if lender_keeps(session, slot):
            _go_home(after, vacant, slot.lender_id, slot.purpose)
    return {(*partition, purpose): what_if(tree, after[purpose]) for purpose, tree in before.items()}


def _go_home(after: dict[str, dict[str, Node]], vacant: dict[str, int], lender: str, purpose: str) -> None:
    """One post less in the lender's deposit, in both trees or in none; vacant: own posts per holder, one more if so."""
    excess = max(0, -vacant.get(lender, 0))
    then = {
        NO_PURPOSE: if_home(after[NO_PURPOSE], lender, excess), purpose: if_home(after[purpose], lender),
    }  # fmt: skip
    if not any(bindings(after[key], tree) for key, tree in then.items()):
        after.update(then)
        vacant[lender] = vacant.get(lender, 0) + 1


def what_if_reparented(session: Session, node_id: str, parent_id: str) -> Trials:
    """A node with all below it hangs under another. Errors: NotFound; Refused, as `reparent_node`."""
    node, parent = node_of(session, node_id), node_of(session, parent_id)
    open_node(node)
    check_reparent(session, node, parent)
    return _everywhere(session, lambda tree, _: if_reparented(tree, node_id, parent_id))


def what_if_merged(session: Session, node_id: str, into_id: str, on: date) -> Trials:
    """A unit's posts go to another; one's vacancies cover the other's excess. Errors: NotFound; Refused, as
    `merge_nodes`."""
    node, into = node_of(session, node_id), node_of(session, into_id)
    open_node(node)
    check_merge(session, node, into, on)

    def merged(tree: dict[str, Node], key: TreeKey) -> dict[str, Node]:
        vacant = vacancies(session, key[:2]) if key[2] == NO_PURPOSE else {}
        apart = [vacant.get(node_id, 0), vacant.get(into_id, 0)]
        own = tree[node_id].own + tree[into_id].own - sum(min(posts, 0) for posts in apart) + min(sum(apart), 0)
        return if_merged(tree, node_id, into_id, own)

    return _everywhere(session, merged)


def what_if_abolished(session: Session, node_id: str) -> Trials:
    """An empty node is gone. Errors: NotFound; Refused, as `abolish_node`."""
    node = open_node(node_of(session, node_id))
    check_empty(session, node)
    return _everywhere(session, lambda tree, _: if_abolished(tree, node_id))


def _everywhere(session: Session, change: Callable[[dict[str, Node], TreeKey], dict[str, Node]]) -> Trials:
    """The change in every tree that has sums, as `prove_trees` tries the act."""
    trees: Iterable[tuple[TreeKey, dict[str, Node]]] = (
        (key, load_tree(session, key[:2], key[2])) for key in partitions(session)
    )
    return {key: what_if(tree, change(tree, key)) for key, tree in trees}
