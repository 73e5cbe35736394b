"""The portal over a small seeded city, and browsers without a browser: one test client per person."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.accounts import get_user, issue_token
from core.db import engine_for, reading, writing
from core.settings import Settings, load_settings
from tests.web import seeding
from web.app import create_app, open_over

ENVIRON = {"BIANZHI_SECRET_KEY": "test-secret-key-" * 3, "BIANZHI_PERSON_KEY": "test-person-key-" * 3}


@pytest.fixture(scope="session")
def seeded_home() -> Path:
    """A HOME whose database holds the seeded city; copied by tests that change it."""
    return seeding.seeded_home()


class Clock:
    """The portal's time, in a test's hands."""

    def __init__(self) -> None:
        self.now: datetime = seeding.NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def same_home(tmp_path_factory) -> Path:
    """Where every test finds its HOME: at one address SQLAlchemy knows the statements of the tests before."""
    return tmp_path_factory.mktemp("portal-here") / "home"


@pytest.fixture
def portal_settings(seeded_home, same_home) -> Iterator[Settings]:
    settings = load_settings({**ENVIRON, "BIANZHI_HOME": str(same_home)})
    shutil.rmtree(same_home, ignore_errors=True)
    shutil.copytree(seeded_home, same_home)
    yield settings
    engine_for(settings.database_url).dispose()


@pytest.fixture(scope="session")
def built(seeded_home) -> Flask:
    """The application, put together once: its routes and templates are the same for every test."""
    return create_app(load_settings({**ENVIRON, "BIANZHI_HOME": str(seeded_home)}))


@pytest.fixture
def app(built, portal_settings, clock) -> Flask:
    """The application as it starts over this test's HOME. Who changes its routes makes one of their own."""
    open_over(built, portal_settings, clock)
    return built


@pytest.fixture
def db(portal_settings):
    """Reading and writing the portal's database, beside the portal."""
    engine = engine_for(portal_settings.database_url)

    class Door:
        read = staticmethod(lambda: reading(engine))
        write = staticmethod(lambda: writing(engine))

    return Door


class Browser:
    """A test client that fills in forms: it takes the token from the page, as a person's browser does."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, **more):
        return self.client.get(path, **more)

    def token(self, path: str = "/login") -> str:
        page = self.client.get(path, follow_redirects=True).get_data(as_text=True)
        return re.search(r'name="csrf_token" value="([0-9a-f]{64})"', page)[1]

    def post(self, path: str, data: dict | None = None, token_from: str = "/me", **more):
        return self.client.post(path, data={"csrf_token": self.token(token_from), **(data or {})}, **more)

    def sign_in(self, login: str, password: str = seeding.PASSWORD, **more):
        return self.post("/login", {"login": login, "password": password}, token_from="/login", **more)


@pytest.fixture
def browser(app) -> Callable[..., Browser]:
    """browser() is a stranger, browser('officer') is signed in."""

    def make(login: str | None = None) -> Browser:
        made = Browser(app.test_client())
        if login is not None:
            answer = made.sign_in(login)
            assert answer.status_code == 303, answer.get_data(as_text=True)
        return made

    return make


@pytest.fixture
def token(db):
    """A new bearer token of a person."""

    def make(login: str) -> str:
        with db.write() as session:
            return issue_token(session, get_user(session, login), label="test", actor="test", now=seeding.NOW)

    return make


@pytest.fixture
def api(app, token) -> Callable[[str], FlaskClient]:
    """A client of the API with a person's token."""

    def client(login: str) -> FlaskClient:
        made = app.test_client()
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token(login)}"
        return made

    return client
