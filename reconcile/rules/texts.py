"""How a rule's answer is spelled: grain JSON, keys, lists, and the columns every finding has. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table, Value

from reconcile.catalog import RULES
from reconcile.findings import KEY_DIGITS

# The only characters JSON must escape; a NUL never gets past the gate.
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
_ESCAPES = {"\\": "\\\\", '"': '\\"'} | {chr(c): _SHORT.get(chr(c), f"\\u{c:04x}") for c in range(1, 32)}
NO_VALUE = "-"
CELL_SEPARATOR = " "


def null_text() -> StringValue:
    """A null of the text type."""
    return ibis.null("string")


def choose(*branches: tuple[BooleanValue, Value | str | None], otherwise: Value | str | None = None) -> Value:
    """The value of the first branch that holds."""
    last = null_text() if otherwise is None else otherwise
    return ibis.cases(*((test, null_text() if value is None else value) for test, value in branches), else_=last)


def json_text(value: StringValue) -> StringValue:
    """A text as JSON spells it, `null` when there is none; equal to json.dumps(ensure_ascii=False)."""
    for character, escaped in _ESCAPES.items():
        value = value.replace(character, escaped)
    return (ibis.literal('"') + value + '"').fill_null("null")


def json_code(value: StringValue) -> StringValue:
    """Like `json_text` for words of our own vocabularies, digests and dates, which hold nothing to escape."""
    return (ibis.literal('"') + value + '"').fill_null("null")


def json_number(value: Value) -> StringValue:
    """A whole number as JSON spells it; null as `null`."""
    return value.cast("string").fill_null("null")


def json_object(parts: Mapping[str, StringValue]) -> StringValue:
    """An object of members already spelled as JSON, in the order given, without spaces."""
    text: StringValue = ibis.literal("{")
    for position, (name, value) in enumerate(parts.items()):
        text = text + f'{"," if position else ""}"{name}":' + value
    return text + "}"


def flag_key(rule: Value, grain: StringValue) -> StringValue:
    """The same identity as reconcile.findings.flag_key, computed where the rows are."""
    return rule + "-" + (rule + "|" + grain).hexdigest("sha256").substr(0, KEY_DIGITS)


def cell_text(table: Table) -> StringValue:
    """post_type and fund_form as one text that sorts as the pair does."""
    return table.post_type + CELL_SEPARATOR + table.fund_form


def cell_columns(cell: StringValue) -> dict[str, StringValue]:
    """post_type and fund_form out of the text a cell is ordered by."""
    parts = cell.split(CELL_SEPARATOR)
    return {"post_type": parts[0], "fund_form": parts[1]}


def sorted_list(values: StringValue, separator: str = ";") -> StringValue:
    """An aggregate: the distinct values in text order, joined."""
    return values.collect(distinct=True).sort().join(separator)


def day_text(day: Value) -> StringValue:
    """A date as YYYY-MM-DD."""
    return day.strftime("%Y-%m-%d")


def as_count(value: Value) -> StringValue:
    """A whole number as text."""
    return value.cast("int64").cast("string")


# A grain has at most this many members.
GRAIN_SIZE = 6
GRAIN_COLUMNS = tuple(f"grain_{part}_{n}" for n in range(1, GRAIN_SIZE + 1) for part in ("name", "value"))
# A finding before its grain is spelled and it gets a key, a division, a mask and the evidence of people.
RAW_COLUMNS = (
    "rule", "severity", "division_code", "unit_code", "post_type", "fund_form", "person_key", "expected", "found",
    "cause", "explained_by", "evidence",
)  # fmt: skip


def answer(
    table: Table,
    rule: str,
    *,
    expected: Value | str,
    found: Value | str,
    severity: Value | str | None = None,
    grain: Mapping[str, StringValue] | None = None,
    **columns: Value | str | None,
) -> Table:
    """The rows of a table as findings of a rule.

    The grain's members are the catalog's, in its order, taken from `columns`, unless `grain` gives them.
    Columns not given are null.
    """
    entry = RULES[rule]
    given = {"unit_code": None, "person_key": None, **columns}
    members = {name: given[name] for name in entry.grain} if grain is None else grain
    values = {
        **{name: null_text() for name in (*RAW_COLUMNS, *GRAIN_COLUMNS)},
        **{name: _text(value) for name, value in given.items() if name in RAW_COLUMNS},
        "rule": ibis.literal(rule),
        "severity": _text(severity or entry.severities[0]) if not isinstance(severity, Value) else severity,
        "expected": _text(expected),
        "found": _text(found),
    }
    for n, (name, value) in enumerate(members.items(), 1):
        values |= {f"grain_name_{n}": ibis.literal(name), f"grain_value_{n}": _text(value)}
    return table.select(**{name: values[name] for name in (*RAW_COLUMNS, *GRAIN_COLUMNS)})


def spelled(raw: Table) -> Table:
    """Raw findings with `grain` as JSON: its members in order, without spaces; equal to findings.grain_text."""
    text: StringValue = ibis.literal("{")
    for n in range(1, GRAIN_SIZE + 1):
        name = raw[f"grain_name_{n}"]
        lead = ibis.literal('"' if n == 1 else ',"')
        member = lead + name + '":' + json_text(raw[f"grain_value_{n}"])
        text = text + name.isnull().ifelse("", member)
    return raw.select(*RAW_COLUMNS, grain=text + "}")


def keyed(findings: Table) -> Table:
    """The findings with the key of each: rule and hash of its grain, as `reconcile.findings.flag_key` spells it."""
    return findings.mutate(key=flag_key(findings.rule, findings.grain))


def _text(value: Value | str | None) -> StringValue:
    if value is None:
        return null_text()
    return ibis.literal(value) if isinstance(value, str) else value
