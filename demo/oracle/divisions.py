"""Q11 and F11: what a whole division may have, units and finance-paid people (DOMAIN §4)."""

from __future__ import annotations

from collections import Counter, defaultdict

from core.units import division_lineage
from demo.oracle.night import (
    ALL_UNITS,
    CONTROL,
    FUNDED,
    Night,
    Person,
    Row,
    adds_up_to_pay,
    make_finding,
    payer_of,
    told,
    whose,
)


def units_above_limit(night: Night) -> list[Row]:
    """Q11: valid units of a division and kind against the smallest limit stated for them (decision 52)."""
    limits: dict[tuple[str, str], int] = {}
    for row in night.books["limits"]:
        key = (row["division_code"], row["unit_kind"])
        limits[key] = min(row["max_units"], limits.get(key, row["max_units"]))
    named = {division for division, _ in limits}
    for folder in night.divisions:
        if folder not in named and not _limits_present(night, folder):
            night.not_evaluable.add(("Q11", folder, ALL_UNITS, "limits"))
    kinds = [(row["division_code"], row["unit_kind"], row) for row in night.units.values()]
    valid = Counter((division, kind) for division, kind, row in kinds if night.is_valid(row))
    maybe = Counter((division, kind) for division, kind, row in kinds if night.may_be_valid(row))
    out = {folder for folder, book in (night.expected | night.delivered) - night.accepted if book == "units"}
    found = []
    for (division, kind), limit in sorted(limits.items()):
        if division in out:
            night.not_evaluable.add(("Q11", division, ALL_UNITS, "units"))
        elif valid[division, kind] > limit:
            grain: dict[str, str | None] = {"division_code": division, "unit_kind": kind}
            texts = {"expected": limit, "found": valid[division, kind]}
            found.append(make_finding("Q11", grain, "S2", division_code=division, **texts))
        elif maybe[division, kind] > limit:
            night.not_evaluable.add(("Q11", division, ALL_UNITS, "units"))
    return found


def _limits_present(night: Night, folder: str) -> bool:
    if (folder, "limits") in night.accepted | night.delivered | night.expected:
        return (folder, "limits") in night.accepted
    return any((above, "limits") in night.accepted for above in division_lineage(folder)[1:])


def paid_per_division(night: Night) -> list[Row]:
    """Finance-paid headcount of every division whose payroll is whole; what next year is compared with."""
    units_of: dict[str, list[str]] = defaultdict(list)
    for unit, row in night.units.items():
        units_of[row["division_code"]].append(unit)
    paid = _funded(night, night.paid_of)
    figures = []
    for division in sorted({*units_of, *night.divisions}):
        persons = [unit for unit in units_of.get(division, []) if not night.counts_only(unit)]
        lost = (division, "payroll") in (night.expected | night.delivered) - night.accepted
        lost = lost or any(not night.present("payroll", unit) for unit in persons)
        if lost or night.counts_only_division(division):
            night.not_evaluable.add(("F11", division, ALL_UNITS, "payroll"))
        elif _register_is_out(night, division, units_of):
            night.not_evaluable.add(("F11", division, ALL_UNITS, "units"))
        elif units_of.get(division):
            figures.append({"division_code": division, "paid": paid[division]})
    return figures


def _register_is_out(night: Night, division: str, units_of: dict[str, list[str]]) -> bool:
    """Whether a folder's register, which alone says whose the payers are, did not come."""
    if division not in night.divisions or (division, "units") in night.accepted:
        return False
    return (division, "units") in night.expected | night.delivered or not units_of.get(division)


def paid_above_limit(night: Night, figures: list[Row]) -> list[Row]:
    """F11: paid against the same month last year and Σ base_paid, the smallest that is known (decision 53)."""
    year_ago = {row["division_code"]: row["paid"] for row in night.facts["year_ago"]}
    then = _paid_a_year_ago(night)
    bases = _paid_bases(night)
    found = []
    for figure in figures:
        division = figure["division_code"]
        known = _limits(night, year_ago.get(division), then.get(division), bases.get(division))
        binding = min(known, key=lambda limit: limit["figure"], default=None)
        if binding is None:
            night.not_evaluable.add(("F11", division, ALL_UNITS, "base"))
        elif figure["paid"] > binding["figure"]:
            texts = {"expected": binding["figure"], "found": figure["paid"]}
            texts["evidence"] = told({"bound": binding["limit"], "ceilings": known})
            found.append(make_finding("F11", {"division_code": division}, "S2", division_code=division, **texts))
    return found


def _paid_bases(night: Night) -> dict[str, list[int]]:
    """What Σ base_paid adds, one figure per type: the smallest stated of it. A type nobody states leaves no sum to speak of,
    and control numbers are in none (decision 53)."""
    stated: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row in night.books["base"]:
        if row["post_type"] != CONTROL:
            figure = row.get("base_paid")
            stated[row["division_code"]][row["post_type"]] += [] if figure is None else [figure]
    return {
        division: [min(figures) for figures in types.values()]
        for division, types in stated.items()
        if all(types.values())
    }


def _limits(night: Night, of_night: int | None, of_book: int | None, bases: list[int] | None) -> list[Row]:
    """Every limit that is known: where it is from, its figure, its month or the rows it adds. Last year's comes first."""
    month = f"{night.as_of.year - 1}-{night.as_of.month:02d}"
    known: list[Row] = []
    if of_night is not None:
        known.append({"limit": "NIGHT_A_YEAR_AGO", "figure": of_night, "month": month})
    elif of_book is not None:
        known.append({"limit": "BOOK_A_YEAR_AGO", "figure": of_book, "month": month})
    if bases is not None:
        known.append({"limit": "BASE", "figure": sum(bases), "rows": len(bases)})
    return known


def _paid_a_year_ago(night: Night) -> dict[str, int]:
    """Per division with any payroll row of the same month last year in tonight's book."""
    month = f"{night.as_of.year - 1}-{night.as_of.month:02d}"
    rows = [(who, row) for who, row in whose("payroll", night.books["payroll"]) if row.get("month") == month]
    in_p: dict[Person, list[Row]] = defaultdict(list)
    for who, row in rows:
        if row.get("person_state") == "IN_SERVICE" and row.get("on_establishment") == "YES":
            in_p[who].append(row)
    paid = _funded(night, {who: mine for who, mine in in_p.items() if adds_up_to_pay(mine)})
    payers = {payer_of(row) for _, row in rows} & set(night.units)
    return {division: paid[division] for division in {night.units[payer]["division_code"] for payer in payers}}


def _funded(night: Night, paid_of: dict[Person, list[Row]]) -> Counter[str]:
    """Persons with fund mode FULL or PART, once at each payer, summed per division of the payer."""
    at: set[tuple[str, Person]] = set()
    for who, rows in paid_of.items():
        if not night.only_control(who):
            at |= {(payer_of(row), who) for row in rows if row["fund_mode"] in FUNDED}
    return Counter(night.units[payer]["division_code"] for payer, _ in at if payer in night.units)
