"""P01 and P03: entries against the permits they cite (DOMAIN §4, decisions 55 and 57)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from demo.oracle.entries import Gate, entry_finding, entry_told, one_per_grain
from demo.oracle.evidence import day, listed, permit_list
from demo.oracle.months import days_of, is_exact
from demo.oracle.night import Blank, Night, Person, Row, cell_of, make_finding, told


def entries_without_permit(night: Night, gate: Gate) -> list[Row]:
    """P01: no permit, one nobody knows, one of another cell, or one approved after the entry."""
    found = []
    for who, row in gate.entries:
        number = row.get("permit_no")
        if isinstance(who, Blank) or (number and not night.present("permits", row["unit_code"])):
            continue
        permits = gate.permits.get(number or "", [])
        of_cell = [permit for permit in permits if cell_of(permit) == cell_of(row)]
        in_order = {answer for day in gate.days(row) for answer in _approved_by(day, of_cell)}
        if in_order == {False} and gate.surely(row):
            cause = "NO_PERMIT" if not number else _wrong_with(permits, of_cell)
            expected = min((_permit_text(permit) for permit in permits), default="-")
            texts = {"expected": expected, "found": number or "-", "cause": cause}
            texts["evidence"] = entry_told(row, permits)
            found.append(entry_finding(night, "P01", "S2", who, row, **texts))
        elif in_order != {True}:
            _note_open(night, row, of_cell if True in in_order else [])
    return one_per_grain(found)


def _approved_by(day: date, of_cell: list[Row]) -> set[bool]:
    """Whether any of the permits was approved by a day: both where it depends on the days their dates mean."""
    answers = [{approved <= day for approved in days_of(permit, "approved_on")} for permit in of_cell]
    if {True} in answers:
        return {True}
    return {True, False} if any(True in answer for answer in answers) else {False}


def _note_open(night: Night, row: Row, of_cell: list[Row]) -> None:
    """The months that leave it open: of the entry, of the earliest approval."""
    if not is_exact(row, "entry_date"):
        night.lacks("P01", row["unit_code"], "roster")
    approvals = [days_of(permit, "approved_on") for permit in of_cell]
    if approvals and min(days[0] for days in approvals) != min(days[-1] for days in approvals):
        night.lacks("P01", row["unit_code"], "permits")


def _wrong_with(permits: list[Row], of_cell: list[Row]) -> str:
    if not permits:
        return "UNKNOWN_PERMIT"
    return "APPROVED_LATER" if of_cell else "OTHER_CELL"


def _permit_text(permit: Row) -> str:
    return " ".join([*cell_of(permit), permit["approved_on"].isoformat()])


def permits_overused(night: Night, gate: Gate) -> list[Row]:
    """P03: more entries than posts, else an entry after the last good day; of whichever unit."""
    citing: dict[str, list[tuple[Person, Row]]] = defaultdict(list)
    for who, row in gate.entries:
        if row.get("permit_no"):
            citing[row["permit_no"]].append((who, row))
    found = []
    for number, permits in gate.permits.items():
        unit, post_type, fund_form = min(cell_of(permit) for permit in permits)
        if number not in citing or not _judged(night, unit):
            continue
        least, most = _entries(gate, citing[number])
        posts = sum(permit["posts"] for permit in permits)
        expired = _expired(gate, citing[number], permits)
        if least <= posts and expired != {True}:
            if most > posts or True in expired:
                _note_open_use(night, unit, [row for _, row in citing[number]], permits if True in expired else [])
            continue
        cause = "OVERUSED" if least > posts else "EXPIRED"
        columns = {"unit_code": unit, "post_type": post_type, "fund_form": fund_form, "cause": cause}
        columns |= {"division_code": night.division_of(unit), "expected": posts, "found": least}
        columns["evidence"] = told(permit_list(permits) | _entry_list(gate, number))
        found.append(make_finding("P03", {"permit_no": number}, "S3", **columns))
    return found


def _entries(gate: Gate, citing: list[tuple[Person, Row]]) -> tuple[int, int]:
    """How many entries these rows are, at least and at most: one for each person, unit and day.

    One known to the month may be another of that month, or no entry to judge at all.
    """
    of_month: dict[tuple, list[Row]] = defaultdict(list)
    for who, row in citing:
        of_month[who, row["unit_code"], row["entry_date"].year, row["entry_date"].month].append(row)
    least = most = 0
    for rows in of_month.values():
        days = {row["entry_date"] for row in rows if is_exact(row, "entry_date")}
        whole = [row for row in rows if not is_exact(row, "entry_date")]
        least += len(days) or int(any(gate.surely(row) for row in whole))
        most += len(days) + bool(whole)
    return least, most


def _expired(gate: Gate, citing: list[tuple[Person, Row]], permits: list[Row]) -> set[bool]:
    """Whether any of the entries came after the last good day: both where it depends on the days meant."""
    ends = [days_of(permit, "valid_until") for permit in permits]
    first_end, last_end = max(days[0] for days in ends), max(days[-1] for days in ends)
    if any(gate.surely(row) and gate.days(row)[0] > last_end for _, row in citing):
        return {True}
    return {False} if all(gate.days(row)[-1] <= first_end for _, row in citing) else {True, False}


def _note_open_use(night: Night, unit: str, entries: list[Row], permits: list[Row]) -> None:
    """The months that leave it open: of the entries, of the last good day. At the owner, who would have the finding."""
    if not all(is_exact(row, "entry_date") for row in entries):
        night.lacks("P03", unit, "roster")
    ends = [days_of(permit, "valid_until") for permit in permits]
    if ends and max(days[0] for days in ends) != max(days[-1] for days in ends):
        night.lacks("P03", unit, "permits")


def _entry_list(gate: Gate, number: str) -> dict[str, Any]:
    """Every entry citing the number; alike ones without an id once, counted."""
    alike: dict[tuple, int] = {}
    for _, row in gate.entries:
        if row.get("permit_no") == number:
            same = (day(row["entry_date"]), *cell_of(row), row.get("person_mask"), row.get("person_key"))
            alike[same] = alike.get(same, 0) + 1
    names = ("entry", "unit", "post_type", "fund_form", "person_mask")
    records = [dict(zip(names, same[:5], strict=True)) | {"rows": rows} for same, rows in alike.items()]
    return listed("entries", records)


def _judged(night: Night, unit: str) -> bool:
    """Whether the owner of a permit delivers persons and both books that are compared: else more may cite it than is seen."""
    return not night.counts_only(unit) and all(night.present(book, unit) for book in ("roster", "permits"))
