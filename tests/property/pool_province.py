"""A province for the simulator: 31 divisions at four levels, 222 units, people with grants, opening balances, limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from sqlalchemy import Engine

from core.accounts import GrantSpec, Role, create_user, get_user
from core.db import reading, writing
from core.parameters import set_parameter
from core.permissions import Scope, scope_of
from core.units import UnitVersion
from pool.acting import Act
from pool.service_opening import open_balances, plant_tree, take_strength

NIGHT = date(2026, 10, 15)
START = datetime(2026, 10, 20, 2, 0, tzinfo=UTC)
ROOT = "PROVINCE:990000"
LEVELS = ("PROVINCE", "CITY", "COUNTY", "TOWNSHIP")
PURPOSES = ("HEALTH", "EDUCATION", "TALENT", "PLACEMENT")
FULL, PART = ("INSTITUTION", "FULL"), ("INSTITUTION", "PART")
ADMIN, SUPPORT = ("ADMIN", "FULL"), ("SUPPORT", "FULL")
PARTITIONS = (FULL, PART, ADMIN, SUPPORT)
UNITS_AT = {"PROVINCE": 6, "CITY": 8, "COUNTY": 12, "TOWNSHIP": 4}
SOON_DAYS, UNIT_CAP, TALENT_CAP = 15, 7, 2
TOP_DIRECTOR, TOP_REVIEWER, AUDITOR = "top-director", "top-reviewer", "top-auditor"


@dataclass(frozen=True)
class Office:
    """A division's node and the people of its office."""

    level: str
    code: str

    @property
    def node(self) -> str:
        return f"{self.level}:{self.code}"

    @property
    def head(self) -> str:
        return f"{self.level[0]}{self.code}-01"

    def login(self, role: str, number: int = 1) -> str:
        return f"{role}{number}-{self.level.lower()}-{self.code}"


@dataclass
class Map:
    """What stands where, as the founders wrote it: offices by node, and per unit its office and supervisor."""

    offices: dict[str, Office] = field(default_factory=dict)
    units: dict[str, Office] = field(default_factory=dict)
    supervised: dict[str, str] = field(default_factory=dict)
    supervisors: dict[str, Office] = field(default_factory=dict)


def draw_map() -> Map:
    """Three cities of three counties of two townships; in every county a department that supervises four units."""
    drawn = Map()
    codes = [("PROVINCE", "990000")]
    for city in range(1, 4):
        codes.append(("CITY", f"990{city}00"))
        for county in range(1, 4):
            codes.append(("COUNTY", f"990{city}0{county}"))
            codes += [("TOWNSHIP", f"990{city}0{county}00{town}") for town in (1, 2)]
    for level, code in codes:
        office = Office(level, code)
        drawn.offices[office.node] = office
        for number in range(1, UNITS_AT[level] + 1):
            drawn.units[f"{level[0]}{code}-{number:02d}"] = office
        if level == "COUNTY":
            department = f"D{code}"
            drawn.units[department], drawn.supervisors[department] = office, office
            drawn.supervised |= {f"C{code}-{number:02d}": department for number in range(1, 5)}
    return drawn


def accounts(drawn: Map) -> list[tuple[str, list[GrantSpec]]]:
    """Logins with their grants: per office two officers, reviewers and directors, and one who holds all three roles."""
    found = []
    for office in drawn.offices.values():
        # Every unit of an office stands under its first: one grant reaches them all.
        officer = GrantSpec(Role.UNIT_OFFICER, unit_code=office.head)
        area = (office.code, office.level)
        for number in (1, 2):
            found.append((office.login("officer", number), [officer]))
            found.append((office.login("reviewer", number), [GrantSpec(Role.REVIEWER, *area)]))
            found.append((office.login("director", number), [GrantSpec(Role.DIRECTOR, *area)]))
        rest = [GrantSpec(role, *area) for role in (Role.REVIEWER, Role.DIRECTOR)]
        found.append((office.login("all"), [officer, *rest]))
    for unit, office in drawn.supervisors.items():
        found.append((office.login("supervisor"), [GrantSpec(Role.SUPERVISOR, unit_code=unit)]))
    found.append((TOP_DIRECTOR, [GrantSpec(Role.DIRECTOR, "990000", level) for level in LEVELS]))
    found.append((TOP_REVIEWER, [GrantSpec(Role.REVIEWER, "990000", level) for level in LEVELS]))
    found.append((AUDITOR, [GrantSpec(Role.AUDITOR, "990000")]))
    return found


