"""Q07 账证库不一致: the copies of a cell's quota differ, or one lacks the cell (decisions 31, 35).

定义：同一单元格在台账、管理证、数据库三个载体的编制数不同，或有的载体缺这一格。
Flagged when the quota of a cell differs between ledger, certificate and database, or one of them lacks the cell.
无法判定：编制缺报、退回；整个报送地没有的载体不比；该格有编制行被隔离。
Not evaluable: establishment absent; a copy that no row of the division has is not compared; cells with a quarantined quota row.
"""

from __future__ import annotations

from tests.spec.spec import check


def test_copies_that_differ_or_lack_a_cell_are_flagged():
    check(
        "Q07",
        {
            "establishment": """
                unit   | type           | fund | quota | copy        | doc_no
                SAME   | ADMIN          | FULL | 5     | LEDGER      |
                SAME   | ADMIN          | FULL | 5     | CERTIFICATE |
                SAME   | ADMIN          | FULL | 5     | DATABASE    |
                DIFF   | ADMIN          | FULL | 5     | LEDGER      |
                DIFF   | ADMIN          | FULL | 6     | CERTIFICATE |
                DIFF   | ADMIN          | FULL | 5     | DATABASE    |
                LACKS  | ADMIN          | FULL | 5     | LEDGER      |
                LACKS  | ADMIN          | FULL | 5     | CERTIFICATE |
                FORM   | ADMIN          | FULL | 5     | LEDGER      |
                FORM   | ADMIN          | PART | 5     | CERTIFICATE |
                FORM   | ADMIN          | PART | 5     | DATABASE    |
                ZERO   | ADMIN          | FULL | 0     | LEDGER      |
                ZERO   | ADMIN          | FULL | 0     | CERTIFICATE |
                DOCS   | ADMIN          | FULL | 2     | LEDGER      | D1
                DOCS   | ADMIN          | FULL | 3     | LEDGER      | D2
                DOCS   | ADMIN          | FULL | 5     | CERTIFICATE |
                DOCS   | ADMIN          | FULL | 5     | DATABASE    |
                NUMBER | CONTROL_NUMBER | FULL | 1     | LEDGER      |
                NUMBER | CONTROL_NUMBER | FULL | 2     | CERTIFICATE |
                NUMBER | CONTROL_NUMBER | FULL | 1     | DATABASE    |
            """,
        },
        """
        unit   | type           | fund | expected | found                    | severity | division
        DIFF   | ADMIN          | FULL | 5        | CERTIFICATE=6;DATABASE=5 | S3       | 370102
        LACKS  | ADMIN          | FULL | 5        | CERTIFICATE=5;DATABASE=- | S3       | 370102
        FORM   | ADMIN          | FULL | 5        | CERTIFICATE=-;DATABASE=- | S3       | 370102
        FORM   | ADMIN          | PART |          | CERTIFICATE=5;DATABASE=5 | S3       | 370102
        ZERO   | ADMIN          | FULL | 0        | CERTIFICATE=0;DATABASE=- | S3       | 370102
        NUMBER | CONTROL_NUMBER | FULL | 1        | CERTIFICATE=2;DATABASE=1 | S3       | 370102
        """,
        not_evaluable="",
    )


def test_a_copy_that_no_row_of_the_division_has_is_absent():
    check(
        "Q07",
        {
            "establishment": """
                unit | quota | copy        | by
                ONE  | 5     | LEDGER      | 370102
                TWO  | 5     | CERTIFICATE | 370103
                TWO  | 6     | DATABASE    | 370103
                THR  | 7     | CERTIFICATE | 370103
                THR  | 7     | DATABASE    | 370103
            """,
            "units": "unit | by \n ONE | 370102 \n TWO | 370103 \n THR | 370103",
        },
        """
        unit | expected | found                    | division
        TWO  |          | CERTIFICATE=5;DATABASE=6 | 370103
        """,
    )


def test_a_cell_with_a_quarantined_quota_row_is_not_compared():
    check(
        "Q07",
        {
            "establishment": """
                unit | type    | quota | copy
                CELL | ADMIN   | 5     | LEDGER
                CELL | ADMIN   | 6     | CERTIFICATE
                CELL | SUPPORT | 5     | LEDGER
                CELL | SUPPORT | 6     | CERTIFICATE
                UNIT | ADMIN   | 5     | LEDGER
                UNIT | ADMIN   | 6     | CERTIFICATE
            """,
        },
        "unit | type \n CELL | SUPPORT",
        quarantine="""
            book          | unit | type  | fund
            establishment | CELL | ADMIN | FULL
            establishment | UNIT | null     | null
        """,
        not_evaluable="""
            division | unit | book
            370102   | CELL | establishment
            370102   | UNIT | establishment
        """,
    )


def test_a_refused_book_has_no_copies():
    check(
        "Q07",
        {"units": "unit \n U1", "establishment": "unit"},
        None,
        verdicts="book | state \n establishment | refused",
        not_evaluable="division | unit | book \n 370102 | * | establishment",
    )


def test_copies_of_a_count_only_unit_are_compared_too():
    check(
        "Q07",
        {
            "units": "unit | delivers \n U1 | COUNTS",
            "establishment": "unit | quota | copy \n U1 | 5 | LEDGER \n U1 | 4 | DATABASE",
            "headcount": "unit | measure | count \n U1 | QUOTA | 9",
        },
        "unit | expected | found \n U1 | 5 | DATABASE=4",
    )


def test_a_unit_on_our_own_ledger_is_held_against_its_own_copies_and_lends_none_to_others():
    check(
        "Q07",
        {
            "establishment": """
                unit  | type  | fund | quota | copy        | doc_no
                OURS  | ADMIN | FULL | 4     | LEDGER      |
                OURS  | ADMIN | FULL | 4     | CERTIFICATE |
                OURS  | ADMIN | FULL | 6     | DATABASE    |
                AGREE | ADMIN | FULL | 4     | LEDGER      |
                AGREE | ADMIN | FULL | 4     | DATABASE    |
                OTHER | ADMIN | FULL | 5     | LEDGER      |
            """,
        },
        """
        unit | type  | fund | expected | found                    | severity | division
        OURS | ADMIN | FULL | 4        | CERTIFICATE=4;DATABASE=6 | S3       | 370102
        """,
        own_unit="""
        unit  | starts
        OURS  | 2026-10-01
        AGREE | 2026-10-01
        """,
    )
