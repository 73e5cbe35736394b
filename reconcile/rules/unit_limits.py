"""Q11 机构限额: how many units of a kind a division has, against how many it may have. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from reconcile.rules.tables import Inputs
from reconcile.rules.texts import answer, as_count

KIND = ("division_code", "unit_kind")


def q11(i: Inputs, place: Table) -> Table:
    """Valid units of exactly the division, whoever delivered them; of several limits of one kind the smallest."""
    limits = i.limits.group_by(*KIND).agg(allowed=i.limits.max_units.min())
    limits = limits.anti_join(_unread(i), "division_code")
    valid = place.filter(place.registered & place.valid)
    met = limits.join(valid.group_by(*KIND).agg(units=valid.count()), KIND)
    over = met.filter(met.units > met.allowed)
    return answer(
        over, "Q11", division_code=over.division_code, unit_kind=over.unit_kind,
        expected=as_count(over.allowed), found=as_count(over.units),
    )  # fmt: skip


def _unread(i: Inputs) -> Table:
    """Divisions whose register should be there and is not."""
    v = i.verdict.filter(i.verdict.book == "units")
    return v.filter((v.expected | v.delivered) & ~v.accepted).select("division_code").distinct()


def q11_gaps(i: Inputs, folder: Table) -> Table:
    """Not evaluable: no limits book speaks for the folder, or its limits are known and its register is not there."""
    named = i.limits.select("division_code").distinct()
    unlimited = folder.filter(~folder.here_limits).anti_join(named, "division_code")
    uncounted = _unread(i).semi_join(named, "division_code")
    star = ibis.literal("*")
    rows = [
        table.select(rule=ibis.literal("Q11"), division_code="division_code", unit_code=star, book=ibis.literal(book))
        for table, book in ((unlimited, "limits"), (uncounted, "units"))
    ]
    return ibis.union(*rows)
