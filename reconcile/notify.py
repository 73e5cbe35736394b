"""Who is mailed what of a night: one outbox row per (recipient, digest, as_of), in the caller's transaction."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.accounts import Role, User
from core.errors import InvariantViolated
from core.mail import message_id, queue_mail
from core.outbox import OutboxMail
from core.permissions import Permission, Scope, may, scope_of
from core.types import BookVerdict
from expectations.verdicts import REMEDIES, ReasonCode
from reconcile.digests import (
    BOOK_VERDICTS,
    FLAGS,
    OWNERS,
    PARKED,
    SILENCE,
    BookLine,
    Letter,
    RuleCount,
    books_letter,
    flags_letter,
    parked_letter,
    silence_letter,
)
from reconcile.lifecycle import Move
from reconcile.models import Flag, FlagEvent, FlagStatus, NightRun, NightState, Verdict
from reconcile.store import verdicts
from reconcile.visibility import flags_with_other_units, other_units

# unit_code and division_code of a flag, and the other units it concerns.
Place = tuple[str | None, str | None, frozenset[str]]
Tally = dict[tuple[str, str], list[int]]  # (rule, severity) → fresh, live, closed
FRESH, LIVE, CLOSED = range(3)
ALONE: frozenset[str] = frozenset()
# Units, supervising departments and the office are told of flags; finance, personnel and auditors of their books.
TOLD_OF_FLAGS = frozenset({Role.UNIT_OFFICER, Role.SUPERVISOR, Role.REVIEWER, Role.DIRECTOR})


def queue_digests(session: Session, run: NightRun, portal: str, now: datetime) -> int:
    """Queue a night's mails; returns how many are new. A backfill and a superseded run mail nobody; a parked night only
    those who may release it. Errors: InvariantViolated for a night that has not settled."""
    if run.state == NightState.OPEN:
        raise InvariantViolated("a night must settle before it mails")
    if run.backfill or run.superseded_by is not None:
        return 0
    people = [(user, scope_of(session, user)) for user in _readers(session)]
    if run.state == NightState.PARKED:
        letter = parked_letter(run.as_of, run.new_flag_count or 0, portal)
        told = [user.email for user, scope in people if scope.may(Permission.RELEASE_NIGHT)]
        return sum(_queue(session, email, PARKED, run.as_of, letter, portal, now) for email in told)
    places = _tallies(session, run)
    lines = [_line(verdict) for verdict in verdicts(session, run.id)]
    expected = {(v.division_code, v.book) for v in verdicts(session, run.id) if v.expected}
    absent = [line for line in lines if _is_absent(line, (line.division_code, line.book) in expected)]
    queued = 0
    for user, scope in people:
        letters = {
            FLAGS: flags_letter(run.as_of, _counts(scope, places), _judged_by(scope, absent), portal),
            BOOK_VERDICTS: books_letter(run.as_of, _owned(scope, [*lines], expected), portal),
        }
        for digest, letter in letters.items():
            if letter is not None:
                queued += _queue(session, user.email, digest, run.as_of, letter, portal, now)
    return queued


def queue_silence(session: Session, as_of: date, portal: str, now: datetime) -> int:
    """The watchdog's mail to administrators and reviewers; returns how many are new."""
    letter = silence_letter(as_of, portal)
    told = [
        user.email
        for user in _readers(session)
        if may({Role(grant.role) for grant in user.grants}, Permission.RELEASE_NIGHT)
    ]
    return sum(_queue(session, email, SILENCE, as_of, letter, portal, now) for email in told)


def _readers(session: Session) -> list[User]:
    return list(session.scalars(select(User).where(User.active, User.wants_mail).order_by(User.id)))


def _queue(session: Session, email: str, digest: str, as_of: date, letter: Letter, portal: str, now: datetime) -> bool:
    mail = OutboxMail(
        recipient=email, digest=digest, as_of=as_of, subject=letter.subject, text=letter.text, html=letter.html,
        message_id=message_id(email, digest, as_of, portal), queued_at=now,
    )  # fmt: skip
    return queue_mail(session, mail)


