"""P07 逆向流动: transfers from a lower level, or to a fuller fund form, without a waiver. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, IntegerValue, StringValue, Table

from core.types import EntryForm, FundForm, Level
from reconcile.rules.entries import counted_rows, entry_answer, known, open_rows, row_told
from reconcile.rules.listing import with_more
from reconcile.rules.tables import Inputs
from reconcile.rules.texts import NO_VALUE, choose, json_text

LEVELS = (Level.TOWNSHIP.value, Level.COUNTY.value, Level.CITY.value, Level.PROVINCE.value)
FORMS = (FundForm.SELF.value, FundForm.PART.value, FundForm.FULL.value)


def _height(word: StringValue, order: tuple[str, ...]) -> IntegerValue:
    """Place of a word, the lowest first; null for a blank."""
    return ibis.cases(*((word == name, place) for place, name in enumerate(order)), else_=ibis.null("int8"))


def transfers(i: Inputs, entry: Table, place: Table) -> Table:
    """Transfers without a waiver with `upwards` and `fuller`: true, false, or null when the place left is not known.

    The row says where the person came from; where it does not, the unit register and the person's own row there do.
    """
    e = known(entry)
    e = e.filter((e.entry_form == EntryForm.TRANSFER.value) & e.waiver_no.isnull())
    own = counted_rows(i).select("person_key", "fund_form", "exit_date", from_unit="unit_code")
    own = own.semi_join(e.filter(e.from_fund_form.isnull()), ["person_key", "from_unit"])
    own = own.mutate(left=own.exit_date.notnull().cast("int64"))
    order = [ibis.desc("left"), ibis.desc("exit_date"), "fund_form"]
    turn = ibis.row_number().over(group_by=["person_key", "from_unit"], order_by=order)
    own = own.mutate(turn=turn).filter(ibis._.turn == 0).select("person_key", "from_unit", own_form="fund_form")
    left = place.select(from_unit="unit_code", unit_level="level")
    e = e.left_join(own, ["person_key", "from_unit"], rname="own_{name}")
    e = e.left_join(left, "from_unit", rname="left_{name}")
    e = e.mutate(
        was_level=ibis.coalesce(e.from_level, e.unit_level), was_form=ibis.coalesce(e.from_fund_form, e.own_form)
    )
    return e.mutate(
        upwards=_height(e.level, LEVELS) > _height(e.was_level, LEVELS),
        fuller=_height(e.fund_form, FORMS) > _height(e.was_form, FORMS),
    )


def _rises(moved: Table) -> BooleanValue:
    return moved.upwards.fill_null(False) | moved.fuller.fill_null(False)


def p07(moved: Table) -> Table:
    """`moved`: transfers."""
    m = moved.filter(moved.sure & _rises(moved))
    levels = choose((m.upwards, m.was_level + "→" + m.level), otherwise="")
    forms = choose((m.fuller, m.was_form + "→" + m.fund_form), otherwise="")
    between = (m.upwards & m.fuller).fill_null(False).ifelse(";", "")
    return entry_answer(m, "P07", expected=NO_VALUE, found=levels + between + forms, evidence=_told(m))


def _told(m: Table) -> StringValue:
    """The place left as the row says it, and the level and form it was judged by."""
    said = row_told(m, "entry_form", "from_level", "from_fund_form", from_unit=json_text(m.from_unit))
    return with_more(said, row_told(m, "was_level", "was_form", "level"))


def p07_gaps(moved: Table) -> Table:
    """Not evaluable: nothing is wrong as far as is known, but not all is known; or it may be no entry to judge."""
    rises = _rises(moved)
    unknown = (moved.upwards.isnull() | moved.fuller.isnull()) & ~rises
    return open_rows(moved.filter(unknown | (rises & ~moved.sure)), "P07")
