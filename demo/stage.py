"""Where the city is put together: rows with the nights they stand in, quota, and what the planter says must be found.

A set of nights is a bit mask: bit k is night k.
"""

from __future__ import annotations

import calendar
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from random import Random
from typing import Any

from core.errors import InvariantViolated
from core.identity import mask_name
from core.types import ACTIVE_STATUSES
from core.units import division_lineage
from demo.atlas import Atlas, Cell, Unit
from demo.histories import Histories
from demo.names import Person, Registry

Row = dict[str, Any]
FUNDED = ("FULL", "PART")
COPIES = ("LEDGER", "CERTIFICATE", "DATABASE")


@dataclass(frozen=True)
class Claim:
    """A finding the planter announces. expected and found are None where only the oracle counts them."""

    rule: str
    grain: str
    severity: str
    unit_code: str | None
    cause: str | None = None
    expected: str | None = None
    found: str | None = None


def named(person: Person) -> Row:
    """The columns a person brings to a row, those the gate makes of number and name among them."""
    number, name = person.number, person.name
    birth = number[6:14] if len(number) == 18 and number[:17].isdigit() and number[10:12] < "13" else None
    return {
        "person_key": number or None, "person_name": name, "name_key": name, "name_mask": mask_name(name),
        "name_birth_key": birth and f"{name} {birth}",
    }  # fmt: skip


@dataclass
class Balance:
    """How far the plants of one unit and night move its two sides of F09, and how many of them nothing names."""

    in_post: int = 0
    paid: int = 0
    unnamed: int = 0


