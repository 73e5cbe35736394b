"""In post against allowed, per cell, type and unit, for persons and for counts: what Q01, Q02 and Q12 compare. Pure.

Every table here has unit_code, in_post, quota, allowed and `missing`: null where the comparison may be made, else the
book it lacks. `missing` of units that deliver persons is about unknown quota only; absent books are `units.judged`'s.
"""

from __future__ import annotations

import ibis
from ibis.expr.types import Table, Value

from core.types import Measure
from reconcile.rules.counts import ALL, measure_rows, type_totals, unit_totals
from reconcile.rules.people import CONTROL
from reconcile.rules.quota import CELL
from reconcile.rules.texts import choose

NUMBERS = ("in_post", "quota", "allowed", "missing")


def person_cells(place: Table, in_post: Table, quota: Table, unknown: Table) -> Table:
    """Cells of units that deliver persons: with people, a quota row or a booking."""
    cells = in_post.select(*CELL).union(quota.select(*CELL), distinct=True)
    cells = cells.semi_join(place.filter(~place.count_only), "unit_code")
    cells = cells.left_join(in_post.drop("paid"), CELL, rname="people_{name}")
    cells = cells.left_join(quota, CELL, rname="quota_{name}")
    # Where the quarantined row's cell cannot be read, cells without a row of their own are unknown too.
    whole = unknown.filter(unknown.whole).select("unit_code", "whole")
    cells = cells.left_join(whole, "unit_code", rname="whole_{name}")
    known = cells.known.fill_null(True) & cells.whole.isnull()
    nothing = ibis.null("int64")
    return cells.select(
        *CELL,
        in_post=cells.in_post.fill_null(0),
        quota=known.ifelse(cells.quota.fill_null(0), nothing),
        allowed=known.ifelse(cells.allowed.fill_null(0), nothing),
        missing=choose((~known, "establishment")),
    )


def _grouped(cells: Table, *keys: str) -> Table:
    """Sums over cells; unknown as soon as one cell is."""
    unknown = cells.missing.notnull().any()
    nothing = ibis.null("int64")
    return cells.group_by(*keys).agg(
        in_post=cells.in_post.sum(),
        quota=unknown.ifelse(nothing, cells.quota.sum()),
        allowed=unknown.ifelse(nothing, cells.allowed.sum()),
        missing=cells.missing.max(),
    )


def person_types(cells: Table) -> Table:
    """Totals per unit and type; CONTROL_NUMBER has its own."""
    return _grouped(cells, "unit_code", "post_type")


def person_units(cells: Table) -> Table:
    """Totals, CONTROL_NUMBER aside. A unit with an unknown cell of any counted type is unknown."""
    return _grouped(cells.filter(cells.post_type != CONTROL), "unit_code")


def count_quota_types(quota: Table) -> Table:
    """Count-only units: quota per type. A type with LEDGER rows is their sum, else the stated figure, else the sum."""
    by_form = quota.fund_form != ALL
    ledger = (quota.from_ledger & by_form).any()
    forms_quota = quota.quota.sum(where=by_form & quota.stated)
    forms_any = (quota.stated & by_form).any()
    stated = quota.quota.sum(where=~by_form & quota.stated)
    # What a type states as a whole answers for a cell that only another copy names, not for a quarantined one.
    answered = ~ledger.fill_null(False) & stated.notnull()
    unknown = quota.held.any() | ((~quota.known).any() & ~answered)
    chosen = (ledger | stated.isnull()).ifelse(forms_quota, stated)
    return quota.group_by("unit_code", "post_type").agg(
        quota=unknown.ifelse(ibis.null("int64"), chosen),
        by_form=forms_any.fill_null(False),
        unknown=unknown,
        ledger=ledger.fill_null(False),
        named=(quota.quota_row | ~quota.known).any(),
        extra=quota.borrowed.sum() - quota.lent.sum(),
    )


