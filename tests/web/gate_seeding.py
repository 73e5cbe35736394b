"""A gate in the seeded city: a plan, consultations, permits, people on slots, an exit, a late one, a waiver; and who acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from core.accounts import GrantSpec, Role, create_user
from staffing.acts import DEEDS
from tests.staffkit import person_number
from tests.web.pool_seeding import BUREAU, SCHOOL, Office
from tests.web.seeding import NOW

KEY = "test-person-key-" * 3
CELL = {"post_type": "INSTITUTION", "fund_form": "SELF"}
OPEN = {"post_type": "ADMIN", "fund_form": "FULL"}
TRANSFER = {"entry_form": "TRANSFER", "from_level": "CITY", "reason": "补充力量"}


@dataclass
class Seeded:
    """Numbers of what stands there."""

    numbers: dict[str, str] = field(default_factory=dict)

    def __getattr__(self, name: str) -> str:
        return self.numbers[name]


class Gate(Office):
    """Deeds of the gate by name."""

    def deed(self, name: str, login: str, at: datetime = NOW, **values):
        return self.do(lambda session, act: DEEDS[name].call(session, act, values, KEY), login, at)


def seed_gate(session: Session) -> Seeded:
    """Everything, in one transaction; the school is of the bureau and its officer acts for both."""
    create_user(
        session, login="schooler", email="schooler@example.org", display_name="schooler 同志", actor="test", now=NOW,
        grants=[GrantSpec(Role.UNIT_OFFICER, unit_code=SCHOOL)],
    )  # fmt: skip
    gate, made = Gate(session), Seeded()
    early = NOW - timedelta(days=60)
    admin = {"unit_code": BUREAU, **OPEN}
    plan = gate.deed("plan", "officer", early, unit_code=BUREAU, year=2026, lines=[("ADMIN", "FULL", 3)])["plan"]
    gate.deed("plan-review", "reviewer", early, number=plan, note="属实")
    gate.deed("plan-pass", "director", early, number=plan, document_no="编委〔2026〕5号")
    talk = gate.deed("consult", "officer", early, **admin, posts=1, entry_form="EXAM", reason="新增职能")[
        "consultation"
    ]
    gate.deed("opinion", "reviewer", early, number=talk, agrees=True, opinion="有空编，同意")
    for number in (1, 2):
        made.numbers[f"seated{number}"] = gate.deed(
            "record", "personnel", early, **admin, identity=person_number(number)
        )["slot"]
    gate.deed("announce", "officer", slot_no=made.seated2, planned=date(2026, 12, 31), reason="退休")
    made.numbers["left"] = gate.deed(
        "exit", "personnel", slot_no=made.seated1, reason="调出", exit_date=date(2026, 10, 8)
    )["slot"]  # fmt: skip
    made.numbers |= {"plan": plan, "talk": talk}
    made.numbers["granted"] = _granted(gate, talk)
    made.numbers["asked"] = gate.deed(
        "apply", "officer", **admin, posts=1, **TRANSFER, from_fund_form="FULL", bound_slot=made.seated2
    )["application"]  # fmt: skip
    made.numbers["waiting_plan"] = gate.deed(
        "plan", "schooler", unit_code=SCHOOL, year=2027, lines=[("INSTITUTION", "FULL", 1)]
    )["plan"]  # fmt: skip
    made.numbers["asking"] = gate.deed(
        "consult", "schooler", unit_code=SCHOOL, **CELL, posts=1, entry_form="RECRUIT", reason="扩班"
    )["consultation"]  # fmt: skip
    gate.deed(
        "waiver", "director", unit_code=BUREAU, number="编委〔2026〕88号", reason="引进", valid_until=date(2027, 6, 30)
    )
    return made


def _granted(gate: Gate, talk: str) -> str:
    wish = {
        "unit_code": BUREAU,
        **OPEN,
        "posts": 1,
        "entry_form": "EXAM",
        "reason": "新增职能",
        "consultation_no": talk,
    }
    number = gate.deed("apply", "officer", **wish)["application"]
    gate.deed("confirm-cost", "finance", number=number)
    gate.deed("review", "reviewer", number=number, note="符合")
    return gate.deed("grant", "director", number=number)["application"]
