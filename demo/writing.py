"""Rows → files: csv in several encodings, spreadsheets with titles and merged headers, Parquet."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

from demo.spelling import month_only, odd, plain
from demo.stage import Row
from demo.styles import Style, delivered_columns, header
from expectations.books import BOOKS, Column, Kind

ODD_EVERY = 9
SUBTOTAL_EVERY = 40
ROW_KEY = {Kind.ID: "person_key"}
NUMBERS = (Kind.COUNT, Kind.MONEY)


@dataclass(frozen=True)
class Task:
    """One file to write: records of one book, the style, and what its title states."""

    book: str
    folder: str
    place: str  # the folder's name as people say it
    as_of: date
    style: Style
    cutoff: date | None
    quiet_before: date  # days before it are asked about by no rule: there a month alone changes nothing
    total_shift: int = 0


@dataclass
class Written:
    """What the file states of itself, as the gate reads it."""

    totals: list[Row]
    cutoffs: list[Row]


def write_file(path: Path, task: Task, rows: Sequence[Row], seed: int) -> Written:
    """Write one file; the same rows, style and seed give the same bytes in csv."""
    columns = delivered_columns(task.book)
    if task.style.shuffled:
        Random(f"{seed}|{task.folder}|{task.book}|columns").shuffle(columns)
    records = texts(task, columns, rows)
    if task.style.format == "parquet":
        _write_parquet(path, task, columns, records)
        return Written([], [])
    if task.style.format == "xlsx":
        from demo.workbook import write_workbook

        write_workbook(path, task, columns, rows, records)
        return Written([], _cutoffs(task, path))
    table, totals = with_totals(task, columns, rows, records, path)
    top = [[_header_text(task, column) for column in columns]]
    if task.style.strange_column:
        top[0].append("备注")
        table = ([*row, "" if n % 5 else "见附件"] for n, row in enumerate(table))
    if task.style.title:
        top = [[title_of(task), *[""] * (len(columns) - 1)], *top]
    _write_csv(path, [*top], table, task.style.encoding)
    return Written(totals, _cutoffs(task, path) if task.style.title else [])


def _header_text(task: Task, column: Column) -> str:
    return header(task.book, column, task.style)


def title_of(task: Task) -> str:
    name = f"{task.place}{BOOKS[task.book].label}"
    return f"{name}（截止日期：{task.cutoff.year}年{task.cutoff.month}月{task.cutoff.day}日）" if task.cutoff else name


def _cutoffs(task: Task, path: Path) -> list[Row]:
    if task.cutoff is None:
        return []
    return [{"book": task.book, "division_code": task.folder, "file": path.name, "cutoff": task.cutoff}]


def texts(task: Task, columns: Sequence[Column], rows: Iterable[Row]) -> Iterable[list[str]]:
    """Every record as texts in column order; one in ODD_EVERY in odd spellings."""
    keys = [(column, ROW_KEY.get(column.kind, column.name)) for column in columns]
    codes = task.style.codes
    memo: dict[tuple[str, object], str] = {}
    for n, row in enumerate(rows):
        raw = row.get("_raw")
        if n % ODD_EVERY == 4 and raw is None and "_even" not in row:
            yield [_odd_text(task, column, row, key, n // ODD_EVERY) for column, key in keys]
            continue
        record = []
        for column, key in keys:
            value = row.get(key)
            if raw is not None and column.name in raw:
                record.append(raw[column.name])
            elif value is None:
                record.append("")
            elif column.kind in (Kind.ID, Kind.NAME, Kind.CODE, Kind.TEXT):
                record.append(value)
            else:
                place = (column.name, value)
                if place not in memo:
                    memo[place] = plain(column, value, codes)
                record.append(memo[place])
        yield record


def _odd_text(task: Task, column: Column, row: Row, key: str, turn: int) -> str:
    value = row.get(key)
    vague = column.name == "entry_date" and turn % 4 == 0 and not row.get("exit_date")
    if vague and isinstance(value, date) and value.day == 1 and value < task.quiet_before:
        return month_only(value)
    resident = row.get("id_type", "RESIDENT") == "RESIDENT" and not row.get("id_problem")
    return odd(column, value, turn, resident)


def with_totals(
    task: Task, columns: Sequence[Column], rows: Sequence[Row], records: Iterable[list[str]], path: Path
) -> tuple[Iterable[list[str]], list[Row]]:
    """The records with 小计 rows among them and a 合计 row in the end, and what these state."""
    names = [c.name for c in columns if c.name in BOOKS[task.book].total_columns]
    if not task.style.totals or not names or not rows:
        return records, []
    place = [column.name for column in columns].index(names[0])
    column = columns[place]
    first_text = next(n for n, c in enumerate(columns) if c.kind in (Kind.CODE, Kind.TEXT, Kind.NAME, Kind.MONTH))
    table: list[list[str]] = []
    totals: list[Row] = []
    since = whole = 0

    def add_total(kind: str, number: int, shift: int = 0) -> None:
        line = [""] * len(columns)
        line[first_text], line[place] = kind, plain(column, number + shift)
        table.append(line)
        stated = {"kind": kind, "column": column.name, "stated": _canonical(column, number + shift)}
        where = {"book": task.book, "division_code": task.folder, "file": path.name, "row": len(table) + 1}
        totals.append(where | stated | {"computed": _canonical(column, number)})

    for n, (row, record) in enumerate(zip(rows, records, strict=True), start=1):
        table.append(record)
        since += row[column.name] or 0
        whole += row[column.name] or 0
        if n % SUBTOTAL_EVERY == 0:
            add_total("小计", since)
            since = 0
    add_total("合计", whole, task.total_shift)
    return table, totals


def _canonical(column: Column, number: int) -> str:
    """A total in the spelling the gate gives it: whole numbers, or yuan without needless zeros."""
    if column.kind is not Kind.MONEY:
        return str(number)
    whole, cents = divmod(number, 100)
    return f"{whole}.{cents:02d}".rstrip("0") if cents else str(whole)


def _write_csv(path: Path, top: list[list[str]], table: Iterable[list[str]], encoding: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n" if encoding == "gb18030" else "\n")
        writer.writerows(top)
        writer.writerows(table)


def _write_parquet(path: Path, task: Task, columns: Sequence[Column], records: Iterable[list[str]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = list(zip(*records, strict=True)) or [()] * len(columns)
    arrays = [pa.array(list(texts), pa.string()) for texts in cells]
    pq.write_table(pa.table(arrays, names=[_header_text(task, column) for column in columns]), path)


def write_control(path: Path, files: Sequence[tuple[str, int, str]]) -> None:
    """control.csv: file, records, sha256."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("file", "rows", "sha256"))
    writer.writerows(files)
    path.write_text(buffer.getvalue(), encoding="utf-8")


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stamp(day: date) -> datetime:
    """The creation time written into a spreadsheet: fixed by the night, never by the clock."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
