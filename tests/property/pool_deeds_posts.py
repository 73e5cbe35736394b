"""What the simulated office does to posts: by document, by the gate, undone, and to the tree itself."""

from __future__ import annotations

from datetime import date, timedelta

from pool.service import (
    convert_posts,
    cut_posts,
    deposit_posts,
    fill_posts,
    grant_posts,
    release_posts,
    reserve_posts,
    transfer_posts,
    vacate_posts,
    withdraw_posts,
)
from pool.service_nodes import abolish_node, merge_nodes, reparent_node, set_limits
from tests.property.pool_deed import Deed, Sim, key
from tests.property.pool_desk import Lot, pooled_key
from tests.property.pool_model import Movement, Partition
from tests.property.pool_province import PARTITIONS, PURPOSES, ROOT, TOP_DIRECTOR, TOP_REVIEWER

DOCUMENTS = ("编委1", "编委2", "编委3")


def some_day(sim: Sim) -> date:
    """Mostly today, now and then some days ago or to come."""
    at = sim.dice.random()
    if at < 0.94:
        return sim.today
    return sim.today + timedelta(days=sim.dice.randint(1, 20) * (-1 if at < 0.98 else 1))


def _plain(sim: Sim, name, use_case, login, args, movement: Movement, **extra) -> Deed:
    """A deed that books one movement, refused for a closed holder first."""
    book = sim.desk.book
    closed = any(holder in sim.desk.closed for holder in movement.holders)
    expect = extra.pop("expect", None) or ("CLOSED" if closed else sim.desk.refuses_document(movement))

    def happen(receipt) -> None:
        sim.same("movement", receipt["movement"], book.post(movement))

    return Deed(name, use_case, login, args, expect, happen, **extra)


def grant(sim: Sim) -> Deed:
    holder, cell, posts, day = sim.any_cell(), sim.dice.choice(PARTITIONS), sim.dice.randint(1, 4), some_day(sim)
    moves = [(key("authority", "AUTHORITY", cell), -posts), (key("home", holder, cell), posts)]
    return _plain(sim, "grant", grant_posts, TOP_REVIEWER, (holder, *cell, posts, sim.dice.choice(DOCUMENTS), day),
                  Movement("GRANT", day, moves, holders=(holder,)))  # fmt: skip


def cut(sim: Sim) -> Deed:
    """Mostly of vacant posts; now and then below use, or of more than there are."""
    deep = sim.dice.random() < 0.1
    holder, cell = sim.cell_with(lambda row: row.vacant + row.people > 0 if deep else row.vacant > 0)
    posts, day = sim.dice.choice([1, 2, 5, 30]) if deep else 1, some_day(sim)
    moves = [(key("home", holder, cell), -posts), (key("authority", "AUTHORITY", cell), posts)]
    movement = Movement("CUT", day, moves, holders=(holder,))
    expect = None
    if holder not in sim.desk.closed and least_quota(sim, holder, cell, day) < posts:
        expect = "MORE_THAN_QUOTA"
    return _plain(sim, "cut", cut_posts, TOP_REVIEWER, (holder, *cell, posts, "编委4", day), movement, expect=expect)


def least_quota(sim: Sim, holder: str, cell: Partition, day: date) -> int:
    """The smallest quota of a cell on any day from one on."""
    book = sim.desk.book
    later = [
        (when, posts) for when, at, posts, _ in book.recent[cell]
        if at[1] == holder and at[0] not in ("borrowed", "authority") and when > day
    ]  # fmt: skip
    row = book.holding(cell, holder)
    total = row.vacant + row.people - row.seated + row.reserved + sum(row.pooled.values())
    return min(total - sum(more for when, more in later if when > until) for until in [day, *(d for d, _ in later)])


def transfer(sim: Sim) -> Deed:
    giver, cell = sim.cell_with(lambda row: row.vacant > 0)
    taker, posts, day = sim.any_unit(), sim.dice.randint(1, 3), some_day(sim)
    people = sim.dice.choice([0, 0, 1, posts])
    moves = [
        (key("home", giver, cell), people - posts), (key("in_use", giver, cell), -people),
        (key("home", taker, cell), posts - people), (key("in_use", taker, cell), people),
    ]  # fmt: skip
    movement = Movement("TRANSFER", day, [move for move in moves if move[1]], holders=(giver, taker))
    args = (giver, taker, *cell, posts, sim.dice.choice(DOCUMENTS))
    same = giver == taker
    central = sim.central()
    expect = "SAME_NODE" if same else sim.lacks_central(giver, taker, cell, central)
    return _plain(sim, "transfer", transfer_posts, TOP_REVIEWER, args, movement, early=same, expect=expect,
                  kwargs={"people": people, "effective": day, "central_no": central})  # fmt: skip


