"""Who holds the posts of a lot: what a refusal to withdraw them says, and the smallest change that would let them go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import Refused
from pool import entries
from pool.forest import OwnChange, load_tree, own_changes, trees_by_day, vacancies
from pool.ledger import NO_PURPOSE, Account, Lot, balances_by_day
from pool.models import PoolEntry, PoolMovement
from pool.strains import Cure, Strain, remedies
from pool.tree import bindings, moved

Held = list[dict[str, object]]


def lot_refusal(session: Session, error: Refused, lot: Lot, posts: int, effective: date, today: date) -> Refused:
    """The refusal of a WITHDRAW for want of idle posts, told with who holds the lot's posts on the day that binds; any
    other as it is.

    details: holders (node, posts: borrowers), pending (request, node, posts), leaving (movement, kind, day, posts:
    booked for later days), most, remedies. What is given back today helps from today on: before, only a later day does.
    """
    if error.details.get("answer") != "NOT_ENOUGH" or error.details.get("account") != Account.IDLE:
        return error
    day, has = date.fromisoformat(error.details["day"]), error.details["has"]
    borrowers, asked = _borrowers(session, lot, day), _asked(session, lot, day)
    least = max(0, min(left for _, left in idle_by_day(session, lot.lot_no, effective)))
    cures = _cures(session, lot, posts, posts - least, effective, [*borrowers, *asked]) if effective >= today else []
    lent, waits = (sum(each["posts"] for each in held) for held in (borrowers, asked))
    return Refused(
        f"{day} 第 {lot.lot_no} 批闲置的周转编制只有 {has} 个，不够划回 {posts} 个；"
        f"这一批已借出 {lent} 个，申请预占 {waits} 个。",
        **error.details, lot_no=lot.lot_no, owner=lot.owner.holder, most=least, holders=borrowers, pending=asked,
        leaving=_leaving(session, lot, effective, day), remedies=cures,
    )  # fmt: skip


def _borrowers(session: Session, lot: Lot, on: date) -> Held:
    """Units that hold posts of the lot on a day, those with the most first; the lender's own side is negative."""
    posts = func.sum(PoolEntry.posts)
    rows = session.execute(
        select(PoolEntry.holder, posts)
        .where(PoolEntry.lot == lot.lot_no, PoolEntry.account == Account.BORROWED, PoolEntry.effective_date <= on)
        .group_by(PoolEntry.holder)
        .having(posts > 0)
        .order_by(posts.desc(), PoolEntry.holder)
    )
    return [{"node": holder, "posts": int(held)} for holder, held in rows]


def _asked(session: Session, lot: Lot, on: date) -> Held:
    """Requests posts of the lot are pending for on a day."""
    posts = func.sum(PoolEntry.posts)
    rows = session.execute(
        select(PoolMovement.request_no, PoolMovement.to_holder, posts)
        .join(PoolEntry, PoolEntry.movement_seq == PoolMovement.seq)
        .where(PoolEntry.lot == lot.lot_no, PoolEntry.account == Account.PENDING, PoolEntry.effective_date <= on)
        .group_by(PoolMovement.request_no, PoolMovement.to_holder)
        .having(posts > 0)
        .order_by(PoolMovement.request_no)
    )
    return [{"request": number, "node": node, "posts": int(held)} for number, node, held in rows]


def _leaving(session: Session, lot: Lot, since: date, until: date) -> Held:
    """What is booked to leave the lot after a day, up to another."""
    rows = session.execute(
        select(PoolMovement.seq, PoolMovement.kind, PoolEntry.effective_date, PoolEntry.posts)
        .join(PoolEntry, PoolEntry.movement_seq == PoolMovement.seq)
        .where(
            PoolEntry.lot == lot.lot_no, PoolEntry.account == Account.IDLE, PoolEntry.posts < 0,
            PoolEntry.effective_date > since, PoolEntry.effective_date <= until,
        )
        .order_by(PoolEntry.effective_date, PoolMovement.seq)
    )  # fmt: skip
    return [{"movement": seq, "kind": kind, "day": day.isoformat(), "posts": -posts} for seq, kind, day, posts in rows]


def idle_by_day(session: Session, lot_no: int, since: date) -> list[tuple[date, int]]:
    """(day, idle posts of a lot) of a day and each later one on which they change, of all that is booked."""
    rows = session.execute(
        select(PoolEntry.effective_date, func.sum(PoolEntry.posts))
        .where(PoolEntry.lot == lot_no, PoolEntry.account == Account.IDLE)
        .group_by(PoolEntry.effective_date)
    ).all()
    total = sum(int(posts) for _, posts in rows)
    return balances_by_day(total, [(day, int(posts)) for day, posts in rows if day > since], since)


def _cures(session: Session, lot: Lot, posts: int, short: int, effective: date, held: Held) -> Held:
    """What has to come back to the lot, those who hold most first, and what of the trees would bind then; nothing where
    not enough is held."""
    back: dict[str, int] = {}
    cures: Held = []
    for each in held:
        here = min(int(each["posts"]), short)
        if here:
            which = {"request": each["request"]} if "request" in each else {}
            cure = Cure.DROP_REQUEST if which else Cure.RETURN_POSTS
            cures.append({"node": each["node"], "remedy": cure.value, "posts": here, **which})
            # A request is given up whole, and with it all it holds here.
            freed = int(each["posts"]) if which else here
            back[str(each["node"])] = back.get(str(each["node"]), 0) + freed
            short -= here
    return [] if short else [*cures, *remedies(_strains_of_withdrawing(session, lot, posts, effective, back))]


def _strains_of_withdrawing(
    session: Session, lot: Lot, posts: int, effective: date, back: Mapping[str, int]
) -> list[Strain]:
    """Where a WITHDRAW is not borne once so many posts came back from each, by day and tree as it will be judged."""
    partition = lot.owner.partition
    later = select(PoolEntry.effective_date).where(
        PoolEntry.post_type == partition[0], PoolEntry.fund_form == partition[1], PoolEntry.effective_date > effective
    )
    days = sorted(session.scalars(later.distinct()))
    legs = [(key.account, key.holder, key.purpose, count) for key, count in entries.withdraw(lot, posts)]
    strains = []
    for purpose in (NO_PURPOSE, lot.purpose):
        change = own_changes(legs, lot.owner.holder, purpose).get(lot.owner.holder, OwnChange())
        lends = {lot.owner.holder: change.deposited} if lot.owner.holder.startswith("U:") else {}
        trees = [(load_tree(session, partition, purpose), vacancies(session, partition))]
        trees += trees_by_day(session, partition, purpose, [effective, *days]) if days else ()
        for tree, vacant in trees:
            own = {lot.owner.holder: change.own(vacant.get(lot.owner.holder, 0))}
            before = moved(tree, {node: count for node, count in back.items() if node in tree})
            if found := bindings(before, after := moved(before, own, lends)):
                strains.append(Strain(partition, purpose, before, after, found, own))
    return strains