Opening = list[tuple[str, str, str, int, int]]


def opening_rows(drawn: Map, dice: Random) -> Opening:
    """(unit, type, form, quota, in post) per cell: most full, some with vacancies, some over quota."""
    rows = []
    for code, office in drawn.units.items():
        cells = [FULL]
        if dice.random() < 0.2:
            cells.append(PART)
        if code.startswith("D") or dice.random() < 0.1:
            cells.append(ADMIN)
        if dice.random() < 0.1:
            cells.append(SUPPORT)
        for cell in cells:
            quota = dice.randint(3, 15 if office.level != "TOWNSHIP" else 6)
            rows.append((code, *cell, quota, max(0, quota + dice.choice([0] * 20 + [-1, -1, -2, -3, -4, 1]))))
    return rows


def retiring_rows(drawn: Map, dice: Random) -> list[tuple[str, str, str, str, int]]:
    """(unit, type, form, month, people) of coming retirements, for a third of the units."""
    months = [f"{2026 + (9 + ahead) // 12}-{(9 + ahead) % 12 + 1:02d}" for ahead in range(0, 360, 7)]
    return [
        (code, *FULL, month, 1) for code in drawn.units if dice.random() < 0.3 for month in months
    ]  # fmt: skip


@dataclass
class Province:
    """The engine, the clock, the map, and acts by login."""

    engine: Engine
    drawn: Map
    now: datetime = START
    scopes: dict[str, Scope] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.date()

    def act(self, login: str, key: str, acting_for: str | None = None) -> Act:
        for name in filter(None, (login, acting_for)):
            if name not in self.scopes:
                with reading(self.engine) as session:
                    self.scopes[name] = scope_of(session, get_user(session, name))
        return Act(self.scopes[login], self.now, key, self.scopes[acting_for] if acting_for else None)

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


@dataclass(frozen=True)
class Founding:
    """What the province began with, for the model to begin with the same."""

    opening: Opening
    retiring: list[tuple[str, str, str, str, int]]
    totals: dict[tuple[str, str], int]


def found_province(engine: Engine, seed: int) -> tuple[Province, Founding]:
    """Register, accounts, tree, parameters, opening balances, strength; the same for the same seed."""
    dice, drawn = Random(seed), draw_map()
    with writing(engine) as session:
        for code, office in drawn.units.items():
            session.add(UnitVersion(
                unit_code=code, unit_name=f"单位{code}", division_code=office.code, level=office.level,
                unit_kind="INSTITUTION", delivers="PERSONS", delivered_by=office.code, seen_on=NIGHT,
                supervising_code=drawn.supervised.get(code), parent_code=None if code == office.head else office.head,
            ))  # fmt: skip
        for login, grants in accounts(drawn):
            create_user(
                session, login=login, email=f"{login}@example.org", display_name=login, grants=grants, actor="test",
                now=START,
            )  # fmt: skip
        caps = {"pool_due_soon_days": str(SOON_DAYS), "pool_unit_cap": str(UNIT_CAP),
                "pool_purpose_caps": f'{{"TALENT": {TALENT_CAP}}}'}  # fmt: skip
        for name, value in caps.items():
            set_parameter(session, name, value, "*", NIGHT, actor="test", now=START)
    province = Province(engine, drawn)
    opening, retiring = opening_rows(drawn, dice), retiring_rows(drawn, dice)
    totals = {
        (code, "INSTITUTION"): sum(row[3] for row in opening if row[1] == "INSTITUTION" and row[0][1:].startswith(code))
        + 8
        for code in ("990101", "990202")
    }
    with writing(engine) as session:
        plant_tree(session, province.act(TOP_DIRECTOR, "plant"))
    with writing(engine) as session:
        open_balances(session, province.act(TOP_REVIEWER, "open"), opening, NIGHT)
    with writing(engine) as session:
        take_strength(session, NIGHT, [], retiring, [(*key, posts) for key, posts in totals.items()])
    return province, Founding(opening, retiring, totals)
