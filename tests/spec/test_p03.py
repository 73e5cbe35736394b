"""P03 许可过期或超用: a permit cited by more entries than it has posts, or by one after its last good day.

定义：引用同一通知单的入编（不论哪个单位；同一人在同一单位同日入编为一次，出编后再入编是另一次）多于其数量，或有入编晚于有效期末日。
Flagged when more entries cite a permit, of whichever unit (one for each person, unit and day), than it has posts, or one came after its last good day.
无法判定：区划未设闸口起始日；通知单所属单位的实名制或用编通知单缺报、退回；入编、有效期只知到月而结论因日而异的；只报数字的单位。
Not evaluable: no gate start; roster or permits absent at the permit's own unit; an entry or last good day known to the month only, where the day decides; units that deliver counts.
"""

from __future__ import annotations

from tests.spec.spec import check

START = "starts \n 2026-01-01"


def test_entries_of_any_unit_use_a_permit_up_and_its_last_day_is_good():
    check(
        "P03",
        {
            "roster": """
            person | unit | type           | entry      | permit_no | status    | exit
            a      | U1   |                | 2026-03-01 | FIT       |           |
            b      | U1   |                | 2026-03-01 | OVER      |           |
            c      | U2   |                | 2026-03-01 | OVER      |           |
            d      | U1   | SUPPORT        | 2026-03-01 | OVER      | LEFT      | 2026-04-01
            null   | U1   |                | 2026-03-01 | OVER      |           |
            e      | U1   |                | 2026-03-01 | TWICE     |           |
            e      | U1   |                | 2026-03-01 | TWICE     |           |
            f      | U1   |                | 2026-06-30 | LAST      |           |
            g      | U1   |                | 2026-07-01 | LATE      |           |
            h      | U1   |                | 2026-07-01 | NONE      |           |
            i      | U1   |                | 2026-03-01 | -         |           |
            j      | U1   |                | 2026-03-01 | UNKNOWN   |           |
            k      | U1   |                | 2025-12-31 | GATE      |           |
            l      | U1   |                | 2026-10-21 | GATE      |           |
            m      | U1   | CONTROL_NUMBER | 2026-03-01 | GATE      |           |
            n      | U1   |                | 2026-03-01 | GATE      | OFF_QUOTA |
            """,
            "permits": """
            permit_no | unit | type  | fund | posts | valid_until
            FIT       | U1   | ADMIN | FULL | 1     | 2026-06-30
            OVER      | U1   | ADMIN | FULL | 3     | 2026-06-30
            TWICE     | U1   | ADMIN | FULL | 1     | 2026-06-30
            LAST      | U1   | ADMIN | FULL | 1     | 2026-06-30
            LATE      | U1   | ADMIN | FULL | 1     | 2026-06-30
            NONE      | U1   | ADMIN | FULL | 0     | 2026-06-30
            GATE      | U1   | ADMIN | FULL | 0     | 2026-01-01
            UNUSED    | U1   | ADMIN | FULL | 0     | 2026-01-01
            """,
        },
        """
        permit_no | unit | type  | fund | expected | found | cause    | severity | division | person
        OVER      | U1   | ADMIN | FULL | 3        | 4     | OVERUSED | S3       | 370102   | -
        LATE      | U1   | ADMIN | FULL | 1        | 1     | EXPIRED  | S3       | 370102   | -
        NONE      | U1   | ADMIN | FULL | 0        | 1     | OVERUSED | S3       | 370102   | -
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_rows_of_one_number_add_up_and_the_first_in_text_order_owns_it():
    check(
        "P03",
        {
            "roster": """
            person | unit | entry      | permit_no
            a      | U2   | 2026-03-01 | N1
            b      | U2   | 2026-03-01 | N1
            c      | U1   | 2026-03-01 | N1
            d      | U2   | 2026-08-01 | N2
            null   | U1   | 2026-08-02 | N2
            """,
            "permits": """
            permit_no | unit | type    | fund | posts | valid_until
            N1        | U2   | ADMIN   | FULL | 1     |
            N1        | U1   | SUPPORT | FULL | 1     |
            N1        | U1   | ADMIN   | SELF | 0     |
            N2        | U2   | ADMIN   | FULL | 1     | 2026-06-30
            N2        | U2   | ADMIN   | FULL | 1     | 2026-08-01
            """,
        },
        """
        permit_no | unit | type  | fund | expected | found | cause
        N1        | U1   | ADMIN | SELF | 2        | 3     | OVERUSED
        N2        | U2   | ADMIN | FULL | 2        | 2     | EXPIRED
        """,
        gate_start=START,
    )


def test_entries_by_the_permit_of_a_unit_that_no_other_book_names_are_left_to_p01():
    books = {
        "roster": "person | entry | permit_no \n a | 2026-03-01 | N1",
        "permits": "permit_no | unit | posts \n N1 | X1 | 0",
    }
    said = check("P03", books, None, gate_start=START, not_evaluable="")
    assert [row["cause"] for row in said.findings if row["rule"] == "P01"] == ["OTHER_CELL"]


def test_permits_a_gate_start_a_roster_and_persons_are_needed():
    check(
        "P03",
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
            person | unit | entry      | permit_no | by
            a      | U1   | 2026-03-01 | K1        | 370102
            b      | T1   | 2026-03-01 | K2        | 370102
            c      | C1   | 2026-03-01 | K3        | 370102
            d      | N1   | 2026-03-01 | K4        | 370103
            """,
            "permits": """
            permit_no | unit | posts | by
            K1        | U1   | 0     | 370102
            K2        | T1   | 0     | 370102
            K3        | C1   | 0     | 370102
            """,
            "headcount": "unit | count \n C1 | 1",
        },
        "permit_no | unit \n K1 | U1",
        gate_start="division | starts \n 370102 | 2026-01-01 \n 370103 | 2026-01-01",
        verdicts="division | book | state \n 370104 | roster | missing \n 370104 | permits | refused",
        not_evaluable="""
        division | unit | book
        370102   | T1   | gate_start
        370102   | C1   | roster
        370103   | *    | permits
        370104   | *    | gate_start
        370104   | *    | permits
        370104   | *    | roster
        """,
    )


