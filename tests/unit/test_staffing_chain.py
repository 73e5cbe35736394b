"""The chain's table is total, nobody skips a step, and the page in the docs shows it; deadlines count as the rule says."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest

from core.accounts import Role
from core.errors import Forbidden, Refused
from pool.approvals import NIGHT
from staffing.chain import (
    CHAIN,
    STATUS_LABELS,
    Answer,
    Hands,
    Move,
    Status,
    Subject,
    check_link,
    decide_link,
    mermaid,
    moves_from,
    table_markdown,
)  # fmt: skip
from staffing.deadlines import first_unpaid_month, last_working_day, permit_last_day, working_days_late

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")
ME = frozenset({"me"})
# The chain as DOMAIN §6 tells it: who makes each step of an application and of its slot.
WALK = [
    (Move.SUBMIT, None, Role.UNIT_OFFICER), (Move.REVIEW, Status.SUBMITTED, Role.REVIEWER),
    (Move.GRANT, Status.REVIEWED, Role.DIRECTOR), (Move.ENTER, Status.ISSUED, Role.PERSONNEL),
    (Move.FINISH_PAPERS, Status.FILLED, Role.PERSONNEL), (Move.NOTE_PAY, Status.PAPERS, Role.FINANCE),
    (Move.EXIT, Status.PAID, Role.PERSONNEL), (Move.CANCEL, Status.LEFT, Role.REVIEWER),
]  # fmt: skip


def test_every_move_and_status_is_in_the_table():
    assert set(CHAIN) == set(Move)
    assert set(STATUS_LABELS) == set(Status)
    assert {row.target for row in CHAIN.values()} - {None} == set(Status)
    assert {row.subject for row in CHAIN.values()} == set(Subject)


@pytest.mark.parametrize("move", Move)
def test_a_move_is_allowed_exactly_where_the_table_says(move):
    row = CHAIN[move]
    for role, status in product(Role, [None, *Status]):
        answer = decide_link(move, status, roles={role}, actors=ME).answer
        if row.who == NIGHT:
            assert answer is Answer.NIGHT_ONLY
        elif role not in row.who:
            assert answer is Answer.WRONG_ROLE
        else:
            assert answer is (Answer.ALLOWED if status in row.sources else Answer.WRONG_STATUS)


@pytest.mark.parametrize(("at", "step"), list(enumerate(WALK)))
def test_no_step_of_the_chain_is_skipped(at, step):
    move, status, role = step
    assert check_link(move, status, roles={role}, actors=ME).move is move
    for _, other, _ in WALK[:at] + WALK[at + 1 :]:
        if other not in CHAIN[move].sources:
            with pytest.raises(Refused, match="不能办理"):
                check_link(move, other, roles={role}, actors=ME)


def test_the_director_alone_grants_and_auditors_and_administrators_move_nothing():
    assert CHAIN[Move.GRANT].who == CHAIN[Move.PASS_PLAN].who == {Role.DIRECTOR}
    for row in CHAIN.values():
        assert not {Role.AUDITOR, Role.ADMINISTRATOR} & set(row.who)
    with pytest.raises(Forbidden):
        check_link(Move.GRANT, Status.REVIEWED, roles={Role.REVIEWER}, actors=ME)


@pytest.mark.parametrize("move", [move for move, row in CHAIN.items() if row.decides])
def test_nobody_decides_twice_nor_on_the_own_application(move):
    row = CHAIN[move]
    for actors in (ME, frozenset({"deputy", "me"})):
        own = decide_link(move, row.sources[-1], roles=row.who, actors=actors, hands=Hands(ME))
        twice = decide_link(move, row.sources[-1], roles=row.who, actors=actors, hands=Hands(frozenset("a"), ME))
        assert (own.answer, twice.answer) == (Answer.OWN_REQUEST, Answer.DECIDED_BEFORE)


def test_what_has_ended_never_moves_again_but_a_late_registration():
    ended = {Status.REFUSED, Status.WITHDRAWN, Status.DEAD, Status.CANCELLED, Status.MOVED, Status.EXECUTED}
    assert [move for move, row in CHAIN.items() if ended & set(row.sources)] == []
    assert moves_from(Subject.SLOT, Status.EXPIRED) == [Move.ENTER]


def test_the_page_in_the_docs_shows_this_table():
    assert f"```mermaid\n{mermaid()}```" in PAGE
    assert table_markdown() in PAGE


@pytest.mark.parametrize(
    ("left", "month"),
    [("2026-11-01", "2026-11"), ("2026-11-02", "2026-12"), ("2026-12-31", "2027-01"), ("2026-12-01", "2026-12")],
)
def test_an_exit_on_the_first_ends_pay_that_month_else_the_next(left, month):
    assert first_unpaid_month(date.fromisoformat(left)) == month


def test_a_permit_is_valid_until_the_end_of_the_year_and_never_ends_before_it_begins():
    assert permit_last_day(date(2026, 3, 1), "12-31") == date(2026, 12, 31)
    assert permit_last_day(date(2026, 12, 31), "12-31") == date(2026, 12, 31)
    assert permit_last_day(date(2026, 7, 1), "06-30") == date(2027, 6, 30)


@pytest.mark.parametrize("limit", [0, 15, 30])
def test_late_begins_the_day_after_the_last_working_day(limit):
    start = date(2026, 9, 20)  # before the October holidays
    last = last_working_day(start, limit)
    assert working_days_late(start, last, limit) == 0
    following = next(
        day for day in (last + timedelta(days=n) for n in range(1, 15)) if working_days_late(start, day, limit)
    )
    assert working_days_late(start, following, limit) == limit + 1
