"""The divisions and units of 云泽市, a city that does not exist."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

CITY = "990100"
CITY_NAME = "云泽市"
COUNTIES = (
    ("990102", "东湖区"), ("990103", "西岭区"), ("990121", "南溪县"), ("990122", "北原县"), ("990123", "青崖县"),
    ("990124", "白沙县"), ("990125", "云谷县"),
)  # fmt: skip
# One division delivers counts and no persons.
COUNTED = ("990128", "远山县")
# One street office delivers its own folder, its pay comes with its district's payroll.
STREET, STREET_ABOVE, STREET_NAME = "990103001", "990103", "锦屏街道"

Cell = tuple[str, str]


@dataclass
class Unit:
    """One unit. `folder` delivers its books, `pay_folder` its pay; heads = people per (post type, fund form)."""

    code: str
    name: str
    kind: str
    level: str
    division: str
    folder: str
    pay_folder: str
    trade: str
    heads: dict[Cell, int]
    supervising: str | None = None
    parent: str | None = None
    cashier: str | None = None

    @property
    def first_cell(self) -> Cell:
        return next(iter(self.heads))


@dataclass(frozen=True)
class Trade:
    """A kind of unit: what it is called, what its people hold, how many there are of it in a folder of 20."""

    name: str
    label: str
    kind: str
    cells: tuple[tuple[str, str, int], ...]
    share: int = 1
    level: str | None = None
    places: tuple[str, ...] = ("CITY", "COUNTY")


FULL, PART, SELF = "FULL", "PART", "SELF"
TRADES = (
    Trade("office", "人民政府办公室", "ORGAN", (("ADMIN", FULL, 14), ("SUPPORT", FULL, 3))),
    Trade("school", "第{n}小学", "INSTITUTION", (("INSTITUTION", FULL, 42), ("SUPPORT", FULL, 2)), 5),
    Trade("hospital", "第{n}人民医院", "INSTITUTION", (("INSTITUTION", PART, 55), ("CONTROL_NUMBER", PART, 12)), 2),
    Trade("police", "公安局第{n}分局", "ORGAN", (("POLITICAL_LEGAL", FULL, 30), ("SUPPORT", FULL, 2)), 1),
    Trade("service", "公共服务中心{n}", "REF_UNIT", (("CIVIL_SERVICE_REF", FULL, 12), ("SUPPORT", FULL, 1)), 2),
    Trade("bureau", "第{n}局", "ORGAN", (("ADMIN", FULL, 16), ("SUPPORT", FULL, 2)), 3),
    Trade("mixed", "文化馆{n}", "INSTITUTION", (("INSTITUTION", FULL, 9), ("INSTITUTION", PART, 5)), 2),
    Trade("self", "勘测设计队{n}", "INSTITUTION", (("INSTITUTION", SELF, 8),), 1),
    Trade("town", "第{n}镇机关", "ORGAN", (("ADMIN", FULL, 18), ("SUPPORT", FULL, 2)), 2, "TOWNSHIP", ("COUNTY",)),
    Trade("townwork", "第{n}镇综合服务站", "INSTITUTION", (("INSTITUTION", FULL, 12),), 2, "TOWNSHIP", ("COUNTY",)),
    Trade("college", "云泽学院{n}", "INSTITUTION", (("INSTITUTION", PART, 70), ("CONTROL_NUMBER", FULL, 15)), 1, None, ("CITY",)),
)  # fmt: skip


@dataclass
class Atlas:
    """All units in the order of their folders, and the count-only county's figures."""

    folders: list[str]
    units: list[Unit]
    counted_units: list[Unit] = field(default_factory=list)

    @property
    def every_unit(self) -> list[Unit]:
        return [*self.units, *self.counted_units]


def build_atlas(people: int, seed: int) -> Atlas:
    """Divisions and units for about this many people: one unit for every 25, and never fewer than 100."""
    random = Random(f"{seed}|atlas")
    counties = COUNTIES[: 3 if people < 2_000 else 5 if people < 100_000 else 7]
    wanted = max(100, people // 25)
    per_folder = max(15, wanted // (len(counties) + 1))
    units = _folder_units(CITY, CITY_NAME, "CITY", per_folder, random)
    for code, name in counties:
        units += _folder_units(code, name, "COUNTY", per_folder, random)
    units += _street_units()
    _scale(units, people, random)
    folders = [CITY, *(code for code, _ in counties), STREET, COUNTED[0]]
    counted = _folder_units(*COUNTED, "COUNTY", max(8, per_folder // 4), random)
    _scale(counted, max(120, people // 20), random)
    return Atlas(folders, units, [unit for unit in counted if "CONTROL_NUMBER" not in {t for t, _ in unit.heads}])


def _folder_units(folder: str, place: str, level: str, count: int, random: Random) -> list[Unit]:
    trades = [trade for trade in TRADES if level in trade.places]
    # One of every trade first, so that small cities have all of them; then by share.
    chosen = trades[:count] + random.choices(trades, [trade.share for trade in trades], k=max(0, count - len(trades)))
    units: list[Unit] = []
    numbers: dict[str, int] = {}
    town = 0
    for n, trade in enumerate(chosen, start=1):
        numbers[trade.name] = numbers.get(trade.name, 0) + 1
        division = folder
        if trade.level == "TOWNSHIP":
            # Half the towns have a code of nine digits, the others carry their county's six.
            town += 1
            division = f"{folder}{100 + town:03d}" if town % 2 else folder
        # Codes of the city begin with zeros: they must survive as text.
        code = f"00{n:05d}" if folder == CITY else f"{folder}-{n:04d}"
        name = place + trade.label.format(n=numbers[trade.name])
        heads = {(post_type, fund_form): number for post_type, fund_form, number in trade.cells}
        units.append(Unit(code, name, trade.kind, trade.level or level, division, folder, folder, trade.name, heads))
    _relate(units)
    return units


def _relate(units: list[Unit]) -> None:
    """Who supervises whom, and who pays for whom."""
    office = units[0].code
    bureaus = [unit.code for unit in units if unit.trade == "bureau"] or [office]
    towns = [unit for unit in units if unit.trade == "town"]
    for n, unit in enumerate(units[1:]):
        unit.supervising = bureaus[n % len(bureaus)] if unit.kind != "ORGAN" else office
        if unit.trade == "townwork" and towns:
            unit.parent = unit.supervising = towns[n % len(towns)].code
        if unit.trade == "service":
            unit.cashier = office


def _street_units() -> list[Unit]:
    """The street office with its own folder: its code has nine digits."""
    made = []
    for n, trade in enumerate((t for t in TRADES if t.level == "TOWNSHIP"), start=1):
        heads = {(post_type, fund_form): number for post_type, fund_form, number in trade.cells}
        label = "办事处" if trade.kind == "ORGAN" else "社区服务中心"
        code = f"{STREET}-{n:02d}"
        made.append(
            Unit(code, STREET_NAME + label, trade.kind, "TOWNSHIP", STREET, STREET, STREET_ABOVE, trade.name, heads)
        )
    made[1].parent = made[0].code
    return made


def _scale(units: list[Unit], people: int, random: Random) -> None:
    """Sizes that add up to about `people`; nobody is left without people."""
    weight = sum(sum(unit.heads.values()) for unit in units)
    factor = people / max(weight, 1)
    for unit in units:
        jitter = factor * random.uniform(0.6, 1.4)
        unit.heads = {cell: max(1, round(number * jitter)) for cell, number in unit.heads.items()}
