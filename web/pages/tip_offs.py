"""Tip-offs from anybody: the form, the receipt shown once, and the status for who holds number and secret."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, current_app, g, make_response, render_template, request
from sqlalchemy import select

from core.db import reading, writing
from core.errors import BianzhiError, InputRejected, Refused
from core.permissions import is_current
from core.units import UnitVersion, division_level
from staffing.tipoff_life import TipOffKind
from staffing.tipoffs import Report, Seals, case_of_sender, lines_of, reply, send_tip_off, words_of
from web.i18n import translate
from web.open_forms import address, check_open_form, count_tries, visitor
from web.public_cache import public_cache

ENDPOINTS = ("tip_off", "tip_off_status")
SENDS, SEND_WINDOW = 5, timedelta(hours=1)
LOOKS, LOOK_WINDOW = 30, timedelta(minutes=15)
TYPED = ("kind", "division", "unit", "text", "contact")


def seals() -> Seals:
    """What seals tip-offs here."""
    return Seals.of(current_app.config["SETTINGS"].secret_key)


def _engine():
    return current_app.extensions["bianzhi_engine"]


def show_tip_off() -> Response:
    """The form; posted, the receipt. What was typed stays in the form when something is wrong with it."""
    visitor()
    if request.method == "GET":
        return _form(_named(request.args.get("unit", "")[:64]))
    check_open_form()
    typed = {name: request.form.get(name, "") for name in TYPED}
    count_tries("tip-off", address(), SENDS, SEND_WINDOW)
    try:
        with writing(_engine()) as session:
            report = _report(session, typed)
            portal = current_app.config["SETTINGS"].portal_url
            case, secret = send_tip_off(session, report, seals(), g.now, portal)
            names = ("number", "take_by", "take_note", "answer_by", "answer_note")
            shown = {name: getattr(case, name) for name in names}
    except InputRejected as error:
        return _form(typed, translate(error.message), error.http_status)
    return make_response(render_template("tip_off_receipt.html", secret=secret, **shown))


def _report(session, typed: dict[str, str]) -> Report:
    """What was typed, checked; a unit of the register named by code or by name, an unknown one goes into the text."""
    if typed["kind"] not in set(TipOffKind):
        raise InputRejected("请选择举报的问题。", field="kind")
    named = typed["unit"].strip()[:200]
    found = list(
        session.scalars(
            select(UnitVersion).where(
                is_current(), (UnitVersion.unit_code == named) | (UnitVersion.unit_name == named)
            )
        )
    ) if named else []  # fmt: skip
    unit = found[0] if len(found) == 1 else None
    if unit is None and typed["division"] not in _divisions(session):
        raise InputRejected("请选择所在区划。", field="division")
    text = typed["text"].strip()
    if named and unit is None and text:
        text = f"（{named}）{text}"
    division = unit.division_code if unit is not None else typed["division"]
    return Report(TipOffKind(typed["kind"]), division, unit.unit_code if unit else None, text, typed["contact"])


def _divisions(session) -> list[str]:
    return sorted(session.scalars(select(UnitVersion.division_code).where(is_current()).distinct()))


def _named(unit_code: str) -> dict[str, str]:
    """The form begun with a published unit: its name, where it is the only one of that name, and its division."""
    with reading(_engine()) as session:
        held = public_cache().picture(session)
    unit = held.unit(unit_code)
    if unit is None:
        return {"unit": "", "division": ""}
    alone = sum(each.unit_name == unit.unit_name for each in held.units) == 1
    return {"unit": unit.unit_name if alone else unit.unit_code, "division": unit.division_code}


def _form(typed: dict[str, str], problem: str | None = None, status: int = 200) -> Response:
    with reading(_engine()) as session:
        divisions = [(code, division_level(code)) for code in _divisions(session)]
    page = render_template("tip_off.html", typed=typed, problem=problem, kinds=list(TipOffKind), divisions=divisions)
    return make_response(page, status)


def show_tip_off_status() -> Response:
    """Number and secret, then where the case stands, what was answered, and room to add something."""
    visitor()
    if request.method == "GET":
        return make_response(render_template("tip_off_status.html", case=None, problem=None))
    check_open_form()
    number, secret = request.form.get("number", "")[:24], request.form.get("secret", "")[:64]
    count_tries("tip-off status", address(), LOOKS, LOOK_WINDOW)
    added, problem, status = request.form.get("added"), None, 200
    try:
        if added is not None:
            with writing(_engine()) as session:
                reply(session, case_of_sender(session, number, secret), added, seals(), g.now)
    except (InputRejected, Refused) as error:
        problem, status = translate(error.message), error.http_status
    return _standing(number, secret, problem, status)


def _standing(number: str, secret: str, problem: str | None, status: int) -> Response:
    try:
        with reading(_engine()) as session:
            case = case_of_sender(session, number, secret)
            shown = {"words": words_of(case, seals(), None), "lines": lines_of(session, case, seals(), None)}
    except BianzhiError as error:
        if error.http_status >= 500:
            raise
        page = render_template("tip_off_status.html", case=None, problem=translate(error.message))
        return make_response(page, error.http_status)
    return make_response(
        render_template("tip_off_status.html", case=case, secret=secret, problem=problem, **shown), status
    )
