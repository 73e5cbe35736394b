"""The rows laid beside the model: what a step touched after each step, and everything with the proof from time to time."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select

from core.audit import broken_link
from core.db import reading
from pool.housekeeping import open_suggestions
from pool.models import PoolBalance, PoolMovement, PoolRequest, PoolSlot, PoolSum
from pool.proof import broken_proofs
from pool.store import cell_figures
from tests.property.pool_deed import Difference, Sim
from tests.property.pool_desk import Request, Slot

BALANCE, SUM, SLOT, REQUEST = PoolBalance.__table__, PoolSum.__table__, PoolSlot.__table__, PoolRequest.__table__
HEAD = select(func.coalesce(func.max(PoolMovement.seq), 0))
BALANCES = select(BALANCE)
SUMS = select(SUM)
SLOTS = select(SLOT.c[
    "slot_no", "loan_no", "lot_no", "lender_id", "status", "due_date", "person_key", "filled_on", "fill_seq",
    "recalled_on", "ended_on",
])  # fmt: skip
REQUESTS = select(REQUEST.c["number", "status", "granted", "loan_no", "decided_by", "decision_node"])
SOME_BALANCES = BALANCES.where(BALANCE.c.holder.in_(bindparam("holders", expanding=True)))
SOME_SUMS = SUMS.where(SUM.c.node_id.in_(bindparam("nodes", expanding=True)))
SOME_SLOTS = SLOTS.where(SLOT.c.slot_no.in_(bindparam("numbers", expanding=True)))
SOME_REQUESTS = REQUESTS.where(REQUEST.c.number.in_(bindparam("numbers", expanding=True)))


def _of_slot(slot: Slot) -> tuple:
    return (slot.number, slot.loan, slot.lot, slot.lender, slot.status, slot.due, slot.person, slot.filled,
            slot.fill_seq, slot.recalled, slot.ended)  # fmt: skip


def _of_request(request: Request) -> tuple:
    return request.number, request.status, request.granted, request.loan, request.decided_by, request.place


def check_step(sim: Sim, since: int) -> None:
    """Cells, ancestors, slots and requests this step touched. since: the chain's head before it."""
    book = sim.desk.book
    moved = [book.movements[seq] for seq in range(since + 1, book.seq + 1)]
    keys = {at for movement in moved for at, _ in movement.moves}
    with sim.province.engine.connect() as connection:
        sim.same("head of the chain", connection.scalar(HEAD), book.seq)
        if keys:
            holders = {at[1] for at in keys}
            _same_balances(sim, connection.execute(SOME_BALANCES, {"holders": sorted(holders)}), holders)
            claimants = {movement.claimant for movement in moved} - {None}
            nodes = {node for holder in holders | claimants if holder in book.parent for node in book.path(holder)}
            trees = {(at[2], at[3], purpose) for at in keys for purpose in ("", at[4])}
            _same_sums(sim, connection.execute(SOME_SUMS, {"nodes": sorted(nodes)}), nodes, trees)
        if sim.touch_slots:
            ours = {number: _of_slot(sim.desk.slots[number]) for number in sim.touch_slots}
            _same_rows(sim, connection.execute(SOME_SLOTS, {"numbers": sorted(ours)}), ours)
        if sim.touch_requests:
            ours = {number: _of_request(sim.desk.requests[number]) for number in sim.touch_requests}
            _same_rows(sim, connection.execute(SOME_REQUESTS, {"numbers": sorted(ours)}), ours)
    sim.touch_slots.clear()
    sim.touch_requests.clear()


def _same_balances(sim: Sim, rows, holders: set[str] | None = None) -> None:
    theirs = {tuple(row[:6]): row.posts for row in rows if row.posts}
    held = sim.desk.book.held
    if holders is None:
        ours = {at: posts for at, posts in held.items() if posts}
    else:
        ours = {at: held[at] for at in sim.desk.book.keys_of(holders) if held[at]}
    if theirs != ours:
        wrong = sorted(at for at in {*theirs, *ours} if theirs.get(at) != ours.get(at))
        words = ", ".join(f"{at}: service {theirs.get(at, 0)}, model {ours.get(at, 0)}" for at in wrong[:5])
        raise Difference(f"balances differ: {words}")


def _same_sums(sim: Sim, rows, nodes: set[str], trees: set[tuple[str, str, str]]) -> None:
    book = sim.desk.book
    theirs = {tuple(row[:4]): (row.own, row.surplus) for row in rows}
    for tree in trees:
        surplus = book.surplus(tree[:2], tree[2])
        state = book.states.get(tree[:2], {})
        for node in nodes:
            row = state.get(node)
            ours = (row.own(tree[2]) if row else 0, surplus[node])
            found = theirs.get((node, *tree), (0, 0))
            if found != ours:
                raise Difference(f"own and T of {node} {tree}: the service says {found}, the model {ours}")


def _same_rows(sim: Sim, rows, ours: dict[str, tuple]) -> None:
    theirs = {row[0]: tuple(row) for row in rows}
    for number, values in ours.items():
        sim.same(number, theirs.get(number), values)


def check_figures(sim: Sim, unit: str) -> None:
    """Every cell of a unit as pages and rules see it: borrowed until returned, overdue included; usable."""
    desk, book = sim.desk, sim.desk.book
    with reading(sim.province.engine) as session:
        figures = cell_figures(session, [unit], sim.today)
    for cell, state in book.states.items():
        row = state.get(unit)
        found = figures.get((unit, *cell))
        if row is None or found is None:
            continue
        live = sum(desk.loans[slot.loan].partition == cell for slot in desk.live_of(unit))
        sim.same(f"borrowed of {unit} {cell}", found.borrowed, live)
        sim.same(f"usable of {unit} {cell}", found.usable, desk.usable(unit, cell))


def check_everything(sim: Sim, last: bool = False) -> None:
    """All rows against the model, and the proof from rows alone; at the end the audit's chain too."""
    book, desk = sim.desk.book, sim.desk
    with sim.province.engine.connect() as connection:
        _same_balances(sim, connection.execute(BALANCES))
        _same_sums(sim, connection.execute(SUMS), set(book.parent), book.trees)
        _all_slots_and_requests(sim, connection)
    with reading(sim.province.engine) as session:
        broken = broken_proofs(session)
        if broken:
            raise Difference("; ".join(f"{proof.name}: {', '.join(proof.broken)}" for proof in broken))
        if last:
            sim.same("first broken link of the audit", broken_link(session), None)
    for unit in sorted({desk.loans[slot.loan].unit for slot in desk.live.values()})[:40]:
        check_figures(sim, unit)


def _all_slots_and_requests(sim: Sim, connection: Connection) -> None:
    _same_rows(sim, connection.execute(SLOTS), {number: _of_slot(one) for number, one in sim.desk.slots.items()})
    ours = {number: _of_request(one) for number, one in sim.desk.requests.items()}
    _same_rows(sim, connection.execute(REQUESTS), ours)
    sim.same("number of slots", connection.scalar(select(func.count()).select_from(SLOT)), len(sim.desk.slots))
    sim.same("number of requests", connection.scalar(select(func.count()).select_from(REQUEST)), len(ours))


def check_proposals(sim: Sim) -> None:
    """What the night left open for the office."""
    with reading(sim.province.engine) as session:
        theirs = {(row.kind, row.slot_no) for row in open_suggestions(session)}
    sim.same("open proposals", theirs, sim.desk.proposals())
