"""The pool in the API, to read: stock, nodes, cells, ledgers, requests, loans, who lent to whom."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, g
from flask_openapi3 import Tag
from pydantic import BaseModel

from pool import lists
from pool.ledger import Cell
from pool.models import PoolNode, PoolRequest
from pool.service_slots import loan_movements
from pool.store import cell_figures, slots_of_loan, terms_on
from pool.waiting_list import lacking_posts
from web.api import pool_answers as a
from web.api import pool_models as m
from web.api.views import _answer, blueprint
from web.i18n import translate
from web.pool_access import act_now, act_of, view_scope
from web.pool_moves import request_offers

POOL = Tag(name="pool")


def fields(row: Any, model: type[BaseModel], **more: Any) -> Any:
    """A model filled from a row's attributes of the same names."""
    return model(**{name: getattr(row, name) for name in model.model_fields if name not in more}, **more)


@blueprint.get("/pool/stock", endpoint="pool_stock", tags=[POOL], responses={"200": a.StockList})
def list_stock() -> Response:
    """Posts in the pools at and above the person's units."""
    return _answer(a.StockList(items=[
        a.StockOut(
            node=row.node.id, name=row.node.name, level=row.node.level, post_type=row.post_type,
            fund_form=row.fund_form, purpose=row.purpose, idle=row.idle, pending=row.pending, lent=row.lent,
        )
        for row in lists.stock_rows(g.db, view_scope())
    ]))  # fmt: skip


@blueprint.get("/pool/nodes", endpoint="pool_nodes", tags=[POOL], responses={"200": a.NodeList})
def list_nodes(query: m.PageQuery) -> Response:
    """Units of the scope as nodes, and on the first page the divisions at and above them."""
    units, total = lists.unit_nodes(g.db, view_scope(), query.page_size, (query.page - 1) * query.page_size)
    divisions = lists.places_around(g.db, view_scope())
    shown = [*(divisions if query.page == 1 else []), *units]
    return _answer(
        a.NodeList(
            total=total + len(divisions), page=query.page, page_size=query.page_size,
            items=[fields(node, a.NodeOut) for node in shown],
        )
    )  # fmt: skip


@blueprint.get("/pool/nodes/<node>/cells", endpoint="pool_cells", tags=[POOL], responses={"200": a.CellList})
def list_cells(path: m.NodePath) -> Response:
    """The cells of a node today: usable, allowed, and what they are made of."""
    today = act_of("").today
    found = cell_figures(g.db, [path.node], today)
    items = [
        fields(figures, a.PoolCellOut, post_type=cell.post_type, fund_form=cell.fund_form)
        for cell, figures in sorted(found.items())
    ]
    return _answer(a.CellList(node=path.node, as_of=today, items=items))


@blueprint.get("/pool/nodes/<node>/movements", endpoint="pool_movements", tags=[POOL], responses={"200": a.LedgerOut})
def list_movements(path: m.NodePath, query: m.CellQuery) -> Response:
    """The ledger of one cell: every movement with the running balances."""
    lines = lists.ledger_lines(g.db, Cell(path.node, str(query.post_type), str(query.fund_form)))
    return _answer(a.LedgerOut(
        node=path.node, post_type=str(query.post_type), fund_form=str(query.fund_form),
        items=[
            a.LedgerLineOut(movement=fields(line.movement, a.MovementOut), changes=line.changes, after=line.after)
            for line in lines
        ],
    ))  # fmt: skip


@blueprint.get("/pool/requests", endpoint="pool_requests", tags=[POOL], responses={"200": a.RequestList})
def list_requests(query: m.RequestQuery) -> Response:
    """Requests of units seen, and those decided where the person has a say."""
    statuses = [str(query.status)] if query.status else []
    rows, total = lists.request_page(
        g.db, view_scope(), statuses, query.unit, query.page_size, (query.page - 1) * query.page_size
    )
    items = [fields(row, a.RequestOut) for row in rows]
    return _answer(a.RequestList(total=total, page=query.page, page_size=query.page_size, items=items))


@blueprint.get("/pool/requests/<number>", endpoint="pool_request", tags=[POOL], responses={"200": a.RequestDetail})
def read_request(path: m.RequestPath) -> Response:
    """One request with its life, and the steps on it."""
    return _answer(request_detail(g.wish))


def request_detail(row: PoolRequest) -> a.RequestDetail:
    """A request with its life and what this person may do with it."""
    return a.RequestDetail(
        request=fields(row, a.RequestOut),
        waits_for_posts=bool(lacking_posts(g.db, [row.number])),
        history=[fields(step, a.StepOut) for step in lists.request_steps(g.db, row.number)],
        steps=[
            a.OfferOut(step=offer.step.name, allowed=offer.allowed, sentence=translate(offer.why))
            for offer in request_offers(g.db, act_now("-"), row)
        ],
    )


