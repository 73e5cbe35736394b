"""Sunshine over a real night of the demo city: nobody planted there is named in public, and a person finds the own record."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from core.account_import import import_accounts
from core.accounts import get_user
from core.db import engine_for, reading, writing
from core.errors import BianzhiError
from core.identity import mask_id
from core.migrate import upgrade
from core.permissions import scope_of
from core.settings import Settings, load_settings
from core.types import Level
from core.units import UnitVersion
from demo.city import make_city
from expectations.books import BOOKS, book_of
from expectations.readers import SUFFIXES, read_file
from night.own_record import Claim, _rows, issue_code, look_up
from night.situation import Opening, lines_of, open_period, reports_of
from night.steps import run_night
from reconcile.models import CellFigure
from reconcile.store import newest_run
from tests.leaks import Planted, leaks
from web.app import create_app

AS_OF = date(2026, 10, 31)
NOW = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
ENVIRON = {"BIANZHI_SECRET_KEY": "sun-secret-key-" * 3, "BIANZHI_PERSON_KEY": "sun-person-key-" * 3}


@dataclass
class City:
    """A HOME after one demo night."""

    settings: Settings
    app: Flask
    planted: Planted
    inbox: Path


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> City:
    top = tmp_path_factory.mktemp("sunshine")
    make_city(top / "city", people=400, seed=5, as_of=AS_OF, nights=1)
    settings = load_settings({**ENVIRON, "BIANZHI_HOME": str(top / "home")})
    engine = engine_for(settings.database_url)
    upgrade(engine)
    with writing(engine) as session:
        import_accounts(session, top / "city" / "accounts.csv", actor="test", now=NOW)
    with suppress(BianzhiError):  # red, as the demo's truth says
        run_night(settings, top / "city" / "inbox", AS_OF)
    inbox = top / "city" / "inbox"
    return City(settings, create_app(settings, lambda: NOW), Planted.delivered(inbox), inbox)


def addresses(app: Flask) -> list[str]:
    """Every public address: the list's pages, every unit, every file."""
    client = app.test_client()
    found = ["/public", "/public/data", "/public/data/schema.json", "/tip-off", "/tip-off/status", "/my-record"]
    found += [f"/public/data/{book}.{form}" for book in ("units", "pool") for form in ("csv", "json")]
    units = {row["unit_code"] for row in client.get("/public/data/units.json").json["units"]}
    return [*found, *(f"/public/units/{unit}" for unit in sorted(units))]


def test_nobody_is_named_on_any_public_page_or_file(city):
    assert len(city.planted.ids) > 400
    client, seen = city.app.test_client(), {}
    for address in addresses(city.app):
        city.app.extensions["bianzhi_public"].throttle.forgive("127.0.0.1")
        answer = client.get(address)
        assert answer.status_code == 200, address
        if found := city.planted.within(answer.get_data(as_text=True)):
            seen[address] = len(found)
    assert seen == {}
    # The search finds who is there: a page of people would not pass.
    assert city.planted.within(f"<p>{next(iter(city.planted.ids))}</p>")


def test_the_published_figures_are_those_of_the_night(city):
    held = city.app.test_client().get("/public/data/units.json").json
    assert held["as_of"] == AS_OF.isoformat()
    published = {
        (row["unit_code"], row["post_type"], row["fund_form"]): (row["quota"], row["in_post"])
        for row in held["units"] if row["post_type"]
    }  # fmt: skip
    with reading(engine_for(city.settings.database_url)) as session:
        run = newest_run(session)
        figures = session.scalars(
            select(CellFigure).where(CellFigure.run_id == run.id, CellFigure.post_type != "")
        ).all()
        known = set(session.scalars(select(UnitVersion.unit_code)))
    of_night = {
        (row.unit_code, row.post_type, row.fund_form): (row.quota, row.in_post)
        for row in figures
        if row.unit_code in known
    }
    assert len(published) > 40
    assert published.items() <= of_night.items()
    assert len(of_night) - len(published) < 5  # units that were abolished before


def delivered_people(city: City) -> list[tuple[str, str]]:
    """(number, name) of the roster as delivered."""
    found = []
    for path in sorted(city.inbox.rglob("*")):
        if path.suffix in SUFFIXES and book_of(path.stem) == "roster":
            with suppress(BianzhiError):
                frame = read_file(path, BOOKS["roster"]).frame
                found += list(zip(frame["person_id"], frame["person_name"], strict=True))
    return [(number, name) for number, name in found if re.fullmatch(r"\d{17}[\dX]", str(number))]


def test_a_person_of_the_city_finds_the_own_record_and_leaves_no_trace(city):
    engine = engine_for(city.settings.database_url)
    with writing(engine) as session:
        by = scope_of(session, get_user(session, "bianban"))
        run = newest_run(session)
        for number, name in delivered_people(city):
            claim = Claim("RESIDENT", number, name)
            rows = _rows(city.settings, run, claim.person(city.settings.person_key))
            if len(rows) == 1 and rows[0]["unit_code"] in by.units:
                break
        slip = issue_code(session, city.settings, claim, by, NOW)
    with writing(engine) as session:
        found = look_up(session, city.settings, claim, slip.code, NOW)
    assert found.person_mask == mask_id(number)
    assert found.rows[0]["unit_code"] == rows[0]["unit_code"]
    assert [day for day, _ in found.history] == [AS_OF]
    assert leaks([city.settings.home], city.planted, (city.settings.raw_dir,)) == {}


def test_a_period_over_the_city_has_leaders_and_loans_in_its_figures(city):
    engine = engine_for(city.settings.database_url)
    with writing(engine) as session:
        by = scope_of(session, get_user(session, "bianban"))
        division, level = next((r.division, r.level) for r in by.reaches if r.level is Level.CITY)
        period = open_period(session, city.settings, Opening(division, level), by, NOW)
        reports = reports_of(session, period.id, by)
        assert reports
        measures = {line.measure for report in reports for line in lines_of(session, report)}
        assert measures == {"QUOTA", "IN_POST", "PAID", "LEADER_POSTS", "LEADERS", "BORROWED", "LENT"}
        assert session.scalars(select(type(period))).all() == [period]
