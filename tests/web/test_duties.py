"""Duties, standards and reform tasks through the portal and the API."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from core.accounts import LOCALES, get_user
from tests.web.test_pages import check

UNIT, SCHOOL, FOREIGN = "3701001", "3701002", "3701031"
PAPER = "编委〔2026〕61号"
VERSION = f"""单位编码,文号,生效日期,部分,内容,正职,副职,编制类型,经费形式,编制数
{UNIT},{PAPER},2026-11-01,职责,拟订全市教育改革与发展规划并组织实施,,,,,
{UNIT},{PAPER},2026-11-01,职责,负责民办学校的设立审批和监督管理,,,,,
{UNIT},{PAPER},2026-11-01,职责,指导中小学教师队伍建设,,,,,
{UNIT},{PAPER},2026-11-01,内设机构,办公室,1,2,,,
{UNIT},{PAPER},2026-11-01,内设机构,行政审批科,1,1,,,
{UNIT},{PAPER},2026-11-01,领导职数,,1,3,,,
{UNIT},{PAPER},2026-11-01,编制,,,,行政,全额拨款,86
"""
ITEMS = f"""单位编码,事项编码,事项名称,事项类型,法定依据,承办机构,三定职责序号,起始日期,截止日期,编制类型,经费形式,编制数
{UNIT},370100-JY-001,民办学校设立审批,许可,《民办教育促进法》第十二条,行政审批科,2,2020-01-01,,行政,全额拨款,6
{UNIT},370100-JY-002,教师资格认定,确认,《教师法》第十三条,人事科,3,2020-01-01,,行政,全额拨款,3
{SCHOOL},370100-XX-001,学籍管理,其他,《义务教育法》,,,2020-01-01,,事业,全额拨款,240
"""
STANDARDS = f"""行业,层级,指标,每多少,编制数,取整,编制类型,起始日期,文号
高中,市,在校学生,12.5,1,进位取整,事业,2026-01-01,{PAPER}
"""
LOADS = f"单位编码,行业,指标,数量,截至日期,来源\n{SCHOOL},高中,在校学生,2680,2026-09-01,学籍系统\n"
TASKS = f"""单位编码,任务,期限,责任人账号,领导职数变化,编制类型,经费形式,编制变化
{UNIT},将民办学校设立审批职能划转至行政审批服务局，编制随转,2026-11-10,officer,,行政,全额拨款,-2
{SCHOOL},接收校医务室编制,2026-12-31,supervisor,,事业,全额拨款,+1
"""


def register(person) -> None:
    fields = {"doc_no": PAPER, "doc_date": "2026-10-30", "title": "关于市教育局三定规定的通知", "units": UNIT}
    person.post("/documents/new", fields, token_from="/documents/new", content_type="multipart/form-data")


def bring(person, kind: str, text: str, **more):
    fields = {"kind": kind, "file": (BytesIO(text.encode()), f"{kind}.csv"), **more}
    return person.post("/duties/import", fields, token_from="/duties/import", content_type="multipart/form-data")


def seed(office) -> None:
    register(office)
    for kind, text in (("determinations", VERSION), ("items", ITEMS), ("standards", STANDARDS), ("workloads", LOADS)):
        assert bring(office, kind, text).status_code == 303, kind
    assert bring(office, "reform", TASKS, document_no=PAPER, title="2026年市级机构改革方案").status_code == 303


def page_of(person, path: str) -> str:
    answer = person.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_of_duties_is_well_made(browser, db, locale):
    with db.write() as session:
        for login in ("reviewer", "auditor", "officer"):
            get_user(session, login).locale = locale
    office = browser("reviewer")
    seed(office)
    paths = (
        "/duties", "/duties?q=zzz", "/duties/checks", "/duties/checks?gap=UNKNOWN_BODY", "/duties/standards",
        f"/duties/units/{UNIT}", "/duties/reforms", "/duties/reforms?list=overdue",
        "/duties/reforms?list=ended", "/duties/reforms/GG2026-000001-001", "/duties/import?kind=standards",
    )  # fmt: skip
    for person in (office, browser("auditor"), browser("officer")):
        for path in paths:
            check(page_of(person, path), locale)
    check(page_of(office, f"/duties/units/{SCHOOL}"), locale)


def test_a_faulty_file_shows_every_fault_and_keeps_nothing(browser):
    office = browser("reviewer")
    register(office)
    answer = bring(office, "items", ITEMS.replace("许可,", "审批,").replace("240", "许多"))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    check(page)
    assert "items.csv 第 2 行 事项类型：没有“审批”这一种；请填写许可、处罚" in page
    assert "items.csv 第 4 行 编制数：“许多”不是 1 至 100000 的整数" in page
    assert "370100-JY-002" not in page_of(office, "/duties/checks")
    assert UNIT not in page_of(office, "/duties")


def test_a_certificate_takes_its_duties_from_the_version_in_force(browser):
    office = browser("reviewer")
    seed(office)
    office.post(f"/certificates/{UNIT}/renew", token_from=f"/certificates/{UNIT}")
    page = page_of(office, f"/certificates/{UNIT}")
    assert "1. 拟订全市教育改革与发展规划并组织实施" in page
    assert "办公室、行政审批科" in page
    check(page_of(office, f"/documents/{PAPER}"))
    assert f'/duties/units/{UNIT}"' in page_of(browser("officer"), f"/documents/{PAPER}")
    refused = office.post(
        f"/certificates/{UNIT}/record", {"kind": "DUTIES", "value": "x", "document_no": PAPER},
        token_from=f"/certificates/{UNIT}",
    )  # fmt: skip
    assert refused.status_code == 409


def test_what_stands_apart_is_listed_with_sentence_and_figures(browser, api):
    seed(browser("reviewer"))
    page = page_of(browser("officer"), "/duties/checks")
    assert "承办机构“人事科”不在现行三定规定的内设机构之中" in page
    got = api("officer").get("/api/v1/duties/checks?gap=UNKNOWN_BODY").json["items"]
    assert [(row["unit_code"], row["item_code"], row["figures"]) for row in got] == [
        (UNIT, "370100-JY-002", {"body": "人事科"})
    ]


def test_an_item_moved_by_the_office_leaves_its_posts_behind_and_that_is_seen(browser, api):
    office = browser("reviewer")
    seed(office)
    unit = api("reviewer").get(f"/api/v1/duties/units/{UNIT}").json
    item = next(row["id"] for row in unit["items"] if row["code"] == "370100-JY-001")
    path = f"/duties/items/{item}/move"
    assert browser("officer").post(path, {"taker": "3701021"}).status_code == 403
    assert browser("county").post(path, {"taker": "3701021"}).status_code == 404
    assert office.post(path, {"taker": "3701003"}, token_from=f"/duties/units/{UNIT}").status_code == 303
    gaps = api("reviewer").get("/api/v1/duties/checks").json["items"]
    moved = next(row for row in gaps if row["gap"] == "ITEM_WITHOUT_POSTS")
    assert (moved["unit_code"], moved["other_code"], moved["figures"]) == (UNIT, "3701003", {"assigned": 6, "days": 90})
    assert "市教育局" in moved["sentence"]
    assert api("reviewer").post(f"/api/v1/duties/items/{item}/move", json={}).status_code == 409


def test_units_are_held_against_their_standard_and_the_pool_takes_no_more(browser, api):
    office = browser("reviewer")
    seed(office)
    rows = api("officer").get("/api/v1/duties/standards").json["items"]
    assert [(row["unit_code"], row["standard"], row["quota"], row["over"]) for row in rows] == [(SCHOOL, 215, 252, 37)]
    body = {
        "pool_node": "CITY:370100", "giver": f"U:{SCHOOL}", "post_type": "INSTITUTION", "fund_form": "FULL",
        "purpose": "EDUCATION", "posts": 38, "source": "OVER_STANDARD", "document_no": PAPER,
    }  # fmt: skip
    answer = api("reviewer").post("/api/v1/pool/deposits", json=body, headers={"Idempotency-Key": "d1"})
    assert answer.status_code == 409
    assert answer.json["details"]["answer"] == "NOT_OVER_STANDARD"
    assert answer.json["message"] == "按配置标准应有 215 个，核定 252 个，超标准 37 个，不能收回 38 个。"


def step(person, number: str, move: str, **fields):
    page = page_of(person, f"/duties/reforms/{number}")
    version = re.search(r'name="version" value="(\d+)"', page)[1]
    return person.post(f"/duties/reforms/{number}/{move}", {"version": version, **fields})


def test_a_task_goes_from_office_to_unit_and_back_and_ends_when_booked(browser, api):
    office, officer = browser("reviewer"), browser("officer")
    seed(office)
    number = "GG2026-000001-001"
    assert "逾期" in page_of(officer, "/duties/reforms?list=overdue")
    assert step(officer, number, "start").status_code == 303
    assert step(officer, number, "report", note="已办理移交").status_code == 303
    assert "入账的编制变化与计划不符，不能办结" in page_of(office, f"/duties/reforms/{number}")
    client = api("reviewer")
    client.post("/api/v1/pool/cuts", headers={"Idempotency-Key": "c1"}, json={
        "holder": f"U:{UNIT}", "post_type": "ADMIN", "fund_form": "FULL", "posts": 2, "document_no": PAPER,
    })  # fmt: skip
    assert step(office, number, "link", document_no=PAPER).status_code == 303
    assert step(office, number, "finish").status_code == 303
    task = client.get(f"/api/v1/duties/reforms/{number}").json["task"]
    assert (task["status"], task["agrees"], task["documents"]) == ("DONE", True, [PAPER])
    assert client.post(f"/api/v1/duties/reforms/{number}/drop", json={"version": task["version"]}).status_code == 403


def test_what_lies_outside_the_scope_does_not_exist(browser, api):
    seed(browser("reviewer"))
    other, client = browser("other"), api("other")
    for path in (f"/duties/units/{UNIT}", "/duties/reforms/GG2026-000001-001", "/duties/reforms/GG2026-999999-001"):
        assert other.get(path).status_code == 404, path
        assert client.get(f"/api/v1{path}").status_code == 404, path
    for path in ("/duties", "/duties/checks", "/duties/standards", "/duties/reforms"):
        page = page_of(other, path)
        assert UNIT not in page, path
        assert SCHOOL not in page, path
    assert other.post("/duties/reforms/GG2026-000001-001/start", {"version": "1"}).status_code == 404
    assert bring(other, "items", ITEMS).status_code == 403
    refused = client.post("/api/v1/duties/files/workloads", json={"content": LOADS})
    assert refused.status_code == 409
    assert "没有这个单位" in refused.json["details"]["faults"][0]


def test_files_come_in_by_the_api_whole_and_once(browser, api):
    register(browser("reviewer"))
    client = api("reviewer")
    send = lambda book, content, **more: client.post(f"/api/v1/duties/files/{book}", json={"content": content, **more})
    assert send("determinations", VERSION).json["added"] == 1
    assert send("determinations", VERSION).json == {
        "kind": "determinations", "rows": 7, "added": 0, "changed": 0, "unchanged": 1, "plan": None,
    }  # fmt: skip
    assert send("reform", TASKS, document_no=PAPER, title="方案").json["plan"] == "GG2026-000001"
    assert send("nothing", "x").status_code == 422
    got = client.get(f"/api/v1/duties/units/{UNIT}").json["current"]
    assert (got["doc_no"], got["chief"], len(got["duties"]), got["bodies"][1]["name"]) == (PAPER, 1, 3, "行政审批科")
