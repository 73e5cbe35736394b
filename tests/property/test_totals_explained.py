"""A unit's totals are explained exactly by people: the presence classes add up to them, and F09 counts nobody twice or away."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import timedelta
from random import SystemRandom

from tests.batches import stacked_on_duckdb
from tests.property.drawn_nights import drawn_nights
from tests.spec.spec import Night, Result

SEED = SystemRandom().randrange(10**9)
NIGHTS = 200
ACTIVE = ("IN_SERVICE", "SECONDED_OUT", "ON_LEAVE")


def second_cells(night: Night) -> Counter:
    """Unit → cells beyond the first of people who hold two of it: they count once per cell, and as one person."""
    cells: dict[tuple[str, str], set] = defaultdict(set)
    for row in night.books["roster"]:
        entered = row["entry_date"] is None or row["entry_date"] <= night.as_of
        stays = row["exit_date"] is None or row["exit_date"] > night.as_of
        if row["person_key"] and row["status"] in ACTIVE and entered and stays and row["post_type"] != "CONTROL_NUMBER":
            cells[row["unit_code"], row["person_key"]].add((row["post_type"], row["fund_form"]))
    return Counter({unit: 0 for unit, _ in cells}) + Counter(
        unit for (unit, _), held in cells.items() for _ in range(len(held) - 1)
    )


def check_presence(night: Night, said: Result) -> int:
    """in post of every unit = its people with the roster bit + second cells; the number of units looked at."""
    on_roster: Counter = Counter()
    units = {row["unit_code"] for row in said.presence}
    for row in said.presence:
        on_roster[row["unit_code"]] += row["people"] if row["bits"][1] == "1" else 0
    twice = second_cells(night)
    totals = {cell["unit_code"]: cell["in_post"] for cell in said.cells if not cell["post_type"]}
    wrong = [unit for unit in units if totals[unit] != on_roster[unit] + twice[unit]]
    assert wrong == []
    return len(units)


class Books:
    """in post − paid of a person at a unit, read from the books of a night by nobody else's code."""

    def __init__(self, night: Night) -> None:
        self.night, month = night, f"{night.as_of:%Y-%m}"
        self.first = night.as_of.replace(day=1)
        self.next = (self.first + timedelta(days=31)).replace(day=1)
        self.roster: dict[str, list[dict]] = defaultdict(list)
        self.payroll: dict[str, list[dict]] = defaultdict(list)
        for row in night.books["roster"]:
            if row["post_type"] != "CONTROL_NUMBER":
                self.roster[row["person_key"] or f"blank roster {len(self.roster)}"].append(row)
        proper = [
            row
            for row in night.books["payroll"]
            if (row["month"], row["person_state"], row["on_establishment"]) == (month, "IN_SERVICE", "YES")
        ]
        for row in proper:
            self.payroll[row["person_key"] or f"blank payroll {len(self.payroll)}"].append(row)
        for who, rows in list(self.payroll.items()):
            amounts = [row["amount"] for row in rows if row["amount"] is not None]
            if amounts and sum(amounts) <= 0:
                del self.payroll[who]
        self.unseen = self._on_control_alone()
        # Who sits on a control number has left nothing: no timing explains the pay.
        self.on_control = {
            row["person_key"]
            for row in night.books["roster"]
            if row["post_type"] == "CONTROL_NUMBER" and self._is_active(row)
        }

    def _on_control_alone(self) -> set[str]:
        """Whose rows are all of control numbers; rows of 编外 are asked only about those who have no other."""
        rows_of: dict[str, list[dict]] = defaultdict(list)
        for row in self.night.books["roster"]:
            rows_of[row["person_key"]].append(row)
        asked = {who: [r for r in rows if r["status"] != "OFF_QUOTA"] or rows for who, rows in rows_of.items() if who}
        return {who for who, rows in asked.items() if {r["post_type"] for r in rows} == {"CONTROL_NUMBER"}}

    def _is_active(self, row: dict) -> bool:
        day = self.night.as_of
        entered = (row["entry_date"] or day) <= day
        return row["status"] in ACTIVE and entered and (row["exit_date"] is None or row["exit_date"] > day)

    def active(self, who: str) -> list[dict]:
        return [row for row in self.roster.get(who, ()) if self._is_active(row)]

    def left(self, row: dict) -> bool:
        exit_date = row["exit_date"]
        if row["status"] == "OFF_QUOTA":
            return False
        if exit_date == self.first and row["exit_date_exact"] is False:
            return True
        return exit_date is not None and self.first < exit_date < self.next

    def comes(self, row: dict) -> bool:
        entry = row["entry_date"]
        stays = row["exit_date"] is None or (entry is not None and row["exit_date"] > entry)
        return row["status"] in ACTIVE and entry is not None and self.night.as_of < entry < self.next and stays

    def posts(self, who: str) -> Counter:
        """Unit → FULL and PART cells; nobody who entered in M and is not paid yet."""
        cells = {(r["unit_code"], r["post_type"], r["fund_form"]) for r in self.active(who) if r["fund_form"] != "SELF"}
        new = set()
        if who not in self.payroll and not who.startswith("blank"):
            new = {
                r["unit_code"]
                for r in self.active(who)
                if r["fund_form"] != "SELF"
                and r["entry_date"] is not None
                and self.first <= r["entry_date"] < self.next
            }
        return Counter(unit for unit, _, _ in cells if unit not in new)

    def pays(self, who: str) -> set[str]:
        """The units the person's FULL and PART pay counts for."""
        here, rows = self.active(who), self.roster.get(who, [])
        gone = not here and who not in self.on_control and any(self.left(row) or self.comes(row) for row in rows)
        if who in self.unseen or gone:
            return set()
        funded = [row for row in self.payroll.get(who, ()) if row["fund_mode"] != "SELF"]
        return {self._place(here, rows, row["on_behalf_of"] or row["paying_unit_code"]) for row in funded}

    def _place(self, here: list[dict], rows: list[dict], payer: str) -> str:
        if any(row["unit_code"] == payer for row in here):
            return payer
        lent = [r["unit_code"] for r in here if r["status"] == "SECONDED_OUT" and r["seconded_to"] == payer]
        moved = here and any(row["unit_code"] == payer and self.left(row) for row in rows)
        return min(lent) if lent else min(row["unit_code"] for row in here) if moved else payer

    def effects(self) -> dict[str, dict[str, int]]:
        """Unit → person → in post − paid, where it is not 0."""
        found: dict[str, dict[str, int]] = defaultdict(dict)
        for who in {*self.roster, *self.payroll}:
            posts, pays = self.posts(who), self.pays(who)
            for unit in {*posts, *pays}:
                by = posts[unit] - (unit in pays)
                if by:
                    found[unit][who] = by
        return found


