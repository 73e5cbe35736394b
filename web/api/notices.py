"""Notices for the neighbours' own programs: a receiver's token fetches what is addressed to it, and acknowledges it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from flask import Response, current_app, g
from flask_openapi3 import Tag
from pydantic import BaseModel, Field

from pool.acting import Act
from staffing import deliveries
from staffing.notices import RECEIVERS
from web.api.models import Problem, Strict
from web.api.pool_reads import fields
from web.api.views import _answer, blueprint

NOTICES = Tag(name="notices")
MOST = 5000
Receiver = StrEnum("Receiver", {name: name for name in RECEIVERS})


class FetchBody(Strict):
    """receiver: as whom. due_only: leave out what was handed over and is not due again yet."""

    receiver: Receiver
    due_only: bool = Field(False, strict=True)


class HandedOver(BaseModel):
    """A notice. person: the full number for finance and insurance, a mask for personnel. status: SENT, or WITHDRAWN when
    what was handed over no longer holds. month: the first with pay, or the first without. attempt: how often by now."""

    notice_id: int
    kind: str
    receiver: str
    status: str
    slot_no: str
    unit_code: str
    unit_name: str
    division_code: str
    post_type: str
    fund_form: str
    person: str
    effective: date
    month: str
    sent_on: date
    attempt: int


class HandedOverList(BaseModel):
    """Notices as handed over, the oldest first."""

    items: list[HandedOver]


class AcknowledgeBody(Strict):
    """The receiver has got these; all are taken, or none."""

    receiver: Receiver
    notices: list[int] = Field(min_length=1, max_length=MOST)


class Acknowledged(BaseModel):
    """already: acknowledged before. withdrawn: taken back since, nothing to do."""

    acknowledged: int
    already: int
    withdrawn: int


def _act() -> Act:
    return Act(g.scope, g.now, "notices", portal=current_app.config["SETTINGS"].portal_url)


@blueprint.post(
    "/staffing/notices/fetch", endpoint="notices_fetch", tags=[NOTICES],
    responses={"200": HandedOverList, "409": Problem},
)  # fmt: skip
def fetch(body: FetchBody) -> Response:
    """What waits for a receiver in the token's units. Each fetch is an attempt, and goes into the trail."""
    key = current_app.config["SETTINGS"].person_key
    rows = deliveries.hand_over(
        g.db, _act(), str(body.receiver), deliveries.API, "api", key, due_only=body.due_only
    )  # fmt: skip
    return _answer(HandedOverList(items=[fields(row, HandedOver) for row in rows]))


@blueprint.post(
    "/staffing/notices/acknowledge", endpoint="notices_acknowledge", tags=[NOTICES],
    responses={"200": Acknowledged, "409": Problem},
)  # fmt: skip
def take(body: AcknowledgeBody) -> Response:
    """Acknowledge notices. The same again changes nothing."""
    answers = [deliveries.Answer(number, str(body.receiver)) for number in dict.fromkeys(body.notices)]
    return _answer(Acknowledged(**deliveries.acknowledge_all(g.db, _act(), answers)))
