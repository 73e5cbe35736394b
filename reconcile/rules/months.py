"""Dates known to the month only: stored as its first day with `<column>_exact` false (DOMAIN §3, decision 0027). Pure.

The stored day is the earliest the date may mean; what is here gives the latest. A finding stands where every day between
gives one, silence where none does; the rest is not evaluable.
"""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, DateValue, Table


def is_exact(table: Table, column: str) -> BooleanValue:
    """Whether a date is known to the day; one that is blank is."""
    return table[f"{column}_exact"].fill_null(True)


def latest_day(table: Table, column: str) -> DateValue:
    """The last day a date may mean: itself, or the last of its month."""
    day = table[column]
    last = (day + ibis.interval(months=1) - ibis.interval(days=1)).cast("date")
    return is_exact(table, column).ifelse(day, last)
