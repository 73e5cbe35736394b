"""A small province for tests of the pool: four levels of nodes, units, people with grants, and who acts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count

from sqlalchemy import Engine, select

from core.accounts import GrantSpec, Role, create_user, get_user
from core.db import reading, writing
from core.permissions import scope_of
from core.units import UnitVersion
from pool.acting import Act
from pool.models import PoolBalance, PoolSlot
from pool.proof import broken_proofs
from pool.service import deposit_posts, grant_posts
from pool.service_approvals import approve_request
from pool.service_loans import Wish, request_loan, review_request
from pool.service_opening import plant_tree

SEEN = date(2026, 10, 15)
START = datetime(2026, 10, 20, 2, 0, tzinfo=UTC)
FULL = ("INSTITUTION", "FULL")
PROVINCE, CITY, K2, K3 = "PROVINCE:990000", "CITY:990100", "COUNTY:990102", "COUNTY:990103"
UNITS = {
    "P1": ("990000", "PROVINCE"), "C1": ("990100", "CITY"), "A1": ("990102", "COUNTY"), "A2": ("990102", "COUNTY"),
    "A3": ("990102", "COUNTY"), "B1": ("990103", "COUNTY"), "B2": ("990103", "COUNTY"),
    "T1": ("990102001", "TOWNSHIP"),
}  # fmt: skip
PEOPLE = {
    "director": ("DIRECTOR", "990102", "COUNTY"), "second": ("DIRECTOR", "990102", "COUNTY"),
    "reviewer": ("REVIEWER", "990102", "COUNTY"), "reviewer2": ("REVIEWER", "990102", "COUNTY"),
    "director3": ("DIRECTOR", "990103", "COUNTY"), "reviewer3": ("REVIEWER", "990103", "COUNTY"),
    "citydirector": ("DIRECTOR", "990100", "CITY"), "cityreviewer": ("REVIEWER", "990100", "CITY"),
    "topdirector": ("DIRECTOR", "990000", "PROVINCE"), "topreviewer": ("REVIEWER", "990000", "PROVINCE"),
    "auditor": ("AUDITOR", "990000", None), "towndirector": ("DIRECTOR", "990102001", "TOWNSHIP"),
    "townreviewer": ("REVIEWER", "990102001", "TOWNSHIP"),
}  # fmt: skip
KEYS = count(1)


@dataclass
class Province:
    """The engine, the clock, and use-cases run by login in transactions of their own."""

    engine: Engine
    now: datetime = START
    scopes: dict = field(default_factory=dict)

    def act(
        self, login: str, key: str | None = None, acting_for: str | None = None, now: datetime | None = None
    ) -> Act:
        for name in filter(None, (login, acting_for)):
            if name not in self.scopes:
                with reading(self.engine) as session:
                    self.scopes[name] = scope_of(session, get_user(session, name))
        giver = self.scopes[acting_for] if acting_for else None
        return Act(self.scopes[login], now or self.now, key or f"key-{next(KEYS)}", giver)

    def do(self, use_case, login: str, *args, key: str | None = None, acting_for: str | None = None, **kwargs):
        with writing(self.engine) as session:
            return use_case(session, self.act(login, key, acting_for), *args, **kwargs)

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)

    @property
    def today(self) -> date:
        return self.now.date()

    def balances(self) -> dict[tuple, int]:
        with reading(self.engine) as session:
            rows = session.scalars(select(PoolBalance))
            return {
                (row.account, row.holder, row.post_type, row.fund_form, row.purpose, row.lot): row.posts for row in rows
            }

    def sum_of(self, account: str, holder: str | None = None) -> int:
        return sum(posts for key, posts in self.balances().items() if key[0] == account and holder in (None, key[1]))

    def grant(self, unit: str, posts: int, partition=FULL, login: str = "reviewer") -> int:
        return self.do(grant_posts, login, f"U:{unit}", *partition, posts, "编委1")["movement"]

    def pool(self, node: str, posts: int, purpose: str = "HEALTH", login: str = "reviewer", **changes) -> int:
        given = {"source": "TOTAL_SLICE", "partition": FULL} | changes
        partition, source = given.pop("partition"), given.pop("source")
        return self.do(deposit_posts, login, node, *partition, purpose, posts, source, "编委2", **given)["movement"]

    def ask(self, unit: str, posts: int, *, login: str | None = None, key: str | None = None, **changes):
        wish = Wish(**({
            "unit_code": unit, "post_type": FULL[0], "fund_form": FULL[1], "purpose": "HEALTH", "posts": posts,
            "months": 12, "reason": "急需",
        } | changes))  # fmt: skip
        return self.do(request_loan, login or f"officer-{unit.lower()}", wish, key=key)

    def lend(self, unit: str, posts: int, *, director: str | None = None, reviewer: str = "reviewer", **changes):
        """Ask, review, approve; answers the approval's receipt."""
        asked = self.ask(unit, posts, **changes)
        self.do(review_request, reviewer, asked["request"])
        director = director or DIRECTOR_OF[asked["decision_node"]]
        return self.do(approve_request, director, asked["request"])


DIRECTOR_OF = {
    K2: "director", K3: "director3", CITY: "citydirector", PROVINCE: "topdirector", "TOWNSHIP:990102001": "towndirector",
}  # fmt: skip


def slot(province: Province, number: str) -> PoolSlot:
    """A slot as it stands."""
    with reading(province.engine) as session:
        return session.get(PoolSlot, number)


def assert_whole(province: Province) -> None:
    """Every invariant holds, from the rows alone."""
    with reading(province.engine) as session:
        assert broken_proofs(session) == []


def found_province(engine: Engine) -> Province:
    """Units in the register, people with grants, the tree planted."""
    with writing(engine) as session:
        for code, (division, level) in UNITS.items():
            session.add(UnitVersion(
                unit_code=code, unit_name=f"单位{code}", division_code=division, level=level, unit_kind="INSTITUTION",
                delivers="PERSONS", delivered_by=division, seen_on=SEEN,
            ))  # fmt: skip
        for login, (role, division, level) in PEOPLE.items():
            _person(session, login, GrantSpec(role, division, level))
        counties = [GrantSpec(Role.DIRECTOR, division, "COUNTY") for division in ("990102", "990103")]
        _person(session, "superdirector", *counties)
        for code in UNITS:
            _person(session, f"officer-{code.lower()}", GrantSpec(Role.UNIT_OFFICER, unit_code=code))
    province = Province(engine)
    province.do(plant_tree, "topdirector")
    return province


def _person(session, login: str, *grants: GrantSpec) -> None:
    create_user(
        session, login=login, email=f"{login}@example.org", display_name=login, grants=grants, actor="test", now=START
    )
