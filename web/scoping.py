"""Loading what an address names, only where the person's scope reaches it: elsewhere it does not exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from flask import g, request
from sqlalchemy import select

from core.accounts import Role
from core.errors import NotFound
from core.units import division_lineage
from reconcile import store
from reconcile.models import NightRun, Verdict
from web import gate_access, papers, pool_access
from web.errors import SENTENCES
from web.routes import Scoped


def load(scoped: Scoped, named: Mapping[str, Any]) -> None:
    """Put the flag, unit or run the address names into `g`. Errors: NotFound, the same for unknown and unseen."""
    LOADERS[scoped](named)


def _nothing(named: Mapping[str, Any]) -> None:
    """Nothing is named, or the view's own queries are limited to the scope."""


def _flag(named: Mapping[str, Any]) -> None:
    g.flag = store.flag_of(g.db, named["key"], g.scope)


def _unit(named: Mapping[str, Any]) -> None:
    g.unit = store.unit_of(g.db, named["code"], g.scope)


def _night(named: Mapping[str, Any]) -> None:
    g.run = run_named(named["as_of"], request.args.get("run", type=int))


def run_named(as_of: str, run_no: int | None = None) -> NightRun:
    """The run of a night that counts, or the one of that number. Errors: NotFound."""
    try:
        day = date.fromisoformat(as_of) if len(as_of) == 10 else None
    except ValueError:
        day = None
    if day is not None and run_no is None:
        run = store.night_run(g.db, day) or _last_opened(day)
    else:
        run = g.db.scalar(select(NightRun).where(NightRun.as_of == day, NightRun.run_no == run_no)) if day else None
    if run is None:
        raise NotFound(SENTENCES[404])
    return run


def covers_run(run: NightRun) -> bool:
    """Whether every division of the run lies in an area granted to this person, at whatever level, or the person looks
    after the deliveries. Only then: what speaks of all books together (Data Docs, manifest, reasons of red, counts of
    the whole night), which names files, counts and row numbers, never a unit or a person."""
    if Role.ADMINISTRATOR in g.scope.roles:
        return True
    divisions = set(g.db.scalars(select(Verdict.division_code).where(Verdict.run_id == run.id).distinct()))
    return bool(divisions) and all(g.scope.divisions & set(division_lineage(code)) for code in divisions)


def _last_opened(day: date) -> NightRun | None:
    """A night still being worked on: its newest run."""
    return g.db.scalar(select(NightRun).where(NightRun.as_of == day).order_by(NightRun.run_no.desc()).limit(1))


LOADERS: dict[Scoped, Callable[[Mapping[str, Any]], None]] = {
    Scoped.NOTHING: _nothing,
    Scoped.ROWS: _nothing,
    Scoped.FLAG: _flag,
    Scoped.UNIT: _unit,
    Scoped.NIGHT: _night,
    Scoped.POOL_NODE: pool_access.load_node,
    Scoped.POOL_REQUEST: pool_access.load_request,
    Scoped.POOL_LOAN: pool_access.load_loan,
    Scoped.POOL_SLOT: pool_access.load_slot,
    Scoped.POOL_MOVEMENT: pool_access.load_movement,
    Scoped.DOCUMENT: papers.load_document,
    Scoped.DOCUMENT_FILE: papers.load_file,
    Scoped.STAFF_PLAN: gate_access.load_plan,
    Scoped.STAFF_TALK: gate_access.load_talk,
    Scoped.STAFF_USE: gate_access.load_use,
    Scoped.STAFF_POST: gate_access.load_post,
    Scoped.STAFF_NOTICE: gate_access.load_notice,
    Scoped.STAFF_BLOCK: gate_access.load_block,
}
