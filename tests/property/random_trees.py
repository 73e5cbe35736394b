"""Random trees with random movements, and T(x) found another way: the cheapest cut, over every cut there is.

What x can supply is bounded by every way of cutting lending edges below it: the own posts that stay attached to x, plus
the lending limits of the cut edges. T(x) is the least of these bounds (a node whose edge is not cut passes on all it
has, be it negative). Nothing here is shared with pool.tree but the Node's fields.
"""

from __future__ import annotations

from itertools import product
from random import Random

from pool.tree import (
    Node,
    Step,
    applied,
    bindings,
    climb,
    most_that_passes,
    moved,
    shortfall,
    smallest_change,
    surpluses,
)


def random_tree(dice: Random) -> dict[str, Node]:
    """Up to nine nodes; limits unlimited, zero and small alike; some roots with a floor."""
    count = dice.randint(1, 9)
    tree: dict[str, Node] = {}
    for number in range(count):
        parent = f"n{dice.randrange(number)}" if number else None
        tree[f"n{number}"] = Node(
            f"n{number}", parent, dice.randint(-4, 6), dice.choice([None, 0, 1, 2, 5]),
            dice.choice([None, None, 0, 1, 3]), dice.choice([0, 0, 2]) if parent is None else 0,
        )  # fmt: skip
    return tree


def cheapest_cut(tree: dict[str, Node], top: str) -> int:
    """T of a node by brute force."""
    edges = [node.id for node in tree.values() if node.id != top and lies_below(tree, node.id, top)]
    cuttable = [edge for edge in edges if tree[edge].lend_limit is not None]
    best = None
    for chosen in product([False, True], repeat=len(cuttable)):
        cut = {edge for edge, is_cut in zip(cuttable, chosen, strict=True) if is_cut}
        bound = 0
        for node_id in [top, *edges]:
            way = way_up(tree, node_id, top)
            if not cut & set(way):
                bound += tree[node_id].own
            elif node_id in cut and not cut & set(way[1:]):
                bound += tree[node_id].lend_limit
        best = bound if best is None else min(best, bound)
    return best


def way_up(tree: dict[str, Node], node_id: str, top: str) -> list[str]:
    """The edges (named by their lower end) from a node to one above it."""
    way = []
    while node_id != top:
        way.append(node_id)
        node_id = tree[node_id].parent
    return way


def lies_below(tree: dict[str, Node], node_id: str, top: str) -> bool:
    at = tree[node_id].parent
    while at is not None and at != top:
        at = tree[at].parent
    return at == top


def short_by_brute_force(tree: dict[str, Node]) -> dict[str, int]:
    short = {}
    for node in tree.values():
        surplus = cheapest_cut(tree, node.id)
        needs = [0]
        if node.borrow_limit is not None:
            needs.append(-node.borrow_limit - surplus)
        if node.parent is None:
            needs.append(node.floor - surplus)
        short[node.id] = max(needs)
    return short


def check_tree(seed: int) -> None:
    """One random tree, then random movements on it: T, deficits, refusals, the climb and the remedy."""
    dice = Random(seed)
    tree = random_tree(dice)
    for _ in range(4):
        truth = {node_id: cheapest_cut(tree, node_id) for node_id in tree}
        assert surpluses(tree) == truth, seed
        node_id, posts = dice.choice(sorted(tree)), dice.choice([-3, -2, -1, 1, 2])
        after = moved(tree, {node_id: posts})
        was, now = short_by_brute_force(tree), short_by_brute_force(after)
        worse = {key: now[key] - was[key] for key in tree if now[key] > was[key]}
        assert {found.node: found.short for found in bindings(tree, after)} == worse, seed
        check_climb(tree, after, node_id, posts, seed)
        if worse:
            check_remedy(tree, after, seed)
            most = most_that_passes(tree, node_id, -posts)
            assert not bindings(tree, moved(tree, {node_id: -most})), seed
            assert bindings(tree, moved(tree, {node_id: -most - 1})), seed
        else:
            tree = after


def check_climb(tree, after, node_id, posts, seed) -> None:
    was, now = surpluses(tree), surpluses(after)
    path = [node_id]
    while tree[path[-1]].parent is not None:
        path.append(tree[path[-1]].parent)
    climbed, found = climb([Step(tree[step], was[step]) for step in path], posts)
    assert climbed == [now[step] for step in path], seed
    assert found == bindings(tree, after), seed


def check_remedy(tree, after, seed) -> None:
    """Applied, the change passes; one post less anywhere, it fails."""
    changes = smallest_change(tree, after)
    assert not bindings(applied(tree, changes), applied(after, changes)), seed
    for number, change in enumerate(changes):
        less = [*changes]
        less[number] = type(change)(change.node, change.remedy, change.posts - 1)
        assert bindings(applied(tree, less), applied(after, less)), seed
    assert all(shortfall(after[change.node], surpluses(after)[change.node]) for change in changes)
