"""The full number behind a flag: for reviewers of its scope, on a reason, with one audit event, and no more than so many."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from core.accounts import get_user, issue_token
from core.audit import AuditEvent
from core.identity import keyed
from reconcile.identities import SHOWN, identity_sealer
from reconcile.models import Flag, PersonIdentity
from tests.nightkit import person_id
from tests.web.seeding import NOW, flag_of

PERSON = "b" * 32
F01, F09, FOREIGN = flag_of("F01", "3701001", PERSON), flag_of("F09", "3701001"), flag_of("F09", "3701031")
NUMBER = person_id(1)
REASON = {"reason": "核实是否已调出"}


@pytest.fixture
def kept(db, portal_settings):
    """The number of the person of F01, as settling keeps it."""
    sealed = identity_sealer(portal_settings.person_key).seal(NUMBER.encode(), PERSON)
    with db.write() as session:
        session.add(PersonIdentity(person_key=PERSON, sealed=sealed))


def events(db) -> list[AuditEvent]:
    with db.read() as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.action == SHOWN).order_by(AuditEvent.seq)))


def ask(person, key: str = F01, form: dict | None = None):
    return person.post(f"/flags/{key}/identity", REASON if form is None else form)


def test_a_reviewer_sees_the_number_once_on_a_reason_and_the_trail_knows(browser, db, kept):
    reviewer = browser("reviewer")
    page = reviewer.get(f"/flags/{F01}")
    assert "查看完整证件号" in page.get_data(as_text=True)
    answer = ask(reviewer)
    assert answer.status_code == 200
    assert NUMBER in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    [event] = events(db)
    assert (event.actor, event.subject) == ("reviewer", f"flag {F01}")
    with db.read() as session:
        assert json.loads(event.details) == {"flag": session.get(Flag, F01).id, **REASON}
    assert NUMBER not in reviewer.get(f"/flags/{F01}").get_data(as_text=True)
    assert reviewer.get(f"/flags/{F01}/identity").status_code in (404, 405)


@pytest.mark.parametrize("login", ["director", "finance", "personnel", "supervisor", "officer", "auditor", "admin"])
def test_nobody_else_sees_it_and_no_event_is_written(browser, db, kept, login):
    person = browser(login)
    assert "查看完整证件号" not in person.get(f"/flags/{F01}").get_data(as_text=True)
    answer = ask(person)
    assert answer.status_code == 403
    assert NUMBER not in answer.get_data(as_text=True)
    assert events(db) == []


def test_outside_the_scope_there_is_no_such_flag(browser, db, kept):
    assert ask(browser("county")).status_code == 404
    assert events(db) == []


@pytest.mark.parametrize("reason", ["", "  ", "查", "长" * 401, f"核对 {NUMBER}", "370 104 199 001"])
def test_without_a_reason_or_with_a_number_in_it_nothing_is_shown(browser, db, kept, reason):
    answer = ask(browser("reviewer"), form={"reason": reason})
    assert answer.status_code == 409
    assert f'<p class="code">{NUMBER}' not in answer.get_data(as_text=True)
    assert events(db) == []


def test_a_form_without_its_token_is_refused(app, browser, db, kept):
    reviewer = browser("reviewer")
    assert reviewer.client.post(f"/flags/{F01}/identity", data=REASON).status_code == 400
    assert events(db) == []


def test_a_flag_about_no_person_or_one_not_kept_has_none(browser, db):
    reviewer = browser("reviewer")
    assert "查看完整证件号" not in reviewer.get(f"/flags/{F09}").get_data(as_text=True)
    assert ask(reviewer, F09).status_code == 404
    assert ask(reviewer, F01).status_code == 404
    assert events(db) == []


def test_so_many_an_hour_and_no_more(browser, db, kept, clock):
    reviewer = browser("reviewer")
    assert [ask(reviewer).status_code for _ in range(21)] == [200] * 20 + [409]
    assert len(events(db)) == 20
    assert ask(browser("reviewer2")).status_code == 200
    clock.now += timedelta(minutes=61)
    assert ask(browser("reviewer")).status_code == 200


def test_another_key_opens_nothing_and_says_so(browser, db, portal_settings):
    with db.write() as session:
        sealed = identity_sealer("another-key-" * 4).seal(NUMBER.encode(), PERSON)
        session.add(PersonIdentity(person_key=PERSON, sealed=sealed))
    assert ask(browser("reviewer")).status_code == 503
    assert events(db) == []


def test_one_persons_seal_does_not_open_for_another(portal_settings):
    from core.errors import Unavailable

    sealer = identity_sealer(portal_settings.person_key)
    sealed = sealer.seal(NUMBER.encode(), PERSON)
    assert sealer.open(sealed, PERSON).decode() == NUMBER
    with pytest.raises(Unavailable):
        sealer.open(sealed, keyed("x" * 32, NUMBER))
    with pytest.raises(Unavailable):
        sealer.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), PERSON)


def test_the_api_does_the_same(app, db, kept):
    def client(login: str):
        with db.write() as session:
            token = issue_token(session, get_user(session, login), label="test", actor="test", now=NOW)
        made = app.test_client()
        made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return made

    answer = client("reviewer").post(f"/api/v1/flags/{F01}/identity", json=REASON)
    assert answer.json == {"numbers": [NUMBER]}
    assert answer.headers["Cache-Control"] == "no-store"
    assert client("reviewer").post(f"/api/v1/flags/{F01}/identity", json={}).status_code == 422
    assert client("director").post(f"/api/v1/flags/{F01}/identity", json=REASON).status_code == 403
    assert client("county").post(f"/api/v1/flags/{F01}/identity", json=REASON).status_code == 404
    assert client("reviewer").post(f"/api/v1/flags/{F09}/identity", json=REASON).status_code == 404
    assert len(events(db)) == 1
