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

_TOTAL = DivisionTotal.__table__.c
_LIMITED = select(_TOTAL.division_code, _TOTAL.post_type).where(
    _TOTAL.division_code.in_(bindparam("divisions", expanding=True)),
    _TOTAL.post_type.in_(bindparam("types", expanding=True)),
)


def total_after(session: Session, division: str, post_type: str, posts: int) -> tuple[int, int] | None:
    """A division's sum with so many posts more, and its limit; None without a limit."""
    limit = session.scalar(
        select(DivisionTotal.posts).where(DivisionTotal.division_code == division, DivisionTotal.post_type == post_type)
    )
    if limit is None:
        return None
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
    return int(quota) + crossing + posts, limit


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
    known = {(row.division_code, row.post_type) for row in run(session, _LIMITED, limited)} if rising else set()
    for (division, post_type), posts in rising.items():
        found = total_after(session, division, post_type, posts) if (division, post_type) in known else None
        if found and found[0] > found[1]:
            raise _exceeded(session, division, posts, *found)


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
