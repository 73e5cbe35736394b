"""Reform tasks: the list with what is late, one task with what it was to change and what was booked, and its steps."""

from __future__ import annotations

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from reconcile.store import unit_names
from staffing.documents import registered_among
from staffing.duty_files import FileKind
from staffing.duty_import import may_import
from staffing.reform_life import LIVE, TASK_TURNS, same_effect
from staffing.reform_store import effects_of, links_of, plans_of, seen_task, steps_of, tasks_seen
from staffing.reforms import step_task
from web.duties import late, task_offers
from web.pages.flags import PAGE
from web.papers import paper_act

ENDPOINTS = ("duties_reforms", "duties_reform", "duties_reform_step")
LISTS = ("live", "overdue", "ended")


def show_duties_reforms() -> str:
    """Tasks of the scope: live, late, ended."""
    rows = tasks_seen(g.db, g.scope)
    lists = {
        "live": [row for row in rows if row.status in LIVE], "overdue": [row for row in rows if late(row)],
        "ended": [row for row in rows if row.status not in LIVE],
    }  # fmt: skip
    which = request.args.get("list", "live")
    which = which if which in LISTS else "live"
    count = max(1, -(-len(lists[which]) // PAGE))
    page = min(max(request.args.get("page", 1, int), 1), count)
    shown = lists[which][(page - 1) * PAGE : page * PAGE]
    effects = effects_of(g.db, shown)
    return render_template(
        "duties_reforms.html", rows=shown, which=which, page=page, page_count=count, plans=plans_of(g.db, shown),
        counts={name: len(held) for name, held in lists.items()}, names=unit_names(g.db, {row.unit_code for row in shown}),
        effects=effects, agrees={number: same_effect(*pair) for number, pair in effects.items()}, late=late,
        may_import=may_import(g.scope, FileKind.REFORM), today=paper_act().today,
    )  # fmt: skip


def show_duties_reform(task: str) -> str:
    """One task."""
    row = seen_task(g.db, g.scope, task)
    planned, booked = effects_of(g.db, [row])[row.number]
    plan, links = plans_of(g.db, [row])[row.plan_no], links_of(g.db, [row.number])[row.number]
    return render_template(
        "duties_reform.html", row=row, plan=plan, planned=planned, booked=booked, agrees=same_effect(planned, booked),
        cells=sorted({*planned.cells, *booked.cells}), links=links, steps=steps_of(g.db, row.number)[::-1],
        registered=registered_among(g.db, g.scope, {plan.doc_no, *links}), late=late(row), offers=task_offers(row),
        name=unit_names(g.db, {row.unit_code}).get(row.unit_code), turns=TASK_TURNS,
    )  # fmt: skip


def show_duties_reform_step(task: str, step: str) -> Response:
    """Take a step."""
    form = request.form
    step_task(
        g.db, paper_act(), task, step.upper(), form.get("version", 0, int), form.get("note", ""),
        form.get("document_no", ""),
    )  # fmt: skip
    flash(_("已办理。"), "done")
    return redirect(url_for("duties_reform", task=task), code=303)
