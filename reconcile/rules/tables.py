"""What the rules read: the books of a night and the facts beside them, as unbound tables. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import ibis
from ibis.expr.types import Table

from expectations.books import CUTOFFS_SCHEMA, QUARANTINE_SCHEMA, TOTALS_SCHEMA, snapshot_schema

BOOKS_READ = ("units", "establishment", "roster", "payroll", "headcount", "leads", "base")
FACTS: dict[str, dict[str, str]] = {
    "quarantine": QUARANTINE_SCHEMA,
    "totals": TOTALS_SCHEMA,
    "cutoffs": CUTOFFS_SCHEMA,
    # One row per division and book.
    "verdict": {
        "division_code": "string", "book": "string", "expected": "boolean", "delivered": "boolean",
        "accepted": "boolean",
    },
    # Borrowed and lent posts per cell, from our own ledger.
    "position": {
        "unit_code": "string", "post_type": "string", "fund_form": "string", "borrowed": "int64", "lent": "int64",
    },
    # A division and all above it; distance 0 is itself.
    "lineage": {"division_code": "string", "above_code": "string", "distance": "int64"},
    # Which books a rule needs, for units that deliver persons and for units that deliver counts.
    "need": {"rule": "string", "book": "string", "counts": "boolean"},
}  # fmt: skip


@dataclass(frozen=True)
class Night:
    """The day judged and the one parameter the rules take. Hashable: an engine may keep what it compiled for one."""

    as_of: date
    allowed_post_types: tuple[tuple[str, tuple[str, ...]], ...]

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


@dataclass(frozen=True)
class Inputs:
    """The unbound tables by name."""

    units: Table
    establishment: Table
    roster: Table
    payroll: Table
    headcount: Table
    leads: Table
    base: Table
    quarantine: Table
    totals: Table
    cutoffs: Table
    verdict: Table
    position: Table
    lineage: Table
    need: Table


def inputs() -> Inputs:
    """Every input of a night as an unbound table of its known schema."""
    books = {book: ibis.table(snapshot_schema(book), name=book) for book in BOOKS_READ}
    return Inputs(**books, **{name: ibis.table(schema, name=name) for name, schema in FACTS.items()})
