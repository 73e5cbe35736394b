"""The rows of the pool as frames, and how a proof says where it does not hold; nothing of the ledger's own arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Column, Integer, Select, Table, select
from sqlalchemy.orm import Session

from core.audit import AuditEvent
from pool.models import (
    PoolBalance,
    PoolEntry,
    PoolLimit,
    PoolLoan,
    PoolLot,
    PoolMovement,
    PoolNode,
    PoolRequest,
    PoolRequestStep,
    PoolSlot,
    PoolSum,
)  # fmt: skip

CELL = ["post_type", "fund_form"]
KEY = ["account", "holder", *CELL, "purpose", "lot"]
MOST_NAMED = 5


@dataclass(frozen=True)
class Proof:
    """One invariant: whether it holds, over how many rows, and the first places where it does not."""

    name: str
    holds: bool
    checked: int
    broken: tuple[str, ...] = ()


@dataclass
class Rows:
    """All tables as frames."""

    movement: pd.DataFrame
    entry: pd.DataFrame
    balance: pd.DataFrame
    lot: pd.DataFrame
    node: pd.DataFrame
    limit: pd.DataFrame
    sums: pd.DataFrame
    request: pd.DataFrame
    step: pd.DataFrame
    loan: pd.DataFrame
    slot: pd.DataFrame
    trail: pd.DataFrame


def read_rows(session: Session) -> Rows:
    """Every row of the pool, in one transaction."""
    movement, entry = PoolMovement.__table__, PoolEntry.__table__
    trail = select(AuditEvent.seq, AuditEvent.action, AuditEvent.subject).where(
        AuditEvent.action.startswith("pool_request_", autoescape=True)
    )
    return Rows(
        _frame(session, movement, "seq"), _frame(session, entry, "movement_seq", "line"),
        *(_frame(session, model.__table__) for model in (
            PoolBalance, PoolLot, PoolNode, PoolLimit, PoolSum, PoolRequest, PoolRequestStep, PoolLoan, PoolSlot,
        )),
        pd.DataFrame(_fetched(session, trail), columns=["seq", "action", "subject"], dtype=object),
    )  # fmt: skip


def _frame(session: Session, table: Table, *order: str) -> pd.DataFrame:
    query = select(table).order_by(*(table.c[name] for name in order))
    rows = _fetched(session, query)
    columns = zip(*rows, strict=True) if rows else [() for _ in table.c]
    return pd.DataFrame(
        {column.name: pd.Series(list(values), dtype=_dtype(column, values))
         for column, values in zip(table.c, columns, strict=True)}
    )  # fmt: skip


def _fetched(session: Session, query: Select) -> list[tuple]:
    """Rows as the driver gives them: converting a million of them costs more than proving them. On SQLite a date is its
    ISO text and an instant its text in UTC, which sort and spell alike."""
    connection = session.connection()
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    cursor = connection.connection.cursor()
    try:
        cursor.execute(str(compiled))
        return cursor.fetchall()
    finally:
        cursor.close()


def _dtype(column: Column, values: tuple) -> object:
    whole = isinstance(column.type, Integer) and all(type(value) is int for value in values)
    return "int64" if whole else object


def says(name: str, frame: pd.DataFrame, broken: pd.DataFrame | pd.Series, columns: list[str]) -> Proof:
    """Holds when no row is broken; names the first that are."""
    found = frame[broken] if isinstance(broken, pd.Series) else broken
    places = [" ".join(f"{name}={row[name]}" for name in columns) for _, row in found.head(MOST_NAMED).iterrows()]
    return Proof(name, found.empty, len(frame), tuple(places))


def joined(name: str, parts: list[Proof]) -> Proof:
    """Several checks under one name."""
    return Proof(
        name, all(part.holds for part in parts), sum(part.checked for part in parts),
        tuple(place for part in parts for place in part.broken)[:MOST_NAMED],
    )  # fmt: skip


def same(name: str, ours: pd.Series, kept: pd.Series) -> Proof:
    """Holds when both sums are equal at every key of either; a missing one is 0."""
    both = pd.concat([ours.rename("ours"), kept.rename("kept")], axis=1).fillna(0).reset_index()
    return says(name, both, both.ours != both.kept, [*both.columns])
