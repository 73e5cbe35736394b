"""Q09 跨层级违规 and Q10 长期空编: what our own book of positions and movements shows. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from core.types import PostType
from reconcile.rules.listing import lists, lists_told
from reconcile.rules.people import CONTROL
from reconcile.rules.quota import CELL
from reconcile.rules.tables import POSITION, Inputs, Night
from reconcile.rules.texts import NO_VALUE, answer, as_count, day_text, json_code, json_number, json_object, json_text

# Posts that cross levels only with the centre's approval (decree 486 art 18).
CENTRAL = [PostType.ADMIN.value, PostType.POLITICAL_LEGAL.value]


def q09(i: Inputs, night: Night) -> Table:
    """Owned by the unit that got the posts. Several rows of one movement: the first in text order."""
    m = i.movement
    crossed = m.filter(
        m.post_type.isin(CENTRAL)
        & (m.from_level != m.to_level)
        & (m.effective_date <= night.as_of)
        & m.central_no.isnull()
    )
    crossed = crossed.mutate(unit_code=ibis.coalesce(crossed.to_unit, crossed.from_unit))
    order = [*CELL, "doc_no"]
    turn = ibis.row_number().over(group_by="movement_no", order_by=order)
    first = crossed.mutate(turn=turn).filter(ibis._.turn == 0)
    first = first.left_join(_movement_lists(crossed), "movement_no", rname="list_{name}")
    return answer(
        first, "Q09", evidence=lists_told(first, "movements"), movement_no=first.movement_no, expected=NO_VALUE, found=first.doc_no.fill_null(NO_VALUE),
        **{name: first[name] for name in CELL},
    )  # fmt: skip


def _movement_lists(m: Table) -> Table:
    """movement_no and `movements`: every row of it that crossed levels."""
    text = json_object(
        {
            "movement_no": json_text(m.movement_no),
            "effective_date": json_code(day_text(m.effective_date)),
            "from_unit": json_text(m.from_unit),
            "from_level": json_code(m.from_level),
            "to_unit": json_text(m.to_unit),
            "to_level": json_code(m.to_level),
            "post_type": json_code(m.post_type),
            "fund_form": json_code(m.fund_form),
            "posts": json_number(m.posts),
            "doc_no": json_text(m.doc_no),
        }
    )
    return lists(m, ("movement_no",), movements=text)


def q10(i: Inputs, night: Night) -> Table:
    """Cells with a usable post in every month of the span; `found` is that of M."""
    u = i.usable_month.filter(i.usable_month.month.isin(night.idle_span))
    idle = u.filter((u.usable > 0) & (u.post_type != CONTROL))
    cells = idle.group_by(*CELL).agg(seen=idle.month.nunique(), usable=idle.usable.max(where=idle.month == night.month))
    long = cells.filter(cells.seen == len(night.idle_span))
    month = json_object({"month": json_code(idle.month), "usable": json_number(idle.usable)})
    long = long.left_join(lists(idle, CELL, months=month), CELL, rname="list_{name}")
    return answer(
        long, "Q10", evidence=lists_told(long, "months"), expected="0", found=as_count(long.usable), **{name: long[name] for name in CELL},
    )  # fmt: skip


def position_gaps(i: Inputs, night: Night, place: Table, folder: Table) -> Table:
    """Not evaluable: without our own book; for Q10 also where a folder's history is shorter than the span."""
    empty = ibis.literal(True)
    for name in (name for name in POSITION if name != "own_unit"):
        empty = empty & (getattr(i, name).count().as_scalar() == 0)
    u = i.usable_month.filter(i.usable_month.month.isin(night.idle_span)).select("unit_code", "month").distinct()
    seen = u.join(place.select("unit_code", division_code="home"), "unit_code")
    seen = seen.group_by("division_code").agg(months=seen.month.nunique())
    short = folder.anti_join(seen.filter(seen.months == len(night.idle_span)), "division_code")
    return _gaps(folder.filter(empty), "Q09").union(_gaps(short, "Q10"))


def _gaps(folders: Table, rule: str) -> Table:
    return folders.select(
        rule=ibis.literal(rule), division_code="division_code", unit_code=ibis.literal("*"),
        book=ibis.literal("position"),
    )  # fmt: skip
