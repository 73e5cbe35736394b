"""What people see of the gate: only their own units, what comes next and why not; numbers that stay while somebody needs them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from core.db import engine_for, reading, writing
from core.errors import NotFound, Refused
from core.person_identity import PersonIdentity
from reconcile.identities import forget_identities
from staffing.chain import Move, Subject, decide_link
from staffing.lists import (
    block_page,
    coming_exits,
    figures_shown,
    next_moves,
    plan_lines,
    seen_one,
    slot_history,
    slots_of_permit,
    staff_page,
    steps_of,
    unit_board,
    waiver_page,
)  # fmt: skip
from staffing.people import people_on_posts, rekey_people
from staffing.service_permits import grant_waiver
from staffing.store import place_of, roles_at
from tests.staffkit import KEY, Gate, found_gate

A, S, P = Subject.APPLICATION, Subject.SLOT, Subject.PLAN


@pytest.fixture
def gate(database_url) -> Gate:
    gate = found_gate(engine_for(database_url))
    gate.opened("A1", 3, 1)
    gate.opened("B1", 1, login="reviewer3")
    return gate


def offered(gate: Gate, login: str, subject: Subject, number: str) -> dict:
    with reading(gate.engine) as session:
        act = gate.act(login)
        row = seen_one(session, act.scope, subject, number)
        return {offer.move: (offer.allowed, offer.sentence) for offer in next_moves(session, act, subject, row)}


def test_a_page_offers_what_may_be_done_next_and_says_why_not(gate):
    plan = gate.plan("A1", 1)
    number = gate.apply("A1")
    gate.pass_days(1)
    assert offered(gate, "reviewer", A, number)[Move.REVIEW] == (True, "可以办理“审核盖章”。")
    assert offered(gate, "officer-a1", A, number)[Move.WITHDRAW][0]
    assert offered(gate, "officer-a1", A, number)[Move.REVIEW] == (False, "您的角色不能办理“审核盖章”。")
    assert {Move.GRANT, Move.DIE} & set(offered(gate, "director", A, number)) == set()
    other = gate.reviewed("A1")
    permit = gate.permit_of(number)
    allowed, sentence = offered(gate, "director", A, other)[Move.GRANT]
    assert (allowed, "须追加计划 1 个" in sentence) == (False, True)
    slot = permit["slots"][0]
    assert offered(gate, "personnel", S, slot)[Move.ENTER][0]
    gate.enter("A1", permit["permit_no"], 1)
    assert [step.move for step in gate.read(steps_of, S, slot)] == ["ISSUE", "ENTER"]
    assert [step.move for step in gate.read(steps_of, A, number)] == [
        "SUBMIT", "CONFIRM_COST", "REVIEW", "GRANT", "EXECUTE",
    ]  # fmt: skip
    assert offered(gate, "personnel", S, slot)[Move.RECANT_EXIT] == (False, "没有预报减编。")
    assert [line.passed for line in gate.read(plan_lines, plan)] == [1]
    with reading(gate.engine) as session:
        row = seen_one(session, gate.act("auditor").scope, A, number)
        assert set(figures_shown(row)) == {"submitted", "reviewed", "granted"}
        node = place_of(session, row)
        begins = lambda act: decide_link(Move.SUBMIT_PLAN, None, roles=roles_at(act, node), actors=act.actors).allowed
        assert begins(gate.act("officer-a1"))
        assert not begins(gate.act("reviewer"))
    assert [row.status for row in gate.read(slots_of_permit, number)] == ["FILLED"]
    assert [row.unit_code for row in gate.read(slot_history, slot)] == ["A1"]


def test_everybody_sees_the_own_units_alone(gate):
    plan, slot = gate.plan("A1", 1), gate.seated("A1", 1)
    gate.leaving(slot, gate.today + timedelta(days=2))
    gate.do(grant_waiver, "director", "A1", "豁免1", "急需", gate.today)
    pages = {
        "plans": lambda session, scope: staff_page(session, scope, P)[1],
        "slots": lambda session, scope: staff_page(session, scope, S, ["PAID"], "A1")[1],
        "exits": lambda session, scope: len(coming_exits(session, scope, "A1")),
        "waivers": lambda session, scope: waiver_page(session, scope)[1],
    }
    for login, count in (("officer-a1", 1), ("reviewer", 1), ("auditor", 1), ("officer-b1", 0), ("reviewer3", 0)):
        with reading(gate.engine) as session:
            scope = gate.act(login).scope
            assert {name: page(session, scope) for name, page in pages.items()} == dict.fromkeys(pages, count), login
            assert block_page(session, scope) == ([], 0)
    for subject, number in ((P, plan), (S, slot), (A, "YB2026-999999")):
        with reading(gate.engine) as session, pytest.raises(NotFound):
            seen_one(session, gate.act("officer-b1").scope, subject, number)
    with reading(gate.engine) as session:
        board = unit_board(session, "A1", gate.today, 10)
    assert (board.coming_exits, board.permits, board.blocks) == (1, 0, 0)


def test_numbers_stay_while_the_gate_needs_them_and_follow_a_new_key(gate):
    gate.seated("A1", 1)
    with writing(gate.engine) as session:
        assert forget_identities(session, people_on_posts(session)) == 0
        (before,) = people_on_posts(session)
        assert rekey_people(session, KEY, "another-person-key-" * 3) == 1
        assert before not in people_on_posts(session)
    with writing(gate.engine) as session:
        session.execute(delete(PersonIdentity))
    with reading(gate.engine) as session, pytest.raises(Refused):
        rekey_people(session, KEY, KEY)
