"""A deadline of working days that crossed a year without published holidays says so: pages, API, mails, command line."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from cli import main
from core.errors import Refused
from core.outbox import OutboxMail
from night.reminders import remind
from night.situation_models import ReportPeriod
from reconcile.models import FindingRow
from reconcile.worklist_models import Referral
from staffing.housekeeping import keep_staffing
from staffing.models import StaffBlock
from staffing.tipoff_models import TipOff
from tests.web.gate_seeding import Gate, Seeded, seed_gate
from tests.web.pool_seeding import BUREAU
from tests.web.seeding import NOW
from tests.web.test_pages import check
from tests.web.test_tip_offs import look, send, step
from tests.web.test_worklists import Q03, refer

NOTE = "计算时 2027 年放假安排尚未公布，按周一至周五计。"
ENGLISH = "When this was counted, the public holidays of 2027 were not yet published: Monday to Friday."
TRADITIONAL = "計算時 2027 年放假安排尚未公布，按週一至週五計。"
SPRING = datetime(2027, 3, 1, 1, 0, tzinfo=UTC)


def page(person, path: str, times: int = 1, note: str = NOTE, language: str = "zh_Hans_CN") -> str:
    text = person.get(path).get_data(as_text=True)
    check(text, language)
    assert text.count(note) == times, path
    return text


def mails(db, like: str) -> list[OutboxMail]:
    with db.read() as session:
        return list(session.scalars(select(OutboxMail).where(OutboxMail.digest.like(like))))


def check_mails(db, like: str, note: str | None = NOTE) -> None:
    found = mails(db, like)
    assert found, like
    for mail in found:
        assert ("尚未公布" in mail.text, "尚未公布" in mail.html) == (bool(note), bool(note)), mail.subject
        assert note is None or (note in mail.text and note in mail.html)


def test_a_tip_off_says_so_from_the_receipt_to_the_reminder(browser, api, db):
    answer = browser().post(
        "/tip-off", {"kind": "GHOST_PAY", "unit": "市教育局", "text": "某科室有人三年没有上班，工资照发。"},
        token_from="/tip-off",
    ).get_data(as_text=True)  # fmt: skip
    check(answer)
    # Five working days end in November, thirty in the year without an arrangement.
    assert answer.count(NOTE) == 1
    number, secret = re.findall(r'class="secret code">([^<]+)<', answer)
    assert look(browser, number, secret).get_data(as_text=True).count(NOTE) == 1
    officer = browser("reviewer")
    assert "尚未公布" not in page(officer, "/desk/tip-offs", 0)
    page(officer, f"/desk/tip-offs/{number}")
    row = api("reviewer").get("/api/v1/tip-offs").get_json()["items"][0]
    assert (row["take_note"], row["answer_note"]) == (None, NOTE)
    with db.write() as session:
        remind(session, date(2026, 12, 20), NOW, "https://portal.example.org")
    check_mails(db, "tip_off_untaken_%", None)
    assert step(officer, number, "take", 1).status_code == 303
    page(officer, "/desk/tip-offs")
    with db.write() as session:
        case = session.scalar(select(TipOff))
        remind(session, case.answer_by + timedelta(days=1), NOW, "https://portal.example.org")
    check_mails(db, "tip_off_late_%")


def test_a_referral_says_so_on_pages_paper_api_and_in_the_reminder(browser, api, db):
    address = refer(browser, db)
    office = browser("reviewer")
    page(office, address)
    page(office, f"{address}/letter")
    page(office, "/desk/referrals", 0)
    with db.write() as session:
        referral = session.scalar(select(Referral))
        assert (referral.receipt_by.year, referral.answer_by.year, referral.weekday_years) == (2026, 2027, "2027")
        remind(session, referral.receipt_by + timedelta(days=1), NOW, "")
    check_mails(db, "referral_receipt_%", None)
    row = api("auditor").get("/api/v1/referrals").get_json()["items"][0]
    assert (row["receipt_note"], row["answer_note"]) == (None, NOTE)
    auditor = browser("auditor")
    sent = auditor.post(f"{address}/receive", {"version": "1", "note": "收文2026-18号"})
    assert sent.status_code == 303, sent.get_data(as_text=True)
    page(office, "/desk/referrals")
    with db.write() as session:
        remind(session, session.scalar(select(Referral.answer_by)) + timedelta(days=1), NOW, "")
    check_mails(db, "referral_answer_%")


def test_a_report_says_so_unless_a_person_named_the_day(
    browser, api, clock, db, portal_settings, tmp_path, monkeypatch, token
):
    clock.now = NOW + timedelta(days=20)
    office, opening = browser("reviewer2"), {"division": "370100", "level": "CITY"}
    assert office.post("/reports", opening | {"code": "T1"}).status_code == 303
    with db.read() as session:
        period = session.scalar(select(ReportPeriod))
        assert (period.deadline.year, period.weekday_years) == (2027, "2027")
    officer = browser("officer")
    for path in ("/reports", f"/reports/{period.id}", f"/reports/{period.id}/3701001"):
        page(officer, path)
    check_mails(db, "report_open_%")
    with db.write() as session:
        remind(session, period.deadline, NOW, "")
        remind(session, period.deadline + timedelta(days=1), NOW, "")
    check_mails(db, "report_soon_%")
    check_mails(db, "report_late_%")
    assert api("officer").get("/api/v1/reports").get_json()["items"][0]["deadline_note"] == NOTE
    (tmp_path / "token").write_text(token("officer"))
    for name in ("home", "secret_key", "person_key"):
        monkeypatch.setenv(f"BIANZHI_{name.upper()}", str(getattr(portal_settings, name)))
    hand = ["--as", "officer", "--token-file", str(tmp_path / "token")]
    assert NOTE in CliRunner().invoke(main, ["report", "list", *hand]).output
    assert office.post("/reports", opening | {"code": "T2", "deadline": "2027-02-01"}).status_code == 303
    with db.read() as session:
        named = session.scalar(select(ReportPeriod).where(ReportPeriod.code == "T2"))
    page(officer, f"/reports/{named.id}", 0)
    assert named.deadline_note is None


@pytest.fixture
def late(app, db, clock) -> Seeded:
    """A gate with an exit of the last day of 2026 that nobody registered."""
    clock.now = SPRING
    with db.write() as session:
        made = seed_gate(session)
        keep_staffing(session, SPRING.date(), SPRING)
        block = session.scalar(select(StaffBlock).where(StaffBlock.registered_on.is_(None)))
        # Fifteen days after 31 December, Monday to Friday: New Year's Day counts.
        assert (block.changed_on, block.due_on) == (date(2026, 12, 31), date(2027, 1, 21))
    return made


def test_a_late_registration_says_so_wherever_its_day_stands(browser, api, db, late, portal_settings, monkeypatch):
    listed = page(browser("director"), "/staffing/blocks")
    assert "2027-01-21" in listed
    page(browser("officer"), f"/staffing/plans/new?unit={BUREAU}")
    items = api("director").get("/api/v1/staffing/blocks").get_json()["items"]
    assert {row["due_on"]: row["due_note"] for row in items}["2027-01-21"] == NOTE
    assert [row["due_note"] for row in items if row["due_on"] < "2027"] == [None]
    with db.read() as session:
        number = session.scalar(select(StaffBlock.id).where(StaffBlock.registered_on.is_(None)))
    check_mails(db, f"staff_block_{number}")
    for name in ("home", "secret_key", "person_key"):
        monkeypatch.setenv(f"BIANZHI_{name.upper()}", str(getattr(portal_settings, name)))
    said = json.loads(CliRunner().invoke(main, ["gate", "blocks", "--json"]).output)
    assert NOTE in [row["due_note"] for row in said]
    with pytest.raises(Refused, match="登记之前不能申报计划。" + NOTE), db.write() as session:
        Gate(session).deed("plan", "officer", SPRING, unit_code=BUREAU, year=2027, lines=[("ADMIN", "FULL", 1)])


@pytest.mark.parametrize(("language", "note"), [("en", ENGLISH), ("zh_Hant_TW", TRADITIONAL)])
def test_the_sentence_is_translated_on_a_page(browser, late, language, note):
    officer = browser("officer")
    officer.post("/me/language", {"locale": language})
    officer.client.set_cookie("bianzhi_lang", language)
    page(officer, f"/staffing/plans/new?unit={BUREAU}", note=note, language=language)


def test_a_deadline_given_before_the_year_was_published_stays_and_says_how_it_was_counted(browser, db, monkeypatch):
    from chinese_calendar import constants

    number, secret = send(browser)
    with db.read() as session:
        told = session.scalar(select(TipOff.answer_by))
    monkeypatch.setitem(constants.holidays, date(2027, 1, 1), constants.Holiday.new_years_day.value)
    again = look(browser, number, secret).get_data(as_text=True)
    assert (str(told) in again, NOTE in again) == (True, True)
    later, secret = send(browser, text="另一件：某单位有人长期不到岗而照领工资。")
    fresh = look(browser, later, secret).get_data(as_text=True)
    assert "尚未公布" not in fresh
    with db.read() as session:
        # The first of January is now a holiday: a new term ends a day later than the old one did.
        assert session.scalar(select(TipOff.answer_by).where(TipOff.number == later)) == told + timedelta(days=1)


def test_a_finding_counted_on_weekdays_says_so_on_its_page(browser, db):
    with db.write() as session:
        for finding in session.scalars(select(FindingRow).where(FindingRow.key == Q03)):
            finding.evidence = '{"calendar":"MONDAY_TO_FRIDAY"}'
    text = browser("reviewer").get(f"/flags/{Q03}").get_data(as_text=True)
    check(text)
    assert "工作日计法" in text
    assert "其间有的年份放假安排尚未公布，按周一至周五计" in text
