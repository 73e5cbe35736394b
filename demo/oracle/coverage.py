"""Which rules could not judge whom: a missing book is a result of its own (decisions 12 to 15)."""

from __future__ import annotations

from collections import defaultdict

from core.units import division_lineage
from demo.oracle.night import ABOVE_IS_ENOUGH, ALL_UNITS, Night

NEEDS: dict[str, tuple[str, ...]] = {
    "Q01": ("roster", "establishment"),
    "Q02": ("roster", "establishment"),
    "Q12": ("roster", "establishment"),
    "Q03": ("roster", "units"),
    "Q04": ("roster", "establishment"),
    "Q05": ("roster", "units"),
    "Q06": ("units", "establishment", "roster", "payroll"),
    "Q07": ("establishment",),
    "Q08": ("base",),
    "P01": ("roster", "permits"),
    "P02": ("roster", "establishment"),
    "P03": ("roster", "permits"),
    "P04": ("roster",),
    "P05": ("roster",),
    "P06": ("roster", "permits"),
    "P07": ("roster",),
    "F01": ("payroll", "roster"),
    "F02": ("roster", "payroll"),
    "F03": ("payroll", "roster"),
    "F04": ("payroll", "leads"),
    "F05": ("payroll",),
    "F06": ("payroll", "leads"),
    "F07": ("roster", "payroll"),
    "F08": ("roster", "payroll"),
    "F09": ("roster", "payroll", "establishment"),
    "D01": ("roster",),
    "D02": ("roster", "payroll"),
    "D03": ("roster", "payroll"),
    "D04": ("roster",),
    "D05": ("headcount", "roster", "payroll", "establishment"),
    "D07": ("roster",),
}
ABOUT_PEOPLE = (
    "Q03", "Q04", "Q05", "P01", "P02", "P03", "P04", "P05", "P06", "P07", "F01", "F02", "F03", "F04", "F05", "F06", "F07",
    "F08", "D01", "D02", "D03", "D04", "D07",
)  # fmt: skip
NEEDS_ALL_ROSTERS = ("F01", "F03", "F09")
# A count-only division is judged by these instead; D05 has nothing to compare there.
COUNTED_NEEDS = {
    "Q01": ("headcount",),
    "Q02": ("headcount",),
    "Q12": ("headcount",),
    "Q06": ("units", "headcount"),
    "Q07": ("establishment",),
    "Q08": ("base",),
    "F09": ("headcount",),
}


def note_missing_books(night: Night) -> None:
    """Add the rows that follow from books alone to `night.not_evaluable`."""
    units_of: dict[str, list[str]] = defaultdict(list)
    for unit, home in night.home.items():
        units_of[home].append(unit)
    for folder in sorted({*night.divisions, *units_of}):
        mine = units_of.get(folder, [])
        if night.counts_only_division(folder):
            _note(night, folder, mine, COUNTED_NEEDS)
            night.not_evaluable |= {(rule, folder, ALL_UNITS, "roster") for rule in ABOUT_PEOPLE}
        else:
            counted = [unit for unit in mine if night.counts_only(unit)]
            _note(night, folder, [unit for unit in mine if unit not in counted], NEEDS)
            night.not_evaluable |= {(rule, folder, unit, "roster") for rule in ABOUT_PEOPLE for unit in counted}
            wanted = [(rule, book) for rule, books in COUNTED_NEEDS.items() for book in books if rule != "Q08"]
            night.not_evaluable |= {
                (rule, folder, unit, book) for rule, book in wanted for unit in counted if not night.present(book, unit)
            }
        if night.roster_is_out:
            night.not_evaluable |= {(rule, folder, ALL_UNITS, "roster") for rule in NEEDS_ALL_ROSTERS}


def _note(night: Night, folder: str, units: list[str], needs: dict[str, tuple[str, ...]]) -> None:
    for rule, books in needs.items():
        for book in books:
            lacking = [unit for unit in units if not night.present(book, unit)]
            if _folder_lacks(night, folder, book) and len(lacking) == len(units):
                night.not_evaluable.add((rule, folder, ALL_UNITS, book))
            else:
                night.not_evaluable |= {(rule, folder, unit, book) for unit in lacking}


def _folder_lacks(night: Night, folder: str, book: str) -> bool:
    if (folder, book) in night.accepted:
        return False
    if book in ABOVE_IS_ENOUGH and (folder, book) not in night.delivered | night.expected:
        return not any((above, book) in night.accepted for above in division_lineage(folder)[1:])
    return True


def fold_whole_folders(night: Night) -> None:
    """One `*` row where a count-only division has no paid figure at all, instead of one row per unit."""
    for folder in night.divisions:
        if not night.counts_only_division(folder):
            continue
        mine = {unit for unit, home in night.home.items() if home == folder}
        rows = {("F09", folder, unit, "payroll") for unit in mine}
        if mine and rows <= night.not_evaluable:
            night.not_evaluable = (night.not_evaluable - rows) | {("F09", folder, ALL_UNITS, "payroll")}
