"""The gate as the source of a night: a unit switched over is green when books and gate agree, and each planted difference
is exactly the flag decision 0016 names."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from core.db import engine_for, reading, writing
from core.parameters import set_parameter
from core.person_identity import person_of
from core.settings import Settings
from night.own_gate import read_differences
from night.places import snapshot_dir
from night.proof import proofs
from night.steps import begin, perform
from pool.models import Strength
from pool.service_opening import switch_unit
from pool.service_slots import fill_slot
from reconcile.models import CellFigure, NightRun
from reconcile.store import newest_run
from staffing.certificate_pdf import Press
from staffing.certificate_store import newest_of
from staffing.certificates import renew_certificate
from staffing.service_carry import carry_posts
from staffing.service_entries import finish_papers, note_pay
from staffing.service_exits import record_person
from tests.nightkit import House, deliver, member, pay, person_id, unit
from tests.poolkit import FULL, K2
from tests.staffkit import KEY, Gate, found_gate, person

NIGHT = date(2026, 10, 31)
SWITCH = date(2026, 10, 20)
D = "990102"
POSTS = {"post_type": "事业", "fund_form": "全额"}
ENTRY = {"entry_date": "2026-10-20", "entry_registered": "2026-10-20", "entry_form": "公开招聘"}


class Office(House):
    """Two units with a ledger: A1 switched to our gate, A2 not; and the books that agree with both."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.share_kept()
        self.engine = engine_for(settings.database_url)
        self.gate: Gate = found_gate(self.engine)
        self.press = Press.of(settings)
        with writing(self.engine) as session:
            set_parameter(session, "gate_start", "2026-10-01", D, date(2026, 1, 1), actor="test", now=datetime.now(UTC))

    def chain(self) -> None:
        """From plan to pay: A1 has 4 posts and 2 people, and one enters."""
        gate = self.gate
        gate.opened("A1", 4, 2)
        gate.opened("A2", 3, 2)
        gate.do(switch_unit, "director", "A1", SWITCH)
        gate.plan("A1", 2)
        talk = gate.consult("A1", 1)
        self.permit = gate.permit("A1", entry_form="RECRUIT", consultation_no=talk)
        self.slot = gate.enter("A1", self.permit["permit_no"], 1)["slot"]
        gate.do(finish_papers, "personnel", self.slot)
        gate.do(note_pay, "finance", self.slot, "2026-10")
        gate.do(renew_certificate, "reviewer", "A1", self.press)

    def entered(self, who: int = 1, **changes) -> dict[str, object]:
        return member(who, "A1", **POSTS, **(ENTRY | changes))

    def seated(self, who: int, code: str = "A1", **changes) -> dict[str, object]:
        return member(who, code, **(POSTS | changes))

    def quotas(self, posts: int = 4, *more: tuple[str, int, str]) -> list[dict[str, object]]:
        rows = [("A1", posts, "台账"), ("A2", 3, "台账"), *more]
        return [
            {"unit_code": code, "quota": number, "doc_no": f"编{code}", "copy": copy, **POSTS}
            for code, number, copy in rows
        ]

    def books(self, as_of: date = NIGHT, people: list | None = None, unpaid: tuple[int, ...] = (), **changes) -> None:
        """people: A1's rows; who of them is not paid."""
        people = [self.entered(), self.seated(11), self.seated(12)] if people is None else people
        roster = [*people, self.seated(21, "A2"), self.seated(22, "A2")]
        month = f"{as_of:%Y-%m}"
        payroll = [
            pay(n, row["unit_code"], person_id=row["person_id"], month=month)
            for row in roster
            if (n := int(row["person_name"][1:])) not in unpaid
        ]
        agree = {
            "units": [unit(code, D, unit_kind="事业单位") for code in ("A1", "A2")],
            "establishment": self.quotas(),
            "roster": roster,
            "payroll": payroll,
        }
        deliver(self.inbox, as_of, D, **(agree | changes))

    def seen(self, as_of: date = NIGHT) -> list[tuple]:
        return [
            (flag["rule"], flag["unit_code"], flag["expected"], flag["found"], flag["cause"])
            for flag in self.flags(as_of)
        ]

    def strength(self) -> dict[str, int]:
        return dict(map(tuple, self.query(select(Strength.unit_code, Strength.people).where(Strength.month == ""))))

    def cells(self, as_of: date = NIGHT) -> dict[str, int]:
        rows = self.query(
            select(CellFigure.unit_code, CellFigure.quota)
            .join(NightRun, NightRun.id == CellFigure.run_id)
            .where(NightRun.as_of == as_of, CellFigure.post_type == "")
        )
        return dict(map(tuple, rows))

    def kinds(self) -> list[tuple]:
        with reading(self.engine) as session:
            folder = snapshot_dir(self.settings, newest_run(session))
        return [(row["kind"], row["unit_code"], row["delivered"], row["ours"]) for row in read_differences(folder)]


