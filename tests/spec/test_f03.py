"""F03 离编未停薪: in P, in a roster, and active on no day of M.

定义：本月在编发薪的人在名册里，但时点不在编、本月也没有一天在编；本月内出编的记为时点差（四级），编外人员没有编可出。
Flagged when somebody in P is in a roster but active neither on A nor on any day of M; who left a post within M is TIMING, S4, which 编外 never held.
无法判定：任何一份应报的实名制缺报、退回；发薪缺报、退回；只报数字的单位。
Not evaluable: any expected roster absent anywhere; payroll absent; units that deliver counts.
"""

from tests.spec.spec import check


def test_every_cause_and_the_last_day_in_post():
    check(
        "F03",
        {
            "roster": """
            person | unit | type           | status     | entry      | exit
            p1     | U1   |                | LEFT       |            | 2026-09-30
            p2     | U1   |                | RETIRED    |            | 2026-10-01
            p3     | U1   |                | LEFT       |            | 2026-10-02
            p4     | U1   |                | IN_SERVICE |            | 2026-10-20
            p5     | U1   |                | LEFT       |            | 2026-10-31
            p6     | U1   |                | OFF_QUOTA  |            |
            p7     | U1   |                | IN_SERVICE | 2026-11-01 |
            p8     | U1   |                | IN_SERVICE | 2026-10-21 |
            p9     | U1   |                | LEFT       |            |
            pa     | U1   |                | RETIRED    |            | 2026-11-01
            pb     | U1   | CONTROL_NUMBER | LEFT       |            | 2020-01-01
            pc     | U1   |                | LEFT       |            | 2020-01-01
            pc     | U2   | CONTROL_NUMBER | IN_SERVICE |            |
            pd     | U1   |                | LEFT       |            | 2020-01-01
            pd     | U2   | SUPPORT        | LEFT       |            | 2026-10-15
            pe     | U3   |                | LEFT       |            | 2020-01-01
            pf     | U1   |                | LEFT       |            | 2020-01-01
            pg     | U1   |                |            |            |
            ph     | U1   |                | LEFT       |            | 2020-01-01
            """,
            "payroll": """
            person | payer | amount
            p1     | U1    |
            p1     | U1    |
            p2     | U1    |
            p3     | U1    |
            p4     | U1    |
            p5     | U1    |
            p6     | U1    |
            p7     | U1    |
            p8     | U1    |
            p9     | U1    |
            pa     | U1    |
            pb     | U1    |
            pc     | U1    |
            pd     | U2    |
            pd     | U1    |
            pe     | U3    |
            pf     | U1    | 0
            px     | U1    |
            null   | U1    |
            """,
        },
        """
        person | unit | type    | expected | found      | severity | cause
        p1     | U1   | ADMIN   | 0        | 2026-09-29 | S1       | EXITED
        p2     | U1   | ADMIN   | 0        | 2026-09-30 | S1       | EXITED
        p3     | U1   | ADMIN   | 0        | 2026-10-01 | S4       | TIMING
        p4     | U1   | ADMIN   | 0        | 2026-10-19 | S4       | TIMING
        p5     | U1   | ADMIN   | 0        | 2026-10-30 | S4       | TIMING
        p6     | U1   | ADMIN   | 0        | -          | S1       | OFF_QUOTA
        p7     | U1   | ADMIN   | 0        | -          | S1       | NOT_YET_ENTERED
        p9     | U1   | ADMIN   | 0        | -          | S1       | NO_EXIT_DATE
        pa     | U1   | ADMIN   | 0        | -          | S1       | NO_EXIT_DATE
        pd     | U1   | ADMIN   | 0        | 2026-10-14 | S4       | TIMING
        pe     | U3   | ADMIN   | 0        | 2019-12-31 | S4       | QUARANTINE
        """,
        quarantine="book | unit\n roster | U3",
        not_evaluable="",
    )


def test_death_before_the_month_comes_first_and_an_expected_roster_missing_stops_it():
    books = {
        "roster": "person | unit | status | exit\n p1 | U1 | LEFT | 2020-01-01\n p2 | U1 | LEFT | 2020-01-01",
        "payroll": "person | payer\n p1 | U1\n p2 | U1",
        "leads": "person | date\n p1 | 2020-01-01",
    }
    check("F03", books, "person | cause\n p2 | EXITED")
    check(
        "F03",
        books,
        None,
        verdicts="division | book | state\n 370103 | roster | refused",
        not_evaluable="division | unit | book\n 370102 | * | roster\n 370103 | * | roster\n 370103 | * | payroll",
    )


def test_an_exit_known_only_to_be_in_the_month_is_timing_and_no_day_is_named():
    check(
        "F03",
        {
            "roster": """
            person | unit | status | exit       | exit_date_exact
            p1     | U1   | LEFT   | 2026-10-01 | no
            p2     | U1   | LEFT   | 2026-10-01 | yes
            p3     | U1   | LEFT   | 2026-05-01 | no
            """,
            "payroll": "person | payer\n p1 | U1\n p2 | U1\n p3 | U1",
        },
        """
        person | found      | severity | cause
        p1     | 2026-10    | S4       | TIMING
        p2     | 2026-09-30 | S1       | EXITED
        p3     | 2026-05    | S1       | EXITED
        """,
    )


def test_who_is_outside_the_quota_left_no_post_within_the_month():
    check(
        "F03",
        {
            "roster": """
            person | unit | type    | status    | exit       | exit_date_exact
            p1     | U1   |         | OFF_QUOTA | 2026-10-10 |
            p2     | U1   |         | OFF_QUOTA | 2026-10-01 | no
            p3     | U1   |         | OFF_QUOTA | 2026-10-31 |
            p4     | U1   |         | OFF_QUOTA | 2026-10-10 |
            p4     | U2   |         | LEFT      | 2026-10-08 |
            p5     | U1   |         | OFF_QUOTA | 2026-10-10 |
            p5     | U2   |         | LEFT      | 2026-05-01 |
            p6     | U1   |         | OFF_QUOTA | 2026-10-10 |
            p6     | U1   | SUPPORT |           |            |
            """,
            "payroll": "person\n p1\n p2\n p3\n p4\n p5\n p6",
        },
        """
        person | found      | severity | cause
        p1     | -          | S1       | OFF_QUOTA
        p2     | -          | S1       | OFF_QUOTA
        p3     | -          | S1       | OFF_QUOTA
        p4     | 2026-10-07 | S4       | TIMING
        p5     | 2026-04-30 | S1       | EXITED
        """,
    )
