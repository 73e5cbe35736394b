"""D04 到龄未退: active past the statutory age the gate worked out.

定义：在编而已过法定退休年龄（按日期、性别、岗位查表）。
Flagged when active past the statutory age for sex and post, from a table by date.
无法判定：实名制缺报、退回；只报数字的单位。
Not evaluable: roster absent; units that deliver counts.
"""

from __future__ import annotations

from tests.spec.spec import check


def test_active_people_past_their_age_are_named_in_every_unit():
    check(
        "D04",
        {
            "roster": """
            person | unit | type           | fund | age  | statutory_age | status       | entry      | exit
            a      | U1   |                |      | 61岁 | 60岁3个月     |              |            |
            a      | U2   | SUPPORT        | PART | 61岁 | 60岁3个月     | SECONDED_OUT |            |
            b      | U1   | CONTROL_NUMBER |      | 60岁 | 60岁          | ON_LEAVE     |            |
            c      | U1   |                |      | -    | -             |              |            |
            null   | U1   |                |      | 61岁 | 60岁          |              |            |
            d      | U1   |                |      | 61岁 | 60岁          | RETIRED      |            | 2026-10-01
            e      | U1   |                |      | 61岁 | 60岁          | OFF_QUOTA    |            |
            last   | U1   |                |      | 61岁 | 60岁          |              |            | 2026-10-21
            left   | U1   |                |      | 61岁 | 60岁          |              |            | 2026-10-20
            later  | U1   |                |      | 61岁 | 60岁          |              | 2026-10-21 |
            """,
        },
        """
        person | unit | type           | fund | expected  | found | severity | division
        a      | U1   | ADMIN          | FULL | 60岁3个月 | 61岁  | S4       | 370102
        a      | U2   | SUPPORT        | PART | 60岁3个月 | 61岁  | S4       | 370102
        b      | U1   | CONTROL_NUMBER | FULL | 60岁      | 60岁  | S4       | 370102
        last   | U1   | ADMIN          | FULL | 60岁      | 61岁  | S4       | 370102
        """,
        not_evaluable="",
    )


def test_of_several_rows_in_a_unit_the_first_cell_speaks_once():
    check(
        "D04",
        {
            "roster": """
            person | type    | age  | statutory_age
            a      | SUPPORT | 56岁 | 50岁
            a      | ADMIN   | 56岁 | 55岁
            a      | ADMIN   | 56岁 | 55岁
            b      | SUPPORT | 52岁 | 50岁
            b      | ADMIN   | -    | -
            """,
        },
        "person | type | expected | found \n a | ADMIN | 55岁 | 56岁 \n b | SUPPORT | 50岁 | 52岁",
    )


def test_without_roster_or_persons_nobody_is_named():
    check(
        "D04",
        {
            "units": "unit | delivers \n U1 | \n C1 | COUNTS",
            "roster": "person | unit | age | statutory_age \n a | C1 | 61岁 | 60岁 \n b | U1 | 61岁 | 60岁",
            "headcount": "unit | count \n C1 | 0",
        },
        "person | unit \n b | U1",
        verdicts="division | book | state \n 370103 | roster | refused",
        not_evaluable="division | unit | book \n 370102 | C1 | roster \n 370103 | * | roster",
    )
