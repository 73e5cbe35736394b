"""Delivered text → value (expectations.values): what is read, and what is refused rather than guessed."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.books import BOOKS
from expectations.values import (
    PROBLEM_TEXT,
    SERIAL_EPOCH,
    ValueProblem,
    is_blank_mark,
    parse_code,
    parse_column,
    parse_count,
    parse_date,
    parse_money,
    parse_month,
    parse_word,
)

P = ValueProblem
DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2119, 1, 1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1991-10-3", date(1991, 10, 3)),
        ("1991/10/03", date(1991, 10, 3)),
        ("1991.10.3", date(1991, 10, 3)),
        ("20120305", date(2012, 3, 5)),
        ("2012年3月5日", date(2012, 3, 5)),
        ("2012年03月05", date(2012, 3, 5)),
        ("二〇一二年三月五日", date(2012, 3, 5)),
        ("二○二六年十月三十一日", date(2026, 10, 31)),
        ("二零一二年十二月二十日", date(2012, 12, 20)),
        ("2012-03-05 00:00:00", date(2012, 3, 5)),
        ("2012-03-05T08:30:15.123", date(2012, 3, 5)),
        ("2012/3/5 0:00", date(2012, 3, 5)),
        ("20120305083000", date(2012, 3, 5)),
        ("２０１２－０３－０５", date(2012, 3, 5)),
        ("２０１２．３．５", date(2012, 3, 5)),
        (" 2012 年 3 月 5 日\u3000", date(2012, 3, 5)),
        ("2012—03—05", date(2012, 3, 5)),
        ("'2012-03-05", date(2012, 3, 5)),
        ("44197", date(2021, 1, 1)),
        ("44197.0", date(2021, 1, 1)),
        ("44197.75", date(2021, 1, 1)),
        ("10000", date(1927, 5, 18)),
        ("80000", date(2119, 1, 11)),
        ("2024-02-29", date(2024, 2, 29)),
        ("9999-12-31", date(9999, 12, 31)),
    ],
)
def test_every_usual_form_of_a_date_is_read(text, expected):
    assert parse_date(text) == (expected, True, None)


@pytest.mark.parametrize(
    "text", ["2011.05", "2011-05", "2011/5", "2011年5月", "2011年05月份", "201105", "２０１１．０５"]
)
def test_a_month_is_its_first_day_and_not_exact(text):
    assert parse_date(text) == (date(2011, 5, 1), False, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2011", P.DATE_YEAR_ONLY),
        ("2011年", P.DATE_YEAR_ONLY),
        ("2011-02-30", P.DATE_IMPOSSIBLE),
        ("2023-02-29", P.DATE_IMPOSSIBLE),
        ("20111301", P.DATE_IMPOSSIBLE),
        ("20110500", P.DATE_IMPOSSIBLE),
        ("201113", P.DATE_IMPOSSIBLE),
        ("1899-12-31", P.DATE_IMPOSSIBLE),
        ("9999", P.DATE_YEAR_ONLY),
        ("99999", P.DATE_UNREADABLE),
        ("80001", P.DATE_UNREADABLE),
        ("120305", P.DATE_IMPOSSIBLE),
        ("3/5/2012", P.DATE_UNREADABLE),
        ("05.03.12", P.DATE_UNREADABLE),
        ("2012-03/05", P.DATE_UNREADABLE),
        ("202610093000", P.DATE_UNREADABLE),
        ("2012-03-05T16:00:00Z", P.DATE_UNREADABLE),
        ("4.4197E4", P.DATE_UNREADABLE),
        ("2012-03-0²", P.DATE_UNREADABLE),
        ("二〇一二年十三月", P.DATE_IMPOSSIBLE),
        ("二〇一二年十十月", P.DATE_UNREADABLE),
        ("至今", P.DATE_UNREADABLE),
        ("#VALUE!", P.DATE_UNREADABLE),
    ],
)
def test_no_date_is_guessed(text, problem):
    assert parse_date(text) == (None, True, problem)


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\ufeff"])
def test_blank_is_unknown_and_no_problem(text):
    assert parse_date(text) == (None, True, None)
    assert parse_month(text) == (None, None)
    assert parse_count(text) == (None, None)
    assert parse_money(text) == (None, None)


def test_a_number_cell_of_2026_1_may_be_january_or_october():
    assert parse_date("2026.1", numeric=True) == (None, True, P.MONTH_AMBIGUOUS)
    assert parse_month("2026.1", numeric=True) == (None, P.MONTH_AMBIGUOUS)
    assert parse_date("2026.1") == (date(2026, 1, 1), False, None)
    assert parse_date("2026.05", numeric=True) == (date(2026, 5, 1), False, None)


@given(DAYS)
def test_every_spelling_of_a_day_gives_that_day(day):
    spellings = [
        day.isoformat(),
        f"{day:%Y%m%d}",
        f"{day.year}.{day.month}.{day.day}",
        f"{day.year}年{day.month}月{day.day}日",
    ]
    assert {parse_date(text) for text in spellings} == {(day, True, None)}
    serial = (day - SERIAL_EPOCH).days
    if 10_000 <= serial <= 80_000:
        assert parse_date(str(serial)) == (day, True, None)
        assert parse_month(str(serial)) == (f"{day:%Y-%m}", None)


@given(st.text(max_size=20))
def test_no_text_makes_a_parser_fail(text):
    value, exact, problem = parse_date(text)
    assert value is None or problem is None
    assert exact or value is not None
    for parse in (parse_count, parse_money, parse_month):
        value, problem = parse(text)
        assert value is None or problem is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-10",
        "202610",
        "2026年10月",
        "2026年10月份",
        "2026.10",
        "2026/10",
        "2026-10-31",
        "20261001",
        "46296",
        "２０２６１０",
    ],
)
def test_every_usual_form_of_a_month_is_read(text):
    assert parse_month(text) == ("2026-10", None)


@pytest.mark.parametrize("text", ["10", "10月", "2026", "2026-13", "26-10", "二十六"])
def test_no_month_is_guessed(text):
    assert parse_month(text)[0] is None
    assert parse_month(text)[1] is not None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("0", 0),
        ("12.0", 12),
        ("12.000", 12),
        ("1,200", 1200),
        ("１２", 12),
        ("1，200", 1200),
        (" 7 ", 7),
        ("'3", 3),
        ("007", 7),
    ],
)
def test_whole_numbers_are_read(text, value):
    assert parse_count(text) == (value, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-1", P.COUNT_NEGATIVE),
        ("1.5", P.COUNT_FRACTION),
        ("1e3", P.COUNT_UNREADABLE),
        ("²", P.COUNT_UNREADABLE),
        ("①", P.COUNT_UNREADABLE),
        ("٣", P.COUNT_UNREADABLE),
        ("十二", P.COUNT_UNREADABLE),
        ("12人", P.COUNT_UNREADABLE),
        ("12,00", P.COUNT_UNREADABLE),
        ("1 2a", P.COUNT_UNREADABLE),
        ("+5", P.COUNT_UNREADABLE),
        ("1" * 16, P.COUNT_UNREADABLE),
        ("#VALUE!", P.COUNT_UNREADABLE),
    ],
)
def test_no_count_is_guessed(text, problem):
    assert parse_count(text) == (None, problem)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1234.56", 123456),
        ("1234.5", 123450),
        ("1234", 123400),
        ("1,234.50", 123450),
        ("￥1,234.50", 123450),
        ("¥ 1,234.50", 123450),
        ("-0.01", -1),
        ("(1,234.50)", -123450),
        ("（1,234.50）", -123450),
        ("−5", -500),
        ("¥-5", -500),
        ("-￥5", -500),
        ("1234.5600", 123456),
        ("0.29", 29),
        ("１２．３４", 1234),
        ("12.5元", 1250),
    ],
)
def test_money_becomes_exact_cents(text, cents):
    assert parse_money(text) == (cents, None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1.005", P.MONEY_FRACTION),
        ("(5", P.MONEY_UNREADABLE),
        ("5)", P.MONEY_UNREADABLE),
        ("(-5)", P.MONEY_UNREADABLE),
        ("--5", P.MONEY_UNREADABLE),
        ("-¥-5", P.MONEY_UNREADABLE),
        ("1.2万元", P.MONEY_UNREADABLE),
        ("1.2e4", P.MONEY_UNREADABLE),
        ("12,34.5", P.MONEY_UNREADABLE),
        ("5.", P.MONEY_UNREADABLE),
        (".5", P.MONEY_UNREADABLE),
        ("$5", P.MONEY_UNREADABLE),
    ],
)
def test_no_amount_is_guessed(text, problem):
    assert parse_money(text) == (None, problem)


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_cents_survive_writing_and_reading(cents):
    sign, whole, rest = "-" if cents < 0 else "", abs(cents) // 100, abs(cents) % 100
    for text in (f"{sign}{whole}.{rest:02d}", f"{sign}{whole:,}.{rest:02d}", f"￥{sign}{whole}.{rest:02d}0"):
        assert parse_money(text) == (cents, None)


def test_codes_keep_leading_zeros_and_lose_excels_apostrophe():
    assert parse_code("'007") == "007"
    assert parse_code("００７") == "007"
    assert parse_code(" 盘编办［2020］ 3号") == "盘编办〔2020〕3号"


def test_words_are_folded_and_unknown_ones_refused():
    words = BOOKS["payroll"].column("fund_mode").vocabulary()
    assert parse_word("全额 拨款", words) == ("FULL", None)
    assert parse_word("３", words) == ("SELF", None)
    assert parse_word("3.0", words) == ("SELF", None)
    assert parse_word("", words) == (None, None)
    assert parse_word("半额", words) == (None, P.WORD_UNKNOWN)


def test_every_problem_has_words_for_people():
    assert set(PROBLEM_TEXT) == set(ValueProblem)


@pytest.mark.parametrize("text", ["-", "—", "－", "——", "/", "／", "无", " 无 "])
def test_blank_marks_are_blank_in_optional_columns_only(text):
    assert is_blank_mark(text)
    optional = parse_column(pd.Series([text], dtype="str"), BOOKS["roster"].column("exit_date"))
    assert optional.value.isna().all()
    assert optional.problem.isna().all()
    required = parse_column(pd.Series([text], dtype="str"), BOOKS["establishment"].column("quota"))
    assert required.problem.tolist() == [P.COUNT_UNREADABLE]
    words = parse_column(pd.Series([text], dtype="str"), BOOKS["roster"].column("exit_reason"))
    assert words.value.tolist() == [text]


def test_a_column_keeps_its_index_types_and_problems():
    index = [5, 6, 7, 8]
    texts = pd.Series(["2012-3-5", "2011.05", "", "x"], index=index, dtype="str")
    dates = parse_column(texts, BOOKS["roster"].column("entry_date"))
    assert dates.value.tolist() == [date(2012, 3, 5), date(2011, 5, 1), None, None]
    assert dates.exact.tolist() == [True, False, pd.NA, pd.NA]
    assert dates.problem.tolist() == [None, None, None, P.DATE_UNREADABLE]
    assert list(dates.value.index) == index
    counts = parse_column(pd.Series(["12", "", "1.5"], dtype="str"), BOOKS["establishment"].column("quota"))
    assert str(counts.value.dtype) == "Int64"
    assert counts.value.tolist() == [12, pd.NA, pd.NA]
    codes = parse_column(pd.Series(["'007", ""], dtype="str"), BOOKS["roster"].column("unit_code"))
    assert codes.value.fillna("?").tolist() == ["007", "?"]


def test_a_numeric_date_column_marks_only_the_ambiguous_cells():
    texts = pd.Series(["2011.05", "2011.1", "2011.1"], dtype="str")
    numeric = np.array([True, True, False])
    dates = parse_column(texts, BOOKS["roster"].column("entry_date"), numeric)
    assert dates.value.tolist() == [date(2011, 5, 1), None, date(2011, 1, 1)]
    assert dates.problem.tolist() == [None, P.MONTH_AMBIGUOUS, None]
    months = parse_column(texts, BOOKS["payroll"].column("month"), numeric)
    assert months.value.fillna("?").tolist() == ["2011-05", "?", "2011-01"]


@pytest.mark.parametrize("name", BOOKS["payroll"].names)
def test_an_empty_column_is_read_as_one(name):
    parsed = parse_column(pd.Series([], dtype="str"), BOOKS["payroll"].column(name))
    assert len(parsed.value) == len(parsed.problem) == 0


@given(st.lists(st.text(alphabet="0123456789.,-()￥元 x", max_size=8), max_size=30))
def test_a_column_of_amounts_answers_like_the_single_parser(texts):
    column = BOOKS["payroll"].column("amount")
    parsed = parse_column(pd.Series(texts, dtype="str"), column)
    for text, value, problem in zip(texts, parsed.value, parsed.problem, strict=True):
        expected = (None, None) if is_blank_mark(text) else parse_money(text)
        assert (None if value is pd.NA else value, problem) == expected


def test_serials_and_days_agree_over_the_whole_range():
    assert timedelta(days=10_000) + SERIAL_EPOCH == date(1927, 5, 18)
