"""The own record: the public look-up with its proof, and the page where a code for it is issued."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, current_app, g, make_response, render_template, request, url_for
from sqlalchemy import select

from core.audit import record
from core.db import reading, writing
from core.errors import InputRejected, NotFound, Refused, Unavailable
from core.permissions import is_current
from core.tries import count_try, mark_of
from core.units import UnitVersion
from night.own_record import ID_TYPES, REFUSED, Claim, OwnRecord, issue_code, look_up
from web.errors import SENTENCES
from web.i18n import translate
from web.open_forms import address, check_open_form, count_tries, visitor

ENDPOINTS = ("own_record", "lookup_codes")
ADDRESS_LOOKS, ADDRESS_WINDOW = 10, timedelta(minutes=15)
PERSON_LOOKS, PERSON_WINDOW = 5, timedelta(hours=1)
ISSUES, ISSUE_WINDOW = 60, timedelta(hours=1)


def _claim() -> Claim:
    return Claim(*(request.form.get(name, "") for name in ("id_type", "number", "name")))


def show_own_record() -> Response:
    """The form, and after the proof the record, once. Everything that does not fit has one answer."""
    visitor()
    if request.method == "GET":
        return _form(None, 200)
    check_open_form()
    settings, engine = current_app.config["SETTINGS"], current_app.extensions["bianzhi_engine"]
    count_tries("own record", address(), ADDRESS_LOOKS, ADDRESS_WINDOW)
    try:
        claim = _claim().checked()
        # Counted for whomever it is meant, known or not: a stranger cannot tell which.
        count_tries("own record of", claim.person(settings.person_key), PERSON_LOOKS, PERSON_WINDOW)
        with writing(engine) as session:
            found = look_up(session, settings, claim, request.form.get("code", ""), g.now)
    except (InputRejected, Refused, Unavailable) as error:
        if error.message == REFUSED:
            with writing(engine) as session:
                record(session, actor="-", action="own_record_refused", subject="-", now=g.now)
        return _form(translate(error.message), error.http_status)
    with reading(engine) as session:
        names = _unit_names(session, found)
    return make_response(render_template("own_record.html", found=found, names=names))


def _form(problem: str | None, status: int) -> Response:
    # Nothing typed is put back into the page: it would stay in the browser.
    return make_response(render_template("own_record_form.html", problem=problem, id_types=ID_TYPES), status)


def _unit_names(session, found: OwnRecord) -> dict[str, str]:
    rows = [*found.rows, *(row for _, held in found.history for row in held)]
    codes = {str(row[name]) for row in rows for name in ("unit_code", "seconded_to") if row[name]}
    query = select(UnitVersion.unit_code, UnitVersion.unit_name)
    return dict(session.execute(query.where(is_current(), UnitVersion.unit_code.in_(sorted(codes)))).all())


def show_lookup_codes() -> Response:
    """Issue a code for a person of one's own units, and print the slip."""
    slip, problem, status = None, None, 200
    if request.method == "POST":
        settings = current_app.config["SETTINGS"]
        mark = mark_of(settings.secret_key, "lookup codes", g.user.login)
        try:
            if not count_try(g.db, mark, ISSUES, ISSUE_WINDOW, g.now):
                raise Refused(SENTENCES[429])
            slip = issue_code(g.db, settings, _claim(), g.scope, g.now)
        except (InputRejected, NotFound, Refused, Unavailable) as error:
            # Shown, not raised: the transaction is kept, and with it the try.
            problem, status = translate(error.message), error.http_status
    names = {}
    if slip is not None:
        query = select(UnitVersion.unit_code, UnitVersion.unit_name).where(UnitVersion.unit_code == slip.unit_code)
        names = dict(g.db.execute(query.where(is_current())).all())
    # As it is typed from paper: without the scheme.
    shown = current_app.config["SETTINGS"].portal_url.partition("://")[2] + url_for("own_record")
    page = render_template(
        "lookup_codes.html", slip=slip, problem=problem, id_types=ID_TYPES, names=names, address=shown
    )
    return make_response(page, status)
