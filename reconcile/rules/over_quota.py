"""Q01 超编, Q02 分类超编, Q12 经费挤占: in post above what is allowed, per unit, type and cell. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from reconcile.rules.people import CONTROL
from reconcile.rules.texts import answer, as_count
from reconcile.rules.units import judged


def _over(table: Table) -> Table:
    return table.filter(table.missing.isnull() & (table.in_post > table.allowed))


def _able(persons: Table, counts: Table, place: Table, rule: str) -> Table:
    """Rows a rule may judge: units of persons with the books it needs, and count-only units."""
    counted = counts.semi_join(place.filter(place.count_only & place.here_headcount), "unit_code")
    return judged(persons, place, rule).select(persons.columns).union(counted.select(persons.columns))


def q01(persons: Table, counts: Table, place: Table) -> Table:
    over = _over(_able(persons, counts, place, "Q01"))
    return answer(over, "Q01", unit_code=over.unit_code, expected=as_count(over.allowed), found=as_count(over.in_post))


def q02(persons: Table, counts: Table, place: Table) -> Table:
    over = _over(_able(persons, counts, place, "Q02"))
    return answer(
        over, "Q02", unit_code=over.unit_code, post_type=over.post_type,
        expected=as_count(over.allowed), found=as_count(over.in_post),
    )  # fmt: skip


def q12(persons: Table, counts: Table, types: Table, place: Table) -> Table:
    """`types`: the type totals of both kinds of unit; the type itself must be within."""
    over = _over(_able(persons, counts, place, "Q12"))
    over = over.filter(over.post_type != CONTROL)
    within = types.filter(types.missing.isnull() & (types.in_post <= types.allowed)).select("unit_code", "post_type")
    over = over.semi_join(within, ["unit_code", "post_type"])
    return answer(
        over, "Q12", unit_code=over.unit_code, post_type=over.post_type, fund_form=over.fund_form,
        expected=as_count(over.allowed), found=as_count(over.in_post),
    )  # fmt: skip


def unknown_quota(unknown: Table, place: Table) -> Table:
    """Not evaluable because quota is unknown: (rule, division_code, unit_code, book) for units of persons.

    F09 stands here for its quota half.
    """
    units = unknown.join(place.filter(~place.count_only), "unit_code", rname="place_{name}")
    able = units.filter(units.here_establishment)
    counted = able.filter(able.counted)
    return ibis.union(*(rows(counted, rule) for rule in ("Q01", "Q12", "F09")), rows(able, "Q02"))


def rows(units: Table, rule: str, book: str = "establishment") -> Table:
    """Not-evaluable rows for single units of a table with home and unit_code."""
    return units.select(rule=ibis.literal(rule), division_code="home", unit_code="unit_code", book=ibis.literal(book))


def count_only_gaps(units: Table, types: Table, cells: Table, figures: Table, place: Table) -> Table:
    """Not evaluable for count-only units: no figure of people, or quota unknown. Units whose whole division delivered no
    headcount are answered for by the division's row."""
    able = place.filter(place.count_only & place.here_headcount)

    def missing(table: Table, rule: str) -> Table:
        gaps = table.filter(table.missing.notnull()).select("unit_code", "missing")
        gaps = gaps.join(able, "unit_code", rname="place_{name}")
        return gaps.select(rule=ibis.literal(rule), division_code="home", unit_code="unit_code", book="missing")

    without_types = able.anti_join(types, "unit_code")
    blank = figures.filter((figures.fund_form == "") | (figures.post_type == ""))
    blank = blank.filter(blank.measure == "IN_POST")
    without_cells = able.filter(able.unit_code.isin(blank.unit_code) | able.unit_code.notin(cells.unit_code))
    return ibis.union(
        missing(units, "Q01"),
        missing(types, "Q02"),
        rows(without_types, "Q02", "headcount"),
        missing(cells, "Q12"),
        rows(without_cells, "Q12", "headcount"),
        distinct=True,
    )
