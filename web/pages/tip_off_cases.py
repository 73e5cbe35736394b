"""Tip-offs at the office: the work list, one case, and the moves on it."""

from __future__ import annotations

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from core.accounts import User
from core.errors import InputRejected, NotFound
from reconcile import store
from reconcile.flags import OFFICE_TIME
from reconcile.models import Flag
from reconcile.visibility import sees_flag
from staffing import tipoffs
from staffing.tipoff_life import SENTENCES, TURNS, Outcome, TipOffMove, TipOffStatus, barred
from staffing.tipoff_models import TipOff
from web.i18n import translate
from web.pages.tip_offs import seals

ENDPOINTS = ("tip_offs", "tip_off_case", "tip_off_contact", "tip_off_step")
STEPS = {
    "take": TipOffMove.TAKE, "ask": TipOffMove.ASK, "link": TipOffMove.LINK, "answer": TipOffMove.ANSWER,
    "close": TipOffMove.CLOSE, "hand-back": TipOffMove.HAND_BACK, "reassign": TipOffMove.REASSIGN,
}  # fmt: skip


def today():
    """The office's day."""
    return g.now.astimezone(OFFICE_TIME).date()


def show_tip_offs() -> str:
    """The cases of the person's area: live ones by deadline, or closed ones."""
    closed = request.args.get("list") == "closed"
    cases = tipoffs.seen_cases(g.db, g.scope, closed)
    names = store.unit_names(g.db, {case.unit_code for case in cases} - {None})
    late = sum(is_overdue(case) for case in cases)
    return render_template(
        "tip_offs.html", cases=cases, names=names, closed=closed, today=today(), late=late, overdue=is_overdue,
        due=_due, due_note=_due_note, people=_names({case.handler for case in cases} - {None}),
    )  # fmt: skip


def _due(case: TipOff):
    return case.take_by if case.status == TipOffStatus.RECEIVED else case.answer_by


def _due_note(case: TipOff) -> str | None:
    return case.take_note if case.status == TipOffStatus.RECEIVED else case.answer_note


def is_overdue(case: TipOff) -> bool:
    """Past the deadline of what comes next."""
    waits = (TipOffStatus.RECEIVED, TipOffStatus.TAKEN, TipOffStatus.ASKED)
    return case.status in waits and _due(case) < today()


def _names(logins: set[str]) -> dict[str, str]:
    return dict(g.db.execute(select(User.login, User.display_name).where(User.login.in_(logins))).all())


def show_tip_off_case(receipt: str) -> str:
    """One case; its words only to its handler."""
    return _page(tipoffs.seen_case(g.db, receipt, g.scope))


def _page(case: TipOff, contact: str | None = None) -> str:
    status, roles = TipOffStatus(case.status), tipoffs.roles_on(case, g.scope)
    moves = []
    for name, move in STEPS.items():
        why = barred(move, status, case.handler, g.scope.login, roles)
        if why != "WRONG_ROLE":
            moves.append(
                {
                    "name": name,
                    "row": TURNS[move],
                    "allowed": why is None,
                    "why": translate(SENTENCES.get(why or "", "")),
                }
            )
    flag = g.db.scalar(select(Flag).where(Flag.id == case.flag_ref)) if case.flag_ref is not None else None
    lines = tipoffs.lines_of(g.db, case, seals(), g.scope.login)
    return render_template(
        "tip_off_case.html", case=case, words=tipoffs.words_of(case, seals(), g.scope.login), lines=lines[::-1],
        moves=sorted(moves, key=lambda each: not each["allowed"]), contact=contact, outcomes=list(Outcome),
        unit_name=store.unit_names(g.db, {case.unit_code} - {None}).get(case.unit_code or ""),
        flag=flag if flag is not None and sees_flag(g.db, g.scope, flag) else None, today=today(),
        overdue=is_overdue(case), people=_names({line.actor for line in lines} | {case.handler} - {None}),
    )  # fmt: skip


def _hand(version: int | None = None) -> tipoffs.Hand:
    return tipoffs.Hand(g.scope, g.now, seals(), version)


def show_tip_off_contact(receipt: str) -> str:
    """How to reach the sender: for the handler, with an event in the trail each time."""
    contact = tipoffs.show_contact(g.db, receipt, _hand())
    return _page(tipoffs.seen_case(g.db, receipt, g.scope), contact)


def show_tip_off_step(receipt: str, step: str) -> Response:
    """Make a move on the version that was read."""
    move = STEPS.get(step)
    if move is None:
        raise NotFound("没有这一种办理。")
    hand = _hand(request.form.get("version", type=int))
    if hand.version is None:
        raise InputRejected("还有必填项没有填写。", field="version")
    if move is TipOffMove.LINK:
        unit, key = ((request.form.get(name) or "").strip() for name in ("unit", "flag"))
        if not unit and not key:
            raise InputRejected("请填写单位编码或不符项编号。", field="unit")
        flag = store.flag_of(g.db, key, g.scope) if key else None
        tipoffs.link_case(g.db, receipt, hand, unit or None, flag.id if flag is not None else None)
    else:
        tipoffs.turn_case(g.db, receipt, move, hand, request.form.get("note", ""), request.form.get("outcome"))
    flash(_("已办理。"), "done")
    return redirect(url_for("tip_off_case", receipt=receipt), code=303)
