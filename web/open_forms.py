"""Forms for people without an account: the form's token, the trap for robots, and tries counted before anything is read."""

from __future__ import annotations

from datetime import timedelta

from flask import current_app, g, request

from core.db import writing
from core.errors import InputRejected
from core.tries import count_try, mark_of
from web import session as sessions
from web.errors import SENTENCES, TooManyTries
from web.public_cache import as_anybody

# A field no person sees: who fills it in reads the page with a machine.
TRAP = "website"


def check_open_form() -> None:
    """Errors: FormExpired without this visit's token; InputRejected for a filled trap."""
    sessions.check_form()
    if request.form.get(TRAP):
        raise InputRejected(SENTENCES[422])


def count_tries(door: str, who: str, most: int, window: timedelta) -> None:
    """Count a try in a transaction of its own, so that a failing one counts too. Errors: TooManyTries."""
    mark = mark_of(current_app.config["SETTINGS"].secret_key, door, who)
    with writing(current_app.extensions["bianzhi_engine"]) as session:
        admitted = count_try(session, mark, most, window, g.now)
    if not admitted:
        raise TooManyTries(SENTENCES[429])


def address() -> str:
    """Where a request comes from."""
    return request.remote_addr or "-"


def visitor() -> None:
    """The page greets nobody."""
    as_anybody()
