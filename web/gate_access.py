"""What an address of the gate names, in the reach of who asks: elsewhere it does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import g

from core.errors import NotFound
from pool.acting import NOT_HERE, node_of
from staffing import lists
from staffing.chain import Subject
from staffing.models import StaffBlock, StaffNotice
from web.pool_access import view_scope


def load_plan(named: Mapping[str, Any]) -> None:
    g.row = lists.seen_one(g.db, view_scope(), Subject.PLAN, named["plan_no"])


def load_talk(named: Mapping[str, Any]) -> None:
    g.row = lists.seen_one(g.db, view_scope(), Subject.CONSULTATION, named["talk_no"])


def load_use(named: Mapping[str, Any]) -> None:
    g.row = lists.seen_one(g.db, view_scope(), Subject.APPLICATION, named["use_no"])


def load_post(named: Mapping[str, Any]) -> None:
    g.row = lists.seen_one(g.db, view_scope(), Subject.SLOT, named["post_no"])


def load_notice(named: Mapping[str, Any]) -> None:
    g.row = _of_unit(StaffNotice, named["notice_id"])


def load_block(named: Mapping[str, Any]) -> None:
    g.row = _of_unit(StaffBlock, named["block_id"])


def _of_unit(table: type[StaffNotice | StaffBlock], number: int) -> StaffNotice | StaffBlock:
    row = g.db.get(table, number) if number < 2**31 else None
    node = node_of(g.db, f"U:{row.unit_code}") if row is not None else None
    if node is None or not view_scope().roles_for(
        node.unit_code if node.closed_on is None else None, node.division_code
    ):
        raise NotFound(NOT_HERE)
    return row
