"""R06 for requests of one cell side by side, and R16's time; on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.db import engine_for, writing
from core.errors import NotFound, Refused
from pool.service_approvals import approve_request
from pool.service_loans import review_request
from pool.service_opening import take_strength
from pool.service_slots import fill_slot, take_back_slot
from tests.poolkit import CITY, FULL, K2, SEEN, START, Province, found_province


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def test_a_post_unfilled_for_its_time_may_be_taken_back_and_not_before(province):
    province.pool(K2, 5)
    number = province.lend("A1", 1)["slots"][0]
    province.now = START + timedelta(days=182)  # the last day of six months
    with pytest.raises(Refused, match="2027-04-20 以前仍可入编") as caught:
        province.do(take_back_slot, "reviewer", number)
    assert caught.value.details["answer"] == "NOT_YET"
    province.pass_days(1)
    assert province.do(take_back_slot, "reviewer", number)["status"] == "LAPSED"
    assert province.sum_of("idle") == 5


def test_what_retires_backs_the_request_asked_first_and_the_next_goes_one_level_up(province):
    province.pool(K2, 5)
    with writing(province.engine) as session:
        take_strength(session, SEEN, [("A1", *FULL, 0)], [("A1", *FULL, "2027-03", 1)])
    first, second = province.ask("A1", 1), province.ask("A1", 1)
    assert (first["decision_node"], second["decision_node"]) == (K2, CITY)
    for asked in (first, second):
        province.do(review_request, "reviewer", asked["request"])
    slots = province.do(approve_request, "director", first["request"])["slots"]
    province.do(fill_slot, "reviewer", slots[0], "k1", "mask")
    with pytest.raises(NotFound):
        province.do(approve_request, "towndirector", second["request"])
    with pytest.raises(Refused):
        province.do(approve_request, "director", second["request"])
    assert province.do(approve_request, "citydirector", second["request"])["granted"] == 1
