"""The database: one declarative base, engines, and the two kinds of transaction. The edge opens them and commits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Engine, Executable, MetaData, TypeDecorator, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.orm import DeclarativeBase, Session

from core.errors import Unavailable
from core.turns import turns_of

WRITE = "bianzhi_write"
BUSY_SECONDS = 30


class Base(DeclarativeBase):
    """All tables of all rooms hang here, so that one migration history covers them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """A moment in UTC. Refuses naive datetimes, and gives aware ones back on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value, dialect):
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value, dialect):
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@lru_cache(maxsize=8)
def engine_for(database_url: str) -> Engine:
    """The engine for a URL, one per process and URL. SQLite folders are made."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        # Writers of the pool queue behind one root: each holds a connection while it waits for its turn.
        return create_engine(url, pool_pre_ping=True, hide_parameters=True, pool_size=8, max_overflow=24)
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection, _record) -> None:
    # The driver's own transaction handling would start a deferred one and lose updates; we say BEGIN ourselves.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_SECONDS * 1000}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection) -> None:
    writes = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """One transaction that may write; committed at the end of the block, rolled back on any error.

    Errors: Unavailable, when the database did not answer in time.
    """
    with _turn(engine), _session(_writer(engine)) as session, session.begin():
        yield session


def _turn(engine: Engine) -> AbstractContextManager:
    """The writer's turn on a SQLite file; whoever gets none is left to the database's own lock."""
    path = _file_of(engine)
    return turns_of(path).turn(BUSY_SECONDS) if path else nullcontext()


@lru_cache(maxsize=8)
def _file_of(engine: Engine) -> str | None:
    """The SQLite file of an engine; None for a database in memory or a server."""
    if engine.dialect.name != "sqlite" or engine.url.database in (None, "", ":memory:"):
        return None
    return str(Path(engine.url.database).resolve())


@lru_cache(maxsize=8)
def _writer(engine: Engine) -> Engine:
    return engine.execution_options(**{WRITE: True})


def run(session: Session, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None):
    """A statement on tables, in the session's transaction but below the ORM, which need not look at it.

    What the session holds unflushed is not seen.
    """
    return session.connection().execute(statement, values)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """One transaction that only reads. Nothing in it is committed."""
    with _session(engine) as session:
        try:
            yield session
        finally:
            session.expunge_all()  # what was read stays readable after the block
            session.rollback()


@contextmanager
def _session(engine: Engine) -> Iterator[Session]:
    try:
        with Session(engine, expire_on_commit=False) as session:
            yield session
    except (OperationalError, InterfaceError, NoConnection) as error:
        # The statement and its values stay out of the message: they may hold a person.
        cause = getattr(error, "orig", error)
        raise Unavailable(f"the database did not answer ({type(cause).__name__})") from error
