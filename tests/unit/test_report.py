"""The workbook a night leaves: read back cell by cell; and the manifest's signature."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import openpyxl
import pytest

from reconcile.findings import FlagItem
from reconcile.lifecycle import STATUS_LABELS
from reconcile.report import (
    CellRow,
    ControlRow,
    NightReport,
    VerdictRow,
    build_workbook,
    control_rate,
    manifest_holds,
    sign_manifest,
    spelled,
    vacancy,
)

A = date(2026, 10, 15)
FLAG = FlagItem(
    "F01-0123456789abcdef0123", "F01", "S1", "OPEN", "007", "=1+1", "990102", None, None, "370104********1234", 0, 1,
    "BLANK_ID", None, A, A, {"person_key": "k"}, '{"payroll":[]}', 1,
)  # fmt: skip
REPORT = NightReport(
    A, 1, "COUNTY",
    cells=(
        CellRow("007", "人大办", "990102", "", "", 34, 34, 32, 33),
        CellRow("007", "人大办", "990102", "ADMIN", "FULL", 34, 34, 32, 33),
        CellRow("008", None, None, "", "", None, None, 3, 0),
        CellRow("009", "空", "990102", "", "", 0, 0, 3, 0, "007"),
    ),
    flags=(FLAG,),
    verdicts=(VerdictRow("990102", "payroll", "REJECTED", True, 3, 0, 0, 0, ("缺少列", "=cmd()")),),
    not_evaluable=(("F01", "990102", "*", "payroll"), ("Q01", "990102", "007", "establishment")),
    controls=(ControlRow("990102", "000123.csv", "payroll", "ab" * 32, 3, "AB" * 32, None),),
    presence=(("007", "人大办", "101", 2),),
)  # fmt: skip


@pytest.fixture
def sheets(tmp_path):
    path = tmp_path / "report.xlsx"
    build_workbook(path, REPORT)
    return openpyxl.load_workbook(path)


def records(sheet) -> list[dict[str, object]]:
    header, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_the_sheets_are_there_in_order(sheets):
    assert sheets.sheetnames == [
        "三数（单元格）",
        "三数（单位）",
        "不符项",
        "报送批次",
        "无法判定",
        "隔离行",
        "控制总数",
        "存在分类",
    ]


def test_units_show_vacancy_and_the_rate_to_two_places(sheets):
    first, unknown, none = records(sheets["三数（单位）"])
    assert (first["单位编码"], first["编制数"], first["实有人数"], first["空编"]) == ("007", 34, 32, 2)
    assert first["在职人员控制率（实有÷编制）"] == first["满编率（实有÷编制）"] == 0.9412
    assert sheets["三数（单位）"]["J2"].number_format == "0.00%"
    assert (unknown["编制数"], unknown["空编"], unknown["实有人数"], unknown["财政供养数"]) == (None, None, 3, 0)
    assert (none["空编"], none["在职人员控制率（实有÷编制）"]) == (-3, None)


def test_cells_and_unit_totals_stand_apart(sheets):
    [cell] = records(sheets["三数（单元格）"])
    assert (cell["编制类型"], cell["经费形式"]) == ("行政", "全额拨款")


def test_codes_are_text_and_a_formula_stays_text(sheets):
    sheet = sheets["不符项"]
    [flag] = records(sheet)
    assert flag["单位编码"] == "007"
    assert flag["单位名称"] == "=1+1"
    assert flag["规则"] == "F01 有薪无编"
    assert (flag["应为"], flag["实为"], flag["状态"]) == (0, 1, STATUS_LABELS["OPEN"])
    assert all(cell.data_type != "f" for name in sheets.sheetnames for row in sheets[name].iter_rows() for cell in row)
    assert records(sheets["报送批次"])[0]["说明"] == "缺少列\n=cmd()"


def test_not_evaluable_controls_and_presence_are_in_words(sheets):
    assert [row["单位编码"] for row in records(sheets["无法判定"])] == ["全部", "007"]
    [control] = records(sheets["控制总数"])
    assert (control["文件"], control["校验"], control["报送方行数"]) == ("000123.csv", "一致", 3)
    [presence] = records(sheets["存在分类"])
    assert (presence["编制"], presence["在册"], presence["发薪"], presence["人数"]) == ("有", "无", "有", 2)


def test_sheets_print_on_a4_landscape_with_a_frozen_header(sheets):
    for name in sheets.sheetnames:
        sheet = sheets[name]
        assert sheet.page_setup.orientation == "landscape"
        assert str(sheet.page_setup.paperSize) == "9"
        assert sheet.freeze_panes == "B2"
        assert sheet.print_title_rows == "$1:$1"


def test_the_same_night_gives_the_same_bytes(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        build_workbook(tmp_path / name, REPORT)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(tmp_path):
    path = tmp_path / "long.xlsx"
    build_workbook(path, replace(REPORT, presence=[(f"{n:03}", None, "111", n) for n in range(5)]), rows_per_sheet=2)
    book = openpyxl.load_workbook(path)
    assert [name for name in book.sheetnames if name.startswith("存在")] == ["存在分类", "存在分类2", "存在分类3"]
    kept = [row["单位编码"] for name in book.sheetnames if name.startswith("存在") for row in records(book[name])]
    assert kept == ["000", "001", "002", "003", "004"]


def test_text_longer_than_excel_allows_is_cut_and_says_so(tmp_path):
    path = tmp_path / "long.xlsx"
    build_workbook(path, replace(REPORT, flags=[replace(FLAG, evidence="证" * 40_000)]))
    [flag] = records(openpyxl.load_workbook(path)["不符项"])
    assert flag["证据"].endswith("…（过长，全文见系统）")


@pytest.mark.parametrize(
    ("in_post", "quota", "rate"),
    [
        (32, 34, "0.9412"),
        (0, 5, "0.0000"),
        (8, 5, "1.6000"),
        (1, 3, "0.3333"),
        (2, 3, "0.6667"),
        (3, 0, None),
        (None, 3, None),
        (3, None, None),
    ],
)
def test_the_control_rate_is_in_post_over_quota(in_post, quota, rate):
    assert control_rate(in_post, quota) == (Decimal(rate) if rate else None)


def test_vacancy_is_unknown_when_either_number_is():
    assert (vacancy(5, 3), vacancy(3, 5), vacancy(None, 5), vacancy(5, None)) == (2, -2, None, None)


def test_a_manifest_holds_until_a_character_changes():
    text = sign_manifest({"as_of": "2026-10-15", "inputs": [{"file": "a.csv", "sha256": "0" * 64}]}, "k" * 32)
    assert manifest_holds(text, "k" * 32)
    assert not manifest_holds(text, "j" * 32)
    assert not manifest_holds(text.replace("a.csv", "b.csv"), "k" * 32)
    assert not manifest_holds(text[:-4], "k" * 32)
    assert sign_manifest({"b": 1, "a": 2}, "k" * 32) == sign_manifest({"a": 2, "b": 1}, "k" * 32)


@pytest.mark.parametrize(
    ("rule", "text", "shown"),
    [
        ("Q06", "NO_APPROVAL_DOC", "无批准文号"),
        ("Q07", "CERTIFICATE=5;DATABASE=-", "证=5;库=-"),
        ("P07", "TOWNSHIP→COUNTY", "乡→县"),
        ("D07", "EXIT_MISSING;EXIT_BEFORE_ENTRY", "缺出编日期;出编早于入编"),
        ("F08", "ADMIN", "ADMIN"),
        ("Q01", 5, 5),
        ("Q07", None, None),
    ],
)
def test_words_of_the_domain_are_spelled_as_officials_say_them(rule, text, shown):
    assert spelled(rule, text) == shown


def test_a_pay_flag_says_in_words_what_is_known_and_what_would_clear_it(tmp_path):
    known = [
        {"fact": "RETIRED", "unit": "007", "fund_form": "FULL", "since": "2026-03-01"},
        {"fact": "PAID", "unit": "008", "fund_form": "FULL", "since": None},
    ]
    told = replace(FLAG, rule="F03", evidence=json.dumps({"clears_when": "PAY_STOPPED", "known": known}))
    build_workbook(tmp_path / "a.xlsx", replace(REPORT, flags=[told, replace(FLAG, evidence="text")]))
    first, second = records(openpyxl.load_workbook(tmp_path / "a.xlsx")["不符项"])
    assert (first["别的名册所知"], first["何以销号"]) == ("007退休（2026-03-01 起）；008在职在编发薪", "财政停发。")
    assert (second["别的名册所知"], second["何以销号"]) == (None, None)
