"""Q09 跨层级违规: administrative and political-legal posts moved between levels without the centre's number."""

from __future__ import annotations

from tests.spec.spec import check

TWO_FOLDERS = {
    "units": "unit | by | division \n U1 | 370102 | 370102 \n U2 | 370103 | 370103001",
    "roster": "person \n a",
}


def test_posts_of_two_types_cross_levels_only_with_a_central_number():
    check(
        "Q09",
        TWO_FOLDERS,
        """
        movement_no | unit | type            | fund | expected | found | severity | division
        M1          | U2   | ADMIN           | FULL | -        | 文1   | S1       | 370103001
        M2          | U2   | POLITICAL_LEGAL | PART | -        | -     | S1       | 370103001
        M9          | U1   | ADMIN           | FULL | -        | M1    | S1       | 370102
        """,
        movement="""
        movement_no | type            | fund | from_level | to_level | to_unit | doc_no | central_no | posts
        M1          | ADMIN           | FULL | COUNTY     | TOWNSHIP | U2      | 文1    | -          |
        M2          | POLITICAL_LEGAL | PART | CITY       | COUNTY   | U2      | -      | -          | 0
        M3          | ADMIN           | FULL | CITY       | COUNTY   | U2      | 文1    | 中编1      |
        M4          | ADMIN           | FULL | COUNTY     | COUNTY   | U2      | 文1    | -          |
        M5          | SUPPORT         | FULL | CITY       | COUNTY   | U2      | 文1    | -          |
        M6          | INSTITUTION     | FULL | CITY       | COUNTY   | U2      | 文1    | -          |
        M7          | ADMIN           | FULL | -          | COUNTY   | U2      | 文1    | -          |
        M8          | ADMIN           | FULL | CITY       | -        | U2      | 文1    | -          |
        M9          | ADMIN           | FULL | CITY       | COUNTY   | -       |        | -          |
        """,
        not_evaluable="",
    )


def test_a_movement_counts_from_the_day_it_takes_effect():
    check(
        "Q09",
        TWO_FOLDERS,
        "movement_no | unit \n TODAY | U2 \n LONG | U2",
        movement="""
        movement_no | from_level | to_level | effective_date
        TODAY       | CITY       | COUNTY   | 2026-10-20
        TOMORROW    | CITY       | COUNTY   | 2026-10-21
        LONG        | CITY       | COUNTY   | 1999-01-01
        NEVER       | CITY       | COUNTY   | -
        """,
    )


def test_a_movement_of_several_rows_is_one_finding_and_a_unit_no_book_names_has_no_division():
    check(
        "Q09",
        TWO_FOLDERS,
        """
        movement_no | unit | type            | found | division
        M1          | U1   | POLITICAL_LEGAL | 文2   | 370102
        M2          | X9   | ADMIN           | M1    | -
        """,
        movement="""
        movement_no | type            | from_level | to_level | to_unit | doc_no
        M1          | POLITICAL_LEGAL | CITY       | COUNTY   | U1      | 文2
        M1          | POLITICAL_LEGAL | CITY       | COUNTY   | U1      | 文2
        M1          | ADMIN           | CITY       | COUNTY   | U2      | 文1
        M2          | ADMIN           | CITY       | COUNTY   | X9      |
        """,
    )


def test_without_a_row_of_our_own_book_no_folder_can_be_judged():
    check(
        "Q09",
        TWO_FOLDERS,
        None,
        not_evaluable="division | unit | book \n 370102 | * | position \n 370103 | * | position",
    )
    for name, row in (
        ("position", "unit \n U1"), ("position_quota", "unit | quota \n U1 | 0"),
        ("usable_month", "month | unit \n 2020-01 | X9"), ("movement", "movement_no \n M1"),
    ):  # fmt: skip
        check("Q09", TWO_FOLDERS, None, not_evaluable="", **{name: row})


def test_a_movement_that_names_no_unit_is_nobody_s_and_still_found():
    check(
        "Q09",
        TWO_FOLDERS,
        "movement_no | unit | division | severity \n M1 | - | - | S1",
        movement="movement_no | from_unit | to_unit | from_level | to_level \n M1 | - | - | CITY | COUNTY",
    )
