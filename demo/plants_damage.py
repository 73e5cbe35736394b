"""Damaged rows: what the gate must quarantine, and what follows from their absence.

A damaged row carries `_bad`, the column that shuts it out (its unit stays readable unless that is the unit's own
code), and `_raw`, the texts as delivered.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from demo.atlas import CITY, STREET, Unit
from demo.names import Person
from demo.plants_gate import claim_exit, left_long_ago
from demo.plants_names import two_numbers_at
from demo.plants_units import OWN_TYPES, headcount_row
from demo.stage import Stage


def scientific(number: str) -> str:
    """What a spreadsheet makes of 18 digits typed as a number and saved as text."""
    return f"{number[0]}.{number[1:6]}E+17"


def zeroed(number: str) -> str:
    """What is left when a number was cut to 15 significant digits: `000` at the end, and a check digit that fails."""
    return number[:15] + "000"


def _take(stage: Stage, kind: str) -> Unit | None:
    return stage.take(kind, lambda u: u.trade in OWN_TYPES and u.folder != STREET)


def _number_that_fails(stage: Stage) -> Person:
    """A person whose number, ending cut to zeros, fails its check digit (one in eleven would pass)."""
    from core.identity import id_problem

    while True:
        person = stage.registry.person()
        if id_problem(zeroed(person.number)) == "CHECK_DIGIT":
            return person


ROSTER_DAMAGE = ("scientific", "zeroed", "word", "date", "twins")


def damaged_in_roster(stage: Stage, turn: int) -> None:
    """F01 QUARANTINE of the person behind the row, F03 and P05 QUARANTINE of another, F09, and D05 QUARANTINE of the unit."""
    shape = ROSTER_DAMAGE[turn % len(ROSTER_DAMAGE)]
    unit = _take(stage, f"damaged roster row, {shape}")
    if unit is None:
        return
    mask, person = stage.next_mask(f"roster {shape}"), _number_that_fails(stage)
    stage.post(stage.always & ~mask, person, unit)
    bad, raw = {
        "scientific": ("person_id", {"person_id": scientific(person.number)}),
        "zeroed": ("person_id", {"person_id": zeroed(person.number)}),
        "word": ("status", {"status": "在岗吗"}),
        "date": ("entry_date", {"entry_date": "2012-02-30"}),
        "twins": ("person_id", {}),
    }[shape]
    numeric = {"_number_cell": "person_id"} if shape == "scientific" else {}
    stage.post(mask, person, unit, _bad=bad, _raw=raw, **numeric)
    if shape == "twins":
        stage.post(mask, person, unit, _bad=bad, entry_date=date(2013, 9, 1))
    stage.pay(stage.always, person, unit)
    stage.claim_person(mask, "F01", "S4", person, unit, cause="QUARANTINE")
    day = stage.firsts[0] - timedelta(days=90)
    gone = left_long_ago(stage, stage.always, unit, day, exit_registered=None)
    stage.pay(mask, gone, unit)
    stage.claim_person(mask, "F03", "S4", gone, unit, cause="QUARANTINE")
    claim_exit(stage, mask, unit, gone, day, "S4", cause="QUARANTINE")
    claim_exit(stage, stage.always & ~mask, unit, gone, day, "S3")
    stage.weigh(mask, unit, paid=2)
    _state_true_figure(stage, unit, mask, 2 if shape == "twins" else 1)


def _state_true_figure(stage: Stage, unit: Unit, mask: int, shut: int) -> None:
    """The unit states its people rightly; ours lacks the quarantined one. `shut` of the rows holding posts are shut out."""
    post_type, fund_form = unit.first_cell
    for k in stage.in_mask(mask):
        ours = stage.heads[unit.code, unit.first_cell][k] - shut
        named = {"post_type": post_type, "fund_form": fund_form}
        stage.add("headcount", 1 << k, **headcount_row(unit, "IN_POST", ours + 1, **named))
        grain = {"unit_code": unit.code, "measure": "IN_POST", **named, "source": "月报"}
        stage.claim(1 << k, "D05", grain, "S4", unit, cause="QUARANTINE", expected=ours, found=ours + 1)


def damaged_in_payroll(stage: Stage, turn: int) -> None:
    """F02 QUARANTINE and F09; in one unit also D03 QUARANTINE of two numbers."""
    shape = ("scientific", "zeroed", "amount")[turn % 3]
    unit = _take(stage, f"damaged payroll row, {shape}")
    if unit is None:
        return
    mask, person = stage.next_mask(f"payroll {shape}"), _number_that_fails(stage)
    stage.post(stage.always, person, unit)
    stage.pay(stage.always & ~mask, person, unit)
    bad, raw = {
        "scientific": ("person_id", {"person_id": scientific(person.number)}),
        "zeroed": ("person_id", {"person_id": zeroed(person.number)}),
        "amount": ("amount", {"amount": "八千元整"}),
    }[shape]
    stage.pay(mask, person, unit, _bad=bad, _raw=raw)
    stage.claim_person(mask, "F02", "S4", person, unit, owned=True, cause="QUARANTINE")
    stage.weigh(mask, unit, in_post=1)
    if shape == "amount":
        two_numbers_at(stage, unit, mask, cause="QUARANTINE")


def blank_in_roster(stage: Stage, turn: int) -> None:
    """D02 blank, and F01 BLANK_ID of the person it probably is; the blank row counts as one person."""
    unit = _take(stage, "blank roster id")
    if unit is None:
        return
    mask, person = stage.next_mask("blank roster"), stage.registry.person()
    stage.post(stage.always & ~mask, person, unit)
    stage.post(mask, Person("", person.name), unit)
    stage.pay(stage.always, person, unit)
    stage.claim_person(mask, "F01", "S4", person, unit, cause="BLANK_ID")
    _claim_blank(stage, mask, "roster", unit)
    stage.weigh(mask, unit, in_post=1, paid=1)


def blank_in_payroll(stage: Stage, turn: int) -> None:
    """D02 blank, and F02 BLANK_ID."""
    unit = _take(stage, "blank payroll id")
    if unit is None:
        return
    mask, person = stage.next_mask("blank payroll"), stage.registry.person()
    stage.post(stage.always, person, unit)
    stage.pay(stage.always & ~mask, person, unit)
    stage.pay(mask, Person("", person.name), unit)
    stage.claim_person(mask, "F02", "S4", person, unit, owned=True, cause="BLANK_ID")
    _claim_blank(stage, mask, "payroll", unit)
    stage.weigh(mask, unit, in_post=1, paid=1)


def _claim_blank(stage: Stage, mask: int, book: str, unit: Unit) -> None:
    grain = {"person_key": None, "book": book, "unit_code": unit.code}
    stage.claim(mask, "D02", grain, "S4", unit, found="BLANK")


def one_document_twice(stage: Stage, turn: int) -> None:
    """No finding, but nothing judges the cell: one document states two quotas for it in one copy."""
    unit = _take(stage, "quota document twice")
    if unit is None:
        return
    cell = next(cell for cell in unit.heads if cell[0] == "SUPPORT")
    stage.doc_twice[unit.code, cell] = stage.next_mask("document twice")


def damaged_unit(stage: Stage, turn: int) -> None:
    """Q06 QUARANTINE: the unit's own row is shut out, by an unknown word, by a second version, or by a second folder."""
    shape = ("word", "versions", "two divisions")[turn % 3]
    unit = stage.take(f"damaged unit, {shape}", lambda u: u.trade in ("school", "service", "townwork", "self"))
    if unit is None:
        return
    mask = stage.next_mask(f"unit {shape}")
    if shape == "word":
        stage.unit_set[unit.code].append((mask, {"_bad": "level", "_raw": {"level": "不详"}}))
    else:
        stage.unit_set[unit.code].append((mask, {"_bad": "unit_code"}))
        second = {"_bad": "unit_code", "approval_doc": "云编〔2011〕1号"}
        if shape == "two divisions":
            second["delivered_by"] = second["division_code"] = next(
                folder for folder in stage.atlas.folders if folder not in (unit.folder, STREET, CITY)
            )
        stage.second_unit_row[unit.code].append((mask, second))
    stage.claim(mask, "Q06", {"unit_code": unit.code}, "S4", unit, cause="QUARANTINE", found="NOT_REGISTERED")


