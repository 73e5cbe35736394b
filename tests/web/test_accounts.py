"""Accounts: what may be made, by whom, and that the last administrator stays."""

from __future__ import annotations

import pytest

from core.accounts import (
    GrantSpec,
    change_grants,
    check_password,
    create_user,
    disable,
    find_user,
    get_user,
    grant_specs,
    parse_grant,
    verify_password,
)
from core.errors import InputRejected, NotFound, Refused
from tests.web.seeding import NOW, PASSWORD

NEW = {
    "login": "newcomer", "display_name": "新同志", "email": "new@example.org", "password": "Fresh-paper-2026",
    "role": "UNIT_OFFICER", "unit_code": "3701002", "division_code": "", "level": "",
}  # fmt: skip


@pytest.mark.parametrize("text", ["ADMINISTRATOR", "UNIT_OFFICER:unit=007", "REVIEWER:370100/CITY", "AUDITOR:370100/*"])
def test_a_grant_is_spelled_and_read_back(text):
    assert parse_grant(text).text == text


@pytest.mark.parametrize(
    "text",
    ["", "KING", "REVIEWER", "REVIEWER:370100", "REVIEWER:370100/EARTH", "UNIT_OFFICER:370100/CITY", "ADMINISTRATOR:370100/CITY",
     "REVIEWER:37/CITY", "AUDITOR"],
)  # fmt: skip
def test_a_grant_without_its_scope_is_refused(text):
    with pytest.raises(InputRejected):
        parse_grant(text)


@pytest.mark.parametrize("password", ["short", "officer-and-more", "a" * 20, "ab" * 10, "x" * 300])
def test_weak_passwords_are_refused(password):
    with pytest.raises(InputRejected):
        check_password(password, "officer")


def test_passwords_are_argon2id_and_full_width_digits_are_the_same_password(db):
    with db.write() as session:
        user = create_user(session, login="ｗｉｄｅ".encode().hex()[:8], email="w@example.org", display_name="w",
                           grants=[GrantSpec("ADMINISTRATOR")], actor="test", now=NOW, password="Pass-１２３４-word")  # fmt: skip
        assert user.password.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert verify_password(user, "Pass-1234-word")
        assert not verify_password(user, "Pass-1234-Word")
        assert not verify_password(None, "Pass-1234-word")


def test_an_administrator_makes_an_account_that_can_sign_in(browser):
    admin = browser("admin")
    assert admin.post("/accounts", NEW).status_code == 303
    assert browser().sign_in("newcomer", "Fresh-paper-2026").status_code == 303
    assert admin.post("/accounts", NEW).status_code == 409
    assert admin.post("/accounts", {**NEW, "login": "Bad Login"}).status_code == 422


def test_an_administrator_disables_enables_grants_and_resets(browser, db):
    admin, officer = browser("admin"), browser("officer")
    assert admin.post("/accounts/officer/disable").status_code == 303
    assert officer.get("/me").status_code == 303
    assert browser().sign_in("officer").status_code == 401
    assert admin.post("/accounts/officer/enable").status_code == 303
    grant = {"role": "SUPERVISOR", "unit_code": "3701021", "division_code": "", "level": ""}
    assert admin.post("/accounts/officer/grant", grant).status_code == 303
    assert admin.post("/accounts/officer/revoke", {"grant": "UNIT_OFFICER:unit=3701001"}).status_code == 303
    assert admin.post("/accounts/officer/password", {"password": "Reset-by-admin-1"}).status_code == 303
    with db.read() as session:
        assert [spec.text for spec in grant_specs(get_user(session, "officer"))] == ["SUPERVISOR:unit=3701021"]
    assert browser().sign_in("officer", PASSWORD).status_code == 401
    assert browser().sign_in("officer", "Reset-by-admin-1").status_code == 303
    assert admin.post("/accounts/nobody/disable").status_code == 404


def test_the_last_administrator_stays(db):
    with db.write() as session:
        admin = get_user(session, "admin")
        with pytest.raises(Refused):
            disable(session, admin, actor="admin", now=NOW)
        with pytest.raises(Refused):
            change_grants(session, admin, [], actor="admin", now=NOW)


def test_nobody_else_reaches_the_accounts(browser):
    for login in ("officer", "reviewer", "auditor", "director"):
        assert browser(login).post("/accounts", NEW).status_code == 403


def test_logins_do_not_depend_on_case(db, browser):
    with db.read() as session:
        assert find_user(session, " OFFICER ").login == "officer"
        with pytest.raises(NotFound):
            get_user(session, "nobody")
    assert browser().sign_in("Officer").status_code == 303


def test_a_token_is_shown_once_and_can_be_revoked(browser):
    person = browser("officer")
    page = person.post("/me", {"act": "token", "label": "导出"}).get_data(as_text=True)
    assert "bz_" in page
    after = person.get("/me").get_data(as_text=True)
    assert "bz_" not in after
    assert "导出" in after
    assert person.post("/me", {"act": "revoke", "token_id": "1"}).status_code == 303
    assert person.post("/me", {"act": "revoke", "token_id": "999"}).status_code == 404
