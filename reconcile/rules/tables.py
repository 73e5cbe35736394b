"""What the rules read: the books of a night and the facts beside them, as unbound tables. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
from ibis.expr.types import Table

from expectations.books import CUTOFFS_SCHEMA, QUARANTINE_SCHEMA, TOTALS_SCHEMA, snapshot_schema

BOOKS_READ = ("units", "establishment", "roster", "payroll", "headcount", "permits", "leads", "base", "limits")
# Our own book, written from ledger and gate at the start of a night: a file of the snapshot each, absent until then.
POSITION: dict[str, dict[str, str]] = {
    # Per cell, bookings effective on or before A.
    "position": {
        "unit_code": "string", "post_type": "string", "fund_form": "string", "borrowed": "int64", "lent": "int64",
        "reserved": "int64", "open_permits": "int64", "usable": "int64",
    },
    # Approved quota of a cell in force from valid_from to valid_to (last good day; null: until further notice).
    "position_quota": {
        "unit_code": "string", "post_type": "string", "fund_form": "string", "quota": "int64", "valid_from": "date",
        "valid_to": "date", "doc_no": "string",
    },
    # Posts moved from one unit or node to another; central_no: the central approval number, if there is one.
    "movement": {
        "movement_no": "string", "post_type": "string", "fund_form": "string", "posts": "int64", "from_unit": "string",
        "from_level": "string", "to_unit": "string", "to_level": "string", "effective_date": "date", "doc_no": "string",
        "central_no": "string",
    },
    # Usable posts of a cell on the last night of a month (YYYY-MM), M and the months before it.
    "usable_month": {
        "month": "string", "unit_code": "string", "post_type": "string", "fund_form": "string", "usable": "int64",
    },
    # Units whose gate and ledger are the source on A, since `starts` (decision 0016). Their copies and permits are ours.
    "own_unit": {"unit_code": "string", "starts": "date"},
}  # fmt: skip
# Dated parameters and history, as the night looks them up.
LOOKED_UP: dict[str, dict[str, str]] = {
    # First day from which P01–P07 judge a division; only divisions that have one.
    "gate_start": {"division_code": "string", "starts": "date"},
    # Every day from the earliest gate start to A: working days up to and with it; published: its year is in the calendar.
    "workday": {"day": "date", "number": "int64", "published": "boolean"},
    # Rank words, 1 the highest; equal ranks have equal places.
    "rank_order": {"word": "string", "place": "int64"},
    # Finance-paid headcount (FULL and PART) on the accepted night of the same month last year.
    "year_ago": {"division_code": "string", "paid": "int64"},
}
FACTS: dict[str, dict[str, str]] = {
    "quarantine": QUARANTINE_SCHEMA,
    "totals": TOTALS_SCHEMA,
    "cutoffs": CUTOFFS_SCHEMA,
    # One row per division and book.
    "verdict": {
        "division_code": "string", "book": "string", "expected": "boolean", "delivered": "boolean",
        "accepted": "boolean",
    },
    # A division and all above it; distance 0 is itself.
    "lineage": {"division_code": "string", "above_code": "string", "distance": "int64"},
    # Which books a rule needs, for units that deliver persons and for units that deliver counts.
    "need": {"rule": "string", "book": "string", "counts": "boolean"},
    **POSITION,
    **LOOKED_UP,
}  # fmt: skip


@dataclass(frozen=True)
class Night:
    """The day judged and the parameters the rules take. Hashable: an engine may keep what it compiled for one.

    entry_days, exit_days: working days to register (P04, P05); idle_months: months running with a usable post (Q10).
    """

    as_of: date
    allowed_post_types: tuple[tuple[str, tuple[str, ...]], ...]
    entry_days: int = 30
    exit_days: int = 15
    idle_months: int = 12

    @classmethod
    def of(cls, as_of: date, allowed_post_types: Mapping[str, Sequence[str]], **numbers: int) -> Night:
        """From the parameters as they are stored."""
        return cls(as_of, tuple((kind, tuple(types)) for kind, types in allowed_post_types.items()), **numbers)

    @property
    def first(self) -> date:
        """First day of the month M."""
        return self.as_of.replace(day=1)

    @property
    def last(self) -> date:
        """Last day of the month M."""
        return (self.first + timedelta(days=31)).replace(day=1) - timedelta(days=1)

    @property
    def month(self) -> str:
        return f"{self.as_of:%Y-%m}"

    @property
    def month_a_year_ago(self) -> str:
        return f"{self.as_of.year - 1:04}-{self.as_of:%m}"

    @property
    def idle_span(self) -> tuple[str, ...]:
        """M and the months before it that Q10 looks at, the newest first."""
        newest = self.as_of.year * 12 + self.as_of.month - 1
        return tuple(f"{n // 12:04}-{n % 12 + 1:02}" for n in range(newest, newest - self.idle_months, -1))


@dataclass(frozen=True)
class Inputs:
    """The unbound tables by name."""

    units: Table
    establishment: Table
    roster: Table
    payroll: Table
    headcount: Table
    permits: Table
    leads: Table
    base: Table
    limits: Table
    quarantine: Table
    totals: Table
    cutoffs: Table
    verdict: Table
    lineage: Table
    need: Table
    position: Table
    position_quota: Table
    movement: Table
    usable_month: Table
    own_unit: Table
    gate_start: Table
    workday: Table
    rank_order: Table
    year_ago: Table


def inputs() -> Inputs:
    """Every input of a night as an unbound table of its known schema."""
    books = {book: ibis.table(snapshot_schema(book), name=book) for book in BOOKS_READ}
    return Inputs(**books, **{name: ibis.table(schema, name=name) for name, schema in FACTS.items()})
