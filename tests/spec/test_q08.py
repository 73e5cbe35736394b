"""Q08 总量突破: quota of a division and all below it against the smaller known limit (decision 36).

定义：区划及其所辖单位某类型编制数之和，大于下达总数与 2012 年基数中较小者。
Flagged when the quota of a division's units and those below exceeds the smaller of issued total and base of 2012, per post type.
无法判定：没有基数名册或没有限额数；编制缺报、退回；所辖有编制数不明的单元格。
Not evaluable: no base book or no limit in it; establishment absent; a cell of unknown quota below the division.
"""

from __future__ import annotations

from tests.spec.spec import check

COUNTY_AND_TOWN = """
    unit | by     | division
    U1   | 370102 | 370102
    U2   | 370102 | 370102001
    FAR  | 370103 | 370103
"""


def test_the_smaller_known_limit_binds_and_equal_is_within():
    check(
        "Q08",
        {
            "establishment": """
                unit | type              | quota | copy
                U1   | ADMIN             | 5     | LEDGER
                U1   | SUPPORT           | 5     | LEDGER
                U1   | INSTITUTION       | 5     | LEDGER
                U1   | POLITICAL_LEGAL   | 5     | LEDGER
                U1   | CONTROL_NUMBER    | 5     | LEDGER
                U1   | CIVIL_SERVICE_REF | 0     | LEDGER
            """,
            "base": """
                type              | issued_total | base_2012
                ADMIN             | 9            | 4
                SUPPORT           | 5            | 6
                INSTITUTION       | 4            | null
                POLITICAL_LEGAL   | null            | 0
                CONTROL_NUMBER    | 4            | 4
                CIVIL_SERVICE_REF | 0            | 0
            """,
        },
        """
        type            | expected | found | severity | division | unit | fund
        ADMIN           | 4        | 5     | S1       | 370102
        INSTITUTION     | 4        | 5     | S1       | 370102
        POLITICAL_LEGAL | 0        | 5     | S1       | 370102
        CONTROL_NUMBER  | 4        | 5     | S1       | 370102
        """,
        not_evaluable="",
    )


def test_units_below_a_division_count_towards_it_and_neighbours_do_not():
    check(
        "Q08",
        {
            "units": COUNTY_AND_TOWN,
            "establishment": """
                unit | fund | quota | by     | doc_no
                U1   | FULL | 3     | 370102 | D1
                U1   | FULL | 1     | 370102 | D2
                U1   | SELF | 1     | 370102 | D1
                U2   | FULL | 2     | 370102 | D1
                FAR  | FULL | 9     | 370103 | D1
            """,
            "base": """
                division  | issued_total | by
                370102    | 6            | 370102
                370102001 | 2            | 370102
                370100    | 15           | 370102
            """,
        },
        """
        division | type  | expected | found
        370102   | ADMIN | 6        | 7
        370100   | ADMIN | 15       | 16
        """,
    )


def test_certificates_loans_and_a_second_line_of_the_base_do_not_change_the_sum():
    check(
        "Q08",
        {
            "establishment": "unit | quota | copy \n U1 | 5 | LEDGER \n U1 | 50 | CERTIFICATE",
            "base": "type | issued_total | base_2012 \n ADMIN | 5 | null \n ADMIN | null | 5",
        },
        None,
        position="unit | borrowed \n U1 | 9",
        not_evaluable="",
    )


def test_no_known_limit_is_no_limit_to_judge_by():
    check(
        "Q08",
        {
            "establishment": "unit | quota \n U1 | 5",
            "base": "type | issued_total | base_2012 \n ADMIN | null | null",
        },
        None,
        not_evaluable="division | unit | book \n 370102 | * | base",
    )