class Stage:
    """One city over its nights. Base rows first, then plants; `finish` turns balances into F09 claims."""

    def __init__(self, atlas: Atlas, nights: list[date], registry: Registry, seed: int) -> None:
        self.atlas, self.nights, self.registry = atlas, nights, registry
        self.random = Random(f"{seed}|stage")
        self.histories = Histories(nights, seed)
        self.always = (1 << len(nights)) - 1
        self.months = [night.strftime("%Y-%m") for night in nights]
        self.firsts = [night.replace(day=1) for night in nights]
        self.lasts = [night.replace(day=calendar.monthrange(night.year, night.month)[1]) for night in nights]
        self.rows: dict[str, list[tuple[int, Row]]] = defaultdict(list)
        self.heads: dict[tuple[str, Cell], list[int]] = defaultdict(lambda: [0] * len(nights))
        self.leaders: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.gone: dict[tuple[str, Cell], int] = defaultdict(int)
        self.slack: dict[tuple[str, Cell], int] = {}
        self.frozen: set[str] = set()
        # Who lends to whom (demo.loans).
        self.lendings: list = []
        # Whose gate is ours (demo.gated), and the numbers of who leaves and who comes there.
        self.gated: list[Unit] = []
        self.left = self.came = ""
        # Our own ledger: (borrowed, lent), movements, quota by date (number, first, last good day), months without a
        # usable post (texts their names end with).
        self.loans: dict[tuple[str, Cell], tuple[int, int]] = {}
        self.movements: list[Row] = []
        self.quota_past: dict[tuple[str, Cell], tuple[tuple[int, date, date | None], ...]] = {}
        self.full_months: dict[tuple[str, Cell], tuple[str, ...]] = {}
        self.elder_rows: list[Row] = []
        self.quota_set: dict[tuple[str, Cell], dict[int, int]] = defaultdict(dict)
        self.extra_cells: dict[str, list[Cell]] = {}
        self.copy_set: dict[tuple[str, Cell, str], dict[int, int | None]] = defaultdict(dict)
        self.unit_set: dict[str, list[tuple[int, Row | None]]] = defaultdict(list)
        self.second_unit_row: dict[str, list[tuple[int, Row]]] = defaultdict(list)
        self.doc_twice: dict[tuple[str, Cell], int] = {}
        self.limit_cut: dict[tuple[str, str], int] = {}
        self.paid_cut: dict[str, int] = {}
        self.year_ago_cut: dict[str, int] = {}
        self.unit_limit_cut: dict[tuple[str, str], int] = {}
        self.total_shift: dict[tuple[str, str], int] = {}
        self.cutoff_shift: dict[tuple[str, str], int] = {}
        self.claims: list[dict[tuple[str, str], Claim]] = [{} for _ in nights]
        self.balances: list[dict[str, Balance]] = [defaultdict(Balance) for _ in nights]
        self.over_total: list[set[str]] = [set() for _ in nights]
        self.quiet: list[Unit] = list(atlas.units)
        self.shared_units: list[Unit] = []
        self.safe_units: list[Unit] = []
        self.red: dict[int, dict[tuple[str, str], str]] = {}
        self._turns: dict[str, int] = defaultdict(int)

    # Nights

    def in_mask(self, mask: int) -> Iterator[int]:
        return (k for k in range(len(self.nights)) if mask >> k & 1)

    def from_night(self, k: int) -> int:
        return self.always & ~((1 << k) - 1)

    def before_night(self, k: int) -> int:
        return (1 << k) - 1

    def next_mask(self, kind: str) -> int:
        """Nights of the next plant of a kind: first all, then patterns that open, close and reopen."""
        turn, self._turns[kind] = self._turns[kind], self._turns[kind] + 1
        last = len(self.nights) - 1
        first_and_last = 1 | 1 << last
        patterns = [self.always, self.from_night(1), self.before_night(last), first_and_last, 1 << last, 1 << last // 2]
        usable = [mask for mask in patterns if mask]
        return usable[turn % len(usable)]

    def next_night(self, kind: str) -> int:
        """The one night of the next plant of a kind that lasts a night: the last first."""
        turn, self._turns[kind] = self._turns[kind], self._turns[kind] + 1
        return len(self.nights) - 1 - turn % len(self.nights)

    def red_payrolls(self) -> set[str]:
        return {folder for reds in self.red.values() for folder, book in reds if book == "payroll"}

    # Units

    def in_ledger(self) -> set[str]:
        """Units whose posts our own ledger knows from the second night on: what a file of ours says of them no longer counts."""
        lent = [unit for lending in self.lendings for unit in (lending.lender, lending.borrower)]
        return {unit.code for unit in [*lent, *self.gated]}

    def take(self, kind: str, fits: Callable[[Unit], bool] = lambda unit: True) -> Unit | None:
        """A unit nothing else is planted in; it is no longer quiet. None when the city is too small for another."""
        place = next((n for n, unit in enumerate(self.quiet) if fits(unit)), None)
        if place is None:
            if self._turns[f"take {kind}"] == 0:
                raise InvariantViolated(f"the demo city has no unit left for its first {kind}")
            return None
        self._turns[f"take {kind}"] += 1
        return self.quiet.pop(place)

    def reserve_shared(self) -> None:
        """Set units aside that may carry several plants whose effects add up."""
        self.random.shuffle(self.quiet)
        plain = [unit for unit in self.quiet if unit.trade in ("bureau", "school", "town", "townwork", "service")]
        seen: dict[str, int] = defaultdict(int)
        for unit in plain:
            seen[unit.folder] += 1
            if seen[unit.folder] % 4 == 1:
                self.shared_units.append(unit)
        shut = self.red_payrolls()
        self.safe_units = [unit for unit in self.shared_units if unit.pay_folder not in shut]
        kept = {unit.code for unit in self.shared_units}
        self.quiet = [unit for unit in self.quiet if unit.code not in kept]

    def shared(self, safe: bool = False) -> Unit:
        """The next shared unit; `safe`: of a folder whose payroll arrives every night."""
        units = self.safe_units if safe else self.shared_units
        turn, self._turns["shared"] = self._turns["shared"], self._turns["shared"] + 1
        return units[turn % len(units)]

    # Rows

    def add(self, book: str, mask: int, **row: Any) -> Row:
        self.rows[book].append((mask, row))
        return row

    def hold(self, unit: Unit, cell: Cell, mask: int, number: int = 1) -> None:
        """Room in the quota for people of these nights."""
        heads = self.heads[unit.code, cell]
        for k in self.in_mask(mask):
            heads[k] += number

    def post(self, mask: int, person: Person, unit: Unit, cell: Cell | None = None, **more: Any) -> Row:
        """A roster row; people of an active status without an exit date hold a post of the quota."""
        post_type, fund_form = cell or unit.first_cell
        row = named(person) | {
            "unit_code": unit.code, "post_type": post_type, "fund_form": fund_form, "status": "IN_SERVICE",
            "entry_date": date(2012, 7, 1), "delivered_by": unit.folder,
        }  # fmt: skip
        row |= more
        if person.number in self.registry.elders:
            self.elder_rows.append(row)
        if mask and "_bad" not in row:
            self.histories.complete(row, unit, (mask & -mask).bit_length() - 1)
        if row["status"] in ACTIVE_STATUSES and not row.get("exit_date"):
            self.hold(unit, (row["post_type"], row["fund_form"]), mask)
        elif row["status"] != "OFF_QUOTA":
            self.gone[unit.code, (row["post_type"], row["fund_form"])] += 1
        self.rows["roster"].append((mask, row))
        return row

    def pay(self, mask: int, person: Person, unit: Unit, mode: str | None = None, **more: Any) -> Row:
        """A payroll row of the night's month, paid by the unit (through its cashier, where it has one)."""
        row = named(person) | {
            "paying_unit_code": unit.cashier or unit.code, "fund_mode": mode or unit.first_cell[1], "person_state": "IN_SERVICE", "on_establishment": "YES",
            "amount": 600_000 + self.random.randrange(4_000) * 100, "delivered_by": unit.pay_folder,
        }  # fmt: skip
        if unit.cashier:
            row["on_behalf_of"] = unit.code
        row |= more
        self.rows["payroll"].append((mask, row))
        return row

    # What must be found

    def claim(
        self, mask: int, rule: str, grain: dict[str, str | None], severity: str, unit: Unit | str | None, **columns: Any
    ) -> None:
        text = json.dumps(grain, ensure_ascii=False, separators=(",", ":"))
        code = unit.code if isinstance(unit, Unit) else unit
        stated = {name: str(value) if name in ("expected", "found") else value for name, value in columns.items()}
        for k in self.in_mask(mask):
            if (rule, text) in self.claims[k]:
                raise InvariantViolated(f"{rule} planted twice in one place, unit {code}")
            self.claims[k][rule, text] = Claim(rule, text, severity, code, **stated)

    def claim_person(
        self, mask: int, rule: str, severity: str, person: Person, unit: Unit, owned: bool = False, **columns: Any
    ) -> None:
        """`owned`: the grain is person and unit, not the person alone."""
        grain: dict[str, str | None] = {"person_key": person.number}
        self.claim(mask, rule, grain | ({"unit_code": unit.code} if owned else {}), severity, unit, **columns)

    def weigh(self, mask: int, unit: Unit, in_post: int = 0, paid: int = 0, unnamed: int = 0) -> None:
        for k in self.in_mask(mask):
            balance = self.balances[k][unit.code]
            balance.in_post += in_post
            balance.paid += paid
            balance.unnamed += unnamed

    def finish(self) -> None:
        """Turn balances into F09 claims, and drop what a missing or refused book keeps from being judged."""
        for k in range(len(self.nights)):
            for code in sorted({*self.balances[k], *self.over_total[k]}):
                balance = self.balances[k][code]
                if balance.in_post != balance.paid or code in self.over_total[k]:
                    columns = {"cause": "UNEXPLAINED"} if balance.unnamed else {}
                    self.claim(1 << k, "F09", {"unit_code": code}, "S1" if balance.unnamed else "S2", code, **columns)
            self.claims[k] = {key: claim for key, claim in self.claims[k].items() if not self._silenced(k, claim)}

    def _silenced(self, k: int, claim: Claim) -> bool:
        unit = self.unit_by_code.get(claim.unit_code or "")
        red = self.red.get(k, {})
        if unit is None or not red:
            return False
        grain = json.loads(claim.grain)
        needs_pay = claim.rule.startswith("F") or claim.rule == "D03"
        needs_pay = needs_pay or grain.get("book") == "payroll" or (claim.rule, grain.get("measure")) == ("D05", "PAID")
        return (needs_pay and (unit.pay_folder, "payroll") in red) or (
            claim.rule == "D05" and (unit.folder, "headcount") in red
        )

    @cached_property
    def unit_by_code(self) -> dict[str, Unit]:
        return {unit.code: unit for unit in self.atlas.every_unit}

    @cached_property
    def alike(self) -> dict[tuple[str, str, Cell], list[Unit]]:
        """Units of one folder and level that hold the same cell: within these, people move freely."""
        groups: dict[tuple[str, str, Cell], list[Unit]] = defaultdict(list)
        for unit in self.atlas.units:
            for cell in unit.heads:
                groups[unit.folder, unit.level, cell].append(unit)
        return groups

    # Quota

    def quota(self, unit: Unit, cell: Cell, k: int) -> int:
        """Posts of the LEDGER copy on night k: what was set, else room for the fullest night, all who ever left, and slack."""
        chosen = self.quota_set.get((unit.code, cell), {}).get(k)
        if chosen is not None:
            return chosen
        place = (unit.code, cell)
        return max(self.heads[place]) + self.gone.get(place, 0) + self.slack.get(place, 1)

    def cells(self, unit: Unit) -> list[Cell]:
        return [*unit.heads, *self.extra_cells.get(unit.code, ())]

    def is_registered(self, unit: Unit, k: int) -> bool:
        changes = [row for mask, row in self.unit_set.get(unit.code, []) if mask >> k & 1]
        return all(row is not None and "_bad" not in row for row in changes)

    @cached_property
    def quota_sums(self) -> list[dict[tuple[str, str], int]]:
        """Per night, Σ LEDGER quota by (division, type) over registered units of it and below. Only once all is planted."""
        sums: list[dict[tuple[str, str], int]] = [defaultdict(int) for _ in self.nights]
        for unit in self.atlas.units:
            lineage = division_lineage(unit.division)
            for k, totals in enumerate(sums):
                if self.is_registered(unit, k):
                    for cell in self.cells(unit):
                        for division in lineage:
                            totals[division, cell[0]] += self.quota(unit, cell, k)
        return sums

    @cached_property
    def counted_room(self) -> dict[str, int]:
        """More posts than the count-only county can state of each type: its limits never bind."""
        room: dict[str, int] = defaultdict(int)
        for unit in self.atlas.counted_units:
            for (post_type, _), number in unit.heads.items():
                room[post_type] += number + 2
        return room
