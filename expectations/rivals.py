"""The rows of all files of a night, of one book: which equal or contradict others, which are kept.

Of each row three numbers are in memory; of the few that may equal or contradict another (suspects) the row itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa

from expectations.births import births_sealer, retiring, with_ages
from expectations.books import BOOKS, QUARANTINE_SCHEMA, Kind, snapshot_schema
from expectations.crossing import content_ids, night_frame, rows_frame, same_rows, suspects
from expectations.entries import POSITION, SHOWN, Entry
from expectations.normalise import arrow_schema
from expectations.quarantine import HeldKind
from expectations.verdicts import GateSetting, ReasonCode

CELL = ["unit_code", "post_type", "fund_form"]
# Of the roster alone: people who reach the statutory age, per cell and month (YYYY-MM).
RETIRING_SCHEMA = {
    "unit_code": "string", "post_type": "string", "fund_form": "string", "month": "string", "people": "int64",
}  # fmt: skip
# No loan runs as long, renewals included.
YEARS_AHEAD = 12


class Rivals:
    """The rows that passed by themselves. `gather` first; rows are then numbered through the entries in order."""

    def __init__(self, book: str, setting: GateSetting) -> None:
        self.book, self.setting = book, setting
        self.entries: list[Entry] = []
        self.kinds: list[tuple[ReasonCode, str]] = []

    def gather(self, entries: Sequence[Entry]) -> None:
        """The numbers of all rows, and the suspects themselves."""
        self.entries = list(entries)
        marks = [entry.marks() for entry in self.entries]
        ends = np.cumsum([0, *(part.shape[1] for part in marks)])
        self.spans = [slice(int(start), int(end)) for start, end in pairwise(ends)]
        self.position, digest, group = np.concatenate([np.empty((3, 0), dtype=np.int64), *marks], axis=1)
        self.suspect = suspects(digest, group)
        self.table = self._suspect_rows()
        self.content = content_ids(self._compared(), digest[self.suspect].view(np.uint64))
        # Per row the position in `kinds` of its first reason, or -1.
        self.first = np.full(len(self.position), -1, dtype=np.int32)
        self.kept = np.ones(len(self.position), dtype=bool)

    def _suspect_rows(self) -> pa.Table:
        wanted = np.zeros(len(self.position), dtype=bool)
        wanted[self.suspect] = True
        found = [arrow_schema(snapshot_schema(self.book)).empty_table()]
        for span, entry in zip(self.spans, self.entries, strict=True):
            if wanted[span].any():
                found += [plain(table.filter(pa.array(mask))) for mask, table in _cut(wanted[span], entry.rows())]
        return pa.concat_tables(found, promote_options="default")

    def _compared(self) -> pa.Table:
        return self.table.select([name for name in self.table.column_names if not name.startswith(SHOWN)])

    def frame(self) -> pd.DataFrame:
        """What the night-wide suite judges: a row of numbers for each row."""
        facts = rows_frame(self.book, self.table, self.content, self.setting.as_of)
        return night_frame(facts, self.suspect, len(self.position))

    @property
    def row_numbers(self) -> np.ndarray:
        """What to show of each row in the Data Docs: the row number in its file, of suspects; 0 of the others."""
        rows = np.zeros(len(self.position), dtype=np.int64)
        rows[self.suspect] = self.table["row"].to_numpy()
        return rows

    def hold(self, code: ReasonCode, column: str, rows: np.ndarray) -> None:
        """Hold rows back; a row that is already held keeps its first reason."""
        self.kinds.append((code, column))
        fresh = rows[self.first[rows] < 0]
        self.first[fresh] = len(self.kinds) - 1
        self.kept[fresh] = False

    def held_of(self, number: int) -> int:
        """How many rows of one entry are held back here."""
        return int(np.count_nonzero(self.first[self.spans[number]] >= 0))

    def kinds_of(self, number: int) -> Iterator[HeldKind]:
        """Why rows of one entry are held back here."""
        span = self.spans[number]
        for kind, (code, column) in enumerate(self.kinds):
            rows = np.flatnonzero(self.first[span] == kind) + span.start
            if len(rows):
                at = int(np.searchsorted(self.suspect, rows[0]))
                file, row = (self.table[name][at].as_py() for name in ("file", "row"))
                yield HeldKind(code, column, file, row, len(rows))

    def without_duplicates(self, usable: Sequence[bool]) -> list[tuple[int, int]]:
        """Keep the first of equal rows among the usable entries; per entry (rows kept, rows dropped)."""
        for span, good in zip(self.spans, usable, strict=True):
            self.kept[span] &= good
        left = self.kept[self.suspect]
        same = same_rows(self.book, self.table, self.content)
        later = np.zeros(len(self.suspect), dtype=bool)
        later[left] = pd.Series(same[left]).duplicated().to_numpy()
        before = [int(np.count_nonzero(self.kept[span])) for span in self.spans]
        self.kept[self.suspect[later]] = False
        after = [int(np.count_nonzero(self.kept[span])) for span in self.spans]
        return [(kept, whole - kept) for whole, kept in zip(before, after, strict=True)]

    def accepted(self) -> Iterator[pa.Table]:
        """The rows kept, in order."""
        names = list(snapshot_schema(self.book))
        for span, entry in zip(self.spans, self.entries, strict=True):
            kept = self.kept[span]
            if kept.any():
                for mask, table in _cut(kept, self._rows(entry)):
                    rows = table.select(names)
                    yield rows if mask.all() else rows.filter(pa.array(mask))

    def retiring(self) -> Iterator[pa.Table]:
        """People of the kept rows who reach the statutory age in the years to come, in RETIRING_SCHEMA. A person has one
        kept current row per cell, for rows that differ are held back and equal ones dropped."""
        sealer, setting = births_sealer(self.setting.person_key), self.setting
        found: Counter = Counter()
        for span, entry in zip(self.spans, self.entries, strict=True):
            start = span.start
            for rows, births in zip(entry.rows(), entry.births(), strict=True):
                month = retiring(rows, births, sealer, setting.as_of, setting.retirement)
                at = np.flatnonzero((month >= 0) & self.kept[start : start + len(rows)])
                start += len(rows)
                cells = plain(rows.select(CELL).take(pa.array(at))).to_pydict()
                found.update(zip(*cells.values(), month[at].tolist(), strict=True))
        last = (setting.as_of.year + YEARS_AHEAD) * 12 + setting.as_of.month
        counted = sorted((*cell, month, people) for (*cell, month), people in found.items() if month < last)
        columns = list(zip(*counted, strict=True)) or [()] * len(RETIRING_SCHEMA)
        columns[3] = tuple(f"{month // 12:04}-{month % 12 + 1:02}" for month in columns[3])
        whole = arrow_schema(RETIRING_SCHEMA)
        yield pa.table(
            [pa.array(column, field.type) for column, field in zip(columns, whole, strict=True)], schema=whole
        )

    def _rows(self, entry: Entry) -> Iterator[pa.Table]:
        if self.book != "roster":
            yield from entry.rows()
            return
        sealer, setting = births_sealer(self.setting.person_key), self.setting
        for rows, births in zip(entry.rows(), entry.births(), strict=True):
            yield with_ages(rows, births, sealer, setting.as_of, setting.retirement)

    def quarantine(self, divisions: Sequence[str]) -> Iterator[pa.Table]:
        """The rows held back, in QUARANTINE_SCHEMA, in the order of the entries (each of a division) and their rows."""
        for number, (entry, division) in enumerate(zip(self.entries, divisions, strict=True)):
            late = self._late(number, division)
            if not late.num_rows:
                yield from entry.held()
                continue
            whole = pa.concat_tables([*map(plain, entry.held()), late])
            order = np.argsort(whole[POSITION].to_numpy(), kind="stable")
            yield whole.take(pa.array(order))

    def _late(self, number: int, division: str) -> pa.Table:
        span = self.spans[number]
        rows = np.flatnonzero(self.first[span] >= 0) + span.start
        table = self.table.take(pa.array(np.searchsorted(self.suspect, rows)))
        kinds = self.first[rows]
        columns = {
            name: table[name].combine_chunks() if name in table.column_names else pa.nulls(len(rows), pa.string())
            for name in ("file", "row", "unit_code", "post_type", "fund_form")
        }
        columns |= {name: pa.repeat(pa.scalar(value), len(rows)) for name, value in
                    (("book", self.book), ("division_code", division))}  # fmt: skip
        columns["reason"] = pa.array([self.kinds[kind][0].value for kind in kinds], pa.string())
        columns["column"] = pa.array([self.kinds[kind][1] for kind in kinds], pa.string())
        columns["shown"] = pa.array(
            [self._shown(table, row, self.kinds[kind][1]) for row, kind in enumerate(kinds)], pa.string()
        )
        columns[POSITION] = pa.array(self.position[rows])
        return pa.table({name: columns[name] for name in [*QUARANTINE_SCHEMA, POSITION]})

    def _shown(self, table: pa.Table, row: int, column: str) -> str | None:
        person = BOOKS[self.book].column(column).kind is Kind.ID
        return table["person_mask" if person else f"{SHOWN}{column}"][row].as_py()


def _cut(mask: np.ndarray, tables: Iterator[pa.Table]) -> Iterator[tuple[np.ndarray, pa.Table]]:
    """Consecutive tables, each with its part of a mask over all of them."""
    done = 0
    for table in tables:
        yield mask[done : done + table.num_rows], table
        done += table.num_rows


def plain(table: pa.Table) -> pa.Table:
    """A table with its texts as texts."""
    schema = pa.schema(
        [
            (field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
            for field in table.schema
        ]
    )
    return table.cast(schema)
