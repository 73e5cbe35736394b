"""Planted units: quota, leaders, registration, copies, limits and statistics that do not hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from demo.atlas import COUNTED, STREET, Cell, Unit
from demo.histories import CONTROL
from demo.stage import Stage

OWN_TYPES = ("bureau", "school", "town", "service", "police", "office")


def over_quota(stage: Stage, turn: int) -> None:
    """Q01, Q02 of the type that is over, and F09 by its quota half: in post = paid > allowed."""
    unit = stage.take("Q01", lambda u: u.trade in OWN_TYPES and u.code in stage.frozen)
    if unit is None:
        return
    mask = stage.next_mask("Q01")
    main = unit.first_cell
    for k in stage.in_mask(mask):
        for cell in unit.heads:
            stage.quota_set[unit.code, cell][k] = stage.heads[unit.code, cell][k]
        stage.quota_set[unit.code, main][k] -= 1
        total = sum(stage.heads[unit.code, cell][k] for cell in unit.heads)
        stage.claim(1 << k, "Q01", {"unit_code": unit.code}, "S2", unit, expected=total - 1, found=total)
        stage.over_total[k].add(unit.code)
        _claim_type(stage, k, unit, main)


def _claim_type(stage: Stage, k: int, unit: Unit, cell: Cell) -> None:
    heads = stage.heads[unit.code, cell][k]
    grain = {"unit_code": unit.code, "post_type": cell[0]}
    stage.claim(1 << k, "Q02", grain, "S2", unit, expected=heads - 1, found=heads)


def over_in_one_type(stage: Stage, turn: int) -> None:
    """Q02 while the unit's total is within."""
    unit = stage.take("Q02", lambda u: u.trade in OWN_TYPES and u.code in stage.frozen)
    if unit is None:
        return
    support = next(cell for cell in unit.heads if cell[0] == "SUPPORT")
    for k in stage.in_mask(stage.next_mask("Q02")):
        stage.quota_set[unit.code, support][k] = stage.heads[unit.code, support][k] - 1
        stage.quota_set[unit.code, unit.first_cell][k] = stage.heads[unit.code, unit.first_cell][k] + 3
        _claim_type(stage, k, unit, support)


def over_in_control_numbers(stage: Stage, turn: int) -> None:
    """Q02 of control numbers against their own number; no total moves."""
    unit = stage.take("Q02 of control numbers", lambda u: u.trade in ("hospital", "college"))
    if unit is None:
        return
    control = next(cell for cell in unit.heads if cell[0] == CONTROL)
    for k in stage.in_mask(stage.next_mask("Q02 control")):
        stage.quota_set[unit.code, control][k] = stage.heads[unit.code, control][k] - 1
        _claim_type(stage, k, unit, control)


def over_in_one_form(stage: Stage, turn: int) -> None:
    """Q12: FULL posts overfilled inside a type that is within."""
    unit = stage.take("Q12", lambda u: u.trade == "mixed" and u.code in stage.frozen)
    if unit is None:
        return
    first, second = list(unit.heads)[:2]
    for k in stage.in_mask(stage.next_mask("Q12")):
        heads = stage.heads[unit.code, first][k]
        stage.quota_set[unit.code, first][k] = heads - 1
        stage.quota_set[unit.code, second][k] = stage.heads[unit.code, second][k] + 3
        grain = {"unit_code": unit.code, "post_type": first[0], "fund_form": first[1]}
        stage.claim(1 << k, "Q12", grain, "S3", unit, expected=heads - 1, found=heads)


def too_many_leaders(stage: Stage, turn: int) -> None:
    """Q04 of one tier."""
    unit = stage.take("Q04", lambda u: u.trade in OWN_TYPES)
    if unit is None:
        return
    tier = ("DEPUTY", "CHIEF", "INNER_CHIEF", "INNER_DEPUTY")[turn % 4]
    posts = stage.leaders[unit.code][tier]
    person, mask = stage.registry.person(), stage.next_mask("Q04")
    stage.post(mask, person, unit, leader_tier=tier)
    stage.pay(mask, person, unit)
    grain = {"unit_code": unit.code, "leader_tier": tier}
    stage.claim(mask, "Q04", grain, "S2", unit, expected=posts, found=posts + 1)


def unapproved(stage: Stage, turn: int) -> None:
    """Q06 for each of its reasons."""
    reason = ("NOT_REGISTERED", "NO_APPROVAL_DOC", "OUTSIDE_VALIDITY")[turn % 3]
    unit = stage.take(f"Q06 {reason}", lambda u: u.trade in ("townwork", "self", "school", "service"))
    if unit is None:
        return
    mask = stage.next_mask(f"Q06 {reason}")
    if reason == "NOT_REGISTERED":
        stage.unit_set[unit.code].append((mask, None))
    elif reason == "NO_APPROVAL_DOC":
        stage.unit_set[unit.code].append((mask, {"approval_doc": None}))
    else:
        stage.unit_set[unit.code].append((mask, {"valid_to": stage.firsts[0] - timedelta(days=30)}))
    stage.claim(mask, "Q06", {"unit_code": unit.code}, "S2", unit, found=reason)


