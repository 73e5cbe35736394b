"""The last steps of a night: mails, reports, proofs, and the colour it ends with."""

from __future__ import annotations

import json
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.audit import record
from core.db import engine_for, reading, writing
from core.errors import InputRejected, Refused
from core.mail import send_outbox
from core.settings import Settings
from core.types import BookVerdict
from expectations.books import BOOKS
from night.expected import GOOD
from night.places import run_of
from night.proof import check_proofs, proofs
from night.reminders import remind
from night.reporting import write_reports
from reconcile.models import Artefact, NightRun, NightState, Verdict
from reconcile.notify import queue_digests, queue_silence


def alert(settings: Settings, run_id: int, now: datetime) -> dict[str, int]:
    """Queue each reader's digests, once per night, and hand the outbox to the mail server.

    A server that does not answer is no reason to stop the night: mails wait, `problem` counts, the next run sends them.
    """
    engine = engine_for(settings.database_url)
    with writing(engine) as session:
        run = run_of(session, run_id)
        queued = queue_digests(session, run, settings.portal_url, now)
        if run.state == NightState.SETTLED and not run.backfill and run.superseded_by is None:
            queued += remind(session, run.as_of, now, settings.portal_url)
    sent = send_outbox(engine, settings.smtp_url, now)
    return {"queued": queued, "sent": sent.sent, "failed": sent.failed, "waiting": sent.waiting}


def bark(settings: Settings, as_of: date, now: datetime) -> None:
    """The watchdog: nothing was delivered, and those who answer for nights are told, once a day."""
    engine = engine_for(settings.database_url)
    with writing(engine) as session:
        queue_silence(session, as_of, settings.portal_url, now)
    send_outbox(engine, settings.smtp_url, now)


def report(settings: Settings, run_id: int) -> dict[str, int]:
    """Write workbooks, Data Docs and manifest, and list them."""
    with writing(engine_for(settings.database_url)) as session:
        run = run_of(session, run_id)
        made = write_reports(session, settings, run)
        session.execute(delete(Artefact).where(Artefact.run_id == run_id))
        session.add_all(made)
    return {"files": len(made), "bytes": sum(artefact.size for artefact in made)}


def prove(settings: Settings, run_id: int) -> dict[str, int]:
    """Recompute every proof of this run. A failure turns the night red in `conclude`, after all useful work."""
    with reading(engine_for(settings.database_url)) as session:
        results = proofs(session, settings, run_of(session, run_id))
    return {"proofs": len(results), "failed": sum(not proof.holds for proof in results)}


def conclude(settings: Settings, run_id: int, now: datetime) -> dict[str, int]:
    """Say which colour the night is, with reasons.

    Errors: InvariantViolated when a proof fails; InputRejected when an expected book is missing or refused; Refused when
    the night is parked. The reasons are recorded before the error is raised.
    """
    with writing(engine_for(settings.database_url)) as session:
        run = run_of(session, run_id)
        results = proofs(session, settings, run)
        failed = [f"核验不成立：{proof.name}（{proof.detail}）" for proof in results if not proof.holds]
        books = absent_books(session, run)
        parked = run.state == NightState.PARKED
        waits = [f"新增不符项 {run.new_flag_count} 条，超过设定的跳变限度，待人放行"] if parked else []
        reasons = json.dumps([*failed, *books, *waits], ensure_ascii=False)
        if run.red_reasons != reasons:
            run.red_reasons, run.concluded_at = reasons, now
            record(
                session, actor="night", action="night_concluded", subject=f"night {run.as_of} run {run.run_no}",
                now=now, proofs_failed=len(failed), books_absent=len(books), parked=parked,
            )  # fmt: skip
    check_proofs(results)
    if books:
        raise InputRejected("；".join(books), as_of=run.as_of.isoformat())
    if parked:
        raise Refused("；".join(waits), as_of=run.as_of.isoformat())
    return {"proofs": len(results)}


def absent_books(session: Session, run: NightRun) -> list[str]:
    """A sentence for every expected book that is missing or was refused."""
    rows = session.scalars(
        select(Verdict)
        .where(Verdict.run_id == run.id, Verdict.expected, Verdict.verdict.not_in(GOOD))
        .order_by(Verdict.division_code, Verdict.book)
    )
    words = {BookVerdict.MISSING: "缺报", BookVerdict.REJECTED: "被退回"}
    return [
        f"{row.division_code} 应报的{BOOKS[row.book].label}（{row.book}）{words[BookVerdict(row.verdict)]}"
        for row in rows
    ]
