"""Q11 机构限额: how many units of a kind a division has, against how many it may have. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from reconcile.rules.tables import Inputs
from reconcile.rules.texts import answer, as_count

KIND = ("division_code", "unit_kind")


def limited(i: Inputs, place: Table) -> Table:
    """Units of exactly the division, whoever delivered them, against the smallest limit of their kind, where more than that
    may be valid: KIND, `allowed`, `units` (valid) and `over`: more than allowed without those that may be valid."""
    limits = i.limits.group_by(*KIND).agg(allowed=i.limits.max_units.min())
    limits = limits.anti_join(_unread(i), "division_code")
    some = place.filter(place.registered & (place.valid | place.maybe_valid))
    counted = some.group_by(*KIND).agg(units=some.valid.sum().cast("int64"), most=some.count())
    met = limits.join(counted, KIND)
    return met.filter(met.most > met.allowed).mutate(over=ibis._.units > ibis._.allowed)


def q11(limited: Table) -> Table:
    over = limited.filter(limited.over)
    return answer(
        over, "Q11", division_code=over.division_code, unit_kind=over.unit_kind,
        expected=as_count(over.allowed), found=as_count(over.units),
    )  # fmt: skip


def _unread(i: Inputs) -> Table:
    """Divisions whose register should be there and is not."""
    v = i.verdict.filter(i.verdict.book == "units")
    return v.filter((v.expected | v.delivered) & ~v.accepted).select("division_code").distinct()


def q11_gaps(i: Inputs, limited: Table, folder: Table) -> Table:
    """Not evaluable: no limits book speaks for the folder, or its limits are known and its register is not there, or it is
    not known of how many units that they are valid."""
    named = i.limits.select("division_code").distinct()
    unlimited = folder.filter(~folder.here_limits).anti_join(named, "division_code")
    uncounted = _unread(i).semi_join(named, "division_code")
    doubted = limited.filter(~limited.over).select("division_code").distinct()
    star = ibis.literal("*")
    rows = [
        table.select(rule=ibis.literal("Q11"), division_code="division_code", unit_code=star, book=ibis.literal(book))
        for table, book in ((unlimited, "limits"), (uncounted, "units"), (doubted, "units"))
    ]
    return ibis.union(*rows)
