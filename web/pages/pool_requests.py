"""Requests for loans: the form, what it would do, sending it; the inbox of decisions; one request with its life."""

from __future__ import annotations

import secrets

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from core.accounts import User
from core.errors import InputRejected
from core.permissions import Permission, may
from core.types import FundForm, PostType
from pool import lists
from pool.approvals import PENDING, Status
from pool.foresight import Foresight, check_wish
from pool.ledger import Cell
from pool.models import PoolDelegation, PoolNode
from pool.policies import GROUPS
from pool.service_drafts import save_draft
from pool.service_loans import Wish, request_loan
from pool.store import cell_figures, terms_on
from pool.waiting_list import WAITABLE, lacking_posts
from web.i18n import translate
from web.pages.flags import PAGE, page_asked
from web.pool_access import act_now, act_of, acting_for, named_in, view_scope
from web.pool_moves import REQUEST_STEPS, request_offers, take_step, waits_for

ENDPOINTS = ("pool_requests", "pool_wish", "pool_draft", "pool_request", "pool_request_step")
LISTS = ("mine", "waiting", "all")
FIELDS = (
    "unit_code", "post_type", "fund_form", "purpose", "posts", "months", "reason", "central_no", "exception_doc",
    "other_waiver",
)  # fmt: skip
DECISIONS = (Permission.ENDORSE_LOAN, Permission.REVIEW_LOAN, Permission.DECIDE_LOAN)


def givers(login: str) -> list[str]:
    """Logins this person may act for today."""
    today = act_of("").today
    query = select(PoolDelegation.giver).where(
        PoolDelegation.taker == login, PoolDelegation.revoked_at.is_(None), PoolDelegation.valid_from <= today,
        PoolDelegation.valid_to >= today,
    )  # fmt: skip
    return sorted(set(g.db.scalars(query)))


def whole_number(text: str | None) -> int | str | None:
    """What was typed as a number, if it is one in ASCII digits; else as it is, for the pool to refuse."""
    text = (text or "").strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 12 else text


