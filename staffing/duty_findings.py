"""The checks of `staffing.duties_check` over what a person sees: items, movements of posts, quotas, inner bodies."""

from __future__ import annotations

from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.parameters import parameter_value
from core.permissions import Scope
from pool.ledger import Kind
from pool.models import PoolMovement
from pool.store import cell_figures
from staffing.determination_store import in_force
from staffing.duties_check import Finding, PostMove, moved_apart, standing_apart
from staffing.duty_items import as_items, item_rows

MOVING = (Kind.TRANSFER, Kind.GRANT, Kind.CUT)
CHUNK = 500


def findings(session: Session, scope: Scope, on: date) -> list[Finding]:
    """Every gap a person sees on a day: one of its two units lies in the scope. What moved first, the newest first."""
    rows = item_rows(session, None)
    items = as_items(session, rows)
    listed = {item.unit_code for item in items if item.holds(on)}
    days = parameter_value(session, "duty_move_days", on)
    known = {item.unit_code for item in items}
    moved = moved_apart(items, post_movements(session, known, on), known, days)
    seen = sorted(code for code in listed if scope.sees_unit(code))
    holders = [f"U:{code}" for code in seen]
    quotas: dict[tuple[str, str, str], int] = {}
    for start in range(0, len(holders), CHUNK):
        for cell, held in cell_figures(session, holders[start : start + CHUNK], on).items():
            quotas[cell.holder.removeprefix("U:"), cell.post_type, cell.fund_form] = held.quota
    bodies = {code: [name for name, _, _ in version.bodies] for code, version in in_force(session, seen, on).items()}
    standing = standing_apart([item for item in items if item.unit_code in set(seen)], quotas, bodies, on)
    sees = lambda each: any(code and scope.sees_unit(code) for code in (each.unit_code, each.other_code))
    recent = sorted((each for each in moved if sees(each) and each.on <= on), key=lambda each: each.on, reverse=True)
    return [*recent, *standing]


def post_movements(session: Session, codes: set[str], on: date) -> list[PostMove]:
    """Transfers, grants and cuts of units effective by a day, those undone left out."""
    undone = set(session.scalars(select(PoolMovement.reverses).where(PoolMovement.reverses.is_not(None))))
    found: dict[int, PostMove] = {}
    holders = sorted(f"U:{code}" for code in codes)
    for start in range(0, len(holders), CHUNK):
        part = holders[start : start + CHUNK]
        query = select(PoolMovement).where(
            PoolMovement.kind.in_(MOVING), PoolMovement.effective_date <= on,
            or_(PoolMovement.from_holder.in_(part), PoolMovement.to_holder.in_(part)),
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
