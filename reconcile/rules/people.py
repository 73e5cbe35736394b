"""People: who is active, who is paid and by whom, and where roster and payroll meet (decisions 16–19, 22). Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, Table

from core.types import ACTIVE_STATUSES, FundForm, PersonState, PersonStatus, PostType, YesNo
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.units import payer

ACTIVE = [status.value for status in ACTIVE_STATUSES]
CONTROL = PostType.CONTROL_NUMBER.value
FORMS = tuple(form.value for form in FundForm)
MODES = tuple(f"mode_{form.lower()}" for form in FORMS)
BUDGET_FORMS = (FundForm.FULL.value, FundForm.PART.value)


def is_active(roster: Table, night: Night) -> BooleanValue:
    """Status in post, entered by A or without a date, not yet left on A (DOMAIN §4)."""
    entered = roster.entry_date.isnull() | (roster.entry_date <= night.as_of)
    staying = roster.exit_date.isnull() | (roster.exit_date > night.as_of)
    return roster.status.isin(ACTIVE) & entered & staying


def exits_within(roster: Table, night: Night) -> BooleanValue:
    """Whether the exit lies within M: not on its first, as who left then was active on no day of it.

    An exit known only to be in M is stored as the first; any other day of M is likelier, and the milder reading.
    """
    within = (roster.exit_date > night.first) & (roster.exit_date <= night.last)
    some_day = (roster.exit_date == night.first) & ~roster.exit_date_exact
    return within.fill_null(False) | some_day.fill_null(False)


def left_within(roster: Table, night: Night) -> BooleanValue:
    """Active on some day of M and no longer on its last. Who is 编外 held no post that could be left."""
    return exits_within(roster, night) & ~is_off_quota(roster)


def enters_later(roster: Table, night: Night) -> BooleanValue:
    """Will be active later within M."""
    later = (roster.entry_date > night.as_of) & (roster.entry_date <= night.last)
    staying = roster.exit_date.isnull() | (roster.exit_date > roster.entry_date)
    return (roster.status.isin(ACTIVE) & later & staying).fill_null(False)


def is_proper(payroll: Table) -> BooleanValue:
    """A payroll row of a person in service on the establishment (DOMAIN §4, P)."""
    return (payroll.person_state == PersonState.IN_SERVICE.value) & (payroll.on_establishment == YesNo.YES.value)


def payroll_of_month(payroll: Table, month: str) -> Table:
    """The payroll rows of a month: payer, whether the row is of a person in service on the establishment (`proper`)."""
    p = payroll.filter(payroll.month == month)
    return p.select(
        "person_key", "fund_mode", "amount", "id_problem", "person_state", "on_establishment",
        payer=payer(p), proper=is_proper(p),
    )  # fmt: skip


def paid_at(month_rows: Table) -> Table:
    """P by person and payer: rows, and a flag per fund mode. Who is not paid on balance is left out."""
    rows = month_rows.filter(month_rows.proper & month_rows.person_key.notnull())
    flags = {f"mode_{form.lower()}": (rows.fund_mode == form).any() for form in FORMS}
    places = rows.group_by("person_key", "payer").agg(rows=rows.count(), known=rows.amount.sum(), **flags)
    # Few have no positive pay, so the second look is at those alone.
    doubtful = places.filter(places.known <= 0).select("person_key").distinct()
    sums = places.semi_join(doubtful, "person_key").group_by("person_key").agg(total=ibis._.known.sum())
    return places.anti_join(sums.filter(sums.total <= 0), "person_key").drop("known")


def paid_persons(pay: Table, persons: Table) -> Table:
    """P by person, of the given few (person_key): how many payers, the smallest, and every fund mode."""
    pay = pay.semi_join(persons, "person_key")
    return pay.group_by("person_key").agg(
        payers=pay.count(),
        first_payer=pay.payer.min(),
        **{f"mode_{form.lower()}": pay[f"mode_{form.lower()}"].any() for form in FORMS},
    )


def paid_blanks(month_rows: Table) -> Table:
    """Rows of P without an id, per payer and fund mode: one person each."""
    paid = month_rows.amount.isnull() | (month_rows.amount > 0)
    rows = month_rows.filter(month_rows.proper & month_rows.person_key.isnull() & paid)
    return rows.group_by("payer", "fund_mode").agg(people=rows.count())


def active_rows(i: Inputs, night: Night, pay: Table) -> Table:
    """Active roster rows with what their unit pays them: `pay_here`, and a flag per fund mode."""
    rows = i.roster.filter(is_active(i.roster, night))
    rows = rows.select(
        "person_key", "unit_code", "post_type", "fund_form", "status", "seconded_to", "leader_tier",
        entered=rows.entry_date.between(night.first, night.last).fill_null(False),
        control=rows.post_type == CONTROL,
    )  # fmt: skip
    here = pay.rename(pay_person="person_key")
    rows = rows.left_join(here, [rows.person_key == here.pay_person, rows.unit_code == here.payer])
    return rows.select(
        "person_key", "unit_code", "post_type", "fund_form", "status", "seconded_to", "leader_tier", "entered", "control",
        pay_here=rows.payer.notnull(),
        budget=rows.fund_form.isin(BUDGET_FORMS) & ~rows.control,
        **{mode: rows[mode].fill_null(False) for mode in MODES},
    )  # fmt: skip


def several_rows(active: Table) -> Table:
    """Those few with more than one active row: person_key. Everybody else's row is the person."""
    rows = active.filter(active.person_key.notnull())
    counted = rows.group_by("person_key").agg(rows=rows.count())
    return counted.filter(counted.rows > 1).select("person_key")


