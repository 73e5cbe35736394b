"""The views of the API. The guard has already asked for the token, the permission and the scope."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from flask import Response, current_app, g, jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel
from sqlalchemy import func, select

from core.permissions import Permission
from reconcile import store, trends
from reconcile.catalog import RULES
from reconcile.flags import move_decisions
from reconcile.identities import show_identity
from reconcile.models import Flag, NightRun
from reconcile.store import FlagFilter
from web import evidence
from web.api import models as m
from web.i18n import translate_decision
from web.moves import DOORS, make_move
from web.pages.overview import red_reasons, verdicts_seen
from web.scoping import covers_run, run_named

ERRORS = {"401": m.Problem, "403": m.Problem, "404": m.Problem, "422": m.Problem, "500": m.Problem, "503": m.Problem}
FLAGS, NIGHTS, UNITS = Tag(name="flags"), Tag(name="nights"), Tag(name="units")

blueprint = APIBlueprint("api", __name__, url_prefix="/api/v1", abp_security=[{"bearer": []}], abp_responses=ERRORS)


def _answer(model: BaseModel) -> Response:
    return jsonify(model.model_dump(mode="json"))


@blueprint.get("/flags", endpoint="flags", tags=[FLAGS], responses={"200": m.FlagList})
def list_flags(query: m.FlagQuery) -> Response:
    """Flags with a finding in a night, and their state now."""
    run = run_named(query.as_of.isoformat()) if query.as_of else store.newest_run(g.db)
    one = lambda value: (str(value),) if value is not None else ()
    chosen = FlagFilter(
        rules=one(query.rule), severities=one(query.severity), statuses=one(query.status), unit_code=query.unit,
        division_code=query.division, search=query.q,
    )  # fmt: skip
    offset = (query.page - 1) * query.page_size
    items = store.night_flags(g.db, run, g.scope, chosen, str(query.sort), query.page_size, offset) if run else []
    return _answer(
        m.FlagList(
            as_of=run.as_of if run else None,
            total=store.night_flag_count(g.db, run, g.scope, chosen) if run else 0,
            page=query.page,
            page_size=query.page_size,
            items=[m.FlagOut(**asdict(item)) for item in items],
        )
    )


@blueprint.get("/flags/<key>", endpoint="flag", tags=[FLAGS], responses={"200": m.FlagDetail})
def read_flag(path: m.FlagPath) -> Response:
    """One flag with its life, and the moves on it."""
    return _answer(_detail(g.flag))


@blueprint.post(
    "/flags/<key>/identity", endpoint="flag_identity", tags=[FLAGS], responses={"200": m.IdentityOut, "409": m.Problem}
)
def read_identity(path: m.FlagPath, body: m.IdentityBody) -> Response:
    """The full number behind a flag, for a reviewer of its scope; who, which flag and why go into the trail."""
    settings = current_app.config["SETTINGS"]
    numbers = show_identity(g.db, path.key, g.scope, body.reason, settings.person_key, g.now)
    return _answer(m.IdentityOut(numbers=numbers))


@blueprint.post(
    "/flags/<key>/<move>", endpoint="flag_move", tags=[FLAGS], responses={"200": m.FlagDetail, "409": m.Problem}
)
def move_flag(path: m.MovePath, body: m.MoveBody) -> Response:
    """Make a move, as the token's person, on the version you read."""
    values = body.model_dump(mode="json", exclude={"version"}, exclude_none=True)
    return _answer(_detail(make_move(g.db, g.scope, path.key, str(path.move), body.version, values, g.now)))


def _detail(flag: Flag) -> m.FlagDetail:
    finding = store.last_finding(g.db, flag)
    countable = RULES[flag.rule].countable
    keys, sentences = evidence.explanations(finding.explained_by if finding else None)
    explaining = store.flags_seen_of(g.db, keys, g.scope)
    people = store.shown_people(g.db, [flag, *explaining])
    same = {name: getattr(flag, name) for name in (
        "key", "rule", "severity", "status", "unit_code", "division_code", "post_type", "fund_form", "cause",
        "first_seen", "last_seen", "version",
    )}  # fmt: skip
    shown = m.FlagOut(
        **same,
        unit_name=store.unit_names(g.db, {flag.unit_code} - {None}).get(flag.unit_code or ""),
        person=people[flag.key],
        expected=store.as_number(flag.expected, countable[0]),
        found=store.as_number(flag.found, countable[1]),
        explained_by=finding.explained_by if finding else None,
        grain=json.loads(flag.grain),
        evidence=finding.evidence if finding else None,
    )
    decisions = move_decisions(flag, g.scope, g.now)
    said = ("explanation", "explanation_evidence", "explanation_until", "explained_by_login", "confirmed_by_login")
    return m.FlagDetail(
        number=flag.id,
        flag=shown,
        explaining=[
            m.ExplainingOut(
                number=each.id,
                key=each.key,
                rule=each.rule,
                status=each.status,
                unit_code=each.unit_code,
                person=people[each.key],
            )
            for each in explaining
        ],
        explaining_hidden=len(keys) - len(explaining),
        explaining_sentences=sentences,
        **{name: getattr(flag, name) for name in said},
        history=[_fields(event, m.EventOut) for event in store.flag_history(g.db, flag.key)],
        moves=[
            m.MoveOut(
                move=m.MoveName(door.name),
                allowed=decisions[door.move].allowed,
                sentence=translate_decision(decisions[door.move]),
            )
            for door in DOORS.values()
        ],
    )


