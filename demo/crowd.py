"""The people of the city and how they come, move and go, all of it lawful: on its own this gives no finding."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from demo.atlas import STREET, Cell, Unit
from demo.histories import CONTROL, ENTRY_FORM
from demo.names import Person
from demo.stage import Stage

RANKS = {
    "ADMIN": "一级科员",
    "POLITICAL_LEGAL": "一级警员",
    "CIVIL_SERVICE_REF": "二级主任科员",
    "INSTITUTION": "专业技术十级",
}


# What the heads of a unit may hold: as high as the unit itself, in either of two words for it. Level → tier → words.
COUNTY_RANKS = {"CHIEF": ("正科级", "乡科级正职"), "DEPUTY": ("副科级", "乡科级副职"), "INNER_CHIEF": ("正股级",)}
TIER_RANKS = {
    "CITY": {"CHIEF": ("正处级", "县处级正职"), "DEPUTY": ("副处级", "县处级副职"), "INNER_CHIEF": ("正科级",)},
    "COUNTY": COUNTY_RANKS,
    "TOWNSHIP": COUNTY_RANKS,
}
ELDER_SHARE = 0.006


def populate(stage: Stage) -> None:
    """Base people of every unit, their pay, and what happens to some of them between the nights.

    Every other unit of a trade has been frozen since before the gate opened: nobody comes or goes there.
    """
    seen: dict[str, int] = defaultdict(int)
    for unit in stage.atlas.units:
        seen[unit.trade] += 1
        if seen[unit.trade] % 2 == 0:
            stage.frozen.add(unit.code)
    for unit in stage.atlas.units:
        for cell, number in unit.heads.items():
            stage.slack[unit.code, cell] = 1 + number // 12 + stage.random.randrange(3)
            _fill(stage, unit, cell, number)
    _pensioners_and_helpers(stage)
    _yearly_rows(stage)


def _fill(stage: Stage, unit: Unit, cell: Cell, number: int) -> None:
    tiers = _tiers(cell, number, first=cell == unit.first_cell)
    for tier in tiers:
        stage.leaders[unit.code][tier] += 1
    for n in range(number):
        draw = stage.random.random()
        if n < len(tiers) or number < 4 or draw > 0.03 or unit.code in stage.frozen:
            _settled(stage, unit, cell, tiers[n] if n < len(tiers) else None)
        elif draw < 0.012:
            _leaves(stage, unit, cell)
        elif draw < 0.024:
            _enters(stage, unit, cell)
        else:
            _moves(stage, unit, cell)


def _tiers(cell: Cell, number: int, first: bool) -> list[str]:
    if not first or cell[0] == CONTROL:
        return []
    tiers = ["CHIEF"] if number >= 2 else []
    tiers += ["DEPUTY"] * min(3, number // 5)
    return tiers + ["INNER_CHIEF"] * (number // 12) + ["INNER_DEPUTY"] * (number // 20)


def _facts(stage: Stage, unit: Unit, person: Person, cell: Cell, tier: str | None = None) -> dict:
    age = stage.nights[0].year - int(person.number[6:10])
    latest = 2 if unit.code in stage.frozen else 1
    years = stage.random.randrange(latest, max(latest + 1, min(15, age - 17)))
    entry = date(
        stage.nights[0].year - years, stage.random.choice((3, 7, 8, 9)), stage.random.choice((1, 1, 3, 15, 28))
    )
    facts: dict = {"entry_date": entry, "rank": RANKS.get(cell[0]), "entry_form": ENTRY_FORM.get(cell[0], "EXAM")}
    if tier:
        facts["leader_tier"] = tier
        words = TIER_RANKS[unit.level].get(tier)
        if words:
            facts["rank"] = words[stage.random.randrange(len(words))]
    return facts


def _is_paid(unit: Unit, cell: Cell) -> bool:
    """Units that earn their own money: every other one pays by itself and is in no payroll."""
    return cell[1] != "SELF" or sum(map(ord, unit.code)) % 2 == 0


def _wage(stage: Stage, mask: int, person, unit: Unit, cell: Cell) -> None:
    if mask and _is_paid(unit, cell):
        stage.pay(mask, person, unit, cell[1])


def _settled(stage: Stage, unit: Unit, cell: Cell, tier: str | None) -> None:
    """In post all along; some are within a year of their retirement, none past it."""
    if tier is None and stage.random.random() < ELDER_SHARE:
        person = stage.registry.elder(cell[0], stage.random.randrange(12))
    else:
        person = stage.registry.person()
    facts = _facts(stage, unit, person, cell, tier)
    if tier is None and stage.random.random() < 0.01:
        facts["status"] = "ON_LEAVE"
    stage.post(stage.always, person, unit, cell, **facts)
    _wage(stage, stage.always, person, unit, cell)


def _leaves(stage: Stage, unit: Unit, cell: Cell) -> None:
    """Gone from the first of a night's month, and unpaid from that month on. The first night knows them as gone before."""
    person = stage.registry.person()
    facts = _facts(stage, unit, person, cell)
    k = stage.random.randrange(len(stage.nights))
    gone = {"status": stage.random.choice(("LEFT", "RETIRED")), "exit_reason": "退休或调出"}
    if stage.before_night(k):
        stage.post(stage.before_night(k), person, unit, cell, **facts)
    stage.post(stage.from_night(k), person, unit, cell, **facts, **gone, exit_date=stage.firsts[k])
    _wage(stage, stage.before_night(k), person, unit, cell)


