"""Reorganisation as one dated transaction on both databases: a split with its people, posts, roster and certificates; all
or nothing; and certificates of units that close."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import delete, func, select

from core.db import engine_for, reading, writing
from core.errors import Forbidden, InputRejected, NotFound
from core.permissions import is_current
from core.units import UnitVersion
from pool.models import PoolMovement, PoolNode, PoolReorganisation
from pool.naming import keep_names, rename_unit
from pool.service import cut_posts
from pool.service_nodes import abolish_node
from pool.service_opening import switch_unit
from staffing.certificate_pdf import Press
from staffing.certificate_store import State, newest_of, state_of
from staffing.certificates import renew_certificate
from staffing.own_books import own_copies, own_permits, own_stays
from staffing.renewal import mark_of, renew_moved
from staffing.service_split import Part, split_unit
from staffing.signing import Signer
from tests.poolkit import FULL, SEEN
from tests.staffkit import Gate, found_gate, refused


@pytest.fixture
def press(tmp_path) -> Press:
    return Press(tmp_path / "papers", "https://portal.example", Signer.of("s" * 40))


@pytest.fixture
def gate(database_url) -> Gate:
    """A1 has 5 posts and 3 people with numbers; N1 and N2 stand in the register and nowhere else."""
    gate = found_gate(engine_for(database_url))
    with writing(gate.engine) as session:
        for code in ("N1", "N2"):
            session.add(UnitVersion(
                unit_code=code, unit_name=f"新单位{code}", division_code="990102", level="COUNTY",
                unit_kind="INSTITUTION", delivers="PERSONS", delivered_by="990102", seen_on=SEEN,
            ))  # fmt: skip
    gate.opened("A1", 5, 3)
    gate.seats = [gate.seated("A1", who) for who in (1, 2, 3)]
    gate.pass_days(1)
    return gate


def through_a_door(gate: Gate, press: Press, login: str, use_case, *args, **more) -> dict:
    """As every door does: the act and the certificates it touches, in one transaction."""
    with writing(gate.engine) as session:
        since, act = mark_of(session), gate.act(login)
        answer = use_case(session, act, *args, **more)
        renew_moved(session, press, act.now, login, since)
        return answer


def certify(gate: Gate, press: Press, code: str) -> None:
    gate.do(lambda session, act: renew_certificate(session, act, code, press), "reviewer")


def certificate(gate: Gate, code: str) -> tuple[int, str, list[int]] | None:
    """Version, state and the quotas of the newest certificate of a unit."""
    with reading(gate.engine) as session:
        row = newest_of(session, code)
        if row is None:
            return None
        lines = json.loads(row.content)["facts"]["quotas"]
        return row.version, state_of(session, row, gate.today).value, [line["quota"] for line in lines]


def count(gate: Gate, table=PoolMovement) -> int:
    with reading(gate.engine) as session:
        return session.scalar(select(func.count()).select_from(table))


def test_a_split_moves_people_posts_roster_and_certificates_in_one_transaction(gate, press):
    certify(gate, press, "A1")
    gate.do(switch_unit, "director", "A1", gate.today)
    parts = [Part("N1", tuple(gate.seats[:2]), ((*FULL, 1),)), Part("N2", (gate.seats[2],))]
    done = through_a_door(gate, press, "director", split_unit, "A1", parts, "编委12号")
    assert (done["units"], done["slots"], len(done["movements"])) == (["N1", "N2"], gate.seats, 4)
    assert [(gate.figures(code).quota, gate.figures(code).in_post) for code in ("A1", "N1", "N2")] == [
        (1, 0), (3, 2), (1, 1),
    ]  # fmt: skip
    assert [gate.slot(number).unit_code for number in gate.seats] == ["N1", "N1", "N2"]
    assert [certificate(gate, code) for code in ("A1", "N1", "N2")] == [
        (2, "VALID", [1]), (1, "VALID", [3]), (1, "VALID", [1]),
    ]  # fmt: skip
    with reading(gate.engine) as session:
        assert session.get(PoolNode, "U:N1").switched_on == gate.today
        stays = own_stays(session, gate.today, ["A1", "N1", "N2"])
        here = sorted((row["unit_code"], row["slot_no"]) for row in stays if row["exit_date"] is None)
        assert here == sorted(zip(("N1", "N1", "N2"), gate.seats, strict=True))
        assert {row["permit_no"] for row in own_permits(session, gate.today, ["N1", "N2"])} == {"编委12号"}
        copies = own_copies(session, gate.today, ["A1", "N1", "N2"])
        assert all(row["ledger"] == row["certificate"] == row["database"] for row in copies)
        kinds = session.execute(select(PoolReorganisation.kind, PoolReorganisation.target_id)).all()
    assert kinds == [("SPLIT", "U:N1"), ("SPLIT", "U:N2")]
    assert gate.broken() == []


def test_what_is_refused_in_the_middle_of_a_split_leaves_nothing(gate, press):
    certify(gate, press, "A1")
    before = count(gate), count(gate, PoolNode), certificate(gate, "A1")
    parts = [Part("N1", tuple(gate.seats[:2])), Part("N2", (), ((*FULL, 3),))]
    with refused("NOT_ENOUGH"):
        through_a_door(gate, press, "director", split_unit, "A1", parts, "编委12号")
    assert (count(gate), count(gate, PoolNode), certificate(gate, "A1")) == before
    assert [gate.slot(number).unit_code for number in gate.seats] == ["A1"] * 3
    assert certificate(gate, "N1") is None
    gate.leaving(gate.seats[1], gate.today + timedelta(days=5))
    with refused("EXIT_ANNOUNCED"):
        gate.do(split_unit, "director", "A1", [Part("N1", tuple(gate.seats[:2]))], "编委12号")
    assert gate.slot(gate.seats[0]).unit_code == "A1"
    assert gate.broken() == []


def test_a_unit_split_up_entirely_is_closed_and_its_certificate_with_it(gate, press):
    certify(gate, press, "A1")
    rest = [Part("N1", tuple(gate.seats[:2]), ((*FULL, 1),)), Part("N2", (gate.seats[2],))]
    with refused("NOT_EMPTY"):
        gate.do(split_unit, "director", "A1", rest, "编委12号", closes=True)
    whole = [rest[0], Part("N2", (gate.seats[2],), ((*FULL, 1),))]
    through_a_door(gate, press, "director", split_unit, "A1", whole, "编委12号", closes=True)
    assert certificate(gate, "A1")[1] == State.REVOKED
    assert (certificate(gate, "N1")[2], certificate(gate, "N2")[2]) == ([3], [2])
    with reading(gate.engine) as session:
        assert session.get(PoolNode, "U:A1").closed_on == gate.today
        assert session.get(PoolNode, "U:N1").switched_on is None
    assert gate.broken() == []


def test_who_may_split_what_into_what(gate):
    part = [Part("N1", (gate.seats[0],))]
    for login in ("reviewer", "officer-a1", "personnel"):
        with pytest.raises(Forbidden):
            gate.do(split_unit, login, "A1", part, "编委12号")
    with pytest.raises(NotFound):
        gate.do(split_unit, "director3", "A1", part, "编委12号")
    with pytest.raises(NotFound, match="单位登记簿中没有 N9"):
        gate.do(split_unit, "director", "A1", [Part("N9", (gate.seats[0],))], "编委12号")
    gate.opened("A2", 2, 1)
    other = gate.seated("A2", 9)
    with refused("OF_ANOTHER_UNIT"):
        gate.do(split_unit, "director", "A1", [Part("N1", (other,))], "编委12号")
    with refused("SAME_NODE"):
        gate.do(split_unit, "director", "A1", [Part("A1", (gate.seats[0],))], "编委12号")
    with refused("NOT_YET"):
        gate.do(split_unit, "director", "A1", part, "编委12号", effective=date(2027, 1, 1))
    with pytest.raises(InputRejected):
        gate.do(split_unit, "director", "A1", [Part("N1")], "编委12号")
    with pytest.raises(InputRejected):
        gate.do(split_unit, "director", "A1", [*part, Part("N2", (gate.seats[0],))], "编委12号")
    assert count(gate, PoolReorganisation) == 0


def test_the_same_split_sent_twice_is_done_once(gate):
    parts = [Part("N1", (gate.seats[0],))]
    first, again = (gate.do(split_unit, "director", "A1", parts, "编委12号", key="once") for _ in range(2))
    assert (first, count(gate, PoolReorganisation)) == (again, 1)


def test_the_certificate_of_an_abolished_unit_ends_in_the_same_transaction(gate, press):
    gate.opened("A3", 1)
    certify(gate, press, "A3")
    gate.do(cut_posts, "reviewer", "U:A3", *FULL, 1, "编委13号")
    assert certificate(gate, "A3")[:2] == (1, "VALID")
    through_a_door(gate, press, "director", abolish_node, "U:A3", "编委14号")
    assert certificate(gate, "A3")[1] == State.REVOKED


def name_in_register(gate: Gate, code: str) -> tuple[str, str | None]:
    with reading(gate.engine) as session:
        row = session.scalar(select(UnitVersion).where(is_current(), UnitVersion.unit_code == code))
        return row.unit_name, row.aliases


def test_a_unit_renamed_by_document_has_its_new_name_everywhere_in_one_transaction(gate, press):
    certify(gate, press, "A1")
    done = through_a_door(gate, press, "director", rename_unit, "A1", "县第一实验学校", "编委15号")
    assert (done["before"], done["after"]) == ({"name": "单位A1"}, {"name": "县第一实验学校"})
    assert name_in_register(gate, "A1") == ("县第一实验学校", "单位A1")
    assert certificate(gate, "A1")[:2] == (2, "VALID")
    assert gate.slot(gate.seats[0]).unit_code == "A1"
    with refused("SAME_NAME"):
        gate.do(rename_unit, "director", "A1", "县第一实验学校", "编委16号")
    for login in ("reviewer", "officer-a1"):
        with pytest.raises(Forbidden):
            gate.do(rename_unit, login, "A1", "别的名称", "编委16号")
    assert gate.broken() == []


def test_a_delivery_that_lags_behind_does_not_take_the_new_name_back_and_a_newer_one_does(gate):
    gate.do(rename_unit, "director", "A1", "县第一实验学校", "编委15号")

    def delivered(name: str) -> None:
        with writing(gate.engine) as session:
            session.execute(delete(UnitVersion).where(UnitVersion.unit_code == "A1"))
            session.add(UnitVersion(
                unit_code="A1", unit_name=name, division_code="990102", level="COUNTY", unit_kind="INSTITUTION",
                delivers="PERSONS", delivered_by="990102", seen_on=gate.today,
            ))  # fmt: skip
            session.flush()
            keep_names(session)

    delivered("单位A1")
    assert name_in_register(gate, "A1")[0] == "县第一实验学校"
    delivered("县第一中学")
    assert name_in_register(gate, "A1")[0] == "县第一中学"
    with reading(gate.engine) as session:
        assert session.get(PoolNode, "U:A1").name == "县第一中学"