def deposit(sim: Sim) -> Deed:
    """Into a pool at or above the giver's node; now and then into one that is not, or with an unlisted source."""
    dice, book = sim.dice, sim.desk.book
    giver, cell = sim.cell_with(lambda row: row.vacant > 0)
    source = dice.choice(["USE_RIGHT_LENT", "USE_RIGHT_LENT", "RECLAIM", "TOTAL_SLICE"])
    posts, day, purpose, number = dice.randint(1, 5), some_day(sim), dice.choice(PURPOSES), book.seq + 1
    up = book.path(giver)[1:] if giver in book.parent else [ROOT]
    node = dice.choice(sim.divisions()) if dice.random() < 0.1 else dice.choice(up or [ROOT])
    expect = None
    if source == "TOTAL_SLICE":
        giver, node, posts = None, dice.choice(sim.divisions()), dice.randint(3, 9)
    elif giver not in sim.desk.closed and node not in up:
        expect = "NOT_ABOVE"
    central = sim.central()
    if giver and node not in sim.desk.closed:
        expect = expect or sim.lacks_central(giver, node, cell, central)
    owner = giver if source == "USE_RIGHT_LENT" else node
    lot = Lot(number, owner, node, cell, purpose, day)
    start = key("home", giver, cell) if giver else key("authority", "AUTHORITY", cell)
    moves = [(start, -posts), (pooled_key("idle", lot), posts)]
    args = (node, *cell, purpose, posts, source, "编委5")
    deed = _plain(sim, "deposit", deposit_posts, TOP_REVIEWER, args,
                  Movement("DEPOSIT", day, moves, holders=tuple(filter(None, (giver, node)))),
                  expect=expect, kwargs={"giver": giver, "effective": day, "central_no": central})  # fmt: skip
    inner = deed.happen

    def happen(receipt) -> None:
        book.owner[number], sim.desk.lots[number] = owner, lot
        inner(receipt)

    deed.happen = happen
    return deed


def withdraw(sim: Sim) -> Deed | None:
    if not sim.desk.lots:
        return None
    lot, posts, day = sim.dice.choice(list(sim.desk.lots.values())), sim.dice.randint(1, 2), some_day(sim)
    moves = [(pooled_key("idle", lot), -posts), (key("home", lot.owner, lot.partition), posts)]
    movement = Movement("WITHDRAW", day, moves, holders=(lot.owner,), rests_on=lot.number)
    deed = _plain(sim, "withdraw", withdraw_posts, TOP_REVIEWER, (lot.number, posts, "编委6", day), movement)
    inner = deed.happen

    def happen(receipt) -> None:
        inner(receipt)
        waits = [number for number in sim.desk.homeward if sim.desk.slots[number].lot == lot.number]
        for number in waits[:posts]:
            del sim.desk.homeward[number]

    deed.happen = happen
    return deed


def convert(sim: Sim) -> Deed:
    """ADMIN to another type is closed by policy; within the group, and within a fund form, it is open."""
    holder, cell = sim.cell_with(lambda row: row.vacant > 0)
    target = ("POLITICAL_LEGAL", "FULL") if cell[0] == "ADMIN" else sim.dice.choice(PARTITIONS)
    posts, day = 1, sim.today
    moves = [
        (key("home", holder, cell), -posts), (key("authority", "AUTHORITY", cell), posts),
        (key("authority", "AUTHORITY", target), -posts), (key("home", holder, target), posts),
    ]  # fmt: skip
    expect = "SAME_CELL" if cell == target else None if cell[0] == "ADMIN" else "CLOSED"
    movement = Movement("CONVERSION", day, moves, holders=(holder,))
    if expect:
        movement.free = True
    return _plain(sim, "convert", convert_posts, TOP_DIRECTOR, (holder, cell, target, posts, "编委7", day), movement,
                  expect=expect, early=expect is not None)  # fmt: skip


