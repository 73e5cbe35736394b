"""Q01 Q02 Q12 Q04 Q06 Q07 Q08: quota against people, copies, limits and documents (DOMAIN §4)."""

from __future__ import annotations

from collections import defaultdict

from core.units import division_lineage
from demo.oracle.counts import Counts
from demo.oracle.night import CONTROL, Cell, Night, Person, Row, make_finding

TIERS = {
    "CHIEF": "leaders_chief",
    "DEPUTY": "leaders_deputy",
    "INNER_CHIEF": "leaders_inner_chief",
    "INNER_DEPUTY": "leaders_inner_deputy",
}


def over_quota(night: Night, counts: Counts) -> list[Row]:
    """Q01, Q02 and Q12 of every unit."""
    found: list[Row] = []
    for unit in night.all_units:
        if night.counts_only(unit):
            found += _counts_over_quota(night, counts, unit)
            continue
        if night.present("establishment", unit):
            _note_unknown_quota(night, unit)
            if night.present("roster", unit):
                found += _people_over_quota(night, unit)
    return found


def _note_unknown_quota(night: Night, unit: str) -> None:
    """What an unknown cell keeps from being judged, whatever else is there (decision 32)."""
    unknown = {cell for cell in night.cells_of.get(unit, ()) if night.quota(cell) is None}
    if unknown or unit in night.shut_units:
        night.lacks("Q02", unit, "establishment")
    if unit in night.shut_units or any(cell[1] != CONTROL for cell in unknown):
        for rule in ("Q01", "Q12", "F09"):
            night.lacks(rule, unit, "establishment")


def unit_in_post(night: Night, unit: str) -> int:
    """Persons once per cell, summed over the cells of all types but control numbers."""
    return sum(len(night.holders.get(cell, ())) for cell in night.cells_of.get(unit, ()) if cell[1] != CONTROL)


def unit_allowed(night: Night, unit: str) -> int | None:
    """Allowed over all types; None when any cell is unknown (decision 32)."""
    if unit in night.shut_units:
        return None
    allowed = [night.allowed(cell) for cell in night.cells_of.get(unit, ()) if cell[1] != CONTROL]
    return None if None in allowed else sum(a for a in allowed if a is not None)


def _people_over_quota(night: Night, unit: str) -> list[Row]:
    found: list[Row] = []
    allowed, in_post = unit_allowed(night, unit), unit_in_post(night, unit)
    if allowed is not None and in_post > allowed:
        found.append(_over(night, "Q01", "S2", unit, allowed, in_post))
    if unit in night.shut_units:
        return found
    by_type: dict[str, list[Cell]] = defaultdict(list)
    for cell in night.cells_of.get(unit, ()):
        by_type[cell[1]].append(cell)
    for post_type, cells in by_type.items():
        found += _type_over_quota(night, unit, post_type, cells)
    return found


def _type_over_quota(night: Night, unit: str, post_type: str, cells: list[Cell]) -> list[Row]:
    allowed = {cell: night.allowed(cell) for cell in cells}
    in_post = {cell: len(night.holders.get(cell, ())) for cell in cells}
    if None in allowed.values():
        return []
    known = {cell: a for cell, a in allowed.items() if a is not None}
    if sum(in_post.values()) > sum(known.values()):
        return [_over(night, "Q02", "S2", unit, sum(known.values()), sum(in_post.values()), post_type)]
    if post_type == CONTROL:
        return []
    return [
        _over(night, "Q12", "S3", unit, known[cell], in_post[cell], post_type, cell[2])
        for cell in cells
        if in_post[cell] > known[cell]
    ]


def _counts_over_quota(night: Night, counts: Counts, unit: str) -> list[Row]:
    if not night.present("headcount", unit):
        return []
    in_post, quota = counts.total(unit, "IN_POST"), counts.quota_total(unit)
    _note_unstated_people(night, counts, unit)
    if in_post is None:
        night.lacks("Q01", unit, "headcount")
    found: list[Row] = []
    if quota is None and counts.no_row_is_zero(unit):
        quota = 0
    if in_post is None:
        quota = None
    elif quota is None:
        night.lacks("Q01", unit, "establishment")
    elif in_post > quota + counts.loans(unit):
        found.append(_over(night, "Q01", "S2", unit, quota + counts.loans(unit), in_post))
    for post_type in counts.types(unit):
        found += _counted_type_over_quota(night, counts, unit, post_type)
    return found


def _note_unstated_people(night: Night, counts: Counts, unit: str) -> None:
    """People not stated by type or by cell: Q02 and Q12 cannot judge."""
    stated = counts.stated(unit, "IN_POST")
    quota_types = {t for t, _ in counts.stated(unit, "QUOTA") if t} | {cell[1] for cell in counts.quota_cells(unit)}
    if not counts.types(unit) or quota_types - set(counts.types(unit)):
        night.lacks("Q02", unit, "headcount")
    if not any(t and f for t, f in stated) or any(not t or not f for t, f in stated):
        night.lacks("Q12", unit, "headcount")


