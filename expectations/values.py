"""Delivered text → value: dates, months, counts, money, codes, words (DOMAIN §3, decision 7). Pure.

Nothing here guesses: a text with two readings is a problem, and the gate quarantines its row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from core.identity import SPACES, normalise_code
from expectations.books import Column, Kind, fold


class ValueProblem(StrEnum):
    """Why a text is no value of its kind. The words for people are in PROBLEM_TEXT."""

    DATE_UNREADABLE = "DATE_UNREADABLE"
    DATE_IMPOSSIBLE = "DATE_IMPOSSIBLE"
    DATE_YEAR_ONLY = "DATE_YEAR_ONLY"
    MONTH_AMBIGUOUS = "MONTH_AMBIGUOUS"
    COUNT_UNREADABLE = "COUNT_UNREADABLE"
    COUNT_NEGATIVE = "COUNT_NEGATIVE"
    COUNT_FRACTION = "COUNT_FRACTION"
    MONEY_UNREADABLE = "MONEY_UNREADABLE"
    MONEY_FRACTION = "MONEY_FRACTION"
    WORD_UNKNOWN = "WORD_UNKNOWN"
    SHEET_ERROR = "SHEET_ERROR"


PROBLEM_TEXT: dict[ValueProblem, str] = {
    ValueProblem.DATE_UNREADABLE: "不是日期；请写作 2026-10-31",
    ValueProblem.DATE_IMPOSSIBLE: "没有这一天",
    ValueProblem.DATE_YEAR_ONLY: "只有年份；请至少写到月",
    ValueProblem.MONTH_AMBIGUOUS: "数字单元格里的 .1 可能是一月，也可能是十月；请用文本写作 2026-01 或 2026-10",
    ValueProblem.COUNT_UNREADABLE: "不是整数；请只写阿拉伯数字，不带单位",
    ValueProblem.COUNT_NEGATIVE: "不能是负数",
    ValueProblem.COUNT_FRACTION: "不能有小数",
    ValueProblem.MONEY_UNREADABLE: "不是金额；请以元为单位写作 1234.56",
    ValueProblem.MONEY_FRACTION: "金额最多两位小数",
    ValueProblem.WORD_UNKNOWN: "不在可用的词之内",
    ValueProblem.SHEET_ERROR: "是电子表格公式的出错值；请改为实际内容",
}

# Full-width forms become ASCII. Not NFKC: that would turn ² and ① into digits.
_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0xFFE5: 0xA5}
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−﹣"), "-")
_HAN_DIGITS = {c: str(n % 10) for n, c in enumerate("〇一二三四五六七八九零")} | {"○": "0"}
BLANK_MARKS = frozenset({"-", "--", "—", "——", "–", "/", "无"})
# What a formula leaves in its cell when it fails: no value, and no blank either. Two of them are not the same thing.
SHEET_ERRORS = frozenset(
    {"#N/A", "#VALUE!", "#REF!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)

_TIME = re.compile(r"(?:T|\s+)\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AP]M)?$", re.ASCII | re.IGNORECASE)
_SEPARATED = re.compile(r"(\d{4})([-/.])(\d{1,2})(?:\2(\d{1,2}))?", re.ASCII)
_WITH_HAN = re.compile(r"(\d{4})年(\d{1,2})月份?(?:(\d{1,2})[日号]?)?", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d{2})(?:(\d{2})(?:(?:[01]\d|2[0-3])[0-5]\d[0-5]\d)?)?", re.ASCII)
_SERIAL = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)
_HAN_DATE = re.compile(
    r"([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月(?:([一二三四五六七八九十]{1,3})[日号])?"
)
_AMBIGUOUS_MONTH = r"^(?:19|20)[0-9]{2}\.1$"
# Excel's first trustworthy stretch: 1927-05-18 to 2119-01-11 in the 1900 system.
SERIAL_RANGE = (10_000, 80_000)
SERIAL_EPOCH = date(1899, 12, 30)
FIRST_YEAR = 1900

_WHOLE = r"(?:\d{1,3}(?:,\d{3})+|\d+)"
_PLAIN_MONEY = r"^-?[0-9]{1,15}(?:\.[0-9]{1,2})?$"
_COUNT = re.compile(rf"(-)?({_WHOLE})(?:\.(\d+))?", re.ASCII)
_MONEY = re.compile(rf"(\()?(-)?¥?(-)?({_WHOLE})(?:\.(\d+))?元?(\))?", re.ASCII)
# Past these an int64 of cents would not hold.
MAX_DIGITS = 15


def _squeezed(text: str) -> str:
    if text.isascii():
        return "".join(text.split())
    return text.translate(_NARROW).translate(SPACES).translate(_DASHES)


def is_blank_mark(text: str) -> bool:
    """True for what people write into an optional cell instead of leaving it empty: `-`, `—`, `/`, `无`."""
    return text.translate(_NARROW).translate(SPACES) in BLANK_MARKS


def is_sheet_error(text: str) -> bool:
    """True for the error values of spreadsheets: `#N/A`, `#VALUE!`, `#REF!` and their like."""
    return "#" in (plain := text.translate(_NARROW)) and plain.translate(SPACES).upper() in SHEET_ERRORS


def _too_long(whole: str) -> bool:
    return len(whole.replace(",", "")) > MAX_DIGITS


def _han_number(text: str) -> int:
    """十 → 10, 二十三 → 23, 〇五 → 5 (months and days only)."""
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return int("".join(_HAN_DIGITS[c] for c in text))
    return int(_HAN_DIGITS[tens] if tens else "1") * 10 + int(_HAN_DIGITS[ones] if ones else "0")


def _date_parts(text: str) -> tuple[int, int, int | None] | None:
    """(year, month, day or None) of a text without time, spaces or full-width forms; None when it has no such shape."""
    if match := _SEPARATED.fullmatch(text):
        year, _, month, day = match.groups()
    elif match := _WITH_HAN.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, day = match.groups()
    elif match := _HAN_DATE.fullmatch(text):
        year = "".join(_HAN_DIGITS[c] for c in match[1])
        try:
            month, day = str(_han_number(match[2])), str(_han_number(match[3])) if match[3] else None
        except (KeyError, ValueError):
            return None
    else:
        return None
    return int(year), int(month), int(day) if day else None


@lru_cache(maxsize=1 << 16)
def parse_date(text: str, numeric: bool = False) -> tuple[date | None, bool, ValueProblem | None]:
    """(date, exact, problem) of a delivered date; blank is (None, True, None).

    A month alone is its first day with exact False. A clock time is cut off. `numeric`: the source cell was a number,
    in which 2011.1 may be January or October. Five digits are an Excel serial of the 1900 system. Source: DOMAIN §3.
    """
    spaced = text.translate(_NARROW).translate(_DASHES).translate(dict.fromkeys(SPACES, " ")).strip().lstrip("'’‘")
    plain = _TIME.sub("", spaced).replace(" ", "")
    if not plain:
        return None, True, None
    if numeric and re.match(_AMBIGUOUS_MONTH, plain):
        return None, True, ValueProblem.MONTH_AMBIGUOUS
    if match := _SERIAL.fullmatch(plain):
        days = int(match[1])
        if SERIAL_RANGE[0] <= days <= SERIAL_RANGE[1]:
            return SERIAL_EPOCH + timedelta(days=days), True, None
        return None, True, ValueProblem.DATE_UNREADABLE
    if re.fullmatch(r"\d{4}年?", plain, re.ASCII):
        return None, True, ValueProblem.DATE_YEAR_ONLY
    parts = _date_parts(plain)
    if parts is None:
        return None, True, ValueProblem.DATE_UNREADABLE
    year, month, day = parts
    if year < FIRST_YEAR:
        return None, True, ValueProblem.DATE_IMPOSSIBLE
    try:
        return date(year, month, 1 if day is None else day), day is not None, None
    except ValueError:
        return None, True, ValueProblem.DATE_IMPOSSIBLE


def parse_month(text: str, numeric: bool = False) -> tuple[str | None, ValueProblem | None]:
    """('YYYY-MM', problem) of a delivered month, or of any date within it; blank is (None, None)."""
    value, _, problem = parse_date(text, numeric)
    return (f"{value:%Y-%m}" if value else None), problem


def parse_count(text: str) -> tuple[int | None, ValueProblem | None]:
    """(whole number ≥ 0, problem); thousands separators and a fraction of zeros are fine; blank is (None, None)."""
    plain = _squeezed(text).lstrip("'’‘")
    if not plain:
        return None, None
    match = _COUNT.fullmatch(plain)
    if match is None or _too_long(match[2]):
        return None, ValueProblem.COUNT_UNREADABLE
    sign, whole, fraction = match.groups()
    if fraction and fraction.strip("0"):
        return None, ValueProblem.COUNT_FRACTION
    if sign:
        return None, ValueProblem.COUNT_NEGATIVE
    return int(whole.replace(",", "")), None


def parse_money(text: str) -> tuple[int | None, ValueProblem | None]:
    """(integer cents, problem) of yuan: `1,234.50`, `￥-3`, `(1,234.50)` for a negative; blank is (None, None)."""
    plain = _squeezed(text).lstrip("'’‘")
    if not plain:
        return None, None
    match = _MONEY.fullmatch(plain)
    if match is None or _too_long(match[4]):
        return None, ValueProblem.MONEY_UNREADABLE
    opened, before, after, whole, fraction, closed = match.groups()
    if bool(opened) != bool(closed) or [opened, before, after].count(None) < 2:
        return None, ValueProblem.MONEY_UNREADABLE
    fraction = fraction or ""
    if fraction[2:].strip("0"):
        return None, ValueProblem.MONEY_FRACTION
    cents = int(whole.replace(",", "")) * 100 + int(fraction[:2].ljust(2, "0"))
    return (-cents if opened or before or after else cents), None


def parse_code(text: str) -> str:
    """A code that joins, in its one spelling (core.identity.normalise_code), without Excel's leading apostrophe."""
    return normalise_code(text).lstrip("'’‘`")


