"""P07 逆向流动: transferred from a lower level, or to a fuller fund form, without a waiver.

定义：调任、转任到更高层级，或到财政保障更足的经费形式，而没有豁免文号。
Flagged when a transfer to a higher level or to a fuller fund form without a waiver number.
无法判定：区划未设闸口起始日；实名制缺报、退回；原层级或原经费形式查不到，而已知的一项没有上升；入编只知到月、可能在起始日之前或时点之后的；只报数字的单位。
Not evaluable: no gate start; roster absent; level or fund form of the place left unknown and nothing known rising; an entry known to the month only that may lie before the gate start or after A; units that deliver counts.
"""

from __future__ import annotations

from tests.spec.spec import check

START = "starts \n 2026-01-01"
REGISTER = """
    unit | level
    U1   | COUNTY
    CITY | CITY
    TOWN | TOWNSHIP
    PROV | PROVINCE
"""


def test_a_transfer_may_go_down_or_across_but_up_or_to_a_fuller_form_only_with_a_waiver():
    check(
        "P07",
        {
            "units": REGISTER,
            "roster": """
            person | unit | type           | fund | entry      | entry_form | from_level | from_fund_form | waiver_no | status    | exit
            down   | U1   |                |      | 2026-03-02 | TRANSFER   | CITY       | FULL           | -         |           |
            across | U1   |                |      | 2026-03-02 | TRANSFER   | COUNTY     | FULL           | -         |           |
            leaner | U1   |                | SELF | 2026-03-02 | TRANSFER   | COUNTY     | PART           | -         |           |
            up     | U1   |                |      | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL           | -         |           |
            up     | U1   |                |      | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL           | -         |           |
            far    | PROV |                |      | 2026-03-02 | TRANSFER   | CITY       | FULL           | -         |           |
            full   | U1   |                |      | 2026-03-02 | TRANSFER   | COUNTY     | PART           | -         |           |
            part   | U1   | SUPPORT        | PART | 2026-03-02 | TRANSFER   | CITY       | SELF           | -         | LEFT      | 2026-05-01
            both   | CITY |                |      | 2026-01-01 | TRANSFER   | TOWNSHIP   | SELF           | -         |           |
            waived | U1   |                |      | 2026-03-02 | TRANSFER   | TOWNSHIP   | SELF           | W1        |           |
            exam   | U1   |                |      | 2026-03-02 | EXAM       | TOWNSHIP   | SELF           | -         |           |
            blank  | U1   |                |      | 2026-03-02 | -          | TOWNSHIP   | SELF           | -         |           |
            off    | U1   |                |      | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL           | -         | OFF_QUOTA |
            number | U1   | CONTROL_NUMBER |      | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL           | -         |           |
            old    | U1   |                |      | 2025-12-31 | TRANSFER   | TOWNSHIP   | FULL           | -         |           |
            future | U1   |                |      | 2026-10-21 | TRANSFER   | TOWNSHIP   | FULL           | -         |           |
            ever   | U1   |                |      | -          | TRANSFER   | TOWNSHIP   | FULL           | -         |           |
            null   | U1   |                |      | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL           | -         |           |
            """,
        },
        """
        person | unit | entry_date | type    | fund | expected | found                    | severity | division
        up     | U1   | 2026-03-02 | ADMIN   | FULL | -        | TOWNSHIP→COUNTY          | S3       | 370102
        far    | PROV | 2026-03-02 | ADMIN   | FULL | -        | CITY→PROVINCE            | S3       | 370102
        full   | U1   | 2026-03-02 | ADMIN   | FULL | -        | PART→FULL                | S3       | 370102
        part   | U1   | 2026-03-02 | SUPPORT | PART | -        | SELF→PART                | S3       | 370102
        both   | CITY | 2026-01-01 | ADMIN   | FULL | -        | TOWNSHIP→CITY;SELF→FULL  | S3       | 370102
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_what_the_row_does_not_say_the_register_and_the_persons_own_row_there_do():
    check(
        "P07",
        {
            "units": REGISTER,
            "roster": """
            person | unit | type    | fund | entry      | entry_form | from_unit | from_level | from_fund_form | status    | exit
            a      | U1   | ADMIN   | FULL | 2026-03-02 | TRANSFER   | TOWN      | -          | -              |           |
            a      | TOWN | SUPPORT | SELF |            | -          | -         | -          | -              | LEFT      | 2026-03-02
            a      | TOWN | ADMIN   | FULL |            | -          | -         | -          | -              | LEFT      | 2010-01-01
            b      | U1   | ADMIN   | FULL | 2026-03-02 | TRANSFER   | TOWN      | COUNTY     | FULL           |           |
            b      | TOWN | ADMIN   | SELF |            | -          | -         | -          | -              | LEFT      | 2026-03-02
            c      | U1   | ADMIN   | FULL | 2026-03-02 | TRANSFER   | CITY      | -          | -              |           |
            c      | CITY | ADMIN   | PART |            | -          | -         | -          | -              |           |
            c      | CITY | ADMIN   | SELF |            | -          | -         | -          | -              | OFF_QUOTA |
            d      | TOWN | ADMIN   | FULL | 2026-03-02 | TRANSFER   | U1        | -          | FULL           |           |
            """,
        },
        """
        person | unit | found
        a      | U1   | TOWNSHIP→COUNTY;SELF→FULL
        c      | U1   | PART→FULL
        """,
        gate_start=START,
        not_evaluable="",
    )


def test_of_two_rows_of_one_entry_the_first_cell_speaks():
    check(
        "P07",
        {
            "units": REGISTER,
            "roster": """
            person | unit | type    | fund | entry      | entry_form | from_level | from_fund_form
            a      | U1   | SUPPORT | FULL | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL
            a      | U1   | ADMIN   | PART | 2026-03-02 | TRANSFER   | COUNTY     | SELF
            a      | CITY | ADMIN   | FULL | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL
            """,
        },
        """
        person | unit | type  | fund | found
        a      | U1   | ADMIN | PART | SELF→PART
        a      | CITY | ADMIN | FULL | TOWNSHIP→CITY
        """,
        gate_start=START,
    )


def test_a_place_left_that_nobody_knows_is_open_unless_what_is_known_rises_already():
    check(
        "P07",
        {
            "units": REGISTER + "\n U2 | COUNTY \n U3 | COUNTY \n U4 | COUNTY",
            "roster": """
            person | unit | fund | entry      | entry_form | from_unit | from_level | from_fund_form
            a      | U1   |      | 2026-03-02 | TRANSFER   | -         | TOWNSHIP   | -
            b      | U2   |      | 2026-03-02 | TRANSFER   | -         | COUNTY     | -
            c      | U3   |      | 2026-03-02 | TRANSFER   | X9        | -          | FULL
            d      | U4   | SELF | 2026-03-02 | TRANSFER   | -         | CITY       | -
            e      | X1   |      | 2026-03-02 | TRANSFER   | -         | CITY       | FULL
            null   | U1   |      | 2026-03-02 | TRANSFER   | -         | -          | -
            """,
        },
        "person | unit | found \n a | U1 | TOWNSHIP→COUNTY",
        gate_start=START,
        not_evaluable="""
        division | unit | book
        370102   | U2   | roster
        370102   | U3   | roster
        370102   | U4   | roster
        370102   | X1   | roster
        """,
    )


def test_without_a_gate_start_roster_or_persons_nothing_is_concluded():
    check(
        "P07",
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
            person | unit | entry      | entry_form | from_level | from_fund_form | by
            a      | U1   | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL           | 370102
            b      | T1   | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL           | 370102
            c      | C1   | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL           | 370102
            d      | N1   | 2026-03-02 | TRANSFER   | TOWNSHIP   | FULL           | 370103
            """,
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
        370104   | *    | roster
        """,
    )


def test_a_month_that_reaches_beyond_gate_start_or_tonight_may_be_no_entry_to_judge():
    check(
        "P07",
        {
            "units": REGISTER,
            "roster": """
            person  | unit | entry      | entry_date_exact | entry_form | from_level | from_fund_form
            start   | U1   | 2026-01-01 | no               | TRANSFER   | TOWNSHIP   | FULL
            judged  | CITY | 2026-02-01 | no               | TRANSFER   | TOWNSHIP   | FULL
            tonight | PROV | 2026-10-01 | no               | TRANSFER   | TOWNSHIP   | FULL
            fine    | TOWN | 2026-10-01 | no               | TRANSFER   | TOWNSHIP   | FULL
            """,
        },
        "person | unit \n judged | CITY",
        gate_start="starts \n 2026-01-02",
        not_evaluable="division | unit | book \n 370102 | U1 | roster \n 370102 | PROV | roster",
    )
