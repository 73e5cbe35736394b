"""Use-cases by document and by the gate: grant, cut, transfer, deposit, withdraw, convert, reverse; reserve, fill, vacate.

Every one locks, looks at its idempotency key, decides, books, and leaves an audit event in the caller's transaction.
They answer with a Receipt (plain values, replayed as they are). Errors: InputRejected, NotFound, Forbidden, Refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from sqlalchemy import insert
from sqlalchemy.orm import Session

from core.audit import record
from core.errors import InputRejected, Refused
from core.permissions import Permission
from pool import entries
from pool.acting import Act, Receipt, as_held, check_place, node_of, note_document, once, open_node, parents, path_up
from pool.crossing import check_crossing, read_central
from pool.forest import Partition
from pool.holding import lot_refusal
from pool.homeward import note_withdrawn
from pool.ledger import SOURCE_LABELS, Cell, Kind, Lot, Source, parse_cell, parse_posts
from pool.models import PoolLot, PoolNode
from pool.policies import BORDER_SENTENCES, GROUPS, Border, decide_conversion
from pool.posting import Booking, book
from pool.standards import check_over_standard
from pool.store import PERMIT, least_quota, movement_of, overdue_count, terms_on

FIRST_DAY, LAST_DAY = date(1949, 10, 1), date(2199, 12, 31)


def parse_day(day: date | None, act: Act) -> date:
    """The effective date, today by default. Errors: InputRejected outside any office's time."""
    day = day or act.today
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InputRejected("生效日期不在允许的范围内。", field="effective")
    return day


def trail(session: Session, act: Act, action: str, subject: str, **details: object) -> None:
    """One audit event of the pool; without names, ids or reasons."""
    if act.acting_for is not None:
        details["acting_for"] = act.acting_for.login
    record(session, actor=act.login, action=f"pool_{action}", subject=f"pool {subject}", now=act.now, **details)


def _by_document(
    session: Session,
    act: Act,
    kind: Kind,
    permission: Permission,
    nodes: Sequence[PoolNode],
    body: Receipt,
    booking: Callable[[str], Booking],
    after: Callable[[int], None] | None = None,
    told: Callable[[Refused], Refused] | None = None,
) -> Receipt:
    """Check the places, lock, note the document, book, leave the trail. told: a refusal of the books with more to say."""
    for node in nodes:
        check_place(session, act, permission, node)

    def do() -> Receipt:
        for node in nodes:
            as_held(session, node)
        number = note_document(session, act, str(body["document_no"] or ""))
        asked = booking(number)
        try:
            seq = book(session, asked, act.login, act.now)
        except Refused as error:
            raise told(error) if told else error from None
        if after is not None:
            after(seq)
        trail(session, act, kind.value.lower(), f"movement {seq}", **body | {"effective": asked.effective})
        return {"movement": seq, "document_no": number}

    return once(session, act, kind.value, body, [node.id for node in nodes], do)


def grant_posts(
    session: Session, act: Act, holder: str, post_type: str, fund_form: str, posts: object, document_no: str,
    effective: date | None = None,
) -> Receipt:  # fmt: skip
    """GRANT: authority → home of a node (`U:code` or `LEVEL:division`), by a document. → movement."""
    return _grant_or_cut(session, act, Kind.GRANT, holder, post_type, fund_form, posts, document_no, effective)


def cut_posts(
    session: Session, act: Act, holder: str, post_type: str, fund_form: str, posts: object, document_no: str,
    effective: date | None = None,
) -> Receipt:  # fmt: skip
    """CUT: home → authority; below use it opens debt, which then may only shrink. → movement."""
    return _grant_or_cut(session, act, Kind.CUT, holder, post_type, fund_form, posts, document_no, effective)


