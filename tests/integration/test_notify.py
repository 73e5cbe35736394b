"""Who is mailed what of a night, and what nobody is."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from core.accounts import Grant, Role, User
from core.db import engine_for, reading, writing
from core.outbox import OutboxMail
from core.parameters import set_parameter
from core.types import BookVerdict
from reconcile.models import NightRun, Verdict
from reconcile.notify import queue_digests, queue_silence
from tests.settlekit import HOME, NOW, Nights, finding

D1 = date(2026, 10, 15)
D2 = D1 + timedelta(days=1)
PORTAL = "https://portal.example"
PEOPLE = {
    "officer": (Role.UNIT_OFFICER, None, None, "U1"),
    "reviewer": (Role.REVIEWER, HOME, "COUNTY", None),
    "finance": (Role.FINANCE, HOME, "COUNTY", None),
    "stranger": (Role.REVIEWER, "980102", "COUNTY", None),
    "admin": (Role.ADMINISTRATOR, None, None, None),
    "silent": (Role.AUDITOR, HOME, None, None),
}


@pytest.fixture
def nights(database_url, tmp_path):
    engine = engine_for(database_url)
    with writing(engine) as session:
        for login, (role, division, level, code) in PEOPLE.items():
            session.add(
                User(
                    login=login, email=f"{login}@example.org", display_name=login, created_at=NOW,
                    wants_mail=login != "silent",
                    grants=[Grant(role=role, division_code=division, level=level, unit_code=code)],
                )
            )  # fmt: skip
    return Nights(engine, tmp_path / "snapshots")


def queue(nights: Nights, as_of: date = D1) -> int:
    with writing(nights.engine) as session:
        run = session.scalars(select(NightRun).where(NightRun.as_of == as_of).order_by(NightRun.run_no.desc())).first()
        return queue_digests(session, run, PORTAL, NOW)


def mails(nights: Nights, as_of: date = D1) -> dict[tuple[str, str], OutboxMail]:
    with reading(nights.engine) as session:
        found = session.scalars(select(OutboxMail).where(OutboxMail.as_of == as_of)).all()
        session.expunge_all()
        return {(mail.recipient.split("@")[0], mail.digest): mail for mail in found}


def test_each_reads_the_counts_of_the_own_subtree_and_no_person(nights):
    rows = [
        finding(),
        finding("F01", "U2", person="secret-key", severity="S1"),
        finding("F01", "U2", person="p2", severity="S1"),
    ]
    nights.night(D1, rows)
    assert queue(nights) == 2
    found = mails(nights)
    assert set(found) == {("officer", "flags"), ("reviewer", "flags")}
    assert "Q01 超编　1　1　0" in found["officer", "flags"].text
    assert "F01" not in found["officer", "flags"].text
    assert "F01 有薪无编　2　2　0" in found["reviewer", "flags"].text
    for mail in found.values():
        for part in (mail.subject, mail.text, mail.html):
            assert "secret-key" not in part
            assert "990102****" not in part


def test_queueing_again_and_running_the_night_again_mails_nobody_twice(nights):
    nights.night(D1, [finding()])
    assert queue(nights) == 2
    assert queue(nights) == 0
    nights.night(D1, [finding(), finding(unit="U2")])
    assert queue(nights) == 0


def test_data_owners_hear_of_refused_missing_and_quarantined_books(nights):
    nights.night(D1, verdicts={(HOME, "payroll"): BookVerdict.REJECTED, (HOME, "roster"): BookVerdict.MISSING})
    reasons = [{"code": "HEADER", "file": "payroll.csv", "row": None, "column": "month", "message": "缺少列 month"}]
    reasons += [
        {"code": "ID_PRECISION_LOST", "file": "payroll.csv", "row": 7, "column": "person_id", "message": "9.9E+17"}
    ]
    with writing(nights.engine) as session:
        session.execute(update(Verdict).where(Verdict.book == "payroll").values(reasons=json.dumps(reasons)))
    queue(nights)
    found = mails(nights)
    assert set(found) == {("finance", "books"), ("reviewer", "books"), ("reviewer", "flags"), ("finance", "flags")} - {
        ("finance", "flags")
    }
    assert "拒收" in found["finance", "books"].text
    assert "缺少列 month" in found["finance", "books"].text
    assert "1 行证件号码已被电子表格损坏" in found["finance", "books"].text
    assert "9.9E+17" not in found["finance", "books"].text
    assert "实名制" not in found["finance", "books"].text
    assert "实名制" in found["reviewer", "books"].text
    assert "相关规则本夜未能判断" in found["reviewer", "flags"].text


def test_a_backfill_mails_nobody(nights):
    nights.night(D2, [finding()])
    nights.night(D1, [finding()], verdicts={(HOME, "payroll"): BookVerdict.REJECTED})
    assert queue(nights, D1) == 0


def test_a_parked_night_mails_only_those_who_may_release_it(nights):
    with writing(nights.engine) as session:
        for name in ("jump_floor", "jump_ratio"):
            set_parameter(session, name, "0", "*", D1, actor="test", now=NOW)
    nights.night(D1, [finding()])
    nights.night(D2, [finding(), finding(unit="U2")])
    queue(nights, D2)
    assert set(mails(nights, D2)) == {("reviewer", "parked"), ("stranger", "parked"), ("admin", "parked")}


def test_the_watchdog_wakes_reviewers_and_administrators_once(nights):
    for expected in (3, 0):
        with writing(nights.engine) as session:
            assert queue_silence(session, D1, PORTAL, NOW) == expected


def test_closed_flags_are_counted_in_the_night_they_closed(nights):
    nights.night(D1, [finding()])
    nights.night(D2)
    queue(nights, D2)
    assert "Q01 超编　0　0　1" in mails(nights, D2)["officer", "flags"].text
