"""The three principles as checks that explain themselves: which one, with which figures, what would make it possible
(DOMAIN §6). Pure: figures in, an answer with the smallest change out; the numbers marked ‡ come in as `Terms`.

Every answer has one remedy. Applied (`apply_remedy`) the answer is gone; with one post less of it, it is still there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from core.types import EntryForm, FundForm, PostType, WorkKind
from staffing.flow import FORM_LABELS, Flow, Way, decide_flow

CONSULTED = (EntryForm.PLACEMENT, EntryForm.EXAM, EntryForm.RECRUIT)
TYPE_LABELS: dict[str, str] = {
    PostType.ADMIN: "行政编制", PostType.POLITICAL_LEGAL: "政法专项编制", PostType.CIVIL_SERVICE_REF: "参公事业编制",
    PostType.INSTITUTION: "事业编制", PostType.SUPPORT: "工勤编制", PostType.CONTROL_NUMBER: "控制数",
}  # fmt: skip
WORK_LABELS = {WorkKind.MANAGEMENT: "管理", WorkKind.TECHNICAL: "专技", WorkKind.WORKER: "工勤"}
FORM_OF_ENTRY = {
    EntryForm.EXAM: "考录", EntryForm.RECRUIT: "公开招聘", EntryForm.TRANSFER: "调入", EntryForm.PLACEMENT: "政策性安置",
    EntryForm.APPOINT: "任命", EntryForm.OTHER: "其他",
}  # fmt: skip


class Answer(StrEnum):
    """What `decide_use` answers; earlier ones win when several hold."""

    TYPE_NOT_ALLOWED = "TYPE_NOT_ALLOWED"
    FORM_NOT_OPEN = "FORM_NOT_OPEN"
    UNIT_OVERDUE = "UNIT_OVERDUE"
    OVER_QUOTA = "OVER_QUOTA"
    FULL = "FULL"
    NOT_ENOUGH = "NOT_ENOUGH"
    EXIT_OF_ANOTHER = "EXIT_OF_ANOTHER"
    EXIT_TAKEN = "EXIT_TAKEN"
    SHARE_EXCEEDED = "SHARE_EXCEEDED"
    PLAN_EXCEEDED = "PLAN_EXCEEDED"
    NOT_CONSULTED = "NOT_CONSULTED"
    CONSULTED_FEWER = "CONSULTED_FEWER"
    LEADERS_EXCEEDED = "LEADERS_EXCEEDED"
    REVERSE_FLOW = "REVERSE_FLOW"
    ALLOWED = "ALLOWED"


class Remedy(StrEnum):
    """What would make it possible."""

    OTHER_TYPE = "OTHER_TYPE"
    OTHER_FORM = "OTHER_FORM"
    RETURN_POSTS = "RETURN_POSTS"
    VACANCY = "VACANCY"
    OTHER_EXIT = "OTHER_EXIT"
    SHARE = "SHARE"
    PLAN = "PLAN"
    CONSULT = "CONSULT"
    LEADER_POST = "LEADER_POST"
    WAIVER = "WAIVER"


PRINCIPLES: dict[Answer, str] = {
    Answer.TYPE_NOT_ALLOWED: "编制类型与机构类别一致",
    Answer.FORM_NOT_OPEN: "增人方式符合规定",
    Answer.UNIT_OVERDUE: "周转编制到期归还（R10）",
    Answer.OVER_QUOTA: "在编制限额内用编",
    Answer.FULL: "在编制限额内用编",
    Answer.NOT_ENOUGH: "在编制限额内用编",
    Answer.EXIT_OF_ANOTHER: "出一进一",
    Answer.EXIT_TAKEN: "出一进一",
    Answer.SHARE_EXCEEDED: "符合单位编制结构",
    Answer.PLAN_EXCEEDED: "在年度用编计划内用编",
    Answer.NOT_CONSULTED: "增人事先沟通",
    Answer.CONSULTED_FEWER: "增人事先沟通",
    Answer.LEADERS_EXCEEDED: "在领导职数内配备",
    Answer.REVERSE_FLOW: "同层级、同经费形式流动",
    Answer.ALLOWED: "",
}
SENTENCES: dict[Answer, str] = {
    Answer.TYPE_NOT_ALLOWED: "本单位不能使用{post_type}；按机构类别只能使用：{allowed_types}。",
    Answer.FORM_NOT_OPEN: "进入{post_type}不能采用“其他”方式，请写明增人方式。",
    Answer.UNIT_OVERDUE: "本单位有 {overdue} 个周转编制逾期未还；归还、置换或续借这 {need} 个后才能用编。",
    Answer.OVER_QUOTA: "本单位该类编制核定 {quota} 个、实有 {in_post} 人，已超编 {over} 人，只出不进；还须空出 {need} 个才能用编 {posts} 个。",
    Answer.FULL: "本单位该类编制核定 {quota} 个、实有 {in_post} 人、在途许可 {open_permits} 个，已满编；再空出 {need} 个后可用编 {posts} 个，或绑定一名即将减编的人员（出一进一）。",
    Answer.NOT_ENOUGH: "本单位该类编制可用 {room} 个，不够 {posts} 个；再空出 {need} 个，或减为 {room} 个。",
    Answer.EXIT_OF_ANOTHER: "绑定的减编不在本单位同一类编制中，或者没有预报减编；须另绑定 {need} 名本单位预报减编的人员。",
    Answer.EXIT_TAKEN: "这名人员的减编已由另一件申请绑定，一出一进；须另绑定 {need} 名。",
    Answer.SHARE_EXCEEDED: "{work_kind}岗位至多占编制的 {share}%，即 {kind_most} 个；已有和在途 {kind_now} 个，再用 {posts} 个超出 {need} 个。",
    Answer.PLAN_EXCEEDED: "{year} 年用编计划该类通过 {plan} 个，已许可 {plan_used} 个，不够 {posts} 个；须追加计划 {need} 个。",
    Answer.NOT_CONSULTED: "{entry_form}须先办理增人事先沟通并取得同意意见（{need} 个）。",
    Answer.CONSULTED_FEWER: "事先沟通同意 {consulted} 个，已使用 {consulted_used} 个，不够 {posts} 个；须补充沟通 {need} 个。",
    Answer.LEADERS_EXCEEDED: "该层次领导职数 {leader_posts} 个，现有 {leaders} 人，再配 {posts} 人超出 {need} 个。",
    Answer.REVERSE_FLOW: "{flow}",
    Answer.ALLOWED: "符合用编条件。",
}


@dataclass(frozen=True)
class Terms:
    """What the parameters in force allow this unit. shares: most percent per kind of work."""

    allowed_types: tuple[str, ...]
    shares: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What the principles look at, this application aside.

    room: own posts a permit may take (usable and vacant by the ledger). bound: exits named for it that may be counted
    (0 or 1); bound_fault: why the named exit may not. plan: posts passed for the cell and year, None = no plan passed;
    outside_plan: PLACEMENT by a document. consulted: posts of the consultation agreed to, None = none fits.
    leader_posts, leaders: what the office stated when consulted, None = no leader is appointed.
    """

    post_type: str
    fund_form: str
    posts: int
    entry_form: str
    year: int
    quota: int = 0
    in_post: int = 0
    open_permits: int = 0
    room: int = 0
    overdue: int = 0
    bound: int = 0
    bound_fault: Answer | None = None
    work_kind: str = WorkKind.TECHNICAL
    kind_now: int = 0
    kind_base: int = 0
    plan: int | None = None
    plan_used: int = 0
    outside_plan: bool = False
    leader_tier: str | None = None
    consulted: int | None = None
    consulted_used: int = 0
    leader_posts: int | None = None
    leaders: int | None = None
    way: Way | None = None


