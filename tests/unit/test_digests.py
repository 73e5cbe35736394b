"""What mails say, and what they never say."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser

import pytest

from core.types import BookVerdict
from expectations.books import BOOKS
from reconcile.digests import (
    OWNERS,
    BookLine,
    RuleCount,
    books_letter,
    flags_letter,
    harmless,
    parked_letter,
    silence_letter,
)

A = date(2026, 10, 15)
PORTAL = "https://portal.example"


def line(verdict: BookVerdict = BookVerdict.REJECTED, *messages: str) -> BookLine:
    return BookLine("990102", "payroll", verdict, 10, 8, 1, 1, messages)


class Balanced(HTMLParser):
    """Fails on a tag closed out of order; counts cells."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells = 0

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta",):
            self.open.append(tag)
        self.cells += tag == "td"

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_book_has_an_owner():
    assert set(OWNERS) == set(BOOKS)
    assert all(OWNERS.values())


def test_flags_are_counted_by_rule_and_severity_gravest_first():
    counts = [RuleCount("F02", "S3", 1, 4, 0), RuleCount("F01", "S1", 2, 3, 1)]
    letter = flags_letter(A, counts, [], PORTAL)
    assert letter.subject == "【编制核对】2026-10-15 不符项：未销号 7，新增 3，销号 1"
    assert letter.text.index("F01 有薪无编") < letter.text.index("F02 有编无薪")
    assert "S1 严重　F01 有薪无编　3　2　1" in letter.text
    assert f"{PORTAL}/flags?as_of=2026-10-15" in letter.text


def test_nothing_to_say_is_no_mail():
    assert flags_letter(A, [RuleCount("Q01", "S2", 0, 0, 0)], [], PORTAL) is None
    assert books_letter(A, [line(BookVerdict.ACCEPTED)], PORTAL) is None


def test_leads_that_two_people_must_see_first_are_never_mailed():
    assert flags_letter(A, [RuleCount("F06", "S1", 5, 5, 0)], [], PORTAL) is None
    letter = flags_letter(A, [RuleCount("F06", "S1", 5, 5, 0), RuleCount("Q01", "S2", 1, 1, 0)], [], PORTAL)
    assert "F06" not in letter.text + letter.html + letter.subject
    assert "未销号 1" in letter.subject


def test_a_missing_book_is_named_as_what_kept_rules_from_judging():
    letter = flags_letter(A, [], [line(BookVerdict.MISSING)], PORTAL)
    assert "990102 财政供养（payroll）：缺报，相关规则本夜未能判断" in letter.text


def test_a_data_owner_reads_verdict_figures_and_remedy():
    letter = books_letter(A, [line(BookVerdict.REJECTED, "payroll.csv：缺少列 person_id，请补上后重报")], PORTAL)
    assert "990102　财政供养（payroll）　拒收　10　8　1　1" in letter.text
    assert "缺少列 person_id" in letter.text
    assert f"{PORTAL}/nights/2026-10-15" in letter.html


@pytest.mark.parametrize("number", ["370104198001011234", "37010419800101123X", "370104********1234 370104800101123"])
def test_a_number_as_long_as_an_id_never_passes(number):
    letter = books_letter(A, [line(BookVerdict.REJECTED, f"第 3 行 {number} 有误")], PORTAL)
    for part in (letter.subject, letter.text, letter.html):
        assert "19800101" not in part
        assert "80010112" not in part


def test_a_long_message_is_cut():
    assert len(harmless("长" * 1000)) < 210


def test_html_is_one_plain_escaped_table():
    letter = books_letter(A, [line(BookVerdict.REJECTED, "<script>alert(1)</script> & more")], PORTAL)
    page = Balanced()
    page.feed(letter.html)
    assert page.open == []
    assert page.cells == 7
    assert "<script" not in letter.html
    assert "http://" not in letter.html


def test_a_parked_night_and_a_silent_inbox_say_what_to_do():
    assert "1234 条" in parked_letter(A, 1234, PORTAL).text
    assert "没有新的报送" in silence_letter(A, PORTAL).text
