"""F06 吃空饷疑点: people in P of whom others say that they work, trade, serve time or live elsewhere. Pure."""

from __future__ import annotations

from ibis.expr.types import Table

from core.types import LeadKind
from reconcile.rules.f_rules import with_cell
from reconcile.rules.listing import lists, lists_told
from reconcile.rules.months import latest_day
from reconcile.rules.over_quota import rows
from reconcile.rules.people import paid_persons
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import (
    NO_VALUE,
    answer,
    cell_columns,
    day_text,
    json_code,
    json_object,
    json_text,
    sorted_list,
)
from reconcile.rules.units import judged

ELSEWHERE = [kind.value for kind in (LeadKind.OTHER_EMPLOYER, LeadKind.BUSINESS, LeadKind.PRISON, LeadKind.ABROAD)]


def paid_elsewhere(i: Inputs, night: Night, pay: Table, named: tuple[Table, Table]) -> Table:
    """Leads of people in P: person_key, kind, `lead` (told), unit_code (the smallest payer) and `sure`: not after A.

    `named`: who has F03 or F04 tonight. A lead without a date is none.
    """
    e = i.leads
    # The first of M parts two months: a date known to the month lies before it, or it does not.
    before = (e.kind == LeadKind.RETIREMENT.value) & (e.date < night.first)
    dated = e.filter(e.person_key.notnull() & (before | (e.kind.isin(ELSEWHERE) & (e.date <= night.as_of))))
    lead = json_object(
        {"kind": json_code(dated.kind), "date": json_code(day_text(dated.date)), "source": json_text(dated.source)}
    )
    sure = latest_day(dated, "date") <= night.as_of
    dated = dated.select("person_key", "kind", lead=lead, sure=sure)
    paid = paid_persons(pay, dated)
    found = dated.join(paid, "person_key").select("person_key", "kind", "lead", "sure", unit_code="first_payer")
    for others in named:
        found = found.anti_join(others, "person_key")
    return found


def f06_gaps(found: Table, place: Table) -> Table:
    """Not evaluable: nothing is known of the person but leads of the month of A that may lie after it."""
    maybe = found.filter(~found.sure).anti_join(found.filter(found.sure), "person_key")
    able = judged(maybe.select("unit_code").distinct(), place, "F06").select("unit_code")
    return rows(able.join(place.select("unit_code", "home"), "unit_code"), "F06", "leads")


def f06(i: Inputs, found: Table, active: Table, place: Table) -> Table:
    """`found`: paid_elsewhere. Owned by the smallest payer."""
    found = found.filter(found.sure)
    persons = found.group_by("person_key", "unit_code").agg(kinds=sorted_list(found.kind))
    told = lists(found, ("person_key",), leads=found.lead)
    persons = persons.left_join(told, "person_key", rname="lead_{name}").drop("lead_person_key")
    p = with_cell(judged(persons, place, "F06"), i, active)
    return answer(
        p,
        "F06",
        person_key=p.person_key,
        unit_code=p.unit_code,
        expected=NO_VALUE,
        found=p.kinds,
        evidence=lists_told(p, "leads"),
        **cell_columns(p.cell),
    )
