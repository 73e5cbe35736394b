"""Days that decide: working days until a registration, the last good day of a permit, the first month without pay. Pure."""

from __future__ import annotations

from datetime import date, timedelta

from core.calendar import working_days


def working_days_late(changed: date, registered: date, limit: int) -> int:
    """Working days from the day after a change up to its registration, where they are more than `limit`; else 0.

    Source: DOMAIN §6, P04 and P05 (counted from the next day).
    """
    if (registered - changed).days <= limit:
        return 0
    number = working_days(changed + timedelta(days=1), registered)[-1][1]
    return number if number > limit else 0


def last_working_day(changed: date, limit: int) -> date:
    """The last day on which a change is registered in time."""
    # No year has fewer working days than half its days; a long holiday is a fortnight at most.
    days = working_days(changed + timedelta(days=1), changed + timedelta(days=2 * limit + 30))
    return max((day for day, number, _ in days if number <= limit), default=changed)


def permit_last_day(granted: date, month_day: str) -> date:
    """The last good day of a permit given on a day: the year's MM-DD, or the next year's once that is past."""
    month, day = map(int, month_day.split("-"))
    this = date(granted.year, month, day)
    return this if this >= granted else date(granted.year + 1, month, day)


def first_unpaid_month(exit_date: date) -> str:
    """YYYY-MM without pay: an exit on the 1st, that month; else the next (DOMAIN §6)."""
    if exit_date.day == 1:
        return f"{exit_date:%Y-%m}"
    year, month = divmod(exit_date.year * 12 + exit_date.month, 12)
    return f"{year}-{month + 1:02d}"
