"""What people see of the pool, on both databases: lists within a scope, a cell's ledger, a wish tried and taken back."""

from __future__ import annotations

import pytest

from core.db import engine_for, reading, writing
from core.errors import InputRejected, NotFound
from pool import lists
from pool.foresight import Supposed, check_wish, suppose
from pool.ledger import Cell
from pool.service_loans import Wish
from tests.poolkit import CITY, FULL, K2, K3, Province, found_province


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def scope(province, login):
    return province.act(login).by


def test_stock_requests_loans_and_pairs_within_a_scope(province):
    province.pool(K2, 5)
    lent = province.lend("A1", 2, director="citydirector")
    waiting = province.ask("A2", 1)
    with reading(province.engine) as session:
        for login, loans in (("officer-a1", 1), ("officer-b1", 0), ("reviewer", 1), ("reviewer3", 0), ("auditor", 1)):
            who = scope(province, login)
            assert lists.loan_views(session, who, province.today)[1] == loans, login
            assert sum(pair.posts for pair in lists.lending_pairs(session, who, province.today)) == 2 * loans, login
            assert len(lists.due_slots(session, who)) == 2 * loans, login
        rows = lists.stock_rows(session, scope(province, "officer-a3"))
        assert [(row.node.id, row.idle, row.pending, row.lent) for row in rows] == [(K2, 2, 1, 2)]
        assert [node.id for node in lists.places_around(session, scope(province, "officer-a3"))] == [
            "PROVINCE:990000", CITY, K2,
        ]  # fmt: skip
        assert lists.request_page(session, scope(province, "officer-a2"))[0][0].number == waiting["request"]
        with pytest.raises(NotFound):
            lists.seen_loan(session, scope(province, "officer-a2"), lent["loan"])
        with pytest.raises(NotFound):
            lists.seen_node(session, scope(province, "reviewer3"), K2)
        assert lists.seen_movement(session, scope(province, "officer-a1"), lent["movement"]).kind == "LEND"


def test_a_cells_ledger_runs_on_to_its_balance(province):
    province.grant("A1", 3)
    province.pool(K2, 2, source="USE_RIGHT_LENT", giver="U:A1")
    province.lend("A2", 1, director="citydirector")
    with reading(province.engine) as session:
        lines = lists.ledger_lines(session, Cell("U:A1", *FULL))
        assert [line.movement.kind for line in lines] == ["GRANT", "DEPOSIT", "ASK", "LEND"]
        assert lines[-1].after == {
            "quota": 3, "in_use": 0, "vacant": 1, "reserved": 0, "pooled": 2, "borrowed": 0,
        }  # fmt: skip
        assert lists.ledger_lines(session, Cell("U:A2", *FULL))[-1].after["borrowed"] == 1


def test_a_wish_is_tried_and_nothing_stays(province):
    province.pool(K2, 5)
    before = province.balances()
    wish = Wish("A1", *FULL, "HEALTH", 2, 12, "急需")
    with writing(province.engine) as session:
        found = check_wish(session, province.act("officer-a1"), wish)
    assert [(level.node.id, level.idle_before, level.idle_after) for level in found.levels] == [
        ("U:A1", 0, 0), (K2, 5, 3), (CITY, 0, 0), ("PROVINCE:990000", 0, 0),
    ]  # fmt: skip
    assert [level.surplus_before - level.surplus_after for level in found.levels] == [2, 2, 2, 2]
    assert province.balances() == before
    with writing(province.engine) as session:
        refused = check_wish(session, province.act("officer-a1"), Wish("A1", *FULL, "HEALTH", 9, 12, "急需"))
        assert (refused.passes, refused.refusal.details["answer"]) == (False, "NO_STOCK")
    assert province.balances() == before


def test_suppose_answers_per_tree(province):
    province.grant("A1", 3)
    province.pool(K2, 1)
    with reading(province.engine) as session:
        cut = suppose(session, Supposed("CUT", "U:A1", posts=2, post_type=FULL[0], fund_form=FULL[1]), province.today)
        assert (cut[*FULL, ""].passes, cut[*FULL, ""].after[K2]) == (True, 1)
        assert suppose(session, Supposed("REPARENT", "U:A1", K3), province.today)[*FULL, ""].passes
        with pytest.raises(InputRejected):
            suppose(session, Supposed("MERGE", "U:A1"), province.today)
