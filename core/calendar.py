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
