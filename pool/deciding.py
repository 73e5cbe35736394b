"""The facts a request is decided on, gathered; the decision itself is pure (pool.policies)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import takewhile

from sqlalchemy.orm import Session

from core.errors import Refused
from core.types import Level, PostType
from core.units import division_lineage
from pool.acting import Act, parents, path_up
from pool.ledger import Cell
from pool.models import PoolMovement, PoolNode, PoolRequest
from pool.policies import Answer, Decision, Facts, Terms, add_months, decide_request
from pool.posting import strains_of_taking
from pool.store import (
    Figures,
    Stock,
    backing,
    cell_figures,
    live_counts,
    overdue_count,
    terms_on,
)  # fmt: skip
from pool.strains import Cure, holders_below, most_borne, remedies
from pool.totals import total_after

LEVELS = list(Level)
PAPERS = {Answer.NEEDS_CENTRAL_NUMBER: "central_no", Answer.UPWARD_NEEDS_DOCUMENT: "exception_doc"}


def lacking(
    session: Session, act: Act, cell: Cell, request: PoolRequest, taken: list[tuple[Stock, int]], missing: int
) -> dict[str, object]:
    """Figures of a refusal for want of stock: who holds the posts, what would have to come in, and what binds then.

    Where a division's total (R17) leaves no room for new posts, what has to come in are vacant posts of its own units
    (POOL_VACANT, with the total that binds), and as many more as the total refuses from outside.
    """
    path, has = path_up(parents(session, [cell.holder]), cell.holder), request.posts - missing
    strained = partial(strains_of_taking, session, cell, request.purpose, on=act.today)
    bound_now = strained(has) if has else []
    most = most_borne(bound_now) if bound_now else has
    come, total = _to_come(session, path, cell.post_type, taken, missing)
    bound_then = strained(request.posts, added={path[1]: come})
    return {
        "node": path[-1], "has": has, "needs": request.posts, "purpose": request.purpose,
        "most": most if most is None else min(most, request.posts - come),
        "holders": holders_below(session, cell.partition, path[-1], request.purpose),
        "remedies": [
            {"node": path[1], "remedy": Cure.POOL_VACANT.value if total else "ADD_POSTS", "posts": come}, *remedies(bound_then)
        ],
    } | ({"total": total} if total else {})  # fmt: skip


def _to_come(
    session: Session, path: list[str], post_type: str, taken: list[tuple[Stock, int]], missing: int
) -> tuple[int, dict[str, object] | None]:
    """How many posts have to come into the nearest pool, and the division whose total bears none of them as new ones.

    What is taken from outside raises a division's total as new posts do; vacant posts of its units do not, and are
    taken before those from outside.
    """
    outside = _from_outside(path[1:], taken)
    new = set(division_lineage(session.get(PoolNode, path[1]).division_code))
    sums: dict[str, int] = dict.fromkeys(sorted(new), 0)
    for node_id, count in outside.items():
        division = session.get(PoolNode, node_id).division_code
        sums[division] = max(sums.get(division, 0), count)
    over, tightest = 0, None
    for division, count in sums.items():
        if (found := total_after(session, division, post_type, count)) is None:
            continue
        total, limit = found
        over = max(over, min(total - limit, count))
        if total + (missing if division in new else 0) > limit and (
            tightest is None or limit - total < tightest["limit"] - tightest["total"]
        ):
            tightest = {"division": division, "limit": limit, "total": total - count}
    return missing + over, tightest


def _from_outside(path: list[str], taken: list[tuple[Stock, int]]) -> dict[str, int]:
    """Per division node of the borrower's path, how many of the posts come from outside it."""
    outside: dict[str, int] = {}
    for stock, count in taken:
        for node_id in path[: stock.rank - 1] if stock.rank else []:
            outside[node_id] = outside.get(node_id, 0) + count
    return outside


def refuse_unless(decision: Decision) -> Decision:
    """The decision, if it passes. Errors: Refused with its sentence, rule and figures."""
    if not decision.passes:
        figures = {name: value for name, value in decision.values.items() if value is not None}
        most = {"most": figures["most"]} if "most" in figures else {}
        raise Refused(decision.sentence, answer=decision.answer.value, rule=decision.rule, figures=figures, **most)
    return decision


def gather_facts(session: Session, act: Act, node: PoolNode, request: PoolRequest, posts: int) -> tuple[Facts, Terms]:
    """What the rules look at today, for so many posts, before any lender was chosen."""
    terms = terms_on(session, act.today, node.division_code)
    cell = Cell(node.id, request.post_type, request.fund_form)
    cells = cell_figures(session, [node.id], act.today)
    figures = cells.get(cell, Figures())
    live = live_counts(session, node.unit_code, but=request.number)
    other = sum(
        max(0, held.usable)
        for at, held in cells.items()
        if at.post_type == cell.post_type and at.fund_form != cell.fund_form
    )
    facts = Facts(
        PostType(request.post_type), request.purpose, posts, request.months, usable=figures.usable,
        other_usable=other, other_waiver=request.other_waiver, overdue=overdue_count(session, node.unit_code, act.today),
        live=sum(live.values()), live_of_purpose=live.get(request.purpose, 0),
        backing=backing(
            session, cell, cells.get(cell), act.today, add_months(act.today, min(request.months, 1200)), request.number
        ),
        central_no=request.central_no, exception_doc=request.exception_doc,
    )  # fmt: skip
    return facts, terms


