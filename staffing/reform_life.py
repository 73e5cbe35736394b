"""A reform task's life: the one table of its moves and who may make each (DOMAIN §6). Pure.

`OPEN → UNDERWAY → REPORTED → DONE`, back from REPORTED with a reason, DROPPED by the director. Documents are linked while it lives.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.accounts import Role
from core.errors import Forbidden, Refused
from core.permissions import ALLOWED, Permission


class TaskStatus(StrEnum):
    """Where a task stands."""

    OPEN = "OPEN"
    UNDERWAY = "UNDERWAY"
    REPORTED = "REPORTED"
    DONE = "DONE"
    DROPPED = "DROPPED"


class TaskMove(StrEnum):
    """Every step a task can take."""

    SET = "SET"
    START = "START"
    LINK = "LINK"
    REPORT = "REPORT"
    SEND_BACK = "SEND_BACK"
    FINISH = "FINISH"
    DROP = "DROP"


S, M = TaskStatus, TaskMove
LIVE = (S.OPEN, S.UNDERWAY, S.REPORTED)


@dataclass(frozen=True)
class TaskTurn:
    """One row of the table. target None: the status stays. needs: note, document, or effect (booked as planned)."""

    move: TaskMove
    label: str
    sources: tuple[TaskStatus | None, ...]
    target: TaskStatus | None
    permission: Permission
    needs: frozenset[str] = frozenset()


TASK_TURNS: dict[TaskMove, TaskTurn] = {
    row.move: row
    for row in (
        TaskTurn(M.SET, "下达", (None,), S.OPEN, Permission.KEEP_REFORM),
        TaskTurn(M.START, "开始办理", (S.OPEN,), S.UNDERWAY, Permission.WORK_REFORM),
        TaskTurn(M.LINK, "关联文件", LIVE, None, Permission.KEEP_REFORM, frozenset({"document"})),
        TaskTurn(M.REPORT, "报结", (S.UNDERWAY,), S.REPORTED, Permission.WORK_REFORM, frozenset({"note"})),
        TaskTurn(M.SEND_BACK, "退回", (S.REPORTED,), S.UNDERWAY, Permission.CONFIRM_REFORM, frozenset({"note"})),
        TaskTurn(M.FINISH, "核实办结", (S.REPORTED,), S.DONE, Permission.CONFIRM_REFORM, frozenset({"effect"})),
        TaskTurn(M.DROP, "取消", LIVE, S.DROPPED, Permission.DROP_REFORM, frozenset({"note"})),
    )
}  # fmt: skip

TASK_LABELS = {S.OPEN: "待办", S.UNDERWAY: "办理中", S.REPORTED: "待核实", S.DONE: "已办结", S.DROPPED: "已取消"}
TASK_SENTENCES = {
    "WRONG_ROLE": "您的角色不能办理这项任务。",
    "WRONG_STATUS": "这项任务现在的状态不能办理这一步。",
    "NOT_BOOKED": "入账的编制变化与计划不符，不能办结。",
}


@dataclass(frozen=True)
class Effect:
    """What a task changes: signed posts per cell, and leader posts; None: unknown."""

    cells: dict[tuple[str, str], int]
    leader_posts: int | None = 0


def same_effect(planned: Effect, booked: Effect) -> bool:
    """Whether what was booked is what was planned, cell by cell; 0 and nothing are one.

    Leader posts nobody knows are no change where none was planned, and never the change that was.
    """
    real = lambda effect: {cell: posts for cell, posts in effect.cells.items() if posts}
    return real(planned) == real(booked) and (planned.leader_posts or 0) == (booked.leader_posts or 0)


def task_barred(move: TaskMove, status: TaskStatus, roles: Collection[Role], as_planned: bool) -> str | None:
    """Why the move may not be made: a key of TASK_SENTENCES, the earlier ones winning; None when it may."""
    row = TASK_TURNS[move]
    if not set(roles) & ALLOWED[row.permission]:
        return "WRONG_ROLE"
    if status not in row.sources:
        return "WRONG_STATUS"
    return "NOT_BOOKED" if "effect" in row.needs and not as_planned else None


def check_task(move: TaskMove, status: TaskStatus, roles: Collection[Role], as_planned: bool) -> TaskTurn:
    """The row of a move that may be made. Errors: Forbidden for a wrong role, else Refused."""
    why = task_barred(move, status, roles, as_planned)
    if why is not None:
        raise (Forbidden if why == "WRONG_ROLE" else Refused)(TASK_SENTENCES[why], answer=why)
    return TASK_TURNS[move]


def is_late(status: str, deadline: date, on: date) -> bool:
    """Past its deadline and not ended."""
    return status in LIVE and on > deadline
