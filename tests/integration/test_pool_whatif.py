"""What if answers as the act itself does: the same figures where it is done, the same sentence where it is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.db import engine_for, reading
from core.errors import Refused
from pool.foresight import Supposed, suppose
from pool.forest import load_tree
from pool.ledger import NO_PURPOSE
from pool.service import cut_posts, deposit_posts, grant_posts, reserve_posts
from pool.service_nodes import abolish_node, merge_nodes, partitions, reparent_node, set_limits
from pool.service_slots import recall_loan, return_slots
from pool.tree import deficits, surpluses
from pool.trying import try_change
from tests.poolkit import CITY, FULL, K2, K3, PROVINCE, Province, found_province

ALL = (*FULL, NO_PURPOSE)
HEALTH = (*FULL, "HEALTH")


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def tried(province: Province, kind: str, node: str, target: str | None = None, posts: int | None = None) -> dict:
    with reading(province.engine) as session:
        return suppose(session, Supposed(kind, node, target, posts, *FULL), province.today)


def truth(province: Province) -> dict:
    """(T, deficits) of every tree as booked."""
    with reading(province.engine) as session:
        trees = {key: load_tree(session, key[:2], key[2]) for key in partitions(session)}
    return {key: (surpluses(tree), deficits(tree)) for key, tree in trees.items()}


def assert_true(found: dict, now: dict) -> None:
    for key, what in found.items():
        assert (what.after, what.deficits_after) == now[key]
    assert set(found) >= {key for key in now if key[2] == NO_PURPOSE}


def test_posts_recalled_and_given_back_change_t_as_foreseen_and_no_limit(province):
    province.pool(K2, 5)
    province.do(set_limits, "director", K2, *FULL, lend=3, borrow="unlimited")
    slots = province.lend("A1", 2)["slots"]
    found = tried(province, "RECALL", K2, "U:A1", 2)
    assert (found[ALL].before[K2], found[ALL].after[K2]) == (3, 5)
    assert (found[ALL].before[CITY], found[ALL].after[CITY]) == (3, 3)
    with reading(province.engine) as session:
        rows = {(row.node, row.purpose): row.after for row in try_change(session, "recall", slots, province.today)}
    assert rows[K2, ""] == rows[K2, "HEALTH"] == 5
    assert (CITY, "") not in rows
    province.do(recall_loan, "director", slots, "急用")
    province.do(return_slots, "officer-a1", slots)
    assert set(found) == {ALL, HEALTH}
    assert_true(found, truth(province))


def test_a_units_own_posts_come_home_out_of_its_deposit(province):
    province.grant("A2", 4)
    province.do(deposit_posts, "reviewer", K2, *FULL, "HEALTH", 4, "USE_RIGHT_LENT", "文1", giver="U:A2")
    slots = province.lend("A1", 3)["slots"]
    found = tried(province, "RECALL", "U:A2", "U:A1", 2)
    assert (found[ALL].before["U:A2"], found[ALL].after["U:A2"]) == (4, 2)
    province.do(recall_loan, "director", slots[:2], "急用")
    province.do(return_slots, "officer-a1", slots[:2])
    assert_true(found, truth(province))


def test_more_than_can_be_recalled_is_refused_with_figures(province):
    province.pool(K2, 5)
    with pytest.raises(Refused, match="只有 0 个，不能收回 1 个"):
        tried(province, "RECALL", K2, "U:A1", 1)
    slots = province.lend("A1", 2)["slots"]
    with pytest.raises(Refused) as caught:
        tried(province, "RECALL", K2, "U:A1", 3)
    assert (caught.value.details["answer"], caught.value.details["has"], caught.value.details["needs"]) == (
        "MORE_THAN_LENT", 2, 3,
    )  # fmt: skip
    province.do(recall_loan, "director", slots[:1], "急用")
    with pytest.raises(Refused, match="只有 1 个，不能收回 2 个"):
        tried(province, "RECALL", K2, "U:A1", 2)
    with reading(province.engine) as session, pytest.raises(Refused, match="已经发出收回通知"):
        try_change(session, "recall", slots[:1], province.today)


ACTS = {"MERGE": merge_nodes, "ABOLISH": abolish_node, "REPARENT": reparent_node}


def test_what_a_reorganisation_refuses_its_what_if_refuses_with_the_same_sentence(province):
    province.pool(K2, 5)
    province.grant("A2", 2)
    province.lend("A1", 1)
    province.grant("B1", 1, login="reviewer3")
    province.do(reserve_posts, "reviewer", "U:A2", *FULL, 1, "PERMIT")
    later = province.today + timedelta(days=9)
    province.do(grant_posts, "reviewer3", "U:B1", *FULL, 1, "文2", later)
    for kind, node, target, answer in (
        ("MERGE", "U:A1", "U:A3", "HAS_LOANS"), ("MERGE", "U:A2", "U:A3", "NOT_EMPTY"),
        ("MERGE", "U:B1", "U:B2", "NOT_EMPTY"), ("MERGE", K2, K3, "NOT_UNITS"), ("MERGE", "U:A3", "U:A3", "NOT_UNITS"),
        ("ABOLISH", "U:A1", None, "HAS_LOANS"), ("ABOLISH", "U:A2", None, "NOT_EMPTY"),
        ("REPARENT", "U:A3", "U:A2", "NOT_A_POOL"), ("REPARENT", K2, K2, "LOOP"),
    ):  # fmt: skip
        with pytest.raises(Refused) as real:
            province.do(ACTS[kind], "superdirector", *filter(None, (node, target)), "文9")
        with pytest.raises(Refused) as supposed:
            tried(province, kind, node, target)
        assert supposed.value.details["answer"] == real.value.details["answer"] == answer
        assert supposed.value.message == real.value.message
    province.do(abolish_node, "director", "U:A3", "文9")
    for kind, node, target in (("MERGE", "U:B2", "U:A3"), ("MERGE", "U:A3", "U:B2"), ("ABOLISH", "U:A3", None)):
        with pytest.raises(Refused, match="已撤并"):
            tried(province, kind, node, target)


def test_nothing_is_hung_under_a_node_that_was_closed_nor_supposed_there(province):
    for node in ("U:B1", "U:B2", K3):
        province.do(abolish_node, "director3", node, "文9")
    with pytest.raises(Refused, match="已撤并"):
        province.do(reparent_node, "superdirector", "U:A1", K3, "文9")
    with pytest.raises(Refused, match="已撤并"):
        tried(province, "REPARENT", "U:A1", K3)


def test_every_tree_of_a_purpose_is_tried_and_the_one_that_binds_is_named(province):
    province.pool(K2, 5)
    province.do(set_limits, "director3", K3, *FULL, lend="unlimited", borrow=0, purpose="HEALTH")
    province.lend("A1", 2)
    found = tried(province, "REPARENT", "U:A1", K3)
    assert {key: [(each.node, each.short) for each in what.binds] for key, what in found.items()} == {
        ALL: [], HEALTH: [(K3, 2)],
    }  # fmt: skip
    assert [what.passes for what in found.values()] == [True, False]
    with pytest.raises(Refused, match="缺口将增加 2 个"):
        province.do(reparent_node, "superdirector", "U:A1", K3, "文9")
    province.do(set_limits, "director3", K3, *FULL, lend="unlimited", borrow=2, purpose="HEALTH")
    found = tried(province, "REPARENT", "U:A1", K3)
    assert found[HEALTH].passes
    province.do(reparent_node, "superdirector", "U:A1", K3, "文9")
    assert_true(found, truth(province))


def test_a_merger_and_an_abolition_come_out_as_foreseen(province):
    province.pool(K2, 5)
    province.grant("A1", 4)
    province.grant("A2", 2)
    province.do(reserve_posts, "reviewer", "U:A1", *FULL, 4, "PERMIT")
    province.do(cut_posts, "reviewer", "U:A1", *FULL, 3, "文3")
    found = tried(province, "MERGE", "U:A2", "U:A1")
    assert (found[ALL].before["U:A1"], found[ALL].after["U:A1"]) == (-3, -1)
    province.do(merge_nodes, "director", "U:A2", "U:A1", "文9")
    assert_true(found, truth(province))
    found = tried(province, "ABOLISH", "U:A3")
    province.do(abolish_node, "director", "U:A3", "文9")
    assert_true(found, truth(province))


def test_a_cut_of_more_than_the_quota_is_refused_and_one_below_use_opens_debt_as_the_act_does(province):
    province.grant("A1", 4)
    province.do(reserve_posts, "reviewer", "U:A1", *FULL, 4, "PERMIT")
    for refusing in (
        lambda: tried(province, "CUT", "U:A1", posts=5),
        lambda: province.do(cut_posts, "reviewer", "U:A1", *FULL, 5, "文3"),
    ):
        with pytest.raises(Refused, match="只核定了 4 个，不能核减 5 个") as caught:
            refusing()
        assert caught.value.details["answer"] == "MORE_THAN_QUOTA"
    found = tried(province, "CUT", "U:A1", posts=3)
    assert (found[ALL].passes, found[ALL].opens_debt) == (True, True)
    assert [(each.node, each.short) for each in found[ALL].binds] == [(PROVINCE, 3)]
    province.do(cut_posts, "reviewer", "U:A1", *FULL, 3, "文3")
    assert_true(found, truth(province))
