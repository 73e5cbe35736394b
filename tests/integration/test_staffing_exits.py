"""Exits on both databases: one out, one in; undone and late ones; posts that go with their person; mergers."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from core.db import engine_for, reading
from core.errors import Forbidden, Refused
from pool.service import cut_posts
from pool.service_slots import fill_slot, swap_slot
from staffing.blocks import release_block
from staffing.books import roster_rows
from staffing.chain import Subject
from staffing.housekeeping import keep_staffing
from staffing.models import StaffBlock
from staffing.service_carry import carry_posts, merge_units
from staffing.service_exits import recant_exit, register_exit_of, undo_exit
from staffing.service_permits import revoke_permit
from staffing.service_plans import submit_plan
from tests.poolkit import FULL
from tests.staffkit import Gate, found_gate, notices, person, refused

A, S = Subject.APPLICATION, Subject.SLOT


@pytest.fixture
def gate(database_url) -> Gate:
    return found_gate(engine_for(database_url))


def test_a_full_unit_is_refused_and_one_out_one_in_goes_in_that_order(gate):
    gate.opened("A1", 1, 1)
    gate.plan("A1", 1)
    slot = gate.seated("A1", 1)
    with refused("FULL") as caught:
        gate.apply("A1")
    assert caught.value.details["need"] == 1
    assert caught.value.details["figures"]["quota"] == 1
    with refused("EXIT_OF_ANOTHER"):
        gate.apply("A1", bound_slot=slot)
    gate.leaving(slot, gate.today + timedelta(days=3))
    permit = gate.permit("A1", bound_slot=slot)
    assert permit["movement"] is None
    assert gate.figures("A1").open_permits == 0
    with refused("EXIT_TAKEN"):
        gate.apply("A1", bound_slot=slot)
    with refused("EXIT_FIRST"):
        gate.enter("A1", permit["permit_no"], 2)
    gate.pass_days(3)
    left = gate.leave(slot, gate.today)
    assert left["opened"] == [permit["application"]]
    assert gate.figures("A1").open_permits == 1
    with refused("FULL"):
        gate.apply("A1")
    gate.enter("A1", permit["permit_no"], 2)
    assert gate.figures("A1").in_post == 1
    with refused("BOUND_EXECUTED"):
        gate.do(undo_exit, "director", slot, "编委9号", "误办")
    assert gate.broken() == []


def test_a_permit_bound_to_an_exit_dies_when_the_exit_is_undone_or_recanted(gate):
    gate.opened("A1", 2, 2)
    gate.plan("A1", 2)
    first, second = gate.seated("A1", 1), gate.seated("A1", 2)
    for slot in (first, second):
        gate.leaving(slot, gate.today)
    permit = gate.permit("A1", bound_slot=first)
    waiting = gate.apply("A1", bound_slot=second)
    gate.leave(first)
    with pytest.raises(Forbidden):
        gate.do(undo_exit, "reviewer", first, "编委9号", "误办")
    undone = gate.do(undo_exit, "director", first, "编委9号", "误办")
    assert (undone["status"], undone["dead"]) == ("PAID", [permit["application"]])
    assert gate.status(A, permit["application"]) == "DEAD"
    assert {notice.status for notice in notices(gate, kind="EXIT")} == {"WITHDRAWN"}
    assert (gate.figures("A1").in_post, gate.figures("A1").open_permits) == (2, 0)
    with refused("WRONG_STATUS"):
        gate.enter("A1", permit["permit_no"], 3)
    assert gate.do(recant_exit, "officer-a1", second, "不退了")["dead"] == [waiting]
    assert gate.status(A, waiting) == "DEAD"
    gate.leaving(first, gate.today)
    gate.leave(first)
    assert len(notices(gate, kind="EXIT")) == 6
    assert gate.broken() == []


def test_an_over_quota_unit_only_lets_people_out(gate):
    gate.opened("A1", 1, 3)
    gate.plan("A1", 1)
    slot = gate.seated("A1", 1)
    gate.leaving(slot, gate.today)
    with refused("OVER_QUOTA") as caught:
        gate.apply("A1", bound_slot=slot)
    assert caught.value.details["need"] == 2
    gate.leave(slot)
    assert gate.figures("A1").in_post == 2


def test_late_registrations_block_the_next_plan_until_registered_and_released(gate):
    gate.opened("A1", 4, 1)
    gate.plan("A1", 3)
    permit = gate.permit("A1")["permit_no"]
    slot = gate.seated("A1", 9)
    gate.leaving(slot, gate.today + timedelta(days=1))
    gate.pass_days(60)
    gate.do(lambda session, act: vars(keep_staffing(session, act.today, act.now)), "reviewer")
    with refused("BLOCKED"):
        gate.do(submit_plan, "officer-a1", "A1", 2027, [(*FULL, 1)])
    late = gate.leave(slot, date(2026, 10, 21))["late"]
    entered = gate.enter("A1", permit, 1, entry_date=date(2026, 10, 20))
    assert entered["late"] not in (None, late)
    with refused("NOT_RELEASED"):
        gate.do(submit_plan, "officer-a1", "A1", 2027, [(*FULL, 1)])
    for block in (late, entered["late"]):
        with pytest.raises(Forbidden):
            gate.do(release_block, "reviewer", block, "已补办")
        gate.do(release_block, "director", block, "已补办")
    with refused("RELEASED"):
        gate.do(release_block, "director", late, "再来")
    assert gate.do(submit_plan, "officer-a1", "A1", 2027, [(*FULL, 1)])["status"] == "SUBMITTED"
    with reading(gate.engine) as session:
        dues = {block.kind: block.due_on for block in session.scalars(select(StaffBlock))}
    # 15 working days from 22 October, 30 from 21 October 2026; no public holiday lies between.
    assert dues == {"EXIT": date(2026, 11, 11), "ENTRY": date(2026, 12, 1)}
    assert gate.broken() == []


def test_a_post_goes_with_its_person_to_another_unit_and_level(gate):
    gate.opened("A1", 2)
    gate.opened("A2", 1, 1)
    gate.opened("C1", 1, login="cityreviewer")
    gate.plan("A1", 2)
    permit = gate.permit("A1", 2)["permit_no"]
    slots = [gate.enter("A1", permit, who)["slot"] for who in (1, 2)]
    gate.pass_days(2)
    carried = gate.do(carry_posts, "reviewer", slots[:1], "A2", "编委7号")
    assert carried["slots"] == slots[:1]
    assert (gate.figures("A1").quota, gate.figures("A2").quota) == (1, 2)
    assert (gate.figures("A1").in_post, gate.figures("A2").in_post) == (1, 2)
    moved = gate.slot(slots[0])
    assert (moved.unit_code, moved.status, moved.from_unit, moved.source) == ("A2", "FILLED", "A1", "CARRIED")
    with pytest.raises(Refused):
        gate.do(carry_posts, "superdirector", slots[1:], "C1", "编委8号")
    with reading(gate.engine) as session:
        rows = roster_rows(session, gate.today)
    stays = [(row["unit_code"], row["status"]) for row in rows if row["slot_no"] == slots[0]]
    assert stays == [("A1", "LEFT"), ("A2", "IN_SERVICE")]
    gate.pass_days(1)
    gate.leave(slots[0], gate.today)
    assert gate.figures("A2").in_post == 1
    assert gate.broken() == []


def test_slots_follow_a_merger_in_the_same_transaction(gate):
    gate.opened("A1", 2)
    gate.opened("A2", 1, 1)
    gate.plan("A1", 2)
    first = gate.permit("A1")
    slot = gate.enter("A1", first["permit_no"], 1)["slot"]
    waiting = gate.permit("A1")["application"]
    with refused("PERMITS_OPEN"):
        gate.do(merge_units, "director", "U:A1", "U:A2", "编委10号")
    gate.do(revoke_permit, "director", waiting, "机构调整")
    gate.pass_days(1)
    key = "merge-once"
    answer = gate.do(merge_units, "director", "U:A1", "U:A2", "编委10号", key=key)
    assert gate.do(merge_units, "director", "U:A1", "U:A2", "编委10号", key=key) == answer
    moved = gate.slot(slot)
    assert (moved.unit_code, moved.source, moved.status) == ("A2", "CARRIED", "FILLED")
    assert (gate.figures("A2").quota, gate.figures("A2").in_post) == (3, 2)
    assert gate.broken() == []


def test_people_from_before_the_ledger_leave_by_name_and_nobody_leaves_whom_it_does_not_count(gate):
    gate.opened("A1", 2, 1)
    left = gate.do(register_exit_of, "personnel", "A1", *FULL, person(1), gate.today, "调出")
    assert left["status"] == "LEFT"
    with refused("NOBODY_MORE"):
        gate.do(register_exit_of, "personnel", "A1", *FULL, person(2), gate.today, "调出")
    assert gate.figures("A1").in_post == 0
    assert gate.broken() == []


def test_a_unit_without_a_ledger_is_told_so_and_a_cut_makes_a_bound_permit_wait(gate):
    with refused("NOT_OPENED"):
        gate.do(submit_plan, "officer-b1", "B1", 2026, [(*FULL, 1)])
    gate.opened("A1", 2, 2)
    gate.plan("A1", 2)
    slot = gate.seated("A1", 1)
    gate.leaving(slot, gate.today)
    permit = gate.permit("A1", bound_slot=slot)["permit_no"]
    gate.do(cut_posts, "reviewer", "U:A1", *FULL, 1, "编委11号")
    assert gate.leave(slot)["opened"] == []
    with refused("NOT_ENOUGH"):
        gate.enter("A1", permit, 2)
    assert gate.broken() == []


def test_somebody_swapped_off_a_pool_post_keeps_the_number_the_swap_gave(gate):
    gate.opened("A1", 1, 1)
    gate.pool("COUNTY:990102", 1)
    (lent,) = gate.lend("A1", 1)["slots"]
    gate.do(fill_slot, "reviewer", lent, person(5).key, person(5).mask)
    gate.plan("A1", 2)
    gate.grant("A1", 2)
    permit = gate.permit("A1")["permit_no"]
    with refused("PERSON_HOLDS_ONE"):
        gate.enter("A1", permit, 5)
    own = gate.do(swap_slot, "reviewer", lent)["own_slot"]
    assert gate.seated("A1", 5) == own
    gate.enter("A1", permit, 6)
    gate.pass_days(1)
    gate.leave(own)
    assert [notice.status for notice in notices(gate, slot_no=own)] == ["SENT"] * 3
    assert gate.broken() == []


def test_who_leaves_before_the_papers_were_done_is_announced_all_the_same(gate):
    gate.opened("A1", 1)
    gate.plan("A1", 1)
    slot = gate.enter("A1", gate.permit("A1")["permit_no"], 1)["slot"]
    gate.pass_days(1)
    gate.leave(slot)
    assert {(notice.kind, notice.status) for notice in notices(gate)} == {("ENTRY", "SENT"), ("EXIT", "SENT")}
