"""What pages and API of duties share: the files handed in, the checks in words, the steps of a task."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from flask import g
from flask_babel import gettext as _

from pool.acting import Receipt
from pool.models import PoolNode
from reconcile.store import unit_names
from staffing.duties_check import SENTENCES, Finding
from staffing.duty_findings import findings
from staffing.duty_import import Delivered, FileKind, import_file
from staffing.duty_models import ReformTask
from staffing.reform_life import TASK_TURNS, TaskMove, TaskStatus, is_late, same_effect, task_barred
from staffing.reform_store import effects_of
from web.papers import paper_act


def bring(kind: str, name: str, content: bytes, values: dict[str, Any]) -> Receipt:
    """Import a file of this request."""
    given = Delivered(
        FileKind(kind), name, content, values.get("division") or None, values.get("document_no") or "",
        values.get("title") or "",
    )  # fmt: skip
    return import_file(g.db, paper_act(), given)


def gaps_seen(only: Collection[str] | None = None) -> list[Finding]:
    """What the person sees apart today; of some units only, if given."""
    return findings(g.db, g.scope, paper_act().today, only)


def names_of(found: Iterable[Finding]) -> dict[str, str]:
    """Names of the units concerned."""
    codes = {code for each in found for code in (each.unit_code, each.other_code) if code}
    return unit_names(g.db, codes)


def said(finding: Finding, names: dict[str, str]) -> str:
    """A finding's sentence in the reader's language."""
    name = lambda code: names.get(code, code) if code else ""
    return _(SENTENCES[finding.gap]).format(
        unit=name(finding.unit_code), other=name(finding.other_code), on=finding.on, item=finding.item_code,
        **finding.figures,
    )  # fmt: skip


def task_offers(row: ReformTask) -> list[tuple[TaskMove, str, str | None]]:
    """Steps of the roles this person has there: move, label, and why it may not be taken now (None: it may)."""
    unit = unit_division(row.unit_code)
    roles = g.scope.roles_for(row.unit_code, unit)
    planned, booked = effects_of(g.db, [row])[row.number]
    offers = []
    for move, turn in TASK_TURNS.items():
        why = task_barred(move, TaskStatus(row.status), roles, same_effect(planned, booked))
        if move is not TaskMove.SET and why not in ("WRONG_ROLE", "WRONG_STATUS"):
            offers.append((move, turn.label, why))
    return offers


def unit_division(unit_code: str) -> str | None:
    """The division of a unit as the pool has it."""
    node = g.db.get(PoolNode, f"U:{unit_code}")
    return node.division_code if node else None


def late(row: ReformTask) -> bool:
    """Past its deadline and not ended."""
    return is_late(row.status, row.deadline, paper_act().today)
