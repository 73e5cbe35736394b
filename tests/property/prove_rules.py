"""Engines and oracle on random nights, stacked into one batch. Exit 1 on a difference.

    python -m tests.property.prove_rules [--nights 1000] [--seed N] [--engine duckdb|spark] [--alone]

`duckdb`: DuckDB = oracle. `spark`: Spark = DuckDB = oracle. Hypothesis draws the nights; the same seed and number of nights
draw the same ones. A night that differs is printed; then every row is taken out of the first that it differs without, each
try judged alone, and what is left of it printed row by row. `--alone`: every night as it lies, as a deployment would judge it, slow.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import SystemRandom

from tests.batches import stacked_on_duckdb
from tests.property.drawn_nights import drawn_nights
from tests.spec.spec import Night, Result, difference, on_duckdb, on_oracle

AT_ONCE = 500
# What every night is given, in many rows, whatever is on it.
GIVEN = ("workday", "rank_order")
Judge = Callable[[Sequence[Night]], list[Result]]


def disagreements(nights: Sequence[Night], engines: Mapping[str, Judge]) -> dict[int, list[str]]:
    """Place of a night → what the engines and the oracle do not share on it; nights they agree on are not in it."""
    answers = {name: judge(nights) for name, judge in engines.items()}
    found: dict[int, list[str]] = {}
    for number, night in enumerate(nights):
        oracle = on_oracle(night)
        first, *others = [(name, said[number]) for name, said in answers.items()]
        lines = [f"{first[0]} and oracle: {line}" for line in difference(first[1], oracle)]
        lines += [f"{first[0]} and {name}: {line}" for name, said in others for line in difference(first[1], said)]
        if lines:
            found[number] = lines
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


def check_alone(night: Night, judges: Mapping[str, Judge]) -> None:
    """One night by itself. Errors: AssertionError with what differs and the rows it needs to."""
    found = disagreements([night], judges)
    assert not found, "\n".join([*found[0], "without what it differs without:", *rows_of(smallest(night, judges))])


def smallest(night: Night, judges: Mapping[str, Judge]) -> Night:
    """What is left of a night that differs when every row is gone that it differs without, whole tables first. Rows are
    what a night is made of, so this ends soon; Hypothesis, which knows the dice alone, does not."""
    parts = {"books": dict(night.books), "facts": dict(night.facts)}
    # The oracle alone may be at fault, and it answers at once: the first engine is enough for that.
    quick = dict(list(judges.items())[:1])
    judges = quick if disagreements([night], quick) else judges

    def differs(part: str, name: str, rows: list) -> bool:
        changed = replace(night, **(parts | {part: parts[part] | {name: rows}}))
        try:
            return bool(disagreements([changed], judges))
        except (KeyError, StopIteration):
            # No night has this: a fact every night is given was taken out.
            return False

    for part, tables in parts.items():
        for name in [name for name in tables if tables[name] and name not in GIVEN]:
            if differs(part, name, []):
                tables[name] = []
            for row in list(tables[name]):
                rest = [other for other in tables[name] if other is not row]
                if differs(part, name, rest):
                    tables[name] = rest
    return replace(night, **parts)


def rows_of(night: Night) -> list[str]:
    """The rows of a night, one line each, without the columns that say nothing."""
    said = lambda row: ", ".join(f"{name}={value}" for name, value in row.items() if value is not None)
    tables = {**night.books, **{name: rows for name, rows in night.facts.items() if name not in GIVEN}}
    return [f"{name}: {said(row)}" for name, rows in tables.items() for row in rows]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None, help="seed of the first night; the next ones follow")
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb")
    parser.add_argument("--alone", action="store_true", help="no stacking")
    options = parser.parse_args(arguments)
    seed = SystemRandom().randrange(10**9) if options.seed is None else options.seed
    judges = engines(options.engine, options.alone)
    print(f"{options.nights} nights of seed {seed}: {' = '.join([*judges, 'oracle'])}", flush=True)
    start = time.monotonic()
    nights, bad = drawn_nights(seed, options.nights), set()
    for begin in range(0, len(nights), AT_ONCE):
        for place, lines in disagreements(nights[begin : begin + AT_ONCE], judges).items():
            bad.add(begin + place)
            print(*(f"night {begin + place}: {line}" for line in lines), sep="\n", flush=True)
    print(f"{len(bad)} of {len(nights)} nights differ, {time.monotonic() - start:.0f} s", flush=True)
    if bad:
        try:
            check_alone(nights[min(bad)], engines(options.engine, one_by_one=True))
            print("alone, that night agrees: the stacking differs", flush=True)
        except AssertionError as error:
            print(error, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
