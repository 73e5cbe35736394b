"""What files say about themselves: cut-off dates, 小计 and 合计 rows, control.csv (DOMAIN §3, D06, D08)."""

import hashlib
from datetime import date

import pytest

from core.errors import InputRejected
from expectations.books import BOOKS
from expectations.readers import ControlLine, read_control, read_file

HEADER = "身份证号,姓名,机构编码,编制类型,经费形式,人员状态"
ROW = ["11010519491231002X", "张三", "007", "行政", "全额", "在职"]


@pytest.fixture
def read(tmp_path):
    def _read(content, book="roster"):
        path = tmp_path / "book.csv"
        path.write_text(content, encoding="utf-8")
        return read_file(path, BOOKS[book])

    return _read


CUTOFFS = [
    ("截至2026年10月31日", date(2026, 10, 31)),
    ("（截止日期：2026-10-31）", date(2026, 10, 31)),
    ("统计时点：2026.10.31", date(2026, 10, 31)),
    ("时点 20261031", date(2026, 10, 31)),
    ("统计日期：２０２６／１０／３１", date(2026, 10, 31)),
    ("截至2026年10月底", date(2026, 10, 31)),
    ("截至2026年2月", date(2026, 2, 28)),
    ("截至二〇二六年十月三十一日", date(2026, 10, 31)),
    ("2026年10月31日止", date(2026, 10, 31)),
]


@pytest.mark.parametrize(("title", "day"), CUTOFFS)
@pytest.mark.parametrize("place", ["title", "note"])
def test_stated_cut_offs_are_found_in_titles_and_notes(read, title, day, place):
    body = f"{HEADER}\n{','.join(ROW)}\n"
    table = read(f"名册 {title}\n{body}" if place == "title" else f"{body}注：{title}\n")
    assert table.cutoffs == [day]
    assert len(table.frame) == 1


@pytest.mark.parametrize(
    "text", ["制表日期：2026-11-02", "打印日期：2026年11月2日", "填报日期 20261102", "2026年度实名制名册"]
)
def test_a_date_of_signing_or_printing_is_no_cut_off(read, text):
    assert read(f"{text}\n{HEADER}\n{','.join(ROW)}\n{text}\n").cutoffs == []


QUOTA = "机构编码,编制类型,经费形式,编制数,文号,载体"


def test_subtotals_add_since_the_previous_total_and_totals_add_all(read):
    table = read(
        f'{QUOTA}\n007,行政,全额,10,甲,账\n008,行政,全额,"1,200",乙,账\n小计,,,1210,,\n'
        "009,行政,全额,5,丙,账\n,本页小计,,６,,\n累计,,,1215,,\n010,行政,全额,,丁,账\n合　计：,,,1215.0,,\n总计,,,,,\n",
        "establishment",
    )
    assert table.frame["unit_code"].tolist() == ["007", "008", "009", "010"]
    assert [(t.row, t.kind, t.stated, t.computed, t.stated_number) for t in table.totals] == [
        (4, "小计", "1210", "1210", "1210"),
        (6, "小计", "６", "5", "6"),
        (7, "合计", "1215", "1215", "1215"),
        (9, "合计", "1215.0", "1215", "1215"),
    ]


def test_money_totals_are_exact_and_unknown_where_a_value_cannot_be_read(read):
    header = "月份,身份证号,姓名,单位编码,保障方式,人员状态,是否在编,金额"
    rows = [f"2026-10,{n},张三,007,1,3,1,0.1" for n in range(10)]
    table = read("\n".join([header, *rows, "合计,,,,,,,￥1.00"]), "payroll")
    assert [(t.stated, t.computed, t.stated_number) for t in table.totals] == [("￥1.00", "1", "1")]
    table = read(
        "\n".join(
            [header, rows[0], "小计,,,,,,,0.1", "2026-10,1,张三,007,1,3,1,约五千", "小计,,,,,,,5", "合计,,,,,,,6"]
        ),
        "payroll",
    )
    assert [t.computed for t in table.totals] == ["0.1", None, None]


def test_a_total_row_with_a_unit_code_is_a_record(read):
    table = read(f"{QUOTA}\n007,合计,全额,10,甲,账\n", "establishment")
    assert len(table.frame) == 1
    assert table.totals == []


DIGEST = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_control_lines_are_read_in_every_encoding(tmp_path, encoding):
    path = tmp_path / "control.csv"
    path.write_bytes(
        f'文件名,行数,校验值\n实名制.csv,"1,200",{DIGEST.upper()}\n\n.\\out\\payroll.csv,,\n'.encode(encoding)
    )
    assert read_control(path) == [ControlLine("实名制.csv", 1200, DIGEST), ControlLine("payroll.csv", None, None)]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("file,rows,sha256\nroster.csv,many,\n", "行数"),
        ("file,rows,sha256\nroster.csv,1,abc\n", "校验值"),
        ("file,rows,sha256\n,1,\n", "文件名"),
        ("file,rows\na.csv,1\na.csv,2\n", "两次"),
        ("nothing,here\n1,2\n", "表头"),
        ("", "空"),
    ],
)
def test_a_control_file_that_cannot_be_read_is_refused(tmp_path, text, word):
    path = tmp_path / "control.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputRejected) as caught:
        read_control(path)
    assert word in caught.value.message
