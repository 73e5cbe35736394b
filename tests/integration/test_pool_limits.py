"""Limits of lending and borrowing, floors, debt, and what they refuse; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.accounts import GrantSpec, Role, create_user
from core.db import engine_for, reading, writing
from core.errors import InputRejected, Refused
from pool.service import cut_posts, deposit_posts, grant_posts, transfer_posts
from pool.service_nodes import reparent_node, set_limits
from pool.service_opening import open_balances, take_strength
from pool.service_reversal import reverse_movement
from pool.store import cell_figures
from tests.poolkit import CITY, FULL, K2, K3, PROVINCE, SEEN, START, Province, assert_whole, found_province


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


@pytest.mark.parametrize("value", [-1, None, "5", 1.5, True, "不限"])
def test_a_limit_is_a_number_or_the_word_unlimited(province, value):
    with pytest.raises(InputRejected):
        province.do(set_limits, "director", K2, *FULL, lend=value, borrow="unlimited")


def test_a_limit_of_nothing_is_not_unlimited_and_a_floor_stands_at_the_root_alone(province):
    province.pool(CITY, 5, login="cityreviewer")
    province.do(set_limits, "director", K2, *FULL, lend=0, borrow=0)
    with pytest.raises(Refused, match="借用上限为 0 个"):
        province.ask("A1", 1)
    with pytest.raises(Refused, match="最上一级"):
        province.do(set_limits, "director", K2, *FULL, lend=0, borrow=0, floor=1)
    province.do(set_limits, "topdirector", PROVINCE, *FULL, lend="unlimited", borrow="unlimited", floor=5)
    with pytest.raises(Refused, match="余粮下限为 5 个"):
        province.ask("B1", 1)
    province.do(set_limits, "topdirector", PROVINCE, *FULL, lend="unlimited", borrow="unlimited", floor=4)
    province.ask("B1", 1)
    assert_whole(province)


def test_a_lending_limit_that_would_leave_a_node_above_short_is_refused_with_the_least_that_would_not(province):
    province.pool(K2, 3)
    province.do(open_balances, "reviewer3", [("B1", *FULL, 3, 3)], SEEN)
    province.do(cut_posts, "reviewer3", "U:B1", *FULL, 2, "编委3")
    limits = {"borrow": "unlimited"}
    for posts in (0, 1):
        with pytest.raises(Refused, match="出借上限至少须为 2 个") as refused:
            province.do(set_limits, "director", K2, *FULL, lend=posts, **limits)
        assert (refused.value.details["node"], refused.value.details["least"]) == (PROVINCE, 2)
    assert_whole(province)
    province.do(set_limits, "director", K2, *FULL, lend=2, **limits)
    assert_whole(province)


def test_a_deposit_tried_again_after_a_reorganisation_is_answered_as_the_first_time(province):
    province.grant("A3", 2)
    deposit = (K2, *FULL, "HEALTH", 1, "USE_RIGHT_LENT", "编委2")
    first = province.do(deposit_posts, "reviewer", *deposit, giver="U:A3", key="once")
    province.do(reparent_node, "superdirector", "U:A3", K3, "文9")
    assert province.do(deposit_posts, "reviewer", *deposit, giver="U:A3", key="once") == first
    with pytest.raises(Refused, match="只能存入"):
        province.do(deposit_posts, "reviewer", *deposit, giver="U:A3")
    assert_whole(province)


def test_no_document_lifts_a_division_above_its_total_and_a_mistaken_cut_can_still_be_undone(province):
    for unit, login in (("A1", "reviewer"), ("B1", "reviewer3")):
        province.do(open_balances, login, [(unit, *FULL, 5, 4)], SEEN)
    with writing(province.engine) as session:
        take_strength(session, SEEN + timedelta(days=1), [], [], [("990102", FULL[0], 7)])
        create_user(
            session, login="bothreviewer", email="both@example.org", display_name="both", actor="test", now=START,
            grants=[GrantSpec(Role.REVIEWER, division, "COUNTY") for division in ("990102", "990103")],
        )  # fmt: skip
    with pytest.raises(Refused, match="编制总量限额为 7 个，办理后将达 8 个，超出 1 个") as refused:
        province.do(grant_posts, "reviewer", "U:A1", *FULL, 3, "编委1")
    assert (refused.value.details["division"], refused.value.details["most"]) == ("990102", 2)
    province.do(grant_posts, "reviewer", "U:A1", *FULL, 2, "编委1")
    for use_case, login, args in (
        (grant_posts, "reviewer", ("U:A2", *FULL, 1, "编委2")),
        (deposit_posts, "reviewer", (K2, *FULL, "HEALTH", 1, "TOTAL_SLICE", "编委2")),
        (transfer_posts, "bothreviewer", ("U:B1", "U:A2", *FULL, 1, "编委2")),
    ):
        with pytest.raises(Refused, match="编制总量限额为 7 个") as refused:
            province.do(use_case, login, *args)
        assert refused.value.details["most"] == 0
    province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 1, "编委2")
    cut = province.do(cut_posts, "reviewer", "U:A1", *FULL, 1, "编委3")
    province.do(grant_posts, "reviewer", "U:A2", *FULL, 1, "编委4")
    province.do(reverse_movement, "director", cut["movement"], "编委5")
    assert_whole(province)


def test_a_unit_without_a_ledger_has_no_cells_and_whoever_is_in_post_there_counts_as_over(province):
    province.pool(K2, 5)
    with writing(province.engine) as session:
        take_strength(session, SEEN + timedelta(days=1), [("A1", *FULL, 6)], [("A1", *FULL, "2027-01", 5)])
    with reading(province.engine) as session:
        assert cell_figures(session, ["U:A1", "U:A2"], province.today) == {}
    assert province.ask("A1", 1)["decision_node"] == CITY
    province.do(open_balances, "reviewer", [("A1", *FULL, 6, 6)], SEEN)
    with reading(province.engine) as session:
        (cell, held), *others = cell_figures(session, ["U:A1", "U:A2"], province.today).items()
    assert (cell.partition, held.quota, held.in_post, held.usable, others) == (FULL, 6, 6, 0, [])
    assert province.ask("A1", 1)["decision_node"] == K2


def test_limits_of_one_purpose_bind_that_purpose_alone(province):
    province.pool(CITY, 5, login="cityreviewer")
    province.pool(CITY, 5, login="cityreviewer", purpose="TALENT")
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=0, purpose="TALENT")
    with pytest.raises(Refused, match="借用上限为 0 个"):
        province.ask("A1", 1, purpose="TALENT")
    province.ask("A1", 1)
    assert_whole(province)


def test_a_debt_opened_by_a_cut_blocks_lending_until_it_is_gone(province):
    province.do(open_balances, "reviewer", [("A2", *FULL, 3, 3)], SEEN)
    province.pool(K2, 2)
    province.do(cut_posts, "reviewer", "U:A2", *FULL, 2, "编委3")
    with pytest.raises(Refused, match="余粮下限"):
        province.ask("A1", 1)
    province.grant("A2", 1)
    province.ask("A1", 1)
    assert_whole(province)
