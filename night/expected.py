"""Which books each division must deliver (DOMAIN §3, decision 0001 no. 4)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.parameters import parameter_value
from core.types import BookVerdict
from expectations.books import BOOKS
from reconcile.models import Delivery, NightRun, NightState, Verdict

GOOD = (BookVerdict.ACCEPTED, BookVerdict.ACCEPTED_WITH_QUARANTINE)


def expected_books(session: Session, run: NightRun) -> dict[str, set[str]]:
    """Division → books it must deliver tonight, over divisions that delivered tonight or ever before."""
    tonight: dict[str, set[str]] = defaultdict(set)
    for division, book in session.execute(
        select(Delivery.division_code, Delivery.book).where(Delivery.run_id == run.id)
    ):
        tonight[division].update({book} & BOOKS.keys())
    history = _history(session, run.as_of)
    expected: dict[str, set[str]] = {}
    for division in sorted({*tonight, *history}):
        named = parameter_value(session, "expected_books", run.as_of, division)
        if named is not None:
            expected[division] = set(named)
        else:
            last_good = next((books for books in history.get(division, []) if books), None)
            expected[division] = {"units"} | (tonight[division] if last_good is None else last_good)
    return expected


def _history(session: Session, before: date) -> dict[str, list[set[str]]]:
    """Division → what was accepted on each earlier settled night, newest first; empty where the night was not good."""
    rows = session.execute(
        select(NightRun.as_of, Verdict.division_code, Verdict.book, Verdict.verdict, Verdict.expected)
        .join(NightRun, NightRun.id == Verdict.run_id)
        .where(NightRun.as_of < before, NightRun.state == NightState.SETTLED, NightRun.superseded_by.is_(None))
        .order_by(NightRun.as_of.desc())
    )
    nights: dict[tuple[str, date], list[tuple[str, str, bool]]] = defaultdict(list)
    for as_of, division, book, verdict, expected in rows:
        nights[division, as_of].append((book, verdict, expected))
    history: dict[str, list[set[str]]] = defaultdict(list)
    for (division, _), verdicts in nights.items():
        good = all(verdict in GOOD for _, verdict, expected in verdicts if expected)
        history[division].append({book for book, verdict, _ in verdicts if verdict in GOOD} if good else set())
    return dict(history)
