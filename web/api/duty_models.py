"""What the API of duties takes and gives, as its document says it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from staffing.duties_check import Gap
from staffing.duty_files import FileKind, ItemKind
from staffing.reform_life import TaskMove, TaskStatus
from web.api.models import Strict
from web.api.pool_models import WHOLE

TaskStep = StrEnum("TaskStep", {move.name: move.value.lower() for move in TaskMove if move is not TaskMove.SET})


class CellPosts(BaseModel):
    """Posts of a cell."""

    post_type: str
    fund_form: str
    posts: int


class BodyOut(BaseModel):
    """An inner body with its leader posts; null = unknown."""

    name: str
    chief: int | None
    deputy: int | None


class DutyVersionOut(BaseModel):
    """A version of a 三定."""

    doc_no: str
    valid_from: date
    duties: list[str]
    bodies: list[BodyOut]
    chief: int | None
    deputy: int | None
    quotas: list[CellPosts]


class ItemOut(BaseModel):
    """An item of the list of powers and duties."""

    id: int
    code: str
    name: str
    kind: ItemKind
    legal_basis: str
    inner_body: str | None
    duty: int | None
    valid_from: date
    valid_to: date | None
    posts: list[CellPosts]


class DutyRow(BaseModel):
    """A unit with a 三定 or an item. gaps: how many checks speak of it."""

    unit_code: str
    unit_name: str
    doc_no: str | None
    valid_from: date | None
    items: int
    gaps: int


class DutyList(BaseModel):
    """Units of the scope. without: how many have neither a 三定 nor an item."""

    without: int
    items: list[DutyRow]


class GapOut(BaseModel):
    """What stands or moved apart, with the sentence and its figures."""

    gap: Gap
    unit_code: str
    other_code: str | None
    on: date | None
    item_code: str | None
    post_type: str | None
    fund_form: str | None
    sentence: str
    figures: dict[str, int | str]


class GapQuery(Strict):
    """Which gaps."""

    gap: Gap | None = None


class GapList(BaseModel):
    """Everything apart within the scope."""

    items: list[GapOut]


class DutyCellOut(BaseModel):
    """A cell: as determined (null: not), as in the ledger, in post, posts its items use."""

    post_type: str
    fund_form: str
    determined: int | None
    quota: int
    in_post: int
    assigned: int


class DutyLineOut(BaseModel):
    """One standard met by one workload. per: served units that stand for `posts` posts."""

    trade: str
    measure: str
    served: int
    per: float
    posts: int
    rounding: str
    due: int


class MeasuredOut(BaseModel):
    """A unit and type against the standard. over: quota beyond it, negative = below."""

    unit_code: str
    post_type: str
    standard: int
    quota: int
    in_post: int
    over: int
    lines: list[DutyLineOut]


class MeasuredList(BaseModel):
    """Units with a standard and a workload."""

    items: list[MeasuredOut]


class DutyOut(BaseModel):
    """One unit's duties."""

    unit_code: str
    unit_name: str
    current: DutyVersionOut | None
    versions: list[DutyVersionOut]
    items: list[ItemOut]
    cells: list[DutyCellOut]
    measured: list[MeasuredOut]
    gaps: list[GapOut]


class FilePath(BaseModel):
    """What kind of file."""

    book: FileKind


class DutyFileBody(Strict):
    """A csv as text. division: of standards, where you have several; document_no, title: of a reform plan."""

    name: str = Field("file.csv", min_length=1, max_length=120)
    content: str = Field(min_length=1, max_length=10_000_000)
    division: str | None = Field(None, min_length=1, max_length=9)
    document_no: str = Field("", max_length=200)
    title: str = Field("", max_length=400)


class FileDone(BaseModel):
    """What a file brought. plan: the number of a reform plan."""

    kind: FileKind
    rows: int
    added: int
    changed: int
    unchanged: int
    plan: str | None = None


class ItemPath(BaseModel):
    """One item."""

    item_id: int = Field(ge=1, le=2_000_000_000)


class ItemMoveBody(Strict):
    """taker: the unit it goes to; null ends it. on: first day there, today by default."""

    taker: str | None = Field(None, min_length=1, max_length=64)
    on: date | None = None


class ItemMoved(BaseModel):
    """item: that of the taker, or the ended one."""

    item: int
    unit_code: str
    ended_on: date


class TaskRow(BaseModel):
    """A reform task: planned and booked changes."""

    number: str
    plan_no: str
    plan: str
    plan_document: str
    unit_code: str
    what: str
    deadline: date
    overdue: bool
    responsible: str
    status: TaskStatus
    planned: list[CellPosts]
    booked: list[CellPosts]
    planned_leaders: int
    booked_leaders: int | None
    agrees: bool
    documents: list[str]
    version: int


class TaskStepOut(BaseModel):
    """A step that was taken."""

    at: datetime
    actor: str
    move: str
    to_status: TaskStatus
    note: str | None


class TaskOut(BaseModel):
    """A task with its steps."""

    task: TaskRow
    steps: list[TaskStepOut]


class TaskQuery(Strict):
    """overdue: only those past their deadline and not ended."""

    overdue: bool = False


class TaskList(BaseModel):
    """Tasks of the scope, by deadline."""

    items: list[TaskRow]


class TaskPath(BaseModel):
    """One task."""

    task: str = Field(pattern=r"^GG[0-9]{4}-[0-9]{6}-[0-9]{3,6}$")


class TaskStepPath(TaskPath):
    """A step on a task."""

    step: TaskStep


class TaskStepBody(Strict):
    """version: of the task as read. document_no: for link. note: for report, send_back, drop."""

    version: Annotated[int, Field(ge=1, le=1_000_000, strict=True), WHOLE]
    note: str = Field("", max_length=2000)
    document_no: str = Field("", max_length=200)


class TaskDone(BaseModel):
    """Where the task stands now."""

    task: str
    status: TaskStatus
    version: int
