"""F01 to F08 at their edges: what one rule leaves to another, and cells, modes, months and owners."""

from tests.spec.spec import check


def rules_of(result, person: str) -> list[str]:
    return sorted(row["rule"] for row in result.findings if row["person_key"] == person)


def test_f04_comes_before_f03_and_f03_before_f01_one_per_person():
    result = check(
        "F03",
        {
            "roster": "person | status | exit\ndead | LEFT | 2026-05-01\nleft | LEFT | 2026-05-01",
            "payroll": "person\ndead\nleft\ndead-too\nnobody\ndied-now",
            "leads": "person | date\ndead | 2026-06-01\ndead-too | 2026-06-01\ndied-now | 2026-10-01",
        },
        "person | cause | found\nleft | EXITED | 2026-04-30",
    )
    said = {person: rules_of(result, person) for person in ("dead", "dead-too", "left", "nobody", "died-now")}
    assert said == {"dead": ["F04"], "dead-too": ["F04"], "left": ["F03"], "nobody": ["F01"], "died-now": ["F01"]}


def test_f01_takes_net_pay_whatever_the_mode_and_a_roster_of_any_division():
    check(
        "F01",
        {
            "roster": "person | unit | by\nother | V1 | 370103",
            "payroll": """
                person  | payer | mode | month   | amount
                self    | U1    | SELF | 2026-10 | 1
                undone  | U1    | FULL | 2026-10 | 500
                undone  | U2    | FULL | 2026-10 | -500
                partly  | U10   | FULL | 2026-10 | 500
                partly  | U2    | FULL | 2026-10 | -499
                before  | U1    | FULL | 2026-10 | 1
                before  | U1    | FULL | 2026-09 | -500
                unknown | U1    | FULL | 2026-10 | null
                unknown | U1    | FULL | 2026-10 | null
                half    | U1    | FULL | 2026-10 | null
                half    | U1    | FULL | 2026-10 | 0
                other   | U1    | FULL | 2026-10 | 1""",
        },
        """
        person  | unit | expected | found | severity
        self    | U1   | 0        | 1     | S1
        partly  | U10  | 0        | 1     | S1
        before  | U1   | 0        | 1     | S1
        unknown | U1   | 0        | 1     | S1""",
    )


def test_f01_prefers_quarantine_to_blank_id_and_any_blank_roster_row_softens_it():
    check(
        "F01",
        {
            "roster": "person | unit | status\nnull | U1 | OFF_QUOTA\nnull | U2 | LEFT",
            "payroll": "person | payer\np | U1\nq | U2\nr | U3",
        },
        """
        person | unit | severity | cause
        p      | U1   | S4       | QUARANTINE
        q      | U2   | S4       | BLANK_ID
        r      | U3   | S1       |""",
        quarantine="book | unit\nroster | U1\nroster | null\npayroll | U3",
    )


def test_f02_dates_states_and_cells():
    check(
        "F02",
        {
            "roster": """
                person   | type    | fund | status   | entry      | exit
                before   |         |      |          | 2026-09-30 |
                no-entry |         |      |          | null       |
                later    |         |      |          | 2026-10-21 |
                today    |         |      |          |            | 2026-10-20
                tomorrow |         |      |          |            | 2026-10-21
                new-away |         |      | ON_LEAVE | 2026-10-02 |
                away     |         |      | ON_LEAVE |            |
                cells    | SUPPORT | FULL |          |            |
                cells    | ADMIN   | PART |          |            |
                cells    | ADMIN   | SELF |          |            |
                pension  |         |      |          |            |
                there    |         |      |          |            |""",
            "payroll": """
                person   | payer  | on_behalf_of | by     | state   | month
                away     | U1     |              |        | RETIRED |
                pension  | U1     |              |        | RETIRED | 2026-09
                there    | CENTRE | V1           | 370103 |         |""",
        },
        """
        person   | type  | fund | severity | cause
        before   | ADMIN | FULL | S3       |
        no-entry | ADMIN | FULL | S3       |
        tomorrow | ADMIN | FULL | S3       |
        new-away | ADMIN | FULL | S4       | TIMING
        away     | ADMIN | FULL | S4       | LEAVE
        cells    | ADMIN | PART | S3       |
        pension  | ADMIN | FULL | S3       |""",
    )


def test_f02_blank_ids_count_in_the_payroll_of_m_at_the_unit_paid_for():
    check(
        "F02",
        {
            "roster": "person | unit\na | U1\nb | U2\nc | U3\nnull | U3\nd | CENTRE",
            "payroll": "person | payer | on_behalf_of | month\nnull | CENTRE | U1 |\nnull | U2 | | 2026-09\nx | U2 | |",
        },
        """
        person | unit   | severity | cause
        a      | U1     | S4       | BLANK_ID
        b      | U2     | S3       |
        c      | U3     | S3       |
        d      | CENTRE | S3       |""",
    )


