"""What the API takes and gives, as its document says it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from core.types import Severity
from reconcile.catalog import RULES
from reconcile.models import FlagStatus, NightState
from reconcile.store import SORTS, UNTRACKED
from web.moves import DOORS

RuleCode = StrEnum("RuleCode", {code: code for code in RULES})
MoveName = StrEnum("MoveName", {name.upper(): name for name in DOORS})
Sort = StrEnum("Sort", {f"{name}{'_desc' * bool(sign)}": sign + name for name in SORTS for sign in ("", "-")})
Status = StrEnum("Status", {status.value: status.value for status in FlagStatus} | {UNTRACKED: UNTRACKED})
PAGE_MAX = 500


class Strict(BaseModel):
    """Unknown names are an error, so that a misspelt filter does not answer with everything."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """The one shape of every error."""

    code: str
    message: str
    details: dict[str, Any]
    request_id: str


class FlagPath(BaseModel):
    """One flag."""

    key: str = Field(pattern=r"^[A-Z][0-9]{2}-[0-9a-f]{20}$")


class MovePath(FlagPath):
    """A move on one flag."""

    move: MoveName


class NightPath(BaseModel):
    """One night, by its date."""

    as_of: date


class UnitPath(BaseModel):
    """One unit."""

    code: str = Field(min_length=1, max_length=64)


class FlagQuery(Strict):
    """Which flags of a night; without `as_of` the newest settled one."""

    as_of: date | None = None
    rule: RuleCode | None = None
    severity: Severity | None = None
    status: Status | None = None
    unit: str | None = Field(None, min_length=1, max_length=64)
    division: str | None = Field(None, min_length=1, max_length=9)
    q: str | None = Field(None, min_length=1, max_length=64)
    sort: Sort = Sort("severity")
    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(100, ge=1, le=PAGE_MAX)


class NightQuery(Strict):
    """Which page of nights."""

    page: int = Field(1, ge=1, le=1_000_000)
    page_size: int = Field(50, ge=1, le=PAGE_MAX)


class TrendQuery(Strict):
    """Which nights: the newest sixty; with `since` all from that day on, at most the newest four hundred."""

    since: date | None = None
    until: date | None = None


class MoveBody(Strict):
    """What a move needs; `version` is the flag's as you read it. Which others are needed depends on the move."""

    version: int = Field(ge=1, le=2_000_000_000)
    reason: str | None = Field(None, max_length=3000)
    evidence: str | None = Field(None, max_length=400)
    until: date | None = None
    deadline: date | None = None
    to: str | None = Field(None, max_length=400)
    note: str | None = Field(None, max_length=3000)


class IdentityBody(Strict):
    """Why the full number is needed; it is kept in the trail."""

    reason: str = Field(min_length=4, max_length=400)


class IdentityOut(BaseModel):
    """The full identity numbers behind a flag; two for D03."""

    numbers: list[str]


class FlagOut(BaseModel):
    """A flag. `expected` and `found` are numbers where the rule counts; `person` is a masked id."""

    key: str
    rule: str
    severity: Severity
    status: Status
    unit_code: str | None
    unit_name: str | None
    division_code: str | None
    post_type: str | None
    fund_form: str | None
    person: str | None
    expected: int | str | None
    found: int | str | None
    cause: str | None
    explained_by: str | None
    first_seen: date | None
    last_seen: date | None
    grain: dict[str, Any]
    evidence: str | None
    version: int | None


class FlagList(BaseModel):
    """One page of flags."""

    as_of: date | None
    total: int
    page: int
    page_size: int
    items: list[FlagOut]


class EventOut(BaseModel):
    """One step in a flag's life."""

    at: datetime
    as_of: date | None
    actor: str
    move: str
    from_status: str | None
    to_status: str
    note: str | None


class MoveOut(BaseModel):
    """A move, whether the token's person may make it now, and the sentence that says why."""

    move: MoveName
    allowed: bool
    sentence: str


class ExplainingOut(BaseModel):
    """A flag that names part of another's difference. `number` stays the same over nights and rotations of the key."""

    number: int
    key: str
    rule: str
    status: Status
    unit_code: str | None
    person: str | None


class FlagDetail(BaseModel):
    """A flag with its life and the moves on it. `explaining`: the flags that `flag.explained_by` names and you see, then how
    many more there are, and what it says beside them."""

    number: int
    flag: FlagOut
    explaining: list[ExplainingOut]
    explaining_hidden: int
    explaining_sentences: list[str]
    explanation: str | None
    explanation_evidence: str | None
    explanation_until: date | None
    explained_by_login: str | None
    confirmed_by_login: str | None
    history: list[EventOut]
    moves: list[MoveOut]


class NightOut(BaseModel):
    """One run of a night. `red_reasons` null: not concluded; empty: green. `new_flag_count`: of the whole night, null for
    who does not see all of it."""

    as_of: date
    run_no: int
    state: NightState
    backfill: bool
    superseded: bool
    opened_at: datetime
    settled_at: datetime | None
    concluded_at: datetime | None
    new_flag_count: int | None
    red_reasons: list[str] | None


class NightList(BaseModel):
    """One page of runs, newest first."""

    total: int
    page: int
    page_size: int
    items: list[NightOut]


class VerdictOut(BaseModel):
    """What the gate said of a book: rows_in = accepted + duplicates + quarantined."""

    division_code: str
    book: str
    verdict: str
    expected: bool
    rows_in: int
    accepted: int
    duplicates: int
    quarantined: int


class NotEvaluableOut(BaseModel):
    """A rule that could not judge, for lack of a book."""

    rule: str
    division_code: str
    unit_code: str
    book: str


class NightDetail(BaseModel):
    """A night with its books, what was not judged, and its flags counted."""

    night: NightOut
    flag_counts: dict[str, int]
    verdicts: list[VerdictOut]
    not_evaluable: list[NotEvaluableOut]


class CellOut(BaseModel):
    """The three numbers of a cell, in posts and people; blank post type and fund form: the unit's total."""

    post_type: str
    fund_form: str
    quota: int | None
    allowed: int | None
    in_post: int | None
    paid: int | None


class UnitOut(BaseModel):
    """A unit with its figures in the newest settled night. `presence`: bits quota, roster, pay → people."""

    unit_code: str
    unit_name: str
    division_code: str
    level: str
    unit_kind: str
    parent_code: str | None
    supervising_code: str | None
    as_of: date | None
    cells: list[CellOut]
    presence: dict[str, int]
    flag_count: int


class TrendPoint(BaseModel):
    """Findings per rule in one night, leads aside; empty for who may not see flags."""

    as_of: date
    run_no: int
    findings: dict[str, int]


class LevelPointOut(BaseModel):
    """The known figures of a level's units added up; `unknown`: units lacking one of the three; `findings`: about its units,
    leads aside, null for who may not see flags."""

    as_of: date
    level: str | None
    units: int
    quota: int | None
    in_post: int | None
    paid: int | None
    unknown: int
    findings: int | None


class TrendsOut(BaseModel):
    """The nights that count, oldest first."""

    nights: list[TrendPoint]
    levels: list[LevelPointOut]


class UnitPointOut(BaseModel):
    """A unit's totals in one night, and its findings per rule, leads aside; null for who may not see flags."""

    as_of: date
    run_no: int
    quota: int | None
    in_post: int | None
    paid: int | None
    findings: int | None
    by_rule: dict[str, int] | None


class UnitTrendOut(BaseModel):
    """The nights in which the unit has figures, oldest first."""

    unit_code: str
    points: list[UnitPointOut]
