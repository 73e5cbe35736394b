"""How a ledger begins: the tree from the unit register, opening balances from an accepted night, the switch, `strength`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import delete, func, insert, select, union, update
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from core.permissions import Permission, is_current
from core.types import Level
from core.units import UnitVersion, parent_division
from pool import entries
from pool.acting import Act, Receipt, check_place, note_document, once, open_node, unit_node
from pool.ledger import Kind, parse_cell
from pool.models import DivisionTotal, PoolBalance, PoolEntry, PoolMovement, PoolNode, Strength
from pool.posting import Booking, book
from pool.service import trail

# No register names divisions: sentences call a node by its level and code.
LEVEL_NAMES = {Level.PROVINCE: "省", Level.CITY: "市", Level.COUNTY: "县", Level.TOWNSHIP: "乡"}


def plant_tree(session: Session, act: Act) -> Receipt:
    """Nodes for every unit of the register and for the divisions above them; what stands is left alone. → added.

    A TOWNSHIP unit that carries its county's six digits sits in (TOWNSHIP, code) below (COUNTY, code).
    """
    units = session.execute(
        select(
            UnitVersion.unit_code, UnitVersion.unit_name, UnitVersion.level, UnitVersion.division_code
        ).where(is_current())
    ).all()  # fmt: skip
    known = set(session.scalars(select(PoolNode.id)))
    rows: dict[str, dict[str, object]] = {}
    for unit in units:
        place = f"{unit.level}:{unit.division_code}"
        _with_parents(rows, unit.level, unit.division_code, act.today)
        rows[f"U:{unit.unit_code}"] = _node_row(
            f"U:{unit.unit_code}", unit.level, unit.division_code, unit.unit_name, place, act.today, unit.unit_code
        )
    new = [row for node_id, row in rows.items() if node_id not in known]
    for row in sorted(new, key=lambda row: (row["kind"], _depth(rows, row), row["id"])):
        session.execute(insert(PoolNode.__table__), [row])
    if new:
        trail(session, act, "tree_planted", "tree", added=len(new))
    return {"added": len(new)}


def _with_parents(rows: dict[str, dict[str, object]], level: str, division: str, on: date) -> None:
    """The division's node and all above it."""
    node_id = f"{level}:{division}"
    if node_id in rows:
        return
    above: tuple[str, str] | None = None
    if level == Level.TOWNSHIP and len(division) == 6:
        above = (Level.COUNTY, division)
    elif (upper := parent_division(division)) is not None:
        order = list(Level)
        above = (order[max(0, order.index(Level(level)) - 1)], upper)
    if above is not None:
        _with_parents(rows, *above, on)
    parent = f"{above[0]}:{above[1]}" if above else None
    rows[node_id] = _node_row(node_id, level, division, f"{LEVEL_NAMES[Level(level)]} {division}", parent, on, None)


def _node_row(node_id, level, division, name, parent, on, unit_code) -> dict[str, object]:
    return {
        "id": node_id, "kind": "UNIT" if unit_code else "DIVISION", "unit_code": unit_code, "level": str(level),
        "division_code": division, "name": name[:400], "parent_id": parent, "created_on": on,
    }  # fmt: skip


def _depth(rows, row) -> int:
    depth, at = 0, row["parent_id"]
    while at is not None:
        depth, at = depth + 1, rows[at]["parent_id"]
    return depth


