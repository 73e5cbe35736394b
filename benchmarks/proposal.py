"""How long an allocation proposal takes: `python -m benchmarks.proposal [--requests 200] [--units 200] [--seed N]`.

Twice: requests spread over a year, and all of one day, where one choice is made among all of them at once.
"""

from __future__ import annotations

import argparse
import sys
import time

from pool.proposal import Proposal, propose
from pool.proposal_input import Situation
from tests.property.random_situations import large_situation


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
