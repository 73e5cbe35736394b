"""The pool's API: what the night proposes, who acts for whom, and mistakes undone."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from pool.models import PoolSlot, PoolSuggestion
from tests.web.pool_seeding import SMALL
from tests.web.test_pool_api import DUE_SOON, FOREIGN, OVERDUE, send


def test_who_acts_for_whom_is_listed_for_the_two_of_them_alone(api, db):
    made = send(
        api("director"), "/delegations", {"taker": "reviewer", "valid_from": "2026-11-23", "valid_to": "2026-12-01"}
    )
    later = send(
        api("director"), "/delegations", {"taker": "reviewer", "valid_from": "2026-12-05", "valid_to": "2026-12-09"}
    )
    gone = send(
        api("director"), "/delegations", {"taker": "reviewer", "valid_from": "2026-11-24", "valid_to": "2026-12-02"}
    )
    send(api("director"), f"/delegations/{gone.json['delegation']}/revoke", {})
    numbers = [later.json["delegation"], made.json["delegation"]]
    for login in ("director", "reviewer"):
        listed = api(login).get("/api/v1/pool/delegations").json
        assert ([row["id"] for row in listed["items"]], listed["total"]) == (numbers, 2)
        assert [(row["giver"], row["taker"], row["in_force"]) for row in listed["items"]] == [
            ("director", "reviewer", False), ("director", "reviewer", True),
        ]  # fmt: skip
    every = api("director").get("/api/v1/pool/delegations?live=false&page_size=2&page=2").json
    assert (every["total"], [row["id"] for row in every["items"]]) == (3, [made.json["delegation"]])
    assert api("officer").get("/api/v1/pool/delegations?live=false").json["items"] == []


def test_what_the_night_proposes_is_listed_for_who_sees_the_loan(api, db):
    with db.write() as session:
        slot = session.scalars(select(PoolSlot).where(PoolSlot.loan_no == OVERDUE, PoolSlot.ended_on.is_(None))).first()
        session.add(PoolSuggestion(kind="SWAP", slot_no=slot.slot_no, as_of=date(2026, 11, 22)))
        number = slot.slot_no
    listed = api("reviewer").get("/api/v1/pool/suggestions?kind=SWAP").json
    mine = [row for row in listed["items"] if row["slot_no"] == number]
    assert [(row["kind"], row["loan_no"], row["unit_code"], row["status"]) for row in mine] == [
        ("SWAP", OVERDUE, SMALL, "OVERDUE")
    ]
    assert listed["total"] == len(listed["items"]) >= 1
    assert api("reviewer").get(f"/api/v1/pool/suggestions?kind=WITHDRAW&unit={SMALL}").json["total"] == 0
    assert number not in api("officer").get("/api/v1/pool/suggestions").get_data(as_text=True)
    assert api("reviewer").get("/api/v1/pool/suggestions?kind=LOSE").status_code == 422


def test_a_mistaken_return_and_a_mistaken_renewal_are_undone_by_who_decided_the_loan(api):
    slot = api("other").get(f"/api/v1/pool/loans/{FOREIGN}").json["slots"][1]
    paper = {"document_no": "编委〔2026〕45号"}
    back = send(api("other"), f"/loans/{FOREIGN}/return", {"slots": [slot["slot_no"]]}).json["movements"][0]
    assert send(api("other"), f"/movements/{back}/reverse", paper).status_code == 403
    undone = send(api("director"), f"/movements/{back}/reverse", paper, key="undo")
    assert undone.json["reverses"] == back
    assert send(api("director"), f"/movements/{back}/reverse", paper, key="undo").data == undone.data
    loan = api("other").get(f"/api/v1/pool/loans/{FOREIGN}").json
    assert loan["slots"][1] == slot
    assert [event["move"] for event in loan["history"] if event["slot_no"] == slot["slot_no"]][-2:] == [
        "RETURN",
        "RESTORE",
    ]
    again = send(api("director"), f"/movements/{back}/reverse", paper)
    assert (again.status_code, again.json["details"]["answer"]) == (409, "REVERSED")

    before = api("officer").get(f"/api/v1/pool/loans/{DUE_SOON}").json["loan"]
    renewed = send(api("director"), f"/loans/{DUE_SOON}/renew", {"months": 12, "reason": "仍需"}).json
    assert (
        send(api("director"), f"/movements/{renewed['movement']}/reverse", paper).json["reverses"]
        == renewed["movement"]
    )
    assert api("officer").get(f"/api/v1/pool/loans/{DUE_SOON}").json["loan"] == before
