"""Units held against their staffing standard: standard, quota, in post; and what OVER_STANDARD may take (DOMAIN §5, §6)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from core.errors import Refused
from core.standard_posts import Line, posts_by_type
from core.standards import standard_lines
from pool.store import cell_figures


@dataclass(frozen=True)
class Measured:
    """A unit and post type on a day. over: quota beyond the standard, negative = below it. lines: how standard came about."""

    unit_code: str
    post_type: str
    standard: int
    quota: int
    in_post: int
    lines: tuple[Line, ...]

    @property
    def over(self) -> int:
        return self.quota - self.standard


def measured(session: Session, codes: Collection[str] | None, on: date) -> list[Measured]:
    """Every unit and type with a standard and a workload, by unit code; fund forms of a type added up."""
    by_unit = standard_lines(session, codes, on)
    totals: dict[tuple[str, str], list[int]] = {}
    holders = [f"U:{code}" for code in by_unit]
    for start in range(0, len(holders), 500):
        for cell, held in cell_figures(session, holders[start : start + 500], on).items():
            total = totals.setdefault((cell.holder.removeprefix("U:"), cell.post_type), [0, 0])
            total[0], total[1] = total[0] + held.quota, total[1] + held.in_post
    return [
        Measured(code, post_type, due, *totals.get((code, post_type), (0, 0)),
                 tuple(line for line in lines if line.post_type == post_type))
        for code, lines in sorted(by_unit.items())
        for post_type, due in sorted(posts_by_type(lines).items())
    ]  # fmt: skip


def check_over_standard(session: Session, giver: str, post_type: str, posts: int, on: date) -> None:
    """Refuse to take as over standard what is not. Without a standard or a workload nothing is known, nothing refused."""
    for row in measured(session, [giver.removeprefix("U:")], on):
        if row.post_type == post_type and row.over < posts:
            raise Refused(
                f"按配置标准应有 {row.standard} 个，核定 {row.quota} 个，超标准 {max(row.over, 0)} 个，不能收回 {posts} 个。",
                answer="NOT_OVER_STANDARD", standard=row.standard, quota=row.quota, over=max(row.over, 0), needs=posts,
            )  # fmt: skip
