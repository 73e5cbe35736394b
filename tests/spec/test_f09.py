"""F09 三数不符: the three numbers of a unit, and who explains the difference.

定义：单位全额、差额编制的实有与供养人数不等，或实有多于允许数；由指明的人逐一解释，解释不了的余数不为 0 为一级。
Flagged when in post and paid (FULL and PART) of a unit differ, or in post exceeds allowed; named findings explain the difference person by person, and a residual that nobody explains is S1.
无法判定：任何一份应报的实名制缺报、退回；发薪缺报、退回；编制数不明时不判编制一半；只报数字的单位没有供养数。
Not evaluable: any expected roster absent anywhere; payroll absent; the quota half where a cell is unknown; a counted unit without a paid figure.
"""

import json

from tests.spec.spec import check


def test_in_post_and_paid_are_held_against_each_other_without_timing():
    result = check(
        "F09",
        {
            "roster": """
            person | unit | fund | status       | seconded_to | entry      | exit
            p1     | U1   |      |              |             |            |
            p2     | U1   |      |              |             |            |
            p3     | U1   |      |              |             | 2026-10-05 |
            p4     | U1   |      | SECONDED_OUT | U2          |            |
            p5     | U1   |      | LEFT         |             |            | 2026-10-05
            p6     | U1   |      |              |             | 2026-10-25 |
            p7     | U3   |      |              |             | 2026-10-10 |
            p7     | U2   |      | LEFT         |             |            | 2026-10-10
            p8     | U1   | SELF |              |             |            |
            null   | U1   |      |              |             |            |
            """,
            "payroll": """
            person | payer | mode | amount
            p1     | U1    |      |
            p4     | U2    |      |
            p5     | U1    |      |
            p6     | U1    |      |
            p7     | U2    |      |
            p8     | U1    | SELF |
            p9     | U1    |      |
            p9     | U1    |      | 0
            """,
        },
        "unit | expected | found | severity | cause\n U1 | 4 | 3 | S2 |",
        not_evaluable="",
    )
    (finding,) = (row for row in result.findings if row["rule"] == "F09")
    named = {row["key"] for row in result.findings if row["rule"] in ("F01", "F02") and row["person_key"] != "p3"}
    named |= {row["key"] for row in result.findings if row["rule"] == "D02"}
    assert json.loads(finding["explained_by"]) == sorted(named)
    evidence = json.loads(finding["evidence"])
    by_person = {row["key"]: row["person_key"] for row in result.findings}
    effects = evidence.pop("effects")
    assert {(key[:3], by_person[key], effect) for key, effect in effects.items()} == {
        ("F02", "p2", 1), ("F01", "p9", -1), ("D02", None, 1),
    }  # fmt: skip
    assert evidence == {
        "quota": 198, "allowed": 198, "in_post": 4, "paid": 3, "on_one_side": 3, "named": 3, "residual": 0,
        "difference": 1, "named_effect": 1, "residual_effect": 0,
        "clears_when": "NAMED_CLOSED",
    }  # fmt: skip


def test_somebody_whom_no_finding_names_leaves_the_difference_unexplained():
    # Paid by U1 on the budget, active there on a control number, long gone from the post: no person rule names that.
    result = check(
        "F09",
        {
            "roster": """
            person | unit | type           | status | exit
            p1     | U1   | INSTITUTION    | LEFT   | 2020-01-01
            p1     | U1   | CONTROL_NUMBER |        |
            """,
            "payroll": "person | payer\n p1 | U1",
        },
        "unit | expected | found | severity | cause\n U1 | 0 | 1 | S1 | UNEXPLAINED",
    )
    (finding,) = (row for row in result.findings if row["rule"] == "F09")
    assert json.loads(finding["explained_by"]) == []
    evidence = json.loads(finding["evidence"])
    assert (evidence["residual"], evidence["difference"], evidence["residual_effect"]) == (1, -1, -1)
    assert (evidence["named_effect"], evidence["effects"]) == (0, {})


