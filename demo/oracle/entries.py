"""Entries and exits since the gate of a division started, and P04 to P07, which judge them one by one (decision 54)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from demo.oracle.evidence import day, permit_list
from demo.oracle.months import days_of, is_exact
from demo.oracle.night import ALL_UNITS, CONTROL, Blank, Night, Person, Row, make_finding, told
from demo.oracle.people import mask_of

RULES = ("P01", "P02", "P03", "P04", "P05", "P06", "P07")
EXAMINED = ("ADMIN", "POLITICAL_LEGAL", "CIVIL_SERVICE_REF", "INSTITUTION")
FORMS = "EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT"
LEVELS = ("TOWNSHIP", "COUNTY", "CITY", "PROVINCE")
FUNDS = ("SELF", "PART", "FULL")
SOFT_CAUSES = ("TIMING", "QUARANTINE")


class Gate:
    """Who entered and left where since when; permits by number. Nothing here judges."""

    def __init__(self, night: Night) -> None:
        self.night = night
        self.starts: dict[str, date] = {row["division_code"]: row["starts"] for row in night.facts["gate_start"]}
        self.workdays: dict[date, Row] = {row["day"]: row for row in night.facts["workday"]}
        self.permits: dict[str, list[Row]] = defaultdict(list)
        for row in night.books["permits"]:
            self.permits[row["permit_no"]].append(row)
        self.entries = self._since_start("entry_date")
        self.exits = self._since_start("exit_date")

    def start_of(self, unit: str) -> date | None:
        return self.starts.get(self.night.division_of(unit) or "")

    def _since_start(self, name: str) -> list[tuple[Person, Row]]:
        night = self.night
        begun = {unit: self.start_of(unit) for unit in night.all_units if night.present("roster", unit)}
        chosen = []
        for who, row in night.roster:
            barred = row["status"] == "OFF_QUOTA" or row["post_type"] == CONTROL or night.counts_only(row["unit_code"])
            if not barred and begun.get(row["unit_code"]) is not None and self.days(row, name):
                chosen.append((who, row))
        return chosen

    def days(self, row: Row, name: str = "entry_date") -> list[date]:
        """The days between gate start and A that an entry or exit may mean."""
        start = self.start_of(row["unit_code"])
        assert start is not None
        return [day for day in days_of(row, name) if start <= day <= self.night.as_of]

    def surely(self, row: Row, name: str = "entry_date") -> bool:
        """Whether it lies between them, whatever day is meant."""
        return self.days(row, name) == days_of(row, name)

    def note_unstarted(self) -> None:
        """Divisions whose gate has no start: a `*` row where no unit of a folder has one."""
        night = self.night
        units_of: dict[str, list[str]] = {folder: [] for folder in night.divisions}
        for unit, home in night.home.items():
            if not night.counts_only(unit):
                units_of.setdefault(home, []).append(unit)
        for folder, units in units_of.items():
            if night.counts_only_division(folder):
                continue
            lacking = [unit for unit in units if self.start_of(unit) is None]
            places = [ALL_UNITS] if len(lacking) == len(units) else lacking
            night.not_evaluable |= {(rule, folder, place, "gate_start") for rule in RULES for place in places}

    def working_days(self, after: date, until: date) -> tuple[int, bool]:
        """Working days after a day up to and with another, and whether the calendar of all of them is published."""
        if until <= after:
            return 0, True
        published = all(row["published"] for row in (self.workdays[day] for day in _year_ends(after, until)))
        return self.workdays[until]["number"] - self.workdays[after]["number"], published


def _year_ends(after: date, until: date) -> list[date]:
    """A day of every year that is counted in: the calendar is published year by year."""
    ends = [date(year, 12, 31) for year in range(after.year, until.year) if date(year, 12, 31) > after]
    return [*ends, until]


def entry_finding(
    night: Night, rule: str, severity: str, who: Person, row: Row, day: str = "entry_date", **columns
) -> Row:  # fmt: skip
    """A finding about one entry, or exit, of a person."""
    unit = row["unit_code"]
    grain: dict[str, str | None] = {"person_key": str(who), "unit_code": unit, day: row[day].isoformat()}
    return make_finding(
        rule, grain, severity, division_code=night.division_of(unit), unit_code=unit, person_key=str(who),
        person_mask=mask_of(night, who), post_type=row["post_type"], fund_form=row["fund_form"], **columns,
    )  # fmt: skip


def one_per_grain(findings: list[Row]) -> list[Row]:
    """Of several rows of one grain the first cell in text order."""
    first: dict[str, Row] = {}
    for row in sorted(
        findings, key=lambda f: (f["post_type"], f["fund_form"], f["expected"], f["found"], f["evidence"])
    ):
        first.setdefault(row["key"], row)
    return list(first.values())


def late_entries(night: Night, gate: Gate) -> list[Row]:
    """P04."""
    found = []
    for who, row in gate.entries:
        days = None if isinstance(who, Blank) else _late(night, gate, "P04", row, "entry")
        if days is not None:
            texts = {
                "expected": night.parameters["entry_days"],
                "found": days[0],
                "evidence": _counted(night, row, "entry", days[1]),
            }
            found.append(entry_finding(night, "P04", "S3", who, row, **texts))
    return one_per_grain(found)


def late_exits(night: Night, gate: Gate, findings: list[Row]) -> list[Row]:
    """P05; `findings` has the F03 of tonight, which make it grave where the person is still paid by that unit."""
    paid_after = {f["person_key"] for f in findings if f["rule"] == "F03" and f["cause"] not in SOFT_CAUSES}
    found = []
    for who, row in gate.exits:
        days = None if isinstance(who, Blank) else _late(night, gate, "P05", row, "exit")
        if days is None:
            continue
        shut = ("roster", row["unit_code"]) in night.quarantined
        payers = {pay.get("on_behalf_of") or pay["paying_unit_code"] for pay in night.paid_of.get(who, [])}
        grave = who in paid_after and row["unit_code"] in payers
        severity = "S4" if shut else "S1" if grave else "S3"
        texts = {
            "expected": night.parameters["exit_days"],
            "found": days[0],
            "evidence": _counted(night, row, "exit", days[1]),
        }
        cause = "QUARANTINE" if shut else None
        found.append(entry_finding(night, "P05", severity, who, row, "exit_date", cause=cause, **texts))
    return one_per_grain(found)


def _late(night: Night, gate: Gate, rule: str, row: Row, what: str) -> tuple[int, bool] | None:
    """The fewest working days to the registration, or so far, where all it may be are too many; else None.

    What is open is noted: a change known to the month only, or a registration of which only some days are late.
    """
    if not is_exact(row, f"{what}_date"):
        night.lacks(rule, row["unit_code"], "roster")
        return None
    ends = [min(day, night.as_of) for day in days_of(row, f"{what}_registered")] or [night.as_of]
    counts = [gate.working_days(row[f"{what}_date"], until) for until in ends]
    late = [days > night.parameters[f"{what}_days"] for days, _ in counts]
    if any(late) and not all(late):
        night.lacks(rule, row["unit_code"], "roster")
    return counts[0] if all(late) else None


def _counted(night: Night, row: Row, what: str, published: bool) -> str:
    registered = row.get(f"{what}_registered")
    until = night.as_of if registered is None else min(registered, night.as_of)
    calendar = None if published else "MONDAY_TO_FRIDAY"
    return told({f"{what}_registered": day(registered), "counted_to": day(until), "calendar": calendar})


def entry_told(row: Row, permits: list[Row]) -> str:
    """How an entry came about, and what is known of the permit it cites."""
    said = {"entry_form": row.get("entry_form"), "entry_registered": day(row.get("entry_registered"))}
    return told(said | {"permit_no": row.get("permit_no")} | permit_list(permits))


def entries_without_exam(night: Night, gate: Gate) -> list[Row]:
    """P06: entered by no form that counts, or by one that only a permit of that source allows (decision 59)."""
    found = []
    for who, row in gate.entries:
        form = row.get("entry_form")
        if isinstance(who, Blank) or row["post_type"] not in EXAMINED:
            continue
        bad = not form or form == "OTHER"
        cited = gate.permits.get(row.get("permit_no") or "", [])
        if form in ("PLACEMENT", "APPOINT") and night.present("permits", row["unit_code"]):
            bad = all(permit.get("source_of_people") != form for permit in cited)
        if bad and not gate.surely(row):
            night.lacks("P06", row["unit_code"], "roster")
        elif bad:
            found.append(
                entry_finding(
                    night, "P06", "S3", who, row, expected=FORMS, found=form or "-", evidence=entry_told(row, cited)
                )
            )
    return one_per_grain(found)


def reverse_flow(night: Night, gate: Gate) -> list[Row]:
    """P07: a transfer upwards, or to a fuller fund form, without a waiver (decision 60)."""
    found = []
    for who, row in gate.entries:
        if isinstance(who, Blank) or row.get("entry_form") != "TRANSFER" or row.get("waiver_no"):
            continue
        to_level = night.units.get(row["unit_code"], {}).get("level")
        steps = [(_from_level(night, row), to_level, LEVELS), (_from_fund(night, who, row), row["fund_form"], FUNDS)]
        known = [(left, here, order) for left, here, order in steps if left and here]
        rises = [f"{left}→{here}" for left, here, order in known if order.index(here) > order.index(left)]
        if rises and not gate.surely(row):
            night.lacks("P07", row["unit_code"], "roster")
        elif rises:
            texts = {"expected": "-", "found": ";".join(rises), "evidence": _flow_told(night, who, row, to_level)}
            found.append(entry_finding(night, "P07", "S3", who, row, **texts))
        elif len(known) < len(steps):
            night.lacks("P07", row["unit_code"], "roster")
    return one_per_grain(found)


def _flow_told(night: Night, who: Person, row: Row, to_level: str | None) -> str:
    said = {name: row.get(name) for name in ("entry_form", "from_level", "from_fund_form", "from_unit")}
    judged = {"was_level": _from_level(night, row), "was_form": _from_fund(night, who, row), "level": to_level}
    return told(said | judged)


def _from_level(night: Night, row: Row) -> str | None:
    return row.get("from_level") or night.units.get(row.get("from_unit") or "", {}).get("level")


def _from_fund(night: Night, who: Person, row: Row) -> str | None:
    """The form stated, else that of the person's row at the place left: the latest exit, else the first in text order."""
    if row.get("from_fund_form"):
        return row["from_fund_form"]
    there = [
        other
        for other in night.roster_of[who]
        if other["unit_code"] == row.get("from_unit")
        and other["status"] != "OFF_QUOTA"
        and other["post_type"] != CONTROL
    ]
    latest = max((other["exit_date"] for other in there if other.get("exit_date")), default=None)
    chosen = [other for other in there if other.get("exit_date") == latest]
    return min((other["fund_form"] for other in chosen), default=None)
