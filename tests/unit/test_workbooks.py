"""expectations.readers on xlsx and Parquet: typed cells as text, merged headers, several sheets, damage and bombs."""

import re
import struct
import zipfile
import zlib
from datetime import date, datetime

import pytest
import xlsxwriter

from core.errors import InputRejected
from expectations import archives
from expectations.books import BOOKS
from expectations.readers import read_file

LABELS = ["身份证号", "姓名", "机构编码", "编制类型", "经费形式", "人员状态"]
NAMES = ["person_id", "person_name", "unit_code", "post_type", "fund_form", "status"]
ROW = ["11010519491231002X", "张三", "007", "行政", "全额", "在职"]
SHEET = "xl/worksheets/sheet1.xml"


def write(path, sheets, edit=None):
    """sheets: name → rows, or a function of (workbook, worksheet)."""
    workbook = xlsxwriter.Workbook(str(path))
    for name, content in sheets.items():
        worksheet = workbook.add_worksheet(name)
        if callable(content):
            content(workbook, worksheet)
            continue
        for number, row in enumerate(content):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    worksheet.write_string(number, place, cell)
                elif cell is not None:
                    worksheet.write(number, place, cell)
    workbook.close()
    if edit:
        patch(path, *edit)
    return path


def patch(path, part, change):
    with zipfile.ZipFile(path) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


@pytest.fixture
def read(tmp_path):
    def _read(sheets, book="roster", edit=None):
        return read_file(write(tmp_path / "book.xlsx", sheets, edit), BOOKS[book])

    return _read


def records(table):
    return table.frame[NAMES].to_numpy().tolist()


def refused(path, book="roster"):
    with pytest.raises(InputRejected) as caught:
        read_file(path, BOOKS[book])
    return caught.value


def test_text_cells_come_back_as_they_are(read):
    rows = [["1", name, "007", "行政", "全额", "在职"] for name in ("NA", "None", "null", "䶮", "㛃", "𬭎", "张\n三")]
    table = read({"名册": [LABELS, *rows]})
    assert records(table) == rows
    assert table.numeric == {}
    assert table.sheets == ["名册"]
    assert set(table.sheet) == {""}


def test_numbers_become_plain_text_and_are_marked(read):
    header = ["月份", "身份证号", "姓名", "单位编码", "保障方式", "人员状态", "是否在编", "金额", "账号"]
    row = [202610.0, 370104199001011234, "张三", 7, 1, 3, True, 1234.56 + 1e-12, "6222"]
    table = read({"工资": [header, row]}, "payroll")
    cells = table.frame.iloc[0]
    assert cells[["month", "paying_unit_code", "fund_mode", "on_establishment", "amount"]].tolist() == [
        "202610", "7", "1", "TRUE", "1234.56",
    ]  # fmt: skip
    assert re.fullmatch(r"[0-9]{18}", cells["person_id"])
    assert sorted(table.numeric) == sorted(
        ["month", "person_id", "paying_unit_code", "fund_mode", "person_state", "amount"]
    )
    assert table.is_numeric("person_id").tolist() == [True]
    assert table.is_numeric("account").tolist() == [False]


def test_dates_become_iso_text(read):
    def fill(workbook, sheet):
        sheet.write_row(0, 0, [*LABELS, "入编时间", "出编时间", "出编登记时间"])
        sheet.write_row(1, 0, ROW)
        sheet.write_datetime(
            1, 6, datetime.fromisoformat("2012-03-05"), workbook.add_format({"num_format": "yyyy/m/d"})
        )
        sheet.write_datetime(
            1, 7, datetime.fromisoformat("2012-03-05T08:30"), workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        )
        sheet.write_number(1, 8, 40973)

    cells = read({"名册": fill}).frame.iloc[0]
    assert cells[["entry_date", "exit_date", "exit_registered"]].tolist() == [
        "2012-03-05",
        "2012-03-05 08:30:00",
        "40973",
    ]


