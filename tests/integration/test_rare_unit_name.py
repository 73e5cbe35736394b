"""A unit whose name has characters outside the BMP: csv → database → page and API → workbook; and to a mail, as it is sent."""

from __future__ import annotations

from datetime import UTC, datetime

import openpyxl
import pytest
from sqlalchemy import select

from core.account_import import import_accounts
from core.accounts import get_user, issue_token
from core.db import engine_for, reading, writing
from core.identity import normalise_name
from core.mail import send_outbox
from core.settings import load_settings
from core.units import UnitVersion
from demo.sink import Sink
from pool.naming import rename_unit
from staffing.service_entries import finish_papers
from tests.integration.kill_drill import ACCOUNTS
from tests.nightkit import A as NIGHT
from tests.nightkit import House, deliver, good_books
from tests.staffkit import found_gate
from web.app import create_app

NAME = "𬭎溪县䶮㛃·𠮷林卫生院"
NOW = datetime(2026, 10, 16, tzinfo=UTC)


@pytest.fixture
def house(tmp_path, database_url) -> House:
    """After a small night in which nobody of that unit but two was paid."""
    home = tmp_path / "home"
    home.mkdir()
    made = House(load_settings({
        "BIANZHI_HOME": str(home), "BIANZHI_DATABASE_URL": database_url, "BIANZHI_SECRET_KEY": "rare-secret-key-" * 3,
        "BIANZHI_PERSON_KEY": "rare-person-key-" * 3,
    }))  # fmt: skip
    (home / "accounts.csv").write_text(ACCOUNTS, encoding="utf-8")
    with writing(engine_for(database_url)) as session:
        import_accounts(session, home / "accounts.csv", actor="test", now=NOW)
    books = good_books(4)
    books["units"][0]["unit_name"] = NAME
    books["payroll"] = books["payroll"][:2]
    deliver(made.inbox, NIGHT, "990102", **books)
    assert made.night() == 0
    return made


def test_the_name_is_the_same_from_the_file_to_every_page_and_report(house):
    assert house.query(select(UnitVersion.unit_name)) == [(NAME,)]
    client = create_app(house.settings, lambda: NOW).test_client()
    with writing(engine_for(house.settings.database_url)) as session:
        token = issue_token(session, get_user(session, "shenhe"), label="test", actor="test", now=NOW)
    answer = client.get("/api/v1/units/007", headers={"Authorization": f"Bearer {token}"})
    assert answer.json["unit_name"] == NAME
    # The public page is a page like any other, and needs no login.
    assert NAME in client.get("/public/units/007").get_data(as_text=True)
    (book,) = house.settings.reports_dir.rglob("*.xlsx")
    cells = {
        cell for sheet in openpyxl.load_workbook(book) for row in sheet.iter_rows(values_only=True) for cell in row
    }
    assert NAME in cells


def test_the_name_is_the_same_in_a_mail_as_it_was_sent(tmp_path, database_url):
    engine = engine_for(database_url)
    gate = found_gate(engine)
    gate.opened("A1", 3, 1)
    gate.do(rename_unit, "director", "A1", NAME, "编委8号")
    gate.plan("A1", 2)
    slot = gate.enter("A1", gate.permit("A1")["permit_no"], 1)["slot"]
    gate.do(finish_papers, "personnel", slot)
    with Sink(tmp_path) as sink:
        sent = send_outbox(engine, sink.url, NOW)
        assert sent.sent
        assert not sent.failed
        named = [mail for mail in sink.mails() if NAME in mail["subject"]]
    assert named
    for mail in named:
        bodies = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        assert len(bodies) == 2
        assert all(NAME in body for body in bodies)
    with reading(engine) as session:
        assert session.scalar(select(UnitVersion.unit_name).where(UnitVersion.unit_name == NAME)) == NAME


@pytest.mark.parametrize("dot", "·•‧・")
def test_four_kinds_of_dots_are_one(dot):
    assert normalise_name(f"𬭎{dot}吉") == normalise_name("𬭎·吉")
