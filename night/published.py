"""What the public may see: units with quota and people in post, and the pool's totals; counts of posts, never a person
and never a flag (DOMAIN §6). Figures are those of the newest settled night; a unit switched to our ledger has its quota
from there, of the same day. A division publishes by decision (parameter `publish_figures`); in development all do.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.parameters import Parameter, parameter_value
from core.permissions import is_current
from core.units import UnitVersion
from night.parts import parts_of
from pool.ledger import Account
from pool.models import PoolBalance, PoolLot, PoolMovement, PoolNode
from pool.store import cell_figures
from reconcile.models import CellFigure, NightRun
from reconcile.store import newest_run

NIGHT, LEDGER = "NIGHT", "LEDGER"
FLAG = "publish_figures"


@dataclass(frozen=True)
class PublicCell:
    """Posts and people of one cell; None: unknown, never 0. source: whose the quota is, a delivered book or our ledger."""

    post_type: str
    fund_form: str
    quota: int | None
    in_post: int | None
    source: str

    @property
    def vacant(self) -> int | None:
        """quota − in post."""
        return None if self.quota is None or self.in_post is None else self.quota - self.in_post


@dataclass(frozen=True)
class PublicUnit:
    """One published unit. part_of: its figures are in that unit's too, and in no sum."""

    unit_code: str
    unit_name: str
    aliases: str
    division_code: str
    level: str
    unit_kind: str
    parent_code: str | None
    part_of: str | None
    cells: tuple[PublicCell, ...]
    quota: int | None
    in_post: int | None

    @property
    def vacant(self) -> int | None:
        return None if self.quota is None or self.in_post is None else self.quota - self.in_post


@dataclass(frozen=True)
class PublicPool:
    """Posts of one division's pool at a level, by type and fund form."""

    division_code: str
    level: str
    post_type: str
    fund_form: str
    idle: int
    pending: int
    lent: int


