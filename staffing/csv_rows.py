"""Rows of a csv file with every fault named at once: file, row, column, what is wrong, what to do. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.errors import InputRejected
from core.identity import normalise_code

MOST_ROWS, MOST_BYTES, MOST_FAULTS = 20_000, 10 * 2**20, 20
FIRST_DAY, LAST_DAY = date(1949, 10, 1), date(2199, 12, 31)


class Fault(ValueError):
    """What is wrong with one value, and what to do."""


@dataclass(frozen=True)
class Column:
    """A column: identifier, the header officials use, how a value is read. needed: blank is a fault."""

    name: str
    label: str
    read: Callable[[str], Any]
    needed: bool = True


@dataclass
class Rows:
    """A file's rows as (row number, values), and the faults found so far."""

    file: str
    rows: list[tuple[int, dict[str, Any]]]
    faults: list[str] = field(default_factory=list)
    bad: set[tuple[int, str]] = field(default_factory=set)  # (row, column) of values that could not be read

    def fault(self, row: int, label: str, text: str) -> None:
        """Note a fault of a row."""
        self.faults.append(f"{self.file} 第 {row} 行 {label}：{text}")

    def check(self) -> None:
        """Errors: InputRejected with the faults, the first twenty spelled out; nothing of the file may be kept then."""
        if self.faults:
            more = len(self.faults) - MOST_FAULTS
            tail = [f"另有 {more} 处。"] if more > 0 else []
            shown = self.faults[:MOST_FAULTS]
            raise InputRejected("\n".join(["文件没有导入，请改正后重新导入：", *shown, *tail]), faults=shown)


def read_rows(file: str, content: bytes, columns: Sequence[Column]) -> Rows:
    """Read a csv (UTF-8 or GB18030; headers by identifier or Chinese name, in any order; other columns are ignored).

    Errors: InputRejected for a file that is no such csv; faults of values are noted in the answer.
    """
    if len(content) > MOST_BYTES:
        raise InputRejected(f"{file} 超过 10 MB，请分成几个文件。")
    try:
        table = list(csv.reader(io.StringIO(_text(file, content), newline="")))
    except csv.Error:
        raise InputRejected(f"{file} 不是规范的 csv；请用表格软件重新另存。") from None
    if not table:
        raise InputRejected(f"{file} 是空的；第一行须为列名。")
    places = _places(file, table[0], columns)
    body = [(number, row) for number, row in enumerate(table[1:], 2) if any(value.strip() for value in row)]
    if not 1 <= len(body) <= MOST_ROWS:
        raise InputRejected(f"{file} 须有 1 至 20000 行内容。")
    found = Rows(file, [])
    for number, row in body:
        values = {}
        for column in columns:
            place = places.get(column.name)
            raw = row[place].strip() if place is not None and place < len(row) else ""
            values[column.name] = _value(found, number, column, raw)
        found.rows.append((number, values))
    return found


def _text(file: str, content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise InputRejected(f"{file} 不是文本文件；请另存为 csv（UTF-8 或 GB18030）。")


def _places(file: str, header: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    given = [name.strip() for name in header]
    places = {}
    for column in columns:
        held = [place for place, name in enumerate(given) if name in (column.name, column.label)]
        if held:
            places[column.name] = held[0]
    missing = [column.label for column in columns if column.needed and column.name not in places]
    if missing:
        raise InputRejected(f"{file} 第 1 行缺少列：{'、'.join(missing)}；请补上列名。")
    return places


def _value(found: Rows, number: int, column: Column, raw: str) -> Any:
    if not raw:
        if column.needed:
            found.fault(number, column.label, "没有填写；请补上。")
        return None
    try:
        return column.read(raw)
    except Fault as fault:
        found.bad.add((number, column.name))
        found.fault(number, column.label, str(fault))
        return None


def text(most: int) -> Callable[[str], str]:
    """A reader of text up to a length."""

    def read(raw: str) -> str:
        if len(raw) > most or any(ord(character) < 32 for character in raw):
            raise Fault(f"不得超过 {most} 个字，也不能换行；请缩短。")
        return raw

    return read


def code(raw: str) -> str:
    """A code in its one spelling."""
    value = normalise_code(raw)
    if not 1 <= len(value) <= 64:
        raise Fault("编码须为 1 至 64 个字。")
    return value


def number(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers between two."""

    def read(raw: str) -> int:
        digits = raw.removeprefix("+").removeprefix("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 12) or not least <= int(raw) <= most:
            raise Fault(f"“{raw[:20]}”不是 {least} 至 {most} 的整数；请用半角数字填写。")
        return int(raw)

    return read


def hundredths(raw: str) -> int:
    """A positive number of at most two decimals, in hundredths."""
    whole, _, part = raw.partition(".")
    digits = whole + part
    if not (digits.isascii() and digits.isdecimal() and whole and len(whole) <= 7 and len(part) <= 2):
        raise Fault(f"“{raw[:20]}”不是至多两位小数的正数；请改正。")
    value = int(whole) * 100 + int(part.ljust(2, "0"))
    if value == 0:
        raise Fault("须大于 0。")
    return value


def day(raw: str) -> date:
    """A date YYYY-MM-DD."""
    try:
        value = date.fromisoformat(raw) if len(raw) == 10 else None
    except ValueError:
        value = None
    if value is None or not FIRST_DAY <= value <= LAST_DAY:
        raise Fault(f"“{raw[:20]}”不是日期；请写成 YYYY-MM-DD。")
    return value


def one_of(words: dict[str, str]) -> Callable[[str], str]:
    """A reader of a closed vocabulary: identifier → label; either is taken."""
    by_word = {**{label: name for name, label in words.items()}, **{name: name for name in words}}

    def read(raw: str) -> str:
        if raw not in by_word:
            raise Fault(f"没有“{raw[:20]}”这一种；请填写{'、'.join(words.values())}之一。")
        return by_word[raw]

    return read
