"""The catalogues are whole, and no sentence a person reads is left out of them."""

from __future__ import annotations

import re

import pytest

from core.accounts import LOCALES, Role
from core.types import Cause
from pool.approvals import Move as PoolMove
from pool.approvals import Status as PoolStatus
from pool.ledger import Kind, Source
from pool.strains import Cure
from pool.tree import Bound, Remedy
from reconcile.lifecycle import Move
from reconcile.models import FlagStatus, NightState
from staffing.chain import Move as StaffMove
from staffing.chain import Status as StaffStatus
from staffing.chain import Subject
from web import catalogues, i18n, words

TRANSLATED = [locale for locale in LOCALES if locale != i18n.SOURCE]


@pytest.mark.parametrize("locale", TRANSLATED)
def test_nothing_is_missing_fuzzy_unused_or_misplaced(locale):
    assert catalogues.problems(locale) == []


def test_the_check_finds_a_sentence_of_each_kind():
    needed = catalogues.required_messages()
    assert {
        "今夜总览",
        "退出",
        "已办理。",
        "超编",
        "待签收",
        "密码须为 12 至 256 个字符",
        "整改期限须晚于今天。",
    } <= needed


def test_english_holds_no_chinese():
    held = i18n.catalogue("en")
    assert not [m for m in catalogues.required_messages() if catalogues.CHINESE.search(held.gettext(m))]


def test_every_identifier_people_see_has_a_word():
    vocabularies = words.VOCABULARIES
    assert set(vocabularies["role"]) == set(Role)
    assert set(vocabularies["night"]) == set(NightState)
    assert set(vocabularies["status"]) == set(FlagStatus)
    assert set(vocabularies["move"]) == set(Move)
    assert set(vocabularies["cause"]) == set(Cause)
    assert set(vocabularies["pool_status"]) == set(PoolStatus)
    assert set(vocabularies["pool_move"]) == set(PoolMove)
    assert set(vocabularies["kind"]) == set(Kind)
    assert set(vocabularies["source"]) == set(Source)
    assert set(vocabularies["bound"]) == set(Bound)
    assert set(vocabularies["remedy_kind"]) == {*Remedy, *Cure}
    assert set(vocabularies["staff_status"]) == set(StaffStatus)
    assert set(vocabularies["staff_move"]) == {*StaffMove, "ACKNOWLEDGE", "RELEASE"}
    assert set(vocabularies["staff_subject"]) == {*Subject, "NOTICE", "BLOCK"}


def test_a_sentence_filled_in_elsewhere_is_recognised_and_translated(app):
    with app.test_request_context(headers={"Accept-Language": "en"}):
        app.preprocess_request()
        assert (
            i18n.translate("370103 应报的财政供养（payroll）缺报")
            == "370103: the expected book Payroll (payroll) is missing"
        )
        assert i18n.translate("县 990102只出借 1 个时，省 990000的缺口将增加 2 个；出借上限至少须为 3 个。").startswith(
            "If 县 990102 lends no more than 1"
        )
        late = "本单位有 1 件入编或减编逾期未登记（S1 应于 2027-01-21 前登记），登记之前不能申报计划。"
        counted = "计算时 2027 年放假安排尚未公布，按周一至周五计。"
        assert i18n.translate(late + counted) == f"{i18n.translate(late)} {i18n.translate(counted)}"
        assert i18n.translate(counted).startswith("When this was counted, the public holidays of 2027")
        assert i18n.translate("unknown words") == "unknown words"


def test_the_sentences_we_recognise_are_still_the_ones_that_are_raised():
    from pathlib import Path

    root = Path(catalogues.ROOT)
    spoken = ["pool/approvals.py", "pool/policies.py", "pool/posting.py", "reconcile/lifecycle.py", "night/ending.py"]
    spoken += ["core/calendar.py", "staffing/principles.py", "staffing/flow.py"]
    places = [*catalogues.REFUSING, *spoken]
    sources = "".join((root / name).read_text(encoding="utf-8") for name in places)
    sources = re.sub(r'"\s*\n\s*f?"', "", sources)  # sentences that go over several lines
    for template in i18n.FILLED:
        for piece in catalogues.PLACES.split(template):
            assert piece.strip("（） ") in sources, template