def reserve(sim: Sim) -> Deed:
    holder, cell = sim.cell_with(lambda row: row.vacant > 0)
    posts, day, number = sim.dice.randint(1, 2), some_day(sim), sim.desk.book.seq + 1
    permit = sim.dice.random() < 0.5
    moves = [(key("home", holder, cell), -posts), (key("reserved", holder, cell, lot=number), posts)]
    expect = None
    if permit and holder not in sim.desk.closed and holder.startswith("U:") and sim.desk.overdue(holder):
        expect = "UNIT_OVERDUE"
    deed = _plain(sim, "reserve", reserve_posts, TOP_REVIEWER, (holder, *cell, posts, "PERMIT" if permit else "军转", day),
                  Movement("RESERVE", day, moves, holders=(holder,)), expect=expect)  # fmt: skip
    inner = deed.happen

    def happen(receipt) -> None:
        inner(receipt)
        sim.desk.reserves[number] = (holder, cell, permit)

    deed.happen = happen
    return deed


def from_reserve(sim: Sim) -> Deed | None:
    """FILL or RELEASE of a reserve, whether it still holds anything or not."""
    if not sim.desk.reserves:
        return None
    recent = list(sim.desk.reserves)[-60:]
    number, fills = sim.dice.choice(recent), sim.dice.random() < 0.6
    holder, cell, _ = sim.desk.reserves[number]
    posts, day = sim.dice.choice([1, 1, 2]), sim.today
    moves = [
        (key("reserved", holder, cell, lot=number), -posts),
        (key("in_use" if fills else "home", holder, cell), posts),
    ]
    movement = Movement("FILL" if fills else "RELEASE", day, moves, rests_on=number, holders=(holder,))
    use_case = fill_posts if fills else release_posts
    expect = sim.desk.book.refuses(movement)
    return _plain(
        sim, "permit " + movement.kind.lower(), use_case, TOP_REVIEWER, (number, posts, day), movement, expect=expect
    )


def vacate(sim: Sim) -> Deed:
    holder, cell = sim.cell_with(lambda row: row.people > 0)
    posts, day = sim.dice.choice([1, 1, 1, 40]), some_day(sim)
    moves = [(key("in_use", holder, cell), -posts), (key("home", holder, cell), posts)]
    movement = Movement("VACATE", day, moves, holders=(holder,))
    expect = sim.desk.book.refuses(movement)
    return _plain(sim, "vacate", vacate_posts, TOP_REVIEWER, (holder, *cell, posts, day), movement, expect=expect)


def limits(sim: Sim) -> Deed:
    """Near what T is now, so that they bind; now and then below it, which opens debt."""
    dice, book = sim.dice, sim.desk.book
    unit = dice.random() < 0.1
    node = sim.any_unit() if unit else dice.choice(sim.divisions())
    cell, purpose = dice.choice(PARTITIONS[:2]), dice.choice(["", "", *PURPOSES])
    at = book.surplus(cell, purpose).get(node, 0)
    borrow = None if dice.random() < 0.5 else max(0, -at + dice.choice([-1, 0, 1, 2, 4, 6]))
    lend = None if unit or dice.random() < 0.4 else dice.randint(0, 6)
    floor = max(0, at - dice.randint(0, 12)) if node == ROOT and dice.random() < 0.3 else 0
    return limits_deed(sim, node, cell, purpose, lend, borrow, floor)


def limits_deed(sim: Sim, node: str, cell: Partition, purpose: str, lend, borrow, floor: int = 0) -> Deed:
    """These limits; None: unlimited."""
    book = sim.desk.book
    expect = "CLOSED" if node in sim.desk.closed else None
    if expect is None and _pinches(sim, node, (*cell, purpose), (lend, borrow, floor)):
        expect = "LIMIT"
    words = {"lend": "unlimited" if lend is None else lend, "borrow": "unlimited" if borrow is None else borrow}

    def happen(_receipt) -> None:
        book.limits[(node, *cell, purpose)] = (lend, borrow, floor)
        book.tree_changed()

    return Deed("limits", set_limits, TOP_DIRECTOR, (node, *cell), expect, happen,
                kwargs={**words, "floor": floor, "purpose": purpose})  # fmt: skip