@pytest.fixture
def office(settings, database_url) -> Office:
    made = Office(dataclasses.replace(settings, database_url=database_url))
    made.chain()
    return made


def test_from_plan_to_pay_and_the_night_is_green_for_the_switched_unit(office):
    office.books()
    assert office.night(NIGHT) == 0
    assert office.seen() == []
    assert office.kinds() == []
    assert {row["rule"] for row in office.not_evaluable(NIGHT) if row["unit_code"] == "A1"} == set()
    with reading(office.engine) as session:
        run = newest_run(session)
        named = {proof.name: proof for proof in proofs(session, office.settings, run)}
    assert named["用编 账、许可、序号、通知单一致"].holds
    assert named[f"{NIGHT} 第1次 用编登记的人在册"].detail == "1 人"


@pytest.fixture
def desk(settings) -> Office:
    made = Office(settings)
    made.chain()
    return made


LATER = date(2026, 11, 30)
UNKNOWN = "用编〔2026〕1号（用编登记无此人）"


def test_an_entry_the_gate_does_not_know_is_p01_whatever_permit_it_cites(desk):
    cites = desk.entered(2, entry_date="2026-10-21", permit_no="用编〔2026〕1号")
    desk.books(people=[desk.entered(), desk.seated(11), cites])
    assert desk.night(NIGHT) == 0
    assert desk.seen() == [("P01", "A1", "-", UNKNOWN, "UNKNOWN_PERMIT")]
    assert [row[:2] for row in desk.kinds()] == [("ENTRY_UNKNOWN", "A1")]


def test_a_permit_of_ours_used_again_in_the_roster_alone_is_shown_with_each_surplus_person(desk):
    again = [desk.entered(n, entry_date="2026-10-21", permit_no="用编〔2026〕1号") for n in (2, 3)]
    desk.books(people=[desk.entered(permit_no="用编〔2026〕1号"), *again])
    assert desk.night(NIGHT) == 0
    assert desk.seen() == [("P01", "A1", "-", UNKNOWN, "UNKNOWN_PERMIT")] * 2


def test_a_permit_of_ours_used_in_a_unit_that_is_not_switched_is_overused(desk):
    stranger = desk.seated(23, "A2", **ENTRY, permit_no="用编〔2026〕1号")
    desk.books(people=[desk.entered(), desk.seated(11), desk.seated(12), stranger])
    assert desk.night(NIGHT) == 0
    assert desk.seen() == [("P03", "A1", 1, 2, "OVERUSED")]


def test_an_entry_the_gate_knows_otherwise_is_p01_with_both_readings(desk):
    desk.books(people=[desk.entered(entry_date="2026-10-25"), desk.seated(11), desk.seated(12)])
    assert desk.night(NIGHT) == 0
    found = "用编〔2026〕1号（入编日期登记为2026-10-20）"
    assert desk.seen() == [("P01", "A1", "-", found, "UNKNOWN_PERMIT")]
    assert desk.kinds() == [("ENTRY_DIFFERS", "A1", "2026-10-25", "入编日期登记为2026-10-20")]


