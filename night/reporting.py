"""What a night leaves for people: a workbook per level, Data Docs, and the signed manifest of everything."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.settings import Settings
from core.types import Level
from core.units import division_level
from expectations.books import BOOKS
from expectations.docs import build_docs
from night.held import held_rows
from night.inbox import sha256_of
from night.own_gate import merged_files
from night.places import report_dir, snapshot_dir
from reconcile.catalog import RESTRICTED, tells_of_lead
from reconcile.facts import newest_versions, read_units
from reconcile.models import Artefact, Delivery, NightRun
from reconcile.report import CellRow, ControlRow, NightReport, VerdictRow, build_workbook, sign_manifest
from reconcile.store import cells, night_flags, not_evaluable, presence, verdicts

SNAPSHOT_FILES = ("findings", "not_evaluable", "cells", "presence", *BOOKS, *(f"{book}.quarantine" for book in BOOKS))


def write_reports(session: Session, settings: Settings, run: NightRun) -> list[Artefact]:
    """Write every output of a run into its report folder and list them; running it again writes the same bytes.

    The manifest is last: it names the hash of everything else.
    """
    folder = report_dir(settings, run)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = []
    for level, report in level_reports(session, settings, run).items():
        path = folder / f"bianzhi-{run.as_of}-{level.lower()}.xlsx"
        _whole(path, lambda fresh, report=report: build_workbook(fresh, report))
        made.append(_artefact(settings, run, "workbook", path, level))
    docs = build_docs(snapshot_dir(settings, run) / "docs", folder / "docs", str(run.as_of))
    made.append(_artefact(settings, run, "docs", docs))
    manifest = folder / "manifest.json"
    text = sign_manifest(_manifest(session, settings, run, made), settings.secret_key)
    _whole(manifest, lambda fresh: fresh.write_text(text, encoding="utf-8"))
    made.append(_artefact(settings, run, "manifest", manifest))
    return made


def _whole(path: Path, write: Callable[[Path], object]) -> None:
    """A file appears whole or not at all."""
    fresh = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        write(fresh)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def _artefact(settings: Settings, run: NightRun, kind: str, path: Path, level: str = "") -> Artefact:
    return Artefact(
        run_id=run.id,
        kind=kind,
        level=level,
        path=path.relative_to(settings.reports_dir).as_posix(),
        sha256=sha256_of(path),
        size=path.stat().st_size,
    )


def level_reports(session: Session, settings: Settings, run: NightRun) -> dict[str, NightReport]:
    """Level → what its workbook says, for the levels that have a unit or a flag tonight. A fact about a unit goes to the unit's
    level, one about a whole division to the division's; a unit nobody registered goes with its division."""
    units = newest_versions(read_units(snapshot_dir(settings, run)), run.as_of)
    levels = {code: unit["level"] for code, unit in units.items()}
    names = {code: unit["unit_name"] for code, unit in units.items()}
    place = lambda unit, division: levels.get(unit or "") or (division_level(division).value if division else None)
    at = lambda level, unit, division: place(unit, division) in (level, None)
    figures, classes = cells(session, run.id), presence(session, run.id)
    flags = [
        replace(item, unit_name=names.get(item.unit_code or ""))
        for item in night_flags(session, run, sort="rule", limit=None)
        if item.rule not in RESTRICTED
    ]
    books, blind, deliveries = verdicts(session, run.id), not_evaluable(session, run.id), _deliveries(session, run)
    owner = {unit.unit_code: unit.division_code for unit in figures}
    held = {*levels.values(), *(place(flag.unit_code, flag.division_code) for flag in flags)}
    present = [level.value for level in Level if level.value in held]
    return {
        level: NightReport(
            as_of=run.as_of,
            run_no=run.run_no,
            level=level,
            cells=[_cell(cell, names) for cell in figures if at(level, cell.unit_code, cell.division_code)],
            flags=[flag for flag in flags if at(level, flag.unit_code, flag.division_code)],
            verdicts=[_verdict(verdict) for verdict in books],
            not_evaluable=[
                (row.rule, row.division_code, row.unit_code, row.book)
                for row in blind
                if row.unit_code == "*" or at(level, row.unit_code, row.division_code)
                if not tells_of_lead(row.rule, row.unit_code, row.book)
            ],
            held=[
                row[:6] for row in held_rows(snapshot_dir(settings, run)) if at(level, row.unit_code, row.division_code)
            ],
            controls=deliveries,
            presence=[
                (row.unit_code, names.get(row.unit_code), row.bits, row.people)
                for row in classes
                if at(level, row.unit_code, owner.get(row.unit_code))
            ],
        )
        for level in present
    }


def _cell(cell, names: dict[str, str]) -> CellRow:
    return CellRow(
        cell.unit_code, names.get(cell.unit_code), cell.division_code, cell.post_type, cell.fund_form,
        cell.quota, cell.allowed, cell.in_post, cell.paid, cell.part_of,
    )  # fmt: skip


def _verdict(verdict) -> VerdictRow:
    reasons = tuple(dict.fromkeys(reason["message"] for reason in json.loads(verdict.reasons) if reason.get("message")))
    return VerdictRow(
        verdict.division_code, verdict.book, verdict.verdict, verdict.expected, verdict.rows_in, verdict.accepted,
        verdict.duplicates, verdict.quarantined, reasons,
    )  # fmt: skip


def _deliveries(session: Session, run: NightRun) -> list[ControlRow]:
    rows = session.scalars(
        select(Delivery).where(Delivery.run_id == run.id).order_by(Delivery.division_code, Delivery.file)
    )
    return [
        ControlRow(row.division_code, row.file, row.book, row.sha256, row.control_rows, row.control_sha256, row.remark)
        for row in rows
    ]


def _manifest(session: Session, settings: Settings, run: NightRun, made: list[Artefact]) -> dict[str, object]:
    """What went in, what came of it, what was written: enough to run the night again and compare."""
    folder = snapshot_dir(settings, run)
    return {
        "as_of": date.isoformat(run.as_of),
        "run_no": run.run_no,
        "fingerprint": run.fingerprint,
        "inputs": [
            {"division_code": row.division_code, "file": row.file, "sha256": row.sha256}
            for row in _deliveries(session, run)
        ],
        "snapshot": {name: sha256_of(folder / f"{name}.parquet") for name in (*SNAPSHOT_FILES, *merged_files(folder))},
        "outputs": {artefact.path: artefact.sha256 for artefact in made},
    }
