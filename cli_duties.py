"""`bianzhi duties`: files of duties, standards, workloads and reform plans from the command line, and their lists."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from cli_door import (
    AS_JSON,
    act_of,
    as_day,
    engine_of,
    explained,
    hand_of,
    office_day,
    opened,
    read_only,
    show_answer,
    show_rows,
)
from core.db import writing
from core.errors import InputRejected

KINDS = click.Choice(["determinations", "items", "standards", "workloads", "reform"])
ON = click.option(
    "--on", "on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="As of this day (default: today)."
)


@click.group()
def duties() -> None:
    """Duties and standards (三定, 权责清单, 配置标准, 改革任务): import files, list what they give.

    \b
    Look:    duties list · list --what checks|standards|reform · template KIND
    Import:  duties import KIND FILE.csv --as LOGIN      (reform: --document NO --title T)
    Remind:  duties remind                               (tasks near their deadline, once each)

    Exits: 0 done · 10 refused · 11 the file has faults, all named, and nothing of it was kept.
    """


@duties.command("import")
@click.argument("kind", type=KINDS)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--division", default=None, help="Whose standards they are, where you have several divisions.")
@click.option("--document", "document_no", default="", help="Registered document of a reform plan.")
@click.option("--title", default="", help="Title of a reform plan.")
@click.option("--as", "login", required=True, help="Your login.")
@click.option("--token-file", type=click.File(), default="-", help="File with your API token; - = stdin.")
@AS_JSON
def import_one(kind: str, file: Path, division, document_no: str, title: str, login: str, token_file, as_json) -> None:
    """Import FILE: all of it, or nothing and every fault by row and column."""
    from staffing.duty_files import FileKind
    from staffing.duty_import import Delivered, import_file

    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputRejected(f"{file} cannot be read: {error.strerror}") from None
    settings = opened()
    act = act_of(settings, hand_of(login, token_file, None, "duties"))
    given = Delivered(FileKind(kind), file.name, content, division, document_no, title)
    with explained(as_json), writing(engine_of(settings)) as session:
        done = import_file(session, act, given)
    show_answer(done, as_json)


@duties.command("list")
@click.option("--what", type=click.Choice(["units", "checks", "standards", "reform"]), default="units")
@click.option("--login", "login", required=True, help="Whose scope; the list is what this person sees.")
@ON
@AS_JSON
def list_all(what: str, login: str, on: datetime | None, as_json: bool) -> None:
    """Units with their duties, what stands apart, units against their standard, or reform tasks."""
    from core.accounts import get_user
    from core.permissions import scope_of

    day = as_day(on) or office_day()
    with read_only() as (_, session):
        rows = _LISTS[what](session, scope_of(session, get_user(session, login)), day)
    show_rows(rows, as_json)


def _units(session, scope, day) -> list[dict]:
    from staffing.duty_findings import findings
    from staffing.duty_overview import duty_list, gaps_by_unit

    listed, _ = duty_list(session, scope, day)
    gaps = gaps_by_unit(findings(session, scope, day))
    return [
        {
            "unit_code": each.unit.unit_code, "unit_name": each.unit.unit_name,
            "doc_no": each.version.row.doc_no if each.version else "", "items": each.items, "gaps": gaps[each.unit.unit_code],
        }
        for each in listed
    ]  # fmt: skip


def _checks(session, scope, day) -> list[dict]:
    from staffing.duties_check import sentence
    from staffing.duty_findings import findings

    return [
        {"gap": each.gap.value, "unit_code": each.unit_code, "other": each.other_code or "", "says": sentence(each, {})}
        for each in findings(session, scope, day)
    ]


def _standards(session, scope, day) -> list[dict]:
    from pool.standards import measured

    return [
        {
            "unit_code": row.unit_code, "post_type": row.post_type, "standard": row.standard, "quota": row.quota,
            "in_post": row.in_post, "over": row.over,
        }
        for row in measured(session, None, day)
        if scope.sees_unit(row.unit_code)
    ]  # fmt: skip


def _reform(session, scope, day) -> list[dict]:
    from staffing.reform_life import is_late, same_effect
    from staffing.reform_store import effects_of, tasks_seen

    rows = tasks_seen(session, scope)
    effects = effects_of(session, rows)
    return [
        {
            "task": row.number, "unit_code": row.unit_code, "deadline": row.deadline, "status": row.status,
            "overdue": is_late(row.status, row.deadline, day), "booked_as_planned": same_effect(*effects[row.number]),
        }
        for row in rows
    ]  # fmt: skip


_LISTS = {"units": _units, "checks": _checks, "standards": _standards, "reform": _reform}


@duties.command()
@click.argument("kind", type=KINDS)
def template(kind: str) -> None:
    """The header of a file of a kind, to fill in."""
    from staffing.duty_files import FileKind, template_of

    click.echo(template_of(FileKind(kind)).lstrip("\ufeff").strip())


@duties.command()
def remind() -> None:
    """Queue a mail for every task near or past its deadline nobody was reminded of yet. The night does the same."""
    from staffing.reforms import remind_tasks

    settings = opened()
    with writing(engine_of(settings)) as session:
        count = remind_tasks(session, office_day(), datetime.now(UTC), settings.portal_url)
    click.echo(f"{count} tasks reminded of")
