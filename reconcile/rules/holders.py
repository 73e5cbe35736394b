"""P02 满编进人: who held the posts of a cell on the day somebody entered it (decision 56). Pure.

A *scope* is what an entry is held against: its cell, or the whole type (scope '') where the cell has no quota row and the
type has one.
"""

from __future__ import annotations

import ibis
from ibis.expr.types import StringValue, Table, Value

from reconcile.rules.counts import ALL
from reconcile.rules.entries import counted_rows, entry_answer, known, open_rows, row_told
from reconcile.rules.months import is_exact, latest_day
from reconcile.rules.people import FORMS
from reconcile.rules.quota import CELL
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import as_count, day_text, json_code, json_number, json_text, null_text
from reconcile.rules.units import EARLIEST

SCOPE = ("unit_code", "post_type", "scope")
SCOPE_DAY = (*SCOPE, "entry_date")
# Of one day: who leaves makes room before anybody is counted, who enters comes after.
LEAVES, COUNTED, ENTERS = 0, 1, 2
# Of one entry: who asks at the earliest comes before it, who asks at the latest after it.
ASKS_FIRST, ARRIVES, ASKS_LAST = 0, 1, 2
# Which count a stay belongs to: the people who were surely there, those who may have been, or both.
LEAST, MOST, BOTH = "LEAST", "MOST", "BOTH"


def posts_taken(i: Inputs, entry: Table, quota: Table) -> Table:
    """Entries that hold a post, or may, where the establishment is known, each with its scope.

    `holds`: whether so on every day the exit may mean.
    """
    latest, leaves = entry.latest_exit, entry.exit_date
    taken = entry.filter(entry.here_establishment & (latest.isnull() | (latest > entry.entry_date)))
    rows = quota.filter(quota.quota_row | ~quota.known).select(*CELL)
    rows = rows.union(i.position_quota.select(*CELL), distinct=True)
    types = rows.select("unit_code", "post_type").distinct()
    taken = taken.mutate(holds=(leaves > entry.entry_date).fill_null(True))
    cells = taken.select(*CELL).distinct()
    whole = cells.anti_join(rows, CELL).semi_join(types, ["unit_code", "post_type"]).mutate(whole=True)
    taken = taken.left_join(whole, CELL, rname="whole_{name}")
    return taken.select(
        "home", "person_key", *CELL, "entry_date", "entry_registered", "latest_registered", "permit_no", "exact", "holds",
        scope=taken.whole.fill_null(False).ifelse(ALL, taken.fund_form),
    )  # fmt: skip


def scope_cells(posts: Table) -> Table:
    """SCOPE, fund_form of every cell in it, and `first`, its first day with an entry."""
    posts = posts.filter(posts.exact)
    scopes = posts.group_by(*SCOPE).agg(first=posts.entry_date.min())
    own = scopes.filter(scopes.scope != ALL).mutate(fund_form=ibis._.scope)
    whole = scopes.filter(scopes.scope == ALL)
    return ibis.union(own, *(whole.mutate(fund_form=ibis.literal(form)) for form in FORMS))


def allowed_on(i: Inputs, posts: Table, cells: Table, quota: Table, unknown: Table) -> Table:
    """SCOPE_DAY and `allowed`: quota in force on the day, else tonight's, with tonight's loans; null when unknown."""
    days = posts.filter(posts.exact).select(*SCOPE_DAY).distinct()
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
    """Who held a post of a scope on or after its first entry, or may have: SCOPE, person_key, `begin`, `end`. What began
    before that day began at EARLIEST: only later beginnings are told apart.

    A date known to the month makes it `unsure`: surely there from `late` up to `early` alone. It may begin on the eve of
    the month, for who enters on its first may come before anybody.
    """
    r = cells.join(counted_rows(i).filter(ibis._.entry_date.isnull() | (ibis._.entry_date <= night.as_of)), CELL)
    last_entry, last_exit = latest_day(r, "entry_date"), latest_day(r, "exit_date")
    r = r.filter(last_exit.isnull() | ((last_exit > r["first"]) & (r.entry_date.isnull() | (last_exit > r.entry_date))))
    # Who is there on A stays past every day judged.
    after = (ibis.literal(night.as_of) + ibis.interval(days=1)).cast("date")
    eve = is_exact(r, "entry_date").ifelse(r.entry_date, (r.entry_date - ibis.interval(days=1)).cast("date"))

    def begun(day: Value) -> Value:
        return (day.isnull() | (day < r["first"])).ifelse(ibis.date(EARLIEST), day)

    r = r.select(
        *SCOPE, "person_key",
        begin=begun(eve), late=begun(last_entry),
        end=ibis.least(last_exit.fill_null(after), after), early=ibis.least(r.exit_date.fill_null(after), after),
    )  # fmt: skip
    return r.mutate(unsure=(r.begin != r.late) | (r.end != r.early))


