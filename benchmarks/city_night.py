"""A night of any size as the gate would leave it, made by the engine itself: same numbers, same files, no randomness."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from expectations.books import BOOKS, CUTOFFS_SCHEMA, QUARANTINE_SCHEMA, TOTALS_SCHEMA, snapshot_schema

AS_OF = date(2026, 10, 20)
GATE_START = date(2026, 1, 1)
FOLDERS = 20
PEOPLE_PER_UNIT = 50
_SQL = {"string": "VARCHAR", "int64": "BIGINT", "boolean": "BOOLEAN", "date": "DATE"}
_PERSON = {
    "id_type": "'RESIDENT'",
    "person_key": "md5('person' || i)",
    "person_mask": "'370102********' || lpad((i % 10000)::VARCHAR, 4, '0')",
    "id_problem": "CASE WHEN i % 4999 = 0 THEN 'CHECK_DIGIT' END",
    "name_key": "md5('name' || i)",
    "name_mask": "'王*'",
    "name_birth_key": "md5('birth' || i)",
    "file": "'delivery.csv'",
    "row": "i",
}
_UNIT = f"'U' || lpad((i // {PEOPLE_PER_UNIT})::VARCHAR, 6, '0')"
_FOLDER = f"(370102 + (i // {PEOPLE_PER_UNIT}) % {FOLDERS})::VARCHAR"
_FORM = "CASE WHEN i % 10 = 7 THEN 'PART' WHEN i % 10 = 9 THEN 'SELF' ELSE 'FULL' END"
_TYPE = "CASE WHEN i % 8 = 0 THEN 'SUPPORT' ELSE 'ADMIN' END"
# One person in a thousand or so is wrong in each way a rule knows.
_ROSTER = _PERSON | {
    "person_key": "CASE WHEN i % 20011 = 0 THEN NULL ELSE md5('person' || i) END",
    "unit_code": _UNIT,
    "post_type": _TYPE,
    "fund_form": _FORM,
    "status": "CASE WHEN i % 997 = 1 THEN 'LEFT' WHEN i % 499 = 2 THEN 'SECONDED_OUT' WHEN i % 503 = 3 THEN 'ON_LEAVE'"
    " ELSE 'IN_SERVICE' END",
    "seconded_to": f"CASE WHEN i % 499 = 2 THEN 'U' || lpad(((i // {PEOPLE_PER_UNIT}) + 1)::VARCHAR, 6, '0') END",
    "leader_tier": f"CASE WHEN i % {PEOPLE_PER_UNIT} = 0 THEN 'CHIEF' WHEN i % {PEOPLE_PER_UNIT} < 3 THEN 'DEPUTY' END",
    "rank": "'科员'",
    "entry_form": "'EXAM'",
    "entry_date": "CASE WHEN i % 1009 = 5 THEN DATE '2026-10-09' ELSE DATE '1995-01-01' + (i % 9000)::INTEGER END",
    "entry_date_exact": "true",
    "entry_registered": "DATE '1995-02-01' + (i % 9000)::INTEGER",
    "entry_registered_exact": "true",
    "permit_no": "CASE WHEN i % 1009 = 5 AND i % 7 > 0 THEN 'P' || i END",
    "slot_no": "'S' || i",
    "exit_date": "CASE WHEN i % 997 = 1 THEN DATE '2026-10-01' + (i % 40)::INTEGER - 20 END",
    "exit_date_exact": "CASE WHEN i % 997 = 1 THEN true END",
    "delivered_by": _FOLDER,
}
_PAYROLL = _PERSON | {
    "person_key": "CASE WHEN i % 30011 = 0 THEN NULL WHEN i % 1013 = 6 THEN md5('ghost' || i) ELSE md5('person' || i) END",
    "month": "'2026-10'",
    "paying_unit_code": f"CASE WHEN i % 991 = 8 THEN 'U000001' ELSE {_UNIT} END",
    "fund_mode": f"CASE WHEN i % 983 = 9 THEN 'SELF' ELSE {_FORM} END",
    "person_state": "CASE WHEN i % 1511 = 4 THEN 'RETIRED' ELSE 'IN_SERVICE' END",
    "on_establishment": "'YES'",
    "unified_payroll": "'YES'",
    "amount": "400000 + (i % 900000)",
    "delivered_by": _FOLDER,
}


# Everybody who entered since GATE_START but one in seven has a permit, one in eleven of the wrong unit.
_PERMIT = {
    "permit_no": "'P' || i",
    "unit_code": f"CASE WHEN i % 11 = 0 THEN 'U000000' ELSE {_UNIT} END",
    "post_type": _TYPE,
    "fund_form": _FORM,
    "posts": "1",
    "approved_on": "DATE '2026-10-01'",
    "valid_until": "DATE '2026-12-31'",
    "source_of_people": "'EXAM'",
    "delivered_by": _FOLDER,
    "file": "'delivery.csv'",
    "row": "i",
}
_LEAD = {
    "kind": "CASE WHEN i % 3 = 0 THEN 'DEATH' ELSE 'BUSINESS' END",
    "person_key": "md5('person' || i)",
    "date": "DATE '2026-09-01'",
    "source": "'比对'",
    "delivered_by": _FOLDER,
    "file": "'delivery.csv'",
    "row": "i",
}
PRESENT = ("units", "establishment", "roster", "payroll", "permits", "leads", "base", "limits")


def write_night(folder: Path, people: int) -> None:
    """Every file of a snapshot: `people` roster rows and as many payroll rows (one in 2,003 is paid a second time)."""
    connection = duckdb.connect(":memory:")
    units = max(people // PEOPLE_PER_UNIT, 2)
    twice = f"(SELECT i FROM range({people}) r(i) UNION ALL SELECT i FROM range({people}) r(i) WHERE i % 2003 = 0)"
    double = f"CASE WHEN row_number() OVER (PARTITION BY i) = 2 THEN 'U000000' ELSE {_PAYROLL['paying_unit_code']} END"
    _copy(connection, folder, "roster", _ROSTER, f"range({people}) r(i)")
    _copy(connection, folder, "payroll", _PAYROLL | {"paying_unit_code": double}, f"{twice} r")
    scaled = {"i": f"(u * {PEOPLE_PER_UNIT})"}
    unit = {"unit_code": _UNIT, "delivered_by": _FOLDER, "file": "'delivery.csv'", "row": "i"}
    every = f"(SELECT {scaled['i']} AS i FROM range({units}) t(u)) r"
    registered = {"unit_name": "'单位' || i", "division_code": _FOLDER, "level": "'COUNTY'", "unit_kind": "'ORGAN'"}
    registered |= {"approval_doc": "'文' || i", "delivers": "'PERSONS'"}
    _copy(connection, folder, "units", unit | registered, every)
    cells = f"(SELECT {scaled['i']} AS i, k, f FROM range({units}) t(u), (VALUES ('ADMIN'), ('SUPPORT')) a(k),"
    cells += " (VALUES ('FULL'), ('PART'), ('SELF')) b(f)) r"
    quota = {
        "post_type": "k",
        "fund_form": "f",
        "copy": "'LEDGER'",
        "doc_no": "'D' || i || k || f",
        "leaders_chief": "1",
    }
    quota |= {"quota": "CASE WHEN k = 'SUPPORT' THEN 5 WHEN f = 'FULL' THEN 36 ELSE 6 END", "leaders_deputy": "2"}
    _copy(connection, folder, "establishment", unit | quota, cells)
    _copy(connection, folder, "permits", _PERMIT, f"range({people}) r(i) WHERE i % 1009 = 5 AND i % 7 > 0")
    _copy(connection, folder, "leads", _LEAD, f"range(0, {people}, 5003) r(i)")
    division = {"division_code": "(370102 + i)::VARCHAR", "file": "'delivery.csv'", "row": "i"}
    division |= {"delivered_by": division["division_code"]}
    limit = {"unit_kind": "'ORGAN'", "max_units": str(units // FOLDERS)}
    _copy(connection, folder, "limits", division | limit, f"range({FOLDERS}) r(i)")
    based = {"post_type": "'ADMIN'", "base_2012": str(people), "base_paid": str(people // FOLDERS)}
    _copy(connection, folder, "base", division | based, f"range({FOLDERS}) r(i)")
    for book in set(BOOKS) - set(PRESENT):
        _copy(connection, folder, book, {}, "range(0) r(i)")
    for name, schema in (("quarantine", QUARANTINE_SCHEMA), ("totals", TOTALS_SCHEMA), ("cutoffs", CUTOFFS_SCHEMA)):
        _copy(connection, folder, f"units.{name}", {}, "range(0) r(i)", schema)
    connection.close()


def _copy(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    name: str,
    columns: dict,
    source: str,
    schema: dict | None = None,
) -> None:
    wanted = snapshot_schema(name) if schema is None else schema
    listed = ", ".join(f'({columns.get(c, "NULL")})::{_SQL[kind]} AS "{c}"' for c, kind in wanted.items())
    connection.execute(f"COPY (SELECT {listed} FROM {source}) TO '{folder / name}.parquet' (FORMAT parquet)")
