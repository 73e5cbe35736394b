"""What the gate is told of a night: the files of a book with their control totals, and the units it may name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.errors import InputRejected
from core.retirement import Retirement
from core.settings import Settings
from expectations.books import book_of
from expectations.gate import DeliveredFile, GateSetting
from expectations.readers import ControlLine, read_control
from night.inbox import CONTROL
from night.naming import Naming
from night.places import raw_path, snapshot_dir
from reconcile.models import Delivery, NightRun


class Controls(NamedTuple):
    """Per division: files of a book that control.csv lists and nobody delivered; why control.csv cannot be read."""

    missing: dict[str, list[str]]
    unreadable: dict[str, str]


def delivered_files(
    session: Session, settings: Settings, run: NightRun, book: str
) -> tuple[list[DeliveredFile], Controls]:
    """The files of a book in order, and what else the divisions' control.csv say of the book."""
    deliveries = session.scalars(
        select(Delivery)
        .where(Delivery.run_id == run.id, Delivery.book == book)
        .order_by(Delivery.division_code, Delivery.file)
    ).all()
    lines, unreadable = _controls(session, settings, run)
    naming = Naming(settings.person_key)
    files = []
    for delivery in deliveries:
        line = lines.get((delivery.division_code, naming.mark_of(delivery.file)))
        files.append(
            DeliveredFile(
                division_code=delivery.division_code,
                name=delivery.file,
                path=raw_path(settings, delivery.sha256, delivery.file),
                sha256=delivery.sha256,
                control_rows=line.rows if line else None,
                control_sha256=line.sha256 if line else None,
            )
        )
    here = {(file.division_code, naming.mark_of(file.name)) for file in files}
    missing: dict[str, list[str]] = defaultdict(list)
    for (division, mark), line in lines.items():
        if book_of(Path(line.file).stem) == book and (division, mark) not in here:
            missing[division].append(naming.file(line.file))
    # Totals that cannot be read cannot be met: what the division delivered waits for a control.csv that can.
    return files, Controls(dict(missing), unreadable)


def _controls(
    session: Session, settings: Settings, run: NightRun
) -> tuple[dict[tuple[str, str], ControlLine], dict[str, str]]:
    """(division, mark of the file's name) → what control.csv says of it; why a division's cannot be read."""
    naming = Naming(settings.person_key)
    lines: dict[tuple[str, str], ControlLine] = {}
    unreadable: dict[str, str] = {}
    for delivery in session.scalars(
        select(Delivery).where(Delivery.run_id == run.id, Delivery.book == CONTROL).order_by(Delivery.id)
    ):
        try:
            for line in read_control(raw_path(settings, delivery.sha256, delivery.file)):
                lines[delivery.division_code, naming.mark(line.file)] = line
        except InputRejected as error:
            unreadable[delivery.division_code] = f"无法读取，各批次无从核对（{error.message}）；请改正后整批重报"
    return lines, unreadable


def gate_setting(
    settings: Settings, run: NightRun, book: str, controls: Controls, retirement: Retirement, ranks: Iterable[str]
) -> GateSetting:
    """The gate's setting for one book; every book but `units` knows the night's accepted unit codes.

    ranks: the words of the parameter `rank_order`; those of the retirement table are added.
    """
    snapshot = snapshot_dir(settings, run)
    codes: frozenset[str] = frozenset()
    if book != "units":
        codes = frozenset(pq.read_table(snapshot / "units.parquet", columns=["unit_code"])["unit_code"].to_pylist())
    return GateSetting(
        as_of=run.as_of,
        person_key=settings.person_key,
        retirement=retirement,
        unit_codes=codes,
        ranks=retirement.as_male_ranks.union(ranks),
        docs_dir=snapshot / "docs",
        cache_dir=settings.cache_dir,
        control_missing=controls.missing,
        control_unreadable=controls.unreadable,
    )