def test_an_unknown_cell_makes_the_sum_unknown_unless_the_rest_is_too_much_already():
    check(
        "Q08",
        {
            "units": COUNTY_AND_TOWN,
            "establishment": """
                unit | type    | fund | quota | copy        | by
                U1   | ADMIN   | FULL | 9     | LEDGER      | 370102
                U1   | SUPPORT | FULL | 9     | LEDGER      | 370102
                U2   | ADMIN   | PART | 1     | CERTIFICATE | 370102
            """,
            "base": "type | issued_total | by \n ADMIN | 9 | 370102 \n SUPPORT | 1 | 370102",
        },
        "type | expected | found \n SUPPORT | 1 | 9",
        verdicts="division | book | state \n 370103 | base | absent",
        not_evaluable="division | unit | book \n 370102 | * | establishment \n 370103 | * | base",
    )
    check(
        "Q08",
        {
            "establishment": "unit | type | quota \n U1 | ADMIN | 9 \n U1 | SUPPORT | 9",
            "base": "type | issued_total \n ADMIN | 9 \n SUPPORT | 1",
        },
        "type | expected | found \n SUPPORT | 1 | 9",
        quarantine="book | unit | type | fund \n establishment | U1 | ADMIN | PART",
        not_evaluable="division | unit | book \n 370102 | * | establishment",
    )
    check(
        "Q08",
        {
            "units": COUNTY_AND_TOWN,
            "establishment": """
                unit | fund | quota | copy        | by
                U1   | FULL | 5     | LEDGER      | 370102
                U2   | FULL | 3     | CERTIFICATE | 370102
            """,
            "base": "division | issued_total | by \n 370102 | 4 | 370102 \n 370100 | 5 | 370102",
        },
        "division | type | expected | found | severity \n 370102 | ADMIN | 4 | 5 | S1",
        not_evaluable="""
            division | unit | book
            370102   | *    | establishment
            370100   | *    | establishment
            370103   | *    | base
        """,
        verdicts="division | book | state \n 370103 | base | absent",
    )


def test_a_division_below_whose_establishment_is_refused_leaves_the_sum_unknown():
    check(
        "Q08",
        {
            "units": "unit | by \n U1 | 370102 \n U9 | 370100",
            "establishment": "unit | quota | by \n U9 | 9 | 370100",
            "base": "division | issued_total | by \n 370100 | 9 | 370100",
        },
        None,
        verdicts="division | book | state \n 370102 | establishment | refused",
        not_evaluable="division | unit | book \n 370100 | * | establishment",
    )


def test_count_only_units_add_their_quota_figure_without_parts():
    check(
        "Q08",
        {
            "units": "unit | delivers \n SUM | COUNTS \n P1 | COUNTS \n LED | COUNTS",
            "establishment": "unit | quota \n LED | 2",
            "headcount": """
                unit | measure | type  | fund | count | part_of
                SUM  | QUOTA   | ADMIN | FULL | 4     | null
                P1   | QUOTA   | ADMIN | FULL | 4     | SUM
                LED  | QUOTA   | ADMIN | FULL | 9     | null
            """,
            "base": "type | issued_total \n ADMIN | 5",
        },
        "type | expected | found \n ADMIN | 5 | 6",
    )


def test_a_total_that_names_its_own_part_stays_in_the_sum():
    check(
        "Q08",
        {
            "units": "unit | delivers \n SUM | COUNTS \n P1 | COUNTS",
            "headcount": """
                unit | measure | type  | fund | count | part_of
                SUM  | QUOTA   | ADMIN | FULL | 4     | null
                SUM  | QUOTA   | ADMIN | FULL | 1     | SUM
                P1   | QUOTA   | ADMIN | FULL | 3     | SUM
            """,
            "base": "type | issued_total \n ADMIN | 3",
        },
        "type | expected | found \n ADMIN | 3 | 4",
    )


def test_a_sum_of_which_only_a_part_is_known_rests_on_nothing():
    check(
        "Q08",
        {
            "units": "unit | delivers \n P1 | COUNTS",
            "establishment": "by | unit | quota \n 370100 | P1 | 9",
            "headcount": "unit | measure | type | fund | count | part_of \n P1 | IN_POST | ADMIN | FULL | 1 | SUM",
            "base": "type | issued_total \n ADMIN | 2",
        },
        None,
        verdicts="division | book | state \n 370102 | establishment | absent",
        not_evaluable="division | unit | book \n 370100 | * | base \n 370102 | * | establishment",
    )
