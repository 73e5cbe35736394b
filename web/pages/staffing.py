"""用编 at a glance: what waits for this person, units with their slots, notices, late registrations, waivers."""

from __future__ import annotations

import secrets

from flask import Response, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from night.own_lists import gate_differences
from pool.lists import nodes_named, switched_on, unit_nodes
from pool.store import cell_figures
from staffing import lists
from staffing.acts import DEEDS
from staffing.blocks import open_blocks
from staffing.certificate_store import certificate_due, newest_of
from staffing.chain import WAITING, Status, Subject
from staffing.lists import Work
from staffing.notices import RECEIVERS, notice_page
from staffing.store import gate_parameters
from web.gate_steps import begins, do_deed, read_form
from web.pages.flags import PAGE, page_asked
from web.pages.pool_requests import givers
from web.pool_access import act_now, act_of, acting_for, view_scope

ENDPOINTS = (
    "staffing", "staffing_units", "staffing_unit", "staffing_notices", "staffing_notice_step", "staffing_blocks",
    "staffing_block_step", "staffing_waivers",
)  # fmt: skip
# What a person may begin, in the order of the chain: deed and the words on its button.
BEGINNINGS = (
    ("plan", "申报计划"), ("consult", "事先沟通"), ("apply", "申请用编"), ("enter", "登记入编"), ("exit-person", "登记减编"),
    ("record", "补登原有人员"), ("carry", "调编带人"), ("split", "分设单位"), ("waiver", "签发豁免"),
)  # fmt: skip


def page_number() -> int:
    """Which page of a list the address asks for."""
    return page_asked()