def parse_word(text: str, vocabulary: Mapping[str, str]) -> tuple[str | None, ValueProblem | None]:
    """(identifier, problem) of a word of a closed vocabulary (folded text → identifier); blank is (None, None)."""
    word = fold(text).lstrip("'’‘`")
    if not word:
        return None, None
    # A code number that went through a float: 3.0 is 3.
    identifier = vocabulary.get(word) or vocabulary.get(re.sub(r"^([0-9]+)\.0+$", r"\1", word))
    return identifier, None if identifier else ValueProblem.WORD_UNKNOWN


@dataclass(frozen=True)
class Parsed:
    """One column after parsing, aligned with the texts it came from.

    value    str (TEXT, NAME, ID, SECRET, CODE, WORD, MONTH), Int64 (COUNT; MONEY in cents) or object of datetime.date;
             missing where the text is blank or has a problem.
    problem  object: a ValueProblem or None.
    exact    boolean for DATE (missing where there is no date), else None.
    """

    value: pd.Series
    problem: pd.Series
    exact: pd.Series | None = None


def parse_column(texts: pd.Series, column: Column, numeric: np.ndarray | None = None) -> Parsed:
    """Every text of one column as values of its kind; works once per distinct text. `texts`: dtype str, '' = blank.

    `numeric`: True where the source cell was a number. Blank marks of optional columns other than text, names and ids
    are blank (decision 7). Identity numbers and names are only carried through: core.identity normalises those.
    """
    kind = column.kind
    if kind is Kind.MONEY:
        return _money(texts, column)
    codes, uniques = pd.factorize(texts)
    distinct = [str(text) for text in uniques]
    if not column.required and kind not in (Kind.TEXT, Kind.NAME, Kind.ID, Kind.SECRET):
        distinct = ["" if is_blank_mark(text) else text for text in distinct]
    if kind is Kind.DATE:
        return _dates(texts, codes, distinct, numeric)
    parse: Callable[[str], tuple[Any, ValueProblem | None]]
    if kind is Kind.WORD:
        parse = partial(parse_word, vocabulary=column.vocabulary())
    else:
        parse = _PARSERS.get(kind, _as_is)
    values, problems = _columns_of([parse(text) for text in distinct], 2)
    taken = values.take(codes)
    if kind is Kind.COUNT:
        value = pd.Series(taken, index=texts.index, dtype="Int64")
    else:
        value = pd.Series(taken, index=texts.index, dtype="str")
    problem = pd.Series(problems.take(codes), index=texts.index, dtype=object)
    if kind is Kind.MONTH:
        value[ambiguous := _ambiguous(texts, numeric)] = None
        problem[ambiguous] = ValueProblem.MONTH_AMBIGUOUS
    return Parsed(value, problem)


