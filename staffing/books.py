"""The gate's own rows as the books know them (DOMAIN §3, §6): roster and permits of the units whose gate is ours. The
night puts them in the place of delivered ones from a unit's switch date on."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.types import PersonStatus
from pool.models import PoolNode
from staffing.chain import Status
from staffing.models import StaffApplication, StaffSlot

Row = dict[str, object]
LEFT = (Status.LEFT, Status.MOVED, Status.CANCELLED)


def roster_rows(session: Session, as_of: date, units: frozenset[str] | None = None) -> list[Row]:
    """A row per person and stay, as registered up to a day, with the roster's columns but name and number: person_key and
    person_mask stand for them. units: of these alone; None: of every unit."""
    query = select(StaffSlot, PoolNode.division_code).join(PoolNode, PoolNode.id == StaffSlot.node_id)
    query = query.where(StaffSlot.person_key.is_not(None)).order_by(StaffSlot.slot_no, StaffSlot.id)
    if units is not None:
        query = query.where(StaffSlot.unit_code.in_(sorted(units)))
    rows = session.execute(query).all()
    known = lambda slot: (slot.entry_registered or slot.issued_on) <= as_of
    return [_roster_row(slot, division, as_of) for slot, division in rows if known(slot)]


def _roster_row(slot: StaffSlot, division: str, as_of: date) -> Row:
    registered = slot.exit_registered is not None and slot.exit_registered <= as_of
    gone = registered and slot.exit_date <= as_of
    return {
        "division_code": division, "person_key": slot.person_key, "person_mask": slot.person_mask,
        "unit_code": slot.unit_code, "post_type": slot.post_type, "fund_form": slot.fund_form,
        "status": (PersonStatus.LEFT if gone else PersonStatus.IN_SERVICE).value, "leader_tier": slot.leader_tier,
        "entry_form": slot.entry_form, "from_unit": slot.from_unit, "from_level": slot.from_level,
        "from_fund_form": slot.from_fund_form, "waiver_no": slot.waiver_no, "entry_date": slot.entry_date,
        "entry_registered": slot.entry_registered, "permit_no": slot.permit_no, "slot_no": slot.slot_no,
        "exit_date": slot.exit_date if registered else None, "exit_reason": slot.exit_reason if registered else None,
        "exit_registered": slot.exit_registered if registered else None,
    }  # fmt: skip


def permit_rows(session: Session, as_of: date, units: frozenset[str] | None = None) -> list[Row]:
    """Permits given up to a day, with the columns of the `permits` book; dead and revoked ones never were usable."""
    query = select(StaffApplication, PoolNode.division_code).join(PoolNode, PoolNode.id == StaffApplication.node_id)
    query = query.where(
        StaffApplication.granted_on <= as_of,
        StaffApplication.status.not_in([Status.DEAD, Status.CANCELLED]) | (StaffApplication.ended_on > as_of),
    )
    if units is not None:
        query = query.where(StaffApplication.unit_code.in_(sorted(units)))
    return [
        {
            "division_code": division, "permit_no": row.permit_no, "unit_code": row.unit_code,
            "post_type": row.post_type, "fund_form": row.fund_form, "posts": row.posts, "approved_on": row.granted_on,
            "valid_until": row.valid_until, "purpose": row.reason, "source_of_people": row.entry_form,
        }
        for row, division in session.execute(query.order_by(StaffApplication.number))
    ]  # fmt: skip
