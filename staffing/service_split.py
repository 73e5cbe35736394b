"""分设: one unit becomes several by a document: named people with their posts, and vacant posts, go to the new units in one
dated transaction, with slots, roster and notices; certificates follow in it (`staffing.renewal`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.errors import InputRejected, NotFound, Refused
from core.identity import normalise_code
from core.permissions import Permission, is_current
from core.units import UnitVersion
from pool.acting import Act, Receipt, check_place, note_document, once, open_node, unit_node
from pool.ledger import Cell, parse_cell, parse_posts
from pool.models import PoolMovement, PoolNode
from pool.service import book_transfer, parse_day
from pool.service import trail as trail_movement
from pool.service_nodes import check_empty, close_node, keep_proof, prove_trees
from pool.service_opening import plant_tree
from staffing.service_carry import carry_one, check_none_under_way, check_type
from staffing.store import check_opened, gate_node, staff_slot
from staffing.telling import trail

SPLIT = "SPLIT"


@dataclass(frozen=True)
class Part:
    """What one unit gets. slot_nos: posts with the people on them; vacant: (post_type, fund_form, posts) nobody sits on."""

    unit_code: str
    slot_nos: tuple[str, ...] = ()
    vacant: tuple[tuple[str, str, int], ...] = ()


def split_unit(
    session: Session, act: Act, unit_code: str, parts: Sequence[Part], document_no: str, *,
    effective: date | None = None, central_no: str | None = None, waiver_no: str | None = None, closes: bool = False,
) -> Receipt:  # fmt: skip
    """Split a unit by a document. The units that get something stand in the register, those new to the tree are planted;
    where our gate is the unit's source it is theirs from that day. closes: the old unit keeps nothing and is closed.

    → node, kind, units, slots, movements. Refused: SAME_NODE, OF_ANOTHER_UNIT, NOT_EMPTY, PERMITS_OPEN (with closes), and
    as `carry_posts`; all or nothing.
    """
    wanted = [_checked(part) for part in parts]
    giver = gate_node(session, act, Permission.REORGANISE, unit_code)
    takers = [_taker(session, act, part.unit_code) for part in wanted]
    _check_shape(wanted, giver, takers)
    day, waiver_no = parse_day(effective, act), normalise_code(waiver_no or "") or None
    if day > act.today:
        raise Refused("机构调整只在生效当日或之后办理。", answer="NOT_YET")

    def do() -> Receipt:
        check_opened(session, giver)
        if closes:
            check_none_under_way(session, giver)
        document = note_document(session, act, document_no)
        movements: list[int] = []

        def change() -> None:
            for part, taker in zip(wanted, takers, strict=True):
                session.refresh(taker)
                open_node(taker)
                movements.extend(_hand_over(session, act, part, giver, taker, day, document, central_no, waiver_no))
                _switch_with(session, act, giver, taker, day)
            if closes:
                check_empty(session, giver)
                close_node(session, giver, act.today)

        proof = prove_trees(session, change)
        for taker in takers:
            keep_proof(session, act, SPLIT, giver, taker, document, day, proof)
        slots = [number for part in wanted for number in part.slot_nos]
        units = [part.unit_code for part in wanted]
        trail(session, act, "split", f"unit {unit_code}", units=units, slots=slots, document_no=document, closed=closes)
        return {"node": giver.id, "kind": SPLIT, "units": units, "slots": slots, "movements": movements}

    body = {
        "unit": unit_code, "parts": [asdict(part) for part in wanted], "document_no": document_no, "closes": closes,
        "effective": effective, "central_no": central_no, "waiver": waiver_no,
    }  # fmt: skip
    return once(session, act, "split_unit", body, [giver.id, *(taker.id for taker in takers)], do)


def _checked(part: Part) -> Part:
    code = normalise_code(part.unit_code)
    vacant = []
    for post_type, fund_form, posts in part.vacant:
        parse_cell(f"U:{code}", post_type, fund_form)
        vacant.append((post_type, fund_form, parse_posts(posts)))
    if not part.slot_nos and not vacant:
        raise InputRejected(f"{code} 没有划入任何序号或编制。", field="parts")
    return Part(code, tuple(normalise_code(number) for number in part.slot_nos), tuple(vacant))


def _check_shape(parts: Sequence[Part], giver: PoolNode, takers: Sequence[PoolNode]) -> None:
    numbers = [number for part in parts for number in part.slot_nos]
    if not parts or len({taker.id for taker in takers}) != len(takers) or len(set(numbers)) != len(numbers):
        raise InputRejected("请写明分设到哪些单位，每个单位、每个用编序号一次。", field="parts")
    if giver.id in {taker.id for taker in takers}:
        raise Refused("划出和划入是同一个单位。", answer="SAME_NODE")


def _taker(session: Session, act: Act, code: str) -> PoolNode:
    """The node of a unit that gets posts, planted when the register knows the unit and the tree does not yet."""
    known = select(PoolNode.id).where(PoolNode.unit_code == code)
    if session.scalar(known) is None:
        if session.scalar(select(UnitVersion.id).where(is_current(), UnitVersion.unit_code == code)) is None:
            raise NotFound(f"单位登记簿中没有 {code}；新单位须先随 units 批次登记，再办分设。")
        plant_tree(session, act)
    node = unit_node(session, code)
    check_place(session, act, Permission.REORGANISE, node)
    return node


def _hand_over(
    session: Session, act: Act, part: Part, giver: PoolNode, taker: PoolNode, day: date, document: str,
    central_no: str | None, waiver_no: str | None,
) -> list[int]:  # fmt: skip
    """The movements of one part: people with their posts first, then vacant ones."""
    movements = []
    for number in part.slot_nos:
        slot = staff_slot(session, number)
        if slot.node_id != giver.id:
            raise Refused(f"{number} 不是{giver.name}的用编序号。", answer="OF_ANOTHER_UNIT")
        movements.append(carry_one(session, act, slot, giver, taker, day, document, central_no, waiver_no))
    for post_type, fund_form, posts in part.vacant:
        check_type(session, act, post_type, giver, taker, central_no)
        given, taken = (Cell(node.id, post_type, fund_form) for node in (giver, taker))
        movements.append(book_transfer(session, act, given, taken, posts, 0, day, document, central_no))
        trail_movement(session, act, "transfer", f"movement {movements[-1]}", posts=posts, document_no=document)
    return movements


def _switch_with(session: Session, act: Act, giver: PoolNode, taker: PoolNode, day: date) -> None:
    """A unit that began with this split has our gate as its source where the old unit has."""
    if giver.switched_on is None or giver.switched_on > act.today or taker.switched_on is not None:
        return
    earlier = select(func.count()).select_from(PoolMovement).where(
        (PoolMovement.from_holder == taker.id) | (PoolMovement.to_holder == taker.id),
        PoolMovement.from_holder.is_(None) | (PoolMovement.from_holder != giver.id),
    )  # fmt: skip
    if session.scalar(earlier):
        return  # it stood before: whether it is switched over is its own matter
    session.execute(update(PoolNode).where(PoolNode.id == taker.id).values(switched_on=max(day, giver.switched_on)))
    session.expire(taker)
    trail(session, act, "switched", f"node {taker.id}", on=max(day, giver.switched_on))