def _grant_or_cut(session, act, kind, holder, post_type, fund_form, posts, document_no, effective) -> Receipt:
    cell, count, day = parse_cell(holder, post_type, fund_form), parse_posts(posts), parse_day(effective, act)
    legs = entries.grant(cell, count) if kind is Kind.GRANT else entries.cut(cell, count)
    body = {
        "holder": holder, "post_type": post_type, "fund_form": fund_form, "posts": count, "effective": effective,
        "document_no": document_no,
    }  # fmt: skip
    ends = {"to_holder": holder} if kind is Kind.GRANT else {"from_holder": holder}

    def booking(number: str) -> Booking:
        if kind is Kind.CUT:
            check_cut(session, cell, count, day)
        return Booking(kind, lambda _: legs, count, cell.partition, day, document_no=number, **ends)

    return _by_document(session, act, kind, Permission.MOVE_POSTS, [node_of(session, holder)], body, booking)


def check_cut(session: Session, cell: Cell, count: int, day: date) -> None:
    """Below use a CUT opens debt; below 0 there is nothing to cut. Errors: Refused."""
    quota = least_quota(session, cell, day)
    if count > quota:
        raise Refused(
            f"该类编制只核定了 {quota} 个，不能核减 {count} 个。", answer="MORE_THAN_QUOTA", has=quota, needs=count
        )


def transfer_posts(
    session: Session, act: Act, giver: str, taker: str, post_type: str, fund_form: str, posts: object,
    document_no: str, *, people: int = 0, central_no: str | None = None, effective: date | None = None,
) -> Receipt:  # fmt: skip
    """TRANSFER: ownership moves from home to home; `people` of the posts move with the person on them. → movement.

    Refused between levels without the central approval number where R12 asks for it (NEEDS_CENTRAL_NUMBER).
    """
    given, taken = parse_cell(giver, post_type, fund_form), parse_cell(taker, post_type, fund_form)
    count, day, central_no = parse_posts(posts), parse_day(effective, act), read_central(central_no)
    if giver == taker:
        raise Refused("划出和划入是同一个单位。", answer="SAME_NODE")
    if not isinstance(people, int) or isinstance(people, bool) or not 0 <= people <= count:
        raise InputRejected("随编人数须在 0 与编制数之间。", field="people")
    body = {
        "giver": giver, "taker": taker, "post_type": post_type, "fund_form": fund_form, "posts": count,
        "people": people, "effective": effective, "document_no": document_no, "central_no": central_no,
    }  # fmt: skip

    nodes = [node_of(session, giver), node_of(session, taker)]

    def booking(number: str) -> Booking:
        check_crossing(*nodes, post_type, central_no)
        return transfer_booking(given, taken, count, people, day, number, central_no)

    return _by_document(session, act, Kind.TRANSFER, Permission.MOVE_POSTS, nodes, body, booking)