def _as_is(text: str) -> tuple[str | None, None]:
    return text or None, None


def _code(text: str) -> tuple[str | None, ValueProblem | None]:
    return (None, ValueProblem.SHEET_ERROR) if is_sheet_error(text) else _as_is(parse_code(text))


_PARSERS: dict[Kind, Callable[[str], tuple[Any, ValueProblem | None]]] = {
    Kind.CODE: _code,
    Kind.TEXT: lambda text: _as_is("" if is_sheet_error(text) else text),
    Kind.COUNT: parse_count,
    Kind.MONTH: parse_month,
}


def _money(texts: pd.Series, column: Column) -> Parsed:
    """Amounts hardly repeat: the plainly written ones as a whole, the others one by one."""
    array = pa.chunked_array(pa.array(texts.astype("str"), pa.large_string()))
    plain = pc.match_substring_regex(array, _PLAIN_MONEY)
    yuan = pc.if_else(plain, array, pa.scalar(None, pa.large_string())).cast(pa.decimal128(20, 2))
    cents = pc.multiply(yuan, pa.scalar(100, pa.decimal128(3, 0))).cast(pa.int64())
    values = cents.fill_null(0).to_numpy().copy()
    unknown = ~np.asarray(plain.to_numpy(zero_copy_only=False), dtype=bool)
    problems = np.full(len(texts), None, dtype=object)
    for place in np.flatnonzero(unknown):
        text = array[int(place)].as_py() or ""
        if column.required or not is_blank_mark(text):
            cents_here, problems[place] = parse_money(text)
            if cents_here is not None:
                values[place], unknown[place] = cents_here, False
    value = pd.Series(pd.arrays.IntegerArray(values, unknown), index=texts.index)
    return Parsed(value, pd.Series(problems, index=texts.index, dtype=object))


