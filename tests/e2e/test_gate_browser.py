"""The gate in a real browser, from an empty database: a unit plans, consults, applies; is refused for being full; an exit is
registered; the permit is granted, the person entered, the notices sent, the certificate renewed and verified by its code."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from core.db import engine_for, reading, writing
from core.parameters import set_parameter
from core.settings import Settings
from pool.acting import OFFICE_TIME
from pool.proof import broken_proofs
from pool.service_opening import switch_unit
from staffing.proof import broken_staffing
from tests.e2e.test_portal_browser import PHONE, chromium, serious, signed_in  # noqa: F401  (fixtures)
from tests.nightkit import House, deliver, member, pay, quota, unit
from tests.web.gate_seeding import CITY_CELL, COMER, LEAVER, OTHER, SECOND, UNIT, found_city
from tests.web.pool_seeding import Office
from web.serve import server


@dataclass
class Walked:
    """What a walk left behind. seen: problems axe found on the way."""

    plan: str = ""
    talk: str = ""
    application: str = ""
    permit: str = ""
    slot: str = ""
    codes: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)


class Walk:
    """One unit's way through the gate. page_of: a signed-in page per login; shot: called with the name of every screen."""

    def __init__(self, portal: str, page_of: Callable[[str], Page], shot: Callable[[Page, str], None]) -> None:
        self.portal, self.page_of, self.shot, self.done = portal, page_of, shot, Walked()

    def at(self, login: str, address: str, name: str) -> Page:
        page = self.page_of(login)
        page.goto(self.portal + address)
        self.look(page, name)
        return page

    def look(self, page: Page, name: str) -> None:
        self.done.seen += serious(page)
        self.shot(page, name)

    def press(self, page: Page, label: str, says: str = "已办理") -> None:
        page.get_by_role("button", name=label, exact=True).click()
        expect(page.get_by_role("status")).to_contain_text(says)

    def step(self, login: str, address: str, label: str, name: str, **fields: str) -> Page:
        """Open a page, unfold the step, fill it in, take it."""
        page = self.at(login, address, name)
        form = page.locator("details.move", has=page.locator("summary", has_text=re.compile(f"^{label}$")))
        if form.get_attribute("open") is None:
            form.locator("summary").click()
        for key, value in fields.items():
            box = form.locator(f"[name={key}]")
            box.select_option(value) if box.evaluate("e => e.tagName") == "SELECT" else box.fill(value)
        form.get_by_role("button", name=label, exact=True).click()
        expect(page.get_by_role("status")).to_contain_text("已办理")
        return page


def plan_and_consult(walk: Walk) -> None:
    page = walk.at("officer", "/staffing", "work-empty")
    page.get_by_role("link", name="申报计划").click()
    page.get_by_label("本次申报").fill("1")
    walk.look(page, "plan-new")
    walk.press(page, "提交计划", "已提交，编号 JH")
    walk.done.plan = page.url.rsplit("/", 1)[1]
    address = f"/staffing/plans/{walk.done.plan}"
    walk.step("reviewer", address, "审核计划", "plan-review", note="空编属实")
    walk.step("director", address, "编委通过计划", "plan-pass", document_no="编委〔2026〕5号")
    page = walk.at("officer", "/staffing/new/consult", "consult-new")
    for name, value in (("post_type", CITY_CELL[0]), ("fund_form", CITY_CELL[1]), ("entry_form", "RECRUIT")):
        page.locator(f"[name={name}]").select_option(value)
    page.locator("[name=posts]").fill("1")
    page.locator("[name=reason]").fill("新学年扩班，缺数学教师")
    walk.press(page, "增人事先沟通")
    walk.done.talk = page.url.rsplit("/", 1)[1]
    address = f"/staffing/consultations/{walk.done.talk}"
    walk.step("reviewer", address, "沟通意见", "opinion", agrees="yes", opinion="到年底有一人退休，同意")


def fill_application(walk: Walk) -> Page:
    page = walk.at("officer", f"/staffing/consultations/{walk.done.talk}", "consulted")
    page.get_by_role("link", name="申请用编", exact=True).last.click()
    expect(page.get_by_label("事先沟通")).to_have_value(walk.done.talk)
    page.get_by_label("用编理由").fill("新学年扩班，缺数学教师")
    walk.look(page, "apply-form")
    page.get_by_role("button", name="先核对条件").click()
    return page


