"""The list of powers and duties (权责清单): kept by files, an item ended or moved to another unit by the office."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from itertools import pairwise

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from core.audit import record
from core.errors import InputRejected, NotFound, Refused
from core.permissions import Permission, Scope
from pool.acting import NOT_HERE, Act, Receipt, check_place, lock_paths, open_node, unit_node
from staffing.csv_rows import FIRST_DAY, LAST_DAY, Rows
from staffing.determination_store import in_force
from staffing.duty_files import ItemGiven
from staffing.duty_models import DutyItem, DutyItemPosts

CHUNK = 500
SAME = ("name", "kind", "legal_basis", "inner_body", "duty")


def item_rows(session: Session, codes: Collection[str]) -> list[DutyItem]:
    """Items of units, by unit, code and first day, those ended too."""
    wanted = sorted(set(codes))
    found: list[DutyItem] = []
    for start in range(0, len(wanted), CHUNK):
        query = select(DutyItem).where(DutyItem.unit_code.in_(wanted[start : start + CHUNK]))
        found += session.scalars(query.order_by(DutyItem.unit_code, DutyItem.code, DutyItem.valid_from))
    return found


def posts_of(session: Session, ids: Collection[int]) -> dict[int, dict[tuple[str, str], int]]:
    """Posts per cell of items."""
    found: dict[int, dict[tuple[str, str], int]] = defaultdict(dict)
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        query = select(DutyItemPosts).where(DutyItemPosts.item_id.in_(wanted[start : start + CHUNK]))
        for row in session.scalars(query.order_by(DutyItemPosts.post_type, DutyItemPosts.fund_form)):
            found[row.item_id][row.post_type, row.fund_form] = row.posts
    return found


def keep_items(session: Session, act: Act, rows: Rows, given: Sequence[ItemGiven]) -> tuple[int, int]:
    """Add items, end them, assign posts, as a file says. → how many added, how many changed. Errors: InputRejected."""
    units = {each.unit_code for each in given}
    versions = in_force(session, units, act.today)
    for each in given:
        _check_duty(rows, each, versions)
    held = {(row.unit_code, row.code, row.valid_from): row for row in item_rows(session, units)}
    posts = posts_of(session, [row.id for row in held.values()])
    for each in given:
        _check_same(rows, each, held.get(_key(each)))
    _check_overlaps(rows, given, held)
    rows.check()
    added = changed = 0
    for each in given:
        row = held.get(_key(each))
        if row is None:
            _add(session, act, each)
            added += 1
        else:
            changed += _change(session, act, row, each, posts.get(row.id, {}))
    return added, changed


def _key(each: ItemGiven) -> tuple[str, str, date]:
    return each.unit_code, each.code, each.about["valid_from"]


def _check_duty(rows: Rows, each: ItemGiven, versions) -> None:
    number, version = each.about["duty"], versions.get(each.unit_code)
    if number is None:
        return
    if version is None:
        rows.fault(each.row, "三定职责序号", "这个单位还没有登记三定规定；请先导入三定规定，或留空。")
    elif number > len(version.duties):
        rows.fault(each.row, "三定职责序号", f"现行三定规定只有 {len(version.duties)} 项职责；请改正。")


def _check_same(rows: Rows, each: ItemGiven, row: DutyItem | None) -> None:
    if row is None:
        return
    if any(getattr(row, name) != each.about[name] for name in SAME):
        rows.fault(each.row, "事项编码", "已登记而内容不同；请给原事项填写截止日期，再以新的起始日期登记。")
    elif row.valid_to is not None and each.about["valid_to"] != row.valid_to:
        rows.fault(each.row, "截止日期", f"已登记为 {row.valid_to}，不能更改。")


def _check_overlaps(rows: Rows, given: Sequence[ItemGiven], held: dict[tuple, DutyItem]) -> None:
    """Two periods of one code in one unit may not share a day."""
    spans = {key: (row.valid_to, None) for key, row in held.items()}
    for each in given:
        spans[_key(each)] = (each.about["valid_to"], each.row)
    ordered = sorted(spans)
    for before, after in pairwise(ordered):
        last = spans[before][0]
        if before[:2] == after[:2] and (last is None or last >= after[2]):
            row = spans[after][1] or spans[before][1]
            if row is not None:
                rows.fault(row, "起始日期", f"与 {before[2]} 起的同一事项重叠；请先给它填写截止日期。")


def _add(session: Session, act: Act, each: ItemGiven) -> None:
    row = DutyItem(unit_code=each.unit_code, code=each.code, **each.about, recorded_by=act.login, recorded_at=act.now)
    session.add(row)
    session.flush()
    _assign(session, row, each.posts)


def _assign(session: Session, row: DutyItem, posts: dict[tuple[str, str], int]) -> None:
    lines = [
        {"item_id": row.id, "post_type": post_type, "fund_form": fund_form, "posts": count}
        for (post_type, fund_form), count in posts.items()
    ]
    if lines:
        session.execute(insert(DutyItemPosts), lines)


def _change(session: Session, act: Act, row: DutyItem, each: ItemGiven, posts: dict[tuple[str, str], int]) -> bool:
    """End the item, and assign the posts the file names; a file that names none leaves them."""
    ends = row.valid_to is None and each.about["valid_to"] is not None
    if ends:
        row.valid_to = each.about["valid_to"]
    moved = bool(each.posts) and each.posts != posts
    if moved:
        session.execute(delete(DutyItemPosts).where(DutyItemPosts.item_id == row.id))
        _assign(session, row, each.posts)
    if ends or moved:
        session.flush()
        trail(session, act, "changed", row, valid_to=row.valid_to, posts=sum((each.posts or posts).values()))
    return ends or moved


def seen_item(session: Session, scope: Scope, item_id: int) -> DutyItem:
    """An item within the scope. Errors: NotFound."""
    row = session.get(DutyItem, item_id)
    if row is None or not scope.sees_unit(row.unit_code):
        raise NotFound(NOT_HERE)
    return row


def move_item(session: Session, act: Act, item_id: int, taker: str | None, on: date | None) -> Receipt:
    """End an item the day before `on` (today by default), and let it begin at another unit that day; taker None: end it.

    Its posts do not go with it: they move by a document of the ledger, and the check says so until they do.
    → item (of the taker, or the ended one), unit_code (the giver's), ended_on.
    """
    row, day = seen_item(session, act.by, item_id), on or act.today
    node = unit_node(session, row.unit_code)
    check_place(session, act, Permission.KEEP_DUTIES, node)
    nodes = [node]
    if taker:
        nodes.append(open_node(unit_node(session, taker)))
        check_place(session, act, Permission.KEEP_DUTIES, nodes[1])
    lock_paths(session, [each.id for each in nodes])
    session.refresh(row)
    if not FIRST_DAY <= day <= LAST_DAY or day <= row.valid_from:
        raise InputRejected("日期须晚于事项的起始日期。", field="on")
    if row.valid_to is not None:
        raise Refused("这个事项已经终止。", answer="ENDED")
    if taker == row.unit_code:
        raise Refused("划出和划入是同一个单位。", answer="SAME_NODE")
    row.valid_to = day - timedelta(days=1)
    made = row
    if taker:
        made = _begin(session, act, row, taker, day)
    session.flush()
    trail(session, act, "moved" if taker else "ended", row, to=taker, valid_to=row.valid_to)
    return {"item": made.id, "unit_code": row.unit_code, "ended_on": row.valid_to}


def _begin(session: Session, act: Act, row: DutyItem, taker: str, day: date) -> DutyItem:
    later = select(DutyItem.id).where(
        DutyItem.unit_code == taker, DutyItem.code == row.code,
        DutyItem.valid_to.is_(None) | (DutyItem.valid_to >= day),
    )  # fmt: skip
    if session.scalar(later.limit(1)) is not None:
        raise Refused("划入单位已有这个事项。", answer="HELD")
    made = DutyItem(
        unit_code=taker, code=row.code, name=row.name, kind=row.kind, legal_basis=row.legal_basis, valid_from=day,
        recorded_by=act.login, recorded_at=act.now,
    )  # fmt: skip
    session.add(made)
    return made


def trail(session: Session, act: Act, action: str, row: DutyItem, **details: object) -> None:
    """One audit event of an item."""
    record(
        session, actor=act.login, action=f"duty_item_{action}", subject=f"unit {row.unit_code} item {row.code}"[:200],
        now=act.now, **details,
    )  # fmt: skip