@dataclass(frozen=True)
class State:
    """What a published picture depends on; equal states give equal pages. `moved_at`: the newest change of any of it."""

    run_id: int | None
    as_of: date | None
    settled_at: datetime | None
    movement: int
    register: str
    parameter: str
    moved_at: datetime | None

    @property
    def mark(self) -> str:
        """A short hash for an ETag."""
        held = (self.run_id, self.as_of, self.settled_at, self.movement, self.register, self.parameter)
        return hashlib.sha256(repr(held).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Picture:
    """Everything public at one state."""

    state: State
    units: tuple[PublicUnit, ...]
    pool: tuple[PublicPool, ...]

    def unit(self, code: str) -> PublicUnit | None:
        """The published unit of that code, if any."""
        return next((unit for unit in self.units if unit.unit_code == code), None)


def state_of(session: Session, today: date) -> State:
    """Read by short queries, at every request."""
    run = newest_run(session)
    moved = session.execute(select(PoolMovement.seq, PoolMovement.booked_at).order_by(PoolMovement.seq.desc()).limit(1))
    last = moved.one_or_none()
    settings = select(Parameter.division_code, Parameter.valid_from, Parameter.value, Parameter.set_at)
    rows = session.execute(settings.where(Parameter.name == FLAG, Parameter.valid_from <= today).order_by(Parameter.id))
    held = [tuple(row) for row in rows]
    times = [
        at for at in (run and run.settled_at, last and last.booked_at, *(row[3] for row in held)) if at is not None
    ]
    newest, count = session.execute(select(func.max(UnitVersion.id), func.count(UnitVersion.id))).one()
    switched = session.scalar(select(func.count(PoolNode.id)).where(PoolNode.switched_on.is_not(None)))
    return State(
        run.id if run else None, run.as_of if run else None, run.settled_at if run else None, last.seq if last else 0,
        f"{newest} {count} {switched}",
        repr([(row[0], row[1], row[2]) for row in held]), max(times, default=None),
    )  # fmt: skip


def picture(session: Session, today: date, unset: bool) -> Picture:
    """Everything public now. unset: whether a division for which nobody decided publishes."""
    state = state_of(session, today)
    run = session.get(NightRun, state.run_id) if state.run_id is not None else None
    register = list(session.scalars(select(UnitVersion).where(is_current()).order_by(UnitVersion.unit_code)))
    decided: dict[str, bool] = {}

    def open_to_all(division: str) -> bool:
        if division not in decided:
            value = parameter_value(session, FLAG, today, division)
            decided[division] = unset if value is None else bool(value)
        return decided[division]

    register = [unit for unit in register if open_to_all(unit.division_code) and _stands(unit, state.as_of)]
    cells, totals = _figures(session, run, {unit.unit_code for unit in register})
    units = tuple(_unit(unit, cells.get(unit.unit_code, []), totals.get(unit.unit_code)) for unit in register)
    pools = tuple(pool for pool in _pools(session) if open_to_all(pool.division_code))
    return Picture(state, units, pools)


def _stands(unit: UnitVersion, as_of: date | None) -> bool:
    return unit.valid_to is None or as_of is None or unit.valid_to >= as_of


def _unit(unit: UnitVersion, cells: list[PublicCell], total: CellFigure | None) -> PublicUnit:
    own = [cell for cell in cells if cell.source == LEDGER]
    quota = total.quota if total is not None else None
    if own:
        quota = _sum(cell.quota for cell in cells)
    return PublicUnit(
        unit.unit_code, unit.unit_name, unit.aliases or "", unit.division_code, unit.level, unit.unit_kind,
        unit.parent_code, total.part_of if total is not None else None, tuple(cells), quota,
        total.in_post if total is not None else None,
    )  # fmt: skip


def _sum(values: Iterable[int | None]) -> int | None:
    held = list(values)
    return None if not held or None in held else sum(value for value in held if value is not None)


def _figures(
    session: Session, run: NightRun | None, codes: set[str]
) -> tuple[dict[str, list[PublicCell]], dict[str, CellFigure]]:
    if run is None:
        return {}, {}
    ledger = _ledger_quotas(session, run.as_of, codes)
    cells: dict[str, list[PublicCell]] = defaultdict(list)
    totals: dict[str, CellFigure] = {}
    order = (CellFigure.unit_code, CellFigure.post_type, CellFigure.fund_form)
    for figure in session.scalars(select(CellFigure).where(CellFigure.run_id == run.id).order_by(*order)):
        if figure.unit_code not in codes:
            continue
        if not figure.post_type:
            totals[figure.unit_code] = figure
            continue
        own = ledger.get((figure.unit_code, figure.post_type, figure.fund_form))
        quota, source = (figure.quota, NIGHT) if own is None else (own, LEDGER)
        cells[figure.unit_code].append(PublicCell(figure.post_type, figure.fund_form, quota, figure.in_post, source))
    return cells, totals


def _ledger_quotas(session: Session, as_of: date, codes: set[str]) -> dict[tuple[str, str, str], int]:
    """Quota by our ledger on the night's day, of units switched to it by then."""
    switched = select(PoolNode.id).where(PoolNode.unit_code.is_not(None), PoolNode.switched_on <= as_of)
    holders = [holder for holder in session.scalars(switched) if holder.removeprefix("U:") in codes]
    quotas: dict[tuple[str, str, str], int] = {}
    for part in parts_of(sorted(holders)):
        for cell, held in cell_figures(session, part, as_of).items():
            quotas[cell.holder.removeprefix("U:"), cell.post_type, cell.fund_form] = held.quota
    return quotas


def _pools(session: Session) -> list[PublicPool]:
    """Posts idle, asked for and lent, per division, level, type and fund form, now."""
    accounts = (Account.IDLE, Account.PENDING, Account.LENT)
    keys = (PoolNode.division_code, PoolNode.level, PoolLot.post_type, PoolLot.fund_form)
    rows = session.execute(
        select(*keys, PoolBalance.account, func.sum(PoolBalance.posts))
        .join(PoolLot, PoolLot.node_id == PoolNode.id)
        .join(PoolBalance, PoolBalance.lot == PoolLot.lot_no)
        .where(PoolBalance.account.in_(accounts))
        .group_by(*keys, PoolBalance.account)
    )
    held: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: dict.fromkeys(map(str, accounts), 0))
    for *key, account, posts in rows:
        held[tuple(key)][account] = int(posts)
    return [PublicPool(*key, *posts.values()) for key, posts in sorted(held.items()) if any(posts.values())]
