"""Which rows under a header are records, and which are blank, notes, repeated headers or totals (DOMAIN §3, Dirt). Pure."""

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
    """The rows under one header, by 0-based position in the grid.

    records   positions of the records, ascending.
    totals    (position, 小计 | 合计 | 累计) of the total rows, ascending.
    texts     what titles and notes say, for cut-off dates.
    """

    records: np.ndarray
    totals: list[tuple[int, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def key_columns(book: Book, header: Header) -> list[str]:
    """The columns that say whom or what a row is about: identity numbers and required codes the file has."""
    return [
        column.name
        for column in book.columns
        if column.name in header.columns and (column.kind is Kind.ID or (column.kind is Kind.CODE and column.required))
    ]


def read_body(book: Book, header: Header, grid: Grid) -> Body:
    """Sort the rows below a header into records and the rest. Drops nothing that carries an id or a unit code."""
    first = header.end + 1
    count = max(grid.height - first, 0)
    body = [grid.columns[place].slice(first) for place in sorted(header.labels)]
    kept = np.ones(count, dtype=bool)
    titles = grid.rows(np.arange(first))
    result = Body(np.empty(0, dtype=np.int64), texts=["　".join(filter(None, row)) for row in titles[: header.start]])
    if not count:
        return result
    kept &= ~_blank(body, count)
    repeated = _repeated(book, header, grid, titles)
    kept[repeated] = False
    if len(repeated):
        result.remarks.append(f"跳过 {len(repeated)} 行重复的表头或标题")
    special = np.flatnonzero(kept & _special(body))
    notes: list[int] = []
    for position, row in zip(special, grid.rows(special + first), strict=True):
        if kind := _total_kind(book, header, row):
            result.totals.append((int(position) + first, kind))
            kept[position] = False
        elif _is_note(book, header, row):
            notes.append(int(position))
            kept[position] = False
    notes += _closing_notes(header, grid, kept, notes, first)
    kept[notes] = False
    result.texts += ["　".join(filter(None, row)) for row in grid.rows(np.array(sorted(notes), dtype=np.int64) + first)]
    if notes:
        result.remarks.append(f"跳过 {len(notes)} 行表注")
    result.records = np.flatnonzero(kept) + first
    return result


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


def _repeated(book: Book, header: Header, grid: Grid, above: Sequence[Sequence[str]]) -> np.ndarray:
    """Positions (below the header) of rows equal to a title or header row, or naming their own columns (page breaks)."""
    first = header.end + 1
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


def _closing_notes(header: Header, grid: Grid, kept: np.ndarray, notes: Sequence[int], first: int) -> list[int]:
    """Rows below the last record that hold one cell with a sentence in it; below a note, any one cell."""
    found: list[int] = []
    after_note = min(notes, default=len(kept))
    tail = np.flatnonzero(kept)[-_TAIL_ROWS:]
    for position, row in zip(reversed(tail.tolist()), reversed(grid.rows(tail + first)), strict=True):
        cells = [row[place] for place in header.labels if row[place]]
        if len(cells) != 1:
            break
        text = cells[0]
        sentence = len(text) >= 6 and re.search(r"[㐀-鿿]", text) and _SENTENCE.search(text)
        if not (sentence or position > after_note):
            break
        found.append(position)
    return found
