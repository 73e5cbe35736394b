"""Rotating the PERSON_KEY: the same mismatch stays the same flag, and whatever is killed, one of the two keys works."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, func, select

from cli import main
from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.errors import Misconfigured, Refused, Unavailable
from core.identity import keyed
from core.key_mark import hold_key, mark_in_force
from core.keys import fresh_key, key_mark, keys_file, next_file, prepare_next, read_keys
from core.permissions import Reach, Role, Scope
from core.settings import Settings, load_settings
from night.own_record import Claim, LookupCode, OwnRecord, issue_code, look_up
from night.proof import proofs
from night.rotation import rotate_keys
from night.steps import begin, perform
from reconcile.findings import flag_key
from reconcile.identities import forget_identities, identity_sealer, keep_identities, persons_of
from reconcile.models import FindingRow, Flag, FlagEvent, NightRun, PersonIdentity
from reconcile.rekeying import Names, rekey
from tests.homes import SavedHome
from tests.nightkit import A, House, deliver, good_books, person_id
from tests.postgres_server import administrate

NEXT = A + timedelta(days=1)
NOW = datetime(2026, 10, 16, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def settled(request, tmp_path_factory) -> Iterator[SavedHome]:
    """A night with people on one side only, one of them without a number, settled under the first key; once per database."""
    home, server = tmp_path_factory.mktemp("rotated") / "home", None
    url = f"sqlite:///{home / 'bianzhi.db'}"
    if request.param == "postgresql":
        server, template = request.getfixturevalue("postgres"), request.getfixturevalue("postgres_template")
        administrate(server, f"CREATE DATABASE rotated TEMPLATE {template}")
        url = server.url("rotated")
    house = House(load_settings(environ_of(home, url)))
    for day in (A, NEXT):
        books = good_books(8)
        books["payroll"] = books["payroll"][:5]
        books["roster"][6]["person_id"] = ""
        books["roster"][7]["person_id"] = person_id(7)[:17] + ("1" if person_id(7)[17] != "1" else "2")
        deliver(house.inbox, day, "990102", **books)
    assert house.night() == 0
    assert {flag["rule"] for flag in house.flags()} >= {"F02", "F09", "D02"}
    saved = SavedHome(home, url, server)
    yield saved
    saved.forget()


def environ_of(home: Path, url: str) -> dict[str, str]:
    return {"BIANZHI_HOME": str(home), "BIANZHI_DATABASE_URL": url}


@pytest.fixture
def environ(settled) -> dict[str, str]:
    settled.put_back()
    return environ_of(settled.home, settled.url)


@pytest.fixture
def house(environ) -> House:
    return House(load_settings(environ))


def rotated(house: House, environ: dict[str, str]) -> House:
    rotate_keys(house.settings, NOW, "test")
    return House(load_settings(environ))


def told(house: House, day=A) -> list[tuple]:
    """The flags of a night without anything a key is part of."""
    return sorted(
        (f["rule"], f["unit_code"] or "", f["person"] or "", str(f["found"]), f["status"], f["first_seen"])
        for f in house.flags(day)
    )


def test_the_night_after_opens_none_and_closes_none(house, environ):
    before = told(house)
    persons = {flag["key"] for flag in house.flags() if flag["person"]}
    after = rotated(house, environ)
    assert after.settings.person_key != house.settings.person_key
    assert after.settings.secret_key == house.settings.secret_key
    assert told(after) == before
    assert persons
    assert not persons & {flag["key"] for flag in after.flags()}
    assert after.night(NEXT) == 0
    assert told(after, NEXT) == before
    moves = Counter(row.move for row in after.query(select(FlagEvent.move)))
    assert moves == {"OPEN": len(before)}


def test_every_key_follows_from_the_new_one_and_no_old_one_is_left(house, environ):
    old = {row.person_key for row in house.query(select(PersonIdentity.person_key))}
    assert len(old) == 2
    after = rotated(house, environ)
    new = {keyed(after.settings.person_key, text) for text in numbers(after.settings)}
    assert {row.person_key for row in after.query(select(PersonIdentity.person_key))} == new
    rows = after.query(select(FindingRow.rule, FindingRow.grain, FindingRow.key, FindingRow.explained_by))
    rows += after.query(select(Flag.rule, Flag.grain, Flag.key, Flag.explanation))
    assert all(row.key == flag_key(row.rule, row.grain) for row in rows)
    assert not [row for row in rows for key in old if key in row.grain]
    [f09] = [json.loads(row.explained_by) for row in rows if row.rule == "F09" and row[3]]
    assert f09 == sorted(f09)
    assert set(f09) <= {row.key for row in rows}


def numbers(settings: Settings) -> set[str]:
    sealer = identity_sealer(settings.person_key)
    with reading(engine_for(settings.database_url)) as session:
        rows = session.execute(select(PersonIdentity.person_key, PersonIdentity.sealed)).all()
    return {sealer.open(row.sealed, row.person_key).decode() for row in rows}


def test_proofs_hold_before_and_after_and_manifests_stay(house, environ):
    manifest = next(house.settings.reports_dir.rglob("manifest.json"))
    before = manifest.read_bytes()
    after = rotated(house, environ)
    with reading(engine_for(after.settings.database_url)) as session:
        assert [proof.name for proof in proofs(session, after.settings) if not proof.holds] == []
    assert manifest.read_bytes() == before


def test_the_same_night_run_again_is_a_new_run_with_the_same_flags(house, environ):
    before = told(house)
    after = rotated(house, environ)
    assert after.night() == 0
    assert told(after) == before
    assert [tuple(row) for row in after.query(select(NightRun.run_no).order_by(NightRun.run_no))] == [(1,), (2,)]


def test_the_trail_says_when_and_how_many_but_no_key(house, environ):
    after = rotated(house, environ)
    [event] = after.query(select(AuditEvent.actor, AuditEvent.details).where(AuditEvent.action == "keys_rotated"))
    assert event.actor == "test"
    assert json.loads(event.details)["identities"] == 2
    for settings in (house.settings, after.settings):
        assert settings.person_key not in event.details


def test_killed_before_the_commit_the_old_key_works(house, environ):
    prepare_next(house.settings.keys_dir, read_keys(keys_file(house.settings.keys_dir)) | {"PERSON_KEY": fresh_key()})
    again = House(load_settings(environ))
    assert again.settings.person_key == house.settings.person_key
    assert again.night(NEXT) == 0
    assert rotated(again, environ).night(NEXT) == 0


def test_killed_between_commit_and_rename_the_new_key_works(house, environ):
    before = told(house)
    folder = house.settings.keys_dir
    coming = read_keys(keys_file(folder)) | {"PERSON_KEY": fresh_key()}
    prepare_next(folder, coming)
    with writing(engine_for(house.settings.database_url)) as session:
        rekey(session, house.settings.person_key, coming["PERSON_KEY"], NOW, "test")
    after = House(load_settings(environ))
    assert after.settings.person_key == coming["PERSON_KEY"]
    assert after.night(NEXT) == 0
    assert told(after, NEXT) == before
    last = rotated(after, environ)
    assert not next_file(folder).exists()
    assert last.settings.person_key not in (house.settings.person_key, coming["PERSON_KEY"])
    assert told(last, NEXT) == before


# The command in a process of its own that kills itself: at its n-th statement once the coming key is written, at its commit,
# before its rename, or before it clears what the gate keeps.
DYING = """
import itertools, os, shutil, signal, sys
from sqlalchemy import Engine, event
from cli import main
point, coming = sys.argv[1:]
die = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
on_its_way = lambda: os.path.exists(coming)
count, rename = itertools.count(1), os.replace
at = lambda *_: on_its_way() and (point == "commit" or next(count) == int(point)) and die()
if point == "committed":
    os.replace = lambda source, target: die() if str(source) == coming else rename(source, target)
