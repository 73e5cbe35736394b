"""The workbook of a night and level, and the signed manifest of everything a night read and wrote. Pure but for the file
it is told to write: the same data give the same bytes."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from core import types as t
from expectations.books import BOOKS, WORDS
from expectations.verdicts import REMEDIES, ReasonCode
from reconcile.catalog import RULES
from reconcile.clearing import clearing_sentence, known_sentence
from reconcile.digests import SEVERITIES, VERDICTS
from reconcile.findings import FlagItem
from reconcile.lifecycle import STATUS_LABELS

Value = str | int | Decimal | date | None
LEVELS = {"PROVINCE": "省", "CITY": "市", "COUNTY": "县", "TOWNSHIP": "乡", "": "未登记层级"}
CAUSES = {
    "QUARANTINE": "有行被隔离", "BLANK_ID": "对方名册有空白证件号", "TIMING": "当月进出的时间差", "LEAVE": "离岗或长休",
    "PAID_AS_OTHER": "以其他身份发放", "EXITED": "已出编", "OFF_QUOTA": "编外人员", "NOT_YET_ENTERED": "尚未入编",
    "NO_EXIT_DATE": "无出编日期", "UNEXPLAINED": "未能解释", "PERSONS_NOT_DELIVERED": "未报送人员",
    "NO_PERMIT": "无用编通知单", "UNKNOWN_PERMIT": "通知单号不存在", "OTHER_CELL": "通知单不属本单位本类编制",
    "APPROVED_LATER": "批准晚于入编", "OVERUSED": "超数量使用", "EXPIRED": "过期使用",
}  # fmt: skip
REASONS = {  # what Q06, D02 and D07 answer
    "NOT_REGISTERED": "未登记机构", "NO_APPROVAL_DOC": "无批准文号", "OUTSIDE_VALIDITY": "不在有效期内", "BLANK": "空白",
    "LENGTH": "位数不对", "CHARSET": "含有非法字符", "BIRTH_DATE": "出生日期不成立", "CHECK_DIGIT": "校验码不符",
    "EXIT_MISSING": "缺出编日期", "EXIT_FUTURE": "出编日期在将来", "EXITED_BUT_ACTIVE": "已出编仍为在职",
    "EXIT_BEFORE_ENTRY": "出编早于入编",
}  # fmt: skip
# Rules whose expected and found are words of the domain, not figures, codes or names.
SPELLED = frozenset({"Q03", "Q06", "Q07", "F07", "D02", "D07", "P06", "P07"})
PRESENCE = {
    "111": "有编、在册、有薪", "110": "有编、在册、无薪", "101": "有编、不在册、有薪", "100": "有编、不在册、无薪",
    "011": "无编、在册、有薪", "010": "无编、在册、无薪", "001": "无编、不在册、有薪",
}  # fmt: skip
TOTAL = "合计"
TEXT, COUNT, PERCENT, DAY = "text", "count", "percent", "day"
ROWS_PER_SHEET = 1_000_000
TEXT_LIMIT = 32_000
CUT = "…（过长，全文见系统）"


@dataclass(frozen=True)
class CellRow:
    """The three numbers of a cell, or of a unit ('' '' in post_type and fund_form). None = unknown."""

    unit_code: str
    unit_name: str | None
    division_code: str | None
    post_type: str
    fund_form: str
    quota: int | None
    allowed: int | None
    in_post: int | None
    paid: int | None
    part_of: str | None = None


@dataclass(frozen=True)
class VerdictRow:
    """What the gate said of one book of one division."""

    division_code: str
    book: str
    verdict: str
    expected: bool
    rows_in: int
    accepted: int
    duplicates: int
    quarantined: int
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class ControlRow:
    """A delivered file, what the sender said of it, and what came of it."""

    division_code: str
    file: str
    book: str | None
    sha256: str
    control_rows: int | None
    control_sha256: str | None
    remark: str | None


@dataclass(frozen=True)
class NightReport:
    """Everything one workbook says: a night, and one level's part of it."""

    as_of: date
    run_no: int
    level: str
    cells: Sequence[CellRow] = ()
    flags: Sequence[FlagItem] = ()
    verdicts: Sequence[VerdictRow] = ()
    not_evaluable: Sequence[tuple[str, str, str, str]] = ()  # rule, division, unit or *, book
    controls: Sequence[ControlRow] = ()
    presence: Sequence[tuple[str, str | None, str, int]] = ()  # unit, name, bits, people
    held: Iterable[tuple[str, str, str, int, str, str]] = ()  # division, book, file, row, column, reason
    notes: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True)
