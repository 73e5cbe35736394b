"""What the API of work lists and situation reports takes and gives, as its document says it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from core.types import Level
from night.situation import ReportStatus
from night.situation_figures import MEASURES
from reconcile.worklist_life import NOTICE_STEPS, REFERRAL_STEPS, NoticeStatus, Office, ReferralStatus
from web.api.models import FlagPath, Strict
from web.api.pool_models import WHOLE, Seq

NoticeStep = StrEnum("NoticeStep", {step.value: step.value.lower() for step in NOTICE_STEPS})
ReferralStep = StrEnum("ReferralStep", {step.value: step.value.lower() for step in REFERRAL_STEPS})
Figure = StrEnum("Figure", {measure: measure for measure in MEASURES})
Whole = Annotated[int, Field(ge=0, le=10_000_000, strict=True), WHOLE]
Note = Annotated[str, Field(min_length=1, max_length=3000)]
# Period codes as the use-case takes them.
PeriodCode = Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[0-9A-Za-z-]+$")]


class WorkQuery(Strict):
    """Which of a work list."""

    unit: str | None = Field(None, min_length=1, max_length=64)
    overdue: bool = False


class NoticePath(FlagPath):
    """A step on the notice of one flag."""

    step: NoticeStep


class LetterPath(BaseModel):
    """A step on one referral."""

    letter: str = Field(min_length=1, max_length=24)
    step: ReferralStep


class StepBody(Strict):
    """What is handed in. version: of the notice or referral that was read; 0 where there is no notice yet."""

    version: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE]
    note: Note
    deadline: date | None = None


class NoticeOut(BaseModel):
    """A notice; null number: the flag is being put right without one."""

    flag: str
    rule: str
    unit_code: str | None
    person: str | None
    flag_status: str
    number: str | None
    status: NoticeStatus | None
    requirement: str | None
    deadline: date | None
    measures: str | None
    recheck_note: str | None
    failed_count: int
    version: int
    overdue: bool


class NoticeList(BaseModel):
    """Flags being put right, overdue first."""

    items: list[NoticeOut]


class ReferralOut(BaseModel):
    """A referral. Notes: how a day was counted where the holidays of a year on the way were not published."""

    number: str
    flag: str
    rule: str
    unit_code: str | None
    person: str | None
    office: Office
    addressee: str
    reason: str
    status: ReferralStatus
    receipt_by: date
    receipt_note: str | None
    answer_by: date
    answer_note: str | None
    receipt_no: str | None
    answer: str | None
    version: int
    overdue: bool


class ReferralList(BaseModel):
    """Referrals, overdue first."""

    items: list[ReferralOut]


class PeriodPath(BaseModel):
    """One period."""

    period_id: Seq


class ReportPath(PeriodPath):
    """One unit's report in a period."""

    code: str = Field(min_length=1, max_length=64)


class OpenBody(Strict):
    """A period to open; what is left out comes from the parameters report_period and report_days."""

    division_code: str = Field(min_length=6, max_length=9, pattern=r"^[0-9]+$")
    level: Level | None = None
    code: PeriodCode | None = None
    first_day: date | None = None
    last_day: date | None = None
    deadline: date | None = None


class PeriodOut(BaseModel):
    """A period and how many of its reports, within the scope, stand where. deadline_note: how the deadline was counted
    where the holidays of a year on the way were not published."""

    period_id: int
    code: str
    division_code: str
    level: str
    first_day: date
    last_day: date
    deadline: date
    deadline_note: str | None
    as_of: date
    counts: dict[str, int]


class PeriodList(BaseModel):
    """Periods, the latest deadline first."""

    items: list[PeriodOut]


class ReportRow(BaseModel):
    """A report without its figures."""

    unit_code: str
    unit_name: str
    status: ReportStatus
    as_of: date
    version: int
    confirmed_by: str | None
    confirmed_at: datetime | None
    hash: str | None


class PeriodDetail(BaseModel):
    """A period with its reports: disputed and unconfirmed ones first."""

    period: PeriodOut
    reports: list[ReportRow]


class WorkLineOut(BaseModel):
    """A figure; null: unknown, never 0."""

    place: int
    measure: Figure
    part: str
    figure: int | None
    answer: str | None
    stated: int | None
    remark: str | None


class ReportOut(BaseModel):
    """One report with its figures."""

    report: ReportRow
    lines: list[WorkLineOut]


class SaidBody(Strict):
    """What a unit says of one figure."""

    place: Whole
    agreed: bool
    stated: Whole | None = None
    remark: str = Field("", max_length=500)


class AnswerBody(Strict):
    """Every figure agreed or disputed. version: of the report that was read."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
    answers: list[SaidBody] = Field(min_length=1, max_length=500)


class AgainBody(Strict):
    """Propose the newest night's figures."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]
