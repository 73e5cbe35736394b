"""Situation reports: opened by the office, confirmed or disputed figure by figure, frozen once confirmed."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import func, select

from core.accounts import LOCALES, get_user
from core.outbox import OutboxMail
from night.reminders import remind
from night.situation import broken_reports
from night.situation_models import ReportPeriod, SituationLine, SituationReport
from tests.web.seeding import NEWEST, NOW
from tests.web.test_pages import check
from tests.web.test_public import settle_another_night

OPEN = {"division": "370100", "level": "CITY"}


@pytest.fixture
def period(browser, db) -> int:
    """A period opened for the city's own units."""
    answer = browser("reviewer2").post("/reports", OPEN)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    with db.read() as session:
        return session.scalar(select(ReportPeriod.id))


def places(db, period: int, unit: str = "3701001") -> list[SituationLine]:
    with db.read() as session:
        report = select(SituationReport.id).where(
            SituationReport.period_id == period, SituationReport.unit_code == unit
        )
        query = select(SituationLine).where(SituationLine.report_id == session.scalar(report))
        return list(session.scalars(query.order_by(SituationLine.place)))


def answers(lines: list[SituationLine], disputed: dict[int, str] | None = None, version: int = 1) -> dict[str, str]:
    form = {"act": "answer", "version": str(version)}
    for line in lines:
        remark = (disputed or {}).get(line.place)
        form[f"answer-{line.place}"] = "AGREED" if remark is None else "DISPUTED"
        form[f"remark-{line.place}"] = remark or ""
    return form


def test_every_unit_of_the_level_gets_the_figures_of_the_newest_night(period, db):
    with db.read() as session:
        units = session.scalars(select(SituationReport.unit_code)).all()
        assert set(units) == {"3701001", "3701002", "3701003"}
    held = {(line.measure, line.part): line.figure for line in places(db, period)}
    assert held["QUOTA", "ADMIN/FULL"] == 86
    assert held["IN_POST", ""] == 91
    assert held["PAID", "SUPPORT/FULL"] == 7
    assert ("BORROWED", "") in held


def test_a_confirmed_report_is_frozen_with_its_hash_and_proven(period, browser, db):
    officer, address = browser("officer"), f"/reports/{period}/3701001"
    page = officer.get(address).get_data(as_text=True)
    check(page)
    assert officer.post(address, answers(places(db, period))).status_code == 303
    frozen = officer.get(address).get_data(as_text=True)
    check(frozen)
    assert "已冻结" in frozen
    assert re.search(r"[0-9a-f]{64}", frozen)
    assert officer.post(address, answers(places(db, period), version=2)).status_code == 409
    again = {"act": "propose", "version": "2"}
    assert browser("reviewer2").post(address, again).status_code == 409
    with db.write() as session:
        assert broken_reports(session) == []
        session.scalars(select(SituationLine).where(SituationLine.measure == "QUOTA")).first().figure = 1
        session.flush()
        assert broken_reports(session) == [f"{period} 3701001"]


def test_a_dispute_needs_a_remark_and_goes_back_to_the_office(period, browser, db):
    officer, address = browser("officer"), f"/reports/{period}/3701001"
    lines = places(db, period)
    assert officer.post(address, answers(lines, {lines[1].place: " "})).status_code == 422
    incomplete = answers(lines)
    del incomplete[f"answer-{lines[0].place}"]
    assert officer.post(address, incomplete).status_code == 422
    assert officer.post(address, answers(lines, {lines[1].place: "两人上月已退休"})).status_code == 303
    office = browser("reviewer2")
    assert "两人上月已退休" in office.get(address).get_data(as_text=True)
    with db.write() as session:
        settle_another_night(session)
    assert office.post(address, {"act": "propose", "version": "2"}).status_code == 303
    with db.read() as session:
        report = session.scalar(select(SituationReport).where(SituationReport.unit_code == "3701001"))
        assert (report.status, report.as_of) == ("PROPOSED", NEWEST + timedelta(days=1))
    assert [line.figure for line in places(db, period) if (line.measure, line.part) == ("IN_POST", "")] == [8585]
    assert not [line for line in places(db, period) if line.answer]


