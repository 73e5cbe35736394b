"""The gate in the API, to change: every deed of `staffing.acts` under an Idempotency-Key, and one that only looks."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, g, jsonify
from flask_openapi3 import Tag
from pydantic import BaseModel

from core.errors import InputRejected, Refused
from pool.acting import Receipt
from pool.acts import Deed
from staffing.acts import DEEDS
from staffing.service_applications import UseWish, foresee_use
from staffing.service_split import Part
from web.api import gate_answers as a
from web.api import gate_models as m
from web.api import models as shared
from web.api.pool_models import Keyed
from web.api.views import _answer, blueprint
from web.gate_steps import do_deed
from web.i18n import translate
from web.pool_access import act_now

GATE = Tag(name="staffing")
# address, endpoint, deed, the model of the address, and the argument it names.
DOORS: tuple[tuple[str, str, str, type[BaseModel] | None, str], ...] = (
    ("/plans", "plan_new", "plan", None, ""),
    ("/plans/<plan_no>/review", "plan_review", "plan-review", m.PlanPath, "number"),
    ("/plans/<plan_no>/pass", "plan_pass", "plan-pass", m.PlanPath, "number"),
    ("/plans/<plan_no>/refuse", "plan_refuse", "plan-refuse", m.PlanPath, "number"),
    ("/plans/<plan_no>/withdraw", "plan_withdraw", "plan-withdraw", m.PlanPath, "number"),
    ("/consultations", "talk_new", "consult", None, ""),
    ("/consultations/<talk_no>/opinion", "opinion", "opinion", m.TalkPath, "number"),
    ("/applications", "use_new", "apply", None, ""),
    ("/applications/<use_no>/submit", "use_submit", "submit", m.UsePath, "number"),
    ("/applications/<use_no>/confirm-cost", "use_cost", "confirm-cost", m.UsePath, "number"),
    ("/applications/<use_no>/review", "use_review", "review", m.UsePath, "number"),
    ("/applications/<use_no>/grant", "use_grant", "grant", m.UsePath, "number"),
    ("/applications/<use_no>/refuse", "use_refuse", "refuse", m.UsePath, "number"),
    ("/applications/<use_no>/withdraw", "use_withdraw", "withdraw", m.UsePath, "number"),
    ("/applications/<use_no>/revoke", "use_revoke", "revoke", m.UsePath, "number"),
    ("/entries", "enter", "enter", None, ""),
    ("/people", "record", "record", None, ""),
    ("/exits", "exit_person", "exit-person", None, ""),
    ("/slots/<post_no>/papers", "papers", "papers", m.PostPath, "slot_no"),
    ("/slots/<post_no>/pay", "pay", "pay", m.PostPath, "slot_no"),
    ("/slots/<post_no>/announce", "announce", "announce", m.PostPath, "slot_no"),
    ("/slots/<post_no>/recant", "recant", "recant", m.PostPath, "slot_no"),
    ("/slots/<post_no>/exit", "exit", "exit", m.PostPath, "slot_no"),
    ("/slots/<post_no>/undo-exit", "undo_exit", "undo-exit", m.PostPath, "slot_no"),
    ("/slots/<post_no>/cancel", "cancel", "cancel", m.PostPath, "slot_no"),
    ("/carries", "carry", "carry", None, ""),
    ("/splits", "split", "split", None, ""),
    ("/waivers", "waiver", "waiver", None, ""),
    ("/notices/<int:notice_id>/acknowledge", "acknowledge", "acknowledge", m.StaffNoticePath, "notice_id"),
    ("/blocks/<int:block_id>/release", "release", "release", m.BlockPath, "block_id"),
)


def receipt_of(receipt: Receipt) -> Response:
    """The stored answer as it is, so that a replay is the same to the byte."""
    return jsonify({name: receipt[name] for name in a.GateReceipt.model_fields if receipt.get(name) is not None})


def values_of(deed: Deed, body: BaseModel) -> dict[str, Any]:
    """A body as the deed's call wants it: texts read as the commands read them, cells as triples."""
    values = {}
    for argument in deed.arguments:
        given = getattr(body, argument.name, None)
        if given is None:
            continue
        if argument.name in ("lines", "passed"):
            values[argument.name] = [(str(line.post_type), str(line.fund_form), line.posts) for line in given]
        elif argument.name == "parts":
            values[argument.name] = [
                Part(part.unit_code, tuple(part.slot_nos),
                     tuple((str(line.post_type), str(line.fund_form), line.posts) for line in part.vacant))
                for part in given
            ]  # fmt: skip
        elif argument.name == "posts":
            values[argument.name] = given
        elif argument.many:
            values[argument.name] = [argument.read(each) for each in given]
        else:
            values[argument.name] = argument.read(str(given)) if isinstance(given, str) else given
    return values


@contextmanager
def beyond_the_document() -> Iterator[None]:
    """What the document cannot say (a number that is no person's, two values that do not go together) is a refusal, 409:
    422 means that the body is not what the document says."""
    try:
        yield
    except InputRejected as error:
        raise Refused(error.message, answer="INPUT", **error.details) from None


def _add(path: str, endpoint: str, name: str, address: type[BaseModel] | None, key: str) -> None:
    deed = DEEDS[name]

    def view(**given: BaseModel) -> Response:
        with beyond_the_document():
            values = values_of(deed, given["body"])
            if address is not None:
                (values[key],) = given["path"].model_dump().values()
            return receipt_of(do_deed(act_now(given["header"].idempotency_key), name, values))

    view.__name__, view.__doc__ = f"gate_{endpoint}", deed.help
    view.__annotations__ = {"header": Keyed, "body": m.body_of(deed, key)} | ({"path": address} if address else {})
    answers = {"200": a.GateReceipt, "409": shared.Problem}
    blueprint.post(f"/staffing{path}", endpoint=f"staffing_{endpoint}", tags=[GATE], responses=answers)(view)


for _door in DOORS:
    _add(*_door)

CheckBody = m.body_of(DEEDS["apply"], "draft")


def check_use(**given: BaseModel) -> Response:
    """What an application would be told now, check by check. Nothing is written, so no key is needed."""
    with beyond_the_document():
        values = values_of(DEEDS["apply"], given["body"])
        found = foresee_use(g.db, act_now(secrets.token_hex(16)), UseWish(**values))
    return _answer(a.UseCheckOut(
        passes=found.passes, figures=found.figures, yearly_cost=found.yearly_cost,
        checks=[
            a.CheckLineOut(
                check=name, allowed=each.allowed, answer=each.answer.value, sentence=translate(each.sentence),
                remedy=each.remedy.value if each.remedy else None, need=each.need,
            )
            for name, each in found.checks
        ],
    ))  # fmt: skip


check_use.__annotations__ = {"body": CheckBody}
blueprint.post(
    "/staffing/applications/check", endpoint="staffing_use_check", tags=[GATE],
    responses={"200": a.UseCheckOut, "409": shared.Problem},
)(check_use)  # fmt: skip
