"""Q12 经费挤占: a cell above allowed while its type is within (DOMAIN §4, decision 32).

定义：某一经费形式的实有人数多于该单元格的允许数，而该类型合计未超。
Flagged when in post of a cell exceeds what it is allowed while the type as a whole is within.
无法判定：实名制或编制缺报、退回；单位有编制数不明的单元格；只报数字的单位没有按单元格报送。
Not evaluable: roster or establishment absent; a cell of unknown quota; a counted unit that does not state people by cell.
"""

from __future__ import annotations

from tests.spec.spec import check


def test_a_cell_is_flagged_only_while_its_type_is_within():
    check(
        "Q12",
        {
            "roster": """
                person | unit   | type           | fund
                a      | WITHIN | ADMIN          | FULL
                b      | WITHIN | ADMIN          | FULL
                c      | OVER   | ADMIN          | FULL
                d      | OVER   | ADMIN          | FULL
                e      | ZERO   | ADMIN          | PART
                f      | NOROW  | ADMIN          | PART
                null      | BLANK  | ADMIN          | PART
                null      | BLANK  | ADMIN          | PART
                same   | TWICE  | ADMIN          | FULL
                same   | TWICE  | ADMIN          | FULL
                number | CTRL   | CONTROL_NUMBER | PART
                type   | TYPE   | SUPPORT        | FULL
            """,
            "establishment": """
                unit   | type           | fund | quota
                WITHIN | ADMIN          | FULL | 1
                WITHIN | ADMIN          | SELF | 1
                OVER   | ADMIN          | FULL | 1
                ZERO   | ADMIN          | FULL | 3
                ZERO   | ADMIN          | PART | 0
                NOROW  | ADMIN          | FULL | 3
                BLANK  | ADMIN          | FULL | 3
                BLANK  | ADMIN          | PART | 1
                TWICE  | ADMIN          | FULL | 1
                CTRL   | CONTROL_NUMBER | FULL | 3
                TYPE   | ADMIN          | FULL | 3
                EMPTY  | ADMIN          | FULL | 3
            """,
        },
        """
        unit   | type  | fund | expected | found | severity | division | person
        WITHIN | ADMIN | FULL | 1        | 2     | S3       | 370102
        ZERO   | ADMIN | PART | 0        | 1     | S3       | 370102
        NOROW  | ADMIN | PART | 0        | 1     | S3       | 370102
        BLANK  | ADMIN | PART | 1        | 2     | S3       | 370102
        """,
        not_evaluable="",
    )


def test_loans_belong_to_their_cell():
    check(
        "Q12",
        {
            "roster": "person | unit | fund \n a | U1 | FULL \n b | U2 | PART",
            "establishment": """
                unit | fund | quota
                U1   | FULL | 1
                U1   | PART | 1
                U2   | FULL | 1
            """,
        },
        "unit | fund | expected | found \n U1 | FULL | 0 | 1",
        position="""
            unit | fund | borrowed | lent
            U1   | FULL | 0        | 1
            U2   | PART | 1        | 0
        """,
    )


def test_an_unknown_cell_is_not_evaluable_and_other_types_still_answer():
    check(
        "Q12",
        {
            "roster": """
                person | unit | type    | fund
                a      | COPY | ADMIN   | PART
                b      | COPY | SUPPORT | PART
                c      | SHUT | ADMIN   | PART
                d      | ALL  | ADMIN   | PART
            """,
            "establishment": """
                unit | type    | fund | quota | copy
                COPY | ADMIN   | FULL | 3     | LEDGER
                COPY | ADMIN   | PART | 0     | DATABASE
                COPY | SUPPORT | FULL | 3     | LEDGER
                SHUT | ADMIN   | FULL | 3     | LEDGER
                ALL  | ADMIN   | FULL | 3     | LEDGER
            """,
        },
        "unit | type | fund | expected | found \n COPY | SUPPORT | PART | 0 | 1",
        quarantine="""
            book          | unit | type  | fund
            establishment | SHUT | ADMIN | PART
            establishment | ALL  | null     | null
        """,
        not_evaluable="""
            division | unit | book
            370102   | COPY | establishment
            370102   | SHUT | establishment
            370102   | ALL  | establishment
        """,
    )


def test_a_missing_establishment_book_is_not_zero_posts():
    check(
        "Q12",
        {"roster": "person | fund \n a | PART", "establishment": "unit"},
        None,
        verdicts="book | state \n establishment | missing",
        not_evaluable="division | unit | book \n 370102 | * | establishment",
    )


def test_count_only_units_answer_per_cell():
    check(
        "Q12",
        {
            "units": "unit | delivers \n CELL | COUNTS \n TYPE | COUNTS \n TOTAL | COUNTS",
            "headcount": """
                unit  | measure | type  | fund | count
                CELL  | QUOTA   | ADMIN | FULL | 3
                CELL  | QUOTA   | ADMIN | PART | 1
                CELL  | IN_POST | ADMIN | FULL | 2
                CELL  | IN_POST | ADMIN | PART | 2
                TYPE  | QUOTA   | ADMIN | FULL | 1
                TYPE  | IN_POST | ADMIN | FULL | 2
                TOTAL | QUOTA   | null     | null    | 3
                TOTAL | IN_POST | null     | null    | 2
            """,
        },
        "unit | type | fund | expected | found | severity \n CELL | ADMIN | PART | 1 | 2 | S3",
        not_evaluable="division | unit | book \n 370102 | TOTAL | headcount",
    )
