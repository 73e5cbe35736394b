"""The night after a split: both units stand on our gate, and books that say the same are green."""

from __future__ import annotations

import pytest

from core.db import writing
from core.units import UnitVersion
from staffing.service_split import Part, split_unit
from tests.integration.test_gate_night import NIGHT, D, Office, desk  # noqa: F401  (a fixture)
from tests.nightkit import pay, unit
from tests.poolkit import SEEN


def split_one_off(office: Office) -> str:
    """A1's person 11 goes to N1, which only the register knew; returns the day."""
    with writing(office.engine) as session:
        session.add(UnitVersion(
            unit_code="N1", unit_name="单位N1", division_code=D, level="COUNTY", unit_kind="INSTITUTION",
            delivers="PERSONS", delivered_by=D, seen_on=SEEN,
        ))  # fmt: skip
    seat = office.gate.seated("A1", 11)
    office.gate.pass_days(1)
    office.gate.do(split_unit, "director", "A1", [Part("N1", (seat,))], "编委31号")
    return str(office.gate.today)


@pytest.mark.parametrize("told", [True, False])
def test_the_night_after_a_split_knows_both_units_by_the_gate(desk, told):  # noqa: F811
    day = split_one_off(desk)
    gone = desk.seated(11, status="出编", exit_date=day, exit_reason="调出")
    come = desk.seated(11, "N1", entry_date=day)
    people = [desk.entered(), desk.seated(12), *([gone, come] if told else [desk.seated(11)])]
    wages = {1: "A1", 12: "A1", 11: "N1", 21: "A2", 22: "A2"}
    desk.books(
        people=people, units=[unit(code, D, unit_kind="事业单位") for code in ("A1", "A2", "N1")],
        establishment=desk.quotas(3, ("N1", 1, "台账")),
        payroll=[pay(number, code, month=f"{NIGHT:%Y-%m}") for number, code in wages.items()],
    )  # fmt: skip
    assert desk.night(NIGHT) == 0
    if told:
        assert (desk.seen(), desk.kinds()) == ([], [])
    else:
        assert {(kind, code) for kind, code, *_ in desk.kinds()} == {("EXIT_MISSING", "A1"), ("ENTRY_MISSING", "N1")}
    assert desk.strength() == {"A1": 2, "A2": 2, "N1": 1}