def test_f03_rows_that_will_be_active_and_rows_that_contradict_each_other():
    check(
        "F03",
        {
            "roster": """
                person    | unit | type    | status     | entry      | exit
                returning | U1   |         | LEFT       |            | 2026-06-01
                returning | U1   |         | IN_SERVICE | 2026-10-31 |
                never     | U1   |         | LEFT       | 2026-10-25 |
                off-left  | U1   |         | OFF_QUOTA  |            | 2026-06-01
                mixed     | U1   |         | LEFT       |            |
                mixed     | U2   | SUPPORT | OFF_QUOTA  |            |
                elsewhere | V1   | SUPPORT | LEFT       |            | 2026-10-02
                blanks    | U3   |         | LEFT       |            | 2026-06-01
                null      | U3   |         | LEFT       |            | 2026-06-01
                hidden    | U4   |         | LEFT       |            | 2026-10-09""",
            "payroll": """
                person    | payer  | on_behalf_of | mode | amount
                returning | U1     |              |      |
                never     | U1     |              |      |
                off-left  | U1     |              | SELF |
                mixed     | U2     |              |      | null
                elsewhere | U9     |              |      |
                elsewhere | CENTRE | U2           |      |
                blanks    | U3     |              |      |
                hidden    | U4     |              |      |""",
        },
        """
        person    | unit | type    | severity | cause        | found
        never     | U1   | ADMIN   | S1       | NO_EXIT_DATE | -
        off-left  | U1   | ADMIN   | S1       | EXITED       | 2026-05-31
        mixed     | U2   | ADMIN   | S1       | OFF_QUOTA    | -
        elsewhere | U2   | SUPPORT | S4       | TIMING       | 2026-10-01
        blanks    | U3   | ADMIN   | S1       | EXITED       | 2026-05-31
        hidden    | U4   | ADMIN   | S4       | QUARANTINE   | 2026-10-08""",
        quarantine="book | unit\nroster | U4",
    )


def test_f05_payers_are_the_units_paid_for_and_only_an_active_row_makes_an_owner():
    check(
        "F05",
        {
            "roster": """
                person   | unit | type  | status       | seconded_to
                left     | U2   | ADMIN | LEFT         |
                seconded | U3   | ADMIN | SECONDED_OUT | U1
                both     | U3   | ADMIN |              |
                both     | U2   | ADMIN |              |""",
            "payroll": """
                person   | payer  | on_behalf_of | est | month
                same     | CENTRE | U1           |     |
                same     | U1     |              |     |
                outside  | U1     |              |     |
                outside  | U2     |              | NO  |
                moved    | U1     |              |     | 2026-09
                moved    | U2     |              |     |
                left     | U1     |              |     |
                left     | U2     |              |     |
                seconded | U1     |              |     |
                seconded | U3     |              |     |
                both     | U1     |              |     |
                both     | U2     |              |     |
                both     | U3     |              |     |""",
        },
        """
        person   | unit | type  | found
        left     | U1   | ADMIN | 2
        seconded | U3   | ADMIN | 2
        both     | U2   | ADMIN | 3""",
    )


def test_f07_forms_of_active_posts_and_modes_of_p():
    check(
        "F07",
        {
            "roster": """
                person  | unit | type           | fund | status
                both    | U1   | ADMIN          | FULL |
                both    | U1   | SUPPORT        | SELF |
                one     | U1   | SUPPORT        | FULL |
                one     | U1   | ADMIN          | PART |
                control | U1   | ADMIN          | FULL |
                control | U1   | CONTROL_NUMBER | SELF |
                only    | U1   | CONTROL_NUMBER | FULL |
                left    | U1   | ADMIN          | FULL |
                left    | U1   | SUPPORT        | SELF | LEFT
                outside | U1   | ADMIN          | FULL | OFF_QUOTA
                zero    | U1   | ADMIN          | FULL |
                null    | U1   | ADMIN          | FULL |""",
            "payroll": """
                person  | mode | amount | state   | month
                both    | SELF |        |         |
                one     | FULL |        |         |
                one     | SELF |        |         |
                one     | SELF |        | RETIRED |
                control | SELF |        |         |
                only    | SELF |        |         |
                left    | FULL |        |         |
                left    | SELF |        |         |
                left    | PART |        |         | 2026-09
                outside | SELF |        |         |
                zero    | SELF | 0      |         |
                null    | SELF |        |         |""",
        },
        """
        person  | type  | fund | expected  | found     | severity
        one     | ADMIN | PART | FULL;PART | FULL;SELF | S2
        control | ADMIN | FULL | FULL      | SELF      | S2
        left    | ADMIN | FULL | FULL      | FULL;SELF | S2""",
    )


def test_f08_control_numbers_neither_answer_nor_excuse_and_the_own_unit_among_several_does():
    check(
        "F08",
        {
            "roster": """
                person  | unit | type           | status | exit
                mixed   | U1   | ADMIN          |        |
                mixed   | U2   | CONTROL_NUMBER |        |
                several | U1   | ADMIN          |        |
                pension | U1   | ADMIN          |        |
                centre  | U1   | ADMIN          |        |
                no-day  | U1   | ADMIN          |        |
                no-day  | U2   | ADMIN          | LEFT   |
                next    | U1   | ADMIN          |        |
                next    | U2   | ADMIN          | LEFT   | 2026-11-01
                ahead   | U1   | ADMIN          |        |
                ahead   | U2   | ADMIN          | LEFT   | 2026-10-31""",
            "payroll": """
                person  | payer | on_behalf_of | state
                mixed   | U2    |              |
                several | U2    |              |
                several | U1    |              |
                pension | U1    |              |
                pension | U2    |              | RETIRED
                centre  | U1    | U2           |
                no-day  | U2    |              |
                next    | U2    |              |
                ahead   | U2    |              |""",
        },
        """
        person | unit | type  | expected | found
        mixed  | U1   | ADMIN | U1       | U2
        centre | U1   | ADMIN | U1       | U2
        no-day | U1   | ADMIN | U1       | U2
        next   | U1   | ADMIN | U1       | U2""",
    )