def check_f09(night: Night, said: Result) -> int:
    """in post − paid = Σ what the named findings add + what the unnamed add, person by person as the books have it."""
    by_key = {row["key"]: row for row in said.findings}
    books, seen = Books(night).effects(), 0
    for row in said.findings:
        figures = json.loads(row["evidence"] or "{}")
        if row["rule"] != "F09" or figures["residual"] is None:
            continue
        seen += 1
        effects, people = figures["effects"], books[row["unit_code"]]
        assert figures["in_post"] - figures["paid"] == sum(effects.values()) + figures["residual_effect"]
        assert figures["in_post"] - figures["paid"] == sum(people.values()) == figures["difference"]
        assert figures["named_effect"] == sum(effects.values())
        told: Counter = Counter()
        for key, effect in effects.items():
            grain = json.loads(by_key[key]["grain"])
            told[by_key[key]["person_key"] or f"blank {grain['book']}"] += effect
        real: Counter = Counter()
        for who, effect in people.items():
            real[" ".join(who.split()[:2]) if who.startswith("blank") else who] += effect
        unnamed = {who: effect for who, effect in real.items() if who not in told}
        assert {who: effect for who, effect in told.items() if effect} == {w: e for w, e in real.items() if w in told}
        assert (figures["residual"], figures["residual_effect"]) == (len(unnamed), sum(unnamed.values()))
        assert figures["on_one_side"] == figures["named"] + figures["residual"]
        assert (row["severity"] == "S1") == (figures["residual"] != 0)
        if figures["difference"]:
            assert json.loads(row["explained_by"]) == sorted(effects)
    return seen


def test_presence_classes_and_named_people_explain_every_total():
    nights = drawn_nights(SEED, NIGHTS)
    units = findings = 0
    for number, (night, said) in enumerate(zip(nights, stacked_on_duckdb(nights), strict=True)):
        try:
            units += check_presence(night, said)
            findings += check_f09(night, said)
        except AssertionError as error:
            raise AssertionError(f"night {number} of {NIGHTS} of seed {SEED}: {error}") from error
    assert units > 50
    assert findings > 50
