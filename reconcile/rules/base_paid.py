"""F11 只减不增: finance-paid people of a division against a year ago and against its base. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import IntegerValue, StringValue, Table

from reconcile.rules import people
from reconcile.rules.people import CONTROL
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import answer, as_count, choose, json_code, json_number, json_object, null_text

# Where a limit is from: the accepted night of the same month last year, rows of that month in tonight's book, the base.
OF_NIGHT, OF_BOOK, OF_BASE = "NIGHT_A_YEAR_AGO", "BOOK_A_YEAR_AGO", "BASE"
DIVISION_PAID_SCHEMA = {"division_code": "string", "paid": "int64"}


def paid_a_year_ago(i: Inputs, night: Night, place: Table, control: Table) -> Table:
    """(division_code, paid) as tonight's payroll book counts the same month last year; divisions with a row of it."""
    rows = people.payroll_of_month(i.payroll, night.month_a_year_ago)
    units = people.paid_units(people.paid_at(rows), people.paid_blanks(rows), control)
    seen = rows.select(unit_code="payer").distinct().left_join(units, "unit_code", rname="paid_{name}")
    met = seen.join(_members(place), "unit_code", rname="place_{name}")
    return met.group_by("division_code").agg(paid=met.paid.fill_null(0).sum().cast("int64"))


def _members(place: Table) -> Table:
    """A unit belongs to its division in `units`, to none without."""
    return place.filter(place.registered).select(
        "unit_code", "division_code", lacking=~place.count_only & ~place.here_payroll
    )


def division_pay(i: Inputs, night: Night, place: Table, folder: Table, paid: Table, before: Table) -> Table:
    """Every division with a unit or a folder: `paid` (null without a unit), `ceiling` (null when none is known), `bound` (which limit it is),
    `ceilings` (all that are known, as JSON), and which
    of payroll and units is lacking (`missing`; null: counted). `before`: paid_a_year_ago."""
    members = _members(place).left_join(paid.select("unit_code", "paid"), "unit_code", rname="paid_{name}")
    now = members.group_by("division_code").agg(
        paid=members.paid.fill_null(0).sum().cast("int64"), lacking=members.lacking.any()
    )
    d = folder.select("division_code").union(now.select("division_code"), distinct=True)
    d = d.left_join(now, "division_code", rname="now_{name}")
    d = d.left_join(folder, "division_code", rname="folder_{name}")
    d = d.left_join(_ceilings(i, night, before), "division_code", rname="limit_{name}")
    refused = (d.counts | ~(d.has_payroll | d.open_payroll)).fill_null(False)
    # Payers belong to a division through the register alone: without it nobody would be counted.
    unread = (~d.has_units & (~d.open_units | d.paid.isnull())).fill_null(False)
    return d.select(
        "division_code",
        "ceiling",
        "ceilings",
        "bound",
        "paid",
        missing=choose((refused | d.lacking.fill_null(False), "payroll"), (unread, "units")),
    )


def _ceilings(i: Inputs, night: Night, before: Table) -> Table:
    """(division_code, ceiling, bound, ceilings): the smallest limit known, which it is, and every one known: where it is
    from, of which month, its figure, and how many rows of `base` it adds. Of equal ones last year's binds."""
    accepted = i.year_ago.group_by("division_code").agg(night=i.year_ago.paid.min())
    based = _based(i)
    d = ibis.union(*(table.select("division_code") for table in (accepted, before, based)), distinct=True)
    for table, prefix in ((accepted, "night"), (before, "book"), (based, "base")):
        d = d.left_join(table, "division_code", rname=prefix + "_{name}")
    d = d.mutate(then=ibis.coalesce(d.night, d.paid), source=d.night.isnull().ifelse(OF_BOOK, OF_NIGHT))
    year_ago = _limit(d, d.source, d.then, month=json_code(ibis.literal(night.month_a_year_ago)))
    base = _limit(d, ibis.literal(OF_BASE), d.based, rows=json_number(d["rows"]))
    return d.select(
        "division_code",
        ceiling=ibis.least(d.then, d.based),
        bound=choose(((d.then <= d.based) | (d.then.notnull() & d.based.isnull()), d.source), otherwise=OF_BASE),
        ceilings=ibis.coalesce(year_ago + "," + base, year_ago, base),
    )


def _based(i: Inputs) -> Table:
    """(division_code, based, rows): Σ base_paid over the types of a division, CONTROL_NUMBER aside; of several rows of one
    type the smallest known counts. Divisions with a type whose figure is not known have no sum."""
    b = i.base.filter(i.base.post_type != CONTROL)
    types = b.group_by("division_code", "post_type").agg(figure=b.base_paid.min())
    sums = types.group_by("division_code").agg(
        based=types.figure.sum().cast("int64"), rows=types.count(), unknown=types.figure.isnull().any()
    )
    return sums.filter(~sums.unknown).drop("unknown")


def _limit(d: Table, source: StringValue, figure: IntegerValue, **more: StringValue) -> StringValue:
    told = json_object({"limit": json_code(source), "figure": json_number(figure), **more})
    return figure.notnull().ifelse(told, null_text())


def division_paid(divisions: Table) -> Table:
    """What the same month next year is held against. `divisions`: division_pay."""
    return divisions.filter(divisions.missing.isnull() & divisions.paid.notnull()).select("division_code", "paid")


def f11(divisions: Table) -> Table:
    over = divisions.filter(divisions.missing.isnull() & (divisions.paid > divisions.ceiling))
    return answer(
        over, "F11", division_code=over.division_code, expected=as_count(over.ceiling), found=as_count(over.paid),
        evidence='{"bound":' + json_code(over.bound) + ',"ceilings":[' + over.ceilings + "]}",
    )  # fmt: skip


def f11_gaps(divisions: Table) -> Table:
    """Not evaluable: the people paid are not known, or there is nothing to compare them with."""
    unlimited = (divisions.paid.notnull() & divisions.ceiling.isnull()).ifelse("base", null_text())
    rows = divisions.mutate(book=ibis.coalesce(divisions.missing, unlimited))
    rows = rows.filter(rows.book.notnull())
    return rows.select(
        rule=ibis.literal("F11"), division_code="division_code", unit_code=ibis.literal("*"), book="book"
    )
