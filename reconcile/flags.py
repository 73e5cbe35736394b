"""What people do to flags: one use-case per move of the table in `lifecycle`. The edge opens and commits.

Every move locks the flag, checks scope, version, role and table in that order, writes a FlagEvent and an audit event in
the caller's transaction. The version a person decides on must be the newest: who looked at older facts looks again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.audit import record
from core.errors import NotFound, Refused
from core.permissions import Scope
from reconcile.lifecycle import NIGHT, TRANSITIONS, Decision, FlagState, Move, Paper, check_move, decide_move
from reconcile.models import Flag, FlagEvent, FlagStatus
from reconcile.settle import NO_EXPLANATION, lock_flags
from reconcile.visibility import sees_flag
from reconcile.worklists import write_notice, write_referral

# Deadlines and expiries are days of the office's calendar, not of UTC.
OFFICE_TIME = ZoneInfo("Asia/Shanghai")
NOTE_LIMIT = 4_000
PEOPLE_MOVES = tuple(move for move, row in TRANSITIONS.items() if row.permission is not None)


@dataclass(frozen=True)
class Act:
    """Who decides, on which version of the flag, when (UTC)."""

    by: Scope
    version: int
    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(OFFICE_TIME).date()


def acknowledge_flag(session: Session, key: str, act: Act, note: str | None = None) -> Flag:
    """OPEN → ACKNOWLEDGED. Errors: NotFound outside the scope; Forbidden; Refused with the sentence of the table."""
    return _make(session, key, Move.ACKNOWLEDGE, act, Paper(reason=note))


def explain_flag(session: Session, key: str, act: Act, *, reason: str, evidence: str, until: date) -> Flag:
    """Write an explanation; it waits for a second person. `until`: its last good day. Errors: as `acknowledge_flag`."""
    return _make(session, key, Move.EXPLAIN, act, Paper(reason, evidence, until))


def confirm_explanation(session: Session, key: str, act: Act, note: str | None = None) -> Flag:
    """→ EXPLAINED, by somebody who did not write it. Errors: as `acknowledge_flag`."""
    return _make(session, key, Move.CONFIRM, act, Paper(reason=note))


def reject_explanation(session: Session, key: str, act: Act, *, reason: str) -> Flag:
    """Send a waiting explanation back; the status stays. Errors: as `acknowledge_flag`."""
    return _make(session, key, Move.REJECT_EXPLANATION, act, Paper(reason=reason))


def start_rectifying(session: Session, key: str, act: Act, *, reason: str, deadline: date) -> Flag:
    """→ RECTIFYING: notice and deadline. Errors: as `acknowledge_flag`; Refused for a deadline not after today."""
    if deadline <= act.today:
        raise Refused("整改期限须晚于今天。", answer="DEADLINE_PAST")
    flag = _make(
        session, key, Move.START_RECTIFYING, act, Paper(reason=f"整改期限 {deadline}：{reason}" if reason else "")
    )
    write_notice(session, flag, reason, deadline, act.by.login, act.today)
    return flag


def refer_flag(session: Session, key: str, act: Act, *, to: str, reason: str) -> Flag:
    """→ REFERRED, to discipline inspection, audit, organisation or personnel. Errors: as `acknowledge_flag`."""
    if not to.strip():
        raise Refused("请填写移送单位。", answer="RECEIVER_MISSING")
    flag = _make(session, key, Move.REFER, act, Paper(reason=f"移送 {to.strip()}：{reason}" if reason else ""))
    write_referral(session, flag, to, reason, act.by.login, act.today)
    return flag


def close_flag(session: Session, key: str, act: Act, *, reason: str) -> Flag:
    """→ CLOSED by decision; the mismatch, seen again, reopens it. Errors: as `acknowledge_flag`."""
    return _make(session, key, Move.CLOSE_BY_DECISION, act, Paper(reason=reason))


def move_decisions(flag: Flag, by: Scope, now: datetime) -> dict[Move, Decision]:
    """For every move a person could make: whether this one may now, and the sentence for the button."""
    roles = by.roles_for(flag.unit_code, flag.division_code)
    today = now.astimezone(OFFICE_TIME).date()
    state = state_of(flag)
    return {move: decide_move(move, state, login=by.login, roles=roles, today=today) for move in PEOPLE_MOVES}


def state_of(flag: Flag) -> FlagState:
    """The flag as the table of moves sees it."""
    return FlagState(FlagStatus(flag.status), flag.explained_by_login, flag.confirmed_by_login, flag.explanation_until)


def _make(session: Session, key: str, move: Move, act: Act, paper: Paper) -> Flag:
    lock_flags(session, whole=False)
    flag = session.scalar(
        select(Flag).where(Flag.key == key).with_for_update().execution_options(populate_existing=True)
    )
    if flag is None or not sees_flag(session, act.by, flag):
        raise NotFound("没有这条不符项，或者不在您的管辖范围内。")
    if flag.version != act.version:
        raise Refused(_who_decided(session, flag), answer="CHANGED", version=flag.version)
    roles = act.by.roles_for(flag.unit_code, flag.division_code)
    row = check_move(move, state_of(flag), login=act.by.login, roles=roles, today=act.today, paper=paper)
    note = _note(paper)
    before = FlagStatus(flag.status)
    _write(flag, move, act.by.login, paper)
    after = row.target or before
    flag.status, flag.closed_by, flag.version = after.value, row.closed_by, flag.version + 1
    session.add(
        FlagEvent(
            flag_id=flag.id, at=act.now, actor=act.by.login, move=move.value, from_status=before.value,
            to_status=after.value, note=note,
        )
    )  # fmt: skip
    session.flush()
    # The note may name a person; the trail keeps what happened, not what was said.
    record(
        session, actor=act.by.login, action=f"flag_{move.value.lower()}", subject=f"flag {key}", now=act.now,
        flag=flag.id, rule=flag.rule, before=before.value, after=after.value, version=flag.version,
    )  # fmt: skip
    return flag


def _write(flag: Flag, move: Move, login: str, paper: Paper) -> None:
    if move is Move.EXPLAIN:
        flag.explanation, flag.explanation_evidence = paper.reason, paper.evidence
        flag.explanation_until, flag.explained_by_login, flag.confirmed_by_login = paper.until, login, None
    elif move is Move.CONFIRM:
        flag.confirmed_by_login = login
    elif move is Move.REJECT_EXPLANATION:
        for name, value in NO_EXPLANATION.items():
            setattr(flag, name, value)


def _note(paper: Paper) -> str | None:
    parts = [
        paper.reason,
        f"依据：{paper.evidence}" if paper.evidence else None,
        f"有效期至 {paper.until}" if paper.until else None,
    ]
    text = "；".join(part.strip() for part in parts if part and part.strip())
    if len(text) > NOTE_LIMIT:
        raise Refused(f"理由和依据合计不得超过 {NOTE_LIMIT} 字。", answer="TOO_LONG")
    return text or None


def _who_decided(session: Session, flag: Flag) -> str:
    last = session.scalars(
        select(FlagEvent).where(FlagEvent.flag_id == flag.id).order_by(FlagEvent.id.desc()).limit(1)
    ).one_or_none()
    if last is None:
        return "这条不符项刚刚有了变化，请刷新后再办理。"
    name = "每夜核对" if last.actor == NIGHT else last.actor
    return f"这条不符项已由 {name} 办理“{TRANSITIONS[Move(last.move)].label}”，请刷新后再办理。"
