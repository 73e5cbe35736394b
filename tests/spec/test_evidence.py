"""What a pay finding says beside its figures: what the registers know of the person, since when, and what would clear it."""

import json

import pytest

from reconcile.catalog import RULES
from reconcile.clearing import CLEARS, FACTS, SENTENCES, known_sentence
from reconcile.concern import units_concerned
from reconcile.plan import concerned_units
from tests.property.drawn_nights import drawn_nights
from tests.property.test_random_nights_reach import CAUSES
from tests.spec.spec import AS_OF, check, night, on_duckdb

ROSTER = """
    person  | unit | fund | status       | entry      | exit       | seconded_to
    gone    | U1   |      | RETIRED      |            | 2026-03-01 |
    left    | U1   |      | LEFT         |            | -          |
    ended   | U1   |      | IN_SERVICE   |            | 2026-06-01 |
    coming  | U1   |      |              | 2026-11-01 |            |
    off     | U1   |      | OFF_QUOTA    | 2020-01-01 |            |
    moved   | U1   |      | LEFT         |            | 2026-05-01 |
    moved   | U2   | SELF |              | 2026-05-01 |            |
    lent    | U1   |      | SECONDED_OUT |            |            | U3
    ill     | U1   |      | ON_LEAVE     |            |            |
    dead    | U1   |      |              |            |            |
    two     | U1   |      |              |            |            |
    form    | U1   | SELF |              |            |            |
    idle    | U1   |      |              |            |            |
    other   | U1   |      |              |            |            |
    new     | U1   |      |              | 2026-10-09 |            |
    unpaid  | U1   |      |              |            |            |
    """
PAYROLL = """
    person | payer | mode | state
    gone   | U1    |      |
    left   | U1    |      |
    ended  | U1    |      |
    coming | U1    |      |
    off    | U1    |      |
    moved  | U1    | FULL |
    lent   | U9    |      |
    dead   | U1    |      |
    two    | U1    |      |
    two    | U2    |      |
    form   | U1    | FULL |
    other  | U1    |      | TEMPORARY
    ghost  | U1    |      |
    idle   | U1    |      |
    """
LEADS = """
    person | kind     | date
    dead   | DEATH    | 2026-02-03
    unpaid | DEATH    | 2026-04-05
    idle   | BUSINESS | 2025-07-01
    idle   | ABROAD   | 2026-11-01
    ghost  | DEATH    | 2026-12-01
    """


@pytest.fixture(scope="module")
def said() -> dict[tuple[str, str], dict]:
    """(rule, person) → evidence."""
    rows = on_duckdb(night({"roster": ROSTER, "payroll": PAYROLL, "leads": LEADS})).findings
    return {(row["rule"], row["person_key"]): json.loads(row["evidence"]) for row in rows if row["rule"][0] == "F"}


@pytest.mark.parametrize(
    ("rule", "person", "clears", "known"),
    [
        ("F03", "gone", "PAY_STOPPED", ["RETIRED U1 FULL 2026-03-01", "PAID U1 FULL 2026-10"]),
        ("F03", "left", "PAY_STOPPED", ["LEFT U1 FULL -", "PAID U1 FULL 2026-10"]),
        ("F03", "ended", "PAY_STOPPED", ["LEFT U1 FULL 2026-06-01", "PAID U1 FULL 2026-10"]),
        ("F03", "coming", "ENTERED", ["ENTERS_LATER U1 FULL 2026-11-01", "PAID U1 FULL 2026-10"]),
        ("F03", "off", "PAY_STOPPED", ["OFF_QUOTA U1 FULL 2020-01-01", "PAID U1 FULL 2026-10"]),
        ("F08", "moved", "PAID_BY_OWN_UNIT",
         ["LEFT U1 FULL 2026-05-01", "IN_SERVICE U2 SELF 2026-05-01", "PAID U1 FULL 2026-10"]),
        ("F07", "moved", "FORM_AGREES",
         ["LEFT U1 FULL 2026-05-01", "IN_SERVICE U2 SELF 2026-05-01", "PAID U1 FULL 2026-10"]),
        ("F08", "lent", "PAID_BY_OWN_UNIT", ["SECONDED_OUT U1 FULL -", "PAID U9 FULL 2026-10"]),
        ("F02", "ill", "LEAVE_ENDED", ["ON_LEAVE U1 FULL -"]),
        ("F04", "dead", "PAY_STOPPED", ["IN_SERVICE U1 FULL 2001-03-01", "DEATH - - 2026-02-03", "PAID U1 FULL 2026-10"]),
        ("F05", "two", "ONE_PAYER", ["IN_SERVICE U1 FULL 2001-03-01", "PAID U1 FULL 2026-10", "PAID U2 FULL 2026-10"]),
        ("F07", "form", "FORM_AGREES", ["IN_SERVICE U1 SELF 2001-03-01", "PAID U1 FULL 2026-10"]),
        ("F02", "other", "PAID_IN_POST", ["IN_SERVICE U1 FULL 2001-03-01", "PAID_AS_OTHER U1 FULL 2026-10"]),
        ("F02", "new", "PAID_NEXT_MONTH", ["IN_SERVICE U1 FULL 2026-10-09"]),
        ("F02", "unpaid", "EXIT_REGISTERED", ["IN_SERVICE U1 FULL 2001-03-01", "DEATH - - 2026-04-05"]),
        ("F01", "ghost", "IN_A_ROSTER", ["PAID U1 FULL 2026-10"]),
        ("F06", "idle", "LEAD_REFUTED", ["IN_SERVICE U1 FULL 2001-03-01", "PAID U1 FULL 2026-10"]),
    ],
)  # fmt: skip
def test_the_evidence_names_what_is_known_since_when_and_the_fact_that_clears_it(said, rule, person, clears, known):
    evidence = said[rule, person]
    assert evidence["clears_when"] == clears
    shown = [
        " ".join(each[name] or "-" for name in ("fact", "unit", "fund_form", "since")) for each in evidence["known"]
    ]
    assert sorted(shown) == sorted(known)


