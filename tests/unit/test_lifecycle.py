"""The table of a flag's moves: total, drawn in the docs, and guarded by role, status and second person."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from core.accounts import Role
from core.errors import Forbidden, Refused
from core.permissions import ALLOWED, Permission
from reconcile.lifecycle import (
    LIVE,
    NIGHT,
    SENTENCES,
    STATUS_LABELS,
    TRANSITIONS,
    Answer,
    FlagState,
    Move,
    Paper,
    check_move,
    decide_move,
    mermaid,
    table_markdown,
)
from reconcile.models import FlagStatus

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "flags.md").read_text(encoding="utf-8")
TODAY = date(2026, 10, 16)
LATER = date(2026, 12, 31)
PEOPLE = [move for move, row in TRANSITIONS.items() if row.permission is not None]
FULL = Paper("理由", "依据", LATER)


def state_for(move: Move, status: FlagStatus) -> FlagState:
    """A flag on which nothing but status and role could bar the move."""
    pending = TRANSITIONS[move].needs_pending
    return FlagState(status, "writer" if pending else None, None, LATER if pending else None)


def decide(move: Move, state: FlagState, *roles: Role, login: str = "me", paper: Paper | None = FULL):
    return decide_move(move, state, login=login, roles=set(roles), today=TODAY, paper=paper)


def test_every_move_status_answer_and_permission_is_in_its_table():
    assert set(TRANSITIONS) == set(Move)
    assert set(STATUS_LABELS) == set(FlagStatus)
    assert set(SENTENCES) == set(Answer)
    assert set(ALLOWED) == set(Permission)
    assert all(ALLOWED[permission] for permission in Permission)


def test_every_status_is_reached_and_left():
    assert {row.target for row in TRANSITIONS.values()} - {None} == set(FlagStatus)
    assert {source for row in TRANSITIONS.values() for source in row.sources} == {None, *FlagStatus}


def test_every_live_flag_can_be_seen_and_closed_by_data_and_a_closed_one_only_reopens():
    assert set(TRANSITIONS[Move.SEE].sources) == set(TRANSITIONS[Move.CLOSE_BY_DATA].sources) == set(LIVE)
    assert [move for move, row in TRANSITIONS.items() if FlagStatus.CLOSED in row.sources] == [Move.REOPEN]
    assert set(LIVE) | {FlagStatus.CLOSED} == set(FlagStatus)


def test_only_closing_moves_say_how():
    assert {row.move for row in TRANSITIONS.values() if row.closed_by} == {Move.CLOSE_BY_DATA, Move.CLOSE_BY_DECISION}


def test_auditors_and_administrators_move_nothing():
    for move in PEOPLE:
        assert not {Role.AUDITOR, Role.ADMINISTRATOR} & set(TRANSITIONS[move].who)


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("status", FlagStatus)
def test_a_move_is_allowed_exactly_where_the_table_says(move, role, status):
    row = TRANSITIONS[move]
    answer = decide(move, state_for(move, status), role).answer
    if row.who == NIGHT:
        assert answer is Answer.NIGHT_ONLY
    elif role not in row.who:
        assert answer is Answer.WRONG_ROLE
    elif status not in row.sources:
        assert answer is Answer.WRONG_STATUS
    else:
        assert answer is Answer.ALLOWED


@pytest.mark.parametrize("move", [Move.CONFIRM, Move.REJECT_EXPLANATION, Move.CLOSE_BY_DECISION])
def test_the_writer_never_judges_the_own_explanation(move):
    state = FlagState(FlagStatus.ACKNOWLEDGED, "me", None, LATER)
    assert decide(move, state, Role.REVIEWER).answer is Answer.SAME_PERSON
    assert decide(move, state, Role.REVIEWER, login="other").allowed


def test_an_explanation_needs_reason_evidence_and_a_day_to_come():
    state = FlagState(FlagStatus.ACKNOWLEDGED)
    explain = lambda *paper: decide(Move.EXPLAIN, state, Role.UNIT_OFFICER, paper=Paper(*paper)).answer
    assert explain(" ", "依据", LATER) is Answer.REASON_MISSING
    assert explain("理由", "", LATER) is Answer.EVIDENCE_MISSING
    assert explain("理由", "依据", TODAY) is Answer.EXPIRY_PAST
    assert explain("理由", "依据", None) is Answer.EXPIRY_PAST
    assert explain("理由", "依据", LATER) is Answer.ALLOWED


def test_a_second_explanation_waits_for_the_first_to_be_judged():
    state = FlagState(FlagStatus.ACKNOWLEDGED, "other", None, LATER)
    assert decide(Move.EXPLAIN, state, Role.UNIT_OFFICER).answer is Answer.EXPLANATION_WAITS
    confirmed = FlagState(FlagStatus.RECTIFYING, "other", "third", LATER)
    assert decide(Move.EXPLAIN, confirmed, Role.UNIT_OFFICER).allowed
    assert decide(Move.CONFIRM, confirmed, Role.REVIEWER).answer is Answer.NO_EXPLANATION


def test_an_explanation_already_over_cannot_be_confirmed():
    state = FlagState(FlagStatus.ACKNOWLEDGED, "other", None, TODAY)
    assert decide(Move.CONFIRM, state, Role.REVIEWER).answer is Answer.EXPIRY_PAST


def test_a_button_asks_about_the_move_alone():
    assert decide(Move.EXPLAIN, FlagState(FlagStatus.ACKNOWLEDGED), Role.UNIT_OFFICER, paper=None).allowed


def test_checking_raises_the_sentence_a_person_reads():
    with pytest.raises(Forbidden, match="您的角色不能办理“移送”"):
        check_move(Move.REFER, FlagState(FlagStatus.ACKNOWLEDGED), login="me", roles={Role.UNIT_OFFICER}, today=TODAY)
    with pytest.raises(Refused, match="当前状态是“待签收”，不能办理“移送”"):
        check_move(Move.REFER, FlagState(FlagStatus.OPEN), login="me", roles={Role.REVIEWER}, today=TODAY)


def test_the_page_in_the_docs_shows_this_table():
    assert f"```mermaid\n{mermaid()}```" in PAGE
    assert table_markdown() in PAGE
