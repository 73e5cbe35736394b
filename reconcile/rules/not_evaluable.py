"""Which rules could not judge, where, for want of which book (decisions 12–15). Pure."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from reconcile.catalog import RULES
from reconcile.findings import NOT_EVALUABLE_SCHEMA
from reconcile.rules.tables import Inputs
from reconcile.rules.units import NEEDS_EVERY_ROSTER, UNIT_BOOKS

# Judged apart: by division (Q08, Q11, F11) or by our own book (Q09, Q10), each beside its rule; D06 and D08 judge what is
# there.
OWN_COVERAGE = ("Q08", "Q09", "Q10", "Q11", "F11", "D06", "D08")
# Books without which a rule still says what it can, and the rest is not evaluable (decisions 55 and 59).
ALSO = {"P01": ("permits",), "P06": ("permits",)}
COUNT_RULE_BOOKS = {
    "Q01": ("headcount",), "Q02": ("headcount",), "Q12": ("headcount",), "Q06": ("units", "headcount"),
    "Q07": ("establishment",), "F09": ("headcount",), "D05": (),
}  # fmt: skip


def needs() -> list[tuple[str, str, bool]]:
    """(rule, book, for count-only units): what the `need` table holds. Person rules want the roster of a count-only unit."""
    rows = []
    for code, rule in RULES.items():
        if code in OWN_COVERAGE:
            continue
        rows += [(code, book, False) for book in (*rule.books, *ALSO.get(code, ()))]
        rows += [(code, book, True) for book in COUNT_RULE_BOOKS.get(code, ("roster",))]
    return rows


def absences(i: Inputs, folder: Table, place: Table) -> Table:
    """`*` rows where a whole folder lacks a book, unit rows where single units do."""
    here = _here(place)
    # A count-only unit among units of persons is answered for by itself.
    served = here.filter(here.here & (here.count_only == here.counts_by_division))
    served = served.group_by("home", "book").agg(units=ibis._.count())
    lacking = _folder_books(folder)
    lacking = lacking.filter(~lacking.has).anti_join(
        served, [lacking.division_code == served.home, lacking.book == served.book]
    )
    need = i.need
    whole = lacking.join(need, [lacking.counts == need.counts, lacking.book == need.book], rname="need_{name}")
    star = ibis.literal("*")
    by_folder = whole.select("rule", "division_code", unit_code=star, book="book")
    answered = lacking.select("division_code", "book", "counts")
    single = here.filter(~here.here).anti_join(answered, [("home", "division_code"), "book", ("count_only", "counts")])
    single = single.join(need, [single.count_only == need.counts, single.book == need.book], rname="need_{name}")
    by_unit = single.select("rule", division_code="home", unit_code="unit_code", book="book")
    return ibis.union(by_folder, by_unit, _count_only(i, folder, place), _missing_roster(i, folder), distinct=True)


def _here(place: Table) -> Table:
    """(home, unit_code, count_only, book, here), one row per unit and book.

    A count-only unit has its figures in the headcount; the roster its person rules want is answered for apart.
    """
    rows = [
        place.select(
            "home", "unit_code", "count_only", "counts_by_division", book=ibis.literal(book), here=f"here_{book}"
        )
        for book in (*UNIT_BOOKS, "leads")
    ]
    every = ibis.union(*rows)
    return every.filter(~(every.count_only & (every.book == "roster")))


def _folder_books(folder: Table) -> Table:
    """(division_code, counts, book, has): whether a folder's book was accepted, or one above has it for leads."""
    named = {book: f"has_{book}" for book in UNIT_BOOKS} | {"leads": "here_leads"}
    return ibis.union(
        *(
            folder.select("division_code", "counts", book=ibis.literal(book), has=column)
            for book, column in named.items()
        )
    )


def _count_only(i: Inputs, folder: Table, place: Table) -> Table:
    """Person rules of count-only units: `*` for a count-only division, the unit where it alone delivers counts."""
    rules = i.need.filter(i.need.counts & (i.need.book == "roster"))
    star = ibis.literal("*")
    divisions = folder.filter(folder.counts).cross_join(rules, rname="need_{name}")
    units = place.filter(place.count_only & ~place.counts_by_division).cross_join(rules, rname="need_{name}")
    return divisions.select("rule", "division_code", unit_code=star, book="book").union(
        units.select("rule", division_code="home", unit_code="unit_code", book="book")
    )


def _missing_roster(i: Inputs, folder: Table) -> Table:
    """An expected roster anywhere is missing or refused: the rules that rest on nobody being left out stand still."""
    v = i.verdict
    missing = v.filter((v.book == "roster") & v.expected & ~v.accepted).count().as_scalar() > 0
    rules = i.need.filter(i.need.rule.isin(NEEDS_EVERY_ROSTER)).select("rule").distinct()
    every = folder.cross_join(rules).filter(missing)
    return every.select("rule", "division_code", unit_code=ibis.literal("*"), book=ibis.literal("roster"))


def all_rows(*tables: Table) -> Table:
    """Every not-evaluable row of the night, each once."""
    columns = list(NOT_EVALUABLE_SCHEMA)
    return ibis.union(*(table.select(*columns) for table in tables), distinct=True)
