"""D05 统计不实, D06 分项合计不符, D08 时点不齐: what the delivered figures and files say of themselves. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, Table, Value

from core.types import Cause, Measure, Scope
from reconcile.rules.people import CONTROL, FORMS
from reconcile.rules.tables import Inputs
from reconcile.rules.texts import (
    NO_VALUE,
    answer,
    as_count,
    choose,
    day_text,
    json_number,
    json_object,
    sorted_list,
)
from reconcile.rules.units import judged

# The book our own figure of a measure comes from.
OUR_BOOK = {Measure.QUOTA.value: "establishment", Measure.IN_POST.value: "roster", Measure.PAID.value: "payroll"}
TOTAL_KEY = ("unit_code", "measure", "scope", "post_type", "fund_form")
D05_GRAIN = ("unit_code", "measure", "post_type", "fund_form", "source")


def d05_rows(i: Inputs, cells: Table, paid: Table, unknown: Table, place: Table) -> Table:
    """Delivered figures of one unit of scope ON_ESTABLISHMENT with ours beside them, for units that deliver persons: the
    grain's columns, theirs, ours, held (quarantined rows in the book ours comes from), lacking: the book without which one
    of the two is not known (null: both are)."""
    stated = _of_one_unit(i.headcount.filter(i.headcount.scope == Scope.ON_ESTABLISHMENT.value))
    stated = stated.select(*D05_GRAIN, theirs=stated["count"]).distinct()
    compared = [
        _against(_ours_of_cells(stated, cells, measure, column), place, measure)
        for measure, column in ((Measure.QUOTA.value, "quota"), (Measure.IN_POST.value, "in_post"))
    ]
    both = ibis.union(*compared, _against(_ours_paid(stated, paid), place, Measure.PAID.value))
    whole = unknown.filter(unknown.whole).select("unit_code", whole=ibis.literal(True))
    both = both.left_join(whole, "unit_code", rname="whole_{name}")
    unread = both.whole.notnull() & (both.measure == Measure.QUOTA.value)
    both = both.select(*D05_GRAIN, "theirs", "held", ours=unread.ifelse(ibis.null("int64"), both.ours))
    own_book = ibis.cases(*((both.measure == measure, book) for measure, book in OUR_BOOK.items()))
    return both.mutate(lacking=ibis.cases((both.theirs.isnull(), "headcount"), (both.ours.isnull(), own_book)))


def _of_one_unit(h: Table) -> Table:
    """The figures of one unit alone: not the totals, which another unit's figure, or the unit's own part, of the same source,
    measure, type and form names by part_of. `h`: rows of one scope."""
    texts = {f"{name}_text": h[name].fill_null("") for name in ("post_type", "fund_form", "source")}
    rows = h.mutate(**texts)
    key = ("unit_code", "measure", *texts)
    parts = rows.filter(rows.part_of.notnull())
    totals = parts.select("measure", *texts, unit_code="part_of", added=ibis.literal(True)).distinct()
    met = rows.left_join(totals, key, rname="total_{name}")
    return met.filter(met.added.isnull() | _own_part(met))


def _own_part(h: Table) -> BooleanValue:
    """What a total has of its own unit: a part only, never a total."""
    return (h.part_of == h.unit_code).fill_null(False)


def d05_gaps(both: Table, place: Table) -> Table:
    """Not evaluable: a figure without a number, a stated quota where ours is unknown."""
    units = both.filter(both.lacking.notnull()).join(place.select("unit_code", "home"), "unit_code")
    return units.select(
        rule=ibis.literal("D05"), division_code="home", unit_code="unit_code", book="lacking"
    ).distinct()


def d05(both: Table) -> Table:
    wrong = both.filter((both.theirs != both.ours).fill_null(False))
    p = wrong.group_by(*D05_GRAIN).agg(theirs=wrong.theirs.min(), ours=wrong.ours.min(), held=wrong.held.any())
    return answer(
        p, "D05", **{name: p[name] for name in D05_GRAIN}, expected=as_count(p.ours), found=as_count(p.theirs),
        severity=p.held.ifelse("S4", "S2"), cause=choose((p.held, Cause.QUARANTINE.value)),
    )  # fmt: skip


def _ours_of_cells(stated: Table, cells: Table, measure: str, column: str) -> Table:
    """Adds `ours`; a blank post_type or fund_form means all of them, CONTROL_NUMBER in none; unknown quota: null."""
    mine = stated.filter(stated.measure == measure)
    own = cells.select("unit_code", cell_type="post_type", cell_form="fund_form", value=column)
    met = mine.left_join(own, "unit_code", rname="cell_{name}")
    kind = met.post_type.isnull().ifelse(met.cell_type != CONTROL, met.cell_type == met.post_type)
    form = met.fund_form.isnull() | (met.cell_form == met.fund_form)
    inside = (kind & form).fill_null(False)
    grouped = met.group_by(*D05_GRAIN, "theirs").agg(
        total=met.value.sum(where=inside), unknown=(inside & met.value.isnull()).any()
    )
    ours = grouped.unknown.ifelse(ibis.null("int64"), grouped.total.fill_null(0))
    return grouped.select(*D05_GRAIN, "theirs", ours=ours)


def _ours_paid(stated: Table, paid: Table) -> Table:
    """Adds `ours`: people paid by the unit, FULL and PART or the one fund form named. A post_type is not compared."""
    mine = stated.filter((stated.measure == Measure.PAID.value) & stated.post_type.isnull())
    met = mine.left_join(paid, "unit_code", rname="paid_{name}")
    by_form: list[tuple] = [(met.fund_form == form, met[f"paid_{form.lower()}"]) for form in FORMS]
    ours: Value = ibis.cases(*by_form, else_=met.paid)
    return met.select(*D05_GRAIN, "theirs", ours=ours.fill_null(0))


def _against(stated: Table, place: Table, measure: str) -> Table:
    book = OUR_BOOK[measure]
    able = judged(stated, place, "D05", ("headcount", book))
    return able.select(*D05_GRAIN, "theirs", "ours", held=f"held_{book}")


def _plain(h: Table) -> Table:
    """Headcount rows with blanks as '', so that blank meets blank in a join."""
    texts = {name: h[name].fill_null("") for name in ("post_type", "fund_form", "source", "part_of")}
    return h.select("unit_code", "measure", "scope", figure=h["count"], **texts)


def d06_sums(i: Inputs) -> Table:
    """Every total row that parts name, by TOTAL_KEY and source: stated, added, `silent` (a number is not known), parts.

    A part is held against the total of its own source, else against the first.
    """
    rows = _plain(i.headcount)
    whole = rows.filter(~_own_part(rows))
    totals = whole.filter(whole.figure.notnull()).group_by(*TOTAL_KEY, "source").agg(stated=ibis._.figure.min())
    first = totals.group_by(*TOTAL_KEY).agg(first_source=ibis._.source.min())
    mute = whole.select(*TOTAL_KEY).distinct().anti_join(first, TOTAL_KEY)
    parts = rows.filter(rows.part_of != "").select(
        "measure",
        "scope",
        "post_type",
        "fund_form",
        "figure",
        unit_code="part_of",
        part="unit_code",
        part_source="source",
    )
    # The same figure of the same part and source, delivered twice, is one figure.
    parts = parts.distinct()
    mute = mute.semi_join(parts, TOTAL_KEY).select(*TOTAL_KEY, silent=ibis.literal(True))
    parts = parts.join(first, TOTAL_KEY, rname="first_{name}")
    own = totals.select(*TOTAL_KEY, part_source="source", own=ibis.literal(True))
    parts = parts.left_join(own, [*TOTAL_KEY, "part_source"], rname="own_{name}")
    parts = parts.mutate(source=parts.own.fill_null(False).ifelse(parts.part_source, parts.first_source))
    sums = parts.group_by(*TOTAL_KEY, "source").agg(
        added=parts.figure.sum(), silent=parts.figure.isnull().any(), parts=parts.count()
    )
    met = sums.join(totals, [*TOTAL_KEY, "source"], rname="total_{name}")
    unknown = {name: ibis.null("int64") for name in ("stated", "added", "parts")}
    columns = (*TOTAL_KEY, "source", "stated", "added", "silent", "parts")
    return met.select(*columns).union(mute.mutate(source=ibis.literal(""), **unknown).select(*columns))


def d06_parts(totals: Table) -> Table:
    """Parts named by part_of that do not add up to their total row. `totals`: d06_sums."""
    wrong = totals.filter(~totals.silent & (totals.added != totals.stated))
    named = {name: wrong[name].nullif("") for name in (*TOTAL_KEY, "source")}
    return answer(
        wrong, "D06", unit_code=named["unit_code"], post_type=named["post_type"], fund_form=named["fund_form"],
        expected=as_count(wrong.stated), found=as_count(wrong.added),
        grain=named,
        evidence=json_object({"parts": json_number(wrong.parts)}),
    )  # fmt: skip


def d06_gaps(i: Inputs, totals: Table, place: Table, folder: Table) -> Table:
    """Not evaluable: a total or one of its parts has no number; a folder whose headcount, or that of one above where it
    has none of its own, is due or delivered and not accepted."""
    units = totals.filter(totals.silent).join(place.select("unit_code", "home"), "unit_code")
    v = i.verdict.filter(i.verdict.book == "headcount")
    out = v.filter((v.expected | v.delivered) & ~v.accepted).select(above_code="division_code")
    below = i.lineage.join(out, "above_code").select("division_code").distinct()
    folders = folder.filter(~folder.has_headcount).semi_join(below, "division_code")
    return ibis.union(
        *(
            table.select(rule=ibis.literal("D06"), division_code=home, unit_code=unit, book=ibis.literal("headcount"))
            for table, home, unit in ((units, "home", "unit_code"), (folders, "division_code", ibis.literal("*")))
        )
    )


def _of_accepted(i: Inputs, facts: Table) -> Table:
    """Facts about books that were accepted: nothing is concluded from a rejected one."""
    accepted = i.verdict.filter(i.verdict.accepted).select("division_code", "book")
    return facts.semi_join(accepted, ["division_code", "book"])


def d06_files(i: Inputs) -> Table:
    """小计 and 合计 rows whose stated value is not the sum of their rows."""
    t = _of_accepted(i, i.totals)
    wrong = t.filter(t.stated != t.computed)
    p = wrong.group_by("division_code", "book", "column", "stated").agg(
        computed=sorted_list(wrong.computed), rows=wrong.count()
    )
    grain = {name: p[name] for name in ("division_code", "book", "column", "stated")}
    return answer(
        p, "D06", division_code=p.division_code, expected=p.stated, found=p.computed, grain=grain,
        evidence=json_object({"rows": json_number(p.rows)}),
    )  # fmt: skip


def d08(i: Inputs) -> Table:
    """Files of one book and night that state different cut-off dates."""
    c = _of_accepted(i, i.cutoffs.filter(i.cutoffs.cutoff.notnull())).select("book", "cutoff").distinct()
    grouped = c.group_by("book").agg(dates=sorted_list(day_text(c.cutoff)), several=c.count())
    differing = grouped.filter(grouped.several > 1)
    return answer(differing, "D08", book=differing.book, expected=NO_VALUE, found=differing.dates)
