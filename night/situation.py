"""Situation reports: the office opens a period, every unit confirms or disputes its figures, and who has not is seen.

`PROPOSED → CONFIRMED | DISPUTED`, `DISPUTED → PROPOSED` with the figures of a newer night. A confirmed report is frozen:
its hash covers every figure and answer, who confirmed and when (DOMAIN §6). The edge commits.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.audit import record
from core.calendar import due_after, weekday_years
from core.errors import InputRejected, NotFound, Refused
from core.parameters import parameter_values
from core.permissions import ALLOWED, Permission, Scope, is_current
from core.settings import Settings
from core.types import Level
from core.units import UnitVersion
from night.situation_figures import figures_of
from night.situation_models import ReportPeriod, SituationLine, SituationReport
from reconcile.models import NightRun
from reconcile.store import newest_run

OFFICE_TIME = ZoneInfo("Asia/Shanghai")
CODE = re.compile(r"[0-9A-Za-z-]{1,24}")
REMARK_MOST, MOST = 500, 10_000_000
NOT_HERE = "没有这份情况报告，或者不在您的管辖范围内。"


class ReportStatus(StrEnum):
    """Where a unit's report stands."""

    PROPOSED = "PROPOSED"
    DISPUTED = "DISPUTED"
    CONFIRMED = "CONFIRMED"


class ReportMove(StrEnum):
    """What can be done with a report."""

    CONFIRM = "CONFIRM"
    DISPUTE = "DISPUTE"
    PROPOSE = "PROPOSE"


@dataclass(frozen=True)
class ReportTurn:
    """One row of the table of moves."""

    label: str
    sources: tuple[ReportStatus, ...]
    target: ReportStatus
    permission: Permission


R = ReportStatus
REPORT_TURNS: dict[ReportMove, ReportTurn] = {
    ReportMove.CONFIRM: ReportTurn("确认", (R.PROPOSED, R.DISPUTED), R.CONFIRMED, Permission.CONFIRM_REPORT),
    ReportMove.DISPUTE: ReportTurn("提出异议", (R.PROPOSED, R.DISPUTED), R.DISPUTED, Permission.CONFIRM_REPORT),
    ReportMove.PROPOSE: ReportTurn("按最近一夜重提", (R.PROPOSED, R.DISPUTED), R.PROPOSED, Permission.OPEN_REPORTS),
}
STATUS_LABELS = {R.PROPOSED: "待确认", R.DISPUTED: "有异议", R.CONFIRMED: "已确认"}


@dataclass(frozen=True)
class Opening:
    """A period to open. Blank code and days: the period of the parameter `report_period` that the day falls in; a blank
    deadline: `report_days` working days from today."""

    division_code: str
    level: Level | None = None
    code: str = ""
    first_day: date | None = None
    last_day: date | None = None
    deadline: date | None = None


@dataclass(frozen=True)
class Answer:
    """What a unit says of one figure: agreed, or its own figure and a remark."""

    agreed: bool
    stated: int | None = None
    remark: str = field(default="")


def open_period(session: Session, settings: Settings, opening: Opening, by: Scope, now: datetime) -> ReportPeriod:
    """Open a period for every registered unit of the division at the opener's level, with tonight's figures.

    Errors: NotFound outside the scope; Forbidden; Refused without a settled night, without units, for a second period of
    the same code, or a deadline in the past; InputRejected for days or code that are none.
    """
    by.check(Permission.OPEN_REPORTS, None, opening.division_code)
    run = _night(session)
    today = now.astimezone(OFFICE_TIME).date()
    level, units = _units(session, by, opening)
    code, first, last, deadline, years = _terms(session, opening, today)
    if deadline < today:
        raise Refused("确认期限不能早于今天。", answer="DEADLINE_PAST")
    same = select(ReportPeriod.id).where(
        ReportPeriod.code == code, ReportPeriod.division_code == opening.division_code, ReportPeriod.level == level
    )
    if session.scalar(same) is not None:
        raise Refused("这一期已经布置过。", answer="OPENED_BEFORE")
    period = ReportPeriod(
        code=code, division_code=opening.division_code, level=level, first_day=first, last_day=last,
        deadline=deadline, weekday_years=years, as_of=run.as_of, opened_by=by.login, opened_at=now,
    )  # fmt: skip
    session.add(period)
    session.flush()
    figures = figures_of(session, settings, run, [unit.unit_code for unit in units])
    for unit in units:
        report = SituationReport(
            period_id=period.id, unit_code=unit.unit_code, unit_name=unit.unit_name, division_code=unit.division_code,
            status=R.PROPOSED.value, as_of=run.as_of, version=1,
        )  # fmt: skip
        session.add(report)
        session.flush()
        _write_lines(session, report, figures[unit.unit_code])
    record(
        session, actor=by.login, action="report_period_opened", subject=f"report period {period.id}", now=now,
        code=code, division=opening.division_code, level=level, units=len(units), as_of=run.as_of, deadline=deadline,
    )  # fmt: skip
    return period


