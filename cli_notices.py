"""`bianzhi notices`: entry and exit notices to and from personnel, finance and medical insurance; and what books and gate say
otherwise of units whose gate is ours."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from cli_door import (
    AS_JSON,
    DAY,
    act_of,
    as_day,
    engine_of,
    explained,
    hand_of,
    opened,
    read_only,
    show_answer,
    show_rows,
)
from core.db import writing

RECEIVERS = click.Choice(["PERSONNEL", "FINANCE", "INSURANCE"], case_sensitive=False)
AS = click.option("--as", "login", required=True, help="Your login.")
TOKEN = click.option("--token-file", type=click.File(), default="-", help="File with your API token; - = stdin.")


@click.group()
def notices() -> None:
    """Entry and exit notices: list what waits, export it for a receiver, take its acknowledgements.

    \b
    notices list --as LOGIN                       what waits, the longest first
    notices export --to-receiver FINANCE --as LOGIN   a file of what is due (again), 0600, in HOME/notices
    notices acknowledge FILE --as LOGIN           the receiver's answer: columns 通知单编号, 收件方
    notices differences [--as-of DAY]             what books and gate say otherwise of switched units

    Exits: 0 done · 10 refused · 11 the file is wrong: nothing was taken.
    """


@notices.command("list")
@click.option("--receiver", type=RECEIVERS, default=None, help="Only this receiver's.")
@click.option("--all", "everything", is_flag=True, help="Acknowledged and withdrawn ones too.")
@AS
@TOKEN
@AS_JSON
def list_notices(receiver: str | None, everything: bool, login: str, token_file, as_json: bool) -> None:
    """Notices of the units you see, the longest waiting first."""
    from core.db import reading
    from staffing.notices import notice_page
    from staffing.store import gate_parameters

    settings = opened()
    act = act_of(settings, hand_of(login, token_file, None, "notices"))
    with reading(engine_of(settings)) as session:
        longest = gate_parameters(session, act.today, "")["notice_days"]
        views, _ = notice_page(session, act.scope, act.today, longest, open_only=not everything, receiver=receiver)
        rows = [
            {
                "notice": view.notice.id, "kind": view.notice.kind, "receiver": view.notice.receiver,
                "status": view.notice.status, "unit": view.notice.unit_code, "slot": view.notice.slot_no,
                "effective": view.notice.effective, "month": view.notice.month, "age": view.age, "overdue": view.overdue,
            }
            for view in views
        ]  # fmt: skip
    show_rows(rows, as_json)


@notices.command()
@click.option("--to-receiver", "receiver", type=RECEIVERS, required=True, help="Whom the file is for.")
@click.option("--form", type=click.Choice(["csv", "xlsx"]), default="csv", show_default=True)
@click.option(
    "--to", "folder", type=click.Path(path_type=Path, file_okay=False), default=None, help="Default: HOME/notices."
)
@AS
@TOKEN
@AS_JSON
def export(receiver: str, form: str, folder: Path | None, login: str, token_file, as_json: bool) -> None:
    """Write what is due for a receiver. Finance and insurance get the number in full, with an audit event."""
    from night.notice_files import export_notices

    settings = opened()
    act = act_of(settings, hand_of(login, token_file, None, "notices"))
    with explained(as_json), writing(engine_of(settings)) as session:
        path = export_notices(session, act, receiver.upper(), settings, form, folder)
    show_answer({"file": path and path.name, "folder": path and path.parent}, as_json)


@notices.command("acknowledge")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@AS
@TOKEN
@AS_JSON
def take(file: Path, login: str, token_file, as_json: bool) -> None:
    """Take a receiver's file of acknowledgements, whole or not at all."""
    from night.notice_files import import_acknowledgements

    settings = opened()
    act = act_of(settings, hand_of(login, token_file, None, "notices"))
    with explained(as_json), writing(engine_of(settings)) as session:
        counts = import_acknowledgements(session, act, file)
    show_answer(counts, as_json)


@notices.command()
@click.option("--as-of", "as_of", type=DAY, default=None, help="The night (default: the newest).")
@AS_JSON
def differences(as_of: datetime | None, as_json: bool) -> None:
    """What the delivered books and our gate say otherwise of switched units: entries and exits to register, copies."""
    from night.own_lists import gate_differences

    with read_only() as (settings, session):
        rows = gate_differences(session, settings, as_of=as_day(as_of))
    show_rows(rows, as_json)
