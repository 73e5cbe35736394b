"""The ledger in the night: its position silences what pool posts cover, strength goes back, housekeeping turns slots."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from core.accounts import GrantSpec, Role, create_user
from core.db import engine_for, reading, writing
from core.errors import Refused
from core.identity import keyed
from core.outbox import OutboxMail
from core.settings import load_settings
from night.housekeeping import keep_house
from night.opening import opening_rows
from night.position import beside_ledger, take_position
from night.proof import proofs
from night.rotation import rotate_keys
from night.steps import begin, perform
from pool.housekeeping import open_suggestions
from pool.models import DivisionTotal, PoolSlot, PoolSlotEvent, Strength
from pool.proof import prove_pool
from pool.service_opening import open_balances, plant_tree
from pool.service_slots import fill_slot, vacate_slot
from reconcile.rules.tables import POSITION
from tests.homes import SavedHome, settings_in
from tests.nightkit import A, House, deliver, good_books, member, person_id, quota
from tests.poolkit import K2, Province

NEXT = A + timedelta(days=1)
CELL = ("ADMIN", "FULL")
PEOPLE = {
    "reviewer": GrantSpec(Role.REVIEWER, "990102", "COUNTY"), "director": GrantSpec(Role.DIRECTOR, "990100", "CITY"),
    "officer": GrantSpec(Role.UNIT_OFFICER, unit_code="007"),
}  # fmt: skip


class Office(House):
    """A house whose division keeps a ledger of its own."""

    def __init__(self, settings) -> None:
        super().__init__(settings)
        self.engine = engine_for(settings.database_url)

    def staff(self) -> None:
        with writing(self.engine) as session:
            for login, grant in PEOPLE.items():
                create_user(session, login=login, email=f"{login}@example.org", display_name=login, grants=[grant],
                            actor="test", now=datetime.now(UTC))  # fmt: skip

    def books(self, as_of: date, **changes) -> None:
        """Five people on four posts."""
        books = good_books(5) | {"establishment": [quota(posts=4)]} | changes
        deliver(self.inbox, as_of, "990102", **books)

    def ledger(self, now: datetime = datetime(2026, 10, 15, 10, tzinfo=UTC)) -> Province:
        """The register's tree, and accounts opened from the night of A."""
        desk = Province(self.engine, now=now)
        desk.do(plant_tree, "reviewer")
        with reading(self.engine) as session:
            rows = opening_rows(session, self.settings, A).rows
        desk.do(open_balances, "reviewer", rows, A)
        return desk

    def lend(self, desk: Province, months: int = 1) -> str:
        desk.pool(K2, 2, "TALENT", partition=CELL)
        granted = desk.lend(
            "007", 1, director="director", login="officer", post_type="ADMIN", purpose="TALENT", months=months
        )
        return granted["slots"][0]

    def slot(self, number: str) -> PoolSlot:
        with reading(self.engine) as session:
            return session.get(PoolSlot, number)


@pytest.fixture(scope="module")
def after_a(tmp_path_factory) -> SavedHome:
    """A HOME after the night of A."""
    made = Office(settings_in(tmp_path_factory.mktemp("pool-night") / "home"))
    made.staff()
    made.books(A)
    assert made.night(A) == 0
    return SavedHome(made.settings.home, made.settings.database_url)


@pytest.fixture
def office(after_a) -> Office:
    after_a.put_back()
    return Office(settings_in(after_a.home))


def test_a_borrowed_post_covers_the_person_on_it_from_the_next_night_on(office):
    assert {flag["rule"] for flag in office.flags(A)} == {"Q01", "Q02", "F09"}
    desk = office.ledger()
    number = office.lend(desk, months=12)
    desk.do(fill_slot, "reviewer", number, keyed(office.settings.person_key, person_id(0)), "mask")
    office.books(NEXT)
    assert office.night(NEXT) == 0
    assert office.flags(NEXT) == []
    [row] = pq.read_table(office.settings.snapshots_dir / NEXT.isoformat() / "1" / "position.parquet").to_pylist()
    assert (row["unit_code"], row["borrowed"], row["lent"]) == ("007", 1, 0)
    with reading(office.engine) as session:
        named = [proof for proof in proofs(session, office.settings) if proof.name.startswith("周转池")]
    assert len(named) >= 10
    assert all(proof.holds for proof in named)


