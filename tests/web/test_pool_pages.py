"""The pool's pages: well made in every language, within the scope, two steps, three persons, one loan a double click."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from core.accounts import LOCALES, get_user
from core.parameters import set_parameter
from pool.housekeeping import keep_pool
from pool.models import PoolLoan, PoolNode, PoolRequest, PoolSlot
from pool.service import grant_posts
from pool.service_people import delegate
from tests.web.pool_seeding import BUREAU, CITY, SCHOOL, SMALL, Office
from tests.web.seeding import NEWEST, NOW
from tests.web.test_pages import check

SUBMITTED, REVIEWED, DRAFT = "JB2026-000002", "JB2026-000003", "JB2026-000004"
DUE_SOON, OVERDUE, FOREIGN = "JY2025-000001", "JY2025-000002", "JY2026-000001"
PAGES = {
    "auditor": ["/pool", "/pool/units", f"/pool/units/{SCHOOL}", "/pool/units/3701023", f"/pool/nodes/U:{SCHOOL}/ledger",
                f"/pool/nodes/{CITY}/ledger", "/pool/requests", "/pool/requests?list=waiting", "/pool/returns",
                "/pool/matrix", f"/pool/loans/{OVERDUE}", f"/pool/requests/{SUBMITTED}"],
    "officer": ["/pool/requests/new", f"/pool/requests/{DRAFT}", f"/pool/loans/{DUE_SOON}", "/pool/matrix"],
    "reviewer": [f"/pool/loans/{DUE_SOON}", f"/pool/requests/{SUBMITTED}", "/pool/requests?list=mine"],
    "director": [f"/pool/requests/{REVIEWED}", f"/pool/loans/{FOREIGN}"],
    "province": ["/pool", "/pool/units", "/pool/requests", "/pool/returns", "/pool/matrix"],
}  # fmt: skip
WISH = {
    "unit_code": SCHOOL, "post_type": "INSTITUTION", "fund_form": "FULL", "purpose": "EDUCATION", "posts": "2",
    "months": "12", "reason": "新学年扩班",
}  # fmt: skip


def said(answer) -> str:
    return answer.get_data(as_text=True)


def key_of(page: str, action: str) -> str:
    """The idempotency key of the form that goes to an address."""
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.S) if f'action="{action}"' in form)
    return re.search(r'name="client_id" value="([^"]+)"', form)[1]


def take(person, path: str, step: str, **values):
    """Open the page, fill in the form of a step, send it."""
    action = f"{path}/{step}"
    return person.post(action, {"client_id": key_of(said(person.get(path)), action), **values}, token_from=path)


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


@pytest.mark.parametrize("path", [
    f"/pool/units/{SCHOOL}", f"/pool/nodes/U:{SCHOOL}/ledger", f"/pool/requests/{SUBMITTED}", f"/pool/loans/{DUE_SOON}",
])  # fmt: skip
def test_another_units_page_is_404(browser, path):
    assert browser("small").get(path).status_code == 404
    assert browser("county").get(path).status_code == 404
    assert browser("officer").get(path).status_code == 200


def test_a_step_on_another_units_request_or_loan_is_404_and_changes_nothing(browser, db):
    small = browser("small")
    for path in (f"/pool/requests/{DRAFT}/submit", f"/pool/loans/{DUE_SOON}/return", "/pool/slots/ZZ2025-000001/swap"):
        assert small.post(path, {"client_id": "x"}).status_code == 404
    with db.read() as session:
        assert session.get(PoolRequest, DRAFT).status == "DRAFT"


def test_lists_hold_only_what_lies_in_the_scope(browser):
    small = browser("small")
    for path in ("/pool", "/pool/requests?list=all", "/pool/returns", "/pool/matrix"):
        page = said(small.get(path))
        assert "市第一中学" not in page, path
        assert FOREIGN not in page, path
    assert "历下区实验小学" in said(small.get("/pool/matrix"))


def test_a_unit_sees_its_posts_with_due_dates_and_badges(browser):
    soon = said(browser("officer").get(f"/pool/units/{SCHOOL}"))
    assert re.search(r"2026-12-20\s*<abbr class=\"badge SOON\"[^>]*>预</abbr>", soon)
    over = said(browser("small").get(f"/pool/units/{SMALL}"))
    assert re.search(r"2026-10-08\s*<abbr class=\"badge OVER\"[^>]*>超</abbr>", over)


def test_badges_and_counts_go_by_the_term_of_the_borrowers_own_division(browser, db):
    mark = r"2026-12-20\s*(?:</span>)?\s*<abbr class=\"badge SOON\""
    soon = lambda page: int(re.search(r"badge SOON.*?<dd>(\d+)", page, re.S)[1])
    reviewer = browser("reviewer")
    pages = ("/pool/returns", f"/pool/units/{SCHOOL}", f"/pool/loans/{DUE_SOON}")
    assert all(re.search(mark, said(reviewer.get(path))) for path in pages)
    before = said(reviewer.get("/pool"))
    assert "90 天内到期" in before
    with db.write() as session:
        slots = session.scalars(select(PoolSlot).where(PoolSlot.loan_no == DUE_SOON)).all()
        gone = sum(slot.ended_on is None for slot in slots)
        for node, days in ((slots[0].node_id, "10"), (f"U:{SMALL}", "120")):
            division = session.get(PoolNode, node).division_code
            set_parameter(session, "pool_due_soon_days", days, division, date(2026, 1, 1), actor="test", now=NOW)
    for path in pages:
        page = said(reviewer.get(path))
        assert "2026-12-20" in page, path
        assert not re.search(mark, page), path
    after = said(reviewer.get("/pool"))
    assert soon(before) - soon(after) >= gone > 0
    assert "10–120 天内到期" in after


def test_a_wish_is_checked_then_sent_and_gets_a_number(browser, db):
    officer = browser("officer")
    shown = said(officer.post("/pool/requests/new", WISH | {"act": "check"}, token_from="/pool/requests/new"))
    assert "可以提交" in shown
    assert re.search(r"市 370100</th>\s*<td class=\"num\">10 → <strong>8</strong>", shown)
    with db.read() as session:
        before = session.scalar(select(func.count()).select_from(PoolRequest))
    sent = WISH | {"act": "send", "client_id": key_of(shown, "/pool/requests/new")}
    first = officer.post("/pool/requests/new", sent)
    again = officer.post("/pool/requests/new", sent)
    assert (first.status_code, again.headers["Location"]) == (303, first.headers["Location"])
    page = said(officer.get(first.headers["Location"]))
    assert "已提交，编号 JB2026-" in page
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(PoolRequest)) == before + 1


@pytest.mark.parametrize(("change", "status", "sentence"), [
    ({"posts": "500"}, 200, "可借的闲置周转编制只有 20 个，不够 500 个。"),
    ({"posts": "１２"}, 422, "编制数须为半角数字的整数。"),
    ({"posts": "0"}, 422, "编制数须至少为 1。"),
    ({"months": "61"}, 200, "借用期限须为 1 至 60 个月。"),
    ({"months": "1.5"}, 422, "借用期限须为整月数。"),
    ({"post_type": "CONTROL_NUMBER"}, 200, "控制数不进入周转池，不能借用。"),
    ({"unit_code": BUREAU, "post_type": "ADMIN"}, 200, "本单位该类编制还有 3 个可用，须先用完。"),
])  # fmt: skip
def test_a_refused_wish_says_why_and_keeps_what_was_typed(browser, change, status, sentence):
    officer = browser("officer")
    answer = officer.post("/pool/requests/new", WISH | change | {"act": "check"}, token_from="/pool/requests/new")
    page = said(answer)
    assert answer.status_code == status
    assert sentence in page
    assert "新学年扩班" in page
    assert 'value="send"' not in page
    check(page)


def test_a_draft_is_opened_changed_and_saved(browser, db):
    officer, path = browser("officer"), f"/pool/requests/{DRAFT}/edit"
    assert path in said(officer.get(f"/pool/requests/{DRAFT}"))
    shown = said(officer.get(path))
    assert "修改草稿" in shown
    with db.read() as session:
        row = session.get(PoolRequest, DRAFT)
    typed = {
        "unit_code": row.unit_code, "post_type": row.post_type, "fund_form": row.fund_form, "purpose": row.purpose,
        "posts": "1", "months": "9", "reason": "改过的理由",
    }  # fmt: skip
    looked = said(officer.post(path, typed | {"act": "check"}, token_from=path))
    assert "保存草稿" in looked
    assert "提交申请" not in looked
    answer = officer.post(path, typed | {"act": "draft", "client_id": key_of(looked, path)}, token_from=path)
    assert answer.status_code == 303
    with db.read() as session:
        kept = session.get(PoolRequest, DRAFT)
    assert (kept.status, kept.posts, kept.months, kept.reason) == ("DRAFT", 1, 9, "改过的理由")
    assert browser("other").get(path).status_code in (403, 404)


def test_a_change_that_comes_after_the_draft_was_submitted_is_refused_in_words(browser, db):
    officer, shown = browser("officer"), f"/pool/requests/{SUBMITTED}"
    assert officer.get(f"{shown}/edit").status_code == 303
    with db.read() as session:
        unit = session.get(PoolRequest, SUBMITTED).unit_code
    typed = WISH | {"unit_code": unit, "posts": "1", "act": "draft", "client_id": "too-late"}
    answer = officer.post(f"{shown}/edit", typed, token_from=shown)
    assert answer.status_code == 409
    assert "当前状态是“已提交”" in said(answer)
    with db.read() as session:
        assert session.get(PoolRequest, SUBMITTED).reason != WISH["reason"]


def test_a_refused_wish_in_english_says_why_in_english(browser, db):
    with db.write() as session:
        get_user(session, "officer").locale = "en"
    answer = browser("officer").post("/pool/requests/new", WISH | {"posts": "500", "act": "check"})
    assert "Only 20 idle posts can be borrowed, not enough for 500." in said(answer)


def test_a_wish_for_another_unit_is_404(browser):
    answer = browser("officer").post("/pool/requests/new", WISH | {"unit_code": SMALL, "act": "send", "client_id": "x"})
    assert answer.status_code == 404


def test_two_steps_and_three_persons_lead_to_one_loan(browser, db):
    path = f"/pool/requests/{SUBMITTED}"
    officer = said(browser("officer").get(path))
    assert f'action="{path}/review"' not in officer
    assert f'action="{path}/withdraw"' in officer
    assert "当前状态是“已提交”，不能办理“批准”。" in said(browser("director").get(path))
    assert take(browser("reviewer"), path, "review", note="属实").status_code == 303
    reviewer = said(browser("reviewer").get(path))
    assert "您本人（或您受托代理的人）已经办理过这件申请，须由另一人办理“不予批准”。" in reviewer
    director = browser("director")
    key = key_of(said(director.get(path)), f"{path}/approve")
    first = director.post(f"{path}/approve", {"client_id": key}, token_from=path)
    again = director.post(f"{path}/approve", {"client_id": key}, token_from=path)
    assert first.headers["Location"] == again.headers["Location"]
    with db.read() as session:
        loans = session.scalars(select(PoolLoan).where(PoolLoan.request_no == SUBMITTED)).all()
        assert [loan.loan_no for loan in loans] == [first.headers["Location"].rsplit("/", 1)[1]]
    late = browser("director2").post(f"{path}/approve", {"client_id": "y"}, token_from=path)
    assert late.status_code == 409
    assert "这件申请已由 director 办理" in said(late)


def test_a_partial_grant_gives_the_rest_back(browser, db):
    path = f"/pool/requests/{REVIEWED}"
    done = take(browser("director"), path, "approve", posts="3", document_no="编委〔2026〕50号")
    with db.read() as session:
        request = session.get(PoolRequest, REVIEWED)
        assert (request.posts, request.granted) == (4, 3)
    assert "编委〔2026〕50号" in said(browser("officer").get(done.headers["Location"]))
    assert "批准 3 个" in said(browser("officer").get(path))


def test_the_inbox_holds_what_waits_for_the_person_alone(browser):
    listed = lambda login: set(re.findall(r"JB\d{4}-\d{6}", said(browser(login).get("/pool/requests?list=mine"))))
    assert listed("reviewer") == {SUBMITTED}
    assert listed("director") == {SUBMITTED, REVIEWED}
    assert listed("supervisor") == {SUBMITTED, REVIEWED} - {REVIEWED}
    assert listed("county_director") == set()


def test_a_delegate_acts_through_the_pages(browser, db):
    with db.write() as session:
        Office(session).do(delegate, "director2", NOW, "reviewer2", NOW.date(), NOW.date())
    person, path = browser("reviewer2"), f"/pool/requests/{REVIEWED}"
    assert f'action="{path}/approve"' not in said(person.get(path))
    page = said(person.get(f"{path}?acting_for=director2"))
    assert "您正代 director2 办理。" in page
    answer = person.post(
        f"{path}/approve", {"client_id": key_of(page, f"{path}/approve"), "acting_for": "director2"}, token_from=path
    )
    assert answer.status_code == 303
    assert "代 director2" in said(browser("officer").get(path))
    assert person.get(f"{path}?acting_for=director").status_code == 403


def test_refusing_needs_a_reason_and_gives_the_posts_back(browser, db):
    path = f"/pool/requests/{REVIEWED}"
    assert take(browser("director"), path, "refuse", reason=" ").status_code == 422
    assert take(browser("director"), path, "refuse", reason="本年度不再增加").status_code == 303
    page = said(browser("officer").get(path))
    assert "未批准" in page
    assert "本年度不再增加" in page


def test_a_loan_is_renewed_by_the_director_and_recalled_by_the_office(browser, db):
    path = f"/pool/loans/{DUE_SOON}"
    officer = said(browser("officer").get(path))
    assert f'action="{path}/renew"' not in officer
    assert "您的角色不能办理这一步。" in officer
    assert take(browser("director"), path, "renew", months="12", reason="仍需").status_code == 303
    assert "2027-12-20" in said(browser("officer").get(path))
    recalled = take(browser("reviewer"), path, "recall", slots=["ZZ2025-000001"], reason="另有急需")
    assert recalled.status_code == 303
    with db.read() as session:
        assert session.get(PoolSlot, "ZZ2025-000001").status == "RECALLED"


def test_returning_nothing_asks_to_tick_something(browser):
    path = f"/pool/loans/{FOREIGN}"
    answer = take(browser("other"), path, "return")
    assert answer.status_code == 422
    assert "请先勾选用编序号。" in said(answer)
    slot = re.search(r'name="slots" value="([^"]+)"', said(browser("other").get(path)))[1]
    assert take(browser("other"), path, "return", slots=[slot]).status_code == 303


def test_a_person_leaves_and_the_post_goes_back_the_same_day(browser, db):
    path, action = f"/pool/loans/{DUE_SOON}", "/pool/slots/ZZ2025-000001/vacate"
    reviewer = browser("reviewer")
    key = key_of(said(reviewer.get(path)), action)
    assert reviewer.post(action, {"client_id": key, "day": "2026-11-20"}, token_from=path).status_code == 303
    with db.read() as session:
        slot = session.get(PoolSlot, "ZZ2025-000001")
        assert (slot.status, str(slot.ended_on)) == ("RETURNED", "2026-11-20")


def test_the_night_proposes_a_swap_and_the_reviewer_signs_it(browser, db):
    with db.write() as session:
        office = Office(session)
        office.do(grant_posts, "reviewer", NOW, f"U:{SCHOOL}", "INSTITUTION", "FULL", 1, "编委〔2026〕60号")
        keep_pool(session, NEWEST + timedelta(days=1), NOW)
    reviewer, path, action = browser("reviewer"), f"/pool/loans/{DUE_SOON}", "/pool/slots/ZZ2025-000001/swap"
    assert "本单位已有空编，建议置换" in said(reviewer.get("/pool/requests"))
    assert "本单位已有空编，建议置换" not in said(browser("director").get("/pool/requests"))
    page = said(reviewer.get(path))
    assert "每夜建议" in page
    assert reviewer.post(action, {"client_id": key_of(page, action)}, token_from=path).status_code == 303
    with db.read() as session:
        slot = session.get(PoolSlot, "ZZ2025-000001")
        assert (slot.status, slot.own_slot_no[:2]) == ("RETURNED", "BZ")


def test_lending_and_ownership_look_different_in_the_ledger(browser):
    school = said(browser("officer").get(f"/pool/nodes/U:{SCHOOL}/ledger"))
    assert '<span class="nature lending">借出</span>' in school
    bureau = said(browser("officer").get(f"/pool/nodes/U:{BUREAU}/ledger?post_type=ADMIN&fund_form=FULL"))
    assert '<span class="nature owning">划转</span>' in bureau
    assert "编委〔2026〕31号" in bureau
    assert re.search(r'<td class="num">87 <span class="delta">\(-1\)</span>', bureau)


def test_the_chart_says_its_figures_in_words(browser):
    picture = said(browser("auditor").get("/pool/chart.svg"))
    assert picture.startswith("<svg")
    assert "市 事业：闲置 12，预占 4，借出 2" in picture


def test_a_node_without_bookings_says_so(browser):
    assert "尚未建账" in said(browser("auditor").get("/pool/units/3701023"))
    assert "还没有账目。" in said(browser("auditor").get(f"/pool/nodes/{CITY}/ledger?post_type=ADMIN&fund_form=SELF"))


HUGE = 10**20


@pytest.mark.parametrize("path", [
    f"/pool/requests?list=all&page={HUGE}", f"/pool/units?page={HUGE}", f"/documents?page={HUGE}",
])  # fmt: skip
def test_a_page_no_list_has_is_an_empty_one(browser, path):
    assert browser("auditor").get(path).status_code == 200


def test_a_number_no_database_keeps_names_nothing(browser):
    assert browser("auditor").get(f"/pool/movements/{HUGE}/notice.pdf").status_code == 404
    person = browser("director")
    sent = person.post(f"/pool/delegations/{HUGE}/revoke", {"client_id": "k"}, token_from="/pool/delegations")
    assert sent.status_code == 404


def test_the_due_list_names_the_loans_it_shows_where_terms_differ(browser, db):
    """Many posts due before wear no badge in their division: those shown come later, and are named all the same."""
    with db.write() as session:
        pattern = session.scalars(select(PoolSlot).where(PoolSlot.loan_no == DUE_SOON)).first()
        copied = (
            "loan_no",
            "node_id",
            "unit_code",
            "post_type",
            "fund_form",
            "purpose",
            "lot_no",
            "lender_id",
            "issued_on",
        )
        for each in range(9):
            session.add(PoolSlot(
                **{name: getattr(pattern, name) for name in copied}, slot_no=f"ZZ2026-9{each:05d}", status="ISSUED",
                due_date=date(2026, 12, 20),
            ))  # fmt: skip
        later = session.scalars(select(PoolSlot).where(PoolSlot.loan_no == FOREIGN)).first()
        name = session.get(PoolNode, later.node_id).name
        for node, days in ((pattern.node_id, "10"), (later.node_id, "9999")):
            division = session.get(PoolNode, node).division_code
            set_parameter(session, "pool_due_soon_days", days, division, date(2026, 1, 1), actor="test", now=NOW)
    listed = re.search(r'aria-labelledby="due-title".*?</section>', said(browser("reviewer").get("/pool")), re.S)[0]
    assert "2026-12-20" not in listed
    assert name in listed
    assert "—" not in listed