def _columns_of(rows: list[tuple[Any, ...]], width: int) -> list[np.ndarray]:
    """Rows of tuples as object arrays, one per place; never turned into a numeric type on the way."""
    columns = [np.empty(len(rows), dtype=object) for _ in range(width)]
    for place, column in enumerate(columns):
        column[:] = [row[place] for row in rows]
    return columns


def _ambiguous(texts: pd.Series, numeric: np.ndarray | None) -> pd.Series:
    if numeric is None:
        return pd.Series(False, index=texts.index)
    return texts.str.match(_AMBIGUOUS_MONTH).astype(bool) & numeric


def _dates(texts: pd.Series, codes: np.ndarray, distinct: list[str], numeric: np.ndarray | None) -> Parsed:
    values, exacts, problems = _columns_of([parse_date(text) for text in distinct], 3)
    value = pd.Series(values.take(codes), index=texts.index, dtype=object)
    problem = pd.Series(problems.take(codes), index=texts.index, dtype=object)
    value[ambiguous := _ambiguous(texts, numeric)] = None
    problem[ambiguous] = ValueProblem.MONTH_AMBIGUOUS
    exact = pd.Series(exacts.take(codes), index=texts.index, dtype="boolean").mask(value.isna())
    return Parsed(value, problem, exact)
