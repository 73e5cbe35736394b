"""Proposals against brute force: `python -m tests.property.prove_proposal [--cases 500] [--seed N]`. Exit 1 on a difference."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from random import Random, SystemRandom

from pool.proposal import Outcome, Proposal, Rejection, propose
from pool.proposal_input import Situation
from tests.property.allocation_oracle import applied, best, broken, kept
from tests.property.forecast_oracle import forecast_objections
from tests.property.random_situations import random_situation


def objections(situation: Situation, proposal: Proposal) -> list[str]:
    """What an independent judge has against a proposal; empty: nothing."""
    granted, held, too_large = best(situation)
    theirs = {grant.request.number for grant in proposal.grants}
    lines = []
    if theirs != granted:
        lines.append(f"granted {sorted(theirs)}, brute force {sorted(granted)}")
    for outcome, expected in ((Outcome.HELD, held), (Outcome.TOO_LARGE, too_large)):
        found = {row.request.number for row in proposal.rejections if row.outcome is outcome}
        if found != expected:
            lines.append(f"{outcome} {sorted(found)}, brute force {sorted(expected)}")
    over = broken(situation, [], [grant.request for grant in proposal.grants])
    lines += [f"limit broken: {key}" for key in over]
    for rejection in proposal.rejections:
        lines += [f"{rejection.request.number}: {line}" for line in _of_rejection(situation, rejection, held)]
    return lines


def _of_rejection(situation: Situation, rejection: Rejection, held: set[str]) -> list[str]:
    by_number, ahead = {row.number: row for row in situation.requests}, []
    for number in rejection.ahead:
        if number in held:
            situation = kept(situation, ahead, by_number[number])
        ahead.append(by_number[number])
    request, changes, lines = rejection.request, rejection.reason.changes, []

    def passes(parts, posts=request.posts) -> bool:
        changed = situation
        for part in parts:
            changed = applied(changed, part)
        return not broken(changed, ahead, [replace(request, posts=posts)])

    if passes(()):
        lines.append("rejected, but it passes as things are")
    if not rejection.reason.bindings or not changes:
        lines.append("rejected without a reason")
    if not passes(changes):
        lines.append(f"does not pass with {changes}")
    for place, change in enumerate(changes):
        less = [*changes[:place], replace(change, posts=change.posts - 1), *changes[place + 1 :]]
        if change.posts < 1 or passes(less):
            lines.append(f"passes with one post less of {change}")
    fewer = rejection.reason.passing
    if not 0 <= fewer < request.posts or (fewer and not passes((), fewer)) or passes((), fewer + 1):
        lines.append(f"{fewer} is not the most that passes")
    return lines


def shuffled(situation: Situation, seed: int) -> Situation:
    """The same situation, listed in another order."""
    dice = Random(seed)
    names = ("nodes", "holdings", "requests", "loans", "cells", "caps", "division_limits")
    return replace(situation, **{
        name: tuple(dice.sample(getattr(situation, name), len(getattr(situation, name)))) for name in names
    })  # fmt: skip


def disagreement(seed: int, seen: Counter | None = None) -> list[str]:
    """What is wrong with the proposal for the situation of a seed. seen: counts what the situation made happen."""
    situation = random_situation(seed)
    proposal = propose(situation)
    lines = objections(situation, proposal) + forecast_objections(situation, proposal)
    if propose(shuffled(situation, seed)) != proposal:
        lines.append("another order of the same situation gives another proposal")
    if seen is not None:
        seen["granted"] += len(proposal.grants)
        for row in proposal.rejections:
            seen[row.outcome.value] += 1
            seen["earliest"] += row.earliest is not None
            seen["behind a held one"] += bool(row.reason.behind)
            seen["outweighed by others of its rank"] += any(
                grant.request.rank[:2] == row.request.rank[:2] and grant.request.rank > row.request.rank
                for grant in proposal.grants
            )
            seen.update(f"bound {binding.rule}" for binding in row.reason.bindings)
            seen.update(f"remedy {change.remedy}" for change in row.reason.changes)
    return lines


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="propose for random situations, and compare with brute force")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=None, help="seed of the first case; the next ones follow")
    options = parser.parse_args(arguments)
    first = SystemRandom().randrange(10**9) if options.seed is None else options.seed
    print(f"{options.cases} cases from seed {first}")
    bad, seen = 0, Counter()
    for seed in range(first, first + options.cases):
        lines = disagreement(seed, seen)
        bad += bool(lines)
        for line in lines:
            print(f"seed {seed}: {line}")
    print(", ".join(f"{name} {count}" for name, count in sorted(seen.items())))
    print(f"{bad} of {options.cases} cases differ")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
