"""A state machine over the whole chain: two units, three officers, a clock. After every step the ledger's proofs hold, and
ledger, permits, slots, the gate's roster and the certificates agree (staffing.proof). Steps are taken as doors take them: the
certificates of the units they move are renewed in their transaction."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import timedelta
from itertools import count
from random import SystemRandom

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event, select

from core.accounts import GrantSpec, create_user
from core.db import engine_for, reading, writing
from core.errors import Refused
from core.migrate import upgrade
from core.settings import load_settings
from pool.proof import broken_proofs
from pool.store import cell_figures
from staffing.blocks import release_block
from staffing.books import roster_rows
from staffing.certificate_pdf import Press
from staffing.certificate_store import certificate_due
from staffing.certificates import renew_certificate, renew_due
from staffing.chain import IN_POST, Status
from staffing.housekeeping import keep_staffing
from staffing.models import StaffApplication, StaffBlock, StaffNotice, StaffPlan, StaffSlot
from staffing.notices import acknowledge_notice
from staffing.own_books import own_copies
from staffing.proof import broken_staffing
from staffing.renewal import mark_of, renew_moved
from staffing.service_applications import apply_for_posts, confirm_cost, review_application, withdraw_application
from staffing.service_carry import carry_posts
from staffing.service_entries import enter, finish_papers, note_pay
from staffing.service_exits import announce_exit, cancel_slot, recant_exit, record_person, register_exit, undo_exit
from staffing.service_permits import grant_permit, revoke_permit
from staffing.service_plans import pass_plan, review_plan, submit_plan
from tests.poolkit import FULL, START
from tests.property.pool_simulator import relaxed
from tests.staffkit import Gate, found_gate, person

UNITS = ("A1", "A2")
QUOTA, PEOPLE = {"A1": 5, "A2": 2}, {"A1": 2, "A2": 2}
FOLDER: list = []
PRESS: list[Press] = []
REACHED: Counter[str] = Counter()
RENEWED: Counter[str] = Counter()
NAMES = count(1)
TIMES = settings(
    max_examples=11, stateful_step_count=35, deadline=None, database=None, print_blob=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


class Chain(RuleBasedStateMachine):
    """officer (both units), office (reviewer), director; finance and personnel hands belong to the second and third."""

    def __init__(self) -> None:
        super().__init__()
        path = FOLDER[0].parent / f"case-{next(NAMES)}.db"
        shutil.copy(FOLDER[0], path)
        self.engine = engine_for(f"sqlite:///{path}")
        event.listen(self.engine, "connect", relaxed)
        self.gate = Gate(self.engine, START)
        self.path, self.people, self.checks = path, count(100), 0

    def teardown(self) -> None:
        assert self.gate.broken() == []
        self.engine.dispose()
        for tail in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + tail).unlink(missing_ok=True)

    def do(self, use_case, login: str, *args, **kwargs):
        """As every door: the act, and the certificates of the units it moved, in one transaction."""
        with writing(self.engine) as session:
            act, since = self.gate.act(login), mark_of(session)
            answer = use_case(session, act, *args, **kwargs)
            RENEWED.update(row["unit_code"] for row in renew_moved(session, PRESS[0], act.now, login, since))
            return answer

    def rows(self, table, *where) -> list:
        with reading(self.engine) as session:
            key = table.id if hasattr(table, "id") else table.number
            return list(session.scalars(select(table).where(*where).order_by(key)))

    def pick(self, data, rows):
        return data.draw(st.sampled_from(rows)) if rows else None

    def try_it(self, use_case, login: str, *args, **kwargs):
        """A use-case is done, or refused in words; anything else is a failure."""
        try:
            answer = self.do(use_case, login, *args, **kwargs)
        except Refused:
            return None
        REACHED[use_case.__name__] += 1
        return answer

    def must(self, use_case, login: str, *args):
        """A use-case that nothing stands in the way of."""
        answer = self.do(use_case, login, *args)
        REACHED[use_case.__name__] += 1
        return answer

    @rule(
        unit=st.sampled_from(UNITS), posts=st.integers(1, 2), bound=st.booleans(), far=st.integers(0, 3), data=st.data()
    )
    def apply(self, unit, posts, bound, far, data):
        coming = self.rows(StaffSlot, StaffSlot.unit_code == unit, StaffSlot.planned_exit.is_not(None))
        slot = self.pick(data, coming) if bound else None
        wish = self.gate.wish(unit, 1 if slot else posts, bound_slot=slot.slot_no if slot else None)
        asked = self.try_it(apply_for_posts, "officer", wish)
        steps = [(confirm_cost, "office"), (review_application, "office"), (grant_permit, "director")]
        for deed, login in steps[: far if asked else 0]:
            self.must(deed, login, asked["application"])

    @rule(data=st.data(), login=st.sampled_from(["officer", "office", "director"]))
    def decide(self, data, login):
        row = self.pick(
            data, self.rows(StaffApplication, StaffApplication.status.in_(["SUBMITTED", "REVIEWED", "GRANTED"]))
        )
        if row is None:
            return
        deeds = [confirm_cost, review_application, grant_permit, withdraw_application]
        deed = data.draw(st.sampled_from([*deeds, revoke_permit]))
        answer = self.try_it(deed, login, row.number, *(["情况变化"] if deed is revoke_permit else []))
        if deed is grant_permit and answer:
            assert (row.status, login) == ("REVIEWED", "director")

    @rule(data=st.data(), unit=st.sampled_from(UNITS), back=st.integers(0, 20))
    def come(self, data, unit, back):
        granted = StaffApplication.permit_no.is_not(None)
        row = self.pick(data, self.rows(StaffApplication, granted))
        if row is None:
            return
        day = self.gate.today - timedelta(days=back)
        entry = self.gate.entry(unit, row.permit_no, next(self.people), entry_date=day)
        room = len(self.rows(StaffSlot, StaffSlot.application_no == row.number, StaffSlot.person_key.is_(None)))
        if self.try_it(enter, "office", entry):
            assert (unit, room > 0, row.granted_on <= day <= row.valid_until) == (row.unit_code, True, True)
            if row.bound_slot:
                assert self.gate.slot(row.bound_slot).exit_date <= day

    @rule(data=st.data())
    def papers_and_pay(self, data):
        row = self.pick(data, self.rows(StaffSlot, StaffSlot.status.in_(["FILLED", "PAPERS"])))
        if row is not None and row.status == Status.FILLED:
            self.try_it(finish_papers, "office", row.slot_no)
        elif row is not None:
            self.try_it(note_pay, "office", row.slot_no, f"{self.gate.today:%Y-%m}")

    @rule(data=st.data(), ahead=st.integers(0, 3))
    def announce(self, data, ahead):
        row = self.pick(data, self.rows(StaffSlot, StaffSlot.status.in_(IN_POST)))
        if row is None:
            return
        if row.planned_exit is None:
            self.try_it(announce_exit, "officer", row.slot_no, self.gate.today + timedelta(days=ahead), "退休")
        elif data.draw(st.booleans()):
            self.try_it(recant_exit, "officer", row.slot_no, "不退了")

    @rule(data=st.data(), back=st.integers(0, 25))
    def leave(self, data, back):
        row = self.pick(data, self.rows(StaffSlot, StaffSlot.status.in_(IN_POST)))
        if row is not None:
            self.try_it(register_exit, "office", row.slot_no, self.gate.today - timedelta(days=back), "退休")

    @rule(data=st.data())
    def undo_or_cancel(self, data):
        row = self.pick(data, self.rows(StaffSlot, StaffSlot.status == "LEFT"))
        if row is None:
            return
        if data.draw(st.booleans()):
            dying = self.rows(
                StaffApplication, StaffApplication.bound_slot == row.slot_no, StaffApplication.status == "GRANTED"
            )
            undone = self.try_it(undo_exit, "director", row.slot_no, "编委9号", "误办")
            assert undone is None or set(undone["dead"]) >= {one.number for one in dying}
        else:
            self.try_it(cancel_slot, "office", row.slot_no)

    @rule(data=st.data())
    def acknowledge(self, data):
        row = self.pick(data, self.rows(StaffNotice, StaffNotice.status == "SENT"))
        if row is not None:
            self.try_it(acknowledge_notice, "office", row.id)

    @rule(data=st.data(), unit=st.sampled_from(UNITS))
    def carry(self, data, unit):
        row = self.pick(data, self.rows(StaffSlot, StaffSlot.status.in_(IN_POST), StaffSlot.unit_code != unit))
        if row is not None:
            self.try_it(carry_posts, "office", [row.slot_no], unit, "编委7号")

    @rule(unit=st.sampled_from(UNITS))
    def plan_again(self, unit):
        year = self.gate.today.year
        blocked = self.rows(StaffBlock, StaffBlock.unit_code == unit, StaffBlock.released_on.is_(None))
        if asked := self.try_it(submit_plan, "officer", unit, year, [(*FULL, 1)]):
            assert blocked == []
            self.must(review_plan, "office", asked["plan"])
            self.must(pass_plan, "director", asked["plan"], "编委2号")
        for block in blocked:
            self.try_it(release_block, "director", block.id, "已补办")
        assert len(self.rows(StaffPlan, StaffPlan.unit_code == unit)) >= 1

    @rule(days=st.sampled_from([1, 1, 2, 7, 40]))
    def pass_days(self, days):
        self.gate.pass_days(days)
        with writing(self.engine) as session:
            keep_staffing(session, self.gate.today, self.gate.now)
            renew_due(session, PRESS[0], self.gate.now)

    @rule(unit=st.sampled_from(UNITS), data=st.data(), undone=st.booleans())
    def one_out_one_in_on_one_day(self, unit, data, undone):
        """On one day: the exit, then the entry; the other way round it is refused. Undone, the permit dies."""
        staying = (StaffSlot.unit_code == unit, StaffSlot.status.in_(IN_POST), StaffSlot.planned_exit.is_(None))
        row = self.pick(data, self.rows(StaffSlot, *staying))
        if row is None:
            return
        self.gate.pass_days(1)
        if not self.try_it(announce_exit, "officer", row.slot_no, self.gate.today, "退休"):
            return
        asked = self.try_it(apply_for_posts, "officer", self.gate.wish(unit, bound_slot=row.slot_no))
        if asked is None:
            return  # over quota, or no plan left
        for deed, login in ((confirm_cost, "office"), (review_application, "office")):
            self.must(deed, login, asked["application"])
        permit = self.must(grant_permit, "director", asked["application"])["permit_no"]
        entry = self.gate.entry(unit, permit, next(self.people))
        self.refused("EXIT_FIRST", enter, entry)
        self.must(register_exit, "office", row.slot_no, self.gate.today, "退休")
        if undone:
            dead = self.must(undo_exit, "director", row.slot_no, "编委9号", "误办")["dead"]
            assert dead == [asked["application"]]
            self.refused("WRONG_STATUS", enter, entry)
            return
        assert self.must(enter, "office", entry)["status"] == "FILLED"
        REACHED["one_out_one_in"] += 1

    def refused(self, answer, use_case, *args):
        with pytest.raises(Refused) as caught:
            self.gate.do(use_case, "office", *args)
        assert caught.value.details["answer"] == answer

    @invariant()
    def ledger_permits_slots_roster_and_certificates_agree(self):
        with reading(self.engine) as session:
            assert broken_staffing(session) == []
            # The pool's whole proof costs ten times a step: every fourth time, and at the end of each example.
            self.checks += 1
            assert self.checks % 4 or broken_proofs(session) == []
            held = cell_figures(session, [f"U:{unit}" for unit in UNITS], self.gate.today)
            roster = roster_rows(session, self.gate.today)
            copies = own_copies(session, self.gate.today, UNITS)
            assert certificate_due(session, UNITS, self.gate.today) == {}
        assert all(row["certified"] and row["ledger"] == row["certificate"] == row["database"] for row in copies)
        assert {f"U:{row['unit_code']}" for row in copies} == {cell.holder for cell in held}
        for cell, figures in held.items():
            mine = [row for row in roster if f"U:{row['unit_code']}" == cell.holder and row["status"] == "IN_SERVICE"]
            assert figures.quota - figures.in_post - figures.open_permits == figures.usable
            assert figures.in_post == len(mine)
            assert figures.usable >= 0
        seats = [row["person_key"] for row in roster if row["status"] == "IN_SERVICE"]
        assert len(seats) == len(set(seats))


@pytest.fixture
def founded(tmp_path):
    """A province with a gate and open ledgers, copied for every example."""
    path = tmp_path / "founded.db"
    engine = engine_for(f"sqlite:///{path}")
    event.listen(engine, "connect", relaxed)
    upgrade(engine)
    gate = found_gate(engine)
    office = [GrantSpec(role, "990102", "COUNTY") for role in ("REVIEWER", "PERSONNEL", "FINANCE")]
    people = {"officer": [GrantSpec("UNIT_OFFICER", unit_code=unit) for unit in UNITS], "office": office}
    with writing(engine) as session:
        for login, grants in people.items():
            create_user(
                session, login=login, email=f"{login}@example.org", display_name=login, grants=grants, actor="test",
                now=START,
            )  # fmt: skip
    for unit in UNITS:
        gate.opened(unit, QUOTA[unit], PEOPLE[unit])
        gate.plan(unit, 4)
    seats = [unit for unit in UNITS for _ in range(PEOPLE[unit])]
    for number, seat in enumerate(seats):
        gate.do(record_person, "office", seat, *FULL, person(number))
    environ = {
        "BIANZHI_HOME": str(tmp_path), "BIANZHI_SECRET_KEY": "machine-secret-" * 3, "BIANZHI_PERSON_KEY": "machine-person-" * 3,
    }  # fmt: skip
    PRESS[:] = [Press.of(load_settings(environ))]
    for unit in UNITS:
        gate.do(renew_certificate, "reviewer", unit, PRESS[0])
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    FOLDER[:] = [path]
    return path


def test_ledger_slots_roster_and_certificate_agree_after_every_step(founded):
    number = SystemRandom().randrange(10**9)
    print(f"seed {number}")
    REACHED.clear()
    RENEWED.clear()
    run_state_machine_as_test(seed(number)(Chain), settings=TIMES)
    print(dict(REACHED))
    # A machine that is refused everything would find nothing.
    assert REACHED.total() >= 50
    assert set(RENEWED) == set(UNITS)
