"""Duties in a real browser: files handed in, what stands apart, a reform task worked off; every page fits a phone and axe
finds nothing serious on it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_portal_browser import PHONE, chromium, portal, signed_in  # noqa: F401 (fixtures)
from tests.e2e.test_sunshine_browser import DESKTOP, looked_at
from tests.web.test_duties import ITEMS, LOADS, PAPER, STANDARDS, TASKS, UNIT, VERSION

TASK = "GG2026-000001-001"
PATHS = (
    "/duties", "/duties/checks", "/duties/standards", "/duties/import", f"/duties/units/{UNIT}", "/duties/units/3701002",
    "/duties/reforms", f"/duties/reforms/{TASK}",
)  # fmt: skip


def hand_in(page: Page, portal: str, kind: str, text: str, **fields: str) -> None:  # noqa: F811
    """One file through the form."""
    page.goto(f"{portal}/duties/import?kind={kind}")
    page.get_by_label("文件", exact=True).set_input_files(
        files=[{"name": f"{kind}.csv", "mimeType": "text/csv", "buffer": text.encode()}]
    )
    for label, value in fields.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="导入", exact=True).click()


def handed_in(office: Page, portal: str) -> None:  # noqa: F811
    """Everything the pages show."""
    office.goto(f"{portal}/documents/new")
    office.get_by_label("文号").fill(PAPER)
    office.get_by_label("文件日期").fill("2026-10-30")
    office.get_by_label("标题").fill("关于市教育局三定规定的通知")
    office.get_by_role("button", name="登记").click()
    for kind, text in (("determinations", VERSION), ("items", ITEMS), ("standards", STANDARDS), ("workloads", LOADS)):
        hand_in(office, portal, kind, text)
        expect(office.get_by_text("已导入：新增")).to_be_visible()
    hand_in(office, portal, "reform", TASKS, 文号=PAPER, 标题="2026年市级机构改革方案")
    expect(office.get_by_text("已导入：新增")).to_be_visible()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_duties_from_the_file_to_a_task_that_ends(chromium, portal, size):  # noqa: F811
    office = signed_in(chromium, portal, "reviewer", viewport=size)
    handed_in(office, portal)
    hand_in(office, portal, "items", ITEMS.replace("许可,", "审批,"))
    expect(office.get_by_text("没有“审批”这一种")).to_be_visible()
    looked_at(office)
    for path in PATHS:
        office.goto(f"{portal}{path}")
        looked_at(office)
    officer = signed_in(chromium, portal, "officer", viewport=size)
    officer.goto(f"{portal}/duties/reforms")
    officer.get_by_role("link", name="将民办学校设立审批职能").click()
    officer.get_by_role("button", name="开始办理", exact=True).click()
    officer.get_by_label("说明").fill("已移交")
    officer.get_by_role("button", name="报结", exact=True).click()
    expect(officer.get_by_text("待核实")).to_be_visible()
    looked_at(officer)
    office.goto(f"{portal}/duties/reforms/{TASK}")
    expect(office.get_by_text("入账的编制变化与计划不符，不能办结。")).to_be_visible()
    looked_at(office)
