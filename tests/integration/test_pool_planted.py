"""Ten bugs, planted one at a time by swapping one function: each is caught by the proof from rows, or by the schema."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

import pool.forest
import pool.housekeeping
import pool.ledger
import pool.posting
import pool.service_approvals
import pool.service_loans
import pool.service_reversal
import pool.tree
from core.db import engine_for, reading, writing
from pool import entries
from pool.acting import path_up
from pool.approvals import Move
from pool.forest import OwnChange, own_changes
from pool.housekeeping import keep_pool
from pool.ledger import Kind
from pool.posting import book
from pool.proof import broken_proofs
from pool.service import release_posts, reserve_posts
from pool.service_approvals import approve_request
from pool.service_loans import review_request
from pool.service_nodes import set_limits
from pool.service_reversal import reverse_movement
from pool.service_slots import _slot_booking, cell_of, fill_slot, lot_of, turn_slot
from pool.store import stock_for
from tests.databases import migrate
from tests.poolkit import CITY, FULL, K2, Province, found_province


@pytest.fixture
def province(tmp_path) -> Province:
    url = f"sqlite:///{tmp_path / 'bianzhi.db'}"
    migrate(url)
    return found_province(engine_for(url))


def broken(province: Province) -> set[str]:
    with reading(province.engine) as session:
        return {proof.name for proof in broken_proofs(session)}


def a_life(province: Province) -> None:
    """Pools at two levels, limits, a retained post, a partial grant, a filled slot, a waiting request."""
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=2)
    province.grant("A2", 4)
    province.pool(K2, 2, source="USE_RIGHT_LENT", giver="U:A2")
    province.pool(CITY, 5, login="cityreviewer")
    asked = province.ask("A1", 3)
    province.do(review_request, "reviewer", asked["request"])
    granted = province.do(approve_request, "citydirector", asked["request"], posts=2)
    province.do(fill_slot, "reviewer", granted["slots"][0], "k1", "mask")
    province.ask("A3", 2)


def test_without_a_bug_every_proof_holds(province):
    a_life(province)
    assert broken(province) == set()


def test_a_limit_off_by_one(province, monkeypatch):
    right = pool.tree.shortfall

    def lenient(node, surplus):
        more = replace(node, borrow_limit=None if node.borrow_limit is None else node.borrow_limit + 1)
        return right(more, surplus)

    monkeypatch.setattr(pool.tree, "shortfall", lenient)
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=2)
    province.pool(CITY, 5, login="cityreviewer")
    province.ask("A1", 3)
    assert broken(province) == {"limits hold at every node"}


def test_the_nearest_ancestor_only(province, monkeypatch):
    monkeypatch.setattr(pool.posting, "path_up", lambda parent_of, node: path_up(parent_of, node)[:2])
    a_life(province)
    assert "T recomputed = T kept" in broken(province)


def test_a_reserve_released_twice(province, monkeypatch):
    province.grant("A2", 4)
    number = province.do(reserve_posts, "reviewer", "U:A2", *FULL, 2, "PERMIT")["movement"]
    province.do(release_posts, "reviewer", number, 2)
    monkeypatch.setattr(pool.ledger, "decide_balance", lambda *facts: True)
    with pytest.raises(IntegrityError):
        province.do(release_posts, "reviewer", number, 2)
    assert broken(province) == set()


def test_pending_posts_not_counted(province, monkeypatch):
    def forgetful(*facts):
        return {holder: replace(change, asked=0) for holder, change in own_changes(*facts).items()}

    monkeypatch.setattr(pool.posting, "own_changes", forgetful)
    a_life(province)
    assert "T recomputed = T kept" in broken(province)


def test_a_negative_surplus_clipped_to_nothing(province, monkeypatch):
    right = pool.tree.passed_up
    monkeypatch.setattr(pool.tree, "passed_up", lambda limit, surplus: max(0, right(limit, surplus)))
    a_life(province)
    assert "T recomputed = T kept" in broken(province)


def test_a_partial_grant_that_gives_nothing_back(province, monkeypatch):
    monkeypatch.setattr(pool.service_approvals, "drop_lots", lambda *facts: None)
    province.pool(K2, 5)
    asked = province.ask("A1", 3)
    province.do(review_request, "reviewer", asked["request"])
    province.do(approve_request, "citydirector", asked["request"], posts=2)
    assert broken(province) == {"every pending resolves once"}


def test_a_loan_reversed_after_filling(province, monkeypatch):
    province.pool(K2, 5)
    loan = province.lend("A1", 2)
    province.do(fill_slot, "reviewer", loan["slots"][0], "k1", "mask")
    monkeypatch.setattr(pool.service_reversal, "check_reversible", lambda *facts: None)
    province.do(reverse_movement, "citydirector", loan["movement"], "更正1")
    assert "every person on a pool post has a slot" in broken(province)


def test_retained_posts_lent(province, monkeypatch):
    def generous(change, vacant_before):
        return change.deposited + change.vacant - change.borrowed - change.asked

    monkeypatch.setattr(pool.forest.OwnChange, "own", generous)
    a_life(province)
    assert "T recomputed = T kept" in broken(province)
    assert OwnChange(vacant=2).own(0) == 2


def test_a_loan_across_purposes(province, monkeypatch):
    province.pool(K2, 5, purpose="TALENT")
    monkeypatch.setattr(
        pool.service_loans,
        "stock_for",
        lambda session, node, cell, purpose, on: stock_for(session, node, cell, "TALENT", on),
    )
    province.lend("A1", 1)
    assert "no post crosses type, fund form or purpose" in broken(province)


def test_an_overdue_loan_leaving_borrowed(province, monkeypatch):
    province.pool(K2, 5)
    province.lend("A1", 1, months=1)
    province.pass_days(60)

    def evicting(session, act, slot, move, movement, to, **values):
        if move is Move.EXPIRE:
            legs = entries.give_back(cell_of(slot), [(lot_of(session, slot), 1)])
            book(session, _slot_booking(session, slot, Kind.RETURN, legs, act.today, None), act.login, act.now)
        turn_slot(session, act, slot, move, movement, to, **values)

    monkeypatch.setattr(pool.housekeeping, "turn_slot", evicting)
    with writing(province.engine) as session:
        assert keep_pool(session, province.today, province.now).overdue == 1
    assert broken(province) == {"lent = borrowed, post by post"}