def both_sides(stay: Table) -> Table:
    """SCOPE, person_key, `begin`, `end` and `side`. `stay`: stays.

    Of a person with a date known to the month the stays are there twice: at LEAST what every day it may mean has in
    common, at MOST what any of them allows. The others are there once, for BOTH.
    """
    person = [*SCOPE, "person_key"]
    unsure, plain = stay.filter(stay.unsure), stay.filter(~stay.unsure)
    twice = unsure.union(plain.semi_join(unsure, person))
    least = twice.filter(twice.late < twice.early)
    return ibis.union(
        plain.anti_join(unsure, person).select(*person, "begin", "end", side=ibis.literal(BOTH)),
        least.select(*person, begin="late", end="early", side=ibis.literal(LEAST)),
        twice.select(*person, "begin", "end", side=ibis.literal(MOST)),
    )


def once_each(stay: Table) -> Table:
    """The stays with those of one person and side that overlap made one."""
    person = [*SCOPE, "person_key", "side"]
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
    """SCOPE_DAY, `held` and `most_held`: people who at least, and at most, held a post on the day before anybody entered,
    exits of the day done. `stay`: once_each."""

    def change(rows: Table, day: str, order: int, by: int) -> Table:
        sides = {"least": (rows.side != MOST).sum() * by, "most": (rows.side != LEAST).sum() * by}
        grouped = rows.group_by(*SCOPE, day=rows[day]).agg(**{name: n.cast("int64") for name, n in sides.items()})
        return grouped.mutate(order=ibis.literal(order, "int64"))

    events = ibis.union(
        change(stay, "begin", ENTERS, 1),
        change(stay.filter(stay.end <= night.as_of), "end", LEAVES, -1),
        change(posts.filter(posts.exact).mutate(side=ibis.literal(BOTH)), "entry_date", COUNTED, 0),
    )
    so_far = ibis.cumulative_window(group_by=list(SCOPE), order_by=["day", "order"])
    events = events.mutate(held=events.least.sum().over(so_far), most_held=events.most.sum().over(so_far))
    return events.filter(events.order == COUNTED).select(*SCOPE, "held", "most_held", entry_date="day")


def entrants(posts: Table, cells: Table, stay: Table) -> Table:
    """Who entered a scope on one day: SCOPE_DAY, person_key, what they take their turn by at the earliest and the latest
    (`first_`, `last_`), and whether they held a post of it already, at least and at most (`was`, `may_have`).

    A person once, a blank id once for each row. `cells`: scope_cells; who enters a cell enters every scope it belongs to.
    """
    every = cells.select(*SCOPE, "fund_form").join(posts.filter(posts.exact).drop("scope"), CELL)
    every = every.select(
        *SCOPE_DAY, "person_key", "holds", first_registered="entry_registered", first_permit="permit_no",
        # A row that may hold nothing gives no turn to rely on: the last.
        last_registered=every.holds.ifelse(every.latest_registered, ibis.null("date")),
        last_permit=every.holds.ifelse(every.permit_no, null_text()),
    )  # fmt: skip
    person = [*SCOPE_DAY, "person_key"]
    known_people, blank = known(every), every.filter(every.person_key.isnull())
    first, last = (_first_of(known_people, person, side) for side in ("first", "last"))
    one = known_people.group_by(*person).agg(holds=known_people.holds.any())
    for side in (first, last):
        one = one.join(side, person)
    there = one.select(*person).join(stay, [*SCOPE, "person_key"])
    there = there.filter((there.begin < there.entry_date) & (there.end > there.entry_date))
    there = there.group_by(*person).agg(was=(there.side != MOST).any(), may_have=(there.side != LEAST).any())
    one = one.left_join(there, person, rname="there_{name}")
    one = one.mutate(was=one.was.fill_null(False), may_have=one.may_have.fill_null(False))
    blank = blank.mutate(was=ibis.literal(False), may_have=ibis.literal(False))
    return blank.union(one.select(blank.columns))