def test_a_permit_whose_owner_delivered_no_roster_is_open_however_many_cite_it_elsewhere():
    books = {
        "units": "unit | by | delivers \n U1 | 370102 | \n C1 | 370102 | COUNTS \n N1 | 370103 |",
        "roster": "person | entry | permit_no \n a | 2026-03-01 | K1 \n b | 2026-03-01 | K2",
        "permits": "permit_no | unit | posts | by \n K1 | N1 | 0 | 370103 \n K2 | C1 | 0 | 370102",
        "headcount": "unit | count \n C1 | 1",
    }
    check(
        "P03",
        books,
        None,
        gate_start="division | starts \n 370102 | 2026-01-01 \n 370103 | 2026-01-01",
        verdicts="division | book | state \n 370103 | roster | missing",
        not_evaluable="division | unit | book \n 370102 | C1 | roster \n 370103 | * | roster",
    )


def test_who_leaves_and_enters_again_has_entered_twice_and_two_cells_of_one_day_are_one_entry():
    check(
        "P03",
        {
            "roster": """
            person | unit | type    | entry      | exit       | status | permit_no
            again  | U1   |         | 2026-03-01 | 2026-04-01 | LEFT   | N1
            again  | U1   |         | 2026-05-01 |            |        | N1
            cells  | U1   | ADMIN   | 2026-03-01 |            |        | N2
            cells  | U1   | SUPPORT | 2026-03-01 |            |        | N2
            units  | U1   |         | 2026-03-01 |            |        | N3
            units  | U2   |         | 2026-03-01 |            |        | N3
            """,
            "permits": "permit_no | unit | posts \n N1 | U1 | 1 \n N2 | U1 | 1 \n N3 | U1 | 1",
        },
        """
        permit_no | expected | found | cause
        N1        | 1        | 2     | OVERUSED
        N3        | 1        | 2     | OVERUSED
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_a_permit_good_until_a_month_is_good_to_its_end_and_a_month_of_entry_may_be_in_time():
    check(
        "P03",
        {
            "roster": """
            person | unit | entry      | entry_date_exact | permit_no
            a      | U1   | 2026-06-30 |                  | JUNE1
            b      | U2   | 2026-07-01 |                  | JUNE2
            c      | U3   | 2026-06-01 |                  | JUNE3
            d      | U4   | 2026-06-01 | no               | TENTH4
            e      | U5   | 2026-06-01 | no               | LAST5
            f      | U6   | 2026-07-01 | no               | LAST6
            g      | U7   | 2026-06-01 | no               | JUNE7
            """,
            "permits": """
            permit_no | unit | valid_until | valid_until_exact
            JUNE1     | U1   | 2026-06-01  | no
            JUNE2     | U2   | 2026-06-01  | no
            JUNE3     | U3   | 2026-06-01  | no
            TENTH4    | U4   | 2026-06-10  |
            LAST5     | U5   | 2026-06-30  |
            LAST6     | U6   | 2026-06-30  |
            JUNE7     | U7   | 2026-06-01  | no
            """,
        },
        """
        permit_no | unit | cause
        JUNE2     | U2   | EXPIRED
        LAST6     | U6   | EXPIRED
        """,
        gate_start=START,
        not_evaluable="""
        division | unit | book
        370102   | U1   | permits
        370102   | U4   | roster
        370102   | U7   | permits
        370102   | U7   | roster
        """,
    )


def test_a_month_may_be_the_day_beside_it_and_may_be_no_entry_of_the_gate():
    check(
        "P03",
        {
            "roster": """
            person | unit | entry      | entry_date_exact | permit_no
            a      | U1   | 2026-03-10 |                  | ONE1
            a      | U1   | 2026-03-01 | no               | ONE1
            b      | U2   | 2026-03-10 |                  | ONE2
            b      | U2   | 2026-03-01 | no               | ONE2
            c      | U2   | 2026-03-11 |                  | ONE2
            d      | U3   | 2026-01-01 | no               | NONE3
            null   | U4   | 2026-01-01 | no               | NONE4
            """,
            "permits": """
            permit_no | unit | posts
            ONE1      | U1   | 1
            ONE2      | U2   | 1
            NONE3     | U3   | 0
            NONE4     | U4   | 0
            """,
        },
        "permit_no | unit | found \n ONE2 | U2 | 2",
        gate_start="starts \n 2026-01-02",
        not_evaluable="""
        division | unit | book
        370102   | U1   | roster
        370102   | U3   | roster
        370102   | U4   | roster
        """,
    )
