"""A flag's life in a real browser: found, acknowledged, explained, confirmed by a second person; every page reachable."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from core.settings import Settings
from tests.web.pool_seeding import SCHOOL
from tests.web.seeding import NEWEST, PASSWORD, flag_of, seeded_home
from web.serve import server

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic"]
F01 = flag_of("F01", "3701001", "b" * 32)
PHONE = {"width": 390, "height": 800}


@pytest.fixture
def portal(settings: Settings) -> Iterator[str]:
    """The portal on a free port of this machine, over the seeded city."""
    shutil.copytree(seeded_home(), settings.home)
    served = server(settings, port=0)
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.effective_port}"
    served.close()
    thread.join(timeout=2)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    # How long a page takes on a busy machine says nothing of the page.
    expect.set_options(timeout=60_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def signed_in(chromium: Browser, portal: str, login: str, **context: object) -> Page:
    """A page of a browser of its own, signed in."""
    page = chromium.new_context(locale="zh-CN", **context).new_page()
    page.goto(f"{portal}/login")
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("button", name="退出")).to_be_visible()
    return page


def serious(page: Page) -> list[str]:
    """What axe calls serious or critical on the page as it is."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{page.url} {v['id']}: {v['nodes'][0]['html']}" for v in violations if v["impact"] in ("serious", "critical")
    ]


def test_a_flag_is_found_acknowledged_explained_and_confirmed(chromium, portal):
    officer = signed_in(chromium, portal, "officer")
    officer.get_by_role("link", name="不符项", exact=True).click()
    officer.get_by_label("规则").select_option("F01")
    officer.get_by_role("button", name="筛选").click()
    officer.locator("tbody a").first.click()
    expect(officer.get_by_role("heading", level=1)).to_have_text("F01 有薪无编")
    officer.get_by_role("button", name="签收").click()
    expect(officer.get_by_role("status")).to_contain_text("已办理")
    officer.get_by_label("理由").fill("人事批文在途")
    officer.get_by_label("依据").fill("济人社〔2026〕8号")
    officer.get_by_label("有效期至").fill("2035-01-31")
    officer.get_by_role("button", name="说明", exact=True).click()
    expect(officer.get_by_role("heading", name="说明，待另一人确认")).to_be_visible()

    reviewer = signed_in(chromium, portal, "reviewer")
    reviewer.goto(f"{portal}/flags/{F01}")
    reviewer.get_by_role("button", name="确认说明").click()
    expect(reviewer.get_by_text("已说明").first).to_be_visible()
    expect(reviewer.get_by_text("officer 同志").first).to_be_visible()

    reviewer.get_by_role("button", name="退出").click()
    expect(reviewer.get_by_role("heading", level=1)).to_have_text("登录")
    reviewer.go_back()
    reviewer.reload()
    expect(reviewer.get_by_role("heading", level=1)).to_have_text("登录")


def test_a_loan_is_asked_for_checked_reviewed_and_granted_by_three_persons(chromium, portal):
    officer = signed_in(chromium, portal, "officer")
    officer.get_by_role("link", name="周转池", exact=True).click()
    officer.get_by_role("link", name="申请借用").click()
    officer.get_by_label("单位").select_option("3701001")
    officer.get_by_label("编制类型").select_option("SUPPORT")
    officer.get_by_label("用途").select_option("GRASSROOTS")
    officer.get_by_label("借用理由").fill("窗口人手不足")
    officer.get_by_role("button", name="先看办理结果").click()
    expect(officer.get_by_text("可以提交。")).to_be_visible()
    assert not serious(officer)
    officer.get_by_role("button", name="提交申请").dblclick()
    expect(officer.get_by_role("status")).to_contain_text("已提交，编号 JB2026-")
    address = officer.url.removeprefix(portal)

    reviewer = signed_in(chromium, portal, "reviewer")
    reviewer.goto(portal + address)
    reviewer.get_by_role("button", name="审核", exact=True).click()
    expect(reviewer.get_by_text("已审核").first).to_be_visible()

    director = signed_in(chromium, portal, "director")
    director.goto(portal + address)
    director.get_by_role("button", name="批准", exact=True).click()
    expect(director.get_by_role("heading", level=1)).to_contain_text("借用 JY2026-")
    officer.goto(f"{portal}/pool/units/3701001")
    expect(officer.get_by_role("link", name=director.url.rsplit("/", 1)[1])).to_be_visible()


@pytest.mark.parametrize(
    ("login", "addresses"),
    [
        (
            "auditor",
            ["/overview", "/flags", f"/flags/{F01}", "/units", "/units/3701001", "/nights", f"/nights/{NEWEST}"],
        ),
        (
            "officer",
            [f"/flags/{F01}", "/me", "/pool/requests/new", f"/pool/units/{SCHOOL}", "/pool/requests/JB2026-000004"],
        ),
        (
            "reviewer",
            [
                "/pool",
                "/pool/units",
                f"/pool/nodes/U:{SCHOOL}/ledger",
                "/pool/requests",
                "/pool/requests/JB2026-000002",
                "/pool/returns",
                "/pool/matrix",
                "/pool/loans/JY2025-000001",
                "/pool/loans/JY2025-000002",
            ],
        ),
        ("admin", ["/mails", "/mails/2", "/accounts", "/accounts/officer"]),
    ],
)
@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, PHONE], ids=["desk", "phone"])
def test_no_page_has_a_serious_barrier_or_runs_off_the_screen(chromium, portal, login, addresses, size):
    page = signed_in(chromium, portal, login, viewport=size)
    found = []
    for address in addresses:
        page.goto(portal + address)
        # Of details with one name only one is open at a time: all at once here, for axe to see them.
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.removeAttribute('name'); d.open = true })")
        found += serious(page)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found += [f"{address} runs {wide} px off the screen"] if wide > 0 else []
    assert not found


def test_everything_is_reached_with_the_keyboard(chromium, portal):
    page = chromium.new_context(locale="zh-CN").new_page()
    page.goto(f"{portal}/login")
    page.get_by_label("登录名").focus()
    page.keyboard.type("officer")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("今夜总览")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_the_api_documents_open_without_the_internet(chromium, portal):
    page = chromium.new_context().new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{portal}/api/v1/swagger")
    expect(page.get_by_text("/api/v1/flags", exact=True)).to_be_visible()
    assert [url for url in asked if not url.startswith((portal, "data:"))] == []