def deposit_posts(
    session: Session, act: Act, pool_node: str, post_type: str, fund_form: str, purpose: str, posts: object,
    source: str, document_no: str, *, giver: str | None = None, central_no: str | None = None,
    effective: date | None = None,
) -> Receipt:  # fmt: skip
    """DEPOSIT into a division's pool, from a listed source with a document (R02). → movement, which is the lot's number.

    USE_RIGHT_LENT: the giver keeps its quota; RECLAIM, REFORM, OVER_STANDARD: the node owns the posts from then on;
    TOTAL_SLICE: granted to the node, without giver. Refused as `transfer_posts` into the pool of another level (R12).
    """
    count, day, node = parse_posts(posts), parse_day(effective, act), node_of(session, pool_node)
    central_no = read_central(central_no)
    parse_cell(pool_node, post_type, fund_form)
    _check_source(node, post_type, source, giver)
    owner = Cell(giver if source == Source.USE_RIGHT_LENT else pool_node, post_type, fund_form)
    giving = Cell(giver, post_type, fund_form) if giver else None
    body = {
        "pool_node": pool_node, "giver": giver, "post_type": post_type, "fund_form": fund_form, "purpose": purpose,
        "posts": count, "source": source, "effective": effective, "document_no": document_no,
    } | ({"central_no": central_no} if central_no else {})  # fmt: skip

    def booking(number: str) -> Booking:
        _check_place_now(session, act, node, purpose, giver)
        if giver is not None:
            check_crossing(node_of(session, giver), node, post_type, central_no)
        if source == Source.OVER_STANDARD and giver is not None:
            check_over_standard(session, giver, post_type, count, day)
        return Booking(
            Kind.DEPOSIT, lambda seq: entries.deposit(giving, Lot(seq, owner, purpose), count), count,
            owner.partition, day, purpose=purpose, from_holder=giver, to_holder=pool_node, document_no=number,
            central_no=central_no, source=source,
        )  # fmt: skip

    def after(seq: int) -> None:
        session.execute(
            insert(PoolLot.__table__),
            [{"lot_no": seq, "owner_id": owner.holder, "node_id": pool_node, "post_type": post_type,
              "fund_form": fund_form, "purpose": purpose, "source": source, "since": day}],
        )  # fmt: skip

    nodes = [node_of(session, giver)] if giver else []
    return _by_document(session, act, Kind.DEPOSIT, Permission.MOVE_POSTS, [*nodes, node], body, booking, after)


def _check_source(node, post_type, source, giver) -> None:
    if source not in set(Source):
        raise InputRejected(f"来源须为：{'、'.join(SOURCE_LABELS.values())}。", field="source")
    if GROUPS[post_type] is None:
        raise Refused("控制数不进入周转池。", answer="NEVER_POOLED")
    if node.kind != "DIVISION":
        raise Refused("周转池设在各级节点，不设在单位。", answer="NOT_A_POOL")
    if (giver is None) != (source == Source.TOTAL_SLICE):
        raise InputRejected("总量切块没有划出单位；其他来源须有划出单位。", field="giver")


def _check_place_now(session, act, node, purpose, giver) -> None:
    """What a reorganisation or a parameter may have changed since the first try is no matter of its replay."""
    if purpose not in terms_on(session, act.today, node.division_code).purposes:
        raise InputRejected("没有这种用途。", field="purpose")
    if giver is not None and node.id not in path_up(parents(session, [giver]), node_of(session, giver).id)[1:]:
        raise Refused("只能存入本单位所属节点或其上级节点的周转池。", answer="NOT_ABOVE")


def withdraw_posts(
    session: Session, act: Act, lot_no: int, posts: object, document_no: str, effective: date | None = None
) -> Receipt:
    """WITHDRAW: idle posts of a lot go home to their owner. → movement. What is lent must be recalled first: the refusal
    says who holds it."""
    row = session.get(PoolLot, lot_no)
    if row is None:
        raise InputRejected("没有这一批周转编制。", field="lot_no")
    lot = Lot(row.lot_no, Cell(row.owner_id, row.post_type, row.fund_form), row.purpose)
    count, day = parse_posts(posts), parse_day(effective, act)
    body = {"lot_no": lot_no, "posts": count, "effective": effective, "document_no": document_no}

    def booking(number: str) -> Booking:
        return Booking(
            Kind.WITHDRAW, lambda _: entries.withdraw(lot, count), count, lot.owner.partition, day,
            purpose=lot.purpose, from_holder=row.node_id, to_holder=row.owner_id, document_no=number,
            rests_on=row.lot_no,
        )  # fmt: skip

    def after(seq: int) -> None:
        note_withdrawn(session, act, lot_no, count, seq)

    told = lambda error: lot_refusal(session, error, lot, count, day, act.today)
    nodes = [node_of(session, row.owner_id)]
    return _by_document(session, act, Kind.WITHDRAW, Permission.MOVE_POSTS, nodes, body, booking, after, told)


