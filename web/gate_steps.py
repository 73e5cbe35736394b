"""The steps of the gate as its pages offer them: the deeds of `staffing.acts` with labels, by what they are taken on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, g
from werkzeug.datastructures import MultiDict

from core.errors import InputRejected, NotFound
from core.permissions import Permission, may
from core.types import EntryForm, FundForm, IdType, LeaderTier, Level, PostType, WorkKind
from pool.acting import Act, Receipt
from pool.acts import Deed
from pool.lists import unit_nodes
from pool.models import PoolNode
from staffing.acts import DEEDS, MOVES, permission_of
from staffing.chain import CHAIN, Move, Subject
from staffing.lists import NextMove, next_moves
from staffing.store import Row, place_of, roles_at
from web.moves import Field
from web.pool_access import view_scope


@dataclass(frozen=True)
class Choice(Field):
    """A field chosen from a vocabulary. words: the vocabulary's name in `web.words`."""

    options: tuple[str, ...] = ()
    words: str = ""


def _choice(name: str, label: str, options, words: str) -> Choice:
    return Choice(name, label, "choice", options=tuple(str(option) for option in options), words=words)


FIELDS: dict[str, Field] = {each.name: each for each in (
    Field("note", "意见", "text"), Field("reason", "理由", "text"), Field("opinion", "沟通意见", "text"),
    Field("document_no", "依据文号", "line"), Field("yearly_cost", "年度经费（元）", "number", hint="不填即按申请所列。"),
    _choice("agrees", "是否同意", ("yes", "no"), "agrees"),
    Field("leader_posts", "该层次领导职数", "number", hint="配备领导职务时填写。"), Field("leaders", "现有人数", "number"),
    Field("planned", "预计减编日期", "date", hint="不在编的首日。"), Field("exit_date", "减编日期", "date", hint="不在编的首日；不填即今天。"),
    Field("month", "起薪月份", "month"), Field("effective", "生效日期", "date", hint="不填即今天。"),
    Field("central_no", "中央编办批准文号", "line", hint="行政、政法专项编制跨层级划转时填写。"),
    Field("waiver_no", "豁免文号", "line", hint="逆向流动时填写。"), Field("unit_code", "单位编码", "line"),
 Field("slot_nos", "用编序号", "line", hint="几个序号之间用空格或逗号隔开。"),
    Field("slot_no", "用编序号", "line", hint="不填即通知单上第一个未用的序号。"), Field("permit_no", "用编通知单号", "line"),
    Field("identity", "证件号", "line"), _choice("id_type", "证件类型", IdType, "id_type"),
    Field("entry_date", "入编日期", "date", hint="不填即今天。"), Field("number", "豁免文号", "line"),
    Field("valid_until", "有效期至", "date"), Field("valid_from", "自", "date", hint="不填即今天。"),
    Field("posts", "用编数", "number"), Field("from_unit", "原单位", "line", hint="调入的，按申请填写；与申请不同时在此写明。"),
    _choice("post_type", "编制类型", PostType, "post_type"), _choice("fund_form", "经费形式", FundForm, "fund_form"),
    _choice("entry_form", "增人方式", EntryForm, "entry_form"), _choice("work_kind", "岗位类别", WorkKind, "work_kind"),
    _choice("leader_tier", "领导职务层次", LeaderTier, "leader_tier"), _choice("from_level", "原层级", Level, "level"),
    _choice("from_fund_form", "原经费形式", FundForm, "fund_form"),
)}  # fmt: skip
# What is called otherwise on one deed's form.
RENAMED: dict[tuple[str, str], Field] = {
    ("consult", "reason"): Field("reason", "增人理由", "text"),
    ("exit", "reason"): Field("reason", "减编原因", "line", hint="退休、调出、辞职、辞退、死亡等。"),
    ("exit-person", "reason"): Field("reason", "减编原因", "line", hint="退休、调出、辞职、辞退、死亡等。"),
    ("announce", "reason"): Field("reason", "减编原因", "line", hint="退休、调出、辞职、辞退、死亡等。"),
    ("plan-pass", "document_no"): Field("document_no", "编委通过文号", "line"),
    ("carry", "unit_code"): Field("unit_code", "划入单位编码", "line"),
}  # fmt: skip
# Deeds by the word they have in addresses, by subject.
STEPS: dict[Subject, dict[str, str]] = {
    Subject.PLAN: {
        "review": "plan-review", "pass": "plan-pass", "refuse": "plan-refuse", "withdraw": "plan-withdraw",
    },
    Subject.CONSULTATION: {"opinion": "opinion"},
    Subject.APPLICATION: {name: name for name in (
        "submit", "confirm-cost", "review", "grant", "refuse", "withdraw", "revoke",
    )},
    Subject.SLOT: {name: name for name in (
        "papers", "pay", "announce", "recant", "exit", "undo-exit", "cancel",
    )},
}  # fmt: skip
KEYS = {Subject.PLAN: "number", Subject.CONSULTATION: "number", Subject.APPLICATION: "number", Subject.SLOT: "slot_no"}