def test_merged_header_rows_under_a_title(read):
    def fill(workbook, sheet):
        bold = workbook.add_format({"bold": True})
        sheet.merge_range(0, 0, 0, 8, "某市机关事业单位实名制名册（截至2026年10月31日）", bold)
        for place, label in enumerate(["序号", "身份证号", "姓名"]):
            sheet.merge_range(2, place, 4, place, label, bold)
        sheet.merge_range(2, 3, 2, 8, "编制情况", bold)
        sheet.merge_range(3, 3, 4, 3, "机构编码", bold)
        sheet.merge_range(3, 4, 3, 5, "编制", bold)
        sheet.write_row(4, 4, ["类型", "经费形式"], bold)
        sheet.merge_range(3, 6, 4, 6, "人员状态", bold)
        sheet.merge_range(3, 7, 3, 8, "原单位", bold)
        sheet.write_row(4, 7, ["单位编码", "经费形式"], bold)
        sheet.write_row(5, 0, ["1", *ROW, "008", "差额"])
        sheet.merge_range(6, 0, 6, 8, "注：统计时点为2026年10月30日", bold)

    table = read({"名册": fill})
    assert records(table) == [ROW]
    assert table.frame[["from_unit", "from_fund_form", "row"]].to_numpy().tolist() == [["008", "差额", 6]]
    assert table.unknown == ["序号"]
    assert table.cutoffs == [date(2026, 10, 30), date(2026, 10, 31)]


def test_leader_posts_are_read_below_the_group_that_says_whose_they_are(read):
    def fill(workbook, sheet):
        bold = workbook.add_format({"bold": True})
        for place, label in enumerate(["机构编码", "编制类型", "经费形式", "编制数"]):
            sheet.merge_range(1, place, 2, place, label, bold)
        sheet.merge_range(1, 4, 1, 5, "单位领导职数", bold)
        sheet.merge_range(1, 6, 1, 7, "内设机构领导职数", bold)
        sheet.write_row(2, 4, ["正职", "副职"] * 2, bold)
        for place, label in enumerate(["文号", "载体"], 8):
            sheet.merge_range(1, place, 2, place, label, bold)
        sheet.write_row(3, 0, ["007", "行政", "全额", "9", "1", "2", "3", "4", "x", "台账"])

    frame = read({"台账": fill}, book="establishment").frame
    leaders = ["leaders_chief", "leaders_deputy", "leaders_inner_chief", "leaders_inner_deputy"]
    assert frame[leaders].to_numpy().tolist() == [["1", "2", "3", "4"]]


def test_a_grade_without_its_group_names_no_column(read):
    rows = [
        ["机构编码", "编制类型", "经费形式", "编制数", "正职", "文号", "载体"],
        ["007", "行政", "全额", "9", "1", "x", "台账"],
    ]
    assert read({"台账": rows}, book="establishment").unknown == ["正职"]


def test_a_value_merged_over_rows_holds_for_each_but_a_figure_does_not(read):
    def fill(workbook, sheet):
        sheet.write_row(0, 0, ["机构编码", "编制类型", "经费形式", "编制数", "文号", "载体"])
        sheet.merge_range(1, 0, 2, 0, "007")
        sheet.write_column(1, 1, ["行政", "工勤"])
        sheet.merge_range(1, 2, 2, 2, "全额")
        sheet.merge_range(1, 3, 2, 3, "12")
        sheet.write_column(1, 4, ["甲", "乙"])
        sheet.merge_range(1, 5, 2, 5, "账")

    frame = read({"编制": fill}, "establishment").frame
    assert frame["unit_code"].tolist() == ["007", "007"]
    assert frame["copy"].tolist() == ["账", "账"]
    assert frame["quota"].tolist() == ["12", ""]


