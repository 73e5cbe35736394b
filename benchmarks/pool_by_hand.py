"""The statements of one GRANT through pool.service, written by hand: once run through SQLAlchemy Core, once by the bare
driver. What the service adds to them is checking in Python, the ORM's session, and its hashes' spelling."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Generator
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, text

Rows = list[tuple[Any, ...]]
Script = Generator[tuple[str, dict[str, Any]], Rows, None]

NODE = "SELECT id, kind, unit_code, level, division_code, name, parent_id, created_on, switched_on, closed_on FROM pool_node WHERE id = :id"
PATH = (
    "WITH RECURSIVE path(id, parent_id) AS (SELECT id, parent_id FROM pool_node WHERE id = :id UNION"
    " SELECT n.id, n.parent_id FROM pool_node n JOIN path ON n.id = path.parent_id) SELECT id, parent_id FROM path"
)
HOLD = "SELECT id FROM pool_node WHERE id = :id FOR UPDATE"
SEEN = "SELECT body_hash, answer FROM pool_command WHERE actor = :actor AND client_id = :client_id"
PAPER = "SELECT doc_no FROM pool_document WHERE doc_no = :doc_no"
LOCK = "SELECT pg_advisory_xact_lock(:key)"
HEAD = "SELECT seq, hash FROM pool_movement ORDER BY seq DESC LIMIT 1"
CELL = "post_type = 'INSTITUTION' AND fund_form = 'FULL' AND purpose = ''"
HELD = (
    f"SELECT account, holder, posts FROM pool_balance WHERE {CELL} AND lot = 0 AND"
    " ((account = 'authority' AND holder = 'AUTHORITY') OR (account = 'home' AND holder = :holder))"
)
LATER = (
    "SELECT account, holder, purpose, lot, effective_date, posts FROM pool_entry WHERE post_type = 'INSTITUTION' AND"
    " fund_form = 'FULL' AND effective_date > :day"
)
TOTAL = (
    "SELECT division_code, post_type, posts FROM division_total WHERE post_type = 'INSTITUTION' AND division_code IN"
    " ('990000', '990100', '990101')"
)
MOVEMENT = (
    "INSERT INTO pool_movement (seq, kind, effective_date, booked_at, actor, post_type, fund_form, purpose, posts,"
    " to_holder, document_no, previous_hash, hash) VALUES (:seq, 'GRANT', :day, :now, :actor, 'INSTITUTION', 'FULL', '',"
    " 1, :holder, :doc_no, :previous, :hash)"
)
ENTRY = (
    "INSERT INTO pool_entry (movement_seq, line, account, holder, post_type, fund_form, purpose, lot, posts,"
    " effective_date) VALUES (:seq, :line, :account, :at, 'INSTITUTION', 'FULL', '', 0, :posts, :day)"
)
BALANCE = (
    f"UPDATE pool_balance SET posts = :after WHERE account = :account AND holder = :at AND {CELL} AND lot = 0"
    " AND posts = :before"
)
EVENT_HEAD = "SELECT seq, hash FROM audit_event ORDER BY seq DESC LIMIT 1"
EVENT = (
    "INSERT INTO audit_event (seq, at, actor, action, subject, details, previous_hash, hash) VALUES"
    " (:seq, :now, :actor, 'pool_grant', :subject, :details, :previous, :hash)"
)
COMMAND = (
    "INSERT INTO pool_command (actor, client_id, name, body_hash, answer, at) VALUES"
    " (:actor, :client_id, 'GRANT', :hash, :answer, :now)"
)
CHAIN_KEY, AUDIT_KEY = 0x706F6F6C, 0x6269616E


def grant_by_hand(
    holder: str, actor: str, client_id: str, doc_no: str, now: datetime, day: date, server: bool
) -> Script:
    """One GRANT of one post on a cell that has a balance: yields (statement, values), is sent the rows."""
    body = {"holder": holder, "posts": 1, "document_no": doc_no}
    yield NODE, {"id": holder}
    if server:
        path = yield PATH, {"id": holder}
        root = next(row[0] for row in path if row[1] is None)
        yield HOLD, {"id": root}
        path = yield PATH, {"id": holder}
        for node in [row[0] for row in reversed(path) if row[1] is not None]:
            yield HOLD, {"id": node}
    yield SEEN, {"actor": actor, "client_id": client_id}
    if server:
        yield NODE, {"id": holder}
    yield PAPER, {"doc_no": doc_no}
    if server:
        yield LOCK, {"key": CHAIN_KEY}
    seq, previous = (yield HEAD, {})[0]
    held = yield HELD, {"holder": holder}
    yield LATER, {"day": day}
    yield TOTAL, {}
    values = {"seq": seq + 1, "day": day, "now": now, "actor": actor, "holder": holder, "doc_no": doc_no}
    yield MOVEMENT, values | {"previous": previous, "hash": _hash(previous, values)}
    for line, (account, at, posts) in enumerate(sorted(held), 1):
        change = 1 if account == "home" else -1
        yield ENTRY, {"seq": seq + 1, "line": line, "account": account, "at": at, "posts": change, "day": day}
        yield BALANCE, {"account": account, "at": at, "before": posts, "after": posts + change}
    if server:
        yield LOCK, {"key": AUDIT_KEY}
    number, previous = (yield EVENT_HEAD, {})[0]
    event = {
        "seq": number + 1,
        "now": now,
        "actor": actor,
        "subject": f"pool movement {seq + 1}",
        "details": json.dumps(body),
    }
    yield EVENT, event | {"previous": previous, "hash": _hash(previous, event)}
    answer = json.dumps({"movement": seq + 1})
    yield COMMAND, {"actor": actor, "client_id": client_id, "hash": _hash("", body), "answer": answer, "now": now}


def _hash(previous: str, values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([previous, values], default=str).encode()).hexdigest()


def _play(script: Script, execute: Callable[[str, dict[str, Any]], Rows]) -> None:
    rows = None
    try:
        while True:
            statement, values = script.send(rows)
            rows = execute(statement, values)
    except StopIteration:
        return


_CORE = lru_cache(maxsize=64)(text)


def through_core(connection: Connection, script: Script) -> None:
    """Each statement by `connection.execute`; the caller holds the transaction."""

    def execute(statement: str, values: dict[str, Any]) -> Rows:
        result = connection.execute(_CORE(statement), values)
        return [tuple(row) for row in result] if result.returns_rows else []

    _play(script, execute)


@lru_cache(maxsize=64)
def _percent(statement: str) -> str:
    return re.sub(r":(\w+)", r"%(\1)s", statement)


def through_driver(cursor: Any, script: Script, server: bool) -> None:
    """Each statement by the driver's own cursor; SQLite takes `:name` as it is, psycopg `%(name)s`."""

    def execute(statement: str, values: dict[str, Any]) -> Rows:
        cursor.execute(_percent(statement) if server else statement, values)
        return cursor.fetchall() if cursor.description else []

    _play(script, execute)
