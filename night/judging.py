"""The middle of a night: the rules judge, the flags take their step."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.accounts import User
from core.db import engine_for, reading, writing
from core.errors import NotFound
from core.permissions import scope_of
from core.settings import Settings
from core.types import BookVerdict
from expectations.books import BOOKS
from night.expected import GOOD, expected_books
from night.lookups import looked_up, rule_night
from night.own_gate import merge_own_books
from night.places import check_run_key, run_of, snapshot_dir
from night.strength import write_strength
from pool.naming import keep_names
from reconcile import settle as settling
from reconcile.catalog import RESTRICTED
from reconcile.engine import DetectSetting, VerdictFact
from reconcile.engine import detect as detect_all
from reconcile.identities import keep_identities
from reconcile.models import NightRun, Verdict
from reconcile.store import night_run


def verdict_facts(session: Session, run: NightRun) -> list[VerdictFact]:
    """Every book of every division that delivered or is expected to: expected, delivered, accepted."""
    verdicts = {
        (verdict.division_code, verdict.book): verdict
        for verdict in session.scalars(select(Verdict).where(Verdict.run_id == run.id))
    }
    expected = expected_books(session, run)
    facts = []
    for division in sorted(expected):
        for book in BOOKS:
            verdict = verdicts.get((division, book))
            facts.append(
                VerdictFact(
                    division_code=division,
                    book=book,
                    expected=book in expected[division],
                    delivered=verdict is not None and verdict.verdict != BookVerdict.MISSING,
                    accepted=verdict is not None and verdict.verdict in GOOD,
                )
            )
    return facts


def detect(settings: Settings, run_id: int) -> dict[str, int]:
    """Judge the night by every rule; writes findings and figures beside the accepted books.

    Answers with counts, as `settle` does, for whoever watches nights: leads on people aside.
    """
    with reading(engine_for(settings.database_url)) as session:
        run = run_of(session, run_id)
        check_run_key(settings, run)
        merge_own_books(session, run, snapshot_dir(settings, run))
        verdicts = verdict_facts(session, run)
        setting = DetectSetting(
            rule_night(session, run.as_of),
            verdicts,
            looked_up(session, settings, run, {verdict.division_code for verdict in verdicts}),
            memory_limit=settings.memory_limit,
            engine=settings.engine,
            spark_master=settings.spark_master,
            spark_staging=settings.spark_staging,
            cache=settings.cache_dir,
        )
    folder = snapshot_dir(settings, run)
    result = detect_all(folder, setting, folder)
    open_rules = {rule: count for rule, count in result.by_rule.items() if rule not in RESTRICTED}
    return {"findings": sum(open_rules.values()), "not_evaluable": result.not_evaluable, **open_rules}


def settle(settings: Settings, run_id: int, now: datetime) -> dict[str, int]:
    """Findings become rows and flags take their step, in one transaction."""
    with writing(engine_for(settings.database_url)) as session:
        run = run_of(session, run_id)
        check_run_key(settings, run)
        folder = snapshot_dir(settings, run)
        result = settling.settle(session, run_id, folder, now)
        keep_identities(session, run_id, folder, settings.person_key)
        if result.outcome is settling.Outcome.SETTLED and not result.backfill:
            keep_names(session)
            write_strength(session, run, folder, settings.person_key)
    return {"findings": result.findings, **result.moves}


def release(session: Session, settings: Settings, as_of: date, user: User, now: datetime) -> int:
    """Settle a parked night as a person's decision, in the caller's transaction; returns the run's id.

    Errors: as `release_night`.
    """
    run = night_run(session, as_of)
    if run is None:
        raise NotFound(f"no night {as_of} waits for a release")
    folder = snapshot_dir(settings, run)
    result = settling.release_night(session, run.id, folder, scope_of(session, user), now)
    if not result.backfill:
        keep_names(session)
        write_strength(session, run, folder, settings.person_key)
    return run.id
