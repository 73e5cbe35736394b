"""P02 满编进人: who held the posts of a cell on the day somebody entered it (decision 56). Pure.

A *scope* is what an entry is held against: its cell, or the whole type (scope '') where the cell has no quota row and the
type has one.
"""

from __future__ import annotations

import ibis
from ibis.expr.types import StringValue, Table

from reconcile.rules.counts import ALL
from reconcile.rules.entries import counted_rows, entry_answer, known, row_told
from reconcile.rules.over_quota import rows as gap_rows
from reconcile.rules.people import FORMS
from reconcile.rules.quota import CELL
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import as_count, day_text, json_code, json_number, json_text
from reconcile.rules.units import EARLIEST

SCOPE = ("unit_code", "post_type", "scope")
SCOPE_DAY = (*SCOPE, "entry_date")
# Of one day: who leaves makes room before anybody is counted, who enters comes after.
LEAVES, COUNTED, ENTERS = 0, 1, 2


def posts_taken(i: Inputs, entry: Table, quota: Table) -> Table:
    """Entries that hold a post, where the establishment is known, each with its scope."""
    holds = entry.exit_date.isnull() | (entry.exit_date > entry.entry_date)
    taken = entry.filter(entry.here_establishment & holds)
    rows = quota.filter(quota.quota_row | ~quota.known).select(*CELL)
    rows = rows.union(i.position_quota.select(*CELL), distinct=True)
    types = rows.select("unit_code", "post_type").distinct()
    cells = taken.select(*CELL).distinct()
    whole = cells.anti_join(rows, CELL).semi_join(types, ["unit_code", "post_type"]).mutate(whole=True)
    taken = taken.left_join(whole, CELL, rname="whole_{name}")
    return taken.select(
        "home", "person_key", *CELL, "entry_date", "entry_registered", "permit_no", "exact",
        scope=taken.whole.fill_null(False).ifelse(ALL, taken.fund_form),
    )  # fmt: skip


def scope_cells(posts: Table) -> Table:
    """SCOPE, fund_form of every cell in it, and `first`, its first day with an entry."""
    scopes = posts.group_by(*SCOPE).agg(first=posts.entry_date.min())
    own = scopes.filter(scopes.scope != ALL).mutate(fund_form=ibis._.scope)
    whole = scopes.filter(scopes.scope == ALL)
    return ibis.union(own, *(whole.mutate(fund_form=ibis.literal(form)) for form in FORMS))


def allowed_on(i: Inputs, posts: Table, cells: Table, quota: Table, unknown: Table) -> Table:
    """SCOPE_DAY and `allowed`: quota in force on the day, else tonight's, with tonight's loans; null when unknown."""
    days = posts.select(*SCOPE_DAY).distinct()
    tonight = cells.left_join(quota, CELL, rname="quota_{name}")
    whole = unknown.filter(unknown.whole).select("unit_code", "whole")
    tonight = tonight.left_join(whole, "unit_code", rname="whole_{name}")
    known_quota = tonight.known.fill_null(True) & tonight.whole.isnull()
    tonight = tonight.select(
        *SCOPE, "fund_form",
        quota=known_quota.ifelse(tonight.quota.fill_null(0), ibis.null("int64")),
        loans=tonight.borrowed.fill_null(0) - tonight.lent.fill_null(0),
    )  # fmt: skip
    each = days.join(tonight, SCOPE)
    q = i.position_quota
    then = each.select(*SCOPE_DAY, "fund_form").join(q, CELL, rname="q_{name}")
    then = then.filter(
        (then.valid_from <= then.entry_date) & (then.valid_to.isnull() | (then.valid_to >= then.entry_date))
    )
    then = then.group_by(*SCOPE_DAY, "fund_form").agg(in_force=then.quota.sum())
    each = each.left_join(then, [*SCOPE_DAY, "fund_form"], rname="then_{name}")
    posts_of_cell = ibis.coalesce(each.in_force, each.quota) + each.loans
    total = each.mutate(cell_posts=posts_of_cell).group_by(*SCOPE_DAY)
    return total.agg(
        allowed=ibis._.cell_posts.isnull().any().ifelse(ibis.null("int64"), ibis._.cell_posts.sum()),
    )


def stays(i: Inputs, night: Night, cells: Table) -> Table:
    """Who held a post of a scope on or after its first entry: SCOPE, person_key, `begin`, `end`. What began before that
    day began at EARLIEST: only later beginnings are told apart."""
    r = cells.join(counted_rows(i).filter(ibis._.entry_date.isnull() | (ibis._.entry_date <= night.as_of)), CELL)
    lasting = r.exit_date.isnull() | (
        (r.exit_date > r["first"]) & (r.entry_date.isnull() | (r.exit_date > r.entry_date))
    )
    r = r.filter(lasting)
    early = r.entry_date.isnull() | (r.entry_date < r["first"])
    # Who is there on A stays past every day judged.
    gone = (r.exit_date <= night.as_of).fill_null(False)
    after = ibis.literal(night.as_of) + ibis.interval(days=1)
    return r.select(
        *SCOPE, "person_key",
        begin=early.ifelse(ibis.date(EARLIEST), r.entry_date), end=gone.ifelse(r.exit_date, after.cast("date")),
    )  # fmt: skip


