"""A unit's totals are explained exactly by people: the presence classes add up to them, and F09 counts nobody twice or away."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from random import SystemRandom

from tests.batches import stacked_on_duckdb
from tests.property.drawn_nights import drawn_nights
from tests.spec.spec import Night, Result

SEED = SystemRandom().randrange(10**9)
NIGHTS = 200
ACTIVE = ("IN_SERVICE", "SECONDED_OUT", "ON_LEAVE")


def second_cells(night: Night) -> Counter:
    """Unit → cells beyond the first of people who hold two of it: they count once per cell, and as one person."""
    cells: dict[tuple[str, str], set] = defaultdict(set)
    for row in night.books["roster"]:
        entered = row["entry_date"] is None or row["entry_date"] <= night.as_of
        stays = row["exit_date"] is None or row["exit_date"] > night.as_of
        if row["person_key"] and row["status"] in ACTIVE and entered and stays and row["post_type"] != "CONTROL_NUMBER":
            cells[row["unit_code"], row["person_key"]].add((row["post_type"], row["fund_form"]))
    return Counter({unit: 0 for unit, _ in cells}) + Counter(
        unit for (unit, _), held in cells.items() for _ in range(len(held) - 1)
    )


def check_presence(night: Night, said: Result) -> int:
    """in post of every unit = its people with the roster bit + second cells; the number of units looked at."""
    on_roster: Counter = Counter()
    units = {row["unit_code"] for row in said.presence}
    for row in said.presence:
        on_roster[row["unit_code"]] += row["people"] if row["bits"][1] == "1" else 0
    twice = second_cells(night)
    totals = {cell["unit_code"]: cell["in_post"] for cell in said.cells if not cell["post_type"]}
    wrong = [unit for unit in units if totals[unit] != on_roster[unit] + twice[unit]]
    assert wrong == []
    return len(units)


def check_f09(said: Result) -> int:
    """Whom the residual leaves out is named by a finding of the list; the number of findings looked at."""
    by_key = {row["key"]: row for row in said.findings}
    seen = 0
    for row in said.findings:
        figures = json.loads(row["evidence"] or "{}")
        if row["rule"] != "F09" or figures["residual"] is None:
            continue
        seen += 1
        assert figures["on_one_side"] == figures["named"] + figures["residual"]
        assert (row["severity"] == "S1") == (figures["residual"] != 0)
        named = [by_key[key] for key in json.loads(row["explained_by"] or "[]") if key in by_key]
        people = {each["person_key"] for each in named if each["person_key"]}
        blank = any(each["person_key"] is None for each in named)
        if figures["in_post"] != figures["paid"]:
            assert blank or len(people) >= figures["named"]
            assert people or blank or figures["residual"], row
    return seen


def test_presence_classes_and_named_people_explain_every_total():
    nights = drawn_nights(SEED, NIGHTS)
    units = findings = 0
    for number, (night, said) in enumerate(zip(nights, stacked_on_duckdb(nights), strict=True)):
        try:
            units += check_presence(night, said)
            findings += check_f09(said)
        except AssertionError as error:
            raise AssertionError(f"night {number} of {NIGHTS} of seed {SEED}: {error}") from error
    assert units > 50
    assert findings > 50