def _counted_type_over_quota(night: Night, counts: Counts, unit: str, post_type: str) -> list[Row]:
    quota, in_post = counts.quota_of_type(unit, post_type), counts.of_type(unit, "IN_POST", post_type)
    cells = [cell for cell in counts.quota_cells(unit) if cell[1] == post_type]
    typed = any(t for t, _ in counts.stated(unit, "QUOTA")) or bool(counts.quota_cells(unit))
    bare_total = bool(counts.stated(unit, "QUOTA")) and not typed
    if quota is None and not cells and not bare_total and counts.complete(unit):
        quota = 0
    stated = {f: n for (t, f), n in sorted(counts.stated(unit, "IN_POST").items()) if t == post_type and f}
    if quota is None or in_post is None:
        night.lacks("Q02", unit, "establishment")
        if stated:
            night.lacks("Q12", unit, "establishment")
        return []
    allowed = quota + counts.loans(unit, post_type)
    found = []
    if in_post > allowed:
        found.append(_over(night, "Q02", "S2", unit, allowed, in_post, post_type))
    by_form = any(cell[2] for cell in cells)
    for fund_form, number in stated.items():
        cell_quota = counts.cell_quota((unit, post_type, fund_form))
        if cell_quota is None and (quota == 0 or (by_form and counts.complete(unit))):
            cell_quota = 0
        room = None if cell_quota is None else cell_quota + counts.loans(unit, post_type, fund_form)
        if room is None:
            night.lacks("Q12", unit, "establishment")
        elif number > room and in_post <= allowed and post_type != CONTROL:
            found.append(_over(night, "Q12", "S3", unit, room, number, post_type, fund_form))
    return found


def _over(
    night: Night, rule: str, severity: str, unit: str, allowed: int, in_post: int,
    post_type: str | None = None, fund_form: str | None = None,
) -> Row:  # fmt: skip
    grain: dict[str, str | None] = {"unit_code": unit}
    grain |= {"post_type": post_type} if post_type else {}
    grain |= {"fund_form": fund_form} if fund_form else {}
    return make_finding(
        rule, grain, severity, division_code=night.division_of(unit), unit_code=unit, post_type=post_type,
        fund_form=fund_form, expected=allowed, found=in_post,
    )  # fmt: skip


def leaders_above_number(night: Night) -> list[Row]:
    """Q04: active leaders of a tier against the leader posts of the LEDGER rows (decision 34)."""
    leaders: dict[tuple[str, str], set[Person]] = defaultdict(set)
    for who, rows in night.active_of.items():
        for row in night.judged(rows):
            if row.get("leader_tier"):
                leaders[row["unit_code"], row["leader_tier"]].add(who)
    ledger: dict[str, list[Row]] = defaultdict(list)
    for row in night.books["establishment"]:
        if row["copy"] == "LEDGER":
            ledger[row["unit_code"]].append(row)
    found = []
    for (unit, tier), people in sorted(leaders.items(), key=lambda item: item[0]):
        if not (night.present("roster", unit) and night.present("establishment", unit)):
            continue
        posts = [row[TIERS[tier]] for row in ledger[unit] if row.get(TIERS[tier]) is not None]
        unknown = unit in night.shut_units or any(night.quota(cell) is None for cell in night.cells_of[unit])
        if unknown or (ledger[unit] and not posts):
            night.lacks("Q04", unit, "establishment")
        elif len(people) > sum(posts):
            columns = {"division_code": night.division_of(unit), "unit_code": unit}
            grain: dict[str, str | None] = {"unit_code": unit, "leader_tier": tier}
            found.append(make_finding("Q04", grain, "S2", **columns, expected=sum(posts), found=len(people)))
    return found


def unapproved_units(night: Night, counts: Counts) -> list[Row]:
    """Q06: something rests on a unit that is not registered, has no document, or is outside its dates."""
    evidence = {row["unit_code"] for rows in night.active_of.values() for row in rows}
    evidence |= {row.get("on_behalf_of") or row["paying_unit_code"] for rows in night.paid_of.values() for row in rows}
    evidence |= {cell[0] for cell, copies in night.copies.items() if copies}
    evidence |= {unit for unit in night.all_units if night.counts_only(unit) and counts.stated(unit, "QUOTA")}
    found = []
    for unit in sorted(evidence):
        if not night.present("units", unit):
            continue
        row = night.units.get(unit)
        if row is None:
            reason = "NOT_REGISTERED"
        elif not row.get("approval_doc"):
            reason = "NO_APPROVAL_DOC"
        elif not night.is_valid(row):
            reason = "OUTSIDE_VALIDITY"
        else:
            continue
        if row is not None and not night.is_valid(row) and night.may_be_valid(row) and unit in night.documented:
            # Another version may hold, or this one.
            night.lacks("Q06", unit, "units")
            continue
        shut = ("units", unit) in night.quarantined
        found.append(
            make_finding(
                "Q06", {"unit_code": unit}, "S4" if shut else "S2", division_code=night.division_of(unit),
                unit_code=unit, found=reason, cause="QUARANTINE" if shut else None,
            )
        )  # fmt: skip
    return found


