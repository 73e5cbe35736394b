"""P04 逾期入编登记: registered, or still not registered, more than 30 working days after the entry.

定义：入编之日的次日起，超过三十个工作日（参数）才登记，或到时点仍未登记。
Flagged when registered, or on A still not registered, more than 30 working days (a parameter) after the entry, counted from the next day.
无法判定：区划未设闸口起始日；实名制缺报、退回；入编日只知到月；登记日只知到月，月首不逾期而月末（不晚于时点）逾期的；只报数字的单位。未公布日历的年份按周一至周五计，并注明。
Not evaluable: no gate start; roster absent; an entry known to the month only; a registration known to the month only, in time on its first day and late on its last (not beyond A); units that deliver counts. A year without a published calendar is Monday to Friday and says so.
"""

from __future__ import annotations

from tests.spec.spec import check

START = "starts \n 2026-01-01"


def test_working_days_are_counted_from_the_next_day_and_the_thirtieth_is_in_time():
    check(
        "P04",
        {
            "roster": """
            person  | unit | type           | entry      | entry_registered | status    | exit
            intime  | U1   |                | 2026-08-03 | 2026-09-14       |           |
            late    | U1   |                | 2026-08-03 | 2026-09-15       |           |
            late    | U1   |                | 2026-08-03 | 2026-09-15       |           |
            open    | U1   |                | 2026-09-01 | -                |           |
            waiting | U1   |                | 2026-09-02 | -                |           |
            coming  | U2   |                | 2026-08-03 | 2026-12-01       | LEFT      | 2026-09-01
            before  | U1   |                | 2026-08-03 | 2026-07-01       |           |
            sameday | U1   |                | 2026-08-03 | 2026-08-03       |           |
            old     | U1   |                | 2025-12-31 | -                |           |
            future  | U1   |                | 2026-10-21 | -                |           |
            unknown | U1   |                | -          | -                |           |
            off     | U1   |                | 2026-03-02 | -                | OFF_QUOTA |
            number  | U1   | CONTROL_NUMBER | 2026-03-02 | -                |           |
            null    | U1   |                | 2026-03-02 | -                |           |
            """,
        },
        """
        person | unit | entry_date | type  | fund | expected | found | calendar | severity | division
        late   | U1   | 2026-08-03 | ADMIN | FULL | 30       | 31    | -        | S3       | 370102
        open   | U1   | 2026-09-01 | ADMIN | FULL | 30       | 31    | -        | S3       | 370102
        coming | U2   | 2026-08-03 | ADMIN | FULL | 30       | 52    | -        | S3       | 370102
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_of_two_rows_of_one_entry_the_first_cell_speaks_and_every_unit_answers():
    check(
        "P04",
        {
            "roster": """
            person | unit | type    | fund | entry      | entry_registered
            a      | U1   | SUPPORT | FULL | 2026-08-03 | 2026-09-15
            a      | U1   | ADMIN   | FULL | 2026-08-03 | 2026-09-16
            a      | U2   | ADMIN   | FULL | 2026-08-03 | 2026-09-14
            a      | U2   | SUPPORT | FULL | 2026-08-03 | 2026-09-17
            """,
        },
        """
        person | unit | type    | found
        a      | U1   | ADMIN   | 32
        a      | U2   | SUPPORT | 33
        """,
        gate_start=START,
    )


def test_a_year_without_a_published_calendar_is_monday_to_friday_and_says_so():
    check(
        "P04",
        {
            "roster": """
            person | entry      | entry_registered
            a      | 2003-08-29 | 2003-10-13
            b      | 2003-08-29 | 2003-10-10
            """,
        },
        """
        person | expected | found | calendar
        a      | 30       | 31    | MONDAY_TO_FRIDAY
        """,
        gate_start="starts \n 2003-01-01",
    )


def test_an_entry_known_to_the_month_or_a_unit_without_gate_start_roster_or_persons_stays_open():
    check(
        "P04",
        {
            "units": """
            unit | by     | division  | delivers
            U1   | 370102 | 370102    |
            U2   | 370102 | 370102    |
            T1   | 370102 | 370102001 |
            C1   | 370102 | 370102    | COUNTS
            N1   | 370103 | 370103    |
            M1   | 370104 | 370104    |
            """,
            "roster": """
            person | unit | entry      | entry_date_exact | by
            a      | U1   | 2026-03-01 | no               | 370102
            b      | U2   | 2026-03-02 |                  | 370102
            c      | T1   | 2026-03-02 |                  | 370102
            d      | C1   | 2026-03-02 |                  | 370102
            e      | N1   | 2026-03-02 |                  | 370103
            null   | U2   | 2026-03-01 | no               | 370102
            """,
            "headcount": "unit | count \n C1 | 1",
        },
        "person | unit \n b | U2",
        gate_start="division | starts \n 370102 | 2026-01-01 \n 370104 | 2026-01-01",
        verdicts="division | book | state \n 370104 | roster | missing",
        not_evaluable="""
        division | unit | book
        370102   | C1   | roster
        370102   | T1   | gate_start
        370102   | U1   | roster
        370103   | *    | gate_start
        370104   | *    | roster
        """,
    )


def test_a_registration_known_to_the_month_is_late_from_its_first_day_and_in_time_to_its_last():
    check(
        "P04",
        {
            "roster": """
            person | unit | entry      | entry_registered | entry_registered_exact
            late   | U1   | 2026-06-01 | 2026-08-01       | no
            open   | U2   | 2026-08-03 | 2026-09-01       | no
            intime | U3   | 2026-08-20 | 2026-09-01       | no
            soon   | U4   | 2026-09-10 | 2026-10-01       | no
            """,
        },
        "person | unit | expected | found | counted_to \n late | U1 | 30 | 43 | 2026-08-01",
        gate_start=START,
        not_evaluable="division | unit | book \n 370102 | U2 | roster",
    )
