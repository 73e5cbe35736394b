"""Planted entries and exits: what the gate must never let pass unseen, each beside somebody who did the same lawfully."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from demo.atlas import Cell, Unit
from demo.names import Person
from demo.stage import Stage

FORMS = "EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT"
ENTRY_DAYS, EXIT_DAYS = 30, 15


def entered(stage: Stage) -> date:
    """A working week well before the first night: more than 30 working days lie between."""
    return stage.firsts[0] - timedelta(days=75)


def enter(stage: Stage, mask: int, unit: Unit, day: date, cell: Cell | None = None, **row) -> Person:
    """Somebody new who entered that day and is paid; lawful in all that is not stated."""
    person = stage.registry.person()
    stage.post(mask, person, unit, cell, entry_date=day, **row)
    stage.pay(mask, person, unit, (cell or unit.first_cell)[1])
    return person


def claim_entry(
    stage: Stage, mask: int, rule: str, severity: str, person: Person, unit: Unit, day: date, name: str = "entry_date", **more
) -> None:  # fmt: skip
    grain: dict[str, str | None] = {"person_key": person.number, "unit_code": unit.code, name: day.isoformat()}
    stage.claim(mask, rule, grain, severity, unit, **more)


def shared_at(stage: Stage, *levels: str) -> Unit:
    """The next shared unit of one of these levels."""
    return next(unit for unit in iter(stage.shared, None) if unit.level in levels)


def _text(permit: dict) -> str:
    return " ".join([permit["unit_code"], permit["post_type"], permit["fund_form"], permit["approved_on"].isoformat()])


def without_permit(stage: Stage, turn: int) -> None:
    """P01 by each of its causes; the permit cited is used by nobody else."""
    shape = ("none", "unknown", "unit", "type", "form", "later")[turn % 6]
    unit, other, mask, day = stage.shared(), stage.shared(), stage.next_mask(f"P01 {shape}"), entered(stage)
    cell = unit.first_cell
    if shape in ("none", "unknown"):
        number = None if shape == "none" else f"云编用〔{day.year - 9}〕{turn}号"
        stated = {"expected": "-", "found": number or "-", "cause": "NO_PERMIT" if number is None else "UNKNOWN_PERMIT"}
    else:
        more = {
            "unit": {"unit_code": f"{other.code}" if other is not unit else "990100-X"},
            "type": {"post_type": "SUPPORT"},
            "form": {"fund_form": "SELF"},
            "later": {"approved_on": day + timedelta(days=1)},
        }[shape]
        permit = stage.histories.plant_permit(unit, cell, day, **more)
        number = permit["permit_no"]
        cause = "APPROVED_LATER" if shape == "later" else "OTHER_CELL"
        stated = {"expected": _text(permit), "found": number, "cause": cause}
    person = enter(stage, mask, unit, day, permit_no=number)
    claim_entry(stage, mask, "P01", "S2", person, unit, day, **stated)


def permitted_that_day(stage: Stage, turn: int) -> None:
    """No finding: approved on the very day; and one number on two rows, of which one fits."""
    unit, other, day = stage.shared(), stage.shared(), entered(stage)
    permit = stage.histories.plant_permit(unit, unit.first_cell, day, approved_on=day)
    if turn % 2 and other is not unit:
        again = {"permit_no": permit["permit_no"], "posts": 0}
        stage.histories.plant_permit(other, other.first_cell, day, **again)
    enter(stage, stage.always, unit, day, permit_no=permit["permit_no"])


def permit_overused(stage: Stage, turn: int) -> None:
    """P03 OVERUSED: two entries on a permit of one post, the second in another unit on the odd turns (P01 there)."""
    unit, other, mask, day = stage.shared(), stage.shared(), stage.next_mask("P03 overused"), entered(stage)
    permit = stage.histories.plant_permit(unit, unit.first_cell, day)
    enter(stage, stage.always, unit, day, permit_no=permit["permit_no"])
    place = other if turn % 2 else unit
    second = enter(stage, mask, place, day, permit_no=permit["permit_no"])
    if place is not unit:
        stated = {"cause": "OTHER_CELL", "expected": _text(permit), "found": permit["permit_no"]}
        claim_entry(stage, mask, "P01", "S2", second, place, day, **stated)
    grain = {"permit_no": permit["permit_no"]}
    stage.claim(mask, "P03", grain, "S3", unit, cause="OVERUSED", expected=1, found=2)


def permit_expired(stage: Stage, turn: int) -> None:
    """P03 EXPIRED by a day; beside it an entry on the last good day, and two on a permit of two rows."""
    unit, mask, day = stage.shared(), stage.next_mask("P03 expired"), entered(stage)
    histories, cell = stage.histories, unit.first_cell
    early = {"approved_on": day - timedelta(days=90)}
    permit = histories.plant_permit(unit, cell, day, valid_until=day - timedelta(days=1), **early)
    enter(stage, mask, unit, day, permit_no=permit["permit_no"])
    stage.claim(mask, "P03", {"permit_no": permit["permit_no"]}, "S3", unit, cause="EXPIRED", expected=1, found=1)
    good = histories.plant_permit(unit, cell, day, valid_until=day, **early)
    enter(stage, stage.always, unit, day, permit_no=good["permit_no"])
    histories.plant_permit(unit, cell, day, permit_no=good["permit_no"], valid_until=day - timedelta(days=9), **early)
    enter(stage, stage.always, unit, day, permit_no=good["permit_no"])


def registered_late(stage: Stage, turn: int) -> None:
    """P04: on the 31st working day, or not at all; beside it the 30th, and one not registered in time to be late."""
    unit, mask, day = stage.shared(), stage.next_mask("P04"), entered(stage)
    histories = stage.histories
    last_good = histories.day_after(day, ENTRY_DAYS)
    enter(stage, stage.always, unit, day, entry_registered=last_good)
    enter(stage, 1 << len(stage.nights) - 1, unit, stage.nights[-1] - timedelta(days=28), entry_registered=None)
    registered = histories.day_after(day, ENTRY_DAYS + 1) if turn % 2 == 0 else None
    person = enter(stage, mask, unit, day, entry_registered=registered)
    for k in stage.in_mask(mask):
        found = histories.working_days(day, registered or stage.nights[k])
        claim_entry(stage, 1 << k, "P04", "S3", person, unit, day, expected=ENTRY_DAYS, found=found)


def left_long_ago(stage: Stage, mask: int, unit: Unit, day: date, **row) -> Person:
    """Somebody who left that day and is paid no more."""
    person = stage.registry.person()
    stage.post(mask, person, unit, status="LEFT", exit_date=day, exit_reason="辞职", **row)
    return person


def left_unregistered(stage: Stage, turn: int) -> None:
    """P05: on the 16th working day, or not at all; S1 where the unit still pays; beside it the 15th."""
    unit, mask, day = stage.shared(safe=True), stage.next_mask("P05"), entered(stage)
    histories = stage.histories
    left_long_ago(stage, stage.always, unit, day, exit_registered=histories.day_after(day, EXIT_DAYS))
    registered = histories.day_after(day, EXIT_DAYS + 1) if turn % 3 == 0 else None
    person = left_long_ago(stage, mask, unit, day, exit_registered=registered)
    paid = turn % 3 == 2
    if paid:
        stage.pay(mask, person, unit)
        stage.claim_person(mask, "F03", "S1", person, unit, cause="EXITED")
        stage.weigh(mask, unit, paid=1)
    claim_exit(stage, mask, unit, person, day, "S1" if paid else "S3", registered)


def claim_exit(
    stage: Stage, mask: int, unit: Unit, person: Person, day: date, severity: str, registered: date | None = None, **more
) -> None:  # fmt: skip
    """P05 of an exit registered late or not at all: the days grow with every night."""
    for k in stage.in_mask(mask):
        found = stage.histories.working_days(day, registered or stage.nights[k])
        stated = {"expected": EXIT_DAYS, "found": found} | more
        claim_entry(stage, 1 << k, "P05", severity, person, unit, day, "exit_date", **stated)


def not_examined(stage: Stage, turn: int) -> None:
    """P06: OTHER, blank, PLACEMENT and APPOINT without a permit that says so; beside it a PLACEMENT with one."""
    form = ("OTHER", None, "PLACEMENT", "APPOINT")[turn % 4]
    unit, mask, day = stage.shared(), stage.next_mask(f"P06 {form}"), entered(stage)
    permit = stage.histories.plant_permit(unit, unit.first_cell, day, source_of_people="EXAM" if turn % 8 < 4 else None)
    person = enter(stage, mask, unit, day, entry_form=form, permit_no=permit["permit_no"])
    claim_entry(stage, mask, "P06", "S3", person, unit, day, expected=FORMS, found=form or "-")
    enter(stage, stage.always, unit, day, entry_form=form if form in ("PLACEMENT", "APPOINT") else "RECRUIT")
    support = next((cell for cell in unit.heads if cell[0] == "SUPPORT"), None)
    if support:
        enter(stage, stage.always, unit, day, support, entry_form="OTHER")


def upwards(stage: Stage, turn: int) -> None:
    """P07 by level, by fund form, by both, and as units and the roster there say; beside it a waiver, and the way down."""
    shape = ("level", "form", "both", "looked up")[turn % 4]
    unit, mask, day = shared_at(stage, "CITY", "COUNTY"), stage.next_mask(f"P07 {shape}"), entered(stage)
    below = shared_at(stage, "TOWNSHIP")
    stated = {
        "level": {"from_level": "TOWNSHIP", "from_fund_form": "FULL"},
        "form": {"from_level": unit.level, "from_fund_form": "SELF"},
        "both": {"from_level": "TOWNSHIP", "from_fund_form": "PART"},
        "looked up": {"from_unit": below.code},
    }[shape]
    rises = [] if shape == "form" else [f"TOWNSHIP→{unit.level}"]
    rises += [f"{stated['from_fund_form']}→FULL"] if shape in ("form", "both") else []
    person = enter(stage, mask, unit, day, entry_form="TRANSFER", **stated)
    if shape == "looked up":
        stage.post(mask, person, below, status="LEFT", exit_date=day, exit_reason="调动")
    claim_entry(stage, mask, "P07", "S3", person, unit, day, expected="-", found=";".join(rises))
    enter(
        stage, stage.always, unit, day, entry_form="TRANSFER", waiver_no=f"云编函〔{day.year}〕{turn + 1}号", **stated
    )
    down = {"entry_form": "TRANSFER", "from_level": "PROVINCE", "from_fund_form": "FULL"}
    enter(stage, stage.always, below, day, **down)


STORIES: tuple[tuple[Callable[[Stage, int], None], int], ...] = (
    (without_permit, 6), (permitted_that_day, 2), (permit_overused, 2), (permit_expired, 1), (registered_late, 2),
    (left_unregistered, 3), (not_examined, 4), (upwards, 4),
)  # fmt: skip


def plant_entries(stage: Stage, rounds: int) -> None:
    """Plant every kind of unlawful entry and exit, several of each."""
    for story, kinds in STORIES:
        for turn in range(rounds * kinds):
            story(stage, turn)
