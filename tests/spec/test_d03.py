"""D03 同号异名: one id under different names (S3), one name and birth date under two ids (S4, a suggestion)."""

from __future__ import annotations

import json

from tests.spec.spec import check


def test_names_of_one_id_are_compared_over_both_books():
    check(
        "D03",
        {
            "roster": """
            person | unit | type    | name_key | name_mask | status    | exit
            a      | U2   | SUPPORT | n1       | 王*       |           |
            a      | U1   | SUPPORT | n1       | 王*       |           |
            a      | U1   | ADMIN   | n1       | 王*       |           |
            same   | U1   |         | n1       | 王*       |           |
            gone   | U1   |         | n1       | 王*       | LEFT      | 2020-01-01
            off    | U1   |         | n1       | 王*       | OFF_QUOTA |
            alone  | U1   |         | n1       | 王*       |           |
            null   | U1   |         | n1       | 王*       |           |
            blank  | U1   |         | -        | 王*       |           |
            """,
            "payroll": """
            person | payer | name_key | name_mask | month   | state
            a      | U1    | n2       | 李*       |         |
            a      | U1    | n3       | 张*       |         | RETIRED
            same   | U1    | n1       | 王*       |         |
            same   | U1    | n2       | 李*       | 2026-09 |
            gone   | U1    | n2       | 李*       |         | RETIRED
            off    | U1    | n2       | 李*       |         |
            null   | U1    | n2       | 李*       |         |
            blank  | U1    | n2       | 李*       |         |
            ghost  | U1    | n2       | 李*       |         |
            """,
        },
        """
        person | unit | type  | fund | expected | found   | severity | cause | division
        a      | U1   | ADMIN | FULL | 王*      | 张*;李* | S3       |       | 370102
        gone   | U1   | ADMIN | FULL | 王*      | 李*     | S3       |       | 370102
        """,
        not_evaluable="",
    )


def test_a_book_that_disagrees_with_itself_shows_its_first_name_and_the_rest():
    check(
        "D03",
        {
            "roster": """
            person | unit | type    | name_key | name_mask
            a      | U1   | ADMIN   | n1       | 王*
            a      | U2   | ADMIN   | n2       | 李*
            a      | U2   | SUPPORT | n3       | 赵*
            b      | U1   | ADMIN   | n1       | 王*
            b      | U2   | ADMIN   | n2       | 李*
            c      | U1   | ADMIN   | n1       | 王*
            """,
            "payroll": """
            person | payer | name_key | name_mask | on_behalf_of
            a      | U2    | n2       | 李*       |
            b      | U1    | n3       | 王*       |
            c      | U1    | n2       | 王*       |
            c      | U1    | n3       | 王*       |
            ghost  | U2    | n1       | 王*       |
            ghost  | U9    | n2       | 李*       | U3
            """,
        },
        """
        person | unit | type  | expected | found
        a      | U1   | ADMIN | 李*      | 王*;赵*
        b      | U1   | ADMIN | 李*;王*  | 王*
        c      | U1   | ADMIN | 王*      | 王*;王*
        ghost  | U2   | -     | 李*      | 王*
        """,
    )


def test_quarantined_rows_do_not_soften_what_rests_on_presence():
    check(
        "D03",
        {"roster": "person | name_key \n a | n1", "payroll": "person | name_key | name_mask \n a | n2 | 李*"},
        "person | severity | cause | found \n a | S3 | - | 李*",
        quarantine="book | unit \n roster | U1 \n payroll | U1",
    )


def test_it_needs_both_books_of_a_unit_whose_persons_are_delivered():
    check(
        "D03",
        {
            "units": "unit | by | delivers \n U1 | 370102 | \n C1 | 370102 | COUNTS \n N1 | 370103 |",
            "roster": "person | unit | name_key | by \n a | U1 | n1 | 370102 \n b | C1 | n1 | 370102 \n c | N1 | n1 | 370103",
            "payroll": "person | payer | name_key \n a | U1 | n2 \n b | C1 | n2 \n c | U1 | n2",
            "headcount": "unit | count \n C1 | 1",
        },
        "person | unit \n a | U1",
        verdicts="division | book | state \n 370103 | payroll | refused",
        not_evaluable="division | unit | book \n 370102 | C1 | roster \n 370103 | * | payroll",
    )


LOOKALIKE = {
    "roster": "person | unit | type | name_key | name_birth_key | name_mask \n held | U2 | | n | nb | 王* \n held | U3 | | n | nb | 王*",
    "payroll": "person | payer | name_key | name_birth_key | name_mask \n ghost | U1 | n | nb | 王*",
}


