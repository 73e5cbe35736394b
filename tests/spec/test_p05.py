"""P05 逾期减员销编: an exit registered, or still not registered, more than 15 working days after it.

定义：出编之日的次日起，超过十五个工作日（参数）才登记销编，或到时点仍未登记；该单位仍在发薪（离编未停薪）的为一级。
Flagged when registered, or on A still not registered, more than 15 working days (a parameter) after the exit, counted from the next day; S1 where F03 other than TIMING holds at that unit.
无法判定：区划未设闸口起始日；实名制缺报、退回；出编日只知到月；登记日只知到月，月首不逾期而月末（不晚于时点）逾期的；只报数字的单位。
Not evaluable: no gate start; roster absent; an exit known to the month only; a registration known to the month only, in time on its first day and late on its last (not beyond A); units that deliver counts.
"""

from __future__ import annotations

from tests.spec.spec import check

START = "starts \n 2026-01-01"


def test_working_days_are_counted_from_the_next_day_and_the_fifteenth_is_in_time():
    check(
        "P05",
        {
            "roster": """
            person  | unit | type           | fund | status    | exit       | exit_registered | entry
            intime  | U1   |                |      | LEFT      | 2026-08-03 | 2026-08-24      |
            late    | U1   |                |      | LEFT      | 2026-08-03 | 2026-08-25      |
            late    | U1   |                |      | LEFT      | 2026-08-03 | 2026-08-25      |
            open    | U1   |                |      | RETIRED   | 2026-09-01 | -               |
            waiting | U1   |                |      | LEFT      | 2026-09-22 | -               |
            still   | U2   | SUPPORT        | PART |           | 2026-08-03 | 2026-12-01      |
            before  | U1   |                |      | LEFT      | 2026-08-03 | 2026-07-01      |
            sameday | U1   |                |      | LEFT      | 2026-08-03 | 2026-08-03      |
            old     | U1   |                |      | LEFT      | 2025-12-31 | -               |
            future  | U1   |                |      |           | 2026-10-21 | -               |
            never   | U1   |                |      | LEFT      | -          | -               |
            off     | U1   |                |      | OFF_QUOTA | 2026-03-02 | -               |
            number  | U1   | CONTROL_NUMBER |      | LEFT      | 2026-03-02 | -               |
            null    | U1   |                |      | LEFT      | 2026-03-02 | -               |
            """,
        },
        """
        person | unit | exit_date  | type    | fund | expected | found | calendar | cause | severity | division
        late   | U1   | 2026-08-03 | ADMIN   | FULL | 15       | 16    | -        | -     | S3       | 370102
        open   | U1   | 2026-09-01 | ADMIN   | FULL | 15       | 31    | -        | -     | S3       | 370102
        still  | U2   | 2026-08-03 | SUPPORT | PART | 15       | 52    | -        | -     | S3       | 370102
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_it_is_grave_where_the_unit_still_pays_the_person_but_not_in_the_month_of_leaving():
    check(
        "P05",
        {
            "roster": """
            person | unit | status | exit
            paid   | U1   | LEFT   | 2026-08-03
            other  | U1   | LEFT   | 2026-08-03
            moved  | U1   | LEFT   | 2026-08-03
            moved  | U2   |        |
            timing | U1   | LEFT   | 2026-08-03
            timing | U3   | LEFT   | 2026-10-05
            zero   | U1   | LEFT   | 2026-08-03
            pair   | U1   | LEFT   | 2026-08-03
            pair   | U2   | LEFT   | 2026-08-03
            pair   | U4   | LEFT   | 2026-08-03
            dead   | U1   | LEFT   | 2026-08-03
            """,
            "payroll": """
            person | payer | amount
            paid   | U1    |
            other  | U2    |
            moved  | U1    |
            timing | U1    |
            zero   | U1    | 0
            pair   | U2    |
            pair   | U4    | 0
            dead   | U1    |
            ghost  | U1    |
            """,
            "leads": "person | kind | date \n dead | DEATH | 2026-09-01",
        },
        """
        person | unit | severity
        paid   | U1   | S1
        other  | U1   | S3
        moved  | U1   | S3
        timing | U1   | S3
        zero   | U1   | S3
        pair   | U1   | S3
        pair   | U2   | S1
        pair   | U4   | S1
        dead   | U1   | S3
        """,
        gate_start=START,
    )


def test_of_two_rows_of_one_exit_the_first_cell_speaks_and_every_day_is_its_own():
    check(
        "P05",
        {
            "roster": """
            person | unit | type    | status | exit       | exit_registered
            a      | U1   | SUPPORT | LEFT   | 2026-08-03 | 2026-08-25
            a      | U1   | ADMIN   | LEFT   | 2026-08-03 | 2026-08-26
            a      | U1   | ADMIN   | LEFT   | 2026-06-01 | -
            a      | U2   | ADMIN   | LEFT   | 2026-08-03 | 2026-08-24
            """,
        },
        """
        person | unit | type  | exit_date  | found
        a      | U1   | ADMIN | 2026-08-03 | 17
        a      | U1   | ADMIN | 2026-06-01 | 96
        """,
        gate_start=START,
    )


def test_quarantined_roster_rows_of_the_unit_make_it_a_matter_of_data():
    check(
        "P05",
        {
            "roster": "person | unit | status | exit \n a | U1 | LEFT | 2026-08-03 \n b | U2 | LEFT | 2026-08-03",
            "payroll": "person | payer \n a | U1 \n b | U2",
        },
        """
        person | unit | severity | cause
        a      | U1   | S4       | QUARANTINE
        b      | U2   | S1       | -
        """,
        gate_start=START,
        quarantine="book | unit_code \n roster | U1 \n payroll | U2",
    )


def test_a_year_without_a_published_calendar_is_monday_to_friday_and_says_so():
    check(
        "P05",
        {"roster": "person | status | exit | exit_registered \n a | LEFT | 2003-08-29 | 2003-09-22"},
        "person | expected | found | calendar \n a | 15 | 16 | MONDAY_TO_FRIDAY",
        gate_start="starts \n 2003-01-01",
    )


def test_an_exit_known_to_the_month_or_a_unit_without_gate_start_roster_or_persons_stays_open():
    check(
        "P05",
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
            person | unit | status | exit       | exit_date_exact | by
            a      | U1   | LEFT   | 2026-03-01 | no              | 370102
            b      | U2   | LEFT   | 2026-03-02 |                 | 370102
            c      | T1   | LEFT   | 2026-03-02 |                 | 370102
            d      | C1   | LEFT   | 2026-03-02 |                 | 370102
            e      | N1   | LEFT   | 2026-03-02 |                 | 370103
            null   | U2   | LEFT   | 2026-03-01 | no              | 370102
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
        "P05",
        {
            "roster": """
            person | unit | status | exit       | exit_registered | exit_registered_exact
            late   | U1   | LEFT   | 2026-07-01 | 2026-08-01      | no
            open   | U2   | LEFT   | 2026-08-03 | 2026-08-01      | no
            intime | U3   | LEFT   | 2026-08-14 | 2026-08-01      | no
            """,
        },
        "person | unit | expected | found | counted_to \n late | U1 | 15 | 22 | 2026-08-01",
        gate_start=START,
        not_evaluable="division | unit | book \n 370102 | U2 | roster",
    )