def test_the_night_hands_the_pool_its_strength_and_a_backfill_hands_nothing(office):
    strength = lambda: sorted(
        map(tuple, office.query(select(Strength.unit_code, Strength.month, Strength.people, Strength.as_of)))
    )
    # Women of the three even numbers, born in January 1980: 55, and 31 months of the rise.
    assert strength() == [("007", "", 5, A), ("007", "2037-08", 3, A)]
    roster = [member(n) for n in range(4)]
    roster[0] |= {"exit_date": "2026-12-01", "exit_reason": "到龄退休"}
    roster[1] |= {"exit_date": "2027-03-01", "exit_reason": "退休"}
    roster[2] |= {"exit_date": "2027-03-01", "exit_reason": "调出"}
    base = [{"division_code": "990102", "post_type": "行政", "base_2012": 9, "issued_total": 7, "base_paid": 50}]
    office.books(NEXT, roster=roster, base=base)
    assert office.night(NEXT) == 0
    # Who leaves on a day of its own, for whatever reason, is expected at no age.
    assert strength() == [
        ("007", "", 4, NEXT), ("007", "2026-12", 1, NEXT), ("007", "2027-03", 1, NEXT),
    ]  # fmt: skip
    totals = office.query(select(DivisionTotal.division_code, DivisionTotal.post_type, DivisionTotal.posts))
    assert list(map(tuple, totals)) == [("990102", "ADMIN", 7)]
    office.books(A - timedelta(days=1))
    assert office.night(A - timedelta(days=1)) == 0
    assert strength()[0] == ("007", "", 4, NEXT)


def test_housekeeping_turns_reminds_and_proposes_once(office):
    desk = office.ledger(datetime(2026, 9, 20, 10, tzinfo=UTC))
    number = office.lend(desk)
    desk.do(fill_slot, "reviewer", number, keyed(office.settings.person_key, person_id(0)), "mask")
    roster = [member(n) for n in range(5)]
    roster[0] |= {"status": "退休", "exit_date": "2026-10-01", "exit_registered": "2026-10-02", "exit_reason": "退休"}
    office.books(NEXT, roster=roster)
    run = begin(NEXT, office.inbox, office.settings)
    assert office.night(NEXT) == 0
    assert office.slot(number).status == "DUE_SOON"
    state = lambda: [
        office.query(select(PoolSlotEvent.id)), office.query(select(OutboxMail.recipient, OutboxMail.digest)),
    ]  # fmt: skip
    with reading(office.engine) as session:
        assert [(row.kind, row.slot_no) for row in open_suggestions(session)] == [("RETURN", number)]
    before = state()
    assert [row.recipient for row in before[1] if row.digest.startswith("pool_due_soon_")] == ["officer@example.org"]
    assert not any(perform("housekeeping", run, settings=office.settings).values())
    assert state() == before
    late = desk.today + timedelta(days=60)
    kept = keep_house(office.settings, late, datetime(2026, 12, 1, tzinfo=UTC))
    assert (kept["overdue"], office.slot(number).status) == (1, "OVERDUE")
    for day in (A, date(2026, 12, 3)):
        with pytest.raises(Refused):
            keep_house(office.settings, day, datetime(2026, 12, 1, tzinfo=UTC))


def test_a_backfill_keeps_no_house(office):
    desk = office.ledger(datetime(2026, 9, 20, 10, tzinfo=UTC))
    number = office.lend(desk)
    past = A - timedelta(days=1)
    office.books(past)
    assert office.night(past) == 0
    assert office.slot(number).status == "ISSUED"


def test_a_step_tried_again_keeps_the_position_it_took(office):
    desk = office.ledger()
    office.books(NEXT)
    run = begin(NEXT, office.inbox, office.settings)
    taken = take_position(office.settings, run)
    desk.grant("007", 3, CELL)
    assert take_position(office.settings, run) == taken
    office.books(NEXT, establishment=[quota(posts=9)])
    again = begin(NEXT, office.inbox, office.settings)
    assert again != run
    assert take_position(office.settings, again) == taken


