"""T(x) against brute force: `python -m tests.property.prove_tree [--trees 10000] [--seed N]`. Exit 1 on a difference."""

from __future__ import annotations

import argparse
import sys
from random import SystemRandom

from tests.property.random_trees import check_tree


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    given = parser.parse_args()
    print(f"{given.trees} trees from seed {given.seed}", flush=True)
    for seed in range(given.seed, given.seed + given.trees):
        try:
            check_tree(seed)
        except AssertionError as error:
            print(f"difference at seed {seed}: replay with --trees 1 --seed {seed}\n{error}")
            return 1
    print("no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
