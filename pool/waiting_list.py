"""Who waits for posts: requests submitted for which none were ever asked, read from rows."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import Session

from pool.acting import parents, path_up
from pool.approvals import PENDING
from pool.homeward import never_back
from pool.ledger import POOLED, Kind
from pool.models import PoolBalance, PoolMovement, PoolNode, PoolRequest
from pool.policies import waiting_order

WAITABLE = ("NO_STOCK", "QUEUED")  # the refusals of a request that may be registered as waiting


def lacks_posts() -> ColumnElement[bool]:
    """SQL: a request that waits for posts: submitted, and none were ever asked for it."""
    asked = exists().where(PoolMovement.request_no == PoolRequest.number, PoolMovement.kind == Kind.ASK)
    return and_(PoolRequest.status.in_(PENDING), ~asked)


def lacking_posts(session: Session, numbers: Iterable[str]) -> set[str]:
    """Those of the requests that wait for posts."""
    return set(
        session.scalars(select(PoolRequest.number).where(PoolRequest.number.in_(sorted(numbers)), lacks_posts()))
    )


def waiting_for_posts(session: Session) -> list[PoolRequest]:
    """Requests that wait for posts, in R15's order."""
    rows = session.scalars(select(PoolRequest).where(lacks_posts()).execution_options(populate_existing=True))
    order = lambda row: (*waiting_order(row.purpose, row.submitted_on, row.unit_code), row.number)
    return sorted(rows, key=order)


def waiting_before(session: Session, node: PoolNode, request: PoolRequest) -> dict[str, int]:
    """Other requests that wait for posts of the same pool, under the same root: posts by number."""
    rows = session.execute(
        select(PoolRequest.number, PoolRequest.node_id, PoolRequest.posts).where(
            lacks_posts(), PoolRequest.number != request.number, PoolRequest.purpose == request.purpose,
            PoolRequest.post_type == request.post_type, PoolRequest.fund_form == request.fund_form,
        )
    ).all()  # fmt: skip
    if not rows:
        return {}
    parent_of = parents(session, {node.id, *(row.node_id for row in rows)})
    root = path_up(parent_of, node.id)[-1]
    return {row.number: row.posts for row in rows if path_up(parent_of, row.node_id)[-1] == root}


def pooled_posts(session: Session, request: PoolRequest) -> int:
    """All posts of the pool a request waits for, lent ones among them, wherever in the tree; but those that go home."""
    posts = session.scalar(
        select(func.sum(PoolBalance.posts)).where(
            PoolBalance.account.in_(POOLED), PoolBalance.post_type == request.post_type,
            PoolBalance.fund_form == request.fund_form, PoolBalance.purpose == request.purpose,
        )
    )  # fmt: skip
    return int(posts or 0) - never_back(session, request.post_type, request.fund_form, request.purpose)
