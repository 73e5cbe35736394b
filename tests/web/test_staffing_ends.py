"""The gate's API at its ends: the night after the walk, switching over, reorganisations, and what hangs on a document."""

from __future__ import annotations

from datetime import date, timedelta

from core.db import engine_for, reading, writing
from core.parameters import set_parameter
from core.units import UnitVersion
from pool.models import PoolNode
from pool.proof import broken_proofs
from staffing.proof import broken_staffing
from tests.nightkit import House, deliver, member, pay, quota, unit
from tests.web.gate_seeding import COMER, LEAVER, OTHER, SECOND, UNIT
from tests.web.test_staffing_api import CELL, KEYS, WISH, City, city, refusal, walk  # noqa: F401  (a fixture)


def switch(place: City, login: str, on: date, code: str = UNIT):
    headers = {"Authorization": f"Bearer {place.tokens[login]}", "Idempotency-Key": f"switch-{next(KEYS)}"}
    return place.app.test_client().post(f"/api/v1/pool/nodes/U:{code}/switch", json={"on": str(on)}, headers=headers)


def test_the_night_after_the_walk_is_green_for_the_unit(city):  # noqa: F811
    done, today = walk(city), city.clock.now.date()
    assert switch(city, "director", today).json == {"node": f"U:{UNIT}", "switched_on": str(today)}
    with writing(engine_for(city.settings.database_url)) as session:
        set_parameter(session, "gate_start", today.isoformat(), "370100", today, actor="test", now=city.clock.now)
    house, posts = House(city.settings), {"post_type": "事业", "fund_form": "全额"}
    comer = member(2, UNIT, person_id=COMER, entry_date=str(today), permit_no=done.permit, slot_no=done.slot, **posts)
    stayer, month = member(3, UNIT, person_id=SECOND, **posts), f"{today:%Y-%m}"
    gone = member(1, UNIT, person_id=LEAVER, status="出编", exit_date=str(today), exit_reason="退休", **posts)
    books = {
        "units": [unit(code, "370100", level="市", unit_kind="事业单位") for code in (UNIT, OTHER)],
        "establishment": [quota(UNIT, 2, **posts), quota(OTHER, 5, **posts)],
        "payroll": [pay(n, UNIT, month=month, person_id=row["person_id"]) for n, row in ((2, comer), (3, stayer))],
    }
    deliver(house.inbox, today, "370100", roster=[comer, stayer, gone], **books)
    assert house.night(today) == 0
    items = lambda path: city.get("reviewer", f"/api/v1{path}").json["items"]
    assert items(f"/flags?unit={UNIT}&as_of={today}") == []
    assert items(f"/staffing/differences?unit={UNIT}") == []
    figures = city.get("reviewer", f"/api/v1/units/{UNIT}").json
    assert figures["unit_code"] == UNIT
    assert not [
        row for row in house.not_evaluable(today)
        if row["unit_code"] in (UNIT, "*") and row["rule"] in ("P01", "P02", "P04", "F09", "Q01")
    ]  # fmt: skip
    assert city.verdict(done.codes[-1]) in ("已被新版本取代", "有效")
    assert city.verdict(city.newest()["code"]) == "有效"


def test_the_night_says_so_when_the_roster_does_not_know_the_entry(city):  # noqa: F811
    done, today = walk(city), city.clock.now.date()
    assert switch(city, "director", today).status_code == 200
    house, posts = House(city.settings), {"post_type": "事业", "fund_form": "全额"}
    deliver(
        house.inbox, today, "370100",
        units=[unit(code, "370100", level="市", unit_kind="事业单位") for code in (UNIT, OTHER)],
        establishment=[quota(UNIT, 2, **posts), quota(OTHER, 5, **posts)],
        roster=[member(3, UNIT, person_id=SECOND, **posts)], payroll=[],
    )  # fmt: skip
    house.night(today)
    found = city.get("reviewer", f"/api/v1/staffing/differences?unit={UNIT}&kind=ENTRY_MISSING").json["items"]
    assert [(row["ours"], row["delivered"]) for row in found] == [(f"{done.slot} {today}", None)]


def test_a_unit_is_switched_by_who_may_and_only_with_an_open_ledger(city):  # noqa: F811
    today = city.clock.now.date()
    assert switch(city, "officer", today).status_code == 403
    assert switch(city, "stranger", today).status_code == 403
    early = switch(city, "director", today - timedelta(days=1))
    assert refusal(early)[:2] == (409, "BEFORE_LEDGER")
    with writing(engine_for(city.settings.database_url)) as session:
        session.add(PoolNode(
            id="U:NEW", kind="UNIT", unit_code="NEW", level="CITY", division_code="370100", name="新单位",
            parent_id="CITY:370100", created_on=today,
        ))  # fmt: skip
    assert refusal(switch(city, "director", today, "NEW")) == (
        409, "NOT_OPENED", "新单位尚未建账，须先建账才能启用用编登记。",
    )  # fmt: skip


