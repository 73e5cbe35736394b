"""When posts come back, and when a waiting request could pass: the queue played forward, day by day. Pure.

Assumes that the proposal is accepted today, that loans return on the day after their last good one, that coming
retirements happen, and that nobody new applies. An overdue loan has no date and is not counted on.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from pool.policies import add_months
from pool.proposal_input import Loan, PoolKey, Request, Situation
from pool.proposal_standing import STOCK_RULES, Binding, Standing


class Cause(StrEnum):
    """Why posts come back."""

    DUE = "DUE"  # the term ends
    SWAP = "SWAP"  # a retirement gives the unit a post of its own (R09)


CAUSE_LABELS: dict[Cause, str] = {Cause.DUE: "到期归还", Cause.SWAP: "退休置换"}


@dataclass(frozen=True, order=True)
class Coming:
    """Posts of a loan that come back on a day. to_pool: False, of a recalled loan, which go home to the lender."""

    on: date
    loan: str
    unit: str
    pool: PoolKey
    posts: int
    cause: Cause
    to_pool: bool = True


@dataclass(frozen=True)
class Forecast:
    """coming: in the order of days. earliest: request number → the first day it could pass, absent when none is seen."""

    coming: tuple[Coming, ...]
    earliest: dict[str, date]


def everything_back(situation: Situation) -> Standing:
    """The situation with every loan returned: the most stock there can be without new posts."""
    standing = Standing(situation)
    for number in list(standing.loans):
        standing.give_back(number, standing.loans[number].posts)
    return standing


def lacks_only_stock(bindings: Sequence[Binding]) -> bool:
    """Whether returned posts would mend all that binds."""
    return all(binding.rule in STOCK_RULES for binding in bindings)


def could_ever_pass(back: Standing, request: Request) -> bool:
    """Whether the stock would do for the request alone with everything back."""
    return not any(binding.rule in STOCK_RULES for binding in back.bindings(request))


def is_patient(standing: Standing, request: Request, skip_days: int) -> bool:
    """Whether a request has waited longer than it may be passed over (R15)."""
    return (standing.on - request.submitted_on).days > skip_days


def forecast(situation: Situation, granted: Sequence[Request], waiting: Sequence[Request]) -> Forecast:
    """Play the queue forward to the horizon. waiting: in R15's order; within one rank the order of unit codes decides."""
    play = _Play(situation, granted, waiting)
    end = add_months(situation.as_of, situation.horizon_months)
    while play.days and play.days[0] <= end:
        play.run(heapq.heappop(play.days))
    return Forecast(tuple(sorted(play.coming)), play.earliest)


class _Play:
    """The days that matter, and what stands on the day reached."""

    def __init__(self, situation: Situation, granted: Sequence[Request], waiting: Sequence[Request]) -> None:
        self.skip_days = situation.skip_days
        self.standing = Standing(situation)
        for request in granted:
            self.standing.take(request)
        self.waiting = list(waiting)
        back = everything_back(situation)  # the same on any day, so this is asked once
        self.possible = {request.number for request in waiting if could_ever_pass(back, request)}
        self.coming: list[Coming] = []
        self.earliest: dict[str, date] = {}
        # A loan that is late already has no day of return.
        self.late = {loan.number for loan in situation.loans if loan.due < situation.as_of}
        self.retiring: dict[date, list[tuple[tuple, int]]] = {}
        for cell in situation.cells:
            for part in cell.retirements:
                if part.on > situation.as_of:
                    key = (cell.unit, cell.post_type, cell.fund_form)
                    self.retiring.setdefault(part.on, []).append((key, part.posts))
        self.days: list[date] = []
        self.known: set[date] = {situation.as_of}
        self._add_days(self.retiring)
        self._add_days(loan.due + timedelta(days=1) for loan in self.standing.loans.values())
        self.windows = self._window_days()
        self._add_days(self.windows)

    def _add_days(self, days: Iterable[date]) -> None:
        for day in days:
            if day not in self.known and day > self.standing.on:
                self.known.add(day)
                heapq.heappush(self.days, day)

    def _window_days(self) -> dict[date, set[str]]:
        """Days on which a retirement first falls within a waiting request's term (R06), with the units it matters to."""
        found: dict[date, set[str]] = {}
        for request in self.waiting:
            cell = (request.unit, request.pool.post_type, request.pool.fund_form)
            for part in self.standing.retirements.get(cell, ()):
                day = add_months(part.on, -request.term_months)
                while add_months(day, request.term_months) < part.on:
                    day += timedelta(days=1)
                found.setdefault(day, set()).add(request.unit)
        return found

    def run(self, day: date) -> None:
        """Posts come back; whoever waits and could be touched by it is tried in order."""
        self.standing.on = day
        units = set(self.windows.get(day, ()))
        before = len(self.coming)
        for cell, posts in sorted(self.retiring.get(day, ())):
            self._retire(cell, posts, day)
            units.add(cell[0])
        for number in sorted(self.standing.loans):
            loan = self.standing.loans[number]
            if loan.due < day and number not in self.late:
                self._come_back(loan, loan.posts, day, Cause.DUE)
        units |= {row.unit for row in self.coming[before:]}
        types = {row.pool.post_type for row in self.coming[before:]}
        types |= {request.pool.post_type for request in self.waiting if request.unit in units}
        if types:
            self._serve([request for request in self.waiting if request.pool.post_type in types], day)

    def _retire(self, cell: tuple, posts: int, day: date) -> None:
        """Posts fall vacant: they first cover what is over quota, then bring home the loan due first (R09)."""
        over = min(posts, self.standing.over_quota.get(cell, 0))
        self.standing.over_quota[cell] = self.standing.over_quota.get(cell, 0) - over
        left = posts - over
        loans = [
            loan
            for loan in self.standing.of_unit[cell[0]].values()
            if (loan.pool.post_type, loan.pool.fund_form) == cell[1:]
        ]
        for loan in sorted(loans, key=lambda loan: (loan.due, loan.number)):
            back = min(left, loan.posts)
            if back:
                self._come_back(loan, back, day, Cause.SWAP)
            left -= back

    def _come_back(self, loan: Loan, posts: int, day: date, cause: Cause) -> None:
        self.standing.give_back(loan.number, posts)
        self.coming.append(Coming(day, loan.number, loan.borrower, loan.pool, posts, cause, not loan.recalled))

    def _serve(self, requests: list[Request], day: date) -> None:
        held = []
        for request in requests:
            bindings = self.standing.bindings(request)
            if not bindings:
                self.standing.take(request)
                self.waiting.remove(request)
                self.earliest[request.number] = day
                self._add_days([self.standing.loans[request.number].due + timedelta(days=1)])
            elif self._is_held(request, bindings):
                self.standing.hold(request)
                held.append(request)
        for request in reversed(held):
            self.standing.release(request)

    def _is_held(self, request: Request, bindings: list[Binding]) -> bool:
        possible = request.number in self.possible and lacks_only_stock(bindings)
        return possible and is_patient(self.standing, request, self.skip_days)
