"""Versions of the 三定, read: which is in force, what it says, and what the certificate takes from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.types import LeaderTier
from staffing.duty_models import Determination, DeterminationBody, DeterminationDuty, DeterminationQuota

CHUNK = 500


@dataclass(frozen=True)
class Version:
    """A version with all it holds. bodies: name, chief, deputy; quotas: per (type, form)."""

    row: Determination
    duties: tuple[str, ...]
    bodies: tuple[tuple[str, int | None, int | None], ...]
    quotas: dict[tuple[str, str], int]

    @property
    def said(self) -> tuple:
        """What it states, to tell whether another says the same."""
        return (self.row.chief, self.row.deputy, self.duties, self.bodies, self.quotas)

    @property
    def leaders(self) -> int | None:
        """Leader posts of the unit itself; unknown where either number is."""
        known = None not in (self.row.chief, self.row.deputy)
        return self.row.chief + self.row.deputy if known else None

    def tiers(self) -> dict[str, int | None]:
        """Leader posts per tier; those of inner bodies added up, unknown where one is."""
        total = lambda numbers: sum(numbers) if numbers and None not in numbers else None
        return {
            LeaderTier.CHIEF.value: self.row.chief, LeaderTier.DEPUTY.value: self.row.deputy,
            LeaderTier.INNER_CHIEF.value: total([chief for _, chief, _ in self.bodies]),
            LeaderTier.INNER_DEPUTY.value: total([deputy for _, _, deputy in self.bodies]),
        }  # fmt: skip

    def numbered(self) -> str:
        """The duties as one text, a numbered line each."""
        return "\n".join(f"{place}. {text}" for place, text in enumerate(self.duties, 1))


def determinations_of(session: Session, codes: Collection[str]) -> dict[str, list[Version]]:
    """Every version per unit, the newest first (by first day, then as recorded)."""
    found: dict[str, list[Version]] = defaultdict(list)
    wanted = sorted(set(codes))
    for start in range(0, len(wanted), CHUNK):
        query = select(Determination).where(Determination.unit_code.in_(wanted[start : start + CHUNK]))
        rows = list(session.scalars(query.order_by(Determination.valid_from.desc(), Determination.id.desc())))
        for version in _filled(session, rows):
            found[version.row.unit_code].append(version)
    return found


def in_force(session: Session, codes: Collection[str], on: date) -> dict[str, Version]:
    """The version in force on a day, per unit that has one."""
    begun = {
        code: [version for version in versions if version.row.valid_from <= on]
        for code, versions in determinations_of(session, codes).items()
    }
    return {code: versions[0] for code, versions in begun.items() if versions}


def _filled(session: Session, rows: Iterable[Determination]) -> list[Version]:
    rows = list(rows)
    ids = [row.id for row in rows]
    duties: dict[int, list[str]] = defaultdict(list)
    bodies: dict[int, list[tuple]] = defaultdict(list)
    quotas: dict[int, dict] = defaultdict(dict)
    for model, put in (
        (DeterminationDuty, lambda one: duties[one.determination_id].append(one.text)),
        (DeterminationBody, lambda one: bodies[one.determination_id].append((one.name, one.chief, one.deputy))),
    ):
        query = select(model).where(model.determination_id.in_(ids)).order_by(model.determination_id, model.place)
        for one in session.scalars(query):
            put(one)
    for one in session.scalars(select(DeterminationQuota).where(DeterminationQuota.determination_id.in_(ids))):
        quotas[one.determination_id][one.post_type, one.fund_form] = one.posts
    return [
        Version(row, tuple(duties[row.id]), tuple(bodies[row.id]), dict(sorted(quotas[row.id].items()))) for row in rows
    ]


def determined_facts(session: Session, codes: Collection[str], on: date) -> dict[str, dict[str, Any]]:
    """What a certificate says by the version in force: duties, inner bodies, leader posts; units without one left out."""
    return {
        code: {
            "DUTIES": version.numbered(), "INNER_BODIES": [name for name, _, _ in version.bodies],
            "LEADER_POSTS": version.tiers(),
        }
        for code, version in in_force(session, codes, on).items()
    }  # fmt: skip


def has_determination(session: Session, unit_code: str) -> bool:
    """Whether the unit has any version: then its facts are stated there and nowhere else."""
    return session.scalar(select(Determination.id).where(Determination.unit_code == unit_code).limit(1)) is not None
