"""A stretch of movements and their entries: as columns for the proofs, and its part of the chain; read once for both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from sqlalchemy import func
from sqlalchemy.orm import Session

from pool.proof_chain import COLUMNS, ENTRY, MOVEMENT, Run, spelled_run, spelling
from pool.proof_columns import (
    BATCH,
    Coded,
    Columns,
    columns_in,
    is_sqlite,
    joined_columns,
    or_missing,
    read_columns,
    stacked,
)
from pool.proof_rows import KEY

WORDS = ("kind", "source", "to_holder", "request_no", "document_no", "effective_date")
ENTRY_NUMBERS, ENTRY_WORDS = ("movement_seq", "posts"), ("effective_date", "key")
NEXT_CELL, SPACED = '","', '", "'  # no word holds one: JSON escapes its marks
LINK = 65  # a hash and the end of its line


@dataclass
class Entries:
    """Entries, by movement and line: whole numbers all. key: the row of `keys` (the words of KEY). day: the row of
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
        sums = np.bincount(self.key[wanted], self.posts[wanted], len(self.keys))  # doubles: exact below 2^53
        return self.keys.assign(posts=sums.astype("int64"))

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
class Stretch:
    """What lies between two numbers."""

    movement: Columns
    entry: Columns  # movement_seq, posts; effective_date and key: KEY as JSON
    run: Run


def read_stretch(session: Session, start: int, end: int) -> Stretch:
    """Movements `start` to `end` (the first stretch takes what lies before 1 too)."""
    if is_sqlite(session):
        found = _fast(session, start, end)
        if found is not None:
            return found
    seq, of = MOVEMENT.c.seq, ENTRY.c.movement_seq
    movement = read_columns(session, MOVEMENT, _within(seq, start, end), ["seq"], ("seq", "reverses"), WORDS)
    entry = read_columns(
        session,
        ENTRY,
        _within(of, start, end),
        ["movement_seq", "line"],
        (*ENTRY_NUMBERS, "lot"),
        (*KEY[:-1], "effective_date"),
    )
    return Stretch(movement, _keyed(entry), spelled_run(session, start, end))


def _within(number, start: int, end: int):
    return number <= end if start == 1 else number.between(start, end)


def _fast(session: Session, start: int, end: int) -> Stretch | None:
    """None where the texts do not carry what is there, or do not make a chain: then the exact way decides."""
    heads, lines = [], []
    for first in range(start, end + 1, BATCH):
        last = min(first + BATCH - 1, end)
        heads.append(joined_columns(session, _HEAD, _within(MOVEMENT.c.seq, first, last)))
        lines.append(joined_columns(session, _LINE, _within(ENTRY.c.movement_seq, first, last)))
    if not heads or any(None in texts for texts in (*heads, *lines)):
        return None
    values, before, kept, *columns = zip(*heads, strict=True)
    movement = columns_in(columns, ("seq", "reverses"), WORDS)
    entry = columns_in(list(zip(*lines, strict=True)), ENTRY_NUMBERS, ENTRY_WORDS)
    if movement is None or entry is None:
        return None
    run = _whole_run(start, movement.numbers["seq"], values, before, kept, entry)
    return Stretch(movement, entry, run) if run and run.end == end else None


_HEAD = (
    func.json_array(*(spelling(MOVEMENT.c[name], False) for name in COLUMNS)), MOVEMENT.c.previous_hash,
    MOVEMENT.c.hash, MOVEMENT.c.seq, func.coalesce(MOVEMENT.c.reverses, 0), *(or_missing(MOVEMENT.c[name]) for name in WORDS),
)  # fmt: skip
_LINE = (
    ENTRY.c.movement_seq,
    ENTRY.c.posts,
    ENTRY.c.effective_date,
    func.json_array(*(ENTRY.c[name] for name in KEY)),
)


