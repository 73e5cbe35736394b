"""The chart of the three numbers, drawn on the server: the same picture on the page, in print and without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from xml.sax.saxutils import escape

import altair
import vl_convert

# The reader's browser sets the text: the names are looked up there, so no font has to be on the server.
FONT = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Source Han Sans SC, sans-serif"
COLOURS = ("#1f4e79", "#2a9d8f", "#e09f3e", "#8a4f7d")
INK, RULE = "#333f4d", "#d5dce4"
BAR = 15


@dataclass(frozen=True)
class Bars:
    """One place with its three numbers in posts and people; None is unknown and draws no bar."""

    place: str
    quota: int | None
    in_post: int | None
    paid: int | None


@dataclass(frozen=True)
class Wording:
    """The texts of a chart in the reader's language. `measures`: quota, in post, paid."""

    title: str
    description: str
    measures: tuple[str, str, str]
    unknown: str


@lru_cache(maxsize=64)
def three_numbers(bars: Sequence[Bars], wording: Wording, width: int) -> str:
    """An SVG of grouped bars, `width` pixels wide, with title and description for those who do not see it.

    `bars` must be a tuple (the picture is kept for as long as its data do not change).
    """
    values = [
        {"place": bar.place, "order": place, "measure": measure, "value": value, "at": value or 0,
         "shown": wording.unknown if value is None else f"{value:,}"}
        for place, bar in enumerate(bars)
        for measure, value in zip(wording.measures, (bar.quota, bar.in_post, bar.paid), strict=True)
    ]  # fmt: skip
    return _drawn(_spec(values, wording, width), wording.title, wording.description)


@dataclass(frozen=True)
class Line:
    """One measure over days; None is unknown and breaks the line. `days` and `values` run together."""

    label: str
    days: tuple[date, ...]
    values: tuple[int | None, ...]


@lru_cache(maxsize=64)
def lines(drawn: tuple[Line, ...], title: str, description: str, width: int) -> str:
    """An SVG of lines over the same days, `width` pixels wide; the scale begins at 0 where that shows something."""
    values = [
        {"label": line.label, "day": day.isoformat(), "value": value}
        for line in drawn
        for day, value in zip(line.days, line.values, strict=True)
    ]
    labels = [line.label for line in drawn]
    known = [each["value"] for each in values if each["value"] is not None]
    far = bool(known) and min(known) > 0.5 * max(known)
    base = altair.Chart(altair.Data(values=values)).encode(
        x=altair.X("day:O", title=None, axis=altair.Axis(labelAngle=-40, labelOverlap=True, ticks=False)),
        y=altair.Y(
            "value:Q",
            title=None,
            scale=altair.Scale(zero=not far, nice=True),
            axis=altair.Axis(format=",d", tickCount=5, tickMinStep=1, gridColor=RULE, domain=False),
        ),
        color=altair.Color(
            "label:N",
            sort=labels,
            scale=altair.Scale(domain=labels, range=list(COLOURS[: len(labels)])),
            legend=altair.Legend(orient="top", title=None, symbolType="stroke", columns=4),
        ),
    )
    layers = altair.layer(base.mark_line(strokeWidth=2), base.mark_point(filled=True, size=36))
    return _drawn(_dressed(layers.properties(width=width - 96, height=200, background="white")), title, description)


@dataclass(frozen=True)
class Stack:
    """One place with its posts in parts, in the order of the measures."""

    place: str
    values: tuple[int, ...]


@lru_cache(maxsize=64)
def stacks(drawn: tuple[Stack, ...], measures: tuple[str, ...], title: str, description: str, width: int) -> str:
    """An SVG of stacked bars, one a place, `width` pixels wide; parts in the order of the measures."""
    values = [
        {"place": stack.place, "order": order, "measure": measure, "part": part, "value": value}
        for order, stack in enumerate(drawn)
        for part, (measure, value) in enumerate(zip(measures, stack.values, strict=True))
    ]
    label_width = 120 if width < 500 else 200
    chart = altair.Chart(altair.Data(values=values)).mark_bar().encode(
        y=altair.Y(
            "place:N", sort=altair.EncodingSortField("order", op="min"), title=None,
            scale=altair.Scale(paddingInner=0.4),
            axis=altair.Axis(ticks=False, domain=False, labelLimit=label_width - 12, labelPadding=8),
        ),
        x=altair.X(
            "value:Q", title=None,
            axis=altair.Axis(format=",d", tickCount=5, tickMinStep=1, gridColor=RULE, domain=False),
        ),
        order=altair.Order("part:Q"),
        color=altair.Color(
            "measure:N", sort=list(measures), scale=altair.Scale(domain=list(measures), range=[COLOURS[1], COLOURS[2], COLOURS[0]]),
            legend=altair.Legend(orient="top", title=None, symbolType="square", columns=3),
        ),
    )  # fmt: skip
    size = {"width": width - label_width - 40, "height": altair.Step(30)}
    return _drawn(_dressed(chart.properties(**size, background="white")), title, description)


def _drawn(chart: altair.TopLevelMixin, title: str, description: str) -> str:
    """The chart as SVG with its title and description inside."""
    opening, rest = vl_convert.vegalite_to_svg(chart.to_dict()).split(">", 1)
    return (
        f'{opening} role="img" aria-labelledby="chart-title chart-desc">'
        f'<title id="chart-title">{escape(title)}</title><desc id="chart-desc">{escape(description)}</desc>{rest}'
    )


def _spec(values: list[dict], wording: Wording, width: int) -> altair.LayerChart:
    measures = list(wording.measures)
    label_width = 96 if width < 500 else 180
    base = altair.Chart(altair.Data(values=values)).encode(
        y=altair.Y(
            "place:N",
            sort=altair.EncodingSortField("order", op="min"),
            title=None,
            scale=altair.Scale(paddingInner=0.3, paddingOuter=0.1),
            axis=altair.Axis(ticks=False, domain=False, labelLimit=label_width - 12, labelPadding=8),
        ),
        yOffset=altair.YOffset("measure:N", sort=measures, scale=altair.Scale(paddingInner=0.12)),
    )
    bars = base.mark_bar().encode(
        x=altair.X("value:Q", title=None, axis=altair.Axis(format=",d", tickCount=5, gridColor=RULE, domain=False)),
        color=altair.Color(
            "measure:N",
            sort=measures,
            scale=altair.Scale(domain=measures, range=list(COLOURS[:3])),
            legend=altair.Legend(orient="top", title=None, symbolType="square", columns=3),
        ),
    )
    numbers = base.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(x=altair.X("at:Q"), text="shown:N")
    size = {"width": width - label_width - 56, "height": altair.Step(BAR)}
    return _dressed(altair.layer(bars, numbers).properties(**size, background="white"))


def _dressed(chart: altair.TopLevelMixin) -> altair.TopLevelMixin:
    """The same letters and lines for every chart."""
    return (
        chart.configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=13, labelColor=INK)
        .configure_legend(labelFontSize=13, labelColor=INK, padding=2)
    )
