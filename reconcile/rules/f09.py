"""F09 三数不符: in post against paid per unit, explained by the findings that name the people. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
from ibis.expr.types import Table

from core.types import Cause, Measure
from reconcile.rules.counts import measure_rows, unit_totals
from reconcile.rules.over_quota import rows
from reconcile.rules.people import BUDGET_FORMS, CONTROL, left_within
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import answer, as_count, choose, json_code, json_number, json_object, sorted_list
from reconcile.rules.units import judged

# The findings that name a person on one side only (DOMAIN §4).
NAMING_RULES = ("F01", "F02", "F03", "F04", "F05", "F07", "F08", "D01", "D02")
QUOTA_HALF = '["entered before the gate"]'
UNIT_PERSON = ("person_key", "unit_code")
FIGURES = ("in_post", "paid", "on_one_side", "residual", "residual_effect")


@dataclass(frozen=True)
class Sides:
    """Who stands where. in_post: person_key, unit_code, cells, budget_pay_here (the unit itself pays); placed: people
    paid elsewhere, at the unit they count for. One person once per unit on the paid side."""

    in_post: Table
    placed: Table


def in_post_side(pairs: Table, double: Table, late: Table) -> Table:
    """Person, unit, budget cells and whether the unit pays; F02 TIMING entrants left out. `late`: f02_persons."""
    timing = late.filter(late.entered).select(*UNIT_PERSON)
    side = pairs.filter(pairs.budget_cells > 0).anti_join(timing, UNIT_PERSON)
    side = side.left_join(double, UNIT_PERSON, rname="double_{name}")
    return side.select(*UNIT_PERSON, "budget_pay_here", cells=side.cells.fill_null(1))


def placed_side(i: Inputs, night: Night, elsewhere: Table, pairs: Table, active: Table, gone: Table) -> Table:
    """Paid people whom the payer does not have in post, at the unit they count for.

    Seconded to the payer: the roster's unit. Left the payer within M and active elsewhere: the new unit. Left out: F03
    TIMING leavers and those who enter after A within M. `gone`: f03_persons.
    """
    away = elsewhere.filter(elsewhere.mode_full | elsewhere.mode_part).select("person_key", "payer")
    # Active at the payer in a cell that is not on the budget, yet paid from it.
    other_form = pairs.filter(pairs.budget_pay_here & (pairs.budget_cells == 0))
    paid = away.union(other_form.select("person_key", payer="unit_code"))
    paid = paid.anti_join(gone.filter(gone.timing | gone.later), "person_key")
    rows = active.filter(~active.control).semi_join(paid, "person_key")
    seen = paid.join(rows, "person_key", rname="row_{name}")
    to_payer = ((seen.status == "SECONDED_OUT") & (seen.seconded_to == seen.payer)).fill_null(False)
    facts = seen.group_by("person_key", "payer").agg(
        here=(seen.unit_code == seen.payer).any(),
        lent_by=seen.unit_code.min(where=to_payer),
        new_unit=seen.unit_code.min(),
    )
    r = i.roster
    left = r.filter(left_within(r, night) & (r.post_type != CONTROL)).semi_join(paid, "person_key")
    left = left.select("person_key", payer="unit_code", moved=ibis.literal(True)).distinct()
    met = paid.left_join(facts, ["person_key", "payer"], rname="fact_{name}")
    met = met.left_join(left, ["person_key", "payer"], rname="left_{name}")
    unit = ibis.cases(
        (met.here.fill_null(False), met.payer),
        (met.lent_by.notnull(), met.lent_by),
        (met.moved.fill_null(False) & met.new_unit.notnull(), met.new_unit),
        else_=met.payer,
    )
    return met.select("person_key", unit_code=unit).distinct()


def one_sided(sides: Sides) -> Table:
    """Persons on one side only: person_key, unit_code, `effect` on in post − paid: 1 or −1."""
    left = sides.in_post.filter(~sides.in_post.budget_pay_here).anti_join(sides.placed, UNIT_PERSON)
    right = sides.placed.anti_join(sides.in_post, UNIT_PERSON)
    more, less = ibis.literal(1, "int64"), ibis.literal(-1, "int64")
    return left.select(*UNIT_PERSON, effect=more).union(right.select(*UNIT_PERSON, effect=less))


def blanks(active: Table, pay_blank: Table) -> Table:
    """People without an id per unit: `roster` in budget cells, `payroll` on budget modes."""
    nobody = active.filter(active.budget & active.person_key.isnull())
    roster = nobody.group_by("unit_code").agg(roster=nobody.count(), payroll=ibis.literal(0, "int64"))
    rows = pay_blank.filter(pay_blank.fund_mode.isin(BUDGET_FORMS))
    payroll = rows.group_by(unit_code="payer").agg(payroll=rows.people.sum())
    payroll = payroll.select("unit_code", roster=ibis.literal(0, "int64"), payroll="payroll")
    both = roster.select("unit_code", "roster", "payroll").union(payroll)
    return both.group_by("unit_code").agg(roster=both.roster.sum(), payroll=both.payroll.sum())


def effects(alone: Table, in_post: Table, blank: Table, findings: Table) -> Table:
    """(unit_code, key, effect): the findings of the persons on one side, of those who hold two cells, of blank ids, and
    what each adds to in post − paid.

    Of several findings about one person one carries the person: the unit's own before others, D01 last, then by key; the
    others have 0. Cells beyond the first are D01's.
    """
    naming = findings.filter(findings.rule.isin(NAMING_RULES))
    persons = naming.filter(naming.person_key.notnull()).select("key", "person_key", "rule", owner="unit_code")
    named = alone.join(persons, "person_key")
    order = [(named.owner != named.unit_code).fill_null(True), named.rule == "D01", named.key]
    turn = ibis.row_number().over(group_by=list(UNIT_PERSON), order_by=order)
    named = named.mutate(turn=turn)
    none = ibis.literal(0, "int64")
    named = named.select("unit_code", "key", effect=(named.turn == 0).ifelse(named.effect, none))
    double = in_post.filter(in_post.cells > 1).join(persons, "person_key")
    more = (double.rule == "D01").ifelse(double.cells.cast("int64") - 1, none)
    nameless = naming.filter((naming.rule == "D02") & naming.person_key.isnull()).join(blank, "unit_code")
    of_book = {book: nameless.grain.contains(f'"book":"{book}"') for book in ("roster", "payroll")}
    people = of_book["roster"].ifelse(nameless.roster, of_book["payroll"].ifelse(-nameless.payroll, none))
    nameless = nameless.select("unit_code", "key", effect=people.cast("int64")).filter(ibis._.effect != 0)
    every = ibis.union(named, double.select("unit_code", "key", effect=more), nameless)
    return every.group_by("unit_code", "key").agg(effect=every.effect.sum().cast("int64"))


def unit_figures(sides: Sides, alone: Table, blank: Table, findings: Table) -> Table:
    """Per unit: in_post, paid, on_one_side, residual, and what the unnamed add to in post − paid (residual_effect). Blank
    ids stand on one side and are named by D02."""
    named = findings.filter(findings.rule.isin(NAMING_RULES) & findings.person_key.notnull()).select("person_key")
    unnamed = alone.anti_join(named, "person_key")
    met = sides.in_post.filter(sides.in_post.budget_pay_here)
    # Somebody met at the unit may be placed there by a second payer too: one person once.
    placed = sides.placed.anti_join(met, UNIT_PERSON)
    names = FIGURES
    rows = [
        _counted(sides.in_post, names, in_post=sides.in_post.cells.sum(), paid=sides.in_post.budget_pay_here.sum()),
        _counted(placed, names, paid=placed.count()),
        _counted(alone, names, on_one_side=alone.count()),
        _counted(unnamed, names, residual=unnamed.count(), residual_effect=unnamed.effect.sum()),
        _counted(
            blank, names, in_post=blank.roster.sum(), paid=blank.payroll.sum(),
            on_one_side=(blank.roster + blank.payroll).sum(),
        ),
    ]  # fmt: skip
    every = ibis.union(*rows)
    return every.group_by("unit_code").agg(**{name: every[name].sum() for name in names})


def _counted(table: Table, names: tuple[str, ...], **given) -> Table:
    zero = ibis.literal(0, "int64")
    grouped = table.group_by("unit_code").agg(**{name: value.cast("int64") for name, value in given.items()})
    return grouped.select("unit_code", **{name: grouped[name] if name in given else zero for name in names})


def f09(figures: Table, named: Table, findings: Table, sums: Table, unknown: Table, place: Table) -> Table:
    """Units that deliver persons. `named`: effects; `findings`: those about people, of which P02 explains the quota half;
    `sums`: sums.person_units, for that half; `unknown`: quota.unit_unknown, as a unit without a cell may be, too."""
    effect = json_code(named.key) + ":" + json_number(named.effect)
    listed = named.group_by("unit_code").agg(
        keys=sorted_list(named.key, '","'), effects=sorted_list(effect, ","), named_effect=named.effect.sum()
    )
    entered = findings.filter(findings.rule == "P02")
    entered = entered.group_by("unit_code").agg(entered=sorted_list(entered.key, '","'))
    units = figures.select("unit_code").union(sums.select("unit_code"), distinct=True)
    u = units.left_join(figures, "unit_code", rname="figure_{name}")
    u = u.left_join(listed, "unit_code", rname="key_{name}")
    u = u.left_join(entered, "unit_code", rname="entered_{name}")
    u = u.left_join(sums.rename(quota_in_post="in_post"), "unit_code", rname="sum_{name}")
    unread = unknown.filter(unknown.whole).select("unit_code", unread=ibis.literal(True))
    u = u.left_join(unread, "unit_code", rname="unread_{name}")
    u = judged(u, place, "F09", ("roster", "payroll")).join(
        place.select("unit_code", "here_establishment"), "unit_code", rname="place_{name}"
    )
    u = u.mutate(**{name: u[name].fill_null(0) for name in (*FIGURES, "named_effect")})
    judged_quota = u.here_establishment & u.missing.isnull() & u.unread.isnull()
    u = u.mutate(
        over=(judged_quota & (u.quota_in_post > u.allowed)).fill_null(False),
        differ=u.in_post != u.paid,
        shown_quota=judged_quota.ifelse(u.quota.fill_null(0), ibis.null("int64")),
        shown_allowed=judged_quota.ifelse(u.allowed.fill_null(0), ibis.null("int64")),
    )
    u = u.filter(u.over | u.differ)
    unexplained = u.residual != 0
    evidence = {
        "quota": u.shown_quota, "allowed": u.shown_allowed, "in_post": u.in_post, "paid": u.paid,
        "on_one_side": u.on_one_side, "named": u.on_one_side - u.residual, "residual": u.residual,
        "difference": u.in_post - u.paid, "named_effect": u.named_effect, "residual_effect": u.residual_effect,
    }  # fmt: skip
    return answer(
        u, "F09", unit_code=u.unit_code,
        severity=unexplained.ifelse("S1", "S2"), cause=choose((unexplained, Cause.UNEXPLAINED.value)),
        expected=u.differ.ifelse(as_count(u.in_post), as_count(u.allowed)),
        found=u.differ.ifelse(as_count(u.paid), as_count(u.quota_in_post)),
        explained_by=choose(
            (~u.differ & u.entered.isnull(), QUOTA_HALF),
            (~u.differ, ibis.literal('["') + u.entered + '"]'),
            (u["keys"].notnull(), ibis.literal('["') + u["keys"] + '"]'),
            otherwise="[]",
        ),
        evidence=json_object(
            {name: json_number(value) for name, value in evidence.items()}
            | {"effects": ibis.literal("{") + u.effects.fill_null("") + "}"}
        ),
    )  # fmt: skip


def count_sides(figures: Table) -> Table:
    """Count-only units: in_post and paid over FULL, PART and blank fund forms; null where no figure is delivered."""
    in_post = unit_totals(measure_rows(figures, Measure.IN_POST, True)).rename(in_post="figure")
    paid = unit_totals(measure_rows(figures, Measure.PAID, True)).rename(paid="figure")
    units = in_post.select("unit_code").union(paid.select("unit_code"), distinct=True)
    both = units.left_join(in_post, "unit_code", rname="post_{name}").left_join(paid, "unit_code", rname="paid_{name}")
    return both.select("unit_code", "in_post", "paid")


def f09_counts(sides: Table, sums: Table, place: Table) -> Table:
    """On counts alone: S2, persons not delivered. `sums`: sums.count_units."""
    able = place.filter(place.count_only & place.here_headcount & ~place.roster_missing)
    u = sides.filter(sides.in_post.notnull() & sides.paid.notnull()).semi_join(able, "unit_code")
    u = u.left_join(sums.rename(quota_in_post="in_post"), "unit_code", rname="sum_{name}")
    judged_quota = u.missing.isnull()
    u = u.mutate(
        over=(judged_quota & (u.quota_in_post > u.allowed)).fill_null(False), differ=u.in_post != u.paid,
        shown_quota=judged_quota.ifelse(u.quota, ibis.null("int64")),
        shown_allowed=judged_quota.ifelse(u.allowed, ibis.null("int64")),
    )  # fmt: skip
    u = u.filter(u.over | u.differ)
    evidence = {"quota": u.shown_quota, "allowed": u.shown_allowed, "in_post": u.in_post, "paid": u.paid}
    evidence |= {"difference": u.in_post - u.paid}
    return answer(
        u, "F09", unit_code=u.unit_code, severity="S2", cause=Cause.PERSONS_NOT_DELIVERED.value,
        expected=u.differ.ifelse(as_count(u.in_post), as_count(u.allowed)),
        found=u.differ.ifelse(as_count(u.paid), as_count(u.quota_in_post)),
        explained_by="[]",
        evidence=json_object(
            {name: json_number(value) for name, value in evidence.items()}
            | {name: ibis.literal("null") for name in ("on_one_side", "named", "residual")}
        ),
    )  # fmt: skip


def f09_count_gaps(sides: Table, place: Table) -> Table:
    """Not evaluable: a count-only unit without a figure of people paid, or of people in post; one `*` row for a
    count-only division in which no unit has a paid figure."""
    able = place.filter(place.count_only & place.here_headcount & ~place.roster_missing).left_join(
        sides, "unit_code", rname="side_{name}"
    )
    unpaid = able.filter(able.paid.isnull())
    some = place.filter(place.count_only).left_join(sides, "unit_code", rname="side_{name}")
    some = some.filter(some.paid.notnull()).select("home").distinct()
    whole = unpaid.filter(unpaid.counts_by_division).anti_join(some, "home")
    single = unpaid.anti_join(whole, "unit_code")
    return ibis.union(
        whole.select(
            rule=ibis.literal("F09"), division_code="home", unit_code=ibis.literal("*"), book=ibis.literal("payroll")
        ).distinct(),
        rows(single, "F09", "payroll"),
        rows(able.filter(able.in_post.isnull()), "F09", "headcount"),
    )
