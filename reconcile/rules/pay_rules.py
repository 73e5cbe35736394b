"""F05 一人多薪, F07 经费形式不符, F08 发薪单位不符: how active people are paid. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table

from reconcile.rules.f_rules import with_cell
from reconcile.rules.people import CONTROL, FORMS, left_within, paid_persons
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import answer, as_count, cell_columns, cell_text, sorted_list
from reconcile.rules.units import judged


def f05(i: Inputs, several: Table, active: Table, place: Table) -> Table:
    """Two or more payers: owned by the smallest active unit that pays, else the smallest payer. `several`:
    people.paid_by_several."""
    rows = active.semi_join(several, "person_key")
    own = rows.filter(rows.pay_here).group_by("person_key").agg(own_unit=ibis._.unit_code.min())
    p = several.left_join(own, "person_key", rname="own_{name}")
    p = p.select("person_key", "payers", unit_code=ibis.coalesce(p.own_unit, p.first_payer))
    p = with_cell(judged(p, place, "F05"), i, active)
    return answer(
        p, "F05", person_key=p.person_key, unit_code=p.unit_code, expected="1", found=as_count(p.payers),
        **cell_columns(p.cell),
    )  # fmt: skip


def _spelled(table: Table, prefix: str) -> StringValue:
    """The fund forms whose flag is set, in text order, joined."""
    text: StringValue = ibis.literal("")
    for form in sorted(FORMS):
        text = text + table[f"{prefix}_{form.lower()}"].ifelse(f";{form}", "")
    return text.substr(1)


def f07(pairs: Table, elsewhere: Table, pay: Table, active: Table, place: Table) -> Table:
    """Some fund mode of the person's pay is none of the person's fund forms; an answer per unit the person is in.
    `elsewhere`: people.paid_elsewhere."""
    # Nearly everybody is paid by the one unit alone, in its form; only the others' forms are gathered over all their units.
    suspects = pairs.filter(_uncovered(pairs)).select("person_key").union(elsewhere.select("person_key"))
    few = pairs.semi_join(suspects, "person_key")
    flags = {f"form_{form.lower()}": few[f"form_{form.lower()}"].any() for form in FORMS}
    met = few.group_by("person_key").agg(**flags).join(paid_persons(pay, few), "person_key", rname="paid_{name}")
    met = met.filter(_uncovered(met))
    persons = met.select("person_key", forms=_spelled(met, "form"), modes=_spelled(met, "mode"))
    p = judged(_units_of(active, persons), place, "F07")
    return answer(
        p,
        "F07",
        person_key=p.person_key,
        unit_code=p.unit_code,
        expected=p.forms,
        found=p.modes,
        **cell_columns(p.cell),
    )


def _uncovered(met: Table) -> BooleanValue:
    """Some mode is none of the forms."""
    wrong: BooleanValue = ibis.literal(False)
    for form in FORMS:
        wrong = wrong | (met[f"mode_{form.lower()}"] & ~met[f"form_{form.lower()}"])
    return wrong


def _units_of(active: Table, persons: Table) -> Table:
    """The given persons with each unit they are active in and the first cell there, CONTROL_NUMBER aside."""
    rows = active.filter(~active.control).join(persons, "person_key", rname="person_{name}")
    columns = [name for name in persons.columns if name != "person_key"]
    return rows.group_by("person_key", "unit_code", *columns).agg(cell=cell_text(rows).min())


def f08(i: Inputs, night: Night, pay: Table, elsewhere: Table, pairs: Table, active: Table, place: Table) -> Table:
    """No payer is a unit the person is active in, SECONDED_OUT to, or left within M. `elsewhere`: people.paid_elsewhere."""
    paid_here = pairs.filter(pairs.pay_here)
    away = elsewhere.semi_join(pairs, "person_key").anti_join(paid_here, "person_key").select("person_key")
    seconded = active.filter((active.status == "SECONDED_OUT") & ~active.control & active.seconded_to.notnull())
    left = i.roster.filter(left_within(i.roster, night) & (i.roster.post_type != CONTROL))
    excused = seconded.select("person_key", payer="seconded_to").union(left.select("person_key", payer="unit_code"))
    payers = pay.semi_join(away, "person_key")
    innocent = payers.semi_join(excused, ["person_key", "payer"])
    odd = payers.anti_join(innocent, "person_key")
    persons = odd.group_by("person_key").agg(payers=sorted_list(odd.payer))
    p = judged(_units_of(active, persons), place, "F08")
    return answer(
        p, "F08", person_key=p.person_key, unit_code=p.unit_code, expected=p.unit_code, found=p.payers,
        **cell_columns(p.cell),
    )  # fmt: skip