def refused_for_being_full(walk: Walk) -> None:
    page = fill_application(walk)
    expect(page.get_by_role("alert")).to_contain_text("不能提交")
    expect(page.get_by_text("核定 2 个、实有 2 人、在途许可 0 个，已满编；再空出 1 个后可用编 1 个")).to_be_visible()
    expect(page.get_by_role("button", name="提交申请")).to_have_attribute("aria-disabled", "true")
    walk.look(page, "apply-full")


def somebody_leaves(walk: Walk) -> None:
    page = walk.at("personnel", "/staffing/new/exit-person", "exit-new")
    for name, value in (("post_type", CITY_CELL[0]), ("fund_form", CITY_CELL[1])):
        page.locator(f"[name={name}]").select_option(value)
    page.locator("[name=reason]").fill("退休")
    page.locator("[name=identity]").fill(LEAVER)
    walk.press(page, "登记减编")
    expect(page.get_by_text("已减编，待注销").first).to_be_visible()
    assert LEAVER not in page.content()
    walk.look(page, "exit-done")


def permitted(walk: Walk) -> None:
    page = fill_application(walk)
    expect(page.get_by_text("可以提交。")).to_be_visible()
    walk.look(page, "apply-passes")
    page.get_by_role("button", name="提交申请").dblclick()
    expect(page.get_by_role("status")).to_contain_text("已提交，编号 YB")
    walk.done.application = page.url.rsplit("/", 1)[1]
    address = f"/staffing/applications/{walk.done.application}"
    director = walk.at("director", address, "application-director")
    expect(director.get_by_role("button", name="签发用编许可")).to_have_count(0)
    walk.step("finance", address, "财政确认经费", "application-finance")
    walk.step("reviewer", address, "审核盖章", "application-review", note="符合条件")
    page = signed_by_delegation(walk, address)
    walk.done.permit = re.search(r"用编〔\d{4}〕\d+号", page.locator("main").inner_text())[0]
    walk.look(page, "permit")


def delegate_to(walk: Walk, taker: str) -> None:
    page, today = walk.at("director", "/pool/delegations", f"delegate-{taker}"), f"{datetime.now(OFFICE_TIME):%Y-%m-%d}"
    for name, value in (("taker", taker), ("valid_from", today), ("valid_to", today)):
        page.locator(f"[name={name}]").fill(value)
    walk.press(page, "委托", "已委托")


def signed_by_delegation(walk: Walk, address: str) -> Page:
    """The director lets two others sign: the applicant is still refused, whoever had no hand in it may."""
    for taker in ("officer", "deputy"):
        delegate_to(walk, taker)
    own = walk.at("officer", f"{address}?acting_for=director", "application-own-by-delegation")
    button = own.get_by_role("button", name="签发用编许可", exact=True)
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(own.locator("#why-grant")).to_contain_text("本人")
    page = walk.step("deputy", f"{address}?acting_for=director", "签发用编许可", "application-sign")
    expect(page.get_by_text("代 director 同志").first).to_be_visible()
    return page


def enter_somebody(walk: Walk) -> None:
    page = walk.at("personnel", f"/staffing/applications/{walk.done.application}", "permit-personnel")
    page.get_by_role("link", name="登记入编").click()
    page.locator("[name=identity]").fill(COMER)
    walk.look(page, "enter-form")
    walk.press(page, "登记入编")
    walk.done.slot = page.url.rsplit("/", 1)[1]
    address = f"/staffing/slots/{walk.done.slot}"
    walk.step("personnel", address, "办理手续", "slot-entered")
    finance = walk.step("finance", address, "核发工资", "slot-pay", month=f"{datetime.now(OFFICE_TIME):%Y-%m}")
    expect(finance.get_by_text("已核发工资").first).to_be_visible()
    walk.look(finance, "slot-paid")


def acknowledge_all(walk: Walk) -> None:
    for login in ("finance", "personnel"):
        page = walk.at(login, "/staffing/notices", f"notices-{login}")
        while page.get_by_role("button", name=re.compile("^签收")).count():
            page.get_by_role("button", name=re.compile("^签收")).first.click()
            expect(page.get_by_role("status")).to_contain_text("已办理")
    expect(page.get_by_text("没有未签收的通知单。")).to_be_visible()


def certificate_code(walk: Walk) -> str:
    page = walk.at("reviewer", f"/certificates/{UNIT}", f"certificate-{len(walk.done.codes)}")
    if page.get_by_role("button", name="核发").count():
        page.get_by_role("button", name="核发").click()
    walk.done.codes.append(page.locator("dd.code a").first.inner_text())
    return walk.done.codes[-1]