def single_cells(active: Table, several: Table) -> Table:
    """People of one active row, and blank ids, per cell and whether the unit itself pays them (`pay_here`)."""
    single = active.anti_join(several, "person_key")
    return single.group_by("unit_code", "post_type", "fund_form", "pay_here").agg(people=single.count())


def in_post_cells(active: Table, several: Table, single: Table) -> Table:
    """People per cell, each once; a blank id is one person. `paid`: those the unit itself pays. `single`: single_cells."""
    cell = ("unit_code", "post_type", "fund_form")
    alone = single.select(*cell, in_post="people", paid=single.pay_here.ifelse(single.people, 0))
    few = active.semi_join(several, "person_key")
    few = few.group_by(*cell).agg(in_post=few.person_key.nunique(), paid=few.person_key.nunique(where=few.pay_here))
    both = alone.union(few)
    return both.group_by(*cell).agg(in_post=both.in_post.sum().cast("int64"), paid=both.paid.sum().cast("int64"))


def active_pairs(active: Table, several: Table) -> Table:
    """Person and unit, CONTROL_NUMBER aside: budget cells held, whether the unit pays and in which modes, forms held."""
    rows = active.filter(active.person_key.notnull() & ~active.control)
    rows = rows.select(
        "person_key", "unit_code", "pay_here",
        budget_cells=rows.budget.cast("int64"),
        budget_pay_here=rows.mode_full | rows.mode_part,
        **{mode: rows[mode] for mode in MODES},
        **{f"form_{form.lower()}": rows.fund_form == form for form in FORMS},
    )  # fmt: skip
    few = rows.semi_join(several, "person_key")
    flags = [name for name in rows.columns if name not in ("person_key", "unit_code", "budget_cells")]
    few = few.group_by("person_key", "unit_code").agg(
        budget_cells=few.budget_cells.sum().cast("int64"), **{name: few[name].any() for name in flags}
    )
    return rows.anti_join(several, "person_key").union(few.select(rows.columns))


def double_cells(active: Table, pairs: Table) -> Table:
    """Distinct budget cells of those few with several rows in one unit: person_key, unit_code, cells."""
    several = pairs.filter(pairs.budget_cells > 1).select("person_key", "unit_code")
    rows = active.filter(active.budget).semi_join(several, ["person_key", "unit_code"])
    cells = rows.select("person_key", "unit_code", "post_type", "fund_form").distinct()
    return cells.group_by("person_key", "unit_code").agg(cells=ibis._.count())