def _enters(stage: Stage, unit: Unit, cell: Cell) -> None:
    """Enters within a night's month, and is paid for that month."""
    person = stage.registry.person()
    facts = _facts(stage, unit, person, cell)
    k = stage.random.randrange(len(stage.nights))
    facts["entry_date"] = stage.firsts[k] + timedelta(days=stage.random.randrange(stage.nights[k].day))
    stage.post(stage.from_night(k), person, unit, cell, **facts)
    _wage(stage, stage.from_night(k), person, unit, cell)


def _moves(stage: Stage, unit: Unit, cell: Cell) -> None:
    """Moves on the first of a month to the same cell of another unit of the folder, pay and all."""
    alike = stage.alike[unit.folder, unit.level, cell][:50]
    others = [other for other in alike if other is not unit and other.code not in stage.frozen]
    if not others or len(stage.nights) < 2:
        _settled(stage, unit, cell, None)
        return
    target = stage.random.choice(others)
    person = stage.registry.person()
    facts = _facts(stage, unit, person, cell)
    k = stage.random.randrange(1, len(stage.nights))
    stage.post(stage.before_night(k), person, unit, cell, **facts)
    left = {"status": "LEFT", "exit_date": stage.firsts[k], "exit_reason": "调动"}
    stage.post(stage.from_night(k), person, unit, cell, **facts, **left)
    joined = facts | {"entry_date": stage.firsts[k], "entry_form": "TRANSFER", "from_unit": unit.code}
    stage.post(stage.from_night(k), person, target, cell, **joined, from_level=unit.level, from_fund_form=cell[1])
    _wage(stage, stage.before_night(k), person, unit, cell)
    _wage(stage, stage.from_night(k), person, target, cell)


def _pensioners_and_helpers(stage: Stage) -> None:
    """People the payroll knows and no post holds: the retired, and helpers off quota. Neither is in P."""
    for unit in stage.atlas.units:
        for n in range(sum(unit.heads.values()) // 15):
            person = stage.registry.person()
            if n % 2:
                stage.pay(stage.always, person, unit, person_state="RETIRED", on_establishment="NO")
            else:
                stage.pay(stage.always, person, unit, person_state="TEMPORARY", on_establishment="NO")
                stage.post(stage.always, person, unit, status="OFF_QUOTA", entry_date=date(2021, 3, 1))


def _yearly_rows(stage: Stage) -> None:
    """An old permit and a year-end figure of every folder: no book comes one night and stays away the next by chance."""
    seen: set[str] = set()
    for unit in stage.atlas.units:
        if unit.folder in seen:
            continue
        seen.add(unit.folder)
        year = stage.nights[0].year - 2
        post_type, fund_form = unit.first_cell
        stage.add(
            "permits", stage.always, permit_no=f"云编用〔{year}〕{len(seen)}号", unit_code=unit.code, post_type=post_type,
            fund_form=fund_form, posts=1, approved_on=date(year, 3, 1), valid_until=date(year, 12, 31), purpose="补员",
            source_of_people=ENTRY_FORM.get(post_type, "EXAM"), delivered_by=unit.folder,
        )  # fmt: skip
        if unit.folder == STREET:
            continue
        stage.add(
            "headcount", stage.always, unit_code=unit.code, measure="IN_POST", scope="YEAR_END_ALL", source="上年年报",
            count=sum(unit.heads.values()) + 11, delivered_by=unit.folder,
        )  # fmt: skip
