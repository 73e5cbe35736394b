"""Rows of every book with somebody's number or name in a column where none belongs."""

from __future__ import annotations

from pathlib import Path

from core.identity import check_digit
from expectations.books import BOOKS, WORDS, Book, Column, Kind
from expectations.strays import DOCUMENTS, NAMED_OPENLY
from tests.nightkit import csv_text

FREE = (Kind.TEXT, Kind.CODE)
SAMPLES = {Kind.DATE: "2020-01-01", Kind.COUNT: "1", Kind.CODE: "990102001", Kind.TEXT: "年报", Kind.MONEY: "1"}
# Of rare letters, so that they stand nowhere else.
NAMES = ("亓骉犇", "仉韡皛", "郄羴赟", "逄犇翀", "厍燚淼", "昝鱻飝", "笪淼彧")


def number(at: int) -> str:
    """The number of somebody who is in no list otherwise."""
    first17 = f"99010119{60 + at % 30}{at % 12 + 1:02d}{at % 28 + 1:02d}{500 + at % 400}"
    return first17 + check_digit(first17)


def spelt(digits: str, turn: int) -> str:
    """A number as people write it."""
    name = NAMES[turn % len(NAMES)]
    ways = (
        digits, f"{name}{digits}", f"{digits[:6]} {digits[6:14]} {digits[14:]}", f"{digits[:6]}-{digits[6:14]}-{digits[14:]}",
        "".join(chr(ord(char) + 0xFEE0) for char in digits), f"{digits}{name}", f"X{digits}",
    )  # fmt: skip
    return ways[turn % len(ways)]


def sound_row(book: Book, month: str, at: int) -> dict[str, str]:
    """A row of a book with which nothing is wrong."""

    def value(column: Column) -> str:
        if column.kind is Kind.ID:
            return number(at)
        if column.kind is Kind.NAME:
            return NAMES[at % len(NAMES)]
        if column.kind is Kind.MONTH:
            return month
        if column.words is not None:
            return next(iter(WORDS[column.words].values()))[0]
        return SAMPLES[column.kind]

    wanted = [column for column in book.columns if column.required or column.kind in (Kind.ID, Kind.NAME)]
    return {column.name: value(column) for column in wanted}


def numbers_astray(book: Book, month: str) -> tuple[list[dict[str, str]], set[str]]:
    """(rows, the numbers in them): every column of text and codes holds a number once alone and once in some other spelling."""
    rows, held = [], set()
    for turn, column in enumerate(column for column in book.columns if column.kind in FREE):
        for way in (0, turn + 1):
            at = 2 * turn + (way > 0) + 40 * list(BOOKS).index(book.name)
            held |= {number(at), number(at + 400)}
            rows.append(sound_row(book, month, at + 400) | {column.name: spelt(number(at), way)})
    return rows, held


def names_astray(book: Book, month: str) -> list[dict[str, str]]:
    """Rows in which every such column holds a name alone, but for names of units and numbers of documents."""
    columns = [column.name for column in book.columns if column.kind in FREE]
    return [
        sound_row(book, month, turn + 800) | {name: NAMES[turn % len(NAMES)]}
        for turn, name in enumerate(name for name in columns if name not in (*NAMED_OPENLY, *DOCUMENTS))
    ]


def plant(folder: Path, month: str) -> tuple[set[str], set[str]]:
    """Add such rows of every book to what a division delivers: (numbers, names)."""
    numbers: set[str] = set()
    for book in BOOKS.values():
        rows, held = numbers_astray(book, month)
        numbers |= held
        (folder / f"{book.name}-99.csv").write_text(csv_text([*rows, *names_astray(book, month)]), encoding="utf-8")
    return numbers, set(NAMES)
