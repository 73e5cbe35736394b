"""The list of flags with its filters and files, and the moves on one flag."""

from __future__ import annotations

import csv
import io
import json
import re

import openpyxl
import pytest
from sqlalchemy import select

from core.accounts import get_user
from core.audit import AuditEvent
from expectations.books import BOOKS
from reconcile.models import FindingRow, Flag, FlagEvent
from tests.web.seeding import flag_of
from web.words import FIELDS

Q03 = flag_of("Q03", "3701001", "a" * 32)
F01 = flag_of("F01", "3701001", "b" * 32)
EXPLANATION = {"reason": "人事批文在途", "evidence": "济人社〔2026〕8号", "until": "2027-01-31"}


def listed(answer) -> int:
    return int(re.search(r'本夜发现 <span class="count">([\d,]+)', answer.get_data(as_text=True))[1])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 71), ("rule=F02", 61), ("severity=S1", 4), ("rule=F02&severity=S4", 1), ("status=ACKNOWLEDGED", 1),
        ("unit=3701001", 4), ("division=370102", 2), ("q=3701022", 1),
        ("q=实验小学", 1), ("rule=nonsense", 71), ("page=999", 71),
    ],
)  # fmt: skip
def test_filters_choose_and_unknown_values_choose_nothing_away(browser, query, count):
    assert listed(browser("reviewer").get(f"/flags?{query}")) == count


def test_the_list_comes_in_pages_with_totals(browser):
    person = browser("reviewer")
    first, second = (person.get(f"/flags?page={page}").get_data(as_text=True) for page in (1, 2))
    keys = lambda page: set(re.findall(r"/flags/([A-Z]\d\d-[0-9a-f]{20})", page))
    assert (len(keys(first)), len(keys(second))) == (50, 21)
    assert not keys(first) & keys(second)
    assert "第 1 页，共 2 页" in first


def test_sorting_turns_round_and_an_unknown_sort_is_the_usual_one(browser):
    person = browser("reviewer")
    rules = lambda sort: re.findall(
        r'class="code">([QFD]\d\d)</span>', person.get(f"/flags?sort={sort}").get_data(as_text=True)
    )
    assert rules("rule") == sorted(rules("rule"))
    assert rules("-rule") == sorted(rules("-rule"), reverse=True)
    assert person.get("/flags?sort=;drop").status_code == 200


def test_a_live_flag_the_night_did_not_see_is_still_listed(browser, db):
    with db.write() as session:
        for finding in session.scalars(select(FindingRow).where(FindingRow.key == F01)):
            session.delete(finding)
    page = browser("reviewer").get("/flags?list=unseen").get_data(as_text=True)
    assert F01 in page
    assert "没有凭据证明已经消除" in page
    assert F01 not in browser("reviewer").get("/flags").get_data(as_text=True)


def test_files_hold_the_whole_filtered_list(browser):
    person = browser("reviewer")
    rows = list(csv.reader(io.StringIO(person.get("/flags/export.csv?rule=F02").data.decode("utf-8-sig"))))
    assert len(rows) == 62
    book = openpyxl.load_workbook(io.BytesIO(person.get("/flags/export.xlsx").data))
    assert book.active.max_row == 72
    assert len(json.loads(person.get("/flags/export.json").data)) == 71
    disposition = person.get("/flags/export.csv").headers["Content-Disposition"]
    assert disposition == 'attachment; filename="flags-2026-11-22.csv"'


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1"])
def test_no_cell_of_a_file_is_a_formula(browser, db, evil):
    with db.write() as session:
        for finding in session.scalars(select(FindingRow).where(FindingRow.key == Q03)):
            finding.found = evil
    person = browser("reviewer")
    rows = list(csv.reader(io.StringIO(person.get("/flags/export.csv?rule=Q03").data.decode("utf-8-sig"))))
    assert not [cell for cell in rows[1] if cell.lstrip()[:1] in "=+-@＝" and cell]
    sheet = openpyxl.load_workbook(io.BytesIO(person.get("/flags/export.xlsx?rule=Q03").data)).active
    assert {cell.data_type for cell in sheet[2]} <= {"s", "n"}


def test_a_flag_is_acknowledged_explained_and_confirmed_by_a_second_person(browser, db):
    officer, reviewer = browser("officer"), browser("reviewer")
    assert officer.post(f"/flags/{F01}/acknowledge", {"version": "2"}).status_code == 303
    assert officer.post(f"/flags/{F01}/explain", {"version": "3", **EXPLANATION}).status_code == 303
    page = officer.get(f"/flags/{F01}").get_data(as_text=True)
    assert "人事批文在途" in page
    assert "说明，待另一人确认" in page
    assert reviewer.post(f"/flags/{F01}/confirm", {"version": "4"}).status_code == 303
    with db.read() as session:
        flag = session.get(Flag, F01)
        assert (flag.status, flag.explained_by_login, flag.confirmed_by_login) == ("EXPLAINED", "officer", "reviewer")
        moves = session.scalars(select(FlagEvent.move).where(FlagEvent.flag_key == F01).order_by(FlagEvent.id)).all()
        assert moves == ["OPEN", "ACKNOWLEDGE", "EXPLAIN", "CONFIRM"]
        trail = session.scalars(select(AuditEvent).where(AuditEvent.subject == f"flag {F01}")).all()
        assert [event.actor for event in trail] == ["officer", "officer", "reviewer"]