@pytest.mark.parametrize(
    ("posts", "more", "found"),
    [
        (6, (), "CERTIFICATE=4;DATABASE=6"),
        (4, (("A1", 5, "证"),), "CERTIFICATE=5;DATABASE=4"),
        (4, (("A1", 5, "库"), ("A1", 4, "证")), "CERTIFICATE=4;DATABASE=5"),
    ],
)
def test_a_delivered_copy_that_differs_is_q07_and_our_ledger_is_the_quota(desk, posts, more, found):
    desk.books(establishment=desk.quotas(posts, *more))
    assert desk.night(NIGHT) == 0
    assert desk.seen() == [("Q07", "A1", 4, found, None)]
    assert [row[0] for row in desk.kinds()] == ["QUOTA_DIFFERS"]


def test_the_night_renews_the_certificate_before_it_compares_the_copies(desk):
    desk.gate.grant("A1", 1)
    desk.books(establishment=desk.quotas(5))
    assert desk.night(NIGHT) == 0
    assert desk.seen() == []
    with reading(desk.engine) as session:
        # One for the ledger before the night, one for the register it settled.
        assert newest_of(session, "A1").version == 3


def test_an_exit_registered_late_is_p05_by_our_registration_not_the_roster_s(desk):
    number = desk.gate.seated("A1", 11)
    desk.gate.pass_days(35)
    desk.gate.leave(number, date(2026, 10, 21))
    gone = desk.seated(11, status="退休", exit_date="2026-10-21", exit_registered="2026-10-22")
    desk.books(LATER, people=[desk.entered(), gone, desk.seated(12)], unpaid=(11,))
    assert desk.night(LATER) == 0
    assert desk.seen(LATER) == [("P05", "A1", 15, 24, None)]


def test_an_exit_in_the_roster_alone_waits_on_the_list_and_is_p05_after_the_deadline(desk):
    gone = desk.seated(12, status="退休", exit_date="2026-10-22", exit_registered="2026-10-23")
    people = [desk.entered(), desk.seated(11), gone]
    desk.books(people=people, unpaid=(12,))
    assert desk.night(NIGHT) == 0
    assert desk.seen() == []
    assert desk.kinds() == [("EXIT_UNREGISTERED", "A1", "2026-10-22", None)]
    desk.books(LATER, people=people, unpaid=(12,))
    assert desk.night(LATER) == 0
    assert [row[:3] for row in desk.seen(LATER)] == [("P05", "A1", 15)]


def test_an_entry_of_ours_the_roster_lacks_counts_as_in_post_and_is_p04_after_the_deadline(desk):
    people = [desk.seated(11), desk.seated(12)]
    wages = [pay(n, "A1", month="2026-10") for n in (1, 11, 12)] + [pay(n, "A2", month="2026-10") for n in (21, 22)]
    desk.books(people=people, payroll=wages)
    assert desk.night(NIGHT) == 0
    assert desk.seen() == []
    assert [row[0] for row in desk.kinds()] == ["ENTRY_MISSING"]
    assert desk.strength() == {"A1": 3, "A2": 2}
    desk.books(date(2026, 12, 31), people=people, payroll=[row | {"month": "2026-12"} for row in wages])
    assert desk.night(date(2026, 12, 31)) == 0
    assert [row[:3] for row in desk.seen(date(2026, 12, 31))] == [("P04", "A1", 30)]


def test_who_left_by_the_gate_is_in_post_no_more_and_d07_while_the_roster_says_otherwise(desk):
    number = desk.gate.seated("A1", 11)
    desk.gate.pass_days(8)
    desk.gate.leave(number, date(2026, 10, 26))
    desk.books(unpaid=(11,))
    assert desk.night(NIGHT) == 0
    assert desk.seen() == [("D07", "A1", "-", "EXITED_BUT_ACTIVE", None)]
    assert desk.strength() == {"A1": 2, "A2": 2}