def once_each(stay: Table) -> Table:
    """The stays with those of one person that overlap made one."""
    person = [*SCOPE, "person_key"]
    several = stay.filter(stay.person_key.notnull()).group_by(*person).agg(n=ibis._.count())
    several = several.filter(several.n > 1).select(*person)
    single = stay.anti_join(several, person)
    rows = stay.semi_join(several, person)
    before = ibis.rows_window(group_by=person, order_by=["begin", "end"], preceding=(None, 1))
    rows = rows.mutate(reached=rows.end.max().over(before))
    new = (rows.reached.isnull() | (rows.begin >= rows.reached)).cast("int64")
    so_far = ibis.cumulative_window(group_by=person, order_by=["begin", "end"])
    rows = rows.mutate(new=new)
    rows = rows.mutate(stretch=rows.new.sum().over(so_far))
    merged = rows.group_by(*person, "stretch").agg(begin=rows.begin.min(), end=rows.end.max())
    return single.union(merged.select(single.columns))


def held_on(night: Night, posts: Table, stay: Table) -> Table:
    """SCOPE_DAY and `held`: people who held a post on the day before anybody entered, exits of the day done."""

    def change(rows: Table, day: str, order: int, by: int) -> Table:
        grouped = rows.group_by(*SCOPE, day=rows[day]).agg(change=ibis._.count() * by)
        return grouped.mutate(order=ibis.literal(order, "int64"))

    events = ibis.union(
        change(stay, "begin", ENTERS, 1),
        change(stay.filter(stay.end <= night.as_of), "end", LEAVES, -1),
        change(posts, "entry_date", COUNTED, 0),
    )
    so_far = ibis.cumulative_window(group_by=list(SCOPE), order_by=["day", "order"])
    events = events.mutate(held=events.change.sum().over(so_far))
    return events.filter(events.order == COUNTED).select(*SCOPE, entry_date="day", held="held")


def turns(posts: Table, cells: Table) -> Table:
    """SCOPE_DAY, person_key and `turn` of those who entered a scope on one day, from 1; a person once, a blank id once
    for each row. `cells`: scope_cells; who enters a cell enters every scope it belongs to."""
    order = ["entry_registered", "permit_no"]
    every = cells.select(*SCOPE, "fund_form").join(posts.drop("scope"), CELL)
    own = ibis.row_number().over(group_by=[*SCOPE_DAY, "person_key"], order_by=order)
    first = every.mutate(own=own)
    first = first.filter((first.own == 0) | first.person_key.isnull())
    turn = ibis.row_number().over(group_by=list(SCOPE_DAY), order_by=[*order, "person_key"])
    return first.select(*SCOPE_DAY, "person_key", turn=turn + 1)


def p02(posts: Table, allowed: Table, held: Table, turn: Table) -> Table:
    """`posts`: posts_taken; `allowed`: allowed_on; `held`: held_on; `turn`: turns."""
    t = known(turn).join(held, SCOPE_DAY).join(allowed, SCOPE_DAY)
    t = t.mutate(holders=t.held + t.turn)
    full = t.filter(t.holders > t.allowed).select(*SCOPE_DAY, "person_key", "holders", "allowed", "held", "turn")
    rows = posts.filter(posts.exact).join(full, [*SCOPE_DAY, "person_key"])
    return entry_answer(
        rows, "P02", expected=as_count(rows.allowed), found=as_count(rows.holders), evidence=_told(rows)
    )


def _told(e: Table) -> StringValue:
    """Whether the cell or its whole type was full, who held before, the turn of that day, and what the turn goes by."""
    judged_by = {
        "against": json_code((e.scope == ALL).ifelse("TYPE", "CELL")),
        "held": json_number(e.held),
        "turn": json_number(e.turn),
        "entry_registered": json_code(day_text(e.entry_registered)),
        "permit_no": json_text(e.permit_no),
    }
    return row_told(e, **judged_by)


def p02_gaps(posts: Table, allowed: Table) -> Table:
    """Not evaluable: the quota of the day is not known."""
    judged = known(posts).filter(posts.exact).select("home", *SCOPE_DAY)
    open_days = judged.join(allowed.filter(allowed.allowed.isnull()), SCOPE_DAY)
    return gap_rows(open_days.select("home", "unit_code").distinct(), "P02")
