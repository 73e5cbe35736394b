"""How people came and went since the gate opened: permits, registrations and forms, all of it lawful unless planted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from random import Random

from core.calendar import working_days
from core.units import division_lineage
from demo.atlas import CITY, COUNTIES, Cell, Unit

Row = dict
CONTROL = "CONTROL_NUMBER"
ENTRY_FORM = {"INSTITUTION": "RECRUIT", "SUPPORT": "RECRUIT", CONTROL: "RECRUIT"}
LATE_COUNTY = COUNTIES[2][0]  # its gate opens half a year after the city's
# Calendar days that are within 30 and 15 working days on any calendar.
ENTRY_SLACK, EXIT_SLACK = 25, 14


def gate_starts(first_night: date) -> dict[str, date]:
    """Division → the day its gate opens."""
    return {CITY: date(first_night.year - 1, 1, 1), LATE_COUNTY: date(first_night.year - 1, 7, 1)}


class Histories:
    """Completes roster rows, and keeps the permits their entries use: one per unit, cell, year and source of people."""

    def __init__(self, nights: list[date], seed: int) -> None:
        self.nights = nights
        self.random = Random(f"{seed}|histories")
        self.starts = gate_starts(nights[0])
        self.opens = min(self.starts.values())
        self.permits: dict[tuple, Row] = {}
        self._start: dict[str, date] = {}
        self._entered: dict[tuple, Row] = {}
        self._workdays = {day: number for day, number, _ in working_days(self.opens, nights[-1])}

    def start_of(self, unit: Unit) -> date:
        """The day from which entries and exits of a unit are judged."""
        if unit.division not in self._start:
            above = next(code for code in division_lineage(unit.division) if code in self.starts)
            self._start[unit.division] = self.starts[above]
        return self._start[unit.division]

    def start_rows(self, codes: Iterable[str]) -> list[Row]:
        """division_code, starts of every division that has a start of its own or above it."""
        rows = []
        for code in sorted(set(codes)):
            above = next((place for place in division_lineage(code) if place in self.starts), None)
            if above is not None:
                rows.append({"division_code": code, "starts": self.starts[above]})
        return rows

    def working_days(self, after: date, until: date) -> int:
        """Working days after a day up to and with another, both since the gate opened."""
        return self._workdays[until] - self._workdays[after]

    def day_after(self, day: date, number: int) -> date:
        """The working day on which so many have gone by since a day."""
        return next(later for later, count in self._workdays.items() if count - self._workdays[day] == number)

    def complete(self, row: Row, unit: Unit, first: int) -> None:
        """Give a roster row what the gate would have given it; what it states already stays. first: its first night.

        A person of several rows (one before, one after leaving) has entered once. Before the unit's gate start, and
        for people outside the gate, nothing is known.
        """
        if row["status"] == "OFF_QUOTA" or row["post_type"] == CONTROL:
            return
        entry, leaves = row.get("entry_date"), row.get("exit_date")
        if entry is not None and entry >= self.opens and entry >= self.start_of(unit):
            place = (row["person_key"], unit.code, entry)
            if place not in self._entered:
                self._entered[place] = self._entry(row, unit, entry, self.nights[first])
            for name, value in self._entered[place].items():
                row.setdefault(name, value)
        if leaves is not None and leaves >= self.opens and leaves >= self.start_of(unit):
            registered = min(leaves + timedelta(days=self.random.randrange(EXIT_SLACK + 1)), self.nights[first])
            row.setdefault("exit_registered", max(leaves, registered))

    def _entry(self, row: Row, unit: Unit, entry: date, seen: date) -> Row:
        registered = min(entry + timedelta(days=self.random.randrange(ENTRY_SLACK + 1)), seen)
        form = row.get("entry_form", ENTRY_FORM.get(row["post_type"], "EXAM"))
        made = {"entry_form": form, "entry_registered": max(entry, registered)}
        if "permit_no" not in row:
            made["permit_no"] = self.use_permit(unit, (row["post_type"], row["fund_form"]), entry, form)
        made["slot_no"] = f"Y{entry.year}{len(self._entered) + 1:06d}"
        return made

    def use_permit(self, unit: Unit, cell: Cell, entry: date, form: str | None) -> str:
        """The number of the year's permit of a cell, with one more post on it: its posts are exactly its entries."""
        place = (unit.code, cell, entry.year, form)
        permit = self.permits.get(place)
        if permit is None:
            permit = self.permits[place] = self.new_permit(unit, cell, entry, posts=0, source_of_people=form)
        permit["posts"] += 1
        permit["approved_on"] = min(permit["approved_on"], entry)
        return permit["permit_no"]

    def new_permit(self, unit: Unit, cell: Cell, entry: date, **more) -> Row:
        """A permit row of the year of an entry, good to its end; only `use_permit` keeps those it makes."""
        row = {
            "permit_no": f"云编用〔{entry.year}〕{10 + len(self.permits)}号", "unit_code": unit.code, "post_type": cell[0],
            "fund_form": cell[1], "posts": 1, "approved_on": min(entry, date(entry.year, 1, 15)),
            "valid_until": date(entry.year, 12, 31), "purpose": "补员", "delivered_by": unit.folder,
        }  # fmt: skip
        return row | more

    def plant_permit(self, unit: Unit, cell: Cell, entry: date, **more) -> Row:
        """A permit of its own, kept; returned to be cited or changed."""
        row = self.new_permit(unit, cell, entry, **more)
        self.permits[unit.code, cell, "planted", len(self.permits)] = row
        return row

    def permit_rows(self) -> list[tuple[int, Row]]:
        """(first night, row) of every permit: a book lists what was approved by its night."""
        last = len(self.nights) - 1
        return [
            (next((k for k, night in enumerate(self.nights) if row["approved_on"] <= night), last), row)
            for row in self.permits.values()
        ]
