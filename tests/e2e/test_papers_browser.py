"""Papers in a real browser: a document is registered with its file, a certificate issued, changed, renewed, downloaded, and
verified by a stranger; one changed byte and it is tampered with."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.test_portal_browser import PHONE, chromium, portal, serious, signed_in  # noqa: F401  (fixtures)

NUMBER = "编委〔2026〕31号"
UNIT = "/certificates/3701001"


@pytest.fixture
def office(chromium, portal) -> Page:  # noqa: F811
    return signed_in(chromium, portal, "reviewer")


def register(page: Page, portal: str, folder) -> None:  # noqa: F811
    (folder / "批复.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n%%EOF")
    page.goto(f"{portal}/documents")
    page.get_by_role("link", name=NUMBER).first.click()
    page.get_by_label("文件日期").fill("2026-11-01")
    page.get_by_label("标题").fill("关于调整市教育局编制的通知")
    page.get_by_label("附件").set_input_files(str(folder / "批复.pdf"))
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("已登记")
    expect(page.get_by_role("link", name="批复.pdf")).to_be_visible()


def issue_twice(page: Page, portal: str) -> None:  # noqa: F811
    page.goto(portal + UNIT)
    page.get_by_role("button", name="核发").click()
    expect(page.get_by_role("heading", name="第 1 版")).to_be_visible()
    page.get_by_text("登记领导职数").click()
    page.get_by_label("正职", exact=True).fill("1")
    page.locator("#leaders-doc").fill(NUMBER)
    page.locator("details[open] form button", has_text="登记").first.click()
    expect(page.get_by_text("内容有变，待换发").first).to_be_visible()
    page.get_by_role("button", name="换发").click()
    expect(page.get_by_role("heading", name="第 2 版")).to_be_visible()


def downloaded(page: Page, path) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("link", name="下载 PDF").first.click()
    assert download.value.suggested_filename == "机构编制管理证-3701001-002.pdf"
    download.value.save_as(str(path))
    return path.read_bytes()


def verdict(page: Page, portal: str, path) -> str:  # noqa: F811
    page.goto(f"{portal}/verify")
    page.get_by_label("证书 PDF 文件").set_input_files(str(path))
    page.get_by_role("button", name="核验").nth(1).click()
    return page.locator("#answer-title").inner_text()


def test_from_a_document_to_a_certificate_that_a_stranger_verifies(chromium, portal, office, tmp_path):  # noqa: F811
    register(office, portal, tmp_path)
    issue_twice(office, portal)
    content = downloaded(office, tmp_path / "good.pdf")
    code = office.locator("dd.code a").first.inner_text()
    stranger = chromium.new_context(locale="zh-CN").new_page()
    assert verdict(stranger, portal, tmp_path / "good.pdf") == "有效"
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    (tmp_path / "bad.pdf").write_bytes(bytes(changed))
    assert verdict(stranger, portal, tmp_path / "bad.pdf") == "被篡改"
    stranger.get_by_role("textbox", name="验证码").fill(code.lower().replace("-", ""))
    stranger.get_by_role("button", name="核验").first.click()
    expect(stranger.locator("#answer-title")).to_have_text("有效")
    stranger.get_by_role("link", name="English").click()
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Verify a certificate")


def test_the_pages_of_papers_are_accessible_and_fit_a_phone(chromium, portal, office, tmp_path):  # noqa: F811
    register(office, portal, tmp_path)
    issue_twice(office, portal)
    phone = signed_in(chromium, portal, "reviewer", viewport=PHONE)
    for path in (
        UNIT,
        "/certificates",
        "/documents",
        "/documents/new",
        f"/documents/{NUMBER}",
        "/verify",
        "/verify?code=x",
    ):
        office.goto(portal + path)
        assert serious(office) == []
        phone.goto(portal + path)
        assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
