"""The gate's pages: well made in every language, within the scope, disabled buttons that say why, one act a double click."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.accounts import LOCALES, change_grants, get_user, parse_grant
from core.audit import AuditEvent
from core.units import UnitVersion
from staffing.models import StaffApplication, StaffBlock, StaffNotice, StaffSlot
from tests.staffkit import person_number
from tests.web.gate_seeding import Seeded, seed_gate
from tests.web.pool_seeding import BUREAU, SCHOOL
from tests.web.seeding import NOW
from tests.web.test_pages import check
from tests.web.test_pool_pages import key_of, said, take
from web.routes import STAFFING, Door, Scoped

PAGES = {
    "auditor": ["", "/units", "/units/{bureau}", "/plans", "/plans/{plan}", "/consultations", "/consultations/{talk}",
                "/applications", "/applications?list=permits", "/applications/{granted}", "/slots", "/slots/{seated2}",
                "/slots/{left}", "/notices", "/notices?list=all&receiver=FINANCE", "/blocks", "/blocks?list=all", "/waivers", "/differences"],
    "officer": ["", "/plans/new", "/plans/new?year=2027", "/applications/new", "/applications/{asked}", "/new/consult",
                "/slots/{seated2}"],
    "reviewer": ["/plans/{waiting_plan}", "/consultations/{asking}", "/applications/{asked}", "/slots/{left}",
                 "/new/enter", "/new/record", "/new/exit-person", "/new/carry?slot_nos={seated2}"],
    "director": ["/applications/{granted}", "/blocks", "/new/waiver", "/plans/{waiting_plan}", "/split",
                 "/split?unit={bureau}&into=3701009"],
    "finance": ["", "/notices", "/applications/{asked}"],
}  # fmt: skip


@pytest.fixture
def gate(db) -> Seeded:
    with db.write() as session:
        return seed_gate(session)


def address(template: str, gate: Seeded) -> str:
    return "/staffing" + template.format(bureau=BUREAU, **gate.numbers)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_well_made(browser, db, gate, locale):
    for login, templates in PAGES.items():
        with db.write() as session:
            get_user(session, login).locale = locale
        person = browser(login)
        for template in templates:
            answer = person.get(address(template, gate))
            assert answer.status_code == 200, template
            page = said(answer)
            check(page, locale)
            if locale == "en":
                words = re.sub(r"<[^>]*>", "", page.split("<main")[1])
                assert not re.search("办理|用编通知单号|申请编号|状态|待我", words), template


def test_another_units_pages_are_404_and_look_like_unknown_ones(browser, db, gate):
    with db.read() as session:
        notice = session.scalar(select(StaffNotice.id))
        block = session.scalar(select(StaffBlock.id))
    known = {
        "<plan_no>": gate.plan, "<talk_no>": gate.talk, "<use_no>": gate.granted, "<post_no>": gate.left,
        "<int:notice_id>": str(notice), "<int:block_id>": str(block), "<path:code>": BUREAU,
    }  # fmt: skip
    scoped = [route for route in STAFFING if route.door is Door.PAGE and route.scoped is not Scoped.ROWS]
    assert len(scoped) == 13
    # Somebody of another unit with every right there, so that nothing but the scope refuses.
    with db.write() as session:
        grants = [parse_grant(f"{role}:unit=3701031") for role in ("UNIT_OFFICER", "FINANCE", "DIRECTOR", "PERSONNEL")]
        change_grants(session, get_user(session, "other"), grants, actor="test", now=NOW)
    person = browser("other")
    for route in scoped:
        path = route.path
        for part, value in known.items():
            path = path.replace(part, value)
        path = re.sub(r"<any\('?([a-z-]+)'?[^>]*>", r"\1", path)
        for method in route.methods:
            answer = person.get(path) if method == "GET" else person.post(path, {"client_id": "x"})
            assert answer.status_code == 404, (method, path)


def test_a_button_that_cannot_be_pressed_says_why(browser, gate):
    page = said(browser("reviewer").get(f"/staffing/applications/{gate.asked}"))
    assert re.search(r'aria-disabled="true"[^>]*>审核盖章', page) is None
    assert "审核盖章" in page
    director = said(browser("director").get(f"/staffing/applications/{gate.asked}"))
    assert "签发用编许可</button>" not in director, "not its turn: the button is not there"
    slot = said(browser("reviewer").get(f"/staffing/slots/{gate.seated2}"))
    assert f"{gate.seated2} 已预报减编，须先撤销预报才能划转。" in slot
    assert re.search(r'aria-disabled="true"[^>]*>调编带人', slot)


def test_the_director_waits_for_finance_and_reads_so(browser, gate):
    path = f"/staffing/applications/{gate.asked}"
    assert take(browser("reviewer"), path, "review", note="符合").status_code == 303
    page = said(browser("director").get(path))
    assert "财政尚未确认年度经费，不能签发。" in page
    assert re.search(r'aria-disabled="true"[^>]*>签发用编许可', page)
    assert take(browser("finance"), path, "confirm-cost", yearly_cost="").status_code == 303
    assert take(browser("director"), path, "grant", note="").status_code == 303
    assert "出一进一" in said(browser("director").get(path))


def test_a_double_click_makes_one_decision(browser, db, gate):
    reviewer, path = browser("reviewer"), f"/staffing/applications/{gate.asked}"
    sent = {"client_id": key_of(said(reviewer.get(path)), f"{path}/review"), "note": "符合"}
    answers = [reviewer.post(f"{path}/review", sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    with db.read() as session:
        assert session.get(StaffApplication, gate.asked).version == 3  # inserted, submitted, reviewed


def test_an_application_is_checked_and_nothing_is_written(browser, db, gate):
    officer = browser("officer")
    wish = {
        "unit_code": BUREAU, "post_type": "SUPPORT", "fund_form": "FULL", "posts": "2", "entry_form": "EXAM",
        "work_kind": "WORKER", "reason": "窗口人手不足", "act": "check",
    }  # fmt: skip
    page = said(officer.post("/staffing/applications/new", wish, token_from="/staffing/applications/new"))
    check(page)
    assert "已超编 1 人，只出不进" in page
    assert "考录须先办理增人事先沟通并取得同意意见（2 个）。" in page
    assert 'value="send"' not in page
    with db.read() as session:
        assert {row.number for row in session.scalars(select(StaffApplication))} == {gate.granted, gate.asked}
    wrong = officer.post("/staffing/applications/new", wish | {"posts": "１"}, token_from="/staffing/applications/new")
    assert (wrong.status_code, "编制数须为半角数字的整数。" in said(wrong)) == (422, True)
    assert "窗口人手不足" in said(wrong)


def test_a_late_registration_blocks_the_plan_until_the_director_releases_it(browser, gate):
    officer, director = browser("officer"), browser("director")
    page = said(officer.get(f"/staffing/plans/new?unit={BUREAU}"))
    assert "暂不能申报：本单位有逾期登记。" in page
    assert "提交计划" in page
    assert re.search(r'aria-disabled="true"[^>]*>提交计划', page)
    blocks = said(director.get("/staffing/blocks"))
    action = re.search(r'action="(/staffing/blocks/\d+/release)"', blocks)[1]
    sent = {"client_id": key_of(blocks, action), "reason": "已批评教育"}
    assert director.post(action, sent, token_from="/staffing/blocks").status_code == 303
    assert "暂不能申报" not in said(officer.get(f"/staffing/plans/new?unit={BUREAU}"))


def test_a_notice_ages_and_is_acknowledged_by_its_receiver_alone(browser, clock, gate):
    clock.now += timedelta(days=11)
    finance = browser("finance")
    page = said(finance.get("/staffing/notices"))
    assert "超时" in page.split("<tbody>")[1]
    actions = re.findall(r'action="(/staffing/notices/\d+/acknowledge)"', page)
    assert len(actions) == 1
    assert browser("director").post(actions[0], {"client_id": "x"}).status_code == 403
    sent = {"client_id": key_of(page, actions[0])}
    assert finance.post(actions[0], sent, token_from="/staffing/notices").status_code == 303
    assert "acknowledge" not in said(finance.get("/staffing/notices"))


def test_a_full_number_is_printed_for_who_may_see_it_and_leaves_a_trail(browser, db, gate):
    path = f"/staffing/slots/{gate.left}/exit.pdf"
    masked = browser("finance").get(path)
    assert (masked.status_code, masked.headers["Content-Type"]) == (200, "application/pdf")
    asked = {"name": "王小明", "reason": "送财政停薪"}
    assert browser("personnel").post(path, asked).status_code == 403
    for reason in ("", "看看", person_number(1)):
        assert browser("reviewer").post(path, asked | {"reason": reason}).status_code == 409
    full = browser("reviewer").post(path, asked)
    assert full.status_code == 200
    assert _text(full.data).count("王小明") == 1
    assert person_number(1) in _text(full.data)
    assert person_number(1) not in _text(masked.data)
    with db.read() as session:
        event = session.scalar(select(AuditEvent).where(AuditEvent.action == "staff_identity_printed"))
        assert (event.actor, gate.left in event.subject) == ("reviewer", True)
        assert "送财政停薪" in event.details
        assert not {"王小明", person_number(1)} & set(re.findall(r"\w+", f"{event.subject} {event.details}"))
    assert browser("reviewer").get(f"/staffing/slots/{gate.left}/entry.pdf").status_code == 409


def _text(pdf: bytes) -> str:
    from io import BytesIO

    from pypdf import PdfReader

    return "".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def test_what_somebody_may_not_begin_is_refused(browser, gate):
    officer = browser("officer")
    assert officer.get("/staffing/new/enter").status_code == 403
    assert officer.post("/staffing/new/enter", {"permit_no": "x"}).status_code == 403
    assert browser("auditor").get("/staffing/applications/new").status_code == 403
    assert browser("admin").get("/staffing").status_code == 403


def test_a_wrong_number_is_said_and_nobody_enters(browser, db, gate):
    personnel = browser("personnel")
    with db.read() as session:
        permit = session.get(StaffApplication, gate.granted).permit_no
    page = said(personnel.get(f"/staffing/new/enter?permit_no={permit}&unit_code={BUREAU}"))
    sent = {
        "client_id": key_of(page, "/staffing/new/enter"), "permit_no": permit, "unit_code": BUREAU, "post_type": "ADMIN",
        "fund_form": "FULL", "identity": person_number(9)[:-1] + "Z",
    }  # fmt: skip
    answer = personnel.post("/staffing/new/enter", sent, token_from="/staffing/new/enter")
    assert answer.status_code == 422
    assert "证件号码无效" in said(answer)
    assert sent["identity"] not in said(answer)
    good = sent | {"identity": person_number(9)}
    assert personnel.post("/staffing/new/enter", good, token_from="/staffing/new/enter").status_code == 303
    with db.read() as session:
        slot = session.scalar(select(StaffSlot).where(StaffSlot.application_no == gate.granted))
        assert (slot.status, slot.unit_code) == ("FILLED", BUREAU)


def test_lists_hold_only_what_lies_in_the_scope(browser, gate):
    small = browser("small")
    for name in (
        "",
        "/plans",
        "/consultations",
        "/applications",
        "/slots",
        "/notices?list=all",
        "/blocks?list=all",
        "/waivers",
    ):
        page = said(small.get(f"/staffing{name}"))
        assert "市教育局" not in page.split("<main")[1], name
    assert small.get(f"/staffing/units/{SCHOOL}").status_code == 404


def test_a_unit_is_split_from_its_page_and_a_refusal_leaves_everything(browser, db, gate):
    with db.write() as session:
        session.add(UnitVersion(
            unit_code="3701011", unit_name="市数据局", division_code="370100", level="CITY", unit_kind="ORGAN",
            delivers="PERSONS", delivered_by="370100", seen_on=NOW.date(),
        ))  # fmt: skip
    director, address = browser("director"), f"/staffing/split?unit={BUREAU}&into=3701011"
    page = said(director.get(address))
    check(page)
    assert gate.seated2 in page
    sent = {
        "unit_code": BUREAU, "into": "3701011", "document_no": "编委〔2026〕40号", "effective": str(NOW.date()),
        "client_id": re.search(r'name="client_id" value="([^"]+)"', page)[1], "vacant-0-ADMIN-FULL": "2",
    }  # fmt: skip
    leaving = director.post("/staffing/split", sent | {f"slot-{gate.seated2}": "3701011", "client_id": "x"})
    assert leaving.status_code == 409
    assert "已预报减编" in said(leaving)
    done = [director.post("/staffing/split", sent) for _ in range(2)]
    assert [answer.status_code for answer in done] == [303, 303]
    shown = said(director.get(done[0].headers["Location"]))
    assert "已分设：3701011。" in shown
    check(shown)
    assert browser("reviewer").get("/staffing/split").status_code == 403