def _known(found, rule, person):
    (row,) = (row for row in found.findings if (row["rule"], row["person_key"]) == (rule, person))
    return [tuple(each.values()) for each in json.loads(row["evidence"])["known"]]


def test_who_is_paid_and_in_no_roster_is_told_since_the_first_month_the_book_shows_paid_so():
    payroll = """
    person | payer | mode | month   | state
    ghost  | U1    | FULL | 2025-10 |
    ghost  | U1    | FULL | 2026-08 | TEMPORARY
    ghost  | U1    | FULL |         |
    ghost  | U1    | FULL | 2026-11 |
    ghost  | U2    | PART | 2026-03 |
    ghost  | U2    | FULL |         |
    other  | U1    | FULL |         |
    """
    found = check("F01", {"payroll": payroll}, "person | unit \n ghost | U1 \n other | U1")
    assert _known(found, "F01", "ghost") == [
        ("PAID", "U1", "FULL", "2025-10", "FIRST_MONTH"), ("PAID", "U2", "FULL", "2026-10", "FIRST_MONTH"),
    ]  # fmt: skip
    assert _known(found, "F01", "other") == [("PAID", "U1", "FULL", "2026-10", "FIRST_MONTH")]


def test_what_no_book_tells_is_said_to_be_told_by_none():
    found = check(
        "F02",
        {"roster": "person | status | entry \n ill | ON_LEAVE | \n lent | SECONDED_OUT | \n old | | -"},
        "person \n ill \n lent \n old",
    )
    for person, fact in (("ill", "ON_LEAVE"), ("lent", "SECONDED_OUT"), ("old", "IN_SERVICE")):
        assert _known(found, "F02", person) == [(fact, "U1", "FULL", None, "NOT_TOLD")]


def _places(number):
    return [f"U{n:03d}" for n in range(number)]


@pytest.mark.parametrize("number", [50, 53])
def test_one_person_in_many_units_and_on_many_payrolls_is_told_in_fifty_lines_and_how_many_more(number):
    units = _places(number)
    books = {
        "roster": "person | unit | exit | seconded_to | status\n gone | U000 | 2026-10-10 | | LEFT\n"
        + "\n".join(f"many | {unit} | | |" for unit in units)
        + "\n many | V1 | 2026-08-01 | | LEFT\n many | V2 | | V3 | SECONDED_OUT",
        "payroll": "person | payer\n gone | U000\n many | V4\n" + "\n".join(f"many | {unit}" for unit in units),
    }
    found = check("D01", books, f"person | unit | found \n many | U000 | {number + 1}")
    (row,) = (row for row in found.findings if row["rule"] == "F05")
    told = json.loads(row["evidence"])
    assert row["found"] == str(number + 1)
    assert [len(told[name]) for name in ("roster", "payroll", "known")] == [50, 50, 50]
    assert [told[f"{name}_left_out"] for name in ("roster", "payroll", "known")] == [
        number + 2 - 50, number + 1 - 50, 2 * number + 3 - 50,
    ]  # fmt: skip
    assert [each["unit"] for each in told["roster"]] == units[:50]
    assert told["units"] == [*units, "V2", "V3", "V4"]
    assert told["units_before"] == ["V1"]
    # Whom the flag concerns is not cut: who sees it, and who must be judged before it may close.
    every = {*units, "V2", "V3", "V4"}
    assert units_concerned("F05", "U000", row["evidence"], AS_OF) == every - {"U000"}
    assert units_concerned("F03", "U000", row["evidence"], AS_OF) == every - {"U000"} | {"V1"}
    assert concerned_units(row["evidence"]) == every | {"V1"}
    assert known_sentence(row["evidence"]).endswith(f"；另有 {2 * number + 3 - 50} 条")
    (short,) = (row for row in found.findings if row["rule"] == "F03")
    assert not {name for name in json.loads(short["evidence"]) if name.endswith("_left_out") or name == "units"}


def test_leads_other_than_deaths_are_told_in_f06_alone(said):
    assert [lead["kind"] for lead in said["F06", "idle"]["leads"]] == ["BUSINESS"]
    assert said["F06", "idle"]["leads"][0]["date"] == "2025-07-01"
    for (rule, _person), evidence in said.items():
        assert rule == "F06" or "leads" not in evidence
        assert not {"BUSINESS", "ABROAD"} & {each["fact"] for each in evidence.get("known", ())}


def test_every_pay_finding_of_any_cause_says_what_clears_it_in_words():
    wanted = {code for code in RULES if code[0] == "F"}
    assert {code for code, _ in CLEARS} == wanted
    assert all((code, None) in CLEARS for code in wanted)
    assert {why for _, why in CLEARS if why} <= set().union(*CAUSES.values())
    assert set(CLEARS.values()) < set(SENTENCES)
    for each in drawn_nights(40, 12):
        for row in on_duckdb(each).findings:
            evidence = json.loads(row["evidence"] or "{}")
            assert (row["rule"][0] == "F") == ("clears_when" in evidence)
            if "clears_when" in evidence:
                assert evidence["clears_when"] in SENTENCES
                held = row["cause"] == "QUARANTINE"
                assert (evidence["clears_when"] == "ROW_MENDED") == held
            assert {each["fact"] for each in evidence.get("known", ())} <= set(FACTS)
