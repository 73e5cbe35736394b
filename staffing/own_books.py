"""Everything the gate knows of its units on a day, as the books of a night know it: copies, stays, permits (decision 0016).

A post carried with its person rests on the carry's document, a pool post on its loan: both stand here as permits, so that
whoever entered lawfully cites a number the night knows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.types import EntryForm, PersonStatus
from pool.models import PoolLoan, PoolMovement, PoolSlot
from staffing.books import Row, permit_rows, roster_rows
from staffing.certificate_store import newest_versions, revoked
from staffing.copies import CopyRow, copies_of
from staffing.models import StaffSlot

PERMIT, OPENING, CARRIED, POOL = "PERMIT", "OPENING", "CARRIED", "POOL"
_BLANK = ("entry_form", "from_unit", "from_level", "from_fund_form", "waiver_no", "leader_tier")


def own_copies(session: Session, as_of: date, units: Collection[str], today: date | None = None) -> list[Row]:
    """The three copies per cell of the units (`staffing.copies`), null where a copy has none. certified: a certificate is
    in force for the unit at all; where none ever was, that copy is absent, not 0.

    today: certificates issued since the day count where they say what the ledger said on it: the night itself renews
    what the office changed during that day.
    """
    last = max(as_of, today or as_of)
    gone = revoked(session, last)
    held = newest_versions(session, units, last)
    certified = {code for code, row in held.items() if (code, row.version) not in gone}
    since = {_cell_of(row): row.certificate for row in copies_of(session, units, last)} if last > as_of else {}
    found = []
    for row in copies_of(session, units, as_of):
        renewed = since.get(_cell_of(row)) == row.ledger
        found.append(
            {
                "unit_code": row.unit_code, "post_type": row.post_type, "fund_form": row.fund_form, "ledger": row.ledger,
                "certificate": row.ledger if renewed else row.certificate, "database": row.database,
                "certified": row.unit_code in certified,
            }
        )  # fmt: skip
    return found


def _cell_of(row: CopyRow) -> tuple[str, str, str]:
    return (row.unit_code, row.post_type, row.fund_form)


def own_stays(session: Session, as_of: date, units: Collection[str]) -> list[Row]:
    """A row per person and stay in the units, as registered up to the day: `roster_rows` with loan_no and source."""
    codes = frozenset(units)
    about = {
        (row.slot_no, row.unit_code, row.entry_date): (row.source, row.document_no)
        for row in session.execute(
            select(StaffSlot.slot_no, StaffSlot.unit_code, StaffSlot.entry_date, StaffSlot.source, PoolMovement.document_no)
            .outerjoin(PoolMovement, PoolMovement.seq == StaffSlot.fill_seq)
            .where(StaffSlot.unit_code.in_(sorted(codes)))
        )
    }  # fmt: skip
    found = []
    for row in roster_rows(session, as_of, codes):
        source, document = about[row["slot_no"], row["unit_code"], row["entry_date"]]
        cited = {"permit_no": document} if source == CARRIED else {}
        found.append(row | {"loan_no": None, "source": source} | cited)
    return _with_pool(found, _pool_stays(session, as_of, codes))


def _pool_stays(session: Session, as_of: date, units: frozenset[str]) -> list[Row]:
    """People on borrowed posts, from the day the slot was filled. A swapped one stays, by the number the swap gave."""
    slots = session.scalars(
        select(PoolSlot)
        .where(PoolSlot.unit_code.in_(sorted(units)), PoolSlot.person_key.is_not(None), PoolSlot.filled_on <= as_of)
        .order_by(PoolSlot.slot_no)
    )
    found = []
    for slot in slots:
        ended = slot.ended_on if slot.ended_on is not None and slot.ended_on <= as_of else None
        gone = ended if slot.own_slot_no is None else None
        found.append(
            dict.fromkeys(_BLANK)
            | {
                "person_key": slot.person_key, "person_mask": slot.person_mask, "unit_code": slot.unit_code,
                "post_type": slot.post_type, "fund_form": slot.fund_form, "loan_no": slot.loan_no,
                "slot_no": slot.own_slot_no if ended and not gone else slot.slot_no, "permit_no": slot.loan_no,
                "entry_date": slot.filled_on, "entry_registered": slot.filled_on, "exit_date": gone,
                "exit_registered": gone, "exit_reason": None, "source": POOL,
                "status": (PersonStatus.LEFT if gone else PersonStatus.IN_SERVICE).value,
            }
        )  # fmt: skip
    return found


def _with_pool(own: list[Row], pool: list[Row]) -> list[Row]:
    """A person swapped off a pool post has two rows of one stay: the entry of the first, the exit of the second."""
    second = {(row["unit_code"], row["person_key"], row["slot_no"]): row for row in own if row["source"] == OPENING}
    found = []
    for row in pool:
        later = second.pop((row["unit_code"], row["person_key"], row["slot_no"]), None)
        names = ("exit_date", "exit_registered", "exit_reason", "status")
        found.append(row if later is None else row | {name: later[name] for name in names})
    joined = {id(row) for row in second.values()}
    return [row for row in own if row["source"] != OPENING or id(row) in joined] + found


def own_permits(session: Session, as_of: date, units: Collection[str]) -> list[Row]:
    """Permits of the units in the columns of the `permits` book, given up to the day; carries and loans among them."""
    codes = frozenset(units)
    return [
        *permit_rows(session, as_of, codes), *_carries(own_stays(session, as_of, codes)), *_loans(session, as_of, codes),
    ]  # fmt: skip


def _carries(stays: list[Row]) -> list[Row]:
    posts: dict[tuple, list[date]] = defaultdict(list)
    for row in stays:
        if row["source"] == CARRIED and row["permit_no"] is not None:
            posts[row["permit_no"], row["unit_code"], row["post_type"], row["fund_form"]].append(row["entry_date"])
    return [
        {
            "permit_no": number, "unit_code": unit, "post_type": kind, "fund_form": form, "posts": len(days),
            "approved_on": min(days), "valid_until": max(days), "purpose": "调编带人",
            "source_of_people": EntryForm.TRANSFER.value,
        }
        for (number, unit, kind, form), days in sorted(posts.items())
    ]  # fmt: skip


def _loans(session: Session, as_of: date, units: frozenset[str]) -> list[Row]:
    rows = session.scalars(
        select(PoolLoan)
        .where(PoolLoan.unit_code.in_(sorted(units)), PoolLoan.start_date <= as_of)
        .order_by(PoolLoan.loan_no)
    )
    return [
        {
            "permit_no": row.loan_no, "unit_code": row.unit_code, "post_type": row.post_type, "fund_form": row.fund_form,
            "posts": row.posts, "approved_on": row.start_date, "valid_until": row.due_date, "purpose": row.purpose,
            "source_of_people": None,
        }
        for row in rows
    ]  # fmt: skip
