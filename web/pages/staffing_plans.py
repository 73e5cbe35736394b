"""What comes before an application: the annual plan (年度用编计划) and the prior consultation (增人事先沟通)."""

from __future__ import annotations

import secrets

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.permissions import Permission
from pool.lists import nodes_named
from pool.store import cell_figures
from staffing import lists
from staffing.acts import DEEDS
from staffing.blocks import open_blocks
from staffing.chain import Subject
from staffing.gathering import plan_used, planned
from web.gate_steps import STEPS, do_deed, offers, read_form, units_for
from web.pages.flags import PAGE
from web.pages.pool_requests import display_names, whole_number
from web.pages.staffing import page_count, page_number
from web.pool_access import act_now, act_of, acting_for, view_scope

ENDPOINTS = (
    "staffing_plans", "staffing_plan_new", "staffing_plan", "staffing_plan_step", "staffing_talks", "staffing_talk",
    "staffing_talk_step",
)  # fmt: skip


def listed(subject: Subject, template: str, statuses: tuple[str, ...] = ()) -> str:
    """One page of a list of the gate."""
    rows, total = lists.staff_page(
        g.db, view_scope(), subject, statuses, request.args.get("unit") or None, PAGE, (page_number() - 1) * PAGE
    )
    return render_template(
        template, rows=rows, total=total, page=page_number(), page_count=page_count(total), subject=subject.value,
        names=nodes_named(g.db, {row.node_id for row in rows}),
    )  # fmt: skip


def about(subject: Subject, number: str) -> dict[str, object]:
    """What the page of every row shows: its life, the people in it, the steps on it, the key of its forms."""
    history = lists.steps_of(g.db, subject, number)
    people = {login for each in history for login in (each.actor, each.acting_for)}
    named = ("applicant", "decided_by", "reviewed_by", "cost_confirmed_by")
    people |= {getattr(g.row, name, None) for name in named}
    return {
        "row": g.row, "history": history[::-1], "people": display_names(people), "client_id": secrets.token_hex(16),
        "offers": offers(act_now("-"), subject, g.row), "giver": acting_for(),
        "unit": nodes_named(g.db, {g.row.node_id})[g.row.node_id], "subject": subject.value,
    }  # fmt: skip


def step_on(subject: Subject, step: str, known: dict[str, object]) -> dict[str, object]:
    """Take a step under the key the page carried: a second click answers as the first."""
    deed = STEPS[subject][step]
    values = read_form(DEEDS[deed], request.form, known)
    receipt = do_deed(act_now(request.form.get("client_id", "")), deed, values)
    flash(_("已办理。"), "done")
    return receipt


def back_to(endpoint: str, **named: str) -> Response:
    """The page of the row again, for whomever the person acts."""
    giver = acting_for()
    more = {"acting_for": giver.login} if giver else {}
    return redirect(url_for(endpoint, **named, **more), code=303)


def show_staffing_plans() -> str:
    """Annual plans of the scope."""
    return listed(Subject.PLAN, "staffing_list.html")


def show_staffing_plan_new() -> Response | str:
    """The plan of one unit and year: a row per cell with its figures, and what still blocks it."""
    act = act_now(request.form.get("client_id", ""))
    if request.method == "POST":
        cells = {name.removeprefix("posts-"): text for name, text in request.form.items() if name.startswith("posts-")}
        lines = [
            (*cell.split("-"), whole_number(text)) for cell, text in cells.items() if text.strip() not in ("", "0")
        ]
        receipt = do_deed(act, "plan", read_form(DEEDS["plan"], request.form, {"lines": lines}))
        flash(_("已提交，编号 %(number)s。", number=receipt["plan"]), "done")
        return redirect(url_for("staffing_plan", plan_no=receipt["plan"]), code=303)
    units = units_for(Permission.APPLY_POSTS)
    asked = request.args.get("unit")
    chosen = next((node for node in units if node.unit_code == asked), units[0] if units else None)
    year = request.args.get("year", type=int)
    year = year if year in (act.today.year, act.today.year + 1) else act.today.year
    cells = sorted(cell_figures(g.db, [chosen.id], act.today).items()) if chosen else []
    return render_template(
        "staffing_plan_new.html", units=units, chosen=chosen, year=year, years=(act.today.year, act.today.year + 1),
        client_id=secrets.token_hex(16), giver=acting_for(), blocks=open_blocks(g.db, chosen.unit_code) if chosen else [],
        cells=[(cell, held, planned(g.db, cell, year), plan_used(g.db, cell, year)) for cell, held in cells],
    )  # fmt: skip


def show_staffing_plan(plan_no: str) -> str:
    """One plan with its cells, its life and what may be done."""
    lines = [(line, lists.figures_shown(line)) for line in lists.plan_lines(g.db, plan_no)]
    return render_template("staffing_plan.html", lines=lines, **about(Subject.PLAN, plan_no))


def show_staffing_plan_step(plan_no: str, step: str) -> Response:
    """Review, pass, send back, withdraw."""
    known: dict[str, object] = {"number": plan_no}
    if step == "pass":
        given = {
            name.removeprefix("passed-"): text for name, text in request.form.items() if name.startswith("passed-")
        }
        known["passed"] = [(*cell.split("-"), whole_number(text)) for cell, text in given.items() if text.strip()]
    step_on(Subject.PLAN, step, known)
    return back_to("staffing_plan", plan_no=plan_no)


def show_staffing_talks() -> str:
    """Prior consultations of the scope."""
    return listed(Subject.CONSULTATION, "staffing_list.html")


def show_staffing_talk(talk_no: str) -> str:
    """One consultation: the figures it was asked on, those it was answered on, the opinion."""
    figures = lists.figures_shown(g.row)
    figures = figures if "asked" in figures else {"asked": figures}
    return render_template(
        "staffing_talk.html", figures=figures, today=act_of("").today, **about(Subject.CONSULTATION, talk_no)
    )


def show_staffing_talk_step(talk_no: str, step: str) -> Response:
    """Give the office's opinion."""
    step_on(Subject.CONSULTATION, step, {"number": talk_no})
    return back_to("staffing_talk", talk_no=talk_no)
