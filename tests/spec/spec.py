"""The harness of the rule specs: ASCII books in, findings out, on DuckDB, on Spark and on the plain oracle alike.

A spec shows only what matters. What it leaves out is filled in so that nothing else fires: one division 370102 whose
units, establishment, roster and payroll are accepted; unit U1, ADMIN, FULL; people in service since 2001 and paid by
their unit; every unit registered and approved; quota 99 for every cell with people. `-` in a cell is null.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from core.calendar import working_days
from core.parameters import DEFINITIONS
from demo.oracle import judge
from expectations.books import BOOKS, CUTOFFS_SCHEMA, QUARANTINE_SCHEMA, TOTALS_SCHEMA, snapshot_schema
from reconcile import engine
from reconcile.engine import on_duckdb as duckdb_engine
from reconcile.rules.tables import LOOKED_UP, POSITION
from reconcile.rules.tables import Night as RuleNight

AS_OF = date(2026, 10, 20)
FOLDER = "370102"
ALLOWED = DEFINITIONS["allowed_post_types"].default
FACT_SCHEMAS = {
    "quarantine": QUARANTINE_SCHEMA,
    "totals": TOTALS_SCHEMA,
    "cutoffs": CUTOFFS_SCHEMA,
    **POSITION,
    **LOOKED_UP,
}
SHORT = {
    "person": "person_key", "unit": "unit_code", "type": "post_type", "fund": "fund_form", "entry": "entry_date",
    "exit": "exit_date", "tier": "leader_tier", "payer": "paying_unit_code", "mode": "fund_mode",
    "state": "person_state", "est": "on_establishment", "kind": "unit_kind", "by": "delivered_by",
    "division": "division_code", "doc": "approval_doc", "from": "valid_from", "to": "valid_to",
}  # fmt: skip
NOT_SHORT = {"leads": {"kind"}, "totals": {"kind"}}
DEFAULTS: dict[str, dict[str, Any]] = {
    "roster": {
        "id_type": "RESIDENT", "unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL", "status": "IN_SERVICE",
        "entry_date": date(2001, 3, 1), "name_key": "n", "name_mask": "王*",
    },
    "payroll": {
        "id_type": "RESIDENT", "month": "2026-10", "paying_unit_code": "U1", "fund_mode": "FULL",
        "person_state": "IN_SERVICE", "on_establishment": "YES", "amount": 500000, "name_key": "n", "name_mask": "王*",
    },
    "units": {
        "unit_name": "单位", "level": "COUNTY", "unit_kind": "ORGAN", "approval_doc": "鲁编〔2001〕1号",
        "delivers": "PERSONS",
    },
    "establishment": {
        "unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL", "quota": 99, "copy": "LEDGER", "doc_no": "D1",
    },
    "headcount": {"unit_code": "U1", "measure": "IN_POST", "scope": "ON_ESTABLISHMENT"},
    "leads": {"kind": "DEATH", "source": "民政"},
    "base": {"division_code": FOLDER, "post_type": "ADMIN"},
    "quarantine": {"division_code": FOLDER, "file": "x.csv", "row": 1, "reason": "BAD"},
    "totals": {"division_code": FOLDER, "file": "x.csv", "row": 1, "kind": "合计"},
    "cutoffs": {"division_code": FOLDER, "file": "x.csv"},
    "permits": {
        "unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL", "posts": 1, "approved_on": date(2000, 1, 1),
        "valid_until": date(2099, 12, 31), "source_of_people": "EXAM",
    },
    "limits": {"division_code": FOLDER, "unit_kind": "ORGAN"},
    "position": {
        "unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL", "borrowed": 0, "lent": 0, "reserved": 0,
        "open_permits": 0, "usable": 0,
    },
    "position_quota": {"unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL", "doc_no": "D1"},
    "movement": {
        "post_type": "ADMIN", "fund_form": "FULL", "posts": 1, "from_unit": "U1", "to_unit": "U2", "from_level": "COUNTY",
        "to_level": "COUNTY", "effective_date": date(2026, 10, 1), "doc_no": "M1",
    },
    "usable_month": {"unit_code": "U1", "post_type": "ADMIN", "fund_form": "FULL", "usable": 0},
    "gate_start": {"division_code": FOLDER},
}  # fmt: skip
RANK_ROWS = [
    {"word": word, "place": place} for place, words in enumerate(DEFINITIONS["rank_order"].default, 1) for word in words
]
PARAMETERS = {"allowed_post_types": ALLOWED} | {
    name: DEFINITIONS[name].default for name in ("entry_days", "exit_days", "idle_months")
}
NULLS = ("null", "-")
STATES = {
    "accepted": (True, True, True), "missing": (True, False, False), "refused": (True, True, False),
    "unexpected": (False, True, True), "absent": (False, False, False), "unasked": (False, True, False),
}  # fmt: skip
USUAL_BOOKS = ("units", "establishment", "roster", "payroll")


@dataclass(frozen=True)
class Night:
    """Books and facts as rows, the way both judges take them."""

    books: dict[str, list[dict]]
    facts: dict[str, list[dict]]
    verdicts: list[dict]
    as_of: date = AS_OF


@dataclass(frozen=True)
class Result:
    findings: list[dict] = field(default_factory=list)
    not_evaluable: list[dict] = field(default_factory=list)
    cells: list[dict] = field(default_factory=list)
    presence: list[dict] = field(default_factory=list)
    division_paid: list[dict] = field(default_factory=list)


def parse(text: str) -> list[dict[str, str | None]]:
    """Rows of an ASCII table: cells between `|`, the first line names the columns.

    A cell left blank keeps its column's default (in an expectation: is null); `null` and `-` are null.
    """
    lines = [line.strip() for line in text.strip().splitlines()]
    lines = [line for line in lines if line]
    header, *rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    for row in rows:
        assert len(row) <= len(header), f"too many cells: {row}"
    return [
        {name: None if cell in NULLS else cell for name, cell in zip(header, row, strict=False) if cell != ""}
        for row in rows
    ]


def _typed(value: str | None, kind: str) -> Any:
    if value is None:
        return None
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "int64":
        return int(value)
    return value in ("True", "true", "yes") if kind == "boolean" else value


def _rows(book: str, text: str, schema: Mapping[str, str]) -> list[dict]:
    rows = []
    for number, given in enumerate(parse(text), 1):
        row: dict[str, Any] = dict.fromkeys(schema)
        row |= {name: value for name, value in DEFAULTS.get(book, {}).items() if name in schema}
        if "delivered_by" in schema:
            row |= {"delivered_by": FOLDER, "file": f"{book}.csv", "row": number}
        elif "row" in schema:
            row |= {"row": number}
        for name, value in given.items():
            column = name if name in NOT_SHORT.get(book, ()) else SHORT.get(name, name)
            assert column in schema, f"{book} has no column {column}"
            row[column] = _typed(value, schema[column])
            if f"{column}_exact" in schema and value and f"{column}_exact" not in given:
                row[f"{column}_exact"] = True
        _complete(book, row)
        rows.append(row)
    return rows


def _complete(book: str, row: dict) -> None:
    """Columns that follow from others: mask and problem of an id, the division of a unit."""
    if "person_key" in row:
        key = row["person_key"]
        if book != "leads":
            row["id_problem"] = "BLANK" if key is None else row["id_problem"]
        row["person_mask"] = f"{key}***" if key else ""
    if book == "units" and row["division_code"] is None:
        row["division_code"] = row["delivered_by"]


def night(books: Mapping[str, str], verdicts: str = "", as_of: date = AS_OF, **facts: str) -> Night:
    """A whole night from the tables a spec shows."""
    rows = {book: _rows(book, books[book], snapshot_schema(book)) if book in books else [] for book in BOOKS}
    if "units" not in books:
        rows["units"] = _rows("units", _default_units(rows), snapshot_schema("units"))
    if "establishment" not in books:
        rows["establishment"] = _default_quota(rows)
    schemas = {name: dict(schema) for name, schema in FACT_SCHEMAS.items()}
    given = {name: _rows(name, facts[name], schemas[name]) if name in facts else [] for name in FACT_SCHEMAS}
    given["rank_order"] = given["rank_order"] or RANK_ROWS
    starts = [row["starts"] for row in given["gate_start"]]
    if starts and not given["workday"]:
        names = FACT_SCHEMAS["workday"]
        given["workday"] = [dict(zip(names, day, strict=True)) for day in working_days(min(starts), as_of)]
    return Night(rows, given, _verdicts(rows, verdicts), as_of)


def _default_units(rows: Mapping[str, list[dict]]) -> str:
    folder: dict[str, str] = {}
    for book in ("payroll", "roster", "establishment", "headcount"):
        for row in rows[book]:
            unit = row.get("on_behalf_of") or row.get("paying_unit_code") or row.get("unit_code")
            folder[unit] = row["delivered_by"]
    return "\n".join(["unit | by", *(f"{unit} | {by}" for unit, by in sorted(folder.items()))])


def _default_quota(rows: Mapping[str, list[dict]]) -> list[dict]:
    cells = {
        (row["unit_code"], row["post_type"], row["fund_form"]): row["delivered_by"]
        for row in rows["roster"]
        if row["status"] != "OFF_QUOTA"
    }
    lines = ["unit | type | fund | by", *(f"{u} | {t} | {f} | {by}" for (u, t, f), by in sorted(cells.items()))]
    return _rows("establishment", "\n".join(lines), snapshot_schema("establishment"))


def _verdicts(rows: Mapping[str, list[dict]], text: str) -> list[dict]:
    """All nine books of every folder: the usual four and what has rows accepted, the others neither due nor there."""
    delivered = {(row["delivered_by"], book) for book, book_rows in rows.items() for row in book_rows}
    delivered |= {(FOLDER, book) for book in USUAL_BOOKS}
    states = dict.fromkeys(sorted(delivered), "accepted")
    for line in parse(text) if text else []:
        folder = line.get("division", FOLDER)
        for book in line["book"].split(",") if line["book"] != "*" else BOOKS:
            states[(folder, book.strip())] = line["state"]
    folders = sorted({folder for folder, _ in states})
    result = []
    for folder in folders:
        for book in BOOKS:
            expected, was_delivered, accepted = STATES[states.get((folder, book), "absent")]
            result.append(
                {"division_code": folder, "book": book, "expected": expected, "delivered": was_delivered,
                 "accepted": accepted}
            )  # fmt: skip
    return result


_ARROW = {"string": pa.string(), "int64": pa.int64(), "boolean": pa.bool_(), "date": pa.date32()}


def write_snapshot(night: Night, folder: Path) -> None:
    """The night as the gate would have written it."""
    for book, rows in night.books.items():
        _write(rows, snapshot_schema(book), folder / f"{book}.parquet")
    for fact in ("quarantine", "totals", "cutoffs"):
        _write(night.facts[fact], FACT_SCHEMAS[fact], folder / f"units.{fact}.parquet")
    for fact, schema in POSITION.items():
        _write(night.facts[fact], schema, folder / f"{fact}.parquet")


def _write(rows: Iterable[dict], schema: Mapping[str, str], path: Path) -> None:
    arrow = pa.schema([(name, _ARROW[kind]) for name, kind in schema.items()])
    pq.write_table(pa.Table.from_pylist(list(rows), schema=arrow), path)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"threads": 1})


def setting_of(night: Night) -> engine.DetectSetting:
    """What an engine is told beside the books."""
    looked_up = {name: [tuple(row.values()) for row in night.facts[name]] for name in LOOKED_UP}
    verdicts = [engine.VerdictFact(**verdict) for verdict in night.verdicts]
    return engine.DetectSetting(RuleNight.of(night.as_of, **PARAMETERS), verdicts, looked_up)


def judged_alone(night: Night, run: Callable[[Path, engine.DetectSetting, Path], object]) -> Result:
    """One night through an engine: `run` takes its snapshot, what the engine is told, and where to write."""
    home = Path(tempfile.mkdtemp(prefix="spec-"))
    try:
        write_snapshot(night, home)
        run(home, setting_of(night), home / "out")
        return Result(**{name: pq.read_table(home / "out" / f"{name}.parquet").to_pylist() for name in engine.OUTPUTS})
    finally:
        shutil.rmtree(home)


def on_duckdb(night: Night) -> Result:
    """What the rules say. The connection is kept between specs: compiling and connecting are most of the cost."""

    def run(home: Path, setting: engine.DetectSetting, out: Path) -> None:
        out.mkdir()
        duckdb_engine.run(_connection(), home, setting, out)

    return judged_alone(night, run)


def on_oracle(night: Night) -> Result:
    """What the slow plain reading of DOMAIN says."""
    said = judge(night.books, night.facts, night.verdicts, night.as_of, PARAMETERS)
    return Result(said.findings, said.not_evaluable, said.cells, said.presence, said.division_paid)


@dataclass(frozen=True)
class Judge:
    """An engine by name, and what it says of a night."""

    name: str
    said: Callable[[Night], Result]


DUCKDB = Judge("duckdb", on_duckdb)
ENGINE: ContextVar[Judge] = ContextVar("ENGINE", default=DUCKDB)


def check(
    rule: str, books: Mapping[str, str], expect: str | None, *, not_evaluable: str | None = None, **given: Any
) -> Result:
    """One spec on the engine of the run and on the oracle: the rule's findings are `expect`, all columns it shows; null:
    none at all.

    `not_evaluable` (columns division, unit, book) is compared when given. Both must also agree on everything else they say
    of the night. Returns what the engine said.
    """
    whole = night(books, **given)
    judge = ENGINE.get()
    results = {judge.name: judge.said(whole), "oracle": on_oracle(whole)}
    for name, result in results.items():
        found = [row for row in result.findings if row["rule"] == rule]
        _compare(name, rule, expect, found)
        if not_evaluable is not None:
            gaps = [row for row in result.not_evaluable if row["rule"] == rule]
            _compare(name, rule, not_evaluable or None, gaps)
    assert difference(*results.values()) == []
    return results[judge.name]


def _compare(engine_name: str, rule: str, expect: str | None, found: list[dict]) -> None:
    wanted = parse(expect) if expect else []
    names = [name.strip() for name in expect.strip().splitlines()[0].split("|")] if expect else []
    columns = {name: SHORT.get(name, name) for name in names}
    left = sorted(str([row.get(name) for name in names]) for row in wanted)
    right = sorted(str([_value(row, column) for column in columns.values()]) for row in found)
    assert left == right, f"{rule} on {engine_name}: wanted {left}, found {right}; all {found}"


def _value(row: Mapping[str, Any], column: str) -> Any:
    """A column of a finding, or a member of its grain or evidence."""
    if column in row:
        # A rule that has nothing to say in a column says `-`, or nothing.
        return None if row[column] in NULLS else row[column]
    value = (json.loads(row["grain"]) | json.loads(row["evidence"] or "{}")).get(column)
    return value if value is None or isinstance(value, str) else str(value)


COMPARED = (
    "rule", "key", "grain", "severity", "division_code", "unit_code", "post_type", "fund_form", "person_key",
    "person_mask", "expected", "found", "cause", "explained_by", "evidence",
)  # fmt: skip


def difference(one: Result, other: Result) -> list[str]:
    """What two judges of one night do not share, line by line; empty when they agree."""
    lines = []
    for name in engine.OUTPUTS:
        left, right = (_comparable(name, getattr(result, name)) for result in (one, other))
        lines += [f"{name} only first: {row}" for row in sorted(left - right)]
        lines += [f"{name} only second: {row}" for row in sorted(right - left)]
        if len(getattr(one, name)) != len(getattr(other, name)):
            lines.append(f"{name}: {len(getattr(one, name))} rows and {len(getattr(other, name))}")
    return lines


def _comparable(name: str, rows: Iterable[dict]) -> set[str]:
    if name != "findings":
        return {json.dumps(row, ensure_ascii=False, sort_keys=True, default=str) for row in rows}
    result = set()
    for row in rows:
        shown = {column: row[column] for column in COMPARED}
        # Where there is nothing to say, `-` and null mean the same.
        shown |= {column: shown[column] or "-" for column in ("expected", "found")}
        shown["explained_by"] = json.loads(shown["explained_by"]) if shown["explained_by"] else []
        told = json.loads(shown["evidence"]) if shown["evidence"] else {}
        # What clears a finding is a word of the catalogue, not a reading of the books.
        told.pop("clears_when", None)
        shown["evidence"] = told
        result.add(json.dumps(shown, ensure_ascii=False, sort_keys=True, default=str))
    return result
