"""Situation reports: periods, who has confirmed, one unit's figures, and files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from io import BytesIO, StringIO

import xlsxwriter
from flask import Response, current_app, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import InputRejected
from core.parameters import parameter_values
from core.permissions import ALLOWED, Permission
from core.types import Level
from night import situation
from night.reminders import tell_of_period
from night.situation import REPORT_TURNS, Answer, Opening, ReportMove, ReportStatus
from night.situation_models import ReportPeriod, SituationLine, SituationReport
from web.exports import TYPES, harmless
from web.pages.tip_off_cases import today
from web.words import word

ENDPOINTS = ("reports", "report_period", "report_export", "report")
HEADERS = (
    "单位编码", "单位名称", "状态", "项目", "分项", "数字", "答复", "单位填报", "理由", "数字日期", "确认人", "确认时间", "指纹",
)  # fmt: skip
ANSWERS = {"AGREED": "确认", "DISPUTED": "有异议"}


def show_reports() -> Response | str:
    """Periods in the person's area with how far they are; the office opens a new one."""
    if request.method == "POST":
        return _open()
    periods = situation.periods_seen(g.db, g.scope)
    counts = {period.id: counts_of(situation.reports_of(g.db, period.id, g.scope)) for period in periods}
    code, first, last = situation.period_around(
        today(), parameter_values(g.db, ["report_period"], today())["report_period"]
    )
    office = ALLOWED[Permission.OPEN_REPORTS]
    places = sorted({(r.division, r.level) for r in g.scope.reaches if r.division and r.role in office}, key=str)
    return render_template(
        "reports.html", periods=periods, counts=counts, today=today(), places=places, code=code, first=first, last=last,
        levels=list(Level),
    )  # fmt: skip


def counts_of(reports: Iterable[SituationReport]) -> dict[str, int]:
    """How many reports stand where."""
    counts = {status.value: 0 for status in ReportStatus}
    for report in reports:
        counts[report.status] += 1
    return counts


def _open() -> Response:
    level = request.form.get("level") or None
    if level is not None and level not in set(Level):
        raise InputRejected("没有这个层级。", field="level")
    opening = Opening(
        division_code=request.form.get("division", "").strip(), level=Level(level) if level else None,
        code=request.form.get("code", "").strip(), first_day=day_of("first_day"), last_day=day_of("last_day"),
        deadline=day_of("deadline"),
    )  # fmt: skip
    settings = current_app.config["SETTINGS"]
    period = situation.open_period(g.db, settings, opening, g.scope, g.now)
    tell_of_period(g.db, period, g.now, settings.portal_url)
    flash(_("已布置。"), "done")
    return redirect(url_for("report_period", period_id=period.id), code=303)


def day_of(name: str) -> date | None:
    """A date of the form; None when blank. Errors: InputRejected."""
    text = request.form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputRejected("日期须写成 YYYY-MM-DD。", field=name) from None


def show_report_period(period_id: int) -> str:
    """Who has confirmed and who has not."""
    period = situation.period_seen(g.db, period_id, g.scope)
    reports = situation.reports_of(g.db, period.id, g.scope)
    return render_template(
        "report_period.html",
        period=period,
        reports=reports,
        counts=counts_of(reports),
        today=today(),
        forms=("csv", "xlsx"),
    )


def show_report(period_id: int, code: str) -> Response | str:
    """One unit's figures: confirm or dispute each; the office proposes newer ones."""
    report = situation.report_seen(g.db, period_id, code, g.scope)
    if request.method == "POST":
        version = request.form.get("version", type=int) or 0
        if request.form.get("act") == "propose":
            settings = current_app.config["SETTINGS"]
            situation.propose_again(g.db, settings, period_id, code, version, g.scope, g.now)
        else:
            lines = situation.lines_of(g.db, report)
            situation.answer_report(g.db, period_id, code, version, _answers(lines), g.scope, g.now)
        flash(_("已办理。"), "done")
        return redirect(url_for("report", period_id=period_id, code=code), code=303)
    roles = g.scope.roles_for(report.unit_code, report.division_code)
    open_ = report.status != ReportStatus.CONFIRMED
    may = lambda move: open_ and bool(roles & ALLOWED[REPORT_TURNS[move].permission])
    return render_template(
        "report.html", period=situation.period_seen(g.db, period_id, g.scope), report=report, part=part_word,
        lines=situation.lines_of(g.db, report), may_answer=may(ReportMove.CONFIRM), may_propose=may(ReportMove.PROPOSE),
        today=today(), answers=ANSWERS,
    )  # fmt: skip


def _answers(lines: Sequence[SituationLine]) -> Mapping[int, Answer]:
    """The form's answers by place; a figure without one is left out, which the use-case refuses."""
    found: dict[int, Answer] = {}
    for line in lines:
        said = request.form.get(f"answer-{line.place}")
        stated = request.form.get(f"stated-{line.place}", "").strip()
        if stated and not (stated.isascii() and stated.isdigit() and len(stated) < 10):
            raise InputRejected("单位填报的数字须为整数。", field=f"stated-{line.place}")
        if said in ANSWERS:
            remark = request.form.get(f"remark-{line.place}", "")
            found[line.place] = Answer(said == "AGREED", int(stated) if stated else None, remark)
    return found


def part_word(part: str) -> str:
    """`ADMIN/FULL` or a leader tier in words; the whole unit."""
    if not part:
        return _("合计")
    kind, slash, form = part.partition("/")
    if slash:
        return f"{word('post_type', kind)} · {word('fund_form', form)}"
    return word("leader_tier", part)


def show_report_export(period_id: int, form: str) -> Response:
    """Every figure of the period within the scope, with what was said of it."""
    period = situation.period_seen(g.db, period_id, g.scope)
    rows = [row for report in situation.reports_of(g.db, period.id, g.scope) for row in _rows(report)]
    headers = [_(header) for header in HEADERS]
    response = make_response(_csv(headers, rows) if form == "csv" else _xlsx(headers, rows))
    response.headers["Content-Type"] = TYPES[form]
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name(period)}.{form}"'
    return response


def _file_name(period: ReportPeriod) -> str:
    return f"situation-{period.code}-{period.division_code}"


def _rows(report: SituationReport) -> list[list[str | int]]:
    confirmed = report.confirmed_at.isoformat(timespec="seconds") if report.confirmed_at else ""
    return [
        [
            report.unit_code, report.unit_name, word("report_status", report.status), word("figure", line.measure),
            part_word(line.part), "" if line.figure is None else line.figure, _(ANSWERS[line.answer]) if line.answer else "",
            "" if line.stated is None else line.stated, line.remark or "", report.as_of.isoformat(),
            report.confirmed_by or "", confirmed, report.hash or "",
        ]
        for line in situation.lines_of(g.db, report)
    ]  # fmt: skip


def _csv(headers: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    text = StringIO(newline="")
    writer = csv.writer(text)
    for row in [headers, *rows]:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue().encode("utf-8-sig")


def _xlsx(headers: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    data = BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet(_("情况报告"))
        for number, row in enumerate([headers, *rows]):
            for column, cell in enumerate(row):
                (sheet.write_string if isinstance(cell, str) else sheet.write_number)(number, column, cell)
        sheet.freeze_panes(1, 0)
    return data.getvalue()
