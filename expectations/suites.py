"""Great Expectations suites, made from the column definitions of books.py, and the checks a column list cannot say.

Imported inside functions only: Great Expectations takes seconds to load.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# First, because it quietens Great Expectations before that is imported.
from expectations import checks  # isort: skip
from great_expectations import expectations as gxe
from great_expectations.expectations.expectation import Expectation

from expectations.books import BOOKS, WORDS, Book, Column, Kind
from expectations.normalise import DAMAGE, KNOWN, NAMES_ELSEWHERE, NUMBERS_ELSEWHERE, UNIT_CODES, ZEROS
from expectations.verdicts import ReasonCode

# How a value of each kind reads once it has been understood; anything else is unreadable.
FORMS: dict[Kind, tuple[str, ReasonCode]] = {
    Kind.DATE: (r"[12]\d{3}-[01]\d-[0-3]\d", ReasonCode.BAD_DATE),
    Kind.MONTH: (r"[12]\d{3}-[01]\d", ReasonCode.BAD_MONTH),
    Kind.COUNT: (r"\d+", ReasonCode.BAD_NUMBER),
    Kind.MONEY: (r"-?\d+", ReasonCode.BAD_NUMBER),
    Kind.CODE: (KNOWN, ReasonCode.SHEET_ERROR),
    Kind.NAME: (KNOWN, ReasonCode.SHEET_ERROR),
}
# What is expected, as the Data Docs say it.
EXPECTED: dict[ReasonCode, str] = {
    ReasonCode.BLANK_REQUIRED: "每行都有值",
    ReasonCode.BAD_WORD: "都是报送说明所列的词",
    ReasonCode.BAD_DATE: "都读得出日期",
    ReasonCode.BAD_NUMBER: "都读得出数字",
    ReasonCode.BAD_MONTH: "都读得出月份",
    ReasonCode.ID_PRECISION_LOST: "证件号码没有被电子表格损坏",
    ReasonCode.CODE_PRECISION_LOST: "单位编码没有丢失开头的零",
    ReasonCode.SHEET_ERROR: "没有公式的出错值",
    ReasonCode.ID_IN_OTHER_COLUMN: "证件号码只在证件号码列",
    ReasonCode.NOT_A_CODE: "编码列里是编码，不是姓名或文字",
    ReasonCode.CONFLICTING_ROWS: "同一人在同一单元格的在册行完全一致",
    ReasonCode.OVERLAPPING_VERSIONS: "同一单位各行的有效期不重叠",
    ReasonCode.UNIT_IN_TWO_DIVISIONS: "一个单位编码只属于一个行政区划",
    ReasonCode.DOC_TWICE: "一个文号在同一单元格、同一载体只有一个编制数",
    ReasonCode.UNREADABLE: "文件可以读取",
    ReasonCode.COLUMN_MISSING: "必需的列都在",
    ReasonCode.CONTROL_ROWS: "记录数与 control.csv 一致",
    ReasonCode.CONTROL_SHA256: "sha256 与 control.csv 一致",
    ReasonCode.CONTROL_FILE_MISSING: "control.csv 所列的文件都已收到",
    ReasonCode.CONTROL_UNREADABLE: "control.csv 可以读取",
    ReasonCode.EMPTY_BOOK: "至少有一条记录",
    ReasonCode.ALL_QUARANTINED: "至少有一条记录可用",
    ReasonCode.NO_ROW_OF_MONTH: "至少有一条本期月份的可用记录",
}


@dataclass(frozen=True)
class BookSuites:
    """The expectations on one book, by the batch they judge.

    deliveries  one batch per night: a row per delivered file.
    columns     one batch per delivered file: its rows, masked.
    rows        one batch per night: every row that its file's batch let pass, as numbers.
    divisions   one batch per night: a row per division, once its rows are judged.
    accounting  one batch per night: a row per division, at the end.
    """

    deliveries: list[Expectation] = field(default_factory=list)
    columns: list[Expectation] = field(default_factory=list)
    rows: list[Expectation] = field(default_factory=list)
    divisions: list[Expectation] = field(default_factory=list)
    accounting: list[Expectation] = field(default_factory=list)


def book_suites(book: str) -> BookSuites:
    """Every expectation on a book. Source: DOMAIN §3, decision 0001 items 1–7."""
    definition = BOOKS[book]
    return BookSuites(_deliveries(), _columns(definition), _rows(book), _divisions(book), _accounting())


def _about(reason: ReasonCode, column: str) -> dict:
    """What every expectation carries: the reason it gives, the delivered column it speaks of, a sentence for people."""
    return {"meta": {"reason": reason.value, "column": column}, "description": EXPECTED[reason]}


def _deliveries() -> list[Expectation]:
    empty = {
        "read_error": ReasonCode.UNREADABLE,
        "missing_columns": ReasonCode.COLUMN_MISSING,
        "not_delivered": ReasonCode.CONTROL_FILE_MISSING,
        "control_error": ReasonCode.CONTROL_UNREADABLE,
    }
    pairs = {"rows": ReasonCode.CONTROL_ROWS, "sha256": ReasonCode.CONTROL_SHA256}
    return [
        *(gxe.ExpectColumnValuesToBeNull(column=name, **_about(code, name)) for name, code in empty.items()),
        *(
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A=f"control_{name}", column_B=name, ignore_row_if="either_value_is_missing", **_about(code, name)
            )
            for name, code in pairs.items()
        ),
    ]


def _columns(book: Book) -> list[Expectation]:
    # First: of a row whose cells have moved this is the reason.
    found: list[Expectation] = [
        checks.ExpectNothingOfPeopleElsewhere(column=name, **_about(code, name))
        for name, code in ((NUMBERS_ELSEWHERE, ReasonCode.ID_IN_OTHER_COLUMN), (NAMES_ELSEWHERE, ReasonCode.NOT_A_CODE))
    ]
    for column in book.columns:
        if column.kind is Kind.SECRET:
            continue
        if column.kind is Kind.ID:
            about = _about(ReasonCode.ID_PRECISION_LOST, column.name)
            found.append(checks.ExpectIdsToBeUndamaged(column=column.name + DAMAGE, **about))
            continue
        if column.required:
            about = _about(ReasonCode.BLANK_REQUIRED, column.name)
            found.append(gxe.ExpectColumnValuesToNotBeNull(column=column.name, **about))
        found += _readable(column)
        if column.name in UNIT_CODES and book.name != "units":
            about = _about(ReasonCode.CODE_PRECISION_LOST, column.name)
            found.append(checks.ExpectUnitCodesToKeepTheirZeros(column=column.name + ZEROS, **about))
    return found


def _readable(column: Column) -> list[Expectation]:
    if column.words is not None:
        about = _about(ReasonCode.BAD_WORD, column.name)
        return [gxe.ExpectColumnValuesToBeInSet(column=column.name, value_set=list(WORDS[column.words]), **about)]
    if column.kind in FORMS:
        form, code = FORMS[column.kind]
        return [checks.ExpectColumnTextToHaveForm(column=column.name, form=form, **_about(code, column.name))]
    return []


def _rows(book: str) -> list[Expectation]:
    never = {"ignore_row_if": "never"}
    if book == "units":
        return [
            checks.ExpectUnitInOneDivision(
                column_list=["unit", "place"], **_about(ReasonCode.UNIT_IN_TWO_DIVISIONS, "unit_code"), **never
            ),
            checks.ExpectVersionsNotToOverlap(
                column_list=["unit", "start", "end", "content"],
                **_about(ReasonCode.OVERLAPPING_VERSIONS, "valid_from"),
                **never,
            ),
        ]
    if book == "establishment":
        about = _about(ReasonCode.DOC_TWICE, "quota")
        return [checks.ExpectDocumentToStateOneQuota(column_list=["document", "quota"], **about, **never)]
    if book == "roster":
        about = _about(ReasonCode.CONFLICTING_ROWS, "person_id")
        return [checks.ExpectCurrentRowsToAgree(column_list=["holder", "content"], **about, **never)]
    return []


def _divisions(book: str) -> list[Expectation]:
    least = {"records": ReasonCode.EMPTY_BOOK, "usable": ReasonCode.ALL_QUARANTINED}
    if book == "payroll":
        least["of_month"] = ReasonCode.NO_ROW_OF_MONTH
    return [
        gxe.ExpectColumnValuesToBeBetween(column=name, min_value=1, **_about(code, name))
        for name, code in least.items()
    ]


def _accounting() -> list[Expectation]:
    columns = ["rows_in", "accepted", "duplicates", "quarantined"]
    description = "收到 = 采用 + 重复 + 隔离"
    return [checks.ExpectControlEquation(column_list=columns, ignore_row_if="never", description=description)]