@blueprint.get("/pool/loans", endpoint="pool_loans", tags=[POOL], responses={"200": a.LoanList})
def list_loans(query: m.LoanQuery) -> Response:
    """Loans of borrowers and lenders seen."""
    today = act_of("").today
    views, total = lists.loan_views(
        g.db, view_scope(), today, live_only=query.live, unit_code=query.unit, limit=query.page_size,
        offset=(query.page - 1) * query.page_size,
    )  # fmt: skip
    items = [loan_out(view) for view in views]
    return _answer(a.LoanList(total=total, page=query.page, page_size=query.page_size, items=items))


def loan_out(view: lists.LoanView) -> a.LoanOut:
    """A loan as the API gives it."""
    return fields(
        view.loan, a.LoanOut, live=len(view.live), status=view.status.value, due_date=view.due, badge=view.badge
    )


@blueprint.get("/pool/loans/<loan_no>", endpoint="pool_loan", tags=[POOL], responses={"200": a.LoanDetail})
def read_loan(path: m.LoanPath) -> Response:
    """One loan: its slots, their lives, its movements."""
    view = loan_view(path.loan_no)
    borrower = g.db.get(PoolNode, view.loan.node_id)
    sees = view_scope().sees(borrower.unit_code, borrower.division_code)
    return _answer(a.LoanDetail(
        loan=loan_out(view),
        slots=[
            fields(
                slot, a.SlotOut, person=slot.person_mask if sees else None,
                badge=lists.badge_of(slot, view.today, view.soon_days),
            )
            for slot in view.slots
        ],
        history=[fields(event, a.SlotEventOut) for event in lists.slot_events(g.db, path.loan_no)],
        movements=[fields(row, a.MovementOut) for row in loan_movements(g.db, path.loan_no)],
    ))  # fmt: skip


def loan_view(loan_no: str) -> lists.LoanView:
    """The loan the guard has let through, with its slots."""
    today, slots = act_of("").today, tuple(slots_of_loan(g.db, loan_no, live=False))
    terms = terms_on(g.db, today, g.db.get(PoolNode, g.loan.node_id).division_code)
    return lists.LoanView(g.loan, slots, today, terms.due_soon_days)


@blueprint.get("/pool/matrix", endpoint="pool_matrix", tags=[POOL], responses={"200": a.PairList})
def list_pairs() -> Response:
    """Who has lent how many posts to whom."""
    pairs = lists.lending_pairs(g.db, view_scope(), act_of("").today)
    return _answer(a.PairList(items=[a.PairOut(**asdict(pair)) for pair in pairs]))


@blueprint.get("/pool/suggestions", endpoint="pool_suggestions", tags=[POOL], responses={"200": a.SuggestionList})
def list_suggestions(query: m.SuggestionQuery) -> Response:
    """What the night proposes for posts of loans seen, still to be signed: swaps, posts to take back, posts to return."""
    found = [
        (each, slot) for each, slot in lists.seen_suggestions(g.db, view_scope())
        if query.kind in (None, each.kind) and query.unit in (None, slot.unit_code)
    ]  # fmt: skip
    items = [fields(slot, a.SuggestionOut, kind=each.kind, as_of=each.as_of) for each, slot in _shown(found, query)]
    return _answer(a.SuggestionList(total=len(found), page=query.page, page_size=query.page_size, items=items))


@blueprint.get("/pool/delegations", endpoint="pool_delegations", tags=[POOL], responses={"200": a.DelegationList})
def list_delegations(query: m.DelegationQuery) -> Response:
    """Who may act for the token's person, and for whom this person may act; nobody else's."""
    today = act_of("").today
    given, received = lists.delegations(g.db, g.user.login)
    found = [
        row for row in sorted([*given, *received], key=lambda row: (row.valid_from, row.id), reverse=True)
        if not query.live or (row.revoked_at is None and row.valid_to >= today)
    ]  # fmt: skip
    items = [
        fields(row, a.DelegationOut, in_force=row.revoked_at is None and row.valid_from <= today <= row.valid_to)
        for row in _shown(found, query)
    ]
    return _answer(a.DelegationList(total=len(found), page=query.page, page_size=query.page_size, items=items))


def _shown(rows: list[Any], query: m.PageQuery) -> list[Any]:
    """The rows of the page asked for."""
    return rows[(query.page - 1) * query.page_size : query.page * query.page_size]
