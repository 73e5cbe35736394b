"""Which rows are held back and why: one line per row with its first reason, and sentences for the data owner. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.books import BOOKS, QUARANTINE_SCHEMA, WORDS
from expectations.normalise import Normal, arrow_schema
from expectations.verdicts import Reason, ReasonCode, reason


class HeldKind(NamedTuple):
    """Rows held back for one reason: the first of them and how many there are."""

    code: ReasonCode
    column: str
    file: str
    row: int
    count: int

    def reason(self, book: str) -> Reason:
        """The sentence for the data owner."""
        column = BOOKS[book].column(self.column)
        words = "、".join(spellings[0] for spellings in WORDS[column.words].values()) if column.words else ""
        detail = f"不在可用的词之内；请改用 {words}" if self.code is ReasonCode.BAD_WORD else None
        place = {"row": self.row, "column": self.column, "label": column.label, "count": self.count}
        return reason(self.code, self.file, **place, detail=detail)


@dataclass
class Held:
    """The rows of one file held back so far. `first[i]` is the position in `kinds` of row i's first reason, or -1."""

    normal: Normal
    first: np.ndarray = field(init=False)
    kinds: list[tuple[ReasonCode, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first = np.full(self.normal.rows, -1, dtype=np.int64)

    def hold(self, code: ReasonCode, column: str, positions: np.ndarray) -> None:
        """Hold rows back; a row that is already held keeps its first reason."""
        self.kinds.append((code, column))
        fresh = positions[self.first[positions] < 0]
        self.first[fresh] = len(self.kinds) - 1

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self.first >= 0))

    def table(self) -> pa.Table:
        """One row per row held back, in QUARANTINE_SCHEMA, in file order."""
        schema = arrow_schema(QUARANTINE_SCHEMA)
        parts = [self._part(schema, number) for number in range(len(self.kinds))]
        parts = [part for part in parts if part.num_rows]
        if not parts:
            return schema.empty_table()
        united = pa.concat_tables(parts)
        order = np.argsort(
            np.concatenate([np.flatnonzero(self.first == n) for n in range(len(self.kinds))]), kind="stable"
        )
        return united.take(pa.array(order))

    def _part(self, schema: pa.Schema, number: int) -> pa.Table:
        code, column = self.kinds[number]
        positions = np.flatnonzero(self.first == number)
        count = len(positions)
        normal = self.normal
        taken = normal.table.select(["file", "row"]).take(pa.array(positions))

        def always(value: str) -> pa.Array:
            return pa.repeat(pa.scalar(value, pa.string()), count)

        def word(name: str) -> pa.Array | pa.ChunkedArray:
            if name not in normal.table.column_names:
                return pa.nulls(count, pa.string())
            return normal.table[name].combine_chunks().take(pa.array(positions)).cast(pa.string())

        columns = {
            "book": always(normal.book), "division_code": always(normal.division_code),
            "file": taken["file"].combine_chunks().cast(pa.string()), "row": taken["row"], "column": always(column), "reason": always(code.value),
            "unit_code": _units(normal, positions), "post_type": word("post_type"), "fund_form": word("fund_form"),
            "shown": normal.shown(column, positions),
        }  # fmt: skip
        return pa.table([columns[name] for name in schema.names], schema=schema)

    def kinds_found(self) -> list[HeldKind]:
        """Per (code, column): the first row of it and how many there are."""
        found = []
        for number, (code, column) in enumerate(self.kinds):
            positions = np.flatnonzero(self.first == number)
            if len(positions):
                at = int(positions[0])
                file, row = (self.normal.table[name][at].as_py() for name in ("file", "row"))
                found.append(HeldKind(code, column, file, row, len(positions)))
        return found


def _units(normal: Normal, positions: np.ndarray) -> pa.Array:
    """The unit a row speaks of: for the payroll the one paid for. Whole where a spreadsheet has eaten its zeros."""
    names = normal.table.column_names
    if "paying_unit_code" in names:
        paying = normal.whole_codes("paying_unit_code", positions)
        unit = pc.coalesce(normal.whole_codes("on_behalf_of", positions), paying)
        # Of a row that has moved nobody knows which unit it means.
        moved = normal.is_stray("on_behalf_of", positions) | normal.is_stray("paying_unit_code", positions)
        return pc.if_else(pa.array(moved), pa.scalar(None, pa.string()), unit)
    if "unit_code" in names:
        return normal.whole_codes("unit_code", positions)
    return pa.nulls(len(positions), pa.string())
