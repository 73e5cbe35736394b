"""D01, D02, D05 to D08, further readings: divisions, blanks, zeros, quarantine, books that are missing."""

from __future__ import annotations

from datetime import date

from tests.spec.spec import check

TWO_FOLDERS = "unit | by \n N1 | 370102 \n S1 | 370103"


def test_d01_two_divisions_are_two_places_and_the_smallest_unit_owns_the_flag():
    check(
        "D01",
        {
            "units": TWO_FOLDERS,
            "roster": """
            person | unit | by     | type  | fund | status       | entry      | exit
            a      | S1   | 370103 | ADMIN | FULL |              |            |
            a      | N1   | 370102 | ADMIN | PART | SECONDED_OUT |            |
            a      | N1   | 370102 | ADMIN | FULL | ON_LEAVE     |            |
            later  | N1   | 370102 | ADMIN | FULL |              |            |
            later  | S1   | 370103 | ADMIN | FULL |              | 2026-10-21 |
            last   | N1   | 370102 | ADMIN | FULL |              |            | 2026-10-21
            last   | S1   | 370103 | ADMIN | FULL |              | 2026-10-20 |
            """,
        },
        """
        person | unit | division | type  | fund | expected | found | severity | cause
        a      | N1   | 370102   | ADMIN | FULL | 1        | 3     | S2       |
        last   | N1   | 370102   | ADMIN | FULL | 1        | 2     | S2       |
        """,
    )


def test_d01_a_missing_roster_is_not_evaluable_in_its_own_division_only():
    check(
        "D01",
        {"units": TWO_FOLDERS, "roster": "person | unit | type \n a | N1 | ADMIN \n a | N1 | SUPPORT"},
        "person | unit | found \n a | N1 | 2",
        verdicts="division | book | state \n 370103 | roster | missing",
        not_evaluable="division | unit | book \n 370103 | * | roster",
    )


def test_d02_people_of_count_only_units_are_not_judged_one_by_one():
    check(
        "D02",
        {
            "units": "unit | delivers \n SOME | COUNTS \n U1 |",
            "roster": "person | unit | id_problem \n a | SOME | LENGTH \n b | U1 | LENGTH \n c | U1 |",
            "headcount": "unit | count \n SOME | 0",
        },
        "person | unit | book | found | severity | division \n b | U1 | roster | LENGTH | S4 | 370102",
        not_evaluable="division | unit | book \n 370102 | SOME | roster",
    )


def test_d05_zero_is_a_figure_and_blank_is_none():
    check(
        "D05",
        {
            "units": "unit \n U1 \n FREE",
            "roster": "person | status \n a | \n a | \n b | OFF_QUOTA \n c | RETIRED",
            "headcount": """
            unit | measure | type  | fund | count
            U1   | IN_POST | ADMIN | FULL | 0
            U1   | IN_POST | ADMIN | null | 1
            U1   | IN_POST | null  | null | null
            FREE | IN_POST | null  | null | 0
            FREE | QUOTA   | null  | null | 0
            FREE | PAID    | null  | null | 0
            """,
        },
        """
        unit | measure | type  | fund | expected | found | severity
        U1   | IN_POST | ADMIN | FULL | 1        | 0     | S2
        """,
    )


def test_d05_paid_is_full_and_part_of_persons_in_p_by_the_unit_paid_for():
    check(
        "D05",
        {
            "units": "unit \n U1 \n AGENT",
            "roster": "person | type \n number | CONTROL_NUMBER",
            "payroll": """
            person | payer | on_behalf_of | mode | amount  | state      | month
            a      | AGENT | U1           | FULL |         |            |
            a      | U1    |              | PART |         |            |
            null   | U1    |              | PART |         |            |
            null   | U1    |              | PART |         |            |
            self   | U1    |              | SELF |         |            |
            number | U1    |              | FULL |         |            |
            zero   | U1    |              | FULL | 0       |            |
            dark   | U1    |              | FULL | null    |            |
            old    | U1    |              | FULL |         | RETIRED    |
            past   | U1    |              | FULL |         |            | 2026-09
            """,
            "headcount": """
            unit  | measure | count | source
            U1    | PAID    | 4     | 财政
            U1    | PAID    | 5     | 统计
            AGENT | PAID    | 1     | 财政
            """,
        },
        """
        unit  | measure | source | expected | found
        U1    | PAID    | 统计   | 4        | 5
        AGENT | PAID    | 财政   | 0        | 1
        """,
    )


