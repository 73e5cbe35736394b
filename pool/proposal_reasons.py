"""Why a request is not proposed: the limits that bind, the smallest change that would pass, and its sentence. Pure.

Everything is said with what stands before the request in R15's order kept as proposed. The changes belong together:
all applied, the request passes; one post less in any of them, it fails.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import InvariantViolated
from pool.policies import add_months
from pool.proposal_input import PoolKey, Request
from pool.proposal_standing import Binding, Change, Remedy, Rule, Standing
from pool.tree import passed_up

MOST_HOLDERS = 3


@dataclass(frozen=True)
class Reason:
    """bindings: every limit broken, as things stand. changes: the smallest that would pass. holders: (unit, posts) of who
    holds posts of the pool below the node that is short, most first. passing: the most posts, fewer than asked, that
    would pass without any change (0: none). behind: requests kept waiting whose hold alone stands in the way.
    """

    bindings: tuple[Binding, ...]
    changes: tuple[Change, ...]
    holders: tuple[tuple[str, int], ...]
    passing: int
    behind: tuple[str, ...]


def reason_of(standing: Standing, request: Request, held: Sequence[Request]) -> Reason:
    """Why the request does not pass on top of what is counted. held: the requests held before it."""
    bindings = standing.bindings(request)
    return Reason(
        tuple(bindings), smallest_change(standing, request), _holders(standing, request, bindings),
        most_passing(standing, request), _behind(standing, request, held),
    )  # fmt: skip


def _behind(standing: Standing, request: Request, held: Sequence[Request]) -> tuple[str, ...]:
    """The held requests that stand in the way, when nothing else does: without them it would pass."""
    free = standing.copy()
    for other in held:
        free.release(other)
    if not held or free.bindings(request):
        return ()
    behind = []
    for other in held:
        free.hold(other)
        if free.bindings(request):
            free.release(other)
            behind.append(other.number)
    return tuple(behind)


def most_passing(standing: Standing, request: Request) -> int:
    """The most posts, up to those asked for, that would pass in this request's place."""
    low, high = 0, request.posts
    while low < high:
        middle = (low + high + 1) // 2
        if standing.bindings(replace(request, posts=middle)):
            high = middle - 1
        else:
            low = middle
    return low


def smallest_change(standing: Standing, request: Request) -> tuple[Change, ...]:
    """Changes that together let the request pass, none of them one post larger than needed; () when it passes."""
    trial, changes = standing.copy(), []
    while found := trial.bindings(request):
        change = _remedy(trial, request, found[0], {made.node for made in changes})
        if change in changes:
            raise InvariantViolated("所需变动没有消除约束。", request=request.number)
        changes.append(change)
        make(trial, change)
    return tuple(changes)


def _remedy(standing: Standing, request: Request, binding: Binding, mended: set[str]) -> Change:
    """What mends one limit and none that is mended already, so that every part of a change is needed by itself."""
    pool, short = request.pool, binding.short
    if binding.rule in MENDED_BY:
        remedy = MENDED_BY[binding.rule]
        by = add_months(standing.on, request.term_months) if remedy is Remedy.ADD_RETIREMENTS else None
        return Change(remedy, binding.node, pool, short, by=by)
    lent = standing.copy()
    lent.take(request)  # what the request itself takes below a limit is held back no longer
    keeper = _held_back(lent, pool, binding.node, short, mended)
    if keeper is not None:
        return Change(Remedy.RAISE_LEND_LIMIT, keeper, pool, short)
    return Change(Remedy.ADD_POSTS, binding.node, pool, short)


def _held_back(standing: Standing, pool: PoolKey, root: str, short: int, mended: set[str]) -> str | None:
    """A level's node whose lending limit alone keeps so many posts from the root; a unit's deposit is its own choice.

    None below a node that is mended already: its posts would mend that one a second time.
    """
    surplus = standing.surplus(pool)
    for code in standing.top_down:
        limit = standing.lend.get((pool, code), 0)
        above = standing.paths[code][1:]
        if code in standing.units or limit is None or root not in above or not mended.isdisjoint(above):
            continue
        arrived = passed_up(limit + short, surplus[code]) - passed_up(limit, surplus[code])
        steps = standing.climb(pool, standing.parents[code], arrived) if arrived else []
        if steps and steps[-1][0] == root and steps[-1][2] - steps[-1][1] == short:
            return code
    return None


def make(standing: Standing, change: Change) -> None:
    """Apply a change to a standing."""
    REMEDIES[change.remedy].apply(standing, change)


def _return_overdue(standing: Standing, change: Change) -> None:
    posts = change.posts
    for loan in standing.overdue(change.node):
        back = min(posts, loan.posts)
        if back:
            standing.give_back(loan.number, back)
        posts -= back


def _raise_cap(standing: Standing, change: Change) -> None:
    purpose = change.pool.purpose if change.remedy is Remedy.RAISE_PURPOSE_CAP else None
    standing.caps[change.node, purpose] += change.posts


def _add_retirements(standing: Standing, change: Change) -> None:
    cell = (change.node, change.pool.post_type, change.pool.fund_form)
    standing.add_retirement(cell, change.by, change.posts)


def _raise_borrow(standing: Standing, change: Change) -> None:
    standing.borrow[change.pool, change.node] += change.posts


def _raise_division(standing: Standing, change: Change) -> None:
    limit, quota = standing.divisions[change.node, change.pool.post_type]
    standing.divisions[change.node, change.pool.post_type] = (limit + change.posts, quota)


@dataclass(frozen=True)
class _Cure:
    """What a remedy does to a standing, its words, and the limit it mends (None: it depends on the tree)."""

    apply: Callable[[Standing, Change], None]
    words: str
    mends: Rule | None = None


