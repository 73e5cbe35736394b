"""What the gate is given and what it answers: plain values, so that no Great Expectations type travels further. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path

from core.retirement import DEFAULT_TABLE, Retirement
from core.types import BookVerdict


class ReasonCode(StrEnum):
    """Why a row is quarantined, or why a book is rejected."""

    # Of a row.
    BLANK_REQUIRED = "BLANK_REQUIRED"
    BAD_WORD = "BAD_WORD"
    BAD_DATE = "BAD_DATE"
    BAD_NUMBER = "BAD_NUMBER"
    BAD_MONTH = "BAD_MONTH"
    ID_PRECISION_LOST = "ID_PRECISION_LOST"
    CODE_PRECISION_LOST = "CODE_PRECISION_LOST"
    SHEET_ERROR = "SHEET_ERROR"
    ID_IN_OTHER_COLUMN = "ID_IN_OTHER_COLUMN"
    NOT_A_CODE = "NOT_A_CODE"
    CONFLICTING_ROWS = "CONFLICTING_ROWS"
    OVERLAPPING_VERSIONS = "OVERLAPPING_VERSIONS"
    UNIT_IN_TWO_DIVISIONS = "UNIT_IN_TWO_DIVISIONS"
    DOC_TWICE = "DOC_TWICE"
    # Of a file or a whole book.
    UNREADABLE = "UNREADABLE"
    COLUMN_MISSING = "COLUMN_MISSING"
    CONTROL_ROWS = "CONTROL_ROWS"
    CONTROL_SHA256 = "CONTROL_SHA256"
    CONTROL_FILE_MISSING = "CONTROL_FILE_MISSING"
    CONTROL_UNREADABLE = "CONTROL_UNREADABLE"
    EMPTY_BOOK = "EMPTY_BOOK"
    ALL_QUARANTINED = "ALL_QUARANTINED"
    NO_ROW_OF_MONTH = "NO_ROW_OF_MONTH"


# What is wrong and what to do about it; the place is put in front.
REMEDIES: dict[ReasonCode, str] = {
    ReasonCode.BLANK_REQUIRED: "必填而空白；请填写后整批重报",
    ReasonCode.BAD_WORD: "不在可用的词之内；请改用报送说明所列的词",
    ReasonCode.BAD_DATE: "读不出日期；请写作 2026-10-31",
    ReasonCode.BAD_NUMBER: "读不出数字；请只写阿拉伯数字",
    ReasonCode.BAD_MONTH: "读不出月份；请写作 2026-10",
    ReasonCode.ID_PRECISION_LOST: "证件号码已被电子表格损坏；请将该列设为文本，从原始资料重新填写",
    ReasonCode.CODE_PRECISION_LOST: "单位编码丢失了开头的零或已被电子表格改写；请将该列设为文本后重新填写",
    ReasonCode.SHEET_ERROR: "单元格里是公式的出错值（如 #N/A），不是内容；请改为实际的值",
    ReasonCode.ID_IN_OTHER_COLUMN: "单元格里有证件号码；证件号码只填在证件号码列，请核对各列是否错位，改正后重报",
    ReasonCode.NOT_A_CODE: "单元格里是文字或姓名，不是编码；请核对各列是否错位，填写编码，没有的留空",
    ReasonCode.CONFLICTING_ROWS: "同一人在同一单元格有几行在册而内容不同；请只保留正确的一行",
    ReasonCode.OVERLAPPING_VERSIONS: "同一单位的几行有效期重叠；请改正成立、撤销日期",
    ReasonCode.UNIT_IN_TWO_DIVISIONS: "同一单位编码出现在两个行政区划；请与对方核对后只由一方报送",
    ReasonCode.DOC_TWICE: "同一文号在同一单元格、同一载体有不同的编制数；请只保留正确的一行",
    ReasonCode.UNREADABLE: "文件无法读取；请重新导出后报送",
    ReasonCode.COLUMN_MISSING: "缺少必需的列；请补上后整批重报",
    ReasonCode.CONTROL_ROWS: "记录数与 control.csv 不符；请核对后整批重报",
    ReasonCode.CONTROL_SHA256: "内容与 control.csv 的 sha256 不符，可能在传送中损坏；请重新传送",
    ReasonCode.CONTROL_FILE_MISSING: "control.csv 列有此文件而未收到；请补报",
    ReasonCode.CONTROL_UNREADABLE: "control.csv 无法读取，各批次无从核对；请改正 control.csv 后整批重报",
    ReasonCode.EMPTY_BOOK: "没有任何记录；请核对后重报",
    ReasonCode.ALL_QUARANTINED: "每一条记录都被隔离，整批不采用；请按所列原因改正",
    ReasonCode.NO_ROW_OF_MONTH: "没有本期月份的可用记录，整批不采用；请报送本期月份",
}


@dataclass(frozen=True)
class DeliveredFile:
    """One file of one book in a division's folder. `control_*`: what the sender's control.csv says of it, if anything."""

    division_code: str
    name: str
    path: Path
    sha256: str
    control_rows: int | None = None
    control_sha256: str | None = None


@dataclass(frozen=True)
class GateSetting:
    """What the gate must know of the night. `unit_codes`: the accepted units; empty when gating `units` itself.

    `ranks`: words the office has said are ranks; free text shows them whatever letters they have.
    `cache_dir`: where what a file came to is kept for another run; None: nowhere.
    `control_missing`: per division, files of this book that its control.csv lists and nobody delivered.
    `control_unreadable`: per division whose control.csv cannot be read, the sentence that says why.
    """

    as_of: date
    person_key: str = field(repr=False)
    retirement: Retirement = field(default_factory=lambda: Retirement.of(DEFAULT_TABLE))
    unit_codes: frozenset[str] = frozenset()
    ranks: frozenset[str] = frozenset()
    docs_dir: Path | None = None
    cache_dir: Path | None = None
    control_missing: Mapping[str, list[str]] = field(default_factory=dict)
    control_unreadable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reason:
    """One sentence for the data owner: place, what is wrong, remedy. Never a name or an identity number."""

    code: ReasonCode
    file: str
    row: int | None
    column: str | None
    message: str
    count: int = 1


@dataclass(frozen=True)
class DivisionVerdict:
    """The verdict on one division's book: rows_in = accepted + duplicates + quarantined, always.

    Every record of a rejected book counts as quarantined: the book is held back as a whole.
    """

    division_code: str
    verdict: BookVerdict
    rows_in: int
    accepted: int
    duplicates: int
    quarantined: int
    reasons: list[Reason]


@dataclass(frozen=True)
class FileOutcome:
    """One delivered file. `rows`: its records (0 when ignored or unreadable).

    `taken_over`: it was not read again; how a result was come by is no part of it.
    """

    division_code: str
    name: str
    rows: int
    ignored_as_duplicate: bool
    remarks: list[str]
    taken_over: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class BookResult:
    """What became of one book of the night, division by division."""

    book: str
    verdicts: list[DivisionVerdict]
    files: list[FileOutcome]


def reason(
    code: ReasonCode,
    file: str,
    *,
    row: int | None = None,
    column: str | None = None,
    label: str | None = None,
    count: int = 1,
    detail: str | None = None,
) -> Reason:
    """A Reason with its sentence. `count` rows fail alike, `row` is the first; `detail` replaces the standard words."""
    place = file
    if row is not None:
        place += f" 第 {row} 行" + (f"等 {count} 行" if count > 1 else "")
    if column is not None:
        place += f"“{label or column}”列"
    return Reason(code, file, row, column, f"{place}：{detail or REMEDIES[code]}" if place else REMEDIES[code], count)
