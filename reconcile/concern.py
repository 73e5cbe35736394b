"""Whom a finding concerns besides the unit that owns it: every unit concerned sees the flag (DOMAIN §4). Pure."""

from __future__ import annotations

import json
from datetime import date

# Rules that hold one unit's rows of a person against another's.
COMPARING = frozenset({"F01", "F02", "F03", "F04", "F05", "F06", "F07", "F08", "D01", "D03"})


def units_concerned(rule: str, unit_code: str | None, evidence: str | None, as_of: date) -> frozenset[str]:
    """The other units a finding is about: who pays the person in M, where the person is, or left within M, and who has
    the person on loan. A unit the person left before is concerned by F03 alone: its former colleague is still paid.

    evidence: the JSON of `rules.evidence.person_evidence`; anything else concerns nobody.
    """
    if rule not in COMPARING or not evidence:
        return frozenset()
    tree = json.loads(evidence)
    roster, payroll = tree.get("roster") or (), tree.get("payroll") or ()
    first = f"{as_of:%Y-%m}-01"
    held = [row for row in roster if rule == "F03" or not row.get("exit") or row["exit"] > first]
    units = {row.get(name) for row in held for name in ("unit", "seconded_to")} | {row.get("payer") for row in payroll}
    # Of a longer list than is shown, every unit is named beside it.
    units |= {*tree.get("units", ()), *(tree.get("units_before", ()) if rule == "F03" else ())}
    return frozenset(units - {None, unit_code})
