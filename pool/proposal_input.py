"""What an allocation proposal is made from: tree, stock, limits, loans, coming retirements, waiting requests. Pure.

Plain values of one moment. A limit is a number, or None = unlimited; unlimited is not zero. Signs and words follow
DOMAIN §5; how R15 and R06 are read stands in docs/decisions/0006-proposal.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum

from core.errors import InputRejected
from core.types import FundForm, PostType
from pool.ledger import MOST_POSTS  # the solver counts in floating point: far below where that would matter
from pool.tree import Limit


class Need(IntEnum):
    """The classes of R15, first served first."""

    PLACEMENT = 0
    RIGID = 1
    ORDINARY = 2


NEED_LABELS: dict[Need, str] = {
    Need.PLACEMENT: "政策性安置",
    Need.RIGID: "刚性需求",
    Need.ORDINARY: "一般需求",
}


@dataclass(frozen=True, order=True)
class PoolKey:
    """Posts that may stand in for one another: nothing crosses post types, fund forms or purposes (R03, R05)."""

    post_type: PostType
    fund_form: FundForm
    purpose: str


@dataclass(frozen=True)
class Node:
    """A level's node or, as a leaf, a unit."""

    code: str
    name: str
    parent: str | None = None
    is_unit: bool = False


@dataclass(frozen=True)
class Holding:
    """What a node has in one pool, in posts.

    own: of a unit, deposits − borrowed − excess, without what the requests of this situation have asked for; of a node
    above, the posts granted to it. lend_limit: of a unit, its deposits. floor counts at a root only.
    """

    node: str
    pool: PoolKey
    own: int
    lend_limit: Limit = None
    borrow_limit: Limit = None
    floor: int = 0


@dataclass(frozen=True)
class Loan:
    """Posts lent and not returned. due: last good day. lender: the node whose posts they are.

    backed: it rests on coming retirements (R06), not on the upper director's consent. recalled: on return the posts go
    home to the lender, not back to the pool.
    """

    number: str
    borrower: str
    lender: str | None
    pool: PoolKey
    posts: int
    due: date
    backed: bool = True
    recalled: bool = False


@dataclass(frozen=True)
class Retirement:
    """Posts of a cell that fall vacant; on: the first day without the person."""

    on: date
    posts: int


@dataclass(frozen=True)
class Cell:
    """A cell's coming retirements and its posts over quota."""

    unit: str
    post_type: PostType
    fund_form: FundForm
    over_quota: int = 0
    retirements: tuple[Retirement, ...] = ()


@dataclass(frozen=True)
class Cap:
    """The most posts a unit may hold on loan for a purpose, or (None) over all purposes (R15)."""

    unit: str
    purpose: str | None
    most: int


@dataclass(frozen=True)
class DivisionLimit:
    """R17: quota (of all units below the node) + borrowed from outside − lent outside ≤ limit, per post type."""

    node: str
    post_type: PostType
    limit: int
    quota: int


@dataclass(frozen=True)
class Request:
    """A waiting request, granted whole or not at all. backing_waived: the director of the level above has consented (R06)."""

    number: str
    unit: str
    pool: PoolKey
    posts: int
    submitted_on: date
    need: Need = Need.ORDINARY
    term_months: int = 36
    backing_waived: bool = False

    @property
    def rank(self) -> tuple[Need, date, str, str]:
        """R15's order: need, waiting time, unit code; the request's number last, so that no two are equal."""
        return (self.need, self.submitted_on, self.unit, self.number)


@dataclass(frozen=True)
class Situation:
    """Everything a proposal looks at, as it stands on `as_of`. A unit without a Holding holds and lends nothing.

    skip_days: how long a request too large may be passed over (R15). horizon_months: how far the forecast looks.
    words: the labels of post types, fund forms and purposes, by identifier, for the sentences.
    """

    as_of: date
    nodes: tuple[Node, ...]
    holdings: tuple[Holding, ...]
    requests: tuple[Request, ...]
    loans: tuple[Loan, ...] = ()
    cells: tuple[Cell, ...] = ()
    caps: tuple[Cap, ...] = ()
    division_limits: tuple[DivisionLimit, ...] = ()
    skip_days: int = 90
    horizon_months: int = 60
    words: Mapping[str, str] = field(default_factory=dict)


