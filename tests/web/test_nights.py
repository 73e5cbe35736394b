"""Nights and their release, and the addresses for those who keep the portal running."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlalchemy import select, update

from reconcile.models import Flag, NightRun
from tests.web.seeding import NEWEST
from web.app import create_app


def test_a_superseded_run_stays_readable_and_says_so(browser):
    page = browser("auditor").get("/nights/2026-11-21?run=1").get_data(as_text=True)
    assert "已被更正后的重核取代" in page
    assert "已被更正后的重核取代" not in browser("auditor").get("/nights/2026-11-21").get_data(as_text=True)


def test_a_night_that_never_was_is_404(browser):
    for night in ("2020-01-01", "2026-13-01", "yesterday", "20261122", f"{NEWEST}?run=9"):
        assert browser("auditor").get(f"/nights/{night}").status_code == 404, night


def test_the_overview_of_a_red_night_says_why_and_only_that_much_to_a_unit(browser):
    assert "370103 应报的 工资册 缺报" in browser("auditor").get("/overview").get_data(as_text=True)
    page = browser("officer").get("/overview").get_data(as_text=True)
    assert "有应报的名册缺报或被拒收" in page
    assert "370103" not in page


def test_counts_of_the_whole_night_are_shown_only_to_who_sees_all_of_it(browser):
    count = r"新增不符项</dt><dd>5"
    assert re.search(count, browser("reviewer2").get(f"/nights/{NEWEST}").get_data(as_text=True))
    for login in ("officer", "county"):
        page = browser(login).get(f"/nights/{NEWEST}").get_data(as_text=True)
        assert not re.search(count, page)
        assert "370103 应报" not in page


def test_a_parked_night_shows_a_button_to_those_who_may_release_it(browser, db):
    with db.write() as session:
        session.execute(update(NightRun).where(NightRun.as_of == NEWEST).values(state="PARKED", settled_at=None))
    address = f"/nights/{NEWEST}"
    assert "放行这一夜" in browser("reviewer").get(address).get_data(as_text=True)
    assert "放行这一夜" in browser("admin").get(address).get_data(as_text=True)
    assert "放行这一夜" not in browser("auditor").get(address).get_data(as_text=True)
    assert "待放行" in browser("auditor").get("/overview").get_data(as_text=True)
    assert browser("auditor").post(f"{address}/release").status_code == 403


def test_a_night_that_is_not_parked_cannot_be_released(browser):
    answer = browser("reviewer").post(f"/nights/{NEWEST}/release")
    assert answer.status_code == 409
    assert "没有待放行" in answer.get_data(as_text=True)


def test_health_and_readiness(app):
    client = app.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready"}


def test_readiness_fails_on_an_empty_database(portal_settings, tmp_path):
    app = create_app(replace(portal_settings, database_url=f"sqlite:///{tmp_path / 'empty.db'}"))
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["code"] == "unavailable"


def test_metrics_count_flags_nights_and_mails(app):
    text = app.test_client().get("/metrics").get_data(as_text=True)
    assert 'bianzhi_flags{rule="F02",severity="S3"} 60' in text
    assert 'bianzhi_nights{state="SETTLED"} 4' in text
    assert "bianzhi_outbox_queued 1" in text


def test_metrics_count_no_leads_on_people(app, db):
    with db.write() as session:
        lead = session.scalars(select(Flag).where(Flag.rule == "F02", Flag.severity == "S3").limit(1)).one()
        lead.rule = "F06"
    text = app.test_client().get("/metrics").get_data(as_text=True)
    assert 'bianzhi_flags{rule="F02",severity="S3"} 59' in text
    assert "F06" not in text


def test_metrics_of_production_need_an_administrators_token(portal_settings, db, clock):
    from core.accounts import get_user, issue_token
    from tests.web.seeding import NOW

    app = create_app(replace(portal_settings, env="production"), clock)
    with db.write() as session:
        tokens = {
            login: issue_token(session, get_user(session, login), label="metrics", actor="test", now=NOW)
            for login in ("admin", "auditor")
        }
    ask = lambda token: app.test_client().get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code
    assert (ask(""), ask(tokens["auditor"]), ask(tokens["admin"])) == (401, 401, 200)
