"""What a night publishes beside findings: the three numbers per cell and unit, and the presence classes. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table

from core.types import Measure
from reconcile.rules.counts import ALL, measure_rows, unit_totals
from reconcile.rules.people import CONTROL, FORMS
from reconcile.rules.quota import CELL

CELL_SCHEMA = {
    "division_code": "string", "unit_code": "string", "post_type": "string", "fund_form": "string", "quota": "int64",
    "allowed": "int64", "in_post": "int64", "paid": "int64", "part_of": "string",
}  # fmt: skip
PRESENCE_SCHEMA = {"unit_code": "string", "bits": "string", "people": "int64"}


def person_figures(cells: Table, totals: Table, unknown: Table, in_post: Table, paid: Table, place: Table) -> Table:
    """Cells and totals ('' '') of units that deliver persons; null where the book a number comes from is not present.

    A cell's paid are the people the unit pays who are active in it; a unit's paid are all it pays, FULL and PART.
    """
    cell_paid = in_post.select(*CELL, "paid")
    by_cell = cells.left_join(cell_paid, CELL, rname="paid_{name}").select(
        *CELL, "quota", "allowed", "in_post", paid=ibis._.paid.fill_null(0)
    )
    unit = (
        place.select("unit_code")
        .left_join(totals, "unit_code", rname="sum_{name}")
        .left_join(paid, "unit_code", rname="paid_{name}")
    )
    unread = unknown.filter(unknown.counted).select("unit_code", unread=ibis.literal(True))
    unit = unit.left_join(unread, "unit_code", rname="unread_{name}")
    known = unit.missing.isnull() & unit.unread.isnull()
    zero = ibis.literal(0, "int64")
    by_unit = unit.select(
        "unit_code",
        post_type=ibis.literal(ALL),
        fund_form=ibis.literal(ALL),
        quota=known.ifelse(unit.quota.fill_null(zero), ibis.null("int64")),
        allowed=known.ifelse(unit.allowed.fill_null(zero), ibis.null("int64")),
        in_post=unit.in_post.fill_null(zero),
        paid=unit.paid.fill_null(zero),
    )
    both = by_cell.union(by_unit).join(place.filter(~place.count_only), "unit_code", rname="place_{name}")

    def only(book: BooleanValue, name: str):
        return book.ifelse(both[name], ibis.null("int64"))

    return both.select(
        "division_code",
        *CELL,
        quota=only(both.here_establishment, "quota"),
        allowed=only(both.here_establishment, "allowed"),
        in_post=only(both.here_roster, "in_post"),
        paid=only(both.here_payroll & ((both.post_type == ALL) | both.here_roster), "paid"),
        part_of=ibis.null("string"),
    )


def count_only_figures(figures: Table, quota: Table, units: Table, parts: Table, place: Table) -> Table:
    """Cells and totals of count-only units, from their delivered figures; a blank fund form is ''."""
    typed = figures.filter(figures.post_type != ALL)
    own = quota.filter((quota.post_type != ALL) & quota.quota_row).semi_join(
        place.filter(place.count_only), "unit_code"
    )
    keys = typed.select(*CELL).union(own.select(*CELL), distinct=True)
    cells = keys.left_join(quota.filter(quota.quota_row), CELL, rname="quota_{name}")
    for measure, column in ((Measure.IN_POST, "in_post"), (Measure.PAID, "paid")):
        figure = measure_rows(typed, measure).select(*CELL, **{column: "figure"})
        cells = cells.left_join(figure, CELL, rname=f"{column}_{{name}}")
    by_cell = cells.select(*CELL, "quota", "allowed", "in_post", "paid")
    paid = unit_totals(measure_rows(figures, Measure.PAID, True)).rename(paid="figure")
    unit = units.left_join(paid, "unit_code", rname="paid_{name}")
    by_unit = unit.select(
        "unit_code", "quota", "allowed", "in_post", "paid", post_type=ibis.literal(ALL), fund_form=ibis.literal(ALL)
    )
    both = by_cell.union(by_unit.select(by_cell.columns)).join(
        place.select("unit_code", "division_code"), "unit_code", rname="place_{name}"
    )
    both = both.left_join(parts, "unit_code", rname="part_{name}")
    return both.select(*CELL_SCHEMA)


def _bits(quota: BooleanValue, roster: BooleanValue, pay: BooleanValue) -> StringValue:
    text = quota.ifelse("1", "0")
    for bit in (roster, pay):
        text = text + bit.ifelse("1", "0")
    return text


def presence(
    active: Table, several: Table, single: Table, elsewhere: Table, pay_blank: Table, posts: Table, place: Table
) -> Table:
    """People per unit and class of the bits quota, roster, pay; where both person books are present.

    `posts`: unit_code, post_type, fund_form of the cells with a known quota above 0.
    """
    yes, no = ibis.literal(True), ibis.literal(False)
    marked = posts.filter(posts.post_type != CONTROL).select("unit_code", "fund_form").distinct()
    forms = marked.group_by("unit_code").agg(
        **{f"posts_{form.lower()}": (marked.fund_form == form).any() for form in FORMS}
    )
    owned = posts.mutate(has_posts=yes)
    alone = single.filter(single.post_type != CONTROL).left_join(owned, CELL, rname="posts_{name}")
    alone = alone.select(
        "unit_code", bits=_bits(alone.has_posts.fill_null(False), yes, alone.pay_here), people="people"
    )
    few = active.filter(~active.control).semi_join(several, "person_key").left_join(owned, CELL, rname="posts_{name}")
    few = few.group_by("person_key", "unit_code").agg(
        has_posts=few.has_posts.fill_null(False).any(), pay_here=few.pay_here.any()
    )
    shared = few.group_by("unit_code", bits=_bits(few.has_posts, yes, few.pay_here)).agg(people=few.count())
    only = elsewhere.left_join(forms, elsewhere.payer == forms.unit_code, rname="form_{name}")
    has: BooleanValue = no
    for form in FORMS:
        has = has | (only[f"mode_{form.lower()}"] & only[f"posts_{form.lower()}"].fill_null(False))
    only = only.mutate(bits=_bits(has, no, yes))
    on_payroll = only.group_by(unit_code="payer", bits="bits").agg(people=only.count())
    owner = marked.select("unit_code", "fund_form", has=yes)
    rows = pay_blank.left_join(
        owner, [pay_blank.payer == owner.unit_code, pay_blank.fund_mode == owner.fund_form], rname="own_{name}"
    )
    rows = rows.select(unit_code="payer", bits=_bits(rows.has.fill_null(False), no, yes), people="people")
    every = ibis.union(alone, shared, on_payroll, rows.select("unit_code", "bits", "people"))
    able = place.filter(~place.count_only & place.here_roster & place.here_payroll)
    every = every.semi_join(able, "unit_code")
    return every.group_by("unit_code", "bits").agg(people=every.people.sum())
