"""P01 未批先进: entered with no permit, with one of another cell, or with one approved after the day of entry.

定义：入编没有用编通知单；或所引通知单是别的单位、类型、经费形式的；或批准晚于入编；或用编通知单名册里查无此号。
Flagged when an entry has no permit number, or cites a permit of another cell, one approved after the entry, or one the permits book does not know.
无法判定：区划未设闸口起始日；实名制缺报、退回；没有用编通知单名册时只判空白的；入编、批准只知到月而结论因日而异的；只报数字的单位。
Not evaluable: no gate start of the division; roster absent; without the permits book only blank numbers are judged; an entry or approval known to the month only, where the day decides; units that deliver counts.
"""

from __future__ import annotations

from tests.spec.spec import check

START = "starts \n 2026-01-01"


def test_an_entry_needs_a_permit_of_its_cell_approved_by_its_day():
    check(
        "P01",
        {
            "roster": """
            person  | unit | type           | fund | entry      | permit_no | status    | exit
            right   | U1   |                |      | 2026-03-01 | N1        |           |
            sameday | U1   |                |      | 2026-02-01 | N1        |           |
            right   | U1   |                |      | 2026-03-01 | N1        |           |
            none    | U1   |                |      | 2026-03-01 | -         |           |
            none    | U1   |                |      | 2026-03-01 | -         |           |
            unknown | U1   |                |      | 2026-03-01 | N7        |           |
            unit    | U2   |                |      | 2026-03-01 | N1        |           |
            type    | U1   | SUPPORT        |      | 2026-03-01 | N1        |           |
            fund    | U1   |                | PART | 2026-03-01 | N1        |           |
            later   | U1   |                |      | 2026-01-31 | N1        |           |
            first   | U1   |                |      | 2026-01-01 | -         |           |
            today   | U1   |                |      | 2026-10-20 | -         |           |
            left    | U1   |                |      | 2026-03-01 | -         | LEFT      | 2026-05-01
            before  | U1   |                |      | 2025-12-31 | -         |           |
            coming  | U1   |                |      | 2026-10-21 | -         |           |
            ever    | U1   |                |      | -          | -         |           |
            off     | U1   |                |      | 2026-03-01 | -         | OFF_QUOTA |
            number  | U1   | CONTROL_NUMBER |      | 2026-03-01 | -         |           |
            null    | U1   |                |      | 2026-03-01 | -         |           |
            """,
            "permits": """
            permit_no | unit | type  | fund | approved_on | posts
            N1        | U1   | ADMIN | FULL | 2026-02-01  | 0
            N9        | U1   | ADMIN | FULL | 2026-02-01  |
            """,
        },
        """
        person  | unit | entry_date | type    | fund | expected                 | found | cause          | severity | division
        none    | U1   | 2026-03-01 | ADMIN   | FULL | -                        | -     | NO_PERMIT      | S2       | 370102
        unknown | U1   | 2026-03-01 | ADMIN   | FULL | -                        | N7    | UNKNOWN_PERMIT | S2       | 370102
        unit    | U2   | 2026-03-01 | ADMIN   | FULL | U1 ADMIN FULL 2026-02-01 | N1    | OTHER_CELL     | S2       | 370102
        type    | U1   | 2026-03-01 | SUPPORT | FULL | U1 ADMIN FULL 2026-02-01 | N1    | OTHER_CELL     | S2       | 370102
        fund    | U1   | 2026-03-01 | ADMIN   | PART | U1 ADMIN FULL 2026-02-01 | N1    | OTHER_CELL     | S2       | 370102
        later   | U1   | 2026-01-31 | ADMIN   | FULL | U1 ADMIN FULL 2026-02-01 | N1    | APPROVED_LATER | S2       | 370102
        first   | U1   | 2026-01-01 | ADMIN   | FULL | -                        | -     | NO_PERMIT      | S2       | 370102
        today   | U1   | 2026-10-20 | ADMIN   | FULL | -                        | -     | NO_PERMIT      | S2       | 370102
        left    | U1   | 2026-03-01 | ADMIN   | FULL | -                        | -     | NO_PERMIT      | S2       | 370102
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_of_several_rows_of_one_number_any_may_fit_and_the_first_in_text_order_is_shown():
    check(
        "P01",
        {
            "roster": """
            person | unit | type    | entry      | permit_no
            fits   | U2   | ADMIN   | 2026-03-01 | N1
            early  | U1   | ADMIN   | 2026-01-15 | N1
            none   | U3   | ADMIN   | 2026-03-01 | N1
            """,
            "permits": """
            permit_no | unit | type  | approved_on
            N1        | U2   | ADMIN | 2026-03-01
            N1        | U2   | ADMIN | 2026-09-01
            N1        | U1   | ADMIN | 2026-02-01
            """,
        },
        """
        person | unit | expected                 | found | cause
        early  | U1   | U1 ADMIN FULL 2026-02-01 | N1    | APPROVED_LATER
        none   | U3   | U1 ADMIN FULL 2026-02-01 | N1    | OTHER_CELL
        """,
        gate_start=START,
    )


def test_two_rows_of_one_person_unit_and_day_are_one_finding_and_other_days_are_their_own():
    check(
        "P01",
        {
            "roster": """
            person | unit | type    | fund | entry      | status | exit
            a      | U1   | SUPPORT | FULL | 2026-03-01 |        |
            a      | U1   | ADMIN   | SELF | 2026-03-01 |        |
            a      | U1   | ADMIN   | FULL | 2026-05-01 |        |
            a      | U2   | ADMIN   | FULL | 2026-03-01 |        |
            """,
        },
        """
        person | unit | entry_date | type  | fund
        a      | U1   | 2026-03-01 | ADMIN | SELF
        a      | U1   | 2026-05-01 | ADMIN | FULL
        a      | U2   | 2026-03-01 | ADMIN | FULL
        """,
        gate_start=START,
    )


def test_without_the_permits_book_only_a_blank_number_is_flagged_and_the_rest_is_open():
    check(
        "P01",
        {
            "roster": """
            person | unit | entry      | permit_no | by
            a      | U1   | 2026-03-01 | N7        | 370102
            b      | U1   | 2026-03-01 | -         | 370102
            c      | N1   | 2026-03-01 | N7        | 370103
            """,
            "permits": "permit_no | unit | by \n N1 | N1 | 370103",
        },
        """
        person | unit | cause
        b      | U1   | NO_PERMIT
        c      | N1   | UNKNOWN_PERMIT
        """,
        gate_start="division | starts \n 370102 | 2026-01-01 \n 370103 | 2026-01-01",
        not_evaluable="division | unit | book \n 370102 | * | permits",
    )


def test_without_a_gate_start_roster_or_persons_nothing_is_concluded():
    check(
        "P01",
        {
            "units": """
            unit | by     | division  | delivers
            U1   | 370102 | 370102    |
            T1   | 370102 | 370102001 |
            C1   | 370102 | 370102    | COUNTS
            N1   | 370103 | 370103    |
            M1   | 370104 | 370104    |
            """,
            "roster": """
            person | unit | entry      | by
            a      | U1   | 2026-03-01 | 370102
            b      | T1   | 2026-03-01 | 370102
            c      | C1   | 2026-03-01 | 370102
            d      | N1   | 2026-03-01 | 370103
            """,
            "permits": "permit_no \n N1",
            "headcount": "unit | count \n C1 | 1",
        },
        "person | unit \n a | U1",
        gate_start="division | starts \n 370102 | 2026-01-01 \n 370104 | 2026-01-01",
        verdicts="division | book | state \n 370104 | roster | missing",
        not_evaluable="""
        division | unit | book
        370102   | T1   | gate_start
        370102   | C1   | roster
        370103   | *    | gate_start
        370103   | *    | permits
        370104   | *    | permits
        370104   | *    | roster
        """,
    )


def test_the_permits_of_a_unit_on_our_own_gate_are_there_whatever_was_delivered():
    check(
        "P01",
        {
            "roster": """
            person | unit | entry      | permit_no
            ours   | U1   | 2026-03-01 | N1
            other  | U2   | 2026-03-01 | N1
            """,
        },
        """
        person | unit | entry_date | type  | fund | expected | found | cause          | severity | division
        ours   | U1   | 2026-03-01 | ADMIN | FULL | -        | N1    | UNKNOWN_PERMIT | S2       | 370102
        """,
        gate_start=START,
        own_unit="unit | starts \n U1 | 2026-01-01",
    )


def test_a_month_accuses_nobody_whom_one_of_its_days_would_clear():
    check(
        "P01",
        {
            "roster": """
            person | unit | entry      | entry_date_exact | permit_no
            same   | U1   | 2026-03-01 | no               | DAY
            before | U2   | 2026-02-01 | no               | DAY2
            after  | U3   | 2026-04-01 | no               | DAY3
            lastof | U4   | 2026-03-31 |                  | MONTH
            inside | U5   | 2026-03-30 |                  | MONTH5
            early  | U6   | 2026-02-28 |                  | MONTH6
            both   | U7   | 2026-03-01 | no               | MONTH7
            any    | U8   | 2026-03-20 |                  | TWO
            none   | U9   | 2026-03-01 | no               | -
            """,
            "permits": """
            permit_no | unit | approved_on | approved_on_exact
            DAY       | U1   | 2026-03-05  |
            DAY2      | U2   | 2026-03-05  |
            DAY3      | U3   | 2026-03-05  |
            MONTH     | U4   | 2026-03-01  | no
            MONTH5    | U5   | 2026-03-01  | no
            MONTH6    | U6   | 2026-03-01  | no
            MONTH7    | U7   | 2026-03-01  | no
            TWO       | U8   | 2026-03-01  | no
            TWO       | U8   | 2026-03-20  |
            """,
        },
        """
        person | unit | found | cause
        before | U2   | DAY2  | APPROVED_LATER
        early  | U6   | MONTH6 | APPROVED_LATER
        none   | U9   | -     | NO_PERMIT
        """,
        gate_start=START,
        not_evaluable="""
        division | unit | book
        370102   | U1   | roster
        370102   | U5   | permits
        370102   | U7   | permits
        370102   | U7   | roster
        """,
    )


def test_a_month_that_reaches_beyond_gate_start_or_tonight_may_be_no_entry_to_judge():
    check(
        "P01",
        {
            "roster": """
            person | unit | entry      | entry_date_exact | permit_no
            start  | U1   | 2026-03-01 | no               | -
            tonight | U2  | 2026-10-01 | no               | -
            fine   | U3   | 2026-03-01 | no               | N1
            old    | U4   | 2026-02-01 | no               | -
            """,
            "permits": "permit_no | unit | approved_on \n N1 | U3 | 2026-03-02",
        },
        None,
        gate_start="starts \n 2026-03-02",
        not_evaluable="division | unit | book \n 370102 | U1 | roster \n 370102 | U2 | roster",
    )
