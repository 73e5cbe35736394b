"""Entries and exits since a division's gate start, in units that deliver persons: what P01–P07 judge (decision 54). Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import StringValue, Table, Value

from reconcile.rules.months import is_exact, latest_day
from reconcile.rules.over_quota import rows
from reconcile.rules.people import CONTROL, is_off_quota
from reconcile.rules.tables import Inputs, Night
from reconcile.rules.texts import answer, day_text, json_code, json_object

GATE_RULES = ("P01", "P02", "P03", "P04", "P05", "P06", "P07")
UNIT_FACTS = ("starts", "level", "here_permits", "here_establishment", "held_roster")


def gated_units(i: Inputs, place: Table) -> Table:
    """Units of persons with a roster, whose division has a gate start: unit_code, home and UNIT_FACTS."""
    able = place.filter(~place.count_only & place.here_roster)
    return able.join(i.gate_start, "division_code", rname="start_{name}").select("unit_code", "home", *UNIT_FACTS)


def counted_rows(i: Inputs) -> Table:
    """Roster rows of any status that hold posts of the establishment: OFF_QUOTA and CONTROL_NUMBER are not among them."""
    return i.roster.filter(~is_off_quota(i.roster) & (i.roster.post_type != CONTROL))


def entries(i: Inputs, night: Night, gated: Table) -> Table:
    """Rows that entered, or may have, between the gate start and A, blank ids among them, with UNIT_FACTS of the unit.

    `earliest`, `latest`: the days between these two that the entry may mean. `sure`: it means none outside.
    """
    rows_until = counted_rows(i).filter(ibis._.entry_date <= night.as_of)
    since = gated.join(rows_until, "unit_code")
    # A gate that starts after A has seen nobody.
    since = since.filter(ibis.least(latest_day(since, "entry_date"), night.as_of) >= since.starts)
    latest = latest_day(since, "entry_date")
    return since.select(
        "home", "person_key", "person_mask", "unit_code", "post_type", "fund_form", "entry_date", "entry_registered", "exit_date",
        "entry_form", "permit_no", "from_unit", "from_level", "from_fund_form", "waiver_no", *UNIT_FACTS,
        exact=is_exact(since, "entry_date"),
        earliest=ibis.greatest(since.entry_date, since.starts),
        latest=ibis.least(latest, night.as_of),
        sure=(since.entry_date >= since.starts) & (latest <= night.as_of),
        latest_registered=latest_day(since, "entry_registered"),
        latest_exit=latest_day(since, "exit_date"),
    )  # fmt: skip


def exits(i: Inputs, night: Night, gated: Table) -> Table:
    """Rows of known persons that left, or may have, between the gate start and A."""
    left = counted_rows(i).filter((ibis._.exit_date <= night.as_of) & ibis._.person_key.notnull())
    since = gated.join(left, "unit_code")
    since = since.filter(ibis.least(latest_day(since, "exit_date"), night.as_of) >= since.starts)
    return since.select(
        "home", "person_key", "unit_code", "post_type", "fund_form", "exit_date", "exit_registered", "held_roster",
        exact=is_exact(since, "exit_date"),
        latest_registered=latest_day(since, "exit_registered"),
    )  # fmt: skip


def known(entry: Table) -> Table:
    """Entries of people with an id: the rules about persons judge no others."""
    return entry.filter(entry.person_key.notnull())


def entry_answer(
    flagged: Table, rule: str, *, expected: Value | str, found: Value | str, day: str = "entry_date", **columns
) -> Table:
    """Findings per person, unit and day: of several rows the first cell in text order, then the first answer.

    `flagged`: person_key, unit_code, post_type, fund_form and `day`, a date. Evidence, if any, is given last.
    """
    given = {"expected": expected, "found": found, **columns}
    said = flagged.select(
        "person_key", "unit_code", "post_type", "fund_form",
        **{day: day_text(flagged[day])},
        **{name: ibis.literal(value) if isinstance(value, str) else value for name, value in given.items()},
    )  # fmt: skip
    grain = ["person_key", "unit_code", day]
    order = ["post_type", "fund_form", *given]
    turn = ibis.row_number().over(group_by=grain, order_by=order)
    first = said.mutate(turn=turn).filter(ibis._.turn == 0)
    return answer(first, rule, **{name: first[name] for name in (*grain, "post_type", "fund_form", *given)})


def row_told(row: Table, *codes: str, **texts: Value) -> StringValue:
    """What was judged of an entry or exit as a JSON object: words of our own by column, then texts already spelled."""
    return json_object({name: json_code(row[name]) for name in codes} | texts)


def start_gaps(i: Inputs, folder: Table, place: Table) -> Table:
    """Not evaluable: units of persons whose division has no gate start; `*` where no unit of the folder has one."""
    persons = place.filter(~place.count_only)
    started = persons.semi_join(i.gate_start, "division_code")
    whole = folder.filter(~folder.counts).anti_join(started, folder.division_code == started.home)
    single = persons.anti_join(i.gate_start, "division_code").semi_join(started.select("home"), "home")
    units = whole.select(home="division_code", unit_code=ibis.literal("*")).union(single.select("home", "unit_code"))
    return ibis.union(*(rows(units, rule, "gate_start") for rule in GATE_RULES))


def open_rows(table: Table, rule: str, book: str = "roster") -> Table:
    """Not evaluable: the units (home, unit_code) of rows a date of which leaves the answer open."""
    return rows(table.select("home", "unit_code").distinct(), rule, book)


def month_gaps(posts: Table, entry: Table, leaving: Table) -> Table:
    """Not evaluable: an entry or exit known to the month only, which these rules count from.

    `posts`: the entries P02 looks at (holders.posts_taken).
    """
    parts = [(known(posts), "P02"), (known(entry), "P04"), (leaving, "P05")]
    return ibis.union(*(open_rows(table.filter(~table.exact), rule) for table, rule in parts))
