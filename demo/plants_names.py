"""Planted people who are not what they seem: another name, another rank, an age past retirement, a life elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from core.identity import mask_name
from demo.atlas import CITY, Unit
from demo.names import Person
from demo.plants_gate import shared_at
from demo.stage import Stage

# D03 shows the first character as it was delivered: these rows are written in no odd spelling.
PLAIN = {"_even": True}
ELSEWHERE = ("OTHER_EMPLOYER", "BUSINESS", "PRISON", "ABROAD")


def lead(stage: Stage, person: Person, kind: str, day) -> None:
    row = {"kind": kind, "person_key": person.number, "date": day, "source": "数据共享平台"}
    stage.add("leads", stage.always, **row, delivered_by=CITY)


def lawful_leads(stage: Stage) -> None:
    """Leads that fire nothing: without a date, after the nights, of a month that is still M, of people nobody pays."""
    unit = stage.atlas.units[0]
    for kind, day in (
        ("PRISON", None),
        ("BUSINESS", stage.nights[-1] + timedelta(days=1)),
        ("RETIREMENT", stage.firsts[-1]),
    ):
        person = stage.registry.person()
        stage.post(stage.always, person, unit)
        stage.pay(stage.always, person, unit)
        lead(stage, person, kind, day)
    for kind in (*ELSEWHERE, "DEATH"):
        lead(stage, stage.registry.person(), kind, stage.firsts[0] - timedelta(days=200))


def works_elsewhere(stage: Stage, turn: int) -> None:
    """F06: in pay here and elsewhere; of two kinds on odd turns; beside it one whom F03 names already."""
    unit, mask = stage.shared(safe=True), stage.next_mask("F06")
    person, gone = stage.registry.person(), stage.registry.person()
    kinds = sorted({ELSEWHERE[turn % 4], *(["RETIREMENT"] if turn % 2 else [])})
    for kind in kinds:
        lead(stage, person, kind, stage.firsts[0] - timedelta(days=1 + turn))
    stage.post(mask, person, unit)
    stage.pay(mask, person, unit)
    stage.claim_person(mask, "F06", "S1", person, unit, expected="-", found=";".join(kinds))
    lead(stage, gone, kinds[0], stage.firsts[0] - timedelta(days=30))
    stage.post(stage.always, gone, unit, status="LEFT", exit_date=stage.firsts[0] - timedelta(days=90))
    stage.pay(mask, gone, unit)
    stage.claim_person(mask, "F03", "S1", gone, unit, cause="EXITED")
    stage.weigh(mask, unit, paid=1)


def becomes_known(stage: Stage, turn: int) -> None:
    """F06 from the night on which the day of the lead has come."""
    unit, person, k = stage.shared(safe=True), stage.registry.person(), turn % len(stage.nights)
    lead(stage, person, ELSEWHERE[turn % 4], stage.nights[k])
    stage.post(stage.always, person, unit)
    stage.pay(stage.always, person, unit)
    stage.claim_person(stage.from_night(k), "F06", "S1", person, unit, found=ELSEWHERE[turn % 4])


def two_names(stage: Stage, turn: int) -> None:
    """D03: the payroll knows the number under another name, or the roster of a unit left long ago does."""
    unit, other, mask = stage.shared(safe=True), stage.shared(safe=True), stage.next_mask("two names")
    person = stage.registry.person()
    alias = Person(person.number, f"{person.name}{stage.registry.person().name[:1]}")
    stage.post(stage.always, person, unit, **PLAIN)
    first, second = mask_name(person.name), mask_name(alias.name)
    if turn % 2 == 0 or other is unit:
        stage.pay(stage.always & ~mask, person, unit)
        stage.pay(mask, alias, unit, **PLAIN)
    else:
        stage.pay(stage.always, person, unit, **PLAIN)
        stage.post(mask, alias, other, status="LEFT", exit_date=date(2016, 5, 1), exit_reason="调动", **PLAIN)
        unit = min(unit, other, key=lambda u: u.code)
        first, second = sorted((first, second))
    stage.claim_person(mask, "D03", "S3", person, unit, expected=first, found=second)


def two_numbers(stage: Stage, turn: int) -> None:
    """D03 as a suggestion: somebody unpaid and somebody in no roster bear one name and birth date, and two valid numbers."""
    two_numbers_at(stage, stage.shared(safe=True), stage.next_mask("two numbers"))


def two_numbers_at(stage: Stage, unit: Unit, mask: int, cause: str | None = None) -> None:
    """cause: what softens every finding that rests on absence from this unit's payroll."""
    person = stage.registry.person()
    twin = stage.registry.twin(person)
    stage.post(stage.always, person, unit, **PLAIN)
    stage.pay(stage.always & ~mask, person, unit)
    stage.pay(mask, twin, unit, **PLAIN)
    stage.claim_person(mask, "F01", "S1", twin, unit)
    stage.claim_person(mask, "F02", "S4" if cause else "S3", person, unit, owned=True, cause=cause)
    claim_pair(stage, mask, unit, person, twin, cause)
    stage.weigh(mask, unit, in_post=1, paid=1)


