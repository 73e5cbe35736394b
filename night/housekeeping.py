"""The part of pool and gate in a night. Before it: certificates say what the ledger says. After the flags have settled:
remind, expire, lapse, propose, queue mails."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pandas as pd
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import engine_for, writing
from core.errors import Refused
from core.settings import Settings
from core.types import PersonStatus
from night.notice_files import hand_out
from night.places import run_of, snapshot_dir
from night.strength import is_active, people_of
from pool.acting import OFFICE_TIME
from pool.housekeeping import keep_pool
from pool.models import PoolSlot
from reconcile.models import NightState
from reconcile.store import newest_run
from staffing.certificate_pdf import Press
from staffing.certificates import renew_due
from staffing.deliveries import remind_waiting
from staffing.housekeeping import keep_staffing

GONE = (PersonStatus.RETIRED.value, PersonStatus.LEFT.value)


def housekeeping(settings: Settings, run_id: int, now: datetime) -> dict[str, int]:
    """The step: one transaction, and the same again for the same night changes nothing.

    A backfill moves nothing of today's, and a parked night waits for its release.
    """
    with writing(engine_for(settings.database_url)) as session:
        run = run_of(session, run_id)
        if run.state != NightState.SETTLED or run.backfill:
            return {}
        left = gone_people(session, snapshot_dir(settings, run), run.as_of)
        kept = _kept(session, settings, run.as_of, now, left)
        as_of = run.as_of
    # The register may say otherwise since the night settled.
    kept |= renew_certificates(settings, run_id, now)
    return kept | {"notices_handed_over": sum(hand_out(settings, as_of, now).values())}


def _kept(session: Session, settings: Settings, as_of: date, now: datetime, left: frozenset[str]) -> dict[str, int]:
    """The gate first: a permit that expires gives its posts back before the pool counts what is usable."""
    gate = keep_staffing(session, as_of, now, settings.portal_url)
    pool = vars(keep_pool(session, as_of, now, settings.portal_url, left))
    reminded = remind_waiting(session, as_of, now, settings.portal_url)
    return pool | {"permits_expired": gate.expired, "exits_blocked": gate.blocked, "notices_reminded": reminded}


def renew_certificates(settings: Settings, run_id: int, now: datetime) -> dict[str, int]:
    """Renew what is due, in a transaction of its own; a backfill renews nothing. Called again it finds nothing due."""
    with writing(engine_for(settings.database_url)) as session:
        if run_of(session, run_id).backfill:
            return {"certificates": 0}
        return {"certificates": len(renew_due(session, Press.of(settings), now))}


def keep_house(settings: Settings, as_of: date, now: datetime) -> dict[str, int]:
    """The same by command, for a day on which no night ran.

    Errors: Refused for a day before the newest settled night, which has kept house already, or after today.
    """
    with writing(engine_for(settings.database_url)) as session:
        newest = newest_run(session)
        if as_of > now.astimezone(OFFICE_TIME).date() or (newest is not None and as_of < newest.as_of):
            raise Refused("只能办理最近一夜至今天之间的一天。", answer="WRONG_DAY")
        left = gone_people(session, snapshot_dir(settings, newest), newest.as_of) if newest else frozenset()
        kept = _kept(session, settings, as_of, now, left)
    return kept | {"notices_handed_over": sum(hand_out(settings, as_of, now).values())}


def gone_people(session: Session, folder: Path, as_of: date) -> frozenset[str]:
    """person_keys of live slots whom the roster shows as gone, and nowhere as active (R08). Who is in no row is not gone:
    a book that is absent proves nothing."""
    seated = set(session.scalars(select(PoolSlot.person_key).where(PoolSlot.ended_on.is_(None)))) - {None}
    if not seated or not (folder / "roster.parquet").exists():
        return frozenset()
    roster = people_of(folder)
    roster = roster[roster["person_key"].isin(seated)]
    day = pd.Timestamp(as_of)
    here = set(roster["person_key"][is_active(roster, day)])
    out = roster["status"].isin(GONE) | (roster["exit_date"] <= day)
    return frozenset(roster["person_key"][out]) - here
