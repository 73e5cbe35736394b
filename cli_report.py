"""`bianzhi report`: situation reports from the command line."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import click

from cli_door import AS_JSON, DAY, as_day, engine_of, opened, show_answer, show_rows, signed_in
from core.db import reading, writing
from core.errors import InputRejected
from core.permissions import Scope, scope_of
from core.types import Level

PERSON = (
    click.option("--as", "login", required=True, help="Your login."),
    click.option("--token-file", type=click.File(), default="-", help="File with your API token; - = standard input."),
)


def person(command):
    """The options of whoever acts or looks."""
    for option in reversed(PERSON):
        command = option(command)
    return command


def _scope(session, login: str, token: str) -> Scope:
    return scope_of(session, signed_in(session, login, token))


@click.group()
def report() -> None:
    """Situation reports 机构编制情况报告: a period opened by the office, confirmed or disputed unit by unit."""


@report.command("open")
@click.option("--division", required=True)
@click.option("--level", type=click.Choice([level.value for level in Level]), default=None)
@click.option("--code", default="", help="Default: the period today falls in (parameter report_period).")
@click.option("--first", type=DAY, default=None)
@click.option("--last", type=DAY, default=None)
@click.option("--deadline", type=DAY, default=None, help="Default: report_days working days from today.")
@AS_JSON
@person
def open_(division, level, code, first, last, deadline, as_json: bool, login: str, token_file) -> None:
    """Open a period with the figures of the newest settled night; unit officers are mailed."""
    from night.reminders import tell_of_period
    from night.situation import Opening, open_period

    settings, token, now = opened(), token_file.read(), datetime.now(UTC)
    opening = Opening(division, Level(level) if level else None, code, as_day(first), as_day(last), as_day(deadline))
    with writing(engine_of(settings)) as session:
        period = open_period(session, settings, opening, _scope(session, login, token), now)
        mails = tell_of_period(session, period, now, settings.portal_url)
        row = {
            "period": period.id,
            "code": period.code,
            "deadline": period.deadline,
            "deadline_note": period.deadline_note,
            "as_of": period.as_of,
            "mails": mails,
        }
    show_answer(row, as_json)


@report.command("list")
@AS_JSON
@person
def list_(as_json: bool, login: str, token_file) -> None:
    """Periods with a unit of yours, and how far they are."""
    from night.situation import periods_seen, reports_of

    settings, token = opened(), token_file.read()
    with reading(engine_of(settings)) as session:
        by = _scope(session, login, token)
        rows = []
        for period in periods_seen(session, by):
            reports = reports_of(session, period.id, by)
            confirmed = sum(each.status == "CONFIRMED" for each in reports)
            rows.append({
                "period": period.id, "code": period.code, "division": period.division_code, "level": period.level,
                "deadline": period.deadline, "deadline_note": period.deadline_note, "units": len(reports),
                "confirmed": confirmed,
            })  # fmt: skip
    show_rows(rows, as_json, "no period")


@report.command("show")
@click.argument("period", type=int)
@click.option("--unit", default=None, help="The figures of this unit; default: who has confirmed.")
@AS_JSON
@person
def show(period: int, unit: str | None, as_json: bool, login: str, token_file) -> None:
    """Who has confirmed; with --unit, its figures and what was said of each."""
    from night.situation import lines_of, period_seen, report_seen, reports_of

    settings, token = opened(), token_file.read()
    with reading(engine_of(settings)) as session:
        by = _scope(session, login, token)
        if unit is None:
            names = ("unit_code", "unit_name", "status", "as_of", "version", "confirmed_by", "hash")
            found = reports_of(session, period_seen(session, period, by).id, by)
        else:
            names = ("place", "measure", "part", "figure", "answer", "stated", "remark")
            found = lines_of(session, report_seen(session, period, unit, by))
        rows = [{name: getattr(row, name) for name in names} for row in found]
    show_rows(rows, as_json)


@report.command("answer")
@click.argument("period", type=int)
@click.option("--unit", required=True)
@click.option("--version", type=int, required=True, help="Of the report you read (report show).")
@click.option(
    "--dispute", multiple=True, metavar="PLACE=REMARK", help="A figure you dispute, and why; the rest you agree to."
)
@AS_JSON
@person
def answer(period: int, unit: str, version: int, dispute, as_json: bool, login: str, token_file) -> None:
    """Agree to every figure but those disputed. With none disputed the report is confirmed and frozen."""
    from night.situation import Answer, answer_report, lines_of, report_seen

    disputed = dict(_disputed(text) for text in dispute)
    settings, token = opened(), token_file.read()
    with writing(engine_of(settings)) as session:
        by = _scope(session, login, token)
        places = {line.place for line in lines_of(session, report_seen(session, period, unit, by))}
        unknown = set(disputed) - places
        if unknown:
            raise InputRejected(f"no figure {min(unknown)} in this report")
        answers = {place: Answer(place not in disputed, None, disputed.get(place, "")) for place in places}
        held = answer_report(session, period, unit, version, answers, by, datetime.now(UTC))
        row = {"unit_code": held.unit_code, "status": held.status, "hash": held.hash}
    show_answer(row, as_json)


def _disputed(text: str) -> tuple[int, str]:
    place, equals, remark = text.partition("=")
    if not equals or not place.isdigit() or not remark.strip():
        raise InputRejected("--dispute takes PLACE=REMARK, such as 3=两人已退休")
    return int(place), remark


@report.command("export")
@click.argument("period", type=int)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File; default: standard output.")
@person
def export(period: int, out: Path | None, login: str, token_file) -> None:
    """Every figure of the period within your scope, as csv (UTF-8 with BOM)."""
    from night.lists import RUNS
    from night.situation import lines_of, period_seen, reports_of

    settings, token = opened(), token_file.read()
    names = ("measure", "part", "figure", "answer", "stated", "remark")
    of_report = ("unit_code", "unit_name", "status", "as_of", "confirmed_by", "hash")
    with reading(engine_of(settings)) as session:
        by = _scope(session, login, token)
        held = reports_of(session, period_seen(session, period, by).id, by)
        rows = [
            [*(getattr(each, name) for name in of_report), *(getattr(line, name) for name in names)]
            for each in held
            for line in lines_of(session, each)
        ]
    harmless = lambda cell: "'" + cell if isinstance(cell, str) and cell.lstrip().startswith(RUNS) else cell
    shown = lambda cell: cell.isoformat() if isinstance(cell, date) else harmless(cell)
    with click.open_file(str(out or "-"), "w", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow([*of_report, *names])
        writer.writerows([[shown(cell) for cell in row] for row in rows])
