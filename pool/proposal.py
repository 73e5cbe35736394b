"""The allocation proposal: which waiting requests could be granted today, and why the others not (DOMAIN §5, R15). Pure.

It proposes; people decide, and what they accept is made by ordinary movements, checked again at that moment. The
objective, and how "a request too large is skipped" is read, stand in docs/decisions/0006-proposal.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby

from pool.proposal_choice import choose
from pool.proposal_forecast import (
    CAUSE_LABELS,
    Coming,
    could_ever_pass,
    everything_back,
    forecast,
    is_patient,
    lacks_only_stock,
)
from pool.proposal_input import NEED_LABELS, Request, Situation, check_situation
from pool.proposal_reasons import Reason, pool_text, reason_of, reason_text
from pool.proposal_standing import Standing


class Outcome(StrEnum):
    """What is proposed for a request that is not granted."""

    SKIPPED = "SKIPPED"  # too large for what is left; those after it may pass
    HELD = "HELD"  # waited too long to be skipped: what it needs is kept, as if lent
    TOO_LARGE = "TOO_LARGE"  # waited too long, but no return of posts would ever suffice: nothing is kept for it


@dataclass(frozen=True)
class Grant:
    """A request proposed for granting, whole."""

    request: Request
    sentence: str


@dataclass(frozen=True)
class Rejection:
    """A request not proposed. ahead: numbers of the requests counted before it, granted or held, in the order counted.
    earliest: the first day it could pass by the forecast; None when none is seen within the horizon.
    """

    request: Request
    outcome: Outcome
    reason: Reason
    ahead: tuple[str, ...]
    earliest: date | None
    sentence: str


@dataclass(frozen=True)
class Proposal:
    """grants and rejections in R15's order; coming: the posts expected back until the horizon, in the order of days."""

    as_of: date
    grants: tuple[Grant, ...]
    rejections: tuple[Rejection, ...]
    coming: tuple[Coming, ...]

    @property
    def posts(self) -> int:
        """Posts proposed to be lent."""
        return sum(grant.request.posts for grant in self.grants)


def propose(situation: Situation) -> Proposal:
    """The proposal for a situation; the same for the same situation, in whatever order it lists things.

    Errors: InputRejected for a situation that contradicts itself; InvariantViolated when the solver's answer does not
    stand up to whole numbers.
    """
    check_situation(situation)
    queue = _Queue(situation)
    for _, rank in groupby(sorted(situation.requests, key=lambda row: row.rank), key=lambda row: row.rank[:2]):
        queue.serve(list(rank))
    waiting = [request for request, *_ in queue.rejected]
    seen = forecast(situation, queue.granted, waiting)
    names = {node.code: node.name for node in situation.nodes}
    grants = tuple(Grant(request, _grant_text(request, situation, names)) for request in queue.granted)
    rejections = []
    for request, outcome, reason, ahead in queue.rejected:
        earliest = seen.earliest.get(request.number)
        text = reason_text(request, reason, names, situation.words)
        text += _outcome_text(outcome, situation.skip_days) + _earliest_text(earliest, situation, request, seen.coming)
        rejections.append(Rejection(request, outcome, reason, ahead, earliest, text))
    return Proposal(situation.as_of, grants, tuple(rejections), seen.coming)


class _Queue:
    """Rank after rank in R15's order: what is granted, what is held, what is skipped."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.standing = Standing(situation)
        self.back = everything_back(situation)
        self.counted: list[str] = []
        self.held: list[Request] = []
        self.granted: list[Request] = []
        self.rejected: list[tuple[Request, Outcome, Reason, tuple[str, ...]]] = []

    def serve(self, rank: list[Request]) -> None:
        """One rank: requests of one need that wait since the same day, in the order of unit codes."""
        chosen = choose(self.standing, rank)
        for request in chosen:
            self.standing.take(request)
            self.counted.append(request.number)
        self.granted += chosen
        for request in rank:
            if request not in chosen:
                self._refuse(request)

    def _refuse(self, request: Request) -> None:
        reason = reason_of(self.standing, request, self.held)
        outcome = self._outcome(request, reason)
        self.rejected.append((request, outcome, reason, tuple(self.counted)))
        if outcome is Outcome.HELD:
            self.held.append(request)
            self.standing.hold(request)
            self.counted.append(request.number)

    def _outcome(self, request: Request, reason: Reason) -> Outcome:
        if not is_patient(self.standing, request, self.situation.skip_days) or not lacks_only_stock(reason.bindings):
            return Outcome.SKIPPED
        return Outcome.HELD if could_ever_pass(self.back, request) else Outcome.TOO_LARGE


def _grant_text(request: Request, situation: Situation, names: dict[str, str]) -> str:
    waited = (situation.as_of - request.submitted_on).days
    return (
        f"建议批准申请 {request.number}：{names[request.unit]}，{pool_text(request.pool, situation.words)}，"
        f"{request.posts} 个，{request.term_months} 个月（{NEED_LABELS[request.need]}，已等待 {waited} 天）。"
    )


def _outcome_text(outcome: Outcome, skip_days: int) -> str:
    if outcome is Outcome.HELD:
        return f"该申请已等待超过 {skip_days} 天，不再跳过：所需编制予以保留，排在后面的申请不得动用。"
    if outcome is Outcome.TOO_LARGE:
        return f"该申请已等待超过 {skip_days} 天，但即使在借编制全部归还也不够，不为其保留，请先作出决定。"
    return ""


def _earliest_text(earliest: date | None, situation: Situation, request: Request, coming: Sequence[Coming]) -> str:
    if earliest is None:
        return f"按现有到期和退休情况，{situation.horizon_months} 个月内看不到可以通过的日期。"
    back = [row for row in coming if row.on == earliest and row.pool == request.pool and row.to_pool]
    labels = "、".join(sorted({CAUSE_LABELS[row.cause] for row in back}))
    because = f"（当日{labels} {sum(row.posts for row in back)} 个）" if back else ""
    return f"按现有到期和退休情况，预计最早 {earliest} 可以通过{because}。"