def test_only_the_units_officer_confirms_and_only_the_office_opens(period, browser, db):
    address = f"/reports/{period}/3701001"
    form = answers(places(db, period))
    for login in ("reviewer2", "supervisor", "auditor", "director"):
        assert browser(login).post(address, form).status_code == 403, login
    assert browser("small").get(address).status_code == 404
    assert browser("finance").get("/reports").status_code == 403
    assert browser("supervisor").get(f"/reports/{period}").status_code == 200
    assert browser("county").get(f"/reports/{period}").status_code == 404
    for login in ("officer", "supervisor", "auditor"):
        assert browser(login).post("/reports", OPEN | {"code": "x"}).status_code in (403, 404), login
    assert browser("county").post("/reports", OPEN).status_code == 404
    assert browser("reviewer2").post("/reports", OPEN).status_code == 409


def test_opening_mails_each_unit_and_reminders_come_once(period, db, browser):
    with db.write() as session:
        held = session.scalar(select(ReportPeriod))
        mails = lambda stem: session.scalar(select(func.count(OutboxMail.id)).where(OutboxMail.digest.startswith(stem)))
        assert mails("report_open_") == 2  # the officer's unit and the school under it
        early, soon, late = (held.deadline + timedelta(days=days) for days in (-20, -3, 2))
        assert remind(session, early, NOW, "") == 0
        assert remind(session, soon, NOW, "") == 2
        assert remind(session, soon + timedelta(days=1), NOW, "") == 0
        assert remind(session, late, NOW, "") == 4  # the supervising department too
        assert remind(session, late, NOW, "") == 0


def test_the_unconfirmed_are_visible_and_age(period, browser, clock, db):
    page = browser("reviewer2").get(f"/reports/{period}").get_data(as_text=True)
    check(page)
    assert page.count("待确认") > 3
    with db.read() as session:
        deadline = session.scalar(select(ReportPeriod.deadline))
    clock.now = NOW + timedelta(days=(deadline - NOW.date()).days + 4)
    late = browser("reviewer2").get(f"/reports/{period}").get_data(as_text=True)
    assert "逾期" in late
    assert "已 4 天" in late


def test_the_files_hold_what_is_in_the_scope_as_text(period, browser):
    address = f"/reports/{period}/export"
    rows = list(csv.reader(io.StringIO(browser("officer").get(f"{address}.csv").data.decode("utf-8-sig"))))
    assert {row[0] for row in rows[1:]} == {"3701001", "3701002"}
    book = openpyxl.load_workbook(io.BytesIO(browser("reviewer2").get(f"{address}.xlsx").data))
    assert {row[0] for row in book.active.iter_rows(min_row=2, values_only=True)} == {"3701001", "3701002", "3701003"}


def test_the_same_through_the_api(api, db):
    office, officer = api("reviewer2"), api("officer")
    opened = office.post("/api/v1/reports", json={"division_code": "370100", "code": "2026-H2"})
    assert opened.status_code == 200, opened.json
    period = opened.json["period_id"]
    assert opened.json["counts"]["PROPOSED"] == 3
    report = officer.get(f"/api/v1/reports/{period}/3701001").json
    said = [{"place": line["place"], "agreed": True} for line in report["lines"]]
    said[0] |= {"agreed": False, "remark": "不符", "stated": 3}
    address = f"/api/v1/reports/{period}/3701001/answer"
    assert officer.post(address, json={"version": 1, "answers": said}).json["report"]["status"] == "DISPUTED"
    assert officer.post(address, json={"version": 1, "answers": said}).status_code == 409
    assert office.post(f"/api/v1/reports/{period}/3701001/propose", json={"version": 2}).status_code == 200
    said[0] = {"place": 0, "agreed": True}
    done = officer.post(address, json={"version": 3, "answers": said}).json["report"]
    assert done["status"] == "CONFIRMED"
    assert len(done["hash"]) == 64
    assert api("county").get(f"/api/v1/reports/{period}").status_code == 404


@pytest.mark.parametrize("locale", LOCALES)
def test_the_pages_are_well_made_in_every_language(period, browser, db, locale):
    with db.write() as session:
        for login in ("officer", "reviewer2"):
            get_user(session, login).locale = locale
    for login in ("officer", "reviewer2"):
        for address in ("/reports", f"/reports/{period}", f"/reports/{period}/3701001"):
            check(browser(login).get(address).get_data(as_text=True), locale)
