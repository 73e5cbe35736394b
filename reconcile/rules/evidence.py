"""What a person finding rests on: codes, dates and states of the person's rows; no name, no number. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from reconcile.rules.people import payroll_of_month
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import day_text, json_code, json_object, json_text, sorted_list


def person_evidence(i: Inputs, night: Night, named: Table) -> Table:
    """person_key, person_mask and `evidence`: JSON of the roster rows and the payroll rows of M of everybody named."""
    persons = named.filter(named.person_key.notnull()).select("person_key").distinct()
    r = i.roster.semi_join(persons, "person_key")
    roster_row = json_object(
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
    m = payroll_of_month(i, night.month).semi_join(persons, "person_key")
    payroll_row = json_object(
        {
            "payer": json_text(m.payer),
            "fund_mode": json_code(m.fund_mode),
            "state": json_code(m.person_state),
            "on_establishment": json_code(m.on_establishment),
        }
    )
    roster = r.select("person_key", text=roster_row).group_by("person_key").agg(roster=sorted_list(ibis._.text, ","))
    payroll = m.select("person_key", text=payroll_row).group_by("person_key").agg(payroll=sorted_list(ibis._.text, ","))
    masks = i.roster.select("person_key", "person_mask").union(i.payroll.select("person_key", "person_mask"))
    masks = masks.semi_join(persons, "person_key").group_by("person_key").agg(person_mask=ibis._.person_mask.min())
    joined = masks.left_join(roster, "person_key", rname="roster_{name}")
    joined = joined.left_join(payroll, "person_key", rname="payroll_{name}")
    lists = {
        "roster": ibis.literal("[") + joined.roster.fill_null("") + "]",
        "payroll": ibis.literal("[") + joined.payroll.fill_null("") + "]",
    }
    return joined.select("person_key", "person_mask", evidence=json_object(lists))
