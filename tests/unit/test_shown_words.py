"""What of a file's, a sheet's or a heading's own words may be shown: the office's words, never what may be a name or a number."""

from __future__ import annotations

import pytest

from demo.names import DOTTED_NAMES, GIVEN, LONG_SURNAMES, RARE_NAMES, SURNAMES
from expectations.books import BOOKS, book_of
from expectations.shown_words import (
    column_letter,
    heading_or_letter,
    heading_shown,
    hushed,
    sheet_shown,
    unknown_heading,
)
from night.naming import Naming

KEY = "test-person-key-" * 3
NAMING = Naming(KEY)
PEOPLE = [
    "王伟", "张丽", "欧阳致远", "司徒若兰", "买买提·艾力", "阿依古丽•热合曼", "𠮷川", "李全省", "张明细", "周年", "王新", "林业",
    "赵第一", "孙和", *DOTTED_NAMES, *RARE_NAMES, *(SURNAMES[at] + GIVEN[at] for at in range(40)),
    *(f"{long}{GIVEN[at]}" for at, long in enumerate(LONG_SURNAMES)),
]  # fmt: skip
# A name that is itself a word of every form cannot be told from the word.
PEOPLE.remove("林业")


@pytest.mark.parametrize(
    "name",
    ["roster.csv", "roster-2.csv", "payroll-20261031.xlsx", "实名制-2026年10月（更正）.xlsx", "財政供養-市直匯總.csv",
     "roster-副本.csv", "control.csv", "roster－２.csv", "roster-市第一中学花名册.csv", "roster-第三批补报（最终版）.csv",
     "财政供养-二〇二六年十月_县卫健委.xlsx", "roster-20261031-120000.csv", "通讯录.csv", "编制-教育局和市财政局.csv",
     "说明 (1).docx"],
)  # fmt: skip
def test_names_of_the_offices_words_dates_and_signs_are_kept(name):
    assert hushed(name) == NAMING.file(name) == name


@pytest.mark.parametrize("person", PEOPLE)
def test_nobody_written_into_a_file_name_stays_whole_and_the_rest_of_it_does(person):
    for form in (
        "roster-{}.csv",
        "实名制-{}的花名册.xlsx",
        "roster-花名册{}.csv",
        "{}.csv",
        "roster-2026年{}（更正）.csv",
    ):
        name = form.format(person)
        kept = NAMING.file(name)
        assert person not in kept
        assert book_of(kept.rsplit(".", 1)[0]) == book_of(name.rsplit(".", 1)[0])
        assert kept.rsplit(".", 1)[1] == name.rsplit(".", 1)[1]
        assert all(word in kept for word in ("花名册", "更正") if word in name)
        assert NAMING.is_file(kept, name)
        assert NAMING.mark(name) == NAMING.mark_of(kept)
        assert Naming(KEY[::-1]).file(name) != kept


@pytest.mark.parametrize(
    "number",
    [
        "37010219800101123X",
        "370102-19800101-1234",
        "３７０１０２１９８００１０１１２３４",
        "370102800101123",
        "13905310000",
    ],
)
def test_numbers_as_long_as_a_persons_are_cut_short(number):
    assert number not in NAMING.file(f"roster-{number}.csv")
    assert NAMING.file(f"roster-{number}.csv").startswith(f"roster-{number[:4]}＊")
    assert NAMING.division(f"{number}张").startswith(number[:4]) is ("３" not in number)


def test_two_files_whose_names_look_alike_when_hidden_stay_two_and_nobody_forges_a_mark():
    first, second = NAMING.file("roster-王伟.csv"), NAMING.file("roster-王强.csv")
    assert first != second
    assert first.startswith("roster-王＊〔")
    forged = NAMING.file(first)
    assert forged != first
    assert not NAMING.is_file(forged, "roster-王伟.csv")


def test_a_unit_of_the_register_may_be_named_in_a_file_and_the_file_is_found_without_the_register():
    name = "roster-石泉岭林场.csv"
    assert NAMING.file(name) != name
    kept = Naming(KEY, ["石泉岭林场"]).file(name)
    assert kept == name
    assert NAMING.mark_of(kept) == NAMING.mark(name) == NAMING.mark_of(NAMING.file(name))


def test_a_folder_that_is_no_code_is_named_as_a_file_is():
    for code in ("370102", "370102001", "370102000000", "99"):
        assert NAMING.division(code) == code
    for folder in ("王伟", "37010219800101123X"):
        assert folder not in NAMING.division(folder)
        assert NAMING.is_division(NAMING.division(folder), folder)


def test_every_column_of_every_book_is_shown_by_its_heading():
    for book in BOOKS.values():
        for column in book.columns:
            for spelling in (column.name, column.label, *column.aliases):
                assert heading_shown(spelling) == spelling


@pytest.mark.parametrize("label", ["序号", "备注", "姓名（拼音）", "联系电话", "出生年月", "10月", "Unnamed:3"])
def test_a_heading_of_the_offices_words_is_shown(label):
    assert unknown_heading(BOOKS["roster"], label, 3) == label


@pytest.mark.parametrize(
    "label", [*PEOPLE, "zhangsan", "Zhang San", "37010219800101123X", "1", "王伟（备注）", "extra"]
)
def test_any_other_heading_is_told_by_where_it_stands(label):
    assert unknown_heading(BOOKS["roster"], label, 27) == "第28列（AB列，未识别的表头）"
    assert heading_or_letter(label, 27) == "AB"


def test_a_misspelt_heading_is_told_by_the_column_it_comes_near_to_and_never_as_it_was_written():
    assert unknown_heading(BOOKS["roster"], "身份证好", 3) == "第4列（D列，像是“身份证号”）"
    assert unknown_heading(BOOKS["roster"], "单位编马", 0) == "第1列（A列，像是“机构编码”）"


def test_a_sheet_is_shown_by_its_name_or_by_its_place():
    assert [sheet_shown(name, 2) for name in ("在职人员", "Sheet1", "王伟", "2026年10月", "37010219800101123X")] == [
        "在职人员", "Sheet1", "第2张", "2026年10月", "第2张",
    ]  # fmt: skip
    assert [column_letter(place) for place in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
