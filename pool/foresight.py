"""Before anything is sent: what a request would answer, and what a change of the tree would do, node by node."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import BianzhiError, InputRejected, Refused
from pool.acting import Act, Receipt, parents, path_up
from pool.forest import load_tree, vacancies
from pool.ledger import NO_PURPOSE, Account, parse_cell, parse_posts
from pool.models import PoolBalance, PoolLot, PoolNode
from pool.service_loans import Wish, request_loan
from pool.service_nodes import partitions
from pool.tree import Tree, WhatIf, if_abolished, if_cut, if_merged, if_recalled, if_reparented, surpluses, what_if

KINDS = ("CUT", "MERGE", "ABOLISH", "REPARENT", "RECALL")


@dataclass(frozen=True)
class LevelEffect:
    """One node on the way from the unit to the root. idle: posts of the purpose free in its own pool; surplus: T."""

    node: PoolNode
    idle_before: int
    idle_after: int
    surplus_before: int
    surplus_after: int
    borrow_limit: int | None


@dataclass(frozen=True)
class Foresight:
    """What a request would answer if it were sent now, and every level before and after. refusal: why it would not pass."""

    levels: list[LevelEffect]
    receipt: Receipt = field(default_factory=dict)
    refusal: Refused | None = None

    @property
    def passes(self) -> bool:
        return self.refusal is None


def check_wish(session: Session, act: Act, wish: Wish) -> Foresight:
    """Ask for it, look, and take all of it back: nothing stays, and the answer is the real one.

    Needs a writing transaction. Errors: InputRejected, NotFound, Forbidden, as `request_loan`; a refusal is an answer.
    """
    cell = parse_cell(f"U:{wish.unit_code}", wish.post_type, wish.fund_form)
    before = _levels(session, cell, wish.purpose)
    receipt, refusal = {}, None
    trial = session.begin_nested()
    try:
        receipt = request_loan(session, act, wish)
    except BianzhiError as error:
        if type(error) is not Refused:
            raise
        refusal = error
    finally:
        after = before if refusal is not None else _levels(session, cell, wish.purpose)
        trial.rollback()
    nodes = {node.id: node for node in session.scalars(select(PoolNode).where(PoolNode.id.in_(before)))}
    levels = [
        LevelEffect(nodes[node_id], idle, after[node_id][0], surplus, after[node_id][1], limit)
        for node_id, (idle, surplus, limit) in before.items()
    ]
    return Foresight(levels, receipt, refusal)


def _levels(session: Session, cell, purpose: str) -> dict[str, tuple[int, int, int | None]]:
    """(idle, T, borrowing limit) of the unit and every node above it, the unit first."""
    path = path_up(parents(session, [cell.holder]), cell.holder) if session.get(PoolNode, cell.holder) else []
    rows = session.execute(
        select(PoolLot.node_id, func.sum(PoolBalance.posts))
        .join(PoolBalance, PoolBalance.lot == PoolLot.lot_no)
        .where(
            PoolBalance.account == Account.IDLE, PoolLot.node_id.in_(path), PoolLot.purpose == purpose,
            PoolLot.post_type == cell.post_type, PoolLot.fund_form == cell.fund_form,
        )
        .group_by(PoolLot.node_id)
    )  # fmt: skip
    idle = {node_id: int(posts) for node_id, posts in rows}
    tree = load_tree(session, cell.partition, NO_PURPOSE)
    surplus = surpluses(tree)
    return {node_id: (idle.get(node_id, 0), surplus[node_id], tree[node_id].borrow_limit) for node_id in path}


@dataclass(frozen=True)
class Supposed:
    """A change to suppose. posts, post_type, fund_form: of CUT and RECALL; target: into, parent, or the borrower."""

    kind: str
    node: str
    target: str | None = None
    posts: object = None
    post_type: str | None = None
    fund_form: str | None = None


def suppose(session: Session, change: Supposed) -> dict[tuple[str, str, str], WhatIf]:
    """Try a change on copies of the trees: per (post_type, fund_form, purpose) T and deficits before and after.

    Nothing is written, and reach is the caller's to check. Errors: InputRejected; Refused for what has no meaning.
    """
    if change.kind not in KINDS:
        raise InputRejected("没有这种假设。", field="kind")
    if change.kind in ("CUT", "RECALL"):
        cell = parse_cell(change.node, change.post_type or "", change.fund_form or "")
        trees = [(*cell.partition, NO_PURPOSE)]
    else:
        trees = partitions(session)
    found = {}
    for post_type, fund_form, purpose in trees:
        before = load_tree(session, (post_type, fund_form), purpose)
        vacant = vacancies(session, (post_type, fund_form)) if purpose == NO_PURPOSE else {}
        found[post_type, fund_form, purpose] = what_if(before, _changed(before, vacant, change))
    return found


def _changed(tree: Tree, vacant: dict[str, int], change: Supposed) -> Tree:
    needs_target = change.kind not in ("CUT", "ABOLISH")
    if change.node not in tree or (needs_target and change.target not in tree):
        raise Refused("没有这个节点，或者它已撤并。", answer="UNKNOWN_NODE")
    node, target = change.node, change.target
    if change.kind == "CUT":
        return if_cut(tree, node, parse_posts(change.posts), vacant.get(node, 0))
    if change.kind == "ABOLISH":
        return if_abolished(tree, node)
    if change.kind == "REPARENT":
        return if_reparented(tree, node, target)
    if change.kind == "RECALL":
        return if_recalled(tree, node, target, parse_posts(change.posts))
    if node == target:
        raise Refused("不能并入自己。", answer="SAME_NODE")
    mine, other = vacant.get(node, 0), vacant.get(target, 0)
    excess = min(mine + other, 0) - min(mine, 0) - min(other, 0)
    return if_merged(tree, node, target, tree[node].own + tree[target].own + excess)
