"""The county that delivers counts and no persons: its figures, true and planted."""

from __future__ import annotations

from demo.atlas import Unit
from demo.plants_units import headcount_row
from demo.stage import Stage


def state_counts(stage: Stage, planted: bool) -> None:
    """Typed figures of every unit with room to spare; the first office has parts that add up to it.

    Planted: one unit over quota (Q01, Q02, and F09 by its quota half), one whose paid count differs (F09), one total
    whose parts do not add up (D06).
    """
    units = [unit for unit in stage.atlas.counted_units if unit.trade not in ("self", "mixed")]
    stage.atlas.counted_units[:] = units
    # The largest are planted in: a part must be able to lose a head, and a quota to lose a post.
    over, whole, unlike, *_ = sorted(units, key=lambda unit: (-unit.heads[unit.first_cell], unit.code))
    for unit in units:
        paid = sum(unit.heads.values())
        for (post_type, fund_form), number in unit.heads.items():
            named = {"post_type": post_type, "fund_form": fund_form}
            stage.add("headcount", stage.always, **headcount_row(unit, "IN_POST", number, **named))
            if not (planted and unit is over and (post_type, fund_form) == unit.first_cell):
                stage.add("headcount", stage.always, **headcount_row(unit, "QUOTA", number + 1, **named))
        if not (planted and unit is unlike):
            stage.add("headcount", stage.always, **headcount_row(unit, "PAID", paid))
    parts = _state_parts(stage, whole)
    if planted:
        _plant_over(stage, over)
        _plant_unlike(stage, unlike)
        _plant_wrong_part(stage, whole, parts)
    else:
        stage.add("headcount", stage.always, **_part_row(whole, parts[1], whole.heads[whole.first_cell] // 2))


def _part_row(whole: Unit, part: Unit, number: int, measure: str = "IN_POST") -> dict:
    post_type, fund_form = whole.first_cell
    return headcount_row(part, measure, number, post_type=post_type, fund_form=fund_form, part_of=whole.code)


def _state_parts(stage: Stage, whole: Unit) -> list[Unit]:
    """Two inner offices: quota and the first one's people; the second one's people are stated by the caller."""
    number = whole.heads[whole.first_cell]
    half = number // 2
    parts = []
    for n, (quota, people) in enumerate(((number - half + 1, number - half), (half, None)), start=1):
        part = Unit(
            f"{whole.code}-{n:02d}", f"{whole.name}内设{n}科", whole.kind, whole.level, whole.division, whole.folder,
            whole.pay_folder, "part", {}, supervising=whole.supervising, parent=whole.code,
        )  # fmt: skip
        parts.append(part)
        stage.add("headcount", stage.always, **_part_row(whole, part, quota, "QUOTA"))
        if people is not None:
            stage.add("headcount", stage.always, **_part_row(whole, part, people))
    stage.atlas.counted_units += parts
    return parts


def _plant_over(stage: Stage, unit: Unit) -> None:
    mask, (post_type, fund_form) = stage.next_mask("counted Q01"), unit.first_cell
    heads, total = unit.heads[unit.first_cell], sum(unit.heads.values())
    others = total - heads + len(unit.heads) - 1  # the other cells have one post to spare each
    short = total - 1 - others
    for k in range(len(stage.nights)):
        wrong = mask >> k & 1
        row = headcount_row(unit, "QUOTA", short if wrong else heads + 1, post_type=post_type, fund_form=fund_form)
        stage.add("headcount", 1 << k, **row)
        if wrong:
            stage.claim(1 << k, "Q01", {"unit_code": unit.code}, "S2", unit, expected=short + others, found=total)
            grain = {"unit_code": unit.code, "post_type": post_type}
            stage.claim(1 << k, "Q02", grain, "S2", unit, expected=short, found=heads)
            stage.claim(
                1 << k, "F09", {"unit_code": unit.code}, "S2", unit, cause="PERSONS_NOT_DELIVERED",
                expected=short + others, found=total,
            )  # fmt: skip


def _plant_unlike(stage: Stage, unit: Unit) -> None:
    mask, total = stage.next_mask("counted F09"), sum(unit.heads.values())
    stage.add("headcount", stage.always & ~mask, **headcount_row(unit, "PAID", total))
    stage.add("headcount", mask, **headcount_row(unit, "PAID", total + 2))
    stated = {"cause": "PERSONS_NOT_DELIVERED", "expected": total, "found": total + 2}
    stage.claim(mask, "F09", {"unit_code": unit.code}, "S2", unit, **stated)


def _plant_wrong_part(stage: Stage, whole: Unit, parts: list[Unit]) -> None:
    mask, number = stage.next_mask("D06 parts"), whole.heads[whole.first_cell]
    half = number // 2
    stage.add("headcount", stage.always & ~mask, **_part_row(whole, parts[1], half))
    stage.add("headcount", mask, **_part_row(whole, parts[1], half - 1))
    post_type, fund_form = whole.first_cell
    grain = {
        "unit_code": whole.code, "measure": "IN_POST", "scope": "ON_ESTABLISHMENT", "post_type": post_type,
        "fund_form": fund_form, "source": "月报",
    }  # fmt: skip
    stage.claim(mask, "D06", grain, "S4", whole, expected=number, found=number - 1)
