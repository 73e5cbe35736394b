"""用编序号: the list, one slot with its person (masked) and its notices, and the forms that begin something."""

from __future__ import annotations

import secrets
from dataclasses import replace

from flask import Response, abort, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import Forbidden
from core.permissions import Permission, may
from pool.lists import nodes_named
from staffing import lists
from staffing.acts import DEEDS, permission_of
from staffing.chain import IN_POST, Status, Subject
from staffing.models import StaffSlot
from staffing.notices import ENTRY, EXIT, notices_of
from staffing.printing import masked_person, slot_paper
from staffing.store import place_of, roles_at
from web.errors import SENTENCES
from web.gate_papers import NAMES, full_slot_paper
from web.gate_steps import begins, do_deed, field_of, read_form, units_for
from web.pages.staffing_plans import about, back_to, listed, step_on
from web.pages.staffing_uses import ChainStep, mark_chain
from web.papers import download
from web.pool_access import act_now, acting_for, view_scope

ENDPOINTS = ("staffing_slots", "staffing_slot", "staffing_slot_step", "staffing_slot_form", "staffing_new")
LISTS = {
    "open": ("ISSUED",), "seated": tuple(str(status) for status in IN_POST), "left": ("LEFT", "MOVED", "CANCELLED"),
    "all": (),
}  # fmt: skip
# What the forms that begin something are called, and one sentence about each.
TITLES = {
    "consult": ("增人事先沟通", "政策性安置、考录、公开招聘，以及任何领导职务，都要先沟通。"),
    "enter": ("登记入编", "按用编通知单登记；一个用编序号只用一次，入编日期须在许可的有效期内。"),
    "record": ("补登原有人员", "建账时已在编的人员补一个用编序号，账目不变。"),
    "exit-person": ("登记减编", "按证件号登记；已有用编序号的，也可以在序号页上办理。"),
    "carry": ("调编带人", "编制连同人员划到另一个单位，序号不变，账、证、名册同时变动。"),
    "waiver": ("签发豁免", "逆向流动须有文号、理由和期限。"),
}


def show_staffing_slots() -> str:
    """Slots of the scope with their people, masked."""
    return listed(Subject.SLOT, "staffing_list.html", LISTS.get(request.args.get("list", "all"), ()))


def chain_of(slot: StaffSlot) -> list[ChainStep]:
    """下达 → 入编 → 手续 → 工资 → 减编 → 注销 of a slot, as far as it came."""
    opening = slot.source == "OPENING"
    steps = [
        ("下达用编序号", True, "", slot.issued_on), ("入编", slot.person_key is not None, "", slot.entry_date),
        ("办理手续", slot.papers_on is not None or opening, "", slot.papers_on),
        ("核发工资", slot.pay_from is not None or opening, slot.pay_from or "", None),
        ("减编", slot.exit_date is not None, slot.exit_reason or "", slot.exit_date),
        ("注销用编序号", slot.status == Status.CANCELLED and slot.exit_date is not None, "", slot.cancelled_on),
    ]  # fmt: skip
    chain = mark_chain(steps, slot.status in (Status.DEAD, Status.EXPIRED, Status.CANCELLED, Status.MOVED))
    # Nobody has to leave: only an announced exit is under way.
    waits = slot.planned_exit is not None
    return [
        replace(each, state="later") if each.label == "减编" and each.state == "now" and not waits else each
        for each in chain
    ]


def show_staffing_slot(post_no: str) -> str:
    """One slot: who sits on it (masked), its chain, its units, its notices, what may be done."""
    rows = lists.slot_history(g.db, post_no, view_scope())
    notices = [each for kind in (ENTRY, EXIT) for each in notices_of(g.db, g.row, kind)]
    roles = roles_at(act_now("-"), place_of(g.db, g.row))
    return render_template(
        "staffing_slot.html", chain=chain_of(g.row), rows=rows, notices=notices,
        names=nodes_named(g.db, {each.node_id for each in rows}),
        sees_identity=may(roles, Permission.SEE_IDENTITY) and g.row.person_key is not None,
        **about(Subject.SLOT, post_no),
    )  # fmt: skip


def show_staffing_slot_step(post_no: str, step: str) -> Response:
    """Papers, pay, announce or recant an exit, register or undo it, cancel the number."""
    step_on(Subject.SLOT, step, {"slot_no": post_no})
    return back_to("staffing_slot", post_no=post_no)


def show_staffing_slot_form(post_no: str, form: str) -> Response:
    """入编 or 减编通知单: masked; posted, with the full number and a name that is kept nowhere."""
    if request.method == "POST":
        content = full_slot_paper(
            act_now(secrets.token_hex(16)), g.row, form, request.form.get("name", ""), request.form.get("reason", "")
        )
    else:
        content = slot_paper(g.db, g.row, form, masked_person(g.row))
    return download(content, f"{NAMES[form]}-{post_no}.pdf", "application/pdf")


def show_staffing_new(deed: str) -> Response | str:
    """The form of what begins something; sent, the act itself under the key the page carried."""
    if deed not in TITLES:
        abort(404)
    if not begins(act_now("-"), deed):
        raise Forbidden(SENTENCES[403])
    if request.method == "POST":
        act = act_now(request.form.get("client_id", ""))
        receipt = do_deed(act, deed, read_form(DEEDS[deed], request.form))
        flash(_("已办理。"), "done")
        return redirect(_after(deed, receipt), code=303)
    title, hint = TITLES[deed]
    fields = sorted((field_of(DEEDS[deed], each.name) for each in DEEDS[deed].arguments), key=lambda f: not f.required)
    units = units_for(permission_of(deed))
    return render_template(
        "staffing_new.html", deed=deed, title=title, hint=hint, fields=fields, client_id=secrets.token_hex(16),
        typed={"id_type": "RESIDENT"} | {field.name: request.args[field.name] for field in fields if field.name in request.args}, giver=acting_for(),
        units=units if deed != "carry" else [],
    )  # fmt: skip


def _after(deed: str, receipt: dict) -> str:
    """The page of what was done."""
    if deed == "consult":
        return url_for("staffing_talk", talk_no=receipt["consultation"])
    if deed == "waiver":
        return url_for("staffing_waivers")
    slot = receipt["slot"] if "slot" in receipt else receipt["slots"][0]
    return url_for("staffing_slot", post_no=slot)
