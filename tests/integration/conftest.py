"""Databases for integration tests: SQLite and a real PostgreSQL, a fresh one per test, from the migrations."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from core.db import engine_for
from core.migrate import upgrade
from tests.postgres_server import Server, administrate, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server for the whole session, stopped and removed at its end."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Server) -> str:
    """A migrated database to copy from: quicker than migrating for every test."""
    administrate(postgres, "CREATE DATABASE template_bianzhi")
    engine = create_engine(postgres.url("template_bianzhi"))
    upgrade(engine)
    engine.dispose()
    return "template_bianzhi"


NUMBERS = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database at the newest schema, once per kind of database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'bianzhi.db'}"
        upgrade(engine_for(url))
        yield url
        engine_for(url).dispose()
        return
    server: Server = request.getfixturevalue("postgres")
    template = request.getfixturevalue("postgres_template")
    name = f"test_{next(NUMBERS)}"
    administrate(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = server.url(name)
    yield url
    engine_for(url).dispose()
    administrate(server, f"DROP DATABASE {name} WITH (FORCE)")
