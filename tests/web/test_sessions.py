"""Signing in and out, and everything that ends a session."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.accounts import (
    UserSession,
    change_grants,
    disable,
    enable,
    get_user,
    hash_secret,
    parse_grant,
    set_password,
)
from core.audit import AuditEvent, broken_link
from tests.web.seeding import NOW, PASSWORD
from web.auth import LOCK, TRIES, AddressThrottle, safe_next
from web.errors import TooManyTries
from web.session import ABSOLUTE, IDLE

COOKIE = "bianzhi"


def cookie_of(person) -> str:
    return person.client.get_cookie(COOKIE).value


def with_cookie(app, value: str):
    client = app.test_client()
    client.set_cookie(COOKIE, value)
    return client


def test_the_cookie_is_random_and_only_its_hash_is_kept(browser, db):
    sid = cookie_of(browser("officer"))
    with db.read() as session:
        hashes = set(session.scalars(select(UserSession.sid_hash)))
    assert hash_secret(sid) in hashes
    assert sid not in hashes


def test_the_cookie_is_closed_to_scripts_and_to_other_sites(browser):
    answer = browser().sign_in("officer")
    cookie = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith(COOKIE + "="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(portal_settings, clock):
    from dataclasses import replace

    from tests.web.conftest import Browser
    from web.app import create_app

    app = create_app(replace(portal_settings, portal_url="https://bianzhi.example.org"), clock)
    person = Browser(app.test_client())
    answer = person.client.get("/login", base_url="https://bianzhi.example.org")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-bianzhi=")
    assert "Secure" in cookie
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_signing_in_gives_a_new_session_id_whatever_cookie_was_planted(app, browser):
    stranger = browser()
    stranger.get("/login")
    planted = cookie_of(stranger)
    stranger.sign_in("officer")
    assert cookie_of(stranger) != planted
    assert with_cookie(app, planted).get("/me").status_code == 303


def test_a_cookie_copied_before_signing_out_is_dead_after_it(app, browser):
    person = browser("officer")
    thief = with_cookie(app, cookie_of(person))
    assert thief.get("/me").status_code == 200
    assert person.post("/logout").status_code == 303
    assert thief.get("/me").status_code == 303
    assert thief.get("/me", headers={"Accept": "application/json"}).status_code == 401


def test_signing_out_here_leaves_the_other_device_signed_in(browser):
    here, there = browser("officer"), browser("officer")
    here.post("/logout")
    assert there.get("/me").status_code == 200


def test_a_disabled_persons_cookie_is_dead_and_enabling_does_not_revive_it(browser, db):
    person = browser("officer")
    with db.write() as session:
        disable(session, get_user(session, "officer"), actor="test", now=NOW)
    assert person.get("/me").status_code == 303
    with db.write() as session:
        enable(session, get_user(session, "officer"), actor="test", now=NOW)
    assert person.get("/me").status_code == 303


def test_changed_grants_end_the_session(browser, db):
    person = browser("officer")
    with db.write() as session:
        grants = [parse_grant("UNIT_OFFICER:unit=3701002")]
        change_grants(session, get_user(session, "officer"), grants, actor="test", now=NOW)
    assert person.get("/me").status_code == 303


def test_a_new_password_ends_the_session_and_the_old_one_no_longer_works(browser, db):
    person = browser("officer")
    with db.write() as session:
        set_password(session, get_user(session, "officer"), "Another-ledger-2027", actor="test", now=NOW)
    assert person.get("/me").status_code == 303
    assert browser().sign_in("officer").status_code == 401
    assert browser().sign_in("officer", "Another-ledger-2027").status_code == 303


def test_changing_ones_own_password_keeps_this_device_and_ends_the_others(browser):
    here, there = browser("officer"), browser("officer")
    form = {"act": "password", "present": PASSWORD, "password": "Another-ledger-2027", "again": "Another-ledger-2027"}
    assert here.post("/me", form).status_code == 303
    assert here.get("/me").status_code == 200
    assert there.get("/me").status_code == 303
    assert here.post("/me", {**form, "password": "x" * 20}).status_code == 422


def test_an_idle_session_ends(browser, clock):
    person = browser("officer")
    clock.now = NOW + IDLE - timedelta(minutes=1)
    assert person.get("/me").status_code == 200
    clock.now += IDLE - timedelta(minutes=1)
    assert person.get("/me").status_code == 200
    clock.now += IDLE + timedelta(seconds=1)
    assert person.get("/me").status_code == 303


def test_a_busy_session_ends_too_after_its_longest_life(browser, clock):
    person = browser("officer")
    while clock.now + IDLE < NOW + ABSOLUTE:
        clock.now += IDLE - timedelta(minutes=1)
        assert person.get("/me").status_code == 200
    clock.now = NOW + ABSOLUTE + timedelta(seconds=1)
    assert person.get("/me").status_code == 303


def test_unknown_wrong_locked_and_disabled_look_alike(browser, db):
    import re

    with db.write() as session:
        disable(session, get_user(session, "other"), actor="test", now=NOW)
    for _ in range(TRIES):
        browser().sign_in("officer", "wrong")

    def answer(login: str, password: str) -> tuple[int, str]:
        got = browser().sign_in(login, password)
        page = re.sub(r'value="[^"]*"|<code>[0-9a-f]{16}</code>', "", got.get_data(as_text=True))
        return got.status_code, page

    shown = {answer(*tried) for tried in (
        ("nobody", PASSWORD), ("auditor", "wrong"), ("officer", PASSWORD), ("other", PASSWORD),
    )}  # fmt: skip
    assert len(shown) == 1
    assert shown.pop()[0] == 401


def test_an_account_locks_after_too_many_tries_and_opens_again(browser, clock):
    for _ in range(TRIES):
        assert browser().sign_in("officer", "wrong").status_code == 401
    assert browser().sign_in("officer").status_code == 401
    assert browser().sign_in("auditor").status_code == 303
    clock.now += LOCK + timedelta(seconds=1)
    assert browser().sign_in("officer").status_code == 303


def test_a_right_password_forgives_the_tries_before_it(browser):
    for _ in range(2):
        for _ in range(TRIES - 1):
            browser().sign_in("officer", "wrong")
        assert browser().sign_in("officer").status_code == 303


def test_many_tries_from_one_address_are_slowed_down_for_a_while():
    throttle = AddressThrottle(tries=3, window=timedelta(minutes=5))
    for second in range(3):
        throttle.admit("10.0.0.1", NOW + timedelta(seconds=second))
    with pytest.raises(TooManyTries):
        throttle.admit("10.0.0.1", NOW + timedelta(minutes=4))
    throttle.admit("10.0.0.2", NOW + timedelta(minutes=4))
    throttle.admit("10.0.0.1", NOW + timedelta(minutes=6))


def test_tries_that_succeed_do_not_count_against_the_address(browser, app):
    app.extensions["bianzhi_throttle"] = AddressThrottle(tries=1)
    assert [browser().sign_in(login).status_code for login in ("officer", "auditor", "other")] == [303, 303, 303]


def test_the_portal_throttles_signing_in_by_address(app, browser):
    app.extensions["bianzhi_throttle"] = AddressThrottle(tries=1)
    assert browser().sign_in("officer", "wrong").status_code == 401
    assert browser().sign_in("officer").status_code == 429


def test_tries_leave_a_trail_without_what_was_typed(browser, db):
    browser().sign_in("my-secret-password", "oops")
    browser().sign_in("officer", "wrong")
    with db.read() as session:
        events = session.scalars(select(AuditEvent).where(AuditEvent.action == "sign_in_refused")).all()
        assert [event.subject for event in events] == ["-", "officer"]
        assert broken_link(session) is None


@pytest.mark.parametrize("path", ["/logout", "/me/language", f"/flags/F09-{'0' * 20}/acknowledge", "/me"])
def test_a_post_without_the_forms_token_changes_nothing(browser, path):
    person = browser("officer")
    assert person.client.post(path, data={"act": "mail", "locale": "en"}).status_code == 400
    assert person.client.post(path, data={"csrf_token": "0" * 64}).status_code == 400
    assert person.get("/me").status_code == 200


def test_anothers_token_is_not_mine(browser):
    one, other = browser("officer"), browser("auditor")
    assert one.client.post("/logout", data={"csrf_token": other.token("/me")}).status_code == 400


def test_signing_in_needs_the_forms_token_too(app, db):
    client = app.test_client()
    assert client.post("/login", data={"login": "officer", "password": PASSWORD}).status_code == 400
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(UserSession)) == 0


def test_a_form_from_another_site_is_refused_even_with_a_token(browser):
    person = browser("officer")
    token = {"csrf_token": person.token("/me")}
    assert person.client.post("/logout", data=token, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 409


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "/\t/evil.example", "javascript:alert(1)",
     "", "evil", "/logout", "/" + "x" * 3000, "/\n/evil"],
)  # fmt: skip
def test_next_leads_nowhere_else(browser, target):
    assert safe_next(target) is None
    answer = browser().client.get("/login", query_string={"next": target})
    assert "evil" not in answer.headers.get("Location", "")


def test_next_leads_back_to_the_page_asked_for(browser):
    person = browser()
    where = person.get("/flags?rule=F01&severity=S1").headers["Location"]
    answer = person.post(where, {"login": "officer", "password": PASSWORD}, token_from=where)
    assert answer.headers["Location"] == "/flags?rule=F01&severity=S1"
