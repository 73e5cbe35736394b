"""What the newest night saw otherwise than our gate: the work list of entries and exits to register, for programs."""

from __future__ import annotations

from datetime import date

from flask import Response, current_app, g
from flask_openapi3 import Tag
from pydantic import BaseModel, Field

from night.own_difference import DifferenceKind
from night.own_lists import gate_differences
from web.api.models import Strict
from web.api.views import _answer, blueprint

STAFFING = Tag(name="staffing")


class DifferenceQuery(Strict):
    """kind: of these alone. unit: of this unit alone. as_of: a night; the newest when none is named."""

    kind: DifferenceKind | None = None
    unit: str | None = Field(None, max_length=64)
    as_of: date | None = None


class DifferenceOut(BaseModel):
    """delivered, ours: the two readings. day: the entry or exit. file, row: where the
    delivered row stands. since: the first of the nights without a gap that saw it. to_do: what makes the two agree."""

    kind: DifferenceKind
    label: str
    unit_code: str
    post_type: str | None
    fund_form: str | None
    person_mask: str | None
    day: date | None
    delivered: str | None
    ours: str | None
    file: str | None
    row: int | None
    since: date
    to_do: str


class DifferenceList(BaseModel):
    """Differences in the order of the work list."""

    items: list[DifferenceOut]


@blueprint.get("/staffing/differences", endpoint="gate_differences", tags=[STAFFING], responses={"200": DifferenceList})
def list_differences(query: DifferenceQuery) -> Response:
    """What books and gate say otherwise of switched units, of those the token sees."""
    kinds = (query.kind,) if query.kind else ()
    rows = gate_differences(
        g.db, current_app.config["SETTINGS"], g.scope, as_of=query.as_of, kinds=kinds, unit_code=query.unit
    )
    return _answer(DifferenceList(items=[DifferenceOut(**row) for row in rows]))
