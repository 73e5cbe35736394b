"""The small province of the pool with a gate: finance and personnel officers, plans, permits, people with ids."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from sqlalchemy import Engine, select

from core.accounts import GrantSpec, create_user
from core.db import reading, writing
from core.errors import Refused
from core.identity import check_digit
from core.person_identity import Person, person_of
from pool.models import PoolMovement
from pool.proof import broken_proofs
from pool.service_opening import open_balances
from pool.store import Figures, cell_figures
from staffing.chain import Subject
from staffing.models import StaffNotice, StaffSlot
from staffing.proof import broken_staffing
from staffing.service_applications import UseWish, apply_for_posts, confirm_cost, review_application
from staffing.service_entries import Entry, enter
from staffing.service_exits import announce_exit, record_person, register_exit
from staffing.service_permits import grant_permit
from staffing.service_plans import ask_consultation, give_opinion, pass_plan, review_plan, submit_plan
from staffing.store import row_of, staff_slot
from tests.poolkit import FULL, START, Province, found_province

KEY = "test-person-key-" * 3
MORE = {
    "finance": ("FINANCE", "990102", "COUNTY"), "personnel": ("PERSONNEL", "990102", "COUNTY"),
    "personnel2": ("PERSONNEL", "990102", "COUNTY"), "finance3": ("FINANCE", "990103", "COUNTY"),
    "cityfinance": ("FINANCE", "990100", "CITY"), "citypersonnel": ("PERSONNEL", "990100", "CITY"),
}  # fmt: skip


def person_number(number: int) -> str:
    """A synthetic identity number, each number another one."""
    first17 = f"99010219800101{number:03d}"
    return first17 + check_digit(first17)


def person(number: int) -> Person:
    """A synthetic person, each number another one."""
    return person_of(person_number(number), KEY)


@dataclass
class Gate(Province):
    """Use-cases of the gate run by login; every helper answers with the receipt."""

    def opened(self, unit: str, quota: int, in_post: int = 0, partition=FULL, login: str = "reviewer") -> None:
        night = date(2026, 10, 15)
        self.do(open_balances, login, [(unit, *partition, quota, in_post)], night)

    def plan(self, unit: str, posts: int, year: int | None = None, partition=FULL, document: str = "编委5号") -> str:
        officer = f"officer-{unit.lower()}"
        number = self.do(submit_plan, officer, unit, year or self.today.year, [(*partition, posts)])["plan"]
        self.do(review_plan, "reviewer", number)
        self.do(pass_plan, "director", number, document)
        return number

    def consult(self, unit: str, posts: int, entry_form: str = "RECRUIT", partition=FULL) -> str:
        asked = self.do(ask_consultation, f"officer-{unit.lower()}", unit, *partition, posts, entry_form, "补充力量")
        self.do(give_opinion, "reviewer", asked["consultation"], True, "编制有空额，同意")
        return asked["consultation"]

    def wish(self, unit: str, posts: int = 1, partition=FULL, **changes) -> UseWish:
        given = {
            "unit_code": unit, "post_type": partition[0], "fund_form": partition[1], "posts": posts,
            "entry_form": "TRANSFER", "reason": "补充力量", "from_level": "COUNTY", "from_fund_form": partition[1],
        }  # fmt: skip
        return UseWish(**(given | changes))

    def apply(self, unit: str, posts: int = 1, *, key: str | None = None, **changes) -> str:
        wish = self.wish(unit, posts, **changes)
        return self.do(apply_for_posts, f"officer-{unit.lower()}", wish, key=key)["application"]

    def reviewed(self, unit: str, posts: int = 1, **changes) -> str:
        number = self.apply(unit, posts, **changes)
        self.do(confirm_cost, "finance", number)
        self.do(review_application, "reviewer", number)
        return number

    def permit(self, unit: str, posts: int = 1, **changes) -> dict:
        return self.do(grant_permit, "director", self.reviewed(unit, posts, **changes))

    def permit_of(self, number: str) -> dict:
        """The permit of an application that was submitted."""
        self.do(confirm_cost, "finance", number)
        self.do(review_application, "reviewer", number)
        return self.do(grant_permit, "director", number)

    def read(self, query, *args):
        """A query in a transaction of its own."""
        with reading(self.engine) as session:
            return query(session, *args)

    def entry(self, unit: str, permit_no: str, who: int, partition=FULL, **changes) -> Entry:
        return Entry(permit_no, unit, *partition, person(who), **changes)

    def enter(self, unit: str, permit_no: str, who: int, login: str = "personnel", **changes) -> dict:
        return self.do(enter, login, self.entry(unit, permit_no, who, **changes))

    def seated(self, unit: str, who: int, partition=FULL) -> str:
        """Somebody in post since before the ledger opened, with a number."""
        return self.do(record_person, "personnel", unit, *partition, person(who))["slot"]

    def leaving(self, slot_no: str, planned: date) -> None:
        self.do(announce_exit, "personnel", slot_no, planned, "退休")

    def leave(self, slot_no: str, day: date | None = None) -> dict:
        return self.do(register_exit, "personnel", slot_no, day, "退休")

    def slot(self, slot_no: str) -> StaffSlot:
        with reading(self.engine) as session:
            return staff_slot(session, slot_no)

    def status(self, subject: Subject, number: str) -> str:
        with reading(self.engine) as session:
            return row_of(session, subject, number).status

    def figures(self, unit: str, partition=FULL) -> Figures:
        with reading(self.engine) as session:
            held = cell_figures(session, [f"U:{unit}"], self.today)
        return next((figures for cell, figures in held.items() if cell.partition == partition), Figures())

    def broken(self) -> list:
        with reading(self.engine) as session:
            return [*broken_staffing(session), *broken_proofs(session)]


def found_gate(engine: Engine) -> Gate:
    """The province of `tests.poolkit` with the people a gate needs."""
    found_province(engine)
    with writing(engine) as session:
        for login, grant in MORE.items():
            create_user(
                session, login=login, email=f"{login}@example.org", display_name=login, grants=[GrantSpec(*grant)],
                actor="test", now=START,
            )  # fmt: skip
    return Gate(engine)


def refused(answer: str):
    """A Refused with this answer."""
    return pytest.raises(Refused, check=lambda error: error.details.get("answer") == answer)


def movements(gate: Gate) -> list[tuple]:
    with reading(gate.engine) as session:
        rows = session.scalars(select(PoolMovement).order_by(PoolMovement.seq))
        return [(row.kind, row.posts, row.effective_date, row.source, row.slot_no) for row in rows]


def notices(gate: Gate, **where) -> list[StaffNotice]:
    with reading(gate.engine) as session:
        return list(session.scalars(select(StaffNotice).filter_by(**where).order_by(StaffNotice.id)))
