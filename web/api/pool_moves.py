"""The pool in the API, to change: every use-case, under an Idempotency-Key; and two that only say what would happen."""

from __future__ import annotations

import secrets

from flask import Response, current_app, g, jsonify

from core.errors import InputRejected
from pool import service
from pool.acting import Receipt
from pool.foresight import Supposed, changed_nodes, check_wish
from pool.lists import seen_movement, seen_node
from pool.naming import rename_unit
from pool.service_drafts import save_draft
from pool.service_loans import Wish, request_loan
from pool.service_nodes import abolish_node, reparent_node, set_limits
from pool.service_opening import switch_unit
from pool.service_people import delegate, revoke_delegation
from pool.tree import WhatIf
from staffing.service_carry import merge_units, suppose_change
from staffing.undoing import undo_movement
from web.api import models as shared
from web.api import pool_answers as a
from web.api import pool_models as m
from web.api.pool_reads import POOL
from web.api.views import _answer, blueprint
from web.i18n import translate
from web.pool_access import act_now, act_of, view_scope
from web.pool_moves import LOAN_STEPS, REQUEST_STEPS, SLOT_STEPS, only_taken, take_step

DONE = {"200": a.ReceiptOut, "409": shared.Problem}


def _receipt(receipt: Receipt) -> Response:
    """The stored answer as it is, so that a replay is the same to the byte."""
    return jsonify({name: receipt[name] for name in a.ReceiptOut.model_fields if receipt.get(name) is not None})


def _post(path: str, endpoint: str, answers=None):
    return blueprint.post(f"/pool{path}", endpoint=f"pool_{endpoint}", tags=[POOL], responses=answers or DONE)


def _within(*nodes: str | None) -> None:
    """Errors: NotFound for a node unknown or unseen, before anything else the body may have wrong."""
    for node_id in filter(None, nodes):
        seen_node(g.db, view_scope(), node_id)


def _wish(body: m.WishBody) -> Wish:
    _within(f"U:{body.unit_code}")
    given = body.model_dump(exclude={"draft", "wait"})
    return Wish(**given | {"post_type": str(body.post_type), "fund_form": str(body.fund_form)})


@_post("/requests", "wish")
def ask(header: m.Keyed, body: m.RequestBody) -> Response:
    """Request a loan (or save a draft). The posts asked for are pending at once; with `wait`, where there are none, the
    request waits for some."""
    act = act_now(header.idempotency_key)
    return _receipt(request_loan(g.db, act, _wish(body), draft=body.draft, wait=body.wait))


@_post("/requests/check", "check", {"200": a.CheckOut, "409": shared.Problem})
def check(body: m.WishBody) -> Response:
    """What the request would answer now, with every level before and after. Nothing is written, so no key is needed."""
    found = check_wish(g.db, act_now(secrets.token_hex(16)), _wish(body))
    return _answer(a.CheckOut(
        passes=found.passes,
        levels=[
            a.LevelOut(
                node=level.node.id, name=level.node.name, level=level.node.level, idle_before=level.idle_before,
                idle_after=level.idle_after, surplus_before=level.surplus_before, surplus_after=level.surplus_after,
                borrow_limit=level.borrow_limit,
            )
            for level in found.levels
        ],
        decision_node=found.receipt.get("decision_node"),
        rule=found.receipt.get("rule"),
        lots=found.receipt.get("lots", []),
        refusal=translate(found.refusal.message) if found.refusal else None,
        details=found.refusal.details if found.refusal else {},
    ))  # fmt: skip


@_post("/requests/<number>/draft", "draft")
def save(header: m.Keyed, path: m.RequestPath, body: m.WishBody) -> Response:
    """Change a draft: what it asks for becomes this, whole; its unit stays."""
    return _receipt(save_draft(g.db, act_now(header.idempotency_key), path.number, _wish(body)))


@_post("/requests/<number>/<step>", "request_step")
def step_request(header: m.Keyed, path: m.RequestStepPath, body: m.RequestStepBody) -> Response:
    """Submit a draft, endorse, review, approve (all or some), refuse, or withdraw."""
    act, values = act_now(header.idempotency_key), _given(REQUEST_STEPS, path.step, body)
    return _receipt(take_step(REQUEST_STEPS, g.db, act, str(path.step), path.number, values))


