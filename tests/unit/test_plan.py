"""What tonight's findings do to a flag, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from core.errors import InvariantViolated
from reconcile.lifecycle import Move
from reconcile.models import FlagStatus
from reconcile.plan import Change, Coverage, Seen, Standing, concerned_units, plan_settle

A = date(2026, 10, 15)
SEEN = Seen("k", "Q01", '{"unit_code":"U1"}', "S2", "990102", "U1", None, None, None, "5", "6", None)
WHOLE = Coverage(homes={"U1": frozenset({"990102"})})


def step(flag: Standing, *found: Seen, coverage: Coverage = WHOLE, as_of: date = A) -> Change | None:
    changes = plan_settle([flag], {finding.key: finding for finding in found}, coverage, as_of)
    return changes[0] if changes else None


@pytest.mark.parametrize("status", [status for status in FlagStatus if status is not FlagStatus.CLOSED])
def test_seen_again_keeps_status_and_is_noted_only_when_figures_changed(status):
    assert step(Standing(SEEN, status), SEEN) == Change(Move.SEE, "k", SEEN.rule, status, status, SEEN, False)
    assert step(Standing(SEEN, status), replace(SEEN, found="7")).noted


def test_a_closed_flag_not_seen_is_left_alone():
    assert step(Standing(SEEN, FlagStatus.CLOSED)) is None
    assert step(Standing(SEEN, FlagStatus.CLOSED), SEEN).move is Move.REOPEN


def test_an_explanation_is_good_through_its_last_day():
    flag = Standing(SEEN, FlagStatus.EXPLAINED, explanation_until=A)
    assert step(flag, SEEN).move is Move.SEE
    assert step(flag, SEEN, as_of=date(2026, 10, 16)).move is Move.EXPIRE


def test_closing_by_data_wins_over_expiry():
    flag = Standing(SEEN, FlagStatus.EXPLAINED, explanation_until=date(2020, 1, 1))
    assert step(flag).move is Move.CLOSE_BY_DATA


def test_a_waiting_explanation_does_not_expire_the_flag():
    flag = Standing(SEEN, FlagStatus.ACKNOWLEDGED, explanation_until=date(2020, 1, 1))
    assert step(flag, SEEN).move is Move.SEE


def test_a_rule_that_is_gone_closes_nothing():
    assert step(Standing(replace(SEEN, rule="X99"), FlagStatus.OPEN)) is None


def test_leads_lost_above_may_be_any_persons_below():
    dead = replace(SEEN, rule="F04")
    lost = replace(WHOLE, unplaced=frozenset({("990100", "leads")}))
    assert step(Standing(dead, FlagStatus.OPEN), coverage=lost) is None
    assert step(Standing(SEEN, FlagStatus.OPEN), coverage=lost).move is Move.CLOSE_BY_DATA


def test_a_unit_spoken_for_by_two_folders_needs_both():
    two = replace(WHOLE, homes={"U1": frozenset({"990102", "990103"})}, blind=frozenset({("Q01", "990103", "*")}))
    assert step(Standing(SEEN, FlagStatus.OPEN), coverage=two) is None


@pytest.mark.parametrize("evidence", [None, "", "text", "{broken", '{"roster":[{"status":"LEFT"}]}', "7"])
def test_evidence_without_units_concerns_nobody(evidence):
    assert concerned_units(evidence) == frozenset()


def test_evidence_names_units_at_any_depth():
    assert concerned_units('{"roster":[{"unit":"A","n":"x"}],"payers":"B;C","units":["D",null]}') == {
        "A",
        "B",
        "C",
        "D",
    }


def test_a_total_needs_its_base_and_something_counted():
    flag = Standing(
        replace(SEEN, rule="Q08", unit_code=None, grain='{"division_code":"990102","post_type":"ADMIN"}'),
        FlagStatus.OPEN,
    )
    accepted = frozenset({("990000", "base"), ("990102001", "establishment")})
    assert step(flag, coverage=Coverage(accepted=accepted)).move is Move.CLOSE_BY_DATA
    for missing in accepted:
        assert step(flag, coverage=Coverage(accepted=accepted - {missing})) is None
    for place in ("990100", "990102001", "990102"):
        blind = frozenset({("Q08", place, "*")})
        assert step(flag, coverage=Coverage(accepted=accepted, blind=blind)) is None
    elsewhere = frozenset({("Q08", "990103", "*")})
    assert step(flag, coverage=Coverage(accepted=accepted, blind=elsewhere)) is not None


@pytest.mark.parametrize(("rule", "book"), [("Q11", "limits"), ("F11", "payroll")])
def test_a_rule_about_one_division_needs_its_books_and_every_row_of_its_units(rule, book):
    flag = Standing(replace(SEEN, rule=rule, unit_code=None, grain='{"division_code":"990102"}'), FlagStatus.OPEN)
    accepted = frozenset({("990100", book), ("990102", "units")})
    whole = Coverage(accepted=accepted, homes={"FAR": frozenset({"990203"}), "U1": frozenset({"990102"})})
    assert step(flag, coverage=whole).move is Move.CLOSE_BY_DATA
    for missing in accepted:
        assert step(flag, coverage=replace(whole, accepted=accepted - {missing})) is None
    assert step(flag, coverage=replace(whole, blind=frozenset({(rule, "990102", "*")}))) is None
    assert step(flag, coverage=replace(whole, blind=frozenset({(rule, "990103", "*")}))) is not None
    for place in ("990100", "990102"):
        assert step(flag, coverage=replace(whole, unplaced=frozenset({(place, "units")}))) is None
    assert step(flag, coverage=replace(whole, unplaced=frozenset({("990203", "units")}))) is not None
    for unit, closes in (("U1", False), ("NOBODY", False), ("FAR", True)):
        assert (step(flag, coverage=replace(whole, quarantined=frozenset({unit}))) is not None) is closes


def test_a_base_that_did_not_come_may_be_the_limit_that_was_broken():
    flag = Standing(replace(SEEN, rule="F11", unit_code=None, grain='{"division_code":"990102"}'), FlagStatus.OPEN)
    whole = Coverage(accepted=frozenset({("990102", "payroll"), ("990102", "units")}))
    assert step(flag, coverage=whole).move is Move.CLOSE_BY_DATA
    assert step(flag, coverage=replace(whole, absent=frozenset({"base"}))) is None


def test_an_unknown_flag_without_unit_is_never_closed():
    flag = Standing(replace(SEEN, unit_code=None, division_code=None, grain="{}"), FlagStatus.OPEN)
    assert step(flag) is None


def test_changes_come_in_key_order_one_per_flag():
    new = [replace(SEEN, key=key) for key in "cab"]
    changes = plan_settle([Standing(SEEN, FlagStatus.OPEN)], {finding.key: finding for finding in new}, WHOLE, A)
    assert [(change.key, change.move) for change in changes] == [
        ("a", Move.OPEN), ("b", Move.OPEN), ("c", Move.OPEN), ("k", Move.CLOSE_BY_DATA),
    ]  # fmt: skip


def test_a_move_the_table_does_not_know_is_our_own_fault():
    from reconcile.plan import _move

    with pytest.raises(InvariantViolated):
        _move(Move.REOPEN, Standing(SEEN, FlagStatus.OPEN), SEEN)
