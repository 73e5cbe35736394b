"""The order in which a night's tables follow from one another: stages, then answers. Pure.

A stage is an expression over unbound tables that several later ones use. An engine materialises it once, under its name;
later expressions see it as one more unbound table of known columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import ibis
from ibis.expr.types import Table

from reconcile.findings import FINDING_SCHEMA, NOT_EVALUABLE_SCHEMA
from reconcile.rules import (
    base_paid,
    counts,
    d_rules,
    entries,
    f09,
    f_rules,
    figures,
    flows,
    headcount,
    holders,
    leads,
    movements,
    names,
    not_evaluable,
    over_quota,
    pay_rules,
    people,
    permits,
    posts_held,
    quota,
    ranks,
    registers,
    registration,
    sums,
    texts,
    unit_limits,
    units,
)
from reconcile.rules.evidence import (
    PAYROLL_TOLD,
    ROSTER_TOLD,
    clears_when,
    named_persons,
    person_evidence,
    person_lists,
)
from reconcile.rules.listing import with_more
from reconcile.rules.tables import Inputs, Night, inputs
from reconcile.rules.texts import null_text

# Columns of each output file, and the order of its rows.
OUTPUTS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "findings": (FINDING_SCHEMA, ("rule", "key")),
    "not_evaluable": (NOT_EVALUABLE_SCHEMA, tuple(NOT_EVALUABLE_SCHEMA)),
    "cells": (figures.CELL_SCHEMA, ("unit_code", "post_type", "fund_form")),
    "presence": (figures.PRESENCE_SCHEMA, ("unit_code", "bits")),
    "division_paid": (base_paid.DIVISION_PAID_SCHEMA, ("division_code",)),
}


@dataclass
class Plan:
    """`stages`: (name, expression) in order. `outputs`: expression by the name of the file it fills."""

    stages: list[tuple[str, Table]] = field(default_factory=list)
    outputs: dict[str, Table] = field(default_factory=dict)

    def stage(self, name: str, expression: Table) -> Table:
        self.stages.append((name, expression))
        return ibis.table(expression.schema(), name=name)


def plan(night: Night) -> Plan:
    """All rules of one night. Hash of nothing, clock of nothing: equal nights give equal plans."""
    p, i, s = Plan(), inputs(), SimpleNamespace()
    _unit_stages(p, i, s, night)
    _quota_stages(p, i, s)
    _people_stages(p, i, s, night)
    _sum_stages(p, i, s)
    _division_stages(p, i, s, night)
    _name_stages(p, i, s, night)
    _gate_stages(p, i, s, night)
    s.named = _keyed(p, "named", _person_findings(i, s, night))
    _f09_stages(p, i, s, night)
    s.others = _keyed(p, "others", _unit_findings(i, s, night))
    persons = p.stage("named_persons", named_persons(s.named))
    held = p.stage("named_roster", i.roster.semi_join(persons, "person_key").select(*ROSTER_TOLD))
    paid = p.stage("named_payroll", i.payroll.semi_join(persons, "person_key").select(*PAYROLL_TOLD))
    told = p.stage("person_lists", person_lists(i, night, persons, held, paid))
    s.evidence = p.stage("person_evidence", person_evidence(night, told, held, paid))
    p.outputs["findings"] = _finished(s)
    p.outputs["not_evaluable"] = _not_evaluable(i, s, night)
    cells = figures.person_figures(s.person_cells, s.person_units, s.unknown, s.in_post, s.paid_units, s.place)
    counted = figures.count_only_figures(s.figures, s.quota, s.count_units, s.parts, s.place)
    p.outputs["cells"] = cells.union(counted.select(cells.columns))
    p.outputs["presence"] = figures.presence(s.active, s.several, s.single, s.elsewhere, s.pay_blank, s.posts, s.place)
    p.outputs["division_paid"] = base_paid.division_paid(s.division_pay)
    return p


def _keyed(p: Plan, name: str, raw: Table) -> Table:
    """Findings with grain and key. Each step is a stage, or an engine would spell one text inside the other again."""
    spelled = p.stage(f"{name}_spelled", texts.spelled(p.stage(f"{name}_raw", raw)))
    return p.stage(name, texts.keyed(spelled))


def _unit_stages(p: Plan, i: Inputs, s: SimpleNamespace, night: Night) -> None:
    s.month_rows = p.stage("month_rows", people.payroll_of_month(i.payroll, night.month))
    s.folder = p.stage("folder", units.folders(i))
    named = p.stage("naming", units.named_units(i))
    unit = p.stage("unit", units.homes(named, units.version_in_force(i, night)))
    s.place = p.stage("place", units.places(i, named, unit, s.folder, people.blank_ids(i, s.month_rows)))


def _quota_stages(p: Plan, i: Inputs, s: SimpleNamespace) -> None:
    s.figures = p.stage("figures", counts.count_figures(i, s.place))
    s.parts = p.stage("parts", counts.parts(i, s.place))
    s.quota = p.stage("quota", quota.quota_cells(i, s.place, s.figures))
    s.unknown = p.stage("unknown", quota.unit_unknown(i, s.place, s.quota))
    s.posts = p.stage("posts", quota.cells_with_posts(s.quota))


def _people_stages(p: Plan, i: Inputs, s: SimpleNamespace, night: Night) -> None:
    s.pay = p.stage("pay", people.paid_at(s.month_rows))
    s.pay_blank = p.stage("pay_blank", people.paid_blanks(s.month_rows))
    s.active = p.stage("active", people.active_rows(i, night, s.pay))
    s.several = p.stage("several", people.several_rows(s.active))
    s.pairs = p.stage("pairs", people.active_pairs(s.active, s.several))
    s.single = p.stage("single", people.single_cells(s.active, s.several))
    s.in_post = p.stage("in_post", people.in_post_cells(s.active, s.several, s.single))
    s.control = p.stage("control", people.control_only(i))
    s.unmet = p.stage("unmet", people.unmet_pay(s.pay, s.pairs))
    s.payers = p.stage("paid_by_several", people.paid_by_several(s.pay, s.unmet, s.several))
    s.elsewhere = p.stage("elsewhere", people.paid_elsewhere(s.unmet, s.control))
    s.paid_units = p.stage("paid_units", people.paid_units(s.pay, s.pay_blank, s.control))
    s.stray = p.stage("stray", people.strays(s.unmet, s.active))
    s.dead = p.stage("dead", f_rules.f04(f_rules.f04_persons(i, s.month_rows, s.place), i, s.active, night))
    s.gone = p.stage("gone", f_rules.f03_persons(i, night, s.stray))
    s.still_paid = p.stage("still_paid", f_rules.f03(s.gone, s.dead, s.place))
    s.unlisted = p.stage("unlisted", f_rules.nowhere(i, s.stray))
    s.leads = p.stage("paid_elsewhere", leads.paid_elsewhere(i, night, s.pay, (s.dead, s.still_paid)))
    s.contradictions = p.stage("contradictions", d_rules.contradictions(i, night))
    s.doubted = p.stage("doubted", registers.doubted_units(i, night, s.pay, s.pay_blank, s.quota, s.place))
    s.limited = p.stage("limited", unit_limits.limited(i, s.place))
    s.unpaid = p.stage("unpaid", f_rules.f02_persons(s.active, s.pay, s.month_rows, s.place))


def _sum_stages(p: Plan, i: Inputs, s: SimpleNamespace) -> None:
    s.person_cells = p.stage("person_cells", sums.person_cells(s.place, s.in_post, s.quota, s.unknown))
    s.person_types = p.stage("person_types", sums.person_types(s.person_cells))
    s.person_units = p.stage("person_units", sums.person_units(s.person_cells))
    counted = s.quota.semi_join(s.place.filter(s.place.count_only), "unit_code")
    s.quota_types = p.stage("quota_types", sums.count_quota_types(counted))
    s.count_known = p.stage("count_known", sums.count_units_known(s.place, s.quota_types, s.parts, s.unknown))
    s.count_units = p.stage("count_units", sums.count_units(s.figures, s.count_known))
    s.count_types = p.stage("count_types", sums.count_types(s.figures, s.count_known, s.quota_types))
    s.count_cells = p.stage("count_cells", sums.count_cells(s.figures, s.quota, s.count_types))
    s.tiers = p.stage("tiers", posts_held.leaders(i, s.active, s.place))
    ours = headcount.d05_rows(i, s.person_cells, s.paid_units, s.unknown, s.place)
    s.stated = p.stage("stated", ours)
    s.parts_added = p.stage("parts_added", headcount.d06_sums(i))
    s.totals = p.stage(
        "division_totals", registers.division_totals(i, s.place, s.quota, s.unknown, s.quota_types, s.parts)
    )


def _division_stages(p: Plan, i: Inputs, s: SimpleNamespace, night: Night) -> None:
    before = p.stage("paid_a_year_ago", base_paid.paid_a_year_ago(i, night, s.place, s.control))
    s.division_pay = p.stage("division_pay", base_paid.division_pay(i, night, s.place, s.folder, s.paid_units, before))


def _name_stages(p: Plan, i: Inputs, s: SimpleNamespace, night: Night) -> None:
    known = p.stage("known_ranks", ranks.known_ranks(i))
    s.ranked = p.stage("ranked", ranks.ranked(i, night, known, s.place))
    few = p.stage("maybe_several", names.maybe_several(i, night, s.month_rows, s.pay, s.several, s.payers))
    suspects = p.stage("two_names", names.two_names(i, night, few))
    s.name_rows = p.stage("name_rows", names.name_rows(i, night, suspects))
    paid = p.stage("unlisted_names", names.unlisted_names(i, night, s.unlisted))
    held = p.stage("alike", names.alike(i, night, paid))
    s.lookalikes = p.stage("lookalikes", names.lookalikes(paid, held, s.month_rows, s.active, s.place))


def _gate_stages(p: Plan, i: Inputs, s: SimpleNamespace, night: Night) -> None:
    gated = p.stage("gated", entries.gated_units(i, s.place))
    s.entry = p.stage("entry", entries.entries(i, night, gated))
    s.leaving = p.stage("leaving", entries.exits(i, night, gated))
    s.moved = p.stage("transfers", flows.transfers(i, s.entry, s.place))
    s.taken = p.stage("posts_taken", holders.posts_taken(i, s.entry, s.quota))
    cells = p.stage("scope_cells", holders.scope_cells(s.taken))
    s.allowed_then = p.stage("allowed_then", holders.allowed_on(i, s.taken, cells, s.quota, s.unknown))
    sides = p.stage("stays_of_sides", holders.both_sides(p.stage("stays", holders.stays(i, night, cells))))
    stay = p.stage("stay", holders.once_each(sides))
    held_then = p.stage("held_then", holders.held_on(night, s.taken, stay))
    turn = p.stage("turn", holders.turns(p.stage("entrants", holders.entrants(s.taken, cells, stay))))
    s.crowded = p.stage("crowded", holders.crowded(s.taken, s.allowed_then, held_then, turn))
    s.unpermitted = p.stage("unpermitted", permits.unpermitted(i, s.entry))
    s.misused = p.stage("misused", permits.misused(i, s.entry, s.place))
    s.unexamined = p.stage("unexamined", permits.unexamined(i, s.entry))
    s.slow_entries = p.stage("slow_entries", registration.slow_entries(i, night, s.entry))
    s.slow_exits = p.stage("slow_exits", registration.slow_exits(i, night, s.leaving))


def _person_findings(i: Inputs, s: SimpleNamespace, night: Night) -> Table:
    return ibis.union(
        posts_held.q03(s.active, s.place, night),
        ranks.q05(s.ranked),
        s.dead,
        s.still_paid,
        f_rules.f01(s.unlisted, s.dead, s.place),
        f_rules.f02(s.unpaid),
        pay_rules.f05(i, s.payers, s.active, s.place),
        leads.f06(i, s.leads, s.active, s.place),
        pay_rules.f07(s.pairs, s.elsewhere, s.pay, s.active, s.place),
        pay_rules.f08(i, night, s.pay, s.elsewhere, s.pairs, s.active, s.place),
        d_rules.d01(s.active, s.several, s.place),
        d_rules.d02(i, s.month_rows, s.place),
        names.d03_names(s.name_rows, s.place),
        names.d03_pairs(s.lookalikes),
        d_rules.d04(i, night, s.place),
        d_rules.d07(s.contradictions, s.place),
        permits.p01(i, s.unpermitted),
        holders.p02(s.crowded),
        registration.p04(night, s.slow_entries),
        registration.p05(night, s.slow_exits, s.still_paid, s.pay),
        permits.p06(i, s.unexamined),
        flows.p07(s.moved),
    )


def _f09_stages(p: Plan, i: Inputs, s: SimpleNamespace, night: Night) -> None:
    in_post = p.stage("f09_in_post", f09.in_post_side(s.pairs, people.double_cells(s.active, s.pairs), s.unpaid))
    placed = p.stage("f09_placed", f09.placed_side(i, night, s.elsewhere, s.pairs, s.active, s.gone))
    s.sides = f09.Sides(in_post, placed)
    s.alone = p.stage("f09_alone", f09.one_sided(s.sides))
    s.blank = p.stage("f09_blank", f09.blanks(s.active, s.pay_blank))
    s.f09_figures = p.stage("f09_figures", f09.unit_figures(s.sides, s.alone, s.blank, s.named))
    s.f09_effects = p.stage("f09_effects", f09.effects(s.alone, in_post, s.blank, s.named))
    s.count_sides = p.stage("f09_counts", f09.count_sides(s.figures))


def _unit_findings(i: Inputs, s: SimpleNamespace, night: Night) -> Table:
    types = s.person_types.union(s.count_types.select(s.person_types.columns))
    return ibis.union(
        over_quota.q01(s.person_units, s.count_units, s.place),
        over_quota.q02(s.person_types, s.count_types, s.place),
        over_quota.q12(s.person_cells, s.count_cells, types, s.place),
        posts_held.q04(s.tiers, s.unknown),
        registers.q06(s.doubted),
        registers.q07(i, s.place),
        registers.q08(s.totals),
        movements.q09(i, night),
        movements.q10(i, night),
        unit_limits.q11(s.limited),
        base_paid.f11(s.division_pay),
        permits.p03(i, s.entry, s.misused),
        f09.f09(s.f09_figures, s.f09_effects, s.named, s.person_units, s.unknown, s.place),
        f09.f09_counts(s.count_sides, s.count_units, s.place),
        headcount.d05(s.stated),
        headcount.d06_parts(s.parts_added),
        headcount.d06_files(i),
        headcount.d08(i),
    )


def _finished(s: SimpleNamespace) -> Table:
    """Findings with the division of their unit, the person's mask and evidence."""
    people_rows = s.named.left_join(s.evidence, "person_key", rname="evidence_{name}")
    hints = names.suggestions(s.lookalikes)
    people_rows = people_rows.left_join(hints, ["rule", "person_key"], rname="hint_{name}")
    people_rows = people_rows.select(
        *(name for name in s.named.columns if name not in ("evidence", "explained_by")),
        evidence=with_more(people_rows.evidence, people_rows.evidence_evidence),
        explained_by=ibis.coalesce(people_rows.explained_by, people_rows.suggested),
        person_mask="person_mask",
        dead="dead",
    )
    others = s.others.mutate(person_mask=null_text(), dead=ibis.literal(False)).select(people_rows.columns)
    every = people_rows.union(others)
    clears = clears_when(every.rule, every.cause, every.dead.fill_null(False))
    every = every.mutate(evidence=with_more(clears, every.evidence)).drop("dead")
    unit = s.place.select("unit_code", unit_division="division_code")
    joined = every.left_join(unit, "unit_code", rname="place_{name}")
    joined = joined.mutate(division_code=ibis.coalesce(joined.division_code, joined.unit_division))
    return joined.select(*FINDING_SCHEMA)


