"""What the gate knows, read from rows: what stands under a number, who touched it, and the facts a decision looks at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from core.errors import InputRejected, NotFound, Refused
from core.parameters import parameter_values
from core.permissions import Permission, is_current
from core.units import UnitVersion
from pool.acting import NOT_HERE, Act, check_place, node_of, open_node, unit_node
from pool.approvals import Hands
from pool.ledger import Cell
from pool.models import PoolBalance, PoolNode
from pool.store import Figures, cell_figures
from staffing.chain import CHAIN, STATUS_LABELS, Move, Status, Subject, check_link
from staffing.models import StaffApplication, StaffConsultation, StaffPlan, StaffSlot, StaffStep

TABLES = {
    Subject.PLAN: (StaffPlan, StaffPlan.number),
    Subject.CONSULTATION: (StaffConsultation, StaffConsultation.number),
    Subject.APPLICATION: (StaffApplication, StaffApplication.number),
}
APPLYING = (Move.SUBMIT_PLAN, Move.ASK, Move.SAVE, Move.SUBMIT)
Row = StaffPlan | StaffConsultation | StaffApplication | StaffSlot


def row_of(session: Session, subject: Subject, number: str) -> Row:
    """A plan, consultation or application as it stands in the database now. Errors: NotFound."""
    row = session.get(TABLES[subject][0], number, populate_existing=True)
    if row is None:
        raise NotFound(NOT_HERE)
    return row


def staff_slot(session: Session, slot_no: str) -> StaffSlot:
    """The row of a slot number that counts: the newest; of a carried post that at the unit it is in now. Errors: NotFound."""
    query = select(StaffSlot).where(StaffSlot.slot_no == slot_no).order_by(StaffSlot.id.desc()).limit(1)
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound(NOT_HERE)
    return row


def permit_of(session: Session, permit_no: str) -> StaffApplication:
    """The application a permit number belongs to. Errors: NotFound."""
    query = select(StaffApplication).where(StaffApplication.permit_no == permit_no)
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("没有这个用编通知单，或者不在您的管辖范围内。")
    return row


def permit_slots(session: Session, number: str, *statuses: Status) -> list[StaffSlot]:
    """Slots an application issued, by number; of these statuses alone when some are given."""
    query = select(StaffSlot).where(StaffSlot.application_no == number, StaffSlot.source == "PERMIT")
    if statuses:
        query = query.where(StaffSlot.status.in_(statuses))
    return list(session.scalars(query.order_by(StaffSlot.slot_no).execution_options(populate_existing=True)))


def cell_of(row: Row) -> Cell:
    """The cell an application, a consultation or a slot is about."""
    return Cell(row.node_id, row.post_type, row.fund_form)


def gate_node(session: Session, act: Act, permission: Permission, unit_code: str) -> PoolNode:
    """The node of a unit this person may do that to. Errors: NotFound, Forbidden."""
    node = unit_node(session, unit_code)
    check_place(session, act, permission, node)
    return node


def check_opened(session: Session, node: PoolNode) -> PoolNode:
    """The node as it stands now. Errors: Refused when it was closed, or its ledger was never opened."""
    session.refresh(node)
    open_node(node)
    if session.scalar(select(PoolBalance.holder).where(PoolBalance.holder == node.id).limit(1)) is None:
        raise Refused("本单位尚未建账，不能在本系统用编。请编办先开账。", answer="NOT_OPENED")
    return node


def hands_on(session: Session, subject: Subject, number: str) -> Hands:
    """Who applied and who decided, with those they acted for."""
    rows = session.execute(
        select(StaffStep.move, StaffStep.actor, StaffStep.acting_for).where(
            StaffStep.subject == subject, StaffStep.number == number
        )
    ).all()
    people = lambda moves: frozenset(
        login for row in rows if row.move in moves for login in (row.actor, row.acting_for) if login
    )
    return Hands(people(APPLYING), people([move for move, link in CHAIN.items() if link.decides]))


def roles_at(act: Act, node: PoolNode) -> set:
    """The roles this person has towards a unit."""
    return act.scope.roles_for(node.unit_code if node.closed_on is None else None, node.division_code)


def check_move(session: Session, act: Act, move: Move, row: Row | None, node: PoolNode) -> Status | None:
    """The table's answer for this person. → the status it leads to. Errors: Forbidden; Refused, which says who decided."""
    link, status = CHAIN[move], Status(row.status) if row is not None else None
    decided = getattr(row, "decided_by", None)
    if link.decides and decided and status not in link.sources:
        raise Refused(
            f"这件已由 {decided} 办理，现为“{STATUS_LABELS[status]}”。", answer="ALREADY_DECIDED", decided_by=decided,
            status=status.value,
        )  # fmt: skip
    hands = hands_on(session, link.subject, row.number) if link.decides else None
    check_link(move, status, roles=roles_at(act, node), actors=act.actors, hands=hands)
    return link.target or status


