"""F09, the three numbers of a unit; the figures of every cell; the presence classes (DOMAIN §4)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import Any

from demo.oracle.counts import Counts
from demo.oracle.night import CONTROL, FUNDED, Blank, Cell, Night, Person, Row, make_finding, payer_of, told
from demo.oracle.quota import unit_allowed, unit_in_post

NAMING = ("F01", "F02", "F03", "F04", "F05", "F07", "F08", "D01", "D02")
BEFORE_THE_GATE = "entered before the gate"


def three_numbers(night: Night, counts: Counts, findings: list[Row]) -> list[Row]:
    """F09 of every unit; `findings` are those of the rules that may name a person."""
    if night.roster_is_out:
        return []
    named = _named(findings)
    entered = defaultdict(list)
    for finding in findings:
        if finding["rule"] == "P02":
            entered[finding["unit_code"]].append(finding["key"])
    in_post, paid = _in_post_side(night), _paid_side(night)
    found = []
    for unit in night.all_units:
        if night.counts_only(unit):
            found += _on_counts_alone(night, counts, unit)
        elif night.present("roster", unit) and night.present("payroll", unit):
            found += _unit_numbers(night, unit, in_post[unit], paid[unit], named, entered[unit])
    return found


def _named(findings: list[Row]) -> dict[tuple[str | None, str | None, str | None], list[Row]]:
    """The findings that name a person; a blank id is named by (None, book, unit)."""
    named = defaultdict(list)
    for finding in findings:
        if finding["rule"] in NAMING:
            if finding["person_key"] is None:
                named[None, json.loads(finding["grain"])["book"], finding["unit_code"]].append(finding)
            else:
                named[finding["person_key"], None, None].append(finding)
    return named


def _in_post_side(night: Night) -> dict[str, Counter]:
    """Persons per FULL or PART cell, without those not yet paid because they entered within M."""
    side: dict[str, Counter] = defaultdict(Counter)
    for who, rows in night.active_of.items():
        for unit in {row["unit_code"] for row in rows}:
            held = [
                r for r in rows if r["unit_code"] == unit and r["fund_form"] in FUNDED and r["post_type"] != CONTROL
            ]
            waits = who not in night.paid_of and any(night.enters_within(row) for row in held)
            if held and (isinstance(who, Blank) or not waits):
                side[unit][who] = len({(row["post_type"], row["fund_form"]) for row in held})
    return side


def _paid_side(night: Night) -> dict[str, Counter]:
    """Persons of P with fund mode FULL or PART, each at the unit decision 24 counts them at."""
    side: dict[str, Counter] = defaultdict(Counter)
    for who, pay in night.paid_of.items():
        rows, active = night.roster_of.get(who, []), night.active_of.get(who, [])
        if not isinstance(who, Blank) and rows:
            if night.only_control(who):
                continue
            judged = [row for row in rows if row["post_type"] != CONTROL]
            leaves_in_month = any(night.left_within(row) for row in judged)
            enters_later = any(night.enters_later(row) for row in judged)
            if not active and (leaves_in_month or enters_later):
                continue
        for payer in {payer_of(row) for row in pay if row["fund_mode"] in FUNDED}:
            side[_counted_at(night, who, payer)][who] = 1
    return side


def _counted_at(night: Night, who: Person, payer: str) -> str:
    counted = [row for row in night.active_of.get(who, []) if row["post_type"] != CONTROL]
    active = sorted(counted, key=lambda row: row["unit_code"])
    if any(row["unit_code"] == payer for row in active):
        return payer
    for row in active:
        if row["status"] == "SECONDED_OUT" and row.get("seconded_to") == payer:
            return row["unit_code"]
    rows = [row for row in night.roster_of.get(who, []) if row["post_type"] != CONTROL]
    left = any(row["unit_code"] == payer and night.left_within(row) for row in rows)
    return active[0]["unit_code"] if left and active else payer


def _unit_numbers(
    night: Night, unit: str, in_post: Counter, paid: Counter, named: dict, entered: list[str]
) -> list[Row]:  # fmt: skip
    heads, allowed = unit_in_post(night, unit), None
    if night.present("establishment", unit):
        allowed = unit_allowed(night, unit)
    differs = in_post.total() != paid.total()
    over = allowed is not None and heads > allowed
    if not differs and not over:
        return []
    sides = _explained(unit, in_post, paid, named)
    effects, residual = sides["effects"], sides["residual"]
    explained = sorted(effects) if differs else sorted(entered) or [BEFORE_THE_GATE]
    first, second = (in_post.total(), paid.total()) if differs else (allowed, heads)
    return [
        make_finding(
            "F09", {"unit_code": unit}, "S1" if residual else "S2", division_code=night.division_of(unit), unit_code=unit,
            expected=first, found=second, cause="UNEXPLAINED" if residual else None,
            explained_by=json.dumps(explained, ensure_ascii=False),
            evidence=told(
                {"quota": None if allowed is None else allowed - _loans(night, unit), "allowed": allowed,
                 "in_post": in_post.total(), "paid": paid.total(), **sides}
            ),
        )
    ]  # fmt: skip


def _loans(night: Night, unit: str) -> int:
    return sum(lent for cell, lent in night.loans.items() if cell[0] == unit and cell[1] != CONTROL)


def _explained(unit: str, in_post: Counter, paid: Counter, named: dict) -> dict[str, Any]:
    """Who makes in post − paid what it is: what each finding adds to it, and what those add whom none names."""
    effects: Counter[str] = Counter()
    alone = residual = unnamed = 0
    for who in {*in_post, *paid}:
        by = in_post[who] - paid[who]
        if not by:
            continue
        base = min(in_post[who], 1) - paid[who]
        alone += base != 0
        name = (None, who.book, unit) if isinstance(who, Blank) else (who, None, None)
        telling = named.get(name, [])
        for finding in telling:
            effects[finding["key"]] += 0
            effects[finding["key"]] += by - base if finding["rule"] == "D01" else 0
        if telling:
            carrier = min(telling, key=lambda f: (f["unit_code"] != unit, f["rule"] == "D01", f["key"]))
            effects[carrier["key"]] += base
        else:
            residual, unnamed = residual + 1, unnamed + by
    return {
        "on_one_side": alone, "named": alone - residual, "residual": residual,
        "difference": in_post.total() - paid.total(), "named_effect": effects.total(), "residual_effect": unnamed,
        "effects": dict(sorted(effects.items())),
    }  # fmt: skip


def _on_counts_alone(night: Night, counts: Counts, unit: str) -> list[Row]:
    funds = ("FULL", "PART", "")
    if not night.present("headcount", unit):
        return []
    in_post, paid = counts.total(unit, "IN_POST", funds), counts.total(unit, "PAID", funds)
    if paid is None:
        night.lacks("F09", unit, "payroll")
    if in_post is None:
        night.lacks("F09", unit, "headcount")
    if paid is None or in_post is None:
        return []
    heads, quota = counts.total(unit, "IN_POST"), counts.quota_total(unit)
    quota = 0 if quota is None and counts.no_row_is_zero(unit) else quota
    allowed = None if quota is None else quota + counts.loans(unit)
    over = heads is not None and allowed is not None and heads > allowed
    if in_post == paid and not over:
        return []
    first, second = (in_post, paid) if in_post != paid else (allowed, heads)
    return [
        make_finding(
            "F09", {"unit_code": unit}, "S2", division_code=night.division_of(unit), unit_code=unit, expected=first,
            found=second, cause="PERSONS_NOT_DELIVERED",
            evidence=told(
                {"quota": quota, "allowed": allowed, "in_post": in_post, "paid": paid, "difference": in_post - paid,
                 "on_one_side": None, "named": None, "residual": None}
            ),
        )
    ]  # fmt: skip


def cell_figures(night: Night, counts: Counts) -> list[Row]:
    """Quota, allowed, in post and paid of every cell, and of every unit ('' '') without control numbers."""
    paid_at: dict[str, set[Person]] = defaultdict(set)
    funded_at: dict[str, set[Person]] = defaultdict(set)
    for who, rows in night.paid_of.items():
        for row in rows:
            paid_at[payer_of(row)].add(who)
            if row["fund_mode"] in FUNDED and not night.only_control(who):
                funded_at[payer_of(row)].add(who)
    figures = []
    for unit in night.all_units:
        if night.counts_only(unit):
            figures += _counted_figures(night, counts, unit)
            continue
        has_roster, has_payroll = night.present("roster", unit), night.present("payroll", unit)
        has_quota = night.present("establishment", unit)
        cells = sorted(night.cells_of.get(unit, set()))
        for cell in cells:
            holders = night.holders.get(cell, set())
            quota, allowed = (night.quota(cell), night.allowed(cell)) if has_quota else (None, None)
            paid = len(holders & paid_at[unit]) if has_payroll and has_roster else None
            figures.append(_figure(night, unit, cell, quota, allowed, len(holders) if has_roster else None, paid))
        quotas = [night.quota(cell) for cell in cells if cell[1] != CONTROL]
        known = has_quota and unit not in night.shut_units and None not in quotas
        total = sum(q for q in quotas if q is not None) if known else None
        figures.append(
            _figure(
                night, unit, (unit, "", ""), total, unit_allowed(night, unit) if known else None,
                unit_in_post(night, unit) if has_roster else None, len(funded_at[unit]) if has_payroll else None,
            )
        )  # fmt: skip
    return figures


def _figure(
    night: Night, unit: str, cell: Cell, quota: int | None, allowed: int | None, in_post: int | None, paid: int | None,
    part_of: str | None = None,
) -> Row:  # fmt: skip
    return {
        "division_code": night.division_of(unit), "unit_code": unit, "post_type": cell[1], "fund_form": cell[2],
        "quota": quota, "allowed": allowed, "in_post": in_post, "paid": paid, "part_of": part_of,
    }  # fmt: skip


def _counted_figures(night: Night, counts: Counts, unit: str) -> list[Row]:
    part_of = counts.part_of.get(unit)
    figures = []
    for cell in counts.cells(unit):
        quota = counts.cell_quota(cell)
        allowed = None if quota is None else quota + night.loans.get(cell, 0)
        in_post, paid = (counts.stated(unit, measure).get(cell[1:]) for measure in ("IN_POST", "PAID"))
        figures.append(_figure(night, unit, cell, quota, allowed, in_post, paid, part_of))
    quota = counts.quota_total(unit)
    quota = 0 if quota is None and counts.no_row_is_zero(unit) else quota
    allowed = None if quota is None else quota + counts.loans(unit)
    in_post, paid = counts.total(unit, "IN_POST"), counts.total(unit, "PAID", ("FULL", "PART", ""))
    figures.append(_figure(night, unit, (unit, "", ""), quota, allowed, in_post, paid, part_of))
    return figures


def presence_classes(night: Night) -> list[Row]:
    """People of a unit by the bits quota, roster, pay; control numbers are in none."""
    bits: dict[str, dict[Person, list[bool]]] = defaultdict(dict)
    for who, rows in night.active_of.items():
        for row in night.judged(rows):
            if row["post_type"] != CONTROL:
                mine = bits[row["unit_code"]].setdefault(who, [False, True, False])
                cell = (row["unit_code"], row["post_type"], row["fund_form"])
                mine[0] = mine[0] or (night.quota(cell) or 0) > 0
    for who, rows in night.paid_of.items():
        for row in rows:
            payer = payer_of(row)
            if night.only_control(who) or night.counts_only(payer):
                continue
            mine = bits[payer].setdefault(who, [False, False, False])
            mine[2] = True
            if not mine[1]:
                cells = [c for c in night.cells_of.get(payer, ()) if c[1] != CONTROL and c[2] == row["fund_mode"]]
                mine[0] = mine[0] or any((night.quota(cell) or 0) > 0 for cell in cells)
    figures = []
    for unit, people in sorted(bits.items()):
        if night.present("roster", unit) and night.present("payroll", unit):
            tally = Counter("".join("1" if bit else "0" for bit in mine) for mine in people.values())
            figures += [{"unit_code": unit, "bits": bit, "people": number} for bit, number in sorted(tally.items())]
    return figures
