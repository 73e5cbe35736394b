"""What if: a cut, merger, abolition, re-parenting or recall tried on a copy of every tree it touches; nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from pool.acting import node_of
from pool.acts import read_code, read_node, read_word
from pool.forest import Partition, load_tree, vacancies
from pool.ledger import NO_PURPOSE, parse_cell, parse_posts
from pool.models import PoolNode
from pool.service_nodes import partitions
from pool.store import slot_of
from pool.tree import Node, WhatIf, if_abolished, if_cut, if_merged, if_recalled, if_reparented, moved, what_if

Tree = Mapping[str, Node]
Trees = dict[tuple[str, str, str], WhatIf]


@dataclass(frozen=True)
class Tried:
    """One node in one tree, before and after: T and posts short; None where it does not stand. binds: it stops the change."""

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


def try_change(session: Session, change: str, what: Sequence[str]) -> list[Tried]:
    """A change by name, its arguments as text. Errors: InputRejected says what it takes; Refused."""
    tries: dict[str, tuple[Callable[..., list[Tried]], tuple[Callable[[str], object], ...]]] = {
        "cut": (try_cut, (read_node, read_word, read_word, str)),
        "reparent": (try_reparent, (read_node, read_node)),
        "merge": (try_merge, (read_node, read_node)),
        "abolish": (try_abolish, (read_node,)),
    }
    if change == "recall":
        return try_recall(session, [read_code(number) for number in what])
    use_case, readers = tries[change]
    if len(what) != len(readers):
        raise InputRejected(f"试算 {change} 须有 {len(readers)} 个参数。", field="what")
    return use_case(session, *(read(text) for read, text in zip(readers, what, strict=True)))


def try_cut(session: Session, holder: str, post_type: str, fund_form: str, posts: object) -> list[Tried]:
    """A CUT of so many posts. Only the tree of all purposes knows own vacancies."""
    count, partition = parse_posts(posts), parse_cell(holder, post_type, fund_form).partition
    node_of(session, holder)
    vacant = vacancies(session, partition).get(holder, 0)
    return _tried(session, [(*partition, NO_PURPOSE)], lambda tree, _: if_cut(tree, holder, count, vacant))


def try_reparent(session: Session, node_id: str, parent_id: str) -> list[Tried]:
    """The node under another parent."""
    node_of(session, node_id)
    return _tried(session, partitions(session), lambda tree, _: if_reparented(tree, node_id, parent_id))


def try_abolish(session: Session, node_id: str) -> list[Tried]:
    """The node gone, with what it owns or owes. Errors: Refused while nodes stand below it."""
    node_of(session, node_id)
    return _tried(session, partitions(session), lambda tree, _: if_abolished(tree, node_id))


def try_merge(session: Session, node_id: str, into_id: str) -> list[Tried]:
    """One unit merged into another: one's vacancies cover the other's excess, which only the tree of all purposes knows."""
    if node_of(session, node_id).id == node_of(session, into_id).id:
        raise Refused("不能并入自己。", answer="SAME_NODE")
    vacant: dict[Partition, Mapping[str, int]] = {}

    def change(tree: Tree, key: tuple[str, str, str]) -> Tree:
        own = tree[node_id].own + tree[into_id].own
        if key[2] == NO_PURPOSE:
            here = vacant.setdefault(key[:2], vacancies(session, key[:2]))
            one, other = here.get(node_id, 0), here.get(into_id, 0)
            own += min(one + other, 0) - min(one, 0) - min(other, 0)
        return if_merged(tree, node_id, into_id, own)

    return _tried(session, partitions(session), change)


def try_recall(session: Session, slot_nos: Sequence[str]) -> list[Tried]:
    """Live slots of one loan and lender back home with the lender."""
    slots = [slot_of(session, number) for number in slot_nos]
    if len({(slot.loan_no, slot.lender_id) for slot in slots}) != 1 or len(set(slot_nos)) != len(slot_nos):
        raise InputRejected("一次只能试算一笔借用中同一出借方的编制，每个一次。", field="slots")
    if any(slot.ended_on is not None for slot in slots):
        raise Refused("其中有已经了结的用编序号。", answer="ENDED")
    first, count = slots[0], len(slots)
    trees = [(first.post_type, first.fund_form, purpose) for purpose in (NO_PURPOSE, first.purpose)]

    def change(tree: Tree, _) -> Tree:
        if first.lender_id.startswith("U:"):
            return if_recalled(tree, first.lender_id, first.node_id, count)
        # A division's lending limit is a decision and stays when its posts come home.
        return moved(tree, {first.lender_id: -count, first.node_id: count})

    return _tried(session, trees, change)


def _tried(
    session: Session, keys: Sequence[tuple[str, str, str]], change: Callable[[Tree, tuple[str, str, str]], Tree]
) -> list[Tried]:
    names = dict(session.execute(select(PoolNode.id, PoolNode.name)).all())
    rows = []
    for key in keys:
        tree = load_tree(session, key[:2], key[2])
        rows += _rows(key, what_if(tree, change(tree, key)), names)
    return rows


def _rows(key: tuple[str, str, str], tried: WhatIf, names: Mapping[str, str]) -> list[Tried]:
    """The nodes whose T or deficit changes, and those that bind."""
    binds = {binding.node for binding in tried.binds}
    found = []
    for node in sorted({*tried.before, *tried.after}):
        row = Tried(
            *key, node, names.get(node, node), tried.before.get(node), tried.after.get(node),
            tried.deficits_before.get(node, 0), tried.deficits_after.get(node, 0), node in binds,
        )  # fmt: skip
        if node in binds or (row.before or 0) != (row.after or 0) or row.short_before != row.short_after:
            found.append(row)
    return found
