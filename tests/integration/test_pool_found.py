"""What the simulator found in the pool, each once more as a small case on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.db import engine_for
from core.errors import Refused
from pool.service import cut_posts, grant_posts, vacate_posts
from pool.service_loans import Wish, request_loan, submit_request
from pool.service_nodes import merge_nodes, set_limits
from pool.service_people import delegate
from pool.service_reversal import reverse_movement
from tests.poolkit import FULL, Province, found_province


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def refused(answer: str, province: Province, *call, **options) -> None:
    with pytest.raises(Refused) as caught:
        province.do(*call, **options)
    assert caught.value.details["answer"] == answer


def cut(province: Province, posts: int):
    return province.do(cut_posts, "reviewer", "U:A1", *FULL, posts, "编委1")


def test_a_cut_takes_no_more_than_the_quota_on_any_day(province):
    province.grant("A1", 5)
    province.do(grant_posts, "reviewer", "U:A1", *FULL, 3, "编委1", province.today + timedelta(days=9))
    refused("MORE_THAN_QUOTA", province, cut_posts, "reviewer", "U:A1", *FULL, 6, "编委1")
    cut(province, 5)
    refused("MORE_THAN_QUOTA", province, cut_posts, "reviewer", "U:A1", *FULL, 1, "编委1")


def test_a_merged_unit_gets_nothing_back_by_a_reversal_and_no_limit(province):
    province.grant("A1", 5)
    gone = cut(province, 2)["movement"]
    province.do(merge_nodes, "director", "U:A1", "U:A2", "编委3")
    refused("CLOSED", province, reverse_movement, "director", gone, "编委4")
    limits = {"lend": "unlimited", "borrow": 1}
    refused("CLOSED", province, set_limits, "director", "U:A1", *FULL, **limits)


def test_a_unit_with_movements_to_come_is_not_merged(province):
    province.grant("A1", 5)
    province.do(grant_posts, "reviewer", "U:A1", *FULL, 1, "编委1", province.today + timedelta(days=9))
    refused("NOT_EMPTY", province, merge_nodes, "director", "U:A1", "U:A2", "编委3")
    province.pass_days(9)
    province.do(merge_nodes, "director", "U:A1", "U:A2", "编委3")
    assert province.sum_of("home", "U:A2") == 6


def test_a_draft_of_a_closed_unit_is_not_submitted(province):
    province.pool("COUNTY:990102", 5)
    wish = Wish("A1", *FULL, "HEALTH", 1, 12, "急需")
    draft = province.do(request_loan, "officer-a1", wish, draft=True)["request"]
    province.do(merge_nodes, "director", "U:A1", "U:A2", "编委3")
    with pytest.raises(Refused):
        province.do(submit_request, "officer-a1", draft)
    assert province.sum_of("pending") == 0


def test_a_retry_after_midnight_replays(province):
    province.grant("A1", 5)
    first = province.do(grant_posts, "reviewer", "U:A1", *FULL, 1, "编委1", key="late")
    start, end = province.today, province.today + timedelta(days=3)
    given = province.do(delegate, "director", "second", start, end, key="given")
    province.pass_days(1)
    assert province.do(grant_posts, "reviewer", "U:A1", *FULL, 1, "编委1", key="late") == first
    assert province.do(delegate, "director", "second", start, end, key="given") == given
    assert province.sum_of("home", "U:A1") == 6
    refused("OTHER_BODY", province, vacate_posts, "reviewer", "U:A1", *FULL, 1, key="late")
