"""What every use-case of the pool begins with: who acts, the lock from root to leaf, and the idempotency key.

A use-case of the pool is the first thing its transaction does (it locks before it reads), and the edge commits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.db import WRITE, run
from core.errors import Forbidden, InputRejected, InvariantViolated, NotFound, Refused
from core.identity import normalise_code
from core.permissions import Permission, Scope
from pool.models import PoolCommand, PoolCounter, PoolDelegation, PoolDocument, PoolMovement, PoolNode

# Terms and effective dates are days of the office's calendar, not of UTC.
OFFICE_TIME = ZoneInfo("Asia/Shanghai")
Receipt = dict[str, Any]
# Numbers of the movements a REVERSE undid: they count for nothing.
REVERSED = select(PoolMovement.reverses).where(PoolMovement.reverses.is_not(None))
NOT_HERE = "没有这条记录，或者不在您的管辖范围内。"


@dataclass(frozen=True)
class Act:
    """Who acts (for whom, by delegation), when (UTC), under which idempotency key. portal: the address in mails."""

    by: Scope
    now: datetime
    client_id: str
    acting_for: Scope | None = None
    portal: str = ""

    @property
    def today(self) -> date:
        return self.now.astimezone(OFFICE_TIME).date()

    @property
    def scope(self) -> Scope:
        """Whose reach counts."""
        return self.acting_for or self.by

    @property
    def login(self) -> str:
        return self.by.login

    @property
    def actors(self) -> frozenset[str]:
        """All whose hands these are."""
        return frozenset({self.by.login, self.scope.login})


def check_place(session: Session, act: Act, permission: Permission, node: PoolNode) -> set:
    """The roles that allow the act at a node. Errors: NotFound unseen; Forbidden, also without a delegation in force."""
    if act.acting_for is not None and not may_act_for(session, act.acting_for.login, act.login, act.today):
        raise Forbidden("没有有效的委托，不能代为办理。", answer="NO_DELEGATION")
    if node.kind == "UNIT" and node.closed_on is None:
        return act.scope.check(permission, node.unit_code, node.division_code)
    return act.scope.check(permission, None, node.division_code)


def may_act_for(session: Session, giver: str, taker: str, on: date) -> bool:
    """Whether a delegation from one to the other is in force on a day. What was received is never passed on."""
    found = select(PoolDelegation.id).where(
        PoolDelegation.giver == giver, PoolDelegation.taker == taker, PoolDelegation.revoked_at.is_(None),
        PoolDelegation.valid_from <= on, PoolDelegation.valid_to >= on,
    )  # fmt: skip
    return session.scalar(found.limit(1)) is not None


def once(
    session: Session, act: Act, name: str, body: Receipt, nodes: Iterable[str], do: Callable[[], Receipt]
) -> Receipt:
    """Lock, then answer: the stored answer for a key seen with this body, else what `do` does now.

    nodes: every node the use-case may touch. Errors: Refused (409) for the key with another body; InputRejected.
    """
    if not (1 <= len(act.client_id) <= 100 and act.client_id.isascii() and act.client_id.isprintable()):
        raise InputRejected("幂等键须为 1 至 100 个 ASCII 字符。", field="client_id")
    lock_paths(session, nodes)
    spelled = json.dumps([name, body, sorted(act.actors)], ensure_ascii=False, sort_keys=True, default=str)
    body_hash = hashlib.sha256(spelled.encode()).hexdigest()
    stored = run(session, _STORED, {"who": act.login, "key": act.client_id}).one_or_none()
    if stored is not None:
        if stored.body_hash != body_hash:
            raise Refused("这个幂等键已用于另一件内容不同的办理。", answer="OTHER_BODY")
        return json.loads(stored.answer)
    answer = json.dumps(do(), ensure_ascii=False, default=str)
    try:
        run(session, _STORE, {
            "actor": act.login, "client_id": act.client_id, "name": name, "body_hash": body_hash, "at": act.now,
            "answer": answer,
        })  # fmt: skip
    except IntegrityError:
        # Two roots at once under one key: only the key itself was in common.
        raise Refused("这个幂等键正在另一件办理中使用。", answer="OTHER_BODY") from None
    return json.loads(answer)


def done_on(session: Session, act: Act) -> date | None:
    """The day the act's key was used, in the office's calendar; None: never."""
    at = session.scalar(
        select(PoolCommand.at).where(PoolCommand.actor == act.login, PoolCommand.client_id == act.client_id)
    )
    return at.astimezone(OFFICE_TIME).date() if at else None


_COMMAND, _NODE, _DOCUMENT = PoolCommand.__table__.c, PoolNode.__table__.c, PoolDocument.__table__.c
_STORED = select(_COMMAND.body_hash, _COMMAND.answer).where(
    _COMMAND.actor == bindparam("who"), _COMMAND.client_id == bindparam("key")
)
_STORE = insert(PoolCommand.__table__)


def ids_and_above():
    """A query's path: the nodes of `ids` and all above them, with their parents."""
    given = select(_NODE.id, _NODE.parent_id).where(_NODE.id.in_(bindparam("ids", expanding=True)))
    path = given.cte("path", recursive=True)
    above = PoolNode.__table__.join(path, _NODE.id == path.c.parent_id)
    return path.union(select(_NODE.id, _NODE.parent_id).select_from(above))


