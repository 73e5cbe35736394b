"""Whole random nights, drawn by Hypothesis: collected to be judged as one batch, or judged one by one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.strategies import SearchStrategy

from tests.property.dice import Dice
from tests.property.random_nights import random_night
from tests.spec.spec import Night

# A night is large for an example, and the smallest one no less so; nothing about it is wrong for that.
LARGE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)


# Every number is asked for from here on: no special number that Hypothesis knows, or finds in the modules loaded, lies
# there, so that draws are even and a seed gives the same nights whoever asks.
FLOOR = 47_017


class Nights(SearchStrategy[Night]):
    """Whole nights. Every answer of the dice is a draw of Hypothesis's own.

    Drawn inside one strategy, not by strategies of their own: Hypothesis repeats what such ones drew in the next
    examples, and every other night would be the one before with a single answer changed.
    """

    def do_draw(self, data: ConjectureData) -> Night:
        return random_night(Dice(partial(_below, data)))


def _below(data: ConjectureData, count: int) -> int:
    return data.draw_integer(FLOOR, FLOOR + count - 1, shrink_towards=FLOOR) - FLOOR


def examples(number: int, count: int) -> Callable:
    """What makes a test of `Nights` draw so many from a seed, the same ones again for the same seed and count.

    And a fifth more: Hypothesis begins with plain ones, which are worth a look but no place among the others.
    """

    def decorate(test: Callable) -> Callable:
        drawn = settings(
            max_examples=count + plain_ones(count), phases=[Phase.generate], database=None, deadline=None,
            suppress_health_check=LARGE,
        )  # fmt: skip
        return seed(number)(drawn(test))

    return decorate


def plain_ones(count: int) -> int:
    """How many of the first examples, with so many to come, Hypothesis keeps small."""
    return min(count // 5, 100)


def drawn_nights(number: int, count: int) -> list[Night]:
    """So many nights of a seed, in the order they were drawn."""
    found: list[Night] = []

    @examples(number, count)
    @given(Nights())
    def collect(night: Night) -> None:
        found.append(night)

    collect()
    return found[-count:]
