"""D05, D06 and D08: figures and files against each other (DOMAIN §4, decisions 27, 28, 30)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from core.units import division_lineage
from demo.oracle.night import CONTROL, FUNDED, Night, Person, Row, make_finding, payer_of, told

BOOK_OF_MEASURE = {"QUOTA": "establishment", "IN_POST": "roster", "PAID": "payroll"}


def wrong_statistics(night: Night) -> list[Row]:
    """D05: what a unit states of itself against ours, for units that deliver persons; totals are D06's (decision 27)."""
    paid_at: dict[str, dict[str, set[Person]]] = defaultdict(lambda: defaultdict(set))
    for who, rows in night.paid_of.items():
        for row in rows:
            if not night.only_control(who):
                paid_at[payer_of(row)][row["fund_mode"]].add(who)
    stated = [row for row in night.books["headcount"] if row["scope"] == "ON_ESTABLISHMENT"]
    added_up = {(row["part_of"], *_column(row)) for row in stated if row.get("part_of")}
    found: dict[str, Row] = {}
    for row in stated:
        unit, book = row["unit_code"], BOOK_OF_MEASURE[row["measure"]]
        if (unit, *_column(row)) in added_up and row.get("part_of") != unit:
            continue
        if night.counts_only(unit) or (row["measure"] == "PAID" and row.get("post_type")):
            continue
        if not (night.present("headcount", unit) and night.present(book, unit)):
            continue
        ours = _ours(night, row, paid_at[unit])
        if row.get("count") is None:
            night.lacks("D05", unit, "headcount")
        elif ours is None:
            night.lacks("D05", unit, book)
        elif ours != row["count"]:
            finding = _statistic_finding(night, row, ours, (book, unit) in night.quarantined)
            earlier = found.get(finding["key"])
            if earlier is None or int(finding["found"]) < int(earlier["found"]):
                found[finding["key"]] = finding
    return list(found.values())


def _column(row: Row) -> tuple[str | None, ...]:
    """What a part and its total share beside the scope, in the table of one source."""
    return row["measure"], row.get("post_type"), row.get("fund_form"), row.get("source")


def _statistic_finding(night: Night, row: Row, ours: int, shut: bool) -> Row:
    grain = {name: row.get(name) for name in ("unit_code", "measure", "post_type", "fund_form", "source")}
    return make_finding(
        "D05", grain, "S4" if shut else "S2", division_code=night.division_of(row["unit_code"]),
        unit_code=row["unit_code"], post_type=row.get("post_type"), fund_form=row.get("fund_form"), expected=ours,
        found=row["count"], cause="QUARANTINE" if shut else None,
    )  # fmt: skip


def _ours(night: Night, row: Row, paid: dict[str, set[Person]]) -> int | None:
    """Our own figure for what the row states; a blank type or form means all (control numbers in none of these)."""
    unit, post_type, fund_form = row["unit_code"], row.get("post_type"), row.get("fund_form")
    if row["measure"] == "PAID":
        modes = [fund_form] if fund_form else FUNDED
        return len(set().union(*(paid[mode] for mode in modes)))
    cells = [
        cell
        for cell in night.cells_of.get(unit, ())
        if (cell[1] == post_type or (post_type is None and cell[1] != CONTROL)) and fund_form in (None, cell[2])
    ]
    if row["measure"] == "IN_POST":
        return sum(len(night.holders.get(cell, ())) for cell in cells)
    quotas = [night.quota(cell) for cell in cells]
    if unit in night.shut_units or None in quotas:
        return None
    return sum(q for q in quotas if q is not None)


def wrong_sums(night: Night, totals: list[Row]) -> list[Row]:
    """D06: parts against their total row, and 小计 and 合计 against the rows they add."""
    _note_lost_headcount(night)
    found = _wrong_parts(night)
    wrong: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for row in totals:
        stated, computed = row.get("stated"), row.get("computed")
        if (row["division_code"], row["book"]) not in night.accepted or stated is None or computed is None:
            continue
        if stated != computed:
            wrong[row["division_code"], row["book"], row["column"], stated].append(computed)
    for place, sums in wrong.items():
        grain: dict[str, str | None] = dict(zip(("division_code", "book", "column", "stated"), place, strict=True))
        columns = {"division_code": place[0], "expected": place[3], "found": ";".join(sorted(set(sums)))}
        columns["evidence"] = told({"rows": len(sums)})
        found.append(make_finding("D06", grain, "S4", **columns))
    return found


def _note_lost_headcount(night: Night) -> None:
    """No total is judged where the figures did not come, nor below, where a folder has none of its own."""
    lost = {folder for folder, book in (night.expected | night.delivered) - night.accepted if book == "headcount"}
    for folder in night.divisions:
        if (folder, "headcount") not in night.accepted and lost & set(division_lineage(folder)):
            night.not_evaluable.add(("D06", folder, "*", "headcount"))


def _wrong_parts(night: Night) -> list[Row]:
    totals: dict[tuple, list[Row]] = defaultdict(list)
    parts: dict[tuple, list[Row]] = defaultdict(list)
    for row in night.books["headcount"]:
        alike = (row["measure"], row["scope"], row.get("post_type"), row.get("fund_form"))
        # What a total has of its own unit is a part of it alone.
        if row.get("part_of") != row["unit_code"]:
            totals[row["unit_code"], *alike].append(row)
        # The same figure of the same part and source, delivered twice, is one figure.
        twins = [(r["unit_code"], r.get("source"), r.get("count")) for r in parts.get((row.get("part_of"), *alike), [])]
        if row.get("part_of") and (row["unit_code"], row.get("source"), row.get("count")) not in twins:
            parts[row["part_of"], *alike].append(row)
    found = []
    for place, members in parts.items():
        # Of totals one source states twice the smallest counts (decision 0001 no. 28); one without a number states nothing.
        said = [row for row in totals.get(place, []) if row.get("count") is not None]
        stated = sorted(said, key=lambda row: (row.get("source") or "", row["count"]))
        if totals.get(place) and not stated:
            night.lacks("D06", place[0], "headcount")
        by_total: dict[int, list[Row]] = defaultdict(list)
        for member in members:
            same = [n for n, row in enumerate(stated) if row.get("source") == member.get("source")]
            if stated:
                by_total[same[0] if same else 0].append(member)
        for number, mine in by_total.items():
            numbers = [row.get("count") for row in mine]
            if None in numbers:
                night.lacks("D06", place[0], "headcount")
            elif stated[number]["count"] != sum(numbers):
                found.append(_part_finding(night, stated[number], sum(numbers), len(mine)))
    return found


def _part_finding(night: Night, total: Row, added: int, parts: int) -> Row:
    names = ("unit_code", "measure", "scope", "post_type", "fund_form", "source")
    grain: dict[str, Any] = {name: total.get(name) for name in names}
    return make_finding(
        "D06", grain, "S4", division_code=night.division_of(total["unit_code"]), unit_code=total["unit_code"],
        post_type=total.get("post_type"), fund_form=total.get("fund_form"), expected=total["count"], found=added,
        evidence=told({"parts": parts}),
    )  # fmt: skip


def unlike_cutoffs(night: Night, cutoffs: list[Row]) -> list[Row]:
    """D08: the cut-offs the files of one book state themselves differ."""
    stated = defaultdict(set)
    for row in cutoffs:
        if (row["division_code"], row["book"]) in night.accepted:
            stated[row["book"]].add(row["cutoff"].isoformat())
    return [
        make_finding("D08", {"book": book}, "S4", found=";".join(sorted(days)))
        for book, days in sorted(stated.items())
        if len(days) > 1
    ]
