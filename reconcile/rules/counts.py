"""Count-only units: their delivered figures, and their totals (decisions 5, 25, 33). Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table, Value

from core.types import Measure, Scope
from reconcile.rules.people import BUDGET_FORMS, CONTROL
from reconcile.rules.tables import Inputs

# A blank post_type or fund_form of a delivered figure.
ALL = ""


def count_figures(i: Inputs, place: Table) -> Table:
    """One figure per unit, measure, post_type and fund_form ('' when blank) of scope ON_ESTABLISHMENT.

    A unit's own rows come before those where it is a part; of several sources the first in text order counts.
    """
    h = i.headcount
    rows = h.filter((h.scope == Scope.ON_ESTABLISHMENT.value) & h["count"].notnull())
    rows = rows.semi_join(place.filter(place.count_only), "unit_code")
    rows = rows.select(
        "unit_code",
        "measure",
        "part_of",
        post_type=rows.post_type.fill_null(ALL),
        fund_form=rows.fund_form.fill_null(ALL),
        figure=rows["count"],
        a_part=rows.part_of.notnull().cast("int64"),
        source_text=rows.source.fill_null(""),
        part_text=rows.part_of.fill_null(""),
    )
    order = ["a_part", "source_text", "part_text", "figure"]
    window = {"group_by": ["unit_code", "measure", "post_type", "fund_form"], "order_by": order}
    numbered = rows.mutate(place=ibis.row_number().over(**window))
    return numbered.filter(numbered.place == 0).select(
        "unit_code", "measure", "post_type", "fund_form", "figure", "part_of"
    )


def stated_or_sum(rows: Table, blank: Value, value: Value) -> Value:
    """An aggregate: the stated value when a row is blank there, else the sum of the others; null when none."""
    return ibis.coalesce(value.sum(where=blank), value.sum(where=~blank))


def type_totals(rows: Table, value: str = "figure") -> Table:
    """Per unit and post_type: the figure without fund form, else the sum over fund forms."""
    return rows.group_by("unit_code", "post_type").agg(
        **{value: stated_or_sum(rows, rows.fund_form == ALL, rows[value])}
    )


def unit_totals(rows: Table, value: str = "figure") -> Table:
    """Per unit: the stated total of all types, else the sum of the types without CONTROL_NUMBER."""
    types = type_totals(rows, value)
    types = types.filter(types.post_type != CONTROL)
    return types.group_by("unit_code").agg(**{value: stated_or_sum(types, types.post_type == ALL, types[value])})


def measure_rows(figures: Table, measure: Measure, budget_only: bool = False) -> Table:
    """The figures of one measure; `budget_only`: fund forms FULL, PART and blank (F09)."""
    rows = figures.filter(figures.measure == measure.value)
    return rows.filter(rows.fund_form.isin((*BUDGET_FORMS, ALL))) if budget_only else rows


def parts(i: Inputs, place: Table) -> Table:
    """Count-only units that stand under another's total, in whatever measure or scope: unit_code, part_of."""
    another = i.headcount.filter((i.headcount.part_of != i.headcount.unit_code).fill_null(False))
    named = another.semi_join(place.filter(place.count_only), "unit_code")
    return named.group_by("unit_code").agg(part_of=named.part_of.min())
