"""Remedies: what a refusal asks for is enough, and no more than needed, with limits in several trees and on several days; on
both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.db import engine_for
from core.errors import InputRejected, Refused
from pool.service_nodes import set_limits
from tests.poolkit import CITY, FULL, K2, PROVINCE, Province, assert_whole, found_province


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
