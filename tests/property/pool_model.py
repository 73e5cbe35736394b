"""The simulator's own book of the pool: plain dictionaries, its own entries, its own T(x). Nothing of pool/ is used.

A balance is keyed (account, holder, post_type, fund_form, purpose, lot), as the rows are, so that the two can be laid side
by side; what a movement does to it is written down here a second time, from DOMAIN §5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

Key = tuple[str, str, str, str, str, int]
Partition = tuple[str, str]
POOLED = ("idle", "pending", "lent")
MEMORY_DAYS = 45  # how far back a movement may be dated or undone


@dataclass
class Movement:
    """A movement as the model booked it. claimant: whose request or loan."""

    kind: str
    day: date
    moves: list[tuple[Key, int]]
    claimant: str | None = None
    holders: tuple[str, ...] = ()
    rests_on: int | None = None
    reverses: int | None = None
    slot: str | None = None
    loan: str | None = None
    debt: bool = False
    free: bool = False  # checked for nothing at all: opening balances


@dataclass
class Holding:
    """What counts at one holder in one partition, kept up with every movement."""

    vacant: int = 0
    people: int = 0
    reserved: int = 0
    seated: int = 0
    pooled: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    borrowed: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    asked: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def own(self, purpose: str) -> int:
        """own = deposited − borrowed − asked; of all purposes together, less what is over quota."""
        if purpose:
            return self.pooled[purpose] - self.borrowed[purpose] - self.asked[purpose]
        over = -self.vacant if self.vacant < 0 else 0
        return sum(self.pooled.values()) - sum(self.borrowed.values()) - sum(self.asked.values()) - over

    def offers(self, purpose: str) -> int:
        return self.pooled[purpose] if purpose else sum(self.pooled.values())

    def copy(self) -> Holding:
        twin = Holding(self.vacant, self.people, self.reserved, self.seated)
        for name in ("pooled", "borrowed", "asked"):
            getattr(twin, name).update(getattr(self, name))
        return twin

    def count(self, key: Key, posts: int, owner: str | None) -> None:
        """Take one entry in; `asked` is counted elsewhere, at the claimant."""
        account, holder, purpose = key[0], key[1], key[4]
        if account == "home" and not purpose:
            self.vacant += posts
        elif account == "home":
            self.seated -= posts
        elif account == "in_use":
            self.people += posts
        elif account == "reserved":
            self.reserved += posts
        elif account in POOLED:
            self.pooled[purpose] += posts
        elif account == "borrowed" and holder != owner:
            self.borrowed[purpose] += posts


State = dict[str, Holding]


@dataclass
class Book:
    """Balances, tree and limits."""

    parent: dict[str, str | None]
    division: dict[str, str]
    today: date
    held: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    states: dict[Partition, State] = field(default_factory=dict)
    owner: dict[int, str] = field(default_factory=dict)  # lot → who owns it
    limits: dict[tuple[str, str, str, str], tuple[int | None, int | None, int]] = field(default_factory=dict)
    movements: dict[int, Movement] = field(default_factory=dict)
    recent: dict[Partition, list[tuple[date, Key, int, str | None]]] = field(default_factory=lambda: defaultdict(list))
    rested: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    reversed: set[int] = field(default_factory=set)
    trees: set[tuple[str, str, str]] = field(default_factory=set)
    seq: int = 0
    by_holder: dict[str, set[Key]] = field(default_factory=lambda: defaultdict(set))
    _order: list[str] | None = None
    _known: dict[tuple[str, str, str], dict[str, int]] = field(default_factory=dict)

    def holding(self, partition: Partition, holder: str) -> Holding:
        return self.states.setdefault(partition, {}).setdefault(holder, Holding())

    def keys_of(self, holders: set[str]) -> list[Key]:
        return [at for holder in holders for at in self.by_holder.get(holder, ())]

    def path(self, node: str) -> list[str]:
        """The node and all above it, nearest first."""
        found = [node]
        while self.parent[found[-1]] is not None:
            found.append(self.parent[found[-1]])
        return found

    def tree_changed(self) -> None:
        self._order = None
        self._known.clear()

    def leaves_first(self) -> list[str]:
        if self._order is None:
            self._order = sorted(self.parent, key=lambda node: -len(self.path(node)))
        return self._order

    def surplus(self, partition: Partition, purpose: str, state: State | None = None) -> dict[str, int]:
        """T of every node that stands, children before parents; of the book itself it is kept until it changes."""
        known = (*partition, purpose)
        if state is None and known in self._known:
            return self._known[known]
        found, rows = {}, self.states.get(partition, {}) if state is None else state
        inflow: dict[str, int] = defaultdict(int)
        for node in self.leaves_first():
            row = rows.get(node)
            found[node] = inflow[node] + (row.own(purpose) if row else 0)
            above = self.parent[node]
            if above is not None:
                most = (row.offers(purpose) if row else 0) if node[1] == ":" else self.limit(node, known)[0]
                inflow[above] += found[node] if most is None or found[node] < most else most
        if state is None:
            self._known[known] = found
        return found

    def limit(self, node: str, known: tuple[str, str, str]) -> tuple[int | None, int | None, int]:
        return self.limits.get((node, *known), (None, None, 0))

    def short(self, node: str, known: tuple[str, str, str], surplus: int) -> int:
        """Posts a node lacks at that T."""
        _, borrow, floor = self.limit(node, known)
        lacks = 0 if borrow is None else max(0, -borrow - surplus)
        return max(lacks, floor - surplus) if self.parent[node] is None else lacks

    def worse(self, known: tuple[str, str, str], before: dict[str, int], after: dict[str, int]) -> bool:
        """Whether any node's deficit is deeper."""
        bounded = {key[0] for key in self.limits if key[1:] == known} | {n for n in after if self.parent[n] is None}
        return any(
            self.short(node, known, after[node]) > (self.short(node, known, before[node]) if node in before else 0)
            for node in bounded if node in after and after[node] != before.get(node)
        )  # fmt: skip

    def refuses(self, movement: Movement) -> str | None:
        """NOT_ENOUGH, LIMIT, or None: it may be booked."""
        if movement.free:
            return None
        for key, posts in movement.moves:
            if not self._bears(movement, key, posts):
                return "NOT_ENOUGH"
        if movement.kind == "CUT" or movement.debt:
            return None
        by_partition: dict[Partition, list[tuple[Key, int]]] = defaultdict(list)
        for key, posts in movement.moves:
            by_partition[key[2], key[3]].append((key, posts))
        for partition, moves in by_partition.items():
            if self._tree_refuses(partition, moves, movement):
                return "LIMIT"
        return None

    def _bears(self, movement: Movement, key: Key, posts: int) -> bool:
        """Whether a balance stands the change on every day from the movement's on."""
        account, holder, _, _, purpose, lot = key
        if account == "authority" or (account == "home" and purpose):
            return True
        later = [(day, more) for day, at, more, _ in self.recent[key[2], key[3]] if at == key and day > movement.day]
        for until in [movement.day, *(day for day, _ in later)]:
            before = self.held[key] - sum(more for day, more in later if day > until)
            after = before + posts
            if account == "borrowed":
                at_lender = self.owner[lot] == holder
                grows = movement.kind == "LEND" or movement.reverses is not None
                if (after > 0 if at_lender else after < 0) or (not grows and before == 0):
                    return False
            elif account == "home":
                if after < 0 and after < before and not (movement.debt or movement.kind == "CUT"):
                    return False
            elif after < 0:
                return False
        return True

    def _tree_refuses(self, partition: Partition, moves: list[tuple[Key, int]], movement: Movement) -> bool:
        purposes = sorted({"", *(key[4] for key, _ in moves)})
        later = [entry for entry in self.recent[partition] if entry[0] > movement.day]
        for until in [date.max, *([movement.day, *sorted({entry[0] for entry in later})] if later else [])]:
            undone = [entry for entry in later if entry[0] > until]
            before = self.overlaid(partition, [(key, -posts, who) for _, key, posts, who in undone])
            after = self.overlaid(partition, [(key, posts, movement.claimant) for key, posts in moves], before)
            for purpose in purposes:
                was = self.surplus(partition, purpose, before if undone else None)
                if self.worse((*partition, purpose), was, self.surplus(partition, purpose, after)):
                    return True
        return False

    def overlaid(self, partition: Partition, entries, base: State | None = None) -> State:
        """A copy of the state with entries (key, posts, claimant) taken in."""
        copy = dict(self.states.get(partition, {}) if base is None else base)
        fresh: set[str] = set()

        def mine(holder: str) -> Holding:
            if holder not in fresh:
                copy[holder] = copy[holder].copy() if holder in copy else Holding()
                fresh.add(holder)
            return copy[holder]

        for key, posts, claimant in entries:
            if key[0] != "authority":
                self._count(mine, key, posts, claimant)
        return copy

    def _count(self, holding_of, key: Key, posts: int, claimant: str | None) -> None:
        holding_of(key[1]).count(key, posts, self.owner.get(key[5]))
        if key[0] == "pending" and claimant is not None:
            holding_of(claimant).asked[key[4]] += posts

    def post(self, movement: Movement) -> int:
        """Book what `refuses` let through; returns its number."""
        self.seq += 1
        self.movements[self.seq] = movement
        if movement.rests_on is not None:
            self.rested[movement.rests_on].add(self.seq)
        if movement.reverses is not None:
            self.reversed.add(movement.reverses)
        for key, posts in movement.moves:
            partition = (key[2], key[3])
            self.held[key] += posts
            self.by_holder[key[1]].add(key)
            if key[0] != "authority":
                self._count(lambda holder, at=partition: self.holding(at, holder), key, posts, movement.claimant)
                self.trees |= {(*partition, ""), (*partition, key[4])}
            if movement.day > self.today - timedelta(days=MEMORY_DAYS):
                self.recent[partition].append((movement.day, key, posts, movement.claimant))
            for purpose in {"", key[4]}:
                self._known.pop((*partition, purpose), None)
        return self.seq

    def forget(self) -> None:
        """Drop entries too old to matter; once a day."""
        oldest = self.today - timedelta(days=MEMORY_DAYS)
        for partition, entries in self.recent.items():
            self.recent[partition] = [entry for entry in entries if entry[0] > oldest]

    def least(self, key: Key, day: date, kept: Sequence[date] = ()) -> int:
        """The smallest balance of a key at the end of any day from one on; of it one post is not counted from each day of `kept` on."""
        later = [(when, posts) for when, at, posts, _ in self.recent[key[2], key[3]] if at == key and when > day]
        return min(
            self.held[key] - sum(posts for when, posts in later if when > until) - sum(since <= until for since in kept)
            for until in [day, *(when for when, _ in later)]
        )  # fmt: skip

    def after(self, day: date, partition: Partition, holder: str, account: str, purpose: str | None = None) -> int:
        """Posts booked on an account of a holder for days after one."""
        return sum(
            posts for when, key, posts, _ in self.recent[partition]
            if when > day and key[0] == account and key[1] == holder and purpose in (None, key[4])
        )  # fmt: skip