def test_the_quota_half_alone_says_that_they_entered_before_the_gate():
    result = check(
        "F09",
        {
            "roster": "person | unit\n p1 | U1\n p2 | U1\n p3 | U2",
            "payroll": "person | payer\n p1 | U1\n p2 | U1\n p3 | U2",
            "establishment": "unit | quota | copy\n U1 | 1 |\n U2 | 0 | DATABASE",
        },
        "unit | expected | found | severity | cause\n U1 | 1 | 2 | S2 |",
        not_evaluable="division | unit | book\n 370102 | U2 | establishment",
    )
    (finding,) = (row for row in result.findings if row["rule"] == "F09")
    assert json.loads(finding["explained_by"]) == ["entered before the gate"]


def test_a_second_cell_counts_twice_in_post_and_is_named_by_d01():
    result = check(
        "F09",
        {
            "roster": "person | unit | type\n p1 | U1 | ADMIN\n p1 | U1 | SUPPORT",
            "payroll": "person | payer\n p1 | U1\n p1 | U1",
        },
        "unit | expected | found | severity\n U1 | 2 | 1 | S2",
    )
    (finding,) = (row for row in result.findings if row["rule"] == "F09")
    assert [key[:3] for key in json.loads(finding["explained_by"])] == ["D01"]


def test_a_second_cell_and_nobody_paying_add_up_and_of_several_findings_one_carries_the_person():
    result = check(
        "F09",
        {
            "roster": """
            person | unit | type
            two    | U1   | ADMIN
            two    | U1   | SUPPORT
            three  | U1   | ADMIN
            three  | U2   | ADMIN
            three  | U2   | SUPPORT
            """,
            "payroll": """
            person | payer | mode
            three  | U2    |
            null   | U2    |
            null   | U2    | PART
            ghost  | U2    |
            ghost  | U3    |
            """,
        },
        """
        unit | expected | found | difference | named_effect | residual_effect
        U1   | 3        | 0     | 3          | 3            | 0
        U2   | 2        | 4     | -2         | -2           | 0
        U3   | 0        | 1     | -1         | -1           | 0
        """,
    )
    about = {row["key"]: (row["rule"], row["unit_code"], row["person_key"]) for row in result.findings}
    effects = {
        row["unit_code"]: {about[key]: effect for key, effect in json.loads(row["evidence"])["effects"].items()}
        for row in result.findings
        if row["rule"] == "F09"
    }
    assert effects == {
        "U1": {("F02", "U1", "two"): 1, ("D01", "U1", "two"): 1, ("D01", "U1", "three"): 1},
        "U2": {
            ("D01", "U1", "three"): 1, ("D02", "U2", None): -2, ("F01", "U2", "ghost"): -1, ("F05", "U2", "ghost"): 0,
        },
        "U3": {("F01", "U2", "ghost"): -1, ("F05", "U2", "ghost"): 0},
    }  # fmt: skip


def test_on_counts_alone_it_is_s2_and_without_a_paid_figure_not_evaluable():
    check(
        "F09",
        {
            "units": "unit | delivers\n C1 | COUNTS\n C2 | COUNTS\n C3 | COUNTS\n C4 | COUNTS",
            "headcount": """
            unit | measure | type  | fund | count
            C1   | IN_POST | ADMIN | FULL | 3
            C1   | IN_POST | ADMIN | SELF | 9
            C1   | PAID    | null  | null | 4
            C2   | IN_POST | ADMIN | null | 0
            C2   | PAID    | null  | PART | 0
            C3   | IN_POST | ADMIN | FULL | 3
            C4   | PAID    | null  | FULL | 3
            """,
        },
        """
        unit | expected | found | severity | cause
        C1   | 3        | 4     | S2       | PERSONS_NOT_DELIVERED
        """,
        not_evaluable="""
        division | unit | book
        370102   | C3   | payroll
        370102   | C4   | headcount
        """,
    )


def test_while_an_expected_roster_is_missing_it_is_not_evaluable_anywhere():
    check(
        "F09",
        {"roster": "person | unit\n p1 | U1"},
        None,
        verdicts="division | book | state\n 370103 | roster | missing\n 370103 | payroll,establishment | accepted",
        not_evaluable="division | unit | book\n 370102 | * | roster\n 370103 | * | roster",
    )
