"""Proposals equal brute force on small cases. More of them: `python -m tests.property.prove_proposal --cases 500`."""

import time
from collections import Counter
from random import SystemRandom

import pytest

from pool.proposal import Outcome, propose
from pool.proposal_standing import Remedy, Rule
from tests.property.prove_proposal import disagreement, shuffled
from tests.property.random_situations import large_situation

FIRST = SystemRandom().randrange(10**9)


@pytest.mark.parametrize("number", range(60))
def test_a_proposal_is_the_best_of_all_choices_and_every_reason_holds(number):
    seed = FIRST + number
    assert disagreement(seed) == [], f"python -m tests.property.prove_proposal --cases 1 --seed {seed}"


def test_the_random_situations_reach_every_rule_remedy_and_outcome():
    seen = Counter()
    for seed in range(60):
        assert disagreement(seed, seen) == []
    names = [f"bound {rule}" for rule in Rule] + [f"remedy {remedy}" for remedy in Remedy] + list(Outcome)
    assert not [
        name for name in [*names, "earliest", "behind a held one", "outweighed by others of its rank"] if not seen[name]
    ]


@pytest.mark.parametrize("same_day", [False, True])
def test_two_hundred_requests_over_two_hundred_units_take_seconds(same_day):
    situation = large_situation(1, 200, 200, same_day)
    start = time.perf_counter()
    proposal = propose(situation)
    seconds = time.perf_counter() - start
    assert len(proposal.grants) + len(proposal.rejections) == 200
    assert min(len(proposal.grants), len(proposal.rejections)) > 40
    assert propose(shuffled(situation, 1)) == proposal
    assert seconds < 30