def convert_posts(
    session: Session, act: Act, holder: str, source: Partition, target: Partition, posts: object, document_no: str,
    effective: date | None = None,
) -> Receipt:  # fmt: skip
    """CONVERSION: vacant posts of a node change post type or fund form, by the director under a document. → movement."""
    count, day, node = parse_posts(posts), parse_day(effective, act), node_of(session, holder)
    given, taken = parse_cell(holder, *source), parse_cell(holder, *target)
    border = decide_conversion(given.partition, taken.partition, terms_on(session, day, node.division_code))
    if border is not Border.ALLOWED:
        raise Refused(BORDER_SENTENCES[border], answer=border.value)
    body = {
        "holder": holder, "source": list(source), "target": list(target), "posts": count, "effective": effective,
        "document_no": document_no,
    }  # fmt: skip

    def booking(number: str) -> Booking:
        return Booking(
            Kind.CONVERSION, lambda _: entries.convert(given, taken, count), count, given.partition, day,
            from_holder=holder, to_holder=holder, document_no=number,
        )  # fmt: skip

    return _by_document(session, act, Kind.CONVERSION, Permission.CONVERT_POSTS, [node], body, booking)


def reserve_posts(
    session: Session, act: Act, holder: str, post_type: str, fund_form: str, posts: object, reason: str,
    effective: date | None = None,
) -> Receipt:  # fmt: skip
    """RESERVE: home → reserved. reason PERMIT: an open permit; else a word for why. → movement = the reserve's number.

    Refused for a permit while the unit has overdue posts (R10).
    """
    cell, count, day = parse_cell(holder, post_type, fund_form), parse_posts(posts), parse_day(effective, act)
    node, word = node_of(session, holder), reason.strip()
    check_place(session, act, Permission.MOVE_POSTS, node)
    if not 1 <= len(word) <= 16:
        raise InputRejected("预留须写明原因（1 至 16 个字）。", field="reason")
    body = {**cell._asdict(), "posts": count, "reason": word, "effective": effective}

    def do() -> Receipt:
        session.refresh(node)
        open_node(node)
        if word == PERMIT:
            check_not_overdue(session, act, node)
        seq = book_reserve(session, act, cell, count, word, day)
        trail(session, act, "reserve", f"movement {seq}", **body | {"effective": day})
        return {"movement": seq}

    return once(session, act, Kind.RESERVE, body, [holder], do)


def check_not_overdue(session: Session, act: Act, node: PoolNode) -> None:
    """R10: no new permit while the unit has overdue posts. Errors: Refused."""
    if node.unit_code and overdue_count(session, node.unit_code, act.today):
        raise Refused("本单位有周转编制逾期未还，不能新办用编。", answer="UNIT_OVERDUE")


def book_reserve(
    session: Session, act: Act, cell: Cell, count: int, reason: str, day: date, slot_no: str | None = None,
    again: int | None = None,
) -> int:  # fmt: skip
    """RESERVE within a use-case; returns the movement. slot_no: the first slot of a permit of the gate, which alone may
    then fill or release it. again: the RESERVE whose released posts are reserved once more, under its number."""
    return book(session, Booking(
        Kind.RESERVE, lambda seq: entries.reserve(cell, count, again or seq), count, cell.partition, day,
        to_holder=cell.holder, source=reason, slot_no=slot_no, rests_on=again,
    ), act.login, act.now)  # fmt: skip


def book_from_reserve(
    session: Session, act: Act, kind: Kind, cell: Cell, reserve_no: int, count: int, day: date,
    slot_no: str | None = None,
) -> int:  # fmt: skip
    """RELEASE or FILL out of a RESERVE, within a use-case; returns the movement."""
    make = entries.release if kind is Kind.RELEASE else entries.fill
    return book(session, Booking(
        kind, lambda _: make(cell, count, reserve_no), count, cell.partition, day, from_holder=cell.holder,
        to_holder=cell.holder, rests_on=reserve_no, slot_no=slot_no,
    ), act.login, act.now)  # fmt: skip


