"""Q10 长期空编: a usable post on the last night of every month of a year.

定义：单元格连续十二个月（参数）的月末之夜都有可用编制。
Flagged when usable posts on the last night of each of 12 months running (a parameter).
无法判定：我方台账尚未启用；该报送地的历史不足这段时间。
Not evaluable: our own position book is empty, or a folder's history is shorter than the span.
"""

from __future__ import annotations

from datetime import date

from tests.spec.spec import check

MONTHS = (
    "2026-10", "2026-09", "2026-08", "2026-07", "2026-06", "2026-05", "2026-04", "2026-03", "2026-02", "2026-01", "2025-12",
    "2025-11",
)  # fmt: skip
ONE_UNIT = {"units": "unit \n U1", "roster": "person \n a"}


def _history(*cells: str, months: tuple[str, ...] = MONTHS) -> str:
    """The same row of each cell in every month."""
    rows = [f"{month} | {cell}" for cell in cells for month in months]
    return "\n".join(["month | unit | type | fund | usable", *rows])


def test_a_post_is_idle_only_after_every_month_of_the_span():
    history = _history(
        "U1 | ADMIN | FULL | 2", "U1 | SUPPORT | FULL | 0", "U1 | SUPPORT | PART | -1", "U1 | ADMIN | SELF | -",
        "U1 | CONTROL_NUMBER | FULL | 9",
    )  # fmt: skip
    history += "\n" + _history("U1 | ADMIN | PART | 1", months=MONTHS[:11]).split("\n", 1)[1]
    history += "\n" + _history("U1 | INSTITUTION | FULL | 1", months=MONTHS[1:]).split("\n", 1)[1]
    history += "\n" + _history("U1 | POLITICAL_LEGAL | FULL | 1", months=(*MONTHS[:5], *MONTHS[6:])).split("\n", 1)[1]
    history += "\n 2026-05 | U1 | POLITICAL_LEGAL | FULL | 0 \n 2025-10 | U1 | INSTITUTION | FULL | 1"
    check(
        "Q10",
        ONE_UNIT,
        """
        unit | type  | fund | expected | found | severity | division
        U1   | ADMIN | FULL | 0        | 2     | S4       | 370102
        """,
        usable_month=history,
        not_evaluable="",
    )


def test_what_is_found_is_the_figure_of_this_month_and_a_row_twice_is_one():
    history = _history("U1 | ADMIN | FULL | 5", months=MONTHS[1:]) + "\n 2026-10 | U1 | ADMIN | FULL | 1"
    history += "\n 2026-10 | U1 | ADMIN | FULL | 1 \n 2026-11 | U1 | ADMIN | FULL | 7"
    check("Q10", ONE_UNIT, "unit | found \n U1 | 1", usable_month=history)


def test_a_folder_whose_history_is_too_short_is_not_evaluable():
    units = {"units": "unit | by \n U1 | 370102 \n N1 | 370103 \n N2 | 370103 \n S1 | 370104", "roster": "person \n a"}
    history = (
        _history("U1 | ADMIN | FULL | 0")
        + "\n"
        + _history("N1 | ADMIN | FULL | 1", months=MONTHS[:6]).split("\n", 1)[1]
    )
    history += "\n" + _history("N2 | ADMIN | FULL | 1", months=MONTHS[6:]).split("\n", 1)[1]
    history += "\n" + _history("S1 | ADMIN | FULL | 1", months=MONTHS[:11]).split("\n", 1)[1]
    check(
        "Q10",
        units,
        None,
        usable_month=history,
        not_evaluable="division | unit | book \n 370104 | * | position",
    )


def test_without_our_own_book_no_folder_can_be_judged():
    everybody = "division | unit | book \n 370102 | * | position"
    check("Q10", ONE_UNIT, None, not_evaluable=everybody)
    check("Q10", ONE_UNIT, None, position="unit | usable \n U1 | 3", not_evaluable=everybody)


def test_the_span_crosses_the_year_in_january_too():
    months = ("2026-01", *(f"2025-{n:02}" for n in range(2, 13)))
    check(
        "Q10", ONE_UNIT, "unit | found \n U1 | 1", usable_month=_history("U1 | ADMIN | FULL | 1", months=months),
        as_of=date(2026, 1, 31), not_evaluable="",
    )  # fmt: skip
