"""Before anything is sent: what a request would answer, and what a change of the tree would do, node by node."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import BianzhiError, InputRejected, Refused
from pool.acting import Act, Receipt, parents, path_up
from pool.forest import load_tree
from pool.ledger import NO_PURPOSE, Account, parse_cell
from pool.models import PoolBalance, PoolLot, PoolNode
from pool.service_loans import Wish, request_loan
from pool.tree import WhatIf, surpluses
from pool.whatif import Trials, what_if_abolished, what_if_cut, what_if_merged, what_if_recalled, what_if_reparented

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


def suppose(session: Session, change: Supposed, on: date) -> Trials:
    """Try a change on copies of the trees: per (post_type, fund_form, purpose) T and deficits before and after. Of a
    purpose's own tree only what changes or binds is answered. on: today, as the act would be done.

    Nothing is written, and reach is the caller's to check. Errors: InputRejected, NotFound; Refused as by the act.
    """
    if change.kind not in KINDS:
        raise InputRejected("没有这种假设。", field="kind")
    if change.kind != "CUT" and change.kind != "ABOLISH" and change.target is None:
        raise InputRejected("须写明调整到哪个节点。", field="target")
    trials = _tried(session, change, on)
    return {
        key: tried
        for key, tried in sorted(trials.items())
        if key[2] == NO_PURPOSE or tried.binds or changed_nodes(tried)
    }


def _tried(session: Session, change: Supposed, on: date) -> Trials:
    node, target = change.node, change.target
    if change.kind in ("CUT", "RECALL"):
        cell = parse_cell(node, change.post_type or "", change.fund_form or "")
        if change.kind == "CUT":
            return what_if_cut(session, cell, change.posts, on)
        return what_if_recalled(session, cell.partition, node, target, change.posts)
    if change.kind == "MERGE":
        return what_if_merged(session, node, target, on)
    if change.kind == "REPARENT":
        return what_if_reparented(session, node, target)
    return what_if_abolished(session, node)


def changed_nodes(found: WhatIf) -> list[str]:
    """Ids of the nodes whose T or deficit a supposed change alters."""
    return sorted(
        node_id
        for node_id in {*found.before, *found.after}
        if found.before.get(node_id, 0) != found.after.get(node_id, 0)
        or found.deficits_before.get(node_id) != found.deficits_after.get(node_id)
    )
