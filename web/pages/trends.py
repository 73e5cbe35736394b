"""Trends: findings per rule, and the three numbers per level and unit, over the nights that count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import Response, g, make_response, render_template, request
from flask_babel import gettext as _

from core.errors import InputRejected
from core.permissions import Permission
from core.types import Level, Severity
from reconcile import trends
from reconcile.catalog import RULES
from reconcile.models import NightRun
from reconcile.trends import LevelPoint
from web.charts import Line, lines
from web.words import word

ENDPOINTS = ("trends", "trends_chart", "unit_chart")
WIDTHS = {"wide": 1120, "narrow": 420}
COLUMNS = 12


@dataclass(frozen=True)
class RuleRow:
    """A rule's findings in the nights shown, oldest first."""

    rule: str
    counts: tuple[int, ...]

    @property
    def change(self) -> int:
        """The newest night against the one before."""
        return self.counts[-1] - self.counts[-2] if len(self.counts) > 1 else 0


def show_trends() -> str:
    """Findings and figures over the nights asked for, within the person's scope."""
    since, until = _days()
    runs = trends.counting_runs(g.db, since, until)
    points = trends.level_trend(g.db, runs, g.scope)
    levels = [level for level in Level if any(point.level == level for point in points)]
    level = request.args.get("level") if request.args.get("level") in levels else next(iter(levels), None)
    may_flags = g.scope.may(Permission.SEE_FLAGS)
    counts = trends.finding_trend(g.db, runs, g.scope) if may_flags else {}
    return render_template(
        "trends.html",
        runs=runs,
        since=since,
        until=until,
        cut=since is not None and len(runs) == trends.MOST_NIGHTS,
        shown=runs[-COLUMNS:],
        rows=rule_rows([_by_rule(counts.get(run.id, {})) for run in runs[-COLUMNS:]]),
        rule=_rule(),
        level=level,
        levels=levels,
        points=[point for point in points if point.level == level][::-1],
        may_flags=may_flags,
        findings_said=_findings_said(runs, counts),
    )


def _rule() -> str | None:
    rule = request.args.get("rule")
    return rule if rule in RULES and not RULES[rule].restricted else None


def _days() -> tuple[date | None, date | None]:
    """The first and last day the address asks for. Errors: InputRejected."""
    return _day("since"), _day("until")


def _day(name: str) -> date | None:
    text = request.args.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InputRejected("日期须写成 YYYY-MM-DD。", field=name) from None


def _by_rule(counts: Mapping[tuple[str, str], int]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (rule, _severity), count in counts.items():
        found[rule] += count
    return found


def rule_rows(nights: Sequence[Mapping[str, int]]) -> list[RuleRow]:
    """A row for every rule that found something, in the order of the catalogue. nights: rule → findings, oldest first."""
    rows = [RuleRow(code, tuple(night.get(code, 0) for night in nights)) for code in RULES]
    return [row for row in rows if any(row.counts)]


def _findings_said(runs: Sequence[NightRun], counts: dict[int, dict[tuple[str, str], int]]) -> str:
    """The chart of findings in words: its first and last night."""
    ends = [runs[0], runs[-1]] if len(runs) > 1 else list(runs)
    rule = _rule()
    total = lambda run: sum(n for (code, _s), n in counts.get(run.id, {}).items() if rule in (None, code))
    return "；".join(_("%(day)s：%(count)s 条", day=run.as_of, count=total(run)) for run in ends)


def show_trends_chart() -> Response:
    """One chart alone: `kind` findings (by severity, of one rule or all) or figures (of one level)."""
    runs = trends.counting_runs(g.db, *_days())
    if request.args.get("kind") == "figures":
        points = [p for p in trends.level_trend(g.db, runs, g.scope) if p.level == request.args.get("level")]
        return _picture(_figure_lines(points), _("三个数"))
    if not g.scope.may(Permission.SEE_FLAGS):
        return _picture((), _("不符项"))
    counts = trends.finding_trend(g.db, runs, g.scope)
    rule = _rule()
    days = tuple(run.as_of for run in runs)
    drawn = tuple(
        Line(
            word("severity", severity),
            days,
            tuple(
                sum(n for (code, at), n in counts[run.id].items() if at == severity and rule in (None, code))
                for run in runs
            ),
        )
        for severity in Severity
    )
    return _picture(drawn, _findings_said(runs, counts))


def show_unit_chart(code: str) -> Response:
    """The three numbers of one unit over the nights."""
    points = trends.unit_trend(g.db, trends.counting_runs(g.db), code)
    days = tuple(point.run.as_of for point in points)
    return _picture(_three(days, points), g.unit.unit_name)


def _figure_lines(points: Sequence[LevelPoint]) -> tuple[Line, ...]:
    return _three(tuple(point.as_of for point in points), points)


def _three(days: tuple, points: Sequence) -> tuple[Line, ...]:
    measures = ((_("编制数"), "quota"), (_("实有人数"), "in_post"), (_("财政供养数"), "paid"))
    return tuple(Line(label, days, tuple(getattr(point, name) for point in points)) for label, name in measures)


def _picture(drawn: tuple[Line, ...], description: str) -> Response:
    width = WIDTHS.get(request.args.get("size", ""), WIDTHS["wide"])
    response = make_response(lines(drawn, _("趋势"), description, width))
    response.headers["Content-Type"] = "image/svg+xml; charset=utf-8"
    return response
