"""The life of requests and slots, as the table says; three persons; the page that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.accounts import Role
from core.errors import Forbidden, Refused
from pool.approvals import (
    LIVE,
    NIGHT,
    REQUEST_MOVES,
    SENTENCES,
    SLOT_MOVES,
    STATUS_LABELS,
    Answer,
    Hands,
    Move,
    Status,
    check_move,
    decide_move,
    mermaid,
    most_urgent,
    table_markdown,
)  # fmt: skip

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "pool.md").read_text(encoding="utf-8")
ROWS = {**REQUEST_MOVES, **SLOT_MOVES}
ME = frozenset({"me"})


def test_every_move_status_and_answer_is_in_the_tables():
    assert set(ROWS) == set(Move)
    assert set(STATUS_LABELS) == set(Status)
    assert set(SENTENCES) == set(Answer)
    reached = {row.target for row in ROWS.values()} - {None}
    assert reached == set(Status)


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("status", Status)
def test_a_move_is_allowed_exactly_where_the_table_says(move, role, status):
    row = ROWS[move]
    answer = decide_move(row, status, roles={role}, actors=ME).answer
    if row.who == NIGHT:
        assert answer is Answer.NIGHT_ONLY
    elif role not in row.who:
        assert answer is Answer.WRONG_ROLE
    elif status not in row.sources:
        assert answer is Answer.WRONG_STATUS
    else:
        assert answer is Answer.ALLOWED


def test_only_the_director_grants_a_post_and_auditors_and_administrators_move_nothing():
    assert REQUEST_MOVES[Move.APPROVE].who == {Role.DIRECTOR}
    for row in ROWS.values():
        assert not {Role.AUDITOR, Role.ADMINISTRATOR} & set(row.who)


def test_any_live_status_may_return_and_issued_may_become_due_soon():
    assert set(SLOT_MOVES[Move.RETURN].sources) == set(LIVE)
    assert Status.ISSUED in SLOT_MOVES[Move.REMIND].sources
    assert not set(LIVE) & {Status.RETURNED, Status.LAPSED}


def test_an_ended_slot_or_request_lives_again_by_reversal_alone():
    ended = {Status.RETURNED, Status.REFUSED, Status.WITHDRAWN, Status.LAPSED}
    found = [row for row in ROWS.values() if ended & set(row.sources)]
    assert [row.move for row in found if row.target is not None] == [Move.RESTORE]
    # The post goes home after its slot has ended; the slot stays what it is.
    assert [row.move for row in found if row.target is None] == [Move.HOME, Move.AWAIT, Move.UNHOME]


@pytest.mark.parametrize("move", [Move.ENDORSE, Move.REVIEW, Move.APPROVE, Move.REFUSE])
def test_nobody_decides_twice_nor_on_the_own_request_through_delegations_too(move):
    row = REQUEST_MOVES[move]
    status, roles = row.sources[-1], row.who
    for actors in (ME, frozenset({"deputy", "me"})):
        own = decide_move(row, status, roles=roles, actors=actors, hands=Hands(ME))
        twice = decide_move(row, status, roles=roles, actors=actors, hands=Hands(frozenset({"a"}), ME))
        assert (own.answer, twice.answer) == (Answer.OWN_REQUEST, Answer.DECIDED_BEFORE)
    assert decide_move(row, status, roles=roles, actors=ME, hands=Hands(frozenset({"a"}), frozenset({"b"}))).allowed


def test_the_office_waits_for_the_supervising_department():
    row = REQUEST_MOVES[Move.REVIEW]
    waits = decide_move(row, Status.SUBMITTED, roles={Role.REVIEWER}, actors=ME, endorsed=False)
    assert waits.answer is Answer.NOT_ENDORSED
    assert decide_move(
        REQUEST_MOVES[Move.REFUSE], Status.SUBMITTED, roles={Role.REVIEWER}, actors=ME, endorsed=False
    ).allowed


def test_checking_raises_the_sentence_a_person_reads():
    with pytest.raises(Forbidden, match="您的角色不能办理“批准”"):
        check_move(REQUEST_MOVES[Move.APPROVE], Status.REVIEWED, roles={Role.REVIEWER}, actors=ME)
    with pytest.raises(Refused, match="当前状态是“已撤回”，不能办理“批准”"):
        check_move(REQUEST_MOVES[Move.APPROVE], Status.WITHDRAWN, roles={Role.DIRECTOR}, actors=ME)


def test_a_loan_shows_the_most_urgent_of_its_slots():
    assert most_urgent([Status.RETURNED, Status.FILLED, Status.OVERDUE]) is Status.OVERDUE
    assert most_urgent([Status.ISSUED, Status.DUE_SOON]) is Status.DUE_SOON
    assert most_urgent([Status.RETURNED]) is Status.RETURNED


def test_the_page_in_the_docs_shows_this_table():
    assert f"```mermaid\n{mermaid()}```" in PAGE
    assert table_markdown() in PAGE
