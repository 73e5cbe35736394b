"""What lies outside a person's scope does not exist for them."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from core.audit import AuditEvent
from reconcile.models import Flag
from tests.web.seeding import NEWEST, flag_of

OWN, FOREIGN = flag_of("F09", "3701001"), flag_of("F09", "3701031")
UNKNOWN = "F09-" + "0" * 20


def same_answer(first, second) -> bool:
    """Equal but for the number of the request."""
    strip = lambda answer: {**json.loads(answer.data), "request_id": None}
    return first.status_code == second.status_code and strip(first) == strip(second)


@pytest.mark.parametrize(
    ("foreign", "unknown"),
    [(f"/flags/{FOREIGN}", f"/flags/{UNKNOWN}"), ("/units/3701031", "/units/0000000")],
)
def test_another_units_id_is_404_and_looks_like_an_unknown_one(browser, foreign, unknown):
    officer = browser("officer")
    asked = {"headers": {"Accept": "application/json"}}
    assert officer.get(foreign).status_code == 404
    assert same_answer(officer.get(foreign, **asked), officer.get(unknown, **asked))


def test_a_move_on_another_units_flag_is_404_and_changes_nothing(browser, db):
    answer = browser("officer").post(f"/flags/{FOREIGN}/acknowledge", {"version": "2"})
    assert answer.status_code == 404
    with db.read() as session:
        assert session.get(Flag, FOREIGN).status == "OPEN"
        assert not session.scalars(select(AuditEvent).where(AuditEvent.action == "flag_acknowledge")).all()


def test_lists_and_files_hold_only_what_lies_in_the_scope(browser):
    officer = browser("officer")
    for address in ("/flags", "/flags?list=unseen", "/flags/export.csv", "/units", "/overview", f"/nights/{NEWEST}"):
        page = officer.get(address).get_data(as_text=True)
        assert "3701031" not in page, address
        assert "历下区" not in page, address
    exported = json.loads(officer.get("/flags/export.json").data)
    assert {row["unit_code"] for row in exported} == {"3701001", "3701002"}


def test_a_filter_does_not_widen_the_scope(browser):
    assert "没有符合条件的不符项" in browser("officer").get("/flags?unit=3701031").get_data(as_text=True)


def test_a_reviewer_of_one_level_does_not_see_another(browser):
    assert browser("reviewer2").get("/units/3701021").status_code == 404
    assert browser("reviewer").get("/units/3701021").status_code == 200
    assert browser("reviewer").get("/units/3701023").status_code == 404
    assert browser("auditor").get("/units/3701023").status_code == 200


def test_a_levels_workbook_goes_only_to_who_sees_the_whole_level(browser, db):
    from reconcile.models import Artefact

    with db.read() as session:
        books = {file.level: file.id for file in session.scalars(select(Artefact).where(Artefact.kind == "workbook"))}
    fetch = lambda login, level: browser(login).get(f"/nights/{NEWEST}/files/{books[level]}").status_code
    assert fetch("reviewer2", "CITY") == 200
    assert fetch("reviewer2", "COUNTY") == 404
    assert fetch("county", "COUNTY") == 404
    assert fetch("auditor", "COUNTY") == 200
    assert fetch("officer", "CITY") == 403


@pytest.mark.parametrize(
    "name", ["../manifest.json", "..%2f..%2f..%2fsecret.txt", "/etc/passwd", "%2e%2e/manifest.json", "no.html", "a%00b"]
)
def test_data_docs_do_not_lead_out_of_their_folder(browser, name):
    assert browser("auditor").get(f"/nights/{NEWEST}/docs/{name}").status_code in (404, 308)


def test_data_docs_open_in_a_sandbox_for_who_sees_every_division(browser):
    answer = browser("auditor").get(f"/nights/{NEWEST}/docs/index.html")
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert browser("county").get(f"/nights/{NEWEST}/docs/index.html").status_code == 404
    assert browser("officer").get(f"/nights/{NEWEST}/docs/index.html").status_code == 403


def test_a_link_out_of_the_docs_folder_is_not_followed(browser, portal_settings):
    folder = portal_settings.reports_dir / str(NEWEST) / "1" / "docs"
    (folder / "out.txt").symlink_to(portal_settings.home / "secret.txt")
    assert browser("auditor").get(f"/nights/{NEWEST}/docs/out.txt").status_code == 404
