"""Acts by document: the list of them, each with a check before it is sent; what-if; who acts for whom."""

from __future__ import annotations

import secrets

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import BianzhiError, Forbidden, InputRejected, NotFound
from core.permissions import Permission
from core.types import FundForm, PostType
from pool import lists
from pool.acting import Receipt
from pool.acts import DEEDS, Values, read_node
from pool.foresight import KINDS, Supposed, changed_nodes
from pool.ledger import Source, parse_posts
from pool.models import PoolMovement
from pool.rehearsal import Rehearsal, rehearse
from pool.service_people import delegate, revoke_delegation
from pool.store import terms_on
from staffing.deeds import perform
from staffing.service_carry import suppose_change
from web.i18n import translate
from web.pages.pool_requests import givers
from web.pool_access import act_now, act_of, acting_for, named_in, view_scope
from web.pool_acts import ASKED, DELEGATION, FORMS, GROUPS, Form, fields_of, read_typed, typed_of

ENDPOINTS = ("pool_acts", "pool_act", "pool_what_if", "pool_delegations", "pool_undelegate")
MOST_CHOICES = 500
# What each supposition asks for, by the names of the API.
SUPPOSED: dict[str, tuple[tuple[str, str], ...]] = {
    "CUT": (("node", "holder"), ("post_type", "post_type"), ("fund_form", "fund_form"), ("posts", "posts")),
    "MERGE": (("node", "node_id"), ("target", "into_id")),
    "ABOLISH": (("node", "node_id"),),
    "REPARENT": (("node", "node_id"), ("target", "parent_id")),
    "RECALL": (("node", "lender"), ("target", "borrower"), ("post_type", "post_type"), ("fund_form", "fund_form"),
               ("posts", "posts")),
}  # fmt: skip


def show_pool_acts() -> str:
    """Every act, with the ones this person may not do greyed and why."""
    scope = view_scope()
    groups = [(label, [(FORMS[name], scope.may(FORMS[name].permission)) for name in names]) for label, names in GROUPS]
    return render_template("pool_acts.html", groups=groups, giver=acting_for(), givers=givers(g.user.login))


def show_pool_act(name: str) -> Response | str | tuple[str, int]:
    """The form; with act=check what it would do, nothing written; with act=send the act itself."""
    form, given = FORMS[name], request.values
    typed = {"effective": act_of("").today.isoformat()} if request.method == "GET" else {}
    typed |= typed_of(form.deed, given) if request.method == "POST" else {k: v for k, v in given.items() if k in ASKED}
    if request.method == "GET" or given.get("act") == "edit":
        return _form(form, typed, None, None)
    if given.get("act") == "send":
        values = read_typed(form.deed, typed)
        _seen(form, values)
        return _done(form, perform(g.db, act_now(given.get("client_id", "")), form.deed, values, ""))
    try:
        values = read_typed(form.deed, typed)
        _seen(form, values)
        found = rehearse(g.db, act_now(secrets.token_hex(16)), perform, form.deed, values)
    except (InputRejected, NotFound, Forbidden) as error:
        return _form(form, typed, None, translate(error.message)), error.http_status
    return _form(form, typed, found, None)


def _seen(form: Form, values: Values) -> None:
    """Errors: NotFound for a node or movement unknown or unseen, as in the API."""
    for each in form.deed.arguments:
        if each.read is read_node and each.name in values:
            lists.seen_node(g.db, view_scope(), values[each.name])
    if "unit_code" in values:
        lists.seen_node(g.db, view_scope(), f"U:{values['unit_code']}")
    for name in ("lot_no", "seq"):
        if name in values:
            lists.seen_movement(g.db, view_scope(), values[name])


def _form(form: Form, typed: dict[str, str], found: Rehearsal | None, problem: str | None) -> str:
    return render_template(
        "pool_act.html", form=form, fields=fields_of(form.deed, typed), typed=typed, found=found, problem=problem,
        names=lists.nodes_named(g.db, named_in(found.refusal if found else None)), client_id=secrets.token_hex(16), giver=acting_for(),
        theirs=view_scope().may(form.permission), **_choices(),
    )  # fmt: skip


