"""The borrowing tree: T(x), limits, feasibility, what binds, what if (DOMAIN §5). Pure.

`T(x) = own(x) + Σ over children c of min(lend_limit(c), T(c))`; a negative T passes up in full. Feasible: T(x) ≥
−borrow_limit(x) everywhere, and T ≥ floor at a root. Where that does not hold already, no change may make any node's
deficit worse. A limit is a number, or None = unlimited; unlimited is not zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from core.errors import Refused

UNLIMITED = None
Limit = int | None


@dataclass(frozen=True)
class Node:
    """A node of the tree in one partition. lend_limit of a unit: the posts it has deposited."""

    id: str
    parent: str | None
    own: int = 0
    lend_limit: Limit = UNLIMITED
    borrow_limit: Limit = UNLIMITED
    floor: int = 0


Tree = Mapping[str, Node]


class Bound(StrEnum):
    """Which number of a node binds."""

    BORROW_LIMIT = "BORROW_LIMIT"
    FLOOR = "FLOOR"


class Remedy(StrEnum):
    """What would have to grow, and where."""

    RAISE_BORROW_LIMIT = "RAISE_BORROW_LIMIT"
    RAISE_LEND_LIMIT = "RAISE_LEND_LIMIT"
    ADD_POSTS = "ADD_POSTS"


@dataclass(frozen=True)
class Binding:
    """A node whose deficit a change would deepen. surplus: T before and after; short: by how many posts."""

    node: str
    bound: Bound
    limit: int
    surplus_before: int
    surplus_after: int
    short: int


@dataclass(frozen=True)
class Change:
    """One part of the smallest change that would pass."""

    node: str
    remedy: Remedy
    posts: int


def own_posts(*, deposited: int, vacant: int, borrowed: int, asked: int) -> int:
    """own(unit) = quota − in use − retained reserve − pending asked, from what the ledger keeps.

    vacant: own posts free and not deposited; what is positive of it is the retained reserve, what is negative the
    excess over quota. Posts borrowed count as in use from their issue, filled or not (decision 0005).
    """
    return deposited + min(vacant, 0) - borrowed - asked


def passed_up(lend_limit: Limit, surplus: int) -> int:
    """What a node offers its parent, or takes from it (negative, in full)."""
    return surplus if lend_limit is None else min(lend_limit, surplus)


def surpluses(tree: Tree) -> dict[str, int]:
    """T of every node. Errors: Refused for a loop or a parent that is not there."""
    result = {}
    for node_id in reversed(top_down(tree)):
        node = tree[node_id]
        result[node_id] = result.get(node_id, 0) + node.own
        if node.parent is not None:
            given = passed_up(node.lend_limit, result[node_id])
            result[node.parent] = result.get(node.parent, 0) + given
    return result


def top_down(tree: Tree) -> list[str]:
    """Ids, every parent before its children. Errors: Refused for a loop or a parent that is not there."""
    below: dict[str | None, list[str]] = {}
    for node in tree.values():
        below.setdefault(node.parent, []).append(node.id)
    order = list(below.get(None, ()))
    for node_id in order:
        order.extend(below.get(node_id, ()))
    if len(order) != len(tree):
        raise Refused("节点的上级不存在，或者上下级成环。", answer="LOOP")
    return order


def shortfall(node: Node, surplus: int) -> tuple[int, Bound, int]:
    """(posts short, which number binds, that number) of a node at a T; 0 short: feasible."""
    short, bound, limit = 0, Bound.BORROW_LIMIT, node.borrow_limit or 0
    if node.borrow_limit is not None:
        short = max(0, -node.borrow_limit - surplus)
    # A floor is never below −borrow_limit, so at a root it is the one that binds.
    if node.parent is None and node.floor > surplus:
        return node.floor - surplus, Bound.FLOOR, node.floor
    return short, bound, limit


def deficits(tree: Tree, surplus: Mapping[str, int] | None = None) -> dict[str, int]:
    """Posts short per node that is short of any: the debt shown."""
    surplus = surplus or surpluses(tree)
    short = {node_id: shortfall(node, surplus[node_id])[0] for node_id, node in tree.items()}
    return {node_id: posts for node_id, posts in short.items() if posts}


def bindings(before: Tree, after: Tree) -> list[Binding]:
    """Nodes whose deficit a change deepens, the deepest node first; empty: the change passes.

    A node that only stands in `after` had no deficit.
    """
    was, now = surpluses(before), surpluses(after)
    found = []
    for node_id in reversed(top_down(after)):
        short, bound, limit = shortfall(after[node_id], now[node_id])
        old = shortfall(before[node_id], was[node_id])[0] if node_id in before else 0
        if short > old:
            found.append(Binding(node_id, bound, limit, was.get(node_id, 0), now[node_id], short - old))
    return found


def moved(tree: Tree, changes: Mapping[str, int], lend_changes: Mapping[str, int] | None = None) -> dict[str, Node]:
    """A copy with own changed by so many posts per node, and a unit's deposit (its lend limit) likewise."""
    copy = dict(tree)
    for node_id, posts in changes.items():
        copy[node_id] = replace(copy[node_id], own=copy[node_id].own + posts)
    for node_id, posts in (lend_changes or {}).items():
        limit = copy[node_id].lend_limit
        copy[node_id] = replace(copy[node_id], lend_limit=None if limit is None else limit + posts)
    return copy


