"""What every use-case of the gate leaves behind: the audit event, and mail to those who wait for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from core.audit import record
from pool.acting import Act
from pool.letters import Letter, address_of, officers_of, queue_letter

PAGE = "staffing"


def trail(session: Session, act: Act, action: str, subject: str, **details: object) -> None:
    """One audit event of the gate; without names, ids or reasons."""
    if act.acting_for is not None:
        details["acting_for"] = act.acting_for.login
    record(
        session, actor=act.login, action=f"staff_{action}"[:64], subject=f"staffing {subject}", now=act.now, **details
    )


def tell(session: Session, act: Act, login: str, digest: str, subject: str, lines: Sequence[str]) -> None:
    """Queue a mail to the applicant about a decision."""
    letter = Letter(f"staff_{digest}"[:64], subject, (subject, *lines))
    queue_letter(session, letter, address_of(session, login), act.today, act.portal, act.now, PAGE)


def tell_unit(session: Session, act: Act, unit_code: str, digest: str, subject: str, lines: Sequence[str]) -> None:
    """Queue a mail to a unit's officers."""
    letter = Letter(f"staff_{digest}"[:64], subject, (subject, *lines))
    queue_letter(session, letter, officers_of(session, unit_code), act.today, act.portal, act.now, PAGE)
