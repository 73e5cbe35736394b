"""The pool at a glance: stock, the units' posts and loans, a cell's ledger, who lent to whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date

from flask import Response, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.types import FundForm, Level, PostType
from pool import lists
from pool.approvals import PENDING
from pool.ledger import Cell, Kind
from pool.lists import StockRow
from pool.models import PoolSlot
from pool.store import cell_figures, terms_on
from pool.terms import TermsByPlace
from staffing.documents import registered_among
from staffing.quota_notices import has_notice
from web.charts import Stack, stacks
from web.pages.flags import PAGE, page_asked
from web.pool_access import act_of, view_scope
from web.words import word

ENDPOINTS = ("pool", "pool_chart", "pool_units", "pool_unit", "pool_ledger", "pool_matrix")
WIDTHS = {"wide": 1120, "narrow": 420}
# Only the right of use moves: the quota of neither side changes.
LENDING = (Kind.ASK, Kind.DROP, Kind.LEND, Kind.RETURN, Kind.SWAP, Kind.EXTEND)
OWNING = (Kind.GRANT, Kind.CUT, Kind.TRANSFER, Kind.CONVERSION)
MATRIX_COLUMNS = 12


def badges_on(today: date, terms: TermsByPlace | None = None) -> Callable[[PoolSlot], str | None]:
    """The badge of a slot on a day, by the term of its borrower's division."""
    terms = terms or TermsByPlace(g.db, today)
    return lambda slot: lists.badge_of(slot, today, terms.soon_days(slot.node_id))


def show_pool() -> str:
    """Stock per level and type, what waits, what is due."""
    scope, today = view_scope(), act_of("").today
    rows = lists.stock_rows(g.db, scope)
    slots = lists.due_slots(g.db, scope)
    terms = TermsByPlace(g.db, today)
    badge_of = badges_on(today, terms)
    badges = [badge_of(slot) for slot in slots]
    due = [slot for slot, badge in zip(slots, badges, strict=True) if badge][:8]
    units, unit_count = lists.unit_nodes(g.db, scope, 1)
    waiting = lists.request_page(g.db, scope, [str(status) for status in PENDING], limit=1)[1]
    return render_template(
        "pool.html", rows=rows, totals={name: sum(getattr(row, name) for row in rows) for name in MEASURES},
        soon_count=badges.count(lists.SOON), over_count=badges.count(lists.OVER),
        waiting_count=waiting, unit_count=unit_count, only=units[0] if unit_count == 1 else None,
        description=_said(rows), due=due, names=lists.nodes_named(g.db, {slot.node_id for slot in due}), today=today,
        days=_soon_days(slots, terms, today), badge_of=badge_of,
    )  # fmt: skip


def _soon_days(slots: list[PoolSlot], terms: TermsByPlace, today: date) -> str:
    """Days before the due date from which these loans wear the badge 预: one term, or from the shortest to the longest."""
    days = {terms.soon_days(slot.node_id) for slot in slots} or {terms_on(g.db, today, "").due_soon_days}
    return "–".join(str(each) for each in sorted({min(days), max(days)}))


MEASURES = ("idle", "pending", "lent")