REMEDIES: dict[Remedy, _Cure] = {
    Remedy.RETURN_OVERDUE: _Cure(_return_overdue, "{name}先办结逾期的 {posts} 个", Rule.OVERDUE),
    Remedy.RAISE_UNIT_CAP: _Cure(_raise_cap, "{name}借用总上限提高 {posts} 个", Rule.UNIT_CAP),
    Remedy.RAISE_PURPOSE_CAP: _Cure(_raise_cap, "{name}该用途借用上限提高 {posts} 个", Rule.PURPOSE_CAP),
    Remedy.ADD_RETIREMENTS: _Cure(
        _add_retirements, "{name}在 {by}（含当日）前再有 {posts} 人退休腾编，或由上一级编委主任批准", Rule.BACKING
    ),
    Remedy.RAISE_BORROW_LIMIT: _Cure(_raise_borrow, "{name}借入上限提高 {posts} 个", Rule.BORROW_LIMIT),
    Remedy.RAISE_LEND_LIMIT: _Cure(
        lambda standing, change: standing.raise_lend(change.pool, change.node, change.posts),
        "{name}借出上限提高 {posts} 个",
    ),
    Remedy.ADD_POSTS: _Cure(
        lambda standing, change: standing.shift(change.pool, change.node, change.posts),
        "{name}的周转池再增加 {posts} 个",
    ),
    Remedy.RAISE_DIVISION_LIMIT: _Cure(_raise_division, "{name}总量限额提高 {posts} 个", Rule.DIVISION_LIMIT),
}
MENDED_BY: dict[Rule, Remedy] = {cure.mends: remedy for remedy, cure in REMEDIES.items() if cure.mends}


def _holders(standing: Standing, request: Request, bindings: list[Binding]) -> tuple[tuple[str, int], ...]:
    places = [row.node for row in bindings if row.rule in (Rule.BORROW_LIMIT, Rule.FLOOR, Rule.DIVISION_LIMIT)]
    if not places:
        return ()
    posts: dict[str, int] = defaultdict(int)
    for loan in standing.loans.values():
        if (
            loan.number not in standing.kept
            and loan.pool == request.pool
            and places[0] in standing.paths[loan.borrower]
        ):
            posts[loan.borrower] += loan.posts
    return tuple(sorted(posts.items(), key=lambda pair: (-pair[1], pair[0])))


def pool_text(pool: PoolKey, words: Mapping[str, str]) -> str:
    """A pool as officials write it: 事业、全额拨款、教育. words: `Situation.words`."""
    return "、".join(words.get(part, part) for part in (pool.post_type, pool.fund_form, pool.purpose))


def binding_text(row: Binding, names: Mapping[str, str]) -> str:
    """One limit with its node and figures."""
    name = names[row.node]
    match row.rule:
        case Rule.OVERDUE:
            return f"{name}有 {row.before} 个周转编制逾期未还，归还、置换或续借之前不予新借"
        case Rule.UNIT_CAP:
            return f"{name}借用总上限 {row.limit} 个，已借（含拟借）{row.before} 个，加上本次共 {row.after} 个"
        case Rule.PURPOSE_CAP:
            return f"{name}该用途借用上限 {row.limit} 个，已借（含拟借）{row.before} 个，加上本次共 {row.after} 个"
        case Rule.BACKING:
            return (
                f"{name}到期日前退休腾出、扣除超编后可作依托 {row.limit} 个，已有依托 {row.before} 个，"
                f"加上本次共 {row.after} 个"
            )
        case Rule.BORROW_LIMIT:
            return (
                f"{name}借入上限 {-row.limit} 个，现净借入 {-row.before} 个，加上本次为 {-row.after} 个"
                if (row.before <= 0)
                else f"{name}借入上限 {-row.limit} 个，现有可用 {row.before} 个，加上本次须净借入 {-row.after} 个"
            )
        case Rule.FLOOR:
            return f"{name}须留余粮 {row.limit} 个，现有可用 {row.before} 个，借出本次后为 {row.after} 个"
        case Rule.DIVISION_LIMIT:
            return f"{name}总量限额 {row.limit} 个，编制数加净借入现为 {row.before} 个，加上本次为 {row.after} 个"


def change_text(change: Change, names: Mapping[str, str]) -> str:
    """One part of the smallest change."""
    return REMEDIES[change.remedy].words.format(name=names[change.node], posts=change.posts, by=change.by)


def holders_text(holders: tuple[tuple[str, int], ...], names: Mapping[str, str]) -> str:
    """Who holds the posts, the largest first, the rest as a number."""
    shown = "、".join(f"{names[unit]} {posts} 个" for unit, posts in holders[:MOST_HOLDERS])
    rest = f"等 {len(holders)} 个单位" if len(holders) > MOST_HOLDERS else ""
    return f"在借（含拟借）：{shown}{rest}。" if holders else ""


def reason_text(request: Request, reason: Reason, names: Mapping[str, str], words: Mapping[str, str]) -> str:
    """The sentences a refused applicant reads: limits, who holds the posts, what would pass."""
    bound = "；".join(binding_text(row, names) for row in reason.bindings)
    changes = "，并且".join(change_text(change, names) for change in reason.changes)
    fewer = f"；或只借 {reason.passing} 个" if reason.passing else ""
    behind = ""
    if reason.behind:
        behind = f"所缺编制正为等待已久的申请 {'、'.join(reason.behind)} 保留。"
    return (
        f"申请 {request.number}（{names[request.unit]}，{pool_text(request.pool, words)}，{request.posts} 个）"
        f"本次未列入建议：{bound}。{holders_text(reason.holders, names)}{behind}"
        f"排在前面的建议不变时，{changes}，即可通过{fewer}。"
    )
