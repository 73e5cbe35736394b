"""Q06 私设机构, Q07 账证库不一致, Q08 总量突破: units, copies and totals against what was approved. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from core.types import Cause, CopyKind
from reconcile.rules.counts import ALL
from reconcile.rules.entries import open_rows
from reconcile.rules.people import is_active
from reconcile.rules.quota import CELL, COPIES, copies, held_cells
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import NO_VALUE, answer, as_count, choose, null_text


def doubted_units(i: Inputs, night: Night, pay: Table, pay_blank: Table, quota: Table, place: Table) -> Table:
    """Units with an active person, a row in P or a quota row that are not registered, approved or in force: unit_code,
    home, held_units, `reason`. `maybe`: a date known to the month leaves it open which version holds, or whether one does.
    """
    roster = i.roster.filter(is_active(i.roster, night)).select("unit_code")
    evidence = [roster, pay.select(unit_code="payer"), pay_blank.select(unit_code="payer")]
    units = ibis.union(*evidence, quota.filter(quota.quota_row).select("unit_code"), distinct=True)
    u = units.join(place.filter(place.here_units), "unit_code", rname="place_{name}")
    reason = choose(
        (~u.registered, "NOT_REGISTERED"), (u.approval_doc.isnull(), "NO_APPROVAL_DOC"), (~u.valid, "OUTSIDE_VALIDITY")
    )
    # Where no version has a document, it is all one which of them holds.
    u = u.mutate(reason=reason, maybe=u.maybe_valid & u.documented).filter(reason.notnull())
    return u.select("unit_code", "home", "held_units", "reason", "maybe")


def q06_gaps(doubted: Table) -> Table:
    """Not evaluable: valid or not, or by this version or another, as a month goes. `doubted`: doubted_units."""
    return open_rows(doubted.filter(doubted.maybe), "Q06", "units")


def q06(doubted: Table) -> Table:
    """`doubted`: doubted_units."""
    u = doubted.filter(~doubted.maybe)
    return answer(
        u, "Q06", unit_code=u.unit_code, expected=NO_VALUE, found=u.reason,
        severity=u.held_units.ifelse("S4", "S2"), cause=choose((u.held_units, Cause.QUARANTINE.value)),
    )  # fmt: skip


def q07(i: Inputs, place: Table) -> Table:
    """Cells whose copies differ, among the copies present in the unit's home folder, or above it where the home has no
    establishment book of its own."""
    cells = copies(i).join(_copies_present(i, place), "unit_code")
    held = held_cells(i, place)
    cells = cells.anti_join(held.filter(held.post_type.notnull()), CELL)
    cells = cells.anti_join(held.filter(held.post_type.isnull()), "unit_code")
    present = [(cells[f"is_{copy.lower()}"], cells[copy.lower()]) for copy in COPIES]
    low = ibis.least(*(is_here.ifelse(value.fill_null(-1), ibis.null("int64")) for is_here, value in present))
    high = ibis.greatest(*(is_here.ifelse(value.fill_null(-1), ibis.null("int64")) for is_here, value in present))
    found = ibis.literal("")
    for copy in COPIES:
        if copy != CopyKind.LEDGER.value:
            number = cells[copy.lower()].cast("string").fill_null(NO_VALUE)
            found = found + cells[f"is_{copy.lower()}"].ifelse(ibis.literal(f";{copy}=") + number, "")
    differing = cells.mutate(listed=found.substr(1)).filter(low != high)
    return answer(
        differing, "Q07", expected=differing.is_ledger.ifelse(as_count(differing.ledger), null_text()), found=differing.listed,
        **{name: differing[name] for name in CELL},
    )  # fmt: skip


def _copies_present(i: Inputs, place: Table) -> Table:
    """Per unit `is_<copy>`: whether the folders its quota comes from have any row of that copy; of a unit whose ledger is
    the source, whether it has one itself."""
    ours = i.establishment.semi_join(i.own_unit, "unit_code")
    e = i.establishment.anti_join(i.own_unit, "unit_code")
    seen = e.group_by("delivered_by").agg(**{f"is_{copy.lower()}": (e["copy"] == copy).any() for copy in COPIES})
    able = place.filter(place.here_establishment).select("unit_code", "home", "own_establishment")
    able = able.anti_join(i.own_unit, "unit_code")
    own = able.filter(able.own_establishment).select("unit_code", source="home")
    served = able.filter(~able.own_establishment)
    above = served.join(e.select("unit_code", "delivered_by").distinct(), "unit_code")
    above = above.join(
        i.lineage.filter(i.lineage.distance > 0), [("home", "division_code"), ("delivered_by", "above_code")]
    )
    nearest = above.group_by("unit_code").agg(source=above.delivered_by.argmin(above.distance))
    sources = own.union(nearest)
    met = sources.join(seen, sources.source == seen.delivered_by, rname="seen_{name}")
    names = [f"is_{copy.lower()}" for copy in COPIES]
    delivered = met.group_by("unit_code").agg(**{name: met[name].any() for name in names})
    own_copies = {f"is_{copy.lower()}": (ours["copy"] == copy).any() for copy in COPIES}
    return delivered.union(ours.group_by("unit_code").agg(**own_copies).select(delivered.columns))


def q07_gaps(i: Inputs, place: Table) -> Table:
    """Not evaluable: a quota row of the unit is quarantined."""
    held = i.quarantine.filter(i.quarantine.book == "establishment")
    units = place.filter(place.here_establishment).semi_join(held, "unit_code")
    return units.select(
        rule=ibis.literal("Q07"), division_code="home", unit_code="unit_code", book=ibis.literal("establishment")
    )


def division_totals(i: Inputs, place: Table, quota: Table, unknown: Table, count_types: Table, parts: Table) -> Table:
    """Every division and type of `base`: `ceiling` (null when none is known), `total` and what stands in the way.

    A registered unit belongs to its division and to all above. Parts of count-only units are in no sum. Where something
    stands in the way, `total` is what is known: no more than the true sum.
    """
    b = i.base
    limits = b.group_by("division_code", "post_type").agg(
        ceiling=ibis.least(b.issued_total.min(), b.base_2012.min()),
    )
    persons = place.filter(~place.count_only).select("unit_code")
    cells = quota.filter(quota.quota_row | ~quota.known).semi_join(persons, "unit_code")
    own = cells.select("unit_code", "post_type", posts="quota", unknown=~cells.known)
    figures = count_types.filter(count_types.named & (count_types.post_type != ALL)).anti_join(parts, "unit_code")
    own = own.union(
        figures.select(
            "unit_code", "post_type", posts=figures.unknown.ifelse(ibis.null("int64"), figures.quota), unknown="unknown"
        )
    )
    registered = place.filter(place.registered).select("unit_code", below="division_code")
    units = own.join(registered, "unit_code")
    units = units.join(i.lineage, [("below", "division_code")]).select("above_code", "post_type", "posts", "unknown")
    totals = units.group_by("above_code", "post_type").agg(
        total=units.posts.sum(), unknown=units.unknown.any(), rows=units.count()
    )
    # A quarantined quota row whose cell cannot be read may be of any type.
    whole = unknown.filter(unknown.whole).anti_join(parts, "unit_code").join(registered, "unit_code")
    whole = (
        whole.join(i.lineage, [("below", "division_code")]).select("above_code", unread=ibis.literal(True)).distinct()
    )
    joined = limits.left_join(totals, [("division_code", "above_code"), "post_type"], rname="total_{name}")
    joined = joined.left_join(whole, joined.division_code == whole.above_code, rname="whole_{name}")
    gaps = _establishment_gaps(i)
    joined = joined.left_join(gaps, joined.division_code == gaps.above_code, rname="gap_{name}")
    absent = joined.refused.fill_null(False) | ~(joined.some.fill_null(False) | (joined.rows > 0).fill_null(False))
    return joined.select(
        "division_code",
        "post_type",
        "ceiling",
        total=joined.total.fill_null(0),
        missing=choose(
            (joined.ceiling.isnull(), "base"),
            (joined.unknown.fill_null(False) | joined.unread.notnull() | absent, "establishment"),
        ),
    )


def _establishment_gaps(i: Inputs) -> Table:
    """Per division: whether it or one below it lacks its expected establishment, and whether any has one."""
    v = i.verdict.filter(i.verdict.book == "establishment")
    under = v.join(i.lineage, "division_code", rname="line_{name}")
    return under.group_by("above_code").agg(refused=(under.expected & ~under.accepted).any(), some=under.accepted.any())


def q08(totals: Table) -> Table:
    """What is known of a sum may already be too much; then no unknown cell makes it less."""
    over = totals.filter((totals.total > totals.ceiling).fill_null(False))
    return answer(
        over, "Q08", division_code=over.division_code, post_type=over.post_type,
        expected=as_count(over.ceiling), found=as_count(over.total),
    )  # fmt: skip


def q08_gaps(totals: Table, folder: Table) -> Table:
    """Not evaluable: per division without a limit or with unknown quota, and per folder without any base."""
    missing = totals.filter(totals.missing.notnull())
    own = missing.select(
        rule=ibis.literal("Q08"), division_code="division_code", unit_code=ibis.literal("*"), book="missing"
    )
    without = folder.filter(~folder.here_base).select(
        rule=ibis.literal("Q08"), division_code="division_code", unit_code=ibis.literal("*"), book=ibis.literal("base")
    )
    return own.union(without, distinct=True)
