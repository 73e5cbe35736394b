"""Server-side sessions: the cookie holds a random id, the table its SHA-256, so a stolen cookie dies with its row."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from flask import Response, current_app, g, request
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from core.accounts import User, UserSession, hash_secret
from core.errors import Refused
from web.errors import FormExpired

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
KEEP_ROWS = timedelta(days=30)
# Writing `seen_at` at every request would make every page a write; once a minute is fine enough for IDLE.
TOUCH = timedelta(minutes=1)
FORM_FIELD = "csrf_token"


def start(db: Session, user: User, now: datetime) -> str:
    """Open a new session, always under a new id; returns the id for the cookie."""
    db.execute(delete(UserSession).where(UserSession.user_id == user.id, UserSession.created_at < now - KEEP_ROWS))
    sid = secrets.token_urlsafe(32)
    db.add(UserSession(sid_hash=hash_secret(sid), user_id=user.id, created_at=now, seen_at=now))
    db.flush()
    return sid


def live(db: Session, sid: str, now: datetime) -> UserSession | None:
    """The session of a cookie, if it is neither revoked nor idle nor too old."""
    row = db.get(UserSession, hash_secret(sid))
    if row is None or row.revoked_at is not None:
        return None
    if now - row.seen_at > IDLE or now - row.created_at > ABSOLUTE:
        return None
    return row


def touch(db: Session, sid: str, now: datetime) -> None:
    """Note that the person is still there; never wakes a revoked session."""
    db.execute(
        update(UserSession)
        .where(UserSession.sid_hash == hash_secret(sid), UserSession.revoked_at.is_(None), UserSession.seen_at < now)
        .values(seen_at=now)
    )


def end(db: Session, sid: str, now: datetime) -> None:
    """Revoke one session."""
    db.execute(
        update(UserSession)
        .where(UserSession.sid_hash == hash_secret(sid), UserSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


def cookie_name() -> str:
    """With https the __Host- prefix keeps other hosts of the domain from planting one."""
    return "__Host-bianzhi" if current_app.config["SESSION_COOKIE_SECURE"] else "bianzhi"


def cookie() -> str | None:
    """The visit's id from the cookie: a session's when signed in, else only what forms are tied to."""
    value = request.cookies.get(cookie_name(), "")
    return value if 20 <= len(value) <= 100 and value.isascii() else None


def keep_cookie(response: Response, sid: str) -> None:
    """Give the browser its id: no script may read it, no other site may send it with a form."""
    response.set_cookie(
        cookie_name(),
        sid,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
        path="/",
    )


def drop_cookie(response: Response) -> None:
    response.delete_cookie(
        cookie_name(), secure=current_app.config["SESSION_COOKIE_SECURE"], httponly=True, samesite="Lax", path="/"
    )


def csrf_token() -> str:
    """The token every form carries, bound to this visit. A visitor without a cookie gets one with the answer."""
    if g.visit is None:
        g.visit = g.new_visit = secrets.token_urlsafe(32)
    return _token(g.visit)


def _token(visit: str) -> str:
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, b"form:" + visit.encode(), hashlib.sha256).hexdigest()


def check_form() -> None:
    """Errors: FormExpired when a posted form does not carry this visit's token."""
    given = request.form.get(FORM_FIELD, "")
    if g.visit is None or not hmac.compare_digest(given.encode(), _token(g.visit).encode()):
        raise FormExpired("表单已过期，请返回上一页刷新后再提交。")
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Refused("只接受本系统页面提交的表单。")