def _by_level(rows: list[StockRow]) -> dict[tuple[str, str], list[int]]:
    """(level, post type) → idle, pending, lent; in the order of levels, then types."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        held = sums[row.node.level, row.post_type]
        for place, name in enumerate(MEASURES):
            held[place] += getattr(row, name)
    levels, types = list(Level), list(PostType)
    return dict(sorted(sums.items(), key=lambda item: (levels.index(item[0][0]), types.index(item[0][1]))))


def _place(key: tuple[str, str]) -> str:
    return f"{word('level', key[0])} {word('post_type', key[1])}"


def _said(rows: list[StockRow]) -> str:
    return "；".join(
        _(
            "%(place)s：闲置 %(idle)s，预占 %(pending)s，借出 %(lent)s",
            place=_place(key),
            idle=idle,
            pending=asked,
            lent=lent,
        )
        for key, (idle, asked, lent) in _by_level(rows).items()
    )


def show_pool_chart() -> Response:
    """Stock per level and type as a picture."""
    rows = lists.stock_rows(g.db, view_scope())
    drawn = tuple(Stack(_place(key), tuple(values)) for key, values in _by_level(rows).items())
    width = WIDTHS.get(request.args.get("size", ""), WIDTHS["wide"])
    measures = (_("闲置"), _("预占"), _("借出"))
    response = make_response(stacks(drawn, measures, _("各级库存"), _said(rows), width))
    response.headers["Content-Type"] = "image/svg+xml; charset=utf-8"
    return response


def show_pool_units() -> Response | str:
    """Posts of every unit of the scope; a person of one unit goes straight to it."""
    page = page_asked()
    nodes, total = lists.unit_nodes(g.db, view_scope(), PAGE, (page - 1) * PAGE)
    if total == 1 and nodes:
        return redirect(url_for("pool_unit", code=nodes[0].unit_code), code=303)
    figures = cell_figures(g.db, [node.id for node in nodes], act_of("").today)
    cells: dict[str, list] = defaultdict(list)
    for cell, held in sorted(figures.items()):
        cells[cell.holder].append((cell, held))
    return render_template(
        "pool_units.html", nodes=nodes, cells=cells, total=total, page=page, page_count=max(1, -(-total // PAGE))
    )


def show_pool_unit(code: str) -> str:
    """One unit's posts, loans with due dates and badges, and requests."""
    scope, today, node_id = view_scope(), act_of("").today, f"U:{code}"
    views = lists.loan_views(g.db, scope, today, unit_code=code)[0]
    return render_template(
        "pool_unit.html", unit=g.unit, node_id=node_id, today=today,
        cells=sorted(cell_figures(g.db, [node_id], today).items()),
        loans=[view for view in views if view.live], ended=[view for view in views if not view.live],
        requests=lists.request_page(g.db, scope, unit_code=code, limit=20)[0],
    )  # fmt: skip


def show_pool_ledger(node: str) -> str:
    """Every movement of a cell with the running balance and its documents."""
    cells = lists.ledger_cells(g.db, node)
    asked = (request.args.get("post_type"), request.args.get("fund_form"))
    cell = next((cell for cell in cells if cell.partition == asked), cells[0] if cells else None)
    if asked[0] in set(PostType) and asked[1] in set(FundForm):
        cell = Cell(node, *asked)
    lines = lists.ledger_lines(g.db, cell)[::-1] if cell else []
    ends = {end for line in lines for end in (line.movement.from_holder, line.movement.to_holder)}
    return render_template(
        "pool_ledger.html", node=g.node, cells=cells, chosen=cell, lines=lines, names=lists.nodes_named(g.db, ends),
        columns=lists.COLUMNS, nature=_nature, today=act_of("").today, has_notice=has_notice,
        registered=registered_among(g.db, g.scope, {line.movement.document_no for line in lines}),
    )  # fmt: skip


def _nature(kind: str) -> str:
    """Whether a movement lends a right of use, changes ownership, or neither."""
    return "lending" if kind in LENDING else "owning" if kind in OWNING else "inner"


def show_pool_matrix() -> str:
    """Who lent how many posts to whom."""
    pairs = lists.lending_pairs(g.db, view_scope(), act_of("").today)
    borrowers = sorted({pair.borrower for pair in pairs})
    return render_template(
        "pool_matrix.html", pairs=pairs, lenders=sorted({pair.lender for pair in pairs}), borrowers=borrowers,
        held={(pair.lender, pair.borrower): pair for pair in pairs}, as_table=len(borrowers) <= MATRIX_COLUMNS,
        names=lists.nodes_named(g.db, {end for pair in pairs for end in (pair.lender, pair.borrower)}),
    )  # fmt: skip
