"""What a person finding rests on: codes, dates and states of the person's rows; no name, no number. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table

from core.types import Cause, LeadKind, PersonStatus
from reconcile.clearing import CLEARS, DEAD_UNPAID, ROWS_HELD
from reconcile.rules.people import payroll_of_month
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import choose, day_text, json_code, json_object, json_text, null_text, sorted_list

GONE = {PersonStatus.RETIRED.value: "RETIRED", PersonStatus.LEFT.value: "LEFT"}
AWAY = {PersonStatus.SECONDED_OUT.value: "SECONDED_OUT", PersonStatus.ON_LEAVE.value: "ON_LEAVE"}

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


def person_evidence(i: Inputs, night: Night, persons: Table, roster: Table, payroll: Table) -> Table:
    """person_key, person_mask, `dead` and `evidence`, of everybody named: JSON of the roster rows, the payroll rows of M, and
    `known`, what they come to with the deaths: fact, unit, fund form, since when. `roster`, `payroll`: their rows."""
    r, m = roster, payroll_of_month(payroll, night.month)
    d = i.leads.filter((i.leads.kind == LeadKind.DEATH.value) & (i.leads.date <= night.as_of))
    d = d.semi_join(persons, "person_key").select("person_key", "date").distinct()
    known = ibis.union(*(part.select("person_key", "text") for part in (_held(r, night), _paid(m), _dead(d))))
    masks = roster.select("person_key", "person_mask").union(payroll.select("person_key", "person_mask"))
    masks = masks.group_by("person_key").agg(person_mask=ibis._.person_mask.min())
    joined = masks
    for name, rows in (("roster", _roster_rows(r)), ("payroll", _payroll_rows(m)), ("known", known)):
        listed = rows.group_by("person_key").agg(**{name: sorted_list(ibis._.text, ",")})
        joined = joined.left_join(listed, "person_key", rname=f"{name}_{{name}}")
    dead = d.group_by("person_key").agg(died=d.date.min())
    joined = joined.left_join(dead, "person_key", rname="dead_{name}")
    lists = {name: ibis.literal("[") + joined[name].fill_null("") + "]" for name in ("roster", "payroll", "known")}
    return joined.select("person_key", "person_mask", dead=joined.died.notnull(), evidence=json_object(lists))


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


def _fact(fact: StringValue, unit: StringValue, form: StringValue, since: StringValue) -> StringValue:
    return json_object(
        {"fact": json_code(fact), "unit": json_text(unit), "fund_form": json_code(form), "since": json_code(since)}
    )


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
    since = choose(
        (fact.isin(list(GONE.values())), day_text(r.exit_date)),
        (fact.isin(list(AWAY.values())), None),
        otherwise=day_text(r.entry_date),
    )
    return r.select("person_key", text=_fact(fact, r.unit_code, r.fund_form, since))


def _paid(m: Table) -> Table:
    fact = m.proper.ifelse("PAID", "PAID_AS_OTHER")
    return m.select("person_key", text=_fact(fact, m.payer, m.fund_mode, null_text()))


def _dead(d: Table) -> Table:
    fact = ibis.literal(LeadKind.DEATH.value)
    return d.select("person_key", text=_fact(fact, null_text(), null_text(), day_text(d.date)))


def with_more(one: StringValue, other: StringValue) -> StringValue:
    """Two JSON objects as one; where only one is there, that one."""
    both = one.substr(0, one.length() - 1) + "," + other.substr(1)
    return ibis.coalesce(both, one, other)


def clears_when(rule: StringValue, cause: StringValue, dead: BooleanValue) -> StringValue:
    """`clears_when` of a finding as a JSON object; null for rules that name no such fact."""
    named = rule.isin(sorted({code for code, _ in CLEARS}))
    own = [((rule == code) & (cause == why), fact) for (code, why), fact in CLEARS.items() if why is not None]
    usual = [(rule == code, fact) for (code, why), fact in CLEARS.items() if why is None]
    settled = [Cause.TIMING.value, Cause.PAID_AS_OTHER.value]
    unpaid = (rule == "F02") & dead & ~cause.isin(settled).fill_null(False)
    fact = choose((cause == Cause.QUARANTINE.value, ROWS_HELD), (unpaid, DEAD_UNPAID), *own, *usual)
    return named.ifelse(ibis.literal('{"clears_when":"') + fact + '"}', null_text())
