"""Posts called back by a lender that keeps its quota: home in the transaction that gives them back, or kept for it (R14)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core.db import engine_for, reading, writing
from core.errors import Refused
from core.outbox import OutboxMail
from pool.homeward import never_back
from pool.housekeeping import keep_pool
from pool.models import PoolDocument, PoolMovement, PoolSlot, PoolSlotEvent
from pool.proposing import situation_of
from pool.service import cut_posts, grant_posts, withdraw_posts
from pool.service_loans import Wish, request_loan
from pool.service_nodes import set_limits
from pool.service_reversal import reverse_movement
from pool.service_slots import (
    fill_slot,
    recall_loan,
    return_posts,
    return_slots,
    swap_slot,
    take_back_slot,
    vacate_slot,
)
from pool.trying import try_change
from tests.poolkit import CITY, FULL, K2, PROVINCE, Province, assert_whole, found_province


@pytest.fixture
def province(database_url) -> Province:
    made = found_province(engine_for(database_url))
    made.grant("A2", 5)
    made.lot = made.pool(K2, 2, source="USE_RIGHT_LENT", giver="U:A2")
    return made


def night(province: Province):
    with writing(province.engine) as session:
        return keep_pool(session, province.today, province.now)


def lent_and_recalled(province: Province, unit: str = "A1", posts: int = 1, **more) -> dict:
    loan = province.lend(unit, posts, **more)
    province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    return loan


def wait(province: Province, unit: str, posts: int = 1):
    return province.do(
        request_loan, f"officer-{unit.lower()}", Wish(unit, *FULL, "HEALTH", posts, 12, "急需"), wait=True
    )


def movement(province: Province, seq: int) -> PoolMovement:
    with reading(province.engine) as session:
        return session.get(PoolMovement, seq)


def moves_of(province: Province, slot_no: str) -> list[str]:
    with reading(province.engine) as session:
        return list(session.scalars(
            select(PoolSlotEvent.move).where(PoolSlotEvent.slot_no == slot_no).order_by(PoolSlotEvent.id)
        ))  # fmt: skip


def mails(province: Province, digest: str) -> list[OutboxMail]:
    with reading(province.engine) as session:
        return list(session.scalars(select(OutboxMail).where(OutboxMail.digest.startswith(digest))))


def given_back(province: Province, way: str) -> tuple[str, dict]:
    """A recalled post comes back this way. → its number, the receipt."""
    loan = lent_and_recalled(province) if way in ("return", "some", "take back") else province.lend("A1", 1)
    number = loan["slots"][0]
    if way in ("leave", "swap"):
        province.do(fill_slot, "reviewer", number, "k1", "mask")
        province.do(recall_loan, "officer-a2", [number], "急用")
    if way == "return":
        return number, province.do(return_slots, "officer-a1", [number])
    if way == "some":
        return number, province.do(return_posts, "officer-a1", loan["loan"], 1)
    if way == "leave":
        return number, province.do(vacate_slot, "reviewer", number, province.today)
    if way == "swap":
        province.do(grant_posts, "reviewer", "U:A1", *FULL, 1, "编委7")
        return number, province.do(swap_slot, "reviewer", number)
    province.pass_days(61)
    night(province)
    return number, province.do(take_back_slot, "reviewer", number)


@pytest.mark.parametrize("way", ["return", "some", "leave", "swap", "take back"])
def test_however_a_recalled_post_comes_back_its_lender_has_it_the_same_moment(province, way):
    number, answer = given_back(province, way)
    home = movement(province, answer["home"][0])
    back = answer.get("movement") or answer["movements"][-1]
    assert (home.kind, home.posts, home.to_holder, home.slot_no, home.rests_on) == ("WITHDRAW", 1, "U:A2", number, back)
    assert "awaiting" not in answer
    assert (province.sum_of("home", "U:A2"), province.sum_of("idle", "U:A2")) == (4, 1)
    assert moves_of(province, number)[-1] == "HOME"
    with reading(province.engine) as session:
        noted = session.get(PoolDocument, home.document_no)
        assert noted.doc_no.startswith(f"收回通知{number}")
        assert noted.doc_date == session.get(PoolSlot, number).recalled_on
    (mail,) = mails(province, "pool_home_")
    assert (mail.recipient, number in mail.text) == ("officer-a2@example.org", True)
    assert_whole(province)


def test_who_waits_is_not_served_a_post_that_its_lender_called_back(province):
    loan = lent_and_recalled(province, posts=2)
    wait(province, "A3")
    province.do(return_slots, "officer-a1", loan["slots"])
    assert night(province).claimed == 0
    assert province.sum_of("home", "U:A2") == 5


def test_posts_of_a_node_stay_in_its_pool_as_before(province):
    province.do(withdraw_posts, "reviewer", province.lot, 2, "文3")
    province.pool(K2, 1)
    loan = province.lend("A1", 1)
    province.do(recall_loan, "reviewer", loan["slots"], "急用")
    (told,) = mails(province, "pool_recall_")
    assert "编制回到周转池" in told.text
    answer = province.do(return_slots, "officer-a1", loan["slots"])
    assert "home" not in answer
    assert province.sum_of("idle", K2) == 1
    wait(province, "A3")
    assert not mails(province, "pool_home_")


def short_of_room(province: Province) -> dict:
    """A2's deposit is lent outside its county, which has borrowed as much on its strength and may owe nothing."""
    loan = province.lend("B1", 1, reviewer="reviewer3")
    province.pool(CITY, 1, login="cityreviewer")
    province.do(withdraw_posts, "reviewer", province.lot, 1, "文3")
    province.lend("A1", 1)
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=0)
    return loan