def test_every_sheet_with_the_header_is_read(read):
    other = ["2", "李四", "008", "行政", "全额", "在职"]
    table = read(
        {
            "说明": [["填报说明"], ["请按要求填写"]],
            "机关": [["名册"], LABELS, ROW],
            "代码表": [["单位编码", "单位名称"], ["007", "某局"]],
            "事业": [[*LABELS, "职级", "其他"], [*other, "科员", "x"]],
        }
    )
    assert records(table) == [ROW, other]
    assert table.frame["rank"].tolist() == ["", "科员"]
    assert table.frame["row"].tolist() == [3, 2]
    assert table.sheet.tolist() == ["机关", "事业"]
    assert table.sheets == ["机关", "事业"]
    assert table.unknown == ["其他"]
    assert any("代码表" in remark for remark in table.remarks)


def test_totals_are_per_sheet_or_of_the_whole_file_where_that_is_what_is_stated(read):
    header = ["机构编码", "编制类型", "经费形式", "编制数", "文号", "载体"]
    one = [header, ["007", "行政", "全额", 10, "甲", "账"], ["小计", "", "", 10], ["合计", "", "", 10]]
    two = [header, ["008", "行政", "全额", 5, "乙", "账"], ["小计", "", "", 4], ["合计", "", "", 15]]
    table = read({"甲": one, "乙": two}, "establishment")
    assert [(t.sheet, t.row, t.kind, t.stated, t.computed) for t in table.totals] == [
        ("甲", 3, "小计", "10", "10"),
        ("甲", 4, "合计", "10", "10"),
        ("乙", 3, "小计", "4", "5"),
        ("乙", 4, "合计", "15", "15"),
    ]


def test_a_sheet_lacking_one_required_column_is_not_passed_over(read):
    table = read({"甲": [LABELS, ROW], "乙": [LABELS[:-1], ROW[:-1]]})
    assert table.missing == ["status"]


def test_hidden_sheets_are_read_and_said_so(read):
    def fill(workbook, sheet):
        sheet.write_row(0, 0, LABELS)
        sheet.write_row(1, 0, ROW)
        sheet.hide()

    table = read({"封面": [["名册"]], "名册": fill})
    assert records(table) == [ROW]
    assert any("隐藏" in remark for remark in table.remarks)


def test_formulas_give_their_saved_value_and_are_never_run(read):
    def fill(workbook, sheet):
        sheet.write_row(
            0, 0, ["机构编码", "编制类型", "经费形式", "编制数", "文号", "载体", "正职职数", "副职职数", "内设正职职数"]
        )
        sheet.write_row(1, 0, ["007", "行政", "全额", "", "甲", "账"])
        sheet.write_formula(1, 3, "=6*7", None, 41)
        sheet.write_formula(1, 6, "=1/0", None, "#DIV/0!")
        sheet.write_formula(1, 8, '=""', None, "")

    unsaved = (
        "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"</row></sheetData>", b'<c r="H2"><f>1+1</f><v/></c></row></sheetData>'),
    )
    frame = read({"编制": fill}, "establishment", edit=unsaved).frame
    assert frame.loc[0, "quota"] == "41"
    assert frame.loc[0, "leaders_chief"] == "#VALUE!"


def test_a_formula_without_a_saved_result_is_no_blank(read):
    def fill(workbook, sheet):
        sheet.write_row(0, 0, [*LABELS, "出编时间"])
        sheet.write_row(1, 0, ROW)

    edit = (
        SHEET,
        lambda xml: xml.replace(b"</row></sheetData>", b'<c r="G2"><f>TODAY()</f><v></v></c></row></sheetData>'),
    )
    assert read({"名册": fill}, edit=edit).frame["exit_date"].tolist() == ["#VALUE!"]


def test_remarks_beside_the_table_are_ignored(read):
    table = read({"名册": [LABELS, [*ROW, "", "已核对"]]})
    assert records(table) == [ROW]


def test_an_empty_workbook_and_one_of_only_a_header(read, tmp_path):
    assert "没有内容" in refused(write(tmp_path / "leer.xlsx", {"a": []})).message
    table = read({"名册": [LABELS]})
    assert len(table.frame) == 0
    assert list(table.frame.columns) == [*NAMES, "row"]