def _first_of(rows: Table, person: list[str], side: str) -> Table:
    order = [f"{side}_registered", f"{side}_permit"]
    turn = ibis.row_number().over(group_by=person, order_by=order)
    return rows.mutate(turn=turn).filter(ibis._.turn == 0).select(*person, *order)


def turns(entrant: Table) -> Table:
    """SCOPE_DAY, person_key, `ahead`, `most_ahead`: those who come before on that day and held no post yet, surely and
    maybe; `was`, `may_have`. `entrant`: entrants."""

    def events(rows: Table, side: str, order: int, least: int, most: int) -> Table:
        numbers = {"order": order, "least": least, "most": most}
        return rows.select(
            *SCOPE_DAY, "person_key", "was", "may_have", registered=f"{side}_registered", permit=f"{side}_permit",
            **{name: ibis.literal(number, "int64") for name, number in numbers.items()},
        )  # fmt: skip

    asking = known(entrant)
    every = ibis.union(
        events(asking, "first", ASKS_FIRST, 0, 0),
        events(entrant.filter(entrant.holds & ~entrant.was), "last", ARRIVES, 1, 0),
        events(entrant.filter(~entrant.may_have), "first", ARRIVES, 0, 1),
        events(asking, "last", ASKS_LAST, 0, 0),
    )
    order = ["registered", "permit", "person_key", "order"]
    so_far = ibis.cumulative_window(group_by=list(SCOPE_DAY), order_by=order)
    every = every.mutate(ahead=every.least.sum().over(so_far), most_ahead=every.most.sum().over(so_far))
    person = [*SCOPE_DAY, "person_key"]
    first = every.filter(every.order == ASKS_FIRST).select(*person, "was", "may_have", "ahead")
    last = every.filter(every.order == ASKS_LAST)
    # Who holds no post yet has arrived before asking.
    last = last.select(*person, most_ahead=last.most_ahead - (~last.may_have).cast("int64"))
    return first.join(last, person)


def crowded(posts: Table, allowed: Table, held: Table, turn: Table) -> Table:
    """Entries that may find their scope full: `holders` at least, and `full`: whether it was, whatever days are meant.

    `posts`: posts_taken; `allowed`: allowed_on; `held`: held_on; `turn`: turns. Nobody is counted against themselves.
    """
    t = turn.join(held, SCOPE_DAY).join(allowed, SCOPE_DAY)
    t = t.mutate(held=t.held - t.was.cast("int64"), turn=t.ahead + 1)
    most = t.most_held - t.may_have.cast("int64") + t.most_ahead + 1
    t = t.filter(most > t.allowed).mutate(holders=ibis._.held + ibis._.turn)
    t = t.select(*SCOPE_DAY, "person_key", "holders", "allowed", "held", "turn")
    rows = posts.filter(posts.exact).join(t, [*SCOPE_DAY, "person_key"])
    return rows.mutate(full=rows.holds & (rows.holders > rows.allowed))


def p02(rows: Table) -> Table:
    """`rows`: crowded."""
    rows = rows.filter(rows.full)
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


def p02_gaps(posts: Table, allowed: Table, rows: Table) -> Table:
    """Not evaluable: the quota of the day is not known, or a date known to the month decides. `rows`: crowded."""
    judged = known(posts).filter(posts.exact).select("home", *SCOPE_DAY)
    open_days = judged.join(allowed.filter(allowed.allowed.isnull()), SCOPE_DAY)
    return open_rows(open_days, "P02", "establishment").union(open_rows(rows.filter(~rows.full), "P02", "roster"))
