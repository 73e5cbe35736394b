"""D01 一人占两编, D02 身份证号无效, D04 到龄未退, D07 状态与日期矛盾: what the person lists say against themselves. Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, StringValue, Table

from core.types import PersonStatus
from reconcile.rules.months import latest_day
from reconcile.rules.over_quota import rows
from reconcile.rules.people import ACTIVE, CONTROL, is_active, is_off_quota
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import (
    NO_VALUE,
    answer,
    as_count,
    cell_columns,
    cell_text,
    choose,
    json_number,
    json_object,
    null_text,
)
from reconcile.rules.units import judged

GONE = [PersonStatus.LEFT.value, PersonStatus.RETIRED.value]
BLANK = "BLANK"


def d01(active: Table, several: Table, place: Table) -> Table:
    """Active in two cells, of one unit or of two, among the units whose people are judged; owned by the smallest."""
    known = judged(active.semi_join(several, "person_key"), place, "D01")
    cells = known.select("person_key", "unit_code", cell=cell_text(known)).distinct()
    first = cells.group_by("person_key").agg(places=cells.count(), first_unit=cells.unit_code.min())
    first = first.filter(first.places > 1)
    at_first = cells.join(
        first, [cells.person_key == first.person_key, cells.unit_code == first.first_unit], rname="f_{name}"
    )
    p = at_first.group_by("person_key", "unit_code", "places").agg(cell=at_first.cell.min())
    return answer(
        p, "D01", person_key=p.person_key, unit_code=p.unit_code, expected="1", found=as_count(p.places),
        **cell_columns(p.cell),
    )  # fmt: skip


def d02(i: Inputs, month_rows: Table, place: Table) -> Table:
    """Damaged numbers: one answer per person, book and unit; the blanks of a book and unit are one answer."""
    r = i.roster
    bad_roster = r.filter(~is_off_quota(r) & (r.person_key.isnull() | r.id_problem.notnull()))
    roster = bad_roster.select("person_key", "unit_code", "id_problem", cell=cell_text(bad_roster))
    m = month_rows
    bad_pay = m.filter(m.person_key.isnull() | m.id_problem.notnull())
    payroll = bad_pay.select("person_key", "id_problem", unit_code="payer", cell=null_text())
    answers = [
        _damaged(judged(table, place, "D02", (book,)), book)
        for book, table in (("roster", roster), ("payroll", payroll))
    ]
    return answers[0].union(answers[1])


def _damaged(bad: Table, book: str) -> Table:
    blank = bad.person_key.isnull()
    bad = bad.mutate(reason=blank.ifelse(BLANK, bad.id_problem))
    p = bad.group_by("person_key", "unit_code").agg(reason=bad.reason.min(), cell=bad.cell.min(), rows=bad.count())
    return answer(
        p, "D02", person_key=p.person_key, book=book, unit_code=p.unit_code, expected=NO_VALUE, found=p.reason,
        evidence=p.person_key.isnull().ifelse(json_object({"rows": json_number(p.rows)}), null_text()),
        **cell_columns(p.cell),
    )  # fmt: skip


def d04(i: Inputs, night: Night, place: Table) -> Table:
    """Active past the statutory age; of several rows in a unit the first cell."""
    r = i.roster.filter(i.roster.statutory_age.notnull() & i.roster.person_key.notnull() & is_active(i.roster, night))
    past = r.select("person_key", "unit_code", "statutory_age", "age", cell=cell_text(r))
    order = ["cell", "statutory_age", "age"]
    turn = ibis.row_number().over(group_by=["person_key", "unit_code"], order_by=order)
    p = judged(past.mutate(turn=turn).filter(ibis._.turn == 0), place, "D04")
    return answer(
        p, "D04", person_key=p.person_key, unit_code=p.unit_code, expected=p.statutory_age, found=p.age,
        **cell_columns(p.cell),
    )  # fmt: skip


def contradictions(i: Inputs, night: Night) -> Table:
    """Roster rows whose status and dates disagree or may: per row and code, `is_<code>` and `maybe` (month-only dates)."""
    r = i.roster
    counted = r.filter(r.person_key.notnull() & (r.post_type != CONTROL) & ~is_off_quota(r))
    gone = counted.status.isin(GONE)
    # Nearly every row is blank or plain here; only the others get the dearer look.
    suspect = counted.filter(gone | counted.exit_date.notnull())
    gone, active = suspect.status.isin(GONE), suspect.status.isin(ACTIVE)
    exit_low, exit_high = suspect.exit_date, latest_day(suspect, "exit_date")
    entry_low, entry_high = suspect.entry_date, latest_day(suspect, "entry_date")
    a = night.as_of

    def yes(test: BooleanValue) -> BooleanValue:
        return test.fill_null(False)

    maybe = (yes(exit_low <= a) & yes(exit_high > a) & (gone | active)) | (
        yes(exit_low < entry_high) & ~yes(exit_high < entry_low)
    )
    return suspect.select(
        "person_key",
        "unit_code",
        cell=cell_text(suspect),
        is_exit_missing=gone & exit_low.isnull(),
        is_exit_future=gone & yes(exit_low > a),
        is_exited_but_active=active & yes(exit_high <= a),
        is_exit_before_entry=yes(exit_high < entry_low),
        maybe=maybe,
    )


D07_CODES = ("EXIT_MISSING", "EXIT_FUTURE", "EXITED_BUT_ACTIVE", "EXIT_BEFORE_ENTRY")


def d07(found: Table, place: Table) -> Table:
    flags = [f"is_{code.lower()}" for code in D07_CODES]
    wrong = found.filter(ibis.or_(*(found[flag] for flag in flags)))
    wrong = judged(wrong, place, "D07")
    p = wrong.group_by("person_key", "unit_code").agg(
        cell=wrong.cell.min(), **{flag: wrong[flag].any() for flag in flags}
    )
    text: StringValue = ibis.literal("")
    for code, flag in zip(D07_CODES, flags, strict=True):
        text = text + choose((p[flag], f";{code}"), otherwise="")
    return answer(
        p, "D07", person_key=p.person_key, unit_code=p.unit_code, expected=NO_VALUE, found=text.substr(1),
        **cell_columns(p.cell),
    )  # fmt: skip


def d07_gaps(found: Table, place: Table) -> Table:
    """Not evaluable: a date known only to the month leaves the answer open."""
    open_units = found.filter(found.maybe).select("unit_code").distinct()
    able = judged(open_units, place, "D07").select("unit_code")
    return rows(able.join(place.select("unit_code", "home"), "unit_code"), "D07", "roster")
