"""Which rows under a header are records, and which are blank, notes, repeated headers or totals (DOMAIN §3, Dirt). Pure.

A sheet may come in pieces. Only the notes below the last record need the end of it: rows that may be such notes are left
to the next piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from expectations.books import Book, Kind, fold
from expectations.grids import Grid, mask_of
from expectations.headers import ColumnNames, Header

SUBTOTAL, GRAND_TOTAL, RUNNING_TOTAL = "小计", "合计", "累计"
TOTAL_WORDS = {
    **dict.fromkeys(("小计", "本页小计", "本页合计", "页计"), SUBTOTAL),
    **dict.fromkeys(("合计", "总计", "共计", "总合计"), GRAND_TOTAL),
    **dict.fromkeys(("累计", "本页累计"), RUNNING_TOTAL),
}
_NOTE = re.compile(
    r"[*※(\[【]*(?:"
    r"(?:注|备注|附注|说明|填表说明|填报说明|编制说明|提示|特别说明|数据说明)(?:[0-9一二三四五六七八九十]{0,2}[:.、)\]】]|$)"
    r"|(?:制表|填表|填报|报送|上报|审核|复核|审批|经办|编制|统计|打印|联系|单位负责|部门负责|主管|分管|负责)"
    r"[^:,;0-9]{0,6}[:]"
    r"|(?:负责人|领导|盖章|公章|签章|签字|电话|日期|单位)(?:[(][^)]*[)])?[:]"
    r"|(?:截至|截止|统计时点|数据时点|时点|统计日期|数据来源|数据日期)"
    r"|第[0-9一二三四五六七八九十]+页"
    r")"
)
_GAP = r"[\s\x{3000}\x{A0}]*"
# A cheap first look (RE2) at every cell; what it lets through is judged row by row.
_SPECIAL = (
    r"^[*※(（\[［【\s]*(?:"
    + "|".join(
        _GAP.join(word)
        for word in (
            *TOTAL_WORDS, "注", "备注", "附注", "说明", "填", "编制说明", "提示", "特别说明", "数据", "制表", "报送", "上报",
            "审", "复核", "经办", "编制", "统计", "打印", "联系", "单位", "部门负责", "主管", "分管", "负责", "领导", "盖章",
            "公章", "签", "电话", "日期", "截至", "截止", "时点", "第",
        )
    )
    + ")"
)  # fmt: skip
# Free text under the last record is looked for in this many rows.
_TAIL_ROWS = 200
_SENTENCE = re.compile(r"[，。；：、,;:（(“《]|^[0-9一二三四五六七八九十]+[.、．)]")


@dataclass
class Body:
    """The rows of one piece of a sheet, by 0-based position in its grid.

    records   positions of the records, ascending.
    totals    (position, 小计 | 合计 | 累计) of the total rows, ascending.
    texts     what titles and notes say, for cut-off dates.
    left      positions of the rows, blank ones aside, that only the next piece can tell; all below the others.
    """

    records: np.ndarray
    totals: list[tuple[int, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    left: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def key_columns(book: Book, header: Header) -> list[str]:
    """The columns that say whom or what a row is about: identity numbers and required codes the file has."""
    return [
        column.name
        for column in book.columns
        if column.name in header.columns and (column.kind is Kind.ID or (column.kind is Kind.CODE and column.required))
    ]


class BodyReader:
    """Sorts the rows below a header into records and the rest. Drops nothing that carries an id or a unit code."""

    def __init__(self, book: Book, header: Header, titles: Sequence[Sequence[str]]) -> None:
        """titles: the rows down to the end of the header."""
        self.book, self.header, self.titles = book, header, titles
        self.repeated = self.notes = 0

    def read(self, grid: Grid, first: int, last: bool) -> Body:
        """One piece. first: the position below the header in it. last: nothing comes after it."""
        count = max(grid.height - first, 0)
        if not count:
            return Body(np.empty(0, dtype=np.int64))
        body = [grid.columns[place].slice(first) for place in sorted(self.header.labels)]
        filled = ~_blank(body, count)
        kept = filled.copy()
        repeated = _repeated(self.book, self.header, grid, self.titles, first)
        kept[repeated] = False
        totals, notes = self._special(grid, body, kept, first)
        end = count
        if last:
            notes += _closing_notes(self.header, grid, kept, -1 if self.notes else min(notes, default=count), first)
            kept[notes] = False
        else:
            end = _open_end(self.header, grid, kept, first)
        notes = sorted(note for note in notes if note < end)
        self.repeated += int(np.count_nonzero(repeated < end))
        self.notes += len(notes)
        return Body(
            np.flatnonzero(kept[:end]) + first,
            [(position + first, kind) for position, kind in totals if position < end],
            ["　".join(filter(None, row)) for row in grid.rows(np.array(notes, dtype=np.int64) + first)],
            np.flatnonzero(filled[end:]) + end + first,
        )

    def _special(
        self, grid: Grid, body: Sequence[pa.ChunkedArray], kept: np.ndarray, first: int
    ) -> tuple[list[tuple[int, str]], list[int]]:
        """(total rows, notes) below the header; neither is kept."""
        totals: list[tuple[int, str]] = []
        notes: list[int] = []
        special = np.flatnonzero(kept & _special(body))
        for position, row in zip(special.tolist(), grid.rows(special + first), strict=True):
            if kind := _total_kind(self.book, self.header, row):
                totals.append((position, kind))
            elif _is_note(self.book, self.header, row):
                notes.append(position)
            else:
                continue
            kept[position] = False
        return totals, notes

    @property
    def remarks(self) -> list[str]:
        """What was skipped so far."""
        skipped = [(self.repeated, "重复的表头或标题"), (self.notes, "表注")]
        return [f"跳过 {count} 行{what}" for count, what in skipped if count]


def _blank(columns: Sequence[pa.ChunkedArray], count: int) -> np.ndarray:
    blank = np.ones(count, dtype=bool)
    for column in columns:
        if not blank.any():
            break
        blank &= mask_of(pc.equal(column, ""))
    return blank


def _special(columns: Sequence[pa.ChunkedArray]) -> np.ndarray:
    found = np.zeros(len(columns[0]), dtype=bool)
    for column in columns:
        found |= mask_of(pc.match_substring_regex(column, _SPECIAL))
    return found


def _repeated(book: Book, header: Header, grid: Grid, above: Sequence[Sequence[str]], first: int) -> np.ndarray:
    """Positions (below the header) of rows equal to a title or header row, or naming their own columns (page breaks)."""
    candidates: set[int] = set()
    for row in above:
        place = next((place for place, cell in enumerate(row) if cell), None)
        if place is not None:
            candidates.update(np.flatnonzero(mask_of(pc.equal(grid.columns[place].slice(first), row[place]))).tolist())
    for name, places in list(header.columns.items())[:2]:
        column = book.column(name)
        spellings = pa.array([column.name, column.label, *column.aliases], pa.large_string())
        found = pc.is_in(grid.columns[places[0]].slice(first), value_set=spellings)
        candidates.update(np.flatnonzero(mask_of(found)).tolist())
    positions = np.array(sorted(candidates), dtype=np.int64)
    known = {tuple(map(fold, row)) for row in above}
    rows = grid.rows(positions + first)
    names = ColumnNames(book)
    repeats = [tuple(map(fold, row)) in known or _names_itself(names, header, row) for row in rows]
    return positions[np.array(repeats, dtype=bool)]


def _names_itself(names: ColumnNames, header: Header, row: Sequence[str]) -> bool:
    """True when every filled known cell is a name of its own column, and at least two are."""
    cells = [(name, row[place]) for name, places in header.columns.items() for place in places if row[place]]
    return len(cells) >= 2 and all((names.find(cell) or ("", 0))[0] == name for name, cell in cells)


def _key_cells(book: Book, header: Header, row: Sequence[str]) -> Iterator[str]:
    for name in key_columns(book, header):
        for place in header.columns[name]:
            yield row[place]


def _total_kind(book: Book, header: Header, row: Sequence[str]) -> str | None:
    """小计, 合计 or 累计 when a cell equals such a word and no identity number or required code stands in the row."""
    words = [TOTAL_WORDS.get(fold(cell).strip(":")) for cell in row]
    kind = next(filter(None, words), None)
    if kind is None:
        return None
    keys = [fold(cell).strip(":") for cell in _key_cells(book, header, row)]
    return kind if all(not cell or cell in TOTAL_WORDS for cell in keys) else None


def opens_like_a_note(row: Sequence[str]) -> bool:
    """True when the first filled cell opens like a note or a signature (注：, 说明, 制表人：, 截至 …)."""
    return bool(_NOTE.match(fold(next((cell for cell in row if cell.strip()), ""))))


def _is_note(book: Book, header: Header, row: Sequence[str]) -> bool:
    """A row that opens like a note where a code belongs, or anywhere when it is no complete record."""
    if not opens_like_a_note(row):
        return False
    opening = next(place for place, cell in enumerate(row) if cell)
    if any(opening in header.columns[name] for name in key_columns(book, header)):
        return True
    # An identity number may be blank in a record.
    required = [c.name for c in book.columns if c.required and c.kind is not Kind.ID and c.name in header.columns]
    return not all(any(row[place] for place in header.columns[name]) for name in required)


def _closing_notes(header: Header, grid: Grid, kept: np.ndarray, after_note: int, first: int) -> list[int]:
    """Rows below the last record that hold one cell with a sentence in it; below a note, any one cell."""
    found: list[int] = []
    for position, text in _lone_cells(header, grid, kept, first):
        sentence = len(text) >= 6 and re.search(r"[㐀-鿿]", text) and _SENTENCE.search(text)
        if not (sentence or position > after_note):
            break
        found.append(position)
    return found


def _open_end(header: Header, grid: Grid, kept: np.ndarray, first: int) -> int:
    """Where the rows begin that would be closing notes if nothing came after this piece; its height without any."""
    return min((position for position, _ in _lone_cells(header, grid, kept, first)), default=len(kept))


def _lone_cells(header: Header, grid: Grid, kept: np.ndarray, first: int) -> Iterator[tuple[int, str]]:
    """(position, cell) of the rows of one cell at the end of the kept ones, upwards."""
    tail = np.flatnonzero(kept)[-_TAIL_ROWS:]
    for position, row in zip(reversed(tail.tolist()), reversed(grid.rows(tail + first)), strict=True):
        cells = [row[place] for place in header.labels if row[place]]
        if len(cells) != 1:
            break
        yield position, cells[0]
