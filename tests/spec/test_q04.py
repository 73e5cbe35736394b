"""Q04 超职数: leaders of a tier above the unit's leader posts.

定义：某一领导层次的在编领导人数多于单位台账各行该层次职数之和；没有台账行为 0。
Flagged when active leaders of a tier exceed the sum of leader posts in the unit's ledger rows; no row: 0.
无法判定：实名制或编制缺报、退回；台账各行职数都空白；编制数不明；只报数字的单位。
Not evaluable: roster or establishment absent; all leader posts of the ledger rows blank; the quota unknown; units that deliver counts.
"""

from tests.spec.spec import check


def test_leaders_are_counted_once_per_tier_against_the_sum_of_ledger_rows():
    check(
        "Q04",
        {
            "roster": """
            person | unit | tier        | type           | fund | status
            p1     | U1   | CHIEF       |                |      |
            p1     | U1   | CHIEF       |                | PART |
            p2     | U1   | DEPUTY      |                |      | SECONDED_OUT
            null   | U1   | DEPUTY      |                |      |
            p3     | U1   | DEPUTY      | CONTROL_NUMBER |      |
            p4     | U1   | DEPUTY      |                |      | OFF_QUOTA
            p5     | U2   | INNER_CHIEF |                |      |
            p6     | U3   | CHIEF       |                |      |
            p7     | U4   | CHIEF       |                |      |
            p8     | U5   | INNER_DEPUTY |               |      |
            p9     | U6   |             |                |      |
            """,
            "establishment": """
            unit | type    | quota | leaders_chief | leaders_deputy | leaders_inner_deputy | copy
            U1   | ADMIN   | 9     | 1             | 1              | null                 |
            U1   | SUPPORT | 9     | null          | 1              | null                 |
            U3   | ADMIN   | 9     | 0             | null           | null                 |
            U4   | ADMIN   | 9     | null          | 5              | null                 |
            U5   | ADMIN   | 9     | 1             | 1              | 1                    |
            U5   | SUPPORT | 9     | 1             | 1              | 1                    | DATABASE
            U6   | ADMIN   | 9     | null          | null           | null                 |
            U7   | ADMIN   | 9     | 0             | null           | null                 |
            """,
        },
        """
        unit | leader_tier | expected | found | severity
        U1   | DEPUTY      | 2        | 3     | S2
        U2   | INNER_CHIEF | 0        | 1     | S2
        U3   | CHIEF       | 0        | 1     | S2
        """,
        not_evaluable="""
        division | unit | book
        370102   | U4   | establishment
        370102   | U5   | establishment
        """,
    )
