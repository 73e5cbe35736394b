"""Q01 to Q04, further readings: which people count, which copies bind, which books a rule waits for."""

from __future__ import annotations

from tests.spec.spec import check

COUNTS_BESIDE_PERSONS = {
    "units": "unit | by | delivers \n SOME | 370102 | COUNTS \n ALL | 370103 |",
    "headcount": "unit | count | by \n SOME | 1 | 370102 \n ALL | 1 | 370103",
}
PERSONS_NOT_DELIVERED = "division | unit | book \n 370102 | SOME | roster \n 370103 | * | roster"


def test_q01_an_unknown_control_number_cell_leaves_the_units_total_known():
    check(
        "Q01",
        {
            "roster": "person | unit \n a | U1",
            "establishment": """
            unit | type           | quota | copy
            U1   | ADMIN          | 0     | LEDGER
            U1   | CONTROL_NUMBER | 3     | CERTIFICATE
            """,
        },
        "unit | expected | found \n U1 | 0 | 1",
        not_evaluable="",
    )


def test_q01_a_blank_entry_date_is_active_and_an_unlike_copy_never_raises_the_quota():
    check(
        "Q01",
        {
            "roster": """
            person | unit   | entry      | exit       | status
            since  | DATES  | null       |            |
            today  | DATES  | 2026-10-20 |            | SECONDED_OUT
            gone   | DATES  |            | 2026-10-20 |
            a      | COPIES |            |            |
            b      | NUMBER |            |            |
            """,
            "establishment": """
            unit   | type           | quota | copy
            DATES  | ADMIN          | 1     | LEDGER
            COPIES | ADMIN          | 0     | LEDGER
            COPIES | ADMIN          | 9     | CERTIFICATE
            NUMBER | CONTROL_NUMBER | 9     | LEDGER
            """,
        },
        """
        unit   | expected | found
        DATES  | 1        | 2
        COPIES | 0        | 1
        NUMBER | 0        | 1
        """,
    )


def test_q01_a_missing_roster_is_not_an_empty_one():
    check(
        "Q01",
        {"units": "unit \n U1", "establishment": "unit | quota \n U1 | 0"},
        None,
        verdicts="book | state \n roster | missing",
        not_evaluable="division | unit | book \n 370102 | * | roster",
    )


def test_q01_parts_of_a_count_only_unit_are_judged_on_their_own_figures():
    check(
        "Q01",
        {
            "units": "unit | delivers \n SUM | COUNTS \n P1 | COUNTS \n P2 | COUNTS",
            "headcount": """
            unit | measure | count | part_of
            SUM  | QUOTA   | 3     |
            SUM  | IN_POST | 3     |
            P1   | QUOTA   | 1     | SUM
            P1   | IN_POST | 2     | SUM
            P2   | IN_POST | 1     | SUM
            """,
        },
        "unit | expected | found \n P1 | 1 | 2",
        not_evaluable="division | unit | book \n 370102 | P2 | establishment",
    )


def test_q01_a_count_only_division_without_an_establishment_book_never_has_zero_posts():
    check(
        "Q01",
        {
            "units": "unit | by \n BARE | 370103 \n TOLD | 370103",
            "headcount": """
            unit | measure | count | by
            BARE | IN_POST | 4     | 370103
            TOLD | IN_POST | 4     | 370103
            TOLD | QUOTA   | 3     | 370103
            """,
        },
        "unit | expected | found | division \n TOLD | 3 | 4 | 370103",
        not_evaluable="division | unit | book \n 370103 | BARE | establishment",
    )


def test_q02_fund_forms_of_a_type_are_one_and_loans_belong_to_their_type():
    check(
        "Q02",
        {
            "roster": """
            person | unit  | type    | fund
            a      | FORMS | ADMIN   | FULL
            b      | FORMS | ADMIN   | PART
            c      | LENDS | ADMIN   | FULL
            d      | GETS  | ADMIN   | FULL
            null   | BLANK | ADMIN   | FULL
            null   | BLANK | ADMIN   | FULL
            """,
            "establishment": """
            unit  | type    | fund | quota
            FORMS | ADMIN   | FULL | 2
            LENDS | ADMIN   | FULL | 1
            LENDS | SUPPORT | FULL | 9
            GETS  | SUPPORT | FULL | 1
            BLANK | ADMIN   | FULL | 1
            """,
        },
        "unit | type | expected | found \n LENDS | ADMIN | 0 | 1 \n BLANK | ADMIN | 1 | 2",
        position="unit | borrowed | lent \n LENDS | 0 | 1 \n GETS | 1 | 0",
    )