elif point == "renamed":
    shutil.rmtree = die
else:
    event.listen(Engine, "commit" if point == "commit" else "before_cursor_execute", at)
main(["keys", "rotate"])
"""
ROOT = Path(__file__).resolve().parents[2]
POINTS = {"1": False, "9": False, "20": False, "commit": False, "committed": True, "renamed": True}


@pytest.mark.parametrize("point", POINTS)
def test_killed_for_real_the_command_run_again_finishes_and_no_flag_changes_who_it_is(house, environ, point):
    before, numbers_before = told(house), numbers(house.settings)
    folder = house.settings.keys_dir
    done = subprocess.run(
        [sys.executable, "-c", DYING, point, str(next_file(folder))], cwd=ROOT, env=os.environ | environ,
        capture_output=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert next_file(folder).exists() == (point != "renamed")
    between = House(load_settings(environ))
    assert (between.settings.person_key != house.settings.person_key) is POINTS[point]
    whole(between, before, numbers_before)
    answer = CliRunner().invoke(main, ["keys", "rotate"], env=environ)
    assert answer.exit_code == 0, answer.output
    after = House(load_settings(environ))
    assert after.settings.person_key not in (house.settings.person_key, between.settings.person_key)
    assert not next_file(folder).exists()
    whole(after, before, numbers_before)
    rotations = after.query(select(AuditEvent.action).where(AuditEvent.action == "keys_rotated"))
    assert len(rotations) == 1 + POINTS[point]
    if point == "committed":
        assert after.night(NEXT) == 0
        assert told(after, NEXT) == before
        assert {row.move for row in after.query(select(FlagEvent.move))} == {"OPEN"}


def whole(house: House, before: list[tuple], numbers_before: set[str]) -> None:
    """Nothing is half-rotated: the key in force opens every number, made every key, and its mark is the database's."""
    assert told(house) == before
    assert numbers(house.settings) == numbers_before
    made = {keyed(house.settings.person_key, number) for number in numbers_before}
    assert {row.person_key for row in house.query(select(PersonIdentity.person_key))} == made
    rows = house.query(select(Flag.rule, Flag.grain, Flag.key)) + house.query(
        select(FindingRow.rule, FindingRow.grain, FindingRow.key)
    )
    assert all(row.key == flag_key(row.rule, row.grain) for row in rows)
    people = {person for row in rows for person in persons_of(row.grain)}
    assert people & made == made
    with reading(engine_for(house.settings.database_url)) as session:
        assert mark_in_force(session) == key_mark(house.settings.person_key)


