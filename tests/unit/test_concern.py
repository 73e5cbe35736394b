"""Whom a finding concerns besides its own unit."""

import json
from datetime import date

import pytest

from reconcile.concern import units_concerned

A = date(2026, 10, 31)


def row(unit: str, exit: str | None = None, seconded_to: str | None = None) -> dict:
    return {"unit": unit, "exit": exit, "seconded_to": seconded_to}


def concerned(rule: str, roster: list[dict], payers: list[str]) -> frozenset[str]:
    evidence = {"roster": roster, "payroll": [{"payer": payer} for payer in payers]}
    return units_concerned(rule, "OWN", json.dumps(evidence), A)


def test_payers_places_and_borrowers_are_concerned_and_the_owner_is_not_another():
    assert concerned("F08", [row("OWN", seconded_to="LENT"), row("U2")], ["P1", "OWN", "P2"]) == {
        "LENT",
        "U2",
        "P1",
        "P2",
    }


@pytest.mark.parametrize(("left", "known"), [("2026-10-02", True), ("2026-10-01", False), ("2012-03-05", False)])
def test_a_unit_left_before_the_month_is_told_nothing_more_of_its_former_colleague(left, known):
    assert concerned("D01", [row("OWN"), row("OLD", left)], []) == ({"OLD"} if known else frozenset())
    assert concerned("F03", [row("OLD", left)], ["OWN"]) == {"OLD"}


def test_a_rule_about_one_unit_concerns_no_other():
    assert concerned("Q03", [row("OWN"), row("U2")], ["P1"]) == frozenset()
    assert units_concerned("D01", "OWN", None, A) == frozenset()
