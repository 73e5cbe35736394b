"""A night as settling meets it: the Parquet files of a snapshot written by hand, and its run and verdicts as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, func, select

from core.accounts import Role
from core.db import reading, writing
from core.permissions import Reach, Scope
from core.types import BookVerdict
from expectations.books import BOOKS, QUARANTINE_SCHEMA, snapshot_schema
from reconcile.findings import FINDING_SCHEMA, NOT_EVALUABLE_SCHEMA, flag_key, grain_text
from reconcile.flags import Act
from reconcile.models import Flag, FlagEvent, NightRun, Verdict
from reconcile.settle import CELL_COLUMNS, Settled, settle

NOW = datetime(2026, 10, 16, 1, 0, tzinfo=UTC)
ARROW = {"string": pa.string(), "int64": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}
CELL_SCHEMA = {name: "int64" if name in ("quota", "allowed", "in_post", "paid") else "string" for name in CELL_COLUMNS}
PRESENCE_SCHEMA = {"unit_code": "string", "bits": "string", "people": "int64"}
HOME = "990102"


def finding(
    rule: str = "Q01", unit: str | None = "U1", person: str | None = None, **changes: object
) -> dict[str, object]:
    """A finding of a rule on a unit or person, with its key."""
    grain = changes.pop("grain", None) or grain_text(**({"person_key": person} if person else {"unit_code": unit}))
    row = dict.fromkeys(FINDING_SCHEMA)
    row |= {
        "rule": rule, "grain": grain, "key": flag_key(rule, str(grain)), "severity": "S2", "division_code": HOME,
        "unit_code": unit, "person_key": person, "person_mask": "990102********0019" if person else None,
        "expected": "5", "found": "6",
    }  # fmt: skip
    return row | changes


def unit(code: str, home: str = HOME, **changes: object) -> dict[str, object]:
    """An accepted row of `units`."""
    row = dict.fromkeys(snapshot_schema("units"))
    row |= {
        "unit_code": code, "unit_name": f"单位{code}", "division_code": home, "level": "COUNTY", "unit_kind": "ORGAN",
        "delivers": "PERSONS", "delivered_by": home, "file": "units.csv", "row": 1,
    }  # fmt: skip
    return row | changes


def write(path: Path, schema: Mapping[str, str], rows: Iterable[Mapping[str, object]]) -> None:
    fields = pa.schema([(name, ARROW[kind]) for name, kind in schema.items()])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=fields), path)


def write_night(
    folder: Path,
    findings: Sequence[Mapping[str, object]] = (),
    *,
    not_evaluable: Sequence[tuple[str, str, str, str]] = (),
    units: Sequence[Mapping[str, object]] = (),
    quarantined: Sequence[tuple[str, str, str | None]] = (),
    cells: Sequence[Mapping[str, object]] = (),
    presence: Sequence[Mapping[str, object]] = (),
) -> Path:
    """Write every file settling reads. `quarantined`: (book, division, unit) of one row each."""
    folder.mkdir(parents=True, exist_ok=True)
    for book in BOOKS:
        write(folder / f"{book}.parquet", snapshot_schema(book), units if book == "units" else [])
        lost = [
            {
                "book": book,
                "division_code": division,
                "unit_code": code,
                "file": "f.csv",
                "row": 1,
                "reason": "ID_PRECISION_LOST",
            }
            for name, division, code in quarantined
            if name == book
        ]
        write(folder / f"{book}.quarantine.parquet", QUARANTINE_SCHEMA, lost)
    write(folder / "findings.parquet", FINDING_SCHEMA, findings)
    blind = [dict(zip(NOT_EVALUABLE_SCHEMA, row, strict=True)) for row in not_evaluable]
    write(folder / "not_evaluable.parquet", NOT_EVALUABLE_SCHEMA, blind)
    write(folder / "cells.parquet", CELL_SCHEMA, cells)
    write(folder / "presence.parquet", PRESENCE_SCHEMA, presence)
    return folder


class Nights:
    """Nights settled one after another in one database. Every book of HOME is accepted unless named in `verdicts`."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder

    def begin(self, as_of: date, verdicts: Mapping[tuple[str, str], BookVerdict] | None = None) -> int:
        said = {(HOME, book): BookVerdict.ACCEPTED for book in BOOKS} | dict(verdicts or {})
        with writing(self.engine) as session:
            last = session.scalar(select(func.max(NightRun.run_no)).where(NightRun.as_of == as_of)) or 0
            run = NightRun(as_of=as_of, run_no=last + 1, fingerprint=f"{as_of}-{last}", inbox="inbox", opened_at=NOW)
            session.add(run)
            session.flush()
            session.add_all(
                Verdict(
                    run_id=run.id, division_code=division, book=book, verdict=verdict, expected=True, rows_in=1,
                    accepted=1, duplicates=0, quarantined=0, reasons="[]",
                )
                for (division, book), verdict in said.items()
            )  # fmt: skip
            return run.id

    def place(self, run_id: int) -> Path:
        return self.folder / str(run_id)

    def settle(self, run_id: int, now: datetime = NOW) -> Settled:
        with writing(self.engine) as session:
            return settle(session, run_id, self.place(run_id), now)

    def night(self, as_of: date, findings: Sequence[Mapping[str, object]] = (), verdicts=None, **files) -> Settled:
        """Begin, write and settle one night. Units default to those the findings name."""
        run_id = self.begin(as_of, verdicts)
        named = {str(row["unit_code"]) for row in findings if row["unit_code"]} | {"U1", "U2"}
        files.setdefault("units", [unit(code) for code in sorted(named)])
        write_night(self.place(run_id), findings, **files)
        return self.settle(run_id)


def scope(login: str, role: Role, *units: str) -> Scope:
    codes = frozenset(units or ("U1", "U2"))
    return Scope(1, login, frozenset({role}), (Reach(role, codes, codes=codes),), frozenset())


OFFICER = scope("officer", Role.UNIT_OFFICER)
REVIEWER = scope("reviewer", Role.REVIEWER)
OTHER = scope("other", Role.REVIEWER)
DIRECTOR = scope("director", Role.DIRECTOR)
KEY = finding()["key"]


def flag(nights: Nights, key: str = KEY) -> Flag:
    with reading(nights.engine) as session:
        found = session.get(Flag, key)
        session.expunge(found)
        return found


def statuses(nights: Nights) -> dict[str, tuple[str, str | None]]:
    with reading(nights.engine) as session:
        return {
            row.key: (row.status, row.closed_by)
            for row in session.execute(select(Flag.key, Flag.status, Flag.closed_by))
        }


def moves(nights: Nights, key: str = KEY) -> list[str]:
    with reading(nights.engine) as session:
        return list(session.scalars(select(FlagEvent.move).where(FlagEvent.flag_key == key).order_by(FlagEvent.id)))


def act(nights: Nights, by: Scope, key: str = KEY, version: int | None = None) -> Act:
    return Act(by, flag(nights, key).version if version is None else version, NOW)


def do(nights: Nights, use_case, by: Scope, *, version: int | None = None, **words) -> Flag:
    decision = act(nights, by, version=version)
    with writing(nights.engine) as session:
        return use_case(session, KEY, decision, **words)
