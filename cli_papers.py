"""`bianzhi certificate`: certificates from the command line, and verifying one without account, database or network."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
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
    show_json,
    show_rows,
)
from cli_pool import deed_command
from core.db import writing
from core.errors import InputRejected, Refused

ON = click.option(
    "--on", "on", type=click.DateTime(["%Y-%m-%d"]), default=None, help="As of this day (default: today)."
)


@click.group()
def certificate() -> None:
    """Certificates of units (机构编制管理证): list, show, renew, hand out, verify.

    \b
    Look:     certificate list · show UNIT · pdf UNIT --out FILE
    Renew:    certificate renew UNIT --as LOGIN   (nothing changed: no new version) · renew --due
    Keep:     certificate check UNIT YEAR PASSED|RECTIFY · revoke UNIT --reason WHY
    Verify:   certificate verify FILE.pdf         (--public-key key.pem: without database or network)

    Exits: 0 done, or genuine and in force · 10 refused, or not in force, tampered with, unknown · 11 unreadable.
    """


@certificate.command("list")
@click.option("--due", is_flag=True, help="Only those whose renewal is due.")
@ON
@AS_JSON
def list_all(due: bool, on: datetime | None, as_json: bool) -> None:
    """The newest version of every unit that has one."""
    from staffing.certificate_store import certificate_due, checks_missing, newest_versions, state_of

    day = as_day(on) or office_day()
    with read_only() as (_, session):
        newest = newest_versions(session, on=day)
        waiting, missing = certificate_due(session, newest, day), checks_missing(session, newest, day)
        rows = [
            {
                "unit_code": code, "version": row.version, "state": state_of(session, row, day).value,
                "due": str(waiting.get(code, "")), "check_missing": code in missing, "issued": row.issued_on,
                "valid_until": row.valid_until, "code": row.code,
            }
            for code, row in newest.items()
            if not due or code in waiting
        ]  # fmt: skip
    show_rows(rows, as_json)


@certificate.command()
@click.argument("unit")
@click.option("--version", type=int, default=None, help="An older version.")
@AS_JSON
def show(unit: str, version: int | None, as_json: bool) -> None:
    """What a version says, and the three copies of the unit's quota today."""
    from staffing.certificate_store import state_of, version_of
    from staffing.copies import copies

    with read_only() as (_, session):
        row = version_of(session, unit, version)
        held = copies(session, unit, office_day())
        answer = {
            "state": state_of(session, row, office_day()).value, "content_hash": row.content_hash,
            "content": json.loads(row.content),
            "copies": [
                {"post_type": c.post_type, "fund_form": c.fund_form, "ledger": c.ledger, "certificate": c.certificate,
                 "database": c.database, "agree": c.agree}
                for c in held
            ],
        }  # fmt: skip
    show_json(answer) if as_json else show_answer(answer, False)


@certificate.command()
@click.argument("unit", required=False)
@click.option("--due", is_flag=True, help="Every one that is due and that you may renew.")
@click.option("--as", "login", required=True, help="Your login.")
@click.option("--token-file", type=click.File(), default="-", help="File with your API token; - = stdin.")
@AS_JSON
def renew(unit: str | None, due: bool, login: str, token_file, as_json: bool) -> None:
    """Issue UNIT's certificate, or a new version of it if what it says changed."""
    from core.errors import Forbidden, NotFound
    from staffing.certificate_pdf import Press
    from staffing.certificate_store import certificate_due
    from staffing.certificates import renew_certificate

    if bool(unit) == due:
        raise InputRejected("name one unit, or --due")
    settings = opened()
    act = act_of(settings, hand_of(login, token_file, None, "certificate"))
    codes = [unit]
    if due:
        with read_only() as (_, session):
            codes = [code for code in certificate_due(session, None, act.today) if act.by.sees_unit(code)]
    done = []
    for code in codes:
        with (
            explained(as_json),
            suppress(*((Forbidden, NotFound) if due else ())),
            writing(engine_of(settings)) as session,
        ):
            done.append(renew_certificate(session, act, code, Press.of(settings)))
    show_rows(done, as_json)


@certificate.command()
@click.argument("unit")
@click.option("--version", type=int, default=None, help="An older version.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write.")
def pdf(unit: str, version: int | None, out: Path) -> None:
    """Write a version's PDF as it was issued, to the byte."""
    from staffing import shelf
    from staffing.certificate_pdf import papers_dir
    from staffing.certificate_store import version_of

    with read_only() as (settings, session):
        row = version_of(session, unit, version)
        content = shelf.take(papers_dir(settings), row.file_sha256)
    try:
        out.write_bytes(content)
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror}") from None
    click.echo(f"{out}: {row.unit_code} version {row.version}, {len(content):,} bytes")


def _add_deeds() -> None:
    from staffing.paper_acts import CHECK, REGISTER, REVOKE

    for deed in (CHECK, REVOKE):
        certificate.add_command(deed_command(deed))
    document.add_command(deed_command(REGISTER))


@click.group()
def document() -> None:
    """Documents that quota, permits and certificates hang on: register, add files, list.

    \b
    document register NO DATE --title T [--units CODE,CODE] --as LOGIN    once; the same again changes nothing
    document add NO FILE --as LOGIN                                      size and type are checked, the hash is kept
    document list [--search TEXT] --as LOGIN · show NO --as LOGIN

    Exits: 0 done · 10 refused · 11 something could not be read.
    """