def claim_pair(stage: Stage, mask: int, unit: Unit, here: Person, there: Person, cause: str | None = None) -> None:
    """D03 S4 of one in post and one in pay."""
    grain: dict[str, str | None] = {"person_key": ";".join(sorted((here.number, there.number)))}
    stated = {"expected": mask_name(here.name), "found": mask_name(there.name), "cause": cause}
    stage.claim(mask, "D03", grain, "S4", unit, **stated)


def namesakes(stage: Stage, turn: int) -> None:
    """No finding: one name and birth date, both in post and both paid."""
    unit, person = stage.shared(), stage.registry.person()
    for each in (person, stage.registry.twin(person)):
        stage.post(stage.always, each, unit)
        stage.pay(stage.always, each, unit)


def ranked_above(stage: Stage, turn: int) -> None:
    """Q05: a rank above the unit's; beside it the unit's own in other words, and a grade that is no rank of a unit."""
    unit, mask = shared_at(stage, *(("CITY",) if turn % 2 else ("COUNTY", "TOWNSHIP"))), stage.next_mask("Q05")
    own, same, above = (
        ("正处级", "县处级正职", "副厅级") if unit.level == "CITY" else ("正科级", "乡科级正职", "副处级")
    )
    for rank, nights in ((same, stage.always), ("一级巡视员", stage.always), (above, mask)):
        person = stage.registry.person()
        stage.post(nights, person, unit, rank=rank)
        stage.pay(nights, person, unit)
    stage.claim_person(mask, "Q05", "S2", person, unit, owned=True, expected=own, found=above)


def past_their_age(stage: Stage, turn: int) -> None:
    """D04: men, women and women workers months past theirs; beside it one retired in time, and one whose day is the last night."""
    unit, mask = _with_support(stage), stage.next_mask("D04")
    sex, post_type = (("M", unit.first_cell[0]), ("F", unit.first_cell[0]), ("F", "SUPPORT"))[turn % 3]
    cell = next(cell for cell in unit.heads if cell[0] == post_type)
    months = -len(stage.nights) - 2 - turn % 7
    person = stage.registry.elder(post_type, months, sex)
    stage.post(mask, person, unit, cell)
    stage.pay(mask, person, unit, cell[1])
    for k in stage.in_mask(mask):
        age, statutory = stage.registry.past(person.number, post_type, None, stage.nights[k])
        stage.claim_person(1 << k, "D04", "S4", person, unit, owned=True, expected=statutory, found=age)
    retired, today = stage.registry.elder(post_type, months, sex), stage.registry.elder(post_type, 0, sex)
    left = stage.firsts[0] - timedelta(days=40)
    stage.post(stage.always, retired, unit, cell, status="RETIRED", exit_date=left, exit_reason="退休")
    stage.pay(stage.always, retired, unit, cell[1], person_state="RETIRED", on_establishment="NO")
    stage.post(stage.always, today, unit, cell)
    stage.pay(stage.always, today, unit, cell[1])


def _with_support(stage: Stage) -> Unit:
    return next(unit for unit in iter(stage.shared, None) if any(cell[0] == "SUPPORT" for cell in unit.heads))


def retires_as_a_man(stage: Stage, turn: int) -> None:
    """No finding: a woman past the women's age whose rank lets her stay as long as a man."""
    unit = shared_at(stage, "CITY")
    person = stage.registry.elder(unit.first_cell[0], -len(stage.nights) - 2, "F")
    stage.post(stage.always, person, unit, rank="副处级")
    stage.pay(stage.always, person, unit)


STORIES: tuple[tuple[Callable[[Stage, int], None], int], ...] = (
    (works_elsewhere, 4), (becomes_known, 1), (two_names, 2), (two_numbers, 2), (namesakes, 1), (ranked_above, 2),
    (past_their_age, 3), (retires_as_a_man, 1),
)  # fmt: skip


def plant_names(stage: Stage, rounds: int) -> None:
    """Plant every kind of story, several of each."""
    for story, kinds in STORIES:
        for turn in range(rounds * kinds):
            story(stage, turn)
