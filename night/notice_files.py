"""Notices as files: written for a receiver, whole or not at all, 0600; and the receiver's acknowledgements read back."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
import xlsxwriter
from sqlalchemy.orm import Session

from core.db import engine_for, writing
from core.errors import InputRejected, Unavailable
from core.identity import strip_spaces
from core.permissions import Scope
from core.settings import Settings
from expectations.workbooks import read_workbook
from night.lists import RUNS
from pool.acting import Act, lock_paths
from pool.approvals import NIGHT
from pool.service_people import roots
from staffing.deliveries import FILE, Answer, Delivered, acknowledge_all, hand_over, next_batch
from staffing.notices import KIND_LABELS, RECEIVER_LABELS, RECEIVERS, STATUS_LABELS

# Column of a file: the name for people, and what it says.
COLUMNS: tuple[tuple[str, Callable[[Delivered], object]], ...] = (
    ("通知单编号", lambda row: row.notice_id),
    ("收件方", lambda row: RECEIVER_LABELS[row.receiver]),
    ("通知单", lambda row: KIND_LABELS[row.kind]),
    ("状态", lambda row: STATUS_LABELS[row.status]),
    ("用编序号", lambda row: row.slot_no),
    ("单位编码", lambda row: row.unit_code),
    ("单位名称", lambda row: row.unit_name),
    ("行政区划代码", lambda row: row.division_code),
    ("编制类型", lambda row: row.post_type),
    ("经费形式", lambda row: row.fund_form),
    ("证件号", lambda row: row.person),
    ("生效日期", lambda row: row.effective.isoformat()),
    ("起薪或停薪月份", lambda row: row.month),
    ("发送日期", lambda row: row.sent_on.isoformat()),
    ("第几次发送", lambda row: row.attempt),
)
HEADERS = {"notice_id": ("通知单编号", "notice_id"), "receiver": ("收件方", "receiver")}
_RECEIVERS = {label: code for code, label in RECEIVER_LABELS.items()} | {code: code for code in RECEIVERS}
MOST_BYTES = 20 << 20
LARGEST = 2**31 - 1


def notices_dir(settings: Settings) -> Path:
    """Where files for the receivers lie when no other folder is named."""
    return settings.notices or settings.home / "notices"


def export_notices(
    session: Session, act: Act, receiver: str, settings: Settings, form: str, to: Path | None
) -> Path | None:
    """Write what is due for a receiver as csv or xlsx, and record the attempts; None when nothing is due.

    The file stands before the attempts are committed, and goes by a name that is free until then: killed in between, the
    next export writes the same name again. Errors: as `hand_over`.
    """
    # Two at once would go by one name.
    lock_paths(session, roots(session))
    batch = next_batch(session, receiver, act.today)
    rows = hand_over(session, act, receiver, FILE, batch, settings.person_key)
    if not rows:
        return None
    return _put(rows, (to or notices_dir(settings)) / receiver.lower(), batch, form)


def hand_out(settings: Settings, as_of: date, now: datetime) -> dict[str, int]:
    """The night's own hand-over: a file per receiver of what is due, where BIANZHI_NOTICES names a folder. → notices by
    receiver, those that got any. A transaction each, so that one receiver's folder keeps no other waiting.

    Errors: Unavailable when a folder cannot be written; asked again, the night tries again.
    """
    if settings.notices is None:
        return {}
    act = Act(Scope(0, NIGHT, frozenset(), (), frozenset()), now, f"night-notices-{as_of}", portal=settings.portal_url)
    handed: dict[str, int] = {}
    for receiver in RECEIVERS:
        with writing(engine_for(settings.database_url)) as session:
            lock_paths(session, roots(session))
            batch = next_batch(session, receiver, act.today)
            rows = hand_over(session, act, receiver, FILE, batch, settings.person_key, everybody=True)
            if rows:
                _put(rows, settings.notices / receiver.lower(), batch, settings.notices_form)
                handed[receiver] = len(rows)
    return handed


def _put(rows: Sequence[Delivered], folder: Path, batch: str, form: str) -> Path:
    """Write what was handed over as one file. Errors: Unavailable."""
    content = {"csv": _csv, "xlsx": _xlsx}[form]([[read(row) for _, read in COLUMNS] for row in rows])
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _whole(folder / f"{batch}.{form}", content)
    except OSError as error:
        raise Unavailable(f"notices cannot be written into {folder}: {error.strerror}") from None


def _whole(path: Path, content: bytes) -> Path:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def _csv(rows: Sequence[Sequence[object]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([name for name, _ in COLUMNS])
    for row in rows:
        writer.writerow([f"'{v}" if isinstance(v, str) and v.lstrip().startswith(RUNS) else v for v in row])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _xlsx(rows: Sequence[Sequence[object]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("通知单")
    sheet.write_row(0, 0, [name for name, _ in COLUMNS], book.add_format({"bold": True}))
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            # A number of eighteen digits is a text, or the spreadsheet rounds it.
            write = sheet.write_number if isinstance(value, int) else sheet.write_string
            write(number, column, value)
    sheet.set_column(0, len(COLUMNS) - 1, 16)
    sheet.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()


def import_acknowledgements(session: Session, act: Act, path: Path) -> dict[str, int]:
    """Take a receiver's file of acknowledgements (csv or xlsx: 通知单编号, 收件方), whole or not at all.

    Errors: InputRejected names file, row, column and what to do.
    """
    answers = read_acknowledgements(path)
    if not answers:
        raise InputRejected(f"{path.name} 没有一行回执，请核对后重报。", file=path.name)
    return acknowledge_all(session, act, answers)


def read_acknowledgements(path: Path) -> list[Answer]:
    """The lines of a file. Errors: InputRejected with file, row and column."""
    if path.suffix.lower() not in (".csv", ".xlsx"):
        raise InputRejected(f"{path.name}：回执须为 csv 或 xlsx。", file=path.name)
    if not path.is_file() or path.stat().st_size > MOST_BYTES:
        raise InputRejected(f"{path.name}：没有这个文件，或者超过 {MOST_BYTES >> 20} MB。", file=path.name)
    rows = _text_rows(path) if path.suffix.lower() == ".csv" else _sheet_rows(path)
    head = [strip_spaces(cell) for cell in rows[0]] if rows else []
    places = {name: next((head.index(h) for h in words if h in head), None) for name, words in HEADERS.items()}
    for name, place in places.items():
        if place is None:
            raise InputRejected(
                f"{path.name} 第 1 行没有“{HEADERS[name][0]}”这一列，请保留所收文件的表头。", file=path.name, row=1,
                column=name,
            )  # fmt: skip
    return [
        _answer(path, number, {name: _cell(row, place) for name, place in places.items()})
        for number, row in enumerate(rows[1:], start=2)
        if any(strip_spaces(cell) for cell in row)
    ]


def _cell(row: Sequence[str], place: int) -> str:
    return strip_spaces(row[place]) if place < len(row) else ""


def _answer(path: Path, number: int, said: dict[str, str]) -> Answer:
    place = f"{path.name} 第 {number} 行："
    where = {"file": path.name, "row": number}
    if not (said["notice_id"].isascii() and said["notice_id"].isdecimal() and 0 < int(said["notice_id"]) <= LARGEST):
        raise InputRejected(
            f"{place}通知单编号须为所收文件中的编号（整数），请从该文件抄录。", column="notice_id", **where
        )  # fmt: skip
    if said["receiver"] not in _RECEIVERS:
        words = "、".join(RECEIVER_LABELS.values())
        raise InputRejected(f"{place}收件方须为{words}之一。", column="receiver", **where)
    return Answer(int(said["notice_id"]), _RECEIVERS[said["receiver"]], place, tuple(where.items()))


def _text_rows(path: Path) -> list[list[str]]:
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            try:
                return list(csv.reader(io.StringIO(text, newline=""), strict=True))
            except csv.Error:
                break
    raise InputRejected(f"{path.name} 不是 UTF-8 或 GB18030 的 csv，请另存后重报。", file=path.name)


def _sheet_rows(path: Path) -> list[list[str]]:
    grids = read_workbook(path, path.name)
    return grids[0].rows(np.arange(grids[0].height))