@_post("/loans/<loan_no>/<step>", "loan_step")
def step_loan(header: m.Keyed, path: m.LoanStepPath, body: m.LoanStepBody) -> Response:
    """Return posts of a loan, recall them, or renew it."""
    act, values = act_now(header.idempotency_key), _given(LOAN_STEPS, path.step, body)
    return _receipt(take_step(LOAN_STEPS, g.db, act, str(path.step), path.loan_no, values))


@_post("/slots/<slot_no>/<step>", "slot_step")
def step_slot(header: m.Keyed, path: m.SlotStepPath, body: m.SlotStepBody) -> Response:
    """Fill a slot, vacate it, swap its person onto an own post, or take back what was never filled."""
    values = _given(SLOT_STEPS, path.step, body) | {"person_key": current_app.config["SETTINGS"].person_key}
    act = act_now(header.idempotency_key)
    return _receipt(take_step(SLOT_STEPS, g.db, act, str(path.step), path.slot_no, values))


def _given(steps, name: str, body) -> dict:
    """What the body says of the step. Errors: InputRejected for what the step does not take."""
    return only_taken(steps, str(name), body.model_dump(exclude_defaults=True))


@_post("/grants", "grant")
def grant(header: m.Keyed, body: m.GrantBody) -> Response:
    """GRANT quota to a node by a document."""
    return _receipt(service.grant_posts(g.db, act_now(header.idempotency_key), **_cell(body)))


@_post("/cuts", "cut")
def cut(header: m.Keyed, body: m.GrantBody) -> Response:
    """CUT quota of a node by a document; below use it opens debt."""
    return _receipt(service.cut_posts(g.db, act_now(header.idempotency_key), **_cell(body)))


@_post("/transfers", "transfer")
def transfer(header: m.Keyed, body: m.TransferBody) -> Response:
    """TRANSFER the ownership of posts, with or without the people on them."""
    return _receipt(service.transfer_posts(g.db, act_now(header.idempotency_key), **_cell(body)))


@_post("/deposits", "deposit")
def deposit(header: m.Keyed, body: m.DepositBody) -> Response:
    """DEPOSIT posts into a division's pool, from a listed source."""
    given = _cell(body) | {"source": str(body.source)}
    return _receipt(service.deposit_posts(g.db, act_now(header.idempotency_key), **given))


@_post("/withdrawals", "withdraw")
def withdraw(header: m.Keyed, body: m.WithdrawalBody) -> Response:
    """WITHDRAW idle posts of a lot: they go home to their owner."""
    seen_movement(g.db, view_scope(), body.lot_no)
    return _receipt(service.withdraw_posts(g.db, act_now(header.idempotency_key), **body.model_dump()))


@_post("/conversions", "convert")
def convert(header: m.Keyed, body: m.ConversionBody) -> Response:
    """CONVERSION of vacant posts into another type or fund form."""
    _within(body.holder)
    sides = {
        side: (str(part.post_type), str(part.fund_form))
        for side, part in (("source", body.source), ("target", body.target))
    }
    return _receipt(service.convert_posts(g.db, act_now(header.idempotency_key), **body.model_dump() | sides))


@_post("/reserves", "reserve")
def reserve(header: m.Keyed, body: m.ReserveBody) -> Response:
    """RESERVE vacant posts; the movement is the reserve's number."""
    return _receipt(service.reserve_posts(g.db, act_now(header.idempotency_key), **_cell(body)))


@_post("/reserves/<int:seq>/<step>", "reserve_step")
def step_reserve(header: m.Keyed, path: m.ReserveStepPath, body: m.CountBody) -> Response:
    """RELEASE what a reserve holds, or FILL it: people enter on it."""
    use_case = service.release_posts if path.step == "release" else service.fill_posts
    return _receipt(use_case(g.db, act_now(header.idempotency_key), path.seq, body.posts, body.effective))


@_post("/vacancies", "vacate")
def vacate(header: m.Keyed, body: m.VacancyBody) -> Response:
    """VACATE own posts: people leave them."""
    return _receipt(service.vacate_posts(g.db, act_now(header.idempotency_key), **_cell(body)))


@_post("/movements/<int:seq>/reverse", "reverse")
def reverse(header: m.Keyed, path: m.MovementPath, body: m.ReverseBody) -> Response:
    """REVERSE a movement, while nothing rests on it: a return gives the slot back, a renewal puts the due date back."""
    return _receipt(undo_movement(g.db, act_now(header.idempotency_key), path.seq, body.document_no))


