"""F04 死亡仍发薪: any payroll row of M after a death before M.

定义：外部比对载明本月一日以前死亡的人，本月仍有发薪行，不论何种状态。
Flagged when a payroll row of M, whatever its state, of somebody with a DEATH lead dated before the first of M.
无法判定：发薪或外部比对缺报、退回（上级区划的外部比对也算）；只报数字的单位。
Not evaluable: payroll or leads absent (leads of a division above will do); units that deliver counts.
"""

from tests.spec.spec import check


def test_any_payroll_row_of_the_month_counts_and_a_lead_without_a_date_fires_nothing():
    check(
        "F04",
        {
            "roster": """
            person | unit | type           | status  | exit
            p1     | U2   | SUPPORT        |         |
            p1     | U1   | CONTROL_NUMBER | RETIRED | 2020-01-01
            """,
            "payroll": """
            person | payer | state   | est | amount | month
            p1     | U2    |         |     |        |
            p1     | U1    | RETIRED |     |        |
            p1     | U1    | RETIRED |     |        |
            p2     | U1    |         | NO  | 0      |
            p3     | U1    |         |     |        | 2026-09
            p4     | U1    |         |     |        |
            p5     | U1    |         |     |        |
            p6     | U1    |         |     |        |
            null   | U1    |         |     |        |
            """,
            "leads": """
            person | kind       | date
            p1     |            | 2026-09-30
            p1     |            | 2026-08-01
            p2     |            | 2019-02-03
            p3     |            | 2019-02-03
            p4     |            | 2026-10-01
            p5     |            | null
            p6     | RETIREMENT | 2019-02-03
            null   |            | 2019-02-03
            px     |            | 2019-02-03
            """,
        },
        """
        person | unit | type    | fund | expected | found      | severity
        p1     | U1   | SUPPORT | FULL | 0        | 2026-08-01 | S1
        p2     | U1   |         |      | 0        | 2019-02-03 | S1
        """,
        not_evaluable="",
    )


def test_without_leads_here_or_above_it_is_not_evaluable():
    books = {"payroll": "person | payer\n p1 | U1", "roster": "person | unit\n p1 | U1"}
    check("F04", books, None, not_evaluable="division | unit | book\n 370102 | * | leads")
    leads = {"leads": "person | date | by\n p1 | 2026-01-01 | 370100"}
    check("F04", books | leads, "person | unit\n p1 | U1")


def test_a_death_known_to_the_month_lies_before_this_month_or_in_it():
    check(
        "F04",
        {
            "payroll": "person | payer \n a | U1 \n b | U1",
            "leads": "person | date | date_exact \n a | 2026-09-01 | no \n b | 2026-10-01 | no",
        },
        "person | found \n a | 2026-09-01",
        not_evaluable="",
    )
