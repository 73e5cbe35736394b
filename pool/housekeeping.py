"""The pool's night: remind, expire, lapse, propose swaps and withdrawals, mail; the same again for the same day changes
nothing. The caller commits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from core.permissions import Scope
from pool.acting import Act, lock_paths
from pool.approvals import NIGHT, SLOT_MOVES, Move, Status
from pool.homing import send_waiting_home
from pool.ledger import Cell
from pool.letters import due_letter, officers_of, queue_letter
from pool.models import PoolNode, PoolSlot, PoolSuggestion
from pool.policies import Terms, add_months
from pool.service import trail
from pool.service_loans import end_request
from pool.service_people import roots
from pool.service_slots import turn_slot
from pool.store import cell_figures, waiting_requests
from pool.terms import TermsByPlace
from pool.waiting import claim_waiting

SWAP, WITHDRAW, RETURN = "SWAP", "WITHDRAW", "RETURN"


@dataclass
class Kept:
    """What a night did, in counts."""

    due_soon: int = 0
    overdue: int = 0
    lapsed: int = 0
    home: int = 0
    claimed: int = 0
    suggested: int = 0
    mails: int = 0


@dataclass
class _Turned:
    soon: dict[str, list[tuple[str, date]]] = field(default_factory=lambda: defaultdict(list))
    over: dict[str, list[tuple[str, date]]] = field(default_factory=lambda: defaultdict(list))


def keep_pool(session: Session, as_of: date, now: datetime, portal: str = "", left: Iterable[str] = ()) -> Kept:
    """One night's housekeeping as of a day. left: person_keys the newest roster shows as gone (a RETURN is proposed).

    Due soon 90‡ days before, overdue from the day after the due date, a recall's grace ending likewise; requests nobody
    decided lapse; recalled posts that could not go home try again; those that wait for posts get them in R15's order; swaps where the cell has an own vacancy, withdrawals of what was not filled within 6‡ months.
    """
    act = Act(Scope(0, NIGHT, frozenset(), (), frozenset()), now, f"night-{as_of}", portal=portal)
    lock_paths(session, roots(session))
    kept, turned, terms = Kept(), _Turned(), TermsByPlace(session, as_of)
    for slot in _live_slots(session):
        _turn_due(session, act, slot, as_of, terms.of(slot.node_id), turned, kept)
    kept.lapsed = _lapse(session, act, as_of, terms)
    kept.home = send_waiting_home(session, act)  # before anybody is served: lenders come first
    kept.claimed = claim_waiting(session, act, as_of)
    kept.suggested = _suggest(session, as_of, terms, frozenset(left))
    kept.mails = _mail(session, act, as_of, turned)
    if any(vars(kept).values()):
        trail(session, act, "kept", f"night {as_of}", **vars(kept))
    return kept


def _live_slots(session: Session) -> list[PoolSlot]:
    return list(session.scalars(select(PoolSlot).where(PoolSlot.ended_on.is_(None)).order_by(PoolSlot.slot_no)))


def _turn_due(session, act, slot: PoolSlot, as_of: date, terms: Terms, turned: _Turned, kept: Kept) -> None:
    status = Status(slot.status)
    if slot.due_date < as_of and status in SLOT_MOVES[Move.EXPIRE].sources:
        turn_slot(session, act, slot, Move.EXPIRE, None, Status.OVERDUE)
        turned.over[slot.unit_code].append((slot.slot_no, slot.due_date))
        kept.overdue += 1
    elif (
        as_of <= slot.due_date <= as_of + timedelta(days=terms.due_soon_days)
        and status in SLOT_MOVES[Move.REMIND].sources
    ):
        turn_slot(session, act, slot, Move.REMIND, None, Status.DUE_SOON)
        turned.soon[slot.unit_code].append((slot.slot_no, slot.due_date))
        kept.due_soon += 1


def _lapse(session: Session, act: Act, as_of: date, terms: TermsByPlace) -> int:
    count = 0
    for request in waiting_requests(session):
        node = session.get(PoolNode, request.node_id)
        days = terms.of(node.id).request_days
        if (as_of - request.submitted_on).days > days:
            end_request(session, act, request, node, Move.LAPSE, f"{days} 天未决定")
            count += 1
    return count


def _suggest(session: Session, as_of: date, terms: TermsByPlace, left: frozenset[str]) -> int:
    """Proposals not open yet; one whose reason is gone is closed."""
    slots = _live_slots(session)
    wanted = {(WITHDRAW, slot.slot_no) for slot in slots if _never_filled(slot, as_of, terms.of(slot.node_id))}
    wanted |= {(RETURN, slot.slot_no) for slot in slots if slot.person_key in left}
    wanted |= {(SWAP, number) for number in _swaps(session, as_of, slots)}
    rows = session.scalars(select(PoolSuggestion).where(PoolSuggestion.closed_on.is_(None)))
    held = {(row.kind, row.slot_no): row for row in rows}
    for key, row in held.items():
        if key not in wanted:
            row.closed_on = as_of
    new = sorted(wanted - set(held))
    for kind, number in new:
        again = update(PoolSuggestion).where(
            PoolSuggestion.kind == kind, PoolSuggestion.slot_no == number, PoolSuggestion.as_of == as_of
        )
        if session.execute(again.values(closed_on=None)).rowcount == 0:
            session.execute(insert(PoolSuggestion), [{"kind": kind, "slot_no": number, "as_of": as_of}])
    session.flush()
    return len(new)


def _never_filled(slot: PoolSlot, as_of: date, terms: Terms) -> bool:
    return slot.person_key is None and add_months(slot.issued_on, terms.fill_months) < as_of


def _swaps(session: Session, as_of: date, slots: list[PoolSlot]) -> list[str]:
    """As many filled slots of each cell as it has own vacancies, the one due first before the others (R09)."""
    figures = cell_figures(session, sorted({slot.node_id for slot in slots}), as_of)
    by_cell: dict[Cell, list[PoolSlot]] = defaultdict(list)
    for slot in slots:
        if slot.person_key is not None:
            by_cell[Cell(slot.node_id, slot.post_type, slot.fund_form)].append(slot)
    found = []
    for cell, filled in by_cell.items():
        vacant = figures[cell].vacant if cell in figures else 0
        filled.sort(key=lambda slot: (slot.due_date, slot.slot_no))
        found += [slot.slot_no for slot in filled[: max(0, vacant)]]
    return found


def _mail(session: Session, act: Act, as_of: date, turned: _Turned) -> int:
    queued = 0
    for unit in sorted({*turned.soon, *turned.over}):
        for letter in due_letter(turned.soon.get(unit, []), turned.over.get(unit, [])):
            queued += queue_letter(session, letter, officers_of(session, unit), as_of, act.portal, act.now)
    return queued


def open_suggestions(session: Session, unit_code: str | None = None) -> list[PoolSuggestion]:
    """Proposals that wait for the office, oldest first."""
    query = (
        select(PoolSuggestion)
        .where(PoolSuggestion.closed_on.is_(None))
        .order_by(PoolSuggestion.as_of, PoolSuggestion.kind, PoolSuggestion.slot_no)
    )
    if unit_code is not None:
        query = query.join(PoolSlot, PoolSlot.slot_no == PoolSuggestion.slot_no).where(PoolSlot.unit_code == unit_code)
    return list(session.scalars(query))
