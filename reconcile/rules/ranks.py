"""Q05 超规格: who has a rank above that of the unit. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import StringValue, Table

from core.identity import SPACES
from reconcile.rules.over_quota import rows
from reconcile.rules.people import is_active
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import answer, cell_columns, cell_text
from reconcile.rules.units import judged

_ANY_SPACE = "[" + "".join(map(chr, SPACES)) + "]"


def known_ranks(i: Inputs) -> Table:
    """(text, height): every rank as roster and register spell it that the order knows; height 1 is the highest."""
    order = i.rank_order.group_by("word").agg(height=i.rank_order.place.min())
    # A book has few different ranks, so spaces are taken out of those alone.
    spelled = [_distinct(i.roster.rank), _distinct(i.units.org_rank)]
    texts = ibis.union(*spelled, distinct=True)
    texts = texts.mutate(word=texts.text.re_replace(_ANY_SPACE, ""))
    return texts.join(order, "word").select("text", "height")


def _distinct(column: StringValue) -> Table:
    return column.name("text").as_table().filter(ibis._.text.notnull()).distinct()


def ranked(i: Inputs, night: Night, known: Table, place: Table) -> Table:
    """Active persons with a known rank, per row: person_key, unit_code, home, cell, rank, height, org_rank, unit_height
    (null where the unit's rank is blank or not in the order)."""
    r = i.roster.filter(is_active(i.roster, night) & i.roster.rank.notnull() & i.roster.person_key.notnull())
    r = r.select("person_key", "unit_code", "rank", cell=cell_text(r))
    held = judged(r.join(known, r["rank"] == known.text), place, "Q05")
    unit = place.left_join(known, place.org_rank == known.text)
    unit = unit.select("unit_code", "home", "org_rank", unit_height="height")
    return held.join(unit, "unit_code").select(
        "person_key", "unit_code", "home", "cell", "rank", "height", "org_rank", "unit_height"
    )


def q05(held: Table) -> Table:
    """`held`: ranked. Of several ranks in one unit the highest is shown, then the first in text order."""
    above = held.filter(held.height < held.unit_height)
    unit = ["person_key", "unit_code"]
    turn = ibis.row_number().over(group_by=unit, order_by=["height", "rank"])
    above = above.mutate(turn=turn, cell=above.cell.min().over(group_by=unit))
    p = above.filter(above.turn == 0)
    return answer(
        p, "Q05", person_key=p.person_key, unit_code=p.unit_code, expected=p.org_rank, found=p["rank"],
        **cell_columns(p.cell),
    )  # fmt: skip


def q05_gaps(held: Table) -> Table:
    """Not evaluable: somebody's rank is known and the unit's is not."""
    return rows(held.filter(held.unit_height.isnull()).select("unit_code", "home").distinct(), "Q05", "units")
