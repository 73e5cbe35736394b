"""Quota per cell: the LEDGER copy, known or unknown, and what is allowed (decisions 31–34). Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from core.types import CopyKind, Measure
from reconcile.rules.counts import measure_rows
from reconcile.rules.people import CONTROL
from reconcile.rules.tables import Inputs

COPIES = tuple(copy.value for copy in CopyKind)
CELL = ("unit_code", "post_type", "fund_form")


def copies(i: Inputs) -> Table:
    """Per cell the sum of each copy's rows, null where the copy has none."""
    e = i.establishment
    return e.group_by(*CELL).agg(**{copy.lower(): e.quota.sum(where=e["copy"] == copy) for copy in COPIES})


def held_cells(i: Inputs, place: Table) -> Table:
    """Cells with a quarantined quota row; post_type null: the whole unit, because the row's cell cannot be read.

    A quarantined `headcount` row of a count-only unit may have been its quota row.
    """
    q = i.quarantine.filter(i.quarantine.unit_code.notnull())
    figures = q.filter(q.book == "headcount").semi_join(place.filter(place.count_only), "unit_code")
    q = q.filter(q.book == "establishment").union(figures)
    readable = q.post_type.notnull() & q.fund_form.notnull()
    return q.select(
        "unit_code",
        post_type=readable.ifelse(q.post_type, ibis.null("string")),
        fund_form=readable.ifelse(q.fund_form, ibis.null("string")),
    ).distinct()


def quota_cells(i: Inputs, place: Table, figures: Table) -> Table:
    """Every cell that a quota row, a booking or a quarantined quota row names.

    quota: null when unknown; `stated`: a LEDGER row or a count-only figure stands behind it; borrowed, lent: 0 when none;
    allowed = quota + borrowed − lent. Cells of count-only figures may have '' for post_type or fund_form.
    """
    nothing = ibis.null("int64")
    held = held_cells(i, place)
    whole = held.filter(held.post_type.isnull()).select("unit_code").distinct()
    blank = dict.fromkeys(("ledger", "certificate", "database", "figure", "borrowed", "lent", "held"), nothing)
    stated = measure_rows(figures, Measure.QUOTA)
    rows = [
        _rows(copies(i), blank, ledger="ledger", certificate="certificate", database="database"),
        _rows(stated, blank, figure="figure"),
        _rows(i.position, blank, borrowed="borrowed", lent="lent"),
        _rows(held.filter(held.post_type.notnull()).mutate(held=ibis.literal(1, "int64")), blank, held="held"),
    ]
    every = ibis.union(*rows)
    cell = every.group_by(*CELL).agg(**{name: every[name].sum() for name in blank})
    cell = cell.left_join(whole.mutate(whole=True), "unit_code", rname="whole_{name}")
    cell = cell.left_join(place.select("unit_code", "count_only"), "unit_code", rname="place_{name}")
    figure = cell.count_only.fill_null(False).ifelse(cell.figure, nothing)
    stated_quota = ibis.coalesce(cell.ledger, figure)
    others = cell.certificate.notnull() | cell.database.notnull()
    held_here = cell.held.notnull() | cell.whole.fill_null(False)
    unknown = held_here | (stated_quota.isnull() & others)
    quota = unknown.ifelse(nothing, stated_quota.fill_null(0))
    borrowed, lent = cell.borrowed.fill_null(0), cell.lent.fill_null(0)
    return cell.select(
        *CELL,
        quota=quota,
        borrowed=borrowed,
        lent=lent,
        allowed=quota + borrowed - lent,
        known=~unknown,
        held=held_here,
        from_ledger=cell.ledger.notnull(),
        stated=stated_quota.notnull(),
        quota_row=stated_quota.notnull() | others,
    )


def _rows(table: Table, blank: dict, **given: str) -> Table:
    return table.select(*CELL, **{name: table[given[name]] if name in given else blank[name] for name in blank})


def unit_unknown(i: Inputs, place: Table, quota: Table) -> Table:
    """Units with an unknown cell; `counted`: of a type other than CONTROL_NUMBER (which is in no total); `whole`: a
    quarantined quota row whose cell cannot be read."""
    no = ibis.literal(False)
    cells = quota.filter(~quota.known).select("unit_code", control=quota.post_type == CONTROL, whole=no)
    held = held_cells(i, place)
    whole = held.filter(held.post_type.isnull()).select("unit_code", control=no, whole=ibis.literal(True))
    both = cells.union(whole)
    return both.group_by("unit_code").agg(counted=(~both.control).any(), whole=both.whole.any())


def cells_with_posts(quota: Table) -> Table:
    """Cells whose quota is known and more than 0."""
    return quota.filter((quota.quota > 0).fill_null(False)).select(*CELL)