def turn(session: Session, row: Row, **values: object) -> None:
    """Change a row as it was read, or not at all. Errors: Refused when another was first."""
    table = type(row)
    key = table.id if table is StaffSlot else table.number
    done = session.execute(
        update(table)
        .where(key == getattr(row, key.key), table.status == row.status, table.version == row.version)
        .values(version=row.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if done.rowcount != 1:
        raise Refused("这件刚刚有了变化，请刷新后再办理。", answer="CHANGED")
    session.refresh(row)


def step(
    session: Session, act: Act, move: Move, number: str, before: str | None, to: str, *, movement: int | None = None,
    note: str | None = None,
) -> None:  # fmt: skip
    """Append one step to a life."""
    session.execute(
        insert(StaffStep.__table__),
        [{"subject": CHAIN[move].subject.value, "number": number, "at": act.now, "actor": act.login,
          "acting_for": act.acting_for.login if act.acting_for else None, "move": move.value, "from_status": before,
          "to_status": str(to), "movement_seq": movement, "note": (note or "").strip()[:4000] or None}],
    )  # fmt: skip


def make(
    session: Session, act: Act, move: Move, row: Row, *, to: Status | None = None, movement: int | None = None,
    note: str | None = None, **values: object,
) -> None:  # fmt: skip
    """One move on a row: the step and the change, together. to: where the table leaves it open."""
    before = row.status
    status = to or CHAIN[move].target or Status(before)
    number = row.slot_no if isinstance(row, StaffSlot) else row.number
    turn(session, row, status=status.value, **values)
    step(session, act, move, number, before, status, movement=movement, note=note)


@dataclass(frozen=True)
class UnitFacts:
    """What the register says of a unit."""

    kind: str | None
    level: str
    name: str


def unit_facts(session: Session, node: PoolNode) -> UnitFacts:
    """Kind, level and name of a unit; the kind is None where the register does not know it."""
    kind = session.scalar(select(UnitVersion.unit_kind).where(UnitVersion.unit_code == node.unit_code, is_current()))
    return UnitFacts(kind, node.level, node.name)


def gate_parameters(session: Session, on: date, division_code: str) -> dict:
    """The gate's numbers ‡ in force on a day."""
    names = (
        "allowed_post_types", "work_shares", "entry_days", "exit_days", "permit_valid_until", "post_cost", "notice_days",
    )  # fmt: skip
    return parameter_values(session, names, on, division_code)


def figures_of(session: Session, cell: Cell, on: date) -> Figures:
    """Figures of one cell on a day."""
    return cell_figures(session, [cell.holder], on).get(cell, Figures())


def spelled(figures: Figures) -> dict[str, int]:
    """Figures as a form shows them."""
    return {
        "quota": figures.quota, "in_post": figures.in_post, "borrowed": figures.borrowed, "lent": figures.lent,
        "open_permits": figures.open_permits, "other_reserves": figures.other_reserves, "usable": figures.usable,
        "vacant": figures.vacant,
    }  # fmt: skip


def with_figures(row: StaffApplication, name: str, figures: dict) -> str:
    """The row's figures with those of one more step."""
    return json.dumps(json.loads(row.figures) | {name: figures}, ensure_ascii=False, default=str)


def unit_quota(session: Session, node: PoolNode, on: date) -> int:
    """Approved quota of a unit over all cells but control numbers."""
    cells = cell_figures(session, [node.id], on)
    return sum(held.quota for cell, held in cells.items() if cell.post_type != "CONTROL_NUMBER")


def live_kind_count(session: Session, node: PoolNode, work_kind: str) -> int:
    """Slots of a kind of work a unit has in post or issued; people from before the gate count where it was recorded."""
    return session.scalar(
        select(func.count())
        .select_from(StaffSlot)
        .where(
            StaffSlot.node_id == node.id, StaffSlot.work_kind == work_kind,
            StaffSlot.status.in_([Status.ISSUED, Status.FILLED, Status.PAPERS, Status.PAID]),
        )
    )  # fmt: skip


def place_of(session: Session, row: Row) -> PoolNode:
    """The node a row belongs to."""
    return node_of(session, row.node_id)


def text_of(value: str | None, field: str, sentence: str, most: int = 4000) -> str:
    """Words a person typed. Errors: InputRejected with the sentence."""
    words = (value or "").strip()
    if not 1 <= len(words) <= most:
        raise InputRejected(sentence, field=field)
    return words
