"""分设: first the unit and where its posts go, then each person and the vacant posts to a unit, then one act."""

from __future__ import annotations

import secrets

from flask import Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.errors import Forbidden, InputRejected
from pool.store import cell_figures
from staffing import lists
from staffing.acts import DEEDS, permission_of
from staffing.chain import IN_POST, Subject
from staffing.service_split import Part
from web.errors import SENTENCES
from web.gate_steps import begins, do_deed, read_form, units_for
from web.pages.pool_requests import whole_number
from web.pool_access import act_now, act_of, acting_for, view_scope

ENDPOINTS = ("staffing_split",)
MOST_TAKERS = 4
SHAPE = "请写明分设到哪些单位，每个单位、每个用编序号一次。"


def show_staffing_split() -> Response | str:
    """The two steps of the form; sent, the whole split under the key the page carried."""
    if not begins(act_now("-"), "split"):
        raise Forbidden(SENTENCES[403])
    if request.method == "POST":
        return _split()
    units, today = units_for(permission_of("split")), act_of("").today
    asked, takers = request.args.get("unit", "").strip(), _takers(request.args)
    chosen = next((node for node in units if node.unit_code == asked), None)
    slots = lists.staff_page(g.db, view_scope(), Subject.SLOT, list(IN_POST), asked)[0] if chosen and takers else []
    cells = sorted(cell_figures(g.db, [chosen.id], today).items()) if chosen and takers else []
    return render_template(
        "staffing_split.html", units=units, chosen=chosen, takers=takers, slots=slots, cells=cells, giver=acting_for(),
        client_id=secrets.token_hex(16), most=MOST_TAKERS, today=today,
    )  # fmt: skip


def _takers(given) -> list[str]:
    """Codes of the units that get something, each once."""
    codes = [code.strip() for code in given.getlist("into")]
    return list(dict.fromkeys(code for code in codes if code))[:MOST_TAKERS]


def _split() -> Response:
    values = read_form(DEEDS["split"], request.form, {"parts": _parts()})
    receipt = do_deed(act_now(request.form.get("client_id", "")), "split", values)
    flash(_("已分设：%(units)s。", units="、".join(receipt["units"])), "done")
    return redirect(url_for("staffing_unit", code=receipt["units"][0]), code=303)


def _parts() -> list[Part]:
    """What each unit gets: `slot-<number>` names a unit, `vacant-<place>-<type>-<form>` a number of posts."""
    takers = _takers(request.form)
    slots: dict[str, list[str]] = {code: [] for code in takers}
    vacant: dict[str, list[tuple[str, str, int]]] = {code: [] for code in takers}
    for name, text in request.form.items():
        kind, _sep, rest = name.partition("-")
        if kind == "slot" and text:
            if text not in slots:
                raise InputRejected(SHAPE, field="parts")
            slots[text].append(rest)
        elif kind == "vacant" and text.strip() not in ("", "0"):
            place, post_type, fund_form = rest.split("-", 2)
            if not (place.isdecimal() and int(place) < len(takers)):
                raise InputRejected(SHAPE, field="parts")
            vacant[takers[int(place)]].append((post_type, fund_form, whole_number(text)))
    return [Part(code, tuple(slots[code]), tuple(vacant[code])) for code in takers]
