"""Reform tasks (改革方案): a plan by a document, its tasks, the steps on them, and the reminder that goes out once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.accounts import User
from core.audit import record
from core.errors import InputRejected, NotFound, Refused
from core.identity import normalise_code
from core.parameters import parameter_value
from pool.acting import Act, check_place, lock_paths, next_number, unit_node
from pool.letters import Letter, address_of, officers_of, queue_letter
from pool.models import PoolDocument
from staffing.csv_rows import Rows
from staffing.documents import seen_document
from staffing.duty_files import TaskGiven
from staffing.duty_models import ReformEffect, ReformLink, ReformPlan, ReformStep, ReformTask
from staffing.reform_life import LIVE, TASK_TURNS, TaskMove, TaskStatus, check_task, same_effect
from staffing.reform_store import effects_of, seen_task

NOTE_LENGTH = 2000


def make_plan(
    session: Session, act: Act, rows: Rows, tasks: Sequence[TaskGiven], document_no: str, title: str
) -> dict[str, object]:
    """Set down a plan with its tasks, by a registered document; one plan per document. → plan, added, changed, unchanged.

    The caller holds the paths of the units. Errors: InputRejected (faults, title), NotFound, Refused.
    """
    try:
        number, name = seen_document(session, act.by, document_no).doc_no, title.strip()
    except NotFound:
        raise InputRejected("没有登记这份文件；请先在“文件”里登记。", field="document_no") from None
    if not 1 <= len(name) <= 400:
        raise InputRejected("须填写标题（1 至 400 个字）。", field="title")
    logins = set(session.scalars(select(User.login).where(User.active)))
    for task in tasks:
        if task.responsible not in logins:
            rows.fault(task.row, "责任人账号", "没有这个账号，或已停用；请核对。")
    rows.check()
    held = session.scalar(select(ReformPlan).where(ReformPlan.doc_no == number))
    if held is not None:
        return _again(session, held, name, tasks)
    year = act.today.year
    plan = ReformPlan(
        number=next_number(session, f"reform-{year}", f"GG{year}")[0], doc_no=number, title=name, recorded_by=act.login,
        recorded_at=act.now,
    )  # fmt: skip
    session.add(plan)
    try:
        session.flush()
    except IntegrityError:
        raise Refused("这份文件正由另一人登记为改革方案，请刷新后查看。", answer="REGISTERED") from None
    for place, task in enumerate(tasks, 1):
        _add_task(session, act, plan, f"{plan.number}-{place:03d}", task)
    return {"plan": plan.number, "added": len(tasks), "changed": 0, "unchanged": 0}


def _again(session: Session, held: ReformPlan, title: str, tasks: Sequence[TaskGiven]) -> dict[str, object]:
    """The same plan again changes nothing. Errors: Refused for another one."""
    rows = list(session.scalars(select(ReformTask).where(ReformTask.plan_no == held.number)))
    planned = effects_of(session, rows)
    key = lambda task: (task.unit_code, task.what, task.deadline, task.responsible, task.leader_posts)
    old = sorted((*key(row), sorted(planned[row.number][0].cells.items())) for row in rows)
    if held.title != title or old != sorted((*key(task), sorted(task.cells.items())) for task in tasks):
        raise Refused("这份文件已登记为改革方案，内容不同；已下达的任务不得改写。", answer="REGISTERED")
    return {"plan": held.number, "added": 0, "changed": 0, "unchanged": len(tasks)}


def _add_task(session: Session, act: Act, plan: ReformPlan, number: str, task: TaskGiven) -> None:
    given = {name: value for name, value in asdict(task).items() if name not in ("row", "cells")}
    session.add(ReformTask(number=number, plan_no=plan.number, status=TaskStatus.OPEN.value, **given))
    session.flush()
    lines = [
        {"task_no": number, "post_type": post_type, "fund_form": fund_form, "posts": posts}
        for (post_type, fund_form), posts in task.cells.items()
    ]
    if lines:
        session.execute(insert(ReformEffect), lines)
    _step(session, act, number, TaskMove.SET, None, TaskStatus.OPEN)


def _step(
    session: Session, act: Act, number: str, move: TaskMove, before: str | None, after: str, note: str | None = None
) -> None:
    row = {
        "task_no": number, "at": act.now, "actor": act.login, "move": move.value, "from_status": before,
        "to_status": str(after), "note": note,
    }  # fmt: skip
    session.execute(insert(ReformStep), [row])
    record(
        session, actor=act.login, action=f"reform_{move.value.lower()}", subject=f"reform task {number}", now=act.now,
        status=str(after),
    )  # fmt: skip


def step_task(
    session: Session, act: Act, number: str, move: str, version: int, note: str = "", document_no: str = ""
) -> dict[str, object]:
    """Take a step on a task. version: of the task as it was shown. → task, status, version.

    Errors: NotFound, Forbidden, InputRejected without what the step needs, Refused for a wrong or newer state.
    """
    row = seen_task(session, act.by, number)
    node = unit_node(session, row.unit_code)
    if move not in set(TaskMove) or move == TaskMove.SET:
        raise NotFound("没有这一种办理。")
    roles = check_place(session, act, TASK_TURNS[TaskMove(move)].permission, node)
    lock_paths(session, [node.id])
    session.refresh(row, with_for_update=True)
    if row.version != version:
        raise Refused("这项任务已由另一人办理，请刷新后再办理。", answer="CHANGED")
    planned, booked = effects_of(session, [row])[row.number]
    turn = check_task(TaskMove(move), TaskStatus(row.status), roles, same_effect(planned, booked))
    text = note.strip()
    if len(text) > NOTE_LENGTH or ("note" in turn.needs and not text):
        raise InputRejected("须填写说明（1 至 2000 个字）。", field="note")
    if "document" in turn.needs:
        text = _link(session, act, row, document_no)
    before, row.status = row.status, (turn.target or TaskStatus(row.status)).value
    row.version += 1
    session.flush()
    _step(session, act, row.number, turn.move, before, row.status, text or None)
    return {"task": row.number, "status": row.status, "version": row.version}


def _link(session: Session, act: Act, row: ReformTask, document_no: str) -> str:
    number = normalise_code(document_no)
    if not number or session.get(PoolDocument, number) is None:
        raise InputRejected("账上和文件登记里都没有这个文号；请先登记文件或办理编制变动。", field="document_no")
    if session.get(ReformLink, (row.number, number)) is not None:
        raise Refused("这个文号已经关联。", answer="LINKED")
    session.add(ReformLink(task_no=row.number, doc_no=number, linked_by=act.login, linked_at=act.now))
    return number


def remind_tasks(session: Session, on: date, now: datetime, portal: str = "") -> int:
    """Mail who is responsible and the unit's officers of tasks near or past their deadline: once each, ever.

    For the night or the command line; the caller commits. Returns how many tasks were reminded of.
    """
    query = select(ReformTask).where(ReformTask.status.in_(LIVE), ReformTask.reminded_on.is_(None))
    count = 0
    for row in session.scalars(query.order_by(ReformTask.number).with_for_update()):
        node = unit_node(session, row.unit_code)
        days = parameter_value(session, "reform_remind_days", on, node.division_code)
        if on < row.deadline - timedelta(days=days):
            continue
        subject = f"改革任务 {row.number}：{'已于' if on > row.deadline else '须在'} {row.deadline} {'到期' if on > row.deadline else '前完成'}"
        letter = Letter(f"reform_{row.number}", subject, (subject, row.what))
        people = {*address_of(session, row.responsible), *officers_of(session, row.unit_code)}
        queue_letter(session, letter, people, on, portal, now, "duties/reforms")
        row.reminded_on = on
        count += 1
        record(session, actor="night", action="reform_reminded", subject=f"reform task {row.number}", now=now, on=on)
    session.flush()
    return count
