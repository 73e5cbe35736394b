"""One delivered file, read, normalised and judged by its columns' suite, piece by piece, into an entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputRejected
from core.sealing import Sealer
from expectations.births import births_sealer, sealed_births
from expectations.books import BOOKS, Kind
from expectations.entries import POSITION, SECRET, SHOWN, EntryWriter, Outcome
from expectations.identity_blocks import block_sealer, sealed_blocks
from expectations.normalise import NAMES_ELSEWHERE, NUMBERS_ELSEWHERE, Normal, file_label, normalise
from expectations.quarantine import Held
from expectations.readers import PIECE_ROWS, Reading, TextTable
from expectations.strays import Stray
from expectations.verdicts import DeliveredFile, GateSetting, ReasonCode

if TYPE_CHECKING:
    from expectations.suites import BookSuites

PAYROLL = "payroll"


class Work(NamedTuple):
    """What one book of a night gives to the judging of each of its files. `suites`: others than the book's own."""

    book: str
    setting: GateSetting
    rows: int = PIECE_ROWS
    suites: BookSuites | None = None

    @property
    def judged_by(self) -> BookSuites:
        from expectations.suites import book_suites

        return self.suites or book_suites(self.book)


def write_entry(path: Path, file: DeliveredFile, work: Work) -> list[str]:
    """Judge one delivered file and write its entry; the codes that it names other books' units by, in order.

    Errors: InvariantViolated when a check could not be evaluated.
    """
    writer = EntryWriter(path)
    try:
        try:
            one = _FileWork(file, work, writer)
            outcome, named = one.outcome(), sorted(one.named)
        except InputRejected as error:
            # What was written of it so far is left unread.
            writer.close()
            writer = EntryWriter(path)
            place = {name: error.details.get(name) for name in ("row", "column")}
            outcome, named = Outcome(error={"message": error.message} | place), []
        writer.finish(outcome)
    finally:
        writer.close()
    return named


class _FileWork:
    """One file on its way into its entry."""

    def __init__(self, file: DeliveredFile, work: Work, writer: EntryWriter) -> None:
        self.file, self.work, self.writer = file, work, writer
        self.book, self.suites = BOOKS[work.book], work.judged_by
        self.found = Outcome()
        self.kinds: dict[tuple[ReasonCode, str], list] = {}
        self.months: Counter[str] = Counter()
        self.words: Counter[str] = Counter()
        self.named: set[str] = set()
        self.sealer: Sealer = block_sealer(work.setting.person_key)
        self.births_sealer: Sealer = births_sealer(work.setting.person_key)
        # Columns that the night-wide suite may find at fault: what was delivered must be shown then.
        self.shown = sorted({one.meta["column"] for one in self.suites.rows})

    def outcome(self) -> Outcome:
        """Judge every piece; the outcome of the whole file."""
        found, file = self.found, self.file
        reading = Reading(file.path, self.book, file.name, self.work.rows)
        found.missing = reading.missing
        for piece in _ahead(reading.pieces()):
            if not found.missing and (len(piece.frame) or found.document is None):
                self._judge(piece)
            found.records += len(piece.frame)
        result = reading.result()
        found.remarks = _remarks(result) + self._word_remarks()
        found.cutoffs = [day.isoformat() for day in result.cutoffs]
        found.totals = [
            [file_label(file.name, t.sheet), t.row, t.kind, t.column, t.stated_number, t.computed]
            for t in result.totals
        ]
        # A check of the whole row finds several columns at fault.
        wide = {ReasonCode.ID_IN_OTHER_COLUMN: NUMBERS_ELSEWHERE, ReasonCode.NOT_A_CODE: NAMES_ELSEWHERE}
        order = [(one.meta["reason"], one.meta["column"]) for one in self.suites.columns]
        found.kinds = [[code.value, *rest] for (code, _), rest in self.kinds.items()]
        found.kinds.sort(
            key=lambda kind: (order.index((kind[0], wide.get(kind[0], kind[1]))), self.book.names.index(kind[1]))
        )
        found.months = dict(sorted(self.months.items()))
        return found

    def _judge(self, piece: TextTable) -> None:
        from expectations.validation import joined_results, judge

        book, suites = self.book, self.suites
        normal = normalise(book, self.file.division_code, self.file.name, piece, self.work.setting)
        sealed = [] if normal.people is None else sealed_blocks(*normal.people, book.name, self.sealer)
        normal.people = None
        self.named |= normal.named
        for name, kinds in normal.strays.items():
            self.words[name] += int((kinds[normal.coded[name].codes] == Stray.WORDS).sum())
        held = Held(normal)
        if suites.columns:
            rows = normal.table["row"].to_numpy()
            failures, result = judge(f"{book.name}.columns", normal.batch, suites.columns, rows)
            for failure in failures:
                for column, positions in normal.columns_at_fault(failure.column, failure.rows):
                    held.hold(failure.reason, column, positions)
            self.found.document = joined_results(self.found.document, result)
        for kind in held.kinds_found():
            first = self.kinds.setdefault((kind.code, kind.column), [kind.column, kind.file, kind.row, 0])
            first[3] += kind.count
        self.found.held += held.count
        self._write(normal, held, sealed)

    def _word_remarks(self) -> list[str]:
        return [
            f"{column.label}（{column.name}）有 {self.words[column.name]} 格是文字或姓名，不是编码，按空白处理；请填写编码"
            for column in self.book.columns
            if self.words[column.name]
        ]

    def _write(self, normal: Normal, held: Held, sealed: list[bytes]) -> None:
        passing = held.first < 0
        table = self._rows(normal)
        places = np.arange(self.found.records, self.found.records + normal.rows)
        marks = np.stack([places, normal.digest.view(np.int64), normal.group.view(np.int64)])
        if not passing.all():
            # A mask is many times faster than a list of positions.
            table, marks = table.filter(pa.array(passing)), marks[:, passing]
        if normal.book == PAYROLL:
            counts = pc.value_counts(table["month"].combine_chunks().cast(pa.string())).to_pylist()
            self.months.update({item["values"]: item["counts"] for item in counts if item["values"]})
        quarantined = held.table().append_column(POSITION, pa.array(places[~passing]))
        births = b""
        if normal.births is not None:
            whole = pa.array(passing)
            births = sealed_births(*(column.filter(whole) for column in normal.births), self.births_sealer)
        self.writer.add(table, marks, quarantined, sealed, births)

    def _rows(self, normal: Normal) -> pa.Table:
        table = normal.table
        for name, column in normal.secrets.items():
            table = table.append_column(f"{name}{SECRET}", column)
        everywhere = np.arange(normal.rows)
        for name in self.shown:
            if self.book.column(name).kind is not Kind.ID:
                table = table.append_column(f"{SHOWN}{name}", normal.shown(name, everywhere))
        return table


def _ahead(pieces: Iterator[TextTable]) -> Iterator[TextTable]:
    """The pieces, each read while the one before it is judged."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = pool.submit(next, pieces, None)
            yield piece


def _remarks(result: TextTable) -> list[str]:
    return result.remarks + ([f"不认识、未使用的列：{'、'.join(result.unknown)}"] if result.unknown else [])
