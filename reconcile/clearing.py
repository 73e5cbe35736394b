"""What is known of the person of a pay finding, and the one fact that would clear it: codes, and what people read. Pure."""

from __future__ import annotations

import json

from core.calendar import WEEKDAYS_WORDS

# (rule, cause) → the fact that clears it. A cause that is not here clears as the rule without one does.
CLEARS: dict[tuple[str, str | None], str] = {
    ("F01", None): "IN_A_ROSTER",
    ("F01", "BLANK_ID"): "ID_GIVEN",
    ("F02", None): "PAID",
    ("F02", "BLANK_ID"): "ID_GIVEN",
    ("F02", "TIMING"): "PAID_NEXT_MONTH",
    ("F02", "LEAVE"): "LEAVE_ENDED",
    ("F02", "PAID_AS_OTHER"): "PAID_IN_POST",
    ("F03", None): "PAY_STOPPED",
    ("F03", "TIMING"): "PAY_STOPPED_NEXT_MONTH",
    ("F03", "NOT_YET_ENTERED"): "ENTERED",
    ("F04", None): "PAY_STOPPED",
    ("F05", None): "ONE_PAYER",
    ("F06", None): "LEAD_REFUTED",
    ("F07", None): "FORM_AGREES",
    ("F08", None): "PAID_BY_OWN_UNIT",
    ("F09", None): "NAMED_CLOSED",
    ("F09", "UNEXPLAINED"): "EVERYBODY_NAMED",
    ("F09", "PERSONS_NOT_DELIVERED"): "COUNTS_AGREE",
    ("F11", None): "WITHIN_LIMIT",
}
# These two come before the rule's own: rows that were held back, and a death that a register outside knows.
ROWS_HELD, DEAD_UNPAID = "ROW_MENDED", "EXIT_REGISTERED"
SENTENCES = {
    "IN_A_ROSTER": "有实名制名册载明此人（补报入编），或财政停发。",
    "ID_GIVEN": "对方名册的空白证件号补全。",
    "PAID": "此人本月列入在职在编发薪。",
    "PAID_NEXT_MONTH": "下月列入在职在编发薪。",
    "LEAVE_ENDED": "离岗、长休结束，重新发薪或办理出编。",
    "PAID_IN_POST": "发薪行的人员状态改为在职，且在编为是。",
    "PAY_STOPPED": "财政停发。",
    "PAY_STOPPED_NEXT_MONTH": "下月不再发薪。",
    "ENTERED": "入编时间已到，或改正入编时间。",
    "ONE_PAYER": "只由一个单位发薪。",
    "LEAD_REFUTED": "核查后线索不成立，由来源单位更正；或财政停发。",
    "FORM_AGREES": "发薪行的保障方式与其编制的经费形式一致。",
    "PAID_BY_OWN_UNIT": "由其在编单位或借调单位发薪。",
    "NAMED_CLOSED": "所指明的各条不符项销号。",
    "EVERYBODY_NAMED": "余下的人逐一查明：补报名册，或停发。",
    "COUNTS_AGREE": "报送的实有数与供养数一致，或改报人员名册。",
    "WITHIN_LIMIT": "供养人数回到去年同月和基数以内。",
    ROWS_HELD: "被隔离的行更正后接收。",
    DEAD_UNPAID: "登记出编。",
}
# What a register knows of the person; the labels of the lead kinds stand for themselves.
FACTS = {
    "IN_SERVICE": "在编",
    "SECONDED_OUT": "借调外出",
    "ON_LEAVE": "离岗或长休",
    "RETIRED": "退休",
    "LEFT": "出编",
    "OFF_QUOTA": "编外人员",
    "ENTERS_LATER": "尚未入编",
    "PAID": "在职在编发薪",
    "PAID_AS_OTHER": "以其他身份发放",
    "DEATH": "死亡",
}


def clearing_sentence(evidence: str | None) -> str | None:
    """The sentence of the fact that would clear a finding; None where the rule names none."""
    return SENTENCES.get(_read(evidence).get("clears_when", ""))


def known_sentence(evidence: str | None) -> str | None:
    """What is known beside the numbers, in one line: of the person fact, unit, since when; days counted on weekdays."""
    held = _read(evidence)
    left = held.get("known_left_out")
    parts = [
        f"{fact['unit'] or ''}{FACTS.get(fact['fact'], fact['fact'])}"
        + (f"（{fact['since']} 起）" if fact["since"] else "")
        for fact in held.get("known") or ()
    ]
    parts += [f"另有 {left} 条"] if left else []
    parts += [WEEKDAYS_WORDS] if held.get("calendar") else []
    return "；".join(parts) or None


def _read(evidence: str | None) -> dict:
    try:
        value = json.loads(evidence or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
