"""Races and kills on both databases: the last vacancy, one permit, one key; a transaction that does not commit leaves nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.errors import Refused
from core.outbox import OutboxMail
from core.person_identity import PersonIdentity
from pool.models import PoolCommand, PoolMovement
from staffing.models import StaffApplication, StaffNotice, StaffSlot, StaffStep
from staffing.service_entries import enter
from staffing.service_permits import grant_permit
from tests.integration.test_pool_races import together
from tests.staffkit import Gate, found_gate

TABLES = (
    StaffApplication, StaffSlot, StaffStep, StaffNotice, PoolMovement, PoolCommand, AuditEvent, OutboxMail, PersonIdentity,
)  # fmt: skip


@pytest.fixture
def gate(database_url) -> Gate:
    return found_gate(engine_for(database_url))


def won(results) -> list:
    """Those that were done; every other was refused in words, not failed."""
    assert all(isinstance(result, dict | Refused) for result in results)
    return [result for result in results if not isinstance(result, Refused)]


def test_two_officers_registering_the_last_vacancy_at_once_one_succeeds(gate):
    gate.opened("A1", 3)
    gate.plan("A1", 3)
    for round_no in range(3):
        permit = gate.permit("A1")["permit_no"]
        first, second = 10 + 2 * round_no, 11 + 2 * round_no
        results = together(
            lambda permit=permit, who=first: gate.enter("A1", permit, who, login="personnel"),
            lambda permit=permit, who=second: gate.enter("A1", permit, who, login="personnel2"),
        )
        assert len(won(results)) == 1
        (lost,) = [result for result in results if isinstance(result, Refused)]
        assert lost.details["answer"] == "USED"
    assert (gate.figures("A1").in_post, gate.figures("A1").usable) == (3, 0)
    assert gate.broken() == []


def test_two_directors_signing_for_the_last_vacancy_at_once_one_succeeds(gate):
    gate.opened("A1", 1)
    gate.plan("A1", 2)
    first, second = gate.reviewed("A1"), gate.reviewed("A1")
    results = together(
        lambda: gate.do(grant_permit, "director", first), lambda: gate.do(grant_permit, "second", second)
    )
    assert len(won(results)) == 1
    (lost,) = [result for result in results if isinstance(result, Refused)]
    assert lost.details["answer"] == "FULL"
    assert (gate.figures("A1").open_permits, gate.figures("A1").usable) == (1, 0)
    assert gate.broken() == []


def test_one_person_entering_two_units_at_once_gets_one_post(gate):
    for unit in ("A1", "A2"):
        gate.opened(unit, 1)
        gate.plan(unit, 1)
    permits = {unit: gate.permit(unit)["permit_no"] for unit in ("A1", "A2")}
    results = together(*[lambda unit=unit: gate.enter(unit, permits[unit], 1) for unit in permits])
    assert len(won(results)) == 1
    assert gate.broken() == []


def test_a_double_click_enters_once_and_answers_twice(gate):
    gate.opened("A1", 2)
    gate.plan("A1", 2)
    permit = gate.permit("A1", 2)["permit_no"]
    click = lambda: gate.do(enter, "personnel", gate.entry("A1", permit, 1), key="one-click")
    first, second = together(click, click)
    assert first == second == click()
    assert gate.figures("A1").in_post == 1


class Killed(Exception):
    """Stands for the process that goes away before the commit."""


def test_what_is_not_committed_leaves_nothing_and_is_done_once_when_tried_again(gate):
    gate.opened("A1", 2)
    gate.plan("A1", 2)
    permit = gate.permit("A1", 2)["permit_no"]
    before = counts(gate)
    entry, act = gate.entry("A1", permit, 1), gate.act("personnel", "same-key")
    with pytest.raises(Killed):
        killed_before_the_commit(gate, act, entry)
    assert counts(gate) == before
    with writing(gate.engine) as session:
        done = enter(session, act, entry)
    with writing(gate.engine) as session:
        assert enter(session, act, entry) == done
    after = counts(gate)
    assert after["staff_notice"] - before["staff_notice"] == 3
    assert after["pool_movement"] - before["pool_movement"] == 1
    assert gate.broken() == []


def killed_before_the_commit(gate: Gate, act, entry) -> None:
    with writing(gate.engine) as session:
        enter(session, act, entry)
        raise Killed


def counts(gate: Gate) -> dict[str, int]:
    with reading(gate.engine) as session:
        return {table.__tablename__: session.scalar(select(func.count()).select_from(table)) for table in TABLES}
