"""Where the header of a sheet is and which column it names: title rows, merged headers, aliases, dirt. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from expectations.books import Book, Kind, fold, header_aliases
from expectations.shown_words import heading_or_letter, unknown_heading

# The bottom row of a header lies within this many rows; a header is at most this high.
SEARCHED_ROWS = 30
MAX_HEIGHT = 5
# Fewer known columns than this are a coincidence, not a header.
MIN_KNOWN = 2

_BRACKETS = r"[(\[{<〔【「《〈][^()\[\]{}<>〔〕【】「」《》〈〉]*[)\]}>〕】」》〉]"
_LEADING = re.compile(r"^(?:[*★☆※#•·]+|[(]?[0-9]{1,2}[)、.．:])+")
_TRAILING = re.compile(r"[*★☆※:：、,。.;]+$")
_ORDINAL = re.compile(r"[(\[]?(?:[0-9]{1,3}|[甲乙丙丁戊己庚辛壬癸]|[A-Z]{1,2})[)\]]?(?:=[0-9+\-()]+)?")
_OTHER_MONEY_UNIT = re.compile(r"万元|千元|百元|亿元")


@dataclass(frozen=True)
class Header:
    """A header found. Rows and positions are 0-based within the grid.

    start, end   first and last row of the header, a row of column numbers beneath included.
    columns      column name → the positions that carry it (more than one: to be united).
    labels       position → what is written above it, for messages and repeated headers.
    unknown      what names no column of the book, as it may be shown: its label, or where it stands.
    width        physical width of the header; `named` = last position with a label, plus one.
    """

    start: int
    end: int
    columns: dict[str, list[int]]
    labels: dict[int, str]
    unknown: list[str]
    width: int
    named: int
    score: tuple[int, int]


class ColumnNames:
    """What header texts may call the columns of a book. Remembers every text it was asked about."""

    def __init__(self, book: Book) -> None:
        self._table = header_aliases(book)
        self._known: dict[str, tuple[str, int] | None] = {}

    def find(self, label: str) -> tuple[str, int] | None:
        """(column, rank) of a header text, or None. Rank 1: only after taking brackets off."""
        if label not in self._known:
            self._known[label] = self._search(label)
        return self._known[label]

    def _search(self, label: str) -> tuple[str, int] | None:
        plain = _TRAILING.sub("", fold(label)).strip("'\"")
        for text in (plain, _LEADING.sub("", plain)):
            if text in self._table:
                return self._table[text], 0
        bare = plain
        while (shorter := re.sub(_BRACKETS, "", bare)) != bare:
            bare = shorter
        for text in (bare, _TRAILING.sub("", _LEADING.sub("", bare))):
            if text in self._table:
                return self._table[text], 1
        return None


def _joined(labels: Sequence[str]) -> Iterator[str]:
    """The ways a stack of labels (top first) is read as one: the whole, the last two, then the bottom alone."""
    if len(labels) > 2:
        yield "".join(labels)
    if len(labels) > 1:
        upper, lower = fold(labels[-2]), fold(labels[-1])
        yield upper + lower
        # 原单位 above 单位编码 is 原单位编码.
        for size in range(min(len(upper), len(lower)), 0, -1):
            if upper.endswith(lower[:size]):
                yield upper + lower[size:]
                break
    yield labels[-1]


def _stacks(block: Sequence[Sequence[str]]) -> list[list[str]]:
    """Per position the labels from top to bottom; a group label spreads right over the blanks of its row."""
    width = max(map(len, block))
    padded = [[*row, *[""] * (width - len(row))] for row in block]
    stacks: list[list[str]] = [[] for _ in range(width)]
    for depth, row in enumerate(padded):
        group = ""
        for place, cell in enumerate(row):
            below = any(lower[place] for lower in padded[depth + 1 :])
            group = cell or group
            if cell or (below and group):
                stacks[place].append(cell or group)
    return [stack if any(row[place] for row in padded) else [] for place, stack in enumerate(stacks)]


def _read_block(book: Book, names: ColumnNames, block: Sequence[Sequence[str]], start: int) -> Header | None:
    """The header that these rows make, or None when they name too few columns."""
    ranked: dict[str, list[tuple[int, int]]] = {}
    labels: dict[int, str] = {}
    unknown: list[str] = []
    for place, stack in enumerate(_stacks(block)):
        if not stack:
            continue
        labels[place] = stack[-1]
        found = next((hit for label in _joined(stack) if (hit := names.find(label))), None)
        if found:
            ranked.setdefault(found[0], []).append((found[1], place))
        else:
            unknown.append(unknown_heading(book, stack[-1], place))
    if len(ranked) < MIN_KNOWN:
        return None
    columns: dict[str, list[int]] = {}
    for name, hits in sorted(ranked.items(), key=lambda item: min(place for _, place in item[1])):
        best = min(hits)[0]
        columns[name] = [place for rank, place in hits if rank == best]
        # 姓名(拼音) beside 姓名 is another column, not a second 姓名.
        unknown += [unknown_heading(book, labels[place], place) for rank, place in hits if rank != best]
    required = sum(column.required for column in book.columns if column.name in columns)
    width = max(map(len, block))
    return Header(
        start, start + len(block) - 1, columns, labels, unknown, width, max(labels) + 1, (required, len(columns))
    )


def _is_number_row(row: Sequence[str]) -> bool:
    """True for the row of column numbers under a header: 1 2 3 4, or 甲 乙 1 2."""
    cells = [text for cell in row if (text := fold(cell)) and text not in ("栏次", "列号", "行次", "序号")]
    if len(cells) < 3 or not all(_ORDINAL.fullmatch(cell) for cell in cells):
        return False
    digits = [int(match[0]) for cell in cells if (match := re.search(r"[0-9]+", cell))]
    return all(after == before + 1 for before, after in pairwise(digits))


def find_header(book: Book, top: Sequence[Sequence[str]]) -> Header | None:
    """The header among the first rows of a sheet: the block naming most required, then most columns, then the lowest one.

    `top`: rows of stripped texts ('' blank). None when no block names at least MIN_KNOWN columns.
    """
    names = ColumnNames(book)
    best: Header | None = None
    for bottom in range(min(SEARCHED_ROWS, len(top))):
        if not any(top[bottom]):
            continue
        for height in range(1, min(MAX_HEIGHT, bottom + 1) + 1):
            found = _read_block(book, names, top[bottom - height + 1 : bottom + 1], bottom - height + 1)
            if found and (best is None or found.score > best.score):
                best = found
    if best is None:
        return None
    end = best.end
    if end + 1 < len(top) and _is_number_row(top[end + 1]):
        end += 1
    return replace(best, end=end)


def other_money_unit(book: Book, header: Header, top: Sequence[Sequence[str]]) -> str | None:
    """What to call a money column not in yuan (万元 in its header or in a title above), or None."""
    money = [name for name in header.columns if book.column(name).kind is Kind.MONEY]
    above = ["".join(row) for row in top[: header.start]]
    for name in money:
        for place in header.columns[name]:
            stack = "".join(row[place] for row in top[header.start : header.end + 1] if place < len(row))
            if _OTHER_MONEY_UNIT.search(stack):
                return heading_or_letter(header.labels[place], place)
        if any(re.search(r"单位[:：]?[^,，。;；]{0,6}(?:万元|千元|百元|亿元)", fold(text)) for text in above):
            first = header.columns[name][0]
            return heading_or_letter(header.labels[first], first)
    return None
