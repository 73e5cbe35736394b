"""The steps of a night in order, by name: what `dags` and `bianzhi night` both call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from core.accounts import User
from core.db import engine_for, writing
from core.errors import InputRejected, InvariantViolated, Refused
from core.settings import Settings, load_settings
from expectations.books import BOOKS
from night import arriving, ending, judging
from night.housekeeping import housekeeping, renew_certificates
from night.inbox import CONTROL, newest_night
from night.position import take_position

# Errors that say what the night is: trying the same step again would not change them.
ANSWERS = (InputRejected, InvariantViolated, Refused)

# (step, book): land and gate once per book; the others once. Units first: the other books name them.
ORDER: tuple[tuple[str, str | None], ...] = (
    ("position", None),
    ("land", CONTROL),
    *(("land", book) for book in BOOKS),
    *(("gate", book) for book in BOOKS),
    ("detect", None),
    ("settle", None),
    ("housekeeping", None),
    ("alert", None),
    ("report", None),
    ("prove", None),
    ("conclude", None),
)


def begin(as_of: str | date | None, inbox: str | Path | None, settings: Settings | None = None) -> int:
    """Open the night `as_of`, or the newest one delivered that is not after yesterday; returns the run's id.

    Errors: InputRejected when there is none; the watchdog's mail is queued and sent before that.
    """
    settings = settings or load_settings()
    now = datetime.now(UTC)
    folder = Path(inbox) if inbox else settings.home / "inbox"
    if as_of is None:
        yesterday = now.astimezone(ZoneInfo(settings.timezone)).date() - timedelta(days=1)
        as_of = newest_night(folder, yesterday)
        if as_of is None:
            ending.bark(settings, yesterday, now)
            raise InputRejected(f"nothing was delivered up to {yesterday}; put <as_of>/<division_code>/ into the inbox")
    return arriving.open_night(settings, folder, date.fromisoformat(str(as_of)), now)


def perform(name: str, run_id: int, book: str | None = None, settings: Settings | None = None) -> dict[str, int]:
    """One step, by name; answers with counts. Errors: whatever the step raises."""
    settings = settings or load_settings()
    now = datetime.now(UTC)
    calls: dict[str, Callable[[], dict[str, int]]] = {
        "position": lambda: renew_certificates(settings, run_id, now) | take_position(settings, run_id),
        "land": lambda: arriving.land(settings, run_id, str(book)),
        "gate": lambda: arriving.gate(settings, run_id, str(book)),
        "detect": lambda: judging.detect(settings, run_id),
        "settle": lambda: judging.settle(settings, run_id, now),
        "housekeeping": lambda: housekeeping(settings, run_id, now),
        "alert": lambda: ending.alert(settings, run_id, now),
        "report": lambda: ending.report(settings, run_id),
        "prove": lambda: ending.prove(settings, run_id),
        "conclude": lambda: ending.conclude(settings, run_id, now),
    }
    return calls[name]()


def run_night(
    settings: Settings, inbox: Path, as_of: date, progress: Callable[[str, str | None], None] = lambda *_: None
) -> int:
    """A whole night without Airflow; returns the run's id. Errors: InputRejected or InvariantViolated: red."""
    run_id = begin(as_of, inbox, settings)
    for name, book in ORDER:
        progress(name, book)
        perform(name, run_id, book, settings)
    return run_id


def release(settings: Settings, as_of: date, user: User) -> int:
    """Settle a parked night as this person's decision, then run what is left of it; returns the run's id.

    Errors: as `release_night`, and as `conclude` when the night is red for another reason.
    """
    with writing(engine_for(settings.database_url)) as session:
        run_id = judging.release(session, settings, as_of, user, datetime.now(UTC))
    for name in ("housekeeping", "alert", "report", "prove", "conclude"):
        perform(name, run_id, settings=settings)
    return run_id
