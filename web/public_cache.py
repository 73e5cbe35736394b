"""Public pages and files: one picture per night kept in memory, headers that let everybody keep copies and ask whether
they still hold, and a limit per address."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import timedelta

from flask import Response, current_app, g, make_response, request
from sqlalchemy.orm import Session

from core.db import reading
from night.published import Picture, picture, state_of
from reconcile.flags import OFFICE_TIME
from web.auth import AddressThrottle

READS, WINDOW = 300, timedelta(minutes=5)
# Copies may be kept, and are asked about each time: a night that settles is seen at once.
KEEP = "public, no-cache"


class PublicCache:
    """The picture of one state and the files made of it; a new state (a night settled, posts moved in the pool, a
    division opened or closed) throws both away. unset: whether a division nobody decided on publishes."""

    def __init__(self, unset: bool) -> None:
        self.unset = unset
        self.throttle = AddressThrottle(READS, WINDOW)
        self._lock = threading.Lock()
        self._building = threading.Lock()
        self._held: Picture | None = None
        self._files: dict[str, bytes] = {}

    def picture(self, session: Session) -> Picture:
        """What is public now."""
        today = g.now.astimezone(OFFICE_TIME).date()
        state = state_of(session, today)
        # One reader makes the picture of a new state, the others wait for it.
        with self._building:
            if self._held is not None and self._held.state.mark == state.mark:
                return self._held
            made = picture(session, today, self.unset)
            with self._lock:
                self._held, self._files = made, {}
            return made

    def file(self, held: Picture, name: str, make: Callable[[], bytes]) -> bytes:
        """A file of a picture, made once."""
        with self._lock:
            if self._held is held and name in self._files:
                return self._files[name]
        made = make()
        with self._lock:
            if self._held is held:
                self._files[name] = made
        return made


def public_cache() -> PublicCache:
    """The cache of this application."""
    return current_app.extensions["bianzhi_public"]


def published() -> Picture:
    """What is public now, for a reader within the limit. Errors: TooManyTries."""
    cache = public_cache()
    cache.throttle.admit(request.remote_addr or "-", g.now)
    as_anybody()
    with reading(current_app.extensions["bianzhi_engine"]) as session:
        return cache.picture(session)


def as_anybody() -> None:
    """A page for everybody does not greet the one who is signed in: it is the same for all and may be kept by all."""
    g.viewer, g.user, g.scope = None, None, None


def public_answer(held: Picture, body: str | bytes, kind: str, varies: bool = True) -> Response:
    """The answer with ETag and Last-Modified, or 304 for who has it. varies: by the reader's language."""
    response = make_response(body)
    response.headers["Content-Type"] = kind
    content = body.encode() if isinstance(body, str) else body
    response.set_etag(hashlib.sha256(content).hexdigest()[:32])
    if held.state.moved_at is not None:
        response.last_modified = held.state.moved_at
    g.cache_control = KEEP
    g.vary = "Cookie, Accept-Language" if varies else "Accept-Encoding"
    return response.make_conditional(request)