def test_q02_an_unknown_cell_keeps_its_type_from_being_judged_and_no_other():
    check(
        "Q02",
        {
            "roster": """
            person | unit | type
            a      | COPY | ADMIN
            b      | COPY | SUPPORT
            c      | SHUT | ADMIN
            d      | SHUT | SUPPORT
            e      | ALL  | ADMIN
            """,
            "establishment": """
            unit | type    | fund | quota | copy
            COPY | ADMIN   | FULL | 0     | LEDGER
            COPY | ADMIN   | PART | 1     | DATABASE
            COPY | SUPPORT | FULL | 0     | LEDGER
            SHUT | SUPPORT | FULL | 0     | LEDGER
            ALL  | ADMIN   | FULL | 0     | LEDGER
            """,
        },
        "unit | type | expected | found \n COPY | SUPPORT | 0 | 1 \n SHUT | SUPPORT | 0 | 1",
        quarantine="""
        book          | unit | type  | fund
        establishment | SHUT | ADMIN | PART
        establishment | ALL  | ADMIN | null
        """,
        not_evaluable="""
        division | unit | book
        370102   | COPY | establishment
        370102   | SHUT | establishment
        370102   | ALL  | establishment
        """,
    )


def test_q02_count_only_units_answer_per_type_control_numbers_on_their_own():
    check(
        "Q02",
        {
            "units": "unit | delivers \n OVER | COUNTS \n LEDGER | COUNTS \n NUMBER | COUNTS",
            "establishment": "unit | type | quota \n LEDGER | ADMIN | 4",
            "headcount": """
            unit   | measure | type           | fund | count
            OVER   | QUOTA   | ADMIN          | FULL | 1
            OVER   | QUOTA   | SUPPORT        | FULL | 9
            OVER   | IN_POST | ADMIN          | FULL | 2
            LEDGER | QUOTA   | ADMIN          | FULL | 9
            LEDGER | IN_POST | ADMIN          | FULL | 5
            NUMBER | QUOTA   | CONTROL_NUMBER | FULL | 1
            NUMBER | IN_POST | CONTROL_NUMBER | FULL | 2
            """,
        },
        """
        unit   | type           | expected | found
        OVER   | ADMIN          | 1        | 2
        LEDGER | ADMIN          | 4        | 5
        NUMBER | CONTROL_NUMBER | 1        | 2
        """,
    )


def test_q03_without_the_units_book_or_persons_nothing_is_concluded():
    check(
        "Q03",
        {"roster": "person | unit | type \n a | ORG | INSTITUTION", "units": "unit"},
        None,
        verdicts="book | state \n units | refused",
        not_evaluable="division | unit | book \n 370102 | * | units",
    )
    check(
        "Q03",
        COUNTS_BESIDE_PERSONS | {"roster": "person | unit | type \n a | SOME | INSTITUTION"},
        None,
        not_evaluable=PERSONS_NOT_DELIVERED,
    )


def test_q03_a_person_is_flagged_in_every_unit_and_only_while_active():
    check(
        "Q03",
        {
            "roster": """
            person | unit | type        | entry      | exit
            both   | U1   | INSTITUTION |            |
            both   | U2   | INSTITUTION |            |
            gone   | U1   | INSTITUTION |            | 2026-10-20
            later  | U1   | INSTITUTION | 2026-10-21 |
            last   | U1   | INSTITUTION |            | 2026-10-21
            """,
        },
        "person | unit \n both | U1 \n both | U2 \n last | U1",
    )


def test_q04_blank_ids_are_one_leader_each_and_an_unknown_quota_is_not_evaluable():
    check(
        "Q04",
        {
            "roster": """
            person | unit  | tier
            null   | BLANK | CHIEF
            null   | BLANK | CHIEF
            a      | COPY  | CHIEF
            b      | SHUT  | CHIEF
            """,
            "establishment": """
            unit  | copy        | leaders_chief
            BLANK | LEDGER      | 1
            BLANK | CERTIFICATE | 5
            COPY  | CERTIFICATE | 0
            SHUT  | LEDGER      | 0
            """,
        },
        "unit | tier | expected | found \n BLANK | CHIEF | 1 | 2",
        quarantine="book | unit | type | fund \n establishment | SHUT | SUPPORT | FULL",
        not_evaluable="""
        division | unit | book
        370102   | COPY | establishment
        370102   | SHUT | establishment
        """,
    )


def test_q04_needs_the_establishment_book_and_persons():
    check(
        "Q04",
        {"roster": "person | unit | tier \n a | U1 | CHIEF", "establishment": "unit"},
        None,
        verdicts="book | state \n establishment | missing",
        not_evaluable="division | unit | book \n 370102 | * | establishment",
    )
    check(
        "Q04",
        COUNTS_BESIDE_PERSONS
        | {"roster": "person | unit | tier \n a | SOME | CHIEF", "establishment": "unit | leaders_chief \n SOME | 0"},
        None,
        not_evaluable=PERSONS_NOT_DELIVERED,
    )
