"""Sunshine on both databases: two at once, one answer each; and the command line."""

from __future__ import annotations

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from cli import main
from core.accounts import get_user, issue_token
from core.audit import AuditEvent, broken_link
from core.calendar import due_after, working_days
from core.db import engine_for, reading, writing
from core.errors import Refused
from core.permissions import scope_of
from core.settings import Settings
from core.tries import count_try, mark_of
from core.types import Level
from night.own_record import Claim, LookupCode, issue_code, look_up
from night.published import picture, state_of
from night.reminders import remind
from night.situation import Answer, Opening, answer_report, broken_reports, lines_of, open_period, report_seen
from reconcile.flags import Act, start_rectifying
from reconcile.worklist_models import Rectification
from staffing.tipoff_life import TipOffKind, TipOffMove
from staffing.tipoff_models import TipOff, TipOffStep
from staffing.tipoffs import Hand, Report, Seals, send_tip_off, turn_case
from staffing.tipoffs import lines_of as steps_of
from tests.web.seeding import NEWEST, NOW, flag_of, seed
from tests.web.test_own_record import ME, NAME, write_rosters

SEALS = Seals.of("a secret of at least thirty-two characters")
TEXT = "该单位有人长期不到岗而照领工资。"
CLAIM = Claim("RESIDENT", ME, NAME)
Q03 = flag_of("Q03", "3701001", "a" * 32)


@pytest.fixture
def city(database_url, settings) -> Settings:
    """The seeded city on either database."""
    settings = replace(settings, database_url=database_url)
    with writing(engine_for(database_url)) as session:
        seed(session, settings)
    write_rosters(settings)
    return settings


def at_once(settings: Settings, deed, hands: int = 4) -> list[object]:
    """What a deed answers when several do it at once, each in a transaction of its own; a refusal is its class."""

    def one(number: int) -> object:
        try:
            with writing(engine_for(settings.database_url)) as session:
                return deed(session, number)
        except Refused as error:
            return type(error)

    with ThreadPoolExecutor(hands) as pool:
        return list(pool.map(one, range(hands)))


def sent(session, number: int = 0) -> str:
    report = Report(TipOffKind.GHOST_PAY, "370100", "3701001", f"{TEXT}{number}", "x@example.org")
    return send_tip_off(session, report, SEALS, NOW, "")[0].number


def test_tip_offs_sent_at_once_have_numbers_of_their_own(city):
    assert sorted(at_once(city, sent)) == [f"SL2026-00000{number}" for number in range(1, 5)]
    with reading(engine_for(city.database_url)) as session:
        assert broken_link(session) is None


def test_a_case_is_taken_by_one_hand(city):
    with writing(engine_for(city.database_url)) as session:
        number = sent(session)

    def take(session, hand: int):
        login = ("reviewer", "reviewer2", "auditor", "reviewer")[hand]
        by = scope_of(session, get_user(session, login))
        return turn_case(session, number, TipOffMove.TAKE, Hand(by, NOW, SEALS, 1)).handler

    answers = at_once(city, take)
    assert answers.count(Refused) == 3
    with reading(engine_for(city.database_url)) as session:
        case = session.scalar(select(TipOff))
        assert case.handler in answers
        assert [line.note for line in steps_of(session, case, SEALS, case.handler)] == [None, None]


def test_a_step_of_a_case_cannot_be_changed_or_deleted(city):
    with writing(engine_for(city.database_url)) as session:
        sent(session)
    for change in ("UPDATE tip_off_step SET actor = 'x'", "DELETE FROM tip_off_step"):
        with pytest.raises(DBAPIError), writing(engine_for(city.database_url)) as session:
            session.connection().exec_driver_sql(change)
    with reading(engine_for(city.database_url)) as session:
        assert session.scalar(select(func.count(TipOffStep.id))) == 1


def test_a_code_opens_to_one_of_several_at_once(city):
    with writing(engine_for(city.database_url)) as session:
        code = issue_code(session, city, CLAIM, scope_of(session, get_user(session, "reviewer")), NOW).code
    answers = at_once(city, lambda session, _: look_up(session, city, CLAIM, code, NOW).as_of)
    assert answers.count(Refused) == 3
    assert answers.count(NEWEST) == 1
    with reading(engine_for(city.database_url)) as session:
        assert session.scalar(select(LookupCode.used_at)) == NOW
        shown = select(func.count(AuditEvent.seq)).where(AuditEvent.action == "own_record_shown")
        assert session.scalar(shown) == 1


def test_a_look_that_finds_no_record_leaves_the_code_good(city):
    with writing(engine_for(city.database_url)) as session:
        code = issue_code(session, city, CLAIM, scope_of(session, get_user(session, "reviewer")), NOW).code
    roster = city.snapshots_dir / NEWEST.isoformat() / "1" / "roster.parquet"
    kept = roster.read_bytes()
    roster.unlink()
    with pytest.raises(Refused, match="没有您的记录"), writing(engine_for(city.database_url)) as session:
        look_up(session, city, CLAIM, code, NOW)
    roster.write_bytes(kept)
    with writing(engine_for(city.database_url)) as session:
        assert look_up(session, city, CLAIM, code, NOW).as_of == NEWEST


