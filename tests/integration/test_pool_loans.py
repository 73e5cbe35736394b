"""Loans from request to return, on both databases: two steps, three persons, slots, terms, refusals with figures."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from core.audit import AuditEvent, broken_link
from core.db import engine_for, reading, writing
from core.errors import Forbidden, InputRejected, NotFound, Refused
from core.outbox import OutboxMail
from core.units import UnitVersion
from pool.approvals import Status
from pool.housekeeping import keep_pool
from pool.models import PoolDelegation, PoolLoan, PoolMovement, PoolRequest
from pool.service import cut_posts, deposit_posts, grant_posts, withdraw_posts
from pool.service_approvals import approve_request
from pool.service_loans import endorse_request, refuse_request, review_request, submit_request, withdraw_request
from pool.service_people import delegate, revoke_delegation
from pool.service_reversal import reverse_movement
from pool.service_slots import (
    fill_slot,
    recall_loan,
    renew_loan,
    return_posts,
    return_slots,
    swap_slot,
    vacate_slot,
)  # fmt: skip
from tests.poolkit import CITY, FULL, K2, K3, PROVINCE, Province, found_province, slot


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def test_a_loan_is_pending_then_lent_and_a_partial_grant_gives_the_rest_back(province):
    lot = province.pool(K2, 5)
    asked = province.ask("A1", 3)
    assert (province.sum_of("idle"), province.sum_of("pending"), asked["lots"]) == (2, 3, [[lot, K2, 3]])
    province.do(review_request, "reviewer", asked["request"])
    granted = province.do(approve_request, "citydirector", asked["request"], posts=2)
    assert (granted["granted"], granted["given_back"], len(granted["slots"])) == (2, 1, 2)
    assert (province.sum_of("idle"), province.sum_of("pending"), province.sum_of("lent")) == (3, 0, 2)
    assert province.sum_of("borrowed", "U:A1") == 2
    assert province.sum_of("borrowed") == 0
    with reading(province.engine) as session:
        loan = session.get(PoolLoan, granted["loan"])
        assert (loan.start_date, loan.due_date, loan.document_no) == (
            date(2026, 10, 20), date(2027, 10, 20), asked["request"],
        )  # fmt: skip
        kinds = list(session.scalars(select(PoolMovement.kind).order_by(PoolMovement.seq)))
        assert kinds == ["DEPOSIT", "ASK", "LEND", "DROP"]
        assert broken_link(session) is None
        mail = session.scalars(select(OutboxMail)).one()
        assert (mail.recipient, "批准 2 个" in mail.subject) == ("officer-a1@example.org", True)


def test_every_change_leaves_one_audit_event_in_its_transaction(province):
    province.pool(K2, 5)
    with reading(province.engine) as session:
        before = session.scalar(select(func.count()).select_from(AuditEvent))
    granted = province.lend("A1", 1)
    province.do(fill_slot, "reviewer", granted["slots"][0], "k1", "990102********0011")
    with reading(province.engine) as session:
        actions = list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.seq).offset(before)))
        text = " ".join(session.scalars(select(AuditEvent.details)))
    assert actions == ["pool_request_submitted", "pool_request_review", "pool_request_approved", "pool_slot_filled"]
    assert "急需" not in text
    assert "0011" not in text


def test_withdrawing_and_refusing_void_what_is_pending_once(province):
    province.pool(K2, 5)
    first, second = province.ask("A1", 2), province.ask("A2", 2)
    province.do(withdraw_request, "officer-a1", first["request"])
    province.do(refuse_request, "reviewer", second["request"], "理由")
    assert (province.sum_of("idle"), province.sum_of("pending")) == (5, 0)
    for act in (
        lambda: province.do(withdraw_request, "officer-a1", first["request"]),
        lambda: province.do(withdraw_request, "officer-a2", second["request"]),
        lambda: province.do(review_request, "reviewer2", first["request"]),
    ):
        with pytest.raises(Refused):
            act()
    assert (province.sum_of("idle"), province.sum_of("pending")) == (5, 0)


def test_the_other_director_learns_who_decided(province):
    province.pool(K2, 5)
    with writing(province.engine) as session:
        session.execute(_retirements("A1", 5))
    asked = province.ask("A1", 2)
    assert (asked["decision_node"], asked["rule"]) == (K2, "ALLOWED")
    province.do(review_request, "reviewer", asked["request"])
    province.do(approve_request, "director", asked["request"])
    with pytest.raises(Refused, match="已由 director 办理，现为“已批准”") as caught:
        province.do(approve_request, "second", asked["request"])
    assert caught.value.details["decided_by"] == "director"
    with pytest.raises(Refused, match="已由 director"):
        province.do(withdraw_request, "officer-a1", asked["request"])


def _retirements(unit: str, people: int):
    from sqlalchemy import insert

    from pool.models import Strength

    return insert(Strength.__table__).values(
        unit_code=unit, post_type=FULL[0], fund_form=FULL[1], month="2027-03", people=people, as_of=date(2026, 10, 15)
    )


def test_three_persons_decide_through_delegations_too(province):
    province.pool(K2, 5)
    asked = province.ask("A1", 1)
    today = province.today
    province.do(delegate, "citydirector", "reviewer", today, today)
    province.do(review_request, "reviewer", asked["request"])
    with pytest.raises(Refused, match="已经办理过"):
        province.do(approve_request, "reviewer", asked["request"], acting_for="citydirector")
    with pytest.raises(Forbidden, match="没有有效的委托"):
        province.do(approve_request, "reviewer2", asked["request"], acting_for="citydirector")
    with pytest.raises(Refused, match="成环"):
        province.do(delegate, "reviewer", "citydirector", today, today)
    province.do(delegate, "citydirector", "second", today, today)
    province.do(approve_request, "second", asked["request"], acting_for="citydirector")
    other = province.ask("A2", 1)
    province.do(delegate, "reviewer", "officer-a2", today, today)
    with pytest.raises(Refused, match="本人"):
        province.do(review_request, "officer-a2", other["request"], acting_for="reviewer")
    with reading(province.engine) as session:
        own = session.scalar(select(PoolDelegation.id).where(PoolDelegation.taker == "second"))
    province.do(revoke_delegation, "citydirector", own)
    province.do(review_request, "reviewer", other["request"])
    with pytest.raises(Forbidden):
        province.do(approve_request, "second", other["request"], acting_for="citydirector")


def test_the_supervising_department_is_asked_before_the_office(province):
    province.pool(K2, 5)
    with writing(province.engine) as session:
        session.scalars(select(UnitVersion).where(UnitVersion.unit_code == "A1")).one().supervising_code = "A3"
        from core.accounts import GrantSpec, create_user

        create_user(session, login="dept", email="dept@example.org", display_name="d",
                    grants=[GrantSpec("SUPERVISOR", unit_code="A3")], actor="test", now=province.now)  # fmt: skip
    asked = province.ask("A1", 1)
    with pytest.raises(Refused, match="主管部门尚未同意"):
        province.do(review_request, "reviewer", asked["request"])
    province.do(endorse_request, "dept", asked["request"])
    province.do(review_request, "reviewer", asked["request"])


def test_a_draft_holds_nothing_until_it_is_submitted(province):
    province.pool(K2, 5)
    with writing(province.engine) as session:
        from pool.service_loans import Wish, request_loan

        wish = Wish("A1", *FULL, "HEALTH", 2, 12, "急需")
        draft = request_loan(session, province.act("officer-a1"), wish, draft=True)
    assert (draft["status"], province.sum_of("pending")) == ("DRAFT", 0)
    assert province.do(submit_request, "officer-a1", draft["request"])["status"] == "SUBMITTED"
    assert province.sum_of("pending") == 2


def test_each_level_lends_with_what_that_level_needs(province):
    province.pool(CITY, 5, login="cityreviewer")
    granted = province.lend("A1", 1)
    assert granted["slots"]
    province.pool(CITY, 5, login="cityreviewer", partition=("ADMIN", "FULL"))
    with pytest.raises(Refused, match="中央编办批准文号"):
        province.ask("A1", 1, post_type="ADMIN")
    assert province.ask("A1", 1, post_type="ADMIN", central_no="中编1")["decision_node"] == CITY
    province.pool(K2, 3, purpose="TALENT")
    with pytest.raises(Refused, match="例外"):
        province.ask("C1", 1, purpose="TALENT")
    up = province.ask("C1", 1, purpose="TALENT", exception_doc="函1")
    assert up["decision_node"] == PROVINCE
    aside = province.ask("B1", 1, purpose="TALENT")
    assert aside["decision_node"] == CITY
    with pytest.raises(NotFound):
        province.do(approve_request, "director3", aside["request"])


def test_posts_come_from_the_nearest_node_oldest_deposit_first_and_never_across_purposes(province):
    far = province.pool(PROVINCE, 5, login="topreviewer")
    for unit, posts in (("A2", 3), ("A3", 3)):
        province.grant(unit, posts)
    lots = {}
    for unit in ("A3", "A2"):
        lots[unit] = province.pool(K2, 1, source="USE_RIGHT_LENT", giver=f"U:{unit}")
    province.pass_days(1)
    late = province.pool(K2, 1)
    province.pool(K2, 9, purpose="TALENT")
    asked = province.ask("A1", 4)
    assert [row[0] for row in asked["lots"]] == [lots["A2"], lots["A3"], late, far]
    with pytest.raises(Refused, match="只有 4 个，不够 5 个") as caught:
        province.ask("A1", 5)
    details = caught.value.details
    assert (details["answer"], details["has"], details["remedies"]) == (
        "NO_STOCK", 4, [{"node": K2, "remedy": "ADD_POSTS", "posts": 1}],
    )  # fmt: skip


def test_a_lender_keeps_its_quota_and_what_it_retains(province):
    province.grant("A2", 5)
    province.pool(K2, 2, source="USE_RIGHT_LENT", giver="U:A2")
    province.lend("A1", 2)
    with pytest.raises(Refused):
        province.ask("A1", 1)
    assert province.sum_of("home", "U:A2") == 3
    with pytest.raises(Refused, match="不够 4 个"):
        province.pool(K2, 4, source="USE_RIGHT_LENT", giver="U:A2")


def test_who_has_a_vacancy_or_something_overdue_may_not_borrow(province):
    province.pool(K2, 5)
    province.grant("A1", 1)
    with pytest.raises(Refused, match="还有 1 个可用"):
        province.ask("A1", 1)
    loan = province.lend("A2", 1, months=1)
    province.do(fill_slot, "reviewer", loan["slots"][0], "k1", "mask")
    waiting = province.ask("A2", 1)
    province.do(review_request, "reviewer", waiting["request"])
    province.pass_days(40)
    with pytest.raises(Refused, match="逾期未还") as caught:
        province.ask("A2", 1)
    assert caught.value.details["rule"] == "R10"
    with pytest.raises(Refused, match="逾期未还"):
        province.do(approve_request, "citydirector", waiting["request"])
    province.do(vacate_slot, "reviewer", loan["slots"][0])
    province.do(approve_request, "citydirector", waiting["request"])


def test_one_post_one_number_one_person_and_no_refilling(province):
    province.pool(K2, 5)
    first, second = province.lend("A1", 2)["slots"]
    province.do(fill_slot, "reviewer", first, "k1", "mask")
    assert (province.sum_of("in_use", "U:A1"), province.sum_of("home", "U:A1")) == (1, -1)
    for number, person in ((first, "k2"), (second, "k1")):
        with pytest.raises(Refused):
            province.do(fill_slot, "reviewer", number, person, "mask")
    with pytest.raises(Refused, match="还有人"):
        province.do(return_slots, "officer-a1", [first])
    left = province.do(vacate_slot, "reviewer", first)
    assert left["status"] == "RETURNED"
    assert (province.sum_of("lent"), province.sum_of("in_use", "U:A1"), province.sum_of("home", "U:A1")) == (1, 0, 0)
    for act in (
        lambda: province.do(fill_slot, "reviewer", first, "k3", "mask"),
        lambda: province.do(vacate_slot, "reviewer", first),
        lambda: province.do(return_slots, "officer-a1", [first]),
        lambda: province.do(return_slots, "officer-a1", [second, first]),
    ):
        with pytest.raises(Refused):
            act()
    assert slot(province, second).status == Status.ISSUED


@pytest.mark.parametrize("posts", [0, -1, 1.5, "1e3", "１２", "²", 2**63])
def test_what_is_no_number_of_posts_moves_nothing(province, posts):
    province.pool(K2, 5)
    loan = province.lend("A1", 2)
    before = province.balances()
    for act in (
        lambda: province.do(return_posts, "officer-a1", loan["loan"], posts),
        lambda: province.ask("A2", posts),
        lambda: province.do(grant_posts, "reviewer", "U:A1", *FULL, posts, "编委1"),
    ):
        with pytest.raises(InputRejected, match="编制数"):
            act()
    assert province.balances() == before


def test_more_than_was_borrowed_cannot_be_returned(province):
    province.pool(K2, 5)
    loan = province.lend("A1", 2)
    with pytest.raises(Refused, match="只有 2 个，不能归还 3 个"):
        province.do(return_posts, "officer-a1", loan["loan"], 3)
    assert len(province.do(return_posts, "officer-a1", loan["loan"], "1")["slots"]) == 1
    province.do(return_posts, "officer-a1", loan["loan"], 1)
    with pytest.raises(Refused):
        province.do(return_posts, "officer-a1", loan["loan"], 1)
    assert (province.sum_of("idle"), province.sum_of("lent")) == (5, 0)


def test_a_swap_moves_the_person_onto_an_own_vacancy(province):
    province.pool(K2, 5)
    number = province.lend("A1", 1)["slots"][0]
    province.do(fill_slot, "reviewer", number, "k1", "mask")
    with pytest.raises(Refused, match="空编只有 0 个"):
        province.do(swap_slot, "reviewer", number)
    province.grant("A1", 1)
    swapped = province.do(swap_slot, "reviewer", number)
    assert swapped["own_slot"].startswith("BZ")
    assert (province.sum_of("lent"), province.sum_of("idle"), province.sum_of("in_use", "U:A1")) == (0, 5, 1)
    assert province.sum_of("home", "U:A1") == 0


def test_a_loan_is_renewed_once_from_its_old_due_date(province):
    province.pool(K2, 5)
    loan = province.lend("A1", 2, months=1)
    assert province.do(renew_loan, "citydirector", loan["loan"], 3, "理由")["due_date"] == "2027-02-20"
    with pytest.raises(Refused, match="已续借 1 次"):
        province.do(renew_loan, "citydirector", loan["loan"], 3, "理由")
    with pytest.raises(Forbidden):
        province.do(renew_loan, "reviewer", loan["loan"], 3, "理由")
    assert {slot(province, number).due_date for number in loan["slots"]} == {date(2027, 2, 20)}


def test_a_recall_moves_the_due_date_to_the_end_of_the_grace_and_evicts_nobody(province):
    province.grant("A2", 5)
    lot = province.pool(K2, 2, source="USE_RIGHT_LENT", giver="U:A2")
    loan = province.lend("A1", 1)
    province.do(fill_slot, "reviewer", loan["slots"][0], "k1", "mask")
    with pytest.raises(Refused):
        province.do(withdraw_posts, "reviewer", lot, 2, "文3")
    recalled = province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    assert recalled["due_date"] == "2026-12-19"
    kept = slot(province, loan["slots"][0])
    assert (kept.status, kept.due_date, kept.person_key) == ("RECALLED", date(2026, 12, 19), "k1")
    assert len(province.do(vacate_slot, "reviewer", loan["slots"][0])["home"]) == 1
    province.do(withdraw_posts, "reviewer", lot, 1, "文3")
    assert province.sum_of("home", "U:A2") == 5


def test_a_reversed_entry_leaves_recall_and_term_as_they_are_and_nobody_enters_past_them(province):
    province.pool(K2, 5)
    recalled, late, fresh = province.lend("A1", 3, months=1)["slots"]
    entries = [
        province.do(fill_slot, "reviewer", number, f"k{number}", "mask")["movement"] for number in (recalled, late)
    ]
    province.do(recall_loan, "reviewer", [recalled], "急用")
    province.do(reverse_movement, "director", entries[0], "更正1")
    assert slot(province, recalled).status == "RECALLED"
    with pytest.raises(Refused, match="当前状态是“收回中”"):
        province.do(fill_slot, "reviewer", recalled, "k9", "mask")
    province.pass_days(40)
    with pytest.raises(Refused) as caught:  # no night has said so yet
        province.do(fill_slot, "reviewer", fresh, "k9", "mask")
    assert caught.value.details["answer"] == "PAST_DUE"
    with writing(province.engine) as session:
        keep_pool(session, province.today, province.now)
    province.do(reverse_movement, "director", entries[1], "更正2")
    assert slot(province, late).status == "OVERDUE"
    with pytest.raises(Refused, match="逾期"):
        province.do(fill_slot, "reviewer", late, "k9", "mask")


def test_a_reversed_approval_is_pending_again_and_not_once_a_person_sits_there(province):
    province.pool(K2, 5)
    loan = province.lend("A1", 2)
    filled = province.do(fill_slot, "reviewer", loan["slots"][0], "k1", "mask")
    with pytest.raises(Refused, match="以这笔为依据"):
        province.do(reverse_movement, "citydirector", loan["movement"], "更正1")
    province.do(reverse_movement, "director", filled["movement"], "更正1")
    assert slot(province, loan["slots"][0]).status == "ISSUED"
    with pytest.raises(Refused, match="已冲正过"):
        province.do(reverse_movement, "director", filled["movement"], "更正1")
    province.do(reverse_movement, "citydirector", loan["movement"], "更正2")
    assert (province.sum_of("pending"), province.sum_of("lent"), province.sum_of("in_use")) == (2, 0, 0)
    with reading(province.engine) as session:
        assert session.scalars(select(PoolRequest.status)).one() == "REVIEWED"
    with pytest.raises(Refused, match="已经办理过"):
        province.do(approve_request, "citydirector", loan["request"])


def test_a_grant_others_rest_on_cannot_be_reversed_and_a_cut_may_go_below_use(province):
    given = province.grant("A2", 3)
    province.do(deposit_posts, "reviewer", K2, *FULL, "HEALTH", 2, "USE_RIGHT_LENT", "文1", giver="U:A2")
    with pytest.raises(Refused, match="只有 1 个，不够 3 个"):
        province.do(reverse_movement, "director", given, "更正1")
    province.do(cut_posts, "reviewer", "U:A2", *FULL, 2, "编委3")
    assert province.sum_of("home", "U:A2") == -1
    with pytest.raises(Refused):
        province.pool(K2, 1, source="USE_RIGHT_LENT", giver="U:A2")
    province.grant("A2", 1)
    assert province.sum_of("home", "U:A2") == 0


def test_outside_the_own_subtree_nothing_is_seen(province):
    province.pool(K2, 5)
    asked = province.ask("A1", 1)
    for login in ("reviewer3", "officer-a2"):
        with pytest.raises(NotFound):
            province.do(review_request, login, asked["request"])
    with pytest.raises(Forbidden):
        province.do(review_request, "auditor", asked["request"])
    with pytest.raises(NotFound):
        province.pool(K3, 1, login="reviewer")
