"""What each rule says it judged: the limit that bound, the permit and who cites it, the movement, the months, the dates."""

from __future__ import annotations

import json
from datetime import date, timedelta

from tests.spec.spec import check
from tests.spec.test_q10 import MONTHS

GATE = {"gate_start": "division | starts \n 370102 | 2026-01-01"}


def evidence(result, rule: str, person: str | None = None) -> dict:
    (row,) = (row for row in result.findings if row["rule"] == rule and row["person_key"] == person)
    told = json.loads(row["evidence"])
    return {name: value for name, value in told.items() if name not in ("roster", "payroll", "known", "clears_when")}


def test_f11_says_which_limit_bound_its_figure_its_month_and_where_it_is_from():
    paid = {
        "payroll": "person | payer | month \n a | U1 | \n b | U1 | \n c | U1 | \n a | U1 | 2025-10 \n b | U1 | 2025-10"
    }
    base = {"base": "type | base_paid \n ADMIN | 1 \n SUPPORT | 0 \n CONTROL_NUMBER | -"}
    blank = {"base": "type | base_paid \n ADMIN | 1 \n SUPPORT | -"}
    own = {"limit": "BASE", "figure": 1, "rows": 2}
    book = {"limit": "BOOK_A_YEAR_AGO", "figure": 2, "month": "2025-10"}
    cases = [
        (paid, {}, "BOOK_A_YEAR_AGO", [book]),
        (paid | base, {}, "BASE", [book, own]),
        (paid | blank, {}, "BOOK_A_YEAR_AGO", [book]),
        (paid | base, {"year_ago": "division | paid \n 370102 | 0"}, "NIGHT_A_YEAR_AGO",
         [{"limit": "NIGHT_A_YEAR_AGO", "figure": 0, "month": "2025-10"}, own]),
        (paid | base, {"year_ago": "division | paid \n 370102 | 1"}, "NIGHT_A_YEAR_AGO",
         [{"limit": "NIGHT_A_YEAR_AGO", "figure": 1, "month": "2025-10"}, own]),
        ({"payroll": "person | payer \n a | U1 \n b | U1"} | base, {}, "BASE", [own]),
    ]  # fmt: skip
    for books, given, bound, limits in cases:
        figure = min(limit["figure"] for limit in limits)
        found = check("F11", books, f"division | expected | bound \n 370102 | {figure} | {bound}", **given)
        assert evidence(found, "F11") == {"bound": bound, "ceilings": limits}


def test_p03_lists_the_permit_and_every_entry_that_cites_it_of_whatever_unit():
    found = check(
        "P03",
        {
            "roster": """
            person | unit | entry      | permit_no
            a      | U1   | 2026-03-01 | N1
            b      | U2   | 2026-02-01 | N1
            null   | U1   | 2026-03-01 | N1
            null   | U1   | 2026-03-01 | N1
            c      | U1   | 2026-03-01 | N2
            d      | U1   | 2025-03-01 | N1
            """,
            "permits": "permit_no | unit | posts | valid_until \n N1 | U1 | 3 | 2026-06-30 \n N2 | U1 | 9 |",
        },
        "permit_no | expected | found \n N1 | 3 | 4",
        **GATE,
    )
    entry = {"post_type": "ADMIN", "fund_form": "FULL"}
    assert evidence(found, "P03") == {
        "permits": [
            {"unit": "U1", "post_type": "ADMIN", "fund_form": "FULL", "posts": 3, "approved_on": "2000-01-01",
             "valid_until": "2026-06-30", "source_of_people": "EXAM"},
        ],
        "entries": [
            {"entry": "2026-02-01", "unit": "U2", **entry, "person_mask": "b***", "rows": 1},
            {"entry": "2026-03-01", "unit": "U1", **entry, "person_mask": "", "rows": 2},
            {"entry": "2026-03-01", "unit": "U1", **entry, "person_mask": "a***", "rows": 1},
        ],
    }  # fmt: skip


def test_p03_lists_the_first_fifty_entries_by_day_and_says_how_many_more():
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(57)]
    rows = "\n".join(f"p{n:02d} | {day} | N1" for n, day in enumerate(days))
    found = check(
        "P03",
        {"roster": f"person | entry | permit_no \n {rows}", "permits": "permit_no | unit | posts \n N1 | U1 | 1"},
        "permit_no | expected | found | entries_left_out \n N1 | 1 | 57 | 7",
        **GATE,
    )
    assert [each["entry"] for each in evidence(found, "P03")["entries"]] == [str(day) for day in days[:50]]


