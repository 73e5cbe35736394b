"""The people on posts by our gate: whose numbers must stay, and their keys made anew when PERSON_KEY is rotated."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import Refused
from core.identity import keyed
from core.person_identity import numbers_of
from staffing.models import StaffSlot


def people_on_posts(session: Session) -> frozenset[str]:
    """Person keys of everybody the gate has a row of, gone or not: their sealed numbers are kept."""
    keys = session.scalars(select(StaffSlot.person_key).where(StaffSlot.person_key.is_not(None)).distinct())
    return frozenset(keys)


def rekey_people(session: Session, old: str, new: str) -> int:
    """Re-key every slot's person, in the caller's transaction, before the sealed numbers themselves are; returns how many.

    Errors: Refused when a number is not kept, so that a second entry would not be seen.
    """
    keys = people_on_posts(session)
    numbers = numbers_of(session, keys, old)
    if len(numbers) < len(keys):
        lost = len(keys) - len(numbers)
        raise Refused(f"{lost} people on posts by the gate have no number kept; nothing was rotated", people=lost)
    for key, number in numbers.items():
        session.execute(update(StaffSlot).where(StaffSlot.person_key == key).values(person_key=keyed(new, number)))
    return len(numbers)
