"""The forms of the gate as PDF: plain frozen values in, bytes out. Same input, same bytes (DOMAIN §6).

编制使用审批表 `approval_form` · 用编通知单 `use_notice` · 入编通知单 `entry_notice` · 减编通知单 `exit_notice` ·
核定编制通知单 `quota_notice`. Persons are masked unless the reader may see identities. Unknown figures are dashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from core.identity import mask_id, mask_name, normalise_id
from staffing.labels import ENTRY_FORMS, FUND_FORMS, POST_TYPES, UNIT_KINDS, chinese_day, chinese_month
from staffing.typeset import pdf_of

Row = list[dict[str, Any]]


@dataclass(frozen=True)
class Place:
    """A unit and the cell the paper is about. Identifiers of core.types; rank as the register has it."""

    unit_code: str
    unit_name: str
    unit_kind: str
    post_type: str
    fund_form: str
    org_rank: str | None = None


@dataclass(frozen=True)
class CellFigures:
    """Figures of the cell at that moment, in posts; None = unknown."""

    on: date
    quota: int | None
    borrowed: int | None
    lent: int | None
    in_post: int | None
    open_permits: int | None
    reserved: int | None
    usable: int | None


@dataclass(frozen=True)
class Opinion:
    """What an office said. who: the box's label; name: who sealed or signed; signed: a signature, else a seal."""

    who: str
    text: str = ""
    name: str = ""
    on: date | None = None
    signed: bool = False


@dataclass(frozen=True)
class Person:
    """A person on a paper, in full; the form masks name and number unless told not to."""

    name: str
    identity: str


@dataclass(frozen=True)
class ApprovalForm:
    """编制使用审批表: an application with the figures of that moment, and what each office said of it.

    entry_form: way the post is to be filled (core.types.EntryForm). coming_exit: for a full unit, the exit the permit is
    bound to, in words without a name. yearly_cost: yuan. valid_until, slot_numbers: known once granted.
    """

    number: str
    office: str
    place: Place
    figures: CellFigures
    posts: int
    entry_form: str
    source: str
    purpose: str
    applied_on: date
    opinions: tuple[Opinion, ...]
    yearly_cost: int | None = None
    cost_confirmed: str = ""
    coming_exit: str = ""
    consultation: str = ""
    permit_no: str = ""
    slot_numbers: tuple[str, ...] = ()
    valid_until: date | None = None


@dataclass(frozen=True)
class UseNotice:
    """用编通知单: a granted permit. valid_until: its last good day. signed_by: the commission director."""

    notice_no: str
    office: str
    place: Place
    posts: int
    slot_numbers: tuple[str, ...]
    entry_form: str
    source: str
    purpose: str
    application_no: str
    approved_on: date
    signed_by: str
    valid_until: date
    yearly_cost: int | None = None
    coming_exit: str = ""


@dataclass(frozen=True)
class EntryNotice:
    """入编通知单: a person bound to a slot. To personnel, finance and medical insurance."""

    notice_no: str
    office: str
    place: Place
    person: Person
    slot_no: str
    permit_no: str
    entry_form: str
    entry_date: date
    registered_on: date
    first_paid_month: date
    recipients: tuple[str, ...] = ("人力资源社会保障部门", "财政部门", "医疗保障部门")
    from_unit: str = ""
    waiver_no: str = ""


@dataclass(frozen=True)
class ExitNotice:
    """减编通知单: exit_date = first day no longer in post; first_unpaid_month = first month without pay."""

    notice_no: str
    office: str
    place: Place
    person: Person
    slot_no: str
    reason: str
    exit_date: date
    registered_on: date
    first_unpaid_month: date
    recipients: tuple[str, ...] = ("人力资源社会保障部门", "财政部门", "医疗保障部门")


@dataclass(frozen=True)
class QuotaLine:
    """A unit's cell before and after a change of quota."""

    unit_name: str
    unit_code: str
    post_type: str
    fund_form: str
    before: int
    after: int


@dataclass(frozen=True)
class QuotaNotice:
    """核定编制通知单: a change of approved quota by a document. kind: in words, 核定、核减、划转."""

    notice_no: str
    office: str
    kind: str
    lines: tuple[QuotaLine, ...]
    document_no: str
    document_date: date | None
    effective: date
    booked_on: date
    document_title: str = ""


