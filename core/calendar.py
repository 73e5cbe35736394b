"""Working days: the published arrangement of public holidays per year, Monday to Friday where a year has none."""

from __future__ import annotations

from datetime import date, timedelta

import chinese_calendar

# What stands beside a deadline that crossed such a year. It stays true: a deadline once given does not move.
WEEKDAYS_NOTE = "计算时 {years} 年放假安排尚未公布，按周一至周五计。"
# The same beside a number of days, where a rule tells only that there was such a year.
WEEKDAYS_WORDS = "其间有的年份放假安排尚未公布，按周一至周五计"


def working_days(first: date, last: date) -> list[tuple[date, int, bool]]:
    """(day, working days from `first` up to and with it, whether its year's arrangement is published), day by day.

    Source: the State Council's yearly notices, as the package chinese_calendar has them; a year it lacks is counted
    Monday to Friday and says so.
    """
    days = []
    number = 0
    day = first
    while day <= last:
        working, published = _working(day)
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


def weekday_years(start: date, last: date) -> str:
    """The years without a published arrangement among the days from the one after `start` to `last`: "2027,2028"; none: "".

    It is kept with a deadline, for the calendar of a later day may know more than the deadline was counted on.
    """
    first = start + timedelta(days=1)
    firsts = [first, *(date(year, 1, 1) for year in range(first.year + 1, last.year + 1))]
    return ",".join(str(day.year) for day in firsts if day <= last and not _working(day)[1])


def weekday_note(held: str, last: date) -> str | None:
    """The sentence beside a deadline: the years of `held` (see `weekday_years`) that were crossed by then; none: None."""
    years = [year for year in held.split(",") if year and int(year) <= last.year]
    return WEEKDAYS_NOTE.format(years="、".join(years)) if years else None


def _working(day: date) -> tuple[bool, bool]:
    """Whether a day is a working day, and whether the arrangement of its year is published."""
    try:
        return chinese_calendar.is_workday(day), True
    except NotImplementedError:
        return day.weekday() < 5, False
