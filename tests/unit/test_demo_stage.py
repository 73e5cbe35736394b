"""What the demo's script leaves in its books, before any night: numbers the gate will give, units the ledger will know."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from demo.atlas import build_atlas
from demo.city import lend_posts, nights_until, populate
from demo.gated import STAYERS, switch_units, write_gate
from demo.names import Registry
from demo.plants_ledger import moved_between_levels
from demo.stage import Stage

LAST = date(2026, 10, 31)
FEW, MANY = 10, 3  # seeds of cities where one stays beside the one who leaves, and where enough do


def staged(people: int, seed: int) -> Stage:
    stage = Stage(build_atlas(people, seed), nights_until(LAST, 3), Registry(seed, LAST), seed)
    populate(stage)
    lend_posts(stage)
    switch_units(stage)
    return stage


@pytest.mark.parametrize("seed", [FEW, MANY])
def test_whoever_comes_by_our_permit_cites_the_slot_number_after_all_that_were_given(tmp_path, seed):
    stage = staged(400, seed)
    write_gate(tmp_path / "gate", stage)
    with (tmp_path / "gate/acts.csv").open(encoding="utf-8", newline="") as file:
        recorded = sum((row["act"], row["as"]) == ("record", "renshe") for row in csv.DictReader(file))
    assert recorded == 1 + (1 if seed == FEW else STAYERS)
    swapped = sum(lending.fate == "swapped" for lending in stage.lendings)
    cited = [row["slot_no"] for _, row in stage.rows["roster"] if row["person_key"] == stage.came]
    assert cited == [f"BZ2026-{swapped + recorded + 1:06d}"]


def test_what_is_planted_in_our_own_files_is_of_units_the_ledger_will_not_know():
    stage = staged(400, MANY)
    known = stage.in_ledger()
    assert len(known) >= 2
    for turn in range(4):
        moved_between_levels(stage, turn)
    assert len(stage.movements) == 4
    assert not any(known & {row["from_unit"], row["to_unit"]} for row in stage.movements)
