"""Engines and oracle agree on random nights. More of them: `python -m tests.property.prove_rules --nights 1000`."""

from random import SystemRandom

import pytest

from tests.batches import stacked_on_duckdb
from tests.property.prove_rules import disagreements, engines
from tests.property.random_nights import random_night
from tests.spec.spec import on_duckdb

FIRST = SystemRandom().randrange(10**9)
NIGHTS = range(20)


@pytest.mark.parametrize("number", NIGHTS)
def test_rules_and_oracle_say_the_same_of_a_random_night(number):
    seed = FIRST + number
    found = disagreements({seed: random_night(seed)}, engines("duckdb", one_by_one=True))
    assert found == {}, f"python -m tests.property.prove_rules --nights 1 --alone --seed {seed}"


@pytest.mark.spark
@pytest.mark.parametrize("number", NIGHTS)
def test_spark_duckdb_and_oracle_say_the_same_of_a_random_night(number):
    seed = FIRST + len(NIGHTS) + number
    found = disagreements({seed: random_night(seed)}, engines("spark", one_by_one=True))
    assert found == {}, f"python -m tests.property.prove_rules --engine spark --nights 1 --alone --seed {seed}"


def test_nights_judged_in_one_batch_are_answered_as_each_alone():
    nights = [random_night(FIRST + number) for number in NIGHTS]
    assert stacked_on_duckdb(nights) == [on_duckdb(night) for night in nights], f"from seed {FIRST}"
