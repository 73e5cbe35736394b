"""Engines and oracle agree on random nights. More of them: `python -m tests.property.prove_rules --nights 1000`."""

import itertools
from random import SystemRandom

import pytest
from hypothesis import given

from tests.batches import stacked_on_duckdb
from tests.property.drawn_nights import Nights, drawn_nights, examples, plain_ones
from tests.property.prove_rules import check_alone, engines
from tests.spec.spec import on_duckdb

SEED = SystemRandom().randrange(10**9)
NIGHTS = 20
AGAIN = f"python -m tests.property.prove_rules --nights {NIGHTS} --alone --seed {SEED}"


def check_unstacked(engine: str) -> None:
    """As many nights as `NIGHTS`, each judged as it lies, the plain ones before them aside."""
    judges = engines(engine, one_by_one=True)
    drawn = itertools.count()

    @examples(SEED, NIGHTS)
    @given(Nights())
    def check(night) -> None:
        if next(drawn) >= plain_ones(NIGHTS):
            check_alone(night, judges)

    check()


def test_rules_and_oracle_say_the_same_of_random_nights():
    print(AGAIN)
    check_unstacked("duckdb")


@pytest.mark.spark
def test_spark_duckdb_and_oracle_say_the_same_of_random_nights():
    print(f"{AGAIN} --engine spark")
    check_unstacked("spark")


def test_nights_judged_in_one_batch_are_answered_as_each_alone():
    nights = drawn_nights(SEED, NIGHTS)
    assert stacked_on_duckdb(nights) == [on_duckdb(night) for night in nights], f"seed {SEED}"


def test_a_seed_draws_the_same_nights_again_and_another_seed_others():
    nights = drawn_nights(SEED, NIGHTS)
    assert drawn_nights(SEED, NIGHTS) == nights
    assert len(nights) == NIGHTS
    assert not [night for night in drawn_nights(SEED + 1, NIGHTS) if night in nights]
