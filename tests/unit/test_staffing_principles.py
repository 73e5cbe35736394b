"""Every refusal names its principle and the smallest change: applied it passes, with one less it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from string import Formatter

import pytest

from core.types import EntryForm, FundForm, Level
from staffing.flow import FLOW_SENTENCES, FORMS, LEVELS, Flow, Waiver, Way, decide_flow
from staffing.principles import (
    PRINCIPLES,
    SENTENCES,
    Answer,
    Facts,
    Remedy,
    Terms,
    apply_remedy,
    decide_use,
)  # fmt: skip

ON = date(2026, 10, 20)
TERMS = Terms(("INSTITUTION", "SUPPORT"), {"MANAGEMENT": 30})
WAY = Way("TRANSFER", "A1", "COUNTY", "FULL", ON, "COUNTY", "FULL")
GOOD = Facts(
    "INSTITUTION", "FULL", 2, "TRANSFER", 2026, quota=10, in_post=5, room=5, plan=4, kind_base=10, way=WAY
)  # fmt: skip
LEADER = replace(GOOD, leader_tier="DEPUTY", consulted=2, leader_posts=3, leaders=1)
# Facts that differ from good ones in one thing, the answer, the remedy, and how many it takes.
CASES = [
    (replace(GOOD, post_type="ADMIN"), Answer.TYPE_NOT_ALLOWED, Remedy.OTHER_TYPE, 1),
    (replace(GOOD, entry_form="OTHER"), Answer.FORM_NOT_OPEN, Remedy.OTHER_FORM, 1),
    (replace(GOOD, overdue=3), Answer.UNIT_OVERDUE, Remedy.RETURN_POSTS, 3),
    (replace(GOOD, in_post=12, room=-2), Answer.OVER_QUOTA, Remedy.VACANCY, 4),
    (replace(GOOD, in_post=12, room=-2, posts=1, bound=1), Answer.OVER_QUOTA, Remedy.VACANCY, 2),
    (replace(GOOD, in_post=10, room=0), Answer.FULL, Remedy.VACANCY, 2),
    (replace(GOOD, in_post=7, open_permits=3, room=0, posts=1), Answer.FULL, Remedy.VACANCY, 1),
    (replace(GOOD, room=1), Answer.NOT_ENOUGH, Remedy.VACANCY, 1),
    (replace(GOOD, room=0, posts=1, bound_fault=Answer.EXIT_OF_ANOTHER), Answer.EXIT_OF_ANOTHER, Remedy.OTHER_EXIT, 1),
    (replace(GOOD, room=0, posts=1, bound_fault=Answer.EXIT_TAKEN), Answer.EXIT_TAKEN, Remedy.OTHER_EXIT, 1),
    (replace(GOOD, work_kind="MANAGEMENT", kind_now=2), Answer.SHARE_EXCEEDED, Remedy.SHARE, 1),
    (replace(GOOD, plan=None), Answer.PLAN_EXCEEDED, Remedy.PLAN, 2),
    (replace(GOOD, plan_used=3), Answer.PLAN_EXCEEDED, Remedy.PLAN, 1),
    (replace(GOOD, entry_form="EXAM"), Answer.NOT_CONSULTED, Remedy.CONSULT, 2),
    (replace(GOOD, entry_form="PLACEMENT"), Answer.NOT_CONSULTED, Remedy.CONSULT, 2),
    (replace(GOOD, entry_form="RECRUIT", consulted=3, consulted_used=2), Answer.CONSULTED_FEWER, Remedy.CONSULT, 1),
    (replace(LEADER, leaders=3), Answer.LEADERS_EXCEEDED, Remedy.LEADER_POST, 2),
    (replace(LEADER, consulted=None), Answer.NOT_CONSULTED, Remedy.CONSULT, 2),
    (replace(GOOD, way=replace(WAY, from_level="TOWNSHIP")), Answer.REVERSE_FLOW, Remedy.WAIVER, 1),
    (replace(GOOD, way=replace(WAY, from_form="SELF")), Answer.REVERSE_FLOW, Remedy.WAIVER, 1),
    (replace(GOOD, way=replace(WAY, from_level=None)), Answer.REVERSE_FLOW, Remedy.WAIVER, 1),
]


def test_the_tables_are_total():
    assert set(PRINCIPLES) == set(SENTENCES) == set(Answer)
    assert set(FLOW_SENTENCES) == set(Flow)
    assert {answer for _, answer, _, _ in CASES} == set(Answer) - {Answer.ALLOWED}
    assert {remedy for _, _, remedy, _ in CASES} == set(Remedy)


@pytest.mark.parametrize("facts", [
    GOOD, LEADER, replace(GOOD, room=2), replace(GOOD, plan=2), replace(GOOD, posts=1, room=0, in_post=10, bound=1),
    replace(GOOD, work_kind="MANAGEMENT", kind_now=1), replace(GOOD, entry_form="PLACEMENT", consulted=2, plan=None, outside_plan=True),
    replace(GOOD, entry_form="RECRUIT", consulted=2), replace(GOOD, way=replace(WAY, from_level="CITY")),
])  # fmt: skip
def test_what_keeps_all_principles_is_allowed(facts):
    decision = decide_use(facts, TERMS)
    assert (decision.answer, decision.remedy, decision.sentence) == (Answer.ALLOWED, None, "符合用编条件。")


@pytest.mark.parametrize(("facts", "answer", "remedy", "need"), CASES)
def test_a_refusal_says_the_smallest_change(facts, answer, remedy, need):
    decision = decide_use(facts, TERMS)
    assert (decision.answer, decision.remedy, decision.need) == (answer, remedy, need)
    assert decide_use(apply_remedy(facts, TERMS, remedy, need), TERMS).allowed
    assert not decide_use(apply_remedy(facts, TERMS, remedy, need - 1), TERMS).allowed
    assert decision.principle
    assert "None" not in decision.sentence
    for _, name, _, _ in Formatter().parse(decision.msgid):
        assert name is None or name in decision.values


def test_shares_round_a_begun_post_up_and_other_kinds_are_free():
    small = replace(GOOD, work_kind="MANAGEMENT", kind_base=2, posts=1, kind_now=0)
    assert decide_use(small, TERMS).allowed
    assert decide_use(replace(small, kind_now=1), TERMS).answer is Answer.SHARE_EXCEEDED
    assert decide_use(replace(small, kind_now=9, work_kind="TECHNICAL"), TERMS).allowed


def test_one_out_one_in_makes_room_for_exactly_one():
    full = replace(GOOD, in_post=10, room=0, bound=1)
    assert decide_use(replace(full, posts=1), TERMS).allowed
    assert decide_use(replace(full, posts=2), TERMS).need == 1


@pytest.mark.parametrize("to_level", LEVELS)
@pytest.mark.parametrize("from_level", LEVELS)
@pytest.mark.parametrize("to_form", FORMS)
@pytest.mark.parametrize("from_form", FORMS)
def test_only_upwards_or_fuller_is_reverse(to_level, from_level, to_form, from_form):
    way = Way("TRANSFER", "A1", to_level, to_form, ON, from_level, from_form)
    up = LEVELS.index(from_level) < LEVELS.index(to_level)
    fuller = FORMS.index(from_form) < FORMS.index(to_form)
    expected = Flow.TO_HIGHER_LEVEL if up else Flow.TO_FULLER_FORM if fuller else Flow.ALLOWED
    assert decide_flow(way).answer is expected
    assert decide_flow(replace(way, entry_form=EntryForm.EXAM)).answer is Flow.ALLOWED
    assert decide_flow(replace(way, waiver=Waiver("1", "A1", ON, ON))).answer is Flow.ALLOWED


def test_a_waiver_is_of_one_unit_and_from_day_to_day():
    up = replace(WAY, from_level=Level.TOWNSHIP, from_form=FundForm.FULL)
    of = lambda unit, start, end: decide_flow(replace(up, waiver=Waiver("豁免1", unit, start, end))).answer
    assert of("A2", ON, ON) is Flow.WAIVER_OF_ANOTHER
    assert of("A1", ON.replace(day=21), ON.replace(day=22)) is Flow.WAIVER_NOT_IN_FORCE
    assert of("A1", ON.replace(day=1), ON.replace(day=19)) is Flow.WAIVER_NOT_IN_FORCE
    assert of("A1", ON.replace(day=1), ON) is Flow.ALLOWED
