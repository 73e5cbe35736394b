"""The proof of the trail: no change without its audit event, and no event of the pool about what is not there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, String, case, cast, func, select, true
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
    days = (MOVEMENT.source == "OPENING", cast(MOVEMENT.effective_date, String))
    own, opened_on = _lines(session, (single, MOVEMENT.seq), days)
    others = EVENT.subject.startswith(OF_NODE, autoescape=True) | EVENT.subject.startswith("pool delegation ")
    named, requests, changes, nights = _lines(
        session,
        (EVENT.subject.startswith(OF_MOVEMENT, autoescape=True), func.substr(EVENT.subject, 15)),
        (EVENT.action.startswith("pool_request_", autoescape=True), EVENT.subject),
        (others & (EVENT.action != "pool_switched"), EVENT.action.concat(" ").concat(EVENT.subject)),
        (EVENT.action == "pool_opened", EVENT.subject),
    )
    told = {what: 1 if what.startswith("pool_limits_set ") else count for what, count in changes.counts().items()}
    return Trail(
        last, own.numbers(), named.numbers(), _kept(session), requests.counts() | told, frozenset(opened_on.counts()),
        frozenset(night.removeprefix("pool night ") for night in nights.counts()),
        session.scalar(select(func.coalesce(func.max(MOVEMENT.seq), 0))),
    )  # fmt: skip


@dataclass
class _Lines:
    """One cell of the rows it is wanted of. text: a line per row, where the database joins them; None: it has none."""

    session: Session
    text: bytes | None
    within: ColumnElement
    cell: ColumnElement

    def numbers(self) -> np.ndarray:
        """Whole numbers; −1 is what is none."""
        if self._are_none():
            return np.zeros(0, "int64")
        found = columns_in([[self.text]], ("number",), ()) if self.text is not None else None
        if found is not None:
            return found.numbers["number"]
        words = [str(word) for rows in batches(self.session, self._query(self.cell)) for (word,) in rows]
        return np.array([int(word) if word.isdecimal() and len(word) < 19 else -1 for word in words], "int64")

    def counts(self) -> dict[str, int]:
        """How often each word is there."""
        if self._are_none():
            return {}
        found = columns_in([[self.text]], (), ("word",)) if self.text is not None else None
        if found is not None:
            coded = found.words["word"]
            return dict(zip(coded.words, np.bincount(coded.codes).tolist(), strict=True))
        return dict(self.session.execute(self._query(self.cell, func.count()).group_by(self.cell)).all())

    def _are_none(self) -> bool:
        return self.text is None and is_sqlite(self.session)

    def _query(self, *cells: ColumnElement):
        return select(*cells).where(self.within)


def _lines(session: Session, *wanted: tuple[ColumnElement, ColumnElement]) -> list[_Lines]:
    """(which rows, what of them) of one table, on SQLite in one look at it."""
    texts: list[bytes | None] = [None] * len(wanted)
    if is_sqlite(session):
        texts = joined_columns(session, [case((within, cell)) for within, cell in wanted], true())
    return [_Lines(session, text, *each) for text, each in zip(texts, wanted, strict=True)]


def _kept(session: Session) -> dict[str, int]:
    """Steps of requests (a reversal, which opens one again, tells of its movement), delegations, changes of the tree."""
    step = PoolRequestStep
    (steps,) = _lines(session, (step.move != "REOPEN", step.request_no))
    kept = Counter({f"{OF_REQUEST}{number}": count for number, count in steps.counts().items()})
    for kind, node in session.execute(select(PoolReorganisation.kind, PoolReorganisation.node_id)):
        kept[f"pool_{kind.lower()} {OF_NODE}{node}"] += 1
    for number, revoked in session.execute(select(PoolDelegation.id, PoolDelegation.revoked_at)):
        kept[f"pool_delegated pool delegation {number}"] += 1
        kept[f"pool_delegation_revoked pool delegation {number}"] += revoked is not None
    for node in session.scalars(select(PoolLimit.node_id).distinct()):
        kept[f"pool_limits_set {OF_NODE}{node}"] = 1  # set again it is one row still
    return dict(+kept)


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
