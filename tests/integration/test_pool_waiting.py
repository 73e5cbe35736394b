"""Requests that wait for posts: registered, nobody jumps the queue, served by the night in R15's order, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.db import engine_for, reading, writing
from core.errors import Refused
from core.outbox import OutboxMail
from pool.housekeeping import keep_pool
from pool.models import PoolRequest
from pool.proof import broken_proofs
from pool.proposal import propose
from pool.proposing import situation_of
from pool.service import withdraw_posts
from pool.service_approvals import approve_request
from pool.service_loans import Wish, refuse_request, request_loan, review_request, submit_request, withdraw_request
from pool.service_slots import return_posts
from pool.waiting_list import lacking_posts
from tests.poolkit import CITY, FULL, K2, PROVINCE, Province, found_province


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def waits(province: Province, unit: str, posts: int, purpose: str = "HEALTH", **more):
    wish = Wish(unit, *FULL, purpose, posts, 12, "急需")
    return province.do(request_loan, f"officer-{unit.lower()}", wish, wait=True, **more)


def night(province: Province):
    with writing(province.engine) as session:
        return keep_pool(session, province.today, province.now)


def lacking(province: Province) -> set[str]:
    with reading(province.engine) as session:
        numbers = list(session.scalars(select(PoolRequest.number)))
        return {session.get(PoolRequest, number).unit_code for number in lacking_posts(session, numbers)}


def holds(province: Province) -> bool:
    with reading(province.engine) as session:
        return broken_proofs(session) == []


def refused(answer: str, province: Province, *call, **options) -> Refused:
    with pytest.raises(Refused) as caught:
        province.do(*call, **options)
    assert caught.value.details["answer"] == answer
    return caught.value


def test_without_stock_a_request_waits_and_holds_nothing(province):
    wish = Wish("A1", *FULL, "HEALTH", 2, 12, "急需")
    refused("NO_STOCK", province, request_loan, "officer-a1", wish)
    answer = waits(province, "A1", 2)
    assert (answer["status"], answer["movement"], answer["waiting"]) == ("SUBMITTED", None, True)
    assert answer["decision_node"] == CITY
    assert province.sum_of("pending") == 0
    assert lacking(province) == {"A1"}
    assert holds(province)


def test_with_stock_asking_to_wait_changes_nothing(province):
    province.pool(K2, 5)
    answer = waits(province, "A1", 2, key="one")
    assert "waiting" not in answer
    assert province.sum_of("pending") == 2
    assert waits(province, "A1", 2, key="one") == answer


def test_a_rule_of_the_own_is_not_waited_away(province):
    province.grant("A1", 3)
    refused("HAS_VACANCY", province, request_loan, "officer-a1", Wish("A1", *FULL, "HEALTH", 1, 12, "急需"), wait=True)


def test_nobody_jumps_the_queue(province):
    waits(province, "A1", 5)
    province.pool(K2, 3)
    error = refused("QUEUED", province, request_loan, "officer-a2", Wish("A2", *FULL, "HEALTH", 1, 12, "急需"))
    assert error.details["ahead"] == 1
    assert waits(province, "B1", 1)["waiting"]
    province.pool(K2, 3, "TALENT")
    assert province.ask("A3", 1, purpose="TALENT")["movement"]
    assert holds(province)


def test_the_night_serves_rigid_needs_then_the_longer_wait_then_the_code(province):
    for unit, purpose in (("B1", "HEALTH"), ("A2", "HEALTH")):
        waits(province, unit, 1, purpose)
    province.pass_days(1)
    waits(province, "A1", 1)
    waits(province, "B2", 1, "PLACEMENT")
    province.pool(CITY, 2, login="cityreviewer")
    province.pool(CITY, 1, "PLACEMENT", login="cityreviewer")
    assert night(province).claimed == 3
    assert lacking(province) == {"A1"}
    assert province.sum_of("pending") == 3
    assert night(province).claimed == 0
    with reading(province.engine) as session:
        mails = [mail.recipient for mail in session.scalars(select(OutboxMail)) if "已占到编制" in mail.subject]
    assert sorted(mails) == ["officer-a2@example.org", "officer-b1@example.org", "officer-b2@example.org"]
    assert holds(province)


def test_the_queue_is_walked_again_when_posts_given_to_one_leave_others_the_next_may_have(province):
    waits(province, "C1", 1)
    province.do(
        request_loan, "officer-c1", Wish("C1", *FULL, "HEALTH", 1, 12, "急需", exception_doc="例外1"), wait=True
    )
    province.pool(K2, 1)  # the oldest, so the nearest: upwards, by document only
    province.pass_days(1)
    province.pool(CITY, 1, login="cityreviewer")
    assert night(province).claimed == 2
    assert night(province).claimed == 0
    assert lacking(province) == set()
    assert holds(province)


def test_one_too_large_is_skipped_for_ninety_days_and_no_longer(province):
    lot = province.pool(K2, 4)
    lent = province.lend("A3", 1)
    large = waits(province, "A1", 4)
    waits(province, "A2", 1)
    assert night(province).claimed == 1
    assert lacking(province) == {"A1"}
    province.pass_days(91)
    waits(province, "B1", 1)
    assert night(province).claimed == 0, "two are idle, and kept for who has waited more than ninety days"
    province.do(return_posts, "officer-a3", lent["loan"], 1)
    assert night(province).claimed == 0, "one of the four is pending elsewhere still"
    province.do(withdraw_request, "officer-a1", large["request"])
    assert night(province).claimed == 1
    assert province.balances()["pending", K2, *FULL, "HEALTH", lot] == 2
    assert holds(province)


def test_one_larger_than_the_whole_pool_locks_nobody_out(province):
    province.pool(K2, 2)
    waits(province, "A1", 3)
    province.pass_days(100)
    waits(province, "A2", 1)
    assert night(province).claimed == 1
    assert lacking(province) == {"A1"}


def test_a_waiting_request_is_reviewed_and_its_approval_claims_first(province):
    number = waits(province, "A1", 2)["request"]
    province.do(review_request, "reviewer", number)
    refused("NO_STOCK", province, approve_request, "citydirector", number)
    province.pool(K2, 2)
    answer = province.do(approve_request, "citydirector", number)
    assert (answer["granted"], len(answer["slots"]), province.sum_of("pending")) == (2, 2, 0)
    assert holds(province)


def test_posts_of_another_directors_place_are_handed_over_by_the_night(province):
    number = waits(province, "A1", 1)["request"]
    province.do(review_request, "reviewer", number)
    province.pool(PROVINCE, 1, login="topreviewer")
    refused("OTHER_PLACE", province, approve_request, "citydirector", number)
    assert (province.sum_of("pending"), night(province).claimed) == (0, 1)
    assert province.do(approve_request, "topdirector", number)["granted"] == 1
    assert holds(province)


def test_a_draft_may_wait_and_a_waiting_one_is_withdrawn_refused_or_lapses(province):
    draft = province.do(request_loan, "officer-a1", Wish("A1", *FULL, "HEALTH", 1, 12, "急需"), draft=True)["request"]
    refused("NO_STOCK", province, submit_request, "officer-a1", draft)
    assert province.do(submit_request, "officer-a1", draft, wait=True)["waiting"]
    second, third = (waits(province, unit, 1)["request"] for unit in ("A2", "B1"))
    assert province.do(withdraw_request, "officer-a1", draft)["movement"] is None
    assert province.do(refuse_request, "reviewer", second, "另行安排")["movement"] is None
    province.pass_days(366)
    assert night(province).lapsed == 1
    with reading(province.engine) as session:
        assert session.get(PoolRequest, third).status == "LAPSED"
    assert holds(province)


def test_the_proposal_weighs_those_who_wait(province):
    number = waits(province, "A1", 2)["request"]
    with reading(province.engine) as session:
        before = propose(situation_of(session, province.today))
    assert [row.request.number for row in before.rejections] == [number]
    lot = province.pool(K2, 2)
    with reading(province.engine) as session:
        after = propose(situation_of(session, province.today + timedelta(days=1)))
    assert [row.request.number for row in after.grants] == [number]
    province.do(withdraw_posts, "reviewer", lot, 1, "编委9")
    assert night(province).claimed == 0
