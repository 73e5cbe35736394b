"""F06 吃空饷疑点: paid while a lead says the person is elsewhere. A lead, never an accusation.

定义：在编发薪的人，外部比对载明时点前已在他处参保、经商办企、服刑或出境，或本月一日以前已退休。只是疑点，不是结论：仅两名指定核查人可见。
Flagged when somebody in P, not F03 or F04, has a dated lead of another employer, business, prison or stay abroad, or of a retirement before M. A lead, never an accusation: for two named reviewers alone.
无法判定：发薪或外部比对缺报、退回；线索只知在时点当月、不知在时点之前之后的；只报数字的单位。
Not evaluable: payroll or leads absent; leads of the month of A, no day known; units that deliver counts.
"""

from __future__ import annotations

from tests.spec.spec import check


def test_a_dated_lead_on_somebody_in_pay_is_shown_with_its_kinds():
    check(
        "F06",
        {
            "roster": """
            person | unit | type           | fund | status  | exit
            a      | U1   | SUPPORT        | PART |         |
            a      | U1   | ADMIN          | FULL |         |
            b      | U2   | CONTROL_NUMBER | FULL |         |
            c      | U1   |                |      |         |
            d      | U1   |                |      |         |
            idle   | U1   |                |      |         |
            """,
            "payroll": """
            person | payer | state      | amount
            a      | U1    |            |
            b      | U2    |            |
            c      | U2    |            |
            c      | U1    |            | 0
            d      | U1    |            | 0
            none   | U1    |            |
            ret    | U1    | RETIRED    |
            null   | U1    |            |
            """,
            "leads": """
            person | kind           | date
            a      | PRISON         | 2026-10-20
            a      | BUSINESS       | 2020-01-01
            a      | BUSINESS       | 2020-01-01
            a      | ABROAD         | 2026-10-21
            b      | OTHER_EMPLOYER | 2026-01-01
            c      | RETIREMENT     | 2026-09-30
            d      | PRISON         | 2020-01-01
            idle   | PRISON         | 2020-01-01
            ret    | PRISON         | 2020-01-01
            null   | PRISON         | 2020-01-01
            nobody | PRISON         | 2020-01-01
            """,
        },
        """
        person | unit | type           | fund | expected | found           | severity | cause | division
        a      | U1   | ADMIN          | FULL | -        | BUSINESS;PRISON | S1       |       | 370102
        b      | U2   | CONTROL_NUMBER | FULL | -        | OTHER_EMPLOYER  | S1       |       | 370102
        c      | U1   | ADMIN          | FULL | -        | RETIREMENT      | S1       |       | 370102
        """,
        not_evaluable="",
    )


def test_dates_decide_and_a_lead_without_one_says_nothing():
    check(
        "F06",
        {
            "roster": "person \n a \n b \n c \n d \n e",
            "payroll": "person \n a \n b \n c \n d \n e",
            "leads": """
            person | kind       | date       | date_exact
            a      | RETIREMENT | 2026-10-01 |
            b      | RETIREMENT | 2026-09-01 | no
            c      | ABROAD     | -          |
            d      | ABROAD     | 2026-11-01 | no
            e      | DEATH      | 2026-10-01 |
            """,
        },
        "person | found \n b | RETIREMENT",
    )


def test_whom_f03_or_f04_names_is_not_named_again_and_f01_stands_beside():
    check(
        "F06",
        {
            "roster": """
            person | status    | exit
            gone   | LEFT      | 2026-03-01
            timing | LEFT      | 2026-10-05
            dead   |           |
            off    | OFF_QUOTA |
            """,
            "payroll": "person \n gone \n timing \n dead \n off \n ghost",
            "leads": """
            person | kind   | date
            gone   | PRISON | 2026-01-01
            timing | PRISON | 2026-01-01
            dead   | PRISON | 2026-01-01
            dead   | DEATH  | 2026-01-01
            off    | PRISON | 2026-01-01
            ghost  | PRISON | 2026-01-01
            """,
        },
        "person | unit | type | fund | found \n ghost | U1 | - | - | PRISON",
    )


def test_it_needs_payroll_and_leads_of_the_payer_and_no_roster_at_all():
    books = {
        "units": "unit | by | delivers \n U1 | 370102 | \n N1 | 370103 | \n C1 | 370102 | COUNTS",
        "payroll": "person | payer | by \n a | U1 | 370102 \n b | N1 | 370103 \n c | C1 | 370102",
        "leads": "person | kind | date \n a | PRISON | 2026-01-01 \n b | PRISON | 2026-01-01 \n c | PRISON | 2026-01-01",
        "headcount": "unit | count \n C1 | 1",
    }
    check(
        "F06",
        books,
        "person | unit \n a | U1",
        verdicts="division | book | state \n 370102 | roster | missing \n 370104 | payroll | missing",
        not_evaluable="""
        division | unit | book
        370102   | C1   | roster
        370103   | *    | leads
        370104   | *    | leads
        370104   | *    | payroll
        """,
    )
    above = books | {"leads": books["leads"].replace("person | kind | date", "by | person | kind | date")}
    above["leads"] = above["leads"].replace("\n ", "\n 370100 | ")
    check("F06", above, "person | unit \n a | U1 \n b | N1")


def test_a_lead_of_this_month_without_a_day_may_be_after_tonight():
    check(
        "F06",
        {
            "roster": "person \n a \n b \n c",
            "payroll": "person | payer \n a | U1 \n b | U2 \n c | U3",
            "leads": """
            person | kind       | date       | date_exact
            a      | ABROAD     | 2026-10-01 | no
            b      | ABROAD     | 2026-10-01 | no
            b      | BUSINESS   | 2026-09-01 | no
            c      | RETIREMENT | 2026-10-01 | no
            """,
        },
        "person | unit | found \n b | U2 | BUSINESS",
        not_evaluable="division | unit | book \n 370102 | U1 | leads",
    )
