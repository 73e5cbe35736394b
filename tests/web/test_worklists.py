"""Work lists of flags: notices with deadline and recheck, referrals with receipt and answer, and their papers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.accounts import LOCALES, get_user
from core.outbox import OutboxMail
from core.parameters import ALWAYS, set_parameter
from night.reminders import remind
from reconcile.models import Flag
from reconcile.worklist_models import Rectification, Referral
from tests.web.seeding import NOW, flag_of
from tests.web.test_pages import check

Q03 = flag_of("Q03", "3701001", "a" * 32)
F05 = flag_of("F05", "3701002", "e" * 32)  # put right since before notices were kept
ASK = {"reason": "请于期限内清退", "deadline": "2026-12-31"}
MASK = "370102********1234"


def rectify(browser, key: str = Q03) -> str:
    """Send a flag to rectifying through its own page; the notice's address."""
    answer = browser("reviewer").post(f"/flags/{key}/rectify", {"version": "2", **ASK})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return f"/desk/rectifications/{key}"


def step(person, address: str, name: str, version: int, **fields):
    return person.post(f"{address}/{name}", {"version": str(version), "note": "已办", **fields})


def refer(browser, db, to: str = "市纪委监委") -> str:
    answer = browser("reviewer").post(f"/flags/{Q03}/refer", {"version": "2", "to": to, "reason": "涉嫌违纪"})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    with db.read() as session:
        return f"/desk/referrals/{session.scalar(select(Referral.number))}"


def test_a_notice_is_written_with_the_flags_own_move(browser, db):
    address = rectify(browser)
    with db.read() as session:
        notice = session.scalar(select(Rectification))
        assert (notice.number, notice.status, str(notice.deadline)) == ("ZG2026-000001", "ISSUED", "2026-12-31")
    for login in ("officer", "supervisor", "reviewer", "auditor"):
        listed = browser(login).get("/desk/rectifications").get_data(as_text=True)
        check(listed)
        assert "ZG2026-000001" in listed, login
    paper = browser("officer").get(f"{address}/notice").get_data(as_text=True)
    check(paper)
    for word in ("机构编制整改通知书", "ZG2026-000001", "市教育局", MASK, "请于期限内清退", "2026-12-31"):
        assert word in paper, word


def test_a_notice_goes_from_report_to_recheck_by_two_persons(browser, db):
    address = rectify(browser)
    officer, office = browser("officer"), browser("reviewer")
    assert step(office, address, "pass", 1).status_code == 409
    assert step(officer, address, "report", 1, note="已调整岗位").status_code == 303
    assert step(officer, address, "pass", 2).status_code == 403
    assert step(office, address, "fail", 2, deadline="2026-11-01").status_code == 409
    assert step(office, address, "fail", 2, deadline="2027-01-31").status_code == 303
    assert step(officer, address, "report", 3, note="这次真的调整了").status_code == 303
    page = office.get(address).get_data(as_text=True)
    check(page)
    assert "这次真的调整了" in page
    assert step(office, address, "pass", 4).status_code == 303
    with db.read() as session:
        notice = session.scalar(select(Rectification))
        assert (notice.status, notice.failed_count, str(notice.deadline)) == ("PASSED", 1, "2027-01-31")
        assert session.get(Flag, Q03).status == "RECTIFYING"  # data or a decision closes a flag
    ended = browser("auditor").get("/desk/rectifications?list=ended").get_data(as_text=True)
    assert "ZG2026-000001" in ended


def test_a_flag_put_right_without_a_notice_is_seen_and_gets_one(browser):
    office = browser("reviewer")
    assert "未发通知" in office.get("/desk/rectifications").get_data(as_text=True)
    address = f"/desk/rectifications/{F05}"
    assert office.get(f"{address}/notice").status_code == 404
    assert step(office, address, "issue", 0, deadline="").status_code == 409
    assert step(office, address, "issue", 0, deadline="2026-12-31").status_code == 303
    assert "ZG2026-000001" in office.get(address).get_data(as_text=True)


def test_a_notice_ends_with_the_flags_rectifying(browser):
    address = rectify(browser)
    browser("reviewer").post(f"/flags/{Q03}/close", {"version": "3", "reason": "机构改革后不复存在"})
    assert step(browser("officer"), address, "report", 1).status_code == 409
    assert "ZG2026-000001" not in browser("officer").get("/desk/rectifications").get_data(as_text=True)
    assert "ZG2026-000001" in browser("officer").get("/desk/rectifications?list=ended").get_data(as_text=True)


def test_overdue_stands_first_and_is_mailed_once(browser, clock, db):
    rectify(browser)
    clock.now += timedelta(days=60)
    page = browser("reviewer").get("/desk/rectifications").get_data(as_text=True)
    assert page.index("ZG2026-000001") < page.index("未发通知")
    assert "ZG2026-000001" in browser("reviewer").get("/desk/rectifications?list=overdue").get_data(as_text=True)
    with db.write() as session:
        first = remind(session, clock.now.date(), NOW, "")
        assert first > 2
        assert remind(session, clock.now.date(), NOW, "") == 0
        told = session.scalars(select(OutboxMail).where(OutboxMail.digest == "rectify_late_ZG2026-000001")).all()
        assert {mail.recipient.split("@")[0] for mail in told} == {"officer", "supervisor", "reviewer", "reviewer2"}
        assert not [mail for mail in told if MASK in mail.text or "清退" in mail.text]


