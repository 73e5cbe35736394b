"""Delegations: who may act for whom, from a day to a day; dated, bounded, without circles (R11)."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import Role, find_user
from core.errors import Forbidden, NotFound, Refused
from core.permissions import Permission
from pool.acting import Act, Receipt, once
from pool.models import PoolDelegation, PoolNode
from pool.service import trail

# Auditors change nothing and administrators take no domain decision: not for others either (DOMAIN §1).
NEVER_DECIDE = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})
LONGEST_DELEGATION = timedelta(days=366)


def roots(session: Session) -> list[str]:
    """Nodes without a parent: held, they keep two delegations from closing a circle at once."""
    return sorted(session.scalars(select(PoolNode.id).where(PoolNode.parent_id.is_(None))))


def delegate(session: Session, act: Act, taker: str, valid_from: date, valid_to: date) -> Receipt:
    """Let another account act for this person from a day to a day (last good). → delegation.

    What was received is never passed on, and no circle may come about. Refused: CYCLE, TOO_LONG, DATES,
    NEVER_DECIDES.
    """
    if not act.by.may(Permission.DELEGATE) or act.acting_for is not None:
        raise Forbidden("您不能委托他人办理。", answer="WRONG_ROLE")
    person = find_user(session, taker)
    if person is None or not person.active:
        raise NotFound("没有这个账号。")

    def do() -> Receipt:
        if {Role(grant.role) for grant in person.grants} <= NEVER_DECIDE:
            raise Refused("审计人员和管理员不办理编制业务，不能受托。", answer="NEVER_DECIDES")
        if valid_to < valid_from or valid_from < act.today:
            raise Refused("委托起止日期不正确。", answer="DATES")
        if valid_to - valid_from > LONGEST_DELEGATION:
            raise Refused("一次委托至多一年。", answer="TOO_LONG")
        if person.login in (act.login, *_received_from(session, act.login, valid_from, valid_to)):
            raise Refused("委托不能成环。", answer="CYCLE")
        row = PoolDelegation(giver=act.login, taker=person.login, valid_from=valid_from, valid_to=valid_to)
        session.add(row)
        session.flush()
        trail(session, act, "delegated", f"delegation {row.id}", taker=person.login, until=valid_to)
        return {"delegation": row.id}

    body = {"taker": person.login, "valid_from": valid_from, "valid_to": valid_to}
    return once(session, act, "delegate", body, roots(session), do)


def _received_from(session: Session, login: str, start: date, end: date) -> set[str]:
    """Everybody who gives, directly or through others, to this person at any time within the dates."""
    rows = session.execute(
        select(PoolDelegation.giver, PoolDelegation.taker).where(
            PoolDelegation.revoked_at.is_(None), PoolDelegation.valid_from <= end, PoolDelegation.valid_to >= start
        )
    ).all()
    found: set[str] = set()
    frontier = {login}
    while frontier:
        frontier = {row.giver for row in rows if row.taker in frontier} - found
        found |= frontier
    return found


def revoke_delegation(session: Session, act: Act, delegation_id: int) -> Receipt:
    """End a delegation of one's own. → delegation."""
    row = session.get(PoolDelegation, delegation_id)
    if row is None or row.giver != act.login:
        raise NotFound("没有这项委托。")

    def do() -> Receipt:
        row.revoked_at = row.revoked_at or act.now
        session.flush()
        trail(session, act, "delegation_revoked", f"delegation {row.id}")
        return {"delegation": row.id}

    return once(session, act, "revoke_delegation", {"delegation": delegation_id}, roots(session), do)