def test_a_return_is_booked_though_the_post_cannot_go_home_and_nobody_else_is_served_it(province):
    loan = short_of_room(province)
    with reading(province.engine) as session:
        tried = try_change(session, "recall", loan["slots"], province.today)
    assert not [row for row in tried if row.node in ("U:A2", K2)], "as foreseen: it stays in the deposit"
    province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    answer = province.do(return_slots, "officer-b1", loan["slots"])
    assert answer["awaiting"] == loan["slots"]
    assert "home" not in answer
    assert moves_of(province, loan["slots"][0])[-2:] == ["RETURN", "AWAIT"]
    (mail,) = mails(province, "pool_home_")
    assert "每夜再办" in mail.text
    with pytest.raises(Refused) as caught:
        province.ask("B2", 1)
    assert caught.value.details["answer"] == "NO_STOCK"
    wait(province, "B2")
    kept = night(province)
    assert (kept.home, kept.claimed, province.sum_of("idle", "U:A2")) == (0, 0, 1)
    assert_whole(province)


def test_the_night_takes_home_what_waited_before_it_serves_anybody(province):
    loan = short_of_room(province)
    province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    province.do(return_slots, "officer-b1", loan["slots"])
    wait(province, "B2")
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=1)
    kept = night(province)
    assert (kept.home, kept.claimed, province.sum_of("home", "U:A2")) == (1, 0, 5)
    assert moves_of(province, loan["slots"][0])[-1] == "HOME"
    assert night(province).home == 0
    assert_whole(province)


def test_the_office_may_take_home_by_document_what_waits(province):
    loan = short_of_room(province)
    province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    province.do(return_slots, "officer-b1", loan["slots"])
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow="unlimited")
    province.do(withdraw_posts, "reviewer", province.lot, 1, "文4")
    assert moves_of(province, loan["slots"][0])[-1] == "HOME"
    assert night(province).home == 0


def test_the_proposal_counts_neither_on_a_post_called_back_nor_on_one_that_waits(province):
    loan = short_of_room(province)
    province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    with reading(province.engine) as session:
        (recalled,) = [one for one in situation_of(session, province.today).loans if one.recalled]
    assert (recalled.lender, recalled.posts) == ("U:A2", 1)
    province.do(return_slots, "officer-b1", loan["slots"])
    with reading(province.engine) as session:
        (held,) = [row for row in situation_of(session, province.today).holdings if row.node == "U:A2"]
    assert (held.own, held.lend_limit) == (0, 0)


def test_the_withdrawal_is_undone_as_any_other_and_the_post_then_stays_in_the_pool(province):
    loan = lent_and_recalled(province)
    answer = province.do(return_slots, "officer-a1", loan["slots"])
    province.do(reverse_movement, "director", answer["home"][0], "更正1")
    assert (province.sum_of("idle", "U:A2"), night(province).home) == (2, 0)
    assert moves_of(province, loan["slots"][0])[-1] == "UNHOME"
    (told,) = mails(province, "pool_unhomed_")
    assert (told.recipient, loan["slots"][0] in told.text) == ("officer-a2@example.org", True)
    assert province.ask("A1", 2)["status"] == "SUBMITTED"
    assert_whole(province)


def test_what_rests_on_a_withdrawal_keeps_its_deposit_from_being_undone(province):
    loan = lent_and_recalled(province)
    province.do(return_slots, "officer-a1", loan["slots"])
    with pytest.raises(Refused) as caught:
        province.do(reverse_movement, "director", province.lot, "更正1")
    assert caught.value.details["answer"] in ("RESTED_ON", "NOT_ENOUGH")
    assert province.sum_of("idle", PROVINCE) == 0


def test_the_borrower_is_told_where_its_recalled_posts_go(province):
    lent_and_recalled(province)
    (told,) = mails(province, "pool_recall_")
    assert "编制退回出借方" in told.text


