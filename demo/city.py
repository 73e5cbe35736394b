"""make_city: a synthetic prefecture-level city over several nights, with planted cases and the truth about them.

Every person is invented. The same seed gives the same csv files, byte for byte.
"""

from __future__ import annotations

import csv
from calendar import monthrange
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from core.errors import Refused
from demo.accounts import LEAD_REVIEWERS, write_accounts
from demo.assembly import assemble
from demo.atlas import CITY, build_atlas
from demo.counted import state_counts
from demo.crowd import populate
from demo.delivering import claim_files, deliver
from demo.gated import switch_units, write_gate
from demo.loans import lend_posts, write_pool
from demo.names import Registry
from demo.plants_damage import plant_damage
from demo.plants_gate import plant_entries
from demo.plants_ledger import plant_ledger
from demo.plants_names import lawful_leads, plant_names
from demo.plants_people import tell_stories
from demo.plants_units import break_totals, plant_units, state_headcounts
from demo.position import lawful_movements, position_tables, write_position
from demo.stage import Stage
from demo.truth import History, check_claims, check_colour, judge_night, truth_of, write_truth

PEOPLE_PER_ROUND = 5_000
README = """# 云泽市：虚构的城市 / A city that does not exist

本目录由 `bianzhi demo` 生成。**全部人员、单位、文号、金额均为虚构**；身份证号以 9901 开头，没有这样的行政区划，不属于任何人。
inbox/ 是各单位报送的文件，truth/ 是每一夜必须得出的结果。

Written by `bianzhi demo`. **All people, units, documents and amounts are invented**; every identity number begins with
9901, a place code that does not exist, and belongs to nobody. inbox/ is what the authorities deliver, truth/ what every
night must find.
"""


@dataclass
class CitySummary:
    """What was written. `nights`: as_of → (colour, findings by rule)."""

    out: Path
    people: int
    units: int
    nights: dict[date, tuple[str, dict[str, int]]] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.people} people, {self.units} units"]
        for night, (colour, counts) in self.nights.items():
            lines.append(f"{night} {colour}: {sum(counts.values())} findings of {len(counts)} rules")
        return "; ".join(lines)


def make_city(out: Path, people: int, seed: int, as_of: date, nights: int = 3, clean: bool = False) -> CitySummary:
    """Write inbox/, position/, pool/, truth/, accounts.csv, parameters.csv and README.txt into `out`.

    people: about how many hold a post; nights: how many, a month apart, the last on as_of. clean: nothing planted and no
    damage, only dirt that changes nothing: every night must find nothing. Time and memory are linear in people × nights.
    Errors: Refused when `out` already holds a city; InvariantViolated when planter and oracle disagree.
    """
    if (out / "inbox").exists():
        raise Refused("the folder already holds a city; choose another or remove it")
    out.mkdir(parents=True, exist_ok=True)
    (out / "README.txt").write_text(README, encoding="utf-8")
    atlas = build_atlas(people, seed)
    stage = Stage(atlas, nights_until(as_of, nights), Registry(seed, as_of), seed)
    populate(stage)
    lawful_leads(stage)
    lend_posts(stage)
    switch_units(stage)
    lawful_movements(stage)
    _plant(stage, 0 if clean else max(1, people // PEOPLE_PER_ROUND))
    summary = CitySummary(out, people, len(atlas.every_unit))
    history = History()
    starts = stage.histories.start_rows([unit.division for unit in atlas.every_unit] + atlas.folders)
    write_parameters(out / "parameters.csv", stage)
    for k, night_date in enumerate(stage.nights):
        night = assemble(stage, k)
        deliver(stage, k, night, out / "inbox", people, seed)
        claim_files(stage, k, night)
        verdicts = history.verdicts(night)
        own = position_tables(stage, k)
        write_position(out / "position" / night_date.isoformat(), own)
        judgement = judge_night(night, verdicts, own | {"gate_start": starts})
        check_claims(stage.claims[k], judgement.findings, night_date)
        truth = truth_of(stage, k, night, verdicts, judgement)
        check_colour(stage.red.get(k, {}), truth, verdicts)
        write_truth(out, truth)
        counts = Counter(row["rule"] for row in judgement.findings)
        summary.nights[night_date] = ("red" if truth["exit"] else "green", dict(sorted(counts.items())))
    write_pool(out / "pool", stage)
    write_gate(out / "gate", stage)
    acting = [*(lending.borrower for lending in stage.lendings), *stage.gated]
    write_accounts(out / "accounts.csv", CITY, atlas.every_unit, acting)
    return summary


def write_parameters(path: Path, stage: Stage) -> None:
    """What `bianzhi parameter import` takes before the first night."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("name", "division", "from", "value"))
        writer.writerows(("gate_start", place, "", day) for place, day in stage.histories.starts.items())
        writer.writerow(("lead_reviewers", "", "", ",".join(LEAD_REVIEWERS)))


def nights_until(as_of: date, nights: int) -> list[date]:
    """The same day of so many months running, clipped at the month's end; the last is as_of."""
    found = []
    for back in reversed(range(nights)):
        year, month = divmod(as_of.year * 12 + as_of.month - 1 - back, 12)
        found.append(date(year, month + 1, min(as_of.day, monthrange(year, month + 1)[1])))
    return found


def _plant(stage: Stage, rounds: int) -> None:
    """Everything that must be found. What adds up over a whole division comes last."""
    if rounds:
        _choose_red_nights(stage)
        stage.reserve_shared()
        plant_ledger(stage, rounds)
        plant_units(stage, rounds)
        plant_damage(stage, rounds)
        tell_stories(stage, rounds)
        plant_entries(stage, rounds)
        plant_names(stage, rounds)
        folders = stage.atlas.folders
        stage.total_shift[folders[1], "establishment"] = stage.next_mask("D06 total")
        stage.cutoff_shift[folders[2], "roster"] = stage.next_mask("D08")
    state_counts(stage, planted=rounds > 0)
    state_headcounts(stage, rounds)
    if rounds:
        break_totals(stage)
    stage.finish()


def _choose_red_nights(stage: Stage) -> None:
    """The last night but one: a payroll breaks off on its way. The last night: a book does not come."""
    last = len(stage.nights) - 1
    folders = stage.atlas.folders
    if last >= 1:
        stage.red[max(1, last - 1)] = {(folders[2], "payroll"): "REFUSED"}
    if last >= 2:
        stage.red[last] = {(folders[1], "headcount"): "MISSING"}