def _cell(body: m.CellBody) -> dict[str, object]:
    _within(*(getattr(body, name, None) for name in ("holder", "giver", "taker", "pool_node")))
    return body.model_dump() | {"post_type": str(body.post_type), "fund_form": str(body.fund_form)}


@_post("/nodes/<node>/limits", "limits")
def limits(header: m.Keyed, path: m.NodePath, body: m.LimitsBody) -> Response:
    """Set a node's lending and borrowing limits and, at a root, its floor."""
    given = body.model_dump() | {"post_type": str(body.post_type), "fund_form": str(body.fund_form)}
    return _receipt(set_limits(g.db, act_now(header.idempotency_key), path.node, **given))


@_post("/nodes/<node>/reorganise", "reorganise")
def reorganise(header: m.Keyed, path: m.NodePath, body: m.ReorganiseBody) -> Response:
    """Hang a node elsewhere, merge a unit into another, or close what is empty; T of every node before and after."""
    _within(body.target)
    act, papers = act_now(header.idempotency_key), (body.document_no, body.effective)
    if body.kind != "MERGE" and body.central_no is not None:
        raise InputRejected("提交了这一步用不到的内容，请去掉。", field="central_no")
    if body.kind == "ABOLISH":
        return _receipt(abolish_node(g.db, act, path.node, *papers))
    if body.kind == "RENAME":
        if body.name is None:
            raise InputRejected("须写明新名称。", field="name")
        return _receipt(rename_unit(g.db, act, path.node.removeprefix("U:"), body.name, *papers))
    if body.target is None:
        raise InputRejected("须写明调整到哪个节点。", field="target")
    if body.kind == "MERGE":
        return _receipt(merge_units(g.db, act, path.node, body.target, *papers, body.central_no))
    return _receipt(reparent_node(g.db, act, path.node, body.target, *papers))


@_post("/nodes/<node>/switch", "switch")
def switch(header: m.Keyed, path: m.NodePath, body: m.SwitchBody) -> Response:
    """From a day on, ledger and gate are the source of a unit: delivered rows that differ are shown as differences."""
    act = act_now(header.idempotency_key)
    return _receipt(switch_unit(g.db, act, path.node.removeprefix("U:"), body.on))


@_post("/what-if", "what_if", {"200": a.WhatIfOut, "409": shared.Problem})
def try_out(body: m.WhatIfBody) -> Response:
    """What a cut, merge, abolition, move or recall would do, on a copy; refused where the act is. Nothing is written, so no
    key is needed."""
    _within(body.node, body.target)
    given = body.model_dump() | {
        name: str(value) if (value := getattr(body, name)) else None for name in ("kind", "post_type", "fund_form")
    }
    found = suppose_change(g.db, Supposed(**given), act_of("").today)
    trees = [_tree(*key, tried) for key, tried in found.items()]
    return _answer(a.WhatIfOut(passes=all(tree.passes for tree in trees), trees=trees))


def _tree(post_type: str, fund_form: str, purpose: str, found: WhatIf) -> a.TreeOut:
    changed = changed_nodes(found)
    kept = lambda values: {node_id: posts for node_id, posts in values.items() if node_id in changed}
    return a.TreeOut(
        post_type=post_type, fund_form=fund_form, purpose=purpose, passes=found.passes, before=kept(found.before),
        after=kept(found.after), deficits_before=kept(found.deficits_before), deficits_after=kept(found.deficits_after),
        binds={binding.node: binding.short for binding in found.binds}, opens_debt=found.passes and bool(found.binds),
    )  # fmt: skip


@_post("/delegations", "delegate")
def let_act(header: m.Keyed, body: m.DelegationBody) -> Response:
    """Let another account act for the token's person, from a day to a day."""
    act = act_now(header.idempotency_key)
    return _receipt(delegate(g.db, act, body.taker, body.valid_from, body.valid_to))


@_post("/delegations/<int:delegation_id>/revoke", "undelegate")
def end_delegation(header: m.Keyed, path: m.DelegationPath) -> Response:
    """End a delegation of one's own."""
    return _receipt(revoke_delegation(g.db, act_now(header.idempotency_key), path.delegation_id))
