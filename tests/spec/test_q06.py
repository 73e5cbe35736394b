"""Q06 私设机构: people, pay or quota rest on a unit that is not registered, approved and valid (decision 37).

定义：有在编人员、有发薪行或有编制行的单位：未登记，或没有批准文号，或时点不在其有效期内。
Flagged when a unit with an active person, a row in P or a quota row is not registered, or has no approval document, or A is outside its dates.
无法判定：机构缺报、退回（任一应报的机构名册缺报时，不说任何单位未登记）；名册、编制、发薪缺报的部分；成立或撤销日期只知到月、时点就在那个月的单位。
Not evaluable: units absent (nobody is called unregistered while any expected register is missing); what rests on an absent roster, payroll or establishment; a unit founded or closed in the month of A, no day known.
"""

from __future__ import annotations

from tests.spec.spec import check


def test_anything_that_rests_on_an_unregistered_unit_flags_it():
    check(
        "Q06",
        {
            "units": "unit \n GOOD \n DESK",
            "roster": """
                person | unit   | status    | exit
                a      | PEOPLE |           |
                null      | BLANK  |           |
                b      | GOOD   |           |
                c      | FORMER | RETIRED   | 2020-01-01
                d      | TEMP   | OFF_QUOTA |
            """,
            "payroll": """
                person | payer | state
                b      | PAYS  |
                e      | PENS  | RETIRED
            """,
            "establishment": """
                unit  | quota | copy
                POSTS | 3     | LEDGER
                ZERO  | 0     | CERTIFICATE
                GOOD  | 3     | LEDGER
            """,
        },
        """
        unit   | found          | severity | cause | division | type | person
        PEOPLE | NOT_REGISTERED | S2       |       | 370102
        BLANK  | NOT_REGISTERED | S2       |       | 370102
        PAYS   | NOT_REGISTERED | S2       |       | 370102
        POSTS  | NOT_REGISTERED | S2       |       | 370102
        ZERO   | NOT_REGISTERED | S2       |       | 370102
        """,
        not_evaluable="",
    )


def test_the_unit_paid_for_is_the_payer_and_no_pay_is_no_evidence():
    check(
        "Q06",
        {
            "units": "unit \n U1",
            "payroll": """
                person | payer  | on_behalf_of | amount
                a      | AGENCY | BEHALF       | 500000
                b      | NOPAY  |              | 0
                c      | BACK   |              | 500000
                c      | BACK   |              | -500000
                d      | DARK   |              | null
            """,
        },
        """
        unit   | found
        BEHALF | NOT_REGISTERED
        DARK   | NOT_REGISTERED
        """,
    )


def test_the_first_reason_that_holds_is_given_and_both_ends_of_validity_are_good_days():
    check(
        "Q06",
        {
            "units": """
                unit   | doc | from       | to
                NODOC  | null   |            |
                BOTH   | null   |            | 2020-01-01
                ENDED  |     |            | 2026-10-19
                LAST   |     |            | 2026-10-20
                FIRST  |     | 2026-10-20 |
                SOON   |     | 2026-10-21 |
                UNUSED | null   |            |
            """,
            "roster": """
                person | unit
                a      | NODOC
                b      | BOTH
                c      | ENDED
                d      | LAST
                e      | FIRST
                f      | SOON
            """,
        },
        """
        unit  | found           | severity
        NODOC | NO_APPROVAL_DOC | S2
        BOTH  | NO_APPROVAL_DOC | S2
        ENDED | OUTSIDE_VALIDITY | S2
        SOON  | OUTSIDE_VALIDITY | S2
        """,
    )


def test_of_several_versions_of_a_unit_the_one_in_force_counts():
    check(
        "Q06",
        {
            "units": """
                unit  | from       | to         | doc
                MOVED | 2001-01-01 | 2019-12-31 | null
                MOVED | 2020-01-01 |            |
                GAP   | 2001-01-01 | 2019-12-31 |
                GAP   | 2027-01-01 |            |
            """,
            "roster": "person | unit \n a | MOVED \n b | GAP",
        },
        "unit | found \n GAP | OUTSIDE_VALIDITY",
    )


def test_a_quarantined_units_row_makes_it_a_matter_of_data_quality():
    check(
        "Q06",
        {"units": "unit \n GOOD", "roster": "person | unit \n a | SHUT \n b | LOST \n c | GOOD"},
        """
        unit | found          | severity | cause
        SHUT | NOT_REGISTERED | S4       | QUARANTINE
        LOST | NOT_REGISTERED | S2       |
        """,
        quarantine="book | unit \n units | SHUT \n units | GOOD \n units | null \n roster | LOST",
    )


def test_positive_evidence_speaks_even_beside_a_missing_book():
    check(
        "Q06",
        {"units": "unit \n GOOD", "payroll": "person | payer \n a | LOST \n b | GOOD"},
        "unit | found \n LOST | NOT_REGISTERED",
        verdicts="book | state \n roster | missing",
        not_evaluable="division | unit | book \n 370102 | * | roster",
    )


def test_without_the_units_book_nothing_is_unregistered():
    check(
        "Q06",
        {"units": "unit", "roster": "person | unit \n a | LOST"},
        None,
        verdicts="book | state \n units | refused",
        not_evaluable="division | unit | book \n 370102 | * | units",
    )


def test_the_quota_figure_of_a_count_only_unit_is_a_quota_row():
    check(
        "Q06",
        {
            "units": "unit | delivers | doc \n POSTS | COUNTS | null \n HEADS | COUNTS | null \n OTHER | COUNTS | null",
            "headcount": """
                unit  | measure | count | scope
                POSTS | QUOTA   | 3     |
                HEADS | IN_POST | 3     |
                OTHER | QUOTA   | 3     | YEAR_END_ALL
            """,
        },
        "unit | found \n POSTS | NO_APPROVAL_DOC",
    )


def test_a_unit_founded_or_closed_some_day_of_this_month_is_open():
    check(
        "Q06",
        {
            "units": """
            unit   | doc  | from       | valid_from_exact | to         | valid_to_exact
            NEW    |      | 2026-10-01 | no               |            |
            CLOSED |      | 2001-01-01 |                  | 2026-10-01 | no
            LAST   |      | 2001-01-01 |                  | 2026-09-01 | no
            NEXT   |      | 2026-11-01 | no               |            |
            OLD    |      | 2001-01-01 | no               |            |
            NODOC  | null | 2026-10-01 | no               |            |
            MOVED  | null | 2001-01-01 |                  | 2026-10-01 | no
            MOVED  |      | 2026-10-10 |                  |            |
            MAYBE  | null | 2001-01-01 |                  | 2026-10-01 | no
            MAYBE  |      | 2026-10-25 |                  |            |
            """,
            "roster": "person | unit \n a | NEW \n b | CLOSED \n c | LAST \n d | NEXT \n e | OLD \n f | NODOC \n g | MOVED \n h | MAYBE",
        },
        """
        unit  | found
        LAST  | OUTSIDE_VALIDITY
        NEXT  | OUTSIDE_VALIDITY
        NODOC | NO_APPROVAL_DOC
        """,
        not_evaluable="""
        division | unit   | book
        370102   | NEW    | units
        370102   | CLOSED | units
        370102   | MAYBE  | units
        """,
    )
