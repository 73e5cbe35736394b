"""申请用编: the form, what the principles answer before it is sent, one application with its chain, its forms as PDF."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import InputRejected
from core.permissions import Permission
from core.types import EntryForm, FundForm, LeaderTier, Level, PostType, WorkKind
from staffing import lists
from staffing.acts import DEEDS
from staffing.chain import IN_POST, WAITING, Status, Subject
from staffing.models import StaffApplication, StaffSlot
from staffing.printing import use_paper
from staffing.service_applications import Foreseen, UseWish, foresee_use
from web.gate_papers import NAMES
from web.gate_steps import begins, do_deed, read_form, units_for
from web.i18n import translate
from web.pages.staffing_plans import about, back_to, listed, step_on
from web.papers import download
from web.pool_access import act_now, acting_for, view_scope

ENDPOINTS = ("staffing_uses", "staffing_use_new", "staffing_use", "staffing_use_step", "staffing_use_form")
FIELDS = tuple(argument.name for argument in DEEDS["apply"].arguments if argument.name != "draft")
LISTS = {
    "waiting": tuple(str(status) for status in WAITING), "permits": ("GRANTED", "EXECUTED", "EXPIRED"), "all": (),
}  # fmt: skip
VOCABULARIES = {
    "post_types": PostType, "fund_forms": FundForm, "entry_forms": EntryForm, "work_kinds": WorkKind,
    "tiers": LeaderTier, "levels": Level,
}  # fmt: skip


def show_staffing_uses() -> str:
    """Applications and permits of the scope."""
    return listed(Subject.APPLICATION, "staffing_list.html", LISTS.get(request.args.get("list", "all"), ()))


def show_staffing_use_new() -> Response | str | tuple[str, int]:
    """The form; with act=check the answer of every principle, nothing written; with act=send the application."""
    if request.method == "GET":
        return _form(
            {name: request.args.get(name, "") for name in FIELDS} | {"unit_code": request.args.get("unit", "")}
        )
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    asked, act = request.form.get("act"), act_now(request.form.get("client_id", ""))
    if asked == "edit":
        return _form(typed)
    try:
        values = read_form(DEEDS["apply"], request.form, {"draft": asked == "draft"})
        if asked in ("send", "draft"):
            receipt = do_deed(act, "apply", values)
            text = _("已存为草稿，编号 %(number)s。") if asked == "draft" else _("已提交，编号 %(number)s。")
            flash(text % {"number": receipt["application"]}, "done")
            return redirect(url_for("staffing_use", use_no=receipt["application"]), code=303)
        del values["draft"]
        return _form(typed, foresee_use(g.db, act_now(secrets.token_hex(16)), UseWish(**values)))
    except InputRejected as error:
        return _form(typed, problem=translate(error.message)), error.http_status


def _form(typed: dict[str, str], found: Foreseen | None = None, problem: str | None = None) -> str:
    units = units_for(Permission.APPLY_POSTS)
    codes = {node.unit_code for node in units}
    talks, _total = lists.staff_page(g.db, view_scope(), Subject.CONSULTATION, [Status.AGREED], limit=200)
    exits = lists.coming_exits(g.db, view_scope())
    return render_template(
        "staffing_use_new.html", typed=typed, found=found, problem=problem, units=units, giver=acting_for(),
        talks=[row for row in talks if row.unit_code in codes], exits=[row for row in exits if row.unit_code in codes],
        client_id=secrets.token_hex(16), **{name: list(words) for name, words in VOCABULARIES.items()},
    )  # fmt: skip


@dataclass(frozen=True)
class ChainStep:
    """One step of the visible chain. state: done, now, later or stopped; note: who and when, or how many."""

    label: str
    state: str
    note: str = ""
    on: date | None = None


def chain_of(row: StaffApplication, slots: list[StaffSlot], people: dict[str, str]) -> list[ChainStep]:
    """申请 → 财政 → 审核 → 签发 → 入编 → 手续 → 工资 of an application, as far as it came."""
    name = lambda login: people.get(login, login or "")
    entered = sum(slot.person_key is not None for slot in slots)
    papers = sum(slot.papers_on is not None for slot in slots)
    paid = sum(slot.pay_from is not None for slot in slots)
    of_all = lambda count: f"{count} / {row.posts}" if row.granted_on else ""
    needs_cost = row.fund_form != FundForm.SELF
    steps = [
        ("申请用编", row.submitted_on is not None, name(row.applicant), row.submitted_on),
        ("财政确认经费", row.cost_confirmed_on is not None, name(row.cost_confirmed_by), row.cost_confirmed_on),
        ("审核盖章", row.reviewed_on is not None, name(row.reviewed_by), row.reviewed_on),
        ("签发用编许可", row.granted_on is not None, name(row.decided_by) if row.granted_on else "", row.granted_on),
        ("入编", entered == row.posts, of_all(entered), None), ("办理手续", papers == row.posts, of_all(papers), None),
        ("核发工资", paid == row.posts, of_all(paid), None),
    ]  # fmt: skip
    return mark_chain([step for step in steps if needs_cost or step[0] != "财政确认经费"], _ended(row))


def mark_chain(steps: list[tuple[str, bool, str, date | None]], ended: bool) -> list[ChainStep]:
    """Steps with where the chain stands: the first that is not done is now, or where it stopped."""
    here = next((place for place, step in enumerate(steps) if not step[1]), len(steps))
    state = lambda place, done: "done" if done else ("stopped" if ended else "now") if place == here else "later"
    return [
        ChainStep(label, state(place, done), note, on) for place, (label, done, note, on) in enumerate(steps)
    ]  # fmt: skip


def _ended(row: StaffApplication) -> bool:
    return row.status in (Status.REFUSED, Status.WITHDRAWN, Status.EXPIRED, Status.DEAD, Status.CANCELLED)


def show_staffing_use(use_no: str) -> str:
    """One application: its chain, the figures of its moments, its permit and slots, what may be done."""
    slots = lists.slots_of_permit(g.db, use_no)
    shown = about(Subject.APPLICATION, use_no)
    issued = [slot for slot in slots if slot.source == "PERMIT"]
    return render_template(
        "staffing_use.html", slots=slots, chain=chain_of(g.row, issued, shown["people"]),
        figures=lists.figures_shown(g.row), may_enter=begins(act_now("-"), "enter"),
        open_slots=[slot for slot in issued if slot.status in (Status.ISSUED, Status.EXPIRED)],
        seated=[slot for slot in slots if slot.status in IN_POST], **shown,
    )  # fmt: skip


def show_staffing_use_step(use_no: str, step: str) -> Response:
    """Submit a draft, confirm the cost, review, sign, refuse, withdraw, revoke."""
    step_on(Subject.APPLICATION, step, {"number": use_no})
    return back_to("staffing_use", use_no=use_no)


def show_staffing_use_form(use_no: str, form: str) -> Response:
    """编制使用审批表 or 用编通知单."""
    return download(use_paper(g.db, g.row, form), f"{NAMES[form]}-{use_no}.pdf", "application/pdf")
