"""An independent judge of allocation proposals: every subset of the requests is tried, T is counted by its definition.

Shares nothing with `pool` but the plain values that go in and come out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations, groupby

from pool.proposal_input import Cell, Holding, Loan, Request, Retirement, Situation
from pool.proposal_standing import Change, Remedy


@dataclass(frozen=True)
class Figure:
    """A number and the most it may be; larger is worse. stock: returned posts could mend it."""

    value: int
    most: int | None
    stock: bool = False


def months_later(day: date, months: int) -> date:
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


def figures(situation: Situation, counted: Sequence[Request]) -> dict[tuple, Figure]:
    """Every number a limit speaks about, with these requests lent today."""
    lent = [(row.pool, row.unit, row.posts, months_later(situation.as_of, row.term_months), not row.backing_waived, row)
            for row in counted]  # fmt: skip
    live = [(loan.pool, loan.borrower, loan.posts, loan.due, loan.backed, None) for loan in situation.loans]
    found = _tree_figures(situation, counted)
    found |= _division_figures(situation, found)
    for cap in situation.caps:
        used = sum(row[2] for row in live + lent if row[1] == cap.unit and cap.purpose in (None, row[0].purpose))
        found["cap", cap.unit, cap.purpose] = Figure(used, cap.most)
    days = {row[3] for row in live + lent if row[4]}
    places = {(row[1], row[0].post_type, row[0].fund_form) for row in live + lent}
    cells = {(cell.unit, cell.post_type, cell.fund_form): cell for cell in situation.cells}
    for place in places:
        cell = cells.get(place, Cell(*place))
        for day in days:
            coming = sum(part.posts for part in cell.retirements if situation.as_of < part.on <= day) - cell.over_quota
            used = sum(
                row[2] for row in live + lent
                if row[4] and row[3] <= day and (row[1], row[0].post_type, row[0].fund_form) == place
            )  # fmt: skip
            found["backing", place, day] = Figure(used, coming)
    late = {loan.borrower for loan in situation.loans if loan.due < situation.as_of}
    for unit in late:
        found["overdue", unit] = Figure(sum(row.posts for row in counted if row.unit == unit), 0)
    return found


def _tree_figures(situation: Situation, counted: Sequence[Request]) -> dict[tuple, Figure]:
    found = {}
    pools = {row.pool for row in situation.holdings}
    for pool in pools:
        rows = {row.node: row for row in situation.holdings if row.pool == pool}

        def t(code: str, pool=pool, rows=rows) -> int:
            row = rows.get(code, Holding(code, pool, 0, lend_limit=0))
            total = row.own - sum(taken.posts for taken in counted if taken.unit == code and taken.pool == pool)
            for child in situation.nodes:
                if child.parent == code:
                    limit = rows.get(child.code, Holding(child.code, pool, 0, lend_limit=0)).lend_limit
                    below = t(child.code)
                    total += below if limit is None or below < limit else limit
            return total

        for node in situation.nodes:
            row = rows.get(node.code, Holding(node.code, pool, 0, lend_limit=0))
            most = -row.floor if node.parent is None else row.borrow_limit
            found["deficit", pool, node.code] = Figure(-t(node.code), most, stock=True)
    return found


def _division_figures(situation: Situation, trees: dict[tuple, Figure]) -> dict[tuple, Figure]:
    found = {}
    parents = {node.code: node.parent for node in situation.nodes}

    def inside(code: str | None, top: str) -> bool:
        return code is not None and (code == top or inside(parents[code], top))

    for row in situation.division_limits:
        if parents[row.node] is None:
            continue
        total = row.quota
        for kind, pool, code in trees:
            if kind == "deficit" and code == row.node and pool.post_type is row.post_type:
                crossing = 0
                for loan in situation.loans:
                    if loan.pool == pool and loan.lender is not None:
                        crossing += loan.posts * (inside(loan.borrower, code) - inside(loan.lender, code))
                total += max(crossing, trees[kind, pool, code].value)
        found["division", row.node, row.post_type] = Figure(total, row.limit)
    return found


def broken(situation: Situation, counted: Sequence[Request], more: Sequence[Request]) -> list[tuple]:
    """The figures that are beyond their limit with `more`, and worse than without."""
    before, after = figures(situation, counted), figures(situation, [*counted, *more])
    bad = []
    for key, figure in after.items():
        was = before[key].value if key in before else 0
        if key[0] == "backing" and key not in before:
            was = max((row.value for at, row in before.items() if at[:2] == key[:2] and at[2] <= key[2]), default=0)
        if figure.most is not None and figure.value > figure.most and figure.value > was:
            bad.append(key)
    return bad


def possible_one_day(situation: Situation, request: Request) -> bool:
    """Whether the stock would do with every loan back."""
    everything = situation
    for loan in situation.loans:
        everything = returned(everything, loan.number, loan.posts)
    return not any(key[0] == "deficit" for key in broken(everything, [], [request]))


def best(situation: Situation) -> tuple[set[str], set[str], set[str]]:
    """(granted, held, too large ever) of the best of all subsets: rank by rank the most posts, then the first by unit."""
    ordered = sorted(situation.requests, key=lambda row: (row.need, row.submitted_on, row.unit, row.number))
    ranks = [list(rank) for _, rank in groupby(ordered, key=lambda row: (row.need, row.submitted_on))]
    possible = {row.number for row in ordered if possible_one_day(situation, row)}
    _, granted, held, too_large = max(_choices(situation, ranks, possible, []), key=lambda choice: choice[0])
    return granted, held, too_large


def _choices(
    situation: Situation, ranks: list[list[Request]], possible: set[str], counted: list[Request]
) -> Iterator[tuple[tuple, set[str], set[str], set[str]]]:
    """Every admissible choice for these ranks on top of what is counted, with the key that orders choices."""
    if not ranks:
        yield (), set(), set(), set()
        return
    rank = ranks[0]
    for size in range(len(rank) + 1):
        for chosen in combinations(rank, size):
            if broken(situation, counted, chosen):
                continue
            after, now, held, too_large = situation, [*counted, *chosen], set(), set()
            for row in rank:
                if row in chosen or (situation.as_of - row.submitted_on).days <= situation.skip_days:
                    continue
                against = broken(after, now, [row])
                if not against or any(key[0] != "deficit" for key in against):
                    continue
                (held if row.number in possible else too_large).add(row.number)
                if row.number in possible:
                    after, now = kept(after, now, row), [*now, row]
            mine = (sum(row.posts for row in chosen), tuple(row in chosen for row in rank))
            for key, granted, waits, large in _choices(after, ranks[1:], possible, now):
                yield (mine, *key), {row.number for row in chosen} | granted, held | waits, too_large | large


def kept(situation: Situation, counted: Sequence[Request], request: Request) -> Situation:
    """The situation in which a held request weighs above a node that is short only by what that node is not short of."""
    parents = {node.code: node.parent for node in situation.nodes}
    code, was = request.unit, figures(situation, counted)
    while parents[code] is not None:
        before = was["deficit", request.pool, code]
        after = figures(situation, [*counted, request])["deficit", request.pool, code]
        short = min(after.value - after.most, after.value - before.value) if after.most is not None else 0
        if short > 0:
            situation = with_own(situation, parents[code], request, short)
        code = parents[code]
    return situation


def returned(situation: Situation, number: str, posts: int) -> Situation:
    """So many posts of a loan come back, of a recalled one to its lender."""
    loan = next(loan for loan in situation.loans if loan.number == number)
    rest = (replace(loan, posts=loan.posts - posts),) if loan.posts > posts else ()
    loans = (*(other for other in situation.loans if other.number != number), *rest)
    situation = with_own(replace(situation, loans=loans), loan.borrower, loan, posts)
    if loan.recalled and loan.lender is not None:
        situation = with_own(situation, loan.lender, loan, -posts)
        units = {node.code for node in situation.nodes if node.is_unit}
        if loan.lender in units:
            situation = _limits(situation, loan, loan.lender, lend=-posts)
    return situation


def with_own(situation: Situation, node: str, place: Loan | Change | Request, posts: int) -> Situation:
    """A node owns so many posts more in the pool of `place`."""
    if not any(row.node == node and row.pool == place.pool for row in situation.holdings):
        blank = Holding(node, place.pool, 0, lend_limit=0)
        situation = replace(situation, holdings=(*situation.holdings, blank))
    return _limits(situation, place, node, own=posts)


def _limits(
    situation: Situation, place: Loan | Change | Request, node: str, own: int = 0, lend: int = 0, borrow: int = 0
) -> Situation:
    def grown(limit: int | None, posts: int) -> int | None:
        return None if limit is None else max(0, limit + posts)

    return replace(situation, holdings=tuple(
        replace(row, own=row.own + own, lend_limit=grown(row.lend_limit, lend),
                borrow_limit=grown(row.borrow_limit, borrow))
        if row.node == node and row.pool == place.pool else row
        for row in situation.holdings
    ))  # fmt: skip


def applied(situation: Situation, change: Change) -> Situation:
    """The situation with one part of a smallest change made."""
    node, posts, pool = change.node, change.posts, change.pool
    match change.remedy:
        case Remedy.RETURN_OVERDUE:
            late = [loan for loan in situation.loans if loan.borrower == node and loan.due < situation.as_of]
            for loan in sorted(late, key=lambda loan: (loan.due, loan.number)):
                back = min(posts, loan.posts)
                situation = returned(situation, loan.number, back) if back else situation
                posts -= back
            return situation
        case Remedy.RAISE_UNIT_CAP | Remedy.RAISE_PURPOSE_CAP:
            purpose = None if change.remedy is Remedy.RAISE_UNIT_CAP else pool.purpose
            return replace(situation, caps=tuple(
                replace(cap, most=cap.most + posts) if (cap.unit, cap.purpose) == (node, purpose) else cap
                for cap in situation.caps
            ))  # fmt: skip
        case Remedy.ADD_RETIREMENTS:
            place, more = (node, pool.post_type, pool.fund_form), Retirement(change.by, posts)
            cells = {(cell.unit, cell.post_type, cell.fund_form): cell for cell in situation.cells}
            cell = cells.get(place, Cell(*place))
            cells[place] = replace(cell, retirements=(*cell.retirements, more) if posts else cell.retirements)
            return replace(situation, cells=tuple(cells.values()))
        case Remedy.RAISE_BORROW_LIMIT:
            return _limits(situation, change, node, borrow=posts)
        case Remedy.RAISE_LEND_LIMIT:
            return _limits(situation, change, node, lend=posts)
        case Remedy.ADD_POSTS:
            return with_own(situation, node, change, posts)
        case Remedy.RAISE_DIVISION_LIMIT:
            return replace(situation, division_limits=tuple(
                replace(row, limit=row.limit + posts) if (row.node, row.post_type) == (node, pool.post_type) else row
                for row in situation.division_limits
            ))  # fmt: skip
