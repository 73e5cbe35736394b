"""What a person finding rests on: codes, dates and states of the person's rows; no name, no number. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table

from core.types import Cause, LeadKind, PersonStatus
from reconcile.clearing import CLEARS, DEAD_UNPAID, ROWS_HELD
from reconcile.rules.listing import lists, lists_told, with_more
from reconcile.rules.people import is_proper, payroll_of_month
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import choose, day_text, json_code, json_object, json_text, null_text
from reconcile.rules.units import payer

GONE = {PersonStatus.RETIRED.value: "RETIRED", PersonStatus.LEFT.value: "LEFT"}
AWAY = {PersonStatus.SECONDED_OUT.value: "SECONDED_OUT", PersonStatus.ON_LEAVE.value: "ON_LEAVE"}

# Since when, where no book tells.
NOT_TOLD = "NOT_TOLD"
LISTS = ("roster", "payroll", "known")
# What of the rows of people named is looked at.
ROSTER_TOLD = (
    "person_key", "person_mask", "unit_code", "post_type", "fund_form", "status", "seconded_to", "entry_date", "exit_date",
)  # fmt: skip
PAYROLL_TOLD = (
    "person_key", "person_mask", "month", "paying_unit_code", "on_behalf_of", "fund_mode", "person_state",
    "on_establishment", "amount", "id_problem",
)  # fmt: skip


def named_persons(named: Table) -> Table:
    """Everybody a finding names: person_key."""
    return named.filter(named.person_key.notnull()).select("person_key").distinct()


def person_lists(i: Inputs, night: Night, persons: Table, roster: Table, payroll: Table) -> Table:
    """Of everybody named: person_key, person_mask, `dead`, and as lists the roster rows, the payroll rows of M, and `known`,
    what they come to with the deaths: fact, unit, fund form, since when. `roster`, `payroll`: their rows."""
    r, m = roster, payroll_of_month(payroll, night.month)
    d = i.leads.filter((i.leads.kind == LeadKind.DEATH.value) & (i.leads.date <= night.as_of))
    d = d.semi_join(persons, "person_key").select("person_key", "date").distinct()
    known = ibis.union(
        *(part.select("person_key", "text") for part in (_held(r, night), _paid(payroll, night), _dead(d)))
    )
    masks = roster.select("person_key", "person_mask").union(payroll.select("person_key", "person_mask"))
    masks = masks.group_by("person_key").agg(person_mask=ibis._.person_mask.min())
    joined = masks
    for name, rows in (("roster", _roster_rows(r)), ("payroll", _payroll_rows(m)), ("known", known)):
        listed = lists(rows, ("person_key",), **{name: rows.text})
        joined = joined.left_join(listed, "person_key", rname=f"{name}_{{name}}").drop(f"{name}_person_key")
    dead = d.group_by("person_key").agg(died=d.date.min())
    joined = joined.left_join(dead, "person_key", rname="dead_{name}").drop("dead_person_key")
    return joined.mutate(dead=joined.died.notnull()).drop("died")


def person_evidence(night: Night, told: Table, roster: Table, payroll: Table) -> Table:
    """person_key, person_mask, `dead` and `evidence` as JSON. Where a list leaves something out, `units` names all units of
    the person's rows and `units_before` those left by the first of M: whom a finding concerns is never cut. `told`:
    person_lists."""
    long = told.filter(ibis.or_(*(told[f"{name}_left"].fill_null(0) > 0 for name in LISTS)))
    r = roster.semi_join(long, "person_key")
    m = payroll_of_month(payroll.semi_join(long, "person_key"), night.month)
    gone = (r.exit_date <= night.first).fill_null(False)
    # Only those told of in the list of payers are in M; who left before is concerned by fewer rules.
    places = ibis.union(
        r.select("person_key", unit=r.unit_code, gone=gone),
        r.select("person_key", unit=r.seconded_to, gone=gone),
        m.select("person_key", unit=m.payer, gone=ibis.literal(False)),
    ).filter(ibis._.unit.notnull())
    unit = json_text(places.unit)
    units = places.group_by("person_key").agg(
        units=unit.collect(where=~places.gone, distinct=True).sort().join(","),
        units_before=unit.collect(where=places.gone, distinct=True).sort().join(","),
    )
    joined = told.left_join(units, "person_key", rname="unit_{name}")
    named = {name: "[" + joined[name].fill_null("") + "]" for name in ("units", "units_before")}
    more = joined.unit_person_key.notnull().ifelse(json_object(named), null_text())
    return joined.select("person_key", "person_mask", "dead", evidence=with_more(lists_told(joined, *LISTS), more))


def _roster_rows(r: Table) -> Table:
    text = json_object(
        {
            "unit": json_text(r.unit_code),
            "post_type": json_code(r.post_type),
            "fund_form": json_code(r.fund_form),
            "status": json_code(r.status),
            "seconded_to": json_text(r.seconded_to),
            "entry": json_code(day_text(r.entry_date)),
            "exit": json_code(day_text(r.exit_date)),
        }
    )
    return r.select("person_key", text=text)


def _payroll_rows(m: Table) -> Table:
    text = json_object(
        {
            "payer": json_text(m.payer),
            "fund_mode": json_code(m.fund_mode),
            "state": json_code(m.person_state),
            "on_establishment": json_code(m.on_establishment),
        }
    )
    return m.select("person_key", text=text)


def _fact(fact: StringValue, unit: StringValue, form: StringValue, since: StringValue, by: StringValue) -> StringValue:
    """`by`: what the day or month is: since when is told by it. NOT_TOLD: by no book."""
    told = choose((since.isnull(), NOT_TOLD), otherwise=by)
    named = {"fact": json_code(fact), "unit": json_text(unit), "fund_form": json_code(form)}
    return json_object(named | {"since": json_code(since), "since_by": json_code(told)})


def _held(r: Table, night: Night) -> Table:
    """What a roster row comes to on A. Since when somebody is away on loan or on leave the roster does not say."""
    out = (r.exit_date <= night.as_of).fill_null(False)
    fact = choose(
        (r.status == PersonStatus.OFF_QUOTA.value, "OFF_QUOTA"),
        ((r.entry_date > night.as_of).fill_null(False), "ENTERS_LATER"),
        *((r.status == status, word) for status, word in GONE.items()),
        (out, "LEFT"),
        *((r.status == status, word) for status, word in AWAY.items()),
        otherwise="IN_SERVICE",
    )
    gone = fact.isin(list(GONE.values()))
    since = choose(
        (gone, day_text(r.exit_date)),
        (fact.isin(list(AWAY.values())), None),
        otherwise=day_text(r.entry_date),
    )
    return r.select("person_key", text=_fact(fact, r.unit_code, r.fund_form, since, gone.ifelse("EXIT", "ENTRY")))


def _paid(p: Table, night: Night) -> Table:
    """How M pays somebody, since the first month in which the book delivered shows the same payer paying so."""
    p = p.filter(p.month <= night.month)
    p = p.select("person_key", "month", "fund_mode", payer=payer(p), proper=is_proper(p))
    so = p.group_by("person_key", "payer", "fund_mode", "proper").agg(
        first=p.month.min(), now=(p.month == night.month).any()
    )
    so = so.filter(so.now)
    fact = so.proper.ifelse("PAID", "PAID_AS_OTHER")
    return so.select("person_key", text=_fact(fact, so.payer, so.fund_mode, so["first"], ibis.literal("FIRST_MONTH")))


def _dead(d: Table) -> Table:
    fact = ibis.literal(LeadKind.DEATH.value)
    return d.select("person_key", text=_fact(fact, null_text(), null_text(), day_text(d.date), ibis.literal("LEAD")))


def clears_when(rule: StringValue, cause: StringValue, dead: BooleanValue) -> StringValue:
    """`clears_when` of a finding as a JSON object; null for rules that name no such fact."""
    named = rule.isin(sorted({code for code, _ in CLEARS}))
    own = [((rule == code) & (cause == why), fact) for (code, why), fact in CLEARS.items() if why is not None]
    usual = [(rule == code, fact) for (code, why), fact in CLEARS.items() if why is None]
    settled = [Cause.TIMING.value, Cause.PAID_AS_OTHER.value]
    unpaid = (rule == "F02") & dead & ~cause.isin(settled).fill_null(False)
    fact = choose((cause == Cause.QUARANTINE.value, ROWS_HELD), (unpaid, DEAD_UNPAID), *own, *usual)
    return named.ifelse(ibis.literal('{"clears_when":"') + fact + '"}', null_text())
