"""Use-cases on a permit: the director signs (notice number, slot numbers, RESERVE), takes it back; waivers; expiry."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from core.errors import InputRejected, Refused
from core.identity import normalise_code
from core.permissions import Permission
from core.types import FundForm
from pool.acting import Act, Receipt, check_place, next_number, once
from pool.ledger import NO_PURPOSE, Account, Cell, Kind, balances_by_day
from pool.models import PoolEntry, PoolNode
from pool.service import book_from_reserve, book_reserve
from pool.store import PERMIT
from staffing.chain import WAITING, Move, Status, Subject
from staffing.deadlines import permit_last_day
from staffing.gathering import check_use, figures_now
from staffing.models import StaffApplication, StaffSlot, StaffWaiver
from staffing.store import (
    cell_of,
    check_move,
    check_opened,
    gate_node,
    gate_parameters,
    make,
    permit_slots,
    place_of,
    row_of,
    step,
    text_of,
    turn,
    with_figures,
)  # fmt: skip
from staffing.telling import tell, trail


def grant_permit(session: Session, act: Act, number: str, note: str = "") -> Receipt:
    """用编许可: the director signs, the principles are asked once more, the posts are RESERVED, one slot number each.

    A permit bound to an exit still to come reserves nothing. → application, status, permit_no, slots, valid_until,
    movement (None while it waits for the exit), yearly_cost. Refused: COST_NOT_CONFIRMED, and as `apply_for_posts`.
    """
    row = row_of(session, Subject.APPLICATION, number)
    node = place_of(session, row)
    check_place(session, act, Permission.GRANT_PERMIT, node)

    def do() -> Receipt:
        fresh = row_of(session, Subject.APPLICATION, number)
        check_move(session, act, Move.GRANT, fresh, node)
        check_opened(session, node)
        if fresh.fund_form != FundForm.SELF and fresh.cost_confirmed_on is None:
            raise Refused("财政尚未确认年度经费，不能签发。", answer="COST_NOT_CONFIRMED")
        facts = check_use(session, act, node, fresh)
        return _grant(session, act, node, fresh, figures_now(session, facts, fresh, act.today), bool(facts.bound), note)

    return once(session, act, "grant_permit", {"application": number, "note": note}, [row.node_id], do)


def _grant(
    session: Session, act: Act, node: PoolNode, row: StaffApplication, figures: dict, waits: bool, note: str
) -> Receipt:
    year = act.today.year
    slots = next_number(session, f"own:{year}", f"BZ{year}", row.posts)
    (notice,) = next_number(session, f"permit:{year}", "N")
    permit_no = f"用编〔{year}〕{int(notice.rsplit('-', 1)[1])}号"
    month_day = gate_parameters(session, act.today, node.division_code)["permit_valid_until"]
    until = permit_last_day(act.today, month_day)
    seq = None if waits else book_reserve(session, act, cell_of(row), row.posts, PERMIT, act.today, slots[0])
    make(session, act, Move.GRANT, row, movement=seq, note=note, permit_no=permit_no, valid_until=until, year=year,
         granted_on=act.today, decided_by=act.login, reserve_seq=seq,
         figures=with_figures(row, "granted", figures))  # fmt: skip
    session.execute(insert(StaffSlot.__table__), [{
        "slot_no": slot_no, "source": "PERMIT", "application_no": row.number, "permit_no": permit_no, "node_id": node.id,
        "unit_code": row.unit_code, "post_type": row.post_type, "fund_form": row.fund_form, "work_kind": row.work_kind,
        "leader_tier": row.leader_tier, "status": Status.ISSUED.value, "issued_on": act.today, "version": 1,
    } for slot_no in slots])  # fmt: skip
    for slot_no in slots:
        step(session, act, Move.ISSUE, slot_no, None, Status.ISSUED, movement=seq)
    trail(session, act, "permit_granted", f"application {row.number}", permit_no=permit_no, movement=seq, slots=slots)
    lines = [f"用编序号：{'、'.join(slots)}", f"有效期至 {until}"]
    tell(session, act, row.applicant, f"use_{row.number}", f"用编通知单 {permit_no}：许可 {row.posts} 个", lines)
    return {
        "application": row.number, "status": Status.GRANTED, "permit_no": permit_no, "slots": slots,
        "valid_until": until, "movement": seq, "yearly_cost": row.yearly_cost,
    }  # fmt: skip


def revoke_permit(session: Session, act: Act, number: str, reason: str) -> Receipt:
    """The director takes a permit back: open slots are cancelled, their posts released. → application, status, movement.

    Refused once somebody has entered on it (EXECUTED_IN_PART).
    """
    row = row_of(session, Subject.APPLICATION, number)
    node = place_of(session, row)
    check_place(session, act, Permission.GRANT_PERMIT, node)
    reason = text_of(reason, "reason", "请填写撤销许可的理由。")

    def do() -> Receipt:
        fresh = row_of(session, Subject.APPLICATION, number)
        status = check_move(session, act, Move.REVOKE, fresh, node)
        if len(permit_slots(session, number, Status.ISSUED)) != fresh.posts:
            raise Refused("这件许可已有人入编，不能整件撤销。", answer="EXECUTED_IN_PART")
        seq = close_permit(session, act, fresh, Move.REVOKE, Move.SLOT_REVOKE, act.today, reason)
        tell(session, act, fresh.applicant, f"use_{number}_revoked", f"用编通知单 {fresh.permit_no}：撤销", [reason])
        return {"application": number, "status": status, "movement": seq}

    return once(session, act, "revoke_permit", {"application": number, "reason": reason}, [row.node_id], do)


def close_permit(
    session: Session, act: Act, row: StaffApplication, move: Move, slot_move: Move, day: date, note: str
) -> int | None:
    """End what is open of a permit: its slots, and the RELEASE of what they reserve; returns the movement.

    The caller has checked the move.
    """
    slots = permit_slots(session, row.number, Status.ISSUED)
    seq = None
    if row.reserve_seq is not None and slots:
        seq = book_from_reserve(
            session, act, Kind.RELEASE, cell_of(row), row.reserve_seq, len(slots), day, slots[0].slot_no
        )
    for slot in slots:
        make(session, act, slot_move, slot, movement=seq, cancelled_on=act.today)
    make(session, act, move, row, movement=seq, note=note, ended_on=act.today)
    trail(session, act, f"permit_{move.value.lower()}", f"application {row.number}", movement=seq, slots=len(slots))
    return seq


def reserve_bound(session: Session, act: Act, bound_slot: str, exit_date: date) -> list[str]:
    """After an exit was registered: the permit that waited for it is open from now on, and has its RESERVE. → numbers."""
    done = []
    for row in bound_to(session, bound_slot, Status.GRANTED):
        (slot,) = permit_slots(session, row.number, Status.ISSUED)
        # After a cut the exit may only lessen an excess: then there is nothing to reserve, and entry will say so.
        if least_vacant(session, cell_of(row), day := max(exit_date, row.granted_on)) < 1:
            continue
        seq = book_reserve(session, act, cell_of(row), 1, PERMIT, day, slot.slot_no)
        turn(session, row, reserve_seq=seq)
        trail(session, act, "permit_opened", f"application {row.number}", movement=seq)
        tell(session, act, row.applicant, f"use_{row.number}_opened", f"用编通知单 {row.permit_no}：可以执行", [])
        done.append(row.number)
    return done


def least_vacant(session: Session, cell: Cell, on: date) -> int:
    """The fewest own posts vacant in a cell on any day from one on, booked future movements included."""
    rows = session.execute(
        select(PoolEntry.effective_date, func.sum(PoolEntry.posts).label("posts"))
        .where(
            PoolEntry.account == Account.HOME, PoolEntry.holder == cell.holder, PoolEntry.purpose == NO_PURPOSE,
            PoolEntry.post_type == cell.post_type, PoolEntry.fund_form == cell.fund_form,
        )
        .group_by(PoolEntry.effective_date)
    ).all()  # fmt: skip
    later = [(row.effective_date, int(row.posts)) for row in rows if row.effective_date > on]
    return min(posts for _, posts in balances_by_day(sum(int(row.posts) for row in rows), later, on))


def bound_to(session: Session, bound_slot: str, *statuses: Status) -> list[StaffApplication]:
    """Applications that name an exit, in these statuses."""
    query = select(StaffApplication).where(
        StaffApplication.bound_slot == bound_slot, StaffApplication.status.in_(statuses)
    )
    return list(session.scalars(query.order_by(StaffApplication.number).execution_options(populate_existing=True)))


def kill_bound(session: Session, act: Act, bound_slot: str, note: str) -> list[str]:
    """The exit did not come, or was undone: every application and permit that rests on it is dead. → their numbers.

    Errors: Refused BOUND_EXECUTED when somebody has entered on it.
    """
    executed = bound_to(session, bound_slot, Status.EXECUTED)
    if executed:
        raise Refused(
            f"已有人按用编通知单 {executed[0].permit_no} 在这个空额上入编，减编不能撤销。", answer="BOUND_EXECUTED",
            permit=executed[0].permit_no,
        )  # fmt: skip
    dead = []
    for row in bound_to(session, bound_slot, *WAITING, Status.GRANTED):
        close_permit(session, act, row, Move.DIE, Move.SLOT_DIE, act.today, note)
        tell(
            session, act, row.applicant, f"use_{row.number}_dead", f"用编申请 {row.number}：绑定的减编已撤销，失效", []
        )
        dead.append(row.number)
    return dead


def grant_waiver(
    session: Session,
    act: Act,
    unit_code: str,
    number: str,
    reason: str,
    valid_until: date,
    valid_from: date | None = None,
) -> Receipt:
    """豁免: the director lets somebody come into a unit against the flow, by number, reason and expiry. → waiver."""
    node = gate_node(session, act, Permission.GRANT_WAIVER, unit_code)
    number = normalise_code(number or "")
    start = valid_from or act.today
    if not 1 <= len(number) <= 200 or valid_until < start:
        raise InputRejected("豁免须有文号，期限须不早于开始日。", field="number")
    reason = text_of(reason, "reason", "请填写豁免的理由。")

    def do() -> Receipt:
        if session.get(StaffWaiver, number) is not None:
            raise Refused(f"豁免 {number} 已登记。", answer="KNOWN_BEFORE")
        session.execute(insert(StaffWaiver.__table__), [{
            "number": number, "node_id": node.id, "unit_code": unit_code, "reason": reason, "valid_from": start,
            "valid_until": valid_until, "granted_by": act.login, "granted_on": act.today,
        }])  # fmt: skip
        trail(session, act, "waiver_granted", f"unit {unit_code}", number=number, until=valid_until)
        return {"waiver": number, "valid_until": valid_until}

    body = {"unit": unit_code, "number": number, "reason": reason, "from": start, "until": valid_until}
    return once(session, act, "grant_waiver", body, [node.id], do)