def test_one_name_and_birth_date_under_two_ids_is_a_suggestion_to_what_it_would_explain():
    result = check(
        "D03",
        LOOKALIKE,
        """
        person | unit | type  | fund | expected | found | severity | cause | person_mask | division
        held   | U2   | ADMIN | FULL | 王*      | 王*   | S4       |       | held***     | 370102
        """,
        not_evaluable="",
    )
    by_rule = {(f["rule"], f["person_key"], f["unit_code"]): f for f in result.findings}
    suggestion = by_rule["D03", "held", "U2"]
    assert json.loads(suggestion["grain"]) == {"person_key": "ghost;held"}
    for explained in (("F01", "ghost", "U1"), ("F02", "held", "U2"), ("F02", "held", "U3")):
        assert json.loads(by_rule[explained]["explained_by"]) == [suggestion["key"]]
    assert by_rule["D01", "held", "U2"]["explained_by"] is None


def test_a_person_may_look_like_two_others_under_two_spellings():
    result = check(
        "D03",
        {
            "roster": """
            person | unit | type    | name_key | name_birth_key | name_mask
            p2     | U1   | ADMIN   | n1       | nb1            | 王*
            p2     | U1   | SUPPORT | n2       | nb2            | 汪*
            """,
            "payroll": """
            person | name_key | name_birth_key | name_mask
            p1     | n1       | nb1            | 王*
            p3     | n2       | nb2            | 汪*
            """,
        },
        """
        person | expected | found | severity
        p2     | 汪*      | 王*   | S3
        p2     | 王*      | 王*   | S4
        p2     | 汪*      | 汪*   | S4
        """,
    )
    f02 = next(f for f in result.findings if f["rule"] == "F02")
    assert json.loads(f02["explained_by"]) == sorted(
        f["key"] for f in result.findings if (f["rule"], f["severity"]) == ("D03", "S4")
    )


def test_only_one_of_each_kind_and_only_on_one_side_is_a_suggestion():
    check(
        "D03",
        {
            "roster": """
            person | name_birth_key | status    | exit
            a1     | two            |           |
            a2     | two            |           |
            b1     | pay            |           |
            c1     | met            |           |
            d1     | also           |           |
            e1     | left           | LEFT      | 2020-01-01
            f1     | listed         |           |
            f2     | other          | OFF_QUOTA |
            g1     | -              |           |
            h1     | other_state    |           |
            i1     | unpaid         |           |
            null   | blank          |           |
            """,
            "payroll": """
            person | name_birth_key | state   | amount
            a3     | two            |         |
            b2     | pay            |         |
            b3     | pay            |         |
            c1     | met            |         |
            c2     | met            |         |
            d1     | also           | RETIRED |
            d2     | also           |         |
            e2     | left           |         |
            f2     | listed         |         |
            g2     | -              |         |
            h2     | other_state    | RETIRED |
            i2     | unpaid         |         | 0
            j2     | blank          |         |
            null   | blank          |         |
            """,
        },
        None,
    )


def test_the_same_pair_seen_in_several_rows_is_one_suggestion_and_quarantine_says_so():
    check(
        "D03",
        {
            "roster": "person | type | name_birth_key \n a | ADMIN | nb \n a | SUPPORT | nb",
            "payroll": "person | payer | name_birth_key \n b | U1 | nb \n b | U2 | nb \n b | U2 | nb",
        },
        "person | unit | severity | cause \n a | U1 | S4 | QUARANTINE",
        quarantine="book | unit \n payroll | U1",
    )


def test_the_unit_of_the_holder_decides_whether_a_suggestion_can_be_made():
    check(
        "D03",
        LOOKALIKE | {"units": "unit | by \n U1 | 370102 \n U2 | 370103 \n U3 | 370103"},
        None,
        verdicts="division | book | state \n 370103 | payroll | missing",
        not_evaluable="division | unit | book \n 370103 | * | payroll \n 370103 | * | roster",
    )


def test_a_name_both_books_have_is_shown_as_the_roster_spells_it():
    check(
        "D03",
        {
            "roster": "person | name_key | name_mask \n a | n1 | 刘* \n null | n1 | 刘*",
            "payroll": "person | name_key | name_mask \n a | n1 | 劉* \n a | n2 | 李* \n b | n1 | 劉*",
        },
        "person | expected | found \n a | 刘* | 李*",
    )
