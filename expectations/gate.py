"""The gate: every delivered file of one book of one night is accepted, accepted in part, or rejected (DOMAIN §3).

Great Expectations judges; its results alone decide. Four looks, each a suite on a batch of its own:

1. deliveries, one batch: could each file be read, has it its columns, does control.csv agree?
2. columns, one batch per piece of a delivered file: is each value known, in its vocabulary, readable, undamaged?
3. rows, one batch over the whole night: do rows contradict each other? Only rows that passed 2 take part.
4. divisions, one batch: is anything left to use?

Then exact duplicates are dropped among what is left, and the control equation is judged. So a row that contradicts
another is quarantined together with its copies, and every dropped duplicate equals an accepted row.

In memory are one piece of a file, three numbers per row of the night, and the rows that may equal or contradict others.
What a file comes to by itself is an entry on disk (expectations.entries): read again only when it, or what it depends on,
has changed.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from core.types import BookVerdict
from expectations.books import (
    BOOKS,
    CUTOFFS_SCHEMA,
    QUARANTINE_SCHEMA,
    TOTALS_SCHEMA,
    snapshot_schema,
)
from expectations.entries import Entry
from expectations.identity_blocks import PART as IDENTITIES
from expectations.identity_blocks import SCHEMA as BLOCKS_SCHEMA
from expectations.identity_blocks import blocks_table
from expectations.judging import Work
from expectations.keeping import Kept, distinct_files
from expectations.normalise import arrow_schema
from expectations.quarantine import HeldKind
from expectations.readers import CONTROL_NAME, PIECE_ROWS, read_control
from expectations.rivals import RETIRING_SCHEMA, Rivals
from expectations.snapshot_files import RETIRING, replace_file, snapshot_path, write_table
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
from expectations.workers import make_entries

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
    rows: int = PIECE_ROWS,
    processes: int | None = None,
) -> BookResult:
    """Judge one book of a night and write its snapshot files into `out`; no database is touched.

    files: everything delivered for the book, of all divisions, in any order. suites: default `book_suites(book)`.
    rows: a file is read and judged so many rows at a time, by so many processes; the result does not depend on either, but
    that unsound numbers and names of people are known again elsewhere within what is read at a time (decision 0029).
    processes: default: as many as pay (expectations.workers).
    With setting.docs_dir the masked validation results go to `<docs_dir>/<book>.json`, for expectations.docs; with
    setting.cache_dir what is unchanged since another run is taken over from it.
    Running it again gives the same files. Errors: none for bad input (it becomes a verdict); InvariantViolated when an
    expectation could not be evaluated or the rows do not add up.
    """
    # Other suites than a book's own give other results: nothing of theirs is kept.
    kept = Kept(setting.cache_dir, book, setting) if setting.cache_dir is not None and suites is None else None
    if kept is not None and (result := kept.take_over(files, out)) is not None:
        return result
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        gate = _Gate(Work(book, setting, rows, suites), kept or Kept(Path(folder), book, setting), processes)
        gate.read(files)
        gate.judge_deliveries()
        gate.judge_rows()
        gate.judge_divisions()
        gate.drop_duplicates()
        result = gate.result()
        gate.write(out)
    if kept is not None:
        kept.keep(files, out, result)
    return result


@dataclass
class _Delivery:
    """One delivered file on its way through the gate. `judged`: its rows take part in the night."""

    file: DeliveredFile
    entry: Entry | None = None
    original: _Delivery | None = None  # the file whose bytes these are
    judged: bool = False
    accepted: int = 0
    duplicates: int = 0
    late: int = 0  # rows held back because of other rows of the night
    taken_over: bool = False

    @property
    def division(self) -> str:
        return self.file.division_code

    @property
    def records(self) -> int:
        return 0 if self.entry is None else self.entry.outcome.records

    @property
    def passing(self) -> int:
        return 0 if self.entry is None else self.records - self.entry.outcome.held - self.late


class _Gate:
    """One book of one night; the methods are called once, in the order they stand."""

    def __init__(self, work: Work, kept: Kept, processes: int | None) -> None:
        self.work, self.kept, self.processes = work, kept, processes
        self.book, self.setting, self.suites = BOOKS[work.book], work.setting, work.judged_by
        self.deliveries: list[_Delivery] = []
        self.rejected: dict[str, list[Reason]] = defaultdict(list)
        self.documents: list[dict] = []
        self.rivals = Rivals(work.book, work.setting)

    def read(self, files: Sequence[DeliveredFile]) -> None:
        """Read and judge each file once by itself; a file with the bytes of another of its division is ignored."""
        of_file: dict[DeliveredFile, _Delivery] = {}
        for file, original in distinct_files(files):
            delivery = of_file[file] = _Delivery(file, original=of_file[original] if original else None)
            if original is None:
                delivery.entry = self.kept.entry(file)
            delivery.taken_over = delivery.entry is not None
        self.deliveries = list(of_file.values())
        unread = [one for one in self.deliveries if one.original is None and one.entry is None]
        make_entries([delivery.file for delivery in unread], self.kept, self.work, self.processes)
        for delivery in unread:
            delivery.entry = self.kept.entry(delivery.file, fresh=True)

    def judge_deliveries(self) -> None:
        """Reject a division's book over a file: unreadable, a column missing, or at odds with control.csv."""
        listed = [(d, division) for division, names in sorted(self.setting.control_missing.items()) for d in names]
        facts = [self._delivery_facts(delivery) for delivery in self.deliveries]
        facts += [{"not_delivered": name} for name, _ in listed]
        columns = {
            name: pd.array([fact.get(name) for fact in facts], dtype="Int64" if name.endswith("rows") else object)
            for name in (
                "read_error", "missing_columns", "not_delivered", "control_error",
                "rows", "control_rows", "sha256", "control_sha256",
            )
        }  # fmt: skip
        for failure in self._judge("deliveries", pd.DataFrame(columns), self.suites.deliveries):
            for at in failure.rows:
                if at < len(self.deliveries):
                    delivery = self.deliveries[at]
                    found, reasons = self._delivery_reason(failure.reason, delivery), self.rejected[delivery.division]
                    # A control.csv is unreadable once, not once per file.
                    reasons += [] if found in reasons else [found]
                else:
                    name, division = listed[at - len(self.deliveries)]
                    self.rejected[division].append(reason(failure.reason, name))
        for delivery in self.deliveries:
            outcome = None if delivery.entry is None else delivery.entry.outcome
            if outcome is None or outcome.error or outcome.missing or delivery.division in self.rejected:
                continue
            delivery.judged = True
            if outcome.document is not None:
                self._document("columns", outcome.document, delivery.file)

    def _delivery_facts(self, delivery: _Delivery) -> dict:
        outcome = (delivery.original or delivery).entry.outcome
        file = delivery.file
        facts: dict = {"sha256": file.sha256.lower(), "control_sha256": (file.control_sha256 or "").lower() or None}
        if delivery.division in self.setting.control_unreadable:
            facts["control_error"] = "unreadable"
        if outcome.error is not None:
            return facts | {"read_error": "unreadable"}
        return facts | {
            "missing_columns": ", ".join(outcome.missing) or None,
            "rows": outcome.records,
            "control_rows": file.control_rows,
        }

    def _delivery_reason(self, code: ReasonCode, delivery: _Delivery) -> Reason:
        outcome = (delivery.original or delivery).entry.outcome
        name = delivery.file.name
        if code is ReasonCode.UNREADABLE and outcome.error is not None:
            return Reason(code, name, outcome.error["row"], outcome.error["column"], outcome.error["message"])
        if code is ReasonCode.CONTROL_UNREADABLE:
            return reason(code, CONTROL_NAME, detail=self.setting.control_unreadable[delivery.division])
        if code is ReasonCode.COLUMN_MISSING and outcome.missing:
            labels = "、".join(f"“{self.book.column(column).label}”" for column in outcome.missing)
            return reason(code, name, column=outcome.missing[0], label=labels)
        if code is ReasonCode.CONTROL_ROWS:
            stated = f"control.csv 写 {delivery.file.control_rows} 条记录，读到 {outcome.records} 条；请核对后整批重报"
            return reason(code, name, detail=stated)
        return reason(code, name)

    @property
    def _within(self) -> list[_Delivery]:
        return [delivery for delivery in self.deliveries if delivery.judged]

    def judge_rows(self) -> None:
        """Judge the rows of all divisions against each other."""
        rivals = self.rivals
        rivals.gather([delivery.entry for delivery in self._within])
        if self.suites.rows:
            for failure in self._judge("rows", rivals.frame(), self.suites.rows, rows=rivals):
                rivals.hold(failure.reason, failure.column, failure.rows)
        for number, delivery in enumerate(self._within):
            delivery.late = rivals.held_of(number)

    def judge_divisions(self) -> None:
        """Reject a division's book of which nothing is left to use, or whose payroll has no row of the month."""
        facts: dict[str, dict[str, int]] = {}
        month = f"{self.setting.as_of:%Y-%m}"
        for delivery in self._within:
            fact = facts.setdefault(delivery.division, {"records": 0, "usable": 0, "of_month": 0})
            fact["records"] += delivery.records
            fact["usable"] += delivery.passing
            fact["of_month"] += delivery.entry.outcome.months.get(month, 0)
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
        within = self._within
        usable = [delivery.division not in self.rejected for delivery in within]
        for number, (kept, dropped) in enumerate(self.rivals.without_duplicates(usable)):
            within[number].accepted, within[number].duplicates = kept, dropped

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
            FileOutcome(d.division, d.file.name, d.records, d.original is not None, _remarks(d), d.taken_over)
            for d in self.deliveries
        ]
        return BookResult(self.book.name, verdicts, files)

    def _verdict(self, division: str, mine: Sequence[_Delivery]) -> DivisionVerdict:
        rows_in = sum(delivery.records for delivery in mine)
        judged = [delivery for delivery in mine if delivery.judged]
        reasons = list(self.rejected.get(division, ()))
        for delivery in judged:
            found = [HeldKind(ReasonCode(code), *rest) for code, *rest in delivery.entry.outcome.kinds]
            late = self.rivals.kinds_of(self._within.index(delivery))
            reasons += [kind.reason(self.book.name) for kind in [*found, *late]]
        if not mine:
            return DivisionVerdict(division, BookVerdict.MISSING, 0, 0, 0, 0, reasons)
        if division in self.rejected:
            return DivisionVerdict(division, BookVerdict.REJECTED, rows_in, 0, 0, rows_in, reasons)
        accepted = sum(delivery.accepted for delivery in mine)
        duplicates = sum(delivery.duplicates for delivery in mine)
        quarantined = sum(delivery.records - delivery.passing for delivery in judged)
        verdict = BookVerdict.ACCEPTED_WITH_QUARANTINE if quarantined else BookVerdict.ACCEPTED
        return DivisionVerdict(division, verdict, rows_in, accepted, duplicates, quarantined, reasons)

    def write(self, out: Path) -> None:
        """Write the snapshot. Rows held back stay listed where nothing else of their book was usable."""
        within = [delivery for delivery in self._within if delivery.division not in self.rejected]
        totals, cutoffs = [], []
        for delivery in within:
            place = (self.book.name, delivery.division)
            totals += [(*place, *total) for total in delivery.entry.outcome.totals]
            days = map(date.fromisoformat, delivery.entry.outcome.cutoffs)
            cutoffs += [(*place, delivery.file.name, day) for day in days]
        parts: dict[str, tuple[Iterator[pa.Table], dict | pa.Schema]] = {
            "": (self.rivals.accepted(), snapshot_schema(self.book.name)),
            ".quarantine": (self.rivals.quarantine([d.division for d in self._within]), QUARANTINE_SCHEMA),
            ".totals": (iter([_from_rows(totals, TOTALS_SCHEMA)]), TOTALS_SCHEMA),
            ".cutoffs": (iter([_from_rows(cutoffs, CUTOFFS_SCHEMA)]), CUTOFFS_SCHEMA),
            IDENTITIES: (self._blocks(), BLOCKS_SCHEMA),
        }
        if self.book.name == "roster":
            parts[RETIRING] = (self.rivals.retiring(), RETIRING_SCHEMA)
        for part, (tables, schema) in parts.items():
            whole = schema if isinstance(schema, pa.Schema) else arrow_schema(schema)
            write = lambda path, tables=tables, whole=whole: write_table(path, tables, whole)
            replace_file(snapshot_path(out, self.book.name, part), write)
        if self.setting.docs_dir is not None:
            text = json.dumps(self.documents, ensure_ascii=False)
            target = self.setting.docs_dir / f"{self.book.name}.json"
            replace_file(target, lambda path: path.write_text(text, encoding="utf-8"))

    def _blocks(self) -> Iterator[pa.Table]:
        for delivery in self._within:
            for block in delivery.entry.sealed():
                yield blocks_table([block])

    def _judge(self, stage: str, frame: pd.DataFrame, expectations: list, rows: Rivals | None = None) -> list:
        from expectations.validation import judge

        if not expectations:
            return []
        shown = None if rows is None else rows.row_numbers
        failures, result = judge(f"{self.book.name}.{stage}", frame, expectations, shown)
        self._document(stage, result)
        return failures

    def _document(self, stage: str, result: dict, file: DeliveredFile | None = None) -> None:
        place = {"division_code": file.division_code, "file": file.name} if file else {"division_code": "", "file": ""}
        self.documents.append({"book": self.book.name, "stage": stage, **place, "result": result})


def _remarks(delivery: _Delivery) -> list[str]:
    if delivery.original is not None:
        return [f"内容与 {delivery.original.file.name} 完全相同，不重复计入"]
    return list(delivery.entry.outcome.remarks)


def _from_rows(rows: Sequence[tuple], schema: dict[str, str]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, arrow_schema(schema), strict=True)],
                    schema=arrow_schema(schema))  # fmt: skip