def paths(situation: Situation) -> dict[str, tuple[str, ...]]:
    """Every node with those above it, itself first, its root last. Errors: InputRejected for a loop or unknown parent."""
    parents = {node.code: node.parent for node in situation.nodes}
    found = {}
    for code in parents:
        path: list[str] = []
        at: str | None = code
        while at is not None:
            if at in path or at not in parents:
                raise InputRejected(f"节点 {code} 的上级不存在，或者上下级成环。")
            path.append(at)
            at = parents[at]
        found[code] = tuple(path)
    return found


def check_situation(situation: Situation) -> None:
    """Errors: InputRejected naming what contradicts itself, is unknown or cannot be counted."""
    _check_unique("节点", [node.code for node in situation.nodes])
    _check_unique("持有数", [(row.node, row.pool) for row in situation.holdings])
    _check_unique("借用", [loan.number for loan in situation.loans] + [row.number for row in situation.requests])
    _check_unique("单元格", [(cell.unit, cell.post_type, cell.fund_form) for cell in situation.cells])
    _check_unique("单项上限", [(cap.unit, cap.purpose) for cap in situation.caps])
    _check_unique("总量限额", [(row.node, row.post_type) for row in situation.division_limits])
    _check_places(situation)
    _check_numbers(situation)


def _check_unique(what: str, keys: list) -> None:
    seen = set()
    for key in keys:
        if key in seen:
            raise InputRejected(f"{what} {key} 出现了两次。")
        seen.add(key)


def _check_places(situation: Situation) -> None:
    known = paths(situation)
    named = [row.node for row in situation.holdings] + [row.node for row in situation.division_limits]
    named += [loan.borrower for loan in situation.loans] + [row.unit for row in situation.requests]
    named += [loan.lender for loan in situation.loans if loan.lender is not None]
    for code in named:
        if code not in known:
            raise InputRejected(f"没有节点 {code}。")
    held = {(row.node, row.pool) for row in situation.holdings}
    pools = {pool for _, pool in held} | {request.pool for request in situation.requests}
    pools |= {loan.pool for loan in situation.loans}
    for pool in sorted(pools):
        if pool.post_type is PostType.CONTROL_NUMBER:
            raise InputRejected("控制数/员额不进入周转池。")
        for node in situation.nodes:
            # A level's limits are a decision of people: a missing one is unknown, neither zero nor unlimited.
            if not node.is_unit and (node.code, pool) not in held:
                raise InputRejected(
                    f"节点 {node.code} 缺少 {pool.post_type}、{pool.fund_form}、{pool.purpose} 的上限。"
                )


def _check_numbers(situation: Situation) -> None:
    at_least_one = [row.posts for row in (*situation.requests, *situation.loans)]
    at_least_one += [row.term_months for row in situation.requests]
    at_least_one += [part.posts for cell in situation.cells for part in cell.retirements]
    not_negative = [cell.over_quota for cell in situation.cells] + [cap.most for cap in situation.caps]
    not_negative += [n for row in situation.division_limits for n in (row.limit, row.quota)]
    for row in situation.holdings:
        not_negative += [n for n in (row.lend_limit, row.borrow_limit, row.floor, abs(row.own)) if n is not None]
    if any(number < 1 for number in at_least_one) or any(number < 0 for number in not_negative):
        raise InputRejected("个数、期限须为正整数，上限、余粮不得为负数。")
    if any(number > MOST_POSTS for number in (*at_least_one, *not_negative)):
        raise InputRejected(f"个数不得超过 {MOST_POSTS}。")
    if any(request.submitted_on > situation.as_of for request in situation.requests):
        raise InputRejected("申请日期晚于测算日期。")
