"""Loans: the calendar of returns, and one loan with its posts, their lives, and what may be done with them."""

from __future__ import annotations

import secrets
from collections import defaultdict
from datetime import date

from flask import Response, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import InputRejected
from core.permissions import Permission
from pool import lists
from pool.acting import Receipt
from pool.approvals import Move
from pool.lists import LoanView
from pool.models import PoolSlot
from pool.service_slots import loan_movements
from pool.store import slots_of_loan
from pool.terms import TermsByPlace
from web.pages.pool import badges_on
from web.pages.pool_requests import whole_number
from web.pool_access import act_now, act_of, acting_for, view_scope
from web.pool_moves import LOAN_STEPS, SLOT_STEPS, slot_refusal, take_step

ENDPOINTS = ("pool_returns", "pool_loan", "pool_loan_step", "pool_slot_step")


def show_pool_returns() -> str:
    """What comes back when: overdue first, then month by month."""
    today = act_of("").today
    months: dict[str, list[PoolSlot]] = defaultdict(list)
    slots = lists.due_slots(g.db, view_scope())
    for slot in slots:
        months["" if slot.due_date < today else f"{slot.due_date:%Y-%m}"].append(slot)
    return render_template(
        "pool_returns.html", months=[(month, _by_loan(held)) for month, held in months.items()], today=today,
        total=len(slots), badge_of=badges_on(today), names=lists.nodes_named(g.db, {s.node_id for s in slots}),
    )  # fmt: skip


def _by_loan(slots: list[PoolSlot]) -> list[tuple[PoolSlot, int]]:
    """One line per loan and due date: its first slot, and how many posts."""
    counts: dict[tuple[date, str], list[PoolSlot]] = defaultdict(list)
    for slot in slots:
        counts[slot.due_date, slot.loan_no].append(slot)
    return [(held[0], len(held)) for held in counts.values()]


def show_pool_loan(loan_no: str) -> str:
    """One loan: lender, borrower, document, term; each post's life; return, swap, renew, recall."""
    act, today = act_now("-"), act_of("").today
    names = lists.nodes_named(g.db, {g.loan.node_id})
    borrower = names[g.loan.node_id]
    soon_days = TermsByPlace(g.db, today).soon_days(g.loan.node_id)
    view = LoanView(g.loan, tuple(slots_of_loan(g.db, loan_no, live=False)), today, soon_days)
    live = view.live
    names |= lists.nodes_named(g.db, {slot.lender_id for slot in view.slots})
    why = {
        "return": _common(act, live, Move.RETURN), "recall": _common(act, live, Move.RECALL),
        "renew": _common(act, live, Move.RENEW),
    }  # fmt: skip
    return render_template(
        "pool_loan.html", view=view, loan=g.loan, borrower=borrower, names=names, today=today, why=why,
        history=lists.slot_events(g.db, loan_no)[::-1], movements=loan_movements(g.db, loan_no),
        sees_people=view_scope().sees(borrower.unit_code, borrower.division_code), badge_of=lists.badge_of,
        slot_why={slot.slot_no: _slot_why(act, slot) for slot in live}, giver=acting_for(),
        client_id=secrets.token_hex(16), slot_steps=SLOT_STEPS,
        proposed=lists.seen_suggestions(g.db, view_scope(), loan_no),
    )  # fmt: skip


def _common(act, slots: tuple[PoolSlot, ...], move: Move) -> str | None:
    """Why the move can be made on none of the posts; None: on one at least."""
    found = [slot_refusal(g.db, act, slot, move) for slot in slots]
    return None if None in found else (found[0] if found else _("这笔借用的编制都已归还。"))


def _slot_why(act, slot: PoolSlot) -> dict[str, str | None]:
    """Per step on one post, why it may not be taken; None: it may."""
    filled = slot.person_key is not None
    why = {
        "fill": slot_refusal(g.db, act, slot, Move.FILL),
        "vacate": slot_refusal(g.db, act, slot, Move.RETURN, Permission.FILL_SLOT),
        "swap": slot_refusal(g.db, act, slot, Move.SWAP),
        "take-back": slot_refusal(g.db, act, slot, Move.TAKE_BACK),
    }
    if not filled:
        why["vacate"] = why["vacate"] or _("这个用编序号没有人，直接归还即可。")
    if filled:
        why["fill"] = why["fill"] or _("这个用编序号已有人，一编一人，不得再次入编。")
        why["take-back"] = why["take-back"] or _("这个用编序号还有人，须先减编或置换。")
    return why


def show_pool_loan_step(loan_no: str, step: str) -> Response:
    """Return, recall or renew, under the key the page carried."""
    values = {
        "slots": request.form.getlist("slots"), "reason": request.form.get("reason", ""),
        "months": whole_number(request.form.get("months")),
    }  # fmt: skip
    if step in ("return", "recall") and not values["slots"]:
        raise InputRejected("请先勾选用编序号。", field="slots")
    return _back(
        loan_no, take_step(LOAN_STEPS, g.db, act_now(request.form.get("client_id", "")), step, loan_no, values)
    )


def show_pool_slot_step(slot_no: str, step: str) -> Response:
    """Fill, vacate, swap or take back one post, under the key the page carried."""
    values = {
        "identity": request.form.get("identity", ""), "day": _day(request.form.get("day", "")),
        "person_key": current_app.config["SETTINGS"].person_key,
    }  # fmt: skip
    receipt = take_step(SLOT_STEPS, g.db, act_now(request.form.get("client_id", "")), step, slot_no, values)
    return _back(g.slot.loan_no, receipt)


def _day(text: str) -> date | None:
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InputRejected("日期须写成 YYYY-MM-DD。", field="day") from None


def _back(loan_no: str, receipt: Receipt) -> Response:
    """To the loan again, told where recalled posts went."""
    flash(_("已办理。"), "done")
    if receipt.get("home"):
        flash(_("收回的编制已退回出借单位：%(count)s 个。", count=len(receipt["home"])), "done")
    if receipt.get("awaiting"):
        flash(
            _(
                "收回的编制因周转池限额暂不能退回，为出借单位保留，每夜再办：%(count)s 个。",
                count=len(receipt["awaiting"]),
            ),
            "done",
        )
    return redirect(url_for("pool_loan", loan_no=loan_no), code=303)
