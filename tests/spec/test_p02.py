"""P02 满编进人: entered a cell that was full on that day.

定义：入编当日单元格已满（单元格没有编制行看类型，类型也没有为 0 个）：每人只计一次，不与本人相争；当日出编在先，入编按登记时间、通知单号、人员依次占编，占不下的即是。
Flagged when the cell was full on the day of entry (lacking a quota row, the type; lacking that, 0 posts): exits of the day first, then entries by registration, permit and person, everybody once and nobody against themselves; those that no longer fit.
无法判定：区划未设闸口起始日；实名制或编制缺报、退回；当日编制数不明；入编日只知到月；别人的入编、出编、登记或本人的出编、登记只知到月而占得下占不下因日而异的；只报数字的单位。
Not evaluable: no gate start; roster or establishment absent; the quota of the day unknown; an entry known to the month only; other dates known to the month only, the own or those of others, that decide whether it fits; units that deliver counts.
"""

from __future__ import annotations

from tests.spec.spec import check

START = "starts \n 2026-01-01"


def test_exits_of_the_day_make_room_and_entries_take_their_turn():
    check(
        "P02",
        {
            "establishment": "unit | quota \n U1 | 3 \n U9 | 1",
            "roster": """
            person | unit | entry      | entry_registered | permit_no | status | exit
            h1     | U1   | 2010-01-01 |                  |           |        |
            h2     | U1   | 2010-01-01 |                  |           | LEFT   | 2026-03-02
            h3     | U1   | 2010-01-01 |                  |           | LEFT   | 2026-03-03
            null   | U1   | -          |                  |           |        |
            a      | U1   | 2026-03-02 | 2026-03-04       | N2        |        |
            a      | U1   | 2026-03-02 | 2026-03-04       | N2        |        |
            b      | U1   | 2026-03-02 | 2026-03-04       | N1        |        |
            c      | U1   | 2026-03-02 | -                | N0        |        |
            d      | U1   | 2026-03-02 | -                | -         |        |
            e      | U1   | 2026-03-03 | 2026-03-03       |           |        |
            """,
        },
        """
        person | unit | entry_date | type  | fund | expected | found | severity | division
        b      | U1   | 2026-03-02 | ADMIN | FULL | 3        | 4     | S2       | 370102
        a      | U1   | 2026-03-02 | ADMIN | FULL | 3        | 5     | S2       | 370102
        c      | U1   | 2026-03-02 | ADMIN | FULL | 3        | 6     | S2       | 370102
        d      | U1   | 2026-03-02 | ADMIN | FULL | 3        | 7     | S2       | 370102
        e      | U1   | 2026-03-03 | ADMIN | FULL | 3        | 7     | S2       | 370102
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_the_first_to_fit_is_the_first_registered_then_by_permit_then_by_person():
    check(
        "P02",
        {
            "establishment": "unit | quota \n U1 | 2",
            "roster": """
            person | entry      | entry_registered | permit_no
            late   | 2026-03-02 | 2026-03-09       | N1
            z      | 2026-03-02 | 2026-03-04       | N1
            y      | 2026-03-02 | 2026-03-04       | N2
            x      | 2026-03-02 | 2026-03-04       | N2
            null   | 2026-03-02 | 2026-03-05       | N1
            """,
        },
        """
        person | expected | found
        y      | 2        | 3
        late   | 2        | 5
        """,
        gate_start=START,
    )


def test_the_cell_is_asked_then_the_type_then_there_are_no_posts():
    check(
        "P02",
        {
            "establishment": """
            unit | type    | fund | quota
            U1   | ADMIN   | FULL | 1
            U1   | ADMIN   | SELF | 0
            U2   | SUPPORT | PART | 1
            """,
            "roster": """
            person | unit | type    | fund | entry
            a      | U1   | ADMIN   | FULL | 2026-03-02
            b      | U1   | ADMIN   | PART | 2026-03-02
            c      | U1   | ADMIN   | SELF | 2026-03-02
            d      | U2   | SUPPORT | PART | 2026-03-02
            e      | U2   | SUPPORT | FULL | 2026-03-03
            f      | U2   | ADMIN   | FULL | 2026-03-02
            g      | U3   | ADMIN   | FULL | 2026-03-02
            """,
        },
        """
        person | unit | type    | fund | expected | found
        b      | U1   | ADMIN   | PART | 1        | 2
        c      | U1   | ADMIN   | SELF | 0        | 1
        e      | U2   | SUPPORT | FULL | 1        | 2
        f      | U2   | ADMIN   | FULL | 0        | 1
        g      | U3   | ADMIN   | FULL | 0        | 1
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_holders_are_counted_from_the_dates_of_all_rows_each_person_once():
    check(
        "P02",
        {
            "establishment": "unit | quota \n U1 | 2 \n U2 | 2 \n U3 | 0",
            "roster": """
            person | unit | type           | fund | status    | entry      | exit
            twice  | U1   |                |      |           | 2010-01-01 | 2026-02-01
            twice  | U1   |                |      | LEFT      | 2026-01-05 | 2026-09-01
            off    | U1   |                |      | OFF_QUOTA | 2010-01-01 |
            other  | U1   | SUPPORT        |      |           | 2010-01-01 |
            number | U1   | CONTROL_NUMBER |      |           | 2010-01-01 |
            coming | U1   |                |      |           | 2026-10-21 |
            fits   | U1   |                |      |           | 2026-03-02 |
            gone   | U2   |                |      | RETIRED   | -          | 2026-03-03
            stays  | U2   |                |      | LEFT      | 2010-01-01 | -
            full   | U2   |                |      |           | 2026-03-02 |
            room   | U2   |                |      |           | 2026-03-03 |
            none   | U3   |                |      |           | 2026-03-02 | 2026-03-02
            day    | U3   |                |      | LEFT      | 2026-03-02 | 2026-03-03
            before | U3   |                |      |           | 2025-12-31 |
            """,
        },
        """
        person | unit | expected | found
        full   | U2   | 2        | 3
        room   | U2   | 2        | 3
        day    | U3   | 0        | 2
        """,
        gate_start=START,
    )


def test_the_quota_of_the_day_is_the_ledgers_where_it_knows_it_and_tonights_loans_come_on_top():
    check(
        "P02",
        {
            "establishment": "unit | quota \n U1 | 9 \n U2 | 0 \n U3 | 1",
            "roster": """
            person | unit | entry
            a      | U1   | 2026-03-01
            b      | U1   | 2026-03-02
            c      | U1   | 2026-04-01
            d      | U2   | 2026-03-02
            e      | U2   | 2026-04-02
            f      | U3   | 2026-03-02
            """,
        },
        """
        person | unit | expected | found
        b      | U1   | 0        | 2
        e      | U2   | 1        | 2
        f      | U3   | 0        | 1
        """,
        gate_start=START,
        position_quota="""
        unit | quota | valid_from | valid_to
        U1   | 0     | 2026-03-02 | 2026-03-31
        """,
        position="unit | borrowed | lent \n U2 | 1 | 0 \n U3 | 0 | 1",
    )


def test_an_unknown_quota_a_day_known_to_the_month_or_no_establishment_leave_it_open():
    check(
        "P02",
        {
            "units": "unit | by \n U1 | 370102 \n U2 | 370102 \n U3 | 370102 \n N1 | 370103 \n M1 | 370104",
            "establishment": """
            unit | copy        | quota
            U1   | LEDGER      | 0
            U2   | CERTIFICATE | 5
            U3   | LEDGER      | 0
            """,
            "roster": """
            person | unit | entry      | entry_date_exact | by
            a      | U1   | 2026-03-01 | no               | 370102
            b      | U2   | 2026-03-02 |                  | 370102
            c      | U3   | 2026-03-02 |                  | 370102
            d      | N1   | 2026-03-02 |                  | 370103
            e      | M1   | 2026-03-02 |                  | 370104
            """,
        },
        "person | unit \n c | U3",
        gate_start="division | starts \n 370102 | 2026-01-01 \n 370103 | 2026-01-01",
        verdicts="division | book | state \n 370103 | establishment | missing",
        not_evaluable="""
        division | unit | book
        370102   | U1   | roster
        370102   | U2   | establishment
        370103   | *    | establishment
        370104   | *    | establishment
        370104   | *    | gate_start
        """,
    )


def test_nobody_is_counted_against_themselves_or_twice_on_one_day():
    check(
        "P02",
        {
            "establishment": "unit | quota \n U1 | 1 \n U2 | 2 \n U3 | 1",
            "roster": """
            person | unit | entry      | exit       | status | entry_registered
            again  | U1   | 2020-01-01 | 2026-06-01 | LEFT   |
            again  | U1   | 2026-05-01 |            |        |
            again  | U2   | 2020-01-01 | 2026-06-01 | LEFT   |
            again  | U2   | 2026-05-01 |            |        | 2026-05-01
            other  | U2   | 2026-05-01 |            |        | 2026-05-02
            again  | U3   | 2020-01-01 | 2026-06-01 | LEFT   |
            again  | U3   | 2026-05-01 |            |        | 2026-05-01
            other  | U3   | 2026-05-01 |            |        | 2026-05-02
            """,
        },
        "person | unit | expected | found \n other | U3 | 1 | 2",
        gate_start=START,
        not_evaluable="",
    )


def test_a_holder_whose_month_decides_leaves_it_open_and_who_was_there_or_gone_either_way_does_not():
    check(
        "P02",
        {
            "establishment": "unit | quota \n U1 | 1 \n U2 | 1 \n U3 | 1 \n U4 | 1 \n U5 | 1 \n U6 | 1 \n U7 | 1",
            "roster": """
            person | unit | entry      | entry_date_exact | exit       | exit_date_exact | status
            leaves | U1   | 2010-01-01 |                  | 2026-03-01 | no              | LEFT
            a      | U1   | 2026-03-20 |                  |            |                 |
            leaves | U2   | 2010-01-01 |                  | 2026-03-01 | no              | LEFT
            b      | U2   | 2026-03-31 |                  |            |                 |
            leaves | U3   | 2010-01-01 |                  | 2026-04-01 | no              | LEFT
            c      | U3   | 2026-03-31 |                  |            |                 |
            comes  | U4   | 2026-03-01 | no               |            |                 |
            d      | U4   | 2026-03-01 |                  |            |                 |
            comes  | U5   | 2026-03-01 | no               |            |                 |
            e      | U5   | 2026-04-01 |                  |            |                 |
            comes  | U6   | 2026-03-01 | no               |            |                 |
            f      | U6   | 2026-02-28 |                  |            |                 |
            old    | U7   | 2010-01-01 | no               |            |                 |
            g      | U7   | 2026-03-20 |                  | 2026-03-01 | no              | LEFT
            """,
        },
        """
        person | unit | expected | found
        c      | U3   | 1        | 2
        e      | U5   | 1        | 2
        """,
        gate_start=START,
        not_evaluable="""
        division | unit | book
        370102   | U1   | roster
        370102   | U4   | roster
        370102   | U5   | roster
        370102   | U6   | roster
        370102   | U7   | roster
        """,
    )


def test_a_turn_that_hangs_on_the_month_of_a_registration_is_open():
    check(
        "P02",
        {
            "establishment": "unit | quota \n U1 | 1 \n U2 | 1 \n U3 | 1",
            "roster": """
            person | unit | entry      | entry_registered | entry_registered_exact | permit_no
            a      | U1   | 2026-03-02 | 2026-03-01       | no                     | N1
            b      | U1   | 2026-03-02 | 2026-03-20       |                        | N2
            a      | U2   | 2026-03-02 | 2026-03-01       | no                     | N1
            b      | U2   | 2026-03-02 | 2026-04-01       |                        | N2
            a      | U3   | 2026-03-02 | 2026-03-01       | no                     | N1
            b      | U3   | 2026-03-02 | 2026-03-31       |                        | N2
            """,
        },
        """
        person | unit | expected | found
        b      | U2   | 1        | 2
        b      | U3   | 1        | 2
        """,
        gate_start=START,
        not_evaluable="division | unit | book \n 370102 | U1 | roster",
    )
