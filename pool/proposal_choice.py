"""Which of several requests of one rank to grant: the most posts, then the unit codes' order. Pure.

A mixed-integer programme for HiGHS (through scipy). It answers in floating point, so nothing of it is believed: the
caller counts every answer again in whole numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from core.errors import InvariantViolated
from core.types import PostType
from pool.proposal_input import PoolKey, Request
from pool.proposal_standing import Standing
from pool.tree import passed_up

# Weights 2^9 … 1: a tolerance of 1e-6 on each of ten choices stays far below the smallest weight.
BLOCK = 10


def choose(standing: Standing, requests: Sequence[Request]) -> list[Request]:
    """Of requests of one rank, given in the order that breaks ties: those to grant on top of what is counted.

    The most posts in all; of several such choices the one whose list of granted and not granted comes first in the
    order given. Who fits not even alone is left out first; where all the rest fit together nothing is solved.
    """
    able = [request for request in requests if not standing.bindings(request)]
    if all_fit(standing, able):
        return able
    programme = Programme(standing, able)
    granted = programme.best([request.posts for request in able])
    most = sum(request.posts for request, yes in zip(able, granted, strict=True) if yes)
    for start in range(0, len(able), BLOCK):
        block = range(start, min(start + BLOCK, len(able)))
        weights = [0] * len(able)
        for place, position in enumerate(block):
            weights[position] = 2 ** (len(block) - 1 - place)
        granted = programme.best(weights, most)
        for position in block:
            programme.fix(position, granted[position])
    chosen = [request for request, yes in zip(able, granted, strict=True) if yes]
    _recount(standing, able, chosen, most)
    return chosen


def all_fit(standing: Standing, requests: Sequence[Request]) -> bool:
    """Whether all of them pass together, counted exactly."""
    trial = standing.copy()
    for request in requests:
        if trial.bindings(request):
            return False
        trial.take(request)
    return True


def _recount(standing: Standing, able: Sequence[Request], chosen: Sequence[Request], most: int) -> None:
    """Errors: InvariantViolated when the answer breaks a limit, or leaves out a request that still fits."""
    trial = standing.copy()
    for request in chosen:
        if trial.bindings(request):
            raise InvariantViolated("求解结果突破了上限。", request=request.number)
        trial.take(request)
    if sum(request.posts for request in chosen) != most:
        raise InvariantViolated("求解结果前后不一致。")
    for request in able:
        if request not in chosen and not trial.bindings(request):
            raise InvariantViolated("求解结果漏掉了可以满足的申请。", request=request.number)


class Programme:
    """The programme of one choice: a 0/1 column per request, a free one per flow between nodes and per posts from outside."""

    def __init__(self, standing: Standing, requests: Sequence[Request]) -> None:
        self.standing, self.requests = standing, requests
        self.lower = [0.0] * len(requests)
        self.upper = [1.0] * len(requests)
        self.rows: list[tuple[dict[int, float], float]] = []  # Σ coefficient × column ≤ bound
        self.asked: dict[PoolKey, int] = defaultdict(int)  # bounds on the flows: nobody can take more than all ask for
        for request in requests:
            self.asked[request.pool] += request.posts
        self.deficits: dict[tuple[PoolKey, str], tuple[dict[int, float], float]] = {}
        self._caps()
        self._backing()
        for pool in sorted({request.pool for request in requests}):
            self._tree(pool)
        self._divisions()
        self.posts_row = len(self.rows)
        self.rows.append(({column: -float(request.posts) for column, request in enumerate(requests)}, 0.0))

    def best(self, weights: Sequence[int], posts: int = 0) -> list[bool]:
        """The grants of the heaviest feasible choice with at least so many posts. Errors: InvariantViolated."""
        self.rows[self.posts_row] = (self.rows[self.posts_row][0], -float(posts))
        cells = [(row, column, value) for row, (terms, _) in enumerate(self.rows) for column, value in terms.items()]
        row, column, value = zip(*cells, strict=True)
        matrix = coo_array((value, (row, column)), shape=(len(self.rows), len(self.lower))).tocsr()
        objective = np.zeros(len(self.lower))
        objective[: len(weights)] = np.negative(weights)
        integrality = np.zeros(len(self.lower))
        integrality[: len(weights)] = 1
        answer = milp(
            objective, integrality=integrality, bounds=Bounds(self.lower, self.upper),
            constraints=LinearConstraint(matrix, -np.inf, [bound for _, bound in self.rows]),
            options={"mip_rel_gap": 0.0},  # the default, 1e-4, may give up a post
        )  # fmt: skip
        if answer.status != 0 or answer.x is None:
            raise InvariantViolated("求解器没有给出最优方案。", status=int(answer.status))
        return [value > 0.5 for value in answer.x[: len(weights)]]

    def fix(self, column: int, granted: bool) -> None:
        """Later answers keep this one."""
        self.lower[column] = self.upper[column] = float(granted)

    def _column(self, upper: float, lower: float) -> int:
        self.lower.append(lower)
        self.upper.append(upper)
        return len(self.lower) - 1

    def _caps(self) -> None:
        groups: dict[tuple[str, str | None], dict[int, float]] = defaultdict(dict)
        for column, request in enumerate(self.requests):
            for purpose in (None, request.pool.purpose):
                groups[request.unit, purpose][column] = request.posts
        for (unit, purpose), terms in groups.items():
            most = self.standing.caps.get((unit, purpose))
            if most is not None:
                self.rows.append((terms, max(0, most - self.standing.used_of_cap(unit, purpose))))

    def _backing(self) -> None:
        cells: dict[tuple, list[int]] = defaultdict(list)
        dues = [self.standing.loan_of(request).due for request in self.requests]
        for column, request in enumerate(self.requests):
            if not request.backing_waived:
                cells[request.unit, request.pool.post_type, request.pool.fund_form].append(column)
        for cell, columns in cells.items():
            days = {dues[column] for column in columns}
            days |= {day for due in days for day in self.standing.backing_days(cell, due)}
            for day in sorted(days):
                used, coming = self.standing.backing(cell, day)
                terms = {column: float(self.requests[column].posts) for column in columns if dues[column] <= day}
                self.rows.append((terms, max(0, coming - used)))

    def _tree(self, pool: PoolKey) -> None:
        """T of every node above a request as terms and a constant; flows may stay below what T offers, never above."""
        standing, tree = self.standing, self.standing.surplus(pool)
        asked: dict[str, dict[int, float]] = defaultdict(dict)
        for column, request in enumerate(self.requests):
            if request.pool == pool:
                asked[request.unit][column] = -float(request.posts)
        touched = {code for unit in asked for code in standing.paths[unit]}
        terms = {code: dict(asked.get(code, {})) for code in touched}
        constant = {code: float(tree[code]) for code in touched}
        for code in sorted(touched, key=lambda code: (-len(standing.paths[code]), code)):
            least, _ = standing.nominal(pool, code)
            if least is not None:
                # Where a node is over already, it may stay as it stands.
                self._at_least(terms[code], constant[code], min(least, tree[code]))
            self.deficits[pool, code] = (terms[code], constant[code])
            parent = standing.parents[code]
            if parent is None:
                continue
            limit = standing.lend.get((pool, code), 0)
            flow = self._column(passed_up(limit, tree[code]), passed_up(limit, tree[code] - self.asked[pool]))
            self.rows.append(({flow: 1.0, **{column: -value for column, value in terms[code].items()}}, constant[code]))
            terms[parent][flow] = 1.0
            constant[parent] -= passed_up(limit, tree[code])

    def _at_least(self, terms: dict[int, float], constant: float, least: float) -> None:
        self.rows.append(({column: -value for column, value in terms.items()}, constant - least))

    def _divisions(self) -> None:
        places: dict[tuple[str, PostType], set[PoolKey]] = defaultdict(set)
        for pool, code in self.deficits:
            if (code, pool.post_type) in self.standing.divisions and self.standing.parents[code] is not None:
                places[code, pool.post_type].add(pool)
        for (code, post_type), pools in sorted(places.items()):
            limit, _ = self.standing.divisions[code, post_type]
            now = self.standing.usage(code, post_type)
            room, row = float(max(limit, now) - now), {}
            for pool in sorted(pools):
                net = self.standing.net[pool, code]
                room += max(net, -self.standing.surplus(pool)[code])
                deepest = self.standing.surplus(pool)[code] - self.asked[pool]
                outside = self._column(max(net, -deepest), net)
                terms, constant = self.deficits[pool, code]
                self.rows.append(({outside: -1.0, **{column: -value for column, value in terms.items()}}, constant))
                row[outside] = 1.0
            self.rows.append((row, room))
