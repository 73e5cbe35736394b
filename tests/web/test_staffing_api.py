"""The gate's API: the whole way from an empty database, what is refused at the door and in which words, keys, scope, and
certificates that follow the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import select

from core.accounts import get_user, issue_token
from core.audit import AuditEvent
from core.db import engine_for, reading, writing
from core.permissions import scope_of
from core.settings import Settings
from pool.acting import Act
from pool.proof import broken_proofs
from pool.service import grant_posts
from staffing.proof import broken_staffing
from tests.web.gate_seeding import CITY_CELL, COMER, LEAVER, OTHER, SECOND, UNIT, found_city
from tests.web.seeding import NOW
from web.app import open_over
from web.routes import STAFFING, Door, Scoped

KEYS = count(1)
CELL = {"post_type": CITY_CELL[0], "fund_form": CITY_CELL[1]}
WISH = {"unit_code": UNIT, **CELL, "posts": 1, "entry_form": "RECRUIT", "reason": "新学年扩班"}


@dataclass
class City:
    """The API over a city that had nothing but a register, people and opening balances."""

    app: Flask
    settings: Settings
    clock: object
    tokens: dict[str, str]

    def get(self, login: str, path: str):
        return self.app.test_client().get(path, headers={"Authorization": f"Bearer {self.tokens[login]}"})

    def send(self, login: str, path: str, body: dict | None = None, key: str | None = None):
        headers = {"Authorization": f"Bearer {self.tokens[login]}", "Idempotency-Key": key or f"k-{next(KEYS)}"}
        return self.app.test_client().post(f"/api/v1/staffing{path}", json=body or {}, headers=headers)

    def done(self, login: str, path: str, body: dict | None = None) -> dict:
        answer = self.send(login, path, body)
        assert answer.status_code == 200, answer.json
        return answer.json

    def plan(self, posts: int = 1) -> str:
        lines = [{**CELL, "posts": posts}]
        number = self.done("officer", "/plans", {"unit_code": UNIT, "year": self.clock.now.year, "lines": lines})[
            "plan"
        ]
        self.done("reviewer", f"/plans/{number}/review")
        self.done("director", f"/plans/{number}/pass", {"document_no": "编委〔2026〕5号"})
        return number

    def consult(self, posts: int = 1) -> str:
        asked = self.done("officer", "/consultations", WISH | {"posts": posts})["consultation"]
        self.done("reviewer", f"/consultations/{asked}/opinion", {"agrees": True, "opinion": "同意"})
        return asked

    def leave(self, identity: str = LEAVER) -> dict:
        return self.done("personnel", "/exits", {"unit_code": UNIT, **CELL, "identity": identity, "reason": "退休"})

    def permit(self, posts: int = 1) -> dict:
        """A permit over so many vacancies, each made by an exit."""
        self.plan(posts)
        talk = self.consult(posts)
        for identity in (LEAVER, SECOND)[:posts]:
            self.leave(identity)
        number = self.done("officer", "/applications", WISH | {"posts": posts, "consultation_no": talk})["application"]
        self.done("finance", f"/applications/{number}/confirm-cost")
        self.done("reviewer", f"/applications/{number}/review", {"note": "符合"})
        return self.done("director", f"/applications/{number}/grant")

    def enter(self, permit_no: str, identity: str = COMER, **changes):
        body = {"permit_no": permit_no, "unit_code": UNIT, **CELL, "identity": identity} | changes
        return self.send("personnel", "/entries", body)

    def certify(self) -> str:
        headers = {"Authorization": f"Bearer {self.tokens['reviewer']}"}
        answer = self.app.test_client().post(f"/api/v1/certificates/{UNIT}/renew", json={}, headers=headers)
        return answer.json["code"]

    def newest(self) -> dict:
        return self.get("reviewer", f"/api/v1/certificates/{UNIT}").json["versions"][0]

    def verdict(self, code: str) -> str:
        page = self.app.test_client().get(f"/verify/{code}").get_data(as_text=True)
        return page.split('id="answer-title">')[1].split("<")[0]


@pytest.fixture
def city(settings, clock, built) -> City:
    found_city(settings, NOW)
    engine = engine_for(settings.database_url)
    logins = ("officer", "reviewer", "director", "finance", "personnel", "stranger", "auditor", "both")
    with writing(engine) as session:
        tokens = {
            login: issue_token(session, get_user(session, login), label="test", actor="test", now=NOW)
            for login in logins
        }
    open_over(built, settings, clock)
    return City(built, settings, clock, tokens)


def refusal(answer) -> tuple[int, str, str]:
    return answer.status_code, answer.json["details"].get("answer"), answer.json["message"]


@dataclass
class Walked:
    """What a walk left: codes of the certificate's versions, the permit's number, the slot entered on."""

    codes: list[str]
    permit: str
    slot: str


def walk(city: City) -> Walked:
    """From plan to verified certificate: refused for being full, an exit, the permit, the entry, notices acknowledged."""
    codes = [city.certify()]
    city.plan()
    talk = city.consult()
    checked = city.send("officer", "/applications/check", WISH | {"consultation_no": talk}).json
    assert [line["answer"] for line in checked["checks"] if not line["allowed"]] == ["FULL"]
    full = city.send("officer", "/applications", WISH | {"consultation_no": talk})
    assert refusal(full)[:2] == (409, "FULL")
    assert "已满编" in full.json["message"]
    assert (full.json["details"]["remedy"], full.json["details"]["need"]) == ("VACANCY", 1)
    assert full.json["details"]["figures"]["quota"] == 2
    left = city.leave()
    codes.append(city.newest()["code"])
    number = city.done("officer", "/applications", WISH | {"consultation_no": talk})["application"]
    early = city.send("director", f"/applications/{number}/grant")
    assert refusal(early)[:2] == (409, "WRONG_STATUS")
    city.done("finance", f"/applications/{number}/confirm-cost", {"yearly_cost": 160_000})
    city.done("reviewer", f"/applications/{number}/review")
    permit = city.done("director", f"/applications/{number}/grant")
    assert permit["yearly_cost"] == 160_000
    entered = city.enter(permit["permit_no"])
    assert entered.json["slot"] == permit["slots"][0]
    city.done("personnel", f"/slots/{entered.json['slot']}/papers")
    city.done("finance", f"/slots/{entered.json['slot']}/pay", {"month": "2026-12"})
    for notice in city.get("reviewer", "/api/v1/staffing/notices?open_only=true").json["items"]:
        login = "finance" if notice["receiver"] == "FINANCE" else "personnel"
        city.done(login, f"/notices/{notice['id']}/acknowledge")
    assert city.get("reviewer", "/api/v1/staffing/notices?open_only=true").json["total"] == 0
    city.done("reviewer", f"/slots/{left['slot']}/cancel")
    codes.append(city.newest()["code"])
    return Walked(codes, permit["permit_no"], entered.json["slot"])


def test_a_unit_goes_from_plan_to_pay_and_its_certificate_follows(city):
    done = walk(city)
    assert [city.verdict(code) for code in done.codes] == ["已被新版本取代", "已被新版本取代", "有效"]
    assert city.get("reviewer", f"/api/v1/staffing/units/{UNIT}").json["certificate_due"] is None
    with reading(engine_for(city.settings.database_url)) as session:
        assert [*broken_staffing(session), *broken_proofs(session)] == []
        trail = "".join(f"{event.subject}{event.details}" for event in session.scalars(select(AuditEvent)))
    assert not any(identity in trail for identity in (LEAVER, COMER))


def test_a_permit_is_good_once(city):
    permit = city.permit()["permit_no"]
    assert city.enter(permit).status_code == 200
    assert refusal(city.enter(permit, SECOND)) == (409, "USED", f"用编通知单 {permit} 的 1 个编制已全部用完。")


def test_a_permit_is_good_until_its_last_day(city):
    permit = city.permit()["permit_no"]
    city.clock.now += timedelta(days=60)
    late = city.enter(permit)
    assert refusal(late) == (409, "PERMIT_EXPIRED", f"用编通知单 {permit} 有效期至 2026-12-31，2027-01-22 入编已过期。")


def test_a_permit_is_good_for_its_unit_and_its_type_alone(city):
    permit = city.permit()["permit_no"]
    sentence = f"用编通知单 {permit} 是另一个单位的，不能在本单位入编。"
    assert refusal(city.enter(permit, unit_code=OTHER)) == (409, "OTHER_UNIT", sentence)
    sentence = f"用编通知单 {permit} 许可的编制类型或经费形式不同，不能据以入编。"
    assert refusal(city.enter(permit, post_type="SUPPORT")) == (409, "OTHER_CELL", sentence)
    assert refusal(city.enter(permit, fund_form="SELF"))[1] == "OTHER_CELL"
    assert city.enter("用编〔2026〕99号").status_code == 404


def test_nobody_decides_on_an_application_of_their_own(city):
    city.plan()
    talk = city.consult()
    city.leave()
    number = city.done("both", "/applications", WISH | {"consultation_no": talk})["application"]
    own = city.send("both", f"/applications/{number}/review")
    assert refusal(own)[:2] == (409, "OWN_REQUEST")
    assert "本人" in own.json["message"]
    city.done("finance", f"/applications/{number}/confirm-cost")
    city.done("reviewer", f"/applications/{number}/review")
    assert refusal(city.send("both", f"/applications/{number}/grant"))[:2] == (409, "OWN_REQUEST")
    city.done("director", f"/applications/{number}/grant")


def test_one_person_one_post(city):
    permit = city.permit(2)["permit_no"]
    assert city.enter(permit).status_code == 200
    assert refusal(city.enter(permit))[:2] == (409, "PERSON_HOLDS_ONE")


def test_the_same_key_replays_and_another_body_is_refused(city):
    plan = {"unit_code": UNIT, "year": 2026, "lines": [{**CELL, "posts": 1}]}
    first = city.send("officer", "/plans", plan, key="once")
    again = city.send("officer", "/plans", plan, key="once")
    assert (first.status_code, again.data) == (200, first.data)
    other = city.send("officer", "/plans", plan | {"reason": "另"}, key="once")
    assert refusal(other)[:2] == (409, "OTHER_BODY")


def test_every_change_needs_a_key(app):
    posts = [
        path for path, item in app.test_client().get("/api/v1/openapi.json").json["paths"].items()
        if "/staffing/" in path and "post" in item
        and not any(p["name"] == "Idempotency-Key" and p["required"] for p in item["post"].get("parameters", ()))
    ]  # fmt: skip
    mine = {path for path in posts if not path.startswith("/api/v1/staffing/notices/")}  # those repeat by content
    assert mine == {"/api/v1/staffing/applications/check"}


def test_a_number_that_is_none_is_refused_without_showing_it(city):
    city.permit()
    answer = city.enter("用编〔2026〕1号", "990102198001010021")
    assert refusal(answer)[:2] == (409, "INPUT")
    assert answer.json["details"]["field"] == "person_id"
    assert "990102198001010021" not in answer.get_data(as_text=True)


def test_another_units_rows_are_404_and_look_like_unknown_ones(city):
    permit = city.permit()
    slot, notice = permit["slots"][0], city.get("reviewer", "/api/v1/staffing/notices").json["items"][0]["id"]
    named = {
        "<plan_no>": "JH2026-000001", "<talk_no>": "GT2026-000001", "<use_no>": permit["application"], "<post_no>": slot,
        "<int:notice_id>": str(notice), "<int:block_id>": "1", "<code>": UNIT, "<form>": "approval",
    }  # fmt: skip
    scoped = [route for route in STAFFING if route.door is Door.TOKEN and route.scoped is not Scoped.ROWS]
    assert len(scoped) == 28
    for route in scoped:
        here, unknown = route.path.removeprefix("/api/v1"), route.path.removeprefix("/api/v1")
        for part, value in named.items():
            here = here.replace(part, value)
            unknown = unknown.replace(
                part, "99999999" if "int:" in part else "approval" if part == "<form>" else "ZZ-9"
            )
        ask = (
            (lambda path: city.get("stranger", f"/api/v1{path}"))
            if route.methods == ("GET",)
            else (lambda path: city.send("stranger", path.removeprefix("/staffing")))
        )
        first, second = ask(here), ask(unknown)
        strip = lambda answer: {**answer.json, "request_id": None}
        assert (first.status_code, strip(first)) == (404, strip(second)), route.path


def test_lists_hold_only_what_lies_in_the_scope(city):
    city.permit()
    for name in ("work", "plans", "consultations", "applications", "slots", "exits", "notices", "blocks", "waivers"):
        assert city.get("stranger", f"/api/v1/staffing/{name}").json["items"] == [], name
    for name in ("plans", "consultations", "applications", "slots", "notices"):
        assert city.get("auditor", f"/api/v1/staffing/{name}").json["items"], name
    beyond = city.send("officer", "/plans", {"unit_code": OTHER, "year": 2026, "lines": [{**CELL, "posts": 1}]})
    assert beyond.status_code == 404


def test_who_has_not_the_right_is_refused(city):
    permit = city.permit()
    for login, path, body in (
        ("auditor", "/plans", {"unit_code": UNIT, "year": 2026, "lines": [{**CELL, "posts": 1}]}),
        ("officer", f"/slots/{permit['slots'][0]}/papers", {}),
        ("finance", f"/applications/{permit['application']}/revoke", {"reason": "误"}),
        ("reviewer", f"/applications/{permit['application']}/revoke", {"reason": "误"}),
    ):
        assert city.send(login, path, body).status_code == 403, path


def test_a_grant_of_the_pool_renews_the_certificate_in_its_transaction(city):
    code = city.certify()
    headers = {"Authorization": f"Bearer {city.tokens['reviewer']}", "Idempotency-Key": "grant"}
    body = {"holder": f"U:{UNIT}", **CELL, "posts": 3, "document_no": "编委〔2026〕9号"}
    answer = city.app.test_client().post("/api/v1/pool/grants", json=body, headers=headers)
    assert answer.status_code == 200
    newest = city.newest()
    assert (newest["version"], newest["state"], city.verdict(code)) == (2, "VALID", "已被新版本取代")
    again = city.app.test_client().post("/api/v1/pool/grants", json=body, headers=headers)
    assert (again.data, city.newest()["version"]) == (answer.data, 2)


def test_a_certificate_the_ledger_has_left_behind_is_never_called_current(city):
    code = city.certify()
    with writing(engine_for(city.settings.database_url)) as session:
        act = Act(scope_of(session, get_user(session, "reviewer")), NOW, "behind the doors")
        grant_posts(session, act, f"U:{UNIT}", *CITY_CELL, 1, "编委〔2026〕9号")
    assert city.verdict(code) == "内容有变，待换发"
    assert city.get("reviewer", f"/api/v1/staffing/units/{UNIT}").json["certificate_due"] == "CHANGED"
    assert city.verdict(city.certify()) == "有效"


def test_a_refusal_comes_in_the_readers_language(city):
    with writing(engine_for(city.settings.database_url)) as session:
        get_user(session, "personnel").locale = "en"
    permit = city.permit()["permit_no"]
    assert city.enter(permit).status_code == 200
    assert city.enter(permit, SECOND).json["message"] == f"All 1 posts of permit notice {permit} are used."


def test_a_post_is_carried_with_its_person_and_both_units_certificates_follow(city):
    slot = city.done("personnel", "/people", {"unit_code": UNIT, **CELL, "identity": COMER})["slot"]
    city.certify()
    carried = city.done(
        "reviewer", "/carries", {"unit_code": OTHER, "slot_nos": [slot], "document_no": "编委〔2026〕7号"}
    )
    assert carried["slots"] == [slot]
    detail = city.get("reviewer", f"/api/v1/staffing/slots/{slot}").json
    assert [(row["unit_code"], row["status"]) for row in detail["units"]] == [(UNIT, "MOVED"), (OTHER, "FILLED")]
    assert city.newest()["version"] == 2
    assert city.get("officer", f"/api/v1/staffing/slots/{slot}").status_code == 404
