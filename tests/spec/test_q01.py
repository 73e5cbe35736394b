"""Q01 超编: in post above what is allowed, over all types of a unit.

定义：单位在编实有人数（各类型合计，控制数不计）多于允许数；允许数＝编制数＋借入－借出，有人而没有编制行的单位为 0。
Flagged when in post over all post types (control numbers aside) exceeds quota + borrowed − lent; a unit with people and no quota row is allowed 0.
无法判定：实名制或编制缺报、退回；单位有编制数不明的单元格（台账缺行而别的载体有，或编制行被隔离）；只报数字的单位没有实有数或编制数。
Not evaluable: roster or establishment absent; a cell of unknown quota (another copy has it and the ledger not, or a quota row is quarantined); a counted unit without a figure of people or of quota.
"""

from tests.spec.spec import check


def test_people_above_quota_are_counted_once_per_cell_with_blank_ids_and_without_control_numbers():
    check(
        "Q01",
        {
            "roster": """
            person | unit | type           | fund | status    | entry      | exit
            p1     | U1   |                |      |           |            |
            p2     | U1   |                |      | ON_LEAVE  | null       |
            null   | U1   |                |      |           |            |
            p3     | U1   | CONTROL_NUMBER |      |           |            |
            p4     | U1   |                |      | OFF_QUOTA |            |
            p5     | U1   |                |      | LEFT      |            | 2026-10-02
            p6     | U1   |                |      |           | 2026-10-21 |
            p7     | U2   |                |      |           |            |
            p7     | U2   |                | PART |           |            |
            p8     | U3   |                |      |           | 2026-10-20 | 2026-10-21
            p9     | U4   |                |      |           |            |
            """,
            "establishment": """
            unit | type           | fund | quota | doc_no
            U1   |                |      | 1     | D1
            U1   |                |      | 1     | D2
            U1   | CONTROL_NUMBER |      | 0     | D3
            U2   |                |      | 1     | D4
            U3   |                |      | 0     | D5
            U5   |                |      | 7     | D6
            """,
        },
        """
        unit | expected | found | severity | cause
        U1   | 2        | 3     | S2       |
        U2   | 1        | 2     | S2       |
        U3   | 0        | 1     | S2       |
        U4   | 0        | 1     | S2       |
        """,
        not_evaluable="",
    )


def test_unknown_quota_and_absent_books_are_not_evaluable_never_a_finding():
    check(
        "Q01",
        {
            "roster": """
            person | unit | by
            p1     | U1   |
            p2     | U2   |
            p3     | U3   |
            p4     | U4   | 370103
            """,
            "establishment": """
            unit | type    | quota | copy
            U1   |         | 0     | CERTIFICATE
            U2   |         | 0     |
            U3   | SUPPORT | 0     |
            """,
        },
        None,
        quarantine="""
        book          | unit | type  | fund
        establishment | U2   | ADMIN | FULL
        establishment | U3   | null  | FULL
        """,
        verdicts="""
        division | book          | state
        370103   | units         | accepted
        370103   | establishment | refused
        """,
        not_evaluable="""
        division | unit | book
        370102   | U1   | establishment
        370102   | U2   | establishment
        370102   | U3   | establishment
        370103   | *    | establishment
        """,
    )


def test_borrowed_posts_cover_people_and_lent_ones_do_not():
    check(
        "Q01",
        {
            "roster": "person | unit\n p1 | U1\n p2 | U1\n p3 | U2",
            "establishment": "unit | quota\n U1 | 1\n U2 | 1",
        },
        "unit | expected | found\n U2 | 0 | 1",
        position="unit | borrowed | lent\n U1 | 1 | 0\n U2 | 0 | 1",
    )


def test_count_only_units_are_judged_on_their_own_figures_the_ledger_first_the_stated_total_before_types():
    check(
        "Q01",
        {
            "units": """
            unit | delivers
            C1   | COUNTS
            C2   | COUNTS
            C3   | COUNTS
            C4   | COUNTS
            C5   | COUNTS
            C6   | COUNTS
            """,
            "establishment": "unit | type | quota\n C1 | ADMIN | 3",
            "headcount": """
            unit | measure | type    | fund | count | part_of | scope
            C1   | QUOTA   | ADMIN   | FULL | 9     |         |
            C1   | IN_POST | ADMIN   | FULL | 4     |         |
            C2   | QUOTA   | null    | null | 5     |         |
            C2   | QUOTA   | ADMIN   | FULL | 1     |         |
            C2   | IN_POST | null    | null | 6     |         |
            C2   | IN_POST | ADMIN   | FULL | 2     |         |
            C3   | IN_POST | ADMIN   | FULL | 1     |         |
            C4   | IN_POST | ADMIN   | FULL | 1     | C3      |
            C5   | IN_POST | ADMIN   | FULL | null  |         |
            C6   | QUOTA   | ADMIN   | FULL | 1     |         |
            C6   | IN_POST | ADMIN   | FULL | 9     |         | YEAR_END_ALL
            C6   | IN_POST | SUPPORT | FULL | 1     |         |
            """,
        },
        """
        unit | expected | found
        C1   | 3        | 4
        C2   | 5        | 6
        C3   | 0        | 1
        """,
        not_evaluable="""
        division | unit | book
        370102   | C4   | establishment
        370102   | C5   | headcount
        """,
    )


def test_a_quarantined_row_of_a_counted_unit_that_names_no_cell_leaves_its_quota_unknown_not_zero():
    check(
        "Q01",
        {
            "units": "unit | delivers \n U1 | COUNTS \n U2 | COUNTS",
            "headcount": "unit | type | fund | count \n U1 | ADMIN | FULL | 2 \n U2 | ADMIN | FULL | 2",
        },
        "unit | expected | found \n U2 | 0 | 2",
        quarantine="book | unit_code \n establishment | U1",
        not_evaluable="division | unit | book \n 370102 | U1 | establishment",
    )
