"""Q05 超规格: a rank above that of the unit.

定义：人员职级高于单位的机构规格；高低次序是参数，两个词都在次序里才比较。
Flagged when the rank of somebody active is above the unit's own; the order of ranks is data, and only words in it are compared.
无法判定：实名制或机构缺报、退回；有人有职级而单位的规格空白或不在次序里；只报数字的单位。
Not evaluable: roster or units absent; the unit's own rank blank or not in the order where somebody has one; units that deliver counts.
"""

from __future__ import annotations

from tests.spec.spec import check

REGISTER = """
    unit | org_rank
    U1   | 正科级
    U2   | 副 处级
    U3   | 县处级正职
    U4   | -
    U5   | 调研所
    U6   | 正股级
"""


def test_the_rank_is_held_against_that_of_the_unit_and_words_the_order_does_not_know_claim_nothing():
    check(
        "Q05",
        {
            "units": REGISTER,
            "roster": """
            person | unit | type           | rank       | status       | entry      | exit
            equal  | U1   |                | 乡科级正职 |              |            |
            below  | U1   |                | 副科级     |              |            |
            over   | U1   |                | 副处级     |              |            |
            lent   | U1   |                | 正 处级    | SECONDED_OUT |            |
            away   | U1   | CONTROL_NUMBER | 正处级     | ON_LEAVE     |            |
            grade  | U1   |                | 一级科员   |              |            |
            none   | U1   |                | -          |              |            |
            null   | U1   |                | 正国级     |              |            |
            off    | U1   |                | 正处级     | OFF_QUOTA    |            |
            gone   | U1   |                | 正处级     | RETIRED      |            |
            today  | U1   |                | 正处级     |              | 2026-10-20 |
            later  | U1   |                | 正处级     |              | 2026-10-21 |
            last   | U1   |                | 正处级     |              |            | 2026-10-21
            left   | U1   |                | 正处级     |              |            | 2026-10-20
            spaced | U2   |                | 正处级     |              |            |
            within | U3   |                | 正处级     |              |            |
            low    | U6   |                | 副股级     |              |            |
            """,
        },
        """
        person | unit | type           | fund | expected | found   | severity | division
        over   | U1   | ADMIN          | FULL | 正科级   | 副处级  | S2       | 370102
        lent   | U1   | ADMIN          | FULL | 正科级   | 正 处级 | S2       | 370102
        away   | U1   | CONTROL_NUMBER | FULL | 正科级   | 正处级  | S2       | 370102
        today  | U1   | ADMIN          | FULL | 正科级   | 正处级  | S2       | 370102
        last   | U1   | ADMIN          | FULL | 正科级   | 正处级  | S2       | 370102
        spaced | U2   | ADMIN          | FULL | 副 处级  | 正处级  | S2       | 370102
        """,
        not_evaluable="",
    )


def test_of_several_rows_in_a_unit_the_highest_rank_is_shown_and_every_unit_answers():
    check(
        "Q05",
        {
            "units": REGISTER,
            "roster": """
            person | unit | type    | fund | rank
            a      | U1   | SUPPORT | FULL | 副处级
            a      | U1   | ADMIN   | SELF | 正处级
            a      | U1   | ADMIN   | FULL | 副科级
            a      | U2   | ADMIN   | FULL | 正处级
            b      | U6   | SUPPORT | FULL | 正县级
            b      | U6   | ADMIN   | PART | 正处级
            """,
        },
        """
        person | unit | type  | fund | expected | found
        a      | U1   | ADMIN | SELF | 正科级   | 正处级
        a      | U2   | ADMIN | FULL | 副 处级  | 正处级
        b      | U6   | ADMIN | PART | 正股级   | 正县级
        """,
    )


def test_a_unit_without_a_rank_the_order_knows_is_not_evaluable_where_somebody_has_one():
    check(
        "Q05",
        {
            "units": REGISTER,
            "roster": """
            person | unit | rank
            a      | U4   | 正处级
            b      | U5   | 正处级
            c      | X9   | 正处级
            d      | U6   | 一级科员
            null   | X8   | 正处级
            """,
        },
        None,
        not_evaluable="division | unit | book \n 370102 | U4 | units \n 370102 | U5 | units \n 370102 | X9 | units",
    )


def test_without_register_roster_or_persons_nothing_is_concluded():
    roster = "person | unit | rank | by \n a | U1 | 正处级 | 370102 \n b | N1 | 正处级 | 370103"
    check(
        "Q05",
        {"units": "unit | org_rank | by \n U1 | 正科级 | 370102", "roster": roster},
        "person | unit \n a | U1",
        verdicts="division | book | state \n 370103 | units | refused \n 370104 | roster | missing",
        not_evaluable="""
        division | unit | book
        370103   | *    | units
        370104   | *    | roster
        370104   | *    | units
        """,
    )
    check(
        "Q05",
        {
            "units": "unit | org_rank | delivers \n U1 | 正股级 | COUNTS \n U2 | 正股级 |",
            "roster": "person | unit | rank \n a | U1 | 正处级 \n b | U2 | 正处级",
            "headcount": "unit | count \n U1 | 1",
        },
        "person | unit \n b | U2",
        not_evaluable="division | unit | book \n 370102 | U1 | roster",
    )


def test_the_order_is_data():
    check(
        "Q05",
        {"units": "unit | org_rank \n U1 | 乙", "roster": "person | rank \n a | 甲 \n b | 乙 \n c | 正国级"},
        "person | unit | expected | found \n a | U1 | 乙 | 甲",
        rank_order="word | place \n 甲 | 1 \n 甲 | 3 \n 乙 | 2",
    )
