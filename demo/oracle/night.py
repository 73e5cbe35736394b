"""The facts of one night as plain dicts: who judges a unit, who is active, who is paid, what quota a cell has.

Rows are dicts with the columns of `expectations.books.snapshot_schema`; a missing key is a blank. A person is its
person_key; a blank id is its own person, a `Blank` (decision 19).
"""

from __future__ import annotations

import calendar
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from core.units import division_lineage
from demo.oracle.months import days_of

Row = dict[str, Any]
Cell = tuple[str, str, str]
ACTIVE = ("IN_SERVICE", "SECONDED_OUT", "ON_LEAVE")
FUNDED = ("FULL", "PART")
CONTROL = "CONTROL_NUMBER"
ALL_UNITS = "*"
ABOVE_IS_ENOUGH = ("leads", "base", "limits")
BLANK_COLUMNS = (
    "division_code", "unit_code", "post_type", "fund_form", "person_key", "person_mask", "expected", "found", "cause",
    "explained_by", "evidence",
)  # fmt: skip


@dataclass(frozen=True)
class Blank:
    """The person behind a row without an id: nobody but itself."""

    book: str
    number: int


Person = str | Blank


def make_finding(rule: str, grain: dict[str, str | None], severity: str, **columns: Any) -> Row:
    """A finding with every column of a finding; the key is the hash of rule and grain."""
    text = json.dumps(grain, ensure_ascii=False, separators=(",", ":"))
    key = f"{rule}-{hashlib.sha256(f'{rule}|{text}'.encode()).hexdigest()[:20]}"
    row: Row = dict.fromkeys(BLANK_COLUMNS)
    for name in ("expected", "found"):
        if columns.get(name) is not None:
            columns[name] = str(columns[name])
    return row | columns | {"rule": rule, "key": key, "grain": text, "severity": severity}


