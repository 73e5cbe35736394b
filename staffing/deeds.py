"""The pool's acts by name as the doors perform them: where the gate has people on the posts, they go along."""

from __future__ import annotations

from sqlalchemy.orm import Session

from pool import acts
from pool.acting import Act, Receipt
from pool.acts import Deed, Values
from staffing.service_carry import merge_units
from staffing.undoing import undo_movement


def perform(session: Session, act: Act, deed: Deed, values: Values, person_key: str) -> Receipt:
    """One act, in the caller's transaction; a merger takes slots and roster with it, a reversal asks who sits where.

    Errors: whatever the use-case raises.
    """
    if deed.name == "merge":
        return merge_units(session, act, **values)
    if deed.name == "reverse":
        return undo_movement(session, act, **values)
    return acts.perform(session, act, deed, values, person_key)
