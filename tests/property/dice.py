"""What the makers of random nights share: a source of chance, codes, days and the places of a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from core.types import FundForm, PostType

FOLDERS = ("370000", "370100", "370102", "370103", "370102001")
TYPES = [t.value for t in PostType]
FORMS = [f.value for f in FundForm]
DATES = [
    date(2026, 9, 1), date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 20), date(2026, 10, 21),
    date(2026, 10, 31), date(2026, 11, 1), date(2027, 1, 1), date(2019, 5, 6),
]  # fmt: skip


class Dice:
    """Chance that mostly answers the plain thing. `below(n)`: one of 0 … n − 1, the plainest first.

    `lively`: a night of many entries and exits.
    """

    lively = False

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below

    def randint(self, least: int, most: int) -> int:
        return least + self.below(most - least + 1)

    def choice(self, among: Sequence) -> Any:
        return among[self.below(len(among))]

    def sample(self, among: Sequence, count: int) -> list:
        left = list(among)
        return [left.pop(self.below(len(left))) for _ in range(count)]

    def rarely(self, one_in: int) -> bool:
        # The last of them: who makes the numbers smaller makes the night plainer.
        return self.below(one_in) == one_in - 1

    def mostly(self, usual: Any, others: Any, one_in: int = 6) -> Any:
        return self.choice(list(others)) if self.rarely(one_in) else usual


def random_cell(dice: Dice, codes: list[str]) -> dict:
    """One of the cells of the units; participating civil servants are left out, so that cells meet more often."""
    return {
        "unit_code": dice.choice(codes), "post_type": dice.choice(TYPES[:2] + TYPES[3:]), "fund_form": dice.choice(FORMS)
    }  # fmt: skip


def day_columns(dice: Dice, name: str, day: date | None) -> dict:
    """A date with its `_exact`: now and then known to the month only, and then its first."""
    if day is None:
        return {name: None, f"{name}_exact": None}
    exact = not dice.rarely(2 if day.day == 1 else 8)
    return {name: day if exact else day.replace(day=1), f"{name}_exact": exact}
