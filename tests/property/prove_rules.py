"""Rules and oracle on many random nights: `python -m tests.property.prove_rules --nights 1000 [--seed N]`. Exit 1 on a difference."""

from __future__ import annotations

import argparse
import sys
from random import SystemRandom

from tests.property.random_nights import random_night
from tests.spec.spec import difference, on_duckdb, on_oracle


def disagreement(seed: int) -> list[str]:
    """What rules and oracle do not share on the night of a seed."""
    night = random_night(seed)
    return difference(on_duckdb(night), on_oracle(night))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="judge random nights by the rules and by the oracle, and compare")
    parser.add_argument("--nights", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None, help="seed of the first night; the next ones follow")
    options = parser.parse_args(arguments)
    first = SystemRandom().randrange(10**9) if options.seed is None else options.seed
    print(f"{options.nights} nights from seed {first}")
    bad = 0
    for seed in range(first, first + options.nights):
        lines = disagreement(seed)
        bad += bool(lines)
        for line in lines:
            print(f"seed {seed}: {line}")
    print(f"{bad} of {options.nights} nights differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
