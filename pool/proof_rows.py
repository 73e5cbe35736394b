"""The rows of the pool as columns, and how a proof says where it does not hold; nothing of the ledger's own arithmetic.

A million movements are two million entries: they are read in batches straight from the driver, and every word in them
becomes a number once, so that adding up is adding up whole columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

CELL = ["post_type", "fund_form"]
KEY = ["account", "holder", *CELL, "purpose", "lot"]
MOST_NAMED = 5
BATCH = 20_000


@dataclass(frozen=True)
class Proof:
    """One invariant: whether it holds, over how many rows, and the first places where it does not."""

    name: str
    holds: bool
    checked: int
    broken: tuple[str, ...] = ()


class Codes(dict):
    """Values → 0, 1, 2 … in the order first met."""

    def __missing__(self, value: object) -> int:
        self[value] = code = len(self)
        return code

    def of(self, values: tuple) -> np.ndarray:
        """The codes of a column."""
        return np.fromiter(map(self.__getitem__, values), "int64", len(values))

    def words(self, codes: np.ndarray) -> pd.Categorical:
        """A coded column in words; None is missing."""
        known = [value for value in self if value is not None]
        place = {value: number for number, value in enumerate(known)}
        return pd.Categorical.from_codes(np.array([place.get(value, -1) for value in self], "int64")[codes], known)


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
    """All tables. movement: only what proofs look at; the rest of it is read for the chain, batch by batch."""

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
    batches: Callable[[Select], Iterator[list[tuple]]]
    server: bool  # PostgreSQL

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


def read_rows(session: Session) -> Rows:
    """Every row of the pool, in one transaction."""
    trail = select(AuditEvent.seq, AuditEvent.action, AuditEvent.subject).where(
        AuditEvent.action.startswith("pool_request_", autoescape=True)
    )

    def batches(query: Select) -> Iterator[list[tuple]]:
        return _batches(session, query)

    return Rows(
        _movements(batches), _entries(batches),
        *(_frame(session, model.__table__) for model in (
            PoolBalance, PoolLot, PoolNode, PoolLimit, PoolSum, PoolRequest, PoolRequestStep, PoolLoan, PoolSlot,
        )),
        trail=pd.DataFrame(_fetched(session, trail), columns=["seq", "action", "subject"], dtype=object),
        batches=batches, server=session.get_bind().dialect.name == "postgresql",
    )  # fmt: skip


def _movements(batches: Callable[[Select], Iterator[list[tuple]]]) -> pd.DataFrame:
    """seq and, as words, what proofs look at; in the order of seq."""
    row = PoolMovement
    words = (row.kind, row.source, row.to_holder, row.request_no, row.document_no, row.effective_date)
    codes, found, numbers, reverses = [Codes() for _ in words], [[] for _ in words], [], []
    for rows in batches(select(row.seq, row.reverses, *words).order_by(row.seq)):
        seq, back, *columns = zip(*rows, strict=True)
        numbers.append(np.array(seq, "int64"))
        reverses += back
        for coded, known, values in zip(found, codes, columns, strict=True):
            coded.append(known.of(values))
    frame = {"seq": _joined(numbers), "reverses": pd.Series(reverses, dtype=object)}
    for column, known, coded in zip(words, codes, found, strict=True):
        frame[column.key] = known.words(_joined(coded))
    return pd.DataFrame(frame)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, "int64")


def _entries(batches: Callable[[Select], Iterator[list[tuple]]]) -> Entries:
    row = PoolEntry
    key = (row.account, row.holder, row.post_type, row.fund_form, row.purpose, row.lot)
    keys, days = Codes(), Codes()
    columns: tuple[list, list, list, list] = ([], [], [], [])
    query = select(row.movement_seq, row.posts, row.effective_date, *key).order_by(row.movement_seq, row.line)
    for rows in batches(query):
        movement, posts, day, *words = zip(*rows, strict=True)
        columns[0].append(np.array(movement, "int64"))
        columns[1].append(np.fromiter(map(keys.__getitem__, zip(*words, strict=True)), "int64", len(rows)))
        columns[2].append(np.array(posts, "int64"))
        columns[3].append(days.of(day))
    movement, coded, posts, day = map(_joined, columns)
    spelled = zip(*keys, strict=True) if keys else [()] * len(KEY)
    frame = pd.DataFrame(
        {name: pd.Series(list(values), dtype="int64" if name == "lot" else object)
         for name, values in zip(KEY, spelled, strict=True)}
    )  # fmt: skip
    in_order = sorted(map(str, days))
    place = {value: number for number, value in enumerate(in_order)}
    rank = np.array([place[str(value)] for value in days], "int64")
    return Entries(movement, coded, posts, rank[day] if len(day) else day, frame, in_order)


def _frame(session: Session, table: Table) -> pd.DataFrame:
    rows = _fetched(session, select(table))
    columns = zip(*rows, strict=True) if rows else [() for _ in table.c]
    return pd.DataFrame(
        {column.name: pd.Series(list(values), dtype=_dtype(column, values))
         for column, values in zip(table.c, columns, strict=True)}
    )  # fmt: skip


def _fetched(session: Session, query: Select) -> list[tuple]:
    return [row for rows in _batches(session, query) for row in rows]


def _batches(session: Session, query: Select) -> Iterator[list[tuple]]:
    """Rows as the driver gives them: converting a million of them costs more than proving them. On SQLite a date is its
    ISO text and an instant its text in UTC, which sort and spell alike."""
    connection = session.connection()
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    cursor = connection.connection.cursor()
    try:
        cursor.execute(str(compiled))
        while rows := cursor.fetchmany(BATCH):
            yield rows
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
