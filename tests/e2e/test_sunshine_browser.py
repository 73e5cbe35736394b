"""Sunshine in a real browser: from a public unit to a tip-off answered, a report confirmed, a notice and a referral worked
off; every page fits a phone and axe finds nothing serious on it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_portal_browser import PHONE, chromium, portal, serious, signed_in  # noqa: F401 (fixtures)
from tests.web.seeding import NOW, flag_of

Q03 = flag_of("Q03", "3701001", "a" * 32)
DESKTOP = {"width": 1280, "height": 900}
TEXT = "该单位有人长期不到岗而照领工资，请予核查。"


def looked_at(page: Page) -> None:
    """Nothing serious, and nothing wider than the window."""
    assert serious(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, page.url


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_public_pages_fit_and_read_well(chromium, portal, size, language):  # noqa: F811
    page = chromium.new_context(locale=language, viewport=size).new_page()
    for path in ("/public", "/public/units/3701001", "/public/data", "/tip-off", "/tip-off/status", "/my-record"):
        page.goto(f"{portal}{path}")
        looked_at(page)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_tip_off_goes_from_the_units_page_to_its_outcome(chromium, portal, size):  # noqa: F811
    stranger = chromium.new_context(locale="zh-CN", viewport=size).new_page()
    stranger.goto(f"{portal}/public?q=市教育局")
    stranger.get_by_role("link", name="市教育局").click()
    stranger.get_by_role("link", name="举报这个单位的机构编制问题").click()
    stranger.get_by_label("问题").select_option("GHOST_PAY")
    stranger.get_by_label("情况", exact=True).fill(TEXT)
    stranger.get_by_role("button", name="提交举报").click()
    expect(stranger.get_by_role("heading", name="已收到举报")).to_be_visible()
    looked_at(stranger)
    number, secret = stranger.locator(".secret").all_inner_texts()
    officer = signed_in(chromium, portal, "reviewer", viewport=size)
    officer.goto(f"{portal}/desk/tip-offs")
    looked_at(officer)
    officer.get_by_role("link", name=number).click()
    officer.get_by_role("button", name="受理", exact=True).click()
    expect(officer.get_by_text(TEXT)).to_be_visible()
    looked_at(officer)
    for move, note in (("答复", "已核查，工资已停发。"), ("办结", "已追回。")):
        opened = officer.locator("details.move", has=officer.locator("summary", has_text=re.compile(f"^{move}$")))
        opened.locator("summary").click()
        opened.get_by_label("写给举报人").fill(note)
        opened.get_by_role("button", name=move, exact=True).click()
        expect(officer.get_by_text(note)).to_be_visible()
    stranger.get_by_role("link", name="查询已交的举报").click()
    stranger.get_by_label("受理编号").fill(number)
    stranger.get_by_label("查询密码").fill(secret)
    stranger.get_by_role("button", name="查询").click()
    expect(stranger.get_by_text("已核查，工资已停发。")).to_be_visible()
    looked_at(stranger)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_period_is_opened_disputed_and_confirmed(chromium, portal, size):  # noqa: F811
    office = signed_in(chromium, portal, "reviewer2", viewport=size)
    office.goto(f"{portal}/reports")
    office.get_by_text("布置一期").click()
    looked_at(office)
    office.get_by_role("button", name="布置", exact=True).click()
    expect(office.get_by_text("已布置。")).to_be_visible()
    looked_at(office)
    officer = signed_in(chromium, portal, "officer", viewport=size)
    officer.goto(office.url)
    officer.get_by_role("link", name="市教育局").click()
    looked_at(officer)
    officer.locator("#answer-0").select_option("DISPUTED")
    officer.locator("#remark-0").fill("一人已调出")
    officer.get_by_role("button", name="提交").click()
    expect(officer.locator("main .mark").first).to_have_text("有异议")
    officer.locator("#answer-0").select_option("AGREED")
    officer.locator("#remark-0").fill("")
    officer.get_by_role("button", name="提交").click()
    expect(officer.get_by_role("heading", name="已冻结")).to_be_visible()
    looked_at(officer)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_notice_and_a_referral_are_worked_off(chromium, portal, size):  # noqa: F811
    office = signed_in(chromium, portal, "reviewer", viewport=size)
    office.goto(f"{portal}/flags/{Q03}")
    office.locator("details.move", has_text="整改").first.locator("summary").click()
    office.get_by_label("整改要求").fill("请于期限内调整岗位")
    office.get_by_label("整改期限").fill(f"{NOW.year + 20}-12-31")
    office.get_by_role("button", name="整改", exact=True).click()
    officer = signed_in(chromium, portal, "officer", viewport=size)
    officer.goto(f"{portal}/desk/rectifications")
    looked_at(officer)
    officer.get_by_role("link", name="混编混岗").click()
    officer.get_by_label("整改情况").fill("已调整")
    officer.get_by_role("button", name="报告整改完成").click()
    looked_at(officer)
    officer.get_by_role("link", name="打印通知书").click()
    looked_at(officer)
    office.goto(f"{portal}/flags/{Q03}")
    office.locator("details.move", has_text="移送").first.locator("summary").click()
    office.get_by_label("移送单位").fill("市纪委监委")
    office.get_by_label("理由").locator("visible=true").fill("涉嫌违纪")
    office.get_by_role("button", name="移送", exact=True).click()
    auditor = signed_in(chromium, portal, "auditor", viewport=size)
    auditor.goto(f"{portal}/desk/referrals")
    looked_at(auditor)
    auditor.get_by_role("link", name="YS").click()
    auditor.get_by_label("对方收文号").fill("纪收〔2026〕1号")
    auditor.get_by_role("button", name="登记回执").click()
    looked_at(auditor)
    auditor.get_by_role("link", name="打印移送函").click()
    looked_at(auditor)