def book_vacate(
    session: Session, act: Act, cell: Cell, count: int, day: date, slot_no: str | None = None,
    rests_on: int | None = None,
) -> int:  # fmt: skip
    """VACATE within a use-case; returns the movement."""
    return book(session, Booking(
        Kind.VACATE, lambda _: entries.vacate(cell, count), count, cell.partition, day, from_holder=cell.holder,
        slot_no=slot_no, rests_on=rests_on,
    ), act.login, act.now)  # fmt: skip


def book_transfer(
    session: Session, act: Act, given: Cell, taken: Cell, count: int, people: int, day: date, document_no: str,
    central_no: str | None = None, slot_no: str | None = None,
) -> int:  # fmt: skip
    """TRANSFER within a use-case, `people` of the posts with the person on them; returns the movement."""
    return book(session, transfer_booking(given, taken, count, people, day, document_no, central_no, slot_no),
                act.login, act.now)  # fmt: skip


def transfer_booking(
    given: Cell, taken: Cell, count: int, people: int, day: date, document_no: str, central_no: str | None = None,
    slot_no: str | None = None,
) -> Booking:  # fmt: skip
    """The TRANSFER of so many posts, ready to be booked."""
    return Booking(
        Kind.TRANSFER, lambda _: entries.transfer(given, taken, count, people), count, given.partition, day,
        from_holder=given.holder, to_holder=taken.holder, document_no=document_no, central_no=central_no,
        slot_no=slot_no,
    )  # fmt: skip


def release_posts(session: Session, act: Act, reserve_no: int, posts: object, effective: date | None = None) -> Receipt:
    """RELEASE: what a RESERVE still holds goes home. → movement."""
    return _from_reserve(session, act, Kind.RELEASE, Permission.MOVE_POSTS, reserve_no, posts, effective)


def fill_posts(session: Session, act: Act, reserve_no: int, posts: object, effective: date | None = None) -> Receipt:
    """FILL: people enter on a RESERVE (their permit). → movement."""
    return _from_reserve(session, act, Kind.FILL, Permission.FILL_SLOT, reserve_no, posts, effective)


def _from_reserve(session, act, kind, permission, reserve_no, posts, effective) -> Receipt:
    held = movement_of(session, reserve_no)
    if held.kind != Kind.RESERVE:
        raise InputRejected("这不是一笔预留。", field="reserve_no")
    if held.slot_no is not None:
        raise Refused("这笔预留是一件用编许可，请在用编执行中办理。", answer="OF_THE_GATE")
    cell = Cell(held.to_holder, held.post_type, held.fund_form)
    count, day, node = parse_posts(posts), parse_day(effective, act), node_of(session, held.to_holder)
    check_place(session, act, permission, node)
    body = {"reserve_no": reserve_no, "posts": count, "effective": effective}

    def do() -> Receipt:
        seq = book_from_reserve(session, act, kind, cell, reserve_no, count, day)
        trail(session, act, kind.value.lower(), f"movement {seq}", **body | {"effective": day})
        return {"movement": seq}

    return once(session, act, kind, body, [node.id], do)


def vacate_posts(
    session: Session, act: Act, holder: str, post_type: str, fund_form: str, posts: object,
    effective: date | None = None,
) -> Receipt:  # fmt: skip
    """VACATE: people leave own posts, which are vacant from then on. → movement."""
    cell, count, day = parse_cell(holder, post_type, fund_form), parse_posts(posts), parse_day(effective, act)
    node = node_of(session, holder)
    check_place(session, act, Permission.FILL_SLOT, node)
    body = {**cell._asdict(), "posts": count, "effective": effective}

    def do() -> Receipt:
        seq = book_vacate(session, act, cell, count, day)
        trail(session, act, "vacate", f"movement {seq}", **body | {"effective": day})
        return {"movement": seq}

    return once(session, act, Kind.VACATE, body, [holder], do)