@pytest.mark.parametrize(("begun", "late"), [
    (lambda browser, db: rectify(browser), "rectify_late_ZG2026-000001"),
    (refer, "referral_receipt_YS2026-000001"),
])  # fmt: skip
def test_nothing_late_about_a_lead_on_a_person_is_mailed_to_the_two_named_for_leads_either(
    browser, clock, db, begun, late
):
    begun(browser, db)
    day, told = clock.now.date() + timedelta(days=60), select(OutboxMail.recipient).where(OutboxMail.digest == late)
    with db.write() as session:
        session.get(Flag, Q03).rule = "F06"
        set_parameter(session, "lead_reviewers", "reviewer,reviewer2", "*", ALWAYS, actor="test", now=NOW)
        assert remind(session, day, NOW, "") == 0
        session.get(Flag, Q03).rule = "Q03"
        assert remind(session, day, NOW, "") > 1
        assert "reviewer2@example.org" in set(session.scalars(told))


def test_a_stranger_to_the_unit_finds_nothing(browser):
    address = rectify(browser)
    assert browser("other").get(address).status_code == 404
    assert browser("county").get(f"{address}/notice").status_code == 404
    assert browser("finance").get("/desk/rectifications").status_code == 403
    assert "ZG2026" not in browser("other").get("/desk/rectifications").get_data(as_text=True)


def test_a_referral_is_received_and_answered_by_the_office_it_is_addressed_to(browser, db):
    address = refer(browser, db)
    auditor = browser("auditor")
    listed = auditor.get("/desk/referrals").get_data(as_text=True)
    check(listed)
    assert "市纪委监委" in listed
    assert step(auditor, address, "answer", 1).status_code == 409
    assert step(auditor, address, "receive", 1, note="纪收〔2026〕7号").status_code == 303
    assert step(auditor, address, "answer", 2, note="已立案").status_code == 303
    page = browser("reviewer").get(address).get_data(as_text=True)
    check(page)
    assert "纪收〔2026〕7号" in page
    assert "已立案" in page
    letter = auditor.get(f"{address}/letter").get_data(as_text=True)
    check(letter)
    for word in ("机构编制问题移送函", "YS2026-000001", MASK, "涉嫌违纪"):
        assert word in letter, word


def test_a_referral_to_another_office_is_not_personnels_nor_the_units(browser, db):
    address = refer(browser, db)
    assert browser("personnel").get(address).status_code == 404
    assert browser("officer").get(address).status_code == 403
    assert "YS2026" not in browser("personnel").get("/desk/referrals").get_data(as_text=True)


def test_personnel_answers_its_own_and_the_reviewer_for_who_has_no_account(browser, db):
    address = refer(browser, db, "市人社局")
    assert step(browser("auditor"), address, "receive", 1).status_code == 403
    assert step(browser("director"), address, "receive", 1).status_code == 403
    assert step(browser("personnel"), address, "receive", 1).status_code == 303
    assert step(browser("reviewer"), address, "answer", 2).status_code == 303


def test_a_late_receipt_is_mailed_once(browser, db):
    refer(browser, db)
    with db.write() as session:
        due = session.scalar(select(Referral.receipt_by))
        assert remind(session, due, NOW, "") == 0
        assert remind(session, due + timedelta(days=1), NOW, "") == 3  # the auditor and two reviewers
        assert remind(session, due + timedelta(days=9), NOW, "") == 0


def test_the_same_through_the_api(browser, api, db):
    rectify(browser)
    officer, office = api("officer"), api("reviewer")
    items = officer.get("/api/v1/rectifications").json["items"]
    assert [item["number"] for item in items if item["flag"] == Q03] == ["ZG2026-000001"]
    body = {"version": 1, "note": "已调整"}
    done = officer.post(f"/api/v1/rectifications/{Q03}/report", json=body)
    assert (done.status_code, done.json["status"]) == (200, "REPORTED")
    assert officer.post(f"/api/v1/rectifications/{Q03}/pass", json={"version": 2, "note": "x"}).status_code == 403
    assert (
        office.post(f"/api/v1/rectifications/{Q03}/pass", json={"version": 2, "note": "x"}).json["status"] == "PASSED"
    )
    refused = api("auditor").post("/api/v1/referrals/YS2026-999999/receive", json={"version": 1, "note": "x"})
    assert refused.status_code == 404
    assert api("officer").get("/api/v1/referrals").status_code == 403


@pytest.mark.parametrize("locale", LOCALES)
def test_the_pages_are_well_made_in_every_language(browser, db, locale):
    rectify(browser)
    letter = "/desk/referrals"
    with db.write() as session:
        get_user(session, "reviewer").locale = locale
    person = browser("reviewer")
    for address in (
        f"/desk/rectifications/{Q03}",
        f"/desk/rectifications/{Q03}/notice",
        letter,
        "/desk/rectifications",
    ):
        check(person.get(address).get_data(as_text=True), locale)