def test_a_new_key_finds_the_people_on_slots_again_or_is_refused(tmp_path):
    environ = {"BIANZHI_HOME": str(tmp_path / "home")}
    office = Office(load_settings(environ))
    office.staff()
    office.books(A)
    assert office.night(A) == 0
    desk = office.ledger()
    desk.pool(K2, 4, "TALENT", partition=CELL)
    granted = desk.lend("007", 2, director="director", login="officer", post_type="ADMIN", purpose="TALENT")
    here, stranger = granted["slots"]
    desk.do(fill_slot, "reviewer", here, keyed(office.settings.person_key, person_id(0)), "mask")
    desk.do(fill_slot, "reviewer", stranger, keyed(office.settings.person_key, person_id(77)), "mask")
    now = datetime(2026, 10, 16, tzinfo=UTC)
    with pytest.raises(Refused, match="1 people sit on pool posts"):
        rotate_keys(office.settings, now, "test")
    assert load_settings(environ).person_key == office.settings.person_key
    desk.do(vacate_slot, "reviewer", stranger)
    assert rotate_keys(office.settings, now, "test")["people on slots"] == 1
    fresh = load_settings(environ).person_key
    assert fresh != office.settings.person_key
    assert office.slot(here).person_key == keyed(fresh, person_id(0))
    with reading(office.engine) as session:
        assert all(proof.holds for proof in prove_pool(session))


def table(name: str, *rows: dict) -> pa.Table:
    kinds = {"string": pa.string(), "int64": pa.int64(), "date": pa.date32()}
    schema = pa.schema([(column, kinds[kind]) for column, kind in POSITION[name].items()])
    return pa.Table.from_pylist([dict.fromkeys(POSITION[name]) | row for row in rows], schema=schema)


def cell(unit: str, **more) -> dict:
    return {"unit_code": unit, "post_type": "ADMIN", "fund_form": "FULL", **more}


def moved(number: str, giver: str, taker: str, day: date) -> dict:
    return {
        "movement_no": number, "post_type": "ADMIN", "fund_form": "FULL", "posts": 1, "from_unit": giver,
        "to_unit": taker, "effective_date": day,
    }  # fmt: skip


def test_files_speak_of_other_cells_and_of_what_was_before_the_ledger():
    begins = date(2026, 10, 15)
    files = {
        "position": table("position", cell("007", borrowed=7), cell("008", borrowed=8)),
        "position_quota": table(
            "position_quota", cell("007", quota=1, valid_from=date(2010, 1, 1), valid_to=None),
            cell("007", quota=2, valid_from=begins, valid_to=None),
            cell("008", quota=3, valid_from=begins, valid_to=None),
        ),
        "movement": table(
            "movement", moved("old", "007", "008", begins - timedelta(days=1)), moved("same", "008", "007", begins),
            moved("other", "008", "009", begins),
        ),
        "usable_month": table(
            "usable_month", cell("007", month="2026-09", usable=5), cell("007", month="2026-10", usable=6)
        ),
    }  # fmt: skip
    ledger = {
        "position": [cell("007", borrowed=1, lent=0, reserved=0, open_permits=0, usable=2)],
        "position_quota": [cell("007", quota=4, valid_from=begins, valid_to=None, doc_no="开账")],
        "movement": [],
        "usable_month": [cell("007", month="2026-10", usable=2)],
    }
    both = {name: rows.to_pylist() for name, rows in beside_ledger(files, ledger).items()}
    assert [(row["unit_code"], row["borrowed"]) for row in both["position"]] == [("007", 1), ("008", 8)]
    assert [(row["unit_code"], row["quota"], row["valid_to"]) for row in both["position_quota"]] == [
        ("007", 4, None), ("007", 1, begins - timedelta(days=1)), ("008", 3, None),
    ]  # fmt: skip
    assert [row["movement_no"] for row in both["movement"]] == ["old", "other"]
    assert [(row["month"], row["usable"]) for row in both["usable_month"]] == [("2026-10", 2), ("2026-09", 5)]
    unused = beside_ledger(files, {name: [] for name in POSITION})
    assert unused == files