def with_lenders(session: Session, node: PoolNode, facts: Facts, taken: list[tuple[Stock, int]]) -> Facts:
    """The same facts with the lenders' levels, and R17 in the tightest division that borrows from outside."""
    level, tightest = _levels(session, node, facts.post_type, taken)
    return replace(facts, lender_level=level, **tightest)


def decide_taken(
    session: Session, act: Act, node: PoolNode, facts: Facts, terms: Terms, taken: list[tuple[Stock, int]],
    *, pending: bool = False, told: bool = True,
) -> Decision:  # fmt: skip
    """The decision once lenders were chosen. pending: the posts are asked for already; told: somebody reads why.

    Errors: Refused; for want of a paper (R12) with the lots that ask for it and the most posts that pass without.
    """
    decision = decide_request(with_lenders(session, node, facts, taken), terms)
    if not told or decision.answer not in PAPERS:
        return refuse_unless(decision)
    ask = partial(_asks_for, session, node, decision.answer)
    free = list(takewhile(lambda each: not ask(each[0]), taken))
    raise Refused(
        decision.sentence, answer=decision.answer.value, rule=decision.rule, needs=PAPERS[decision.answer],
        most=_most_without(session, act, node, facts, terms, free, pending) if free else 0,
        lots=[_lot(session, stock, posts) for stock, posts in taken if ask(stock)],
    )  # fmt: skip


def _asks_for(session: Session, node: PoolNode, answer: Answer, stock: Stock) -> bool:
    """Whether posts of the lot change level, or go up one, to reach the borrower."""
    steps = LEVELS.index(Level(session.get(PoolNode, stock.node_id).level)) - LEVELS.index(Level(node.level))
    return steps > 0 if answer is Answer.UPWARD_NEEDS_DOCUMENT else steps != 0


def _lot(session: Session, stock: Stock, posts: int) -> dict[str, object]:
    pool = session.get(PoolNode, stock.node_id)
    return {
        "lot": stock.lot.lot_no, "owner": stock.lot.owner.holder, "node": pool.id, "level": pool.level, "posts": posts,
        "document_no": session.get(PoolMovement, stock.lot.lot_no).document_no,
    }  # fmt: skip


def _most_without(session, act, node, facts: Facts, terms: Terms, free: list[tuple[Stock, int]], pending: bool) -> int:
    """The most posts of the lots taken first that pass without the paper: by the rules, and by the tree where they are
    not asked for yet."""
    posts, lot = sum(count for _, count in free), free[0][0].lot
    fewer = decide_request(with_lenders(session, node, replace(facts, posts=posts), free), terms)
    if not fewer.passes:
        posts = min(posts, int(fewer.values.get("most") or 0))
    strained = partial(strains_of_taking, session, Cell(node.id, *lot.owner.partition), lot.purpose, on=act.today)
    strains = [] if pending or not posts else strained(posts)
    borne = most_borne(strains) if strains else posts
    return posts if borne is None else borne


def _levels(session, node, post_type, taken) -> tuple[int | None, dict[str, object]]:
    """How far the lenders stand from the borrower, and R17 in the tightest division that borrows from outside."""
    if not taken:
        return None, {}
    here = LEVELS.index(Level(node.level))
    steps = {LEVELS.index(Level(session.get(PoolNode, stock.node_id).level)) - here for stock, _ in taken}
    level = 1 if max(steps) > 0 else -1 if min(steps) < 0 else 0
    outside = _from_outside(path_up(parents(session, [node.id]), node.id)[1:], taken)
    tightest: dict[str, object] = {}
    asked = most = sum(count for _, count in taken)
    for node_id, count in outside.items():
        division = session.get(PoolNode, node_id).division_code
        found = total_after(session, division, post_type, count)
        if found:
            # The lots from outside are the last taken: of fewer posts, fewer come from there.
            most = min(most, asked - min(max(0, found[0] - found[1]), count))
        if found and (not tightest or found[1] - found[0] < tightest["total_limit"] - tightest["total"]):
            tightest = {"total": found[0], "total_limit": found[1], "total_division": division}
    return level, tightest | ({"total_most": most} if tightest else {})


def decision_node(session, node, taken, decision: Decision) -> str:
    """Whose director decides: the borrower's own node, the node where lender and borrower meet, or one level up (R06)."""
    path = path_up(parents(session, [node.id]), node.id)[1:]
    rank = max([0, *(stock.rank - 1 for stock, _ in taken)])
    if decision.answer is Answer.ALLOWED_BY_UPPER:
        rank = max(rank, 1)
    return path[min(rank, len(path) - 1)]
