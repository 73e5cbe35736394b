"""Engines and oracle on random nights, stacked into one batch. Exit 1 on a difference.

    python -m tests.property.prove_rules [--nights 1000] [--seed N] [--engine duckdb|spark] [--alone]

`duckdb`: DuckDB = oracle. `spark`: Spark = DuckDB = oracle. A night that differs is printed with its seed, and replays with
`--nights 1 --seed N`. `--alone`: every night as it lies, as a deployment would judge it, slow.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from random import SystemRandom

from tests.batches import stacked_on_duckdb
from tests.property.random_nights import random_night
from tests.spec.spec import Night, Result, difference, on_duckdb, on_oracle

AT_ONCE = 500
Judge = Callable[[Sequence[Night]], list[Result]]


def disagreements(nights: Mapping[int, Night], engines: Mapping[str, Judge]) -> dict[int, list[str]]:
    """Seed → what the engines and the oracle do not share on its night; nights they agree on are not in it."""
    answers = {name: judge(list(nights.values())) for name, judge in engines.items()}
    found: dict[int, list[str]] = {}
    for number, (seed, night) in enumerate(nights.items()):
        oracle = on_oracle(night)
        first, *others = [(name, said[number]) for name, said in answers.items()]
        lines = [f"{first[0]} and oracle: {line}" for line in difference(first[1], oracle)]
        lines += [f"{first[0]} and {name}: {line}" for name, said in others for line in difference(first[1], said)]
        if lines:
            found[seed] = lines
    return found


def alone(judge: Callable[[Night], Result]) -> Judge:
    """A judge of many nights, one after another."""
    return lambda nights: [judge(night) for night in nights]


def engines(engine: str, one_by_one: bool) -> dict[str, Judge]:
    """The engines to compare with the oracle, by name."""
    chosen: dict[str, Judge] = {"duckdb": alone(on_duckdb) if one_by_one else stacked_on_duckdb}
    if engine == "spark":
        # Starts Java: only who asks for it waits.
        from tests.sparkkit import on_spark, stacked_on_spark

        chosen["spark"] = alone(on_spark) if one_by_one else stacked_on_spark
    return chosen


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None, help="seed of the first night; the next ones follow")
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb")
    parser.add_argument("--alone", action="store_true", help="no stacking")
    options = parser.parse_args(arguments)
    first = SystemRandom().randrange(10**9) if options.seed is None else options.seed
    judges = engines(options.engine, options.alone)
    print(f"{options.nights} nights from seed {first}: {' = '.join([*judges, 'oracle'])}", flush=True)
    start, bad = time.monotonic(), 0
    for begin in range(first, first + options.nights, AT_ONCE):
        seeds = range(begin, min(begin + AT_ONCE, first + options.nights))
        found = disagreements({seed: random_night(seed) for seed in seeds}, judges)
        bad += len(found)
        for seed, lines in found.items():
            print(*(f"seed {seed}: {line}" for line in lines), sep="\n", flush=True)
    print(f"{bad} of {options.nights} nights differ, {time.monotonic() - start:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
