"""F09 三数不符, its two sides: where a person is counted, who is left out, what the quarantine and the quota half do."""

import json

from tests.spec.spec import Result, check


def explained_by(result: Result, unit: str = "U1") -> list[str]:
    """Rule and person of every finding that F09 of the unit names, else its own words."""
    by_key = {row["key"]: f"{row['rule']} {row['person_key']}" for row in result.findings}
    (finding,) = (row for row in result.findings if row["rule"] == "F09" and row["unit_code"] == unit)
    return sorted(by_key.get(key, key) for key in json.loads(finding["explained_by"]))


def test_people_who_cancel_out_are_left_to_the_person_rules():
    result = check("F09", {"roster": "person\nboth\npost", "payroll": "person\nboth\npay\nboth"}, None)
    assert {(row["rule"], row["person_key"]) for row in result.findings} == {("F01", "pay"), ("F02", "post")}


def test_everybody_is_counted_where_the_post_is():
    check(
        "F09",
        {
            "roster": """
                person   | unit | status       | seconded_to | entry      | exit
                seconded | U1   | SECONDED_OUT | U2          |            |
                moved    | U2   | LEFT         |             |            | 2026-10-02
                moved    | U1   |              |             | 2026-10-02 |
                leaver   | U1   | LEFT         |             |            | 2026-10-31
                soon     | U1   |              |             | 2026-10-21 |
                entrant  | U1   |              |             | 2026-10-01 |""",
            "payroll": "person | payer\nseconded | U2\nmoved | U2\nleaver | U1\nsoon | U1",
        },
        None,
        not_evaluable="",
    )


def test_a_move_on_the_first_is_no_move_within_m():
    result = check(
        "F09",
        {
            "roster": """
                person | unit | status     | entry      | exit
                moved  | U2   | LEFT       | 2001-03-01 | 2026-10-01
                moved  | U1   | IN_SERVICE | 2026-10-01 | null
                paid   | U1   | IN_SERVICE | 2026-10-01 | null""",
            "payroll": "person | payer\nmoved | U2\npaid | U1",
        },
        "unit | expected | found | severity\nU2 | 0 | 1 | S2\nU1 | 2 | 1 | S2",
    )
    assert explained_by(result) == explained_by(result, "U2") == ["F08 moved"]


def test_a_person_with_two_payers_counts_at_each():
    result = check(
        "F09",
        {"roster": "person | unit\np | U1", "payroll": "person | payer | on_behalf_of\np | U1 |\np | CENTRE | U2"},
        "unit | expected | found | severity | cause\nU2 | 0 | 1 | S2 |",
    )
    assert explained_by(result, "U2") == ["F05 p"]


def test_own_income_control_numbers_and_people_outside_the_quota_are_no_part_of_the_numbers():
    result = check(
        "F09",
        {
            "roster": """
                person  | type           | fund | status
                self    | ADMIN          | SELF |
                unpaid  | ADMIN          | SELF |
                control | CONTROL_NUMBER | FULL |
                number  | CONTROL_NUMBER | FULL | LEFT
                outside | ADMIN          | FULL | OFF_QUOTA""",
            "payroll": "person | mode\nself | SELF\ncontrol | FULL\nnumber | FULL\noutside | FULL",
        },
        "unit | expected | found | severity\nU1 | 0 | 1 | S2",
    )
    assert explained_by(result) == ["F03 outside"]


def test_a_row_outside_the_quota_moves_nobody_and_hides_no_control_number():
    result = check(
        "F09",
        {
            "roster": """
                person | unit | type           | status    | exit
                moved  | U1   | ADMIN          |           |
                moved  | U2   | ADMIN          | OFF_QUOTA | 2026-10-10
                gone   | U3   | ADMIN          | OFF_QUOTA | 2026-10-10
                number | U4   | CONTROL_NUMBER |           |
                number | U5   | ADMIN          | OFF_QUOTA |
                former | U4   | CONTROL_NUMBER | LEFT      | 2026-05-01
                former | U5   | ADMIN          | OFF_QUOTA |
                apart  | U6   | CONTROL_NUMBER | OFF_QUOTA |
                both   | U6   | CONTROL_NUMBER | OFF_QUOTA |
                both   | U7   | ADMIN          | OFF_QUOTA |""",
            "payroll": "person | payer\nmoved | U2\ngone | U3\nnumber | U4\nformer | U4\napart | U6\nboth | U7",
        },
        """
        unit | expected | found | severity
        U1   | 1        | 0     | S2
        U2   | 0        | 1     | S2
        U3   | 0        | 1     | S2
        U7   | 0        | 1     | S2""",
    )
    assert explained_by(result) == explained_by(result, "U2") == ["F08 moved"]
    assert explained_by(result, "U3") == ["F03 gone"]
    assert explained_by(result, "U7") == ["F03 both"]


def test_a_mode_that_is_not_the_form_is_named_by_f07():
    result = check(
        "F09",
        {
            "roster": "person | fund\np | FULL\nq | SELF\nr | SELF",
            "payroll": "person | mode\np | SELF\nq | FULL\nr | PART",
        },
        "unit | expected | found\nU1 | 1 | 2",
    )
    assert explained_by(result) == ["F07 p", "F07 q", "F07 r"]


