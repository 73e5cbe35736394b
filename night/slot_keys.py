"""The people on pool slots under a new PERSON_KEY: the pool keeps a key and a mask, the newest night knows the number."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.errors import Refused
from core.identity import keyed
from core.settings import Settings
from expectations.identity_blocks import identities_of
from night.places import snapshot_dir
from pool.models import PoolSlot
from reconcile.store import newest_run


def rekey_slots(session: Session, settings: Settings, old: str, new: str) -> int:
    """Re-key every slot whose person the newest night names, in the caller's transaction; returns how many people.

    Slots that ended keep the old key where no night knows the person, as evidence. Errors: Refused when somebody on a
    live slot is in no book of that night: an exit would not be seen, and a second slot would be given.
    """
    rows = session.execute(select(PoolSlot.person_key, PoolSlot.ended_on).where(PoolSlot.person_key.is_not(None))).all()
    wanted = {row.person_key for row in rows}
    run = newest_run(session) if wanted else None
    numbers = dict(identities_of(snapshot_dir(settings, run), wanted, old)) if run else {}
    lost = {row.person_key for row in rows if row.ended_on is None} - set(numbers)
    if lost:
        raise Refused(
            f"{len(lost)} people sit on pool posts whose numbers the newest night does not hold; run a night whose roster "
            "names them, then rotate",
            people=len(lost),
        )
    for key, number in numbers.items():
        session.execute(update(PoolSlot).where(PoolSlot.person_key == key).values(person_key=keyed(new, number)))
    return len(numbers)
