"""The life of a request and of a slot: the one table of moves, who may make each, three persons (DOMAIN §5, R11). Pure.

`DRAFT → SUBMITTED → REVIEWED → APPROVED` is the request's life; an approval issues one slot per post, and each slot
lives on its own: `ISSUED → FILLED → DUE_SOON → OVERDUE → RETURNED`. A loan shows the most urgent status of its slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from core.accounts import Role
from core.errors import Forbidden, Refused
from core.permissions import ALLOWED, Permission

NIGHT = "night"


class Status(StrEnum):
    """Where a request or a slot stands."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    REVIEWED = "REVIEWED"
    APPROVED = "APPROVED"
    ISSUED = "ISSUED"
    FILLED = "FILLED"
    DUE_SOON = "DUE_SOON"
    OVERDUE = "OVERDUE"
    RETURNED = "RETURNED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"
    RECALLED = "RECALLED"


S = Status
PENDING = (S.SUBMITTED, S.REVIEWED)
# The most urgent first: what a loan shows of its slots.
LIVE = (S.OVERDUE, S.RECALLED, S.DUE_SOON, S.FILLED, S.ISSUED)
STATUS_LABELS: dict[Status, str] = {
    S.DRAFT: "草稿",
    S.SUBMITTED: "已提交",
    S.REVIEWED: "已审核",
    S.APPROVED: "已批准",
    S.ISSUED: "已下达",
    S.FILLED: "已入编",
    S.DUE_SOON: "临期",
    S.OVERDUE: "逾期",
    S.RETURNED: "已归还",
    S.REFUSED: "未批准",
    S.WITHDRAWN: "已撤回",
    S.LAPSED: "已失效",
    S.RECALLED: "收回中",
}


class Move(StrEnum):
    """Every step: the first group on a request, the second on a slot."""

    SAVE = "SAVE"
    SUBMIT = "SUBMIT"
    CLAIM = "CLAIM"
    ENDORSE = "ENDORSE"
    REVIEW = "REVIEW"
    APPROVE = "APPROVE"
    REFUSE = "REFUSE"
    WITHDRAW = "WITHDRAW"
    LAPSE = "LAPSE"
    REOPEN = "REOPEN"
    ISSUE = "ISSUE"
    FILL = "FILL"
    UNFILL = "UNFILL"
    REMIND = "REMIND"
    EXPIRE = "EXPIRE"
    RENEW = "RENEW"
    RECALL = "RECALL"
    RETURN = "RETURN"
    SWAP = "SWAP"
    TAKE_BACK = "TAKE_BACK"
    REVERSE = "REVERSE"
    HOME = "HOME"
    AWAIT = "AWAIT"
    UNHOME = "UNHOME"
    RESTORE = "RESTORE"
    UNRENEW = "UNRENEW"


@dataclass(frozen=True)
class Transition:
    """One row. sources: statuses it starts from (None: nothing yet). target None: it stays, or follows from dates.

    permission None: the night. decides: a decision on the request, which nobody makes twice, nor on the own one.
    """

    move: StrEnum
    label: str
    sources: tuple[StrEnum | None, ...]
    target: StrEnum | None
    permission: Permission | None
    decides: bool = False

    @property
    def who(self) -> frozenset[Role] | str:
        """The roles that may make the move, or `night`."""
        return NIGHT if self.permission is None else ALLOWED[self.permission]


