"""Rows with a number or a name in a column of something else are held back, and nothing shows what stood there."""

from __future__ import annotations

import pytest

from tests.gatekit import Night, only, payroll, resident, roster


@pytest.fixture
def night(tmp_path) -> Night:
    return Night(tmp_path)


def test_of_a_row_with_a_number_for_its_unit_nobody_knows_the_unit_and_nothing_shows_the_number(night):
    one, other = resident(51), resident(52)
    rows = [payroll(1), payroll(2, paying_unit_code=one, on_behalf_of="200"), payroll(3, paying_unit_code="200", on_behalf_of=other),
            payroll(4, paying_unit_code=one, month="?"), payroll(5, month=f"王伟{other}"), payroll(6)]  # fmt: skip
    night.deliver("370104", "payroll.csv", rows)
    result = night.gate("payroll")
    held = night.read("payroll", ".quarantine")
    assert [(row["column"], row["unit_code"], row["shown"]) for row in held[:3]] == [
        ("paying_unit_code", None, None),
        ("on_behalf_of", None, None),
        ("paying_unit_code", None, None),
    ]
    assert (held[3]["column"], held[3]["unit_code"], held[3]["shown"][:2]) == ("month", "007", "王*")
    assert [(found.code, found.column, found.count) for found in only(result).reasons] == [
        ("ID_IN_OTHER_COLUMN", "paying_unit_code", 2),
        ("ID_IN_OTHER_COLUMN", "on_behalf_of", 1),
        ("BAD_MONTH", "month", 1),
    ]
    everything = repr([result, held, night.read("payroll"), *(path.read_text() for path in night.docs.iterdir())])
    assert one not in everything
    assert other not in everything
    assert "王伟" not in everything


def test_words_where_a_code_may_be_blank_are_left_out_and_the_file_is_told(night):
    people = [
        roster(1, seconded_to="市委组织部"),
        roster(2, permit_no="不适用"),
        roster(3, seconded_to="200"),
        roster(4, from_unit="王伟"),
    ]
    blank = {"seconded_to": "", "permit_no": "", "from_unit": ""}
    night.deliver("370104", "roster.csv", [blank | person for person in people])
    result = night.gate("roster")
    rows = night.read("roster")
    assert [(row["seconded_to"], row["permit_no"], row["from_unit"]) for row in rows] == [
        (None, None, None), (None, None, None), ("200", None, None), (None, None, None),
    ]  # fmt: skip
    [file] = result.files
    assert [text for text in file.remarks if "按空白处理" in text] == [
        "借调单位编码（seconded_to）有 1 格是文字或姓名，不是编码，按空白处理；请填写编码",
        "原单位编码（from_unit）有 1 格是文字或姓名，不是编码，按空白处理；请填写编码",
        "用编通知单号（permit_no）有 1 格是文字或姓名，不是编码，按空白处理；请填写编码",
    ]
    assert only(result).quarantined == 0


def test_beside_a_stray_what_is_blank_or_unreadable_in_its_column_is_held_as_ever(night):
    number = resident(51)
    rows = [payroll(1, paying_unit_code=number), payroll(2, paying_unit_code=""), payroll(3)]
    rows += [payroll(4, amount=number), payroll(5, amount="很多")]
    night.deliver("370104", "payroll.csv", rows)
    result = night.gate("payroll")
    assert [(found.code, found.column, found.count) for found in only(result).reasons] == [
        ("ID_IN_OTHER_COLUMN", "paying_unit_code", 1),
        ("ID_IN_OTHER_COLUMN", "amount", 1),
        ("BLANK_REQUIRED", "paying_unit_code", 1),
        ("BAD_NUMBER", "amount", 1),
    ]
    assert only(result).accepted == 1


def test_a_code_that_moved_into_the_numbers_holds_back_no_row_of_its_unit(night):
    code = "12370104495571617X"
    people = [*(roster(n, unit_code=code) for n in range(1, 5)), roster(5, unit_code=code) | {"person_id": code}]
    night.deliver("370104", "roster.csv", people)
    result = night.gate("roster")
    assert {row["unit_code"] for row in night.read("roster")} == {code}
    assert only(result).accepted >= 4


def test_different_sources_stay_different_where_their_names_are_hidden(night):
    night.deliver("370104", "headcount.csv", [headcount("王伟填报"), headcount("王芳填报"), headcount("上年年报")])
    night.gate("headcount")
    shown = [row["source"] for row in night.read("headcount")]
    assert len(set(shown)) == 3
    assert all(text.startswith("王＊填报〔") for text in shown[:2])
    assert shown[2] == "上年年报"
    [first, _, _] = shown
    night.gate("headcount")
    assert night.read("headcount")[0]["source"] == first


def headcount(source: str) -> dict[str, str]:
    return {
        "unit_code": "007", "measure": "实有数", "post_type": "行政", "fund_form": "全额", "scope": "在职在编", "count": "1",
        "source": source,
    }  # fmt: skip
