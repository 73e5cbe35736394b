"""F04 死亡仍发薪, F03 离编未停薪, F01 有薪无编 (the first that holds, one per person) and F02 有编无薪. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from core.types import Cause, LeadKind, PersonStatus
from reconcile.rules.people import CONTROL, enters_later, exits_within, is_off_quota, left_within
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import NO_VALUE, answer, cell_columns, cell_text, choose, day_text
from reconcile.rules.units import judged


def with_cell(persons: Table, i: Inputs, active: Table) -> Table:
    """Adds `cell`: the first in text order of the person's active ones at the finding's unit, else of all active ones,
    else of all roster rows; null without a row."""
    mine = persons.select("person_key", "unit_code")
    current = active.select("person_key", "unit_code", cell=cell_text(active), current=ibis.literal(True))
    every = i.roster.select("person_key", "unit_code", cell=cell_text(i.roster), current=ibis.literal(False))
    rows = mine.join(current.union(every), "person_key", rname="row_{name}")
    here = rows.current & (rows.row_unit_code == rows.unit_code)
    cells = rows.group_by("person_key").agg(
        cell=ibis.coalesce(rows.cell.min(where=here), rows.cell.min(where=rows.current), rows.cell.min())
    )
    return persons.left_join(cells, "person_key", rname="cell_{name}")


def f04_persons(i: Inputs, month_rows: Table, place: Table) -> Table:
    """Any payroll row of M and a DEATH lead dated before the first of M."""
    deaths = i.leads.filter((i.leads.kind == LeadKind.DEATH.value) & i.leads.person_key.notnull())
    deaths = deaths.group_by("person_key").agg(died=deaths.date.min())
    rows = month_rows.join(deaths, "person_key", rname="death_{name}")
    return judged(rows.group_by("person_key", "died").agg(unit_code=rows.payer.min()), place, "F04")


def f04(persons: Table, i: Inputs, active: Table, night: Night) -> Table:
    dead = with_cell(persons.filter(persons.died < night.first), i, active)
    return answer(
        dead, "F04", person_key=dead.person_key, unit_code=dead.unit_code, expected="0", found=day_text(dead.died),
        **cell_columns(dead.cell),
    )  # fmt: skip


def f03_persons(i: Inputs, night: Night, stray: Table) -> Table:
    """Persons of P, not active on A, with a roster row that counts.

    `timing`: left a post within M; `later`: becomes active later within M.
    """
    rows = i.roster.join(stray, "person_key", rname="paid_{name}")
    rows = rows.filter(rows.post_type != CONTROL)
    within = left_within(rows, night)
    exited = (rows.exit_date <= night.first).fill_null(False) & ~exits_within(rows, night)
    # exit_date is the first day no longer in post; of a date known to the month no day can be named.
    before = (rows.exit_date - ibis.interval(days=1)).cast("date")
    last_day = rows.exit_date_exact.fill_null(True).ifelse(day_text(before), rows.exit_date.strftime("%Y-%m"))
    persons = rows.group_by("person_key", "first_payer").agg(
        cell=cell_text(rows).min(),
        timing=within.any(),
        exited=exited.any(),
        last_day=ibis.coalesce(last_day.max(where=within), last_day.max(where=exited)),
        off_quota=is_off_quota(rows).any(),
        not_entered=(rows.entry_date > night.last).fill_null(False).any(),
        later=enters_later(rows, night).any(),
    )
    return persons.rename(unit_code="first_payer")


def f03(persons: Table, dead: Table, place: Table) -> Table:
    """`dead`: persons F04 already names."""
    p = judged(persons.filter(~persons.later).anti_join(dead, "person_key"), place, "F03")
    cause = choose(
        (p.held_roster, Cause.QUARANTINE.value),
        (p.timing, Cause.TIMING.value),
        (p.exited, Cause.EXITED.value),
        (p.off_quota, Cause.OFF_QUOTA.value),
        (p.not_entered, Cause.NOT_YET_ENTERED.value),
        otherwise=Cause.NO_EXIT_DATE.value,
    )
    return answer(
        p, "F03", person_key=p.person_key, unit_code=p.unit_code, cause=cause,
        severity=(p.held_roster | p.timing).ifelse("S4", "S1"), expected="0",
        found=p.last_day.fill_null(NO_VALUE), **cell_columns(p.cell),
    )  # fmt: skip


def nowhere(i: Inputs, stray: Table) -> Table:
    """Persons of P in no roster of the night, whatever the status or unit of its rows: person_key, first_payer."""
    return stray.anti_join(i.roster.filter(i.roster.person_key.notnull()), "person_key")


def f01(unlisted: Table, dead: Table, place: Table) -> Table:
    """`unlisted`: nowhere. `dead`: persons F04 already names."""
    persons = unlisted.anti_join(dead, "person_key")
    p = judged(persons.rename(unit_code="first_payer"), place, "F01")
    cause = choose((p.held_roster, Cause.QUARANTINE.value), (p.blank_roster, Cause.BLANK_ID.value))
    return answer(
        p, "F01", person_key=p.person_key, unit_code=p.unit_code, cause=cause,
        severity=cause.isnull().ifelse("S1", "S4"), expected="0", found="1",
    )  # fmt: skip


def f02_persons(active: Table, pay: Table, month_rows: Table, place: Table) -> Table:
    """Active in a FULL or PART cell and not in P: `entered` within M, on `leave`, paid as something else (`other`)."""
    rows = active.filter(active.budget & active.person_key.notnull() & ~active.pay_here).anti_join(pay, "person_key")
    persons = rows.group_by("person_key", "unit_code").agg(
        entered=rows.entered.any(),
        leave=(rows.status == PersonStatus.ON_LEAVE.value).any(),
        cell=cell_text(rows).min(),
    )
    other = month_rows.filter(~month_rows.proper & month_rows.person_key.notnull())
    other = other.semi_join(persons, "person_key").select("person_key").distinct().mutate(other=True)
    persons = judged(persons, place, "F02")
    persons = persons.left_join(other, "person_key", rname="other_{name}")
    return persons.drop("other_person_key").mutate(other=persons.other.fill_null(False))


def f02(p: Table) -> Table:
    cause = choose(
        (p.held_payroll, Cause.QUARANTINE.value),
        (p.blank_payroll, Cause.BLANK_ID.value),
        (p.entered, Cause.TIMING.value),
        (p.leave, Cause.LEAVE.value),
        (p.other, Cause.PAID_AS_OTHER.value),
    )
    grave = ~(p.held_payroll | p.blank_payroll | p.entered | p.leave)
    return answer(
        p, "F02", person_key=p.person_key, unit_code=p.unit_code, cause=cause, severity=grave.ifelse("S3", "S4"),
        expected="1", found="0", **cell_columns(p.cell),
    )  # fmt: skip
