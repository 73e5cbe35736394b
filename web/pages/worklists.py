"""Work lists of flags: notices to put things right, and referrals to other offices; overdue first, printable papers."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from core.accounts import User
from core.errors import InputRejected, NotFound
from reconcile import store, worklists
from reconcile.catalog import RULES
from reconcile.models import Flag
from reconcile.worklist_life import NOTICE_STEPS, REFERRAL_STEPS, SENTENCES, Office, Step, StepRow
from reconcile.worklists import NoticeItem, Paper, ReferralItem
from web.i18n import translate
from web.pages.flags import TEXT_LIMIT
from web.pages.reports import day_of
from web.pages.tip_off_cases import today

ENDPOINTS = (
    "rectifications", "rectification", "rectification_step", "rectification_notice",
    "referrals", "referral", "referral_step", "referral_letter",
)  # fmt: skip
LISTS = ("live", "overdue", "ended")


def _asked() -> tuple[str, str | None]:
    which = request.args.get("list", "live")
    return which if which in LISTS else "live", (request.args.get("unit") or "").strip()[:TEXT_LIMIT] or None


def sorted_out(items: list) -> dict[str, list]:
    """live, overdue and ended items, each in the order they came in."""
    live = [item for item in items if item.live]
    return {
        "live": sorted(live, key=lambda item: not item.overdue(today())),
        "overdue": [item for item in live if item.overdue(today())],
        "ended": [item for item in items if not item.live],
    }


def show_rectifications() -> str:
    """Flags being put right, overdue first."""
    which, unit = _asked()
    lists = sorted_out(worklists.notices_seen(g.db, g.scope, unit))
    names = store.unit_names(g.db, {item.flag.unit_code for item in lists[which]} - {None})
    return render_template(
        "rectifications.html", items=lists[which], counts={name: len(rows) for name, rows in lists.items()}, which=which,
        unit=unit, names=names, today=today(),
    )  # fmt: skip


def show_rectification(key: str) -> str:
    """One flag's notice and what may be done with it."""
    item = NoticeItem(g.flag, worklists.notice_of(g.db, g.flag))
    return render_template(
        "rectification.html", item=item, today=today(), moves=_moves(NOTICE_STEPS, worklists.notice_answers(item, g.scope)),
        **_facts(g.flag), people=_names(item.notice, ("issued_by", "reported_by", "rechecked_by")),
    )  # fmt: skip


def show_rectification_notice(key: str) -> str:
    """The notice as a paper to print. Errors: NotFound when none was issued."""
    notice = worklists.notice_of(g.db, g.flag)
    if notice is None:
        raise NotFound("这条不符项还没有整改通知。")
    return render_template("rectification_notice.html", notice=notice, **_facts(g.flag))


def show_rectification_step(key: str, step: str) -> Response:
    """Make a step on the version that was read."""
    worklists.step_notice(g.db, g.flag, step_named(step), version_read(), paper_of(), g.scope, g.now)
    flash(_("已办理。"), "done")
    return redirect(url_for("rectification", key=key), code=303)


def show_referrals() -> str:
    """Referrals to the offices this person stands for, overdue first."""
    which, unit = _asked()
    lists = sorted_out(worklists.referrals_seen(g.db, g.scope, unit))
    names = store.unit_names(g.db, {item.flag.unit_code for item in lists[which]} - {None})
    return render_template(
        "referrals.html", items=lists[which], counts={name: len(rows) for name, rows in lists.items()}, which=which,
        unit=unit, names=names, today=today(),
    )  # fmt: skip


def show_referral(letter: str) -> str:
    """One referral and what may be done with it."""
    item = worklists.referral_seen(g.db, letter, g.scope)
    return render_template(
        "referral.html", item=item, today=today(), **_facts(item.flag), own=item.referral.office != Office.OTHER,
        moves=_moves(REFERRAL_STEPS, worklists.referral_answers(item, g.scope)),
        people=_names(item.referral, ("sent_by", "received_by", "answered_by")),
    )  # fmt: skip


def show_referral_letter(letter: str) -> str:
    """The referral as a paper to print."""
    item: ReferralItem = worklists.referral_seen(g.db, letter, g.scope)
    return render_template("referral_letter.html", referral=item.referral, **_facts(item.flag))


def show_referral_step(letter: str, step: str) -> Response:
    """Make a step on the version that was read."""
    worklists.step_referral(g.db, letter, step_named(step), version_read(), paper_of(), g.scope, g.now)
    flash(_("已办理。"), "done")
    return redirect(url_for("referral", letter=letter), code=303)


def step_named(name: str) -> Step:
    """A step by its word in addresses. Errors: NotFound."""
    if name.upper() not in set(Step):
        raise NotFound("没有这一种办理。")
    return Step(name.upper())


def version_read() -> int:
    """The version of the page the person decided on. Errors: InputRejected."""
    version = request.form.get("version", type=int)
    if version is None:
        raise InputRejected("还有必填项没有填写。", field="version")
    return version


def paper_of() -> Paper:
    """What the form hands in."""
    return Paper(request.form.get("note", ""), day_of("deadline"))


def _facts(flag: Flag) -> dict[str, object]:
    """What papers and pages say of a flag: masked, as everywhere."""
    countable = RULES[flag.rule].countable
    return {
        "flag": flag,
        "rule": RULES[flag.rule],
        "unit_name": store.unit_names(g.db, {flag.unit_code} - {None}).get(flag.unit_code or ""),
        "expected": store.as_number(flag.expected, countable[0]),
        "found": store.as_number(flag.found, countable[1]),
    }


def _moves(rows: Mapping[Step, StepRow], answers: Mapping[Step, str | None]) -> list[dict[str, object]]:
    """Every step this person's role may ever make, with why not now; possible ones first."""
    moves = [
        {
            "row": rows[step],
            "name": step.value.lower(),
            "allowed": why is None,
            "why": translate(SENTENCES.get(why or "", "")),
        }
        for step, why in answers.items()
        if why != "WRONG_ROLE"
    ]
    return sorted(moves, key=lambda each: not each["allowed"])


def _names(held: object, columns: tuple[str, ...]) -> dict[str, str]:
    logins = {getattr(held, column) for column in columns} - {None} if held is not None else set()
    return dict(g.db.execute(select(User.login, User.display_name).where(User.login.in_(logins))).all())
