"""A night in words, for the end of a command: books, rows, flags, mails, and where everything lies."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.outbox import OutboxMail
from core.settings import Settings
from core.types import BookVerdict
from demo.accounts import PASSWORD
from demo.truth import compare
from expectations.books import BOOKS
from night.expected import GOOD
from night.lists import flag_rows
from reconcile.catalog import RESTRICTED, RULES
from reconcile.models import Artefact, Delivery, NightRun, NightState, Verdict
from reconcile.store import counts_by_rule, night_run

GREEN, RED = 0, 11
# So many sentences about what was wrong with the books; the portal has them all.
SHOWN_PROBLEMS = 12
HELD_BACK = {BookVerdict.REJECTED: "退回", BookVerdict.ACCEPTED_WITH_QUARANTINE: "隔离"}


def night_lines(session: Session, settings: Settings, as_of: date) -> list[str]:
    """A few lines on the newest run of a night, whatever its state; empty when there is none."""
    run = session.scalars(
        select(NightRun).where(NightRun.as_of == as_of).order_by(NightRun.run_no.desc()).limit(1)
    ).one_or_none()
    if run is None:
        return []
    lines = [f"夜 {as_of} 第 {run.run_no} 次 {_colour(run)}", *_book_lines(session, run)]
    if run.state != NightState.OPEN:
        lines += _flag_lines(session, run)
    lines += _mail_lines(session, as_of)
    for artefact in session.scalars(select(Artefact).where(Artefact.run_id == run.id).order_by(Artefact.id)):
        lines.append(f"  {artefact.kind:9} {settings.reports_dir / artefact.path}")
    return lines


def _colour(run: NightRun) -> str:
    if run.red_reasons is None:
        return f"未结束（{run.state}）"
    reasons = json.loads(run.red_reasons)
    kind = "（补算过去的一夜）" if run.backfill else ""
    return f"绿{kind}" if not reasons else f"红{kind}：{'；'.join(reasons)}"


def _book_lines(session: Session, run: NightRun) -> list[str]:
    columns = (Verdict.rows_in, Verdict.accepted, Verdict.duplicates, Verdict.quarantined)
    sums = session.execute(select(*(func.sum(column) for column in columns)).where(Verdict.run_id == run.id)).one()
    rows_in, accepted, duplicates, quarantined = (int(value or 0) for value in sums)
    good = session.scalar(
        select(func.count()).select_from(Verdict).where(Verdict.run_id == run.id, Verdict.verdict.in_(GOOD))
    )
    files, same = session.execute(
        select(func.count(), func.count().filter(Delivery.taken_over)).where(Delivery.run_id == run.id)
    ).one()
    taken_over = f"（其中 {same} 份与前次相同，沿用前次读入的结果）" if same else ""
    problems = [*_strangers(session, run), *_held_back(session, run)]
    more = len(problems) - SHOWN_PROBLEMS
    return [
        f"  文件 {files}{taken_over}，接受的批次 {good}；行数 {rows_in} = 接受 {accepted} + 重复 {duplicates} + 隔离 {quarantined}",
        *problems[:SHOWN_PROBLEMS],
        *([f"    另有 {more} 条，见门户当夜的页面"] if more > 0 else []),
    ]


def _strangers(session: Session, run: NightRun) -> list[str]:
    """Files that were not read, because their names begin with no book's."""
    unread = select(Delivery).where(Delivery.run_id == run.id, Delivery.book.is_(None)).order_by(Delivery.id)
    names = "、".join(BOOKS)
    return [
        f"    未读 {d.division_code}/{d.file}：文件名应为“批次”或“批次-随意”，批次是 {names} 之一或其中文名；请改名后重跑"
        for d in session.scalars(unread)
    ]


def _held_back(session: Session, run: NightRun) -> list[str]:
    """What the gate sent back or held apart, in the words the data owner reads."""
    bad = select(Verdict).where(Verdict.run_id == run.id, Verdict.verdict.in_(HELD_BACK))
    return [
        f"    {HELD_BACK[BookVerdict(verdict.verdict)]} {verdict.division_code}：{reason['message']}"
        for verdict in session.scalars(bad.order_by(Verdict.division_code, Verdict.book))
        for reason in json.loads(verdict.reasons)
    ]


def _flag_lines(session: Session, run: NightRun) -> list[str]:
    # What a command says ends in the mail of whoever scheduled it: leads on people aside.
    found = ((line, count) for line, count in counts_by_rule(session, run).items() if line[0] not in RESTRICTED)
    counts = sorted(found, key=lambda item: (item[0][1], item[0][0]))
    if not counts:
        return ["  没有不符项"]
    by_severity: dict[str, list[str]] = {}
    for (rule, severity), count in counts:
        by_severity.setdefault(severity, []).append(f"{rule} {RULES[rule].name} {count}")
    total = sum(count for _, count in counts)
    new = f"，其中新增 {run.new_flag_count}" if run.new_flag_count is not None else ""
    return [
        f"  不符项 {total} 条{new}",
        *(f"    {severity}  {'，'.join(rows)}" for severity, rows in by_severity.items()),
    ]


def _mail_lines(session: Session, as_of: date) -> list[str]:
    total, sent = session.execute(
        select(func.count(), func.count(OutboxMail.sent_at)).where(OutboxMail.as_of == as_of)
    ).one()
    return [f"  邮件 {total} 封，已发 {sent} 封"]


def rehearsal_lines(session: Session, settings: Settings, folder: Path) -> tuple[list[str], list[str]]:
    """What the nights of a demo city found, and every difference from its truth (empty when there is none)."""
    lines: list[str] = []
    differences: list[str] = []
    for path in sorted((folder / "truth").glob("*.json")):
        night = date.fromisoformat(path.stem)
        truth = json.loads(path.read_text(encoding="utf-8"))
        lines += [*night_lines(session, settings, night), ""]
        differences += [f"{night}: {line}" for line in _against(session, settings, night, truth)]
    mails = settings.home / "mails"
    lines += [
        f"邮件都在 {mails}（本机收信，不外发），管理员在门户“邮件”页可看。",
        f"看门户：make portal，打开 {settings.portal_url}",
        f"演示账号：bianban（编办审核）、bianwei（编委主任）、shenji（审计）、admin（管理员），密码 {PASSWORD}",
        "演示中的人全部是合成的。",
        "",
    ]
    if not differences:
        lines.append("与真值逐条一致：该红的夜是红的，该发现的都发现了，多一条也没有。")
    return lines, differences


def _against(session: Session, settings: Settings, night: date, truth: dict) -> list[str]:
    run = night_run(session, night)
    if run is None or run.red_reasons is None:
        return ["这一夜没有结束"]
    code = RED if json.loads(run.red_reasons) else GREEN
    wrong = [] if code == truth["exit"] else [f"结束为 {code}，应为 {truth['exit']}"]
    return wrong + compare(truth, flag_rows(session, night), settings.person_key)
