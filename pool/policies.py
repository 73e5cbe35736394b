"""May this be borrowed? Rules R02–R17 as enum answers with reasons, in one documented order (DOMAIN §5). Pure.

The numbers marked ‡ come in as `Terms`, read from dated parameters by `pool.store`.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum

from core.types import PostType

# R03: what may ever be lent between, and what never enters the pool.
GROUPS: dict[PostType, str | None] = {
    PostType.ADMIN: "ADMIN",
    PostType.POLITICAL_LEGAL: "ADMIN",
    PostType.CIVIL_SERVICE_REF: "CIVIL_SERVICE_REF",
    PostType.INSTITUTION: "INSTITUTION",
    PostType.SUPPORT: "SUPPORT",
    PostType.CONTROL_NUMBER: None,
}
CENTRAL_ONLY = (PostType.ADMIN, PostType.POLITICAL_LEGAL)
SCHOOL_PURPOSE = "EDUCATION"
FIRST_PURPOSE = "PLACEMENT"
PARAMETER = "parameter"  # the parameter a field of Terms holds


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The parameters ‡ of the pool in force on a day, for one division. None = no cap. Defaults: core.parameters."""

    purposes: dict[str, str] = field(metadata={PARAMETER: "pool_purposes"})
    months: int = field(metadata={PARAMETER: "loan_months"})
    school_months: int = field(metadata={PARAMETER: "loan_months_school"})
    renewals: int = field(metadata={PARAMETER: "loan_renewals"})
    due_soon_days: int = field(metadata={PARAMETER: "pool_due_soon_days"})
    grace_days: int = field(metadata={PARAMETER: "pool_grace_days"})
    fill_months: int = field(metadata={PARAMETER: "pool_fill_months"})
    skip_days: int = field(metadata={PARAMETER: "pool_skip_days"})
    request_days: int = field(metadata={PARAMETER: "pool_request_days"})
    unit_cap: int | None = field(metadata={PARAMETER: "pool_unit_cap"})
    purpose_caps: dict[str, int] = field(metadata={PARAMETER: "pool_purpose_caps"})
    break_borders: bool = field(metadata={PARAMETER: "pool_break_borders"})

    def longest(self, purpose: str) -> int:
        """Most months of one term (R07)."""
        return max(self.months, self.school_months) if purpose == SCHOOL_PURPOSE else self.months


PARAMETER_OF: dict[str, str] = {term.name: term.metadata[PARAMETER] for term in fields(Terms)}


class Answer(StrEnum):
    """What `decide_request` answers; earlier ones win when several hold."""

    NEVER_POOLED = "NEVER_POOLED"
    UNKNOWN_PURPOSE = "UNKNOWN_PURPOSE"
    UNIT_OVERDUE = "UNIT_OVERDUE"
    HAS_VACANCY = "HAS_VACANCY"
    OTHER_FORM_VACANT = "OTHER_FORM_VACANT"
    TERM_TOO_LONG = "TERM_TOO_LONG"
    UNIT_CAP = "UNIT_CAP"
    PURPOSE_CAP = "PURPOSE_CAP"
    NEEDS_CENTRAL_NUMBER = "NEEDS_CENTRAL_NUMBER"
    UPWARD_NEEDS_DOCUMENT = "UPWARD_NEEDS_DOCUMENT"
    TOTAL_EXCEEDED = "TOTAL_EXCEEDED"
    ALLOWED_BY_UPPER = "ALLOWED_BY_UPPER"
    ALLOWED = "ALLOWED"


