"""D03 同号异名: one id under several names, and one name and birth date under two ids. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from core.types import Cause
from reconcile.rules.people import is_active, is_off_quota, is_proper
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import (
    answer,
    cell_columns,
    cell_text,
    choose,
    flag_key,
    json_code,
    json_object,
    null_text,
    sorted_list,
)
from reconcile.rules.units import judged, payer


def _payroll(i: Inputs, night: Night) -> Table:
    return i.payroll.filter((i.payroll.month == night.month) & i.payroll.person_key.notnull())


def two_names(i: Inputs, night: Night, several: Table) -> Table:
    """Persons with two or more different names over roster (编外 aside) and payroll of M: person_key. `several`:
    maybe_several."""
    r = i.roster.filter(~is_off_quota(i.roster) & i.roster.person_key.notnull()).select("person_key", "name_key")
    m = _payroll(i, night).select("person_key", "name_key")
    met = r.join(m, "person_key", rname="paid_{name}")
    across = met.filter(met.name_key != met.paid_name_key).select("person_key")
    # Within one book, only who has several rows there can differ: few, so that most names need no gathering by person.
    rows = r.semi_join(several, "person_key").union(m.semi_join(several, "person_key"))
    names = rows.group_by("person_key").agg(low=rows.name_key.min(), high=rows.name_key.max())
    return across.union(names.filter(names.low != names.high).select("person_key"), distinct=True)


def maybe_several(
    i: Inputs, night: Night, month_rows: Table, pay: Table, active_twice: Table, paid_twice: Table
) -> Table:
    """Everybody with two rows of roster or two of payroll, and some others: person_key. `active_twice`:
    people.several_rows. `paid_twice`: people.paid_by_several."""
    idle = i.roster.filter(~is_active(i.roster, night).fill_null(False))
    # Of two rows that `pay` leaves out, for want of pay on balance, one is without pay.
    odd = month_rows.filter((~month_rows.proper | (month_rows.amount <= 0)).fill_null(True))
    tables = (active_twice, idle, pay.filter(pay.rows > 1), paid_twice, odd)
    return ibis.union(*(table.select("person_key") for table in tables), distinct=True)


def name_rows(i: Inputs, night: Night, suspects: Table) -> Table:
    """Rows of a few persons: person_key, name_key, name_mask, unit_code, cell, ours (of the roster). `suspects`: two_names."""
    r = i.roster.filter(~is_off_quota(i.roster)).semi_join(suspects, "person_key")
    m = _payroll(i, night).semi_join(suspects, "person_key")
    columns = ("person_key", "name_key", "name_mask")
    rows = r.select(*columns, "unit_code", cell=cell_text(r), ours=True)
    return rows.union(m.select(*columns, unit_code=payer(m), cell=null_text(), ours=False))


def d03_names(rows: Table, place: Table) -> Table:
    """One id, different names: S3. The roster's masks against the others, one per name; where only one book disagrees with
    itself, the first against the rest. Owned by the smallest roster unit, else payer. `rows`: name_rows."""
    owner = rows.group_by("person_key").agg(
        unit_code=ibis.coalesce(rows.unit_code.min(where=rows.ours), rows.unit_code.min())
    )
    at_owner = owner.left_join(rows, ["person_key", "unit_code"], rname="row_{name}")
    owner = at_owner.group_by("person_key", "unit_code").agg(cell=at_owner.cell.min())
    known, others = _two_sides(rows.filter(rows.name_key.notnull()))
    p = owner.join(known, "person_key").join(others, "person_key", rname="other_{name}")
    p = judged(p, place, "D03")
    return answer(
        p, "D03", person_key=p.person_key, unit_code=p.unit_code, expected=p.masks, found=p.other_masks,
        **cell_columns(p.cell),
    )  # fmt: skip


def _two_sides(rows: Table) -> tuple[Table, Table]:
    """(person_key, masks) of the names expected and of those found."""
    # A name both books have is shown as the roster spells it.
    mask = ibis.coalesce(rows.name_mask.min(where=rows.ours), rows.name_mask.min())
    names = rows.group_by("person_key", "name_key").agg(mask=mask, ours=rows.ours.any())
    names = names.mutate(
        turn=ibis.row_number().over(group_by="person_key", order_by=["mask", "name_key"]),
        several=names.ours.min().over(group_by="person_key") != names.ours.max().over(group_by="person_key"),
    )
    first = names.several.ifelse(names.ours, names.turn == 0)
    known, others = names.filter(first), names.filter(~first)
    return tuple(
        side.group_by("person_key").agg(masks=side["mask"].collect().sort().join(";")) for side in (known, others)
    )


def unlisted_names(i: Inputs, night: Night, unlisted: Table) -> Table:
    """Names with birth dates of persons of P in no roster row: name_birth_key, people, and of the first paid_key, other (its
    name's mask). `unlisted`: f_rules.nowhere."""
    m = _payroll(i, night).filter(i.payroll.name_birth_key.notnull()).semi_join(unlisted, "person_key")
    m = m.filter(is_proper(m))
    return m.group_by("name_birth_key").agg(
        people=m.person_key.nunique(), paid_key=m.person_key.min(), other=m.name_mask.min()
    )


def alike(i: Inputs, night: Night, paid: Table) -> Table:
    """Active roster rows with one of these names and birth dates: person_key, name_birth_key, name_mask. `paid`:
    unlisted_names."""
    r = i.roster.semi_join(paid, "name_birth_key")
    r = r.filter(is_active(r, night) & r.person_key.notnull())
    return r.select("person_key", "name_birth_key", "name_mask")


def lookalikes(paid: Table, held: Table, month_rows: Table, active: Table, place: Table) -> Table:
    """One name and birth date, person_key active in the roster and in no payroll row of M, `paid_key` in P and in no roster
    row, and nobody else of that name and date on either side: person_key, paid_key, pair (both keys in order), unit_code,
    cell, the masks, `held_back` (quarantined rows), key of the finding. `held`: alike.
    """
    # The few are looked for among the many, never the many gathered to be missed.
    met = month_rows.semi_join(held, "person_key").select("person_key")
    r = held.anti_join(met, "person_key")
    posted = r.group_by("name_birth_key").agg(
        people=r.person_key.nunique(), person_key=r.person_key.min(), mask=r.name_mask.min()
    )
    alone = posted.filter(posted.people == 1).join(paid.filter(paid.people == 1), "name_birth_key", rname="paid_{name}")
    pairs = alone.group_by("person_key", "paid_key").agg(
        mask=alone["mask"].argmin(alone.name_birth_key), other=alone.other.argmin(alone.name_birth_key)
    )
    rows = active.semi_join(pairs, "person_key")
    cells = rows.group_by("person_key", "unit_code").agg(cell=cell_text(rows).min())
    cells = cells.mutate(turn=ibis.row_number().over(group_by="person_key", order_by="unit_code"))
    first = cells.filter(cells.turn == 0).select("person_key", "unit_code", "cell")
    p = judged(pairs.join(first, "person_key"), place, "D03")
    pair = ibis.least(p.person_key, p.paid_key) + ";" + ibis.greatest(p.person_key, p.paid_key)
    p = p.mutate(pair=pair, held_back=p.held_roster | p.held_payroll)
    key = flag_key(ibis.literal("D03"), json_object({"person_key": json_code(p.pair)}))
    return p.select("person_key", "paid_key", "pair", "unit_code", "cell", "mask", "other", "held_back", key=key)


def d03_pairs(p: Table) -> Table:
    """Two ids that may be one person's: S4, a suggestion. `p`: lookalikes."""
    return answer(
        p, "D03", severity="S4", grain={"person_key": p.pair}, person_key=p.person_key, unit_code=p.unit_code,
        expected=p["mask"], found=p.other, cause=choose((p.held_back, Cause.QUARANTINE.value)), **cell_columns(p.cell),
    )  # fmt: skip


def suggestions(pairs: Table) -> Table:
    """(rule, person_key, suggested): the F01 and F02 a pair would explain, with the pair's key as JSON."""
    payee = pairs.select(rule=ibis.literal("F01"), person_key="paid_key", key="key")
    holder = pairs.select(rule=ibis.literal("F02"), person_key="person_key", key="key")
    every = payee.union(holder)
    listed = every.group_by("rule", "person_key").agg(keys=sorted_list(every.key, '","'))
    return listed.select("rule", "person_key", suggested=ibis.literal('["') + listed["keys"] + '"]')
