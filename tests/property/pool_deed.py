"""What a simulated step is, and what its makers draw from: the model, the dice, and somebody to do it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import Any

from tests.property.pool_desk import Desk, Request, Slot
from tests.property.pool_model import Holding, Key, Movement, Partition
from tests.property.pool_province import PARTITIONS, Office, Province


class Difference(AssertionError):
    """The service and the model disagree."""


def key(account: str, holder: str, cell: Partition, purpose: str = "", lot: int = 0) -> Key:
    return account, holder, *cell, purpose, lot


@dataclass
class Deed:
    """One use-case about to be called. expect: the refusal the model foresees, None: it passes. early: refused before
    anybody asks who it is. happen: what the model does when it passed, given the receipt."""

    name: str
    use_case: Callable[..., dict]
    login: str
    args: tuple[Any, ...]
    expect: str | None
    happen: Callable[[dict], None]
    kwargs: dict[str, Any] = field(default_factory=dict)
    early: bool = False
    acting_for: str | None = None


@dataclass
class Sim:
    """The model, the dice, and what this step touches beside the holders of its movements."""

    province: Province
    desk: Desk
    dice: Random
    touch_slots: set[str] = field(default_factory=set)
    touch_requests: set[str] = field(default_factory=set)
    told: set[tuple[str, date]] = field(default_factory=set)  # (digest, day) of every mail about a request
    persons: int = 0
    gone_home: int = 0
    waited_for_home: int = 0
    patience: Random = field(
        default_factory=lambda: Random(0)
    )  # who waits; dice of its own, so that seeds keep their steps

    @property
    def today(self) -> date:
        return self.desk.today

    def same(self, what: str, theirs: object, ours: object) -> None:
        if theirs != ours:
            raise Difference(f"{what}: the service says {str(theirs)[:400]}, the model {str(ours)[:400]}")

    def tell(self, request: Request, what: str = "decision") -> None:
        self.told.add((f"pool_{what}_{request.number}", self.today))

    def any_unit(self) -> str:
        """A unit, closed ones among them."""
        return "U:" + self.dice.choice(list(self.province.drawn.units))

    def divisions(self) -> list[str]:
        return list(self.province.drawn.offices)

    def any_cell(self) -> str:
        return self.any_unit() if self.dice.random() < 0.9 else self.dice.choice(self.divisions())

    def cell_with(self, wanted: Callable[[Holding], bool], only: Partition | None = None) -> tuple[str, Partition]:
        """A holder and partition for which that holds; any, if none is met soon."""
        for _ in range(12):
            cell = only or self.dice.choice(PARTITIONS[:1] * 4 + PARTITIONS)
            state = self.desk.book.states.get(cell)
            if state:
                holder = self.dice.choice(list(state))
                if wanted(state[holder]):
                    return holder, cell
        return self.any_unit(), only or PARTITIONS[0]

    def office(self, unit: str) -> Office:
        """The office a unit is registered at."""
        return self.province.drawn.units[unit.removeprefix("U:")]

    def clerk(self, role: str, unit: str) -> str:
        """One of two people of the unit's office, or the one who holds every role."""
        return self.clerk_of(role, self.office(unit))

    def clerk_of(self, role: str, office: Office) -> str:
        if self.dice.random() < 0.12:
            return office.login("all")
        return office.login(role, self.dice.choice((1, 2)))

    def closed_to(self, login: str, unit: str) -> str | None:
        """What an officer (or a department) is told about a unit that is gone; one who is also the office sees it."""
        if unit not in self.desk.closed:
            return None
        return "Forbidden" if login.startswith("all") else "NotFound"

    def live_slot(self, wanted: Callable[[Slot], bool] = lambda slot: True) -> Slot | None:
        for _ in range(12):
            if not self.desk.live:
                return None
            slot = self.desk.live[self.dice.choice(list(self.desk.live))]
            if wanted(slot):
                return slot
        return None

    def ended_slot(self) -> Slot | None:
        """A slot of late that may have ended."""
        numbers = list(self.desk.slots)[-80:]
        return self.desk.slots[self.dice.choice(numbers)] if numbers else None

    def central(self) -> str | None:
        """A central approval number, or none, or one that says nothing; dice of its own, so that seeds keep their steps."""
        return self.patience.choice(["中编1", "中编1", None, " "])

    def lacks_central(self, giver: str, taker: str, cell: Partition, central: str | None) -> str | None:
        """R12: such posts change level with a number only; where a holder is gone nobody asks for it."""
        if giver in self.desk.closed or taker in self.desk.closed or cell[0] not in ("ADMIN", "POLITICAL_LEGAL"):
            return None
        crosses = self._level(giver) != self._level(taker)
        return "NEEDS_CENTRAL_NUMBER" if crosses and not (central or "").strip() else None

    def _level(self, node: str) -> str:
        return self.desk.level[node] if node.startswith("U:") else node.partition(":")[0]

    def tree_refuses(self, parent: dict[str, str | None], movements: list[Movement] | None = None) -> str | None:
        """LIMIT where any node's deficit would be deeper in the tree as it would be."""
        book = self.desk.book
        before = {known: dict(book.surplus(known[:2], known[2])) for known in book.trees}
        states = {
            cell: book.overlaid(cell, [(at, posts, None) for move in movements or () for at, posts in move.moves
                                       if (at[2], at[3]) == cell])
            for cell in book.states
        }  # fmt: skip
        kept, book.parent = book.parent, parent
        book.tree_changed()
        try:
            worse = any(
                book.worse(known, was, book.surplus(known[:2], known[2], states[known[:2]]))
                for known, was in before.items()
            )
        finally:
            book.parent = kept
            book.tree_changed()
        return "LIMIT" if worse else None