PASSING = (Answer.ALLOWED, Answer.ALLOWED_BY_UPPER)
RULES: dict[Answer, str] = {
    Answer.NEVER_POOLED: "R03",
    Answer.UNKNOWN_PURPOSE: "R05",
    Answer.UNIT_OVERDUE: "R10",
    Answer.HAS_VACANCY: "R04",
    Answer.OTHER_FORM_VACANT: "R04",
    Answer.TERM_TOO_LONG: "R07",
    Answer.UNIT_CAP: "R15",
    Answer.PURPOSE_CAP: "R15",
    Answer.NEEDS_CENTRAL_NUMBER: "R12",
    Answer.UPWARD_NEEDS_DOCUMENT: "R12",
    Answer.TOTAL_EXCEEDED: "R17",
    Answer.ALLOWED_BY_UPPER: "R06",
    Answer.ALLOWED: "",
}
SENTENCES: dict[Answer, str] = {
    Answer.NEVER_POOLED: "控制数不进入周转池，不能借用。",
    Answer.UNKNOWN_PURPOSE: "没有“{purpose}”这种用途，请从用途目录中选择。",
    Answer.UNIT_OVERDUE: "本单位有 {overdue} 个周转编制逾期未还，归还、置换或续借之前不能借用。",
    Answer.HAS_VACANCY: "本单位该类编制还有 {usable} 个可用，须先用完。",
    Answer.OTHER_FORM_VACANT: "本单位该类编制在其他经费形式下还有 {other_usable} 个可用；确需借用的，须凭同意文件。",
    Answer.TERM_TOO_LONG: "借用期限须为 1 至 {longest} 个月。",
    Answer.UNIT_CAP: "每单位至多借用 {cap} 个，本单位已借和在办 {live} 个，再借 {posts} 个将超出。",
    Answer.PURPOSE_CAP: "用途“{purpose}”每单位至多借用 {cap} 个，本单位已借和在办 {live} 个，再借 {posts} 个将超出。",
    Answer.NEEDS_CENTRAL_NUMBER: "行政和政法专项编制跨层级借用须有中央编办批准文号。",
    Answer.UPWARD_NEEDS_DOCUMENT: "向上级借出下级编制属于例外，须有批准文件。",
    Answer.TOTAL_EXCEEDED: "{division} 的编制总量限额为 {limit} 个，借入后将达 {total} 个。",
    Answer.ALLOWED_BY_UPPER: "到期前预计退休 {backing} 人，少于所借 {posts} 个，须由上一级编委主任审批。",
    Answer.ALLOWED: "可以借用。",
}


@dataclass(frozen=True)
class Facts:
    """What the rules look at. `live`: posts of the unit borrowed or pending, this request aside.

    backing: retirements of the cell within (start, due] − its over-quota − live loans already backed by them (R06).
    lender_level: −1 the lender stands above the borrower's own node, 0 at it, 1 below it or aside; None = not chosen.
    total, total_limit: R17's sum after the loan in the tightest division, and its limit; None = no limit known.
    total_most: the most posts no division's limit refuses.
    """

    post_type: PostType
    purpose: str
    posts: int
    months: int
    usable: int = 0
    other_usable: int = 0
    other_waiver: str | None = None
    overdue: int = 0
    live: int = 0
    live_of_purpose: int = 0
    backing: int = 0
    lender_level: int | None = None
    central_no: str | None = None
    exception_doc: str | None = None
    total: int | None = None
    total_limit: int | None = None
    total_division: str = ""
    total_most: int | None = None


@dataclass(frozen=True)
class Decision:
    """An answer with the figures of its sentence."""

    answer: Answer
    values: dict[str, object]

    @property
    def passes(self) -> bool:
        return self.answer in PASSING

    @property
    def rule(self) -> str:
        return RULES[self.answer]

    @property
    def msgid(self) -> str:
        return SENTENCES[self.answer]

    @property
    def sentence(self) -> str:
        return self.msgid.format(**self.values)


