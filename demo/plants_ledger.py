"""Planted against our own ledger and the limits of divisions: full cells entered, posts moved or idle, too many units and pays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from demo.atlas import CITY, Unit
from demo.names import Person
from demo.plants_gate import claim_entry, enter, entered, left_long_ago
from demo.plants_units import OWN_TYPES
from demo.position import SINCE, move
from demo.stage import Stage


def _frozen(stage: Stage, kind: str) -> Unit | None:
    """A unit in which nobody came or went since the gate opened: its heads are the same on every day."""
    return stage.take(kind, lambda u: u.trade in OWN_TYPES and u.code in stage.frozen)


def _fill(stage: Stage, unit: Unit, spare: int = 0) -> int:
    """Quota of the first cell as many as it has people, and some to spare; the people, the same every night."""
    cell = unit.first_cell
    for k in stage.in_mask(stage.always):
        stage.quota_set[unit.code, cell][k] = stage.heads[unit.code, cell][k] + spare
    return max(stage.heads[unit.code, cell])


def entered_when_full(stage: Stage, turn: int) -> None:
    """P02 alone: a post too many that day, because somebody left only days later; of two, the one registered last."""
    unit = _frozen(stage, "P02")
    if unit is None:
        return
    day = entered(stage)
    left_long_ago(stage, stage.always, unit, day + timedelta(days=5))
    if turn % 2:
        enter(stage, stage.always, unit, day, entry_registered=day + timedelta(days=1))
    late = enter(stage, stage.always, unit, day, entry_registered=day + timedelta(days=2))
    heads = _fill(stage, unit)
    claim_entry(stage, stage.always, "P02", "S2", late, unit, day, expected=heads, found=heads + 1)


def entered_over_quota(stage: Stage, turn: int) -> None:
    """P02 with what follows: Q01 and Q02, and F09 whose quota half it explains."""
    unit = _frozen(stage, "P02 over quota")
    if unit is None:
        return
    day, post_type = entered(stage), unit.first_cell[0]
    person = enter(stage, stage.always, unit, day)
    for other in unit.heads:
        for k in stage.in_mask(stage.always):
            stage.quota_set[unit.code, other][k] = stage.heads[unit.code, other][k]
    heads = _fill(stage, unit, spare=-1)
    total = sum(max(stage.heads[unit.code, other]) for other in unit.heads)
    stage.claim(stage.always, "Q01", {"unit_code": unit.code}, "S2", unit, expected=total - 1, found=total)
    _claim_type(stage, unit, post_type, person, heads - 1, heads)
    for k in stage.in_mask(stage.always):
        stage.over_total[k].add(unit.code)


def entered_by_ledger(stage: Stage, turn: int) -> None:
    """P02 by the quota in force that day, although tonight's has room; beside it the other way round, and the borrowed."""
    unit, before = _frozen(stage, "P02 of our ledger"), _frozen(stage, "P02 before a cut")
    if unit is None or before is None:
        return
    day = entered(stage)
    person = enter(stage, stage.always, unit, day)
    heads = _fill(stage, unit, spare=3)
    stage.quota_past[unit.code, unit.first_cell] = ((heads - 1, SINCE, day), (heads + 3, day + timedelta(days=1), None))
    claim_entry(stage, stage.always, "P02", "S2", person, unit, day, expected=heads - 1, found=heads)
    left_long_ago(stage, stage.always, before, day + timedelta(days=5))
    enter(stage, stage.always, before, day)
    heads = _fill(stage, before)
    stage.quota_past[before.code, before.first_cell] = ((heads + 1, SINCE, day), (heads, day + timedelta(days=1), None))


def entered_without_row(stage: Stage, turn: int) -> None:
    """P02 where the cell has no quota row: the type is full; and where the type has none either: 0 posts. Q02 both times."""
    unit = _frozen(stage, "P02 of a type")
    if unit is not None:
        post_type, day = unit.first_cell[0], entered(stage)
        heads = _fill(stage, unit)
        person = enter(stage, stage.always, unit, day, (post_type, "PART"))
        _claim_type(stage, unit, post_type, person, heads, heads + 1)
    unit = stage.take("P02 without posts", lambda u: u.trade in ("townwork", "self"))
    if unit is not None:
        person = enter(stage, stage.always, unit, entered(stage), ("SUPPORT", "FULL"))
        _claim_type(stage, unit, "SUPPORT", person, 0, 1)


