"""Databases for integration tests: SQLite and a real PostgreSQL, a fresh one per test, from the migrations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from core.db import engine_for
from core.migrate import upgrade
from tests.databases import migrate
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


@pytest.fixture(scope="session")
def same_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("database")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, same_folder: Path) -> Iterator[str]:
    """The URL of a fresh database at the newest schema, once per kind of database.

    The URL is the same for every test: its engine knows the statements of the tests before.
    """
    if request.param == "sqlite":
        url = f"sqlite:///{same_folder / 'bianzhi.db'}"
        migrate(url)
        yield url
        engine_for(url).dispose()
        for path in same_folder.iterdir():
            path.unlink(missing_ok=True)
        return
    server: Server = request.getfixturevalue("postgres")
    template = request.getfixturevalue("postgres_template")
    administrate(server, f"CREATE DATABASE test_bianzhi TEMPLATE {template}")
    url = server.url("test_bianzhi")
    yield url
    engine_for(url).dispose()
    administrate(server, "DROP DATABASE test_bianzhi WITH (FORCE)")
