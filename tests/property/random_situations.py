"""Small random situations for the allocation proposal: few posts, many limits, many ties, so that much binds."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from core.types import FundForm, PostType
from pool.proposal_input import (
    Cap,
    Cell,
    DivisionLimit,
    Holding,
    Loan,
    Need,
    Node,
    PoolKey,
    Request,
    Retirement,
    Situation,
)

AS_OF = date(2026, 11, 30)
POOLS = (
    PoolKey(PostType.INSTITUTION, FundForm.FULL, "education"),
    PoolKey(PostType.INSTITUTION, FundForm.FULL, "health"),
    PoolKey(PostType.INSTITUTION, FundForm.PART, "education"),
    PoolKey(PostType.ADMIN, FundForm.FULL, "education"),
)


def random_situation(seed: int) -> Situation:
    """A tree of two or three levels, one to four pools, up to eight requests on few days.

    Every other situation is plain: nothing but stock is scarce, so that requests of one rank compete for it.
    """
    dice = Random(seed)
    plain = seed % 2 == 0
    nodes = _nodes(dice)
    pools = dice.sample(POOLS, dice.choice([1, 1, 2, 4]))
    units = [node.code for node in nodes if node.is_unit]
    holdings = [row for pool in pools for row in _holdings(dice, nodes, pool)]
    requests = tuple(_request(dice, f"S{number}", units, pools, plain) for number in range(dice.randint(2, 8)))
    loans = tuple(_loan(dice, f"L{number}", nodes, units, pools) for number in range(dice.choice([0, 1, 2, 4])))
    caps = tuple(
        Cap(unit, purpose, dice.randint(2, 9))
        for unit in units
        for purpose in (None, *sorted({pool.purpose for pool in pools}))
        if dice.random() < (0.0 if plain else 0.2)
    )
    limits = tuple(
        DivisionLimit(node.code, post_type, 100 + dice.randint(-1, 6), 100)
        for node in nodes
        if not node.is_unit
        for post_type in sorted({pool.post_type for pool in pools})
        if dice.random() < 0.3
    )
    cells = tuple(_cell(dice, unit, place) for unit in units for place in sorted({pool_cell(pool) for pool in pools}))
    return Situation(AS_OF, nodes, tuple(holdings), requests, loans, cells, caps, limits)


def pool_cell(pool: PoolKey) -> tuple[PostType, FundForm]:
    return pool.post_type, pool.fund_form


def _nodes(dice: Random) -> tuple[Node, ...]:
    nodes = [Node("R", "市")]
    for number in range(dice.randint(1, 3)):
        nodes.append(Node(f"C{number}", f"区{number}", "R"))
        if dice.random() < 0.3:
            nodes.append(Node(f"T{number}", f"街道{number}", f"C{number}"))
    places = [node.code for node in nodes[1:]]
    units = [Node(f"u{number}", f"单位{number}", dice.choice(places), True) for number in range(dice.randint(2, 5))]
    return (*nodes, *units)


def _holdings(dice: Random, nodes: tuple[Node, ...], pool: PoolKey) -> list[Holding]:
    rows = []
    for node in nodes:
        if node.is_unit:
            deposit = dice.choice([0, 0, 2, 5])
            if dice.random() < 0.7:
                rows.append(
                    Holding(node.code, pool, deposit - dice.choice([0, 0, 1, 3]), deposit, dice.choice([None, 5]))
                )
        else:
            own = dice.choice([0, 3, 6, 9]) - (dice.randint(0, 12) if dice.random() < 0.1 else 0)
            lend, borrow = dice.choice([None, 0, 2, 5]), dice.choice([None, None, 0, 3, 6])
            floor = dice.randint(0, 3) if node.parent is None else 0
            rows.append(Holding(node.code, pool, own, lend, borrow, floor))
    return rows


def _request(dice: Random, number: str, units: list[str], pools: list[PoolKey], plain: bool) -> Request:
    waited = dice.choice([5, 5, 90, 120] if plain else [5, 5, 30, 30, 90, 91, 200])
    return Request(
        number, dice.choice(units), dice.choice(pools), dice.randint(1, 7), AS_OF - timedelta(days=waited),
        Need.ORDINARY if plain else dice.choice(list(Need)), dice.choice([12, 36, 60]),
        backing_waived=plain or dice.random() < 0.6,
    )  # fmt: skip


def _loan(dice: Random, number: str, nodes: tuple[Node, ...], units: list[str], pools: list[PoolKey]) -> Loan:
    due = AS_OF + timedelta(days=dice.choice([40, 400, 700, 1000, 1500]))
    if dice.random() < 0.1:
        due = AS_OF - timedelta(days=dice.randint(0, 3))
    lender = dice.choice([node.code for node in nodes])
    return Loan(
        number, dice.choice(units), lender, dice.choice(pools), dice.randint(1, 3), due,
        backed=dice.random() < 0.5, recalled=dice.random() < 0.1,
    )  # fmt: skip


def _cell(dice: Random, unit: str, place: tuple[PostType, FundForm]) -> Cell:
    parts = tuple(
        Retirement(AS_OF + timedelta(days=dice.choice([0, 30, 300, 365, 1000, 1096, 1700])), dice.randint(1, 4))
        for _ in range(dice.choice([0, 1, 2, 3]))
    )
    return Cell(unit, *place, dice.choice([0, 0, 0, 1]), parts)


LARGE_POOLS = (
    PoolKey(PostType.INSTITUTION, FundForm.FULL, "education"),
    PoolKey(PostType.INSTITUTION, FundForm.FULL, "health"),
    PoolKey(PostType.INSTITUTION, FundForm.PART, "health"),
    PoolKey(PostType.ADMIN, FundForm.FULL, "enforcement"),
)


def large_situation(seed: int, requests: int, units: int, same_day: bool) -> Situation:
    """A city of ten counties with their townships; about half of what is asked for can be lent."""
    dice = Random(seed)
    nodes = [Node("R", "市")] + [Node(f"C{c}", f"区{c}", "R") for c in range(10)]
    nodes += [Node(f"T{c}{t}", f"街道{c}{t}", f"C{c}") for c in range(10) for t in range(3)]
    places = [node.code for node in nodes[1:]]
    names = [f"u{number:04d}" for number in range(units)]
    nodes += [Node(name, f"单位{name}", dice.choice(places), True) for name in names]
    holdings = []
    for pool in LARGE_POOLS:
        for node in nodes:
            own = dice.randint(0, 1) if node.is_unit else dice.randint(0, 2)
            holdings.append(
                Holding(node.code, pool, own, own) if node.is_unit
                else Holding(node.code, pool, own, dice.choice([None, 4, 8]), dice.choice([None, 5, 15]), 0)
            )  # fmt: skip
    asked = tuple(
        Request(
            f"S{n:04d}", dice.choice(names), dice.choice(LARGE_POOLS), dice.randint(1, 12),
            AS_OF - timedelta(days=30 if same_day else dice.randint(0, 365)), dice.choice(list(Need)),
            dice.choice([12, 36, 60]), backing_waived=dice.random() < 0.9,
        )
        for n in range(requests)
    )  # fmt: skip
    loans = tuple(
        Loan(f"L{n:04d}", dice.choice(names), dice.choice(places), dice.choice(LARGE_POOLS), dice.randint(1, 4),
             AS_OF + timedelta(days=dice.randint(1, 1800)))
        for n in range(units * 2)
    )  # fmt: skip
    cells = tuple(
        Cell(name, post_type, fund_form, 0, tuple(
            Retirement(AS_OF + timedelta(days=dice.randint(1, 1800)), dice.randint(1, 3)) for _ in range(4)
        ))
        for name in names
        for post_type, fund_form in sorted({(pool.post_type, pool.fund_form) for pool in LARGE_POOLS})
    )  # fmt: skip
    caps = tuple(Cap(name, None, 40) for name in names)
    limits = tuple(DivisionLimit(f"C{c}", PostType.INSTITUTION, 1030, 1000) for c in range(10))
    return Situation(AS_OF, tuple(nodes), tuple(holdings), asked, loans, cells, caps, limits)
