"""May this be borrowed: each rule, and which of two answers wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from core.parameters import DEFINITIONS
from core.types import PostType
from pool.policies import (
    BORDER_SENTENCES,
    GROUPS,
    PARAMETER_OF,
    RULES,
    SENTENCES,
    Answer,
    Border,
    Facts,
    Terms,
    add_months,
    decide_conversion,
    decide_request,
    waiting_order,
)  # fmt: skip

DEFAULTS = Terms(**{term: DEFINITIONS[parameter].default for term, parameter in PARAMETER_OF.items()})
TERMS = replace(DEFAULTS, unit_cap=5, purpose_caps={"TALENT": 2})
FINE = Facts(PostType.INSTITUTION, "HEALTH", posts=2, months=36, backing=2)
# In the order of precedence: each row breaks one rule.
BROKEN = [
    (Answer.NEVER_POOLED, {"post_type": PostType.CONTROL_NUMBER}),
    (Answer.UNKNOWN_PURPOSE, {"purpose": "GOLF"}),
    (Answer.UNIT_OVERDUE, {"overdue": 1}),
    (Answer.HAS_VACANCY, {"usable": 1}),
    (Answer.OTHER_FORM_VACANT, {"other_usable": 2}),
    (Answer.TERM_TOO_LONG, {"months": 61}),
    (Answer.UNIT_CAP, {"live": 4}),
    (Answer.PURPOSE_CAP, {"purpose": "TALENT", "live_of_purpose": 1}),
    (Answer.NEEDS_CENTRAL_NUMBER, {"post_type": PostType.ADMIN, "lender_level": -1}),
    (Answer.UPWARD_NEEDS_DOCUMENT, {"lender_level": 1}),
    (Answer.TOTAL_EXCEEDED, {"total": 11, "total_limit": 10}),
    (Answer.ALLOWED_BY_UPPER, {"backing": 1}),
]


@pytest.mark.parametrize(("answer", "change"), BROKEN, ids=[row[0] for row in BROKEN])
def test_each_rule_refuses_alone_with_its_sentence(answer, change):
    decision = decide_request(replace(FINE, **change), TERMS)
    assert decision.answer is answer
    assert "{" not in decision.sentence
    assert decision.rule


def test_the_earlier_answer_wins():
    for number, (answer, change) in enumerate(BROKEN):
        for later, more in BROKEN[number + 1 :]:
            if not set(change) & set(more):
                assert decide_request(replace(FINE, **change, **more), TERMS).answer is answer, later


def test_what_breaks_no_rule_is_allowed():
    assert decide_request(FINE, TERMS).answer is Answer.ALLOWED
    assert decide_request(replace(FINE, other_usable=2, other_waiver="文1"), TERMS).passes
    assert decide_request(replace(FINE, live=3), TERMS).passes


def test_schools_may_borrow_longer():
    school = replace(FINE, purpose="EDUCATION", months=60)
    assert decide_request(school, TERMS).passes
    assert decide_request(replace(school, months=61), TERMS).answer is Answer.TERM_TOO_LONG
    assert decide_request(replace(FINE, months=37), TERMS).answer is Answer.TERM_TOO_LONG
    assert decide_request(replace(FINE, months=0), TERMS).answer is Answer.TERM_TOO_LONG


def test_posts_of_the_centre_cross_levels_with_its_number_only():
    admin = replace(FINE, post_type=PostType.ADMIN, lender_level=-1)
    assert not decide_request(admin, TERMS).passes
    assert decide_request(replace(admin, central_no="中编1"), TERMS).passes
    assert decide_request(replace(admin, lender_level=0), TERMS).passes
    assert decide_request(replace(FINE, lender_level=-1), TERMS).passes


def test_conversions_stay_within_a_group_and_a_fund_form_unless_borders_are_broken():
    open_terms = replace(TERMS, break_borders=True)
    for source, target, shut, opened in (
        (("ADMIN", "FULL"), ("POLITICAL_LEGAL", "FULL"), Border.ALLOWED, Border.ALLOWED),
        (("ADMIN", "FULL"), ("INSTITUTION", "FULL"), Border.CLOSED, Border.ALLOWED),
        (("INSTITUTION", "PART"), ("INSTITUTION", "FULL"), Border.CLOSED, Border.ALLOWED),
        (("SUPPORT", "FULL"), ("SUPPORT", "FULL"), Border.SAME_CELL, Border.SAME_CELL),
        (("CONTROL_NUMBER", "FULL"), ("SUPPORT", "FULL"), Border.NEVER_POOLED, Border.NEVER_POOLED),
    ):
        assert decide_conversion(source, target, TERMS) is shut
        assert decide_conversion(source, target, open_terms) is opened


@pytest.mark.parametrize(
    ("start", "months", "due"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2027, 1, 31), 13, date(2028, 2, 29)),
        (date(2026, 12, 31), 36, date(2029, 12, 31)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
    ],
)
def test_a_term_ends_on_the_same_day_clipped_at_the_months_end(start, months, due):
    assert add_months(start, months) == due


def test_rigid_needs_come_first_then_waiting_time_then_unit_code():
    first, second = date(2026, 1, 1), date(2026, 2, 1)
    queue = [("HEALTH", first, "2"), ("HEALTH", first, "1"), ("PLACEMENT", second, "3")]
    assert sorted(queue, key=lambda row: waiting_order(*row)) == [queue[2], queue[1], queue[0]]


def test_every_answer_has_its_sentence_its_rule_and_every_type_its_group():
    assert set(SENTENCES) == set(RULES) == set(Answer)
    assert set(BORDER_SENTENCES) == set(Border)
    assert set(GROUPS) == set(PostType)
    assert len({group for group in GROUPS.values() if group}) == 4


def test_the_terms_are_all_the_pools_parameters_and_no_other():
    pooled = {name for name in DEFINITIONS if name.startswith(("pool_", "loan_"))}
    assert sorted(PARAMETER_OF.values()) == sorted(pooled)
    assert (DEFAULTS.months, DEFAULTS.longest("EDUCATION"), DEFAULTS.grace_days) == (36, 60, 60)