@dataclass(frozen=True)
class Step:
    """A node on the way from a leaf to the root, with its T as it stands."""

    node: Node
    surplus: int


def climb(path: Sequence[Step], own_change: int, lend_change: int = 0) -> tuple[list[int], list[Binding]]:
    """T along a path, leaf first, after the leaf's own (and deposit) changed, and what binds: only ancestors change.

    Equal to `surpluses` and `bindings` of the whole tree, for the price of the tree's depth.
    """
    after, found = [], []
    change, lend = own_change, lend_change
    for step in path:
        node, was = step.node, step.surplus
        now = was + change
        after.append(now)
        short, bound, limit = shortfall(node, now)
        old = shortfall(node, was)[0]
        if short > old:
            found.append(Binding(node.id, bound, limit, was, now, short - old))
        limit_after = None if node.lend_limit is None else node.lend_limit + lend
        change = passed_up(limit_after, now) - passed_up(node.lend_limit, was)
        lend = 0
    return after, found


def climb_many(
    steps: Mapping[str, Step], moves: Sequence[tuple[Sequence[str], int, int]]
) -> tuple[dict[str, int], list[Binding]]:
    """Several changes at once, each (path leaf first, own change, deposit change): T after of every node on a path, and
    what binds when all are made, in the order of the paths."""
    now = dict(steps)
    reached: dict[str, int] = {}
    for path, own, lend in moves:
        after, _ = climb([now[node_id] for node_id in path], own, lend)
        for node_id, surplus in zip(path, after, strict=True):
            node, more = now[node_id].node, lend if node_id == path[0] else 0
            limit = None if node.lend_limit is None else node.lend_limit + more
            now[node_id] = Step(replace(node, lend_limit=limit), surplus)
            reached[node_id] = surplus
    found = []
    for node_id, surplus in reached.items():
        node, was = steps[node_id].node, steps[node_id].surplus
        short, bound, limit = shortfall(node, surplus)
        old = shortfall(node, was)[0]
        if short > old:
            found.append(Binding(node_id, bound, limit, was, surplus, short - old))
    return reached, found


def smallest_change(before: Tree, after: Tree) -> list[Change]:
    """What would have to grow for the change to pass: applied, it passes; one post less anywhere, it fails.

    A borrowing limit that binds is raised by what is short. A root short of its floor needs posts added to its pool,
    or, where nothing else binds and one node below holds enough back, that node's lending limit raised. All that is
    short, what was short already with it: what mends a part of it mends that part of the old debt first.
    """
    found = bindings(before, after)
    short = {binding.node: shortfall(after[binding.node], binding.surplus_after)[0] for binding in found}
    if len(found) == 1 and found[0].bound is Bound.FLOOR:
        return [_for_floor(after, found[0], short[found[0].node])]
    return [
        Change(
            binding.node,
            Remedy.ADD_POSTS if binding.bound is Bound.FLOOR else Remedy.RAISE_BORROW_LIMIT,
            short[binding.node],
        )
        for binding in found
    ]


def _for_floor(after: Tree, binding: Binding, short: int) -> Change:
    surplus = surpluses(after)
    for node_id in top_down(after):
        node = after[node_id]
        if node.parent is None or node.lend_limit is None or surplus[node_id] < node.lend_limit + short:
            continue
        raised = {**after, node_id: replace(node, lend_limit=node.lend_limit + short)}
        if surpluses(raised)[binding.node] == binding.surplus_after + short:
            return Change(node_id, Remedy.RAISE_LEND_LIMIT, short)
    return Change(binding.node, Remedy.ADD_POSTS, short)