def zeros_lost(stage: Stage, turn: int) -> None:
    """No finding: a pension row whose unit code lost its leading zeros is shut out."""
    unit = stage.take("code without zeros", lambda u: u.code.startswith("00") and not u.cashier)
    if unit is None:
        return
    mask = stage.next_mask("zeros")
    stage.pay(
        mask, stage.registry.person(), unit, person_state="RETIRED", on_establishment="NO", _bad="paying_unit_code",
        _raw={"paying_unit_code": unit.code.lstrip("0")},
    )  # fmt: skip


def small_books(stage: Stage, turn: int) -> None:
    """No finding: unreadable rows of books on which nothing here rests."""
    unit = _take(stage, "small books")
    if unit is None:
        return
    mask = stage.next_mask("small books")
    stage.add(
        "headcount",
        mask,
        **headcount_row(unit, "IN_POST", None, scope="YEAR_END_ALL"),
        _bad="count",
        _raw={"count": "约三十"},
    )
    post_type, fund_form = unit.first_cell
    stage.add(
        "permits", mask, permit_no=f"云编用〔2025〕9{turn:03d}号", unit_code=unit.code, post_type=post_type,
        fund_form=fund_form, posts=1, approved_on=None, valid_until=date(2026, 12, 31), delivered_by=unit.folder,
        _bad="approved_on", _raw={"approved_on": "已批"},
    )  # fmt: skip
    lead = {
        "kind": "DEATH",
        "person_key": stage.registry.number(),
        "date": None,
        "source": "民政",
        "delivered_by": CITY,
    }
    stage.add("leads", mask, **lead, _bad="kind", _raw={"kind": "不明"})


DAMAGE: tuple[tuple[Callable[[Stage, int], None], int], ...] = (
    (damaged_in_roster, 5), (damaged_in_payroll, 3), (blank_in_roster, 1), (blank_in_payroll, 1),
    (one_document_twice, 1), (damaged_unit, 3), (zeros_lost, 1), (small_books, 1),
)  # fmt: skip


def plant_damage(stage: Stage, rounds: int) -> None:
    """Plant every kind of damage, several of each."""
    for damage, kinds in DAMAGE:
        for turn in range(rounds * kinds):
            damage(stage, turn)