def _night(session: Session) -> NightRun:
    run = newest_run(session)
    if run is None:
        raise Refused("还没有结转过的夜次，没有数字可以提请确认。", answer="NO_NIGHT")
    return run


def _units(session: Session, by: Scope, opening: Opening) -> tuple[str, list[UnitVersion]]:
    """The level and the units: what the opener's own grant over this division reaches."""
    office = ALLOWED[Permission.OPEN_REPORTS]
    levels = [opening.level] if opening.level else list(Level)
    for level in levels:
        codes = {code for reach in by.reaches if reach.role in office for code in reach.units}
        places = [UnitVersion.division_code == opening.division_code]
        if len(opening.division_code) == 6 and level is Level.TOWNSHIP:
            places = [UnitVersion.division_code.startswith(opening.division_code, autoescape=True)]
        query = select(UnitVersion).where(is_current(), UnitVersion.level == level.value, *places)
        found = [unit for unit in session.scalars(query.order_by(UnitVersion.unit_code)) if unit.unit_code in codes]
        if found:
            return level.value, found
    raise Refused("您在这个区划没有可以布置的单位。", answer="NO_UNITS")


def _terms(session: Session, opening: Opening, today: date) -> tuple[str, date, date, date, str]:
    """(code, first day, last day, deadline, the years the deadline crossed on weekdays: none where a person named it)."""
    held = parameter_values(session, ["report_period", "report_days"], today, opening.division_code)
    code, first, last = period_around(today, held["report_period"])
    code, first, last = opening.code or code, opening.first_day or first, opening.last_day or last
    if not CODE.fullmatch(code):
        raise InputRejected("期号须为 1 至 24 个字母、数字或连字符。", field="code")
    if first > last:
        raise InputRejected("起日不能晚于止日。", field="last_day")
    if opening.deadline:
        return code, first, last, opening.deadline, ""
    deadline = due_after(today, held["report_days"])
    return code, first, last, deadline, weekday_years(today, deadline)


def period_around(day: date, kind: str) -> tuple[str, date, date]:
    """(code, first day, last day) of the year, half, quarter or month a day falls in."""
    months = {"YEAR": 12, "HALF": 6, "QUARTER": 3, "MONTH": 1}[kind]
    number = (day.month - 1) // months
    first = date(day.year, number * months + 1, 1)
    after = date(day.year + (first.month + months > 12), (first.month + months - 1) % 12 + 1, 1)
    mark = {"YEAR": "", "HALF": f"-H{number + 1}", "QUARTER": f"-Q{number + 1}", "MONTH": f"-{number + 1:02d}"}[kind]
    return f"{day.year}{mark}", first, after - timedelta(days=1)


def _write_lines(session: Session, report: SituationReport, figures: list[tuple[str, str, int | None]]) -> None:
    session.execute(delete(SituationLine).where(SituationLine.report_id == report.id))
    for place, (measure, part, figure) in enumerate(figures):
        session.add(SituationLine(report_id=report.id, place=place, measure=measure, part=part, figure=figure))
    session.flush()


def periods_seen(session: Session, by: Scope) -> list[ReportPeriod]:
    """Periods with at least one report in the person's area, newest first."""
    inside = select(SituationReport.period_id).where(_seen(by))
    query = select(ReportPeriod).where(ReportPeriod.id.in_(inside))
    return list(session.scalars(query.order_by(ReportPeriod.deadline.desc(), ReportPeriod.id.desc())))


def _seen(by: Scope):
    return by.condition(SituationReport.unit_code, SituationReport.division_code)


def period_seen(session: Session, period_id: int, by: Scope) -> ReportPeriod:
    """One period. Errors: NotFound when none of its units is seen."""
    for period in periods_seen(session, by):
        if period.id == period_id:
            return period
    raise NotFound(NOT_HERE)


def reports_of(session: Session, period_id: int, by: Scope) -> list[SituationReport]:
    """The reports of a period within the person's area: disputed and unconfirmed ones first."""
    rows = session.scalars(select(SituationReport).where(SituationReport.period_id == period_id, _seen(by)))
    order = [R.DISPUTED, R.PROPOSED, R.CONFIRMED]
    return sorted(rows, key=lambda row: (order.index(R(row.status)), row.unit_code))


def report_seen(session: Session, period_id: int, unit_code: str, by: Scope) -> SituationReport:
    """One unit's report. Errors: NotFound for unknown and unseen alike."""
    query = select(SituationReport).where(
        SituationReport.period_id == period_id, SituationReport.unit_code == unit_code, _seen(by)
    )
    report = session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if report is None:
        raise NotFound(NOT_HERE)
    return report


