"""`bianzhi`: the third door. Every command parses, calls one use-case, prints."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli_door import DAY, Door, office_day, opened, signed_in
from cli_duties import duties
from cli_gate import gate
from cli_notices import notices
from cli_papers import certificate, document
from cli_pool import pool
from cli_report import report
from core.account_import import import_accounts
from core.db import engine_for, reading, writing
from core.errors import Refused
from core.migrate import upgrade
from core.parameter_import import import_parameters
from core.parameters import ALL, ALWAYS, DEFINITIONS, list_parameters, set_parameter
from core.settings import load_settings, make_keys_once


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="bianzhi")
def main() -> None:
    """编制 Bianzhi keeps three numbers honest: posts approved, people in post, people paid.

    \b
    Try it:   bianzhi demo --out .demo && bianzhi night --inbox .demo/inbox --as-of 2026-10-31
    Look:     bianzhi flags --as-of 2026-10-31      bianzhi portal
    Exits:    0 good · 10 refused · 11 a book · 12 try again later · 13 settings · 14 our own books do not add up

    Settings come from the environment (BIANZHI_HOME, BIANZHI_DATABASE_URL, …); see docs/settings.md.
    """


main.add_command(pool)
main.add_command(gate)
main.add_command(certificate)
main.add_command(document)
main.add_command(notices)
main.add_command(duties)
main.add_command(report)


@main.group()
def db() -> None:
    """The database."""


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the newest schema."""
    settings = load_settings()
    click.echo(f"database at {upgrade(engine_for(settings.database_url))}")


@main.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder to write (inbox/, truth/, …).")
@click.option("--people", default=20_000, show_default=True, type=click.IntRange(200, 60_000_000))
@click.option("--seed", default=1, show_default=True)
@click.option("--as-of", type=DAY, default="2026-10-31", show_default=True, help="The last night.")
@click.option("--clean", is_flag=True, help="Nothing planted: every night must find nothing.")
def demo(out: Path, people: int, seed: int, as_of: datetime, clean: bool) -> None:
    """Write a synthetic city: every person in it is invented."""
    from demo.city import make_city

    summary = make_city(out, people=people, seed=seed, as_of=as_of.date(), clean=clean)
    click.echo(f"{out}: {summary}")


