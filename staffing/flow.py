"""The third principle: people flow at the same level and the same fund form; reverse flow only by a waiver (DOMAIN §6). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from core.types import EntryForm, FundForm, Level

# The lower and the less full first (P07).
LEVELS = (Level.TOWNSHIP, Level.COUNTY, Level.CITY, Level.PROVINCE)
FORMS = (FundForm.SELF, FundForm.PART, FundForm.FULL)
LEVEL_LABELS = {Level.PROVINCE: "省级", Level.CITY: "市级", Level.COUNTY: "县级", Level.TOWNSHIP: "乡级"}
FORM_LABELS = {FundForm.FULL: "全额拨款", FundForm.PART: "差额补贴", FundForm.SELF: "经费自理"}


class Flow(StrEnum):
    """What `decide_flow` answers; earlier ones win."""

    UNKNOWN_ORIGIN = "UNKNOWN_ORIGIN"
    TO_HIGHER_LEVEL = "TO_HIGHER_LEVEL"
    TO_FULLER_FORM = "TO_FULLER_FORM"
    WAIVER_OF_ANOTHER = "WAIVER_OF_ANOTHER"
    WAIVER_NOT_IN_FORCE = "WAIVER_NOT_IN_FORCE"
    ALLOWED = "ALLOWED"


FLOW_SENTENCES: dict[Flow, str] = {
    Flow.UNKNOWN_ORIGIN: "调入须写明原单位层级和原经费形式。",
    Flow.TO_HIGHER_LEVEL: "由{from_level}调入{to_level}属于逆向流动，须先取得豁免（文号、理由、期限）。",
    Flow.TO_FULLER_FORM: "由{from_form}调入{to_form}属于逆向流动，须先取得豁免（文号、理由、期限）。",
    Flow.WAIVER_OF_ANOTHER: "豁免 {waiver} 属于另一单位，不能用于本单位。",
    Flow.WAIVER_NOT_IN_FORCE: "豁免 {waiver} 的有效期为 {valid_from} 至 {valid_until}，{on} 不在其中。",
    Flow.ALLOWED: "流向符合规定。",
}


@dataclass(frozen=True)
class Waiver:
    """A decision that lets somebody move against the rule: number, whose, from when until when (last good day)."""

    number: str
    unit_code: str
    valid_from: date
    valid_until: date


@dataclass(frozen=True)
class Way:
    """How somebody comes into a unit. from_*: the place left, None where unknown. on: the day of entry."""

    entry_form: str
    unit_code: str
    to_level: str
    to_form: str
    on: date
    from_level: str | None = None
    from_form: str | None = None
    waiver: Waiver | None = None


@dataclass(frozen=True)
class FlowDecision:
    """An answer with the figures of its sentence."""

    answer: Flow
    values: dict[str, object]

    @property
    def allowed(self) -> bool:
        return self.answer is Flow.ALLOWED

    @property
    def sentence(self) -> str:
        return FLOW_SENTENCES[self.answer].format(**self.values)


def reverse_flow(way: Way) -> Flow | None:
    """Whether the way goes up a level or to a fuller fund form; None for a way that does neither."""
    if way.entry_form != EntryForm.TRANSFER:
        return None
    if way.from_level is None or way.from_form is None:
        return Flow.UNKNOWN_ORIGIN
    if LEVELS.index(Level(way.from_level)) < LEVELS.index(Level(way.to_level)):
        return Flow.TO_HIGHER_LEVEL
    if FORMS.index(FundForm(way.from_form)) < FORMS.index(FundForm(way.to_form)):
        return Flow.TO_FULLER_FORM
    return None


def decide_flow(way: Way) -> FlowDecision:
    """Whether somebody may come this way, on that day. The smallest change of every refusal is a waiver that fits."""
    answer = reverse_flow(way)
    waiver = way.waiver
    if answer in (Flow.TO_HIGHER_LEVEL, Flow.TO_FULLER_FORM) and waiver is not None:
        if waiver.unit_code != way.unit_code:
            answer = Flow.WAIVER_OF_ANOTHER
        elif not waiver.valid_from <= way.on <= waiver.valid_until:
            answer = Flow.WAIVER_NOT_IN_FORCE
        else:
            answer = None
    return FlowDecision(answer or Flow.ALLOWED, {
        "from_level": LEVEL_LABELS.get(way.from_level, "—"), "to_level": LEVEL_LABELS.get(way.to_level, "—"),
        "from_form": FORM_LABELS.get(way.from_form, "—"), "to_form": FORM_LABELS.get(way.to_form, "—"),
        "waiver": waiver.number if waiver else "", "on": way.on.isoformat(),
        "valid_from": waiver.valid_from.isoformat() if waiver else "",
        "valid_until": waiver.valid_until.isoformat() if waiver else "",
    })  # fmt: skip
