"""A flag's life: the one table of its moves, who may make each, and what a night does to it (DOMAIN §4). Pure.

`OPEN → ACKNOWLEDGED → EXPLAINED | RECTIFYING | REFERRED → CLOSED`, by data or by decision. An explanation waits, its
flag's status unchanged, until a second person confirms it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from core.accounts import Role
from core.errors import Forbidden, Refused
from core.permissions import ALLOWED, Permission
from reconcile.models import ClosedBy, FlagStatus

NIGHT = "night"
S = FlagStatus
LIVE = (S.OPEN, S.ACKNOWLEDGED, S.EXPLAINED, S.RECTIFYING, S.REFERRED)


class Move(StrEnum):
    """Every step a flag can take: the first five by a night, the rest by a person."""

    OPEN = "OPEN"
    SEE = "SEE"
    REOPEN = "REOPEN"
    EXPIRE = "EXPIRE"
    CLOSE_BY_DATA = "CLOSE_BY_DATA"
    ACKNOWLEDGE = "ACKNOWLEDGE"
    EXPLAIN = "EXPLAIN"
    CONFIRM = "CONFIRM"
    REJECT_EXPLANATION = "REJECT_EXPLANATION"
    START_RECTIFYING = "START_RECTIFYING"
    REFER = "REFER"
    CLOSE_BY_DECISION = "CLOSE_BY_DECISION"


@dataclass(frozen=True)
class Transition:
    """One row of the table. `sources`: statuses it starts from (None: no flag yet). `target` None: status stays.

    `permission` None: only a night makes the move. `needs_pending`: an unconfirmed explanation must (True) or must not
    (False) wait; None: either. `second_person`: the writer of the explanation may not make it.
    """

    move: Move
    label: str
    sources: tuple[FlagStatus | None, ...]
    target: FlagStatus | None
    permission: Permission | None
    closed_by: ClosedBy | None = None
    needs_pending: bool | None = None
    second_person: bool = False
    needs_reason: bool = False

    @property
    def who(self) -> frozenset[Role] | str:
        """The roles that may make the move, or `night`."""
        return NIGHT if self.permission is None else ALLOWED[self.permission]


TRANSITIONS: dict[Move, Transition] = {
    row.move: row
    for row in (
        Transition(Move.OPEN, "发现", (None,), S.OPEN, None),
        Transition(Move.SEE, "再次发现", LIVE, None, None),
        Transition(Move.REOPEN, "重新打开", (S.CLOSED,), S.OPEN, None),
        Transition(Move.EXPIRE, "说明到期", (S.EXPLAINED,), S.OPEN, None),
        Transition(Move.CLOSE_BY_DATA, "数据销号", LIVE, S.CLOSED, None, closed_by=ClosedBy.DATA),
        Transition(Move.ACKNOWLEDGE, "签收", (S.OPEN,), S.ACKNOWLEDGED, Permission.ACKNOWLEDGE_FLAG),
        Transition(Move.EXPLAIN, "说明", (S.ACKNOWLEDGED, S.RECTIFYING), None, Permission.EXPLAIN_FLAG,
                   needs_pending=False, needs_reason=True),
        Transition(Move.CONFIRM, "确认说明", (S.ACKNOWLEDGED, S.RECTIFYING), S.EXPLAINED,
                   Permission.CONFIRM_EXPLANATION, needs_pending=True, second_person=True),
        Transition(Move.REJECT_EXPLANATION, "退回说明", (S.ACKNOWLEDGED, S.RECTIFYING), None,
                   Permission.CONFIRM_EXPLANATION, needs_pending=True, second_person=True, needs_reason=True),
        Transition(Move.START_RECTIFYING, "整改", (S.ACKNOWLEDGED, S.EXPLAINED), S.RECTIFYING,
                   Permission.RECTIFY_FLAG, needs_reason=True),
        Transition(Move.REFER, "移送", (S.ACKNOWLEDGED, S.EXPLAINED, S.RECTIFYING), S.REFERRED,
                   Permission.REFER_FLAG, needs_reason=True),
        Transition(Move.CLOSE_BY_DECISION, "决定销号", (S.ACKNOWLEDGED, S.EXPLAINED, S.RECTIFYING, S.REFERRED), S.CLOSED,
                   Permission.CLOSE_FLAG, closed_by=ClosedBy.DECISION, second_person=True, needs_reason=True),
    )
}  # fmt: skip

STATUS_LABELS: dict[FlagStatus, str] = {
    S.OPEN: "待签收",
    S.ACKNOWLEDGED: "已签收",
    S.EXPLAINED: "已说明",
    S.RECTIFYING: "整改中",
    S.REFERRED: "已移送",
    S.CLOSED: "已销号",
}


class Answer(StrEnum):
    """What `decide_move` answers; earlier ones win when several hold."""

    NIGHT_ONLY = "NIGHT_ONLY"
    WRONG_ROLE = "WRONG_ROLE"
    WRONG_STATUS = "WRONG_STATUS"
    NO_EXPLANATION = "NO_EXPLANATION"
    EXPLANATION_WAITS = "EXPLANATION_WAITS"
    SAME_PERSON = "SAME_PERSON"
    REASON_MISSING = "REASON_MISSING"
    EVIDENCE_MISSING = "EVIDENCE_MISSING"
    EXPIRY_PAST = "EXPIRY_PAST"
    ALLOWED = "ALLOWED"


# Chinese is the source text of translations; the values in braces are filled in after translating.
SENTENCES: dict[Answer, str] = {
    Answer.NIGHT_ONLY: "“{move}”只由每夜核对办理，不能由人办理。",
    Answer.WRONG_ROLE: "您的角色不能办理“{move}”。",
    Answer.WRONG_STATUS: "当前状态是“{status}”，不能办理“{move}”。",
    Answer.NO_EXPLANATION: "没有等待确认的说明。",
    Answer.EXPLANATION_WAITS: "已有一份说明等待另一人确认，请先确认或退回。",
    Answer.SAME_PERSON: "说明由您本人填写，须由另一人办理“{move}”。",
    Answer.REASON_MISSING: "请填写理由。",
    Answer.EVIDENCE_MISSING: "请填写依据（文号或材料名称）。",
    Answer.EXPIRY_PAST: "有效期至须晚于今天。",
    Answer.ALLOWED: "可以办理“{move}”。",
}


@dataclass(frozen=True)
class Decision:
    """An answer with the sentence to show. `msgid.format(**values)` is the sentence in Chinese."""

    answer: Answer
    values: dict[str, str] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        return self.answer is Answer.ALLOWED

    @property
    def msgid(self) -> str:
        return SENTENCES[self.answer]

    @property
    def sentence(self) -> str:
        return self.msgid.format(**self.values)


@dataclass(frozen=True)
class FlagState:
    """What the table needs to know of a flag. `writer` and `confirmer` are logins of the explanation's two people."""

    status: FlagStatus
    writer: str | None = None
    confirmer: str | None = None
    explanation_until: date | None = None

    @property
    def pending(self) -> bool:
        """Whether an explanation waits for its second person."""
        return self.writer is not None and self.confirmer is None