def _pinches(sim: Sim, node: str, known: tuple[str, str, str], given: tuple) -> bool:
    """Whether lending no more than that deepens the deficit of another node."""
    book, at = sim.desk.book, (node, *known)
    before, held = dict(book.surplus(known[:2], known[2])), book.limits.get(at)
    book.limits[at] = given
    book.tree_changed()
    after = dict(book.surplus(known[:2], known[2]))
    worse = any(
        book.short(other, known, after[other]) > book.short(other, known, posts)
        for other, posts in before.items() if other != node and other in after
    )  # fmt: skip
    if held is None:
        del book.limits[at]
    else:
        book.limits[at] = held
    book.tree_changed()
    return worse


def reparent(sim: Sim) -> Deed:
    dice, book = sim.dice, sim.desk.book
    node = sim.any_unit() if dice.random() < 0.5 else dice.choice(sim.divisions()[1:])
    parent = dice.choice([*sim.divisions(), sim.any_unit()])
    if {node, parent} & set(sim.desk.closed):
        expect = "CLOSED"
    elif parent.startswith("U:"):
        expect = "NOT_A_POOL"
    elif node in book.path(parent):
        expect = "LOOP"
    else:
        expect = sim.tree_refuses({**book.parent, node: parent})

    def happen(_receipt) -> None:
        book.parent[node] = parent
        book.tree_changed()

    return Deed("reparent", reparent_node, TOP_DIRECTOR, (node, parent, "编委9"), expect, happen)


def merge(sim: Sim) -> Deed:
    """One unit into another; mostly refused, for most owe or are owed something."""
    desk, book = sim.desk, sim.desk.book
    node, into = sim.any_unit(), sim.any_unit()
    movements = [] if node == into else _hand_over(sim, node, into)
    busy = any(node in (desk.loans[s.loan].unit, s.lender) for s in desk.live.values())
    busy |= any(request.unit == node for request in desk.waiting.values())
    rows = [state[node] for state in book.states.values() if node in state]
    to_come = any(day > sim.today and at[1] == node for entries in book.recent.values() for day, at, *_ in entries)
    left = {at: above for at, above in book.parent.items() if at != node}
    answers = (
        (node in desk.closed, "CLOSED"), (node == into, "NOT_UNITS"), (into in desk.closed, "CLOSED"), (busy, "HAS_LOANS"),
        (any(row.reserved or any(row.pooled.values()) for row in rows) or to_come, "NOT_EMPTY"),
    )  # fmt: skip
    expect = next((answer for holds, answer in answers if holds), None)
    central = sim.central()
    cells = [(move.moves[0][0][2], move.moves[0][0][3]) for move in movements]
    expect = expect or next(filter(None, (sim.lacks_central(node, into, cell, central) for cell in cells)), None)
    expect = expect or sim.tree_refuses(left, movements)

    def happen(_receipt) -> None:
        for movement in movements:
            book.post(movement)
        desk.closed.add(node)
        del book.parent[node]
        book.tree_changed()

    return Deed("merge", merge_nodes, TOP_DIRECTOR, (node, into, "编委10"), expect, happen,
                kwargs={"central_no": central})  # fmt: skip


def _hand_over(sim: Sim, node: str, into: str) -> list[Movement]:
    found = []
    for cell in sorted(sim.desk.book.states):
        row = sim.desk.book.states[cell].get(node)
        if row is None or not (row.vacant or row.people):
            continue
        moves = [
            (key("home", node, cell), -row.vacant), (key("in_use", node, cell), -row.people),
            (key("home", into, cell), row.vacant), (key("in_use", into, cell), row.people),
        ]  # fmt: skip
        found.append(Movement("TRANSFER", sim.today, [m for m in moves if m[1]], holders=(node, into), debt=True))
    return found


def abolish(sim: Sim) -> Deed | None:
    """A township's node: it still has units below it."""
    node = sim.dice.choice([node for node in sim.divisions() if node.startswith("TOWNSHIP")])
    below = any(parent == node for parent in sim.desk.book.parent.values())
    held = any(at[1] == node and posts for at, posts in sim.desk.book.held.items())
    decides = any(request.place == node for request in sim.desk.waiting.values())
    if not (below or held or decides):
        return None
    lends = any(slot.lender == node for slot in sim.desk.live.values())
    expect = "HAS_LOANS" if lends else "NOT_EMPTY"
    return Deed("abolish", abolish_node, TOP_DIRECTOR, (node, "编委11"), expect, lambda _receipt: None)
