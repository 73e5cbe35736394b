"""The moves on a flag as both doors offer them: name in the address, what must be filled in, the use-case called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from core.errors import InputRejected, NotFound
from core.permissions import Scope
from reconcile import flags
from reconcile.flags import Act
from reconcile.lifecycle import Move
from reconcile.models import Flag

Values = Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """One thing to fill in. `kind`: text, line, date, number or check."""

    name: str
    label: str
    kind: str
    required: bool = True
    hint: str = ""


@dataclass(frozen=True)
class Door:
    """One move. `name` is its word in addresses."""

    name: str
    move: Move
    fields: tuple[Field, ...]
    call: Callable[[Session, str, Act, Values], Flag]


_NOTE = Field("note", "备注", "text", required=False)
_REASON = Field("reason", "理由", "text")

DOORS: dict[str, Door] = {
    door.name: door
    for door in (
        Door("acknowledge", Move.ACKNOWLEDGE, (_NOTE,),
             lambda db, key, act, v: flags.acknowledge_flag(db, key, act, v["note"] or None)),
        Door("explain", Move.EXPLAIN,
             (_REASON, Field("evidence", "依据", "line", hint="文号或材料名称"),
              Field("until", "有效期至", "date", hint="到期后重新打开")),
             lambda db, key, act, v: flags.explain_flag(
                 db, key, act, reason=v["reason"], evidence=v["evidence"], until=_day(v["until"]))),
        Door("confirm", Move.CONFIRM, (_NOTE,),
             lambda db, key, act, v: flags.confirm_explanation(db, key, act, v["note"] or None)),
        Door("reject", Move.REJECT_EXPLANATION, (_REASON,),
             lambda db, key, act, v: flags.reject_explanation(db, key, act, reason=v["reason"])),
        Door("rectify", Move.START_RECTIFYING,
             (Field("reason", "整改要求", "text"), Field("deadline", "整改期限", "date")),
             lambda db, key, act, v: flags.start_rectifying(
                 db, key, act, reason=v["reason"], deadline=_day(v["deadline"]))),
        Door("refer", Move.REFER,
             (Field("to", "移送单位", "line", hint="纪检监察、审计、组织或人社部门"), _REASON),
             lambda db, key, act, v: flags.refer_flag(db, key, act, to=v["to"], reason=v["reason"])),
        Door("close", Move.CLOSE_BY_DECISION, (_REASON,),
             lambda db, key, act, v: flags.close_flag(db, key, act, reason=v["reason"])),
    )
}  # fmt: skip


def make_move(db: Session, scope: Scope, key: str, name: str, version: int, values: Values, now: datetime) -> Flag:
    """Do it. Errors: NotFound for an unknown move or an unseen flag; InputRejected; the use-case's own."""
    door = DOORS.get(name)
    if door is None:
        raise NotFound("没有这一种办理。")
    given = {field.name: str(values.get(field.name) or "").strip() for field in door.fields}
    for field in door.fields:
        if field.required and not given[field.name]:
            raise InputRejected("还有必填项没有填写。", field=field.name)
    return door.call(db, key, Act(scope, version, now), given)


def _day(text: str) -> date:
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise InputRejected("日期须写成 YYYY-MM-DD。") from None
