"""expectations.readers on Parquet: every type as text, numbers marked, damage refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from core.errors import InputRejected
from expectations.books import BOOKS
from expectations.readers import read_file

LABELS = ["身份证号", "姓名", "机构编码", "编制类型", "经费形式", "人员状态"]
NAMES = ["person_id", "person_name", "unit_code", "post_type", "fund_form", "status"]
ROW = ["11010519491231002X", "张三", "007", "行政", "全额", "在职"]


def refused(path, book="roster"):
    with pytest.raises(InputRejected) as caught:
        read_file(path, BOOKS[book])
    return caught.value


def parquet(tmp_path, columns):
    path = tmp_path / "book.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_parquet_text_stays_and_numbers_are_marked(tmp_path):
    path = parquet(
        tmp_path,
        {
            "month": pa.array(["2026-10"] * 3).dictionary_encode(),
            "身份证号": pa.array([110105194912310020, None, 1], pa.int64()),
            "姓名": ["NA", None, "null"],
            "单位编码": ["007", "008", " 009 "],
            "保障方式": pa.array([1.0, 2.0, None]),
            "人员状态": pa.array([3, 3, 3], pa.int8()),
            "是否在编": [True, False, None],
            "金额": pa.array([Decimal("1234.50"), Decimal("-1.00"), None], pa.decimal128(12, 2)),
            "extra": pa.nulls(3),
        },
    )
    table = read_file(path, BOOKS["payroll"])
    assert table.frame.to_numpy().tolist() == [
        ["2026-10", "110105194912310020", "NA", "007", "1", "3", "TRUE", "1234.5", 1],
        ["2026-10", "", "", "008", "2", "3", "FALSE", "-1", 2],
        ["2026-10", "1", "null", "009", "", "3", "", "", 3],
    ]
    assert table.is_numeric("person_id").tolist() == [True, False, True]
    assert sorted(table.numeric) == ["amount", "fund_mode", "person_id", "person_state"]
    assert table.unknown == ["第9列（I列，未识别的表头）"]


def test_parquet_dates_become_iso_text_in_local_time(tmp_path):
    moment = datetime(2012, 3, 4, 16, 0, tzinfo=UTC)
    path = parquet(
        tmp_path,
        {
            **{label: [cell] for label, cell in zip(LABELS, ROW, strict=True)},
            "入编时间": pa.array([date(2012, 3, 5)]),
            "出编时间": pa.array([moment], pa.timestamp("us", "UTC")),
            "入编登记时间": pa.array([datetime.fromisoformat("2012-03-05T08:30:00.000005")], pa.timestamp("us")),
        },
    )
    cells = read_file(path, BOOKS["roster"]).frame.iloc[0]
    assert cells[["entry_date", "exit_date", "entry_registered"]].tolist() == [
        "2012-03-05",
        "2012-03-05",
        "2012-03-05 08:30:00",
    ]


def test_parquet_totals_and_floats(tmp_path):
    path = parquet(
        tmp_path,
        {
            "机构编码": ["007", "合计"], "编制类型": ["行政", None], "经费形式": ["全额", None],
            "编制数": [12.0, 13.0], "文号": ["甲", None], "载体": ["账", None],
        },
    )  # fmt: skip
    table = read_file(path, BOOKS["establishment"])
    assert table.frame["quota"].tolist() == ["12"]
    assert [(t.row, t.stated, t.computed) for t in table.totals] == [(2, "13", "12")]


def test_a_parquet_of_no_rows_is_read(tmp_path):
    table = read_file(parquet(tmp_path, {label: pa.array([], pa.string()) for label in LABELS}), BOOKS["roster"])
    assert len(table.frame) == 0
    assert table.missing == []


def test_damaged_disguised_and_nested_parquet_is_refused(tmp_path):
    path = parquet(tmp_path, {label: [cell] for label, cell in zip(LABELS, ROW, strict=True)})
    whole = path.read_bytes()
    for part in (whole[: len(whole) // 2], whole[:-1], whole[:8]):
        path.write_bytes(part)
        assert "损坏" in refused(path).message
    path.write_bytes(b"PK\x03\x04")
    assert "xlsx" in refused(path).message
    path.write_bytes(b"")
    assert "空" in refused(path).message
    nested = parquet(tmp_path, {**{label: [cell] for label, cell in zip(LABELS, ROW, strict=True)}, "职级": [["a"]]})
    assert "类型" in refused(nested).message


def test_the_same_records_come_from_every_format(tmp_path):
    rows = [[f"{n:018d}", f"张{n}", f"{n:03d}", "行政", "全额", "在职"] for n in range(30)]
    columns = dict(zip(LABELS, map(list, zip(*rows, strict=True)), strict=True))
    pd.DataFrame(columns).to_csv(tmp_path / "roster.csv", index=False)
    with xlsxwriter.Workbook(str(tmp_path / "roster.xlsx")) as workbook:
        sheet = workbook.add_worksheet()
        for number, row in enumerate([LABELS, *rows]):
            sheet.write_row(number, 0, row)
    for path in (tmp_path / "roster.csv", tmp_path / "roster.xlsx", parquet(tmp_path, columns)):
        assert read_file(path, BOOKS["roster"]).frame[NAMES].to_numpy().tolist() == rows
