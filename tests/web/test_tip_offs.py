"""Tip-offs from the form to the outcome: sealed at rest, read by one hand, told to nobody by mail."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.accounts import LOCALES
from core.audit import AuditEvent
from core.outbox import OutboxMail
from core.tries import PublicTry
from staffing.tipoff_models import TipOff, TipOffStep
from staffing.tipoffs import remind_of_tip_offs
from tests.web.seeding import NEWEST, NOW, flag_of
from tests.web.test_pages import check

TEXT = "某科室有人三年没有上班，工资照发，情况属实可查考勤。"
CONTACT = "handphone-13900001111"
FORM = {"kind": "GHOST_PAY", "unit": "市教育局", "text": TEXT, "contact": CONTACT}
F01 = flag_of("F01", "3701001", "b" * 32)


def send(browser, **changes) -> tuple[str, str]:
    """(number, secret) of a tip-off sent by a stranger."""
    answer = browser().post("/tip-off", FORM | changes, token_from="/tip-off")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    page = answer.get_data(as_text=True)
    check(page)
    return tuple(re.findall(r'class="secret code">([^<]+)<', page))


def step(person, number: str, name: str, version: int, **fields):
    return person.post(f"/desk/tip-offs/{number}/{name}", {"version": str(version), **fields})


def look(browser, number: str, secret: str, **more):
    return browser().post("/tip-off/status", {"number": number, "secret": secret, **more}, token_from="/tip-off/status")


def test_a_case_goes_from_the_form_to_its_outcome(browser):
    number, secret = send(browser)
    officer = browser("reviewer")
    listed = officer.get("/desk/tip-offs").get_data(as_text=True)
    check(listed)
    assert number in listed
    assert TEXT not in officer.get(f"/desk/tip-offs/{number}").get_data(as_text=True)
    assert step(officer, number, "take", 1).status_code == 303
    page = officer.get(f"/desk/tip-offs/{number}").get_data(as_text=True)
    check(page)
    assert TEXT in page
    assert CONTACT not in page
    assert step(officer, number, "ask", 2, note="哪个科室？").status_code == 303
    assert "哪个科室？" in look(browser, number, secret).get_data(as_text=True)
    assert "人事科" in look(browser, number, secret, added="人事科").get_data(as_text=True)
    assert step(officer, number, "link", 4, unit="", flag=F01).status_code == 303
    assert step(officer, number, "answer", 5, note="已列入核查。").status_code == 303
    assert step(officer, number, "close", 6, note="追回工资。", outcome="CONFIRMED").status_code == 303
    done = look(browser, number, secret).get_data(as_text=True)
    check(done)
    assert "属实" in done
    assert "追回工资。" in done
    assert "reviewer" not in done
    assert number in officer.get("/desk/tip-offs?list=closed").get_data(as_text=True)


def test_words_and_contact_are_sealed_in_the_database_file(browser, portal_settings):
    number, _ = send(browser)
    officer = browser("reviewer")
    step(officer, number, "take", 1)
    step(officer, number, "ask", 2, note="请说明科室名称再办")
    content = b"".join(path.read_bytes() for path in portal_settings.home.glob("bianzhi.db*"))
    assert number.encode() in content
    for word in (TEXT[:8], CONTACT, "请说明科室名称"):
        assert word.encode() not in content


def test_the_contact_opens_for_the_handler_alone_with_an_event_each_time(browser, db):
    number, _ = send(browser)
    first, second = browser("reviewer"), browser("reviewer2")
    assert first.post(f"/desk/tip-offs/{number}/contact").status_code == 403
    step(first, number, "take", 1)
    assert second.post(f"/desk/tip-offs/{number}/contact").status_code == 403
    assert CONTACT in first.post(f"/desk/tip-offs/{number}/contact").get_data(as_text=True)
    assert CONTACT in first.post(f"/desk/tip-offs/{number}/contact").get_data(as_text=True)
    with db.read() as session:
        shown = session.scalars(select(AuditEvent).where(AuditEvent.action == "tip_off_contact_shown")).all()
        assert [event.actor for event in shown] == ["reviewer", "reviewer"]


def test_only_the_handler_reads_and_a_case_given_back_is_closed_to_the_former_hand(browser):
    number, _ = send(browser)
    first, second = browser("reviewer"), browser("reviewer2")
    step(first, number, "take", 1)
    assert TEXT not in second.get(f"/desk/tip-offs/{number}").get_data(as_text=True)
    assert step(second, number, "answer", 2, note="抢办").status_code == 403
    assert step(browser("director"), number, "reassign", 2, note="改派").status_code == 303
    assert TEXT not in first.get(f"/desk/tip-offs/{number}").get_data(as_text=True)
    assert step(second, number, "take", 3).status_code == 303
    assert TEXT in second.get(f"/desk/tip-offs/{number}").get_data(as_text=True)


def test_mails_and_the_trail_hold_a_number_and_nothing_else(browser, db):
    number, secret = send(browser)
    with db.read() as session:
        mails = session.scalars(select(OutboxMail).where(OutboxMail.digest == f"tip_off_new_{number}")).all()
        assert {mail.recipient.split("@")[0] for mail in mails} == {"reviewer", "reviewer2", "auditor"}
        said = " ".join(f"{mail.subject} {mail.text} {mail.html}" for mail in mails)
        events = session.scalars(select(AuditEvent).where(AuditEvent.action.startswith("tip_off"))).all()
        assert [event.actor for event in events] == ["sender"]
        said += " ".join(event.details + event.subject for event in events)
        assert number in said
        for word in (TEXT[:8], CONTACT, secret, "教育局", "3701001"):
            assert word not in said


def test_a_case_is_seen_only_in_its_own_area_and_never_by_the_unit(browser):
    number, _ = send(browser)
    address = f"/desk/tip-offs/{number}"
    assert browser("county").get(address).status_code == 404
    assert browser("officer").get(address).status_code == 403
    assert browser("finance").get(address).status_code == 403
    assert browser("auditor").get(address).status_code == 200
    placed, _ = send(browser, unit="某个没有登记的单位", division="370102")
    assert browser("county").get(f"/desk/tip-offs/{placed}").status_code == 200
    assert browser("reviewer2").get(f"/desk/tip-offs/{placed}").status_code == 404


def test_a_wrong_secret_and_an_unknown_number_are_answered_alike(browser):
    number, secret = send(browser)
    answers = [look(browser, number, "0" * 30), look(browser, "SL2026-999999", secret)]
    assert {answer.status_code for answer in answers} == {404}
    texts = [re.sub(r"[0-9a-f]{64}", "", answer.get_data(as_text=True)) for answer in answers]
    assert texts[0] == texts[1]


def test_what_is_wrong_with_a_form_is_said_and_what_was_typed_stays(browser, db):
    answer = browser().post("/tip-off", FORM | {"text": "太短"}, token_from="/tip-off")
    page = answer.get_data(as_text=True)
    check(page)
    assert answer.status_code == 422
    assert "请写明情况" in page
    assert CONTACT in page
    for wrong in (
        {"kind": "NONSENSE"},
        {"unit": "", "division": "990000"},
        {"text": "长" * 4001},
        {"contact": "x" * 201},
    ):
        assert browser().post("/tip-off", FORM | wrong, token_from="/tip-off").status_code in (422, 429)
    with db.read() as session:
        assert session.scalars(select(TipOff)).all() == []


def test_robots_and_forms_without_a_token_get_nowhere(browser, app, db):
    assert browser().post("/tip-off", FORM | {"website": "http://spam"}, token_from="/tip-off").status_code == 422
    assert app.test_client().post("/tip-off", data=FORM).status_code == 400
    with db.read() as session:
        assert session.scalars(select(TipOff)).all() == []


def test_one_address_may_not_send_without_end_and_is_not_kept(browser, clock, db):
    for _ in range(5):
        send(browser)
    answer = browser().post("/tip-off", FORM, token_from="/tip-off")
    assert answer.status_code == 429
    with db.read() as session:
        marks = set(session.scalars(select(PublicTry.mark)))
        assert len(marks) == 1
        assert re.fullmatch(r"[0-9a-f]{32}", marks.pop())
    clock.now += timedelta(hours=2)
    send(browser)


def test_a_case_that_changed_is_looked_at_again(browser):
    number, _ = send(browser)
    first = browser("reviewer")
    assert step(first, number, "take", 7).status_code == 409
    assert step(first, number, "take", 1).status_code == 303
    assert step(browser("reviewer2"), number, "take", 2).status_code == 409
    assert step(first, number, "close", 2, note="x", outcome="CONFIRMED").status_code == 409
    assert step(first, number, "nonsense", 2).status_code == 404


def test_late_cases_are_shown_and_mailed_once(browser, clock, db):
    send(browser)
    with db.write() as session:
        case = session.scalar(select(TipOff))
        late = case.take_by + timedelta(days=1)
        assert remind_of_tip_offs(session, case.take_by, NOW, "") == 0
        assert remind_of_tip_offs(session, late, NOW, "") == 3
        assert remind_of_tip_offs(session, late + timedelta(days=3), NOW, "") == 0
        assert case.take_by - NEWEST > timedelta(days=5)  # working days, not days
    clock.now += timedelta(days=30)
    assert "逾期" in browser("reviewer").get("/desk/tip-offs").get_data(as_text=True)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_forms_are_well_made_in_every_language(app, locale):
    client = app.test_client()
    for address in ("/tip-off?unit=3701001", "/tip-off/status"):
        client.get(f"/language?to={locale}&next=/tip-off")
        check(client.get(address).get_data(as_text=True), locale)


def test_steps_cannot_be_rewritten(browser, db):
    from sqlalchemy.exc import DBAPIError

    send(browser)
    with pytest.raises(DBAPIError), db.write() as session:
        session.scalar(select(TipOffStep)).actor = "somebody else"


def test_a_case_is_handled_over_the_api_as_on_its_page(browser, api):
    number, secret = send(browser)
    officer, address = api("reviewer"), f"/api/v1/tip-offs/{number}"
    assert [row["number"] for row in officer.get("/api/v1/tip-offs").json["items"]] == [number]
    before = officer.get(address)
    assert before.json["words"] is None
    assert TEXT not in before.get_data(as_text=True)

    def move(name: str, version: int, **body):
        return officer.post(f"{address}/{name}", json={"version": version, **body})

    assert move("take", 1).json["words"] == TEXT
    assert move("take", 1).status_code == 409
    assert api("reviewer2").get(address).json["words"] is None
    assert api("reviewer2").post(f"{address}/contact", json={}).status_code == 403
    assert officer.post(f"{address}/contact", json={}).json == {"contact": CONTACT}
    assert move("link", 2).status_code == 409
    assert move("link", 2, flag=F01).status_code == 200
    assert move("answer", 3, note="已列入核查。").status_code == 200
    assert move("close", 4, note="追回工资。", outcome="BEST").status_code == 422
    closed = move("close", 4, note="追回工资。", outcome="CONFIRMED").json
    assert (closed["status"], closed["outcome"]) == ("CLOSED", "CONFIRMED")
    assert officer.get("/api/v1/tip-offs").json["items"] == []
    assert officer.get("/api/v1/tip-offs?closed=true").json["items"][0]["number"] == number
    assert "追回工资。" in look(browser, number, secret).get_data(as_text=True)


def test_the_api_shows_a_case_to_its_own_area_and_never_to_the_unit(browser, api):
    number, _ = send(browser)
    assert api("officer").get("/api/v1/tip-offs").status_code == 403
    county = api("county")
    assert county.get("/api/v1/tip-offs").json["items"] == []
    unseen, unknown = county.get(f"/api/v1/tip-offs/{number}"), county.get("/api/v1/tip-offs/SL2026-000099")
    strip = lambda answer: {**answer.json, "request_id": None}
    assert (unseen.status_code, strip(unseen)) == (404, strip(unknown))
