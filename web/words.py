"""What people read for the identifiers of the domain: source strings in Simplified Chinese, translated when shown."""

from __future__ import annotations

import re
from enum import StrEnum

from flask_babel import gettext as _

from core import types as t
from core.calendar import WEEKDAYS_WORDS
from core.parameters import DEFINITIONS
from core.standard_posts import MEASURE_LABELS, ROUNDING_LABELS
from expectations.books import BOOKS, WORDS
from expectations.verdicts import REMEDIES
from night import own_difference, own_record, situation
from pool.approvals import REQUEST_MOVES, SLOT_MOVES
from pool.approvals import SENTENCES as POOL_MOVE_SENTENCES
from pool.approvals import STATUS_LABELS as POOL_STATUS_LABELS
from pool.ledger import KINDS, LACKING, SOURCE_LABELS
from pool.policies import BORDER_SENTENCES
from pool.policies import SENTENCES as POOL_SENTENCES
from reconcile import worklist_life, worklists
from reconcile.catalog import RULES
from reconcile.clearing import FACTS, SENTENCES
from reconcile.digests import SEVERITIES, VERDICTS
from reconcile.lifecycle import SENTENCES as MOVE_SENTENCES
from reconcile.lifecycle import STATUS_LABELS, TRANSITIONS
from reconcile.report import CAUSES, PRESENCE, REASONS
from staffing import duties_check, duty_files, reform_life, tipoff_life, tipoffs
from staffing.blocks import WORDS as BLOCK_WORDS
from staffing.certificate_store import Due, State
from staffing.chain import CHAIN, SUBJECT_LABELS
from staffing.chain import STATUS_LABELS as STAFF_STATUS_LABELS
from staffing.flow import FLOW_SENTENCES
from staffing.labels import CHECK_RESULTS
from staffing.notices import KIND_LABELS, RECEIVER_LABELS
from staffing.notices import STATUS_LABELS as NOTICE_STATUS_LABELS
from staffing.principles import CHECKS, WORK_LABELS
from staffing.principles import SENTENCES as USE_SENTENCES
from staffing.verifying import EXPLAINED
from staffing.verifying import VERDICTS as VERIFIED
from web.i18n import language_tag

NIGHT_STATES = {"OPEN": "进行中", "PARKED": "待放行", "SETTLED": "已结转"}
ROLES = {
    "UNIT_OFFICER": "单位经办人",
    "SUPERVISOR": "主管部门",
    "REVIEWER": "编办审核",
    "DIRECTOR": "编委主任",
    "FINANCE": "财政",
    "PERSONNEL": "人社",
    "AUDITOR": "审计",
    "ADMINISTRATOR": "系统管理员",
}
CLOSED_BY = {"DATA": "数据销号", "DECISION": "决定销号"}
# Columns that evidence and grains name, beside those of the books.
FIELDS = {
    "person_key": "人员键",
    "person_mask": "证件号（掩码）",
    "total": "合计行",
    "column": "列",
    "stated": "所列数",
    "book": "名册",
    "allowed": "编制数（含周转）",
    "in_post": "实有",
    "paid": "供养",
    "residual": "未解释人数",
    "explained": "已解释",
    "on_one_side": "只见于一边的人数",
    "named": "已由不符项指明的人数",
    "rows": "行数",
    "parts": "分项合计",
    "unit": "单位编码",
    "known": "别的名册所知",
    "fact": "情况",
    "since": "自",
    "payer": "发薪单位编码",
    "state": "人员状态",
    "entry": "入编时间",
    "exit": "出编时间",
    "difference": "实有与供养之差",
    "named_effect": "指明各条之和",
    "residual_effect": "未指明者之和",
    "bound": "以何为限",
    "ceilings": "所知上限",
    "limit": "上限来源",
    "figure": "所限人数",
    "entries": "引用该许可的入编",
    "movements": "所涉调动",
    "movement_no": "调动号",
    "effective_date": "生效时间",
    "to_unit": "去向单位编码",
    "to_level": "去向层级",
    "months": "逐月可用编制",
    "usable": "可用编制数",
    "against": "对照范围",
    "held": "当日入编前在编",
    "turn": "当日入编次序",
    "counted_to": "计算至",
    "calendar": "工作日计法",
    "was_level": "判定所依原层级",
    "was_form": "判定所依原经费形式",
    "since_by": "时间所据",
}
# What evidence says in words of its own.
TOLD = {
    "limit_source": {
        "NIGHT_A_YEAR_AGO": "去年同月的一夜",
        "BOOK_A_YEAR_AGO": "本夜名册中去年同月各行",
        "BASE": "供养基数之和",
    },
    "since_by": {
        "ENTRY": "实名制入编时间",
        "EXIT": "实名制出编时间",
        "FIRST_MONTH": "所报发薪名册最早月份",
        "LEAD": "外部比对日期",
        "NOT_TOLD": "各名册均未载明",
    },
    "against": {"CELL": "本单元格", "TYPE": "整个编制类型"},
}


