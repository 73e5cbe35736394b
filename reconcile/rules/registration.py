"""P04 逾期入编登记, P05 逾期减员销编: working days between a change and its registration. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import StringValue, Table

from core.types import Cause
from reconcile.rules.entries import entry_answer, known, row_told
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import as_count, choose, day_text, json_code, null_text

BY_WEEKDAYS = "MONDAY_TO_FRIDAY"
SETTLED_CAUSES = (Cause.TIMING.value, Cause.QUARANTINE.value)


def late(i: Inputs, night: Night, changes: Table, day: str, registered: str, limit: int) -> Table:
    """Rows registered, or on A still not registered, more than `limit` working days after `day`: adds `days` and
    `calendar` (a year between is not published). Dates known to the month only are left out."""
    until = ibis.coalesce(changes[registered], night.as_of)
    exact = changes.filter(changes.exact).mutate(until=ibis.least(until, night.as_of))
    # Working days are never more than days: most are in time at a glance.
    slow = exact.filter(exact.until > (exact[day] + ibis.interval(days=limit)).cast("date"))
    w = i.workday
    begin = w.select(begin="day", begin_number="number", begin_published="published")
    end = w.select(end="day", end_number="number", end_published="published")
    slow = slow.join(begin, slow[day] == begin.begin).join(end, ibis._.until == end.end)
    slow = slow.mutate(
        days=slow.end_number - slow.begin_number,
        calendar=(slow.begin_published & slow.end_published).ifelse(null_text(), BY_WEEKDAYS),
    )
    return slow.filter(slow.days > limit)


def _told(e: Table, registered: str) -> StringValue:
    """The registration, blank where there is none yet, the day counted to, and by which calendar."""
    days = {
        name: json_code(day_text(e[column])) for name, column in ((registered, registered), ("counted_to", "until"))
    }
    return row_told(e, **days, calendar=json_code(e.calendar))


def p04(i: Inputs, night: Night, entry: Table) -> Table:
    e = late(i, night, known(entry), "entry_date", "entry_registered", night.entry_days)
    return entry_answer(
        e, "P04", expected=str(night.entry_days), found=as_count(e.days), evidence=_told(e, "entry_registered")
    )


def p05(i: Inputs, night: Night, leaving: Table, still_paid: Table, pay: Table) -> Table:
    """`still_paid`: the F03 findings. Grave where one of them is at this unit: it pays, or owns that finding."""
    e = late(i, night, leaving, "exit_date", "exit_registered", night.exit_days)
    paid = still_paid.filter(still_paid.cause.notin(SETTLED_CAUSES)).select("person_key", "unit_code")
    payers = pay.semi_join(paid, "person_key").select("person_key", unit_code="payer")
    at_unit = paid.union(payers, distinct=True).mutate(paid=ibis.literal(True))
    e = e.left_join(at_unit, ["person_key", "unit_code"], rname="paid_{name}")
    return entry_answer(
        e, "P05", expected=str(night.exit_days), found=as_count(e.days), day="exit_date",
        severity=choose((e.held_roster, "S4"), (e.paid.notnull(), "S1"), otherwise="S3"),
        cause=choose((e.held_roster, Cause.QUARANTINE.value)), evidence=_told(e, "exit_registered"),
    )  # fmt: skip
