"""The rows of the pool as columns, and how a proof says where it does not hold; nothing of the ledger's own arithmetic.

A million movements are two million entries: they are read in batches straight from the driver, and every word in them
becomes a number once, so that adding up is adding up whole columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
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
from pool.proof_columns import Coded, batches, read_columns

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
class Entries:
    """Every entry, by movement and line: whole numbers all. key: the row of `keys` (the words of KEY). day: the row of
    `days` (ISO, in order)."""

    movement: np.ndarray
    key: np.ndarray
    posts: np.ndarray
    day: np.ndarray
    keys: pd.DataFrame
    days: list[str]

    def total(self, last: int | None = None) -> pd.DataFrame:
        """What the entries of each key add up to: KEY and posts; `last`: up to that movement only."""
        wanted = slice(None) if last is None else self.movement <= last
        sums = np.zeros(len(self.keys), "int64")
        np.add.at(sums, self.key[wanted], self.posts[wanted])
        return self.keys.assign(posts=sums)

    @cached_property
    def held(self) -> pd.DataFrame:
        """`total` of all there is."""
        return self.total()

    def lines(self, wanted: pd.Series | np.ndarray) -> pd.DataFrame:
        """Entries for which `wanted` (one answer per key) is true: movement_seq, KEY, posts."""
        return self.at(np.flatnonzero(np.asarray(wanted, dtype=bool)[self.key]))

    def at(self, places: np.ndarray) -> pd.DataFrame:
        """The entries at those places, in words."""
        frame = self.keys.take(self.key[places]).reset_index(drop=True)
        return frame.assign(movement_seq=self.movement[places], posts=self.posts[places])


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
    trail: pd.DataFrame

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


def read_rows(session: Session, last: int, movements: Callable[[], pd.DataFrame]) -> Rows:
    """Every row of the pool up to the last movement. movements: `read_movements`, wherever it is done."""
    trail = select(AuditEvent.seq, AuditEvent.action, AuditEvent.subject).where(
        AuditEvent.action.startswith("pool_request_", autoescape=True)
    )

    entry = _entries(session, last)
    return Rows(
        movements(), entry,
        *(_frame(session, model.__table__) for model in (
            PoolBalance, PoolLot, PoolNode, PoolLimit, PoolSum, PoolRequest, PoolRequestStep, PoolLoan, PoolSlot,
        )),
        trail=pd.DataFrame(_fetched(session, trail), columns=["seq", "action", "subject"], dtype=object),
    )  # fmt: skip


def read_movements(session: Session, last: int) -> pd.DataFrame:
    """seq, reverses (0: none) and, as words, what proofs look at; in the order of seq."""
    words = ("kind", "source", "to_holder", "request_no", "document_no", "effective_date")
    found = read_columns(session, PoolMovement.__table__, ["seq"], ["seq", "reverses"], words, last)
    return pd.DataFrame(found.numbers | {name: _categories(found.words[name]) for name in words})


def _categories(column: Coded) -> pd.Categorical:
    """A column of words; None is missing."""
    known = [word for word in column.words if word is not None]
    place = {word: number for number, word in enumerate(known)}
    codes = np.array([place.get(word, -1) for word in column.words], "int64")
    return pd.Categorical.from_codes(codes[column.codes], known)


def _entries(session: Session, last: int) -> Entries:
    """Every key once, by way of one number that all its parts make up together."""
    words = (*KEY[:-1], "effective_date")
    numbers = ["movement_seq", "posts", "lot"]
    found = read_columns(session, PoolEntry.__table__, ["movement_seq", "line"], numbers, words, last)
    parts = [found.words[name] for name in KEY[:-1]]
    mixed, lots = pd.factorize(found.numbers["lot"])
    mixed = mixed.astype("int64")
    for part in parts:
        mixed = mixed * max(1, len(part.words)) + part.codes
    codes, unique = pd.factorize(mixed)
    columns: dict[str, pd.Series] = {}
    for name, part in zip(KEY[-2::-1], parts[::-1], strict=True):
        unique, at = np.divmod(unique, max(1, len(part.words)))
        columns[name] = pd.Series(np.array([*part.words, ""], dtype=object)[at], dtype=object)
    keys = pd.DataFrame({name: columns[name] for name in KEY[:-1]} | {"lot": pd.Series(lots[unique], dtype="int64")})
    day = found.words["effective_date"]
    in_order = sorted(day.words)
    rank = np.array([in_order.index(word) for word in day.words] or [0], "int64")
    return Entries(found.numbers["movement_seq"], codes, found.numbers["posts"], rank[day.codes], keys, in_order)


def _frame(session: Session, table: Table) -> pd.DataFrame:
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