def _tallies(session: Session, run: NightRun) -> dict[Place, Tally]:
    """Live flags, and tonight's openings, reopenings and closings, counted per place."""
    places: dict[Place, Tally] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    group = (Flag.unit_code, Flag.division_code, Flag.rule, Flag.severity)
    turned = (FlagEvent.run_id == run.id, FlagEvent.move.in_([Move.OPEN, Move.REOPEN, Move.CLOSE_BY_DATA]))
    # A flag that concerns several units is counted by itself: once for a person who sees more than one of them.
    alone = ~other_units().exists()
    live = select(*group, func.count()).where(Flag.status != FlagStatus.CLOSED, alone).group_by(*group)
    turns = select(*group, FlagEvent.move, func.count()).join(Flag, Flag.id == FlagEvent.flag_id)
    turns = turns.where(*turned, alone).group_by(*group, FlagEvent.move)
    for unit, division, rule, severity, count in session.execute(live):
        places[unit, division, ALONE][rule, severity][LIVE] += count
    for unit, division, rule, severity, move, count in session.execute(turns):
        places[unit, division, ALONE][rule, severity][_column(move)] += count
    moves: dict[int, list[str]] = defaultdict(list)
    shared = select(FlagEvent.flag_id, FlagEvent.move).join(Flag, Flag.id == FlagEvent.flag_id).where(*turned, ~alone)
    for flag_id, move in session.execute(shared):
        moves[flag_id].append(move)
    told = or_(Flag.status != FlagStatus.CLOSED, Flag.id.in_(list(moves)))
    for flag, units in flags_with_other_units(session, told):
        tally = places[flag.unit_code, flag.division_code, units][flag.rule, flag.severity]
        tally[LIVE] += flag.status != FlagStatus.CLOSED
        for move in moves[flag.id]:
            tally[_column(move)] += 1
    return places


def _column(move: str) -> int:
    return CLOSED if move == Move.CLOSE_BY_DATA else FRESH


def _counts(scope: Scope, places: dict[Place, Tally]) -> list[RuleCount]:
    total: Tally = defaultdict(lambda: [0, 0, 0])
    for (unit, division, others), tally in places.items():
        roles = scope.roles_for(unit, division).union(*(scope.roles_for(other) for other in others))
        if TOLD_OF_FLAGS & roles:
            for line, counts in tally.items():
                total[line] = [held + more for held, more in zip(total[line], counts, strict=True)]
    return [RuleCount(rule, severity, *counts) for (rule, severity), counts in total.items()]


def _line(verdict: Verdict) -> BookLine:
    reasons = json.loads(verdict.reasons)
    whole = [str(reason["message"]) for reason in reasons if reason.get("row") is None and reason.get("message")]
    by_row: Counter[str] = Counter()
    for reason in reasons:
        if reason.get("row") is not None:
            by_row[str(reason["code"])] += int(reason.get("count", 1))
    # A row's own sentence stays in the portal: a mail says what is wrong with how many, in the remedy's words.
    counted = [f"{count} 行{REMEDIES[ReasonCode(code)]}" for code, count in sorted(by_row.items())]
    return BookLine(
        verdict.division_code, verdict.book, BookVerdict(verdict.verdict), verdict.rows_in, verdict.accepted,
        verdict.duplicates, verdict.quarantined, tuple(dict.fromkeys([*whole, *counted])),
    )  # fmt: skip


def _is_absent(line: BookLine, expected: bool) -> bool:
    return line.verdict is BookVerdict.REJECTED or (expected and line.verdict is BookVerdict.MISSING)


def _judged_by(scope: Scope, absent: Iterable[BookLine]) -> list[BookLine]:
    """Only the office answers for a night as a whole; a unit officer cannot do anything about a missing book."""
    office = {Role.REVIEWER, Role.DIRECTOR}
    return [line for line in absent if office & scope.roles_for(None, line.division_code)]


def _owned(scope: Scope, lines: Sequence[BookLine], expected: set[tuple[str, str]]) -> list[BookLine]:
    """Lines of the books this person answers for; a book nobody expected is not missed."""
    return [
        line
        for line in lines
        if OWNERS[line.book] & scope.roles_for(None, line.division_code)
        and (line.verdict is not BookVerdict.MISSING or (line.division_code, line.book) in expected)
    ]
