"""Remedies: what a refusal asks for is enough, and no more than needed, with limits in several trees and on several days; on
both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.db import engine_for, reading, writing
from core.errors import InputRejected, Refused
from pool.models import PoolLoan
from pool.service import withdraw_posts
from pool.service_loans import Wish, request_loan
from pool.service_nodes import reparent_node, set_limits
from pool.service_opening import take_strength
from pool.service_slots import return_posts
from tests.poolkit import CITY, FULL, K2, K3, PROVINCE, SEEN, Province, assert_whole, found_province


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def test_the_smallest_change_covers_every_tree_that_binds(province):
    province.pool(CITY, 9, login="cityreviewer")
    for purpose, borrow in (("", 2), ("HEALTH", 1)):
        province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=borrow, purpose=purpose)
    with pytest.raises(Refused) as caught:
        province.ask("A1", 4)
    assert (caught.value.details["most"], caught.value.details["remedies"]) == (1, [
        {"node": K2, "remedy": "RAISE_BORROW_LIMIT", "posts": 2},
        {"node": K2, "remedy": "RAISE_BORROW_LIMIT", "posts": 3, "purpose": "HEALTH"},
    ])  # fmt: skip
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=4)
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=3, purpose="HEALTH")
    with pytest.raises(Refused):
        province.ask("A1", 4)
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=4, purpose="HEALTH")
    province.ask("A1", 4)
    assert_whole(province)


def test_where_a_day_binds_and_not_the_sum_of_all_days_the_smallest_change_is_that_days(province):
    province.pool(PROVINCE, 5, login="topreviewer")
    province.do(set_limits, "topdirector", PROVINCE, *FULL, lend="unlimited", borrow="unlimited", floor=3)
    province.pool(PROVINCE, 10, login="topreviewer", effective=province.today + timedelta(days=10))
    with pytest.raises(Refused, match="余粮下限为 3 个，现有余量 5 个，办理后为 1 个，超出 2 个") as caught:
        province.ask("P1", 4)
    remedy = {"node": PROVINCE, "remedy": "ADD_POSTS", "posts": 2}
    assert (caught.value.details["most"], caught.value.details["remedies"]) == (2, [remedy])
    province.pool(PROVINCE, 1, login="topreviewer")
    with pytest.raises(Refused):
        province.ask("P1", 4)
    province.pool(PROVINCE, 1, login="topreviewer")
    province.ask("P1", 4)
    assert_whole(province)


def test_a_limit_of_a_purpose_nobody_lists_is_refused(province):
    with pytest.raises(InputRejected, match="没有这种用途"):
        province.do(set_limits, "director", K2, *FULL, lend=1, borrow=1, purpose="HEALHT")


def refused(province: Province, unit: str, posts: int, **changes) -> dict[str, object]:
    with pytest.raises(Refused) as caught:
        province.ask(unit, posts, **changes)
    return caught.value.details


def test_where_posts_are_lacking_what_binds_once_they_are_there_is_asked_for_too(province):
    province.pool(K2, 3)
    province.do(set_limits, "director", "U:A1", *FULL, lend="unlimited", borrow=4)
    lacking = refused(province, "A1", 5)
    assert (lacking["answer"], lacking["most"], lacking["remedies"]) == ("NO_STOCK", 3, [
        {"node": K2, "remedy": "ADD_POSTS", "posts": 2}, {"node": "U:A1", "remedy": "RAISE_BORROW_LIMIT", "posts": 1},
    ])  # fmt: skip
    province.pool(K2, 1)
    province.do(set_limits, "director", "U:A1", *FULL, lend="unlimited", borrow=5)
    assert refused(province, "A1", 5)["remedies"] == [{"node": K2, "remedy": "ADD_POSTS", "posts": 1}]
    province.pool(K2, 1)
    province.do(set_limits, "director", "U:A1", *FULL, lend="unlimited", borrow=4)
    assert refused(province, "A1", 5)["answer"] == "LIMIT"
    province.do(set_limits, "director", "U:A1", *FULL, lend="unlimited", borrow=5)
    province.ask("A1", 5)
    assert_whole(province)


def test_where_posts_are_lacking_a_limit_of_the_purpose_and_a_floor_are_asked_for_too_and_the_most_is_what_they_bear(
    province,
):
    province.pool(K2, 3)
    province.do(set_limits, "director", "U:A1", *FULL, lend="unlimited", borrow=2, purpose="HEALTH")
    province.do(set_limits, "topdirector", PROVINCE, *FULL, lend="unlimited", borrow="unlimited", floor=2)
    lacking = refused(province, "A1", 4)
    assert (lacking["answer"], lacking["most"], lacking["remedies"]) == ("NO_STOCK", 1, [
        {"node": K2, "remedy": "ADD_POSTS", "posts": 1}, {"node": PROVINCE, "remedy": "ADD_POSTS", "posts": 2},
        {"node": "U:A1", "remedy": "RAISE_BORROW_LIMIT", "posts": 2, "purpose": "HEALTH"},
    ])  # fmt: skip
    province.pool(K2, 1)
    province.pool(PROVINCE, 2, login="topreviewer")
    province.do(set_limits, "director", "U:A1", *FULL, lend="unlimited", borrow=4, purpose="HEALTH")
    province.ask("A1", 4)
    assert_whole(province)


def test_who_borrowed_for_another_purpose_holds_none_of_the_posts_that_are_lacking(province):
    for unit, purpose in (("A2", "EDUCATION"), ("A3", "HEALTH")):
        province.pool(K2, 2, purpose=purpose)
        province.lend(unit, 2, purpose=purpose, director="citydirector")
    assert refused(province, "A1", 1)["holders"] == [{"node": "U:A3", "posts": 2}]
    assert refused(province, "A1", 1, purpose="EDUCATION")["holders"] == [{"node": "U:A2", "posts": 2}]
    province.pool(K2, 2)
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=0, purpose="HEALTH")
    province.pool(CITY, 5, login="cityreviewer")
    limited = refused(province, "A1", 5)
    assert (limited["answer"], limited["purpose"], limited["holders"]) == (
        "LIMIT", "HEALTH", [{"node": "U:A3", "posts": 2}],
    )  # fmt: skip


def test_a_node_that_may_not_hang_elsewhere_is_told_the_figures_the_holders_and_the_smallest_change(province):
    province.pool(K2, 3)
    province.lend("A1", 3, director="citydirector")
    for borrow, more in ((0, 3), (2, 1)):
        province.do(set_limits, "director3", K3, *FULL, lend="unlimited", borrow=borrow)
        with pytest.raises(Refused, match=f"缺口将增加 {more} 个") as caught:
            province.do(reparent_node, "superdirector", "U:A1", K3, "文9")
        details = caught.value.details
        assert (details["answer"], details["node"], details["limit"]) == ("LIMIT", K3, borrow)
        assert (details["surplus_before"], details["surplus_after"], details["short"]) == (0, -3, more)
        assert details["holders"] == [{"node": "U:A1", "posts": 3}]
        assert details["remedies"] == [{"node": K3, "remedy": "RAISE_BORROW_LIMIT", "posts": more}]
    province.do(set_limits, "director3", K3, *FULL, lend="unlimited", borrow=3)
    province.do(reparent_node, "superdirector", "U:A1", K3, "文9")
    assert_whole(province)


def test_where_several_kinds_of_posts_bind_each_remedy_names_its_own(province):
    half = ("INSTITUTION", "PART")
    for partition, posts in ((FULL, 2), (half, 1)):
        province.pool(K2, posts, partition=partition)
        asked = {"post_type": partition[0], "fund_form": partition[1], "other_waiver": "函1"}
        province.lend("A1", posts, director="citydirector", **asked)
        province.do(set_limits, "director3", K3, *partition, lend="unlimited", borrow=0)
    with pytest.raises(Refused) as caught:
        province.do(reparent_node, "superdirector", "U:A1", K3, "文9")
    raised = {(each["node"], each["fund_form"]): each["posts"] for each in caught.value.details["remedies"]}
    assert raised == {(K3, "FULL"): 2, (K3, half[1]): 1}


def test_who_has_to_queue_is_told_how_many_posts_are_idle_and_how_many_are_asked_for_before(province):
    for unit, posts in (("A2", 5), ("B1", 4)):
        wish = Wish(unit, *FULL, "HEALTH", posts, 12, "急需")
        province.do(request_loan, f"officer-{unit.lower()}", wish, wait=True)
    province.pool(K2, 3)
    queued = refused(province, "A1", 1)
    assert queued == {"answer": "QUEUED", "ahead": 2, "asked": 9, "idle": 3}


def test_a_loan_above_a_divisions_total_is_told_the_most_that_stays_below(province):
    province.pool(K2, 1)
    province.pool(CITY, 5, login="cityreviewer")
    with writing(province.engine) as session:
        take_strength(session, SEEN + timedelta(days=1), [], [], [("990102", FULL[0], 3), ("990100", FULL[0], 90)])
    above = refused(province, "A1", 5)
    assert (above["answer"], above["most"], above["figures"]["total"], above["figures"]["limit"]) == (
        "TOTAL_EXCEEDED", 3, 5, 3,
    )  # fmt: skip
    assert refused(province, "A1", 4)["most"] == 3
    province.ask("A1", 3)
    assert_whole(province)


HOLDERS = [{"node": "U:A2", "posts": 3}, {"node": "U:A3", "posts": 1}]


def lot_in_use(province: Province) -> tuple[int, str]:
    """A lot of 6 of A1: 3 lent to A2, 1 to A3, 1 pending for B1; and the number of that request."""
    province.grant("A1", 6)
    lot = province.pool(K2, 6, source="USE_RIGHT_LENT", giver="U:A1")
    for unit, posts in (("A2", 3), ("A3", 1)):
        province.lend(unit, posts, director="citydirector")
    return lot, province.ask("B1", 1)["request"]


def withdrawal_refused(province: Province, lot: int, posts: int, **more) -> Refused:
    with pytest.raises(Refused) as caught:
        province.do(withdraw_posts, "reviewer", lot, posts, "文6", **more)
    assert caught.value.details["answer"] in ("NOT_ENOUGH", "LIMIT")
    return caught.value


def test_who_may_not_withdraw_is_told_who_holds_the_posts_and_what_would_have_to_come_back(province):
    lot, number = lot_in_use(province)
    refused = withdrawal_refused(province, lot, 3)
    assert refused.message == (
        f"{province.today} 第 {lot} 批闲置的周转编制只有 1 个，不够划回 3 个；这一批已借出 4 个，申请预占 1 个。"
    )
    told = {name: refused.details[name] for name in ("answer", "most", "holders", "pending", "leaving", "remedies")}
    assert told == {
        "answer": "NOT_ENOUGH", "most": 1, "holders": HOLDERS,
        "pending": [{"request": number, "node": "U:B1", "posts": 1}], "leaving": [],
        "remedies": [{"node": "U:A2", "remedy": "RETURN_POSTS", "posts": 2}],
    }  # fmt: skip
    everything = withdrawal_refused(province, lot, 6).details["remedies"]
    assert [(each["node"], each["remedy"], each["posts"]) for each in everything] == [
        ("U:A2", "RETURN_POSTS", 3), ("U:A3", "RETURN_POSTS", 1), ("U:B1", "DROP_REQUEST", 1),
    ]  # fmt: skip
    give_back(province, "A2", 1)
    withdrawal_refused(province, lot, 3)
    give_back(province, "A2", 1)
    province.do(withdraw_posts, "reviewer", lot, 3, "文6")
    assert_whole(province)


def give_back(province: Province, unit: str, posts: int, login: str = "reviewer") -> None:
    with reading(province.engine) as session:
        loan = session.scalars(select(PoolLoan.loan_no).where(PoolLoan.unit_code == unit)).one()
    province.do(return_posts, login, loan, posts)


def test_a_withdrawal_that_the_trees_would_not_bear_once_the_posts_are_back_asks_for_that_too(province):
    province.grant("A1", 1)
    lot = province.pool(K2, 1, source="USE_RIGHT_LENT", giver="U:A1")
    province.lend("B1", 1, director="citydirector", reviewer="reviewer3")
    province.pool(CITY, 1, login="cityreviewer")
    province.lend("A2", 1, director="citydirector")
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=0)
    assert withdrawal_refused(province, lot, 1).details["remedies"] == [
        {"node": "U:B1", "remedy": "RETURN_POSTS", "posts": 1},
        {"node": K2, "remedy": "RAISE_BORROW_LIMIT", "posts": 1},
    ]
    give_back(province, "B1", 1, login="reviewer3")
    assert withdrawal_refused(province, lot, 1).details["answer"] == "LIMIT"
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=1)
    province.do(withdraw_posts, "reviewer", lot, 1, "文6")
    assert_whole(province)


def test_a_withdrawal_booked_for_a_later_day_is_named_where_it_takes_the_posts(province):
    province.grant("A1", 3)
    lot = province.pool(K2, 3, source="USE_RIGHT_LENT", giver="U:A1")
    later = province.today + timedelta(days=5)
    seq = province.do(withdraw_posts, "reviewer", lot, 2, "文6", effective=later)["movement"]
    details = withdrawal_refused(province, lot, 2).details
    assert details["leaving"] == [{"movement": seq, "kind": "WITHDRAW", "day": later.isoformat(), "posts": 2}]
    assert (details["has"], details["most"], details["remedies"], details["holders"]) == (1, 1, [], [])


def test_a_withdrawal_of_a_day_gone_by_names_who_held_the_posts_then_and_no_return_of_today(province):
    province.grant("A1", 2)
    lot = province.pool(K2, 2, source="USE_RIGHT_LENT", giver="U:A1")
    then = province.today
    province.lend("A2", 2, director="citydirector")
    province.pass_days(3)
    give_back(province, "A2", 2)
    details = withdrawal_refused(province, lot, 1, effective=then).details
    assert (details["has"], details["holders"], details["remedies"]) == (0, [{"node": "U:A2", "posts": 2}], [])
    province.do(withdraw_posts, "reviewer", lot, 1, "文6")


def limited(province: Province, posts: int) -> None:
    """Q08's limit of the county's division."""
    with writing(province.engine) as session:
        take_strength(session, SEEN + timedelta(days=posts), [], [], [("990102", FULL[0], posts)])


def test_where_the_total_of_the_division_bears_no_new_posts_vacant_ones_of_its_units_are_asked_for(province):
    province.grant("A2", 2)
    province.pool(K2, 1)
    limited(province, 3)
    lacking = refused(province, "A1", 3)
    assert (lacking["answer"], lacking["most"], lacking["total"]) == (
        "NO_STOCK", 1, {"division": "990102", "limit": 3, "total": 3},
    )  # fmt: skip
    assert lacking["remedies"] == [{"node": K2, "remedy": "POOL_VACANT", "posts": 2}]
    with pytest.raises(Refused, match="编制总量限额"):
        province.pool(K2, 1)
    province.pool(K2, 1, source="USE_RIGHT_LENT", giver="U:A2")
    assert refused(province, "A1", 3)["answer"] == "NO_STOCK"
    province.pool(K2, 1, source="USE_RIGHT_LENT", giver="U:A2")
    province.ask("A1", 3)
    assert_whole(province)


def test_where_the_total_bears_them_new_posts_are_asked_for(province):
    province.grant("A2", 2)
    province.pool(K2, 1)
    limited(province, 5)
    lacking = refused(province, "A1", 3)
    assert lacking["remedies"] == [{"node": K2, "remedy": "ADD_POSTS", "posts": 2}]
    assert "total" not in lacking
    province.pool(K2, 2)
    province.ask("A1", 3)


def test_what_the_total_refuses_from_outside_has_to_come_from_the_divisions_own_units_too(province):
    province.grant("A2", 5)
    province.pool(K2, 1)
    province.pool(CITY, 5, login="cityreviewer")
    limited(province, 8)
    lacking = refused(province, "A1", 8)
    assert (lacking["most"], lacking["remedies"]) == (3, [{"node": K2, "remedy": "POOL_VACANT", "posts": 5}])
    province.pool(K2, 4, source="USE_RIGHT_LENT", giver="U:A2")
    assert refused(province, "A1", 8)["answer"] == "TOTAL_EXCEEDED"
    province.pool(K2, 1, source="USE_RIGHT_LENT", giver="U:A2")
    province.ask("A1", 8)
    assert_whole(province)
