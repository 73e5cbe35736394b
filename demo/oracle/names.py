"""D03: one id with several names, and one name and birth date with an id on either side (DOMAIN §4, decision 62)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable

from demo.oracle.night import Blank, Night, Row, first_cell, make_finding
from demo.oracle.people import mask_of, payers_of, person_finding


def names_that_differ(night: Night) -> list[Row]:
    """D03 S3: different names of one person over the roster and the payroll of M."""
    found = []
    for who in {**night.roster_of, **night.pay_rows_of}:
        if isinstance(who, Blank):
            continue
        held = [row for row in night.roster_of.get(who, []) if row["status"] != "OFF_QUOTA"]
        paid = night.pay_rows_of.get(who, [])
        if len(_names([*held, *paid])) < 2:
            continue
        unit = min(row["unit_code"] for row in held) if held else payers_of(paid)[0]
        if not _judged(night, unit):
            continue
        first, others = _two_sides(_names(held), _names(paid))
        texts = {"expected": ";".join(first), "found": ";".join(others)}
        placing = [row for row in held if row["unit_code"] == unit]
        found.append(person_finding(night, "D03", "S3", who, unit, placing, owner_only=True, **texts))
    return found


def _two_sides(held: dict[str, str], paid: dict[str, str]) -> tuple[list[str], list[str]]:
    """Masks of the roster's names and of the others; of one side alone, the first and the rest."""
    others = sorted(mask for name, mask in paid.items() if name not in held)
    masks = sorted(held.values())
    if masks and others:
        return masks, others
    alone = masks or others
    return alone[:1], alone[1:]


def _names(rows: Iterable[Row]) -> dict[str, str]:
    """Normalised name → its mask."""
    names: dict[str, str] = {}
    for row in rows:
        if row.get("name_key"):
            mask = row.get("name_mask") or "-"
            names[row["name_key"]] = min(mask, names.get(row["name_key"], mask))
    return names


def one_person_two_ids(night: Night, findings: list[Row]) -> list[Row]:
    """D03 S4, and its key written into the F01 and F02 of `findings` that it would explain."""
    unpaid = _by_name_and_birth(night, {w: r for w, r in night.active_of.items() if w not in night.pay_rows_of})
    unlisted = _by_name_and_birth(night, {w: r for w, r in night.paid_of.items() if w not in night.roster_of})
    naming: dict[tuple[str, str | None], list[Row]] = defaultdict(list)
    for finding in findings:
        naming[finding["rule"], finding["person_key"]].append(finding)
    found: dict[str, Row] = {}
    for key in sorted(set(unpaid) & set(unlisted)):
        if len(unpaid[key]) > 1 or len(unlisted[key]) > 1:
            continue
        (here, held), (there, paid) = unpaid[key].popitem(), unlisted[key].popitem()
        finding = _suggestion(night, here, held, there, paid)
        if finding is not None:
            found.setdefault(finding["key"], finding)
            for explained in [*naming["F02", here], *naming["F01", there]]:
                keys = json.loads(explained["explained_by"] or "[]")
                explained["explained_by"] = json.dumps(sorted({*keys, finding["key"]}))
    return list(found.values())


def _by_name_and_birth(night: Night, rows_of: dict) -> dict[str, dict[str, list[Row]]]:
    by: dict[str, dict[str, list[Row]]] = defaultdict(dict)
    for who, rows in rows_of.items():
        for row in rows:
            if row.get("name_birth_key") and not isinstance(who, Blank):
                by[row["name_birth_key"]].setdefault(who, []).append(row)
    return by


def _suggestion(night: Night, here: str, held: list[Row], there: str, paid: list[Row]) -> Row | None:
    unit = min(row["unit_code"] for row in night.active_of[here])
    if not _judged(night, unit):
        return None
    lost = {("roster", unit), ("payroll", unit)} & night.quarantined
    placing = [row for row in night.active_of[here] if row["unit_code"] == unit]
    return make_finding(
        "D03", {"person_key": ";".join(sorted((here, there)))}, "S4", division_code=night.division_of(unit),
        unit_code=unit, person_key=here, person_mask=mask_of(night, here), expected=_one_mask(held),
        found=_one_mask(paid), cause="QUARANTINE" if lost else None, **first_cell(placing),
    )  # fmt: skip


def _one_mask(rows: list[Row]) -> str:
    return min(_names(rows).values(), default="-")


def _judged(night: Night, unit: str) -> bool:
    return not night.counts_only(unit) and night.present("roster", unit) and night.present("payroll", unit)
