"""The gate as the source of a night: a unit switched over is green when books and gate agree, and each planted difference
is exactly the flag decision 0016 names."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime

import pytest

from core.db import engine_for, reading, writing
from core.parameters import set_parameter
from core.settings import Settings
from night.own_gate import read_differences
from night.places import snapshot_dir
from night.proof import proofs
from pool.service_opening import switch_unit
from reconcile.store import newest_run
from staffing.certificate_pdf import Press
from staffing.certificates import renew_certificate
from staffing.service_entries import finish_papers, note_pay
from tests.nightkit import House, deliver, member, pay, unit
from tests.staffkit import Gate, found_gate

NIGHT = date(2026, 10, 31)
SWITCH = date(2026, 10, 20)
D = "990102"
POSTS = {"post_type": "事业", "fund_form": "全额"}
ENTRY = {"entry_date": "2026-10-20", "entry_registered": "2026-10-20", "entry_form": "公开招聘"}


class Office(House):
    """Two units with a ledger: A1 switched to our gate, A2 not; and the books that agree with both."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.engine = engine_for(settings.database_url)
        self.gate: Gate = found_gate(self.engine)
        self.press = Press.of(settings)
        with writing(self.engine) as session:
            set_parameter(session, "gate_start", "2026-10-01", D, date(2026, 1, 1), actor="test", now=datetime.now(UTC))

    def chain(self) -> None:
        """From plan to pay: A1 has 4 posts and 2 people, and one enters."""
        gate = self.gate
        gate.opened("A1", 4, 2)
        gate.opened("A2", 2, 2)
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

    def paid(self, who: int, code: str = "A1") -> dict[str, object]:
        return pay(who, code)

    def books(self, as_of: date = NIGHT, **changes) -> None:
        row = lambda code, posts, copy: {
            "unit_code": code, "quota": posts, "doc_no": f"编{code}", "copy": copy, **POSTS,
        }  # fmt: skip
        agree = {
            "units": [unit(code, D, unit_kind="事业单位") for code in ("A1", "A2")],
            "establishment": [row("A1", 4, "台账"), row("A2", 2, "台账")],
            "roster": [
                self.entered(), self.seated(11), self.seated(12), self.seated(21, "A2"), self.seated(22, "A2"),
            ],
            "payroll": [self.paid(n) for n in (1, 11, 12)] + [self.paid(n, "A2") for n in (21, 22)],
        }  # fmt: skip
        deliver(self.inbox, as_of, D, **(agree | changes))

    def seen(self, as_of: date = NIGHT) -> list[tuple]:
        return [
            (flag["rule"], flag["unit_code"], flag["expected"], flag["found"], flag["cause"])
            for flag in self.flags(as_of)
        ]

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