def open_balances(session: Session, act: Act, rows: Sequence[tuple[str, str, str, int, int]], night: date) -> Receipt:
    """Opening balances of units from an accepted night: (unit_code, post_type, fund_form, quota, in_post) per cell.

    A cell over quota opens with its excess shown, which then may only shrink. Refused for a cell that has accounts; one
    the night did not know opens with a later one. → opened (cells), excess (posts over).
    """
    units = [unit_node(session, code) for code in sorted({row[0] for row in rows})]
    if not units:
        raise InputRejected("没有可以建账的单元格。", field="rows")
    for node in units:
        check_place(session, act, Permission.MOVE_POSTS, node)

    def do() -> Receipt:
        number = note_document(session, act, f"开账 {night.isoformat()}", night)
        names, held = {node.id: node.name for node in units}, cells_with_accounts(session)
        for code, *partition, quota, in_post in sorted(rows):
            if (f"U:{code}", *partition) in held and quota + in_post:
                raise Refused(f"{names[f'U:{code}']}已有账目，不能再次开账。", answer="OPENED_BEFORE")
        opened = excess = 0
        for code, post_type, fund_form, quota, in_post in sorted(rows):
            cell = parse_cell(f"U:{code}", post_type, fund_form)
            if quota < 0 or in_post < 0 or not quota + in_post:
                continue
            legs = entries.grant(cell, quota, in_post)
            book(session, Booking(
                Kind.GRANT, lambda _, legs=legs: legs, max(quota, in_post), cell.partition, night,
                to_holder=cell.holder, document_no=number, source="OPENING", debt=True,
            ), act.login, act.now)  # fmt: skip
            opened, excess = opened + 1, excess + max(0, in_post - quota)
        trail(session, act, "opened", f"night {night}", cells=opened, excess=excess)
        return {"opened": opened, "excess": excess}

    body = {"night": night, "rows": [list(row) for row in sorted(rows)]}
    return once(session, act, "open_balances", body, [node.id for node in units], do)


def cells_with_accounts(session: Session) -> set[tuple[str, str, str]]:
    """(holder, post_type, fund_form) of cells that hold posts, or were opened and that stands: a mistaken opening is
    reversed and made again, and a cell cut to nothing is not opened anew."""
    balance, movement = PoolBalance.__table__.c, PoolMovement.__table__.c
    undone = select(movement.reverses).where(movement.reverses.is_not(None))
    holding = select(balance.holder, balance.post_type, balance.fund_form).where(balance.posts != 0)
    opened = select(movement.to_holder, movement.post_type, movement.fund_form).where(
        movement.source == "OPENING", movement.seq.not_in(undone)
    )
    return {tuple(row) for row in session.execute(union(holding, opened))}


def take_strength(
    session: Session, as_of: date, in_post: Iterable[tuple[str, str, str, int]],
    retiring: Iterable[tuple[str, str, str, str, int]], totals: Iterable[tuple[str, str, int]] = (),
) -> int:  # fmt: skip
    """Write the `strength` book when the newest night settles: in post per cell, retirements per cell and month
    (YYYY-MM), Q08's limits per division and type. Replaces all there is; an older night than the one held writes nothing.
    """
    held = session.scalar(select(Strength.as_of).limit(1))
    if held is not None and held > as_of:
        return 0
    session.execute(delete(Strength))
    session.execute(delete(DivisionTotal))
    rows = [(unit, kind, form, "", people) for unit, kind, form, people in in_post] + list(retiring)
    names = ("unit_code", "post_type", "fund_form", "month", "people")
    values = [dict(zip(names, row, strict=True)) | {"as_of": as_of} for row in rows]
    if values:
        session.execute(insert(Strength.__table__), values)
    limits = [{"division_code": code, "post_type": kind, "posts": posts} for code, kind, posts in totals]
    if limits:
        session.execute(insert(DivisionTotal.__table__), limits)
    return len(values)


def switch_unit(session: Session, act: Act, unit_code: str, on: date) -> Receipt:
    """From this day our ledger is the unit's LEDGER copy (DOMAIN §6). → node, switched_on.

    Refused for a unit without an open ledger (NOT_OPENED), and for a day before its first entry (BEFORE_LEDGER).
    """
    node = unit_node(session, unit_code)
    check_place(session, act, Permission.REORGANISE, node)

    def do() -> Receipt:
        open_node(node)
        opened = session.scalar(select(func.min(PoolEntry.effective_date)).where(PoolEntry.holder == node.id))
        if opened is None:
            raise Refused(f"{node.name}尚未建账，须先建账才能启用用编登记。", answer="NOT_OPENED")
        if on < opened:
            raise Refused(
                f"{node.name}自 {opened} 起建账，启用日不得早于这一天。", answer="BEFORE_LEDGER", opened=opened
            )
        session.execute(update(PoolNode).where(PoolNode.id == node.id).values(switched_on=on))
        session.expire(node)
        trail(session, act, "switched", f"node {node.id}", on=on)
        return {"node": node.id, "switched_on": on}

    return once(session, act, "switch_unit", {"unit": unit_code, "on": on}, [node.id], do)
