"""The whole chain on both databases: plan, consult, apply, review, sign, enter, papers, pay, leave; and what is refused."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.db import engine_for, reading, writing
from core.errors import Forbidden, InputRejected, Refused
from core.outbox import OutboxMail
from core.person_identity import PersonIdentity, numbers_of
from pool.service import fill_posts, release_posts
from pool.service_people import delegate
from pool.service_reversal import reverse_movement
from staffing.books import permit_rows
from staffing.chain import Subject
from staffing.housekeeping import keep_staffing
from staffing.lists import work_list
from staffing.notices import acknowledge_notice, notice_page
from staffing.people import people_on_posts, rekey_people
from staffing.service_applications import (
    apply_for_posts,
    confirm_cost,
    refuse_application,
    review_application,
    submit_application,
    withdraw_application,
)  # fmt: skip
from staffing.service_entries import finish_papers, note_pay
from staffing.service_exits import cancel_slot
from staffing.service_permits import grant_permit, grant_waiver, revoke_permit
from staffing.service_plans import ask_consultation, give_opinion, pass_plan, review_plan, submit_plan
from tests.poolkit import FULL
from tests.staffkit import KEY, Gate, found_gate, movements, notices, person, refused

A, S = Subject.APPLICATION, Subject.SLOT


@pytest.fixture
def gate(database_url) -> Gate:
    return found_gate(engine_for(database_url))


def test_from_plan_to_pay_and_out_again(gate):
    gate.opened("A1", 3, 1)
    gate.plan("A1", 2)
    talk = gate.consult("A1", 2)
    asked = gate.do(apply_for_posts, "officer-a1", gate.wish("A1", 2, entry_form="RECRUIT", consultation_no=talk))
    assert (asked["status"], asked["yearly_cost"], asked["figures"]["usable"]) == ("SUBMITTED", 300000, 2)
    number = asked["application"]
    with refused("WRONG_STATUS"):
        gate.do(grant_permit, "director", number)
    gate.do(review_application, "reviewer", number)
    with refused("COST_NOT_CONFIRMED"):
        gate.do(grant_permit, "director", number)
    assert gate.do(confirm_cost, "finance", number, 280000)["yearly_cost"] == 280000
    permit = gate.do(grant_permit, "director", number)
    assert (permit["permit_no"], permit["valid_until"]) == ("用编〔2026〕1号", "2026-12-31")
    assert len(permit["slots"]) == 2
    assert (gate.figures("A1").open_permits, gate.figures("A1").usable) == (2, 0)
    entered = gate.enter("A1", "用编［2026］1号", 1)
    assert (entered["status"], entered["slot"], entered["late"]) == ("FILLED", permit["slots"][0], None)
    slot = entered["slot"]
    with refused("WRONG_STATUS"):
        gate.do(note_pay, "finance", slot, "2026-10")
    assert gate.do(finish_papers, "personnel", slot)["notices"] == 3
    with refused("PAY_BEFORE_ENTRY"):
        gate.do(note_pay, "finance", slot, "2026-09")
    assert gate.do(note_pay, "finance", slot, "2026-11")["status"] == "PAID"
    assert [notice.status for notice in notices(gate, kind="ENTRY")] == ["SENT", "ACKNOWLEDGED", "SENT"]
    assert gate.status(A, number) == "GRANTED"
    gate.enter("A1", permit["permit_no"], 2, slot_no=permit["slots"][1])
    assert gate.status(A, number) == "EXECUTED"
    gate.pass_days(12)
    left = gate.leave(slot, date(2026, 11, 1))
    assert (left["first_unpaid"], left["late"]) == ("2026-11", None)
    with refused("PAY_NOT_STOPPED"):
        gate.do(cancel_slot, "reviewer", slot)
    for notice in notices(gate, kind="EXIT"):
        gate.do(acknowledge_notice, "finance" if notice.receiver == "FINANCE" else "personnel", notice.id)
    assert gate.do(cancel_slot, "reviewer", slot)["status"] == "CANCELLED"
    kinds = [row[:2] for row in movements(gate)][1:]
    assert kinds == [("RESERVE", 2), ("FILL", 1), ("FILL", 1), ("VACATE", 1)]
    assert gate.broken() == []
    with reading(gate.engine) as session:
        mails = {mail.subject for mail in session.scalars(select(OutboxMail))}
    assert {"用编通知单 用编〔2026〕1号：许可 2 个", f"减编通知单 {slot}（单位A1）"} <= mails


def test_the_number_is_sealed_in_the_one_table_and_a_mask_stands_everywhere_else(gate):
    gate.opened("A1", 1)
    gate.plan("A1", 1)
    gate.enter("A1", gate.permit("A1")["permit_no"], 7)
    somebody = person(7)
    with reading(gate.engine) as session:
        number = numbers_of(session, [somebody.key], KEY)[somebody.key]
        assert people_on_posts(session) == {somebody.key}
        tables = session.scalars(select(PersonIdentity.person_key)).all()
        assert list(tables) == [somebody.key]
    url = gate.engine.url
    with gate.engine.connect() as connection:
        names = ["staff_slot", "staff_step", "staff_notice", "pool_command", "audit_event", "outbox_mail"]
        dump = "".join(str(row) for name in names for row in connection.execute(text(f"SELECT * FROM {name}")))
    assert number not in dump
    assert somebody.mask in dump
    assert number not in repr(somebody) + str(url)
    with writing(gate.engine) as session:
        assert rekey_people(session, KEY, "another-person-key-" * 3) == 1


def test_three_persons_sign_and_nobody_twice_by_delegation_either(gate):
    gate.opened("A1", 2)
    gate.plan("A1", 2)
    number = gate.apply("A1")
    gate.do(confirm_cost, "finance", number)
    with pytest.raises(Forbidden):
        gate.do(review_application, "officer-a1", number)
    gate.do(delegate, "reviewer", "officer-a1", gate.today, gate.today + timedelta(days=9))
    with refused("OWN_REQUEST"):
        gate.do(review_application, "officer-a1", number, acting_for="reviewer")
    gate.do(review_application, "reviewer", number)
    gate.do(delegate, "director", "reviewer", gate.today, gate.today + timedelta(days=9))
    with refused("DECIDED_BEFORE"):
        gate.do(grant_permit, "reviewer", number, acting_for="director")
    gate.do(delegate, "director", "officer-a1", gate.today, gate.today + timedelta(days=9))
    with refused("OWN_REQUEST"):
        gate.do(grant_permit, "officer-a1", number, acting_for="director")
    gate.do(grant_permit, "director", number)
    with refused("ALREADY_DECIDED"):
        gate.do(grant_permit, "second", number)
    for login in ("auditor", "finance", "officer-a2"):
        with pytest.raises(Refused):
            gate.do(apply_for_posts, login, gate.wish("A1"))


def test_a_permit_is_used_once_in_its_own_unit_and_type_before_it_expires(gate):
    gate.opened("A1", 3)
    gate.opened("A2", 3)
    gate.plan("A1", 3)
    permit = gate.permit("A1")["permit_no"]
    with refused("OTHER_UNIT"):
        gate.enter("A2", permit, 1)
    for partition in (("SUPPORT", "FULL"), ("INSTITUTION", "PART")):
        with refused("OTHER_CELL"):
            gate.enter("A1", permit, 1, partition=partition)
    with refused("ENTRY_DAY"):
        gate.enter("A1", permit, 1, entry_date=gate.today - timedelta(days=1))
    with refused("ENTRY_DAY"):
        gate.enter("A1", permit, 1, entry_date=gate.today + timedelta(days=1))
    gate.enter("A1", permit, 1)
    with refused("USED"):
        gate.enter("A1", permit, 2)
    again = gate.permit("A1")["permit_no"]
    with refused("PERSON_HOLDS_ONE"):
        gate.enter("A1", again, 1)
    gate.pass_days(80)
    assert gate.today == date(2027, 1, 8)
    with refused("PERMIT_EXPIRED"):
        gate.enter("A1", again, 2)
    assert gate.broken() == []


def test_the_day_of_entry_not_of_registration_decides_whether_a_permit_was_valid(gate):
    gate.opened("A1", 2)
    gate.plan("A1", 2)
    permit = gate.permit("A1", 2)
    gate.pass_days(80)
    kept = gate.do(lambda session, act: vars(keep_staffing(session, act.today, act.now)), "reviewer")
    assert kept == {"expired": 1, "blocked": 0, "reminded": 0}
    assert gate.do(lambda session, act: vars(keep_staffing(session, act.today, act.now)), "reviewer")["expired"] == 0
    assert gate.status(A, permit["application"]) == "EXPIRED"
    assert (gate.figures("A1").usable, gate.figures("A1").open_permits) == (2, 0)
    entered = gate.enter("A1", permit["permit_no"], 1, entry_date=date(2026, 12, 30))
    assert gate.slot(entered["slot"]).entry_date == date(2026, 12, 30)
    assert (gate.figures("A1").usable, gate.figures("A1").in_post) == (1, 1)
    gate.enter("A1", permit["permit_no"], 2, entry_date=date(2026, 12, 31))
    assert gate.status(A, permit["application"]) == "EXECUTED"
    assert gate.broken() == []


def test_permits_stay_within_the_plan_and_placement_by_document_outside_it(gate):
    gate.opened("A1", 9)
    with refused("PLAN_EXCEEDED"):
        gate.apply("A1")
    number = gate.do(submit_plan, "officer-a1", "A1", 2026, [(*FULL, 5)])["plan"]
    with refused("PLAN_WAITS"):
        gate.do(submit_plan, "officer-a1", "A1", 2026, [(*FULL, 1)])
    gate.do(review_plan, "reviewer", number)
    with refused("MORE_THAN_ASKED"):
        gate.do(pass_plan, "director", number, "编委5号", {FULL: 6})
    assert gate.do(pass_plan, "director", number, "编委5号", {FULL: 2})["passed"] == 2
    gate.permit("A1", 2)
    with refused("PLAN_EXCEEDED") as caught:
        gate.apply("A1", 3)
    assert caught.value.details["need"] == 3
    talk = gate.consult("A1", 1, "PLACEMENT")
    with refused("PLAN_EXCEEDED"):
        gate.apply("A1", entry_form="PLACEMENT", consultation_no=talk)
    gate.permit("A1", entry_form="PLACEMENT", consultation_no=talk, outside_document="安置1号")
    with pytest.raises(InputRejected):
        gate.apply("A1", outside_document="安置2号")
    gate.plan("A1", 1, document="编委6号")
    gate.permit("A1")
    assert gate.broken() == []


def test_consultation_comes_first_and_is_not_used_twice(gate):
    gate.opened("A1", 9)
    gate.plan("A1", 9)
    for form in ("EXAM", "RECRUIT", "PLACEMENT"):
        with refused("NOT_CONSULTED"):
            gate.apply("A1", entry_form=form)
    talk = gate.consult("A1", 1)
    with refused("CONSULTED_FEWER"):
        gate.apply("A1", 2, entry_form="RECRUIT", consultation_no=talk)
    with refused("NOT_CONSULTED"):
        gate.apply("A1", entry_form="EXAM", consultation_no=talk)
    gate.permit("A1", entry_form="RECRUIT", consultation_no=talk)
    with refused("CONSULTED_FEWER"):
        gate.apply("A1", entry_form="RECRUIT", consultation_no=talk)
    ask = ("officer-a1", "A1", *FULL, 1, "APPOINT", "配备副职")
    asked = gate.do(ask_consultation, *ask, leader_tier="DEPUTY")["consultation"]
    with refused("LEADERS_EXCEEDED"):
        gate.do(give_opinion, "reviewer", asked, True, "同意", leader_posts=2, leaders=2)
    assert gate.do(give_opinion, "reviewer", asked, False, "职数已满")["status"] == "OBJECTED"
    with refused("NOT_CONSULTED"):
        gate.apply("A1", entry_form="APPOINT", leader_tier="DEPUTY", consultation_no=asked)
    asked = gate.do(ask_consultation, *ask, leader_tier="DEPUTY")["consultation"]
    gate.do(give_opinion, "reviewer", asked, True, "同意", leader_posts=2, leaders=1)
    gate.permit("A1", entry_form="APPOINT", leader_tier="DEPUTY", consultation_no=asked)


def test_types_structure_and_reverse_flow(gate):
    gate.opened("A1", 9)
    gate.plan("A1", 9)
    with refused("TYPE_NOT_ALLOWED"):
        gate.apply("A1", partition=("ADMIN", "FULL"))
    gate.permit("A1", 3, work_kind="MANAGEMENT")
    with refused("SHARE_EXCEEDED"):
        gate.apply("A1", work_kind="MANAGEMENT")
    with refused("REVERSE_FLOW"):
        gate.apply("A1", from_level="TOWNSHIP")
    with refused("REVERSE_FLOW"):
        gate.apply("A1", from_fund_form="PART")
    until = gate.today + timedelta(days=5)
    gate.do(grant_waiver, "director", "A1", "豁免〔2026〕1号", "急需人才", until)
    permit = gate.permit("A1", from_level="TOWNSHIP", waiver_no="豁免〔2026〕1号")["permit_no"]
    assert gate.enter("A1", permit, 1)["status"] == "FILLED"
    gate.pass_days(6)
    with refused("REVERSE_FLOW"):
        gate.apply("A1", from_level="TOWNSHIP", waiver_no="豁免〔2026〕1号")
    later = gate.permit("A1")["permit_no"]
    with refused("REVERSE_FLOW"):
        gate.enter("A1", later, 2, from_level="TOWNSHIP")
    with refused("NO_WAIVER"):
        gate.enter("A1", later, 2, from_level="TOWNSHIP", waiver_no="没有")


def test_a_unit_with_overdue_pool_posts_gets_no_permit(gate):
    gate.opened("A1", 1, 1)
    gate.plan("A1", 2)
    gate.pool("COUNTY:990102", 1)
    gate.lend("A1", 1, months=1)
    gate.grant("A1", 2)
    gate.pass_days(40)
    with refused("UNIT_OVERDUE"):
        gate.apply("A1")


def test_what_the_gate_booked_is_undone_in_the_gate_alone(gate):
    gate.opened("A1", 2)
    gate.plan("A1", 2)
    permit = gate.permit("A1", 2)
    entered = gate.enter("A1", permit["permit_no"], 1)
    for deed, login, movement in (
        (release_posts, "reviewer", permit["movement"]), (fill_posts, "reviewer", permit["movement"]),
    ):  # fmt: skip
        with refused("OF_THE_GATE"):
            gate.do(deed, login, movement, 1)
    for movement in (permit["movement"], entered["movement"]):
        with refused("OF_THE_GATE"):
            gate.do(reverse_movement, "director", movement, "编委9号")
    with refused("EXECUTED_IN_PART"):
        gate.do(revoke_permit, "director", permit["application"], "不用了")
    other = gate.apply("A1") if gate.figures("A1").usable else None
    assert other is None


def test_drafts_refusals_withdrawals_and_revoked_permits(gate):
    gate.opened("A1", 2)
    gate.plan("A1", 2)
    draft = gate.do(apply_for_posts, "officer-a1", gate.wish("A1"), draft=True)["application"]
    assert gate.status(A, draft) == "DRAFT"
    gate.do(submit_application, "officer-a1", draft)
    with pytest.raises(InputRejected):
        gate.do(refuse_application, "reviewer", draft, "")
    gate.do(refuse_application, "reviewer", draft, "理由不足")
    with refused("WRONG_STATUS"):
        gate.do(withdraw_application, "officer-a1", draft)
    gate.do(withdraw_application, "officer-a1", gate.apply("A1"))
    permit = gate.permit("A1", 2)
    assert gate.do(revoke_permit, "director", permit["application"], "情况变化")["status"] == "CANCELLED"
    assert gate.figures("A1").usable == 2
    gate.permit("A1", 2)
    assert gate.broken() == []


def test_unacknowledged_notices_age_and_work_lists_say_who_must_act(gate):
    gate.opened("A1", 2)
    gate.plan("A1", 2)
    number = gate.apply("A1")
    jobs = lambda login: {(work.subject, work.move) for work in _work(gate, login)}
    assert ("APPLICATION", "CONFIRM_COST") in jobs("finance")
    assert ("APPLICATION", "REVIEW") in jobs("reviewer")
    assert jobs("director") == jobs("auditor") == jobs("reviewer3") == set()
    gate.do(confirm_cost, "finance", number)
    gate.do(review_application, "reviewer", number)
    assert jobs("director") == {("APPLICATION", "GRANT")}
    slot = gate.enter("A1", gate.do(grant_permit, "director", number)["permit_no"], 1)["slot"]
    gate.do(finish_papers, "personnel", slot)
    gate.pass_days(11)
    with reading(gate.engine) as session:
        views, total = notice_page(session, gate.act("finance").scope, gate.today, 10, open_only=True)
        assert notice_page(session, gate.act("finance3").scope, gate.today, 10)[1] == 0
        (row,) = permit_rows(session, gate.today)
    assert (total, {view.age for view in views}, {view.overdue for view in views}) == (3, {11}, {True})
    assert (row["posts"], row["source_of_people"]) == (1, "TRANSFER")
    mine = {view.notice.receiver: view.notice.id for view in views}
    with pytest.raises(Forbidden):
        gate.do(acknowledge_notice, "finance", mine["INSURANCE"])
    gate.do(acknowledge_notice, "finance", mine["FINANCE"])
    with refused("ACKNOWLEDGED"):
        gate.do(acknowledge_notice, "finance", mine["FINANCE"])
    assert ("NOTICE", "ACKNOWLEDGE") in jobs("personnel")
    assert ("NOTICE", "ACKNOWLEDGE") not in jobs("finance")


def _work(gate: Gate, login: str):
    with reading(gate.engine) as session:
        return work_list(session, gate.act(login))


def test_steps_are_append_only_in_the_database(gate):
    gate.opened("A1", 1)
    gate.plan("A1", 1)
    for statement in ("UPDATE staff_step SET note = 'x'", "DELETE FROM staff_step"):
        with pytest.raises(DBAPIError), writing(gate.engine) as session:
            session.execute(text(statement))


def test_a_repeated_key_replays_and_another_body_is_refused(gate):
    gate.opened("A1", 3)
    gate.plan("A1", 3)
    assert gate.apply("A1", key="once") == gate.apply("A1", key="once")
    with refused("OTHER_BODY"):
        gate.apply("A1", 2, key="once")
