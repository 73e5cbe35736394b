"""Q05 and D04: rank and age of the active against what their unit and the table of ages allow (DOMAIN §4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from demo.oracle.night import Blank, Night, Row
from demo.oracle.people import person_finding


def ranks_above_unit(night: Night) -> list[Row]:
    """Q05: a rank above the unit's own. A word the order does not know is no claim, neither way."""
    order: dict[str, int] = {}
    for row in night.facts["rank_order"]:
        order[row["word"]] = min(row["place"], order.get(row["word"], row["place"]))
    found = []
    for who, unit, rows in _active_by_unit(night):
        known = [(_place(order, row), row["rank"], row) for row in rows if _place(order, row)]
        if not known or not (night.present("roster", unit) and night.present("units", unit)):
            continue
        own = night.units.get(unit, {}).get("org_rank")
        limit = order.get(_word(own))
        if limit is None:
            night.lacks("Q05", unit, "units")
            continue
        above = [row for place, _, row in known if place < limit]
        if above:
            _, highest, _ = min(known, key=lambda item: item[:2])
            found.append(person_finding(night, "Q05", "S2", who, unit, above, expected=own, found=highest))
    return found


def past_statutory_age(night: Night) -> list[Row]:
    """D04: the gate gives an age only to those past theirs."""
    found = []
    for who, unit, rows in _active_by_unit(night):
        past = [row for row in rows if row.get("statutory_age") is not None]
        if past and night.present("roster", unit):
            first = min(past, key=lambda row: (row["post_type"], row["fund_form"], row["statutory_age"]))
            texts = {"expected": first["statutory_age"], "found": first.get("age")}
            found.append(person_finding(night, "D04", "S4", who, unit, past, **texts))
    return found


def _active_by_unit(night: Night) -> Iterator[tuple[str, str, list[Row]]]:
    """(person, unit, active rows there) of everybody with an id in units whose people are judged one by one."""
    for who, rows in night.active_of.items():
        by_unit: dict[str, list[Row]] = defaultdict(list)
        for row in night.judged(rows):
            by_unit[row["unit_code"]].append(row)
        if not isinstance(who, Blank):
            for unit, held in by_unit.items():
                yield who, unit, held


def _word(text: str | None) -> str:
    return "".join((text or "").split())


def _place(order: dict[str, int], row: Row) -> int | None:
    return order.get(_word(row.get("rank")))