def copies_that_differ(night: Night) -> list[Row]:
    """Q07: the copies present in the home folder give a cell different quota, or one lacks it (decision 35)."""
    found = []
    for cell, copies in sorted(night.copies.items()):
        unit = cell[0]
        if not night.present("establishment", unit):
            continue
        if unit in night.shut_units or cell in night.shut_cells:
            continue
        present = set().union(*(night.copies_in_folder[folder] for folder in night.source_folders(unit)))
        stated = {copy: copies.get(copy) for copy in present}
        if len(set(stated.values())) < 2:
            continue
        others = [
            f"{copy}={'-' if number is None else number}" for copy, number in sorted(stated.items()) if copy != "LEDGER"
        ]
        columns = {"division_code": night.division_of(unit), "unit_code": unit}
        columns |= {"post_type": cell[1], "fund_form": cell[2]}
        grain = {"unit_code": unit, "post_type": cell[1], "fund_form": cell[2]}
        found.append(make_finding("Q07", grain, "S3", **columns, expected=stated.get("LEDGER"), found=";".join(others)))
    for unit in sorted(night.shut_units | {cell[0] for cell in night.shut_cells}):
        if night.present("establishment", unit):
            night.lacks("Q07", unit, "establishment")
    return found


def totals_broken(night: Night, counts: Counts) -> list[Row]:
    """Q08: the quota of a division and all below it against the smaller known limit (decision 36)."""
    limits: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in night.books["base"]:
        known = [row[name] for name in ("issued_total", "base_2012") if row.get(name) is not None]
        limits[row["division_code"], row["post_type"]] += known
    out = {folder for folder, book in night.expected - night.accepted if book == "establishment"}
    under: dict[str, list[str]] = defaultdict(list)
    for unit, row in night.units.items():
        for above in division_lineage(row["division_code"]):
            under[above].append(unit)
    found = []
    for (division, post_type), known in sorted(limits.items()):
        if not known:
            night.not_evaluable.add(("Q08", division, "*", "base"))
            continue
        total, whole = _quota_sum(night, counts, under[division], post_type)
        whole = whole and _has_quota_source(night, counts, division, under[division], post_type)
        if not whole or any(division in division_lineage(folder) for folder in out):
            night.not_evaluable.add(("Q08", division, "*", "establishment"))
        # A part of the sum that is too much already is a finding all the same.
        if total > min(known):
            grain: dict[str, str | None] = {"division_code": division, "post_type": post_type}
            found.append(
                make_finding(
                    "Q08", grain, "S1", division_code=division, post_type=post_type, expected=min(known), found=total
                )
            )
    return found


def _has_quota_source(night: Night, counts: Counts, division: str, units: list[str], post_type: str) -> bool:
    """Whether anything was delivered that Σ quota could rest on: an establishment book below, or count-only figures."""
    below = [folder for folder, book in night.accepted if book == "establishment"]
    if any(division in division_lineage(folder) for folder in below):
        return True
    summed = [u for u in units if not (night.counts_only(u) and u in counts.part_of)]
    if any(t == post_type for u in summed if night.counts_only(u) for t, _ in counts.stated(u, "QUOTA")):
        return True
    return any(cell[1] == post_type and night.copies.get(cell) for u in summed for cell in night.cells_of.get(u, ()))


def _quota_sum(night: Night, counts: Counts, units: list[str], post_type: str) -> tuple[int, bool]:
    """(what is known of the sum, whether that is all of it)."""
    total, whole = 0, True
    for unit in units:
        if night.counts_only(unit) and unit in counts.part_of:
            continue
        whole = whole and unit not in night.shut_units
        if night.counts_only(unit):
            quota = counts.quota_of_type(unit, post_type)
            named = any(cell[1] == post_type for cell in counts.quota_cells(unit))
            quotas = [quota] if quota is not None or named else []
        else:
            quotas = [night.quota(cell) for cell in night.cells_of.get(unit, ()) if cell[1] == post_type]
        total += sum(q for q in quotas if q is not None)
        whole = whole and None not in quotas
    return total, whole
