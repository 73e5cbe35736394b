"""D07 状态与日期矛盾: a status and dates that cannot both be true.

定义：已退休、出编而出编日期空白或在将来；在职而出编日期已到；出编早于入编。
Flagged when LEFT or RETIRED with a blank or future exit; active with an exit on or before A; an exit before the entry.
无法判定：实名制缺报、退回；日期只知到月而月内各日结论不同；只报数字的单位。
Not evaluable: roster absent; a date known to the month only where the days of that month answer differently; units that deliver counts.
"""

from tests.spec.spec import check


def test_each_contradiction_has_its_code_and_one_person_and_unit_have_one_finding():
    check(
        "D07",
        {
            "roster": """
            person | unit | type           | status     | entry      | exit
            p1     | U1   |                | LEFT       |            | null
            p2     | U1   |                | RETIRED    |            | 2026-10-21
            p3     | U1   |                | ON_LEAVE   |            | 2026-10-20
            p4     | U1   |                | LEFT       | 2020-01-02 | 2020-01-01
            p5     | U1   |                | LEFT       |            | null
            p5     | U1   | SUPPORT        | IN_SERVICE |            | 2020-01-01
            p5     | U2   |                | IN_SERVICE | 2021-01-01 | 2020-01-01
            p6     | U1   |                | LEFT       |            | 2026-10-20
            p7     | U1   |                | IN_SERVICE |            | 2026-10-21
            p8     | U1   | CONTROL_NUMBER | LEFT       |            | null
            p9     | U1   |                | OFF_QUOTA  | 2021-01-01 | 2020-01-01
            pa     | U1   |                | LEFT       | 2020-01-01 | 2020-01-01
            null   | U1   |                | LEFT       |            | null
            """,
        },
        """
        person | unit | type  | expected | found                                | severity
        p1     | U1   | ADMIN | -        | EXIT_MISSING                         | S4
        p2     | U1   | ADMIN | -        | EXIT_FUTURE                          | S4
        p3     | U1   | ADMIN | -        | EXITED_BUT_ACTIVE                    | S4
        p4     | U1   | ADMIN | -        | EXIT_BEFORE_ENTRY                    | S4
        p5     | U1   | ADMIN | -        | EXIT_MISSING;EXITED_BUT_ACTIVE       | S4
        p5     | U2   | ADMIN | -        | EXITED_BUT_ACTIVE;EXIT_BEFORE_ENTRY  | S4
        """,
        not_evaluable="",
    )


def test_a_date_known_to_the_month_is_judged_only_where_every_day_gives_the_same_answer():
    check(
        "D07",
        {
            "roster": """
            person | unit | status     | exit       | exit_date_exact | entry      | entry_date_exact
            p1     | U1   | LEFT       | 2026-11-01 | no              |            |
            p2     | U2   | LEFT       | 2026-10-01 | no              |            |
            p3     | U3   | IN_SERVICE | 2026-09-01 | no              |            |
            p4     | U4   | LEFT       | 2011-05-01 | no              | 2011-05-20 |
            p5     | U5   | LEFT       | 2011-05-01 | no              | 2011-06-01 | no
            p6     | U6   | LEFT       | 2011-05-31 |                 | 2011-05-01 | no
            p7     | U7   | LEFT       | 2011-06-01 |                 | 2011-05-01 | no
            """,
        },
        """
        person | unit | found
        p1     | U1   | EXIT_FUTURE
        p3     | U3   | EXITED_BUT_ACTIVE
        p5     | U5   | EXIT_BEFORE_ENTRY
        """,
        not_evaluable="""
        division | unit | book
        370102   | U2   | roster
        370102   | U4   | roster
        """,
    )