def told(members: dict[str, Any]) -> str:
    """Evidence as the engines spell it: JSON without spaces, in the order given."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


class Night:
    """One night, indexed. Nothing here judges."""

    def __init__(
        self,
        books: dict[str, list[Row]],
        facts: dict[str, list[Row]],
        verdicts: list[Row],
        as_of: date,
        parameters: dict[str, Any],
    ) -> None:
        self.books = defaultdict(list, books)
        self.facts = defaultdict(list, facts)
        self.parameters = parameters
        self.as_of = as_of
        self.first = as_of.replace(day=1)
        self.last = as_of.replace(day=calendar.monthrange(as_of.year, as_of.month)[1])
        self.month = as_of.strftime("%Y-%m")
        self.allowed_post_types: dict[str, list[str]] = parameters["allowed_post_types"]
        self.not_evaluable: set[tuple[str, str, str, str]] = set()
        self.own_units = {row["unit_code"] for row in self.facts["own_unit"]}
        self._read_verdicts(verdicts)
        self._read_people()
        self._read_units()
        self._read_quota(self.facts["position"])
        self._read_quarantine(self.facts["quarantine"])

    # Verdicts and presence

    def _read_verdicts(self, verdicts: list[Row]) -> None:
        self.divisions = sorted({v["division_code"] for v in verdicts})
        self.expected = {(v["division_code"], v["book"]) for v in verdicts if v["expected"]}
        self.delivered = {(v["division_code"], v["book"]) for v in verdicts if v["delivered"]}
        self.accepted = {(v["division_code"], v["book"]) for v in verdicts if v["accepted"]}
        self.roster_is_out = any(book == "roster" for _, book in self.expected - self.accepted)
        self.register_is_out = any(book == "units" for _, book in self.expected - self.accepted)

    def counts_only_division(self, folder: str | None) -> bool:
        """Delivered neither roster nor payroll tonight, and neither is expected (decision 5)."""
        wanted = {(folder, "roster"), (folder, "payroll")}
        return folder in self.divisions and not wanted & (self.expected | self.delivered)

    def counts_only(self, unit: str) -> bool:
        """Whether a unit is judged by its headcount (DOMAIN §3)."""
        return unit in self.counted_units

    def present(self, book: str, unit: str) -> bool:
        """Whether a book is present for a unit (decision 12)."""
        home = self.home.get(unit)
        if home is None:
            return False
        if book == "units" and unit not in self.units and self.register_is_out:
            return False  # it may stand in the register that did not arrive (decision 14)
        if (home, book) in self.accepted or (book in ("establishment", "permits") and unit in self.own_units):
            return True
        if (home, book) in self.delivered or (home, book) in self.expected:
            return False
        above = [d for d in division_lineage(home)[1:] if (d, book) in self.accepted]
        if book in ABOVE_IS_ENOUGH:
            return bool(above)
        return any((d, unit) in self.names[book] for d in above)

    def lacks(self, rule: str, unit: str, book: str) -> None:
        """Note that a rule cannot judge this unit."""
        home = self.home.get(unit)
        if home is not None:
            self.not_evaluable.add((rule, home, unit, book))

    # Units

    def _read_units(self) -> None:
        versions: dict[str, list[Row]] = defaultdict(list)
        for row in self.books["units"]:
            versions[row["unit_code"]].append(row)
        self.units = {code: self._version_in_force(rows) for code, rows in versions.items()}
        self.documented = {row["unit_code"] for row in self.books["units"] if row.get("approval_doc")}
        self.names: dict[str, set[tuple[str | None, str]]] = defaultdict(set)
        for book in ("units", "roster", "establishment", "headcount", "permits"):
            for row in self.books[book]:
                self.names[book].add((folder_of(row), row["unit_code"]))
        for row in self.books["payroll"]:
            self.names["payroll"].add((folder_of(row), payer_of(row)))
        self.home: dict[str, str] = {}
        for book in ("units", "payroll", "roster", "establishment", "headcount"):
            for folder, code in sorted(self.names[book], key=lambda pair: (pair[1], pair[0] or "")):
                if folder is not None:
                    self.home.setdefault(code, folder)
        self.all_units = sorted(set(self.home) | set(self.units))
        by_itself = {code for code, row in self.units.items() if row.get("delivers") == "COUNTS"}
        counted_folders = {folder for folder in self.divisions if self.counts_only_division(folder)}
        self.counted_units = by_itself | {code for code, home in self.home.items() if home in counted_folders}

    def _version_in_force(self, rows: list[Row]) -> Row:
        rows = sorted(rows, key=lambda row: row.get("valid_from") or date.min)
        surely = [row for row in rows if self.is_valid(row)]
        return surely[0] if surely else ([row for row in rows if self.may_be_valid(row)] or rows)[-1]

    def is_valid(self, unit: Row) -> bool:
        """A within valid_from..valid_to, both good days, whatever days they mean; blank is open."""
        return all(self._validities(unit))

    def may_be_valid(self, unit: Row) -> bool:
        return any(self._validities(unit))

    def _validities(self, unit: Row) -> list[bool]:
        """Whether A is within, for every day the two dates may mean."""
        return [
            begins <= self.as_of <= ends
            for begins in days_of(unit, "valid_from") or [date.min]
            for ends in days_of(unit, "valid_to") or [date.max]
        ]

    def division_of(self, unit: str) -> str | None:
        """The division a flag of this unit carries (decision 11)."""
        row = self.units.get(unit)
        return row["division_code"] if row else self.home.get(unit)

    # People

    def _read_people(self) -> None:
        self.roster: list[tuple[Person, Row]] = whose("roster", self.books["roster"])
        self.pay_of_month: list[tuple[Person, Row]] = [
            (who, row) for who, row in whose("payroll", self.books["payroll"]) if row.get("month") == self.month
        ]
        self.roster_of: dict[Person, list[Row]] = defaultdict(list)
        self.active_of: dict[Person, list[Row]] = defaultdict(list)
        for who, row in self.roster:
            self.roster_of[who].append(row)
            if self.is_active(row):
                self.active_of[who].append(row)
        in_p: dict[Person, list[Row]] = defaultdict(list)
        for who, row in self.pay_of_month:
            if row.get("person_state") == "IN_SERVICE" and row.get("on_establishment") == "YES":
                in_p[who].append(row)
        self.units_with_blanks = {row["unit_code"] for who, row in self.roster if isinstance(who, Blank)}
        self.payers_with_blanks = {payer_of(row) for who, row in self.pay_of_month if isinstance(who, Blank)}
        self.paid_of = {who: rows for who, rows in in_p.items() if adds_up_to_pay(rows)}
        self.pay_rows_of: dict[Person, list[Row]] = defaultdict(list)
        for who, row in self.pay_of_month:
            self.pay_rows_of[who].append(row)

    def is_active(self, row: Row) -> bool:
        """Holds a post on A (DOMAIN §4)."""
        entry, leaves = row.get("entry_date"), row.get("exit_date")
        return (
            row["status"] in ACTIVE
            and (entry is None or entry <= self.as_of)
            and (leaves is None or leaves > self.as_of)
        )

    def enters_later(self, row: Row) -> bool:
        """Only the entry, after A and within M, keeps this row from being active."""
        entry, leaves = row.get("entry_date"), row.get("exit_date")
        return (
            row["status"] in ACTIVE
            and entry is not None
            and self.as_of < entry <= self.last
            and (leaves is None or leaves > entry)
        )

    def exits_within(self, row: Row) -> bool:
        """An exit on the first was active on no day of M (decision 17); one known only to the month is in M."""
        leaves = row.get("exit_date")
        if leaves == self.first and row.get("exit_date_exact") is False:
            return True
        return leaves is not None and self.first < leaves <= self.last

    def left_within(self, row: Row) -> bool:
        """Left a post within M: whom no post counts (编外) has left none."""
        return row["status"] != "OFF_QUOTA" and self.exits_within(row)

    def enters_within(self, row: Row) -> bool:
        entry = row.get("entry_date")
        return entry is not None and self.first <= entry <= self.last

    def judged(self, rows: Iterable[Row]) -> list[Row]:
        """Rows of units whose people are judged one by one."""
        return [row for row in rows if not self.counts_only(row["unit_code"])]

    def only_control(self, who: Person) -> bool:
        """All of whose roster rows are CONTROL_NUMBER, those of 编外 aside where there are others (decision 18)."""
        every = self.roster_of.get(who, [])
        rows = [row for row in every if row["status"] != "OFF_QUOTA"] or every
        return bool(rows) and all(row["post_type"] == CONTROL for row in rows)

    # Quota

    def _read_quota(self, position: list[Row]) -> None:
        self.copies: dict[Cell, dict[str, int]] = defaultdict(dict)
        self.copies_in_folder: dict[str | None, set[str]] = defaultdict(set)
        for row in self.books["establishment"]:
            copies = self.copies[cell_of(row)]
            copies[row["copy"]] = copies.get(row["copy"], 0) + (row.get("quota") or 0)
            source = row["unit_code"] if row["unit_code"] in self.own_units else folder_of(row)
            self.copies_in_folder[source].add(row["copy"])
        self.loans: dict[Cell, int] = defaultdict(int)
        for row in position:
            self.loans[cell_of(row)] += (row.get("borrowed") or 0) - (row.get("lent") or 0)
        self.cells_of: dict[str, set[Cell]] = defaultdict(set)
        for cell in [*self.copies, *self.loans]:
            self.cells_of[cell[0]].add(cell)
        self.holders: dict[Cell, set[Person]] = defaultdict(set)
        for who, rows in self.active_of.items():
            for row in rows:
                self.holders[cell_of(row)].add(who)
                self.cells_of[row["unit_code"]].add(cell_of(row))

    def _read_quarantine(self, quarantine: list[Row]) -> None:
        self.quarantined: set[tuple[str, str]] = set()
        self.shut_units: set[str] = set()
        self.shut_cells: set[Cell] = set()
        for row in quarantine:
            unit = row.get("unit_code")
            if unit is None:
                continue
            self.quarantined.add((row["book"], unit))
            if row["book"] == "establishment":
                if row.get("post_type") is None or row.get("fund_form") is None:
                    self.shut_units.add(unit)
                else:
                    self.shut_cells.add(cell_of(row))
                    self.cells_of[unit].add(cell_of(row))

    def quota(self, cell: Cell) -> int | None:
        """Approved posts of a cell; None when unknown (decision 31)."""
        if cell[0] in self.shut_units or cell in self.shut_cells:
            return None
        copies = self.copies.get(cell, {})
        if "LEDGER" in copies:
            return copies["LEDGER"]
        return None if copies else 0

    def allowed(self, cell: Cell) -> int | None:
        quota = self.quota(cell)
        return None if quota is None else quota + self.loans.get(cell, 0)

    def source_folders(self, unit: str) -> list[str]:
        """The folder whose establishment book speaks for a unit: its home, else the nearest above that names it."""
        home = self.home.get(unit)
        if home is None:
            return []
        if unit in self.own_units:
            return [unit]
        if (home, "establishment") in self.accepted:
            return [home]
        return [d for d in division_lineage(home)[1:] if (d, unit) in self.names["establishment"]][:1]


def folder_of(row: Row) -> str | None:
    return row.get("delivered_by") or row.get("division_code")


def payer_of(row: Row) -> str:
    """The unit paid for, when named, is the payer everywhere (DOMAIN §3)."""
    return row.get("on_behalf_of") or row["paying_unit_code"]


def cell_of(row: Row) -> Cell:
    return (row["unit_code"], row["post_type"], row["fund_form"])


def whose(book: str, rows: list[Row]) -> list[tuple[Person, Row]]:
    return [(row.get("person_key") or Blank(book, number), row) for number, row in enumerate(rows)]


def adds_up_to_pay(rows: list[Row]) -> bool:
    """Known amounts that add to 0 or less are no pay; none known is pay."""
    known = [row["amount"] for row in rows if row.get("amount") is not None]
    return not known or sum(known) > 0


def first_cell(rows: Iterable[Row]) -> dict[str, str | None]:
    """Post type and fund form of a person finding: the first cell in text order."""
    cells = sorted((row["post_type"], row["fund_form"]) for row in rows)
    return {"post_type": cells[0][0], "fund_form": cells[0][1]} if cells else {"post_type": None, "fund_form": None}
