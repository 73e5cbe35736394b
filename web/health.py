"""Is it alive, is it ready, and how are things: for the people who keep it running."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, Response, current_app, g, jsonify
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core import migrate
from core.accounts import Role
from core.db import reading
from core.errors import Unavailable
from core.outbox import OutboxMail
from reconcile.catalog import RESTRICTED
from reconcile.models import Flag, FlagStatus, NightRun, NightState
from web.errors import SENTENCES, SignInNeeded
from web.routes import ROUTES


def register(app: Flask) -> None:
    """The three addresses."""
    for endpoint, view in (("healthz", healthz), ("readyz", readyz), ("metrics", metrics)):
        app.add_url_rule(ROUTES[endpoint].path, endpoint, view)


def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return jsonify(status="ok")


def readyz() -> Response:
    """The database answers and is at the newest schema. Errors: Unavailable."""
    engine = current_app.extensions["bianzhi_engine"]
    with reading(engine) as db:
        db.execute(text("SELECT 1"))
    if migrate.current(engine) != migrate.head():
        raise Unavailable("the database is not at the newest schema; run: bianzhi db upgrade")
    return jsonify(status="ready")


def metrics() -> Response:
    """Counts for Prometheus, of the whole city: in production only with an administrator's token."""
    settings = current_app.config["SETTINGS"]
    if settings.env == "production" and (
        g.user is None or all(grant.role != Role.ADMINISTRATOR for grant in g.user.grants)
    ):
        raise SignInNeeded(SENTENCES[401])
    with reading(current_app.extensions["bianzhi_engine"]) as db:
        body = "\n".join(_lines(db)) + "\n"
    return Response(body, content_type="text/plain; version=0.0.4; charset=utf-8")


def _lines(db: Session) -> Iterable[str]:
    live = (
        select(Flag.rule, Flag.severity, func.count())
        .where(Flag.status != FlagStatus.CLOSED, Flag.rule.not_in(RESTRICTED))
        .group_by(Flag.rule, Flag.severity)
        .order_by(Flag.rule, Flag.severity)
    )
    yield "# HELP bianzhi_flags Flags that are not closed, leads on people aside."
    yield "# TYPE bianzhi_flags gauge"
    for rule, severity, count in db.execute(live):
        yield f'bianzhi_flags{{rule="{rule}",severity="{severity}"}} {count}'
    yield "# HELP bianzhi_nights Runs of nights by state."
    yield "# TYPE bianzhi_nights gauge"
    states = dict(db.execute(select(NightRun.state, func.count()).group_by(NightRun.state)).all())
    for state in NightState:
        yield f'bianzhi_nights{{state="{state.value}"}} {states.get(state.value, 0)}'
    queued = db.scalar(select(func.count(OutboxMail.id)).where(OutboxMail.sent_at.is_(None)))
    yield "# HELP bianzhi_outbox_queued Mails waiting to leave."
    yield "# TYPE bianzhi_outbox_queued gauge"
    yield f"bianzhi_outbox_queued {queued}"
    newest = db.scalar(select(func.max(NightRun.settled_at)).where(NightRun.superseded_by.is_(None)))
    yield "# HELP bianzhi_last_settled_seconds When the last night settled, Unix time."
    yield "# TYPE bianzhi_last_settled_seconds gauge"
    yield f"bianzhi_last_settled_seconds {int(newest.timestamp()) if newest else 0}"