class Column:
    """A column of a sheet: its header, its kind, its width in characters."""

    header: str
    kind: str = TEXT
    width: int = 14


def control_rate(in_post: int | None, quota: int | None) -> Decimal | None:
    """在职人员控制率 = in post ÷ quota, to a hundredth of a percent; None when unknown or there is no quota."""
    if in_post is None or not quota:
        return None
    return (Decimal(in_post) / Decimal(quota)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def vacancy(quota: int | None, in_post: int | None) -> int | None:
    """空编 = quota − in post; negative when over quota; None when either is unknown."""
    return None if quota is None or in_post is None else quota - in_post


def build_workbook(path: Path, data: NightReport, rows_per_sheet: int = ROWS_PER_SHEET) -> None:
    """Write one xlsx: codes and ids as text, a text that begins with `=` stays text, A4 landscape.

    `rows_per_sheet`: more go on in a further sheet (Excel holds 1,048,576).
    """
    options = {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False,
        "tmpdir": str(path.parent),
    }  # fmt: skip
    book = xlsxwriter.Workbook(str(path), options)
    title = f"编制核对 {data.as_of} {LEVELS[data.level]}"
    # A fixed moment: xlsxwriter would write the clock's, and the same night would give other bytes.
    book.set_properties({"title": title, "author": "Bianzhi", "created": datetime.combine(data.as_of, time())})
    formats = _formats(book)
    for name, columns, rows in _sheets(data):
        _fill(book, formats, title, name, columns, rows, rows_per_sheet)
    book.close()


def _formats(book: xlsxwriter.Workbook) -> dict[str, Format]:
    return {
        "header": book.add_format(
            {"bold": True, "text_wrap": True, "border": 1, "bg_color": "#DDE6F0", "valign": "top"}
        ),
        TEXT: book.add_format({"num_format": "@", "valign": "top"}),
        COUNT: book.add_format({"num_format": "#,##0", "valign": "top"}),
        PERCENT: book.add_format({"num_format": "0.00%", "valign": "top"}),
        DAY: book.add_format({"num_format": "yyyy-mm-dd", "valign": "top"}),
    }


def _sheets(data: NightReport) -> Iterable[tuple[str, Sequence[Column], Iterable[Sequence[Value]]]]:
    units = [cell for cell in data.cells if not cell.post_type and not cell.fund_form]
    parts = [cell for cell in data.cells if cell.post_type or cell.fund_form]
    yield "三数（单元格）", CELL_COLUMNS, (_cell(cell) for cell in parts)
    yield "三数（单位）", UNIT_COLUMNS, (_unit(cell) for cell in units)
    yield "不符项", FLAG_COLUMNS, (_flag(flag) for flag in data.flags)
    yield "报送批次", VERDICT_COLUMNS, (_verdict(verdict) for verdict in data.verdicts)
    yield "无法判定", BLIND_COLUMNS, (_blind(*row) for row in data.not_evaluable)
    yield "隔离行", HELD_COLUMNS, (_held(*row) for row in data.held)
    yield "控制总数", CONTROL_COLUMNS, (_control(row) for row in data.controls)
    yield "存在分类", PRESENCE_COLUMNS, (_presence(*row) for row in data.presence)


def _fill(
    book: xlsxwriter.Workbook, formats: Mapping[str, Format], title: str, name: str, columns: Sequence[Column],
    rows: Iterable[Sequence[Value]], most: int,
) -> None:  # fmt: skip
    """One sheet, or as many as the rows need."""
    waiting = iter(rows)
    part = 1
    while True:
        sheet = book.add_worksheet(name if part == 1 else f"{name}{part}")
        _set_up(sheet, title, name, columns)
        for number, column in enumerate(columns):
            sheet.set_column(number, number, column.width)
            sheet.write_string(0, number, column.header, formats["header"])
        last = 0
        for last, row in enumerate(islice(waiting, most), start=1):
            for number, (column, value) in enumerate(zip(columns, row, strict=True)):
                _write(sheet, last, number, column, value, formats)
        sheet.autofilter(0, 0, max(last, 1), len(columns) - 1)
        if last < most:
            return
        part += 1


def _set_up(sheet: Worksheet, title: str, name: str, columns: Sequence[Column]) -> None:
    sheet.freeze_panes(1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_header(f"&L{title}&R{name}")
    sheet.set_footer("&C第 &P 页，共 &N 页")


def _write(sheet: Worksheet, row: int, place: int, column: Column, value: Value, formats: Mapping[str, Format]) -> None:
    if value is None:
        return
    if isinstance(value, date):
        sheet.write_datetime(row, place, datetime.combine(value, time()), formats[DAY])
    elif isinstance(value, Decimal):
        sheet.write_number(row, place, float(value), formats[PERCENT])
    elif isinstance(value, int):
        sheet.write_number(row, place, value, formats[COUNT])
    else:
        text = value if len(value) <= TEXT_LIMIT else value[:TEXT_LIMIT] + CUT
        sheet.write_string(row, place, text, formats[TEXT])


def _label(words: type[t.StrEnum]) -> Callable[[str | None], str | None]:
    labels = {identifier: spellings[0] for identifier, spellings in WORDS[words].items()}
    return lambda identifier: labels.get(identifier, identifier) if identifier else identifier


POST, FORM = _label(t.PostType), _label(t.FundForm)
_WORDS_SHOWN = REASONS | {
    identifier: spellings[0]
    for words in (t.PostType, t.FundForm, t.CopyKind, t.Level, t.EntryForm)
    for identifier, spellings in WORDS[words].items()
}


def spelled(rule: str, value: str | int | None) -> str | int | None:
    """What a rule expected or found as officials say it: `CERTIFICATE=5;DATABASE=4` is 证=5;库=4."""
    if rule not in SPELLED or not isinstance(value, str):
        return value
    return re.sub(r"[A-Z][A-Z_]+", lambda found: _WORDS_SHOWN.get(found[0], found[0]), value)


THREE = (
    Column("编制数", COUNT, 10), Column("编制数（含周转）", COUNT, 16), Column("实有人数", COUNT, 10),
    Column("财政供养数", COUNT, 10), Column("空编", COUNT, 8),
)  # fmt: skip
PLACE = (Column("单位编码", width=16), Column("单位名称", width=30), Column("行政区划", width=12))
CELL_COLUMNS = (
    *PLACE,
    Column("编制类型", width=12),
    Column("经费形式", width=12),
    *THREE,
    Column("合计单位", width=16),
)
UNIT_COLUMNS = (
    *PLACE, *THREE, Column("满编率（实有÷编制）", PERCENT, 12), Column("在职人员控制率（实有÷编制）", PERCENT, 14),
    Column("合计单位", width=16),
)  # fmt: skip
FLAG_COLUMNS = (
    Column("级别", width=12), Column("规则", width=18), Column("状态", width=10), *PLACE, Column("编制类型", width=12),
    Column("经费形式", width=12), Column("人员（掩码）", width=22), Column("应为", width=14), Column("实为", width=14),
    Column("原因", width=18), Column("别的名册所知", width=40), Column("何以销号", width=30), Column("解释", width=20), Column("首次发现", DAY, 12), Column("最近发现", DAY, 12),
    Column("依据条文", width=30), Column("粒度", width=30), Column("证据", width=40), Column("编号", width=26),
)  # fmt: skip
VERDICT_COLUMNS = (
    Column("行政区划", width=12), Column("批次", width=14), Column("结论", width=18), Column("是否应报", width=10),
    Column("报送行数", COUNT, 10), Column("接收", COUNT, 10), Column("重复", COUNT, 10), Column("隔离", COUNT, 10),
    Column("说明", width=60),
)  # fmt: skip
BLIND_COLUMNS = (
    Column("规则", width=18),
    Column("行政区划", width=12),
    Column("单位编码", width=16),
    Column("缺少的批次", width=16),
)
HELD_COLUMNS = (
    Column("行政区划", width=12), Column("批次", width=14), Column("文件", width=30), Column("行", COUNT, 8),
    Column("列", width=16), Column("原因", width=60),
)  # fmt: skip
CONTROL_COLUMNS = (
    Column("行政区划", width=12), Column("文件", width=30), Column("批次", width=14), Column("报送方行数", COUNT, 12),
    Column("报送方校验值", width=24), Column("实收校验值", width=24), Column("校验", width=10), Column("备注", width=50),
)  # fmt: skip
PRESENCE_COLUMNS = (
    Column("单位编码", width=16), Column("单位名称", width=30), Column("编制", width=8), Column("在册", width=8),
    Column("发薪", width=8), Column("分类", width=22), Column("人数", COUNT, 10),
)  # fmt: skip


def _cell(cell: CellRow) -> Sequence[Value]:
    return (
        cell.unit_code, cell.unit_name, cell.division_code, POST(cell.post_type) or TOTAL, FORM(cell.fund_form) or TOTAL,
        cell.quota, cell.allowed, cell.in_post, cell.paid, vacancy(cell.quota, cell.in_post), cell.part_of,
    )  # fmt: skip


def _unit(cell: CellRow) -> Sequence[Value]:
    rate = control_rate(cell.in_post, cell.quota)
    return (
        cell.unit_code, cell.unit_name, cell.division_code, cell.quota, cell.allowed, cell.in_post, cell.paid,
        vacancy(cell.quota, cell.in_post), rate, rate, cell.part_of,
    )  # fmt: skip


def _flag(flag: FlagItem) -> Sequence[Value]:
    rule = RULES.get(flag.rule)
    status = STATUS_LABELS.get(flag.status, "未跟踪")
    return (
        f"{flag.severity} {SEVERITIES[flag.severity]}", f"{flag.rule} {rule.name if rule else ''}".strip(), status,
        flag.unit_code, flag.unit_name, flag.division_code, POST(flag.post_type), FORM(flag.fund_form), flag.person,
        spelled(flag.rule, flag.expected), spelled(flag.rule, flag.found), CAUSES.get(flag.cause or "", flag.cause),
        known_sentence(flag.evidence), clearing_sentence(flag.evidence), flag.explained_by, flag.first_seen,
        flag.last_seen, rule.basis if rule else None, json.dumps(flag.grain, ensure_ascii=False), flag.evidence, flag.key,
    )  # fmt: skip


def _verdict(row: VerdictRow) -> Sequence[Value]:
    return (
        row.division_code, BOOKS[row.book].label, VERDICTS[t.BookVerdict(row.verdict)], "是" if row.expected else "否",
        row.rows_in, row.accepted, row.duplicates, row.quarantined, "\n".join(row.reasons) or None,
    )  # fmt: skip


def _blind(rule: str, division: str, unit: str, book: str) -> Sequence[Value]:
    name = f"{rule} {RULES[rule].name}" if rule in RULES else rule
    return (name, division, "全部" if unit == "*" else unit, BOOKS[book].label if book in BOOKS else book)


def _held(division: str, book: str, file: str, row: int, column: str, reason: str) -> Sequence[Value]:
    definition = BOOKS[book]
    return (division, definition.label, file, row, definition.column(column).label, REMEDIES[ReasonCode(reason)])


def _control(row: ControlRow) -> Sequence[Value]:
    same = None
    if row.control_sha256:
        same = "一致" if row.control_sha256.lower() == row.sha256.lower() else "不一致"
    label = BOOKS[row.book].label if row.book in BOOKS else row.book
    return (row.division_code, row.file, label, row.control_rows, row.control_sha256, row.sha256, same, row.remark)


def _presence(unit: str, name: str | None, bits: str, people: int) -> Sequence[Value]:
    return (unit, name, *("有" if bit == "1" else "无" for bit in bits), PRESENCE.get(bits, bits), people)


def sign_manifest(content: Mapping[str, Any], secret_key: str) -> str:
    """The content as JSON with its HMAC-SHA-256 under `signature`; the same content gives the same text."""
    return _spelled({**content, "signature": _signature(content, secret_key)}) + "\n"


def manifest_holds(text: str, secret_key: str) -> bool:
    """Whether a manifest is the very one that was signed with this key."""
    try:
        content = dict(json.loads(text))
    except (TypeError, ValueError):
        return False
    signature = str(content.pop("signature", ""))
    return hmac.compare_digest(signature, _signature(content, secret_key))


def _signature(content: Mapping[str, Any], secret_key: str) -> str:
    return hmac.new(secret_key.encode(), _spelled(content).encode(), sha256).hexdigest()


def _spelled(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1)