def test_q09_shows_the_movement_and_q10_the_months():
    movement = """
    movement_no | from_unit | from_level | to_unit | to_level | posts | doc_no | effective_date
    M1          | U1        | CITY       | U2      | COUNTY   | 4     | 文1    | 2026-10-02
    M1          | U1        | CITY       | U2      | COUNTY   | 2     | 文2    | 2026-10-03
    M1          | U1        | COUNTY     | U2      | COUNTY   | 9     | 文3    | 2026-10-03
    """
    books = {"units": "unit \n U1 \n U2", "roster": "person \n a"}
    idle = "\n".join(f"{month} | U1 | {number}" for number, month in enumerate(MONTHS, 3))
    found = check("Q09", books, "movement_no | unit \n M1 | U2", movement=movement)
    shared = {
        "from_unit": "U1", "from_level": "CITY", "to_unit": "U2", "to_level": "COUNTY", "post_type": "ADMIN",
        "fund_form": "FULL",
    }  # fmt: skip
    assert evidence(found, "Q09") == {
        "movements": [
            {"movement_no": "M1", "effective_date": "2026-10-02", **shared, "posts": 4, "doc_no": "文1"},
            {"movement_no": "M1", "effective_date": "2026-10-03", **shared, "posts": 2, "doc_no": "文2"},
        ]
    }
    found = check("Q10", books, "unit | found \n U1 | 3", usable_month=f"month | unit | usable \n {idle}")
    months = [{"month": month, "usable": number} for number, month in enumerate(MONTHS, 3)]
    assert evidence(found, "Q10") == {"months": months[::-1]}


def test_the_rules_about_entries_tell_the_columns_they_judged_and_the_permit_cited():
    roster = """
    person | entry      | entry_registered | entry_form | permit_no | from_unit | from_level | from_fund_form
    a      | 2026-03-02 | 2026-06-30       | OTHER      | N1        |           |            |
    b      | 2026-03-02 | -                | TRANSFER   | -         | U7        | TOWNSHIP   | PART
    """
    books = {
        "roster": roster, "establishment": "unit | quota \n U1 | 0",
        "permits": "permit_no | unit | approved_on | valid_until \n N1 | U1 | 2026-03-03 | 2026-12-31",
    }  # fmt: skip
    found = check("P01", books, "person | cause \n a | APPROVED_LATER \n b | NO_PERMIT", **GATE)
    permit = {
        "unit": "U1", "post_type": "ADMIN", "fund_form": "FULL", "posts": 1, "approved_on": "2026-03-03",
        "valid_until": "2026-12-31", "source_of_people": "EXAM",
    }  # fmt: skip
    cited = {"entry_form": "OTHER", "entry_registered": "2026-06-30", "permit_no": "N1", "permits": [permit]}
    assert evidence(found, "P01", "a") == evidence(found, "P06", "a") == cited
    without = {"entry_form": "TRANSFER", "entry_registered": None, "permit_no": None, "permits": []}
    assert evidence(found, "P01", "b") == without
    turns = {"against": "CELL", "held": 0, "turn": 1, "entry_registered": "2026-06-30", "permit_no": "N1"}
    assert evidence(found, "P02", "a") == turns
    assert evidence(found, "P02", "b") == turns | {"turn": 2, "entry_registered": None, "permit_no": None}
    late = {"entry_registered": "2026-06-30", "counted_to": "2026-06-30", "calendar": None}
    assert evidence(found, "P04", "a") == late
    assert evidence(found, "P04", "b") == late | {"entry_registered": None, "counted_to": "2026-10-20"}
    assert evidence(found, "P07", "b") == {
        "entry_form": "TRANSFER", "from_level": "TOWNSHIP", "from_fund_form": "PART", "from_unit": "U7",
        "was_level": "TOWNSHIP", "was_form": "PART", "level": "COUNTY",
    }  # fmt: skip


def test_p05_tells_when_the_exit_was_registered_and_how_far_it_counted():
    roster = (
        "person | status | exit | exit_registered \n a | LEFT | 2026-08-03 | 2026-09-30 \n b | LEFT | 2026-08-03 | -"
    )
    found = check("P05", {"roster": roster}, "person \n a \n b", **GATE)
    late = {"exit_registered": "2026-09-30", "counted_to": "2026-09-30", "calendar": None}
    assert evidence(found, "P05", "a") == late
    assert evidence(found, "P05", "b") == late | {"exit_registered": None, "counted_to": "2026-10-20"}