def lines_of(session: Session, report: SituationReport) -> list[SituationLine]:
    """The figures of a report in order."""
    query = select(SituationLine).where(SituationLine.report_id == report.id)
    return list(session.scalars(query.order_by(SituationLine.place)))


def answer_report(
    session: Session, period_id: int, unit_code: str, version: int, answers: Mapping[int, Answer], by: Scope,
    now: datetime,
) -> SituationReport:  # fmt: skip
    """Every figure agreed or disputed, by place. All agreed: confirmed and frozen; else disputed.

    Errors: NotFound; Forbidden; Refused once frozen, or when it changed since it was read; InputRejected when a figure
    has no answer, or a dispute no remark.
    """
    report = _open(session, period_id, unit_code, version, Permission.CONFIRM_REPORT, by)
    lines = lines_of(session, report)
    if set(answers) != {line.place for line in lines}:
        raise InputRejected("每一个数字都要确认或提出异议。", field="answers")
    for line in lines:
        answer = answers[line.place]
        if not answer.agreed and not answer.remark.strip():
            raise InputRejected("有异议的数字须写明理由。", field=f"remark-{line.place}")
        if len(answer.remark) > REMARK_MOST or not 0 <= (answer.stated or 0) <= MOST:
            raise InputRejected("理由不得超过 500 字，数字须为不超过一千万的整数。", field=f"remark-{line.place}")
        line.answer = "AGREED" if answer.agreed else "DISPUTED"
        line.stated = None if answer.agreed else answer.stated
        line.remark = answer.remark.strip() or None
    move = ReportMove.CONFIRM if all(answer.agreed for answer in answers.values()) else ReportMove.DISPUTE
    report.status, report.version = REPORT_TURNS[move].target.value, report.version + 1
    report.answered_by, report.answered_at = by.login, now
    if move is ReportMove.CONFIRM:
        report.confirmed_by, report.confirmed_at = by.login, now
        report.hash = report_hash(report, lines)
    session.flush()
    disputed = sum(not answer.agreed for answer in answers.values())
    _trail(session, report, move, by, now, disputed=disputed, hash=report.hash)
    return report


def propose_again(
    session: Session, settings: Settings, period_id: int, unit_code: str, version: int, by: Scope, now: datetime
) -> SituationReport:
    """The newest night's figures instead of the old ones; what the unit said is cleared. Errors: as `answer_report`."""
    report = _open(session, period_id, unit_code, version, Permission.OPEN_REPORTS, by)
    run = _night(session)
    _write_lines(session, report, figures_of(session, settings, run, [unit_code])[unit_code])
    report.status, report.as_of, report.version = R.PROPOSED.value, run.as_of, report.version + 1
    report.answered_by, report.answered_at = None, None
    _trail(session, report, ReportMove.PROPOSE, by, now, as_of=run.as_of)
    return report


def _open(
    session: Session, period_id: int, unit_code: str, version: int, permission: Permission, by: Scope
) -> SituationReport:
    report = report_seen(session, period_id, unit_code, by)
    by.check(permission, report.unit_code, report.division_code)
    if report.status == R.CONFIRMED:
        raise Refused("这份报告已经确认，不能再改。", answer="FROZEN")
    if report.version != version:
        raise Refused("这份报告刚刚有了变化，请刷新后再办理。", answer="CHANGED")
    return report


def _trail(
    session: Session, report: SituationReport, move: ReportMove, by: Scope, now: datetime, **details: object
) -> None:
    record(
        session, actor=by.login, action=f"report_{move.value.lower()}",
        subject=f"situation report {report.period_id} {report.unit_code}", now=now, **details,
    )  # fmt: skip


def report_hash(report: SituationReport, lines: Iterable[SituationLine]) -> str:
    """SHA-256 over unit, period, night, every figure with its answer, who confirmed and when, in a fixed spelling."""
    at = report.confirmed_at.astimezone(UTC).isoformat(timespec="microseconds") if report.confirmed_at else None
    body = [
        report.period_id, report.unit_code, report.as_of.isoformat(), report.confirmed_by, at,
        [[line.place, line.measure, line.part, line.figure, line.answer, line.stated, line.remark] for line in lines],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(body, ensure_ascii=False).encode()).hexdigest()


def broken_reports(session: Session) -> list[str]:
    """Confirmed reports whose rows no longer give their hash: `period unit`, for the proof."""
    confirmed = session.scalars(select(SituationReport).where(SituationReport.status == R.CONFIRMED))
    return [
        f"{row.period_id} {row.unit_code}" for row in confirmed if report_hash(row, lines_of(session, row)) != row.hash
    ]