def test_a_deposit_undone_takes_home_what_waited_in_it(province):
    loan = short_of_room(province)
    province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    province.do(return_slots, "officer-b1", loan["slots"])
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow="unlimited")
    with reading(province.engine) as session:
        (taken,) = session.scalars(select(PoolMovement.seq).where(PoolMovement.kind == "WITHDRAW")).all()
    province.do(reverse_movement, "director", taken, "更正1")
    province.do(reverse_movement, "director", province.lot, "更正2")
    assert moves_of(province, loan["slots"][0])[-1] == "HOME"
    with reading(province.engine) as session:
        assert never_back(session, *FULL, "HEALTH") == 0
    assert night(province).home == 0
    assert_whole(province)


def test_a_return_is_undone_though_another_post_of_its_lot_waits_since_a_later_day(province):
    """On every day there is a post of the lot besides the one kept for its lender, which came back later."""
    first, second = province.lend("B1", 2, reviewer="reviewer3")["slots"]
    province.pool(CITY, 2, login="cityreviewer")
    province.lend("A1", 2)
    province.pass_days(2)
    back = province.do(return_slots, "officer-b1", [first])["movements"][0]
    province.pass_days(2)
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=0)
    province.do(recall_loan, "officer-a2", [second], "急用")
    waiting = province.do(return_slots, "officer-b1", [second])
    assert waiting["awaiting"] == [second]
    province.do(reverse_movement, "citydirector", back, "更正1")
    assert (province.sum_of("idle", "U:A2"), moves_of(province, first)[-1]) == (1, "RESTORE")
    with pytest.raises(Refused) as caught:
        province.ask("B2", 1)
    assert caught.value.details["answer"] == "NO_STOCK"
    assert_whole(province)


def test_a_post_that_comes_home_again_the_same_day_is_told_again(province):
    loan = lent_and_recalled(province)
    answer = province.do(return_slots, "officer-a1", loan["slots"])
    province.do(reverse_movement, "director", answer["home"][0], "更正1")
    province.do(reverse_movement, "citydirector", answer["movements"][0], "更正1")
    assert "home" in province.do(return_slots, "officer-a1", loan["slots"])
    assert len(mails(province, "pool_home_")) == 2


def test_a_return_undone_is_told_to_the_lender_that_called_the_post_back(province):
    loan = lent_and_recalled(province)
    answer = province.do(return_slots, "officer-a1", loan["slots"])
    province.do(reverse_movement, "director", answer["home"][0], "更正1")
    province.do(reverse_movement, "citydirector", answer["movements"][0], "更正1")
    (told,) = mails(province, "pool_not_back_")
    assert (told.recipient, "收回通知仍然有效" in told.text) == ("officer-a2@example.org", True)
    assert moves_of(province, loan["slots"][0])[-2:] == ["UNHOME", "RESTORE"]


def test_an_ordinary_withdrawal_undone_is_told_for_each_post_it_took_home(province):
    loan = short_of_room(province)
    province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    province.do(return_slots, "officer-b1", loan["slots"])
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow="unlimited")
    taken = province.do(withdraw_posts, "reviewer", province.lot, 1, "文4")["movement"]
    province.do(reverse_movement, "director", taken, "更正1")
    assert moves_of(province, loan["slots"][0])[-2:] == ["HOME", "UNHOME"]
    assert len(mails(province, "pool_unhomed_")) == 1
    assert night(province).home == 0
    assert province.ask("B2", 1)["status"] == "SUBMITTED"


@pytest.mark.parametrize("way", ["home by recall", "withdrawn"])
def test_a_lender_over_quota_takes_its_posts_home_and_the_proof_holds(province, way):
    """T stays: the deposit is less by what the excess is less; the debt is still the one its cut opened."""
    loan = province.lend("B1", 2, reviewer="reviewer3")
    province.pool(CITY, 2, login="cityreviewer")
    province.lend("A1", 2)
    province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=0)
    province.do(cut_posts, "reviewer", "U:A2", *FULL, 5, "核减1")
    assert_whole(province)
    if way == "home by recall":
        province.do(recall_loan, "officer-a2", loan["slots"], "急用")
        assert len(province.do(return_slots, "officer-b1", loan["slots"])["home"]) == 2
    else:
        province.do(return_slots, "officer-b1", loan["slots"])
        taken = province.do(withdraw_posts, "reviewer", province.lot, 1, "文3")["movement"]
        assert_whole(province)
        province.do(withdraw_posts, "reviewer", province.lot, 1, "文4")
        province.do(grant_posts, "reviewer", "U:A2", *FULL, 1, "编委8")
        assert_whole(province)
        province.do(reverse_movement, "director", taken, "更正1")
    assert_whole(province)