def register(place: City, code: str, name: str) -> None:
    """A unit as the units book brings it: in the register, and nowhere else."""
    with writing(engine_for(place.settings.database_url)) as session:
        session.add(UnitVersion(
            unit_code=code, unit_name=name, division_code="370100", level="CITY", unit_kind="INSTITUTION",
            delivers="PERSONS", delivered_by="370100", approval_doc="编委〔2026〕30号", seen_on=place.clock.now.date(),
        ))  # fmt: skip


def test_a_unit_is_split_over_the_api_with_its_certificates_or_not_at_all(city):  # noqa: F811
    register(city, "3701010", "市第三中学")
    slot = city.done("personnel", "/people", {"unit_code": UNIT, **CELL, "identity": COMER})["slot"]
    city.certify()
    body = {
        "unit_code": UNIT,
        "document_no": "编委〔2026〕31号",
        "parts": [{"unit_code": "3701010", "slot_nos": [slot]}],
    }
    more = body | {"parts": [*body["parts"], {"unit_code": OTHER, "vacant": [{**CELL, "posts": 9}]}]}
    assert refusal(city.send("director", "/splits", more))[:2] == (409, "NOT_ENOUGH")
    assert city.send("reviewer", "/splits", body).status_code == 403
    here = city.get("director", f"/api/v1/staffing/slots/{slot}").json["units"]
    assert [row["unit_code"] for row in here] == [UNIT]
    assert (city.newest()["version"], city.get("reviewer", "/api/v1/certificates/3701010").json["versions"]) == (1, [])
    done = city.done("director", "/splits", body)
    assert (done["units"], done["slots"]) == (["3701010"], [slot])
    first = city.get("reviewer", "/api/v1/certificates/3701010").json["versions"]
    assert [(row["version"], row["state"]) for row in first] == [(1, "VALID")]
    assert (city.newest()["version"], city.verdict(first[0]["code"])) == (2, "有效")


def test_a_unit_is_renamed_and_its_certificate_says_so(city):  # noqa: F811
    code = city.certify()
    headers = {"Authorization": f"Bearer {city.tokens['director']}", "Idempotency-Key": "rename"}
    body = {"kind": "RENAME", "name": "市实验中学", "document_no": "编委〔2026〕32号"}
    address = f"/api/v1/pool/nodes/U:{UNIT}/reorganise"
    answer = city.app.test_client().post(address, json=body, headers=headers)
    assert answer.json["after"] == {"name": "市实验中学"}
    assert (city.newest()["version"], city.verdict(code)) == (2, "已被新版本取代")
    assert city.get("reviewer", f"/api/v1/certificates/{UNIT}").json["content"]["facts"]["unit_name"] == "市实验中学"


def test_one_out_and_one_in_on_one_day_goes_in_that_order_and_is_refused_in_reverse(city):  # noqa: F811
    today = str(city.clock.now.date())
    seat = city.done("personnel", "/people", {"unit_code": UNIT, **CELL, "identity": LEAVER})["slot"]
    city.plan()
    talk = city.consult()
    city.done("officer", f"/slots/{seat}/announce", {"planned": today, "reason": "退休"})
    wish = WISH | {"consultation_no": talk, "bound_slot": seat}
    number = city.done("officer", "/applications", wish)["application"]
    city.done("finance", f"/applications/{number}/confirm-cost")
    city.done("reviewer", f"/applications/{number}/review")
    permit = city.done("director", f"/applications/{number}/grant")["permit_no"]
    early = city.enter(permit)
    assert refusal(early)[:2] == (409, "EXIT_FIRST")
    city.done("personnel", f"/slots/{seat}/exit", {"reason": "退休"})
    assert city.enter(permit).status_code == 200
    with reading(engine_for(city.settings.database_url)) as session:
        assert [*broken_staffing(session), *broken_proofs(session)] == []


def test_a_plan_its_permit_and_a_reorganisation_hang_on_their_document(city):  # noqa: F811
    permit = city.permit()
    headers = {"Authorization": f"Bearer {city.tokens['reviewer']}"}
    papers = {"doc_no": "编委〔2026〕5号", "doc_date": "2026-11-01", "title": "关于用编计划的批复", "units": [UNIT]}
    assert city.app.test_client().post("/api/v1/documents", json=papers, headers=headers).status_code == 200
    shown = city.get("reviewer", "/api/v1/documents/编委〔2026〕5号").json
    assert (shown["plans"], shown["permits"]) == (["JH2026-000001"], [permit["permit_no"]])
    page = city.get("reviewer", "/api/v1/documents").json
    assert page["items"][0]["doc_no"] == "编委〔2026〕5号"