def test_nobody_confirms_their_own_explanation_and_the_button_says_why(browser):
    reviewer = browser("reviewer")
    assert reviewer.post(f"/flags/{Q03}/explain", {"version": "2", **EXPLANATION}).status_code == 303
    assert "说明由您本人填写，须由另一人办理“确认说明”。" in reviewer.get(f"/flags/{Q03}").get_data(as_text=True)
    answer = reviewer.post(f"/flags/{Q03}/confirm", {"version": "3"})
    assert answer.status_code == 409
    assert "须由另一人办理" in answer.get_data(as_text=True)


def test_a_decision_on_an_older_version_is_refused(browser):
    first, second = browser("reviewer"), browser("reviewer2")
    assert first.post(f"/flags/{F01}/acknowledge", {"version": "2"}).status_code == 303
    answer = second.post(f"/flags/{F01}/acknowledge", {"version": "2"})
    assert answer.status_code == 409
    assert re.search(r"已由 \S+ 办理“签收”，请刷新后再办理", answer.get_data(as_text=True))


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"version": "2", **EXPLANATION, "until": "soon"}, 422), ({"version": "2", **EXPLANATION, "until": "20270131"}, 422),
        ({"version": "2", **EXPLANATION, "reason": " "}, 422), ({**EXPLANATION}, 422), ({"version": "x", **EXPLANATION}, 422),
        ({"version": "2", **EXPLANATION, "until": "2020-01-01"}, 409),
    ],
)  # fmt: skip
def test_an_incomplete_explanation_is_refused_and_nothing_is_written(browser, db, form, status):
    assert browser("officer").post(f"/flags/{Q03}/explain", form).status_code == status
    with db.read() as session:
        assert session.get(Flag, Q03).version == 2


def test_an_auditor_sees_no_move_and_can_make_none(browser):
    auditor = browser("auditor")
    assert 'class="button">签收' not in auditor.get(f"/flags/{F01}").get_data(as_text=True)
    assert auditor.post(f"/flags/{F01}/acknowledge", {"version": "2"}).status_code == 403
    assert auditor.post(f"/flags/{F01}/nonsense", {"version": "2"}).status_code == 404


def test_rectifying_referring_and_closing(browser, db):
    reviewer = browser("reviewer")
    form = {"version": "2", "reason": "限期清退", "deadline": "2026-12-31"}
    assert reviewer.post(f"/flags/{Q03}/rectify", form).status_code == 303
    assert reviewer.post(f"/flags/{Q03}/refer", {"version": "3", "to": "审计局", "reason": "移交"}).status_code == 303
    assert reviewer.post(f"/flags/{Q03}/close", {"version": "4", "reason": "已办结"}).status_code == 303
    with db.read() as session:
        flag = session.get(Flag, Q03)
        assert (flag.status, flag.closed_by) == ("CLOSED", "DECISION")


def test_what_people_write_is_text_not_markup(browser):
    officer = browser("officer")
    form = {"version": "2", **EXPLANATION, "reason": "<script>alert(1)</script>"}
    officer.post(f"/flags/{Q03}/explain", form)
    page = officer.get(f"/flags/{Q03}").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        (
            "zh_Hans_CN",
            (
                "何以销号",
                "有实名制名册载明此人（补报入编），或财政停发。",
                "别的名册所知",
                "死亡",
                "在职在编发薪",
                "另有 450 条未列出",
                "各名册均未载明",
            ),
        ),
        (
            "en",
            (
                "What clears it",
                "a roster names the person",
                "What the registers know",
                "Death",
                "450 more not listed here",
            ),
        ),
    ],
)
def test_a_pay_flag_says_what_is_known_since_when_and_what_would_clear_it(browser, db, locale, said):
    with db.write() as session:
        get_user(session, "reviewer").locale = locale
    page = browser("reviewer").get(f"/flags/{F01}").get_data(as_text=True)
    assert [text for text in (*said, "2026-09-08") if text not in page] == []
    assert "IN_A_ROSTER" not in page
    assert said[0] not in browser("reviewer").get(f"/flags/{Q03}").get_data(as_text=True)


def test_the_flag_of_a_unit_s_numbers_says_what_each_explaining_flag_adds_to_the_difference(browser):
    page = browser("reviewer").get(f"/flags/{flag_of('F09', '3701001')}").get_data(as_text=True)
    assert "对差额的影响 -1" in page
    assert "实有与供养之差" in page
    assert "effects" not in page


def test_no_list_of_evidence_is_called_what_a_book_is_called():
    """A list by a book's name is told as that book's rows: one of our own must have a name of its own."""
    assert not set(FIELDS) & set(BOOKS)
