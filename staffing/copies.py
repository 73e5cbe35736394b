"""The three copies of the quota, from our own side (Q07): ledger, certificate, database."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pool.ledger import HELD
from pool.models import PoolEntry
from pool.store import cell_figures
from staffing.certificate_store import newest_versions, revoked

CHUNK = 500


@dataclass(frozen=True)
class CopyRow:
    """The three copies of a cell's quota (Q07): by the ledger's movements, the certificate in force, the database.

    None: that copy has no such cell.
    """

    unit_code: str
    post_type: str
    fund_form: str
    ledger: int | None
    certificate: int | None
    database: int | None

    @property
    def agree(self) -> bool:
        return self.ledger == self.certificate == self.database


def copies(session: Session, unit_code: str, on: date) -> list[CopyRow]:
    """The three copies of a unit on a day, a row per cell that any of them has. See `copies_of`."""
    return copies_of(session, [unit_code], on)


def copies_of(session: Session, units: Collection[str], on: date) -> list[CopyRow]:
    """LEDGER: entries of movements effective by the day, added up. CERTIFICATE: the newest version issued by the day, none
    once revoked. DATABASE: the balances the database keeps for every page. Units without any of them give no row."""
    codes = sorted(set(units))
    rows: list[CopyRow] = []
    for start in range(0, len(codes), CHUNK):
        rows += _copies(session, codes[start : start + CHUNK], on)
    return rows


def _copies(session: Session, codes: list[str], on: date) -> list[CopyRow]:
    held = {
        "ledger": _ledger_copy(session, codes, on),
        "certificate": _certificate_copy(session, codes, on),
        "database": _database_copy(session, codes, on),
    }
    cells = sorted(set().union(*(copy.keys() for copy in held.values())))
    return [CopyRow(*cell, **{name: copy.get(cell) for name, copy in held.items()}) for cell in cells]


def _ledger_copy(session: Session, codes: list[str], on: date) -> dict[tuple[str, str, str], int]:
    rows = session.execute(
        select(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form, func.sum(PoolEntry.posts))
        .where(
            PoolEntry.holder.in_([f"U:{code}" for code in codes]), PoolEntry.account.in_(HELD),
            PoolEntry.effective_date <= on,
        )
        .group_by(PoolEntry.holder, PoolEntry.post_type, PoolEntry.fund_form)
    )  # fmt: skip
    return {(row[0].removeprefix("U:"), row[1], row[2]): int(row[3]) for row in rows if row[3]}


def _certificate_copy(session: Session, codes: list[str], on: date) -> dict[tuple[str, str, str], int]:
    gone = revoked(session, on)
    return {
        (code, line["post_type"], line["fund_form"]): line["quota"]
        for code, row in newest_versions(session, codes, on).items()
        if (code, row.version) not in gone
        for line in json.loads(row.content)["facts"]["quotas"]
        if line["quota"]
    }


def _database_copy(session: Session, codes: list[str], on: date) -> dict[tuple[str, str, str], int]:
    figures = cell_figures(session, [f"U:{code}" for code in codes], on)
    return {
        (cell.holder.removeprefix("U:"), cell.post_type, cell.fund_form): held.quota
        for cell, held in figures.items()
        if held.quota
    }
