"""Rules and oracle agree on random nights. More of them: `python -m tests.property.prove_rules --nights 1000`."""

from random import SystemRandom

import pytest

from tests.property.prove_rules import disagreement

FIRST = SystemRandom().randrange(10**9)


@pytest.mark.parametrize("number", range(20))
def test_rules_and_oracle_say_the_same_of_a_random_night(number):
    seed = FIRST + number
    assert disagreement(seed) == [], f"python -m tests.property.prove_rules --nights 1 --seed {seed}"
