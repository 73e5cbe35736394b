"""The random nights reach what they are made for: every rule, severity, cause and reason not to judge, and every date known
to the month only that may decide. Oracle only, so it is fast."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from reconcile.catalog import RULES
from tests.property.drawn_nights import drawn_nights
from tests.spec.spec import Night, Result, on_oracle

SEED, NIGHTS, NIGHTS_OF_MONTHS = 1, 400, 300
# Rules and the dates whose month alone may decide them, by book (decision 0027).
MONTHS = {
    ("units", "valid_from"): {"Q06", "Q11"},
    ("units", "valid_to"): {"Q06"},
    ("permits", "approved_on"): {"P01"},
    ("permits", "valid_until"): {"P03"},
    ("roster", "entry_date"): {"P01", "P02", "P03", "P04", "P06", "P07", "D07"},
    ("roster", "exit_date"): {"P02", "P05", "D07"},
    ("roster", "entry_registered"): {"P02", "P04"},
    ("roster", "exit_registered"): {"P05"},
    ("leads", "date"): {"F06"},
}
SOFTENED = {("P05", "S4"), ("Q06", "S4")}
CAUSES = {
    "P01": {"NO_PERMIT", "UNKNOWN_PERMIT", "OTHER_CELL", "APPROVED_LATER"},
    "P03": {"OVERUSED", "EXPIRED"},
    "P05": {None, "QUARANTINE"},
    "D03": {None, "QUARANTINE"},
    "F01": {None, "QUARANTINE", "BLANK_ID"},
    "F02": {None, "QUARANTINE", "BLANK_ID", "TIMING", "LEAVE", "PAID_AS_OTHER"},
    "F03": {"QUARANTINE", "TIMING", "EXITED", "OFF_QUOTA", "NOT_YET_ENTERED", "NO_EXIT_DATE"},
    "F09": {None, "UNEXPLAINED", "PERSONS_NOT_DELIVERED"},
}
EXPLAINED_BY = {"F01": {"D03"}, "F02": {"D03"}, "F09": {"P02", "entered before the gate", "F01", "F02", "D01"}}
GATE = {("gate_start", False), ("gate_start", True), ("roster", False), ("roster", True)}
PERMITS = {("permits", False), ("permits", True)}
# Reasons not to judge, (book, whole folder), of the rules about entries, ranks, history and names.
REASONS = {
    "Q05": {("roster", True), ("roster", False), ("units", True), ("units", False)},
    "Q09": {("position", True)},
    "Q10": {("position", True)},
    "Q11": {("limits", True), ("units", True)},
    "F06": {("payroll", True), ("leads", True), ("leads", False), ("roster", True)},
    "Q06": {("units", True), ("units", False)},
    "F11": {("payroll", True), ("base", True), ("units", True)},
    "D03": {("roster", True), ("payroll", True)},
    "D04": {("roster", True), ("roster", False)},
    "P01": GATE | PERMITS,
    "P02": GATE | {("establishment", True), ("establishment", False)},
    "P03": GATE | PERMITS,
    "P04": GATE,
    "P05": GATE,
    "P06": GATE | PERMITS,
    "P07": GATE,
}

# What a plain reading of the books gets wrong, met where it changes the answer.
CASES = {
    "a part that is false", "a total that is not the unit's own", "a part of the own unit", "outside the quota of the payer",
    "paid outside the quota, gone within M", "a base without a figure", "control numbers in the base", "two bases of a type",
}  # fmt: skip
FIGURE = ("measure", "post_type", "fund_form", "source")


def _cases(night: Night, said: Result) -> Iterator[str]:
    found = {
        rule: [row for row in said.findings if row["rule"] == rule] for rule in ("D05", "D06", "F03", "F08", "F11")
    }
    figures = [row for row in night.books["headcount"] if row["scope"] == "ON_ESTABLISHMENT"]
    parts = {(row["part_of"], *(row[name] for name in FIGURE)) for row in figures if row["part_of"]}
    wrong = {tuple(json.loads(row["grain"]).values()) for row in found["D05"]}
    judged = {(row["rule"], row["unit_code"]) for row in said.findings}
    for row in figures:
        place = (row["unit_code"], *(row[name] for name in FIGURE))
        if place in wrong and row["part_of"]:
            yield "a part that is false"
        if place in parts and place not in wrong and ("D06", row["unit_code"]) not in judged and row["count"]:
            yield "a total that is not the unit's own"
        if row["part_of"] == row["unit_code"] and ("D06", row["unit_code"]) in judged:
            yield "a part of the own unit"
    outside = {(row["person_key"], row["unit_code"]) for row in night.books["roster"] if _gone_outside(row)}
    for row in found["F08"]:
        if any((row["person_key"], payer) in outside for payer in row["found"].split(";")):
            yield "outside the quota of the payer"
    for row in found["F03"]:
        if row["cause"] == "OFF_QUOTA" and row["person_key"] in {person for person, _ in outside}:
            yield "paid outside the quota, gone within M"
    for row in found["F11"]:
        mine = [base for base in night.books["base"] if base["division_code"] == row["division_code"]]
        counted = [base["post_type"] for base in mine if base["post_type"] != "CONTROL_NUMBER"]
        by_base = any(limit["limit"] == "BASE" for limit in json.loads(row["evidence"])["ceilings"])
        if by_base and len(counted) < len(mine):
            yield "control numbers in the base"
        if by_base and len(set(counted)) < len(counted):
            yield "two bases of a type"
        if counted and not by_base:
            yield "a base without a figure"


def _gone_outside(row: dict) -> bool:
    leaves = row["exit_date"]
    return (
        row["status"] == "OFF_QUOTA"
        and leaves is not None
        and (leaves.year, leaves.month, leaves.day > 1) == (2026, 10, True)
    )


def test_random_nights_reach_every_rule_cause_and_gap():
    seen: Counter = Counter()
    for night in drawn_nights(SEED, NIGHTS):
        said = on_oracle(night)
        for row in said.findings:
            seen[row["rule"], "severity", row["severity"]] += 1
            seen[row["rule"], "cause", row["cause"]] += 1
            for key in json.loads(row["explained_by"] or "[]"):
                seen[row["rule"], "explained by", key.split("-")[0]] += 1
        seen.update(("case", case) for case in _cases(night, said))
        for row in said.not_evaluable:
            seen[row["rule"], "lacks", (row["book"], row["unit_code"] == "*")] += 1
    wanted = {(code, "severity", severity) for code, rule in RULES.items() for severity in rule.severities}
    wanted |= {(code, "severity", severity) for code, severity in SOFTENED}
    wanted |= {(code, "cause", cause) for code, causes in CAUSES.items() for cause in causes}
    wanted |= {(code, "lacks", reason) for code, reasons in REASONS.items() for reason in reasons}
    wanted |= {("case", case) for case in CASES}
    wanted |= {(code, "explained by", other) for code, others in EXPLAINED_BY.items() for other in others}
    assert sorted(wanted - set(seen), key=str) == []


def test_every_date_is_drawn_as_a_month_that_decides():
    seen = set()
    for night in drawn_nights(SEED, NIGHTS_OF_MONTHS):
        said = on_oracle(night)
        for place, exact in _taken_for_days(night):
            seen |= {(place, rule) for rule in MONTHS[place] if _of(said, rule) != _of(on_oracle(exact), rule)}
    wanted = {(place, rule) for place, rules in MONTHS.items() for rule in rules}
    assert sorted(wanted - seen) == []


def _taken_for_days(night: Night) -> Iterator[tuple[tuple[str, str], Night]]:
    """The night with the months of one column taken for the first of them."""
    for book, column in MONTHS:
        known = f"{column}_exact"
        if any(row[known] is False for row in night.books[book]):
            rows = [row | {known: None if row[column] is None else True} for row in night.books[book]]
            yield (book, column), replace(night, books=night.books | {book: rows})


def _of(said: Result, rule: str) -> tuple[list, list]:
    """What a rule found, and where it could not judge."""
    keys = [(row["key"], row["found"], row["cause"]) for row in said.findings if row["rule"] == rule]
    return keys, [row for row in said.not_evaluable if row["rule"] == rule]
