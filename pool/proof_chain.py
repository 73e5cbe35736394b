"""The proof of the chain: every movement's hash from its columns and its entries, spelled again from the rows.

Each run of numbers is checked by itself; what is left to ask of two that follow each other is whether the one begins with
the hash the other ends on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from json.encoder import JSONEncoder

from sqlalchemy import Column, Date, Select, String, cast, func, select
from sqlalchemy.orm import Session

from pool.models import PoolEntry, PoolMovement
from pool.proof_columns import batches, is_sqlite
from pool.proof_rows import KEY, Proof

COLUMNS = (
    "seq", "kind", "effective_date", "booked_at", "actor", "post_type", "fund_form", "purpose", "posts",
    "from_holder", "to_holder", "document_no", "central_no", "source", "request_no", "loan_no", "slot_no",
    "rests_on", "reverses",
)  # fmt: skip
GENESIS = "0" * 64
encode = JSONEncoder(ensure_ascii=False).encode
MOVEMENT, ENTRY = PoolMovement.__table__, PoolEntry.__table__


@dataclass(frozen=True)
class Run:
    """The chain from one number to another: the hash it hangs on, the hash it ends on, and where it is broken."""

    start: int
    end: int
    previous: str
    hash: str
    broken: int | None = None


def chain_is_whole(runs: Iterable[Run], last: int) -> Proof:
    """Numbers run without a gap up to the last, and every hash covers the one before, the movement and its entries."""
    name, previous = "the hash chain is whole", GENESIS
    for run in runs:
        if run.end < run.start:
            continue  # nothing is booked yet
        broken = run.start if run.previous != previous else run.broken
        if broken is not None:
            return Proof(name, False, last, (f"seq={broken}",))
        previous = run.hash
    return Proof(name, True, last)


def spelled_run(session: Session, start: int, end: int) -> Run:
    """A run spelled here, JSON and all, from the rows as they are: the one that decides."""
    texts = [spelling(MOVEMENT.c[name], not is_sqlite(session)) for name in COLUMNS]
    query = select(*texts, MOVEMENT.c.seq, MOVEMENT.c.previous_hash, MOVEMENT.c.hash)
    query = query.where(MOVEMENT.c.seq.between(start, end)).order_by(MOVEMENT.c.seq)
    entries = _entries_of(session, start, end)
    first, previous, number = None, "", start
    for rows in batches(session, query):
        for *values, seq, before, kept in rows:
            first, previous = (before, before) if first is None else (first, previous)
            body = encode([before, values, entries.get(seq, [])])
            if seq != number or before != previous or hashlib.sha256(body.encode()).hexdigest() != kept:
                return Run(start, end, first, previous, number)
            previous, number = kept, number + 1
    return Run(start, end, first or "", previous, number if number <= end else None)


def _entries_of(session: Session, start: int, end: int) -> dict[int, list[list]]:
    columns = [ENTRY.c[name] for name in (*KEY, "posts")]
    query: Select = select(ENTRY.c.movement_seq, *columns).where(ENTRY.c.movement_seq.between(start, end))
    rows = (row for found in batches(session, query.order_by(ENTRY.c.movement_seq, ENTRY.c.line)) for row in found)
    return {seq: [list(row[1:]) for row in group] for seq, group in groupby(rows, key=lambda row: row[0])}


def spelling(column: Column, server: bool):
    """As it was hashed: days and instants in ISO, the instant in UTC with microseconds; nothing is `None`."""
    if isinstance(column.type, String):
        text = column
    elif column.name == "booked_at":
        text = (func.to_char(func.timezone("UTC", column), 'YYYY-MM-DD"T"HH24:MI:SS.US') if server
                else func.replace(cast(column, String), " ", "T")).concat("+00:00")  # fmt: skip
    elif isinstance(column.type, Date) and server:
        text = func.to_char(column, "YYYY-MM-DD")
    else:
        text = cast(column, String)
    return func.coalesce(text, "None") if column.nullable else text
