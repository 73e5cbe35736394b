"""The checks of `staffing.duties_check` over what a person sees: items, movements of posts, quotas, inner bodies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from sqlalchemy import String, and_, cast, null, or_, select
from sqlalchemy.orm import Session

from core.parameters import parameter_value
from core.permissions import Scope
from pool.acting import REVERSED
from pool.ledger import Kind
from pool.models import PoolMovement
from pool.store import cell_figures
from staffing.determination_store import in_force
from staffing.duties_check import Finding, Item, PostMove, moved_apart, standing_apart
from staffing.duty_models import DutyItem, DutyItemPosts

MOVING = (Kind.TRANSFER, Kind.GRANT, Kind.CUT)
CHUNK = 500


def findings(session: Session, scope: Scope, on: date, only: Collection[str] | None = None) -> list[Finding]:
    """Every gap a person sees on a day: one of its two units lies in the scope (and in `only`, if that is given).

    What moved first, the newest first; then what stands.
    """
    items = _items(session, scope, only)
    known = set(session.scalars(select(DutyItem.unit_code).distinct()))
    units = scope.units if only is None else scope.units & set(only)
    mine = lambda code: code in units
    days = parameter_value(session, "duty_move_days", on)
    moved = moved_apart(items, post_movements(session, {item.unit_code for item in items}, on), known, days)
    recent = [each for each in moved if each.on <= on and (mine(each.unit_code) or mine(each.other_code))]
    own = [item for item in items if mine(item.unit_code)]
    seen = sorted({item.unit_code for item in own if item.holds(on)})
    standing = standing_apart(own, _quotas(session, seen, on), _bodies(session, seen, on), on)
    return [*sorted(recent, key=lambda each: each.on, reverse=True), *standing]


def _items(session: Session, scope: Scope, only: Collection[str] | None) -> list[Item]:
    """Items of the units seen, and items under the same codes elsewhere: what moved has an end in both."""
    seen = scope.condition(DutyItem.unit_code, cast(null(), String))
    if only is not None:
        seen = and_(seen, DutyItem.unit_code.in_(sorted(only)))
    codes = select(DutyItem.code).where(seen)
    wanted = or_(seen, DutyItem.code.in_(codes))
    lines = select(DutyItemPosts.item_id, DutyItemPosts.post_type, DutyItemPosts.fund_form, DutyItemPosts.posts).where(
        DutyItemPosts.item_id.in_(select(DutyItem.id).where(wanted))
    )
    posts: dict[int, dict[tuple[str, str], int]] = defaultdict(dict)
    for item_id, post_type, fund_form, count in session.execute(lines):
        posts[item_id][post_type, fund_form] = count
    columns = (
        DutyItem.id, DutyItem.unit_code, DutyItem.code, DutyItem.name, DutyItem.valid_from, DutyItem.valid_to,
        DutyItem.inner_body,
    )  # fmt: skip
    rows = session.execute(
        select(*columns).where(wanted).order_by(DutyItem.unit_code, DutyItem.code, DutyItem.valid_from)
    )
    return [Item(*row[1:], posts.get(row[0], {})) for row in rows]


def _quotas(session: Session, codes: list[str], on: date) -> dict[tuple[str, str, str], int]:
    found = {}
    holders = [f"U:{code}" for code in codes]
    for start in range(0, len(holders), CHUNK):
        for cell, held in cell_figures(session, holders[start : start + CHUNK], on).items():
            found[cell.holder.removeprefix("U:"), cell.post_type, cell.fund_form] = held.quota
    return found


def _bodies(session: Session, codes: list[str], on: date) -> dict[str, list[str]]:
    return {code: [name for name, _, _ in version.bodies] for code, version in in_force(session, codes, on).items()}


def post_movements(session: Session, codes: set[str], on: date) -> list[PostMove]:
    """Transfers, grants and cuts of units effective by a day, those undone left out."""
    undone = set(session.scalars(REVERSED))
    found: dict[int, PostMove] = {}
    holders = sorted(f"U:{code}" for code in codes)
    for start in range(0, len(holders), CHUNK):
        part = holders[start : start + CHUNK]
        ends = or_(PoolMovement.from_holder.in_(part), PoolMovement.to_holder.in_(part))
        # The other half of a CUT and GRANT by one document may lie with a unit that is not asked about.
        halves = select(PoolMovement.document_no).where(ends, PoolMovement.kind.in_((Kind.GRANT, Kind.CUT)))
        query = select(PoolMovement).where(
            PoolMovement.kind.in_(MOVING), PoolMovement.effective_date <= on,
            or_(ends, PoolMovement.document_no.in_(halves)),
        )  # fmt: skip
        for row in session.scalars(query):
            if row.seq not in undone:
                found[row.seq] = PostMove(
                    _unit(row.from_holder), _unit(row.to_holder), row.post_type, row.fund_form, row.posts,
                    row.effective_date, row.document_no or "",
                )  # fmt: skip
    return [found[seq] for seq in sorted(found)]


def _unit(holder: str | None) -> str | None:
    return holder.removeprefix("U:") if holder else None