_PATH = ids_and_above()
_PATHS = select(_PATH.c.id, _PATH.c.parent_id)


def parents(session: Session, nodes: Iterable[str]) -> dict[str, str | None]:
    """Every node given and all above them: id → parent."""
    return {row.id: row.parent_id for row in run(session, _PATHS, {"ids": sorted(set(nodes))})}


def path_up(parent_of: dict[str, str | None], node_id: str) -> list[str]:
    """The node and all above it, nearest first."""
    path = []
    at: str | None = node_id
    while at is not None and len(path) < 64:
        path.append(at)
        at = parent_of[at]
    return path


def lock_paths(session: Session, nodes: Iterable[str]) -> None:
    """Hold the roots, then every node down to the ones given, until commit.

    SQLite: the transaction must be one that may write (BEGIN IMMEDIATE), whoever forgot would lose updates.
    """
    if session.get_bind().dialect.name == "sqlite":
        if not session.connection().get_execution_options().get(WRITE):
            raise InvariantViolated("a use-case of the pool needs a writing transaction")
        return
    nodes = list(nodes)
    roots = sorted(key for key, parent in parents(session, nodes).items() if parent is None)
    session.execute(select(PoolNode.id).where(PoolNode.id.in_(roots)).order_by(PoolNode.id).with_for_update())
    # Below a root that is held nothing moves: only now is the way down certain.
    parent_of = parents(session, nodes)
    by_depth = sorted(parent_of, key=lambda node_id: (len(path_up(parent_of, node_id)), node_id))
    for node_id in by_depth[: len(by_depth)]:
        if parent_of[node_id] is not None:
            session.execute(_LOCK_ONE, {"id": node_id})


_LOCK_ONE = select(PoolNode.id).where(PoolNode.id == bindparam("id")).with_for_update()


def unit_node(session: Session, unit_code: str) -> PoolNode:
    """The node of a unit. Errors: NotFound."""
    return node_of(session, f"U:{unit_code}")


def node_of(session: Session, node_id: str) -> PoolNode:
    """A node that stands. Errors: NotFound; Refused when it was closed."""
    node = session.get(PoolNode, node_id)
    if node is None:
        raise NotFound(NOT_HERE)
    return node


def open_node(node: PoolNode) -> PoolNode:
    """The same node. Errors: Refused when it no longer stands."""
    if node.closed_on is not None:
        raise Refused("该单位或节点已撤并。", answer="CLOSED")
    return node


def next_number(session: Session, series: str, prefix: str, count: int = 1) -> list[str]:
    """The next numbers of a series, e.g. ZZ2026-000001. Serialised by the root's lock and the row's own."""
    grown = session.execute(_COUNT_UP, {"series": series, "count": count})
    if grown.rowcount == 0:
        session.execute(insert(PoolCounter), [{"name": series, "value": count}])
    last = session.scalar(select(PoolCounter.value).where(PoolCounter.name == series))
    return [f"{prefix}-{number:06d}" for number in range(last - count + 1, last + 1)]


_COUNT_UP = (
    update(PoolCounter)
    .where(PoolCounter.name == bindparam("series"))
    .values(value=PoolCounter.value + bindparam("count"))
    .execution_options(synchronize_session=False)
)


def note_document(session: Session, act: Act, doc_no: str | None, doc_date: date | None = None) -> str:
    """The document's number, noted the first time it is named. Errors: InputRejected without one."""
    number = normalise_code(doc_no or "")
    if not 1 <= len(number) <= 200:
        raise InputRejected("须填写文号（1 至 200 个字）。", field="document_no")
    if run(session, _NOTED, {"number": number}).one_or_none() is None:
        session.execute(
            insert(PoolDocument),
            [{"doc_no": number, "doc_date": doc_date, "registered_by": act.login, "registered_at": act.now}],
        )
    return number


_NOTED = select(_DOCUMENT.doc_no).where(_DOCUMENT.doc_no == bindparam("number"))


def as_held(session: Session, node: PoolNode) -> PoolNode:
    """The node as it stands now that its path is held. On SQLite a writer holds everything from its first statement on,
    so what it has read still stands. Errors: Refused when the node was closed."""
    if session.get_bind().dialect.name != "sqlite":
        session.refresh(node)
    return open_node(node)
