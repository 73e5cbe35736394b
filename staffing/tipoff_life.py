"""A tip-off's life: the one table of its moves and who may make each (DOMAIN §6). Pure.

`RECEIVED → TAKEN ⇄ ASKED → ANSWERED → CLOSED`; a case given back is RECEIVED again and waits for another hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import Forbidden, Refused
from core.permissions import ALLOWED, Permission

SENDER = "sender"


class TipOffKind(StrEnum):
    """What is reported."""

    GHOST_PAY = "GHOST_PAY"
    OVER_QUOTA = "OVER_QUOTA"
    MIXED_USE = "MIXED_USE"
    LEADERS = "LEADERS"
    PRIVATE_BODY = "PRIVATE_BODY"
    ENTRY = "ENTRY"
    FALSE_FIGURES = "FALSE_FIGURES"
    OTHER = "OTHER"


class TipOffStatus(StrEnum):
    """Where a case stands."""

    RECEIVED = "RECEIVED"
    TAKEN = "TAKEN"
    ASKED = "ASKED"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"


class Outcome(StrEnum):
    """How a case ended."""

    CONFIRMED = "CONFIRMED"
    PARTLY = "PARTLY"
    UNFOUNDED = "UNFOUNDED"
    NOT_OURS = "NOT_OURS"
    REFERRED = "REFERRED"


class TipOffMove(StrEnum):
    """Every step a case can take; SEND and REPLY by whoever sent it."""

    SEND = "SEND"
    TAKE = "TAKE"
    ASK = "ASK"
    REPLY = "REPLY"
    LINK = "LINK"
    ANSWER = "ANSWER"
    HAND_BACK = "HAND_BACK"
    REASSIGN = "REASSIGN"
    CLOSE = "CLOSE"


S, M = TipOffStatus, TipOffMove
WORKING = (S.TAKEN, S.ASKED, S.ANSWERED)
LIVE = (S.RECEIVED, *WORKING)


@dataclass(frozen=True)
class Turn:
    """One row of the table. `permission` None: the sender's. `target` None: the status stays.

    `by_handler`: only the hand that took the case. `shown`: the sender reads the note. `needs_note`: it must say something.
    """

    move: TipOffMove
    label: str
    sources: tuple[TipOffStatus | None, ...]
    target: TipOffStatus | None
    permission: Permission | None
    by_handler: bool = True
    needs_note: bool = True
    shown: bool = False


TURNS: dict[TipOffMove, Turn] = {
    row.move: row
    for row in (
        Turn(M.SEND, "举报", (None,), S.RECEIVED, None, by_handler=False, shown=True),
        Turn(M.TAKE, "受理", (S.RECEIVED,), S.TAKEN, Permission.HANDLE_TIP_OFF, by_handler=False, needs_note=False),
        Turn(M.ASK, "询问", (S.TAKEN, S.ASKED), S.ASKED, Permission.HANDLE_TIP_OFF, shown=True),
        Turn(M.REPLY, "补充", (S.RECEIVED, S.TAKEN, S.ASKED), None, None, by_handler=False, shown=True),
        Turn(M.LINK, "关联", WORKING, None, Permission.HANDLE_TIP_OFF, needs_note=False),
        Turn(M.ANSWER, "答复", (S.TAKEN, S.ASKED), S.ANSWERED, Permission.HANDLE_TIP_OFF, shown=True),
        Turn(M.HAND_BACK, "退回待受理", (S.TAKEN, S.ASKED), S.RECEIVED, Permission.HANDLE_TIP_OFF),
        Turn(M.REASSIGN, "改派", (S.TAKEN, S.ASKED), S.RECEIVED, Permission.REASSIGN_TIP_OFF, by_handler=False),
        Turn(M.CLOSE, "办结", (S.ANSWERED,), S.CLOSED, Permission.HANDLE_TIP_OFF, shown=True),
    )
}  # fmt: skip

KIND_LABELS = {
    TipOffKind.GHOST_PAY: "吃空饷",
    TipOffKind.OVER_QUOTA: "超编进人",
    TipOffKind.MIXED_USE: "混编混岗",
    TipOffKind.LEADERS: "超职数配备干部",
    TipOffKind.PRIVATE_BODY: "擅自设立机构",
    TipOffKind.ENTRY: "违规进人",
    TipOffKind.FALSE_FIGURES: "虚报统计数字",
    TipOffKind.OTHER: "其他机构编制问题",
}
STATUS_LABELS = {
    S.RECEIVED: "待受理",
    S.TAKEN: "办理中",
    S.ASKED: "待补充",
    S.ANSWERED: "已答复",
    S.CLOSED: "已办结",
}
OUTCOME_LABELS = {
    Outcome.CONFIRMED: "属实",
    Outcome.PARTLY: "部分属实",
    Outcome.UNFOUNDED: "不属实",
    Outcome.NOT_OURS: "不属于受理范围",
    Outcome.REFERRED: "已移送有关部门",
}
SENTENCES = {
    "WRONG_ROLE": "您的角色不能办理这件举报。",
    "WRONG_STATUS": "这件举报现在的状态不能办理这一步。",
    "NOT_HANDLER": "这件举报由另一人承办，只有承办人能办理和查看内容。",
    "NOTE_MISSING": "请填写内容。",
}


def barred(move: TipOffMove, status: TipOffStatus, handler: str | None, login: str | None, roles: set) -> str | None:
    """Why the move may not be made now: a key of SENTENCES, the earlier ones winning; None when it may. `login` None:
    the sender."""
    row = TURNS[move]
    if row.permission is None:
        if login is not None:
            return "WRONG_ROLE"
    elif login is None or not roles & ALLOWED[row.permission]:
        return "WRONG_ROLE"
    if status not in row.sources:
        return "WRONG_STATUS"
    return "NOT_HANDLER" if row.by_handler and handler != login else None


def check_turn(
    move: TipOffMove, status: TipOffStatus, handler: str | None, login: str | None, roles: set, note: str
) -> Turn:
    """The row of a move that may be made with this note. Errors: Forbidden for a wrong role or hand, else Refused."""
    why = barred(move, status, handler, login, roles)
    if why is None and TURNS[move].needs_note and not note.strip():
        why = "NOTE_MISSING"
    if why in ("WRONG_ROLE", "NOT_HANDLER"):
        raise Forbidden(SENTENCES[why], answer=why)
    if why is not None:
        raise Refused(SENTENCES[why], answer=why)
    return TURNS[move]


def target_of(move: TipOffMove, status: TipOffStatus) -> TipOffStatus:
    """Where a move leads. A reply puts a question's case back to work, and changes no other."""
    if move is M.REPLY:
        return S.TAKEN if status is S.ASKED else status
    return TURNS[move].target or status
