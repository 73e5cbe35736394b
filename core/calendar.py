"""Working days: the published arrangement of public holidays per year, Monday to Friday where a year has none."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar


def working_days(first: date, last: date) -> list[tuple[date, int, bool]]:
    """(day, working days from `first` up to and with it, whether its year's arrangement is published), day by day.

    Source: the State Council's yearly notices, as the package chinese_calendar has them; a year it lacks is counted
    Monday to Friday and says so.
    """
    days = []
    number = 0
    day = first
    while day <= last:
        try:
            working, published = chinese_calendar.is_workday(day), True
        except NotImplementedError:
            working, published = day.weekday() < 5, False
        number += working
        days.append((day, number, published))
        day += timedelta(days=1)
    return days


def due_after(start: date, days: int) -> date:
    """The last good day of a term of working days: `start` itself is not counted; 0 days: `start`."""
    day = start
    while days > 0:
        ahead = working_days(day + timedelta(days=1), day + timedelta(days=2 * days + 14))
        reached = [found for found, number, _ in ahead if number == days]
        if reached:
            return reached[0]
        day, days = ahead[-1][0], days - ahead[-1][1]
    return day