def _whole_run(start: int, seq: np.ndarray, values, before, kept, entry: Columns) -> Run | None:
    """None where the texts do not say that the chain is whole."""
    spelled = b"\n".join(values).replace(NEXT_CELL.encode(), SPACED.encode()).split(b"\n")
    before, kept = b"\n".join(before), b"\n".join(kept)
    hangs_on = before.split(b"\n")
    if not len(seq) == len(spelled) == len(hangs_on) or (seq != np.arange(start, start + len(seq))).any():
        return None
    if (
        not np.isin(entry.numbers["movement_seq"][[0, -1]], seq).all()
        or (np.diff(entry.numbers["movement_seq"]) < 0).any()
    ):
        return None
    bodies = map(b'["%s", %s, [%s]]'.__mod__, zip(hangs_on, spelled, _lines_of(seq, entry), strict=True))
    digest = hashlib.sha256
    if "\n".join([digest(body).hexdigest() for body in bodies]).encode() != kept or before[LINK:] != kept[:-LINK]:
        return None
    return Run(start, start + len(seq) - 1, hangs_on[0].decode(), kept[1 - LINK :].decode())


def _lines_of(seq: np.ndarray, entry: Columns) -> list[bytes]:
    """The entries of each movement as the hash spells them: one text with an end behind each movement, taken apart."""
    of, posts, keys = entry.numbers["movement_seq"], entry.numbers["posts"], entry.words["key"]
    number, known = pd.factorize(posts)
    pair, pairs = pd.factorize(keys.codes * len(known) + number)
    words = [_spaced(word) for word in keys.words]
    spelled = [f"{words[at // len(known)]}, {known[at % len(known)]}]".encode() for at in pairs.tolist()]
    endings = np.array([*(line + b", " for line in spelled), *(line + b"\n" for line in spelled)], dtype=object)
    last = np.append(np.diff(of) != 0, True)
    texts = b"".join(endings[pair + len(pairs) * last].tolist()).split(b"\n")
    found = np.full(len(seq), b"", dtype=object)
    found[np.searchsorted(seq, of[last])] = texts[:-1]
    return found.tolist()


def _spaced(key: str) -> str:
    """A key in SQLite's JSON, as the hash spells it; the bracket stays open."""
    words, _, lot = key[:-1].rpartition(",")
    return f"{words.replace(NEXT_CELL, SPACED)}, {lot}"


def _keyed(found: Columns) -> Columns:
    """The parts of the key as one word, JSON of KEY, by way of one number that all its parts make up together."""
    parts = [found.words[name] for name in KEY[:-1]]
    mixed, lots = pd.factorize(found.numbers["lot"])
    mixed = mixed.astype("int64")
    for part in parts:
        mixed = mixed * max(1, len(part.words)) + part.codes
    codes, unique = pd.factorize(mixed)
    keys: list[list] = []
    for at in unique.tolist():
        words: list = []
        for part in reversed(parts):
            at, code = divmod(at, max(1, len(part.words)))
            words.insert(0, part.words[code])
        keys.append([*words, int(lots[at])])
    words = {"effective_date": found.words["effective_date"], "key": Coded(codes, [json.dumps(key) for key in keys])}
    return Columns({name: found.numbers[name] for name in ENTRY_NUMBERS}, words)


def entries_of(parts: Sequence[Stretch]) -> Entries:
    """All of them, in order."""
    found = stacked([part.entry for part in parts])
    key, day = found.words["key"], found.words["effective_date"]
    known: dict[tuple, int] = {}  # the database may spell a key otherwise than we do
    same = [known.setdefault(tuple(words), len(known)) for words in json.loads(f"[{','.join(key.words)}]")]
    keys = pd.DataFrame(list(known), columns=KEY).astype({"lot": "int64"})
    in_order = sorted(word or "" for word in day.words)
    place = {word: number for number, word in enumerate(in_order)}
    rank = np.array([place[word or ""] for word in day.words] or [0], "int64")
    codes = np.array([*same, 0], "int64")[key.codes]
    return Entries(found.numbers["movement_seq"], codes, found.numbers["posts"], rank[day.codes], keys, in_order)


def movements_of(parts: Sequence[Stretch]) -> pd.DataFrame:
    """seq, reverses (0: none) and, as words, what proofs look at; in the order of seq."""
    found = stacked([part.movement for part in parts])
    return pd.DataFrame(found.numbers | {name: _categories(found.words[name]) for name in WORDS})


def _categories(column: Coded) -> pd.Categorical:
    """A column of words; None is missing."""
    known = [word for word in column.words if word is not None]
    place = {word: number for number, word in enumerate(known)}
    codes = np.array([place.get(word, -1) for word in column.words], "int64")
    return pd.Categorical.from_codes(codes[column.codes], known)
