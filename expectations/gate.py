"""The gate: every delivered file of one book of one night is accepted, accepted in part, or rejected (DOMAIN §3).

Great Expectations judges; its results alone decide. Four looks, each a suite on a batch of its own:

1. deliveries, one batch: could each file be read, has it its columns, does control.csv agree?
2. columns, one batch per delivered file: is each value known, in its vocabulary, readable, undamaged?
3. rows, one batch over the whole night: do rows contradict each other? Only rows that passed 2 take part.
4. divisions, one batch: is anything left to use?

Then exact duplicates are dropped among what is left, and the control equation is judged. So a row that contradicts
another is quarantined together with its copies, and every dropped duplicate equals an accepted row.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputRejected
from core.types import BookVerdict
from expectations.books import BOOKS, CUTOFFS_SCHEMA, QUARANTINE_SCHEMA, TOTALS_SCHEMA, Book, snapshot_schema
from expectations.crossing import content_ids, rows_frame, same_rows
from expectations.identities import LONG_DIGITS, harmless
from expectations.normalise import arrow_schema, file_label, normalise
from expectations.quarantine import Held, united
from expectations.readers import TextTable, read_control, read_file
from expectations.snapshot_files import replace_file, write_snapshot
from expectations.verdicts import (
    REMEDIES,
    BookResult,
    DeliveredFile,
    DivisionVerdict,
    FileOutcome,
    GateSetting,
    Reason,
    ReasonCode,
    reason,
)

if TYPE_CHECKING:
    from expectations.suites import BookSuites

__all__ = [
    "BookResult",
    "DeliveredFile",
    "DivisionVerdict",
    "FileOutcome",
    "GateSetting",
    "Reason",
    "ReasonCode",
    "gate_book",
    "read_control",
]


def gate_book(
    book: str,
    files: Sequence[DeliveredFile],
    setting: GateSetting,
    out: Path,
    suites: BookSuites | None = None,
) -> BookResult:
    """Judge one book of a night and write its four snapshot files into `out`; no database is touched.

    files: everything delivered for the book, of all divisions, in any order. suites: default `book_suites(book)`.
    With setting.docs_dir the masked validation results go to `<docs_dir>/<book>.json`, for expectations.docs.
    Running it again gives the same files. Errors: none for bad input (it becomes a verdict); InvariantViolated when an
    expectation could not be evaluated or the rows do not add up.
    """
    if suites is None:
        from expectations.suites import book_suites

        suites = book_suites(book)
    gate = _Gate(BOOKS[book], setting, suites)
    gate.read(files)
    gate.judge_deliveries()
    gate.judge_columns()
    gate.judge_rows()
    gate.judge_divisions()
    gate.drop_duplicates()
    result = gate.result()
    write_snapshot(out, book, gate.tables())
    if setting.docs_dir is not None:
        text = json.dumps(gate.documents, ensure_ascii=False)
        replace_file(setting.docs_dir / f"{book}.json", lambda path: path.write_text(text, encoding="utf-8"))
    return result


@dataclass
class _Delivery:
    """One delivered file on its way through the gate."""

    file: DeliveredFile
    table: TextTable | None = None
    error: InputRejected | None = None
    original: _Delivery | None = None  # the file whose bytes these are
    held: Held | None = None
    accepted: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    duplicates: int = 0

    @property
    def division(self) -> str:
        return self.file.division_code

    @property
    def records(self) -> int:
        return 0 if self.table is None else len(self.table.frame)


class _Crossed(NamedTuple):
    """The rows that met in the night-wide batch: their files, which of these and which row of it, and which are the same."""

    within: list[_Delivery]
    owner: np.ndarray
    position: np.ndarray
    same: np.ndarray


class _Gate:
    """One book of one night; the methods are called once, in the order they stand."""

    def __init__(self, book: Book, setting: GateSetting, suites: BookSuites) -> None:
        self.book, self.setting, self.suites = book, setting, suites
        self.deliveries: list[_Delivery] = []
        self.rejected: dict[str, list[Reason]] = defaultdict(list)
        self.documents: list[dict] = []

    def read(self, files: Sequence[DeliveredFile]) -> None:
        """Read each file once; a file with the bytes of another of its division is ignored."""
        seen: dict[tuple[str, str], _Delivery] = {}
        for file in sorted(files, key=lambda file: (file.division_code, file.name)):
            delivery = _Delivery(file)
            self.deliveries.append(delivery)
            delivery.original = seen.get((file.division_code, file.sha256))
            if delivery.original is None:
                seen[file.division_code, file.sha256] = delivery
                try:
                    delivery.table = read_file(file.path, self.book, file.name)
                except InputRejected as error:
                    delivery.error = error

    def judge_deliveries(self) -> None:
        """Reject a division's book over a file: unreadable, a column missing, or at odds with control.csv."""
        listed = [(d, division) for division, names in sorted(self.setting.control_missing.items()) for d in names]
        facts = [self._delivery_facts(delivery) for delivery in self.deliveries]
        facts += [{"not_delivered": name} for name, _ in listed]
        columns = {
            name: pd.array([fact.get(name) for fact in facts], dtype="Int64" if name.endswith("rows") else object)
            for name in (
                "read_error", "missing_columns", "not_delivered", "rows", "control_rows", "sha256", "control_sha256",
            )
        }  # fmt: skip
        for failure in self._judge("deliveries", pd.DataFrame(columns), self.suites.deliveries):
            for at in failure.rows:
                if at < len(self.deliveries):
                    delivery = self.deliveries[at]
                    self.rejected[delivery.division].append(self._delivery_reason(failure.reason, delivery))
                else:
                    name, division = listed[at - len(self.deliveries)]
                    self.rejected[division].append(reason(failure.reason, name))

    def _delivery_facts(self, delivery: _Delivery) -> dict:
        source = delivery.original or delivery
        file = delivery.file
        facts: dict = {"sha256": file.sha256.lower(), "control_sha256": (file.control_sha256 or "").lower() or None}
        if source.table is None:
            return facts | {"read_error": "unreadable"}
        return facts | {
            "missing_columns": ", ".join(source.table.missing) or None,
            "rows": source.records,
            "control_rows": file.control_rows,
        }

    def _delivery_reason(self, code: ReasonCode, delivery: _Delivery) -> Reason:
        source = delivery.original or delivery
        name = delivery.file.name
        if code is ReasonCode.UNREADABLE and source.error is not None:
            row = source.error.details.get("row")
            return Reason(code, name, row, source.error.details.get("column"), source.error.message)
        if code is ReasonCode.COLUMN_MISSING and source.table is not None:
            labels = "、".join(f"“{self.book.column(column).label}”" for column in source.table.missing)
            return reason(code, name, column=source.table.missing[0], label=labels)
        if code is ReasonCode.CONTROL_ROWS:
            stated = f"control.csv 写 {delivery.file.control_rows} 条记录，读到 {source.records} 条；请核对后整批重报"
            return reason(code, name, detail=stated)
        return reason(code, name)

    def judge_columns(self) -> None:
        """Judge the values of every file of the divisions still in, one batch per file."""
        for delivery in self.deliveries:
            if delivery.table is None or delivery.division in self.rejected:
                continue
            normal = normalise(self.book, delivery.division, delivery.file.name, delivery.table, self.setting)
            delivery.held = Held(normal)
            rows = normal.table["row"].to_numpy()
            for failure in self._judge("columns", normal.batch, self.suites.columns, delivery.file, rows):
                delivery.held.hold(failure.reason, failure.column, failure.rows)
            # Judged: only the snapshot's columns are needed from here on.
            normal.batch = normal.batch.iloc[:0]
            delivery.table = replace(delivery.table, frame=delivery.table.frame[["row"]])

    def judge_rows(self) -> None:
        """Judge the rows of all divisions against each other."""
        within = [delivery for delivery in self.deliveries if delivery.held is not None]
        table, owner, position = self._passing(within)
        digests = [delivery.held.normal.digest[delivery.held.first < 0] for delivery in within]
        content = content_ids(table, np.concatenate([np.empty(0, dtype=np.uint64), *digests]))
        frame = rows_frame(self.book.name, table, content, self.setting.as_of)
        self.crossed = _Crossed(within, owner, position, same_rows(self.book.name, table, content))
        for failure in self._judge("rows", frame, self.suites.rows, rows=table["row"].to_numpy()):
            for number in np.unique(owner[failure.rows]):
                rows = failure.rows[owner[failure.rows] == number]
                within[number].held.hold(failure.reason, failure.column, position[rows])

    def _passing(self, within: Sequence[_Delivery]) -> tuple[pa.Table, np.ndarray, np.ndarray]:
        """The rows not held back, of all files: (columns to compare, which file, which row of it)."""
        schema = arrow_schema(snapshot_schema(self.book.name))
        tables, owners, positions = [schema.empty_table()], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for number, delivery in enumerate(within):
            normal = delivery.held.normal
            table, passing = normal.table, delivery.held.passing
            for name, column in normal.secrets.items():
                table = table.append_column(f"{name}__secret", column)
            # A mask is many times faster than a list of positions.
            tables.append(table if len(passing) == normal.rows else table.filter(pa.array(delivery.held.first < 0)))
            owners.append(np.full(len(passing), number))
            positions.append(passing)
        whole = pa.concat_tables(tables, promote_options="default")
        return whole, np.concatenate(owners), np.concatenate(positions)

    def judge_divisions(self) -> None:
        """Reject a division's book of which nothing is left to use, or whose payroll has no row of the month."""
        facts: dict[str, dict[str, int]] = {}
        month = f"{self.setting.as_of:%Y-%m}"
        for delivery in self.deliveries:
            if delivery.held is None or delivery.division in self.rejected:
                continue
            fact = facts.setdefault(delivery.division, {"records": 0, "usable": 0, "of_month": 0})
            passing = delivery.held.passing
            fact["records"] += delivery.records
            fact["usable"] += len(passing)
            if self.book.name == "payroll":
                months = delivery.held.normal.table["month"].filter(pa.array(delivery.held.first < 0))
                fact["of_month"] += pc.sum(pc.equal(months, month)).as_py() or 0
        frame = pd.DataFrame(facts.values(), columns=["records", "usable", "of_month"])
        divisions = list(facts)
        for failure in self._judge("divisions", frame, self.suites.divisions):
            for at in failure.rows:
                # The first reason says it all: an empty book has nothing usable either.
                if divisions[at] not in self.rejected:
                    words = f"{self.book.label}：{REMEDIES[failure.reason]}"
                    self.rejected[divisions[at]].append(Reason(failure.reason, "", None, None, words))

    def drop_duplicates(self) -> None:
        """Keep the first of equal rows, in the order of division, file and row."""
        within, owner, position, same = self.crossed
        left = np.zeros(len(owner), dtype=bool)
        for number, delivery in enumerate(within):
            if delivery.division not in self.rejected:
                mine = owner == number
                left[mine] = delivery.held.first[position[mine]] < 0
        later = np.zeros(len(owner), dtype=bool)
        later[left] = pd.Series(same[left]).duplicated().to_numpy()
        for number, delivery in enumerate(within):
            mine = (owner == number) & left
            delivery.accepted = position[mine & ~later]
            delivery.duplicates = int(np.count_nonzero(mine & later))

    def result(self) -> BookResult:
        """The verdicts, once the control equation holds."""
        by_division: dict[str, list[_Delivery]] = {division: [] for division in self.setting.control_missing}
        for delivery in self.deliveries:
            by_division.setdefault(delivery.division, []).append(delivery)
        verdicts = [self._verdict(division, mine) for division, mine in sorted(by_division.items())]
        frame = pd.DataFrame(
            [(v.rows_in, v.accepted, v.duplicates, v.quarantined) for v in verdicts],
            columns=["rows_in", "accepted", "duplicates", "quarantined"],
        )
        self._judge("accounting", frame, self.suites.accounting)
        files = [
            FileOutcome(d.division, d.file.name, d.records, d.original is not None, _remarks(d))
            for d in self.deliveries
        ]
        return BookResult(self.book.name, verdicts, files)

    def _verdict(self, division: str, mine: Sequence[_Delivery]) -> DivisionVerdict:
        rows_in = sum(delivery.records for delivery in mine)
        reasons = list(self.rejected.get(division, ()))
        for delivery in mine:
            if delivery.held is not None:
                reasons += delivery.held.reasons()
        if not mine:
            return DivisionVerdict(division, BookVerdict.MISSING, 0, 0, 0, 0, reasons)
        if division in self.rejected:
            return DivisionVerdict(division, BookVerdict.REJECTED, rows_in, 0, 0, rows_in, reasons)
        accepted = sum(len(delivery.accepted) for delivery in mine)
        duplicates = sum(delivery.duplicates for delivery in mine)
        quarantined = sum(delivery.held.count for delivery in mine if delivery.held is not None)
        verdict = BookVerdict.ACCEPTED_WITH_QUARANTINE if quarantined else BookVerdict.ACCEPTED
        return DivisionVerdict(division, verdict, rows_in, accepted, duplicates, quarantined, reasons)

    def tables(self) -> dict[str, pa.Table]:
        """The four tables of the snapshot. Rows held back stay listed where nothing else of their book was usable."""
        read = [delivery for delivery in self.deliveries if delivery.held is not None]
        within = [delivery for delivery in read if delivery.division not in self.rejected]
        accepted = [_only(delivery.held.normal.table, delivery.accepted) for delivery in within]
        totals, cutoffs = [], []
        for delivery in within:
            place = (self.book.name, delivery.division)
            for total in delivery.table.totals:
                stated = (total.kind, total.column, total.stated_number, total.computed)
                totals.append((*place, file_label(delivery.file.name, total.sheet), total.row, *stated))
            cutoffs += [(*place, delivery.file.name, day) for day in delivery.table.cutoffs]
        return {
            "": united(accepted, snapshot_schema(self.book.name)),
            ".quarantine": united([delivery.held.table() for delivery in read], QUARANTINE_SCHEMA),
            ".totals": _from_rows(totals, TOTALS_SCHEMA),
            ".cutoffs": _from_rows(cutoffs, CUTOFFS_SCHEMA),
        }

    def _judge(
        self, stage: str, frame: pd.DataFrame, expectations: list, file: DeliveredFile | None = None, rows=None
    ) -> list:
        from expectations.validation import judge

        if not expectations:
            return []
        failures, result = judge(f"{self.book.name}.{stage}", frame, expectations, rows)
        place = {"division_code": file.division_code, "file": file.name} if file else {"division_code": "", "file": ""}
        self.documents.append({"book": self.book.name, "stage": stage, **place, "result": result})
        return failures


def _only(table: pa.Table, positions: np.ndarray) -> pa.Table:
    mask = np.zeros(table.num_rows, dtype=bool)
    mask[positions] = True
    return table.filter(pa.array(mask))


def _remarks(delivery: _Delivery) -> list[str]:
    if delivery.original is not None:
        return [f"内容与 {delivery.original.file.name} 完全相同，不重复计入"]
    if delivery.table is None:
        return []
    # A heading without nine digits or more is a heading, not a misplaced record.
    unknown = [
        harmless(text) if sum(map(str.isdigit, text)) >= LONG_DIGITS else text for text in delivery.table.unknown
    ]
    return delivery.table.remarks + ([f"不认识、未使用的列：{'、'.join(unknown)}"] if unknown else [])


def _from_rows(rows: Sequence[tuple], schema: dict[str, str]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, arrow_schema(schema), strict=True)],
                    schema=arrow_schema(schema))  # fmt: skip
