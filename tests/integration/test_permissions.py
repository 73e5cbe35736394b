"""Scopes over a small tree of units: what each grant reaches, and that Python and SQL answer alike."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product

import pytest
from sqlalchemy import select

from core.accounts import Grant, GrantSpec, Role, User, checked_grant
from core.db import engine_for, reading, writing
from core.errors import Forbidden, InputRejected, NotFound
from core.permissions import Permission, below, scope_of
from core.types import Level
from core.units import UnitVersion, division_lineage
from reconcile.models import Flag, NightRun

NOW = datetime(2026, 10, 16, tzinfo=UTC)
SEEN = date(2026, 10, 15)
# code: (division, level, parent, supervising)
TREE = {
    "P1": ("990000", "PROVINCE", None, None),
    "C1": ("990100", "CITY", None, "P1"),
    "C2": ("990100", "CITY", "C1", None),
    "C3": ("990100", "CITY", None, "C1"),
    "C4": ("990100", "CITY", "C3", None),
    "K1": ("990102", "COUNTY", "C1", None),
    "K2": ("990102", "COUNTY", "K1", None),
    "K3": ("990103", "COUNTY", None, "C1"),
    "T1": ("990102", "TOWNSHIP", "K1", None),
    "T2": ("990102001", "TOWNSHIP", None, None),
}
ALL = set(TREE)
GRANTS = [
    (Role.UNIT_OFFICER, None, None, "C1", {"C1", "C2"}),
    (Role.UNIT_OFFICER, None, None, "K2", {"K2"}),
    (Role.SUPERVISOR, None, None, "C1", {"C1", "C2", "C3", "C4"}),
    (Role.SUPERVISOR, None, "COUNTY", "C1", {"C1", "K1", "K2", "K3"}),
    (Role.AUDITOR, None, None, "C1", {"C1", "C2", "K1", "K2", "T1"}),
    (Role.REVIEWER, "990100", "CITY", None, {"C1", "C2", "C3", "C4"}),
    (Role.REVIEWER, "990100", "COUNTY", None, {"K1", "K2", "K3"}),
    (Role.REVIEWER, "990102", "COUNTY", None, {"K1", "K2"}),
    (Role.REVIEWER, "990102", "TOWNSHIP", None, {"T1", "T2"}),
    (Role.DIRECTOR, "990102001", "TOWNSHIP", None, {"T2"}),
    (Role.FINANCE, "990000", "PROVINCE", None, {"P1"}),
    (Role.AUDITOR, "990100", None, None, ALL - {"P1"}),
    (Role.AUDITOR, "990000", None, None, ALL),
    (Role.ADMINISTRATOR, None, None, None, set()),
    (Role.UNIT_OFFICER, None, None, "GHOST", {"GHOST"}),
]
DIVISIONS = [None, "990000", "990100", "990102", "990103", "990102001", "980102"]
PLACES = [*((code, row[0]) for code, row in TREE.items()), *product([None, "GHOST"], DIVISIONS)]


def version(code: str, **changes: object) -> UnitVersion:
    division, level, parent, supervising = TREE[code]
    row = {
        "unit_code": code, "unit_name": code, "division_code": division, "level": level, "parent_code": parent,
        "supervising_code": supervising, "unit_kind": "ORGAN", "delivers": "PERSONS", "delivered_by": division,
        "seen_on": SEEN,
    }  # fmt: skip
    return UnitVersion(**(row | changes))


@pytest.fixture
def engine(database_url):
    engine = engine_for(database_url)
    with writing(engine) as session:
        session.add_all(version(code) for code in TREE)
        run = NightRun(as_of=SEEN, run_no=1, fingerprint="f", inbox="i", opened_at=NOW)
        session.add(run)
        session.flush()
        session.add_all(
            Flag(
                key=f"Q01-{number}", rule="Q01", grain="{}", status="OPEN", severity="S2", unit_code=code,
                division_code=division, first_seen=SEEN, last_seen=SEEN, last_run_id=run.id,
            )
            for number, (code, division) in enumerate(PLACES)
        )  # fmt: skip
    return engine


def person(session, *grants: tuple, active: bool = True) -> User:
    user = User(
        login="someone", email="s@example.org", display_name="s", created_at=NOW, active=active,
        grants=[Grant(role=role, division_code=d, level=lv, unit_code=u) for role, d, lv, u, *_ in grants],
    )  # fmt: skip
    session.add(user)
    session.flush()
    return user


def test_every_grant_reaches_its_units_and_sql_agrees(engine):
    for grant in GRANTS:
        with reading(engine) as session:
            scope = scope_of(session, person(session, grant))
            assert scope.units == grant[-1], grant
            found = session.scalars(select(Flag.key).where(scope.condition(Flag.unit_code, Flag.division_code))).all()
            said = {f"Q01-{n}" for n, place in enumerate(PLACES) if scope.sees(*place)}
            assert set(found) == said, grant


def test_facts_of_a_whole_division_are_seen_at_their_own_level(engine):
    with reading(engine) as session:
        city = scope_of(session, person(session, (Role.REVIEWER, "990100", "CITY", None)))
        assert city.sees(None, "990100")
        assert not city.sees(None, "990102")
        assert city.sees("GHOST", "990100")
        assert not city.sees("GHOST", "990102")
        assert not city.sees("GHOST", None)
        assert city.sees(None, None)


def test_several_grants_add_up_and_each_keeps_its_own_role(engine):
    grants = [
        (Role.UNIT_OFFICER, None, None, "K2"),
        (Role.REVIEWER, "990103", "COUNTY", None),
        (Role.ADMINISTRATOR, None, None, None),
    ]
    with reading(engine) as session:
        scope = scope_of(session, person(session, *grants))
    assert scope.units == {"K2", "K3"}
    assert scope.roles_for("K2") == {Role.UNIT_OFFICER}
    assert scope.roles_for("K3") == {Role.REVIEWER}
    assert scope.check(Permission.REFER_FLAG, "K3") == {Role.REVIEWER}
    with pytest.raises(Forbidden):
        scope.check(Permission.REFER_FLAG, "K2")
    with pytest.raises(NotFound):
        scope.check(Permission.REFER_FLAG, "C1")
    assert scope.may(Permission.MANAGE_ACCOUNTS)


def test_a_disabled_person_sees_nothing_and_may_nothing(engine):
    with reading(engine) as session:
        scope = scope_of(session, person(session, (Role.AUDITOR, "990000", None, None), active=False))
    assert (scope.units, scope.roles) == (frozenset(), frozenset())
    assert not scope.may(Permission.SEE_FLAGS)


def test_only_the_version_in_force_places_a_unit(engine):
    with writing(engine) as session:
        session.add(version("K2", division_code="990103", valid_from=date(2026, 1, 1)))
        session.add(version("K2", division_code="990100", level="CITY", valid_from=date(2027, 1, 1)))
    with reading(engine) as session:
        before = scope_of(session, person(session, (Role.REVIEWER, "990102", "COUNTY", None)))
        assert before.units == {"K1"}
        session.rollback()
        after = scope_of(session, person(session, (Role.REVIEWER, "990103", "COUNTY", None)))
        assert after.units == {"K2", "K3"}


def test_a_circle_of_parents_ends(engine):
    with writing(engine) as session:
        session.query(UnitVersion).filter_by(unit_code="C1").update({"parent_code": "C2"})
    with reading(engine) as session:
        assert scope_of(session, person(session, (Role.UNIT_OFFICER, None, None, "C1"))).units == {"C1", "C2"}


def test_a_levels_workbook_needs_the_whole_level(engine):
    with reading(engine) as session:
        city = scope_of(session, person(session, (Role.REVIEWER, "990100", "CITY", None)))
        assert city.covers_level(session, Level.CITY)
        assert not city.covers_level(session, Level.COUNTY)
        session.rollback()
        county = scope_of(session, person(session, (Role.REVIEWER, "990102", "COUNTY", None)))
        assert not county.covers_level(session, Level.COUNTY)


def test_below_is_the_sql_twin_of_the_lineage(engine):
    codes = [row[0] for row in TREE.values()]
    with reading(engine) as session:
        for top in {*codes, "990101", "99010", "000000", "%", "99_100"}:
            found = set(session.scalars(select(UnitVersion.division_code).where(below(UnitVersion.division_code, top))))
            assert found == {code for code in codes if top in division_lineage(code)}, top


def test_only_a_supervising_department_is_granted_a_second_level_beside_its_unit():
    below = GrantSpec(Role.SUPERVISOR, None, Level.TOWNSHIP, "C1")
    assert checked_grant(below) == below
    with pytest.raises(InputRejected, match="只有主管部门"):
        checked_grant(GrantSpec(Role.UNIT_OFFICER, None, Level.TOWNSHIP, "C1"))
