"""What if, by name and from text: a change tried on copies of every tree it touches, as rows per node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from pool.acting import node_of
from pool.acts import read_code, read_node, read_word
from pool.approvals import SLOT_MOVES, Move
from pool.foresight import Supposed, suppose
from pool.models import PoolNode
from pool.store import slot_of
from pool.tree import WhatIf
from pool.whatif import TreeKey, Trials, what_if_slots_recalled


@dataclass(frozen=True)
class Tried:
    """One node in one tree, before and after: T and posts short; None where it does not stand. purpose '': all together.
    binds: its deficit would grow, which stops the change, or, of a CUT, opens debt."""

    post_type: str
    fund_form: str
    purpose: str
    node: str
    name: str
    before: int | None
    after: int | None
    short_before: int
    short_after: int
    binds: bool


def try_change(
    session: Session, change: str, what: Sequence[str], on: date, trial: Callable[..., Trials] = suppose
) -> list[Tried]:
    """A change by name, its arguments as text: the nodes whose T or deficit changes, and those that bind.

    trial: what tries it, as `pool.foresight.suppose`. Errors: InputRejected says what the change takes; NotFound; Refused
    as by the act.
    """
    if change == "recall":
        return _rows(session, _recall(session, [read_code(number) for number in what]))
    if change == "cut":
        holder, post_type, fund_form, posts = _read(change, what, (read_node, read_word, read_word, str))
        supposed = Supposed("CUT", node_of(session, holder).id, None, posts, post_type, fund_form)
    else:
        nodes = _read(change, what, (read_node,) * (1 if change == "abolish" else 2))
        supposed = Supposed(change.upper(), *(node_of(session, node).id for node in nodes))
    return _rows(session, trial(session, supposed, on))


def _read(change: str, what: Sequence[str], readers: Sequence[Callable[[str], object]]) -> list:
    if len(what) != len(readers):
        raise InputRejected(f"试算 {change} 须有 {len(readers)} 个参数。", field="what")
    return [read(text) for read, text in zip(readers, what, strict=True)]


def _recall(session: Session, slot_nos: Sequence[str]) -> Trials:
    """Live slots of one loan and lender, back home with the lender."""
    slots = [slot_of(session, number) for number in slot_nos]
    if len({(slot.loan_no, slot.lender_id) for slot in slots}) != 1 or len(set(slot_nos)) != len(slot_nos):
        raise InputRejected("一次只能试算一笔借用中同一出借方的编制，每个一次。", field="slots")
    if any(slot.ended_on is not None for slot in slots):
        raise Refused("其中有已经了结的用编序号。", answer="ENDED")
    if any(slot.status not in SLOT_MOVES[Move.RECALL].sources for slot in slots):
        raise Refused("其中有已经发出收回通知或已经逾期的用编序号，不必再收回。", answer="WRONG_STATUS")
    return what_if_slots_recalled(session, slots)


def _rows(session: Session, trials: Trials) -> list[Tried]:
    names = dict(session.execute(select(PoolNode.id, PoolNode.name)).all())
    return [row for key, tried in trials.items() for row in _changed(key, tried, names)]


def _changed(key: TreeKey, tried: WhatIf, names: Mapping[str, str]) -> list[Tried]:
    binds = {binding.node for binding in tried.binds}
    rows = [
        Tried(
            *key, node, names.get(node, node), tried.before.get(node), tried.after.get(node),
            tried.deficits_before.get(node, 0), tried.deficits_after.get(node, 0), node in binds,
        )
        for node in sorted({*tried.before, *tried.after})
    ]  # fmt: skip
    return [
        row for row in rows if row.binds or (row.before or 0) != (row.after or 0) or row.short_before != row.short_after
    ]