def _not_evaluable(i: Inputs, s: SimpleNamespace, night: Night) -> Table:
    rows = [
        not_evaluable.absences(i, s.folder, s.place),
        over_quota.unknown_quota(s.unknown, s.place),
        over_quota.count_only_gaps(s.count_units, s.count_types, s.count_cells, s.figures, s.place),
        posts_held.q03_gaps(s.active, s.place),
        ranks.q05_gaps(s.ranked),
        movements.position_gaps(i, night, s.place, s.folder),
        unit_limits.q11_gaps(i, s.limited, s.folder),
        base_paid.f11_gaps(s.division_pay),
        posts_held.q04_gaps(s.tiers, s.unknown, s.place),
        registers.q06_gaps(s.doubted),
        registers.q07_gaps(i, s.place),
        registers.q08_gaps(s.totals, s.folder),
        f09.f09_count_gaps(s.count_sides, s.place),
        headcount.d05_gaps(s.stated, s.place),
        headcount.d06_gaps(i, s.parts_added, s.place, s.folder),
        leads.f06_gaps(s.leads, s.place),
        d_rules.d07_gaps(s.contradictions, s.place),
        entries.start_gaps(i, s.folder, s.place),
        entries.month_gaps(s.taken, s.entry, s.leaving),
        permits.p01_gaps(s.unpermitted),
        holders.p02_gaps(s.taken, s.allowed_then, s.crowded),
        permits.p03_gaps(s.misused),
        registration.late_gaps(s.slow_entries, s.slow_exits),
        permits.p06_gaps(s.unexamined),
        flows.p07_gaps(s.moved),
    ]
    return not_evaluable.all_rows(*rows)
