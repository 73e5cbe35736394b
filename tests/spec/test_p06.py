"""P06 凡进必考: entered by no recognised form, or placed or appointed without a permit that says so.

定义：进入行政、政法专项、参公、事业编制，进入方式为其他或空白；或为政策性安置、任命而没有写明该来源的通知单。
Flagged when entered an examined post type by OTHER or no form, or by PLACEMENT or APPOINT without a permit whose source says so.
无法判定：区划未设闸口起始日；实名制缺报、退回；没有用编通知单名册时不判安置和任命；入编只知到月、可能在起始日之前或时点之后的；只报数字的单位。
Not evaluable: no gate start; roster absent; without the permits book placements and appointments are not judged; an entry known to the month only that may lie before the gate start or after A; units that deliver counts.
"""

from __future__ import annotations

from tests.spec.spec import check

START = "starts \n 2026-01-01"


def test_other_and_blank_never_count_and_a_placement_needs_a_permit_of_its_source():
    check(
        "P06",
        {
            "roster": """
            person  | unit | type              | entry      | entry_form | permit_no | status    | exit
            exam    | U1   |                   | 2026-03-02 | EXAM       | -         |           |
            recruit | U1   | INSTITUTION       | 2026-03-02 | RECRUIT    | -         |           |
            move    | U1   |                   | 2026-03-02 | TRANSFER   | -         |           |
            other   | U1   |                   | 2026-03-02 | OTHER      | N1        |           |
            blank   | U1   | POLITICAL_LEGAL   | 2026-03-02 | -          | N1        |           |
            blank   | U1   | POLITICAL_LEGAL   | 2026-03-02 | -          | N1        |           |
            placed  | U1   |                   | 2026-03-02 | PLACEMENT  | N1        |           |
            unsaid  | U1   | CIVIL_SERVICE_REF | 2026-03-02 | PLACEMENT  | N2        |           |
            wrong   | U2   | INSTITUTION       | 2026-03-02 | PLACEMENT  | N3        |           |
            nowhere | U1   |                   | 2026-03-02 | APPOINT    | -         |           |
            lost    | U1   |                   | 2026-03-02 | APPOINT    | N9        |           |
            named   | U1   |                   | 2026-03-02 | APPOINT    | N3        | LEFT      | 2026-05-01
            worker  | U1   | SUPPORT           | 2026-03-02 | OTHER      | -         |           |
            number  | U1   | CONTROL_NUMBER    | 2026-03-02 | OTHER      | -         |           |
            off     | U1   |                   | 2026-03-02 | OTHER      | -         | OFF_QUOTA |
            gone    | U1   |                   | 2026-01-01 | OTHER      | -         | LEFT      | 2026-05-01
            old     | U1   |                   | 2025-12-31 | OTHER      | -         |           |
            future  | U1   |                   | 2026-10-21 | OTHER      | -         |           |
            ever    | U1   |                   | -          | OTHER      | -         |           |
            null    | U1   |                   | 2026-03-02 | OTHER      | -         |           |
            """,
            "permits": """
            permit_no | source_of_people | posts
            N1        | PLACEMENT        | 0
            N2        | -                |
            N3        | APPOINT          |
            N8        | PLACEMENT        |
            """,
        },
        """
        person  | unit | entry_date | type              | fund | expected                                | found     | severity | division
        other   | U1   | 2026-03-02 | ADMIN             | FULL | EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT | OTHER     | S3       | 370102
        blank   | U1   | 2026-03-02 | POLITICAL_LEGAL   | FULL | EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT | -         | S3       | 370102
        unsaid  | U1   | 2026-03-02 | CIVIL_SERVICE_REF | FULL | EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT | PLACEMENT | S3       | 370102
        wrong   | U2   | 2026-03-02 | INSTITUTION       | FULL | EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT | PLACEMENT | S3       | 370102
        nowhere | U1   | 2026-03-02 | ADMIN             | FULL | EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT | APPOINT   | S3       | 370102
        lost    | U1   | 2026-03-02 | ADMIN             | FULL | EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT | APPOINT   | S3       | 370102
        gone    | U1   | 2026-01-01 | ADMIN             | FULL | EXAM;RECRUIT;TRANSFER;PLACEMENT;APPOINT | OTHER     | S3       | 370102
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_of_several_rows_of_one_number_any_may_say_so_and_of_two_cells_the_first_is_shown():
    check(
        "P06",
        {
            "roster": """
            person | unit | type            | fund | entry      | entry_form | permit_no
            said   | U1   |                 |      | 2026-03-02 | PLACEMENT  | N1
            a      | U1   | POLITICAL_LEGAL | FULL | 2026-03-02 | OTHER      | -
            a      | U1   | ADMIN           | SELF | 2026-03-02 | -          | -
            a      | U2   | ADMIN           | FULL | 2026-03-02 | OTHER      | -
            a      | U1   | ADMIN           | FULL | 2026-04-02 | OTHER      | -
            """,
            "permits": "permit_no | source_of_people | unit \n N1 | EXAM | U1 \n N1 | PLACEMENT | U2",
        },
        """
        person | unit | entry_date | type  | fund | found
        a      | U1   | 2026-03-02 | ADMIN | SELF | -
        a      | U2   | 2026-03-02 | ADMIN | FULL | OTHER
        a      | U1   | 2026-04-02 | ADMIN | FULL | OTHER
        """,
        gate_start=START,
    )


def test_without_the_permits_book_only_other_and_blank_are_flagged_and_the_rest_is_open():
    check(
        "P06",
        {
            "roster": """
            person | entry      | entry_form | permit_no
            a      | 2026-03-02 | PLACEMENT  | N1
            b      | 2026-03-02 | APPOINT    | -
            c      | 2026-03-02 | OTHER      | N1
            d      | 2026-03-02 | -          | -
            """,
        },
        "person | found \n c | OTHER \n d | -",
        gate_start=START,
        not_evaluable="division | unit | book \n 370102 | * | permits",
    )


def test_without_a_gate_start_roster_or_persons_nothing_is_concluded():
    check(
        "P06",
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
            person | unit | entry      | entry_form | by
            a      | U1   | 2026-03-02 | OTHER      | 370102
            b      | T1   | 2026-03-02 | OTHER      | 370102
            c      | C1   | 2026-03-02 | OTHER      | 370102
            d      | N1   | 2026-03-02 | OTHER      | 370103
            """,
            "permits": "permit_no \n N1",
            "headcount": "unit | count \n C1 | 1",
        },
        "person | unit \n a | U1",
        gate_start="division | starts \n 370102 | 2026-01-01 \n 370104 | 2026-01-01",
        verdicts="division | book | state \n 370104 | roster | refused",
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


def test_a_month_that_reaches_beyond_gate_start_or_tonight_may_be_no_entry_to_judge():
    check(
        "P06",
        {
            "roster": """
            person  | unit | entry      | entry_date_exact | entry_form
            start   | U1   | 2026-01-01 | no               | -
            tonight | U2   | 2026-10-01 | no               | OTHER
            judged  | U3   | 2026-02-01 | no               | OTHER
            fine    | U4   | 2026-01-01 | no               | EXAM
            """,
            "permits": "permit_no \n N1",
        },
        "person | unit \n judged | U3",
        gate_start="starts \n 2026-01-02",
        not_evaluable="division | unit | book \n 370102 | U1 | roster \n 370102 | U2 | roster",
    )
