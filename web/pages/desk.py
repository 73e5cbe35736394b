"""The desk: every work list this person has, with how much waits and how much is late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import g, render_template

from core.permissions import Permission
from night import situation
from night.situation import ReportStatus
from reconcile import worklists
from staffing import tipoffs
from web.pages.tip_off_cases import is_overdue, today
from web.pages.worklists import sorted_out

ENDPOINTS = ("desk",)


@dataclass(frozen=True)
class Pile:
    """One work list. waiting, late: None where there is nothing to count."""

    endpoint: str
    label: str
    waiting: int | None = None
    late: int | None = None


def show_desk() -> str:
    """The lists of the person's roles."""
    return render_template("desk.html", piles=[make() for permission, make in PILES if g.scope.may(permission)])


def _reports() -> Pile:
    waiting = late = 0
    for period in situation.periods_seen(g.db, g.scope):
        reports = situation.reports_of(g.db, period.id, g.scope)
        missing = sum(report.status != ReportStatus.CONFIRMED for report in reports)
        waiting, late = waiting + missing, late + (missing if period.deadline < today() else 0)
    return Pile("reports", "情况报告", waiting, late)


def _rectifications() -> Pile:
    lists = sorted_out(worklists.notices_seen(g.db, g.scope))
    return Pile("rectifications", "整改", len(lists["live"]), len(lists["overdue"]))


def _referrals() -> Pile:
    lists = sorted_out(worklists.referrals_seen(g.db, g.scope))
    return Pile("referrals", "移送", len(lists["live"]), len(lists["overdue"]))


def _tip_offs() -> Pile:
    cases = tipoffs.seen_cases(g.db, g.scope)
    return Pile("tip_offs", "举报", len(cases), sum(map(is_overdue, cases)))


def _codes() -> Pile:
    return Pile("lookup_codes", "查询码")


PILES: tuple[tuple[Permission, Callable[[], Pile]], ...] = (
    (Permission.SEE_REPORTS, _reports),
    (Permission.SEE_RECTIFICATIONS, _rectifications),
    (Permission.SEE_REFERRALS, _referrals),
    (Permission.SEE_TIP_OFFS, _tip_offs),
    (Permission.ISSUE_LOOKUP_CODE, _codes),
)