def approval_form(form: ApprovalForm) -> bytes:
    """编制使用审批表 as PDF."""
    now = form.figures
    rows = [
        *_place(form.place),
        _pair("申请用编数", _posts(form.posts), "申请日期", _day(form.applied_on)),
        _pair("进入方式", ENTRY_FORMS[form.entry_form], "人员来源", form.source or "—"),
        _wide("用　　途", form.purpose or "—"),
        _wide(
            "年度经费", _cost(form.yearly_cost) + (f"　财政确认：{form.cost_confirmed}" if form.cost_confirmed else "")
        ),
        *([_wide("出一进一", form.coming_exit)] if form.coming_exit else []),
        *([_wide("事先沟通", form.consultation)] if form.consultation else []),
    ]
    if form.permit_no or form.slot_numbers or form.valid_until:
        rows += [
            _pair("用编通知单号", form.permit_no or "—", "有效期至", _day(form.valid_until)),
            _slots(form.slot_numbers),
        ]
    table = {
        "title": f"编制情况（{_day(now.on)}）", "columns": [1] * 7, "numbers": list(range(7)),
        "head": ["编制数", "周转借入", "周转借出", "在编", "用编在办", "其他预留", "可用"],
        "rows": [[_count(value) for value in (
            now.quota, now.borrowed, now.lent, now.in_post, now.open_permits, now.reserved, now.usable
        )]],
    }  # fmt: skip
    return _sheet(
        "编制使用审批表", form.number, form.office, rows, form.applied_on, tables=[table],
        opinions=[_opinion(each) for each in form.opinions], seal=False,
        notes=["可用 = 编制数 + 周转借入 − 入池 − 在编 − 用编在办 − 其他预留。", "本表经编委主任签批后方可用编；未经批准不得进人。"],
    )  # fmt: skip


def use_notice(notice: UseNotice) -> bytes:
    """用编通知单 as PDF."""
    rows = [
        *_place(notice.place),
        _pair("核准用编数", _posts(notice.posts), "审批表编号", notice.application_no),
        _slots(notice.slot_numbers),
        _pair("进入方式", ENTRY_FORMS[notice.entry_form], "人员来源", notice.source or "—"),
        _pair("用　　途", notice.purpose or "—", "年度经费", _cost(notice.yearly_cost)),
        _pair("批准日期", _day(notice.approved_on), "有效期至", _day(notice.valid_until)),
        _pair("签 批 人", notice.signed_by, "发文机关", notice.office),
        *([_wide("出一进一", notice.coming_exit)] if notice.coming_exit else []),
    ]
    notes = ["请在有效期内按核准的类型、经费形式和进入方式办理，一个用编序号只用一次；逾期未用，本通知单自行失效。"]
    if notice.coming_exit:
        notes.append("本通知单须在所列人员出编之后方可执行；出编被撤销的，本通知单同时失效。")
    return _sheet(
        "用编通知单", notice.notice_no, notice.office, rows, notice.approved_on, to=f"{notice.place.unit_name}：",
        notes=notes,
    )  # fmt: skip


def entry_notice(notice: EntryNotice, *, sees_identity: bool) -> bytes:
    """入编通知单 as PDF. sees_identity: the reader has the permission SEE_IDENTITY; else name and number are masked."""
    name, number = _person(notice.person, sees_identity)
    rows = [
        *_place(notice.place),
        _pair("姓　　名", name, "证件号码", number),
        _pair("用编序号", notice.slot_no, "用编通知单号", notice.permit_no),
        _pair("进入方式", ENTRY_FORMS[notice.entry_form], "原 单 位", notice.from_unit or "—"),
        _pair("入编日期", _day(notice.entry_date), "登记日期", _day(notice.registered_on)),
        _pair("起薪月份", _month(notice.first_paid_month), "豁免文号", notice.waiver_no or "—"),
    ]
    return _sheet(
        "入编通知单", notice.notice_no, notice.office, rows, notice.registered_on, to=_to(notice.recipients),
        notes=["请凭本通知单办理人事、工资和医疗保险手续；与本单不符的，请退回核对。"],
    )  # fmt: skip


