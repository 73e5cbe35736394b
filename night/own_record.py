"""An employee looks up the own record: what the lists say of one person, after a proof of identity (DOMAIN §6).

The proof is three things at once: the full identity number, the name as registered, and a code that a reviewer or a
personnel officer issued for this person. One keyed hash binds the three, and that hash alone is stored: a try computes
one hash and looks for it, whoever is meant, so that neither answer nor time tells whether a number exists. A code opens
once. No number, name or person key is written anywhere (decision 0014). The edge commits.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import Date, Index, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.audit import record
from core.db import Base, Instant
from core.errors import Forbidden, InputRejected, NotFound, Refused, Unavailable
from core.identity import keyed, normalise_id, normalise_name
from core.key_mark import mark_in_force
from core.keys import derived, key_mark
from core.parameters import parameter_value
from core.permissions import Permission, Scope
from core.settings import Settings
from night.places import snapshot_dir
from reconcile.models import NightRun
from reconcile.store import newest_run
from reconcile.trends import counting_runs

OFFICE_TIME = ZoneInfo("Asia/Shanghai")
# No 0, 1, I, L, O: a code is read off paper.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_CHARS, GROUP = 12, 4
ID_TYPES = ("RESIDENT", "PASSPORT", "HK_MACAO", "TAIWAN", "PERMANENT")
FIELD_MOST = 64
NIGHTS_SHOWN = 12
COLUMNS = (
    "person_key", "person_mask", "name_key", "unit_code", "post_type", "fund_form", "status", "entry_form", "entry_date",
    "exit_date", "seconded_to", "permit_no", "slot_no", "loan_no",
)  # fmt: skip
SHOWN = COLUMNS[3:]
REFUSED = "没有查到。请核对证件号、姓名和查询码；查询码只能用一次，过期作废。"


class LookupCode(Base):
    """A code for one person, bound to number and name in one keyed hash. `unit_code`: whose personnel it was issued for."""

    __tablename__ = "lookup_code"
    __table_args__ = (Index("ix_lookup_code_proof", "proof", unique=True),)
    id: Mapped[int] = mapped_column(primary_key=True)
    proof: Mapped[str] = mapped_column(String(64))
    unit_code: Mapped[str] = mapped_column(String(64))
    issued_by: Mapped[str] = mapped_column(String(64))
    issued_at: Mapped[datetime] = mapped_column(Instant)
    valid_until: Mapped[date] = mapped_column(Date)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True)
class Claim:
    """Who somebody says to be. Never logged, never stored."""

    id_type: str = field(repr=False)
    number: str = field(repr=False)
    name: str = field(repr=False)

    def checked(self) -> Claim:
        """Errors: InputRejected for blanks, an unknown kind of paper, or more than a field holds."""
        if self.id_type not in ID_TYPES or not self.number.strip() or not self.name.strip():
            raise InputRejected("还有必填项没有填写。")
        if max(len(self.number), len(self.name)) > FIELD_MOST:
            raise InputRejected("填写的内容太长。")
        return self

    def person(self, key: str) -> str:
        """The person_key of the number claimed."""
        return keyed(key, normalise_id(self.number, self.id_type))

    def named(self, key: str) -> str:
        """The name_key of the name claimed."""
        return keyed(key, normalise_name(self.name))


@dataclass(frozen=True)
class Slip:
    """What is handed to the person: the code, until when it is good, and for whom (masked)."""

    code: str = field(repr=False)
    valid_until: date
    person_mask: str
    unit_code: str


@dataclass(frozen=True)
class OwnRecord:
    """The rows of one person in the newest night, and how they changed over the nights before it.

    `rekeyed`: earlier nights were made under another key, in which nobody is found any more.
    """

    as_of: date
    person_mask: str
    rows: list[dict[str, object]]
    history: list[tuple[date, list[dict[str, object]]]]
    rekeyed: bool = False


def issue_code(session: Session, settings: Settings, claim: Claim, by: Scope, now: datetime) -> Slip:
    """A code for a person of the newest night's roster in a unit the issuer answers for, with its audit event.

    Errors: InputRejected; NotFound, the same for an unknown number, another name and a unit not the issuer's;
    Forbidden for other roles; Unavailable between a change of the key and the next night.
    """
    if not by.may(Permission.ISSUE_LOOKUP_CODE):
        raise Forbidden("您的角色不能办理这一步。")
    claim = claim.checked()
    run = _newest(session, settings)
    rows = _rows(settings, run, claim.person(settings.person_key)) if run is not None else []
    mine = [
        row for row in rows
        if row["name_key"] == claim.named(settings.person_key) and _answers_for(by, str(row["unit_code"]))
    ]  # fmt: skip
    if not mine:
        raise NotFound("在您的管辖范围内没有查到这个人：请核对证件号和姓名。")
    today = now.astimezone(OFFICE_TIME).date()
    until = today + timedelta(days=parameter_value(session, "lookup_code_days", today))
    code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))
    unit = str(mine[0]["unit_code"])
    issued = LookupCode(
        proof=_proof(settings.person_key, claim, code), unit_code=unit, issued_by=by.login, issued_at=now,
        valid_until=until,
    )  # fmt: skip
    session.add(issued)
    session.flush()
    record(
        session, actor=by.login, action="lookup_code_issued", subject=f"lookup code {issued.id}", now=now,
        unit_code=unit, valid_until=until,
    )  # fmt: skip
    shown = "-".join(code[start : start + GROUP] for start in range(0, CODE_CHARS, GROUP))
    return Slip(shown, until, str(mine[0]["person_mask"]), unit)


def _answers_for(by: Scope, unit_code: str) -> bool:
    try:
        by.check(Permission.ISSUE_LOOKUP_CODE, unit_code)
    except (NotFound, Forbidden):
        return False
    return True


def _proof(person_key: str, claim: Claim, code: str) -> str:
    """One hash over number, name and code. Length-prefixed, so that nothing can slide from one field to the next."""
    key = derived(person_key, "lookup code")
    typed = "".join(char for char in code.upper() if char in ALPHABET)
    body = hashlib.sha256()
    for part in (claim.person(person_key), claim.named(person_key), typed):
        body.update(len(part).to_bytes(4) + part.encode())
    return hmac.digest(key, body.digest(), hashlib.sha256).hex()


def look_up(session: Session, settings: Settings, claim: Claim, code: str, now: datetime) -> OwnRecord:
    """The own record, once per code, with its audit event.

    Errors: Refused, one sentence for everything that is wrong; Unavailable, whoever asks, between a change of the key and
    the next night.
    """
    run = _newest(session, settings)
    proof = _proof(settings.person_key, claim, code[:FIELD_MOST])
    today = now.astimezone(OFFICE_TIME).date()
    used = update(LookupCode).where(
        LookupCode.proof == proof, LookupCode.used_at.is_(None), LookupCode.valid_until >= today
    )
    # A conditional update whose row count is checked: two looks at once cannot both be the first.
    if session.execute(used.values(used_at=now)).rowcount != 1:
        raise Refused(REFUSED, answer="NOT_PROVEN")
    held = session.scalars(select(LookupCode).where(LookupCode.proof == proof)).one()
    person = claim.person(settings.person_key)
    rows = _rows(settings, run, person) if run is not None else []
    if run is None or not rows:
        raise NotFound("最近一夜的实名制里没有您的记录，请向单位人事部门询问。")
    record(
        session, actor="employee", action="own_record_shown", subject=f"lookup code {held.id}", now=now,
        as_of=run.as_of, unit_code=held.unit_code,
    )  # fmt: skip
    history, rekeyed = _history(session, settings, run, person)
    return OwnRecord(run.as_of, str(rows[0]["person_mask"]), _shown(rows), history, rekeyed)


def void_codes(session: Session, now: datetime, actor: str) -> int:
    """Let every code that could still be used expire, with an audit event: no number and name prove it under another key.

    Answers with how many there were.
    """
    today = now.astimezone(OFFICE_TIME).date()
    still_good = update(LookupCode).where(LookupCode.used_at.is_(None), LookupCode.valid_until >= today)
    count = session.execute(still_good.values(valid_until=today - timedelta(days=1))).rowcount
    record(session, actor=actor, action="lookup_codes_voided", subject="PERSON_KEY", now=now, codes=count)
    return count


def _newest(session: Session, settings: Settings) -> NightRun | None:
    """The newest night, in which people can be found. Errors: Unavailable when it was made under another key, or when the
    key at work is no longer the one in force: a portal that was not started again."""
    run = newest_run(session)
    if mark_in_force(session) not in (None, key_mark(settings.person_key)) or (
        run is not None and not _under_key(settings, run)
    ):
        raise Unavailable("密钥刚更换，须待下一次每夜核对后才能查询。")
    return run


def _under_key(settings: Settings, run: NightRun) -> bool:
    return run.key_mark in (None, key_mark(settings.person_key))


def _rows(settings: Settings, run: NightRun, person: str) -> list[dict[str, object]]:
    path = Path(snapshot_dir(settings, run)) / "roster.parquet"
    if not path.exists():
        return []
    names = [name for name in COLUMNS if name in pq.read_schema(path).names]
    table = pq.read_table(path, columns=names, filters=pc.field("person_key") == person)
    return [dict.fromkeys(COLUMNS) | row for row in table.to_pylist()]


def _shown(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    order = lambda row: tuple(str(row[name] or "") for name in SHOWN)
    return sorted(({name: row[name] for name in SHOWN} for row in rows), key=order)


def _history(
    session: Session, settings: Settings, newest: NightRun, person: str
) -> tuple[list[tuple[date, list[dict[str, object]]]], bool]:
    """The nights in which the rows became what they are, newest first: a night like the one before it adds nothing.
    Pruned nights are left out: their roster is gone. And whether nights under another key had to be left out."""
    changes: list[tuple[date, list[dict[str, object]]]] = []
    rekeyed = False
    for run in counting_runs(session):
        if run.pruned_at is not None or run.as_of > newest.as_of:
            continue
        if not _under_key(settings, run):
            rekeyed = True
            continue
        rows = _shown(_rows(settings, run, person))
        if rows and (not changes or changes[-1][1] != rows):
            changes.append((run.as_of, rows))
    return changes[::-1][:NIGHTS_SHOWN], rekeyed
