"""What a rule answers: the columns of a finding, its grain and its key. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import Any

# Types as Ibis spells them. expected and found are text; `Rule.countable` says which are numbers.
FINDING_SCHEMA = {
    "rule": "string",
    "key": "string",
    "grain": "string",
    "severity": "string",
    "division_code": "string",
    "unit_code": "string",
    "post_type": "string",
    "fund_form": "string",
    "person_key": "string",
    "person_mask": "string",
    "expected": "string",
    "found": "string",
    "cause": "string",
    "explained_by": "string",
    "evidence": "string",
}
NOT_EVALUABLE_SCHEMA = {"rule": "string", "division_code": "string", "unit_code": "string", "book": "string"}
KEY_DIGITS = 20


def grain_text(**parts: str | None) -> str:
    """A grain in its one spelling: JSON, keys in the rule's order, no spaces, text unescaped."""
    return json.dumps(parts, ensure_ascii=False, separators=(",", ":"))


def flag_key(rule: str, grain: str) -> str:
    """The identity of a flag: rule and grain, never a row number."""
    return f"{rule}-{hashlib.sha256(f'{rule}|{grain}'.encode()).hexdigest()[:KEY_DIGITS]}"


@dataclass(frozen=True)
class FlagItem:
    """One line of a list of flags. `expected` and `found` are numbers where the rule counts, else text."""

    key: str
    rule: str
    severity: str
    status: str
    unit_code: str | None
    unit_name: str | None
    division_code: str | None
    post_type: str | None
    fund_form: str | None
    person: str | None
    expected: int | str | None
    found: int | str | None
    cause: str | None
    explained_by: str | None
    first_seen: date | None
    last_seen: date | None
    grain: dict[str, Any]
    evidence: str | None
    version: int | None
