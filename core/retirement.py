"""The statutory retirement age by sex, post and birth, from a dated table. Pure.

Source: the Standing Committee's decision of 2024-09-13, in force from 2025-01-01: men 60 → 63 and women cadres 55 → 58
by one month every four, women workers 50 → 55 by one month every two. The table is the parameter `retirement_ages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

DEFAULT_TABLE: dict[str, Any] = {
    "from": "2025-01",
    "male": {"base": 720, "step": 4, "most": 36},
    "female": {"base": 660, "step": 4, "most": 36},
    "female_worker": {"base": 600, "step": 2, "most": 60},
    "worker_post_types": ["SUPPORT"],
    "as_male_ranks": ["正处级", "副处级", "县处级正职", "县处级副职", "正厅级", "副厅级"],
}
GROUPS = ("male", "female", "female_worker")


@dataclass(frozen=True)
class Retirement:
    """The table: ages and steps in months; from `start` (months since year 0) the age rises a month every `step`."""

    start: int
    ages: tuple[tuple[int, int, int], ...]  # per GROUPS: base, step, most
    worker_post_types: frozenset[str]
    as_male_ranks: frozenset[str]

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Retirement:
        """From the parameter's value. Errors: KeyError, ValueError or TypeError when it is not such a table."""
        year, month = map(int, table["from"].split("-"))
        ages = tuple(tuple(int(table[group][part]) for part in ("base", "step", "most")) for group in GROUPS)
        if not 1 <= month <= 12 or any(base <= 0 or step <= 0 or most < 0 for base, step, most in ages):
            raise ValueError("ages and steps are months above 0")
        return cls(
            year * 12 + month - 1, ages, frozenset(table["worker_post_types"]), frozenset(table["as_male_ranks"])
        )

    @property
    def earliest(self) -> int:
        """The lowest statutory age of the table, in months."""
        return min(base for base, _, _ in self.ages)

    def ages_in_months(self, born: np.ndarray, group: np.ndarray) -> np.ndarray:
        """Statutory age in months; born: birth months since year 0; group: positions in GROUPS."""
        base, step, most = np.array(self.ages, dtype=np.int64)[group].T
        late = np.clip((born + base - self.start) // step + 1, 0, most)
        return base + np.where(born + base >= self.start, late, 0)


def age_text(months: int) -> str:
    """An age as officials write it: 60岁, 60岁3个月."""
    years, rest = divmod(months, 12)
    return f"{years}岁{rest}个月" if rest else f"{years}岁"
