"""The proof of the trail: no change without its audit event, and no event of the pool about what is not there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from core.audit import AuditEvent
from pool.models import PoolDelegation, PoolLimit, PoolMovement, PoolReorganisation, PoolRequestStep
from pool.proof_columns import batches, columns_in, is_sqlite, joined_columns
from pool.proof_rows import MOST_NAMED, Proof

EVENT, MOVEMENT = AuditEvent.__table__.c, PoolMovement.__table__.c
OF_MOVEMENT, OF_REQUEST, OF_NODE = "pool movement ", "pool request ", "pool node "
BY_MANY = ("OPENING", "MERGER")  # movements of one act, which has one event


@dataclass
class Trail:
    """own: movements booked by an act of their own, not by one on a request, loan or slot. named: the numbers events are
    about. kept: (what, how many) by the rows of all other changes; told: by the events."""

    last: int
    own: np.ndarray
    named: np.ndarray
    kept: dict[str, int]
    told: dict[str, int]
    openings: frozenset[str]
    opened: frozenset[str]
    newest: int  # the last movement when the events were read: others may have booked in the meantime


def read_trail(session: Session, last: int) -> Trail:
    """Everything, up to the last movement; numbers as columns."""
    single = (
        MOVEMENT.request_no.is_(None) & MOVEMENT.loan_no.is_(None) & MOVEMENT.slot_no.is_(None)
        & func.coalesce(MOVEMENT.source, "").not_in(BY_MANY) & MOVEMENT.seq.between(1, last)
    )  # fmt: skip
    about = EVENT.subject.startswith(OF_MOVEMENT, autoescape=True)
    days = select(cast(MOVEMENT.effective_date, String)).where(MOVEMENT.source == "OPENING").distinct()
    nights = select(EVENT.subject).where(EVENT.action == "pool_opened").distinct()
    return Trail(
        last, _numbers(session, MOVEMENT.seq, single), _numbers(session, func.substr(EVENT.subject, 15), about),
        _kept(session), _told(session), frozenset(session.scalars(days)),
        frozenset(subject.removeprefix("pool night ") for subject in session.scalars(nights)),
        session.scalar(select(func.coalesce(func.max(MOVEMENT.seq), 0))),
    )  # fmt: skip


def _numbers(session: Session, cell, within) -> np.ndarray:
    """A column of whole numbers; −1 is what is none."""
    if is_sqlite(session):
        (text,) = joined_columns(session, [cell], within)
        found = columns_in([[text]], ("number",), ()) if text is not None else None
        if found is not None:
            return found.numbers["number"]
    words = [str(word) for rows in batches(session, select(cell).where(within)) for (word,) in rows]
    return np.array([int(word) if word.isdecimal() and len(word) < 19 else -1 for word in words], "int64")


def _counts(session: Session, cell, within) -> dict[str, int]:
    """How often each word is there."""
    if is_sqlite(session):
        (text,) = joined_columns(session, [cell], within)
        found = columns_in([[text]], (), ("word",)) if text is not None else None
        if found is not None:
            coded = found.words["word"]
            return dict(zip(coded.words, np.bincount(coded.codes).tolist(), strict=True))
    return dict(session.execute(select(cell, func.count()).where(within).group_by(cell)).all())


def _kept(session: Session) -> dict[str, int]:
    """Steps of requests (a reversal, which opens one again, tells of its movement), delegations, changes of the tree."""
    step = PoolRequestStep
    steps = _counts(session, step.request_no, step.move != "REOPEN")
    kept = Counter({f"{OF_REQUEST}{number}": count for number, count in steps.items()})
    for kind, node in session.execute(select(PoolReorganisation.kind, PoolReorganisation.node_id)):
        kept[f"pool_{kind.lower()} {OF_NODE}{node}"] += 1
    for number, revoked in session.execute(select(PoolDelegation.id, PoolDelegation.revoked_at)):
        kept[f"pool_delegated pool delegation {number}"] += 1
        kept[f"pool_delegation_revoked pool delegation {number}"] += revoked is not None
    for node in session.scalars(select(PoolLimit.node_id).distinct()):
        kept[f"pool_limits_set {OF_NODE}{node}"] = 1  # set again it is one row still
    return dict(+kept)


def _told(session: Session) -> dict[str, int]:
    of_request = EVENT.action.startswith("pool_request_", autoescape=True)
    told = _counts(session, EVENT.subject, of_request)
    others = EVENT.subject.startswith(OF_NODE, autoescape=True) | EVENT.subject.startswith("pool delegation ")
    counted = select(EVENT.action, EVENT.subject, func.count()).where(others & (EVENT.action != "pool_switched"))
    for action, subject, count in session.execute(counted.group_by(EVENT.action, EVENT.subject)):
        told[f"{action} {subject}"] = 1 if action == "pool_limits_set" else count
    return told


def changes_are_trailed(trail: Trail, movements: np.ndarray) -> Proof:
    """One event per change. movements: the numbers there are."""
    known = trail.named[(trail.named >= 0) & (trail.named <= trail.last)]
    told = np.bincount(known, minlength=trail.last + 1)
    there = np.zeros(len(told), dtype=bool)
    there[movements[(movements >= 0) & (movements <= trail.last)]] = True
    unnamed = trail.own[told[trail.own] == 0]
    beyond = trail.named[(trail.named < 0) | (trail.named > trail.newest)]
    surplus = np.concatenate([np.unique(beyond), np.flatnonzero((told > 1) | (~there & (told > 0)))])
    others = []
    if trail.kept != trail.told:
        what = {*trail.kept, *trail.told}
        others = sorted(one for one in what if trail.kept.get(one, 0) != trail.told.get(one, 0))
    places = (
        *(f"seq={number} events=0" for number in unnamed[:MOST_NAMED].tolist()),
        *(f"{OF_MOVEMENT}{number} is none, or told twice" for number in surplus[:MOST_NAMED].tolist()),
        *(f"{what} changes={trail.kept.get(what, 0)} events={trail.told.get(what, 0)}" for what in others[:MOST_NAMED]),
        *(f"opening of {day} events=0" for day in sorted(trail.openings - trail.opened)),
    )
    checked = len(trail.own) + len(trail.named) + len(trail.kept)
    return Proof("one audit event per change", not places, checked, places[:MOST_NAMED])
