"""The first half of a night: open, land, gate. Each step is idempotent, may be killed anywhere and run again, opens
its own transaction, and answers with counts only."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date, datetime
from itertools import chain
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.db import engine_for, reading, writing
from core.errors import InputRejected
from core.key_mark import hold_key
from core.parameters import Parameter, parameter_value
from core.retirement import Retirement
from core.settings import Settings
from core.types import BookVerdict
from expectations.books import BOOKS
from night.expected import expected_books
from night.inbox import InboxFile, fingerprint, inbox_files, sha256_of
from night.naming import RENAMED, Naming, naming_for
from night.places import check_run_key, raw_path, run_of, snapshot_dir
from reconcile.models import Delivery, NightRun, NightState, Verdict

VERSION = "2"


def open_night(settings: Settings, inbox: Path, as_of: date, now: datetime) -> int:
    """Find or begin the run of a night; returns its id.

    The same files, parameters and version give the same run, whatever its state; anything else begins a new run that
    will supersede the old one when it settles. Errors: InputRejected when nothing was delivered.
    """
    engine = engine_for(settings.database_url)
    with reading(engine) as session:
        naming = naming_for(session, settings.person_key, inbox / as_of.isoformat())
    files = inbox_files(inbox, as_of, naming)
    with writing(engine) as session:
        key = hold_key(session, settings.person_key, now)
        mark = fingerprint(files, _parameters(session), f"{VERSION} {key}")
        last = session.scalars(
            select(NightRun).where(NightRun.as_of == as_of).order_by(NightRun.run_no.desc()).limit(1)
        ).one_or_none()
        if last is not None and last.fingerprint == mark:
            return last.id
        run = NightRun(
            as_of=as_of,
            run_no=last.run_no + 1 if last else 1,
            fingerprint=mark,
            key_mark=key,
            inbox=str(inbox.resolve()),
            state=NightState.OPEN,
            backfill=_is_backfill(session, as_of),
            opened_at=now,
        )
        session.add(run)
        session.flush()
        session.add_all(_delivery(run.id, file) for file in files)
        return run.id


def _parameters(session: Session) -> dict[str, object]:
    rows = session.execute(
        select(Parameter.name, Parameter.division_code, Parameter.valid_from, Parameter.value).order_by(
            Parameter.name, Parameter.division_code, Parameter.valid_from
        )
    )
    return {f"{name} {division} {start}": value for name, division, start, value in rows}


def _is_backfill(session: Session, as_of: date) -> bool:
    newest = session.scalar(
        select(NightRun.as_of).where(NightRun.state == NightState.SETTLED).order_by(NightRun.as_of.desc()).limit(1)
    )
    return newest is not None and as_of < newest


def _delivery(run_id: int, file: InboxFile) -> Delivery:
    remarks = [] if file.book else ["不是批次文件：文件名不以任何批次名开头"]
    if file.name != file.path.name:
        remarks.append(RENAMED)
    return Delivery(
        run_id=run_id,
        division_code=file.division_code,
        book=file.book,
        file=file.name,
        sha256=file.sha256,
        size=file.size,
        remark="\n".join(remarks) or None,
    )


def land(settings: Settings, run_id: int, book: str) -> dict[str, int]:
    """Keep a raw copy of every file of a book ('control' too), mode 0600, checked against the hash seen on opening.

    Errors: InputRejected when a file changed or went since the night was opened.
    """
    with reading(engine_for(settings.database_url)) as session:
        run = run_of(session, run_id)
        deliveries = session.scalars(
            select(Delivery).where(Delivery.run_id == run_id, Delivery.book == book).order_by(Delivery.id)
        ).all()
        folder = Path(run.inbox) / run.as_of.isoformat()
    for delivery in deliveries:
        target = raw_path(settings, delivery.sha256, delivery.file)
        if target.exists() and target.stat().st_size == delivery.size:
            continue
        _copy(_source(folder, delivery, settings.person_key), target, delivery)
    return {"files": len(deliveries), "bytes": sum(delivery.size for delivery in deliveries)}


def _source(folder: Path, delivery: Delivery, person_key: str) -> Path:
    naming = Naming(person_key)
    for division in folder.iterdir():
        if division.is_dir() and naming.is_division(delivery.division_code, division.name):
            for path in division.iterdir():
                if naming.is_file(delivery.file, path.name) and path.is_file():
                    return path
    raise InputRejected(
        f"{delivery.division_code}/{delivery.file} went while the night ran; deliver it and re-run",
        file=delivery.file,
    )


def _copy(source: Path, target: Path, delivery: Delivery) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with source.open("rb") as reader, os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as writer:
            shutil.copyfileobj(reader, writer, 1 << 20)
            writer.flush()
            os.fsync(writer.fileno())
        if sha256_of(fresh) != delivery.sha256:
            raise InputRejected(
                f"{delivery.division_code}/{delivery.file} changed while the night ran; run the night again",
                file=delivery.file,
            )
        os.replace(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)


def gate(settings: Settings, run_id: int, book: str) -> dict[str, int]:
    """Accept, quarantine or reject one book of every division, and record the verdicts in one transaction.

    Answers with rows, and of the files how many were `read` and how many `taken_over` from another run.
    """
    from expectations.gate import gate_book
    from night.gating import delivered_files, gate_setting

    engine = engine_for(settings.database_url)
    with reading(engine) as session:
        run = run_of(session, run_id)
        check_run_key(settings, run)
        files, controls = delivered_files(session, settings, run, book)
        ages = Retirement.of(parameter_value(session, "retirement_ages", run.as_of))
        ranks = chain.from_iterable(parameter_value(session, "rank_order", run.as_of))
        setting = gate_setting(settings, run, book, controls, ages, ranks)
    result = gate_book(book, files, setting, snapshot_dir(settings, run))
    with writing(engine) as session:
        run = run_of(session, run_id)
        expected = expected_books(session, run)
        session.execute(delete(Verdict).where(Verdict.run_id == run_id, Verdict.book == book))
        judged = {verdict.division_code: verdict for verdict in result.verdicts}
        for division in sorted({*judged, *(d for d, books in expected.items() if book in books)}):
            session.add(_verdict(run_id, book, division, judged.get(division), book in expected.get(division, ())))
        _remark(session, run_id, book, files, result.files)
    counts = [(v.rows_in, v.accepted, v.duplicates, v.quarantined) for v in result.verdicts]
    totals = [sum(column) for column in zip(*counts, strict=True)] or [0, 0, 0, 0]
    taken_over = sum(file.taken_over for file in result.files)
    read = sum(not file.taken_over and not file.ignored_as_duplicate for file in result.files)
    files_count = {"read": read, "taken_over": taken_over}
    return dict(zip(("rows_in", "accepted", "duplicates", "quarantined"), totals, strict=True)) | files_count


def _verdict(run_id: int, book: str, division: str, judged, expected: bool) -> Verdict:
    if judged is None:
        reasons = [{"code": "MISSING", "message": f"{BOOKS[book].label}（{book}）未报送"}]
        return Verdict(
            run_id=run_id, division_code=division, book=book, verdict=BookVerdict.MISSING, expected=expected,
            rows_in=0, accepted=0, duplicates=0, quarantined=0, reasons=json.dumps(reasons, ensure_ascii=False),
        )  # fmt: skip
    reasons = [
        {"code": r.code, "file": r.file, "row": r.row, "column": r.column, "message": r.message, "count": r.count}
        for r in judged.reasons
    ]
    return Verdict(
        run_id=run_id, division_code=division, book=book, verdict=judged.verdict, expected=expected,
        rows_in=judged.rows_in, accepted=judged.accepted, duplicates=judged.duplicates, quarantined=judged.quarantined,
        reasons=json.dumps(reasons, ensure_ascii=False),
    )  # fmt: skip


def _remark(session: Session, run_id: int, book: str, files, outcomes) -> None:
    deliveries = {
        (delivery.division_code, delivery.file): delivery
        for delivery in session.scalars(select(Delivery).where(Delivery.run_id == run_id, Delivery.book == book))
    }
    for file in files:
        delivery = deliveries[file.division_code, file.name]
        delivery.control_rows, delivery.control_sha256 = file.control_rows, file.control_sha256
    for outcome in outcomes:
        delivery = deliveries[outcome.division_code, outcome.name]
        if delivery.taken_over is None:
            # A step that is run again finds what it kept the first time.
            delivery.taken_over = outcome.taken_over
        renamed = [RENAMED] if RENAMED in (delivery.remark or "").split("\n") else []
        same = ["与同批另一文件内容相同，不计"] if outcome.ignored_as_duplicate else []
        delivery.remark = "\n".join([*renamed, *same, *outcome.remarks]) or None
