"""Tonight at a glance: the three numbers, the flags, the books, the nights before."""

from __future__ import annotations

import json

from flask import Response, g, make_response, render_template, request
from flask_babel import gettext as _

from core.accounts import Role
from core.permissions import Permission
from core.types import BookVerdict, Level
from core.units import division_lineage
from expectations.books import BOOKS
from reconcile import store
from reconcile.catalog import RULES
from reconcile.models import NightRun, NightState, Verdict
from web.charts import Bars, Wording, three_numbers
from web.errors import SENTENCES
from web.figures import Sum, sums_by, whole
from web.scoping import covers_run
from web.words import word

ENDPOINTS = ("overview", "overview_chart")
WIDTHS = {"wide": 1120, "narrow": 420}
STRIP = 14
CHART_PLACES = 16
SEVERITIES = ("S1", "S2", "S3", "S4")


def show_overview() -> str:
    """The newest settled night, seen through the person's scope."""
    run = store.newest_run(g.db)
    runs = store.nights(g.db, limit=4 * STRIP)
    parked = next((r for r in runs if r.state == NightState.PARKED and (run is None or r.as_of >= run.as_of)), None)
    if run is None:
        return render_template("overview.html", run=None, parked=parked)
    by, sums = _sums(run)
    counts = store.counts_by_rule(g.db, run, g.scope)
    return render_template(
        "overview.html",
        run=run,
        parked=parked,
        reasons=red_reasons(run),
        by=by,
        sums=sums,
        total=whole(sums),
        rules=_by_rule(counts),
        severities={s: sum(n for (_rule, severity), n in counts.items() if severity == s) for s in SEVERITIES},
        flag_count=sum(counts.values()),
        live_count=store.live_flag_count(g.db, g.scope),
        books=[v for v in verdicts_seen(run) if v.verdict != BookVerdict.ACCEPTED],
        not_evaluable_count=len(store.not_evaluable(g.db, run.id, g.scope)),
        strip=[r for r in runs if r.superseded_by is None][:STRIP][::-1],
        description=_describe(sums, by),
    )


def show_overview_chart() -> Response:
    """The chart alone, as a picture the page loads."""
    run = store.newest_run(g.db)
    by, sums = _sums(run) if run is not None else ("level", [])
    bars = tuple(Bars(_place(each.place, by), each.quota, each.in_post, each.paid) for each in sums[:CHART_PLACES])
    wording = Wording(_("三个数"), _describe(sums, by), (_("编制数"), _("实有人数"), _("财政供养数")), _("未知"))
    width = WIDTHS.get(request.args.get("size", ""), WIDTHS["wide"])
    response = make_response(three_numbers(bars, wording, width))
    response.headers["Content-Type"] = "image/svg+xml; charset=utf-8"
    return response


def red_reasons(run: NightRun) -> list[str] | None:
    """Why a night is red: [] when green, None while not concluded. Who does not see all its books gets one sentence."""
    if run.red_reasons is None:
        return None
    reasons = json.loads(run.red_reasons)
    if reasons and not (g.scope.may(Permission.SEE_VERDICTS) and covers_run(run)):
        return [_("有应报的名册缺报或被拒收，或有核验未通过。")]
    return reasons


def verdicts_seen(run: NightRun) -> list[Verdict]:
    """Verdicts within the scope; an administrator, who looks after the deliveries, sees all of them."""
    if not g.scope.may(Permission.SEE_VERDICTS):
        return []
    found = store.verdicts(g.db, run.id, None if Role.ADMINISTRATOR in g.scope.roles else g.scope)
    order = {book: place for place, book in enumerate(BOOKS)}
    return sorted(found, key=lambda verdict: (verdict.division_code, order[verdict.book]))


def _sums(run: NightRun) -> tuple[str, list[Sum]]:
    """By level, or by division: unit totals of the scope added up."""
    totals = store.cells(g.db, run.id, g.scope, totals_only=True)
    if request.args.get("by") == "division":
        return "division", sums_by(totals, lambda figure: _county(figure.division_code), [])
    levels = {unit.unit_code: unit.level for unit in store.units(g.db, g.scope)}
    return "level", sums_by(totals, lambda figure: levels.get(figure.unit_code), [level.value for level in Level])


def _county(division_code: str | None) -> str | None:
    """Townships stand under their county's six digits, so that the picture stays readable."""
    return division_lineage(division_code)[1] if division_code and len(division_code) > 6 else division_code


def _place(place: str, by: str) -> str:
    if not place:
        return _("未登记")
    return word("level", place) if by == "level" else place


def _describe(sums: list[Sum], by: str) -> str:
    """The chart in words."""
    shown = lambda value: _("未知") if value is None else f"{value:,}"
    parts = [
        _("%(place)s：编制数 %(quota)s，实有人数 %(in_post)s，财政供养数 %(paid)s",
          place=_place(each.place, by), quota=shown(each.quota), in_post=shown(each.in_post), paid=shown(each.paid))
        for each in sums
    ]  # fmt: skip
    return "；".join(parts) or SENTENCES[404]


def _by_rule(counts: dict[tuple[str, str], int]) -> list[tuple[str, dict[str, int], int]]:
    """(rule, severity → count, sum) in the order of rules."""
    lines = []
    for rule in (code for code in RULES if any(code == counted for counted, _severity in counts)):
        by_severity = {severity: counts[rule, severity] for severity in SEVERITIES if (rule, severity) in counts}
        lines.append((rule, by_severity, sum(by_severity.values())))
    return lines
