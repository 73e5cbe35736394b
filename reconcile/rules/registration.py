"""P04 逾期入编登记, P05 逾期减员销编: working days between a change and its registration. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import StringValue, Table

from core.types import Cause
from reconcile.rules.entries import entry_answer, known, open_rows, row_told
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import as_count, choose, day_text, json_code, null_text

BY_WEEKDAYS = "MONDAY_TO_FRIDAY"
SETTLED_CAUSES = (Cause.TIMING.value, Cause.QUARANTINE.value)


def slow(i: Inputs, night: Night, changes: Table, day: str, registered: str, limit: int) -> Table:
    """Rows registered, or on A still not registered, maybe more than `limit` working days after `day`.

    Adds `late`: whether so on every day the registration may mean; `days` to the first of them (`until`), the fewest;
    `calendar` (a year between is not published). Rows whose own day is known to the month only are left out.
    """
    exact = changes.filter(changes.exact)
    exact = exact.mutate(
        # Registered before the day is in time, and the working days begin with the gate.
        until=ibis.greatest(ibis.least(exact[registered].fill_null(night.as_of), night.as_of), exact[day]),
        last=ibis.least(exact.latest_registered.fill_null(night.as_of), night.as_of),
    )
    # Working days are never more than days: most are in time at a glance.
    few = exact.filter(exact["last"] > (exact[day] + ibis.interval(days=limit)).cast("date"))
    w = i.workday
    begin = w.select(begin="day", begin_number="number", begin_published="published")
    end = w.select(end="day", end_number="number", end_published="published")
    last = w.select(last_end="day", last_number="number")
    few = few.join(begin, few[day] == begin.begin).join(end, ibis._.until == end.end)
    few = few.join(last, few["last"] == last.last_end)
    few = few.mutate(
        days=few.end_number - few.begin_number,
        calendar=(few.begin_published & few.end_published).ifelse(null_text(), BY_WEEKDAYS),
    )
    few = few.filter(few.last_number - few.begin_number > limit).mutate(late=ibis._.days > limit)
    return few.select(*changes.columns, "until", "days", "calendar", "late")


def _told(e: Table, registered: str) -> StringValue:
    """The registration, blank where there is none yet, the day counted to, and by which calendar."""
    days = {
        name: json_code(day_text(e[column])) for name, column in ((registered, registered), ("counted_to", "until"))
    }
    return row_told(e, **days, calendar=json_code(e.calendar))


def slow_entries(i: Inputs, night: Night, entry: Table) -> Table:
    """Entries of known people that may be registered late: slow."""
    return slow(i, night, known(entry), "entry_date", "entry_registered", night.entry_days)


def slow_exits(i: Inputs, night: Night, leaving: Table) -> Table:
    """Exits that may be registered late: slow."""
    return slow(i, night, leaving, "exit_date", "exit_registered", night.exit_days)


def p04(night: Night, late: Table) -> Table:
    """`late`: slow_entries."""
    e = late.filter(late.late)
    return entry_answer(
        e, "P04", expected=str(night.entry_days), found=as_count(e.days), evidence=_told(e, "entry_registered")
    )


def late_gaps(late_entries: Table, late_exits: Table) -> Table:
    """Not evaluable: late or not, as the month of the registration goes."""
    parts = [(late_entries, "P04"), (late_exits, "P05")]
    return ibis.union(*(open_rows(late.filter(~late.late), rule) for late, rule in parts))


def p05(night: Night, late: Table, still_paid: Table, pay: Table) -> Table:
    """`late`: slow_exits; `still_paid`: the F03 findings. Grave where one of them is at this unit: it pays, or owns that
    finding."""
    e = late.filter(late.late)
    paid = still_paid.filter(still_paid.cause.notin(SETTLED_CAUSES)).select("person_key", "unit_code")
    payers = pay.semi_join(paid, "person_key").select("person_key", unit_code="payer")
    at_unit = paid.union(payers, distinct=True).mutate(paid=ibis.literal(True))
    e = e.left_join(at_unit, ["person_key", "unit_code"], rname="paid_{name}")
    return entry_answer(
        e, "P05", expected=str(night.exit_days), found=as_count(e.days), day="exit_date",
        severity=choose((e.held_roster, "S4"), (e.paid.notnull(), "S1"), otherwise="S3"),
        cause=choose((e.held_roster, Cause.QUARANTINE.value)), evidence=_told(e, "exit_registered"),
    )  # fmt: skip
