"""Tip-offs in the API, the officer's side: the work list, one case, the moves on it. Who sends one uses the open form, which
counts tries and checks where it was filled in; a program has no business there."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from flask import Response, g
from flask_openapi3 import Tag
from pydantic import BaseModel, Field

from core.errors import Refused
from reconcile import store
from staffing import tipoffs
from staffing.tipoff_life import Outcome, TipOffKind, TipOffMove, TipOffStatus
from staffing.tipoff_models import TipOff
from web.api.gate_moves import beyond_the_document
from web.api.models import Problem, Strict
from web.api.pool_models import WHOLE
from web.api.pool_reads import fields
from web.api.views import _answer, blueprint
from web.pages.tip_off_cases import STEPS, is_overdue
from web.pages.tip_offs import seals

TIPS = Tag(name="tip-offs")
TipStep = StrEnum("TipStep", {name: name for name in STEPS})
Receipt = Annotated[str, Field(min_length=1, max_length=24)]


class TipQuery(Strict):
    """closed: those that are done with, in the place of the live ones."""

    closed: bool = False


class TipPath(BaseModel):
    """One case."""

    receipt: Receipt


class TipStepPath(TipPath):
    """A move on a case."""

    step: TipStep


class TipStepBody(Strict):
    """version: of the case that was read. note: where the move needs words. outcome: to close. unit, flag: to link."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True), WHOLE]
    note: str = Field("", max_length=2000)
    outcome: Outcome | None = None
    unit: str | None = Field(None, min_length=1, max_length=64)
    flag: str | None = Field(None, min_length=1, max_length=64)


class TipRow(BaseModel):
    """A case: no word of what was sent in. Notes: how a day was counted where the holidays of a year on the way were not
    published."""

    number: str
    kind: TipOffKind
    status: TipOffStatus
    unit_code: str | None
    division_code: str
    received_on: date
    take_by: date
    take_note: str | None
    answer_by: date
    answer_note: str | None
    overdue: bool
    handler: str | None
    outcome: Outcome | None
    version: int


class TipList(BaseModel):
    """The most urgent first."""

    items: list[TipRow]


class TipLine(BaseModel):
    """A step. note null: none, or not for this reader."""

    move: TipOffMove
    at: datetime
    actor: str
    to_status: TipOffStatus
    note: str | None


class TipOut(TipRow):
    """One case. words null: only its handler reads what was sent in."""

    words: str | None
    lines: list[TipLine]


class ContactOut(BaseModel):
    """How to reach the sender."""

    contact: str


ANSWERS = {"200": TipOut, "409": Problem}


def _row(case: TipOff) -> dict[str, object]:
    names = [name for name in TipRow.model_fields if name != "overdue"]
    return {name: getattr(case, name) for name in names} | {"overdue": is_overdue(case)}


def _case(case: TipOff) -> Response:
    login = g.scope.login
    lines = [fields(line, TipLine) for line in tipoffs.lines_of(g.db, case, seals(), login)]
    return _answer(TipOut(**_row(case), words=tipoffs.words_of(case, seals(), login), lines=lines))


@blueprint.get("/tip-offs", endpoint="tip_offs", tags=[TIPS], responses={"200": TipList})
def list_cases(query: TipQuery) -> Response:
    """The cases of the token's area."""
    return _answer(TipList(items=[TipRow(**_row(case)) for case in tipoffs.seen_cases(g.db, g.scope, query.closed)]))


@blueprint.get("/tip-offs/<receipt>", endpoint="tip_off", tags=[TIPS], responses={"200": TipOut})
def read_case(path: TipPath) -> Response:
    """One case; its words to its handler alone."""
    return _case(tipoffs.seen_case(g.db, path.receipt, g.scope))


@blueprint.post("/tip-offs/<receipt>/<step>", endpoint="tip_off_step", tags=[TIPS], responses=ANSWERS)
def step_case(path: TipStepPath, body: TipStepBody) -> Response:
    """Take, ask, link, answer, close, hand back, reassign. Repeated on the version that was read it is refused."""
    move, hand = STEPS[str(path.step)], tipoffs.Hand(g.scope, g.now, seals(), body.version)
    if move is not TipOffMove.LINK:
        with beyond_the_document():
            return _case(tipoffs.turn_case(g.db, path.receipt, move, hand, body.note, body.outcome))
    if body.unit is None and body.flag is None:
        raise Refused("请填写单位编码或不符项编号。", answer="INPUT", field="unit")
    flag = store.flag_of(g.db, body.flag, g.scope) if body.flag else None
    return _case(tipoffs.link_case(g.db, path.receipt, hand, body.unit, flag.id if flag is not None else None))


@blueprint.post(
    "/tip-offs/<receipt>/contact", endpoint="tip_off_contact", tags=[TIPS],
    responses={"200": ContactOut, "409": Problem},
)  # fmt: skip
def read_contact(path: TipPath) -> Response:
    """How to reach the sender, for the handler; one audit event each time."""
    hand = tipoffs.Hand(g.scope, g.now, seals())
    return _answer(ContactOut(contact=tipoffs.show_contact(g.db, path.receipt, hand)))
