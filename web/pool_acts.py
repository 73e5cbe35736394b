"""The acts by document as pages ask for them: which of `pool.acts.DEEDS`, by whose permission, and the Chinese name of
each of their arguments. What arguments there are, and how each is read, stands in that table alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _

from core.errors import InputRejected
from core.permissions import Permission as P
from pool.acts import DEEDS, Argument, Deed, Values
from pool.ledger import KINDS, Kind
from web.i18n import translate


@dataclass(frozen=True)
class Asked:
    """How a page asks for an argument. kind: node, division, date, number, limit, line, or a vocabulary of web.words."""

    label: str
    kind: str = "line"
    hint: str = ""


# The effective date is never left to chance on paper: pages ask for it, with today filled in.
REQUIRED = ("effective",)
NODE_HINT = "单位写编码；各级节点写“级别:区划”，如 COUNTY:370102。"
UNLIMITED = "不限"
ASKED: dict[str, Asked] = {
    "holder": Asked("单位或节点", "node", NODE_HINT),
    "giver": Asked("划出单位", "node", NODE_HINT),
    "taker": Asked("划入单位", "node", NODE_HINT),
    "pool_node": Asked("周转池所在节点", "division"),
    "node_id": Asked("单位或节点", "node", NODE_HINT),
    "parent_id": Asked("新的上级节点", "division"),
    "into_id": Asked("并入单位", "node", NODE_HINT),
    "post_type": Asked("编制类型", "post_type"),
    "fund_form": Asked("经费形式", "fund_form"),
    "to_type": Asked("转换后的编制类型", "post_type"),
    "to_form": Asked("转换后的经费形式", "fund_form"),
    "purpose": Asked("用途", "purpose"),
    "source": Asked("来源", "source"),
    "posts": Asked("编制数", "number"),
    "people": Asked("其中带人划转", "number", "编制连同在编人员一起划转的人数。"),
    "lot_no": Asked("批号", "number", "入池那一笔的笔号，见账本。"),
    "seq": Asked("笔号", "number", "要冲正的那一笔，见账本。"),
    "lend": Asked("出借上限", "limit", "数字，或者“不限”。单位的出借上限就是它存入的编制，写“不限”。"),
    "borrow": Asked("借用上限", "limit", "数字，或者“不限”。"),
    "floor": Asked("余粮下限", "number", "只在最上一级节点设置。"),
    "lender": Asked("出借单位或节点", "node", NODE_HINT),
    "borrower": Asked("借入单位", "node", NODE_HINT),
    "document_no": Asked("文号"),
    "central_no": Asked("中央编办批准文号", hint="行政、政法专项编制跨层级划转、入池、并入时填写。"),
    "effective": Asked("生效日期", "date"),
    "unit_code": Asked("单位编码"),
    "name": Asked("新名称"),
    "on": Asked("启用日期", "date", "自这一天起，台账、许可、入编、减编以本系统的登记为准。"),
}
DELEGATION: dict[str, Asked] = {
    "taker": Asked("受托人账号"),
    "valid_from": Asked("自", "date"),
    "valid_to": Asked("至（含当日）", "date"),
}


@dataclass(frozen=True)
class Form:
    """One act as a page. about: what it does, in a sentence."""

    deed: Deed
    label: str
    permission: P
    about: str


@dataclass(frozen=True)
class FormField:
    """One thing to fill in, with what was typed."""

    name: str
    asked: Asked
    required: bool
    typed: str


def _form(name: str, label: str, permission: P, about: str) -> tuple[str, Form]:
    return name, Form(DEEDS[name], label, permission, about)


FORMS: dict[str, Form] = dict(
    (
        _form("grant", KINDS[Kind.GRANT].label, P.MOVE_POSTS, "凭文件给单位或节点增加编制。"),
        _form("cut", KINDS[Kind.CUT].label, P.MOVE_POSTS, "凭文件核减编制；减到在用数以下即形成超编，只能逐步消化。"),
        _form("transfer", KINDS[Kind.TRANSFER].label, P.MOVE_POSTS, "编制的所有权由一个单位划到另一个单位；不是借用。"),
        _form("convert", KINDS[Kind.CONVERSION].label, P.CONVERT_POSTS, "空编改为另一种编制类型或经费形式。"),
        _form("deposit", KINDS[Kind.DEPOSIT].label, P.MOVE_POSTS, "编制存入某一级的周转池，须写明来源和用途。"),
        _form("withdraw", KINDS[Kind.WITHDRAW].label, P.MOVE_POSTS, "某一批闲置的周转编制退回原主。"),
        _form("limits", "限额", P.SET_LIMITS, "一个节点至多借出、借入多少，最上一级须留多少余粮。"),
        _form("reparent", "调整隶属", P.REORGANISE, "一个节点连同下级改挂到另一节点之下。"),
        _form("merge", "并入", P.REORGANISE, "一个单位连同编制和人员并入另一个单位，然后撤销。"),
        _form("abolish", "撤销", P.REORGANISE, "撤销没有编制、没有借用、没有下级的单位或节点。"),
        _form("rename", "更名", P.REORGANISE, "一个单位凭文件改用新名称，编制和人员不动，管理证随即换发。"),
        _form("switch", "启用用编登记", P.REORGANISE, "一个单位自某日起以本系统的账和用编登记为准；须先建账。"),
        _form(
            "reverse",
            KINDS[Kind.REVERSE].label,
            P.REVERSE_MOVEMENT,
            "记错的一笔整笔反向记回；后来有账以它为依据的，不能冲正。",
        ),
    )
)
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("编制变动", ("grant", "cut", "transfer", "convert")),
    ("周转池进出", ("deposit", "withdraw", "limits")),
    ("机构调整", ("reparent", "merge", "rename", "abolish")),
    ("用编登记", ("switch",)),
    ("更正", ("reverse",)),
)


def fields_of(deed: Deed, typed: Mapping[str, str], asked: Mapping[str, Asked] = ASKED) -> list[FormField]:
    """The arguments of an act in their order."""
    return [
        FormField(each.name, asked[each.name], _required(each), typed.get(each.name, "")) for each in deed.arguments
    ]


def typed_of(deed: Deed, given: Mapping[str, str]) -> dict[str, str]:
    """What was typed for the arguments of an act, and nothing else."""
    return {name: given.get(name, "").strip() for name in deed.names}


def read_typed(deed: Deed, typed: Mapping[str, str], asked: Mapping[str, Asked] = ASKED) -> Values:
    """Values for the use-case. Errors: InputRejected, naming the field as the page does."""
    values: Values = {}
    for each in deed.arguments:
        text, label = typed.get(each.name, ""), _(asked[each.name].label)
        if not text and _required(each):
            raise InputRejected(_("请填写“%(label)s”。", label=label), field=each.name)
        if text:
            values[each.name] = _read(each, text, label)
    return values


def _required(argument: Argument) -> bool:
    return argument.required or argument.name in REQUIRED


def _read(argument: Argument, text: str, label: str) -> object:
    try:
        return argument.read("unlimited" if text == UNLIMITED else text)
    except InputRejected as error:
        said = translate(error.message)
        raise InputRejected(said if said.startswith(label) else f"{label}：{said}", field=argument.name) from None