def test_until_the_switch_date_the_delivered_books_count(desk):
    desk.gate.do(switch_unit, "director", "A1", date(2026, 11, 15))
    number = {"permit_no": "用编〔2026〕1号"}
    permits = [{
        **number, "unit_code": "A1", **POSTS, "posts": 1, "approved_on": "2026-10-19", "valid_until": "2026-12-31",
        "source_of_people": "公开招聘",
    }]  # fmt: skip
    desk.books(establishment=desk.quotas(6), permits=permits, people=[desk.entered(**number), desk.seated(11)])
    assert desk.night(NIGHT) == 0
    assert desk.seen() == []
    assert desk.cells() == {"A1": 6, "A2": 3}


def test_in_post_during_the_day_is_the_night_s_strength_and_what_the_gate_booked_after_it(desk):
    desk.gate.pass_days(11)
    desk.books()
    assert desk.night(NIGHT) == 0
    assert (desk.gate.figures("A1").in_post, desk.gate.figures("A1").usable) == (3, 1)
    desk.gate.pass_days(1)
    talk = desk.gate.consult("A1", 1)
    permit = desk.gate.permit("A1", entry_form="RECRUIT", consultation_no=talk)
    assert desk.gate.figures("A1").usable == 0
    slot = desk.gate.enter("A1", permit["permit_no"], 5)["slot"]
    assert (desk.gate.figures("A1").in_post, desk.gate.figures("A1").usable) == (4, 0)
    desk.gate.pass_days(1)
    desk.gate.leave(slot, desk.gate.today)
    assert (desk.gate.figures("A1").in_post, desk.gate.figures("A1").usable) == (3, 1)


def test_a_corrected_night_rests_on_the_gate_of_its_first_run_and_a_backfill_on_its_own_day(desk):
    desk.books()
    assert desk.night(NIGHT) == 0
    desk.gate.pass_days(14)
    talk = desk.gate.consult("A1", 1)
    permit = desk.gate.permit("A1", entry_form="RECRUIT", consultation_no=talk)
    desk.gate.enter("A1", permit["permit_no"], 5)
    desk.books(establishment=desk.quotas(4, ("A1", 4, "库")))
    assert desk.night(NIGHT) == 0
    assert desk.seen() == []
    people = lambda as_of, run: pq.read_table(
        desk.settings.snapshots_dir / as_of.isoformat() / str(run) / "own_stay.parquet"
    )["slot_no"].to_pylist()
    assert people(NIGHT, 2) == people(NIGHT, 1) == [desk.slot]
    fifth = desk.entered(5, entry_date="2026-11-03")
    desk.books(LATER, people=[desk.entered(), desk.seated(11), desk.seated(12), fifth])
    assert desk.night(LATER) == 0
    assert (desk.seen(LATER), len(people(LATER, 1))) == ([], 2)
    before = date(2026, 10, 30)
    desk.books(before)
    assert desk.night(before) == 0
    assert (desk.seen(before), people(before, 1)) == ([], [desk.slot])


def test_what_was_delivered_stays_as_it_was_beside_what_the_rules_read(desk):
    desk.books(establishment=desk.quotas(6), people=[desk.seated(11), desk.seated(12)])
    desk.night(NIGHT)
    folder = desk.settings.snapshots_dir / NIGHT.isoformat() / "1"
    sums = lambda name: {
        (row["copy"], row["quota"]) for row in pq.read_table(folder / name).to_pylist() if row["unit_code"] == "A1"
    }
    assert sums("establishment.parquet") == {("LEDGER", 6)}
    assert sums("establishment.read.parquet") == {("LEDGER", 4), ("CERTIFICATE", 4), ("DATABASE", 6)}
    assert pq.read_metadata(folder / "roster.parquet").num_rows == 4
    assert pq.read_metadata(folder / "roster.read.parquet").num_rows == 5