def of_reader(command):
    """The options of whoever looks at documents or adds to them."""
    for option in (
        AS_JSON,
        click.option("--token-file", type=click.File(), default="-", help="File with your API token; - = stdin."),
        click.option("--as", "login", required=True, help="Your login."),
    ):
        command = option(command)
    return command


def _reader(login: str, token_file, settings):
    return act_of(settings, hand_of(login, token_file, None, "document"))


@document.command("list")
@click.option("--search", default="", help="Part of number or title.")
@of_reader
def list_documents(search: str, login: str, token_file, as_json: bool) -> None:
    """Documents of your scope, the newest first, and numbers that were used and never registered."""
    from core.db import reading
    from staffing.documents import document_page, unregistered

    settings = opened()
    act = _reader(login, token_file, settings)
    with reading(engine_of(settings)) as session:
        rows, _total = document_page(session, act.by, search, None, 0)
        shown = [
            {"doc_no": row.doc_no, "date": row.doc_date, "title": row.title, "meeting": row.meeting} for row in rows
        ]
        missing = [row.doc_no for row in unregistered(session, act.by)]
    if as_json:
        return show_json({"items": shown, "unregistered": missing})
    show_rows(shown, False)
    if missing:
        click.echo(f"not registered: {' '.join(missing)}")
    return None


@document.command("show")
@click.argument("doc_no")
@of_reader
def show_document(doc_no: str, login: str, token_file, as_json: bool) -> None:
    """One document: its files with their hashes, and what hangs on it, as far as you see it."""
    from core.db import reading
    from staffing.documents import files_of, hanging_on, seen_document

    settings = opened()
    act = _reader(login, token_file, settings)
    with reading(engine_of(settings)) as session:
        row, hanging = seen_document(session, act.by, doc_no), hanging_on(session, act.by, doc_no)
        answer = {
            "doc_no": row.doc_no, "date": row.doc_date, "title": row.title, "meeting": row.meeting,
            "files": [
                {"name": file.name, "bytes": file.size, "sha256": file.sha256} for file in files_of(session, [row.doc_no])[row.doc_no]
            ],
            "units": hanging.units, "movements": [movement.seq for movement in hanging.movements],
            "certificates": [f"{each.unit_code} v{each.version}" for each in hanging.certificates],
            "facts": [f"{each.unit_code} {each.kind}" for each in hanging.facts],
            "determinations": [each.unit_code for each in hanging.determinations],
        }  # fmt: skip
    show_json(answer) if as_json else show_answer(answer, False)


@document.command("add")
@click.argument("doc_no")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@of_reader
def add_document_file(doc_no: str, file: Path, login: str, token_file, as_json: bool) -> None:
    """Add a FILE to a registered document; size and type are checked."""
    from staffing.certificate_pdf import papers_dir
    from staffing.documents import add_file

    settings = opened()
    act = _reader(login, token_file, settings)
    with explained(as_json), writing(engine_of(settings)) as session:
        answer = add_file(session, act, doc_no, file.name, file.read_bytes(), papers_dir(settings))
    show_answer(answer, as_json)


_add_deeds()


@certificate.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False)
@click.option("--scan", help="The text of a scanned QR code, instead of a file.")
@click.option("--code", help="A verification code, instead of a file (asks the database).")
@click.option(
    "--public-key", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="PEM file of the portal's public keys: verifies without database or network.",
)  # fmt: skip
@AS_JSON
def verify(file: Path | None, scan: str | None, code: str | None, public_key: Path | None, as_json: bool) -> None:
    """Whether a certificate is genuine, and (asking the database) in force. Exit 0 only then."""
    from staffing.verifying import Verdict

    if sum(given is not None for given in (file, scan, code)) != 1 or (code and public_key):
        raise InputRejected("name one of: a file, --scan, --code (which asks the database)")
    answer = _offline(file, scan, public_key) if public_key else _online(file, scan, code)
    row = {"verdict": answer.verdict.value, "says": answer.label, **(answer.about or {})}
    show_answer(row, as_json)
    if answer.verdict not in (Verdict.VALID, Verdict.GENUINE):
        raise Refused(answer.sentence)


def _offline(file: Path | None, scan: str | None, public_key: Path):
    from staffing.signing import public_of
    from staffing.verifying import verify_offline, verify_scan

    end = b"-----END PUBLIC KEY-----"
    publics = [public_of(part + end) for part in public_key.read_bytes().split(end)[:-1]]
    if not publics:
        raise InputRejected(f"{public_key} holds no public key")
    if scan is not None:
        return verify_scan(scan, publics, office_day())
    return verify_offline(file.read_bytes(), publics, office_day())


def _online(file: Path | None, scan: str | None, code: str | None):
    from staffing.certificate_store import public_keys
    from staffing.verifying import Verdict, verify_code, verify_file, verify_scan

    with read_only() as (_, session):
        if file is not None:
            return verify_file(session, file.read_bytes(), office_day())
        if scan is not None:
            signed = verify_scan(scan, public_keys(session), office_day())
            # A signature that holds says nothing of what came after it: the code does.
            return (
                signed
                if signed.verdict in (Verdict.TAMPERED, Verdict.UNKNOWN)
                else verify_code(session, scan, office_day())
            )
        return verify_code(session, code, office_day())
