"""expectations.readers on delimited files: the same records come back through every encoding and every kind of dirt."""

import codecs
import csv
import io
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import InputRejected
from expectations.books import BOOKS
from expectations.grids import OUTER_SPACES
from expectations.readers import read_file

ROSTER = BOOKS["roster"]
LABELS = ["身份证号", "姓名", "机构编码", "编制类型", "经费形式", "人员状态"]
NAMES = ["person_id", "person_name", "unit_code", "post_type", "fund_form", "status"]
HEADER = ",".join(LABELS)
ROW = ["11010519491231002X", "张三", "007", "行政", "全额", "在职"]
FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@pytest.fixture
def read(tmp_path):
    def _read(content, book="roster", name="roster.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_file(path, BOOKS[book])

    return _read


def written(rows, delimiter=",", ending="\r\n", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting).writerows(rows)
    return out.getvalue()


def records(table):
    return table.frame[NAMES].to_numpy().tolist()


def rejection(read, content, **more):
    with pytest.raises(InputRejected) as caught:
        read(content, **more)
    return caught.value


ENCODINGS = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with BOM": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16 LE": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16 BE": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16 LE bare": lambda text: text.encode("utf-16-le"),
    "utf-16 BE bare": lambda text: text.encode("utf-16-be"),
    "gb18030": lambda text: text.encode("gb18030"),
}
CELLS = st.text(
    alphabet=st.one_of(
        st.sampled_from("NAonelu张三䶮㛃𬭎一乙,;\t\"'\n 　·0１a.-￥"),
        st.characters(min_codepoint=0x20, max_codepoint=0x2FFFF, exclude_categories=("Cs", "Co", "Cn", "Cc")),
    ),
    max_size=6,
)


