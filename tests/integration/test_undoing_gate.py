"""A reversal asks the gate who sits where; on both databases."""

from __future__ import annotations

import pytest

from core.db import engine_for
from core.errors import Refused
from pool.service_slots import fill_slot, swap_slot, vacate_slot
from staffing.service_exits import record_person
from staffing.undoing import undo_movement
from tests.poolkit import FULL, K2
from tests.staffkit import Gate, found_gate, person


@pytest.fixture
def gate(database_url) -> Gate:
    return found_gate(engine_for(database_url))


def on_a_slot(gate: Gate) -> str:
    gate.pool(K2, 1)
    (number,) = gate.lend("A1", 1)["slots"]
    gate.do(fill_slot, "reviewer", number, person(1).key, person(1).mask)
    return number


def refused(answer: str, gate: Gate, seq: int) -> None:
    with pytest.raises(Refused) as caught:
        gate.do(undo_movement, "citydirector", seq, "更正1")
    assert caught.value.details["answer"] == answer


def test_an_exit_is_not_undone_once_the_person_sits_on_a_post_of_the_gate(gate):
    number = on_a_slot(gate)
    left, back = gate.do(vacate_slot, "reviewer", number)["movements"]
    gate.opened("A3", 1, 1)
    gate.do(record_person, "personnel", "A3", *FULL, person(1))
    refused("PERSON_HOLDS_ONE", gate, back)
    refused("PERSON_HOLDS_ONE", gate, left)


def test_a_swap_is_not_undone_once_its_own_number_is_in_use_at_the_gate(gate):
    number = on_a_slot(gate)
    gate.grant("A1", 1)
    swapped = gate.do(swap_slot, "reviewer", number)
    gate.do(record_person, "personnel", "A1", *FULL, person(1))
    refused("RESTED_ON", gate, swapped["movement"])


def test_what_the_gate_does_not_stand_against_is_undone_and_replayed(gate):
    number = on_a_slot(gate)
    _left, back = gate.do(vacate_slot, "reviewer", number)["movements"]
    first = gate.do(undo_movement, "citydirector", back, "更正1", key="one")
    assert gate.do(undo_movement, "citydirector", back, "更正1", key="one") == first


def test_a_reversal_is_replayed_whatever_came_after_it(gate):
    number = on_a_slot(gate)
    gate.grant("A1", 1)
    swapped = gate.do(swap_slot, "reviewer", number)
    first = gate.do(undo_movement, "citydirector", swapped["movement"], "更正1", key="one")
    gate.do(swap_slot, "reviewer", number)
    gate.do(record_person, "personnel", "A1", *FULL, person(1))
    assert gate.do(undo_movement, "citydirector", swapped["movement"], "更正1", key="one") == first
    refused("REVERSED", gate, swapped["movement"])
