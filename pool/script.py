"""A file of acts, each of a named person: read and checked whole before the first is booked (`bianzhi pool apply`).

csv or json, one act a row: `act`, `as` (login), `arguments`, and where wanted `name`, `for` (whom one acts for), `on`.
`arguments` is a JSON object or `key=value; key=value`. `@name.field` is what an earlier row of that name answered.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from core.errors import BianzhiError, InputRejected
from pool.acting import Receipt
from pool.acts import DEEDS, Deed, Values, read_day

NEEDED, ALLOWED = ("act", "as", "arguments"), ("act", "as", "arguments", "name", "for", "on")
REFERENCE = re.compile(r"@([^.\s]+)\.([a-z_]+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Row:
    """One act to be done. number: as an editor counts (csv: the line it ends on; json: from 1). given: arguments as
    text; `@name.field` among them. on: the day it happens (development alone)."""

    file: str
    number: int
    deed: Deed
    login: str
    given: Mapping[str, object]
    name: str | None = None
    acting_for: str | None = None
    on: date | None = None
    table: str = ""

    @property
    def client_id(self) -> str:
        """The same file and row give the same key, so that a second run replays what is booked; of each table of acts
        its own, for two files may go by one name."""
        key = f"{self.table}{self.file}:{self.number}"
        plain = key.isascii() and key.isprintable() and len(key) <= 100
        hashed = hashlib.sha256((self.table + self.file).encode()).hexdigest()[:32]
        return key if plain else f"{hashed}:{self.number}"

    def wrong(self, message: str, column: str | None = None) -> InputRejected:
        """The error that names file, row and column."""
        place = f"{self.file} 第 {self.number} 行" + (f" {column} 列" if column else "")
        return InputRejected(f"{place}：{message}", file=self.file, row=self.number, column=column)

    def named(self, error: BianzhiError) -> BianzhiError:
        """The same error, saying at which row the file stopped."""
        details = {**error.details, "file": self.file, "row": self.number}
        return type(error)(
            f"{self.file} 第 {self.number} 行（{self.deed.name}，{self.login}）：{error.message}", **details
        )


@dataclass
class Answers:
    """What the named rows answered so far."""

    receipts: dict[str, Receipt] = field(default_factory=dict)

    def values(self, row: Row) -> Values:
        """A row's values, references resolved. Errors: InputRejected with file, row and column."""
        try:
            return row.deed.read({name: self._resolved(value) for name, value in row.given.items()})
        except InputRejected as error:
            raise row.wrong(error.message, "arguments") from None

    def _resolved(self, value: object) -> object:
        if isinstance(value, list):
            return [self._resolved(part) for part in value]
        found = REFERENCE.fullmatch(str(value))
        if not found:
            return value
        name, answer, place = found.groups()
        receipt = self.receipts[name][answer]
        if place is None:
            return receipt
        if not isinstance(receipt, list) or int(place) >= len(receipt):
            raise InputRejected(f"@{name}.{answer} 没有第 {place} 个。")
        return receipt[int(place)]


def read_script(path: Path, deeds: Mapping[str, Deed] = DEEDS, table: str = "") -> list[Row]:
    """All rows, checked: acts, arguments, references, dates in order. Errors: InputRejected names file, row, column.

    deeds: the acts a row may name. table: what they are called, where they are not the pool's.
    """
    rows: list[Row] = []
    for number, raw in _raw_rows(path):
        row = replace(_row(path.name, number, raw, deeds), table=table)
        _check(row, {earlier.name: earlier.deed for earlier in rows if earlier.name})
        if row.on and rows and rows[-1].on and row.on < rows[-1].on:
            raise row.wrong(f"日期早于前一行的 {rows[-1].on}；请按先后排列。", "on")
        rows.append(row)
    if not rows:
        raise InputRejected(f"{path.name} 中没有任何一行；须有列 {'、'.join(NEEDED)}。", file=path.name)
    return rows


