"""Requests that wait for stock: given posts in R15's order as posts come back (docs/decisions/0015-waiting.md)."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from core.errors import Refused
from pool.acting import Act, parents, path_up
from pool.letters import address_of, claim_letter, queue_letter
from pool.models import PoolNode, PoolRequest
from pool.service_loans import claim_posts
from pool.store import terms_on
from pool.waiting_list import pooled_posts, waiting_for_posts

OF_STOCK = ("NO_STOCK", "LIMIT")  # what returned posts can mend


def claim_waiting(session: Session, act: Act, as_of: date) -> int:
    """CLAIM for every waiting request that passes: rigid needs, then the longer wait, then the unit code. Returns how
    many.

    The queue is walked until nobody in it passes any more: posts another was given may leave, as the nearest, those of a
    lender whom the rules allow. So the same night again claims nothing.
    """
    claimed = 0
    while given := _walk(session, act, as_of):
        claimed += given
    return claimed


def _walk(session: Session, act: Act, as_of: date) -> int:
    """Once along the queue. One that does not pass is skipped; after pool_skip_days‡ it is skipped no longer: who comes
    after it takes none of the posts it waits for, unless it asks for more than the pool ever had."""
    claimed, kept = 0, set()
    for request in waiting_for_posts(session):
        node = session.get(PoolNode, request.node_id)
        root = path_up(parents(session, [node.id]), node.id)[-1]
        pool = (root, request.post_type, request.fund_form, request.purpose)
        if node.closed_on is not None or pool in kept:
            continue
        try:
            claim_posts(session, act, node, request, told=False)
        except Refused as error:
            if error.details.get("answer") in OF_STOCK and _waited_long(session, request, node, as_of):
                kept.add(pool)
            continue
        letter = claim_letter(request.number, request.posts)
        queue_letter(session, letter, address_of(session, request.applicant), act.today, act.portal, act.now)
        claimed += 1
    return claimed


def _waited_long(session: Session, request: PoolRequest, node: PoolNode, as_of: date) -> bool:
    """A request larger than the pool would be with every loan back would keep everybody waiting for ever."""
    days = terms_on(session, as_of, node.division_code).skip_days
    return (as_of - request.submitted_on).days > days and request.posts <= pooled_posts(session, request)
