"""Identity numbers and names are found where they do not belong, and codes that merely look like them are not."""

from __future__ import annotations

import random
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from core.identity import check_digit
from core.parameters import RANKS
from expectations.books import BOOKS
from expectations.identities import names
from expectations.shown_words import hushed_value
from expectations.strays import (
    hidden_text,
    holds_number,
    holds_short_number,
    is_uscc,
    last_birth_year,
    name_numbers,
    odd_numbers,
    strays,
)
from expectations.verdicts import GateSetting

KEY = "test-person-key-" * 3
SETTING = GateSetting(date(2026, 10, 31), KEY)
LAST = last_birth_year(SETTING.as_of)
GOOD = "37010419900101123" + check_digit("37010419900101123")
WITH_X = next(first + "X" for n in range(100, 999) if check_digit(first := f"37010419851231{n}") == "X")
OLD = "370104850101123"
USCC = "91350100M000100Y43"


def found(book: str, column: str, texts: list[str], odd: list[str] = (), people: list[str] = ()) -> list[str]:
    raw = names(list(people), KEY)[2] if people else None
    known = name_numbers(raw) if people else name_numbers(names(["欧阳修"], KEY)[2])
    rows = np.array([texts.index(text) for text in texts])
    answer = strays(
        pa.array(texts, pa.large_string()), rows, BOOKS[book].column(column), SETTING, frozenset(odd), known
    )
    return ["none"] * len(texts) if answer is None else list(answer)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        WITH_X,
        WITH_X.lower(),
        f"张三{GOOD}",
        f"用编{GOOD}号",
        f"9{GOOD}7",
        " ".join(GOOD),
        f"{GOOD[:6]} {GOOD[6:14]}\u3000{GOOD[14:]}",
        f"{GOOD[:6]}-{GOOD[6:14]}－{GOOD[14:]}",
        f"{GOOD[:6]}.{GOOD[6:14]}/{GOOD[14:]}",
        "".join(chr(ord(char) + 0xFEE0) for char in WITH_X),
        f"{GOOD[:9]}\u200b{GOOD[9:]}",
        f"（{GOOD}）",
        f"{GOOD[:6]}（{GOOD[6:14]}）{GOOD[14:]}",
        f"{GOOD[:6]}年{GOOD[6:]}",
        f"{GOOD[:6]}、{GOOD[6:14]}：{GOOD[14:]}",
        f"'{GOOD}",
    ],
)
def test_a_whole_number_is_found_however_it_is_written(text):
    assert holds_number(text, LAST)
    assert found("permits", "permit_no", [text, "用编〔2026〕1号"]) == ["number", "none"]
    assert found("headcount", "source", [text]) == ["number"]


def test_a_number_is_one_only_with_its_check_digit_and_a_birth_date_of_somebody_grown():
    wrong = "1" if GOOD[17] != "1" else "2"
    no_day = "37010419900231123"
    child, early = "37010420260115001", "37010418990115001"
    for text in (GOOD[:17] + wrong, *(first + check_digit(first) for first in (no_day, child, early)), GOOD[:17]):
        assert not holds_number(text, LAST), text
    grown = "37010420060115001"
    assert holds_number(grown + check_digit(grown), LAST)


def test_numbers_drawn_at_random_that_fail_the_check_digit_are_kept():
    dice = random.Random(7)
    for _ in range(2000):
        born = date(dice.randrange(1950, 2005), dice.randrange(1, 13), dice.randrange(1, 29))
        first = f"{dice.randrange(110000, 660000)}{born:%Y%m%d}{dice.randrange(1000):03d}"
        right = check_digit(first)
        last = dice.choice([digit for digit in "0123456789" if digit != right])
        assert not holds_number(first + last, LAST)
        assert holds_number(first + right, LAST)


def test_fifteen_digits_are_a_number_where_they_are_not_the_shape_of_the_column():
    assert holds_short_number(OLD)
    assert holds_short_number(f"000{OLD}")
    assert holds_short_number(f"张三{OLD}")
    assert not holds_short_number(f"1{OLD}")
    assert not holds_short_number("370104851301123")
    assert not holds_short_number("370104260115001")
    assert found("roster", "slot_no", ["370104001", OLD]) == ["none", "number"]
    codes = [f"3701040{n:08d}" for n in range(20)]
    assert found("roster", "slot_no", [*codes, OLD]) == ["none"] * 21


def test_a_sound_uscc_is_left_alone_in_its_own_column_and_a_number_in_it_is_not():
    assert is_uscc(USCC)
    assert not is_uscc(USCC[:17] + "4")
    assert not is_uscc(GOOD)
    # Both at once: eighteen digits that satisfy both check digits.
    both = next(
        number for n in range(100, 1000) for place in range(110000, 111000)
        if is_uscc(number := (first := f"{place}19900101{n}") + check_digit(first))
    )  # fmt: skip
    assert found("units", "uscc", [USCC, both, GOOD]) == ["none", "none", "number"]
    assert found("units", "unit_code", [USCC, both]) == ["none", "number"]


