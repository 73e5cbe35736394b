"""与名册不同: what the delivered books and our gate say otherwise of units switched over: each side's word, since when, what to do."""

from __future__ import annotations

import re

from flask import current_app, g, render_template, request, url_for
from flask_babel import gettext as _

from night.own_difference import KIND_LABELS, RULE_OF, DifferenceKind
from night.own_lists import Row, gate_differences
from pool.lists import nodes_named
from reconcile.store import newest_run
from web.gate_steps import begins
from web.pages.flags import PAGE
from web.pages.staffing import page_count, page_number
from web.pool_access import act_now, acting_for, view_scope
from web.words import VOCABULARIES

ENDPOINTS = ("staffing_differences",)
# Identifiers a difference spells, by the vocabularies that have a word for them.
WORDS = {
    code: label
    for name in ("level", "entry_form", "person_status", "fund_form", "post_type", "copy")
    for code, label in VOCABULARIES[name].items()
}
# The act of the gate that may put it right.
REGISTER = {DifferenceKind.EXIT_UNREGISTERED: "exit-person", DifferenceKind.ENTRY_UNKNOWN: "enter"}


def in_words(text: str | None) -> str:
    """One side's word, with identifiers spelled as people say them."""
    if not text or text == "None":
        return "—"
    return re.sub(r"\b[A-Z][A-Z_]+\b", lambda found: _(WORDS.get(found[0], found[0])), text.replace("=", " "))


def remedy_of(row: Row) -> tuple[str, str] | None:
    """(deed, address) of the form on which this person may register what is missing."""
    deed = REGISTER.get(DifferenceKind(row["kind"]))
    if deed is None or not begins(act_now("-"), deed):
        return None
    given = {name: row[name] for name in ("unit_code", "post_type", "fund_form") if row[name]}
    return deed, url_for("staffing_new", deed=deed, **given)


def show_staffing_differences() -> str:
    """The list of the newest night, by unit and kind."""
    unit, kind = request.args.get("unit") or None, request.args.get("kind")
    chosen = (DifferenceKind(kind),) if kind in set(DifferenceKind) else ()
    rows = gate_differences(g.db, current_app.config["SETTINGS"], view_scope(), kinds=chosen, unit_code=unit)
    run, start = newest_run(g.db), (page_number() - 1) * PAGE
    shown = rows[start : start + PAGE]
    return render_template(
        "staffing_differences.html", rows=shown, total=len(rows), page=page_number(), page_count=page_count(len(rows)),
        kinds=KIND_LABELS, kind=chosen[0].value if chosen else "", unit=unit, run=run, rules=RULE_OF, in_words=in_words,
        names=nodes_named(g.db, {f"U:{row['unit_code']}" for row in shown}), remedy=remedy_of, giver=acting_for(),
    )  # fmt: skip