def read_tokens(path: Path) -> dict[str, str]:
    """login → API token, from a JSON object. Errors: InputRejected, which shows no token."""
    try:
        tokens = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError:
        tokens = None
    if not isinstance(tokens, dict) or not all(isinstance(token, str) and token for token in tokens.values()):
        raise InputRejected(f"{path.name} 须为 JSON 对象：登录名 → 令牌。", file=path.name)
    return tokens


def _raw_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputRejected(f"{path.name} 不是 UTF-8 编码；请另存为 UTF-8。", file=path.name) from None
    if path.suffix.lower() == ".json":
        yield from enumerate(_json_rows(path.name, text), 1)
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="")
    if reader.fieldnames is None or not set(NEEDED) <= set(reader.fieldnames):
        raise InputRejected(f"{path.name} 第 1 行须有列 {'、'.join(NEEDED)}。", file=path.name, row=1)
    for raw in reader:
        if any(value for value in raw.values()):
            yield reader.line_num, raw


def _json_rows(file: str, text: str) -> list[Mapping[str, object]]:
    try:
        rows = json.loads(text)
    except ValueError as error:
        raise InputRejected(f"{file} 不是 JSON（{error}）。", file=file) from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputRejected(f"{file} 须为对象的列表，每个对象有 {'、'.join(NEEDED)}。", file=file)
    return rows


def _row(file: str, number: int, raw: Mapping[str, object], deeds: Mapping[str, Deed]) -> Row:
    text = {name: str(raw.get(name) or "").strip() for name in ALLOWED if name != "arguments"}
    bare = Row(file, number, Deed(text["act"], "", (), None, ()), text["as"], {})
    unknown = sorted(str(name) for name, value in raw.items() if name not in ALLOWED and value)
    if unknown:
        raise bare.wrong(f"没有这一列；可用的列：{'、'.join(ALLOWED)}。", unknown[0] or "末尾多出的")
    if text["act"] not in deeds:
        raise bare.wrong(f"没有“{text['act']}”这种办理；有 {'、'.join(deeds)}。", "act")
    if not text["as"]:
        raise bare.wrong("须写明由谁办理（登录名）。", "as")
    try:
        on = read_day(text["on"]) if text["on"] else None
    except InputRejected as error:
        raise bare.wrong(error.message, "on") from None
    given = _given(bare, raw.get("arguments"))
    return Row(file, number, deeds[text["act"]], text["as"], given, text["name"] or None, text["for"] or None, on)


def _given(row: Row, cell: object) -> Mapping[str, object]:
    if cell is None or isinstance(cell, dict):
        return cell or {}
    text = str(cell).strip()
    if text.startswith("{"):
        try:
            return dict(json.loads(text))
        except ValueError:
            raise row.wrong("不是 JSON 对象；也可写作 key=value; key=value。", "arguments") from None
    given: dict[str, object] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, value = part.partition("=")
        if not equals or name.strip() in given:
            raise row.wrong(f"“{part}”须写作 key=value，每个一次。", "arguments")
        given[name.strip()] = value.strip()
    return given


def _check(row: Row, earlier: Mapping[str, Deed]) -> None:
    """Everything that can be known before anything is booked."""
    if row.name in earlier:
        raise row.wrong(f"名称 {row.name} 已用过。", "name")
    referred: set[str] = set()
    for name, value in row.given.items():
        for part in value if isinstance(value, list) else [value]:
            match = REFERENCE.fullmatch(str(part))
            if match is None and str(part).startswith("@"):
                raise row.wrong(f"“{part}”须写作 @name.field 或 @name.field.0。", "arguments")
            if match is not None:
                _check_reference(row, match.group(1), match.group(2), earlier)
                referred.add(name)
    try:
        row.deed.read(row.given, later=frozenset(referred))
    except InputRejected as error:
        raise row.wrong(error.message, "arguments") from None


def _check_reference(row: Row, name: str, answer: str, earlier: Mapping[str, Deed]) -> None:
    if name not in earlier:
        raise row.wrong(f"前面没有名为 {name} 的行。", "arguments")
    if answer not in earlier[name].answers:
        raise row.wrong(f"{name} 的答复没有 {answer}；有 {'、'.join(earlier[name].answers)}。", "arguments")