def test_tries_are_counted_per_mark_and_forgotten_after_the_window(city):
    hour, mark = timedelta(hours=1), mark_of("k" * 32, "door", "127.0.0.1")
    assert mark != mark_of("k" * 32, "another door", "127.0.0.1")
    with writing(engine_for(city.database_url)) as session:
        assert [count_try(session, mark, 2, hour, NOW) for _ in range(3)] == [True, True, False]
        assert count_try(session, mark_of("k" * 32, "door", "127.0.0.2"), 2, hour, NOW)
        assert count_try(session, mark, 2, hour, NOW + hour + timedelta(seconds=1))


def test_a_report_is_opened_confirmed_frozen_and_reminded_of(city):
    with writing(engine_for(city.database_url)) as session:
        office, officer = (scope_of(session, get_user(session, login)) for login in ("reviewer2", "officer"))
        period = open_period(session, city, Opening("370100", Level.CITY), office, NOW)
        lines = lines_of(session, report_seen(session, period.id, "3701001", officer))
        agreed = {line.place: Answer(True) for line in lines}
        held = answer_report(session, period.id, "3701001", 1, agreed, officer, NOW)
        assert held.status == "CONFIRMED"
        key, late = period.id, period.deadline + timedelta(days=1)
    with writing(engine_for(city.database_url)) as session:
        assert broken_reports(session) == []
        assert remind(session, late, NOW, "") > 0
        assert remind(session, late, NOW, "") == 0
        with pytest.raises(Refused, match="已经确认"):
            answer_report(session, key, "3701001", 2, agreed, officer, NOW)


def test_notices_written_at_once_have_numbers_of_their_own(city):
    flags = [Q03, *(flag_of("F02", "3701002", f"{number:032x}") for number in range(3))]
    with writing(engine_for(city.database_url)) as session:
        from reconcile.models import Flag

        for key in flags:
            session.get(Flag, key).status = "ACKNOWLEDGED"
        by = scope_of(session, get_user(session, "reviewer"))
    deadline = NOW.date() + timedelta(days=30)
    at_once(city, lambda session, n: start_rectifying(
        session, flags[n], Act(by, 2, NOW), reason="整改", deadline=deadline).key)  # fmt: skip
    with reading(engine_for(city.database_url)) as session:
        numbers = sorted(session.scalars(select(Rectification.number)))
        assert numbers == [f"ZG2026-00000{number}" for number in range(1, 5)]


def test_the_same_is_public_on_both_databases(city):
    with reading(engine_for(city.database_url)) as session:
        held = picture(session, NOW.date(), unset=True)
        assert held.state == state_of(session, NOW.date())
        assert len(held.units) == 7
        assert sum(unit.in_post or 0 for unit in held.units) == 597
        assert picture(session, NOW.date(), unset=False).units == ()


@pytest.mark.parametrize(
    ("days", "start"), [(0, "2026-11-25"), (1, "2026-09-30"), (5, "2026-11-25"), (60, "2026-11-25")]
)
def test_a_term_of_working_days_ends_on_the_day_that_completes_it(days, start):
    first = datetime.fromisoformat(start).date()
    last = due_after(first, days)
    counted = working_days(first + timedelta(days=1), last)
    assert (counted[-1][1] if counted else 0) == days
    assert days == 0 or len(counted) == 1 or counted[-2][1] == days - 1


def test_the_command_line_opens_shows_answers_and_exports(settings, monkeypatch, tmp_path):
    from core.migrate import upgrade

    engine = engine_for(settings.database_url)
    upgrade(engine)
    with writing(engine) as session:
        seed(session, settings)
        for login in ("reviewer2", "officer"):
            token = issue_token(session, get_user(session, login), label="t", actor="test", now=NOW)
            (tmp_path / login).write_text(token)
    write_rosters(settings)
    for name in ("home", "secret_key", "person_key"):
        monkeypatch.setenv(f"BIANZHI_{name.upper()}", str(getattr(settings, name)))

    def run(login: str, *command: str):
        hand = ["--as", login, "--token-file", str(tmp_path / login)]
        return CliRunner().invoke(main, ["report", *command, *hand])

    opened = run("reviewer2", "open", "--division", "370100", "--level", "CITY", "--code", "T1", "--json")
    assert opened.exit_code == 0, opened.output
    period = str(json.loads(opened.output)["period"])
    assert run("officer", "open", "--division", "370100").exit_code == 10
    shown = json.loads(run("officer", "show", period, "--unit", "3701001", "--json").output)
    assert shown[0]["measure"] == "QUOTA"
    asked = ["answer", period, "--unit", "3701001", "--json"]
    disputed = run("officer", *asked, "--version", "1", "--dispute", "0=多算一个")
    assert json.loads(disputed.output)["status"] == "DISPUTED"
    assert run("officer", *asked, "--version", "1").exit_code == 10
    assert run("officer", *asked, "--version", "2", "--dispute", "nonsense").exit_code == 11
    assert json.loads(run("officer", *asked, "--version", "2").output)["status"] == "CONFIRMED"
    assert json.loads(run("officer", "list", "--json").output)[0]["confirmed"] == 1
    assert run("officer", "export", period, "--out", str(tmp_path / "t.csv")).exit_code == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_bytes().decode("utf-8-sig"))))
    assert {row["unit_code"] for row in rows} == {"3701001", "3701002"}