def exit_notice(notice: ExitNotice, *, sees_identity: bool) -> bytes:
    """减编通知单 as PDF. sees_identity: as for `entry_notice`."""
    name, number = _person(notice.person, sees_identity)
    rows = [
        *_place(notice.place),
        _pair("姓　　名", name, "证件号码", number),
        _pair("用编序号", f"{notice.slot_no}（注销）", "减编原因", notice.reason),
        _pair("出编日期", _day(notice.exit_date), "登记日期", _day(notice.registered_on)),
        _wide("停发月份", f"自{_month(notice.first_unpaid_month)}起不再发放工资"),
    ]
    return _sheet(
        "减编通知单", notice.notice_no, notice.office, rows, notice.registered_on, to=_to(notice.recipients),
        notes=["自出编日期当日起不在编。出编日期为 1 日的，自当月停发；其他日期自次月停发。用编序号注销后不再使用。"],
    )  # fmt: skip


def quota_notice(notice: QuotaNotice) -> bytes:
    """核定编制通知单 as PDF."""
    rows = [
        _pair("事　　项", notice.kind, "生效日期", _day(notice.effective)),
        _pair("依据文号", notice.document_no, "文件日期", _day(notice.document_date)),
        *([_wide("文件标题", notice.document_title)] if notice.document_title else []),
    ]
    table = {
        "title": "编制变动", "columns": [3, 2, 2, 1, 1, 1], "numbers": [3, 4, 5],
        "head": ["单位", "编制类型", "经费形式", "原核定", "增减", "现核定"],
        "rows": [
            [f"{line.unit_name}　{line.unit_code}", POST_TYPES[line.post_type], FUND_FORMS[line.fund_form],
             str(line.before), f"{line.after - line.before:+d}", str(line.after)]
            for line in notice.lines
        ],
    }  # fmt: skip
    names = list(dict.fromkeys(line.unit_name for line in notice.lines))
    return _sheet(
        "核定编制通知单", notice.notice_no, notice.office, rows, notice.booked_on, tables=[table], to="、".join(names) + "：",
        notes=["现核定数自生效日期起执行；机构编制管理证随之换发，原证作废。"],
    )  # fmt: skip


def _sheet(
    title: str, number: str, office: str, rows: Sequence[Row], on: date, *, to: str = "", notes: Sequence[str] = (),
    tables: Sequence[dict[str, Any]] = (), opinions: Sequence[dict[str, Any]] = (), seal: bool = True,
) -> bytes:  # fmt: skip
    data = {
        "title": title, "subtitle": "", "number": number, "office": office, "to": to, "rows": list(rows),
        "tables": list(tables), "opinions": list(opinions), "notes": list(notes), "seal": seal, "day": _day(on),
    }  # fmt: skip
    return pdf_of("sheet", data, datetime(on.year, on.month, on.day, tzinfo=UTC))


def _label(text: str) -> dict[str, Any]:
    return {"label": text, "span": 1}


def _pair(label: str, value: str, other: str, other_value: str) -> Row:
    return [_label(label), {"text": value, "span": 1}, _label(other), {"text": other_value, "span": 1}]


def _wide(label: str, value: str) -> Row:
    return [_label(label), {"text": value, "span": 3}]


def _slots(numbers: Sequence[str]) -> Row:
    return [_label("用编序号"), {"lines": ["、".join(numbers) or "—"], "span": 3}]


def _place(place: Place) -> list[Row]:
    kind = UNIT_KINDS[place.unit_kind] + (f"　{place.org_rank}" if place.org_rank else "")
    return [
        _pair("单位名称", place.unit_name, "机构编码", place.unit_code),
        _pair("机构类别", kind, "编制类型", f"{POST_TYPES[place.post_type]}　{FUND_FORMS[place.fund_form]}"),
    ]


def _opinion(opinion: Opinion) -> dict[str, Any]:
    return {
        "who": opinion.who, "text": opinion.text or "　", "name": opinion.name or "　　　　　　", "height": 12,
        "hand": "签字" if opinion.signed else "（盖章）", "day": _day(opinion.on) if opinion.on else "　　年　　月　　日",
    }  # fmt: skip


def _person(person: Person, sees_identity: bool) -> tuple[str, str]:
    if sees_identity:
        return person.name, person.identity
    return mask_name(person.name), mask_id(normalise_id(person.identity))


def _to(recipients: Sequence[str]) -> str:
    return "、".join(recipients) + "："


def _day(day: date | None) -> str:
    return chinese_day(day.isoformat() if day else None)


def _month(day: date) -> str:
    return chinese_month(day.isoformat())


def _posts(posts: int) -> str:
    return f"{posts} 名"


def _count(value: int | None) -> str:
    return "—" if value is None else str(value)


def _cost(yuan: int | None) -> str:
    return "—" if yuan is None else f"{yuan:,} 元"
