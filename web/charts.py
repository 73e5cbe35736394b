"""The chart of the three numbers, drawn on the server: the same picture on the page, in print and without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from xml.sax.saxutils import escape

import altair
import vl_convert

# The reader's browser sets the text: the names are looked up there, so no font has to be on the server.
FONT = "PingFang SC, Microsoft YaHei, Noto Sans CJK SC, Source Han Sans SC, sans-serif"
COLOURS = ("#1f4e79", "#2a9d8f", "#e09f3e")
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
    svg = vl_convert.vegalite_to_svg(_spec(values, wording, width).to_dict())
    head = (
        f'role="img" aria-labelledby="three-numbers-title three-numbers-desc">'
        f'<title id="three-numbers-title">{escape(wording.title)}</title>'
        f'<desc id="three-numbers-desc">{escape(wording.description)}</desc>'
    )
    opening, rest = svg.split(">", 1)
    return f"{opening} {head}{rest}"


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
            scale=altair.Scale(domain=measures, range=list(COLOURS)),
            legend=altair.Legend(orient="top", title=None, symbolType="square", columns=3),
        ),
    )
    numbers = base.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(x=altair.X("at:Q"), text="shown:N")
    return (
        altair.layer(bars, numbers)
        .properties(width=width - label_width - 56, height=altair.Step(BAR), background="white")
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=13, labelColor=INK)
        .configure_legend(labelFontSize=13, labelColor=INK, padding=2)
    )