def blank_ids(i: Inputs, month_rows: Table) -> Table:
    """Units with a row without an id: in the roster, in the payroll of M."""
    roster = i.roster.filter(i.roster.person_key.isnull()).select(
        "unit_code", blank_roster=ibis.literal(True), blank_payroll=ibis.literal(False)
    )
    payroll = month_rows.filter(month_rows.person_key.isnull()).select(
        unit_code="payer", blank_roster=ibis.literal(False), blank_payroll=ibis.literal(True)
    )
    both = roster.union(payroll)
    return both.group_by("unit_code").agg(blank_roster=both.blank_roster.any(), blank_payroll=both.blank_payroll.any())


def control_only(i: Inputs) -> Table:
    """Persons all of whose roster rows are CONTROL_NUMBER: they take no part in what compares roster and pay. A row of
    编外 counts only for who has no other."""
    known = i.roster.filter(i.roster.person_key.notnull())
    control = known.filter(known.post_type == CONTROL).select("person_key").distinct()
    rows = known.semi_join(control, "person_key")
    off, numbered = is_off_quota(rows), rows.post_type == CONTROL
    persons = rows.group_by("person_key").agg(
        placed=(~off).any(), elsewhere=(~off & ~numbered).any(), outside=(off & ~numbered).any()
    )
    return persons.filter(~persons.elsewhere & (persons.placed | ~persons.outside)).select("person_key")


def unmet_pay(pay: Table, pairs: Table) -> Table:
    """P by person and payer where the person is not active at the payer, CONTROL_NUMBER aside."""
    met = pairs.filter(pairs.pay_here).select("person_key", payer="unit_code")
    return pay.anti_join(met, ["person_key", "payer"])


def paid_elsewhere(unmet: Table, control: Table) -> Table:
    """`unmet_pay` but for persons on CONTROL_NUMBER alone."""
    return unmet.anti_join(control, "person_key")


def paid_units(pay: Table, pay_blank: Table, control: Table) -> Table:
    """Paid people per unit, by payer: `paid` (FULL and PART) and one count per fund mode; a blank id is one person."""
    persons = pay.anti_join(control, "person_key")
    flags = {form: persons[f"mode_{form.lower()}"] for form in FORMS}
    known = persons.group_by(unit_code="payer").agg(
        paid=(flags["FULL"] | flags["PART"]).sum().cast("int64"),
        **{f"paid_{form.lower()}": flag.sum().cast("int64") for form, flag in flags.items()},
    )
    blank = pay_blank.group_by(unit_code="payer").agg(
        paid=pay_blank.people.sum(where=pay_blank.fund_mode.isin(BUDGET_FORMS)).fill_null(0),
        **{
            f"paid_{form.lower()}": pay_blank.people.sum(where=pay_blank.fund_mode == form).fill_null(0)
            for form in FORMS
        },
    )
    both = known.union(blank)
    names = [name for name in both.columns if name != "unit_code"]
    return both.group_by("unit_code").agg(**{name: both[name].sum() for name in names})


def strays(unmet: Table, active: Table) -> Table:
    """Persons of P who are active nowhere: person_key, first_payer. No payer of theirs can be met: `unmet_pay` has all."""
    rows = unmet.anti_join(active.filter(active.person_key.notnull()), "person_key")
    return rows.group_by("person_key").agg(first_payer=rows.payer.min())


def paid_by_several(pay: Table, unmet: Table, several: Table) -> Table:
    """Persons of P with two payers or more: `paid_persons`. Who is met by two has two active rows."""
    persons = paid_persons(pay, unmet.select("person_key").union(several))
    return persons.filter(persons.payers > 1)


def is_off_quota(roster: Table) -> BooleanValue:
    """Whether a roster row is 编外: it takes part in F03 and in "is in a roster" only."""
    return roster.status == PersonStatus.OFF_QUOTA.value
