"""P01 and P03: entries against the permits they cite (DOMAIN §4, decisions 55 and 57)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from demo.oracle.entries import Gate, entry_finding, entry_told, one_per_grain
from demo.oracle.evidence import day, listed, permit_list
from demo.oracle.night import Blank, Night, Person, Row, cell_of, make_finding, told


def entries_without_permit(night: Night, gate: Gate) -> list[Row]:
    """P01: no permit, one nobody knows, one of another cell, or one approved after the entry."""
    found = []
    for who, row in gate.entries:
        number = row.get("permit_no")
        if isinstance(who, Blank) or (number and not night.present("permits", row["unit_code"])):
            continue
        permits = gate.permits.get(number or "", [])
        cause = _wrong_with(row, permits) if number else "NO_PERMIT"
        if cause is not None:
            expected = min((_permit_text(permit) for permit in permits), default="-")
            texts = {"expected": expected, "found": number or "-", "cause": cause}
            texts["evidence"] = entry_told(row, permits)
            found.append(entry_finding(night, "P01", "S2", who, row, **texts))
    return one_per_grain(found)


def _wrong_with(row: Row, permits: list[Row]) -> str | None:
    of_cell = [permit for permit in permits if cell_of(permit) == cell_of(row)]
    if not permits:
        return "UNKNOWN_PERMIT"
    if not of_cell:
        return "OTHER_CELL"
    return None if any(permit["approved_on"] <= row["entry_date"] for permit in of_cell) else "APPROVED_LATER"


def _permit_text(permit: Row) -> str:
    return " ".join([*cell_of(permit), permit["approved_on"].isoformat()])


def permits_overused(night: Night, gate: Gate) -> list[Row]:
    """P03: more entries than posts, else an entry after the last good day; of whichever unit."""
    citing: dict[str, set[Person]] = defaultdict(set)
    latest: dict[str, date] = {}
    for who, row in gate.entries:
        number = row.get("permit_no")
        if number:
            citing[number].add(who)
            latest[number] = max(row["entry_date"], latest.get(number, date.min))
    found = []
    for number, permits in gate.permits.items():
        unit, post_type, fund_form = min(cell_of(permit) for permit in permits)
        entries = len(citing.get(number, ()))
        if not entries or not _judged(night, unit):
            continue
        posts = sum(permit["posts"] for permit in permits)
        if entries > posts:
            cause = "OVERUSED"
        elif latest[number] > max(permit["valid_until"] for permit in permits):
            cause = "EXPIRED"
        else:
            continue
        columns = {"unit_code": unit, "post_type": post_type, "fund_form": fund_form, "cause": cause}
        columns |= {"division_code": night.division_of(unit), "expected": posts, "found": entries}
        columns["evidence"] = told(permit_list(permits) | _entry_list(gate, number))
        found.append(make_finding("P03", {"permit_no": number}, "S3", **columns))
    return found


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