@dataclass(frozen=True)
class Decision:
    """An answer, the figures of its sentence, and the smallest change that makes it possible: remedy and how many."""

    answer: Answer
    values: dict[str, object]
    remedy: Remedy | None = None
    need: int = 0

    @property
    def allowed(self) -> bool:
        return self.answer is Answer.ALLOWED

    @property
    def principle(self) -> str:
        return PRINCIPLES[self.answer]

    @property
    def msgid(self) -> str:
        return SENTENCES[self.answer]

    @property
    def sentence(self) -> str:
        return self.msgid.format(**self.values)


Found = tuple[Answer, Remedy, int]


def kind_most(facts: Facts, terms: Terms) -> int | None:
    """Most posts of the kind of work: the share of the unit's quota, a begun post counting whole; None = no limit."""
    share = terms.shares.get(facts.work_kind)
    return None if share is None else -(-share * facts.kind_base // 100)


def decide_use(facts: Facts, terms: Terms) -> Decision:
    """Whether the posts may be used: the first of `Answer` that holds, with figures and remedy."""
    return next((found for _, found in decide_each(facts, terms) if not found.allowed), _decision(facts, terms, None))


# The three principles, the second in its parts: what a form shows before it is sent.
CHECKS = (
    "编制类型与机构类别一致", "在编制限额内", "符合单位编制结构", "在年度用编计划内", "增人事先沟通", "同层级、同经费形式流动",
)  # fmt: skip


def decide_each(facts: Facts, terms: Terms) -> list[tuple[str, Decision]]:
    """The answer of every check by itself, in the order in which `decide_use` asks them: (name of the check, decision)."""
    found = (
        _types(facts, terms), _quota(facts), _structure(facts, terms), _plan(facts), _consulted(facts), _flow(facts)
    )  # fmt: skip
    return [(name, _decision(facts, terms, each)) for name, each in zip(CHECKS, found, strict=True)]


def _decision(facts: Facts, terms: Terms, found: Found | None) -> Decision:
    answer, remedy, need = found or (Answer.ALLOWED, None, 0)
    flow = decide_flow(facts.way).sentence if facts.way else ""
    return Decision(answer, {
        "post_type": TYPE_LABELS.get(facts.post_type, facts.post_type),
        "fund_form": FORM_LABELS.get(FundForm(facts.fund_form), facts.fund_form),
        "allowed_types": "、".join(TYPE_LABELS.get(kind, kind) for kind in terms.allowed_types) or "（无）",
        "entry_form": "配备领导职务" if facts.leader_tier else FORM_OF_ENTRY.get(facts.entry_form, facts.entry_form),
        "overdue": facts.overdue, "quota": facts.quota, "in_post": facts.in_post, "open_permits": facts.open_permits,
        "over": max(0, facts.in_post - facts.quota), "room": max(0, facts.room), "posts": facts.posts, "need": need,
        "work_kind": WORK_LABELS.get(facts.work_kind, facts.work_kind), "share": terms.shares.get(facts.work_kind),
        "kind_now": facts.kind_now, "kind_most": kind_most(facts, terms), "year": facts.year, "plan": facts.plan or 0,
        "plan_used": facts.plan_used, "consulted": facts.consulted or 0, "consulted_used": facts.consulted_used,
        "leader_posts": facts.leader_posts, "leaders": facts.leaders, "flow": flow,
    }, remedy, need)  # fmt: skip


def _types(facts: Facts, terms: Terms) -> Found | None:
    """(a) The unit's kind says which post types it may use; P06 says by which ways people may come."""
    if facts.post_type not in terms.allowed_types:
        return Answer.TYPE_NOT_ALLOWED, Remedy.OTHER_TYPE, 1
    if facts.entry_form == EntryForm.OTHER and facts.post_type not in (PostType.SUPPORT, PostType.CONTROL_NUMBER):
        return Answer.FORM_NOT_OPEN, Remedy.OTHER_FORM, 1
    return None


def _quota(facts: Facts) -> Found | None:
    """(b) Only within the quota; full or over: refused; one out, one in."""
    if facts.overdue > 0:
        return Answer.UNIT_OVERDUE, Remedy.RETURN_POSTS, facts.overdue
    if facts.bound_fault is not None:
        return facts.bound_fault, Remedy.OTHER_EXIT, 1
    lacking = facts.posts - facts.room - facts.bound
    if lacking <= 0:
        return None
    if facts.in_post > facts.quota:
        return Answer.OVER_QUOTA, Remedy.VACANCY, lacking
    return (Answer.FULL if facts.room <= 0 else Answer.NOT_ENOUGH), Remedy.VACANCY, lacking


def _structure(facts: Facts, terms: Terms) -> Found | None:
    most = kind_most(facts, terms)
    # One out, one in keeps the number of people; whether of the same kind of work is not known of everybody.
    over = facts.kind_now + facts.posts - facts.bound - most if most is not None else 0
    return (Answer.SHARE_EXCEEDED, Remedy.SHARE, over) if over > 0 else None


def _plan(facts: Facts) -> Found | None:
    if facts.entry_form == EntryForm.PLACEMENT and facts.outside_plan:
        return None
    lacking = facts.plan_used + facts.posts - (facts.plan or 0)
    return (Answer.PLAN_EXCEEDED, Remedy.PLAN, lacking) if lacking > 0 else None


def _consulted(facts: Facts) -> Found | None:
    if facts.entry_form not in CONSULTED and facts.leader_tier is None:
        return None
    if facts.consulted is None:
        return Answer.NOT_CONSULTED, Remedy.CONSULT, facts.posts
    lacking = facts.consulted_used + facts.posts - facts.consulted
    if lacking > 0:
        return Answer.CONSULTED_FEWER, Remedy.CONSULT, lacking
    if facts.leader_tier is not None:
        over = (facts.leaders or 0) + facts.posts - (facts.leader_posts or 0)
        if over > 0:
            return Answer.LEADERS_EXCEEDED, Remedy.LEADER_POST, over
    return None


def _flow(facts: Facts) -> Found | None:
    """(c) Flow at the same level and fund form."""
    if facts.way is None or decide_flow(facts.way).answer is Flow.ALLOWED:
        return None
    return Answer.REVERSE_FLOW, Remedy.WAIVER, 1


def apply_remedy(facts: Facts, terms: Terms, remedy: Remedy, count: int) -> Facts:
    """The facts after so many posts of a remedy: what a page shows as "then it would be possible", and a test tries."""
    if remedy is Remedy.OTHER_TYPE:
        return replace(facts, post_type=terms.allowed_types[0]) if count and terms.allowed_types else facts
    if remedy is Remedy.OTHER_FORM:
        return replace(facts, entry_form=EntryForm.TRANSFER) if count else facts
    if remedy is Remedy.RETURN_POSTS:
        return replace(facts, overdue=facts.overdue - count)
    if remedy is Remedy.VACANCY:
        return replace(facts, room=facts.room + count, in_post=facts.in_post - count)
    if remedy is Remedy.OTHER_EXIT:
        return replace(facts, bound_fault=None, bound=1) if count else facts
    if remedy is Remedy.SHARE:
        return replace(facts, kind_now=facts.kind_now - count)
    if remedy is Remedy.PLAN:
        return replace(facts, plan=(facts.plan or 0) + count)
    if remedy is Remedy.CONSULT:
        return replace(facts, consulted=(facts.consulted or 0) + count) if count else facts
    if remedy is Remedy.LEADER_POST:
        return replace(facts, leader_posts=(facts.leader_posts or 0) + count)
    fitting = facts.way and replace(facts.way, from_level=facts.way.to_level, from_form=facts.way.to_form)
    return replace(facts, way=fitting) if count else facts