P = Permission
REQUEST_MOVES: dict[Move, Transition] = {
    row.move: row
    for row in (
        Transition(Move.SAVE, "起草", (None, S.DRAFT), S.DRAFT, P.REQUEST_LOAN),
        Transition(Move.SUBMIT, "提交", (None, S.DRAFT), S.SUBMITTED, P.REQUEST_LOAN),
        Transition(Move.CLAIM, "占到编制", PENDING, None, None),
        Transition(Move.ENDORSE, "主管部门同意", (S.SUBMITTED,), None, P.ENDORSE_LOAN, decides=True),
        Transition(Move.REVIEW, "审核", (S.SUBMITTED,), S.REVIEWED, P.REVIEW_LOAN, decides=True),
        Transition(Move.APPROVE, "批准", (S.REVIEWED,), S.APPROVED, P.DECIDE_LOAN, decides=True),
        Transition(Move.REFUSE, "不予批准", PENDING, S.REFUSED, P.REFUSE_LOAN, decides=True),
        Transition(Move.WITHDRAW, "撤回", (S.DRAFT, *PENDING), S.WITHDRAWN, P.REQUEST_LOAN),
        Transition(Move.LAPSE, "失效", PENDING, S.LAPSED, None),
        Transition(Move.REOPEN, "冲正后重办", (S.APPROVED,), S.REVIEWED, P.REVERSE_MOVEMENT),
    )
}
SLOT_MOVES: dict[Move, Transition] = {
    row.move: row
    for row in (
        Transition(Move.ISSUE, "下达", (None,), S.ISSUED, P.DECIDE_LOAN),
        Transition(Move.FILL, "入编", (S.ISSUED, S.DUE_SOON), S.FILLED, P.FILL_SLOT),
        Transition(
            Move.UNFILL, "入编冲正", (S.FILLED, S.DUE_SOON, S.OVERDUE, S.RECALLED), S.ISSUED, P.REVERSE_MOVEMENT
        ),
        Transition(Move.REMIND, "临期提醒", (S.ISSUED, S.FILLED), S.DUE_SOON, None),
        Transition(Move.EXPIRE, "到期未还", (S.ISSUED, S.FILLED, S.DUE_SOON, S.RECALLED), S.OVERDUE, None),
        Transition(Move.RENEW, "续借", (S.ISSUED, S.FILLED, S.DUE_SOON, S.OVERDUE), None, P.RENEW_LOAN),
        Transition(Move.RECALL, "收回通知", (S.ISSUED, S.FILLED, S.DUE_SOON), S.RECALLED, P.RECALL_LOAN),
        Transition(Move.RETURN, "归还", LIVE, S.RETURNED, P.RETURN_POSTS),
        Transition(Move.SWAP, "置换", (S.FILLED, S.DUE_SOON, S.OVERDUE, S.RECALLED), S.RETURNED, P.SWAP_SLOT),
        Transition(Move.TAKE_BACK, "久未入编收回", LIVE, S.LAPSED, P.SWAP_SLOT),
        Transition(Move.REVERSE, "冲正", LIVE, S.LAPSED, P.REVERSE_MOVEMENT),
        Transition(Move.HOME, "退回出借方", (S.RETURNED, S.LAPSED), None, None),
        Transition(Move.AWAIT, "待退回出借方", (S.RETURNED, S.LAPSED), None, None),
        Transition(Move.UNHOME, "退回冲正", (S.RETURNED, S.LAPSED), None, P.REVERSE_MOVEMENT),
        Transition(Move.RESTORE, "归还冲正", (S.RETURNED, S.LAPSED), S.ISSUED, P.REVERSE_MOVEMENT),
        Transition(Move.UNRENEW, "续借冲正", (S.ISSUED, S.FILLED, S.DUE_SOON, S.OVERDUE), None, P.REVERSE_MOVEMENT),
    )
}


class Answer(StrEnum):
    """What `decide_move` answers; earlier ones win when several hold."""

    NIGHT_ONLY = "NIGHT_ONLY"
    WRONG_ROLE = "WRONG_ROLE"
    WRONG_STATUS = "WRONG_STATUS"
    OWN_REQUEST = "OWN_REQUEST"
    DECIDED_BEFORE = "DECIDED_BEFORE"
    NOT_ENDORSED = "NOT_ENDORSED"
    ALLOWED = "ALLOWED"


SENTENCES: dict[Answer, str] = {
    Answer.NIGHT_ONLY: "“{move}”只由每夜办理，不能由人办理。",
    Answer.WRONG_ROLE: "您的角色不能办理“{move}”。",
    Answer.WRONG_STATUS: "当前状态是“{status}”，不能办理“{move}”。",
    Answer.OWN_REQUEST: "这是您本人（或您受托代理的人）的申请，须由另一人办理“{move}”。",
    Answer.DECIDED_BEFORE: "您本人（或您受托代理的人）已经办理过这件申请，须由另一人办理“{move}”。",
    Answer.NOT_ENDORSED: "主管部门尚未同意，不能办理“{move}”。",
    Answer.ALLOWED: "可以办理“{move}”。",
}


