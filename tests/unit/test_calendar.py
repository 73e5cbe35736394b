"""Working days: published arrangements, years without one, and what is kept with a deadline that crossed such a year."""

from __future__ import annotations

from datetime import date

from chinese_calendar import constants

from core.calendar import WEEKDAYS_WORDS, due_after, weekday_note, weekday_years, working_days
from reconcile.clearing import known_sentence


def test_a_published_year_has_holidays_and_make_up_days():
    # The National Day week of 2026 ends on the 7th; Saturday the 10th is worked instead.
    assert due_after(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert [number for _, number, _ in working_days(date(2026, 10, 8), date(2026, 10, 11))] == [1, 2, 3, 3]
    assert weekday_years(date(2026, 9, 30), date(2026, 12, 31)) == ""


def test_a_year_without_an_arrangement_is_monday_to_friday_and_named():
    assert due_after(date(2026, 12, 31), 1) == date(2027, 1, 1)
    assert weekday_years(date(2026, 12, 31), date(2027, 1, 1)) == "2027"
    assert weekday_years(date(2026, 12, 30), date(2029, 2, 1)) == "2027,2028,2029"
    assert weekday_years(date(2027, 5, 1), date(2027, 5, 1)) == ""
    assert weekday_years(date(2003, 12, 30), date(2004, 1, 5)) == "2003"


def test_the_note_names_the_years_crossed_by_that_day():
    assert weekday_note("", date(2026, 12, 1)) is None
    assert weekday_note("2027,2028", date(2026, 12, 31)) is None
    assert weekday_note("2027,2028", date(2027, 1, 4)) == "计算时 2027 年放假安排尚未公布，按周一至周五计。"
    assert weekday_note("2027,2028", date(2028, 1, 4)) == "计算时 2027、2028 年放假安排尚未公布，按周一至周五计。"


def test_what_was_kept_stays_when_the_year_is_published_later(monkeypatch):
    start = date(2026, 12, 28)
    due = due_after(start, 5)
    held = weekday_years(start, due)
    assert (due, held) == (date(2027, 1, 4), "2027")
    monkeypatch.setitem(constants.holidays, date(2027, 1, 1), constants.Holiday.new_years_day.value)
    assert (due_after(start, 5), weekday_years(start, date(2027, 1, 5))) == (date(2027, 1, 5), "")
    assert weekday_note(held, due) == "计算时 2027 年放假安排尚未公布，按周一至周五计。"


def test_a_finding_counted_on_weekdays_says_so_in_the_workbook():
    assert known_sentence('{"calendar":"MONDAY_TO_FRIDAY"}') == WEEKDAYS_WORDS
    assert known_sentence("{}") is None
