"""The rows of the pool as columns, and how a proof says where it does not hold; nothing of the ledger's own arithmetic.

A million movements are two million entries: they are read in batches straight from the driver, and every word in them
becomes a number once, so that adding up is adding up whole columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from sqlalchemy import Column, Integer, Select, Table, select
from sqlalchemy.orm import Session

from pool.models import (
    PoolBalance,
    PoolLimit,
    PoolLoan,
    PoolLot,
    PoolNode,
    PoolRequest,
    PoolRequestStep,
    PoolSlot,
    PoolSum,
)  # fmt: skip
from pool.proof_columns import batches, read_table

if TYPE_CHECKING:
    from pool.proof_stretch import Entries

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
    """All tables. movement: only what proofs look at; reverses 0: none."""

    movement: pd.DataFrame
    entry: Entries
    balance: pd.DataFrame
    lot: pd.DataFrame
    node: pd.DataFrame
    limit: pd.DataFrame
    sums: pd.DataFrame
    request: pd.DataFrame
    step: pd.DataFrame
    loan: pd.DataFrame
    slot: pd.DataFrame

    @cached_property
    def owner(self) -> np.ndarray:
        """Per entry, the row of `movement` it belongs to; −1 where there is none."""
        seq = self.movement.seq.to_numpy()
        found = np.searchsorted(seq, self.entry.movement)
        there = found < len(seq)
        there[there] = seq[found[there]] == self.entry.movement[there]
        return np.where(there, found, -1)

    def of_movement(self, lines: pd.DataFrame, *columns: str) -> pd.DataFrame:
        """Entries with columns of their movement beside them."""
        place = np.searchsorted(self.movement.seq.to_numpy(), lines.movement_seq.to_numpy())
        place = np.minimum(place, len(self.movement) - 1)  # an entry of no movement is broken elsewhere
        beside = {name: self.movement[name].take(place).astype(object).to_numpy() for name in columns}
        return lines.assign(**beside)


# Of the long tables, what proofs look at: numbers (0: none) and words.
LOOKED_AT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "pool_balance": (("lot", "posts"), ("account", "holder", "post_type", "fund_form", "purpose")),
    "pool_request": (("posts", "granted"), ("number", "status", "loan_no")),
    "pool_request_step": (("id",), ("request_no", "actor", "acting_for", "move")),
    "pool_loan": (("posts",), ("loan_no", "request_no", "document_no")),
    "pool_slot": (("lot_no",), (
        "slot_no", "loan_no", "node_id", "lender_id", "post_type", "fund_form", "purpose", "due_date", "ended_on",
        "person_key",
    )),
}  # fmt: skip


def read_kept(session: Session) -> dict[str, pd.DataFrame]:
    """Every other row of the pool, by the name it has in `Rows`."""
    tables = {
        "balance": PoolBalance, "lot": PoolLot, "node": PoolNode, "limit": PoolLimit, "sums": PoolSum,
        "request": PoolRequest, "step": PoolRequestStep, "loan": PoolLoan, "slot": PoolSlot,
    }  # fmt: skip
    return {name: _frame(session, model.__table__) for name, model in tables.items()}


def _frame(session: Session, table: Table) -> pd.DataFrame:
    if table.name in LOOKED_AT:
        found = read_table(session, table, *LOOKED_AT[table.name])
        words = {name: np.array([*one.words, None], object)[one.codes] for name, one in found.words.items()}
        return pd.DataFrame(found.numbers | {name: pd.Series(one, dtype=object) for name, one in words.items()})
    rows = _fetched(session, select(table))
    columns = zip(*rows, strict=True) if rows else [() for _ in table.c]
    return pd.DataFrame(
        {column.name: pd.Series(list(values), dtype=_dtype(column, values))
         for column, values in zip(table.c, columns, strict=True)}
    )  # fmt: skip


def _fetched(session: Session, query: Select) -> list[tuple]:
    return [row for rows in batches(session, query) for row in rows]


def _dtype(column: Column, values: tuple) -> object:
    whole = isinstance(column.type, Integer) and None not in values
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