@FIXTURES
@given(
    cells=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    delimiter=st.sampled_from([",", ";", "\t"]),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_was_written_comes_back(tmp_path, cells, encoding, delimiter, ending, quoting):
    rows = [
        [f"{number:018d}", name, "007", "行政", "全额", "在职", other] for number, (name, other) in enumerate(cells)
    ]
    # Python's writer leaves a bare \n unquoted where lines end in \r.
    quoting = csv.QUOTE_ALL if ending == "\r" else quoting
    text = written([[*LABELS, "职级"], *rows], delimiter, ending, quoting)
    path = tmp_path / "roster.csv"
    path.write_bytes(ENCODINGS[encoding](text))
    table = read_file(path, ROSTER)
    expected = [[cell.strip(OUTER_SPACES) for cell in row] for row in rows]
    assert table.frame[[*NAMES, "rank"]].to_numpy().tolist() == expected
    assert table.frame["row"].tolist() == list(range(2, len(rows) + 2))
    assert table.missing == table.unknown == table.totals == []


@pytest.mark.parametrize("encoding", sorted(ENCODINGS))
def test_rare_names_survive_every_encoding(read, encoding):
    rows = [["1", name, "007", "行政", "全额", "在职"] for name in ("䶮", "㛃", "𬭎", "一二", "阿依·古丽")]
    table = read(ENCODINGS[encoding](written([LABELS, *rows])))
    assert records(table) == rows
    assert table.encoding == encoding.split(" ")[0] + ("-" + encoding.split(" ")[1].lower() if "16" in encoding else "")


def test_private_area_characters_of_old_gb18030_become_the_real_ones(read):
    content = f"{HEADER}\n1,".encode("gb18030") + b"\xfe\x59\xfe\x51" + ",007,行政,全额,在职\n".encode("gb18030")
    assert read(content).frame["person_name"].tolist() == ["\u9fb4\U00020087"]


def test_missing_looking_names_are_people(read):
    names = ["NA", "None", "null", "NaN", "nan", "N/A", "#N/A", "-", "TRUE", "1E5", "NULL"]
    table = read(written([LABELS, *[["1", name, *ROW[2:]] for name in names]]))
    assert table.frame["person_name"].tolist() == names
    assert str(table.frame["person_name"].dtype) == "str"


def test_leading_zeros_full_width_digits_and_long_numbers_stay_text(read):
    table = read(
        written(
            [
                LABELS,
                ["000110105491231002", "张三", "007", "行政", "全额", "在职"],
                ["１１", "李四", "００８", *ROW[3:]],
            ]
        )
    )
    assert table.frame["unit_code"].tolist() == ["007", "００８"]
    assert table.frame["person_id"].tolist() == ["000110105491231002", "１１"]
    assert table.numeric == {}
    assert not table.is_numeric("person_id").any()


def test_column_order_unknown_columns_and_dirty_headers_do_not_matter(read):
    header = "序号,*姓名：,身份证号(必填),DWBM, 编制 类型 ,经费形式（全额/差额）,3、人员状态,备注"
    table = read(f"{header}\n1,张三,11010519491231002X,007,行政,全额,在职,旧档\n")
    assert records(table) == [ROW]
    assert table.unknown == ["序号", "备注"]
    assert list(table.frame.columns) == ["person_name", "person_id", *NAMES[2:], "row"]


def test_title_rows_number_rows_blank_rows_and_notes_are_no_records(read):
    table = read(
        "某市实名制名册　截至2026年10月31日,,,,,\n,,,,,\n"
        f"{HEADER}\n1,2,3,4,5,6\n{','.join(ROW)}\n,,,,,\n\n　, ,,,,\n"
        f"{HEADER}\n2,李四,008,行政,全额,在职\n小　计,2\n合 计：,2\n注：不含编外人员，另表报送\n1. 数据由各单位报送\n制表人：某某,,审核人：某某,,制表日期：2026-11-02\n"
    )
    assert records(table) == [ROW, ["2", "李四", "008", "行政", "全额", "在职"]]
    assert table.frame["row"].tolist() == [5, 10]
    assert table.cutoffs == [date(2026, 10, 31)]
    assert any("重复的表头" in remark for remark in table.remarks)


def test_a_record_that_looks_like_a_note_or_a_total_is_kept(read):
    rows = [
        ["11010519491231002X", "合计", "007", "行政", "全额", "在职"],
        ["2", "小计", "008", "行政", "全额", "在职"],
        ["", "张三", "说明", "行政", "全额", "在职"],
        ["", "注：", "009", "行政", "全额", "在职"],
    ]
    assert records(read(written([LABELS, *rows]))) == rows


def test_a_unit_called_subtotal_office_is_a_unit(read):
    table = read(
        "机构编码,单位名称,行政区划代码,层级,机构类别\n1,小计办公室,370104,县,机关\n2,合计局,370104,县,机关\n", "units"
    )
    assert table.frame["unit_name"].tolist() == ["小计办公室", "合计局"]


def test_an_incomplete_last_record_is_not_taken_for_a_note(read):
    table = read(f"{HEADER}\n{','.join(ROW)}\n,李四,,,,\n370104199001011234,,,,,\n")
    assert len(table.frame) == 3


def test_line_breaks_and_delimiters_in_quotes_do_not_shift_rows(read):
    table = read(
        f'{HEADER}\r\n1,"张\n三",007,行政,全额,在职\r\n2,"李,四 ""小李""",007,行政,全额,在职\r\n3,王五,007,行政,全额,在职'
    )
    assert table.frame["person_name"].tolist() == ["张\n三", '李,四 "小李"', "王五"]
    assert table.frame["row"].tolist() == [2, 3, 4]


def test_shorter_rows_are_filled_with_blanks(read):
    for quote in ("", '"'):
        table = read(f"{HEADER}\n1,{quote}张三{quote},007\n{','.join(ROW)}\n\n2\n")
        assert records(table) == [["1", "张三", "007", "", "", ""], ROW, ["2", "", "", "", "", ""]]
        assert table.frame["row"].tolist() == [2, 3, 5]


def test_trailing_delimiters_are_harmless(read):
    table = read(f"{HEADER}\n{','.join(ROW)},,,\n{','.join(ROW)}\n注：一,二,三,四,五,六,七,八\n")
    assert records(table) == [ROW, ROW]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_row_longer_than_its_header_is_refused_by_number(read, quote):
    error = rejection(read, f"{HEADER}\n{','.join(ROW)}\n1,{quote}张{quote},三,007,行政,全额,在职\n")
    assert error.details["row"] == 3
    assert "roster.csv" in error.message
    assert "第 3 行" in error.message


def test_a_slipped_row_is_refused_though_the_header_has_blank_columns(read):
    error = rejection(read, f"{HEADER},,\n1,张,三,007,行政,全额,在职,,\n")
    assert error.details["row"] == 2


@pytest.mark.parametrize("tail", ['2,"李四,007,行政,全额,在职\n', '2,"李"四,007,行政,全额,在职\n'])
def test_broken_quotes_are_refused_by_row(read, tail):
    error = rejection(read, f"{HEADER}\n{','.join(ROW)}\n{tail}")
    assert error.details["row"] == 3
    assert "李" not in error.message


@pytest.mark.parametrize("content", [b"", b"\n\n \n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE + "\n".encode("utf-16-le")])
def test_an_empty_file_is_refused(read, content):
    assert "空" in rejection(read, content).message


def test_a_file_of_only_a_header_has_no_records(read):
    table = read(HEADER + "\n")
    assert len(table.frame) == 0
    assert list(table.frame.columns) == [*NAMES, "row"]
    assert table.missing == []


def test_missing_required_columns_are_listed(read):
    table = read("姓名,机构编码,编制类型\n张三,007,行政\n")
    assert table.missing == ["person_id", "fund_form", "status"]


def test_a_file_with_another_header_is_refused_with_the_labels_wanted(read):
    error = rejection(read, "商品,价格\n苹果,3\n")
    assert all(label in error.message for label in LABELS)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"PK\x03\x04 and so on", "xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"),
        (b"<html><table><tr><td>1", "html"),
        (b"PAR1\x00", "Parquet"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x00\x01\x02\x00\x07" * 50, "零字节"),
        (HEADER.encode() + b"\n1,\x00,2,3,4,5\n" * 3, "零字节"),
    ],
)
def test_a_disguised_or_binary_file_is_refused_with_what_it_is(read, content, word):
    assert word in rejection(read, content).message


def test_damaged_utf8_is_not_read_as_other_names_in_gb18030(read):
    damaged = (
        "person_id,person_name,unit_code,post_type,fund_form,status\n" + "1,张三丰,007,ADMIN,FULL,IN_SERVICE\n" * 5
    )
    content = damaged.encode() + b"2,\xe5\xbc,007,ADMIN,FULL,IN_SERVICE\n"
    error = rejection(read, content)
    assert error.details["row"] == 7
    assert "UTF-8" in error.message


def test_bytes_of_no_encoding_are_refused_by_row(read):
    content = HEADER.encode("gb18030") + b"\n1,\xd5\xc5,007,\xff\xff,1,2\n"
    assert rejection(read, content).details["row"] == 2


def test_a_column_given_twice_is_united_or_refused(read):
    header = "身份证号,公民身份号码,姓名,机构编码,编制类型,经费形式,人员状态"
    table = read(f"{header}\n1,,张三,007,行政,全额,在职\n,2,李四,007,行政,全额,在职\n3,３,王五,007,行政,全额,在职\n")
    assert table.frame["person_id"].tolist() == ["1", "2", "3"]
    error = rejection(read, f"{header}\n1,1,张三,007,行政,全额,在职\n1,2,张三,007,行政,全额,在职\n")
    assert error.details["row"] == 3
    assert "身份证号" in error.message


def test_a_bracketed_variant_beside_a_column_is_another_column(read):
    table = read("身份证号,姓名,姓名（拼音）,机构编码,编制类型,经费形式,人员状态\n1,张三,zhangsan,007,行政,全额,在职\n")
    assert table.frame["person_name"].tolist() == ["张三"]
    assert table.unknown == ["姓名（拼音）"]


@pytest.mark.parametrize("top", ["", "工资表　单位：万元,,,,,,,\n"])
def test_amounts_not_in_yuan_are_refused(read, top):
    header = "月份,身份证号,姓名,单位编码,保障方式,人员状态,是否在编," + ("金额" if top else "金额（万元）")
    error = rejection(read, f"{top}{header}\n2026-10,1,张三,007,1,3,1,0.5\n", book="payroll")
    assert "元为单位" in error.message


def test_two_header_rows_are_read_together(read):
    table = read(
        "身份证号,姓名,单位,,编制,,人员状态,原单位,,\n,,名称,编码,类型,经费形式,,编码,层级,经费形式\n"
        "1,张三,某局,007,行政,全额,在职,008,县,差额\n"
    )
    row = table.frame.iloc[0]
    assert (row["unit_code"], row["fund_form"], row["from_level"], row["from_fund_form"]) == (
        "007",
        "全额",
        "县",
        "差额",
    )
    assert (row["from_unit"], row["row"]) == ("008", 3)


def test_the_fast_and_the_careful_reading_agree(read):
    rows = [[f"{n}", f"张{n}", "007", "行政", "全额", "在职"] for n in range(50)]
    plain = written([LABELS, *rows])
    lines = plain.split("\r\n")
    lines[7:7] = ["", "小计,7", "短,行"]
    odd = "\n".join(lines)
    quoted = odd.replace("张49", '"张49"')
    assert read(odd).frame.equals(read(quoted).frame)
    assert read(odd).frame["row"].tolist()[-1] == 54


def test_an_unknown_extension_is_refused(read):
    assert ".csv" in rejection(read, "x", name="roster.txt").message


def test_messages_and_remarks_never_hold_a_cell(read):
    table = read(f"{HEADER}\n{','.join(ROW)}\n注：王某某的说明\n制表人：李某某\n")
    assert not any("某" in remark for remark in table.remarks)
