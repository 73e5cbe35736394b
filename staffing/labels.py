"""What printed papers call the identifiers of the domain. Pure; a test keeps them the words of the books."""

from __future__ import annotations

from core.types import EntryForm, FundForm, LeaderTier, Level, PostType, UnitKind

POST_TYPES = {
    PostType.ADMIN: "行政", PostType.POLITICAL_LEGAL: "政法专项", PostType.CIVIL_SERVICE_REF: "参公事业",
    PostType.INSTITUTION: "事业", PostType.SUPPORT: "工勤", PostType.CONTROL_NUMBER: "控制数/员额",
}  # fmt: skip
FUND_FORMS = {FundForm.FULL: "全额拨款", FundForm.PART: "差额补贴", FundForm.SELF: "自收自支/经费自理"}
UNIT_KINDS = {UnitKind.ORGAN: "党政机关", UnitKind.REF_UNIT: "参公单位", UnitKind.INSTITUTION: "事业单位"}
LEVELS = {Level.PROVINCE: "省", Level.CITY: "市", Level.COUNTY: "县", Level.TOWNSHIP: "乡"}
LEADER_TIERS = {
    LeaderTier.CHIEF: "正职", LeaderTier.DEPUTY: "副职", LeaderTier.INNER_CHIEF: "内设正职",
    LeaderTier.INNER_DEPUTY: "内设副职",
}  # fmt: skip
ENTRY_FORMS = {
    EntryForm.EXAM: "考录", EntryForm.RECRUIT: "公开招聘", EntryForm.TRANSFER: "调入/转任/调任",
    EntryForm.PLACEMENT: "政策性安置", EntryForm.APPOINT: "任命", EntryForm.OTHER: "其他",
}  # fmt: skip
CHECK_RESULTS = {"PASSED": "合格", "RECTIFY": "限期整改"}


def chinese_day(iso: str | None) -> str:
    """2026-11-25 → 2026年11月25日; unknown is a dash."""
    if not iso:
        return "—"
    year, month, day = iso.split("-")
    return f"{int(year)}年{int(month)}月{int(day)}日"


def chinese_month(iso: str | None) -> str:
    """2026-11-25 or 2026-11 → 2026年11月."""
    return "—" if not iso else f"{int(iso[:4])}年{int(iso[5:7])}月"
