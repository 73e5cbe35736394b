"""Who is asking: signing in with a password (pages) or a bearer token (API)."""

from __future__ import annotations

import threading
from collections import deque
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from core.accounts import User, find_user, verify_password
from core.audit import record
from core.db import writing
from core.errors import Refused
from web import session as sessions
from web.errors import TooManyTries

TRIES = 5
LOCK = timedelta(minutes=15)
ADDRESS_TRIES = 60
ADDRESS_WINDOW = timedelta(minutes=5)


class SignInRefused(Refused):
    """Wrong, unknown, locked or disabled: all four look alike."""

    code = "sign_in_refused"
    http_status = 401


REFUSED = "登录名或密码不正确，或者账号暂时不能登录。"


class AddressThrottle:
    """How often one address may fail in a while; kept per process, above the lock kept per account in the database."""

    def __init__(self, tries: int = ADDRESS_TRIES, window: timedelta = ADDRESS_WINDOW) -> None:
        self.tries, self.window = tries, window
        self._seen: dict[str, deque[datetime]] = {}
        self._lock = threading.Lock()

    def admit(self, address: str, now: datetime) -> None:
        """Count a try. Errors: TooManyTries."""
        with self._lock:
            for key in [k for k, times in self._seen.items() if now - times[-1] > self.window]:
                del self._seen[key]
            times = self._seen.setdefault(address, deque(maxlen=self.tries))
            if len(times) == self.tries and now - times[0] <= self.window:
                raise TooManyTries("尝试次数过多，请稍后再试。")
            times.append(now)

    def forgive(self, address: str) -> None:
        """Take the newest try back: it succeeded. An office behind one address signs in many people in a morning."""
        with self._lock:
            times = self._seen.get(address)
            if times:
                times.pop()
            if not times:
                self._seen.pop(address, None)


def sign_in(engine: Engine, login: str, password: str, now: datetime) -> tuple[User, str]:
    """Check a password and open a session; returns the person and the session's id.

    The try is counted before the password is looked at, so that many guesses at once get no more than TRIES.
    Errors: SignInRefused, the same for every reason.
    """
    with writing(engine) as db:
        user = find_user(db, login)
        open_to_try = user is not None and _count_try(db, user, now)
    good = verify_password(user, password)
    with writing(engine) as db:
        fresh = db.scalar(select(User).where(User.id == user.id)) if user is not None else None
        unchanged = fresh is not None and fresh.password == user.password
        if good and open_to_try and unchanged and fresh.active:
            fresh.failed_login_count, fresh.locked_until = 0, None
            sid = sessions.start(db, fresh, now)
            record(db, actor=fresh.login, action="signed_in", subject=fresh.login, now=now)
            return fresh, sid
        # What was typed may be a password: only the login of a real account goes on the trail.
        subject = user.login if user is not None else "-"
        record(db, actor="-", action="sign_in_refused", subject=subject, now=now)
    raise SignInRefused(REFUSED)


def _count_try(db: Session, user: User, now: datetime) -> bool:
    """One more try for this account; False while it is locked. The TRIES-th try that fails leaves it locked."""
    db.refresh(user, with_for_update=True)
    if user.locked_until is not None and now < user.locked_until:
        return False
    if user.locked_until is not None:
        db.execute(update(User).where(User.id == user.id).values(failed_login_count=0, locked_until=None))
    db.execute(update(User).where(User.id == user.id).values(failed_login_count=User.failed_login_count + 1))
    db.refresh(user)
    if user.failed_login_count >= TRIES:
        user.locked_until = now + LOCK
    return user.failed_login_count <= TRIES


def safe_next(target: str | None) -> str | None:
    """The address to go to after signing in, only if it is a path of this portal."""
    if not target or not target.startswith("/") or target.startswith("//") or len(target) > 2000:
        return None
    # Browsers read a backslash as a slash and drop tabs and line breaks: '/\\host', '/\t/host' lead away.
    if "\\" in target or any(ord(character) < 0x20 or ord(character) == 0x7F for character in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc or parts.path == "/logout" else target