def _fields(row: Any, model: type[BaseModel]) -> Any:
    return model(**{name: getattr(row, name) for name in model.model_fields})


@blueprint.get("/nights", endpoint="nights", tags=[NIGHTS], responses={"200": m.NightList})
def list_nights(query: m.NightQuery) -> Response:
    """Every run of every night, newest first, superseded ones too."""
    runs = store.nights(g.db, query.page_size, (query.page - 1) * query.page_size)
    total = g.db.scalar(select(func.count(NightRun.id)))
    return _answer(
        m.NightList(total=total, page=query.page, page_size=query.page_size, items=[_night(run) for run in runs])
    )


@blueprint.get("/nights/<as_of>", endpoint="night", tags=[NIGHTS], responses={"200": m.NightDetail})
def read_night(path: m.NightPath) -> Response:
    """The run of a night that counts: its books, what it could not judge, its flags per rule."""
    counts: dict[str, int] = {}
    if g.scope.may(Permission.SEE_FLAGS):
        for (rule, _severity), count in store.counts_by_rule(g.db, g.run, g.scope).items():
            counts[rule] = counts.get(rule, 0) + count
    return _answer(
        m.NightDetail(
            night=_night(g.run),
            flag_counts=counts,
            verdicts=[_fields(verdict, m.VerdictOut) for verdict in verdicts_seen(g.run)],
            not_evaluable=[_fields(row, m.NotEvaluableOut) for row in store.not_evaluable(g.db, g.run.id, g.scope)],
        )
    )


def _night(run: NightRun) -> m.NightOut:
    named = ("as_of", "run_no", "state", "backfill", "opened_at", "settled_at", "concluded_at")
    return m.NightOut(
        **{name: getattr(run, name) for name in named},
        superseded=run.superseded_by is not None,
        new_flag_count=run.new_flag_count if covers_run(run) else None,
        red_reasons=red_reasons(run),
    )


@blueprint.get("/units/<code>", endpoint="unit", tags=[UNITS], responses={"200": m.UnitOut})
def read_unit(path: m.UnitPath) -> Response:
    """One unit and its three numbers in the newest settled night."""
    run = store.newest_run(g.db)
    named = ("unit_code", "unit_name", "division_code", "level", "unit_kind", "parent_code", "supervising_code")
    return _answer(
        m.UnitOut(
            **{name: getattr(g.unit, name) for name in named},
            as_of=run.as_of if run else None,
            cells=[_fields(cell, m.CellOut) for cell in store.cells(g.db, run.id, g.scope, path.code)] if run else [],
            presence={each.bits: each.people for each in store.presence(g.db, run.id, path.code)} if run else {},
            flag_count=store.night_flag_count(g.db, run, g.scope, FlagFilter(unit_code=path.code)) if run else 0,
        )
    )


@blueprint.get("/trends", endpoint="trends", tags=[NIGHTS], responses={"200": m.TrendsOut})
def read_trends(query: m.TrendQuery) -> Response:
    """Findings per rule, and three numbers and findings per level, over the nights that count, within the scope."""
    runs = trends.counting_runs(g.db, query.since, query.until)
    may_flags = g.scope.may(Permission.SEE_FLAGS)
    counts = trends.finding_trend(g.db, runs, g.scope) if may_flags else {}
    nights = []
    for run in runs:
        by_rule: dict[str, int] = {}
        for (rule, _severity), count in counts.get(run.id, {}).items():
            by_rule[rule] = by_rule.get(rule, 0) + count
        nights.append(m.TrendPoint(as_of=run.as_of, run_no=run.run_no, findings=dict(sorted(by_rule.items()))))
    levels = [
        m.LevelPointOut(**asdict(point) | ({} if may_flags else {"findings": None}))
        for point in trends.level_trend(g.db, runs, g.scope)
    ]
    return _answer(m.TrendsOut(nights=nights, levels=levels))


@blueprint.get("/units/<code>/trend", endpoint="unit_trend", tags=[UNITS], responses={"200": m.UnitTrendOut})
def read_unit_trend(path: m.UnitPath, query: m.TrendQuery) -> Response:
    """One unit's three numbers, and its findings per rule, over the nights that count."""
    may_flags = g.scope.may(Permission.SEE_FLAGS)
    points = [
        m.UnitPointOut(
            as_of=point.run.as_of, run_no=point.run.run_no, quota=point.quota, in_post=point.in_post, paid=point.paid,
            findings=point.findings if may_flags else None, by_rule=point.by_rule if may_flags else None,
        )
        for point in trends.unit_trend(g.db, trends.counting_runs(g.db, query.since, query.until), path.code)
    ]  # fmt: skip
    return _answer(m.UnitTrendOut(unit_code=path.code, points=points))