def copies_apart(stage: Stage, turn: int) -> None:
    """Q07: the certificate differs, the database lacks the cell, or the ledger does (then nothing judges the cell)."""
    shape = ("differs", "database lacks", "ledger lacks")[turn % 3]
    unit = stage.take(f"Q07 {shape}", lambda u: u.trade in OWN_TYPES)
    if unit is None:
        return
    # Q08 has planted limits on the other types: an unknown cell of theirs would silence it.
    cell = next(cell for cell in unit.heads if cell[0] == "SUPPORT")
    mask = stage.next_mask(f"Q07 {shape}")
    for k in stage.in_mask(mask):
        quota = stage.quota(unit, cell, k)
        values: dict[str, int | None] = dict.fromkeys(("LEDGER", "CERTIFICATE", "DATABASE"), quota)
        values |= {"differs": {"CERTIFICATE": quota + 1}, "database lacks": {"DATABASE": None}}.get(
            shape, {"LEDGER": None}
        )
        for copy, value in values.items():
            if value != quota:
                stage.copy_set[unit.code, cell, copy][k] = value
        others = ";".join(f"{c}={'-' if values[c] is None else values[c]}" for c in ("CERTIFICATE", "DATABASE"))
        stated = {} if values["LEDGER"] is None else {"expected": values["LEDGER"]}
        grain = {"unit_code": unit.code, "post_type": cell[0], "fund_form": cell[1]}
        stage.claim(1 << k, "Q07", grain, "S3", unit, **stated, found=others)


def break_totals(stage: Stage) -> None:
    """Q08: the limit of two counties is one post short; who gets which is fixed by their order."""
    counties = [folder for folder in stage.atlas.folders[1:] if folder not in (STREET, COUNTED[0])]
    for n, post_type in enumerate(("INSTITUTION", "ADMIN")):
        division = counties[-1 - n]
        mask = stage.next_mask("Q08")
        stage.limit_cut[division, post_type] = mask
        for k in stage.in_mask(mask):
            total = stage.quota_sums[k][division, post_type]
            grain = {"division_code": division, "post_type": post_type}
            stage.claim(1 << k, "Q08", grain, "S1", None, expected=total - 1, found=total)


def headcount_row(unit: Unit, measure: str, count: int | None, **more) -> dict:
    row = {"unit_code": unit.code, "measure": measure, "scope": "ON_ESTABLISHMENT", "count": count, "source": "月报"}
    return row | {"delivered_by": unit.folder} | more


def state_headcounts(stage: Stage, plant: int) -> None:
    """Monthly figures of every third quiet unit, true but for `plant` false ones of each measure (D05).

    Called last: only units nothing is planted in state their figures.
    """
    quiet = sorted((unit for unit in stage.quiet if unit.folder != STREET), key=lambda unit: unit.code)
    for place, unit in enumerate(quiet):
        false_measure = ("QUOTA", "IN_POST", "PAID")[place % 3] if place < plant * 3 else None
        if place >= plant * 3 and place % 3:
            continue
        mask = stage.next_mask(f"D05 {false_measure}") if false_measure else 0
        for k in stage.in_mask(stage.always):
            for measure, ours in _our_figures(stage, unit, k).items():
                wrong = measure == false_measure and bool(mask >> k & 1)
                stage.add("headcount", 1 << k, **headcount_row(unit, measure, ours + wrong))
                if wrong:
                    grain = {
                        "unit_code": unit.code,
                        "measure": measure,
                        "post_type": None,
                        "fund_form": None,
                        "source": "月报",
                    }
                    stage.claim(1 << k, "D05", grain, "S2", unit, expected=ours, found=ours + 1)
            post_type, fund_form = unit.first_cell
            number = stage.heads[unit.code, unit.first_cell][k]
            named = {"post_type": post_type, "fund_form": fund_form}
            stage.add("headcount", 1 << k, **headcount_row(unit, "IN_POST", number, **named))
            # Another scope, and a blank: never compared with ours.
            stage.add(
                "headcount", 1 << k, **headcount_row(unit, "IN_POST", number + 9, scope="YEAR_END_ALL", source="年报")
            )
        stage.add("headcount", stage.always, **headcount_row(unit, "PAID", None, source="旧表"))


def _our_figures(stage: Stage, unit: Unit, k: int) -> dict[str, int]:
    own = [cell for cell in unit.heads if cell[0] != CONTROL]
    return {
        "QUOTA": sum(stage.quota(unit, cell, k) for cell in own),
        "IN_POST": sum(stage.heads[unit.code, cell][k] for cell in own),
        "PAID": sum(stage.heads[unit.code, cell][k] for cell in own if cell[1] != "SELF"),
    }


SHAPES: tuple[tuple[Callable[[Stage, int], None], int], ...] = (
    (over_quota, 1), (over_in_one_type, 1), (over_in_control_numbers, 1), (over_in_one_form, 1), (too_many_leaders, 1),
    (unapproved, 3), (copies_apart, 3),
)  # fmt: skip


def plant_units(stage: Stage, rounds: int) -> None:
    """Plant every shape of broken unit, several of each."""
    for shape, kinds in SHAPES:
        for turn in range(rounds * kinds):
            shape(stage, turn)
