"""Acts by document, what-if and delegations on the web: every field from the one table, checked first, then done once."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from core.accounts import LOCALES, get_user
from pool.acts import DEEDS
from pool.ledger import Cell
from pool.models import PoolDelegation, PoolLoan, PoolMovement, PoolNode, PoolSlot
from pool.service import deposit_posts
from pool.service_loans import Wish, request_loan
from pool.service_slots import renew_loan, return_slots
from pool.store import cell_figures
from tests.web.pool_seeding import BUREAU, CITY, COUNTY, SCHOOL, Office
from tests.web.seeding import NEWEST, NOW
from tests.web.test_pages import check
from tests.web.test_pool_pages import DUE_SOON, FOREIGN, key_of, said
from web.pool_acts import ASKED, DELEGATION, FORMS, GROUPS

GRANT = {"holder": SCHOOL, "post_type": "INSTITUTION", "fund_form": "FULL", "posts": "3",
         "document_no": "编委〔2026〕70号", "effective": str(NEWEST)}  # fmt: skip
PAGES = {
    "reviewer": ["/pool/acts", "/pool/delegations", *(f"/pool/acts/{name}" for name in FORMS)],
    "auditor": ["/pool/acts", "/pool/acts/grant", "/pool/what-if", "/pool/delegations"],
}  # fmt: skip


def count(db) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(PoolMovement))


def try_out(person, name: str, values: dict, act: str = "check"):
    return person.post(f"/pool/acts/{name}", values | {"act": act}, token_from=f"/pool/acts/{name}")


def test_every_field_of_every_act_has_its_chinese_name_and_every_act_its_place():
    assert {argument.name for form in FORMS.values() for argument in form.deed.arguments} <= set(ASKED)
    assert {argument.name for argument in DEEDS["delegate"].arguments} == set(DELEGATION)
    assert sorted(name for _label, names in GROUPS for name in names) == sorted(FORMS)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("login", list(PAGES))
def test_every_page_is_well_made(browser, db, login, locale):
    with db.write() as session:
        get_user(session, login).locale = locale
    person = browser(login)
    for path in PAGES[login]:
        answer = person.get(path)
        assert answer.status_code == 200, path
        check(said(answer), locale)


def test_a_grant_is_shown_before_it_is_made_and_a_double_click_makes_one(browser, db):
    person, before = browser("reviewer"), count(db)
    shown = said(try_out(person, "grant", GRANT))
    check(shown)
    assert "可以办理" in shown
    assert re.search(r'data-label="编制数"><span>240 → <strong>243</strong>', shown)
    assert count(db) == before
    sent = GRANT | {"act": "send", "client_id": key_of(shown, "/pool/acts/grant")}
    first, again = (person.post("/pool/acts/grant", sent) for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (303, again.headers["Location"])
    assert count(db) == before + 1
    page = said(person.get(first.headers["Location"]))
    assert f"已办理：核增，第 {before + 1} 笔。" in page
    assert "编委〔2026〕70号" in page


def test_what_is_shown_before_is_what_comes_of_it(browser, db):
    person = browser("reviewer")
    shown = said(try_out(person, "cut", GRANT | {"posts": "5"}))
    after = int(re.search(r'data-label="可用"><span>[^<]*→ <strong[^>]*>(-?\d+)</strong>', shown)[1])
    sent = GRANT | {"posts": "5", "act": "send", "client_id": key_of(shown, "/pool/acts/cut")}
    assert person.post("/pool/acts/cut", sent).status_code == 303
    with db.read() as session:
        cell = Cell(f"U:{SCHOOL}", "INSTITUTION", "FULL")
        assert cell_figures(session, [cell.holder], NEWEST)[cell].usable == after


@pytest.mark.parametrize(("name", "change", "status", "sentence"), [
    ("grant", {"posts": "１２"}, 422, "编制数须为半角数字的整数。"),
    ("grant", {"posts": ""}, 422, "请填写“编制数”。"),
    ("grant", {"document_no": ""}, 422, "请填写“文号”。"),
    ("grant", {"effective": ""}, 422, "请填写“生效日期”。"),
    ("grant", {"effective": "明天"}, 422, "生效日期：日期须写作 YYYY-MM-DD。"),
    ("grant", {"holder": "3709999"}, 404, "没有这条记录，或者不在您的管辖范围内。"),
    ("cut", {"posts": "5000"}, 200, "该类编制只核定了 240 个，不能核减 5000 个。"),
])  # fmt: skip
def test_a_wrong_field_is_named_and_what_was_typed_stays(browser, db, name, change, status, sentence):
    person, before = browser("reviewer"), count(db)
    answer = try_out(person, name, GRANT | change)
    page = said(answer)
    assert answer.status_code == status
    assert sentence in page
    assert 'value="send"' not in page
    assert "INSTITUTION" in page
    check(page)
    assert count(db) == before


def test_every_act_can_be_done_from_its_page(browser, db):
    reviewer, director = browser("reviewer"), browser("director")
    cell = {"post_type": "INSTITUTION", "fund_form": "FULL"}
    paper = {"document_no": "编委〔2026〕71号"}
    dated = paper | {"effective": str(NEWEST)}

    def done(person, name: str, values: dict) -> int:
        shown = said(try_out(person, name, values))
        assert "可以办理" in shown, (name, re.search(r'role="alert">(.*?)</div>', shown, re.S))
        sent = values | {"act": "send", "client_id": key_of(shown, f"/pool/acts/{name}")}
        assert person.post(f"/pool/acts/{name}", sent).status_code == 303
        return count(db)

    done(reviewer, "grant", cell | dated | {"holder": SCHOOL, "posts": "4"})
    done(reviewer, "transfer", cell | dated | {"giver": SCHOOL, "taker": BUREAU, "posts": "1"})
    crossing = {"post_type": "ADMIN", "fund_form": "FULL", "giver": BUREAU, "taker": "3701021", "posts": "1"}
    assert "须有中央编办批准文号" in said(try_out(reviewer, "transfer", crossing | dated))
    done(reviewer, "transfer", crossing | dated | {"central_no": "中编办〔2026〕7号"})
    lot = done(reviewer, "deposit", cell | dated | {
        "pool_node": CITY, "purpose": "HEALTH", "posts": "2", "source": "USE_RIGHT_LENT", "giver": SCHOOL,
    })  # fmt: skip
    done(reviewer, "withdraw", dated | {"lot_no": str(lot), "posts": "1"})
    cut = done(reviewer, "cut", cell | dated | {"holder": SCHOOL, "posts": "1"})
    assert done(director, "reverse", paper | {"seq": str(cut)}) == cut + 1
    admin = {
        "holder": BUREAU,
        "post_type": "ADMIN",
        "fund_form": "FULL",
        "to_type": "POLITICAL_LEGAL",
        "to_form": "FULL",
    }
    done(director, "convert", admin | dated | {"posts": "1"})
    done(director, "limits", cell | {"node_id": CITY, "lend": "不限", "borrow": "7"})
    with db.read() as session:
        assert session.get(PoolNode, f"U:{SCHOOL}").closed_on is None


def test_a_merger_is_shown_with_both_units(browser):
    shown = said(try_out(browser("director"), "merge", {
        "node_id": "3701003", "into_id": BUREAU, "document_no": "编委〔2026〕72号", "effective": str(NEWEST),
    }))  # fmt: skip
    check(shown)
    assert "可以办理" in shown
    assert re.search(r'data-label="编制数"><span>45 → <strong>0</strong>', shown)


def test_who_may_not_sees_why_and_is_refused(browser, db):
    before = count(db)
    officer = browser("officer")
    assert "您的角色不能办理这一步。" in said(officer.get("/pool/acts/grant"))
    assert try_out(officer, "grant", GRANT).status_code == 403
    assert try_out(officer, "grant", GRANT | {"client_id": "x"}, "send").status_code == 403
    assert try_out(browser("county"), "grant", GRANT | {"client_id": "x"}, "send").status_code == 404
    assert try_out(browser("reviewer"), "reverse", {"seq": "1", "document_no": "文1"}).status_code == 403
    assert count(db) == before


def test_what_if_answers_on_a_copy(browser, db):
    person, before = browser("auditor"), count(db)
    cut = said(person.get(
        f"/pool/what-if?kind=CUT&node={SCHOOL}&post_type=INSTITUTION&fund_form=FULL&posts=3"
    ))  # fmt: skip
    check(cut)
    assert "推演结果" in cut
    assert "可以办理，但会形成超编，以下节点的缺口扩大，此后只能缩小：" not in cut
    merged = person.get(f"/pool/what-if?kind=MERGE&node=3701003&target={BUREAU}")
    assert merged.status_code == 200
    check(said(merged))
    assert person.get("/pool/what-if?kind=CUT&node=999&posts=1&post_type=ADMIN&fund_form=FULL").status_code == 404
    assert person.get(f"/pool/what-if?kind=CUT&node={SCHOOL}&posts=x").status_code == 422
    assert person.get(f"/pool/what-if?kind=REPARENT&node={CITY}&target={COUNTY}").status_code == 409
    assert browser("small").get(f"/pool/what-if?kind=ABOLISH&node={SCHOOL}").status_code == 404
    assert count(db) == before


def test_what_if_on_the_page_refuses_as_the_act_does_and_says_when_a_cut_opens_debt(browser):
    person, cell = browser("auditor"), "post_type=INSTITUTION&fund_form=FULL"
    for query, words in (
        (f"kind=MERGE&node={SCHOOL}&target={BUREAU}", "还有未了的借入或借出，不能撤并。"),
        (f"kind=CUT&node={SCHOOL}&{cell}&posts=5000", "该类编制只核定了 240 个，不能核减 5000 个。"),
        (f"kind=RECALL&node={COUNTY}&target={SCHOOL}&{cell}&posts=999", "不能收回 999 个。"),
    ):
        answer = person.get(f"/pool/what-if?{query}")
        assert answer.status_code == 409
        assert words in said(answer)
        check(said(answer))
    cut = said(person.get(f"/pool/what-if?kind=CUT&node={SCHOOL}&{cell}&posts=200"))
    assert "可以办理，但会形成超编，以下节点的缺口扩大，此后只能缩小：" in cut
    check(cut)


def test_a_delegation_is_given_seen_by_both_and_revoked(browser, db):
    director, path = browser("director2"), "/pool/delegations"
    values = {"taker": "reviewer2", "valid_from": str(NOW.date()), "valid_to": str(NOW.date() + timedelta(days=9))}
    key = key_of(said(director.get(path)), path)
    for _ in range(2):
        assert director.post(path, values | {"client_id": key}, token_from=path).status_code == 303
    assert "reviewer2" in said(director.get(path))
    taker = said(browser("reviewer2").get(path))
    assert "/pool/acts?acting_for=director2" in taker
    with db.read() as session:
        (row,) = session.scalars(select(PoolDelegation))
    action = f"{path}/{row.id}/revoke"
    shown = said(director.get(path))
    assert browser("reviewer2").post(action, {"client_id": "x"}, token_from=path).status_code == 404
    assert director.post(action, {"client_id": key_of(shown, action)}, token_from=path).status_code == 303
    assert "已撤销" in said(director.get(path))
    wrong = director.post(path, values | {"valid_to": "", "client_id": "y"}, token_from=path)
    assert wrong.status_code == 422
    check(said(wrong))


def test_a_delegate_acts_by_document_in_the_givers_place(browser, db):
    director, path = browser("director"), "/pool/delegations"
    values = {"taker": "reviewer2", "valid_from": str(NOW.date()), "valid_to": str(NOW.date())}
    key = key_of(said(director.get(path)), path)
    assert director.post(path, values | {"client_id": key}, token_from=path).status_code == 303
    person, limits = browser("reviewer2"), {
        "node_id": CITY, "post_type": "INSTITUTION", "fund_form": "FULL", "lend": "不限", "borrow": "9",
    }  # fmt: skip
    assert try_out(person, "limits", limits).status_code == 403
    shown = said(try_out(person, "limits", limits | {"acting_for": "director"}))
    assert "您正代 director 办理。" in shown
    sent = limits | {"act": "send", "client_id": key_of(shown, "/pool/acts/limits"), "acting_for": "director"}
    assert person.post("/pool/acts/limits", sent).status_code == 303


def test_a_unit_is_renamed_and_switched_over_from_their_pages(browser, db):
    director, paper = browser("director"), {"document_no": "编委〔2026〕72号", "effective": str(NEWEST)}
    for name, values in (
        ("rename", {"unit_code": BUREAU, "name": "市教育和体育局"} | paper),
        ("switch", {"unit_code": BUREAU, "on": str(NEWEST)}),
    ):
        shown = said(try_out(director, name, values))
        assert "可以办理" in shown
        check(shown)
        sent = values | {"act": "send", "client_id": key_of(shown, f"/pool/acts/{name}")}
        assert director.post(f"/pool/acts/{name}", sent).status_code == 303
    with db.read() as session:
        node = session.get(PoolNode, f"U:{BUREAU}")
        assert (node.name, node.switched_on) == ("市教育和体育局", NEWEST)
    assert "市教育和体育局" in said(director.get(f"/staffing/units/{BUREAU}"))
    unknown = try_out(director, "switch", {"unit_code": "3709999", "on": str(NEWEST)})
    assert unknown.status_code == 404
    late = said(try_out(browser("director"), "switch", {"unit_code": BUREAU, "on": "2001-01-01"}))
    assert "启用日不得早于这一天" in late


def test_a_mistaken_return_and_a_mistaken_renewal_are_undone_from_the_page(browser, db):
    director, paper = browser("director"), {"document_no": "编委〔2026〕73号"}
    with db.write() as session:
        office = Office(session)
        slot = session.scalars(select(PoolSlot).where(PoolSlot.loan_no == FOREIGN).order_by(PoolSlot.slot_no)).all()[1]
        number, due = slot.slot_no, session.get(PoolLoan, DUE_SOON).due_date
        back = office.do(return_slots, "other", NOW, [number])["movements"][0]
        renewed = office.do(renew_loan, "director", NOW, DUE_SOON, 12, "仍需")["movement"]
    for seq in (back, renewed):
        shown = said(try_out(director, "reverse", paper | {"seq": str(seq)}))
        assert "可以办理" in shown, shown
        check(shown)
        sent = paper | {"seq": str(seq), "act": "send", "client_id": key_of(shown, "/pool/acts/reverse")}
        assert director.post("/pool/acts/reverse", sent).status_code == 303
    with db.read() as session:
        slot = session.get(PoolSlot, number)
        assert (slot.status, slot.ended_on) == ("ISSUED", None)
        loan = session.get(PoolLoan, DUE_SOON)
        assert (loan.due_date, loan.renewals) == (due, 0)
    page = said(browser("other").get(f"/pool/loans/{FOREIGN}"))
    assert "归还冲正" in page
    refused = said(try_out(director, "reverse", paper | {"seq": str(back)}))
    assert "这笔已冲正过。" in refused


def test_a_refused_withdrawal_shows_who_holds_the_posts(browser, db):
    with db.write() as session:
        office, cell = Office(session), ("INSTITUTION", "FULL")
        lot = office.do(deposit_posts, "reviewer", NOW, CITY, *cell, "TALENT", 1, "TOTAL_SLICE", "编委〔2026〕74号")[
            "movement"
        ]
        asked = office.do(request_loan, "officer", NOW, Wish(SCHOOL, *cell, "TALENT", 1, 12, "急需"))["request"]
    page = said(try_out(browser("reviewer"), "withdraw", {
        "lot_no": str(lot), "posts": "1", "document_no": "编委〔2026〕75号", "effective": str(NOW.date()),
    }))  # fmt: skip
    assert f"第 {lot} 批闲置的周转编制只有 0 个，不够划回 1 个" in page
    assert "申请预占：" in page
    assert asked in page
    assert "撤回申请" in page
    check(page)