@pytest.mark.parametrize(
    "text", ["编〔2020〕1号", "编办发〔二〇二〇〕十二号", "国发1990-01-01-1234-5678", "第十二号文", "国务院令"]
)
def test_numbers_of_documents_are_kept(text):
    assert found("establishment", "doc_no", [text]) == ["none"]
    assert found("units", "approval_doc", [text]) == ["none"]
    # Left out, it would accuse of a transfer without one.
    assert found("roster", "waiver_no", [text]) == ["none"]


def test_what_stands_in_person_id_of_the_same_file_is_known_again_though_it_is_unsound():
    typed, passport = GOOD[:17] + ("1" if GOOD[17] != "1" else "2"), "E12345678"
    odd = odd_numbers(
        pa.array([typed, passport, "370104001", "不详", "", USCC]),
        pa.array([True, False, True, True, True, True]).to_numpy(False),
    )
    assert odd == {typed, passport}
    cells = [typed, passport.lower(), f"见{typed}", "370104001", "E12345679"]
    assert found("roster", "loan_no", cells, odd) == ["number", "number", "number", "none", "none"]
    # The code of several rows that has moved into person_id of one is nobody's number.
    assert found("roster", "unit_code", [passport, passport, typed], odd) == ["none", "none", "number"]


def test_a_code_of_han_letters_alone_is_none_nor_is_somebodys_name():
    cells = ["王伟", "王 伟", "买买提·吐尔逊", "县财政局", "370104001", "A-1", "编内一号", "第三批", "〔甲〕", "甲"]
    assert found("roster", "unit_code", cells) == ["name"] * 4 + ["none"] * 6
    for column in ("permit_no", "slot_no", "loan_no", "seconded_to"):
        # The row stays: words where a code may be blank are no code.
        assert found("roster", column, cells) == ["words"] * 4 + ["none"] * 6
    assert found("payroll", "on_behalf_of", cells) == ["name"] * 4 + ["none"] * 6
    signs = ["诸葛亮、关云长", "买买提.艾力", "王\ue863龙", "欧阳锋?", "第五小明", "张翠山/无", "王小明（借调）"]
    assert found("roster", "unit_code", signs) == ["name"] * 7
    # Somebody is called so, and a database writes it for nothing.
    assert found("roster", "permit_no", ["NULL", "无"], people=["NULL", "王伟"]) == ["none", "none"]
    latin = ["Smith", "smith ", "HQ"]
    assert found("roster", "unit_code", latin, people=["Smith", "王伟"]) == ["name", "none", "none"]
    assert found("roster", "unit_code", ["王伟号"], people=["王偉号"]) == ["name"]
    # A cell that has moved into the names does not make a code a name.
    assert found("roster", "unit_code", ["370104001"], people=["370104001"]) == ["none"]


def test_nothing_is_looked_for_where_it_cannot_travel():
    assert found("roster", "status", [GOOD]) == ["none"]
    assert found("payroll", "amount", [OLD, "5000"]) == ["number", "none"]


def test_free_text_keeps_the_words_of_the_office_and_different_texts_stay_different():
    for text in ("上年年报", "民政", "退休或调出", "补员", "四级主任科员", "专业技术七级", "", "DQ 2018", "旧表", "页"):
        assert hidden_text(text, KEY) == text
    one, other = hidden_text("王伟填报", KEY), hidden_text("王芳填报", KEY)
    assert one.startswith("王＊填报〔")
    assert one[:-10] == other[:-10]
    assert one != other
    assert one == hidden_text("王伟填报", KEY)
    assert one != hidden_text("王伟填报", KEY[::-1])


def test_a_uscc_is_shown_in_its_own_column_whatever_its_last_character():
    for text in (USCC, "12370104495571617X"):
        assert hidden_text(text, KEY, column="uscc") == text
    assert hidden_text("12370104495571617X", KEY, column="rank") != "12370104495571617X"
    assert hidden_text("王伟", KEY, column="uscc") != "王伟"


def test_every_rank_that_can_be_compared_is_shown():
    assert not [rank for group in RANKS for rank in group if hushed_value(rank) != rank]


def test_a_rank_the_office_has_named_is_shown_whatever_its_letters():
    assert hidden_text("巴图鲁", KEY) != "巴图鲁"
    assert hidden_text("巴图鲁", KEY, frozenset({"巴图鲁"})) == "巴图鲁"
    assert hidden_text("王伟填报", KEY, frozenset({"巴图鲁"})) == hidden_text("王伟填报", KEY)
    assert hidden_text("正 处 级", KEY) == "正 处 级"
    assert "伟" not in hidden_text("王 伟", KEY)
