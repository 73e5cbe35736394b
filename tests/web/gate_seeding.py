"""A gate in the seeded city: a plan, consultations, permits, people on slots, an exit, a late one, a waiver; and who acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy.orm import Session

from core.accounts import GrantSpec, Role, User, create_user, parse_grant
from core.db import engine_for, writing
from core.settings import Settings
from core.units import UnitVersion
from pool.service_opening import open_balances, plant_tree
from staffing.acts import DEEDS
from tests.databases import migrate
from tests.staffkit import person_number
from tests.web.pool_seeding import BUREAU, SCHOOL, Office
from tests.web.seeding import HASHED, NOW

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


# A city with nothing in it but the register, people, and opening balances: where a walk through the gate begins.
UNIT, OTHER = "3701002", "3701009"
CITY_CELL = ("INSTITUTION", "FULL")
CITY_GRANTS = {
    "officer": (f"UNIT_OFFICER:unit={UNIT}",), "reviewer": ("REVIEWER:370100/CITY",),
    "director": ("DIRECTOR:370100/CITY",), "finance": ("FINANCE:370100/CITY",),
    "personnel": ("PERSONNEL:370100/CITY",), "stranger": (f"UNIT_OFFICER:unit={OTHER}",),
    "auditor": ("AUDITOR:370100/*",),
    "deputy": ("DIRECTOR:370102/COUNTY",),
    "both": (f"UNIT_OFFICER:unit={UNIT}", "REVIEWER:370100/CITY", "DIRECTOR:370100/CITY"),
}  # fmt: skip
LEAVER, COMER, SECOND = person_number(1), person_number(2), person_number(3)


def found_city(settings: Settings, now: datetime | None = None) -> None:
    """An empty database gets what comes before any gate: the register, people, and the office's opening balances: full."""
    engine, now = engine_for(settings.database_url), now or datetime.now(UTC)
    migrate(settings.database_url)
    with writing(engine) as session:
        for code, name in ((UNIT, "市第一中学"), (OTHER, "市第二中学")):
            session.add(UnitVersion(
                unit_code=code, unit_name=name, division_code="370100", level="CITY", unit_kind="INSTITUTION",
                delivers="PERSONS", delivered_by="370100", approval_doc="编委〔2010〕1号", valid_from=date(2010, 1, 1),
                seen_on=now.date(),
            ))  # fmt: skip
        for login, grants in CITY_GRANTS.items():
            user: User = create_user(
                session, login=login, email=f"{login}@example.org", display_name=f"{login} 同志", actor="test", now=now,
                grants=[parse_grant(grant) for grant in grants],
            )  # fmt: skip
            user.password = HASHED
        office = Office(session)
        office.do(plant_tree, "reviewer", now)
        office.do(open_balances, "reviewer", now, [(UNIT, *CITY_CELL, 2, 2), (OTHER, *CITY_CELL, 5, 0)], now.date())