def decide_request(facts: Facts, terms: Terms) -> Decision:
    """Whether the unit may borrow, by every rule but the tree's and the stock's. The first of `Answer` that holds."""
    values = {
        "purpose": terms.purposes.get(facts.purpose, facts.purpose), "overdue": facts.overdue,
        "usable": facts.usable, "other_usable": facts.other_usable, "longest": terms.longest(facts.purpose),
        "posts": facts.posts, "backing": max(facts.backing, 0), "live": facts.live, "cap": terms.unit_cap,
        "division": facts.total_division, "limit": facts.total_limit, "total": facts.total,
    }  # fmt: skip
    answer = _about_unit(facts, terms) or _about_caps(facts, terms) or _about_levels(facts)
    if answer is Answer.TOTAL_EXCEEDED:
        values |= {"most": facts.total_most}
    if answer is Answer.PURPOSE_CAP:
        values |= {"cap": terms.purpose_caps[facts.purpose], "live": facts.live_of_purpose}
    if answer is None:
        answer = Answer.ALLOWED if facts.posts <= facts.backing else Answer.ALLOWED_BY_UPPER
    return Decision(answer, values)


def _about_unit(facts: Facts, terms: Terms) -> Answer | None:
    if GROUPS[facts.post_type] is None:
        return Answer.NEVER_POOLED
    if facts.purpose not in terms.purposes:
        return Answer.UNKNOWN_PURPOSE
    if facts.overdue > 0:
        return Answer.UNIT_OVERDUE
    if facts.usable > 0:
        return Answer.HAS_VACANCY
    if facts.other_usable > 0 and not facts.other_waiver:
        return Answer.OTHER_FORM_VACANT
    if not 1 <= facts.months <= terms.longest(facts.purpose):
        return Answer.TERM_TOO_LONG
    return None


def _about_caps(facts: Facts, terms: Terms) -> Answer | None:
    if terms.unit_cap is not None and facts.live + facts.posts > terms.unit_cap:
        return Answer.UNIT_CAP
    cap = terms.purpose_caps.get(facts.purpose)
    if cap is not None and facts.live_of_purpose + facts.posts > cap:
        return Answer.PURPOSE_CAP
    return None


def _about_levels(facts: Facts) -> Answer | None:
    if facts.lender_level and facts.post_type in CENTRAL_ONLY and not facts.central_no:
        return Answer.NEEDS_CENTRAL_NUMBER
    if facts.lender_level == 1 and not facts.exception_doc:
        return Answer.UPWARD_NEEDS_DOCUMENT
    if facts.total is not None and facts.total_limit is not None and facts.total > facts.total_limit:
        return Answer.TOTAL_EXCEEDED
    return None


class Border(StrEnum):
    """What `decide_conversion` answers."""

    NEVER_POOLED = "NEVER_POOLED"
    SAME_CELL = "SAME_CELL"
    CLOSED = "CLOSED"
    ALLOWED = "ALLOWED"


BORDER_SENTENCES: dict[Border, str] = {
    Border.NEVER_POOLED: "控制数不能转换。",
    Border.SAME_CELL: "转换前后的编制类型和经费形式相同。",
    Border.CLOSED: "跨类别或跨经费形式的转换未开放（参数 pool_break_borders）。",
    Border.ALLOWED: "可以转换。",
}


def decide_conversion(source: tuple[str, str], target: tuple[str, str], terms: Terms) -> Border:
    """Whether posts of one (post_type, fund_form) may become another's (R03): within a group and a fund form by a
    document, across only where borders are broken by policy."""
    groups = {GROUPS[PostType(source[0])], GROUPS[PostType(target[0])]}
    if None in groups:
        return Border.NEVER_POOLED
    if source == target:
        return Border.SAME_CELL
    if (len(groups) > 1 or source[1] != target[1]) and not terms.break_borders:
        return Border.CLOSED
    return Border.ALLOWED


def add_months(start: date, months: int) -> date:
    """The same day so many months on, clipped at the month's end; the last good day of a term (R07)."""
    years, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(years, month + 1, min(start.day, calendar.monthrange(years, month + 1)[1]))


def waiting_order(purpose: str, submitted: date, unit_code: str) -> tuple[bool, date, str]:
    """R15: rigid needs (policy placement) first, then waiting time, then unit code."""
    return purpose != FIRST_PURPOSE, submitted, unit_code
