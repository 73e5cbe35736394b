"""Notices by the API: a receiver's own program fetches what is addressed to it and answers; others get nothing."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from core.accounts import get_user
from core.permissions import scope_of
from core.person_identity import person_of
from night.own_difference import SCHEMA, Difference
from night.own_gate import DIFFERENCES
from night.places import snapshot_dir
from pool.acting import Act
from reconcile.store import newest_run
from staffing.models import StaffNotice
from staffing.service_exits import register_exit_of
from tests.nightkit import person_id
from tests.web.seeding import NOW

SCHOOL = "3701002"
FETCH, TAKE = "/api/v1/staffing/notices/fetch", "/api/v1/staffing/notices/acknowledge"


@pytest.fixture
def left(db, portal_settings) -> dict[str, int]:
    """Somebody left the school; receiver → the notice's id."""
    person = person_of(person_id(7), portal_settings.person_key)
    with db.write() as session:
        act = Act(scope_of(session, get_user(session, "personnel")), NOW, "left")
        register_exit_of(session, act, SCHOOL, "INSTITUTION", "FULL", person, act.today, "辞职")
        return {row.receiver: row.id for row in session.scalars(select(StaffNotice))}


def test_finance_fetches_and_acknowledges_its_own(api, left):
    finance = api("finance")
    [row] = finance.post(FETCH, json={"receiver": "FINANCE"}).get_json()["items"]
    assert (row["notice_id"], row["kind"], row["status"], row["person"]) == (
        left["FINANCE"],
        "EXIT",
        "SENT",
        person_id(7),
    )
    assert finance.post(FETCH, json={"receiver": "FINANCE", "due_only": True}).get_json()["items"] == []
    [row] = finance.post(FETCH, json={"receiver": "FINANCE"}).get_json()["items"]
    assert row["attempt"] == 2
    body = {"receiver": "FINANCE", "notices": [left["FINANCE"]]}
    assert finance.post(TAKE, json=body).get_json() == {"acknowledged": 1, "already": 0, "withdrawn": 0}
    assert finance.post(TAKE, json=body).get_json()["already"] == 1
    assert finance.post(FETCH, json={"receiver": "FINANCE"}).get_json()["items"] == []


def test_personnel_sees_a_mask_and_answers_for_insurance_too(api, left):
    personnel = api("personnel")
    [row] = personnel.post(FETCH, json={"receiver": "PERSONNEL"}).get_json()["items"]
    assert "********" in row["person"]
    wrong = {"receiver": "PERSONNEL", "notices": [left["PERSONNEL"], left["FINANCE"]]}
    answer = personnel.post(TAKE, json=wrong)
    assert (answer.status_code, answer.get_json()["details"]["column"]) == (422, "receiver")
    [row] = personnel.post(FETCH, json={"receiver": "INSURANCE"}).get_json()["items"]
    assert row["person"] == person_id(7)
    taken = {"receiver": "INSURANCE", "notices": [left["INSURANCE"]]}
    assert personnel.post(TAKE, json=taken).get_json()["acknowledged"] == 1


def test_nobody_else_may_fetch_and_nothing_is_fetched_for_another(api, left):
    assert api("auditor").post(FETCH, json={"receiver": "FINANCE"}).status_code == 403
    assert api("officer").post(TAKE, json={"receiver": "FINANCE", "notices": [left["FINANCE"]]}).status_code == 403
    assert api("personnel").post(FETCH, json={"receiver": "FINANCE"}).get_json() == {"items": []}
    assert api("finance").post(FETCH, json={"receiver": "POLICE"}).status_code == 422
    assert api("finance").post(TAKE, json={"receiver": "FINANCE", "notices": []}).status_code == 422


def test_what_the_night_saw_otherwise_is_listed_within_the_scope(api, db, portal_settings):
    list_ = "/api/v1/staffing/differences"
    assert api("finance").get(list_).get_json() == {"items": []}
    rows = [
        Difference(
            "EXIT_UNREGISTERED", "370100", code, "ADMIN", "FULL", "2026-11-20", None, "k" * 32, "3701**", NOW.date()
        )
        for code in ("3701001", "3701031")
    ]
    with db.read() as session:
        folder = snapshot_dir(portal_settings, newest_run(session))
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist([vars(row) for row in rows], schema=SCHEMA)
    pq.write_table(table, folder / f"{DIFFERENCES}.parquet")
    seen = lambda login, query="": [
        (row["unit_code"], row["kind"]) for row in api(login).get(list_ + query).get_json()["items"]
    ]
    assert seen("officer") == [("3701001", "EXIT_UNREGISTERED")]
    assert seen("auditor") == [("3701001", "EXIT_UNREGISTERED"), ("3701031", "EXIT_UNREGISTERED")]
    assert seen("auditor", "?kind=ENTRY_UNKNOWN") == []
    assert seen("auditor", "?unit=3701031") == [("3701031", "EXIT_UNREGISTERED")]
    assert "person_key" not in api("auditor").get(list_).get_data(as_text=True)
