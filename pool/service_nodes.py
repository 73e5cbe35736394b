"""Use-cases on the tree: limits, and reorganisations with T of every node before and after."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from core.permissions import Permission
from pool import entries
from pool.acting import (
    Act,
    Receipt,
    check_place,
    node_of,
    note_document,
    once,
    open_node,
    parents,
    path_up,
)  # fmt: skip
from pool.approvals import PENDING
from pool.crossing import check_crossing, read_central
from pool.forest import Partition, load_tree
from pool.ledger import NO_PURPOSE, POOLED, Cell, Kind, parse_cell
from pool.models import (
    PoolBalance,
    PoolEntry,
    PoolLimit,
    PoolMovement,
    PoolNode,
    PoolReorganisation,
    PoolRequest,
    PoolSlot,
    PoolSum,
)  # fmt: skip
from pool.posting import Booking, book, refusal
from pool.service import parse_day, trail
from pool.store import terms_on
from pool.strains import Strain
from pool.tree import Binding, Node, bindings, surpluses


def parse_limit(value: object) -> int | None:
    """A limit: a whole number from 0 on, or the word `unlimited`. Errors: InputRejected, for −1 and None too."""
    if value == "unlimited":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 1_000_000:
        raise InputRejected("限额须为不小于 0 的整数，或者 unlimited（不限）。", field="limit")
    return value


def set_limits(
    session: Session, act: Act, node_id: str, post_type: str, fund_form: str, *, lend: object, borrow: object,
    floor: int = 0, purpose: str = NO_PURPOSE,
) -> Receipt:  # fmt: skip
    """A division's lending and borrowing limits (a number or `unlimited`) and, at a root, the floor. → node, before, after.

    A borrowing limit or floor below what is used already opens debt at the node, which then may only shrink. A lending limit
    that would leave another node short is refused (LIMIT): what it offers is counted on above.
    """
    node = node_of(session, node_id)
    parse_cell(node_id, post_type, fund_form)
    check_place(session, act, Permission.SET_LIMITS, node)
    lends, borrows = parse_limit(lend), parse_limit(borrow)
    if parse_limit(floor) is None or (floor and node.parent_id is not None):
        raise Refused("余粮下限只在最上一级节点设置。", answer="FLOOR_BELOW_ROOT")
    if node.kind != "DIVISION" and lend != "unlimited":
        raise Refused("单位的出借上限就是它存入的编制，不另设。", answer="UNIT_LENDS_DEPOSIT")
    key = {"node_id": node_id, "post_type": post_type, "fund_form": fund_form, "purpose": purpose}
    after = {"lend": lend, "borrow": borrow, "floor": floor}

    def do() -> Receipt:
        session.refresh(node)
        open_node(node)
        if purpose and purpose not in terms_on(session, act.today, node.division_code).purposes:
            raise InputRejected("没有这种用途。", field="purpose")
        old = session.get(PoolLimit, key, populate_existing=True)
        before = _limit_words(old)
        last = session.scalar(select(func.coalesce(func.max(PoolMovement.seq), 0)))
        _check_lending(session, node, load_tree(session, (post_type, fund_form), purpose), lends)
        session.execute(delete(PoolLimit).where(*(getattr(PoolLimit, name) == value for name, value in key.items())))
        session.execute(insert(PoolLimit.__table__), [{
            **key, "lend_unlimited": lends is None, "lend_posts": lends, "borrow_unlimited": borrows is None,
            "borrow_posts": borrows, "floor_posts": floor, "set_after": last,
        }])  # fmt: skip
        rebuild_sums(session, (post_type, fund_form), purpose)
        trail(session, act, "limits_set", f"node {node_id}", **key, before=before, after=after)
        return {"node": node_id, "before": before, "after": after}

    return once(session, act, "set_limits", {**key, **after}, [node_id], do)


def _check_lending(session: Session, node: PoolNode, tree: dict[str, Node], lends: int | None) -> None:
    """Errors: Refused where lending no more than that deepens the deficit of a node above, with the least that does not."""

    def found(posts: int | None) -> list[Binding]:
        return bindings(tree, {**tree, node.id: replace(tree[node.id], lend_limit=posts)})

    if node.kind != "DIVISION" or node.id not in tree or not (short := found(lends)):
        return
    low, high = lends, max(lends, surpluses(tree)[node.id])
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if found(middle) else (low, middle)
    above = session.get(PoolNode, short[0].node)
    raise Refused(
        f"{node.name}只出借 {lends} 个时，{above.name}的缺口将增加 {short[0].short} 个；出借上限至少须为 {low} 个。",
        answer="LIMIT", node=above.id, short=short[0].short, limit=short[0].limit,
        surplus_before=short[0].surplus_before, surplus_after=short[0].surplus_after, least=low,
    )  # fmt: skip


def _limit_words(row: PoolLimit | None) -> dict[str, object]:
    if row is None:
        return {"lend": "unlimited", "borrow": "unlimited", "floor": 0}
    lend = "unlimited" if row.lend_unlimited else row.lend_posts
    return {"lend": lend, "borrow": "unlimited" if row.borrow_unlimited else row.borrow_posts, "floor": row.floor_posts}


def rebuild_sums(session: Session, partition: Partition, purpose: str) -> dict[str, int]:
    """T of every node of a partition anew, after limits or the tree changed; returns it."""
    tree = load_tree(session, partition, purpose)
    surplus = surpluses(tree)
    where = (
        PoolSum.post_type == partition[0], PoolSum.fund_form == partition[1], PoolSum.purpose == purpose,
    )  # fmt: skip
    held = {row.node_id: row for row in session.execute(select(PoolSum.node_id, PoolSum.surplus).where(*where))}
    for node_id, value in surplus.items():
        if node_id in held and held[node_id].surplus != value:
            session.execute(
                update(PoolSum)
                .where(*where, PoolSum.node_id == node_id)
                .values(surplus=value)
                .execution_options(synchronize_session=False)
            )
        elif node_id not in held and (value or tree[node_id].own):
            session.execute(insert(PoolSum.__table__), [{
                "node_id": node_id, "post_type": partition[0], "fund_form": partition[1], "purpose": purpose,
                "own": tree[node_id].own, "lends": 0, "surplus": value,
            }])  # fmt: skip
    return surplus


def partitions(session: Session) -> list[tuple[str, str, str]]:
    """(post_type, fund_form, purpose) of every tree that has sums."""
    rows = session.execute(select(PoolSum.post_type, PoolSum.fund_form, PoolSum.purpose).distinct())
    return sorted((row.post_type, row.fund_form, row.purpose) for row in rows)


def reparent_node(
    session: Session, act: Act, node_id: str, parent_id: str, document_no: str, effective: date | None = None
) -> Receipt:
    """Hang a node (with all below it) under another, in one dated transaction. → node, before, after (T per node).

    Refused where any node's deficit would grow in any partition (LIMIT), or a loop would come about.
    """
    node, parent = node_of(session, node_id), node_of(session, parent_id)

    def change() -> None:
        check_reparent(session, node, parent)
        session.execute(update(PoolNode).where(PoolNode.id == node_id).values(parent_id=parent_id))
        session.expire(node)

    return _reorganise(session, act, "REPARENT", node, parent, document_no, effective, change)


def check_reparent(session: Session, node: PoolNode, parent: PoolNode) -> None:
    """Whether one can hang under the other. Errors: Refused."""
    open_node(parent)
    if parent.kind != "DIVISION":
        raise Refused("上级须是一级节点，不能是单位。", answer="NOT_A_POOL")
    if node.id in path_up(parents(session, [parent.id]), parent.id):
        raise Refused("不能隶属于自己或自己的下级。", answer="LOOP")


def abolish_node(session: Session, act: Act, node_id: str, document_no: str, effective: date | None = None) -> Receipt:
    """Close a node that holds nothing, lends and borrows nothing, and has nothing below. → as `reparent_node`."""
    node = node_of(session, node_id)

    def change() -> None:
        check_empty(session, node)
        close_node(session, node, act.today)

    return _reorganise(session, act, "ABOLISH", node, None, document_no, effective, change)


def merge_nodes(
    session: Session, act: Act, node_id: str, into_id: str, document_no: str, effective: date | None = None,
    central_no: str | None = None,
) -> Receipt:  # fmt: skip
    """One unit goes into another: all its posts and people by TRANSFER, then it is closed. → as `reparent_node`.

    Refused while it has loans, requests, reservations or posts in a pool (HAS_LOANS, NOT_EMPTY), and as
    `pool.service.transfer_posts` where posts change level (R12).
    """
    node, into = node_of(session, node_id), node_of(session, into_id)
    central_no = read_central(central_no)

    def change() -> None:
        day = parse_day(effective, act)
        check_merge(session, node, into, day)
        _hand_over(session, act, node, into, document_no, day, central_no)
        check_empty(session, node)
        close_node(session, node, act.today)

    more = {"central_no": central_no} if central_no else {}
    return _reorganise(session, act, "MERGE", node, into, document_no, effective, change, more)


def check_merge(session: Session, node: PoolNode, into: PoolNode, day: date) -> None:
    """Whether one unit can go into the other on a day. Errors: Refused."""
    if node.kind != "UNIT" or into.kind != "UNIT" or node.id == into.id:
        raise Refused("只能把一个单位并入另一个单位。", answer="NOT_UNITS")
    open_node(into)
    check_no_loans(session, node)
    _to_hand_over(session, node, day)


def _reorganise(
    session: Session, act: Act, kind: str, node: PoolNode, target: PoolNode | None, document_no: str,
    effective: date | None, change: Callable[[], None], more: Receipt | None = None,
) -> Receipt:  # fmt: skip
    """Take T of every tree before and after the change; refuse what deepens a deficit; keep both as the proof."""
    places = [place for place in (node, target) if place is not None]
    for place in places:
        check_place(session, act, Permission.REORGANISE, place)
    day = parse_day(effective, act)
    if day > act.today:
        raise Refused("机构调整只在生效当日或之后办理。", answer="NOT_YET")

    def do() -> Receipt:
        open_node(node)
        number = note_document(session, act, document_no)
        proof = prove_trees(session, change)
        keep_proof(session, act, kind, node, target, number, day, proof)
        return {"node": node.id, "kind": kind, **proof}

    body = {
        "node": node.id,
        "target": target.id if target else None,
        "document_no": document_no,
        "effective": effective,
        **(more or {}),
    }
    return once(session, act, kind, body, [place.id for place in places], do)


def prove_trees(session: Session, change: Callable[[], object]) -> dict[str, dict[str, dict[str, int]]]:
    """Make a change, with T of every node before and after it. Errors: Refused where it deepens any deficit."""
    before = {tree: load_tree(session, tree[:2], tree[2]) for tree in partitions(session)}
    change()
    after = {tree: load_tree(session, tree[:2], tree[2]) for tree in partitions(session)}
    _check_trees(session, before, after)
    for post_type, fund_form, purpose in after:
        rebuild_sums(session, (post_type, fund_form), purpose)
    return {"before": _spelled(before), "after": _spelled(after)}


def keep_proof(
    session: Session, act: Act, kind: str, node: PoolNode, target: PoolNode | None, number: str, day: date,
    proof: dict[str, object],
) -> None:  # fmt: skip
    """Keep a reorganisation with its proof, and its audit event."""
    session.execute(insert(PoolReorganisation.__table__), [{
        "at": act.now, "actor": act.login, "kind": kind, "node_id": node.id,
        "target_id": target.id if target else None, "document_no": number, "effective_date": day,
        "proof": json.dumps(proof, ensure_ascii=False, sort_keys=True),
    }])  # fmt: skip
    trail(session, act, kind.lower(), f"node {node.id}", target=target.id if target else None, document_no=number)


Trees = dict[tuple[str, str, str], dict[str, Node]]


def _check_trees(session: Session, before: Trees, after: Trees) -> None:
    strains = [
        Strain(tree[:2], tree[2], before.get(tree, {}), nodes, found, {})
        for tree, nodes in after.items()
        if (found := bindings(before.get(tree, {}), nodes))
    ]
    if strains:
        (post_type, fund_form), binding = strains[0].partition, strains[0].found[0]
        name = session.get(PoolNode, binding.node).name
        raise refusal(session, strains, f"调整后{name}的{post_type} {fund_form} 缺口将增加 {binding.short} 个。")


def _spelled(trees: Trees) -> dict[str, dict[str, int]]:
    return {
        " ".join(tree).strip(): {node_id: posts for node_id, posts in surpluses(nodes).items() if posts}
        for tree, nodes in trees.items()
    }


def check_no_loans(session: Session, node: PoolNode) -> None:
    """A node with live loans or waiting requests cannot vanish. Errors: Refused."""
    mine = or_(PoolSlot.node_id == node.id, PoolSlot.lender_id == node.id)
    if session.scalar(select(PoolSlot.slot_no).where(PoolSlot.ended_on.is_(None), mine).limit(1)):
        raise Refused("还有未了的借入或借出，不能撤并。", answer="HAS_LOANS")
    asking = select(PoolRequest.number).where(PoolRequest.node_id == node.id, PoolRequest.status.in_(PENDING))
    if session.scalar(asking.limit(1)):
        raise Refused("还有待批的申请，不能撤并。", answer="HAS_LOANS")


def check_empty(session: Session, node: PoolNode) -> None:
    """Errors: Refused while a node holds posts, owes or is owed any, decides on one, or has nodes below it."""
    check_no_loans(session, node)
    below = select(PoolNode.id).where(PoolNode.parent_id == node.id, PoolNode.closed_on.is_(None))
    held = select(PoolBalance.posts).where(PoolBalance.holder == node.id, PoolBalance.posts != 0)
    decides = select(PoolRequest.number).where(PoolRequest.decision_node == node.id, PoolRequest.status.in_(PENDING))
    if any(session.scalar(query.limit(1)) is not None for query in (below, held, decides)):
        raise Refused("该节点还有编制、下级或待批事项，须先划转。", answer="NOT_EMPTY")


def close_node(session: Session, node: PoolNode, on: date) -> None:
    """Close a node that `check_empty` let pass, from a day on."""
    session.execute(update(PoolNode).where(PoolNode.id == node.id).values(closed_on=on))
    session.expire(node)


def _to_hand_over(session: Session, node: PoolNode, day: date) -> Sequence[Row]:
    """What a unit that goes into another holds. Errors: Refused for what cannot go along."""
    rows = session.execute(
        select(
            PoolBalance.account, PoolBalance.post_type, PoolBalance.fund_form, PoolBalance.purpose, PoolBalance.posts
        ).where(PoolBalance.holder == node.id, PoolBalance.posts != 0)
    ).all()  # fmt: skip
    if any(row.account in (*POOLED, "reserved") for row in rows):
        raise Refused("还有池中或预留的编制，须先出池、解除。", answer="NOT_EMPTY")
    to_come = select(PoolEntry.movement_seq).where(PoolEntry.holder == node.id, PoolEntry.effective_date > day)
    if session.scalar(to_come.limit(1)) is not None:
        raise Refused("还有日后生效的编制变动，须待生效或先冲正。", answer="NOT_EMPTY")
    return rows


def _hand_over(
    session: Session, act: Act, node: PoolNode, into: PoolNode, document_no: str, day: date, central_no: str | None
) -> None:
    number = note_document(session, act, document_no)
    rows = _to_hand_over(session, node, day)
    for post_type, fund_form in sorted({(row.post_type, row.fund_form) for row in rows}):
        check_crossing(node, into, post_type, central_no)
        cell = Cell(node.id, post_type, fund_form)
        held = {row.account: row.posts for row in rows if (row.post_type, row.fund_form) == cell.partition}
        people, vacant = held.get("in_use", 0), held.get("home", 0)
        taken = Cell(into.id, post_type, fund_form)
        # With an excess the people outnumber the posts: the excess goes along, so it neither grows nor hides.
        legs = entries.transfer(cell, taken, people + vacant, people)
        book(session, Booking(
            Kind.TRANSFER, lambda _, legs=legs: legs, max(people, people + vacant), cell.partition, day,
            from_holder=node.id, to_holder=into.id, document_no=number, central_no=central_no, source="MERGER", debt=True,
        ), act.login, act.now)  # fmt: skip
