"""Flags: the list with its filters and its file, one flag with its life, and the moves on it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from flask import Response, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from core.accounts import User
from core.errors import InputRejected, NotFound
from reconcile import store
from reconcile.catalog import RULES
from reconcile.flags import move_decisions
from reconcile.identities import may_show
from reconcile.lifecycle import Answer
from reconcile.models import FlagStatus, NightRun
from reconcile.store import FlagFilter, FlagItem
from web import evidence
from web.exports import TYPES, flags_file
from web.i18n import translate_decision
from web.moves import DOORS, make_move
from web.pages.overview import SEVERITIES
from web.scoping import run_named
from web.unseen import unseen_count, unseen_flags

ENDPOINTS = ("flags", "flags_export", "flag", "flag_move")
PAGE = 50
MOST_PAGES = 1_000_000
LISTS = ("night", "unseen", "closed")
TEXT_LIMIT = 64


def page_asked() -> int:
    """Which page of a list the address asks for; never one no list has."""
    return min(max(request.args.get("page", 1, int), 1), MOST_PAGES)


@dataclass(frozen=True)
class Asked:
    """What the address asks the list for."""

    run: NightRun | None
    which: str
    chosen: FlagFilter
    sort: str

    def items(self, limit: int | None, offset: int = 0) -> list[FlagItem]:
        if self.run is None:
            return []
        if self.which == "night":
            return store.night_flags(g.db, self.run, g.scope, self.chosen, self.sort, limit, offset)
        return unseen_flags(g.db, self.run, g.scope, self.chosen, self.which == "closed", limit, offset)

    def count(self, which: str | None = None) -> int:
        which = which or self.which
        if self.run is None:
            return 0
        if which == "night":
            return store.night_flag_count(g.db, self.run, g.scope, self.chosen)
        return unseen_count(g.db, self.run, g.scope, self.chosen, which == "closed")


def _asked() -> Asked:
    as_of = request.args.get("as_of")
    chosen = lambda name, known: tuple(value for value in request.args.getlist(name) if value in known)
    text = lambda name: (request.args.get(name) or "").strip()[:TEXT_LIMIT] or None
    sort = request.args.get("sort", "severity")
    which = request.args.get("list", "night")
    return Asked(
        run_named(as_of) if as_of else store.newest_run(g.db),
        which if which in LISTS else "night",
        FlagFilter(
            rules=chosen("rule", RULES),
            severities=chosen("severity", SEVERITIES),
            statuses=chosen("status", [*FlagStatus, store.UNTRACKED]),
            unit_code=text("unit"),
            division_code=text("division"),
            search=text("q"),
            new_only=request.args.get("new") == "yes",
        ),
        sort if sort.removeprefix("-") in store.SORTS else "severity",
    )


def show_flags() -> str:
    """The list: filtered, sorted, in pages, with totals."""
    asked = _asked()
    page = page_asked()
    total = asked.count()
    page_count = max(1, -(-total // PAGE))
    page = min(page, page_count)
    return render_template(
        "flags.html",
        asked=asked,
        items=asked.items(PAGE, (page - 1) * PAGE),
        total=total,
        counts={which: total if which == asked.which else asked.count(which) for which in LISTS},
        page=page,
        page_count=page_count,
        rules=list(RULES),
        severities=SEVERITIES,
        statuses=list(FlagStatus),
        forms=TYPES,
    )


def show_flags_export(form: str) -> Response:
    """The whole filtered list as a file."""
    asked = _asked()
    response = make_response(flags_file(asked.items(None), form))
    response.headers["Content-Type"] = TYPES[form]
    day = asked.run.as_of.isoformat() if asked.run else "none"
    response.headers["Content-Disposition"] = f'attachment; filename="flags-{day}.{form}"'
    return response


def show_flag(key: str) -> str:
    """One flag: what it is, why it may be innocent, what became of it, what this person may do next."""
    finding = store.last_finding(g.db, g.flag)
    lines, tables = evidence.evidence_lines(finding.evidence if finding else None, g.flag.rule)
    keys, sentences = evidence.explanations(finding.explained_by if finding else None)
    explaining = store.flags_seen_of(g.db, keys, g.scope)
    people = store.shown_people(g.db, [g.flag, *explaining])
    history = store.flag_history(g.db, key)
    countable = RULES[g.flag.rule].countable
    newest = store.newest_run(g.db)
    return render_template(
        "flag.html",
        flag=g.flag,
        rule=RULES[g.flag.rule],
        unit_name=store.unit_names(g.db, {g.flag.unit_code} - {None}).get(g.flag.unit_code or ""),
        expected=store.as_number(g.flag.expected, countable[0]),
        found=store.as_number(g.flag.found, countable[1]),
        person=people[key],
        grain=evidence.grain_lines(json.loads(g.flag.grain), g.flag.rule),
        about=evidence.about(json.loads(g.flag.grain), g.flag.rule),
        lines=lines,
        clearing=evidence.clearing(finding.evidence if finding else None),
        tables=tables,
        effects=evidence.effects(finding.evidence if finding else None),
        explaining=explaining,
        people=people,
        hidden_count=len(keys) - len(explaining),
        sentences=sentences,
        history=history[::-1],
        names=_names({event.actor for event in history}),
        moves=_moves(),
        may_identify=may_show(g.flag, g.scope),
        unseen=newest is not None and g.flag.status != FlagStatus.CLOSED and g.flag.last_seen < newest.as_of,
    )


def _moves() -> list[dict[str, object]]:
    """Every move with whether it may be made now, and the sentence that says why not; possible ones first.

    Moves this person's role can never make are left out: a page of barred doors helps nobody.
    """
    decisions = move_decisions(g.flag, g.scope, g.now)
    rows = [
        {"door": door, "allowed": decisions[door.move].allowed, "why": translate_decision(decisions[door.move])}
        for door in DOORS.values()
        if decisions[door.move].answer is not Answer.WRONG_ROLE
    ]
    return sorted(rows, key=lambda row: not row["allowed"])


def _names(logins: set[str]) -> dict[str, str]:
    return dict(g.db.execute(select(User.login, User.display_name).where(User.login.in_(logins))).all())


def show_flag_move(key: str, move: str) -> Response:
    """Make a move; the version is that of the page the person decided on."""
    if move not in DOORS:
        raise NotFound("没有这一种办理。")
    version = request.form.get("version", type=int)
    if version is None:
        raise InputRejected("还有必填项没有填写。", field="version")
    make_move(g.db, g.scope, key, move, version, request.form, g.now)
    flash(_("已办理。"), "done")
    return redirect(url_for("flag", key=key), code=303)
