"""Units: the index, and one unit's three numbers with everything that hangs on them."""

from __future__ import annotations

from flask import g, render_template, request
from sqlalchemy import or_, select

from core.permissions import is_current
from core.types import Level
from core.units import UnitVersion
from reconcile import store
from reconcile.models import CellFigure, NightRun
from reconcile.store import FlagFilter
from reconcile.trends import counting_runs, unit_trend
from web.pages.flags import PAGE, TEXT_LIMIT
from web.pages.trends import rule_rows

ENDPOINTS = ("units", "unit")
UNIT_FLAGS = 30
RULE_NIGHTS = 8


def show_units() -> str:
    """Every unit of the scope, found by name or code."""
    text = (request.args.get("q") or "").strip()[:TEXT_LIMIT]
    level = request.args.get("level") if request.args.get("level") in set(Level) else None
    found = [
        unit
        for unit in store.units(g.db, g.scope)
        if (not text or text in unit.unit_name or text in unit.unit_code or text in (unit.aliases or ""))
        and (level is None or unit.level == level)
    ]
    page_count = max(1, -(-len(found) // PAGE))
    page = min(max(request.args.get("page", 1, int), 1), page_count)
    shown = found[(page - 1) * PAGE : page * PAGE]
    return render_template(
        "units.html", units=shown, totals=_totals({unit.unit_code for unit in shown}), total=len(found), page=page,
        page_count=page_count, text=text, level=level, levels=list(Level),
    )  # fmt: skip


def _totals(codes: set[str]) -> dict[str, CellFigure]:
    run = store.newest_run(g.db)
    if run is None:
        return {}
    query = select(CellFigure).where(
        CellFigure.run_id == run.id, CellFigure.post_type == "", CellFigure.unit_code.in_(sorted(codes))
    )
    return {figure.unit_code: figure for figure in g.db.scalars(query)}


def show_unit(code: str) -> str:
    """One unit in the newest night, and how it came there."""
    run = store.newest_run(g.db)
    chosen = FlagFilter(unit_code=code)
    figures = store.cells(g.db, run.id, g.scope, code) if run else []
    under = _under(code)
    parts = _parts(run, code) if run else []
    nights = unit_trend(g.db, counting_runs(g.db), code)
    return render_template(
        "unit.html",
        unit=g.unit,
        run=run,
        cells=[figure for figure in figures if figure.post_type],
        total=next((figure for figure in figures if not figure.post_type), None),
        presence=store.presence(g.db, run.id, code) if run else [],
        items=store.night_flags(g.db, run, g.scope, chosen, limit=UNIT_FLAGS) if run else [],
        flag_count=store.night_flag_count(g.db, run, g.scope, chosen) if run else 0,
        under=under,
        parts=parts,
        names=store.unit_names(
            g.db, {g.unit.parent_code, g.unit.supervising_code, *(p.unit_code for p in parts)} - {None}
        ),
        totals=_totals({each.unit_code for each in under}),
        nights=nights,
        rule_nights=nights[-RULE_NIGHTS:],
        rule_rows=rule_rows([point.by_rule for point in nights[-RULE_NIGHTS:]]),
        not_evaluable=_not_evaluable(run, code),
        sees=g.scope.sees_unit,
    )


def _under(code: str) -> list[UnitVersion]:
    """Units directly under this one, as far as they are seen."""
    query = select(UnitVersion).where(
        is_current(),
        or_(UnitVersion.parent_code == code, UnitVersion.supervising_code == code),
        UnitVersion.unit_code != code,
        g.scope.condition(UnitVersion.unit_code, UnitVersion.division_code),
    )
    return list(g.db.scalars(query.order_by(UnitVersion.unit_code)))


def _parts(run: NightRun, code: str) -> list[CellFigure]:
    """Parts standing under this unit's total (part_of), judged on their own figures."""
    query = select(CellFigure).where(
        CellFigure.run_id == run.id,
        CellFigure.part_of == code,
        CellFigure.post_type == "",
        g.scope.condition(CellFigure.unit_code, CellFigure.division_code),
    )
    return list(g.db.scalars(query.order_by(CellFigure.unit_code)))


def _not_evaluable(run: NightRun | None, code: str) -> list[tuple[str, str]]:
    """(rule, missing book) that could not be judged for this unit."""
    if run is None:
        return []
    home = g.unit.delivered_by
    rows = store.not_evaluable(g.db, run.id, g.scope)
    return sorted(
        {
            (row.rule, row.book)
            for row in rows
            if row.unit_code == code or (row.unit_code == "*" and row.division_code == home)
        }
    )
