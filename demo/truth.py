"""What every night of the demo city must say: from the planter and from the oracle, which must agree."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from core.calendar import working_days
from core.errors import InvariantViolated
from core.identity import keyed, mask_id
from core.parameters import DEFINITIONS, RANKS
from demo.assembly import BOOKS, NightBooks, quarantine_rows
from demo.oracle import Judgement, judge
from demo.stage import Claim, Row, Stage

GREEN, RED = 0, 11


class History:
    """What each division delivered on earlier nights, to know what is expected of it tonight (decision 4)."""

    def __init__(self) -> None:
        self.last_good: dict[str, set[str]] = {}
        self.seen: set[str] = set()

    def verdicts(self, night: NightBooks) -> list[Row]:
        """One row per division and book; call once per night, in order."""
        tonight: dict[str, set[str]] = {}
        for book, folders in night.rows.items():
            for folder, rows in folders.items():
                if rows:
                    tonight.setdefault(folder, set()).add(book)
        rows = []
        for folder in sorted(self.seen | set(tonight)):
            delivered = tonight.get(folder, set())
            expected = {"units"} | self.last_good.get(folder, delivered)
            accepted = {book for book in delivered if (folder, book) not in night.refused}
            rows += [_verdict(night, folder, book, expected, delivered, accepted) for book in BOOKS]
            if expected <= accepted:
                self.last_good[folder] = accepted
        self.seen |= set(tonight)
        return rows


def _verdict(night: NightBooks, folder: str, book: str, expected: set, delivered: set, accepted: set) -> Row:
    records = night.rows[book].get(folder, []) if book in accepted else []
    bad = sum("_bad" in row for row in records)
    copies = sum("_copy" in row for row in records)
    if book not in delivered:
        word = "MISSING"
    elif book not in accepted:
        word = "REJECTED"
    else:
        word = "ACCEPTED_WITH_QUARANTINE" if bad else "ACCEPTED"
    return {
        "division_code": folder, "book": book, "expected": book in expected, "delivered": book in delivered,
        "accepted": book in accepted, "verdict": word, "rows_in": len(records), "accepted_rows": len(records) - bad - copies,
        "duplicates": copies, "quarantined": bad,
    }  # fmt: skip


def judge_night(night: NightBooks, verdicts: list[Row], own: dict[str, list[Row]]) -> Judgement:
    """The oracle on the logical rows: what is left once the gate has done its part.

    own: rows of our own position book and of gate_start and year_ago, by name.
    """
    books = {book: night.accepted_rows(book) for book in BOOKS}
    facts = {"quarantine": quarantine_rows(night), "totals": night.totals, "cutoffs": night.cutoffs, **own}
    facts["rank_order"] = [{"word": word, "place": place} for place, words in enumerate(RANKS, 1) for word in words]
    opens = min(row["starts"] for row in own["gate_start"])
    columns = ("day", "number", "published")
    facts["workday"] = [dict(zip(columns, day, strict=True)) for day in working_days(opens, night.as_of)]
    names = ("allowed_post_types", "entry_days", "exit_days", "idle_months")
    parameters = {name: DEFINITIONS[name].default for name in names}
    return judge(books, facts, verdicts, night.as_of, parameters)


def check_claims(claims: dict[tuple[str, str], Claim], findings: list[Row], night: date) -> None:
    """Planter and oracle must agree on rule, grain, severity, cause and every figure the planter states.

    Errors: InvariantViolated, naming rules and units only.
    """
    found = {(row["rule"], row["grain"]): row for row in findings}
    differences = [
        f"{rule} planted, not found: unit {claims[rule, grain].unit_code}"
        for rule, grain in claims.keys() - found.keys()
    ]
    differences += [
        f"{rule} found, not planted: unit {found[rule, grain]['unit_code']}"
        for rule, grain in found.keys() - claims.keys()
    ]
    for place in claims.keys() & found.keys():
        claim, row = claims[place], found[place]
        for name in ("severity", "unit_code", "cause", "expected", "found"):
            stated = getattr(claim, name)
            if stated != row[name] and (stated is not None or name in ("severity", "unit_code", "cause")):
                differences.append(
                    f"{claim.rule} of unit {claim.unit_code}: {name} planted {stated}, found {row[name]}"
                )
    if differences:
        sample = "; ".join(sorted(differences)[:12])
        raise InvariantViolated(
            f"demo night {night}: planter and oracle disagree in {len(differences)} places: {sample}"
        )


def check_colour(planned: dict[tuple[str, str], str], truth: dict[str, Any], verdicts: list[Row]) -> None:
    """A night is red for the planned reasons alone, and no book is delivered that the gate would refuse unplanned.

    Errors: InvariantViolated.
    """
    reasons = {(reason["division_code"], reason["book"]): reason["why"] for reason in truth["red_reasons"]}
    hollow = [v["book"] for v in verdicts if v["accepted"] and v["rows_in"] == v["quarantined"]]
    if reasons != planned or hollow:
        raise InvariantViolated(
            f"demo night {truth['as_of']}: red for {reasons}, planned {planned}; no good row: {hollow}"
        )


def truth_of(stage: Stage, k: int, night: NightBooks, verdicts: list[Row], judgement: Judgement) -> dict[str, Any]:
    """The truth of one night as it is written to truth/<as_of>.json."""
    findings = [_finding(row) for row in judgement.findings]
    places = {
        row["key"]: {"rule": f["rule"], "grain": f["grain"]}
        for row, f in zip(judgement.findings, findings, strict=True)
    }
    for row, finding in zip(judgement.findings, findings, strict=True):
        if row["explained_by"]:
            finding["explained_by"] = [places.get(entry, entry) for entry in json.loads(row["explained_by"])]
    reasons = [
        {"division_code": v["division_code"], "book": v["book"], "why": "REFUSED" if v["delivered"] else "MISSING"}
        for v in verdicts
        if v["expected"] and not v["accepted"]
    ]
    names = ("division_code", "book", "verdict", "expected", "rows_in", "duplicates", "quarantined")
    shown = [v for v in verdicts if v["expected"] or v["delivered"]]
    return {
        "as_of": night.as_of.isoformat(),
        "month": stage.months[k],
        "exit": RED if reasons else GREEN,
        "red_reasons": reasons,
        "verdicts": [{name: v[name] for name in names} | {"accepted": v["accepted_rows"]} for v in shown],
        "count_by_rule": dict(sorted(Counter(row["rule"] for row in findings).items())),
        "findings": findings,
        "not_evaluable": judgement.not_evaluable,
        "claimed_by_planter": len(stage.claims[k]),
    }


def _finding(row: Row) -> dict[str, Any]:
    names = ("rule", "severity", "division_code", "unit_code", "post_type", "fund_form", "cause", "expected", "found")
    grain = json.loads(row["grain"])
    if "person_key" in grain:
        grain = {("person_id" if name == "person_key" else name): value for name, value in grain.items()}
    return {name: row[name] for name in names} | {"grain": grain, "explained_by": None}


def write_truth(out: Path, truth: dict[str, Any]) -> Path:
    path = out / "truth" / f"{truth['as_of']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def key_of(rule: str, grain: dict[str, Any], person_key_secret: str) -> str:
    """The flag key a night gives a truth grain: person_id keyed, then rule and grain hashed."""
    parts = {}
    for name, value in grain.items():
        if name == "person_id":
            parts["person_key"] = _keyed_person(value, person_key_secret) if value else None
        else:
            parts[name] = value
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return f"{rule}-{hashlib.sha256(f'{rule}|{text}'.encode()).hexdigest()[:20]}"


def _keyed_person(value: str, secret: str) -> str:
    """The key of a person, or of the two whom D03 suggests to be one: each keyed, then in text order."""
    return ";".join(sorted(keyed(secret, number) for number in value.split(";")))


def compare(truth: dict[str, Any], flags: Iterable[dict[str, Any]], person_key_secret: str) -> list[str]:
    """Sentences on every difference between a truth and `bianzhi flags --format json`; empty when equal. No ids: masks.

    Compared: key (rule and grain), severity, unit_code, cause, expected, found.
    """
    due = {key_of(f["rule"], f["grain"], person_key_secret): f for f in truth["findings"]}
    seen = {flag["key"]: flag for flag in flags}
    lines = [f"{truth['as_of']}: missing {_named(due[key])}" for key in due.keys() - seen.keys()]
    lines += [f"{truth['as_of']}: unexpected {_named(seen[key])}" for key in seen.keys() - due.keys()]
    for key in due.keys() & seen.keys():
        for name in ("severity", "unit_code", "cause", "expected", "found"):
            wanted, given = _text(due[key][name]), _text(seen[key].get(name))
            if wanted != given:
                lines.append(f"{truth['as_of']}: {_named(due[key])}: {name} is {given}, must be {wanted}")
    return sorted(lines)


def _text(value: object) -> str | None:
    """Countable figures come as numbers from the list of flags, as text from the truth; `-` is nothing to say."""
    if value in (None, "", "-"):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def _named(finding: dict[str, Any]) -> str:
    grain = finding.get("grain") or {}
    numbers = (grain.get("person_id") or "").split(";")
    who = ";".join(map(mask_id, numbers)) or finding.get("person")
    rest = [
        str(value) for name, value in grain.items() if name not in ("person_id", "person_key", "unit_code") and value
    ]
    parts = [finding["rule"], f"unit {finding.get('unit_code') or '-'}", *([f"person {who}"] if who else []), *rest]
    return " ".join(parts)