def test_who_came_with_a_post_or_sits_on_a_borrowed_one_is_known_and_not_flagged(desk):
    gate = desk.gate
    gate.opened("A3", 1, 1)
    for code in ("A2", "A3"):
        gate.do(switch_unit, "director", code, SWITCH)
    gate.pass_days(4)
    gate.do(carry_posts, "reviewer", [desk.slot], "A2", "编委〔2026〕7号")
    gate.pool(K2, 1, "TALENT")
    number = gate.lend("A3", 1, purpose="TALENT")["slots"][0]
    gate.do(fill_slot, "reviewer", number, person(31).key, person(31).mask)
    came = {
        "entry_date": "2026-10-24",
        "entry_registered": "2026-10-24",
        "entry_form": "调入",
        "permit_no": "用编〔2026〕1号",
    }
    people = [
        desk.seated(11), desk.seated(12), desk.seated(1, "A2", **came), desk.seated(30, "A3"),
        desk.seated(31, "A3", entry_date="2026-10-24", entry_form="公开招聘", loan_no="写错的借用号"),
    ]  # fmt: skip
    quotas = [("A1", 3, "台账"), ("A2", 4, "台账"), ("A3", 1, "台账")]
    rows = [{"unit_code": code, "quota": n, "doc_no": f"编{code}", "copy": copy, **POSTS} for code, n, copy in quotas]
    units = [unit(code, D, unit_kind="事业单位") for code in ("A1", "A2", "A3")]
    desk.books(people=people, units=units, establishment=rows)
    assert desk.night(NIGHT) == 0
    assert (desk.seen(), desk.kinds()) == ([], [])
    folder = desk.settings.snapshots_dir / NIGHT.isoformat() / "1"
    read = {
        (row["unit_code"], row["person_key"]): row for row in pq.read_table(folder / "roster.read.parquet").to_pylist()
    }
    carried, left = read["A2", person(1).key], read["A1", person(1).key]
    assert (carried["permit_no"], carried["slot_no"], carried["from_unit"]) == ("编委〔2026〕7号", desk.slot, "A1")
    assert (left["status"], left["exit_date"]) == ("LEFT", date(2026, 10, 24))
    lent = read["A3", person(31).key]
    assert (lent["slot_no"], lent["permit_no"][:2]) == (number, "JY")


def test_a_step_that_is_run_again_keeps_what_the_gate_was_when_the_night_began(desk):
    desk.books()
    run = begin(NIGHT, desk.inbox, desk.settings)
    perform("position", run, settings=desk.settings)
    folder = desk.settings.snapshots_dir / NIGHT.isoformat() / "1"
    first = {path.name: path.read_bytes() for path in folder.glob("own_*.parquet")}
    assert set(first) == {"own_unit.parquet", "own_copy.parquet", "own_stay.parquet", "own_permit.parquet"}
    desk.gate.seated("A1", 11)
    (folder / ".own_stay.parquet.killed").write_bytes(b"half")
    perform("position", run, settings=desk.settings)
    assert {path.name: path.read_bytes() for path in folder.glob("own_*.parquet")} == first
    assert desk.night(NIGHT) == 0
    merged = {path.name: path.read_bytes() for path in folder.glob("*.read.parquet")}
    assert len(merged) == 3
    perform("detect", run, settings=desk.settings)
    assert {path.name: path.read_bytes() for path in folder.glob("*.read.parquet")} == merged


@pytest.mark.parametrize("leaves", [False, True])
def test_who_left_by_the_gate_backs_no_loan_though_the_roster_still_counts_the_retirement(desk, leaves):
    number = person_id(11, birth="19690301")
    seat = desk.gate.do(record_person, "personnel", "A1", *FULL, person_of(number, KEY))["slot"]
    desk.gate.pass_days(8)
    if leaves:
        desk.gate.leave(seat, date(2026, 10, 26))
    elder = member(11, "A1", person_id=number, **POSTS)
    desk.books(people=[desk.entered(), elder, desk.seated(12)], unpaid=(11,))
    assert desk.night(NIGHT) == 0
    coming = desk.query(select(Strength.month, Strength.people).where(Strength.unit_code == "A1", Strength.month != ""))
    others = [("2037-08", 1)]
    assert sorted(map(tuple, coming)) == (others if leaves else [("2030-04", 1), *others])
