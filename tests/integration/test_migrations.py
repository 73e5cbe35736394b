"""Migrations over a database in use: what people did stays, and history can still not be rewritten."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from core.db import engine_for
from core.errors import Refused
from core.migrate import _config
from pool.service_slots import fill_slot
from tests.poolkit import K2, found_province
from tests.postgres_server import administrate

RUN = (
    "INSERT INTO night_run (id, as_of, run_no, fingerprint, inbox, state, backfill, opened_at) "
    "VALUES (1, '2026-10-15', 1, 'f', 'i', 'SETTLED', :no, '2026-10-16 00:00:00+00')"
)
FLAG = (
    "INSERT INTO flag (key, rule, grain, status, severity, first_seen, last_seen, last_run_id, version) "
    "VALUES (:key, 'F01', '{}', 'OPEN', 'S1', '2026-10-15', '2026-10-15', 1, 1)"
)
EVENT = (
    "INSERT INTO flag_event (id, flag_key, at, run_id, actor, move, to_status) "
    "VALUES (:id, :key, '2026-10-16 00:00:00+00', 1, 'night', 'OPEN', 'OPEN')"
)
KEYS = ("F01-b", "F01-a", "F01-c")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = engine_for(f"sqlite:///{tmp_path / 'old.db'}")
        yield engine
        engine.dispose()
        return
    server = request.getfixturevalue("postgres")
    administrate(server, "CREATE DATABASE test_migrating")
    engine = create_engine(server.url("test_migrating"))
    yield engine
    engine.dispose()
    administrate(server, "DROP DATABASE test_migrating WITH (FORCE)")


def move(engine: Engine, do, revision: str) -> None:
    config = _config()
    with engine.execution_options(bianzhi_write=True).begin() as connection:
        config.attributes["connection"] = connection
        do(config, revision)


def execute(engine: Engine, statement: str, **values):
    with engine.execution_options(bianzhi_write=True).begin() as connection:
        result = connection.execute(text(statement), values)
        return result.fetchall() if result.returns_rows else None


def test_flags_get_a_number_and_keep_their_events(empty):
    move(empty, command.upgrade, "0001")
    execute(empty, RUN, no=False)
    for number, key in enumerate(KEYS, 1):
        execute(empty, FLAG, key=key)
        execute(empty, EVENT, id=number, key=key)
    move(empty, command.upgrade, "0003")
    pairs = "SELECT flag_event.id, flag.key FROM flag_event JOIN flag ON flag.id = flag_event.flag_id ORDER BY 1"
    assert [tuple(row) for row in execute(empty, pairs)] == list(enumerate(KEYS, 1))
    execute(empty, FLAG, key="F01-d")
    assert len({row.id for row in execute(empty, "SELECT id FROM flag")}) == 4
    for statement in ("UPDATE flag_event SET note = 'x'", "DELETE FROM flag_event", FLAG.replace(":key", "'F01-d'")):
        with pytest.raises(DBAPIError):
            execute(empty, statement)
    assert {index["name"] for index in inspect(empty).get_indexes("flag")} >= {"ix_flag_status", "ix_flag_unit"}


def test_and_the_way_back(empty):
    move(empty, command.upgrade, "0001")
    execute(empty, RUN, no=False)
    execute(empty, FLAG, key="F01-b")
    execute(empty, EVENT, id=1, key="F01-b")
    move(empty, command.upgrade, "0003")
    move(empty, command.downgrade, "0001")
    assert [row.flag_key for row in execute(empty, "SELECT flag_key FROM flag_event")] == ["F01-b"]
    assert not {"person_identity", "key_mark"} & set(inspect(empty).get_table_names())
    with pytest.raises(DBAPIError):
        execute(empty, "DELETE FROM flag_event")


ACCOUNT = (
    "INSERT INTO account (id, login, email, display_name, active, fs_uniquifier, locale, wants_mail, failed_login_count, "
    "created_at) VALUES (:id, :login, :login, :login, :yes, :login, 'zh_Hans_CN', :yes, 0, '2026-10-16 00:00:00+00')"
)
GRANT = "INSERT INTO \"account_grant\" (user_id, role, division_code) VALUES (:id, 'AUDITOR', '990102')"


def test_accounts_lose_what_nobody_reads_and_keep_their_grants(empty):
    move(empty, command.upgrade, "0006")
    for number, login in enumerate(("a", "b"), 1):
        execute(empty, ACCOUNT, id=number, login=login, yes=True)
        execute(empty, GRANT, id=number)
    held = (
        "SELECT account.login, count(*) FROM account_grant JOIN account ON account.id = user_id GROUP BY 1 ORDER BY 1"
    )
    move(empty, command.upgrade, "0007")
    assert [tuple(row) for row in execute(empty, held)] == [("a", 1), ("b", 1)]
    with pytest.raises(DBAPIError):
        execute(empty, GRANT, id=3)
    move(empty, command.downgrade, "0006")
    assert [tuple(row) for row in execute(empty, held)] == [("a", 1), ("b", 1)]
    assert len({row[0] for row in execute(empty, "SELECT fs_uniquifier FROM account")}) == 2


def test_two_live_slots_of_one_person_stop_the_migration_which_names_the_slots_alone(empty):
    move(empty, command.upgrade, "head")
    province = found_province(empty)
    province.pool(K2, 2)
    numbers = province.lend("A1", 2)["slots"]
    for number in numbers:
        province.do(fill_slot, "reviewer", number, f"key-{number}", "99********1234")
    move(empty, command.downgrade, "0013")
    execute(empty, "UPDATE pool_slot SET person_key = 'twice'")
    with pytest.raises(Refused) as caught:
        move(empty, command.upgrade, "0014")
    assert " and ".join(sorted(numbers)) in caught.value.message
    assert "twice" not in caught.value.message
    assert "1234" not in caught.value.message
    execute(empty, "UPDATE pool_slot SET person_key = slot_no")
    move(empty, command.upgrade, "0014")
    with pytest.raises(DBAPIError):
        execute(empty, "UPDATE pool_slot SET person_key = 'twice'")