def test_a_failure_midway_leaves_everything_as_it_was(house, environ):
    keys = house.keys()
    with writing(engine_for(house.settings.database_url)) as session:
        some = session.scalars(select(PersonIdentity).limit(1)).one()
        held = (some.person_key, some.sealed)
        session.delete(some)
    with pytest.raises(Refused, match="1 people"):
        rotate_keys(house.settings, NOW, "test")
    assert house.keys() == keys
    assert load_settings(environ).person_key == house.settings.person_key
    with writing(engine_for(house.settings.database_url)) as session:
        run = session.scalar(select(func.max(NightRun.id)))
        folder = house.settings.snapshots_dir / A.isoformat() / "1"
        assert keep_identities(session, run, folder, house.settings.person_key) == 1
        kept = session.get(PersonIdentity, held[0])
        assert kept.sealed == held[1]


def test_a_night_on_its_way_is_refused_and_run_again(house, environ):
    run = begin(NEXT, house.inbox, house.settings)
    after = rotated(house, environ)
    for step, book in (("gate", "units"), ("detect", None), ("settle", None)):
        with pytest.raises(Refused, match="rotated"):
            perform(step, run, book, after.settings)
    assert after.night(NEXT) == 0


def test_another_key_than_the_databases_is_refused(house):
    stranger = replace(house.settings, person_key="x" * 40)
    with pytest.raises(Misconfigured, match="keys rotate"):
        begin(NEXT, house.inbox, stranger)
    with reading(engine_for(house.settings.database_url)) as session:
        assert mark_in_force(session) == key_mark(house.settings.person_key)
        assert hold_key(session, house.settings.person_key, NOW) == key_mark(house.settings.person_key)


def test_a_key_of_the_environment_and_a_second_rotation_are_refused(house, environ):
    given = load_settings(environ | {"BIANZHI_PERSON_KEY": house.settings.person_key})
    with pytest.raises(Refused, match="environment"):
        rotate_keys(given, NOW, "test")
    number = os.open(house.settings.keys_dir, os.O_RDONLY)
    fcntl.flock(number, fcntl.LOCK_EX)
    try:
        with pytest.raises(Refused, match="another rotation"):
            rotate_keys(house.settings, NOW, "test")
    finally:
        os.close(number)