@dataclass(frozen=True)
class Paper:
    """What a person hands in with a move: reason, evidence, last good day of an explanation."""

    reason: str | None = None
    evidence: str | None = None
    until: date | None = None


def decide_move(
    move: Move, state: FlagState, *, login: str, roles: set[Role], today: date, paper: Paper | None = None
) -> Decision:
    """Whether this person may make the move on this flag today. `roles`: the person's towards the flag's unit.

    `paper` None asks about the move alone (for a button); otherwise what is handed in is judged too. Source: DOMAIN §4.
    """
    row = TRANSITIONS[move]
    values = {"move": row.label, "status": STATUS_LABELS[state.status]}
    answer = _barred(row, state, login, roles)
    if (
        answer is None
        and move is Move.CONFIRM
        and (state.explanation_until is None or state.explanation_until <= today)
    ):
        answer = Answer.EXPIRY_PAST
    if answer is None and paper is not None:
        answer = _incomplete(row, paper, today)
    return Decision(answer or Answer.ALLOWED, values)


def check_move(
    move: Move, state: FlagState, *, login: str, roles: set[Role], today: date, paper: Paper | None = None
) -> Transition:
    """`decide_move`, raising its sentence. Errors: Forbidden for a wrong role, else Refused."""
    decision = decide_move(move, state, login=login, roles=roles, today=today, paper=paper)
    if decision.answer in (Answer.WRONG_ROLE, Answer.NIGHT_ONLY):
        raise Forbidden(decision.sentence, answer=decision.answer.value)
    if not decision.allowed:
        raise Refused(decision.sentence, answer=decision.answer.value)
    return TRANSITIONS[move]


def _barred(row: Transition, state: FlagState, login: str, roles: set[Role]) -> Answer | None:
    if row.permission is None:
        return Answer.NIGHT_ONLY
    if not roles & ALLOWED[row.permission]:
        return Answer.WRONG_ROLE
    if state.status not in row.sources:
        return Answer.WRONG_STATUS
    if row.needs_pending is True and not state.pending:
        return Answer.NO_EXPLANATION
    if row.needs_pending is False and state.pending:
        return Answer.EXPLANATION_WAITS
    if row.second_person and state.writer == login:
        return Answer.SAME_PERSON
    return None


def _incomplete(row: Transition, paper: Paper, today: date) -> Answer | None:
    if row.needs_reason and not (paper.reason or "").strip():
        return Answer.REASON_MISSING
    if row.move is Move.EXPLAIN and not (paper.evidence or "").strip():
        return Answer.EVIDENCE_MISSING
    if row.move is Move.EXPLAIN and (paper.until is None or paper.until <= today):
        return Answer.EXPIRY_PAST
    return None


def mermaid() -> str:
    """The table as a Mermaid state diagram: one arrow per (source, target), moves that keep the status as loops."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {status} : {status} {STATUS_LABELS[status]}" for status in FlagStatus]
    for row in TRANSITIONS.values():
        for source in row.sources:
            start = "[*]" if source is None else source.value
            target = row.target or source
            lines.append(f"    {start} --> {target} : {row.move} {row.label}")
    return "\n".join(lines) + "\n"


def table_markdown() -> str:
    """The table for people: move, from, to, who."""
    lines = ["| 办理 | move | 起 | 至 | 由谁 |", "|---|---|---|---|---|"]
    for row in TRANSITIONS.values():
        sources = ", ".join("—" if source is None else source.value for source in row.sources)
        who = NIGHT if isinstance(row.who, str) else ", ".join(role for role in Role if role in row.who)
        lines.append(f"| {row.label} | `{row.move}` | {sources} | {row.target or '不变'} | {who} |")
    return "\n".join(lines) + "\n"