def test_d05_quarantine_in_another_book_does_not_excuse_and_unknown_quota_is_not_evaluable():
    check(
        "D05",
        {
            "units": "unit \n U1 \n U2",
            "roster": "person | unit \n a | U1",
            "establishment": "unit | quota \n U1 | 1 \n U2 | 1",
            "headcount": """
            unit | measure | count
            U1   | IN_POST | 2
            U1   | PAID    | 2
            U2   | QUOTA   | 2
            """,
        },
        """
        unit | measure | expected | found | severity | cause
        U1   | IN_POST | 1        | 2     | S2       |
        U1   | PAID    | 0        | 2     | S4       | QUARANTINE
        """,
        quarantine="""
        book          | unit | type  | fund
        payroll       | U1   | null  | null
        establishment | U2   | ADMIN | PART
        """,
        not_evaluable="division | unit | book \n 370102 | U2 | establishment",
    )


def test_d06_parts_without_a_total_row_and_unlike_rows_are_not_compared():
    check(
        "D06",
        {
            "units": "unit | delivers \n SUM | COUNTS \n P1 | COUNTS \n P2 | COUNTS",
            "headcount": """
            unit | measure | scope      | type    | count | part_of
            P1   | QUOTA   |            | ADMIN   | 3     | LOST
            SUM  | QUOTA   |            | ADMIN   | 3     |
            P1   | QUOTA   | IN_SERVICE | ADMIN   | 9     | SUM
            P1   | IN_POST |            | ADMIN   | 9     | SUM
            P1   | QUOTA   |            | SUPPORT | 9     | SUM
            SUM  | PAID    |            | null    | 0     |
            P1   | PAID    |            | null    | 0     | SUM
            P2   | PAID    |            | null    | 2     | SUM
            """,
        },
        """
        unit | measure | scope            | type | expected | found | severity | division
        SUM  | PAID    | ON_ESTABLISHMENT |      | 0        | 2     | S4       | 370102
        """,
    )


def test_d06_totals_of_two_divisions_or_columns_are_two_findings():
    check(
        "D06",
        {"units": TWO_FOLDERS, "establishment": "unit | quota | by \n N1 | 1 | 370102 \n S1 | 1 | 370103"},
        """
        division | book          | column | stated | expected | found | unit
        370102   | establishment | quota  | 5      | 5        | 4     |
        370103   | establishment | quota  | 5      | 5        | 0     |
        370103   | establishment | quota  | 6      | 6        | 0     |
        """,
        totals="""
        division | book          | column | stated | computed | row
        370102   | establishment | quota  | 5      | 4        | 9
        370103   | establishment | quota  | 5      | 0        | 9
        370103   | establishment | quota  | 6      | 0        | 10
        370103   | establishment | quota  | 0      | 0        | 11
        """,
    )


def test_d07_waits_for_the_roster_and_for_persons():
    check(
        "D07",
        {
            "units": "unit | by | delivers \n SOME | 370102 | COUNTS \n S1 | 370103 |",
            "roster": "person | unit | status | exit \n a | SOME | LEFT | null \n b | U1 | LEFT | null",
        },
        "person | unit | found \n b | U1 | EXIT_MISSING",
        verdicts="division | book | state \n 370103 | roster | refused",
        not_evaluable="division | unit | book \n 370102 | SOME | roster \n 370103 | * | roster",
    )


def test_d07_the_last_day_of_the_month_still_leaves_a_month_undecided():
    check(
        "D07",
        {
            "roster": """
            person | unit | status     | exit       | exit_date_exact
            a      | LAST | RETIRED    | 2026-10-01 | no
            b      | LAST | IN_SERVICE | 2026-10-01 | no
            """,
        },
        "person | found \n b | EXITED_BUT_ACTIVE",
        as_of=date(2026, 10, 31),
    )


def test_d08_one_date_or_none_says_nothing_and_unaccepted_files_do_not_count():
    check(
        "D08",
        {"roster": "person | unit | by \n a | U1 | 370102"},
        """
        book  | found                            | severity | unit | division
        units | 2026-08-31;2026-09-30;2026-10-20 | S4       |      |
        """,
        verdicts="division | book | state \n 370103 | roster | refused \n 370103 | units | accepted",
        cutoffs="""
        book   | division | cutoff
        units  | 370102   | 2026-10-20
        units  | 370102   | 2026-08-31
        units  | 370103   | 2026-09-30
        units  | 370103   | 2026-09-30
        roster | 370102   | 2026-10-20
        roster | 370103   | 2026-09-30
        """,
    )
