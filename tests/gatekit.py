"""Small books, delivered into a folder, and what the gate makes of them: shared by the tests of the gate."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from core.identity import check_digit
from expectations.gate import BookResult, DeliveredFile, DivisionVerdict, GateSetting, ReasonCode, gate_book
from expectations.snapshot_files import snapshot_path

AS_OF = date(2026, 10, 31)
KEY = "test-person-key-" * 3
UNITS = frozenset({"007", "100", "200"})


def resident(number: int) -> str:
    first = f"3701041990{number // 28 % 12 + 1:02d}{number % 28 + 1:02d}{123 + number // 336:03d}"
    return first + check_digit(first)


def roster(number: int = 1, **changes: str) -> dict[str, str]:
    return {
        "person_id": resident(number), "person_name": f"张{number}", "unit_code": "007", "post_type": "行政",
        "fund_form": "全额", "status": "在职", "entry_date": "2015-03-01", "exit_date": "",
    } | changes  # fmt: skip


def payroll(number: int = 1, **changes: str) -> dict[str, str]:
    return {
        "month": "2026-10", "person_id": resident(number), "person_name": f"张{number}", "paying_unit_code": "007",
        "on_behalf_of": "", "fund_mode": "1", "person_state": "3", "on_establishment": "1", "amount": "5000",
    } | changes  # fmt: skip


def establishment(**changes: str) -> dict[str, str]:
    return {
        "unit_code": "007", "post_type": "行政", "fund_form": "全额", "quota": "10", "leaders_chief": "1",
        "doc_no": "编〔2020〕1号", "doc_date": "2020-01-01", "copy": "台账",
    } | changes  # fmt: skip


def unit(code: str = "007", **changes: str) -> dict[str, str]:
    return {
        "unit_code": code, "unit_name": f"单位{code}", "division_code": "370104", "level": "县", "unit_kind": "党政机关",
        "valid_from": "", "valid_to": "",
    } | changes  # fmt: skip


ROWS = {"roster": roster, "payroll": payroll, "establishment": establishment, "units": unit}


class Night:
    """A folder of delivered files and what the gate makes of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.files, self.out, self.docs = folder, [], folder / "snapshot", folder / "results"

    def deliver(self, division: str, name: str, rows: list[dict] | bytes, **control) -> None:
        path = self.folder / division / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(rows, bytes):
            path.write_bytes(rows)
        else:
            with path.open("w", encoding="utf-8", newline="") as target:
                writer = csv.DictWriter(target, list(rows[0]) if rows else [])
                writer.writeheader()
                writer.writerows(rows)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.files.append(DeliveredFile(division, name, path, digest, **control))

    def gate(self, book: str, suites=None, **setting) -> BookResult:
        chosen = {
            "as_of": AS_OF,
            "person_key": KEY,
            "unit_codes": UNITS if book != "units" else frozenset(),
            "docs_dir": self.docs,
        }
        result = gate_book(book, self.files, GateSetting(**(chosen | setting)), self.out, suites)
        for verdict in result.verdicts:
            assert verdict.rows_in == verdict.accepted + verdict.duplicates + verdict.quarantined
        return result

    def read(self, book: str, part: str = "") -> list[dict]:
        return pq.read_table(snapshot_path(self.out, book, part)).to_pylist()

    def reasons(self, book: str) -> list[tuple[int, str, str]]:
        return [(row["row"], row["column"], row["reason"]) for row in self.read(book, ".quarantine")]


def only(result: BookResult) -> DivisionVerdict:
    assert len(result.verdicts) == 1
    return result.verdicts[0]


def without(book: str, code: ReasonCode):
    """The suites of a book with every expectation that gives this reason taken away."""
    from expectations.suites import book_suites

    whole = book_suites(book)
    parts = {name: [one for one in getattr(whole, name) if (one.meta or {}).get("reason") != code.value]
             for name in ("deliveries", "columns", "rows", "divisions", "accounting")}  # fmt: skip
    return replace(whole, **parts)
