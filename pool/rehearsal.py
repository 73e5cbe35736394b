"""An act by document, rehearsed: done inside a savepoint, looked at node by node, and taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.errors import BianzhiError, Refused
from core.types import Level
from pool.acting import Act, Receipt, parents
from pool.acts import Deed, Values, read_node
from pool.forest import Partition, load_tree
from pool.ledger import AUTHORITY_HOLDER, Cell
from pool.lists import nodes_named
from pool.models import PoolEntry, PoolMovement, PoolNode
from pool.service_nodes import partitions
from pool.store import Figures, cell_figures
from pool.tree import surpluses

Perform = Callable[[Session, Act, Deed, Values, str], Receipt]
REORGANISING = ("reparent", "merge", "abolish")


@dataclass(frozen=True)
class State:
    """One node in one partition: the figures of its cell, and T (None: it does not stand)."""

    figures: Figures
    surplus: int | None


@dataclass(frozen=True)
class NodeEffect:
    """What an act does to one node in one partition."""

    node: PoolNode
    post_type: str
    fund_form: str
    before: State
    after: State


@dataclass(frozen=True)
class Rehearsal:
    """What an act would answer if it were done now, and what it does, the units first. refusal: why it would not pass."""

    effects: list[NodeEffect]
    receipt: Receipt = field(default_factory=dict)
    refusal: Refused | None = None

    @property
    def passes(self) -> bool:
        return self.refusal is None


def rehearse(session: Session, act: Act, perform: Perform, deed: Deed, values: Values) -> Rehearsal:
    """Do it, look, and take all of it back: nothing stays, and the answer is the real one. perform: what the door does
    when the act is sent, so that neither can refuse what the other lets pass.

    Needs a writing transaction. Errors: InputRejected, NotFound, Forbidden, as the act's own; a refusal is an answer.
    """
    last = session.scalar(select(func.coalesce(func.max(PoolMovement.seq), 0)))
    day = max(act.today, values.get("effective") or act.today)
    named = {values[each.name] for each in deed.arguments if each.read is read_node and each.name in values}
    cells = {Cell(node_id, *partition) for node_id in named for partition in _partitions(session, deed, values)}
    above = set(parents(session, named))  # a node that moves leaves those above it, too
    receipt, refusal, after = {}, None, {}
    trial = session.begin_nested()
    try:
        receipt = perform(session, act, deed, values, "")
        cells |= _touched(session, last)
        above |= set(parents(session, {cell.holder for cell in cells}))
        after = _states(session, above, cells, day)
    except BianzhiError as error:
        if type(error) is not Refused:
            raise
        refusal = error
        above |= named
    finally:
        trial.rollback()
    before = _states(session, above, cells, day)
    return Rehearsal(_effects(session, before, after or before, cells), receipt, refusal)


def _partitions(session: Session, deed: Deed, values: Values) -> set[Partition]:
    """Those the act names; a reorganisation concerns all there are."""
    if deed.name in REORGANISING:
        return {(post_type, fund_form) for post_type, fund_form, _ in partitions(session)}
    sides = (("post_type", "fund_form"), ("to_type", "to_form"))
    return {(values[kind], values[form]) for kind, form in sides if kind in values and form in values}


def _touched(session: Session, last: int) -> set[Cell]:
    rows = session.execute(
        select(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form)
        .where(PoolEntry.movement_seq > last, PoolEntry.holder != AUTHORITY_HOLDER)
        .distinct()
    )
    return {Cell(*row) for row in rows}


def _states(session: Session, node_ids: Iterable[str], cells: set[Cell], day: date) -> dict[Cell, State]:
    figures = cell_figures(session, sorted(node_ids), day)
    found = {}
    for partition in sorted({cell.partition for cell in cells}):
        surplus = surpluses(load_tree(session, partition))
        for node_id in node_ids:
            cell = Cell(node_id, *partition)
            found[cell] = State(figures.get(cell, Figures()), surplus.get(node_id))
    return found


def _effects(
    session: Session, before: dict[Cell, State], after: dict[Cell, State], cells: set[Cell]
) -> list[NodeEffect]:
    """Nodes that change, and those whose own posts the act moves; from the units up."""
    nothing = State(Figures(), None)
    held = {cell for cell in cells if before.get(cell, nothing).figures != Figures()}
    shown = {cell for cell in {*before, *after} if before.get(cell, nothing) != after.get(cell, nothing)} | held
    nodes = nodes_named(session, {cell.holder for cell in shown})
    levels = list(Level)

    def place(cell: Cell) -> tuple:
        node = nodes[cell.holder]
        return cell.partition, node.kind != "UNIT", -levels.index(Level(node.level)), node.id

    return [
        NodeEffect(nodes[cell.holder], *cell.partition, before.get(cell, nothing), after.get(cell, nothing))
        for cell in sorted((cell for cell in shown if cell.holder in nodes), key=place)
    ]
