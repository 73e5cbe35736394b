"""Demo accounts: one of each role at each place of the synthetic city, as a csv that `bianzhi account import` takes.

All share one password, printed by `make night`: the demo is no place for secrets.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from demo.atlas import Unit
from demo.loans import officer, supervisor

PASSWORD = "yunze-demo-2026"
COLUMNS = ("login", "email", "display_name", "password", "role", "division_code", "level", "unit_code")
OFFICERS_PER_DIVISION = 2
LEAD_REVIEWERS = ("hecha", "hecha2")
LEAD_NAMES = ("市编办 疑点核查一", "市编办 疑点核查二")
CITY_PEOPLE = (
    ("REVIEWER", "bianban", "市编办 审核一"),
    ("REVIEWER", "bianban2", "市编办 审核二"),
    ("DIRECTOR", "bianwei", "市编委主任"),
    ("FINANCE", "caizheng", "市财政局"),
    ("PERSONNEL", "renshe", "市人社局"),
)
COUNTY_PEOPLE = (
    ("REVIEWER", "bianban", "编办"),
    ("DIRECTOR", "bianwei", "编委主任"),
    ("FINANCE", "caizheng", "财政局"),
    ("PERSONNEL", "renshe", "人社局"),
)


def write_accounts(path: Path, city_code: str, units: Iterable[Unit], borrowers: Sequence[Unit]) -> int:
    """Write accounts.csv for the units, and for those who borrow from the pool; returns how many accounts."""
    units = sorted(units, key=lambda unit: unit.code)
    counties = sorted({unit.division[:6] for unit in units if unit.level in ("COUNTY", "TOWNSHIP")} - {city_code})
    rows = [_row("admin", "系统管理员", "ADMINISTRATOR")]
    for role, login, name in CITY_PEOPLE:
        rows.append(_row(login, name, role, city_code, "CITY"))
    # A lead lies at any unit: who is named for leads has a grant at each level, as only an auditor's may leave it open.
    for login, name in zip(LEAD_REVIEWERS, LEAD_NAMES, strict=True):
        rows += [_row(login, name, "REVIEWER", city_code, level) for level in sorted({unit.level for unit in units})]
    rows.append(_row("shengwei", "省编委主任", "DIRECTOR", city_code[:2] + "0000", "PROVINCE"))
    rows.append(_row("shenji", "市审计局", "AUDITOR", city_code))
    for county in counties:
        for role, login, name in COUNTY_PEOPLE:
            rows += [
                _row(f"{login}-{county}", f"{county} {name}", role, county, level) for level in ("COUNTY", "TOWNSHIP")
            ]
    chosen = {unit.code: unit for unit in borrowers}
    for division in sorted({unit.division for unit in units}):
        own = [unit for unit in units if unit.division == division][:OFFICERS_PER_DIVISION]
        chosen |= {unit.code: unit for unit in own}
    names = {unit.code: unit.name for unit in units}
    rows += [
        _row(officer(unit), f"{unit.name} 经办", "UNIT_OFFICER", unit=code) for code, unit in sorted(chosen.items())
    ]
    # A department sees its own level; that it also supervises below (a township's unit) its grant has to say.
    above = {(unit.supervising, "") for unit in borrowers if unit.supervising}
    levels = {unit.code: unit.level for unit in units}
    above |= {(up, unit.level) for unit in borrowers if (up := unit.supervising) and levels[up] != unit.level}
    rows += [
        _row(supervisor(code), f"{names[code]} 主管", "SUPERVISOR", level=level, unit=code)
        for code, level in sorted(above)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return len({row["login"] for row in rows})


def _row(login: str, name: str, role: str, division: str = "", level: str = "", unit: str = "") -> dict[str, str]:
    return {
        "login": login, "email": f"{login}@example.org", "display_name": name, "password": PASSWORD,
        "role": role, "division_code": division, "level": level, "unit_code": unit,
    }  # fmt: skip