ME = Claim("RESIDENT", person_id(1), "甲1")
UNIT = frozenset({"007"})
REVIEWER = Scope(1, "reviewer", frozenset({Role.REVIEWER}), (Reach(Role.REVIEWER, UNIT, codes=UNIT),), UNIT)


def issued(house: House, now: datetime = NOW) -> str:
    with writing(engine_for(house.settings.database_url)) as session:
        return issue_code(session, house.settings, ME, REVIEWER, now).code


def looked_up(house: House, code: str, now: datetime = NOW) -> OwnRecord:
    with writing(engine_for(house.settings.database_url)) as session:
        return look_up(session, house.settings, ME, code, now)


def test_codes_not_used_yet_are_void_and_said_to_be(house, environ):
    # The command's clock is the real one.
    now = datetime.now(UTC)
    used, unused = issued(house, now), issued(house, now)
    assert looked_up(house, used, now).as_of == A
    held = select(LookupCode.valid_until, LookupCode.used_at.is_not(None)).order_by(LookupCode.id)
    [(late, _), (good, was_used)] = house.query(held)
    assert (good, was_used) == (late, False)
    assert late > now.date()
    answer = CliRunner().invoke(main, ["keys", "rotate"], env=environ)
    assert answer.exit_code == 0, answer.output
    assert "1 unused lookup codes void" in answer.output
    [(until, was_used), (void, _)] = house.query(held)
    assert (until, was_used) == (late, True)
    assert void <= now.date()
    [event] = house.query(select(AuditEvent.details).where(AuditEvent.action == "lookup_codes_voided"))
    assert json.loads(event.details) == {"codes": 1}
    after = House(load_settings(environ))
    for code in (used, unused):
        with pytest.raises(Unavailable, match="密钥刚更换"):
            looked_up(after, code, now)
    assert after.night(NEXT) == 0
    for code in (used, unused):
        with pytest.raises(Refused, match="没有查到"):
            looked_up(after, code, now)


def test_after_a_rotation_nobody_is_told_to_be_unknown_and_the_next_night_finds_them(house, environ):
    after = rotated(house, environ)
    # The new key, and a portal that still works with the old one.
    for portal in (after, house):
        with pytest.raises(Unavailable, match="密钥刚更换，须待下一次每夜核对后才能查询"):
            issued(portal)
    assert after.night(NEXT) == 0
    with pytest.raises(Unavailable, match="密钥刚更换"):
        issued(house)
    found = looked_up(after, issued(after))
    assert found.as_of == NEXT
    assert [day for day, _ in found.history] == [NEXT]
    assert found.rekeyed


def test_a_history_under_one_key_says_nothing_of_keys(house):
    assert house.night(NEXT) == 0
    found = looked_up(house, issued(house))
    assert [day for day, _ in found.history] == [A]
    assert not found.rekeyed


def test_a_number_goes_with_the_last_finding_and_flag_that_names_its_person(house):
    engine = engine_for(house.settings.database_url)
    with writing(engine) as session:
        session.add(PersonIdentity(person_key="0" * 32, sealed=b"of nobody"))
        session.execute(delete(FindingRow))
        session.flush()
        assert forget_identities(session) == 1
    assert len(house.query(select(PersonIdentity.person_key))) == 2


def test_two_people_in_one_grain_stay_in_text_order():
    names = Names({"a" * 32: "9" * 32, "b" * 32: "1" * 32}, {"F01-" + "0" * 20: "F01-" + "f" * 20})
    grain = json.dumps({"person_key": f"{'a' * 32};{'b' * 32}"}, separators=(",", ":"))
    assert names.grain(grain) == grain.replace("a" * 32, "1" * 32).replace("b" * 32, "9" * 32)
    assert names.text(f'["F01-{"0" * 20}","D03-{"5" * 20}"]') == f'["D03-{"5" * 20}","F01-{"f" * 20}"]'
    assert names.text('{"units":["007"]}') == '{"units":["007"]}'
    assert names.grain('{"unit_code":"007"}') == '{"unit_code":"007"}'