# Columns of a cell's ledger.
COLUMNS = {
    "quota": "编制数", "in_use": "在编", "vacant": "空编", "reserved": "预留", "pooled": "池中", "borrowed": "借入",
}  # fmt: skip
# What a night proposes for a slot; people decide.
SUGGESTIONS = {
    "SWAP": "本单位已有空编，建议置换", "WITHDRAW": "下达后久未入编，建议收回", "RETURN": "名册显示已出编，建议归还",
}  # fmt: skip
# Figures of a situation report, and the papers a person may be known by.
FIGURES = {
    "QUOTA": "编制数", "IN_POST": "实有人数", "PAID": "财政供养数", "LEADER_POSTS": "领导职数", "LEADERS": "实配领导",
    "BORROWED": "借入编制", "LENT": "借出编制",
}  # fmt: skip
ID_TYPES = {
    "RESIDENT": "居民身份证", "PASSPORT": "护照", "HK_MACAO": "港澳居民证件", "TAIWAN": "台湾居民证件",
    "PERMANENT": "外国人永久居留身份证",
}  # fmt: skip
REMEDY_KINDS = {
    "RAISE_BORROW_LIMIT": "提高借用上限", "RAISE_LEND_LIMIT": "提高出借上限", "ADD_POSTS": "增加入池编制",
    "POOL_VACANT": "由本区划各单位空编入池", "RETURN_POSTS": "归还借出编制", "DROP_REQUEST": "撤回申请",
}  # fmt: skip
# Certificates (机构编制管理证).
CERTIFICATE_STATES = {
    State.VALID: "有效", State.EXPIRED: "已过有效期", State.SUPERSEDED: "已被新版本取代", State.REVOKED: "已撤销",
}  # fmt: skip
CERTIFICATE_DUE = {Due.CHANGED: "内容有变，待换发", Due.EXPIRED: "到期待换发", Due.CLOSED: "单位已撤并，待注销"}
CERTIFICATE_EVENTS = {"ISSUED": "核发", "SUPERSEDED": "被新版本取代", "REVOKED": "撤销"}
CERTIFICATE_FIELDS = {
    "unit_name": "单位名称", "uscc": "统一社会信用代码", "unit_kind": "机构类别", "level": "层级", "division_code": "区划代码",
    "org_rank": "机构规格", "approval_doc": "批准文号", "duties": "主要职责", "inner_bodies": "内设机构",
    "leader_posts": "领导职数", "quota": "编制数", "borrowed": "借入", "lent": "借出", "in_post": "在编", "documents": "依据文件",
}  # fmt: skip

# The gate.
STAFF_SUBJECTS = {**SUBJECT_LABELS, "NOTICE": "通知单", "BLOCK": "逾期登记"}
STAFF_MOVES = {**{move: row.label for move, row in CHAIN.items()}, "ACKNOWLEDGE": "签收", "RELEASE": "同意解除"}
STAFF_FIGURES = {
    "quota": "编制数", "in_post": "在编", "borrowed": "借入", "lent": "借出", "open_permits": "用编在办",
    "other_reserves": "预留", "usable": "可用", "vacant": "空编", "plan": "计划通过", "plan_used": "计划已用",
    "consulted": "沟通同意", "work_kind_now": "同类岗位", "unit_quota": "单位编制",
}  # fmt: skip
STAFF_MOMENTS = {
    "submitted": "申请时",
    "reviewed": "审核时",
    "granted": "签发时",
    "asked": "沟通时",
    "answered": "答复时",
}
STAFF_SOURCES = {"PERMIT": "用编许可", "OPENING": "建账时在编", "CARRIED": "随编划入"}


# Changes one may suppose.
SUPPOSITIONS = {"CUT": "核减", "MERGE": "并入", "ABOLISH": "撤销", "REPARENT": "调整隶属", "RECALL": "收回"}