def show_pool_requests() -> str:
    """The inbox of what waits for this person, all that waits, and everything."""
    scope, act = view_scope(), act_now("-")
    decides = any(may(scope.roles, permission) for permission in DECISIONS)
    which = request.args.get("list", "mine" if decides else "all")
    which = which if which in LISTS else "all"
    waiting, waiting_count = lists.request_page(g.db, scope, [str(status) for status in PENDING])
    mine = [row for row in waiting if waits_for(g.db, act, row)]
    page = page_asked()
    rows, total = lists.request_page(g.db, scope, limit=PAGE, offset=(page - 1) * PAGE)
    proposed = lists.seen_suggestions(g.db, scope) if may(scope.roles, Permission.SWAP_SLOT) else []
    shown = {"mine": mine, "waiting": waiting, "all": rows}[which]
    return render_template(
        "pool_requests.html", rows=shown, which=which, page=page, decides=decides, today=act.today,
        page_count=max(1, -(-total // PAGE)) if which == "all" else 1,
        counts={"mine": len(mine), "waiting": waiting_count, "all": total}, givers=givers(g.user.login),
        giver=acting_for(), proposed=proposed, lacking=lacking_posts(g.db, [row.number for row in shown]), names=lists.nodes_named(
            g.db, {*(row.node_id for row in shown), *(slot.node_id for _each, slot in proposed)}
        ),
    )  # fmt: skip


def show_pool_wish() -> Response | str | tuple[str, int]:
    """The form; with act=check what it would do, nothing written; with act=send the request itself."""
    if request.method == "GET":
        typed = {"unit_code": request.args.get("unit", ""), "months": "12", "posts": "1"}
        return _form(typed | {name: request.args.get(name, "") for name in ("post_type", "fund_form")}, None, None)
    typed, wish = _typed_wish()
    if request.form.get("act") == "edit":
        return _form(typed, None, None)
    if request.form.get("act") in ("send", "draft", "wait"):
        draft, wait = (request.form["act"] == word for word in ("draft", "wait"))
        receipt = request_loan(g.db, act_now(request.form.get("client_id", "")), wish, draft=draft, wait=wait)
        text = _("已存为草稿，编号 %(number)s。") if draft else _("已提交，编号 %(number)s。")
        text = _("已登记等候，编号 %(number)s。") if receipt.get("waiting") else text
        flash(text % {"number": receipt["request"]}, "done")
        return redirect(url_for("pool_request", number=receipt["request"]), code=303)
    return _looked_at(typed, wish)


def show_pool_draft(number: str) -> Response | str | tuple[str, int]:
    """A draft as a form; with act=check what it would do, nothing written; with act=draft the draft changed."""
    row = g.wish
    if row.status != Status.DRAFT and request.form.get("act") != "draft":  # what was typed is not dropped in silence
        return redirect(url_for("pool_request", number=number), code=303)
    if request.method == "GET":
        return _form({name: str(getattr(row, name) or "") for name in FIELDS}, None, None, number)
    typed, wish = _typed_wish()
    if request.form.get("act") == "edit":
        return _form(typed, None, None, number)
    if request.form.get("act") != "draft":
        return _looked_at(typed, wish, number)
    save_draft(g.db, act_now(request.form.get("client_id", "")), number, wish)
    flash(_("草稿已修改。"), "done")
    return redirect(url_for("pool_request", number=number), code=303)


def _typed_wish() -> tuple[dict[str, str], Wish]:
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    return typed, Wish(**{**typed, "posts": typed["posts"], "months": whole_number(typed["months"])})


def _looked_at(typed: dict[str, str], wish: Wish, number: str | None = None) -> str | tuple[str, int]:
    """What the wish would do, or the form with what is wrong."""
    try:
        found = check_wish(g.db, act_now(secrets.token_hex(16)), wish)
    except InputRejected as error:
        return _form(typed, None, translate(error.message), number), error.http_status
    return _form(typed, found, None, number)


def _form(typed: dict[str, str], found: Foresight | None, problem: str | None, number: str | None = None) -> str:
    """number: of the draft that is changed, whose unit stays."""
    nodes = [node for node in _own_nodes() if number is None or node.unit_code == typed["unit_code"]]
    chosen = next((node for node in nodes if node.unit_code == typed["unit_code"]), nodes[0] if nodes else None)
    terms = terms_on(g.db, act_of("").today, chosen.division_code if chosen else "")
    figures = None
    if found is not None:
        cell = Cell(f"U:{typed['unit_code']}", typed["post_type"], typed["fund_form"])
        figures = cell_figures(g.db, [cell.holder], act_of("").today).get(cell)
    ends = _named_in(found) if found else set()
    return render_template(
        "pool_wish.html", typed=typed, found=found, problem=problem, nodes=nodes, draft=number,
        target=url_for("pool_draft", number=number) if number else url_for("pool_wish"), terms=terms, figures=figures,
        post_types=[kind for kind in PostType if GROUPS[kind] is not None], fund_forms=list(FundForm),
        names=lists.nodes_named(g.db, ends), client_id=secrets.token_hex(16), sees=view_scope().sees,
        may_wait=bool(found and found.refusal and found.refusal.details.get("answer") in WAITABLE),
    )  # fmt: skip


def _named_in(found: Foresight) -> set[str | None]:
    """Nodes an answer names: who decides, who lends, and those of a refusal."""
    return named_in(found.refusal) | {
        found.receipt.get("decision_node"),
        *(lot[1] for lot in found.receipt.get("lots", [])),
    }


def _own_nodes() -> list[PoolNode]:
    """Units this person may ask for."""
    scope = view_scope()
    nodes = lists.unit_nodes(g.db, scope, 500)[0]
    return [node for node in nodes if may(scope.roles_for(node.unit_code, node.division_code), Permission.REQUEST_LOAN)]


def show_pool_request(number: str) -> str:
    """One request: what was asked, what became of it, and what this person may do."""
    act, row = act_now("-"), g.wish
    history = lists.request_steps(g.db, number)
    people = {login for step in history for login in (step.actor, step.acting_for) if login}
    offers = [offer for offer in request_offers(g.db, act, row) if offer.allowed or offer.theirs]
    return render_template(
        "pool_request.html", row=row, history=history[::-1], offers=offers, giver=acting_for(),
        givers=givers(g.user.login), people=display_names(people | {row.applicant, row.decided_by}),
        names=lists.nodes_named(g.db, {row.node_id, row.decision_node}), client_id=secrets.token_hex(16),
        edits=row.status == Status.DRAFT and not acting_for() and row.node_id in {node.id for node in _own_nodes()},
        waiting=row.status in PENDING, lacking=bool(lacking_posts(g.db, [number])),
    )  # fmt: skip


def display_names(logins: set[str | None]) -> dict[str, str]:
    """What people are called, by login."""
    query = select(User.login, User.display_name).where(User.login.in_(sorted(logins - {None})))
    return dict(g.db.execute(query).all())


def show_pool_request_step(number: str, step: str) -> Response:
    """Take a step, under the key the page carried: a second click answers as the first."""
    values = dict(request.form.items())
    values["posts"] = request.form.get("posts", "").strip() or None
    receipt = take_step(REQUEST_STEPS, g.db, act_now(request.form.get("client_id", "")), step, number, values)
    flash(_("已办理。"), "done")
    if receipt.get("loan"):
        return redirect(url_for("pool_loan", loan_no=receipt["loan"]), code=303)
    giver = acting_for()
    more = {"acting_for": giver.login} if giver else {}
    return redirect(url_for("pool_request", number=number, **more), code=303)
