"""Dates known to the month only: stored as its first day, they may mean any day of it (decision 0027)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

Row = dict[str, Any]


def days_of(row: Row, name: str) -> list[date]:
    """The days a date may mean, in order: itself, or every day of its month; none for a blank."""
    day = row.get(name)
    if day is None:
        return []
    if is_exact(row, name):
        return [day]
    days = [day.replace(day=1) + timedelta(days=n) for n in range(31)]
    return [d for d in days if d.month == day.month]


def is_exact(row: Row, name: str) -> bool:
    return row.get(name) is None or row.get(f"{name}_exact") is not False
