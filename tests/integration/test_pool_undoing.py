"""Mistakes undone: a return, a taking back, an exit, a swap, a renewal; on both databases, with the proof after each."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import func, select

from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.errors import Forbidden, NotFound, Refused
from core.outbox import OutboxMail
from core.units import UnitVersion
from pool.housekeeping import keep_pool
from pool.models import PoolLoan, PoolMovement, PoolNode, PoolSlot, PoolSlotEvent
from pool.service import withdraw_posts
from pool.service_nodes import merge_nodes, set_limits
from pool.service_opening import plant_tree
from pool.service_reversal import reverse_movement
from pool.service_slots import (
    fill_slot,
    recall_loan,
    renew_loan,
    return_slots,
    swap_slot,
    take_back_slot,
    vacate_slot,
)  # fmt: skip
from tests.poolkit import CITY, FULL, K2, SEEN, Province, assert_whole, found_province, slot


@pytest.fixture
def province(database_url) -> Province:
    return found_province(engine_for(database_url))


def loan_row(province, number) -> PoolLoan:
    with reading(province.engine) as session:
        return session.get(PoolLoan, number)


def undo(province, seq: int, login: str = "citydirector", **given) -> dict:
    return province.do(reverse_movement, login, seq, "更正1", **given)


def refused(answer: str, province, seq: int, login: str = "citydirector") -> Refused:
    with pytest.raises(Refused) as caught:
        undo(province, seq, login)
    assert caught.value.details.get("answer") == answer
    return caught.value


def returned(province, number: str, unit: str = "a1") -> int:
    return province.do(return_slots, f"officer-{unit}", [number])["movements"][0]


def night(province) -> None:
    with writing(province.engine) as session:
        keep_pool(session, province.today, province.now)


def mails(province, digest: str) -> list[OutboxMail]:
    with reading(province.engine) as session:
        return list(session.scalars(select(OutboxMail).where(OutboxMail.digest.startswith(digest))))


def test_a_mistaken_return_gives_the_same_slot_back_with_its_number_and_day(province):
    province.pool(K2, 2)
    loan = province.lend("A1", 2)
    before = slot(province, loan["slots"][0])
    seq = returned(province, before.slot_no)
    assert slot(province, before.slot_no).status == "RETURNED"
    key = "once-only"
    receipt = undo(province, seq, key=key)
    assert undo(province, seq, key=key) == receipt == {"movement": seq + 1, "reverses": seq}
    after = slot(province, before.slot_no)
    assert (after.status, after.due_date, after.ended_on) == ("ISSUED", before.due_date, None)
    assert (province.sum_of("lent"), province.sum_of("idle"), province.sum_of("borrowed", "U:A1")) == (2, 0, 2)
    (mail,) = mails(province, "pool_restored")
    assert (mail.recipient, before.slot_no in mail.text, str(before.due_date) in mail.text) == (
        "officer-a1@example.org", True, True,
    )  # fmt: skip
    refused("REVERSED", province, seq)
    assert_whole(province)
    undo(province, returned(province, before.slot_no))
    undo(province, loan["movement"])
    assert (province.sum_of("pending"), province.sum_of("lent")) == (2, 0)
    assert_whole(province)


def test_a_return_is_undone_by_who_decided_the_loan_alone(province):
    province.pool(K2, 2)
    loan = province.lend("A1", 1)
    seq = returned(province, loan["slots"][0])
    for login in ("director", "reviewer", "director3", "officer-a1"):
        with pytest.raises(NotFound if login == "director3" else Forbidden):
            undo(province, seq, login)
    assert undo(province, seq)["reverses"] == seq


def test_a_return_is_not_undone_once_its_post_has_another_use(province):
    lot = province.pool(K2, 1)
    seq = returned(province, province.lend("A1", 1)["slots"][0])
    asked = province.ask("A3", 1)
    told = refused("RESTED_ON", province, seq)
    assert (told.details["request"], told.details["movement"], told.details["holder"]) == (
        asked["request"], seq + 1, "U:A3",
    )  # fmt: skip
    assert "单位A3" in told.message
    other = province.pool(K2, 1)  # another lot is no help: the slot is of its own
    assert refused("RESTED_ON", province, seq).details["kind"] == "ASK"
    assert_whole(province)
    second = returned(province, province.lend("B1", 1, reviewer="reviewer3")["slots"][0], "b1")
    province.do(withdraw_posts, "reviewer", other, 1, "文3")
    assert refused("RESTED_ON", province, second).details["kind"] == "WITHDRAW"
    assert lot != other


def test_a_return_of_a_recalled_and_of_an_overdue_post_is_undone_to_what_it_is_today(province):
    province.pool(K2, 3)
    recalled, late, soon = province.lend("A1", 3, months=2)["slots"]
    province.do(recall_loan, "reviewer", [recalled], "急用")
    due = slot(province, recalled).due_date
    first = [returned(province, number) for number in (recalled, soon)]
    undo(province, first[0])
    undo(province, first[1])
    assert (slot(province, recalled).status, slot(province, recalled).due_date) == ("RECALLED", due)
    assert slot(province, soon).status == "DUE_SOON"
    second = returned(province, late)
    province.pass_days(90)
    undo(province, second)
    assert slot(province, late).status == "OVERDUE"
    (mail,) = [mail for mail in mails(province, "pool_restored") if late in mail.text]
    assert "已逾期未还" in mail.text
    night(province)
    assert_whole(province)


def test_a_post_taken_back_by_mistake_is_given_back(province):
    province.pool(K2, 1)
    (number,) = province.lend("A1", 1)["slots"]
    province.pass_days(190)
    taken = province.do(take_back_slot, "reviewer", number)
    assert slot(province, number).status == "LAPSED"
    undo(province, taken["movement"])
    assert slot(province, number).status == "ISSUED"
    province.do(fill_slot, "reviewer", number, "k1", "mask")
    assert_whole(province)


def test_an_exit_is_undone_whole_from_either_of_its_movements_and_the_person_is_back(province):
    province.pool(K2, 1)
    (number,) = province.lend("A1", 1)["slots"]
    province.do(fill_slot, "reviewer", number, "k1", "mask")
    for pointed in (0, 1):
        province.pass_days(3)
        left, back = province.do(vacate_slot, "reviewer", number)["movements"]
        receipt = undo(province, (left, back)[pointed])
        assert receipt == {
            "movement": back + 2 - pointed, "reverses": (left, back)[pointed], "also": [(back, left)[pointed]],
        }  # fmt: skip
        kept = slot(province, number)
        assert (kept.status, kept.person_key, kept.ended_on) == ("FILLED", "k1", None)
        assert (province.sum_of("lent"), province.sum_of("in_use", "U:A1")) == (1, 1)
        refused("REVERSED", province, left)
        refused("REVERSED", province, back)
        assert_whole(province)


def test_who_left_and_entered_elsewhere_is_not_put_back(province):
    province.pool(K2, 2)
    (first,) = province.lend("A1", 1)["slots"]
    (second,) = province.lend("A3", 1)["slots"]
    province.do(fill_slot, "reviewer", first, "k1", "mask")
    left, back = province.do(vacate_slot, "reviewer", first)["movements"]
    province.do(fill_slot, "reviewer", second, "k1", "mask")
    refused("PERSON_HOLDS_ONE", province, back)
    refused("PERSON_HOLDS_ONE", province, left)
    assert_whole(province)


def test_a_swap_is_undone_and_the_person_sits_on_the_pool_post_again(province):
    province.pool(K2, 1)
    (number,) = province.lend("A1", 1)["slots"]
    entered = province.do(fill_slot, "reviewer", number, "k1", "mask")
    province.grant("A1", 1)
    swapped = province.do(swap_slot, "reviewer", number)
    assert refused("RESTED_ON", province, entered["movement"], "director").details["movement"] == swapped["movement"]
    undo(province, swapped["movement"])
    kept = slot(province, number)
    assert (kept.status, kept.person_key, kept.own_slot_no) == ("FILLED", "k1", None)
    assert (province.sum_of("home", "U:A1"), province.sum_of("lent"), province.sum_of("borrowed", "U:A1")) == (0, 1, 1)
    assert_whole(province)


def test_a_return_is_not_undone_above_a_limit_set_since_nor_for_a_unit_that_is_gone(province):
    province.pool(CITY, 2, login="cityreviewer")
    (number,) = province.lend("A1", 1)["slots"]
    seq = returned(province, number)
    limits = lambda most: province.do(set_limits, "director", K2, *FULL, lend="unlimited", borrow=most)
    limits(0)
    assert refused("LIMIT", province, seq).details["node"] == K2
    limits(1)
    assert undo(province, seq)["reverses"] == seq
    again = returned(province, number)
    province.do(merge_nodes, "director", "U:A1", "U:A3", "编委3")
    refused("CLOSED", province, again)
    assert_whole(province)


def test_a_mistaken_renewal_puts_the_due_date_back_and_may_be_decided_again(province):
    province.pool(K2, 2)
    loan = province.lend("A1", 2)
    due = loan_row(province, loan["loan"]).due_date
    renewed = province.do(renew_loan, "citydirector", loan["loan"], 6, "还需要")
    receipt = undo(province, renewed["movement"])
    assert receipt["reverses"] == renewed["movement"]
    row = loan_row(province, loan["loan"])
    assert (row.due_date, row.renewals) == (due, 0)
    assert [(one.status, one.due_date) for one in (slot(province, number) for number in loan["slots"])] == [
        ("ISSUED", due), ("ISSUED", due),
    ]  # fmt: skip
    (mail,) = mails(province, "pool_unrenewed")
    assert (mail.recipient, f"{due} 到期" in mail.text) == ("officer-a1@example.org", True)
    assert_whole(province)
    again = province.do(renew_loan, "citydirector", loan["loan"], 3, "改为三个月")
    assert (again["due_date"], len(mails(province, "pool_renewed"))) == ("2028-01-20", 2)
    with pytest.raises(Forbidden):
        undo(province, again["movement"], "director")


def test_a_renewal_is_not_undone_while_a_return_recall_or_entry_rests_on_it(province):
    province.pool(K2, 4)
    first, second, third = (province.lend(unit, 1, months=1) for unit in ("A1", "A2", "A3"))
    fourth = province.lend("B1", 1, months=1, reviewer="reviewer3")
    seq = {
        loan["loan"]: province.do(renew_loan, "citydirector", loan["loan"], 6, "还需要")["movement"]
        for loan in (first, second, third, fourth)
    }
    back = returned(province, first["slots"][0])
    assert refused("RESTED_ON", province, seq[first["loan"]]).details["movement"] == back
    undo(province, back)
    undo(province, seq[first["loan"]])
    province.do(recall_loan, "reviewer", second["slots"], "急用")  # its day lies beyond the old term
    assert refused("RESTED_ON", province, seq[second["loan"]]).details["slot"] == second["slots"][0]
    province.do(fill_slot, "reviewer", third["slots"][0], "k3", "mask")  # within the old term
    undo(province, seq[third["loan"]])
    assert slot(province, third["slots"][0]).status == "DUE_SOON"
    province.pass_days(40)
    entered = province.do(fill_slot, "reviewer3", fourth["slots"][0], "k4", "mask")["movement"]
    assert refused("RESTED_ON", province, seq[fourth["loan"]]).details["movement"] == entered
    undo(province, entered, "director3")
    undo(province, seq[fourth["loan"]])
    assert slot(province, fourth["slots"][0]).status == "OVERDUE"
    assert_whole(province)


def test_an_undone_renewal_leaves_a_recall_that_does_not_depend_on_it(province):
    province.pool(K2, 2)
    loan = province.lend("A1", 2, months=6)
    renewed = province.do(renew_loan, "citydirector", loan["loan"], 6, "还需要")
    recalled, other = loan["slots"]
    province.do(recall_loan, "reviewer", [recalled], "急用")
    day = slot(province, recalled).due_date
    undo(province, renewed["movement"])
    assert (slot(province, recalled).due_date, slot(province, recalled).status) == (day, "RECALLED")
    assert slot(province, other).due_date == date(2027, 4, 20)
    assert_whole(province)


def test_of_two_renewals_the_last_is_undone_first_and_each_finds_its_own_day(province):
    from core.parameters import set_parameter

    with writing(province.engine) as session:
        set_parameter(session, "loan_renewals", "2", "990102", SEEN, actor="topdirector", now=province.now)
    province.pool(K2, 2)
    loan = province.lend("A1", 2, months=12)
    kept = returned(province, loan["slots"][0])
    one = province.do(renew_loan, "citydirector", loan["loan"], 2, "还需要")["movement"]
    undo(province, kept)  # comes back with the day it had
    assert [str(slot(province, number).due_date) for number in loan["slots"]] == ["2027-10-20", "2027-12-20"]
    two = province.do(renew_loan, "citydirector", loan["loan"], 3, "还需要")["movement"]
    refused("RESTED_ON", province, one)
    undo(province, two)
    assert [str(slot(province, number).due_date) for number in loan["slots"]] == ["2027-10-20", "2027-12-20"]
    assert (str(loan_row(province, loan["loan"]).due_date), loan_row(province, loan["loan"]).renewals) == (
        "2027-12-20",
        1,
    )
    undo(province, one)
    assert [str(slot(province, number).due_date) for number in loan["slots"]] == ["2027-10-20", "2027-10-20"]
    assert loan_row(province, loan["loan"]).renewals == 0
    assert_whole(province)


def test_every_movement_undone_has_its_event_and_its_step(province):
    province.pool(K2, 1)
    (number,) = province.lend("A1", 1)["slots"]
    province.do(fill_slot, "reviewer", number, "k1", "mask")
    back = province.do(vacate_slot, "reviewer", number)["movements"][1]
    undo(province, back)
    with reading(province.engine) as session:
        events = session.scalars(select(AuditEvent.subject).where(AuditEvent.action == "pool_reverse")).all()
        step = session.scalars(select(PoolSlotEvent).order_by(PoolSlotEvent.id.desc()).limit(1)).one()
        rows = session.execute(select(PoolMovement.kind, PoolMovement.reverses).where(PoolMovement.seq > back)).all()
    assert events == [f"pool movement {back + 1}", f"pool movement {back + 2}"]
    assert (step.move, step.from_status, step.to_status) == ("RESTORE", "RETURNED", "FILLED")
    assert [tuple(row) for row in rows] == [("REVERSE", back), ("REVERSE", back - 1)]


def test_the_schema_gives_a_person_one_live_slot_and_two_trees_at_once_are_refused_in_words(province):
    """A second root, so that no lock is in common: on PostgreSQL both get as far as the row."""
    with writing(province.engine) as session:
        session.add(UnitVersion(
            unit_code="X1", unit_name="单位X1", division_code="980000", level="PROVINCE", unit_kind="INSTITUTION",
            delivers="PERSONS", delivered_by="980000", seen_on=SEEN,
        ))  # fmt: skip
    province.do(plant_tree, "topdirector")
    with reading(province.engine) as session:
        assert session.scalar(select(func.count()).select_from(PoolNode).where(PoolNode.parent_id.is_(None))) == 2
    province.pool(K2, 2)
    one, two = province.lend("A1", 1)["slots"] + province.lend("A3", 1)["slots"]
    with writing(province.engine) as session:
        for number in (one, two):  # two at once who both looked before either wrote
            row = session.get(PoolSlot, number)
            assert row.person_key is None
    from pool import service_slots

    answers = []
    gate = Barrier(2)
    looked = service_slots.check_no_other_slot

    def looks(session, person_key):
        looked(session, person_key)
        if province.engine.dialect.name == "postgresql":
            gate.wait(20)

    def enter(number):
        try:
            province.do(fill_slot, "reviewer", number, "k1", "mask")
            answers.append("in")
        except Refused as error:
            answers.append(error.details["answer"])

    for login in ("reviewer",):
        province.act(login)
    held, locked = service_slots.check_no_other_slot, service_slots.once
    service_slots.check_no_other_slot = looks
    service_slots.once = lambda session, act, name, body, nodes, do: locked(session, act, name, body, [], do)
    try:
        threads = [Thread(target=enter, args=(number,)) for number in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    finally:
        service_slots.check_no_other_slot, service_slots.once = held, locked
    assert sorted(answers) == ["PERSON_HOLDS_ONE", "in"]
    assert_whole(province)


def test_the_days_of_a_loan_are_kept_with_the_step_that_changed_them(province):
    province.pool(K2, 1)
    loan = province.lend("A1", 1)
    due = loan_row(province, loan["loan"]).due_date
    province.do(renew_loan, "citydirector", loan["loan"], 6, "还需要")
    province.do(recall_loan, "reviewer", loan["slots"], "急用")
    with reading(province.engine) as session:
        kept = dict(session.execute(select(PoolSlotEvent.move, PoolSlotEvent.due_before)).all())
    assert (kept["ISSUE"], kept["RENEW"]) == (None, due)
    assert kept["RECALL"] > due + timedelta(days=150)


def test_a_renewal_refused_after_a_recalled_post_came_back_names_its_return(province):
    province.grant("A2", 1)
    province.pool(K2, 1, source="USE_RIGHT_LENT", giver="U:A2")
    loan = province.lend("A1", 1)
    renewed = province.do(renew_loan, "citydirector", loan["loan"], 6, "还需要")
    province.do(recall_loan, "officer-a2", loan["slots"], "急用")
    back = returned(province, loan["slots"][0])
    assert refused("RESTED_ON", province, renewed["movement"]).details["movement"] == back
