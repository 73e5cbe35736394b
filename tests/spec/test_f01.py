"""F01 有薪无编: in P and in no roster of the night. Owner: the smallest payer."""

import pytest

from tests.spec.spec import check


def test_only_the_person_who_is_paid_and_in_no_roster_is_flagged():
    check(
        "F01",
        {
            "roster": """
                person
                both
                roster-only""",
            "payroll": """
                person
                both
                pay-only""",
        },
        """
        person   | unit | division | type | fund | expected | found | severity | cause | explained_by
        pay-only | U1   | 370102   |      |      | 0        | 1     | S1       |       |""",
        not_evaluable="",
    )


def test_a_roster_row_of_another_division_is_a_roster_row():
    check(
        "F01",
        {
            "roster": "person | unit | by\nmoved | V1 | 370103",
            "payroll": "person | payer | by\nmoved | U1 | 370102\nV-own | V1 | 370103",
        },
        """
        person | unit | division | severity
        V-own  | V1   | 370103   | S1""",
    )


@pytest.mark.parametrize(
    "row",
    [
        "p | ADMIN          | LEFT       | 2026-08-01",
        "p | ADMIN          | LEFT       | -",
        "p | ADMIN          | RETIRED    | 2020-01-01",
        "p | ADMIN          | OFF_QUOTA  | -",
        "p | CONTROL_NUMBER | IN_SERVICE | -",
        "p | CONTROL_NUMBER | LEFT       | 2020-01-01",
    ],
)
def test_any_roster_row_keeps_f01_away(row):
    check("F01", {"roster": f"person | type | status | exit\n{row}", "payroll": "person\np"}, None)


def test_a_roster_row_of_a_count_only_unit_counts_as_in_a_roster():
    check(
        "F01",
        {
            "units": "unit | delivers\nU1 | PERSONS\nU9 | COUNTS",
            "roster": "person | unit\np | U9\nq | U1",
            "payroll": "person | payer\np | U1\nq | U1",
        },
        None,
    )


def test_only_rows_of_p_pay():
    check(
        "F01",
        {
            "payroll": """
                person    | month   | state         | est | mode | amount
                retired   | 2026-10 | RETIRED       | YES | FULL | 500000
                cadre     | 2026-10 | RETIRED_CADRE | YES | FULL | 500000
                temporary | 2026-10 | TEMPORARY     | YES | FULL | 500000
                other     | 2026-10 | OTHER         | YES | FULL | 500000
                outside   | 2026-10 | IN_SERVICE    | NO  | FULL | 500000
                last      | 2026-09 | IN_SERVICE    | YES | FULL | 500000
                self      | 2026-10 | IN_SERVICE    | YES | SELF | 500000""",
        },
        "person | unit | found\nself | U1 | 1",
    )


def test_a_net_pay_of_zero_or_less_is_no_pay_and_an_unknown_one_is():
    check(
        "F01",
        {
            "payroll": """
                person   | payer | amount
                zero     | U1    | 0
                negative | U1    | -1
                undone   | U1    | 500000
                undone   | U2    | -500000
                partly   | U1    | 500000
                partly   | U1    | -499999
                unknown  | U1    | -
                half     | U1    | -
                half     | U1    | 0""",
        },
        """
        person  | unit | severity
        partly  | U1   | S1
        unknown | U1   | S1""",
    )


def test_a_correction_of_last_month_takes_nothing_from_this_one():
    check("F01", {"payroll": "person | month | amount\np | 2026-10 | 1\np | 2026-09 | -500000"}, "person\np")


def test_two_equal_rows_are_one_finding():
    check("F01", {"payroll": "person\np\np"}, "person | found\np | 1")


def test_of_several_payers_the_smallest_code_owns_the_flag():
    check("F01", {"payroll": "person | payer\np | U2\np | U10"}, "person | unit | found\np | U10 | 1")


def test_the_unit_paid_for_is_the_payer():
    check(
        "F01",
        {"payroll": "person | payer | on_behalf_of\np | CENTRE | U1\nq | CENTRE | -"},
        "person | unit\np | U1\nq | CENTRE",
    )


