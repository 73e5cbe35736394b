"""The borrowing tree by hand: what binds, what would help, what if."""

from __future__ import annotations

import pytest

from core.errors import Refused
from pool.tree import (
    Bound,
    Change,
    Node,
    Remedy,
    applied,
    bindings,
    deficits,
    if_abolished,
    if_cut,
    if_merged,
    if_recalled,
    if_reparented,
    most_that_passes,
    moved,
    own_posts,
    smallest_change,
    surpluses,
    what_if,
)  # fmt: skip


def tree(*nodes: Node) -> dict[str, Node]:
    return {node.id: node for node in nodes}


def city(**changes) -> dict[str, Node]:
    """A city over two counties; U1 has deposited 5, U2 borrows."""
    return tree(
        Node("C", None, 2, floor=changes.get("floor", 0)),
        Node("K1", "C", 0, changes.get("k1_lends"), None),
        Node("K2", "C", 0, None, changes.get("k2_borrows")),
        Node("U1", "K1", 5, 5),
        Node("U2", "K2", 0, 0),
    )


def test_surplus_passes_up_as_far_as_the_lending_limit_and_need_in_full():
    assert surpluses(moved(city(k1_lends=3), {"U2": -4})) == {"C": 1, "K1": 5, "K2": -4, "U1": 5, "U2": -4}


def test_unlimited_is_not_zero():
    assert surpluses(city(k1_lends=None))["C"] == 7
    assert surpluses(city(k1_lends=0))["C"] == 2


def test_every_ancestor_is_asked_not_only_the_nearest():
    nodes = city(k2_borrows=9, floor=1)
    found = bindings(nodes, moved(nodes, {"U2": -7}))
    assert [(b.node, b.bound, b.short) for b in found] == [("C", Bound.FLOOR, 1)]


def test_the_borrowing_limit_that_binds_is_named_with_the_change_that_would_help():
    nodes = city(k2_borrows=2)
    after = moved(nodes, {"U2": -4})
    (binding,) = bindings(nodes, after)
    assert (binding.node, binding.limit, binding.surplus_before, binding.surplus_after, binding.short) == (
        "K2", 2, 0, -4, 2,
    )  # fmt: skip
    assert smallest_change(nodes, after) == [Change("K2", Remedy.RAISE_BORROW_LIMIT, 2)]
    assert most_that_passes(nodes, "U2", 4) == 2


def test_a_root_short_of_posts_is_told_of_what_is_held_back_below():
    nodes = city(k1_lends=1)
    after = moved(nodes, {"U2": -5})
    assert smallest_change(nodes, after) == [Change("K1", Remedy.RAISE_LEND_LIMIT, 2)]
    beyond = moved(nodes, {"U2": -9})
    assert smallest_change(nodes, beyond) == [Change("C", Remedy.ADD_POSTS, 6)]
    assert not bindings(nodes, applied(beyond, [Change("C", Remedy.ADD_POSTS, 6)]))


def test_a_debt_that_is_there_may_only_shrink():
    owing = moved(city(), {"U2": -10})
    assert deficits(owing) == {"C": 3}
    assert not bindings(owing, moved(owing, {"U2": 2}))
    assert [b.short for b in bindings(owing, moved(owing, {"U2": -1}))] == [1]
    assert not bindings(owing, owing)


def test_own_posts_leave_the_retained_ones_out_and_count_the_excess():
    assert own_posts(deposited=3, vacant=4, borrowed=0, asked=0) == 3
    assert own_posts(deposited=3, vacant=-2, borrowed=1, asked=2) == -2


def test_what_if_shows_each_node_before_and_after_and_changes_nothing():
    nodes = city()
    answer = what_if(nodes, if_recalled(moved(nodes, {"U2": -3}), "U2", 1))
    assert (answer.before["C"], answer.after["C"], answer.passes) == (7, 5, True)
    assert answer.after["U1"] == answer.before["U1"]
    assert answer.after["U2"] == -2
    assert nodes == city()


def test_a_cut_takes_vacant_posts_first_and_then_opens_debt():
    nodes = moved(city(), {"U2": -6})
    assert if_cut(nodes, "U2", 2, vacant=2)["U2"].own == -6
    answer = what_if(nodes, if_cut(nodes, "U2", 5, vacant=2))
    assert (answer.after["U2"], answer.deficits_after, answer.passes) == (-9, {"C": 2}, False)


def test_reparenting_merging_and_abolishing_answer_on_a_copy():
    nodes = city(k1_lends=0)
    assert surpluses(if_reparented(nodes, "U1", "K2"))["C"] == 7
    merged = if_merged(nodes, "K1", "K2", own=0)
    assert surpluses(merged) == {"C": 7, "K2": 5, "U1": 5, "U2": 0}
    units = if_merged(nodes, "U2", "U1", own=5)
    assert units["U1"].lend_limit == 5
    assert set(if_abolished(nodes, "U2")) == {"C", "K1", "K2", "U1"}


def test_nothing_may_hang_below_itself_or_below_nothing():
    nodes = city()
    for change in (
        lambda: if_reparented(nodes, "K1", "U1"),
        lambda: if_reparented(nodes, "K1", "X"),
        lambda: if_abolished(nodes, "K1"),
        lambda: if_merged(nodes, "C", "K1", own=2),
        lambda: surpluses(tree(Node("a", "b"), Node("b", "a"))),
    ):
        with pytest.raises(Refused):
            change()
