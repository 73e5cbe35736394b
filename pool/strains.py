"""A tree that does not bear a change: what would have to grow, how much would be borne, and who holds the posts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from pool.acting import parents, path_up
from pool.forest import Partition
from pool.ledger import NO_PURPOSE, Account
from pool.models import PoolBalance
from pool.tree import Binding, Node, most_that_passes, smallest_change


class Cure(StrEnum):
    """What would have to come into a pool or a lot, where posts are lacking; of limits see `pool.tree.Remedy`."""

    POOL_VACANT = "POOL_VACANT"
    RETURN_POSTS = "RETURN_POSTS"
    DROP_REQUEST = "DROP_REQUEST"


@dataclass(frozen=True)
class Strain:
    """A tree that does not bear a change: as it stands before, on the day that binds, and after; what binds; by how much
    own changes, where it is posts that move."""

    partition: Partition
    purpose: str
    tree: Mapping[str, Node]
    after: Mapping[str, Node]
    found: list[Binding]
    own: Mapping[str, int]


def remedies(strains: Sequence[Strain]) -> list[dict[str, object]]:
    """What would have to grow: of several days with the same remedy the largest; a purpose is named where it has a limit,
    a partition where several bind."""
    posts: dict[tuple[str, str, str, Partition], int] = {}
    for strain in strains:
        for change in smallest_change(strain.tree, strain.after):
            key = change.node, change.remedy.value, strain.purpose, strain.partition
            posts[key] = max(posts.get(key, 0), change.posts)
    several = len({strain.partition for strain in strains}) > 1
    return [
        {"node": node, "remedy": remedy, "posts": count}
        | ({"purpose": purpose} if purpose else {})
        | ({"post_type": partition[0], "fund_form": partition[1]} if several else {})
        for (node, remedy, purpose, partition), count in posts.items()
    ]


def most_borne(strains: Sequence[Strain]) -> int | None:
    """The most posts the one who takes could take; None where several take, or none does."""
    takers = [[holder for holder, posts in strain.own.items() if posts < 0] for strain in strains]
    if any(len(each) != 1 for each in takers):
        return None
    return min(
        most_that_passes(strain.tree, each[0], -strain.own[each[0]])
        for strain, each in zip(strains, takers, strict=True)
    )


def holders_below(
    session: Session, partition: Partition, node_id: str, purpose: str = NO_PURPOSE, most: int = 10
) -> list[dict[str, object]]:
    """Units at or below a node that hold lent posts of the partition (and purpose; '' = all), those with the most first."""
    of_purpose = (PoolBalance.purpose == purpose,) if purpose != NO_PURPOSE else ()
    rows = session.execute(
        select(PoolBalance.holder, PoolBalance.posts).where(
            PoolBalance.account == Account.BORROWED, PoolBalance.posts > 0,
            PoolBalance.post_type == partition[0], PoolBalance.fund_form == partition[1], *of_purpose,
        )
    )  # fmt: skip
    held: dict[str, int] = {}
    for holder, posts in rows:
        held[holder] = held.get(holder, 0) + posts
    parent_of = parents(session, held)
    below = {holder: posts for holder, posts in held.items() if node_id in path_up(parent_of, holder)}
    ordered = sorted(below.items(), key=lambda item: (-item[1], item[0]))[:most]
    return [{"node": holder, "posts": posts} for holder, posts in ordered]