def field_of(deed: Deed, name: str) -> Field:
    """The field of a deed's argument, required as the deed has it."""
    argument = next(each for each in deed.arguments if each.name == name)
    found = RENAMED.get((deed.name, name)) or FIELDS[name]
    return type(found)(**vars(found) | {"required": argument.required})


def read_form(deed: Deed, form: MultiDict, known: Mapping[str, object] | None = None) -> dict[str, Any]:
    """Values of a deed from a form; known: what the address said. Errors: InputRejected with `field`."""
    values: dict[str, Any] = dict(known or {})
    for argument in deed.arguments:
        text = " ".join(form.getlist(argument.name)).strip()
        if argument.name in values:
            continue
        if text and argument.many:
            parts = text.replace("，", " ").replace("、", " ").replace(",", " ").split()
            values[argument.name] = [_read(argument, part) for part in parts]
        elif text:
            values[argument.name] = _read(argument, text)
        elif argument.required:
            raise InputRejected("还有必填项没有填写。", field=argument.name)
    return values


def _read(argument, text: str) -> object:
    try:
        return argument.read(text)
    except InputRejected as error:
        raise InputRejected(error.message, field=argument.name) from None


def do_deed(act: Act, name: str, values: Mapping[str, Any]) -> Receipt:
    """One act of the gate in this request's transaction. Errors: NotFound for an unknown one; the use-case's own."""
    deed = DEEDS.get(name)
    if deed is None:
        raise NotFound("没有这一种办理。")
    return deed.call(g.db, act, dict(values), current_app.config["SETTINGS"].person_key)


@dataclass(frozen=True)
class Offered:
    """A step on a page: its word in the address (None: another page does it), its move, fields, and why not now."""

    step: str | None
    move: Move
    label: str
    fields: tuple[Field, ...]
    allowed: bool
    why: str


def offers(act: Act, subject: Subject, row: Row) -> list[Offered]:
    """Steps that a role of this person ever takes on a row in its status, possible ones first."""
    roles = roles_at(act, place_of(g.db, row))
    found = []
    for each in next_moves(g.db, act, subject, row):
        if may(roles, CHAIN[each.move].permission):
            found += _offered(subject, each)
    return sorted(found, key=lambda offer: not offer.allowed)


def _offered(subject: Subject, each: NextMove) -> list[Offered]:
    if each.move is Move.OBJECT:
        return []  # one form says whether the office agrees
    name = "opinion" if each.move is Move.AGREE else _name_of(subject, each.move)
    label = "沟通意见" if name == "opinion" else each.label
    if name is None:
        return [Offered(None, each.move, label, (), each.allowed, each.sentence)]
    deed = DEEDS[STEPS[subject][name]]
    named = [argument.name for argument in deed.arguments if argument.name not in (KEYS[subject], "passed")]
    fields = tuple(field_of(deed, each_name) for each_name in named)
    return [Offered(name, each.move, label, fields, each.allowed, each.sentence)]


def _name_of(subject: Subject, move: Move) -> str | None:
    return next((step for step, deed in STEPS[subject].items() if MOVES.get(deed) is move), None)


def begins(act: Act, name: str) -> bool:
    """Whether a role of this person ever makes the deed."""
    return act.scope.may(permission_of(name))


def units_for(permission: Permission, most: int = 100) -> list[PoolNode]:
    """Units at which this person has a permission; none when they are more than fit into a list."""
    scope = view_scope()
    nodes, total = unit_nodes(g.db, scope, most)
    if total > most:
        return []
    return [node for node in nodes if may(scope.roles_for(node.unit_code, node.division_code), permission)]