def page_count(total: int) -> int:
    """How many pages so many rows make."""
    return max(1, -(-total // PAGE))


def notice_days(division: str = "") -> int:
    """Days after which a notice nobody acknowledged is overdue."""
    return gate_parameters(g.db, act_of("").today, division)["notice_days"]


def beginnings(act) -> list[tuple[str, str, str]]:
    """(deed, words, address) of what this person may begin."""
    own = {"plan": "staffing_plan_new", "apply": "staffing_use_new", "split": "staffing_split"}
    address = lambda deed: (
        url_for(own[deed], **for_whom()) if deed in own else url_for("staffing_new", deed=deed, **for_whom())
    )
    return [(deed, words, address(deed)) for deed, words in BEGINNINGS if begins(act, deed)]


def show_staffing() -> str:
    """The work list of this person, what may be begun, and the counts of the scope."""
    act, scope = act_now("-"), view_scope()
    work = lists.work_list(g.db, act)
    count = lambda subject, *statuses: lists.staff_page(g.db, scope, subject, statuses, limit=1)[1]
    counts = {
        "applications": count(Subject.APPLICATION, *WAITING), "permits": count(Subject.APPLICATION, Status.GRANTED),
        "open_slots": count(Subject.SLOT, Status.ISSUED), "exits": len(lists.coming_exits(g.db, scope)),
        "blocks": lists.block_page(g.db, scope, limit=1)[1],
        "notices": notice_page(g.db, scope, act.today, notice_days(), open_only=True, limit=1)[1],
    }  # fmt: skip
    names = nodes_named(g.db, {f"U:{each.unit_code}" for each in work})
    return render_template(
        "staffing.html", work=work, counts=counts, names=names, address=work_address, today=act.today,
        begin=beginnings(act), giver=acting_for(), givers=givers(g.user.login),
    )  # fmt: skip


def work_address(work: Work) -> str:
    """The page on which a piece of work is done."""
    pages = {
        "PLAN": ("staffing_plan", "plan_no"), "CONSULTATION": ("staffing_talk", "talk_no"),
        "APPLICATION": ("staffing_use", "use_no"), "SLOT": ("staffing_slot", "post_no"),
    }  # fmt: skip
    if work.subject not in pages:
        return url_for("staffing_notices" if work.subject == "NOTICE" else "staffing_blocks", **for_whom())
    endpoint, name = pages[work.subject]
    return url_for(endpoint, **{name: work.number}, **for_whom())


def for_whom() -> dict[str, str]:
    """What keeps an address with the person acted for."""
    giver = acting_for()
    return {"acting_for": giver.login} if giver else {}


def show_staffing_units() -> Response | str:
    """Units of the scope; a person of one unit goes straight to it."""
    nodes, total = unit_nodes(g.db, view_scope(), PAGE, (page_number() - 1) * PAGE)
    if total == 1 and nodes:
        return redirect(url_for("staffing_unit", code=nodes[0].unit_code), code=303)
    today = act_of("").today
    due = certificate_due(g.db, [node.unit_code for node in nodes], today)
    boards = {node.id: lists.unit_board(g.db, node.unit_code, today, notice_days(node.division_code)) for node in nodes}
    return render_template(
        "staffing_units.html", nodes=nodes, boards=boards, due=due, total=total, page=page_number(),
        page_count=page_count(total),
    )  # fmt: skip


def show_staffing_unit(code: str) -> str:
    """One unit: its cells, its slots with their people (masked), what is under way, its certificate."""
    scope, today, node_id = view_scope(), act_of("").today, f"U:{code}"
    slots, total = lists.staff_page(g.db, scope, Subject.SLOT, (), code, PAGE, (page_number() - 1) * PAGE)
    return render_template(
        "staffing_unit.html", unit=g.unit, node_id=node_id, today=today, slots=slots, total=total, page=page_number(),
        page_count=page_count(total), cells=sorted(cell_figures(g.db, [node_id], today).items()),
        board=lists.unit_board(g.db, code, today, notice_days(g.unit.division_code)),
        plans=lists.staff_page(g.db, scope, Subject.PLAN, (), code, 10)[0],
        uses=lists.staff_page(g.db, scope, Subject.APPLICATION, (), code, 10)[0], blocks=open_blocks(g.db, code),
        certificate=newest_of(g.db, code), due=certificate_due(g.db, [code], today).get(code),
        differences=len(gate_differences(g.db, current_app.config["SETTINGS"], scope, unit_code=code)),
        switched=switched_on(g.db, node_id),
    )  # fmt: skip


def show_staffing_notices() -> str:
    """Entry and exit notices, the longest waiting first, with their age; those of this person may be acknowledged."""
    act, receiver = act_now("-"), request.args.get("receiver")
    receiver = receiver if receiver in RECEIVERS else None
    everything = request.args.get("list") == "all"
    views, total = notice_page(
        g.db, view_scope(), act.today, notice_days(), open_only=not everything, receiver=receiver, limit=PAGE,
        offset=(page_number() - 1) * PAGE,
    )  # fmt: skip
    mine = {each.number for each in lists.work_list(g.db, act) if each.subject == "NOTICE"}
    return render_template(
        "staffing_notices.html", views=views, total=total, everything=everything, receiver=receiver, mine=mine,
        receivers=RECEIVERS, page=page_number(), page_count=page_count(total), client_id=secrets.token_hex(16),
        giver=acting_for(), days=notice_days(),
    )  # fmt: skip


def show_staffing_notice_step(notice_id: int) -> Response:
    """Acknowledge a notice."""
    return _done("acknowledge", {"notice_id": notice_id}, "staffing_notices")


def show_staffing_blocks() -> str:
    """Late entries and exits: why a unit may not plan, and the director's release."""
    everything = request.args.get("list") == "all"
    rows, total = lists.block_page(
        g.db, view_scope(), open_only=not everything, limit=PAGE, offset=(page_number() - 1) * PAGE
    )
    return render_template(
        "staffing_blocks.html", rows=rows, total=total, everything=everything, page=page_number(),
        page_count=page_count(total), names=nodes_named(g.db, {row.node_id for row in rows}), giver=acting_for(),
        client_id=secrets.token_hex(16), may_release=begins(act_now("-"), "release"),
    )  # fmt: skip


def show_staffing_block_step(block_id: int) -> Response:
    """Release a block, with a reason."""
    return _done("release", {"block_id": block_id}, "staffing_blocks")


def _done(name: str, known: dict[str, object], endpoint: str) -> Response:
    do_deed(act_now(request.form.get("client_id", "")), name, read_form(DEEDS[name], request.form, known))
    flash(_("已办理。"), "done")
    return redirect(url_for(endpoint), code=303)


def show_staffing_waivers() -> str:
    """Waivers of reverse flow, the newest first."""
    rows, total = lists.waiver_page(g.db, view_scope(), PAGE, (page_number() - 1) * PAGE)
    return render_template(
        "staffing_waivers.html", rows=rows, total=total, page=page_number(), page_count=page_count(total),
        names=nodes_named(g.db, {row.node_id for row in rows}), today=act_of("").today,
        may_grant=begins(act_now("-"), "waiver"),
    )  # fmt: skip