def _claim_type(stage: Stage, unit: Unit, post_type: str, person: Person, allowed: int, heads: int) -> None:
    stated = {"expected": allowed, "found": heads}
    claim_entry(stage, stage.always, "P02", "S2", person, unit, entered(stage), **stated)
    grain = {"unit_code": unit.code, "post_type": post_type}
    stage.claim(stage.always, "Q02", grain, "S2", unit, **stated)


def left_first(stage: Stage, turn: int) -> None:
    """No finding: one out, one in on the same day, in a full cell."""
    unit = _frozen(stage, "exit first, then entry")
    if unit is None:
        return
    day = entered(stage)
    left_long_ago(stage, stage.always, unit, day)
    enter(stage, stage.always, unit, day)
    _fill(stage, unit)


def moved_between_levels(stage: Stage, turn: int) -> None:
    """Q09: without the central number; the last of them takes effect between two nights."""
    known = stage.in_ledger()
    units = [unit for unit in stage.atlas.units if unit.code not in known]
    giver = next(unit for unit in units if unit.level == ("CITY", "COUNTY")[turn % 2])
    taker = next(unit for unit in reversed(units) if unit.level == ("COUNTY", "TOWNSHIP")[turn % 2])
    k = turn % len(stage.nights)
    row = move(stage, ("ADMIN", "POLITICAL_LEGAL")[turn % 2], giver, taker, stage.nights[k])
    grain = {"movement_no": row["movement_no"]}
    stage.claim(stage.from_night(k), "Q09", grain, "S1", taker, expected="-", found=row["doc_no"])


def idle_for_long(stage: Stage, turn: int) -> None:
    """Q10: all along, from the second night, until the last; beside each a cell that was full a month before the year began.

    The figure is the usable of the month, which only the oracle counts.
    """
    if turn >= len(stage.quiet):
        return
    unit, last = stage.quiet[turn], len(stage.nights) - 1
    mask, full = (
        (stage.always, ()),
        (stage.from_night(1), (f"{stage.firsts[0].year - 1}-{stage.firsts[0].month % 12 + 1:02d}",)),
        (stage.before_night(last), (stage.months[last],)),
    )[turn % 3]
    if turn % 3 == 1 and stage.firsts[0].month == 12:
        full = (f"{stage.firsts[0].year}-01",)
    stage.full_months[unit.code, unit.first_cell] = full
    cell = unit.first_cell
    grain = {"unit_code": unit.code, "post_type": cell[0], "fund_form": cell[1]}
    stage.claim(mask, "Q10", grain, "S4", unit, expected=0)


def break_limits(stage: Stage) -> None:
    """Q11 and F11 of whole divisions: one unit or one pay above the limit, on some nights."""
    folders = stage.atlas.folders
    for division, kind in ((folders[1], "INSTITUTION"), (CITY, "ORGAN")):
        mask = stage.unit_limit_cut[division, kind] = stage.next_mask("Q11")
        stage.claim(mask, "Q11", {"division_code": division, "unit_kind": kind}, "S2", None)
    for division, cuts in ((folders[1], stage.paid_cut), (folders[3], stage.year_ago_cut)):
        mask = cuts[division] = stage.next_mask("F11")
        stage.claim(mask, "F11", {"division_code": division}, "S2", None)


STORIES: tuple[tuple[Callable[[Stage, int], None], int], ...] = (
    (entered_when_full, 2), (entered_over_quota, 1), (entered_by_ledger, 1), (entered_without_row, 1), (left_first, 1), (moved_between_levels, 2),
    (idle_for_long, 3),
)  # fmt: skip


def plant_ledger(stage: Stage, rounds: int) -> None:
    """Plant every kind, several of each; called before anything else takes the units in which nobody came or went."""
    for story, kinds in STORIES:
        for turn in range(rounds * kinds):
            story(stage, turn)
    break_limits(stage)
