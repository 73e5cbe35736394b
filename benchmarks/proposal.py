"""How long an allocation proposal takes: `python -m benchmarks.proposal [--requests 200] [--units 200] [--seed N]`.

Twice: requests spread over a year, and all of one day, where one choice is made among all of them at once.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date, timedelta
from random import Random

from core.types import FundForm, PostType
from pool.proposal import Proposal, propose
from pool.proposal_input import (
    Cap,
    Cell,
    DivisionLimit,
    Holding,
    Loan,
    Need,
    Node,
    PoolKey,
    Request,
    Retirement,
    Situation,
)

AS_OF = date(2026, 11, 30)
POOLS = (
    PoolKey(PostType.INSTITUTION, FundForm.FULL, "education"),
    PoolKey(PostType.INSTITUTION, FundForm.FULL, "health"),
    PoolKey(PostType.INSTITUTION, FundForm.PART, "health"),
    PoolKey(PostType.ADMIN, FundForm.FULL, "enforcement"),
)


def large_situation(seed: int, requests: int, units: int, same_day: bool) -> Situation:
    """A city of ten counties with their townships; about half of what is asked for can be lent."""
    dice = Random(seed)
    nodes = [Node("R", "市")] + [Node(f"C{c}", f"区{c}", "R") for c in range(10)]
    nodes += [Node(f"T{c}{t}", f"街道{c}{t}", f"C{c}") for c in range(10) for t in range(3)]
    places = [node.code for node in nodes[1:]]
    names = [f"u{number:04d}" for number in range(units)]
    nodes += [Node(name, f"单位{name}", dice.choice(places), True) for name in names]
    holdings = []
    for pool in POOLS:
        for node in nodes:
            own = dice.randint(0, 1) if node.is_unit else dice.randint(0, 2)
            holdings.append(
                Holding(node.code, pool, own, own) if node.is_unit
                else Holding(node.code, pool, own, dice.choice([None, 4, 8]), dice.choice([None, 5, 15]), 0)
            )  # fmt: skip
    asked = tuple(
        Request(
            f"S{n:04d}", dice.choice(names), dice.choice(POOLS), dice.randint(1, 12),
            AS_OF - timedelta(days=30 if same_day else dice.randint(0, 365)), dice.choice(list(Need)),
            dice.choice([12, 36, 60]), backing_waived=dice.random() < 0.9,
        )
        for n in range(requests)
    )  # fmt: skip
    loans = tuple(
        Loan(f"L{n:04d}", dice.choice(names), dice.choice(places), dice.choice(POOLS), dice.randint(1, 4),
             AS_OF + timedelta(days=dice.randint(1, 1800)))
        for n in range(units * 2)
    )  # fmt: skip
    cells = tuple(
        Cell(name, post_type, fund_form, 0, tuple(
            Retirement(AS_OF + timedelta(days=dice.randint(1, 1800)), dice.randint(1, 3)) for _ in range(4)
        ))
        for name in names
        for post_type, fund_form in sorted({(pool.post_type, pool.fund_form) for pool in POOLS})
    )  # fmt: skip
    caps = tuple(Cap(name, None, 40) for name in names)
    limits = tuple(DivisionLimit(f"C{c}", PostType.INSTITUTION, 1030, 1000) for c in range(10))
    return Situation(AS_OF, tuple(nodes), tuple(holdings), asked, loans, cells, caps, limits)


def timed(situation: Situation) -> tuple[float, Proposal]:
    """(seconds, the proposal)."""
    start = time.perf_counter()
    proposal = propose(situation)
    return time.perf_counter() - start, proposal


def main(arguments: list[str] | None = None) -> int:
    """Print one line per kind of queue."""
    parser = argparse.ArgumentParser(description="time allocation proposals")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--units", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    for same_day in (False, True):
        situation = large_situation(options.seed, options.requests, options.units, same_day)
        seconds, proposal = timed(situation)
        days = "one day" if same_day else "a year"
        print(
            f"{options.requests} requests of {days} over {options.units} units: {seconds:.2f} s, "
            f"{len(proposal.grants)} granted ({proposal.posts} posts), {len(proposal.rejections)} not, "
            f"{sum(row.earliest is not None for row in proposal.rejections)} of them with a date"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