def walk(
    portal: str, page_of: Callable[[str], Page], shot: Callable[[Page, str], None] = lambda page, name: None
) -> Walked:
    """The whole way, in pages signed in by login; for whoever wants a gate that was walked through. Needs `found_city`."""
    steps = Walk(portal, page_of, shot)
    certificate_code(steps)
    plan_and_consult(steps)
    refused_for_being_full(steps)
    somebody_leaves(steps)
    certificate_code(steps)
    permitted(steps)
    enter_somebody(steps)
    acknowledge_all(steps)
    certificate_code(steps)
    steps.at("officer", f"/staffing/units/{UNIT}", "unit")
    steps.at("reviewer", "/staffing", "work")
    return steps.done


@pytest.fixture
def city(settings: Settings) -> Iterator[str]:
    found_city(settings)
    served = server(settings, port=0)
    thread = threading.Thread(target=served.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.effective_port}"
    served.close()
    thread.join(timeout=2)


def verdict_of(page: Page, portal: str, code: str) -> str:
    page.goto(f"{portal}/verify/{code}")
    return page.locator("#answer-title").inner_text()


def night_is_green(page: Page, city: str, settings: Settings, done: Walked) -> None:
    """The unit switched over, the books that agree with the walk delivered: the night finds nothing of it, and its page opens."""
    today = datetime.now(OFFICE_TIME).date()
    with writing(engine_for(settings.database_url)) as session:
        Office(session).do(switch_unit, "director", datetime.now(UTC), UNIT, today)
        set_parameter(session, "gate_start", today.isoformat(), "370100", today, actor="test", now=datetime.now(UTC))
    house, posts = House(settings), {"post_type": "事业", "fund_form": "全额"}
    comer = member(2, UNIT, person_id=COMER, entry_date=today.isoformat(), entry_form="公开招聘", permit_no=done.permit,
                   slot_no=done.slot, **posts)  # fmt: skip
    stayer, month = member(3, UNIT, person_id=SECOND, **posts), f"{today:%Y-%m}"
    gone = member(1, UNIT, person_id=LEAVER, status="出编", exit_date=today.isoformat(), exit_reason="退休", **posts)
    deliver(
        house.inbox, today, "370100",
        units=[unit(code, "370100", level="市", unit_kind="事业单位") for code in (UNIT, OTHER)],
        establishment=[quota(UNIT, 2, **posts), quota(OTHER, 5, **posts)],
        roster=[comer, stayer, gone],
        payroll=[pay(n, UNIT, month=month, person_id=row["person_id"]) for n, row in ((2, comer), (3, stayer))],
    )  # fmt: skip
    assert house.night(today) == 0
    assert [flag for flag in house.flags(today) if flag["unit_code"] == UNIT] == []
    assert not [
        row
        for row in house.not_evaluable(today)
        if row["unit_code"] in (UNIT, "*") and row["rule"] in ("P01", "P02", "P04", "F09", "Q01")
    ]
    page.goto(f"{city}/units/{UNIT}")
    assert serious(page) == []


def test_a_unit_goes_from_plan_to_pay_and_the_night_after_is_green(chromium: Browser, city, settings):  # noqa: F811
    pages: dict[str, Page] = {}

    def page_of(login: str) -> Page:
        if login not in pages:
            pages[login] = signed_in(chromium, city, login)
        return pages[login]

    done = walk(city, page_of)
    assert done.seen == []
    assert len(set(done.codes)) == 3, "an exit and an entry each renew the certificate"
    stranger = chromium.new_context(locale="zh-CN").new_page()
    assert [verdict_of(stranger, city, code) for code in done.codes] == ["已被新版本取代", "已被新版本取代", "有效"]
    outside = page_of("stranger")
    for address in (f"applications/{done.application}", f"slots/{done.slot}", f"plans/{done.plan}", f"units/{UNIT}"):
        assert outside.goto(f"{city}/staffing/{address}").status == 404
    with reading(engine_for(settings.database_url)) as session:
        assert [*broken_staffing(session), *broken_proofs(session)] == []
    night_is_green(page_of("reviewer"), city, settings, done)


@pytest.mark.parametrize("login", ["officer", "personnel", "director"])
def test_the_gate_fits_a_phone(chromium, city, login):  # noqa: F811
    page = signed_in(chromium, city, login, viewport=PHONE)
    for address in ("/staffing", "/staffing/units", "/staffing/applications", "/staffing/notices", "/staffing/waivers"):
        page.goto(city + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], address
        assert serious(page) == []
