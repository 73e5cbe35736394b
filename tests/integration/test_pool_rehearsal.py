"""An act by document tried before it is sent says what sending it would say."""

from __future__ import annotations

import pytest

from core.db import engine_for, reading, writing
from pool.acts import DEEDS
from pool.foresight import Supposed
from pool.rehearsal import rehearse
from staffing.deeds import perform
from staffing.service_carry import suppose_change
from tests.staffkit import Gate, found_gate, refused


@pytest.fixture
def gate(database_url) -> Gate:
    return found_gate(engine_for(database_url))


def test_a_merger_the_gate_stands_against_is_refused_when_tried_or_supposed_as_when_sent(gate):
    gate.opened("A1", 2)
    gate.opened("A2", 1)
    gate.plan("A1", 2)
    gate.apply("A1")
    values = {"node_id": "U:A1", "into_id": "U:A2", "document_no": "编委10号"}
    with writing(gate.engine) as session:
        tried = rehearse(session, gate.act("director"), perform, DEEDS["merge"], values)
    assert tried.refusal.details["answer"] == "PERMITS_OPEN"
    with refused("PERMITS_OPEN"), reading(gate.engine) as session:
        suppose_change(session, Supposed("MERGE", "U:A1", "U:A2"), gate.act("director").today)
    with refused("PERMITS_OPEN"), writing(gate.engine) as session:
        perform(session, gate.act("director"), DEEDS["merge"], values, "")
