"""Names written where no name belongs (a heading, the name of a file, a sheet or a folder) do not get past the gate."""

from __future__ import annotations

import io
import json

import pytest
import xlsxwriter
from sqlalchemy import select

from night.naming import RENAMED
from reconcile.models import Delivery, Verdict
from tests.homes import settings_in
from tests.leaks import Planted, leaks
from tests.nightkit import A, House, csv_text, deliver, good_books, member, person_id

# Of rare letters, so that two of them stand nowhere else.
IN_HEADING, IN_FILE, IN_SHEET, IN_CONTROL, IN_FOLDER, FIRST_ROW, IN_OTHER = (
    "亓骉", "仉韡皛", "郄羴", "逄犇翀", "厍燚", "昝鱻", "笪淼彧"
)  # fmt: skip
NAMES = (IN_HEADING, IN_FILE, IN_SHEET, IN_CONTROL, IN_FOLDER, FIRST_ROW, IN_OTHER)
NUMBERS = (person_id(777), person_id(888))
FILE = f"roster-{IN_FILE}的名册（更正）.csv"


def workbook(rows: list[dict]) -> bytes:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        for name in (IN_SHEET, "另附"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, list(rows[0]))
            for line, row in enumerate(rows, 1):
                sheet.write_row(line, 0, list(row.values()))
            rows = [row | {"person_id": "", "status": "不明"} for row in rows]
    return held.getvalue()


def planted_inbox(house: House) -> None:
    books = good_books(4)
    books["roster"] = [row | {IN_HEADING: "", NUMBERS[0]: ""} for row in books["roster"]]
    folder = deliver(house.inbox, A, "990102", **books)
    (folder / "roster-2.xlsx").write_bytes(workbook([member(8), member(9)]))
    (folder / FILE).write_text(csv_text([member(5), member(6, status="不明")]), encoding="utf-8")
    # A list without a heading row: its first person is where the headings should be.
    headless = csv_text([member(1, person_name=FIRST_ROW)]).split("\n", 1)[1]
    (folder / "leads.csv").write_text(headless, encoding="utf-8")
    (folder / f"通讯录{IN_OTHER}{NUMBERS[1]}.csv").write_text("x\n", encoding="utf-8")
    control = f"file,rows\n{FILE},3\nroster-{IN_CONTROL}.csv,1\n"
    (folder / "control.csv").write_text(control, encoding="utf-8")
    deliver(house.inbox, A, IN_FOLDER, limits="x\n")


@pytest.fixture
def house(tmp_path) -> House:
    house = House(settings_in(tmp_path / "home"))
    house.inbox = tmp_path / "inbox"
    planted_inbox(house)
    return house


def test_no_artefact_names_them_and_every_file_is_read_found_and_told_of(house):
    house.night()
    planted = Planted.of(NUMBERS, NAMES)
    assert planted.names == set(NAMES)
    assert leaks([house.settings.raw_dir], planted)
    found = leaks([house.settings.home], planted, (house.settings.raw_dir,))
    assert {place: len(whom) for place, whom in found.items()} == {}
    rows = house.query(
        select(Delivery.division_code, Delivery.file, Delivery.book, Delivery.remark, Delivery.control_rows)
    )
    held = {row.file: row for row in rows}
    [name] = [name for name in held if name.startswith("roster-仉＊＊＊名册（更正）〔")]
    assert held[name].control_rows == 3
    assert RENAMED in held[name].remark
    # Eight columns are known; a name and a number follow.
    assert "不认识、未使用的列：第8列（H列，未识别的表头）、第9列（I列，未识别的表头）" in held["roster.csv"].remark
    assert "第1张" in held["roster-2.xlsx"].remark
    [row] = house.query(select(Verdict.reasons).where(Verdict.book == "roster", Verdict.division_code == "990102"))
    reasons = {reason["code"]: reason for reason in json.loads(row.reasons)}
    assert f"{name}：control.csv 写 3 条记录，读到 2 条" in row.reasons
    assert row.reasons.count("control.csv 列有此文件而未收到") == 1
    assert reasons
    [leads] = house.query(select(Verdict.reasons).where(Verdict.book == "leads"))
    assert "leads.csv" in leads.reasons
    assert "表头" in leads.reasons
    assert any(row.division_code.startswith("厍＊〔") for row in rows)


def test_a_night_run_again_finds_the_same_files_and_takes_them_over(house):
    house.night()
    before = house.query(select(Delivery.file, Delivery.sha256).order_by(Delivery.id))
    house.night()
    assert house.query(select(Delivery.file, Delivery.sha256).order_by(Delivery.id)) == before
