"""The proof of the chain: every movement's hash from its columns and its entries, spelled again from the rows."""

from __future__ import annotations

import hashlib
from itertools import groupby
from json.encoder import JSONEncoder

from sqlalchemy import Column, Date, Select, String, cast, func, select
from sqlalchemy.orm import Session

from pool.models import PoolEntry, PoolMovement
from pool.proof_columns import BATCH, batches, is_sqlite
from pool.proof_rows import KEY, Proof

COLUMNS = (
    "seq", "kind", "effective_date", "booked_at", "actor", "post_type", "fund_form", "purpose", "posts",
    "from_holder", "to_holder", "document_no", "central_no", "source", "request_no", "loan_no", "slot_no",
    "rests_on", "reverses",
)  # fmt: skip
_encode = JSONEncoder(ensure_ascii=False).encode
MOVEMENT, ENTRY = PoolMovement.__table__, PoolEntry.__table__
Link = tuple[int, str, str, str]  # seq, previous_hash, hash, what the hash covers


def chain_is_whole(session: Session, last: int) -> Proof:
    """Numbers run without a gap up to the last, and every hash covers the one before, the movement and its entries."""
    name, previous, number = "the hash chain is whole", "0" * 64, 0
    for start in range(1, last + 1, BATCH):
        end = min(start + BATCH - 1, last)
        links = _joined(session, start, end) if is_sqlite(session) else None
        if links is None or _first_broken(links, start, previous) <= end:
            links = _spelled(session, start, end)
            number = _first_broken(links, start, previous)
            if number <= end:
                return Proof(name, False, last, (f"seq={number}",))
        previous = links[-1][2]
    return Proof(name, True, last)


def _first_broken(links: list[Link], start: int, previous: str) -> int:
    """The number at which the links stop being a chain; one past the last where they do not."""
    digest = hashlib.sha256
    digests = [digest(body.encode()).hexdigest() for *_, body in links]
    for number, ((seq, before, kept, _), ours) in enumerate(zip(links, digests, strict=True), start):
        if seq != number or before != previous or ours != kept:
            return number
        previous = kept
    return start + len(links)


def _joined(session: Session, start: int, end: int) -> list[Link] | None:
    """Bodies as SQLite joins them, without what JSON escapes: many times faster. None where a word holds a quotation
    mark, for then two rows could read alike; any other character to escape only makes it another text. In both cases
    the exact spelling decides."""
    words = ["previous_hash", *COLUMNS]
    marks = 2 * len(words)
    form = '["%s", [' + ", ".join(['"%s"'] * len(COLUMNS)) + "], ["
    texts = [_text(MOVEMENT.c[name], False) for name in words]
    movements = select(MOVEMENT.c.seq, MOVEMENT.c.previous_hash, MOVEMENT.c.hash, func.printf(form, *texts))
    movements = movements.where(MOVEMENT.c.seq.between(start, end)).order_by(MOVEMENT.c.seq)
    line = func.printf("[" + '"%s", ' * (len(KEY) - 1) + "%d, %d]", *(ENTRY.c[name] for name in (*KEY, "posts")))
    entries = select(ENTRY.c.movement_seq, line.label("line")).where(ENTRY.c.movement_seq.between(start, end))
    entries = entries.order_by(ENTRY.c.movement_seq, ENTRY.c.line).subquery()
    together = select(entries.c.movement_seq, func.group_concat(entries.c.line, ", "), func.count())
    found = [row for rows in batches(session, together.group_by(entries.c.movement_seq)) for row in rows]
    lines = {seq: text for seq, text, _ in found}
    heads = [row for rows in batches(session, movements) for row in rows]
    links = [(seq, before, kept, f"{head}{lines.get(seq, '')}]]") for seq, before, kept, head in heads]
    expected = marks * len(links) + 2 * (len(KEY) - 1) * sum(count for *_, count in found)
    return links if "".join(body for *_, body in links).count('"') == expected else None


def _spelled(session: Session, start: int, end: int) -> list[Link]:
    """Bodies spelled here, JSON and all."""
    texts = [_text(MOVEMENT.c[name], not is_sqlite(session)) for name in COLUMNS]
    query = select(*texts, MOVEMENT.c.seq, MOVEMENT.c.previous_hash, MOVEMENT.c.hash)
    query = query.where(MOVEMENT.c.seq.between(start, end)).order_by(MOVEMENT.c.seq)
    entries = _entries_of(session, start, end)
    return [
        (seq, before, kept, _encode([before, values, entries.get(seq, [])]))
        for rows in batches(session, query)
        for *values, seq, before, kept in rows
    ]


def _entries_of(session: Session, start: int, end: int) -> dict[int, list[list]]:
    columns = [ENTRY.c[name] for name in (*KEY, "posts")]
    query: Select = select(ENTRY.c.movement_seq, *columns).where(ENTRY.c.movement_seq.between(start, end))
    rows = (row for found in batches(session, query.order_by(ENTRY.c.movement_seq, ENTRY.c.line)) for row in found)
    return {seq: [list(row[1:]) for row in group] for seq, group in groupby(rows, key=lambda row: row[0])}


def _text(column: Column, server: bool):
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
