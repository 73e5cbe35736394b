"""Where every limit stands while a proposal is made: exact whole numbers, one post at a time if need be. Pure.

`T(x) = own(x) + Σ over children c of min(lend_limit(c), T(c))`; feasible is T(x) ≥ −borrow_limit(x), and T ≥ floor at
a root. Where something is over already, a further request may not make it worse (DOMAIN §5).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from core.types import PostType
from pool.policies import add_months
from pool.proposal_input import Loan, PoolKey, Request, Retirement, Situation, paths
from pool.tree import Limit, passed_up


class Rule(StrEnum):
    """What can stand against a request, in the order it is looked at."""

    OVERDUE = "OVERDUE"  # R10
    UNIT_CAP = "UNIT_CAP"  # R15
    PURPOSE_CAP = "PURPOSE_CAP"  # R15
    BACKING = "BACKING"  # R06
    BORROW_LIMIT = "BORROW_LIMIT"
    FLOOR = "FLOOR"
    DIVISION_LIMIT = "DIVISION_LIMIT"  # R17


STOCK_RULES = frozenset({Rule.BORROW_LIMIT, Rule.FLOOR})  # what returned posts can mend


class Remedy(StrEnum):
    """What would have to grow (or come back) for a request to pass."""

    RETURN_OVERDUE = "RETURN_OVERDUE"
    RAISE_UNIT_CAP = "RAISE_UNIT_CAP"
    RAISE_PURPOSE_CAP = "RAISE_PURPOSE_CAP"
    ADD_RETIREMENTS = "ADD_RETIREMENTS"
    RAISE_BORROW_LIMIT = "RAISE_BORROW_LIMIT"
    RAISE_LEND_LIMIT = "RAISE_LEND_LIMIT"
    ADD_POSTS = "ADD_POSTS"
    RAISE_DIVISION_LIMIT = "RAISE_DIVISION_LIMIT"


@dataclass(frozen=True)
class Binding:
    """A limit a request breaks. before, after: the figure without and with the request, in posts; short: by how many.

    The figure is T for BORROW_LIMIT and FLOOR (it falls), else the posts used (they rise).
    """

    rule: Rule
    node: str
    limit: int
    before: int
    after: int
    short: int


@dataclass(frozen=True)
class Change:
    """So many posts more at a place. by: retirements count when they fall on or before that day."""

    remedy: Remedy
    node: str
    pool: PoolKey
    posts: int
    by: date | None = None


def lowest(limit: Limit) -> int | None:
    """The lowest T a borrowing limit allows; None: any."""
    return None if limit is None else -limit


class Standing:
    """Stock, loans and limits of a situation on a day, with what has been counted since."""

    def __init__(self, situation: Situation) -> None:
        self.on = situation.as_of
        self.paths = paths(situation)
        self.parents = {node.code: node.parent for node in situation.nodes}
        self.units = {node.code for node in situation.nodes if node.is_unit}
        self.top_down = sorted(self.paths, key=lambda code: (len(self.paths[code]), code))
        self.own = {(row.pool, row.node): row.own for row in situation.holdings}
        self.lend: dict[tuple[PoolKey, str], Limit] = {
            (row.pool, row.node): row.lend_limit for row in situation.holdings
        }
        self.borrow = {(row.pool, row.node): row.borrow_limit for row in situation.holdings}
        self.floor = {(row.pool, row.node): row.floor for row in situation.holdings}
        self.caps = {(cap.unit, cap.purpose): cap.most for cap in situation.caps}
        self.divisions = {(row.node, row.post_type): (row.limit, row.quota) for row in situation.division_limits}
        self.over_quota = {(cell.unit, cell.post_type, cell.fund_form): cell.over_quota for cell in situation.cells}
        self.retirements: dict[tuple, tuple[Retirement, ...]] = {
            (cell.unit, cell.post_type, cell.fund_form): cell.retirements for cell in situation.cells
        }
        self.kept: dict[str, list[tuple[str, int]]] = {}  # held requests: number → (node, posts not kept above it)
        self.loans: dict[str, Loan] = {}
        self.of_unit: dict[str, dict[str, Loan]] = defaultdict(dict)
        self.net: dict[tuple[PoolKey, str], int] = defaultdict(int)  # borrowed from outside − lent outside
        self.net_pools: dict[tuple[str, PostType], set[PoolKey]] = defaultdict(set)
        for row in situation.holdings:
            self.net_pools[row.node, row.pool.post_type].add(row.pool)
        self.trees: dict[PoolKey, dict[str, int]] = {}
        for loan in situation.loans:
            self._register(loan)

    def copy(self) -> Standing:
        """Another standing that changes by itself."""
        twin = object.__new__(Standing)
        twin.__dict__.update(self.__dict__)
        for name in ("own", "lend", "borrow", "caps", "divisions", "over_quota", "retirements", "loans", "kept"):
            setattr(twin, name, dict(getattr(self, name)))
        twin.net = defaultdict(int, self.net)
        twin.of_unit = defaultdict(dict, {unit: dict(loans) for unit, loans in self.of_unit.items()})
        twin.trees = {pool: dict(tree) for pool, tree in self.trees.items()}
        return twin

    def surplus(self, pool: PoolKey) -> dict[str, int]:
        """T of every node in one pool."""
        if pool not in self.trees:
            tree = {code: self.own.get((pool, code), 0) for code in self.top_down}
            for code in reversed(self.top_down):
                parent = self.parents[code]
                if parent is not None:
                    tree[parent] += passed_up(self.lend.get((pool, code), 0), tree[code])
            self.trees[pool] = tree
        return self.trees[pool]

    def climb(self, pool: PoolKey, node: str, posts: int) -> list[tuple[str, int, int]]:
        """(node, T before, T after) from a node to its root if its own changed by so many posts; stops where T stays."""
        tree, steps, change = self.surplus(pool), [], posts
        for code in self.paths[node]:
            before = tree[code]
            steps.append((code, before, before + change))
            limit = self.lend.get((pool, code), 0)
            change = passed_up(limit, before + change) - passed_up(limit, before)
            if change == 0:
                break
        return steps

    def shift(self, pool: PoolKey, node: str, posts: int) -> None:
        """A node's own changes by so many posts."""
        for code, _, after in self.climb(pool, node, posts):
            self.trees[pool][code] = after
        self.own[pool, node] = self.own.get((pool, node), 0) + posts

    def raise_lend(self, pool: PoolKey, node: str, posts: int) -> None:
        """A node's lending limit changes by so many posts; nothing where it is unlimited."""
        limit = self.lend.get((pool, node), 0)
        if limit is None:
            return
        surplus, parent = self.surplus(pool)[node], self.parents[node]
        change = passed_up(limit + posts, surplus) - passed_up(limit, surplus)
        self.lend[pool, node] = limit + posts
        if change and parent is not None:
            for code, _, after in self.climb(pool, parent, change):
                self.trees[pool][code] = after

    def take(self, request: Request) -> None:
        """Count a request as lent from today."""
        self._register(self.loan_of(request))
        self.shift(request.pool, request.unit, -request.posts)

    def hold(self, request: Request) -> None:
        """Count a request that does not pass as if it were lent, so that nothing after it takes what it waits for.

        What is short at a node must come back below it and will pass up then; above, only the rest is kept.
        """
        tree = self.surplus(request.pool)
        before = {code: tree[code] for code in self.paths[request.unit]}
        self.take(request)
        self.kept[request.number] = []
        for code in self.paths[request.unit][:-1]:
            least, _ = self.nominal(request.pool, code)
            short = 0 if least is None else min(least, before[code]) - tree[code]
            if short > 0:
                parent = self.parents[code]
                self.shift(request.pool, parent, short)
                self.kept[request.number].append((parent, short))

    def release(self, request: Request) -> None:
        """Undo a hold."""
        for node, posts in reversed(self.kept.pop(request.number)):
            self.shift(request.pool, node, -posts)
        self.give_back(request.number, request.posts)

    def loan_of(self, request: Request) -> Loan:
        """The loan a request would become today. Its lender is found when it is made; inside or outside, T tells."""
        due = add_months(self.on, request.term_months)
        return Loan(
            request.number, request.unit, None, request.pool, request.posts, due, backed=not request.backing_waived
        )

    def give_back(self, number: str, posts: int) -> None:
        """So many posts of a loan return: to the pool, or of a recalled loan to the lender."""
        loan = self.loans[number]
        self._unregister(loan)
        if loan.posts > posts:
            self._register(replace(loan, posts=loan.posts - posts))
        self.shift(loan.pool, loan.borrower, posts)
        if loan.recalled and loan.lender is not None:
            if loan.lender in self.units:  # its deposit goes with the posts; a level's limit is a decision and stays
                self.raise_lend(loan.pool, loan.lender, -min(posts, self.lend.get((loan.pool, loan.lender), 0) or 0))
            self.shift(loan.pool, loan.lender, -posts)

    def add_retirement(self, cell: tuple, on: date, posts: int) -> None:
        """So many more posts of a cell fall vacant on a day."""
        self.retirements[cell] = (*self.retirements.get(cell, ()), Retirement(on, posts))

    def _register(self, loan: Loan) -> None:
        self.loans[loan.number] = self.of_unit[loan.borrower][loan.number] = loan
        self._cross(loan, loan.posts)

    def _unregister(self, loan: Loan) -> None:
        del self.loans[loan.number], self.of_unit[loan.borrower][loan.number]
        self._cross(loan, -loan.posts)

    def _cross(self, loan: Loan, posts: int) -> None:
        if loan.lender is None:
            return
        inward, outward = set(self.paths[loan.borrower]), set(self.paths[loan.lender])
        for code in inward - outward:
            self.net[loan.pool, code] += posts
        for code in outward - inward:
            self.net[loan.pool, code] -= posts

    def usage(self, node: str, post_type: PostType, *, instead: tuple[PoolKey, int] | None = None) -> int:
        """R17's left side: quota + borrowed from outside − lent outside; a deficit of the node counts as borrowed.

        instead: (pool, T) to read in place of the pool's own T at the node.
        """
        _, total = self.divisions[node, post_type]
        for pool in self.net_pools[node, post_type]:
            surplus = instead[1] if instead and instead[0] == pool else self.surplus(pool)[node]
            total += max(self.net[pool, node], -surplus)
        return total

    def backing(self, cell: tuple, until: date) -> tuple[int, int]:
        """(posts lent to the cell on coming retirements and due by a day, retirements until then − over quota)."""
        unit, post_type, fund_form = cell
        used = sum(
            loan.posts
            for loan in self.of_unit[unit].values()
            if loan.backed
            and loan.due <= until
            and (loan.pool.post_type, loan.pool.fund_form) == (post_type, fund_form)
        )
        coming = sum(part.posts for part in self.retirements.get(cell, ()) if self.on < part.on <= until)
        return used, coming - self.over_quota.get(cell, 0)

    def backing_days(self, cell: tuple, due: date) -> list[date]:
        """The days on which a loan due on `due` competes for the cell's retirements: its own and later due dates."""
        loans = self.of_unit[cell[0]].values()
        later = {
            loan.due
            for loan in loans
            if loan.backed and loan.due > due and (loan.pool.post_type, loan.pool.fund_form) == cell[1:]
        }
        return sorted({due, *later})

    def used_of_cap(self, unit: str, purpose: str | None) -> int:
        """Posts a unit holds on loan for a purpose (None: for any), over all post types."""
        return sum(loan.posts for loan in self.of_unit[unit].values() if purpose in (None, loan.pool.purpose))

    def overdue(self, unit: str) -> list[Loan]:
        """The unit's loans past their last good day, the oldest first."""
        late = [loan for loan in self.of_unit[unit].values() if loan.due < self.on]
        return sorted(late, key=lambda loan: (loan.due, loan.number))

    def nominal(self, pool: PoolKey, node: str) -> tuple[int | None, Rule]:
        """The lowest T a node may have, and the number that says so."""
        if self.parents[node] is None:
            return self.floor.get((pool, node), 0), Rule.FLOOR
        return lowest(self.borrow.get((pool, node))), Rule.BORROW_LIMIT

    def bindings(self, request: Request) -> list[Binding]:
        """Every limit the request would break if it were granted on top of what is counted; empty: it passes."""
        found = [*self._unit_bindings(request), *self._backing_bindings(request)]
        steps = self.climb(request.pool, request.unit, -request.posts)
        for code, before, after in steps:
            least, rule = self.nominal(request.pool, code)
            if least is not None and after < least:
                found.append(Binding(rule, code, least, before, after, least - after))
        for code, _, after in steps:
            found += self._division_bindings(request, code, after)
        return found

    def _unit_bindings(self, request: Request) -> list[Binding]:
        found = []
        late = sum(loan.posts for loan in self.overdue(request.unit))
        if late:
            found.append(Binding(Rule.OVERDUE, request.unit, 0, late, late, late))
        for purpose, rule in ((None, Rule.UNIT_CAP), (request.pool.purpose, Rule.PURPOSE_CAP)):
            most = self.caps.get((request.unit, purpose))
            used = self.used_of_cap(request.unit, purpose)
            if most is not None and used + request.posts > most:
                after = used + request.posts
                found.append(Binding(rule, request.unit, most, used, after, after - most))
        return found

    def _backing_bindings(self, request: Request) -> list[Binding]:
        if request.backing_waived:
            return []
        cell = (request.unit, request.pool.post_type, request.pool.fund_form)
        worst: Binding | None = None
        for day in self.backing_days(cell, add_months(self.on, request.term_months)):
            used, coming = self.backing(cell, day)
            short = used + request.posts - coming
            if short > (worst.short if worst else 0):
                worst = Binding(Rule.BACKING, request.unit, coming, used, used + request.posts, short)
        return [worst] if worst else []

    def _division_bindings(self, request: Request, code: str, after: int) -> list[Binding]:
        post_type = request.pool.post_type
        # Nothing lies outside a root, so nothing is borrowed from there.
        if (code, post_type) not in self.divisions or self.parents[code] is None:
            return []
        limit, _ = self.divisions[code, post_type]
        now = self.usage(code, post_type)
        then = self.usage(code, post_type, instead=(request.pool, after))
        if then > limit and then > now:
            return [Binding(Rule.DIVISION_LIMIT, code, limit, now, then, then - limit)]
        return []