def count_units_known(place: Table, quota_types: Table, parts: Table, unknown: Table) -> Table:
    """Per count-only unit: which quota figures it has, and whether none at all means 0 posts (decision 33).

    `unknown`: quota.unit_unknown.
    """
    typed = quota_types.post_type != ALL
    counted = typed & (quota_types.post_type != CONTROL)
    seen = quota_types.group_by("unit_code").agg(
        has_typed=(typed & quota_types.quota.notnull()).any(),
        has_unknown=quota_types.unknown.any(where=quota_types.post_type != CONTROL),
        has_ledger=quota_types.ledger.any(where=counted),
        total=quota_types.quota.sum(where=~typed),
        typed_sum=quota_types.quota.sum(where=counted),
        extra=quota_types.extra.sum(where=quota_types.post_type != CONTROL),
    )
    units = place.filter(place.count_only).select("unit_code", "here_establishment", "here_headcount")
    units = units.left_join(seen, "unit_code", rname="seen_{name}").drop("seen_unit_code")
    units = units.left_join(parts, "unit_code", rname="part_{name}").drop("part_unit_code")
    units = units.left_join(unknown.filter(unknown.whole), "unit_code", rname="unknown_{name}")
    has_typed = units.has_typed.fill_null(False)
    has_unknown = units.has_unknown.fill_null(False)
    # Only an accepted establishment book, none of whose lost rows may be the one, makes the want of a row mean 0 posts, and
    # never for a part.
    complete = units.part_of.isnull() & units.here_establishment & units.whole.isnull()
    return units.mutate(
        has_typed=has_typed,
        has_unknown=has_unknown,
        # A unit with LEDGER rows uses those, not the total it states.
        total=units.has_ledger.fill_null(False).ifelse(ibis.null("int64"), units.total),
        zero=complete & units.typed_sum.isnull() & units.total.isnull() & ~has_unknown,
        # Beside a bare total a type without a row is unknown.
        zero_types=complete & (has_typed | units.total.isnull()),
        complete=complete,
        extra=units.extra.fill_null(0),
    )


def count_units(figures: Table, known: Table) -> Table:
    """Count-only units: stated total or sum of types, one row per unit."""
    in_post = unit_totals(measure_rows(figures, Measure.IN_POST)).rename(in_post="figure")
    unit = known.left_join(in_post, "unit_code", rname="post_{name}")
    summed = unit.has_unknown.ifelse(ibis.null("int64"), unit.typed_sum)
    quota = ibis.coalesce(unit.total, summed, _zero(unit.zero))
    return unit.select("unit_code", **_count_columns(unit, unit.in_post, quota, quota + unit.extra))


def count_types(figures: Table, known: Table, quota_types: Table) -> Table:
    """Count-only units per type with a figure of people or quota."""
    in_post = type_totals(measure_rows(figures, Measure.IN_POST)).rename(in_post="figure")
    keys = ("unit_code", "post_type")
    named = quota_types.filter(quota_types.named)
    types = in_post.select(*keys).union(named.select(*keys), distinct=True)
    types = types.filter(types.post_type != ALL)
    types = types.left_join(in_post, keys, rname="post_{name}")
    types = types.left_join(quota_types.rename(type_extra="extra"), keys, rname="quota_{name}")
    types = types.join(known.drop("total", "typed_sum", "extra"), "unit_code", rname="known_{name}")
    stated = ibis.coalesce(types.quota, _zero(types.zero_types))
    quota = types.unknown.fill_null(False).ifelse(ibis.null("int64"), stated)
    allowed = quota + types.type_extra.fill_null(0)
    complete = types.complete & types.by_form.fill_null(False)
    return types.select(*keys, complete=complete, **_count_columns(types, types.in_post, quota, allowed))


def count_cells(figures: Table, quota: Table, types: Table) -> Table:
    """Count-only units per cell with people and both names known; `types` says what the type as a whole has."""
    people = measure_rows(figures, Measure.IN_POST)
    people = people.filter((people.post_type != ALL) & (people.fund_form != ALL)).rename(in_post="figure")
    cells = people.drop("measure", "part_of").left_join(quota, CELL, rname="quota_{name}")
    kind = types.rename(type_quota="quota", type_missing="missing").drop("in_post", "allowed")
    cells = cells.join(kind, ["unit_code", "post_type"], rname="type_{name}")
    # The type's posts are all known by fund form, or it has none: then a cell without a row has none either.
    absent = cells.type_missing.isnull() & (cells.complete | (cells.type_quota == 0))
    known = cells.known.fill_null(True) & cells.type_missing.isnull()
    own = cells.stated.fill_null(False).ifelse(cells.quota, ibis.null("int64"))
    quota_value = known.ifelse(ibis.coalesce(own, _zero(absent)), ibis.null("int64"))
    allowed = quota_value + cells.borrowed.fill_null(0) - cells.lent.fill_null(0)
    return cells.select(
        *CELL,
        in_post="in_post",
        quota=quota_value,
        allowed=allowed,
        missing=choose((quota_value.isnull(), "establishment")),
    )


def _zero(test: Value) -> Value:
    return test.ifelse(ibis.literal(0, "int64"), ibis.null("int64"))


def _count_columns(table: Table, in_post: Value, quota: Value, allowed: Value) -> dict[str, Value]:
    missing = choose((in_post.isnull(), "headcount"), (quota.isnull(), "establishment"))
    return {"in_post": in_post, "quota": quota, "allowed": allowed, "missing": missing}
