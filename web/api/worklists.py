"""Work lists of flags and situation reports in the API. The guard has asked for token, permission and scope."""

from __future__ import annotations

from flask import Response, current_app, g
from flask_openapi3 import Tag

from night import situation
from night.reminders import tell_of_period
from night.situation import Answer, Opening
from night.situation_models import ReportPeriod, SituationReport
from reconcile import worklists
from reconcile.models import Flag
from reconcile.worklist_life import Step
from reconcile.worklists import NoticeItem, Paper, ReferralItem
from web.api import models as m
from web.api import worklist_models as w
from web.api.pool_reads import fields
from web.api.views import _answer, blueprint
from web.pages.reports import counts_of
from web.pages.tip_off_cases import today
from web.pages.worklists import sorted_out

WORK, REPORTS = Tag(name="work"), Tag(name="reports")
REFUSED = {"409": m.Problem}


@blueprint.get("/rectifications", endpoint="rectifications", tags=[WORK], responses={"200": w.NoticeList})
def list_rectifications(query: w.WorkQuery) -> Response:
    """Flags being put right within the scope, overdue first."""
    lists = sorted_out(worklists.notices_seen(g.db, g.scope, query.unit))
    return _answer(w.NoticeList(items=[_notice(item) for item in lists["overdue" if query.overdue else "live"]]))


def _notice(item: NoticeItem) -> w.NoticeOut:
    held = item.notice
    of_notice = ("number", "status", "requirement", "deadline", "measures", "recheck_note")
    return w.NoticeOut(
        **_flag(item.flag), flag_status=item.flag.status, overdue=item.overdue(today()),
        **{name: getattr(held, name, None) for name in of_notice},
        failed_count=held.failed_count if held else 0, version=held.version if held else 0,
    )  # fmt: skip


def _flag(flag: Flag) -> dict[str, str | None]:
    return {"flag": flag.key, "rule": flag.rule, "unit_code": flag.unit_code, "person": flag.person_mask}


@blueprint.post(
    "/rectifications/<key>/<step>",
    endpoint="rectification_step",
    tags=[WORK],
    responses={"200": w.NoticeOut, **REFUSED},
)
def step_rectification(path: w.NoticePath, body: w.StepBody) -> Response:
    """Issue a notice, report what was done, recheck."""
    paper = Paper(body.note, body.deadline)
    step = Step(str(path.step).upper())
    held = worklists.step_notice(g.db, g.flag, step, body.version, paper, g.scope, g.now)
    return _answer(_notice(NoticeItem(g.flag, held)))


@blueprint.get("/referrals", endpoint="referrals", tags=[WORK], responses={"200": w.ReferralList})
def list_referrals(query: w.WorkQuery) -> Response:
    """Referrals to the offices the token's person stands for, overdue first."""
    lists = sorted_out(worklists.referrals_seen(g.db, g.scope, query.unit))
    return _answer(w.ReferralList(items=[_referral(item) for item in lists["overdue" if query.overdue else "live"]]))


def _referral(item: ReferralItem) -> w.ReferralOut:
    return fields(item.referral, w.ReferralOut, **_flag(item.flag), overdue=item.overdue(today()))


@blueprint.post(
    "/referrals/<letter>/<step>", endpoint="referral_step", tags=[WORK], responses={"200": w.ReferralOut, **REFUSED}
)
def step_referral(path: w.LetterPath, body: w.StepBody) -> Response:
    """Enter the receipt or the answer."""
    paper = Paper(body.note, body.deadline)
    step = Step(str(path.step).upper())
    worklists.step_referral(g.db, path.letter, step, body.version, paper, g.scope, g.now)
    return _answer(_referral(worklists.referral_seen(g.db, path.letter, g.scope)))


@blueprint.get("/reports", endpoint="reports", tags=[REPORTS], responses={"200": w.PeriodList})
def list_periods() -> Response:
    """Periods with a unit in the scope."""
    return _answer(w.PeriodList(items=[_period(period) for period in situation.periods_seen(g.db, g.scope)]))


def _period(period: ReportPeriod) -> w.PeriodOut:
    counts = counts_of(situation.reports_of(g.db, period.id, g.scope))
    return fields(period, w.PeriodOut, period_id=period.id, counts=counts)


@blueprint.post("/reports", endpoint="report_open", tags=[REPORTS], responses={"200": w.PeriodOut, **REFUSED})
def open_period(body: w.OpenBody) -> Response:
    """Open a period for the units of a division at the office's own level; their officers are mailed."""
    settings = current_app.config["SETTINGS"]
    opening = Opening(body.division_code, body.level, body.code or "", body.first_day, body.last_day, body.deadline)
    period = situation.open_period(g.db, settings, opening, g.scope, g.now)
    tell_of_period(g.db, period, g.now, settings.portal_url)
    return _answer(_period(period))


@blueprint.get("/reports/<int:period_id>", endpoint="report_period", tags=[REPORTS], responses={"200": w.PeriodDetail})
def read_period(path: w.PeriodPath) -> Response:
    """One period and who has confirmed."""
    period = situation.period_seen(g.db, path.period_id, g.scope)
    rows = [fields(report, w.ReportRow) for report in situation.reports_of(g.db, period.id, g.scope)]
    return _answer(w.PeriodDetail(period=_period(period), reports=rows))


@blueprint.get("/reports/<int:period_id>/<code>", endpoint="report", tags=[REPORTS], responses={"200": w.ReportOut})
def read_report(path: w.ReportPath) -> Response:
    """One unit's figures and what was said of each."""
    return _answer(_report(situation.report_seen(g.db, path.period_id, path.code, g.scope)))


def _report(report: SituationReport) -> w.ReportOut:
    lines = [fields(line, w.WorkLineOut) for line in situation.lines_of(g.db, report)]
    return w.ReportOut(report=fields(report, w.ReportRow), lines=lines)


@blueprint.post(
    "/reports/<int:period_id>/<code>/answer", endpoint="report_answer", tags=[REPORTS],
    responses={"200": w.ReportOut, **REFUSED},
)  # fmt: skip
def answer_report(path: w.ReportPath, body: w.AnswerBody) -> Response:
    """Confirm or dispute every figure; all agreed: the report is frozen."""
    answers = {said.place: Answer(said.agreed, said.stated, said.remark) for said in body.answers}
    args = (path.period_id, path.code, body.version, answers, g.scope, g.now)
    return _answer(_report(situation.answer_report(g.db, *args)))


@blueprint.post(
    "/reports/<int:period_id>/<code>/propose", endpoint="report_propose", tags=[REPORTS],
    responses={"200": w.ReportOut, **REFUSED},
)  # fmt: skip
def propose_again(path: w.ReportPath, body: w.AgainBody) -> Response:
    """The newest night's figures instead; what the unit said is cleared."""
    settings = current_app.config["SETTINGS"]
    args = (path.period_id, path.code, body.version, g.scope, g.now)
    return _answer(_report(situation.propose_again(g.db, settings, *args)))