def _first(words: type[StrEnum]) -> dict[str, str]:
    """The label officials use, the first spelling of each word."""
    return {identifier: spellings[0] for identifier, spellings in WORDS[words].items()}


def _columns() -> dict[str, str]:
    return {column.name: column.label for book in BOOKS.values() for column in book.columns}


VOCABULARIES: dict[str, dict[str, str]] = {
    "severity": SEVERITIES,
    "cause": CAUSES,
    "verdict": {verdict.value: label for verdict, label in VERDICTS.items()},
    "night": NIGHT_STATES,
    "role": ROLES,
    "closed_by": CLOSED_BY,
    "presence": PRESENCE,
    "reason": REASONS,
    "status": {status.value: label for status, label in STATUS_LABELS.items()},
    "move": {move.value: row.label for move, row in TRANSITIONS.items()},
    "rule": {code: rule.name for code, rule in RULES.items()},
    "book": {name: book.label for name, book in BOOKS.items()},
    "post_type": _first(t.PostType),
    "fund_form": _first(t.FundForm),
    "unit_kind": _first(t.UnitKind),
    "level": _first(t.Level),
    "yes_no": _first(t.YesNo),
    "person_status": _first(t.PersonStatus),
    "person_state": _first(t.PersonState),
    "leader_tier": _first(t.LeaderTier),
    "measure": _first(t.Measure),
    "scope": _first(t.Scope),
    "copy": _first(t.CopyKind),
    "lead": _first(t.LeadKind),
    "entry_form": _first(t.EntryForm),
    "fact": FACTS | _first(t.LeadKind),
    "clears_when": SENTENCES,
    "calendar": {"MONDAY_TO_FRIDAY": WEEKDAYS_WORDS},
    "delivers": _first(t.Delivers),
    "field": _columns() | FIELDS,
    **TOLD,
    "pool_status": {status.value: label for status, label in POOL_STATUS_LABELS.items()},
    "pool_move": {move.value: row.label for move, row in (REQUEST_MOVES | SLOT_MOVES).items()},
    "kind": {kind.value: row.label for kind, row in KINDS.items()},
    "source": {source.value: label for source, label in SOURCE_LABELS.items()},
    "purpose": DEFINITIONS["pool_purposes"].default,
    "badge": {"SOON": "预", "OVER": "超"},
    "suggestion": SUGGESTIONS,
    "bound": {"BORROW_LIMIT": "借用上限", "FLOOR": "余粮下限"},
    "column": COLUMNS,
    "supposition": SUPPOSITIONS,
    "remedy_kind": REMEDY_KINDS,
    "certificate_state": {state.value: label for state, label in CERTIFICATE_STATES.items()},
    "certificate_due": {due.value: label for due, label in CERTIFICATE_DUE.items()},
    "certificate_event": CERTIFICATE_EVENTS,
    "certificate_field": CERTIFICATE_FIELDS,
    "certificate_check": CHECK_RESULTS,
    "verified": {verdict.value: label for verdict, label in VERIFIED.items()},
    "verified_says": {verdict.value: sentence for verdict, sentence in EXPLAINED.items()},
    "staff_status": {status.value: label for status, label in STAFF_STATUS_LABELS.items()},
    "staff_move": {str(move): label for move, label in STAFF_MOVES.items()},
    "staff_subject": {str(subject): label for subject, label in STAFF_SUBJECTS.items()},
    "staff_figure": STAFF_FIGURES,
    "staff_moment": STAFF_MOMENTS,
    "staff_source": STAFF_SOURCES,
    "staff_check": {name: name for name in CHECKS},
    "staff_notice": KIND_LABELS,
    "staff_notice_status": NOTICE_STATUS_LABELS,
    "staff_receiver": RECEIVER_LABELS,
    "staff_block": BLOCK_WORDS,
    "reorganisation": {
        "REPARENT": "调整隶属",
        "MERGE": "并入",
        "SPLIT": "分设",
        "RENAME": "更名",
        "ABOLISH": "撤销",
    },
    "difference": {kind.value: label for kind, label in own_difference.KIND_LABELS.items()},
    "difference_to_do": {kind.value: sentence for kind, sentence in own_difference.TO_DO.items()},
    "work_kind": {kind.value: label for kind, label in WORK_LABELS.items()},
    "agrees": {"yes": "同意", "no": "不同意"},
    "remedy": {code.value: remedy for code, remedy in REMEDIES.items()},
    "tip_kind": {kind.value: label for kind, label in tipoff_life.KIND_LABELS.items()},
    "tip_status": {status.value: label for status, label in tipoff_life.STATUS_LABELS.items()},
    "tip_outcome": {outcome.value: label for outcome, label in tipoff_life.OUTCOME_LABELS.items()},
    "tip_move": {move.value: row.label for move, row in tipoff_life.TURNS.items()},
    "report_status": {status.value: label for status, label in situation.STATUS_LABELS.items()},
    "figure": FIGURES,
    "id_type": ID_TYPES,
    "notice_status": {status.value: label for status, label in worklist_life.NOTICE_LABELS.items()},
    "referral_status": {status.value: label for status, label in worklist_life.REFERRAL_LABELS.items()},
    "office": {office.value: label for office, label in worklist_life.OFFICE_LABELS.items()},
    "gap": {gap.value: label for gap, label in duties_check.GAP_LABELS.items()},
    "item_kind": {kind.value: label for kind, label in duty_files.ITEM_LABELS.items()},
    "duty_file": {kind.value: label for kind, label in duty_files.FILE_LABELS.items()},
    "duty_part": {part.value: label for part, label in duty_files.PART_LABELS.items()},
    "measure_served": {measure.value: label for measure, label in MEASURE_LABELS.items()},
    "rounding": {rounding.value: label for rounding, label in ROUNDING_LABELS.items()},
    "task_status": {status.value: label for status, label in reform_life.TASK_LABELS.items()},
    "task_move": {move.value: row.label for move, row in reform_life.TASK_TURNS.items()},
    "task_why": reform_life.TASK_SENTENCES,
    "work_step": {
        step.value: row.label for step, row in (worklist_life.NOTICE_STEPS | worklist_life.REFERRAL_STEPS).items()
    },
}
# Which vocabularies a rule's expected and found draw on, the nearest first.
OF_RULE = {
    "Q03": ("post_type", "unit_kind"),
    "Q04": ("leader_tier",),
    "Q06": ("reason",),
    "Q07": ("copy",),
    "F02": ("cause",),
    "F03": ("cause",),
    "F06": ("lead",),
    "F07": ("fund_form",),
    "D02": ("reason",),
    "D05": ("measure", "post_type", "fund_form"),
    "D07": ("reason", "person_status"),
    "P06": ("entry_form",),
    "P07": ("level", "fund_form"),
}
# Sentences in explanations that rules write in English.
SAID = {"entered before the gate": "开闸之前已在编"}
_TOKEN = re.compile(r"\b[A-Z][A-Z_]{2,}\b")