def test_an_amount_in_ten_thousands_is_refused(tmp_path):
    header = ["月份", "身份证号", "姓名", "单位编码", "保障方式", "人员状态", "是否在编", "金额\n(万元)"]
    path = write(tmp_path / "payroll.xlsx", {"工资": [header, ["2026-10", "1", "张三", "007", "1", "3", "1", 0.5]]})
    assert "元为单位" in refused(path, "payroll").message


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95, 0.999])
def test_a_truncated_workbook_is_refused(tmp_path, share):
    path = write(tmp_path / "roster.xlsx", {"名册": [LABELS, *[ROW] * 200]})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "损坏" in refused(path).message


def test_every_flipped_byte_is_read_alike_or_refused(tmp_path):
    path = write(tmp_path / "roster.xlsx", {"名册": [LABELS, *[ROW] * 20]})
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            table = read_file(path, BOOKS["roster"])
        except InputRejected:
            continue
        assert records(table) == [ROW] * 20


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "空"),
        ("身份证号,姓名\n1,张三\n".encode(), "csv"),
        (b"<html><body><table>", "html"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, ".xls"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "密码"),
        (b"PAR1\0\0", "Parquet"),
        (b"PK\x03\x04 no more", "损坏"),
    ],
)
def test_what_is_no_workbook_is_refused_with_what_it_is(tmp_path, content, word):
    path = tmp_path / "roster.xlsx"
    path.write_bytes(content)
    assert word in refused(path).message


def test_an_archive_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "roster.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")
    assert "不是 xlsx" in refused(path).message


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path):
    path = write(tmp_path / "roster.xlsx", {"名册": [LABELS, ROW]})
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media/a.bin", "w", force_zip64=True) as out,
    ):
        for _ in range(80):
            out.write(b"\0" * (1 << 20))
    assert path.stat().st_size < 200_000
    assert "zip bomb" in refused(path).message


def test_a_zip_bomb_that_lies_about_its_size_is_counted_all_the_same(tmp_path):
    path = write(tmp_path / "roster.xlsx", {"名册": [LABELS, ROW]})
    content = b"\0" * (80 << 20)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/a.bin", content)
    honest = struct.pack("<L", zlib.crc32(content)), struct.pack("<L", len(content))
    lying = struct.pack("<L", zlib.crc32(content[:1000])), struct.pack("<L", 1000)
    data = path.read_bytes()
    for true, false in zip(honest, lying, strict=True):
        assert data.count(true) == 2
        data = data.replace(true, false)
    path.write_bytes(data)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    assert "zip bomb" in refused(path).message


def test_sheets_without_cell_addresses_are_bounded_too(tmp_path):
    def bare(xml):
        wide = b"<row>" + b'<c t="str"><v>x</v></c>' * 16000 + b"</row>"
        return xml.replace(b"</sheetData>", wide + b"<row><c><v>1</v></c></row>" * 5000 + b"</sheetData>")

    path = write(tmp_path / "r.xlsx", {"名册": [LABELS, ROW]}, (SHEET, bare))
    assert "过大" in refused(path).message


def test_the_ceiling_holds_for_well_packed_content_too(tmp_path, monkeypatch):
    path = write(tmp_path / "roster.xlsx", {"名册": [LABELS, *[ROW] * 500]})
    monkeypatch.setattr(archives, "MAX_BYTES", 20_000)
    assert "zip bomb" in refused(path).message


def test_a_stray_cell_in_the_last_corner_does_not_take_the_machine_down(tmp_path):
    stray = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    path = write(tmp_path / "r.xlsx", {"名册": [LABELS, ROW]}, (SHEET, lambda xml: xml.replace(b"</sheetData>", stray)))
    assert "过大" in refused(path).message


def test_one_long_text_named_by_many_cells_is_refused(tmp_path):
    def enlarge(xml):
        return xml.replace("张三".encode(), b"A" * 2_000_000)

    path = write(tmp_path / "r.xlsx", {"名册": [LABELS, *[ROW] * 3000]}, ("xl/sharedStrings.xml", enlarge))
    assert "zip bomb" in refused(path).message
