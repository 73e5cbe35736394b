"""Duties, standards and reform on both databases: imports whole or not at all, versions dated, movements linked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.errors import Forbidden, InputRejected, NotFound, Refused
from core.standards import StaffingStandard, UnitWorkload
from pool.service import cut_posts, deposit_posts, grant_posts, transfer_posts
from pool.service_reversal import reverse_movement
from pool.standards import measured
from staffing.certificate_pdf import Press
from staffing.certificate_store import Due, certificate_due, facts_of
from staffing.certificates import record_fact, renew_certificate
from staffing.determination_store import determinations_of, in_force
from staffing.documents import Registration, register_document
from staffing.duties_check import Gap
from staffing.duty_files import FileKind
from staffing.duty_findings import findings
from staffing.duty_import import Delivered, import_file
from staffing.duty_items import item_rows, move_item, posts_of
from staffing.duty_models import Determination, DutyItem
from staffing.signing import Signer
from tests.poolkit import FULL, K2, UNITS, Province, found_province

PAPER, OTHER = "编委〔2026〕8号", "编委〔2026〕9号"
VERSION = f"""单位编码,文号,生效日期,部分,内容,正职,副职,编制类型,经费形式,编制数
A1,{PAPER},2026-10-01,职责,拟订规划,,,,,
A1,{PAPER},2026-10-01,职责,监督检查,,,,,
A1,{PAPER},2026-10-01,内设机构,办公室,1,2,,,
A1,{PAPER},2026-10-01,领导职数,,1,2,,,
A1,{PAPER},2026-10-01,编制,,,,事业,全额拨款,6
"""
ITEMS = """单位编码,事项编码,事项名称,事项类型,法定依据,承办机构,三定职责序号,起始日期,截止日期,编制类型,经费形式,编制数
A1,X1,办学许可,许可,民办教育促进法,办公室,2,2020-01-01,,事业,全额拨款,4
A2,X2,日常检查,检查,条例,,,2020-01-01,,事业,全额拨款,1
"""
STANDARDS = f"""行业,层级,指标,每多少,编制数,取整,编制类型,起始日期,文号
小学,县,在校学生,19,1,进位取整,事业,2026-01-01,{PAPER}
小学,县,在校学生,20,1,进位取整,事业,2027-01-01,{PAPER}
"""
LOADS = "单位编码,行业,指标,数量,截至日期,来源\nA1,小学,在校学生,77,2026-09-01,学籍库\n"


@pytest.fixture
def province(database_url) -> Province:
    made = found_province(engine_for(database_url))
    for number in (PAPER, OTHER):
        made.do(register_document, "reviewer", Registration(number, date(2026, 9, 30), f"文件{number}"))
    return made


def bring(province: Province, kind: str, text: str, login: str = "reviewer", **more):
    given = Delivered(FileKind(kind), f"{kind}.csv", text.encode(), **more)
    return province.do(import_file, login, given)


def count(province: Province, table) -> int:
    with reading(province.engine) as session:
        return session.scalar(select(func.count()).select_from(table))


def gaps(province: Province, login: str = "reviewer") -> list[Gap]:
    with reading(province.engine) as session:
        return [each.gap for each in findings(session, province.act(login).by, province.today)]


def test_a_version_is_kept_with_all_it_says_and_once(province):
    assert bring(province, "determinations", VERSION)["added"] == 1
    assert bring(province, "determinations", VERSION)["added"] == 0
    with reading(province.engine) as session:
        version = in_force(session, ["A1"], province.today)["A1"]
    assert version.duties == ("拟订规划", "监督检查")
    assert version.bodies == (("办公室", 1, 2),)
    assert version.quotas == {FULL: 6}
    assert version.tiers() == {"CHIEF": 1, "DEPUTY": 2, "INNER_CHIEF": 1, "INNER_DEPUTY": 2}


def test_versions_are_dated_and_the_newest_begun_is_in_force(province):
    bring(province, "determinations", VERSION)
    later = VERSION.replace("2026-10-01", "2027-03-01").replace("拟订规划", "拟订中长期规划")
    bring(province, "determinations", later)
    with reading(province.engine) as session:
        held = determinations_of(session, ["A1"])["A1"]
        assert [version.row.valid_from for version in held] == [date(2027, 3, 1), date(2026, 10, 1)]
        said = lambda on: in_force(session, ["A1"], on)["A1"].duties[0]
        assert said(date(2027, 2, 28)) == "拟订规划"
        assert said(date(2027, 3, 1)) == "拟订中长期规划"
        assert in_force(session, ["A1"], date(2026, 9, 30)) == {}
    with pytest.raises(DBAPIError), writing(province.engine) as session:
        session.connection().exec_driver_sql("UPDATE determination_duty SET text = 'x'")


@pytest.mark.parametrize(
    ("kind", "good", "bad", "table"),
    [
        ("items", ITEMS, "A2,X3,某事项,审批,条例,,,2020-01-01,,,,\n", DutyItem),
        ("items", ITEMS, "B1,X3,某事项,检查,条例,,,2020-01-01,,,,\n", DutyItem),
        ("items", ITEMS, "A2,X2,日常检查,检查,条例,,,2021-01-01,,,,\n", DutyItem),
        ("items", ITEMS, "A2,X4,某事项,检查,条例,,1,2020-01-01,,,,\n", DutyItem),
        ("workloads", LOADS, "A1,小学,在校学生,80,2099-09-01,学籍库\n", UnitWorkload),
        ("standards", STANDARDS, "小学,县,在校学生,0,1,进位取整,事业,2026-01-01,文\n", StaffingStandard),
        ("determinations", VERSION, "A2,没有的文号,2026-10-01,职责,某职责,,,,,\n", Determination),
    ],
)
def test_a_file_with_one_bad_row_leaves_nothing_behind(province, kind, good, bad, table):
    if kind == "items":
        bring(province, "determinations", VERSION)
    events = count(province, AuditEvent)
    with pytest.raises(InputRejected) as caught:
        bring(province, kind, good + bad)
    row = good.count("\n") + 1
    assert f"{kind}.csv 第 {row} 行" in caught.value.message
    assert count(province, table) == 0
    assert count(province, AuditEvent) == events
    bring(province, kind, good)
    assert count(province, table) > 0


def test_only_the_office_keeps_duties_and_standards(province):
    for kind, text in (("determinations", VERSION), ("items", ITEMS), ("standards", STANDARDS)):
        with pytest.raises(Forbidden):
            bring(province, kind, text, "officer-a1")
    bring(province, "workloads", LOADS, "officer-a1")
    with pytest.raises(InputRejected, match="没有这个单位"):
        bring(province, "workloads", LOADS, "officer-a2")
    with pytest.raises(InputRejected, match="没有这个单位"):
        bring(province, "items", ITEMS, "reviewer3")
    with pytest.raises(NotFound):
        bring(province, "standards", STANDARDS, "reviewer", division="990103")


def test_a_certificate_says_what_the_version_in_force_says_and_nothing_else_may(province, tmp_path):
    province.grant("A1", 6)
    province.do(record_fact, "reviewer", "A1", "DUTIES", "原职责", "编委1")
    press = Press(tmp_path, "https://portal.example.org", Signer.of("s" * 40))
    province.do(renew_certificate, "reviewer", "A1", press)
    bring(province, "determinations", VERSION)
    with reading(province.engine) as session:
        facts = facts_of(session, ["A1"], province.today)["A1"]
        assert facts.duties == "1. 拟订规划\n2. 监督检查"
        assert facts.inner_bodies == ("办公室",)
        assert facts.leader_posts["INNER_DEPUTY"] == 2
        assert PAPER in {line.doc_no for line in facts.documents}
        assert certificate_due(session, ["A1"], province.today) == {"A1": Due.CHANGED}
    with pytest.raises(Refused, match="三定"):
        province.do(record_fact, "reviewer", "A1", "DUTIES", "别的职责", "编委1")


def test_the_same_items_again_change_nothing_and_posts_follow_the_file(province):
    bring(province, "determinations", VERSION)
    assert bring(province, "items", ITEMS)["added"] == 2
    again = bring(province, "items", ITEMS)
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, 2)
    changed = bring(province, "items", ITEMS.replace(",事业,全额拨款,4", ",事业,全额拨款,5"))
    assert changed["changed"] == 1
    with reading(province.engine) as session:
        row = item_rows(session, ["A1"])[0]
        assert posts_of(session, [row.id])[row.id] == {FULL: 5}
    with pytest.raises(InputRejected, match="已登记而内容不同"):
        bring(province, "items", ITEMS.replace("日常检查", "专项检查"))
    ended = ITEMS.replace("2020-01-01,,事业,全额拨款,1", "2020-01-01,2026-10-19,事业,全额拨款,1")
    assert bring(province, "items", ended)["changed"] == 2  # ended, and the other has its 4 posts again
    bring(province, "items", ITEMS.replace("A2,X2,日常检查,检查,条例,,,2020-01-01", "A2,X2,专项检查,检查,条例,,,2026-10-20").replace(
        "A1,X1,办学许可,许可,民办教育促进法,办公室,2,2020-01-01,,事业,全额拨款,4\n", ""))  # fmt: skip


def test_a_function_moved_without_its_posts_is_seen_until_the_posts_follow(province):
    bring(province, "determinations", VERSION)
    bring(province, "items", ITEMS)
    province.grant("A1", 4)
    province.grant("A2", 1)
    assert gaps(province) == []
    item = next(row for row in _items(province) if row.code == "X1")
    province.do(move_item, "reviewer", item.id, "A2", None)
    assert gaps(province) == [Gap.ITEM_WITHOUT_POSTS, Gap.ITEM_UNSTAFFED]
    assert Gap.ITEM_WITHOUT_POSTS in gaps(province, "officer-a2")
    assert gaps(province, "reviewer3") == []
    moved = province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 4, PAPER)["movement"]
    assert Gap.ITEM_WITHOUT_POSTS not in gaps(province)
    province.do(reverse_movement, "director", moved, OTHER)
    assert Gap.ITEM_WITHOUT_POSTS in gaps(province)
    with pytest.raises(Refused):
        province.do(move_item, "reviewer", item.id, "A2", None)


def test_posts_transferred_without_a_function_are_seen(province):
    bring(province, "determinations", VERSION)
    bring(province, "items", ITEMS)
    province.grant("A1", 6)
    province.do(transfer_posts, "reviewer", "U:A1", "U:A2", *FULL, 1, PAPER)
    assert Gap.POSTS_WITHOUT_ITEM in gaps(province)
    item = next(row for row in _items(province) if row.code == "X1")
    province.do(move_item, "reviewer", item.id, "A2", None)
    assert Gap.POSTS_WITHOUT_ITEM not in gaps(province)


def test_a_unit_is_told_of_a_cut_here_and_a_grant_there_too(province):
    bring(province, "determinations", VERSION)
    bring(province, "items", ITEMS)
    province.grant("A1", 6)
    province.do(cut_posts, "reviewer", "U:A1", *FULL, 2, PAPER)
    province.do(grant_posts, "reviewer", "U:A2", *FULL, 2, PAPER)
    with reading(province.engine) as session:
        for login, unit in (("reviewer", None), ("reviewer", "A1"), ("officer-a1", "A1"), ("officer-a2", "A2")):
            found = findings(session, province.act(login).by, province.today, unit and [unit])
            moved = [each for each in found if each.gap is Gap.POSTS_WITHOUT_ITEM]
            assert [(each.unit_code, each.other_code, each.figures["posts"]) for each in moved] == [("A1", "A2", 2)], (
                login
            )


def _items(province: Province) -> list[DutyItem]:
    with reading(province.engine) as session:
        return item_rows(session, UNITS)


def over(province: Province) -> list[tuple]:
    with reading(province.engine) as session:
        return [(row.unit_code, row.standard, row.quota, row.over) for row in measured(session, None, province.today)]


def test_a_unit_is_held_against_its_standard_of_the_day(province):
    province.grant("A1", 7)
    assert over(province) == []
    bring(province, "standards", STANDARDS)
    assert over(province) == []
    bring(province, "workloads", LOADS)
    assert over(province) == [("A1", 5, 7, 2)]
    bring(province, "workloads", LOADS.replace("77", "96").replace("09-01", "10-01"))
    assert over(province) == [("A1", 6, 7, 1)]
    province.pass_days(90)
    assert over(province) == [("A1", 5, 7, 2)]
    city = STANDARDS.replace("小学,县,在校学生,20", "小学,县,在校学生,10")
    bring(province, "standards", city, "cityreviewer")
    assert over(province) == [("A1", 5, 7, 2)]  # the county's own wins over the city's


def test_the_standard_of_the_division_above_holds_where_there_is_no_nearer_one(province):
    province.grant("A1", 7)
    bring(province, "standards", STANDARDS, "cityreviewer")
    bring(province, "workloads", LOADS)
    assert over(province) == [("A1", 5, 7, 2)]


def deposit(province: Province, posts: int, source: str = "OVER_STANDARD"):
    return province.do(
        deposit_posts, "reviewer", K2, *FULL, "HEALTH", posts, source, PAPER, giver="U:A1"
    )  # fmt: skip


def test_what_is_not_over_standard_is_not_taken_as_such(province):
    province.grant("A1", 7)
    bring(province, "standards", STANDARDS)
    bring(province, "workloads", LOADS)
    with pytest.raises(Refused) as caught:
        deposit(province, 3)
    assert caught.value.details == {"answer": "NOT_OVER_STANDARD", "standard": 5, "quota": 7, "over": 2, "needs": 3}
    deposit(province, 2)
    with pytest.raises(Refused):
        deposit(province, 1)
    deposit(province, 1, "RECLAIM")


def test_of_two_deposits_at_once_the_second_finds_nothing_left_over(province):
    province.grant("A1", 7)
    bring(province, "standards", STANDARDS)
    bring(province, "workloads", LOADS)
    together = Barrier(2)

    def run(_: int) -> bool:
        together.wait()
        try:
            return bool(deposit(province, 2))
        except Refused:
            return False

    province.act("reviewer")
    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(run, range(2))) == [False, True]
    assert over(province) == [("A1", 5, 5, 0)]


def test_without_a_standard_or_a_workload_nothing_is_refused(province):
    province.grant("A1", 3)
    bring(province, "standards", STANDARDS)
    deposit(province, 1)
