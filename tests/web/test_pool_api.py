"""The pool's API: keys that replay, scope, three persons, what is refused, and what would happen."""

from __future__ import annotations

import threading
from datetime import date
from itertools import count

import pytest
from sqlalchemy import func, select

from core.parameters import set_parameter
from pool.models import PoolLoan, PoolMovement, PoolNode, PoolRequest
from pool.service_people import delegate
from tests.web.pool_seeding import BUREAU, CITY, HEALTH, INSTITUTION, SCHOOL, SMALL, Office
from tests.web.seeding import NOW

SUBMITTED, REVIEWED, DRAFT = "JB2026-000002", "JB2026-000003", "JB2026-000004"
DUE_SOON, OVERDUE, FOREIGN = "JY2025-000001", "JY2025-000002", "JY2026-000001"
KEYS = count(1)
WISH = {
    "unit_code": SCHOOL, "post_type": "INSTITUTION", "fund_form": "FULL", "purpose": "EDUCATION", "posts": 2,
    "months": 12, "reason": "急需",
}  # fmt: skip
CELL = {"post_type": "ADMIN", "fund_form": "FULL", "posts": 1, "document_no": "编委〔2026〕40号"}


def send(client, path: str, body: dict, key: str | None = None, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(f"/api/v1/pool{path}", json=body, headers={"Idempotency-Key": key or f"k-{next(KEYS)}", **named})


def counted(db, table) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_every_change_needs_a_key(app, api):
    posts = [
        path for path, item in app.test_client().get("/api/v1/openapi.json").json["paths"].items()
        if "/pool/" in path and "post" in item
        and not any(p["name"] == "Idempotency-Key" and p["required"] for p in item["post"].get("parameters", ()))
    ]  # fmt: skip
    assert sorted(posts) == ["/api/v1/pool/requests/check", "/api/v1/pool/what-if"]
    answer = api("officer").post("/api/v1/pool/requests", json=WISH)
    assert (answer.status_code, answer.json["details"]["problems"][0]["where"]) == (422, "Idempotency-Key")


def test_the_same_key_replays_the_same_answer_and_another_body_is_409(api, db):
    officer, before = api("officer"), counted(db, PoolRequest)
    first = send(officer, "/requests", WISH, key="once")
    again = send(officer, "/requests", WISH, key="once")
    other = send(officer, "/requests", WISH | {"posts": 1}, key="once")
    assert (first.status_code, again.data) == (200, first.data)
    assert (other.status_code, other.json["details"]["answer"]) == (409, "OTHER_BODY")
    assert counted(db, PoolRequest) == before + 1


def test_a_double_click_in_two_threads_makes_one_loan(app, token, db):
    text, answers = token("director"), []

    def click() -> None:
        headers = {"Authorization": f"Bearer {text}", "Idempotency-Key": "twice"}
        answers.append(app.test_client().post(f"/api/v1/pool/requests/{REVIEWED}/approve", json={}, headers=headers))

    before = counted(db, PoolLoan)
    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    assert counted(db, PoolLoan) == before + 1


def test_two_directors_make_one_decision_and_the_other_learns_who_decided(api):
    assert send(api("director"), f"/requests/{REVIEWED}/approve", {"posts": 3}).json["given_back"] == 1
    late = send(api("director2"), f"/requests/{REVIEWED}/approve", {})
    assert (late.status_code, late.json["details"]["answer"]) == (409, "ALREADY_DECIDED")
    assert "director" in late.json["message"]


def test_applicant_reviewer_and_director_are_three_persons(api):
    assert send(api("officer"), f"/requests/{SUBMITTED}/review", {}).status_code == 403
    assert send(api("director"), f"/requests/{SUBMITTED}/approve", {}).json["details"]["answer"] == "WRONG_STATUS"
    assert send(api("reviewer"), f"/requests/{SUBMITTED}/review", {}).json["status"] == "REVIEWED"
    refused = send(api("reviewer"), f"/requests/{SUBMITTED}/refuse", {"reason": "再想想"})
    assert refused.json["details"]["answer"] == "DECIDED_BEFORE"
    assert send(api("reviewer"), f"/requests/{SUBMITTED}/approve", {}).status_code == 403
    assert send(api("director"), f"/requests/{SUBMITTED}/approve", {}).json["granted"] == 1


def test_a_delegate_acts_for_another_but_not_twice_on_one_request(api, db):
    with db.write() as session:
        Office(session).do(delegate, "director", NOW, "reviewer", NOW.date(), NOW.date())
        Office(session).do(delegate, "director2", NOW, "reviewer2", NOW.date(), NOW.date())
    own = send(api("reviewer"), f"/requests/{REVIEWED}/approve", {}, Acting_For="director")
    assert own.json["details"]["answer"] == "DECIDED_BEFORE"
    without = send(api("reviewer2"), f"/requests/{REVIEWED}/approve", {}, Acting_For="director")
    assert (without.status_code, without.json["details"]["answer"]) == (403, "NO_DELEGATION")
    assert send(api("reviewer2"), f"/requests/{REVIEWED}/approve", {}, Acting_For="director2").status_code == 200


@pytest.mark.parametrize("path", [
    f"/requests/{SUBMITTED}", f"/loans/{DUE_SOON}", f"/nodes/U:{BUREAU}/cells", f"/nodes/{CITY}/cells",
    f"/nodes/U:{BUREAU}/movements?post_type=ADMIN&fund_form=FULL",
])  # fmt: skip
def test_what_lies_outside_the_scope_is_404_and_looks_like_the_unknown(api, path):
    small = api("small")
    foreign = small.get(f"/api/v1/pool{path}")
    unknown = small.get(f"/api/v1/pool{path.replace('0', '9')}")
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert {**foreign.json, "request_id": 0} == {**unknown.json, "request_id": 0}


@pytest.mark.parametrize(("login", "sees"), [
    ("officer", {DUE_SOON}), ("supervisor", {DUE_SOON}), ("small", {OVERDUE}), ("other", {FOREIGN}),
    ("director", {DUE_SOON, FOREIGN}), ("county_director", {OVERDUE}), ("county", {OVERDUE}),
    ("auditor", {DUE_SOON, OVERDUE, FOREIGN}), ("province", set()),
])  # fmt: skip
def test_a_list_holds_the_loans_of_borrowers_and_lenders_seen(api, login, sees):
    listed = {item["loan_no"] for item in api(login).get("/api/v1/pool/loans").json["items"]}
    assert listed == sees
    for loan in (DUE_SOON, OVERDUE, FOREIGN):
        assert api(login).get(f"/api/v1/pool/loans/{loan}").status_code == (200 if loan in sees else 404)


@pytest.mark.parametrize(("login", "status"), [
    ("officer", 403), ("supervisor", 403), ("reviewer", 200), ("director", 200), ("finance", 403), ("personnel", 403),
    ("auditor", 403), ("admin", 403), ("county", 404), ("county_director", 404), ("small", 403),
])  # fmt: skip
def test_only_the_office_of_the_place_moves_posts(api, db, login, status):
    before = counted(db, PoolMovement)
    assert send(api(login), "/grants", CELL | {"holder": f"U:{BUREAU}"}).status_code == status
    assert counted(db, PoolMovement) == before + (status == 200)


@pytest.mark.parametrize("posts", [0, -1, 1.5, "1e3", "１２", "²", 2**63, True, None])
def test_what_is_no_number_of_posts_is_refused_with_a_sentence_and_moves_nothing(api, db, posts):
    before = counted(db, PoolMovement)
    answer = send(api("officer"), f"/loans/{DUE_SOON}/return", {"posts": posts})
    assert answer.status_code == 422
    assert "编制数" in answer.json["message"]
    assert counted(db, PoolMovement) == before


@pytest.mark.parametrize(("step", "body", "field"), [
    ("return", {"slots": ["X"], "posts": -1}, "posts"), ("return", {"posts": 1, "months": 5}, "months"),
    ("recall", {"slots": ["X"], "reason": "急用", "posts": 1}, "posts"),
])  # fmt: skip
def test_what_a_step_does_not_take_is_refused_not_passed_over(api, db, step, body, field):
    before = counted(db, PoolMovement)
    answer = send(api("reviewer"), f"/loans/{DUE_SOON}/{step}", body)
    assert (answer.status_code, answer.json["details"]) == (422, {"field": field})
    assert counted(db, PoolMovement) == before


def test_more_than_is_free_cannot_be_returned(api):
    answer = send(api("officer"), f"/loans/{DUE_SOON}/return", {"posts": 1})
    assert (answer.status_code, answer.json["details"]) == (409, {"answer": "MORE_THAN_BORROWED", "has": 0, "needs": 1})


def test_a_check_says_what_every_level_would_have_and_leaves_nothing(api, db):
    before = (counted(db, PoolRequest), counted(db, PoolMovement))
    answer = api("officer").post("/api/v1/pool/requests/check", json=WISH).json
    assert answer["passes"]
    assert {level["node"]: level["idle_before"] - level["idle_after"] for level in answer["levels"]} == {
        f"U:{SCHOOL}": 0, CITY: 2, "PROVINCE:370000": 0,
    }  # fmt: skip
    assert all(level["surplus_before"] - level["surplus_after"] == 2 for level in answer["levels"])
    assert (counted(db, PoolRequest), counted(db, PoolMovement)) == before
    sent = send(api("officer"), "/requests", WISH).json
    assert (sent["lots"], sent["decision_node"]) == (answer["lots"], answer["decision_node"])


def test_a_refusal_names_figures_holders_and_the_remedy(api):
    answer = api("officer").post("/api/v1/pool/requests/check", json=WISH | {"posts": 500}).json
    assert not answer["passes"]
    assert answer["refusal"] == "可借的闲置周转编制只有 20 个，不够 500 个。"
    assert answer["details"]["remedies"] == [{"node": CITY, "remedy": "ADD_POSTS", "posts": 480}]
    assert {"node": f"U:{SCHOOL}", "posts": 2} in answer["details"]["holders"]


def test_an_overdue_unit_borrows_nothing(api):
    answer = send(api("small"), "/requests", WISH | {"unit_code": SMALL, "other_waiver": "区财3号"})
    assert (answer.status_code, answer.json["details"]["rule"]) == (409, "R10")


def test_cells_and_ledger_agree(api):
    cells = api("officer").get(f"/api/v1/pool/nodes/U:{SCHOOL}/cells").json["items"]
    full = next(cell for cell in cells if cell["fund_form"] == "FULL")
    assert (full["quota"], full["borrowed"], full["in_post"], full["usable"], full["allowed"]) == (240, 2, 242, 0, 242)
    path = f"/api/v1/pool/nodes/U:{SCHOOL}/movements?post_type={INSTITUTION[0]}&fund_form={INSTITUTION[1]}"
    lines = api("officer").get(path).json["items"]
    assert [line["movement"]["kind"] for line in lines] == ["GRANT", "LEND", "FILL", "FILL", "RETURN"]
    assert (lines[-1]["after"]["quota"], lines[-1]["after"]["borrowed"]) == (240, 2)
    assert [sum(line["changes"]["borrowed"] for line in lines)] == [lines[-1]["after"]["borrowed"]]


def test_stock_and_matrix(api):
    stock = api("auditor").get("/api/v1/pool/stock").json["items"]
    assert sum(row["lent"] for row in stock) == 6
    pairs = api("auditor").get("/api/v1/pool/matrix").json["items"]
    assert {(pair["lender"], pair["borrower"], pair["posts"], pair["overdue"]) for pair in pairs} == {
        (CITY, f"U:{SCHOOL}", 2, 0), ("COUNTY:370102", f"U:{SMALL}", 2, 2), (CITY, f"U:{HEALTH}", 2, 0),
    }  # fmt: skip
    assert api("officer").get("/api/v1/pool/matrix").json["items"] == [
        {"lender": CITY, "borrower": f"U:{SCHOOL}", "posts": 2, "overdue": 0}
    ]


def test_who_sees_the_lender_alone_does_not_see_the_person(api):
    people = lambda login: [slot["person"] for slot in api(login).get(f"/api/v1/pool/loans/{FOREIGN}").json["slots"]]
    slot = api("other").get(f"/api/v1/pool/loans/{FOREIGN}").json["slots"][1]["slot_no"]
    assert send(api("reviewer"), f"/slots/{slot}/fill", {"identity": "37010219900101001X"}).status_code == 200
    assert people("other") == [None, "370102********001X"]
    assert people("reviewer2") == [None, None]


def test_a_full_number_is_neither_kept_nor_answered(api, db):
    wrong = send(api("reviewer"), f"/slots/{_free_slot(api)}/fill", {"identity": "370102199001010010"})
    assert (wrong.status_code, wrong.json["message"]) == (422, "证件号不正确。")
    assert "370102199001010010" not in wrong.get_data(as_text=True)


def _free_slot(api) -> str:
    granted = send(api("director"), f"/requests/{REVIEWED}/approve", {}).json
    return granted["slots"][0]


def test_a_post_is_filled_swapped_and_reversed(api, db):
    from core.identity import check_digit

    slot, first17 = _free_slot(api), "37010219900101001"
    number = first17 + check_digit(first17)
    filled = send(api("reviewer"), f"/slots/{slot}/fill", {"identity": number, "day": "2026-11-23"})
    assert filled.json["status"] == "FILLED"
    loan = next(item for item in api("officer").get("/api/v1/pool/loans").json["items"] if item["posts"] == 4)
    shown = api("officer").get(f"/api/v1/pool/loans/{loan['loan_no']}").get_data(as_text=True)
    assert number not in shown
    assert "370102********" in shown
    assert send(api("reviewer"), f"/slots/{slot}/swap", {}).json["details"]["answer"] == "NOT_ENOUGH"
    undone = send(api("director"), f"/movements/{filled.json['movement']}/reverse", {"document_no": "编委〔2026〕41号"})
    assert undone.json["reverses"] == filled.json["movement"]


def test_what_if_answers_on_a_copy(api, db):
    before = counted(db, PoolMovement)
    cut = {"kind": "CUT", "node": f"U:{BUREAU}", "post_type": "ADMIN", "fund_form": "FULL", "posts": 10}
    answer = api("director").post("/api/v1/pool/what-if", json=cut).json
    tree = answer["trees"][0]
    assert tree["after"][f"U:{BUREAU}"] - tree["before"].get(f"U:{BUREAU}", 0) == -7
    assert (tree["purpose"], tree["passes"], set(tree) >= {"binds", "opens_debt"}) == ("", True, True)
    more = api("director").post("/api/v1/pool/what-if", json=cut | {"posts": 88})
    assert (more.status_code, more.json["details"]["answer"]) == (409, "MORE_THAN_QUOTA")
    deep = api("director").post("/api/v1/pool/what-if", json=cut | {"posts": 80}).json
    assert (deep["passes"], deep["trees"][0]["opens_debt"], min(deep["trees"][0]["binds"].values()) > 0) == (
        True, True, True,
    )  # fmt: skip
    assert api("officer").post("/api/v1/pool/what-if", json=cut | {"node": f"U:{SMALL}"}).status_code == 404
    assert counted(db, PoolMovement) == before


def test_limits_bind_and_say_so(api):
    limits = {"post_type": "INSTITUTION", "fund_form": "FULL", "lend": "unlimited", "borrow": 0}
    set_to = send(api("director"), f"/nodes/U:{SCHOOL}/limits", limits | {"borrow": 7})
    assert set_to.json["after"] == {"lend": "unlimited", "borrow": 7, "floor": 0}
    answer = send(api("officer"), "/requests", WISH)
    assert answer.json["message"] == "市第一中学的借用上限为 7 个，现有余量 -6 个，办理后为 -8 个，超出 1 个。"
    assert send(api("officer"), "/requests", WISH | {"posts": 1}).status_code == 200
    assert send(api("director"), f"/nodes/U:{SCHOOL}/limits", limits | {"borrow": -1}).status_code == 422


def test_a_draft_is_sent_and_taken_back(api, db):
    officer = api("officer")
    assert send(officer, f"/requests/{DRAFT}/submit", {}).json["status"] == "SUBMITTED"
    assert send(officer, f"/requests/{DRAFT}/withdraw", {}).json["status"] == "WITHDRAWN"
    detail = officer.get(f"/api/v1/pool/requests/{DRAFT}").json
    assert [step["move"] for step in detail["history"]] == ["SAVE", "SUBMIT", "WITHDRAW"]
    assert not any(step["allowed"] for step in detail["steps"])


def test_a_draft_is_changed_whole_while_it_is_one(api, db):
    officer = api("officer")
    with db.read() as session:
        row = session.get(PoolRequest, DRAFT)
    wish = {name: getattr(row, name) for name in ("unit_code", "post_type", "fund_form", "purpose")}
    wish |= {"posts": 1, "months": 7, "reason": "改为一人"}
    saved = send(officer, f"/requests/{DRAFT}/draft", wish)
    assert (saved.status_code, saved.json["status"]) == (200, "DRAFT")
    after = officer.get(f"/api/v1/pool/requests/{DRAFT}").json
    with db.read() as session:
        row = session.get(PoolRequest, DRAFT)
    assert (row.posts, row.months, row.reason) == (1, 7, "改为一人")
    assert [(step["move"], step["from_status"]) for step in after["history"]] == [("SAVE", None), ("SAVE", "DRAFT")]
    assert send(officer, f"/requests/{DRAFT}/draft", wish | {"draft": True}).status_code == 422
    assert send(officer, f"/requests/{DRAFT}/draft", wish | {"posts": 0}).status_code == 422
    assert send(api("other"), f"/requests/{DRAFT}/draft", wish).status_code == 404
    assert send(officer, f"/requests/{DRAFT}/submit", {}).json["status"] == "SUBMITTED"
    late = send(officer, f"/requests/{DRAFT}/draft", wish)
    assert (late.status_code, late.json["details"]["answer"]) == (409, "WRONG_STATUS")


def test_recall_and_renewal_go_by_lender_and_director(api):
    slots = [slot["slot_no"] for slot in api("other").get(f"/api/v1/pool/loans/{FOREIGN}").json["slots"]]
    assert send(api("other"), f"/loans/{FOREIGN}/recall", {"slots": slots[1:], "reason": "急"}).status_code == 404
    recalled = send(api("reviewer"), f"/loans/{FOREIGN}/recall", {"slots": slots[1:], "reason": "另有急需"})
    assert (recalled.json["status"], recalled.json["due_date"]) == ("RECALLED", "2027-01-22")
    renewed = send(api("director"), f"/loans/{DUE_SOON}/renew", {"months": 12, "reason": "仍需"})
    assert renewed.json["due_date"] == "2027-12-20"
    again = send(api("director"), f"/loans/{DUE_SOON}/renew", {"months": 1, "reason": "仍需"})
    assert again.json["message"] == "这笔借用已续借 1 次，不能再续。"


def test_a_loan_step_names_slots_of_the_loan_alone(api):
    foreign = [slot["slot_no"] for slot in api("other").get(f"/api/v1/pool/loans/{FOREIGN}").json["slots"]]
    assert send(api("officer"), f"/loans/{DUE_SOON}/return", {"slots": foreign}).status_code == 404


def test_refusals_come_in_the_readers_language(api, db):
    from core.accounts import get_user

    with db.write() as session:
        get_user(session, "officer").locale = "en"
    answer = send(api("officer"), "/requests", WISH | {"posts": 500})
    assert answer.json["message"] == "Only 20 idle posts can be borrowed, not enough for 500."


def test_the_badge_of_a_listed_loan_goes_by_the_term_of_its_borrowers_division(db, api):
    officer = api("officer")
    badge = lambda: {row["loan_no"]: row["badge"] for row in officer.get("/api/v1/pool/loans").json["items"]}[DUE_SOON]
    assert badge() == "SOON"
    with db.write() as session:
        division = session.get(PoolNode, session.get(PoolLoan, DUE_SOON).node_id).division_code
        set_parameter(session, "pool_due_soon_days", "10", division, date(2026, 1, 1), actor="test", now=NOW)
    assert badge() is None


def test_administrative_posts_change_level_through_the_api_with_the_central_number_alone(api, db):
    reviewer, paper = api("reviewer"), {"document_no": "编委〔2026〕41号"}
    move = {"post_type": "ADMIN", "fund_form": "FULL", "posts": 1, **paper}
    deposit = move | {"pool_node": CITY, "purpose": "PLACEMENT", "source": "RECLAIM", "giver": "U:3701021"}
    transfer = move | {"giver": f"U:{BUREAU}", "taker": "U:3701021"}
    for path, body in (("/transfers", transfer), ("/deposits", deposit)):
        refused = send(reviewer, path, body)
        assert (refused.status_code, refused.json["details"]["answer"]) == (409, "NEEDS_CENTRAL_NUMBER"), path
        assert refused.json["details"]["rule"] == "R12"
        done = send(reviewer, path, body | {"central_no": "中编办〔2026〕7号"})
        assert done.status_code == 200, done.json
        with db.read() as session:
            assert session.get(PoolMovement, done.json["movement"]).central_no == "中编办〔2026〕7号"


def test_only_a_merger_takes_a_central_number_among_reorganisations(api):
    body = {"kind": "ABOLISH", "document_no": "编委〔2026〕42号", "central_no": "中编办〔2026〕7号"}
    refused = send(api("director"), f"/nodes/U:{HEALTH}/reorganise", body)
    assert (refused.status_code, refused.json["details"]["field"]) == (422, "central_no")