def test_a_blank_id_is_no_f01_and_softens_the_f01_of_its_roster_unit_only():
    check(
        "F01",
        {
            "roster": "person | unit\n- | U1",
            "payroll": "person | payer\n- | U2\np | U1\nq | U2",
        },
        """
        person | unit | severity | cause
        p      | U1   | S4       | BLANK_ID
        q      | U2   | S1       |""",
    )


@pytest.mark.parametrize("status", ["LEFT", "OFF_QUOTA"])
def test_any_roster_row_with_a_blank_id_may_be_the_person(status):
    check(
        "F01",
        {"roster": f"person | status\n- | {status}", "payroll": "person\np"},
        "person | severity | cause\np | S4 | BLANK_ID",
    )


def test_quarantined_roster_rows_of_the_unit_come_before_a_blank_id():
    check(
        "F01",
        {"roster": "person | unit\n- | U1", "payroll": "person | payer\np | U1\nq | U2\nr | U3"},
        """
        person | unit | severity | cause      | expected | found
        p      | U1   | S4       | QUARANTINE | 0        | 1
        q      | U2   | S1       |            | 0        | 1
        r      | U3   | S1       |            | 0        | 1""",
        quarantine="book | unit\nroster | U1\npayroll | U2\nroster | -",
    )


def test_f01_is_not_evaluable_anywhere_while_an_expected_roster_is_missing_or_refused():
    for state in ("missing", "refused"):
        check(
            "F01",
            {"payroll": "person | payer | by\np | U1 | 370102\nq | V1 | 370103"},
            None,
            verdicts=f"division | book | state\n370103 | roster | {state}",
            not_evaluable="""
                division | unit | book
                370102   | *    | roster
                370103   | *    | roster""",
        )


def test_a_refused_roster_that_was_not_expected_silences_its_own_division_only():
    check(
        "F01",
        {"payroll": "person | payer | by\np | U1 | 370102\nq | V1 | 370103"},
        "person | unit\np | U1",
        verdicts="division | book | state\n370103 | roster | unasked\n370103 | units | accepted",
        not_evaluable="division | unit | book\n370103 | * | roster",
    )


@pytest.mark.parametrize("state", ["missing", "refused"])
def test_without_the_payroll_nothing_is_said(state):
    check(
        "F01",
        {"roster": "person\np"},
        None,
        verdicts=f"book | state\npayroll | {state}",
        not_evaluable="division | unit | book\n370102 | * | payroll",
    )


def test_a_count_only_payer_is_not_evaluable():
    check(
        "F01",
        {"units": "unit | delivers\nU1 | PERSONS\nU9 | COUNTS", "payroll": "person | payer\np | U9\nq | U1"},
        "person | unit\nq | U1",
        not_evaluable="division | unit | book\n370102 | U9 | roster",
    )


def test_the_roster_of_the_division_above_serves_only_the_units_it_names():
    check(
        "F01",
        {
            "roster": "person | unit | by\nx | T1 | 370102",
            "payroll": "person | payer | by\np | T1 | 370102001\nq | T2 | 370102001",
            "units": "unit | by\nT1 | 370102001\nT2 | 370102001",
        },
        "person | unit | division\np | T1 | 370102001",
        not_evaluable="division | unit | book\n370102001 | T2 | roster",
    )


def test_a_payer_unknown_to_units_belongs_to_the_folder_that_names_it():
    check(
        "F01",
        {"units": "unit\nU1", "payroll": "person | payer\np | U7"},
        "person | unit | division\np | U7 | 370102",
    )


def test_f04_and_f03_come_first():
    check(
        "F01",
        {
            "roster": "person | status | exit\nleft | LEFT | 2026-05-01",
            "payroll": "person\nleft\ndead\ndied-now",
            "leads": "person | date\ndead | 2026-09-30\ndied-now | 2026-10-01",
        },
        "person | severity\ndied-now | S1",
    )
