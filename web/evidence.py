"""What a rule saw, as lines and tables a person can read: the JSON of evidence and grain without its brackets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from expectations.books import BOOKS
from web.words import SAID, spelled, word

KEY = re.compile(r"[A-Z]\d{2}-[0-9a-f]{20}")
PERSON_KEY_SHOWN = 8
# Which vocabulary a field's identifiers belong to.
VOCABULARY_OF = {
    "book": "book", "post_type": "post_type", "fund_form": "fund_form", "fund_mode": "fund_form", "measure": "measure",
    "leader_tier": "leader_tier", "scope": "scope", "status": "person_status", "state": "person_state",
    "on_establishment": "yes_no", "fact": "fact", "kind": "lead",
    "entry_form": "entry_form", "source_of_people": "entry_form", "level": "level", "from_level": "level",
    "to_level": "level", "was_level": "level", "from_fund_form": "fund_form", "was_form": "fund_form",
    "bound": "limit_source", "limit": "limit_source", "since_by": "since_by", "against": "against",
    "calendar": "calendar",
}  # fmt: skip

# What pages show of evidence in places of their own, or not at all: whom a cut list concerns is for who may see the flag.
APART = ("clears_when", "effects", "units", "units_before")
LEFT_OUT = "_left_out"
# What pages show of a grain in places of their own.
SHOWN = ("person_key", "unit_code", "division_code", "post_type", "fund_form")


@dataclass(frozen=True)
class Line:
    """A label and its value."""

    label: str
    value: str


@dataclass(frozen=True)
class Rows:
    """Records of one book, as the rule saw them."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    # How many more there are than a finding carries.
    left_out: int = 0


def grain_lines(grain: Mapping[str, Any], rule: str) -> list[Line]:
    """What makes the flag the same flag every night."""
    return [Line(word("field", name), _text(name, value, rule)) for name, value in grain.items() if value is not None]


def about(grain: Mapping[str, Any], rule: str) -> list[Line]:
    """What a flag is about beside its unit, person and cell: the book, the measure, the leader tier, the total."""
    return [
        line
        for name, line in zip(grain, _lines(grain, rule), strict=True)
        if name not in SHOWN and grain[name] is not None
    ]


def _lines(grain: Mapping[str, Any], rule: str) -> list[Line]:
    return [Line(word("field", name), _text(name, value, rule)) for name, value in grain.items()]


def evidence_lines(text: str | None, rule: str) -> tuple[list[Line], list[Rows]]:
    """The single values of the evidence, and its records: what is known first, then book by book."""
    lines: list[Line] = []
    tables: list[Rows] = []
    parsed = _parsed(text)
    for name in sorted(parsed, key=lambda name: name != "known"):
        value = parsed[name]
        if name in APART or name.endswith(LEFT_OUT):
            continue
        if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            tables.append(_rows(name, value, rule, parsed.get(name + LEFT_OUT, 0)))
        elif value not in (None, []):
            lines.append(Line(word("field", name), _text(name, value, rule)))
    return lines, tables


def effects(text: str | None) -> dict[str, int]:
    """What each finding that explains a unit's totals adds to in post − paid, by its key."""
    return _parsed(text).get("effects") or {}


def clearing(text: str | None) -> str | None:
    """The sentence of the one fact that would clear the flag; None where its rule names none."""
    code = _parsed(text).get("clears_when")
    return word("clears_when", code) if code else None


def _parsed(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        value = text
    return value if isinstance(value, dict) else {"": value}


def _rows(book: str, records: list[dict[str, Any]], rule: str, left_out: int) -> Rows:
    names = list(dict.fromkeys(name for record in records for name in record))
    return Rows(
        word("book" if book in BOOKS else "field", book),
        tuple(word("field", name) for name in names),
        tuple(tuple(_text(name, record.get(name), rule) for name in names) for record in records),
        left_out,
    )


def explanations(text: str | None) -> tuple[list[str], list[str]]:
    """Keys of the flags that explain this one, and sentences beside them."""
    try:
        value = json.loads(text or "[]")
    except ValueError:
        value = [text]
    given = [str(each) for each in (value if isinstance(value, list) else [value])]
    keys = [each for each in given if KEY.fullmatch(each)]
    return keys, [_(SAID[each]) if each in SAID else each for each in given if each not in keys]


def _text(name: str, value: Any, rule: str) -> str:
    if value in (None, ""):
        return "—"
    if name in VOCABULARY_OF:
        return word(VOCABULARY_OF[name], value)
    if name == "person_key":
        return str(value)[:PERSON_KEY_SHOWN]
    if name == "column":
        return word("field", value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return spelled(value, rule)
