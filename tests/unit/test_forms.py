"""The forms of the gate: the same input gives the same bytes, persons are masked, figures stand where they belong."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pypdfium2
import pytest

from staffing import forms as f

PLACE = f.Place("3701002", "市第一中学", "INSTITUTION", "INSTITUTION", "FULL", "正处级")
PERSON = f.Person("欧阳修远", "370104199001011234")
DAY = date(2026, 11, 25)
FIGURES = f.CellFigures(DAY, quota=240, borrowed=2, lent=0, in_post=238, open_permits=1, reserved=None, usable=3)
APPLICATION = f.ApprovalForm(
    "SQ2026-000012", "市编办", PLACE, FIGURES, 2, "RECRUIT", "公开招聘应届毕业生", "高中数学教师", DAY,
    (
        f.Opinion("单位意见", "同意申请。", "市第一中学", DAY), f.Opinion("主管部门", "同意。", "市教育局", DAY),
        f.Opinion("财政部门", "经费已列入预算。", "市财政局", DAY), f.Opinion("编办审核", "空编属实，拟同意。", "市编办", DAY),
        f.Opinion("编委主任", "同意。", "", DAY, signed=True),
    ),
    yearly_cost=312_000, cost_confirmed="市财政局 2026-11-24", coming_exit="2026 年 12 月退休 1 人", consultation="已沟通，同意",
    permit_no="用编〔2026〕000031", slot_numbers=("BH2026-000101", "BH2026-000102"), valid_until=date(2026, 12, 31),
)  # fmt: skip
USE = f.UseNotice(
    "用编〔2026〕000031", "市编办", PLACE, 2, ("BH2026-000101", "BH2026-000102"), "RECRUIT", "应届毕业生", "高中数学教师",
    "SQ2026-000012", DAY, "编委主任", date(2026, 12, 31), 312_000, "2026 年 12 月退休 1 人出编后执行",
)  # fmt: skip
ENTRY = f.EntryNotice(
    "入编〔2026〕000044",
    "市编办",
    PLACE,
    PERSON,
    "BH2026-000101",
    "用编〔2026〕000031",
    "RECRUIT",
    DAY,
    DAY,
    date(2026, 12, 1),
)
EXIT = f.ExitNotice("减编〔2026〕000009", "市编办", PLACE, PERSON, "BH2020-000007", "退休", DAY, DAY, date(2026, 12, 1))
QUOTA = f.QuotaNotice(
    "核编〔2026〕000123", "市编办", "划转编制",
    (f.QuotaLine("历下区民政局", "3701021", "ADMIN", "FULL", 32, 33), f.QuotaLine("市教育局", "3701001", "ADMIN", "FULL", 88, 87)),
    "编委〔2026〕31号", None, DAY, DAY, "关于调整编制的通知",
)  # fmt: skip
MADE = {
    "编制使用审批表": lambda: f.approval_form(APPLICATION), "用编通知单": lambda: f.use_notice(USE),
    "入编通知单": lambda: f.entry_notice(ENTRY, sees_identity=False),
    "减编通知单": lambda: f.exit_notice(EXIT, sees_identity=False), "核定编制通知单": lambda: f.quota_notice(QUOTA),
}  # fmt: skip


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "").replace("\u3000", "")


@pytest.mark.parametrize("title", list(MADE))
def test_a_form_is_one_page_of_the_same_bytes_each_time(title):
    made = MADE[title]()
    assert made == MADE[title]()
    assert len(pypdfium2.PdfDocument(made)) == 1
    assert title in text_of(made)


def test_the_approval_form_shows_the_figures_of_that_moment_and_unknown_as_a_dash():
    text = text_of(MADE["编制使用审批表"]())
    for piece in ("240", "238", "BH2026-000102", "312,000元", "拟同意", "2026年12月31日", "已沟通"):
        assert piece in text.replace(" ", ""), piece
    assert f.approval_form(replace(APPLICATION, figures=replace(FIGURES, reserved=0))) != MADE["编制使用审批表"]()


@pytest.mark.parametrize(("form", "made"), [(ENTRY, f.entry_notice), (EXIT, f.exit_notice)])
def test_persons_are_masked_unless_the_reader_may_see_them(form, made):
    masked, full = made(form, sees_identity=False), made(form, sees_identity=True)
    assert "370104********1234" in text_of(masked)
    for secret in (PERSON.name, PERSON.identity):
        assert secret not in text_of(masked)
        assert secret.encode() not in masked
        assert secret in text_of(full)


def test_an_exit_notice_names_the_first_month_without_pay():
    assert "自2026年12月起不再发放工资" in text_of(MADE["减编通知单"]()).replace(" ", "")


def test_a_quota_notice_shows_before_change_and_after():
    text = text_of(MADE["核定编制通知单"]()).replace(" ", "")
    assert "32+133" in text
    assert "88-187" in text
