"""Booking one movement: decided purely, then written to the chain, the balances and the sums of the tree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Row, bindparam, insert, select, text, tuple_, update
from sqlalchemy.orm import Session

from core.db import run
from core.errors import InvariantViolated, Refused
from pool.acting import ids_and_above, path_up
from pool.forest import OwnChange, Partition, load_tree, own_changes, tree_node, trees_by_day
from pool.ledger import AUTHORITY_HOLDER, KINDS, NO_PURPOSE, Cell, Entry, Key, Kind, check_balances, check_entries
from pool.models import PoolBalance, PoolEntry, PoolLimit, PoolMovement, PoolNode, PoolSum
from pool.strains import Strain, holders_below, most_borne, remedies
from pool.totals import RAISING, check_totals
from pool.tree import (
    Binding,
    Bound,
    Step,
    bindings,
    climb_many,
    moved,
    shortfall,
)

CHAIN_LOCK = 0x706F6F6C
GENESIS = "0" * 64
NOTHING: Mapping[str, int] = {}
HASHED = (
    "seq", "kind", "effective_date", "booked_at", "actor", "post_type", "fund_form", "purpose", "posts", "from_holder",
    "to_holder", "document_no", "central_no", "source", "request_no", "loan_no", "slot_no", "rests_on", "reverses",
)  # fmt: skip


@dataclass(frozen=True)
class Booking:
    """A movement about to be. legs: its entries, given its number (a DEPOSIT's lot and a RESERVE carry it).

    partition, purpose: what the movement says it moves. borrower: whose loan or request. debt: may deepen a deficit.
    """

    kind: Kind
    legs: Callable[[int], list[Entry]]
    posts: int
    partition: Partition
    effective: date
    purpose: str = NO_PURPOSE
    from_holder: str | None = None
    to_holder: str | None = None
    document_no: str | None = None
    central_no: str | None = None
    source: str | None = None
    request_no: str | None = None
    loan_no: str | None = None
    slot_no: str | None = None
    rests_on: int | None = None
    reverses: int | None = None
    debt: bool = False


def book(session: Session, booking: Booking, actor: str, now: datetime) -> int:
    """Check and write one movement; returns its number. The caller holds the paths of all holders (pool.acting.once).

    Errors: Refused for a balance too small on some day, a division's total (R17), or a node's limit (with figures and the
    remedy).
    """
    seq, previous = _chain_head(session)
    entries = booking.legs(seq)
    check_entries(booking.kind, entries)
    partitions = sorted({(entry.key.post_type, entry.key.fund_form) for entry in entries})
    totals = _totals(session, entries)
    booked = {partition: _later(session, partition, booking.effective) for partition in partitions}
    check_balances(booking.kind, entries, totals, _by_key(entries, booked), booking.effective, booking.debt)
    if booking.kind in RAISING and not booking.debt:
        check_totals(session, entries)
    sums = [
        _climbed(session, booking, entries, totals, partition, purpose)
        for partition in partitions
        for purpose in sorted({NO_PURPOSE, *(entry.key.purpose for entry in entries)})
    ]
    if not (booking.debt or KINDS[booking.kind].debt):
        days = {partition: sorted({row.effective_date for row in rows}) for partition, rows in booked.items()}
        strains = [s for each in sums for s in _strains(session, booking.effective, days[each.partition], each)]
        if strains:
            raise refusal(session, strains)
    row = _movement_row(booking, seq, actor, now)
    row["previous_hash"], row["hash"] = previous, movement_hash(previous, row, entries)
    run(session, _INSERT_MOVEMENT, row)
    if entries:
        run(session, _INSERT_ENTRY, _entry_rows(seq, booking.effective, entries))
    _change_balances(session, entries, totals)
    for values in sums:
        _write_sums(session, values)
    return seq


def _chain_head(session: Session) -> tuple[int, str]:
    if session.get_bind().dialect.name == "postgresql":
        run(session, _CHAIN_LOCK, {"key": CHAIN_LOCK})
    session.flush()
    last = run(session, _HEAD).one_or_none()
    return (last.seq + 1, last.hash) if last else (1, GENESIS)


_MOVEMENT, _ENTRY, _BALANCE = PoolMovement.__table__.c, PoolEntry.__table__.c, PoolBalance.__table__.c
_CHAIN_LOCK = text("SELECT pg_advisory_xact_lock(:key)")
_HEAD = select(_MOVEMENT.seq, _MOVEMENT.hash).order_by(_MOVEMENT.seq.desc()).limit(1)
_INSERT_MOVEMENT = insert(PoolMovement.__table__)
_INSERT_ENTRY = insert(PoolEntry.__table__)
_INSERT_BALANCE = insert(PoolBalance.__table__)
_KEY = (
    _BALANCE.account, _BALANCE.holder, _BALANCE.post_type, _BALANCE.fund_form, _BALANCE.purpose, _BALANCE.lot,
)  # fmt: skip
_TOTALS = select(*_KEY, _BALANCE.posts).where(tuple_(*_KEY).in_(bindparam("keys", expanding=True)))
_LATER = select(*(_ENTRY[column.key] for column in _KEY), _ENTRY.effective_date, _ENTRY.posts).where(
    _ENTRY.post_type == bindparam("type"), _ENTRY.fund_form == bindparam("form"),
    _ENTRY.effective_date > bindparam("after"),
)  # fmt: skip
_CHANGE = (
    update(PoolBalance.__table__)
    .where(
        *(column == bindparam(f"k_{column.key}") for column in PoolBalance.__table__.primary_key),
        PoolBalance.__table__.c.posts == bindparam("before"),
    )
    .values(posts=bindparam("after"))
)


def _totals(session: Session, entries: Sequence[Entry]) -> dict[Key, int]:
    keys = [tuple(entry.key) for entry in entries]
    return {Key(*row[:6]): row.posts for row in run(session, _TOTALS, {"keys": keys})} if keys else {}


def _later(session: Session, partition: Partition, effective: date) -> Sequence[Row]:
    """All that is booked in the partition for days after the effective one."""
    return run(session, _LATER, {"type": partition[0], "form": partition[1], "after": effective}).all()


def _by_key(entries: Sequence[Entry], booked: Mapping[Partition, Sequence[Row]]) -> dict[Key, list[tuple[date, int]]]:
    found: dict[Key, list[tuple[date, int]]] = {}
    moved_keys = {entry.key for entry in entries}
    for row in (row for rows in booked.values() for row in rows):
        if (key := Key(*row[:6])) in moved_keys:
            found.setdefault(key, []).append((row.effective_date, row.posts))
    return found


def _movement_row(booking: Booking, seq: int, actor: str, now: datetime) -> dict[str, object]:
    return {
        "seq": seq, "kind": booking.kind.value, "effective_date": booking.effective, "booked_at": now, "actor": actor,
        "post_type": booking.partition[0], "fund_form": booking.partition[1], "purpose": booking.purpose,
        "posts": booking.posts, "from_holder": booking.from_holder, "to_holder": booking.to_holder,
        "document_no": booking.document_no, "central_no": booking.central_no, "source": booking.source,
        "request_no": booking.request_no, "loan_no": booking.loan_no, "slot_no": booking.slot_no,
        "rests_on": booking.rests_on, "reverses": booking.reverses,
    }  # fmt: skip


def _entry_rows(seq: int, effective: date, entries: Sequence[Entry]) -> list[dict[str, object]]:
    return [
        {**key._asdict(), "movement_seq": seq, "line": line, "posts": posts, "effective_date": effective}
        for line, (key, posts) in enumerate(entries, 1)
    ]


def movement_hash(previous: str, row: dict[str, object], entries: Sequence[Entry]) -> str:
    """SHA-256 over the previous hash, every column and every entry, in a fixed spelling."""
    values = [
        value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)
        for value in (row[name] for name in HASHED)
    ]
    body = [previous, values, [[*key, posts] for key, posts in entries]]
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()


def _change_balances(session: Session, entries: Sequence[Entry], totals: dict[Key, int]) -> None:
    """Each balance from what was read to what it becomes; another's change in between would match no row."""
    new = []
    for key, posts in entries:
        if key not in totals:
            new.append({**key._asdict(), "posts": posts})
            continue
        keyed = {f"k_{name}": value for name, value in key._asdict().items()}
        done = run(session, _CHANGE, {**keyed, "before": totals[key], "after": totals[key] + posts})
        if done.rowcount != 1:
            raise InvariantViolated("a balance changed while it was held")
    if new:
        run(session, _INSERT_BALANCE, new)


@dataclass(frozen=True)
class _Sums:
    """own, deposits and T to write, per node of one partition and purpose. own: by how much it changes; found: what binds."""

    partition: Partition
    purpose: str
    rows: dict[str, tuple[int, int, int]]
    changes: dict[str, OwnChange]
    own: dict[str, int]
    found: list[Binding]


def _climbed(session, booking, entries, totals, partition, purpose) -> _Sums:
    """T of all nodes above the holders after the movement, and what binds. Where no holder's own changes (vacant posts
    come or go), no T does, and nothing is read."""
    mine = [
        (key.account, key.holder, key.purpose, posts)
        for key, posts in entries
        if (key.post_type, key.fund_form) == partition and key.holder != AUTHORITY_HOLDER
    ]
    changes = own_changes(mine, booking.to_holder, purpose)
    shifts = {
        holder: (change.own(totals.get(Key("home", holder, *partition), 0)), change.deposited)
        for holder, change in changes.items()
    }
    own = {holder: own for holder, (own, _) in shifts.items()}
    moving = [holder for holder, shift in shifts.items() if any(shift)]
    if not moving:
        return _Sums(partition, purpose, {}, changes, own, [])
    parent_of, steps, deposits = _steps(session, partition, purpose, moving)
    moves = [
        (path_up(parent_of, holder), own[holder], shifts[holder][1] if holder.startswith("U:") else 0)
        for holder in moving
    ]
    after, found = climb_many(steps, moves)
    return _Sums(partition, purpose, _changed(steps, deposits, shifts, after), changes, own, found)


def _changed(steps, deposits, shifts, after) -> dict[str, tuple[int, int, int]]:
    rows = {}
    for node_id, surplus in after.items():
        own, lend = shifts.get(node_id, (0, 0))
        rows[node_id] = (steps[node_id].node.own + own, deposits[node_id] + lend, surplus)
    return rows


def _steps(session, partition, purpose, holders) -> tuple[dict[str, str | None], dict[str, Step], dict[str, int]]:
    """Of the holders and all above them: parent, step of the way up, deposits."""
    parent_of, steps, deposits = {}, {}, {}
    asked = {"ids": sorted(holders), "type": partition[0], "form": partition[1], "purpose": purpose}
    for row in run(session, _WAY_UP, asked):
        own, lends, surplus = (row.own, row.lends, row.surplus) if row.summed else (0, 0, 0)
        limit = row if row.limited else None
        parent_of[row.id], deposits[row.id] = row.parent_id, lends
        steps[row.id] = Step(tree_node(row.id, row.parent_id, own, lends, limit), surplus)
    return parent_of, steps, deposits


def _way_up_query():
    path, held, limit = ids_and_above(), PoolSum.__table__, PoolLimit.__table__

    def of_node(table):
        return (
            (table.c.node_id == path.c.id) & (table.c.post_type == bindparam("type"))
            & (table.c.fund_form == bindparam("form")) & (table.c.purpose == bindparam("purpose"))
        )  # fmt: skip

    return select(
        path.c.id, path.c.parent_id, held.c.node_id.label("summed"), held.c.own, held.c.lends, held.c.surplus,
        limit.c.node_id.label("limited"), limit.c.lend_posts, limit.c.borrow_posts, limit.c.floor_posts,
    ).select_from(path.outerjoin(held, of_node(held)).outerjoin(limit, of_node(limit)))  # fmt: skip


_WAY_UP = _way_up_query()
_INSERT_SUM = insert(PoolSum.__table__)
_SET_SUM = (
    update(PoolSum.__table__)
    .where(*(column == bindparam(f"k_{column.key}") for column in PoolSum.__table__.primary_key))
    .values(own=bindparam("own_"), lends=bindparam("lends_"), surplus=bindparam("surplus_"))
)


def _write_sums(session: Session, sums: _Sums) -> None:
    for node_id, (own, lends, surplus) in sums.rows.items():
        key = {
            "node_id": node_id, "post_type": sums.partition[0], "fund_form": sums.partition[1],
            "purpose": sums.purpose,
        }  # fmt: skip
        keyed = {f"k_{name}": value for name, value in key.items()}
        done = run(session, _SET_SUM, {**keyed, "own_": own, "lends_": lends, "surplus_": surplus})
        if done.rowcount == 0:
            run(session, _INSERT_SUM, [{**key, "own": own, "lends": lends, "surplus": surplus}])


def _strains(session: Session, effective: date, days: Sequence[date], sums: _Sums) -> list[Strain]:
    """Where the change is not borne: by the tree of all that is booked, and, where later days have bookings, by the tree
    of the effective day and of each of them."""
    partition, purpose = sums.partition, sums.purpose
    strains = []
    if sums.found:
        tree = load_tree(session, partition, purpose)
        strains.append(Strain(partition, purpose, tree, moved(tree, sums.own), sums.found, sums.own))
    lends = {holder: c.deposited for holder, c in sums.changes.items() if holder.startswith("U:")}
    for tree, vacant in trees_by_day(session, partition, purpose, [effective, *days]) if days else ():
        own = {holder: change.own(vacant.get(holder, 0)) for holder, change in sums.changes.items()}
        if found := bindings(tree, moved(tree, own, lends)):
            strains.append(Strain(partition, purpose, tree, moved(tree, own), found, own))
    return strains


def strains_of_taking(
    session: Session, taker: Cell, purpose: str, posts: int, on: date, added: Mapping[str, int] = NOTHING
) -> list[Strain]:
    """Where a request of a unit is not borne, in the trees of all purposes and of its own, of all that is booked and of
    every day to come; added: posts put into the pools of divisions before."""
    own, strains = {taker.holder: -posts}, []
    days = sorted({row.effective_date for row in _later(session, taker.partition, on)})
    for tree_of in (NO_PURPOSE, purpose):
        trees = [tree for tree, _ in trees_by_day(session, taker.partition, tree_of, [on, *days])] if days else []
        for tree in (load_tree(session, taker.partition, tree_of), *trees):
            before = moved(tree, added)
            after = moved(before, own)
            if found := bindings(before, after):
                strains.append(Strain(taker.partition, tree_of, before, after, found, own))
    return strains


def refusal(session: Session, strains: Sequence[Strain], lead: str | None = None) -> Refused:
    """The sentence for a change that is not borne: node, limit, figures, who holds the posts; and the remedies of every
    tree and day that binds, so that, applied, they let it pass. lead: another sentence in its place."""
    first, binding = strains[0], strains[0].found[0]
    node = session.get(PoolNode, binding.node)
    words = "借用上限" if binding.bound is Bound.BORROW_LIMIT else "余粮下限"
    sentence = (
        f"{node.name}的{words}为 {binding.limit} 个，现有余量 {binding.surplus_before} 个，"
        f"办理后为 {binding.surplus_after} 个，超出 {binding.short} 个。"
    )
    stood = first.tree.get(binding.node)
    return Refused(
        lead or sentence, answer="LIMIT", node=binding.node, bound=binding.bound.value, limit=binding.limit,
        purpose=first.purpose, surplus_before=binding.surplus_before, surplus_after=binding.surplus_after,
        short=binding.short, deficit=shortfall(stood, binding.surplus_before)[0] if stood else 0,
        most=most_borne(strains), remedies=remedies(strains),
        holders=holders_below(session, first.partition, binding.node, first.purpose),
    )  # fmt: skip