@dataclass(frozen=True)
class Decision:
    """An answer with the sentence for the button."""

    answer: Answer
    move: str
    status: str

    @property
    def allowed(self) -> bool:
        return self.answer is Answer.ALLOWED

    @property
    def msgid(self) -> str:
        return SENTENCES[self.answer]

    @property
    def sentence(self) -> str:
        return self.msgid.format(move=self.move, status=self.status)


@dataclass(frozen=True)
class Hands:
    """Who has touched a request: logins, those acted for by delegation among them."""

    applicants: frozenset[str] = frozenset()
    deciders: frozenset[str] = frozenset()


def decide_move(
    row: Transition,
    status: StrEnum | None,
    *,
    roles: Iterable[Role],
    actors: frozenset[str],
    hands: Hands | None = None,
    endorsed: bool = True,
    labels: Mapping[StrEnum, str] | None = None,
) -> Decision:
    """Whether these hands may make the move. actors: the person, and whom the person acts for.

    roles: towards the unit or place the move is guarded by. endorsed: the supervising department agreed, or is none.
    labels: the words of the statuses (another room's table has its own).
    """
    answer = Answer.ALLOWED
    hands = hands or Hands()
    if row.permission is None:
        answer = Answer.NIGHT_ONLY
    elif not set(roles) & ALLOWED[row.permission]:
        answer = Answer.WRONG_ROLE
    elif status not in row.sources:
        answer = Answer.WRONG_STATUS
    elif row.decides and actors & hands.applicants:
        answer = Answer.OWN_REQUEST
    elif row.decides and actors & hands.deciders:
        answer = Answer.DECIDED_BEFORE
    elif row.move in (Move.REVIEW, Move.APPROVE) and not endorsed:
        answer = Answer.NOT_ENDORSED
    return Decision(answer, row.label, (labels or STATUS_LABELS)[status] if status else "未建立")


def check_move(row: Transition, status: StrEnum | None, **facts) -> Transition:
    """`decide_move`, raising its sentence. Errors: Forbidden for a wrong role, else Refused."""
    decision = decide_move(row, status, **facts)
    if decision.answer in (Answer.WRONG_ROLE, Answer.NIGHT_ONLY):
        raise Forbidden(decision.sentence, answer=decision.answer.value)
    if not decision.allowed:
        raise Refused(decision.sentence, answer=decision.answer.value)
    return row


def most_urgent(statuses: Iterable[Status]) -> Status:
    """What a loan shows: the most urgent of its slots' statuses; of ended ones the first in the order of the table."""
    found = set(statuses)
    order = (*LIVE, *(status for status in Status if status not in LIVE))
    return next(status for status in order if status in found)


def mermaid() -> str:
    """Both lives as one Mermaid state diagram; a move that keeps the status is a loop."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {status} : {status} {STATUS_LABELS[status]}" for status in Status]
    for row in (*REQUEST_MOVES.values(), *SLOT_MOVES.values()):
        for source in row.sources:
            if row.move is Move.ISSUE:
                source = S.APPROVED
            start = "[*]" if source is None else source.value
            lines.append(f"    {start} --> {row.target or source} : {row.move} {row.label}")
    return "\n".join(lines) + "\n"


def table_markdown(rows: Iterable[Transition] | None = None) -> str:
    """The table for people: move, from, to, who; of the pool when no other rows are given."""
    lines = ["| 办理 | move | 起 | 至 | 由谁 |", "|---|---|---|---|---|"]
    for row in rows or (*REQUEST_MOVES.values(), *SLOT_MOVES.values()):
        sources = ", ".join("—" if source is None else source.value for source in row.sources)
        who = NIGHT if isinstance(row.who, str) else ", ".join(role for role in Role if role in row.who)
        lines.append(f"| {row.label} | `{row.move}` | {sources} | {row.target or '不变'} | {who} |")
    return "\n".join(lines) + "\n"
