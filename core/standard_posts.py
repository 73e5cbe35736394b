"""Staffing standards (配置标准): how many posts a workload stands for. Pure.

posts = served × `posts` ÷ `per`, rounded by the rule the standard states; e.g. 19 pupils a teacher in primary schools is
per 19, posts 1. A unit with several trades adds up its lines, each rounded by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum


class Measure(StrEnum):
    """What a workload counts."""

    STUDENTS = "STUDENTS"
    BEDS = "BEDS"
    POPULATION = "POPULATION"
    OTHER = "OTHER"


class Rounding(StrEnum):
    """How a fraction of a post is read."""

    UP = "UP"
    NEAREST = "NEAREST"
    DOWN = "DOWN"


_MODES = {Rounding.UP: ROUND_CEILING, Rounding.NEAREST: ROUND_HALF_UP, Rounding.DOWN: ROUND_FLOOR}
HUNDRED = 100
MEASURE_LABELS = {
    Measure.STUDENTS: "在校学生", Measure.BEDS: "编制床位", Measure.POPULATION: "服务人口", Measure.OTHER: "其他工作量",
}  # fmt: skip
ROUNDING_LABELS = {Rounding.UP: "进位取整", Rounding.NEAREST: "四舍五入", Rounding.DOWN: "舍去小数"}


@dataclass(frozen=True)
class Line:
    """One standard met by one workload. per_hundredths: served units that stand for `posts` posts, in hundredths."""

    trade: str
    measure: str
    post_type: str
    served: int
    per_hundredths: int
    posts: int
    rounding: str

    @property
    def due(self) -> int:
        """Posts by the standard."""
        return standard_posts(self.served, self.per_hundredths, self.posts, self.rounding)


def standard_posts(served: int, per_hundredths: int, posts: int, rounding: str) -> int:
    """Posts for a workload. Errors: ValueError for a ratio of nothing or a negative workload."""
    if per_hundredths <= 0 or posts <= 0 or served < 0:
        raise ValueError("a standard needs a positive ratio and a workload from 0 on")
    exact = Decimal(served * posts * HUNDRED) / Decimal(per_hundredths)
    return int(exact.quantize(Decimal(1), rounding=_MODES[Rounding(rounding)]))


def posts_by_type(lines: Iterable[Line]) -> dict[str, int]:
    """Posts by the standards per post type, the lines of a type added up."""
    found: dict[str, int] = {}
    for line in lines:
        found[line.post_type] = found.get(line.post_type, 0) + line.due
    return found
