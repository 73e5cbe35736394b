"""Ledger and gate agree: recomputed from the rows, every night and after every step of the state machine."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pool.acting import REVERSED
from pool.models import PoolEntry, PoolMovement
from staffing.chain import IN_POST, Status
from staffing.models import StaffApplication, StaffBlock, StaffNotice, StaffPlan, StaffPlanLine, StaffSlot


def broken_staffing(session: Session) -> list[str]:
    """What does not hold, as sentences; empty when ledger, permits, slots and notices agree."""
    slots = list(session.scalars(select(StaffSlot).order_by(StaffSlot.id)))
    permits = list(session.scalars(select(StaffApplication).where(StaffApplication.permit_no.is_not(None))))
    return [
        *_reserves(session, permits, slots), *_people(session, slots), *_movements(session, slots),
        *_permits(permits, slots), *_bound(permits, slots), *_plans(session, permits, slots), *_notices(session, slots),
        *_blocks(session),
    ]  # fmt: skip


def _reserves(session: Session, permits, slots) -> list[str]:
    """What a permit still reserves = its open slots; nothing is reserved for a permit that waits for an exit."""
    held = dict(
        session.execute(
            select(PoolEntry.lot, func.sum(PoolEntry.posts))
            .where(PoolEntry.account == "reserved")
            .group_by(PoolEntry.lot)
        ).all()
    )
    ours = set(session.scalars(
        select(PoolMovement.seq).where(PoolMovement.kind == "RESERVE", PoolMovement.slot_no.is_not(None),
                                       PoolMovement.rests_on.is_(None))
    ))  # fmt: skip
    open_slots = Counter(slot.application_no for slot in slots if slot.status == Status.ISSUED)
    wanted = {row.reserve_seq: open_slots[row.number] for row in permits if row.reserve_seq is not None}
    wrong = [seq for seq in ours | set(wanted) if int(held.get(seq, 0)) != wanted.get(seq, 0)]
    return [f"RESERVE {seq}: {held.get(seq, 0)} reserved, {wanted.get(seq, 0)} open slots" for seq in sorted(wrong)]


def _people(session: Session, slots) -> list[str]:
    """No more people are named in a cell than the ledger has in use; nobody holds two posts on one day."""
    use = {
        (row[0], row[1], row[2]): int(row[3])
        for row in session.execute(
            select(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form, func.sum(PoolEntry.posts))
            .where(PoolEntry.account == "in_use", PoolEntry.purpose == "")
            .group_by(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form)
        )
    }
    named = Counter((slot.node_id, slot.post_type, slot.fund_form) for slot in slots if slot.status in IN_POST)
    found = [
        f"{cell}: {count} named, {use.get(cell, 0)} in use" for cell, count in named.items() if count > use.get(cell, 0)
    ]
    stays = defaultdict(list)
    for slot in slots:
        if slot.person_key is not None:
            stays[slot.person_key].append((slot.entry_date, slot.exit_date, slot.slot_no))
    for rows in stays.values():
        dated = sorted((entry, leave, number) for entry, leave, number in rows if entry is not None)
        found += [
            f"{first[2]} and {second[2]} overlap"
            for first, second in itertools.pairwise(dated)
            if first[1] is None or first[1] > second[0]
        ]
    return found


def _movements(session: Session, slots) -> list[str]:
    """Every entry stands on a FILL or TRANSFER of its number, every exit on a VACATE or TRANSFER, on its day."""
    wanted = {}
    for slot in slots:
        if slot.fill_seq is not None:
            wanted[slot.fill_seq, slot.id, "in"] = (slot.entry_date, {"FILL", "TRANSFER"})
        if slot.vacate_seq is not None:
            wanted[slot.vacate_seq, slot.id, "out"] = (slot.exit_date, {"VACATE", "TRANSFER"})
    rows = {
        row.seq: row
        for row in session.scalars(select(PoolMovement).where(PoolMovement.seq.in_([k[0] for k in wanted])))
    }
    reversed_ = set(session.scalars(REVERSED))
    return [
        f"movement {seq} does not carry slot row {row_id}"
        for (seq, row_id, _), (day, kinds) in wanted.items()
        if rows[seq].kind not in kinds or seq in reversed_
        or (rows[seq].source != "MERGER" and rows[seq].effective_date != day)
    ]  # fmt: skip


def _permits(permits, slots) -> list[str]:
    """As many slots as posts; dates never run backwards."""
    of = defaultdict(list)
    for slot in slots:
        if slot.source == "PERMIT":
            of[slot.application_no].append(slot)
    found = [f"{row.permit_no}: {len(of[row.number])} slots" for row in permits if len(of[row.number]) != row.posts]
    for row in permits:
        days = [row.submitted_on, row.reviewed_on, row.granted_on, row.valid_until]
        if days != sorted(days):
            found.append(f"{row.number}: dates run backwards")
        for slot in of[row.number]:
            days = [day for day in (row.granted_on, slot.entry_date, slot.exit_date) if day is not None]
            if days != sorted(days) or (slot.entry_date and slot.entry_date > row.valid_until):
                found.append(f"{slot.slot_no}: dates run backwards")
    return found


def _bound(permits, slots) -> list[str]:
    """An open permit bound to an exit: the exit is announced, or was registered; it holds a RESERVE only after it."""
    live = {slot.slot_no: slot for slot in slots if slot.status != Status.MOVED}
    found = []
    for row in permits:
        if row.bound_slot is None or row.status != Status.GRANTED:
            continue
        slot = live[row.bound_slot]
        waits = slot.status in IN_POST and slot.planned_exit is not None and row.reserve_seq is None
        if not waits and slot.status not in (Status.LEFT, Status.CANCELLED):
            found.append(f"{row.permit_no} rests on an exit that is not")
    return found


def _plans(session: Session, permits, slots) -> list[str]:
    """Σ permits ≤ plan per cell and year, PLACEMENT by document aside."""
    plan = Counter()
    for row in session.execute(
        select(
            StaffPlan.node_id, StaffPlan.year, StaffPlanLine.post_type, StaffPlanLine.fund_form, StaffPlanLine.passed
        )
        .join(StaffPlanLine, StaffPlanLine.plan_no == StaffPlan.number)
        .where(StaffPlan.status == Status.PASSED)
    ):
        plan[row.node_id, row.year, row.post_type, row.fund_form] += row.passed
    taken = Counter(
        slot.application_no
        for slot in slots
        if slot.source == "PERMIT" and (slot.person_key or slot.status == "ISSUED")
    )
    used = Counter()
    for row in permits:
        if row.outside_document is None:
            used[row.node_id, row.year, row.post_type, row.fund_form] += taken[row.number]
    return [f"{key}: {count} permitted, {plan[key]} planned" for key, count in used.items() if count > plan[key]]


def _notices(session: Session, slots) -> list[str]:
    """Every entry and exit by the gate has its three notices; they name the day."""
    counts = Counter(
        (row.slot_id, row.kind) for row in session.scalars(select(StaffNotice).where(StaffNotice.status != "WITHDRAWN"))
    )
    entered = [slot for slot in slots if slot.fill_seq is not None]
    left = [slot for slot in slots if slot.vacate_seq is not None]
    found = [f"{slot.slot_no}: entry notices" for slot in entered if counts[slot.id, "ENTRY"] != 3]
    return found + [f"{slot.slot_no}: exit notices" for slot in left if counts[slot.id, "EXIT"] != 3]


def _blocks(session: Session) -> list[str]:
    rows = session.scalars(select(StaffBlock).where(StaffBlock.released_on.is_not(None)))
    return [f"block {row.id} released before it was registered" for row in rows if row.registered_on is None]
