"""The one encrypted table of full identity numbers: filled for people who have findings, opened for a reviewer with a
reason, and never without an audit event (decision 0004)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from core.audit import AuditEvent, record
from core.errors import Forbidden, NotFound, Refused
from core.parameters import parameter_value
from core.permissions import Permission, Scope, may
from core.person_identity import PersonIdentity, identity_sealer
from expectations.identity_blocks import identities_of
from reconcile.models import FindingRow, Flag
from reconcile.store import flag_of

CHUNK = 5_000
SHOWN = "identity_shown"
# A notice of the gate printed with the number (web.gate_papers).
PRINTED = "staff_identity_printed"
WINDOW = timedelta(hours=1)
REASON_LEAST, REASON_MOST = 4, 400
# The reason goes into the trail, where no number may stand.
_LONG_NUMBER = re.compile(r"(?:[0-9０-９][\s-]*){9}")


def persons_of(grain: str) -> list[str]:
    """The person keys a grain names: none, one, or the two of D03."""
    named = json.loads(grain).get("person_key")
    return named.split(";") if named else []


def keep_identities(session: Session, run_id: int, folder: Path, person_key: str) -> int:
    """Take the sealed numbers of everybody the run's findings name out of its snapshot; answers how many were new."""
    rows = session.execute(
        select(FindingRow.person_key, FindingRow.grain).where(
            FindingRow.run_id == run_id, FindingRow.person_key.is_not(None)
        )
    )
    wanted = {person for row in rows for person in (row.person_key, *persons_of(row.grain))}
    wanted -= {held for part in _chunks(wanted) for held in _held(session, part)}
    sealer = identity_sealer(person_key)
    found = [
        {"person_key": key, "sealed": sealer.seal(number.encode(), key)}
        for key, number in identities_of(folder, wanted, person_key)
    ]
    for part in _chunks(found):
        session.execute(insert(PersonIdentity), part)
    return len(found)


def forget_identities(session: Session, kept: frozenset[str] = frozenset()) -> int:
    """Let go of the numbers of people whom neither a finding nor a flag names any more; answers with how many.

    kept: person keys somebody else still needs (people on posts by our gate).
    """
    named = set(session.scalars(select(FindingRow.person_key).where(FindingRow.person_key.is_not(None)).distinct()))
    for model in (FindingRow, Flag):
        grains = session.scalars(select(model.grain).where(model.grain.contains('"person_key":"')).distinct())
        named |= {person for grain in grains for person in persons_of(grain)}
    gone = set(session.scalars(select(PersonIdentity.person_key))) - named - kept
    for part in _chunks(gone):
        session.execute(delete(PersonIdentity).where(PersonIdentity.person_key.in_(part)))
    return len(gone)


def _held(session: Session, keys: list[str]) -> list[str]:
    return list(session.scalars(select(PersonIdentity.person_key).where(PersonIdentity.person_key.in_(keys))))


def _chunks(items: Iterable) -> Iterator[list]:
    ordered = list(items)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def may_show(flag: Flag, by: Scope) -> bool:
    """Whether this person may see the full number behind a flag, given a reason."""
    roles = by.roles_for(flag.unit_code, flag.division_code)
    return bool(persons_of(flag.grain)) and may(roles, Permission.SEE_IDENTITY)


def show_identity(session: Session, key: str, by: Scope, reason: str, person_key: str, now: datetime) -> list[str]:
    """The full numbers behind a flag, with one audit event in the caller's transaction: who, which flag, why.

    Errors: NotFound outside the scope or without a person; Forbidden; Refused without a reason, or beyond the hourly
    limit (parameter identity_limit); Unavailable when the key in force is another.
    """
    flag = flag_of(session, key, by)
    persons = persons_of(flag.grain)
    if not persons:
        raise NotFound("这条不符项与具体人员无关，或者没有保存其证件号码。")
    if not may_show(flag, by):
        raise Forbidden("只有编办审核人员可以查看完整证件号。")
    why = checked_reason(reason)
    record(session, actor=by.login, action=SHOWN, subject=f"flag {key}", now=now, flag=flag.id, reason=why)
    check_limit(session, by.login, now)
    sealed = dict(
        session.execute(
            select(PersonIdentity.person_key, PersonIdentity.sealed).where(PersonIdentity.person_key.in_(persons))
        ).all()
    )
    if not sealed:
        raise NotFound("这条不符项与具体人员无关，或者没有保存其证件号码。")
    sealer = identity_sealer(person_key)
    return [sealer.open(sealed[person], person).decode() for person in persons if person in sealed]


def check_limit(session: Session, login: str, now: datetime) -> None:
    """Errors: Refused when this person saw more full numbers within the hour than `identity_limit`, on pages or on paper.

    Asked after the event is written: two at once cannot both be the last.
    """
    shown = session.scalar(
        select(func.count()).where(
            AuditEvent.actor == login, AuditEvent.action.in_((SHOWN, PRINTED)), AuditEvent.at > now - WINDOW
        )
    )
    if (shown or 0) > parameter_value(session, "identity_limit", now.date()):
        raise Refused("一小时内查看的次数已达上限，请稍后再试。")


def checked_reason(reason: str) -> str:
    """Why somebody must see a number, as the trail keeps it. Errors: Refused when it says too little, or a number itself."""
    why = reason.strip()
    if not REASON_LEAST <= len(why) <= REASON_MOST:
        raise Refused("请写明查看完整证件号的理由（4 至 400 字）。")
    if _LONG_NUMBER.search(why):
        raise Refused("理由中不要写证件号码：理由会留在审计记录里。")
    return why