def word(vocabulary: str, identifier: object) -> str:
    """The label of an identifier in the reader's language; an unknown one is shown as it is, a blank as a dash."""
    if identifier is None or identifier == "":
        return "—"
    label = VOCABULARIES[vocabulary].get(str(identifier))
    return _(label) if label else str(identifier)


def spelled(text: object, rule: str) -> str:
    """A finding's expected or found with its identifiers replaced by words; a blank is a dash."""
    if text in (None, "", "-"):
        return "—"
    vocabularies = OF_RULE.get(rule, ("cause", "reason", "fund_form", "post_type"))

    def label(match: re.Match[str]) -> str:
        for name in vocabularies:
            if match[0] in VOCABULARIES[name]:
                return _(VOCABULARIES[name][match[0]])
        return match[0]

    joint = "; " if language_tag() == "en" else "；"
    return _TOKEN.sub(label, str(text)).replace("=", " ").replace(";", joint)


def messages() -> set[str]:
    """Every source string shown through these tables, for the catalogues' completeness test."""
    labels = {label for vocabulary in VOCABULARIES.values() for label in vocabulary.values()}
    labels |= {*POOL_MOVE_SENTENCES.values(), *POOL_SENTENCES.values(), *BORDER_SENTENCES.values(), *LACKING.values()}
    labels |= {*USE_SENTENCES.values(), *FLOW_SENTENCES.values()} - {"{flow}"}
    labels |= {*tipoff_life.SENTENCES.values(), *worklist_life.SENTENCES.values(), own_record.REFUSED}
    labels |= {tipoffs.NO_CASE, tipoffs.NOT_HERE, situation.NOT_HERE, worklists.NOT_HERE}
    labels |= {row.label for row in situation.REPORT_TURNS.values()}
    labels |= {*duties_check.SENTENCES.values(), *(each.label for held in duty_files.COLUMNS.values() for each in held)}
    return labels | set(MOVE_SENTENCES.values()) | {rule.basis for rule in RULES.values()} | set(SAID.values())
