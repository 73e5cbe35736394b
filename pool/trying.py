"""What if, by name and from text: a change tried on copies of every tree it touches, as rows per node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from pool.acting import node_of
from pool.acts import read_code, read_node, read_word
from pool.forest import Partition
from pool.ledger import parse_cell
from pool.models import PoolNode
from pool.service_nodes import partitions
from pool.store import slot_of
from pool.tree import WhatIf
from pool.whatif import what_if_abolished, what_if_cut, what_if_merged, what_if_recalled, what_if_reparented

Trials = Iterable[tuple[Partition, WhatIf]]


@dataclass(frozen=True)
class Tried:
    """One node in one partition, before and after: T and posts short; None where it does not stand. binds: it stops the
    change."""

    post_type: str
    fund_form: str
    node: str
    name: str
    before: int | None
    after: int | None
    short_before: int
    short_after: int
    binds: bool


def try_change(session: Session, change: str, what: Sequence[str]) -> list[Tried]:
    """A change by name, its arguments as text: the nodes whose T or deficit changes, and those that bind.

    Errors: InputRejected says what the change takes; NotFound; Refused.
    """
    if change == "recall":
        return _rows(session, _recall(session, [read_code(number) for number in what]))
    if change == "cut":
        holder, post_type, fund_form, posts = _read(change, what, (read_node, read_word, read_word, str))
        partition = parse_cell(node_of(session, holder).id, post_type, fund_form).partition
        return _rows(session, [(partition, what_if_cut(session, partition, holder, posts))])
    everywhere: dict[str, tuple[Callable[..., WhatIf], int]] = {
        "reparent": (what_if_reparented, 2), "merge": (what_if_merged, 2), "abolish": (what_if_abolished, 1),
    }  # fmt: skip
    use_case, count = everywhere[change]
    nodes = [node_of(session, node).id for node in _read(change, what, (read_node,) * count)]
    trees = sorted({tree[:2] for tree in partitions(session)})
    return _rows(session, ((partition, use_case(session, partition, *nodes)) for partition in trees))


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
    first = slots[0]
    partition = (first.post_type, first.fund_form)
    yield partition, what_if_recalled(session, partition, first.lender_id, first.node_id, len(slots))


def _rows(session: Session, trials: Trials) -> list[Tried]:
    names = dict(session.execute(select(PoolNode.id, PoolNode.name)).all())
    return [row for partition, tried in trials for row in _changed(partition, tried, names)]


def _changed(partition: Partition, tried: WhatIf, names: Mapping[str, str]) -> list[Tried]:
    binds = {binding.node for binding in tried.binds}
    rows = [
        Tried(
            *partition, node, names.get(node, node), tried.before.get(node), tried.after.get(node),
            tried.deficits_before.get(node, 0), tried.deficits_after.get(node, 0), node in binds,
        )
        for node in sorted({*tried.before, *tried.after})
    ]  # fmt: skip
    return [
        row for row in rows if row.binds or (row.before or 0) != (row.after or 0) or row.short_before != row.short_after
    ]
