"""Opening balances of the ledger, read from a settled night's own figures: the pool never imports the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import Refused
from core.permissions import Permission, Scope, may
from core.settings import Settings
from core.units import division_lineage
from night.places import snapshot_dir
from pool.models import PoolNode
from pool.service_opening import cells_with_accounts
from reconcile.models import NightRun, NightState

OpeningRow = tuple[str, str, str, int, int]


@dataclass(frozen=True)
class Opening:
    """rows: (unit_code, post_type, fund_form, quota, in_post). unknown: cells whose quota or people the night does not
    know, which open when it does: unknown is not zero."""

    rows: list[OpeningRow]
    unknown: list[tuple[str, str, str]]


def opening_rows(session: Session, settings: Settings, as_of: date) -> Opening:
    """Quota and in post per cell of the accepted night `as_of`, as its rules counted them.

    Errors: Refused when that night has not settled, or its files were pruned.
    """
    run = session.scalars(
        select(NightRun).where(
            NightRun.as_of == as_of, NightRun.state == NightState.SETTLED, NightRun.superseded_by.is_(None)
        )
    ).one_or_none()
    if run is None:
        raise Refused(f"{as_of} 这一夜没有结转，不能据以开账；请先运行 bianzhi night。", answer="NOT_SETTLED")
    path = snapshot_dir(settings, run) / "cells.parquet"
    if run.pruned_at is not None or not path.exists():
        raise Refused(f"{as_of} 这一夜的明细已清理，不能据以开账；请用较近的一夜。", answer="PRUNED")
    rows, unknown = [], []
    for unit, kind, form, quota, in_post in read_cells(path.parent):
        if quota is None or in_post is None:
            unknown.append((unit, kind, form))
        else:
            rows.append((unit, kind, form, quota, in_post))
    return Opening(sorted(rows), sorted(unknown))


def read_cells(folder: Path) -> list[tuple[str, str, str, int | None, int | None]]:
    """(unit, post_type, fund_form, quota, in post) of a snapshot's cells; None = that night does not know.

    A unit's total has no type, and the part of another unit's total is counted there: neither is a cell.
    """
    columns = ["unit_code", "post_type", "fund_form", "quota", "in_post", "part_of"]
    table = pq.read_table(folder / "cells.parquet", columns=columns)
    return [row[:5] for row in zip(*table.to_pydict().values(), strict=True) if row[1] and row[2] and row[5] is None]


def rows_within_reach(
    session: Session, rows: Sequence[OpeningRow], scope: Scope, division: str | None, units: Sequence[str],
    new_only: bool,
) -> list[OpeningRow]:  # fmt: skip
    """The rows of units whose posts this person may move. new_only: without cells that have accounts already."""
    nodes = {
        node.unit_code: node.division_code
        for node in session.scalars(
            select(PoolNode).where(PoolNode.unit_code.is_not(None), PoolNode.closed_on.is_(None))
        )
    }
    opened = cells_with_accounts(session) if new_only else set()
    wanted = {
        unit
        for unit, place in nodes.items()
        if may(scope.roles_for(unit, place), Permission.MOVE_POSTS)
        and (division is None or division in division_lineage(place))
        and (not units or unit in units)
    }
    return [row for row in rows if row[0] in wanted and (f"U:{row[0]}", *row[1:3]) not in opened]
