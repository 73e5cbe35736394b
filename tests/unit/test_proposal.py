"""The allocation proposal on cases small enough to check by hand."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core.errors import InputRejected
from core.types import FundForm, PostType
from pool.policies import add_months
from pool.proposal import Outcome, propose
from pool.proposal_forecast import Cause
from pool.proposal_input import (
    Cap,
    Cell,
    DivisionLimit,
    Holding,
    Loan,
    Need,
    Node,
    PoolKey,
    Request,
    Retirement,
    Situation,
)
from pool.proposal_standing import Remedy, Rule

WORDS = {"INSTITUTION": "事业", "FULL": "全额拨款", "education": "教育"}
TODAY = date(2026, 11, 30)
SCHOOLS = PoolKey(PostType.INSTITUTION, FundForm.FULL, "education")
NODES = (
    Node("R", "济南市"), Node("C1", "历下区", "R"), Node("C2", "市中区", "R"),
    Node("u1", "一中", "C1", True), Node("u2", "二中", "C1", True), Node("u3", "三中", "C2", True),
)  # fmt: skip


def holding(node, own=0, lend=None, borrow=None, floor=0):
    return Holding(node, SCHOOLS, own, lend, borrow, floor)


def asks(number, unit, posts, waited=10, need=Need.ORDINARY, **more):
    more = {"backing_waived": True, "term_months": 36} | more
    return Request(number, unit, SCHOOLS, posts, TODAY - timedelta(days=waited), need, **more)


def situation(*requests, stock=5, holdings=(), **more):
    rows = {row.node: row for row in (holding("R", stock), holding("C1"), holding("C2"), *holdings)}
    return Situation(TODAY, NODES, tuple(rows.values()), requests, words=WORDS, **more)


def granted(proposal):
    return [grant.request.number for grant in proposal.grants]


def rejected(proposal, number):
    return next(row for row in proposal.rejections if row.request.number == number)


def test_placement_comes_before_rigid_needs_before_those_who_waited_longer():
    queue = [asks("a", "u1", 3, 60), asks("b", "u2", 3, 50, Need.RIGID), asks("c", "u3", 3, 1, Need.PLACEMENT)]
    assert granted(propose(situation(*queue, stock=3))) == ["c"]
    assert granted(propose(situation(*queue, stock=6))) == ["c", "b"]


def test_who_waited_a_day_longer_is_not_outweighed_by_more_posts():
    assert granted(propose(situation(asks("a", "u1", 3, 11), asks("b", "u2", 5, 10)))) == ["a"]


def test_of_those_waiting_since_one_day_the_most_posts_are_lent():
    assert granted(propose(situation(asks("a", "u1", 4), asks("b", "u2", 2), asks("c", "u3", 3)))) == ["b", "c"]


def test_of_equal_choices_the_first_unit_code_is_served():
    assert granted(propose(situation(asks("z", "u1", 5), asks("a", "u2", 5)))) == ["z"]
    assert granted(propose(situation(asks("z", "u1", 5), asks("a", "u1", 5)))) == ["a"]


def test_a_request_too_large_is_skipped_and_said_so():
    proposal = propose(situation(asks("a", "u1", 8, 90), asks("b", "u2", 2, 5)))
    row = rejected(proposal, "a")
    assert granted(proposal) == ["b"]
    assert row.outcome is Outcome.SKIPPED
    assert row.reason.passing == 5
    assert row.sentence == (
        "申请 a（一中，事业、全额拨款、教育，8 个）本次未列入建议：济南市须留余粮 0 个，现有可用 5 个，借出本次后为 -3 个。"
        "排在前面的建议不变时，济南市的周转池再增加 3 个，即可通过；或只借 5 个。"
        "按现有到期和退休情况，60 个月内看不到可以通过的日期。"
    )


def test_after_ninety_days_what_it_needs_is_kept_for_it():
    loan = Loan("L", "u3", "R", SCHOOLS, 3, TODAY + timedelta(days=100), backed=False)
    queue = [asks("a", "u1", 8, 91), asks("b", "u2", 2, 5)]
    proposal = propose(situation(*queue, holdings=[holding("R", 8), holding("u3", -3, 0)], loans=(loan,)))
    assert granted(proposal) == []
    assert rejected(proposal, "a").outcome is Outcome.HELD
    assert rejected(proposal, "a").earliest == TODAY + timedelta(days=101)
    assert "不再跳过" in rejected(proposal, "a").sentence
    assert rejected(proposal, "b").reason.behind == ("a",)
    assert rejected(proposal, "b").reason.changes[0].posts == 5  # three for the one kept for, two for itself


def test_nothing_is_kept_for_a_request_that_no_return_could_satisfy():
    proposal = propose(situation(asks("a", "u1", 8, 91), asks("b", "u2", 2, 5)))
    assert granted(proposal) == ["b"]
    assert rejected(proposal, "a").outcome is Outcome.TOO_LARGE
    assert "请先作出决定" in rejected(proposal, "a").sentence


def test_nothing_is_kept_for_a_request_that_lacks_more_than_stock():
    queue = [asks("a", "u1", 8, 91), asks("b", "u2", 2, 5)]
    proposal = propose(situation(*queue, caps=(Cap("u1", "education", 3),)))
    assert granted(proposal) == ["b"]
    assert rejected(proposal, "a").outcome is Outcome.SKIPPED


def test_stock_that_must_come_back_below_a_node_is_not_kept_a_second_time_above_it():
    # The district is full: what comes back there will pass up to the city too, so the city's posts need not wait.
    loan = Loan("L", "u2", "R", SCHOOLS, 4, TODAY + timedelta(days=100), backed=False)
    rows = [holding("R", 9), holding("C1", borrow=4), holding("u2", -4, 0)]
    proposal = propose(situation(asks("a", "u1", 4, 91), asks("b", "u3", 5, 5), holdings=rows, loans=(loan,)))
    assert granted(proposal) == ["b"]
    assert rejected(proposal, "a").outcome is Outcome.HELD
    assert rejected(proposal, "a").earliest == TODAY + timedelta(days=101)


def test_every_ancestor_is_asked_not_only_the_nearest():
    rows = [holding("C1", own=4), holding("R", own=-2)]
    row = rejected(propose(situation(asks("a", "u1", 4), holdings=rows)), "a")
    assert [(b.rule, b.node, b.before, b.after, b.short) for b in row.reason.bindings] == [(Rule.FLOOR, "R", 2, -2, 2)]


def test_unlimited_is_not_zero():
    assert granted(propose(situation(asks("a", "u1", 4), holdings=[holding("C1", borrow=None)]))) == ["a"]
    row = rejected(propose(situation(asks("a", "u1", 4), holdings=[holding("C1", borrow=0)])), "a")
    assert [(change.remedy, change.node, change.posts) for change in row.reason.changes] == [
        (Remedy.RAISE_BORROW_LIMIT, "C1", 4)
    ]


def test_a_lending_limit_that_holds_enough_back_is_named():
    rows = [holding("R", 0), holding("C2", 6, lend=2)]
    row = rejected(propose(situation(asks("a", "u1", 5), holdings=rows)), "a")
    assert [(change.remedy, change.node, change.posts) for change in row.reason.changes] == [
        (Remedy.RAISE_LEND_LIMIT, "C2", 3)
    ]


def test_a_debt_that_is_there_already_may_stay_but_not_grow():
    rows = [holding("R", 9), holding("C1", own=-3, borrow=1), holding("C2", own=0)]
    proposal = propose(situation(asks("a", "u1", 1), asks("b", "u3", 1), holdings=rows))
    assert granted(proposal) == ["b"]
    assert rejected(proposal, "a").reason.bindings[0].short == 3


def test_the_units_overdue_posts_come_first():
    late = Loan("L", "u1", "R", SCHOOLS, 2, TODAY - timedelta(days=1), backed=False)
    row = rejected(propose(situation(asks("a", "u1", 1), loans=(late,), holdings=[holding("u1", -2, 0)])), "a")
    assert [(change.remedy, change.posts) for change in row.reason.changes] == [(Remedy.RETURN_OVERDUE, 2)]
    assert row.earliest is None
    due_today = replace(late, due=TODAY)
    assert granted(propose(situation(asks("a", "u1", 1), loans=(due_today,), holdings=[holding("u1", -2, 0)]))) == ["a"]


def test_retirements_of_the_term_back_a_loan_after_excess_and_earlier_loans():
    due = add_months(TODAY, 36)
    cell = Cell("u1", PostType.INSTITUTION, FundForm.FULL, 1, (Retirement(due, 4), Retirement(due + timedelta(1), 9)))
    live = Loan("L", "u1", "R", SCHOOLS, 1, TODAY + timedelta(days=50))
    for posts, passes in ((2, True), (3, False)):
        asked = situation(asks("a", "u1", posts, backing_waived=False), cells=(cell,), loans=(live,))
        assert (granted(propose(asked)) == ["a"]) is passes
    row = rejected(propose(asked), "a")
    assert [(change.remedy, change.posts, change.by) for change in row.reason.changes] == [
        (Remedy.ADD_RETIREMENTS, 1, due)
    ]


def test_a_division_may_not_borrow_past_its_total():
    limit = DivisionLimit("C1", PostType.INSTITUTION, 102, 100)
    row = rejected(propose(situation(asks("a", "u1", 3), division_limits=(limit,))), "a")
    assert [(b.rule, b.limit, b.before, b.after) for b in row.reason.bindings] == [(Rule.DIVISION_LIMIT, 102, 100, 103)]
    inside = propose(situation(asks("a", "u1", 3), division_limits=(limit,), holdings=[holding("C1", 1)]))
    assert granted(inside) == ["a"]


def test_a_retirement_brings_a_loan_home_before_its_term_ends():
    loan = Loan("L", "u1", "R", SCHOOLS, 2, TODAY + timedelta(days=400))
    cell = Cell("u1", PostType.INSTITUTION, FundForm.FULL, 1, (Retirement(TODAY + timedelta(days=30), 2),))
    coming = propose(situation(loans=(loan,), cells=(cell,), holdings=[holding("u1", -3, 0)])).coming
    assert [(row.on, row.posts, row.cause) for row in coming] == [
        (TODAY + timedelta(days=30), 1, Cause.SWAP),
        (TODAY + timedelta(days=401), 1, Cause.DUE),
    ]


def test_posts_of_a_recalled_loan_go_home_and_serve_nobody_else():
    loan = Loan("L", "u1", "u3", SCHOOLS, 4, TODAY + timedelta(days=60), backed=False, recalled=True)
    rows = [holding("R", 0), holding("u1", -4, 0), holding("u3", 4, 4)]
    proposal = propose(situation(asks("a", "u2", 4), holdings=rows, loans=(loan,)))
    assert [(row.on, row.to_pool) for row in proposal.coming] == [(TODAY + timedelta(days=61), False)]
    assert rejected(proposal, "a").earliest is None
    ordinary = propose(situation(asks("a", "u2", 4), holdings=rows, loans=(replace(loan, recalled=False),)))
    assert rejected(ordinary, "a").earliest == TODAY + timedelta(days=61)


def test_a_month_added_is_clipped_at_the_months_end():
    assert add_months(date(2026, 8, 31), 6) == date(2027, 2, 28)
    assert add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
    assert add_months(date(2026, 3, 15), -3) == date(2025, 12, 15)


@pytest.mark.parametrize(
    "changes",
    [
        {"holdings": (holding("R", 5), holding("C1"))},
        {"holdings": (holding("R", 5), holding("C1"), holding("C2"), holding("C2"))},
        {"holdings": (holding("R", 5), holding("C1"), holding("C2", lend=-1))},
        {"requests": (asks("a", "u1", 0),)},
        {"requests": (asks("a", "u1", 1, waited=-1),)},
        {"requests": (asks("a", "u1", 1), asks("a", "u2", 1))},
        {"requests": (asks("a", "nowhere", 1),)},
        {"requests": (asks("a", "u1", 2**63),)},
        {"requests": (replace(asks("a", "u1", 1), pool=replace(SCHOOLS, post_type=PostType.CONTROL_NUMBER)),)},
        {"nodes": (*NODES, Node("x", "环", "x"))},
        {"nodes": (*NODES, Node("x", "孤", "nowhere"))},
    ],
)
def test_a_situation_that_contradicts_itself_is_refused(changes):
    with pytest.raises(InputRejected):
        propose(replace(situation(asks("a", "u1", 1)), **changes))
