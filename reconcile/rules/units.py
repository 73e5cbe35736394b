"""Who judges a unit: its home folder, the books present there, count-only or not (decisions 5, 11, 12, 15). Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, Table

from core.types import Delivers
from reconcile.catalog import RULES
from reconcile.rules.months import latest_day
from reconcile.rules.tables import Inputs, Night

# Books whose rows name units; the order is the one in which they give an unregistered unit its home (decision 11).
NAMING_BOOKS = ("payroll", "roster", "establishment", "headcount")
UNIT_BOOKS = ("units", *NAMING_BOOKS, "permits")
# For these it is enough that a division above has the book (decision 12).
DIVISION_BOOKS = ("leads", "base", "limits")
# Of a unit whose gate is the source these are ours, whatever was delivered (decision 0016).
OWN_BOOKS = ("establishment", "permits")
QUARANTINE_BOOKS = ("units", *NAMING_BOOKS)
UNIT_COLUMNS = ("unit_code", "level", "unit_kind", "org_rank", "approval_doc")
EARLIEST = "0001-01-01"


def payer(payroll: Table):
    """Who pays: on_behalf_of, else paying_unit_code."""
    return ibis.coalesce(payroll.on_behalf_of, payroll.paying_unit_code)


def folders(i: Inputs) -> Table:
    """One row per division of the night: per book `has_<book>` (accepted) and `open_<book>` (neither delivered nor
    expected), `counts` (a count-only division), `here_leads`, `here_base` and `here_limits`."""
    v = i.verdict
    books = (*UNIT_BOOKS, *DIVISION_BOOKS)
    silent = ~v.delivered & ~v.expected
    flags = {f"has_{book}": v.accepted.any(where=v.book == book).fill_null(False) for book in books}
    flags |= {f"open_{book}": silent.any(where=v.book == book).fill_null(False) for book in books}
    folder = v.group_by("division_code").agg(**flags)
    above = (
        i.lineage.filter(i.lineage.distance > 0)
        .join(folder, i.lineage.above_code == folder.division_code, rname="above_{name}")
        .group_by("division_code")
        .agg(**{f"above_{book}": ibis._[f"has_{book}"].any() for book in DIVISION_BOOKS})
    )
    joined = folder.left_join(above, "division_code", rname="right_{name}").drop("right_division_code")
    return joined.mutate(
        counts=joined.open_roster & joined.open_payroll,
        **{
            f"here_{book}": joined[f"has_{book}"] | (joined[f"open_{book}"] & joined[f"above_{book}"].fill_null(False))
            for book in DIVISION_BOOKS
        },
    ).drop(*(f"above_{book}" for book in DIVISION_BOOKS))


def named_units(i: Inputs) -> Table:
    """(unit_code, delivered_by, book): who names which unit in which book, distinct."""
    tables = [
        table.select(unit_code=code, delivered_by=table.delivered_by, book=ibis.literal(book)).distinct()
        for book, table, code in (
            ("units", i.units, i.units.unit_code),
            ("payroll", i.payroll, payer(i.payroll)),
            ("roster", i.roster, i.roster.unit_code),
            ("establishment", i.establishment, i.establishment.unit_code),
            ("headcount", i.headcount, i.headcount.unit_code),
            ("permits", i.permits, i.permits.unit_code),
        )
    ]
    return ibis.union(*tables)


def version_in_force(i: Inputs, night: Night) -> Table:
    """One row per registered code: the version whose dates hold on A, else one whose dates may, else the newest.

    `maybe_valid`: valid or not, as a month goes. `documented`: a version has an approval document, this or another.
    """
    u = i.units
    a = night.as_of
    valid = (latest_day(u, "valid_from") <= a).fill_null(True) & (u.valid_to >= a).fill_null(True)
    may_be = (u.valid_from <= a).fill_null(True) & (latest_day(u, "valid_to") >= a).fill_null(True)
    dated = u.mutate(
        valid=valid, maybe_valid=may_be & ~valid, rank=valid.cast("int64") + may_be.cast("int64"),
        start=u.valid_from.fill_null(ibis.date(EARLIEST)),
        documents=u.approval_doc.count().over(group_by="unit_code"),
    )  # fmt: skip
    order = [ibis.desc("rank"), ibis.desc("start"), "delivered_by", "file", "row"]
    numbered = dated.mutate(place=ibis.row_number().over(group_by="unit_code", order_by=order))
    chosen = numbered.filter(numbered.place == 0)
    return chosen.select(
        *UNIT_COLUMNS,
        "division_code",
        "delivers",
        "delivered_by",
        "valid",
        "maybe_valid",
        documented=chosen.documents > 0,
    )


def homes(named: Table, version: Table) -> Table:
    """One row per unit code of the night with its home folder and what `units` says of it."""
    # A permit gives no unit a home.
    first = (
        named.filter(named.book != "permits")
        .group_by("unit_code")
        .agg(**{f"by_{book}": named.delivered_by.min(where=named.book == book) for book in NAMING_BOOKS})
    )
    unit = first.left_join(version, "unit_code", rname="units_{name}")
    home = ibis.coalesce(unit.delivered_by, *(unit[f"by_{book}"] for book in NAMING_BOOKS))
    return unit.select(
        *UNIT_COLUMNS,
        home=home,
        division_code=ibis.coalesce(unit.division_code, home),
        registered=unit.delivered_by.notnull(),
        valid=unit.valid.fill_null(False),
        maybe_valid=unit.maybe_valid.fill_null(False),
        documented=unit.documented.fill_null(False),
        delivers_counts=(unit.delivers == Delivers.COUNTS.value).fill_null(False),
    )


def places(i: Inputs, named: Table, unit: Table, folder: Table, blank: Table) -> Table:
    """The one table about units: home, kind, division, what is present there, what is quarantined, blank ids.

    `blank`: unit_code, blank_roster, blank_payroll.
    """
    lineage = i.lineage.filter(i.lineage.distance > 0)
    above = (
        named.join(unit.select("unit_code", "home"), "unit_code")
        .join(lineage, [("home", "division_code"), ("delivered_by", "above_code")])
        .select("unit_code", "delivered_by", "book")
    )
    accepted = i.verdict.filter(i.verdict.accepted).select(delivered_by="division_code", book="book")
    above = above.semi_join(accepted, ["delivered_by", "book"])
    reached = above.group_by("unit_code").agg(**{f"above_{b}": (above.book == b).any() for b in UNIT_BOOKS})
    held = i.quarantine.filter(i.quarantine.unit_code.notnull())
    held = held.group_by("unit_code").agg(**{f"held_{b}": (held.book == b).any() for b in QUARANTINE_BOOKS})
    joined = unit
    for right, keys in ((reached, "unit_code"), (held, "unit_code"), (blank, "unit_code")):
        joined = joined.left_join(right, keys, rname="right_{name}").drop("right_unit_code")
    joined = joined.left_join(folder, joined.home == folder.division_code, rname="folder_{name}")
    ours = i.own_unit.select("unit_code", ours=ibis.literal(True))
    joined = joined.left_join(ours, "unit_code", rname="own_{name}")
    here = {
        f"here_{book}": joined[f"has_{book}"].fill_null(False)
        | (joined[f"open_{book}"].fill_null(False) & joined[f"above_{book}"].fill_null(False))
        for book in UNIT_BOOKS
    }
    for book in OWN_BOOKS:
        here[f"here_{book}"] = here[f"here_{book}"] | joined.ours.fill_null(False)
    absent = i.verdict.filter(i.verdict.expected & ~i.verdict.accepted)
    missing, unlisted = absent.filter(absent.book == "roster"), absent.filter(absent.book == "units")
    # A code nobody registered may stand in the register that did not arrive.
    here["here_units"] = here["here_units"] & (joined.registered | (unlisted.count().as_scalar() == 0))
    by_division = joined.counts.fill_null(False)
    return joined.select(
        *UNIT_COLUMNS, "home", "division_code", "registered", "valid", "maybe_valid", "documented", "delivers_counts",
        counts_by_division=by_division,
        count_only=joined.delivers_counts | by_division,
        here_leads=joined.here_leads.fill_null(False),
        own_establishment=joined.has_establishment.fill_null(False),
        roster_missing=missing.count().as_scalar() > 0,
        **here,
        **{f"held_{book}": joined[f"held_{book}"].fill_null(False) for book in QUARANTINE_BOOKS},
        **{name: joined[name].fill_null(False) for name in ("blank_roster", "blank_payroll")},
    )  # fmt: skip


def can_judge(place: Table, rule: str, books: tuple[str, ...] | None = None) -> BooleanValue:
    """Whether a rule about people or persons-based counts may judge a unit: the books it needs are present there."""
    needed = RULES[rule].books if books is None else books
    test = ~place.count_only
    for book in needed:
        test = test & place[f"here_{book}"]
    return test & ~place.roster_missing if rule in NEEDS_EVERY_ROSTER else test


# Not evaluable anywhere while any expected roster is absent: the person may be in it (decision 14).
NEEDS_EVERY_ROSTER = ("F01", "F03", "F09")


def judged(table: Table, place: Table, rule: str, books: tuple[str, ...] | None = None) -> Table:
    """The rows of a table (with unit_code) whose unit the rule may judge, with the unit's quarantine and blank flags."""
    able = place.filter(can_judge(place, rule, books))
    flags = able.select("unit_code", *(f"held_{book}" for book in QUARANTINE_BOOKS), "blank_roster", "blank_payroll")
    # The unit's flags come first in the join: a joined table may not always be joined on a column it computes.
    return flags.join(table, "unit_code")
