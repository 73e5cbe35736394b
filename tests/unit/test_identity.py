"""core.identity: normalising, checking, keying and masking (GB 11643, DOMAIN §3)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity import (
    IdProblem,
    birth_date,
    check_digit,
    id_problem,
    keyed,
    mask_id,
    mask_name,
    normalise_code,
    normalise_id,
    normalise_name,
    sex,
    strip_spaces,
)

# The two examples printed in GB 11643-1999.
STANDARD = ["11010519491231002X", "440524188001010014"]
BASES = st.tuples(st.integers(110000, 659999), st.dates(date(1900, 1, 1), date(2025, 12, 31)), st.integers(0, 999)).map(
    lambda parts: f"{parts[0]}{parts[1]:%Y%m%d}{parts[2]:03d}"
)


@pytest.mark.parametrize("number", STANDARD)
def test_the_examples_of_the_standard_are_valid(number):
    assert check_digit(number[:17]) == number[17]
    assert id_problem(normalise_id(number)) is None


@given(BASES)
def test_a_computed_check_digit_is_right_and_any_other_is_wrong(base):
    right = check_digit(base)
    assert id_problem(base + right) is None
    for wrong in set("0123456789X") - {right}:
        assert id_problem(base + wrong) is IdProblem.CHECK_DIGIT


@given(BASES, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(base, place, shift):
    number = base + check_digit(base)
    changed = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    assert id_problem(changed) is not None


def test_fifteen_digits_become_eighteen_of_the_last_century():
    assert normalise_id("110105491231002") == "11010519491231002X"
    assert normalise_id("000110105491231002") == "11010519491231002X"
    assert birth_date(normalise_id("110105491231002")) == date(1949, 12, 31)


@pytest.mark.parametrize(
    "raw",
    [
        "11010519491231002x",
        "'11010519491231002X",
        "’11010519491231002X",
        " 1101 0519491231 002X ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "\ufeff110105\u200b19491231\u00a0002X\u3000",
    ],
)
def test_every_spelling_of_one_number_is_one(raw):
    assert normalise_id(raw) == "11010519491231002X"


@pytest.mark.parametrize("kind", ["PASSPORT", "HK_MACAO", "TAIWAN", "PERMANENT"])
def test_other_kinds_of_id_are_kept_and_never_extended_or_checked(kind):
    assert normalise_id("123456789012345", kind) == "123456789012345"
    assert normalise_id("000123456789012345", kind) == "000123456789012345"
    assert normalise_id(" e1234567 ", kind) == "E1234567"
    assert id_problem("E1234567", kind) is None
    assert id_problem("", kind) is IdProblem.BLANK


@pytest.mark.parametrize(
    ("number", "problem"),
    [
        ("", IdProblem.BLANK),
        ("1101051949123100", IdProblem.LENGTH),
        ("110105194912310021X", IdProblem.LENGTH),
        ("11010519491231A02X", IdProblem.CHARSET),
        ("X1010519491231002X", IdProblem.CHARSET),
        ("11010519490231002X", IdProblem.BIRTH_DATE),
        ("110105194912310020", IdProblem.CHECK_DIGIT),
        ("1.10105194912E+17", IdProblem.LENGTH),
    ],
)
def test_what_is_wrong_with_a_number_is_named(number, problem):
    assert id_problem(number) is problem


def test_digits_of_other_scripts_are_no_digits():
    assert id_problem("٣" * 17 + "X") is IdProblem.CHARSET
    assert normalise_id("٣" * 15) == "٣" * 15


def test_two_numbers_that_differ_in_the_last_digit_stay_two():
    assert keyed("k", normalise_id("110105194912310020")) != keyed("k", normalise_id("110105194912310021"))


def test_sex_comes_from_the_seventeenth_digit():
    assert sex("11010519491231002X") == "F"
    assert sex("440524188001010014") == "M"
    assert sex("E1234567") is None


def test_dots_spaces_and_traditional_characters_are_one_name():
    assert {normalise_name(f"阿依{dot}古丽") for dot in "·•・‧･"} == {"阿依·古丽"}
    assert normalise_name("張 三\u3000") == normalise_name("张三")
    assert normalise_name("鄧麗君") == "邓丽君"
    assert normalise_name("Ｌｉ　Ｍｉｎｇ") == "LiMing"


@pytest.mark.parametrize("name", ["NA", "None", "null", "NaN", "䶮", "㛃", "𬭎"])
def test_odd_names_are_names(name):
    assert normalise_name(name) == name


def test_simplified_characters_are_not_changed_by_neighbours():
    # Characters only: as a phrase 乾隆 keeps its 乾, and 后 is never turned into 後.
    assert normalise_name("后") == "后"
    assert normalise_name(normalise_name("乾隆")) == normalise_name("乾隆")


@given(st.text(max_size=12), st.text("0123456789xXeE０１ｘ '\u3000\u200b張é", max_size=20))
def test_normalising_twice_changes_nothing(text, number):
    for normalise in (strip_spaces, normalise_name, normalise_code):
        assert normalise(normalise(text)) == normalise(text)
    assert normalise_id(normalise_id(number)) == normalise_id(number)


def test_codes_have_one_kind_of_bracket():
    assert {normalise_code(f"盘编办{a}2020{b}3号") for a, b in ("〔〕", "［］", "[]", "【】")} == {"盘编办〔2020〕3号"}
    assert normalise_code(" 00７ ") == "007"


def test_masks_show_no_more_than_they_should():
    assert mask_id("11010519491231002X") == "110105********002X"
    assert mask_id("E1234567") == "E1****67"
    assert mask_id("12345") == "*****"
    assert mask_id("") == ""
    assert mask_name("张三丰") == "张**"
    assert mask_name("张") == "张*"
    assert mask_name("") == ""


def test_keys_are_stable_and_depend_on_the_secret():
    assert keyed("a", "x") == keyed("a", "x") != keyed("b", "x")
    assert len(keyed("a", "x")) == 32
