"""T(x) on random trees with random movements equals the cheapest cut; 10,000 of them in prove_tree."""

from __future__ import annotations

from random import SystemRandom

import pytest

import pool.tree
from tests.property.random_trees import check_tree

START = SystemRandom().randrange(10**9)


def test_two_hundred_random_trees_agree_with_brute_force():
    print(f"seeds {START} to {START + 199}")
    check_trees(START)


def check_trees(start: int) -> None:
    for seed in range(start, start + 200):
        check_tree(seed)


def planted_clip(lend_limit, surplus):
    return max(0, surplus if lend_limit is None else min(lend_limit, surplus))


def planted_off_by_one(lend_limit, surplus):
    return surplus if lend_limit is None else min(lend_limit + 1, surplus)


def planted_zero_is_unlimited(lend_limit, surplus):
    return min(lend_limit, surplus) if lend_limit else surplus


@pytest.mark.parametrize("planted", [planted_clip, planted_off_by_one, planted_zero_is_unlimited])
def test_a_planted_error_in_what_passes_up_is_caught(monkeypatch, planted):
    monkeypatch.setattr(pool.tree, "passed_up", planted)
    with pytest.raises(AssertionError):
        check_trees(0)
