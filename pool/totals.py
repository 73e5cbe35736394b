"""R17: Σ quota + borrowed from outside − lent outside ≤ Q08's limit, per division and post type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from core.db import run
from core.errors import Refused
from core.unit_sql import below
from core.units import division_lineage
from pool.ledger import AUTHORITY_HOLDER, HELD, Entry, Kind
from pool.models import DivisionTotal, PoolBalance, PoolNode, PoolSlot

# By document; undoing a mistake (REVERSE) may put back what was there.
RAISING = (Kind.GRANT, Kind.DEPOSIT, Kind.TRANSFER, Kind.CONVERSION)

_LIMIT = DivisionTotal.__table__.c
_LIMITS = select(_LIMIT.division_code, _LIMIT.post_type, _LIMIT.posts).where(
    _LIMIT.division_code.in_(bindparam("divisions", expanding=True)),
    _LIMIT.post_type.in_(bindparam("types", expanding=True)),
)


def total_after(session: Session, division: str, post_type: str, posts: int) -> tuple[int, int] | None:
    """A division's sum with so many posts more, and its limit; None without a limit."""
    limit = session.scalar(
        select(DivisionTotal.posts).where(DivisionTotal.division_code == division, DivisionTotal.post_type == post_type)
    )
    return None if limit is None else (_total(session, division, post_type) + posts, limit)


def _total(session: Session, division: str, post_type: str) -> int:
    """Σ quota + borrowed from outside − lent outside, of a division and all below it."""
    inside = set(session.scalars(select(PoolNode.id).where(below(PoolNode.division_code, division))))
    quota = session.scalar(
        select(func.coalesce(func.sum(PoolBalance.posts), 0)).where(
            PoolBalance.post_type == post_type, PoolBalance.account.in_(HELD), PoolBalance.holder.in_(inside)
        )
    )
    crossing = 0
    for borrower, lender in session.execute(
        select(PoolSlot.node_id, PoolSlot.lender_id).where(PoolSlot.post_type == post_type, PoolSlot.ended_on.is_(None))
    ):
        crossing += (borrower in inside) - (lender in inside)
    return int(quota) + crossing


def check_totals(session: Session, entries: Sequence[Entry]) -> None:
    """What a movement adds to the quota of divisions with a limit. Errors: Refused, with the division of the first that binds."""
    moved: Counter[tuple[str, str]] = Counter()
    for key, posts in entries:
        if key.account in HELD and key.holder != AUTHORITY_HOLDER:
            moved[key.holder, key.post_type] += posts
    # Whoever books has looked at these nodes before: no query.
    lineages = {holder: division_lineage(session.get(PoolNode, holder).division_code) for holder, _ in moved}
    more: Counter[tuple[str, str]] = Counter()
    for (holder, post_type), posts in moved.items():
        for division in lineages[holder]:
            more[division, post_type] += posts
    rising = {at: posts for at, posts in more.items() if posts > 0}
    limited = {"divisions": sorted({at for at, _ in rising}), "types": sorted({of for _, of in rising})}
    limits = {(row.division_code, row.post_type): row.posts for row in run(session, _LIMITS, limited)} if rising else {}
    for (division, post_type), posts in rising.items():
        if (division, post_type) not in limits:
            continue
        total, limit = _total(session, division, post_type) + posts, limits[division, post_type]
        if total > limit:
            raise _exceeded(session, division, posts, total, limit)


def _exceeded(session: Session, division: str, posts: int, total: int, limit: int) -> Refused:
    over = total - limit
    name = session.scalar(
        select(PoolNode.name)
        .where(PoolNode.division_code == division, PoolNode.unit_code.is_(None))
        .order_by(PoolNode.id)
        .limit(1)
    )
    return Refused(
        f"{name or division}的编制总量限额为 {limit} 个，办理后将达 {total} 个，超出 {over} 个。",
        answer="TOTAL_EXCEEDED", division=division, limit=limit, total=total, short=over,
        most=max(0, posts - over),
    )  # fmt: skip
