"""An independent judge of the forecast: its returns are replayed day by day, and the queue is asked again each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from pool.proposal import Proposal
from pool.proposal_input import Loan, Request, Situation
from tests.property.allocation_oracle import broken, kept, months_later, possible_one_day, returned, with_own


def forecast_objections(situation: Situation, proposal: Proposal) -> list[str]:
    """What is wrong with the days said: of posts coming back, and of the first day a request could pass."""
    possible = {row.request.number for row in proposal.rejections if possible_one_day(situation, row.request)}
    earliest = {row.request.number: row.earliest for row in proposal.rejections}
    now = situation
    for grant in proposal.grants:
        now = lent(now, grant.request)
    waiting = [row.request for row in proposal.rejections]
    lines = []
    days = {row.on for row in proposal.coming} | {day for day in earliest.values() if day is not None}
    for day in sorted(days):
        for row in proposal.coming:
            if row.on == day:
                lines += _of_return(situation, now, row)
                now = returned(now, row.loan, row.posts)
        now = _on(now, day)
        served, counted, seen = [], [], now
        for request in waiting:
            against = broken(seen, counted, [request])
            if bool(against) == (earliest[request.number] == day):
                lines.append(f"{request.number}: on {day} {against}, said to pass on {earliest[request.number]}")
            if not against:
                counted.append(request)
                served.append(request)
            elif _is_held(situation, request, day, possible, against):
                seen = kept(seen, counted, request)
                counted.append(request)
        for request in served:
            now = lent(now, request)
            waiting.remove(request)
    return lines + _of_totals(situation, proposal)


def lent(situation: Situation, request: Request) -> Situation:
    """The request has become a loan on the situation's day."""
    due = months_later(situation.as_of, request.term_months)
    loan = Loan(request.number, request.unit, None, request.pool, request.posts, due, backed=not request.backing_waived)
    return with_own(replace(situation, loans=(*situation.loans, loan)), request.unit, request, -request.posts)


def _on(situation: Situation, day: date) -> Situation:
    """The calendar moves: retirements until the day have covered what was over quota first."""
    cells = []
    for cell in situation.cells:
        gone = sum(part.posts for part in cell.retirements if situation.as_of < part.on <= day)
        cells.append(replace(cell, over_quota=max(0, cell.over_quota - gone)))
    return replace(situation, as_of=day, cells=tuple(cells))


def _is_held(situation: Situation, request: Request, day: date, possible: set[str], against: Sequence[tuple]) -> bool:
    if request.number not in possible or any(key[0] != "deficit" for key in against):
        return False
    return (day - request.submitted_on).days > situation.skip_days


def _of_return(situation: Situation, now: Situation, row) -> list[str]:
    loan = next((loan for loan in now.loans if loan.number == row.loan), None)
    if loan is None or loan.posts < row.posts:
        return [f"{row.loan}: {row.posts} posts come back that are not lent"]
    if row.cause == "DUE" and (row.on != loan.due + timedelta(days=1) or loan.due < situation.as_of):
        return [f"{row.loan}: due {loan.due}, said to return on {row.on}"]
    if row.cause == "SWAP" and not any(
        cell.unit == loan.borrower and part.on == row.on for cell in situation.cells for part in cell.retirements
    ):
        return [f"{row.loan}: swapped on {row.on} without a retirement"]
    return []


def _of_totals(situation: Situation, proposal: Proposal) -> list[str]:
    """Every loan and grant that falls due within the horizon comes back whole, once."""
    end = months_later(situation.as_of, situation.horizon_months)
    back = Counter()
    for row in proposal.coming:
        back[row.loan] += row.posts
    owed = {
        loan.number: loan.posts
        for loan in situation.loans
        if situation.as_of <= loan.due < end
    } | {
        grant.request.number: grant.request.posts
        for grant in proposal.grants
        if months_later(situation.as_of, grant.request.term_months) < end
    }  # fmt: skip
    return [
        f"{number}: {posts} lent, {back[number]} come back" for number, posts in owed.items() if back[number] != posts
    ]