@main.command()
@click.option("--inbox", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--as-of", type=DAY, required=True)
def night(inbox: Path, as_of: datetime) -> None:
    """Run one whole night, without Airflow. Exit 0 green, 11 a book, 14 a proof."""
    from night.steps import ORDER, run_night
    from night.summary import night_lines

    settings = opened(empty_too=True)
    columns = (TextColumn("{task.description:28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("open", total=len(ORDER) + 1)
        show = lambda name, book: bar.update(task, advance=1, description=f"{name} {book or ''}")
        try:
            run_night(settings, inbox, as_of.date(), show)
        finally:
            bar.stop()
            with reading(engine_for(settings.database_url)) as session:
                for line in night_lines(session, settings, as_of.date()):
                    click.echo(line)


@main.command()
@click.option("--as-of", type=DAY, required=True)
@click.option("--format", "form", type=click.Choice(["json", "csv", "xlsx"]), default="json", show_default=True)
@click.option("--rule", multiple=True, help="Only these rules; may be given several times.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write (needed for xlsx).")
def flags(as_of: datetime, form: str, rule: tuple[str, ...], out: Path | None) -> None:
    """Flags with a finding that night, and their state now."""
    from night.lists import export_flags, flag_rows

    settings = opened()
    with reading(engine_for(settings.database_url)) as session:
        rows = flag_rows(session, as_of.date(), rule)
    export_flags(rows, form, out, click.get_binary_stream("stdout"))


@main.command("not-evaluable")
@click.option("--as-of", type=DAY, required=True)
@click.option("--format", "form", type=click.Choice(["json"]), default="json")
def not_evaluable(as_of: datetime, form: str) -> None:
    """What a rule could not judge that night: (rule, unit or *, missing book)."""
    from night.lists import not_evaluable_rows

    settings = opened()
    with reading(engine_for(settings.database_url)) as session:
        click.echo(json.dumps(not_evaluable_rows(session, as_of.date()), ensure_ascii=False, indent=1))


@main.group()
def parameter() -> None:
    """Dated numbers and tables (marked ‡ in the domain)."""


@parameter.command("set")
@click.argument("name", type=click.Choice(sorted(DEFINITIONS)))
@click.argument("value")
@click.option("--division", default=ALL, help="Division code; default: everywhere.")
@click.option("--from", "start", type=DAY, default=f"{ALWAYS}", help="First day in force (default: always).")
def parameter_set(name: str, value: str, division: str, start: datetime) -> None:
    """Set NAME to VALUE from a day on."""
    settings = opened(empty_too=True)
    with writing(engine_for(settings.database_url)) as session:
        set_parameter(session, name, value, division, start.date(), actor="cli", now=datetime.now(UTC))
    click.echo(f"{name} = {value} ({division}, from {start.date()})")


@parameter.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def parameter_import(file: Path) -> None:
    """Set every parameter of a csv: name,division,from,value.

    A blank division is everywhere, a blank from is always. One wrong row is named, and nothing is set.
    """
    settings = opened(empty_too=True)
    with writing(engine_for(settings.database_url)) as session:
        count = import_parameters(session, file, actor="cli", now=datetime.now(UTC))
    click.echo(f"{count} parameters set")


@parameter.command("list")
def parameter_list() -> None:
    """Every parameter: its meaning, its default, and what was set."""
    settings = opened()
    with reading(engine_for(settings.database_url)) as session:
        for line in list_parameters(session):
            click.echo(line)


@main.command()
def verify() -> None:
    """Recompute every proof from the rows; exit 14 if one fails. Says how many leads on people nobody may see."""
    from night.proof import check_proofs, proofs
    from reconcile.visibility import leads_seen_by_nobody

    settings = opened()
    with reading(engine_for(settings.database_url)) as session:
        results = proofs(session, settings)
        unseen = leads_seen_by_nobody(session, office_day())
    for proof in results:
        click.echo(f"{'ok  ' if proof.holds else 'FAIL'} {proof.name}: {proof.detail}")
    if unseen:
        click.echo(
            f"NOTE 疑点线索 {unseen} 条无人可见：请用 bianzhi parameter set lead_reviewers 指定两名审核人员，"
            "并授予他们所有层级的审核角色"
        )
    check_proofs(results)


@main.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--today", type=DAY, default=None, help="Count ages from this day (default: today).")
def prune(dry_run: bool, today: datetime | None) -> None:
    """Let go of nights kept long enough (parameters keep_days, keep_superseded_days, keep_month_days).

    Their counts, verdicts, unit totals and every flag with its history stay; single findings, snapshots, reports and raw
    copies go. The newest night is never pruned.
    """
    from night.retention import drop_unused, sweep
    from night.retention import prune as prune_nights

    settings = opened()
    engine = engine_for(settings.database_url)
    now = datetime.now(UTC)
    day = (today or now).date()
    with (reading if dry_run else writing)(engine) as session:
        gone = prune_nights(session, settings, day, now, actor="cli", dry_run=dry_run)
    if not dry_run:
        with reading(engine) as session:
            sweep(session, settings)
            drop_unused(session, settings, day)
    for as_of, run_no, superseded in gone.runs:
        click.echo(f"{as_of} run {run_no}{' (superseded)' if superseded else ''}")
    rows = ", ".join(f"{count} {name}" for name, count in gone.rows.items())
    verb = "would go" if dry_run else "went"
    click.echo(f"{len(gone.runs)} runs, rows: {rows}; {gone.files} files, {gone.bytes:,} bytes {verb}")


@main.command()
@click.option("--as-of", type=DAY, required=True)
@click.option("--as", "login", required=True, help="Your login.")
@click.option("--token-file", type=click.File(), default="-", help="File with your API token; - = standard input.")
def release(as_of: datetime, login: str, token_file) -> None:
    """Release a parked night: its new flags are opened, its mails and reports made."""
    from night.steps import release as release_night

    settings = opened()
    with reading(engine_for(settings.database_url)) as session:
        user = signed_in(session, login, token_file.read())
    release_night(settings, as_of.date(), user)
    click.echo(f"{as_of.date()} released")


@main.group()
def account() -> None:
    """Accounts."""


@account.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def account_import(file: Path) -> None:
    """Create accounts from a csv: login,email,display_name,password,role,division_code,level,unit_code.

    One row per grant; an account that exists is left as it is.
    """
    settings = opened(empty_too=True)
    with writing(engine_for(settings.database_url)) as session:
        count = import_accounts(session, file, actor="cli", now=datetime.now(UTC))
    click.echo(f"{count} accounts created")


@account.command("token")
@click.argument("logins", nargs=-1, required=True)
@click.option("--label", default="cli")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File for several: JSON, login → token, 0600."
)
def account_token(logins: tuple[str, ...], label: str, out: Path | None) -> None:
    """Issue an API token for each of LOGINS; it is printed once, or written once to a file that must be new."""
    from core.accounts import get_user, issue_token

    settings = opened()
    now = datetime.now(UTC)
    with writing(engine_for(settings.database_url)) as session:
        tokens = {
            login: issue_token(session, get_user(session, login), label=label, actor="cli", now=now)
            for login in dict.fromkeys(logins)
        }
        if out is not None:
            write_tokens(out, tokens)
    for token in tokens.values() if out is None else ():
        click.echo(token)


def write_tokens(path: Path, tokens: dict[str, str]) -> None:
    """A new file that only its owner may read. Errors: Refused when there is one, or the folder cannot be written."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(tokens, file)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from None


@main.group()
def keys() -> None:
    """The keys of this installation: made once, apart from the data, and rotated."""


@keys.command("make")
def keys_make() -> None:
    """Write the key file into BIANZHI_KEYS, taking over keys given in the environment."""
    click.echo(f"{make_keys_once()} written; keep a copy apart from every backup of the data")


@keys.command("rotate")
def keys_rotate() -> None:
    """A new PERSON_KEY: every flag, finding and kept number is re-keyed, and stays what it was.

    Lookup codes not used yet are void, and nobody finds an own record before the next night. Restart the portal afterwards. A night on its way is refused and must be run again.
    """
    from night.rotation import rotate_keys

    counts = rotate_keys(opened(), datetime.now(UTC), actor="cli")
    voided = counts.pop("lookup codes")
    rekeyed = ", ".join(f"{count} {name}" for name, count in counts.items())
    click.echo(
        f"{rekeyed} re-keyed; {voided} unused lookup codes void, own records wait for the next night; restart the portal"
    )


@main.command()
@click.option("--port", default=8400, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def portal(port: int, host: str) -> None:
    """Serve the portal and the API."""
    from web.serve import serve

    settings = opened()
    click.echo(f"portal on http://{host}:{port}  (Ctrl-C stops it)")
    serve(settings, host, port)


@main.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--quiet", is_flag=True, help="Only the comparison.")
def rehearsal(folder: Path, quiet: bool) -> None:
    """Compare every night of a demo city with its truth, and sum up; exit 14 when they differ."""
    from night.summary import rehearsal_lines

    settings = opened()
    with reading(engine_for(settings.database_url)) as session:
        lines, differences = rehearsal_lines(session, settings, folder)
    for line in differences if quiet else [*lines, *differences]:
        click.echo(line)
    sys.exit(14 if differences else 0)


@main.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--port", default=8425, show_default=True, help="0: any free one.")
@click.option(
    "--port-file", type=click.Path(path_type=Path, dir_okay=False), help="Write the port here once it listens."
)
def sink(folder: Path, port: int, port_file: Path | None) -> None:
    """A local mail server for the demo: keeps every mail in a folder and sends none on."""
    from demo.sink import serve_sink

    serve_sink(folder, port, port_file)