def applied(tree: Tree, changes: Sequence[Change]) -> dict[str, Node]:
    """A copy with the changes made."""
    copy = dict(tree)
    for change in changes:
        node = copy[change.node]
        if change.remedy is Remedy.ADD_POSTS:
            copy[node.id] = replace(node, own=node.own + change.posts)
        elif change.remedy is Remedy.RAISE_LEND_LIMIT:
            copy[node.id] = replace(node, lend_limit=(node.lend_limit or 0) + change.posts)
        else:
            copy[node.id] = replace(node, borrow_limit=(node.borrow_limit or 0) + change.posts)
    return copy


def most_that_passes(tree: Tree, node_id: str, wanted: int) -> int:
    """The largest number of posts ≤ wanted the node could take without deepening a deficit."""
    low, high = 0, wanted
    while low < high:
        middle = (low + high + 1) // 2
        if bindings(tree, moved(tree, {node_id: -middle})):
            high = middle - 1
        else:
            low = middle
    return low


@dataclass(frozen=True)
class WhatIf:
    """A change tried on a copy: T and deficits per node before and after, and whose deficit it deepens.

    opens_debt: the act may deepen a deficit (CUT), so that what binds does not stop it.
    """

    before: dict[str, int]
    after: dict[str, int]
    deficits_before: dict[str, int]
    deficits_after: dict[str, int]
    binds: list[Binding]
    opens_debt: bool = False

    @property
    def passes(self) -> bool:
        return self.opens_debt or not self.binds


def what_if(before: Tree, after: Tree, *, opens_debt: bool = False) -> WhatIf:
    """Compare two trees; neither is changed."""
    was, now = surpluses(before), surpluses(after)
    return WhatIf(was, now, deficits(before, was), deficits(after, now), bindings(before, after), opens_debt)


def if_cut(tree: Tree, node_id: str, posts: int, vacant: int) -> dict[str, Node]:
    """Quota falls by `posts`; vacant posts go first, what is more becomes excess. vacant: `own_posts`' argument."""
    return moved(tree, {node_id: min(vacant - posts, 0) - min(vacant, 0)})


def if_reparented(tree: Tree, node_id: str, parent: str) -> dict[str, Node]:
    """The node, with all below it, under another parent. Errors: Refused for a loop or an unknown parent."""
    if parent not in tree:
        raise Refused("没有这个上级节点。", answer="UNKNOWN_NODE")
    copy = {**tree, node_id: replace(tree[node_id], parent=parent)}
    top_down(copy)
    return copy


def if_merged(tree: Tree, node_id: str, into: str, own: int) -> dict[str, Node]:
    """The node's deposits and children go to another, and it is gone. own: the two cells' together (`own_posts` of
    their figures added up, for one's vacancies cover the other's excess). Errors: Refused for one below the other."""
    gone, kept = tree[node_id], tree[into]
    copy = {key: replace(node, parent=into) if node.parent == node_id else node for key, node in tree.items()}
    del copy[node_id]
    # A unit's lend limit is its deposit, so deposits add up; a division keeps the limits it was given.
    limit = kept.lend_limit
    if not any(node.parent in (node_id, into) for node in tree.values()) and None not in (limit, gone.lend_limit):
        limit += gone.lend_limit
    copy[into] = replace(kept, own=own, lend_limit=limit)
    top_down(copy)
    return copy


def if_abolished(tree: Tree, node_id: str) -> dict[str, Node]:
    """The node is gone with what it owns or owes. Errors: Refused while nodes stand below it."""
    if any(node.parent == node_id for node in tree.values()):
        raise Refused("该节点下面还有单位，不能撤销。", answer="NOT_EMPTY")
    return {key: node for key, node in tree.items() if key != node_id}


def if_recalled(tree: Tree, borrower: str, posts: int) -> dict[str, Node]:
    """Lent posts are given back: they are idle again in the pool they came from. What is lent counts as deposited, so
    the lender's own, its deposit and every limit stay; only the borrower owes less."""
    return moved(tree, {borrower: posts})


def if_home(tree: Tree, lender: str, excess: int = 0) -> dict[str, Node]:
    """One idle post of a lender that keeps its quota goes home: it deposits one less. excess: its posts over quota, where
    they count in this tree, of which the post makes up one."""
    unit = tree[lender].lend_limit is not None and lender.startswith("U:")
    return moved(tree, {lender: -1 + min(1, excess)}, {lender: -1} if unit else None)