def test_zero_pay_the_dead_and_the_quarantined_are_named():
    result = check(
        "F09",
        {
            "roster": "person | unit\nzero | U1\nless | U1\nhidden | U2",
            "payroll": "person | payer | amount\nzero | U1 | 0\nless | U1 | -1\ndead | U3 |",
            "leads": "person | date\ndead | 2026-01-01",
        },
        """
        unit | expected | found | severity | cause
        U1   | 2        | 0     | S2       |
        U2   | 1        | 0     | S2       |
        U3   | 0        | 1     | S2       |""",
        quarantine="book | unit\npayroll | U2",
    )
    assert explained_by(result) == ["F02 less", "F02 zero"]
    assert explained_by(result, "U2") == ["F02 hidden"]
    assert explained_by(result, "U3") == ["F04 dead"]


def test_blank_ids_count_one_each_on_either_side():
    books = {"roster": "person\nnull\nnull\np", "payroll": "person\nnull\np"}
    result = check("F09", books, "unit | expected | found | severity\nU1 | 3 | 2 | S2")
    assert explained_by(result) == ["D02 None", "D02 None"]


def test_one_nameless_person_among_named_ones_makes_it_unexplained():
    # q holds a post of a count-only unit: in a roster and active, so no person rule speaks of q.
    result = check(
        "F09",
        {
            "units": "unit | delivers\nU1 | PERSONS\nU9 | COUNTS",
            "roster": "person | unit\np | U1\nq | U9",
            "payroll": "person | payer\np | U1\nq | U1\nr | U1",
        },
        "unit | expected | found | severity | cause\nU1 | 1 | 3 | S1 | UNEXPLAINED",
    )
    assert explained_by(result) == ["F01 r"]


def test_the_quota_half_is_over_all_types_and_forms_and_counts_loans():
    books = {
        "roster": "person | type | fund\np | ADMIN | FULL\nq | SUPPORT | SELF",
        "payroll": "person | mode\np | FULL\nq | SELF",
        "establishment": "unit | type | fund | quota\nU1 | ADMIN | FULL | 1",
    }
    result = check("F09", books, "unit | expected | found | severity\nU1 | 1 | 2 | S2")
    assert explained_by(result) == ["entered before the gate"]
    check("F09", books, None, position="unit | borrowed\nU1 | 1")
    check("F09", books, "unit | expected | found\nU1 | 0 | 2", position="unit | borrowed | lent\nU1 | 1 | 2")


def test_both_halves_show_in_post_and_paid():
    books = {"roster": "person\np\nq", "payroll": "person\np", "establishment": "quota\n0"}
    result = check("F09", books, "unit | expected | found\nU1 | 2 | 1")
    assert "F02 q" in explained_by(result)


def test_an_unknown_quota_silences_the_quota_half_alone():
    check(
        "F09",
        {
            "roster": "person | unit\np | U1\nq | U1\nr | U2",
            "payroll": "person | payer\np | U1\nr | U2",
            "establishment": "unit | copy | quota\nU1 | DATABASE | 1\nU2 | LEDGER | 0",
        },
        "unit | expected | found\nU1 | 2 | 1\nU2 | 0 | 1",
        not_evaluable="division | unit | book\n370102 | U1 | establishment",
    )


def test_a_lost_quota_row_leaves_a_unit_without_a_cell_unknown_and_not_0():
    result = check(
        "F09",
        {"payroll": "person | payer\np | X1", "establishment": "unit | quota\nU1 | 1"},
        "unit | expected | found\nX1 | 0 | 1",
        quarantine="book | unit | fund\nestablishment | X1 | FULL",
        not_evaluable="division | unit | book\n370102 | X1 | establishment",
    )
    (row,) = (row for row in result.findings if row["rule"] == "F09")
    assert [json.loads(row["evidence"])[name] for name in ("quota", "allowed")] == [None, None]


def test_without_a_paid_side_it_is_not_evaluable():
    check(
        "F09",
        {"roster": "person\np", "establishment": "quota\n0"},
        None,
        verdicts="book | state\npayroll | refused",
        not_evaluable="division | unit | book\n370102 | * | payroll",
    )


def test_on_counts_alone_the_quota_half_shows_allowed_and_in_post():
    check(
        "F09",
        {
            "units": "unit | delivers\nC1 | COUNTS\nC2 | COUNTS",
            "headcount": """
                unit | measure | scope            | count
                C1   | QUOTA   | ON_ESTABLISHMENT | 4
                C1   | IN_POST | ON_ESTABLISHMENT | 5
                C1   | PAID    | ON_ESTABLISHMENT | 5
                C2   | QUOTA   | ON_ESTABLISHMENT | 5
                C2   | IN_POST | ON_ESTABLISHMENT | 5
                C2   | PAID    | ON_ESTABLISHMENT | 5
                C2   | PAID    | IN_SERVICE       | 9""",
        },
        "unit | expected | found | severity | cause\nC1 | 4 | 5 | S2 | PERSONS_NOT_DELIVERED",
        not_evaluable="",
    )