def _choices() -> dict[str, object]:
    """What selects offer: nodes in reach, and the vocabularies."""
    scope = view_scope()
    return {
        "nodes": lists.nodes_in_reach(g.db, scope, MOST_CHOICES), "divisions": lists.divisions_in_reach(g.db, scope),
        "words": {"post_type": list(PostType), "fund_form": list(FundForm), "source": list(Source),
                  "purpose": list(terms_on(g.db, act_of("").today, "").purposes)},
    }  # fmt: skip


def _done(form: Form, receipt: Receipt) -> Response:
    """To the ledger where the movement stands; what moves no posts goes back to the list."""
    giver = acting_for()
    more = {"acting_for": giver.login} if giver else {}
    if "movement" not in receipt:
        flash(_("已办理：%(act)s。", act=_(form.label)), "done")
        return redirect(url_for("pool_acts", **more), code=303)
    movement = g.db.get(PoolMovement, receipt["movement"])
    flash(_("已办理：%(act)s，第 %(seq)s 笔。", act=_(form.label), seq=movement.seq), "done")
    node = next(end for end in (movement.to_holder, movement.from_holder) if _in_reach(end))
    cell = {"post_type": movement.post_type, "fund_form": movement.fund_form}
    return redirect(url_for("pool_ledger", node=node, **cell, **more), code=303)


def _in_reach(node_id: str | None) -> bool:
    try:
        return node_id is not None and bool(lists.seen_node(g.db, view_scope(), node_id))
    except NotFound:
        return False


def show_pool_what_if() -> str | tuple[str, int]:
    """A change supposed on a copy of the tree: T and posts short of every node it changes."""
    kind = request.args.get("kind", KINDS[0])
    kind = kind if kind in SUPPOSED else KINDS[0]
    typed = {name: request.args.get(name, "").strip() for name, _label in SUPPOSED[kind]}
    trees, problem, status = None, None, 200
    if any(typed.values()):
        try:
            trees = _supposed(kind, typed)
        except BianzhiError as error:
            problem, status = translate(error.message), error.http_status
    ends = {node_id for *_tree, changed in trees or () for node_id in changed}
    page = render_template(
        "pool_what_if.html", kinds=KINDS, kind=kind, fields=SUPPOSED[kind], typed=typed, trees=trees, problem=problem,
        names=lists.nodes_named(g.db, ends), asked=ASKED, **_choices(),
    )  # fmt: skip
    return page, status


def _supposed(kind: str, typed: dict[str, str]) -> list[tuple]:
    values: dict[str, object] = {name: text or None for name, text in typed.items()}
    for name in ("node", "target"):
        if values.get(name):
            values[name] = read_node(typed[name])
            lists.seen_node(g.db, view_scope(), values[name])
    if values.get("node") is None:
        raise InputRejected("须写明单位或节点。", field="node")
    if "posts" in values:
        values["posts"] = parse_posts(typed["posts"])
    found = suppose_change(g.db, Supposed(kind, **values), act_of("").today)
    return [(*key, tried, changed_nodes(tried)) for key, tried in found.items()]


def show_pool_delegations() -> Response | str | tuple[str, int]:
    """Who may act for this person and for whom this person may act; a new delegation."""
    deed, problem, status = DEEDS["delegate"], None, 200
    typed = typed_of(deed, request.form) if request.method == "POST" else {}
    if request.method == "POST":
        try:
            values = read_typed(deed, typed, DELEGATION)
        except InputRejected as error:
            problem, status = translate(error.message), error.http_status
        else:
            delegate(g.db, act_of(request.form.get("client_id", "")), **values)
            flash(_("已委托。"), "done")
            return redirect(url_for("pool_delegations"), code=303)
    given, received = lists.delegations(g.db, g.user.login)
    page = render_template(
        "pool_delegations.html", given=given, received=received, fields=fields_of(deed, typed, DELEGATION),
        problem=problem, client_id=secrets.token_hex(16), today=act_of("").today,
        theirs=g.scope.may(Permission.DELEGATE),
    )  # fmt: skip
    return page, status


def show_pool_undelegate(delegation_id: int) -> Response:
    """End a delegation of one's own."""
    revoke_delegation(g.db, act_of(request.form.get("client_id", "")), delegation_id)
    flash(_("委托已撤销。"), "done")
    return redirect(url_for("pool_delegations"), code=303)
